package idx

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func compressed(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestRoundTrip(t *testing.T) {
	for _, a := range []*Array{
		{[]int{3}, []byte{1, 2, 3}},
		{[]int{2, 1, 3}, []byte{1, 2, 3, 4, 5, 255}},
		{[]int{1, 2, 1, 3}, []byte{0, 0, 0, 1, 1, 1}},
	} {
		var b bytes.Buffer
		if err := Write(&b, a); err != nil {
			t.Fatal(err)
		}
		for _, text := range [][]byte{b.Bytes(), compressed(t, b.Bytes())} {
			got, err := Read(iotest.OneByteReader(bytes.NewReader(text)), 0)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got.Dims, a.Dims) || !bytes.Equal(got.Data, a.Data) {
				t.Errorf("%v came back as %v", a, got)
			}
		}
		if last := a.Record(a.Dims[0] - 1); last[len(last)-1] != a.Data[len(a.Data)-1] {
			t.Errorf("the last record of %v is %v", a, last)
		}
	}
}

// The bytes are those of the format's description: magic number 00 00 08 and dimensions, sizes big-endian.
func TestBytes(t *testing.T) {
	var b bytes.Buffer
	if err := Write(&b, &Array{[]int{1, 258}, make([]byte, 258)}); err != nil {
		t.Fatal(err)
	}
	want := append([]byte{0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 1, 2}, make([]byte, 258)...)
	if !bytes.Equal(b.Bytes(), want) {
		t.Errorf("% x", b.Bytes()[:12])
	}
}

func TestErrors(t *testing.T) {
	good := []byte{0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6}
	with := func(at int, v byte) []byte {
		b := slices.Clone(good)
		b[at] = v
		return b
	}
	z := compressed(t, good)
	for _, tc := range []struct {
		name string
		text []byte
		want string
	}{
		{"empty", nil, "magic number at byte 0"},
		{"not IDX", []byte("PNG file"), "begins with the bytes 50 4e"},
		{"unknown type", with(2, 7), "byte 2: value type 0x07"},
		{"floats", with(2, 0x0d), "32-bit float"},
		{"no dimensions", with(3, 0), "byte 3: 0 dimensions"},
		{"many dimensions", with(3, 9), "byte 3: 9 dimensions"},
		{"short header", good[:10], "dimension 2 at byte 8"},
		{"zero dimension", with(7, 0), "dimension 1 at byte 4 is 0"},
		{"huge", with(4, 0xff), "over 100 bytes"},
		{"cut", good[:15], "ends after 3 of 6 values"},
		{"longer", append(slices.Clone(good), 9), "more bytes after the 6 values"},
		{"cut gzip", z[:len(z)-9], "unexpected EOF"},
		{"no gzip", []byte{0x1f, 0x8b, 3}, "begins like gzip"},
	} {
		_, err := Read(bytes.NewReader(tc.text), 100)
		if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.HasPrefix(err.Error(), "idx: ") {
			t.Errorf("%s: %v lacks %q", tc.name, err, tc.want)
		}
	}
	if _, err := Read(bytes.NewReader(with(4, 0xff)), 100); !errors.Is(err, ErrTooLarge) {
		t.Errorf("%v is no ErrTooLarge", err)
	}
	broken := errors.New("disk on fire")
	if _, err := Read(io.MultiReader(bytes.NewReader(good[:14]), iotest.ErrReader(broken)), 0); !errors.Is(err, broken) {
		t.Errorf("%v does not wrap the reader's error", err)
	}
	for _, a := range []*Array{{nil, nil}, {[]int{2}, []byte{1}}, {[]int{1}, []byte{1, 2}}, {[]int{0}, nil}, {[]int{-1}, []byte{1}}} {
		if err := Write(io.Discard, a); err == nil {
			t.Errorf("%v is written", a)
		}
	}
}

// A header may claim what it likes: memory follows the bytes that come.
func TestMemoryFollowsTheBytes(t *testing.T) {
	head := []byte{0, 0, 8, 3, 0, 0, 0xff, 0xff, 0, 0, 0x40, 0, 0, 0, 0, 1, 7} // 65535 x 16384 x 1 bytes = 1 GiB, one there
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := Read(bytes.NewReader(head), 0); err == nil {
		t.Fatal("no error")
	}
	runtime.ReadMemStats(&after)
	// The buffers take about 100 kB; 8 MiB is far from that and from 1 GiB.
	if n := after.TotalAlloc - before.TotalAlloc; n > 8<<20 {
		t.Errorf("%d bytes allocated for a file of %d bytes", n, len(head))
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte{0, 0, 8, 1, 0, 0, 0, 3, 1, 2, 3})
	f.Add([]byte{0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, 0, 9, 8, 7})
	f.Add([]byte{0, 0, 8, 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Add(compressed(f, []byte{0, 0, 8, 1, 0, 0, 0, 1, 1}))
	f.Add(compressed(f, append([]byte{0, 0, 8, 1, 0, 1, 0, 0}, make([]byte, 1<<16)...)))
	f.Fuzz(func(t *testing.T, b []byte) {
		const limit = 1 << 20
		a, err := Read(bytes.NewReader(b), limit)
		if err != nil {
			return
		}
		if len(a.Data) > limit {
			t.Fatalf("%d bytes over the limit", len(a.Data))
		}
		var out bytes.Buffer
		if err := Write(&out, a); err != nil {
			t.Fatal(err)
		}
		again, err := Read(&out, limit)
		if err != nil || !slices.Equal(again.Dims, a.Dims) || !bytes.Equal(again.Data, a.Data) {
			t.Fatalf("%v comes back as %v: %v", a.Dims, again, err)
		}
	})
}

func Example() {
	f, err := os.CreateTemp("", "labels-idx1-ubyte")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.Remove(f.Name())
	defer f.Close()
	Write(f, &Array{Dims: []int{3}, Data: []byte{5, 0, 4}})
	f.Seek(0, io.SeekStart)
	a, err := Read(f, 0)
	fmt.Println(a.Dims, a.Data, err)
	// Output: [3] [5 0 4] <nil>
}
