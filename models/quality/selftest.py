"""Tests of the judges: what each must say about real data and about data that were spoilt on purpose."""

import time
from dataclasses import dataclass, field

ALL = frozenset(["all"])


@dataclass
class Case:
    """A set with the goals that it must meet and those that it must not; of others nothing is expected."""

    name: str
    rows: object
    meets: frozenset = field(default_factory=frozenset)
    fails: frozenset = field(default_factory=frozenset)


def run(domain, judge):
    """Judges every case; prints a line for each expectation and returns the number that were not fulfilled."""
    wrong = 0
    for case in judge.self_test():
        start = time.monotonic()
        lines, _ = judge.judge(case.rows)
        by_metric = {l.metric: l for l in lines if l.ok is not None}
        meets = (set(by_metric) if case.meets is ALL else set(case.meets)) - set(case.fails)
        for metric in meets | set(case.fails):
            if metric not in by_metric:
                raise SystemExit(f"quality: the self-test of {domain} expects something of {metric!r}, which is not judged")
        print(f"{domain}: {case.name} ({len(case.rows)} rows, {time.monotonic() - start:.0f} s)")
        for line in lines:
            if line.metric in meets or line.metric in case.fails:
                right = line.ok == (line.metric in meets)
                wrong += not right
                print(f"  {'ok ' if right else 'WRONG'} {'meets' if line.ok else 'fails'}  {line.metric}: {line.run} "
                      f"(held-out / floor {line.ref or '-'}; goal {line.goal})", flush=True)
    return wrong
