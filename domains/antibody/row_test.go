package antibody

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"pfgmgen/domains"
	"pfgmgen/io/airr"
	"pfgmgen/io/fasta"
)

// The figures are Biopython 1.88's ProteinAnalysis (same pK, scale and dipeptide weights); its masses are those of
// other tables, rounded otherwise, up to 1.2e-5 apart.
func TestProperties(t *testing.T) {
	for _, tc := range []struct {
		seq                                  string
		mass, gravy, unstable, point, charge float64
	}{
		{vh, 12655.9086, -0.23419, 37.03162, 8.02033, 0.81801},
		{"DE", 262.2167, -3.5, 5, 4.08515, -2.23073},
		{"ACDEFGHIKLMNPQRSTVWY", 2395.7134, -0.49, 84.74, 6.78455, -0.12489},
		{"MAEGEITTFTALTEKFNLPPGNYKKPKLLYCSNGGHFLRILPDGTVDGTRDRSDQHIQLQLSAESVGEVYIKSTETGQYLAMDTSGLLYGSQTPNEECLFLERLEENHYNTYTSKKHAEKNWFVGLKKNGSCKRGPRTHYGQKAILFLPLPV",
			17130.187, -0.61513, 39.44605, 7.72245, 0.92581},
	} {
		got := [5]float64{mass(tc.seq), gravy(tc.seq), instability(tc.seq), titrate(tc.seq).pI(), titrate(tc.seq).charge(7)}
		want := [5]float64{tc.mass, tc.gravy, tc.unstable, tc.point, tc.charge}
		limit := [5]float64{2e-5 * tc.mass, 1e-5, 1e-5, 2e-4, 1e-4} // Biopython stops halving at 1e-4
		for i := range got {
			if math.Abs(got[i]-want[i]) > limit[i] {
				t.Errorf("%.20s: property %d is %.6f, want %.6f", tc.seq, i, got[i], want[i])
			}
		}
	}
}

func TestLiabilities(t *testing.T) {
	for _, tc := range []struct {
		seq  string
		want [4]int
	}{
		{"", [4]int{}}, {"N", [4]int{}}, {"NG", [4]int{0, 1, 0, 0}}, {"NAS", [4]int{1, 0, 0, 0}}, {"NPS", [4]int{}},
		{"NST", [4]int{1, 1, 0, 0}}, {"NNTT", [4]int{2, 1, 0, 0}}, {"DGDSDA", [4]int{0, 0, 2, 0}}, {"MWM", [4]int{0, 0, 0, 3}},
	} {
		for i := range liabilities {
			if got := liabilities[i].count(tc.seq, 0, len(tc.seq)); got != tc.want[i] {
				t.Errorf("%s has %d of %s, want %d", tc.seq, got, liabilities[i].name, tc.want[i])
			}
		}
	}
}

