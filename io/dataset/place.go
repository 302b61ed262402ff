package dataset

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Names inside a dataset.
const (
	stateDir     = "_pfgmgen"
	planName     = "plan.json"
	manifestName = "manifest.json"
	cardName     = "README.md"
	successName  = "_SUCCESS"
	dataDir      = "data"
)

// maxPlan bounds a plan record in bytes.
const maxPlan = 16 << 20

// ErrPlace is wrapped by errors about a place that cannot or must not take a dataset.
var ErrPlace = errors.New("not a place for a dataset")

// harmless are names that file systems and file managers leave in directories that people call empty.
var harmless = map[string]bool{"lost+found": true, ".DS_Store": true}

// CheckPlace says whether a dataset may be written to dir: a directory that is new or empty, or one that holds the plan
// of an earlier run (ours). It tries whether files can be made there and leaves nothing behind. Errors wrap
// [ErrPlace] and say what was found.
func CheckPlace(dir string) (ours bool, err error) {
	if dir == "" {
		return false, fmt.Errorf("dataset: the output place is empty: name a directory (%w)", ErrPlace)
	}
	st, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		if link, err := os.Lstat(dir); err == nil && link.Mode()&fs.ModeSymlink != 0 {
			return false, refuse(dir, errors.New("it is a link to something that does not exist"))
		}
		return false, checkWritable(existingParent(dir), dir)
	}
	if err != nil {
		return false, refuse(dir, cause(err))
	}
	if !st.IsDir() {
		return false, refuse(dir, errors.New("it is a file, want a directory"))
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false, refuse(dir, cause(err))
	}
	if plan, err := os.Lstat(filepath.Join(dir, stateDir, planName)); err == nil {
		if !plan.Mode().IsRegular() {
			return false, refuse(dir, fmt.Errorf("%s/%s is not a regular file", stateDir, planName))
		}
		return true, checkWritable(dir, dir)
	}
	var found []string
	for _, e := range entries {
		if harmless[e.Name()] || isTemp(e.Name()) || (e.Name() == stateDir && onlyTemps(filepath.Join(dir, stateDir))) {
			continue
		}
		found = append(found, e.Name())
	}
	if len(found) > 0 {
		return false, refuse(dir, fmt.Errorf("it holds %s and no plan of ours; choose a new or empty directory", list(found)))
	}
	return false, checkWritable(dir, dir)
}

func refuse(dir string, why error) error {
	return fmt.Errorf("dataset: cannot write to %s: %w (%w)", dir, why, ErrPlace)
}

// list names the first few of many.
func list(names []string) string {
	if len(names) <= 3 {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:3], ", "), len(names)-3)
}

// cause drops the path from an error whose path has been named already.
func cause(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// onlyTemps says whether a directory holds nothing but what an interrupted first write leaves.
func onlyTemps(dir string) bool {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	for _, e := range entries {
		if !isTemp(e.Name()) {
			return false
		}
	}
	return true
}

// existingParent is the nearest directory above path that exists.
func existingParent(path string) string {
	path, err := filepath.Abs(path)
	if err != nil {
		return "."
	}
	for {
		parent := filepath.Dir(path)
		if _, err := os.Stat(parent); err == nil || parent == path {
			return parent
		}
		path = parent
	}
}

// checkWritable makes and removes a file in at, on behalf of dir.
func checkWritable(at, dir string) error {
	f, err := os.CreateTemp(at, ".pfgmgen-probe-*"+tempSuffix)
	if err != nil {
		return refuse(dir, cause(err))
	}
	f.Close()
	if err := os.Remove(f.Name()); err != nil {
		return refuse(dir, cause(err))
	}
	return nil
}

// WritePlan records the plan of a run, JSON of at most 16 MiB, in dir, which it makes when needed. This claims the
// place: it is the first thing a run writes. A place that is not ours and not empty is refused. Replacing another plan
// takes _SUCCESS away.
func WritePlan(dir string, plan []byte) error {
	if len(plan) > maxPlan || !json.Valid(plan) {
		return fmt.Errorf("dataset: the plan is not JSON of at most %d bytes", maxPlan)
	}
	if _, err := CheckPlace(dir); err != nil {
		return err
	}
	if _, err := writeAtomic(filepath.Join(dir, stateDir, planName), plan, func() error { return removeSuccess(dir) }); err != nil {
		return err
	}
	return removeOrphans(dir)
}

// removeSuccess says that the files of dir are no longer those of a finished run.
func removeSuccess(dir string) error {
	path := filepath.Join(dir, successName)
	err := os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return pathError(path, err)
	}
	return syncDir(dir)
}

// ReadPlan returns the plan record of dir, byte for byte as it was written. Without one the error wraps fs.ErrNotExist.
func ReadPlan(dir string) ([]byte, error) {
	plan, err := readBounded(filepath.Join(dir, stateDir, planName), maxPlan)
	if err != nil {
		return nil, err
	}
	if !json.Valid(plan) {
		return nil, fmt.Errorf("dataset: %s: not JSON; the record of this run is damaged, choose a new directory", filepath.Join(dir, stateDir, planName))
	}
	return plan, nil
}

// readBounded reads a regular file of at most max bytes.
func readBounded(path string, max int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, pathError(path, err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, pathError(path, err)
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("dataset: %s: not a regular file", path)
	}
	var b bytes.Buffer
	if _, err := b.ReadFrom(io.LimitReader(f, max+1)); err != nil {
		return nil, pathError(path, err)
	}
	if int64(b.Len()) > max {
		return nil, fmt.Errorf("dataset: %s: more than %d bytes", path, max)
	}
	return b.Bytes(), nil
}
