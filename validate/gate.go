// Package validate holds what every domain's row checks have in common: gates with stable codes, their verdict on a
// row, and the tally of a run. It knows no domain; a domain lists its gates over its own record type.
//
// A hard gate makes a row invalid; a warning never rejects. Codes such as RN_STRUCT are part of the format of a
// dataset: once released, a code keeps its meaning.
package validate

// A Gate is one rule about one record of type R.
type Gate[R any] struct {
	Code  string // stable, upper case, domain prefix first: "RN_STRUCT"
	About string // the rule in one sentence, with its threshold and units, for people
	Hard  bool   // a hard gate makes the row invalid, the others warn
	Fails func(R) bool
}

// A Verdict is what the gates said of one row. Both lists keep the order of the gates and are empty, not nil-checked,
// when nothing was found.
type Verdict struct {
	Violations []string // codes of the hard gates that failed
	Warnings   []string // codes of the others
}

// Valid says whether no hard gate failed.
func (v Verdict) Valid() bool { return len(v.Violations) == 0 }

// Apply runs every gate on one record.
func Apply[R any](gates []Gate[R], record R) Verdict {
	var v Verdict
	for _, g := range gates {
		if !g.Fails(record) {
			continue
		}
		if g.Hard {
			v.Violations = append(v.Violations, g.Code)
		} else {
			v.Warnings = append(v.Warnings, g.Code)
		}
	}
	return v
}

// A Tally counts verdicts by code. The zero value is ready; it is not safe for concurrent use.
type Tally struct {
	Rows, Valid int
	ByCode      map[string]int
}

// Add counts one verdict.
func (t *Tally) Add(v Verdict) {
	t.Rows++
	if v.Valid() {
		t.Valid++
	}
	for _, codes := range [2][]string{v.Violations, v.Warnings} {
		for _, c := range codes {
			if t.ByCode == nil {
				t.ByCode = make(map[string]int)
			}
			t.ByCode[c]++
		}
	}
}
