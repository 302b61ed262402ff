package dataset

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"sync"

	"github.com/apache/arrow/go/v15/arrow"
)

// maxParts bounds the number of parts, which their names give five digits.
const maxParts = 100000

// A Writer makes the files of one dataset. It is safe for concurrent use.
type Writer struct {
	dir    string
	schema *arrow.Schema
	o      Options

	mu      sync.Mutex
	parts   map[string]PartInfo // committed by this Writer, by path
	exports map[string]FileInfo
}

// Create prepares to write a dataset with the given columns to dir, which must be a place that CheckPlace accepts. In a
// place that is ours it removes what an interrupted run left unfinished; otherwise nothing is made before the first
// part, text or plan.
func Create(dir string, schema *arrow.Schema, o Options) (*Writer, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := checkSchema(schema); err != nil {
		return nil, err
	}
	ours, err := CheckPlace(dir)
	if err != nil {
		return nil, err
	}
	if ours {
		if err := removeOrphans(dir); err != nil {
			return nil, err
		}
	}
	return &Writer{dir: dir, schema: schema, o: o, parts: make(map[string]PartInfo), exports: make(map[string]FileInfo)}, nil
}

// Schema is the schema of the parts, without the key-values that differ between them.
func (w *Writer) Schema() *arrow.Schema { return w.schema }

// PartPath is the path of part index of of, relative to the dataset, with slashes.
func (w *Writer) PartPath(index, of int) string {
	return fmt.Sprintf("%s/%s-%05d-of-%05d.%s", dataDir, w.o.Split, index, of, w.o.Format)
}

// Part begins part index of of parts, 0 <= index < of <= 100000.
func (w *Writer) Part(index, of int) (*Part, error) {
	if of < 1 || of > maxParts || index < 0 || index >= of {
		return nil, fmt.Errorf("dataset: part %d of %d: want 0 <= part < of <= %d", index, of, maxParts)
	}
	p := &Part{w: w, rel: w.PartPath(index, of), o: w.o, keys: w.footer(index, of)}
	for _, f := range w.schema.Fields() {
		p.sums = append(p.sums, newContentSum(f.Name))
	}
	p.index = w.schema.FieldIndices(indexColumn)[0]
	return p, nil
}

// footer is the schema with the key-values that go into the file.
func (w *Writer) footer(index, of int) *arrow.Schema {
	keys, values := []string{"huggingface"}, []string{huggingface(w.schema)}
	for _, kv := range [...][2]string{
		{"pfgmgen.run_id", w.o.RunID},
		{"pfgmgen.spec_sha256", w.o.SpecSHA256},
		{"pfgmgen.model_sha256", w.o.ModelSHA256},
		{"pfgmgen.seed", w.o.Seed},
		{"pfgmgen.shard", fmt.Sprintf("%d/%d", index, of)},
		{"pfgmgen.version", w.o.Version},
	} {
		if kv[1] != "" {
			keys, values = append(keys, kv[0]), append(values, kv[1])
		}
	}
	md := arrow.NewMetadata(keys, values)
	return arrow.NewSchema(w.schema.Fields(), &md)
}

func (w *Writer) committed(p PartInfo) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.parts[p.Path] = p
}

// Parts are the parts committed so far, by path.
func (w *Writer) Parts() []PartInfo {
	w.mu.Lock()
	defer w.mu.Unlock()
	var parts []PartInfo
	for _, path := range sortedKeys(w.parts) {
		parts = append(parts, w.parts[path])
	}
	return parts
}

// Exports are the texts committed so far, by path.
func (w *Writer) Exports() []FileInfo {
	w.mu.Lock()
	defer w.mu.Unlock()
	var files []FileInfo
	for _, path := range sortedKeys(w.exports) {
		files = append(files, w.exports[path])
	}
	return files
}

// A Text is an export in the making, written like any io.Writer.
type Text struct {
	w    *Writer
	rel  string
	file *atomicFile
	done bool
}

