package graph

// Orbits is how many orbits nodes have in the connected graphs of two to four nodes.
const Orbits = 15

// CountOrbits counts, for each node, the connected induced subgraphs of two to four nodes that hold it, by the part it plays
// in them (Pržulj 2007): 0 end of an edge; 1 end and 2 middle of a path of 3; 3 triangle; 4 end and 5 middle of a path of 4;
// 6 leaf and 7 centre of a claw; 8 cycle of 4; 9 tail, 10 far corner and 11 joint of a triangle with a tail; 12 node of
// degree 2 and 13 of degree 3 in two triangles that share an edge; 14 complete graph of 4.
//
// Subgraphs with perhaps more edges between their nodes are counted by formulas, complete ones by search, and the counts
// of the induced ones follow as each graph holds known numbers of the sparser ones (the idea of Hočevar and Demšar 2014).
// The time is that of listing the triangles and complete graphs of four.
func (g *Graph) CountOrbits() [][Orbits]int64 {
	neighbours := g.Neighbours()
	degree := make([]int64, g.N)
	reach := make([]int64, g.N) // the sum over the neighbours of their degree less 1
	for v, list := range neighbours {
		degree[v] = int64(len(list))
		for _, w := range list {
			reach[v] += int64(len(neighbours[w])) - 1
		}
	}
	four := g.count4(neighbours)
	triangles := make([]int64, g.N) // at each node
	shared := make([]int64, len(g.Edges))
	far := make([]int64, g.N) // of two triangles that share an edge, the node outside it
	for i, e := range g.Edges {
		common(neighbours[e.U], neighbours[e.V], func(int) { shared[i]++ })
		common(neighbours[e.U], neighbours[e.V], func(w int) { far[w] += shared[i] - 1 })
		triangles[e.U] += shared[i]
		triangles[e.V] += shared[i]
	}
	for v := range triangles {
		triangles[v] /= 2
	}
	out := make([][Orbits]int64, g.N)
	for v := range out { // not induced, what the node alone tells
		o, d, t := &out[v], degree[v], triangles[v]
		o[0], o[1], o[2], o[3] = d, reach[v]-2*t, d*(d-1)/2-t, t
		o[4] = -d*(d-1) - 2*t
		o[7] = d * (d - 1) * (d - 2) / 6
		o[11] = t * (d - 2)
		o[12] = far[v]
		o[14] = four[v]
	}
	for i, e := range g.Edges {
		for _, end := range [2][2]int{{e.U, e.V}, {e.V, e.U}} { // what the edge adds, seen from v
			v, w, s := end[0], end[1], shared[i]
			o, dv, dw := &out[v], degree[v], degree[w]
			o[4] += reach[w]
			o[5] += (dv-1)*(dw-1) - s
			o[6] += (dw - 1) * (dw - 2) / 2
			o[9] += triangles[w] - s
			o[10] += s * (dw - 2)
			o[13] += s * (s - 1) / 2
		}
	}
	g.countCycles(neighbours, out)
	for v := range out {
		o := &out[v]
		k := o[14]
		o[13] -= 3 * k
		o[12] -= 3 * k
		o[8] -= o[12] + o[13] + 3*k
		o[11] -= 2*o[13] + 3*k
		o[10] -= 2*o[12] + 2*o[13] + 6*k
		o[9] -= 2*o[12] + 3*k
		o[7] -= o[11] + o[13] + k
		o[6] -= o[9] + o[10] + 2*o[12] + o[13] + 3*k
		o[5] -= 2*o[8] + o[10] + 2*o[11] + 2*o[12] + 4*o[13] + 6*k
		o[4] -= 2*o[8] + 2*o[9] + o[10] + 4*o[12] + 2*o[13] + 6*k
	}
	return out
}

// count4 counts the complete graphs of four nodes at each node.
func (g *Graph) count4(neighbours [][]int) []int64 {
	later := make([][]int, g.N)
	for v, list := range neighbours {
		for len(list) > 0 && list[0] < v {
			list = list[1:]
		}
		later[v] = list
	}
	count := make([]int64, g.N)
	var both []int
	for _, e := range g.Edges { // u < v < w < x counts each once
		both = both[:0]
		common(later[e.U], later[e.V], func(w int) { both = append(both, w) })
		for i, w := range both {
			common(both[i+1:], later[w], func(x int) {
				count[e.U]++
				count[e.V]++
				count[w]++
				count[x]++
			})
		}
	}
	return count
}

// countCycles counts the cycles of four through each node, with or without chords: pairs of ways of two steps to the same
// node.
func (g *Graph) countCycles(neighbours [][]int, out [][Orbits]int64) {
	ways := make([]int64, g.N)
	for v := range g.N {
		for _, a := range neighbours[v] {
			for _, b := range neighbours[a] {
				if b != v {
					out[v][8] += ways[b]
					ways[b]++
				}
			}
		}
		for _, a := range neighbours[v] {
			for _, b := range neighbours[a] {
				ways[b] = 0
			}
		}
	}
}
