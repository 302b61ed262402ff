package graph

import (
	"cmp"
	"slices"
)

// delaunayGrid bounds the coordinates of points: with 0 <= x, y < 2^14 every determinant fits into int64 (the largest,
// inCircle, is three products of 29 and 29 bits), so that the triangulation is exact.
const delaunayGrid = 1 << 14

type point struct{ x, y int64 }

// turn is positive when c lies to the left of the line from a to b, zero on it: twice the signed area.
func turn(a, b, c point) int64 {
	return (b.x-a.x)*(c.y-a.y) - (b.y-a.y)*(c.x-a.x)
}

// inCircle is positive when d lies inside the circle through a, b and c, which turn left.
func inCircle(a, b, c, d point) int64 {
	ax, ay, bx, by, cx, cy := a.x-d.x, a.y-d.y, b.x-d.x, b.y-d.y, c.x-d.x, c.y-d.y
	return (ax*ax+ay*ay)*(bx*cy-cx*by) - (bx*bx+by*by)*(ax*cy-cx*ay) + (cx*cx+cy*cy)*(ax*by-bx*ay)
}

// ghost is the node at infinity that closes the triangulation: a triangle (a, b, ghost) stands for the half-plane to the
// left of the hull's edge from a to b, seen from outside.
const ghost = -1

// delaunay joins different points on the grid by the edges of a Delaunay triangulation, inserting one point after the
// other (Bowyer 1981, Watson 1981). Points on one line are joined in their order.
func delaunay(points []point) []Edge {
	order := make([]int, len(points))
	for i := range order {
		order[i] = i
	}
	third := 2
	for third < len(order) && turn(points[0], points[1], points[third]) == 0 {
		third++
	}
	if third >= len(order) {
		slices.SortFunc(order, func(i, j int) int {
			return cmp.Or(cmp.Compare(points[i].x, points[j].x), cmp.Compare(points[i].y, points[j].y))
		})
		var edges []Edge
		for i := 1; i < len(order); i++ {
			edges = append(edges, Edge{order[i-1], order[i], 1})
		}
		return edges
	}
	order[2], order[third] = order[third], order[2]
	a, b, c := order[0], order[1], order[2]
	if turn(points[a], points[b], points[c]) < 0 {
		b, c = c, b
	}
	triangles := [][3]int{{a, b, c}, {b, a, ghost}, {c, b, ghost}, {a, c, ghost}}
	for _, p := range order[3:] {
		triangles = insert(points, triangles, p)
	}
	var edges []Edge
	for _, t := range triangles {
		for i := range 3 {
			if u, v := t[i], t[(i+1)%3]; u < v && u != ghost { // the other triangle of the edge has it from v to u
				edges = append(edges, Edge{u, v, 1})
			}
		}
	}
	return edges
}

// insert replaces the triangles whose circles hold p by those from their common border to p.
func insert(points []point, triangles [][3]int, p int) [][3]int {
	border := make(map[[2]int]bool)
	kept := triangles[:0]
	var arcs [][2]int // in the order of the triangles, for the result must not depend on that of a map
	for _, t := range triangles {
		if !conflicts(points, t, p) {
			kept = append(kept, t)
			continue
		}
		for i := range 3 {
			arc := [2]int{t[i], t[(i+1)%3]}
			border[arc] = true
			arcs = append(arcs, arc)
		}
	}
	for _, arc := range arcs {
		switch u, v := arc[0], arc[1]; {
		case border[[2]int{v, u}]:
		case u == ghost:
			kept = append(kept, [3]int{v, p, ghost})
		case v == ghost:
			kept = append(kept, [3]int{p, u, ghost})
		default:
			kept = append(kept, [3]int{u, v, p})
		}
	}
	return kept
}

// conflicts says whether p is inside the circle of t.
func conflicts(points []point, t [3]int, p int) bool {
	a, b, x := points[t[0]], points[t[1]], points[p]
	if t[2] != ghost {
		return inCircle(a, b, points[t[2]], x) > 0
	}
	side := turn(a, b, x)
	between := (x.x-a.x)*(x.x-b.x)+(x.y-a.y)*(x.y-b.y) < 0
	return side > 0 || side == 0 && between
}
