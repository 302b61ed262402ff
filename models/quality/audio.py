"""Spoken digits: a classifier on log-mel features of real clips (takes 7 to 49), and every check of domains.md 2.3 measured
anew, with thresholds from the same real clips."""

import io
import random
import wave
import zipfile
from dataclasses import dataclass
from typing import Optional

import numpy as np
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import stats
from rows import DATA
from selftest import ALL, Case
from sheet import spectrograms
from stats import Value
from table import Line

RATE = 8000
TEST_TAKES, HELD_TAKES = 5, 7  # takes 0 to 4 are the official test part; 5 and 6 are kept from training too
BANDS, FRAMES = 40, 32  # of the classifier's picture of a clip
LOUDNESS = -20.0  # dBFS, when there are no generated clips to take it from
CODES = ("AU_NAN", "AU_CLIP", "AU_DC", "AU_SILENT", "AU_SILENT_FRAC", "AU_NOISE", "AU_CLICK", "AU_LEN")
AGREES, DISTINCT, FD = "classifier agrees with the digit", "distinct", "FD of log-mel / floor"
TIMES = 3  # that a check may reject more often than of real clips


@dataclass
class Clips:
    """Sounds, full scale 1, at RATE; labels are digits; codes what the program found wrong, or None."""

    sounds: list
    labels: list
    codes: Optional[list] = None

    def __len__(self):
        return len(self.sounds)


def read_wav(data):
    with wave.open(io.BytesIO(data)) as w:
        rate, channels, width = w.getframerate(), w.getnchannels(), w.getsampwidth()
        raw = w.readframes(w.getnframes())
    if width != 2:
        raise SystemExit(f"quality: a WAV file of {8 * width} bits, 16 are expected")
    x = np.frombuffer(raw, "<i2").reshape(-1, channels).mean(1) / 32768
    if rate != RATE:
        from scipy.signal import resample_poly

        x = resample_poly(x, RATE, rate)
    return x


def mel_filters(bins=257, low=60.0, high=RATE / 2):
    """Triangles, equally wide on the mel scale."""
    mel = lambda f: 2595 * np.log10(1 + f / 700)
    edges = 700 * (10 ** (np.linspace(mel(low), mel(high), BANDS + 2) / 2595) - 1)
    f = np.linspace(0, RATE / 2, bins)
    up = (f - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    down = (edges[2:, None] - f) / (edges[2:] - edges[1:-1])[:, None]
    return np.maximum(0, np.minimum(up, down))


MEL = mel_filters()


def framed(x, size, hop):
    x = np.pad(x, (0, max(0, size - len(x))))
    return np.lib.stride_tricks.sliding_window_view(x, size)[::hop]


def features(x):
    """Log-mel picture of the sounding part of a clip, stretched to FRAMES, without its loudness, and the log of its length."""
    if not np.any(x):
        return np.zeros(BANDS * FRAMES + 1)
    power = framed(x, 200, 80) * np.hanning(200)  # 25 ms every 10 ms
    power = np.abs(np.fft.rfft(power, 512)) ** 2
    loud = 10 * np.log10(power.sum(1) + 1e-12)
    on = np.flatnonzero(loud > loud.max() - 35)
    picture = np.log(power[on[0] : on[-1] + 1] @ MEL.T + 1e-7 * power.sum(1).max())
    at = np.linspace(0, len(picture) - 1, FRAMES)
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, len(picture) - 1)
    picture = picture[low] + (at - low)[:, None] * (picture[high] - picture[low])
    return np.append((picture - picture.mean()).ravel(), 5 * np.log(len(on)))


def rms(x):
    return float(np.sqrt(np.mean(x * x))) if len(x) else 0.0


def at_loudness(x, db):
    """Without its offset, brought to a root mean square, but no peak over -1 dBFS; silence cut off the end; in steps of 16 bits."""
    if not np.any(x):
        return x[:0]
    x = x - x.mean()
    x = x * min(10 ** (db / 20) / rms(x), 10 ** (-1 / 20) / np.abs(x).max())
    loud = np.flatnonzero(np.abs(x) >= 1e-3)
    return np.round(x[: loud[-1] + 1 if len(loud) else 0] * 32768) / 32768


def clicks(x):
    """Places, 1 ms apart, where the second difference exceeds 12 times the root mean square of the 32 ms around."""
    if len(x) < 3:
        return 0
    energy = np.concatenate([[0], np.cumsum(x * x)])
    i = np.arange(1, len(x) - 1)
    low, high = np.maximum(0, i - 128), np.minimum(len(x), i + 128)
    local = np.sqrt((energy[high] - energy[low]) / (high - low))
    d = np.abs(x[:-2] - 2 * x[1:-1] + x[2:])
    at = i[(d > 12 * local) & (d >= 1e-3)]
    return int(len(at) > 0) + int((np.diff(at) > 8).sum())


