package tudata

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"pfgmgen/internal/graph"
)

func folder(files map[string]string) func(string) (io.ReadCloser, error) {
	m := fstest.MapFS{}
	for name, text := range files {
		m[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return func(name string) (io.ReadCloser, error) { return m.Open(name) }
}

func zipped(s string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, s)
	z.Close()
	return b.String()
}

// two is a set of a triangle, a node of its own, and a pair, the nodes of the graphs not in a row.
func two() map[string]string {
	return map[string]string{
		"d/DS_graph_indicator.txt": "1\n2\n1\n1\n3\r\n3\n\n",
		"d/DS_A.txt":               "1, 3\n3, 1\n3, 4\n4,3\n1,4\n4, 1\n6, 5\n",
		"d/DS_graph_labels.txt":    "-1\n1\n-1\n",
		"d/DS_node_labels.txt":     "7\n8\n7\n9\n0\n0\n",
	}
}

func TestRead(t *testing.T) {
	files := two()
	files["d/DS_A.txt.gz"] = zipped(files["d/DS_A.txt"])
	delete(files, "d/DS_A.txt")
	files["d/DS_edge_labels.txt"] = "0\n0\n1\n1\n2\n2\n0\n"
	triangle := &graph.Graph{N: 3, Edges: []graph.Edge{{U: 0, V: 1, Type: 1}, {U: 0, V: 2, Type: 3}, {U: 1, V: 2, Type: 2}}}
	want := []graph.Record{
		{ID: "1", Label: "-1", Graph: triangle, NodeLabels: []string{"7", "7", "9"}},
		{ID: "2", Label: "1", Graph: &graph.Graph{N: 1}, NodeLabels: []string{"8"}},
		{ID: "3", Label: "-1", Graph: &graph.Graph{N: 2, Edges: []graph.Edge{{U: 0, V: 1, Type: 1}}}, NodeLabels: []string{"0", "0"}},
	}
	for _, path := range []string{"d/DS_A.txt.gz", "d/DS_A.txt", "d/DS_graph_labels.txt"} {
		got, err := Read(path, graph.Rules{}, folder(files))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", path, got, err)
		}
	}
	for _, part := range []string{"graph_labels", "node_labels", "edge_labels"} {
		delete(files, "d/DS_"+part+".txt")
	}
	got, err := Read("d/DS_A.txt", graph.Rules{}, folder(files))
	if err != nil || len(got) != 3 || got[0].Label != "" || got[0].NodeLabels != nil || got[0].Graph.Edges[1].Type != 1 {
		t.Errorf("without labels: %+v, %v", got, err)
	}
	files["d/DS_A.txt"] = "1,1\n1,3\n1,3\n3,1\n"
	got, err = Read("d/DS_A.txt", graph.Rules{Simplify: true}, folder(files))
	if err != nil || !slices.Equal(got[0].Graph.Edges, []graph.Edge{{U: 0, V: 1, Type: 1}}) {
		t.Errorf("simplified: %+v, %v", got, err)
	}
}

func TestReadErrors(t *testing.T) {
	for _, tc := range []struct{ name, file, text, want string }{
		{"no indicator", "graph_indicator", "", "d/DS_graph_indicator.txt"},
		{"empty", "graph_indicator", "\n", "0 graphs of 0 nodes"},
		{"graph 0", "graph_indicator", "0\n", `d/DS_graph_indicator.txt: line 1: not in TU format: "0", want a graph`},
		{"far graph", "graph_indicator", "9\n", "9 graphs of 1 nodes"},
		{"no edges file", "A", "", "d/DS_A.txt"},
		{"one number", "A", "1, 3\n4\n", `d/DS_A.txt: line 2: not in TU format: "4", want two nodes`},
		{"outside", "A", "1, 7\n", `line 1: not in TU format: " 7", want a node from 1 to 6`},
		{"across", "A", "1, 2\n", "line 1: not in TU format: nodes 1 and 2 are of the graphs 1 and 2"},
		{"loop", "A", "1, 3\n4, 4\n", "line 2: not in TU format: node 4 is joined to itself"},
		{"twice", "A", "1, 3\n5, 6\n1, 3\n", "graph 1: not in TU format: nodes 1 and 3 are joined on line 1 and again on line 3"},
		{"blank", "A", "1, 3\n\n1, 4\n", "line 2: not in TU format: blank"},
		{"few classes", "graph_labels", "1\n", "d/DS_graph_labels: not in TU format: 1 labels, want 3"},
		{"many classes", "graph_labels", "1\n2\n3\n4\n", "line 4: not in TU format: more labels than the 3"},
		{"few labels", "node_labels", "1\n", "1 labels, want 6"},
		{"long label", "node_labels", strings.Repeat("1", 300), "a label of 300 bytes"},
		{"few kinds", "edge_labels", "1\n", "1 labels for the 7 lines"},
		{"many kinds", "edge_labels", strings.Repeat("1\n", 8), "line 8: not in TU format: more labels than the 7"},
		{"directions", "edge_labels", "1\n2\n1\n1\n1\n1\n1\n", "the edge between nodes 1 and 3 has type 1 on line 1 and 2 on line 2"},
		{"all kinds", "edge_labels", "0\n0\n255\n255\n1\n1\n1\n", "labels from 0 to 255"},
		{"kind", "edge_labels", "x\n", `"x", want an edge label`},
		{"long line", "A", strings.Repeat("1", 1<<13), "line too long"},
		{"cut gzip", "A", zipped("1, 3\n")[:14], "d/DS_A.txt"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			files := two()
			files["d/DS_"+tc.file+".txt"] = tc.text
			if tc.text == "" {
				delete(files, "d/DS_"+tc.file+".txt")
			}
			got, err := Read("d/DS_A.txt", graph.Rules{}, folder(files))
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.HasPrefix(err.Error(), "tudata: ") {
				t.Errorf("%+v, error %v, want it to hold %q", got, err, tc.want)
			}
		})
	}
	if _, err := Read("d/DS.txt", graph.Rules{}, folder(two())); err == nil {
		t.Error("a file of another name")
	}
	if _, err := Read("d/DS_A.txt", graph.Rules{MaxNodes: 2}, folder(two())); err == nil || !strings.Contains(err.Error(), "over 2 nodes") {
		t.Errorf("a limit: %v", err)
	}
}

