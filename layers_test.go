// Package pfgmgen has no code: its tests guard the structure of the module.
package pfgmgen

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A layer says which packages of the module the packages of one folder may import. Paths are relative to the module;
// "x/..." is x and everything below it. The first layer that matches a package counts.
type layer struct {
	packages string
	imports  []string
	because  string
}

var layers = []layer{
	{"cmd/...", []string{"..."}, "commands wire everything"},
	{"sampler/ort", []string{"sampler", "internal/onnx/..."}, "the runtime's only importer runs models and knows neither domains nor files"},
	{"sampler/...", []string{"sampler/..."}, "the sampler is mathematics: it knows no domain, no file and no engine; package sampler/ort implements its Denoiser"},
	{"validate/...", []string{"validate/..."}, "checks work on Arrow records of any domain"},
	{"domains", []string{"validate/..."}, "the adapter contract is what domains share, so it knows none of them"},
	{"domains/all", []string{"domains/..."}, "it lists the domains and does nothing else"},
	{"domains/domainstest", []string{"domains", "validate/..."}, "the conformance suite takes any adapter"},
	{"domains/...", []string{"domains", "validate/...", "io/...", "internal/graph", "internal/chem", "internal/splits", "internal/stft"}, "a domain knows the contract, its checks and its file formats, neither other domains nor the sampler"},
	{"pipeline/temporal/temporaltest", []string{"internal/servertest"}, "it runs a server for tests"},
	{"pipeline/...", []string{"pipeline/...", "domains", "sampler", "validate/..."}, "the pipeline works on interfaces: which engine, domain and file format it gets is decided in cmd"},
	{"io/store/storetest", []string{"internal/servertest"}, "it runs servers for tests"},
	{"io/...", []string{"io/...", "internal/graph", "internal/chem"}, "file formats know neither the sampler nor the domains"},
	{"internal/chem/chemtest", []string{"internal/chem", "internal/graph", "io/lines"}, "it reads the molecules that tests use"},
	{"internal/chem/...", []string{"internal/chem/...", "internal/graph"}, "molecules are graphs with rules"},
	{"internal/servertest", nil, "it finds programs"},
	{"internal/graph", nil, "graphs are mathematics"},
	{"internal/splits", []string{"io/..."}, "a split is a table"},
	{"internal/stft", nil, "transforms are mathematics"},
	{"internal/onnx/...", []string{"internal/onnx/..."}, "models as data know neither who runs them nor what they mean"},
	{"training/...", []string{"training/...", "sampler", "sampler/ort", "internal/onnx/..."}, "training sees numbers and labels; domains encode them"},
	{"models/...", []string{"sampler", "internal/onnx/..."}, "built-in models are data with cards"},
}

// onlyIn lists imports that one folder keeps to itself, tests included; "x/..." is x and everything below it.
var onlyIn = []struct{ imported, folder, because string }{
	{"github.com/yalue/onnxruntime_go", "sampler/ort", "so that another binding or engine replaces one package"},
	{"C", "sampler/ort", "cgo stays behind the one package that cannot do without it"},
	{"gocloud.dev/...", "io/store", "so that only one package knows where files are"},
	{"go.temporal.io/...", "pipeline/temporal", "so that only one package knows the engine"},
	{"github.com/urfave/cli/v2", "cmd", "only commands know the command line"},
	{"github.com/prometheus/client_golang/...", "pipeline/metrics", "a run is watched through pipeline.Monitor, whatever system asks"},
	{"go.opentelemetry.io/otel/...", "pipeline/trace", "a run is watched through pipeline.ShardObserver, whatever system asks"},
}

const module = "pfgmgen"

// TestLayers guards the directions of imports. It reads the files of every system, whatever this one builds.
func TestLayers(t *testing.T) {
	checked := 0
	for file, imports := range sources(t) {
		pkg := path.Dir(file)
		for _, imported := range imports {
			for _, rule := range onlyIn {
				if below(imported, rule.imported) && !below(pkg, rule.folder+"/...") {
					t.Errorf("%s imports %s, which only %s may: %s", file, imported, rule.folder, rule.because)
				}
			}
			if strings.HasSuffix(file, "_test.go") || !strings.HasPrefix(imported, module+"/") {
				continue
			}
			if err := allowed(pkg, strings.TrimPrefix(imported, module+"/")); err != nil {
				t.Errorf("%s: %v", file, err)
			}
			checked++
		}
	}
	if checked == 0 {
		t.Fatal("found no imports to check; is the test run from the module's root?")
	}
}

// TestLayersRefuses shows that the guard bites.
func TestLayersRefuses(t *testing.T) {
	for _, bad := range [][2]string{{"sampler", "domains"}, {"sampler", "sampler/ort"}, {"pipeline", "sampler/ort"},
		{"pipeline", "domains/rna"}, {"io/dataset", "sampler"}, {"domains/rna", "domains/audio"}, {"validate", "domains"},
		{"training", "domains/rna"}, {"sampler/ort", "io/dataset"}, {"newplace", "sampler"}, {"models", "cmd/pfgmgen"}} {
		if allowed(bad[0], bad[1]) == nil {
			t.Errorf("%s may import %s", bad[0], bad[1])
		}
	}
}

func allowed(pkg, imported string) error {
	for _, l := range layers {
		if !below(pkg, l.packages) {
			continue
		}
		if slices.ContainsFunc(l.imports, func(p string) bool { return below(imported, p) }) &&
			!(below(pkg, "sampler/...") && pkg != "sampler/ort" && imported == "sampler/ort") {
			return nil
		}
		return fmt.Errorf("%s may not import %s: %s (it may import %s)", pkg, imported, l.because, strings.Join(l.imports, ", "))
	}
	return fmt.Errorf("package %s is in no layer; add it to the table of this test and say what it may import", pkg)
}

// below says whether pattern covers pkg.
func below(pkg, pattern string) bool {
	if pattern == "..." {
		return true
	}
	folder, all := strings.CutSuffix(pattern, "/...")
	return pkg == folder || all && strings.HasPrefix(pkg, folder+"/")
}

// sources are the imports of every Go file of the module.
func sources(t *testing.T) map[string][]string {
	out := make(map[string][]string)
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "node_modules") {
			return filepath.SkipDir
		}
		if d.IsDir() || filepath.Ext(name) != ".go" {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range f.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			out[filepath.ToSlash(name)] = append(out[filepath.ToSlash(name)], imported)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
