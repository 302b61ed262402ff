package antibody

import (
	"pfgmgen/domains"
	"pfgmgen/validate"
)

// checks describes the gates of newGates, in their order.
var checks = []domains.Item{
	{Name: "AB_NAN", About: "hard: the model's output holds NaN or an infinity"},
	{Name: "AB_LEN", About: "hard: a chain's length outside 105 to 140 (heavy) or 95 to 120 (light)"},
	{Name: "AB_CDR3_LEN", About: "hard: length of CDR3 outside 3 to 32 (heavy) or 4 to 16 (light)"},
	{Name: "AB_GAP_ORDER", About: "warning: residues behind a gap of their region, which move up to the others"},
}

func newGates(s *settings) []validate.Gate[*row] {
	return []validate.Gate[*row]{
		{Code: "AB_NAN", Hard: true, About: "finite values only", Fails: func(r *row) bool { return !r.finite }},
		{Code: "AB_LEN", Hard: true, Fails: func(r *row) bool {
			for _, c := range r.chains {
				if !s.Length[c.side].holds(len(c.seq)) {
					return true
				}
			}
			return false
		}},
		{Code: "AB_CDR3_LEN", Hard: true, Fails: func(r *row) bool {
			for _, c := range r.chains {
				if !s.CDR3[c.side].holds(len(c.parts[cdr3])) {
					return true
				}
			}
			return false
		}},
		{Code: "AB_GAP_ORDER", Fails: func(r *row) bool { return r.disordered > 0 }},
	}
}
