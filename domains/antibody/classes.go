package antibody

import (
	"maps"
	"slices"
)

// otherFamily is the class of the families that are too rare for one of their own.
const otherFamily = "other"

// minClass is the number of training records below which a class is joined with others: half a percent, but at
// least 30, so that a class is learnt at all.
func minClass(records int) int { return max(30, records/200) }

// conditioned is the side whose family or length makes the class: the heavy chain when there is one.
func (s *settings) conditioned() side { return s.sides()[0] }

// nameClasses makes the classes from the training part, and leaves out held-out records of none of them.
func (l *loader) nameClasses() error {
	l.s.Condition = l.condition
	switch l.condition {
	case byLocus:
		l.nameLoci()
	case byFamily:
		l.nameFamilies()
	case byLength:
		l.nameLengths()
	}
	if l.condition != byNothing && len(l.s.labels()) < 2 {
		l.note("condition=%s: all training records are of one class, so the model is unconditional", l.condition)
		l.s.Condition, l.s.Labels, l.s.Bins = byNothing, nil, nil
	}
	if l.s.Condition == byNothing {
		return nil
	}
	n := len(l.valid)
	l.valid = slices.DeleteFunc(l.valid, func(r *record) bool { return l.class(r) < 0 })
	if n -= len(l.valid); n > 0 {
		l.note("%d held-out records of no class left out", n)
	}
	return nil
}

// nameLoci names the loci of the light chain, which are the only ones that differ.
func (l *loader) nameLoci() {
	seen := make(map[string]bool)
	for _, r := range l.train {
		seen[r.chain[l.s.last()].locus] = true
	}
	l.s.Labels = slices.Sorted(maps.Keys(seen))
}

// last is the light chain when there is one.
func (s *settings) last() side { all := s.sides(); return all[len(all)-1] }

func (l *loader) nameFamilies() {
	counts := make(map[string]int)
	for _, r := range l.train {
		counts[r.chain[l.s.conditioned()].family]++
	}
	rare := 0
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		if name == "" || counts[name] < minClass(len(l.train)) {
			rare += counts[name]
		} else {
			l.s.Labels = append(l.s.Labels, name)
		}
	}
	if rare > 0 {
		l.s.Labels = append(l.s.Labels, otherFamily)
		l.note("%d training records of rare or unknown V families make the class %s", rare, otherFamily)
	}
}

// nameLengths makes one class of each length of CDR3, and one class at either end of the lengths that are too rare.
func (l *loader) nameLengths() {
	var counts [256]int
	lowest, highest := len(counts), 0
	for _, r := range l.train {
		n := len(r.chain[l.s.conditioned()].parts[cdr3])
		counts[n]++
		lowest, highest = min(lowest, n), max(highest, n)
	}
	enough := minClass(len(l.train))
	lo, hi, low, high := lowest, highest, 0, 0
	for ; lo < highest; lo++ { // the class at the short end is lowest to lo
		if low += counts[lo]; low >= enough {
			break
		}
	}
	for ; hi > lo+1; hi-- {
		if high += counts[hi]; high >= enough {
			break
		}
	}
	l.s.Bins = append(l.s.Bins, [2]int{lowest, lo})
	for n := lo + 1; n < hi; n++ {
		l.s.Bins = append(l.s.Bins, [2]int{n, n})
	}
	if hi > lo {
		l.s.Bins = append(l.s.Bins, [2]int{hi, highest})
	}
}

// class is the label of a record, -1 when it belongs to none.
func (l *loader) class(r *record) int {
	switch c := &r.chain[l.s.conditioned()]; l.s.Condition {
	case byLocus:
		return slices.Index(l.s.Labels, r.chain[l.s.last()].locus)
	case byFamily:
		if i := slices.Index(l.s.Labels, c.family); i >= 0 {
			return i
		}
		return slices.Index(l.s.Labels, otherFamily)
	case byLength:
		n := len(c.parts[cdr3])
		return slices.IndexFunc(l.s.Bins, func(b [2]int) bool { return span(b).holds(n) })
	}
	return -1
}
