package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"pfgmgen/sampler"
)

// Every other word is bad, so that about half of the draws are rejected and some samples need many.
func rejectSome(word string) bool { return word == "aaaa" || word == "abab" || word == "ccba" }

func TestOutputDoesNotDependOnWorkers(t *testing.T) {
	for _, invalid := range []string{Resample, Drop, Keep} {
		p := wordPlan(2500, func(p *Plan) {
			p.Invalid, p.ShardRows, p.Also = invalid, 700, []string{"text"}
			if invalid != Resample {
				p.MaxAttempts = 1
			}
		})
		var want, wantExport string
		for _, workers := range []int{1, 2, 4, 8} {
			sink := &memorySink{}
			den := &countingDenoiser{Denoiser: wordPoints(0), want: p.Batch}
			parts := wordParts(workers, sink)
			parts.Denoisers = []sampler.Denoiser{den}
			parts.Adapter = &wordAdapter{reject: rejectSome}
			mustRun(t, p, parts)
			if den.wrong.Load() > 0 {
				t.Errorf("%s, %d workers: %d calls with another batch than %d", invalid, workers, den.wrong.Load(), p.Batch)
			}
			var export strings.Builder
			for _, sh := range sink.shards {
				export.WriteString(sh.exports["text"].String())
			}
			if want == "" {
				want, wantExport = sink.text(), export.String()
				continue
			}
			if got := sink.text(); got != want {
				t.Errorf("%s, %d workers: rows differ from those of one worker: %d bytes against %d", invalid, workers, len(got), len(want))
			}
			if export.String() != wantExport {
				t.Errorf("%s, %d workers: export differs", invalid, workers)
			}
		}
	}
}

func TestPolicies(t *testing.T) {
	const n = 3000
	for _, tc := range []struct {
		invalid  string
		attempts int
		written  [2]int64 // bounds
	}{
		{Drop, 1, [2]int64{1200, 1800}},     // three words of six are bad
		{Keep, 1, [2]int64{n, n}},           // all
		{Resample, 8, [2]int64{n - 30, n}},  // 3000 * 2^-8 = 12 are given up
		{Resample, 2, [2]int64{2100, 2400}}, // 3/4
		{Resample, 1, [2]int64{1200, 1800}}, // no second draw
		{Resample, 64, [2]int64{n, n}},      // 2^-64
	} {
		t.Run(fmt.Sprint(tc.invalid, tc.attempts), func(t *testing.T) {
			sink := &memorySink{}
			parts := wordParts(2, sink)
			parts.Adapter = &wordAdapter{reject: rejectSome}
			rep := mustRun(t, wordPlan(n, func(p *Plan) { p.Invalid, p.MaxAttempts = tc.invalid, tc.attempts }), parts)
			if rep.Written < tc.written[0] || rep.Written > tc.written[1] {
				t.Errorf("%d rows written, want %d to %d", rep.Written, tc.written[0], tc.written[1])
			}
			rows := sink.decoded(t)
			if int64(len(rows)) != rep.Written {
				t.Fatalf("%d rows, the report says %d", len(rows), rep.Written)
			}
			var valid, attempts int64
			last := -1.0
			for _, r := range rows {
				i, attempt := r["sample_index"].(float64), r["attempt"].(float64)
				if i <= last {
					t.Fatalf("index %v after %v", i, last)
				}
				last = i
				attempts += int64(attempt) + 1
				if attempt >= float64(tc.attempts) {
					t.Errorf("sample %v has attempt %v", i, attempt)
				}
				bad := rejectSome(r["word"].(string))
				if r["valid"].(bool) == bad || (len(r["violations"].([]any)) == 1) != bad {
					t.Fatalf("row %v: verdict does not fit the word", r)
				}
				if !bad {
					valid++
				} else if tc.invalid != Keep {
					t.Errorf("bad word %v was written", r["word"])
				}
			}
			if valid != rep.Valid {
				t.Errorf("%d valid rows, the report says %d", valid, rep.Valid)
			}
			// Dropped samples were drawn as often as allowed.
			if want := attempts + rep.Dropped*int64(tc.attempts); rep.Attempts != want {
				t.Errorf("attempts %d, want %d by the rows", rep.Attempts, want)
			}
			if rep.Written+rep.Dropped != n || rep.Rejected["W_BAD"] != rep.Attempts-rep.Valid {
				t.Errorf("report does not add up: %+v", rep)
			}
			if share := rep.ValidShare(); share < 0.45 || share > 0.55 {
				t.Errorf("valid share %g, want 0.5", share)
			}
		})
	}
}

