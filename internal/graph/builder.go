package graph

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
)

// A Record is one graph of a file. Readers leave the labels of Graph nil, as what a label means is for the caller to say.
type Record struct {
	ID         string // "" when the file has none
	Label      string // of the graph, its class; "" when the file has none
	Graph      *Graph
	NodeLabels []string // as the file writes them, "" for a node without; nil when no node has one
}

// Rules limit what readers take, and say what they do with edges that a simple graph has not.
type Rules struct {
	MaxNodes int  // of a graph; zero means DefaultMaxNodes
	MaxEdges int  // of a graph, as listed; zero means DefaultMaxEdges
	Simplify bool // drop loops, directions, and edges that join the ends of an earlier one, instead of refusing them
}

// Limits of a graph when Rules set none, beyond anything that a model of graphs can take; they bound the memory that a
// hostile file may ask for.
const (
	DefaultMaxNodes = 1 << 20
	DefaultMaxEdges = 1 << 22
	maxName         = 256 // bytes of a name or label
)

// Nodes is MaxNodes or its default.
func (r Rules) Nodes() int { return cmp.Or(r.MaxNodes, DefaultMaxNodes) }

// Edges is MaxEdges or its default.
func (r Rules) Edges() int { return cmp.Or(r.MaxEdges, DefaultMaxEdges) }

// A Builder collects a graph from a file. Its errors name nodes as the file does, but leave the file and the place of the
// call to the caller.
type Builder struct {
	rules  Rules
	unit   string // what places count, "line"
	both   bool
	n      int
	byName map[string]int
	names  []string // of the first nodes; those added by number have none
	call   func(v int) string
	labels []string
	listed []bool // by node: List has seen it
	intern map[string]string
	links  []link
}

type link struct {
	u, v  int32 // u < v
	kind  uint8
	back  bool // listed from v to u
	place int
}

// NewBuilder begins a graph. unit is what the places of edges count, such as "line". With both, an edge may be listed once
// in each direction.
func NewBuilder(r Rules, unit string, both bool) *Builder {
	return &Builder{rules: r, unit: unit, both: both}
}

// Len is the number of nodes.
func (b *Builder) Len() int { return b.n }

// Add adds n nodes that are known by their number. It goes before Node or without it.
func (b *Builder) Add(n int) error {
	if limit := b.rules.Nodes(); n > limit-b.n {
		return fmt.Errorf("over %d nodes", limit)
	}
	b.n += n
	return nil
}

// Node returns the node of a name, a new one if need be.
func (b *Builder) Node(name string) (v int, err error) {
	v, ok := b.byName[name]
	if ok {
		return v, nil
	}
	if len(name) > maxName {
		return 0, fmt.Errorf("the name of a node has %d bytes, over %d: %.40q", len(name), maxName, name)
	}
	if err := b.Add(1); err != nil {
		return 0, err
	}
	if b.byName == nil {
		b.byName = make(map[string]int)
	}
	b.byName[name] = b.n - 1
	b.names = append(b.names, name)
	return b.n - 1, nil
}

// List is Node for a node in the file's list of nodes, which holds each once. A file that has such a list is to have all
// nodes in it: Listed checks.
func (b *Builder) List(name string) (v int, err error) {
	if v, err = b.Node(name); err != nil {
		return 0, err
	}
	b.listed = append(b.listed, make([]bool, b.n-len(b.listed))...)
	if b.listed[v] {
		return 0, fmt.Errorf("node %s is listed twice", b.Name(v))
	}
	b.listed[v] = true
	return v, nil
}

// Listed is an error when an edge has named a node that is not in the list.
func (b *Builder) Listed() error {
	for v := range b.n {
		if v >= len(b.listed) || !b.listed[v] {
			return fmt.Errorf("an edge names node %s, which is not among the nodes", b.Name(v))
		}
	}
	return nil
}

// Call says how errors name the nodes that were added by number.
func (b *Builder) Call(name func(v int) string) { b.call = name }

// Name is the name of a node, its number when it has none.
func (b *Builder) Name(v int) string {
	switch {
	case b.call != nil:
		return b.call(v)
	case v < len(b.names):
		return strconv.Quote(b.names[v])
	}
	return strconv.Itoa(v)
}

