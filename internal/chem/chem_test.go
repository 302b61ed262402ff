package chem_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"pfgmgen/internal/chem"
	"pfgmgen/internal/chem/chemtest"
	"pfgmgen/internal/graph"
)

var shared = sync.OnceValues(func() ([]chemtest.Entry, error) {
	f, err := os.Open(filepath.Join("..", "..", "..", "shared", "data", "graphs", "pubchemqc_cno", "molecules.tsv.gz"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return chemtest.Table(f)
})

func table(t testing.TB) []chemtest.Entry {
	t.Helper()
	entries, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 9810 {
		t.Fatalf("%d molecules, want the 9,810 of SOURCE.md", len(entries))
	}
	return entries
}

// mol builds a molecule: "C C N+ O-" and "0-1 1=2 2#3"; a dot after a symbol is an unpaired electron.
func mol(t testing.TB, atoms, bonds string) *chem.Molecule {
	t.Helper()
	m := &chem.Molecule{}
	for s := range strings.FieldsSeq(atoms) {
		var a chem.Atom
		bare := strings.TrimRight(s, "+-.")
		for _, c := range s[len(bare):] {
			switch c {
			case '+':
				a.Charge++
			case '-':
				a.Charge--
			case '.':
				a.Radical++
			}
		}
		e, ok := chem.ElementOf(bare)
		if !ok {
			t.Fatalf("no element %q", bare)
		}
		a.Element = e
		m.Atoms = append(m.Atoms, a)
	}
	for s := range strings.FieldsSeq(bonds) {
		at := strings.IndexAny(s, "-=#")
		i, j := number(s[:at]), number(s[at+1:])
		m.Bonds = append(m.Bonds, chem.Bond{I: min(i, j), J: max(i, j), Order: uint8(strings.IndexByte("-=#", s[at]) + 1)})
	}
	return m
}

func number(s string) int {
	n := 0
	for _, c := range s {
		n = 10*n + int(c-'0')
	}
	return n
}

func TestElements(t *testing.T) {
	for e := chem.Hydrogen; e <= chem.MaxElement; e++ {
		if back, ok := chem.ElementOf(e.String()); !ok || back != e {
			t.Errorf("%d is %q, which is %d", e, e, back)
		}
		// Heavier elements have heavier atoms, but for the pairs known since Mendeleev and the short-lived end.
		if e > 1 && e < 104 && e.Mass() <= (e-1).Mass() {
			switch e.String() {
			case "K", "Ni", "I", "Pa", "Np", "Am", "Bk":
			default:
				t.Errorf("%v has mass %g, less than %v with %g", e, e.Mass(), e-1, (e - 1).Mass())
			}
		}
		if ratio := e.Mass() / float64(e); e > 1 && (ratio < 1.98 || ratio > 2.7) {
			t.Errorf("%v: mass %g", e, e.Mass())
		}
	}
	for _, s := range []string{"", "c", "CL", "Xx", "D"} {
		if e, ok := chem.ElementOf(s); ok {
			t.Errorf("%q is %v", s, e)
		}
	}
	for _, e := range []chem.Element{0, 119, 255} {
		if e.String() != "?" || e.Mass() != 0 {
			t.Errorf("%d is %v of mass %g", uint8(e), e, e.Mass())
		}
	}
}

func TestValences(t *testing.T) {
	for _, tc := range []struct {
		symbol string
		charge int8
		want   []int
		ok     bool
	}{
		{"C", 0, []int{4}, true}, {"N", 0, []int{3}, true}, {"N", 1, []int{4}, true}, {"O", 0, []int{2}, true},
		{"O", 1, []int{3}, true}, {"O", -1, []int{1}, true}, {"F", 0, []int{1}, true}, {"Cl", 0, []int{1}, true},
		{"Br", 0, []int{1}, true}, {"I", 0, []int{1}, true}, {"P", 0, []int{3, 5}, true}, {"S", 0, []int{2, 4, 6}, true},
		{"H", 0, []int{1}, true}, {"H", 1, []int{0}, true}, {"H", 2, nil, true},
		{"B", 0, []int{3}, true}, {"B", -1, []int{4}, true}, {"C", 1, []int{3}, true}, {"C", -1, []int{3}, true},
		{"N", -1, []int{2}, true}, {"N", -4, nil, true}, {"S", 1, []int{3, 5}, true}, {"S", -1, []int{1, 3, 5}, true},
		{"P", 1, []int{4}, true}, {"P", -1, []int{2, 4, 6}, true}, {"Cl", -1, []int{0}, true}, {"Cl", 3, []int{4}, true},
		{"Se", 0, []int{2, 4, 6}, true}, {"Si", 0, []int{4}, true}, {"Sn", 0, []int{2, 4}, true}, {"Ne", 0, []int{0}, true},
		{"Al", 3, []int{0}, true}, {"Na", 0, nil, false}, {"Na", 1, nil, false}, {"Fe", 2, nil, false}, {"Li", 0, nil, false},
		{"Zn", 0, nil, false}, {"U", 0, nil, false}, {"C", 127, []int{0}, true}, {"C", -128, nil, true},
	} {
		e, _ := chem.ElementOf(tc.symbol)
		if got, ok := e.Valences(tc.charge); !slices.Equal(got, tc.want) || ok != tc.ok {
			t.Errorf("%s %+d: %v %v, want %v %v", tc.symbol, tc.charge, got, ok, tc.want, tc.ok)
		}
	}
	for e := range 256 {
		for q := math.MinInt8; q <= math.MaxInt8; q++ {
			if v, _ := chem.Element(e).Valences(int8(q)); !slices.IsSorted(v) {
				t.Errorf("%d %+d: %v", e, q, v)
			}
		}
	}
}

func TestFaultsAndHydrogens(t *testing.T) {
	for _, tc := range []struct {
		name, atoms, bonds string
		hydrogens          []int
		faults             string
	}{
		{"acetic acid", "C C O O", "0-1 1=2 1-3", []int{3, 0, 0, 1}, ""},
		{"hydrogen cyanide", "C N", "0#1", []int{1, 0}, ""},
		{"ammonium", "N+", "", []int{4}, ""},
		{"nitromethane", "C N+ O O-", "0-1 1=2 1-3", []int{3, 0, 0, 0}, ""},
		{"methyl radical", "C.", "", []int{3}, ""},
		{"triplet oxygen", "O. O.", "0-1", []int{0, 0}, ""},
		{"phosphonic acid", "P O O O", "0=1 0-2 0-3", []int{1, 0, 1, 1}, ""},
		{"sulfinic acid as S(VI)", "C S O O", "0-1 1=2 1=3", []int{3, 1, 0, 0}, ""},
		{"salt", "Na+ Cl-", "", []int{0, 0}, ""},
		{"five bonds at carbon", "C C C C C C", "0-1 0-2 0-3 0-4 0-5", []int{0, 3, 3, 3, 3, 3}, "atom 0 (C) has valence 5, allowed 4"},
		{"nitro without charges", "C N O O", "0-1 1=2 1=3", []int{3, 0, 0, 0}, "atom 1 (N) has valence 5, allowed 3"},
		{"divalent fluorine", "C F C", "0-1 1-2", []int{3, 0, 3}, "atom 1 (F) has valence 2, allowed 1"},
		{"two wrong", "O O+", "0#1", []int{0, 0}, "atom 0 (O) has valence 3, allowed 2"},
		{"radical over the valence", "O..", "", []int{0}, ""},
		{"radical over the valence", "O...", "", []int{0}, "atom 0 (O) has valence 3, allowed 2"},
		{"hypervalent", "S C C C C C C C", "0-1 0-2 0-3 0-4 0-5 0-6 0-7", []int{0, 3, 3, 3, 3, 3, 3, 3}, "atom 0 (S) has valence 7, allowed 2, 4, 6"},
		{"charge", "O---", "", []int{0}, "atom 0 (O-3) cannot have this charge"},
	} {
		m := mol(t, tc.atoms, tc.bonds)
		if err := m.Check(); err != nil {
			t.Fatal(err)
		}
		var faults []string
		for _, f := range m.Faults() {
			faults = append(faults, f.String())
		}
		if h := m.Hydrogens(); !slices.Equal(h, tc.hydrogens) || strings.Join(faults, "; ") != tc.faults {
			t.Errorf("%s: hydrogens %v, faults %q; want %v, %q", tc.name, h, faults, tc.hydrogens, tc.faults)
		}
	}
}

func TestAssignCharges(t *testing.T) {
	for _, tc := range []struct {
		name, atoms, bonds string
		changed            int
		charges            []int8
		faults             int
	}{
		{"valid", "C O", "0=1", 0, []int8{0, 0}, 0},
		{"ammonium", "N C C C C", "0-1 0-2 0-3 0-4", 1, []int8{1, 0, 0, 0, 0}, 0},
		{"oxonium", "C O C", "0-1 1=2", 1, []int8{0, 1, 0}, 0},
		{"nitrogen two over", "N O O C", "0=1 0=2 0-3", 0, []int8{0, 0, 0, 0}, 1},
		{"carbon one over", "C C C C", "0=1 0=2 0-3", 0, []int8{0, 0, 0, 0}, 1},
		{"sulfur takes hydrogen", "S C C C", "0-1 0-2 0-3", 0, []int8{0, 0, 0, 0}, 0},
		{"sulfur one over its last", "S O O O C", "0=1 0=2 0=3 0-4", 0, []int8{0, 0, 0, 0, 0}, 1},
		{"charged stays", "O- C C", "0-1 0-2", 0, []int8{-1, 0, 0}, 1},
	} {
		m := mol(t, tc.atoms, tc.bonds)
		n := m.AssignCharges()
		var charges []int8
		for _, a := range m.Atoms {
			charges = append(charges, a.Charge)
		}
		if n != tc.changed || !slices.Equal(charges, tc.charges) || len(m.Faults()) != tc.faults {
			t.Errorf("%s: changed %d, charges %v, faults %v; want %d, %v, %d", tc.name, n, charges, m.Faults(), tc.changed, tc.charges, tc.faults)
		}
	}
}

func TestFormulaAndMass(t *testing.T) {
	for _, tc := range []struct {
		atoms, bonds, formula string
		mass                  float64 // from the atomic weights by hand
	}{
		{"C C O", "0-1 1-2", "C2H6O", 46.069},
		{"O", "", "H2O", 18.015},
		{"C Cl Cl Cl Cl", "0-1 0-2 0-3 0-4", "CCl4", 153.811},
		{"N+", "", "H4N+", 18.039},
		{"S O- O- O O", "0-1 0-2 0=3 0=4", "O4S-2", 96.056},
		{"C Br F", "0-1 0-2", "CH2BrF", 112.929},
		{"", "", "", 0},
	} {
		m := mol(t, tc.atoms, tc.bonds)
		if got := m.Formula(); got != tc.formula {
			t.Errorf("formula %q, want %q", got, tc.formula)
		}
		// 1e-9: sums of a few numbers of size 100 in float64.
		if got := m.Mass(); math.Abs(got-tc.mass) > 1e-9 {
			t.Errorf("%s: mass %.12g, want %.12g", tc.formula, got, tc.mass)
		}
	}
}

func TestFragments(t *testing.T) {
	m := mol(t, "C O N C C O", "0-3 1-4 4-5")
	if got := m.Fragments(); !slices.EqualFunc(got, [][]int{{0, 3}, {1, 4, 5}, {2}}, slices.Equal) {
		t.Errorf("fragments %v", got)
	}
	if got := m.LargestFragment().Formula(); got != "CH4O2" {
		t.Errorf("largest fragment %s", got)
	}
	if got := mol(t, "C C O O", "0-1 2-3").LargestFragment().Formula(); got != "H2O2" {
		t.Errorf("the heavier of two equal parts is %s", got)
	}
	if m := mol(t, "", ""); len(m.Fragments()) != 0 || m.LargestFragment() != m {
		t.Error("no atoms")
	}
}

func TestRings(t *testing.T) {
	for _, tc := range []struct {
		name, bonds string
		atoms       int
		sizes       []int
		bridges     int
	}{
		{"chain", "0-1 1-2", 3, nil, 2},
		{"cyclopropane with a tail", "0-1 1-2 0-2 2-3", 4, []int{3}, 1},
		{"naphthalene", "0-1 1-2 2-3 3-4 4-5 5-0 4-6 6-7 7-8 8-9 9-5", 10, []int{6, 6}, 0},
		{"norbornane", "0-1 1-2 2-3 3-4 4-5 5-0 0-6 6-3", 7, []int{5, 5}, 0},
		{"cubane", "0-1 1-2 2-3 3-0 4-5 5-6 6-7 7-4 0-4 1-5 2-6 3-7", 8, []int{4, 4, 4, 4, 4}, 0},
		{"spiro", "0-1 1-2 2-0 2-3 3-4 4-5 5-2", 6, []int{3, 4}, 0},
		{"two parts", "0-1 1-2 2-0 3-4 4-5 5-6 6-3", 7, []int{3, 4}, 0},
		{"joined by a bridge", "0-1 1-2 2-0 2-3 3-4 4-5 5-3", 6, []int{3, 3}, 1},
		{"K5", "0-1 0-2 0-3 0-4 1-2 1-3 1-4 2-3 2-4 3-4", 5, []int{3, 3, 3, 3, 3, 3}, 0},
	} {
		m := mol(t, strings.Repeat("C ", tc.atoms), tc.bonds)
		bridges := 0
		for _, in := range m.RingBonds() {
			if !in {
				bridges++
			}
		}
		if got := m.RingSizes(); !slices.Equal(got, tc.sizes) || m.RingCount() != len(tc.sizes) || bridges != tc.bridges {
			t.Errorf("%s: sizes %v, count %d, bridges %d; want %v and %d", tc.name, got, m.RingCount(), bridges, tc.sizes, tc.bridges)
		}
	}
}

// TestShared: every molecule of the shared table is one, and no figure depends on the order of its atoms. What SOURCE.md
// counts is counted in io/smiles, since it counts the file of SMILES.
func TestShared(t *testing.T) {
	splits := map[string]int{}
	r := rand.New(rand.NewPCG(1, 2))
	for _, e := range table(t) {
		m := e.Molecule
		if f := m.Faults(); len(f) > 0 || m.AssignCharges() != 0 || len(m.Fragments()) != 1 || m.NetCharge() != 0 {
			t.Fatalf("%s: faults %v, fragments %d", e.SMILES, f, len(m.Fragments()))
		}
		splits[e.Split]++
		s := chemtest.Shuffle(m, r)
		got := m.RingSizes()
		if len(got) != m.RingCount() || !slices.Equal(got, s.RingSizes()) || m.Mass() != s.Mass() || m.Formula() != s.Formula() {
			t.Fatalf("%s: rings %v, mass %g, formula %s change with the order of the atoms", e.SMILES, got, m.Mass(), m.Formula())
		}
	}
	// fmt prints maps in the order of their keys.
	if got, want := fmt.Sprint(splits), "map[test:951 train:7866 valid:993]"; got != want {
		t.Errorf("splits %s, want %s", got, want)
	}
}

func TestGraph(t *testing.T) {
	elements := []chem.Element{chem.Carbon, chem.Nitrogen, chem.Oxygen}
	for _, e := range table(t) {
		g, err := e.Molecule.Graph(elements)
		if err != nil {
			t.Fatal(err)
		}
		back, err := chem.FromGraph(g, elements)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(back.Atoms, e.Molecule.Atoms) || !chemtest.Isomorphic(back, e.Molecule) {
			t.Fatalf("%s came back as %s", e.SMILES, back.Formula())
		}
	}
	if _, err := mol(t, "C F", "0-1").Graph(elements); err == nil || !strings.Contains(err.Error(), "atom 1 is F") {
		t.Errorf("an element that is not listed: %v", err)
	}
	for name, g := range map[string]*graph.Graph{
		"no labels":     {N: 1},
		"label outside": {N: 1, Labels: []uint8{3}},
		"bond of 4":     {N: 2, Labels: []uint8{0, 0}, Edges: []graph.Edge{{U: 0, V: 1, Type: 4}}},
		"bond of none":  {N: 2, Labels: []uint8{0, 0}, Edges: []graph.Edge{{U: 0, V: 1}}},
		"loop":          {N: 2, Labels: []uint8{0, 0}, Edges: []graph.Edge{{U: 1, V: 1, Type: 1}}},
	} {
		if m, err := chem.FromGraph(g, elements); err == nil {
			t.Errorf("%s: %v", name, m)
		}
	}
}

func TestCheck(t *testing.T) {
	for _, m := range []chem.Molecule{
		{Atoms: []chem.Atom{{}}},
		{Atoms: []chem.Atom{{Element: 119}}},
		{Atoms: make([]chem.Atom, 0), Bonds: []chem.Bond{{I: 0, J: 1, Order: 1}}},
		{Atoms: []chem.Atom{{Element: 6}, {Element: 6}}, Bonds: []chem.Bond{{I: 1, J: 0, Order: 1}}},
		{Atoms: []chem.Atom{{Element: 6}, {Element: 6}}, Bonds: []chem.Bond{{I: 0, J: 1, Order: 4}}},
		{Atoms: []chem.Atom{{Element: 6}, {Element: 6}}, Bonds: []chem.Bond{{I: 0, J: 1, Order: 1}, {I: 0, J: 1, Order: 2}}},
		{Atoms: []chem.Atom{{Element: 6}, {Element: 6}}, Bonds: []chem.Bond{{I: -1, J: 1, Order: 1}}},
	} {
		if m.Check() == nil {
			t.Errorf("%+v passes", m)
		}
	}
}

// TestRDKitVerdicts: the valence rules say what RDKit says of random graphs, but for what it makes an exception of: it
// draws a neutral nitro group with charges, and gives silicon up to six bonds.
func TestRDKitVerdicts(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "rdkit_verdicts.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	rows := strings.Split(strings.TrimSpace(string(text)), "\n")[1:]
	exceptions := map[string]bool{"N N O O": true, "C Si S N C": true, "B N Si C C N F": true}
	if len(rows) != 300 {
		t.Fatalf("%d rows", len(rows))
	}
	for _, row := range rows {
		f := strings.Split(row, "\t")
		if got := len(mol(t, f[0], f[1]).Faults()) == 0; got != (f[2] == "valid" && !exceptions[f[0]]) {
			t.Errorf("%s, %s: valid is %v, RDKit says %s", f[0], f[1], got, f[2])
		}
	}
}
