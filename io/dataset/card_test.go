package dataset

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

var testFacts = Facts{
	Name:           "Synthetic tRNA: 3,000 rows",
	Description:    "tRNA-like sequences | with structure.",
	License:        "cc0-1.0",
	Tags:           []string{"biology", "rna"},
	Tasks:          []string{"text-generation"},
	HowMade:        "Heun, 18 steps.",
	Command:        "pfgmgen run --domain rna -n 3002 --seed 7",
	Considerations: "Not for the clinic.",
	Checks:         map[string]string{"RN_STRUCT": "fewer than 3 <pairs>"},
}

// described is a complete manifest with its schema, of a dataset on disk.
func described(t *testing.T) *Manifest {
	t.Helper()
	return finished(t, t.TempDir(), 3000, testOptions)
}

func TestCard(t *testing.T) {
	m := described(t)
	card, err := testFacts.Card(m, fixtureSchema())
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.SplitN(card, "---\n", 3)
	if len(parts) != 3 || parts[0] != "" {
		t.Fatalf("no front matter in\n%s", card)
	}
	var front map[string]any
	if err := yaml.Unmarshal([]byte(parts[1]), &front); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"pretty_name":     "Synthetic tRNA: 3,000 rows",
		"license":         "cc0-1.0",
		"tags":            []any{"synthetic", "pfgmpp", "biology", "rna"},
		"task_categories": []any{"text-generation"},
		"size_categories": []any{"1K<n<10K"},
		"configs": []any{map[string]any{"config_name": "default",
			"data_files": []any{map[string]any{"split": "train", "path": "data/train-*"}}}},
	}
	for key, w := range want {
		if !reflect.DeepEqual(front[key], w) {
			t.Errorf("%s: %#v, want %#v", key, front[key], w)
		}
	}
	info := front["dataset_info"].(map[string]any)
	features := make(map[string]any)
	for _, f := range info["features"].([]any) {
		f := f.(map[string]any)
		name := f["name"].(string)
		delete(f, "name")
		features[name] = f
	}
	// The forms are those of the hub's documentation, ecosystem notes 2.3.
	for name, w := range map[string]string{
		"sample_id":  `{"dtype":"string"}`,
		"violations": `{"list":"string"}`,
		"edge_index": `{"list":{"list":"int64"}}`,
		"atoms":      `{"list":[{"dtype":"string","name":"element"},{"dtype":"int32","name":"charge"}]}`,
		"meta":       `{"struct":[{"dtype":"int64","name":"n"},{"list":"string","name":"tags"}]}`,
		"image":      `{"dtype":"image"}`,
		"audio":      `{"dtype":{"audio":{"sampling_rate":16000}}}`,
	} {
		if got, _ := json.Marshal(features[name]); string(got) != w {
			t.Errorf("feature %s: %s, want %s", name, got, w)
		}
	}
	var bytes, content int
	for _, p := range m.Parts {
		bytes, content = bytes+int(p.Bytes), content+int(p.ContentBytes)
	}
	split := info["splits"].([]any)[0].(map[string]any)
	if info["download_size"] != bytes || info["dataset_size"] != content || split["num_examples"] != 3000 || split["num_bytes"] != content {
		t.Errorf("sizes %v", info)
	}
	for _, line := range []string{
		"# Synthetic tRNA: 3,000 rows\n", "## Dataset Description\n", "## Dataset Structure\n", "### Data Fields\n", "## Dataset Creation\n",
		"## Considerations for Using the Data\n", "## Additional Information\n",
		"| `sequence` | string | 5' to 3', ACGU |\n",
		"| `violations` | list&lt;string> |  |\n",
		"| RN_STRUCT | 2 | fewer than 3 &lt;pairs> |\n",
		"| unique_fraction | 0.99 |\n",
		"3002 samples were asked for, 3005 drawn, 3000 written, 3000 of them valid.",
		"- Model: trna; built in; cc0-1.0; sha256 `2222",
	} {
		if !strings.Contains(parts[2], line) {
			t.Errorf("the card lacks %q:\n%s", line, parts[2])
		}
	}
	if _, err := (Facts{}).Card(m, fixtureSchema()); err == nil {
		t.Error("a card without a name was made")
	}
}