// The germlines of the constants are known, so the columns are too.
func TestColumns(t *testing.T) {
	p, l := open(t, paired, nil), open(t, "light", nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(p.Fields(), nil))
	defer b.Release()
	empty := make([]float64, p.Free())
	encode(empty, slices.Repeat([]uint8{gapIndex}, p.s.positions()))
	p.Decode(tensor(p, vh, vl), -1).Append(b.Fields())
	l.Decode(tensor(l, vl), -1).Append(b.Fields())
	p.Decode(empty, -1).Append(b.Fields())
	h := open(t, "heavy", nil)
	h.Decode(tensorOf(h, "CWCW"), -1).Append(b.Fields())
	rec := b.NewRecord()
	defer rec.Release()
	for name, want := range map[string]string{
		"sequence_aa":              fmt.Sprintf(`[%q %q (null) "CWCW"]`, vh, vl),
		"sequence_aa_light":        fmt.Sprintf(`[%q (null) (null) (null)]`, vl),
		"locus":                    `["IGH" "IGK" (null) (null)]`,
		"locus_light":              `["IGK" (null) (null) (null)]`,
		"productive":               `[true true (null) false]`,
		"v_call":                   `["IGHV3-23" "IGKV1-39" (null) (null)]`,
		"v_identity":               `[1 1 (null) (null)]`,
		"fwr1_aa":                  `["EVQLLESGGGLVQPGGSLRLSCAAS" "DIQMTQSPSSLSASVGDRVTITCRAS" (null) (null)]`,
		"cdr1_aa":                  `["GFTFSSYA" "QSISSY" (null) (null)]`,
		"fwr2_aa":                  `["MSWVRQAPGKGLEWVSA" "LNWYQQKPGKAPKLLIY" (null) (null)]`,
		"cdr2_aa":                  `["ISGSGGST" "AAS" (null) (null)]`,
		"fwr3_aa":                  `["YYADSVKGRFTISRDNSKNTLYLQMNSLRAEDTAVYYC" "SLQSGVPSRFSGSGSGTDFTLTISSLQPEDFATYYC" (null) (null)]`,
		"cdr3_aa":                  `["AKDRGYYFDY" "QQSYSTPWT" (null) (null)]`,
		"fwr4_aa":                  `["WGQGTLVTVSS" "FGQGTKVEIK" (null) (null)]`,
		"junction_aa":              `["CAKDRGYYFDYW" "CQQSYSTPWTF" (null) (null)]`,
		"junction_aa_length":       `[12 11 (null) (null)]`,
		"junction_aa_length_light": `[11 (null) (null) (null)]`,
		"n_cys":                    `[2 2 (null) 2]`,
		"liab_oxid":                fmt.Sprintf("[%d %d (null) 2]", strings.Count(vh, "M")+strings.Count(vh, "W"), strings.Count(vl, "M")+strings.Count(vl, "W")),
		"liab_isomer_cdr":          `[0 0 (null) (null)]`,
		"total_cdr_len":            `[44 18 (null) (null)]`, // 8 + 8 + 10 and 6 + 3 + 9
	} {
		at := rec.Schema().FieldIndices(name)
		if len(at) != 1 {
			t.Fatalf("%d columns %s", len(at), name)
		}
		if got := rec.Column(at[0]).(fmt.Stringer).String(); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	numbers := rec.Column(rec.Schema().FieldIndices("imgt_numbering")[0]).(*array.List)
	if first, end := numbers.ValueOffsets(0); int(end-first) != len(vh) {
		t.Errorf("%d numbers for %d residues", end-first, len(vh))
	}
}

// What is exported reads back: as FASTA, and as AIRR by the package's own reader, the columns that the standard
// requires all there; loading it gives the same pairs.
func TestExport(t *testing.T) {
	p := open(t, paired, nil)
	var fa, tsv bytes.Buffer
	if err := p.ExportHeader(&tsv, "airr"); err != nil {
		t.Fatal(err)
	}
	if err := p.ExportHeader(&fa, "fasta"); err != nil || fa.Len() > 0 {
		t.Errorf("FASTA has a header: %q, %v", fa.String(), err)
	}
	for i := range 3 {
		r := p.Decode(tensor(p, variant(vh, i), variant(vl, i)), -1).(*row)
		for format, w := range map[string]io.Writer{"fasta": &fa, "airr": &tsv} {
			if err := r.Export(w, format, fmt.Sprintf("run-%d", i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	f, err := fasta.NewReader(&fa, "out.fa")
	if err != nil {
		t.Fatal(err)
	}
	if rec, err := f.Read(); err != nil || rec.ID != "run-0_heavy" || string(rec.Seq) != variant(vh, 0) || rec.Desc != "length=117 locus=IGH v_call=IGHV3-23" {
		t.Errorf("%+v, %v", rec, err)
	}
	text := tsv.String()
	table, err := airr.NewReader(strings.NewReader(text), "out.tsv")
	if err != nil || len(table.Missing()) > 0 || !slices.Equal(table.Header()[:14], airr.Required()) {
		t.Fatalf("%v, missing %v", err, table.Missing())
	}
	row, err := table.Read()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"sequence_id": "run-0_heavy", "cell_id": "run-0", "sequence": "", "rev_comp": "F", "productive": "T",
		"stop_codon": "F", "v_call": "IGHV3-23", "locus": "IGH", "cdr1_aa": "GFTFSSYA", "junction_aa": "CAKDRGYYADYW", "junction_aa_length": "12", "j_call": ""} {
		if got := row.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	d := load(t, with([]string{file(t, "out.tsv", text)}))
	if got := keys(d); len(got) != 3 || !slices.Contains(got, variant(vh, 2)+":"+variant(vl, 2)) {
		t.Errorf("loaded again: %v", got)
	}
}

func Example() {
	a, err := Domain{}.Open([]byte(`{"alphabet":"ACDEFGHIKLMNPQRSTVWY-","cdr3":[[3,32],[4,16]],"chains":"light","condition":"none",
		"length":[[105,140],[95,120]],"locus_margin":10,"version":2}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, third := range []string{"QQSYSTPWT", "QQNYSTPCT"} {
		p := parts{"DIQMTQSPSSLSASVGDRVTITCRAS", "QSISSY", "LNWYQQKPGKAPKLLIY", "AAS", "SLQSGVPSRFSGSGSGTDFTLTISSLQPEDFATYYC", third, "FGQGTKVEIK"}
		symbols, x := make([]uint8, a.Shape()[0]), make([]float64, a.Free())
		p.put(symbols, light)
		encode(x, symbols)
		r := a.Decode(x, -1)
		r.(domains.Exporter).Export(os.Stdout, "fasta", "row-0")
		fmt.Println(r.Verdict().Valid(), r.Verdict().Warnings)
	}
	// Output:
	// >row-0 length=107 locus=IGK v_call=IGKV1-39
	// DIQMTQSPSSLSASVGDRVTITCRASQSISSYLNWYQQKPGKAPKLLIYAASSLQSGVPSRFSGSGSGTDFTLTISSLQPEDFATYYCQQSYSTPWTFGQGTKVEIK
	// true []
	// >row-0 length=107 locus=IGK v_call=IGKV1-39
	// DIQMTQSPSSLSASVGDRVTITCRASQSISSYLNWYQQKPGKAPKLLIYAASSLQSGVPSRFSGSGSGTDFTLTISSLQPEDFATYYCQQNYSTPCTFGQGTKVEIK
	// true [AB_NGLYC AB_ODD_CYS]
}
