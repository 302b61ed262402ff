//go:build !windows

package store

import (
	"os"
	"sync"
	"testing"
)

// Tasks of an array begin in one place in the same moment: what one sweeps, another has just created.
func TestSweepSparesWhatIsBeingCreated(t *testing.T) {
	d := Dir(t.TempDir())
	var wg sync.WaitGroup
	done := make(chan struct{})
	for range 3 {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if err := d.Sweep(t.Context()); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 1000 {
		if err := d.Probe(t.Context()); err != nil {
			t.Errorf("probe: %v", err)
			break
		}
		f, err := d.Create("a/b")
		if err != nil {
			t.Error(err)
			break
		}
		// What a commit would rename. Commits themselves wait for the disk, too long for so many.
		if _, err := os.Lstat(f.temp.Name()); err != nil {
			t.Errorf("a file that is being written: %v", err)
		}
		f.Abort()
	}
	close(done)
	wg.Wait()
}
