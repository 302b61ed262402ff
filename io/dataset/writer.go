package dataset

import (
	"context"
	"fmt"
	"regexp"
	"sort"
	"strings"
	"sync"

	"github.com/apache/arrow/go/v15/arrow"

	"pfgmgen/io/store"
)

// maxParts bounds the number of parts, which their names give five digits.
const maxParts = 100000

// A Writer makes the files of one dataset. It is safe for concurrent use.
type Writer struct {
	st     store.Store
	schema *arrow.Schema
	o      Options

	mu      sync.Mutex
	parts   map[string]PartInfo // committed by this Writer, by path
	exports map[string]FileInfo
}

// Create prepares to write a dataset with the given columns to a place that CheckPlace accepts. In a place that is ours it
// removes what an interrupted run left unfinished; otherwise nothing is made before the first part, text or plan.
func Create(ctx context.Context, st store.Store, schema *arrow.Schema, o Options) (*Writer, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := checkSchema(schema); err != nil {
		return nil, err
	}
	ours, err := CheckPlace(ctx, st)
	if err != nil {
		return nil, err
	}
	if ours {
		if err := st.Sweep(ctx); err != nil {
			return nil, datasetError(err)
		}
	}
	return &Writer{st: st, schema: schema, o: o, parts: make(map[string]PartInfo), exports: make(map[string]FileInfo)}, nil
}

// Schema is the schema of the parts, without the key-values that differ between them.
func (w *Writer) Schema() *arrow.Schema { return w.schema }

// PartPath is the path of part index, relative to the dataset, with slashes. It does not say how many parts there are, so
// that a dataset can grow.
func (w *Writer) PartPath(index int) string {
	return fmt.Sprintf("%s/%s-%05d.%s", dataDir, w.o.Split, index, w.o.Format)
}

// Part begins part index, 0 <= index < 100000.
func (w *Writer) Part(index int) (*Part, error) {
	if index < 0 || index >= maxParts {
		return nil, fmt.Errorf("dataset: part %d: want 0 to %d", index, maxParts-1)
	}
	p := &Part{w: w, rel: w.PartPath(index), o: w.o, keys: w.footer(index)}
	for _, f := range w.schema.Fields() {
		p.sums = append(p.sums, newContentSum(f.Name))
	}
	p.index = w.schema.FieldIndices(indexColumn)[0]
	return p, nil
}

// footer is the schema with the key-values that go into the file.
func (w *Writer) footer(index int) *arrow.Schema {
	keys, values := []string{"huggingface"}, []string{huggingface(w.schema)}
	for _, kv := range [...][2]string{
		{"pfgmgen.run_id", w.o.RunID},
		{"pfgmgen.spec_sha256", w.o.SpecSHA256},
		{"pfgmgen.model_sha256", w.o.ModelSHA256},
		{"pfgmgen.seed", w.o.Seed},
		{"pfgmgen.shard", fmt.Sprint(index)},
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
	file *store.File
	done bool
}

var textName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}(/[A-Za-z0-9][A-Za-z0-9._-]{0,127})?$`)

// Text begins an export called name: a file name, or a directory and a file name such as
// "fasta/train-00000.fasta". Names of the dataset's own files are refused.
func (w *Writer) Text(name string) (*Text, error) {
	own := name == manifestName || name == cardName || name == croissantName || strings.HasPrefix(name, dataDir+"/")
	if own || !textName.MatchString(name) || strings.Contains(name, "..") || strings.HasSuffix(name, ".tmp") {
		return nil, fmt.Errorf("dataset: export name %q: want FILE or DIR/FILE of letters, digits, dots, dashes and underscores, not one of the dataset's own", name)
	}
	f, err := w.st.Create(name)
	if err != nil {
		return nil, datasetError(err)
	}
	return &Text{w: w, rel: name, file: f}, nil
}

// Write implements io.Writer.
func (t *Text) Write(p []byte) (int, error) { return t.file.Write(p) }

// Commit gives the file its name, as Part.Commit does.
func (t *Text) Commit(ctx context.Context) (FileInfo, error) {
	if t.done {
		return FileInfo{}, errDone
	}
	t.done = true
	if err := t.file.Commit(ctx, func() error { return removeSuccess(ctx, t.w.st) }); err != nil {
		return FileInfo{}, datasetError(err)
	}
	info := FileInfo{Path: t.rel, Bytes: t.file.Size(), SHA256: t.file.SHA256()}
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	t.w.exports[t.rel] = info
	return info, nil
}

// Abort throws the export away. After Commit it does nothing.
func (t *Text) Abort() error {
	if !t.done {
		t.done = true
		t.file.Abort()
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
func (w *Writer) Commit(ctx context.Context, m Manifest, card string, extra ...File) error {
	w.Complete(&m)
	data, err := m.encode()
	if err != nil {
		return err
	}
	if err := w.checkFiles(ctx, &m); err != nil {
		return err
	}
	files := append([]File{{cardName, []byte(card)}}, extra...)
	files = append(files, File{manifestName, data}, File{successName, nil})
	for i, f := range files {
		if i > 0 && i < len(files)-2 && (!textName.MatchString(f.Name) || strings.Contains(f.Name, "/")) {
			return fmt.Errorf("dataset: file name %q: want letters, digits, dots, dashes and underscores", f.Name)
		}
		if err := write(ctx, w.st, f.Name, f.Data, func() error { return removeSuccess(ctx, w.st) }); err != nil {
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

func (w *Writer) checkFiles(ctx context.Context, m *Manifest) error {
	listed, sizes := make(map[string]bool), make(map[string]int64)
	check := func(rel string, bytes int64) error {
		listed[rel] = true
		folder, _, _ := strings.Cut(rel, "/")
		if _, known := sizes[folder+"/"]; !known { // one listing for all files of a folder
			files, err := w.st.List(ctx, folder)
			if err != nil {
				return datasetError(err)
			}
			sizes[folder+"/"] = 0
			for _, f := range files {
				sizes[f.Name] = f.Size
			}
		}
		size, ok := sizes[rel]
		if !ok {
			if _, err := w.st.Stat(ctx, rel); err != nil {
				return datasetError(err)
			}
		}
		if ok && size != bytes {
			return fmt.Errorf("dataset: %s: has %d bytes, the manifest says %d", at(w.st, rel), size, bytes)
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
	strays, err := unlisted(ctx, w.st, listed)
	if err != nil {
		return err
	}
	if len(strays) > 0 {
		return fmt.Errorf("dataset: %s: %s is not among the parts of this run, yet readers that glob would take it in; remove it or choose a new directory",
			w.st, list(strays))
	}
	return nil
}

// unlisted are the files of data/ that are neither listed nor unfinished.
func unlisted(ctx context.Context, st store.Store, listed map[string]bool) ([]string, error) {
	files, err := st.List(ctx, dataDir)
	if err != nil {
		return nil, datasetError(err)
	}
	var strays []string
	for _, f := range files {
		if base := strings.TrimPrefix(f.Name, dataDir+"/"); !listed[f.Name] && !strings.HasPrefix(base, ".") && !strings.HasPrefix(base, "_") {
			strays = append(strays, f.Name)
		}
	}
	return strays, nil
}
