package antibody

import (
	"io"
	"os"
	"strings"
	"testing"

	"pfgmgen/io/airr"
)

// rowsOf yields the rows of a shared table that are not of the training part, which the profiles were made from.
func rowsOf(t testing.TB, path string) func(yield func(airr.Row) bool) {
	t.Helper()
	return func(yield func(airr.Row) bool) {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		table, err := airr.NewReader(f, path)
		if err != nil {
			t.Fatal(err)
		}
		for {
			row, err := table.Read()
			if err == io.EOF {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if row.Get("split") != "train" && !yield(row) {
				return
			}
		}
	}
}

// agreement counts residues whose column is the recorded one.
type agreement struct {
	chains, found, anchors, cdr3, whole int
	framework, frameworkAll             int
	loops, loopsAll                     int
	disagree                            []string
}

// compare takes the recorded columns, "-" for none, up to 104 or 128, and the recorded CDR3.
func (a *agreement) compare(seq, columns, third string) {
	a.chains++
	n := numberChain(seq)
	if !n.found {
		return
	}
	a.found++
	anchors, whole := true, true
	for c := range len(columns) {
		want := columns[c]
		got := n.columns[c]
		if got == 0 {
			got = '-'
		}
		if want == '-' && got == '-' {
			continue
		}
		same := got == want
		whole = whole && same
		if isLoop := c >= 26 && c < 38 || c >= 55 && c < 65 || c >= 104 && c < 117; isLoop {
			a.loopsAll++
			if same {
				a.loops++
			}
		} else {
			a.frameworkAll++
			if same {
				a.framework++
			}
		}
		switch c + 1 {
		case 23, 41, 89, 104, 118:
			anchors = anchors && same
		}
	}
	if anchors {
		a.anchors++
	}
	if n.parts[cdr3] == third {
		a.cdr3++
	}
	if whole {
		a.whole++
	} else if len(a.disagree) < 12 {
		var got strings.Builder
		for _, c := range n.columns[:len(columns)] {
			if c == 0 {
				c = '-'
			}
			got.WriteByte(c)
		}
		a.disagree = append(a.disagree, columns+"\n"+got.String())
	}
}

func TestAgree(t *testing.T) {
	var b, h, k, l agreement
	for row := range rowsOf(t, bernat) {
		b.compare(row.Get("vh"), row.Get("imgt128"), row.Get("cdrh3"))
	}
	i := 0
	for row := range rowsOf(t, jaffe) {
		if i++; i%6 != 0 {
			continue
		}
		if c := row.Get("vh_imgt104"); c != "" {
			h.compare(row.Get("vh"), c, row.Get("cdrh3"))
		}
		if c := row.Get("vl_imgt104"); c != "" {
			if row.Get("light") == "kappa" {
				k.compare(row.Get("vl"), c, row.Get("cdrl3"))
			} else {
				l.compare(row.Get("vl"), c, row.Get("cdrl3"))
			}
		}
	}
	for _, a := range []*agreement{&b, &h, &k, &l} {
		t.Logf("%d chains, found %d, anchors %d, cdr3 %d, whole %d, framework %d/%d, loops %d/%d", a.chains, a.found, a.anchors, a.cdr3, a.whole, a.framework, a.frameworkAll, a.loops, a.loopsAll)
		for _, d := range a.disagree {
			t.Logf("\n%s", d)
		}
	}
}

func BenchmarkNumber(b *testing.B) {
	for row := range rowsOf(b, jaffe) {
		seq := row.Get("vh")
		for b.Loop() {
			numberChain(seq)
		}
		return
	}
}
