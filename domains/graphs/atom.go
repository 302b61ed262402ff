package graphs

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"pfgmgen/internal/chem"
)

// elements of molecules, in the order of their codes, which are part of models and never change.
var elements = []chem.Element{
	chem.Boron, chem.Carbon, chem.Nitrogen, chem.Oxygen, chem.Fluorine, chem.Silicon, chem.Phosphorus, chem.Sulfur,
	chem.Chlorine, chem.Selenium, chem.Bromine, chem.Iodine, chem.Arsenic, chem.Tellurium,
}

// maxCharge is the largest formal charge of an atom, either way.
const maxCharge = 4

const chargeCodes = 2*maxCharge + 1

// atomCode numbers the pairs of element and charge, so that an atom fits a graph's label. ok is false for an element
// that is not listed.
func atomCode(a chem.Atom) (code uint8, ok bool) {
	i := slices.Index(elements, a.Element)
	if i < 0 || a.Charge < -maxCharge || a.Charge > maxCharge {
		return 0, false
	}
	return uint8(i*chargeCodes + int(a.Charge) + maxCharge), true
}

// atomOf is the inverse of atomCode.
func atomOf(code uint8) chem.Atom {
	return chem.Atom{Element: elements[code/chargeCodes], Charge: int8(code%chargeCodes) - maxCharge}
}

// atomName writes a code: the symbol, and the charge with its sign when there is one.
func atomName(code uint8) string {
	a := atomOf(code)
	if a.Charge == 0 {
		return a.Element.String()
	}
	return fmt.Sprintf("%v%+d", a.Element, a.Charge)
}

// parseAtom is the inverse of atomName.
func parseAtom(name string) (code uint8, err error) {
	symbol, charge := name, 0
	if i := strings.IndexAny(name, "+-"); i > 0 {
		symbol = name[:i]
		if charge, err = strconv.Atoi(name[i:]); err != nil || charge < -maxCharge || charge > maxCharge {
			return 0, fmt.Errorf("atom %.20q: want a symbol, and perhaps a charge such as +1", name)
		}
	}
	element, _ := chem.ElementOf(symbol)
	code, ok := atomCode(chem.Atom{Element: element, Charge: int8(charge)})
	if !ok {
		return 0, fmt.Errorf("atom %.20q: want one of %v", name, elements)
	}
	if atomName(code) != name {
		return 0, fmt.Errorf("atom %.20q: write it as %s", name, atomName(code))
	}
	return code, nil
}
