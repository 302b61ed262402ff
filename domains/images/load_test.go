package images

import (
	"bytes"
	"context"
	"encoding/binary"
	"path/filepath"
	"strings"
	"testing"

	"pfgmgen/domains"
)

func with(path string, settings ...string) domains.LoadOptions {
	o := domains.LoadOptions{Paths: []string{path}, Settings: make(map[string]string)}
	for i := 0; i < len(settings); i += 2 {
		o.Settings[settings[i]] = settings[i+1]
	}
	return o
}

// claims is the PNG p with another size in its header, the checksum of the header mended.
func claims(p []byte, width, height uint32) []byte {
	out := bytes.Clone(p)
	binary.BigEndian.PutUint32(out[16:], width)
	binary.BigEndian.PutUint32(out[20:], height)
	binary.BigEndian.PutUint32(out[29:], checksum(out[12:29]))
	return out
}

func TestLoadErrors(t *testing.T) {
	p := random(12, 8, 8, 3)
	file := func(name string, b []byte) string { return write(t, filepath.Join(t.TempDir(), name), b) }
	folder := func(files ...any) string {
		dir := t.TempDir()
		for i := 0; i < len(files); i += 2 {
			write(t, filepath.Join(dir, files[i].(string)), files[i+1].([]byte))
		}
		return dir
	}
	var mixed []byte
	for _, q := range p {
		mixed = append(mixed, interleaved(q)...)
	}
	twelve := asIDX(t, []int{12, 8, 8, 3}, mixed)
	good := asPNG(t, p[0])
	array := asNPY(t, "u1", []int{12, 8, 8, 3}, mixed)
	npz := func(files ...any) string {
		m := make(map[string][]byte)
		for i := 0; i < len(files); i += 2 {
			m[files[i].(string)] = files[i+1].([]byte)
		}
		return file("x.npz", zipped(t, m))
	}
	for _, tc := range []struct {
		name string
		o    domains.LoadOptions
		want []string
	}{
		{"nonsense", with(file("x.txt", []byte("hello world"))), []string{"x.txt: neither PNG", "hello"}},
		{"empty folder", with(t.TempDir()), []string{"no PNG or JPEG file"}},
		{"IDX of labels", with(file("labels-idx1-ubyte", asIDX(t, []int{3}, []byte{1, 2, 3}))), []string{"labels, not pictures"}},
		{"IDX of two channels", with(file("images-idx4-ubyte", asIDX(t, []int{1, 8, 8, 2}, make([]byte, 128)))), []string{"dimensions [1 8 8 2]"}},
		{"IDX with too few labels", with(folder("images-idx4-ubyte", twelve, "labels-idx1-ubyte", asIDX(t, []int{3}, []byte{1, 2, 3}))), []string{"labels-idx1-ubyte: dimensions [3], want one label for each of the 12"}},
		{"cut IDX", with(file("images-idx4-ubyte", twelve[:100])), []string{"images-idx4-ubyte", "ends after"}},
		{"short meta.csv", with(folder("images-idx4-ubyte", twelve, "meta.csv", []byte("split\ntrain\n"))), []string{"meta.csv: 1 lines for the 12 pictures"}},
		{"long meta.csv", with(folder("images-idx4-ubyte", twelve, "meta.csv", []byte("split\n"+strings.Repeat("train\n", 13)))), []string{"more lines than the 12"}},
		{"bad split in meta.csv", with(folder("images-idx4-ubyte", twelve, "meta.csv", []byte("split\nfoo\n"))), []string{"line 2", `split "foo"`}},
		{"meta.csv that contradicts the labels", with(folder("images-idx4-ubyte", twelve, "labels-idx1-ubyte", asIDX(t, []int{12}, make([]byte, 12)),
			"meta.csv", []byte("class\na\nb\n"))), []string{"meta.csv: line 3", `label 0 is called "b" here and "a" above`}},
		{"CIFAR with an unknown label", with(folder("data_batch_1.bin", append([]byte{7}, make([]byte, 3072)...), "batches.meta.txt", []byte("a\nb\n"))), []string{"picture 0 has label 7"}},
		{"CIFAR of no whole records", with(file("data_batch_1.bin", make([]byte, 3000))), []string{"data_batch_1.bin", "neither"}},
		{"different sizes", with(folder("a/1.png", good, "a/2.png", asPNG(t, random(1, 9, 8, 3)[0]))), []string{"a/1.png has 8 x 8", "a/2.png has 8 x 9", "size=8"}},
		{"too large", with(folder("1.png", asPNG(t, random(1, 300, 8, 1)[0]))), []string{"1.png: 8 x 300 pixels", "size=64"}},
		{"too small", with(folder("1.png", asPNG(t, random(1, 3, 8, 1)[0]))), []string{"8 x 3 pixels"}},
		{"not a picture", with(folder("1.png", []byte("GIF89a"))), []string{"1.png: neither PNG nor JPEG", "GIF89a"}},
		{"empty picture", with(folder("1.png", []byte{})), []string{"1.png: no bytes"}},
		{"cut picture", with(folder("1.png", good[:60])), []string{"1.png: png: "}},
		{"picture that claims too much", with(folder("1.png", claims(good, 5000, 5000))), []string{"1.png: 5000 x 5000 pixels"}},
		{"picture that claims more than its bytes hold", with(folder("1.png", claims(good, 4000, 4000))), []string{"1.png: 4000 x 4000 pixels in"}},
		{"cut zip", with(file("x.zip", zipped(t, map[string][]byte{"a.png": good})[:80])), []string{"x.zip: zip"}},
		{"EDM labels of vectors", with(folder("dataset.json", []byte(`{"labels":[["1.png",[0.1]]]}`), "1.png", good)), []string{"dataset.json: label 0", "[0.1]"}},
		{"EDM labels twice", with(folder("dataset.json", []byte(`{"labels":[["1.png",1],["1.png",2]]}`), "1.png", good)), []string{"comes twice"}},
		{"bare npy", with(file("x.npy", array)), []string{"numpy.savez"}},
		{"npz of statistics", with(npz("mu.npy", array, "sigma.npy", array)), []string{"no array of pictures", `"mu"`}},
		{"npz of two kinds of pictures", with(npz("x.npy", array, "images.npy", array)), []string{`"images" and "x"`}},
		{"npz of two channels", with(npz("x.npy", asNPY(t, "u1", []int{1, 8, 8, 2}, make([]byte, 128)))), []string{"shape [1 8 8 2]"}},
		{"npz of integers", with(npz("x.npy", asNPY(t, "i4", []int{1, 4, 4}, make([]byte, 64)))), []string{"values of type i4"}},
		{"npz of floats up to 255", with(npz("x.npy", asNPY(t, "f8", []int{1, 1, 1}, []byte{0, 0, 0, 0, 0, 0, 0, 0x40}))), []string{"value 0 is 2"}},
		{"npz with too few labels", with(npz("x.npy", array, "y.npy", asNPY(t, "u1", []int{2}, []byte{1, 2}))), []string{`"y" has shape [2]`}},
		{"npz with float labels", with(npz("x.npy", array, "y.npy", asNPY(t, "f4", []int{12}, make([]byte, 48)))), []string{`"y" is of type f4`}},
		{"no Parquet", with(file("x.parquet", []byte("PAR1 and nothing more"))), []string{"x.parquet"}},
		{"class name", with(folder("a\nb/1.png", good, "c/2.png", asPNG(t, p[1]))), []string{`"a\nb" holds a control character`}},
		{"size", with(file("x", good), "size", "2"), []string{"size=2", "4 to 256"}},
		{"colour", with(file("x", good), "colour", "cmyk"), []string{"colour=cmyk"}},
		{"condition", with(file("x", good), "condition", "label"), []string{"condition=label"}},
		{"split without columns", domains.LoadOptions{Paths: []string{file("images-idx4-ubyte", twelve)}, Split: file("s.tsv", []byte("name\tsplit\na\ttrain\n"))}, []string{"s.tsv", "column split"}},
		{"split that knows none", domains.LoadOptions{Paths: []string{file("images-idx4-ubyte", twelve)}, Split: file("s.tsv", []byte("id\tsplit\nz\ttrain\n"))}, []string{"none of the 12 pictures"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Domain{}.Load(context.Background(), tc.o)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range append(tc.want, "images: ") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v\nlacks %q", err, want)
				}
			}
		})
	}
}

