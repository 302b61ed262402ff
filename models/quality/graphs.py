"""Molecules (RDKit) and generic graphs (MMD of degrees, clustering and orbits).

The held-out graphs of a generic model are told by --reference, or else by a word in the model's name:
  enzymes      the shared ENZYMES, largest components; graphs whose number is divisible by 5 are held out
  planar       Delaunay graphs of 64 uniform points, 1,024 and 1,024 drawn here
  community    two connected communities of 6 to 10 nodes each, edges within with 0.7, 0.05 n between them; the same numbers
  FILE,FILE    training and held-out graphs, one graph6 a line
Sizes outside those of the model's training are left out of the real graphs."""

import gzip
import random
from collections import Counter
from pathlib import Path

import numpy as np
from rdkit import Chem, RDLogger
from scipy.spatial import Delaunay
from scipy.spatial.distance import cdist

import stats
from rows import DATA
from selftest import ALL, Case
from stats import Value
from table import Line

RDLogger.DisableLog("rdApp.*")

VALID, CONNECTED, UNIQUE, NOVEL = "RDKit-valid, not corrected", "connected", "unique of the valid", "novel of the distinct"
ATOMS, RINGS, RADICALS = "heavy-atom histogram TV / floor", "ring-count histogram TV / floor", "without radicals, of the valid"


def size_range(settings):
    """Smallest and largest number of nodes in the model's training."""
    sizes = [n for n, _ in settings["sizes"][0]] if settings.get("sizes") else [1, 10**6]
    return sizes[0], sizes[-1]


