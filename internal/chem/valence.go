package chem

import (
	"fmt"
	"slices"
	"strings"
)

// The allowed valences, rising. They are shared and must not be written to.
var (
	valence0   = []int{0}
	valence1   = []int{1}
	valence2   = []int{2}
	valence3   = []int{3}
	valence4   = []int{4}
	valence24  = []int{2, 4}
	valence35  = []int{3, 5}
	valence135 = []int{1, 3, 5}
	valence246 = []int{2, 4, 6}
	xenon      = []int{0, 2, 4, 6}
)

// Valences are the sums of bond orders, hydrogens included, that the element may have at this charge, rising. ok is false
// for metals left of group 13: they have no rule, bond anything and carry no implicit hydrogens.
//
// Neutral: H 1, B 3, C 4, N 3, O 2, F Cl Br I 1, Si 4, P 3 5, S 2 4 6, and their heavier neighbours alike, Sn and Pb
// 2 4. A charged atom bonds as the neutral one with as many electrons does (N+ as C: 4; O+ as N: 3; O- as F: 1; B- as
// C: 4), except that an anion below the second period may be hypervalent like its element (P- 2 4 6, S- 1 3 5).
// The neutral table and N+, O+ and O- are those that agree with RDKit 2022.09 on corrupted drug-like molecules.
// No valence is allowed where no such neighbour exists (N 4-); the bare nucleus side (C 2+) allows 0 only.
func (e Element) Valences(charge int8) (allowed []int, ok bool) {
	if e == Hydrogen {
		switch charge {
		case 0:
			return valence1, true
		case 1, -1:
			return valence0, true
		}
		return nil, true
	}
	group, period := e.place()
	if group < 13 {
		return nil, false
	}
	heavy := period > 2
	switch group -= int(charge); {
	case group < 13:
		return valence0, true
	case group == 13:
		return valence3, true
	case group == 14 && period > 4:
		return valence24, true
	case group == 14:
		return valence4, true
	case group == 15 && heavy:
		return valence35, true
	case group == 15:
		return valence3, true
	case group == 16 && heavy:
		return valence246, true
	case group == 16:
		return valence2, true
	case group == 17 && heavy && charge < 0:
		return valence135, true
	case group == 17:
		return valence1, true
	case group == 18 && period > 4:
		return xenon, true
	case group == 18:
		return valence0, true
	}
	return nil, true
}

// place is the element's column, counted back from the noble gas that ends its period so that only groups 13 to 18 are
// told apart from the rest (which get 12 or less), and its period.
func (e Element) place() (group, period int) {
	for k, end := range []Element{2, 10, 18, 36, 54, 86, 118} {
		if e <= end {
			return 18 - int(end-e), k + 1
		}
	}
	return 0, 0
}

// fill is the least allowed valence of at least sum, or -1.
func fill(allowed []int, sum int) int {
	for _, v := range allowed {
		if v >= sum {
			return v
		}
	}
	return -1
}

// Hydrogens counts the implicit hydrogens of each atom: the least allowed valence that holds its bonds and unpaired
// electrons, less both. It is 0 where there is no such valence or no rule.
func (m *Molecule) Hydrogens() []int {
	out := m.Bonded()
	for i, sum := range out {
		out[i] = m.Atoms[i].hydrogens(sum)
	}
	return out
}

// hydrogens of an atom whose bond orders sum up to bonded.
func (a Atom) hydrogens(bonded int) int {
	allowed, _ := a.Element.Valences(a.Charge)
	sum := bonded + int(a.Radical)
	return max(0, fill(allowed, sum)-sum)
}

// A Fault is an atom with more bonds than its element and charge allow.
type Fault struct {
	Atom    int // index
	Element Element
	Charge  int8
	Valence int   // sum of its bond orders and unpaired electrons
	Allowed []int // what it may be at most is the last; empty when the charge itself is impossible
}

// String is a reason such as "atom 3 (N) has valence 4, allowed 3" or "atom 0 (O+) has valence 4, allowed 3".
func (f Fault) String() string {
	name := f.Element.String() + sign(f.Charge)
	if len(f.Allowed) == 0 {
		return fmt.Sprintf("atom %d (%s) cannot have this charge", f.Atom, name)
	}
	return fmt.Sprintf("atom %d (%s) has valence %d, allowed %s", f.Atom, name, f.Valence,
		strings.ReplaceAll(strings.Trim(fmt.Sprint(f.Allowed), "[]"), " ", ", "))
}

// sign writes a charge as SMILES does: "", "+", "-", "+2", "-3".
func sign(charge int8) string {
	switch charge {
	case 0:
		return ""
	case 1:
		return "+"
	case -1:
		return "-"
	}
	return fmt.Sprintf("%+d", charge)
}

// Faults lists the atoms with an impossible valence, in the order of the atoms; none means that m is a molecule as far as
// valence goes. A valence between two allowed ones is filled with hydrogens, and so no fault.
func (m *Molecule) Faults() []Fault {
	var out []Fault
	for i, sum := range m.Bonded() {
		if f, bad := m.Atoms[i].fault(sum); bad {
			f.Atom = i
			out = append(out, f)
		}
	}
	return out
}

// fault of an atom whose bond orders sum up to bonded.
func (a Atom) fault(bonded int) (Fault, bool) {
	allowed, ok := a.Element.Valences(a.Charge)
	sum := bonded + int(a.Radical)
	if !ok || fill(allowed, sum) >= 0 {
		return Fault{}, false
	}
	return Fault{Element: a.Element, Charge: a.Charge, Valence: sum, Allowed: slices.Clone(allowed)}, true
}

// AssignCharges gives the charge +1 to neutral nitrogen, oxygen and sulfur whose bonds are one over the largest allowed
// valence and possible at that charge: N with 4, O with 3. It is the rule of GDSS (Jo et al., ICML 2022), which reads
// charges from bonds because its graphs have none; sulfur never gets one, since its next valence after 6 is none at
// either charge. It returns how many atoms were changed. Faults says what it could not repair.
func (m *Molecule) AssignCharges() int {
	n := 0
	for i, sum := range m.Bonded() {
		a := &m.Atoms[i]
		if a.Charge != 0 || a.Element != Nitrogen && a.Element != Oxygen && a.Element != Sulfur {
			continue
		}
		if f, bad := a.fault(sum); !bad || f.Valence != f.Allowed[len(f.Allowed)-1]+1 {
			continue
		}
		a.Charge = 1
		if _, bad := a.fault(sum); bad {
			a.Charge = 0
			continue
		}
		n++
	}
	return n
}
