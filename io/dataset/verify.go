package dataset

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"

	"pfgmgen/io/store"
)

// A Finding is one way in which a dataset is not what its manifest says.
type Finding struct {
	Path string `json:"path"` // relative to the dataset
	What string `json:"what"` // what was compared: sha256, rows, "column label: content", ...
	Want string `json:"want"` // what the manifest says
	Got  string `json:"got"`  // what the file has
}

// String says it in one line.
func (f Finding) String() string {
	return fmt.Sprintf("%s: %s: want %s, got %s", f.Path, f.What, f.Want, f.Got)
}

// VerifyParts reads every part and export of the dataset in a place and compares it with the manifest: presence, size and
// SHA-256 of the bytes, and for parts the rows, the columns, how many values are present in each, and their content,
// read back by xitongsys/parquet-go (Parquet) or Arrow's IPC reader. A part whose bytes are not those of the manifest is
// reported and not decoded. It also reports files in data/ that the manifest does not list, and a missing _SUCCESS. It
// goes on after a finding; the error is that of ctx, and then the findings are those so far.
func VerifyParts(ctx context.Context, st store.Store, m *Manifest) ([]Finding, error) {
	v := &verifier{st: st, m: m}
	if _, err := st.Stat(ctx, successName); err != nil {
		v.find(successName, "presence", "a file", cause(err).Error())
	}
	listed := make(map[string]bool)
	for _, p := range m.Parts {
		listed[p.Path] = true
		if err := ctx.Err(); err != nil {
			return v.findings, err
		}
		if len(p.Columns) == 0 {
			if err := v.columns(ctx, &p); err != nil {
				return v.findings, err
			}
		}
		if err := v.file(ctx, p.Path, p.Bytes, p.SHA256, func(path string) error { return v.part(ctx, p, path) }); err != nil {
			return v.findings, err
		}
	}
	for _, e := range m.Exports {
		if err := ctx.Err(); err != nil {
			return v.findings, err
		}
		if err := v.file(ctx, e.Path, e.Bytes, e.SHA256, nil); err != nil {
			return v.findings, err
		}
	}
	strays, err := unlisted(ctx, st, listed)
	if err != nil {
		v.find(dataDir, "reading the directory", "its files", err.Error())
	}
	for _, s := range strays {
		v.find(s, "being listed in the manifest", "yes", "no")
	}
	return v.findings, nil
}

type verifier struct {
	st       store.Store
	m        *Manifest
	findings []Finding
}

func (v *verifier) find(path, what, want, got string) {
	v.findings = append(v.findings, Finding{path, what, want, got})
}

func (v *verifier) findInt(path, what string, want, got int64) {
	if want != got {
		v.find(path, what, strconv.FormatInt(want, 10), strconv.FormatInt(got, 10))
	}
}

// columns takes what a part's columns hold from the record of its shard. The error is that of ctx.
func (v *verifier) columns(ctx context.Context, p *PartInfo) error {
	shard, err := shardOf(p.Path)
	if err != nil {
		v.find(p.Path, "name", "the number of a shard", err.Error())
		return nil
	}
	r, finding, err := readRecord(ctx, v.st, shard)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		v.find(recordPath(shard), "reading", "a record of shard "+strconv.Itoa(shard), err.Error())
	case finding != nil:
		v.findings = append(v.findings, *finding)
	case r.Part == nil || r.Part.SHA256 != p.SHA256 || len(r.Part.Columns) != len(v.m.Columns):
		v.find(recordPath(shard), "part", "the one of the manifest with its columns", "another")
	default:
		p.Columns = r.Part.Columns
	}
	return nil
}

// file compares a file with its size and hash, and when they are right, hands the path of a local copy to then. The error is
// that of ctx or then.
func (v *verifier) file(ctx context.Context, rel string, bytes int64, sum string, then func(path string) error) error {
	n, got, path, done, err := v.fetch(ctx, rel)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, fs.ErrNotExist):
		v.find(rel, "presence", "a file", "none")
		return nil
	case err != nil:
		v.find(rel, "reading", "a readable file", cause(err).Error())
		return nil
	}
	defer done()
	v.findInt(rel, "bytes", bytes, n)
	if got != sum {
		v.find(rel, "sha256", sum, got)
	}
	if n != bytes || got != sum || then == nil {
		return nil
	}
	return then(path)
}

// fetch hashes a local copy of a file.
func (v *verifier) fetch(ctx context.Context, rel string) (n int64, sum, path string, done func(), err error) {
	path, done, err = v.st.Local(ctx, rel)
	if err != nil {
		return 0, "", "", nil, err
	}
	f, err := os.Open(path)
	if err == nil {
		n, sum, err = store.Sum(f)
		f.Close()
	}
	if err != nil {
		done()
		return 0, "", "", nil, err
	}
	return n, sum, path, done, nil
}

func openPart(path, format string) (columnReader, error) {
	if format == Arrow {
		return asReader(openIPC(path))
	}
	return asReader(openParquet(path))
}

// asReader keeps a nil pointer from becoming an interface that is not nil.
func asReader[R columnReader](r R, err error) (columnReader, error) {
	if err != nil {
		return nil, err
	}
	return r, nil
}

// part compares what a part holds with the manifest. The error is that of ctx.
func (v *verifier) part(ctx context.Context, p PartInfo, path string) error {
	r, err := openPart(path, v.m.Format)
	if err != nil {
		v.find(p.Path, "opening", "a "+v.m.Format+" file", err.Error())
		return nil
	}
	defer r.close()
	v.findInt(p.Path, "rows", p.Rows, r.rows())
	v.findInt(p.Path, "number of columns", int64(len(p.Columns)), int64(len(r.columns())))
	if r.keyValues()["huggingface"] == "" {
		v.find(p.Path, "key huggingface in the footer", "features", "none")
	}
	var content int64
	for i, c := range r.columns() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if i >= len(p.Columns) {
			break
		}
		want := p.Columns[i]
		if c.name != want.Name {
			v.find(p.Path, fmt.Sprintf("name of column %d", i), want.Name, c.name)
			continue
		}
		sum := newContentSum(c.name)
		var rows, first, last int64
		err := r.read(i, func(row int64, val any) {
			rows++
			sum.addValue(val, c)
			if x, ok := val.(int64); ok && c.name == indexColumn {
				if row == 0 {
					first = x
				}
				last = x
			}
		})
		what := "column " + c.name
		if err != nil {
			v.find(p.Path, what, "readable values", err.Error())
			continue
		}
		got := sum.sum()
		content += sum.bytes
		v.findInt(p.Path, what+": rows", p.Rows, rows)
		v.findInt(p.Path, what+": values", want.NonNull, got.NonNull)
		if got.SHA256 != want.SHA256 {
			v.find(p.Path, what+": content", want.SHA256, got.SHA256)
		}
		if c.name == indexColumn {
			v.findInt(p.Path, "first index", p.FirstIndex, first)
			v.findInt(p.Path, "last index", p.LastIndex, last)
		}
	}
	v.findInt(p.Path, "content bytes", p.ContentBytes, content)
	return nil
}
