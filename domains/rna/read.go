package rna

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"

	"pfgmgen/io/fasta"
	"pfgmgen/io/lines"
	"pfgmgen/io/stockholm"
)

// readFile adds the records of one file to in, and its bytes as they stand on disk to sum.
func (in *input) readFile(ctx context.Context, path string, sum hash.Hash) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("rna: %w", err)
	}
	defer f.Close()
	if st, err := f.Stat(); err == nil && st.IsDir() {
		return fmt.Errorf("rna: %s is a directory; name the files in it", path)
	}
	return in.read(contextReader{ctx, f}, path, sum)
}

// read adds the records of an open file called path.
func (in *input) read(r io.Reader, path string, sum hash.Hash) error {
	raw := io.TeeReader(r, sum)
	text, err := lines.Gunzip(raw)
	if err != nil {
		return fmt.Errorf("rna: %s: %w", path, err)
	}
	before := len(in.records)
	format, err := detect(text)
	switch {
	case err != nil:
		err = fmt.Errorf("rna: %s: %w", path, err)
	case format == "Stockholm":
		err = in.readStockholm(text, path)
	case format == "FASTA":
		err = in.readFASTA(text, path)
	default:
		err = in.readTable(text, path)
	}
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, raw); err != nil {
		return fmt.Errorf("rna: %s: %w", path, err)
	}
	in.sources = append(in.sources, fmt.Sprintf("%s (%s, %d records)", filepath.Base(path), format, len(in.records)-before))
	return nil
}

// detect tells the format from the first line that says something.
func detect(text *bufio.Reader) (string, error) {
	head, err := text.Peek(4 << 10)
	if err != nil && err != io.EOF {
		return "", err
	}
	head = bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	if len(bytes.TrimSpace(head)) == 0 {
		return "", fmt.Errorf("the file is empty")
	}
	if bytes.HasPrefix(bytes.TrimSpace(head), []byte("# STOCKHOLM")) {
		return "Stockholm", nil
	}
	for line := range bytes.Lines(head) {
		line = bytes.TrimSpace(line)
		switch {
		case len(line) == 0, line[0] == '#':
		case line[0] == '>':
			return "FASTA", nil
		case bytes.Contains(bytes.ToLower(line), []byte("sequence")):
			return "TSV", nil
		default:
			return "", fmt.Errorf("neither FASTA ('>'), Stockholm ('# STOCKHOLM 1.0') nor a TSV whose header has a column sequence; it begins with %.40q", line)
		}
	}
	return "", fmt.Errorf("neither FASTA, Stockholm nor TSV: nothing but comments at its beginning")
}

func (in *input) readFASTA(text io.Reader, path string) error {
	r, err := fasta.NewReader(text, path)
	if err != nil {
		return fmt.Errorf("rna: %w", err)
	}
	r.MaxSequence = maxLetters
	for n := 1; ; n++ {
		rec, err := r.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("rna: %w", err)
		}
		if err := in.add(path, n, record{id: rec.ID, text: rec.Seq}); err != nil {
			return err
		}
		in.plain++
	}
}

func (in *input) readStockholm(text io.Reader, path string) error {
	r, err := stockholm.NewReader(text, path)
	if err != nil {
		return fmt.Errorf("rna: %w", err)
	}
	for n := 1; ; {
		a, err := r.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("rna: %w", err)
		}
		in.alignments = append(in.alignments, alignment{path, stockholm.Lookup(a.GC, "SS_cons")})
		family := stockholm.Lookup(a.GF, "AC")
		for _, row := range a.Rows {
			if err := in.add(path, n, record{id: row.Name, text: row.Text, family: family, file: stem(path)}); err != nil {
				return err
			}
			n++
		}
		for _, f := range a.GF {
			if f.Tag == "CC" {
				in.setLicense(f.Text)
			}
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

// stem is a file's name without its folder and extensions, the family of a Stockholm file that names none.
func stem(path string) string {
	name, _, _ := strings.Cut(filepath.Base(path), ".")
	return name
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
