package rna

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

func open(t *testing.T, s settings) *adapter {
	t.Helper()
	s.Version, s.Alphabet = settingsVersion, alphabet
	a, err := Domain{}.Open(s.marshal())
	if err != nil {
		t.Fatal(err)
	}
	return a.(*adapter)
}

func (a *adapter) decodeText(text string, label int) *row {
	x := make([]float64, a.Free())
	a.layout.encode(x, symbols([]byte(text)))
	return a.Decode(x, label).(*row)
}

func TestCode(t *testing.T) {
	for _, n := range []int{channels, combinations} {
		x := make([]float64, n)
		for k := range n {
			oneHot(x, k)
			var sum, squares float64
			for _, v := range x {
				sum += v
				squares += v * v
			}
			if math.Abs(sum) > 1e-14 || math.Abs(squares/float64(n)-0.25) > 1e-15 {
				t.Errorf("choice %d of %d: mean %g, mean square %g, want 0 and 0.25", k, n, sum/float64(n), squares/float64(n))
			}
		}
	}
}

func TestStructureFollowsTheRow(t *testing.T) {
	a := open(t, settings{Representation: aligned, Columns: 7, Structure: "((.).).", Lengths: [][2]int{{0, 7}}, Homopolymer: 7, HalfPairs: 7})
	if !slices.Equal(a.Shape(), []int{8, 5}) {
		t.Errorf("seven columns have shape %v", a.Shape())
	}
	b := open(t, settings{Representation: aligned, Columns: 7, Structure: "((.).).", Pairs: joint, Lengths: [][2]int{{0, 7}}, Homopolymer: 7, HalfPairs: 7})
	if !slices.Equal(b.Shape(), []int{4, 25}) { // two pairs, and three columns in a position that holds five
		t.Errorf("two pairs and three columns have shape %v", b.Shape())
	}
	for _, tc := range []struct {
		text, seq, structure string
		pairs                pairCounts
	}{
		{"GGAUACA", "GGAUACA", "((.).).", pairCounts{2, 2, 0}},
		{"G-AUACA", "GAUACA", "(...).", pairCounts{1, 1, 1}},
		{"-GAUA-A", "GAUAA", "(.)..", pairCounts{1, 1, 0}},
		{"GAAGAAA", "GAAGAAA", "((.).).", pairCounts{2, 0, 0}},
		{"-------", "", "", pairCounts{}},
		{"GGAUACAA", "GGAUACA", "((.).).", pairCounts{2, 2, 0}}, // the eighth column is not looked at
	} {
		for _, a := range []*adapter{a, b} {
			r := a.decodeText(tc.text, -1)
			if r.seq != tc.seq || r.structure != tc.structure || r.pairs != tc.pairs || !r.folded {
				t.Errorf("%s in shape %v: %+v", tc.text, a.Shape(), r)
			}
		}
	}
}

// Beyond 64 positions a layout can be cut into tokens of four, and what fills it is not looked at.
func TestLongLayout(t *testing.T) {
	const pairs, loop = 61, 22 // 61 positions of pairs and 5 of single columns make 66
	text := strings.Repeat("G", pairs) + strings.Repeat("A", loop) + strings.Repeat("C", pairs)
	structure := strings.Repeat("(", pairs) + strings.Repeat(".", loop) + strings.Repeat(")", pairs)
	a := open(t, settings{Representation: aligned, Columns: len(text), Structure: structure, Pairs: joint, Lengths: [][2]int{{0, 999}}, Homopolymer: 999})
	if !slices.Equal(a.Shape(), []int{68, 25}) {
		t.Errorf("66 positions have shape %v, want 68", a.Shape())
	}
	if r := a.decodeText(text, -1); r.seq != text || r.structure != structure {
		t.Errorf("%s becomes %s", text, r.seq)
	}
}

// Pairs that are one choice need a structure that says which.
func TestJointPairsNeedAStructure(t *testing.T) {
	for _, s := range []settings{
		{Representation: aligned, Columns: 2, Pairs: joint, Lengths: [][2]int{{0, 2}}},
		{Representation: aligned, Columns: 2, Structure: "()", Pairs: apart, Lengths: [][2]int{{0, 2}}},
	} {
		s.Version, s.Alphabet = settingsVersion, alphabet
		if _, err := (Domain{}).Open(s.marshal()); err == nil || !strings.Contains(err.Error(), "joint") {
			t.Errorf("pairs %s, structure %q: %v", s.Pairs, s.Structure, err)
		}
	}
}

