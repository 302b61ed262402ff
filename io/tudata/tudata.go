// Package tudata reads sets of graphs in the text format of TUDataset (Morris et al. 2020), which is several files with one
// prefix:
//
//	DS_A.txt                edges "u, v", nodes of all graphs numbered from 1
//	DS_graph_indicator.txt  the graph of each node, numbered from 1
//	DS_graph_labels.txt     class of each graph (may be missing)
//	DS_node_labels.txt      label of each node (may be missing)
//	DS_edge_labels.txt      label of each line of DS_A.txt (may be missing)
//
// Any of them may be compressed, with or without .gz at its end; other files of the set (attributes) are not read. The
// format lists an edge in both directions; one direction is taken too. Loops, and edges that are listed twice in one
// direction, are errors (graph.Rules says how to drop them), as are directions with different labels.
package tudata

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"pfgmgen/internal/graph"
	"pfgmgen/io/lines"
)

// ErrFormat is wrapped by every error that says that the input is not in the format.
var ErrFormat = errors.New("not in TU format")

// Limits of a whole set, several times the largest published one (REDDIT-MULTI-12K: 5 million nodes, 23 million lines).
const (
	maxNodes = 1 << 24
	maxArcs  = 1 << 26
	maxLine  = 4 << 10
	maxLabel = 256
)

// Prefix is what the files of a set have in common, when path is one of the files that Read takes.
func Prefix(path string) (prefix string, ok bool) {
	name, text := strings.CutSuffix(strings.TrimSuffix(path, ".gz"), ".txt")
	for _, part := range []string{"_A", "_graph_indicator", "_graph_labels", "_node_labels", "_edge_labels"} {
		if p, found := strings.CutSuffix(name, part); text && found {
			return p, true
		}
	}
	return "", false
}

// Read reads the whole set that the file path belongs to. open opens its files and must return fs.ErrNotExist for those that
// are not there; nil means os.Open. The id of a record is its number from 1, its label the line of the graph labels, and
// the label of a node the line of the node labels. The type of an edge is its label, one more when the set has labels 0.
func Read(path string, rules graph.Rules, open func(name string) (io.ReadCloser, error)) ([]graph.Record, error) {
	prefix, ok := Prefix(path)
	if !ok {
		return nil, fmt.Errorf("tudata: %s: %w: want one of the files, such as DS_A.txt", path, ErrFormat)
	}
	if open == nil {
		open = func(name string) (io.ReadCloser, error) { return os.Open(name) }
	}
	s := &set{prefix: prefix, open: open, rules: rules}
	for _, read := range []func() error{s.readIndicator, s.readArcs, s.readKinds, s.readLabels} {
		if err := read(); err != nil {
			return nil, err
		}
	}
	return s.records()
}

// A set is what the files hold. Numbers of nodes and graphs are from 0 here.
type set struct {
	prefix string
	open   func(string) (io.ReadCloser, error)
	rules  graph.Rules

	graphOf []int32  // by node
	graphs  int      // how many
	arcs    []int32  // two nodes for each line of A
	kinds   []uint8  // edge types, by line of A, nil when the set has none
	classes []string // by graph, nil when the set has none
	labels  []string // by node, nil when the set has none
}

// each calls f with every line of a file. A missing file is fs.ErrNotExist.
func (s *set) each(part string, f func(line []byte) error) error {
	name := s.prefix + part + ".txt"
	file, err := s.open(name)
	if errors.Is(err, fs.ErrNotExist) {
		var other error
		if file, other = s.open(name + ".gz"); other == nil || !errors.Is(other, fs.ErrNotExist) {
			name, err = name+".gz", other
		}
	}
	if err != nil {
		return fmt.Errorf("tudata: %w", err)
	}
	defer file.Close()
	l, err := lines.NewReader(file)
	if err != nil {
		return fmt.Errorf("tudata: %s: %w", name, err)
	}
	l.Max = maxLine
	blank := 0 // the first blank line, which may only be followed by others
	for {
		line, err := l.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("tudata: %s: %w", name, err)
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			if blank == 0 {
				blank = l.Number()
			}
			continue
		}
		if blank > 0 {
			return fmt.Errorf("tudata: %s: line %d: %w: blank, and more follows", name, blank, ErrFormat)
		}
		if err := f(line); err != nil {
			return fmt.Errorf("tudata: %s: line %d: %w: %w", name, l.Number(), ErrFormat, err)
		}
	}
	return nil
}

// number reads a number from 1 to limit and returns it from 0.
func number(b []byte, limit int, what string) (int32, error) {
	n, err := strconv.ParseInt(string(bytes.TrimSpace(b)), 10, 32)
	if err != nil || n < 1 || n > int64(limit) {
		return 0, fmt.Errorf("%.40q, want a %s from 1 to %d", b, what, limit)
	}
	return int32(n - 1), nil
}

func (s *set) readIndicator() error {
	err := s.each("_graph_indicator", func(line []byte) error {
		g, err := number(line, maxNodes, "graph")
		if err == nil && len(s.graphOf) == maxNodes {
			err = fmt.Errorf("over %d nodes", maxNodes)
		}
		s.graphOf = append(s.graphOf, g)
		s.graphs = max(s.graphs, int(g)+1)
		return err
	})
	if err == nil && (len(s.graphOf) == 0 || s.graphs > len(s.graphOf)) {
		err = fmt.Errorf("tudata: %s_graph_indicator: %w: %d graphs of %d nodes in all", s.prefix, ErrFormat, s.graphs, len(s.graphOf))
	}
	return err
}