// Label gives a node its label. A second label is an error.
func (b *Builder) Label(v int, label string) error {
	if len(label) > maxName {
		return fmt.Errorf("the label of node %s has %d bytes, over %d: %.40q", b.Name(v), len(label), maxName, label)
	}
	if b.labels == nil {
		b.labels = make([]string, 0, b.n)
		b.intern = make(map[string]string)
	}
	if v >= len(b.labels) {
		b.labels = append(b.labels, make([]string, b.n-len(b.labels))...)
	}
	if old := b.labels[v]; old != "" && old != label {
		return fmt.Errorf("node %s has the labels %q and %q", b.Name(v), old, label)
	}
	one, ok := b.intern[label]
	if !ok {
		one = label
		b.intern[label] = label
	}
	b.labels[v] = one
	return nil
}

// Join adds an edge that the file lists at place. u and v are nodes of b; kind is 1 or more.
func (b *Builder) Join(u, v int, kind uint8, place int) error {
	if u == v {
		if b.rules.Simplify {
			return nil
		}
		return fmt.Errorf("node %s is joined to itself", b.Name(u))
	}
	if limit := b.rules.Edges(); len(b.links) >= limit {
		return fmt.Errorf("over %d edges", limit)
	}
	b.links = append(b.links, link{int32(min(u, v)), int32(max(u, v)), kind, u > v, place})
	return nil
}

// Sort numbers the nodes by their names when all are decimal numbers without sign or leading zeros.
func (b *Builder) Sort() {
	if len(b.names) < b.n {
		return // nodes added by number have their order
	}
	type numbered struct {
		value uint64
		old   int
	}
	nodes := make([]numbered, len(b.names))
	for v, name := range b.names {
		x, err := strconv.ParseUint(name, 10, 64)
		if err != nil || strconv.FormatUint(x, 10) != name {
			return
		}
		nodes[v] = numbered{x, v}
	}
	slices.SortFunc(nodes, func(a, c numbered) int { return cmp.Compare(a.value, c.value) })
	to, names := make([]int, len(nodes)), make([]string, len(nodes))
	var labels []string
	if b.labels != nil {
		labels = make([]string, len(nodes))
	}
	for v, node := range nodes {
		to[node.old] = v
		names[v] = b.names[node.old]
		b.byName[names[v]] = v
		if node.old < len(b.labels) {
			labels[v] = b.labels[node.old]
		}
	}
	b.names, b.labels = names, labels
	for i, l := range b.links {
		u, v := to[l.u], to[l.v]
		b.links[i].u, b.links[i].v, b.links[i].back = int32(min(u, v)), int32(max(u, v)), l.back != (u > v)
	}
}

// Build returns the graph and the labels of its nodes.
func (b *Builder) Build() (*Graph, []string, error) {
	slices.SortFunc(b.links, func(x, y link) int {
		return cmp.Or(cmp.Compare(x.u, y.u), cmp.Compare(x.v, y.v), cmp.Compare(x.place, y.place))
	})
	g := &Graph{N: b.n}
	if len(b.links) > 0 {
		g.Edges = make([]Edge, 0, len(b.links))
	}
	directions := 0 // in which the last edge has been listed
	for i, l := range b.links {
		again := i > 0 && l.u == b.links[i-1].u && l.v == b.links[i-1].v
		if !again {
			g.Edges = append(g.Edges, Edge{int(l.u), int(l.v), l.kind})
			directions = 1
			continue
		}
		if b.rules.Simplify {
			continue
		}
		before := b.links[i-1]
		switch {
		case b.both && directions == 1 && l.back != before.back && l.kind == before.kind:
			directions = 2
		case b.both && directions == 1 && l.back != before.back:
			return nil, nil, fmt.Errorf("the edge between nodes %s and %s has type %d on %s %d and %d on %s %d",
				b.Name(int(l.u)), b.Name(int(l.v)), before.kind, b.unit, before.place, l.kind, b.unit, l.place)
		default:
			return nil, nil, fmt.Errorf("nodes %s and %s are joined on %s %d and again on %s %d",
				b.Name(int(l.u)), b.Name(int(l.v)), b.unit, before.place, b.unit, l.place)
		}
	}
	if b.labels != nil {
		b.labels = append(b.labels, make([]string, b.n-len(b.labels))...)
	}
	return g, b.labels, nil
}
