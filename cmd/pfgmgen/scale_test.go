package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/compress"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"

	"pfgmgen/domains"
	"pfgmgen/io/dataset"
	"pfgmgen/io/store"
	"pfgmgen/pipeline"
	"pfgmgen/sampler"
	"pfgmgen/validate"
)

// scaleVariable is the largest number of shards of BenchmarkShards; `make bench-scale` sets it.
const scaleVariable = "PFGMGEN_SCALE_SHARDS"

// built is the program, for benchmarks that measure whole processes.
func built(b *testing.B) string {
	b.Helper()
	program := filepath.Join(b.TempDir(), "pfgmgen")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	return program
}

// measured runs the program to its end and returns what it printed, the time and the peak memory in MiB.
func measured(b *testing.B, program string, args ...string) (stdout []byte, took time.Duration, peak float64) {
	b.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = "../.." // where .onnxruntime is
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	began := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	peak, err := highWater(cmd.Process.Pid, ended)
	if err != nil {
		b.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	return out.Bytes(), time.Since(began), peak
}

// BenchmarkShards runs datasets of one row a shard through the whole pipeline, 1,000 shards and ten times as many up to
// PFGMGEN_SCALE_SHARDS, and then looks at them and finalizes them again, for the time and the size of a shard and the
// memory of the process. The parts are Arrow files, since arrow's Parquet writer takes 30 ms of a core for the compressors
// of a part, and lie in memory where there is /dev/shm, so that the numbers are not those of a disk.
func BenchmarkShards(b *testing.B) {
	most := 1000
	if text := os.Getenv(scaleVariable); text != "" {
		var err error
		if most, err = strconv.Atoi(text); err != nil || most < 1000 || most > pipeline.MaxShards {
			b.Fatalf("%s is %q, want 1000 to %d", scaleVariable, text, pipeline.MaxShards)
		}
	}
	program := built(b)
	model, err := filepath.Abs(exact)
	if err != nil {
		b.Fatal(err)
	}
	for n := 1000; n <= most; n *= 10 {
		b.Run(fmt.Sprintf("shards=%d", n), func(b *testing.B) {
			root := b.TempDir()
			if memory, err := os.MkdirTemp("/dev/shm", "pfgmgen"); err == nil {
				root = memory
				defer os.RemoveAll(memory)
			}
			for b.Loop() {
				out := filepath.Join(root, "out")
				if err := os.RemoveAll(out); err != nil {
					b.Fatal(err)
				}
				args := []string{"run", "--model", model, "-n", strconv.Itoa(n), "--shard-rows", "1", "--batch", "1", "--steps", "2", "--solver", "euler",
					"--invalid", "keep", "--format", "arrow", "--out", out, "--quiet", "--json"}
				stdout, took, peak := measured(b, program, args...)
				var r runResult
				if err := json.Unmarshal(stdout, &r); err != nil || r.Counts == nil || r.Counts.Written != int64(n) {
					b.Fatalf("%d rows asked for: %v\n%.500s", n, err, stdout)
				}
				_, look, lookPeak := measured(b, program, append(args, "--check", "size")...)
				if err := os.Remove(filepath.Join(out, "_SUCCESS")); err != nil {
					b.Fatal(err)
				}
				_, fin, finPeak := measured(b, program, "finalize", out, "--quiet")
				manifest, err := os.Stat(filepath.Join(out, "manifest.json"))
				if err != nil {
					b.Fatal(err)
				}
				each := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 / float64(n) }
				b.ReportMetric(each(took), "ms/shard")
				b.ReportMetric(peak, "MiB-run")
				b.ReportMetric(each(look), "look-ms/shard")
				b.ReportMetric(lookPeak, "MiB-look")
				b.ReportMetric(each(fin), "finalize-ms/shard")
				b.ReportMetric(finPeak, "MiB-finalize")
				b.ReportMetric(float64(manifest.Size())/float64(n), "manifest-B/shard")
			}
		})
	}
}

// BenchmarkCommit measures what shards cost beside the sampling: the share of the run's time in the commit stage and in all
// that lies outside of the pipeline (claiming, looking, finalizing), with the built-in RNA model at 10,000 rows a shard and
// 2 steps of the solver instead of 18; the last figure is that share with the model's own steps, of which nothing but the
// sampling depends.
func BenchmarkCommit(b *testing.B) {
	program := built(b)
	for b.Loop() {
		out := filepath.Join(b.TempDir(), "out")
		stdout, took, _ := measured(b, program, "run", "--domain", "rna", "-n", "20000", "--shard-rows", "10000", "--steps", "2", "--invalid", "keep", "--out", out, "--quiet", "--json")
		var r runResult
		if err := json.Unmarshal(stdout, &r); err != nil || r.Report == nil {
			b.Fatalf("%v\n%.500s", err, stdout)
		}
		var commit, sample float64
		for _, s := range r.Report.Stages {
			switch s.Stage {
			case "commit":
				commit = s.Busy
			case "sample":
				sample = s.Busy / float64(s.Workers)
			}
		}
		outside := took.Seconds() - r.Report.Seconds
		b.ReportMetric(1000*commit/float64(r.Report.Shards), "commit-ms/shard")
		b.ReportMetric(outside, "outside-s")
		whole := r.Report.Seconds - sample + sample*35/3 // evaluations of Heun with 18 and with 2 steps
		b.ReportMetric(100*commit/whole, "commit-%")
		b.ReportMetric(100*outside/(whole+outside), "outside-%")
	}
}

// A vectorAdapter makes rows of 256 numbers as they are drawn: the cheapest rows that are data.
type vectorAdapter struct{}

