package airr

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func readAll(in string) (t *Reader, rows []Row, err error) {
	t, err = NewReader(strings.NewReader(in), "x.tsv")
	if err != nil {
		return nil, nil, err
	}
	for {
		row, err := t.Read()
		if err == io.EOF {
			return t, rows, nil
		}
		if err != nil {
			return t, rows, err
		}
		rows = append(rows, row)
	}
}

func TestReadTSV(t *testing.T) {
	in := "# License: CC BY\n" + strings.Join(Required(), "\t") + "\tlocus\n" +
		"s1\tACGT" + strings.Repeat("\t", 13) + "IGH\n\ns2\t\"AC\tT\tF" + strings.Repeat("\t", 11) + "\r\n"
	table, rows, err := readAll(in)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 2 || len(table.Missing()) != 0 || !slices.Equal(table.Comments(), []string{"License: CC BY"}) {
		t.Fatalf("%d rows, missing %v, comments %v", len(rows), table.Missing(), table.Comments())
	}
	a, b := rows[0], rows[1]
	if a.Get("sequence_id") != "s1" || a.Get("locus") != "IGH" || a.Get("v_call") != "" || a.Get("none") != "" || a.Line != 3 || a.Number != 1 {
		t.Errorf("first row %+v", a)
	}
	if b.Get("sequence") != `"AC` || b.Line != 5 || b.Number != 2 { // tabs go without quotes
		t.Errorf("second row %+v", b)
	}
	for _, tc := range []struct {
		row         Row
		column      string
		truth, know bool
	}{{a, "rev_comp", false, false}, {b, "rev_comp", true, true}, {b, "productive", false, true}} {
		if truth, known, err := tc.row.Bool(tc.column); truth != tc.truth || known != tc.know || err != nil {
			t.Errorf("%s: %v %v %v", tc.column, truth, known, err)
		}
	}
	if _, _, err := a.Bool("locus"); err == nil || !strings.Contains(err.Error(), `x.tsv: line 3, record 1, column locus: "IGH"`) {
		t.Errorf("a locus as a truth value: %v", err)
	}
}

// The first line is as OAS writes it.
func TestReadOAS(t *testing.T) {
	in := `"{""Run"": ""SRR1"", ""Author"": ""Doe et al., 2020"", ""Unique sequences"": 3}"` + "\n" +
		"sequence_alignment_aa,Redundancy,ANARCI_numbering\n" +
		`QVQL,2,"{'fwh1': {'1 ': 'Q', ""x"": 1}}"` + "\n" + `EVQL,,""` + "\n"
	table, rows, err := readAll(in)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"Run": "SRR1", "Author": "Doe et al., 2020", "Unique sequences": "3"}
	if !reflect.DeepEqual(table.Metadata(), want) || len(rows) != 2 || len(table.Missing()) != 14 {
		t.Errorf("metadata %v, %d rows, missing %v", table.Metadata(), len(rows), table.Missing())
	}
	if got := rows[0].Get("anarci_numbering"); got != `{'fwh1': {'1 ': 'Q', "x": 1}}` {
		t.Errorf("numbering %q", got)
	}
	if rows[1].Get("redundancy") != "" || rows[1].Get("sequence_alignment_aa") != "EVQL" {
		t.Errorf("second row %v", rows[1].fields)
	}
}

func TestReadErrors(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"", "x.tsv: not an AIRR table: no header"},
		{"# only\n\n", "no header"},
		{"{\"Run\": 1\na,b\n", "line 1: not an AIRR table: metadata"},
		{"\"{\n", "line 1: not an AIRR table: a quote is opened in field 1"},
		{"a\tb\ta\n", `column "a" stands twice`},
		{"a,b\n1\n", "line 2, record 1: not an AIRR table: 1 fields, the header has 2"},
		{"a,b\n1,2\n\"1,2\n", "line 3, record 2: not an AIRR table: a quote is opened in field 1"},
		{"a,b\n\"1\"x,2\n", `"x,2" follows the closing quote of field 1`},
		{strings.Repeat("\x00", MaxLine+3), "line too long"},
		{"\x1f\x8b\x08", "x.tsv"},
	} {
		_, _, err := readAll(tc.in)
		if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.HasPrefix(err.Error(), "airr: ") {
			t.Errorf("%.40q gives %v, want %q", tc.in, err, tc.want)
		}
	}
	var wide []string
	for i := range MaxColumns + 1 {
		wide = append(wide, fmt.Sprint(i))
	}
	if _, _, err := readAll(strings.Join(wide, ",")); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), "4097 columns") {
		t.Errorf("too many columns: %v", err)
	}
}

