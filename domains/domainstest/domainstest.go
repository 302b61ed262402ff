// Package domainstest holds the conformance suite that every domain runs over real records: what the pipeline and the
// trainer rely on, whatever the kind of data.
package domainstest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pfgmgen/domains"
)

// A Fixture is real data of a domain, and what is known of it.
type Fixture struct {
	Options domains.LoadOptions
	// Records is how many records of each part are decoded, the first ones; zero is all of them.
	Records int
	// MaxRejected is the share of the held-out records that the hard gates may reject, 0 to 1.
	MaxRejected float64
}

// Run checks the domain on the fixture, one subtest per rule.
func Run(t *testing.T, d domains.Domain, f Fixture) {
	t.Helper()
	data, err := d.Load(context.Background(), f.Options)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	s := &subject{Domain: d, Fixture: f, data: data}
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			if err := s.run(c); err != nil {
				t.Error(err)
			}
		})
	}
}

// A subject is a domain with the fixture's data loaded.
type subject struct {
	domains.Domain
	Fixture
	data *domains.Data
}

// A check is one rule. It returns what is wrong.
type check struct {
	name string
	run  func(*subject) error
}

var checks = []check{
	{"description", (*subject).checkDescription},
	{"data", (*subject).checkData},
	{"deterministic load", (*subject).checkReload},
	{"refused options", (*subject).checkRefusals},
	{"columns", (*subject).checkColumns},
	{"mean 0 and deviation 0.5", (*subject).checkMoments},
	{"encode and decode", (*subject).checkIdentity},
	{"held-out records pass", (*subject).checkHeldOut},
	{"total decode", (*subject).checkTotal},
	{"rows fit the schema", (*subject).checkSchema},
	{"settings rebuild the adapter", (*subject).checkReopen},
	{"bad settings refused", (*subject).checkBadSettings},
	{"export", (*subject).checkExport},
	{"concurrent use", (*subject).checkConcurrent},
}

// run turns a panic into an error.
func (s *subject) run(c check) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return c.run(s)
}

func (s *subject) size() int {
	n := 1
	for _, d := range s.data.Adapter.Shape() {
		n *= d
	}
	return n
}

// each calls f with every encoded record of both parts, up to Records each. x is used again for the next.
func (s *subject) each(f func(e domains.Examples, i int, x []float64, label int) error) error {
	x := make([]float64, s.size())
	for _, e := range []domains.Examples{s.data.Train, s.data.Valid} {
		for i := range s.count(e) {
			label := e.Encode(x, i)
			if err := f(e, i, x, label); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *subject) count(e domains.Examples) int {
	if s.Records > 0 {
		return min(s.Records, e.Len())
	}
	return e.Len()
}

func (s *subject) checkDescription() error {
	d := s.Describe()
	if d.Name != s.Name() || d.Name == "" || strings.ToLower(d.Name) != d.Name || d.About == "" {
		return fmt.Errorf("name %q in the description, %q of the domain, about %q", d.Name, s.Name(), d.About)
	}
	if len(d.Inputs) == 0 || len(d.Columns) == 0 || len(d.Checks) == 0 {
		return errors.New("inputs, columns and checks must be described")
	}
	for what, list := range map[string][]domains.Item{"setting": d.Settings, "column": d.Columns, "check": d.Checks} {
		seen := make(map[string]bool)
		for _, item := range list {
			if item.Name == "" || item.About == "" || seen[item.Name] {
				return fmt.Errorf("%s %q is empty, not explained, or described twice", what, item.Name)
			}
			seen[item.Name] = true
		}
	}
	for _, c := range d.Checks {
		if prefix, rest, ok := strings.Cut(c.Name, "_"); !ok || len(prefix) < 2 || rest == "" || strings.ToUpper(c.Name) != c.Name {
			return fmt.Errorf("check code %q: want upper case with the domain's prefix, as RN_LEN", c.Name)
		}
	}
	return nil
}
