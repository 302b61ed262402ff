// Package graphml reads undirected graphs from GraphML (graphdrawing.org, 2002), as networkx, igraph and Gephi write it.
//
// A file may hold several graphs; their id is the attribute id, their label the data whose key is named label. Nodes are
// numbered as the file mentions them first. Ports and all data but the label of nodes and the type of edges are skipped;
// nested graphs and hyperedges are refused.
//
// Loops, pairs that are joined twice, and edges with directions are errors (graph.Rules says how to take them).
package graphml

import (
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"pfgmgen/internal/graph"
	"pfgmgen/io/lines"
)

// ErrFormat is wrapped by every error that says that the input is not GraphML.
var ErrFormat = errors.New("not GraphML of undirected graphs")

// Limits of what is no graph.
const (
	maxElement = 1 << 20 // bytes from one tag to the next
	maxText    = 4 << 10 // bytes of a label, and of the names and ids of keys
	maxKeys    = 1 << 12
	maxDepth   = 64
)

// A Reader yields graphs. It is not safe for concurrent use.
type Reader struct {
	Rules     graph.Rules
	NodeLabel string // the name of the key that is the label of nodes; "" for none
	EdgeType  string // the name of the key that is the type of edges, 1 to 255, 1 when it is missing; "" for none

	name  string
	guard *guard
	xml   *xml.Decoder
	keys  []key // in the order of the file
	byID  map[string]int
	depth int // elements that are open
	count int
	last  error
}

// A key declares data. The file says for which elements and by which name; other data refers to its id.
type key struct {
	of, name, preset string
}

// A guard fails when more than maxElement bytes are read between two calls of rest, so that no single tag or text can take
// the memory.
type guard struct {
	r    io.Reader
	left int
}

func (g *guard) Read(p []byte) (int, error) {
	if g.left <= 0 {
		return 0, fmt.Errorf("over %d bytes from one tag to the next", maxElement)
	}
	n, err := g.r.Read(p[:min(len(p), g.left)])
	g.left -= n
	return n, err
}

// NewReader reads from r, decompressing gzip, with the keys label and type. name stands in errors and is usually the file's
// name.
func NewReader(r io.Reader, name string) (*Reader, error) {
	text, err := lines.Gunzip(r)
	if err != nil {
		return nil, fmt.Errorf("graphml: %s: %w", name, err)
	}
	g := &guard{text, maxElement}
	return &Reader{NodeLabel: "label", EdgeType: "type", name: name, guard: g, xml: xml.NewDecoder(g), byID: make(map[string]int)}, nil
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
			line, _ := r.xml.InputPos()
			r.last = fmt.Errorf("graphml: %s: graph %d, line %d: %w: %w", r.name, r.count, line, ErrFormat, err)
		}
	}
	return rec, r.last
}

// next returns the next tag, or text.
func (r *Reader) next() (xml.Token, error) {
	r.guard.left = maxElement
	token, err := r.xml.Token()
	switch token.(type) {
	case xml.StartElement:
		if r.depth++; r.depth > maxDepth {
			return nil, fmt.Errorf("over %d elements in each other", maxDepth)
		}
	case xml.EndElement:
		r.depth--
	}
	return token, err
}

// read finds the next graph.
func (r *Reader) read() (graph.Record, error) {
	for {
		token, err := r.next()
		if err == io.EOF && r.count == 0 {
			return graph.Record{}, errors.New("no graph in it")
		}
		if err != nil {
			return graph.Record{}, err
		}
		start, ok := token.(xml.StartElement)
		switch {
		case !ok:
		case r.depth == 1 && start.Name.Local != "graphml":
			return graph.Record{}, fmt.Errorf("the element <%.40s>, want <graphml>", start.Name.Local)
		case r.depth == 1:
		case start.Name.Local == "key":
			if err := r.readKey(start); err != nil {
				return graph.Record{}, err
			}
		case start.Name.Local == "graph":
			r.count++
			return r.readGraph(start)
		default:
			if err := r.skip(); err != nil {
				return graph.Record{}, err
			}
		}
	}
}

// attribute is the value of an attribute, whatever its name space, and "" when there is none.
func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// skip goes behind the end of the element that was begun last.
func (r *Reader) skip() error {
	for outside := r.depth - 1; r.depth > outside; {
		if _, err := r.next(); err != nil {
			return err
		}
	}
	return nil
}

// children calls f at the beginning of each element within the one that was begun last; f goes behind its end.
func (r *Reader) children(f func(xml.StartElement) error) error {
	for outside := r.depth - 1; r.depth > outside; {
		token, err := r.next()
		if err != nil {
			return err
		}
		if start, ok := token.(xml.StartElement); ok {
			if err := f(start); err != nil {
				return err
			}
		}
	}
	return nil
}

