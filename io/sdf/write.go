package sdf

import (
	"fmt"
	"io"
	"strings"

	"pfgmgen/internal/chem"
)

// Molblock is the molfile of a molecule up to and including M END, its lines ended by line feeds. name is the first line.
// More than 999 atoms or bonds and a name of several lines are errors. Impossible valences are written as they stand.
func Molblock(m *chem.Molecule, name string) (string, error) {
	if strings.ContainsAny(name, "\r\n") || strings.HasPrefix(name, "$$$$") {
		return "", fmt.Errorf("sdf: the name %.40q cannot stand on the first line", name)
	}
	if len(m.Atoms) > MaxCount || len(m.Bonds) > MaxCount {
		return "", fmt.Errorf("sdf: %d atoms and %d bonds, V2000 holds %d of each", len(m.Atoms), len(m.Bonds), MaxCount)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n  pfgmgen\n\n%3d%3d  0  0  0  0  0  0  0  0999 V2000\n", name, len(m.Atoms), len(m.Bonds))
	bonded, hydrogens := m.Bonded(), m.Hydrogens()
	for i, a := range m.Atoms {
		// The valence is stated where other readers might fill in other hydrogens than are meant.
		valence := 0
		if _, ruled := a.Element.Valences(a.Charge); !ruled || a.Radical > 0 {
			if valence = bonded[i] + hydrogens[i]; valence == 0 {
				valence = 15
			}
		}
		if valence > 15 || bonded[i] == 15 {
			valence = 0 // there is no code
		}
		fmt.Fprintf(&b, "    0.0000    0.0000    0.0000 %-3s 0  0  0  0  0%3d  0  0  0  0  0  0\n", a.Element, valence)
	}
	for _, k := range m.Bonds {
		fmt.Fprintf(&b, "%3d%3d%3d  0\n", k.I+1, k.J+1, k.Order)
	}
	entries(&b, m, "M  CHG", func(a chem.Atom) int { return int(a.Charge) })
	entries(&b, m, "M  RAD", func(a chem.Atom) int {
		// Doublet, triplet; there is no code for more, but the valence says it.
		return [3]int{0, 2, 3}[min(2, a.Radical)]
	})
	b.WriteString("M  END\n")
	return b.String(), nil
}

// entries writes the atoms for which value is not 0, eight a line.
func entries(b *strings.Builder, m *chem.Molecule, kind string, value func(chem.Atom) int) {
	var list []string
	for i, a := range m.Atoms {
		if v := value(a); v != 0 {
			list = append(list, fmt.Sprintf("%4d%4d", i+1, v))
		}
	}
	for len(list) > 0 {
		n := min(8, len(list))
		fmt.Fprintf(b, "%s%3d%s\n", kind, n, strings.Join(list[:n], ""))
		list = list[n:]
	}
}

// Write writes one record with its data and "$$$$". Read gives back the same molecule, up to the hydrogens that need not be
// atoms, and the same Name and Properties. What would not survive is an error, and nothing is written then: a Name with
// outer white space, a property's name with angle brackets or line ends, a value with an empty line, a carriage return or
// a line that begins with "$$$$".
func Write(w io.Writer, rec Record) error {
	if strings.TrimSpace(rec.Name) != rec.Name {
		return fmt.Errorf("sdf: the name %.40q has white space around it", rec.Name)
	}
	text, err := Molblock(rec.Molecule, rec.Name)
	if err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString(text)
	for _, p := range rec.Properties {
		if strings.ContainsAny(p.Name, "<>\r\n") {
			return fmt.Errorf("sdf: record %.40s: the property's name %.40q holds an angle bracket or a line end", rec.Name, p.Name)
		}
		fmt.Fprintf(&b, ">  <%s>\n", p.Name)
		if p.Value != "" {
			for line := range strings.SplitSeq(p.Value, "\n") {
				if strings.TrimSpace(line) == "" || strings.Contains(line, "\r") || strings.HasPrefix(line, "$$$$") {
					return fmt.Errorf("sdf: record %.40s: the line %.40q cannot stand in property %s", rec.Name, line, p.Name)
				}
				b.WriteString(line)
				b.WriteByte('\n')
			}
		}
		b.WriteByte('\n')
	}
	b.WriteString("$$$$\n")
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("sdf: record %.40s: %w", rec.Name, err)
	}
	return nil
}
