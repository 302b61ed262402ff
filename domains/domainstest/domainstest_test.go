package domainstest

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"pfgmgen/domains"
	"pfgmgen/domains/rna"
	"pfgmgen/validate"
)

// faulty is the RNA domain with one planted fault: the suite must find each of them.
type faulty struct {
	domains.Domain
	describe func(*domains.Description)
	adapter  func(domains.Adapter) domains.Adapter
	train    func(domains.Examples) domains.Examples
	open     func(json.RawMessage) json.RawMessage
	load     func(*domains.LoadOptions)
}

func (f faulty) Describe() domains.Description {
	d := f.Domain.Describe()
	if f.describe != nil {
		f.describe(&d)
	}
	return d
}

func (f faulty) Load(ctx context.Context, o domains.LoadOptions) (*domains.Data, error) {
	if f.load != nil {
		f.load(&o)
	}
	d, err := f.Domain.Load(ctx, o)
	if err != nil {
		return nil, err
	}
	if f.adapter != nil {
		d.Adapter = f.adapter(d.Adapter)
	}
	if f.train != nil {
		d.Train = f.train(d.Train)
	}
	return d, nil
}

func (f faulty) Open(s json.RawMessage) (domains.Adapter, error) {
	if f.open != nil {
		s = f.open(s)
	}
	return f.Domain.Open(s)
}

// badAdapter changes what an adapter does to each row.
type badAdapter struct {
	domains.Adapter
	row func(x []float64, r domains.Row) domains.Row
}

func (b badAdapter) Decode(x []float64, label int) domains.Row {
	return b.row(x, b.Adapter.Decode(x, label))
}

type badRow struct {
	domains.Row
	key     string
	verdict validate.Verdict
	twice   bool
}

func (b badRow) Key() string               { return b.key }
func (b badRow) Verdict() validate.Verdict { return b.verdict }
func (b badRow) Append(to []array.Builder) {
	b.Row.Append(to)
	if b.twice {
		to[0].AppendNull()
	}
}

type badFields struct{ domains.Adapter }

func (b badFields) Fields() []arrow.Field {
	f := b.Adapter.Fields()
	f[0].Nullable = false
	return f
}

type badSettings struct{ domains.Adapter }

func (b badSettings) Settings() json.RawMessage { return append(b.Adapter.Settings(), '\n') }

type badFree struct{ domains.Adapter }

func (b badFree) Free() int { return b.Adapter.Free() + 1 }

// doubled encodes with twice the deviation.
type doubled struct{ domains.Examples }

func (d doubled) Encode(dst []float64, i int) int {
	label := d.Examples.Encode(dst, i)
	for i := range dst {
		dst[i] *= 2
	}
	return label
}

func TestFaultsAreFound(t *testing.T) {
	rows := func(f func(x []float64, r domains.Row) domains.Row) func(domains.Adapter) domains.Adapter {
		return func(a domains.Adapter) domains.Adapter { return badAdapter{a, f} }
	}
	for _, tc := range []struct {
		check string
		fault faulty
	}{
		{"description", faulty{describe: func(d *domains.Description) { d.Columns[1].About = "" }}},
		{"description", faulty{describe: func(d *domains.Description) { d.Checks[1] = d.Checks[0] }}},
		{"description", faulty{describe: func(d *domains.Description) { d.Checks[0].Name = "length" }}},
		{"data", faulty{adapter: func(a domains.Adapter) domains.Adapter { return badFree{a} }}},
		{"data", faulty{adapter: func(a domains.Adapter) domains.Adapter { return badSettings{a} }}},
		{"refused options", faulty{load: func(o *domains.LoadOptions) { o.Settings = nil }}},
		{"columns", faulty{describe: func(d *domains.Description) { d.Columns = d.Columns[1:] }}},
		{"columns", faulty{adapter: func(a domains.Adapter) domains.Adapter { return badFields{a} }}},
		{"mean 0 and deviation 0.5", faulty{train: func(e domains.Examples) domains.Examples { return doubled{e} }}},
		{"encode and decode", faulty{adapter: rows(func(_ []float64, r domains.Row) domains.Row {
			return badRow{r, "x", r.Verdict(), false}
		})}},
		{"encode and decode", faulty{adapter: rows(func(x []float64, r domains.Row) domains.Row { clear(x); return r })}},
		{"encode and decode", faulty{adapter: rows(func(_ []float64, r domains.Row) domains.Row {
			return badRow{r, r.Key(), validate.Verdict{Warnings: []string{"RN_SECRET"}}, false}
		})}},
		{"held-out records pass", faulty{adapter: rows(func(_ []float64, r domains.Row) domains.Row {
			return badRow{r, r.Key(), validate.Verdict{Violations: []string{"RN_LEN"}}, false}
		})}},
		{"total decode", faulty{adapter: rows(func(x []float64, r domains.Row) domains.Row {
			if x[0] != x[0] {
				panic("NaN")
			}
			return r
		})}},
		{"total decode", faulty{adapter: rows(func(x []float64, r domains.Row) domains.Row {
			return badRow{r, r.Key(), validate.Verdict{}, false}
		})}},
		{"rows fit the schema", faulty{adapter: rows(func(_ []float64, r domains.Row) domains.Row {
			return badRow{r, r.Key(), r.Verdict(), true}
		})}},
		{"settings rebuild the adapter", faulty{open: func(raw json.RawMessage) json.RawMessage {
			return json.RawMessage(strings.Replace(string(raw), `"homopolymer":8`, `"homopolymer":1`, 1))
		}}},
		{"bad settings refused", faulty{open: func(raw json.RawMessage) json.RawMessage {
			return json.RawMessage(strings.Replace(string(raw), `"no_such_field":1,`, "", 1))
		}}},
		{"export", faulty{describe: func(d *domains.Description) { d.Exports = append(d.Exports, "stockholm") }}},
		{"export", faulty{describe: func(d *domains.Description) { d.Exports = nil }}},
	} {
		fixture := Fixture{Options: domains.LoadOptions{
			Paths: []string{filepath.Join("..", "..", "..", "shared", "data", "rna", "trna_rfam_sprinzl", "trna.tsv")},
		}, Records: 100, MaxRejected: 0.02}
		tc.fault.Domain = rna.Domain{}
		data, err := tc.fault.Load(context.Background(), fixture.Options)
		if err != nil {
			t.Fatal(err)
		}
		s := &subject{Domain: tc.fault, Fixture: fixture, data: data}
		sound := &subject{Domain: rna.Domain{}, Fixture: fixture}
		if sound.data, err = sound.Load(context.Background(), fixture.Options); err != nil {
			t.Fatal(err)
		}
		found := false
		for _, c := range checks {
			if c.name != tc.check {
				continue
			}
			found = true
			if err := s.run(c); err == nil {
				t.Errorf("%s: a planted fault was not found", tc.check)
			}
			if err := sound.run(c); err != nil {
				t.Errorf("%s: the sound domain fails: %v", tc.check, err)
			}
		}
		if !found {
			t.Errorf("no check is called %s", tc.check)
		}
	}
}
