package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// asProgram is set in child processes that are to be the program rather than its tests.
const asProgram = "PFGMGEN_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main() // exits
	}
	// Tests change the working directory, and the library is looked for from there.
	library, err := filepath.Abs("../../.onnxruntime")
	if err != nil {
		panic(err)
	}
	os.Setenv("PFGMGEN_ONNXRUNTIME", library)
	os.Exit(m.Run())
}

// child is the program in a process of its own.
func child(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	return cmd
}

// without ends a test for which the machine lacks something: it fails in CI, which has to bring it, and is skipped elsewhere.
func without(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// mustRun runs the program and fails unless it ends with want.
func mustRun(t *testing.T, want int, args ...string) (stdout, stderr string) {
	t.Helper()
	code, stdout, stderr := pfgmgen(args...)
	if code != want {
		t.Fatalf("pfgmgen %s: exit %d, want %d\n%s", strings.Join(args, " "), code, want, stderr)
	}
	return stdout, stderr
}

func TestExitStatus(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("x"), 1},
		{usageErrorf("x"), 2},
		{fmt.Errorf("a: %w", usageErrorf("x")), 2},
		{fmt.Errorf("a: %w", errThreshold), 3},
		{fmt.Errorf("a: %w", context.Canceled), 75},
		{interruption{"x"}, 75},
		{context.DeadlineExceeded, 1},
	} {
		if got := exitStatus(tc.err); got != tc.want {
			t.Errorf("status of %v is %d, want %d", tc.err, got, tc.want)
		}
	}
}

