package graphs

import (
	"bytes"
	"context"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"pfgmgen/internal/chem"
	"pfgmgen/internal/splits"
	"pfgmgen/io/lines"
)

// readFile adds the records of one file to in, and its bytes as they stand on disk to sum.
func (in *input) readFile(ctx context.Context, path string, sum hash.Hash) error {
	if prefix, ok := tuPrefix(path); ok {
		return in.readTU(ctx, prefix, sum)
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	raw := io.TeeReader(contextReader{ctx, f}, sum)
	text, err := lines.Gunzip(raw)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	head, err := text.Peek(4 << 10)
	if err != nil && err != io.EOF {
		return fmt.Errorf("%s: %w", path, err)
	}
	before := len(in.records)
	first, _, _ := bytes.Cut(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), []byte("\n"))
	switch {
	case len(bytes.TrimSpace(head)) == 0:
		err = fmt.Errorf("%s: the file is empty", path)
	case bytes.Contains(first, []byte("atoms")) && bytes.Contains(first, []byte("bonds")):
		err = in.readMolecules(text, path)
	default:
		err = fmt.Errorf("%s: unknown format; it begins with %.40q", path, first)
	}
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, raw); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	in.sources = append(in.sources, fmt.Sprintf("%s (%d records)", filepath.Base(path), len(in.records)-before))
	return nil
}

// readMolecules reads a TSV with the columns atoms ("C C O") and bonds ("0-1:1 1-2:2", atoms from 0 and the order), and
// perhaps id or smiles, class, and split.
func (in *input) readMolecules(text io.Reader, path string) error {
	t, err := splits.NewTable(text, path, nil)
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
		if s := field("split"); s != "" {
			if r.split, err = splits.Part(s); err != nil {
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
		first, second, ok2 := strings.Cut(ends, "-")
		i, err1 := strconv.Atoi(first)
		j, err2 := strconv.Atoi(second)
		o, err3 := strconv.Atoi(order)
		if !ok || !ok2 || err1 != nil || err2 != nil || err3 != nil || o < 1 || o > 3 {
			return nil, fmt.Errorf("bond %.30q: want two atoms from 0 and an order of 1 to 3, as 0-1:2", s)
		}
		m.Bonds = append(m.Bonds, chem.Bond{I: min(i, j), J: max(i, j), Order: uint8(o)})
	}
	return m, nil
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
