// Package graph6 reads and writes graph6 and sparse6, the one-line texts of nauty (McKay, formats.txt), a graph a line.
//
// A line that begins with a colon is sparse6, any other is graph6; the headers >>graph6<< and >>sparse6<< are taken before
// any line. Graphs with directions (digraph6, "&") and incremental sparse6 (";") are refused, and so are loops and repeated
// edges, which sparse6 can hold (graph.Rules says how to drop them). Neither format knows labels or types of edges.
package graph6

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/bits"

	"pfgmgen/internal/graph"
	"pfgmgen/io/lines"
)

// ErrFormat is wrapped by every error that says that the input is neither graph6 nor sparse6.
var ErrFormat = errors.New("not graph6 or sparse6")

// maxLine takes graph6 of 28,000 nodes.
const maxLine = 64 << 20

// A Reader yields graphs. It is not safe for concurrent use.
type Reader struct {
	Rules graph.Rules

	name  string
	lines *lines.Reader
	count int
	last  error
}

// NewReader reads from r, decompressing gzip. name stands in errors and is usually the file's name.
func NewReader(r io.Reader, name string) (*Reader, error) {
	l, err := lines.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("graph6: %s: %w", name, err)
	}
	l.Max = maxLine
	return &Reader{name: name, lines: l}, nil
}

// Read returns the next graph, and io.EOF after the last. A file without any graph is an error.
func (r *Reader) Read() (graph.Record, error) {
	if r.last != nil {
		return graph.Record{}, r.last
	}
	g, err := r.read()
	if err != nil {
		r.last = err
		return graph.Record{}, err
	}
	return graph.Record{Graph: g}, nil
}

func (r *Reader) read() (*graph.Graph, error) {
	for {
		line, err := r.lines.Next()
		if err == io.EOF && r.count == 0 {
			return nil, fmt.Errorf("graph6: %s: %w: no graph in it", r.name, ErrFormat)
		}
		if err == io.EOF {
			return nil, io.EOF
		}
		if err != nil {
			return nil, fmt.Errorf("graph6: %s: %w", r.name, err)
		}
		line = bytes.TrimSpace(line)
		for _, header := range []string{">>graph6<<", ">>sparse6<<"} {
			line = bytes.TrimPrefix(line, []byte(header))
		}
		if len(line) == 0 {
			continue
		}
		r.count++
		g, err := decode(line, r.Rules)
		if err != nil {
			return nil, fmt.Errorf("graph6: %s: line %d: %w: %w", r.name, r.lines.Number(), ErrFormat, err)
		}
		return g, nil
	}
}

// Decode reads one graph, without a header.
func Decode(line string, rules graph.Rules) (*graph.Graph, error) {
	g, err := decode([]byte(line), rules)
	if err != nil {
		return nil, fmt.Errorf("graph6: %w: %w", ErrFormat, err)
	}
	return g, nil
}

func decode(line []byte, rules graph.Rules) (*graph.Graph, error) {
	for i, c := range line {
		if c >= 63 && c <= 126 || i == 0 && c == ':' {
			continue
		}
		switch {
		case i == 0 && c == '&':
			return nil, errors.New("digraph6: its edges have directions")
		case i == 0 && c == ';':
			return nil, errors.New("incremental sparse6, want each graph on its own")
		}
		return nil, fmt.Errorf("byte %d is 0x%02x, want 0x3f to 0x7e", i+1, c)
	}
	rest, sparse := bytes.CutPrefix(line, []byte(":"))
	n, rest, err := size(rest)
	if err != nil {
		return nil, err
	}
	if limit := rules.Nodes(); n > uint64(limit) {
		return nil, fmt.Errorf("%d nodes, over %d", n, limit)
	}
	b := graph.NewBuilder(rules, "edge", false)
	if err := b.Add(int(n)); err != nil {
		return nil, err
	}
	if sparse {
		err = decodeSparse(b, rest)
	} else {
		err = decodeDense(b, rest)
	}
	if err != nil {
		return nil, err
	}
	g, _, err := b.Build()
	return g, err
}

// size reads the number of nodes: one byte up to 62, else 126 and 18 bits, else 126 126 and 36 bits.
func size(b []byte) (n uint64, rest []byte, err error) {
	digits := 1
	switch {
	case bytes.HasPrefix(b, []byte{126, 126}):
		b, digits = b[2:], 6
	case bytes.HasPrefix(b, []byte{126}):
		b, digits = b[1:], 3
	}
	if len(b) < digits {
		return 0, nil, errors.New("ends in the number of nodes")
	}
	for _, c := range b[:digits] {
		n = n<<6 | uint64(c-63)
	}
	return n, b[digits:], nil
}

// decodeDense reads the upper triangle of the adjacency matrix, column by column, six bits a byte.
func decodeDense(b *graph.Builder, data []byte) error {
	n := b.Len()
	pairs := uint64(n) * uint64(max(0, n-1)) / 2
	if want := (pairs + 5) / 6; uint64(len(data)) != want {
		return fmt.Errorf("%d bytes of edges, want %d for %d nodes", len(data), want, n)
	}
	u, v := 0, 1
	for i, c := range data {
		for bit := 5; bit >= 0; bit-- {
			set := (c-63)>>bit&1 == 1
			if v >= n {
				if set {
					return fmt.Errorf("byte %d of the edges has bits behind the last pair of nodes", i+1)
				}
				continue
			}
			if set {
				if err := b.Join(u, v, 1, 6*i+6-bit); err != nil {
					return err
				}
			}
			if u++; u == v {
				u, v = 0, v+1
			}
		}
	}
	return nil
}

// decodeSparse reads pairs of a bit and a node: the bit moves the current node on by one; a node beyond it becomes the
// current one, any other is joined to it.
func decodeSparse(b *graph.Builder, data []byte) error {
	n := b.Len()
	width := nodeBits(n)
	current, edges := 0, 0
	have, word := 0, uint64(0)
	for len(data) > 0 || have > width {
		for have <= width && len(data) > 0 {
			word = word<<6 | uint64(data[0]-63)
			data = data[1:]
			have += 6
		}
		if have <= width {
			return nil // padding
		}
		have -= 1 + width
		if word>>(have+width)&1 == 1 {
			current++
		}
		x := int(word >> have & (1<<width - 1))
		word &= 1<<have - 1
		if x > current {
			current = x
		} else if current < n {
			edges++
			if err := b.Join(x, current, 1, edges); err != nil {
				return err
			}
		}
		if current >= n {
			return nil // padding
		}
	}
	return nil
}

// nodeBits is what sparse6 takes to number n nodes.
func nodeBits(n int) int { return bits.Len(uint(max(0, n-1))) }