func TestUnalignedStopsAtThePad(t *testing.T) {
	a := open(t, settings{Representation: unaligned, Columns: 6, Lengths: [][2]int{{0, 6}}, Homopolymer: 6})
	for _, tc := range []struct {
		text, seq string
		dropped   int
	}{{"ACGUAC", "ACGUAC", 0}, {"ACG", "ACG", 0}, {"AC-GU-", "AC", 2}, {"-ACGUA", "", 5}} {
		r := a.decodeText(tc.text, -1)
		if r.seq != tc.seq || r.dropped != tc.dropped || r.folded {
			t.Errorf("%s: %q, %d dropped", tc.text, r.seq, r.dropped)
		}
	}
}

func TestArgmax(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	// Entropy by hand: two equal best among five far behind is one bit, five equal are log2 5.
	for _, tc := range []struct {
		x               []float64
		best            int
		margin, entropy float64
	}{
		{[]float64{1, -0.25, -0.25, -0.25, -0.25}, 0, 1.25, 2.8e-10 * 40},
		{[]float64{0, 0, 0, 0, 0}, 0, 0, math.Log2(5)},
		{[]float64{-50, 9, 9, -50, -50}, 1, 0, 1},
		{[]float64{nan, nan, 3, nan, nan}, 2, 1003, 0},
		{[]float64{nan, -5, nan, nan, nan}, 1, 995, 0},
		{[]float64{nan, nan, nan, nan, nan}, 0, 0, math.Log2(5)},
		{[]float64{0, inf, 1e300, 0, 0}, 1, 0, 1},
		{[]float64{-inf, -inf, -inf, -1e300, -inf}, 3, 0, math.Log2(5)},
	} {
		best, margin, entropy := argmax(tc.x)
		if best != tc.best || math.Abs(margin-tc.margin) > 1e-12 || math.Abs(entropy-tc.entropy) > 1e-8 {
			t.Errorf("%v: %d, %v, %v; want %d, %v, %v", tc.x, best, margin, entropy, tc.best, tc.margin, tc.entropy)
		}
	}
}

func TestColumns(t *testing.T) {
	a := open(t, settings{Representation: aligned, Columns: 6, Structure: "((..))", Families: []string{"RF00005"},
		Lengths: [][2]int{{0, 6}}, Homopolymer: 6, HalfPairs: 6})
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(a.Fields(), nil))
	defer b.Release()
	for _, text := range []string{"GGAACA", "------", "AA----"} {
		a.decodeText(text, -1).Append(b.Fields())
	}
	rec := b.NewRecord()
	defer rec.Release()
	// By hand: GGAACA pairs G-A (no) and G-C (yes).
	want := []string{
		`["GGAACA" "" "AA"]`, `[6 0 2]`, `[0.5 (null) 0]`, `["((..))" "" ".."]`, `[0.6666667 (null) 0]`,
		`[0.5 (null) (null)]`, `[2 0 2]`, `[2.321928 0 0]`, `["RF00005" "RF00005" "RF00005"]`,
	}
	for i, c := range rec.Columns() {
		if got := c.(interface{ String() string }).String(); got != want[i] {
			t.Errorf("%s is %s, want %s", rec.ColumnName(i), got, want[i])
		}
	}
}

func TestDecodePanicsOnWrongLength(t *testing.T) {
	a := open(t, settings{Representation: unaligned, Columns: 2, Lengths: [][2]int{{0, 2}}})
	defer func() {
		if p := recover(); p == nil || !strings.Contains(p.(string), "10") {
			t.Errorf("recovered %v", p)
		}
	}()
	a.Decode(make([]float64, 9), -1)
}

func TestParsePairs(t *testing.T) {
	for _, tc := range []struct {
		in   string
		want []pair
	}{
		{"", nil},
		{"(.)", []pair{{0, 2}}},
		{"((<_>))", []pair{{2, 4}, {1, 5}, {0, 6}}},
		{"<<AA>>..aa", []pair{{1, 4}, {0, 5}}}, // a pseudoknot is left out
		{":,-_.~[]{}", []pair{{6, 7}, {8, 9}}},
	} {
		if got, err := parsePairs(tc.in); err != nil || !slices.Equal(got, tc.want) {
			t.Errorf("%s: %v, %v", tc.in, got, err)
		}
	}
	for in, want := range map[string]string{
		"(()": "column 1", ".)": "column 2", "(<)>": "column 3",
	} {
		if _, err := parsePairs(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", in, err)
		}
	}
}
