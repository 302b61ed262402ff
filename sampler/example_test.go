package sampler_test

import (
	"context"
	"fmt"

	"pfgmgen/sampler"
	"pfgmgen/sampler/samplertest"
)

// Three samples of a model that knows two data points.
func Example() {
	den := samplertest.NewPoints([][]float64{{-1, 1}, {1, 0}}, nil, 128)
	s, err := sampler.New(den, sampler.Settings{Solver: sampler.Heun{}, Steps: 18})
	if err != nil {
		fmt.Println(err)
		return
	}
	ids := []sampler.ID{{Index: 0}, {Index: 1}, {Index: 2}}
	dst := make([]float64, len(ids)*s.Info().Size)
	nfe, err := s.Sample(context.Background(), dst, 7, ids, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("evaluations:", nfe)
	for k, id := range ids {
		fmt.Printf("sample %d: %.3f\n", id.Index, dst[k*2:k*2+2])
	}
	// Output:
	// evaluations: 35
	// sample 0: [1.000 0.000]
	// sample 1: [-1.000 1.000]
	// sample 2: [-1.000 1.000]
}

func ExampleKarras() {
	s, err := sampler.Karras(5, 0.002, 80, 7)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.4g\n", s)
	// Output: [80 17.53 2.515 0.1698 0.002 0]
}
