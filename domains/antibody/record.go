package antibody

import (
	"fmt"
	"strings"
)

// Bounds on what is read.
const (
	maxLetters  = 1 << 14 // of one sequence: a transcript with its leader and constant region has some 1,500
	maxResidues = 1 << 29 // of all
	maxRecords  = 1 << 23
)

// A chain is one variable domain, as read and then numbered.
type chain struct {
	seq    string // empty when the record has no such chain
	parts  parts
	placed bool   // parts are known
	locus  string // IGH, IGK, IGL, or empty while unknown
	family string // of the V gene, as IGHV3, or empty while unknown

	nucleotides bool // seq is not translated yet
	trimmed     bool // residues before or behind the domain were cut off
	foreign     bool // a heavy chain in a light chain's place, or the other way round
}

// A record is one cell, clone or sequence.
type record struct {
	id    string
	where string // for errors: file and record number
	cell  string // file and cell_id, or empty when the input names no cells
	split string // train, valid, test, or empty when the input has none
	// single says that the text in chain[heavy] is of a side that is not known yet.
	single bool
	chain  [sides]chain
}

// An input is what the data files hold together.
type input struct {
	records  []record
	letters  int
	license  string
	sources  []string       // one phrase per file
	dropped  map[string]int // records left out in reading, by reason
	reasons  []string       // the keys of dropped in the order of their first record
	withPart int            // records that name a split
}

func (in *input) drop(reason string) {
	if in.dropped == nil {
		in.dropped = make(map[string]int)
	}
	if in.dropped[reason]++; in.dropped[reason] == 1 {
		in.reasons = append(in.reasons, reason)
	}
}

// add keeps one record whose chains' seq are texts as read.
func (in *input) add(r record) error {
	found := false
	for s := range r.chain {
		c := &r.chain[s]
		if c.seq == "" {
			continue
		}
		if c.nucleotides = isNucleotides(c.seq); c.nucleotides {
			found = true
			if in.letters += len(c.seq); len(c.seq) > 4*maxLetters {
				return fmt.Errorf("antibody: %s: %d bases, at most %d are supported", r.where, len(c.seq), 4*maxLetters)
			}
			continue
		}
		seq, unclear, bad := clean(c.seq)
		switch {
		case bad > 0:
			return fmt.Errorf("antibody: %s, position %d of the %s chain: %q is no letter of a protein", r.where, bad, side(s), c.seq[bad-1])
		case len(c.seq) > maxLetters:
			return fmt.Errorf("antibody: %s: %d letters, at most %d are supported", r.where, len(c.seq), maxLetters)
		case unclear:
			in.drop("with letters other than the 20 amino acids (AB_ALPHABET)")
			return nil
		}
		c.seq = seq
		found = found || seq != ""
		if c.placed && c.parts.sequence() != seq {
			c.placed, c.parts = false, parts{}
		}
		in.letters += len(seq)
	}
	if !found {
		return fmt.Errorf("antibody: %s has no residues; remove the record", r.where)
	}
	if in.letters > maxResidues || len(in.records) == maxRecords {
		return fmt.Errorf("antibody: %s: too much data: over %d letters or %d records", r.where, maxResidues, maxRecords)
	}
	if r.split != "" {
		in.withPart++
	}
	in.records = append(in.records, r)
	return nil
}

// familyOf is the family of a gene or allele name: IGHV3 of IGHV3-23*04, and of the first of several. It is empty when
// the name is none of a V gene.
func familyOf(call string) string {
	call, _, _ = strings.Cut(strings.ToUpper(strings.TrimSpace(call)), ",")
	if len(call) < 5 || call[:2] != "IG" || !strings.ContainsRune("HKL", rune(call[2])) || call[3] != 'V' {
		return ""
	}
	end := 4
	for end < len(call) && call[end] >= '0' && call[end] <= '9' {
		end++
	}
	if end == 4 || end > 6 {
		return ""
	}
	return call[:end]
}
