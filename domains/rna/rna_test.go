package rna

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pfgmgen/domains"
	"pfgmgen/domains/domainstest"
)

var (
	shared   = filepath.Join("..", "..", "..", "shared", "data", "rna")
	tRNA     = filepath.Join(shared, "trna_rfam_sprinzl", "trna.tsv")
	sprinzl  = filepath.Join(shared, "trna_rfam_sprinzl", "sprinzl_tRNA1415.sto.gz")
	rfamSeed = filepath.Join(shared, "trna_rfam_sprinzl", "RF00005.rfam14.2.seed.sto.gz")
	families = filepath.Join(shared, "rfam14.2_families12", "families.tsv")
)

func TestConformance(t *testing.T) {
	for _, tc := range []struct {
		name string
		o    domains.LoadOptions
	}{
		{"unaligned", domains.LoadOptions{Paths: []string{tRNA}}},
		{"aligned", domains.LoadOptions{Paths: []string{sprinzl}, Split: tRNA}},
		{"apart", domains.LoadOptions{Paths: []string{sprinzl}, Split: tRNA, Settings: map[string]string{"pairs": apart}}},
		{"families", domains.LoadOptions{Paths: []string{families}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			domainstest.Run(t, Domain{}, domainstest.Fixture{Options: tc.o, Records: 500, MaxRejected: 0.02})
		})
	}
}

