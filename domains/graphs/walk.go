package graphs

import "math/bits"

// A walker finds distances. Its sets of nodes are bits, so that all pairs of a complete graph of 1,024 nodes take a tenth of
// a second.
type walker struct {
	near               [][]uint64 // the neighbours of each node
	seen, border, next []uint64
}

func newWalker(arcs [][]arc) *walker {
	words := (len(arcs) + 63) / 64
	w := &walker{near: make([][]uint64, len(arcs)), seen: make([]uint64, words), border: make([]uint64, words), next: make([]uint64, words)}
	for v, list := range arcs {
		w.near[v] = make([]uint64, words)
		for _, a := range list {
			w.near[v][a.to/64] |= 1 << (a.to % 64)
		}
	}
	return w
}

// walk calls visit for each node that can be reached from v and its distance, v first, then in rising order of distance.
func (w *walker) walk(v int, visit func(distance, u int)) {
	clear(w.seen)
	clear(w.border)
	w.border[v/64] = 1 << (v % 64)
	for distance, more := 0, true; more; distance++ {
		more = false
		clear(w.next)
		for i, word := range w.border {
			w.seen[i] |= word
			for ; word != 0; word &= word - 1 {
				u := 64*i + bits.TrailingZeros64(word)
				visit(distance, u)
				for j, near := range w.near[u] {
					w.next[j] |= near
				}
			}
		}
		for i := range w.next {
			w.next[i] &^= w.seen[i]
			more = more || w.next[i] != 0
		}
		w.border, w.next = w.next, w.border
	}
}

// common is the number of neighbours that u and v share.
func (w *walker) common(u, v int) (n int) {
	for i, x := range w.near[u] {
		n += bits.OnesCount64(x & w.near[v][i])
	}
	return n
}
