package temporal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// fileWork makes a dataset of files: OUT/plan, OUT/shard-N with one line for each row, OUT/done. Its settings say how many
// shards there are, how long a step (a row) takes, and what goes wrong. OUT.log has a line for everything that happens,
// whoever does it.
type fileWork struct{}

var _ Work = fileWork{}

func testSpec(out string, settings ...string) Spec {
	s := Spec{Settings: map[string]string{Out: out, "shards": "4", "rows": "5", "step": "100ms"}, Device: "test", ModelSHA256: "m", PlanSHA256: "plan"}
	for i := 0; i < len(settings); i += 2 {
		s.Settings[settings[i]] = settings[i+1]
	}
	return s
}

func number(s Spec, name string) int {
	n, err := strconv.Atoi(s.Settings[name])
	if err != nil {
		panic(err)
	}
	return n
}

// note adds a line to the log of a dataset. Short appends are not torn.
func note(out, format string, args ...any) {
	f, err := os.OpenFile(out+".log", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	fmt.Fprintf(f, "%d %s\n", os.Getpid(), fmt.Sprintf(format, args...))
}

// put makes a whole file or none.
func put(name, text string) error {
	temp := fmt.Sprintf("%s.%d.tmp", name, os.Getpid())
	if err := os.WriteFile(temp, []byte(text), 0o666); err != nil {
		return err
	}
	return os.Rename(temp, name)
}

func shardText(s Spec, shard int) string {
	var b strings.Builder
	for row := range number(s, "rows") {
		fmt.Fprintf(&b, "row %d\n", shard*number(s, "rows")+row)
	}
	return b.String()
}

func (fileWork) Prepare(_ context.Context, s Spec) (Outline, error) {
	out := s.Settings[Out]
	note(out, "prepare")
	if err := os.MkdirAll(out, 0o777); err != nil {
		return Outline{}, err
	}
	plan := "plan"
	if s.Settings["build"] == "other" {
		plan = "other plan"
	}
	if err := put(filepath.Join(out, "plan"), plan); err != nil {
		return Outline{}, err
	}
	o := Outline{RunID: "run", PlanSHA256: plan, Shards: number(s, "shards"), Samples: int64(number(s, "shards") * number(s, "rows"))}
	o.MinValid, _ = strconv.ParseFloat(s.Settings["min-valid"], 64)
	for k := range o.Shards {
		if _, err := os.Stat(filepath.Join(out, fmt.Sprintf("shard-%d", k))); err == nil {
			o.SamplesDone += int64(number(s, "rows"))
		} else {
			o.Missing = append(o.Missing, k)
		}
	}
	return o, nil
}

func (fileWork) Shard(ctx context.Context, s Spec, shard int, beat func(int64)) (ShardResult, error) {
	out := s.Settings[Out]
	note(out, "start %d", shard)
	if shard == 2 {
		switch s.Settings["fault"] {
		case "permanent":
			return ShardResult{}, fmt.Errorf("read the model: %w", Permanent(errors.New("the model 1234 is not on this worker; put it there")))
		case "panic":
			panic("a mistake")
		case "passing":
			data, _ := os.ReadFile(out + ".log")
			if strings.Count(string(data), " start 2\n") < 3 {
				return ShardResult{}, errors.New("the network is away")
			}
		case "hangs":
			data, _ := os.ReadFile(out + ".log")
			if strings.Count(string(data), " start 2\n") < 2 {
				<-ctx.Done() // counts nothing
				return ShardResult{}, ctx.Err()
			}
		}
	}
	step, err := time.ParseDuration(s.Settings["step"])
	if err != nil {
		return ShardResult{}, Permanent(err)
	}
	for row := range number(s, "rows") {
		if step > 0 {
			select {
			case <-ctx.Done():
				note(out, "stop %d", shard)
				return ShardResult{}, ctx.Err()
			case <-time.After(step):
			}
		}
		beat(int64(row + 1))
	}
	if err := put(filepath.Join(out, fmt.Sprintf("shard-%d", shard)), shardText(s, shard)); err != nil {
		return ShardResult{}, err
	}
	note(out, "end %d", shard)
	return ShardResult{Samples: int64(number(s, "rows"))}, nil
}

func (fileWork) Finalize(_ context.Context, s Spec) (Summary, error) {
	out := s.Settings[Out]
	note(out, "finalize")
	sum := Summary{Out: out, RunID: "run", Parts: number(s, "shards"), ValidShare: 0.75}
	for k := range sum.Parts {
		data, err := os.ReadFile(filepath.Join(out, fmt.Sprintf("shard-%d", k)))
		if err != nil {
			return sum, Permanent(err)
		}
		sum.Rows += int64(strings.Count(string(data), "\n"))
		sum.Bytes += int64(len(data))
	}
	return sum, put(filepath.Join(out, "done"), "")
}

// checkDataset compares the files of a finished dataset with what they must be.
func checkDataset(t *testing.T, s Spec, sum Summary) {
	t.Helper()
	out := s.Settings[Out]
	for k := range number(s, "shards") {
		if data, err := os.ReadFile(filepath.Join(out, fmt.Sprintf("shard-%d", k))); err != nil || string(data) != shardText(s, k) {
			t.Errorf("shard %d: %q, %v", k, data, err)
		}
	}
	if want := int64(number(s, "shards") * number(s, "rows")); sum.Rows != want {
		t.Errorf("%d rows, want %d", sum.Rows, want)
	}
	if _, err := os.Stat(filepath.Join(out, "done")); err != nil {
		t.Error(err)
	}
}

// A line of the log of a dataset.
type line struct {
	pid  int
	text string
}

func logOf(t *testing.T, out string) (lines []line) {
	t.Helper()
	data, err := os.ReadFile(out + ".log")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	for _, l := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		pid, text, _ := strings.Cut(l, " ")
		n, _ := strconv.Atoi(pid)
		lines = append(lines, line{n, text})
	}
	return lines
}

