package audio

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"pfgmgen/domains"
	"pfgmgen/internal/splits"
)

// Load reads the recordings, splits them, and fits the adapter to the training part. See the package comment for the
// rules.
func (Domain) Load(ctx context.Context, o domains.LoadOptions) (*domains.Data, error) {
	opts, err := parseOptions(o.Settings)
	if err != nil {
		return nil, err
	}
	if len(o.Paths) == 0 {
		return nil, fmt.Errorf("audio: no data files")
	}
	var table *splits.Split
	if o.Split != "" {
		if table, err = splits.Read(o.Split, func(string) (string, error) { return "", nil }); err != nil {
			return nil, fmt.Errorf("audio: %w", err)
		}
	}
	in := &input{target: opts.rate, analysis: newAnalysis(), resampler: make(map[int]*resampler), sum: sha256.New()}
	for _, path := range o.Paths {
		if err := in.read(ctx, path); err != nil {
			return nil, fmt.Errorf("audio: %w", err)
		}
	}
	l := &loader{input: in, options: opts}
	for _, step := range []func() error{
		l.checkRecords,
		func() error { return l.split(table) },
		l.dropLong,
		l.dropRepeats,
		l.nameLabels,
		func() error { return l.fit(ctx) },
	} {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("audio: loading stopped: %w", err)
		}
		if err := step(); err != nil {
			return nil, fmt.Errorf("audio: %w", err)
		}
	}
	return &domains.Data{
		Adapter: newAdapter(&l.s),
		Train:   l.examples(l.train),
		Valid:   l.examples(l.valid),
		License: "unknown",
		Source:  strings.Join(in.sources, "; "),
		SHA256:  hex.EncodeToString(in.sum.Sum(nil)),
		Hints:   hints,
		Notes:   l.notes,
	}, nil
}

// hints are for spectrograms standardised in decibels: a deviation of 0.05 in model space is about 1.5 dB, which is
// not heard, so the schedule ends there; between speech and silence lie several tens of dB, so noise well above
// the deviation of the data still leaves the coarse form to be learnt.
var hints = domains.Hints{LnSigmaMean: -0.6, LnSigmaStd: 1.2, SigmaMin: 0.05, SigmaMax: 40, Rho: 5, Steps: 20, Guidance: 1}

// A loader carries the data through the steps of Load.
type loader struct {
	*input
	options
	s            settings
	train, valid []*record
	notes        []string
}

func (l *loader) note(format string, args ...any) {
	l.notes = append(l.notes, fmt.Sprintf(format, args...))
}

func (l *loader) checkRecords() error {
	if l.silent > 0 {
		l.note("%d recordings of silence left out", l.silent)
	}
	if l.mixed > 0 {
		l.note("%d recordings with several channels averaged to one", l.mixed)
	}
	if l.resampled > 0 {
		l.note("%d recordings resampled to %d Hz", l.resampled, l.rate)
	}
	if len(l.records) == 0 {
		return fmt.Errorf("no recording with sound in %s", strings.Join(l.sources, "; "))
	}
	return nil
}

// split fills train and valid: by the split table when there is one, else by the data's own split, else by a hash of
// the speaker or the spectrogram. Test records are never used.
func (l *loader) split(table *splits.Split) error {
	own := 0
	for _, r := range l.records {
		if r.split != "" {
			own++
		}
	}
	switch {
	case table != nil:
		unknown := 0
		for i := range l.records {
			r := &l.records[i]
			if r.split = table.Part("", r.id); r.split == "" {
				unknown++
			}
		}
		if unknown > 0 {
			l.note("%d recordings that the split table does not name left out", unknown)
		}
	case own == 0:
		groups := make([]string, len(l.records))
		for i, r := range l.records {
			if groups[i] = r.group; r.group == "" {
				groups[i] = r.clip.key()
			}
		}
		for i, part := range splits.ByHash(groups) {
			l.records[i].split = part
		}
	case own < len(l.records):
		l.note("%d recordings without a split left out, since others have one", len(l.records)-own)
	}
	// In the order of their hashes, the first records of a part are a fair sample of it, whatever the names were.
	slices.SortStableFunc(l.records, func(a, b record) int { return strings.Compare(a.clip.key(), b.clip.key()) })
	tests := 0
	for i := range l.records {
		switch r := &l.records[i]; r.split {
		case splits.Train:
			l.train = append(l.train, r)
		case splits.Valid:
			l.valid = append(l.valid, r)
		case splits.Test:
			tests++
		}
	}
	if tests > 0 {
		l.note("%d test recordings not used", tests)
	}
	if len(l.train) == 0 {
		return fmt.Errorf("none of the %d recordings belongs to the training part", len(l.records))
	}
	return nil
}

// fitting is the share of the training clips that the length of a sample takes.
const fitting = 0.99

