"""RNA: the covariance model of the tRNA family (Infernal) and the baseline that needs no training."""

import gzip
import random
from collections import Counter

import numpy as np
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

import stats
from rows import DATA, tool, write_fasta
from selftest import ALL, Case
from stats import Value
from table import Line

GATHERING = 24  # bits, of RF00005
LETTERS = "ACGU"
FOLDER = DATA / "rna/trna_rfam_sprinzl"

BITS, GATHERED, MI, KMER, IDENTITY = "mean CM bits", "share with >= 24 bits", "pair MI, bits", "3-mer JS, bits", "nearest-training identity"
LENGTH, DISTINCT, COPIES = "length W1, nt", "distinct", "copies of training rows"
KMER_PWM, LENGTH_PWM = "3-mer JS against the PWM's", "length W1 against the PWM's"


def pairs_of(structure):
    """Base pairs of a WUSS or dot-bracket string, all bracket kinds."""
    close = {")": "(", ">": "<", "]": "[", "}": "{"}
    stacks, pairs = {b: [] for b in close.values()}, []
    for i, c in enumerate(structure):
        if c in stacks:
            stacks[c].append(i)
        elif c in close:
            pairs.append((stacks[close[c]].pop(), i))
    return sorted(pairs)


def stockholm(text):
    """Aligned rows by name, and the consensus structure, of a Stockholm file in blocks or not."""
    rows, structure = {}, ""
    for line in text.splitlines():
        if line.startswith("#=GC SS_cons"):
            structure += line.split()[2]
        elif line and not line.startswith(("#", "//")):
            name, part = line.split()
            rows[name] = rows.get(name, "") + part
    return rows, structure


def kmers(sequences, k=3):
    """Counts of k-mers, a row for each sequence."""
    index = {c: i for i, c in enumerate(LETTERS)}
    out = np.zeros((len(sequences), 4**k))
    for row, s in zip(out, sequences):
        codes = np.array([index.get(c, -1) for c in s])
        if len(codes) < k:
            continue
        word, good = np.zeros(len(codes) - k + 1, int), np.ones(len(codes) - k + 1, bool)
        for j in range(k):
            part = codes[j : len(codes) - k + 1 + j]
            word, good = word * 4 + part, good & (part >= 0)
        row += np.bincount(word[good], minlength=4**k)
    return out


