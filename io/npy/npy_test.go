package npy

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// file is a .npy file of version 1 with any header and content.
func file(header, data string) []byte {
	return []byte("\x93NUMPY\x01\x00" + string([]byte{byte(len(header)), byte(len(header) >> 8)}) + header + data)
}

func TestRoundTrip(t *testing.T) {
	for _, a := range []*Array{
		{"u1", []int{2, 3}, []byte{1, 2, 3, 4, 5, 6}},
		{"u1", []int{}, []byte{9}},
		{"f4", []int{1}, []byte{0, 0, 0x80, 0x3f}},
		{"i8", []int{0, 4}, []byte{}},
	} {
		var b bytes.Buffer
		if err := Write(&b, a); err != nil {
			t.Fatal(err)
		}
		if at := b.Len() - len(a.Data); at%64 != 0 || b.Bytes()[at-1] != '\n' {
			t.Errorf("values begin at byte %d", at)
		}
		got, err := Read(iotest.OneByteReader(&b), 0)
		if err != nil {
			t.Fatal(err)
		}
		if got.Type != a.Type || !slices.Equal(got.Dims, a.Dims) || !bytes.Equal(got.Data, a.Data) {
			t.Errorf("%v came back as %v", a, got)
		}
	}
}

// Headers in the forms that the format allows: either byte order, both quotes, any order of keys, Python 2 long numbers.
func TestValues(t *testing.T) {
	for _, tc := range []struct {
		header, data string
		want         []float64
	}{
		{"{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }   \n", "\x00\xff", []float64{0, 255}},
		{"{'descr': '|i1', 'fortran_order': False, 'shape': (2,), }", "\x00\xff", []float64{0, -1}},
		{"{'descr': '|b1', 'fortran_order': False, 'shape': (2,), }", "\x00\x01", []float64{0, 1}},
		{"{'descr': '<u2', 'fortran_order': False, 'shape': (1L,), }", "\x02\x01", []float64{258}},
		{"{'descr': '>u2', 'fortran_order': False, 'shape': (1,), }", "\x01\x02", []float64{258}},
		{"{'descr': '<i2', 'fortran_order': False, 'shape': (1,), }", "\xfe\xff", []float64{-2}},
		{"{'descr': '<u4', 'fortran_order': False, 'shape': (1,), }", "\xff\xff\xff\xff", []float64{math.MaxUint32}},
		{"{'descr': '<i4', 'fortran_order': True, 'shape': (2,1), }", "\xff\xff\xff\xff\x01\x00\x00\x00", []float64{-1, 1}},
		{"{'shape': (), 'fortran_order': False, \"descr\": '<i8'}", "\xff\xff\xff\xff\xff\xff\xff\xff", []float64{-1}},
		{"{'descr': '<u8', 'fortran_order': False, 'shape': (1,), }", "\x01\x00\x00\x00\x00\x00\x00\x00", []float64{1}},
		{"{'descr': '>f4', 'fortran_order': False, 'shape': (1, 1), }", "\x3f\x80\x00\x00", []float64{1}},
		{"{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }", "\x00\x00\x00\x00\x00\x00\xe0\xbf", []float64{-0.5}},
	} {
		a, err := Read(bytes.NewReader(file(tc.header, tc.data)), 0)
		if err != nil {
			t.Errorf("%s: %v", tc.header, err)
			continue
		}
		for i, want := range tc.want {
			v, ok := a.Float(i)
			if !ok || v != want || a.Len() != len(tc.want) {
				t.Errorf("%s: value %d of %d is %v, %v", tc.header, i, a.Len(), v, ok)
			}
			n, ok := a.Int(i)
			if float := a.Type[0] == 'f'; ok == float || ok && float64(n) != want {
				t.Errorf("%s: as integer %d, %v", tc.header, n, ok)
			}
		}
	}
	a := &Array{"u8", []int{1}, []byte("\xff\xff\xff\xff\xff\xff\xff\xff")}
	if _, ok := a.Int(0); ok {
		t.Error("2^64-1 is taken for an int64")
	}
}

