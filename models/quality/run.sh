#!/usr/bin/env bash
# Judges the built-in models from outside: `make quality` from the project's root.
#
#   models/quality/run.sh                              every built-in model, one table
#   models/quality/run.sh --domain D --model FILE      one model file, as during training; -n 500 is quicker
#   models/quality/run.sh --self-test [--domain D]     the judges themselves: real data must pass, spoilt data must fail
#   models/quality/run.sh --help                       all options
#
# The judges are Python and know nothing of our Go code: RDKit, scikit-learn, HMMER and Infernal from Debian; datasets are
# read with DuckDB, and edit distances taken with rapidfuzz, from two pinned wheels in out/quality/venv.
set -euo pipefail
cd "$(dirname "$0")/../.."

python=${QUALITY_PYTHON:-/usr/bin/python3}
venv=out/quality/venv
wheels="duckdb==1.4.1 rapidfuzz==3.14.1"
export PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0

packages=()
command -v cmalign >/dev/null || packages+=(infernal)
command -v hmmscan >/dev/null || packages+=(hmmer)
for pair in rdkit:python3-rdkit sklearn:python3-sklearn scipy:python3-scipy numpy:python3-numpy PIL:python3-pil ensurepip:python3-venv; do
	"$python" -c "import ${pair%%:*}" 2>/dev/null || packages+=("${pair##*:}")
done
if [ ${#packages[@]} -gt 0 ]; then
	if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${packages[@]}"; } >&2
	else
		echo "quality: missing tools; on Debian: apt-get install ${packages[*]}" >&2
		exit 1
	fi
fi
if [ "$(cat "$venv/wheels" 2>/dev/null)" != "$wheels" ]; then
	rm -rf "$venv"
	"$python" -m venv --system-site-packages "$venv"
	# shellcheck disable=SC2086 # several words
	"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps $wheels >&2
	echo "$wheels" >"$venv/wheels"
fi

exec "$venv/bin/python" models/quality/quality.py "$@"
