package antibody

import "strings"

// minNucleotides is the length from which a text of A C G T U N alone is taken for nucleotides: a domain has over 300,
// and no protein is made of Ala, Cys, Gly, Thr and Asn alone.
const minNucleotides = 90

// minFrame is the length in residues of the shortest reading frame that is looked at: some frameworks without the rest.
const minFrame = 30

func isNucleotides(text string) bool {
	n := 0
	for i := range len(text) {
		switch text[i] | 0x20 {
		case 'a', 'c', 'g', 't', 'u', 'n':
			n++
		default:
			if symbol[text[i]] != isGap {
				return false
			}
		}
	}
	return n >= minNucleotides
}

// bases are the digits of a codon, in the order of the standard genetic code's usual table.
const bases = "TCAG"

// code is the standard genetic code (NCBI table 1): the residue of codon 16 i + 4 j + k in the digits of bases.
const code = "FFLLSSSSYY**CC*WLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG"

// openFrames translates nucleotides, gaps left out, in the three frames of the strand and returns the stretches without
// a stop codon or an unknown base.
func openFrames(text string) (frames []string) {
	strand := make([]int8, 0, len(text))
	for i := range len(text) {
		c := text[i] &^ 0x20
		if c == 'U' {
			c = 'T'
		}
		if symbol[text[i]] != isGap {
			strand = append(strand, int8(strings.IndexByte(bases, c)))
		}
	}
	for start := range 3 {
		var frame []byte
		flush := func() {
			if len(frame) >= minFrame {
				frames = append(frames, string(frame))
			}
			frame = frame[:0]
		}
		for i := start; i+3 <= len(strand); i += 3 {
			a, b, c := strand[i], strand[i+1], strand[i+2]
			residue := byte('*')
			if a >= 0 && b >= 0 && c >= 0 {
				residue = code[16*int(a)+4*int(b)+int(c)]
			}
			if residue == '*' {
				flush()
			} else {
				frame = append(frame, residue)
			}
		}
		flush()
	}
	return frames
}

// reverseComplement keeps what is no base as it is.
func reverseComplement(text string) string {
	out := make([]byte, len(text))
	for i := range len(text) {
		c := text[len(text)-1-i]
		if at := strings.IndexByte("ACGTUacgtu", c); at >= 0 {
			c = "TGCAAtgcaa"[at]
		}
		out[i] = c
	}
	return string(out)
}
