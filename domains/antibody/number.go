package antibody

import (
	"slices"
	"strconv"
)

// minScore is the score in bits below which a sequence is taken for no variable domain: held-out domains score over 200,
// the halves of one over 75, and shuffled ones under 10.
const minScore = 60

// A numbering is a chain placed on IMGT's columns.
type numbering struct {
	found  bool    // a variable domain was found; all else is empty otherwise
	locus  int     // of the best profile
	bits   float64 // score of the best profile
	margin float64 // bits minus those of the second-best locus
	scores [len(loci)]float64

	first, last int // the domain is seq[first:last]
	parts       parts
	region      [regions][2]int   // where they lie in seq
	columns     [imgtColumns]byte // the residue in each column, 0 for none
	labels      []string          // IMGT number of each residue of seq, empty outside the domain
	gene        string            // nearest V germline
	identity    float64           // with it, 0 to 1
}

// numberChain aligns a sequence over the 20 amino acids in upper case with every profile.
func numberChain(seq string) *numbering {
	n := &numbering{labels: make([]string, len(seq))}
	if seq == "" {
		return n
	}
	symbols := make([]uint8, len(seq))
	for i := range symbols {
		symbols[i] = symbol[seq[i]]
	}
	ref := human()
	var best alignment
	for k := range ref.profiles {
		a := ref.profiles[k].align(symbols)
		n.scores[k] = float64(a.score) / 100
		if k == 0 || a.score > best.score {
			best, n.locus = a, k
		}
	}
	n.bits = n.scores[n.locus]
	second := slices.Clone(n.scores[:])
	slices.Sort(second)
	n.margin = n.bits - second[len(second)-2]
	if n.found = n.bits >= minScore; !n.found {
		return n
	}
	n.lay(seq, best.place)
	n.gene, n.identity = ref.nearest(n.locus, n.columns[:])
	return n
}

// lay turns an alignment into regions and numbers. Framework residues keep the columns of the alignment; those of a
// loop are the ones between its frameworks, and are numbered by the loop's length alone.
func (n *numbering) lay(seq string, place []int16) {
	n.first = slices.IndexFunc(place, func(c int16) bool { return c != outside })
	n.last = len(place)
	for place[n.last-1] == outside {
		n.last--
	}
	at := n.first
	for r := range regions {
		end := at
		for end < n.last && int(place[end]&^inserted) < imgtStart[r+1] {
			end++
		}
		n.region[r] = [2]int{at, end}
		n.parts[r] = seq[at:end]
		at = end
	}
	for r, span := range n.region {
		switch r {
		case cdr1, cdr2, cdr3:
			for i, label := range loop(imgtStart[r]+1, imgtStart[r+1], span[1]-span[0]) {
				n.set(seq, span[0]+i, label.column, label.insertion)
			}
		default:
			insertion := 0
			for i := span[0]; i < span[1]; i++ {
				if insertion++; place[i]&inserted == 0 {
					insertion = 0
				}
				n.set(seq, i, int(place[i]&^inserted)+1, insertion)
			}
		}
	}
}

// set gives residue i its number: column from 1, and insertion from 1 or 0 for none.
func (n *numbering) set(seq string, i, column, insertion int) {
	n.labels[i] = label{column, insertion}.String()
	if insertion == 0 {
		n.columns[column-1] = seq[i]
	}
}

// letters counts A to Z, then AA, AB and so on.
func letters(n int) string {
	var out []byte
	for ; n > 0; n = (n - 1) / 26 {
		out = append(out, byte('A'+(n-1)%26))
	}
	slices.Reverse(out)
	return string(out)
}

// A label is a number of IMGT's.
type label struct{ column, insertion int }

func (l label) String() string { return strconv.Itoa(l.column) + letters(l.insertion) }

// loop numbers the residues of a CDR over the columns first to last by IMGT's rule. A loop shorter than its columns has
// the gap in the middle, one residue more before it than behind it when their number is odd. One that is longer has
// insertions there: 111A, 111B, ... and, counted backwards, ... 112B, 112A, the first of them at 112.
func loop(first, last, n int) []label {
	width := last - first + 1
	left := (min(n, width) + 1) / 2
	out := make([]label, 0, n)
	for i := range left {
		out = append(out, label{first + i, 0})
	}
	middle := first + (width+1)/2 - 1 // the last column before the insertions
	if more := n - width; more > 0 {
		for i := range more / 2 {
			out = append(out, label{middle, i + 1})
		}
		for i := (more + 1) / 2; i > 0; i-- {
			out = append(out, label{middle + 1, i})
		}
	}
	for column := last - (min(n, width) - left) + 1; column <= last; column++ {
		out = append(out, label{column, 0})
	}
	return out
}
