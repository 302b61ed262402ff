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
	return domains.Description{
		Name:  "graphs",
		About: "Small undirected graphs with node labels and edge types, and molecules as Kekulé graphs",
		Inputs: []string{
			"TSV of molecules with the columns atoms and bonds.",
			"TU files: NAME_A.txt, NAME_graph_indicator.txt and so on, named by any of them.",
		},
		Settings: append([]domains.Item(nil), loadSettings...),
		Columns: []domains.Item{
			{Name: "n_nodes", About: "int32: nodes; atoms without hydrogens of a molecule"},
			{Name: "n_edges", About: "int32: edges"},
			{Name: "edges", About: "list of struct (u int32, v int32, t int8): nodes from 0, u < v, and the edge type, a molecule's bond order"},
			{Name: "node_labels", About: "list of int8: label of each node, a molecule's atomic numbers; null without labels"},
		},
		Checks:     append([]domains.Item(nil), checks...),
		Conditions: []string{"label: the class of each graph", "size: the number of nodes"},
	}
}
