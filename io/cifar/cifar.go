// Package cifar reads the binary form of the CIFAR-10 and CIFAR-100 pictures: records without a header, each one or two
// label bytes and 3,072 bytes, 32 x 32 pixels, row by row, first all of red, then green, then blue.
//
// The source is the description that comes with the data (Krizhevsky 2009). A CIFAR-10 record has one label, the
// class; a CIFAR-100 record has two, the coarse and the fine class.
package cifar

import (
	"bufio"
	"fmt"
	"io"
)

// The shape of a picture.
const (
	Side     = 32
	Channels = 3
	Pixels   = Channels * Side * Side // bytes
)

// RecordSize is the number of bytes of a record with the given number of labels.
func RecordSize(labels int) int { return labels + Pixels }

// A Record is one picture.
type Record struct {
	Labels []byte // one, or the coarse and the fine one
	Pix    []byte // Pixels bytes: red, green, blue
}

// A Reader yields records. It is not safe for concurrent use.
type Reader struct {
	src    *bufio.Reader
	labels int
	number int
	buffer []byte
}

// NewReader reads records with the given number of labels: 1 for CIFAR-10, 2 for CIFAR-100. It panics on another.
func NewReader(r io.Reader, labels int) *Reader {
	if labels != 1 && labels != 2 {
		panic(fmt.Sprintf("cifar: %d labels, want 1 or 2", labels))
	}
	return &Reader{src: bufio.NewReaderSize(r, 64<<10), labels: labels, buffer: make([]byte, RecordSize(labels))}
}

// Next returns the next record, valid until the call after it, and io.EOF after the last one.
func (r *Reader) Next() (Record, error) {
	n, err := io.ReadFull(r.src, r.buffer)
	switch {
	case err == io.EOF:
		return Record{}, io.EOF
	case err == io.ErrUnexpectedEOF:
		return Record{}, fmt.Errorf("cifar: record %d at byte %d ends after %d of %d bytes: %w",
			r.number, r.number*len(r.buffer), n, len(r.buffer), err)
	case err != nil:
		return Record{}, fmt.Errorf("cifar: record %d: %w", r.number, err)
	}
	r.number++
	return Record{Labels: r.buffer[:r.labels:r.labels], Pix: r.buffer[r.labels:]}, nil
}
