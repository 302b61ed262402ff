package dataset

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"pfgmgen/io/store"
)

// Names inside a dataset.
const (
	stateDir     = "_pfgmgen"
	planName     = stateDir + "/plan.json"
	manifestName = "manifest.json"
	cardName     = "README.md"
	successName  = "_SUCCESS"
	dataDir      = "data"
)

// maxPlan bounds a plan record in bytes.
const maxPlan = 16 << 20

// ErrPlace is wrapped by errors about a place that cannot or must not take a dataset.
var ErrPlace = errors.New("not a place for a dataset")

// ErrTaken is matched, besides, by errors about a place that holds something else: trying again will not change that.
var ErrTaken = errors.New("the place holds something else")

// taken is an error about what a place holds, in its own words.
type taken struct{ error }

func (t taken) Is(target error) bool { return target == ErrTaken }

// harmless are names that file systems and file managers leave in directories that people call empty.
var harmless = map[string]bool{"lost+found": true, ".DS_Store": true}

// CheckPlace says whether a dataset may be written to a place: one that is new or empty, or one that holds the plan of an
// earlier run (ours). It tries whether files can be made there and leaves nothing behind. Errors wrap [ErrPlace] and say
// what was found.
func CheckPlace(ctx context.Context, st store.Store) (ours bool, err error) {
	if st.String() == "" {
		return false, fmt.Errorf("dataset: the output place is empty: name a directory (%w)", ErrPlace)
	}
	if err := st.Probe(ctx); err != nil {
		return false, refuse(st, err)
	}
	switch _, err := st.Stat(ctx, planName); {
	case err == nil:
		return true, nil
	case !errors.Is(err, fs.ErrNotExist):
		return false, refuse(st, err)
	}
	files, err := st.List(ctx, "")
	if err != nil {
		return false, refuse(st, err)
	}
	folders, err := st.Folders(ctx)
	if err != nil {
		return false, refuse(st, err)
	}
	var found []string
	for _, f := range files {
		found = append(found, f.Name)
	}
	for _, name := range folders {
		if name == stateDir { // what an interrupted first write leaves
			inside, err := st.List(ctx, name)
			if err != nil {
				return false, refuse(st, err)
			}
			if len(inside) == 0 {
				continue
			}
		}
		found = append(found, name)
	}
	foreign := found[:0]
	for _, name := range found {
		if !harmless[name] {
			foreign = append(foreign, name)
		}
	}
	if len(foreign) > 0 {
		return false, refuse(st, taken{fmt.Errorf("it holds %s and no plan of ours; choose a new or empty directory", list(foreign))})
	}
	return false, nil
}

func refuse(st store.Store, why error) error {
	return fmt.Errorf("dataset: cannot write to %s: %w (%w)", st, why, ErrPlace)
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

// at is a file as errors name it.
func at(st store.Store, name string) string {
	place, parameters, isURL := strings.Cut(st.String(), "?")
	if isURL {
		parameters = "?" + parameters
	}
	return strings.TrimSuffix(place, "/") + "/" + name + parameters
}

// datasetError says that an error of the store was met here.
func datasetError(err error) error { return fmt.Errorf("dataset: %w", err) }

// WritePlan records the plan of a run, JSON of at most 16 MiB, in a place. This claims the place: it is the first thing a run
// writes. A place that is not ours and not empty is refused, and so is one whose plan is neither this one nor before, the
// one that it is to replace; nil is none. Replacing a plan takes _SUCCESS and the manifest away. first says that this call
// claimed the place: of several at once, one does.
func WritePlan(ctx context.Context, st store.Store, plan, before []byte) (first bool, err error) {
	if len(plan) > maxPlan || !json.Valid(plan) {
		return false, fmt.Errorf("dataset: the plan is not JSON of at most %d bytes", maxPlan)
	}
	ours, err := CheckPlace(ctx, st)
	if err != nil {
		return false, err
	}
	f, err := st.Create(planName)
	if err != nil {
		return false, datasetError(err)
	}
	defer f.Abort()
	f.Write(plan) // its error is kept and returned by the commit
	replace := false
	if ours && before != nil {
		there, err := ReadPlan(ctx, st)
		if err != nil {
			return false, err
		}
		replace = bytes.Equal(there, before)
	}
	if replace {
		err = f.Commit(ctx, func() error { return removeCommit(ctx, st) })
	} else {
		err = f.CommitNew(ctx)
	}
	if errors.Is(err, fs.ErrExist) {
		return false, refuse(st, taken{errors.New("a run with other settings has just begun there; choose another place")})
	}
	if err != nil {
		return false, datasetError(err)
	}
	if err := st.Sweep(ctx); err != nil {
		return false, datasetError(err)
	}
	return !replace && f.Made(), nil
}

// removeSuccess says that the files are no longer those of a finished run.
func removeSuccess(ctx context.Context, st store.Store) error {
	if err := st.Remove(ctx, successName); err != nil {
		return datasetError(err)
	}
	return nil
}

// removeCommit says that there is no finished dataset any more.
func removeCommit(ctx context.Context, st store.Store) error {
	if err := removeSuccess(ctx, st); err != nil {
		return err
	}
	if err := st.Remove(ctx, manifestName); err != nil {
		return datasetError(err)
	}
	return nil
}

// ReadPlan returns the plan record of a place, byte for byte as it was written. Without one the error wraps fs.ErrNotExist;
// one that is not JSON matches [ErrTaken].
func ReadPlan(ctx context.Context, st store.Store) ([]byte, error) {
	plan, err := readBounded(ctx, st, planName, maxPlan)
	if err != nil {
		return nil, err
	}
	if !json.Valid(plan) {
		return nil, taken{fmt.Errorf("dataset: %s: not JSON; the record of this run is damaged, choose a new directory", at(st, planName))}
	}
	return plan, nil
}

// write writes a small file in one go.
func write(ctx context.Context, st store.Store, name string, data []byte, before func() error) error {
	f, err := st.Create(name)
	if err != nil {
		return datasetError(err)
	}
	f.Write(data) // its error is kept and returned by Commit
	if err := f.Commit(ctx, before); err != nil {
		return datasetError(err)
	}
	return nil
}

// readBounded reads a file of at most max bytes.
func readBounded(ctx context.Context, st store.Store, name string, max int64) ([]byte, error) {
	f, err := st.Open(ctx, name)
	if err != nil {
		return nil, datasetError(err)
	}
	defer f.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(io.LimitReader(f, max+1)); err != nil {
		return nil, fmt.Errorf("dataset: %s: %w", at(st, name), err)
	}
	if int64(b.Len()) > max {
		return nil, fmt.Errorf("dataset: %s: more than %d bytes", at(st, name), max)
	}
	return b.Bytes(), nil
}
