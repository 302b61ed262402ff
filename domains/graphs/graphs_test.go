package graphs

import (
	"context"
	"crypto/sha256"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pfgmgen/domains"
	"pfgmgen/domains/domainstest"
	"pfgmgen/io/tudata"
)

var (
	shared       = filepath.Join("..", "..", "..", "shared", "data", "graphs")
	moleculeFile = filepath.Join(shared, "pubchemqc_cno", "molecules.tsv.gz")
	smilesFile   = filepath.Join(shared, "pubchemqc_cno", "2019PubChemQC_can_nocharge.smi.gz")
	enzymesFile  = filepath.Join(shared, "enzymes", "ENZYMES_A.txt.gz")

	enzymes = domains.LoadOptions{Paths: []string{enzymesFile},
		Settings: map[string]string{"min_nodes": "10", "max_nodes": "40", "component": "largest", "condition": "label"}}
)

// read returns the records of a file.
func read(t *testing.T, path string) *input {
	t.Helper()
	in, err := new(input), error(nil)
	if _, ok := tudata.Prefix(path); ok {
		err = in.readTU(context.Background(), path, sha256.New())
	} else {
		err = in.readFile(context.Background(), path, sha256.New())
	}
	if err != nil {
		t.Fatal(err)
	}
	return in
}

var loaded = make(map[string]*domains.Data) // by path and settings; tests of this package are not parallel

// load loads one file or family, settings given as name=value.
func load(t *testing.T, path string, settings ...string) *domains.Data {
	t.Helper()
	key := strings.Join(append([]string{path}, settings...), " ")
	if loaded[key] == nil {
		data, err := Domain{}.Load(context.Background(), optionsFor(path, settings...))
		if err != nil {
			t.Fatal(err)
		}
		loaded[key] = data
	}
	return loaded[key]
}

func optionsFor(path string, settings ...string) domains.LoadOptions {
	o := domains.LoadOptions{Paths: []string{path}, Settings: make(map[string]string)}
	for _, s := range settings {
		name, value, _ := strings.Cut(s, "=")
		o.Settings[name] = value
	}
	return o
}

// file writes a temporary file.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// unlike is the domain for the conformance suite, which tries every export on every row: graphs without atoms refuse
// SMILES and SDF.
type unlike struct{ Domain }

func (u unlike) Describe() domains.Description {
	d := u.Domain.Describe()
	d.Exports = slices.DeleteFunc(d.Exports, func(s string) bool { return s == "smiles" || s == "sdf" })
	return d
}

func TestMolecules(t *testing.T) {
	domainstest.Run(t, Domain{}, domainstest.Fixture{Options: optionsFor(moleculeFile), Records: 1000})
}

func TestEnzymes(t *testing.T) {
	domainstest.Run(t, unlike{}, domainstest.Fixture{Options: enzymes})
}

func TestFamilies(t *testing.T) {
	domainstest.Run(t, unlike{}, domainstest.Fixture{Options: optionsFor("family:community-small", "count=200")})
}

// TestFigures pins the shapes that models are trained on.
func TestFigures(t *testing.T) {
	for _, tc := range []struct {
		options domains.LoadOptions
		shape   []int
		free    int
		records [2]int
	}{
		{optionsFor(moleculeFile), []int{20, 28}, 472, [2]int{7860, 993}},
		{enzymes, []int{40, 11}, 404, [2]int{383, 42}},
		{optionsFor("family:community-small"), []int{20, 8}, 124, [2]int{1143, 134}},
	} {
		var settings []string
		for name, value := range tc.options.Settings {
			settings = append(settings, name+"="+value)
		}
		slices.Sort(settings)
		d := load(t, tc.options.Paths[0], settings...)
		if !slices.Equal(d.Adapter.Shape(), tc.shape) || d.Adapter.Free() != tc.free || d.Train.Len() != tc.records[0] || d.Valid.Len() != tc.records[1] {
			t.Errorf("%v: shape %v, %d free, %d and %d records, want %v, %d, %v", tc.options.Paths, d.Adapter.Shape(), d.Adapter.Free(),
				d.Train.Len(), d.Valid.Len(), tc.shape, tc.free, tc.records)
		}
		t.Logf("%v: shape %v, bandwidth %d, %d free; %s", tc.options.Paths, d.Adapter.Shape(), d.Adapter.(*adapter).s.Bandwidth, d.Adapter.Free(), strings.Join(d.Notes, "; "))
	}
}