class Molecules:
    def __init__(self, context):
        self.seed = context.seed
        low, high = size_range(context.settings)
        with gzip.open(DATA / "graphs/pubchemqc_cno/molecules.tsv.gz", "rt") as f:
            rows = [line.rstrip("\n").split("\t") for line in f][1:]
        self.all_known = {r[1] for r in rows if r[5] == "train"}
        rows = [r for r in rows if low <= int(r[2]) <= high]
        self.train = [r[1] for r in rows if r[5] == "train"]
        self.held = [r[1] for r in rows if r[5] != "train"]
        self.sizes = low, high
        self.train_counts = self.counts(self.train)
        self.held_counts = self.counts(self.held)

    def from_rows(self, rows):
        if "smiles" in rows:
            return list(rows["smiles"])
        return [self.assemble(e, l) for e, l in zip(rows["edges"], rows["node_labels"])]

    @staticmethod
    def assemble(edges, labels):
        """SMILES of a graph of atomic numbers and bond orders, hydrogens implied; nothing is checked here."""
        kinds = {1: Chem.BondType.SINGLE, 2: Chem.BondType.DOUBLE, 3: Chem.BondType.TRIPLE}
        m = Chem.RWMol()
        for z in labels or []:
            m.AddAtom(Chem.Atom(int(z)))
        for e in edges or []:
            m.AddBond(int(e["u"]), int(e["v"]), kinds[int(e["t"])])
        return Chem.MolToSmiles(m, canonical=False)

    @staticmethod
    def parse(smiles):
        """The sanitised molecule, or None when RDKit refuses it."""
        m = Chem.MolFromSmiles(smiles, sanitize=False) if smiles else None
        if m is None or m.GetNumAtoms() == 0:
            return None
        try:
            Chem.SanitizeMol(m)
        except (Chem.MolSanitizeException, ValueError, RuntimeError):
            return None
        return m

    def counts(self, smiles):
        """Heavy atoms and rings of each valid molecule in one piece."""
        out = []
        for m in map(self.parse, smiles):
            if m is not None and len(Chem.GetMolFrags(m)) == 1:
                out.append((m.GetNumHeavyAtoms(), m.GetRingInfo().NumRings()))
        return np.array(out or [(0, 0)])

    def floors(self, n):
        """Mean TV of the two histograms between n training molecules and the held-out ones."""
        rng = np.random.default_rng(self.seed)
        draws = []
        for _ in range(40):
            pick = self.train_counts[rng.choice(len(self.train_counts), min(n, len(self.train_counts)), replace=False)]
            draws.append([stats.tv(np.bincount(pick[:, c]), np.bincount(self.held_counts[:, c])) for c in (0, 1)])
        return np.mean(draws, 0)

    def measure(self, smiles):
        n = len(smiles)
        molecules = [self.parse(s) for s in smiles]
        valid = [m for m in molecules if m is not None]
        canonical = [Chem.MolToSmiles(m, isomericSmiles=False) for m in valid]
        distinct = set(canonical)
        out = {
            VALID: stats.share(len(valid), n),
            CONNECTED: stats.share(sum(m is not None and len(Chem.GetMolFrags(m)) == 1 for m in molecules), n),
            UNIQUE: stats.share(len(distinct), len(valid)),
            NOVEL: stats.share(len(distinct - self.all_known), len(distinct)),
            RADICALS: stats.share(sum(not any(a.GetNumRadicalElectrons() for a in m.GetAtoms()) for m in valid), len(valid)),
        }
        own, floors = self.counts(smiles), self.floors(n)
        for c, name in ((0, ATOMS), (1, RINGS)):
            held = np.bincount(self.held_counts[:, c])

            def ratio(w):
                return stats.tv(np.bincount(own[:, c], w), held) / floors[c]

            out[name] = stats.boot(len(own), ratio, self.seed, digits=2, floor=0)
        return out

    def judge(self, run, first=None):
        a = self.measure(run)
        b = self.measure(first) if first is not None else {}
        floors = self.floors(len(run))
        lines = []
        for metric, ref, goal, test in (
            (VALID, "", ">= 95 %", lambda v: v >= 0.95),
            (CONNECTED, "", ">= 95 %", lambda v: v >= 0.95),
            (UNIQUE, "", ">= 97 %", lambda v: v >= 0.97),
            (NOVEL, "", ">= 80 %", lambda v: v >= 0.80),
            (ATOMS, f"TV {floors[0]:.4f} (train)", "<= 2", lambda v: v <= 2),
            (RINGS, f"TV {floors[1]:.4f} (train)", "<= 2", lambda v: v <= 2),
            (RADICALS, "100.0 %", "", None),
        ):
            # A run redraws what our own rule refuses; without correction means the first draws.
            on = "first" if metric in (VALID, CONNECTED) and metric in b else "run"
            value = b[metric] if on == "first" else a[metric]
            lines.append(Line(metric, a[metric], b.get(metric), ref, goal, test and bool(test(value.v)), on))
        return lines, [f"RDKit {Chem.rdBase.rdkitVersion}; {len(self.held)} held-out molecules of {min(self.held_counts[:, 0])} to {max(self.held_counts[:, 0])} heavy atoms"]

    def self_test(self):
        rng = random.Random(self.seed)
        sample = rng.sample(self.train, 2000)
        learnt = self.all_known
        self.all_known = learnt - set(sample)  # as if they had never been learnt
        yield Case("training molecules, left out of the known ones", sample, meets=ALL)
        yield Case("held-out molecules", list(self.held), meets=ALL)

        def raised(smiles, times):
            """With the orders of some bonds raised, as an undecided network would."""
            m = Chem.RWMol(Chem.MolFromSmiles(smiles))
            Chem.Kekulize(m, clearAromaticFlags=True)
            up = {Chem.BondType.SINGLE: Chem.BondType.DOUBLE, Chem.BondType.DOUBLE: Chem.BondType.TRIPLE}
            bonds = [b for b in m.GetBonds() if b.GetBondType() in up]
            for b in rng.sample(bonds, min(times, len(bonds))):
                b.SetBondType(up[b.GetBondType()])
            return Chem.MolToSmiles(m, kekuleSmiles=True)

        yield Case("two bonds of each raised", [raised(s, 2) for s in sample], fails={VALID})
        yield Case("a tenth in two pieces", [s + ".C" if i % 10 == 0 else s for i, s in enumerate(sample)], meets={VALID}, fails={CONNECTED})
        yield Case("half of them twice", sample[:1000] * 2, fails={UNIQUE})
        yield Case("a third of them learnt", sample[:1300] + sorted(learnt - set(sample))[:700], meets={VALID, UNIQUE}, fails={NOVEL})
        small = [s for s, (n, _) in zip(self.train, self.train_counts) if n <= 12][:2000]
        yield Case("at most 12 heavy atoms", small, fails={ATOMS})
        yield Case("without rings", [s for s, (_, r) in zip(self.train, self.train_counts) if r == 0], fails={RINGS})
        text = [s[: len(s) // 2] + s[len(s) // 2 + 1 :] for s in sample]
        yield Case("a letter lost from the SMILES", text, fails={VALID})


# Generic graphs.

DEGREE, CLUSTERING, ORBITS = "degree", "clustering", "orbits"
FLAVOURS = {"enzymes": "EMD", "community": "EMD", "planar": "TV"}


def orbits(a):
    """Counts of the 15 node orbits of connected graphs of 2 to 4 nodes, induced, for each node of an adjacency matrix.

    Counted first as they occur, induced or not, from degrees, triangles and common neighbours; then the occurrences
    inside of denser graphs are taken away, from the densest down. Orbits in the usual order (Przulj 2007)."""
    a = np.asarray(a, float)
    d = a.sum(1)
    common = a @ a
    t = a * common  # triangles on each edge
    tri = t.sum(1) / 2
    pairs = common - np.diag(np.diag(common))
    k4 = np.zeros(len(a))
    for i in range(len(a)):
        near = np.flatnonzero(a[i])
        if len(near) > 2:
            s = a[np.ix_(near, near)]
            k4[i] = (s @ s * s).sum() / 6
    choose2 = lambda x: x * (x - 1) / 2
    o = np.zeros((len(a), 15))
    o[:, 0] = d
    o[:, 1] = a @ (d - 1) - 2 * tri
    o[:, 2] = choose2(d) - tri
    o[:, 3] = tri
    o[:, 14] = k4
    o[:, 13] = (a * choose2(t)).sum(1) - 3 * k4
    o[:, 12] = 0.5 * np.einsum("ij,ik,jk->i", a, a, a * (t - 1), optimize=True) - 3 * k4
    o[:, 8] = choose2(pairs).sum(1) - o[:, 12] - o[:, 13] - 3 * k4
    o[:, 9] = a @ tri - t.sum(1) - 2 * o[:, 12] - 3 * k4
    o[:, 10] = t @ (d - 2) - 2 * o[:, 12] - 2 * o[:, 13] - 6 * k4
    o[:, 11] = tri * (d - 2) - 2 * o[:, 13] - 3 * k4
    o[:, 7] = d * (d - 1) * (d - 2) / 6 - o[:, 11] - o[:, 13] - k4
    o[:, 6] = a @ choose2(d - 1) - o[:, 9] - o[:, 10] - 2 * o[:, 12] - o[:, 13] - 3 * k4
    o[:, 5] = (a * (np.outer(d - 1, d - 1) - t)).sum(1) - 2 * o[:, 8] - 2 * o[:, 11] - o[:, 10] - 2 * o[:, 12] - 4 * o[:, 13] - 6 * k4
    ends = (pairs * (d[None, :] - 1 - a)).sum(1)
    o[:, 4] = ends - 2 * o[:, 8] - 2 * o[:, 9] - o[:, 10] - 4 * o[:, 12] - 2 * o[:, 13] - 6 * k4
    return np.rint(o).astype(np.int64)


def adjacency(n, edges):
    a = np.zeros((n, n))
    for u, v in edges:
        a[u, v] = a[v, u] = 1
    return a


def graph6(line):
    """The adjacency matrix of one line of graph6, at most 258047 nodes."""
    data = [ord(c) - 63 for c in line.strip().removeprefix(">>graph6<<")]
    if data[0] == 63:
        n, data = data[1] << 12 | data[2] << 6 | data[3], data[4:]
    else:
        n, data = data[0], data[1:]
    bits = np.array([b >> s & 1 for b in data for s in range(5, -1, -1)])[: n * (n - 1) // 2]
    a = np.zeros((n, n))
    j, i = np.tril_indices(n, -1)  # columns of the upper triangle in order: the rows of the lower one
    a[i, j] = a[j, i] = bits
    return a


def largest_component(a):
    left, best = set(range(len(a))), []
    while left:
        stack, seen = [left.pop()], []
        while stack:
            u = stack.pop()
            seen.append(u)
            for v in np.flatnonzero(a[u]):
                if v in left:
                    left.discard(v)
                    stack.append(v)
        best = max(best, seen, key=len)
    return np.sort(best)


def planar(rng, n=64):
    edges = set()
    for s in Delaunay(rng.random((n, 2))).simplices:
        edges |= {tuple(sorted((s[i], s[j]))) for i, j in ((0, 1), (1, 2), (0, 2))}
    return adjacency(n, edges)


def community(rng):
    sizes = [rng.integers(6, 11)] * 2
    n = sum(sizes)
    side = np.arange(n) >= sizes[0]
    while True:  # until both communities are connected, as in the published set
        a = np.triu((rng.random((n, n)) < 0.7) & (side[:, None] == side[None, :]), 1).astype(float)
        half = sizes[0]
        if all(len(largest_component(part + part.T)) == half for part in (a[:half, :half], a[half:, half:])):
            break
    between = max(1, round(0.05 * n))
    cells = rng.choice(sizes[0] * sizes[1], between, replace=False)
    a[cells // sizes[1], sizes[0] + cells % sizes[1]] = 1
    return a + a.T


def enzymes():
    """(training, held-out) graphs of the shared ENZYMES, largest components."""
    folder = DATA / "graphs/enzymes"
    with gzip.open(folder / "ENZYMES_graph_indicator.txt.gz", "rt") as f:
        graph = np.array([int(x) for x in f])
    start = {g: np.searchsorted(graph, g) for g in range(1, graph.max() + 1)}
    all_graphs = {g: np.zeros((c, c)) for g, c in Counter(graph.tolist()).items()}
    with gzip.open(folder / "ENZYMES_A.txt.gz", "rt") as f:
        for line in f:
            i, j = (int(x) - 1 for x in line.split(","))
            g = graph[i]
            all_graphs[g][i - start[g], j - start[g]] = all_graphs[g][j - start[g], i - start[g]] = 1
    parts = ([], [])
    for g in sorted(all_graphs):
        a = all_graphs[g]
        keep = largest_component(a)
        parts[g % 5 == 0].append(a[np.ix_(keep, keep)])
    return parts


class Described:
    """Descriptors of a set of graphs, computed once."""

    def __init__(self, graphs):
        self.n = len(graphs)
        size = max((len(a) for a in graphs), default=1)
        self.degree, self.clustering, self.orbit = np.zeros((self.n, size)), np.zeros((self.n, 100)), np.zeros((self.n, 15))
        self.keys, self.connected = [], 0
        for i, a in enumerate(graphs):
            d = a.sum(1).astype(int)
            self.degree[i] = np.bincount(d, minlength=size)
            tri = (a @ a * a).sum(1) / 2
            c = np.divide(tri, d * (d - 1) / 2, out=np.zeros(len(a)), where=d > 1)
            self.clustering[i] = np.histogram(c, 100, (0, 1))[0]
            o = orbits(a)
            self.orbit[i] = o.sum(0) / len(a)
            self.keys.append(o[np.lexsort(o.T)].tobytes())
            self.connected += len(largest_component(a)) == len(a)


def kernels(x, y, flavour):
    """{descriptor: kernel matrix} by domains.md 3.4."""
    size = max(x.degree.shape[1], y.degree.shape[1])
    wide = lambda m: np.pad(m, ((0, 0), (0, size - m.shape[1])))
    out = {}
    for name, a, b, sigma, ground in ((DEGREE, wide(x.degree), wide(y.degree), 1, 1), (CLUSTERING, x.clustering, y.clustering, 0.1, 100)):
        a, b = stats.normalise(a), stats.normalise(b)
        if flavour == "EMD":
            distance = cdist(a.cumsum(1), b.cumsum(1), "cityblock") / ground
        else:
            distance = cdist(a, b, "cityblock") / 2
        out[name] = np.exp(-(distance**2) / (2 * sigma**2))
    distance = cdist(x.orbit, y.orbit, "euclidean") if flavour == "EMD" else cdist(x.orbit, y.orbit, "cityblock") / 2
    out[ORBITS] = np.exp(-(distance**2) / (2 * 30**2))
    return out


class Generic:
    def __init__(self, context):
        self.seed = context.seed
        name = context.reference or next((k for k in FLAVOURS if k in Path(context.model).stem.lower()), "")
        rng = np.random.default_rng(self.seed + 1000)
        if name == "enzymes":
            train, held = enzymes()
        elif name == "planar":
            train, held = [planar(rng) for _ in range(1024)], [planar(rng) for _ in range(1024)]
        elif name == "community":
            train, held = [community(rng) for _ in range(1024)], [community(rng) for _ in range(1024)]
        elif "," in name:
            train, held = ([graph6(l) for l in Path(f).read_text().split()] for f in name.split(","))
        else:
            raise SystemExit(f"quality: which graphs shall {context.model} be held against? Say --reference enzymes, planar, community or TRAIN.g6,HELD.g6")
        low, high = size_range(context.settings)
        fits = lambda a: low <= len(a) <= high and a.any()
        self.name, self.flavour = name, FLAVOURS.get(name, "TV")
        self.train_graphs, self.held_graphs = list(filter(fits, train)), list(filter(fits, held))
        self.train, self.held = Described(self.train_graphs), Described(self.held_graphs)
        self.within = {k: m.mean() for k, m in kernels(self.held, self.held, self.flavour).items()}

    def from_rows(self, rows):
        return [adjacency(n or 0, [(e["u"], e["v"]) for e in edges or []]) for n, edges in zip(rows["n_nodes"], rows["edges"])]

    def mmd(self, own, across, w):
        """Biased MMD^2 of weighted rows against the held-out graphs."""
        w = w / w.sum()
        return {k: w @ own[k] @ w + self.within[k] - 2 * (w @ across[k]).mean() for k in own}

    def measure(self, graphs):
        m = min(len(graphs), self.train.n)  # equal sizes on both sides of the ratio: the estimator is biased by size
        mine = Described(graphs)
        own, across = kernels(mine, mine, self.flavour), kernels(mine, self.held, self.flavour)
        own, across = {k: v[:m, :m] for k, v in own.items()}, {k: v[:m] for k, v in across.items()}
        real, real_across = kernels(self.train, self.train, self.flavour), kernels(self.train, self.held, self.flavour)
        rng = np.random.default_rng(self.seed)
        floors = {k: 0.0 for k in own}
        draws = 10 if m < self.train.n else 1
        for _ in range(draws):
            w = np.zeros(self.train.n)
            w[rng.choice(self.train.n, m, replace=False)] = 1
            for k, v in self.mmd(real, real_across, w).items():
                floors[k] += v / draws
        out = {}
        for k in own:
            out[k] = stats.boot(m, lambda w: self.mmd({k: own[k]}, {k: across[k]}, w)[k] / floors[k], self.seed, rounds=50, digits=2, floor=0)
        out["floors"] = floors
        out["connected"] = stats.share(mine.connected, len(graphs))
        out["distinct by orbit counts"] = stats.share(len(set(mine.keys)), len(graphs))
        out["not of the training graphs"] = stats.share(sum(k not in set(self.train.keys) for k in mine.keys), len(graphs))
        return out, m

    def judge(self, run, first=None):
        a, m = self.measure(run)
        b = self.measure(first)[0] if first is not None else {}
        lines = []
        for k in (DEGREE, CLUSTERING, ORBITS):
            lines.append(Line(f"{k} MMD / floor", a[k], b.get(k), f"floor {a['floors'][k]:.5f}", "<= 3", bool(a[k].v <= 3)))
        for k in ("connected", "distinct by orbit counts", "not of the training graphs"):
            lines.append(Line(k, a[k], b.get(k)))
        return lines, [f"MMD^2, biased, {self.flavour} kernels, {m} rows and {m} training graphs against {self.held.n} held-out ones ({self.name})"]

    def self_test(self):
        rng = np.random.default_rng(self.seed)
        check_orbits(rng)
        train = self.train_graphs
        names = {f"{k} MMD / floor" for k in (DEGREE, CLUSTERING, ORBITS)}
        if self.name == "enzymes":  # few: two thirds of the training graphs stand for a model's
            fresh = [train[i] for i in rng.permutation(len(train))[: 2 * len(train) // 3]]
        else:
            fresh = [(planar if self.name == "planar" else community)(rng) for _ in range(400)]
        yield Case(f"{self.name}: real graphs", fresh, meets=names)

        def gnm(a):
            n, m = len(a), int(a.sum() / 2)
            i, j = np.triu_indices(n, 1)
            pick = rng.choice(len(i), m, replace=False)
            return adjacency(n, zip(i[pick], j[pick]))

        def rewired(a, share):
            a = a.copy()
            i, j = np.triu_indices(len(a), 1)
            on = a[i, j] > 0
            gone = rng.choice(np.flatnonzero(on), max(1, round(share * on.sum())), replace=False)
            new = rng.choice(np.flatnonzero(~on), min(len(gone), int((~on).sum())), replace=False)
            a[i[gone], j[gone]] = a[j[gone], i[gone]] = 0
            a[i[new], j[new]] = a[j[new], i[new]] = 1
            return a

        yield Case(f"{self.name}: G(n,m) of the same sizes", [gnm(a) for a in fresh], fails=names)
        yield Case(f"{self.name}: a fifth of the edges rewired", [rewired(a, 0.2) for a in fresh], fails={f"{CLUSTERING} MMD / floor"})


def check_orbits(rng):
    """orbits against counting every induced subgraph one by one."""
    from itertools import combinations

    # By the number of edges and the sorted degrees: the orbit of a node by its degree within the subgraph.
    table = {(1, 1): {1: 0}, (1, 1, 2): {1: 1, 2: 2}, (2, 2, 2): {2: 3}, (1, 1, 2, 2): {1: 4, 2: 5}, (1, 1, 1, 3): {1: 6, 3: 7},
             (2, 2, 2, 2): {2: 8}, (1, 2, 2, 3): {1: 9, 2: 10, 3: 11}, (2, 2, 3, 3): {2: 12, 3: 13}, (3, 3, 3, 3): {3: 14}}
    for p in (0.2, 0.5, 0.8):
        a = np.triu(rng.random((11, 11)) < p, 1).astype(float)
        a += a.T
        slow = np.zeros((11, 15), int)
        for k in (2, 3, 4):
            for nodes in combinations(range(11), k):
                d = a[np.ix_(nodes, nodes)].sum(1).astype(int)
                which = table.get(tuple(sorted(d)))
                for v, x in zip(nodes, d):
                    if which:
                        slow[v, which[x]] += 1
        if (slow != orbits(a)).any():
            raise SystemExit("quality: the orbit counts are wrong")
    if (graph6("D~{") != 1 - np.eye(5)).any() or graph6("DQc")[0].tolist() != [0, 0, 1, 0, 1]:
        raise SystemExit("quality: graph6 is read wrongly")


def judge_for(context, rows):
    kind = context.settings.get("kind") or ("molecules" if "smiles" in rows and any(rows["smiles"]) else "graphs")
    return Molecules(context) if kind == "molecules" else Generic(context)


def self_test_judges(context):
    from dataclasses import replace

    yield Molecules(context)
    for name in FLAVOURS:
        yield Generic(replace(context, reference=name))
