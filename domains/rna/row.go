package rna

import (
	"fmt"
	"io"

	"github.com/apache/arrow/go/v15/arrow/array"

	"pfgmgen/domains"
	"pfgmgen/io/fasta"
	"pfgmgen/validate"
)

var (
	_ domains.Row      = (*row)(nil)
	_ domains.Exporter = (*row)(nil)
)

// A row is one decoded sample and what the gates need to know of it.
type row struct {
	seq         string
	structure   string // as long as seq; only when folded
	folded      bool   // there is a consensus structure
	family      string // empty when there is none
	lengths     [2]int // range of RN_LEN
	pairs       pairCounts
	homopolymer int
	complexity  float64
	dropped     int  // residues behind the first pad
	finite      bool // of the sample

	margin, entropy float32
	verdict         validate.Verdict
}

func (r *row) Verdict() validate.Verdict             { return r.verdict }
func (r *row) Confidence() (margin, entropy float32) { return r.margin, r.entropy }

// Key is the sequence.
func (r *row) Key() string { return r.seq }

// Append fills the columns of fields. Shares of nothing are null: gc of an empty sequence, the pair columns without a
// consensus or without a pair.
func (r *row) Append(b []array.Builder) {
	text := func(i int, s string, ok bool) {
		if ok {
			b[i].(*array.StringBuilder).Append(s)
		} else {
			b[i].AppendNull()
		}
	}
	share := func(i int, of func() float64, ok bool) {
		if ok {
			b[i].(*array.Float32Builder).Append(float32(of()))
		} else {
			b[i].AppendNull()
		}
	}
	n := len(r.seq)
	text(0, r.seq, true)
	b[1].(*array.Int32Builder).Append(int32(n))
	share(2, func() float64 { return gcShare(r.seq) }, n > 0)
	text(3, r.structure, r.folded)
	share(4, func() float64 { return 2 * float64(r.pairs.full) / float64(n) }, r.folded && n > 0)
	share(5, r.pairs.share, r.folded && r.pairs.full > 0)
	b[6].(*array.Int32Builder).Append(int32(r.homopolymer))
	share(7, func() float64 { return r.complexity }, true)
	text(8, r.family, r.family != "")
}

// Export writes the row as FASTA: `>id length=72 family=RF00005`, the family when there is one.
func (r *row) Export(w io.Writer, format, id string) error {
	if format != "fasta" {
		return fmt.Errorf("rna: no export as %q, want fasta", format)
	}
	desc := fmt.Sprintf("length=%d", len(r.seq))
	if r.family != "" {
		desc += " family=" + r.family
	}
	return fasta.Write(w, fasta.Record{ID: id, Desc: desc, Seq: []byte(r.seq)}, 80)
}
