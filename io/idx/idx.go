// Package idx reads and writes the IDX format of the MNIST files: big-endian arrays of bytes with any number of
// dimensions, perhaps gzip-compressed.
//
// A file is two zero bytes, the type of the values, the number of dimensions, each dimension as a 32-bit big-endian
// number, and the values, the last dimension running fastest. Only the type 0x08, the unsigned byte, is read: pictures
// and labels have no other. Nothing is taken from a header on trust: memory grows with the bytes that really come.
package idx

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"pfgmgen/io/lines"
)

// MaxDims is the highest number of dimensions that is read.
const MaxDims = 8

// MaxBytes is the largest array that Read takes when its limit is zero.
const MaxBytes = 2 << 30

// ErrTooLarge is wrapped by the error for an array over the limit.
var ErrTooLarge = errors.New("array too large")

// types are the names of the value types by their code.
var types = map[byte]string{0x08: "unsigned byte", 0x09: "signed byte", 0x0b: "16-bit integer", 0x0c: "32-bit integer",
	0x0d: "32-bit float", 0x0e: "64-bit float"}

// An Array is the content of a file.
type Array struct {
	Dims []int  // the first is usually the number of records
	Data []byte // as many as the product of Dims
}

// Record is the i-th slice along the first dimension.
func (a *Array) Record(i int) []byte {
	n := len(a.Data) / a.Dims[0]
	return a.Data[i*n : (i+1)*n : (i+1)*n]
}

// Read reads a whole file, decompressing when needed. limit bounds the values in bytes, zero means MaxBytes. Errors name
// the position in the uncompressed file.
func Read(r io.Reader, limit int) (*Array, error) {
	if limit <= 0 {
		limit = MaxBytes
	}
	src, err := lines.Gunzip(r)
	if err != nil {
		return nil, fmt.Errorf("idx: %w", err)
	}
	var head [4]byte
	if _, err := io.ReadFull(src, head[:]); err != nil {
		return nil, fmt.Errorf("idx: magic number at byte 0: %w", noEOF(err))
	}
	if head[0] != 0 || head[1] != 0 {
		return nil, fmt.Errorf("idx: begins with the bytes %02x %02x, want 00 00", head[0], head[1])
	}
	switch name, ok := types[head[2]]; {
	case !ok:
		return nil, fmt.Errorf("idx: byte 2: value type 0x%02x is none of the format", head[2])
	case head[2] != 0x08:
		return nil, fmt.Errorf("idx: byte 2: values of type 0x%02x (%s), only 0x08 (%s) is read", head[2], name, types[0x08])
	case head[3] == 0 || head[3] > MaxDims:
		return nil, fmt.Errorf("idx: byte 3: %d dimensions, want 1 to %d", head[3], MaxDims)
	}
	a, total := &Array{Dims: make([]int, head[3])}, uint64(1)
	for i := range a.Dims {
		var b [4]byte
		if _, err := io.ReadFull(src, b[:]); err != nil {
			return nil, fmt.Errorf("idx: dimension %d at byte %d: %w", i+1, 4+4*i, noEOF(err))
		}
		n := binary.BigEndian.Uint32(b[:])
		if n == 0 {
			return nil, fmt.Errorf("idx: dimension %d at byte %d is 0", i+1, 4+4*i)
		}
		// Each factor is below 2^32 and the product so far at most limit, below 2^31 or so: no overflow.
		if total *= uint64(n); total > uint64(limit) {
			return nil, fmt.Errorf("idx: dimension %d at byte %d is %d: %w: over %d bytes", i+1, 4+4*i, n, ErrTooLarge, limit)
		}
		a.Dims[i] = int(n)
	}
	var values bytes.Buffer
	got, err := io.Copy(&values, io.LimitReader(src, int64(total)))
	if err != nil {
		return nil, fmt.Errorf("idx: value %d of %d: %w", got, total, err)
	}
	if uint64(got) < total {
		return nil, fmt.Errorf("idx: ends after %d of %d values: %w", got, total, io.ErrUnexpectedEOF)
	}
	if _, err := src.ReadByte(); err == nil {
		return nil, fmt.Errorf("idx: more bytes after the %d values of dimensions %v", total, a.Dims)
	} else if err != io.EOF {
		return nil, fmt.Errorf("idx: after the last value: %w", err)
	}
	a.Data = values.Bytes()
	return a, nil
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Write writes an array, uncompressed.
func Write(w io.Writer, a *Array) error {
	if len(a.Dims) == 0 || len(a.Dims) > MaxDims {
		return fmt.Errorf("idx: %d dimensions, want 1 to %d", len(a.Dims), MaxDims)
	}
	head, total := []byte{0, 0, 0x08, byte(len(a.Dims))}, 1
	for i, n := range a.Dims {
		if n < 1 || n > 1<<31-1 || total > len(a.Data)/n {
			return fmt.Errorf("idx: dimension %d is %d, with %d values in all", i+1, n, len(a.Data))
		}
		total *= n
		head = binary.BigEndian.AppendUint32(head, uint32(n))
	}
	if total != len(a.Data) {
		return fmt.Errorf("idx: %d values for dimensions %v", len(a.Data), a.Dims)
	}
	if _, err := w.Write(head); err != nil {
		return fmt.Errorf("idx: %w", err)
	}
	if _, err := w.Write(a.Data); err != nil {
		return fmt.Errorf("idx: %w", err)
	}
	return nil
}
