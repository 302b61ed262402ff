package images

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"pfgmgen/io/npy"
)

// Bounds on a folder or archive of picture files.
const (
	maxDepth  = 16       // folders in each other
	maxLabels = 64 << 20 // bytes of dataset.json
)

// A tree is a folder or an archive of picture files.
type tree struct {
	fsys fs.FS
	path string // for errors
	open func(name string) (io.ReadCloser, error)
}

// readZip adds an archive: npz when its first entry is an array, else picture files.
func (in *input) readZip(name string) error {
	f, size, err := in.openAt(name)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := zip.NewReader(f, size)
	if err != nil {
		return fmt.Errorf("images: %s: %w", name, err)
	}
	if len(z.File) > 0 && path.Ext(z.File[0].Name) == ".npy" {
		a, err := npy.NewArchive(f, size)
		if err != nil {
			return fmt.Errorf("images: %s: %w", name, err)
		}
		return in.readArrays(a, name)
	}
	return in.readTree(&tree{fsys: z, path: name, open: func(entry string) (io.ReadCloser, error) { return z.Open(entry) }})
}

// readTree adds the PNG and JPEG files below a folder, in the order of their names. With a dataset.json, as EDM and
// StyleGAN write it, that says the classes; otherwise the first folder of a path is the class, behind one called train,
// val or test when all pictures lie in such folders.
func (in *input) readTree(t *tree) error {
	names, others, err := t.pictures(in)
	if err != nil {
		return fmt.Errorf("images: %s: %w", t.path, err)
	}
	if len(names) == 0 {
		return fmt.Errorf("images: %s: no PNG or JPEG file, and no set of pictures in another form that is read", t.path)
	}
	labels, err := t.labels()
	if err != nil {
		return fmt.Errorf("images: %s: dataset.json: %w", t.path, err)
	}
	parted := true
	for _, name := range names {
		first, _, deeper := strings.Cut(name, "/")
		parted = parted && deeper && partName(first) != ""
	}
	before := len(in.records)
	for _, name := range names {
		r := record{id: name}
		rest := name
		if parted {
			first, behind, _ := strings.Cut(name, "/")
			r.split, rest = partName(first), behind
		}
		switch first, _, deeper := strings.Cut(rest, "/"); {
		case labels != nil:
			r.class = labels[name]
		case deeper:
			r.class = first
		}
		if r.picture, err = t.read(name); err != nil {
			return fmt.Errorf("images: %s: %s: %w", t.path, name, err)
		}
		if err := in.add(t.path+": "+name, r); err != nil {
			return err
		}
	}
	if others > 0 {
		in.note("%d files that are neither .png nor .jpg not read", others)
	}
	in.source(t.path, "PNG and JPEG files", before)
	return nil
}

// pictures lists the picture files and counts the others. Hidden files and folders do not count.
func (t *tree) pictures(in *input) (names []string, others int, err error) {
	err = fs.WalkDir(t.fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case in.ctx.Err() != nil:
			return in.ctx.Err()
		case name != "." && strings.HasPrefix(path.Base(name), "."):
			if d.IsDir() {
				return fs.SkipDir
			}
		case d.IsDir():
			if strings.Count(name, "/") >= maxDepth {
				return fmt.Errorf("%s: folders more than %d deep", name, maxDepth)
			}
		default:
			switch strings.ToLower(path.Ext(name)) {
			case ".png", ".jpg", ".jpeg":
				names = append(names, name)
			case ".json":
			default:
				others++
			}
			if len(names) > maxRecords {
				return fmt.Errorf("more than %d picture files", maxRecords)
			}
		}
		return nil
	})
	return names, others, err
}

func (t *tree) read(name string) (picture, error) {
	f, err := t.open(name)
	if err != nil {
		return picture{}, err
	}
	defer f.Close()
	return readPicture(f)
}

// labels reads dataset.json, {"labels": [["00000/img00000000.png", 6], ...]}. It returns nil when there is none, an
// empty map when it names no labels.
func (t *tree) labels() (map[string]string, error) {
	f, err := t.open("dataset.json")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxLabels+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxLabels {
		return nil, fmt.Errorf("over %d bytes", maxLabels)
	}
	return parseLabels(b)
}

func parseLabels(b []byte) (map[string]string, error) {
	var file struct {
		Labels [][2]json.RawMessage `json:"labels"`
	}
	if err := json.Unmarshal(b, &file); err != nil {
		return nil, err
	}
	out := make(map[string]string, len(file.Labels))
	for i, l := range file.Labels {
		var name string
		var class int
		if err := json.Unmarshal(l[0], &name); err != nil {
			return nil, fmt.Errorf("label %d: %.60s is no file name", i, l[0])
		}
		if err := json.Unmarshal(l[1], &class); err != nil || class < 0 {
			return nil, fmt.Errorf("label %d: the class of %.60q is %.60s, want a number from 0", i, name, l[1])
		}
		if _, twice := out[name]; twice {
			return nil, fmt.Errorf("label %d: %.60q comes twice", i, name)
		}
		out[name] = strconv.Itoa(class)
	}
	return out, nil
}
