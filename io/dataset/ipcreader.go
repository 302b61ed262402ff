package dataset

import (
	"fmt"
	"os"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
)

// ipcReader reads an Arrow part, record batch by record batch.
type ipcReader struct {
	f    *os.File
	r    *ipc.FileReader
	cols []*column
	n    int64
}

func openIPC(path string) (*ipcReader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	p := &ipcReader{f: f}
	err = guard(func() (err error) {
		if p.r, err = ipc.NewFileReader(f); err != nil {
			return err
		}
		for _, field := range p.r.Schema().Fields() {
			p.cols = append(p.cols, arrowColumn(field))
		}
		for i := range p.r.NumRecords() {
			rec, err := p.r.Record(i)
			if err != nil {
				return err
			}
			p.n += rec.NumRows()
		}
		return nil
	})
	if err != nil {
		f.Close()
		return nil, err
	}
	return p, nil
}

// arrowColumn is the type tree of an Arrow field.
func arrowColumn(f arrow.Field) *column {
	c := &column{name: f.Name}
	switch t := f.Type.(type) {
	case *arrow.ListType:
		c.kind, c.children = kindList, []*column{arrowColumn(t.ElemField())}
	case *arrow.StructType:
		c.kind = kindStruct
		for _, child := range t.Fields() {
			c.children = append(c.children, arrowColumn(child))
		}
	}
	return c
}

func (p *ipcReader) rows() int64        { return p.n }
func (p *ipcReader) columns() []*column { return p.cols }

func (p *ipcReader) keyValues() map[string]string {
	md := p.r.Schema().Metadata()
	return md.ToMap()
}

func (p *ipcReader) close() {
	_ = guard(p.r.Close)
	p.f.Close()
}

func (p *ipcReader) read(i int, each func(row int64, v any)) error {
	return guard(func() error {
		row := int64(0)
		for k := range p.r.NumRecords() {
			rec, err := p.r.RecordAt(k)
			if err != nil {
				return err
			}
			for j := range int(rec.NumRows()) {
				v, err := arrowValue(rec.Column(i), j)
				if err != nil {
					rec.Release()
					return err
				}
				each(row, v)
				row++
			}
			rec.Release()
		}
		return nil
	})
}

// arrowValue is one value as columnReader gives it.
func arrowValue(arr arrow.Array, i int) (any, error) {
	if arr.IsNull(i) {
		return nil, nil
	}
	switch a := arr.(type) {
	case *array.Boolean:
		return a.Value(i), nil
	case *array.Int8:
		return int64(a.Value(i)), nil
	case *array.Int16:
		return int64(a.Value(i)), nil
	case *array.Int32:
		return int64(a.Value(i)), nil
	case *array.Int64:
		return a.Value(i), nil
	case *array.Uint8:
		return int64(a.Value(i)), nil
	case *array.Uint16:
		return int64(a.Value(i)), nil
	case *array.Uint32:
		return int64(a.Value(i)), nil
	case *array.Uint64:
		return int64(a.Value(i)), nil
	case *array.Float32:
		return a.Value(i), nil
	case *array.Float64:
		return a.Value(i), nil
	case *array.String:
		return string([]byte(a.Value(i))), nil // a copy: the array's memory goes with the record
	case *array.Binary:
		return append([]byte{}, a.Value(i)...), nil
	case *array.List:
		from, to := a.ValueOffsets(i)
		list := make([]any, 0, to-from)
		for j := from; j < to; j++ {
			v, err := arrowValue(a.ListValues(), int(j))
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	case *array.Struct:
		m := make(map[string]any, a.NumField())
		for k := range a.NumField() {
			v, err := arrowValue(a.Field(k), i)
			if err != nil {
				return nil, err
			}
			m[a.DataType().(*arrow.StructType).Field(k).Name] = v
		}
		return m, nil
	}
	return nil, fmt.Errorf("type %s is not supported", arr.DataType())
}
