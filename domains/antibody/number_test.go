package antibody

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"pfgmgen/io/airr"
)

// A tableRow is a row with the header of its table.
type tableRow struct {
	airr.Row
	header []string
}

func (r tableRow) line() string {
	fields := make([]string, len(r.header))
	for i, name := range r.header {
		fields[i] = r.Get(name)
	}
	return strings.Join(fields, "\t")
}

// allRows yields the rows of a shared table.
func allRows(t testing.TB, path string) func(yield func(tableRow) bool) {
	t.Helper()
	return func(yield func(tableRow) bool) {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		table, err := airr.NewReader(f, path)
		if err != nil {
			t.Fatal(err)
		}
		header := table.Header()
		for {
			row, err := table.Read()
			if err == io.EOF {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !yield(tableRow{row, header}) {
				return
			}
		}
	}
}

// rowsOf yields those that are not of the training part, which the profiles were made from.
func rowsOf(t testing.TB, path string) func(yield func(tableRow) bool) {
	return func(yield func(tableRow) bool) {
		for row := range allRows(t, path) {
			if row.Get("split") != "train" && !yield(row) {
				return
			}
		}
	}
}

// agreement counts residues whose column is the recorded one.
type agreement struct {
	chains, found, anchors, cdr3, whole int
	framework, frameworkAll             int
	loops, loopsAll                     int
}

// compare takes the recorded columns, "-" for none, up to 104 or 128, and the recorded CDR3.
func (a *agreement) compare(seq, columns, third string) {
	a.chains++
	n := numberChain(seq)
	if !n.found {
		return
	}
	a.found++
	anchors, whole := true, true
	for c := range len(columns) {
		want := columns[c]
		got := n.columns[c]
		if got == 0 {
			got = '-'
		}
		if want == '-' && got == '-' {
			continue
		}
		same := got == want
		whole = whole && same
		if isLoop := c >= 26 && c < 38 || c >= 55 && c < 65 || c >= 104 && c < 117; isLoop {
			a.loopsAll++
			if same {
				a.loops++
			}
		} else {
			a.frameworkAll++
			if same {
				a.framework++
			}
		}
		switch c + 1 {
		case 23, 41, 89, 104, 118:
			anchors = anchors && same
		}
	}
	if anchors {
		a.anchors++
	}
	if n.parts[cdr3] == third {
		a.cdr3++
	}
	if whole {
		a.whole++
	}
}

// TestAgreement compares the numbering with the recorded IMGT columns of records that the profiles have not seen. On
// Protein Data Bank chains, profile alignment gave anchors and CDR3 in 100 % and framework residues in 99.4 to 99.9 %
// (domains.md 4.3). Here most of the few differences are records whose J motif is mutated or whose recorded columns
// hold a whole framework one off; the limits leave twice their number.
func TestAgreement(t *testing.T) {
	var all [4]agreement
	names := [4]string{"Bernat IGH", "Jaffe IGH", "Jaffe IGK", "Jaffe IGL"}
	for row := range rowsOf(t, bernat) {
		all[0].compare(row.Get("vh"), row.Get("imgt128"), row.Get("cdrh3"))
	}
	i := 0
	for row := range rowsOf(t, jaffe) {
		if i++; i%6 != 0 {
			continue
		}
		if c := row.Get("vh_imgt104"); c != "" {
			all[1].compare(row.Get("vh"), c, row.Get("cdrh3"))
		}
		if c := row.Get("vl_imgt104"); c != "" {
			k := 3
			if row.Get("light") == "kappa" {
				k = 2
			}
			all[k].compare(row.Get("vl"), c, row.Get("cdrl3"))
		}
	}
	for k, a := range all {
		share := func(n, of int) float64 { return 100 * float64(n) / float64(of) }
		t.Logf("%s: %d chains; anchors %.2f %%, CDR3 %.2f %%, framework residues %.3f %%, residues of loops %.3f %%, whole chains %.2f %%", names[k], a.chains,
			share(a.anchors, a.chains), share(a.cdr3, a.chains), share(a.framework, a.frameworkAll), share(a.loops, a.loopsAll), share(a.whole, a.chains))
		if a.chains < 300 || a.found != a.chains {
			t.Errorf("%s: %d of %d chains recognised", names[k], a.found, a.chains)
		}
		if share(a.anchors, a.chains) < 99 || share(a.cdr3, a.chains) < 98.8 || share(a.framework, a.frameworkAll) < 99.9 || share(a.loops, a.loopsAll) < 99.7 {
			t.Errorf("%s: %+v", names[k], a)
		}
	}
}

// Held-out domains are recognised with their locus far beyond the 10 bits of AB_LOCUS, shuffled ones are not, and the
// nearest germline is the recorded gene nine times in ten, its family nearly always.
func TestRecognition(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	shuffle := func(seq string) string {
		b := []byte(seq)
		rng.Shuffle(len(b), func(i, j int) { b[i], b[j] = b[j], b[i] })
		return string(b)
	}
	i, chains, genes, families := 0, 0, 0, 0
	lowest, margin, highest := math.Inf(1), math.Inf(1), math.Inf(-1)
	for row := range rowsOf(t, jaffe) {
		if i++; i%15 != 0 {
			continue
		}
		for _, names := range [][2]string{{"vh", "vh_gene"}, {"vl", "vl_gene"}} {
			seq, gene := row.Get(names[0]), row.Get(names[1])
			n := numberChain(seq)
			if loci[n.locus] != gene[:3] {
				t.Errorf("%s of %s is taken for %s", names[0], row.Get("id"), loci[n.locus])
			}
			lowest, margin = min(lowest, n.bits), min(margin, n.margin)
			highest = max(highest, numberChain(shuffle(seq)).bits)
			chains++
			if n.gene == gene {
				genes++
			}
			if familyOf(n.gene) == familyOf(gene) {
				families++
			}
		}
	}
	t.Logf("%d chains: score at least %.0f bits, margin at least %.0f, shuffled at most %.0f; gene right in %d, family in %d", chains, lowest, margin, highest, genes, families)
	if lowest < 150 || margin < 100 || highest > minScore/2 {
		t.Errorf("score at least %.0f bits, margin at least %.0f, shuffled up to %.0f", lowest, margin, highest)
	}
	if 10*genes < 9*chains || 100*families < 99*chains {
		t.Errorf("of %d chains, the gene of %d and the family of %d is right", chains, genes, families)
	}
}

// The numbers are those of IMGT's tables for CDR1 of 12, CDR2 of 10 and CDR3 of 13 columns.
func TestLoop(t *testing.T) {
	for _, tc := range []struct {
		first, last, n int
		want           string
	}{
		{105, 117, 0, ""},
		{105, 117, 1, "105"},
		{105, 117, 5, "105 106 107 116 117"},
		{105, 117, 12, "105 106 107 108 109 110 112 113 114 115 116 117"},
		{105, 117, 13, "105 106 107 108 109 110 111 112 113 114 115 116 117"},
		{105, 117, 14, "105 106 107 108 109 110 111 112A 112 113 114 115 116 117"},
		{105, 117, 17, "105 106 107 108 109 110 111 111A 111B 112B 112A 112 113 114 115 116 117"},
		{27, 38, 8, "27 28 29 30 35 36 37 38"},
		{27, 38, 7, "27 28 29 30 36 37 38"},
		{27, 38, 13, "27 28 29 30 31 32 33A 33 34 35 36 37 38"},
		{56, 65, 3, "56 57 65"},
		{56, 65, 12, "56 57 58 59 60 60A 61A 61 62 63 64 65"},
	} {
		var got []string
		for _, l := range loop(tc.first, tc.last, tc.n) {
			got = append(got, fmt.Sprint(l.column)+letters(l.insertion))
		}
		if strings.Join(got, " ") != tc.want {
			t.Errorf("%d residues in %d-%d: %v, want %s", tc.n, tc.first, tc.last, got, tc.want)
		}
	}
	for n, want := range map[int]string{0: "", 1: "A", 26: "Z", 27: "AA", 52: "AZ", 703: "AAA"} {
		if letters(n) != want {
			t.Errorf("letters(%d) is %s, want %s", n, letters(n), want)
		}
	}
}

// A leader and a constant region are left outside, and insertions in a framework take letters.
func TestNumberingOfContext(t *testing.T) {
	const leader, constant = "MEFGLSWVFLVALLRGVQC", "ASTKGPSVFPLAPSSKSTSGG"
	plain := numberChain(vh)
	n := numberChain(leader + vh + constant)
	if n.first != len(leader) || n.last != len(leader)+len(vh) || n.parts != plain.parts || n.bits != plain.bits {
		t.Errorf("the domain is %d to %d, regions %q", n.first, n.last, n.parts)
	}
	if n.labels[0] != "" || n.labels[n.first] != "1" || n.labels[n.last-1] != "128" || n.labels[n.last] != "" {
		t.Errorf("labels %v", n.labels)
	}
	at := strings.Index(vh, "NSKNTL") + 3
	n = numberChain(vh[:at] + "GG" + vh[at:])
	if !n.found || len(n.parts[fwr3]) != 40 || n.labels[len(n.labels)-1] != "128" || !slices.ContainsFunc(n.labels, func(l string) bool { return l[len(l)-1] == 'A' && l[0] != '1' }) {
		t.Errorf("two residues more in FR3: %q, labels %v", n.parts, n.labels)
	}
	for _, seq := range []string{"", "C", strings.Repeat("A", 400), strings.Repeat("WC", 60)} {
		if n := numberChain(seq); n.found || len(n.labels) != len(seq) {
			t.Errorf("%.20s is taken for a domain of %v bits", seq, n.bits)
		}
	}
}

func FuzzNumber(f *testing.F) {
	f.Add(vh)
	f.Add(vl[:70] + vl)
	f.Add("CWC")
	f.Fuzz(func(t *testing.T, text string) {
		seq, unclear, bad := clean(text)
		if unclear || bad > 0 || len(seq) > 2000 {
			return
		}
		n := numberChain(seq)
		if !n.found {
			return
		}
		if n.parts.sequence() != seq[n.first:n.last] {
			t.Fatalf("regions %q of %s", n.parts, seq[n.first:n.last])
		}
		seen := make(map[string]bool)
		for i, label := range n.labels {
			inside := i >= n.first && i < n.last
			if inside != (label != "") || seen[label] && inside {
				t.Fatalf("label %q of residue %d, domain %d to %d", label, i, n.first, n.last)
			}
			seen[label] = true
		}
	})
}

// Domains put together by hand from the germlines of IGHV3-23, IGHJ4, IGKV1-39 and IGKJ1, and an invented CDR3.
const (
	vh = "EVQLLESGGGLVQPGGSLRLSCAASGFTFSSYAMSWVRQAPGKGLEWVSAISGSGGSTYYADSVKGRFTISRDNSKNTLYLQMNSLRAEDTAVYYCAKDRGYYFDYWGQGTLVTVSS"
	vl = "DIQMTQSPSSLSASVGDRVTITCRASQSISSYLNWYQQKPGKAPKLLIYAASSLQSGVPSRFSGSGSGTDFTLTISSLQPEDFATYYCQQSYSTPWTFGQGTKVEIK"
)

func BenchmarkNumber(b *testing.B) {
	for b.Loop() {
		numberChain(vh)
	}
}
