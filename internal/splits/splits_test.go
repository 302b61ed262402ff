package splits

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func upper(s string) (string, error) {
	if strings.Contains(s, "?") {
		return "", fmt.Errorf("letter '?'")
	}
	return strings.ToUpper(s), nil
}

func TestRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.tsv")
	text := "# made up\nID\tsequence\tsplit\n\ne\tacgt\tvalid\nb\t\tTraining\nc\t\tdev\nd\t\ttest\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Read(path, upper)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ content, id, want string }{
		{"ACGT", "d", Valid}, {"AC", "d", Test}, {"AC", "b", Train}, {"", "c", Valid}, {"AC", "z", ""}, {"", "", ""}, {"AC", "e", Valid},
	} {
		if got := s.Part(tc.content, tc.id); got != tc.want {
			t.Errorf("%q, %q: %q, want %q", tc.content, tc.id, got, tc.want)
		}
	}
	if _, err := Read(path+".none", upper); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("a missing file: %v", err)
	}
}

func TestReadErrors(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"", "s.tsv: no header"},
		{"id\tpart\na\ttrain\n", "s.tsv: the header needs a column split"},
		{"split\na\n", "column id or sequence"},
		{"id\tsplit\na\tfoo\n", `s.tsv: line 2: split "foo"`},
		{"id\tsplit\na\ttrain\na\ttest\n", `line 3: "a" is in test here and in train above`},
		{"sequence\tsplit\na\ttrain\nA\ttest\n", `line 3: "A" is in test`},
		{"sequence\tsplit\na?\ttrain\n", "line 2: letter '?'"},
		{"id\tsplit\na\n", "line 2 has 1 fields, the header has 2"},
		{"id\tsplit\tID\n", `column "id" stands twice`},
		{"id\tsplit\n\x1f\x8b", "line 2 has 1 fields"},
	} {
		if _, err := read(strings.NewReader(tc.text), "s.tsv", upper); err == nil || !strings.Contains(err.Error(), tc.want) || !strings.HasPrefix(err.Error(), "split table ") {
			t.Errorf("%q gives %v, want %q", tc.text, err, tc.want)
		}
	}
}

func TestByHash(t *testing.T) {
	var all []string
	for i := range 2000 {
		all = append(all, fmt.Sprint(i))
	}
	held := 0
	for i, part := range ByHash(all) {
		h := sha256.Sum256([]byte(all[i]))
		if part == Valid {
			held++
		}
		if want := h[0] <= 25; part == Valid && !want || part == Train && h[0] < 25 { // 25.6/256 is a tenth
			t.Fatalf("%s with hash %x is in %s", all[i], h[:4], part)
		}
	}
	if held < 146 || held > 254 { // 200 with a standard deviation of 13.4
		t.Errorf("%d of 2000 held out", held)
	}
	for n := range 12 {
		count := make(map[string]int)
		for _, part := range ByHash(all[:n]) {
			count[part]++
		}
		if n > 1 && (count[Valid] == 0 || count[Train] == 0) || n == 1 && count[Train] != 1 || n == 0 && len(count) > 0 {
			t.Errorf("%d records: %v", n, count)
		}
	}
	if p := ByHash([]string{"a", "a"}); p[0] != Train || p[1] != Train {
		t.Errorf("one content twice: %v", p)
	}
}

func FuzzTable(f *testing.F) {
	f.Add([]byte("# c\nid\tsplit\na\ttrain\n\nb\ttest\n"))
	f.Add([]byte("\x1f\x8b\x08"))
	f.Fuzz(func(t *testing.T, in []byte) {
		read(bytes.NewReader(in), "fuzz", upper)
		table, err := NewTable(bytes.NewReader(in), "fuzz", func(string) {})
		if err != nil {
			return
		}
		for {
			field, err := table.Next()
			if err != nil {
				if err != io.EOF && !strings.HasPrefix(err.Error(), "fuzz: ") {
					t.Fatalf("error %q", err)
				}
				return
			}
			if field("no such column") != "" && !table.Has("no such column") {
				t.Fatal("a column out of nothing")
			}
		}
	})
}
