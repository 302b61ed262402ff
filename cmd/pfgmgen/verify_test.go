package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pfgmgen/io/store"
)

// hairpinDataset makes a small dataset with the exact denoiser.
func hairpinDataset(t *testing.T, args ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "o")
	mustRun(t, 0, append([]string{"run", "--model", exact, "-n", "60", "--also", "fasta", "--out", out, "--quiet"}, args...)...)
	return out
}

func edit(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(b), 0o666); err != nil {
		t.Fatal(err)
	}
}

func replace(old, new string) func([]byte) []byte {
	return func(b []byte) []byte { return []byte(strings.Replace(string(b), old, new, 1)) }
}

func TestVerify(t *testing.T) {
	for _, format := range []string{"parquet", "arrow"} {
		out := hairpinDataset(t, "--format", format, "--shard-rows", "25")
		stdout, stderr := mustRun(t, 0, "verify", out, "--model", exact, "--rows", "40", "--json")
		var r verifyResult
		if err := json.Unmarshal([]byte(stdout), &r); err != nil {
			t.Fatal(err)
		}
		if r.Regenerated != 40 || r.Rows != 60 || r.Parts != 3 || len(r.Findings) != 0 || r.Findings == nil {
			t.Errorf("%s: result %+v", format, r)
		}
		if !strings.Contains(stderr, "60 rows in 3 parts as the manifest says; 40 rows drawn again are equal") {
			t.Errorf("%s: %s", format, stderr)
		}
	}
}

// Every kind of damage is found, named, and ends with 1.
func TestVerifyFindsDamage(t *testing.T) {
	const part, fasta = "data/train-00000.parquet", "fasta/train-00000.fasta"
	for name, tc := range map[string]struct {
		damage func(t *testing.T, dir string)
		want   string
	}{
		"a flipped bit": {func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, part), func(b []byte) []byte { b[len(b)/2] ^= 1; return b })
		}, part + ": sha256"},
		"a part cut short": {func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, part), func(b []byte) []byte { return b[:len(b)-100] })
		}, part + ": bytes"},
		"a missing part":  {func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, part)) }, part + ": presence"},
		"a longer export": {func(t *testing.T, dir string) { edit(t, filepath.Join(dir, fasta), replace(">", ">>")) }, fasta + ": bytes"},
		"a stray part":    {func(t *testing.T, dir string) { os.WriteFile(filepath.Join(dir, "data/train-x.parquet"), nil, 0o666) }, "listed in the manifest"},
		"no _SUCCESS":     {func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, "_SUCCESS")) }, "_SUCCESS: presence"},
		"changed settings": {func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, "manifest.json"), replace(`"steps": 12`, `"steps": 13`))
		}, "sha256 of the settings"},
		"no plan": {func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, "manifest.json"), replace(`"plan_version": 2`, `"plan_version": 9`))
		}, "plan_version is 9"},
	} {
		t.Run(name, func(t *testing.T) {
			out := hairpinDataset(t)
			tc.damage(t, out)
			for _, rows := range []string{"0", "16"} { // rows of damaged parts may be beyond reading
				stdout, stderr := mustRun(t, exitFailure, "verify", out, "--model", exact, "--rows", rows, "--json")
				if !strings.Contains(stderr, tc.want) {
					t.Errorf("with %s rows: findings lack %q:\n%s", rows, tc.want, stderr)
				}
				var res verifyResult
				if err := json.Unmarshal([]byte(stdout), &res); err != nil || len(res.Findings) == 0 {
					t.Errorf("with %s rows: result (%v):\n%s", rows, err, stdout)
				}
			}
		})
	}
}

// Rows of another seed, passed off with a manifest that fits them, are found by drawing them again.
func TestVerifyDrawsRowsAgain(t *testing.T) {
	out := hairpinDataset(t)
	man, err := readManifest(t.Context(), store.Dir(out))
	if err != nil {
		t.Fatal(err)
	}
	plan := string(man.Settings)
	forged := strings.Replace(compact(t, plan), `"seed":0`, `"seed":1`, 1)
	edit(t, filepath.Join(out, "manifest.json"), func(b []byte) []byte {
		s := strings.Replace(string(b), `"seed": 0`, `"seed": 1`, 1)
		return []byte(strings.Replace(s, man.SpecSHA256, hashOf(forged), 1))
	})
	_, stderr := mustRun(t, exitFailure, "verify", out, "--model", exact)
	if !strings.Contains(stderr, "column sequence drawn again") || strings.Contains(stderr, "sha256 of the settings") {
		t.Errorf("findings:\n%s", stderr)
	}
}

// What verify says to do makes the dataset whole again.
func TestVerifySaysHowToRepair(t *testing.T) {
	out := hairpinDataset(t)
	edit(t, filepath.Join(out, "data/train-00000.parquet"), func(b []byte) []byte { b[len(b)/2] ^= 1; return b })
	if _, stderr := mustRun(t, exitFailure, "verify", out, "--model", exact); !strings.Contains(stderr, "run the same pfgmgen run command") {
		t.Errorf("no advice: %s", stderr)
	}
	mustRun(t, 0, "run", "--model", exact, "-n", "60", "--also", "fasta", "--out", out, "--quiet")
	mustRun(t, 0, "verify", out, "--model", exact)
}

func TestVerifyWithoutTheModel(t *testing.T) {
	out := hairpinDataset(t)
	_, stderr := mustRun(t, 0, "verify", out)
	if !strings.Contains(stderr, "the model hairpins.onnx is not at hand; give its file with --model") {
		t.Errorf("no note: %s", stderr)
	}
	other, _ := hairpinModel(t, nil)
	edit(t, other, func(b []byte) []byte { return append(b, 0x72, 0) }) // one empty entry of metadata more
	if _, stderr := mustRun(t, exitFailure, "verify", out, "--model", other); !strings.Contains(stderr, "the dataset was made with") {
		t.Errorf("another model was accepted: %s", stderr)
	}
}

func TestVerifyOfWhatIsNoDataset(t *testing.T) {
	if _, stderr := mustRun(t, exitFailure, "verify", t.TempDir()); !strings.Contains(stderr, "is not a dataset of pfgmgen") {
		t.Error(stderr)
	}
	out := hairpinDataset(t)
	os.Remove(filepath.Join(out, "manifest.json"))
	if _, stderr := mustRun(t, exitFailure, "verify", out); !strings.Contains(stderr, "has not finished: run the same pfgmgen run command again") {
		t.Error(stderr)
	}
}
