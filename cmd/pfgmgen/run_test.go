package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pfgmgen/domains"
	"pfgmgen/domains/all"
	"pfgmgen/internal/onnx"
	"pfgmgen/io/dataset"
	"pfgmgen/io/store"
	"pfgmgen/sampler"
	"pfgmgen/training"
)

// exact is the exact denoiser of the training hairpins: what it samples are those hairpins.
const exact = hairpins + ".onnx"

// runJSON runs pfgmgen run --json and decodes its result.
func runJSON(t *testing.T, args ...string) runResult {
	t.Helper()
	stdout, _ := mustRun(t, 0, append([]string{"run", "--json"}, args...)...)
	var r runResult
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatalf("%v\n%s", err, stdout)
	}
	return r
}

// trainingHairpins are the sequences that the exact denoiser has learnt.
func trainingHairpins(t *testing.T) map[string]bool {
	t.Helper()
	table, err := os.ReadFile(hairpins + ".tsv")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for _, line := range strings.Split(string(table), "\n") {
		if f := strings.Split(line, "\t"); len(f) == 4 && f[3] == "train" {
			out[f[1]] = true
		}
	}
	return out
}

func TestRun(t *testing.T) {
	out := filepath.Join(t.TempDir(), "deep", "out")
	args := []string{"--model", exact, "-n", "300", "--seed", "7", "--also", "fasta", "--shard-rows", "128", "--out", out}
	r := runJSON(t, args...)
	if r.Status != "written" || r.Counts.Written != 300 || r.Counts.Distinct < 50 || len(r.Parts) != 3 || r.ValidShare != 1 {
		t.Errorf("result %+v %+v", r, r.Report)
	}
	man, err := dataset.ReadManifest(t.Context(), store.Dir(out))
	if err != nil {
		t.Fatal(err)
	}
	if man.RunID != r.RunID || man.Seed != "7" || man.Model.Name != "hairpins.onnx" || man.Versions["onnxruntime"] == "" || len(man.Exports) != 3 {
		t.Errorf("manifest %+v", man)
	}
	index := make([]int64, 300)
	for i := range index {
		index[i] = int64(i)
	}
	rows, err := dataset.Rows(context.Background(), store.Dir(out), man, index)
	if err != nil {
		t.Fatal(err)
	}
	known, fasta := trainingHairpins(t), strings.Builder{}
	for i := range 3 {
		b, err := os.ReadFile(filepath.Join(out, "fasta", fmt.Sprintf("train-%05d.fasta", i)))
		if err != nil {
			t.Fatal(err)
		}
		fasta.Write(b)
	}
	for i, row := range rows {
		id := fmt.Sprintf("%s-%09d", r.RunID, i)
		seq, _ := row["sequence"].(string)
		if !known[seq] || row["sample_id"] != id || row["valid"] != true || row["label"] != nil || row["domain"] != "rna" || row["seed"] != int64(7) {
			t.Fatalf("row %d: %v", i, row)
		}
		if !strings.Contains(fasta.String(), fmt.Sprintf(">%s length=%d\n%s\n", id, len(seq), seq)) {
			t.Errorf("row %d is not in the FASTA export", i)
		}
	}
	for _, name := range []string{"README.md", "croissant.json", "_SUCCESS", "_pfgmgen/plan.json"} {
		if _, err := os.Stat(filepath.Join(out, name)); err != nil {
			t.Error(err)
		}
	}
	card, err := os.ReadFile(filepath.Join(out, "README.md"))
	if err != nil || !strings.Contains(string(card), "pfgmgen run --domain rna --model hairpins.onnx -n 300 --seed 7") {
		t.Errorf("the card does not say how to make the dataset again: %v\n%s", err, card)
	}
	if got := man.Columns[slices.IndexFunc(man.Columns, func(c dataset.Column) bool { return c.Name == "length" })]; got.About != "nucleotides" {
		t.Errorf("column %+v", got)
	}

	t.Run("again", func(t *testing.T) {
		before := snapshot(t, out)
		again := runJSON(t, args...)
		if again.Status != "complete" || again.RunID != r.RunID || again.Counts.Written != 300 || again.Report != nil {
			t.Errorf("result %+v", again)
		}
		if after := snapshot(t, out); after != before {
			t.Error("a finished dataset was touched")
		}
	})
	t.Run("another plan", func(t *testing.T) {
		before := snapshot(t, out)
		_, stderr := mustRun(t, exitFailure, append([]string{"run"}, append(args, "--seed", "8", "--steps", "5")...)...)
		for _, want := range []string{"seed is 7 there, 8 here", "steps is", "Choose another --out"} {
			if !strings.Contains(stderr, want) {
				t.Errorf("message lacks %q: %s", want, stderr)
			}
		}
		if strings.Contains(stderr, "shard_rows") {
			t.Errorf("message names what is equal: %s", stderr)
		}
		if after := snapshot(t, out); after != before {
			t.Error("a refused run touched the dataset")
		}
	})
	t.Run("a part is gone", func(t *testing.T) {
		before := snapshot(t, filepath.Join(out, "data"))
		if err := os.Remove(filepath.Join(out, filepath.FromSlash(r.Parts[1]))); err != nil {
			t.Fatal(err)
		}
		if again := runJSON(t, args...); again.Status != "written" {
			t.Errorf("status %s", again.Status)
		}
		if after := snapshot(t, filepath.Join(out, "data")); after != before {
			t.Error("the part was not made again as it was")
		}
	})
}

