package pipeline

// Draws count what was drawn for some samples.
type Draws struct {
	Attempts int64            `json:"attempts"`           // draws, retries included
	Dropped  int64            `json:"dropped"`            // samples without a row
	Rejected map[string]int64 `json:"rejected,omitempty"` // draws by the code of a hard gate that failed; a draw may fail several
}

// Rows count what was written of some samples.
type Rows struct {
	Written  int64            `json:"written"`            // rows
	Valid    int64            `json:"valid"`              // rows that pass every hard gate
	Warned   map[string]int64 `json:"warned,omitempty"`   // rows by the code of a warning
	Formless map[string]int64 `json:"formless,omitempty"` // rows left out of an export because its format cannot hold them, by format
}

// An Outcome is what became of the samples of one shard, or of several.
type Outcome struct {
	Shards  int   `json:"shards"`
	Samples int64 `json:"samples"`
	Draws
	Rows

	// Keys stand for the content of the rows, in their order; those of a shard only. Equal rows have equal keys, different
	// ones share one with a probability of 2^-64. Rows beyond the first 50 million samples have none.
	Keys []uint64 `json:"-"`
}

// Add adds the counts of another outcome. It leaves keys out.
func (o *Outcome) Add(b Outcome) {
	o.Shards += b.Shards
	o.Samples += b.Samples
	o.Attempts += b.Attempts
	o.Dropped += b.Dropped
	o.Written += b.Written
	o.Valid += b.Valid
	addCounts(&o.Rejected, b.Rejected)
	addCounts(&o.Warned, b.Warned)
	addCounts(&o.Formless, b.Formless)
}

func addCounts(to *map[string]int64, from map[string]int64) {
	for k, n := range from {
		if *to == nil {
			*to = make(map[string]int64)
		}
		(*to)[k] += n
	}
}

// ValidShare is the share of the draws that passed every hard gate, 0 to 1. A dataset made with Resample holds valid
// rows only, so this, not Valid/Written, tells how good the model is.
func (o *Outcome) ValidShare() float64 { return validShare(o.Draws, o.Rows) }

func validShare(d Draws, r Rows) float64 {
	if d.Attempts == 0 {
		return 0
	}
	return float64(r.Valid) / float64(d.Attempts) // a valid draw always becomes a row
}