// Every mistake in the command line has one clear message and status 2.
func TestUsageErrors(t *testing.T) {
	dir := t.TempDir()
	config := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	rna := []string{"run", "--domain", "rna", "--out", filepath.Join(dir, "out")}
	for _, tc := range []struct {
		args []string
		want string // in the message
	}{
		{[]string{"rnu"}, `"rnu" is not a command, did you mean run?`},
		{[]string{"help", "verfy"}, `"verfy" is not a command, did you mean verify?`},
		{[]string{"--vrsion"}, "unknown flag --vrsion, did you mean --version?"},
		{[]string{"run", "--sed", "3"}, "unknown flag --sed, did you mean --seed?"},
		{[]string{"run", "--num_samples", "3"}, "unknown flag --num_samples, did you mean --num-samples?"},
		{[]string{"run", "-x"}, "unknown flag -x"},
		{[]string{"run"}, "--domain NAME (rna, "},
		{[]string{"run", "--domain", "rma"}, "did you mean rna?"},
		{[]string{"run", "--domain", "rna", "--model", "rna-tnra"}, "did you mean rna-trna?"},
		{[]string{"run", "--domain", "rna", "--model", filepath.Join(dir, "no.onnx")}, "no such file"},
		{append(rna, "extra"), `unexpected argument "extra"`},
		{append(rna, "-n", "0"), "--num-samples is 0, want at least 1"},
		{append(rna, "-n", "-3"), "--num-samples is -3, want at least 1"},
		{append(rna, "-n", "many"), `invalid value "many" for flag -n: want a whole number`},
		{append(rna, "--seed"), "flag needs an argument: --seed"},
		{append(rna, "--seed", "-1"), `invalid value "-1" for flag --seed: want a whole number from 0`},
		{append(rna, "--rho", "x"), `invalid value "x" for flag --rho: want a number`},
		{append(rna, "--json=maybe"), `invalid boolean value "maybe" for --json: want true or false`},
		{append(rna, "-n", "99999999999999999999"), "value out of range"},
		{append(rna, "--seed", "9223372036854775808"), "--seed is 9223372036854775808, want at most 9223372036854775807"},
		{append(rna, "--steps", "0"), "--steps is 0, want at least 1"},
		{append(rna, "--steps", "1000000000"), "steps is 1000000000, want 1 to 10000"},
		{append(rna, "--batch", "0"), "--batch is 0, want at least 1"},
		{append(rna, "--batch", "99999999"), "batch is 99999999, want 1 to"},
		{append(rna, "--workers", "-1"), "--workers is -1, want at least 1"},
		{append(rna, "--threads", "0"), "--threads is 0, want at least 1"},
		{append(rna, "--max-attempts", "0"), "--max-attempts is 0, want at least 1"},
		{append(rna, "--max-attempts", "3", "--invalid", "drop"), "--max-attempts is for --invalid resample"},
		{append(rna, "--shard-rows", "0"), "shard_rows is 0, want at least 1"},
		{append(rna, "--solver", "huen"), "did you mean heun?"},
		{append(rna, "--format", "parket"), "did you mean parquet?"},
		{append(rna, "--invalid", "resampel"), "did you mean resample?"},
		{append(rna, "--also", "fata"), "did you mean fasta?"},
		{append(rna, "--min-valid", "92"), "want a share from 0 to 1"},
		{append(rna, "--guidance", "2"), "has no labels to guide by"},
		{append(rna, "--guidance", "NaN"), "guidance is NaN"},
		{append(rna, "--label", "RF00005"), "model rna-trna has no labels"},
		{append(rna, "--sigma-max", "1000"), "was trained for"},
		{append(rna, "--sigma-min", "0.5", "--sigma-max", "0.4"), "sigma"},
		{append(rna, "--device", "gpu"), `device "gpu" is not known`},
		{append(rna, "--device", "cpu,cuda:0"), "must be of one kind"},
		{append(rna, "--device", "auto,cpu"), "auto cannot stand beside"},
		{append(rna, "--array", "8/8"), `--array 8/8: task "8/8": want I/N`},
		{append(rna, "--array", ""), "--array '': task"},
		{append(rna, "--array", "auto"), "no variable of a job array is set"},
		{append(rna, "--quiet", "--verbose"), "exclude each other"},
		{append(rna, "--log-format", "xml"), "want text or json"},
		{[]string{"run", "--domain", "rna", "--out", "s4://bucket/x"}, "no store is known for s4://"},
		{[]string{"run", "--domain", "rna", "--out", ""}, "--out is empty"},
		{append(rna, "--metrics-addr", "9090"), `--metrics-addr: address "9090": missing port in address; want HOST:PORT, such as`},
		{append(rna, "--metrics-addr", "localhost:99999"), `port "99999" is not a number from 0 to 65535`},
		{append(rna, "--metrics-addr", ""), "want HOST:PORT"},
		{[]string{"worker", "--metrics-addr", "9090"}, `--metrics-addr: address "9090": missing port in address`},
		{[]string{"worker", "--metrics-file", ""}, "--metrics-file is empty, want the name of a file"},
		{append(rna, "--metrics-file", ""), "--metrics-file is empty, want the name of a file"},
		{append(rna, "--config", filepath.Join(dir, "none.yaml")), "no such file"},
		{append(rna, "--config", config("a.yaml", "num-sample: 3\n")), `line 1: unknown key "num-sample", did you mean num-samples?`},
		{append(rna, "--config", config("help.yaml", "help: true\n")), `line 1: unknown key "help"`},
		{append(rna, "--config", config("b.yaml", "steps: 3\nsteps: 4\n")), "line 2: steps was set on line 1 already"},
		{append(rna, "--config", config("c.yaml", "steps: many\n")), `line 1: steps: "many"`},
		{append(rna, "--config", config("d.yaml", "- steps\n")), "want settings as name: value"},
		{append(rna, "--config", config("e.yaml", "steps: [\n")), "e.yaml"},
		{append(rna, "--config", config("f.yaml", "steps:\n")), "has no value"},
		{append(rna, "--config", config("g.yaml", "steps: {a: [1]}\n")), "want name: value pairs"},
		{append(rna, "--config", config("h.yaml", "steps: 3\n---\nsteps: 4\n")), "more than one YAML document"},
		{append(rna, "--config", config("i.yaml", "config: other.yaml\n")), `unknown key "config"`},
		{append(rna, "--config", config("j.yaml", strings.Repeat("#", maxConfig+1))), "more than 1048576 bytes"},
		{[]string{"verify"}, "verify needs an argument"},
		{[]string{"verify", "a", "b"}, `unexpected argument "b"`},
		{[]string{"verify", dir, "--rows", "-1"}, "--rows is -1"},
		{[]string{"inspect"}, "inspect needs an argument"},
		{[]string{"models", "rna-trn"}, "did you mean rna-trna?"},
		{[]string{"domains", "rnaa"}, "did you mean rna?"},
		{[]string{"doctor", "--jsn"}, "did you mean --json?"},
	} {
		t.Run(strings.Join(tc.args, " "), func(t *testing.T) {
			code, stdout, stderr := pfgmgen(tc.args...)
			if code != exitUsage || !strings.Contains(stderr, tc.want) || stdout != "" {
				t.Errorf("exit %d, want 2 with %q\nstdout: %s\nstderr: %s", code, tc.want, stdout, stderr)
			}
			if !strings.HasPrefix(stderr, "pfgmgen: error: ") || strings.Count(stderr, "\n") != 2 {
				t.Errorf("want one message and one hint, got:\n%s", stderr)
			}
		})
	}
	if _, err := os.Stat(filepath.Join(dir, "out")); !errors.Is(err, os.ErrNotExist) {
		t.Error("a refused command made its output directory")
	}
}

