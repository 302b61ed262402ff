package antibody

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
)

// readFile adds the records of one file to in, and its bytes as they stand on disk to sum.
func (in *input) readFile(ctx context.Context, path string, sum hash.Hash) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("antibody: %w", err)
	}
	defer f.Close()
	if st, err := f.Stat(); err == nil && st.IsDir() {
		return fmt.Errorf("antibody: %s is a directory; name the files in it", path)
	}
	return in.read(contextReader{ctx, f}, path, sum)
}

// read adds the records of an open file called path.
func (in *input) read(r io.Reader, path string, sum hash.Hash) error {
	raw := io.TeeReader(r, sum)
	text, err := lines.Gunzip(raw)
	if err != nil {
		return fmt.Errorf("antibody: %s: %w", path, err)
	}
	before := len(in.records)
	format, err := detect(text)
	switch {
	case err != nil:
		err = fmt.Errorf("antibody: %s: %w", path, err)
	case format == "FASTA":
		err = in.readFASTA(text, path)
	default:
		format, err = in.readTable(text, path)
	}
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, raw); err != nil {
		return fmt.Errorf("antibody: %s: %w", path, err)
	}
	in.sources = append(in.sources, fmt.Sprintf("%s (%s, %d records)", filepath.Base(path), format, len(in.records)-before))
	return nil
}

// detect tells FASTA from a table by the first line that says something.
func detect(text *bufio.Reader) (string, error) {
	head, err := text.Peek(4 << 10)
	if err != nil && err != io.EOF {
		return "", err
	}
	head = bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	for line := range bytes.Lines(head) {
		line = bytes.TrimSpace(line)
		switch {
		case len(line) == 0, line[0] == '#':
		case line[0] == '>':
			return "FASTA", nil
		case bytes.ContainsAny(line, "\t,"):
			return "table", nil
		default:
			return "", fmt.Errorf("neither FASTA ('>') nor a table with a header, tab-separated or CSV; it begins with %.40q", line)
		}
	}
	if len(bytes.TrimSpace(head)) == 0 {
		return "", fmt.Errorf("the file is empty")
	}
	return "", fmt.Errorf("neither FASTA nor a table: nothing but comments at its beginning")
}

// readFASTA reads one chain a record, or VH:VL.
func (in *input) readFASTA(text io.Reader, path string) error {
	r, err := fasta.NewReader(text, path)
	if err != nil {
		return fmt.Errorf("antibody: %w", err)
	}
	r.MaxSequence = 4 * maxLetters
	for n := 1; ; n++ {
		rec, err := r.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("antibody: %w", err)
		}
		out := record{id: rec.ID, where: fmt.Sprintf("%s: record %d (id %s)", path, n, rec.ID)}
		vh, vl, pair := strings.Cut(string(rec.Seq), ":")
		out.chain[heavy].seq, out.chain[light].seq = vh, vl
		out.single = !pair
		if err := in.add(out); err != nil {
			return err
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