func TestCommonColumns(t *testing.T) {
	sink := &memorySink{}
	parts := wordParts(2, sink)
	parts.Denoisers, parts.Adapter = []sampler.Denoiser{wordPoints(2)}, &wordAdapter{labels: []string{"even", "odd"}}
	p := wordPlan(20, func(p *Plan) { p.Labels = []string{"odd", "even"} })
	rep := mustRun(t, p, parts)
	rows := sink.decoded(t)
	if len(rows) != 20 {
		t.Fatalf("%d rows", len(rows))
	}
	counted := map[string]bool{}
	warned := int64(0)
	for i, r := range rows {
		label := p.Labels[i%2]
		want := map[string]any{"sample_id": SampleID(p.RunID(), int64(i)), "sample_index": float64(i), "seed": 7.0, "attempt": 0.0,
			"domain": "words", "label": label, "valid": true, "decode_margin": 1.0}
		for k, v := range want {
			if r[k] != v {
				t.Errorf("row %d: %s is %v, want %v", i, k, r[k], v)
			}
		}
		at := 0
		for ; words[at] != r["word"]; at++ {
		}
		if (at%2 == 1) != (label == "odd") {
			t.Errorf("row %d: %s is not of class %s", i, r["word"], label)
		}
		counted[r["word"].(string)] = true
		warned += int64(len(r["warnings"].([]any)))
	}
	var distinct Distinct
	for _, sh := range sink.shards {
		distinct.Add(sh.outcome.Keys)
	}
	if n, of := distinct.Count(); n != int64(len(counted)) || of != 20 || rep.Warned["W_C"] != warned || warned == 0 {
		t.Errorf("report %+v, rows have %d distinct words and %d warnings", rep, len(counted), warned)
	}
	if want := 2*p.Steps - 1; rep.NFE != want {
		t.Errorf("NFE %d, want %d", rep.NFE, want)
	}
	schema, err := Schema(parts.Adapter.Fields(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range schema.Fields() {
		if !f.Nullable {
			t.Errorf("column %s is not nullable", f.Name)
		}
	}
}

func TestUnconditionalLabelIsNull(t *testing.T) {
	sink := &memorySink{}
	mustRun(t, wordPlan(3, nil), wordParts(1, sink))
	for _, r := range sink.decoded(t) {
		if v, ok := r["label"]; !ok || v != nil {
			t.Errorf("label is %v, want null", v)
		}
	}
}

func TestShards(t *testing.T) {
	sink := &memorySink{}
	p := wordPlan(100, func(p *Plan) { p.ShardRows = 30 })
	mustRun(t, p, wordParts(3, sink))
	if len(sink.shards) != 4 {
		t.Fatalf("%d shards, want 4", len(sink.shards))
	}
	for k, sh := range sink.shards {
		if sh.index != k || !sh.committed || sh.aborted {
			t.Errorf("shard %d: %+v", k, sh)
		}
		if rows := strings.Count(sh.lines.String(), "\n"); rows != min(30, 100-30*k) {
			t.Errorf("shard %d has %d rows", k, rows)
		}
	}
	// The cut into shards does not change the rows.
	one := &memorySink{}
	q := p
	q.ShardRows = 1000
	mustRun(t, q, wordParts(3, one))
	a, b := sink.decoded(t), one.decoded(t)
	for i := range a {
		if a[i]["word"] != b[i]["word"] || a[i]["x0"] != b[i]["x0"] {
			t.Fatalf("row %d differs with other shards", i)
		}
	}
}

func TestRegenerateEqualsFile(t *testing.T) {
	p := wordPlan(400, func(p *Plan) { p.Labels, p.LabelCounts = []string{"odd", "even"}, []int64{150, 250} })
	sink := &memorySink{}
	parts := wordParts(4, sink)
	parts.Denoisers = []sampler.Denoiser{wordPoints(2)}
	parts.Adapter = &wordAdapter{labels: []string{"even", "odd"}, reject: func(w string) bool { return w == "aaaa" || w == "cabc" }}
	mustRun(t, p, parts)
	lines := map[int64]string{}
	attempts := map[int64]int32{}
	retried := 0
	for _, line := range strings.Split(sink.text(), "\n") {
		var row struct {
			Index   int64 `json:"sample_index"`
			Attempt int32 `json:"attempt"`
		}
		if json.Unmarshal([]byte(line), &row) == nil {
			lines[row.Index], attempts[row.Index] = line, row.Attempt
			if row.Attempt > 0 {
				retried++
			}
		}
	}
	if retried == 0 {
		t.Fatal("no row needed a second draw, so the test shows nothing")
	}
	check := func(ids []sampler.ID) {
		rec, err := Regenerate(context.Background(), p, parts, ids)
		if err != nil {
			t.Fatal(err)
		}
		defer rec.Release()
		var b strings.Builder
		if err := array.RecordToJSON(rec, &b); err != nil {
			t.Fatal(err)
		}
		for k, line := range strings.Split(strings.TrimSpace(b.String()), "\n") {
			if want := lines[ids[k].Index]; line != want {
				t.Fatalf("sample %d regenerated:\n%s\nin the file:\n%s", ids[k].Index, line, want)
			}
		}
	}
	var all []sampler.ID
	for i, a := range attempts {
		all = append(all, sampler.ID{Index: i, Attempt: a})
		if i%20 == 0 {
			check([]sampler.ID{{Index: i, Attempt: a}})
		}
	}
	check(all) // in the random order of the map
	if _, err := Regenerate(context.Background(), p, parts, []sampler.ID{{Index: 400}}); err == nil {
		t.Error("index 400 of 400 samples was accepted")
	}
}

func TestScaleAndOffset(t *testing.T) {
	// A model whose space is 4*(encoded - 0.25): its points are moved, and the rows must not show it.
	var y [][]float64
	for _, w := range words {
		v := encodeWord(w)
		for i := range v {
			v[i] = 4 * (v[i] - 0.25)
		}
		y = append(y, v)
	}
	sink := &memorySink{}
	parts := wordParts(1, sink)
	parts.Denoisers = []sampler.Denoiser{newPoints(y)}
	parts.Offset, parts.Scale = []float64{0.25}, []float64{4}
	mustRun(t, wordPlan(50, func(p *Plan) { p.SigmaMax = 80 }), parts)
	for _, r := range sink.decoded(t) {
		if x := r["x0"].(float64); x < -0.51 || x > 0.51 || (x < 0.49 && x > -0.49) {
			t.Errorf("first coordinate %g, want +-0.5", x)
		}
	}
	parts.Scale = []float64{1, 2}
	if _, err := Run(context.Background(), wordPlan(5, nil), parts); !errors.Is(err, ErrMismatch) {
		t.Errorf("two scales for 12 coordinates: %v", err)
	}
}

func TestMismatchIsRefusedBeforeWork(t *testing.T) {
	for name, change := range map[string]func(*Plan, *Parts){
		"D":             func(p *Plan, _ *Parts) { p.Model.D = "64" },
		"size":          func(p *Plan, _ *Parts) { p.Model.Size = 13 },
		"free":          func(p *Plan, _ *Parts) { p.Model.Free = 11 },
		"classes":       func(_ *Plan, q *Parts) { q.Adapter = &wordAdapter{labels: []string{"a", "b"}} },
		"unknown label": func(p *Plan, _ *Parts) { p.Labels = []string{"x"} },
		"sigma range":   func(p *Plan, _ *Parts) { p.SigmaMax = 1000 },
		"no sink":       func(_ *Plan, q *Parts) { q.Sink = nil },
		"no denoiser":   func(_ *Plan, q *Parts) { q.Denoisers = nil },
		"workers":       func(_ *Plan, q *Parts) { q.Workers = -1 },
		"nothing to do": func(p *Plan, _ *Parts) { p.NumSamples = 0 },
	} {
		sink := &memorySink{}
		den := &countingDenoiser{Denoiser: wordPoints(0), want: 8}
		p, parts := wordPlan(10, nil), wordParts(1, sink)
		parts.Denoisers = []sampler.Denoiser{den}
		change(&p, &parts)
		if _, err := Run(context.Background(), p, parts); err == nil {
			t.Errorf("%s: no error", name)
		}
		if den.calls.Load() > 0 || len(sink.shards) > 0 {
			t.Errorf("%s: work was done before the refusal", name)
		}
	}
}

// waitForGoroutines fails when more than before are left after a while.
func waitForGoroutines(t *testing.T, before int) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines before, %d now", before, runtime.NumGoroutine())
		}
		time.Sleep(time.Millisecond)
	}
}

