#!/bin/sh
# Puts the Temporal CLI, whose development server the tests run, into .cache/bin/ of the project, built from its Go module
# (a few minutes, once). Only tests use it: nothing of it is linked into pfgmgen. Does nothing when the right version is
# there already.
#
# Later versions cannot be installed like this: their go.mod has replace directives, which go install refuses. The version
# is part of the name of the program, and the program is renamed into place, so an interrupted run leaves nothing that
# looks finished.
set -eu

version=1.5.1
here=$(cd "$(dirname "$0")" && pwd)
target=$(dirname "$here")/.cache/bin
program=$target/temporal-$version

fail() { printf 'setup: %s\n' "$@" >&2; exit 1; }

[ ! -x "$program" ] || exit 0
command -v "${GO:-go}" >/dev/null 2>&1 || fail "Go is missing, so the Temporal server of the tests cannot be built. Install Go and run this again."

mkdir -p "$target"
work=$target/build-temporal.$$
rm -rf "$work" && mkdir "$work"
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

printf 'setup: building the Temporal server of the tests, CLI %s (a few minutes, once)\n' "$version" >&2
GOBIN=$work GOFLAGS= CGO_ENABLED=0 "${GO:-go}" install "github.com/temporalio/cli/cmd/temporal@v$version" >&2 ||
	fail "the Temporal CLI $version could not be built; Go's message is above. Check the network, or the module proxy that Go is set to (go env GOPROXY), and run this again."
mv -f "$work/temporal" "$program"
printf 'setup: the Temporal server is %s\n' "$program" >&2
