package stockholm

import (
	"bytes"
	"fmt"
	"io"

	"pfgmgen/io/lines"
)

// A Reader yields alignments. It is not safe for concurrent use.
type Reader struct {
	MaxAlignment int // bytes of text of one alignment; zero means the constant of that name

	name  string
	lines *lines.Reader
	count int // alignments read
}

// NewReader reads from r. name stands in errors and is usually the file's name.
func NewReader(r io.Reader, name string) (*Reader, error) {
	l, err := lines.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("stockholm: %s: %w", name, err)
	}
	return &Reader{name: name, lines: l}, nil
}

// Read returns the next alignment, and io.EOF after the last. A file without any alignment is an error, as is one that
// ends before `//`: it is likely cut off.
func (r *Reader) Read() (*Alignment, error) {
	if err := r.open(); err != nil {
		return nil, err
	}
	limit := r.MaxAlignment
	if limit == 0 {
		limit = MaxAlignment
	}
	b := builder{rows: make(map[string]*part)}
	for size := 0; ; {
		line, err := r.lines.Next()
		if err == io.EOF {
			return nil, r.errorf("alignment %d: %w: the file ends without `//`; is it cut off?", r.count+1, ErrFormat)
		}
		if err != nil {
			return nil, r.errorf("%w", err)
		}
		if size += len(line) + 1; size > limit {
			return nil, r.errorf("alignment %d: %w: over %d bytes", r.count+1, ErrFormat, limit)
		}
		if bytes.Equal(bytes.TrimSpace(line), []byte("//")) {
			break
		}
		if err := b.add(line); err != nil {
			return nil, r.errorf("line %d: %w", r.lines.Number(), err)
		}
	}
	a, err := b.finish()
	if err != nil {
		return nil, r.errorf("alignment %d: %w", r.count+1, err)
	}
	r.count++
	return a, nil
}

// open reads up to and with the header line.
func (r *Reader) open() error {
	for {
		line, err := r.lines.Next()
		switch {
		case err == io.EOF && r.count > 0:
			return io.EOF
		case err == io.EOF:
			return r.errorf("%w: the file is empty", ErrFormat)
		case err != nil:
			return r.errorf("%w", err)
		case len(bytes.TrimSpace(line)) == 0:
		case bytes.HasPrefix(line, []byte("# STOCKHOLM 1.")):
			return nil
		default:
			return r.errorf("line %d: %w: `# STOCKHOLM 1.0` expected, not %.40q", r.lines.Number(), ErrFormat, line)
		}
	}
}

func (r *Reader) errorf(format string, args ...any) error {
	return fmt.Errorf("stockholm: %s: "+format, append([]any{r.name}, args...)...)
}
