package main

import (
	"context"
	"os"
	"strconv"
	"strings"
	"sync/atomic"

	"pfgmgen/io/store"
)

// failpoint names the variable by which tests stop a process at a change to the output: N kills it at the N-th change,
// and hold:NAME makes it wait, when the file NAME is first touched, until it is interrupted.
const failpoint = "PFGMGEN_FAILPOINT"

// failing is st, unless the variable is set.
func failing(ctx context.Context, st store.Store) (store.Store, error) {
	text := os.Getenv(failpoint)
	if text == "" {
		return st, nil
	}
	if held, ok := strings.CutPrefix(text, "hold:"); ok {
		return store.Observe(st, func(_, name string) {
			if name == held {
				<-ctx.Done()
			}
		}), nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		return nil, usageErrorf("%s is %q, want the number of a change to the output, from 1, or hold:NAME with the name of a file", failpoint, text)
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
