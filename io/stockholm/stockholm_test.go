package stockholm

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func readAll(in string) (out []*Alignment, err error) {
	r, err := NewReader(strings.NewReader(in), "x.sto")
	if err != nil {
		return nil, err
	}
	for {
		a, err := r.Read()
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		out = append(out, a)
	}
}

const pfam = `# STOCKHOLM 1.0

#=GF AC   RF00001
#=GF CC   two words
#=GS a DE first sequence
# a comment
a            AC-GU
#=GR a SS    (...)
b            .CCGU
#=GC SS_cons <---> 
#=GC RF      xx.xx
//
`

const wrapped = `# STOCKHOLM 1.0
#=GF AC   RF00001
#=GF CC   two words
#=GS a DE first sequence

a            AC-
#=GR a SS    (..
b            .CC
#=GC SS_cons <--
#=GC RF      xx.

a            GU
#=GR a SS    .)
b            GU
#=GC SS_cons ->
#=GC RF      xx
//
`

var want = &Alignment{
	GF: []Feature{{"AC", "RF00001"}, {"CC", "two words"}},
	GC: []Feature{{"SS_cons", "<--->"}, {"RF", "xx.xx"}},
	Rows: []Row{
		{"a", []byte("AC-GU"), []Feature{{"DE", "first sequence"}}, []Feature{{"SS", "(...)"}}},
		{"b", []byte(".CCGU"), nil, nil},
	},
}

func TestRead(t *testing.T) {
	for _, tc := range []struct {
		name, in string
		n        int
	}{
		{"pfam style", pfam, 1},
		{"wrapped", wrapped, 1},
		{"CRLF", strings.ReplaceAll(wrapped, "\n", "\r\n"), 1},
		{"two alignments", pfam + "\n" + wrapped, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := readAll(tc.in)
			if err != nil || len(got) != tc.n {
				t.Fatalf("%d alignments, %v", len(got), err)
			}
			for _, a := range got {
				if !reflect.DeepEqual(a, want) {
					t.Errorf("got %+v, want %+v", a, want)
				}
			}
		})
	}
	if Lookup(want.GF, "AC") != "RF00001" || Lookup(want.GF, "ID") != "" || want.Columns() != 5 {
		t.Error("Lookup or Columns is wrong")
	}
}

func TestReadErrors(t *testing.T) {
	const head = "# STOCKHOLM 1.0\n"
	for _, tc := range []struct {
		name, in, want string
		is             error
	}{
		{"empty", "", "x.sto: not a Stockholm alignment: the file is empty", ErrFormat},
		{"FASTA", ">a\nAC\n", "line 1", ErrFormat},
		{"ragged", head + "a ACGU\nb ACG\n//\n", "sequence b has 3 columns, sequence a has 4", ErrRagged},
		{"ragged in a later block", head + "a AC\nb AC\n\na GU\nb GUU\n//\n", "sequence b has 5 columns, sequence a has 4", ErrRagged},
		{"missing from a later block", head + "a AC\nb AC\n\na GU\n//\n", "sequence b has 2 columns, sequence a has 4", ErrRagged},
		{"ragged consensus", head + "a AC\n#=GC SS_cons <\n//\n", "#=GC SS_cons has 1 columns", ErrRagged},
		{"ragged residue markup", head + "a AC\n#=GR a SS ...\n//\n", "#=GR a SS has 3 columns", ErrRagged},
		{"twice in a block", head + "a AC\na AC\n//\n", "line 3: not a Stockholm alignment: sequence a stands twice", ErrFormat},
		{"no end", head + "a AC\n", "cut off", ErrFormat},
		{"no rows", head + "//\n", "no sequence", ErrFormat},
		{"a word too many", head + "a AC GU\n//\n", "line 2", ErrFormat},
		{"a name alone", head + "a\n//\n", "line 2", ErrFormat},
		{"binary", head + "a A\x00\n//\n", "byte 0x00 at position 4", ErrFormat},
		{"second alignment without header", pfam + "a AC\n//\n", "line 13", ErrFormat},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := readAll(tc.in)
			if !errors.Is(err, tc.is) || !strings.Contains(err.Error(), tc.want) || !strings.HasPrefix(err.Error(), "stockholm: x.sto: ") {
				t.Errorf("error %v, want %v with %q", err, tc.is, tc.want)
			}
		})
	}
}