// text is what stands in the element that was begun last, without what stands in elements within it.
func (r *Reader) text() (string, error) {
	var b strings.Builder
	inside := r.depth
	for r.depth >= inside {
		token, err := r.next()
		if err != nil {
			return "", err
		}
		if s, ok := token.(xml.CharData); ok && r.depth == inside {
			if b.Len()+len(s) > maxText {
				return "", fmt.Errorf("a label or type of over %d bytes", maxText)
			}
			b.Write(s)
		}
	}
	return strings.TrimSpace(b.String()), nil
}

func (r *Reader) readKey(start xml.StartElement) error {
	id := attribute(start, "id")
	k := key{of: cmp.Or(attribute(start, "for"), "all"), name: attribute(start, "attr.name")}
	if len(r.keys) == maxKeys {
		return fmt.Errorf("over %d keys", maxKeys)
	}
	if len(id) > maxText || len(k.name) > maxText {
		return fmt.Errorf("a key's id or name of over %d bytes", maxText)
	}
	if _, again := r.byID[id]; again {
		return fmt.Errorf("two keys have the id %.40q", id)
	}
	err := r.children(func(e xml.StartElement) (err error) {
		if e.Name.Local == "default" && (k.name == r.NodeLabel || k.name == r.EdgeType || k.name == "label") {
			k.preset, err = r.text()
			return err
		}
		return r.skip()
	})
	r.byID[id] = len(r.keys)
	r.keys = append(r.keys, k)
	return err
}

// preset is the default of the data of a name; "" when there is none.
func (r *Reader) preset(of, name string) string {
	for _, k := range r.keys {
		if k.is(of, name) && k.preset != "" {
			return k.preset
		}
	}
	return ""
}

func (k key) is(of, name string) bool {
	return name != "" && k.name == name && (k.of == of || k.of == "all")
}

// data reads the data of a name within the element that was begun last, value when there is none, and calls other at other
// elements.
func (r *Reader) data(of, name, value string, other func(xml.StartElement) error) (string, error) {
	err := r.children(func(e xml.StartElement) (err error) {
		if e.Name.Local != "data" {
			return other(e)
		}
		if i, ok := r.byID[attribute(e, "key")]; ok && r.keys[i].is(of, name) {
			value, err = r.text()
			return err
		}
		return r.skip()
	})
	return value, err
}

func (r *Reader) readGraph(start xml.StartElement) (rec graph.Record, err error) {
	b := graph.NewBuilder(r.Rules, "line", false)
	rec.ID = attribute(start, "id")
	directed := false
	switch kind := attribute(start, "edgedefault"); kind {
	case "undirected":
	case "directed":
		directed = true
	default:
		return rec, fmt.Errorf("edgedefault is %.40q, want undirected", kind)
	}
	labels, types := r.preset("node", r.NodeLabel), r.preset("edge", r.EdgeType)
	rec.Label, err = r.data("graph", "label", r.preset("graph", "label"), func(e xml.StartElement) error {
		switch e.Name.Local {
		case "node":
			return r.node(b, e, labels)
		case "edge":
			return r.edge(b, e, directed, types)
		case "hyperedge", "graph":
			return fmt.Errorf("a <%s> within a graph", e.Name.Local)
		}
		return r.skip()
	})
	if err == nil {
		err = b.Listed()
	}
	if err == nil {
		rec.Graph, rec.NodeLabels, err = b.Build()
	}
	return rec, err
}

func (r *Reader) node(b *graph.Builder, start xml.StartElement, preset string) error {
	id := attribute(start, "id")
	if id == "" {
		return errors.New("a node without id")
	}
	v, err := b.List(id)
	if err != nil {
		return err
	}
	label, err := r.data("node", r.NodeLabel, preset, r.within)
	if err == nil && label != "" {
		err = b.Label(v, label)
	}
	return err
}

// within takes the elements of nodes and edges that are no data.
func (r *Reader) within(e xml.StartElement) error {
	if e.Name.Local == "graph" {
		return errors.New("a graph within a node or an edge")
	}
	return r.skip()
}

func (r *Reader) edge(b *graph.Builder, start xml.StartElement, directed bool, preset string) error {
	line, _ := r.xml.InputPos()
	if own := attribute(start, "directed"); own != "" {
		var err error
		if directed, err = strconv.ParseBool(own); err != nil {
			return fmt.Errorf("directed is %.40q, want true or false", own)
		}
	}
	if directed && !r.Rules.Simplify {
		return errors.New("an edge is directed")
	}
	var ends [2]int
	for i, name := range []string{"source", "target"} {
		id := attribute(start, name)
		if id == "" {
			return fmt.Errorf("an edge without %s", name)
		}
		v, err := b.Node(id)
		if err != nil {
			return err
		}
		ends[i] = v
	}
	text, err := r.data("edge", r.EdgeType, preset, r.within)
	if err != nil {
		return err
	}
	kind := uint64(1)
	if text != "" {
		if kind, err = strconv.ParseUint(text, 10, 8); err != nil || kind == 0 {
			return fmt.Errorf("an edge's %s is %.40q, want 1 to 255", r.EdgeType, text)
		}
	}
	return b.Join(ends[0], ends[1], uint8(kind), line)
}
