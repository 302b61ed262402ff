package edgelist

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pfgmgen/internal/graph"
)

func readAll(in string, rules graph.Rules) (out []graph.Record, err error) {
	r, err := NewReader(strings.NewReader(in), "x.edges")
	if err != nil {
		return nil, err
	}
	r.Rules = rules
	for {
		rec, err := r.Read()
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		out = append(out, rec)
	}
}

func edges(n int, e ...graph.Edge) *graph.Graph { return &graph.Graph{N: n, Edges: e} }

func TestRead(t *testing.T) {
	var gz bytes.Buffer
	z := gzip.NewWriter(&gz)
	io.WriteString(z, "0 1\n")
	z.Close()
	for _, tc := range []struct {
		name, in string
		want     []graph.Record
	}{
		{"one graph", "0 1\n1 2", []graph.Record{{Graph: edges(3, graph.Edge{U: 0, V: 1, Type: 1}, graph.Edge{U: 1, V: 2, Type: 1})}}},
		{"names in the order of numbers", "10 2\n2 7\n", []graph.Record{{Graph: edges(3, graph.Edge{U: 0, V: 1, Type: 1}, graph.Edge{U: 0, V: 2, Type: 1})}}},
		{"names as they come", "b a\na 1\n", []graph.Record{{Graph: edges(3, graph.Edge{U: 0, V: 1, Type: 1}, graph.Edge{U: 1, V: 2, Type: 1})}}},
		{"commas, tabs, CRLF, types, networkx", "0,1\r\n1\t2\t3\r\n2, 3, {}\r\n", []graph.Record{{Graph: edges(4,
			graph.Edge{U: 0, V: 1, Type: 1}, graph.Edge{U: 1, V: 2, Type: 3}, graph.Edge{U: 2, V: 3, Type: 1})}}},
		{"comments of other programs", "# FromNodeId ToNodeId\n% sym\n0 1\n# in between\n1 2\n",
			[]graph.Record{{Graph: edges(3, graph.Edge{U: 0, V: 1, Type: 1}, graph.Edge{U: 1, V: 2, Type: 1})}}},
		{"blank lines", "\n\n0 1\n\n\n0 1\n\n", []graph.Record{{Graph: edges(2, graph.Edge{U: 0, V: 1, Type: 1})}, {Graph: edges(2, graph.Edge{U: 0, V: 1, Type: 1})}}},
		{"headers", "# graph id=a\n\n0 1\n# graph id=\"b c\" label=2 nodes=3\n#graph\n5\n", []graph.Record{
			{ID: "a", Graph: edges(2, graph.Edge{U: 0, V: 1, Type: 1})}, {ID: "b c", Label: "2", Graph: edges(3)}, {Graph: edges(1)}}},
		{"nodes and labels", "# graph nodes=3\nnode 2 C\n0 2\n\nx\nnode y N\nnode z\nx y\n", []graph.Record{
			{Graph: edges(3, graph.Edge{U: 0, V: 2, Type: 1}), NodeLabels: []string{"", "", "C"}},
			{Graph: edges(3, graph.Edge{U: 0, V: 1, Type: 1}), NodeLabels: []string{"", "N", ""}}}},
		{"a header without a graph after it", "# graph", []graph.Record{{Graph: edges(0)}}},
		{"gzip", gz.String(), []graph.Record{{Graph: edges(2, graph.Edge{U: 0, V: 1, Type: 1})}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := readAll(tc.in, graph.Rules{})
			if err != nil || !reflect.DeepEqual(got, tc.want) {
				t.Errorf("got %+v, %v", got, err)
				for _, r := range got {
					t.Errorf("%+v", r.Graph)
				}
			}
		})
	}
	got, err := readAll("0 0\n0 1\n1 0 5\n", graph.Rules{Simplify: true})
	if err != nil || len(got) != 1 || !slices.Equal(got[0].Graph.Edges, []graph.Edge{{U: 0, V: 1, Type: 1}}) {
		t.Errorf("simplified: %+v, %v", got, err)
	}
}