func TestSizeCategories(t *testing.T) {
	// huggingface/hub-docs, datasetcard.md
	for rows, want := range map[int64]string{0: "n<1K", 999: "n<1K", 1000: "1K<n<10K", 10_000: "10K<n<100K", 999_999: "100K<n<1M",
		5_000_000: "1M<n<10M", 2e9: "1B<n<10B", 1e12: "n>1T"} {
		if got := sizeCategory(rows); got != want {
			t.Errorf("%d rows: %s, want %s", rows, got, want)
		}
	}
}

// schemaOrg are the properties of schema.org that we mean to use. The context's @vocab turns any key that it does not
// define into one of schema.org, so a misspelt key would show here.
var schemaOrg = map[string]bool{"name": true, "description": true, "license": true, "url": true, "creator": true, "datePublished": true,
	"version": true, "keywords": true, "distribution": true, "contentUrl": true, "contentSize": true, "encodingFormat": true, "sha256": true}

// checkKeys walks expanded JSON-LD.
func checkKeys(t *testing.T, node any) {
	switch node := node.(type) {
	case []any:
		for _, n := range node {
			checkKeys(t, n)
		}
	case map[string]any:
		if node["@type"] == "@json" {
			return
		}
		for key, n := range node {
			if name, ok := strings.CutPrefix(key, "https://schema.org/"); ok && !schemaOrg[name] {
				t.Errorf("property %s", key)
			}
			checkKeys(t, n)
		}
	}
}

// The description is valid JSON-LD by an outside library, in its safe mode, and says what Croissant requires.
func TestCroissant(t *testing.T) {
	installReaders(t)
	m := described(t)
	data, err := testFacts.Croissant(m, fixtureSchema())
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), croissantName)
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", filepath.Join(readersDir, "expand.mjs"), path)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var expanded []map[string]any
	if err := json.Unmarshal(out, &expanded); err != nil || len(expanded) != 1 {
		t.Fatalf("%v: %s", err, out)
	}
	doc := expanded[0]
	checkKeys(t, doc)
	// What the Croissant 1.1 specification requires of a dataset, by full IRI.
	for _, key := range []string{"https://schema.org/name", "https://schema.org/description", "https://schema.org/license", "https://schema.org/url",
		"https://schema.org/creator", "https://schema.org/datePublished", "http://purl.org/dc/terms/conformsTo",
		"http://www.w3.org/ns/prov#wasGeneratedBy", "http://www.w3.org/ns/prov#wasDerivedFrom", "http://www.w3.org/ns/prov#wasAttributedTo"} {
		if doc[key] == nil {
			t.Errorf("no %s", key)
		}
	}
	if got := value(doc, "http://purl.org/dc/terms/conformsTo"); got != "http://mlcommons.org/croissant/1.1" {
		t.Errorf("conformsTo %v", got)
	}
	files := doc["https://schema.org/distribution"].([]any)
	if len(files) != len(m.Parts)+1 {
		t.Fatalf("%d files", len(files))
	}
	for i, p := range m.Parts {
		f := files[i].(map[string]any)
		if value(f, "https://schema.org/sha256") != p.SHA256 || value(f, "https://schema.org/contentUrl") != p.Path {
			t.Errorf("part %d: %v", i, f)
		}
	}
	fields := 0
	for _, set := range doc["http://mlcommons.org/croissant/recordSet"].([]any) {
		for _, f := range set.(map[string]any)["http://mlcommons.org/croissant/field"].([]any) {
			f := f.(map[string]any)
			if f["http://mlcommons.org/croissant/dataType"] == nil && f["http://mlcommons.org/croissant/subField"] == nil {
				t.Errorf("field without type: %v", f)
			}
			fields++
		}
	}
	if fields != fixtureSchema().NumFields()+1 {
		t.Errorf("%d fields", fields)
	}
	m.Created = ""
	if _, err := testFacts.Croissant(m, fixtureSchema()); err == nil || !strings.Contains(err.Error(), "datePublished") {
		t.Errorf("no date: %v", err)
	}
}

// value is the only value of a property in expanded JSON-LD.
func value(node map[string]any, key string) any {
	list, _ := node[key].([]any)
	if len(list) != 1 {
		return nil
	}
	v := list[0].(map[string]any)
	if v["@id"] != nil {
		return v["@id"]
	}
	return v["@value"]
}
