package antibody

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// open is an adapter with the thresholds of 4.3.
func open(t testing.TB, chains string, change func(*settings)) *adapter {
	t.Helper()
	s := newSettings()
	s.Chains = chains
	if change != nil {
		change(&s)
	}
	a, err := Domain{}.Open(s.marshal())
	if err != nil {
		t.Fatal(err)
	}
	return a.(*adapter)
}

// tensor encodes chains in the regions that the numbering finds, those of the unchanged domain when it finds none.
func tensor(a *adapter, seqs ...string) []float64 {
	var chains []parts
	for _, seq := range seqs {
		chains = append(chains, numberChain(seq).parts)
	}
	return tensorOfParts(a, chains...)
}

// lateCDR1 has the first residue of CDR1 at the end of FR1.
func lateCDR1(seq string) parts {
	p := numberChain(seq).parts
	p[fwr1], p[cdr1] = p[fwr1]+p[cdr1][:1], p[cdr1][1:]
	return p
}

// tensorOfParts encodes chains by their regions.
func tensorOfParts(a *adapter, chains ...parts) []float64 {
	symbols := make([]uint8, a.s.positions())
	at := 0
	for i, s := range a.s.sides() {
		p := chains[i]
		p.put(symbols[at:at+positions[s]], s)
		at += positions[s]
	}
	x := make([]float64, a.Free())
	encode(x, symbols)
	return x
}

// change replaces the residue in a column of IMGT.
func change(seq string, column int, residue string) string {
	n := numberChain(seq)
	i := slices.Index(n.labels, label{column, 0}.String())
	return seq[:i] + residue + seq[i+1:]
}

// loopOf replaces CDR3.
func loopOf(seq, loop string) string {
	return strings.Replace(seq, numberChain(seq).parts[cdr3], loop, 1)
}

