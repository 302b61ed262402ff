package sdf

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"pfgmgen/internal/chem"
	"pfgmgen/io/lines"
)

// Limits of a record. V2000 has three columns for the numbers of atoms and bonds.
const (
	MaxCount      = 999     // atoms, and bonds, of a molecule
	maxLine       = 1 << 20 // bytes
	maxProperties = 1000    // fields of data
	maxData       = 4 << 20 // bytes of all of them
)

// ErrFormat is wrapped by every error that says that the input is no SD file, or holds no possible molecule.
var ErrFormat = errors.New("not SDF")

// A Property is one field of a record's data.
type Property struct {
	Name  string
	Value string // its lines, joined by line feeds
}

// A Record is one molecule of a file.
type Record struct {
	Molecule   *chem.Molecule
	Name       string // the first line, without outer white space
	Properties []Property
	Line       int // of the name, from 1
}

// Get is the value of the first property of that name, "" when there is none.
func (r *Record) Get(name string) string {
	for _, p := range r.Properties {
		if p.Name == name {
			return p.Value
		}
	}
	return ""
}

// A Reader yields the records of a file. It is not safe for concurrent use.
type Reader struct {
	name   string
	lines  *lines.Reader
	count  int // records begun
	record Record
	inside bool // of a record that was given up
}

// NewReader reads from r, decompressing when needed. name stands in errors and is usually the file's name.
func NewReader(r io.Reader, name string) (*Reader, error) {
	l, err := lines.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("sdf: %s: %w", name, err)
	}
	l.Max = maxLine
	return &Reader{name: name, lines: l}, nil
}

// Read returns the next record, and io.EOF after the last. A file without any is an error. After an error that wraps
// ErrFormat reading may go on behind the record's end; other errors are final.
func (r *Reader) Read() (Record, error) {
	for r.inside {
		line, err := r.lines.Next()
		if err == io.EOF {
			return Record{}, io.EOF
		}
		if err != nil {
			return Record{}, fmt.Errorf("sdf: %s: %w", r.name, err)
		}
		r.inside = !ends(line)
	}
	head, err := r.head()
	if err == io.EOF {
		if r.count == 0 {
			return Record{}, fmt.Errorf("sdf: %s: %w: no record in it", r.name, ErrFormat)
		}
		return Record{}, io.EOF
	}
	if err == nil {
		err = r.body(head)
	}
	if err != nil {
		return Record{}, err
	}
	return r.record, nil
}

func ends(line []byte) bool { return bytes.HasPrefix(line, []byte("$$$$")) }

// fail is an error of the record on the line read last.
func (r *Reader) fail(format string, args ...any) error {
	name := ""
	if r.record.Name != "" {
		name = fmt.Sprintf(" (%.40s)", r.record.Name)
	}
	return fmt.Errorf("sdf: %s: record %d%s, line %d: %w: %s", r.name, r.count, name, r.lines.Number(), ErrFormat, fmt.Sprintf(format, args...))
}

// next is the next line of a record that must not end here.
func (r *Reader) next(want string) ([]byte, error) {
	line, err := r.lines.Next()
	switch {
	case err == io.EOF:
		r.inside = false
		return nil, r.fail("the file ends where %s is expected", want)
	case err != nil:
		return nil, fmt.Errorf("sdf: %s: %w", r.name, err)
	case ends(line):
		r.inside = false
		return nil, r.fail("the record ends where %s is expected", want)
	}
	return line, nil
}

// head reads the three lines before the counts and returns the line with the counts; io.EOF when only white space is left.
func (r *Reader) head() (counts []byte, err error) {
	r.record = Record{}
	r.count++
	blank := true
	for k := 0; ; k++ {
		line, err := r.lines.Next()
		if err == io.EOF {
			if blank {
				r.count--
				return nil, io.EOF
			}
			return nil, r.fail("the file ends within the header of a record")
		}
		if err != nil {
			return nil, fmt.Errorf("sdf: %s: %w", r.name, err)
		}
		if ends(line) {
			return nil, r.fail("the record ends within its header")
		}
		if k == 0 {
			r.record.Name, r.record.Line = string(bytes.TrimSpace(line)), r.lines.Number()
		}
		blank = blank && len(bytes.TrimSpace(line)) == 0
		// Empty lines to the end of the file are no record, however many.
		if k >= 3 && !blank {
			return line, nil
		}
	}
}

// body reads the rest of a record. After an error it leaves inside true unless the end of the record was read.
func (r *Reader) body(counts []byte) error {
	r.inside = true
	m, err := r.molfile(counts)
	if err != nil {
		return err
	}
	r.record.Molecule = m
	if err := r.data(); err != nil {
		return err
	}
	r.inside = false
	return nil
}

// A molfile is what the lines of one say, before the rules of valence are applied.
type molfile struct {
	m        chem.Molecule
	valence  []int // the stated one, -1 where it is not
	line     []int // of each atom
	aromatic []bool
	mobile   []bool // bonds
}