// snapshot is the content of a directory as text.
func snapshot(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		fmt.Fprintf(&b, "%s %x\n", strings.TrimPrefix(path, dir), data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// The files are the same bytes whatever the number of workers and threads; in Arrow too, and with retries.
func TestWorkersDoNotChangeBytes(t *testing.T) {
	for _, format := range []string{"parquet", "arrow"} {
		want := ""
		for _, workers := range []string{"1", "2", "4"} {
			out := filepath.Join(t.TempDir(), "o")
			// One Euler step goes to the mean of the data, so that about half of the draws are rejected.
			mustRun(t, 0, "run", "--model", exact, "-n", "500", "--solver", "euler", "--steps", "1", "--workers", workers, "--threads", workers,
				"--format", format, "--out", out, "--shard-rows", "200")
			got := snapshot(t, filepath.Join(out, "data"))
			if want == "" {
				want = got
			}
			if got != want {
				t.Errorf("%s: %s workers give other bytes than 1", format, workers)
			}
		}
	}
}

func TestInvalidPoliciesAndThreshold(t *testing.T) {
	args := []string{"run", "--model", exact, "-n", "200", "--solver", "euler", "--steps", "1", "--json"}
	for _, tc := range []struct {
		args []string
		code int
		all  bool // 200 rows
	}{
		{[]string{"--invalid", "keep"}, 0, true},
		{[]string{"--invalid", "drop"}, 0, false},
		{[]string{"--invalid", "resample", "--max-attempts", "40"}, 0, true},
		{[]string{"--invalid", "keep", "--min-valid", "0.99"}, exitThreshold, true},
		{[]string{"--min-valid", "0.01"}, 0, false},
	} {
		t.Run(strings.Join(tc.args, " "), func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "o")
			stdout, stderr := mustRun(t, tc.code, append(append(args, "--out", out), tc.args...)...)
			var r runResult
			if err := json.Unmarshal([]byte(stdout), &r); err != nil {
				t.Fatal(err)
			}
			if (r.Counts.Written == 200) != tc.all || r.Counts.Rejected["RN_STRUCT"] == 0 || r.ValidShare <= 0 || r.ValidShare >= 1 {
				t.Errorf("counts %+v, valid share %g", r.Counts, r.ValidShare)
			}
			if !strings.Contains(stderr, "rejected: RN_STRUCT") {
				t.Errorf("summary does not say why rows were rejected: %s", stderr)
			}
			if tc.code == exitThreshold {
				if _, err := dataset.ReadManifest(t.Context(), store.Dir(out)); err != nil || !strings.Contains(stderr, "--min-valid asks for 99.0 %") {
					t.Errorf("%v %s", err, stderr)
				}
				mustRun(t, tc.code, append(append(args, "--out", out), tc.args...)...) // the finished dataset is still not good enough
			}
			mustRun(t, 0, "verify", out, "--model", exact)
		})
	}
}

