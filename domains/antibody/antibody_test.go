package antibody

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pfgmgen/domains"
	"pfgmgen/domains/domainstest"
)

var (
	shared = filepath.Join("..", "..", "..", "shared", "data", "antibody")
	jaffe  = filepath.Join(shared, "oas_jaffe2022_paired", "paired_vh_vl.tsv.gz")
	bernat = filepath.Join(shared, "oas_bernat2019_igg_imgt", "vh_imgt.tsv.gz")
)

// load is Load for data that must be good.
func load(t testing.TB, o domains.LoadOptions) *domains.Data {
	t.Helper()
	d, err := Domain{}.Load(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func with(paths []string, settings ...string) domains.LoadOptions {
	o := domains.LoadOptions{Paths: paths, Settings: make(map[string]string)}
	for i := 0; i < len(settings); i += 2 {
		o.Settings[settings[i]] = settings[i+1]
	}
	return o
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

// some is a table with the header and every n-th row of a shared one. A whole load takes seconds, and the suite makes several.
func some(t testing.TB, path string, n int) string {
	t.Helper()
	var b strings.Builder
	i := 0
	for row := range allRows(t, path) {
		if i == 0 {
			b.WriteString(strings.Join(row.header, "\t") + "\n")
		}
		if i++; i%n == 0 {
			b.WriteString(row.line() + "\n")
		}
	}
	return file(t, filepath.Base(path)+".tsv", b.String())
}

func TestConformance(t *testing.T) {
	pairs, singles := some(t, jaffe, 24), some(t, bernat, 8)
	for _, tc := range []struct {
		name string
		o    domains.LoadOptions
	}{
		{"paired", with([]string{pairs}, "condition", byLength)},
		{"heavy", with([]string{singles}, "condition", byFamily)},
		{"light", with([]string{pairs}, "chains", "light", "condition", byLocus)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			domainstest.Run(t, Domain{}, domainstest.Fixture{Options: tc.o, Records: 60, MaxRejected: 0.05})
		})
	}
}

// The counts of the shared sets: SOURCE.md says 22,929 and 2,887 pairs, 3,830 and 494 heavy chains; what is missing is
// named by the notes.
func TestShared(t *testing.T) {
	d := load(t, with([]string{jaffe}))
	if d.Train.Len() < 22850 || d.Train.Len() > 22929 || d.Valid.Len() < 2870 || d.Valid.Len() > 2887 {
		t.Errorf("%d and %d pairs", d.Train.Len(), d.Valid.Len())
	}
	if !slices.Equal(d.Adapter.Shape(), []int{292, 21}) || d.Adapter.Free() != 292*21 || len(d.Adapter.Labels()) != 0 {
		t.Errorf("shape %v, labels %v", d.Adapter.Shape(), d.Adapter.Labels())
	}
	t.Log(d.Train.Len(), d.Valid.Len(), strings.Join(d.Notes, "; "))
	d = load(t, with([]string{bernat}))
	if d.Train.Len() != 3830 || d.Valid.Len() != 494 || !slices.Equal(d.Adapter.Shape(), []int{164, 21}) {
		t.Errorf("%d and %d heavy chains, shape %v", d.Train.Len(), d.Valid.Len(), d.Adapter.Shape())
	}
}

// TestRejects measures each gate on held-out and test records, none of which had a part in a profile or a threshold.
// The limits are the rates of domains.md 4.3 on 10,000 other chains, with room for the sampling error of both (three
// standard deviations at n chains) and for the set's own habits where the comment says so.
func TestRejects(t *testing.T) {
	limits := map[string][2]float64{ // per cent of heavy and light chains
		"AB_NAN": {0, 0}, "AB_ALPHABET": {0, 0}, "AB_LOCUS": {0, 0},
		"AB_NO_CYS23": {0.1, 0.75}, "AB_NO_CYS104": {0.1, 0.1},
		// 4.3 has 0 and .06 %. These chains are mostly of memory cells, one in a hundred with a mutation there; that the gates
		// see those of the data's own columns and no others is checked below.
		"AB_NO_TRP41":  {0.6, 0.6},
		"AB_J_MOTIF":   {1.6, 2.1},
		"AB_CDR3_LEN":  {0.1, 0.1},
		"AB_LEN":       {0.5, 0.1},
		"AB_HYD89":     {1.5, 1.5},
		"AB_NGLYC":     {20, 11},
		"AB_ODD_CYS":   {13, 15},
		"AB_GAP_ORDER": {0, 0},
		"AB_REGIONS":   {0.6, 0.4},
		"AB_LABEL":     {0, 0},
	}
	for s := range sides {
		a := newAdapter(&settings{Alphabet: alphabet, Version: settingsVersion, Chains: s.String(), Condition: byNothing,
			CDR3: newSettings().CDR3, Length: newSettings().Length, LocusMargin: newSettings().LocusMargin})
		x := make([]float64, a.Free())
		symbols := make([]uint8, positions[s])
		n, invalid, rate, own := 0, 0, make(map[string]int), make(map[string]int)
		for row := range rowsOf(t, jaffe) {
			c := &chain{seq: row.Get([]string{"vh", "vl"}[s])}
			if s == heavy {
				c.parts, _ = partsOfColumns(row.Get("vh_imgt104"), row.Get("cdrh3"), row.Get("vh_fr4"))
			} else {
				c.parts, _ = partsOfColumns(row.Get("vl_imgt104"), row.Get("cdrl3"), row.Get("vl_fr4"))
			}
			if c.parts.sequence() != c.seq || c.parts.overflow(s) >= 0 {
				continue
			}
			if n++; n%3 != 0 {
				continue
			}
			columns, fourth, first := row.Get("vh_imgt104"), c.parts[fwr4], byte('W')
			if s == light {
				columns, first = row.Get("vl_imgt104"), 'F'
			}
			for code, fails := range map[string]bool{
				"AB_NO_CYS23": columns[22] != 'C', "AB_NO_TRP41": columns[40] != 'W', "AB_NO_CYS104": columns[103] != 'C',
				"AB_J_MOTIF": fourth[0] != first || fourth[1] != 'G' || fourth[3] != 'G',
				"AB_HYD89":   strings.IndexByte(hydrophobic, columns[88]) < 0,
			} {
				if fails {
					own[code]++
				}
			}
			c.parts.put(symbols, s)
			encode(x, symbols)
			v := a.Decode(x, -1).Verdict()
			if !v.Valid() {
				invalid++
			}
			for _, code := range slices.Concat(v.Violations, v.Warnings) {
				rate[code]++
			}
		}
		n /= 3
		t.Logf("%d %s chains, %d rejected (%.2f %%): %v", n, s, invalid, 100*float64(invalid)/float64(n), rate)
		if n < 1500 {
			t.Fatalf("%d chains only", n)
		}
		for _, c := range checks {
			limit, ok := limits[c.Name]
			if got := 100 * float64(rate[c.Name]) / float64(n); !ok || got > limit[s] {
				t.Errorf("%s rejects %.2f %% of the %s chains, limit %v", c.Name, got, s, limit[s])
			}
		}
		for code, want := range own {
			// The recorded columns of 4 of these heavy chains are off, by an indel in CDR1 that another germline makes up for, so
			// that another residue stands at 41; see TestAgreement for how often the two differ.
			if d := rate[code] - want; d < -4 || d > 2 {
				t.Errorf("%s rejects %d %s chains, by the columns of the data %d", code, rate[code], s, want)
			}
		}
		if 50*invalid > n {
			t.Errorf("%d of %d %s chains rejected, over 2 %%", invalid, n, s)
		}
	}
}

// The codes that gates use and the ones that Describe lists are the same, hard and soft alike.
func TestChecksAreDescribed(t *testing.T) {
	s := newSettings()
	gates := newGates(&s)
	if len(gates) != len(checks) {
		t.Fatalf("%d gates, %d described", len(gates), len(checks))
	}
	for i, g := range gates {
		if g.Code != checks[i].Name || g.Hard != strings.HasPrefix(checks[i].About, "hard") {
			t.Errorf("gate %s (hard %v) is described as %v", g.Code, g.Hard, checks[i])
		}
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte(`{"alphabet":"ACDEFGHIKLMNPQRSTVWY-","bins":[[4,6],[7,30]],"cdr3":[[3,32],[4,16]],"chains":"paired","condition":"cdr3_length","length":[[105,140],[95,120]],"locus_margin":10,"version":2}`))
	f.Add([]byte(`{"alphabet":"ACDEFGHIKLMNPQRSTVWY-","cdr3":[[3,32],[4,16]],"chains":"light","condition":"locus","labels":["IGK","IGL"],"length":[[105,140],[95,120]],"locus_margin":10,"version":2}`))
	f.Add([]byte(`{"alphabet":"ACDEFGHIKLMNPQRSTVWY-","cdr3":[[3,32],[4,16]],"chains":"heavy","condition":"v_family","labels":["IGHV1","other"],"length":[[105,140],[95,120]],"locus_margin":10,"version":2}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := Domain{}.Open(json.RawMessage(raw))
		if err != nil {
			return
		}
		b, err := Domain{}.Open(a.Settings())
		if err != nil || string(a.Settings()) != string(b.Settings()) {
			t.Fatalf("%s does not come back: %v", a.Settings(), err)
		}
		x := make([]float64, a.Free())
		for i := range x {
			x[i] = float64(i*7919%11) - 5
		}
		for label := -1; label <= min(3, len(a.Labels())); label++ {
			if r := a.Decode(x, label); len(r.Key()) > a.Shape()[0]+1 {
				t.Fatalf("%d residues from shape %v", len(r.Key()), a.Shape())
			}
		}
	})
}
