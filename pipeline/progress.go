package pipeline

import "time"

// Progress is how far a run has come.
type Progress struct {
	Asked    int64         // samples of the plan
	Done     int64         // samples that are settled: kept or given up
	Drawn    int64         // draws, retries included
	Rejected int64         // draws that failed a hard gate
	Written  int64         // rows given to the sink
	Elapsed  time.Duration // since the run began
}

// An Observer is told of progress after every micro-batch and at the end, one call at a time. The run waits for it.
type Observer interface {
	Observe(Progress)
}
