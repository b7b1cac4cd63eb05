"""The mixed models beside R's in one run: lme4 with lmerTest and emmeans, and ordinal's clmm with emmeans.

Run: `.venv/bin/python benchmarks/against_r/run.py [--respondents N ...] [--ordinal N ...] [--no-study]`.
Needs R with lmerTest, emmeans, ordinal and data.table; says so and stops where there is none.

Both sides are given the same answers, in memory and in the form that they take, before the clock starts: here one
row a respondent, in R one row an answer. What is timed is everything from there to the contrasts, in a process of its
own; peak memory is the process's. The log-likelihoods are printed so that a reader sees that it is the same model.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from surveywaves.mixed.clmm import fit_ordinal
from surveywaves.mixed.contrasts import compare_fit
from surveywaves.mixed.design import make_design
from surveywaves.mixed.lmm import fit_linear
from surveywaves.sample import Sample, Scale, scales_of
from surveywaves.study import load_study
from surveywaves.study.parts import ComparingPart

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
PACKAGES = ("lmerTest", "emmeans", "ordinal", "data.table")
NODES = 10
"""Of clmm's adaptive quadrature."""

LIMIT = 3600
"""Seconds after which R is stopped, and said to have been."""


class Measured(NamedTuple):
    """What one side needed, and what it found."""

    seconds: float
    peak_mb: float
    loglik: float


def simulated(respondents: int, items: int = 6) -> tuple[Sample, list[Scale]]:
    """Two waves of two organisations, five response options, one answer in fifty missing."""
    rng = np.random.default_rng(20060703)
    frame = pd.DataFrame(
        {
            "wave": rng.choice(["first", "second"], respondents),
            "organisation": rng.choice(["health", "social"], respondents),
        }
    )
    person = rng.normal(0, 1.2, respondents)
    names = [f"item{number}" for number in range(items)]
    for name, easy in zip(names, np.linspace(-0.5, 0.5, items), strict=True):
        latent = person + easy + rng.logistic(size=respondents)
        answer = np.digitize(latent, [-2.5, -1.0, 0.4, 2.2]) + 1.0
        answer[rng.random(respondents) < 0.02] = np.nan
        frame[name] = pd.array(answer).astype("Int8")
    keys = dict.fromkeys(names, 1)
    sample = Sample(frame, ("first", "second"), ("health", "social"))
    return sample, [Scale("scale", tuple(names), keys, (1, 5), favourable=(4, 5))]


def of_the_study() -> tuple[Sample, list[Scale]]:
    """The shipped study's pooled responses and its scales."""
    study = load_study(REPOSITORY / "config")
    frame = pd.read_parquet(REPOSITORY / "results/pooled/responses.parquet")
    part = ComparingPart.of(study)
    return Sample(frame, part.sample.waves, part.sample.organisations), scales_of(part.instrument)


def ours(model: str, sample: Sample, scales: Sequence[Scale]) -> Measured:
    """Fit and compare every scale here."""
    start, loglik = time.perf_counter(), 0.0
    for scale in scales:
        design = make_design(sample, scale)
        fit = fit_linear(design) if model == "linear" else fit_ordinal(design)
        found = compare_fit(design, fit, scale=scale.name)
        terms = found.variances.set_index("term")["estimate"]
        loglik += float(terms["reml_loglik" if model == "linear" else "loglik"])
    seconds = time.perf_counter() - start
    return Measured(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, loglik)


def in_long_form(sample: Sample, scales: Sequence[Scale], path: Path) -> None:
    """Write one row an answer for R: only those that our models use, already reverse keyed."""
    parts = []
    frame = sample.frame
    chosen = frame[frame["wave"].isin(sample.waves) & frame["organisation"].isin(sample.organisations)]
    for scale in scales:
        cell = chosen["wave"].astype(str) + "/" + chosen["organisation"].astype(str)
        for item in scale.items:
            answers = chosen[item].to_numpy(dtype=float, na_value=np.nan)
            some = ~np.isnan(answers)
            value = answers[some] if scale.keys[item] == 1 else sum(scale.response_range) - answers[some]
            parts.append(
                pd.DataFrame(
                    {
                        "scale": scale.name,
                        "cell": cell.to_numpy()[some],
                        "item": item,
                        "id": np.flatnonzero(some),
                        "answer": value.astype(int),
                    }
                )
            )
    pd.concat(parts).to_csv(path, index=False)


def in_r(model: str, path: Path) -> Measured | str:
    """Fit and compare in R; in words if it did not end."""
    try:
        done = subprocess.run(
            ["Rscript", str(HERE / "fit.R"), model, str(path), str(NODES)],
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=True,
        )
    except subprocess.TimeoutExpired:
        return f"stopped after {LIMIT} s"
    except subprocess.CalledProcessError as error:
        return (
            f"failed: {error.stderr.strip().splitlines()[-1] if error.stderr.strip() else error.returncode}"
        )
    seconds, peak, loglik, _ = (float(number) for number in done.stdout.split()[-4:])
    return Measured(seconds, peak, loglik)


def compared(title: str, model: str, make: Callable[[], tuple[Sample, list[Scale]]]) -> None:
    """Print one line: both sides and their ratio."""
    sample, scales = make()
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        here = pool.apply(ours, (model, sample, scales))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.csv"
        in_long_form(sample, scales, path)
        there = in_r(model, path)
    line = f"{model:<8} {title:<22} {here.seconds:>9.3f} {here.peak_mb:>7.0f} {here.loglik:>18.5f}"
    if isinstance(there, str):
        print(f"{line}   R: {there}", flush=True)
        return
    ratio = there.seconds / here.seconds
    print(
        f"{line} {there.seconds:>9.2f} {there.peak_mb:>8.0f} {there.loglik:>18.5f} {ratio:>8.0f}x", flush=True
    )


def missing_packages() -> str:
    """What of R is not here; empty if nothing."""
    if shutil.which("Rscript") is None:
        return "R is not installed (Debian: r-base-core)"
    asked = f"cat(setdiff(c({', '.join(repr(name) for name in PACKAGES)}), rownames(installed.packages())))"
    absent = subprocess.run(
        ["Rscript", "-e", asked], capture_output=True, text=True, check=True
    ).stdout.strip()
    return f"R lacks: {absent} (Debian: r-cran-{' r-cran-'.join(absent.lower().split())})" if absent else ""


def main(arguments: Sequence[str]) -> int:
    """Run what was asked for; by default all of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--respondents", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--ordinal", type=int, nargs="*", default=[1_000])
    parser.add_argument("--study", action=argparse.BooleanOptionalAction, default=True)
    chosen = parser.parse_args(arguments)
    if reason := missing_packages():
        print(f"skipped: {reason}")
        return 0
    print(
        f"{'model':<8} {'data':<22} {'seconds':>9} {'MB':>7} {'log-likelihood':>18} "
        f"{'R: s':>9} {'R: MB':>8} {'R: log-likelihood':>18} {'ratio':>9}"
    )
    if chosen.study:
        compared("the study's scales", "linear", of_the_study)
    for size in chosen.respondents:
        compared(f"{size:,} x 6", "linear", lambda size=size: simulated(size))
    for size in chosen.ordinal:
        compared(f"{size:,} x 6", "ordinal", lambda size=size: simulated(size))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
