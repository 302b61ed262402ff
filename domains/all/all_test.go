package all

import (
	"errors"
	"strings"
	"testing"

	"pfgmgen/domains"
)

func TestRegistry(t *testing.T) {
	r := Registry()
	seen := make(map[string]bool)
	for _, name := range r.Names() {
		if seen[name] {
			t.Errorf("%s is listed twice", name)
		}
		seen[name] = true
		d, err := r.Get(name)
		if err != nil || d.Name() != name || d.Describe().Name != name {
			t.Errorf("%s: %v, the domain calls itself %s", name, err, d.Name())
		}
	}
	if !seen["rna"] {
		t.Error("rna is missing")
	}
	_, err := r.Get("rma")
	if !errors.Is(err, domains.ErrUnknown) || !strings.Contains(err.Error(), "rna") {
		t.Errorf("an unknown name gives %v", err)
	}
}