func TestEnvironmentIsChecked(t *testing.T) {
	t.Setenv("PFGMGEN_STEPS", "many")
	_, stderr := mustRun(t, exitUsage, "run", "--domain", "rna", "--out", t.TempDir())
	if !strings.Contains(stderr, "PFGMGEN_STEPS") || !strings.Contains(stderr, "want a whole number") {
		t.Errorf("the message does not name the variable: %s", stderr)
	}
}

func TestFlagsMayFollowArguments(t *testing.T) {
	for _, args := range [][]string{{"models", "rna-trna", "--json"}, {"models", "--json", "rna-trna"}, {"models", "--json", "--", "rna-trna"}} {
		if stdout, _ := mustRun(t, 0, args...); !strings.HasPrefix(stdout, "{") {
			t.Errorf("%v printed %.40s", args, stdout)
		}
	}
	app := newApp(newEnv(io.Discard, io.Discard))
	got := permute(app.Commands, []string{"verify", "dir", "--rows", "3", "--quiet", "more", "--seed=4", "--", "-n"})
	if want := "verify --rows 3 --quiet --seed=4 -- dir more -n"; strings.Join(got, " ") != want {
		t.Errorf("permuted to %q, want %q", got, want)
	}
}

// golden compares text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	goldenFile(t, "cmd/pfgmgen/testdata/"+name+".txt", "cmd/pfgmgen/testdata/"+name+".got-txt", got)
}

// goldenFile compares text with a file; on a difference it leaves the text in another. Both are paths of the module.
func goldenFile(t *testing.T, path, left, got string) {
	t.Helper()
	want, err := os.ReadFile("../../" + path)
	if err == nil && string(want) == got {
		return
	}
	if err := os.WriteFile("../../"+left, []byte(got), 0o666); err != nil {
		t.Fatal(err)
	}
	t.Errorf("%s differs; to accept the new text: mv %s %s", path, left, path)
}

func TestHelp(t *testing.T) {
	app := newApp(newEnv(io.Discard, io.Discard))
	for _, c := range app.Commands {
		if c.Name == "help" {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			stdout, stderr := mustRun(t, 0, c.Name, "--help")
			if stderr != "" {
				t.Errorf("stderr: %s", stderr)
			}
			golden(t, "help-"+c.Name, stdout)
			if other, _ := mustRun(t, 0, "help", c.Name); other != stdout {
				t.Errorf("help %s and %s --help differ", c.Name, c.Name)
			}
			for _, line := range strings.Split(stdout, "\n") {
				if len(line) > 125 {
					t.Errorf("line of %d letters: %s", len(line), line)
				}
			}
		})
	}
	stdout, _ := mustRun(t, 0)
	golden(t, "help", stdout)
	if other, _ := mustRun(t, 0, "--help"); other != stdout {
		t.Error("pfgmgen and pfgmgen --help differ")
	}
}

func TestVersion(t *testing.T) {
	if stdout, _ := mustRun(t, 0, "--version"); !strings.HasPrefix(stdout, "pfgmgen ") {
		t.Errorf("printed %q", stdout)
	}
}

