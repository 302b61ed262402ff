"""Pictures: handwritten digits (a classifier learnt from the 60,000 real ones, and Frechet distance on its features) and blood
cells (coverage and recall on plain features)."""

import csv
import gzip
import hashlib
import io
from dataclasses import dataclass

import joblib
import numpy as np
import sklearn
from PIL import Image
from scipy.fft import dctn
from scipy.ndimage import affine_transform, gaussian_filter
from scipy.spatial.distance import cdist
from sklearn.decomposition import PCA
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import stats
from rows import DATA
from selftest import ALL, Case
from sheet import contact
from stats import Value
from table import Line

AGREES, FD, FD_HOG = "classifier agrees with the label", "FD of the classifier's features / floor", "FD of 64 HOG components / floor"
COVERAGE, RECALL, DISTINCT, AUTHENTIC = "coverage, k = 5", "recall, k = 5", "distinct", "authentic"
LIKENESS = 2000  # rows on either side of coverage and recall of digits


@dataclass
class Pictures:
    """pixels is n x height x width (x 3), uint8; labels are class numbers, -1 for none."""

    pixels: np.ndarray
    labels: np.ndarray

    def __len__(self):
        return len(self.pixels)


def idx(path):
    with gzip.open(path) as f:
        data = f.read()
    shape = np.frombuffer(data, ">u4", data[3], 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(shape)


def gradients(x, bins):
    """Gradient energy of grey pictures by orientation (0 to 360 degrees, shared between the two nearest bins): n x h x w x bins."""
    x = np.pad(x, ((0, 0), (1, 1), (1, 1)), mode="edge")
    gy, gx = x[:, 2:, 1:-1] - x[:, :-2, 1:-1], x[:, 1:-1, 2:] - x[:, 1:-1, :-2]
    size, turn = np.hypot(gx, gy), (np.arctan2(gy, gx) / (2 * np.pi) * bins) % bins
    low = np.floor(turn).astype(np.int8)
    part = turn - low
    out = np.zeros(x[:, 2:, 2:].shape + (bins,), np.float32)
    for b in range(bins):
        out[..., b] = size * ((low % bins == b) * (1 - part) + ((low + 1) % bins == b) * part)
    return out


def pooled(x, cells):
    """Sums over cells x cells equal squares of the two middle axes."""
    n, h, w, c = x.shape
    return x.reshape(n, cells, h // cells, cells, w // cells, c).sum((2, 4))


def picture_labels(rows, names):
    text = [str(l).strip() for l in rows["label"]]
    lower = [n.lower() for n in names]

    def number(t):
        return int(t) if t.isdigit() else next((i for i, n in enumerate(lower) if t.lower() == n or t.lower().rstrip("s") == n.rstrip("s")), -1)

    return np.array([number(t) for t in text])


def from_rows(rows, names, mode):
    pixels = np.array([np.asarray(Image.open(io.BytesIO(p["bytes"])).convert(mode)) for p in rows["image"]])
    return Pictures(pixels, picture_labels(rows, names))


class Digits:
    def __init__(self, context):
        self.seed, self.context = context.seed, context
        folder = DATA / "images/mnist"
        self.train = Pictures(idx(folder / "train-images-idx3-ubyte.gz"), idx(folder / "train-labels-idx1-ubyte.gz").astype(int))
        self.test = Pictures(idx(folder / "t10k-images-idx3-ubyte.gz"), idx(folder / "t10k-labels-idx1-ubyte.gz").astype(int))
        # What was fitted once is kept: for this text, this library and these pictures.
        key = hashlib.sha256(open(__file__, "rb").read() + sklearn.__version__.encode() + self.train.pixels[::100].tobytes()).hexdigest()[:16]
        kept = context.cache / f"digits-{key}.joblib"
        if kept.exists():
            self.model, self.pca, self.real = joblib.load(kept)
        else:
            self.fit()
            joblib.dump((self.model, self.pca, self.real), kept)
        self.accuracy = stats.share(int((self.predict(self.real["test"]) == self.test.labels).sum()), len(self.test))

    @staticmethod
    def hog(pixels):
        """Upright digits (slant taken out by their moments), orientation histograms of 7 x 7 cells in 8 directions, each
        block of 2 x 2 cells brought to length 1: n x 1152."""
        out = []
        for start in range(0, len(pixels), 2000):
            x = pixels[start : start + 2000].astype(np.float32) / 255
            y, c = np.mgrid[:28, :28].astype(np.float32)
            mass = x.sum((1, 2)) + 1e-6
            my, mx = (x * y).sum((1, 2)) / mass, (x * c).sum((1, 2)) / mass
            dy, dx = y - my[:, None, None], c - mx[:, None, None]
            slant = (x * dy * dx).sum((1, 2)) / ((x * dy * dy).sum((1, 2)) + 1e-6)
            straight = np.empty_like(x)
            for i in range(len(x)):
                a = np.array([[1, 0], [slant[i], 1]])
                centre = np.array([my[i], mx[i]])
                straight[i] = affine_transform(x[i], a, centre - a @ np.array([13.5, 13.5]), order=1)
            cells = pooled(gradients(straight, 8), 7)
            blocks = np.concatenate([cells[:, i : i + 6, j : j + 6] for i in (0, 1) for j in (0, 1)], -1)
            blocks /= np.sqrt((blocks**2).sum(-1, keepdims=True)) + 0.1
            out.append(blocks.reshape(len(x), -1).astype(np.float32))
        return np.concatenate(out)

    def fit(self):
        hogs = self.hog(self.train.pixels)
        self.pca = PCA(64, svd_solver="randomized", random_state=0).fit(hogs[::4])
        self.model = MLPClassifier((128, 64), batch_size=128, learning_rate_init=1e-3, alpha=1e-4, max_iter=8, random_state=0)
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # eight rounds are what is wanted, converged or not
            self.model.fit(hogs, self.train.labels)
        self.real = {"train": self.features(hogs[::5]), "test": self.features(self.hog(self.test.pixels))}
        self.real["train_labels"] = self.train.labels[::5]

    def features(self, hogs):
        """The last hidden layer and the components of the histograms."""
        x = hogs
        for w, b in zip(self.model.coefs_[:-1], self.model.intercepts_[:-1]):
            x = np.maximum(x @ w + b, 0)
        return x.astype(float), self.pca.transform(hogs).astype(float)

    def predict(self, features):
        return (features[0] @ self.model.coefs_[-1] + self.model.intercepts_[-1]).argmax(1)

    def from_rows(self, rows):
        return from_rows(rows, [str(d) for d in range(10)], "L")

    def measure(self, pictures):
        mine, n = self.features(self.hog(pictures.pixels)), len(pictures)
        out = {AGREES: stats.share(int((self.predict(mine) == pictures.labels).sum()), n)}
        rng = np.random.default_rng(self.seed)
        picks = [rng.choice(len(self.real["train"][0]), min(n, len(self.real["train"][0])), replace=False) for _ in range(3)]
        for layer, name in enumerate((FD, FD_HOG)):
            test = self.real["test"][layer]
            floor = np.mean([stats.frechet(self.real["train"][layer][p], test) for p in picks])
            out[name] = stats.boot(n, lambda w: stats.frechet(mine[layer], test, w) / floor, self.seed, rounds=10, digits=2, floor=0)
            out["floor " + name] = floor
        m = min(LIKENESS, n)
        some = self.real["test"][0][rng.choice(len(self.test), m, replace=False)]
        recalled, covered = stats.prdc(some, mine[0][:m])
        train_recalled, train_covered = stats.prdc(some, self.real["train"][0][picks[0][:m]])
        out[RECALL], out[COVERAGE] = stats.share(int(recalled.sum()), m), stats.share(int(covered.sum()), m)
        out["real " + RECALL], out["real " + COVERAGE] = train_recalled.mean(), train_covered.mean()
        out[DISTINCT] = stats.share(len({p.tobytes() for p in pictures.pixels}), n)
        return out

    def judge(self, run, first=None):
        if run.pixels.shape[1:] != (28, 28):
            raise SystemExit(f"quality: digits of {run.pixels.shape[1:]} pixels, 28 x 28 are expected")
        a = self.measure(run)
        b = self.measure(first) if first is not None else {}
        percent = lambda k: f"{100 * a['real ' + k]:.1f} % (train)"
        lines = [
            Line(AGREES, a[AGREES], b.get(AGREES), f"{self.accuracy} (test)", ">= 97 %", a[AGREES].v >= 0.97),
            Line(FD, a[FD], b.get(FD), f"floor {a['floor ' + FD]:.3f}", "<= 10", a[FD].v <= 10),
            Line(FD_HOG, a[FD_HOG], b.get(FD_HOG), f"floor {a['floor ' + FD_HOG]:.4f}"),
            Line(COVERAGE, a[COVERAGE], b.get(COVERAGE), percent(COVERAGE)),
            Line(RECALL, a[RECALL], b.get(RECALL), percent(RECALL)),
            Line(DISTINCT, a[DISTINCT], b.get(DISTINCT), "100.0 %"),
        ]
        place = save_sheet(self.context, run)
        return lines, [f"classifier: HOG, network of 128 and 64, learnt from 60,000 digits; floors: {min(len(run), 12000)} training against 10,000 test digits; look at {place}"]

    def self_test(self):
        rng = np.random.default_rng(self.seed)
        pick = rng.choice(len(self.test), 2000, replace=False)
        pixels, labels = self.test.pixels[pick], self.test.labels[pick]
        if self.accuracy.v < 0.985:
            raise SystemExit(f"quality: the classifier is right on {self.accuracy} of the test digits only")
        yield Case("test digits", Pictures(pixels, labels), meets=ALL)
        other = rng.choice(np.arange(1, 60000, 5), 2000, replace=False)  # none of those of the floor
        yield Case("training digits", Pictures(self.train.pixels[other], self.train.labels[other]), meets=ALL)
        yield Case("labels one off", Pictures(pixels, (labels + 1) % 10), meets={FD}, fails={AGREES})
        noisy = np.clip(pixels + rng.normal(0, 40, pixels.shape), 0, 255).astype(np.uint8)
        yield Case("noise of 40 levels", Pictures(noisy, labels), fails={FD})
        blurred = np.array([gaussian_filter(p.astype(float), 1.5) for p in pixels]).astype(np.uint8)
        yield Case("blurred by 1.5 pixels", Pictures(blurred, labels), fails={FD})
        yield Case("fifty digits over and over", Pictures(np.tile(pixels[:50], (40, 1, 1)), np.tile(labels[:50], 40)), fails={FD})
        yield Case("without twos and sevens", Pictures(*(x[~np.isin(labels, (2, 7))] for x in (pixels, labels))), fails={FD})
        mixed = np.maximum(pixels, np.roll(pixels, 1, 0) * (rng.random(2000) < 0.15)[:, None, None]).astype(np.uint8)
        yield Case("another digit over 15 %", Pictures(mixed, labels), fails={AGREES})


class Cells:
    NAMES = ("RBC", "WBC", "Platelets")

    def __init__(self, context):
        self.seed, self.context = context.seed, context
        folder = DATA / "images/bccd_cells32"
        pixels, labels = idx(folder / "images-idx4-ubyte.gz"), idx(folder / "labels-idx1-ubyte.gz").astype(int)
        with open(folder / "meta.csv") as f:
            train = np.array([r["source_split"] == "train" for r in csv.DictReader(f)])
        self.train, self.held = Pictures(pixels[train], labels[train]), Pictures(pixels[~train], labels[~train])
        raw = self.raw(self.train.pixels)
        self.scale = [(b.mean(0), b.std(0) + 1e-6) for b in raw]
        self.train_points, self.held_points = self.points(self.train.pixels), self.points(self.held.pixels)
        self.classifier = make_pipeline(StandardScaler(), SVC(C=3)).fit(self.train_points, self.train.labels)
        self.accuracy = stats.share(int((self.classifier.predict(self.held_points) == self.held.labels).sum()), len(self.held))

    @staticmethod
    def raw(pixels):
        """Three blocks of features, after domains.md 1.4: of each channel the energy of the 64 frequencies of 8 x 8 blocks
        (cosine transform, log); gradients of the grey picture in 4 x 4 cells and 8 directions; mean, deviation and
        skewness of each channel."""
        x = pixels.astype(np.float32) / 255
        n = len(x)
        blocks = x.reshape(n, 4, 8, 4, 8, 3).transpose(0, 5, 1, 3, 2, 4)
        energy = np.log((dctn(blocks, axes=(-2, -1), norm="ortho") ** 2).mean((2, 3)) + 1e-5).reshape(n, -1)
        directions = np.sqrt(pooled(gradients(x.mean(3), 8), 4).reshape(n, -1))
        flat = x.reshape(n, -1, 3)
        mean, deviation = flat.mean(1), flat.std(1)
        skew = (((flat - mean[:, None]) / (deviation[:, None] + 1e-6)) ** 3).mean(1)
        return energy, directions, np.concatenate([mean, deviation, skew], 1)

    def points(self, pixels):
        """Each feature in deviations of the training pictures; each block counts the same."""
        return np.concatenate([(b - m) / s / np.sqrt(b.shape[1]) for b, (m, s) in zip(self.raw(pixels), self.scale)], 1)

    def from_rows(self, rows):
        return from_rows(rows, self.NAMES, "RGB")

    def like_held(self, labels):
        """Indices of rows in the class shares of the held-out pictures, as many as those where there are enough."""
        want = np.bincount(self.held.labels, minlength=3)
        have = np.bincount(labels[labels >= 0], minlength=3)
        if (have[:3] == 0).any():
            return np.arange(min(len(labels), len(self.held)))
        part = min(1.0, (have[:3] / want).min())
        return np.sort(np.concatenate([np.flatnonzero(labels == c)[: int(part * want[c])] for c in range(3)]))

    def authentic(self, points):
        """Share of rows that are farther from their nearest training picture than that is from its own nearest one."""
        if not hasattr(self, "_own"):
            d = cdist(self.train_points, self.train_points)
            np.fill_diagonal(d, np.inf)
            self._own = d.min(1)
        d = cdist(points, self.train_points)
        return self._own[d.argmin(1)] < d.min(1)

    def measure(self, pictures):
        points, n = self.points(pictures.pixels), len(pictures)
        recalled, covered = stats.prdc(self.held_points, points[self.like_held(pictures.labels)])
        real_recalled, real_covered = stats.prdc(self.held_points, self.train_points[self.like_held(self.train.labels)])
        return {
            COVERAGE: stats.share(int(covered.sum()), len(covered)), RECALL: stats.share(int(recalled.sum()), len(recalled)),
            "real " + COVERAGE: real_covered.mean(), "real " + RECALL: real_recalled.mean(),
            AGREES: stats.share(int((self.classifier.predict(points) == pictures.labels).sum()), n),
            AUTHENTIC: stats.share(int(self.authentic(points).sum()), n),
            DISTINCT: stats.share(len({p.tobytes() for p in pictures.pixels}), n),
        }

    def judge(self, run, first=None):
        if run.pixels.shape[1:] != (32, 32, 3):
            raise SystemExit(f"quality: cells of {run.pixels.shape[1:]} pixels, 32 x 32 x 3 are expected")
        a = self.measure(run)
        b = self.measure(first) if first is not None else {}
        percent = lambda k: f"{100 * a['real ' + k]:.1f} % (train)"
        lines = [
            Line(COVERAGE, a[COVERAGE], b.get(COVERAGE), percent(COVERAGE), ">= 50 %", a[COVERAGE].v >= 0.5),
            Line(RECALL, a[RECALL], b.get(RECALL), percent(RECALL)),
            Line(AGREES, a[AGREES], b.get(AGREES), f"{self.accuracy} (held-out)"),
            Line(AUTHENTIC, a[AUTHENTIC], b.get(AUTHENTIC), f"{100 * self.authentic(self.held_points).mean():.1f} %"),
            Line(DISTINCT, a[DISTINCT], b.get(DISTINCT), "100.0 %"),
        ]
        place = save_sheet(self.context, run)
        return lines, [f"coverage and recall: {len(self.like_held(run.labels))} rows in the class shares of {len(self.held)} held-out cells (val and test pictures); look at {place}"]

    def self_test(self):
        rng = np.random.default_rng(self.seed)
        pixels, labels = self.train.pixels, self.train.labels
        yield Case("training cells", self.train, meets=ALL)
        yield Case("noise of 12 levels", Pictures(np.clip(pixels + rng.normal(0, 12, pixels.shape), 0, 255).astype(np.uint8), labels), fails={COVERAGE})
        soft = np.array([gaussian_filter(p.astype(float), (2, 2, 0)) for p in pixels]).astype(np.uint8)
        yield Case("blurred by 2 pixels", Pictures(soft, labels), fails={COVERAGE})
        yield Case("red for blue", Pictures(pixels[..., ::-1].copy(), labels), fails={COVERAGE})
        few = np.sort(rng.choice(len(pixels), 20, replace=False))
        yield Case("twenty cells over and over", Pictures(np.tile(pixels[few], (50, 1, 1, 1)), np.tile(labels[few], 50)), fails={COVERAGE})
        mixed = pixels.reshape(len(pixels), -1, 3)[:, rng.permutation(1024)].reshape(pixels.shape)
        yield Case("pixels shuffled", Pictures(mixed, labels), fails={COVERAGE})


def save_sheet(context, pictures):
    """64 rows to look at, in the order of the run; 8 a row."""
    place = context.work.parent / (context.work.name + ".png")
    contact(place, list(pictures.pixels[:64]), 8, 3)
    return place


def judge_for(context, rows):
    kind = context.reference or ("digits" if rows["channels"][0] == 1 else "cells")
    return {"digits": Digits, "cells": Cells}[kind](context)


def self_test_judges(context):
    yield Cells(context)
    yield Digits(context)
