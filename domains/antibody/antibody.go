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
		Name:     "antibody",
		About:    "Antibody variable domains, heavy, light, or paired, on IMGT regions",
		Inputs:   []string{"TSV or CSV with vh and vl, AIRR Rearrangement TSV, OAS csv.gz, FASTA (single chains or VH:VL)."},
		Settings: append([]domains.Item(nil), loadSettings...),
		Columns:  []domains.Item{{Name: "sequence_aa", About: "string"}},
		Checks:   append([]domains.Item(nil), checks...),
	}
}
