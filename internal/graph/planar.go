package graph

import "slices"

// IsPlanar says whether g can be drawn without crossings: the left-right test (de Fraysseix and Rosenstiehl 1982, in the form
// of Brandes, The left-right planarity test, 2009), in time proportional to the nodes but for sorting.
//
// A depth-first search orients the edges: tree edges away from the root, all others back towards it. Returning edges
// are to lie on the left or the right of the tree such that edges which would cross on one side lie on different ones.
// The second search builds these constraints and fails at the first contradiction.
func (g *Graph) IsPlanar() bool {
	if g.N < 5 {
		return true
	}
	if len(g.Edges) > 3*g.N-6 {
		return false
	}
	t := newLeftRight(g)
	for v := range g.N {
		if t.height[v] < 0 {
			t.height[v] = 0
			t.orient(v)
		}
	}
	for v := range g.N {
		slices.SortStableFunc(t.out[v], func(a, b int) int { return t.nesting[a] - t.nesting[b] })
	}
	for v := range g.N {
		if t.parent[v] == none && !t.test(v) {
			return false
		}
	}
	return true
}

const none = -1

// A leftRight is the state of one test. Edges are known by their place in the graph.
type leftRight struct {
	edges    []Edge
	to       []int   // by edge: the end that its direction points to
	from     []int   // by edge: the other
	incident [][]int // by node: its edges
	out      [][]int // by node: the edges that leave it
	height   []int   // by node: steps from its root, -1 before the first search
	parent   []int   // by node: the tree edge that enters it, or none

	low, low2 []int // by edge: the lowest heights that it returns to, itself or from the subtree behind it
	nesting   []int // by edge: its order among the edges that leave its node
	lowEdge   []int // by edge: the returning edge that reaches low
	ref       []int // by returning edge: the next lower one of its interval, or none
	bottom    []int // by edge: the height of the stack before it
	stack     []conflict
}

// An interval is a chain of returning edges on one side, from the one that returns highest to the lowest along ref.
type interval struct{ low, high int }

func (i interval) empty() bool { return i.low == none && i.high == none }

// A conflict is two intervals that must lie on different sides.
type conflict struct{ left, right interval }

func newLeftRight(g *Graph) *leftRight {
	ints := func(n, fill int) []int {
		s := make([]int, n)
		for i := range s {
			s[i] = fill
		}
		return s
	}
	m := len(g.Edges)
	t := &leftRight{edges: g.Edges, to: ints(m, none), from: ints(m, none), incident: make([][]int, g.N), out: make([][]int, g.N),
		height: ints(g.N, -1), parent: ints(g.N, none), low: ints(m, 0), low2: ints(m, 0), nesting: ints(m, 0),
		lowEdge: ints(m, none), ref: ints(m, none), bottom: ints(m, 0)}
	for i, e := range g.Edges {
		t.incident[e.U] = append(t.incident[e.U], i)
		t.incident[e.V] = append(t.incident[e.V], i)
	}
	return t
}

// A frame is a node whose edges are being followed; searches keep their own stack, as a path may have a million nodes.
type frame struct{ node, next int }

// orient is the first search. It finds directions, heights, what edges return to, and their nesting.
func (t *leftRight) orient(root int) {
	frames := []frame{{root, 0}}
	for len(frames) > 0 {
		f := &frames[len(frames)-1]
		v := f.node
		if f.next == len(t.incident[v]) {
			frames = frames[:len(frames)-1]
			if e := t.parent[v]; e != none {
				t.finish(e)
			}
			continue
		}
		e := t.incident[v][f.next]
		f.next++
		if t.to[e] != none {
			continue
		}
		w := t.edges[e].U + t.edges[e].V - v // the other end
		t.from[e], t.to[e] = v, w
		t.out[v] = append(t.out[v], e)
		t.low[e], t.low2[e] = t.height[v], t.height[v]
		if t.height[w] < 0 {
			t.parent[w], t.height[w] = e, t.height[v]+1
			frames = append(frames, frame{w, 0})
			continue
		}
		t.low[e] = t.height[w]
		t.finish(e)
	}
}

// finish sets the nesting of an edge whose returns are known, and adds them to those of the edge before it.
func (t *leftRight) finish(e int) {
	v := t.from[e]
	t.nesting[e] = 2 * t.low[e]
	if t.low2[e] < t.height[v] { // it also returns elsewhere
		t.nesting[e]++
	}
	p := t.parent[v]
	switch {
	case p == none:
	case t.low[e] < t.low[p]:
		t.low2[p] = min(t.low[p], t.low2[e])
		t.low[p] = t.low[e]
	case t.low[e] > t.low[p]:
		t.low2[p] = min(t.low2[p], t.low[e])
	default:
		t.low2[p] = min(t.low2[p], t.low2[e])
	}
}

