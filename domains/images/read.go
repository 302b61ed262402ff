package images

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Bounds on what is read: the values of all pictures together, as they are kept, and their number.
const (
	maxBytes   = 2 << 30
	maxRecords = 1 << 24
)

// A record is one picture as read.
type record struct {
	picture
	id    string // what a split table calls it
	class string // empty when the input names none
	split string // train, valid, test, or empty when the input has none
}

// An input is what the data files hold together.
type input struct {
	ctx     context.Context
	sum     hash.Hash // over the bytes of all files, in the order in which they are read
	options options

	records []record
	bytes   int
	order   []string // classes that have a number in the data, in that order
	sources []string // one phrase per file
	notes   []string
	seen    map[string]bool // paths that have been read
}

func (in *input) note(format string, args ...any) {
	in.notes = append(in.notes, fmt.Sprintf(format, args...))
}

// source says what was read, for people.
func (in *input) source(path, format string, before int) {
	in.sources = append(in.sources, fmt.Sprintf("%s (%s, %d pictures)", filepath.Base(path), format, len(in.records)-before))
}

// add keeps one record, resized when the options say so. where names it in errors.
func (in *input) add(where string, r record) error {
	if in.options.size > 0 {
		r.picture = r.picture.resized(in.options.size)
	}
	if r.height > maxSide || r.width > maxSide || r.height < minSide || r.width < minSide {
		return fmt.Errorf("images: %s: %d x %d pixels, want %d to %d on each side; set size=64 or another size to resize",
			where, r.width, r.height, minSide, maxSide)
	}
	if in.bytes += len(r.pix); in.bytes > maxBytes || len(in.records) == maxRecords {
		return fmt.Errorf("images: %s: too much data: over %d bytes of pixels or %d pictures; set a smaller size", where, maxBytes, maxRecords)
	}
	in.records = append(in.records, r)
	return nil
}

// readPath adds the records of a file or folder. The format of a file is seen from its first bytes.
func (in *input) readPath(path string) error {
	st, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("images: %w", err)
	}
	if st.IsDir() {
		return in.readFolder(path)
	}
	if in.seen[filepath.Clean(path)] {
		return nil // labels or a test part that came with its pictures
	}
	head, err := sight(path)
	switch begins := func(magic string) bool { return bytes.HasPrefix(head, []byte(magic)) }; {
	case err != nil:
		return fmt.Errorf("images: %s: %w", path, err)
	case len(head) == 0:
		return fmt.Errorf("images: %s: the file is empty", path)
	case begins("PK\x03\x04"):
		return in.readZip(path)
	case begins("PAR1"):
		return in.readParquet(path)
	case begins("\x93NUMPY"):
		return fmt.Errorf("images: %s: one array; save pictures and labels together with numpy.savez", path)
	case isPicture(head):
		return in.readSingle(path)
	case begins("\x00\x00\x08"):
		return in.readIDX(path)
	}
	if labels := cifarLabels(path, st.Size()); labels > 0 {
		return in.readCIFAR(path, labels)
	}
	return fmt.Errorf("images: %s: neither PNG, JPEG, IDX, CIFAR binary, a ZIP or npz archive nor Parquet; it begins with %.16q", path, head)
}

// sight is the beginning of a file, decompressed when it is gzip.
func sight(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head := make([]byte, 16)
	n, err := io.ReadFull(f, head)
	if err != nil && err != io.ErrUnexpectedEOF && err != io.EOF {
		return nil, err
	}
	if head = head[:n]; !bytes.HasPrefix(head, []byte{0x1f, 0x8b}) {
		return head, nil
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("begins like gzip but is not: %w", err)
	}
	head = make([]byte, 16)
	if n, err = io.ReadFull(z, head); err != nil && err != io.ErrUnexpectedEOF && err != io.EOF {
		return nil, err
	}
	return head[:n], nil
}

// readFolder adds what a folder holds: files of whole sets by their names when there are any, else the pictures below.
func (in *input) readFolder(path string) error {
	entries, err := os.ReadDir(path)
	if err != nil {
		return fmt.Errorf("images: %w", err)
	}
	found := false
	for _, set := range []func(name string) bool{isIDXImages, isCIFAR, isParquet} {
		for _, e := range entries { // sorted by name
			full := filepath.Join(path, e.Name())
			if e.IsDir() || !set(e.Name()) {
				continue
			}
			found = true
			if err := in.readPath(full); err != nil {
				return err
			}
		}
		if found {
			return nil
		}
	}
	if slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.IsDir() && e.Name() == "data" }) {
		// A dataset as pfgmgen and the Hugging Face hub lay it out: Parquet parts in data.
		if parts, err := filepath.Glob(filepath.Join(path, "data", "*.parquet")); err == nil && len(parts) > 0 {
			return in.readFolder(filepath.Join(path, "data"))
		}
	}
	return in.readTree(&tree{fsys: os.DirFS(path), path: path, open: func(name string) (io.ReadCloser, error) {
		return in.open(filepath.Join(path, filepath.FromSlash(name)))
	}})
}

// readSingle adds one picture file. It has no class.
func (in *input) readSingle(path string) error {
	f, err := in.open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	p, err := readPicture(f)
	if err != nil {
		return fmt.Errorf("images: %s: %w", path, err)
	}
	if err := in.add(path, record{picture: p, id: filepath.Base(path)}); err != nil {
		return err
	}
	in.sources = append(in.sources, filepath.Base(path))
	return nil
}

// open opens a file of the data; what is read from it goes into the hash.
func (in *input) open(path string) (io.ReadCloser, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("images: %w", err)
	}
	in.seen[filepath.Clean(path)] = true
	return &hashedFile{f, in}, nil
}

// A hashedFile adds to the hash what is read, and stops when the context does.
type hashedFile struct {
	file *os.File
	in   *input
}

func (f *hashedFile) Read(b []byte) (int, error) {
	if err := f.in.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := f.file.Read(b)
	f.in.sum.Write(b[:n])
	return n, err
}

func (f *hashedFile) Close() error { return f.file.Close() }

// openAt opens a file that is read in any order, after its bytes went into the hash.
func (in *input) openAt(path string) (f *os.File, size int64, err error) {
	h, err := in.open(path)
	if err != nil {
		return nil, 0, err
	}
	f = h.(*hashedFile).file
	if size, err = io.Copy(io.Discard, h); err != nil {
		f.Close()
		return nil, 0, fmt.Errorf("images: %s: %w", path, err)
	}
	return f, size, nil
}

// filePart is the part that the name of a file says, by the word before its first dash, underscore or dot.
func filePart(path string) string {
	base := filepath.Base(path)
	if i := strings.IndexAny(base, "-_."); i >= 0 {
		base = base[:i]
	}
	return partName(base)
}
