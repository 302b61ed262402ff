"""Statistics that the judges share. Intervals are 95 %.

Resampling is over the judged rows only: the held-out side is taken as it is, and its own spread is what the floors tell."""

import math
from dataclasses import dataclass

import numpy as np

Z = 1.959964  # two-sided 95 % of the normal distribution


@dataclass(frozen=True)
class Value:
    """A figure with its interval; lo and hi are NaN when it has none."""

    v: float
    lo: float = math.nan
    hi: float = math.nan
    unit: str = ""  # "%" prints shares as percentages
    digits: int = 3

    def number(self, x):
        return f"{100 * x:.{max(self.digits - 2, 1)}f}" if self.unit == "%" else f"{x:.{self.digits}f}"

    def __str__(self):
        s = self.number(self.v)
        if not math.isnan(self.lo):
            s += f" [{self.number(self.lo)}, {self.number(self.hi)}]"
        return s + (" %" if self.unit == "%" else "")

    def short(self):
        return self.number(self.v) + (" %" if self.unit == "%" else "")


def share(count, n):
    """A share with Wilson's interval."""
    if n == 0:
        return Value(math.nan, unit="%")
    p, z2 = count / n, Z * Z
    mid = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return Value(p, max(0.0, mid - half), min(1.0, mid + half), "%")


def mean(x, digits=3):
    """A mean with the normal interval."""
    x = np.asarray(x, float)
    if len(x) == 0:
        return Value(math.nan, digits=digits)
    half = Z * x.std(ddof=1) / math.sqrt(len(x)) if len(x) > 1 else math.nan
    return Value(x.mean(), x.mean() - half, x.mean() + half, digits=digits)


def boot(n, statistic, seed, rounds=200, digits=4, floor=-math.inf):
    """statistic(weights) at equal weights, with a bootstrap interval. weights, which sum to n, say how often each of the n rows counts.

    The interval is the point +- 1.96 bootstrap deviations, not percentiles: distances to a reference are biased upwards
    by resampling, so that percentiles would lie above the point."""
    point = statistic(np.ones(n))
    rng = np.random.default_rng(seed)
    draws = [statistic(rng.multinomial(n, np.full(n, 1 / n)).astype(float)) for _ in range(rounds)]
    half = Z * float(np.std(draws, ddof=1))
    return Value(float(point), max(floor, float(point) - half), float(point) + half, digits=digits)


def normalise(counts):
    counts = np.asarray(counts, float)
    total = counts.sum(-1, keepdims=True)
    return np.divide(counts, total, out=np.zeros_like(counts), where=total > 0)


def js(p, q):
    """Jensen-Shannon divergence in bits over the last axis; counts or shares."""
    p, q = normalise(p), normalise(q)
    m = (p + q) / 2

    def kl(a):
        return np.where(a > 0, a * np.log2(np.where(a > 0, a, 1) / np.where(m > 0, m, 1)), 0).sum(-1)

    return (kl(p) + kl(q)) / 2


def tv(p, q):
    """Total variation distance of two histograms over 0, 1, 2, ...: half of the L1 distance, 0 to 1."""
    size = max(len(p), len(q))
    p, q = (normalise(np.pad(np.asarray(a, float), (0, size - len(a)))) for a in (p, q))
    return 0.5 * float(np.abs(p - q).sum())


def w1(a, b, weights=None):
    """Wasserstein-1 distance of two samples of whole numbers that are not negative: the area between their distribution functions."""
    a, b = np.asarray(a, int), np.asarray(b, int)
    size = max(a.max(), b.max()) + 1
    p = normalise(np.bincount(a, weights, minlength=size))
    q = normalise(np.bincount(b, minlength=size))
    return float(np.abs(np.cumsum(p - q)).sum())


def frechet(x, y, wx=None):
    """Frechet distance of two samples of vectors (rows), each taken as a normal distribution; wx weights the rows of x.

    The trace of the root of S1 S2 is the sum of the singular values of A^T B for S1 = A A^T, S2 = B B^T, from the
    eigenvectors of each: no complex numbers, and no trouble with a covariance that is not of full rank."""
    wx = np.ones(len(x)) if wx is None else wx

    def moments(z, w):
        m = w @ z / w.sum()
        c = z - m
        return m, (c * w[:, None]).T @ c / (w.sum() - 1)

    def root(s):
        val, vec = np.linalg.eigh(s)
        return vec * np.sqrt(np.maximum(val, 0))

    m1, s1 = moments(np.asarray(x, float), wx)
    m2, s2 = moments(np.asarray(y, float), np.ones(len(y)))
    cross = np.linalg.svd(root(s1).T @ root(s2), compute_uv=False).sum()
    return float(((m1 - m2) ** 2).sum() + np.trace(s1) + np.trace(s2) - 2 * cross)


def prdc(real, gen, k=5):
    """Recall, coverage and, for each real row, whether it is covered: k-th neighbour balls, strict, without the point itself."""
    from scipy.spatial.distance import cdist

    def radius(x):
        d = cdist(x, x)
        return np.partition(d, k, axis=1)[:, k]  # column 0 is the point itself

    d = cdist(real, gen)
    covered = d.min(1) < radius(real)
    recalled = (d < radius(gen)[None, :]).any(1)
    return recalled, covered