func TestErrorsPropagate(t *testing.T) {
	before := runtime.NumGoroutine()
	commit := errors.New("quota exceeded")
	for name, tc := range map[string]struct {
		sink *memorySink
		fail int64
		want error
	}{
		"write":  {&memorySink{failAt: 300}, 0, errSink},
		"commit": {&memorySink{commit: commit}, 0, commit},
		"device": {&memorySink{}, 200, errDevice},
	} {
		for _, workers := range []int{1, 4} {
			sink := *tc.sink
			parts := wordParts(workers, &sink)
			parts.Denoisers = []sampler.Denoiser{&countingDenoiser{Denoiser: wordPoints(0), want: 8, fail: tc.fail}}
			_, err := Run(context.Background(), wordPlan(5000, nil), parts)
			if !errors.Is(err, tc.want) {
				t.Errorf("%s, %d workers: error %v, want %v", name, workers, err, tc.want)
			}
			for _, sh := range sink.shards {
				if sh.committed || !sh.aborted {
					t.Errorf("%s, %d workers: shard committed %v, aborted %v", name, workers, sh.committed, sh.aborted)
				}
			}
		}
	}
	waitForGoroutines(t, before)
}

func TestExportOfAnUnknownFormatFails(t *testing.T) {
	parts := wordParts(1, &memorySink{})
	parts.Adapter = plainAdapter{&wordAdapter{}}
	_, err := Run(context.Background(), wordPlan(5, func(p *Plan) { p.Also = []string{"fasta"} }), parts)
	if err == nil || !strings.Contains(err.Error(), "no export as fasta") {
		t.Errorf("error %v", err)
	}
}

