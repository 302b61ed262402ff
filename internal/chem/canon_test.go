package chem_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pfgmgen/internal/chem"
	"pfgmgen/internal/chem/chemtest"
)

// canonical is m in canonical order with sorted bonds.
func canonical(t testing.TB, m *chem.Molecule) *chem.Molecule {
	t.Helper()
	order, exact := m.Canonical()
	if !exact {
		t.Errorf("%s: the search was cut off", m.Formula())
	}
	sorted := slices.Clone(order)
	slices.Sort(sorted)
	for k, i := range sorted {
		if k != i {
			t.Fatalf("%s: the order %v is none", m.Formula(), order)
		}
	}
	out := m.Reorder(order)
	sortBonds(out)
	return out
}

func sortBonds(m *chem.Molecule) {
	slices.SortFunc(m.Bonds, func(a, b chem.Bond) int {
		if a.I != b.I {
			return a.I - b.I
		}
		return a.J - b.J
	})
}

func normal(t testing.TB, m *chem.Molecule) *chem.Molecule {
	t.Helper()
	n, exact := m.Normal()
	if !exact {
		t.Errorf("%s: the search was cut off", m.Formula())
	}
	if err := n.Check(); err != nil {
		t.Fatal(err)
	}
	return n
}

func same(a, b *chem.Molecule) bool {
	return slices.Equal(a.Atoms, b.Atoms) && slices.Equal(a.Bonds, b.Bonds)
}

// symmetric are molecules and graphs that colour refinement cannot order.
var symmetric = []struct {
	name, bonds string
	atoms       int
}{
	{"cubane", "0-1 1-2 2-3 3-0 4-5 5-6 6-7 7-4 0-4 1-5 2-6 3-7", 8},
	{"two triangles", "0-1 1-2 2-0 3-4 4-5 5-3", 6},
	{"a hexagon", "0-1 1-2 2-3 3-4 4-5 5-0", 6},
	{"prismane", "0-1 1-2 2-0 3-4 4-5 5-3 0-3 1-4 2-5", 6},
	{"K3,3", "0-3 0-4 0-5 1-3 1-4 1-5 2-3 2-4 2-5", 6},
	{"decalin", "0-1 1-2 2-3 3-4 4-5 5-0 4-6 6-7 7-8 8-9 9-5", 10},
	// The pair that refinement cannot tell apart although it is no numbering of one graph.
	{"bicyclopentyl", "0-1 1-2 2-3 3-4 4-0 5-6 6-7 7-8 8-9 9-5 0-5", 10},
	{"Petersen", "0-1 1-2 2-3 3-4 4-0 0-5 1-6 2-7 3-8 4-9 5-7 7-9 9-6 6-8 8-5", 10},
	{"neopentane", "0-1 0-2 0-3 0-4", 5},
	{"dodecahedrane", "0-1 1-2 2-3 3-4 4-0 0-5 1-6 2-7 3-8 4-9 5-10 10-6 6-11 11-7 7-12 12-8 8-13 13-9 9-14 14-5 10-15 11-16 12-17 13-18 14-19 15-16 16-17 17-18 18-19 19-15", 20},
	{"ten apart", "", 10},
}

func TestCanonicalSymmetric(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var forms []*chem.Molecule
	for _, tc := range symmetric {
		m := mol(t, strings.Repeat("C ", tc.atoms), tc.bonds)
		want := canonical(t, m)
		if !chemtest.Isomorphic(want, m) {
			t.Errorf("%s: its canonical form is another molecule", tc.name)
		}
		for range 50 {
			if got := canonical(t, chemtest.Shuffle(m, r)); !same(got, want) {
				t.Errorf("%s: %v and %v", tc.name, got.Bonds, want.Bonds)
				break
			}
		}
		for k, other := range forms {
			if same(other, want) {
				t.Errorf("%s and %s have one form", tc.name, symmetric[k].name)
			}
		}
		forms = append(forms, want)
	}
}

