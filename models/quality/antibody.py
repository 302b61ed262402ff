"""Antibody variable domains: HMMER profiles built here from the training part, IMGT columns by hmmalign."""

import csv
import gzip
import hashlib
import random
from dataclasses import dataclass
from typing import Optional

import numpy as np
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

import stats
from rows import DATA, tool, write_fasta
from selftest import ALL, Case
from stats import Value
from table import Line

LETTERS = "ACDEFGHIKLMNPQRSTVWY"
PAIRED = DATA / "antibody/oas_jaffe2022_paired/paired_vh_vl.tsv.gz"
HEAVY = DATA / "antibody/oas_bernat2019_igg_imgt/vh_imgt.tsv.gz"
LOCI = {"heavy": ("IGH",), "light": ("IGK", "IGL")}
COLUMNS = 128  # of IMGT; 117 is the last of CDR3, FR4 begins at 118
EVALUE = 1e-3
PROFILE_ROWS = 3000  # that a profile is built from, at most: more change nothing and cost time
POOL_ROWS = 6000  # of the training part, that floors are drawn from
NEAREST_ROWS = 250  # whose nearest training row is looked for

GATES, UNIQUE = "hard checks passed", "unique"
RECOGNISED, JS, CDR3, COPIES, NEAREST = "HMM recognises, right locus", "per-position JS / floor", "CDR3 length W1", "copies of training rows", "nearest-training identity"


@dataclass
class Chains:
    """A set of antibodies. heavy and light are sequences, or None; loci are what each light chain claims to be."""

    heavy: Optional[list] = None
    light: Optional[list] = None
    loci: Optional[list] = None
    valid: Optional[list] = None

    def __len__(self):
        return len(self.heavy if self.heavy is not None else self.light)

    def sides(self):
        return [s for s in ("heavy", "light") if getattr(self, s) is not None]


def place_cdr3(s):
    """CDR3 on IMGT columns 105 to 117: left of the middle, the insertion block, right of the middle."""
    left = (min(len(s), 13) + 1) // 2
    right = min(len(s), 13) - left
    middle = s[left : len(s) - right]
    return s[:left].ljust(7, "-"), middle, (s[len(s) - right :] if right else "").rjust(6, "-")


