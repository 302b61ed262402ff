// Package edgelist reads and writes graphs as plain text, an edge a line.
//
//	# graph id=ring label=small nodes=4
//	0 1
//	1 2 2
//	0 2
//	node 3 C
//
// The rules:
//   - A line of two fields joins two nodes; a third is the type of the edge, 1 to 255, or {}, which networkx writes for
//     an edge without data. Fields are parted by spaces, tabs or commas.
//   - A line of one field is a node. A line that begins with the field node is a node and perhaps its label.
//   - Lines beginning with # graph begin a graph. They may carry id=, label= and nodes=; a value with spaces stands in
//     quotes as in Go. With nodes=4 the nodes are 0 to 3; without, names are any text, and nodes are numbered in the order of
//     their names when these are whole numbers, else as they come.
//   - A blank line ends a graph that has a node. So a file with neither blank lines nor headers is one graph.
//   - Other lines that begin with # or % are comments.
//
// Edges have no direction: a loop, and a pair that is listed twice in either direction, are errors (graph.Rules says how
// to drop them).
package edgelist

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"pfgmgen/internal/graph"
	"pfgmgen/io/lines"
)

// ErrFormat is wrapped by every error that says that the input is not an edge list.
var ErrFormat = errors.New("not an edge list")

const maxLine = 64 << 10

// A Reader yields graphs. It is not safe for concurrent use.
type Reader struct {
	Rules graph.Rules

	name  string
	lines *lines.Reader
	count int // graphs begun
	last  error

	fields string // of the header read last
	line   int    // of it
	head   bool   // it is the next graph's
}

// NewReader reads from r, decompressing gzip. name stands in errors and is usually the file's name.
func NewReader(r io.Reader, name string) (*Reader, error) {
	l, err := lines.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("edgelist: %s: %w", name, err)
	}
	l.Max = maxLine
	return &Reader{name: name, lines: l}, nil
}

// Read returns the next graph, and io.EOF after the last. A file without any graph is an error.
func (r *Reader) Read() (graph.Record, error) {
	if r.last != nil {
		return graph.Record{}, r.last
	}
	rec, err := r.read()
	if err != nil {
		r.last = err
	}
	return rec, err
}

// A block is the graph that is being read.
type block struct {
	*graph.Builder
	begun  bool // by its header or a line
	filled bool // by a line
	fixed  bool // the header has said how many nodes there are
	rec    graph.Record
}

func (r *Reader) read() (graph.Record, error) {
	b := &block{Builder: graph.NewBuilder(r.Rules, "line", false)}
	if r.head {
		r.head = false
		if err := r.header(b); err != nil {
			return graph.Record{}, err
		}
	}
scan:
	for {
		line, err := r.lines.Next()
		if err == io.EOF && b.begun {
			break
		}
		if err == io.EOF && r.count > 0 {
			return graph.Record{}, io.EOF
		}
		if err == io.EOF {
			return graph.Record{}, fmt.Errorf("edgelist: %s: %w: no edge, node or header in it", r.name, ErrFormat)
		}
		if err != nil {
			return graph.Record{}, fmt.Errorf("edgelist: %s: graph %d: %w", r.name, max(1, r.count), err)
		}
		line = bytes.TrimSpace(line)
		switch fields, header := headerOf(line); {
		case header:
			r.fields, r.line = string(fields), r.lines.Number()
			if b.begun {
				r.head = true
				break scan
			}
			if err := r.header(b); err != nil {
				return graph.Record{}, err
			}
		case len(line) == 0 && b.filled:
			break scan
		case len(line) == 0 || line[0] == '#' || line[0] == '%':
		default:
			if !b.begun {
				b.begun = true
				r.count++
			}
			b.filled = true
			if err := entry(b, line, r.lines.Number()); err != nil {
				return graph.Record{}, r.errorf(r.lines.Number(), "%w", err)
			}
		}
	}
	b.Sort()
	var err error
	if b.rec.Graph, b.rec.NodeLabels, err = b.Build(); err != nil {
		return graph.Record{}, fmt.Errorf("edgelist: %s: graph %d: %w: %w; graphs are parted by a blank line or a line # graph", r.name, r.count, ErrFormat, err)
	}
	return b.rec, nil
}

