package graphs

import (
	"pfgmgen/domains"
	"pfgmgen/validate"
)

// checks describes the gates of newGates, in their order.
var checks = []domains.Item{
	{Name: "GR_NAN", About: "hard: the model's output holds NaN or an infinity"},
	{Name: "GR_EMPTY", About: "hard: fewer than 2 nodes or no edge"},
	{Name: "GR_CONN", About: "not connected; hard for graphs when all training graphs are connected, else a warning"},
	{Name: "MO_VALENCE", About: "hard, molecules: the bond orders of an atom exceed what its element and charge allow"},
	{Name: "MO_DISC", About: "hard, molecules: more than one fragment"},
}

// newGates are the rules that apply to this adapter's rows.
func (a *adapter) newGates() []validate.Gate[*row] {
	gates := []validate.Gate[*row]{
		{Code: "GR_NAN", Hard: true, Fails: func(r *row) bool { return !r.finite }},
		{Code: "GR_EMPTY", Hard: true, Fails: func(r *row) bool { return r.g.N < 2 || len(r.g.Edges) == 0 }},
	}
	apart := func(r *row) bool { return len(components(newPartition(r.g).arcs)) > 1 }
	if a.s.Kind != molecules {
		return append(gates, validate.Gate[*row]{Code: "GR_CONN", Hard: a.s.Connected, Fails: apart})
	}
	return append(gates,
		validate.Gate[*row]{Code: "MO_VALENCE", Hard: true, Fails: func(r *row) bool { return len(r.m.Faults()) > 0 }},
		validate.Gate[*row]{Code: "MO_DISC", Hard: true, Fails: apart})
}