func TestNoValidRowIsNoDataset(t *testing.T) {
	// A model that only knows the empty sequence.
	model, _ := hairpinModel(t, func(c *sampler.Contract, points [][]float64) [][]float64 {
		empty := make([]float64, len(points[0]))
		for i := range empty {
			empty[i] = float64(i % 25) // the last channel of five is the gap, that of 25 a pair of gaps
		}
		return [][]float64{empty}
	})
	out := filepath.Join(t.TempDir(), "o")
	_, stderr := mustRun(t, exitFailure, "run", "--model", model, "-n", "10", "--out", out)
	if !strings.Contains(stderr, "no row passed the checks in 80 draws") || !strings.Contains(stderr, "RN_EMPTY 80") {
		t.Errorf("message: %s", stderr)
	}
	nothingWhole(t, out)
}

// hairpinModel writes the exact denoiser of hairpins with its contract or points changed.
func hairpinModel(t *testing.T, change func(c *sampler.Contract, points [][]float64) [][]float64) (path string, c *sampler.Contract) {
	t.Helper()
	data := loadHairpins(t, hairpins+".sto")
	c = hairpinContract(data)
	points, class := encoded(data)
	if change != nil {
		if points = change(c, points); len(points) != len(class) {
			class = nil
		}
	}
	b, err := training.ExportPosterior(points, class, c)
	if err != nil {
		t.Fatal(err)
	}
	return writeModel(t, b), c
}

