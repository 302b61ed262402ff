// Package airr reads and writes tables of antibody and T-cell receptor sequences: the AIRR Rearrangement format, a TSV
// whose columns the AIRR Community's data standard names, and the data units of Observed Antibody Space (OAS), a CSV
// with the same names under a first line of metadata in JSON.
//
// Reading is one line at a time and bounded; gzip is seen from the content. A Reader takes any table with a header, so
// that a file which lacks some of the required columns can be read all the same: Missing names them. What the values
// mean beyond true and false is for the caller.
package airr

import (
	"errors"
	"fmt"
	"slices"
)

// ErrFormat is wrapped by every error that says that the input is no such table.
var ErrFormat = errors.New("not an AIRR table")

// required are the columns that a Rearrangement file must have, in the order of the standard (version 1.4). Every one
// of them may be empty in a row.
var required = []string{"sequence_id", "sequence", "rev_comp", "productive", "v_call", "d_call", "j_call",
	"sequence_alignment", "germline_alignment", "junction", "junction_aa", "v_cigar", "d_cigar", "j_cigar"}

// Required lists the columns that the standard requires, in its order.
func Required() []string { return slices.Clone(required) }

// ParseBool reads a truth value: T and F as the standard has it, and the spellings that other writers use. known is
// false for an empty value.
func ParseBool(value string) (truth, known bool, err error) {
	switch value {
	case "":
		return false, false, nil
	case "T", "TRUE", "True", "true", "t", "1":
		return true, true, nil
	case "F", "FALSE", "False", "false", "f", "0":
		return false, true, nil
	}
	return false, false, fmt.Errorf("%.40q is neither T nor F", value)
}

// FormatBool is T or F.
func FormatBool(truth bool) string {
	if truth {
		return "T"
	}
	return "F"
}
