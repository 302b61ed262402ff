package antibody

import (
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"pfgmgen/domains"
	"pfgmgen/validate"
)

var _ domains.Row = (*row)(nil)

// A row is one decoded sample and what the gates need to know of it.
type row struct {
	s          *settings
	chains     []*domain // of s.sides()
	label      int       // -1 for none
	disordered int       // residues behind a gap of their region
	finite     bool      // of the sample

	margin, entropy float32
	verdict         validate.Verdict
}

// A domain is one decoded variable domain.
type domain struct {
	side  side
	parts parts
	seq   string
}

func newDomain(s side, p parts) *domain { return &domain{side: s, parts: p, seq: p.sequence()} }

func (r *row) Verdict() validate.Verdict             { return r.verdict }
func (r *row) Confidence() (margin, entropy float32) { return r.margin, r.entropy }

// Key is the sequence, of pairs the heavy and the light one with a colon between.
func (r *row) Key() string {
	var texts []string
	for _, c := range r.chains {
		texts = append(texts, c.seq)
	}
	return strings.Join(texts, ":")
}

func newFields(s *settings) (fields []arrow.Field) {
	for i := range s.sides() {
		suffix := []string{"", "_light"}[i]
		fields = append(fields, arrow.Field{Name: "sequence_aa" + suffix, Type: arrow.BinaryTypes.String, Nullable: true})
		for _, name := range regionNames {
			fields = append(fields, arrow.Field{Name: name + "_aa" + suffix, Type: arrow.BinaryTypes.String, Nullable: true})
		}
	}
	return fields
}

func (r *row) Append(b []array.Builder) {
	i := 0
	for _, c := range r.chains {
		b[i].(*array.StringBuilder).Append(c.seq)
		i++
		for _, p := range c.parts {
			b[i].(*array.StringBuilder).Append(p)
			i++
		}
	}
}
