package graphs

import (
	"slices"
	"strings"

	"pfgmgen/domains"
	"pfgmgen/internal/chem"
	"pfgmgen/internal/graph"
	"pfgmgen/validate"
)

// Rules that all graphs of a family keep.
const (
	planarRule  = "planar"
	treeRule    = "tree"
	lobsterRule = "lobster"
	sbmRule     = "sbm"
)

var rules = []string{planarRule, treeRule, lobsterRule, sbmRule}

var keepsRule = map[string]func(*graph.Graph) bool{
	planarRule: (*graph.Graph).IsPlanar, treeRule: (*graph.Graph).IsTree, lobsterRule: (*graph.Graph).IsLobster, sbmRule: (*graph.Graph).IsSBM,
}

// checks describes the gates of newGates, in their order.
var checks = []domains.Item{
	{Name: "GR_NAN", About: "hard: the model's output holds NaN or an infinity"},
	{Name: "GR_EMPTY", About: "hard: fewer than 2 nodes or no edge"},
	{Name: "GR_SIMPLE", About: "hard: a self loop or a pair of nodes joined twice"},
	{Name: "GR_CONN", About: "graphs: not connected; hard when all training graphs are connected or family says so, else a warning; with fragments=largest a warning, and the largest component is kept"},
	{Name: "GR_PLANAR", About: "hard with family=planar: more than 3n-6 edges, or not planar by the left-right test"},
	{Name: "GR_TREE", About: "hard with family=tree: not connected, or other than n-1 edges"},
	{Name: "GR_LOBSTER", About: "hard with family=lobster: not a tree that becomes a path, or nothing, when its leaves are taken away twice"},
	{Name: "GR_SBM", About: "hard with family=sbm: other than 2 to 5 blocks of 20 to 40 nodes, or a mean p of at most 0.9 over the pairs of blocks, of the share of joined pairs against 0.3 within and 0.005 between blocks; approximate, since blocks are sought by merges and moves that shorten the description of the graph"},
	{Name: "MO_VALENCE", About: "hard, molecules: the bonds of an atom exceed the largest valence of its element and charge"},
	{Name: "MO_CHARGE", About: "hard, molecules: N, O or S over its valence also with the charge +1 that N with four and O with three bonds take"},
	{Name: "MO_DISC", About: "molecules: more than one fragment; hard, but with fragments=largest a warning, and the largest one is kept"},
	{Name: "GR_ISOL", About: "warning: a node without an edge"},
	{Name: "MO_HYDROGEN", About: "warning, molecules: the model's hydrogens of an atom differ from those that its bonds leave room for"},
}

// newGates are the rules that apply to this adapter's rows.
func (a *adapter) newGates() []validate.Gate[*row] {
	type gate = validate.Gate[*row]
	gates := []gate{
		{Code: "GR_NAN", Hard: true, Fails: func(r *row) bool { return !r.finite }},
		{Code: "GR_EMPTY", Hard: true, Fails: func(r *row) bool { return r.g.N < 2 || len(r.g.Edges) == 0 }},
		{Code: "GR_SIMPLE", Hard: true, Fails: notSimple},
	}
	apart := func(r *row) bool { return r.pieces > 1 }
	strict := a.s.Fragments != largest
	if a.s.Kind == molecules {
		gates = append(gates,
			gate{Code: "MO_VALENCE", Hard: true, Fails: func(r *row) bool { return len(r.m.Faults()) > 0 }},
			gate{Code: "MO_CHARGE", Hard: true, Fails: func(r *row) bool { return slices.ContainsFunc(r.m.Faults(), chargeable) }},
			gate{Code: "MO_DISC", Hard: strict, Fails: apart})
	} else {
		gates = append(gates, gate{Code: "GR_CONN", Hard: strict && (a.s.Connected || a.s.Family != ""), Fails: apart})
	}
	if keeps := keepsRule[a.s.Family]; keeps != nil {
		code := "GR_" + strings.ToUpper(a.s.Family)
		gates = append(gates, gate{Code: code, Hard: true, Fails: func(r *row) bool { return !keeps(r.g) }})
	}
	gates = append(gates, gate{Code: "GR_ISOL", Fails: func(r *row) bool { return slices.Contains(r.g.Degrees(), 0) }})
	if a.s.Kind == molecules {
		gates = append(gates, gate{Code: "MO_HYDROGEN", Fails: func(r *row) bool { return !slices.Equal(r.hydrogens, implicit(r.m)) }})
	}
	return gates
}

// notSimple looks at the edges as a list: the encoding itself has no place for loops and double edges.
func notSimple(r *row) bool {
	for i, e := range r.g.Edges {
		if e.U >= e.V || i > 0 && (e.U < r.g.Edges[i-1].U || e.U == r.g.Edges[i-1].U && e.V <= r.g.Edges[i-1].V) {
			return true
		}
	}
	return false
}

func chargeable(f chem.Fault) bool {
	return f.Element == chem.Nitrogen || f.Element == chem.Oxygen || f.Element == chem.Sulfur
}
