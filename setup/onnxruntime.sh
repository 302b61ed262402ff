#!/bin/sh
# Puts the ONNX Runtime library for this machine into .onnxruntime/ of the project, from the npm package
# onnxruntime-node (the official build; version and integrity hash are pinned in package-lock.json beside this file).
# Nothing of the package runs: its install scripts stay off and only the library is kept.
#
# Does nothing when the right version is there already, or when PFGMGEN_ONNXRUNTIME names a library. Files are renamed
# into place and the stamp .onnxruntime/VERSION is written last, so an interrupted run leaves nothing half-done.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
target=$(dirname "$here")/.onnxruntime

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$@"; exit 1; }

if [ -n "${PFGMGEN_ONNXRUNTIME:-}" ]; then
	[ -e "$PFGMGEN_ONNXRUNTIME" ] || fail "PFGMGEN_ONNXRUNTIME is $PFGMGEN_ONNXRUNTIME, which does not exist. Unset it to get the library from npm."
	say "ONNX Runtime is $PFGMGEN_ONNXRUNTIME (PFGMGEN_ONNXRUNTIME)."
	exit 0
fi

version=$(sed -n 's/.*"onnxruntime-node": *"\([0-9.]*\)".*/\1/p' "$here/package.json")
[ -n "$version" ] || fail "$here/package.json names no version of onnxruntime-node."

case $(uname -s) in
Linux) os=linux files=libonnxruntime.so.1 ;;
Darwin) os=darwin files=libonnxruntime.1.dylib ;;
MINGW* | MSYS* | CYGWIN*) os=win32 files="dxil.dll dxcompiler.dll DirectML.dll onnxruntime.dll" ;;
*) os= ;;
esac
case $(uname -m) in
x86_64 | amd64) arch=x64 ;;
aarch64 | arm64) arch=arm64 ;;
*) arch= ;;
esac
case $os/$arch in
linux/x64 | linux/arm64 | darwin/arm64 | win32/x64 | win32/arm64) ;;
*)
	fail "onnxruntime-node has no library for $(uname -s) $(uname -m). Install ONNX Runtime 1.29 or newer in another way" \
		"(macOS: brew install onnxruntime), then: export PFGMGEN_ONNXRUNTIME=/path/to/the/library"
	;;
esac
if [ "$os" = linux ] && ! getconf GNU_LIBC_VERSION >/dev/null 2>&1; then
	fail "the official ONNX Runtime needs glibc, which this system (musl?) does not have. Use a glibc system, or the" \
		"distribution's own ONNX Runtime 1.29 or newer: export PFGMGEN_ONNXRUNTIME=/path/to/libonnxruntime.so"
fi

# The stamp names the version, the system, and the sizes of the files, so that a damaged folder is repaired.
stamp() {
	printf '%s %s/%s' "$version" "$os" "$arch"
	for f in $files; do printf ' %s' "$(wc -c <"$target/$f" | tr -d ' ')"; done
}
present() {
	for f in $files; do [ -f "$target/$f" ] || return 1; done
	[ -f "$target/VERSION" ] && [ "$(cat "$target/VERSION")" = "$(stamp)" ]
}
if present; then
	exit 0
fi

if ! command -v npm >/dev/null 2>&1; then
	say "npm is missing. ONNX Runtime $version comes from the npm package onnxruntime-node. Install npm and run this again:"
	say "  Debian, Ubuntu:  apt-get install npm"
	say "  macOS:           brew install node"
	say "or install ONNX Runtime 1.29 or newer yourself: export PFGMGEN_ONNXRUNTIME=/path/to/libonnxruntime.so.1"
	exit 1
fi

mkdir -p "$target"
work=$target/fetch.$$
rm -rf "$work" && mkdir "$work"
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say "fetching ONNX Runtime $version for $os/$arch (npm onnxruntime-node, about 100 MB, once)"
cp "$here/package.json" "$here/package-lock.json" "$work/"
(cd "$work" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2) ||
	fail "npm could not fetch onnxruntime-node $version; its message is above. Check the network, or the registry that npm is set to (npm config get registry), and run this again."

from=$(find "$work/node_modules/onnxruntime-node/bin" -type d -path "*/$os/$arch" | head -n 1)
for f in $files; do
	[ -n "$from" ] && [ -f "$from/$f" ] || fail "onnxruntime-node $version holds no $f for $os/$arch."
done
rm -f "$target/VERSION"
for f in $files; do mv -f "$from/$f" "$target/$f"; done
stamp >"$work/VERSION"
mv -f "$work/VERSION" "$target/VERSION"
say "ONNX Runtime $version is in $target"
