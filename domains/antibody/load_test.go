package antibody

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pfgmgen/domains"
)

// keys are the sequences of both parts, in order.
func keys(d *domains.Data) []string {
	var out []string
	for _, e := range []domains.Examples{d.Train, d.Valid} {
		for i := range e.Len() {
			out = append(out, e.Key(i))
		}
	}
	slices.Sort(out)
	return out
}

// variant is vh or vl with another residue before the end of CDR3, so that records differ.
func variant(seq string, k int) string {
	n := numberChain(seq)
	i := n.region[cdr3][1] - 3
	return seq[:i] + string(alphabet[k]) + seq[i+1:]
}

// codons spells a protein in nucleotides.
func codons(seq string) string {
	var b strings.Builder
	for i := range len(seq) {
		k := strings.IndexByte(code, seq[i])
		b.WriteString(string([]byte{bases[k/16], bases[k/4%4], bases[k%4]}))
	}
	return b.String()
}

func gzipped(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(text))
	z.Close()
	return b.String()
}

func TestInputsBySight(t *testing.T) {
	h1, h2, l1, l2 := variant(vh, 1), variant(vh, 2), variant(vl, 1), variant(vl, 2)
	const leader, constant = "MEFGLSWVFLVALLRGVQC", "RTVAAPSVFIFPPSDEQLKSG"
	pairs := []string{h1 + ":" + l1, h2 + ":" + l2}
	slices.Sort(pairs)
	heavies, lights := []string{h1, h2}, []string{l1, l2}
	slices.Sort(heavies)
	slices.Sort(lights)
	oas := `"{""Run"": ""SRR1"", ""Species"": ""human""}"` + "\nsequence_id_heavy,productive_heavy,sequence_alignment_aa_heavy,ANARCI_numbering_heavy,sequence_alignment_aa_light,productive_light\n"
	airrHead := "sequence_id\tsequence\trev_comp\tproductive\tv_call\td_call\tj_call\tsequence_alignment\tgermline_alignment\tjunction\tjunction_aa\tv_cigar\td_cigar\tj_cigar\tsequence_aa\tcell_id\n"
	airrRow := func(id, nt, turned, productive, aa, cell string) string {
		return id + "\t" + nt + "\t" + turned + "\t" + productive + strings.Repeat("\t", 10) + "\t" + aa + "\t" + cell + "\n"
	}
	for _, tc := range []struct {
		name, text string
		settings   []string
		want       []string
		note       string
	}{
		{"pairs.fa", ">a x\n" + h1 + ":" + l1 + "\n>b\n" + h2[:50] + "\n" + h2[50:] + ":" + l2 + "\n", nil, pairs, ""},
		{"pairs, heavy side", ">a\n" + h1 + ":" + l1 + "\n>b\n" + h2 + ":" + l2 + "\n", []string{"chains", "heavy"}, heavies, ""},
		{"context.fa", ">a\n" + leader + h1 + constant + "\n>b\n" + strings.ToLower(h2) + "\n", nil, heavies, "1 chains cut to their variable domain"},
		{"light.fa", ">a\n" + l1 + constant + "\n>b\n" + l2 + "\n", nil, lights, "1 chains cut"},
		{"both.fa", ">a\n" + l1 + "\n>b\n" + h1 + "\n>c\n" + l2 + "\n", []string{"chains", "light"}, lights, "1 records without the chains of chains=light left out"},
		{"nucleotides.fa", ">a\nGA" + codons(leader+h1+constant) + "T\n>b\n" + codons(h2) + "TAA\n", nil, heavies, ""},
		{"other.fa", ">a\n" + h1 + "\n>b\n" + h2 + "\n>c\n" + h1[:60] + "\n>d\nMKVLAAGIVGLLLAQWWERTYHHK\n", nil, heavies, "2 records left out because no variable domain was found"},
		{"unclear.fa", ">a\n" + h1 + "\n>b\n" + h2 + "\n>c\nXX" + h2[2:] + "\n>d\n" + h2 + "*\n", nil, heavies, "2 records with letters other than the 20 amino acids (AB_ALPHABET) left out"},
		{"stop.fa", ">a\n" + h1 + "\n>b\n" + h2 + "\n>c\n" + codons(h1[:50]) + "TAG" + codons(h1[51:]) + "\n>d\n" + codons(h1[:50]) + "T" + codons(h1[50:]) + "\n", nil, heavies, "2 records left out because no variable domain was found"},
		{"airr.tsv", airrHead + airrRow("a", "", "F", "T", h1, "") + airrRow("b", reverseComplement("CC"+codons(h2)+"G"), "T", "T", "", "") + airrRow("c", "", "", "F", variant(vh, 5), ""),
			nil, heavies, "1 records that are not productive"},
		{"cells.tsv", airrHead + airrRow("a", "", "F", "T", l1, "c1") + airrRow("b", "", "", "", h2, "c2") + airrRow("c", "", "", "", h1, "c1") + airrRow("d", "", "", "", l2, "c2") + airrRow("e", "", "", "", l2, "c3"),
			nil, pairs, "1 cells without exactly one heavy and one light chain"},
		{"unit.csv.gz", gzipped(oas + "s1,T," + h1 + `,"{'fwh1': {'1 ': 'E', '2 ': 'V'}}",` + l1 + ",T\ns2,T," + h2 + ",," + l2 + ",T\ns3,T," + h2 + ",," + l1 + ",F\n"), nil, pairs, "1 records that are not productive"},
		{"dwjs.csv", "fv_heavy_aho,fv_light_aho,partition\n" + h1[:30] + "--" + h1[30:] + "," + l1 + "---,train\n" + h2 + "," + l2 + ",val\n" + h2 + "," + l1 + ",test\n", nil, pairs, "1 test records not used"},
		{"swapped.tsv", "vh\tvl\n" + h1 + "\t" + l1 + "\n" + h2 + "\t" + l2 + "\n" + l1 + "\t" + l2 + "\n", nil, pairs, "1 chains are of the other kind than their column says"},
		{"one side.tsv", "id\tvh\na\t" + h1 + "\nb\t" + h2 + "\n", nil, heavies, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := load(t, with([]string{file(t, tc.name, tc.text)}, tc.settings...))
			if got := keys(d); !slices.Equal(got, tc.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tc.want, "\n"))
			}
			if notes := strings.Join(d.Notes, "\n"); !strings.Contains(notes, tc.note) {
				t.Errorf("notes lack %q:\n%s", tc.note, notes)
			}
		})
	}
}