func (r *Reader) errorf(line int, format string, args ...any) error {
	return fmt.Errorf("edgelist: %s: graph %d, line %d: %w: %w", r.name, r.count, line, ErrFormat, fmt.Errorf(format, args...))
}

// headerOf says whether the line begins a graph, and returns what follows.
func headerOf(line []byte) (fields []byte, ok bool) {
	rest, hash := bytes.CutPrefix(line, []byte("#"))
	fields, ok = bytes.CutPrefix(bytes.TrimSpace(rest), []byte("graph"))
	return fields, hash && ok && (len(fields) == 0 || fields[0] == ' ' || fields[0] == '\t')
}

// header begins b with the fields of the header that was read last.
func (r *Reader) header(b *block) error {
	b.begun = true
	r.count++
	rest := strings.TrimSpace(r.fields)
	for rest != "" {
		key, value, ok := strings.Cut(rest, "=")
		if !ok {
			return r.errorf(r.line, "%.40q in the line # graph, want id=, label= or nodes=", rest)
		}
		if strings.HasPrefix(value, `"`) {
			quoted, err := strconv.QuotedPrefix(value)
			if err != nil {
				return r.errorf(r.line, "the quotes of %.40q do not end", value)
			}
			rest = value[len(quoted):]
			if value, err = strconv.Unquote(quoted); err != nil {
				return r.errorf(r.line, "%.40q is not quoted as in Go", quoted)
			}
		} else {
			end := strings.IndexAny(value, " \t")
			if end < 0 {
				end = len(value)
			}
			value, rest = value[:end], value[end:]
		}
		rest = strings.TrimSpace(rest)
		switch key {
		case "id":
			b.rec.ID = value
		case "label":
			b.rec.Label = value
		case "nodes":
			n, err := strconv.Atoi(value)
			if err != nil || n < 0 || b.fixed {
				return r.errorf(r.line, "nodes=%.40q, want one number from 0", value)
			}
			b.fixed = true
			if err := b.Add(n); err != nil {
				return r.errorf(r.line, "%w", err)
			}
		default:
			return r.errorf(r.line, "%.40q in the line # graph, want id, label or nodes", key)
		}
	}
	return nil
}

// entry adds a line to b.
func entry(b *block, line []byte, number int) error {
	fields := strings.FieldsFunc(string(line), func(c rune) bool { return c == ' ' || c == '\t' || c == ',' })
	if len(fields) == 0 {
		return errors.New("a line of commas alone")
	}
	if len(fields) > 1 && fields[0] == "node" {
		if len(fields) > 3 {
			return fmt.Errorf("%d fields behind node, want a name and perhaps a label", len(fields)-1)
		}
		v, err := b.node(fields[1])
		if err == nil && len(fields) == 3 {
			err = b.Label(v, fields[2])
		}
		return err
	}
	if len(fields) > 3 {
		return fmt.Errorf("%d fields, want two nodes and perhaps a type", len(fields))
	}
	u, err := b.node(fields[0])
	if err != nil || len(fields) == 1 {
		return err
	}
	v, err := b.node(fields[1])
	if err != nil {
		return err
	}
	kind := uint64(1)
	if len(fields) == 3 && fields[2] != "{}" {
		if kind, err = strconv.ParseUint(fields[2], 10, 8); err != nil || kind == 0 {
			return fmt.Errorf("the third field is %.40q, want the edge's type, 1 to 255", fields[2])
		}
	}
	return b.Join(u, v, uint8(kind), number)
}

func (b *block) node(name string) (int, error) {
	if !b.fixed {
		return b.Node(name)
	}
	v, err := strconv.Atoi(name)
	if err != nil || v < 0 || v >= b.Len() {
		return 0, fmt.Errorf("node %.40q, the header says that nodes are 0 to %d", name, b.Len()-1)
	}
	return v, nil
}
