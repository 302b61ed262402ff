package cifar

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// record is one with labels first, then pixels counting up from seed.
func record(seed byte, labels ...byte) []byte {
	out := bytes.Clone(labels)
	for i := range Pixels {
		out = append(out, seed+byte(i%251))
	}
	return out
}

func TestReader(t *testing.T) {
	for labels := 1; labels <= 2; labels++ {
		var text []byte
		for i := range 3 {
			text = append(text, record(byte(i), []byte{byte(i), byte(10 + i)}[:labels]...)...)
		}
		r := NewReader(iotest.HalfReader(bytes.NewReader(text)), labels)
		for i := range 3 {
			rec, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			want := record(byte(i))
			if len(rec.Labels) != labels || rec.Labels[0] != byte(i) || rec.Labels[labels-1] != byte(i+10*(labels-1)) || !bytes.Equal(rec.Pix, want) {
				t.Errorf("%d labels, record %d: %v, first pixels %v", labels, i, rec.Labels, rec.Pix[:4])
			}
		}
		if _, err := r.Next(); err != io.EOF {
			t.Errorf("after the last record: %v", err)
		}
	}
}

func TestErrors(t *testing.T) {
	r := NewReader(bytes.NewReader(append(record(1, 2), record(1, 2)[:100]...)), 1)
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	_, err := r.Next()
	if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "record 1 at byte 3073 ends after 100 of 3073 bytes") {
		t.Errorf("cut record: %v", err)
	}
	broken := errors.New("disk on fire")
	if _, err := NewReader(iotest.ErrReader(broken), 2).Next(); !errors.Is(err, broken) {
		t.Errorf("%v does not wrap the reader's error", err)
	}
	defer func() {
		if recover() == nil {
			t.Error("three labels do not panic")
		}
	}()
	NewReader(bytes.NewReader(nil), 3)
}

func FuzzReader(f *testing.F) {
	f.Add(record(3, 1), 1)
	f.Add(record(3, 1, 2), 2)
	f.Add([]byte{}, 1)
	f.Add(record(3, 1)[:3000], 1)
	f.Fuzz(func(t *testing.T, text []byte, labels int) {
		if labels != 1 && labels != 2 {
			return
		}
		r := NewReader(bytes.NewReader(text), labels)
		n := 0
		for {
			rec, err := r.Next()
			if err != nil {
				if whole := len(text)%RecordSize(labels) == 0; whole != (err == io.EOF) {
					t.Fatalf("%d bytes: %v", len(text), err)
				}
				break
			}
			at := n * RecordSize(labels)
			if !bytes.Equal(rec.Labels, text[at:at+labels]) || !bytes.Equal(rec.Pix, text[at+labels:at+RecordSize(labels)]) {
				t.Fatalf("record %d is not its bytes", n)
			}
			n++
		}
		if n != len(text)/RecordSize(labels) {
			t.Fatalf("%d records in %d bytes", n, len(text))
		}
	})
}

func Example() {
	r := NewReader(bytes.NewReader(append([]byte{6}, make([]byte, Pixels)...)), 1)
	for {
		rec, err := r.Next()
		if err == io.EOF {
			break
		}
		fmt.Println(rec.Labels, len(rec.Pix), err)
	}
	// Output: [6] 3072 <nil>
}