func loadHairpins(t *testing.T, path string) *domains.Data {
	t.Helper()
	d, err := all.Registry().Get("rna")
	if err != nil {
		t.Fatal(err)
	}
	data, err := d.Load(context.Background(), domains.LoadOptions{Paths: []string{path}})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func hairpinContract(data *domains.Data) *sampler.Contract {
	return &sampler.Contract{Version: sampler.ContractVersion, Domain: "rna", Shape: data.Adapter.Shape(), Free: data.Adapter.Free(), D: 128,
		SigmaData: 0.5, SigmaMin: 0.03, SigmaMax: 40, Rho: 5, Steps: 12, Offset: []float64{0}, Scale: []float64{1}, Symmetry: "none", Mask: "none", Guidance: 1,
		Labels: data.Adapter.Labels(), License: "Apache-2.0", Source: "invented", Adapter: data.Adapter.Settings()}
}

func encoded(data *domains.Data) (points [][]float64, class []int64) {
	for i := range data.Train.Len() {
		x := make([]float64, data.Adapter.Free())
		class = append(class, int64(data.Train.Encode(x, i)))
		points = append(points, x)
	}
	return points, class
}

func writeModel(t *testing.T, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model.onnx")
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// Models that cannot be used are refused by name before any work.
func TestBadModels(t *testing.T) {
	good, err := os.ReadFile(exact)
	if err != nil {
		t.Fatal(err)
	}
	with := func(key, value string) []byte {
		m, err := onnx.Parse(good)
		if err != nil {
			t.Fatal(err)
		}
		m.SetMetadata("pfgmgen."+key, value)
		b, err := m.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	nan := func() []byte {
		m, err := onnx.Parse(good)
		if err != nil {
			t.Fatal(err)
		}
		for _, init := range m.Proto.Graph.Initializer {
			if v, ok := onnx.Floats(init); ok && len(v) > 10 {
				bits := math.Float32bits(float32(math.NaN()))
				copy(init.RawData[8:], []byte{byte(bits), byte(bits >> 8), byte(bits >> 16), byte(bits >> 24)})
			}
		}
		b, err := m.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for name, tc := range map[string]struct {
		model []byte
		args  []string
		code  int
		want  string
	}{
		"empty":                {[]byte{}, nil, exitFailure, "not an ONNX model"},
		"not ONNX":             {[]byte("hello, I am a text file\n"), nil, exitFailure, "not an ONNX model"},
		"truncated":            {good[:len(good)/2], nil, exitFailure, "truncated"},
		"NaN weights":          {nan(), nil, exitFailure, "hold NaN"},
		"D = 0":                {with("d", "0"), nil, exitFailure, "D is 0, want a positive number or inf"},
		"D = NaN":              {with("d", "NaN"), nil, exitFailure, "D is NaN"},
		"D is no number":       {with("d", "many"), nil, exitFailure, `pfgmgen.d is "many"`},
		"another domain":       {with("domain", "weather"), nil, exitFailure, `unknown domain "weather"`},
		"asked for another":    {with("domain", "audio"), []string{"--domain", "rna"}, exitUsage, "is for the domain audio, not for rna"},
		"another shape":        {with("shape", "5,20"), nil, exitFailure, "shape"},
		"broken adapter":       {with("adapter", `{"columns":-1}`), nil, exitFailure, "rna: settings"},
		"labels without input": {with("labels", `["a","b"]`), nil, exitFailure, "label"},
	} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "o")
			_, stderr := mustRun(t, tc.code, append([]string{"run", "--model", writeModel(t, tc.model), "-n", "4", "--out", out}, tc.args...)...)
			if !strings.Contains(stderr, tc.want) || !strings.Contains(stderr, "model.onnx") {
				t.Errorf("message lacks %q or the file's name: %s", tc.want, stderr)
			}
			if _, err := os.Stat(out); err == nil {
				t.Error("the output directory was made")
			}
		})
	}
	t.Run("directory", func(t *testing.T) {
		_, stderr := mustRun(t, exitFailure, "run", "--model", t.TempDir(), "-n", "4", "--out", filepath.Join(t.TempDir(), "o"))
		if !strings.Contains(stderr, "not a regular file") {
			t.Error(stderr)
		}
	})
	t.Run("built-in name and file", func(t *testing.T) {
		t.Chdir(t.TempDir())
		if err := os.WriteFile("rna-trna", good, 0o666); err != nil {
			t.Fatal(err)
		}
		_, stderr := mustRun(t, exitUsage, "run", "--model", "rna-trna", "-n", "4")
		if !strings.Contains(stderr, "is a built-in model and a file here") {
			t.Error(stderr)
		}
		mustRun(t, 0, "run", "--model", "./rna-trna", "-n", "4")
	})
}

func TestSmallDWarns(t *testing.T) {
	model, _ := hairpinModel(t, func(c *sampler.Contract, points [][]float64) [][]float64 {
		c.D = 2
		return points
	})
	_, stderr := mustRun(t, 0, "run", "--model", model, "-n", "16", "--invalid", "keep", "--quiet", "--out", filepath.Join(t.TempDir(), "o"))
	if !strings.Contains(stderr, "warning: D of model model.onnx is 2") {
		t.Errorf("no warning: %s", stderr)
	}
}

// Places that must not or cannot take a dataset, with nothing changed there.
func TestBadPlaces(t *testing.T) {
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "thesis.txt"), []byte("x"), 0o666); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct{ out, want string }{
		"something else": {full, "thesis.txt"},
		"a file":         {filepath.Join(full, "thesis.txt"), "it is a file"},
		"below a file":   {filepath.Join(full, "thesis.txt", "o"), "cannot write"},
		"read-only":      {"/proc/pfgmgen", "cannot write"},
	} {
		t.Run(name, func(t *testing.T) {
			_, stderr := mustRun(t, exitFailure, "run", "--model", exact, "-n", "4", "--out", tc.out)
			if !strings.Contains(stderr, tc.want) {
				t.Errorf("message lacks %q: %s", tc.want, stderr)
			}
		})
	}
	if entries, err := os.ReadDir(full); err != nil || len(entries) != 1 {
		t.Errorf("the place was changed: %v %v", entries, err)
	}
}

