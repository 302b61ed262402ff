package dataset

import (
	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
)

// Limits of a chunk, the unit that goes to the encoder. A chunk ends where a row group ends, after chunkRows rows, or
// with the row that reaches chunkBytes of content: all functions of the rows alone.
const (
	chunkRows  = 1024
	chunkBytes = 1 << 20
)

// chunker regroups rows that come in batches of any size. It holds on to the batches of the unfinished chunk, in memory
// at most one chunk and the batches that its ends lie in.
type chunker struct {
	enc    encoder
	schema *arrow.Schema
	o      Options

	pending  []arrow.Record // slices of the unfinished chunk
	rows     int64          // in pending
	bytes    int64
	newGroup bool // the pending chunk begins one
	grows    int64
	gbytes   int64
}

// add takes the rows of rec, whose content lengths are sizes.
func (c *chunker) add(rec arrow.Record, sizes []int64) error {
	from := 0
	for i, size := range sizes {
		if c.grows > 0 && (c.grows == c.o.RowGroupRows || c.gbytes+size > c.o.RowGroupBytes) {
			if err := c.cut(rec, from, i); err != nil {
				return err
			}
			from = i
			c.newGroup, c.grows, c.gbytes = true, 0, 0
		}
		c.grows++
		c.gbytes += size
		c.rows++
		c.bytes += size
		if c.rows == chunkRows || c.bytes >= chunkBytes {
			if err := c.cut(rec, from, i+1); err != nil {
				return err
			}
			from = i + 1
		}
	}
	if from < len(sizes) {
		c.pending = append(c.pending, rec.NewSlice(int64(from), int64(len(sizes))))
	}
	return nil
}

// cut ends the chunk with rows from to to of rec, and writes it.
func (c *chunker) cut(rec arrow.Record, from, to int) error {
	if from < to {
		c.pending = append(c.pending, rec.NewSlice(int64(from), int64(to)))
	}
	return c.flush()
}

// flush writes the pending rows. They are always copied into one fresh array per column, also when they lie in one batch,
// so that offsets and bitmaps, and with them the bytes, do not depend on the batches.
func (c *chunker) flush() error {
	defer c.release()
	if len(c.pending) == 0 {
		return nil
	}
	cols := make([]arrow.Array, c.schema.NumFields())
	defer func() {
		for _, a := range cols {
			if a != nil {
				a.Release()
			}
		}
	}()
	parts := make([]arrow.Array, len(c.pending))
	for i := range cols {
		for j, p := range c.pending {
			parts[j] = p.Column(i)
		}
		var err error
		if cols[i], err = array.Concatenate(parts, c.o.Allocator); err != nil {
			return err
		}
	}
	rec := array.NewRecord(c.schema, cols, c.rows)
	defer rec.Release()
	err := c.enc.write(rec, c.newGroup)
	c.newGroup = false
	return err
}

func (c *chunker) release() {
	for _, p := range c.pending {
		p.Release()
	}
	c.pending, c.rows, c.bytes = nil, 0, 0
}
