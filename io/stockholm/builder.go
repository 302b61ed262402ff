package stockholm

import (
	"bytes"
	"fmt"
	"strings"
)

// A builder puts the lines of one alignment together.
type builder struct {
	a     Alignment
	rows  map[string]*part
	order []string
	gc    []*track
	gcAt  map[string]*track
	block int // counts runs of empty lines: a row stands at most once in each block
}

// A part is a row under construction.
type part struct {
	text  track
	gs    []Feature
	gr    []*track
	grAt  map[string]*track
	named bool // a row of the alignment, not only markup about one
}

// A track is text that grows by one piece per block.
type track struct {
	tag  string
	text []byte
	seen int // the block that its last piece stood in, from 1
}

func (t *track) extend(piece []byte, block int) error {
	if t.seen == block+1 {
		return fmt.Errorf("%w: %s stands twice in one block; parts of a wrapped alignment are separated by an empty line",
			ErrFormat, t.tag)
	}
	t.seen = block + 1
	t.text = append(t.text, piece...)
	return nil
}

// add takes one line between the header and the end mark.
func (b *builder) add(line []byte) error {
	for i, c := range line {
		// Only markup is free text, and may hold what is not ASCII.
		if (c < ' ' && c != '\t') || (c > '~' && line[0] != '#') {
			return fmt.Errorf("%w: byte 0x%02x at position %d is not text", ErrFormat, c, i+1)
		}
	}
	switch {
	case len(bytes.TrimSpace(line)) == 0:
		b.block++
		return nil
	case bytes.HasPrefix(line, []byte("#=GF")):
		return free(&b.a.GF, line[4:])
	case bytes.HasPrefix(line, []byte("#=GS")):
		name, rest := word(line[4:])
		if len(name) == 0 {
			return fmt.Errorf("%w: #=GS without a name", ErrFormat)
		}
		return free(&b.row(name).gs, rest)
	case bytes.HasPrefix(line, []byte("#=GC")):
		if b.gcAt == nil {
			b.gcAt = make(map[string]*track)
		}
		return b.track(&b.gc, b.gcAt, line[4:], "#=GC")
	case bytes.HasPrefix(line, []byte("#=GR")):
		name, rest := word(line[4:])
		if len(name) == 0 {
			return fmt.Errorf("%w: #=GR without a name", ErrFormat)
		}
		row := b.row(name)
		if row.grAt == nil {
			row.grAt = make(map[string]*track)
		}
		return b.track(&row.gr, row.grAt, rest, "#=GR "+string(name))
	case line[0] == '#':
		return nil // a comment
	}
	name, rest := word(line)
	text, extra := word(rest)
	if len(text) == 0 || len(extra) != 0 {
		return fmt.Errorf("%w: `name sequence` expected, not %.40q", ErrFormat, line)
	}
	row := b.row(name)
	if !row.named {
		row.named = true
		b.order = append(b.order, string(name))
	}
	return row.text.extend(text, b.block)
}

func (b *builder) row(name []byte) *part {
	row := b.rows[string(name)]
	if row == nil {
		row = &part{text: track{tag: "sequence " + string(name)}}
		b.rows[string(name)] = row
	}
	return row
}

// track takes `tag text` where text is one character per column.
func (b *builder) track(list *[]*track, at map[string]*track, rest []byte, what string) error {
	tag, rest := word(rest)
	text, extra := word(rest)
	if len(text) == 0 || len(extra) != 0 {
		return fmt.Errorf("%w: %s: `tag text` expected, the text without spaces", ErrFormat, what)
	}
	t := at[string(tag)]
	if t == nil {
		t = &track{tag: what + " " + string(tag)}
		at[string(tag)] = t
		*list = append(*list, t)
	}
	return t.extend(text, b.block)
}

// finish checks that everything has the same length.
func (b *builder) finish() (*Alignment, error) {
	if len(b.order) == 0 {
		return nil, fmt.Errorf("%w: no sequence in it", ErrFormat)
	}
	columns := len(b.rows[b.order[0]].text.text)
	check := func(t *track) error {
		if len(t.text) == columns {
			return nil
		}
		return fmt.Errorf("%w: %s has %d columns, sequence %s has %d",
			ErrRagged, t.tag, len(t.text), b.order[0], columns)
	}
	for _, name := range b.order {
		row := b.rows[name]
		out := Row{Name: name, Text: row.text.text, GS: row.gs}
		if err := check(&row.text); err != nil {
			return nil, err
		}
		for _, t := range row.gr {
			if err := check(t); err != nil {
				return nil, err
			}
			out.GR = append(out.GR, Feature{lastWord(t.tag), string(t.text)})
		}
		b.a.Rows = append(b.a.Rows, out)
	}
	for _, t := range b.gc {
		if err := check(t); err != nil {
			return nil, err
		}
		b.a.GC = append(b.a.GC, Feature{lastWord(t.tag), string(t.text)})
	}
	return &b.a, nil
}

// free takes `tag any text`.
func free(list *[]Feature, rest []byte) error {
	tag, text := word(rest)
	if len(tag) == 0 {
		return fmt.Errorf("%w: markup without a tag", ErrFormat)
	}
	*list = append(*list, Feature{string(tag), string(text)})
	return nil
}

// word cuts the first word off; both parts lose outer white space.
func word(s []byte) (first, rest []byte) {
	s = bytes.TrimSpace(s)
	i := bytes.IndexAny(s, " \t")
	if i < 0 {
		return s, nil
	}
	return s[:i], bytes.TrimSpace(s[i:])
}

func lastWord(s string) string { return s[strings.LastIndexByte(s, ' ')+1:] }
