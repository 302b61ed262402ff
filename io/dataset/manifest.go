package dataset

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"regexp"
	"strings"
	"time"

	"github.com/apache/arrow/go/v15/arrow"

	"pfgmgen/io/store"
)

// FormatVersion is the version of the manifest and of the layout that this package writes and reads.
const FormatVersion = 1

// maxManifest bounds a manifest in bytes. A part of 20 columns takes about 3 KB in it, without its columns 0.4 KB.
const maxManifest = 64 << 20

// ManyParts is the number of parts beyond which the manifest leaves the columns of each to the record of its shard, so that
// 100,000 parts fit into it.
const ManyParts = 4096

// A Manifest is the commit record of a dataset, manifest.json. Readers ignore fields that they do not know.
type Manifest struct {
	FormatVersion int             `json:"format_version"`    // 1
	RunID         string          `json:"run_id"`            // names the run; sample ids begin with it
	Domain        string          `json:"domain"`            // rna, graphs, ...
	Format        string          `json:"format"`            // of the parts: parquet or arrow
	Split         string          `json:"split"`             // train
	Created       string          `json:"created,omitempty"` // RFC 3339, UTC
	Seed          string          `json:"seed"`              // decimal; a string, for JSON numbers end at 2^53
	SpecSHA256    string          `json:"spec_sha256"`       // SHA-256 of the plan, hex
	Settings      json.RawMessage `json:"settings"`          // the plan itself: everything that decides the rows

	Model Source   `json:"model"`          // the ONNX file that made the rows
	Data  []Source `json:"data,omitempty"` // what the model was trained on, as far as known

	Columns []Column   `json:"columns"`           // of every part, in order
	Parts   []PartInfo `json:"parts"`             // by path
	Exports []FileInfo `json:"exports,omitempty"` // plain-format copies of rows, by path
	Counts  Counts     `json:"counts"`

	Metrics  map[string]float64 `json:"metrics,omitempty"`  // by name, such as unique_fraction; finite
	Versions map[string]string  `json:"versions,omitempty"` // of what had a part in it: pfgmgen, onnxruntime, go
}

// A Source is something that the dataset derives from.
type Source struct {
	Name    string `json:"name"`              // file name or name of a built-in model
	SHA256  string `json:"sha256"`            // of its bytes, hex
	License string `json:"license,omitempty"` // SPDX identifier where there is one
	Origin  string `json:"origin,omitempty"`  // for people: where it comes from
}

// A Column describes one column of all parts.
type Column struct {
	Name  string `json:"name"`
	Type  string `json:"type"`            // string, int64, list<string>, struct<bytes: binary, path: string>, ...
	About string `json:"about,omitempty"` // what it holds, with its unit
}

// PartInfo describes one part.
type PartInfo struct {
	Path         string      `json:"path"`              // relative to the dataset, with slashes
	Rows         int64       `json:"rows"`              // at least 1
	Bytes        int64       `json:"bytes"`             // of the file
	SHA256       string      `json:"sha256"`            // of the file, hex
	FirstIndex   int64       `json:"first_index"`       // sample_index of the first row
	LastIndex    int64       `json:"last_index"`        // sample_index of the last row
	ContentBytes int64       `json:"content_bytes"`     // length of the content of all columns, before any encoding
	Columns      []ColumnSum `json:"columns,omitempty"` // in the order of the schema; with very many parts in the records of the shards only
}

// ColumnSum is what a part's column holds, whatever the encoding; see the package comment.
type ColumnSum struct {
	Name    string `json:"name"`
	NonNull int64  `json:"non_null"` // rows with a value
	SHA256  string `json:"sha256"`   // of the content, hex
}

// FileInfo describes a file that is not a part.
type FileInfo struct {
	Path   string `json:"path"` // relative to the dataset, with slashes
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"` // hex
}

// Counts say how many samples became rows.
type Counts struct {
	Asked    int64            `json:"asked"`              // samples planned
	Written  int64            `json:"written"`            // rows in the parts
	Valid    int64            `json:"valid"`              // rows among them that pass every hard gate
	Attempts int64            `json:"attempts"`           // samples drawn, retries included
	Dropped  int64            `json:"dropped"`            // samples without a row
	Rejected map[string]int64 `json:"rejected,omitempty"` // by the code of the gate; a sample may fail several
	Warned   map[string]int64 `json:"warned,omitempty"`   // by the code of the warning
	Formless map[string]int64 `json:"formless,omitempty"` // rows that an export cannot hold, by its format

	Distinct   int64 `json:"distinct,omitempty"`    // different rows among the first DistinctOf; not in the record of a shard
	DistinctOf int64 `json:"distinct_of,omitempty"` // rows that were compared
}

// columnsOf describes a schema.
func columnsOf(s *arrow.Schema) []Column {
	var cols []Column
	for _, f := range s.Fields() {
		about, _ := f.Metadata.GetValue(KeyAbout)
		cols = append(cols, Column{Name: f.Name, Type: typeName(f.Type), About: about})
	}
	return cols
}

// ReadManifest reads the manifest of the dataset in a place. What it returns is consistent in itself; whether the files are
// as it says is for VerifyParts. Without a manifest the error wraps fs.ErrNotExist: the run has not finished.
func ReadManifest(ctx context.Context, st store.Store) (*Manifest, error) {
	data, err := readBounded(ctx, st, manifestName, maxManifest)
	if err != nil {
		return nil, err
	}
	m, err := decodeManifest(data)
	if err != nil {
		return nil, fmt.Errorf("dataset: %s: %w", at(st, manifestName), err)
	}
	return m, nil
}