func TestErrors(t *testing.T) {
	good := "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }"
	for _, tc := range []struct {
		name string
		text []byte
		want string
	}{
		{"empty", nil, "magic string at byte 0"},
		{"other file", []byte("PK\x03\x04........"), "begins with"},
		{"version", []byte("\x93NUMPY\x09\x00\x00\x00"), "byte 6: format version 9"},
		{"no length", []byte("\x93NUMPY\x02\x00\x00"), "header length"},
		{"long header", []byte("\x93NUMPY\x02\x00\xff\xff\xff\xff"), "header of 4294967295 bytes"},
		{"short header", file(good, "")[:30], "header: unexpected EOF"},
		{"cut", file(good, "12345"), "ends after 5 of 6 bytes"},
		{"longer", file(good, "1234567"), "more bytes after the values"},
		{"objects", file("{'descr': '|O', 'fortran_order': False, 'shape': (2,)}", ""), `type "|O"`},
		{"strings", file("{'descr': '<U5', 'fortran_order': False, 'shape': (2,)}", ""), `type "<U5" is not read`},
		{"structured", file("{'descr': [('a', '<i4')], 'fortran_order': False, 'shape': (2,)}", ""), "want a quoted string"},
		{"column-major", file("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3)}", "123456"), "ascontiguousarray"},
		{"huge", file("{'descr': '<f8', 'fortran_order': False, 'shape': (2147483647, 2147483647)}", ""), "over 1000 bytes"},
		{"negative", file("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}", ""), "want a dimension"},
		{"too long a number", file("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,)}", ""), "want a dimension"},
		{"many dimensions", file("{'descr': '<f8', 'fortran_order': False, 'shape': ("+strings.Repeat("1,", 33)+")}", ""), "at most 32"},
		{"no shape", file("{'descr': '<f8', 'fortran_order': False}", ""), "want the keys"},
		{"twice", file("{'descr': '<f8', 'descr': '<f8'}", ""), "comes twice"},
		{"other key", file("{'evil': 'x'}", ""), "is none of descr"},
		{"open", file("{'descr': '<f8'", ""), "want , or }"},
		{"code", file("__import__('os')", ""), "want {"},
		{"behind", file(good+" x", "123456"), "want nothing more"},
	} {
		_, err := Read(bytes.NewReader(tc.text), 1000)
		if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.HasPrefix(err.Error(), "npy: ") {
			t.Errorf("%s: %v lacks %q", tc.name, err, tc.want)
		}
	}
	broken := errors.New("disk on fire")
	if _, err := Read(io.MultiReader(bytes.NewReader(file(good, "1")), iotest.ErrReader(broken)), 0); !errors.Is(err, broken) {
		t.Errorf("%v does not wrap the reader's error", err)
	}
	for _, a := range []*Array{{"U5", []int{1}, nil}, {"u1", []int{2}, []byte{1}}, {"u1", []int{-1}, nil}} {
		if err := Write(io.Discard, a); err == nil {
			t.Errorf("%v is written", a)
		}
	}
}

