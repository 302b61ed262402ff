//go:build ignore

// This program makes profiles.tsv and germlines.tsv in its own folder. From the project's root:
//
//	go run domains/antibody/profiles/make.go
//
// It reads the training parts of the two shared sets of human antibodies, from Observed Antibody Space (CC BY 4.0;
// Olsen, Boyles, Deane 2022, doi 10.1002/pro.4205): Jaffe et al. 2022 (doi 10.1038/s41586-022-05371-z, heavy and light
// chains of one donor) and Bernat et al. 2019 (doi 10.3389/fimmu.2019.00660, heavy chains of one donor).
//
// profiles.tsv has a hidden Markov model of each locus over the 128 columns of IMGT. The columns of residues up to Cys 104
// are those of the data; CDR3 is laid out by IMGT's symmetric rule, and FR4 begins at column 118. A record counts by one
// over the square root of the number of records with its V gene, so that rare genes are seen too.
//
// germlines.tsv has the most frequent residue of each column of each V gene with enough records: nearly its germline.
package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"log"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pfgmgen/internal/splits"
)

const (
	data     = "../shared/data/antibody"
	out      = "domains/antibody/profiles"
	alphabet = "ACDEFGHIKLMNPQRSTVWY"
	columns  = 128

	// Weights of the prior against the data's, which are brought to `weight` in each column: the data are two people's,
	// so the profile is kept from believing that what it has not seen does not exist.
	weight, prior = 60, 6
	minGermline   = 25 // records of a gene
)

// background is the composition of UniProtKB/Swiss-Prot, release 2024, in per cent.
var background = [20]float64{8.25, 1.38, 5.46, 6.71, 3.86, 7.07, 2.27, 5.91, 5.80, 9.64, 2.41, 4.06, 4.74, 3.93, 5.52, 6.65, 5.36, 6.85, 1.10, 2.92}

// A domain is one sequence on the columns.
type domain struct {
	text    [columns]byte // '-' for none
	inserts int           // residues between columns 111 and 112
	gene    string
}

