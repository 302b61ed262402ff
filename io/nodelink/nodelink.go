// Package nodelink reads graphs from node-link JSON, which networkx, d3 and others write:
//
//	{"directed": false, "graph": {"name": "g1", "label": "ring"},
//	 "nodes": [{"id": "a", "label": "C"}, {"id": "b"}],
//	 "links": [{"source": "a", "target": "b", "type": 2}]}
//
// A file holds one such object, several one after the other (JSON lines), or an array of them. The list of edges is called
// links or edges. A node's id is a string, a number, or an array (what a tuple becomes), and its place in the list from 0 when it
// has none. Nodes are numbered as the file mentions them first. The id of the graph is id or name, its label is label,
// either in graph or beside it. Other members are skipped.
//
// Loops, pairs that are listed twice, and directed graphs are errors (graph.Rules says how to take them).
package nodelink

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"pfgmgen/internal/graph"
	"pfgmgen/io/lines"
)

// ErrFormat is wrapped by every error that says that the input is not node-link JSON.
var ErrFormat = errors.New("not node-link JSON")

// maxElement is the size in bytes of a node, an edge, or a member that is skipped.
const maxElement = 1 << 20

// A Reader yields graphs. It is not safe for concurrent use.
type Reader struct {
	Rules     graph.Rules
	NodeLabel string // the member of a node that is its label; "" for none
	EdgeType  string // the member of an edge that is its type, 1 to 255, 1 when it is missing; "" for none

	name  string
	guard *guard
	json  *json.Decoder
	array bool // the file is an array
	count int
	last  error
}

// A guard fails when more than maxElement bytes are read between two calls of rest, so that no single value can take the
// memory.
type guard struct {
	r    io.Reader
	left int
}

var errLarge = fmt.Errorf("a value of over %d bytes", maxElement)

func (g *guard) Read(p []byte) (int, error) {
	if g.left <= 0 {
		return 0, errLarge
	}
	n, err := g.r.Read(p[:min(len(p), g.left)])
	g.left -= n
	return n, err
}

func (g *guard) rest() { g.left = maxElement }

// NewReader reads from r, decompressing gzip, with the members label and type. name stands in errors and is usually the
// file's name.
func NewReader(r io.Reader, name string) (*Reader, error) {
	text, err := lines.Gunzip(r)
	if err != nil {
		return nil, fmt.Errorf("nodelink: %s: %w", name, err)
	}
	if mark, _ := text.Peek(3); bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		text.Discard(3)
	}
	g := &guard{text, maxElement}
	return &Reader{NodeLabel: "label", EdgeType: "type", name: name, guard: g, json: json.NewDecoder(g)}, nil
}

// Read returns the next graph, and io.EOF after the last. A file without any graph is an error.
func (r *Reader) Read() (graph.Record, error) {
	if r.last != nil {
		return graph.Record{}, r.last
	}
	rec, err := r.read()
	if err != nil {
		r.last = err
		if err != io.EOF {
			r.last = fmt.Errorf("nodelink: %s: graph %d, byte %d: %w: %w", r.name, r.count, r.json.InputOffset(), ErrFormat, err)
		}
	}
	return rec, r.last
}

// read finds the beginning of the next graph.
func (r *Reader) read() (rec graph.Record, err error) {
	r.guard.rest()
	token, err := r.json.Token()
	if err == nil && token == json.Delim('[') && r.count == 0 && !r.array {
		r.array = true
		token, err = r.json.Token()
	}
	if err == nil && token == json.Delim(']') && r.array {
		if _, err = r.json.Token(); err == nil {
			return rec, errors.New("more behind the end of the array")
		}
		r.array = false
	}
	switch {
	case err == io.EOF && r.array:
		return rec, io.ErrUnexpectedEOF
	case err == io.EOF && r.count == 0:
		return rec, errors.New("no graph in it")
	case err != nil:
		return rec, err
	}
	r.count++
	if token != json.Delim('{') {
		return rec, fmt.Errorf("%.40v, want an object", token)
	}
	rec, err = r.readGraph()
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return rec, err
}

// readGraph reads the members of an object whose brace has been read.
func (r *Reader) readGraph() (rec graph.Record, err error) {
	b := graph.NewBuilder(r.Rules, "link", false)
	seen := make(map[string]bool)
	for r.json.More() {
		r.guard.rest()
		token, err := r.json.Token()
		if err != nil {
			return rec, err
		}
		key, _ := token.(string)
		if key == "edges" {
			key = "links"
		}
		if (key == "nodes" || key == "links") && seen[key] {
			return rec, fmt.Errorf("two lists of %s", key)
		}
		switch key {
		case "nodes":
			seen[key] = true
			err = r.list(func(i int) error { return r.node(b, i) })
		case "links":
			seen[key] = true
			err = r.list(func(i int) error { return r.link(b, i) })
		default:
			var value json.RawMessage
			if err = r.json.Decode(&value); err == nil {
				err = r.member(&rec, key, value)
			}
		}
		if err != nil {
			return rec, err
		}
	}
	if _, err := r.json.Token(); err != nil {
		return rec, err
	}
	for _, key := range []string{"nodes", "links"} {
		if !seen[key] {
			return rec, fmt.Errorf("no list of %s", key)
		}
	}
	if err := b.Listed(); err != nil {
		return rec, err
	}
	rec.Graph, rec.NodeLabels, err = b.Build()
	return rec, err
}

