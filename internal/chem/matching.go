package chem

// A matching pairs atoms along bonds, each atom at most once. Grown by augmenting paths through blossoms (Edmonds 1965),
// so odd rings are no obstacle.
type matching struct {
	next [][]int // atoms that an atom may be paired with
	mate []int   // -1: free
	kept []bool  // atoms that augment leaves as they are

	// Of the search in augment.
	before  []int // the atom from which an atom at odd distance was reached
	base    []int // the atom that stands for the blossom an atom is in
	even    []bool
	blossom []bool
	seen    []bool
	queue   []int
}

func newMatching(n int) *matching {
	g := &matching{next: make([][]int, n), mate: make([]int, n), kept: make([]bool, n), before: make([]int, n), base: make([]int, n),
		even: make([]bool, n), blossom: make([]bool, n), seen: make([]bool, n)}
	for i := range g.mate {
		g.mate[i] = -1
	}
	return g
}

func (g *matching) join(i, j int) {
	g.next[i] = append(g.next[i], j)
	g.next[j] = append(g.next[j], i)
}

// greedy pairs free atoms with a free neighbour, those with the fewest choices first: in chains and most ring systems
// nothing is left for augment.
func (g *matching) greedy() {
	choices := make([]int, len(g.next))
	var few []int // atoms with one choice
	for i, list := range g.next {
		choices[i] = len(list)
		if len(list) == 1 {
			few = append(few, i)
		}
	}
	pair := func(i int) {
		for _, j := range g.next[i] {
			if g.mate[j] >= 0 {
				continue
			}
			g.mate[i], g.mate[j] = j, i
			for _, k := range append(append([]int(nil), g.next[i]...), g.next[j]...) {
				if choices[k]--; choices[k] == 1 {
					few = append(few, k)
				}
			}
			return
		}
	}
	for i := range g.next {
		for len(few) > 0 {
			k := few[len(few)-1]
			few = few[:len(few)-1]
			if g.mate[k] < 0 {
				pair(k)
			}
		}
		if g.mate[i] < 0 {
			pair(i)
		}
	}
}

// augment pairs one more atom beside the free atom root, changing pairs as needed, and says whether that can be done.
func (g *matching) augment(root int) bool {
	for i := range g.base {
		g.before[i], g.base[i], g.even[i] = -1, i, false
	}
	g.even[root] = true
	g.queue = append(g.queue[:0], root)
	for head := 0; head < len(g.queue); head++ {
		v := g.queue[head]
		for _, w := range g.next[v] {
			if g.kept[w] || g.base[v] == g.base[w] || g.mate[v] == w {
				continue
			}
			if w == root || g.mate[w] >= 0 && g.before[g.mate[w]] >= 0 {
				g.contract(v, w)
				continue
			}
			if g.before[w] >= 0 {
				continue
			}
			g.before[w] = v
			if g.mate[w] < 0 {
				g.flip(w)
				return true
			}
			g.even[g.mate[w]] = true
			g.queue = append(g.queue, g.mate[w])
		}
	}
	return false
}

// force pairs i with j, which are paired with others, and those anew. It says whether that can be done, and changes nothing
// otherwise.
func (g *matching) force(i, j int) bool {
	a, b := g.mate[i], g.mate[j]
	keptI, keptJ := g.kept[i], g.kept[j]
	g.mate[a], g.mate[b] = -1, -1
	g.mate[i], g.mate[j] = j, i
	g.kept[i], g.kept[j] = true, true
	done := g.augment(a)
	g.kept[i], g.kept[j] = keptI, keptJ
	if !done {
		g.mate[i], g.mate[j], g.mate[a], g.mate[b] = a, b, i, j
	}
	return done
}

// flip swaps paired and unpaired bonds on the path that ends at the free atom w.
func (g *matching) flip(w int) {
	for w >= 0 {
		v := g.before[w]
		after := g.mate[v]
		g.mate[w], g.mate[v] = v, w
		w = after
	}
}

// contract makes one blossom of the odd ring that the bond between v and w closes.
func (g *matching) contract(v, w int) {
	top := g.common(v, w)
	for i := range g.blossom {
		g.blossom[i] = false
	}
	g.mark(v, top, w)
	g.mark(w, top, v)
	for i := range g.base {
		if g.blossom[g.base[i]] {
			g.base[i] = top
			if !g.even[i] {
				g.even[i] = true
				g.queue = append(g.queue, i)
			}
		}
	}
}

func (g *matching) mark(v, top, child int) {
	for g.base[v] != top {
		g.blossom[g.base[v]], g.blossom[g.base[g.mate[v]]] = true, true
		g.before[v] = child
		child = g.mate[v]
		v = g.before[g.mate[v]]
	}
}

// common is the base at which the paths from v and w to the root meet.
func (g *matching) common(v, w int) int {
	for i := range g.seen {
		g.seen[i] = false
	}
	for {
		v = g.base[v]
		g.seen[v] = true
		if g.mate[v] < 0 {
			break
		}
		v = g.before[g.mate[v]]
	}
	for {
		w = g.base[w]
		if g.seen[w] {
			return w
		}
		w = g.before[g.mate[w]]
	}
}