func TestCancellation(t *testing.T) {
	before := runtime.NumGoroutine()
	p := wordPlan(4000, func(p *Plan) { p.ShardRows = 500 })
	whole := &memorySink{}
	mustRun(t, p, wordParts(2, whole))
	for k := range 12 {
		ctx, cancel := context.WithCancel(context.Background())
		sink := &memorySink{}
		den := &countingDenoiser{Denoiser: wordPoints(0), want: 8}
		parts := wordParts(3, sink)
		parts.Denoisers = []sampler.Denoiser{den}
		stopAt := int64(k * 300)
		parts.Observer = observe(func(pr Progress) {
			if pr.Drawn >= stopAt {
				cancel()
			}
		})
		_, err := Run(ctx, p, parts)
		cancel()
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("cancelled at %d: error %v", stopAt, err)
		}
		if !strings.HasPrefix(whole.text(), sink.text()) {
			t.Errorf("cancelled at %d: what was committed is not the beginning of the dataset", stopAt)
		}
		for _, sh := range sink.shards {
			if sh.committed == sh.aborted {
				t.Errorf("cancelled at %d: shard %d committed %v, aborted %v", stopAt, sh.index, sh.committed, sh.aborted)
			}
		}
	}
	waitForGoroutines(t, before)
}

func TestCancellationIsPrompt(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	parts := wordParts(2, &memorySink{})
	parts.Denoisers = []sampler.Denoiser{&countingDenoiser{Denoiser: wordPoints(0), want: 8, delay: time.Hour}}
	began := time.Now()
	_, err := Run(ctx, wordPlan(100, nil), parts)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("stopping took %v", took)
	}
}

