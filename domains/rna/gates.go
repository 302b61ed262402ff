package rna

import (
	"fmt"

	"pfgmgen/domains"
	"pfgmgen/validate"
)

// checks describes the gates of newGates, in their order.
var checks = []domains.Item{
	{Name: "RN_NAN", About: "hard: the model's output holds NaN or an infinity"},
	{Name: "RN_EMPTY", About: "hard: no residue at all"},
	{Name: "RN_ALPHABET", About: "hard: a letter other than A C G U"},
	{Name: "RN_LEN", About: "length outside the training range of the family (0.1 % to 99.9 % quantile, 10 % wider on both sides); hard for aligned and family models, else a warning"},
	{Name: "RN_STRUCT", About: "hard, with a consensus structure: share of its pairs in the row that are AU, GC or GU below the lower of 0.9 and the 0.5 % quantile of the training records"},
	{Name: "RN_STEM_GAP", About: "hard, with a consensus structure: more half-filled pairs (one column a residue, its partner a gap) than the 99.9 % quantile of the training records"},
	{Name: "RN_HOMOPOLY", About: "warning: a run of one letter longer than the 99.9 % quantile of the training records"},
	{Name: "RN_COMPLEX", About: "warning: dinucleotide entropy below the 0.1 % quantile of the training records"},
	{Name: "RN_GAP_RUN", About: "warning, unaligned models: residues behind the first pad, which are dropped"},
}

// newGates are the rules that apply to this adapter's rows, with its thresholds.
func (a *adapter) newGates() []validate.Gate[*row] {
	s := a.s
	family := s.Representation == aligned || len(s.Families) > 0
	gates := []validate.Gate[*row]{
		{Code: "RN_NAN", Hard: true, About: "finite values only",
			Fails: func(r *row) bool { return !r.finite }},
		{Code: "RN_EMPTY", Hard: true, About: "at least one residue",
			Fails: func(r *row) bool { return r.seq == "" }},
		{Code: "RN_ALPHABET", Hard: true, About: "letters A C G U only", Fails: foreignLetter},
		{Code: "RN_LEN", Hard: family, About: fmt.Sprintf("length %d to %d nt, or the family's own range", s.Lengths[0][0], s.Lengths[0][1]),
			Fails: func(r *row) bool { return len(r.seq) < r.lengths[0] || len(r.seq) > r.lengths[1] }},
	}
	if a.partner != nil {
		gates = append(gates,
			validate.Gate[*row]{Code: "RN_STRUCT", Hard: true,
				About: fmt.Sprintf("at least %.3g of the consensus pairs AU, GC or GU", s.PairShare),
				Fails: func(r *row) bool { return r.pairs.share() < s.PairShare }},
			validate.Gate[*row]{Code: "RN_STEM_GAP", Hard: true,
				About: fmt.Sprintf("at most %d half-filled consensus pairs", s.HalfPairs),
				Fails: func(r *row) bool { return r.pairs.half > s.HalfPairs }})
	}
	gates = append(gates,
		validate.Gate[*row]{Code: "RN_HOMOPOLY", About: fmt.Sprintf("runs of one letter up to %d nt", s.Homopolymer),
			Fails: func(r *row) bool { return r.homopolymer > s.Homopolymer }},
		validate.Gate[*row]{Code: "RN_COMPLEX", About: fmt.Sprintf("dinucleotide entropy at least %.3g bits", s.Complexity),
			Fails: func(r *row) bool { return r.complexity < s.Complexity }})
	if s.Representation == unaligned {
		gates = append(gates, validate.Gate[*row]{Code: "RN_GAP_RUN", About: "no residue behind the first pad",
			Fails: func(r *row) bool { return r.dropped > 0 }})
	}
	return gates
}

func foreignLetter(r *row) bool {
	for i := range len(r.seq) {
		if index(r.seq[i]) == gapIndex {
			return true
		}
	}
	return false
}
