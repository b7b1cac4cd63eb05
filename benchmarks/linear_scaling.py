"""How long the linear mixed model takes, and how much memory, as respondents grow.

Run: `.venv/bin/python benchmarks/linear_scaling.py [respondents ...]`. Each size runs in a process of its own, so
that peak memory is that size's; the data (a frame of nullable integers and text) are made before the clock
starts, and the memory they need is given apart.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
import time

import numpy as np
import pandas as pd

from surveywaves.mixed.contrasts import compare_fit
from surveywaves.mixed.design import make_design
from surveywaves.mixed.lmm import fit_linear
from surveywaves.sample import Sample, Scale

SIZES = (1_000, 10_000, 100_000, 1_000_000)
CASES = {"6 items": (6, ()), "6 items, 2 covariates": (6, ("role", "years")), "40 items": (40, ())}


def simulate(respondents: int, items: int) -> pd.DataFrame:
    """Two waves, two organisations, one answer in fifty missing."""
    rng = np.random.default_rng(20060701)
    frame = pd.DataFrame(
        {
            "wave": rng.choice(["first", "second"], respondents),
            "organisation": rng.choice(["health", "social"], respondents),
            "role": rng.choice(["clinical", "office", "other"], respondents),
            "years": rng.integers(0, 40, respondents),
        }
    )
    person = rng.normal(0, 0.7, respondents)
    for number in range(items):
        answer = np.clip(np.round(3.2 + person + rng.normal(0, 0.9, respondents)), 1, 5)
        missing = rng.random(respondents) < 0.02
        frame[f"item{number}"] = pd.array(np.where(missing, np.nan, answer)).astype("Int8")
    return frame


def peak_mb() -> float:
    """Peak resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(respondents: int, case: str) -> tuple[float, float, float]:
    """Seconds, and peak memory with the data only and after the fit."""
    items, covariates = CASES[case]
    frame = simulate(respondents, items)
    names = tuple(f"item{number}" for number in range(items))
    before, start = peak_mb(), time.perf_counter()
    sample = Sample(frame, ("first", "second"), ("health", "social"), covariates=covariates)
    design = make_design(sample, Scale("scale", names, dict.fromkeys(names, 1), (1, 5)))
    compare_fit(design, fit_linear(design), scale="scale")
    return time.perf_counter() - start, before, peak_mb()


if __name__ == "__main__":
    sizes = [int(argument) for argument in sys.argv[1:]] or SIZES
    print(f"{'case':<22} {'respondents':>11} {'seconds':>8} {'MB, data only':>14} {'MB, peak':>9}")
    for name in CASES:
        for size in sizes:
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                seconds, data, peak = pool.apply(measure, (size, name))
            print(f"{name:<22} {size:>11,} {seconds:>8.3f} {data:>14.0f} {peak:>9.0f}")