func main() {
	log.SetFlags(0)
	byLocus := make(map[string][]domain)
	add := func(gene, columns, third, fourth string) {
		if columns == "" || gene == "" {
			return
		}
		d, ok := layOut(columns[:104], third, fourth)
		if !ok {
			return
		}
		d.gene = gene
		byLocus[gene[:3]] = append(byLocus[gene[:3]], d)
	}
	read("oas_jaffe2022_paired/paired_vh_vl.tsv.gz", func(field func(string) string) {
		add(field("vh_gene"), field("vh_imgt104"), field("cdrh3"), field("vh_fr4"))
		add(field("vl_gene"), field("vl_imgt104"), field("cdrl3"), field("vl_fr4"))
	})
	read("oas_bernat2019_igg_imgt/vh_imgt.tsv.gz", func(field func(string) string) {
		add(field("vh_gene"), field("imgt128"), field("cdrh3"), strings.ReplaceAll(field("imgt128")[117:], "-", ""))
	})
	var profiles, germlines bytes.Buffer
	fmt.Fprintln(&profiles, "# Made by make.go from Observed Antibody Space data (CC BY 4.0), see there. Hundredths of a bit: log-odds of the residues")
	fmt.Fprintln(&profiles, "# against the composition of proteins, and logarithms of the transitions out of the column's match, insert and deletion.")
	fmt.Fprintf(&profiles, "locus\tcolumn\t%s\tmm\tmd\tmi\tim\tii\tdm\tdd\n", strings.Join(strings.Split(alphabet, ""), "\t"))
	fmt.Fprintln(&germlines, "# Made by make.go from Observed Antibody Space data (CC BY 4.0), see there. Most frequent residue in IMGT columns 1 to 104.")
	fmt.Fprintln(&germlines, "gene\trecords\tcolumns")
	for _, locus := range slices.Sorted(maps.Keys(byLocus)) {
		writeProfile(&profiles, locus, byLocus[locus])
		writeGermlines(&germlines, byLocus[locus])
		log.Printf("%s: %d records", locus, len(byLocus[locus]))
	}
	for name, b := range map[string]*bytes.Buffer{"profiles.tsv": &profiles, "germlines.tsv": &germlines} {
		if err := os.WriteFile(filepath.Join(out, name), b.Bytes(), 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

// read calls f with each training record.
func read(path string, f func(field func(string) string)) {
	file, err := os.Open(filepath.Join(data, path))
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	z, err := gzip.NewReader(file)
	if err != nil {
		log.Fatal(err)
	}
	t, err := splits.NewTable(z, path, nil)
	if err != nil {
		log.Fatal(err)
	}
	for {
		field, err := t.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			log.Fatal(err)
		}
		if field("split") == splits.Train {
			f(field)
		}
	}
}

// layOut places CDR3 by IMGT's rule: the first half, rounded up, from column 105 on, the rest up to column 117; beyond
// 13 residues 7 and 6 of them, the others between columns 111 and 112.
func layOut(first, third, fourth string) (d domain, ok bool) {
	if len(fourth) > columns-117 {
		return d, false
	}
	copy(d.text[:], strings.Repeat("-", columns))
	copy(d.text[:], first)
	left, right := (len(third)+1)/2, len(third)/2
	if len(third) > 13 {
		left, right, d.inserts = 7, 6, len(third)-13
	}
	copy(d.text[104:], third[:left])
	copy(d.text[117-right:], third[len(third)-right:])
	copy(d.text[117:], fourth)
	return d, true
}

func inLoop(column int) bool {
	return column >= 27 && column <= 38 || column >= 56 && column <= 65 || column >= 105 && column <= 117
}

func writeProfile(w io.Writer, locus string, all []domain) {
	genes := make(map[string]float64)
	for _, d := range all {
		genes[d.gene]++
	}
	var total float64
	var residues [columns][20]float64
	const mm, md, mi, im, ii, dm, dd = 0, 1, 2, 3, 4, 5, 6
	var moves [columns][7]float64
	for _, d := range all {
		share := 1 / math.Sqrt(genes[d.gene])
		total += share
		for c, letter := range d.text {
			k := strings.IndexByte(alphabet, letter)
			if k >= 0 {
				residues[c][k] += share
			}
			next := c+1 < columns && d.text[c+1] != '-'
			switch {
			case k >= 0 && c == 110 && d.inserts > 0:
				moves[c][mi] += share
				moves[c][im] += share
				moves[c][ii] += share * float64(d.inserts-1)
			case k >= 0 && (next || c+1 == columns):
				moves[c][mm] += share
			case k >= 0:
				moves[c][md] += share
			case next || c+1 == columns:
				moves[c][dm] += share
			default:
				moves[c][dd] += share
			}
		}
	}
	var backgroundSum float64
	for _, p := range background {
		backgroundSum += p
	}
	bits := func(x float64) int { return int(math.Round(100 * math.Log2(x))) }
	for c := range columns {
		fmt.Fprintf(w, "%s\t%d", locus, c+1)
		for k := range 20 {
			q := background[k] / backgroundSum
			p := (weight*residues[c][k]/total + prior*q) / (weight*sum(residues[c][:])/total + prior)
			fmt.Fprintf(w, "\t%d", bits(p/q))
		}
		// The prior: a gap once in 200 columns of a framework and once in 20 of a loop.
		open, insert := 0.005, 0.005
		if inLoop(c + 1) {
			open, insert = 0.05, 0.02
		}
		const p = 4
		for _, state := range [][]struct {
			move  int
			prior float64
		}{
			{{mm, 1 - open - insert}, {md, open}, {mi, insert}},
			{{im, 0.5}, {ii, 0.5}},
			{{dm, 0.5}, {dd, 0.5}},
		} {
			var n float64
			for _, m := range state {
				n += moves[c][m.move]
			}
			for _, m := range state {
				fmt.Fprintf(w, "\t%d", bits((weight*moves[c][m.move]/total+p*m.prior)/(weight*n/total+p)))
			}
		}
		fmt.Fprintln(w)
	}
}

func sum(v []float64) (s float64) {
	for _, x := range v {
		s += x
	}
	return s
}

// writeGermlines writes the genes by falling number of records.
func writeGermlines(w io.Writer, all []domain) {
	genes := make(map[string][]domain)
	for _, d := range all {
		genes[d.gene] = append(genes[d.gene], d)
	}
	names := slices.Sorted(maps.Keys(genes))
	slices.SortStableFunc(names, func(a, b string) int { return len(genes[b]) - len(genes[a]) })
	for _, name := range names {
		if len(genes[name]) < minGermline {
			continue
		}
		var text []byte
		for c := range 104 {
			var counts [256]int
			for _, d := range genes[name] {
				counts[d.text[c]]++
			}
			best := byte('-')
			for letter, n := range counts {
				if n > counts[best] {
					best = byte(letter)
				}
			}
			text = append(text, best)
		}
		fmt.Fprintf(w, "%s\t%d\t%s\n", name, len(genes[name]), text)
	}
}
