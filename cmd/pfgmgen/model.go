package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"pfgmgen/domains"
	"pfgmgen/internal/onnx"
	"pfgmgen/models"
	"pfgmgen/sampler"
)

// A model is a model file with the domain that its samples belong to.
type model struct {
	name     string // of a built-in model, or the file's base name
	builtIn  bool
	bytes    []byte
	sha256   string
	contract *sampler.Contract
	domain   domains.Domain
	adapter  domains.Adapter
}

// findModel loads the model that the user asked for: by the name of a built-in one, by file, or, when name is empty, the
// default of the domain. domain may be empty when name says enough.
func findModel(registry domains.Registry, domain, name string) (*model, error) {
	if domain != "" {
		if _, err := registry.Get(domain); err != nil {
			return nil, usageErrorf("%w%s", err, didYouMean(domain, registry.Names(), ""))
		}
	}
	var m *model
	var err error
	switch {
	case name != "":
		m, err = readModel(name)
	case domain == "":
		return nil, usageErrorf("say what to make: --domain NAME (%s) or --model NAME|FILE", strings.Join(registry.Names(), ", "))
	default:
		var built models.Model
		if built, err = models.Default(domain); err != nil {
			return nil, usageErrorf("%w; give a model of your own with --model FILE", err)
		}
		m = builtIn(built)
	}
	if err != nil {
		return nil, err
	}
	return m, m.open(registry, domain)
}

func builtIn(b models.Model) *model {
	return &model{name: b.Name, builtIn: true, bytes: b.Bytes()}
}

// readModel takes a built-in name or a file. A word that is both is refused rather than guessed at.
func readModel(name string) (*model, error) {
	built, builtErr := models.Get(name)
	info, err := os.Stat(name)
	switch {
	case err == nil && builtErr == nil:
		return nil, usageErrorf("model %s is a built-in model and a file here: write .%c%s for the file, or run elsewhere", name, filepath.Separator, name)
	case builtErr == nil:
		return builtIn(built), nil
	case errors.Is(err, fs.ErrNotExist):
		var names []string
		for _, b := range models.List() {
			names = append(names, b.Name)
		}
		return nil, usageErrorf("model %s: no such file, and no built-in model of that name%s; built in: %s",
			name, didYouMean(name, names, ""), strings.Join(names, ", "))
	case err != nil:
		return nil, fmt.Errorf("model: %w", err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("model %s: not a regular file", name)
	case info.Size() > onnx.MaxFileSize:
		return nil, fmt.Errorf("model %s: %d bytes, more than the %d that an ONNX file can have", name, info.Size(), onnx.MaxFileSize)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	if b, err = withSidecar(name, b); err != nil {
		return nil, err
	}
	return &model{name: filepath.Base(name), bytes: b}, nil
}

// open reads the contract and makes the adapter. want is the domain that the user asked for, or empty.
func (m *model) open(registry domains.Registry, want string) error {
	m.hash()
	file, err := onnx.Parse(m.bytes)
	if err != nil {
		return fmt.Errorf("model %s: %w", m.name, err)
	}
	if m.contract, err = sampler.ParseContract(file.Metadata()); err != nil {
		return fmt.Errorf("model %s: %w", m.name, err)
	}
	if want != "" && want != m.contract.Domain {
		return usageErrorf("model %s is for the domain %s, not for %s: leave --domain out, or give another --model", m.name, m.contract.Domain, want)
	}
	if m.domain, err = registry.Get(m.contract.Domain); err != nil {
		return fmt.Errorf("model %s: %w", m.name, err)
	}
	if m.adapter, err = m.domain.Open(m.contract.Adapter); err != nil {
		return fmt.Errorf("model %s: %w", m.name, err)
	}
	return nil
}

// hash sets sha256.
func (m *model) hash() {
	sum := sha256.Sum256(m.bytes)
	m.sha256 = hex.EncodeToString(sum[:])
}