// test is the second search.
func (t *leftRight) test(root int) bool {
	frames := []frame{{root, 0}}
	for len(frames) > 0 {
		f := &frames[len(frames)-1]
		v := f.node
		if f.next > 0 && !t.integrate(v, t.out[v][f.next-1], f.next == 1) {
			return false
		}
		if f.next == len(t.out[v]) {
			frames = frames[:len(frames)-1]
			if t.parent[v] != none {
				t.trim(t.from[t.parent[v]])
			}
			continue
		}
		e := t.out[v][f.next]
		f.next++
		t.bottom[e] = len(t.stack)
		if w := t.to[e]; t.parent[w] == e {
			frames = append(frames, frame{w, 0})
		} else {
			t.lowEdge[e] = e
			t.stack = append(t.stack, conflict{interval{none, none}, interval{e, e}})
		}
	}
	return true
}

// integrate adds the constraints between an edge that leaves v and those that left it before.
func (t *leftRight) integrate(v, e int, first bool) bool {
	p := t.parent[v]
	switch {
	case t.low[e] >= t.height[v]: // returns no lower than v
		return true
	case first:
		t.lowEdge[p] = t.lowEdge[e]
		return true
	}
	return t.constrain(e, p)
}

func (t *leftRight) pop() conflict {
	c := t.stack[len(t.stack)-1]
	t.stack = t.stack[:len(t.stack)-1]
	return c
}

// constrain brings all that returns by e to one side, and what conflicts with it, of the edges before, to the other. p is
// the tree edge before them.
func (t *leftRight) constrain(e, p int) bool {
	merged := conflict{interval{none, none}, interval{none, none}}
	for len(t.stack) > t.bottom[e] {
		q := t.pop()
		if !q.left.empty() {
			q.left, q.right = q.right, q.left
		}
		if !q.left.empty() {
			return false
		}
		if t.low[q.right.low] > t.low[p] {
			t.prepend(&merged.right, q.right)
		} else { // returns to the lowest of all, beside the edge that does so first
			t.ref[q.right.low] = t.lowEdge[p]
		}
	}
	for len(t.stack) > 0 {
		q := t.stack[len(t.stack)-1]
		if !t.conflicts(q.left, e) && !t.conflicts(q.right, e) {
			break
		}
		t.pop()
		if t.conflicts(q.right, e) {
			q.left, q.right = q.right, q.left
		}
		if t.conflicts(q.right, e) {
			return false
		}
		if merged.right.low != none {
			t.ref[merged.right.low] = q.right.high
		}
		if q.right.low != none {
			merged.right.low = q.right.low
		}
		t.prepend(&merged.left, q.left)
	}
	if !merged.left.empty() || !merged.right.empty() {
		t.stack = append(t.stack, merged)
	}
	return true
}

// prepend puts an interval below i.
func (t *leftRight) prepend(i *interval, lower interval) {
	if i.empty() {
		i.high = lower.high
	} else {
		t.ref[i.low] = lower.high
	}
	i.low = lower.low
}

// conflicts says whether edges of the interval return higher than e.
func (t *leftRight) conflicts(i interval, e int) bool {
	return !i.empty() && t.low[i.high] > t.low[e]
}

// lowest is the lowest height that the edges of a conflict return to.
func (t *leftRight) lowest(c conflict) int {
	switch {
	case c.left.empty():
		return t.low[c.right.low]
	case c.right.empty():
		return t.low[c.left.low]
	}
	return min(t.low[c.left.low], t.low[c.right.low])
}

// trim removes the edges that return to u, where the search is going back to.
func (t *leftRight) trim(u int) {
	for len(t.stack) > 0 && t.lowest(t.stack[len(t.stack)-1]) == t.height[u] {
		t.pop()
	}
	if len(t.stack) == 0 {
		return
	}
	c := &t.stack[len(t.stack)-1]
	t.shorten(&c.left, c.right, u)
	t.shorten(&c.right, c.left, u)
}

// shorten takes the edges that return to u off the high end of an interval.
func (t *leftRight) shorten(i *interval, other interval, u int) {
	for i.high != none && t.to[i.high] == u {
		i.high = t.ref[i.high]
	}
	if i.high == none && i.low != none {
		t.ref[i.low] = other.low
		i.low = none
	}
}
