package antibody

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"pfgmgen/internal/splits"
	"pfgmgen/io/airr"
)

// pairColumns are the names that tables give to a heavy and a light chain of one row: the project's data, OAS, AIRR
// with suffixes, dWJS.
var pairColumns = [][sides]string{
	{"vh", "vl"},
	{"sequence_alignment_aa_heavy", "sequence_alignment_aa_light"},
	{"sequence_aa_heavy", "sequence_aa_light"},
	{"fv_heavy_aho", "fv_light_aho"},
}

// singleColumns are the names of one chain whose side the row may not say, amino acids before nucleotides.
var singleColumns = []string{"sequence_alignment_aa", "sequence_aa", "sequence_alignment", "sequence"}

// readTable adds the rows of a table.
func (in *input) readTable(text io.Reader, path string) (format string, err error) {
	t, err := airr.NewReader(text, path)
	if err != nil {
		return "", fmt.Errorf("antibody: %w", err)
	}
	in.setLicense(t)
	s := sheet{path: path}
	for _, names := range pairColumns {
		if t.Has(names[heavy]) || t.Has(names[light]) {
			s.pair = names
			break
		}
	}
	switch {
	case s.pair[heavy] != "" && t.Has(s.pair[heavy]) && t.Has(s.pair[light]):
		format = "table of pairs"
	case s.pair[heavy] != "":
		format = "table of chains"
	case !slices.ContainsFunc(singleColumns, t.Has):
		return "", fmt.Errorf("antibody: %s: the header has no column with a sequence: vh and vl, or one of %s", path, strings.Join(singleColumns, ", "))
	case len(t.Metadata()) > 0:
		format = "OAS"
	default:
		format = "AIRR"
	}
	rows := 0
	for ; ; rows++ {
		row, err := t.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return "", fmt.Errorf("antibody: %w", err)
		}
		if err := in.addRow(&s, row); err != nil {
			return "", err
		}
	}
	if rows == 0 {
		return "", fmt.Errorf("antibody: %s: a header but no records", path)
	}
	return format, nil
}

// A sheet is what all rows of a table share.
type sheet struct {
	path string
	pair [sides]string // columns of the chains; empty when a row is a single chain
}

// setLicense takes a comment or metadata of the form "license: CC0"; the first one counts.
func (in *input) setLicense(t *airr.Reader) {
	for _, comment := range t.Comments() {
		name, value, found := strings.Cut(comment, ":")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "license", "licence":
			if found && in.license == "" {
				in.license = strings.TrimSpace(value)
			}
		}
	}
}

func (in *input) addRow(s *sheet, row airr.Row) (err error) {
	r := record{id: first(row, "id", "sequence_id", "sequence_id_heavy", "cell_id")}
	r.where = fmt.Sprintf("%s: line %d, record %d (id %s)", s.path, row.Line, row.Number, r.id)
	if part := first(row, "split", "partition"); part != "" {
		if r.split, err = splits.Part(part); err != nil {
			return fmt.Errorf("antibody: %s: %w", r.where, err)
		}
	}
	for _, column := range [...]string{"productive", "vj_in_frame", "stop_codon"} {
		for _, suffix := range [...]string{"", "_heavy", "_light"} {
			truth, known, err := row.Bool(column + suffix)
			if err != nil {
				return fmt.Errorf("antibody: %w", err)
			}
			if known && truth == (column == "stop_codon") {
				in.drop("that are not productive, by their columns productive, vj_in_frame or stop_codon,")
				return nil
			}
		}
	}
	if s.pair[heavy] != "" {
		for side, name := range s.pair {
			r.chain[side].seq = row.Get(name)
		}
	} else {
		r.single = true
		for _, name := range singleColumns {
			if r.chain[heavy].seq = row.Get(name); r.chain[heavy].seq == "" {
				continue
			}
			turned, _, err := row.Bool("rev_comp")
			if err != nil {
				return fmt.Errorf("antibody: %w", err)
			}
			if turned && name == "sequence" {
				r.chain[heavy].seq = reverseComplement(r.chain[heavy].seq)
			}
			break
		}
		if id := row.Get("cell_id"); id != "" {
			r.cell = s.path + "\t" + id
		}
	}
	h, l := &r.chain[heavy], &r.chain[light]
	h.family = familyOf(first(row, "vh_gene", "v_call_heavy", "v_call"))
	l.family = familyOf(first(row, "vl_gene", "v_call_light"))
	place(h, heavy, first(row, "vh_imgt104", "imgt128"), row.Get("cdrh3"), row.Get("vh_fr4"))
	place(l, light, row.Get("vl_imgt104"), row.Get("cdrl3"), row.Get("vl_fr4"))
	return in.add(r)
}

// place takes the regions from IMGT columns, when the row has them and they have the residues that nearly every domain
// has in columns 23, 41 and 104: columns that were found by length alone are off after an indel. in.add forgets the
// regions again when they do not spell the sequence. Chains without them are aligned.
func place(c *chain, s side, columns, third, fourth string) {
	if len(columns) == imgtColumns && fourth == "" {
		fourth = strings.ReplaceAll(columns[imgtStart[fwr4]:], "-", "")
	}
	p, ok := partsOfColumns(columns, third, fourth)
	if !ok || c.family == "" || (c.family[:3] == loci[0]) != (s == heavy) ||
		columns[22] != 'C' || columns[40] != 'W' || columns[103] != 'C' {
		return
	}
	c.parts, c.placed, c.locus = p, true, c.family[:3]
}

// first is the value of the first of the columns that has one.
func first(row airr.Row, columns ...string) string {
	for _, name := range columns {
		if v := row.Get(name); v != "" {
			return v
		}
	}
	return ""
}
