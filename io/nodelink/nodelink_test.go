package nodelink

import (
	"bytes"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pfgmgen/internal/graph"
)

func readAll(in string, rules graph.Rules) (out []graph.Record, err error) {
	r, err := NewReader(strings.NewReader(in), "x.json")
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

const (
	pair  = `{"nodes":[{"id":0},{"id":1}],"links":[{"source":0,"target":1}]}`
	ethyl = `{"directed": false, "multigraph": false, "graph": {"name": "g1", "label": 3},
  "nodes": [{"label": "C", "x": {"y": [1]}, "id": "a"}, {"id": "b"}, {"id": "c", "label": 8}],
  "edges": [{"source": "b", "target": "a", "type": 2}, {"source": "b", "target": "c", "weight": 0.5}]}`
)

func TestRead(t *testing.T) {
	two := graph.Record{Graph: &graph.Graph{N: 2, Edges: []graph.Edge{{U: 0, V: 1, Type: 1}}}}
	three := graph.Record{ID: "g1", Label: "3", NodeLabels: []string{"C", "", "8"},
		Graph: &graph.Graph{N: 3, Edges: []graph.Edge{{U: 0, V: 1, Type: 2}, {U: 1, V: 2, Type: 1}}}}
	named := two
	named.ID, named.Label = "7", "x"
	for _, tc := range []struct {
		name, in string
		want     []graph.Record
	}{
		{"networkx", ethyl, []graph.Record{three}},
		{"JSON lines", pair + "\n" + ethyl + "\n\n" + pair, []graph.Record{two, three, two}},
		{"array", " [" + pair + ",\n" + ethyl + "] \n", []graph.Record{two, three}},
		{"byte order mark", "\xef\xbb\xbf" + pair, []graph.Record{two}},
		{"tuples", `{"nodes":[{"id":[0,1]},{"id":[0, 2]}],"links":[{"source":[0,2],"target":[0, 1]}]}`, []graph.Record{two}},
		{"d3, no ids", `{"nodes":[{},{}],"links":[{"source":0,"target":1}]}`, []graph.Record{two}},
		{"names outside, list of pairs, edges first", `{"name":"n","id":7,"label":"x","graph":[],"links":[{"source":0,"target":1}],"nodes":[{"id":1},{"id":0,"label":null}]}`, []graph.Record{named}},
	} {
		got, err := readAll(tc.in, graph.Rules{})
		if err != nil || !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s: %+v, %v", tc.name, got, err)
		}
	}
	directed := `{"directed":true,"nodes":[{},{}],"links":[{"source":0,"target":1},{"source":1,"target":0},{"source":1,"target":1}]}`
	got, err := readAll(directed, graph.Rules{Simplify: true})
	if err != nil || !reflect.DeepEqual(got, []graph.Record{two}) {
		t.Errorf("simplified: %+v, %v", got, err)
	}
	r, err := NewReader(strings.NewReader(`{"nodes":[{"id":0,"kind":"N"},{"id":1,"label":{}}],"links":[{"source":0,"target":1,"type":"none","order":3}]}`), "x")
	if err != nil {
		t.Fatal(err)
	}
	r.NodeLabel, r.EdgeType = "kind", "order"
	rec, err := r.Read()
	if err != nil || rec.Graph.Edges[0].Type != 3 || !slices.Equal(rec.NodeLabels, []string{"N", ""}) {
		t.Errorf("other members: %+v, %v", rec, err)
	}
}

