package graphs

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"pfgmgen/internal/chem"
)

// elements that have rules, in the order of their codes, which are part of keys and never change.
var elements = []struct {
	number   chem.Element
	symbol   string
	valences []int // without charge, rising
}{
	{5, "B", []int{3}}, {6, "C", []int{4}}, {7, "N", []int{3}}, {8, "O", []int{2}}, {9, "F", []int{1}}, {14, "Si", []int{4}},
	{15, "P", []int{3, 5}}, {16, "S", []int{2, 4, 6}}, {17, "Cl", []int{1}}, {34, "Se", []int{2, 4, 6}}, {35, "Br", []int{1}}, {53, "I", []int{1}},
}

// maxCharge is the largest formal charge of an atom, either way.
const maxCharge = 4

// atomCode numbers the pairs of element and charge, so that an atom fits a graph's label. ok is false for an atom
// without rules.
func atomCode(a chem.Atom) (code uint8, ok bool) {
	for i, e := range elements {
		if e.number == a.Element && a.Charge >= -maxCharge && a.Charge <= maxCharge {
			return uint8(i*(2*maxCharge+1) + int(a.Charge) + maxCharge), true
		}
	}
	return 0, false
}

// atomOf is the inverse of atomCode.
func atomOf(code uint8) chem.Atom {
	return chem.Atom{Element: elements[code/(2*maxCharge+1)].number, Charge: int8(code%(2*maxCharge+1)) - maxCharge}
}

// atomName writes a code: the symbol, and the charge with its sign when there is one.
func atomName(code uint8) string {
	symbol, charge := elements[code/(2*maxCharge+1)].symbol, atomOf(code).Charge
	if charge == 0 {
		return symbol
	}
	return fmt.Sprintf("%s%+d", symbol, charge)
}

// parseAtom is the inverse of atomName.
func parseAtom(name string) (code uint8, err error) {
	symbol, charge := name, 0
	if i := strings.IndexAny(name, "+-"); i > 0 {
		n, err := strconv.Atoi(name[i:])
		if err != nil || n == 0 || n < -maxCharge || n > maxCharge {
			return 0, fmt.Errorf("atom %.20q: want a symbol, and perhaps a charge such as +1", name)
		}
		symbol, charge = name[:i], n
	}
	i := slices.IndexFunc(elements, func(e struct {
		number   chem.Element
		symbol   string
		valences []int
	}) bool {
		return e.symbol == symbol
	})
	if i < 0 {
		return 0, fmt.Errorf("atom %.20q: no element with known valences", name)
	}
	code, _ = atomCode(chem.Atom{Element: elements[i].number, Charge: int8(charge)})
	if atomName(code) != name {
		return 0, fmt.Errorf("atom %.20q: write it as %s", name, atomName(code))
	}
	return code, nil
}

// implicitHydrogens fill the smallest allowed valence that bonds of this sum fit into; -1 when none does.
func implicitHydrogens(a chem.Atom, sum int) int {
	for _, e := range elements {
		if e.number != a.Element {
			continue
		}
		for _, v := range e.valences {
			switch {
			case a.Charge < 0 || a.Charge > 0 && (a.Element == 7 || a.Element == 8 || a.Element == 16):
				v += int(a.Charge)
			}
			if sum <= v {
				return v - sum
			}
		}
	}
	return -1
}
