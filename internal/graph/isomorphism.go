package graph

import (
	"cmp"
	"errors"
	"slices"
)

// mix is the finaliser of SplitMix64 (Steele, Lea and Flood 2014), a bijection that spreads small numbers. Hash depends on
// it: it never changes.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// A colouring gives nodes colours that depend on the graph up to isomorphism alone.
type colouring struct {
	g      *Graph
	first  []int // by node: where its arcs begin; one more than the nodes
	to     []int
	weight []uint64 // of arcs: the hash of the edge type
	colour []uint64
	next   []uint64
	sorted []uint64 // the colours in rising order
}

func newColouring(g *Graph) *colouring {
	c := &colouring{g: g, first: make([]int, g.N+1), to: make([]int, 2*len(g.Edges)), weight: make([]uint64, 2*len(g.Edges)),
		colour: make([]uint64, g.N), next: make([]uint64, g.N), sorted: make([]uint64, g.N)}
	for v, d := range g.Degrees() {
		c.first[v+1] = c.first[v] + d
	}
	at := slices.Clone(c.first)
	for _, e := range g.Edges {
		w := mix(uint64(e.Type))
		c.to[at[e.U]], c.weight[at[e.U]] = e.V, w
		c.to[at[e.V]], c.weight[at[e.V]] = e.U, w
		at[e.U]++
		at[e.V]++
	}
	for v := range c.colour {
		c.colour[v] = mix(0)
		if g.Labels != nil {
			c.colour[v] = mix(uint64(g.Labels[v]))
		}
	}
	return c
}

// distinct sorts the colours into sorted and counts them.
func (c *colouring) distinct() int {
	copy(c.sorted, c.colour)
	slices.Sort(c.sorted)
	n := 0
	for i, x := range c.sorted {
		if i == 0 || x != c.sorted[i-1] {
			n++
		}
	}
	return n
}

// refine replaces the colour of each node by one that also tells the colours of its neighbours and the types of the edges
// to them, until a round makes no more colours (Weisfeiler and Leman 1968). It returns the number of colours and rounds.
func (c *colouring) refine() (colours, rounds int) {
	colours = c.distinct()
	for {
		rounds++
		for v := range c.colour {
			sum := uint64(0)
			for i := c.first[v]; i < c.first[v+1]; i++ {
				sum += mix(c.colour[c.to[i]] + c.weight[i])
			}
			c.next[v] = mix(mix(c.colour[v]) + sum)
		}
		c.colour, c.next = c.next, c.colour
		n := c.distinct()
		if n <= colours {
			return n, rounds
		}
		colours = n
	}
}

// Hash is equal for isomorphic graphs, labels and edge types included; no labels count as labels that are all 0. Different
// graphs have different hashes, but for those that colour refinement cannot tell apart (such as regular graphs of one
// size and degree) and for chance, 2^-64 a pair. The value is for ever: it may be stored.
//
// Definition, all sums modulo 2^64: mix is the finaliser of SplitMix64; a node's colour is mix(label) at first, and after
// a round mix(mix(its colour) + the sum over its edges of mix(colour at the other end + mix(type))). Rounds go on until
// one does not raise the number of different colours. The hash is mix(mix(nodes) + the sum over nodes of mix(colour)).
func (g *Graph) Hash() uint64 {
	c := newColouring(g)
	c.refine()
	sum := mix(uint64(g.N))
	for _, x := range c.colour {
		sum += mix(x)
	}
	return mix(sum)
}

// ErrUndecided says that a search ended at its limit.
var ErrUndecided = errors.New("graph: isomorphism not decided within the limit")

// maxVisits limits one test of isomorphism, in visits of nodes and arcs, to about a second. Graphs of hundreds of nodes
// need thousands; only strongly regular and made-up ones come near.
const maxVisits = 1 << 26

// Isomorphic says whether the nodes of g can be renamed to give h, labels and edge types included; no labels count as
// labels that are all 0. The answer is exact. The error is ErrUndecided or nil.
//
// Nodes of one colour are told apart by giving one of g and, in turn, each of h a colour of its own and refining again.
func Isomorphic(g, h *Graph) (bool, error) {
	if g.N != h.N || len(g.Edges) != len(h.Edges) {
		return false, nil
	}
	p := &pairing{a: newColouring(g), b: newColouring(h), left: maxVisits}
	return p.search()
}

