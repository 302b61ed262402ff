package smiles

import (
	"errors"
	"fmt"
	"strings"

	"pfgmgen/internal/chem"
)

// MaxAtoms is the largest number of atoms of a molecule that is read, hydrogens in brackets included.
const MaxAtoms = 1000

// maxBonds keeps hostile input from many ring closures; real molecules have about as many bonds as atoms.
const maxBonds = 2 * MaxAtoms

// ErrFormat is wrapped by every error that says that the input is no SMILES, or no possible molecule.
var ErrFormat = errors.New("not SMILES")

// An Error says what is wrong with a SMILES and where.
type Error struct {
	SMILES   string
	Position int // byte, from 1; one past the end when something is missing there
	Reason   string
}

func (e *Error) Error() string {
	s := e.SMILES
	const most = 60
	if len(s) > most {
		// What is wrong stays in sight.
		from := max(0, min(e.Position-most/2, len(s)-most))
		s = "…" + s[from:from+most] + "…"
	}
	return fmt.Sprintf("%v: %q, position %d: %s", ErrFormat, s, e.Position, e.Reason)
}

func (e *Error) Unwrap() error { return ErrFormat }

// Parse reads one SMILES without anything around it. Atoms are in the order of the text. Errors are of type *Error.
func Parse(s string) (*chem.Molecule, error) {
	p := parser{text: s, last: -1, bonded: make(map[[2]int]bool)}
	if err := p.parse(); err != nil {
		return nil, err
	}
	return p.finish()
}

// A parser reads from left to right. Atoms and bonds have what the text says beside what a molecule holds.
type parser struct {
	text string
	at   int

	m        chem.Molecule
	places   []int // of the atoms in the text
	aromatic []bool
	stated   []int // hydrogens, -1 outside brackets
	bonds    []bond
	bonded   map[[2]int]bool

	last     int // the atom that the next one is bonded to, -1: none
	branches []int
	fresh    bool // a branch has begun and no atom followed
	symbol   byte // a bond symbol that waits for its atom, 0: none
	rings    [100]struct {
		open     bool
		atom     int
		symbol   byte
		position int
	}
}

type bond struct {
	symbol   byte // one of - = # : / \, 0: left out
	position int  // of the second atom, or of the ring closure
}

func (p *parser) fail(at int, format string, args ...any) error {
	return &Error{p.text, at + 1, fmt.Sprintf(format, args...)}
}

