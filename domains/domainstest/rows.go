package domainstest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"sync"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"pfgmgen/domains"
)

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
			var b bytes.Buffer
			err := r.(domains.Exporter).Export(&b, format, "run-0")
			if errors.Is(err, domains.ErrNoForm) && b.Len() == 0 {
				continue
			}
			if err != nil {
				return fmt.Errorf("export as %s, %d bytes written: %w", format, b.Len(), err)
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
