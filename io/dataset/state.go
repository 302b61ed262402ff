package dataset

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"sync"

	"golang.org/x/sync/errgroup"

	"pfgmgen/io/store"
)

// RecordVersion is the version of the records that this package writes and reads.
const RecordVersion = 1

// A ShardRecord says that a shard is finished, and is written when it is: its files are durable before. The records are
// the journal of a run. Nothing else decides what is left to do, and the manifest is made of them.
type ShardRecord struct {
	Version      int        `json:"record_version"` // 1
	Shard        int        `json:"shard"`
	RecipeSHA256 string     `json:"recipe_sha256"` // of the plan without its number of samples, hex
	First        int64      `json:"first_index"`   // of its samples
	Samples      int64      `json:"samples"`
	Part         *PartInfo  `json:"part,omitempty"` // none when no sample became a row
	Exports      []FileInfo `json:"exports,omitempty"`
	Keys         *FileInfo  `json:"keys,omitempty"` // 8 bytes for each row, little endian: equal for equal content
	Counts       Counts     `json:"counts"`
}

// maxRecord bounds a shard record in bytes, maxKeys the keys of a shard.
const (
	maxRecord = 4 << 20
	maxKeys   = 8 * 50_000_000
)

var recordName = regexp.MustCompile(`^` + stateDir + `/shard-([0-9]{5})\.json$`)

func recordPath(shard int) string { return fmt.Sprintf("%s/shard-%05d.json", stateDir, shard) }
func keysPath(shard int) string   { return fmt.Sprintf("%s/shard-%05d.keys", stateDir, shard) }

// WriteKeys writes the keys of a shard's rows for its record. Without any the result is nil.
func WriteKeys(ctx context.Context, st store.Store, shard int, keys []uint64) (*FileInfo, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	f, err := st.Create(keysPath(shard))
	if err != nil {
		return nil, datasetError(err)
	}
	for chunk := range slices.Chunk(keys, 4096) {
		b := make([]byte, 0, 8*len(chunk))
		for _, k := range chunk {
			b = binary.LittleEndian.AppendUint64(b, k)
		}
		f.Write(b) // its error is kept and returned by Commit
	}
	if err := f.Commit(ctx, nil); err != nil {
		return nil, datasetError(err)
	}
	return &FileInfo{Path: keysPath(shard), Bytes: f.Size(), SHA256: f.SHA256()}, nil
}

// ReadKeys reads the keys of a record, none when it has none.
func ReadKeys(ctx context.Context, st store.Store, r ShardRecord) ([]uint64, error) {
	if r.Keys == nil {
		return nil, nil
	}
	data, err := readBounded(ctx, st, r.Keys.Path, maxKeys)
	if err != nil {
		return nil, err
	}
	if int64(len(data)) != r.Keys.Bytes || len(data)%8 != 0 {
		return nil, fmt.Errorf("dataset: %s has %d bytes, the shard's record says %d; run the same command again to make it anew", at(st, r.Keys.Path), len(data), r.Keys.Bytes)
	}
	keys := make([]uint64, len(data)/8)
	for i := range keys {
		keys[i] = binary.LittleEndian.Uint64(data[8*i:])
	}
	return keys, nil
}

// WriteRecord says that a shard is finished.
func WriteRecord(ctx context.Context, st store.Store, r ShardRecord) error {
	r.Version = RecordVersion
	if err := r.check(); err != nil {
		return fmt.Errorf("dataset: record of shard %d: %w", r.Shard, err)
	}
	data, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("dataset: record of shard %d: %w", r.Shard, err)
	}
	return write(ctx, st, recordPath(r.Shard), append(data, '\n'), nil)
}

// HasRecord says whether a shard has a record, of which nothing is read.
func HasRecord(ctx context.Context, st store.Store, shard int) (bool, error) {
	switch _, err := st.Stat(ctx, recordPath(shard)); {
	case err == nil:
		return true, nil
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	default:
		return false, datasetError(err)
	}
}

// RemoveRecord says that a shard is not finished.
func RemoveRecord(ctx context.Context, st store.Store, shard int) error {
	if err := st.Remove(ctx, recordPath(shard)); err != nil {
		return datasetError(err)
	}
	return nil
}

func (r *ShardRecord) check() error {
	switch {
	case r.Version != RecordVersion:
		return fmt.Errorf("record_version is %d, this program knows %d", r.Version, RecordVersion)
	case r.Shard < 0 || r.Shard >= maxParts || r.First < 0 || r.Samples < 1:
		return fmt.Errorf("shard %d of %d samples from %d on: want 0 to %d, at least one sample, from 0 on", r.Shard, r.Samples, r.First, maxParts-1)
	case !sha256Hex.MatchString(r.RecipeSHA256):
		return fmt.Errorf("recipe_sha256 is %q, want 64 hex digits", clip(r.RecipeSHA256))
	case r.Part == nil && r.Counts.Written != 0, r.Part != nil && (r.Counts.Written != r.Part.Rows || r.Part.Rows < 1):
		return fmt.Errorf("%d rows were written, the part has another number", r.Counts.Written)
	}
	for _, f := range r.files() {
		own := r.Keys != nil && f == *r.Keys && f.Path == keysPath(r.Shard)
		if !own && !safePath(f.Path) || f.Bytes < 0 || !sha256Hex.MatchString(f.SHA256) {
			return fmt.Errorf("file %q of %d bytes, sha256 %q: want a relative path, a size and 64 hex digits", clip(f.Path), f.Bytes, clip(f.SHA256))
		}
	}
	return nil
}