// Bytes changed anywhere in a Parquet file are an error or other pictures, never a panic.
func TestBrokenParquet(t *testing.T) {
	sound := asParquet(t, random(6, 8, 8, 1), []int{0, 1, 0, 1, 0, 1}, false, []string{"a", "b"})
	path := filepath.Join(t.TempDir(), "x.parquet")
	failed := 0
	for at := 4; at < len(sound); at += 11 {
		b := bytes.Clone(sound)
		b[at] ^= 0x55
		if _, err := (Domain{}).Load(context.Background(), with(write(t, path, b))); err != nil {
			failed++
		}
	}
	if failed == 0 {
		t.Error("no change is noticed")
	}
}

func TestSettings(t *testing.T) {
	dir := t.TempDir()
	for i, p := range random(20, 12, 8, 3) {
		write(t, filepath.Join(dir, string(rune('a'+i%2)), string(rune('a'+i))+".png"), asPNG(t, p))
	}
	for _, tc := range []struct {
		settings []string
		shape    [3]int
		classes  int
	}{
		{nil, [3]int{3, 12, 8}, 2},
		{[]string{"size", "8"}, [3]int{3, 8, 8}, 2},
		{[]string{"size", "7", "colour", "grey"}, [3]int{1, 8, 8}, 2},
		{[]string{"size", "16", "condition", "none"}, [3]int{3, 16, 16}, 0},
	} {
		d := load(t, with(dir, tc.settings...))
		if got := [3]int(d.Adapter.Shape()); got != tc.shape || len(d.Adapter.Labels()) != tc.classes {
			t.Errorf("%v: shape %v, classes %v", tc.settings, got, d.Adapter.Labels())
		}
	}
}