// TestEndlessComments: what stands before the header is bounded as one line is.
func TestEndlessComments(t *testing.T) {
	comment := "#" + strings.Repeat("x", 1<<20) + "\n"
	_, err := NewReader(strings.NewReader(strings.Repeat(comment, 5)+"sequence_id\n"), "x.tsv")
	if !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), "x.tsv: line 4: ") {
		t.Errorf("error %v", err)
	}
	if _, err := NewReader(strings.NewReader(strings.Repeat(comment, 3)+"sequence_id\n"), "x.tsv"); err != nil {
		t.Errorf("three comments: %v", err)
	}
}

func TestBools(t *testing.T) {
	for _, v := range []bool{true, false} {
		if truth, known, err := ParseBool(FormatBool(v)); truth != v || !known || err != nil {
			t.Errorf("%v comes back as %v, %v, %v", v, truth, known, err)
		}
	}
	if _, _, err := ParseBool("yes"); err == nil {
		t.Error("yes is taken for a truth value")
	}
}

func TestLayoutErrors(t *testing.T) {
	for _, name := range []string{"", "sequence", "Locus", "a\tb", "a b"} {
		if _, err := NewLayout(name); err == nil {
			t.Errorf("column %q is accepted", name)
		}
	}
	l, err := NewLayout("locus")
	if err != nil {
		t.Fatal(err)
	}
	for _, values := range []map[string]string{{"locus": "a\tb"}, {"sequence": "a\n"}, {"no_such": "", "locus": "x"}} {
		var b bytes.Buffer
		if err := l.WriteRow(&b, values); err == nil || b.Len() > 0 {
			t.Errorf("%v: %v, %d bytes written", values, err, b.Len())
		}
	}
	if err := l.WriteHeader(fullDisk{}); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("a failing writer gives %v", err)
	}
	if err := l.WriteRow(fullDisk{}, nil); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("a failing writer gives %v", err)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

// What is read from any table can be written and comes back.
func FuzzRead(f *testing.F) {
	f.Add([]byte("sequence_id\tsequence\ns\tACGT\n"))
	f.Add([]byte("\"{\"\"a\"\": 1}\"\nlocus,\"x\"\n\"I\"\"GH\",\n"))
	f.Add([]byte("#\n{}\n\x1f"))
	f.Fuzz(func(t *testing.T, in []byte) {
		table, err := NewReader(bytes.NewReader(in), "fuzz")
		if err != nil {
			return
		}
		var others []string
		for _, name := range table.Header() {
			if !slices.Contains(required, name) {
				others = append(others, name)
			}
		}
		layout, err := NewLayout(others...)
		if err != nil {
			return
		}
		for {
			row, err := table.Read()
			if err != nil {
				if err != io.EOF && !errors.Is(err, ErrFormat) && !strings.Contains(err.Error(), "lines: ") {
					t.Fatal(err)
				}
				return
			}
			values := make(map[string]string)
			for _, name := range table.Header() {
				values[name] = row.Get(name)
			}
			var b bytes.Buffer
			layout.WriteHeader(&b)
			if layout.WriteRow(&b, values) != nil {
				continue
			}
			_, back, err := readAll(b.String())
			if err != nil || len(back) > 1 {
				t.Fatalf("%q: %v, %d rows", b.Bytes(), err, len(back))
			}
			for name, value := range values {
				if len(back) == 1 && back[0].Get(name) != value || len(back) == 0 && value != "" {
					t.Fatalf("%s: %q is lost", name, value)
				}
			}
		}
	})
}

func Example() {
	table, err := NewReader(strings.NewReader("sequence_alignment_aa,locus,productive\nEVQLVESGG,IGH,T\n"), "unit.csv")
	if err != nil {
		fmt.Println(err)
		return
	}
	layout, err := NewLayout("sequence_aa", "locus")
	if err != nil {
		fmt.Println(err)
		return
	}
	for {
		row, err := table.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(row.Get("locus"), row.Get("sequence_alignment_aa"))
		layout.WriteRow(io.Discard, map[string]string{"sequence_aa": row.Get("sequence_alignment_aa"), "locus": row.Get("locus")})
	}
	// Output: IGH EVQLVESGG
}
