package antibody

import (
	"math"
	"sync"
)

// edge is the price of an alignment that begins after the first column or ends before the last, a
// first residue that is only unusual is then aligned all the same.
const edge = -1500 << tagBits

// Scores inside align and in a profile are hundredths of a bit, shifted left by tagBits.
const (
	tagBits = 2
	tagMask = 1<<tagBits - 1
)

// States of the model in the column of a cell.
const (
	stateM = iota
	stateI
	stateD
	stateBegin // in the trace only: the alignment begins here
)

// never is a score that no path reaches, with room for additions.
const never = math.MinInt32 / 2 &^ tagMask

// An alignment places residues of a sequence on the columns of a profile.
type alignment struct {
	score int32 // hundredths of a bit
	// place is for each residue the column from 0, with `inserted` set for one that follows the column as an insertion,
	// or `outside` for one before or behind the domain.
	place []int16
}

const (
	inserted = 1 << 8
	outside  = -1
)

// A matrix holds the trace of an alignment: for each residue and column two bits a state that say where the best path
// into it came from.
type matrix struct{ trace []uint8 }

var matrices = sync.Pool{New: func() any { return new(matrix) }}

// align finds the best path of seq, symbols below `residues`, through the profile (Viterbi). Residues before and behind
// it cost nothing; the path may begin and end in any column for the price of edge. It always finds one when there is a
// residue, be its score ever so low.
func (p *profile) align(seq []uint8) alignment {
	m := matrices.Get().(*matrix)
	defer matrices.Put(m)
	if n := len(seq) * imgtColumns; cap(m.trace) < n {
		m.trace = make([]uint8, n)
	}
	// Scores by column of the residues up to the one before. All scores are shifted left by tagBits; the maxima below
	// bring along the state that they came from in the bits that this frees, which spares the branches.
	var rowM, rowI, rowD [imgtColumns]int32
	for c := range imgtColumns {
		rowM[c], rowI[c], rowD[c] = never, never, never
	}
	best, bestI, bestC := int32(never), -1, 0
	for i, k := range seq {
		trace := (*[imgtColumns]uint8)(m.trace[i*imgtColumns:])
		emit := &p.emit[k]
		// What the column before offers: to a match, from the residue before; to a deletion, from this residue.
		match, del := int32(stateBegin), int32(never)
		for c := range imgtColumns {
			t := &p.moves[c]
			oldM, oldI, oldD := rowM[c], rowI[c], rowD[c]
			// An insertion of residue i behind column c scores nothing for its residue.
			ins := max(oldM+t.mi, oldI+t.ii, never)
			trace[c] = uint8(match&tagMask | ins&tagMask<<2 | del&tagMask<<4)
			curM, curD := match&^tagMask+emit[c], del&^tagMask
			rowM[c], rowI[c], rowD[c] = curM, ins&^tagMask, curD
			if end := curM + edge; end > best {
				best, bestI, bestC = end, i, c
			}
			match = max(edge|stateBegin, oldM+t.mm, oldI+t.im, oldD+t.dm)
			del = max(curM+t.md, curD+t.dd, never)
		}
		// A path may end with the last column for nothing, be it passed over.
		if end := rowM[imgtColumns-1]; end > best {
			best, bestI, bestC = end, i, imgtColumns-1
		}
		if end := rowD[imgtColumns-1]; end > best {
			best, bestI, bestC = end, i, imgtColumns
		}
	}
	a := alignment{score: best >> tagBits, place: make([]int16, len(seq))}
	for i := range a.place {
		a.place[i] = outside
	}
	state, i, c := uint8(stateM), bestI, bestC
	if c == imgtColumns {
		state, c = stateD, c-1
	}
	for i >= 0 && state != stateBegin {
		t := m.trace[i*imgtColumns+c]
		switch state {
		case stateM:
			a.place[i] = int16(c)
			state = t & 3
			i--
			c--
		case stateI:
			a.place[i] = int16(c) | inserted
			state = t >> 2 & 3
			i--
		default:
			state = t >> 4 & 3
			c--
		}
	}
	return a
}