func (p *parser) parse() error {
	if p.text == "" {
		return p.fail(0, "empty")
	}
	for p.at < len(p.text) {
		c := p.text[p.at]
		var err error
		switch {
		case c == '[':
			err = p.bracket()
		case c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z':
			err = p.organic()
		case strings.IndexByte(`-=#:/\`, c) >= 0:
			switch {
			case p.symbol != 0:
				err = p.fail(p.at, "a second bond symbol %q", c)
			case p.last < 0:
				err = p.fail(p.at, "a bond %q without an atom before it", c)
			}
			p.symbol = c
			p.at++
		case c >= '0' && c <= '9' || c == '%':
			err = p.ring()
		case c == '(':
			switch {
			case p.last < 0:
				err = p.fail(p.at, "a branch without an atom before it")
			case p.symbol != 0:
				err = p.fail(p.at, "a bond before a branch; it belongs inside")
			case p.fresh:
				err = p.fail(p.at, "a branch that begins with a branch")
			}
			p.branches, p.fresh = append(p.branches, p.last), true
			p.at++
		case c == ')':
			switch {
			case len(p.branches) == 0:
				err = p.fail(p.at, "a branch ends that was not begun")
			case p.symbol != 0:
				err = p.fail(p.at, "a bond %q without an atom behind it", p.symbol)
			case p.fresh:
				err = p.fail(p.at, "an empty branch")
			case p.last < 0:
				err = p.fail(p.at, "a dot without an atom behind it")
			default:
				p.last = p.branches[len(p.branches)-1]
				p.branches = p.branches[:len(p.branches)-1]
			}
			p.at++
		case c == '.':
			switch {
			case p.symbol != 0:
				err = p.fail(p.at, "a bond %q before a dot", p.symbol)
			case p.last < 0:
				err = p.fail(p.at, "a dot without an atom before it")
			}
			p.last = -1
			p.at++
		case c == '*':
			err = p.fail(p.at, "the wildcard * stands for no element")
		case c == '$':
			err = p.fail(p.at, "quadruple bonds are not read")
		case c == '>':
			err = p.fail(p.at, "a reaction, want a molecule")
		default:
			err = p.fail(p.at, "byte %q has no meaning here", c)
		}
		if err != nil {
			return err
		}
	}
	switch {
	case p.symbol != 0:
		return p.fail(p.at, "ends with a bond %q", p.symbol)
	case len(p.branches) > 0:
		return p.fail(p.at, "ends within a branch")
	case p.last < 0:
		return p.fail(p.at, "ends with a dot")
	}
	for n, r := range p.rings {
		if r.open {
			return p.fail(r.position, "ring %d is opened and not closed", n)
		}
	}
	return nil
}

// organic reads an atom without brackets.
func (p *parser) organic() error {
	start := p.at
	for _, s := range []string{"Cl", "Br", "B", "C", "N", "O", "P", "S", "F", "I"} {
		if strings.HasPrefix(p.text[p.at:], s) {
			e, _ := chem.ElementOf(s)
			p.at += len(s)
			return p.add(start, chem.Atom{Element: e}, false, -1)
		}
	}
	c := p.text[p.at]
	if strings.IndexByte("bcnops", c) >= 0 {
		e, _ := chem.ElementOf(strings.ToUpper(string(c)))
		p.at++
		return p.add(start, chem.Atom{Element: e}, true, -1)
	}
	return p.fail(p.at, "%q is no atom that may stand without brackets", c)
}

// add takes an atom and bonds it to the one before.
func (p *parser) add(at int, a chem.Atom, aromatic bool, hydrogens int) error {
	if len(p.m.Atoms) == MaxAtoms {
		return p.fail(at, "more than %d atoms", MaxAtoms)
	}
	i := len(p.m.Atoms)
	p.m.Atoms = append(p.m.Atoms, a)
	p.places = append(p.places, at)
	p.aromatic = append(p.aromatic, aromatic)
	p.stated = append(p.stated, hydrogens)
	if p.last >= 0 {
		if err := p.bond(p.last, i, p.symbol, at); err != nil {
			return err
		}
	}
	p.last, p.symbol, p.fresh = i, 0, false
	return nil
}

func (p *parser) bond(i, j int, symbol byte, at int) error {
	if len(p.m.Bonds) == maxBonds {
		return p.fail(at, "more than %d bonds", maxBonds)
	}
	if symbol == ':' && !(p.aromatic[i] && p.aromatic[j]) {
		return p.fail(at, "an aromatic bond ':' at an atom that is not aromatic")
	}
	order := uint8(1)
	switch symbol {
	case '=':
		order = 2
	case '#':
		order = 3
	}
	i, j = min(i, j), max(i, j)
	p.bonded[[2]int{i, j}] = true
	p.m.Bonds = append(p.m.Bonds, chem.Bond{I: i, J: j, Order: order})
	p.bonds = append(p.bonds, bond{symbol, at})
	return nil
}

// ring reads a ring closure: a digit, or % and two.
func (p *parser) ring() error {
	start, n := p.at, 0
	if p.text[p.at] == '%' {
		if p.at+2 >= len(p.text) || !digit(p.text[p.at+1]) || !digit(p.text[p.at+2]) {
			return p.fail(p.at, "%% wants two digits")
		}
		n = 10*int(p.text[p.at+1]-'0') + int(p.text[p.at+2]-'0')
		p.at += 3
	} else {
		n = int(p.text[p.at] - '0')
		p.at++
	}
	if p.last < 0 || p.fresh {
		return p.fail(start, "a ring closure without an atom before it")
	}
	r := &p.rings[n]
	if !r.open {
		r.open, r.atom, r.symbol, r.position = true, p.last, p.symbol, start
		p.symbol = 0
		return nil
	}
	r.open = false
	symbol := p.symbol
	p.symbol = 0
	plain := func(c byte) byte {
		if c == '/' || c == '\\' {
			return '-'
		}
		return c
	}
	switch {
	case symbol == 0:
		symbol = r.symbol
	case r.symbol != 0 && plain(r.symbol) != plain(symbol):
		return p.fail(start, "ring %d is opened with a bond %q and closed with %q", n, r.symbol, symbol)
	}
	switch pair := [2]int{min(r.atom, p.last), max(r.atom, p.last)}; {
	case r.atom == p.last:
		return p.fail(start, "ring %d bonds an atom to itself", n)
	case p.bonded[pair]:
		return p.fail(start, "ring %d bonds two atoms that are bonded already", n)
	}
	return p.bond(r.atom, p.last, symbol, start)
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// bracket reads [isotope symbol chirality hydrogens charge :class].
func (p *parser) bracket() error {
	start := p.at
	end := strings.IndexByte(p.text[start:], ']')
	if end < 0 {
		return p.fail(start, "a bracket is not closed")
	}
	end += start
	b := scanner{p.text[:end], start + 1}
	if _, n := b.number(); n > 3 {
		return p.fail(start+1, "an isotope of more than three digits")
	}
	symbolAt := b.at
	e, aromatic := b.symbol()
	if e == 0 {
		if b.rest() != "" && b.rest()[0] == '*' {
			return p.fail(symbolAt, "the wildcard * stands for no element")
		}
		return p.fail(symbolAt, "no symbol of an element in %.10q", b.rest())
	}
	if err := b.chirality(); err != "" {
		return p.fail(b.at, "%s", err)
	}
	hydrogens := 0
	if b.take("H") {
		hydrogens = 1
		if n, digits := b.number(); digits == 1 {
			hydrogens = n
		} else if digits > 1 {
			return p.fail(b.at, "more than 9 hydrogens")
		}
	}
	chargeAt := b.at
	charge := 0
	for _, s := range []string{"+", "-"} {
		if !b.take(s) {
			continue
		}
		charge = 1
		for b.take(s) {
			charge++
		}
		if n, digits := b.number(); digits > 0 {
			if charge > 1 || digits > 2 {
				return p.fail(chargeAt, "a charge is one sign and up to two digits, or only signs")
			}
			charge = n
		}
		if charge > 15 {
			return p.fail(chargeAt, "a charge of %s%d, want at most 15", s, charge)
		}
		if s == "-" {
			charge = -charge
		}
		break
	}
	if b.take(":") {
		if _, digits := b.number(); digits == 0 || digits > 9 {
			return p.fail(b.at, "an atom class wants one to nine digits")
		}
	}
	if b.at != end {
		return p.fail(b.at, "%.10q does not belong into a bracket here", b.rest())
	}
	p.at = end + 1
	return p.add(start, chem.Atom{Element: e, Charge: int8(charge)}, aromatic, hydrogens)
}

// A scanner takes things off the front of what is left of a bracket.
type scanner struct {
	text string
	at   int
}

func (b *scanner) rest() string { return b.text[b.at:] }

func (b *scanner) take(s string) bool {
	if strings.HasPrefix(b.rest(), s) {
		b.at += len(s)
		return true
	}
	return false
}

// number takes digits, and says how many; the value counts to nine of them.
func (b *scanner) number() (n, digits int) {
	for b.at < len(b.text) && digit(b.text[b.at]) {
		if digits < 9 {
			n = 10*n + int(b.text[b.at]-'0')
		}
		digits++
		b.at++
	}
	return n, digits
}

func (b *scanner) symbol() (e chem.Element, aromatic bool) {
	for _, s := range []string{"si", "as", "se", "te", "b", "c", "n", "o", "p", "s"} {
		if b.take(s) {
			e, _ := chem.ElementOf(strings.ToUpper(s[:1]) + s[1:])
			return e, true
		}
	}
	for _, n := range []int{2, 1} {
		if len(b.rest()) >= n {
			if e, ok := chem.ElementOf(b.rest()[:n]); ok {
				b.at += n
				return e, false
			}
		}
	}
	return 0, false
}

// chirality takes @, @@ and @TH1 and its like; it returns what is wrong.
func (b *scanner) chirality() string {
	if !b.take("@") || b.take("@") {
		return ""
	}
	for _, class := range []struct {
		name string
		most int
	}{{"TH", 2}, {"AL", 2}, {"SP", 3}, {"TB", 20}, {"OH", 30}} {
		if b.take(class.name) {
			if n, digits := b.number(); digits == 0 || digits > 2 || n < 1 || n > class.most {
				return fmt.Sprintf("chirality @%s wants a number of 1 to %d", class.name, class.most)
			}
			return ""
		}
	}
	return ""
}

// finish turns what was read into a molecule.
func (p *parser) finish() (*chem.Molecule, error) {
	onRing := p.m.RingBonds()
	mobile := make([]bool, len(p.bonds))
	inRing := make([]bool, len(p.places))
	for k, b := range p.m.Bonds {
		if onRing[k] {
			inRing[b.I], inRing[b.J] = true, true
		}
		if !p.aromatic[b.I] || !p.aromatic[b.J] || p.bonds[k].symbol != 0 && p.bonds[k].symbol != ':' {
			continue
		}
		if onRing[k] {
			mobile[k] = true
		} else if p.bonds[k].symbol == ':' {
			return nil, p.fail(p.bonds[k].position, "an aromatic bond ':' outside a ring")
		}
	}
	for i, aromatic := range p.aromatic {
		if aromatic && !inRing[i] {
			return nil, p.fail(p.places[i], "an aromatic atom outside a ring")
		}
	}
	if i := p.m.Kekulise(p.aromatic, mobile, p.stated); i >= 0 {
		return nil, p.fail(p.places[i], "no Kekulé structure: this aromatic atom is left without a double bond; is an H or a charge missing?")
	}
	bonded := p.m.Bonded()
	for i := range p.places {
		a := p.m.Atoms[i]
		if p.stated[i] < 0 {
			if allowed, _ := a.Element.Valences(0); bonded[i] > allowed[len(allowed)-1] {
				return nil, p.valence(i, bonded[i], allowed)
			}
			continue
		}
		if !p.m.StateHydrogens(i, p.stated[i], bonded[i]) {
			allowed, _ := a.Element.Valences(a.Charge)
			return nil, p.valence(i, bonded[i]+p.stated[i], allowed)
		}
		if len(p.m.Atoms) > MaxAtoms {
			return nil, p.fail(p.places[i], "more than %d atoms", MaxAtoms)
		}
	}
	return p.m.FoldHydrogens(), nil
}

func (p *parser) valence(i, has int, allowed []int) error {
	f := chem.Fault{Atom: i, Element: p.m.Atoms[i].Element, Charge: p.m.Atoms[i].Charge, Valence: has, Allowed: allowed}
	return p.fail(p.places[i], "%v", f)
}
