package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"pfgmgen/internal/onnx"
	"pfgmgen/sampler"
)

// sidecarSuffix ends the name of the YAML file that gives a foreign model its contract: unet.onnx.yaml for unet.onnx.
const sidecarSuffix = ".yaml"

// maxSidecar bounds a sidecar in bytes.
const maxSidecar = 1 << 20

// withSidecar returns the model in the file at path with the contract that stands in the YAML file beside it added to its
// metadata, so that the model's hash covers both; without such a file, the model as it is. The keys are those of the
// contract without their prefix: domain, shape, n, d, sigma_data, sigma_min, sigma_max, adapter and so on. A value that
// the model has already, and has differently, is an error.
func withSidecar(path string, model []byte) ([]byte, error) {
	name := path + sidecarSuffix
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return model, nil
	}
	if err != nil {
		return nil, fmt.Errorf("sidecar: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxSidecar+1))
	if err != nil {
		return nil, fmt.Errorf("sidecar: %w", err)
	}
	if len(text) > maxSidecar {
		return nil, fmt.Errorf("sidecar %s: more than %d bytes", name, maxSidecar)
	}
	var values map[string]any
	if err := yaml.Unmarshal(text, &values); err != nil {
		return nil, fmt.Errorf("sidecar %s: %w", name, err)
	}
	m, err := onnx.Parse(model)
	if err != nil {
		return nil, fmt.Errorf("model %s: %w", path, err)
	}
	known, have := sampler.ContractKeys(), m.Metadata()
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(known, key) {
			return nil, fmt.Errorf("sidecar %s: unknown key %q%s", name, key, didYouMean(key, known, ""))
		}
		value, err := sidecarText(key, values[key])
		if err != nil {
			return nil, fmt.Errorf("sidecar %s: %s: %w", name, key, err)
		}
		full := sampler.ContractPrefix + key
		if old, ok := have[full]; ok {
			if !sameValue(old, value) {
				return nil, fmt.Errorf("sidecar %s: %s is %s, but the model itself says %s; take it out of the sidecar", name, key, value, old)
			}
			continue
		}
		m.SetMetadata(full, value)
	}
	return m.Marshal()
}

// sameValue says whether two values of the contract mean the same: JSON may differ in spaces and the order of keys,
// numbers in how they are written.
func sameValue(a, b string) bool {
	var x, y any
	return a == b || json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}

// sidecarText is a YAML value as the contract's metadata have it: numbers as text, lists with commas, and JSON for what
// is JSON there.
func sidecarText(key string, value any) (string, error) {
	switch key {
	case "labels", "adapter", "training":
		b, err := json.Marshal(value)
		return string(b), err
	}
	items, isList := value.([]any)
	if !isList {
		items = []any{value}
	}
	texts := make([]string, len(items))
	for i, item := range items {
		switch v := item.(type) {
		case string:
			texts[i] = v
		case int, float64, bool:
			texts[i] = strings.TrimPrefix(strings.ToLower(fmt.Sprint(v)), "+") // YAML's .inf is +Inf
		default:
			return "", fmt.Errorf("want a plain value or a list of them, not %T", item)
		}
	}
	return strings.Join(texts, ","), nil
}