class Judge:
    def __init__(self, context):
        self.work, self.seed, self.threads = context.work, context.seed, context.threads
        rows = [line.split("\t") for line in (FOLDER / "trna.tsv").read_text().splitlines()[1:]]
        self.split = {r[2]: r[4] for r in rows}
        self.train = [r[2] for r in rows if r[4] == "train"]
        self.held = [r[2] for r in rows if r[4] != "train"]
        seed_alignment = gzip.decompress((FOLDER / "RF00005.rfam14.2.seed.sto.gz").read_bytes())
        (self.work / "seed.sto").write_bytes(seed_alignment)
        self.model = self.work / "trna.cm"
        tool(["cmbuild", "-F", self.model, self.work / "seed.sto"])
        self.version = next(w for w in tool(["cmalign", "-h"]).split() if w[0].isdigit())
        self.held_figures = self.measure(self.held)
        # The floor of the JS and of the length distance: training rows, as many as there are, against the held-out ones.
        counts = kmers(self.held).sum(0)
        self.floor_js = float(stats.js(kmers(self.train).sum(0), counts))
        self.floor_w1 = stats.w1([len(s) for s in self.train], [len(s) for s in self.held])

    def from_rows(self, rows):
        return [s or "" for s in rows["sequence"]]

    def align(self, sequences):
        """Bits of every sequence in a global, not truncated, alignment to the model, and for each the letters (or gaps)
        of every consensus pair."""
        fasta, sto, scores = self.work / "a.fa", self.work / "a.sto", self.work / "a.scores"
        write_fasta(fasta, sequences)
        tool(["cmalign", "-g", "--notrunc", "--noprob", "--cpu", self.threads, "--mxsize", 4096, "--outformat", "Pfam",
              "--sfile", scores, "-o", sto, self.model, fasta])
        bits = np.full(len(sequences), np.nan)
        for line in scores.read_text().splitlines():
            if not line.startswith("#"):
                f = line.split()
                bits[int(f[1][1:])] = float(f[6])
        rows, structure = stockholm(sto.read_text())
        letters = np.array([list(rows[f"s{i}"].upper().replace("T", "U")) for i in range(len(sequences))])
        return bits, [(letters[:, i], letters[:, j]) for i, j in pairs_of(structure)]

    def measure(self, sequences):
        """Every figure of a set, with an interval."""
        kept = [s for s in sequences if s and not set(s) - set(LETTERS)]
        bits, columns = self.align(kept)
        n = len(kept)
        index = {c: i for i, c in enumerate(LETTERS)}
        cells = np.zeros((n, len(columns), 16), np.float32)
        for p, (a, b) in enumerate(columns):
            for r, (x, y) in enumerate(zip(a, b)):
                if x in index and y in index:
                    cells[r, p, 4 * index[x] + index[y]] = 1

        def information(weights):
            joint = stats.normalise(np.tensordot(weights, cells, 1).reshape(-1, 4, 4).reshape(-1, 16)).reshape(-1, 4, 4)
            apart = joint.sum(2, keepdims=True) * joint.sum(1, keepdims=True)
            ratio = np.divide(joint, apart, out=np.ones_like(joint), where=joint > 0)
            return (joint * np.log2(ratio)).sum((1, 2)).mean()

        words, held_words = kmers(kept), kmers(self.held).sum(0)
        lengths, held_lengths = [len(s) for s in kept], [len(s) for s in self.held]
        train = list(dict.fromkeys(self.train))
        nearest = cdist(kept, train, scorer=Levenshtein.normalized_similarity, dtype=np.float32, workers=self.threads).max(1)
        copies = sum(s in set(train) for s in kept)
        return {
            BITS: stats.mean(bits, 2),
            GATHERED: stats.share(int((bits >= GATHERING).sum()), len(sequences)),
            MI: stats.boot(n, information, self.seed, digits=3),
            KMER: stats.boot(n, lambda w: stats.js(w @ words, held_words), self.seed, digits=5, floor=0),
            IDENTITY: stats.mean(nearest),
            LENGTH: stats.boot(n, lambda w: stats.w1(lengths, held_lengths, w), self.seed, digits=2, floor=0),
            DISTINCT: stats.share(len(set(kept)), len(sequences)),
            COPIES: stats.share(copies, len(sequences)),
        }

    def baseline(self, n=2000):
        """Sequences drawn from the pair-aware position weight matrix of the training part of the Sprinzl alignment: each
        consensus pair one draw of its two letters (gaps included), every other column by itself; gaps are then left out."""
        rows, structure = stockholm(gzip.decompress((FOLDER / "sprinzl_tRNA1415.sto.gz").read_bytes()).decode())
        aligned = {}
        for s in rows.values():
            s = s.upper().replace("T", "U").translate(str.maketrans(".-~_", "...."))
            if self.split.get(s.replace(".", "")) == "train":
                aligned.setdefault(s.replace(".", ""), s)
        aligned = list(aligned.values())
        pairs = pairs_of(structure)
        partner = dict(pairs)
        closing = {j for _, j in pairs}
        rng = random.Random(self.seed)
        out = [[""] * len(structure) for _ in range(n)]
        for i in range(len(structure)):
            if i in closing:
                continue
            counts = Counter((s[i], s[partner[i]]) if i in partner else s[i] for s in aligned)
            states = sorted(counts)
            for row, state in zip(out, rng.choices(states, [counts[x] for x in states], k=n)):
                if i in partner:
                    row[i], row[partner[i]] = state
                else:
                    row[i] = state
        return ["".join(row).replace(".", "") for row in out]

    def judge(self, run, first=None):
        a = self.measure(run)
        b = self.measure(first) if first is not None else {}
        pwm = self.pwm()
        h = self.held_figures
        difference = a[BITS].v - h[BITS].v
        lines = [
            Line(BITS, a[BITS], b.get(BITS), str(h[BITS]), "within 4 of held-out", abs(difference) <= 4),
            Line(GATHERED, a[GATHERED], b.get(GATHERED), h[GATHERED].short(), ">= 92 %", a[GATHERED].v >= 0.92),
            Line(MI, a[MI], b.get(MI), str(h[MI]), ">= 1.15", a[MI].v >= 1.15),
            Line(KMER, a[KMER], b.get(KMER), f"{self.floor_js:.5f} (train)", "<= 0.004", a[KMER].v <= 0.004),
            Line(IDENTITY, a[IDENTITY], b.get(IDENTITY), str(h[IDENTITY]), "<= held-out + 0.03",
                 a[IDENTITY].v <= h[IDENTITY].v + 0.03),
            Line(LENGTH, a[LENGTH], b.get(LENGTH), f"{self.floor_w1:.2f} (train)"),
            Line(DISTINCT, a[DISTINCT], b.get(DISTINCT), h[DISTINCT].short(), ">= 99 %", a[DISTINCT].v >= 0.99),
            Line(COPIES, a[COPIES], b.get(COPIES), h[COPIES].short(), "<= 5 %", a[COPIES].v <= 0.05),
            Line(KMER_PWM, a[KMER], b.get(KMER), "", f"< PWM {pwm[KMER].v:.5f}", a[KMER].v < pwm[KMER].v),
            Line(LENGTH_PWM, a[LENGTH], b.get(LENGTH), "", f"< PWM {pwm[LENGTH].v:.2f}", a[LENGTH].v < pwm[LENGTH].v),
        ]
        lines += [Line(f"  PWM baseline: {m}", pwm[m]) for m in (BITS, GATHERED, MI, KMER, IDENTITY, LENGTH)]
        return lines, [f"Infernal {self.version}, model of the RF00005 seed; {len(self.held)} held-out tRNAs (valid and test)"]

    def pwm(self):
        if not hasattr(self, "_pwm"):
            self._pwm = self.measure(self.baseline())
        return self._pwm

    def self_test(self):
        rng = random.Random(self.seed)

        def mutated(s, rate):
            return "".join(rng.choice(LETTERS) if rng.random() < rate else c for c in s)

        held = list(self.held)
        yield Case("held-out tRNAs", held, meets=ALL)
        yield Case("training tRNAs: copies", rng.sample(self.train, 600), meets={BITS, GATHERED, MI, DISTINCT, KMER}, fails={IDENTITY, COPIES})
        yield Case("shuffled letters", ["".join(rng.sample(s, len(s))) for s in held], fails={BITS, GATHERED, MI, KMER})
        yield Case("a tenth of the letters mutated", [mutated(s, 0.1) for s in held], fails={BITS, GATHERED, MI})
        yield Case("pair-aware PWM", self.baseline(), meets={MI, DISTINCT}, fails={BITS, KMER, KMER_PWM, LENGTH_PWM})
        yield Case("twenty tRNAs over and over", held[:20] * 20, fails={DISTINCT})


def judge_for(context, rows):
    return Judge(context)


def self_test_judges(context):
    yield Judge(context)