// files are all files of the shard.
func (r *ShardRecord) files() []FileInfo {
	var list []FileInfo
	if r.Part != nil {
		list = append(list, FileInfo{r.Part.Path, r.Part.Bytes, r.Part.SHA256})
	}
	list = append(list, r.Exports...)
	if r.Keys != nil {
		list = append(list, *r.Keys)
	}
	return list
}

// A Check is how closely ReadState looks at the files of finished shards.
type Check string

// Ways to look at files.
const (
	CheckHash Check = "hash" // read them all and compare their SHA-256
	CheckSize Check = "size" // compare their sizes
)

// A State is what a place holds of a run.
type State struct {
	Records  []ShardRecord  // of the finished shards, in order
	Findings []ShardFinding // why shards that have a record are not finished, by shard
}

// A ShardFinding is a reason to make a shard again.
type ShardFinding struct {
	Shard int
	Finding
	Grown bool // nothing is wrong: the shard was the last one of a smaller dataset
}

// Files at a time: most of the time passes in waiting for an object store, and hashing keeps cores busy.
const (
	readsAtOnce  = 32
	hashesAtOnce = 4
)

// ReadState reads the records of the shards of a run and looks at their files. A shard whose record cannot be read or is
// of another recipe, that has other samples than span says, or of which a file is missing or not as recorded, is not
// finished. Records of shards that span does not know are left alone. With more than ManyParts shards the records come
// without the columns of their parts, to save memory.
func ReadState(ctx context.Context, st store.Store, recipe string, span func(shard int) (first, samples int64, ok bool), check Check) (*State, error) {
	names, err := st.List(ctx, stateDir)
	if err != nil {
		return nil, datasetError(err)
	}
	sizes, err := listSizes(ctx, st, names)
	if err != nil {
		return nil, err
	}
	many := len(names) > 2*ManyParts // a record and keys for each shard
	state := new(State)
	var mu sync.Mutex
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(readsAtOnce)
	hashing := make(chan struct{}, hashesAtOnce)
	for _, f := range names {
		match := recordName.FindStringSubmatch(f.Name)
		if match == nil {
			continue
		}
		shard, err := strconv.Atoi(match[1])
		if err != nil {
			return nil, fmt.Errorf("dataset: %s: %w", f.Name, err)
		}
		first, samples, ok := span(shard)
		if !ok {
			continue
		}
		g.Go(func() error {
			r, finding, err := readRecord(gctx, st, shard)
			grown := err == nil && finding == nil && r.RecipeSHA256 == recipe && r.First == first && r.Samples < samples
			if err == nil && finding == nil {
				finding = r.differs(recipe, first, samples)
			}
			if err == nil && finding == nil {
				finding, err = checkShard(gctx, st, r, sizes, check, hashing)
			}
			if err != nil {
				return err
			}
			if finding == nil && many && r.Part != nil {
				r.Part.Columns = nil
			}
			mu.Lock()
			defer mu.Unlock()
			if finding != nil {
				state.Findings = append(state.Findings, ShardFinding{shard, *finding, grown})
				return nil
			}
			state.Records = append(state.Records, *r)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	slices.SortFunc(state.Records, func(a, b ShardRecord) int { return cmp.Compare(a.Shard, b.Shard) })
	slices.SortFunc(state.Findings, func(a, b ShardFinding) int { return cmp.Compare(a.Shard, b.Shard) })
	return state, nil
}

// listSizes are the sizes of all files in the folders of a dataset.
func listSizes(ctx context.Context, st store.Store, state []store.Info) (map[string]int64, error) {
	sizes := make(map[string]int64)
	for _, f := range state {
		sizes[f.Name] = f.Size
	}
	folders, err := st.Folders(ctx)
	if err != nil {
		return nil, datasetError(err)
	}
	for _, folder := range folders {
		if folder == stateDir {
			continue
		}
		files, err := st.List(ctx, folder)
		if err != nil {
			return nil, datasetError(err)
		}
		for _, f := range files {
			sizes[f.Name] = f.Size
		}
	}
	return sizes, nil
}

// readRecord reads a record, or says what is wrong with it.
func readRecord(ctx context.Context, st store.Store, shard int) (*ShardRecord, *Finding, error) {
	path := recordPath(shard)
	data, err := readBounded(ctx, st, path, maxRecord)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &Finding{path, "presence", "a file", "none"}, nil
	}
	if err != nil {
		return nil, nil, err
	}
	var r ShardRecord
	dec := json.NewDecoder(bytes.NewReader(data))
	err = dec.Decode(&r)
	if err == nil {
		if _, more := dec.Token(); more != io.EOF {
			err = errors.New("something follows the JSON object")
		}
	}
	if err == nil {
		err = r.check()
	}
	if err == nil && r.Shard != shard {
		err = fmt.Errorf("it is the record of shard %d", r.Shard)
	}
	if err != nil {
		return nil, &Finding{path, "content", "a record of shard " + strconv.Itoa(shard), err.Error()}, nil
	}
	return &r, nil, nil
}

// differs says whether a record is of another run or covers other samples.
func (r *ShardRecord) differs(recipe string, first, samples int64) *Finding {
	path := recordPath(r.Shard)
	if r.RecipeSHA256 != recipe {
		return &Finding{path, "recipe_sha256", recipe, r.RecipeSHA256}
	}
	if r.First != first || r.Samples != samples {
		return &Finding{path, "samples", fmt.Sprintf("%d from %d on", samples, first), fmt.Sprintf("%d from %d on", r.Samples, r.First)}
	}
	return nil
}

// checkShard looks at the files of a shard.
func checkShard(ctx context.Context, st store.Store, r *ShardRecord, sizes map[string]int64, check Check, hashing chan struct{}) (*Finding, error) {
	for _, f := range r.files() {
		switch size, ok := sizes[f.Path]; {
		case !ok:
			return &Finding{f.Path, "presence", "a file", "none"}, nil
		case size != f.Bytes:
			return &Finding{f.Path, "bytes", strconv.FormatInt(f.Bytes, 10), strconv.FormatInt(size, 10)}, nil
		}
	}
	if check != CheckHash {
		return nil, nil
	}
	for _, f := range r.files() {
		sum, err := hashOf(ctx, st, f.Path, hashing)
		if errors.Is(err, fs.ErrNotExist) {
			return &Finding{f.Path, "presence", "a file", "none"}, nil
		}
		if err != nil {
			return nil, err
		}
		if sum != f.SHA256 {
			return &Finding{f.Path, "sha256", f.SHA256, sum}, nil
		}
	}
	return nil, nil
}

func hashOf(ctx context.Context, st store.Store, name string, hashing chan struct{}) (string, error) {
	select {
	case hashing <- struct{}{}:
		defer func() { <-hashing }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	f, err := st.Open(ctx, name)
	if err != nil {
		return "", datasetError(err)
	}
	defer f.Close()
	_, sum, err := store.Sum(f)
	if err != nil {
		return "", fmt.Errorf("dataset: %s: %w", at(st, name), err)
	}
	return sum, nil
}

// aboutName is a note of the caller beside the plan.
const aboutName = stateDir + "/about.json"

// WriteAbout keeps what a run needs to be finalized without its model: JSON of at most 16 MiB. It is written once: when
// there is one already, that one stays, so that everybody who finalizes writes the same.
func WriteAbout(ctx context.Context, st store.Store, data []byte) error {
	if len(data) > maxPlan || !json.Valid(data) {
		return fmt.Errorf("dataset: what to keep about the run is not JSON of at most %d bytes", maxPlan)
	}
	if _, err := st.Stat(ctx, aboutName); err == nil {
		return nil
	}
	f, err := st.Create(aboutName)
	if err != nil {
		return datasetError(err)
	}
	f.Write(data) // its error is kept and returned by CommitNew
	if err := f.CommitNew(ctx); err != nil && !errors.Is(err, fs.ErrExist) {
		return datasetError(err)
	}
	return nil
}

// ReadAbout reads what WriteAbout wrote. Without one the error wraps fs.ErrNotExist.
func ReadAbout(ctx context.Context, st store.Store) ([]byte, error) {
	return readBounded(ctx, st, aboutName, maxPlan)
}

// Strays are the files in the folders of a dataset, those of its exports among them, that belong to no finished shard:
// unlisted parts and exports, records that cannot be used, and keys without a record.
func (s *State) Strays(ctx context.Context, st store.Store, exports ...string) ([]string, error) {
	known := map[string]bool{planName: true, aboutName: true}
	for _, r := range s.Records {
		known[recordPath(r.Shard)] = true
		for _, f := range r.files() {
			known[f.Path] = true
		}
	}
	var strays []string
	for _, folder := range append([]string{stateDir, dataDir}, exports...) {
		files, err := st.List(ctx, folder)
		if err != nil {
			return nil, datasetError(err)
		}
		for _, f := range files {
			if !known[f.Name] {
				strays = append(strays, f.Name)
			}
		}
	}
	return strays, nil
}

var partNumber = regexp.MustCompile(`-([0-9]{5})\.[a-z]+$`)

// shardOf is the shard of a part.
func shardOf(path string) (int, error) {
	m := partNumber.FindStringSubmatch(path)
	if m == nil {
		return 0, fmt.Errorf("%q does not end in five digits and an extension", clip(path))
	}
	return strconv.Atoi(m[1])
}
