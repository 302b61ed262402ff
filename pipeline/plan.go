package pipeline

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"pfgmgen/sampler"
)

// Version is the version of the plan record and of what it means: equal plans of one version make equal rows with equal
// provider, build and machine. In version 1 sample ids depended on the number of samples.
const Version = 2

// What happens to rows that a hard gate rejects.
const (
	Resample = "resample" // draw the sample again, up to MaxAttempts times in all, then drop it
	Drop     = "drop"     // leave it out
	Keep     = "keep"     // write it with valid = false
)

// Bounds of a plan.
const (
	MaxShards   = 100000    // part names have five digits
	MaxBatch    = 1 << 20   // rows of a micro-batch
	MaxAttempts = 1 << 16   // draws of one sample
	maxPlanJSON = 16 << 20  // bytes of a plan record
	maxState    = 1 << 31   // coordinates of a micro-batch
	maxSeed     = 1<<63 - 1 // the seed column is an int64
)

// A Plan is everything that decides the rows of a dataset and how they are cut into parts. What does not, such as the
// number of workers, is not in it. Names in JSON are those of the command's flags.
type Plan struct {
	Version     int       `json:"plan_version"`
	Domain      string    `json:"domain"`
	Model       Model     `json:"model"`
	NumSamples  int64     `json:"num_samples"`
	Seed        uint64    `json:"seed"` // at most 2^63-1
	Solver      string    `json:"solver"`
	Steps       int       `json:"steps"`
	SigmaMin    float64   `json:"sigma_min"`
	SigmaMax    float64   `json:"sigma_max"`
	Rho         float64   `json:"rho"`
	Guidance    float64   `json:"guidance"` // 1 is none
	Labels      []string  `json:"labels,omitempty"`
	LabelCounts []int64   `json:"label_counts,omitempty"`
	LabelShares []float64 `json:"label_shares,omitempty"` // probability of each label; samples draw their own
	Batch       int       `json:"batch"`                  // rows of a micro-batch
	Invalid     string    `json:"invalid"`
	MaxAttempts int       `json:"max_attempts"` // draws of one sample; 1 unless Invalid is Resample
	ShardRows   int64     `json:"shard_rows"`
	Format      string    `json:"format"`         // of the parts
	Also        []string  `json:"also,omitempty"` // plain formats beside them
	Provider    string    `json:"provider"`       // kind of device: cpu, cuda; the bits depend on it
}

// Model is what a plan says of the model: the hash that identifies it and, for people, what the hash stands for.
type Model struct {
	SHA256 string `json:"sha256"` // of the file, hex
	D      string `json:"d"`      // augmented dimensions; "inf" for EDM
	Free   int    `json:"n"`      // N of PFGM++
	Size   int    `json:"size"`   // coordinates of a sample
}

// FormatD is D as plans and model files write it.
func FormatD(d float64) string {
	if math.IsInf(d, 1) {
		return "inf"
	}
	return strconv.FormatFloat(d, 'g', -1, 64)
}

// Validate reports every setting that is out of range or contradicts another.
func (p Plan) Validate() error {
	var faults []string
	need := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Sprintf(format, args...))
		}
	}
	need(p.Version == Version, "plan_version is %d, this build knows %d", p.Version, Version)
	need(p.Domain != "", "domain is empty")
	need(isSHA256(p.Model.SHA256), "model.sha256 is %.80q, want 64 hex digits", p.Model.SHA256)
	need(p.Model.Size > 0 && p.Model.Free > 0, "model has %d coordinates, %d of them free, want 1 or more", p.Model.Size, p.Model.Free)
	need(p.NumSamples >= 1, "num_samples is %d, want at least 1", p.NumSamples)
	need(p.NumSamples <= sampler.MaxIndex, "num_samples is %d, want at most %d", p.NumSamples, int64(sampler.MaxIndex))
	need(p.Seed <= maxSeed, "seed is %d, want at most %d", p.Seed, uint64(maxSeed))
	need(p.Guidance > 0 && !math.IsInf(p.Guidance, 1), "guidance is %g, want a positive finite number, 1 for none", p.Guidance)
	need(p.Batch >= 1 && p.Batch <= MaxBatch, "batch is %d, want 1 to %d", p.Batch, MaxBatch)
	need(p.Model.Size <= 0 || p.Batch <= maxState/p.Model.Size, "batch is %d samples of %d coordinates, want at most %d coordinates together",
		p.Batch, p.Model.Size, maxState)
	need(p.Invalid == Resample || p.Invalid == Drop || p.Invalid == Keep, "invalid is %q, want resample, drop or keep", p.Invalid)
	need(p.MaxAttempts >= 1 && p.MaxAttempts <= MaxAttempts, "max_attempts is %d, want 1 to %d", p.MaxAttempts, MaxAttempts)
	need(p.MaxAttempts == 1 || p.Invalid == Resample, "max_attempts is %d, want 1 when invalid is %s", p.MaxAttempts, p.Invalid)
	need(p.ShardRows >= 1, "shard_rows is %d, want at least 1", p.ShardRows)
	if p.ShardRows >= 1 && p.NumSamples >= 1 {
		need((p.NumSamples-1)/p.ShardRows < MaxShards, "shard_rows is %d, which makes more than %d parts of %d rows; want at least %d",
			p.ShardRows, MaxShards, p.NumSamples, (p.NumSamples-1)/MaxShards+1)
	}
	need(p.Format != "", "format is empty")
	need(p.Provider != "", "provider is empty")
	faults = append(faults, p.labelFaults()...)
	if _, err := sampler.SolverByName(p.Solver); err != nil {
		faults = append(faults, strings.TrimPrefix(err.Error(), "sampler: "))
	}
	if _, err := sampler.Karras(p.Steps, p.SigmaMin, p.SigmaMax, p.Rho); err != nil {
		faults = append(faults, strings.TrimPrefix(err.Error(), "sampler: "))
	}
	if len(faults) > 0 {
		return fmt.Errorf("pipeline: plan: %s", strings.Join(faults, "; "))
	}
	return nil
}

