package antibody

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"pfgmgen/domains"
	"pfgmgen/internal/splits"
)

// Load reads the files, numbers the chains, splits the records, and fits the adapter to the training part. See the
// package comment for the rules.
func (Domain) Load(ctx context.Context, o domains.LoadOptions) (*domains.Data, error) {
	opts, err := parseOptions(o.Settings)
	if err != nil {
		return nil, err
	}
	if len(o.Paths) == 0 {
		return nil, fmt.Errorf("antibody: no data files")
	}
	var table *splits.Split
	if o.Split != "" {
		if table, err = readSplit(o.Split); err != nil {
			return nil, err
		}
	}
	in, sum := new(input), sha256.New()
	for _, path := range o.Paths {
		if err := in.readFile(ctx, path, sum); err != nil {
			return nil, err
		}
	}
	data, err := in.fitted(ctx, opts, table)
	if err != nil {
		return nil, err
	}
	data.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return data, nil
}

// fitted takes the steps after reading.
func (in *input) fitted(ctx context.Context, opts options, table *splits.Split) (*domains.Data, error) {
	l := &loader{input: in, options: opts, s: newSettings()}
	for _, reason := range in.reasons {
		l.note("%d records %s left out", in.dropped[reason], reason)
	}
	for _, step := range []func() error{
		func() error { return l.place(ctx) },
		l.chooseChains,
		l.keepWhole,
		func() error { return l.split(table) },
		l.dropRepeats,
		l.nameClasses,
	} {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("antibody: loading stopped: %w", err)
		}
		if err := step(); err != nil {
			return nil, err
		}
	}
	if err := l.s.check(); err != nil {
		return nil, fmt.Errorf("antibody: the data give settings that cannot be used: %w", err)
	}
	data := &domains.Data{
		Adapter: newAdapter(&l.s),
		Train:   l.examples(l.train),
		Valid:   l.examples(l.valid),
		License: in.license,
		Source:  strings.Join(in.sources, "; "),
		Notes:   l.notes,
	}
	if data.License == "" {
		data.License = "unknown"
	}
	return data, nil
}

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

// chooseChains settles the setting chains=auto.
func (l *loader) chooseChains() error {
	var pairs int
	var single [sides]int
	for i := range l.records {
		c := &l.records[i].chain
		switch {
		case c[heavy].placed && c[light].placed:
			pairs++
		case c[heavy].placed:
			single[heavy]++
		case c[light].placed:
			single[light]++
		}
	}
	l.s.Chains = l.chains
	switch {
	case l.chains != "":
	case pairs > 0:
		l.s.Chains = paired
	case single[heavy] > 0 && single[light] > 0:
		return fmt.Errorf("antibody: %d heavy and %d light chains that are not paired; set chains=heavy or chains=light to use one side", single[heavy], single[light])
	case single[light] > 0:
		l.s.Chains = light.String()
	default:
		l.s.Chains = heavy.String()
	}
	return nil
}

// keepWhole leaves out records without the chains that are asked for, and those that do not fit into the tensor.
func (l *loader) keepWhole() error {
	all, kept := len(l.records), l.records[:0]
	without, unplaced := 0, 0
	var over [sides][regions]int
records:
	for _, r := range l.records {
		for _, s := range l.s.sides() {
			c := &r.chain[s]
			if c.seq == "" {
				without++
				continue records
			}
			if !c.placed {
				unplaced++
				continue records
			}
			if k := c.parts.overflow(s); k >= 0 {
				over[s][k]++
				continue records
			}
		}
		kept = append(kept, r)
	}
	l.records = kept
	if without > 0 {
		l.note("%d records without the chains of chains=%s left out", without, l.s.Chains)
	}
	if unplaced > 0 {
		l.note("%d records left out because no variable domain was found in a chain, or not all of it", unplaced)
	}
	for s := range over {
		all, what := 0, []string(nil)
		for k, n := range over[s] {
			if all += n; n > 0 {
				what = append(what, fmt.Sprintf("%s in %d (over %d)", regionNames[k], n, widths[s][k]))
			}
		}
		if all > 0 {
			l.note("%d records left out with a region of the %s chain that is too long: %s", all, side(s), strings.Join(what, ", "))
		}
	}
	if len(kept) == 0 {
		return fmt.Errorf("antibody: none of the %d records is usable with chains=%s: %s", all, l.s.Chains, strings.Join(l.notes, "; "))
	}
	return nil
}

// key identifies the content of a record: the residues of the chains in use, heavy before light with a colon between.
func (l *loader) key(r *record) string {
	var texts []string
	for _, s := range l.s.sides() {
		texts = append(texts, r.chain[s].parts.sequence())
	}
	return strings.Join(texts, ":")
}

// examples encodes one part.
func (l *loader) examples(part []*record) *examples {
	e := &examples{size: l.s.positions() * channels}
	conditional := len(l.s.labels()) > 0
	for _, r := range part {
		row, at := make([]uint8, l.s.positions()), 0
		for _, s := range l.s.sides() {
			r.chain[s].parts.put(row[at:at+positions[s]], s)
			at += positions[s]
		}
		e.rows = append(e.rows, row)
		e.keys = append(e.keys, l.key(r))
		if conditional {
			e.labels = append(e.labels, l.class(r))
		}
	}
	return e
}
