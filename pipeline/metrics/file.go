package metrics

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// A File is rewritten now and then with the metrics in Prometheus' text format. Readers see a whole file at any time.
type File struct {
	m    *Metrics
	path string
	stop chan struct{}
	over chan struct{} // closed when nothing is written any more
}

// WriteFile writes the file at once and then every so often, until it is closed. failed is told when it could not be
// rewritten, once for a row of failures; it is called from another goroutine.
func (m *Metrics) WriteFile(path string, every time.Duration, failed func(error)) (*File, error) {
	f := &File{m: m, path: path, stop: make(chan struct{}), over: make(chan struct{})}
	if err := f.write(); err != nil {
		return nil, err
	}
	go f.rewrite(every, failed)
	return f, nil
}

func (f *File) rewrite(every time.Duration, failed func(error)) {
	defer close(f.over)
	tick := time.NewTicker(every)
	defer tick.Stop()
	fine := true
	for {
		select {
		case <-tick.C:
		case <-f.stop:
			return
		}
		err := f.write()
		if err != nil && fine {
			failed(err)
		}
		fine = err == nil
	}
}

// Close writes the file for the last time.
func (f *File) Close() error {
	close(f.stop)
	<-f.over
	return f.write()
}

// write replaces the file by renaming one beside it.
func (f *File) write() error {
	if info, err := os.Stat(f.path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("metrics: write %s: it is not a regular file; choose the name of a file", f.path)
	}
	err := prometheus.WriteToTextfile(f.path, f.m.registry)
	if err == nil {
		return nil
	}
	// The user knows the file, not its temporary name.
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	var le *os.LinkError
	if errors.As(err, &le) {
		err = le.Err
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("metrics: write %s: the directory %s is not there; create it, or choose another file", f.path, filepath.Dir(f.path))
	}
	return fmt.Errorf("metrics: write %s: %w; make room and see that the directory can be written to, or choose another file", f.path, err)
}