func TestAllArrowMemoryIsReleased(t *testing.T) {
	for _, sink := range []*memorySink{{}, {failAt: 200}} {
		alloc := memory.NewCheckedAllocator(memory.NewGoAllocator())
		parts := wordParts(2, sink)
		parts.Allocator = alloc
		_, err := Run(context.Background(), wordPlan(600, nil), parts)
		if (err != nil) != (sink.failAt > 0) {
			t.Error(err)
		}
		alloc.AssertSize(t, 0)
	}
}

// Open blocks bound the rows in memory: a sink that does not keep up must not make them pile up.
func TestMemoryIsFlat(t *testing.T) {
	peak := func(n int64) uint64 {
		runtime.GC()
		var most uint64
		parts := wordParts(2, &memorySink{discard: true})
		parts.Observer = observe(func(p Progress) {
			if p.Drawn%1024 != 0 {
				return
			}
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
		})
		mustRun(t, wordPlan(n, func(p *Plan) { p.Steps, p.Solver = 1, "euler" }), parts)
		return most
	}
	peak(2048)
	small, large := peak(8192), peak(65536)
	if float64(large) > 1.1*float64(small)+1<<20 { // the sets of 64-bit keys here are tiny: six words
		t.Errorf("live heap peaks at %d bytes for 8,192 rows and %d for 65,536", small, large)
	}
}

func TestSlowSinkHoldsTheSamplersBack(t *testing.T) {
	var ahead int64
	parts := wordParts(4, &memorySink{discard: true, slow: time.Millisecond})
	parts.Observer = observe(func(p Progress) { ahead = max(ahead, p.Drawn-p.Written) })
	p := wordPlan(20000, func(p *Plan) { p.Steps, p.Solver = 1, "euler" })
	mustRun(t, p, parts)
	// Open blocks, one in the channel, one in the writer, and the rows of the record being built.
	blocks := newSchedule(must(newRun(p, parts))).maxOpen + 2
	if bound := int64(blocks*blockBatches*p.Batch + recordRows); ahead > bound {
		t.Errorf("samplers were %d rows ahead of the sink, want at most %d", ahead, bound)
	}
}

func TestStatsAddUp(t *testing.T) {
	parts := wordParts(2, &memorySink{})
	parts.Adapter = &wordAdapter{reject: rejectSome}
	rep := mustRun(t, wordPlan(1000, nil), parts)
	if len(rep.Stages) != 4 {
		t.Fatalf("%d stages", len(rep.Stages))
	}
	for k, rows := range []int64{rep.Attempts, rep.Attempts, rep.Written, 1} {
		if s := rep.Stages[k]; s.Rows != rows || s.Units < 1 {
			t.Errorf("stage %s has %d rows in %d units, want %d", s.Stage, s.Rows, s.Units, rows)
		}
		if s := rep.Stages[k]; s.Busy+s.Starved+s.Blocked > 1.05*float64(s.Workers)*rep.Seconds {
			t.Errorf("stage %s: %+v in %g s", s.Stage, s, rep.Seconds)
		}
	}
	if stage, share := rep.Limit(); stage == "" || share <= 0 || share > 1.05 {
		t.Errorf("limit %s %g", stage, share)
	}
}

