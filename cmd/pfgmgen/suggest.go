package main

import "strings"

// didYouMean is a question with the candidate that is closest to what was typed, or nothing when none is close.
func didYouMean(typed string, candidates []string, prefix string) string {
	best, least := "", 1+max(1, len(typed)/3)
	for _, c := range candidates {
		d := distance(fold(typed), fold(c))
		if len(typed) >= 3 && strings.HasPrefix(fold(c), fold(typed)) {
			d = min(d, 1)
		}
		if d < least {
			best, least = c, d
		}
	}
	if best == "" {
		return ""
	}
	return ", did you mean " + prefix + best + "?"
}

// fold makes spellings equal that people take for equal.
func fold(s string) string { return strings.ReplaceAll(strings.ToLower(s), "_", "-") }

// distance is the number of letters to insert, delete, change or swap with a neighbour to make b of a (optimal string
// alignment).
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(x); i++ {
		before, last, row = last, row, before
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(y)]
}
