package lines

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

func all(r *Reader) (out []string, err error) {
	for {
		line, err := r.Next()
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		out = append(out, string(line))
	}
}

func zipped(t testing.TB, s string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, s); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestNext(t *testing.T) {
	wide := strings.Repeat("x", 3*bufferSize)
	for _, tc := range []struct {
		name, in string
		want     []string
	}{
		{"empty", "", nil},
		{"one without ending", "a", []string{"a"}},
		{"endings LF and CRLF, an empty line", "a\n\r\nb\r\n", []string{"a", "", "b"}},
		{"byte order mark", "\xef\xbb\xbfa\nb", []string{"a", "b"}},
		{"wider than the buffer", wide + "\n" + wide, []string{wide, wide}},
		{"gzip", zipped(t, "a\nb\n"), []string{"a", "b"}},
		{"gzip in two members", zipped(t, "a\nb") + zipped(t, "c\n"), []string{"a", "bc"}},
		{"byte order mark in gzip", zipped(t, "\xef\xbb\xbfa"), []string{"a"}},
		{"one byte", "\x1f", []string{"\x1f"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, err := NewReader(strings.NewReader(tc.in))
			if err != nil {
				t.Fatal(err)
			}
			got, err := all(r)
			if err != nil || !slices.Equal(got, tc.want) {
				t.Errorf("got %.40q, %v; want %.40q", got, err, tc.want)
			}
			if r.Number() != len(tc.want) {
				t.Errorf("Number after the end is %d, want %d", r.Number(), len(tc.want))
			}
		})
	}
}

func TestLimit(t *testing.T) {
	for _, in := range []string{"1234\n12345\n", "1234\n12345\r\n"} {
		r, err := NewReader(strings.NewReader(in))
		if err != nil {
			t.Fatal(err)
		}
		r.Max = 5
		if got, err := all(r); err != nil || len(got) != 2 {
			t.Errorf("lines of the limit: %q, %v", got, err)
		}
	}
	endless := io.MultiReader(strings.NewReader("short\n"), repeat('x'))
	r, err := NewReader(endless)
	if err != nil {
		t.Fatal(err)
	}
	r.Max = 1 << 20
	got, err := all(r)
	if !errors.Is(err, ErrTooLong) || !strings.Contains(err.Error(), "line 2") || len(got) != 1 {
		t.Errorf("endless line: %d lines, error %v", len(got), err)
	}
	if cap(r.long) > 4<<20 {
		t.Errorf("an endless line took %d bytes", cap(r.long))
	}
}

// repeat is an endless reader of one byte.
type repeat byte

func (c repeat) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(c)
	}
	return len(p), nil
}

func TestDamagedGzip(t *testing.T) {
	whole := zipped(t, strings.Repeat("line\n", 1000))
	for _, tc := range []struct{ name, in string }{
		{"cut off", whole[:len(whole)-9]},
		{"only magic", "\x1f\x8b"},
		{"wrong sum", whole[:len(whole)-8] + "\x00\x00\x00\x00" + whole[len(whole)-4:]},
	} {
		r, err := NewReader(strings.NewReader(tc.in))
		if err == nil {
			_, err = all(r)
		}
		if err == nil {
			t.Errorf("%s: no error", tc.name)
		}
	}
}

func FuzzNext(f *testing.F) {
	f.Add([]byte("a\r\n\nb"))
	f.Add([]byte(zipped(f, "a\nb")))
	f.Fuzz(func(t *testing.T, in []byte) {
		r, err := NewReader(bytes.NewReader(in))
		if err != nil {
			return
		}
		r.Max = 1 << 12
		for {
			line, err := r.Next()
			if err != nil {
				return
			}
			if len(line) > r.Max+2 || bytes.ContainsRune(line, '\n') {
				t.Fatalf("a line of %d bytes, or with a line end in it", len(line))
			}
		}
	})
}
