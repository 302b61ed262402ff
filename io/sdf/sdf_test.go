package sdf

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"pfgmgen/internal/chem"
	"pfgmgen/internal/chem/chemtest"
	"pfgmgen/io/smiles"
)

func readAll(in string) (out []Record, err error) {
	r, err := NewReader(strings.NewReader(in), "x.sdf")
	if err != nil {
		return nil, err
	}
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

func parse(t testing.TB, s string) *chem.Molecule {
	t.Helper()
	m, err := smiles.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// mol is a molfile of atoms "C N+" (charge codes of the atom block follow a colon) and bonds "1 2 1", made by hand.
func mol(atoms, bonds string, block ...string) string {
	var b strings.Builder
	a, k := strings.Fields(atoms), strings.Split(bonds, ",")
	if bonds == "" {
		k = nil
	}
	fmt.Fprintf(&b, "made by hand\n  test\n\n%3d%3d  0  0  0  0  0  0  0  0999 V2000\n", len(a), len(k))
	for _, s := range a {
		f := append(strings.Split(s, ":"), "0", "0")
		fmt.Fprintf(&b, "%10.4f%10.4f%10.4f %-3s 0%3s  0  0  0%3s\n", 1.5, -2.25, 0.0, f[0], f[1], f[2])
	}
	for _, s := range k {
		f := strings.Fields(s)
		fmt.Fprintf(&b, "%3s%3s%3s  0  0\n", f[0], f[1], f[2])
	}
	for _, s := range append(block, "M  END") {
		b.WriteString(s + "\n")
	}
	return b.String()
}

func TestRead(t *testing.T) {
	for _, tc := range []struct{ name, in, smiles string }{
		{"ethanol", mol("C C O", "1 2 1,2 3 1"), "CCO"},
		{"triple bond, backwards", mol("C N", "2 1 3"), "C#N"},
		{"hydrogen atoms", mol("C H H D T", "1 2 1,1 3 1,4 1 1,1 5 1"), "C"},
		{"charges of the atom block", mol("N:3 C:5 O:6 Al:1", "1 2 1"), "[NH3+][CH2-].[O-2].[Al+3]"},
		{"M CHG beats the atom block", mol("N:5 C O:5", "1 2 1", "M  CHG  1   1   1"), "[NH3+]C.O"},
		{"several charges", mol("O N O C", "1 2 1,2 3 2,2 4 1", "M  CHG  2   1  -1   2   1"), "[O-][N+](=O)C"},
		{"doublet of the atom block", mol("C:4", ""), "[CH3]"},
		{"doublet", mol("C", "", "M  RAD  1   1   2"), "[CH3]"},
		{"triplet and singlet", mol("C C", "", "M  RAD  2   1   3   2   1"), "[CH2].[CH2]"},
		{"valences", mol("C:0:3 Na:0:15 C:0:15 Na:0:1 S:0:4", ""), "[CH3].[Na].[C].[NaH].[SH4]"},
		{"benzene", mol("C C C C C C", "1 2 4,2 3 4,3 4 4,4 5 4,5 6 4,6 1 4"), "c1ccccc1"},
		{"pyrrole with its hydrogen", mol("N C C C C H", "1 2 4,2 3 4,3 4 4,4 5 4,5 1 4,1 6 1"), "c1cc[nH]c1"},
		{"isotopes and what does not matter", mol("C O", "1 2 1", "M  ISO  1   1  13", "A    1", "M  END of the story", "M  STY  1   1 DAT"), "CO"},
		{"no atoms", mol("", ""), ""},
		{"no version", strings.Replace(mol("C", ""), " V2000", "", 1), "C"},
		{"CRLF", strings.ReplaceAll(mol("C O", "1 2 1"), "\n", "\r\n"), "CO"},
		{"short atom line", "\n\n\n  1  0\n    0.0000    0.0000    0.0000 Cl\nM  END\n", "Cl"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := readAll(tc.in)
			if err != nil {
				t.Fatal(err)
			}
			want := &chem.Molecule{}
			if tc.smiles != "" {
				want = parse(t, tc.smiles)
			}
			if len(got) != 1 || !chemtest.Isomorphic(got[0].Molecule, want) {
				s, _ := smiles.Write(got[0].Molecule)
				t.Errorf("%d records, %s, want %s", len(got), s, tc.smiles)
			}
		})
	}
}

func TestRecords(t *testing.T) {
	in := mol("C", "") + "> <name>\nfirst\nsecond line\n\n>  7  <A> (b)\n\n> DT12\nx\n\n$$$$\n" + mol("O", "") + "$$$$\n" +
		strings.Replace(mol("N", ""), "made by hand", "", 1) + ">  <last>\nvalue"
	var gz bytes.Buffer
	z := gzip.NewWriter(&gz)
	io.WriteString(z, in)
	z.Close()
	for _, in := range []string{in, in + "\n\n$$$$\n\n \n\n\n\n\n", gz.String()} {
		got, err := readAll(in)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != 3 {
			t.Fatalf("%d records", len(got))
		}
		want := []Property{{"name", "first\nsecond line"}, {"A", ""}, {"", "x"}}
		if !reflect.DeepEqual(got[0].Properties, want) || got[0].Name != "made by hand" || got[0].Line != 1 {
			t.Errorf("first: %+v", got[0])
		}
		if got[1].Line != 17 || got[1].Properties != nil || got[1].Molecule.Formula() != "H2O" {
			t.Errorf("second: %+v", got[1])
		}
		if got[2].Get("last") != "value" || got[2].Get("none") != "" || got[2].Name != "" {
			t.Errorf("third: %+v", got[2])
		}
	}
}

func TestReadErrors(t *testing.T) {
	good := mol("C C", "1 2 1")
	for _, tc := range []struct{ name, in, want string }{
		{"empty", "", "x.sdf: not SDF: no record in it"},
		{"blank", "\n\n\n\n\n\n", "no record in it"},
		{"V3000", strings.Replace(good, "V2000", "V3000", 1), "record 1 (made by hand), line 4: not SDF: V3000 is not read"},
		{"version", strings.Replace(good, "V2000", "V9", 1), `version "V9"`},
		{"header", "a\nb\n", "ends within the header"},
		{"header cut by a mark", "a\nb\n$$$$\n", "record ends within its header"},
		{"counts", "a\nb\nc\nxyz\n", `columns 1 to 3: the number of atoms is "xyz", want 0 to 999`},
		{"negative count", "a\nb\nc\n -1  0\n", "want 0 to 999"},
		{"atoms missing", "a\nb\nc\n  2  0\n", "line 4: not SDF: the file ends where an atom is expected"},
		{"atoms cut", "a\nb\nc\n  2  0\n$$$$\n", "the record ends where an atom is expected"},
		{"end missing", strings.Replace(good, "M  END\n", "", 1), "the file ends where M  END is expected"},
		{"coordinate", strings.Replace(good, "1.5000", "1.5x00", 1), `line 5: not SDF: columns 1 to 10: coordinate "1.5x00"`},
		{"coordinate NaN", strings.Replace(good, "1.5000", "   NaN", 1), "want a number"},
		{"element", mol("Qq", ""), `line 5: not SDF: columns 32 to 34: atom "Qq"`},
		{"query atom", mol("C A", "1 2 1"), `atom "A"`},
		{"charge code", mol("C:8", ""), `the charge is "8", want 0 to 7`},
		{"bond outside", mol("C C", "1 3 1"), `line 7: not SDF: columns 4 to 6: an atom of a bond is "3", want 0 to 2`},
		{"bond to nothing", mol("C C", "1 0 1"), "a bond without an atom"},
		{"bond to itself", mol("C C", "2 2 1"), "atom 2 is bonded to itself"},
		{"bond twice", mol("C C", "1 2 1,2 1 1"), "atoms 1 and 2 are bonded twice"},
		{"query bond", mol("C C", "1 2 8"), "a bond of type 8, want 1 to 4"},
		{"charge of no atom", mol("C C", "1 2 1", "M  CHG  1   3   1"), `an atom is "3", want 1 to 2`},
		{"charge of a missing atom", mol("C C", "1 2 1", "M  CHG  1"), "an atom is missing"},
		{"charge out of range", mol("C C", "1 2 1", "M  CHG  1   1  16"), `the charge is "16"`},
		{"too many entries", mol("C", "", "M  CHG  9"), "want 0 to 8"},
		{"radical", mol("C", "", "M  RAD  1   1   4"), `the kind of radical is "4", want 0 to 3`},
		{"valence", mol("C C C C C C", "1 2 1,1 3 1,1 4 1,1 5 1,1 6 1"), "atom 1 (C) has valence 5, allowed 4 (line 5)"},
		{"stated valence too small", mol("C:0:1 C", "1 2 2"), "atom 1 (line 5) has valence 1 stated and bonds of 2"},
		{"stated valence too large", mol("C:0:5", ""), "atom 1 (line 5): C at charge 0 cannot have the valence 5"},
		{"nitro without charges", mol("C N O O", "1 2 1,2 3 2,2 4 2"), "atom 2 (N) has valence 5"},
		{"aromatic pyrrole without its hydrogen", mol("N C C C C", "1 2 4,2 3 4,3 4 4,4 5 4,5 1 4"), "no Kekulé structure"},
		{"junk after the molfile", good + "junk\n", `"junk", want > <name> or $$$$`},
		{"fields", good + strings.Repeat("> <a>\n\n", maxProperties+1), "more than 1000 fields"},
		{"data", good + "> <a>\n" + strings.Repeat(strings.Repeat("x", 1<<19)+"\n", 9), "more than 4194304 bytes"},
		{"long line", good + "> <a>\n" + strings.Repeat("x", 2<<20), "line too long"},
		{"cut gzip", "\x1f\x8b\x08", "x.sdf"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := readAll(tc.in)
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.HasPrefix(err.Error(), "sdf: ") {
				t.Errorf("error %v, want it to hold %q", err, tc.want)
			}
		})
	}
}

