package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"pfgmgen/internal/onnx"
	"pfgmgen/sampler"
)

// foreign writes the hairpin model without its contract into a directory and returns its path and the contract as a
// sidecar has it.
func foreign(t *testing.T) (path string, values map[string]any) {
	t.Helper()
	m, err := onnx.Read(hairpins + ".onnx")
	if err != nil {
		t.Fatal(err)
	}
	values = make(map[string]any)
	for k, v := range m.Metadata() {
		values[strings.TrimPrefix(k, sampler.ContractPrefix)] = v
	}
	var adapter any
	if err := yaml.Unmarshal([]byte(values["adapter"].(string)), &adapter); err != nil {
		t.Fatal(err)
	}
	values["adapter"], values["d"], values["shape"] = adapter, 128, []any{20, 5}
	m.Proto.MetadataProps = nil
	b, err := m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "foreign.onnx")
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return path, values
}

func writeSidecar(t *testing.T, path string, values map[string]any) {
	t.Helper()
	text, err := yaml.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+sidecarSuffix, text, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestSidecar: a model without our metadata is refused with everything it lacks, and runs with a sidecar.
func TestSidecar(t *testing.T) {
	path, values := foreign(t)
	run := func() (int, string) {
		code, _, stderr := pfgmgen("run", "--model", path, "-n", "8", "--out", filepath.Join(t.TempDir(), "out"))
		return code, stderr
	}
	if code, stderr := run(); code != exitFailure || !strings.Contains(stderr, "pfgmgen.d is missing") || !strings.Contains(stderr, "pfgmgen.shape is missing") {
		t.Errorf("without a contract: exit %d\n%s", code, stderr)
	}
	writeSidecar(t, path, values)
	if code, stderr := run(); code != 0 {
		t.Errorf("with a sidecar: exit %d\n%s", code, stderr)
	}
	for _, test := range []struct {
		name, want string
		change     func(map[string]any)
	}{
		{"unknown key", "did you mean sigma_max", func(v map[string]any) { v["sigma_mx"] = 3 }},
		{"a mapping for a number", "d:", func(v map[string]any) { v["d"] = map[string]any{"a": 1} }},
		{"D = 0", "D is 0", func(v map[string]any) { v["d"] = 0 }},
		{"another shape", "shape", func(v map[string]any) { v["shape"] = []any{10, 5}; v["n"] = 50 }},
	} {
		changed := make(map[string]any)
		for k, v := range values {
			changed[k] = v
		}
		test.change(changed)
		writeSidecar(t, path, changed)
		if code, stderr := run(); code != exitFailure || !strings.Contains(stderr, test.want) {
			t.Errorf("%s: exit %d, want an error with %q\n%s", test.name, code, test.want, stderr)
		}
	}
}

// TestSidecarContradicts: a sidecar does not overrule the model.
func TestSidecarContradicts(t *testing.T) {
	b, err := os.ReadFile(hairpins + ".onnx")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "m.onnx")
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	values := map[string]any{"d": "128.0", "shape": []any{20, 5}, "sigma_max": 40}
	m, err := onnx.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	var adapter map[string]any // YAML orders its keys in its own way
	if err := json.Unmarshal([]byte(m.Metadata()["pfgmgen.adapter"]), &adapter); err != nil {
		t.Fatal(err)
	}
	values["adapter"] = adapter
	writeSidecar(t, path, values)
	if code, _, stderr := pfgmgen("inspect", path); code != 0 {
		t.Errorf("a sidecar that agrees with the model: exit %d\n%s", code, stderr)
	}
	adapter["alphabet"] = "ACGT"
	writeSidecar(t, path, values)
	if code, _, stderr := pfgmgen("inspect", path); code != exitFailure || !strings.Contains(stderr, "adapter is") {
		t.Errorf("another adapter: exit %d\n%s", code, stderr)
	}
	writeSidecar(t, path, map[string]any{"d": 64})
	code, _, stderr := pfgmgen("inspect", path)
	if code != exitFailure || !strings.Contains(stderr, "d is 64, but the model itself says 128") {
		t.Errorf("exit %d\n%s", code, stderr)
	}
}
