package chem

import (
	"slices"
	"strconv"
	"strings"
)

// NetCharge is the sum of the formal charges.
func (m *Molecule) NetCharge() int {
	sum := 0
	for _, a := range m.Atoms {
		sum += int(a.Charge)
	}
	return sum
}

// Mass is the molecular weight in g/mol: standard atomic weights, implicit hydrogens included. The mass of missing or
// surplus electrons (0.0005 g/mol each) is not.
func (m *Molecule) Mass() float64 {
	// Counts first: the sum does not depend on the order of the atoms.
	mass := 0.0
	for e, n := range m.counts() {
		mass += float64(n) * Element(e).Mass()
	}
	return mass
}

// counts of atoms by element, implicit hydrogens included.
func (m *Molecule) counts() (n [MaxElement + 1]int) {
	for _, a := range m.Atoms {
		n[a.Element]++
	}
	for _, h := range m.Hydrogens() {
		n[Hydrogen] += h
	}
	return n
}

// Formula is the Hill formula, implicit hydrogens included: carbon, hydrogen, then the rest by symbol, or all by symbol
// when there is no carbon; a net charge follows as "+", "-2" and so on. "" without atoms.
func (m *Molecule) Formula() string {
	n := m.counts()
	var parts []string
	for e := Hydrogen; e <= MaxElement; e++ {
		if n[e] == 0 || n[Carbon] > 0 && (e == Carbon || e == Hydrogen) {
			continue
		}
		parts = append(parts, counted(e, n[e]))
	}
	slices.Sort(parts) // no symbol is followed by a digit in another, so this is the order of the symbols
	head := ""
	if n[Carbon] > 0 {
		head = counted(Carbon, n[Carbon])
		if n[Hydrogen] > 0 {
			head += counted(Hydrogen, n[Hydrogen])
		}
	}
	charge := m.NetCharge()
	tail := ""
	switch {
	case charge == 1:
		tail = "+"
	case charge == -1:
		tail = "-"
	case charge != 0:
		tail = strconv.Itoa(charge)
		if charge > 0 {
			tail = "+" + tail
		}
	}
	return head + strings.Join(parts, "") + tail
}

func counted(e Element, n int) string {
	if n == 1 {
		return e.String()
	}
	return e.String() + strconv.Itoa(n)
}
