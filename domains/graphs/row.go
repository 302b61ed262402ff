package graphs

import (
	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"pfgmgen/domains"
	"pfgmgen/internal/chem"
	"pfgmgen/internal/graph"
	"pfgmgen/io/graph6"
	"pfgmgen/io/smiles"
	"pfgmgen/validate"
)

var (
	_ domains.Row      = (*row)(nil)
	_ domains.Exporter = (*row)(nil)
)

// A row is one decoded and checked sample.
type row struct {
	g         *graph.Graph   // labels are codes
	m         *chem.Molecule // nil for other graphs
	hydrogens []uint8        // of each atom as the network says, at most 4
	finite    bool           // the sample
	pieces    int            // components as decoded
	size      int            // nodes of the largest one

	margin, entropy float32
	verdict         validate.Verdict
}

func (r *row) Verdict() validate.Verdict             { return r.verdict }
func (r *row) Confidence() (margin, entropy float32) { return r.margin, r.entropy }

// Key is equal for isomorphic graphs, and for all drawings of a molecule.
func (r *row) Key() string {
	if r.m != nil {
		return moleculeKey(r.g, r.m)
	}
	return isomorphismKey(r.g)
}

// plain is the graph with the labels that people know: atomic numbers, or node labels as the bits of an int8.
func (r *row) plain() *graph.Graph {
	g := &graph.Graph{N: r.g.N, Edges: r.g.Edges}
	if r.g.Labels != nil {
		g.Labels = make([]uint8, g.N)
	}
	for i, code := range r.g.Labels {
		if r.m != nil {
			g.Labels[i] = uint8(r.m.Atoms[i].Element)
		} else {
			g.Labels[i] = code - labelShift
		}
	}
	return g
}