const vectorSize = 256

func (vectorAdapter) Shape() []int              { return []int{vectorSize} }
func (vectorAdapter) Free() int                 { return vectorSize }
func (vectorAdapter) Labels() []string          { return nil }
func (vectorAdapter) Settings() json.RawMessage { return json.RawMessage("{}") }
func (vectorAdapter) Fields() []arrow.Field {
	return []arrow.Field{{Name: "values", Type: arrow.ListOf(arrow.PrimitiveTypes.Float32), Nullable: true}}
}
func (vectorAdapter) Decode(x []float64, _ int) domains.Row {
	r := make(vectorRow, len(x))
	for i, v := range x {
		r[i] = float32(v)
	}
	return r
}

type vectorRow []float32

func (vectorRow) Verdict() validate.Verdict      { return validate.Verdict{} }
func (vectorRow) Confidence() (float32, float32) { return 1, 0 }
func (r vectorRow) Key() string {
	b := make([]byte, 0, 32)
	for _, v := range r[:8] {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return string(b)
}
func (r vectorRow) Append(b []array.Builder) {
	l := b[0].(*array.ListBuilder)
	l.Append(true)
	l.ValueBuilder().(*array.Float32Builder).AppendValues(r, nil)
}

// nullDenoiser says that there is no noise in a sample, so that nothing is left to the solver.
type nullDenoiser struct{}

func (nullDenoiser) Info() sampler.Info {
	return sampler.Info{Size: vectorSize, Free: vectorSize, D: 128, SigmaData: 0.5, SigmaMin: 0.01, SigmaMax: 80}
}
func (nullDenoiser) Denoise(_ context.Context, out, x []float64, _ float64, _ []int64) error {
	copy(out, x)
	return nil
}

// keptSink keeps the records of a run beside what another sink does with them.
type keptSink struct {
	pipeline.Sink
	records []arrow.Record
}

type keptShard struct {
	pipeline.Shard
	sink *keptSink
}

func (s *keptSink) Shard(index int) (pipeline.Shard, error) {
	sh, err := s.Sink.Shard(index)
	return keptShard{sh, s}, err
}

func (s keptShard) Write(rec arrow.Record) error {
	rec.Retain()
	s.sink.records = append(s.sink.records, rec)
	return s.Shard.Write(rec)
}

// BenchmarkNull is the pipeline around a denoiser that takes no time: prior, schedule, decoding, checks, content sums,
// Parquet, hashes and fsync, against arrow's own writer alone on the same rows with the same settings, one after the other in
// each round. The goal for the ratio is 0.7.
func BenchmarkNull(b *testing.B) {
	const rows = 50_000
	plan := pipeline.Plan{
		Version: pipeline.Version, Domain: "vectors", Model: pipeline.Model{SHA256: strings.Repeat("ab", 32), D: "128", Free: vectorSize, Size: vectorSize},
		NumSamples: rows, Solver: "euler", Steps: 2, SigmaMin: 0.01, SigmaMax: 80, Rho: 7, Guidance: 1, Batch: 64, Invalid: pipeline.Keep,
		MaxAttempts: 1, ShardRows: rows, Format: dataset.Parquet, Provider: "none",
	}
	schema, err := pipeline.Schema(vectorAdapter{}.Fields(), nil)
	if err != nil {
		b.Fatal(err)
	}
	whole := func(dir string, keep *keptSink) (time.Duration, int64) {
		st := store.Dir(dir)
		p := place{st, plan}
		w, err := dataset.Create(b.Context(), st, schema, p.options())
		if err != nil {
			b.Fatal(err)
		}
		var s pipeline.Sink = &sink{place: p, w: w}
		if keep != nil {
			keep.Sink, s = s, keep
		}
		began := time.Now()
		if _, err := pipeline.Run(b.Context(), plan, pipeline.Parts{Denoisers: []sampler.Denoiser{nullDenoiser{}}, Adapter: vectorAdapter{}, Sink: s}); err != nil {
			b.Fatal(err)
		}
		return time.Since(began), w.Parts()[0].Bytes
	}
	var kept keptSink
	whole(filepath.Join(b.TempDir(), "first"), &kept)
	defer func() {
		for _, rec := range kept.records {
			rec.Release()
		}
	}()
	properties := parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Zstd), parquet.WithCompressionLevel(3), parquet.WithDictionaryDefault(false))
	alone := func(path string) time.Duration {
		f, err := os.Create(path)
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		began := time.Now()
		w, err := pqarrow.NewFileWriter(schema, f, properties, pqarrow.NewArrowWriterProperties(pqarrow.WithStoreSchema()))
		if err != nil {
			b.Fatal(err)
		}
		for _, rec := range kept.records {
			if err := w.WriteBuffered(rec); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
		return time.Since(began)
	}
	var ours, theirs time.Duration
	var bytes int64
	n := 0
	for b.Loop() {
		dir := b.TempDir()
		theirs += alone(filepath.Join(dir, "before")) / 2 // half before, half after: a drift of the machine's speed cancels
		took, size := whole(filepath.Join(dir, "out"), nil)
		ours, bytes = ours+took, bytes+size
		theirs += alone(filepath.Join(dir, "after")) / 2
		n++
	}
	b.ReportMetric(rows*float64(n)/ours.Seconds(), "rows/s")
	b.ReportMetric(float64(bytes)/1e6/ours.Seconds(), "MB/s-written")
	b.ReportMetric(rows*float64(n)/theirs.Seconds(), "arrow-rows/s")
	b.ReportMetric(theirs.Seconds()/ours.Seconds(), "pipeline/arrow")
}
