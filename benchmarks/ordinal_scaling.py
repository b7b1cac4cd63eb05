"""How long the ordinal mixed model takes, and how much memory, as respondents, items, covariates and teams grow.

Run: `.venv/bin/python benchmarks/ordinal_scaling.py [respondents ...]`. Cost grows with the number of distinct
respondents (cell, covariates, answers), which is given. Each size runs in a process of its own, so that peak memory
is that size's; the data are made before the clock starts, and the memory they need is given apart. The time is that of
the whole comparison: design, fit, means, contrasts, percentages, intervals of the variances. The last line is a study
of twelve scales of 4, 6 and 8 items with both links.
"""

from __future__ import annotations

import multiprocessing
import sys
import time
from typing import NamedTuple

import numpy as np
import pandas as pd
from linear_scaling import peak_mb, simulate

from surveywaves.mixed.clmm import fit_ordinal
from surveywaves.mixed.contrasts import compare_fit
from surveywaves.mixed.design import make_design
from surveywaves.sample import Sample, Scale

SIZES = (1_000, 10_000, 100_000, 1_000_000)
STUDY = 170_000
SCALES = (4, 6, 8) * 4
MEMBERS = 20


class Case(NamedTuple):
    """What is compared."""

    items: int
    covariates: tuple[str, ...] = ()
    link: str = "logit"
    teams: bool = False
    most: int = 1_000_000


CASES = {
    "4 items": Case(4),
    "6 items": Case(6),
    "8 items": Case(8),
    "6 items, probit": Case(6, link="probit"),
    "6 items, 1 covariate": Case(6, ("role",)),
    "6 items, 2 covariates": Case(6, ("role", "years"), most=100_000),
    "6 items, teams of 20": Case(6, teams=True, most=100_000),
}


def in_teams(frame: pd.DataFrame) -> pd.DataFrame:
    """Give every respondent a team, whose members are a little alike: they move the same way on the first item."""
    rng = np.random.default_rng(7)
    team = rng.integers(0, max(len(frame) // MEMBERS, 2), len(frame))
    shift = rng.normal(0, 0.6, team.max() + 1)[team] > 1.0
    moved = {name: (frame[name] + shift).clip(upper=5) for name in frame if name.startswith("item")}
    return frame.assign(team=pd.Series(team).astype(str), **moved)


def given(frame: pd.DataFrame, case: Case) -> tuple[Sample, Scale]:
    """Who is compared, and by which answers."""
    names = tuple(f"item{number}" for number in range(case.items))
    team = "team" if case.teams else ""
    sample = Sample(frame, ("first", "second"), ("health", "social"), covariates=case.covariates, team=team)
    return sample, Scale("scale", names, dict.fromkeys(names, 1), (1, 5), favourable=(4, 5))


def measure(respondents: int, case: Case) -> tuple[int, float, float, float, float, str]:
    """Distinct respondents, seconds by the clock and of all cores, peak MB with the data only and after; status."""
    frame = simulate(respondents, case.items)
    frame = in_teams(frame) if case.teams else frame
    before, start, busy = peak_mb(), time.perf_counter(), time.process_time()
    sample, scale = given(frame, case)
    comparison = compare_fit(
        design := make_design(sample, scale), fit_ordinal(design, link=case.link), scale=scale.name
    )
    seconds, busy, peak = time.perf_counter() - start, time.process_time() - busy, peak_mb()
    states = "/".join(sorted(set(comparison.contrasts["status"])))
    return len(design.count), seconds, busy, before, peak, states


def measure_study(respondents: int) -> tuple[float, float, float]:
    """Seconds by the clock and of all cores, and peak MB, of twelve scales with both links."""
    frames = {items: simulate(respondents, items) for items in set(SCALES)}
    start, busy = time.perf_counter(), time.process_time()
    for items in SCALES:
        for link in ("logit", "probit"):
            sample, scale = given(frames[items], Case(items))
            design = make_design(sample, scale)
            compare_fit(design, fit_ordinal(design, link=link), scale=scale.name)
    return time.perf_counter() - start, time.process_time() - busy, peak_mb()


if __name__ == "__main__":
    sizes = [int(argument) for argument in sys.argv[1:]] or SIZES
    heads = f"{'case':<22} {'respondents':>11} {'distinct':>9} {'seconds':>8} {'CPU':>7}"
    print(f"{heads} {'MB, data only':>14} {'MB, peak':>9}")
    for name, case in CASES.items():
        for size in (size for size in sizes if size <= case.most):
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                distinct, seconds, busy, data, peak, states = pool.apply(measure, (size, case))
            took = f"{name:<22} {size:>11,} {distinct:>9,} {seconds:>8.3f} {busy:>7.3f}"
            print(f"{took} {data:>14.0f} {peak:>9.0f} {states}", flush=True)
    if sizes == SIZES:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            seconds, busy, peak = pool.apply(measure_study, (STUDY,))
        print(
            f"{'12 scales, both links':<22} {STUDY:>11,} {'':>9} {seconds:>8.3f} {busy:>7.3f} {'':>14} {peak:>9.0f}"
        )