// count counts the lines of a log that begin with a text; pid 0 is any.
func count(lines []line, pid int, text string) (n int) {
	for _, l := range lines {
		if (pid == 0 || l.pid == pid) && (l.text == text || strings.HasPrefix(l.text, text+" ")) {
			n++
		}
	}
	return n
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

// asWorker is set in child processes that are to be a worker: its value is the address, and the queue after a comma.
const asWorker = "PFGMGEN_TEST_WORKER"

func TestMain(m *testing.M) {
	// Nothing of the machine's own settings may reach the tests.
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "TEMPORAL_") {
			os.Unsetenv(name)
		}
	}
	os.Setenv("TEMPORAL_CONFIG_FILE", os.DevNull)
	if job := os.Getenv(asWorker); job != "" {
		os.Exit(workerProcess(job))
	}
	os.Exit(m.Run())
}

// quick are worker options that do not keep tests waiting.
func quick(queue string) WorkerOptions {
	return WorkerOptions{TaskQueue: queue, Device: "test", Beat: 200 * time.Millisecond, Stall: 3 * time.Second}
}

func quickLimits() Limits {
	l := DefaultLimits()
	l.Heartbeat, l.FirstWait, l.LastWait = 4*time.Second, 50*time.Millisecond, 500*time.Millisecond
	return l
}

func workerProcess(job string) int {
	address, queue, _ := strings.Cut(job, ",")
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	c, err := Dial(ctx, Connection{Address: address})
	if err == nil {
		err = c.Serve(ctx, fileWork{}, quick(queue))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 75
}

// startWorker starts a worker in a process of its own, which ends with the test.
func startWorker(t *testing.T, address, queue string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), asWorker+"="+address+","+queue)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return cmd
}

// serve runs a worker in this process, which ends with the test.
func serve(t *testing.T, c *Client, work Work, o WorkerOptions) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Serve(ctx, work, o) }()
	stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		ended <- nil
	}
	t.Cleanup(stop)
	return stop
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
