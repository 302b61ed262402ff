package graph

import (
	"math"
	"slices"
)

// Degrees are the numbers of neighbours.
func (g *Graph) Degrees() []int {
	degrees := make([]int, g.N)
	for _, e := range g.Edges {
		degrees[e.U]++
		degrees[e.V]++
	}
	return degrees
}

// Density is the share of the pairs of nodes that are joined, 0 with fewer than two nodes.
func (g *Graph) Density() float64 {
	if g.N < 2 {
		return 0
	}
	return 2 * float64(len(g.Edges)) / (float64(g.N) * float64(g.N-1))
}

// Components are the connected components, the largest first, those of one size by their first node. The nodes of each
// are in rising order.
func (g *Graph) Components() [][]int {
	neighbours, seen := g.Neighbours(), make([]bool, g.N)
	var all [][]int
	for start := range g.N {
		if seen[start] {
			continue
		}
		seen[start] = true
		nodes := []int{start}
		for next := 0; next < len(nodes); next++ {
			for _, w := range neighbours[nodes[next]] {
				if !seen[w] {
					seen[w] = true
					nodes = append(nodes, w)
				}
			}
		}
		slices.Sort(nodes)
		all = append(all, nodes)
	}
	slices.SortStableFunc(all, func(a, b []int) int { return len(b) - len(a) })
	return all
}

// IsConnected says whether a path joins every two nodes. The empty graph is not connected.
func (g *Graph) IsConnected() bool {
	return g.N > 0 && len(g.Edges) >= g.N-1 && len(g.Components()) == 1
}

// IsTree says whether g is connected and has no cycle. One node is a tree, none is not.
func (g *Graph) IsTree() bool { return len(g.Edges) == g.N-1 && g.IsConnected() }

// IsLobster says whether g is a tree that becomes a path, or nothing, when its leaves are taken away twice. Paths and
// caterpillars are lobsters.
func (g *Graph) IsLobster() bool {
	if !g.IsTree() {
		return false
	}
	neighbours, degree := g.Neighbours(), g.Degrees()
	gone := make([]bool, g.N)
	for range 2 {
		var leaves []int
		for v := range g.N {
			if !gone[v] && degree[v] <= 1 {
				leaves = append(leaves, v)
			}
		}
		for _, v := range leaves {
			gone[v] = true
			for _, w := range neighbours[v] {
				degree[w]--
			}
		}
	}
	for v := range g.N {
		if !gone[v] && degree[v] > 2 {
			return false
		}
	}
	return true
}

// Induced is the subgraph of the given nodes, in rising order and none twice; node i of it is nodes[i].
func (g *Graph) Induced(nodes []int) *Graph {
	place := make(map[int]int, len(nodes))
	sub := &Graph{N: len(nodes)}
	for i, v := range nodes {
		place[v] = i
		if g.Labels != nil {
			sub.Labels = append(sub.Labels, g.Labels[v])
		}
	}
	for _, e := range g.Edges {
		u, ok := place[e.U]
		v, both := place[e.V]
		if ok && both {
			sub.Edges = append(sub.Edges, Edge{u, v, e.Type})
		}
	}
	return sub
}

// common calls f for every element of the rising lists a and b that is in both.
func common(a, b []int, f func(int)) {
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] < b[0]:
			a = a[1:]
		case a[0] > b[0]:
			b = b[1:]
		default:
			f(a[0])
			a, b = a[1:], b[1:]
		}
	}
}

// Triangles counts the triangles at each node, and all of them.
func (g *Graph) Triangles() (at []int64, total int64) {
	later := make([][]int, g.N) // the neighbours behind each node
	for i := 0; i < len(g.Edges); {
		u := g.Edges[i].U
		for ; i < len(g.Edges) && g.Edges[i].U == u; i++ {
			later[u] = append(later[u], g.Edges[i].V)
		}
	}
	at = make([]int64, g.N)
	for _, e := range g.Edges { // u < v < w counts each triangle once
		common(later[e.U], later[e.V], func(w int) {
			at[e.U]++
			at[e.V]++
			at[w]++
			total++
		})
	}
	return at, total
}

// Clustering is, for each node, the share of the pairs of its neighbours that are joined, 0 below two neighbours (Watts
// and Strogatz 1998).
func (g *Graph) Clustering() []float64 {
	at, _ := g.Triangles()
	local := make([]float64, g.N)
	for v, d := range g.Degrees() {
		if d > 1 {
			local[v] = 2 * float64(at[v]) / (float64(d) * float64(d-1))
		}
	}
	return local
}

// AverageClustering is the mean of Clustering over all nodes, 0 without nodes.
func (g *Graph) AverageClustering() float64 {
	if g.N == 0 {
		return 0
	}
	sum := 0.0
	for _, c := range g.Clustering() {
		sum += c
	}
	return sum / float64(g.N)
}

// Assortativity is Pearson's correlation of the degrees at the two ends of an edge (Newman 2002). ok is false when it is
// not defined: without edges, and when all ends have the same degree.
func (g *Graph) Assortativity() (r float64, ok bool) {
	degree := g.Degrees()
	sum, constant := 0.0, true
	for _, e := range g.Edges {
		sum += float64(degree[e.U]) + float64(degree[e.V])
		first := degree[g.Edges[0].U]
		constant = constant && degree[e.U] == first && degree[e.V] == first
	}
	if constant {
		return 0, false
	}
	mean := sum / (2 * float64(len(g.Edges)))
	covariance, variance := 0.0, 0.0
	for _, e := range g.Edges {
		a, b := float64(degree[e.U])-mean, float64(degree[e.V])-mean
		covariance += 2 * a * b
		variance += a*a + b*b
	}
	return math.Max(-1, math.Min(1, covariance/variance)), true
}