func TestLoadErrors(t *testing.T) {
	fa := func(text string) string { return file(t, "x.fa", text) }
	good := fa(">a\n" + vh + "\n>b\n" + variant(vh, 3) + "\n")
	split := func(text string) domains.LoadOptions {
		return domains.LoadOptions{Paths: []string{good}, Split: file(t, "split.tsv", text)}
	}
	for _, tc := range []struct {
		name string
		o    domains.LoadOptions
		want []string
	}{
		{"foreign letter", with([]string{fa(">a\n" + vh + "\n>b x\nEV1L\n")}), []string{"x.fa: record 2 (id b)", "position 3", "'1'"}},
		{"empty record", with([]string{fa(">a\n>b\n" + vh + "\n")}), []string{"record 1 (id a) has no residues"}},
		{"empty file", with([]string{fa("")}), []string{"x.fa", "empty"}},
		{"nonsense", with([]string{fa("hello world\n")}), []string{"x.fa", "neither FASTA", "hello"}},
		{"comments only", with([]string{fa("# a\n# b\n")}), []string{"x.fa", "nothing but comments"}},
		{"directory", with([]string{t.TempDir()}), []string{"is a directory"}},
		{"missing", with([]string{filepath.Join(t.TempDir(), "none.fa")}), []string{"none.fa", "no such file"}},
		{"no domain", with([]string{fa(">a\nMKVLAAGIVGLLLAQWWERTYHHK\n")}), []string{"none of the 1 records is usable", "no variable domain"}},
		{"both sides", with([]string{fa(">a\n" + vh + "\n>b\n" + vl + "\n")}), []string{"1 heavy and 1 light", "chains=heavy"}},
		{"pairs that are none", with([]string{good}, "chains", "paired"), []string{"none of the 2 records", "2 records without the chains of chains=paired"}},
		{"table without sequences", with([]string{fa("id\tv_call\na\tb\n")}), []string{"x.fa", "no column with a sequence"}},
		{"table without rows", with([]string{fa("id\tvh\n")}), []string{"x.fa", "no records"}},
		{"table with a short line", with([]string{fa("id\tvh\na\n")}), []string{"x.fa", "line 2, record 1", "1 fields, the header has 2"}},
		{"table with a bad truth value", with([]string{fa("sequence_aa,productive\n" + vh + ",maybe\n")}), []string{"line 2", "column productive", "maybe"}},
		{"table with a bad split", with([]string{fa("vh\tsplit\n" + vh + "\tsome\n")}), []string{"line 2, record 1", `split "some"`}},
		{"unknown chains", with([]string{good}, "chains", "both"), []string{"chains=both", "heavy, light or paired"}},
		{"unknown condition", with([]string{good}, "condition", "species"), []string{"condition=species"}},
		{"split with a bad letter", split("sequence\tsplit\nE?\ttrain\n"), []string{"split.tsv", "line 2", "position 2"}},
		{"split that knows none", split("id\tsplit\nz\ttrain\n"), []string{"none of the 2 records"}},
		{"train all held out", domains.LoadOptions{Paths: []string{fa("vh\tsplit\n" + vh + "\ttrain\n" + vh + "\tvalid\n")}}, []string{"held out too"}},
		{"too long", with([]string{fa(">a\n" + strings.Repeat("W", maxLetters+1) + "\n")}), []string{"record 1 (id a)", "16385 letters, at most 16384"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Domain{}.Load(context.Background(), tc.o)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range append(tc.want, "antibody: ") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v\nlacks %q", err, want)
				}
			}
		})
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	in := &input{records: []record{{single: true, chain: [sides]chain{{seq: vh}, {}}}}}
	if _, err := in.fitted(cancelled, options{condition: byNothing}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled context while aligning: %v", err)
	}
}

