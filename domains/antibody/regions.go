package antibody

import "strings"

// A side is one of the two chains of a Fv. IGK and IGL are both light.
type side int

const (
	heavy side = iota
	light
	sides
)

func (s side) String() string { return [sides]string{"heavy", "light"}[s] }

// Regions of a variable domain in IMGT's delimitation, N to C.
const (
	fwr1 = iota
	cdr1
	fwr2
	cdr2
	fwr3
	cdr3
	fwr4
	regions
)

var regionNames = [regions]string{"fwr1", "cdr1", "fwr2", "cdr2", "fwr3", "cdr3", "fwr4"}

// widths are the positions of each region in the tensor (domains.md 4.1): all natural human lengths but those of the
// rarest CDR3 fit.
var widths = [sides][regions]int{
	{30, 15, 20, 15, 42, 30, 12},
	{26, 12, 18, 8, 38, 14, 11},
}

// positions are those of a whole side in the tensor: the sum of its widths, rounded up to a multiple of four, so that
// networks may read up to four at a time. The one that is added to the light chain is always a gap and not looked at.
var positions = [sides]int{164, 128}

// parts are the residues of a chain's regions.
type parts [regions]string

// sequence is the whole domain.
func (p *parts) sequence() string { return strings.Join(p[:], "") }

// overflow is the first region that is longer than its width, or -1.
func (p *parts) overflow(s side) int {
	for r, text := range p {
		if len(text) > widths[s][r] {
			return r
		}
	}
	return -1
}

// imgtStart are the columns of IMGT before which each region but CDR3's and FR4's lengths are known: the regions are
// columns 1-26, 27-38, 39-55, 56-65, 66-104, 105-117 and 118-128.
var imgtStart = [regions + 1]int{0, 26, 38, 55, 65, 104, 117, 128}

// partsOfColumns takes the regions from a text over IMGT columns 1 to 104 or more, gaps in it, and the two that follow.
func partsOfColumns(columns, third, fourth string) (p parts, ok bool) {
	if len(columns) < imgtStart[cdr3] {
		return p, false
	}
	for r := fwr1; r < cdr3; r++ {
		p[r] = strings.ReplaceAll(columns[imgtStart[r]:imgtStart[r+1]], "-", "")
	}
	p[cdr3], p[fwr4] = third, fourth
	return p, true
}

// lead is how many of n residues stand at the beginning of their region in the tensor; the others stand at its end.
func lead(n int) int { return (n + 1) / 2 }

// put writes the symbols of a chain to dst, which has the positions of its side. The gaps of each region stand in its
// middle, as in IMGT's rule for loops, so that both its ends have fixed positions.
func (p *parts) put(dst []uint8, s side) {
	for i := range dst {
		dst[i] = gapIndex
	}
	at := 0
	for r, text := range p {
		end, first := at+widths[s][r], lead(len(text))
		for i := range first {
			dst[at+i] = symbol[text[i]]
		}
		for i := first; i < len(text); i++ {
			dst[end-len(text)+i] = symbol[text[i]]
		}
		at = end
	}
}

// takeParts reads the regions from the positions of a side. disordered counts the residues between gaps of their region,
// which move up to the others.
func takeParts(positions []uint8, s side) (p parts, disordered int) {
	at := 0
	var text []byte
	for r := range p {
		text = text[:0]
		gaps, behind := false, 0 // residues behind the last gap
		for _, k := range positions[at : at+widths[s][r]] {
			if k == gapIndex {
				disordered += behind
				gaps, behind = true, 0
				continue
			}
			text = append(text, alphabet[k])
			if gaps {
				behind++
			}
		}
		p[r] = string(text)
		at += widths[s][r]
	}
	return p, disordered
}
