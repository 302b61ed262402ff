// Package npy reads NumPy arrays: .npy files and .npz archives, which are ZIP files of them.
//
// Arrays of booleans, integers and floats in either byte order and row-major order are read, as they stand in the
// file; what they mean is the caller's business. Pickled objects, strings and structured types are refused. Nothing is
// taken from a header on trust: memory grows with the bytes that really come, up to a limit.
package npy

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// MaxBytes is the largest array that is read when a limit is zero.
const MaxBytes = 2 << 30

// Bounds on a header.
const (
	maxHeader = 64 << 10 // bytes
	maxDims   = 32       // as in NumPy 1
)

// ErrTooLarge is wrapped by the error for an array over the limit.
var ErrTooLarge = errors.New("array too large")

// An Array is the content of a .npy file.
type Array struct {
	Type string // NumPy's name without the byte order: b1, u1, i1, u2 ... i8, f2, f4, f8
	Dims []int  // empty for a single value
	Data []byte // little-endian values, the last dimension running fastest
}

// Len is the number of values.
func (a *Array) Len() int { return len(a.Data) / a.width() }

func (a *Array) width() int { return int(a.Type[1] - '0') }

// types are those that are read.
var types = map[string]bool{"b1": true, "u1": true, "i1": true, "u2": true, "i2": true, "u4": true, "i4": true, "u8": true,
	"i8": true, "f2": true, "f4": true, "f8": true}

// Read reads one .npy file, format version 1, 2 or 3. limit bounds its values in bytes, zero means MaxBytes.
func Read(r io.Reader, limit int) (*Array, error) {
	if limit <= 0 {
		limit = MaxBytes
	}
	var head [8]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, fmt.Errorf("npy: magic string at byte 0: %w", noEOF(err))
	}
	if string(head[:6]) != "\x93NUMPY" {
		return nil, fmt.Errorf("npy: begins with %q, want \"\\x93NUMPY\"", head[:6])
	}
	var size [4]byte
	switch {
	case head[6] < 1 || head[6] > 3:
		return nil, fmt.Errorf("npy: byte 6: format version %d, want 1 to 3", head[6])
	case head[6] == 1:
		if _, err := io.ReadFull(r, size[:2]); err != nil {
			return nil, fmt.Errorf("npy: header length at byte 8: %w", noEOF(err))
		}
	default:
		if _, err := io.ReadFull(r, size[:]); err != nil {
			return nil, fmt.Errorf("npy: header length at byte 8: %w", noEOF(err))
		}
	}
	n := binary.LittleEndian.Uint32(size[:])
	if n > maxHeader {
		return nil, fmt.Errorf("npy: a header of %d bytes, at most %d are read", n, maxHeader)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return nil, fmt.Errorf("npy: header: %w", noEOF(err))
	}
	h, err := parseHeader(text)
	if err != nil {
		return nil, fmt.Errorf("npy: header %.200q: %w", text, err)
	}
	return h.read(r, limit)
}

// read reads the values behind a header.
func (h *header) read(r io.Reader, limit int) (*Array, error) {
	a := &Array{Type: h.descr[1:], Dims: h.shape}
	if !types[a.Type] || h.descr[0] != '<' && h.descr[0] != '>' && h.descr[0] != '|' && h.descr[0] != '=' {
		return nil, fmt.Errorf("npy: type %.40q is not read: want booleans, integers or floats", h.descr)
	}
	longer := 0
	total := uint64(a.width())
	for i, n := range h.shape {
		if n > 1 {
			longer++
		}
		// Both factors are below 2^31 here: no overflow.
		if total *= uint64(n); total > uint64(limit) {
			return nil, fmt.Errorf("npy: dimension %d of %v: %w: over %d bytes", i+1, h.shape, ErrTooLarge, limit)
		}
	}
	if h.fortran && longer > 1 {
		return nil, errors.New("npy: values in column-major (Fortran) order; save numpy.ascontiguousarray(a)")
	}
	var values bytes.Buffer
	got, err := io.Copy(&values, io.LimitReader(r, int64(total)))
	if err != nil {
		return nil, fmt.Errorf("npy: byte %d of %d values: %w", got, total/uint64(a.width()), err)
	}
	if uint64(got) < total {
		return nil, fmt.Errorf("npy: ends after %d of %d bytes of values: %w", got, total, io.ErrUnexpectedEOF)
	}
	var more [1]byte
	if n, err := io.ReadFull(r, more[:]); n > 0 {
		return nil, fmt.Errorf("npy: more bytes after the values of shape %v", h.shape)
	} else if err != io.EOF {
		return nil, fmt.Errorf("npy: after the last value: %w", err)
	}
	a.Data = values.Bytes()
	if h.descr[0] == '>' {
		swap(a.Data, a.width())
	}
	return a, nil
}

