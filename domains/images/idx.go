package images

import (
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"pfgmgen/internal/splits"
	"pfgmgen/io/idx"
)

// isIDXImages says whether a file name is one that IDX pictures usually have: train-images-idx3-ubyte, perhaps with .gz,
// or train-images.idx3-ubyte.
func isIDXImages(name string) bool {
	name = strings.ToLower(name)
	return strings.Contains(name, "images") && (strings.Contains(name, "idx3") || strings.Contains(name, "idx4"))
}

// readIDX adds an IDX file of pictures with its labels, its meta.csv and the other parts of the set, found by name.
func (in *input) readIDX(path string) error {
	split := filePart(path)
	if err := in.readIDXPart(path, split); err != nil {
		return err
	}
	if split != splits.Train {
		return nil
	}
	dir, base := filepath.Split(path)
	at := strings.IndexAny(base, "-_.")
	if at < 0 {
		return nil // a file called train: its siblings could be anything
	}
	rest := base[at:]
	for _, other := range []string{"t10k", "test", "val", "valid"} {
		sibling := existing(dir + other + rest)
		if sibling != "" && !in.seen[filepath.Clean(sibling)] {
			if err := in.readIDXPart(sibling, partName(other)); err != nil {
				return err
			}
		}
	}
	return nil
}

// existing is path, or the same with or without .gz, whichever is a file; empty when neither is.
func existing(path string) string {
	other := path + ".gz"
	if cut, ok := strings.CutSuffix(path, ".gz"); ok {
		other = cut
	}
	for _, p := range []string{path, other} {
		if st, err := os.Stat(p); err == nil && !st.IsDir() {
			return p
		}
	}
	return ""
}

// readIDXPart adds one file of pictures.
func (in *input) readIDXPart(path, split string) error {
	a, err := in.readArray(path)
	if err != nil {
		return err
	}
	channels := 1
	if len(a.Dims) == 4 {
		channels = a.Dims[3]
	}
	switch {
	case len(a.Dims) == 1:
		return fmt.Errorf("images: %s: labels, not pictures; name the file of the pictures, its labels are found", path)
	case len(a.Dims) != 3 && len(a.Dims) != 4 || channels != 1 && channels != 3:
		return fmt.Errorf("images: %s: dimensions %v, want pictures x height x width, or pictures x height x width x channels with 1 or 3 channels", path, a.Dims)
	}
	n := a.Dims[0]
	labels, err := in.readLabels(path, n)
	if err != nil {
		return err
	}
	meta, err := in.readMeta(path, n, labels)
	if err != nil {
		return err
	}
	id := "" // numbers alone name the pictures of the first file
	if len(in.records) > 0 {
		id = filepath.Base(path) + "/"
	}
	before := len(in.records)
	for i := range n {
		r := record{
			picture: planar(a.Record(i), a.Dims[1], a.Dims[2], channels),
			id:      id + strconv.Itoa(i),
			split:   split,
		}
		if labels != nil {
			r.class = strconv.Itoa(int(labels[i]))
		}
		if meta.classes != nil {
			r.class = meta.classes[i]
		}
		if meta.splits != nil {
			r.split = meta.splits[i]
		}
		if err := in.add(fmt.Sprintf("%s: picture %d", path, i), r); err != nil {
			return err
		}
	}
	in.source(path, "IDX", before)
	return nil
}

func (in *input) readArray(path string) (*idx.Array, error) {
	f, err := in.open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	a, err := idx.Read(f, maxBytes)
	if err != nil {
		return nil, fmt.Errorf("images: %s: %w", path, err)
	}
	return a, nil
}

// readLabels reads the labels that belong to a file of pictures: the same name with labels for images and idx1 for
// idx3 or idx4. It returns nil when there is no such file.
func (in *input) readLabels(path string, n int) ([]byte, error) {
	dir, base := filepath.Split(path)
	at := strings.LastIndex(strings.ToLower(base), "images")
	if at < 0 {
		in.note("%s: no labels are looked for, since the name does not hold the word images", base)
		return nil, nil
	}
	name := base[:at] + "labels" + base[at+len("images"):]
	name = strings.NewReplacer("idx3", "idx1", "idx4", "idx1").Replace(name)
	labels := existing(dir + name)
	if labels == "" {
		in.note("%s: no labels, %s does not exist", base, name)
		return nil, nil
	}
	a, err := in.readArray(labels)
	if err != nil {
		return nil, err
	}
	if len(a.Dims) != 1 || a.Dims[0] != n {
		return nil, fmt.Errorf("images: %s: dimensions %v, want one label for each of the %d pictures of %s", labels, a.Dims, n, base)
	}
	return a.Data, nil
}

// A meta is what a meta.csv beside the pictures says of each; the fields are nil when it has no such column.
type meta struct{ splits, classes []string }

// readMeta reads meta.csv, one line per picture in their order. Its columns split or source_split, and class, are used,
// others are not. A class goes with one label.
func (in *input) readMeta(path string, n int, labels []byte) (m meta, err error) {
	name := filepath.Join(filepath.Dir(path), "meta.csv")
	if existing(name) != name {
		return m, nil
	}
	f, err := in.open(name)
	if err != nil {
		return m, err
	}
	defer f.Close()
	rows := csv.NewReader(io.LimitReader(f, maxMeta+1))
	rows.ReuseRecord = true
	header, err := rows.Read()
	if err != nil {
		return m, fmt.Errorf("images: %s: header: %w", name, err)
	}
	column := func(names ...string) int {
		return slices.IndexFunc(header, func(h string) bool { return slices.Contains(names, strings.ToLower(strings.TrimSpace(h))) })
	}
	split, class := column("split", "source_split"), column("class")
	if split < 0 && class < 0 {
		in.note("meta.csv: no column split, source_split or class; not used")
		return m, nil
	}
	names := make(map[byte]string)
	for i := 0; ; i++ {
		fields, err := rows.Read()
		switch {
		case err == io.EOF && i == n:
			var ordered []string
			for label := range 256 {
				if c, ok := names[byte(label)]; ok {
					ordered = append(ordered, c)
				}
			}
			in.number(ordered)
			return m, nil
		case err == io.EOF:
			return m, fmt.Errorf("images: %s: %d lines for the %d pictures of %s", name, i, n, filepath.Base(path))
		case err != nil:
			return m, fmt.Errorf("images: %s: %w", name, err)
		case i == n || rows.InputOffset() > maxMeta:
			return m, fmt.Errorf("images: %s: more lines than the %d pictures of %s, or over %d bytes", name, n, filepath.Base(path), maxMeta)
		}
		line, _ := rows.FieldPos(0)
		if split >= 0 {
			s := partName(fields[split])
			if s == "" {
				return m, fmt.Errorf("images: %s: line %d: split %.40q is not one of train, valid, test", name, line, fields[split])
			}
			m.splits = append(m.splits, s)
		}
		if class < 0 {
			continue
		}
		c := strings.TrimSpace(fields[class])
		m.classes = append(m.classes, c)
		if labels == nil {
			continue
		}
		if old, ok := names[labels[i]]; ok && old != c {
			return m, fmt.Errorf("images: %s: line %d: label %d is called %.40q here and %.40q above", name, line, labels[i], c, old)
		}
		names[labels[i]] = c
	}
}

// maxMeta is the largest meta.csv, in bytes.
const maxMeta = 1 << 28