func TestReadErrors(t *testing.T) {
	with := func(nodes, links string) string { return `{"nodes":[` + nodes + `],"links":[` + links + `]}` }
	for _, tc := range []struct{ name, in, want string }{
		{"empty", " \n", "graph 0, byte 0: not node-link JSON: no graph"},
		{"no array element", "[]", "no graph in it"},
		{"number", "7", "7, want an object"},
		{"cut", ethyl[:100], "graph 1, byte"},
		{"cut array", "[" + pair, "unexpected EOF"},
		{"behind the array", "[" + pair + "] 1", "more behind the end of the array"},
		{"damaged", pair + "\n{]", "graph 2, byte"},
		{"no nodes", `{"links":[]}`, "no list of nodes"},
		{"no links", `{"nodes":[]}`, "no list of links"},
		{"two lists", `{"nodes":[],"links":[],"edges":[]}`, "two lists of links"},
		{"no array", `{"nodes":{}}`, "{, want an array"},
		{"directed", `{"directed":true}`, "the graph is directed"},
		{"directed how", `{"directed":"no"}`, `directed is "no", want true or false`},
		{"listed twice", with(`{"id":"a"},{"id":"a"}`, ``), `node "a" is listed twice`},
		{"not listed", with(`{"id":"a"}`, `{"source":"a","target":"b"}`), `an edge names node "b", which is not among`},
		{"id", with(`{"id":{}}`, ``), "node 0: id {}, want"},
		{"null", with(`{"id":null}`, ``), "node 0: id null, want"},
		{"node", with(`3`, ``), "node 0: json: cannot unmarshal number"},
		{"label", with(`{"id":1,"label":[]}`, ``), `node "1": label [], want a string`},
		{"no target", with(`{"id":1}`, `{"source":1}`), "link 0: target , want the id"},
		{"type", with(`{"id":1},{"id":2}`, `{"source":1,"target":2,"type":0}`), "link 0: type 0, want 1 to 255"},
		{"loop", with(`{"id":1}`, `{"source":1,"target":1}`), `link 0: node "1" is joined to itself`},
		{"twice", with(`{},{}`, `{"source":0,"target":1},{"source":1,"target":0}`), `nodes "0" and "1" are joined on link 0 and again on link 1`},
		{"large", with(`{"id":"`+strings.Repeat("x", 2<<20)+`"}`, ``), "a value of over 1048576 bytes"},
		{"long name", with(`{"id":"`+strings.Repeat("x", 2000)+`"}`, ``), "2000 bytes, over 256"},
		{"white space", strings.Repeat(" ", 2<<20), "a value of over 1048576 bytes"},
		{"deep", `{"x":` + strings.Repeat("[", 100000), "exceeded max depth"},
	} {
		got, err := readAll(tc.in, graph.Rules{})
		if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.HasPrefix(err.Error(), "nodelink: x.json: ") {
			t.Errorf("%s: %+v, error %v, want it to hold %q", tc.name, got, err, tc.want)
		}
	}
	if _, err := readAll(with("{},{},{}", ""), graph.Rules{MaxNodes: 2}); err == nil || !strings.Contains(err.Error(), "over 2 nodes") {
		t.Errorf("a limit: %v", err)
	}
}

// TestReadLong shows that the limit is for a value, not for a graph.
func TestReadLong(t *testing.T) {
	var b bytes.Buffer
	b.WriteString(`{"nodes":[{}`)
	for b.Len() < 3*maxElement {
		fmt.Fprintf(&b, ",{%*s}", 1000, "")
	}
	b.WriteString(`],"links":[]}`)
	if got, err := readAll(b.String(), graph.Rules{}); err != nil || len(got) != 1 || got[0].Graph.N < 3000 {
		t.Errorf("%d graphs, %v", len(got), err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(ethyl))
	f.Add([]byte("[" + pair + "," + ethyl + "]"))
	f.Add([]byte(pair + pair))
	f.Fuzz(func(t *testing.T, in []byte) {
		r, err := NewReader(bytes.NewReader(in), "fuzz")
		if err != nil {
			return
		}
		r.Rules = graph.Rules{MaxNodes: 50, MaxEdges: 100}
		for {
			rec, err := r.Read()
			if err != nil {
				return
			}
			if rec.Graph.N > 50 || len(rec.Graph.Edges) > 100 || rec.NodeLabels != nil && len(rec.NodeLabels) != rec.Graph.N {
				t.Fatalf("%d nodes with %d labels, %d edges", rec.Graph.N, len(rec.NodeLabels), len(rec.Graph.Edges))
			}
			if _, err := graph.New(rec.Graph.N, nil, rec.Graph.Edges); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func Example() {
	r, err := NewReader(strings.NewReader(`{"nodes": [{"id": "a"}, {"id": "b"}], "links": [{"source": "a", "target": "b"}]}`), "pair.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	rec, err := r.Read()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(rec.Graph.N, rec.Graph.Edges)
	// Output: 2 [{0 1 1}]
}
