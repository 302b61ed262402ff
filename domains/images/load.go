package images

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"pfgmgen/domains"
	"pfgmgen/internal/splits"
)

// Load reads the files, splits the pictures, and fits the adapter to the training part. See the package comment for
// the rules.
func (Domain) Load(ctx context.Context, o domains.LoadOptions) (*domains.Data, error) {
	opts, err := parseOptions(o.Settings)
	if err != nil {
		return nil, err
	}
	if len(o.Paths) == 0 {
		return nil, fmt.Errorf("images: no data files")
	}
	in := &input{ctx: ctx, sum: sha256.New(), options: opts, seen: make(map[string]bool)}
	var table *splits.Split
	if o.Split != "" {
		if table, err = readSplit(o.Split); err != nil {
			return nil, err
		}
	}
	for _, path := range o.Paths {
		if err := in.readPath(path); err != nil {
			return nil, err
		}
	}
	l := &loader{input: in}
	for _, step := range []func() error{
		l.unify,
		func() error { return l.split(table) },
		l.dropRepeats,
		l.nameClasses,
		l.fit,
	} {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("images: loading stopped: %w", err)
		}
		if err := step(); err != nil {
			return nil, err
		}
	}
	a := newAdapter(&l.s)
	return &domains.Data{
		Adapter: a,
		Train:   l.examples(a, l.train),
		Valid:   l.examples(a, l.valid),
		License: "unknown",
		Source:  strings.Join(in.sources, "; "),
		SHA256:  hex.EncodeToString(in.sum.Sum(nil)),
		Hints:   hints,
		Notes:   in.notes,
	}, nil
}

// hints: pictures are decided over a wide range of noise. EDM trains its pictures with ln sigma of mean -1.2 and
// deviation 1.2 and samples from 80 to 0.002 with rho 7 in 18 steps. Small pictures with few levels are decided at more
// noise than photographs, so the mean is higher; below 0.01, one or two levels of 255, nothing is left to decide.
var hints = domains.Hints{LnSigmaMean: -0.8, LnSigmaStd: 1.2, SigmaMin: 0.01, SigmaMax: 80, Rho: 7, Steps: 18, Guidance: 1}

// A loader carries the data through the steps of Load.
type loader struct {
	*input
	s            settings
	train, valid []*record
}

// unify gives all pictures the same number of channels, and refuses different sizes.
func (l *loader) unify() error {
	if len(l.records) == 0 {
		return fmt.Errorf("images: no pictures in %s", strings.Join(l.sources, ", "))
	}
	first, colour := &l.records[0], l.options.colour == "rgb"
	for i := range l.records {
		r := &l.records[i]
		if r.height != first.height || r.width != first.width {
			return fmt.Errorf("images: picture %s has %d x %d pixels, picture %s has %d x %d; set size=%d or another size to resize",
				first.id, first.width, first.height, r.id, r.width, r.height, min(maxSide, first.height, first.width, r.height, r.width))
		}
		colour = colour || l.options.colour == "auto" && !r.isGrey()
	}
	for i := range l.records {
		r := &l.records[i]
		if colour {
			r.picture = r.rgb()
		} else {
			r.picture = r.grey()
		}
	}
	l.s.setShape(first.picture)
	return nil
}

// nameClasses decides the labels: a class for every record, and at least two of them.
func (l *loader) nameClasses() error {
	if l.options.unconditional {
		return nil
	}
	names, without := make(map[string]bool), 0
	for _, r := range l.train {
		if r.class == "" {
			without++
			continue
		}
		if err := checkClass(r.class); err != nil {
			return fmt.Errorf("images: picture %s: %w", r.id, err)
		}
		names[r.class] = true
	}
	switch {
	case without > 0 && len(names) > 0:
		l.note("%d training pictures have no class: the model is unconditional", without)
		return nil
	case len(names) < 2:
		return nil
	case len(names) > maxClasses:
		return fmt.Errorf("images: %d classes, at most %d are supported; set condition=none", len(names), maxClasses)
	}
	l.s.Classes = sortClasses(slices.Collect(maps.Keys(names)), l.order)
	seen := l.valid[:0]
	for _, r := range l.valid {
		if names[r.class] {
			seen = append(seen, r)
		}
	}
	if n := len(l.valid) - len(seen); n > 0 {
		l.note("%d held-out pictures of classes without a training picture left out", n)
	}
	l.valid = seen
	return nil
}

// sortClasses puts names into the order of the data's own numbering, those without one behind: by number when all of
// them are numbers, else by name.
func sortClasses(names, order []string) []string {
	rank := make(map[string]int, len(order))
	for i, name := range order {
		rank[name] = i - len(order) // below 0
	}
	number, all := make(map[string]int, len(names)), true
	for _, name := range names {
		n, err := strconv.Atoi(name)
		number[name] = n
		all = all && err == nil
	}
	slices.SortFunc(names, func(a, b string) int {
		if rank[a] != rank[b] {
			return rank[a] - rank[b]
		}
		if all && number[a] != number[b] {
			if number[a] < number[b] {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
	return names
}

func (l *loader) examples(a *adapter, part []*record) *examples {
	e := &examples{adapter: a, pictures: make([]picture, len(part))}
	classes := make(map[string]int)
	for i, c := range l.s.Classes {
		classes[c] = i
	}
	for i, r := range part {
		e.pictures[i] = r.picture
		if len(classes) > 0 {
			e.labels = append(e.labels, classes[r.class])
		}
	}
	return e
}
