package rna

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pfgmgen/domains"
)

func with(paths []string, settings ...string) domains.LoadOptions {
	o := domains.LoadOptions{Paths: paths, Settings: make(map[string]string)}
	for i := 0; i < len(settings); i += 2 {
		o.Settings[settings[i]] = settings[i+1]
	}
	return o
}

// random is n different sequences as FASTA, each of length nt.
func random(n, nt int) string {
	rng := rand.New(rand.NewPCG(3, 4))
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ">s%d\n", i)
		for range nt {
			b.WriteByte("ACGU"[rng.IntN(4)])
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// keys are the sequences of a part.
func keys(e domains.Examples) (out []string) {
	for i := range e.Len() {
		out = append(out, e.Key(i))
	}
	return out
}

func TestInputsBySight(t *testing.T) {
	sto := "# STOCKHOLM 1.0\n#=GF AC RF00001\n#=GF CC license: CC0\na AC-GU\nb ACAGU\nc GC.GU\n#=GC SS_cons <...>\n//\n"
	var gz bytes.Buffer
	z := gzip.NewWriter(&gz)
	z.Write([]byte(sto))
	z.Close()
	for _, tc := range []struct {
		name, text, representation, license string
		columns                             int
	}{
		{"plain.txt", ">a\nACGU\n>b\nACG\n", unaligned, "unknown", 4},
		{"equal.fa", ">a\nACGUA\n>b\nACGUC\n", unaligned, "unknown", 6},
		{"aligned.fa", ">a\nAC-U\n>b\nACGU\n>c\nGCGU\n", aligned, "unknown", 4},
		{"wrong-name.fa", sto, aligned, "CC0", 5},
		{"compressed", gz.String(), aligned, "CC0", 5},
		{"table", "# License: CC-BY-4.0\nSequence\tid\nacgt\ta\nACG\tb\n", unaligned, "CC-BY-4.0", 4},
		{"one-column.tsv", "sequence\nACGU\nACG\n", unaligned, "unknown", 4},
		{"bom.fa", "\xef\xbb\xbf>a\nACGU\n>b\nACG\n", unaligned, "unknown", 4},
	} {
		t.Run(tc.name, func(t *testing.T) {
			// Everything into training, so that the number of columns does not hang on the hash.
			split := file(t, "split.tsv", "id\tsplit\na\ttrain\nb\ttrain\nc\ttrain\n")
			path := file(t, tc.name, tc.text)
			o := domains.LoadOptions{Paths: []string{path}, Split: split}
			if tc.name == "one-column.tsv" {
				o.Split = file(t, "by-sequence.tsv", "sequence\tsplit\nACGT\ttrain\nacg\ttrain\n")
			}
			d := load(t, o)
			s := d.Adapter.(*adapter).s
			if s.Representation != tc.representation || s.Columns != tc.columns || d.License != tc.license {
				t.Errorf("%s with %d columns, license %s", s.Representation, s.Columns, d.License)
			}
		})
	}
}

func TestLoadErrors(t *testing.T) {
	fa := func(text string) string { return file(t, "x.fa", text) }
	good := fa(">a\nACGU\n>b\nACG\n")
	split := func(text string) domains.LoadOptions {
		return domains.LoadOptions{Paths: []string{good}, Split: file(t, "split.tsv", text)}
	}
	for _, tc := range []struct {
		name string
		o    domains.LoadOptions
		want []string
	}{
		{"foreign letter", with([]string{fa(">a\nACGU\n>b x\nAC\nJG\n")}), []string{"x.fa: record 2 (id b), position 3: letter 'J'"}},
		{"protein", with([]string{fa(">p\nMKVLE\n")}), []string{"record 1 (id p), position 4: letter 'L'"}},
		{"empty FASTA", with([]string{fa("")}), []string{"x.fa", "empty"}},
		{"empty record", with([]string{fa(">a\n>b\nA\n")}), []string{"record 1 (id a) has no residues"}},
		{"nonsense", with([]string{fa("hello world\n")}), []string{"x.fa", "neither FASTA", "hello"}},
		{"directory", with([]string{t.TempDir()}), []string{"is a directory"}},
		{"missing", with([]string{filepath.Join(t.TempDir(), "none.fa")}), []string{"none.fa", "no such file"}},
		{"ragged Stockholm", with([]string{fa("# STOCKHOLM 1.0\na ACGU\nb ACG\n//\n")}), []string{"x.fa", "sequence b has 3 columns, sequence a has 4"}},
		{"ragged FASTA alignment", with([]string{fa(">a\nAC-U\n>b\nACG\n")}), []string{"a has 4 columns, b has 3", "representation=unaligned"}},
		{"crossing structure", with([]string{fa("# STOCKHOLM 1.0\na ACGU\nb ACGG\n#=GC SS_cons <(>)\n//\n")}), []string{"SS_cons", "column 3"}},
		{"table without sequence", with([]string{fa("id\tsequences\na\tACGU\n")}), []string{"no column sequence"}},
		{"table with a short line", with([]string{fa("id\tsequence\na\n")}), []string{"line 2 has 1 fields, the header has 2"}},
		{"table with a bad split", with([]string{fa("sequence\tsplit\nACGU\tfoo\n")}), []string{"record 1", `split "foo"`}},
		{"table without records", with([]string{fa("id\tsequence\n")}), []string{"no records"}},
		{"aligned, but lengths differ", with([]string{good}, "representation", "aligned"), []string{"a has length 4, b has 3"}},
		{"unknown representation", with([]string{good}, "representation", "graph"), []string{"representation=graph"}},
		{"unknown pairs", with([]string{good}, "pairs", "together"), []string{"pairs=together", "joint or apart"}},
		{"bad min_column", with([]string{good}, "min_column", "2"), []string{"min_column=2"}},
		{"min_column NaN", with([]string{good}, "min_column", "NaN"), []string{"min_column=NaN"}},
		{"bad ambiguous", with([]string{good}, "ambiguous", "keep"), []string{"ambiguous=keep"}},
		{"too long", with([]string{fa(random(2, maxColumns+1))}), []string{"record s0 has 16385 nt, at most 16384"}},
		{"split without columns", split("id\tpart\na\ttrain\n"), []string{"split.tsv", "column split"}},
		{"split that contradicts itself", split("id\tsplit\na\ttrain\na\ttest\n"), []string{"line 3", "in test here and in train above"}},
		{"split that knows none", split("id\tsplit\nz\ttrain\n"), []string{"none of the 2 records"}},
		{"split with a bad letter", split("sequence\tsplit\nAC?\ttrain\n"), []string{"line 2: position 3"}},
		{"train all held out", domains.LoadOptions{Paths: []string{fa("sequence\tsplit\nAC\ttrain\nAC\tvalid\n")}}, []string{"held out too"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Domain{}.Load(context.Background(), tc.o)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range append(tc.want, "rna: ") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v\nlacks %q", err, want)
				}
			}
		})
	}
}

