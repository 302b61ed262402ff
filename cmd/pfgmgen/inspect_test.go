package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pfgmgen/io/dataset"
)

func compact(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(text)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func TestInspectDataset(t *testing.T) {
	out := hairpinDataset(t)
	for _, path := range []string{out, filepath.Join(out, "manifest.json")} {
		stdout, _ := mustRun(t, 0, "inspect", path)
		for _, want := range []string{"60 of 60 samples, 60 valid", "hairpins.onnx", "1 parquet part", "seed 0, heun, 12 steps", "sequence", "A C G U, 5' to 3'"} {
			if !strings.Contains(stdout, want) {
				t.Errorf("%s lacks %q:\n%s", path, want, stdout)
			}
		}
	}
	stdout, _ := mustRun(t, 0, "inspect", out, "--json")
	var m dataset.Manifest
	if err := json.Unmarshal([]byte(stdout), &m); err != nil || m.Counts.Written != 60 {
		t.Errorf("%v %+v", err, m.Counts)
	}
	_, stderr := mustRun(t, exitFailure, "inspect", filepath.Join(out, "data", "train-00000.parquet"))
	if !strings.Contains(stderr, "is one part; give the directory") {
		t.Error(stderr)
	}
	if _, stderr := mustRun(t, exitUsage, "inspect", filepath.Join(out, "nothing")); !strings.Contains(stderr, "no such file") {
		t.Error(stderr)
	}
}

func TestInspectModel(t *testing.T) {
	stdout, _ := mustRun(t, 0, "inspect", exact)
	for _, want := range []string{"N 100 free coordinates", "40 to 0.05", "input x", "float32 [?, 20, 5]", "output denoised"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("lacks %q:\n%s", want, stdout)
		}
	}
	stdout, _ = mustRun(t, 0, "inspect", "rna-trna", "--json")
	var m modelResult
	if err := json.Unmarshal([]byte(stdout), &m); err != nil || !m.BuiltIn || m.Weights == 0 || m.Metadata["pfgmgen.domain"] != "rna" || m.Problem != "" {
		t.Errorf("%v %+v", err, m)
	}
	if _, stderr := mustRun(t, exitFailure, "inspect", hairpins+".fa"); !strings.Contains(stderr, "not an ONNX model") {
		t.Error(stderr)
	}
}

func TestModels(t *testing.T) {
	stdout, _ := mustRun(t, 0, "models")
	if !strings.Contains(stdout, "rna-trna") {
		t.Error(stdout)
	}
	stdout, _ = mustRun(t, 0, "models", "--json")
	var items []modelItem
	if err := json.Unmarshal([]byte(stdout), &items); err != nil || len(items) == 0 || len(items[0].SHA256) != 64 {
		t.Errorf("%v %+v", err, items)
	}
	for _, i := range items {
		if card, _ := mustRun(t, 0, "models", i.Name); !strings.HasPrefix(card, "#") {
			t.Errorf("card of %s: %.40s", i.Name, card)
		}
	}
}

func TestDomains(t *testing.T) {
	stdout, _ := mustRun(t, 0, "domains")
	if !strings.HasPrefix(stdout, "rna") {
		t.Error(stdout)
	}
	stdout, _ = mustRun(t, 0, "domains", "rna")
	for _, want := range []string{"FASTA", "representation", "RN_STRUCT", "sequence", "fasta"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("lacks %q:\n%s", want, stdout)
		}
	}
	stdout, _ = mustRun(t, 0, "domains", "rna", "--json")
	var d domainResult
	if err := json.Unmarshal([]byte(stdout), &d); err != nil || d.Columns["sequence"] == "" || d.Checks["RN_LEN"] == "" {
		t.Errorf("%v %+v", err, d)
	}
}

func TestDoctor(t *testing.T) {
	stdout, _ := mustRun(t, 0, "doctor")
	for _, want := range []string{"ONNX Runtime", "device cpu", "model rna-trna"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("lacks %q:\n%s", want, stdout)
		}
	}
	stdout, _ = mustRun(t, 0, "doctor", "--json")
	var r doctorResult
	if err := json.Unmarshal([]byte(stdout), &r); err != nil || r.ONNXRuntime == "" || r.CPUs < 1 || len(r.Models) == 0 || !r.Models[0].Works {
		t.Errorf("%v %+v", err, r)
	}
	cmd := child("doctor")
	cmd.Env = append(cmd.Env, "PFGMGEN_ONNXRUNTIME=/nowhere")
	out, _ := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != exitFailure || !strings.Contains(string(out), "not found") || !strings.Contains(string(out), "make setup") {
		t.Errorf("without the library: exit %d: %s", code, out)
	}
}

// Every example of the help works. Sampling is cut short; the files that the examples name are made first.
func TestHelpExamples(t *testing.T) {
	dir := t.TempDir()
	for name, from := range map[string]string{"mine.onnx": exact, "good.onnx": exact, "worse.onnx": exact, "other.onnx": exact, "seqs.fa": hairpins + ".fa"} {
		b, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "run.yaml"), []byte("domain: rna\nsteps: 3\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	mustRun(t, 0, "run", "--model", "mine.onnx", "-n", "20", "--out", "mine")
	app := newApp(newEnv(io.Discard, io.Discard))
	texts := app.Description
	for _, c := range app.Commands {
		texts += "\n" + c.Description
	}
	tried := map[string]bool{}
	for _, line := range strings.Split(texts, "\n") {
		example, found := strings.CutPrefix(line, "  pfgmgen ")
		if !found {
			continue
		}
		example, _, _ = strings.Cut(example, "   ") // what it does
		example, _, _ = strings.Cut(example, " > ")
		example = strings.TrimSpace(example)
		if tried[example] || strings.Contains(example, "://") { // a bucket that is not there
			continue
		}
		tried[example] = true
		args := strings.Fields(example)
		switch args[0] {
		case "worker", "submit", "schedule":
			continue // they need a server: TestRemote
		case "run":
			args = append(args, "-n", "8", "--batch", "4", "--steps", "2", "--invalid", "keep")
			if len(tried) > 1 && !strings.Contains(example, "--out") {
				args = append(args, "--out", filepath.Join(t.TempDir(), "o"))
			}
		case "train":
			args = append(args, "--size", "tiny", "--steps", "3", "--batch", "4", "--out", filepath.Join(t.TempDir(), "m.onnx"))
		}
		mustRun(t, 0, args...)
	}
	if len(tried) < 12 {
		t.Errorf("only %d examples were found", len(tried))
	}
}
