package graphs

import (
	"encoding/json"

	"pfgmgen/domains"
)

// Domain is the domain of graphs and molecules. The zero value is ready.
type Domain struct{}

var _ domains.Domain = Domain{}

// Name returns "graphs".
func (Domain) Name() string { return "graphs" }

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
	described := make([]domains.Item, len(columns))
	for i, c := range columns {
		described[i] = domains.Item{Name: c.name, About: c.about}
	}
	return domains.Description{
		Name:  "graphs",
		About: "Small undirected graphs with node labels and edge types, and molecules as Kekulé graphs",
		Inputs: []string{
			"SMILES: one molecule per line, and perhaps its name.",
			"CSV or TSV with a header and a column smiles, and optionally id or name, class, and split (train, valid, test).",
			"SDF (molfiles V2000); the properties id, class and split are taken.",
			"TSV with the columns atoms (C C O) and bonds (0-1:1 1-2:2, atoms from 0 and the order), and optionally id, class, and split.",
			"TU files: NAME_A.txt, NAME_graph_indicator.txt and, when they are there, NAME_graph_labels.txt, NAME_node_labels.txt and NAME_edge_labels.txt, named by any one of them.",
			"Edge lists: two nodes to a line and perhaps the type of the edge; graphs are parted by empty lines or begin with # graph.",
			"graph6 and sparse6, GraphML, and node-link JSON (one graph, a list, or one to a line).",
			"family:NAME in place of a file: seeded random graphs, NAME one of " + familyNames() + "; settings count and seed.",
			"Each may be gzip-compressed; the format is seen from the content.",
		},
		Settings:   append([]domains.Item(nil), loadSettings...),
		Columns:    described,
		Checks:     append([]domains.Item(nil), checks...),
		Conditions: []string{"label: the class of each graph", "size: the number of nodes"},
		Exports:    []string{"smiles", "sdf", "graph6", "edgelist"},
	}
}
