package smiles

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pfgmgen/internal/chem"
	"pfgmgen/internal/chem/chemtest"
)

var folder = filepath.Join("..", "..", "..", "shared", "data", "graphs", "pubchemqc_cno")

var shared = sync.OnceValues(func() ([]chemtest.Entry, error) {
	f, err := os.Open(filepath.Join(folder, "molecules.tsv.gz"))
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
	return entries
}

func parse(t testing.TB, s string) *chem.Molecule {
	t.Helper()
	m, err := Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// describe is a molecule's formula, bonds and charges in the order of the text.
func describe(m *chem.Molecule) string {
	var b strings.Builder
	b.WriteString(m.Formula())
	for i, a := range m.Atoms {
		if a.Charge != 0 || a.Radical != 0 {
			fmt.Fprintf(&b, " %d:%+d", i, a.Charge)
			for range a.Radical {
				b.WriteByte('.')
			}
		}
	}
	for _, k := range m.Bonds {
		fmt.Fprintf(&b, " %d%c%d", k.I, "-=#"[k.Order-1], k.J)
	}
	return b.String()
}

func TestParse(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"C", "CH4"},
		{"CCO", "C2H6O 0-1 1-2"},
		{"C=CC#N", "C3H3N 0=1 1-2 2#3"},
		{"CC(C)(C=O)Br", "C4H7BrO 0-1 1-2 1-3 3=4 1-5"},
		{"ClCBr", "CH2BrCl 0-1 1-2"},
		{"C1CC1", "C3H6 0-1 1-2 0-2"},
		{"C=1CC1", "C3H4 0-1 1-2 0=2"},
		{"C1CC=1", "C3H4 0-1 1-2 0=2"},
		{"C=1CC=1", "C3H4 0-1 1-2 0=2"},
		{"C%12CC%12", "C3H6 0-1 1-2 0-2"},
		{"C0CC0", "C3H6 0-1 1-2 0-2"},
		{"C%01CC1", "C3H6 0-1 1-2 0-2"},
		{"C1CC1C1CC1", "C6H10 0-1 1-2 0-2 2-3 3-4 4-5 3-5"},
		{"C12CC1C2", "C4H6 0-1 1-2 0-2 2-3 0-3"},
		{"C1.C1", "C2H6 0-1"},
		{"[Na+].[Cl-]", "ClNa 0:+1 1:-1"},
		{"C(.C)C", "C3H10 0-2"},
		// Brackets.
		{"[CH4]", "CH4"},
		{"[CH3]", "CH3 0:+0."},
		{"[C]", "C 0:+0...."},
		{"[OH-]", "HO- 0:-1"},
		{"[OH3+]", "H3O+ 0:+1"},
		{"[NH4+]", "H4N+ 0:+1"},
		{"[Fe++]", "Fe+2 0:+2"},
		{"[Fe+2]", "Fe+2 0:+2"},
		{"[O--]", "O-2 0:-2"},
		{"[O-2]", "O-2 0:-2"},
		{"[13CH4]", "CH4"},
		{"[2H]O[2H]", "H2O"},
		{"[CH3:12][OH:1]", "CH4O 0-1"},
		{"N[C@@H](C)C(=O)O", "C3H7NO2 0-1 1-2 1-3 3=4 3-5"},
		{"F[Co@OH12](Cl)Br", "BrClCoF 0-1 1-2 1-3"},
		{"[Co@@](F)", "CoF 0-1"},
		{"[H][H]", "H2 0-1"},
		{"[HH]", "H2"},
		{"[H]C([H])([H])[H]", "CH4"},
		{"[H+]", "H+ 0:+1"},
		{"[H]", "H 0:+0."},
		{"[NaH]", "HNa 0-1"},
		{"[SH4]", "H4S 0-1 0-2 0-3 0-4"},
		{"[BH4-].[Li+]", "BH4Li 0:-1 1:+1"},
		{"C[PH2](C)C", "C3H11P 0-1 1-2 1-3 1-4 1-5"},
		{"F[P-](F)(F)(F)(F)F", "F6P- 1:-1 0-1 1-2 1-3 1-4 1-5 1-6"},
		{"[O-][Cl+3]([O-])([O-])[O-]", "ClO4- 0:-1 1:+3 2:-1 3:-1 4:-1 0-1 1-2 1-3 1-4"},
		{"C[N+](=O)[O-]", "CH3NO2 1:+1 3:-1 0-1 1=2 1-3"},
		{"[C-]#[O+]", "CO 0:-1 1:+1 0#1"},
		// Stereo bonds.
		{"F/C=C/F", "C2H2F2 0-1 1=2 2-3"},
		{`F\C=C1CC/1`, "C4H5F 0-1 1=2 2-3 3-4 2-4"},
		{`C/1CC\1`, "C3H6 0-1 1-2 0-2"},
		// Valences above the least.
		{"CS(C)(=O)=O", "C2H6O2S 0-1 1-2 1=3 1=4"},
		{"OP(O)(O)=O", "H3O4P 0-1 1-2 1-3 1=4"},
		{"O[PH](=O)O", "H3O3P 0-1 1=2 1-3"},
		{"OP(=O)O", "H3O3P 0-1 1=2 1-3"},
		{"CS(C)C", "C3H10S 0-1 1-2 1-3"},
		// Aromatic atoms.
		{"c1ccccc1", "C6H6 0=1 1-2 2=3 3-4 4=5 0-5"},
		{"c:1:c:c:c:c:c1", "C6H6 0=1 1-2 2=3 3-4 4=5 0-5"},
		{"c1cc[nH]c1", "C4H5N 0-1 1=2 2-3 3-4 0=4"},
		{"Cn1cccc1", "C5H7N 0-1 1-2 2=3 3-4 4=5 1-5"},
		{"c1ccoc1", "C4H4O 0-1 1=2 2-3 3-4 0=4"},
		{"c1ccsc1", "C4H4S 0-1 1=2 2-3 3-4 0=4"},
		{"c1cc[se]c1", "C4H4Se 0-1 1=2 2-3 3-4 0=4"},
		{"c1ccc[o+]c1", "C5H5O+ 4:+1 0=1 1-2 2=3 3-4 4=5 0-5"},
		{"[cH-]1cccc1", "C5H5- 0:-1 0-1 1=2 2-3 3=4 0-4"},
		{"c1cc[cH+]cc1", ""},
		{"[cH+]1cccccc1", "C7H7+ 0:+1 0-1 1=2 2-3 3=4 4-5 5=6 0-6"},
		{"O=c1cc[nH]cc1", "C5H5NO 0=1 1-2 2=3 3-4 4-5 5=6 1-6"},
		{"C[n+]1ccccc1", "C6H8N+ 1:+1 0-1 1=2 2-3 3=4 4-5 5=6 1-6"},
		{"[O-][n+]1ccccc1", "C5H5NO 0:-1 1:+1 0-1 1=2 2-3 3=4 4-5 5=6 1-6"},
		{"c1ccccc1c1ccccc1", "C12H10 0=1 1-2 2=3 3-4 4=5 0-5 5-6 6=7 7-8 8=9 9-10 10=11 6-11"},
		{"b1ccccc1", "C5H5B 0=1 1-2 2=3 3-4 4=5 0-5"},
		{"[c]1ccccc1", "C6H5 0:+0. 0=1 1-2 2=3 3-4 4=5 0-5"},
		{"c1cc2cccc3cccc(c1)-n-2-3", "C12H9N 0=1 1-2 2=3 3-4 4=5 5-6 6=7 7-8 8=9 9-10 10=11 0-11 10-12 2-12 6-12"},
		{"c1=cc=cc=c1", "C6H6 0=1 1-2 2=3 3-4 4=5 0-5"},
	} {
		m, err := Parse(tc.in)
		if tc.want == "" {
			if err == nil {
				t.Errorf("%s: %s, want an error", tc.in, describe(m))
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tc.in, err)
			continue
		}
		if err := m.Check(); err != nil {
			t.Errorf("%s: %v", tc.in, err)
		}
		if got := describe(m); got != tc.want {
			t.Errorf("%s:\n got %s\nwant %s", tc.in, got, tc.want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, tc := range []struct {
		in   string
		at   int
		want string
	}{
		{"", 1, "empty"},
		{"CX", 2, "no atom that may stand without brackets"},
		{"Cl2", 3, "opened and not closed"},
		{"C*", 2, "wildcard"},
		{"[*]", 2, "wildcard"},
		{"C$C", 2, "quadruple"},
		{"C>>C", 2, "reaction"},
		{"C C", 2, "no meaning"},
		{"C\xffC", 2, "no meaning"},
		{"C==C", 3, "second bond"},
		{"=C", 1, "without an atom before"},
		{"C=", 3, "ends with a bond"},
		{"C=.C", 3, "before a dot"},
		{".C", 1, "dot without an atom"},
		{"C.", 3, "ends with a dot"},
		{"C..C", 3, "dot without an atom"},
		{"(C)", 1, "branch without an atom"},
		{"C(C", 4, "ends within a branch"},
		{"CC)", 3, "not begun"},
		{"C()C", 3, "empty branch"},
		{"C((C))C", 3, "begins with a branch"},
		{"C=(C)C", 3, "belongs inside"},
		{"C(C=)C", 5, "without an atom behind"},
		{"C(C.)C", 5, "dot without an atom behind"},
		{"C(1CC1)", 3, "without an atom before"},
		{"C(=1CC1)", 4, "without an atom before"},
		{"1CC1", 1, "without an atom before"},
		{"C1CC", 2, "ring 1 is opened and not closed"},
		{"C%12CC", 2, "ring 12 is opened and not closed"},
		{"C%1", 2, "two digits"},
		{"C%(100)CC", 2, "two digits"},
		{"C11", 3, "to itself"},
		{"C1C1", 4, "bonded already"},
		{"C12CC12", 7, "bonded already"},
		{"C=1CC#1", 7, "closed with '#'"},
		{"C-1CC=1", 7, "closed with '='"},
		{"[C", 1, "not closed"},
		{"[]", 2, "no symbol"},
		{"[Qq]", 2, "no symbol"},
		{"[c13]", 3, "does not belong"},
		{"[CHH]", 4, "does not belong"},
		{"[CH10]", 6, "more than 9"},
		{"[C+-]", 4, "does not belong"},
		{"[C++2]", 3, "a charge is"},
		{"[C+16]", 3, "at most 15"},
		{"[C" + strings.Repeat("+", 300) + "]", 3, "at most 15"},
		{"[C+999999999999999999999]", 3, "a charge is"},
		{"[1234C]", 2, "isotope"},
		{"[C:]", 4, "atom class"},
		{"[C@TH3]", 7, "1 to 2"},
		{"[C@TB]", 6, "1 to 20"},
		{"C:C", 3, "not aromatic"},
		{"c:C", 3, "not aromatic"},
		{"cc", 1, "outside a ring"},
		{"Cc1CCCC1", 2, "no Kekulé structure"},
		{"c1ccccc1:c1ccccc1", 10, "outside a ring"},
		{"c1cccc1", 6, "no Kekulé structure"},
		{"c1ccnc1", 6, "no Kekulé structure"},
		{"CC(C)(C)(C)C", 2, "atom 1 (C) has valence 5, allowed 4"},
		{"CN(=O)=O", 2, "(N) has valence 5, allowed 3"},
		{"C[NH5]", 2, "(N) has valence 6, allowed 3"},
		{"C[O](C)C", 2, "(O) has valence 3, allowed 2"},
		{"[CH5]", 1, "valence 5"},
		{"OCl(=O)(=O)=O", 2, "(Cl) has valence 7, allowed 1"},
		{"[N-4]", 1, "cannot have this charge"},
		{strings.Repeat("C", MaxAtoms+1), MaxAtoms + 1, "more than 1000 atoms"},
		{strings.Repeat("[FeH9]", 101), 6*99 + 1, "more than 1000 atoms"},
		{strings.Repeat("C(", 5000), 2*MaxAtoms + 1, "more than 1000 atoms"},
	} {
		_, err := Parse(tc.in)
		e := (*Error)(nil)
		if !errors.As(err, &e) || !errors.Is(err, ErrFormat) {
			t.Errorf("%.40s: error %v", tc.in, err)
			continue
		}
		if e.Position != tc.at || !strings.Contains(e.Error(), tc.want) {
			t.Errorf("%.40s: %v; want %q at %d", tc.in, e, tc.want, tc.at)
		}
		if len(e.Error()) > 400 {
			t.Errorf("%.40s: an error of %d bytes", tc.in, len(e.Error()))
		}
	}
}

// complete is n atoms, all bonded to each other.
func complete(n int) *chem.Molecule {
	m := &chem.Molecule{}
	for i := range n {
		m.Atoms = append(m.Atoms, chem.Atom{Element: 26})
		for j := range i {
			m.Bonds = append(m.Bonds, chem.Bond{I: j, J: i, Order: 1})
		}
	}
	return m
}

// TestManyBonds: bonds are bounded where atoms are not yet.
func TestManyBonds(t *testing.T) {
	part, err := Write(complete(18)) // 153 bonds
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Repeat(part+".", 13) + part
	if m := parse(t, parts[len(part)+1:]); len(m.Bonds) != 13*153 {
		t.Errorf("%d bonds", len(m.Bonds))
	}
	if _, err := Parse(parts); err == nil || !strings.Contains(err.Error(), "more than 2000 bonds") {
		t.Errorf("error %v", err)
	}
}

func TestWrite(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"CCO", "CCO"},
		{"OCC", "CCO"},
		{"C(O)C", "CCO"},
		{"[Cl-].[Na+]", "[Na+].[Cl-]"},
		{"[CH3]", "[CH3]"},
		{"c1ccccc1", "C1=CC=CC=C1"},
		{"[NaH]", "[H][Na]"},
		{"[O-][Cl+3]([O-])([O-])[O-]", "[O-][Cl+3]([O-])([O-])[O-]"},
		{"C[N+](=O)[O-]", "C[N+](=O)[O-]"},
		{"[SiH4]", "[SiH4]"},
		{"CC(C)(C)C", "CC(C)(C)C"},
	} {
		got, err := Write(parse(t, tc.in))
		if err != nil {
			t.Errorf("%s: %v", tc.in, err)
			continue
		}
		if !chemtest.Isomorphic(parse(t, tc.in), parse(t, got)) {
			t.Errorf("%s is written as %s", tc.in, got)
		}
		if got != tc.want {
			t.Errorf("%s is written as %s, want %s", tc.in, got, tc.want)
		}
	}
	if s, err := Write(&chem.Molecule{}); s != "" || err != nil {
		t.Errorf("no atoms: %q, %v", s, err)
	}
	// An impossible atom is written, and refused when read.
	m := &chem.Molecule{Atoms: make([]chem.Atom, 6)}
	for i := range m.Atoms {
		m.Atoms[i].Element = chem.Carbon
		if i > 0 {
			m.Bonds = append(m.Bonds, chem.Bond{I: 0, J: i, Order: 1})
		}
	}
	s, err := Write(m)
	if err != nil || s != "C[C](C)(C)(C)C" {
		t.Errorf("five bonds at a carbon: %q, %v", s, err)
	}
	if _, err := Parse(s); !errors.Is(err, ErrFormat) {
		t.Errorf("%s: %v", s, err)
	}
}

// TestManyRings: a hundred rings open at once have no numbers. Of n atoms in a row, all bonded, n*n/4 or so are open.
func TestManyRings(t *testing.T) {
	s, err := Write(complete(18))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(s, "%7") || !chemtest.Isomorphic(parse(t, s), complete(18)) {
		t.Errorf("18 atoms, all bonded: %s", s)
	}
	if s, err := Write(complete(24)); !errors.Is(err, ErrRings) {
		t.Errorf("24 atoms, all bonded: %q, %v", s, err)
	}
}

// TestCanonical: Kekulé structures that differ get one text, and so do they in lower case.
func TestCanonical(t *testing.T) {
	for _, group := range [][]string{
		{"Cc1ccccc1C", "CC1=CC=CC=C1C", "CC1=C(C)C=CC=C1"},
		{"Cc1ccccn1", "CC1=CC=CC=N1", "CC1=NC=CC=C1"},
		{"Cc1cccc2ccccc12", "CC1=CC=CC2=C1C=CC=C2", "CC1=C2C=CC=CC2=CC=C1"},
		{"Cn1c2ccccc2cc1C", "CN1C2=CC=CC=C2C=C1C", "CN1C2=C(C=C1C)C=CC=C2"},
		{"Oc1ccc2c(c1)c1ccccc1cc2", "OC1=CC2=C(C=CC3=CC=CC=C32)C=C1"},
		{"CC1=CC=CC=CC=C1C"}, {"CC1=C(C)C=CC=CC=C1"},
		{"O=C1C=CC(=O)C=C1"}, {"O=C1C=CC=CC1=O"},
	} {
		want, err := Canonical(parse(t, group[0]))
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range group {
			if got, err := Canonical(parse(t, s)); err != nil || got != want {
				t.Errorf("%s is %s, want %s (%v)", s, got, want, err)
			}
		}
	}
	a, _ := Canonical(parse(t, "CC1=CC=CC=CC=C1C"))
	b, _ := Canonical(parse(t, "CC1=C(C)C=CC=CC=C1"))
	if a == b {
		t.Errorf("two dimethylcyclooctatetraenes are both %s", a)
	}
}

// TestSharedFigures counts what SOURCE.md says of the 9,880 SMILES as found. Its rings (2: 1901, 3: 512, 4 and more: 51) are
// RDKit's symmetrised set, which holds more rings than are independent in seven molecules, such as three in
// C1CN2CCN1CC2; bonds less atoms plus one gives what is wanted here, also by RDKit's counts of bonds and atoms.
func TestSharedFigures(t *testing.T) {
	f, err := os.Open(filepath.Join(folder, "2019PubChemQC_can_nocharge.smi.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := NewReader(f, "nocharge.smi.gz")
	if err != nil {
		t.Fatal(err)
	}
	sizes, rings, elements, texts := map[int]int{}, map[int]int{}, map[string]int{}, map[string]bool{}
	n := 0
	for {
		rec, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		n++
		m := rec.Molecule
		sizes[m.HeavyAtoms()]++
		rings[min(4, m.RingCount())]++
		for _, a := range m.Atoms {
			elements[a.Element.String()]++
		}
		if len(m.Faults()) > 0 || m.NetCharge() != 0 || len(m.Fragments()) != 1 {
			t.Errorf("%s: %v", rec.SMILES, m.Faults())
		}
		s, err := Canonical(m)
		if err != nil {
			t.Fatal(err)
		}
		texts[s] = true
	}
	// fmt prints maps in the order of their keys.
	for _, tc := range []struct {
		name string
		got  any
		want string
	}{
		{"records", n, "9880"},
		{"distinct", len(texts), "9810"},
		{"heavy atoms", sizes, "map[1:14 2:17 3:35 4:64 5:179 6:346 7:501 8:743 9:945 10:1312 11:1327 12:1422 13:291 14:520 15:1025 16:568 17:357 18:213 19:1]"},
		{"elements", elements, "map[C:88797 N:7918 O:14850]"},
		{"rings", rings, "map[0:2992 1:4424 2:1905 3:511 4:48]"},
	} {
		if got := fmt.Sprint(tc.got); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
}

// TestSharedRoundTrip: what is parsed is the graph that RDKit made of the same text, what is written reads back as it,
// and the texts do not depend on numbering or Kekulé structure.
func TestSharedRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	differ := 0
	for _, e := range table(t) {
		m := parse(t, e.SMILES)
		if len(m.Atoms) != len(e.Molecule.Atoms) || m.Formula() != e.Molecule.Formula() {
			t.Fatalf("%s: %s, want %s", e.SMILES, m.Formula(), e.Molecule.Formula())
		}
		exact, err := Write(m)
		if err != nil {
			t.Fatal(err)
		}
		if !chemtest.Isomorphic(parse(t, exact), m) {
			t.Fatalf("%s is written as %s", e.SMILES, exact)
		}
		if s, err := Write(chemtest.Shuffle(m, r)); err != nil || s != exact {
			t.Fatalf("%s is written as %s and as %s (%v)", e.SMILES, exact, s, err)
		}
		// RDKit may have drawn another Kekulé structure; then only the normal texts are equal.
		if !chemtest.Isomorphic(m, e.Molecule) {
			differ++
		}
		texts := make(map[string]bool)
		for _, k := range []*chem.Molecule{m, e.Molecule, parse(t, e.Canonical), parse(t, exact)} {
			s, err := Canonical(chemtest.Shuffle(k, r))
			if err != nil {
				t.Fatal(err)
			}
			texts[s] = true
		}
		if len(texts) != 1 {
			t.Fatalf("%s has the normal texts %v", e.SMILES, texts)
		}
	}
	t.Logf("%d of 9,810 molecules are drawn otherwise than in the table", differ)
}

func gzipped(s string) string {
	var b strings.Builder
	z := gzip.NewWriter(&b)
	io.WriteString(z, s)
	z.Close()
	return b.String()
}

func readAll(r *Reader, err error) (out []Record, errs []string) {
	if err != nil {
		return nil, []string{err.Error()}
	}
	for {
		rec, err := r.Read()
		if err == io.EOF {
			return out, errs
		}
		if err != nil {
			errs = append(errs, err.Error())
			if !errors.Is(err, ErrFormat) || len(errs) > 100 || r.count == 0 {
				return out, errs
			}
			continue
		}
		out = append(out, rec)
	}
}

func TestReader(t *testing.T) {
	for _, in := range []string{
		"smiles zinc_id\n# made by hand\nCCO  ethanol, absolute \r\n\n\tCX bad\nc1ccccc1\tbenzene\nN",
		gzipped("CCO ethanol, absolute\n\n\n\nCX bad\nc1ccccc1\tbenzene\nN"),
	} {
		r, err := NewReader(strings.NewReader(in), "x.smi")
		got, errs := readAll(r, err)
		if len(errs) != 1 || errs[0] != `smiles: x.smi: line 5 (bad): not SMILES: "CX", position 2: 'X' is no atom that may stand without brackets` {
			t.Errorf("errors %q", errs)
		}
		want := []struct {
			smiles, name string
			line, atoms  int
		}{{"CCO", "ethanol, absolute", 0, 3}, {"c1ccccc1", "benzene", 6, 6}, {"N", "", 7, 1}}
		if len(got) != len(want) {
			t.Fatalf("%d records", len(got))
		}
		for i, w := range want {
			if g := got[i]; g.SMILES != w.smiles || g.Name != w.name || w.line > 0 && g.Line != w.line || len(g.Molecule.Atoms) != w.atoms || g.Fields != nil {
				t.Errorf("record %d: %+v", i, g)
			}
		}
	}
	for in, want := range map[string]string{
		"":                           "no molecule in it",
		"smiles\n":                   "no molecule in it",
		"\x1f\x8b\x08":               "x.smi",
		strings.Repeat("C", 2<<20):   "line too long",
		gzipped("C\nCC\nCCC\n")[:25]: "unexpected EOF",
	} {
		r, err := NewReader(strings.NewReader(in), "x.smi")
		if _, errs := readAll(r, err); len(errs) != 1 || !strings.Contains(errs[0], want) || !strings.HasPrefix(errs[0], "smiles: x.smi: ") {
			t.Errorf("%.20q: %q, want %q", in, errs, want)
		}
	}
}

func TestTable(t *testing.T) {
	for name, in := range map[string]string{
		"comma":     "id,SMILES,note\n1,CCO,\"a, b\"\n2,\"N\",\n",
		"semicolon": "id;Smiles;note\n1;CCO;\"a, b\"\n\n2; N ;\n",
		"tab":       "id\tcanonical_smiles\tnote\n1\tCCO\ta, b\n2\tN\t",
	} {
		r, err := NewTable(strings.NewReader(in), "x.csv", "")
		got, errs := readAll(r, err)
		if len(errs) > 0 || len(got) != 2 || len(got[0].Molecule.Atoms) != 3 || got[1].SMILES != "N" || got[0].Fields[2] != "a, b" || len(r.Header()) != 3 {
			t.Errorf("%s: %+v, %v", name, got, errs)
		}
	}
	r, err := NewTable(strings.NewReader("a,smiles\nCCO,N\n"), "x.csv", "a")
	if got, errs := readAll(r, err); len(errs) > 0 || len(got) != 1 || got[0].SMILES != "CCO" {
		t.Errorf("named column: %+v, %v", got, errs)
	}
	for _, tc := range []struct{ in, column, want string }{
		{"", "", "the file is empty"},
		{"a,b\n", "", `no column "smiles" among ["a" "b"]`},
		{"a,smiles\n", "mol", `no column "mol"`},
		{"a,smiles\nC\n", "", "line 2: not SMILES: 1 columns, want the 2"},
		{"a,smiles\n\"x,C\n", "", "line 2: not SMILES: byte"},
		{"a,smiles\nx,\n", "", `line 2: not SMILES: "", position 1: empty`},
		{"a,smiles\n", "", "no molecule in it"},
	} {
		r, err := NewTable(strings.NewReader(tc.in), "x.csv", tc.column)
		if _, errs := readAll(r, err); len(errs) != 1 || !strings.Contains(errs[0], tc.want) {
			t.Errorf("%q: %q, want %q", tc.in, errs, tc.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"CC(=O)O", "c1ccc2[nH]ccc2c1", "[O-][N+](=O)c1ccccc1", "F/C=C\\F", "C%12CC%12.[Na+].[13CH3:1]",
		"[SH4]", "[NaH]", "N[C@@H](C)C(=O)O", "C(=1CC1)", "[HH].[2H][H]", "OS(=O)(=O)C", "c1cccc1", "[C@TB20]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, err := Parse(s)
		if err != nil {
			e := (*Error)(nil)
			if !errors.As(err, &e) || e.Position < 1 || e.Position > len(s)+1 {
				t.Fatalf("%q: error %v", s, err)
			}
			return
		}
		if err := m.Check(); err != nil {
			t.Fatal(err)
		}
		if len(m.Atoms) > MaxAtoms || len(m.Bonds) > maxBonds+MaxAtoms || len(m.Faults()) > 0 {
			t.Fatalf("%q: %d atoms, %d bonds, faults %v", s, len(m.Atoms), len(m.Bonds), m.Faults())
		}
		if len(m.Atoms) > 60 {
			return // the search for the order is slow under the fuzzer
		}
		text, err := Write(m)
		if errors.Is(err, ErrRings) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		back, err := Parse(text)
		if err != nil {
			t.Fatalf("%q is written as %q: %v", s, text, err)
		}
		again, err := Write(back)
		if err != nil || again != text || back.Formula() != m.Formula() {
			t.Fatalf("%q is written as %q, then %q (%v)", s, text, again, err)
		}
	})
}

func FuzzTable(f *testing.F) {
	f.Add([]byte("id,smiles\n1,CCO\n2,\"C\"\n"), true)
	f.Add([]byte("CCO ethanol\n# x\nC=C\n"), false)
	f.Add([]byte("a\tsmiles\nx\tC"), true)
	f.Fuzz(func(t *testing.T, in []byte, asTable bool) {
		open := NewReader
		if asTable {
			open = func(r io.Reader, name string) (*Reader, error) { return NewTable(r, name, "") }
		}
		r, err := open(strings.NewReader(string(in)), "fuzz")
		if err != nil {
			return
		}
		for range 1000 {
			rec, err := r.Read()
			if err == io.EOF || err != nil && !errors.Is(err, ErrFormat) || r.count == 0 {
				return
			}
			if err == nil && (rec.Molecule == nil || rec.Line == 0) {
				t.Fatalf("%+v", rec)
			}
		}
	})
}

func Example() {
	m, err := Parse("Cc1ccccc1O")
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := Canonical(m)
	fmt.Println(m.Formula(), s, err)
	_, err = Parse("CN(=O)=O")
	fmt.Println(err)
	// Output:
	// C7H8O CC1=CC=CC=C1O <nil>
	// not SMILES: "CN(=O)=O", position 2: atom 1 (N) has valence 5, allowed 3
}
