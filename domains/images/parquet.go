package images

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet/file"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"
)

// Columns by their usual names, the first that is there counts.
var (
	imageColumns = []string{"image", "img", "picture", "png", "jpg"}
	labelColumns = []string{"label", "class", "fine_label", "labels", "y"}
	splitColumns = []string{"split"}
)

// isParquet says whether a file name is one of a part of a Parquet dataset.
func isParquet(name string) bool { return strings.ToLower(filepath.Ext(name)) == ".parquet" }

// readParquet adds the pictures of a Parquet file: a column of PNG or JPEG bytes, or of structs with a field bytes, as
// pfgmgen and the Hugging Face hub have them; the class from a column of text or integers; the part from a column split
// or the name of the file.
func (in *input) readParquet(path string) (err error) {
	f, _, err := in.openAt(path)
	if err != nil {
		return err
	}
	defer f.Close()
	// The library panics on some files that are not sound.
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("images: %s: not a sound Parquet file: %v", path, p)
		}
	}()
	before := len(in.records)
	t, err := in.openTable(f)
	if err != nil {
		return fmt.Errorf("images: %s: %w", path, err)
	}
	defer t.reader.Release()
	for row := 0; t.reader.Next(); {
		rec := t.reader.Record()
		if err := in.addRows(path, rec, t, &row); err != nil {
			return err
		}
	}
	if err := t.reader.Err(); err != nil && err != io.EOF {
		return fmt.Errorf("images: %s: %w", path, err)
	}
	in.source(path, "Parquet", before)
	return nil
}

// A parquetTable is an open file with its columns found.
type parquetTable struct {
	reader       pqarrow.RecordReader
	image        string
	label, split string   // empty when there is no such column
	names        []string // of integer labels; nil when the file has none
}

// batchRows is the number of rows that are in memory at a time.
const batchRows = 256

func (in *input) openTable(f *os.File) (*parquetTable, error) {
	pf, err := file.NewParquetReader(f)
	if err != nil {
		return nil, err
	}
	r, err := pqarrow.NewFileReader(pf, pqarrow.ArrowReadProperties{BatchSize: batchRows}, memory.NewGoAllocator())
	if err != nil {
		return nil, err
	}
	schema, err := r.Schema()
	if err != nil {
		return nil, err
	}
	t := &parquetTable{
		image: column(schema, imageColumns, func(dt arrow.DataType) bool { return isBlob(dt) || isImage(dt) }),
		label: column(schema, labelColumns, func(dt arrow.DataType) bool { return isText(dt) || arrow.IsInteger(dt.ID()) }),
		split: column(schema, splitColumns, isText),
	}
	if t.image == "" {
		return nil, fmt.Errorf("no column %s of type binary or struct<bytes: binary, ...>; the schema is %.600s",
			strings.Join(imageColumns, ", "), schema)
	}
	if meta := pf.MetaData().KeyValueMetadata().FindValue("huggingface"); meta != nil && t.label != "" {
		t.names = classNames(*meta, t.label)
		in.number(t.names)
	}
	var leaves []int
	for i := range pf.MetaData().Schema.NumColumns() {
		path := pf.MetaData().Schema.Column(i).ColumnPath()
		if slices.Contains([]string{t.image, t.label, t.split}, path[0]) {
			leaves = append(leaves, i)
		}
	}
	t.reader, err = r.GetRecordReader(in.ctx, leaves, nil)
	return t, err
}

// column is the name of the first column of names that has a fitting type.
func column(s *arrow.Schema, names []string, fits func(arrow.DataType) bool) string {
	for _, name := range names {
		if i := s.FieldIndices(name); len(i) == 1 && fits(s.Field(i[0]).Type) {
			return name
		}
	}
	return ""
}

func isBlob(dt arrow.DataType) bool { return dt.ID() == arrow.BINARY || dt.ID() == arrow.LARGE_BINARY }

func isImage(dt arrow.DataType) bool {
	s, ok := dt.(*arrow.StructType)
	if !ok {
		return false
	}
	f, ok := s.FieldByName("bytes")
	return ok && isBlob(f.Type)
}

func isText(dt arrow.DataType) bool {
	if d, ok := dt.(*arrow.DictionaryType); ok {
		dt = d.ValueType
	}
	return dt.ID() == arrow.STRING || dt.ID() == arrow.LARGE_STRING
}

// classNames are the names that the Hugging Face features give to an integer column.
func classNames(meta, label string) []string {
	var m struct {
		Info struct {
			Features map[string]json.RawMessage `json:"features"`
		} `json:"info"`
	}
	var f struct {
		Names []string `json:"names"`
	}
	if json.Unmarshal([]byte(meta), &m) != nil || json.Unmarshal(m.Info.Features[label], &f) != nil {
		return nil // other metadata under the same name
	}
	return f.Names
}

// addRows adds the rows of one batch; row counts those of the file.
func (in *input) addRows(path string, rec arrow.Record, t *parquetTable, row *int) error {
	col := func(name string) arrow.Array {
		i := rec.Schema().FieldIndices(name)
		if len(i) != 1 {
			return nil
		}
		return rec.Column(i[0])
	}
	images, labels, splits := col(t.image), col(t.label), col(t.split)
	base, part := filepath.Base(path), filePart(path)
	for i := range int(rec.NumRows()) {
		where := fmt.Sprintf("%s: row %d", path, *row)
		r := record{id: base + "/" + strconv.Itoa(*row), split: part}
		*row++
		b, ok := blob(images, i)
		if !ok {
			return fmt.Errorf("images: %s: column %s is null: pictures must be in the file, paths are not followed", where, t.image)
		}
		var err error
		if r.picture, err = decodePicture(b); err != nil {
			return fmt.Errorf("images: %s: column %s: %w", where, t.image, err)
		}
		if labels != nil && labels.IsValid(i) {
			r.class = strings.Clone(value(labels, i))
			if n, err := strconv.Atoi(r.class); err == nil && t.names != nil && n >= 0 && n < len(t.names) {
				r.class = t.names[n]
			}
		}
		if splits != nil && splits.IsValid(i) {
			if r.split = partName(value(splits, i)); r.split == "" {
				return fmt.Errorf("images: %s: column %s: split %.40q is not one of train, valid, test", where, t.split, value(splits, i))
			}
		}
		if err := in.add(where, r); err != nil {
			return err
		}
	}
	return nil
}

// blob is the bytes of one picture.
func blob(a arrow.Array, i int) ([]byte, bool) {
	if s, ok := a.(*array.Struct); ok {
		if s.IsNull(i) {
			return nil, false
		}
		at, _ := s.DataType().(*arrow.StructType).FieldIdx("bytes")
		a = s.Field(at)
	}
	if a.IsNull(i) {
		return nil, false
	}
	switch a := a.(type) {
	case *array.Binary:
		return a.Value(i), true
	case *array.LargeBinary:
		return a.Value(i), true
	}
	return nil, false
}

// value is a text or a number as text.
func value(a arrow.Array, i int) string {
	switch a := a.(type) {
	case *array.String:
		return a.Value(i)
	case *array.LargeString:
		return a.Value(i)
	case *array.Dictionary:
		return value(a.Dictionary(), a.GetValueIndex(i))
	}
	return a.ValueStr(i) // integers
}