// swap turns the byte order of every value.
func swap(data []byte, width int) {
	for ; len(data) >= width; data = data[width:] {
		for i, j := 0, width-1; i < j; i, j = i+1, j-1 {
			data[i], data[j] = data[j], data[i]
		}
	}
}

// Int is the i-th value of an array of integers or booleans; ok is false for a float, or a value above that of an int64.
func (a *Array) Int(i int) (v int64, ok bool) {
	b := a.Data[i*a.width():]
	switch a.Type {
	case "b1", "u1":
		return int64(b[0]), true
	case "i1":
		return int64(int8(b[0])), true
	case "u2":
		return int64(binary.LittleEndian.Uint16(b)), true
	case "i2":
		return int64(int16(binary.LittleEndian.Uint16(b))), true
	case "u4":
		return int64(binary.LittleEndian.Uint32(b)), true
	case "i4":
		return int64(int32(binary.LittleEndian.Uint32(b))), true
	case "u8":
		u := binary.LittleEndian.Uint64(b)
		return int64(u), u <= math.MaxInt64
	case "i8":
		return int64(binary.LittleEndian.Uint64(b)), true
	}
	return 0, false
}

// Float is the i-th value of an array of type f4 or f8, or of integers as Int reads them.
func (a *Array) Float(i int) (v float64, ok bool) {
	b := a.Data[i*a.width():]
	switch a.Type {
	case "f4":
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b))), true
	case "f8":
		return math.Float64frombits(binary.LittleEndian.Uint64(b)), true
	}
	n, ok := a.Int(i)
	return float64(n), ok
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Write writes an array as a .npy file of version 1.
func Write(w io.Writer, a *Array) error {
	if !types[a.Type] {
		return fmt.Errorf("npy: type %q is not written", a.Type)
	}
	total, shape := a.width(), ""
	for i, n := range a.Dims {
		if n < 0 || n > 0 && total > math.MaxInt/n {
			return fmt.Errorf("npy: dimension %d is %d", i+1, n)
		}
		total *= n
		shape += fmt.Sprintf("%d, ", n)
	}
	if total != len(a.Data) || len(a.Dims) > maxDims {
		return fmt.Errorf("npy: %d bytes for %d dimensions %v of type %s", len(a.Data), len(a.Dims), a.Dims, a.Type)
	}
	order := "<"
	if a.width() == 1 {
		order = "|"
	}
	text := fmt.Sprintf("{'descr': '%s%s', 'fortran_order': False, 'shape': (%s), }", order, a.Type, shape)
	// The values begin at a multiple of 64 bytes, and the header ends in a newline.
	for (10+len(text)+1)%64 != 0 {
		text += " "
	}
	head := append([]byte("\x93NUMPY\x01\x00"), 0, 0)
	binary.LittleEndian.PutUint16(head[8:], uint16(len(text)+1))
	if _, err := w.Write(append(head, text+"\n"...)); err != nil {
		return fmt.Errorf("npy: %w", err)
	}
	if _, err := w.Write(a.Data); err != nil {
		return fmt.Errorf("npy: %w", err)
	}
	return nil
}