// Means of areas: expected values by hand.
func TestResize(t *testing.T) {
	for _, tc := range []struct {
		p    picture
		n    int
		want []byte
	}{
		{picture{4, 4, 1, []byte{0, 4, 8, 8, 4, 8, 8, 8, 0, 0, 1, 1, 0, 1, 1, 1}}, 2, []byte{4, 8, 0, 1}}, // (0+0+0+1)/4 rounds to 0
		{picture{1, 3, 1, []byte{9, 50, 9}}, 1, []byte{50}},                                               // the middle square
		{picture{3, 3, 1, []byte{0, 90, 180, 0, 90, 180, 0, 90, 180}}, 2, []byte{30, 150, 30, 150}},       // (0 + 90/2)/1.5
		{picture{2, 2, 1, []byte{10, 20, 30, 40}}, 4, []byte{10, 10, 20, 20, 10, 10, 20, 20, 30, 30, 40, 40, 30, 30, 40, 40}},
		{picture{2, 2, 3, []byte{1, 1, 1, 3, 5, 5, 5, 5, 255, 255, 255, 255}}, 1, []byte{2, 5, 255}},
	} {
		got := tc.p.resized(tc.n)
		if !bytes.Equal(got.pix, tc.want) || got.height != tc.n || got.width != tc.n {
			t.Errorf("%v to %d: %v, want %v", tc.p, tc.n, got.pix, tc.want)
		}
	}
	for from := 1; from < 40; from++ {
		for to := 1; to < 40; to++ {
			for _, b := range boxes(from, to) {
				sum := 0.0
				for _, w := range b.weights {
					sum += w
				}
				// At most 40 additions of shares, each off by some 1e-16.
				if sum < 1-1e-12 || sum > 1+1e-12 || b.first+len(b.weights) > from {
					t.Fatalf("%d to %d: weights from %d sum to %v", from, to, b.first, sum)
				}
			}
		}
	}
}