// A disk that fills up while the parts are written: a limit on the size of files stands in for it.
func TestDiskFull(t *testing.T) {
	out := filepath.Join(t.TempDir(), "o")
	cmd := exec.Command("sh", "-c", `ulimit -f 2; exec "$0" "$@"`, os.Args[0], "run", "--model", exact, "-n", "2000", "--steps", "3", "--out", out)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	b, _ := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != exitFailure || !strings.Contains(string(b), "file too large") {
		t.Errorf("exit %d: %s", code, b)
	}
	nothingWhole(t, out)
	mustRun(t, 0, "run", "--model", exact, "-n", "2000", "--steps", "3", "--out", out) // there is room again
	mustRun(t, 0, "verify", out, "--model", exact)
}

// Interrupted at any moment, a run leaves nothing that looks whole but finished parts, and the same command makes the
// same files as one that was not interrupted.
func TestInterruptedRunIsRunAgain(t *testing.T) {
	args := func(out string) []string {
		return []string{"run", "--model", exact, "-n", "1500", "--shard-rows", "400", "--steps", "3", "--out", out, "--quiet"}
	}
	whole := filepath.Join(t.TempDir(), "whole")
	began := time.Now()
	mustRun(t, 0, args(whole)...)
	took := time.Since(began)
	interrupted := 0
	for k := range 4 {
		out := filepath.Join(t.TempDir(), "o")
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		stop := time.AfterFunc(took*time.Duration(k)/4, cancel)
		var stdout, stderr bytes.Buffer
		code := run(ctx, args(out), &stdout, &stderr)
		stop.Stop()
		cancel()
		switch code {
		case exitInterrupted:
			interrupted++
			if _, err := os.Stat(filepath.Join(out, "_SUCCESS")); err == nil {
				t.Error("an interrupted run left _SUCCESS")
			}
			parts, err := filepath.Glob(filepath.Join(out, "data", "*"))
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range parts {
				same(t, p, filepath.Join(whole, "data", filepath.Base(p)))
			}
		case 0:
		default:
			t.Fatalf("exit %d: %s", code, stderr.String())
		}
		mustRun(t, 0, args(out)...)
		if snapshot(t, filepath.Join(out, "data")) != snapshot(t, filepath.Join(whole, "data")) {
			t.Error("the parts differ from those of a run without interruption")
		}
	}
	if interrupted == 0 {
		t.Error("no run was interrupted, so the test shows nothing")
	}
}

func same(t *testing.T, a, b string) {
	t.Helper()
	x, errA := os.ReadFile(a)
	y, errB := os.ReadFile(b)
	if errA != nil || errB != nil || !bytes.Equal(x, y) {
		t.Errorf("%s is not the whole part %s: %v %v", a, b, errA, errB)
	}
}

