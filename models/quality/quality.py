"""Judges built-in models from outside; see run.sh, which prepares the tools."""

import argparse
import importlib
import json
import math
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import rows as rowsmod
import selftest
from stats import Value, share
from table import Judged, Line, render

GATES = "hard checks passed"
DOMAINS = ("rna", "antibody", "graphs", "audio", "images")


@dataclass
class Context:
    """What a judge may need to know: a place to work in, a seed for its own draws, and the model's name or file."""

    work: Path
    cache: Path
    seed: int
    threads: int
    model: str = ""
    reference: str = ""
    settings: dict = field(default_factory=dict)  # what the adapter stored in the model; empty when there is no model


def options():
    p = argparse.ArgumentParser(prog="models/quality/run.sh", description="Judges models from outside. What follows -- goes to pfgmgen run.")
    p.add_argument("--domain", choices=DOMAINS, help="judge only this kind of data (default: all, or what the model makes)")
    p.add_argument("--model", action="append", default=[], help="a built-in model or an ONNX file (default: every built-in model); repeatable")
    p.add_argument("-n", type=int, default=2000, help="rows in each of the two sets (default: 2000)")
    p.add_argument("--seed", type=int, default=7, help="of the runs and of all resampling (default: 7)")
    p.add_argument("--dataset", help="judge this dataset, made elsewhere, instead of making one; needs --domain")
    p.add_argument("--first-dataset", help="its first draws (made with --invalid keep)")
    p.add_argument("--reference", default="", help="held-out graphs, when the model's name does not tell: see graphs.py")
    p.add_argument("--run-only", action="store_true", help="leave out the first draws: half the time, for candidates")
    p.add_argument("--reuse", action="store_true", help="take the datasets of the last time instead of making them again")
    p.add_argument("--out", default="out/quality", help="where to work (default: out/quality)")
    p.add_argument("--json", help="also write the table to this file, as JSON")
    p.add_argument("--check", action="store_true", help="end with 3 when a goal is not met")
    p.add_argument("--self-test", action="store_true", help="test the judges on real and on spoilt data")
    argv, extra = sys.argv[1:], []
    if "--" in argv:
        argv, extra = argv[: argv.index("--")], argv[argv.index("--") + 1 :]
    o = p.parse_args(argv)
    o.extra = extra
    if o.dataset and not o.domain:
        p.error("--dataset needs --domain")
    return o


def context(o, name, model=""):
    work = Path(o.out) / name
    work.mkdir(parents=True, exist_ok=True)
    cache = Path(o.out) / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    settings = {} if not model or o.dataset else rowsmod.inspect(model)[1]
    return Context(work, cache, o.seed, os.cpu_count() or 1, model, o.reference, settings)


def self_test(o):
    wrong = 0
    for domain in [o.domain] if o.domain else DOMAINS:
        module = importlib.import_module(domain)
        for judge in module.self_test_judges(context(o, "selftest-" + domain)):
            wrong += selftest.run(domain, judge)
    print("self-test: every judge said what it should" if wrong == 0 else f"self-test: {wrong} wrong verdicts")
    return 1 if wrong else 0


def columns_line(domain, rows):
    missing = [c for c in rowsmod.listed_columns(domain) if c not in rows]
    return Line("columns listed, read by DuckDB", Value(len(rows.names), digits=0), ref="", goal="none of the listed missing",
                ok=not missing), [f"columns missing: {', '.join(missing)}"] if missing else []


def judge_model(o, name, domain):
    label = Path(name).stem
    c = context(o, label, name)
    start = time.monotonic()
    if o.dataset:
        run = rowsmod.Rows(o.dataset)
        first = rowsmod.Rows(o.first_dataset) if o.first_dataset else None
    else:
        make = lambda place, invalid: rowsmod.generate(name, domain, o.n, o.seed, c.work / place, invalid, o.extra, o.reuse)
        run = make("run", "resample")
        first = None if o.run_only else make("first", "keep")
    made = time.monotonic() - start
    judge = importlib.import_module(domain).judge_for(c, run)
    lines, notes = judge.judge(judge.from_rows(run), judge.from_rows(first) if first else None)
    kept = Line("rows of the run", Value(run.n, digits=0))
    if not o.dataset:
        kept.goal, kept.ok = f"the {o.n} asked for", run.n == o.n
    columns, more = columns_line(domain, run)
    lines = [kept] + lines + [columns]
    if first:

        codes = {}
        for kind in ("violations", "warnings"):
            for row in first[kind]:
                for code in row or []:
                    codes[(kind, code)] = codes.get((kind, code), 0) + 1
        text = ", ".join(f"{code} {100 * k / first.n:.2f} %{' (warning)' if kind == 'warnings' else ''}" for (kind, code), k in sorted(codes.items()))
        if not any(l.metric == GATES for l in lines):
            passed = [share(sum(map(bool, set_["valid"])), set_.n) for set_ in (run, first)]
            lines.insert(1, Line(GATES, *passed))
        notes.append(f"checks on first draws: {text or 'none failed'}")
    notes += more + [f"{made:.0f} s to make the rows, {time.monotonic() - start - made:.0f} s to judge them"]
    return Judged(domain, label, run.n, o.seed, lines, notes)


def as_json(judged):
    def value(v):
        return None if v is None else {k: None if math.isnan(x) else float(x) for k, x in (("value", v.v), ("lo", v.lo), ("hi", v.hi))}

    return [{"domain": j.domain, "model": j.model, "n": j.n, "seed": j.seed, "notes": j.notes,
             "lines": [{"metric": l.metric.strip(), "run": value(l.run), "first": value(l.first), "reference": l.ref, "goal": l.goal,
                        "met": None if l.ok is None else bool(l.ok), "read_on": l.on} for l in j.lines]} for j in judged]


def main():
    o = options()
    if o.self_test:
        return self_test(o)
    known = dict(rowsmod.built_in())
    if o.dataset:
        wanted = [(o.model[0] if o.model else o.dataset, o.domain)]
    elif o.model:
        wanted = []
        for m in o.model:
            domain = o.domain or rowsmod.inspect(m)[0]
            wanted.append((m, domain))
    else:
        wanted = [(m, d) for m, d in known.items() if o.domain in (None, d)]
    if not wanted:
        raise SystemExit("quality: there is no such built-in model yet")
    judged = []
    for name, domain in wanted:
        print(f"quality: {name}", file=sys.stderr, flush=True)
        try:
            judged.append(judge_model(o, name, domain))
        except SystemExit as failure:
            if len(wanted) == 1:
                raise
            lines = [Line("could be judged", Value(0, digits=0), goal="yes", ok=False)]
            judged.append(Judged(domain, Path(name).stem, o.n, o.seed, lines, [str(failure)]))
        if len(wanted) > 1:
            print(render(judged[-1:]), file=sys.stderr, flush=True)
    print(render(judged))
    if o.json:
        Path(o.json).write_text(json.dumps(as_json(judged), indent=1) + "\n")
    missed = sum(l.ok is False for j in judged for l in j.lines)
    print(f"{missed} goals not met" if missed else "every goal met")
    return 3 if missed and o.check else 0


if __name__ == "__main__":
    sys.exit(main())
