package images

import (
	"testing"

	"pfgmgen/domains"
)

func BenchmarkDecode(b *testing.B) {
	d := load(b, domains.LoadOptions{Paths: []string{cells}})
	x := make([]float64, d.Adapter.Free())
	label := d.Train.Encode(x, 0)
	b.ReportAllocs()
	for b.Loop() {
		d.Adapter.Decode(x, label)
	}
}

func BenchmarkEncode(b *testing.B) {
	d := load(b, domains.LoadOptions{Paths: []string{cells}})
	x := make([]float64, d.Adapter.Free())
	for b.Loop() {
		d.Train.Encode(x, 0)
	}
}
