package main

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pfgmgen/internal/onnx"
	"pfgmgen/sampler"
)

const hairpins = "../../testdata/hairpins/hairpins"

// pfgmgen runs the program in this process.
func pfgmgen(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = run(context.Background(), args, &out, &errs)
	return code, out.String(), errs.String()
}

// TestTrain: train on files of every kind, then look at the model's contract, then sample from it.
func TestTrain(t *testing.T) {
	dir := t.TempDir()
	for _, test := range []struct {
		name string
		args []string
		rows float64 // to learn from
	}{
		{"sto", []string{"--data", hairpins + ".sto", "--split", hairpins + ".tsv"}, 56},
		{"tsv", []string{"--data", hairpins + ".tsv"}, 56},
		{"fasta", []string{"--data", hairpins + ".fa", "--set", "representation=unaligned", "-D", "inf"}, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			model := filepath.Join(dir, test.name+".onnx")
			args := append([]string{"train", "--domain", "rna", "--size", "tiny", "--steps", "12", "--batch", "8", "--out", model,
				"--license", "Apache-2.0", "--json"}, test.args...)
			code, stdout, stderr := pfgmgen(args...)
			if code != 0 {
				t.Fatalf("exit %d\n%s", code, stderr)
			}
			var r trainResult
			if err := json.Unmarshal([]byte(stdout), &r); err != nil {
				t.Fatalf("result: %v\n%s", err, stdout)
			}
			if r.Steps != 12 || r.Examples != 96 || r.ValidLoss == nil || r.Checked != checkSamples {
				t.Errorf("result %+v", r)
			}
			m, err := onnx.Read(model)
			if err != nil {
				t.Fatal(err)
			}
			c, err := sampler.ParseContract(m.Metadata())
			if err != nil {
				t.Fatal(err)
			}
			var record trainRecord
			if err := json.Unmarshal(c.Training, &record); err != nil {
				t.Fatal(err)
			}
			if c.Domain != "rna" || c.License != "Apache-2.0" || record.Examples != 96 || record.DataSHA256 == "" ||
				record.Settings.Warmup != 1 || // a tenth of 12 steps
				(test.rows > 0 && float64(record.TrainRows) != test.rows) {
				t.Errorf("contract %+v\nrecord %+v", c, record)
			}
			if _, err := os.Stat(model + ".checkpoint"); !os.IsNotExist(err) {
				t.Errorf("the checkpoint is still there: %v", err)
			}
			out := filepath.Join(dir, test.name)
			code, _, stderr = pfgmgen("run", "--model", model, "-n", "16", "--steps", "4", "--invalid", "keep", "--out", out)
			if code != 0 {
				t.Errorf("run with the new model: exit %d\n%s", code, stderr)
			}
		})
	}
}

// TestTrainResumes: a training that is interrupted leaves no model, says how to go on, and ends with the bytes of one
// that was not interrupted.
func TestTrainResumes(t *testing.T) {
	dir := t.TempDir()
	args := func(out string) []string {
		return []string{"train", "--domain", "rna", "--data", hairpins + ".tsv", "--size", "tiny", "--steps", "60", "--batch", "8",
			"--threads", "1", "--out", out}
	}
	whole, cut := filepath.Join(dir, "whole.onnx"), filepath.Join(dir, "cut.onnx")
	if code, _, stderr := pfgmgen(args(whole)...); code != 0 {
		t.Fatalf("exit %d\n%s", code, stderr)
	}
	// The context ends with the first line about the training, before the first step; package training tests the others.
	ctx, cancel := context.WithCancel(context.Background())
	var out, said bytes.Buffer
	errs := writerFunc(func(p []byte) (int, error) {
		if bytes.Contains(p, []byte("training on")) {
			cancel()
		}
		return said.Write(p)
	})
	if code := run(ctx, args(cut), &out, errs); code != exitInterrupted || !strings.Contains(said.String(), cut+".checkpoint has all that was learnt so far. To go on, run the same command again") {
		t.Fatalf("exit %d, want %d and how to go on\n%s", code, exitInterrupted, &said)
	}
	if _, err := os.Stat(cut); !os.IsNotExist(err) {
		t.Errorf("an interrupted training left a model: %v", err)
	}
	if code, _, stderr := pfgmgen(args(cut)...); code != 0 {
		t.Fatalf("exit %d\n%s", code, stderr)
	}
	a, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(cut)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, b) {
		t.Error("the resumed training ended with other bytes")
	}
}

