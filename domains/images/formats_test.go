package images

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"

	"pfgmgen/domains"
	"pfgmgen/io/idx"
	"pfgmgen/io/npy"
)

// random makes n different pictures of smooth blobs with some noise.
func random(n, height, width, channels int) []picture {
	rng := rand.New(rand.NewPCG(5, uint64(n)))
	out := make([]picture, n)
	for k := range out {
		p := picture{height, width, channels, make([]byte, channels*height*width)}
		for c := range channels {
			base, slope := 40+rng.Float64()*80, rng.Float64()*80/float64(width)
			for i := range height * width {
				p.pix[c*height*width+i] = byte(base + slope*float64(i%width) + 10*rng.Float64())
			}
		}
		out[k] = p
	}
	return out
}

func asPNG(t testing.TB, p picture) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, p.image()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// interleaved is the opposite of planar.
func interleaved(p picture) []byte {
	out, n := make([]byte, len(p.pix)), p.height*p.width
	for i := range out {
		out[i/n+i%n*p.channels] = p.pix[i]
	}
	return out
}

func write(t testing.TB, path string, b []byte) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func zipped(t testing.TB, files map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(files[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asIDX(t testing.TB, dims []int, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := idx.Write(&b, &idx.Array{Dims: dims, Data: data}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asNPY(t testing.TB, kind string, dims []int, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := npy.Write(&b, &npy.Array{Type: kind, Dims: dims, Data: data}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipped(t testing.TB, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(text)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// asParquet has a column image, bare or as a struct, a column label, and perhaps names in the metadata of the hub.
func asParquet(t testing.TB, pictures []picture, labels []int, bare bool, names []string) []byte {
	t.Helper()
	im := arrow.Field{Name: "image", Type: arrow.StructOf(
		arrow.Field{Name: "bytes", Type: arrow.BinaryTypes.Binary, Nullable: true},
		arrow.Field{Name: "path", Type: arrow.BinaryTypes.String, Nullable: true}), Nullable: true}
	if bare {
		im.Type = arrow.BinaryTypes.Binary
	}
	var meta arrow.Metadata
	if names != nil {
		text, err := json.Marshal(map[string]any{"info": map[string]any{"features": map[string]any{"label": map[string]any{"names": names, "_type": "ClassLabel"}}}})
		if err != nil {
			t.Fatal(err)
		}
		meta = arrow.NewMetadata([]string{"huggingface"}, []string{string(text)})
	}
	schema := arrow.NewSchema([]arrow.Field{im, {Name: "other", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
		{Name: "label", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}, &meta)
	b := array.NewRecordBuilder(memory.NewGoAllocator(), schema)
	defer b.Release()
	for i, p := range pictures {
		if bare {
			b.Field(0).(*array.BinaryBuilder).Append(asPNG(t, p))
		} else {
			s := b.Field(0).(*array.StructBuilder)
			s.Append(true)
			s.FieldBuilder(0).(*array.BinaryBuilder).Append(asPNG(t, p))
			s.FieldBuilder(1).AppendNull()
		}
		b.Field(1).AppendNull()
		b.Field(2).(*array.Int64Builder).Append(int64(labels[i]))
	}
	rec := b.NewRecord()
	defer rec.Release()
	var out bytes.Buffer
	w, err := pqarrow.NewFileWriter(schema, &out, parquet.NewWriterProperties(), pqarrow.NewArrowWriterProperties(pqarrow.WithStoreSchema()))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(rec); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Every format gives the same pictures, classes and parts.
func TestFormats(t *testing.T) {
	const n, side = 24, 32
	colour, grey := random(n, side, side, 3), random(n, side, side, 1)
	labels := make([]int, n)
	var mixed, planes, greys, packed, cifar10, cifar100, floats []byte
	for i := range n {
		labels[i] = i % 3
		mixed = append(mixed, interleaved(colour[i])...)
		planes = append(planes, colour[i].pix...)
		greys = append(greys, grey[i].pix...)
		packed = append(packed, byte(labels[i]))
		cifar10 = append(append(cifar10, byte(labels[i])), colour[i].pix...)
		cifar100 = append(append(cifar100, byte(labels[i]/2), byte(labels[i])), colour[i].pix...)
	}
	for _, u := range greys {
		floats = binary.LittleEndian.AppendUint32(floats, math.Float32bits(float32(u)/255))
	}
	words := []string{"cat", "dog", "eel"}
	numbers := []string{"0", "1", "2"}

	tree := make(map[string][]byte)
	parted := make(map[string][]byte)
	edm := make(map[string][]byte)
	var list [][2]any
	for i, p := range colour {
		name := fmt.Sprintf("%s/%02d.png", words[labels[i]], i)
		tree[name] = asPNG(t, p)
		parted[[]string{"train", "train", "val"}[i%9/3]+"/"+name] = asPNG(t, p)
		name = fmt.Sprintf("%05d/img%08d.png", i/10, i)
		edm[name] = asPNG(t, p)
		list = append(list, [2]any{name, labels[i]})
	}
	tree["README.txt"], tree[".hidden/x.png"] = []byte("x"), []byte("x")
	var err error
	if edm["dataset.json"], err = json.Marshal(map[string]any{"labels": list}); err != nil {
		t.Fatal(err)
	}
	onDisk := func(files map[string][]byte) string {
		dir := t.TempDir()
		for name, b := range files {
			write(t, filepath.Join(dir, filepath.FromSlash(name)), b)
		}
		return dir
	}
	file := func(name string, b []byte) string { return write(t, filepath.Join(t.TempDir(), name), b) }

	for _, tc := range []struct {
		name     string
		path     string
		pictures []picture
		classes  []string
	}{
		{"IDX grey folder", onDisk(map[string][]byte{"train-images-idx3-ubyte": asIDX(t, []int{n, side, side}, greys),
			"train-labels-idx1-ubyte": asIDX(t, []int{n}, packed)}), grey, numbers},
		{"IDX with dots, labels compressed", filepath.Join(onDisk(map[string][]byte{"train-images.idx3-ubyte": asIDX(t, []int{n, side, side}, greys),
			"train-labels.idx1-ubyte.gz": gzipped(t, asIDX(t, []int{n}, packed))}), "train-images.idx3-ubyte"), grey, numbers},
		{"IDX colour without labels", file("my-images-idx4-ubyte.gz", gzipped(t, asIDX(t, []int{n, side, side, 3}, mixed))), colour, nil},
		{"CIFAR-10", onDisk(map[string][]byte{"data_batch_1.bin": cifar10[:12*3073], "data_batch_2.bin": cifar10[12*3073:],
			"batches.meta.txt": []byte("eel\ndog\ncat\n\n")}), colour, []string{"eel", "dog", "cat"}},
		{"CIFAR-10 without names", file("data_batch_9.bin", cifar10), colour, numbers},
		{"CIFAR-100", onDisk(map[string][]byte{"train.bin": cifar100, "fine_label_names.txt": []byte("cat\ndog\neel\n")}), colour, words},
		{"folder", onDisk(tree), colour, words},
		{"folder with parts", onDisk(parted), colour, words},
		{"zip of folders", file("x.zip", zipped(t, tree)), colour, words},
		{"EDM zip", file("edm.zip", zipped(t, edm)), colour, numbers},
		{"EDM folder", onDisk(edm), colour, numbers},
		{"npz channels last", file("x.npz", zipped(t, map[string][]byte{"images.npy": asNPY(t, "u1", []int{n, side, side, 3}, mixed),
			"labels.npy": asNPY(t, "u1", []int{n, 1}, packed)})), colour, numbers},
		{"npz channels first, unnamed", file("x.npz", zipped(t, map[string][]byte{"arr_0.npy": asNPY(t, "u1", []int{n, 3, side, side}, planes),
			"arr_1.npy": asNPY(t, "i1", []int{n}, packed)})), colour, numbers},
		{"npz in parts", file("x.npz", zipped(t, map[string][]byte{
			"x_train.npy": asNPY(t, "u1", []int{20, side, side}, greys[:20*side*side]), "y_train.npy": asNPY(t, "u1", []int{20}, packed[:20]),
			"x_val.npy": asNPY(t, "u1", []int{4, side, side}, greys[20*side*side:]), "y_val.npy": asNPY(t, "u1", []int{4}, packed[20:])})), grey, numbers},
		{"npz of floats", file("x.npz", zipped(t, map[string][]byte{"x.npy": asNPY(t, "f4", []int{n, side, side}, floats),
			"y.npy": asNPY(t, "u1", []int{n}, packed)})), grey, numbers},
		{"Parquet", file("x.parquet", asParquet(t, colour, labels, false, nil)), colour, numbers},
		{"Parquet, bare bytes and names", file("x.parquet", asParquet(t, grey, labels, true, []string{"eel", "dog", "cat"})), grey, []string{"eel", "dog", "cat"}},
		{"Parquet dataset", onDisk(map[string][]byte{"data/train-00000-of-00001.parquet": asParquet(t, colour[:20], labels[:20], false, words),
			"data/validation-00000-of-00001.parquet": asParquet(t, colour[20:], labels[20:], false, words), "README.md": nil}), colour, words},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := load(t, domains.LoadOptions{Paths: []string{tc.path}})
			if got := d.Adapter.Labels(); !slices.Equal(got, tc.classes) {
				t.Errorf("classes %v, want %v", got, tc.classes)
			}
			if want := []int{tc.pictures[0].channels, side, side}; !slices.Equal(d.Adapter.Shape(), want) {
				t.Errorf("shape %v, want %v", d.Adapter.Shape(), want)
			}
			want := make(map[string]int)
			for i, p := range tc.pictures {
				want[p.key()] = i
			}
			x, count := make([]float64, d.Adapter.Free()), 0
			for _, e := range []domains.Examples{d.Train, d.Valid} {
				for i := range e.Len() {
					k, ok := want[e.Key(i)]
					if !ok {
						t.Fatalf("picture %d is none of those written", i)
					}
					delete(want, e.Key(i))
					count++
					label := e.Encode(x, i)
					if tc.classes == nil && label != -1 || tc.classes != nil && !slices.Contains([]string{words[labels[k]], numbers[labels[k]],
						[]string{"eel", "dog", "cat"}[labels[k]]}, tc.classes[label]) {
						t.Errorf("picture %d has class %d of %v, want %d", k, label, tc.classes, labels[k])
					}
				}
			}
			if count != n || d.Valid.Len() == 0 {
				t.Errorf("%d pictures, %d of them held out: %v", count, d.Valid.Len(), d.Notes)
			}
		})
	}
}

// Test parts are found, never trained on, and pictures in them are dropped from the training part.
func TestTestPart(t *testing.T) {
	p := random(30, 8, 8, 1)
	var train, test []byte
	for i := range 20 {
		train = append(train, p[i].pix...)
	}
	for i := 15; i < 30; i++ { // five of them are training pictures too
		test = append(test, p[i].pix...)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "t10k-images-idx3-ubyte.gz"), gzipped(t, asIDX(t, []int{15, 8, 8}, test)))
	path := write(t, filepath.Join(dir, "train-images-idx3-ubyte"), asIDX(t, []int{20, 8, 8}, train))
	for _, paths := range [][]string{{path}, {dir}, {path, filepath.Join(dir, "t10k-images-idx3-ubyte.gz")}} {
		d := load(t, domains.LoadOptions{Paths: paths})
		if n := d.Train.Len() + d.Valid.Len(); n < 15 || n > 20 || d.Train.Len() > 15 {
			t.Errorf("%v: %d and %d pictures of 20, 5 of them test pictures", paths, d.Train.Len(), d.Valid.Len())
		}
		for _, e := range []domains.Examples{d.Train, d.Valid} {
			for i := range e.Len() {
				for k := 20; k < 30; k++ {
					if e.Key(i) == p[k].key() {
						t.Errorf("test picture %d is used", k)
					}
				}
			}
		}
		for i := range d.Train.Len() {
			for k := 15; k < 30; k++ {
				if d.Train.Key(i) == p[k].key() {
					t.Errorf("test picture %d is trained on", k)
				}
			}
		}
	}
	_, err := Domain{}.Load(context.Background(), domains.LoadOptions{Paths: []string{filepath.Join(dir, "t10k-images-idx3-ubyte.gz")}})
	if err == nil || !strings.Contains(err.Error(), "15 are test pictures, which are never trained on") {
		t.Errorf("test pictures alone: %v", err)
	}
}

// TestBareName: a file called train, without an ending, is read alone.
func TestBareName(t *testing.T) {
	dir := t.TempDir()
	var pix []byte
	for _, p := range random(20, 8, 8, 1) {
		pix = append(pix, p.pix...)
	}
	path := write(t, filepath.Join(dir, "train"), asIDX(t, []int{20, 8, 8}, pix))
	write(t, filepath.Join(dir, "test"), asIDX(t, []int{20, 8, 8}, pix))
	d, err := Domain{}.Load(context.Background(), domains.LoadOptions{Paths: []string{path}})
	if err != nil {
		t.Fatal(err)
	}
	if n := d.Train.Len() + d.Valid.Len(); n != 20 {
		t.Errorf("%d pictures, want 20", n)
	}
}

func TestSplitTable(t *testing.T) {
	dir := t.TempDir()
	for i, p := range random(6, 8, 8, 3) {
		write(t, filepath.Join(dir, "in", string(rune('a'+i%2)), fmt.Sprintf("%d.png", i)), asPNG(t, p))
	}
	table := write(t, filepath.Join(dir, "s.tsv"), []byte("id\tsplit\na/0.png\ttrain\nb/1.png\ttrain\na/2.png\tval\nb/3.png\ttest\n"))
	d := load(t, domains.LoadOptions{Paths: []string{filepath.Join(dir, "in")}, Split: table})
	if d.Train.Len() != 2 || d.Valid.Len() != 1 {
		t.Errorf("%d and %d pictures", d.Train.Len(), d.Valid.Len())
	}
	notes := strings.Join(d.Notes, "\n")
	for _, want := range []string{"2 pictures that the split table does not name", "1 test pictures not used"} {
		if !strings.Contains(notes, want) {
			t.Errorf("notes lack %q: %s", want, notes)
		}
	}
}

// JPEG is lossy: flat patches come back within a few levels.
func TestPictureFiles(t *testing.T) {
	flat := picture{16, 16, 3, bytes.Repeat([]byte{200}, 3*256)}
	copy(flat.pix[256:512], bytes.Repeat([]byte{60}, 256))
	var b bytes.Buffer
	if err := jpeg.Encode(&b, flat.image(), &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	p, err := decodePicture(b.Bytes())
	if err != nil || p.channels != 3 {
		t.Fatalf("%v, %d channels", err, p.channels)
	}
	for i, u := range p.pix {
		// Conversion to YCbCr and back and quantisation at quality 95 stay within 4 levels on a flat picture.
		if distance(u, flat.pix[i]) > 4 {
			t.Fatalf("value %d is %d, want about %d", i, u, flat.pix[i])
		}
	}

	encode := func(im image.Image) []byte {
		var b bytes.Buffer
		if err := png.Encode(&b, im); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	deep := image.NewGray16(image.Rect(0, 0, 4, 4))
	clear := image.NewNRGBA(image.Rect(0, 0, 4, 4))
	colours := image.NewPaletted(image.Rect(0, 0, 4, 4), color.Palette{color.RGBA{10, 20, 30, 255}, color.RGBA{40, 50, 60, 255}})
	for i := range 16 {
		deep.SetGray16(i%4, i/4, color.Gray16{uint16(i)<<12 | 0xff})
		clear.SetNRGBA(i%4, i/4, color.NRGBA{0, 0, 0, byte(17 * i)})
		colours.SetColorIndex(i%4, i/4, uint8(i%2))
	}
	for name, tc := range map[string]struct {
		im       image.Image
		channels int
		want     func(i int) byte // of the first channel
	}{
		"16 bits":            {deep, 1, func(i int) byte { return byte(i << 4) }},
		"black, see-through": {clear, 1, func(i int) byte { return byte(255 - 17*i) }},
		"palette":            {colours, 3, func(i int) byte { return []byte{10, 40}[i%2] }},
	} {
		p, err := decodePicture(encode(tc.im))
		if err != nil || p.channels != tc.channels || p.height != 4 || p.width != 4 {
			t.Errorf("%s: %v, %d channels", name, err, p.channels)
			continue
		}
		for i := range 16 {
			if p.pix[i] != tc.want(i) {
				t.Errorf("%s: pixel %d is %d, want %d", name, i, p.pix[i], tc.want(i))
			}
		}
	}
}
