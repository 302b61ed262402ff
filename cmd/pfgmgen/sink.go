package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow/go/v15/arrow"

	"pfgmgen/io/dataset"
	"pfgmgen/pipeline"
)

// A sink writes the shards of a run as the parts of a dataset.
type sink struct{ w *dataset.Writer }

var (
	_ pipeline.Sink  = (*sink)(nil)
	_ pipeline.Sized = (*shard)(nil)
)

func (s *sink) Shard(index, of int) (pipeline.Shard, error) {
	part, err := s.w.Part(index, of)
	if err != nil {
		return nil, err
	}
	return &shard{w: s.w, part: part, index: index, of: of}, nil
}

// A shard is one part and its exports.
type shard struct {
	w         *dataset.Writer
	part      *dataset.Part
	index, of int
	exports   []export
	bytes     int64 // of the files, once they are committed
}

type export struct {
	text   *dataset.Text
	buffer *bufio.Writer
}

func (s *shard) Write(rec arrow.Record) error { return s.part.Write(rec) }

func (s *shard) Export(format string) (io.Writer, error) {
	text, err := s.w.Text(fmt.Sprintf("%s/train-%05d-of-%05d.%s", format, s.index, s.of, format))
	if err != nil {
		return nil, err
	}
	x := export{text, bufio.NewWriterSize(text, 1<<16)}
	s.exports = append(s.exports, x)
	return x.buffer, nil
}

// Commit gives the exports their names first: the part is what says that the shard is there.
func (s *shard) Commit() error {
	for _, x := range s.exports {
		if err := x.buffer.Flush(); err != nil {
			return err
		}
		info, err := x.text.Commit()
		if err != nil {
			return err
		}
		s.bytes += info.Bytes
	}
	info, err := s.part.Commit()
	if errors.Is(err, dataset.ErrNoRows) {
		return nil // every sample of the shard was dropped
	}
	s.bytes += info.Bytes
	return err
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