// archive is an .npz file with the given entries.
func archive(t testing.TB, entries ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(entries); i += 2 {
		w, err := z.Create(entries[i])
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, entries[i+1])
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const three = "{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }"

func TestArchive(t *testing.T) {
	b := archive(t, "y.npy", string(file(three, "123")), "x.npy", string(file(three, "456")))
	a, err := NewArchive(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(a.Names(), []string{"x", "y"}) {
		t.Errorf("names %v", a.Names())
	}
	if x, err := a.Read("x", 0); err != nil || string(x.Data) != "456" {
		t.Errorf("x is %v, %v", x, err)
	}
	if _, err := a.Read("x", 2); !errors.Is(err, ErrTooLarge) || !strings.Contains(err.Error(), `"x"`) {
		t.Errorf("over the limit: %v", err)
	}
	if _, err := a.Read("z", 0); err == nil || !strings.Contains(err.Error(), `no array "z"`) {
		t.Errorf("no such array: %v", err)
	}
	for _, tc := range []struct {
		text []byte
		want string
	}{
		{nil, "archive"},
		{b[:len(b)-5], "archive"},
		{archive(t, "x.png", "?"), "no .npy file"},
		{archive(t, "x.npy", "?", "x.npy", "?"), "comes twice"},
	} {
		if _, err := NewArchive(bytes.NewReader(tc.text), int64(len(tc.text))); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%v lacks %q", err, tc.want)
		}
	}
}

// Neither a header nor a compressed stream of zeros takes more memory than the limit allows.
func TestBombs(t *testing.T) {
	zeros := strings.Repeat("\x00", 16<<20)
	big := "{'descr': '|u1', 'fortran_order': False, 'shape': (16777216,), }"
	bomb := archive(t, "x.npy", string(file(big, zeros)), "y.npy", string(file(three, zeros)), "z.npy", string(file(big, "1")))
	if len(bomb) > 1<<20 {
		t.Fatalf("the bomb has %d bytes", len(bomb))
	}
	a, err := NewArchive(bytes.NewReader(bomb), int64(len(bomb)))
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, name := range a.Names() {
		if _, err := a.Read(name, 1<<20); err == nil {
			t.Errorf("%s is read", name)
		}
	}
	if _, err := a.Read("z", 0); err == nil { // within the limit, but one byte of 16 MiB is there
		t.Error("z is read")
	}
	runtime.ReadMemStats(&after)
	// Inflating needs about 50 kB a stream; 4 MiB is far from that and from 16 MiB.
	if n := after.TotalAlloc - before.TotalAlloc; n > 4<<20 {
		t.Errorf("%d bytes allocated", n)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(file(three, "123"))
	f.Add(file("{'descr': '>f4', 'fortran_order': False, 'shape': (1, 1), }", "\x3f\x80\x00\x00"))
	f.Add(file("{'descr': '<f8', 'fortran_order': True, 'shape': (2147483647, 0)}", ""))
	f.Add([]byte("\x93NUMPY\x02\x00\x03\x00\x00\x00{}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		const limit = 1 << 20
		a, err := Read(bytes.NewReader(b), limit)
		if err != nil {
			return
		}
		if len(a.Data) > limit {
			t.Fatalf("%d bytes over the limit", len(a.Data))
		}
		for i := range min(a.Len(), 10) {
			a.Int(i)
			a.Float(i)
		}
		var out bytes.Buffer
		if err := Write(&out, a); err != nil {
			t.Fatal(err)
		}
		again, err := Read(&out, limit)
		if err != nil || again.Type != a.Type || !slices.Equal(again.Dims, a.Dims) || !bytes.Equal(again.Data, a.Data) {
			t.Fatalf("%s %v comes back as %v: %v", a.Type, a.Dims, again, err)
		}
	})
}

func FuzzArchive(f *testing.F) {
	f.Add(archive(f, "x.npy", string(file(three, "123")), "y.npy", string(file(three, "456"))))
	f.Add(archive(f, "x.npy", string(file(three, "1"))))
	f.Add(archive(f))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := NewArchive(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		for _, name := range a.Names() {
			if x, err := a.Read(name, 1<<16); err == nil && len(x.Data) > 1<<16 {
				t.Fatalf("%d bytes over the limit", len(x.Data))
			}
		}
	})
}

func Example() {
	var b bytes.Buffer
	Write(&b, &Array{Type: "u1", Dims: []int{2, 2}, Data: []byte{1, 2, 3, 4}})
	a, err := Read(&b, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	v, _ := a.Int(3)
	fmt.Println(a.Type, a.Dims, v)
	// Output: u1 [2 2] 4
}