// TestTrainFrom: a training that starts from a model begins where that one ended, keeps its scale and names it; a model
// of another size or for other data is refused.
func TestTrainFrom(t *testing.T) {
	dir := t.TempDir()
	first, second := filepath.Join(dir, "first.onnx"), filepath.Join(dir, "second.onnx")
	args := func(out string, more ...string) []string {
		return append([]string{"train", "--domain", "rna", "--data", hairpins + ".tsv", "--size", "tiny", "--batch", "8", "--threads", "1",
			"--out", out, "--json"}, more...)
	}
	trained := func(a []string) (r trainResult) {
		code, stdout, stderr := pfgmgen(a...)
		if code != 0 {
			t.Fatalf("exit %d\n%s", code, stderr)
		}
		if err := json.Unmarshal([]byte(stdout), &r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	before := trained(args(first, "--steps", "300", "--weights", "fp16"))
	// One step at a rate that changes nothing shows the loss of the weights that were taken.
	after := trained(args(second, "--steps", "1", "--rate", "1e-9", "--init", first))
	if math.Abs(*after.ValidLoss-*before.ValidLoss) > 0.01 || *before.ValidLoss > 0.9 {
		t.Errorf("held-out loss %g of the model, %g after starting from it", *before.ValidLoss, *after.ValidLoss)
	}
	m, err := onnx.Read(second)
	if err != nil {
		t.Fatal(err)
	}
	c, err := sampler.ParseContract(m.Metadata())
	if err != nil {
		t.Fatal(err)
	}
	var record trainRecord
	if err := json.Unmarshal(c.Training, &record); err != nil || record.Settings.Init != before.SHA256 {
		t.Errorf("the record names %q, want %q (%v)", record.Settings.Init, before.SHA256, err)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{args(filepath.Join(dir, "x.onnx"), "--steps", "1", "--init", first, "--size", "small"), "want ["},
		{args(filepath.Join(dir, "x.onnx"), "--steps", "1", "--init", "rna-trna"), "the data or the settings"},
		{args(filepath.Join(dir, "x.onnx"), "--steps", "1", "--init", filepath.Join(dir, "none.onnx")), "no such file"},
	} {
		if code, _, stderr := pfgmgen(c.args...); code == 0 || !strings.Contains(stderr, c.want) {
			t.Errorf("%v: exit %d, want %q\n%s", c.args, code, c.want, stderr)
		}
	}
}

// TestTrainLargeGraphs: graphs of more positions than a network usually has tokens can be trained on.
func TestTrainLargeGraphs(t *testing.T) {
	model := filepath.Join(t.TempDir(), "m.onnx")
	code, _, stderr := pfgmgen("train", "--domain", "graphs", "--data", "family:lobster", "--set", "count=40", "--size", "tiny", "--steps", "2", "--batch", "2", "--out", model)
	if code != 0 {
		t.Fatalf("exit %d\n%s", code, stderr)
	}
	if code, _, stderr = pfgmgen("train", "--domain", "graphs", "--data", "family:lobster", "--set", "count=40", "--patch", "2", "--steps", "2", "--out", model); code != exitUsage {
		t.Errorf("patches of 2 with pairs: exit %d\n%s", code, stderr)
	}
	if code, _, stderr = pfgmgen("train", "--domain", "graphs", "--data", "family:lobster", "--patch", "-3", "--steps", "2", "--out", model); code != exitUsage || !strings.Contains(stderr, "--patch is -3") {
		t.Errorf("--patch -3: exit %d\n%s", code, stderr)
	}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestTrainRefuses(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	model := filepath.Join(dir, "m.onnx")
	good := []string{"train", "--domain", "rna", "--data", hairpins + ".tsv", "--size", "tiny", "--steps", "2", "--out", model}
	with := func(flags ...string) []string { return append(append([]string(nil), good...), flags...) }
	data := func(path string) []string {
		return []string{"train", "--domain", "rna", "--data", path, "--size", "tiny", "--steps", "2", "--out", model}
	}
	own, same, device := write("own.fa", ">a\nACGU\n"), filepath.Join(dir, "same.fa"), filepath.Join(dir, "device")
	write("own.fa.checkpoint", "id\tsplit\n")
	for link, target := range map[string]string{same: own, device: os.DevNull} {
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"no domain", []string{"train"}, 2, "--domain"},
		{"unknown domain", with("--domain", "rnaa"), 2, "did you mean rna"},
		{"no data", []string{"train", "--domain", "rna", "--out", model}, 2, "--data"},
		{"no place", []string{"train", "--domain", "rna", "--data", hairpins + ".tsv"}, 2, "--out"},
		{"D is 0", with("-D", "0"), 2, "D is 0"},
		{"D is NaN", with("-D", "NaN"), 2, "D is NaN"},
		{"D is no number", with("-D", "many"), 2, "many"},
		{"negative steps", with("--steps", "-1"), 2, "--steps"},
		{"no time", with("--steps", "0", "--minutes", "0"), 2, "--minutes"},
		{"batch 0", with("--batch", "0"), 2, "batch"},
		{"unknown size", with("--size", "huge"), 2, "huge"},
		{"unknown choice", with("--set", "colour=blue"), 2, "colour"},
		{"choice spelt wrong", with("--set", "representatio=aligned"), 2, "did you mean representation?"},
		{"value of a choice", with("--set", "representation=alined"), 2, "want auto, aligned or unaligned"},
		{"choice without a value", with("--set", "colour"), 2, "NAME=VALUE"},
		{"unknown flag", with("--step", "3"), 2, "did you mean --steps"},
		{"missing directory", with("--out", filepath.Join(dir, "no", "m.onnx")), 1, "no such file"},
		{"out is a directory", with("--out", dir), 1, "is a directory"},
		{"out is the data", []string{"train", "--domain", "rna", "--data", own, "--steps", "2", "--out", own}, 2, "write over the data"},
		{"out is the data by another name", []string{"train", "--domain", "rna", "--data", own, "--steps", "2", "--out", same}, 2, "write over the data"},
		{"the checkpoint is the split", with("--split", own+".checkpoint", "--out", own), 2, "write over the data"},
		{"out holds something else", with("--out", own), 1, "not an ONNX model"},
		{"out is a device", with("--out", device), 1, "not a regular file"},
		{"missing file", data(filepath.Join(dir, "absent.fa")), 1, "absent.fa"},
		{"a directory as data", data(dir), 1, dir},
		{"empty FASTA", data(write("empty.fa", "")), 1, "empty.fa"},
		{"a letter outside the alphabet", data(write("letter.fa", ">a\nACGUACGU\n>b\nACGJACGU\n")), 1, "position 4"},
		{"ragged Stockholm", data(write("ragged.sto", "# STOCKHOLM 1.0\na ACGU\nb ACG\n//\n")), 1, "ragged.sto"},
		{"a PNG as data", data(write("x.png", "\x89PNG\r\n\x1a\n\x00\x00")), 1, "x.png"},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, stdout, stderr := pfgmgen(test.args...)
			if code != test.code || !strings.Contains(stderr, test.want) || stdout != "" {
				t.Errorf("exit %d, want %d; stderr, which should contain %q:\n%s", code, test.code, test.want, stderr)
			}
			if _, err := os.Stat(model); !os.IsNotExist(err) {
				t.Errorf("a model was left behind: %v", err)
			}
		})
	}
	if b, err := os.ReadFile(own); err != nil || string(b) != ">a\nACGU\n" {
		t.Errorf("the data are %q now, %v", b, err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".*")); err != nil || len(left) > 0 {
		t.Errorf("%v is left behind, %v", left, err)
	}
}
