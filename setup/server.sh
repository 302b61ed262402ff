#!/bin/sh
# Puts a server that the tests start on loopback into .cache/bin/ of the project, built from its Go module (a few minutes,
# once), and prints the path of the program:
#
#   setup/server.sh s3          versitygw, an S3 server
#   setup/server.sh gcs         fake-gcs-server, which speaks the API of Google Cloud Storage
#   setup/server.sh temporal    the development server of the Temporal command line
#
# Only tests use them: nothing of them is linked into pfgmgen. The version is part of the name of the program, and the
# program is renamed into place, so an interrupted run leaves nothing that looks finished.
set -eu

fail() { printf 'setup: %s\n' "$@" >&2; exit 1; }

case ${1-} in
s3) name=versitygw version=1.8.0 module=github.com/versity/versitygw/cmd/versitygw ;;
gcs) name=fake-gcs-server version=1.56.1 module=github.com/fsouza/fake-gcs-server ;;
# Later versions have replace directives in their go.mod, which go install refuses.
temporal) name=temporal version=1.5.1 module=github.com/temporalio/cli/cmd/temporal ;;
*) fail "which server? want s3, gcs or temporal, got '${1-}'" ;;
esac
target=$(dirname "$(cd "$(dirname "$0")" && pwd)")/.cache/bin
program=$target/$name-$version

if [ ! -x "$program" ]; then
	command -v "${GO:-go}" >/dev/null 2>&1 || fail "Go is missing, so $name, a server of the tests, cannot be built. Install Go and run this again."
	mkdir -p "$target"
	work=$target/build-$name.$$
	rm -rf "$work" && mkdir "$work"
	trap 'rm -rf "$work"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	printf 'setup: building %s %s, a server of the tests (a few minutes, once)\n' "$name" "$version" >&2
	GOBIN=$work GOFLAGS= CGO_ENABLED=0 "${GO:-go}" install "$module@v$version" >&2 ||
		fail "$name $version could not be built; Go's message is above. Check the network, or the module proxy that Go is set to (go env GOPROXY), and run this again."
	mv -f "$work/$name" "$program"
fi
printf '%s\n' "$program"
