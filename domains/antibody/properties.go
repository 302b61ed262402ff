package antibody

import (
	"math"
	"strings"
)

// residueMass is the average mass of each residue in Da, in the order of the alphabet; a chain has a water more.
var residueMass = [residues]float64{
	71.0788, 103.1388, 115.0886, 129.1155, 147.1766, 57.0519, 137.1411, 113.1594, 128.1741, 113.1594,
	131.1926, 114.1038, 97.1167, 128.1307, 156.1875, 87.0782, 101.1051, 99.1326, 186.2132, 163.1760,
}

const waterMass = 18.01528

// mass is the molecular weight in Da of the reduced chain.
func mass(seq string) float64 {
	m := waterMass
	for i := range len(seq) {
		m += residueMass[symbol[seq[i]]]
	}
	return m
}

// hydropathy is the scale of Kyte and Doolittle 1982, in the order of the alphabet.
var hydropathy = [residues]float64{
	1.8, 2.5, -3.5, -3.5, 2.8, -0.4, -3.2, 4.5, -3.9, 3.8, 1.9, -3.5, -1.6, -3.5, -4.5, -0.8, -0.7, 4.2, -0.9, -1.3,
}

// gravy is the mean hydropathy.
func gravy(seq string) float64 {
	sum := 0.0
	for i := range len(seq) {
		sum += hydropathy[symbol[seq[i]]]
	}
	return sum / float64(len(seq))
}

// unstable lists the dipeptides whose instability weight is not 1, by weight (Guruprasad, Reddy, Pandit 1990,
// doi 10.1093/protein/4.2.155).
var unstable = []struct {
	weight     float64
	dipeptides string
}{
	{-15.91, "YR"},
	{-14.03, "DT EW FK NF NG TN TW VD WA WT"},
	{-9.37, "HF HG NW WG YW"},
	{-7.49, "AD AH DK GA GI GK GN GT GY IK IV KG KI KL KV LK NT RG TG VG VT WV YG YT"},
	{-6.54, "CQ CV DF DR EH GE HT KP MQ MR NQ PC PD PM PR QC QF QV QY RY TQ VY YE"},
	{-1.88, "HP HW IP MM MT NC NP PW VK"},
	{13.34, "FD GG GW IH MA RN TF WL WN YH YP YY"},
	{18.38, "PE"},
	{20.26, "AP CD CL CP DS ED EI EP EQ ES FP IL LP LR PA PF PP PQ PS PV QD QE QP QQ RH RP RQ SE SQ SR SS TE VP"},
	{24.64, "KQ"},
	{24.68, "CW HK HN LW MY NK WH WM YA YD"},
	{33.6, "CH CM CT EE KM KR LQ SC"},
	{33.601, "FY"},
	{44.94, "AC EC HI HY IE MP MS NI QS RS SP YM"},
	{58.28, "MH RR RW"},
}

var instabilityWeight = func() (t [residues][residues]float64) {
	for i := range t {
		for j := range t[i] {
			t[i][j] = 1
		}
	}
	for _, u := range unstable {
		for _, pair := range strings.Fields(u.dipeptides) {
			t[symbol[pair[0]]][symbol[pair[1]]] = u.weight
		}
	}
	return t
}()

// instability is the index of Guruprasad et al.: ten times the mean weight of the dipeptides over the length. Over 40 a
// protein counts as unstable.
func instability(seq string) float64 {
	sum := 0.0
	for i := 1; i < len(seq); i++ {
		sum += instabilityWeight[symbol[seq[i-1]]][symbol[seq[i]]]
	}
	return 10 * sum / float64(len(seq))
}

// Values of pK of Bjellqvist et al. 1993 and 1994. Those of the ends hang on the residue there.
const (
	pkLys, pkArg, pkHis        = 10.0, 12.0, 5.98
	pkAsp, pkGlu, pkCys, pkTyr = 4.05, 4.45, 9.0, 10.0
	pkFirst, pkLast            = 7.5, 3.55
)

var (
	pkFirstOf = map[byte]float64{'A': 7.59, 'M': 7.0, 'S': 6.93, 'P': 8.36, 'T': 6.82, 'V': 7.44, 'E': 7.7}
	pkLastOf  = map[byte]float64{'D': 4.55, 'E': 4.75}
)

// A titration is a chain's groups that take a charge.
type titration struct {
	counts      [256]int
	first, last float64 // pK of the ends
}

// titrate takes a chain with at least one residue, its cysteines reduced.
func titrate(seq string) *titration {
	t := &titration{first: pkFirst, last: pkLast}
	for i := range len(seq) {
		t.counts[seq[i]]++
	}
	if pk, ok := pkFirstOf[seq[0]]; ok {
		t.first = pk
	}
	if pk, ok := pkLastOf[seq[len(seq)-1]]; ok {
		t.last = pk
	}
	return t
}

// charge is the net charge in units of e at a pH, by Henderson and Hasselbalch.
func (t *titration) charge(pH float64) float64 {
	base := func(n int, pk float64) float64 { return float64(n) / (1 + math.Pow(10, pH-pk)) }
	acid := func(n int, pk float64) float64 { return float64(n) / (1 + math.Pow(10, pk-pH)) }
	return base(1, t.first) + base(t.counts['K'], pkLys) + base(t.counts['R'], pkArg) + base(t.counts['H'], pkHis) -
		acid(1, t.last) - acid(t.counts['D'], pkAsp) - acid(t.counts['E'], pkGlu) - acid(t.counts['C'], pkCys) - acid(t.counts['Y'], pkTyr)
}

// pI is the pH from 0 to 14 without net charge: halving the range 30 times brings it to 14/2^30.
func (t *titration) pI() float64 {
	low, high := 0.0, 14.0
	for range 30 {
		if middle := (low + high) / 2; t.charge(middle) > 0 {
			low = middle
		} else {
			high = middle
		}
	}
	return (low + high) / 2
}

// A liability is a motif that may change in a finished antibody.
type liability struct {
	name, about string
	at          func(seq string, i int) bool // the motif begins at i
}

func followed(seq string, i int, first byte, by string) bool {
	return seq[i] == first && i+1 < len(seq) && strings.IndexByte(by, seq[i+1]) >= 0
}

func glycosylated(seq string, i int) bool {
	return seq[i] == 'N' && i+2 < len(seq) && seq[i+1] != 'P' && (seq[i+2] == 'S' || seq[i+2] == 'T')
}

var liabilities = []liability{
	{"nglyc", "N-glycosylation, Asn-X-Ser/Thr with X not Pro", glycosylated},
	{"deamid", "deamidation, Asn before Gly, Ser or Thr", func(seq string, i int) bool { return followed(seq, i, 'N', "GST") }},
	{"isomer", "isomerisation, Asp before Gly or Ser", func(seq string, i int) bool { return followed(seq, i, 'D', "GS") }},
	{"oxid", "oxidation, Met or Trp", func(seq string, i int) bool { return seq[i] == 'M' || seq[i] == 'W' }},
}

// count is how many motifs begin in seq from first up to end.
func (l *liability) count(seq string, first, end int) int {
	n := 0
	for i := first; i < end; i++ {
		if l.at(seq, i) {
			n++
		}
	}
	return n
}