// TestCanonicalShared: each molecule of the shared table has one form under random numberings, no two molecules of the
// table, which RDKit all tells apart, have the same, and the exact search is never cut off.
func TestCanonicalShared(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	plain, normals := map[string]string{}, map[string]string{}
	for _, e := range table(t) {
		want, norm := canonical(t, e.Molecule), normal(t, e.Molecule)
		s := chemtest.Shuffle(e.Molecule, r)
		if got := canonical(t, s); !same(got, want) {
			t.Fatalf("%s: bonds %v and %v", e.SMILES, got.Bonds, want.Bonds)
		}
		if got := normal(t, s); !same(got, norm) {
			t.Fatalf("%s: normal bonds %v and %v", e.SMILES, got.Bonds, norm.Bonds)
		}
		if !chemtest.Isomorphic(want, e.Molecule) {
			t.Fatalf("%s: its canonical form is another molecule", e.SMILES)
		}
		if len(norm.Faults()) > 0 || norm.Formula() != want.Formula() || !slices.Equal(norm.RingSizes(), want.RingSizes()) {
			t.Fatalf("%s: its normal form is another molecule", e.SMILES)
		}
		for _, f := range []struct {
			form string
			seen map[string]string
		}{{key(want), plain}, {key(norm), normals}} {
			if twin, taken := f.seen[f.form]; taken {
				t.Errorf("%s and %s have one form", e.Canonical, twin)
			}
			f.seen[f.form] = e.Canonical
		}
	}
	if len(plain) != 9810 || len(normals) != 9810 {
		t.Errorf("%d forms and %d normal ones, want 9,810", len(plain), len(normals))
	}
}

func key(m *chem.Molecule) string {
	var b strings.Builder
	for _, a := range m.Atoms {
		b.WriteString(a.Element.String())
	}
	for _, k := range m.Bonds {
		b.WriteByte(byte(k.I))
		b.WriteByte(byte(k.J))
		b.WriteByte(k.Order)
	}
	return b.String()
}

// TestNormal: drawings of one molecule, and molecules that only look so.
func TestNormal(t *testing.T) {
	for _, tc := range []struct {
		name, atoms, one, other string
		same                    bool
	}{
		{"o-xylene", "C C C C C C C C", "0=1 1-2 2=3 3-4 4=5 5-0 0-6 1-7", "0-1 1=2 2-3 3=4 4-5 5=0 0-6 1-7", true},
		{"2-methylpyridine", "N C C C C C C", "0=1 1-2 2=3 3-4 4=5 5-0 1-6", "0-1 1=2 2-3 3=4 4-5 5=0 1-6", true},
		{"naphthalene", "C C C C C C C C C C", "0=1 1-2 2=3 3-4 4=5 5-0 4-6 6=7 7-8 8=9 9-5",
			"0-1 1=2 2-3 3=4 4-5 5=0 4-6 6=7 7-8 8=9 9-5", true},
		{"methylcyclooctatetraenes", "C C C C C C C C C C", "0=1 1-2 2=3 3-4 4=5 5-6 6=7 7-0 0-8 1-9",
			"0-1 1=2 2-3 3=4 4-5 5=6 6-7 7=0 0-8 1-9", false},
		{"o- and p-quinone", "C C C C C C O O", "0=1 1-2 2=3 3-4 4-5 5-0 4=6 5=7", "0=1 1-2 2-3 3=4 4-5 5-0 2=6 5=7", false},
		{"cyclohexadienes", "C C C C C C", "0=1 1-2 2=3 3-4 4-5 5-0", "0=1 1-2 2-3 3=4 4-5 5-0", false},
		{"toluene and fulvene", "C C C C C C C", "0=1 1-2 2=3 3-4 4=5 5-0 0-6", "0=1 1-2 2=3 3-4 4-0 4=5 5-6", false},
		{"indole and isoindole", "N C C C C C C C C", "0-1 1=2 2-3 3=4 4-5 5=6 6-7 7=8 8-0 8-3",
			"0-1 1=2 2-3 3-4 4=5 5-6 6=7 7-2 7=8 8-0", false},
	} {
		a, b := normal(t, mol(t, tc.atoms, tc.one)), normal(t, mol(t, tc.atoms, tc.other))
		if same(a, b) != tc.same {
			t.Errorf("%s: same is %v, want %v", tc.name, same(a, b), tc.same)
		}
		if again := normal(t, a); !same(a, again) {
			t.Errorf("%s: the normal form's normal form is another", tc.name)
		}
	}
}

