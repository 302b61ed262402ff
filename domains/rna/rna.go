package rna

import (
	"encoding/json"

	"pfgmgen/domains"
)

// Domain is the RNA domain. The zero value is ready.
type Domain struct{}

var _ domains.Domain = Domain{}

// Name returns "rna".
func (Domain) Name() string { return "rna" }

// Open rebuilds an adapter from the settings of a model.
func (Domain) Open(raw json.RawMessage) (domains.Adapter, error) {
	s, err := parseSettings(raw)
	if err != nil {
		return nil, err
	}
	return newAdapter(s), nil
}

// Describe lists what the domain reads, writes and checks.
func (Domain) Describe() domains.Description {
	return domains.Description{
		Name:  "rna",
		About: "RNA sequences, free or on the columns of a family alignment with its consensus structure",
		Inputs: []string{
			"FASTA: sequences, or an alignment when all have one length and gaps occur.",
			"Stockholm 1.0: one family alignment with #=GC SS_cons, or several families, one per alignment, as unaligned sequences.",
			"TSV with a header: sequence, and optionally id, split (train, valid, test), and family (or source with Rfam accessions) as the class.",
			"Each may be gzip-compressed; the format is seen from the content. T is read as U, lower case as upper case.",
		},
		Settings: append([]domains.Item(nil), loadSettings...),
		Columns: []domains.Item{
			{Name: "sequence", About: "string: A C G U, 5' to 3', without gaps"},
			{Name: "length", About: "int32: nucleotides"},
			{Name: "gc", About: "float32: share of G and C, 0 to 1; null when empty"},
			{Name: "structure", About: "string: dot-bracket of the family consensus carried over to the sequence; null without a consensus"},
			{Name: "paired_frac", About: "float32: share of the nucleotides that the structure pairs, 0 to 1; null without a consensus"},
			{Name: "canonical_pair_frac", About: "float32: share of the structure's pairs that are AU, GC or GU, 0 to 1; null without pairs"},
			{Name: "max_homopolymer", About: "int32: longest run of one letter, nucleotides"},
			{Name: "complexity", About: "float32: entropy of the dinucleotides, 0 to 4 bits"},
			{Name: "family", About: "string: the family, such as an Rfam accession; null when the data name none"},
		},
		Checks:     append([]domains.Item(nil), checks...),
		Conditions: []string{"family: one class per family, when the data have two or more"},
		Exports:    []string{"fasta"},
	}
}
