package store

import (
	"context"
	"io"
	"time"
)

// A Store holds files under slash-separated names such as data/train-00000.parquet, in a directory or in a bucket. Every
// name stands for a whole file or for none. Errors about a file that is not there wrap fs.ErrNotExist; all of them name
// the file as the user knows it. A Store is safe for concurrent use.
type Store interface {
	// String is the place as the user wrote it.
	String() string
	// Create begins a file. Nothing is to be seen of it before File.Commit.
	Create(name string) (*File, error)
	// Open reads a file from its beginning.
	Open(ctx context.Context, name string) (io.ReadCloser, error)
	// Local gives the path of a file with the content of name for libraries that read at any offset. done must be called
	// when it is not needed any more.
	Local(ctx context.Context, name string) (path string, done func(), err error)
	// Stat describes a file.
	Stat(ctx context.Context, name string) (Info, error)
	// List describes the files directly in a folder, "" for the top, in the order of their names. What is unfinished is
	// not among them, and a folder that is not there has none.
	List(ctx context.Context, folder string) ([]Info, error)
	// Folders lists the folders directly at the top.
	Folders(ctx context.Context) ([]string, error)
	// Remove deletes a file. It is no error when there is none.
	Remove(ctx context.Context, name string) error
	// Probe says whether files can be made here, and leaves nothing behind.
	Probe(ctx context.Context) error
	// Sweep deletes what writers that are gone left unfinished.
	Sweep(ctx context.Context) error
	// Close gives back connections.
	Close() error
}

// Info describes a file of a Store.
type Info struct {
	Name     string // in the Store
	Size     int64  // bytes
	Modified time.Time
}
