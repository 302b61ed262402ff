package graphs

import (
	"cmp"
	"slices"

	"pfgmgen/internal/graph"
)

// A partition is an ordered partition of the nodes that refine makes equitable: nodes of one cell have equally many edges
// of each type into every cell. Cells are ranges of at, named by their first place, so their order depends on the graph
// up to isomorphism alone, and it is kept by refining (McKay, Practical graph isomorphism, 1981).
type partition struct {
	arcs   [][]arc
	at     []int // the nodes, cell by cell
	place  []int // by node: where it stands in at
	cell   []int // by node: the first place of its cell
	end    []int // by first place of a cell: the place after its last
	queue  []int // cells to split by, first places
	queued []bool
	weight []uint64 // by node: edges into the splitter; all zero between the rounds of refine
	left   *int     // work that may still be done, shared with clones; refine does nothing below 0
}

// maxWork bounds the work on one graph, in visits of edges and nodes: some tenths of a second. Molecules take
// 20,000 and the block model of 200 nodes 600,000. What goes over it is dense or regular and has hundreds of nodes, such
// as complete graphs and cycles, and would take minutes.
const maxWork = 1 << 24

// sorting is the work of sorting a node, in visits.
const sorting = 8

// An arc is an edge seen from one end.
type arc struct {
	to     int
	weight uint64
}

// mix is the finaliser of SplitMix64, a bijection that spreads small numbers.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// newPartition orders the nodes by degree, then label, and refines.
func newPartition(g *graph.Graph) *partition {
	p := &partition{
		arcs: make([][]arc, g.N), at: make([]int, g.N), place: make([]int, g.N), cell: make([]int, g.N),
		end: make([]int, g.N), queued: make([]bool, g.N), weight: make([]uint64, g.N), left: new(int),
	}
	*p.left = maxWork
	for _, e := range g.Edges {
		w := mix(uint64(e.Type))>>16 | 1 // sums of fewer than 2^16 of them neither overflow nor vanish
		p.arcs[e.U] = append(p.arcs[e.U], arc{e.V, w})
		p.arcs[e.V] = append(p.arcs[e.V], arc{e.U, w})
	}
	for i := range p.at {
		p.at[i] = i
		p.weight[i] = uint64(len(p.arcs[i])) << 8
		if g.Labels != nil {
			p.weight[i] |= uint64(g.Labels[i])
		}
	}
	if g.N > 0 {
		p.split(0, g.N, true)
	}
	clear(p.weight)
	p.refine()
	return p
}

// split orders the cell at places from to end by weight, cuts it where the weight changes, and queues the parts. A cell
// that stays whole is queued only the first time.
func (p *partition) split(from, end int, first bool) {
	members := p.at[from:end]
	*p.left -= sorting * len(members)
	slices.SortFunc(members, func(a, b int) int { return cmp.Compare(p.weight[a], p.weight[b]) })
	if !first && p.weight[members[0]] == p.weight[members[len(members)-1]] {
		return
	}
	start := from
	for i, v := range members {
		if i > 0 && p.weight[v] != p.weight[members[i-1]] {
			p.close(start, from+i)
			start = from + i
		}
		p.place[v], p.cell[v] = from+i, start
	}
	p.close(start, end)
}

// close ends a cell and queues it.
func (p *partition) close(start, end int) {
	p.end[start] = end
	if !p.queued[start] {
		p.queued[start] = true
		p.queue = append(p.queue, start)
	}
}

// spent says whether the work is over its bound.
func (p *partition) spent() bool { return *p.left < 0 }

// refine splits cells until all are equitable, or the work is spent: a point that depends on the graph up to isomorphism
// alone, so that cells still do.
func (p *partition) refine() {
	var touched, cells []int
	for len(p.queue) > 0 && !p.spent() {
		s := p.queue[0]
		p.queue = p.queue[1:]
		p.queued[s] = false
		touched, cells = touched[:0], cells[:0]
		for _, u := range p.at[s:p.end[s]] {
			*p.left -= len(p.arcs[u])
			for _, a := range p.arcs[u] {
				if p.weight[a.to] == 0 {
					touched = append(touched, a.to)
					cells = append(cells, p.cell[a.to])
				}
				p.weight[a.to] += a.weight
			}
		}
		slices.Sort(cells)
		for _, c := range slices.Compact(cells) {
			if p.end[c]-c > 1 {
				p.split(c, p.end[c], false)
			}
		}
		for _, v := range touched {
			p.weight[v] = 0
		}
	}
	for _, c := range p.queue {
		p.queued[c] = false
	}
	p.queue = nil
}

// individualise makes v the first cell of its own cell, and refines.
func (p *partition) individualise(v int) {
	c := p.cell[v]
	end := p.end[c]
	if end-c == 1 {
		return
	}
	first := p.at[c]
	p.at[c], p.at[p.place[v]] = v, first
	p.place[first], p.place[v] = p.place[v], c
	for _, u := range p.at[c+1 : end] {
		p.cell[u] = c + 1
	}
	p.end[c+1] = end
	p.close(c, c+1)
	p.refine()
}

// clone is a copy that shares the edges and the work left.
func (p *partition) clone() *partition {
	*p.left -= len(p.at)
	return &partition{
		arcs: p.arcs, at: slices.Clone(p.at), place: slices.Clone(p.place), cell: slices.Clone(p.cell),
		end: slices.Clone(p.end), queued: slices.Clone(p.queued), weight: slices.Clone(p.weight), left: p.left,
	}
}

// target is the first of the smallest cells of several nodes, or -1 when there is none.
func (p *partition) target() int {
	best := -1
	for c := 0; c < len(p.at); c = p.end[c] {
		if size := p.end[c] - c; size > 1 && (best < 0 || size < p.end[best]-best) {
			best = c
		}
	}
	return best
}