func isSHA256(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == sha256.Size && strings.ToLower(s) == s
}

// JSON is the canonical record of the plan: one object, keys in alphabetical order, no white space. It panics when a
// number of the plan is not finite, which Validate refuses.
func (p Plan) JSON() []byte {
	var plain bytes.Buffer
	enc := json.NewEncoder(&plain)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(p); err != nil {
		panic("pipeline: plan: " + err.Error())
	}
	tree, err := decodeTree(plain.Bytes())
	if err != nil {
		panic("pipeline: plan: " + err.Error()) // it was encoded a moment ago
	}
	var sorted bytes.Buffer // maps are encoded with their keys in order
	enc = json.NewEncoder(&sorted)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(tree); err != nil {
		panic("pipeline: plan: " + err.Error())
	}
	return bytes.TrimSuffix(sorted.Bytes(), []byte("\n"))
}

// decodeTree reads JSON without rounding its numbers.
func decodeTree(b []byte) (map[string]any, error) {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var tree map[string]any
	if err := dec.Decode(&tree); err != nil {
		return nil, err
	}
	return tree, nil
}

// SHA256 is the hash of JSON, hex.
func (p Plan) SHA256() string {
	sum := sha256.Sum256(p.JSON())
	return hex.EncodeToString(sum[:])
}

// RecipeSHA256 is the hash, hex, of the record of the plan with a number of samples of 0. Plans with equal recipes
// make equal rows for the samples that they share, so a dataset can be extended.
func (p Plan) RecipeSHA256() string {
	p.NumSamples = 0
	return p.SHA256()
}

// RunID is the first 12 digits of RecipeSHA256. Sample ids begin with it.
func (p Plan) RunID() string { return p.RecipeSHA256()[:12] }

// Shards is the number of shards.
func (p Plan) Shards() int { return newLayout(p).shards() }

// Span is the index of a shard's first sample and the one after its last.
func (p Plan) Span(shard int) (first, end int64) { return newLayout(p).span(shard) }

// SampleID is the name of a row for people: the run and the sample's index.
func SampleID(runID string, index int64) string { return fmt.Sprintf("%s-%09d", runID, index) }

// ErrPlan is wrapped when a plan record cannot be read.
var ErrPlan = errors.New("not a plan that this build can read")

// ParsePlan reads a plan record. Unknown settings are an error, for they may decide rows.
func ParsePlan(b []byte) (Plan, error) {
	var p Plan
	if len(b) > maxPlanJSON {
		return p, fmt.Errorf("pipeline: plan record: %w: %d bytes, at most %d are allowed", ErrPlan, len(b), maxPlanJSON)
	}
	var head struct {
		Version int `json:"plan_version"`
	}
	if err := json.Unmarshal(b, &head); err != nil {
		return p, fmt.Errorf("pipeline: plan record: %w: %w", ErrPlan, err)
	}
	if head.Version != Version {
		return p, fmt.Errorf("pipeline: plan record: %w: plan_version is %d, this build knows %d", ErrPlan, head.Version, Version)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&p); err != nil {
		return p, fmt.Errorf("pipeline: plan record: %w: %w", ErrPlan, err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return p, fmt.Errorf("pipeline: plan record: %w: something follows the JSON object", ErrPlan)
	}
	if err := p.Validate(); err != nil {
		return p, fmt.Errorf("%w: %w", ErrPlan, err)
	}
	return p, nil
}
