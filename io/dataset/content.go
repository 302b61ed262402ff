package dataset

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"math"
	"sort"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
)

// contentSum accumulates the content of one column; see "Content of a column" in the package comment.
type contentSum struct {
	name    string
	nonNull int64
	bytes   int64
	hash    hash.Hash
	buf     []byte
}

func newContentSum(name string) *contentSum { return &contentSum{name: name, hash: sha256.New()} }

// flush hashes what buf holds.
func (c *contentSum) flush() {
	c.bytes += int64(len(c.buf))
	c.hash.Write(c.buf)
	c.buf = c.buf[:0]
}

func (c *contentSum) sum() ColumnSum {
	c.flush()
	return ColumnSum{Name: c.name, NonNull: c.nonNull, SHA256: hex.EncodeToString(c.hash.Sum(nil))}
}

// addArray takes in all rows of an array and adds the length of each row's content to sizes.
func (c *contentSum) addArray(arr arrow.Array, sizes []int64) error {
	enc, err := contentOf(arr)
	if err != nil {
		return err
	}
	for i := range sizes {
		before := len(c.buf)
		c.buf = enc(c.buf, i)
		sizes[i] += int64(len(c.buf) - before)
		if !arr.IsNull(i) {
			c.nonNull++
		}
		if len(c.buf) > 1<<16 {
			c.flush()
		}
	}
	return nil
}

// addValue takes in one value as the readers give it: nil, bool, int64, float32, float64, string, []byte, []any or
// map[string]any with the struct's fields, in the given order.
func (c *contentSum) addValue(v any, n *column) {
	c.buf = appendValue(c.buf, v, n)
	if v != nil {
		c.nonNull++
	}
	if len(c.buf) > 1<<16 {
		c.flush()
	}
}

func appendValue(b []byte, v any, n *column) []byte {
	if v == nil {
		return append(b, 0)
	}
	b = append(b, 1)
	switch v := v.(type) {
	case bool:
		return appendBool(b, v)
	case int64:
		return binary.LittleEndian.AppendUint64(b, uint64(v))
	case float32:
		return appendFloat32(b, v)
	case float64:
		return appendFloat64(b, v)
	case string:
		return append(binary.LittleEndian.AppendUint32(b, uint32(len(v))), v...)
	case []byte:
		return append(binary.LittleEndian.AppendUint32(b, uint32(len(v))), v...)
	case []any:
		b = binary.LittleEndian.AppendUint32(b, uint32(len(v)))
		for _, e := range v {
			b = appendValue(b, e, n.children[0])
		}
		return b
	case map[string]any:
		for _, f := range n.children {
			b = appendValue(b, v[f.name], f)
		}
		return b
	}
	panic(fmt.Sprintf("dataset: value of type %T", v)) // the readers make no other
}

// appendFloat32 and appendFloat64 write every NaN alike, for readers do not keep its payload.
func appendFloat32(b []byte, v float32) []byte {
	bits := math.Float32bits(v)
	if v != v {
		bits = 0x7fc00000
	}
	return binary.LittleEndian.AppendUint32(b, bits)
}

func appendFloat64(b []byte, v float64) []byte {
	bits := math.Float64bits(v)
	if v != v {
		bits = 0x7ff8000000000000
	}
	return binary.LittleEndian.AppendUint64(b, bits)
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

// contentOf returns the function that appends the content of row i of an array.
func contentOf(arr arrow.Array) (func(b []byte, i int) []byte, error) {
	present, err := presentOf(arr)
	if err != nil {
		return nil, err
	}
	if arr.NullN() == 0 {
		return func(b []byte, i int) []byte { return present(append(b, 1), i) }, nil
	}
	return func(b []byte, i int) []byte {
		if arr.IsNull(i) {
			return append(b, 0)
		}
		return present(append(b, 1), i)
	}, nil
}

func presentOf(arr arrow.Array) (func(b []byte, i int) []byte, error) {
	le := binary.LittleEndian
	switch a := arr.(type) {
	case *array.Boolean:
		return func(b []byte, i int) []byte { return appendBool(b, a.Value(i)) }, nil
	case *array.Int8:
		return integers(a.Int8Values()), nil
	case *array.Int16:
		return integers(a.Int16Values()), nil
	case *array.Int32:
		return integers(a.Int32Values()), nil
	case *array.Int64:
		return integers(a.Int64Values()), nil
	case *array.Uint8:
		return integers(a.Uint8Values()), nil
	case *array.Uint16:
		return integers(a.Uint16Values()), nil
	case *array.Uint32:
		return integers(a.Uint32Values()), nil
	case *array.Uint64:
		return integers(a.Uint64Values()), nil
	case *array.Float32:
		return func(b []byte, i int) []byte { return appendFloat32(b, a.Value(i)) }, nil
	case *array.Float64:
		return func(b []byte, i int) []byte { return appendFloat64(b, a.Value(i)) }, nil
	case *array.String:
		return func(b []byte, i int) []byte {
			return append(le.AppendUint32(b, uint32(a.ValueLen(i))), a.Value(i)...)
		}, nil
	case *array.Binary:
		return func(b []byte, i int) []byte {
			return append(le.AppendUint32(b, uint32(a.ValueLen(i))), a.Value(i)...)
		}, nil
	case *array.List:
		elem, err := contentOf(a.ListValues())
		return func(b []byte, i int) []byte {
			from, to := a.ValueOffsets(i)
			b = le.AppendUint32(b, uint32(to-from))
			for j := from; j < to; j++ {
				b = elem(b, int(j))
			}
			return b
		}, err
	case *array.Struct:
		fields := make([]func([]byte, int) []byte, a.NumField())
		for k := range fields {
			var err error
			if fields[k], err = contentOf(a.Field(k)); err != nil {
				return nil, err
			}
		}
		return func(b []byte, i int) []byte {
			for _, f := range fields {
				b = f(b, i)
			}
			return b
		}, nil
	}
	return nil, fmt.Errorf("type %s is not supported", arr.DataType())
}

func integers[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64](v []T) func([]byte, int) []byte {
	return func(b []byte, i int) []byte { return binary.LittleEndian.AppendUint64(b, uint64(int64(v[i]))) }
}

// A column is a node of the type tree as a reader found it in a file: a value, a list with one child, or a struct.
type column struct {
	name     string
	kind     kind
	children []*column

	// Parquet only.
	path     string // leaf: its path for the column reader
	def, rep int32  // levels at which the node itself is present, and at which a list repeats
	leaf     int    // first leaf of the node, and
	leaves   int    // how many it has
	unsigned int    // leaf: width in bits of an unsigned integer of less than 64 bits, or 0
	text     bool   // leaf: UTF-8
}

type kind int

const (
	kindValue kind = iota
	kindList
	kindStruct
)

// sortedKeys are the keys of a map in order.
func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
