//go:build !windows

package ort

/*
#include <signal.h>
#include <stdlib.h>

enum { pfg_signals = 32 }; // the real-time signals above are nobody's to take

static struct sigaction *pfg_save(void) {
	struct sigaction *saved = calloc(pfg_signals, sizeof *saved);
	for (int s = 1; saved && s < pfg_signals; s++) sigaction(s, NULL, &saved[s]);
	return saved;
}

// pfg_restore puts back the handlers that differ from the saved ones. Handlers that nobody touched are left alone.
static void pfg_restore(struct sigaction *saved) {
	for (int s = 1; saved && s < pfg_signals; s++) {
		struct sigaction now;
		if (sigaction(s, NULL, &now) == 0 &&
			(now.sa_sigaction != saved[s].sa_sigaction || now.sa_flags != saved[s].sa_flags))
			sigaction(s, &saved[s], NULL);
	}
	free(saved);
}
*/
import "C"

// savedSignals are the signal handlers of the process at one moment, in C memory until restore.
type savedSignals struct{ saved *C.struct_sigaction }

// saveSignals notes the handlers of signals 1 to 31. A change that Go makes on another goroutine between save and
// restore (signal.Ignore, or the first signal.Notify of a signal that was ignored) would be undone; programs set up
// their signals before they load models.
func saveSignals() savedSignals { return savedSignals{C.pfg_save()} }

// restore puts back the handlers that were replaced since.
func (s savedSignals) restore() { C.pfg_restore(s.saved) }
