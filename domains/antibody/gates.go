package antibody

import (
	"strings"

	"pfgmgen/domains"
	"pfgmgen/validate"
)

// checks describes the gates of newGates, in their order. A code does not say which chain of a pair failed: the columns
// do.
var checks = []domains.Item{
	{Name: "AB_NAN", About: "hard: the model's output holds NaN or an infinity"},
	{Name: "AB_ALPHABET", About: "hard: a letter other than the 20 amino acids, or none at all"},
	{Name: "AB_LOCUS", About: "hard: the best profile is not of the locus that was asked for (IGH of a heavy chain, IGK or IGL of a light one, or the class of condition=locus), or leads the others by less than 10 bits, or scores below 60"},
	{Name: "AB_NO_CYS23", About: "hard: IMGT 23 is not Cys"},
	{Name: "AB_NO_TRP41", About: "hard: IMGT 41 is not Trp"},
	{Name: "AB_NO_CYS104", About: "hard: IMGT 104 is not Cys"},
	{Name: "AB_J_MOTIF", About: "hard: IMGT 118 is not Trp (heavy) or Phe (light), or 119 or 121 not Gly"},
	{Name: "AB_CDR3_LEN", About: "hard: CDR3 outside 3 to 32 (heavy) or 4 to 16 (light) residues"},
	{Name: "AB_LEN", About: "hard: a chain outside 105 to 140 (heavy) or 95 to 120 (light) residues"},
	{Name: "AB_HYD89", About: "warning: IMGT 89 is not hydrophobic (A C F I L M V W Y)"},
	{Name: "AB_NGLYC", About: "warning: an N-glycosylation motif, Asn-X-Ser/Thr with X not Pro"},
	{Name: "AB_ODD_CYS", About: "warning: an odd number of Cys in a chain"},
	{Name: "AB_LABEL", About: "warning, with condition=v_family or cdr3_length: the chain is not of the class that was asked for"},
	{Name: "AB_GAP_ORDER", About: "warning: residues between gaps of their region, which move up to the others"},
	{Name: "AB_REGIONS", About: "warning: the regions of the tensor are not those of the numbering, or residues lie outside the domain"},
}

// hydrophobic are the residues that AB_HYD89 takes.
const hydrophobic = "ACFILMVWY"

// newGates are the rules with the thresholds of the settings. A gate on a residue fails when the chain cannot be
// numbered.
func newGates(s *settings) []validate.Gate[*row] {
	about := make(map[string]string)
	for _, c := range checks {
		about[c.Name] = c.About
	}
	gate := func(code string, hard bool, fails func(*row) bool) validate.Gate[*row] {
		return validate.Gate[*row]{Code: code, About: about[code], Hard: hard, Fails: fails}
	}
	anyChain := func(fails func(*domain) bool) func(*row) bool {
		return func(r *row) bool {
			for _, c := range r.chains {
				if fails(c) {
					return true
				}
			}
			return false
		}
	}
	lacks := func(column int, residues string) func(*row) bool {
		return anyChain(func(c *domain) bool { return strings.IndexByte(residues, c.at(column)) < 0 })
	}
	return []validate.Gate[*row]{
		gate("AB_NAN", true, func(r *row) bool { return !r.finite }),
		gate("AB_ALPHABET", true, anyChain(func(c *domain) bool { return c.seq == "" || foreignLetter(c.seq) })),
		gate("AB_LOCUS", true, func(r *row) bool {
			for _, c := range r.chains {
				if c.wrongLocus(s, r.label) {
					return true
				}
			}
			return false
		}),
		gate("AB_NO_CYS23", true, lacks(23, "C")),
		gate("AB_NO_TRP41", true, lacks(41, "W")),
		gate("AB_NO_CYS104", true, lacks(104, "C")),
		gate("AB_J_MOTIF", true, anyChain(func(c *domain) bool { return !c.jMotif() })),
		gate("AB_CDR3_LEN", true, anyChain(func(c *domain) bool { return !s.CDR3[c.side].holds(len(c.parts[cdr3])) })),
		gate("AB_LEN", true, anyChain(func(c *domain) bool { return !s.Length[c.side].holds(len(c.seq)) })),
		gate("AB_HYD89", false, lacks(89, hydrophobic)),
		gate("AB_NGLYC", false, anyChain(func(c *domain) bool { return liabilities[0].count(c.seq, 0, len(c.seq)) > 0 })),
		gate("AB_ODD_CYS", false, anyChain(func(c *domain) bool { return strings.Count(c.seq, "C")%2 != 0 })),
		gate("AB_LABEL", false, func(r *row) bool { return !r.keepsLabel(s) }),
		gate("AB_GAP_ORDER", false, func(r *row) bool { return r.disordered > 0 }),
		gate("AB_REGIONS", false, anyChain(func(c *domain) bool { return c.tensor != c.parts })),
	}
}

func foreignLetter(seq string) bool {
	for i := range len(seq) {
		if k := strings.IndexByte(alphabet[:residues], seq[i]); k < 0 {
			return true
		}
	}
	return false
}

// wrongLocus compares the profiles of the loci that are asked for with the others'.
func (c *domain) wrongLocus(s *settings, label int) bool {
	if !c.found {
		return true
	}
	asked := func(locus string) bool {
		switch {
		case s.Condition == byLocus && label >= 0 && c.side == s.last():
			return locus == s.Labels[label]
		case c.side == heavy:
			return locus == loci[0]
		}
		return locus != loci[0]
	}
	var best [2]float64 // of the others, of those asked for
	for k, locus := range loci {
		i := 0
		if asked(locus) {
			i = 1
		}
		best[i] = max(best[i], c.scores[k])
	}
	return best[1]-best[0] < s.LocusMargin
}

// keepsLabel says whether the chain that the class speaks of is of that class.
func (r *row) keepsLabel(s *settings) bool {
	if r.label < 0 {
		return true
	}
	switch c := r.chains[0]; s.Condition {
	case byFamily:
		family := familyOf(c.gene)
		if asked := s.Labels[r.label]; asked != otherFamily {
			return family == asked
		}
		for _, name := range s.Labels {
			if name == family {
				return false
			}
		}
	case byLength:
		return span(s.Bins[r.label]).holds(len(c.parts[cdr3]))
	}
	return true
}
