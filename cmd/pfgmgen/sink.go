package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow/go/v15/arrow"

	"pfgmgen/io/dataset"
	"pfgmgen/pipeline"
)

// A sink writes the shards of a run as the parts of a dataset.
type sink struct {
	place place
	w     *dataset.Writer
}

var (
	_ pipeline.Sink  = (*sink)(nil)
	_ pipeline.Sized = (*shard)(nil)
)

func (s *sink) Shard(index int) (pipeline.Shard, error) {
	part, err := s.w.Part(index)
	if err != nil {
		return nil, err
	}
	return &shard{sink: s, part: part, index: index}, nil
}

// A shard is one part and its exports.
type shard struct {
	sink    *sink
	part    *dataset.Part
	index   int
	exports []export
	bytes   int64 // of the part and the exports, once they are committed
}

type export struct {
	text   *dataset.Text
	buffer *bufio.Writer
}

func (s *shard) Write(rec arrow.Record) error { return s.part.Write(rec) }

func (s *shard) Export(format string) (io.Writer, error) {
	text, err := s.sink.w.Text(fmt.Sprintf("%s/train-%05d.%s", format, s.index, format))
	if err != nil {
		return nil, err
	}
	x := export{text, bufio.NewWriterSize(text, 1<<16)}
	s.exports = append(s.exports, x)
	return x.buffer, nil
}

// Commit publishes the exports, the part, the keys, and last the record, which is what says that the shard is finished.
func (s *shard) Commit(ctx context.Context, o pipeline.Outcome) error {
	p := s.sink.place
	first, end := p.plan.Span(s.index)
	record := dataset.ShardRecord{Shard: s.index, RecipeSHA256: p.plan.RecipeSHA256(), First: first, Samples: end - first, Counts: countsOf(o)}
	for _, x := range s.exports {
		if err := x.buffer.Flush(); err != nil {
			return err
		}
		info, err := x.text.Commit(ctx)
		if err != nil {
			return err
		}
		record.Exports = append(record.Exports, info)
		s.bytes += info.Bytes
	}
	switch part, err := s.part.Commit(ctx); {
	case errors.Is(err, dataset.ErrNoRows): // every sample of the shard was dropped
	case err != nil:
		return err
	default:
		record.Part = &part
		s.bytes += part.Bytes
	}
	var err error
	if record.Keys, err = dataset.WriteKeys(ctx, p.st, s.index, o.Keys); err != nil {
		return err
	}
	return dataset.WriteRecord(ctx, p.st, record)
}

// Bytes implements pipeline.Sized.
func (s *shard) Bytes() int64 { return s.bytes }

func (s *shard) Abort() error {
	errs := []error{s.part.Abort()}
	for _, x := range s.exports {
		errs = append(errs, x.text.Abort())
	}
	return errors.Join(errs...)
}
