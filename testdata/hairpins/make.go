//go:build ignore

// This program makes hairpins.sto, hairpins.tsv, hairpins.fa and hairpins.onnx in its own folder. From the project's root:
//
//	go run testdata/hairpins/make.go
//
// The sequences are invented: 64 hairpins of a 6-pair stem around a loop of 4 to 8 residues, drawn from a fixed seed, of
// which a few have a GU pair. hairpins.onnx is the exact denoiser of their training part (training.ExportPosterior), a
// model without any training: what it samples are the training hairpins themselves.
package main

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"pfgmgen/domains"
	"pfgmgen/domains/rna"
	"pfgmgen/sampler"
	"pfgmgen/training"
)

const (
	dir   = "testdata/hairpins"
	count = 64
	stem  = 6
	loop  = 8
)

func main() {
	log.SetFlags(0)
	r := rand.New(rand.NewPCG(2302, 4265))
	var sto, tsv, fa bytes.Buffer
	structure := strings.Repeat("(", stem) + strings.Repeat(".", loop) + strings.Repeat(")", stem)
	fmt.Fprintln(&sto, "# STOCKHOLM 1.0\n#=GF ID hairpins")
	fmt.Fprintln(&tsv, "id\tsequence\tstructure\tsplit")
	for i := range count {
		row := hairpin(r)
		id := fmt.Sprintf("hairpin%02d", i+1)
		fmt.Fprintf(&sto, "%-12s %s\n", id, row)
		var seq, db strings.Builder
		for j := range row {
			if row[j] != '-' {
				seq.WriteByte(row[j])
				db.WriteByte(structure[j])
			}
		}
		split := "train"
		if i%8 == 7 {
			split = "valid"
		}
		fmt.Fprintf(&tsv, "%s\t%s\t%s\t%s\n", id, seq.String(), db.String(), split)
		fmt.Fprintf(&fa, ">%s\n%s\n", id, seq.String())
	}
	cons := strings.NewReplacer("(", "<", ")", ">").Replace(structure)
	fmt.Fprintf(&sto, "%-12s %s\n//\n", "#=GC SS_cons", cons)
	write("hairpins.sto", sto.Bytes())
	write("hairpins.tsv", tsv.Bytes())
	write("hairpins.fa", fa.Bytes())

	data, err := rna.Domain{}.Load(context.Background(), domains.LoadOptions{
		Paths: []string{filepath.Join(dir, "hairpins.sto")}, Split: filepath.Join(dir, "hairpins.tsv")})
	check(err)
	shape := data.Adapter.Shape()
	points := make([][]float64, data.Train.Len())
	for i := range points {
		points[i] = make([]float64, shape[0]*shape[1])
		data.Train.Encode(points[i], i)
	}
	model, err := training.ExportPosterior(points, nil, &sampler.Contract{
		Version: sampler.ContractVersion, Domain: "rna", Shape: shape, Free: data.Adapter.Free(), D: 128,
		SigmaData: training.SigmaData, SigmaMin: 0.05, SigmaMax: 40, Rho: 5, Steps: 12,
		Offset: []float64{0}, Scale: []float64{1}, Symmetry: "none", Mask: "none", Guidance: 1,
		License: "Apache-2.0", Source: "invented hairpins of testdata/hairpins", Adapter: data.Adapter.Settings()})
	check(err)
	write("hairpins.onnx", model)
}

// hairpin is one aligned row: the loop is filled from its left end.
func hairpin(r *rand.Rand) string {
	pairs := []string{"GC", "GC", "CG", "CG", "AU", "UA", "GU"}
	left, right := make([]byte, stem), make([]byte, stem)
	for i := range stem {
		p := pairs[r.IntN(len(pairs))]
		left[i], right[stem-1-i] = p[0], p[1]
	}
	n := 4 + r.IntN(loop-3)
	middle := make([]byte, loop)
	for i := range middle {
		middle[i] = '-'
		if i < n {
			middle[i] = "ACGU"[r.IntN(4)]
		}
	}
	return string(left) + string(middle) + string(right)
}

func write(name string, b []byte) { check(os.WriteFile(filepath.Join(dir, name), b, 0o644)) }

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