// TestCanonicalBounded: large graphs without any order end in time, cut off or not.
func TestCanonicalBounded(t *testing.T) {
	start := time.Now()
	iron, _ := chem.ElementOf("Fe")
	star, chain, torus, apart := &chem.Molecule{}, &chem.Molecule{}, &chem.Molecule{}, &chem.Molecule{}
	const n = 1000
	for i := range n {
		for _, m := range []*chem.Molecule{star, chain, apart} {
			m.Atoms = append(m.Atoms, chem.Atom{Element: iron})
		}
		if i > 0 {
			star.Bonds = append(star.Bonds, chem.Bond{I: 0, J: i, Order: 1})
			chain.Bonds = append(chain.Bonds, chem.Bond{I: i - 1, J: i, Order: 1})
		}
	}
	const side = 20
	for i := range side * side {
		torus.Atoms = append(torus.Atoms, chem.Atom{Element: chem.Carbon})
		for _, j := range []int{i - i%side + (i+1)%side, (i + side) % (side * side)} {
			torus.Bonds = append(torus.Bonds, chem.Bond{I: min(i, j), J: max(i, j), Order: 1})
		}
	}
	for name, m := range map[string]*chem.Molecule{"star": star, "chain": chain, "torus": torus, "apart": apart} {
		order, exact := m.Canonical()
		slices.Sort(order)
		if len(order) != len(m.Atoms) || len(slices.Compact(order)) != len(m.Atoms) {
			t.Errorf("%s: no order of all atoms", name)
		}
		if !exact {
			t.Errorf("%s: cut off", name)
		}
	}
	// Seconds at most on any machine; without the symmetries it would be longer than the universe is old.
	if d := time.Since(start); d > time.Minute {
		t.Errorf("took %v", d)
	}
}

// TestKekulise covers what the readers cannot reach: large systems and odd ones without a structure.
func TestKekulise(t *testing.T) {
	all := func(n int, v bool) []bool {
		out := make([]bool, n)
		for i := range out {
			out[i] = v
		}
		return out
	}
	unstated := func(n int) []int {
		out := make([]int, n)
		for i := range out {
			out[i] = -1
		}
		return out
	}
	// The dodecahedron's graph with one atom more or less cannot be paired off; the whole can.
	m := mol(t, strings.Repeat("C ", 20), symmetric[9].bonds)
	r := rand.New(rand.NewPCG(7, 8))
	for range 100 {
		s := chemtest.Shuffle(m, r)
		if stuck := s.Kekulise(all(20, true), all(30, true), unstated(20)); stuck >= 0 {
			t.Fatalf("atom %d is left over", stuck)
		}
		for i, sum := range s.Bonded() {
			if sum != 4 {
				t.Fatalf("atom %d has %d bonds", i, sum)
			}
		}
		aromatic := all(20, true)
		aromatic[r.IntN(20)] = false
		s = chemtest.Shuffle(m, r)
		before := slices.Clone(s.Bonds)
		if stuck := s.Kekulise(aromatic, all(30, true), unstated(20)); stuck < 0 || !slices.Equal(before, s.Bonds) {
			t.Fatalf("19 atoms in pairs: %d, or bonds changed", stuck)
		}
	}
}