// All of stderr is JSON when that was asked for, errors included.
func TestJSONLog(t *testing.T) {
	for _, args := range [][]string{
		{"run", "--model", hairpins + ".onnx", "-n", "20", "--out", filepath.Join(t.TempDir(), "o"), "--log-format", "json"},
		{"run", "--domain", "rna", "-n", "0", "--log-format", "json"},
		{"run", "--sed", "3", "--log-format", "json"}, // found before the flag is read
		{"verfy", "--log-format=json"},
		{"doctor", "--log-format", "json", "--verbose"},
		{"verify", filepath.Join(t.TempDir(), "none"), "-log-format", "json"},
	} {
		_, _, stderr := pfgmgen(args...)
		for _, line := range strings.Split(strings.TrimSpace(stderr), "\n") {
			var record struct {
				Time       time.Time
				Level, Msg string
			}
			if err := json.Unmarshal([]byte(line), &record); stderr != "" && (err != nil || record.Time.IsZero() || record.Level == "" || record.Msg == "") {
				t.Errorf("%v: line %q: %v", args, line, err)
			}
		}
	}
	t.Setenv("PFGMGEN_LOG_FORMAT", "json")
	if _, _, stderr := pfgmgen("run", "--sed", "3"); !strings.HasPrefix(stderr, `{"time":`) {
		t.Errorf("the environment asks for JSON, got %s", stderr)
	}
	if _, _, stderr := pfgmgen("run", "--sed", "3", "--log-format", "text"); !strings.HasPrefix(stderr, "pfgmgen: error: ") {
		t.Errorf("the flag beats the environment, got %s", stderr)
	}
}

// What a line says in words is in its attributes too.
func TestJSONLogHasAttributes(t *testing.T) {
	var b bytes.Buffer
	e := newEnv(io.Discard, &b)
	e.command, e.logFormat = "run", "json"
	if err := e.setUp(); err != nil {
		t.Fatal(err)
	}
	now := time.Unix(0, 0)
	m := e.newMeter("sampling", "rows", 2000)
	m.now = func() time.Time { return now }
	m.began, m.shown = now, now
	now = now.Add(10 * time.Second)
	m.update(500, "96.0 % valid", slog.Float64("valid_share", 0.96))
	var got map[string]any
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatalf("%v: %s", err, b.String())
	}
	for name, want := range map[string]any{"level": "INFO", "command": "run", "msg": "sampling 25%  500/2,000 rows  50.0/s  30s left  96.0 % valid",
		"done": 500.0, "total": 2000.0, "unit": "rows", "per_second": 50.0, "seconds_left": 30.0, "valid_share": 0.96} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
}

func TestMissingLibrary(t *testing.T) {
	cmd := child("run", "--model", hairpins+".onnx", "--out", filepath.Join(t.TempDir(), "o"))
	cmd.Env = append(cmd.Env, "PFGMGEN_ONNXRUNTIME=/nowhere")
	out, _ := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != exitFailure || !strings.Contains(string(out), "make setup") {
		t.Errorf("exit %d: %s", code, out)
	}
}

// started waits until a child has claimed its output directory, and so is past its start.
func started(t *testing.T, out string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(out, "_pfgmgen", "plan.json")); err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the child did not start")
		}
	}
}

func TestInterrupts(t *testing.T) {
	for _, tc := range []struct {
		signals int
		want    int
	}{{1, exitInterrupted}, {2, exitKilled}} {
		t.Run(fmt.Sprint(tc.signals), func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "o")
			cmd := child("run", "--domain", "rna", "-n", "1000000", "--out", out)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			started(t, out)
			cmd.Process.Signal(syscall.SIGINT)
			if tc.signals == 2 {
				cmd.Process.Signal(syscall.SIGTERM) // another one: equal signals that are pending count once
			}
			_ = cmd.Wait()
			if got := cmd.ProcessState.ExitCode(); got != tc.want {
				t.Errorf("exit %d, want %d\n%s", got, tc.want, stderr.String())
			}
			if tc.signals == 1 && !strings.Contains(stderr.String(), "run the same command again") {
				t.Errorf("the message does not say what to do: %s", stderr.String())
			}
			nothingWhole(t, out)
		})
	}
}

// nothingWhole fails when a directory holds anything that a reader could take for data.
func nothingWhole(t *testing.T, dir string) {
	t.Helper()
	for _, name := range []string{"manifest.json", "_SUCCESS", "README.md"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s is there", name)
		}
	}
	parts, err := filepath.Glob(filepath.Join(dir, "data", "[^.]*"))
	if err != nil || len(parts) > 0 {
		t.Errorf("parts %v %v", parts, err)
	}
}