// molfile reads from the counts to M END.
func (r *Reader) molfile(counts []byte) (*chem.Molecule, error) {
	version := strings.TrimSpace(columns(counts, 33, 39))
	if version == "V3000" {
		return nil, r.fail("V3000 is not read, want V2000")
	}
	if version != "" && version != "V2000" {
		return nil, r.fail("version %.10q, want V2000", version)
	}
	atoms, err := r.integer(counts, 0, 3, "the number of atoms", 0, MaxCount)
	if err != nil {
		return nil, err
	}
	bonds, err := r.integer(counts, 3, 6, "the number of bonds", 0, MaxCount)
	if err != nil {
		return nil, err
	}
	f := molfile{}
	for range atoms {
		line, err := r.next("an atom")
		if err != nil {
			return nil, err
		}
		if err := r.atom(&f, line); err != nil {
			return nil, err
		}
	}
	f.aromatic = make([]bool, atoms)
	bonded := make(map[[2]int]bool, bonds)
	for range bonds {
		line, err := r.next("a bond")
		if err != nil {
			return nil, err
		}
		if err := r.bond(&f, line, bonded); err != nil {
			return nil, err
		}
	}
	if err := r.block(&f); err != nil {
		return nil, err
	}
	return r.finish(&f)
}

// columns from to to of a line, counted from 0, as far as it goes.
func columns(line []byte, from, to int) string {
	return string(line[min(from, len(line)):min(to, len(line))])
}

// integer reads a number from columns of a line; nothing there is 0.
func (r *Reader) integer(line []byte, from, to int, what string, least, most int) (int, error) {
	text := strings.TrimSpace(columns(line, from, to))
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, r.fail("columns %d to %d: %s is %q, want %d to %d", from+1, to, what, text, least, most)
	}
	return n, nil
}

// chargeCodes are what the atom block's numbers mean; 4 is a doublet radical.
var chargeCodes = [8]int8{0, 3, 2, 1, 0, -1, -2, -3}

func (r *Reader) atom(f *molfile, line []byte) error {
	for k := range 3 {
		text := strings.TrimSpace(columns(line, 10*k, 10*k+10))
		if x, err := strconv.ParseFloat(text, 64); err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			return r.fail("columns %d to %d: coordinate %q, want a number", 10*k+1, 10*k+10, text)
		}
	}
	symbol := strings.TrimSpace(columns(line, 31, 34))
	e, ok := chem.ElementOf(symbol)
	if symbol == "D" || symbol == "T" {
		e, ok = chem.Hydrogen, true
	}
	if !ok {
		return r.fail("columns 32 to 34: atom %q, want the symbol of an element", symbol)
	}
	code, err := r.integer(line, 36, 39, "the charge", 0, 7)
	if err != nil {
		return err
	}
	valence, err := r.integer(line, 48, 51, "the valence", 0, 15)
	if err != nil {
		return err
	}
	switch valence {
	case 0:
		valence = -1 // not stated
	case 15:
		valence = 0
	}
	a := chem.Atom{Element: e, Charge: chargeCodes[code]}
	if code == 4 {
		a.Radical = 1
	}
	f.m.Atoms = append(f.m.Atoms, a)
	f.valence = append(f.valence, valence)
	f.line = append(f.line, r.lines.Number())
	return nil
}

func (r *Reader) bond(f *molfile, line []byte, bonded map[[2]int]bool) error {
	var ends [2]int
	for k := range ends {
		n, err := r.integer(line, 3*k, 3*k+3, "an atom of a bond", 0, len(f.m.Atoms))
		if err != nil {
			return err
		}
		if n == 0 {
			return r.fail("columns %d to %d: a bond without an atom", 3*k+1, 3*k+3)
		}
		ends[k] = n - 1
	}
	kind, err := r.integer(line, 6, 9, "the type of a bond", 0, 99)
	if err != nil {
		return err
	}
	if kind < 1 || kind > 4 {
		return r.fail("columns 7 to 9: a bond of type %d, want 1 to 4", kind)
	}
	i, j := min(ends[0], ends[1]), max(ends[0], ends[1])
	if i == j {
		return r.fail("atom %d is bonded to itself", i+1)
	}
	if bonded[[2]int{i, j}] {
		return r.fail("atoms %d and %d are bonded twice", i+1, j+1)
	}
	bonded[[2]int{i, j}] = true
	f.mobile = append(f.mobile, kind == 4)
	if kind == 4 {
		kind = 1
		f.aromatic[i], f.aromatic[j] = true, true
	}
	f.m.Bonds = append(f.m.Bonds, chem.Bond{I: i, J: j, Order: uint8(kind)})
	return nil
}

