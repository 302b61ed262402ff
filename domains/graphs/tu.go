package graphs

import (
	"context"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"pfgmgen/internal/graph"
	"pfgmgen/io/lines"
)

// tuParts are the files of a TU data set, after their common prefix; the first two must be there.
var tuParts = []string{"A", "graph_indicator", "graph_labels", "node_labels"}

// tuPrefix is what the name of a TU file begins with, its folder included.
func tuPrefix(path string) (prefix string, ok bool) {
	name := strings.TrimSuffix(strings.TrimSuffix(path, ".gz"), ".txt")
	for _, part := range tuParts {
		if p, ok := strings.CutSuffix(name, "_"+part); ok && name != path {
			return p, true
		}
	}
	return "", false
}

// readTU reads the files of one data set.
func (in *input) readTU(ctx context.Context, prefix string, sum hash.Hash) error {
	files := make([][][]int, len(tuParts))
	for i, part := range tuParts {
		var f *os.File
		var err error
		for _, end := range []string{".txt", ".txt.gz"} {
			if f, err = os.Open(prefix + "_" + part + end); err == nil {
				break
			}
		}
		if err != nil {
			if i < 2 {
				return err
			}
			continue
		}
		files[i], err = readNumbers(io.TeeReader(contextReader{ctx, f}, sum), f.Name())
		f.Close()
		if err != nil {
			return err
		}
	}
	arcs, graphOf, classes, labels := files[0], files[1], files[2], files[3]
	count := 0
	for _, g := range graphOf {
		count = max(count, g[0])
	}
	if count > len(graphOf) || labels != nil && len(labels) != len(graphOf) || classes != nil && len(classes) != count {
		return fmt.Errorf("%s: %d nodes of %d graphs, %d node labels, %d graph labels", prefix, len(graphOf), count, len(labels), len(classes))
	}
	type raw struct {
		n      int
		labels []uint8
		edges  map[[2]int]bool
		list   []graph.Edge
	}
	graphs, place := make([]raw, count), make([]int, len(graphOf))
	for v, g := range graphOf {
		if g[0] < 1 {
			return fmt.Errorf("%s: node %d is in graph %d", prefix, v+1, g[0])
		}
		r := &graphs[g[0]-1]
		place[v] = r.n
		r.n++
		if labels != nil {
			l := labels[v][0]
			if l < -128 || l > 127 {
				return fmt.Errorf("%s: node %d has label %d, want -128 to 127", prefix, v+1, l)
			}
			r.labels = append(r.labels, uint8(l+labelShift))
		}
	}
	for i, a := range arcs {
		if len(a) != 2 || a[0] < 1 || a[1] < 1 || a[0] > len(graphOf) || a[1] > len(graphOf) || graphOf[a[0]-1][0] != graphOf[a[1]-1][0] {
			return fmt.Errorf("%s_A: line %d: %v does not join two nodes of a graph", prefix, i+1, a)
		}
		r := &graphs[graphOf[a[0]-1][0]-1]
		u, v := place[a[0]-1], place[a[1]-1]
		if u > v {
			u, v = v, u
		}
		if r.edges == nil {
			r.edges = make(map[[2]int]bool)
		}
		if u != v && !r.edges[[2]int{u, v}] {
			r.edges[[2]int{u, v}] = true
			r.list = append(r.list, graph.Edge{U: u, V: v, Type: 1})
		}
	}
	for i, r := range graphs {
		rec := &record{id: strconv.Itoa(i + 1)}
		if classes != nil {
			rec.class = strconv.Itoa(classes[i][0])
		}
		g, err := graph.New(r.n, r.labels, r.list)
		if err != nil {
			return err
		}
		rec.g = g
		if err := in.add(generic, rec); err != nil {
			return err
		}
	}
	in.sources = append(in.sources, fmt.Sprintf("%s (TU, %d records)", filepath.Base(prefix), count))
	return nil
}

func readNumbers(r io.Reader, path string) ([][]int, error) {
	l, err := lines.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var out [][]int
	for {
		line, err := l.Next()
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		var row []int
		for _, s := range strings.Split(string(line), ",") {
			n, err := strconv.Atoi(strings.TrimSpace(s))
			if err != nil {
				return nil, fmt.Errorf("%s: line %d: %w", path, l.Number(), err)
			}
			row = append(row, n)
		}
		out = append(out, row)
	}
}