// load is Load for data that must be good.
func load(t testing.TB, o domains.LoadOptions) *domains.Data {
	t.Helper()
	d, err := Domain{}.Load(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// file writes text to a new file with that name.
func file(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// The counts are the ones of an independent script over the same files: rows whose ungapped sequence the table puts
// into train (1,152, of which 1,051 different and 1,048 also in the kept columns), 10 rows with N, and columns at least
// 2 % filled.
func TestSprinzlAlignment(t *testing.T) {
	d := load(t, domains.LoadOptions{Paths: []string{sprinzl}, Split: tRNA})
	if d.Train.Len() != 1048 || d.Valid.Len() != 93 {
		t.Errorf("%d training and %d held-out records, want 1048 and 93", d.Train.Len(), d.Valid.Len())
	}
	for choice, want := range map[string][]int{joint: {40, 25}, apart: {112, 5}} {
		a := load(t, domains.LoadOptions{Paths: []string{sprinzl}, Split: tRNA, Settings: map[string]string{"pairs": choice}}).Adapter
		if shape := a.Shape(); !slices.Equal(shape, want) || a.Free() != want[0]*want[1] {
			t.Errorf("pairs %s: shape %v, %d free, want %v", choice, shape, a.Free(), want)
		}
	}
	notes := strings.Join(d.Notes, "\n")
	for _, want := range []string{"10 records with ambiguity letters dropped", "test records not used", "exact repeats",
		"112 of 176 alignment columns kept", "training residues lost"} {
		if !strings.Contains(notes, want) {
			t.Errorf("notes lack %q:\n%s", want, notes)
		}
	}
	if d.License != "unknown" || !strings.Contains(d.Source, "sprinzl_tRNA1415.sto.gz (Stockholm, 1415 records)") {
		t.Errorf("license %q, source %q", d.License, d.Source)
	}
}

// A source column that names two collections is no class; one that names Rfam families is.
func TestLabels(t *testing.T) {
	if labels := load(t, domains.LoadOptions{Paths: []string{tRNA}}).Adapter.Labels(); len(labels) != 0 {
		t.Errorf("trna.tsv has classes %v", labels)
	}
	d := load(t, domains.LoadOptions{Paths: []string{families}})
	labels := d.Adapter.Labels()
	if len(labels) != 12 || labels[0] != "RF01695" || !slices.IsSorted(labels) {
		t.Errorf("families.tsv has classes %v", labels)
	}
	if d.Train.Len() != 5606 || d.Valid.Len() != 667 {
		t.Errorf("%d and %d records, SOURCE.md says 5606 and 667", d.Train.Len(), d.Valid.Len())
	}
	dir := filepath.Join(shared, "rfam14.2_families12", "seed_alignments")
	paths := []string{filepath.Join(dir, "RF01739.sto.gz"), filepath.Join(dir, "RF01725.sto.gz")}
	two := load(t, domains.LoadOptions{Paths: paths})
	if !slices.Equal(two.Adapter.Labels(), []string{"RF01725", "RF01739"}) {
		t.Errorf("two Stockholm files have classes %v", two.Adapter.Labels())
	}
	_, err := Domain{}.Load(context.Background(), domains.LoadOptions{Paths: paths, Settings: map[string]string{"representation": aligned}})
	if err == nil || !strings.Contains(err.Error(), "one Stockholm alignment") {
		t.Errorf("two families aligned: %v", err)
	}
	one := load(t, domains.LoadOptions{Paths: []string{rfamSeed}, Split: tRNA})
	if len(one.Adapter.Labels()) != 0 {
		t.Errorf("one family has classes %v", one.Adapter.Labels())
	}
	x := make([]float64, one.Adapter.Free())
	one.Train.Encode(x, 0)
	if r := one.Adapter.Decode(x, -1).(*row); r.family != "RF00005" {
		t.Errorf("the row's family is %q", r.family)
	}
}

// heldOut loads data with the test records moved to the held-out part, so that these are all records that the
// thresholds have not seen.
func heldOut(t *testing.T, path, table string) *domains.Data {
	t.Helper()
	text, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	moved := file(t, "split.tsv", strings.ReplaceAll(string(text), "\ttest\n", "\tvalid\n"))
	return load(t, domains.LoadOptions{Paths: []string{path}, Split: moved})
}

// Hard gates may cost at most 2 % of real, unseen molecules.
func TestFalseRejects(t *testing.T) {
	for _, tc := range []struct {
		name, path, table string
		records           int
	}{
		{"Sprinzl alignment", sprinzl, tRNA, 230},
		{"Rfam seed alignment", rfamSeed, tRNA, 170},
		{"unaligned tRNAs", tRNA, tRNA, 280},
		{"unaligned families", families, families, 1446},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := heldOut(t, tc.path, tc.table)
			x := make([]float64, d.Adapter.Free())
			codes, rejected := make(map[string]int), 0
			for i := range d.Valid.Len() {
				label := d.Valid.Encode(x, i)
				v := d.Adapter.Decode(x, label).Verdict()
				if !v.Valid() {
					rejected++
				}
				for _, c := range slices.Concat(v.Violations, v.Warnings) {
					codes[c]++
				}
			}
			n := d.Valid.Len()
			t.Logf("%d of %d rejected (%.2f %%), codes %v", rejected, n, 100*float64(rejected)/float64(n), codes)
			if n < tc.records {
				t.Errorf("%d held-out records, want at least %d", n, tc.records)
			}
			if 50*rejected > n {
				t.Errorf("%d of %d held-out records rejected, over 2 %%: %v", rejected, n, codes)
			}
		})
	}
}

// Every record of the training part passes by construction of the quantiles, but for the share that they leave out.
func TestTrainingPasses(t *testing.T) {
	d := load(t, domains.LoadOptions{Paths: []string{sprinzl}, Split: tRNA})
	x, rejected := make([]float64, d.Adapter.Free()), 0
	for i := range d.Train.Len() {
		d.Train.Encode(x, i)
		if !d.Adapter.Decode(x, -1).Verdict().Valid() {
			rejected++
		}
	}
	if share := float64(rejected) / float64(d.Train.Len()); share > 0.005+0.001 {
		t.Errorf("%d of %d training records rejected, the quantiles leave out 0.6 %%", rejected, d.Train.Len())
	}
}

func TestSHA256IsOverTheBytesInOrder(t *testing.T) {
	a, b := file(t, "a.fa", ">a\nACGU\n>b\nACGUU\n"), file(t, "b.fa", ">c\nAAGU\n")
	// From: printf '>a\nACGU\n>b\nACGUU\n>c\nAAGU\n' | sha256sum
	const want = "c2b9b88b751f3274c90da606f7949f7f2957df25e43ced3961ac13e3cf4e0357"
	if got := load(t, domains.LoadOptions{Paths: []string{a, b}}).SHA256; got != want {
		t.Errorf("SHA256 %s, want %s", got, want)
	}
	if got := load(t, domains.LoadOptions{Paths: []string{b, a}}).SHA256; got == want {
		t.Error("the order of the files does not count")
	}
}

// The codes that gates use and the ones that Describe lists are the same.
func TestChecksAreDescribed(t *testing.T) {
	used := make(map[string]bool)
	for _, s := range []*settings{
		{Representation: aligned, Columns: 2, Structure: "()", Lengths: [][2]int{{0, 9}}},
		{Representation: unaligned, Columns: 2, Lengths: [][2]int{{0, 9}}},
	} {
		for _, g := range newAdapter(s).gates {
			used[g.Code] = true
			i := slices.IndexFunc(checks, func(c domains.Item) bool { return c.Name == g.Code })
			if i < 0 {
				t.Fatalf("%s is not described", g.Code)
			}
			if said := strings.HasPrefix(checks[i].About, "hard"); said != g.Hard && g.Code != "RN_LEN" {
				t.Errorf("%s is hard: %v, described as %q", g.Code, g.Hard, checks[i].About)
			}
		}
	}
	if len(used) != len(checks) {
		t.Errorf("%d codes used, %d described", len(used), len(checks))
	}
}

func FuzzOpen(f *testing.F) {
	for _, o := range []domains.LoadOptions{{Paths: []string{sprinzl}}, {Paths: []string{families}}} {
		f.Add([]byte(load(f, o).Adapter.Settings()))
	}
	f.Add([]byte(`{"alphabet":"ACGU-","columns":3,"complexity":0,"half_pairs":0,"homopolymer":1,"lengths":[[1,3]],"pair_share":0.5,"representation":"aligned","structure":"(.)","version":1}`))
	f.Add([]byte(`{"alphabet":"ACGU-","columns":3,"complexity":0,"half_pairs":0,"homopolymer":1,"lengths":[[1,3]],"pair_share":0.5,"pairs":"joint","representation":"aligned","structure":"(.)","version":1}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := Domain{}.Open(json.RawMessage(raw))
		if err != nil {
			return
		}
		b, err := Domain{}.Open(a.Settings())
		if err != nil || !bytes.Equal(a.Settings(), b.Settings()) {
			t.Fatalf("%s does not come back: %v", a.Settings(), err)
		}
		x := make([]float64, a.Free())
		for i := range x {
			x[i] = float64(i*7919%11) - 5
		}
		for label := -1; label <= min(3, len(a.Labels())); label++ {
			if r := a.Decode(x, label); len(r.Key()) > a.(*adapter).layout.columns {
				t.Fatalf("%d residues from shape %v", len(r.Key()), a.Shape())
			}
		}
	})
}

func Example() {
	// Four columns of an alignment, of which the outer ones pair.
	a, err := Domain{}.Open(json.RawMessage(`{"alphabet":"ACGU-","columns":4,"complexity":0,"half_pairs":0,"homopolymer":4,
		"lengths":[[2,4]],"pair_share":0.9,"representation":"aligned","structure":"(..)","version":1}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, text := range []string{"GA-C", "GA-A"} {
		x := make([]float64, a.Free())
		a.(*adapter).layout.encode(x, symbols([]byte(text)))
		r := a.Decode(x, -1)
		r.(domains.Exporter).Export(os.Stdout, "fasta", "row-0")
		fmt.Println(r.(*row).structure, r.Verdict().Violations)
	}
	// Output:
	// >row-0 length=3
	// GAC
	// (.) []
	// >row-0 length=3
	// GAA
	// (.) [RN_STRUCT]
}