func decodeManifest(data []byte) (*Manifest, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	var m Manifest
	if err := dec.Decode(&m); err != nil {
		return nil, fmt.Errorf("not a manifest: %w", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("not a manifest: something follows the JSON object")
	}
	return &m, m.check()
}

// encode is the JSON of a manifest that passes check.
func (m *Manifest) encode() ([]byte, error) {
	if err := m.check(); err != nil {
		return nil, fmt.Errorf("dataset: manifest: %w", err)
	}
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("dataset: manifest: %w", err)
	}
	if len(data) >= maxManifest {
		return nil, fmt.Errorf("dataset: manifest: %d bytes, at most %d; make fewer, larger parts", len(data), maxManifest)
	}
	return append(data, '\n'), nil
}

var sha256Hex = regexp.MustCompile(`^[0-9a-f]{64}$`)

// check says what is wrong with a manifest.
func (m *Manifest) check() error {
	if m.FormatVersion != FormatVersion {
		return fmt.Errorf("format_version is %d, this program knows %d", m.FormatVersion, FormatVersion)
	}
	if _, err := time.Parse(time.RFC3339, m.Created); m.Created != "" && err != nil {
		return fmt.Errorf("created is %q, want a time such as 2006-01-02T15:04:05Z", clip(m.Created))
	}
	if m.Format != Parquet && m.Format != Arrow {
		return fmt.Errorf("format is %q, want %q or %q", m.Format, Parquet, Arrow)
	}
	for _, f := range [...]struct{ name, value string }{{"run_id", m.RunID}, {"domain", m.Domain}, {"seed", m.Seed}} {
		if f.value == "" {
			return fmt.Errorf("%s is missing", f.name)
		}
	}
	if !splitName.MatchString(m.Split) {
		return fmt.Errorf("split is %q, want lower-case letters and digits", m.Split)
	}
	if len(m.Settings) == 0 || !json.Valid(m.Settings) {
		return fmt.Errorf("settings are missing or not JSON")
	}
	for _, f := range [...]struct{ name, value string }{{"spec_sha256", m.SpecSHA256}, {"model.sha256", m.Model.SHA256}} {
		if !sha256Hex.MatchString(f.value) {
			return fmt.Errorf("%s is %q, want 64 hex digits", f.name, clip(f.value))
		}
	}
	if err := m.checkColumns(); err != nil {
		return err
	}
	for name, v := range m.Metrics {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("metric %s is %v, want a finite number; leave out what could not be computed", name, v)
		}
	}
	return m.checkParts()
}

func (m *Manifest) checkColumns() error {
	seen := make(map[string]bool)
	for _, c := range m.Columns {
		if !columnName.MatchString(c.Name) || c.Type == "" || seen[c.Name] {
			return fmt.Errorf("column %q of type %q: no such name or type, or twice", clip(c.Name), clip(c.Type))
		}
		seen[c.Name] = true
	}
	if !seen[indexColumn] {
		return fmt.Errorf("columns lack %s", indexColumn)
	}
	return nil
}

func (m *Manifest) checkParts() error {
	var rows int64
	last, path := int64(math.MinInt64), ""
	for i, p := range m.Parts {
		if !safePath(p.Path) || !strings.HasPrefix(p.Path, dataDir+"/") || p.Path <= path {
			return fmt.Errorf("parts[%d]: path %q is not a file of %s/, or out of order", i, clip(p.Path), dataDir)
		}
		if p.Rows < 1 || p.Bytes < 1 || p.ContentBytes < 0 || !sha256Hex.MatchString(p.SHA256) {
			return fmt.Errorf("%s: rows %d, bytes %d, content_bytes %d, sha256 %q: want positive numbers and 64 hex digits",
				p.Path, p.Rows, p.Bytes, p.ContentBytes, clip(p.SHA256))
		}
		if i > 0 && p.FirstIndex <= last || p.LastIndex < p.FirstIndex || uint64(p.LastIndex-p.FirstIndex) < uint64(p.Rows-1) {
			return fmt.Errorf("%s: index range %d to %d does not fit %d rows after index %d", p.Path, p.FirstIndex, p.LastIndex, p.Rows, last)
		}
		if len(p.Columns) != len(m.Columns) && (len(p.Columns) > 0 || len(m.Parts) <= ManyParts) {
			return fmt.Errorf("%s: %d columns, want %d", p.Path, len(p.Columns), len(m.Columns))
		}
		for j, c := range p.Columns {
			if c.Name != m.Columns[j].Name || c.NonNull < 0 || c.NonNull > p.Rows || !sha256Hex.MatchString(c.SHA256) {
				return fmt.Errorf("%s: column %q: want %s with 0 to %d values and 64 hex digits", p.Path, clip(c.Name), m.Columns[j].Name, p.Rows)
			}
		}
		rows, last, path = rows+p.Rows, p.LastIndex, p.Path
		if rows < 0 {
			return fmt.Errorf("%s: more rows than can be counted", p.Path)
		}
	}
	if m.Counts.Written != rows {
		return fmt.Errorf("counts.written is %d, the parts have %d rows", m.Counts.Written, rows)
	}
	path = ""
	for i, e := range m.Exports {
		if !safePath(e.Path) || e.Path <= path || e.Bytes < 0 || !sha256Hex.MatchString(e.SHA256) {
			return fmt.Errorf("exports[%d]: path %q, bytes %d, sha256 %q: want a relative path in order, a size and 64 hex digits",
				i, clip(e.Path), e.Bytes, clip(e.SHA256))
		}
		path = e.Path
	}
	return nil
}

// safePath says whether a path from a manifest stays inside the dataset.
func safePath(p string) bool { return textName.MatchString(p) && !strings.Contains(p, "..") }

// clip shortens text of unknown length for an error.
func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "..."
	}
	return s
}