type pairing struct {
	a, b *colouring
	left int // visits
}

// search says whether a bijection that keeps the colours is an isomorphism. It changes the colours.
func (p *pairing) search() (bool, error) {
	n, rounds := p.a.refine()
	m, more := p.b.refine()
	p.left -= (rounds + more) * (1 + p.a.g.N + len(p.a.to))
	if n != m || !slices.Equal(p.a.sorted, p.b.sorted) {
		return false, nil
	}
	if p.tryInOrder() {
		return true, nil
	}
	if n == p.a.g.N { // the only bijection was no isomorphism: two colours collided
		return false, nil
	}
	target := smallest(p.a.sorted)
	colours := [2][]uint64{slices.Clone(p.a.colour), slices.Clone(p.b.colour)}
	u := slices.Index(colours[0], target)
	for v, c := range colours[1] {
		if c != target {
			continue
		}
		if p.left < 0 {
			return false, ErrUndecided
		}
		copy(p.a.colour, colours[0])
		copy(p.b.colour, colours[1])
		p.a.colour[u], p.b.colour[v] = mix(^target), mix(^target)
		if same, err := p.search(); same || err != nil {
			return same, err
		}
	}
	return false, nil
}

// smallest is the colour that the fewest nodes have, but two or more.
func smallest(sorted []uint64) uint64 {
	best, size := uint64(0), len(sorted)+1
	for i := 0; i < len(sorted); {
		j := i
		for j < len(sorted) && sorted[j] == sorted[i] {
			j++
		}
		if j-i > 1 && j-i < size {
			best, size = sorted[i], j-i
		}
		i = j
	}
	return best
}

// tryInOrder pairs nodes of a colour in their order and says whether that is an isomorphism.
func (p *pairing) tryInOrder() bool {
	g, h := p.a.g, p.b.g
	from, to := p.a.order(), p.b.order()
	image := make([]int, g.N)
	for i, v := range from {
		image[v] = to[i]
		if g.label(v) != h.label(to[i]) {
			return false
		}
	}
	edges := make([]Edge, len(g.Edges))
	for i, e := range g.Edges {
		edges[i] = Edge{min(image[e.U], image[e.V]), max(image[e.U], image[e.V]), e.Type}
	}
	slices.SortFunc(edges, compareEdges)
	p.left -= g.N + len(edges)
	return slices.Equal(edges, h.Edges)
}

// order lists the nodes by colour, then number.
func (c *colouring) order() []int {
	nodes := make([]int, c.g.N)
	for v := range nodes {
		nodes[v] = v
	}
	slices.SortStableFunc(nodes, func(u, v int) int { return cmp.Compare(c.colour[u], c.colour[v]) })
	return nodes
}

func (g *Graph) label(v int) uint8 {
	if g.Labels == nil {
		return 0
	}
	return g.Labels[v]
}

// An Index numbers graphs by isomorphism class. The zero value is empty.
type Index struct {
	byHash map[uint64][]int
	first  []*Graph
}

// Find returns the class of g, or -1 when no graph of the index is isomorphic.
func (x *Index) Find(g *Graph) (int, error) {
	for _, class := range x.byHash[g.Hash()] {
		if same, err := Isomorphic(g, x.first[class]); same || err != nil {
			return class, err
		}
	}
	return -1, nil
}

// Add returns the class of g, a new one when no graph was isomorphic, which is the number of classes before. On
// ErrUndecided the index stays as it was.
func (x *Index) Add(g *Graph) (class int, err error) {
	if class, err = x.Find(g); class >= 0 || err != nil {
		return class, err
	}
	if x.byHash == nil {
		x.byHash = make(map[uint64][]int)
	}
	class = len(x.first)
	x.first = append(x.first, g)
	h := g.Hash()
	x.byHash[h] = append(x.byHash[h], class)
	return class, nil
}

// Len is the number of classes.
func (x *Index) Len() int { return len(x.first) }