def measures(x):
    """What the checks look at."""
    full = np.abs(x) >= 32767 / 32768
    run = longest = 0
    for i in np.flatnonzero(full):
        run = run + 1 if i and full[i - 1] and x[i] == x[i - 1] else 1
        longest = max(longest, run)
    blocks = [rms(x[i : i + 80]) for i in range(0, len(x), 80)]
    frames = framed(x, 256, 128)
    spectra = np.abs(np.fft.rfft(frames * np.hanning(256)))[:, 1:] ** 2 + 1e-9
    sounding = np.sqrt((frames**2).mean(1)) >= 1e-3
    flat = np.exp(np.log(spectra).mean(1)) / spectra.mean(1)
    flat = np.sort(flat[sounding])
    return {
        "clip": full.mean() if len(x) else 0, "run": longest, "dc": abs(x.mean()) if len(x) else 0, "rms": rms(x),
        "peak": np.abs(x).max() if len(x) else 0, "silent": np.mean(np.array(blocks) < 1e-3) if blocks else 1,
        "flatness": flat[int(0.1 * (len(flat) - 1))] if len(flat) else 0, "clicks": clicks(x), "length": len(x),
    }


class Judge:
    def __init__(self, context):
        self.seed, self.sheet = context.seed, context.work.parent / (context.work.name + ".png")
        self.loudness = context.settings.get("loudness_dbfs", LOUDNESS)
        parts = {"train": ([], []), "valid": ([], []), "test": ([], [])}
        with zipfile.ZipFile(DATA / "audio/fsdd/recordings.zip") as z:
            for name in sorted(z.namelist()):
                if name.endswith(".wav"):
                    digit, _, take = name.split("/")[-1][:-4].split("_")
                    part = "test" if int(take) < TEST_TAKES else "valid" if int(take) < HELD_TAKES else "train"
                    parts[part][0].append(read_wav(z.read(name)))
                    parts[part][1].append(int(digit))
        self.train, self.test = Clips(*parts["train"]), Clips(*parts["test"])
        self.held = Clips(parts["valid"][0] + parts["test"][0], parts["valid"][1] + parts["test"][1])
        x = self.points_of(self.train)
        self.classifier = make_pipeline(StandardScaler(), SVC(C=10, gamma="scale")).fit(x, self.train.labels)
        self.accuracy = self.agreement(self.points_of(self.test), self.test.labels)
        self.pca = make_pipeline(StandardScaler(), PCA(32, random_state=self.seed)).fit(x)
        self.train_points, self.held_points = self.pca.transform(x), self.pca.transform(self.points_of(self.held))
        level = [measures(at_loudness(s, self.loudness)) for s in self.train.sounds]
        high = lambda k: float(np.quantile([m[k] for m in level], 0.999, method="higher"))
        self.limits = {k: high(k) for k in ("silent", "flatness", "clicks", "length")}
        self.shortest = float(np.quantile([m["length"] for m in level], 0.001, method="lower"))
        self.held_rates = self.own_rates([at_loudness(s, self.loudness) for s in self.held.sounds])
        as_found = self.own_rates(self.held.sounds)  # what a change of loudness would hide or make
        self.held_rates |= {code: as_found[code] for code in ("AU_CLIP", "AU_DC")}

    def from_rows(self, rows):
        sounds = [read_wav(a["bytes"]) if a and a["bytes"] else np.zeros(0) for a in rows["audio"]]
        labels = [int(str(l).strip()) if str(l).strip().isdigit() else -1 for l in rows["label"]]
        return Clips(sounds, labels, [(v or []) + (w or []) for v, w in zip(rows["violations"], rows["warnings"])])

    @staticmethod
    def points_of(clips):
        return np.array([features(s) for s in clips.sounds])

    def agreement(self, points, labels):
        return stats.share(int((self.classifier.predict(points) == np.array(labels)).sum()), len(labels))

    def fails(self, m):
        return {
            "AU_NAN": False,  # cannot be seen in 16 bits: the program's word
            "AU_CLIP": m["clip"] > 0.001 or m["run"] >= 8,
            "AU_DC": m["dc"] > 0.01 and m["dc"] > 0.1 * m["rms"],
            "AU_SILENT": m["peak"] < 1e-3,
            "AU_SILENT_FRAC": m["silent"] > self.limits["silent"],
            "AU_NOISE": m["flatness"] > self.limits["flatness"],
            "AU_CLICK": m["clicks"] > self.limits["clicks"],
            "AU_LEN": not 0.9 * self.shortest <= m["length"] <= 1.1 * self.limits["length"],
        }

    def own_rates(self, sounds):
        """The number of sounds that each check rejects."""
        found = [self.fails(measures(s)) for s in sounds]
        return {code: sum(f[code] for f in found) for code in CODES}

    def measure(self, clips):
        n = len(clips)
        points = self.points_of(clips)
        out = {AGREES: self.agreement(points, clips.labels)}
        out[DISTINCT] = stats.share(len({s.tobytes() for s in clips.sounds}), n)
        own = self.own_rates(clips.sounds)
        for code in CODES:
            # The stricter of the program's own verdict and ours.
            said = sum(code in c for c in clips.codes) if clips.codes is not None else 0
            out[code] = stats.share(max(said, own[code]), n)
        mine = self.pca.transform(points)
        rng = np.random.default_rng(self.seed)
        floor = np.mean([stats.frechet(self.train_points[rng.choice(len(self.train_points), min(n, len(self.train_points)), replace=False)],
                                       self.held_points) for _ in range(5)])
        out[FD] = stats.boot(n, lambda w: stats.frechet(mine, self.held_points, w) / floor, self.seed, rounds=20, digits=2, floor=0)
        out["floor"] = floor
        return out

    def judge(self, run, first=None):
        a = self.measure(run)
        b = self.measure(first) if first is not None else {}
        real = len(self.held)
        lines = [Line(AGREES, a[AGREES], b.get(AGREES), f"{self.accuracy} (test)", ">= 85 %", a[AGREES].v >= 0.85)]
        for code in CODES:
            # No check can be told to reject fewer than one in as many clips as there are real ones.
            limit = TIMES * max(self.held_rates[code], 1) / real
            on = "first" if b else "run"
            value = (b or a)[code]
            lines.append(Line(f"rejected by {code}", a[code], b.get(code), f"{100 * self.held_rates[code] / real:.2f} % of {real} real",
                              f"<= {100 * limit:.2f} %", value.v <= limit, on))
        lines += [Line(DISTINCT, a[DISTINCT], b.get(DISTINCT)), Line(FD, a[FD], b.get(FD), f"floor {a['floor']:.2f}")]
        spectrograms(self.sheet, [(str(l), s) for l, s in zip(run.labels[:20], run.sounds)],
                     [(str(l), at_loudness(s, self.loudness)) for l, s in self.examples()])
        return lines, [f"classifier: log-mel, SVM, learnt from {len(self.train)} real clips (takes 7 to 49)",
                       f"checks: a goal is {TIMES} times the real rate, or {TIMES} in {real} where that is more; look at {self.sheet}"]

    def examples(self):
        """A real clip of each digit, held out."""
        return [(d, next(s for s, l in zip(self.held.sounds, self.held.labels) if l == d)) for d in range(10)]

    def self_test(self):
        rng = np.random.default_rng(self.seed)
        level = lambda clips: [at_loudness(s, self.loudness) for s in clips.sounds]
        held, labels = level(self.held), self.held.labels
        yield Case("held-out clips", Clips(held, labels), meets=ALL)
        yield Case("labels one off", Clips(held, [(l + 1) % 10 for l in labels]), fails={AGREES})
        yield Case("played backwards", Clips([s[::-1] for s in held], labels), fails={AGREES})
        noise = [at_loudness(rng.normal(size=len(s)), self.loudness) for s in held]
        yield Case("white noise", Clips(noise, labels), fails={AGREES, "rejected by AU_NOISE"})

        def clicked(s):
            s = s.copy()
            s[rng.integers(50, len(s) - 50, 8)] += 0.9
            return np.clip(s, -1, 1)

        some = lambda change: Clips([change(s) if i % 20 == 0 else s for i, s in enumerate(held)], labels)
        yield Case("clicks in a twentieth", some(clicked), meets={AGREES}, fails={"rejected by AU_CLICK"})
        yield Case("a twentieth far too loud", some(lambda s: np.clip(30 * s, -1, 32767 / 32768)), fails={"rejected by AU_CLIP"})
        yield Case("a twentieth silent", some(lambda s: s * 0), fails={"rejected by AU_SILENT"})
        yield Case("an offset on a twentieth", some(lambda s: s + 0.05), fails={"rejected by AU_DC"})
        yield Case("a twentieth with a long pause", some(lambda s: np.concatenate([s[:100], np.zeros(16000), s])), fails={"rejected by AU_SILENT_FRAC"})
        yield Case("a twentieth cut to 50 ms", some(lambda s: s[:400]), fails={"rejected by AU_LEN"})
        yield Case("the program's own verdict", Clips(held, labels, [["AU_CLICK"] if i % 20 == 0 else [] for i in range(len(held))]),
                   fails={"rejected by AU_CLICK"})


def judge_for(context, rows):
    return Judge(context)


def self_test_judges(context):
    yield Judge(context)
