package fasta

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"
)

func readAll(in string) (out []Record, err error) {
	r, err := NewReader(strings.NewReader(in), "x.fa")
	if err != nil {
		return nil, err
	}
	for {
		rec, err := r.Read()
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		out = append(out, rec)
	}
}

func TestRead(t *testing.T) {
	var gz bytes.Buffer
	z := gzip.NewWriter(&gz)
	io.WriteString(z, ">a\nAC\n")
	z.Close()
	for _, tc := range []struct {
		name, in string
		want     []Record
	}{
		{"two records, wrapped", ">a first one\nACG\nU\n>b\nGG", []Record{
			{"a", "first one", []byte("ACGU"), 1}, {"b", "", []byte("GG"), 4}}},
		{"CRLF, empty lines, inner spaces", "\r\n>a\tx\r\nAC GU\r\n\r\n", []Record{{"a", "x", []byte("ACGU"), 2}}},
		{"space after the mark, no sequence", "> a x\n>b\n-A\n", []Record{{"a", "x", nil, 1}, {"b", "", []byte("-A"), 2}}},
		{"gzip", gz.String(), []Record{{"a", "", []byte("AC"), 1}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := readAll(tc.in)
			if err != nil || !reflect.DeepEqual(got, tc.want) {
				t.Errorf("got %+v, %v; want %+v", got, err, tc.want)
			}
		})
	}
}

func TestReadErrors(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"empty", "", "x.fa: not FASTA: no record"},
		{"only white space", "\n  \n", "x.fa: not FASTA: no record"},
		{"no header", "\nACGU\n", "x.fa: line 2: not FASTA: begins with 'A'"},
		{"binary in a sequence", ">a\nAC\n>b\nAC\x01G\n", "x.fa: record 2 (id b), position 3: not FASTA: byte 0x01 on line 4"},
		{"old line ends", ">a\rACGU\r", "control character 0x0d in the header"},
		{"cut gzip", "\x1f\x8b\x08", "x.fa"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := readAll(tc.in)
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.HasPrefix(err.Error(), "fasta: ") {
				t.Errorf("error %v, want it to hold %q", err, tc.want)
			}
		})
	}
}

func TestReadBounded(t *testing.T) {
	r, err := NewReader(strings.NewReader(">a\nACGUA\n"), "x.fa")
	if err != nil {
		t.Fatal(err)
	}
	r.MaxSequence = 4
	if _, err := r.Read(); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), "over 4 letters") {
		t.Errorf("error %v", err)
	}
}

func TestWriteRefuses(t *testing.T) {
	for _, rec := range []Record{
		{ID: "a b"}, {ID: "a\n>b"}, {ID: "a", Desc: "x\n"}, {ID: "a", Desc: " x"}, {Desc: "x"},
		{ID: "a", Seq: []byte("A C")}, {ID: "a", Seq: []byte("A\n>")}, {ID: "a", Seq: []byte{0xff}},
	} {
		var b bytes.Buffer
		if err := Write(&b, rec, 0); err == nil || b.Len() > 0 {
			t.Errorf("%+v: error %v, %d bytes written", rec, err, b.Len())
		}
	}
	if err := Write(fullDisk{}, Record{ID: "a"}, 0); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("a failing writer gives %v", err)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func FuzzRead(f *testing.F) {
	f.Add([]byte(">a b\nACGU\n>c\n\n"), 3)
	f.Add([]byte("\x1f\x8b"), 0)
	f.Fuzz(func(t *testing.T, in []byte, width int) {
		r, err := NewReader(bytes.NewReader(in), "fuzz")
		if err != nil {
			return
		}
		r.MaxSequence = 1 << 12
		r.lines.Max = 1 << 13
		for {
			rec, err := r.Read()
			if err != nil {
				return
			}
			var b bytes.Buffer
			if Write(&b, rec, width%100) != nil {
				continue
			}
			back, err := readAll(b.String())
			if err != nil || len(back) != 1 {
				t.Fatalf("written as %q: %d records, %v", b.Bytes(), len(back), err)
			}
			if back[0].ID != rec.ID || back[0].Desc != rec.Desc || !bytes.Equal(back[0].Seq, rec.Seq) {
				t.Fatalf("%+v became %+v", rec, back[0])
			}
		}
	})
}

func Example() {
	r, err := NewReader(strings.NewReader(">tRNA1 alanine\nGGGCCC\nAUAGCU\n"), "trna.fa")
	if err != nil {
		fmt.Println(err)
		return
	}
	for {
		rec, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		rec.Desc = fmt.Sprintf("length=%d", len(rec.Seq))
		if err := Write(os.Stdout, rec, 8); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// >tRNA1 length=12
	// GGGCCCAU
	// AGCU
}