func (s *set) readArcs() error {
	return s.each("_A", func(line []byte) error {
		first, second, ok := bytes.Cut(line, []byte(","))
		if !ok {
			return fmt.Errorf("%.40q, want two nodes parted by a comma", line)
		}
		u, err := number(first, len(s.graphOf), "node")
		if err != nil {
			return err
		}
		v, err := number(second, len(s.graphOf), "node")
		if err != nil {
			return err
		}
		if a, b := s.graphOf[u], s.graphOf[v]; a != b {
			return fmt.Errorf("nodes %d and %d are of the graphs %d and %d", u+1, v+1, a+1, b+1)
		}
		if u == v && !s.rules.Simplify {
			return fmt.Errorf("node %d is joined to itself", u+1)
		}
		if len(s.arcs) == 2*maxArcs {
			return fmt.Errorf("over %d lines", maxArcs)
		}
		s.arcs = append(s.arcs, u, v)
		return nil
	})
}

func (s *set) readKinds() error {
	zero, top := false, uint64(0)
	err := s.each("_edge_labels", func(line []byte) error {
		n, err := strconv.ParseUint(string(line), 10, 8)
		if err != nil {
			return fmt.Errorf("%.40q, want an edge label from 0 to 255", line)
		}
		zero, top = zero || n == 0, max(top, n)
		if len(s.kinds) == len(s.arcs)/2 {
			return fmt.Errorf("more labels than the %d lines of %s_A", len(s.kinds), s.prefix)
		}
		s.kinds = append(s.kinds, uint8(n))
		return nil
	})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case len(s.kinds) < len(s.arcs)/2:
		return fmt.Errorf("tudata: %s_edge_labels: %w: %d labels for the %d lines of %s_A", s.prefix, ErrFormat, len(s.kinds), len(s.arcs)/2, s.prefix)
	case zero && top == 255:
		return fmt.Errorf("tudata: %s_edge_labels: %w: labels from 0 to 255, of 256 types 255 can be kept", s.prefix, ErrFormat)
	case zero:
		for i := range s.kinds {
			s.kinds[i]++
		}
	}
	return nil
}

func (s *set) readLabels() error {
	var err error
	if s.classes, err = s.texts("_graph_labels", s.graphs); err != nil {
		return err
	}
	s.labels, err = s.texts("_node_labels", len(s.graphOf))
	return err
}

// texts reads a file of count lines; nil when it is missing.
func (s *set) texts(part string, count int) ([]string, error) {
	all, one := make([]string, 0, count), make(map[string]string)
	err := s.each(part, func(line []byte) error {
		if len(line) > maxLabel {
			return fmt.Errorf("a label of %d bytes, over %d: %.40q", len(line), maxLabel, line)
		}
		if len(all) == count {
			return fmt.Errorf("more labels than the %d of %s_graph_indicator", count, s.prefix)
		}
		text, ok := one[string(line)]
		if !ok {
			text = string(line)
			one[text] = text
		}
		all = append(all, text)
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && len(all) < count {
		err = fmt.Errorf("tudata: %s%s: %w: %d labels, want %d", s.prefix, part, ErrFormat, len(all), count)
	}
	return all, err
}

// records makes the graphs.
func (s *set) records() ([]graph.Record, error) {
	nodes, place := make([][]int32, s.graphs), make([]int32, len(s.graphOf))
	for v, g := range s.graphOf {
		place[v] = int32(len(nodes[g]))
		nodes[g] = append(nodes[g], int32(v))
	}
	// The lines of A by graph, by counting.
	first := make([]int, s.graphs+1)
	for i := 0; i < len(s.arcs); i += 2 {
		first[s.graphOf[s.arcs[i]]+1]++
	}
	for g := range s.graphs {
		first[g+1] += first[g]
	}
	sorted, at := make([]int32, len(s.arcs)/2), append([]int(nil), first...)
	for i := range sorted {
		g := s.graphOf[s.arcs[2*i]]
		sorted[at[g]] = int32(i)
		at[g]++
	}
	out := make([]graph.Record, s.graphs)
	for g := range out {
		rec, err := s.record(nodes[g], sorted[first[g]:first[g+1]], place)
		if err != nil {
			return nil, fmt.Errorf("tudata: %s_A: graph %d: %w: %w", s.prefix, g+1, ErrFormat, err)
		}
		rec.ID = strconv.Itoa(g + 1)
		if s.classes != nil {
			rec.Label = s.classes[g]
		}
		out[g] = rec
	}
	return out, nil
}

// record makes the graph of some nodes and lines of A.
func (s *set) record(nodes, arcs, place []int32) (rec graph.Record, err error) {
	b := graph.NewBuilder(s.rules, "line", true)
	b.Call(func(v int) string { return strconv.Itoa(int(nodes[v]) + 1) })
	if err := b.Add(len(nodes)); err != nil {
		return rec, err
	}
	if s.labels != nil {
		for v, node := range nodes {
			if err := b.Label(v, s.labels[node]); err != nil {
				return rec, err
			}
		}
	}
	for _, i := range arcs {
		kind := uint8(1)
		if s.kinds != nil {
			kind = s.kinds[i]
		}
		if err := b.Join(int(place[s.arcs[2*i]]), int(place[s.arcs[2*i+1]]), kind, int(i)+1); err != nil {
			return rec, err
		}
	}
	rec.Graph, rec.NodeLabels, err = b.Build()
	return rec, err
}
