package main

import (
	"os"
	"strconv"
	"sync/atomic"

	"pfgmgen/io/store"
)

// failpoint names the variable by which `make chaos` stops a process at each of its changes to the output: N kills it at
// the N-th.
const failpoint = "PFGMGEN_FAILPOINT"

// failing is st, unless the variable is set.
func failing(st store.Store) (store.Store, error) {
	text := os.Getenv(failpoint)
	if text == "" {
		return st, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		return nil, usageErrorf("%s is %q, want the number of a change to the output, from 1", failpoint, text)
	}
	var seen atomic.Int64
	return store.Observe(st, func(string, string) {
		if seen.Add(1) == n {
			if p, err := os.FindProcess(os.Getpid()); err == nil {
				p.Kill()
			}
			select {} // until the signal arrives
		}
	}), nil
}
