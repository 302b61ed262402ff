package domainstest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"pfgmgen/domains"
)

func (s *subject) checkIdentity() error {
	return s.each(func(e domains.Examples, i int, x []float64, label int) error {
		before := slices.Clone(x)
		row := s.data.Adapter.Decode(x, label)
		if row.Key() != e.Key(i) {
			return fmt.Errorf("record %d decodes to %.80q, want %.80q", i, row.Key(), e.Key(i))
		}
		if !slices.Equal(x, before) {
			return errors.New("Decode changes its input")
		}
		if margin, entropy := row.Confidence(); !(margin > 0) || !(entropy >= 0 && entropy < 1) {
			return fmt.Errorf("record %d is decoded with margin %v and entropy %v bits: a real record should be certain", i, margin, entropy)
		}
		return s.checkCodes(row)
	})
}

// checkCodes holds verdicts to the codes that are described.
func (s *subject) checkCodes(row domains.Row) error {
	v := row.Verdict()
	for _, code := range slices.Concat(v.Violations, v.Warnings) {
		if !slices.ContainsFunc(s.Describe().Checks, func(c domains.Item) bool { return c.Name == code }) {
			return fmt.Errorf("code %s is not described", code)
		}
	}
	return nil
}

func (s *subject) checkHeldOut() error {
	x, rejected, e := make([]float64, s.size()), 0, s.data.Valid
	codes := make(map[string]int)
	n := s.count(e)
	for i := range n {
		label := e.Encode(x, i)
		v := s.data.Adapter.Decode(x, label).Verdict()
		if !v.Valid() {
			rejected++
		}
		for _, c := range v.Violations {
			codes[c]++
		}
	}
	if share := float64(rejected) / float64(n); share > s.MaxRejected {
		return fmt.Errorf("%d of %d held-out records rejected (%.3g), at most %g allowed: %v", rejected, n, share, s.MaxRejected, codes)
	}
	return nil
}

// samples are what a network may put out, good and bad. The second part is not finite.
func (s *subject) samples() (finite, broken [][]float64) {
	rng := rand.New(rand.NewPCG(1, 2))
	fill := func(f func(i int) float64) []float64 {
		x := make([]float64, s.size())
		for i := range x {
			x[i] = f(i)
		}
		return x
	}
	finite = [][]float64{
		fill(func(int) float64 { return 0 }),
		fill(func(int) float64 { return math.MaxFloat64 }),
		fill(func(int) float64 { return -math.MaxFloat64 }),
		fill(func(i int) float64 { return math.Copysign(math.MaxFloat64, float64(i%2)-0.5) }),
		fill(func(int) float64 { return math.SmallestNonzeroFloat64 }),
	}
	for _, scale := range []float64{0.01, 0.5, 1, 80} {
		finite = append(finite, fill(func(int) float64 { return scale * rng.NormFloat64() }))
	}
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		broken = append(broken, fill(func(int) float64 { return bad }),
			fill(func(i int) float64 {
				if i%3 == 0 {
					return bad
				}
				return rng.NormFloat64()
			}))
		for _, at := range []int{0, s.size() / 2, s.size() - 1} {
			x := make([]float64, s.size())
			s.data.Train.Encode(x, 0)
			x[at] = bad
			broken = append(broken, x)
		}
	}
	return finite, broken
}

// labels are all that Decode may be called with, and some that are no class.
func (s *subject) labels() []int {
	n := len(s.data.Adapter.Labels())
	out := []int{-1, n, math.MaxInt, math.MinInt}
	for i := range min(n, 4) {
		out = append(out, i)
	}
	return out
}

func (s *subject) checkTotal() error {
	finite, broken := s.samples()
	for i, x := range slices.Concat(finite, broken) {
		for _, label := range s.labels() {
			row := s.data.Adapter.Decode(x, label)
			if i >= len(finite) && row.Verdict().Valid() {
				return fmt.Errorf("sample %d has NaN or an infinity and passes all hard gates", i-len(finite))
			}
			margin, entropy := float64(first(row.Confidence())), float64(second(row.Confidence()))
			if !(margin >= 0) || math.IsInf(margin, 0) || !(entropy >= 0) || math.IsInf(entropy, 0) {
				return fmt.Errorf("sample %d: margin %v, entropy %v, want finite values of at least 0", i, margin, entropy)
			}
			if err := s.checkCodes(row); err != nil {
				return err
			}
		}
	}
	return nil
}

func first(a, _ float32) float32  { return a }
func second(_, b float32) float32 { return b }

// rows decodes the odd samples and some real records.
func (s *subject) rows(a domains.Adapter) []domains.Row {
	var out []domains.Row
	finite, broken := s.samples()
	for i, x := range slices.Concat(finite, broken) {
		labels := s.labels()
		out = append(out, a.Decode(x, labels[i%len(labels)]))
	}
	x := make([]float64, s.size())
	for i := range min(50, s.data.Train.Len()) {
		label := s.data.Train.Encode(x, i)
		out = append(out, a.Decode(x, label))
	}
	return out
}

