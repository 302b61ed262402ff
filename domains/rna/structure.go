package rna

import "fmt"

// A pair is two columns, from 0, that bond: i < j.
type pair struct{ i, j int }

// parsePairs reads a structure in dot-bracket or WUSS notation (Rfam's SS_cons): every kind of bracket opens and
// closes a nested pair and must match its own kind; letters mark pseudoknots, which dot-bracket cannot say, and are
// left out; every other character is unpaired. Pairs come in the order of their closing.
func parsePairs(s string) ([]pair, error) {
	opens := map[byte]byte{')': '(', '>': '<', ']': '[', '}': '{'}
	var stack []int
	var pairs []pair
	for j := range len(s) {
		switch c := s[j]; c {
		case '(', '<', '[', '{':
			stack = append(stack, j)
		case ')', '>', ']', '}':
			if len(stack) == 0 {
				return nil, fmt.Errorf("structure column %d: %q closes nothing", j+1, c)
			}
			i := stack[len(stack)-1]
			if s[i] != opens[c] {
				return nil, fmt.Errorf("structure column %d: %q closes the %q of column %d; pseudoknots are written with letters",
					j+1, c, s[i], i+1)
			}
			stack = stack[:len(stack)-1]
			pairs = append(pairs, pair{i, j})
		}
	}
	if len(stack) > 0 {
		i := stack[len(stack)-1]
		return nil, fmt.Errorf("structure column %d: %q is never closed", i+1, s[i])
	}
	return pairs, nil
}

// dotBracket writes pairs over n columns.
func dotBracket(pairs []pair, n int) string {
	out := make([]byte, n)
	for i := range out {
		out[i] = '.'
	}
	for _, p := range pairs {
		out[p.i], out[p.j] = '(', ')'
	}
	return string(out)
}

// pairCounts are the states of the consensus pairs in one row of symbols.
type pairCounts struct {
	full      int // both columns hold a residue
	canonical int // of these, the ones that are AU, GC or GU
	half      int // exactly one column holds a residue
}

func countPairs(symbols []uint8, pairs []pair) (c pairCounts) {
	for _, p := range pairs {
		a, b := symbols[p.i], symbols[p.j]
		switch {
		case a != gapIndex && b != gapIndex:
			c.full++
			if canonical(alphabet[a], alphabet[b]) {
				c.canonical++
			}
		case a != gapIndex || b != gapIndex:
			c.half++
		}
	}
	return c
}

// share is the part of the full pairs that is canonical, 0 when there are none: a row without any pair of its
// consensus has none that could form.
func (c pairCounts) share() float64 {
	if c.full == 0 {
		return 0
	}
	return float64(c.canonical) / float64(c.full)
}
