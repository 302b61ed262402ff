"""Lines of the table that `make quality` prints."""

from dataclasses import dataclass, field
from typing import Optional

from stats import Value


@dataclass
class Line:
    """One metric of one model. ok is None for figures without a goal.

    on says which set the goal was read on: "run", the rows of a default run, or "first", the first draws with their
    rejects, where a run would hide what the metric asks."""

    metric: str
    run: Value
    first: Optional[Value] = None
    ref: str = ""  # held-out value or floor
    goal: str = ""
    ok: Optional[bool] = None
    on: str = "run"


@dataclass
class Judged:
    domain: str
    model: str
    n: int
    seed: int
    lines: list = field(default_factory=list)
    notes: list = field(default_factory=list)

    @property
    def met(self):
        return all(l.ok is not False for l in self.lines)


HEAD = ("domain", "model", "metric", "run [95 %]", "first draws", "held-out / floor", "goal", "verdict", "n", "seed")


def verdict(line):
    if line.ok is None:
        return ""
    return ("met" if line.ok else "NOT MET") + ("*" if line.on == "first" else "")


def render(judged):
    """The table as text, aligned; a note follows for goals read on first draws."""
    rows = [HEAD]
    for j in judged:
        for l in j.lines:
            first = "" if l.first is None else str(l.first)
            rows.append((j.domain, j.model, l.metric, str(l.run), first, l.ref, l.goal, verdict(l), str(j.n), str(j.seed)))
    width = [max(len(r[i]) for r in rows) for i in range(len(HEAD))]
    out = []
    last = None
    for i, r in enumerate(rows):
        if i > 0 and r[1] != last:
            out.append("  ".join("-" * w for w in width))
        last = r[1]
        out.append("  ".join(c.ljust(w) for c, w in zip(r, width)).rstrip())
    if any(l.on == "first" for j in judged for l in j.lines):
        out.append("* the goal is read on the first draws: a run redraws what fails a check, and would hide it")
    for j in judged:
        out += [f"{j.model}: {note}" for note in j.notes]
    return "\n".join(out)