var edgeType = arrow.StructOf(
	arrow.Field{Name: "u", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
	arrow.Field{Name: "v", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
	arrow.Field{Name: "t", Type: arrow.PrimitiveTypes.Int8, Nullable: true},
)

// A column is one of the dataset, and how a row fills it.
type column struct {
	name   string
	kind   arrow.DataType
	about  string
	append func(r *row, c *content, b array.Builder)
}

// A content is what several columns of a row need.
type content struct{ *graph.Graph }

func int32Column(name, about string, of func(r *row, c *content) int) column {
	return column{name, arrow.PrimitiveTypes.Int32, "int32: " + about, func(r *row, c *content, b array.Builder) {
		b.(*array.Int32Builder).Append(int32(of(r, c)))
	}}
}

func float32Column(name, about string, of func(r *row, c *content) (float64, bool)) column {
	return column{name, arrow.PrimitiveTypes.Float32, "float32: " + about, func(r *row, c *content, b array.Builder) {
		if v, ok := of(r, c); ok {
			b.(*array.Float32Builder).Append(float32(v))
		} else {
			b.AppendNull()
		}
	}}
}

func boolColumn(name, about string, of func(r *row, c *content) bool) column {
	return column{name, arrow.FixedWidthTypes.Boolean, "bool: " + about, func(r *row, c *content, b array.Builder) {
		b.(*array.BooleanBuilder).Append(of(r, c))
	}}
}

func textColumn(name, about string, of func(r *row, c *content) (string, error)) column {
	return column{name, arrow.BinaryTypes.String, "string: " + about, func(r *row, c *content, b array.Builder) {
		if s, err := of(r, c); err == nil {
			b.(*array.StringBuilder).Append(s)
		} else {
			b.AppendNull()
		}
	}}
}

// ofMolecules makes a column null for other graphs.
func ofMolecules(c column) column {
	c.about += "; null unless a molecule"
	fill := c.append
	c.append = func(r *row, of *content, b array.Builder) {
		if r.m == nil {
			b.AppendNull()
			return
		}
		fill(r, of, b)
	}
	return c
}

// columns of the domain.
var columns = []column{
	int32Column("n_nodes", "nodes; of a molecule the atoms, without implicit hydrogens", func(r *row, _ *content) int { return r.g.N }),
	int32Column("n_edges", "edges; of a molecule the bonds", func(r *row, _ *content) int { return len(r.g.Edges) }),
	{"edges", arrow.ListOf(edgeType), "list of struct (u int32, v int32, t int8): two nodes, counted from 0, u < v, and the type of the edge, 1 or more, of a molecule the bond order", appendEdges},
	{"node_labels", arrow.ListOf(arrow.PrimitiveTypes.Int8), "list of int8: the label of each node, of a molecule the atomic number; null without labels", appendLabels},
	textColumn("graph6", "the graph without labels and edge types in McKay's format", func(_ *row, c *content) (string, error) { return graph6.Encode(c.Graph), nil }),
	{"wl_hash", arrow.PrimitiveTypes.Uint64, "uint64: Weisfeiler-Lehman hash of nodes, labels and edge types, equal for isomorphic graphs", func(_ *row, c *content, b array.Builder) {
		b.(*array.Uint64Builder).Append(c.Hash())
	}},
	int32Column("n_components", "connected components as decoded, before fragments=largest takes one", func(r *row, _ *content) int { return r.pieces }),
	int32Column("largest_cc", "nodes of the largest component", func(r *row, _ *content) int { return r.size }),
	float32Column("density", "share of the pairs of nodes that are joined, 0 to 1", func(_ *row, c *content) (float64, bool) { return c.Density(), c.N > 1 }),
	float32Column("avg_clustering", "mean over the nodes of the share of pairs of neighbours that are joined, 0 to 1", func(_ *row, c *content) (float64, bool) { return c.AverageClustering(), c.N > 0 }),
	float32Column("assortativity", "correlation of the degrees at the ends of an edge, -1 to 1; null when all are equal", func(_ *row, c *content) (float64, bool) { return c.Assortativity() }),
	{"triangles", arrow.PrimitiveTypes.Int64, "int64: sets of three nodes that are all joined", func(_ *row, c *content, b array.Builder) {
		_, n := c.Triangles()
		b.(*array.Int64Builder).Append(n)
	}},
	boolColumn("is_planar", "can be drawn in the plane without crossing edges", func(_ *row, c *content) bool { return c.IsPlanar() }),
	boolColumn("is_tree", "connected and without a cycle", func(_ *row, c *content) bool { return c.IsTree() }),
	ofMolecules(textColumn("smiles", "own canonical SMILES as a Kekulé structure", func(r *row, _ *content) (string, error) { return smiles.Canonical(r.m) })),
	ofMolecules(column{"charge", arrow.PrimitiveTypes.Int8, "int8: net charge, in elementary charges", func(r *row, _ *content, b array.Builder) {
		b.(*array.Int8Builder).Append(int8(max(-128, min(127, r.m.NetCharge()))))
	}}),
	ofMolecules(int32Column("heavy_atoms", "atoms other than hydrogen", func(r *row, _ *content) int { return r.m.HeavyAtoms() })),
	ofMolecules(float32Column("mw", "molecular weight, hydrogens included, g/mol", func(r *row, _ *content) (float64, bool) { return r.m.Mass(), true })),
	ofMolecules(int32Column("n_rings", "independent rings: bonds less atoms plus fragments", func(r *row, _ *content) int { return r.m.RingCount() })),
}

// fields are the columns as Arrow has them.
func fields() []arrow.Field {
	out := make([]arrow.Field, len(columns))
	for i, c := range columns {
		out[i] = arrow.Field{Name: c.name, Type: c.kind, Nullable: true}
	}
	return out
}

// Append fills the columns of fields.
func (r *row) Append(b []array.Builder) {
	c := &content{Graph: r.plain()}
	for i, column := range columns {
		column.append(r, c, b[i])
	}
}

func appendEdges(r *row, _ *content, b array.Builder) {
	list := b.(*array.ListBuilder)
	list.Append(true)
	edge := list.ValueBuilder().(*array.StructBuilder)
	for _, e := range r.g.Edges {
		edge.Append(true)
		edge.FieldBuilder(0).(*array.Int32Builder).Append(int32(e.U))
		edge.FieldBuilder(1).(*array.Int32Builder).Append(int32(e.V))
		edge.FieldBuilder(2).(*array.Int8Builder).Append(int8(e.Type))
	}
}

func appendLabels(_ *row, c *content, b array.Builder) {
	list := b.(*array.ListBuilder)
	if c.Labels == nil {
		list.AppendNull()
		return
	}
	list.Append(true)
	for _, l := range c.Labels {
		list.ValueBuilder().(*array.Int8Builder).Append(int8(l))
	}
}
