package graphs

import (
	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"pfgmgen/internal/chem"
	"pfgmgen/internal/graph"
	"pfgmgen/validate"
)

// A row is one decoded and checked sample.
type row struct {
	g         *graph.Graph
	m         *chem.Molecule // nil for other graphs
	hydrogens []uint8        // as the model says, unused without atoms
	finite    bool

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

var edgeType = arrow.StructOf(
	arrow.Field{Name: "u", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
	arrow.Field{Name: "v", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
	arrow.Field{Name: "t", Type: arrow.PrimitiveTypes.Int8, Nullable: true},
)

// fields are the columns, in the order in which Append fills them.
func (a *adapter) fields() []arrow.Field {
	return []arrow.Field{
		{Name: "n_nodes", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
		{Name: "n_edges", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
		{Name: "edges", Type: arrow.ListOf(edgeType), Nullable: true},
		{Name: "node_labels", Type: arrow.ListOf(arrow.PrimitiveTypes.Int8), Nullable: true},
	}
}

// Append fills the columns of fields.
func (r *row) Append(b []array.Builder) {
	b[0].(*array.Int32Builder).Append(int32(r.g.N))
	b[1].(*array.Int32Builder).Append(int32(len(r.g.Edges)))
	list := b[2].(*array.ListBuilder)
	list.Append(true)
	edge := list.ValueBuilder().(*array.StructBuilder)
	for _, e := range r.g.Edges {
		edge.Append(true)
		edge.FieldBuilder(0).(*array.Int32Builder).Append(int32(e.U))
		edge.FieldBuilder(1).(*array.Int32Builder).Append(int32(e.V))
		edge.FieldBuilder(2).(*array.Int8Builder).Append(int8(e.Type))
	}
	labels := b[3].(*array.ListBuilder)
	if r.g.Labels == nil {
		labels.AppendNull()
		return
	}
	labels.Append(true)
	for _, l := range r.g.Labels {
		n := int8(int(l) - labelShift)
		if r.m != nil {
			n = int8(atomOf(l).Element)
		}
		labels.ValueBuilder().(*array.Int8Builder).Append(n)
	}
}
