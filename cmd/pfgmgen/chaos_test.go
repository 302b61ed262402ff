package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"pfgmgen/io/store"
	"pfgmgen/io/store/storetest"
)

// chaosVariable makes the kill tests long: the number of kills at random moments, for each kind of place. `make chaos` sets
// it.
const chaosVariable = "PFGMGEN_CHAOS"

// kills is how many random kills a test makes.
func kills(t *testing.T, short int) int {
	t.Helper()
	text := os.Getenv(chaosVariable)
	if text == "" {
		return short
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s is %q, want a number of kills", chaosVariable, text)
	}
	return n
}

// killed runs the program and says whether a signal ended it. Any other end but success fails the test.
func killed(t *testing.T, cmd *exec.Cmd, after time.Duration) bool {
	t.Helper()
	cmd.Env = append(cmd.Env, "SOURCE_DATE_EPOCH="+epoch)
	var out bytes.Buffer // exec copies both streams by one goroutine
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if after > 0 {
		stop := time.AfterFunc(after, func() { cmd.Process.Kill() })
		defer stop.Stop()
	}
	err := cmd.Wait()
	if err == nil {
		return false
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() && status.Signal() == syscall.SIGKILL {
			return true
		}
	}
	t.Fatalf("%v: %s", err, out.String())
	return false
}

// chaosRun is a run with two shards and everything that a place can hold. The workers differ from run to run.
func chaosRun(place string, workers int) []string {
	return []string{"run", "--model", exact, "-n", "90", "--shard-rows", "50", "--steps", "3", "--also", "fasta", "--workers", fmt.Sprint(workers), "--out", place, "--quiet"}
}