// Flags beat the environment, which beats the file.
func TestPrecedence(t *testing.T) {
	config := filepath.Join(t.TempDir(), "run.yaml")
	text := fmt.Sprintf("model: %s\nnum-samples: 11\nseed: 12\nsteps: 3\ninvalid: keep\nalso: [fasta]\n", exact)
	if err := os.WriteFile(config, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PFGMGEN_SEED", "22")
	t.Setenv("PFGMGEN_STEPS", "4")
	out := filepath.Join(t.TempDir(), "o")
	p := runJSON(t, "--config", config, "--steps", "5", "--out", out, "--dry-run").Plan
	if p.NumSamples != 11 || p.Seed != 22 || p.Steps != 5 || p.Invalid != "keep" || len(p.Also) != 1 || p.MaxAttempts != 1 {
		t.Errorf("plan %+v", p)
	}
	if _, err := os.Stat(out); !errors.Is(err, fs.ErrNotExist) {
		t.Error("--dry-run made the output directory")
	}
}

func TestDryRunSaysWhatWouldBeDone(t *testing.T) {
	stdout, _ := mustRun(t, 0, "run", "--model", exact, "-n", "5000", "--dry-run", "--out", filepath.Join(t.TempDir(), "o"))
	for _, want := range []string{"5,000 from seed 0", "heun, 12 steps (23 evaluations a draw)", "batches", "1 parquet part", "before compression"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("plan lacks %q:\n%s", want, stdout)
		}
	}
}

// familiesModel is an exact denoiser with the families A and B, as unaligned sequences.
func familiesModel(t *testing.T) string {
	t.Helper()
	var table strings.Builder
	table.WriteString("sequence\tfamily\n")
	i := 0
	for seq := range trainingHairpins(t) {
		family := "A"
		if i++; seq[0] == 'C' || seq[0] == 'G' {
			family = "B"
		}
		fmt.Fprintf(&table, "%s\t%s\n", seq, family)
	}
	path := filepath.Join(t.TempDir(), "families.tsv")
	if err := os.WriteFile(path, []byte(table.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	data := loadHairpins(t, path)
	points, class := encoded(data)
	b, err := training.ExportPosterior(points, class, hairpinContract(data))
	if err != nil {
		t.Fatal(err)
	}
	return writeModel(t, b)
}

func TestLabels(t *testing.T) {
	model := familiesModel(t)
	for _, tc := range []struct {
		args []string
		want string // label of each row, in order
	}{
		{[]string{"-n", "6"}, "ABABAB"},
		{[]string{"-n", "3", "--label", "B"}, "BBB"},
		{[]string{"-n", "3", "--label", "1"}, "BBB"},
		{[]string{"-n", "4", "--label", "B,A"}, "BABA"},
		{[]string{"--label", "B=2,A=3"}, "BBAAA"},
		{[]string{"-n", "3", "--label", "B", "--guidance", "2"}, "BBB"},
	} {
		t.Run(strings.Join(tc.args, " "), func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "o")
			runJSON(t, append([]string{"--model", model, "--out", out, "--max-attempts", "50"}, tc.args...)...)
			man, err := dataset.ReadManifest(t.Context(), store.Dir(out))
			if err != nil {
				t.Fatal(err)
			}
			index := make([]int64, len(tc.want))
			for i := range index {
				index[i] = int64(i)
			}
			rows, err := dataset.Rows(context.Background(), store.Dir(out), man, index)
			if err != nil {
				t.Fatal(err)
			}
			for i, row := range rows {
				seq := row["sequence"].(string)
				if label := string(tc.want[i]); row["label"] != label || row["family"] != label || (label == "B") != (seq[0] == 'C' || seq[0] == 'G') {
					t.Errorf("row %d: label %v, family %v, sequence %s; want %s", i, row["label"], row["family"], seq, label)
				}
			}
			mustRun(t, 0, "verify", out, "--model", model)
		})
	}
	for _, tc := range []struct{ label, want string }{
		{"C", `"C" is not a class of the model`},
		{"2", "the model has the classes 0 to 1"},
		{"A,A", `label "A" is there twice`},
		{"A=2,B", "give every label a count, or none"},
		{"A=0", "want a positive number"},
		{"A=2,B=3", "asks for 5 rows, --num-samples for 9"},
	} {
		_, stderr := mustRun(t, exitUsage, "run", "--model", model, "-n", "9", "--label", tc.label, "--out", filepath.Join(t.TempDir(), "o"))
		if !strings.Contains(stderr, tc.want) {
			t.Errorf("--label %s: message lacks %q: %s", tc.label, tc.want, stderr)
		}
	}
}
