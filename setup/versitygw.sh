#!/bin/sh
# Puts versitygw, a real S3 server for tests, into .cache/bin/ of the project, built from its Go module (a few minutes, once).
# Only tests use it: nothing of it is linked into pfgmgen. Does nothing when the right version is there already.
#
# The version is part of the name of the program, and the program is renamed into place, so an interrupted run leaves
# nothing that looks finished.
set -eu

version=1.8.0
here=$(cd "$(dirname "$0")" && pwd)
target=$(dirname "$here")/.cache/bin
program=$target/versitygw-$version

fail() { printf 'setup: %s\n' "$@" >&2; exit 1; }

[ ! -x "$program" ] || exit 0
command -v "${GO:-go}" >/dev/null 2>&1 || fail "Go is missing, so the S3 server of the tests cannot be built. Install Go and run this again."

mkdir -p "$target"
work=$target/build.$$
rm -rf "$work" && mkdir "$work"
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

printf 'setup: building the S3 server of the tests, versitygw %s (a few minutes, once)\n' "$version" >&2
GOBIN=$work GOFLAGS= CGO_ENABLED=0 "${GO:-go}" install "github.com/versity/versitygw/cmd/versitygw@v$version" >&2 ||
	fail "versitygw $version could not be built; Go's message is above. Check the network, or the module proxy that Go is set to (go env GOPROXY), and run this again."
mv -f "$work/versitygw" "$program"
printf 'setup: the S3 server is %s\n' "$program" >&2
