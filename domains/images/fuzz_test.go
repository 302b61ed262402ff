package images

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"hash/crc32"
	"io"
	"runtime"
	"strings"
	"testing"

	"pfgmgen/domains"
	"pfgmgen/io/npy"
)

func checksum(b []byte) uint32 { return crc32.ChecksumIEEE(b) }

func newInput() *input {
	return &input{ctx: context.Background(), sum: sha256.New(), options: options{colour: "auto"}, seen: make(map[string]bool)}
}

// readArchive is readZip on memory.
func readArchive(in *input, b []byte) error {
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return err
	}
	return in.readTree(&tree{fsys: z, path: "x.zip", open: func(name string) (io.ReadCloser, error) { return z.Open(name) }})
}

// allocated is how many bytes f reserves in all.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Small files that promise much take little memory.
func TestBombs(t *testing.T) {
	small := asPNG(t, random(1, 8, 8, 1)[0])
	zeros := bytes.Repeat([]byte("x"), 32<<20)
	archive := zipped(t, map[string][]byte{"dataset.json": append([]byte(`{"labels":[["a.png",1]],"x":"`), append(zeros, `"}`...)...)})
	for _, tc := range []struct {
		name  string
		limit uint64 // in bytes, several times what was measured
		read  func() error
	}{
		{"PNG that claims 4000 x 4000", 1 << 20, func() error { _, err := decodePicture(claims(small, 4000, 4000)); return err }},
		{"archive whose dataset.json inflates to 32 MiB, without pictures", 1 << 20, func() error { return readArchive(newInput(), archive) }},
	} {
		var err error
		if n := allocated(func() { err = tc.read() }); err == nil || n > tc.limit {
			t.Errorf("%s: %d bytes reserved, error %v", tc.name, n, err)
		}
	}
}

func FuzzPicture(f *testing.F) {
	for _, p := range []picture{random(1, 8, 8, 1)[0], random(1, 5, 7, 3)[0]} {
		f.Add(asPNG(f, p))
		f.Add(claims(asPNG(f, p), 1<<31-1, 1<<31-1))
	}
	f.Add([]byte("\xff\xd8\xff\xe0"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1<<12 {
			return // 4 kB may well be 33 million pixels of one bit, which take their time
		}
		p, err := decodePicture(b)
		if err != nil {
			return
		}
		if p.height < 1 || p.width < 1 || p.height*p.width > maxPixels || len(p.pix) != p.channels*p.height*p.width {
			t.Fatalf("%d x %d x %d with %d values", p.channels, p.height, p.width, len(p.pix))
		}
	})
}

func FuzzZip(f *testing.F) {
	small := asPNG(f, random(1, 8, 8, 1)[0])
	f.Add(zipped(f, map[string][]byte{"a/1.png": small, "b/2.png": small}))
	f.Add(zipped(f, map[string][]byte{"1.png": small, "dataset.json": []byte(`{"labels":[["1.png",3]]}`)}))
	f.Add(zipped(f, map[string][]byte{"../../1.png": small, "/2.png": small, "dataset.json": []byte(`{"labels":null}`)}))
	f.Add(zipped(f, map[string][]byte{strings.Repeat("a/", 40) + "1.png": small}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1<<12 {
			return
		}
		in := newInput()
		if err := readArchive(in, b); err == nil && len(in.records) == 0 {
			t.Fatal("no pictures and no error")
		}
	})
}

func FuzzArrays(f *testing.F) {
	f.Add(zipped(f, map[string][]byte{"images.npy": asNPY(f, "u1", []int{2, 4, 4}, make([]byte, 32)), "labels.npy": asNPY(f, "u1", []int{2}, []byte{1, 2})}))
	f.Add(zipped(f, map[string][]byte{"arr_0.npy": asNPY(f, "f8", []int{0, 4, 4}, nil)}))
	f.Add(zipped(f, map[string][]byte{"arr_0.npy": asNPY(f, "u1", []int{1, 3, 4, 4}, make([]byte, 48))}))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := npy.NewArchive(bytes.NewReader(b), int64(len(b)))
		if err != nil || len(b) > 1<<12 {
			return
		}
		in := newInput()
		if err := in.readArrays(a, "x.npz"); err == nil && len(in.records) == 0 {
			t.Fatal("no pictures and no error")
		}
	})
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte(load(f, domains.LoadOptions{Paths: []string{cells}}).Adapter.Settings()))
	f.Add([]byte(`{"channels":1,"crop":[0,0,4,4],"height":4,"levels":2,"noise":0.5,"saturated":0.5,"version":1,"width":4}`))
	f.Add([]byte(`{"channels":3,"classes":["a","b"],"crop":[0,1,8,5],"height":8,"known":"AAAAAAAAAAA=","levels":4,"noise":1,"saturated":1,"version":1,"width":8}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := Domain{}.Open(json.RawMessage(raw))
		if err != nil {
			return
		}
		b, err := Domain{}.Open(a.Settings())
		if err != nil || !bytes.Equal(a.Settings(), b.Settings()) {
			t.Fatalf("%s does not come back: %v", a.Settings(), err)
		}
		if a.Free() > 3*maxSide*maxSide {
			t.Fatalf("%d coordinates", a.Free())
		}
		x := make([]float64, a.Free())
		for i := range x {
			x[i] = float64(i*7919%11)/5 - 1
		}
		for label := -1; label <= min(3, len(a.Labels())); label++ {
			if r := a.Decode(x, label).(*row); len(r.pix) > a.Free() {
				t.Fatalf("%d values from shape %v", len(r.pix), a.Shape())
			}
		}
	})
}
