package dataset

import (
	"fmt"
	"io"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/compress"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"
)

// An encoder turns chunks of rows into the bytes of a file. newGroup says that a row group ends before the chunk.
type encoder interface {
	write(rec arrow.Record, newGroup bool) error
	close() error
}

// createdBy does not name a build, so that equal rows give equal files whoever built the program.
const createdBy = "pfgmgen"

// pageBytes bounds a data page before compression. The default of 1 MiB would keep whole columns of many datasets
// uncompressed until the file is closed, and above 128 KiB the compressor, which v15 makes anew for each page, allocates
// a history of megabytes. Files grow by less than 1 %.
const pageBytes = 32 << 10

// parquetEncoder is the only user of pqarrow's writer. Rows go in through WriteBuffered, which keeps a row group open
// over several calls; Write would make one row group per call. Its buffers come from the Go heap whatever the allocator
// of the caller: WriteBuffered of v15 never releases 256 bytes per leaf and row group, which only a garbage collector
// forgives.
type parquetEncoder struct{ w *pqarrow.FileWriter }

func newParquetEncoder(w io.Writer, schema *arrow.Schema) (*parquetEncoder, error) {
	props := []parquet.WriterProperty{
		parquet.WithAllocator(memory.NewGoAllocator()),
		parquet.WithCreatedBy(createdBy),
		parquet.WithRootName("schema"),
		parquet.WithRootRepetition(parquet.Repetitions.Required),
		parquet.WithDataPageVersion(parquet.DataPageV1),
		parquet.WithMaxRowGroupLength(maxRowGroupRows),
		parquet.WithCompression(compress.Codecs.Zstd),
		parquet.WithCompressionLevel(3),
		parquet.WithDataPageSize(pageBytes),
		parquet.WithDictionaryDefault(false),
		parquet.WithStats(true),
	}
	for _, f := range schema.Fields() {
		props = append(props, columnProperties(f.Name, f.Type, wantsDictionary(f))...)
	}
	arrowProps := pqarrow.NewArrowWriterProperties(pqarrow.WithAllocator(memory.NewGoAllocator()), pqarrow.WithStoreSchema())
	var fw *pqarrow.FileWriter
	err := guard(func() (err error) {
		fw, err = pqarrow.NewFileWriter(schema, w, parquet.NewWriterProperties(props...), arrowProps)
		return err
	})
	return &parquetEncoder{fw}, err
}

// columnProperties are those of the leaves of one column, whose paths are written as pqarrow names them.
func columnProperties(path string, t arrow.DataType, dictionary bool) []parquet.WriterProperty {
	switch t := t.(type) {
	case *arrow.ListType:
		return columnProperties(path+".list.element", t.Elem(), dictionary)
	case *arrow.StructType:
		var props []parquet.WriterProperty
		for _, f := range t.Fields() {
			props = append(props, columnProperties(path+"."+f.Name, f.Type, dictionary)...)
		}
		return props
	case *arrow.BinaryType:
		return []parquet.WriterProperty{
			parquet.WithCompressionFor(path, compress.Codecs.Uncompressed),
			parquet.WithStatsFor(path, false),
		}
	case *arrow.BooleanType:
		return nil // pqarrow has no dictionary for booleans
	}
	return []parquet.WriterProperty{parquet.WithDictionaryFor(path, dictionary)}
}

func (e *parquetEncoder) write(rec arrow.Record, newGroup bool) error {
	return guard(func() error {
		if newGroup {
			e.w.NewBufferedRowGroup()
		}
		return e.w.WriteBuffered(rec)
	})
}

func (e *parquetEncoder) close() error { return guard(e.w.Close) }

// guard turns a panic of the Parquet or Arrow library, which panics on some write errors, into an error.
func guard(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			if e, ok := r.(error); ok {
				err = e
			} else {
				err = fmt.Errorf("%v", r)
			}
		}
	}()
	return f()
}
