package dataset

import (
	"io"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/ipc"
)

// ipcEncoder writes the Arrow IPC file format, one record batch per chunk, uncompressed so that it can be mapped.
type ipcEncoder struct{ w *ipc.FileWriter }

func newIPCEncoder(w io.WriteSeeker, schema *arrow.Schema, o Options) (*ipcEncoder, error) {
	fw, err := ipc.NewFileWriter(w, ipc.WithSchema(schema), ipc.WithAllocator(o.Allocator))
	return &ipcEncoder{fw}, err
}

func (e *ipcEncoder) write(rec arrow.Record, _ bool) error {
	return guard(func() error { return e.w.Write(rec) })
}

func (e *ipcEncoder) close() error { return guard(e.w.Close) }