func TestReadBounded(t *testing.T) {
	r, err := NewReader(strings.NewReader(pfam), "x.sto")
	if err != nil {
		t.Fatal(err)
	}
	r.MaxAlignment = 50
	if _, err := r.Read(); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), "over 50 bytes") {
		t.Errorf("error %v", err)
	}
}

func TestWriteRoundTrip(t *testing.T) {
	for _, width := range []int{0, 1, 3, 5, 80} {
		var b bytes.Buffer
		if err := Write(&b, want, width); err != nil {
			t.Fatal(err)
		}
		got, err := readAll(b.String())
		if err != nil || len(got) != 1 || !reflect.DeepEqual(got[0], want) {
			t.Errorf("width %d: %v, %+v\n%s", width, err, got, b.String())
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	row := func(name, text string) Row { return Row{Name: name, Text: []byte(text)} }
	for _, a := range []*Alignment{
		{},
		{Rows: []Row{row("a", "")}},
		{Rows: []Row{row("a", "AC"), row("b", "A")}},
		{Rows: []Row{row("a", "AC"), row("a", "AC")}},
		{Rows: []Row{row("#a", "AC")}},
		{Rows: []Row{row("a b", "AC")}},
		{Rows: []Row{row("a", "A C")}},
		{Rows: []Row{row("a", "AC")}, GC: []Feature{{"RF", "x"}}},
		{Rows: []Row{row("a", "AC")}, GF: []Feature{{"CC", "two\nlines"}}},
	} {
		var b bytes.Buffer
		if err := Write(&b, a, 0); err == nil || b.Len() > 0 {
			t.Errorf("%+v: error %v, %d bytes written", a, err, b.Len())
		}
	}
}

// The counts are those of the SOURCE.md beside the files and of `grep -v '^#'` on them: the Rfam file is in pfam style,
// the Sprinzl file is wrapped at 50 columns.
func TestRealFiles(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "shared", "data", "rna", "trna_rfam_sprinzl")
	for _, tc := range []struct {
		file          string
		rows, columns int
		ac            string
		residueTracks int
	}{
		{"RF00005.rfam14.2.seed.sto.gz", 954, 118, "RF00005", 0},
		{"sprinzl_tRNA1415.sto.gz", 1415, 176, "", 1},
	} {
		f, err := os.Open(filepath.Join(dir, tc.file))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		r, err := NewReader(f, tc.file)
		if err != nil {
			t.Fatal(err)
		}
		a, err := r.Read()
		if err != nil {
			t.Fatal(err)
		}
		if len(a.Rows) != tc.rows || a.Columns() != tc.columns || Lookup(a.GF, "AC") != tc.ac || len(a.Rows[0].GR) != tc.residueTracks {
			t.Errorf("%s: %d rows, %d columns, AC %q, %d residue tracks", tc.file, len(a.Rows), a.Columns(), Lookup(a.GF, "AC"), len(a.Rows[0].GR))
		}
		if n := len(Lookup(a.GC, "SS_cons")); n != tc.columns {
			t.Errorf("%s: SS_cons has %d columns", tc.file, n)
		}
		if _, err := r.Read(); err != io.EOF {
			t.Errorf("%s: after the alignment: %v", tc.file, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(pfam), 0)
	f.Add([]byte(wrapped), 2)
	f.Fuzz(func(t *testing.T, in []byte, width int) {
		r, err := NewReader(bytes.NewReader(in), "fuzz")
		if err != nil {
			return
		}
		r.MaxAlignment = 1 << 14
		for {
			a, err := r.Read()
			if err != nil {
				return
			}
			for _, row := range a.Rows {
				if len(row.Text) != a.Columns() {
					t.Fatalf("ragged: %+v", a)
				}
			}
			var b bytes.Buffer
			if Write(&b, a, width%100) != nil {
				continue
			}
			back, err := readAll(b.String())
			if err != nil || len(back) != 1 || !reflect.DeepEqual(back[0], a) {
				t.Fatalf("%+v became %+v, %v", a, back, err)
			}
		}
	})
}

func Example() {
	r, err := NewReader(strings.NewReader(wrapped), "family.sto")
	if err != nil {
		fmt.Println(err)
		return
	}
	a, err := r.Read()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(Lookup(a.GF, "AC"), len(a.Rows), "sequences of", a.Columns(), "columns", Lookup(a.GC, "SS_cons"))
	// Output: RF00001 2 sequences of 5 columns <--->
}