// record builds an Arrow record from rows. The caller releases it.
func record(mem memory.Allocator, a domains.Adapter, rows []domains.Row) (arrow.Record, error) {
	b := array.NewRecordBuilder(mem, arrow.NewSchema(a.Fields(), nil))
	defer b.Release()
	for i, r := range rows {
		r.Append(b.Fields())
		for j, f := range b.Fields() {
			if f.Len() != i+1 {
				return nil, fmt.Errorf("after row %d, column %s has %d values", i, a.Fields()[j].Name, f.Len())
			}
		}
	}
	return b.NewRecord(), nil
}

func (s *subject) checkSchema() error {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	rows := s.rows(s.data.Adapter)
	rec, err := record(mem, s.data.Adapter, rows)
	if err != nil {
		return err
	}
	if rec.NumRows() != int64(len(rows)) {
		err = fmt.Errorf("%d rows became %d", len(rows), rec.NumRows())
	}
	rec.Release()
	if left := mem.CurrentAlloc(); left != 0 {
		return fmt.Errorf("%d bytes of Arrow memory were not released", left)
	}
	return err
}

func (s *subject) checkReopen() error {
	a := s.data.Adapter
	b, err := s.Open(a.Settings())
	if err != nil {
		return err
	}
	if !slices.Equal(a.Shape(), b.Shape()) || a.Free() != b.Free() || !slices.Equal(a.Labels(), b.Labels()) ||
		!reflect.DeepEqual(a.Fields(), b.Fields()) || !bytes.Equal(a.Settings(), b.Settings()) {
		return errors.New("the adapter that Open makes has another shape, labels, columns or settings")
	}
	rowsA, rowsB := s.rows(a), s.rows(b)
	for i := range rowsA {
		p, q := rowsA[i], rowsB[i]
		marginP, entropyP := p.Confidence()
		marginQ, entropyQ := q.Confidence()
		if p.Key() != q.Key() || marginP != marginQ || entropyP != entropyQ || !reflect.DeepEqual(p.Verdict(), q.Verdict()) {
			return fmt.Errorf("row %d differs: %.80q %v, and %.80q %v", i, p.Key(), p.Verdict(), q.Key(), q.Verdict())
		}
	}
	recA, err := record(memory.DefaultAllocator, a, rowsA)
	if err != nil {
		return err
	}
	defer recA.Release()
	recB, err := record(memory.DefaultAllocator, b, rowsB)
	if err != nil {
		return err
	}
	defer recB.Release()
	if !array.RecordEqual(recA, recB) {
		return errors.New("the rows of the adapter that Open makes have other columns")
	}
	return nil
}

func (s *subject) checkBadSettings() error {
	good := s.data.Adapter.Settings()
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(good, &fields); err != nil {
		return err
	}
	fields["no_such_field"] = json.RawMessage("1")
	extra, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	for _, bad := range [][]byte{nil, []byte("null"), []byte("{}"), []byte("[]"), []byte(`"x"`),
		good[:len(good)-1], slices.Concat(good, good), extra} {
		if _, err := s.Open(bad); err == nil {
			return fmt.Errorf("settings %.80s are accepted", bad)
		}
	}
	return nil
}

func (s *subject) checkExport() error {
	row := s.rows(s.data.Adapter)
	last := row[len(row)-1] // a real record
	formats := s.Describe().Exports
	e, ok := last.(domains.Exporter)
	if ok != (len(formats) > 0) {
		return fmt.Errorf("exports %v described, the row exports: %v", formats, ok)
	}
	if !ok {
		return nil
	}
	for _, format := range formats {
		for _, r := range row {
			if err := r.(domains.Exporter).Export(io.Discard, format, "run-0"); err != nil {
				return fmt.Errorf("export as %s: %w", format, err)
			}
		}
		var b bytes.Buffer
		if err := e.Export(&b, format, "run-0"); err != nil {
			return err
		}
		if b.Len() == 0 {
			return fmt.Errorf("export as %s writes nothing", format)
		}
	}
	if err := e.Export(io.Discard, "no-such-format", "run-0"); err == nil {
		return errors.New("export in an unknown format is accepted")
	}
	return nil
}

// checkConcurrent finds data races when the tests run with -race, and shared state without.
func (s *subject) checkConcurrent() error {
	keys := make([][]string, 4)
	var wg sync.WaitGroup
	for k := range keys {
		wg.Go(func() {
			for _, r := range s.rows(s.data.Adapter) {
				keys[k] = append(keys[k], r.Key())
			}
		})
	}
	wg.Wait()
	for _, other := range keys[1:] {
		if !slices.Equal(keys[0], other) {
			return errors.New("concurrent decoding gives other rows")
		}
	}
	return nil
}
