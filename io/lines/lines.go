// Package lines reads text files of any size line by line: what the sequence formats under io have in common.
//
// Compression is seen from the first two bytes, never from the file's name. A line is bounded, so that a file that is
// not text cannot take the memory; line endings may be LF or CRLF, and a UTF-8 byte order mark is skipped.
package lines

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
)

// MaxLine is the longest line in bytes that a Reader takes when its Max is zero: a whole genome on one line fits.
const MaxLine = 64 << 20

const bufferSize = 64 << 10

// ErrTooLong is wrapped by the error for a line over the limit.
var ErrTooLong = errors.New("line too long")

// Gunzip returns r buffered, decompressed when it begins with the gzip magic bytes 1f 8b (RFC 1952). Several members
// one after the other, as bgzip writes them, read as one text.
func Gunzip(r io.Reader) (*bufio.Reader, error) {
	b := bufio.NewReaderSize(r, bufferSize)
	magic, err := b.Peek(2)
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("lines: %w", err)
	}
	if !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		return b, nil
	}
	z, err := gzip.NewReader(b)
	if err != nil {
		return nil, fmt.Errorf("lines: begins like gzip but is not: %w", err)
	}
	return bufio.NewReaderSize(z, bufferSize), nil
}

// A Reader yields lines. It is not safe for concurrent use.
type Reader struct {
	Max int // longest line in bytes; zero means MaxLine

	src    *bufio.Reader
	number int
	long   []byte // a line that did not fit into the buffer of src
}

// NewReader reads from r, decompressing when needed.
func NewReader(r io.Reader) (*Reader, error) {
	src, err := Gunzip(r)
	if err != nil {
		return nil, err
	}
	if bom, _ := src.Peek(3); bytes.Equal(bom, []byte("\xef\xbb\xbf")) {
		src.Discard(3)
	}
	return &Reader{src: src}, nil
}

// Number is the number of the line that Next returned last, from 1; zero before the first.
func (r *Reader) Number() int { return r.number }

// Next returns the next line without its ending, valid until the call after it, and io.EOF after the last line. A last
// line without an ending counts; an empty rest does not.
func (r *Reader) Next() ([]byte, error) {
	limit := r.Max
	if limit == 0 {
		limit = MaxLine
	}
	r.number++
	r.long = r.long[:0]
	for {
		part, err := r.src.ReadSlice('\n')
		if len(r.long)+len(part) > limit+2 {
			return nil, fmt.Errorf("lines: line %d: %w: over %d bytes; is this a text file?", r.number, ErrTooLong, limit)
		}
		if err == nil && len(r.long) == 0 {
			return trim(part), nil
		}
		r.long = append(r.long, part...)
		switch {
		case err == nil:
			return trim(r.long), nil
		case err == bufio.ErrBufferFull:
		case err == io.EOF && len(r.long) > 0:
			return trim(r.long), nil
		case err == io.EOF:
			r.number--
			return nil, io.EOF
		default:
			return nil, fmt.Errorf("lines: line %d: %w", r.number, err)
		}
	}
}

func trim(line []byte) []byte {
	line = bytes.TrimSuffix(line, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r"))
}
