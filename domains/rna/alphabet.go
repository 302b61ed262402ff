package rna

import (
	"crypto/sha256"
	"encoding/binary"
)

// Symbols of one column, in the order of the channels. The fifth is the gap of an alignment, or the padding after the
// last residue of an unaligned sequence.
const (
	alphabet = "ACGU-"
	channels = 5
	gap      = '-'
	gapIndex = 4
)

// ambiguity maps the IUPAC letters that stand for several bases to these, in the order of the alphabet.
var ambiguity = [256]string{
	'R': "AG", 'Y': "CU", 'S': "CG", 'W': "AU", 'K': "GU", 'M': "AC",
	'B': "CGU", 'D': "AGU", 'H': "ACU", 'V': "ACG", 'N': "ACGU",
}

// normal maps an input byte to the alphabet, an ambiguity letter in upper case, or 0 for anything else. T is U.
var normal = func() (t [256]byte) {
	for _, c := range "ACGURYSWKMBDHVN" {
		t[c], t[c+'a'-'A'] = byte(c), byte(c)
	}
	t['T'], t['t'] = 'U', 'U'
	for _, c := range "-._~" {
		t[c] = gap
	}
	return t
}()

// index is the channel of a symbol.
func index(symbol byte) uint8 {
	switch symbol {
	case 'A':
		return 0
	case 'C':
		return 1
	case 'G':
		return 2
	case 'U':
		return 3
	}
	return gapIndex
}

// clean normalises text in place. It returns the number of ambiguity letters, and the position from 1 of the first
// letter that is none of RNA's, or 0.
func clean(text []byte) (ambiguous, bad int) {
	for i, c := range text {
		n := normal[c]
		if n == 0 {
			return ambiguous, i + 1
		}
		if ambiguity[n] != "" {
			ambiguous++
		}
		text[i] = n
	}
	return ambiguous, 0
}

// resolve replaces ambiguity letters in place by a base they stand for, chosen by a hash of the whole text and the
// position, so that the same record always gets the same bases.
func resolve(text []byte) {
	seed := sha256.Sum256(text)
	for i, c := range text {
		if bases := ambiguity[c]; bases != "" {
			h := sha256.Sum256(binary.LittleEndian.AppendUint64(seed[:], uint64(i)))
			text[i] = bases[binary.LittleEndian.Uint64(h[:])%uint64(len(bases))]
		}
	}
}

// ungapped is text without gaps.
func ungapped(text []byte) string {
	out := make([]byte, 0, len(text))
	for _, c := range text {
		if c != gap {
			out = append(out, c)
		}
	}
	return string(out)
}

// canonical says whether two bases form a Watson-Crick or wobble pair: AU, GC or GU, either way round.
func canonical(a, b byte) bool {
	switch string([]byte{a, b}) {
	case "AU", "UA", "GC", "CG", "GU", "UG":
		return true
	}
	return false
}