func TestPrefix(t *testing.T) {
	for path, want := range map[string]string{
		"a/DS_A.txt": "a/DS", "DS_A.txt.gz": "DS", "A_B_node_labels.txt": "A_B", "DS_A": "", "DS_A.csv": "", "DS_node_attributes.txt": "", "A.txt": "",
	} {
		if got, ok := Prefix(path); got != want || ok != (want != "") {
			t.Errorf("%s: %q, %v", path, got, ok)
		}
	}
}

// TestEnzymes compares with the figures that were taken when the data was staged (its SOURCE.md).
func TestEnzymes(t *testing.T) {
	path := filepath.Join("..", "..", "..", "shared", "data", "graphs", "enzymes", "ENZYMES_A.txt.gz")
	records, err := Read(path, graph.Rules{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var nodes, edges []int
	apart, classes, labels, hashes := 0, map[string]int{}, map[string]int{}, map[uint64]bool{}
	for _, r := range records {
		nodes, edges = append(nodes, r.Graph.N), append(edges, len(r.Graph.Edges))
		classes[r.Label]++
		for _, l := range r.NodeLabels {
			labels[l]++
		}
		if !r.Graph.IsConnected() {
			apart++
		}
		hashes[r.Graph.Hash()] = true
	}
	slices.Sort(nodes)
	slices.Sort(edges)
	figures := fmt.Sprint(len(records), nodes[0], nodes[300], nodes[599], edges[0], edges[300], edges[599], apart, len(hashes), classes, labels)
	if want := "600 2 32 126 1 60 149 31 595 map[1:100 2:100 3:100 4:100 5:100 6:100] map[1:9457 2:9665 3:458]"; figures != want {
		t.Errorf("got %s, want %s", figures, want)
	}
}

func FuzzRead(f *testing.F) {
	s := two()
	f.Add(s["d/DS_graph_indicator.txt"], s["d/DS_A.txt"], s["d/DS_graph_labels.txt"], s["d/DS_node_labels.txt"], "1\n1\n2\n2\n1\n1\n0\n")
	f.Add("1\n1\n", "1,2", "0", "a\nb", "3")
	f.Add(zipped("1\n1\n"), "1,2", "0", "a\nb", "0")
	f.Fuzz(func(t *testing.T, indicator, arcs, classes, labels, kinds string) {
		records, err := Read("DS_A.txt", graph.Rules{MaxNodes: 50, MaxEdges: 100}, folder(map[string]string{"DS_graph_indicator.txt": indicator,
			"DS_A.txt": arcs, "DS_graph_labels.txt": classes, "DS_node_labels.txt": labels, "DS_edge_labels.txt": kinds}))
		if err != nil {
			return
		}
		nodes := 0
		for _, r := range records {
			if _, err := graph.New(r.Graph.N, nil, r.Graph.Edges); err != nil {
				t.Fatal(err)
			}
			if r.Graph.N > 50 || len(r.Graph.Edges) > 100 || len(r.NodeLabels) != r.Graph.N {
				t.Fatalf("%d nodes with %d labels, %d edges", r.Graph.N, len(r.NodeLabels), len(r.Graph.Edges))
			}
			nodes += r.Graph.N
		}
		if len(records) > nodes {
			t.Fatalf("%d graphs of %d nodes", len(records), nodes)
		}
	})
}