func TestProgressEndsComplete(t *testing.T) {
	var last Progress
	parts := wordParts(2, &memorySink{})
	parts.Adapter = &wordAdapter{reject: rejectSome}
	parts.Observer = observe(func(p Progress) { last = p })
	rep := mustRun(t, wordPlan(500, nil), parts)
	if last.Done != 500 || last.Written != rep.Written || last.Drawn != rep.Attempts || last.Rejected != rep.Rejected["W_BAD"] {
		t.Errorf("last progress %+v, report %+v", last, rep)
	}
}

func TestMeasure(t *testing.T) {
	parts := wordParts(2, nil)
	parts.Adapter = &wordAdapter{reject: rejectSome}
	parts.Denoisers = []sampler.Denoiser{&countingDenoiser{Denoiser: wordPoints(0), want: 8, delay: 2 * time.Millisecond}}
	// 4 Heun steps are 7 evaluations of 2 ms for 8 rows on each of 2 workers: 100 batches are 50*14 ms, and half of the
	// draws are repeated, which doubles it.
	est, err := Measure(context.Background(), wordPlan(800, func(p *Plan) { p.Invalid, p.MaxAttempts = Keep, 1 }), parts)
	if err != nil {
		t.Fatal(err)
	}
	if est.Seconds < 0.7 || est.Tried != 16 || est.NFE != 7 || est.Bytes < 800*50 {
		t.Errorf("estimate %+v", est)
	}
	if got := expectedDraws(0.5, 3); got != 1.75 {
		t.Errorf("expected draws %g, want 1 + 1/2 + 1/4", got)
	}
}

// A run makes the shards that it is asked for, and their outcomes are those of the whole.
func TestNextNamesShards(t *testing.T) {
	p := wordPlan(100, func(p *Plan) { p.ShardRows = 30 })
	whole := &memorySink{}
	mustRun(t, p, wordParts(2, whole))
	some := &memorySink{}
	parts := wordParts(3, some)
	asked := []int{3, 1}
	parts.Next = func(context.Context) (int, bool, error) {
		if len(asked) == 0 {
			return 0, false, nil
		}
		k := asked[0]
		asked = asked[1:]
		return k, true, nil
	}
	rep := mustRun(t, p, parts)
	if len(some.shards) != 2 || some.shards[0].index != 3 || some.shards[1].index != 1 {
		t.Fatalf("shards %+v", some.shards)
	}
	var sum Outcome
	for _, sh := range some.shards {
		want := whole.shards[sh.index]
		if sh.lines.String() != want.lines.String() || !reflect.DeepEqual(sh.outcome, want.outcome) {
			t.Errorf("shard %d differs from that of a whole run", sh.index)
		}
		sum.Add(sh.outcome)
	}
	if rep.Shards != 2 || rep.Asked != 40 || rep.Attempts != sum.Attempts || rep.Written != sum.Written || rep.Asked != sum.Samples {
		t.Errorf("report %+v, the shards add up to %+v", rep, sum)
	}
}

func TestNextRefused(t *testing.T) {
	lost := errors.New("connection lost")
	for want, next := range map[string]func(context.Context) (int, bool, error){
		"shard 4: the plan has the shards 0 to 3": func(context.Context) (int, bool, error) { return 4, true, nil },
		"shard -1":        func(context.Context) (int, bool, error) { return -1, true, nil },
		"connection lost": func(context.Context) (int, bool, error) { return 0, false, lost },
	} {
		parts := wordParts(1, &memorySink{})
		parts.Next = next
		if _, err := Run(context.Background(), wordPlan(100, func(p *Plan) { p.ShardRows = 30 }), parts); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want ...%s...", err, want)
		}
	}
}
