package antibody

import (
	"context"
	"fmt"
	"runtime"
	"sync"
)

// A domain counts as whole when it begins by column 3 and ends no earlier than column 126: two residues may be missing
// at either end, as they are in many reads.
const (
	latestStart = 3
	earliestEnd = 126
)

// whole says whether the domain is complete in that sense, with residues in the columns that its loops hang on.
func (n *numbering) whole() bool {
	if !n.found || n.columns[22] == 0 || n.columns[103] == 0 || n.columns[117] == 0 {
		return false
	}
	begins, ends := false, false
	for c := range latestStart {
		begins = begins || n.columns[c] != 0
	}
	for c := earliestEnd - 1; c < imgtColumns; c++ {
		ends = ends || n.columns[c] != 0
	}
	return begins && ends
}

// place numbers the chains whose regions the input does not give. Each record's outcome hangs on itself alone, so that
// the number of workers does not show.
func (l *loader) place(ctx context.Context) error {
	todo := make(chan *record)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for r := range todo {
				r.place()
			}
		})
	}
	for i := range l.records {
		if i%256 == 0 && ctx.Err() != nil {
			break
		}
		todo <- &l.records[i]
	}
	close(todo)
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("antibody: loading stopped: %w", err)
	}
	trimmed, foreign := 0, 0
	for i := range l.records {
		for s := range l.records[i].chain {
			c := &l.records[i].chain[s]
			if c.trimmed {
				trimmed++
			}
			if c.foreign {
				foreign++
			}
		}
	}
	if trimmed > 0 {
		l.note("%d chains cut to their variable domain", trimmed)
	}
	if foreign > 0 {
		l.note("%d chains are of the other kind than their column says", foreign)
	}
	return l.pairCells()
}

// place numbers the record's chains, and moves a single one to its side.
func (r *record) place() {
	for s := range sides {
		c := &r.chain[s]
		if c.seq == "" || c.placed {
			continue
		}
		n := c.number()
		if !n.whole() {
			continue
		}
		is := light
		if loci[n.locus] == loci[0] {
			is = heavy
		}
		if is != s && !r.single {
			c.foreign = true
			continue
		}
		c.trimmed = c.trimmed || n.last-n.first < len(c.seq)
		c.seq = c.seq[n.first:n.last]
		c.parts, c.placed, c.locus = n.parts, true, loci[n.locus]
		if c.family == "" || c.family[:3] != c.locus {
			c.family = familyOf(n.gene)
		}
		if is != s {
			r.chain[is], r.chain[s] = *c, chain{}
		}
		if r.single {
			return
		}
	}
}

// number aligns the chain; nucleotides are translated first, and seq is the open reading frame with the best score then.
func (c *chain) number() *numbering {
	if !c.nucleotides {
		return numberChain(c.seq)
	}
	best := new(numbering)
	var seq string
	for _, frame := range openFrames(c.seq) {
		if n := numberChain(frame); n.bits > best.bits {
			best, seq = n, frame
		}
	}
	c.seq, c.trimmed = seq, true
	return best
}

// pairCells joins the single chains of one cell, when it has one heavy and one light chain.
func (l *loader) pairCells() error {
	if l.chains == heavy.String() || l.chains == light.String() {
		return nil
	}
	type cell struct {
		at [sides]int // index of the record, from 1
		n  [sides]int
	}
	cells := make(map[string]*cell)
	for i := range l.records {
		r := &l.records[i]
		if r.cell == "" {
			continue
		}
		c := cells[r.cell]
		if c == nil {
			c = new(cell)
			cells[r.cell] = c
		}
		for s := range sides {
			if r.chain[s].placed {
				c.n[s]++
				c.at[s] = i + 1
			}
		}
	}
	kept, other, apart := make([]record, 0, len(l.records)), make(map[string]bool), make(map[string]bool)
	for i, r := range l.records {
		if c := cells[r.cell]; r.cell != "" {
			if c.n != [sides]int{1, 1} {
				other[r.cell] = true
			} else if l.records[c.at[heavy]-1].split != l.records[c.at[light]-1].split {
				apart[r.cell] = true
			} else if c.at[light] == i+1 {
				continue // the heavy chain's record has it
			} else {
				r.chain[light] = l.records[c.at[light]-1].chain[light]
			}
		}
		kept = append(kept, r)
	}
	if l.records = kept; len(other) > 0 {
		l.note("%d cells without exactly one heavy and one light chain are not paired", len(other))
	}
	if len(apart) > 0 {
		l.note("%d cells whose chains are in different parts of the split are not paired", len(apart))
	}
	return nil
}
