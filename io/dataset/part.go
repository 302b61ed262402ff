package dataset

import (
	"context"
	"errors"
	"fmt"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"

	"pfgmgen/io/store"
)

// ErrNoRows is returned by Part.Commit when nothing was written. No file is left, for readers choke on files without
// rows; the shard is simply not among the parts.
var ErrNoRows = errors.New("dataset: the part has no rows, so no file was made")

var errDone = errors.New("dataset: the part was committed or aborted before")

// A Part is one file of a dataset in the making. It is not safe for concurrent use; different parts of a Writer are.
// Nothing touches the disk before the first row.
type Part struct {
	w    *Writer
	rel  string // data/train-00000.parquet
	o    Options
	keys *arrow.Schema // schema with the footer's key-values of this part

	file  *store.File
	chunk chunker
	sums  []*contentSum
	index int // of sample_index
	info  PartInfo
	err   error // the first one; done says that there will be no more
	done  bool
}

// Write appends the rows of rec, whose columns have the names and types of the schema given to Create. The caller keeps
// its reference; the part may hold on to the record's memory until it is committed. Rows come in rising sample_index. After
// an error the part can only be aborted.
func (p *Part) Write(rec arrow.Record) error {
	if p.done {
		return errDone
	}
	if p.err == nil && rec.NumRows() > 0 {
		p.err = p.write(rec)
	}
	return p.err
}

func (p *Part) write(rec arrow.Record) error {
	rec, err := p.conform(rec)
	if err != nil {
		return err
	}
	defer rec.Release()
	if err := p.checkIndex(rec.Column(p.index).(*array.Int64)); err != nil {
		return err
	}
	if p.file == nil {
		if err := p.open(); err != nil {
			return err
		}
	}
	sizes := make([]int64, rec.NumRows())
	for i, s := range p.sums {
		if err := s.addArray(rec.Column(i), sizes); err != nil {
			return fmt.Errorf("dataset: column %s: %w", s.name, err)
		}
	}
	p.info.Rows += rec.NumRows()
	return p.wrap(p.chunk.add(rec, sizes))
}

// conform gives the record the schema of the part, or says how they differ. The result has its own reference.
func (p *Part) conform(rec arrow.Record) (arrow.Record, error) {
	want := p.keys
	if int(rec.NumCols()) != want.NumFields() {
		return nil, fmt.Errorf("dataset: a record with %d columns, want %d", rec.NumCols(), want.NumFields())
	}
	for i, f := range want.Fields() {
		if got := rec.Schema().Field(i); got.Name != f.Name || !arrow.TypeEqual(got.Type, f.Type) {
			return nil, fmt.Errorf("dataset: column %d of a record is %s %s, want %s %s", i, got.Name, got.Type, f.Name, f.Type)
		}
	}
	return array.NewRecord(want, rec.Columns(), rec.NumRows()), nil
}

func (p *Part) checkIndex(index *array.Int64) error {
	for i, v := range index.Int64Values() {
		switch {
		case index.IsNull(i):
			return fmt.Errorf("dataset: %s: row %d has no %s", p.rel, p.info.Rows+int64(i), indexColumn)
		case p.info.Rows+int64(i) == 0:
			p.info.FirstIndex = v
		case v <= p.info.LastIndex:
			return fmt.Errorf("dataset: %s: row %d has %s %d after %d: rows must come in rising order", p.rel,
				p.info.Rows+int64(i), indexColumn, v, p.info.LastIndex)
		}
		p.info.LastIndex = v
	}
	return nil
}

// open starts the file.
func (p *Part) open() error {
	var err error
	if p.file, err = p.w.st.Create(p.rel); err != nil {
		return datasetError(err)
	}
	p.chunk = chunker{schema: p.keys, o: p.o}
	if p.o.Format == Arrow {
		p.chunk.enc, err = newIPCEncoder(p.file, p.keys, p.o)
	} else {
		p.chunk.enc, err = newParquetEncoder(p.file, p.keys)
	}
	return p.wrap(err)
}

// wrap prefers the error of the file, of which the libraries report only a consequence or nothing.
func (p *Part) wrap(err error) error {
	if p.file.Err() != nil {
		return datasetError(p.file.Err())
	}
	if err != nil {
		return fmt.Errorf("dataset: %s: %w", p.file.Name(), err)
	}
	return nil
}

// Commit finishes the file, syncs it and gives it its name. A file of the same name with the same bytes stays as it is;
// one with other bytes is replaced, after _SUCCESS has been removed. Without rows the error is [ErrNoRows]. After an error
// nothing of the part is left.
func (p *Part) Commit(ctx context.Context) (PartInfo, error) {
	if p.done {
		return PartInfo{}, errDone
	}
	if p.err == nil && p.file == nil {
		p.done = true
		return PartInfo{Path: p.rel}, ErrNoRows
	}
	if p.err == nil {
		p.err = p.wrap(p.chunk.flush())
	}
	if p.err == nil {
		p.err = p.wrap(p.chunk.enc.close())
	}
	if p.err != nil {
		p.Abort()
		return PartInfo{}, p.err
	}
	p.done = true
	if err := p.file.Commit(ctx, func() error { return removeSuccess(ctx, p.w.st) }); err != nil {
		return PartInfo{}, datasetError(err)
	}
	p.info.Path, p.info.Bytes, p.info.SHA256 = p.rel, p.file.Size(), p.file.SHA256()
	for _, s := range p.sums {
		p.info.Columns = append(p.info.Columns, s.sum())
		p.info.ContentBytes += s.bytes
	}
	p.w.committed(p.info)
	return p.info, nil
}

// Abort throws the part away. After Commit it does nothing, so it can be deferred.
func (p *Part) Abort() error {
	if p.done {
		return nil
	}
	p.done = true
	if p.file == nil {
		return nil
	}
	p.chunk.release()
	if p.chunk.enc != nil {
		p.file.Fail(errors.New("aborted")) // the encoder has buffers to give back, but nothing more to write
		p.chunk.enc.close()
	}
	p.file.Abort()
	return nil
}
