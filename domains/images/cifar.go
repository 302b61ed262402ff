package images

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"pfgmgen/internal/splits"
	"pfgmgen/io/cifar"
)

// isCIFAR says whether a file name is one of the CIFAR-10 or CIFAR-100 distribution.
func isCIFAR(name string) bool {
	switch name = strings.ToLower(name); name {
	case "train.bin", "test.bin", "test_batch.bin":
		return true
	}
	return strings.HasPrefix(name, "data_batch_") && strings.HasSuffix(name, ".bin")
}

// cifarLabels is the number of labels of a record by the size of the file, 0 when it is no CIFAR file. A size that fits
// both forms is CIFAR-100 when the file is called like that: train.bin or test.bin.
func cifarLabels(path string, size int64) int {
	base := strings.ToLower(filepath.Base(path))
	ten, hundred := size%int64(cifar.RecordSize(1)) == 0, size%int64(cifar.RecordSize(2)) == 0
	switch {
	case filepath.Ext(base) != ".bin":
		return 0
	case hundred && (!ten || base == "train.bin" || base == "test.bin"):
		return 2
	case ten:
		return 1
	}
	return 0
}

// readCIFAR adds one file of the binary form. Classes are named by batches.meta.txt or fine_label_names.txt beside it,
// else by their numbers.
func (in *input) readCIFAR(path string, labels int) error {
	namesFile := "batches.meta.txt"
	if labels == 2 {
		namesFile = "fine_label_names.txt"
	}
	names, err := in.readNames(filepath.Join(filepath.Dir(path), namesFile))
	if err != nil {
		return err
	}
	f, err := in.open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	split := filePart(path)
	if split == "" && isCIFAR(filepath.Base(path)) {
		split = splits.Train // data_batch_1.bin
	}
	base, before := filepath.Base(path), len(in.records)
	r := cifar.NewReader(f, labels)
	for i := 0; ; i++ {
		rec, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("images: %s: %w", path, err)
		}
		label := int(rec.Labels[labels-1])
		class := strconv.Itoa(label)
		if names != nil {
			if label >= len(names) {
				return fmt.Errorf("images: %s: picture %d has label %d, %s names %d classes", path, i, label, namesFile, len(names))
			}
			class = names[label]
		}
		p := picture{cifar.Side, cifar.Side, cifar.Channels, append([]byte(nil), rec.Pix...)}
		if err := in.add(fmt.Sprintf("%s: picture %d", path, i), record{picture: p, id: base + "/" + strconv.Itoa(i), class: class, split: split}); err != nil {
			return err
		}
	}
	form := "CIFAR-10"
	if labels == 2 {
		form = "CIFAR-100"
	}
	in.source(path, form, before)
	return nil
}

// maxNames is the largest file of class names, in bytes.
const maxNames = 1 << 16

// readNames reads one class name a line; nil when there is no such file.
func (in *input) readNames(path string) ([]string, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, nil
	}
	f, err := in.open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxNames+1))
	if err != nil {
		return nil, fmt.Errorf("images: %s: %w", path, err)
	}
	if len(b) > maxNames {
		return nil, fmt.Errorf("images: %s: class names of over %d bytes", path, maxNames)
	}
	names := strings.Fields(string(b))
	seen := make(map[string]bool)
	for _, n := range names {
		if seen[n] {
			return nil, fmt.Errorf("images: %s: class %.40q comes twice", path, n)
		}
		seen[n] = true
	}
	in.number(names)
	return names, nil
}

// number remembers the order that the data give to their classes.
func (in *input) number(names []string) {
	known := make(map[string]bool, len(in.order))
	for _, n := range in.order {
		known[n] = true
	}
	for _, n := range names {
		if !known[n] {
			known[n] = true
			in.order = append(in.order, n)
		}
	}
}