// TestReadOn: a record that is none does not hide the next.
func TestReadOn(t *testing.T) {
	for name, bad := range map[string]string{
		"in the middle":   mol("Qq C", "1 2 1") + "> <a>\nb\n\n",
		"at its end":      "a\nb\nc\n  2  0\n",
		"in its header":   "a\n",
		"after the block": mol("C", "") + "junk\n",
	} {
		r, err := NewReader(strings.NewReader(mol("C", "")+"$$$$\n"+bad+"$$$$\n"+mol("O", "")+"$$$$\n"), "x.sdf")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for {
			rec, err := r.Read()
			if err == io.EOF {
				break
			}
			if errors.Is(err, ErrFormat) && len(got) < 9 {
				got = append(got, "bad")
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, rec.Molecule.Formula())
		}
		if fmt.Sprint(got) != "[CH4 bad H2O]" {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	carbon := parse(t, "C")
	for _, rec := range []Record{
		{Molecule: carbon, Name: "a\nb"}, {Molecule: carbon, Name: "$$$$"}, {Molecule: carbon, Name: " a"},
		{Molecule: carbon, Properties: []Property{{"a>", "b"}}}, {Molecule: carbon, Properties: []Property{{"a\n", "b"}}},
		{Molecule: carbon, Properties: []Property{{"a", "b\n\nc"}}}, {Molecule: carbon, Properties: []Property{{"a", "b\n$$$$"}}},
		{Molecule: carbon, Properties: []Property{{"a", " "}}}, {Molecule: carbon, Properties: []Property{{"a", "b\r"}}},
		{Molecule: &chem.Molecule{Atoms: make([]chem.Atom, 1000)}},
	} {
		var b bytes.Buffer
		if err := Write(&b, rec); err == nil || b.Len() > 0 {
			t.Errorf("%+v: error %v, %d bytes written", rec, err, b.Len())
		}
	}
	if err := Write(fullDisk{}, Record{Molecule: carbon}); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("a failing writer gives %v", err)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

// TestRoundTrip covers what V2000 has room for: charges over several lines, radicals, metals, stated valences.
func TestRoundTrip(t *testing.T) {
	var b bytes.Buffer
	var want []Record
	for i, s := range []string{"C", "[CH3]", "[CH2]", "[CH]", "[C]", "[Na+].[Cl-]", "[Na]", "[NaH]", "[SH4]", "[Fe+2]", "C[N+](=O)[O-]",
		"[H][H]", "[HH]", "[H+]", "[O][O]", "C[Mg]Br", "CS(C)(=O)=O", "CS(C)C", "OP(O)(O)=O", "F[P-](F)(F)(F)(F)F", "[H]", "[CH3][Zn]",
		strings.Repeat("[NH4+].[Cl-].", 20) + "O", "[Cl][Fe]([Cl])[Cl]", "[BH4-]", "c1ccc2[nH]ccc2c1"} {
		rec := Record{Molecule: parse(t, s), Name: fmt.Sprintf("no. %d", i), Properties: []Property{{"SMILES", s}, {"none", ""}, {"two", "a\n b"}}}
		want = append(want, rec)
		if err := Write(&b, rec); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	got, err := readAll(b.String())
	if err != nil || len(got) != len(want) {
		t.Fatalf("%d records, %v", len(got), err)
	}
	for i, w := range want {
		if g := got[i]; g.Name != w.Name || !reflect.DeepEqual(g.Properties, w.Properties) || !chemtest.Isomorphic(g.Molecule, w.Molecule) {
			s, _ := smiles.Write(g.Molecule)
			t.Errorf("%s came back as %s: %+v", w.Properties[0].Value, s, g)
		}
	}
}

// TestShared writes and reads the shared molecules.
func TestShared(t *testing.T) {
	f, err := os.Open(filepath.Join("..", "..", "..", "shared", "data", "graphs", "pubchemqc_cno", "molecules.tsv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	entries, err := chemtest.Table(f)
	if err != nil {
		t.Fatal(err)
	}
	in, out := io.Pipe()
	go func() {
		for _, e := range entries {
			if err := Write(out, Record{Molecule: e.Molecule, Name: e.SMILES}); err != nil {
				out.CloseWithError(err)
				return
			}
		}
		out.Close()
	}()
	r, err := NewReader(in, "shared")
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range entries {
		rec, err := r.Read()
		if err != nil {
			t.Fatal(err)
		}
		if rec.Name != e.SMILES || !reflect.DeepEqual(rec.Molecule, e.Molecule) && len(e.Molecule.Bonds) > 0 {
			t.Fatalf("record %d: %+v, want %s", i, rec, e.SMILES)
		}
	}
	if _, err := r.Read(); err != io.EOF {
		t.Errorf("after the last record: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(mol("C N+ O", "1 2 1,2 3 2", "M  CHG  1   2   1", "M  RAD  1   1   2") + "> <a>\nb\n\n$$$$\n"))
	f.Add([]byte(mol("C C C C C C:0:4", "1 2 4,2 3 4,3 4 4,4 5 4,5 6 4,6 1 4") + "$$$$\n\n\n\n\n"))
	f.Add([]byte(mol("Na:0:15 N:3 H", "2 3 1")))
	f.Add([]byte("\n\n\n  1  0\n    0.0000    0.0000    0.0000 Cl\nM  END\n"))
	f.Add([]byte("\x1f\x8b"))
	f.Fuzz(func(t *testing.T, in []byte) {
		r, err := NewReader(bytes.NewReader(in), "fuzz")
		if err != nil {
			return
		}
		r.lines.Max = 1 << 12
		for range 1000 {
			rec, err := r.Read()
			if err == io.EOF || err != nil && !errors.Is(err, ErrFormat) || r.count == 0 {
				return
			}
			if err != nil {
				continue
			}
			if err := rec.Molecule.Check(); err != nil || len(rec.Molecule.Faults()) > 0 {
				t.Fatalf("%v, %v", err, rec.Molecule.Faults())
			}
			var b strings.Builder
			if Write(&b, rec) != nil {
				continue
			}
			back, err := readAll(b.String())
			if err != nil || len(back) != 1 {
				t.Fatalf("written as %q: %d records, %v", b.String(), len(back), err)
			}
			g := back[0]
			if g.Name != rec.Name || len(g.Properties) != len(rec.Properties) || g.Molecule.Formula() != rec.Molecule.Formula() {
				t.Fatalf("%+v became %+v", rec, g)
			}
		}
	})
}

func Example() {
	m, err := smiles.Parse("C[NH3+]")
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := Molblock(m, "methylammonium")
	fmt.Print(text, err)
	// Output:
	// methylammonium
	//   pfgmgen
	//
	//   2  1  0  0  0  0  0  0  0  0999 V2000
	//     0.0000    0.0000    0.0000 C   0  0  0  0  0  0  0  0  0  0  0  0
	//     0.0000    0.0000    0.0000 N   0  0  0  0  0  0  0  0  0  0  0  0
	//   1  2  1  0
	// M  CHG  1   2   1
	// M  END
	// <nil>
}
