package antibody

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"pfgmgen/domains"
	"pfgmgen/io/airr"
	"pfgmgen/io/fasta"
	"pfgmgen/validate"
)

var (
	_ domains.Row      = (*row)(nil)
	_ domains.Exporter = (*row)(nil)
)

// A row is one decoded sample and what the gates need to know of it.
type row struct {
	chains     []*domain // of the settings' sides
	label      int       // -1 for none
	disordered int       // residues between gaps of their region
	finite     bool      // of the sample

	margin, entropy float32
	verdict         validate.Verdict
}

// A domain is one decoded chain. Its sequence is what the tensor spells; the numbering is made from that sequence
// alone, so that the columns hold for it wherever it came from.
type domain struct {
	side   side
	seq    string
	tensor parts // the regions as the tensor has them
	*numbering
}

func newDomain(s side, p parts) *domain {
	d := &domain{side: s, seq: p.sequence(), tensor: p}
	d.numbering = numberChain(d.seq)
	return d
}

// at is the residue in a column of IMGT, 0 for none.
func (c *domain) at(column int) byte { return c.columns[column-1] }

// jMotif says whether FR4 begins as the J genes have it: Trp in heavy and Phe in light chains, Gly, any, Gly.
func (c *domain) jMotif() bool {
	first := byte('F')
	if c.locus == 0 {
		first = 'W'
	}
	return c.at(118) == first && c.at(119) == 'G' && c.at(121) == 'G'
}

// junction is empty when there is none.
func (c *domain) junction() string {
	if !c.found || c.at(104) == 0 || c.at(118) == 0 {
		return ""
	}
	return string(c.at(104)) + c.parts[cdr3] + string(c.at(118))
}

func (c *domain) productive() bool { return c.whole() && c.at(104) == 'C' && c.jMotif() }

func (r *row) Verdict() validate.Verdict             { return r.verdict }
func (r *row) Confidence() (margin, entropy float32) { return r.margin, r.entropy }

// Key is the sequence, of pairs the heavy and the light one with a colon between.
func (r *row) Key() string {
	texts := make([]string, len(r.chains))
	for i, c := range r.chains {
		texts[i] = c.seq
	}
	return strings.Join(texts, ":")
}

// Formats of Export.
const (
	formatFASTA = "fasta"
	formatAIRR  = "airr"
)

// Export writes the row as FASTA, a record for each chain, those of pairs as id_heavy and id_light; or as AIRR
// Rearrangement rows, one for each chain, which the cell_id joins, without the header, which ExportHeader writes.
func (r *row) Export(w io.Writer, format, id string) error {
	for _, c := range r.chains {
		name := id
		if len(r.chains) > 1 {
			name += "_" + c.side.String()
		}
		var err error
		switch format {
		case formatFASTA:
			desc := fmt.Sprintf("length=%d", len(c.seq))
			if c.found {
				desc += fmt.Sprintf(" locus=%s v_call=%s", loci[c.locus], c.gene)
			}
			err = fasta.Write(w, fasta.Record{ID: name, Desc: desc, Seq: []byte(c.seq)}, 0)
		case formatAIRR:
			err = layout.WriteRow(w, c.airr(name, id))
		default:
			return fmt.Errorf("antibody: no export as %q, want %s or %s", format, formatFASTA, formatAIRR)
		}
		if err != nil {
			return fmt.Errorf("antibody: %w", err)
		}
	}
	return nil
}

// ExportHeader writes what stands before the first row of an export: the line of names of AIRR, nothing of FASTA.
func (a *adapter) ExportHeader(w io.Writer, format string) error {
	if format != formatAIRR {
		return nil
	}
	if err := layout.WriteHeader(w); err != nil {
		return fmt.Errorf("antibody: %w", err)
	}
	return nil
}

// layout is the columns of an AIRR export. The required ones that speak of nucleotides stay null, as the standard
// allows; stop_codon and vj_in_frame follow from a sequence of amino acids.
var layout = func() *airr.Layout {
	names := []string{"sequence_aa", "locus", "stop_codon", "vj_in_frame", "v_identity", "junction_aa_length"}
	for _, name := range regionNames {
		names = append(names, name+"_aa")
	}
	l, err := airr.NewLayout(append(names, "v_score", "cell_id", "imgt_numbering")...)
	if err != nil {
		panic(err) // the names are those above
	}
	return l
}()

func (c *domain) airr(id, cell string) map[string]string {
	v := map[string]string{"sequence_id": id, "cell_id": cell, "sequence_aa": c.seq, "rev_comp": airr.FormatBool(false),
		"productive": airr.FormatBool(c.productive()), "stop_codon": airr.FormatBool(false)}
	if !c.found {
		return v
	}
	v["vj_in_frame"] = airr.FormatBool(c.at(104) != 0 && c.at(118) != 0)
	v["locus"], v["v_call"] = loci[c.locus], c.gene
	v["v_identity"] = strconv.FormatFloat(c.identity, 'f', 4, 64)
	v["v_score"] = strconv.FormatFloat(c.bits, 'f', 2, 64)
	if j := c.junction(); j != "" {
		v["junction_aa"], v["junction_aa_length"] = j, strconv.Itoa(len(j))
	}
	for r, name := range regionNames {
		v[name+"_aa"] = c.parts[r]
	}
	v["imgt_numbering"] = strings.Join(c.labels, ",")
	return v
}
