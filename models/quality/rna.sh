#!/usr/bin/env bash
# Judges the built-in tRNA model from outside, with Infernal: `make quality` from the project's root.
#
#   models/quality/rna.sh [ROWS [SEED [MODEL]]]
#
# A covariance model is built (cmbuild) from the RF00005 seed alignment of the shared data and scores, with cmalign (global,
# not truncated; never filtered cmsearch, which loses true members), the held-out tRNAs (valid and test split), the rows of
# a default run, and all first draws of the model, its own rejects included. 24 bits is the family's gathering score.
# Works in out/quality/rna; needs cmbuild and cmalign (Debian: infernal) and bin/pfgmgen.
set -euo pipefail
cd "$(dirname "$0")/../.."

rows=${1:-2000} seed=${2:-7} model=${3:-rna-trna}
data=../shared/data/rna/trna_rfam_sprinzl
work=out/quality/rna
threads=$(getconf _NPROCESSORS_ONLN)

if ! command -v cmbuild >/dev/null || ! command -v cmalign >/dev/null; then
	if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
		{ apt-get update -qq && apt-get install -y -qq infernal; } >&2
	else
		echo "quality: Infernal is missing; on Debian: apt-get install infernal" >&2
		exit 1
	fi
fi
[ -d "$data" ] || { echo "quality: the shared data are not at $data" >&2; exit 1; }

rm -rf "$work"
mkdir -p "$work"
gzip -dc "$data/RF00005.rfam14.2.seed.sto.gz" >"$work/seed.sto"
cmbuild -F "$work/trna.cm" "$work/seed.sto" >"$work/cmbuild.log"
awk -F'\t' 'NR > 1 && ($5 == "valid" || $5 == "test") { print ">h" NR "\n" $3 }' "$data/trna.tsv" >"$work/heldout.fa"
awk -F'\t' 'NR > 1 && $5 == "train" { print $3 }' "$data/trna.tsv" | sort -u >"$work/train.txt"

for policy in resample keep; do
	bin/pfgmgen run --domain rna --model "$model" -n "$rows" --seed "$seed" --invalid $policy --also fasta --out "$work/$policy" --quiet
	cat "$work/$policy"/fasta/*.fasta >"$work/$policy.fa"
done

score() { # NAME FILE: one line of the table
	cmalign -g --notrunc --noprob --cpu "$threads" --sfile "$work/$1.scores" -o /dev/null "$work/trna.cm" "$2" >"$work/$1.log"
	awk '/^>/ { if (s) print s; s = ""; next } { s = s $0 } END { print s }' "$2" >"$work/$1.txt"
	distinct=$(sort -u "$work/$1.txt" | wc -l)
	copies=$(grep -Fxc -f "$work/train.txt" "$work/$1.txt" || true) # every row that is one, repeats too
	grep -v '^#' "$work/$1.scores" | awk -v name="$3" -v distinct="$distinct" -v copies="$copies" '
		{ n++; s += $7; q += $7 * $7; if ($7 >= 24) g++ }
		END {
			m = s / n; p = g / n
			printf "%-34s %6d  %5.1f +- %.1f  %5.1f %% +- %.1f  %5.1f %%  %5.1f %%\n", name, n, m, 1.96 * sqrt((q / n - m * m) / n),
				100 * p, 196 * sqrt(p * (1 - p) / n), 100 * distinct / n, 100 * copies / n
		}'
}

echo "rna: $model, seed $seed, covariance model of RF00005 (Infernal $(cmalign -h | awk '/INFERNAL/ { print $3 }')), 95 % intervals"
printf '%-34s %6s  %13s  %15s  %7s  %7s\n' "set" "rows" "bits" ">= 24 bits" "distinct" "copies"
score heldout "$work/heldout.fa" "held-out tRNAs"
score resample "$work/resample.fa" "run (invalid rows redrawn)"
score keep "$work/keep.fa" "first draws (--invalid keep)"
