package graphml

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
	r, err := NewReader(strings.NewReader(in), "x.graphml")
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

// networkx is what networkx 3.6 writes.
const networkx = `<?xml version='1.0' encoding='utf-8'?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://graphml.graphdrawing.org/xmlns http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd">
  <key id="d4" for="edge" attr.name="weight" attr.type="double" />
  <key id="d3" for="edge" attr.name="type" attr.type="long" />
  <key id="d2" for="node" attr.name="label" attr.type="string" />
  <key id="d1" for="graph" attr.name="label" attr.type="string" />
  <graph edgedefault="undirected">
    <node id="a">
      <data key="d2">C</data>
    </node>
    <node id="b">
      <data key="d2">N&amp;O</data>
    </node>
    <node id="c" />
    <edge source="a" target="b">
      <data key="d3">2</data>
      <data key="d4">0.5</data>
    </edge>
    <edge source="b" target="c" />
    <data key="d1">ring</data>
  </graph>
</graphml>
`

func file(inside string) string { return "<graphml>" + inside + "</graphml>" }

func undirected(inside string) string {
	return file(`<graph id="g" edgedefault="undirected">` + "\n" + inside + `</graph>`)
}

func TestRead(t *testing.T) {
	got, err := readAll(networkx, graph.Rules{})
	want := []graph.Record{{Label: "ring", NodeLabels: []string{"C", "N&O", ""},
		Graph: &graph.Graph{N: 3, Edges: []graph.Edge{{U: 0, V: 1, Type: 2}, {U: 1, V: 2, Type: 1}}}}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("networkx: %+v, %v", got, err)
	}
	pair := &graph.Graph{N: 2, Edges: []graph.Edge{{U: 0, V: 1, Type: 1}}}
	// Several graphs, defaults, edges before nodes, elements and nested data of other programs.
	got, err = readAll(`<!DOCTYPE graphml>`+file(`<desc>x<b/></desc>
<key id="l" for="all" attr.name="label"><desc/><default> X </default></key><key id="yed" for="node" yfiles.type="nodegraphics"/>
<graph id="first" edgedefault="directed"><node id="1"><port name="p"/><data key="yed"><shape><label>no</label></shape></data></node>
<node id="2"><data key="l"><!-- c -->Y</data></node><edge directed="false" source="2" target="1"/></graph>
<graph id="second" edgedefault="undirected"><edge source="u" target="v"/><node id="v"/><node id="u"/><data key="l">Z</data></graph>
<graph edgedefault="undirected"/>`), graph.Rules{})
	want = []graph.Record{{ID: "first", Label: "X", NodeLabels: []string{"X", "Y"}, Graph: pair}, {ID: "second", Label: "Z", NodeLabels: []string{"X", "X"}, Graph: pair},
		{Label: "X", Graph: &graph.Graph{}}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("several: %+v, %v", got, err)
	}
	got, err = readAll(file(`<graph edgedefault="directed"><node id="a"/><node id="b"/><edge source="a" target="b"/><edge source="b" target="a"/><edge source="b" target="b"/></graph>`),
		graph.Rules{Simplify: true})
	if err != nil || !reflect.DeepEqual(got, []graph.Record{{Graph: pair}}) {
		t.Errorf("simplified: %+v, %v", got, err)
	}
	r, err := NewReader(strings.NewReader(strings.NewReplacer(`"label"`, `"element"`, `"type"`, `"bond"`).Replace(networkx)), "x")
	if err != nil {
		t.Fatal(err)
	}
	r.NodeLabel, r.EdgeType = "element", "bond"
	rec, err := r.Read()
	if err != nil || rec.Graph.Edges[0].Type != 2 || !slices.Equal(rec.NodeLabels, []string{"C", "N&O", ""}) {
		t.Errorf("other keys: %+v, %v", rec, err)
	}
}

