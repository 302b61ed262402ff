package dataset

import (
	"fmt"
	"regexp"

	"github.com/apache/arrow/go/v15/arrow/memory"
)

// Formats of the parts.
const (
	Parquet = "parquet"
	Arrow   = "arrow"
)

// Options say how parts are written. The zero value is Parquet with the default sizes. The strings go into the footer
// of every part, so that a part that was copied alone still says where it comes from; empty ones are left out.
type Options struct {
	Format string // Parquet (default) or Arrow
	Split  string // first word of the part names, "train" by default

	RunID       string // pfgmgen.run_id
	SpecSHA256  string // pfgmgen.spec_sha256, of the plan
	ModelSHA256 string // pfgmgen.model_sha256
	Seed        string // pfgmgen.seed, decimal
	Version     string // pfgmgen.version; of the format's meaning, not of a build, or equal runs of two builds differ

	RowGroupBytes int64 // content per row group, 64 MiB by default; one row may exceed it
	RowGroupRows  int64 // rows per row group, 1,048,576 by default and at most

	Allocator memory.Allocator // for the Arrow memory of unfinished chunks; the Go heap by default
}

var splitName = regexp.MustCompile(`^[a-z][a-z0-9]{0,31}$`)

const (
	defaultRowGroupBytes = 64 << 20
	maxRowGroupRows      = 1 << 20
)

// withDefaults fills in what is zero and refuses what makes no sense.
func (o Options) withDefaults() (Options, error) {
	if o.Format == "" {
		o.Format = Parquet
	}
	if o.Format != Parquet && o.Format != Arrow {
		return o, fmt.Errorf("dataset: format %q: want %q or %q", o.Format, Parquet, Arrow)
	}
	if o.Split == "" {
		o.Split = "train"
	}
	if !splitName.MatchString(o.Split) {
		return o, fmt.Errorf("dataset: split %q: want lower-case letters and digits, such as train", o.Split)
	}
	if o.RowGroupBytes == 0 {
		o.RowGroupBytes = defaultRowGroupBytes
	}
	if o.RowGroupRows == 0 {
		o.RowGroupRows = maxRowGroupRows
	}
	if o.RowGroupBytes < 0 || o.RowGroupBytes > 1<<30 || o.RowGroupRows < 1 || o.RowGroupRows > maxRowGroupRows {
		return o, fmt.Errorf("dataset: row groups of %d bytes and %d rows: want 1 to %d bytes and 1 to %d rows",
			o.RowGroupBytes, o.RowGroupRows, 1<<30, maxRowGroupRows)
	}
	if o.Allocator == nil {
		o.Allocator = memory.NewGoAllocator()
	}
	return o, nil
}
