package antibody

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// imgtColumns is the number of columns of IMGT's unique numbering; residues beyond them are insertions.
const imgtColumns = 128

// loci of human immunoglobulins, in the order of the profiles.
var loci = [3]string{"IGH", "IGK", "IGL"}

// The tables are made by profiles/make.go from Observed Antibody Space data (CC BY 4.0).
var (
	//go:embed profiles/profiles.tsv
	profileTable string
	//go:embed profiles/germlines.tsv
	germlineTable string
)

// A profile is a hidden Markov model of one locus over the IMGT columns, counted from 0. Scores are hundredths of a bit,
// shifted left by tagBits; those of moves hold the state that they lead from in the bits below.
type profile struct {
	locus string
	emit  [residues][imgtColumns]int32 // log-odds of a residue in a column against the composition of proteins
	moves [imgtColumns]moves           // out of a column's states
}

// moves are log-probabilities from the match, insert and delete state of a column. A match and a delete lead on to the
// next column.
type moves struct{ mm, md, mi, im, ii, dm, dd int32 }

// A germline is the most frequent residue of each column up to Cys 104 among the training records of one V gene.
type germline struct{ gene, columns string }

// A reference is what chains are compared with.
type reference struct {
	profiles  [len(loci)]profile
	germlines [len(loci)][]germline // frequent genes first
}

// human is the reference of this build.
var human = sync.OnceValue(func() *reference {
	ref, err := parseReference(profileTable, germlineTable)
	if err != nil {
		panic("antibody: the tables of this build are damaged: " + err.Error()) // a test reads them
	}
	return ref
})

func parseReference(profiles, germlines string) (*reference, error) {
	ref := new(reference)
	for i, name := range loci {
		ref.profiles[i].locus = name
	}
	rows := 0
	for fields := range dataLines(profiles) {
		if len(fields) != 2+residues+7 {
			return nil, fmt.Errorf("profiles: %d fields in a row", len(fields))
		}
		var v [1 + residues + 7]int32
		for i, text := range fields[1:] {
			n, err := strconv.ParseInt(text, 10, 16)
			if err != nil {
				return nil, fmt.Errorf("profiles: %w", err)
			}
			v[i] = int32(n)
		}
		k := slices.Index(loci[:], fields[0])
		if k < 0 || int(v[0]) != rows%imgtColumns+1 || k != rows/imgtColumns {
			return nil, fmt.Errorf("profiles: %s column %d out of place", fields[0], v[0])
		}
		p, c := &ref.profiles[k], v[0]-1
		for residue := range residues {
			p.emit[residue][c] = v[1+residue] << tagBits
		}
		m := v[1+residues:]
		from := func(i int, state int32) int32 { return m[i]<<tagBits | state }
		p.moves[c] = moves{from(0, stateM), from(1, stateM), from(2, stateM), from(3, stateI), from(4, stateI), from(5, stateD), from(6, stateD)}
		rows++
	}
	if rows != len(loci)*imgtColumns {
		return nil, fmt.Errorf("profiles: %d rows", rows)
	}
	for fields := range dataLines(germlines) {
		if len(fields) != 3 || len(fields[2]) != imgtStart[cdr3] || familyOf(fields[0]) == "" {
			return nil, fmt.Errorf("germlines: row %.40q", fields)
		}
		k := slices.Index(loci[:], fields[0][:3])
		ref.germlines[k] = append(ref.germlines[k], germline{fields[0], fields[2]})
	}
	for k, g := range ref.germlines {
		if len(g) == 0 {
			return nil, fmt.Errorf("germlines: none of %s", loci[k])
		}
	}
	return ref, nil
}

// dataLines yields the fields of the lines behind the comments and the header.
func dataLines(table string) func(yield func([]string) bool) {
	return func(yield func([]string) bool) {
		header := true
		for line := range strings.Lines(table) {
			if line[0] == '#' {
				continue
			}
			if header {
				header = false
				continue
			}
			if !yield(strings.Split(strings.TrimSuffix(line, "\n"), "\t")) {
				return
			}
		}
	}
}

// nearest is the V gene whose germline agrees with most of the residues, the more frequent one among equals, and the
// share that agrees. columns are the residues in IMGT columns 1 to 104, 0 where there is none.
func (r *reference) nearest(locus int, columns []byte) (gene string, identity float64) {
	best := -1.0
	for _, g := range r.germlines[locus] {
		same, n := 0, 0
		for c := range imgtStart[cdr3] {
			if columns[c] == 0 && g.columns[c] == '-' {
				continue
			}
			n++
			if columns[c] == g.columns[c] {
				same++
			}
		}
		if share := float64(same) / float64(n); share > best {
			best, gene = share, g.gene
		}
	}
	return gene, best
}