func TestReadErrors(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"empty", "", "graph 0, line 1: not GraphML of undirected graphs: no graph"},
		{"no graph", file(""), "no graph in it"},
		{"HTML", "<html><graph/></html>", "the element <html>, want <graphml>"},
		{"cut", networkx[:800], "graph 1, line"},
		{"cut behind the graph", networkx[:len(networkx)-5], "unexpected EOF"},
		{"no XML", "graph [\n node [", "no graph in it"},
		{"entity", undirected(`<node id="&x;"/>`), "invalid character entity"},
		{"direction", file(`<graph edgedefault="directed"><node id="a"/><edge source="a" target="a"/></graph>`), "an edge is directed"},
		{"own direction", undirected(`<edge directed="true" source="a" target="b"/>`), "line 2: not GraphML of undirected graphs: an edge is directed"},
		{"direction how", undirected(`<edge directed="maybe" source="a" target="b"/>`), `directed is "maybe", want true or false`},
		{"no default", file(`<graph/>`), `edgedefault is "", want undirected`},
		{"nested", undirected(`<node id="a"><graph edgedefault="undirected"/></node>`), "a graph within a node"},
		{"graph in graph", undirected(`<graph/>`), "a <graph> within a graph"},
		{"hyperedge", undirected(`<hyperedge/>`), "a <hyperedge> within a graph"},
		{"no id", undirected(`<node/>`), "a node without id"},
		{"no target", undirected(`<edge source="a"/>`), "an edge without target"},
		{"listed twice", undirected(`<node id="a"/><node id="a"/>`), `node "a" is listed twice`},
		{"not listed", undirected(`<node id="a"/><edge source="a" target="b"/>`), `an edge names node "b", which is not among`},
		{"loop", undirected(`<edge source="a" target="a"/>`), `node "a" is joined to itself`},
		{"twice", undirected("<node id='a'/><node id='b'/><edge source='a' target='b'/>\n\n<edge source='b' target='a'/>"), `nodes "a" and "b" are joined on line 2 and again on line 4`},
		{"type", file(`<key id="t" for="edge" attr.name="type"/><graph edgedefault="undirected"><edge source="a" target="b"><data key="t">1.5</data></edge></graph>`), `type is "1.5", want 1 to 255`},
		{"keys", file(`<key id="a"/><key id="a"/>`), `two keys have the id "a"`},
		{"long label", file(`<key id="t" for="node" attr.name="label"/><graph edgedefault="undirected"><node id="a"><data key="t">` + strings.Repeat("x", 5000) + `</data></node></graph>`), "over 4096 bytes"},
		{"long id", undirected(`<node id="` + strings.Repeat("x", 5000) + `"/>`), "5000 bytes, over 256"},
		{"large", undirected(`<node id="` + strings.Repeat("x", 3<<20) + `"/>`), "over 1048576 bytes from one tag"},
		{"deep", undirected(strings.Repeat("<a>", 1000)), "over 64 elements in each other"},
		{"latin", "<?xml version='1.0' encoding='latin1'?><graphml/>", "latin1"},
	} {
		got, err := readAll(tc.in, graph.Rules{})
		if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.HasPrefix(err.Error(), "graphml: x.graphml: ") {
			t.Errorf("%s: %+v, error %v, want it to hold %q", tc.name, got, err, tc.want)
		}
	}
	var keys strings.Builder
	for i := range maxKeys + 1 {
		fmt.Fprintf(&keys, `<key id="%d"/>`, i)
	}
	if _, err := readAll(file(keys.String()), graph.Rules{}); err == nil || !strings.Contains(err.Error(), "over 4096 keys") {
		t.Errorf("many keys: %v", err)
	}
	if _, err := readAll(undirected(`<node id="a"/><node id="b"/>`), graph.Rules{MaxNodes: 1}); err == nil || !strings.Contains(err.Error(), "over 1 nodes") {
		t.Errorf("a limit: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(networkx))
	f.Add([]byte(undirected(`<edge source="a" target="b"/><node id="b"/><node id="a"/>`)))
	f.Add([]byte(file(`<key id="l" for="all" attr.name="label"><default>X</default></key><graph edgedefault="directed"><node id="1"/></graph>`)))
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
	r, err := NewReader(strings.NewReader(`<graphml><graph id="pair" edgedefault="undirected">
<node id="a"/><node id="b"/><edge source="a" target="b"/></graph></graphml>`), "pair.graphml")
	if err != nil {
		fmt.Println(err)
		return
	}
	rec, err := r.Read()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(rec.ID, rec.Graph.N, rec.Graph.Edges)
	// Output: pair 2 [{0 1 1}]
}