// dropLong chooses the number of frames and leaves out what is longer: cutting it would teach the model to stop in the
// middle of a sound.
func (l *loader) dropLong() error {
	l.s.Frames = l.options.frames
	if l.s.Frames == 0 {
		lengths := make([]int, len(l.train))
		for i, r := range l.train {
			lengths[i] = r.clip.frames()
		}
		n := highQuantile(lengths, fitting)
		if l.s.Frames = max(4, (n+3)/4*4); l.s.Frames > maxFrames {
			return fmt.Errorf("99 %% of the training clips take %d frames (%.3g s), at most %d (%.3g s) are supported; cut them, or set frames",
				n, float64(n*hop)/float64(l.rate), maxFrames, float64(maxFrames*hop)/float64(l.rate))
		}
	}
	long := 0
	for _, part := range []*[]*record{&l.train, &l.valid} {
		*part = slices.DeleteFunc(*part, func(r *record) bool {
			if r.clip.frames() > l.s.Frames {
				long++
				return true
			}
			return false
		})
	}
	if long > 0 {
		l.note("%d clips longer than %d frames (%.3g s) left out", long, l.s.Frames, float64(l.s.Frames*hop)/float64(l.rate))
	}
	if len(l.train) == 0 {
		return fmt.Errorf("all training clips are longer than %d frames (%.3g s); raise frames", l.s.Frames, float64(l.s.Frames*hop)/float64(l.rate))
	}
	return nil
}

// dropRepeats keeps each spectrogram once in each part, and out of train when it is held out or a test record.
func (l *loader) dropRepeats() error {
	held := make(map[string]bool)
	for _, r := range l.records {
		if r.split == splits.Valid || r.split == splits.Test {
			held[r.clip.key()] = true
		}
	}
	leaks, repeats := 0, 0
	once := func(part []*record, skip map[string]bool) []*record {
		seen := make(map[string]bool, len(part))
		return slices.DeleteFunc(part, func(r *record) bool {
			key := r.clip.key()
			switch {
			case skip[key]:
				leaks++
			case seen[key]:
				repeats++
			default:
				seen[key] = true
				return false
			}
			return true
		})
	}
	l.train = once(l.train, held)
	l.valid = once(l.valid, nil)
	if repeats > 0 {
		l.note("%d exact repeats dropped", repeats)
	}
	if leaks > 0 {
		l.note("%d training clips dropped because the same one is held out", leaks)
	}
	if len(l.train) == 0 {
		return fmt.Errorf("no training clip is left: all of them are held out too")
	}
	return nil
}

// label is what a record is conditioned on.
func (l *loader) label(r *record) string {
	switch l.condition {
	case byClass:
		return r.class
	case bySpeaker:
		return r.speaker
	}
	return ""
}

// nameLabels decides the classes: a label for every record, and at least two of them.
func (l *loader) nameLabels() error {
	if l.condition == byNone {
		return nil
	}
	names, without := make(map[string]bool), 0
	for _, part := range [][]*record{l.train, l.valid} {
		for _, r := range part {
			if l.label(r) == "" {
				without++
			} else if err := checkLabel(l.label(r)); err != nil {
				return fmt.Errorf("%s: %w", r.id, err)
			}
		}
	}
	for _, r := range l.train {
		names[l.label(r)] = true
	}
	switch {
	case without > 0 && l.condition == bySpeaker:
		return fmt.Errorf("%w condition=speaker: %d recordings have no speaker in their name", domains.ErrSetting, without)
	case without > 0:
		if len(names) > 1 {
			l.note("%d recordings have no class: the model is unconditional", without)
		}
		return nil
	case len(names) > maxLabels:
		return fmt.Errorf("%d labels, at most %d are supported", len(names), maxLabels)
	}
	before := len(l.valid)
	l.valid = slices.DeleteFunc(l.valid, func(r *record) bool { return !names[l.label(r)] })
	if n := before - len(l.valid); n > 0 {
		l.note("%d held-out clips of labels without a training clip left out", n)
	}
	if len(names) == 1 {
		l.note("all clips have the label %q: the model is unconditional", l.label(l.train[0]))
		return nil
	}
	for name := range names {
		l.s.Labels = append(l.s.Labels, name)
	}
	slices.SortFunc(l.s.Labels, compareLabels)
	return nil
}

// compareLabels orders numbers by value and before texts.
func compareLabels(a, b string) int {
	x, errA := strconv.Atoi(a)
	y, errB := strconv.Atoi(b)
	switch {
	case errA == nil && errB == nil && x != y:
		return cmp.Compare(x, y)
	case (errA == nil) != (errB == nil):
		if errA == nil {
			return -1
		}
		return 1
	}
	return strings.Compare(a, b)
}

// examples keeps one part.
func (l *loader) examples(part []*record) *examples {
	e := &examples{s: &l.s}
	classes := make(map[string]int)
	for i, name := range l.s.Labels {
		classes[name] = i
	}
	for _, r := range part {
		e.clips = append(e.clips, r.clip)
		if len(l.s.Labels) > 0 {
			e.labels = append(e.labels, classes[l.label(r)])
		}
	}
	return e
}
