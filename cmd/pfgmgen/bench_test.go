package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pfgmgen/domains/all"
	"pfgmgen/models"
	"pfgmgen/sampler"
	"pfgmgen/sampler/ort"
)

// BenchmarkPipeline compares rows/s of a whole `pfgmgen run` (draw, solve, decode, check, write Parquet, commit) with
// rows/s of the bare ONNX Runtime loop: the same model, batch, network evaluations, threads and concurrent calls, on
// fixed noise at the levels that the solver visits (a call took 7.7 to 8.4 ms at different ones, and was fastest at sigma 1), with nothing between the
// calls. The two are interleaved in one process. pipeline/bare is the share of the engine's speed that reaches the user;
// 0.90 is the goal.
func BenchmarkPipeline(b *testing.B) {
	const rows, seed = 1024, 7
	builtIn, err := models.Default("rna")
	if err != nil {
		b.Fatal(err)
	}
	m, err := findModel(all.Registry(), "rna", builtIn.Name)
	if err != nil {
		b.Fatal(err)
	}
	rt, err := ort.Load("")
	if err != nil {
		b.Fatal(err)
	}
	den, err := rt.Open(m.bytes, ort.SessionOptions{Threads: 1})
	if err != nil {
		b.Fatal(err)
	}
	defer den.Close()
	s, err := sampler.New(den, sampler.Settings{Steps: m.contract.Steps, Rho: m.contract.Rho})
	if err != nil {
		b.Fatal(err)
	}
	workers := runtime.GOMAXPROCS(0)
	var levels []float64 // of the evaluations that Heun makes
	schedule := s.Schedule()
	for i, sigma := range schedule[:len(schedule)-1] {
		levels = append(levels, sigma)
		if next := schedule[i+1]; next > 0 {
			levels = append(levels, next)
		}
	}
	if len(levels) != s.NFE() {
		b.Fatalf("%d levels for %d evaluations", len(levels), s.NFE())
	}

	bare := func() time.Duration {
		start := time.Now()
		var next atomic.Int64
		var wait sync.WaitGroup
		for range workers {
			wait.Add(1)
			go func() {
				defer wait.Done()
				var inputs []map[string]ort.Tensor
				for _, sigma := range levels {
					inputs = append(inputs, bareInput(m.contract, cpuBatch, sigma))
				}
				out := map[string]ort.Tensor{sampler.OutputDenoised: {Shape: inputs[0][sampler.InputX].Shape, Data: make([]float32, cpuBatch*m.contract.Size())}}
				for next.Add(1) <= rows/cpuBatch {
					for _, in := range inputs {
						if err := den.Session().Run(context.Background(), in, out); err != nil {
							b.Error(err)
							return
						}
					}
				}
			}()
		}
		wait.Wait()
		return time.Since(start)
	}
	whole := func(out string) time.Duration {
		start := time.Now()
		code, _, stderr := pfgmgen("run", "--domain", "rna", "-n", strconv.Itoa(rows), "--seed", strconv.Itoa(seed), "--invalid", "keep",
			"--out", out, "--quiet")
		if code != 0 {
			b.Fatalf("exit %d\n%s", code, stderr)
		}
		return time.Since(start)
	}
	bare()
	var bareTime, wholeTime time.Duration
	dir, n := b.TempDir(), 0
	for b.Loop() {
		bareTime += bare() / 2 // half before, half after: a drift of the machine's speed cancels
		wholeTime += whole(filepath.Join(dir, strconv.Itoa(n)))
		bareTime += bare() / 2
		n++
	}
	b.ReportMetric(rows*float64(n)/wholeTime.Seconds(), "pipeline-rows/s")
	b.ReportMetric(rows*float64(n)/bareTime.Seconds(), "bare-rows/s")
	b.ReportMetric(bareTime.Seconds()/wholeTime.Seconds(), "pipeline/bare")
}

// bareInput is noise of the size that data with noise sigma have.
func bareInput(c *sampler.Contract, batch int, sigma float64) map[string]ort.Tensor {
	shape := []int64{int64(batch)}
	for _, d := range c.Shape {
		shape = append(shape, int64(d))
	}
	x, level := make([]float32, batch*c.Size()), make([]float32, batch)
	r := sampler.NewStream(1, 0, 0, 1000)
	for i := range x {
		x[i] = float32(math.Hypot(sigma, c.SigmaData) * r.NormFloat64())
	}
	for i := range level {
		level[i] = float32(sigma)
	}
	return map[string]ort.Tensor{sampler.InputX: {Shape: shape, Data: x}, sampler.InputSigma: {Shape: []int64{int64(batch)}, Data: level}}
}

// BenchmarkMemory measures the peak memory of a whole process at 2,000 and at 20,000 rows: the ratio says whether memory
// grows with the dataset; the goal is at most 1.10. Two steps of the solver instead of the model's own keep it short; the
// number of steps has no part in what is held in memory.
func BenchmarkMemory(b *testing.B) {
	dir := b.TempDir()
	program := filepath.Join(dir, "pfgmgen")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	peak := func(rows int) float64 {
		out := filepath.Join(dir, strconv.Itoa(rows))
		if err := os.RemoveAll(out); err != nil {
			b.Fatal(err)
		}
		cmd := exec.Command(program, "run", "--domain", "rna", "-n", strconv.Itoa(rows), "--steps", "2", "--invalid", "keep", "--out", out, "--json", "--quiet")
		cmd.Dir = "../.." // where .onnxruntime is
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		high, err := highWater(cmd.Process.Pid, ended)
		if err != nil {
			b.Fatalf("%v\n%s", err, stderr.Bytes())
		}
		var r runResult
		if err := json.Unmarshal(stdout.Bytes(), &r); err != nil || r.Counts == nil || r.Counts.Written != int64(rows) {
			b.Fatalf("%d rows asked for: %v\n%s", rows, err, stdout.Bytes())
		}
		return high
	}
	var small, large float64
	n := 0
	for b.Loop() {
		small += peak(2000)
		large += peak(20000)
		n++
	}
	b.ReportMetric(small/float64(n), "MiB-at-2000")
	b.ReportMetric(large/float64(n), "MiB-at-20000")
	b.ReportMetric(large/small, "20000/2000")
}

// highWater follows the peak resident memory of a process in MiB until it ends, from Linux's /proc. The rusage of a child
// would not do: it begins with the size of the process that started it.
func highWater(pid int, ended <-chan error) (peak float64, err error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			if err == nil && peak == 0 {
				err = errors.New("the process ended before its memory could be read")
			}
			return peak, err
		case <-tick.C:
			status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
			if err != nil {
				continue // it has just ended
			}
			for line := range strings.Lines(string(status)) {
				var kB float64
				if _, err := fmt.Sscanf(line, "VmHWM: %f kB", &kB); err == nil {
					peak = max(peak, kB/1024)
				}
			}
		}
	}
}