func TestReadErrors(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"empty", "", "x.edges: not an edge list: no edge"},
		{"comments alone", "# a\n\n", "no edge, node or header"},
		{"loop", "0 1\n\n3 4\n4 4\n", `graph 2, line 4: not an edge list: node "4" is joined to itself`},
		{"twice", "0 1\n1 2\n1 0\n", `graph 1: not an edge list: nodes "0" and "1" are joined on line 1 and again on line 3`},
		{"type", "0 1 256\n", `line 1: not an edge list: the third field is "256", want the edge's type, 1 to 255`},
		{"type 0", "0 1 0\n", "want the edge's type"},
		{"weight", "0 1 0.5\n", "want the edge's type"},
		{"fields", "0 1 2 3\n", "4 fields"},
		{"commas", "0 1\n,,\n", "line 2: not an edge list: a line of commas"},
		{"outside", "# graph nodes=3\n0 3\n", `line 2: not an edge list: node "3", the header says that nodes are 0 to 2`},
		{"key", "0 1\n# graph name=x\n", `graph 2, line 2: not an edge list: "name" in the line # graph`},
		{"no value", "# graph of friends\n", `line 1: not an edge list: "of friends" in the line # graph`},
		{"nodes", "# graph nodes=-1\n", `nodes="-1", want one number`},
		{"nodes twice", "# graph nodes=1 nodes=1\n", `nodes="1", want one number`},
		{"many nodes", "# graph nodes=99999999999\n", "over 1048576 nodes"},
		{"quotes", "# graph id=\"x\n", "do not end"},
		{"labels", "node a B\nnode a C\n", `line 2: not an edge list: node "a" has the labels "B" and "C"`},
		{"node fields", "node a b c\n", "3 fields behind node"},
		{"binary", strings.Repeat("\x00", 1<<17), "line 1: line too long"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := readAll(tc.in, graph.Rules{})
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.HasPrefix(err.Error(), "edgelist: x.edges: ") {
				t.Errorf("%+v, error %v, want it to hold %q", got, err, tc.want)
			}
		})
	}
	r, err := NewReader(strings.NewReader("0 0\n0 1\n"), "x")
	if err != nil {
		t.Fatal(err)
	}
	_, first := r.Read()
	if _, second := r.Read(); first == nil || second != first {
		t.Errorf("after the error %v comes %v", first, second)
	}
}

func TestWrite(t *testing.T) {
	for _, rec := range []graph.Record{
		{}, {Graph: edges(2), NodeLabels: []string{"a"}}, {Graph: edges(1), NodeLabels: []string{"a b"}},
		{Graph: edges(1), NodeLabels: []string{"a\u2003"}}, {Graph: edges(1), ID: strings.Repeat("x", 1<<17)},
	} {
		var b bytes.Buffer
		if err := Write(&b, rec); err == nil || b.Len() > 0 {
			t.Errorf("%+v: error %v, %d bytes written", rec, err, b.Len())
		}
	}
	if err := Write(fullDisk{}, graph.Record{Graph: edges(1)}); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("a failing writer gives %v", err)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func FuzzRead(f *testing.F) {
	f.Add([]byte("# graph id=a label=\"x y\" nodes=3\n0 1 2\nnode 2 C\n\n1 2\nb,a\n"))
	f.Add([]byte("10 9\n9 2\n# graph\n% c\n"))
	f.Add([]byte("\x1f\x8b"))
	f.Fuzz(func(t *testing.T, in []byte) {
		r, err := NewReader(bytes.NewReader(in), "fuzz")
		if err != nil {
			return
		}
		r.Rules = graph.Rules{MaxNodes: 100, MaxEdges: 200}
		for {
			rec, err := r.Read()
			if err != nil {
				return
			}
			if rec.Graph.N > 100 || len(rec.Graph.Edges) > 200 {
				t.Fatalf("%d nodes and %d edges are over the limits", rec.Graph.N, len(rec.Graph.Edges))
			}
			if _, err := graph.New(rec.Graph.N, nil, rec.Graph.Edges); err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			if Write(&b, rec) != nil {
				continue
			}
			back, err := readAll(b.String(), graph.Rules{})
			if err != nil || len(back) != 1 {
				t.Fatalf("written as %q: %d records, %v", b.Bytes(), len(back), err)
			}
			if rec.Graph.Edges == nil {
				back[0].Graph.Edges = nil
			}
			if !slices.ContainsFunc(rec.NodeLabels, func(s string) bool { return s != "" }) {
				rec.NodeLabels = nil
			}
			if !reflect.DeepEqual(back[0], rec) {
				t.Fatalf("%+v became %+v", rec, back[0])
			}
		}
	})
}

func Example() {
	r, err := NewReader(strings.NewReader("# graph id=triangle label=ring\nA B\nB C\nC A\n"), "rings.txt")
	if err != nil {
		fmt.Println(err)
		return
	}
	for {
		rec, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		if err := Write(os.Stdout, rec); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// # graph id=triangle label=ring nodes=3
	// 0 1
	// 0 2
	// 1 2
}