// member takes what the object says of the graph.
func (r *Reader) member(rec *graph.Record, key string, value json.RawMessage) (err error) {
	switch key {
	case "directed":
		var directed bool
		if err := json.Unmarshal(value, &directed); err != nil {
			return fmt.Errorf("directed is %.40s, want true or false", value)
		}
		if directed && !r.Rules.Simplify {
			return errors.New("the graph is directed")
		}
	case "id", "name":
		if text, ok := scalar(value); ok && (rec.ID == "" || key == "id") {
			rec.ID = text
		}
	case "label":
		if text, ok := scalar(value); ok {
			rec.Label = text
		}
	case "graph":
		var inner map[string]json.RawMessage
		if json.Unmarshal(value, &inner) != nil {
			return nil // networkx 1 wrote a list of pairs
		}
		for _, key := range []string{"name", "id", "label"} {
			if value, ok := inner[key]; ok {
				if err := r.member(rec, key, value); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// list calls f at each element of an array.
func (r *Reader) list(f func(i int) error) error {
	token, err := r.json.Token()
	if err != nil {
		return err
	}
	if token != json.Delim('[') {
		return fmt.Errorf("%.40v, want an array", token)
	}
	for i := 0; r.json.More(); i++ {
		r.guard.rest()
		if err := f(i); err != nil {
			return err
		}
	}
	r.guard.rest()
	_, err = r.json.Token()
	return err
}

func (r *Reader) node(b *graph.Builder, i int) error {
	var members map[string]json.RawMessage
	if err := r.json.Decode(&members); err != nil {
		return fmt.Errorf("node %d: %w", i, err)
	}
	name := strconv.Itoa(i)
	if id, ok := members["id"]; ok {
		if name, ok = nodeName(id); !ok {
			return fmt.Errorf("node %d: id %.40s, want a string, a number or an array", i, id)
		}
	}
	v, err := b.List(name)
	if err != nil {
		return err
	}
	label, ok := members[r.NodeLabel]
	if r.NodeLabel == "" || !ok || string(label) == "null" {
		return nil
	}
	text, ok := scalar(label)
	if !ok {
		return fmt.Errorf("node %s: %s %.40s, want a string or a number", b.Name(v), r.NodeLabel, label)
	}
	return b.Label(v, text)
}

func (r *Reader) link(b *graph.Builder, i int) error {
	var members map[string]json.RawMessage
	if err := r.json.Decode(&members); err != nil {
		return fmt.Errorf("link %d: %w", i, err)
	}
	var ends [2]int
	for k, key := range []string{"source", "target"} {
		name, ok := nodeName(members[key])
		if !ok {
			return fmt.Errorf("link %d: %s %.40s, want the id of a node", i, key, members[key])
		}
		v, err := b.Node(name)
		if err != nil {
			return err
		}
		ends[k] = v
	}
	kind := uint64(1)
	if value, ok := members[r.EdgeType]; ok && r.EdgeType != "" {
		text, _ := scalar(value)
		var err error
		if kind, err = strconv.ParseUint(text, 10, 8); err != nil || kind == 0 {
			return fmt.Errorf("link %d: %s %.40s, want 1 to 255", i, r.EdgeType, value)
		}
	}
	if err := b.Join(ends[0], ends[1], uint8(kind), i); err != nil {
		return fmt.Errorf("link %d: %w", i, err)
	}
	return nil
}

// scalar is the text of a string, and of a number or truth value as it stands.
func scalar(value json.RawMessage) (text string, ok bool) {
	value = bytes.TrimSpace(value)
	if len(value) == 0 || value[0] == '{' || value[0] == '[' || value[0] == 'n' {
		return "", false
	}
	if value[0] != '"' {
		return string(value), true
	}
	err := json.Unmarshal(value, &text)
	return text, err == nil
}

// nodeName is a scalar, or an array without white space.
func nodeName(value json.RawMessage) (name string, ok bool) {
	if name, ok = scalar(value); ok || len(value) == 0 || value[0] != '[' {
		return name, ok
	}
	var b bytes.Buffer
	err := json.Compact(&b, value)
	return b.String(), err == nil
}
