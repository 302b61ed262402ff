package dataset

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"go.yaml.in/yaml/v3"
)

// Facts are what the card and the Croissant description say beyond the manifest. Empty optional fields are left out, and
// never filled with guesses.
type Facts struct {
	Name        string   // title: "Synthetic tRNA, 2,000 rows"; required
	Description string   // one paragraph; required
	License     string   // SPDX identifier in lower case as the hub wants it, such as cc0-1.0; "other" when empty
	Languages   []string // of text in the data, usually none
	Tags        []string // besides synthetic and pfgmpp
	Tasks       []string // task_categories of the hub
	Creator     string   // person or organisation; "pfgmgen" when empty
	URL         string   // where the dataset will be found; "./" when empty
	Citation    string   // how to cite it

	HowMade        string            // Creation: model, solver, steps, selection, in Markdown
	Command        string            // the command that makes the dataset again
	Considerations string            // limits, biases, what it must not be used for, in Markdown
	Checks         map[string]string // code of a gate or warning: its rule
}

// frontMatter is the YAML of README.md, with the keys and the order of the hub's template.
type frontMatter struct {
	PrettyName string       `yaml:"pretty_name"`
	License    string       `yaml:"license"`
	Language   []string     `yaml:"language,omitempty"`
	Tags       []string     `yaml:"tags"`
	Tasks      []string     `yaml:"task_categories,omitempty"`
	Size       []string     `yaml:"size_categories"`
	Configs    []cardConfig `yaml:"configs"`
	Info       cardInfo     `yaml:"dataset_info"`
}

type cardConfig struct {
	Name  string      `yaml:"config_name"`
	Files []cardFiles `yaml:"data_files"`
}

type cardFiles struct {
	Split string `yaml:"split"`
	Path  string `yaml:"path"`
}

type cardInfo struct {
	Features     []cardFeature `yaml:"features"`
	Splits       []cardSplit   `yaml:"splits"`
	DownloadSize int64         `yaml:"download_size"`
	DatasetSize  int64         `yaml:"dataset_size"`
}

type cardSplit struct {
	Name     string `yaml:"name"`
	Bytes    int64  `yaml:"num_bytes"`
	Examples int64  `yaml:"num_examples"`
}

// cardFeature is one column in the hub's YAML: exactly one of the last three is set.
type cardFeature struct {
	Name   string `yaml:"name,omitempty"`
	Dtype  any    `yaml:"dtype,omitempty"`
	List   any    `yaml:"list,omitempty"`
	Struct any    `yaml:"struct,omitempty"`
}

func yamlFeature(f arrow.Field) cardFeature {
	out := cardFeature{Name: f.Name}
	if name, ok := f.Metadata.GetValue(KeyFeature); ok {
		name = strings.ToLower(name)
		out.Dtype = name
		if rate, ok := f.Metadata.GetValue(KeySamplingRate); ok {
			if hz, err := strconv.Atoi(rate); err == nil { // Create has refused others
				out.Dtype = map[string]any{name: map[string]any{"sampling_rate": hz}}
			}
		}
		return out
	}
	switch t := f.Type.(type) {
	case *arrow.ListType:
		elem := yamlFeature(t.ElemField())
		switch {
		case elem.Dtype != nil:
			out.List = elem.Dtype
		case elem.Struct != nil:
			out.List = elem.Struct
		default:
			out.List = cardFeature{List: elem.List}
		}
	case *arrow.StructType:
		var fields []cardFeature
		for _, c := range t.Fields() {
			fields = append(fields, yamlFeature(c))
		}
		out.Struct = fields
	default:
		out.Dtype = valueName(f.Type)
	}
	return out
}

// sizeCategory is the hub's word for a number of rows.
func sizeCategory(rows int64) string {
	limits := []struct {
		n    int64
		name string
	}{{1e3, "1K"}, {1e4, "10K"}, {1e5, "100K"}, {1e6, "1M"}, {1e7, "10M"}, {1e8, "100M"}, {1e9, "1B"}, {1e10, "10B"}, {1e11, "100B"}, {1e12, "1T"}}
	for i, l := range limits {
		if rows < l.n {
			if i == 0 {
				return "n<1K"
			}
			return limits[i-1].name + "<n<" + l.name
		}
	}
	return "n>1T"
}

