package domainstest

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pfgmgen/domains"
)

func (s *subject) checkData() error {
	d, a := s.data, s.data.Adapter
	for _, n := range a.Shape() {
		if n < 1 {
			return fmt.Errorf("shape %v", a.Shape())
		}
	}
	if free := a.Free(); free < 1 || free > s.size() {
		return fmt.Errorf("%d free coordinates for shape %v", free, a.Shape())
	}
	if d.Train.Len() == 0 || d.Valid.Len() == 0 {
		return fmt.Errorf("%d training and %d held-out records; the fixture needs both", d.Train.Len(), d.Valid.Len())
	}
	if d.License == "" || d.Source == "" {
		return fmt.Errorf("license %q, source %q; say \"unknown\" when the data do not", d.License, d.Source)
	}
	if sum, err := hex.DecodeString(d.SHA256); err != nil || len(sum) != 32 {
		return fmt.Errorf("SHA256 %q is no hash", d.SHA256)
	}
	held := make(map[string]bool)
	for i := range d.Valid.Len() {
		held[d.Valid.Key(i)] = true
	}
	for i := range d.Train.Len() {
		if held[d.Train.Key(i)] {
			return fmt.Errorf("training record %d is held out too: %.80q", i, d.Train.Key(i))
		}
	}
	return checkCanonical(a.Settings())
}

// checkCanonical holds settings to one spelling: no white space, keys in order, at every level.
func checkCanonical(raw json.RawMessage) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return fmt.Errorf("settings are no JSON: %w", err)
	}
	again, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if !bytes.Equal(again, raw) {
		return fmt.Errorf("settings are not canonical JSON (no white space, sorted keys): %.200s", raw)
	}
	return nil
}

func (s *subject) checkReload() error {
	again, err := s.Load(context.Background(), s.Options)
	if err != nil {
		return err
	}
	if again.SHA256 != s.data.SHA256 || !bytes.Equal(again.Adapter.Settings(), s.data.Adapter.Settings()) {
		return errors.New("loading twice gives other settings or another hash")
	}
	for _, p := range [][2]domains.Examples{{again.Train, s.data.Train}, {again.Valid, s.data.Valid}} {
		if p[0].Len() != p[1].Len() {
			return fmt.Errorf("loading twice gives %d and %d records", p[1].Len(), p[0].Len())
		}
		for i := range p[0].Len() {
			if p[0].Key(i) != p[1].Key(i) {
				return fmt.Errorf("loading twice gives another record %d", i)
			}
		}
	}
	return nil
}

func (s *subject) checkRefusals() error {
	dir, err := os.MkdirTemp("", "domainstest")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	missing, empty := filepath.Join(dir, "missing"), filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		return err
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	settings := map[string]string{"no-such-setting": "1"}
	for _, tc := range []struct {
		name string
		ctx  context.Context
		o    domains.LoadOptions
		want string
	}{
		{"no file", context.Background(), domains.LoadOptions{}, ""},
		{"a missing file", context.Background(), domains.LoadOptions{Paths: []string{missing}}, missing},
		{"an empty file", context.Background(), domains.LoadOptions{Paths: []string{empty}}, empty},
		{"a missing split table", context.Background(), domains.LoadOptions{Paths: s.Options.Paths, Split: missing}, missing},
		{"an unknown setting", context.Background(), domains.LoadOptions{Paths: s.Options.Paths, Settings: settings}, "no-such-setting"},
		{"a cancelled context", cancelled, s.Options, ""},
	} {
		_, err := s.Load(tc.ctx, tc.o)
		if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.HasPrefix(err.Error(), s.Name()+": ") {
			return fmt.Errorf("%s: error %v, want one of %s that names %q", tc.name, err, s.Name(), tc.want)
		}
	}
	o := s.Options
	o.Settings = settings
	if _, err := s.Load(context.Background(), o); !errors.Is(err, domains.ErrSetting) {
		return fmt.Errorf("an unknown setting: %v does not wrap domains.ErrSetting", err)
	}
	if _, err := s.Load(cancelled, s.Options); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("a cancelled context: %v does not wrap it", err)
	}
	return nil
}

func (s *subject) checkColumns() error {
	described := s.Describe().Columns
	fields := s.data.Adapter.Fields()
	if len(fields) != len(described) {
		return fmt.Errorf("%d columns, %d described", len(fields), len(described))
	}
	for i, f := range fields {
		if f.Name != described[i].Name || !f.Nullable {
			return fmt.Errorf("column %d is %s (nullable %v), described as %s; all are nullable", i, f.Name, f.Nullable, described[i].Name)
		}
	}
	return nil
}

// checkMoments measures the training part as `train` does and checks what it makes of it. The natural scale of an
// encoding has to be of the order of model space, for the columns that describe confidence are in its units.
func (s *subject) checkMoments() error {
	for _, e := range []domains.Examples{s.data.Train, s.data.Valid} {
		x := make([]float64, s.size())
		for i := range s.count(e) {
			if label := e.Encode(x, i); label < -1 || label >= len(s.data.Adapter.Labels()) {
				return fmt.Errorf("class %d of %d", label, len(s.data.Adapter.Labels()))
			}
			if slices.ContainsFunc(x, func(v float64) bool { return v-v != 0 }) {
				return errors.New("a record is encoded with NaN or an infinity")
			}
		}
	}
	_, masked := s.data.Adapter.(domains.Masked)
	train, err := domains.MeasureExamples(firstN{s.data.Train, s.count(s.data.Train)}, s.size(), masked)
	if err != nil {
		return err
	}
	if !(math.Abs(train.Mean) <= 1.5 && train.Deviation >= 0.05 && train.Deviation <= 2) {
		return fmt.Errorf("encoded records have mean %.4f and deviation %.4f, want at most 1.5 and 0.05 to 2", train.Mean, train.Deviation)
	}
	scale, err := train.Fit()
	if err != nil {
		return err
	}
	held, err := domains.MeasureExamples(domains.InModelSpace(firstN{s.data.Valid, s.count(s.data.Valid)}, scale, masked), s.size(), masked)
	if err != nil {
		return err
	}
	if err := held.Check(domains.Scale{Scale: 1}); err != nil {
		return fmt.Errorf("held-out records: %w", err)
	}
	return nil
}

// firstN are the first n examples.
type firstN struct {
	domains.Examples
	n int
}

func (f firstN) Len() int { return f.n }
