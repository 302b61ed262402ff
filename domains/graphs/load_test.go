package graphs

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pfgmgen/domains"
	"pfgmgen/internal/graph"
)

// TestSMILESAgree reads the molecules from SMILES with our own reader and from the atoms and bonds that RDKit wrote.
func TestSMILESAgree(t *testing.T) {
	table := make(map[string]bool)
	for _, r := range read(t, moleculeFile).records {
		table[moleculeKey(r.g, moleculeOf(r.g))] = true
	}
	lines, missing := make(map[string]bool), 0
	in := read(t, smilesFile)
	for _, r := range in.records {
		key := moleculeKey(r.g, moleculeOf(r.g))
		lines[key] = true
		if !table[key] {
			missing++
		}
	}
	// 9,880 lines, 9,810 molecules after stereo marks are dropped (SOURCE.md).
	if in.kind != molecules || len(in.records) != 9880 || in.unreadable > 0 || len(table) != 9810 || len(lines) != 9810 || missing > 0 {
		t.Errorf("%d %s, %d unreadable, %d and %d different ones, %d in the lines only; want 9880, 0, 9810 and 9810, 0",
			len(in.records), in.kind, in.unreadable, len(table), len(lines), missing)
	}
}

// TestFormats reads the same three graphs from every format and gets the same keys.
func TestFormats(t *testing.T) {
	molecules := map[string]string{
		"a.smi":     "CCO ethanol\nc1ccccc1 benzene\n# comment\nCC(=O)[O-]\tacetate\n",
		"a.csv":     "name,SMILES\nethanol,OCC\nbenzene,C1=CC=CC=C1\nacetate,\"CC([O-])=O\"\n",
		"a.tsv":     "id\tsmiles\tclass\nethanol\tCCO\tx\nbenzene\tc1ccccc1\tx\nacetate\tCC(=O)[O-]\ty\n",
		"b.tsv":     "id\tatoms\tbonds\nethanol\tC C O\t0-1:1 1-2:1\nbenzene\tC C C C C C\t0-1:2 1-2:1 2-3:2 3-4:1 4-5:2 5-0:1\nacetate\tC C O O-1\t0-1:1 1-2:2 1-3:1\n",
		"noname":    "CCO ethanol\nC1=CC=CC=C1 benzene\nCC(=O)[O-] acetate\n",
		"a.sdf":     molfile3,
		"a.smi.txt": "SMILES name\nCCO ethanol\nc1ccccc1 benzene\nCC(=O)[O-] acetate\n",
	}
	var want []string
	for _, name := range sortedKeys(molecules) {
		in := read(t, file(t, name, molecules[name]))
		var got []string
		for _, r := range in.records {
			got = append(got, r.id+" "+moleculeKey(r.g, moleculeOf(r.g)))
		}
		if want == nil {
			want = got
		}
		if len(got) != 3 || !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// TestGraphFormats reads a triangle with a tail and a path from every format of graphs without atoms.
func TestGraphFormats(t *testing.T) {
	files := map[string]string{
		"a.edgelist": "0 1\n0 2\n1 2\n2 3\n\n0 1\n1 2\n",
		"nameless":   "# graph id=a nodes=4\n0 1\n0 2\n1 2\n2 3\n# graph id=b nodes=3\n0 1\n1 2\n",
		"csv":        "1,2\n1,3\n2,3\n3,4\n\n1,2\n2,3\n",
		"a.g6":       "Cx\nBg\n",
		"header":     ">>graph6<<Cx\nBg\n",
		"a.json":     `[{"nodes": [{"id": 0}, {"id": 1}, {"id": 2}, {"id": 3}], "links": [{"source": 0, "target": 1}, {"source": 0, "target": 2}, {"source": 1, "target": 2}, {"source": 2, "target": 3}]}, {"nodes": [{"id": 0}, {"id": 1}, {"id": 2}], "edges": [{"source": 0, "target": 1}, {"source": 1, "target": 2}]}]`,
		"a.xml": `<?xml version="1.0"?><graphml xmlns="http://graphml.graphdrawing.org/xmlns"><graph edgedefault="undirected"><node id="a"/><node id="b"/><node id="c"/><node id="d"/>` +
			`<edge source="a" target="b"/><edge source="a" target="c"/><edge source="b" target="c"/><edge source="c" target="d"/></graph>` +
			`<graph edgedefault="undirected"><node id="a"/><node id="b"/><node id="c"/><edge source="a" target="b"/><edge source="b" target="c"/></graph></graphml>`,
		"T_A.txt": "1, 2\n2, 1\n1, 3\n2, 3\n3, 4\n5, 6\n6, 7\n",
	}
	var want []string
	for _, name := range sortedKeys(files) {
		path := file(t, name, files[name])
		if name == "T_A.txt" {
			if err := os.WriteFile(filepath.Join(filepath.Dir(path), "T_graph_indicator.txt"), []byte("1\n1\n1\n1\n2\n2\n2\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		for _, r := range read(t, path).records {
			got = append(got, isomorphismKey(r.g))
		}
		if want == nil {
			want = got
		}
		if len(got) != 2 || !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

const molfile3 = `ethanol
  test

  3  2  0  0  0  0  0  0  0  0999 V2000
    0.0000    0.0000    0.0000 C   0  0  0  0  0  0  0  0  0  0  0  0
    0.0000    0.0000    0.0000 C   0  0  0  0  0  0  0  0  0  0  0  0
    0.0000    0.0000    0.0000 O   0  0  0  0  0  0  0  0  0  0  0  0
  1  2  1  0
  2  3  1  0
M  END
$$$$
benzene
  test

  6  6  0  0  0  0  0  0  0  0999 V2000
    0.0000    0.0000    0.0000 C   0  0  0  0  0  0  0  0  0  0  0  0
    0.0000    0.0000    0.0000 C   0  0  0  0  0  0  0  0  0  0  0  0
    0.0000    0.0000    0.0000 C   0  0  0  0  0  0  0  0  0  0  0  0
    0.0000    0.0000    0.0000 C   0  0  0  0  0  0  0  0  0  0  0  0
    0.0000    0.0000    0.0000 C   0  0  0  0  0  0  0  0  0  0  0  0
    0.0000    0.0000    0.0000 C   0  0  0  0  0  0  0  0  0  0  0  0
  1  2  2  0
  2  3  1  0
  3  4  2  0
  4  5  1  0
  5  6  2  0
  6  1  1  0
M  END
$$$$
acetate
  test

  4  3  0  0  0  0  0  0  0  0999 V2000
    0.0000    0.0000    0.0000 C   0  0  0  0  0  0  0  0  0  0  0  0
    0.0000    0.0000    0.0000 C   0  0  0  0  0  0  0  0  0  0  0  0
    0.0000    0.0000    0.0000 O   0  0  0  0  0  0  0  0  0  0  0  0
    0.0000    0.0000    0.0000 O   0  5  0  0  0  0  0  0  0  0  0  0
  1  2  1  0
  2  3  2  0
  2  4  1  0
M  CHG  1   4  -1
M  END
$$$$
`

// TestMask draws masks and compares sizes with the training histogram.
func TestMask(t *testing.T) {
	data := load(t, enzymesFile, "component=largest", "min_nodes=10", "max_nodes=40", "condition=label")
	a := data.Adapter.(*adapter)
	rng := rand.New(rand.NewPCG(5, 6))
	x := make([]float64, a.layout.size())
	const draws = 3000
	for _, label := range []int{-1, 0, 5, 99} {
		histogram := a.s.Sizes[0]
		if label >= 0 && label < 6 {
			histogram = a.s.Sizes[1+label]
		}
		total := 0
		for _, c := range histogram {
			total += c[1]
		}
		counts := make(map[int]int)
		for k := range draws {
			for i := range x {
				x[i] = rng.NormFloat64()
			}
			a.Mask(x, label, rng)
			n := a.layout.nodesOf(x)
			counts[n]++
			present := 0
			for _, v := range x {
				if v != 0 {
					present++
				}
			}
			if present != a.layout.free(n) {
				t.Fatalf("%d coordinates of %d nodes, want %d", present, n, a.layout.free(n))
			}
			if k < 100 {
				if r := a.Decode(x, label).(*row); r.g.N != n {
					t.Fatalf("%d nodes decoded of %d", r.g.N, n)
				}
			}
		}
		for _, c := range histogram {
			p := float64(c[1]) / float64(total)
			// 5 standard deviations of a binomial count: one false alarm in a million.
			if d := float64(counts[c[0]]) - draws*p; d*d > 25*draws*p*(1-p)+1 {
				t.Errorf("label %d: size %d drawn %d times in %d, want %.1f", label, c[0], counts[c[0]], draws, draws*p)
			}
			delete(counts, c[0])
		}
		if len(counts) > 0 {
			t.Errorf("label %d: sizes that no training graph has: %v", label, counts)
		}
	}
}

// TestAbsentIsZero holds every encoded record to the rule that absent is exactly 0 and nothing else is.
func TestAbsentIsZero(t *testing.T) {
	for _, data := range []*domains.Data{load(t, moleculeFile), load(t, "family:community-small", "count=50")} {
		a := data.Adapter.(*adapter)
		x, y := make([]float64, a.layout.size()), make([]float64, a.layout.size())
		for i := range data.Train.Len() {
			data.Train.Encode(x, i)
			n := len(data.Train.(*examples).rows[i]) / a.layout.codes()
			for k := range y {
				y[k] = 1
			}
			a.layout.mask(y, n)
			for k := range x {
				if (x[k] == 0) != (y[k] == 0) {
					t.Fatalf("record %d of %d nodes: coordinate %d is %g, the mask has %g", i, n, k, x[k], y[k])
				}
			}
		}
	}
}

func TestOrders(t *testing.T) {
	one, four := load(t, moleculeFile, "max_nodes=9"), load(t, moleculeFile, "max_nodes=9", "orders=4")
	if string(one.Adapter.Settings()) != string(four.Adapter.Settings()) || one.Valid.Len() != four.Valid.Len() {
		t.Error("orders changes the settings or the held-out part")
	}
	if n, m := one.Train.Len(), four.Train.Len(); m < 7*n/2 || m > 4*n {
		t.Errorf("%d training records in %d orders, want nearly 4 for each", n, m)
	}
	a := four.Adapter.(*adapter)
	x := make([]float64, a.layout.size())
	last, seen := "", make(map[string]bool)
	for i := range four.Train.Len() {
		four.Train.Encode(x, i)
		if r := a.Decode(x, -1); i%16 == 0 && (r.Key() != four.Train.Key(i) || !r.Verdict().Valid() || len(r.Verdict().Warnings) > 0) {
			t.Fatalf("record %d decodes to %s, %+v, want %s", i, r.Key(), r.Verdict(), four.Train.Key(i))
		}
		if key := four.Train.Key(i); key != last {
			last = key
			clear(seen)
		}
		if code := string(four.Train.(*examples).rows[i]); seen[code] {
			t.Fatalf("record %d (%s) is there twice in one order", i, last)
		} else {
			seen[code] = true
		}
	}
	if other := load(t, moleculeFile, "max_nodes=9", "orders=4", "seed=2"); slices.EqualFunc(other.Train.(*examples).rows, four.Train.(*examples).rows, slices.Equal) {
		t.Error("another seed gives the same orders")
	}
}

// Variants are molecules that no part of the data has, each once, and all else stays as it is.
func TestVariants(t *testing.T) {
	plain, more := load(t, moleculeFile, "max_nodes=9", "bandwidth=4"), load(t, moleculeFile, "max_nodes=9", "bandwidth=4", "variants=3")
	if plain.Valid.Len() != more.Valid.Len() || !slices.Equal(plain.Adapter.Shape(), more.Adapter.Shape()) {
		t.Errorf("variants change the held-out part or the shape: %v, %v", plain.Adapter.Shape(), more.Adapter.Shape())
	}
	known := make(map[string]bool)
	for _, r := range read(t, moleculeFile).records {
		known[moleculeKey(r.g, moleculeOf(r.g))] = true
	}
	first, n := plain.Train.Len(), more.Train.Len()
	if n < first+5*first/2 || n > 4*first { // small molecules have few near ones, and a longer reach leaves some out
		t.Errorf("%d molecules with variants of %d, want nearly 4 times as many", n, first)
	}
	a := more.Adapter.(*adapter)
	x := make([]float64, a.layout.size())
	for i := range n {
		more.Train.Encode(x, i)
		r := a.Decode(x, -1)
		key := more.Train.Key(i)
		switch {
		case r.Key() != key || !r.Verdict().Valid() || len(r.Verdict().Warnings) > 0:
			t.Fatalf("record %d decodes to %s, %+v, want %s", i, r.Key(), r.Verdict(), key)
		case i < first && key != plain.Train.Key(i):
			t.Fatalf("record %d is %s, want the training molecule %s", i, key, plain.Train.Key(i))
		case i >= first && known[key]:
			t.Fatalf("record %d, %s, is in the data, or another variant", i, key)
		}
		known[key] = true
	}
	again := load(t, moleculeFile, "max_nodes=9", "bandwidth=4", "variants=3")
	other := load(t, moleculeFile, "max_nodes=9", "bandwidth=4", "variants=3", "seed=2")
	if !slices.Equal(again.Train.(*examples).keys, more.Train.(*examples).keys) || slices.Equal(other.Train.(*examples).keys, more.Train.(*examples).keys) {
		t.Error("variants do not follow from the seed")
	}
}

func TestConditions(t *testing.T) {
	for _, tc := range []struct {
		path     string
		settings []string
		labels   []string
	}{
		{enzymesFile, []string{"condition=label"}, []string{"1", "2", "3", "4", "5", "6"}},
		{enzymesFile, nil, nil},
		{"family:community-small", []string{"condition=size"}, []string{"12", "14", "16", "18", "20"}},
		{moleculeFile, []string{"condition=size", "max_nodes=5"}, []string{"2", "3", "4", "5"}},
	} {
		data := load(t, tc.path, tc.settings...)
		if !slices.Equal(data.Adapter.Labels(), tc.labels) {
			t.Errorf("%s %v: labels %q, want %q", tc.path, tc.settings, data.Adapter.Labels(), tc.labels)
		}
		x := make([]float64, data.Adapter.(*adapter).layout.size())
		for i := range data.Train.Len() {
			label := data.Train.Encode(x, i)
			if (tc.labels == nil) != (label == -1) {
				t.Fatalf("%s: record %d has class %d", tc.path, i, label)
			}
			if len(tc.settings) > 0 && strings.HasSuffix(tc.settings[0], "size") {
				if n := data.Adapter.(*adapter).layout.nodesOf(x); tc.labels[label] != strconv.Itoa(n) {
					t.Fatalf("%s: a graph of %d nodes has class %s", tc.path, n, tc.labels[label])
				}
			}
		}
	}
	// More sizes than classes: neighbours share one.
	wide := load(t, enzymesFile, "condition=size", "max_nodes=100").Adapter.Labels()
	if len(wide) > maxSizeClasses || !slices.ContainsFunc(wide, func(s string) bool { return strings.Contains(s, "-") }) {
		t.Errorf("size classes %q", wide)
	}
}

func TestComponents(t *testing.T) {
	// Ethanol with sodium-free counter fragments, twice.
	path := file(t, "a.smi", "CCO.C\nCCC\nCCCC\nCC(C)C\n")
	data := load(t, path)
	if n := data.Train.Len() + data.Valid.Len(); n != 3 || !strings.Contains(strings.Join(data.Notes, "\n"), "1 molecules of several fragments") {
		t.Errorf("%d records, notes %q, want 3 and a note on fragments", n, data.Notes)
	}
	data = load(t, path, "component=largest")
	if n := data.Train.Len() + data.Valid.Len(); n != 4 {
		t.Errorf("%d records with component=largest, want 4", n)
	}
	// Rows are cut down when asked, and say so.
	for _, fragments := range []string{"reject", "largest"} {
		a := load(t, path, "fragments="+fragments).Adapter.(*adapter)
		r := &row{g: &graph.Graph{N: 4, Labels: slices.Repeat([]uint8{codeOf(t, "C")}, 4),
			Edges: []graph.Edge{{U: 0, V: 1, Type: 1}, {U: 1, V: 3, Type: 1}}}, hydrogens: []uint8{3, 2, 4, 3}, finite: true}
		a.finish(r)
		if want := map[string]int{"reject": 4, "largest": 3}[fragments]; r.g.N != want || r.pieces != 2 || r.size != 3 || len(r.hydrogens) != r.m.HeavyAtoms() || r.hydrogens[r.g.N-1] != 3 {
			t.Errorf("fragments=%s: %d nodes, %d components, the largest of %d; hydrogens %v", fragments, r.g.N, r.pieces, r.size, r.hydrogens)
		}
	}
}

func TestSplit(t *testing.T) {
	data := file(t, "a.smi", "CCO a\nCCC b\nCCCC c\nCC(C)N d\nCCCCC e\nCCN f\nNCC g\n")
	split := file(t, "split.tsv", "id\tsequence\tsplit\na\t\ttest\n\tC(C)C\tvalid\nc\t\ttrain\nd\t\ttrain\nf\t\ttrain\ng\t\tvalid\n")
	d, err := Domain{}.Load(context.Background(), domains.LoadOptions{Paths: []string{data}, Split: split})
	if err != nil {
		t.Fatal(err)
	}
	notes := strings.Join(d.Notes, "\n")
	// e is not named; f is the molecule g, which is held out.
	if d.Train.Len() != 2 || d.Valid.Len() != 2 || !strings.Contains(notes, "1 records that the split table does not name") ||
		!strings.Contains(notes, "1 test records") || !strings.Contains(notes, "1 training graphs dropped because an isomorphic one is held out") {
		t.Errorf("%d training and %d held-out records, notes %q", d.Train.Len(), d.Valid.Len(), d.Notes)
	}
}

func TestLoadErrors(t *testing.T) {
	good := "CCO a\nCCC b\nCCCC c\n"
	for _, tc := range []struct {
		name, text string
		settings   []string
		want       string
	}{
		{"a.smi", "not a molecule\n", nil, "line 1"},
		{"a.csv", "name,smiles\n", nil, "no molecule"},
		{"a.smi", good + "C1CC\nxyz\n", nil, "more than a tenth"},
		{"a.smi", good + "C1CC\n", []string{"unreadable=error"}, "line 4"},
		{"a.tsv", "atoms\tbonds\nC C\t0-5:1\n", nil, "line 2"},
		{"a.tsv", "atoms\tbonds\nC C\t0-1:9\n", nil, "order of 1 to 3"},
		{"a.tsv", "atoms\tbonds\nC Xx\t0-1:1\n", nil, `"Xx"`},
		{"a.tsv", "atoms\tbonds\tsplit\nC C\t0-1:1\tlater\n", nil, `"later"`},
		{"a.edgelist", "0 0\n", nil, "line 1"},
		{"a.edgelist", "# graph nodes=3\n0 1\n0 7\n", nil, "line 3"},
		{"a.smi", good, []string{"family=tree"}, "molecules"},
		{"a.smi", good, []string{"condition=label"}, "no class"},
		{"a.smi", good, []string{"min_nodes=9"}, "9 to 1024 nodes"},
		{"a.smi", good, []string{"min_nodes=9", "max_nodes=3"}, "above"},
		{"a.smi", good, []string{"orders=0"}, "1 to 64"},
		{"a.smi", good, []string{"variants=65"}, "0 to 64"},
		{"a.edgelist", "0 1\n\n0 1\n1 2\n", []string{"variants=2"}, "is for molecules"},
		{"a.smi", good, []string{"kind=proteins"}, "auto or"},
		{"a.edgelist", "0 1\n\n0 1\n1 2\n", []string{"kind=molecules"}, "without atoms"},
	} {
		path := file(t, tc.name, tc.text)
		_, err := Domain{}.Load(context.Background(), optionsFor(path, tc.settings...))
		if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.HasPrefix(err.Error(), "graphs: ") {
			t.Errorf("%q %v: error %v, want one with %q", tc.text, tc.settings, err, tc.want)
		}
		if len(tc.settings) > 0 && tc.settings[0] != "min_nodes=9" && !strings.HasPrefix(tc.settings[0], "unreadable") && !errors.Is(err, domains.ErrSetting) {
			t.Errorf("%v: %v does not wrap ErrSetting", tc.settings, err)
		}
	}
	if _, err := (Domain{}).Load(context.Background(), optionsFor("family:unheard")); err == nil || !strings.Contains(err.Error(), "community-small") {
		t.Errorf("an unknown family: %v", err)
	}
	dir := t.TempDir()
	if _, err := (Domain{}).Load(context.Background(), optionsFor(dir)); err == nil || !strings.Contains(err.Error(), "directory") {
		t.Errorf("a directory: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "X_A.txt"), []byte("1, 2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := (Domain{}).Load(context.Background(), optionsFor(filepath.Join(dir, "X_A.txt"))); err == nil || !strings.Contains(err.Error(), "X_graph_indicator") {
		t.Errorf("a TU set without its indicator: %v", err)
	}
	// Molecules and other graphs do not mix, unless molecules are taken as graphs.
	two := domains.LoadOptions{Paths: []string{file(t, "a.smi", good), file(t, "b.edgelist", "0 1\n1 2\n\n0 1\n")}}
	if _, err := (Domain{}).Load(context.Background(), two); err == nil || !strings.Contains(err.Error(), "one data set") {
		t.Errorf("molecules and graphs: %v", err)
	}
}

func TestNodeLabels(t *testing.T) {
	text := ""
	for i := range 12 {
		text += "# graph id=g" + strconv.Itoa(i) + "\n"
		for v := range i + 2 {
			text += "node " + strconv.Itoa(v) + " " + []string{"red", "blue"}[v%2] + "\n"
		}
		for v := range i + 1 {
			text += strconv.Itoa(v) + " " + strconv.Itoa(v+1) + " " + strconv.Itoa(1+v%2*4) + "\n"
		}
	}
	data := load(t, file(t, "a.edgelist", text))
	s := data.Adapter.(*adapter).s
	if !slices.Equal(s.Labels, []int{0, 1}) || !slices.Equal(s.EdgeTypes, []int{1, 5}) || !slices.ContainsFunc(data.Notes, func(n string) bool { return strings.Contains(n, "0 blue, 1 red") }) {
		t.Errorf("labels %v, edge types %v, notes %q", s.Labels, s.EdgeTypes, data.Notes)
	}
	// Molecules taken as graphs have their atomic numbers as labels.
	data = load(t, file(t, "a.smi", "CCO\nCCN\nCCC\nCCCC\nCCCO\nCC\nCCCCO\nCCCCN\nC=CCC\nC#CC\n"), "kind=graphs")
	if s := data.Adapter.(*adapter).s; s.Kind != generic || !slices.Contains(s.Labels, 6) || s.Atoms != nil {
		t.Errorf("molecules as graphs: %s", s.marshal())
	}
}

func TestExports(t *testing.T) {
	C, O := codeOf(t, "C"), codeOf(t, "O-1")
	mol := load(t, moleculeFile).Adapter.(*adapter)
	m := &row{g: &graph.Graph{N: 3, Labels: []uint8{C, C, O}, Edges: []graph.Edge{{U: 0, V: 1, Type: 1}, {U: 1, V: 2, Type: 1}}}, finite: true}
	mol.finish(m)
	plain := &row{g: &graph.Graph{N: 3, Labels: []uint8{129, 129, 131}, Edges: []graph.Edge{{U: 0, V: 1, Type: 1}, {U: 1, V: 2, Type: 1}}}, finite: true}
	load(t, enzymesFile, "condition=label").Adapter.(*adapter).finish(plain)
	for _, tc := range []struct {
		row    *row
		format string
		want   string // a part of it; empty is an error
	}{
		{m, "smiles", "\trun-1\n"}, {m, "sdf", "M  CHG  1   3  -1"}, {m, "graph6", "Bg\n"}, {m, "edgelist", "O-1"},
		{plain, "graph6", "Bg\n"}, {plain, "edgelist", "id=run-1"}, {plain, "smiles", ""}, {plain, "sdf", ""}, {plain, "gml", ""},
	} {
		var b strings.Builder
		err := tc.row.Export(&b, tc.format, "run-1")
		if (err != nil) != (tc.want == "") || !strings.Contains(b.String(), tc.want) {
			t.Errorf("%s: %q, %v, want %q in it", tc.format, b.String(), err, tc.want)
		}
	}
	// A chain of 1,000 atoms is too long for an SD file, and the complete graph of 24 has too many open rings for SMILES.
	chain, dense := &row{g: &graph.Graph{N: 1000}, finite: true}, &row{g: &graph.Graph{N: 24}, finite: true}
	for u := range chain.g.N {
		if chain.g.Labels = append(chain.g.Labels, C); u > 0 {
			chain.g.Edges = append(chain.g.Edges, graph.Edge{U: u - 1, V: u, Type: 1})
		}
	}
	for u := range dense.g.N {
		dense.g.Labels = append(dense.g.Labels, C)
		for v := u + 1; v < dense.g.N; v++ {
			dense.g.Edges = append(dense.g.Edges, graph.Edge{U: u, V: v, Type: 1})
		}
	}
	mol.finish(chain)
	mol.finish(dense)
	for format, r := range map[string]*row{"sdf": chain, "smiles": dense} {
		var b strings.Builder
		if err := r.Export(&b, format, "run-1"); !errors.Is(err, domains.ErrNoForm) || b.Len() > 0 {
			t.Errorf("%s: %d bytes, %v, want ErrNoForm and nothing", format, b.Len(), err)
		}
	}
	// What is exported as SMILES or SDF reads back as the same molecule.
	data := load(t, moleculeFile)
	x := make([]float64, mol.layout.size())
	var lines, sdf strings.Builder
	var keys []string
	for i := range 200 {
		data.Valid.Encode(x, i)
		r := mol.Decode(x, -1).(*row)
		if err := errors.Join(r.Export(&lines, "smiles", "a"), r.Export(&sdf, "sdf", "a")); err != nil {
			t.Fatal(err)
		}
		keys = append(keys, r.Key())
	}
	for name, text := range map[string]string{"a.smi": lines.String(), "a.sdf": sdf.String()} {
		for i, r := range read(t, file(t, name, text)).records {
			if key := moleculeKey(r.g, moleculeOf(r.g)); key != keys[i] {
				t.Errorf("%s: record %d is %s, was %s", name, i, key, keys[i])
			}
		}
	}
}

func TestFamilyNote(t *testing.T) {
	o := optionsFor(file(t, "a.edgelist", "0 1\n1 2\n\n0 1\n0 2\n1 2\n\n0 1\n1 2\n2 3\n"), "family=tree")
	o.Split = file(t, "split.tsv", "id\tsplit\n1\ttrain\n2\ttrain\n3\tvalid\n")
	d, err := Domain{}.Load(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(d.Notes, "1 of 2 training graphs break the rule family=tree") {
		t.Errorf("notes %q", d.Notes)
	}
	if s := load(t, "family:tree-64", "count=20").Adapter.(*adapter).s; s.Family != treeRule {
		t.Errorf("a built-in family of trees has the rule %q", s.Family)
	}
	if s := load(t, "family:tree-64", "count=20", "family=none").Adapter.(*adapter).s; s.Family != "" {
		t.Errorf("family=none leaves the rule %q", s.Family)
	}
}
