"""Runs bin/pfgmgen and reads what it wrote, with DuckDB."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb

PROGRAM = os.environ.get("QUALITY_PROGRAM", "bin/pfgmgen")
DATA = Path("../shared/data")


class Rows:
    """A dataset as columns of Python values, in the order of sample_index."""

    def __init__(self, place):
        self.place = Path(place)
        parts = sorted(str(p) for p in self.place.glob("data/*.parquet"))
        if not parts:
            raise SystemExit(f"quality: no Parquet parts in {place}/data")
        got = duckdb.connect().execute("SELECT * FROM read_parquet(?) ORDER BY sample_index", [parts])
        self.names = [c[0] for c in got.description]
        table = got.fetchall()
        self.n = len(table)
        self._columns = dict(zip(self.names, map(list, zip(*table))))

    def __contains__(self, name):
        return name in self._columns

    def __getitem__(self, name):
        if name not in self._columns:
            raise SystemExit(f"quality: {self.place} has no column {name}; it has {', '.join(self.names)}")
        return self._columns[name]


def generate(model, domain, n, seed, place, invalid, extra=(), reuse=False):
    """Makes a dataset, or takes the one that is there when reuse is set, and reads it."""
    place = Path(place)
    if not (reuse and (place / "_SUCCESS").exists()):
        shutil.rmtree(place, ignore_errors=True)
        command = [PROGRAM, "run", "--model", str(model), "-n", str(n), "--seed", str(seed), "--invalid", invalid,
                   "--out", str(place), "--quiet"]
        if domain:
            command += ["--domain", domain]
        done = subprocess.run(command + list(extra))
        if done.returncode != 0:
            raise SystemExit(f"quality: {' '.join(command)} ended with {done.returncode}")
    return Rows(place)


def built_in():
    """(name, domain) of every built-in model, in the program's order."""
    text = subprocess.run([PROGRAM, "models"], check=True, capture_output=True, text=True).stdout
    models = []
    for line in text.splitlines():
        name, rest = line.split(None, 1)
        models.append((name, rest.split(",", 1)[0].strip()))
    return models


def inspect(model):
    """The domain of a model and the settings that its adapter stored."""
    done = subprocess.run([PROGRAM, "inspect", str(model), "--json"], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"quality: {model} cannot be read: {done.stderr.strip()}")
    metadata = json.loads(done.stdout)["metadata"]
    return metadata["pfgmgen.domain"], json.loads(metadata.get("pfgmgen.adapter") or "{}")


def listed_columns(domain):
    """The names of the columns that `pfgmgen domains DOMAIN` lists as the domain's own."""
    text = subprocess.run([PROGRAM, "domains", domain], check=True, capture_output=True, text=True).stdout
    names, inside = [], False
    for line in text.splitlines():
        if not line.startswith(" "):
            inside = line.strip() == "columns"
        elif inside and line.strip() and not line.startswith("   "):
            names.append(line.split()[0])
    return names


def tool(command, **more):
    """Runs an outside tool and returns what it printed; says what went wrong if it fails."""
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, **more)
    if done.returncode != 0:
        sys.stderr.write(done.stdout[-2000:] + done.stderr[-2000:])
        raise SystemExit(f"quality: {command[0]} ended with {done.returncode}")
    return done.stdout


def write_fasta(path, sequences):
    """Safe, unique names: s0, s1, ... in order."""
    with open(path, "w") as f:
        for i, s in enumerate(sequences):
            f.write(f">s{i}\n{s}\n")
