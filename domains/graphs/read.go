package graphs

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"pfgmgen/internal/chem"
	"pfgmgen/internal/splits"
	"pfgmgen/io/lines"
	"pfgmgen/io/sdf"
	"pfgmgen/io/smiles"
)

// Formats of a single file.
const (
	kekuleTable = "TSV of atoms and bonds"
	smilesTable = "table with SMILES"
	smilesLines = "SMILES"
	sdFile      = "SDF"
	edgeList    = "edge list"
	graph6Lines = "graph6"
	nodeLink    = "node-link JSON"
	graphML     = "GraphML"
)

// readFile adds the records of one file to in, and its bytes as they stand on disk to sum.
func (in *input) readFile(ctx context.Context, path string, sum hash.Hash) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if st, err := f.Stat(); err == nil && st.IsDir() {
		return fmt.Errorf("%s is a directory; name the files in it", path)
	}
	return in.read(contextReader{ctx, f}, path, sum)
}

// read adds the records of an open file called path.
func (in *input) read(r io.Reader, path string, sum hash.Hash) error {
	raw := io.TeeReader(r, sum)
	text, err := lines.Gunzip(raw)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	before := len(in.records)
	format, err := detect(text, path)
	switch {
	case err != nil:
		err = fmt.Errorf("%s: %w", path, err)
	case format == kekuleTable:
		err = in.readKekule(text, path)
	case format == smilesTable, format == smilesLines:
		err = in.readSMILES(text, path, format)
	case format == sdFile:
		err = in.readSDF(text, path)
	default:
		err = in.readGraphs(text, path, format)
	}
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, raw); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	in.sources = append(in.sources, fmt.Sprintf("%s (%s, %d records)", filepath.Base(path), format, len(in.records)-before))
	return nil
}

// detect tells the format from the first lines that say something. Where they could be SMILES as well as an edge list with
// names, or graph6, the end of the file's name decides, and without it they are SMILES.
func detect(text *bufio.Reader, path string) (string, error) {
	head, err := text.Peek(32 << 10)
	if err != nil && err != io.EOF && err != bufio.ErrBufferFull {
		return "", err
	}
	head = bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	if len(bytes.TrimSpace(head)) == 0 {
		return "", errors.New("the file is empty")
	}
	switch first := bytes.TrimSpace(head)[0]; {
	case molfile(head):
		return sdFile, nil
	case first == '<':
		return graphML, nil
	case first == '{', first == '[' && bytes.Contains(head, []byte(`"nodes"`)): // '[' begins a bracket atom too
		return nodeLink, nil
	}
	name := strings.TrimSuffix(path, ".gz")
	if strings.HasSuffix(name, ".g6") || strings.HasSuffix(name, ".s6") || looksGraph6(head) {
		return graph6Lines, nil
	}
	for line := range bytes.Lines(head) {
		line = bytes.TrimSpace(line)
		if bytes.HasPrefix(line, []byte("# graph")) {
			return edgeList, nil
		}
		if len(line) == 0 || line[0] == '#' || line[0] == '%' {
			continue
		}
		names := columnsOf(line)
		switch {
		case slices.Contains(names, "atoms") && slices.Contains(names, "bonds"):
			return kekuleTable, nil
		case len(names) > 1 && slices.ContainsFunc(names, func(s string) bool { return strings.HasSuffix(s, "smiles") }):
			return smilesTable, nil
		case isEdge(line), strings.HasSuffix(name, ".edgelist"):
			return edgeList, nil
		}
		return smilesLines, nil
	}
	return "", errors.New("nothing but comments at its beginning")
}

// molfile says whether the fourth line is the counts line of a molfile.
func molfile(head []byte) bool {
	number := 0
	for line := range bytes.Lines(head) {
		if number++; number == 4 {
			line = bytes.TrimSpace(line)
			return bytes.HasSuffix(line, []byte("V2000")) || bytes.HasSuffix(line, []byte("V3000"))
		}
	}
	return false
}

// looksGraph6 says whether a line of the head has a header of graph6 or sparse6, or holds only printable characters from
// '?' on, as graph6 does, and one of them that SMILES has not. A last line may be cut off by the end of the head.
func looksGraph6(head []byte) bool {
	for line := range bytes.Lines(head) {
		line = bytes.TrimSpace(line)
		if bytes.HasPrefix(line, []byte(">>graph6<<")) || bytes.HasPrefix(line, []byte(">>sparse6<<")) {
			return true
		}
		body := bytes.TrimPrefix(line, []byte(":"))
		within := !bytes.ContainsFunc(body, func(r rune) bool { return r < '?' || r > '~' })
		if len(body) > 0 && within && (len(body) < len(line) || bytes.ContainsAny(body, "?_`{|}~^")) {
			return true
		}
	}
	return false
}

// isEdge says whether a line begins with two whole numbers.
func isEdge(line []byte) bool {
	fields := strings.FieldsFunc(string(line), func(r rune) bool { return r == ' ' || r == '\t' || r == ',' })
	if len(fields) < 2 || len(fields) > 3 {
		return false
	}
	_, err1 := strconv.Atoi(fields[0])
	_, err2 := strconv.Atoi(fields[1])
	return err1 == nil && err2 == nil
}

