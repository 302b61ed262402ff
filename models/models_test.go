package models

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"strings"
	"testing"

	"pfgmgen/internal/onnx"
	"pfgmgen/sampler"
)

// Limits of issue 3: one model and all of them, in bytes.
const (
	maxModel = 6 << 20
	maxAll   = 30 << 20
)

// TestModels: every file belongs to a listed model and the other way round; every model is whole, meets the contract of
// its domain, is small enough, and has a card that speaks of these very bytes.
func TestModels(t *testing.T) {
	total := 0
	listed := make(map[string]bool)
	for _, m := range List() {
		listed[m.Name] = true
		b := m.Bytes()
		if total += len(b); len(b) > maxModel {
			t.Errorf("%s: %d bytes, more than %d", m.Name, len(b), maxModel)
		}
		model, err := onnx.Parse(b)
		if err != nil {
			t.Errorf("%s: %v", m.Name, err)
			continue
		}
		if tensor, n := model.NonFinite(); n > 0 {
			t.Errorf("%s: %d numbers of %s are not finite", m.Name, n, tensor)
		}
		c, err := sampler.ParseContract(model.Metadata())
		if err != nil {
			t.Errorf("%s: %v", m.Name, err)
			continue
		}
		if c.Domain != m.Domain || c.License == "unknown" || c.Source == "unknown" || len(c.Training) == 0 {
			t.Errorf("%s: domain %q, licence %q, source %q, training record %q", m.Name, c.Domain, c.License, c.Source, c.Training)
		}
		card := m.Card()
		sum := sha256.Sum256(b)
		for _, want := range []string{"# " + m.Name, hex.EncodeToString(sum[:]), "## Data", "## Training", "## Quality", "## Limits"} {
			if !strings.Contains(card, want) {
				t.Errorf("%s: the card does not contain %q", m.Name, want)
			}
		}
		if strings.ContainsAny(m.About, "\n") || m.About == "" {
			t.Errorf("%s: about %q, want one line", m.Name, m.About)
		}
	}
	if total > maxAll {
		t.Errorf("all models: %d bytes, more than %d", total, maxAll)
	}
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		name := strings.TrimSuffix(strings.TrimSuffix(e.Name(), ".onnx"), ".md")
		if !listed[name] {
			t.Errorf("%s belongs to no listed model", e.Name())
		}
	}
}

func TestGet(t *testing.T) {
	first := List()[0]
	if m, err := Get(first.Name); err != nil || m != first {
		t.Errorf("Get(%q) = %+v, %v", first.Name, m, err)
	}
	if m, err := Default(first.Domain); err != nil || m != first {
		t.Errorf("Default(%q) = %+v, %v", first.Domain, m, err)
	}
	if _, err := Get("nosuch"); !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), first.Name) {
		t.Errorf("unknown model: %v, want ErrUnknown and the names there are", err)
	}
	if _, err := Default("nosuch"); !errors.Is(err, ErrUnknown) {
		t.Errorf("unknown domain: %v", err)
	}
}
