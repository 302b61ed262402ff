package temporal

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Work is what a worker does. All methods may be called again for the same spec after a crash, and by several workers at
// once. They return soon after the end of the context; what is not whole by then must not look finished.
type Work interface {
	// Prepare writes the plan of the spec into its place, or checks that it is there, and says what is to be done.
	Prepare(ctx context.Context, spec Spec) (Outline, error)
	// Shard makes one shard. It calls beat with the number of samples that it is done with, from one goroutine at a time, now
	// and then and at least every half hour. The spec has the hash of the plan.
	Shard(ctx context.Context, spec Spec, shard int, beat func(samplesDone int64)) (ShardResult, error)
	// Finalize commits the dataset. All shards are finished.
	Finalize(ctx context.Context, spec Spec) (Summary, error)
}

// A Spec says which dataset to make. It goes over the wire and into histories, so it holds references only.
type Spec struct {
	Settings    map[string]string `json:"settings"`              // of pfgmgen run, by the names of its flags, as text; always with Out
	Device      string            `json:"device"`                // class, such as cpu
	ModelSHA256 string            `json:"model_sha256"`          // that the settings meant where the run was submitted
	PlanSHA256  string            `json:"plan_sha256,omitempty"` // empty when the settings depend on the time of a schedule, until the run is prepared
}

// Out is the setting that names the place of the dataset.
const Out = "out"

// maxSpec bounds the JSON of a spec: an activity for each of 100 shards is scheduled in one message, which may have 4 MB.
const maxSpec = 16 << 10

func (s Spec) check() error {
	data, err := json.Marshal(s)
	switch {
	case err != nil:
		return fmt.Errorf("temporal: settings: %w", err)
	case len(data) > maxSpec:
		return fmt.Errorf("temporal: the settings are %d bytes of JSON, at most %d are allowed; put long lists, such as labels, into fewer words", len(data), maxSpec)
	case s.Settings[Out] == "" || s.Device == "":
		return fmt.Errorf("temporal: the settings name no place (%q) or no class of device (%q); both are needed", s.Settings[Out], s.Device)
	}
	return nil
}

// An Outline is what Prepare has to say.
type Outline struct {
	RunID       string `json:"run_id"`
	PlanSHA256  string `json:"plan_sha256"`
	Shards      int    `json:"shards"`       // of the dataset
	Samples     int64  `json:"samples"`      // of the dataset
	SamplesDone int64  `json:"samples_done"` // of the shards that are finished
	Missing     Shards `json:"missing"`      // shards that are not

	// MinValid is the share of valid draws below which a run that a schedule started fails when the dataset is finished. Who
	// submits a run judges it himself.
	MinValid float64 `json:"min_valid,omitempty"`
}

// A ShardResult is what is known of a finished shard.
type ShardResult struct {
	Samples int64 `json:"samples"` // of the plan, whether their rows were written or not
}

// A Summary is what is known of a finished dataset.
type Summary struct {
	Out        string  `json:"out"`
	RunID      string  `json:"run_id"`
	Rows       int64   `json:"rows"`
	Distinct   int64   `json:"distinct"`
	Parts      int     `json:"parts"`
	Bytes      int64   `json:"bytes"`
	Draws      int64   `json:"draws"`
	ValidShare float64 `json:"valid_share"` // of the draws
}

// Shards are numbers of shards, increasing. Their JSON is a text of ranges such as "0-99,101", at most 300 kB for any of
// 100,000 shards.
type Shards []int

// maxShards bounds what a text of ranges may ask for.
const maxShards = 1 << 20

// MarshalText writes the ranges. It panics when the numbers do not increase.
func (s Shards) MarshalText() ([]byte, error) {
	var out []byte
	for i := 0; i < len(s); {
		j := i
		for j+1 < len(s) && s[j+1] == s[j]+1 {
			j++
		}
		if s[i] < 0 || j+1 < len(s) && s[j+1] <= s[j] {
			panic(fmt.Sprintf("temporal: shards %v do not increase from 0", s[i:min(len(s), j+2)]))
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = strconv.AppendInt(out, int64(s[i]), 10)
		if j > i {
			out = strconv.AppendInt(append(out, '-'), int64(s[j]), 10)
		}
		i = j + 1
	}
	return out, nil
}

// UnmarshalText reads what MarshalText writes.
func (s *Shards) UnmarshalText(text []byte) error {
	*s = nil
	if len(text) == 0 {
		return nil
	}
	next := 0
	for _, item := range strings.Split(string(text), ",") {
		from, to, isRange := strings.Cut(item, "-")
		if !isRange {
			to = from
		}
		a, errA := strconv.Atoi(from)
		b, errB := strconv.Atoi(to)
		if errA != nil || errB != nil || a < next || b < a || b >= maxShards {
			return fmt.Errorf("temporal: shards: %.40q is no range of shards after %d and below %d", item, next-1, maxShards)
		}
		for ; a <= b; a++ {
			*s = append(*s, a)
		}
		next = b + 1
	}
	return nil
}

// cut divides shards into consecutive sets of at most size.
func (s Shards) cut(size int) []Shards {
	var out []Shards
	for len(s) > 0 {
		n := min(size, len(s))
		out, s = append(out, s[:n]), s[n:]
	}
	return out
}
