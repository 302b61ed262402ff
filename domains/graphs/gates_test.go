package graphs

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"pfgmgen/internal/graph"
	"pfgmgen/validate"
)

// TestPlantedFaults changes one thing of a good row for every gate.
func TestPlantedFaults(t *testing.T) {
	mols, prots := load(t, moleculeFile).Adapter.(*adapter), load(t, enzymesFile, "component=largest", "max_nodes=60").Adapter.(*adapter)
	family := func(rule string) *adapter {
		s := *prots.s
		s.Family = rule
		return newAdapter(&s)
	}
	C, N, O := codeOf(t, "C"), codeOf(t, "N"), codeOf(t, "O")
	molecule := func(labels []uint8, edges ...graph.Edge) *graph.Graph {
		return &graph.Graph{N: len(labels), Labels: labels, Edges: edges}
	}
	plain := func(n int, edges ...graph.Edge) *graph.Graph { return &graph.Graph{N: n, Edges: edges} }
	sbm, err := graph.Family("sbm", 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	var complete5 []graph.Edge
	for u := range 5 {
		for v := u + 1; v < 5; v++ {
			complete5 = append(complete5, graph.Edge{U: u, V: v, Type: 1})
		}
	}
	ethanol := molecule([]uint8{C, C, O}, graph.Edge{U: 0, V: 1, Type: 1}, graph.Edge{U: 1, V: 2, Type: 1})
	path := plain(4, graph.Edge{U: 0, V: 1, Type: 1}, graph.Edge{U: 1, V: 2, Type: 1}, graph.Edge{U: 2, V: 3, Type: 1})
	triangle := plain(3, graph.Edge{U: 0, V: 1, Type: 1}, graph.Edge{U: 0, V: 2, Type: 1}, graph.Edge{U: 1, V: 2, Type: 1})
	spider := plain(10, graph.Edge{U: 0, V: 1, Type: 1}, graph.Edge{U: 0, V: 2, Type: 1}, graph.Edge{U: 0, V: 3, Type: 1},
		graph.Edge{U: 1, V: 4, Type: 1}, graph.Edge{U: 2, V: 5, Type: 1}, graph.Edge{U: 3, V: 6, Type: 1},
		graph.Edge{U: 4, V: 7, Type: 1}, graph.Edge{U: 5, V: 8, Type: 1}, graph.Edge{U: 6, V: 9, Type: 1}) // three legs of three
	for _, tc := range []struct {
		code  string
		a     *adapter
		good  *graph.Graph
		bad   *graph.Graph
		spoil func(*row)
		hard  bool
	}{
		{code: "GR_NAN", a: prots, good: path, bad: path, spoil: func(r *row) { r.finite = false }, hard: true},
		{code: "GR_EMPTY", a: prots, good: path, bad: plain(1), hard: true},
		{code: "GR_EMPTY", a: prots, good: path, bad: plain(3), hard: true},
		{code: "GR_SIMPLE", a: prots, good: path, bad: plain(2, graph.Edge{U: 0, V: 1, Type: 1}, graph.Edge{U: 0, V: 1, Type: 1}), hard: true},
		{code: "GR_SIMPLE", a: prots, good: path, bad: plain(2, graph.Edge{U: 0, V: 1, Type: 1}, graph.Edge{U: 1, V: 1, Type: 1}), hard: true},
		{code: "GR_CONN", a: prots, good: path, bad: plain(4, graph.Edge{U: 0, V: 1, Type: 1}, graph.Edge{U: 2, V: 3, Type: 1}), hard: true},
		{code: "GR_PLANAR", a: family(planarRule), good: triangle, bad: plain(5, complete5...), hard: true},
		{code: "GR_TREE", a: family(treeRule), good: path, bad: triangle, hard: true},
		{code: "GR_LOBSTER", a: family(lobsterRule), good: path, bad: spider, hard: true},
		{code: "GR_SBM", a: family(sbmRule), good: sbm[0], bad: path, hard: true},
		{code: "GR_ISOL", a: prots, good: path, bad: plain(3, graph.Edge{U: 0, V: 1, Type: 1})},
		{code: "MO_VALENCE", a: mols, good: ethanol, bad: molecule([]uint8{C, O, C}, graph.Edge{U: 0, V: 1, Type: 3}, graph.Edge{U: 0, V: 2, Type: 2}), hard: true},
		// N with four bonds takes a charge, with five nothing helps.
		{code: "MO_CHARGE", a: mols, good: molecule([]uint8{N, C, C}, graph.Edge{U: 0, V: 1, Type: 2}, graph.Edge{U: 0, V: 2, Type: 2}),
			bad: molecule([]uint8{N, C, C}, graph.Edge{U: 0, V: 1, Type: 3}, graph.Edge{U: 0, V: 2, Type: 2}), hard: true},
		{code: "MO_DISC", a: mols, good: ethanol, bad: molecule([]uint8{C, C, O}, graph.Edge{U: 0, V: 1, Type: 1}), hard: true},
		{code: "MO_HYDROGEN", a: mols, good: ethanol, bad: ethanol, spoil: func(r *row) { r.hydrogens[0]++ }},
	} {
		for _, bad := range []bool{false, true} {
			r := &row{g: tc.good, finite: true}
			if bad {
				r.g = tc.bad
			}
			tc.a.finish(r)
			if r.m != nil {
				r.hydrogens = implicit(r.m)
			}
			if bad && tc.spoil != nil {
				tc.spoil(r)
			}
			v := validate.Apply(tc.a.gates, r)
			found := slices.Contains(v.Warnings, tc.code)
			if tc.hard {
				found = slices.Contains(v.Violations, tc.code)
			}
			if found != bad {
				t.Errorf("%s: on a good row %v, verdict %+v", tc.code, !bad, v)
			}
		}
	}
}

func codeOf(t *testing.T, name string) uint8 {
	t.Helper()
	code, err := parseAtom(name)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// TestFalseRejects measures the gates on held-out records, and that a change of one bond is mostly seen.
func TestFalseRejects(t *testing.T) {
	for _, tc := range []struct {
		path     string
		settings []string
	}{
		{moleculeFile, nil},
		{enzymesFile, []string{"component=largest", "min_nodes=10", "max_nodes=40"}},
		{"family:community-small", []string{"count=600"}},
		{"family:planar-64", []string{"count=200"}},
		{"family:tree-64", []string{"count=200"}},
		{"family:lobster", []string{"count=200"}},
		{"family:sbm", []string{"count=100"}},
	} {
		data := load(t, tc.path, tc.settings...)
		a := data.Adapter.(*adapter)
		x := make([]float64, a.layout.size())
		var tally validate.Tally
		for i := range data.Valid.Len() {
			data.Valid.Encode(x, i)
			tally.Add(a.Decode(x, -1).Verdict())
		}
		t.Logf("%s: %d of %d held-out records pass, %v", tc.path, tally.Valid, tally.Rows, tally.ByCode)
		// By the benchmark's own rule, one in nine of the graphs of the block model fails.
		if allowed := map[bool]int{true: tally.Rows / 3}[tc.path == "family:sbm"]; tally.Rows-tally.Valid > allowed {
			t.Errorf("%s: %d of %d held-out records are rejected: %v", tc.path, tally.Rows-tally.Valid, tally.Rows, tally.ByCode)
		}
		delete(tally.ByCode, "GR_SBM")
		if len(tally.ByCode) > 0 {
			t.Errorf("%s: warnings on held-out records: %v", tc.path, tally.ByCode)
		}
	}
}

// TestNoiseIsRejected decodes noise in the mask of real sizes.
func TestNoiseIsRejected(t *testing.T) {
	a := load(t, moleculeFile).Adapter.(*adapter)
	rng := rand.New(rand.NewPCG(1, 2))
	x := make([]float64, a.layout.size())
	var tally validate.Tally
	for range 500 {
		for i := range x {
			x[i] = rng.NormFloat64()
		}
		a.Mask(x, -1, rng)
		tally.Add(a.Decode(x, -1).Verdict())
	}
	if tally.Valid > 10 {
		t.Errorf("%d of %d samples of noise are valid molecules: %v", tally.Valid, tally.Rows, tally.ByCode)
	}
}

// TestSBMRule holds the approximate test to graphs of the model and to others with as many nodes and edges.
func TestSBMRule(t *testing.T) {
	graphs, err := graph.Family("sbm", 200, 7)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(3, 4))
	pass, others := 0, 0
	for _, g := range graphs {
		if g.IsSBM() {
			pass++
		}
		h := &graph.Graph{N: g.N}
		p := g.Density()
		for u := range g.N {
			for v := u + 1; v < g.N; v++ {
				if rng.Float64() < p {
					h.Edges = append(h.Edges, graph.Edge{U: u, V: v, Type: 1})
				}
			}
		}
		if h.IsSBM() {
			others++
		}
	}
	t.Logf("%d of %d graphs of the model and %d random ones of the same density pass", pass, len(graphs), others)
	if pass < 168 || others > 0 {
		t.Errorf("%d of %d graphs of the model and %d random ones pass, want at least 168 and none", pass, len(graphs), others)
	}
}

// TestChargeRule follows charges from a file to a row and back.
func TestChargeRule(t *testing.T) {
	for _, tc := range []struct {
		smiles string
		atoms  []string // classes that are neither C nor neutral
		charge int
	}{
		{"C[N+](C)(C)C", []string{"N"}, 1},                     // four bonds say it
		{"CC[N+](=O)[O-]", []string{"N", "O", "O-1"}, 0},       // the oxygen needs a class
		{"C[NH3+]", []string{"N+1"}, 1},                        // one bond does not say it
		{"CC(=O)[O-]", []string{"O", "O-1"}, -1},               //
		{"C[O+](C)C", []string{"O"}, 1},                        //
		{"C[S+](C)C", []string{"S+1"}, 1},                      // the rule never charges sulfur
		{"C[N+]#[C-]", []string{"C-1", "N"}, 0},                //
		{"CS(=O)(=O)C", []string{"O", "S"}, 0},                 //
		{"O=[N+]([O-])c1ccccc1", []string{"N", "O-1", "O"}, 0}, //
	} {
		path := file(t, "a.smi", tc.smiles+"\nCCC\nCCCC\nCC(C)C\nCCCCC\n")
		in := read(t, path)
		var names []string
		for _, code := range in.records[0].g.Labels {
			if name := atomName(code); name != "C" && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		want := slices.Clone(tc.atoms)
		slices.Sort(want)
		if m := moleculeOf(in.records[0].g); !slices.Equal(names, want) || m.NetCharge() != tc.charge || len(m.Faults()) > 0 {
			t.Errorf("%s: classes %v, charge %d, faults %v, want %v and %d", tc.smiles, names, m.NetCharge(), m.Faults(), tc.atoms, tc.charge)
		}
	}
}

func TestMeasures(t *testing.T) {
	a := load(t, enzymesFile, "component=largest", "max_nodes=60").Adapter.(*adapter)
	r := &row{g: &graph.Graph{N: 4, Labels: []uint8{129, 129, 130, 131}, Edges: []graph.Edge{{U: 0, V: 1, Type: 1}, {U: 0, V: 2, Type: 1}, {U: 1, V: 2, Type: 1}, {U: 2, V: 3, Type: 1}}}, finite: true}
	a.finish(r)
	got := one(t, a, r)
	for name, want := range map[string]any{
		"n_nodes": int32(4), "n_edges": int32(4), "n_components": int32(1), "largest_cc": int32(4), "triangles": int64(1), "is_tree": false, "is_planar": true,
		"density": float32(4.0 / 6), "avg_clustering": float32((1 + 1 + 1.0/3) / 4), "assortativity": float32(-5.0 / 7), "graph6": "Cx", "smiles": nil, "charge": nil, "mw": nil,
	} {
		if v, ok := want.(float32); ok {
			// the columns are float32, the measures are rounded once
			if f, is := got[name].(float32); !is || math.Abs(float64(f-v)) > 1e-6 {
				t.Errorf("%s is %v, want %v", name, got[name], want)
			}
		} else if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
	b := load(t, moleculeFile).Adapter.(*adapter)
	C, O := codeOf(t, "C"), codeOf(t, "O")
	r = &row{g: &graph.Graph{N: 3, Labels: []uint8{C, C, O}, Edges: []graph.Edge{{U: 0, V: 1, Type: 1}, {U: 1, V: 2, Type: 1}}}, finite: true}
	b.finish(r)
	got = one(t, b, r)
	for name, want := range map[string]any{
		"smiles": "CCO", "charge": int8(0), "heavy_atoms": int32(3), "n_rings": int32(0), "is_tree": true, "triangles": int64(0),
	} {
		if got[name] != want && !(name == "smiles" && got[name] == "OCC") {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
	// CRC Handbook: ethanol 46.07 g/mol.
	if mw, _ := got["mw"].(float32); math.Abs(float64(mw)-46.07) > 0.005 {
		t.Errorf("ethanol weighs %v g/mol, want 46.07", got["mw"])
	}
}

// one is the row as its columns have it, lists and nulls as nil.
func one(t testing.TB, a *adapter, r *row) map[string]any {
	t.Helper()
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(a.Fields(), nil))
	defer b.Release()
	r.Append(b.Fields())
	rec := b.NewRecord()
	defer rec.Release()
	out := make(map[string]any)
	for i, f := range a.Fields() {
		if rec.Column(i).IsNull(0) {
			continue
		}
		switch c := rec.Column(i).(type) {
		case *array.Int8:
			out[f.Name] = c.Value(0)
		case *array.Int32:
			out[f.Name] = c.Value(0)
		case *array.Int64:
			out[f.Name] = c.Value(0)
		case *array.Uint64:
			out[f.Name] = c.Value(0)
		case *array.Float32:
			out[f.Name] = c.Value(0)
		case *array.Boolean:
			out[f.Name] = c.Value(0)
		case *array.String:
			out[f.Name] = c.Value(0)
		}
	}
	return out
}
