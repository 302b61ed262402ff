package pipeline

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"pfgmgen/domains"
	"pfgmgen/sampler"
	"pfgmgen/sampler/samplertest"
	"pfgmgen/validate"
)

// A word adapter: words of four letters out of three, one-hot at +-0.5. Words in reject fail the hard gate W_BAD; words
// that begin with c get the warning W_C.
type wordAdapter struct {
	labels []string
	reject func(word string) bool
}

func (a *wordAdapter) Shape() []int              { return []int{4, 3} }
func (a *wordAdapter) Free() int                 { return 12 }
func (a *wordAdapter) Labels() []string          { return a.labels }
func (a *wordAdapter) Settings() json.RawMessage { return json.RawMessage("{}") }
func (a *wordAdapter) Fields() []arrow.Field {
	return []arrow.Field{
		{Name: "word", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "x0", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	}
}

func (a *wordAdapter) Decode(x []float64, label int) domains.Row {
	word := make([]byte, 4)
	for i := range word {
		v := x[3*i : 3*i+3]
		best := 0
		for k := range v {
			if v[k] > v[best] {
				best = k
			}
		}
		word[i] = "abc"[best]
	}
	r := &wordRow{word: string(word), x0: x[0]}
	if a.reject != nil && a.reject(r.word) {
		r.verdict.Violations = []string{"W_BAD"}
	}
	if word[0] == 'c' {
		r.verdict.Warnings = []string{"W_C"}
	}
	return r
}

type wordRow struct {
	word    string
	x0      float64 // the bits of the sample must be equal too, not only the word
	verdict validate.Verdict
}

func (r *wordRow) Verdict() validate.Verdict      { return r.verdict }
func (r *wordRow) Confidence() (float32, float32) { return 1, float32(r.x0) }
func (r *wordRow) Key() string                    { return r.word }
func (r *wordRow) Append(b []array.Builder) {
	b[0].(*array.StringBuilder).Append(r.word)
	b[1].(*array.Float64Builder).Append(r.x0)
}
func (r *wordRow) Export(w io.Writer, format, id string) error {
	if format == "scarce" && r.word[0] != 'a' {
		return fmt.Errorf("%s: %w", r.word, domains.ErrNoForm)
	}
	_, err := fmt.Fprintf(w, "%s %s %s\n", format, id, r.word)
	return err
}

// encodeWord is the sample of a word.
func encodeWord(word string) []float64 {
	x := make([]float64, 12)
	for i := range x {
		x[i] = -0.5
		if "abc"[i%3] == word[i/3] {
			x[i] = 0.5
		}
	}
	return x
}

var words = []string{"abca", "bcab", "cabc", "aaaa", "abab", "ccba"}

// wordPoints is the exact denoiser of the words, D = 32.
func wordPoints(classes int) *samplertest.Points {
	var y [][]float64
	var class []int64
	for i, w := range words {
		y = append(y, encodeWord(w))
		class = append(class, int64(i%max(classes, 1)))
	}
	if classes == 0 {
		return samplertest.NewPoints(y, nil, 32)
	}
	return samplertest.NewClasses(y, nil, class, classes, 32)
}

// wordPlan is a plan for the words; change fills in the rest.
func wordPlan(n int64, change func(*Plan)) Plan {
	p := Plan{
		Version: Version, Domain: "words", Model: Model{SHA256: strings.Repeat("ab", 32), D: "32", Free: 12, Size: 12},
		NumSamples: n, Seed: 7, Solver: "heun", Steps: 4, SigmaMin: 0.05, SigmaMax: 20, Rho: 7, Guidance: 1,
		Batch: 8, Invalid: Resample, MaxAttempts: 8, ShardRows: 1 << 20, Format: "test", Provider: "go",
	}
	if change != nil {
		change(&p)
	}
	return p
}

// parts for the words, with workers and a sink.
func wordParts(workers int, sink Sink) Parts {
	return Parts{Denoisers: []sampler.Denoiser{wordPoints(0)}, Adapter: &wordAdapter{}, Workers: workers, Sink: sink}
}

// A memory sink keeps rows as JSON lines, so that it sees content and not the sizes of records.
type memorySink struct {
	shards  []*memoryShard
	failAt  int64 // fail the write that reaches so many rows; 0 never
	commit  error // of every shard
	discard bool  // keep no rows
	slow    time.Duration
	rows    int64
}

type memoryShard struct {
	sink               *memorySink
	index              int
	outcome            Outcome
	lines              bytes.Buffer
	exports            map[string]*bytes.Buffer
	records            []int64 // rows of each
	committed, aborted bool
}

func (s *memorySink) Shard(index int) (Shard, error) {
	sh := &memoryShard{sink: s, index: index, exports: map[string]*bytes.Buffer{}}
	s.shards = append(s.shards, sh)
	return sh, nil
}

var errSink = errors.New("no space left on device")

func (s *memoryShard) Write(rec arrow.Record) error {
	time.Sleep(s.sink.slow)
	s.sink.rows += rec.NumRows()
	if s.sink.failAt > 0 && s.sink.rows >= s.sink.failAt {
		return errSink
	}
	s.records = append(s.records, rec.NumRows())
	if s.sink.discard {
		return nil
	}
	return array.RecordToJSON(rec, &s.lines)
}

func (s *memoryShard) Export(format string) (io.Writer, error) {
	s.exports[format] = &bytes.Buffer{}
	return s.exports[format], nil
}

func (s *memoryShard) Commit(_ context.Context, o Outcome) error {
	s.outcome = o
	if s.sink.commit != nil {
		return s.sink.commit
	}
	s.committed = true
	return nil
}

func (s *memoryShard) Abort() error {
	s.aborted = true
	return nil
}

// text is all committed rows, with shard boundaries.
func (s *memorySink) text() string {
	var b strings.Builder
	for _, sh := range s.shards {
		if sh.committed && !sh.aborted {
			fmt.Fprintf(&b, "shard %d\n%s", sh.index, sh.lines.String())
		}
	}
	return b.String()
}

// lines decodes the committed rows.
func (s *memorySink) decoded(t *testing.T) []map[string]any {
	t.Helper()
	var out []map[string]any
	for _, line := range strings.Split(s.text(), "\n") {
		if line == "" || strings.HasPrefix(line, "shard ") {
			continue
		}
		var row map[string]any
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		out = append(out, row)
	}
	return out
}

func mustRun(t *testing.T, p Plan, parts Parts) *Report {
	t.Helper()
	rep, err := Run(context.Background(), p, parts)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// A countingDenoiser counts calls and refuses batches of another size than want.
type countingDenoiser struct {
	sampler.Denoiser
	want  int
	calls atomic.Int64
	wrong atomic.Int64
	fail  int64         // the call that fails, 0 never
	delay time.Duration // of each call, cut short by the context
}

var errDevice = errors.New("device lost")

func (d *countingDenoiser) Denoise(ctx context.Context, dst, x []float64, sigma float64, labels []int64) error {
	if len(x) != d.want*d.Info().Size {
		d.wrong.Add(1)
	}
	if d.calls.Add(1) == d.fail {
		return errDevice
	}
	if d.delay > 0 {
		select {
		case <-time.After(d.delay):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return d.Denoiser.Denoise(ctx, dst, x, sigma, labels)
}
