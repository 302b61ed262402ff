package rna

import (
	"math"
	"slices"
	"testing"

	"pfgmgen/domains"
)

// planted gives each gate a real tRNA with one fault, and asks for exactly that code beside what the record had.
func TestGatesCatchPlantedFaults(t *testing.T) {
	al := load(t, domains.LoadOptions{Paths: []string{sprinzl}, Split: tRNA})
	un := load(t, domains.LoadOptions{Paths: []string{tRNA}})
	fam := load(t, domains.LoadOptions{Paths: []string{families}})
	s, pairs := al.Adapter.(*adapter).s, al.Adapter.(*adapter).pairs
	maxRun := un.Adapter.(*adapter).s.Homopolymer
	for _, tc := range []struct {
		code  string
		hard  bool
		data  *domains.Data
		label int
		plant func(columns []uint8, x []float64) // changes symbols, then the encoded values
	}{
		{"RN_NAN", true, al, -1, func(_ []uint8, x []float64) {
			if x != nil {
				x[7] = math.NaN()
			}
		}},
		{"RN_NAN", true, un, -1, func(_ []uint8, x []float64) {
			if x != nil {
				x[len(x)-1] = math.Inf(-1)
			}
		}},
		{"RN_EMPTY", true, al, -1, func(c []uint8, _ []float64) { fill(c, gapIndex) }},
		{"RN_EMPTY", true, un, -1, func(c []uint8, _ []float64) { fill(c, gapIndex) }},
		{"RN_LEN", true, al, -1, func(c []uint8, _ []float64) { fill(c[20:], gapIndex) }},
		{"RN_LEN", true, al, -1, func(c []uint8, _ []float64) {
			for i := range c { // every column filled: 112 nt, tRNAs end at 111
				if c[i] == gapIndex {
					c[i] = uint8(i % 4)
				}
			}
		}},
		{"RN_LEN", false, un, -1, func(c []uint8, _ []float64) { fill(c[30:], gapIndex) }},
		{"RN_LEN", true, fam, 0, func(c []uint8, _ []float64) { fill(c[40:], gapIndex) }},
		{"RN_STRUCT", true, al, -1, func(c []uint8, _ []float64) {
			broken := 0 // just enough pairs made GA to fall under the share
			for i, p := range pairs {
				if c[p.i] == gapIndex || c[p.j] == gapIndex || countPairs(c, pairs).share() < s.PairShare {
					continue
				}
				c[p.i], c[p.j] = index('G'), index("AG"[i%2])
				broken++
			}
			if broken > 4 {
				panic("more pairs broken than should be needed")
			}
		}},
		{"RN_STEM_GAP", true, al, -1, func(c []uint8, _ []float64) {
			for _, p := range pairs[:s.HalfPairs+1] {
				c[p.i] = gapIndex
			}
		}},
		{"RN_HOMOPOLY", false, un, -1, func(c []uint8, _ []float64) { fill(c[20:20+maxRun+1], index('A')) }},
		{"RN_COMPLEX", false, un, -1, func(c []uint8, _ []float64) {
			for i := range c[:70] {
				c[i] = uint8(i % 2)
			}
		}},
		{"RN_GAP_RUN", false, un, -1, func(c []uint8, _ []float64) { c[60] = gapIndex }},
	} {
		t.Run(tc.code, func(t *testing.T) {
			a := tc.data.Adapter.(*adapter)
			columns := sound(t, tc.data, tc.label)
			x := make([]float64, a.Free())
			tc.plant(columns, nil)
			a.layout.encode(x, columns)
			tc.plant(columns, x)
			v := a.Decode(x, tc.label).Verdict()
			if slices.Contains(v.Violations, tc.code) != tc.hard || slices.Contains(v.Warnings, tc.code) == tc.hard {
				t.Errorf("violations %v, warnings %v", v.Violations, v.Warnings)
			}
		})
	}
}

func fill(c []uint8, symbol uint8) {
	for i := range c {
		c[i] = symbol
	}
}

// sound is the columns of the first training record of a class of 70 to 76 nt that no gate says anything about.
func sound(t *testing.T, d *domains.Data, label int) []uint8 {
	t.Helper()
	e := d.Train.(*examples)
	x := make([]float64, e.layout.size())
	for i, columns := range e.rows {
		if l := e.Encode(x, i); l != label {
			continue
		}
		v := d.Adapter.Decode(x, label).Verdict()
		if n := len(e.Key(i)); n >= 70 && (n <= 76 || label >= 0) && len(v.Violations)+len(v.Warnings) == 0 {
			out := make([]uint8, e.layout.columns)
			fill(out, gapIndex)
			copy(out, columns)
			return out
		}
	}
	t.Fatal("no training record passes all gates")
	return nil
}

// Decode never spells another letter, so the gate is shown on a row made by hand.
func TestAlphabetGate(t *testing.T) {
	a := newAdapter(&settings{Representation: unaligned, Columns: 4, Homopolymer: 4, Lengths: [][2]int{{1, 4}}})
	for _, g := range a.gates {
		if g.Code != "RN_ALPHABET" {
			continue
		}
		if !g.Fails(&row{seq: "ACTG"}) || !g.Fails(&row{seq: "AC-G"}) || g.Fails(&row{seq: "ACGU"}) || !g.Hard {
			t.Error("RN_ALPHABET takes a T or a gap, or refuses ACGU")
		}
		return
	}
	t.Error("no RN_ALPHABET")
}

// A quantile's rank is floor or ceil of q (n-1).
func TestThresholds(t *testing.T) {
	v := make([]int, 1001)
	for i := range v {
		v[i] = (i * 8) % 1001 // all of 0 to 1000
	}
	if lo, hi := lowQuantile(v, 0.005), highQuantile(v, 0.999); lo != 5 || hi != 999 {
		t.Errorf("quantiles %d and %d, want 5 and 999", lo, hi)
	}
	if lo, hi := lowQuantile([]float64{3}, 0.001), highQuantile([]float64{3}, 0.999); lo != 3 || hi != 3 {
		t.Errorf("quantiles of one value: %v and %v", lo, hi)
	}
	if r := lengthRange(v[:1]); r != [2]int{0, 0} {
		t.Errorf("range of length 0: %v", r)
	}
	if r := lengthRange([]int{70, 75, 91}); r != [2]int{63, 101} {
		t.Errorf("range of 70 to 91: %v, want 63 to 101", r)
	}
}

func TestSequenceStatistics(t *testing.T) {
	for _, tc := range []struct {
		seq     string
		run     int
		entropy float64 // by hand: the dinucleotides' counts
	}{
		{"", 0, 0}, {"A", 1, 0}, {"AAAA", 4, 0}, {"ACAC", 1, 0.9182958340544896}, {"ACGUU", 2, 2},
	} {
		if h := complexity(tc.seq); math.Abs(h-tc.entropy) > 1e-12 || homopolymer(tc.seq) != tc.run {
			t.Errorf("%q: run %d, entropy %v", tc.seq, homopolymer(tc.seq), h)
		}
	}
}