// block reads the lines from the bonds to M END.
func (r *Reader) block(f *molfile) error {
	reset := false
	for {
		line, err := r.next("M  END")
		if err != nil {
			return err
		}
		kind := columns(line, 0, 6)
		switch {
		case strings.TrimRight(kind, " ") == "M  END":
			return nil
		case kind == "M  CHG" || kind == "M  RAD":
			if !reset {
				// Either replaces all charges and radicals of the atom block.
				for i := range f.m.Atoms {
					f.m.Atoms[i].Charge, f.m.Atoms[i].Radical = 0, 0
				}
				reset = true
			}
			if err := r.pairs(f, line, kind == "M  CHG"); err != nil {
				return err
			}
		case strings.HasPrefix(kind, "A  ") || strings.HasPrefix(kind, "G  "):
			// Another line with text belongs to it, whatever that looks like.
			if _, err := r.next("the text of a property"); err != nil {
				return err
			}
		}
	}
}

// pairs reads up to eight pairs of an atom and its charge, or its kind of radical.
func (r *Reader) pairs(f *molfile, line []byte, charge bool) error {
	n, err := r.integer(line, 6, 9, "the number of entries", 0, 8)
	if err != nil {
		return err
	}
	for k := range n {
		at := 9 + 8*k
		i, err := r.integer(line, at, at+4, "an atom", 1, len(f.m.Atoms))
		if err != nil {
			return err
		}
		if i == 0 {
			return r.fail("columns %d to %d: an atom is missing", at+1, at+4)
		}
		a := &f.m.Atoms[i-1]
		if charge {
			q, err := r.integer(line, at+4, at+8, "the charge", -15, 15)
			if err != nil {
				return err
			}
			a.Charge = int8(q)
			continue
		}
		// Singlet, doublet, triplet; the first has its two electrons paired, but two hydrogens less as well.
		kind, err := r.integer(line, at+4, at+8, "the kind of radical", 0, 3)
		if err != nil {
			return err
		}
		a.Radical = [4]uint8{0, 2, 1, 2}[kind]
	}
	return nil
}

// finish applies the rules of valence.
func (r *Reader) finish(f *molfile) (*chem.Molecule, error) {
	unstated := make([]int, len(f.m.Atoms))
	for i := range unstated {
		unstated[i] = -1
	}
	if i := f.m.Kekulise(f.aromatic, f.mobile, unstated); i >= 0 {
		return nil, r.fail("no Kekulé structure: atom %d (line %d), of aromatic bonds, is left without a double bond; is a hydrogen or a charge missing?", i+1, f.line[i])
	}
	for i, sum := range f.m.Bonded() {
		v := f.valence[i]
		if v < 0 {
			continue
		}
		if v < sum {
			return nil, r.fail("atom %d (line %d) has valence %d stated and bonds of %d", i+1, f.line[i], v, sum)
		}
		if a := f.m.Atoms[i]; !f.m.StateHydrogens(i, v-sum, sum) {
			return nil, r.fail("atom %d (line %d): %v at charge %d cannot have the valence %d that is stated", i+1, f.line[i], a.Element, a.Charge, v)
		}
	}
	if faults := f.m.Faults(); len(faults) > 0 {
		line := f.line[faults[0].Atom]
		faults[0].Atom++ // molfiles count from 1
		return nil, r.fail("%v (line %d)", faults[0], line)
	}
	return f.m.FoldHydrogens(), nil
}

// data reads the fields behind a molfile up to the end of the record, or of the file.
func (r *Reader) data() error {
	size := 0
	for {
		line, err := r.lines.Next()
		if err == io.EOF || err == nil && ends(line) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("sdf: %s: %w", r.name, err)
		}
		text := strings.TrimSpace(string(line))
		if text == "" {
			continue
		}
		if text[0] != '>' {
			return r.fail("%.40q, want > <name> or $$$$", text)
		}
		// The name stands in angle brackets, beside numbers and notes of all kinds.
		name := ""
		if from := strings.IndexByte(text[1:], '<') + 2; from > 1 {
			if to := strings.LastIndexByte(text[from:], '>'); to >= 0 {
				name = text[from : from+to]
			}
		}
		if len(r.record.Properties) == maxProperties {
			return r.fail("more than %d fields of data", maxProperties)
		}
		var value []string
		size += len(name)
		for {
			line, err := r.lines.Next()
			if err == io.EOF || err == nil && ends(line) {
				r.record.Properties = append(r.record.Properties, Property{name, strings.Join(value, "\n")})
				return nil
			}
			if err != nil {
				return fmt.Errorf("sdf: %s: %w", r.name, err)
			}
			if len(bytes.TrimSpace(line)) == 0 {
				break
			}
			if size += len(line) + 1; size > maxData {
				return r.fail("more than %d bytes of data", maxData)
			}
			value = append(value, string(line))
		}
		r.record.Properties = append(r.record.Properties, Property{name, strings.Join(value, "\n")})
	}
}
