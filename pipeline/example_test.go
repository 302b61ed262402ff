package pipeline_test

import (
	"fmt"
	"strings"

	"pfgmgen/pipeline"
)

// Two plans that differ make different rows; Diff says in what.
func ExampleDiff() {
	there := pipeline.Plan{
		Version: pipeline.Version, Domain: "rna", Model: pipeline.Model{SHA256: strings.Repeat("0", 64), D: "128", Free: 560, Size: 560},
		NumSamples: 1000, Seed: 7, Solver: "heun", Steps: 18, SigmaMin: 0.03, SigmaMax: 40, Rho: 5, Guidance: 1,
		Batch: 16, Invalid: pipeline.Resample, MaxAttempts: 8, ShardRows: 65536, Format: "parquet", Provider: "cpu",
	}
	if err := there.Validate(); err != nil {
		fmt.Println(err)
	}
	here := there
	here.Seed, here.Invalid, here.MaxAttempts = 8, pipeline.Keep, 1
	for _, d := range pipeline.Diff(there, here) {
		fmt.Println(d)
	}
	fmt.Println(there.RunID() == here.RunID())
	// Output:
	// invalid: "resample" against "keep"
	// max_attempts: 8 against 1
	// seed: 7 against 8
	// false
}