// Card renders README.md for a dataset of this schema: the front matter that the Hugging Face hub reads, then the sections
// of its template. The manifest must be complete (Writer.Complete).
func (f Facts) Card(m *Manifest, schema *arrow.Schema) (string, error) {
	if f.Name == "" || f.Description == "" {
		return "", fmt.Errorf("dataset: a card needs a name and a description")
	}
	front := frontMatter{
		PrettyName: f.Name,
		License:    f.license(),
		Language:   f.Languages,
		Tags:       append([]string{"synthetic", "pfgmpp"}, f.Tags...),
		Tasks:      f.Tasks,
		Size:       []string{sizeCategory(m.Counts.Written)},
		Configs:    []cardConfig{{Name: "default", Files: []cardFiles{{Split: m.Split, Path: dataDir + "/" + m.Split + "-*"}}}},
	}
	for _, field := range schema.Fields() {
		front.Info.Features = append(front.Info.Features, yamlFeature(field))
	}
	split := cardSplit{Name: m.Split, Examples: m.Counts.Written}
	for _, p := range m.Parts {
		split.Bytes += p.ContentBytes
		front.Info.DownloadSize += p.Bytes
	}
	front.Info.DatasetSize = split.Bytes
	front.Info.Splits = []cardSplit{split}

	var b bytes.Buffer
	b.WriteString("---\n")
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(front); err != nil {
		return "", fmt.Errorf("dataset: card: %w", err)
	}
	if err := enc.Close(); err != nil {
		return "", fmt.Errorf("dataset: card: %w", err)
	}
	b.WriteString("---\n\n")
	f.body(&b, m)
	return b.String(), nil
}

func (f Facts) license() string {
	if f.License == "" {
		return "other"
	}
	return f.License
}

// body writes the sections of the card.
func (f Facts) body(b *bytes.Buffer, m *Manifest) {
	fmt.Fprintf(b, "# %s\n\n## Dataset Description\n\n%s\n\n", f.Name, f.Description)
	fmt.Fprintf(b, "Every row is synthetic: sampled from a model, measured from nothing. Made by pfgmgen, run `%s`, domain %s.\n\n", m.RunID, m.Domain)
	parts := "1 part"
	if n := len(m.Parts); n != 1 {
		parts = fmt.Sprintf("%d parts", n)
	}
	fmt.Fprintf(b, "## Dataset Structure\n\n%d rows in %s, `%s/%s-*.%s`. `manifest.json` lists every part with its SHA-256.\n\n",
		m.Counts.Written, parts, dataDir, m.Split, m.Format)
	b.WriteString("### Data Fields\n\n| column | type | about |\n|---|---|---|\n")
	for _, c := range m.Columns {
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", c.Name, cell(c.Type), cell(c.About))
	}
	fmt.Fprintf(b, "\n### Data Splits\n\n| split | rows |\n|---|---|\n| %s | %d |\n\n", m.Split, m.Counts.Written)
	fmt.Fprintf(b, "## Dataset Creation\n\n")
	paragraph(b, f.HowMade)
	fmt.Fprintf(b, "Seed %s. %d samples were asked for, %d drawn, %d written, %d of them valid.\n\n", m.Seed, m.Counts.Asked,
		m.Counts.Attempts, m.Counts.Written, m.Counts.Valid)
	if f.Command != "" {
		fmt.Fprintf(b, "```\n%s\n```\n\n", f.Command)
	}
	f.source(b, "Model", m.Model)
	for _, s := range m.Data {
		f.source(b, "Training data", s)
	}
	b.WriteString("\n")
	f.counts(b, "Rejected samples, by gate", m.Counts.Rejected)
	f.counts(b, "Warnings, by code", m.Counts.Warned)
	if len(m.Metrics) > 0 {
		b.WriteString("### Metrics\n\n| metric | value |\n|---|---|\n")
		for _, k := range sortedKeys(m.Metrics) {
			fmt.Fprintf(b, "| %s | %.6g |\n", cell(k), m.Metrics[k])
		}
		b.WriteString("\n")
	}
	b.WriteString("## Considerations for Using the Data\n\n")
	paragraph(b, f.Considerations)
	b.WriteString("Synthetic rows can repeat errors and biases of the training data, and may come close to single training examples.\n\n")
	fmt.Fprintf(b, "## Additional Information\n\nLicence: %s.\n", f.license())
	if f.Citation != "" {
		fmt.Fprintf(b, "\n%s\n", f.Citation)
	}
}

func (f Facts) source(b *bytes.Buffer, what string, s Source) {
	fmt.Fprintf(b, "- %s: %s", what, s.Name)
	for _, x := range []string{s.Origin, s.License} {
		if x != "" {
			fmt.Fprintf(b, "; %s", x)
		}
	}
	fmt.Fprintf(b, "; sha256 `%s`\n", s.SHA256)
}

func (f Facts) counts(b *bytes.Buffer, title string, n map[string]int64) {
	if len(n) == 0 {
		return
	}
	fmt.Fprintf(b, "### %s\n\n| code | samples | rule |\n|---|---|---|\n", title)
	for _, k := range sortedKeys(n) {
		fmt.Fprintf(b, "| %s | %d | %s |\n", cell(k), n[k], cell(f.Checks[k]))
	}
	b.WriteString("\n")
}

func paragraph(b *bytes.Buffer, text string) {
	if text = strings.TrimSpace(text); text != "" {
		b.WriteString(text + "\n\n")
	}
}

// cell makes text safe for one cell of a Markdown table.
func cell(s string) string {
	return strings.NewReplacer("|", "\\|", "\n", " ", "<", "&lt;").Replace(s)
}