// A natural domain passes every gate; with one fault it gets exactly the code of that fault.
func TestGatesCatchPlantedFaults(t *testing.T) {
	h, l, p := open(t, "heavy", nil), open(t, "light", nil), open(t, paired, nil)
	loci := func(s *settings) { s.Condition, s.Labels = byLocus, []string{"IGK", "IGL"} }
	families := func(s *settings) { s.Condition, s.Labels = byFamily, []string{"IGHV1", "IGHV3", otherFamily} }
	lengths := func(s *settings) { s.Condition, s.Bins = byLength, [][2]int{{3, 9}, {11, 11}, {12, 30}} }
	for _, tc := range []struct {
		name  string
		a     *adapter
		label int
		x     []float64
		codes string // hard ones with an exclamation mark
	}{
		{"sound VH", h, -1, tensor(h, vh), ""},
		{"sound VL", l, -1, tensor(l, vl), ""},
		{"sound pair", p, -1, tensor(p, vh, vl), ""},
		{"NaN", h, -1, spoil(tensor(h, vh), 7, math.NaN()), "AB_NAN!"},
		{"infinity in the column that is added", l, -1, spoil(tensor(l, vl), 127*channels, math.Inf(1)), "AB_NAN!"},
		{"no Cys 23", h, -1, tensor(h, change(vh, 23, "S")), "AB_NO_CYS23! AB_ODD_CYS"},
		{"no Trp 41", h, -1, tensor(h, change(vh, 41, "R")), "AB_NO_TRP41!"},
		{"no Trp 41 in the light chain", p, -1, tensor(p, vh, change(vl, 41, "R")), "AB_NO_TRP41!"},
		{"no Cys 104", h, -1, tensor(h, change(vh, 104, "Y")), "AB_NO_CYS104! AB_ODD_CYS"},
		{"no Trp 118", h, -1, tensor(h, change(vh, 118, "F")), "AB_J_MOTIF!"},
		{"no Gly 119", l, -1, tensor(l, change(vl, 119, "A")), "AB_J_MOTIF!"},
		{"no Gly 121", p, -1, tensor(p, vh, change(vl, 121, "R")), "AB_J_MOTIF!"},
		{"CDR3 of 2", h, -1, tensor(h, loopOf(vh, "AR")), "AB_CDR3_LEN!"},
		{"CDR3 of 3 in a light chain", l, -1, tensor(l, loopOf(vl, "QQT")), "AB_CDR3_LEN!"},
		{"CDR3 of 30 where 29 are allowed", open(t, "heavy", func(s *settings) { s.CDR3[heavy] = span{3, 29} }), -1,
			tensor(h, loopOf(vh, "AKDRGYYFDY"+strings.Repeat("SGY", 6)+"DY")), "AB_CDR3_LEN!"},
		{"too short", open(t, "heavy", func(s *settings) { s.Length[heavy] = span{118, 140} }), -1, tensor(h, vh), "AB_LEN!"},
		{"CDR3 of 14 in a light chain", l, -1, tensor(l, loopOf(vl, "QQSYSGGGGSTPWT")), ""},
		{"a light chain in the heavy one's place", h, -1, tensorOf(h, vl), "AB_LOCUS! AB_REGIONS"},
		{"a heavy chain in the light one's place", l, -1, tensorOf(l, vh), "AB_LOCUS! AB_REGIONS"},
		{"kappa where lambda is asked for", open(t, "light", loci), 1, tensor(l, vl), "AB_LOCUS!"},
		{"kappa where kappa is asked for", open(t, "light", loci), 0, tensor(l, vl), ""},
		{"kappa of a pair where lambda is asked for", open(t, paired, loci), 1, tensor(p, vh, vl), "AB_LOCUS!"},
		{"a charge at 89", h, -1, tensor(h, change(vh, 89, "D")), "AB_HYD89"},
		{"glycosylation", h, -1, tensor(h, loopOf(vh, "AKNGSYYFDY")), "AB_NGLYC"},
		{"no glycosylation next to Pro", h, -1, tensor(h, loopOf(vh, "AKNPSYYFDY")), ""},
		{"a third Cys", p, -1, tensor(p, vh, loopOf(vl, "QQSCSTPWT")), "AB_ODD_CYS"},
		{"IGHV3 where IGHV1 is asked for", open(t, "heavy", families), 0, tensor(h, vh), "AB_LABEL"},
		{"IGHV3 where IGHV3 is asked for", open(t, "heavy", families), 1, tensor(h, vh), ""},
		{"IGHV3 where another is asked for", open(t, "heavy", families), 2, tensor(h, vh), "AB_LABEL"},
		{"CDR3 of 11 where 3 to 9 are asked for", open(t, "heavy", lengths), 0, tensor(h, loopOf(vh, "AKDRGYYYFDY")), "AB_LABEL"},
		{"CDR3 of 11 where 11 are asked for", open(t, "heavy", lengths), 1, tensor(h, loopOf(vh, "AKDRGYYYFDY")), ""},
		{"no class asked for", open(t, "heavy", lengths), -1, tensor(h, vh), ""},
		{"a gap in FR1", h, -1, move(tensor(h, vh), 3, 15), "AB_GAP_ORDER"},
		{"CDR1 begins one late", h, -1, tensorOfParts(h, lateCDR1(vh)), "AB_REGIONS"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := tc.a.Decode(tc.x, tc.label).Verdict()
			var got []string
			for _, code := range v.Violations {
				got = append(got, code+"!")
			}
			got = append(got, v.Warnings...)
			want := strings.Fields(tc.codes)
			if strings.Contains(tc.codes, "AB_LOCUS! AB_REGIONS") { // the wrong chain fails other gates as well
				if !slices.Contains(got, "AB_LOCUS!") || !slices.Contains(got, "AB_REGIONS") {
					t.Errorf("%v", got)
				}
				return
			}
			if !slices.Equal(got, want) {
				t.Errorf("%v, want %v", got, want)
			}
		})
	}
	// Nothing at all fails all the hard gates but the one for NaN.
	x := make([]float64, p.Free())
	encode(x, slices.Repeat([]uint8{gapIndex}, p.s.positions()))
	if v := p.Decode(x, -1).Verdict(); len(v.Violations) != 8 {
		t.Errorf("an empty pair fails %v", v.Violations)
	}
}

