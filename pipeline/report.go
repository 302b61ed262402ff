package pipeline

// A Report is what one run did. A dataset may take several, in one place after another or at the same time.
type Report struct {
	RunID  string `json:"run_id"`
	Shards int    `json:"shards"` // made by this run, as everything below
	Asked  int64  `json:"asked"`  // samples of them
	Draws
	Rows

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

// ValidShare is the share of the draws that passed every hard gate, 0 to 1.
func (r *Report) ValidShare() float64 { return validShare(r.Draws, r.Rows) }

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