func TestInterruptibleEndsTheContextOnce(t *testing.T) {
	killed := make(chan int, 1)
	ctx, stop := interruptible(context.Background(), func(code int) { killed <- code })
	defer stop()
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	self.Signal(syscall.SIGTERM)
	<-ctx.Done()
	select {
	case code := <-killed:
		t.Fatalf("the first signal ended the process with %d", code)
	default:
	}
	self.Signal(os.Interrupt)
	if code := <-killed; code != exitKilled {
		t.Errorf("the second signal ends with %d, want %d", code, exitKilled)
	}
}

func TestDidYouMean(t *testing.T) {
	words := []string{"seed", "steps", "num-samples", "sigma-min", "rna-trna"}
	for typed, want := range map[string]string{
		"sead": "seed", "stpes": "steps", "num_sample": "num-samples", "sigma": "sigma-min", "RNA-tRNA": "rna-trna",
		"x": "", "workers": "", "": "",
	} {
		got := didYouMean(typed, words, "")
		if want != "" {
			want = ", did you mean " + want + "?"
		}
		if got != want {
			t.Errorf("%q: %q, want %q", typed, got, want)
		}
	}
	if d := distance("kitten", "sitting"); d != 3 { // the textbook's example
		t.Errorf("distance of kitten and sitting is %d, want 3", d)
	}
}

func TestNumbersForPeople(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567", -100: "-100"} {
		if got := number(n); got != want {
			t.Errorf("number %d: %s", n, got)
		}
	}
	for n, want := range map[int64]string{0: "0 bytes", 999: "999 bytes", 1000: "1 kB", 2848371: "2.85 MB", 5e12: "5 TB"} {
		if got := size(n); got != want {
			t.Errorf("size %d: %s, want %s", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{-time.Second: "0s", 1234 * time.Millisecond: "1.2s", 61*time.Second + 400*time.Millisecond: "1m1s", 100 * time.Hour: "100 h"} {
		if got := duration(d); got != want {
			t.Errorf("duration %v: %s, want %s", d, got, want)
		}
	}
	if got := codes(map[string]int64{"B": 2, "A": 2, "C": 1000}); got != "C 1,000, A 2, B 2" {
		t.Errorf("codes: %s", got)
	}
}

// A meter writes a line now and then into a pipe, and a bar that it removes on a terminal.
func TestMeter(t *testing.T) {
	now := time.Unix(0, 0)
	newMeter := func(tty bool) (*meter, *bytes.Buffer) {
		var b bytes.Buffer
		e := newEnv(io.Discard, &b)
		e.con.tty = tty
		m := e.newMeter("sampling", "rows", 2000)
		m.now = func() time.Time { return now }
		m.began, m.shown = now, now
		return m, &b
	}
	m, b := newMeter(false)
	for range 25 {
		now = now.Add(time.Second)
		m.update(500, "96.0 % valid")
	}
	if want := "sampling 25%  500/2,000 rows  50.0/s  30s left  96.0 % valid\nsampling 25%  500/2,000 rows  25.0/s  1m0s left  96.0 % valid\n"; b.String() != want {
		t.Errorf("in a pipe:\n%swant:\n%s", b, want)
	}
	m, b = newMeter(true)
	now = now.Add(time.Second)
	m.update(1000, "")
	m.e.info("a line")
	m.end()
	bar := "sampling  50% [############............]  1,000/2,000 rows  1,000/s  1.0s left"
	bar = strings.ReplaceAll(bar, "1.0s left", "1s left")
	if want := clearLine + bar + clearLine + "a line\n" + bar + clearLine; b.String() != want {
		t.Errorf("on a terminal:\n%q\nwant\n%q", b, want)
	}
	m, b = newMeter(true)
	now = now.Add(time.Second)
	m.update(1000, "100.0 % valid")
	if want := clearLine + "sampling  50% [######......]  1,000/2,000 rows  1,000/s  1s left  100.0 % valid"; b.String() != want {
		t.Errorf("on a line that is short of room:\n%q\nwant\n%q", b, want)
	}
	m, b = newMeter(false)
	m.e.quiet = true
	now = now.Add(time.Hour)
	m.update(1, "")
	if b.Len() > 0 {
		t.Errorf("quiet, yet %q", b)
	}
}