// content is what a place holds, by name.
func content(t *testing.T, location string) map[string]string {
	t.Helper()
	ctx := context.Background()
	st, err := newEnv(io.Discard, io.Discard).openPlace(ctx, location)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	folders, err := st.Folders(ctx)
	if err != nil {
		t.Fatal(err)
	}
	files := make(map[string]string)
	for _, folder := range append([]string{""}, folders...) {
		list, err := st.List(ctx, folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range list {
			files[f.Name] = read(t, st, f.Name)
		}
	}
	return files
}

func read(t *testing.T, st store.Store, name string) string {
	t.Helper()
	r, err := st.Open(context.Background(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// equalContent fails unless a place holds what want says, to the last byte.
func equalContent(t *testing.T, place string, want map[string]string) {
	t.Helper()
	equalFiles(t, place, content(t, place), want)
}

// recovered ends the test unless a place holds what want says and passes verification; context says what was done to it.
func recovered(t *testing.T, place string, want map[string]string, context string, args ...any) {
	t.Helper()
	equalContent(t, place, want)
	if code, _, stderr := pfgmgen("verify", place, "--model", exact, "--quiet"); code != 0 {
		t.Errorf("verify %s: exit %d: %s", place, code, stderr)
	}
	if t.Failed() {
		t.Fatalf("after "+context, args...)
	}
}

// places are the kinds of place that the kill tests use: each call of next gives a new empty one.
func places(t *testing.T) map[string]func() string {
	t.Helper()
	dir, n := t.TempDir(), 0
	s3, gs := storetest.S3(t), storetest.GCS(t)
	return map[string]func() string{
		"directory": func() string { n++; return filepath.Join(dir, strconv.Itoa(n)) },
		"s3":        func() string { n++; return inBucket(s3.Addr, strconv.Itoa(n)) },
		"gs":        func() string { n++; return fmt.Sprint(gs.URL, "/", n) },
	}
}

// inBucket is a place in the bucket of an S3 server.
func inBucket(addr, prefix string) string {
	bucket, endpoint, _ := strings.Cut(storetest.URL(addr, storetest.Bucket), "?")
	return bucket + "/" + prefix + "?" + endpoint
}

// Killed at any change to the output, of which there is one for each step of each file's life, a run goes on to the same
// bytes.
func TestKilledAtEveryChange(t *testing.T) {
	for kind, next := range places(t) {
		t.Run(kind, func(t *testing.T) {
			whole := next()
			if killed(t, child(chaosRun(whole, 2)...), 0) {
				t.Fatal("killed without a reason")
			}
			want := content(t, whole)
			at, step, tried := 1, 7, 0
			if os.Getenv(chaosVariable) != "" {
				step = 1
			}
			for ; ; at += step {
				place := next()
				cmd := child(chaosRun(place, 1+at%4)...)
				cmd.Env = append(cmd.Env, fmt.Sprintf("%s=%d", failpoint, at))
				if !killed(t, cmd, 0) {
					break // the run has fewer changes
				}
				if killed(t, child(chaosRun(place, 1+at%3)...), 0) {
					t.Fatal("killed without a reason")
				}
				recovered(t, place, want, "a kill at change %d", at)
				tried++
			}
			// Three events for each file, and at least a plan, an about, two shards of four files, and four at the end.
			if at < 3*(2+8+4) {
				t.Errorf("only %d changes were tried", at)
			}
			t.Logf("%d kills, at every change or every seventh", tried)
		})
	}
}

// Killed again and again at random moments, a run goes on to the same bytes.
func TestKilledAtRandom(t *testing.T) {
	for kind, next := range places(t) {
		t.Run(kind, func(t *testing.T) {
			whole := next()
			began := time.Now()
			killed(t, child(chaosRun(whole, 2)...), 0)
			took := time.Since(began)
			want := content(t, whole)
			random := rand.New(rand.NewPCG(1, 2))
			done, runs := 0, 0
			for wanted := kills(t, 6); done < wanted; runs++ {
				place := next()
				for range 1 + random.IntN(4) {
					after := time.Duration((0.3 + 0.7*random.Float64()) * float64(took))
					if !killed(t, child(chaosRun(place, 1+random.IntN(4))...), max(after, time.Millisecond)) {
						break
					}
					done++
				}
				killed(t, child(chaosRun(place, 1+random.IntN(4))...), 0)
				recovered(t, place, want, "%d kills in all", done)
				if runs > 100*wanted {
					t.Fatal("the kills come too late")
				}
			}
			t.Logf("%d kills in %d datasets on %d cores", done, runs, runtime.NumCPU())
		})
	}
}

// The object store goes away in the middle of a run and comes back, or a network loses one connection in twenty: the run
// waits, tries again, and makes the same bytes.
func TestStoreComesAndGoes(t *testing.T) {
	server := storetest.S3(t)
	whole := inBucket(server.Addr, "whole")
	if killed(t, child(chaosRun(whole, 2)...), 0) {
		t.Fatal("killed without a reason")
	}
	want := content(t, whole)

	t.Run("server restarted", func(t *testing.T) {
		place := inBucket(server.Addr, "restarted")
		cmd := child(append(chaosRun(place, 2), "--json")...)
		cmd.Env = append(cmd.Env, "SOURCE_DATE_EPOCH="+epoch)
		var out, said bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		record := filepath.Join(server.Root, storetest.Bucket, "restarted", "_pfgmgen", "plan.json")
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
			if _, err := os.Stat(record); err == nil {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("the run has not begun")
			}
		}
		server.Stop()
		time.Sleep(5 * time.Second)
		server.Start()
		if err := cmd.Wait(); err != nil {
			t.Fatalf("%v: %s", err, said.String())
		}
		if n := strings.Count(said.String(), "; trying again in"); n != 1 || !strings.Contains(said.String(), "the server does not answer") {
			t.Errorf("said %d times that it tries again, want once and why: %s", n, said.String())
		}
		var res runResult
		if err := json.Unmarshal(out.Bytes(), &res); err != nil || res.Storage == 0 {
			t.Errorf("the result tells of %d retries (%v): %s", res.Storage, err, out.String())
		}
		recovered(t, place, want, "the server was away")
	})
	t.Run("bad network", func(t *testing.T) {
		relay := storetest.Proxy(t, server.Addr, 0.05)
		for k := range 4 {
			name := fmt.Sprintf("bad%d", k)
			if killed(t, child(chaosRun(inBucket(relay.Addr, name), 2)...), 0) {
				t.Fatal("killed without a reason")
			}
			recovered(t, inBucket(server.Addr, name), want, "a bad network")
		}
		if relay.Lost() == 0 {
			t.Error("no connection was lost, so the test shows nothing")
		}
		t.Logf("%d connections lost", relay.Lost())
	})
	t.Run("slow network", func(t *testing.T) {
		relay := storetest.Proxy(t, server.Addr, 0.05)
		relay.Slow(64 << 10) // the parts, of some ten kilobytes, take a moment each
		if killed(t, child(chaosRun(inBucket(relay.Addr, "slow"), 2)...), 0) {
			t.Fatal("killed without a reason")
		}
		recovered(t, inBucket(server.Addr, "slow"), want, "a slow network")
		// Slower than that, a run is killed in the middle of a part.
		relay.Slow(8 << 10)
		for k := range 2 {
			place := fmt.Sprintf("killed%d", k)
			if !killed(t, child(chaosRun(inBucket(relay.Addr, place), 2)...), 3*time.Second) {
				t.Fatal("over before it was killed")
			}
			if killed(t, child(chaosRun(inBucket(server.Addr, place), 2)...), 0) {
				t.Fatal("killed without a reason")
			}
			recovered(t, inBucket(server.Addr, place), want, "a kill at a slow network")
		}
	})
}
