#!/bin/sh
# Says what is missing to build pfgmgen, and how to get it: Go, and a C compiler (ONNX Runtime is called through cgo).
set -eu

fail() { printf 'setup: %s\n' "$@" >&2; exit 1; }

command -v "${GO:-go}" >/dev/null 2>&1 ||
	fail "Go is missing. Install Go 1.26 or newer:" "  macOS: brew install go    others: the archive of the Go project (Debian's golang-go is older; with 1.21 or newer it fetches the right one itself)"
cc=$("${GO:-go}" env CC)
command -v "${cc%% *}" >/dev/null 2>&1 ||
	fail "the C compiler $cc is missing. Install one:" "  Debian, Ubuntu: apt-get install gcc libc6-dev    macOS: xcode-select --install"
