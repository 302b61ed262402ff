package antibody

import (
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"pfgmgen/domains"
)

// A column is one of those that every chain has. put appends its value for a chain with at least one residue.
type column struct {
	name, about string
	kind        arrow.DataType
	put         func(b array.Builder, c *domain)
}

var (
	stringType = arrow.BinaryTypes.String
	boolType   = arrow.FixedWidthTypes.Boolean
	int16Type  = arrow.PrimitiveTypes.Int16
	floatType  = arrow.PrimitiveTypes.Float32
	listType   = arrow.ListOf(arrow.BinaryTypes.String)
)

func putText(b array.Builder, s string, known bool) {
	if known {
		b.(*array.StringBuilder).Append(s)
	} else {
		b.AppendNull()
	}
}

func putCount(b array.Builder, n int, known bool) {
	if known {
		b.(*array.Int16Builder).Append(int16(n)) // a chain has at most 164 residues
	} else {
		b.AppendNull()
	}
}

func putReal(b array.Builder, v float64, known bool) {
	if known {
		b.(*array.Float32Builder).Append(float32(v))
	} else {
		b.AppendNull()
	}
}

// chainColumns are the columns of a chain, with the names of the AIRR standard where it has one.
var chainColumns = func() []column {
	columns := []column{
		{"sequence_aa", "string: amino acids of the chain as generated", stringType, func(b array.Builder, c *domain) { putText(b, c.seq, true) }},
		{"locus", "string: IGH, IGK or IGL, whose profile fits best; null when no variable domain is recognised, as are all columns up to hmm_margin_bits but productive", stringType,
			func(b array.Builder, c *domain) { putText(b, loci[c.locus], c.found) }},
		{"productive", "bool: a whole variable domain with Cys 104 and the J motif", boolType, func(b array.Builder, c *domain) { b.(*array.BooleanBuilder).Append(c.productive()) }},
		{"v_call", "string: the V gene whose consensus is nearest by identity", stringType, func(b array.Builder, c *domain) { putText(b, c.gene, c.found) }},
		{"v_identity", "float32: share of the residues up to Cys 104 that agree with it, 0 to 1", floatType, func(b array.Builder, c *domain) { putReal(b, c.identity, c.found) }},
	}
	for r, name := range regionNames {
		columns = append(columns, column{name + "_aa", "string: " + strings.ToUpper(name) + " in IMGT's delimitation", stringType,
			func(b array.Builder, c *domain) { putText(b, c.parts[r], c.found) }})
	}
	columns = append(columns,
		column{"junction_aa", "string: CDR3 with the residues in columns 104 and 118; null when either is missing", stringType,
			func(b array.Builder, c *domain) { putText(b, c.junction(), c.junction() != "") }},
		column{"junction_aa_length", "int16: residues of it", int16Type, func(b array.Builder, c *domain) { putCount(b, len(c.junction()), c.junction() != "") }},
		column{"imgt_numbering", "list of strings: the IMGT number of each residue of sequence_aa, insertions as 111A and 112A, empty outside the domain", listType, func(b array.Builder, c *domain) {
			l := b.(*array.ListBuilder)
			if l.Append(c.found); c.found {
				for _, number := range c.labels {
					l.ValueBuilder().(*array.StringBuilder).Append(number)
				}
			}
		}},
		column{"chain_score_bits", "float32: score of the best profile, bits over random residues", floatType, func(b array.Builder, c *domain) { putReal(b, c.bits, c.found) }},
		column{"hmm_margin_bits", "float32: its lead over the second-best locus, bits", floatType, func(b array.Builder, c *domain) { putReal(b, c.margin, c.found) }},
		column{"pI", "float32: isoelectric point of the chain with reduced cysteines (Bjellqvist's pK), pH", floatType, func(b array.Builder, c *domain) { putReal(b, titrate(c.seq).pI(), true) }},
		column{"charge_ph7", "float32: net charge at pH 7 by the same, units of e", floatType, func(b array.Builder, c *domain) { putReal(b, titrate(c.seq).charge(7), true) }},
		column{"gravy", "float32: mean hydropathy (Kyte and Doolittle), -4.5 to 4.5", floatType, func(b array.Builder, c *domain) { putReal(b, gravy(c.seq), true) }},
		column{"instability", "float32: instability index (Guruprasad et al.), over 40 is unstable", floatType, func(b array.Builder, c *domain) { putReal(b, instability(c.seq), true) }},
		column{"mw", "float32: molecular weight, Da", floatType, func(b array.Builder, c *domain) { putReal(b, mass(c.seq), true) }},
		column{"n_cys", "int16: cysteines", int16Type, func(b array.Builder, c *domain) { putCount(b, strings.Count(c.seq, "C"), true) }},
	)
	for i := range liabilities {
		l := &liabilities[i]
		columns = append(columns,
			column{"liab_" + l.name, "int16: motifs of " + l.about, int16Type, func(b array.Builder, c *domain) { putCount(b, l.count(c.seq, 0, len(c.seq)), true) }},
			column{"liab_" + l.name + "_cdr", "int16: those that begin in a CDR; null without numbering", int16Type, func(b array.Builder, c *domain) {
				n := 0
				for _, r := range []int{cdr1, cdr2, cdr3} {
					n += l.count(c.seq, c.region[r][0], c.region[r][1])
				}
				putCount(b, n, c.found)
			}})
	}
	return columns
}()

// lightSuffix ends the names of the light chain's columns in a row of a pair.
const lightSuffix = "_light"

const totalColumn = "total_cdr_len"

// fields are the columns of every model: those of the heavy chain of a pair, or of the only chain; those of the light chain
// of a pair, else null; and that of the row.
var fields = func() (out []arrow.Field) {
	dictionary := arrow.NewMetadata([]string{"pfgmgen.dictionary"}, []string{"true"})
	for _, suffix := range []string{"", lightSuffix} {
		for _, c := range chainColumns {
			f := arrow.Field{Name: c.name + suffix, Type: c.kind, Nullable: true}
			if c.name == "locus" || c.name == "v_call" {
				f.Metadata = dictionary
			}
			out = append(out, f)
		}
	}
	return append(out, arrow.Field{Name: totalColumn, Type: int16Type, Nullable: true})
}()

// columnItems describes fields.
func columnItems() []domains.Item {
	var out []domains.Item
	for _, c := range chainColumns {
		out = append(out, domains.Item{Name: c.name, About: c.about})
	}
	for _, c := range chainColumns {
		kind, _, _ := strings.Cut(c.about, ":")
		out = append(out, domains.Item{Name: c.name + lightSuffix, About: kind + ": " + c.name + " of the light chain of a pair; null in models of one chain"})
	}
	return append(out, domains.Item{Name: totalColumn, About: "int16: residues of all CDRs of the row, IMGT; null when a chain is not numbered"})
}

// Append fills the columns of fields.
func (r *row) Append(b []array.Builder) {
	for i := range sides {
		for k, c := range chainColumns {
			if at := b[int(i)*len(chainColumns)+k]; int(i) < len(r.chains) && r.chains[i].seq != "" {
				c.put(at, r.chains[i])
			} else {
				at.AppendNull()
			}
		}
	}
	total, known := 0, true
	for _, c := range r.chains {
		known = known && c.found
		for _, p := range []int{cdr1, cdr2, cdr3} {
			total += len(c.parts[p])
		}
	}
	putCount(b[len(fields)-1], total, known)
}