// columnsOf splits a header line into lower-case names.
func columnsOf(line []byte) []string {
	separator := "\t"
	for _, s := range []string{",", ";"} {
		if !bytes.Contains(line, []byte(separator)) {
			separator = s
		}
	}
	names := strings.Split(strings.ToLower(string(line)), separator)
	for i, name := range names {
		names[i] = strings.Trim(strings.TrimSpace(name), `"`)
	}
	return names
}

// readKekule reads a TSV with the columns atoms ("C C O") and bonds ("0-1:1 1-2:2", atoms from 0 and the order), and
// perhaps id or smiles, class, and split.
func (in *input) readKekule(text io.Reader, path string) error {
	t, err := splits.NewTable(text, path, in.setLicense)
	if err != nil {
		return err
	}
	for {
		field, err := t.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		r := &record{id: field("id"), class: field("class")}
		if r.id == "" {
			r.id = field("smiles")
		}
		if t.Has("split") {
			if r.split, err = splits.Part(field("split")); err != nil {
				return fmt.Errorf("%s: line %d: %w", path, t.Line(), err)
			}
		}
		m, err := parseKekule(field("atoms"), field("bonds"))
		if err == nil {
			err = in.addMolecule(r, m)
		}
		if err != nil {
			return fmt.Errorf("%s: line %d: %w", path, t.Line(), err)
		}
	}
}

// parseKekule reads a molecule from its atoms and bonds.
func parseKekule(atoms, bonds string) (*chem.Molecule, error) {
	m := new(chem.Molecule)
	for _, name := range strings.Fields(atoms) {
		code, err := parseAtom(name)
		if err != nil {
			return nil, err
		}
		m.Atoms = append(m.Atoms, atomOf(code))
	}
	for _, s := range strings.Fields(bonds) {
		ends, order, ok := strings.Cut(s, ":")
		first, second, both := strings.Cut(ends, "-")
		i, err1 := strconv.Atoi(first)
		j, err2 := strconv.Atoi(second)
		o, err3 := strconv.Atoi(order)
		if !ok || !both || err1 != nil || err2 != nil || err3 != nil || o < 1 || o > 3 {
			return nil, fmt.Errorf("bond %.30q: want two atoms from 0 and an order of 1 to 3, as 0-1:2", s)
		}
		m.Bonds = append(m.Bonds, chem.Bond{I: min(i, j), J: max(i, j), Order: uint8(o)})
	}
	return m, nil
}

// readSMILES reads lines or a table. Of a table it takes the columns id or name, class, and split, when they are there.
func (in *input) readSMILES(text io.Reader, path, format string) error {
	var r *smiles.Reader
	var err error
	if format == smilesTable {
		r, err = smiles.NewTable(text, path, "")
	} else {
		r, err = smiles.NewReader(text, path)
	}
	if err != nil {
		return err
	}
	column := func(names ...string) int {
		for _, name := range names {
			if i := slices.IndexFunc(r.Header(), func(s string) bool { return strings.EqualFold(strings.TrimSpace(s), name) }); i >= 0 {
				return i
			}
		}
		return -1
	}
	id, class, split := column("id", "name"), column("class"), column("split")
	for n := 0; ; n++ {
		rec, err := r.Read()
		if err == io.EOF {
			return nil
		}
		// A file whose first line is no SMILES is no SMILES file.
		if errors.Is(err, smiles.ErrFormat) && (n > 0 || format == smilesTable) {
			if err := in.addUnreadable(err); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		added := &record{id: rec.Name}
		field := func(i int) string {
			if i < 0 || i >= len(rec.Fields) {
				return ""
			}
			return strings.TrimSpace(rec.Fields[i])
		}
		if added.class = field(class); id >= 0 {
			added.id = field(id)
		}
		if added.id == "" {
			added.id = rec.SMILES
		}
		if split >= 0 {
			if added.split, err = splits.Part(field(split)); err != nil {
				return fmt.Errorf("%s: line %d: %w", path, rec.Line, err)
			}
		}
		if err := in.addMolecule(added, rec.Molecule); err != nil {
			return fmt.Errorf("%s: line %d: %w", path, rec.Line, err)
		}
	}
}

// readSDF reads an SD file. The properties id, class and split are taken when they are there.
func (in *input) readSDF(text io.Reader, path string) error {
	r, err := sdf.NewReader(text, path)
	if err != nil {
		return err
	}
	for {
		rec, err := r.Read()
		if err == io.EOF {
			return nil
		}
		if errors.Is(err, sdf.ErrFormat) {
			if err := in.addUnreadable(err); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		added := &record{id: rec.Name, class: rec.Get("class")}
		if id := rec.Get("id"); id != "" {
			added.id = id
		}
		if s := rec.Get("split"); s != "" {
			if added.split, err = splits.Part(s); err != nil {
				return fmt.Errorf("%s: record at line %d: %w", path, rec.Line, err)
			}
		}
		if err := in.addMolecule(added, rec.Molecule); err != nil {
			return fmt.Errorf("%s: record at line %d: %w", path, rec.Line, err)
		}
	}
}

// setLicense takes a comment of the form "license: CC0"; the first one counts.
func (in *input) setLicense(comment string) {
	name, value, found := strings.Cut(comment, ":")
	switch strings.ToLower(strings.TrimSpace(name)) {
	case "license", "licence":
		if found && in.license == "" {
			in.license = strings.TrimSpace(value)
		}
	}
}

// A contextReader fails when its context is done.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
