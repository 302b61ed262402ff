package pipeline

// A Report is what a finished run did.
type Report struct {
	RunID    string           `json:"run_id"`
	Asked    int64            `json:"asked"`    // samples of the plan
	Written  int64            `json:"written"`  // rows
	Valid    int64            `json:"valid"`    // rows that pass every hard gate
	Attempts int64            `json:"attempts"` // draws, retries included
	Dropped  int64            `json:"dropped"`  // samples without a row
	Rejected map[string]int64 `json:"rejected"` // draws by the code of a hard gate that failed; a draw may fail several
	Warned   map[string]int64 `json:"warned"`   // rows by the code of a warning
	Formless map[string]int64 `json:"formless"` // rows left out of an export because its format cannot hold them, by format

	Distinct   int64 `json:"distinct"`    // different rows among the first DistinctOf
	DistinctOf int64 `json:"distinct_of"` // all rows, up to 50 million

	NFE     int     `json:"nfe"`     // network evaluations for one draw
	Seconds float64 `json:"seconds"` // wall time
	Stages  []Stats `json:"stages"`  // in order

	Retries int64         `json:"retries"` // draws of a sample after its first
	Bytes   int64         `json:"bytes"`   // of the files of the shards, as far as the sink says
	Queues  []QueueStats  `json:"queues"`  // in order
	Devices []DeviceStats `json:"devices"`
}

// RowsPerSecond is the rate of rows written.
func (r *Report) RowsPerSecond() float64 {
	if r.Seconds <= 0 {
		return 0
	}
	return float64(r.Written) / r.Seconds
}

// ValidShare is the share of the draws that passed every hard gate, 0 to 1. A dataset made with Resample holds valid
// rows only, so this, not Valid/Written, tells how good the model is.
func (r *Report) ValidShare() float64 {
	if r.Attempts == 0 {
		return 0
	}
	return float64(r.Valid) / float64(r.Attempts) // a valid draw always becomes a row
}

// Limit is the stage that was busiest for its number of workers: the one that a faster run needs more of. The share is
// its busy time over workers times wall time, 0 to 1.
func (r *Report) Limit() (stage string, share float64) {
	for _, s := range r.Stages {
		if use := s.Busy / (float64(s.Workers) * r.Seconds); r.Seconds > 0 && use > share {
			stage, share = s.Stage, use
		}
	}
	return stage, share
}