func spoil(x []float64, i int, v float64) []float64 { x[i] = v; return x }

// move takes the residue at one position to another, and leaves a gap.
func move(x []float64, from, to int) []float64 {
	var one [channels]float64
	copy(one[:], x[from*channels:])
	copy(x[from*channels:(from+1)*channels], x[to*channels:])
	copy(x[to*channels:], one[:])
	return x
}

// tensorOf fills the positions one after the other, whatever the regions.
func tensorOf(a *adapter, seq string) []float64 {
	symbols := slices.Repeat([]uint8{gapIndex}, a.s.positions())
	for i := range len(seq) {
		symbols[i] = symbol[seq[i]]
	}
	x := make([]float64, a.Free())
	encode(x, symbols)
	return x
}

// Decode never spells another letter, so the gate is shown on a row made by hand.
func TestAlphabetGate(t *testing.T) {
	s := newSettings()
	s.Chains = "heavy"
	for _, g := range newGates(&s) {
		if g.Code == "AB_ALPHABET" {
			for seq, fails := range map[string]bool{"": true, "AX": true, "A*": true, "A-": true, "a": true, alphabet[:residues]: false} {
				if g.Fails(&row{chains: []*domain{{seq: seq, numbering: new(numbering)}}}) != fails {
					t.Errorf("%q: want %v", seq, fails)
				}
			}
			return
		}
	}
	t.Error("no AB_ALPHABET")
}

func TestDecode(t *testing.T) {
	a := open(t, paired, nil)
	r := a.Decode(tensor(a, vh, vl), -1).(*row)
	if r.Key() != vh+":"+vl || r.chains[0].tensor[cdr3] != "AKDRGYYFDY" || r.chains[1].tensor[cdr2] != "AAS" {
		t.Errorf("%s, regions %q and %q", r.Key(), r.chains[0].tensor, r.chains[1].tensor)
	}
	// A one-hot code leads by codeScale, and is certain.
	if margin, entropy := r.Confidence(); math.Abs(float64(margin)-codeScale) > 1e-6 || entropy > 1e-6 {
		t.Errorf("margin %v, entropy %v", margin, entropy)
	}
	x := make([]float64, a.Free())
	encode(x, slices.Repeat([]uint8{3}, a.s.positions()))
	var sum, squares float64
	for _, v := range x {
		sum += v
		squares += v * v
	}
	// s is rounded to three decimals, 0.0002 of it.
	if n := float64(len(x)); math.Abs(sum/n) > 1e-12 || math.Abs(squares/n-0.25) > 2e-4 {
		t.Errorf("mean %g, mean square %g; want 0 and 0.25", sum/n, squares/n)
	}
	defer func() {
		if p := recover(); p == nil || !strings.Contains(p.(string), "6131 values") {
			t.Errorf("recovered %v", p)
		}
	}()
	a.Decode(x[1:], -1)
}

// The ends of every region have fixed positions, whatever its length.
func TestGapsAreInTheMiddle(t *testing.T) {
	p := parts{"", "A", "CD", "EFG", "HIKL", "MNPQR", "STVWYA"}
	symbols := make([]uint8, positions[heavy])
	p.put(symbols, heavy)
	at := 0
	for r, want := range []string{"-", "A", "C-D", "EF-G", "HI-KL", "MNP-QR", "STV-WYA"} {
		text := make([]byte, widths[heavy][r])
		for i := range text {
			text[i] = alphabet[symbols[at+i]]
		}
		at += len(text)
		start, end, gapped := strings.Cut(want, "-")
		if !strings.HasPrefix(string(text), start) || !strings.HasSuffix(string(text), end) || gapped && strings.Trim(string(text[len(start):len(text)-len(end)]), "-") != "" {
			t.Errorf("%s is put as %s, want %s with more gaps there", p[r], text, want)
		}
	}
	if back, disordered := takeParts(symbols, heavy); back != p || disordered != 0 {
		t.Errorf("%q comes back as %q, %d residues between gaps", p, back, disordered)
	}
}