// TestCellsApart: the chains of one cell that are in different parts are no pair, so that a test chain cannot get into
// training as the other half of one.
func TestCellsApart(t *testing.T) {
	text := "sequence_aa\tcell_id\tsplit\n"
	row := func(seq, cell, part string) { text += seq + "\t" + cell + "\t" + part + "\n" }
	for k, part := range []string{"train", "valid", "train"} {
		row(variant(vh, k), fmt.Sprint("c", k), part)
		if k == 2 {
			part = "test"
		}
		row(variant(vl, k), fmt.Sprint("c", k), part)
	}
	d, err := Domain{}.Load(context.Background(), with([]string{file(t, "cells.tsv", text)}))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := keys(d), []string{variant(vh, 0) + ":" + variant(vl, 0), variant(vh, 1) + ":" + variant(vl, 1)}; !slices.Equal(got, want) {
		t.Errorf("pairs %q, want %q", got, want)
	}
	if notes := strings.Join(d.Notes, "\n"); !strings.Contains(notes, "1 cells whose chains are in different parts") {
		t.Errorf("notes %s", notes)
	}
}

// A split table counts by the pair, then by either chain, then by the id.
func TestSplitTable(t *testing.T) {
	var fa strings.Builder
	for k := range 5 {
		fmt.Fprintf(&fa, ">s%d\n%s:%s\n", k, variant(vh, k), variant(vl, k))
	}
	table := fmt.Sprintf("id\tsequence\tsplit\n\t%s:%s\tvalid\n\t%s\ttrain\n\t%s\ttest\ns3\t\ttrain\ns0\t\ttrain\n",
		variant(vh, 0), variant(vl, 0), variant(vh, 1), strings.ToLower(variant(vl, 2)))
	o := with([]string{file(t, "x.fa", fa.String())})
	o.Split = file(t, "s.tsv", table)
	d := load(t, o)
	var train []string
	for i := range d.Train.Len() {
		train = append(train, d.Train.Key(i))
	}
	if want := []string{variant(vh, 1) + ":" + variant(vl, 1), variant(vh, 3) + ":" + variant(vl, 3)}; !slices.Equal(train, want) {
		t.Errorf("training on %v", train)
	}
	if d.Valid.Len() != 1 || d.Valid.Key(0) != variant(vh, 0)+":"+variant(vl, 0) {
		t.Errorf("%d held out", d.Valid.Len())
	}
	notes := strings.Join(d.Notes, "\n")
	for _, want := range []string{"1 records that the split table does not name", "1 test records not used"} {
		if !strings.Contains(notes, want) {
			t.Errorf("notes lack %q:\n%s", want, notes)
		}
	}
}

// Repeats go, and no training record is held out or a test record.
func TestRepeats(t *testing.T) {
	rows := "vh\tsplit\n"
	for _, r := range []struct {
		k    int
		part string
	}{{0, "train"}, {0, "train"}, {1, "train"}, {1, "valid"}, {2, "train"}, {2, "test"}, {3, "train"}} {
		rows += variant(vh, r.k) + "\t" + r.part + "\n"
	}
	d := load(t, with([]string{file(t, "x.tsv", rows)}))
	if d.Train.Len() != 2 || d.Valid.Len() != 1 {
		t.Errorf("%d and %d records", d.Train.Len(), d.Valid.Len())
	}
	notes := strings.Join(d.Notes, "\n")
	for _, want := range []string{"1 exact repeats", "2 training records dropped because", "1 test records"} {
		if !strings.Contains(notes, want) {
			t.Errorf("notes lack %q:\n%s", want, notes)
		}
	}
}

