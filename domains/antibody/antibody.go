package antibody

import (
	"encoding/json"

	"pfgmgen/domains"
)

// Domain is the domain of antibody variable domains. The zero value is ready.
type Domain struct{}

var _ domains.Domain = Domain{}

// Name returns "antibody".
func (Domain) Name() string { return "antibody" }

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
		Name:  "antibody",
		About: "Variable domains of human antibodies: heavy chains, light chains, or pairs of both, on the regions of IMGT",
		Inputs: []string{
			"FASTA: one chain a record, or VH:VL; amino acids or nucleotides, cut to the variable domain.",
			"AIRR Rearrangement TSV: sequence_alignment_aa, sequence_aa, sequence_alignment or sequence; cell_id joins the chains of a pair; rows that are not productive are left out.",
			"OAS data units (csv.gz), single chains or pairs.",
			"TSV or CSV of pairs: vh and vl, or fv_heavy_aho and fv_light_aho, optionally id, split or partition (train, valid, test), vh_gene, vl_gene, and IMGT columns (vh_imgt104 with cdrh3 and vh_fr4, the same of vl, or imgt128).",
			"Each may be gzip-compressed; the format is seen from the content.",
		},
		Settings: append([]domains.Item(nil), loadSettings...),
		Columns:  columnItems(),
		Checks:   append([]domains.Item(nil), checks...),
		Conditions: []string{
			"locus: IGK or IGL of the light chain (condition=locus)",
			"v_family: IGHV1 and so on of the heavy chain, or of the light one when there is no other (condition=v_family)",
			"cdr3_length: residues of the same chain's CDR3, rare lengths joined (condition=cdr3_length)",
		},
		Exports: []string{formatFASTA, formatAIRR},
	}
}