class Judge:
    def __init__(self, context, reference="jaffe"):
        self.work, self.cache, self.seed, self.threads = context.work, context.cache, context.seed, context.threads
        with gzip.open(PAIRED, "rt") as f:
            self.pairs = list(csv.DictReader(f, delimiter="\t"))
        with gzip.open(HEAVY, "rt") as f:
            self.bulk = list(csv.DictReader(f, delimiter="\t"))
        for r in self.pairs:
            r["locus"] = {"kappa": "IGK", "lambda": "IGL"}[r["light"]]
        self.train = [r for r in self.pairs if r["split"] == "train"]
        self.held = [r for r in self.pairs if r["split"] != "train"]
        # Copies count against everything that a model may have learnt from.
        self.known = {"heavy": {r["vh"] for r in self.train} | {r["vh"] for r in self.bulk if r["split"] == "train"},
                      "light": {r["vl"] for r in self.train}}
        self.known["pair"] = {(r["vh"], r["vl"]) for r in self.train}
        if reference == "bernat":
            self.held = [r for r in self.bulk if r["split"] != "train"]
            self.train_heavy = [r["vh"] for r in self.bulk if r["split"] == "train"]
        else:
            self.train_heavy = [r["vh"] for r in self.train]
        self.reference = reference
        self.version = tool(["hmmscan", "-h"]).split("HMMER ")[1].split()[0]
        self.build()
        self._references = {}

    def build(self):
        """Profiles of IGH, IGK and IGL from the aligned training rows, IMGT column = match state."""
        rng = random.Random(self.seed)
        for locus in ("IGH", "IGK", "IGL"):
            side = "vh" if locus == "IGH" else "vl"
            rows = [r for r in self.train if r[side + "_imgt104"] and (locus == "IGH" or r["locus"] == locus)]
            rows = rng.sample(rows, min(PROFILE_ROWS, len(rows)))
            placed = [(r, place_cdr3(r["cdrh3" if locus == "IGH" else "cdrl3"])) for r in rows]
            wide = max(len(m) for _, (_, m, _) in placed)
            fr4 = len(rows[0][side + "_fr4"])
            text = ["# STOCKHOLM 1.0", ""]
            for i, (r, (a, m, b)) in enumerate(placed):
                text.append(f"s{i} {r[side + '_imgt104']}{a}{m.ljust(wide, '.')}{b}{r[side + '_fr4']}".replace("-", "."))
            text.append("#=GC RF " + "x" * 111 + "." * wide + "x" * (6 + fr4))
            sto = self.work / f"{locus}.sto"
            sto.write_text("\n".join(text) + "\n//\n")
            tool(["hmmbuild", "--amino", "--hand", "--seed", self.seed, "-n", locus, self.work / f"{locus}.hmm", sto])
        library = self.work / "loci.hmm"
        library.write_text("".join((self.work / f"{l}.hmm").read_text() for l in ("IGH", "IGK", "IGL")))
        tool(["hmmpress", "-f", library])

    def from_rows(self, rows):
        """Heavy and light by the names of the columns, which are null for a chain that the model does not make. A set of single
        chains is light when most of its rows say so."""

        def get(name):
            return list(rows[name]) if name in rows and any(rows[name]) else None

        one, other, loci = get("sequence_aa"), get("sequence_aa_light"), get("locus_light")
        if other is None:
            loci = get("locus")
            light = sum(l in LOCI["light"] for l in loci or [])
            if 2 * light > rows.n:
                one, other = None, one
            else:
                loci = None
        if other is not None:  # what was asked for, if it was, else what the row says that it is
            loci = [a if a in LOCI["light"] else l for a, l in zip(rows["label"], loci or [None] * rows.n)]
        text = lambda side: None if side is None else [s or "" for s in side]
        return Chains(text(one), text(other), loci, rows["valid"])

    def scan(self, sequences):
        """The locus of the best hit of each sequence with an E-value below EVALUE, or None."""
        fasta, out = self.work / "scan.fa", self.work / "scan.tbl"
        write_fasta(fasta, [s or "A" for s in sequences])  # an empty sequence would stop hmmscan, and an A is no antibody
        tool(["hmmscan", "--cpu", self.threads, "--seed", self.seed, "--noali", "--tblout", out, self.work / "loci.hmm", fasta])
        best = {}
        for line in out.read_text().splitlines():
            if not line.startswith("#"):
                f = line.split()
                hit = (float(f[5]), f[0]) if float(f[4]) < EVALUE else None
                i = int(f[2][1:])
                if hit and (i not in best or hit > best[i]):
                    best[i] = hit
        return [best[i][1] if i in best else None for i in range(len(sequences))]

    def columns(self, sequences, locus):
        """IMGT columns (rows x 128, codes 0 to 19, 20 for a gap) and the lengths of CDR3."""
        fasta = self.work / "align.fa"
        kept = [s for s in sequences if s]
        write_fasta(fasta, kept)
        text = tool(["hmmalign", "--amino", "--outformat", "A2M", self.work / f"{locus}.hmm", fasta])
        code = {c: i for i, c in enumerate(LETTERS)}
        out, lengths = np.full((len(kept), COLUMNS), 20, np.uint8), np.zeros(len(kept), int)
        for entry in text.split(">")[1:]:
            name, *parts = entry.split("\n")
            i, at, loop = int(name.split()[0][1:]), 0, ""
            for c in "".join(parts):
                if c.isupper() or c == "-":
                    at += 1  # the IMGT number
                    if c != "-" and not 105 <= at <= 117:
                        out[i, at - 1] = code.get(c, 20)
                if c.isalpha() and (104 < at < 118 or at == 104 and c.islower()):
                    loop += c.upper()
            left, _, right = place_cdr3(loop)
            out[i, 104:117] = [code.get(c, 20) for c in left + right]
            lengths[i] = len(loop)
        return out, lengths

    def side(self, rows, side):
        """Sequences and loci of shared data rows."""
        if side == "heavy":
            return [r["vh"] for r in rows], ["IGH"] * len(rows)
        return [r["vl"] for r in rows], [r["locus"] for r in rows]

    def by_locus(self, sequences, loci, keep=False):
        """{locus: (one-hot columns, CDR3 lengths)} over the loci that occur. Alignments to keep are made once for these
        sequences, profiles and this text."""
        out = {}
        for locus in sorted(set(l for l in loci if l)):
            part = [s for s, l in zip(sequences, loci) if l == locus]
            if any(part):
                key = hashlib.sha256("\n".join([self.version, str(self.seed), *part]).encode() + open(__file__, "rb").read()).hexdigest()[:16]
                kept = self.cache / f"imgt-{locus}-{key}.npz"
                if kept.exists():
                    with np.load(kept) as f:
                        out[locus] = f["codes"], f["lengths"]
                    continue
                codes, lengths = out[locus] = self.columns(part, locus)
                if keep:
                    np.savez_compressed(kept, codes=codes, lengths=lengths)
        return {l: (np.eye(21, dtype=np.float32)[codes].reshape(len(codes), -1), lengths) for l, (codes, lengths) in out.items()}

    def references(self, side):
        """Columns and CDR3 lengths of each locus, of the held-out rows and of training rows for the floors."""
        if side not in self._references:
            held = self.by_locus(*self.side(self.held, side), keep=True)
            pool = self.train if side == "light" or self.reference != "bernat" else [{"vh": s} for s in self.train_heavy]
            pool = random.Random(self.seed).sample(pool, min(POOL_ROWS, len(pool)))
            self._references[side] = held, self.by_locus(*self.side(pool, side), keep=True)
        return self._references[side]

    @staticmethod
    def divergence(counts, held):
        """Mean over the positions of the JS divergence, loci weighted by their held-out rows; counts by locus."""
        total = sum(len(held[l][1]) for l in counts)
        js = lambda l: stats.js(counts[l].reshape(COLUMNS, 21), held[l][0].sum(0).reshape(COLUMNS, 21)).mean()
        return sum(js(l) * len(held[l][1]) / total for l in counts)

    def measure(self, chains):
        out, n = {}, len(chains)
        if chains.valid is not None:
            out[GATES] = stats.share(sum(map(bool, chains.valid)), n)
        both = [tuple(getattr(chains, s)[i] for s in chains.sides()) for i in range(n)]
        out[UNIQUE] = stats.share(len(set(both)), n)
        for side in chains.sides():
            tag = {"heavy": "VH ", "light": "VL "}[side]
            sequences = getattr(chains, side)
            found = self.scan(sequences)
            wanted = ["IGH"] * n if side == "heavy" else chains.loci or [None] * n
            right = sum(f in LOCI[side] and w in (None, f) for f, w in zip(found, wanted))
            out[tag + RECOGNISED] = stats.share(right, n)
            # Columns need a profile: of the claimed locus, else of the one that was found, else of the commonest.
            loci = [w or (f if f in LOCI[side] else LOCI[side][0]) for w, f in zip(wanted, found)]
            held, train = self.references(side)
            mine = {l: v for l, v in self.by_locus(sequences, loci).items() if l in held}
            if not mine:
                raise SystemExit("quality: no sequences to judge")
            rng = np.random.default_rng(self.seed)
            floors, lengths = [], []
            for _ in range(5):
                draw = {l: rng.choice(len(train[l][1]), min(len(v[1]), len(train[l][1])), replace=False) for l, v in mine.items()}
                floors.append(self.divergence({l: train[l][0][d].sum(0) for l, d in draw.items()}, held))
                lengths.append(stats.w1(np.concatenate([train[l][1][d] for l, d in draw.items()]),
                                        np.concatenate([held[l][1] for l in draw])))
            floor = float(np.mean(floors))
            ends = np.cumsum([0] + [len(v[1]) for v in mine.values()])

            def ratio(w):
                return self.divergence({l: w[a:b] @ mine[l][0] for l, a, b in zip(mine, ends, ends[1:])}, held) / floor

            out[tag + JS] = stats.boot(ends[-1], ratio, self.seed, rounds=50, digits=2, floor=0)
            own, natural = np.concatenate([v[1] for v in mine.values()]), np.concatenate([held[l][1] for l in held])
            out[tag + CDR3] = stats.boot(ends[-1], lambda w: stats.w1(own, natural, w), self.seed, digits=2, floor=0)
            out[tag + "floors"] = floor, float(np.mean(lengths))
            out[tag + COPIES] = stats.share(sum(s in self.known[side] for s in sequences), n)
            some = sequences[:NEAREST_ROWS]
            known = self.train_heavy if side == "heavy" else sorted(self.known["light"])
            out[tag + NEAREST] = stats.mean(cdist(some, known, scorer=Levenshtein.normalized_similarity, dtype=np.float32,
                                                  workers=self.threads).max(1))
        if len(chains.sides()) == 2:
            out["pair " + COPIES] = stats.share(sum(p in self.known["pair"] for p in both), n)
        return out

    def judge(self, run, first=None):
        a = self.measure(run)
        b = self.measure(first) if first is not None else {}
        lines = []

        def add(metric, ref, goal, test, on="run"):
            value = b.get(metric) if on == "first" and metric in b else a[metric]
            lines.append(Line(metric, a[metric], b.get(metric), ref, goal, test and bool(test(value.v)), on if metric in b else "run"))

        if GATES in a:
            add(GATES, "99 % (natural)", ">= 97 %", lambda v: v >= 0.97, "first")
        add(UNIQUE, "", ">= 99 %", lambda v: v >= 0.99)
        for side in run.sides():
            tag = {"heavy": "VH ", "light": "VL "}[side]
            js, w = a[tag + "floors"]
            held = self.side(self.held, side)[0]
            copies = sum(s in self.known[side] for s in held) / len(held)
            add(tag + RECOGNISED, "", ">= 99 %", lambda v: v >= 0.99)
            add(tag + JS, f"floor {js:.5f} bits", "<= 2", lambda v: v <= 2)
            add(tag + CDR3, f"{w:.2f} (train)", "<= 1", lambda v: v <= 1)
            add(tag + COPIES, Value(copies, unit="%").short(), "<= held-out", lambda v: v <= copies)
            add(tag + NEAREST, "", "", None)
        if "pair " + COPIES in a:
            add("pair " + COPIES, "0.0 %", "<= held-out", lambda v: v <= 0)
        for l in lines:
            l.ok = None if not l.goal else l.ok
        return lines, [f"HMMER {self.version}, profiles of {PROFILE_ROWS} training rows a locus; {len(self.held)} held-out rows ({self.reference})"]

    def self_test(self):
        rng = random.Random(self.seed)
        sample = rng.sample(self.train, 2000)
        self.known["heavy"] -= {r["vh"] for r in sample}  # as if they had never been learnt
        self.known["pair"] -= {(r["vh"], r["vl"]) for r in sample}
        vh = [r["vh"] for r in sample]
        pairs = lambda rows: Chains([r["vh"] for r in rows], [r["vl"] for r in rows], [r["locus"] for r in rows])

        def mutated(s, rate):
            return "".join(rng.choice(LETTERS) if rng.random() < rate else c for c in s)

        def short(r):
            return r["vh"].replace(r["cdrh3"], r["cdrh3"][:4] + r["cdrh3"][7:])

        yield Case("training VH, left out of the known ones", Chains(vh), meets=ALL)
        yield Case("held-out pairs", pairs(rng.sample(self.held, 2000)), meets=ALL)
        yield Case("shuffled letters", Chains(["".join(rng.sample(s, len(s))) for s in vh]), fails={"VH " + RECOGNISED, "VH " + JS})
        yield Case("letters mutated, 3 %", Chains([mutated(s, 0.03) for s in vh]), fails={"VH " + JS})
        yield Case("three residues out of CDR3", Chains([short(r) for r in sample]), fails={"VH " + CDR3})
        yield Case("light chains as heavy ones", Chains([r["vl"] for r in sample]), fails={"VH " + RECOGNISED})
        yield Case("kappa and lambda swapped", Chains(None, [r["vl"] for r in sample], [{"IGK": "IGL", "IGL": "IGK"}[r["locus"]] for r in sample]),
                   fails={"VL " + RECOGNISED})
        known = [r["vh"] for r in self.train if r["vh"] in self.known["heavy"]]
        yield Case("a hundred copies", Chains(vh[100:] + known[:100]), meets={UNIQUE}, fails={"VH " + COPIES})
        yield Case("one germline family only", Chains([r["vh"] for r in self.train if r["vh_gene"].startswith("IGHV3")][:2000]), fails={"VH " + JS})
        yield Case("half of them twice", Chains(vh[:1000] * 2), fails={UNIQUE})
        yield Case("a tenth without checks passed", Chains(vh, valid=[i % 10 > 0 for i in range(2000)]), fails={GATES})


def judge_for(context, rows):
    return Judge(context, context.reference or "jaffe")


def self_test_judges(context):
    yield Judge(context)
