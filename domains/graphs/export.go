package graphs

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"pfgmgen/domains"
	"pfgmgen/internal/graph"
	"pfgmgen/io/edgelist"
	"pfgmgen/io/graph6"
	"pfgmgen/io/sdf"
	"pfgmgen/io/smiles"
)

// exports are the plain formats; the first two are for molecules only.
var exports = []string{"smiles", "sdf", "graph6", "edgelist"}

// Export writes one row: smiles, a line of SMILES, tab and id; sdf, a record of an SD file with the id as its name; graph6,
// a line without the id; edgelist, a graph with its id, the labels of its nodes (of a molecule the elements) and the types
// of its edges.
func (r *row) Export(w io.Writer, format, id string) error {
	switch {
	case r.m == nil && (format == "smiles" || format == "sdf"):
		return fmt.Errorf("graphs: export as %s is for molecules, these are graphs without atoms; want graph6 or edgelist", format)
	case format == "smiles":
		s, err := smiles.Canonical(r.m)
		if err != nil {
			return fmt.Errorf("graphs: %s: %w: %w", id, domains.ErrNoForm, err)
		}
		_, err = fmt.Fprintf(w, "%s\t%s\n", s, id)
		return err
	case format == "sdf":
		if n := max(len(r.m.Atoms), len(r.m.Bonds)); n > sdf.MaxCount {
			return fmt.Errorf("graphs: %s: %w: %d atoms or bonds", id, domains.ErrNoForm, n)
		}
		return sdf.Write(w, sdf.Record{Molecule: r.m, Name: id})
	case format == "graph6":
		_, err := fmt.Fprintf(w, "%s\n", graph6.Encode(r.g))
		return err
	case format == "edgelist":
		return edgelist.Write(w, graph.Record{ID: id, Graph: r.g, NodeLabels: r.names()})
	}
	return fmt.Errorf("graphs: no export as %q, want one of %s", format, strings.Join(exports, ", "))
}

// names are the labels of the nodes for people, nil without.
func (r *row) names() []string {
	if r.g.Labels == nil {
		return nil
	}
	out := make([]string, r.g.N)
	for i, code := range r.g.Labels {
		if out[i] = strconv.Itoa(int(code) - labelShift); r.m != nil {
			out[i] = atomName(code)
		}
	}
	return out
}