func TestClasses(t *testing.T) {
	d := load(t, with([]string{jaffe}, "condition", byLength))
	a := d.Adapter.(*adapter)
	bins, labels := a.s.Bins, a.Labels()
	if len(bins) < 15 || len(bins) != len(labels) || !slices.Contains(labels, "14") || bins[len(bins)-1][1] != 30 {
		t.Errorf("classes %v", labels)
	}
	counts := make([]int, len(labels))
	x := make([]float64, a.Free())
	e := d.Train.(*examples)
	for i := range e.Len() {
		counts[e.labels[i]]++
	}
	for i, n := range counts {
		if n < minClass(e.Len()) {
			t.Errorf("class %s has %d records", labels[i], n)
		}
	}
	for i := range 50 {
		label := d.Valid.Encode(x, i)
		r := a.Decode(x, label).(*row)
		if n := len(r.chains[0].tensor[cdr3]); n < bins[label][0] || n > bins[label][1] {
			t.Errorf("record %d with CDR3 of %d is in class %s", i, n, labels[label])
		}
	}
	f := load(t, with([]string{bernat}, "condition", byFamily))
	if got := f.Adapter.Labels(); !slices.Equal(got, []string{"IGHV1", "IGHV2", "IGHV3", "IGHV4", "IGHV5", otherFamily}) {
		t.Errorf("families %v", got)
	}
	g := load(t, with([]string{bernat}, "condition", byLocus))
	if got := g.Adapter.Labels(); len(got) != 0 || !strings.Contains(strings.Join(g.Notes, ""), "unconditional") {
		t.Errorf("loci of heavy chains: %v", got)
	}
}

func TestFamilyOf(t *testing.T) {
	for call, want := range map[string]string{
		"IGHV3-23*04": "IGHV3", "IGKV1D-39": "IGKV1", "IGLV10-54*01,IGLV2-8": "IGLV10", "ighv1": "IGHV1", " IGHV7 ": "IGHV7",
		"": "", "IGHJ4": "", "TRBV5": "", "IGHV": "", "IGHV123-1": "", "IGAV1": "", "IGHVx": "",
	} {
		if got := familyOf(call); got != want {
			t.Errorf("%q is of %q, want %q", call, got, want)
		}
	}
}

func TestTranslation(t *testing.T) {
	if frames := openFrames("gg" + strings.ToLower(codons(vh)) + "TGA" + codons(vl[:10])); !slices.Contains(frames, vh) {
		t.Errorf("frames %q", frames)
	}
	withGaps := "--" + strings.ReplaceAll(codons(vh), "TC", "T.C")
	if frames := openFrames(withGaps); !slices.Contains(frames, vh) {
		t.Errorf("frames with gaps %q", frames)
	}
	if frames := openFrames(strings.ReplaceAll(codons(vh), "T", "U")); !slices.Contains(frames, vh) {
		t.Errorf("frames of RNA %q", frames)
	}
	if isNucleotides(vh) || isNucleotides("ACGT") || !isNucleotides(codons(vl)) || isNucleotides(codons(vl)+"!") {
		t.Error("nucleotides are told from residues wrongly")
	}
	if got := reverseComplement("AACGTN-u"); got != "a-NACGTT" {
		t.Errorf("reverse complement %s", got)
	}
}

func FuzzRead(f *testing.F) {
	h := variant(vh, 4)
	for _, s := range []string{
		">a\n" + vh + ":" + vl + "\n>b\n" + h + ":" + vl + "\n", ">a\n" + vh + "\n>b\n" + h + "X\n>c\n" + h + "\n", ">a\n" + codons(vl) + "\n",
		"vh\tvl\tsplit\n" + vh + "\t" + vl + "\ttrain\n", "sequence_aa,productive,cell_id\n" + vh + ",T,a\n" + vl + ",T,a\n",
		"id\tvh\tvh_imgt104\tcdrh3\tvh_fr4\tvh_gene\na\t\tx\ty\tz\tIGHV1\n", "\x1f\x8b",
		"id\tvh\timgt128\tcdrh3\tvh_gene\na\tEV\t" + strings.Repeat("-", 128) + "\tA\tIGHV1\n",
	} {
		f.Add([]byte(s), "")
		f.Add([]byte(s), byLength)
	}
	f.Fuzz(func(t *testing.T, text []byte, condition string) {
		in := new(input)
		if err := in.read(bytes.NewReader(text), "fuzz", sha256.New()); err != nil {
			if !strings.HasPrefix(err.Error(), "antibody: ") {
				t.Fatalf("error %q", err)
			}
			return
		}
		opts, err := parseOptions(map[string]string{"condition": condition})
		if err != nil {
			opts = options{condition: byNothing}
		}
		d, err := in.fitted(context.Background(), opts, nil)
		if err != nil {
			return
		}
		a := d.Adapter
		if b, err := (Domain{}).Open(a.Settings()); err != nil || !bytes.Equal(a.Settings(), b.Settings()) {
			t.Fatalf("settings %s do not come back: %v", a.Settings(), err)
		}
		x := make([]float64, a.Free())
		for i := range d.Train.Len() {
			label := d.Train.Encode(x, i)
			if r := a.Decode(x, label); r.Key() != d.Train.Key(i) || r.Key() == "" {
				t.Fatalf("record %d: %q decodes to %q", i, d.Train.Key(i), r.Key())
			}
		}
	})
}