func TestAmbiguity(t *testing.T) {
	clean := random(30, 20)
	few := file(t, "few.fa", clean+">n\nACGUNNNNACGUACGU\n")
	many := file(t, "many.fa", clean+strings.Repeat(">n\nACGUNNRYACGUACGU\n", 4))
	for _, tc := range []struct {
		path, setting string
		records       int // 0 for an error
		note          string
	}{
		{few, "", 30, "1 records with ambiguity letters dropped"},
		{few, "error", 0, ""},
		{few, "resolve", 31, "1 records with ambiguity letters resolved"},
		{many, "", 0, ""},
		{many, "drop", 30, "4 records with ambiguity letters dropped"},
		{many, "resolve", 31, "4 records with ambiguity letters resolved"}, // equal records are resolved alike
	} {
		o := with([]string{tc.path})
		if tc.setting != "" {
			o.Settings["ambiguous"] = tc.setting
		}
		d, err := Domain{}.Load(context.Background(), o)
		if tc.records == 0 {
			if err == nil || !strings.Contains(err.Error(), "ambiguity letters") {
				t.Errorf("%s: %v", tc.setting, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if n := d.Train.Len() + d.Valid.Len(); n != tc.records || !strings.Contains(strings.Join(d.Notes, "\n"), tc.note) {
			t.Errorf("ambiguous=%s: %d records, notes %q", tc.setting, n, d.Notes)
		}
	}
}

func TestResolveKeepsToTheLetter(t *testing.T) {
	const in = "ACGURYSWKMBDHVN-NNNNNNNN"
	a, b := []byte(in), []byte(in)
	resolve(a)
	resolve(b)
	if !bytes.Equal(a, b) {
		t.Errorf("%s and %s", a, b)
	}
	different := make(map[byte]bool)
	for i := range in {
		if bases := ambiguity[in[i]]; bases == "" && a[i] != in[i] || bases != "" && !strings.Contains(bases, string(a[i])) {
			t.Errorf("position %d: %c became %c", i+1, in[i], a[i])
		}
		if in[i] == 'N' {
			different[a[i]] = true
		}
	}
	if len(different) < 2 {
		t.Errorf("nine N all became the same base: %s", a)
	}
}

func TestSplitByHash(t *testing.T) {
	d := load(t, with([]string{file(t, "x.fa", random(2000, 30))}))
	// 2,000 at a tenth: 200 with a standard deviation of 13.4.
	if n := d.Valid.Len(); n < 146 || n > 254 || n+d.Train.Len() != 2000 {
		t.Errorf("%d training and %d held-out records", d.Train.Len(), n)
	}
	for _, seq := range keys(d.Valid) {
		if h := sha256.Sum256([]byte(seq)); h[0] > 25 { // 25/256 is just under a tenth
			t.Fatalf("%s is held out with hash %x", seq, h[:4])
		}
	}
	for n := 2; n < 12; n++ {
		if d := load(t, with([]string{file(t, "x.fa", random(n, 30))})); d.Valid.Len() < 1 || d.Train.Len() < 1 {
			t.Errorf("%d records: %d and %d", n, d.Train.Len(), d.Valid.Len())
		}
	}
	if d := load(t, with([]string{file(t, "x.fa", ">a\nACGU\n>b\nacgt\n")})); d.Train.Len() != 1 || d.Valid.Len() != 0 {
		t.Errorf("one sequence twice: %d and %d", d.Train.Len(), d.Valid.Len())
	}
}

func TestSplitTable(t *testing.T) {
	data := file(t, "x.fa", ">a\nACGU\n>b\nACGUA\n>c\nACGUC\n>d\nACGUG\n>e\nACGUU\n")
	// The sequence counts before the id: a is found by its sequence, and e, which the table gives to that row, by its id.
	table := file(t, "s.tsv", "id\tsequence\tsplit\ne\tacgt\tvalid\nb\t\ttrain\nc\t\tvalidation\nd\t\ttest\n")
	d := load(t, domains.LoadOptions{Paths: []string{data}, Split: table})
	train, valid := strings.Join(keys(d.Train), " "), strings.Join(keys(d.Valid), " ")
	if train != "ACGUA" || valid != "ACGU ACGUC ACGUU" {
		t.Errorf("train %s, valid %s", train, valid)
	}
	// The same through the data's own column, with a record that is held out and in training.
	own := file(t, "x.tsv", "sequence\tsplit\nACGU\ttrain\nACGU\ttrain\nGGGG\tvalid\nGGGG\ttrain\nCCCC\ttest\nCCCC\ttrain\n")
	d = load(t, with([]string{own}))
	if train := strings.Join(keys(d.Train), " "); train != "ACGU" {
		t.Errorf("train %s", train)
	}
	notes := strings.Join(d.Notes, "\n")
	for _, want := range []string{"1 test records not used", "1 exact repeats", "2 training records dropped"} {
		if !strings.Contains(notes, want) {
			t.Errorf("notes lack %q:\n%s", want, notes)
		}
	}
}

func TestColumnsKept(t *testing.T) {
	// Column 3 is filled in one of four records, column 5 in none; the pair of columns 3 and 4 goes with column 3.
	text := "# STOCKHOLM 1.0\na A-A.-U\nb G---.C\nc AC-G-U\nd A--G-G\n#=GC SS_cons <.<>.>\n//\n"
	split := file(t, "s.tsv", "id\tsplit\na\ttrain\nb\ttrain\nc\ttrain\nd\ttrain\n")
	for _, tc := range []struct {
		share     string
		structure string
		shape     int // two pairs and a position for the fifth column, one pair and one such, rounded up to even
	}{{"0.02", "(.())", 4}, {"0.5", "(.)", 2}, {"0", "(.())", 4}} {
		o := with([]string{file(t, "x.sto", text)}, "min_column", tc.share)
		o.Split = split
		d := load(t, o)
		if s := d.Adapter.(*adapter).s; s.Structure != tc.structure || d.Adapter.Shape()[0] != tc.shape {
			t.Errorf("min_column %s: structure %s, shape %v", tc.share, s.Structure, d.Adapter.Shape())
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{">a\nAC-GU\n>b\nACNGU\n>c\nACAGU\n", "sequence\tfamily\tsplit\nACGU\tx\ttrain\nGG\ty\tvalid\n",
		"# STOCKHOLM 1.0\n#=GF AC RF1\na AC-GU\nb ACAGU\n#=GC SS_cons <...>\n//\n", "\x1f\x8b", "sequence\tsource\nA\tRF00001\nC\tRF00002\n"} {
		f.Add([]byte(s), "")
		f.Add([]byte(s), "resolve")
	}
	f.Fuzz(func(t *testing.T, text []byte, ambiguous string) {
		in := new(input)
		if err := in.read(bytes.NewReader(text), "fuzz", sha256.New()); err != nil {
			if !strings.HasPrefix(err.Error(), "rna: ") {
				t.Fatalf("error %q", err)
			}
			return
		}
		opts, err := parseOptions(map[string]string{"ambiguous": ambiguous})
		if err != nil {
			opts = options{minColumn: 0.5}
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

func BenchmarkDecode(b *testing.B) {
	d := load(b, domains.LoadOptions{Paths: []string{sprinzl}, Split: tRNA})
	x := make([]float64, d.Adapter.Free())
	d.Train.Encode(x, 0)
	for b.Loop() {
		d.Adapter.Decode(x, -1)
	}
}

func TestRefusesUnreadableFile(t *testing.T) {
	// A gzip file that is cut off, as a broken download is.
	whole, err := os.ReadFile(sprinzl)
	if err != nil {
		t.Fatal(err)
	}
	path := file(t, "cut.sto.gz", string(whole[:len(whole)/2]))
	if _, err := (Domain{}).Load(context.Background(), with([]string{path})); err == nil || !strings.Contains(err.Error(), "cut.sto.gz") {
		t.Errorf("a cut file gives %v", err)
	}
}
