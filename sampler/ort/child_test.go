package ort

import (
	"errors"
	"fmt"
)

// childMode is the environment variable that makes the test binary act as a small program: the runtime of a process
// is chosen once, so everything about choosing is tried in a process of its own.
const childMode = "PFGMGEN_ORT_TEST_CHILD"

// child loads what the mode names and says on stdout what came of it.
func child(mode string) int {
	r, err := Load(mode)
	fmt.Printf("not found: %t\ntoo old: %t\nerror: %v\n", errors.Is(err, ErrNotFound), errors.Is(err, ErrTooOld), err)
	if err == nil {
		fmt.Printf("runtime: %s %s\n", r.Version(), r.Path())
	}
	return 0
}
