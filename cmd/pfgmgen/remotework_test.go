package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pfgmgen/io/store/storetest"
	"pfgmgen/pipeline/temporal"
	"pfgmgen/pipeline/temporal/temporaltest"
)

// startWorker starts pfgmgen worker in a process of its own.
func startWorker(t *testing.T, args ...string) (kill, stop func() (code int, said string)) {
	t.Helper()
	cmd := child(append([]string{"worker"}, args...)...)
	cmd.Env = append(cmd.Env, "SOURCE_DATE_EPOCH="+epoch)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	t.Cleanup(func() { cmd.Process.Kill(); <-ended })
	end := func(s os.Signal) func() (int, string) {
		return func() (int, string) {
			cmd.Process.Signal(s)
			select {
			case <-ended:
			case <-time.After(20 * time.Second):
				t.Errorf("the worker does not end: %s", out.String())
				cmd.Process.Kill()
				<-ended
			}
			return cmd.ProcessState.ExitCode(), out.String()
		}
	}
	return end(os.Kill), end(os.Interrupt)
}

// Two workers make a dataset, in a directory and in a bucket, one of them is killed in the middle of a shard, and the bytes
// are those of a plain run. Submitted again, the run finds everything there; damaged, it is made whole.
func TestWorkersMakeThePlainRun(t *testing.T) {
	server := temporaltest.Start(t)
	t.Setenv("PFGMGEN_ADDRESS", server.Addr)
	t.Setenv("TEMPORAL_CONFIG_FILE", os.DevNull)
	model, err := filepath.Abs(exact)
	if err != nil {
		t.Fatal(err)
	}
	s3 := storetest.S3(t)
	args := func(place string) []string { // enough steps for a shard to be killed in
		return []string{"--model", model, "-n", "400", "--shard-rows", "40", "--steps", "60", "--also", "fasta", "--out", place}
	}
	whole := reference(t, 1) // for the environment
	mustRun(t, 0, append([]string{"run", "--quiet"}, args(filepath.Join(whole, "plain"))...)...)
	want := content(t, filepath.Join(whole, "plain"))

	kill, _ := startWorker(t)
	_, stop := startWorker(t)
	for kind, place := range map[string]string{"directory": filepath.Join(t.TempDir(), "o"), "bucket": inBucket(s3.Addr, "remote")} {
		t.Run(kind, func(t *testing.T) {
			e := newEnv(new(bytes.Buffer), new(bytes.Buffer))
			client, err := e.dial(t.Context(), connection{address: server.Addr})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			spec, _, err := newSpec(e, map[string]string{"model": model, "num-samples": "400", "shard-rows": "40", "steps": "60", "also": "fasta", "out": place})
			if err != nil {
				t.Fatal(err)
			}
			limits := temporal.DefaultLimits()
			limits.Heartbeat = 7 * time.Second // the signs of life come every 5 s
			run, _, err := client.Submit(t.Context(), spec, "", limits)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
			defer cancel()
			sum, err := run.Follow(ctx, 50*time.Millisecond, func(p temporal.Progress, err error) {
				if kill != nil && p.SamplesDone > 0 {
					kill()
					kill = nil
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			if sum.Rows != 400 || sum.Parts != 10 {
				t.Errorf("summary %+v", sum)
			}
			equalContent(t, place, want)
			if kill != nil {
				t.Error("no worker was killed, so the test shows nothing")
			}
		})
	}

	dir := filepath.Join(t.TempDir(), "again")
	submit := append([]string{"submit", "--json"}, args(dir)...)
	for _, damage := range []string{"", "", "data/train-00003.parquet", "_pfgmgen/shard-00007.json"} {
		if damage != "" {
			if err := os.Remove(filepath.Join(dir, damage)); err != nil {
				t.Fatal(err)
			}
		}
		if stdout, _ := mustRun(t, 0, submit...); !strings.Contains(stdout, `"status": "written"`) {
			t.Errorf("submitted: %s", stdout)
		}
		equalContent(t, dir, want)
	}
	// Other settings in the same place are a permanent fault, told at once.
	if _, stderr := mustRun(t, exitFailure, append(submit, "--seed", "8")...); !strings.Contains(stderr, "seed is 0 there, 8 here") {
		t.Errorf("other settings: %s", stderr)
	}
	if code, said := stop(); code != exitInterrupted {
		t.Errorf("the worker ended with %d: %s", code, said)
	}
}