var textName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}(/[A-Za-z0-9][A-Za-z0-9._-]{0,127})?$`)

// Text begins an export called name: a file name, or a directory and a file name such as
// "fasta/train-00000-of-00001.fasta". Names of the dataset's own files are refused.
func (w *Writer) Text(name string) (*Text, error) {
	own := name == manifestName || name == cardName || name == croissantName || strings.HasPrefix(name, dataDir+"/")
	if own || !textName.MatchString(name) || strings.Contains(name, "..") || strings.HasSuffix(name, tempSuffix) {
		return nil, fmt.Errorf("dataset: export name %q: want FILE or DIR/FILE of letters, digits, dots, dashes and underscores, not one of the dataset's own", name)
	}
	f, err := createAtomic(filepath.Join(w.dir, filepath.FromSlash(name)))
	if err != nil {
		return nil, err
	}
	return &Text{w: w, rel: name, file: f}, nil
}

// Write implements io.Writer.
func (t *Text) Write(p []byte) (int, error) { return t.file.Write(p) }

// Commit gives the file its name, as Part.Commit does.
func (t *Text) Commit() (FileInfo, error) {
	if t.done {
		return FileInfo{}, errDone
	}
	t.done = true
	if err := t.file.commit(func() error { return removeSuccess(t.w.dir) }); err != nil {
		return FileInfo{}, err
	}
	info := FileInfo{Path: t.rel, Bytes: t.file.n, SHA256: t.file.hex()}
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	t.w.exports[t.rel] = info
	return info, nil
}

// Abort throws the export away. After Commit it does nothing.
func (t *Text) Abort() error {
	if !t.done {
		t.done = true
		t.file.abort()
	}
	return nil
}

// A File is a small file to be written at the top of a dataset, such as croissant.json.
type File struct {
	Name string
	Data []byte
}

// Commit finishes the dataset: README.md with the given card, the extra files, manifest.json, and last _SUCCESS. What m
// does not say about format, split, columns, parts and exports is taken from the Writer; a resumed run lists the parts
// of before together with Parts(). Before anything is written, every part and export of m must be there in its size, and
// data/ must hold no other part, because readers glob.
func (w *Writer) Commit(m Manifest, card string, extra ...File) error {
	w.Complete(&m)
	data, err := m.encode()
	if err != nil {
		return err
	}
	if err := w.checkFiles(&m); err != nil {
		return err
	}
	files := append([]File{{cardName, []byte(card)}}, extra...)
	files = append(files, File{manifestName, data}, File{successName, nil})
	for i, f := range files {
		if i > 0 && i < len(files)-2 && (!textName.MatchString(f.Name) || strings.Contains(f.Name, "/")) {
			return fmt.Errorf("dataset: file name %q: want letters, digits, dots, dashes and underscores", f.Name)
		}
		if _, err := writeAtomic(filepath.Join(w.dir, f.Name), f.Data, func() error { return removeSuccess(w.dir) }); err != nil {
			return err
		}
	}
	return nil
}

// Complete fills in what m does not say yet and the Writer knows: the format version, format, split, columns, parts and
// exports. Cards are rendered from a complete manifest.
func (w *Writer) Complete(m *Manifest) {
	m.FormatVersion = FormatVersion
	if m.Format == "" {
		m.Format = w.o.Format
	}
	if m.Split == "" {
		m.Split = w.o.Split
	}
	if m.Columns == nil {
		m.Columns = columnsOf(w.schema)
	}
	if m.Parts == nil {
		m.Parts = w.Parts()
	}
	if m.Exports == nil {
		m.Exports = w.Exports()
	}
	sort.Slice(m.Parts, func(i, j int) bool { return m.Parts[i].Path < m.Parts[j].Path })
	sort.Slice(m.Exports, func(i, j int) bool { return m.Exports[i].Path < m.Exports[j].Path })
}

func (w *Writer) checkFiles(m *Manifest) error {
	listed := make(map[string]bool)
	check := func(rel string, bytes int64) error {
		listed[rel] = true
		path := filepath.Join(w.dir, filepath.FromSlash(rel))
		st, err := os.Stat(path)
		if err != nil {
			return pathError(path, err)
		}
		if st.Size() != bytes {
			return fmt.Errorf("dataset: %s: has %d bytes, the manifest says %d", path, st.Size(), bytes)
		}
		return nil
	}
	for _, p := range m.Parts {
		if err := check(p.Path, p.Bytes); err != nil {
			return err
		}
		if own, ok := w.parts[p.Path]; ok && own.SHA256 != p.SHA256 {
			return fmt.Errorf("dataset: %s: the manifest has another SHA-256 (%s) than the part just written (%s)", p.Path, p.SHA256, own.SHA256)
		}
	}
	for _, e := range m.Exports {
		if err := check(e.Path, e.Bytes); err != nil {
			return err
		}
	}
	strays, err := unlisted(w.dir, listed)
	if err != nil {
		return err
	}
	if len(strays) > 0 {
		return fmt.Errorf("dataset: %s: %s is not among the parts of this run, yet readers that glob would take it in; remove it or choose a new directory",
			w.dir, list(strays))
	}
	return nil
}

// unlisted are the files of data/ that are neither listed nor unfinished.
func unlisted(dir string, listed map[string]bool) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(dir, dataDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, pathError(filepath.Join(dir, dataDir), err)
	}
	var strays []string
	for _, e := range entries {
		rel := dataDir + "/" + e.Name()
		if !listed[rel] && !strings.HasPrefix(e.Name(), ".") && !strings.HasPrefix(e.Name(), "_") {
			strays = append(strays, rel)
		}
	}
	return strays, nil
}
