"""Do intervals cover the truth, and are false positives as rare as stated? Simulated surveys with a known answer.

Run: `OPENBLAS_NUM_THREADS=1 nice .venv/bin/python benchmarks/calibration.py [--surveys 1000] [--processes 1]
[--write]`. Each scenario of `known_truth` is simulated without and with a known change, every survey from a seed of
its own, so that the table is the same on every run and whatever the number of processes. `--write` puts it into
docs/calibration.md.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from calibration_tables import EVERY, SCALES, SEED, Found, document
from known_truth import CELLS, MOVED, RESPONDENTS, SCENARIOS, WAVES, BreakingOff, Population

from surveywaves.invariance import dif
from surveywaves.mixed.clmm import fit_ordinal
from surveywaves.mixed.contrasts import compare_fit
from surveywaves.mixed.decisions import decide
from surveywaves.mixed.design import make_design
from surveywaves.mixed.favourable import compare_favourable
from surveywaves.mixed.lmm import fit_linear
from surveywaves.reliability import reliability
from surveywaves.sensitivity.compare import compare_variants
from surveywaves.sensitivity.imputation import impute
from surveywaves.sensitivity.variants import Variant
from surveywaves.terms import IMPUTED, MAIN, PERCENT_FAVOURABLE, STANDARDISED

AT_A_TIME = 24
CORRELATED = 400
"""Families of scales that the same respondents answered, at 1,000 surveys a scenario."""

BROKEN_OFF = 500
"""Surveys in which a quarter broke off, at 1,000 surveys a scenario."""

IMPUTATIONS = 20

DOCUMENT = Path(__file__).parents[1] / "docs" / "calibration.md"


class Task(NamedTuple):
    """Some surveys of a scenario."""

    scenario: int
    changed: bool
    surveys: range


def work(task: Task) -> Found:
    """Simulate and analyse; the scale of each row is the number of its survey."""
    population = Population(SCENARIOS[task.scenario], task.changed)
    parts: dict[str, list[pd.DataFrame]] = {}
    for survey in task.surveys:
        frame = population.simulate(np.random.default_rng([SEED, task.scenario, task.changed, survey]))
        for name, table in _analyse(population, frame, survey):
            parts.setdefault(name, []).append(table)
    place = {"scenario": population.scenario.name, "changed": task.changed}
    found = {name: pd.concat(tables, ignore_index=True).assign(**place) for name, tables in parts.items()}
    estimates = [
        _with_truth(found.pop(analysis), found["variances"], population, analysis)
        for analysis in ("linear", "favourable", "ordinal")
        if analysis in found
    ]
    return Found(pd.concat(estimates, ignore_index=True), *(found.get(name) for name in Found._fields[1:]))


def _analyse(population: Population, frame: pd.DataFrame, survey: int) -> Iterator[tuple[str, pd.DataFrame]]:
    scale = str(survey)
    given = population.given(frame, scale)
    design = make_design(*given)
    linear = compare_fit(design, fit_linear(design), scale=scale)
    yield "linear", linear.means
    yield "linear", linear.contrasts
    yield "variances", linear.variances
    if population.normal:
        return
    share = compare_favourable(design, given[1])
    yield "favourable", share.means
    yield "favourable", share.contrasts
    if survey % EVERY == 0:
        yield "reliability", reliability(*given)
    if not population.scenario.equal:
        return
    latent = compare_fit(design, fit_ordinal(design), scale=scale)
    yield "ordinal", latent.means
    yield "ordinal", latent.contrasts
    yield "variances", latent.variances
    if survey % EVERY == 0:
        yield "dif", dif(*given)


def _with_truth(
    table: pd.DataFrame, variances: pd.DataFrame, population: Population, analysis: str
) -> pd.DataFrame:
    """Add what is true, and equivalence tests against a smallest effect that is exactly the change."""
    truth = population.truth(analysis)
    key = pd.MultiIndex.from_frame(table[["term", "wave", "organisation"]])
    table = table.assign(truth=pd.Series(truth).reindex(key).to_numpy())
    if not population.change:
        return table
    place = (f"{CELLS[MOVED][0]} - {WAVES[1]}", CELLS[MOVED][1])
    unit = population.ordinal_variances if analysis == "ordinal" else population.linear_variances
    change = f"change_{PERCENT_FAVOURABLE}" if analysis == "favourable" else "change"
    is_mean = table["p_value"].isna()
    decided = decide(
        table[~is_mean],
        variances,
        standardised=abs(truth[change, *place]) / unit["total_sd"],
        percentage_points=abs(truth[change, *place]),
        multiplicity="none",
    )
    return pd.concat([table[is_mean], decided], ignore_index=True)


def correlated_families(number: int) -> pd.DataFrame:
    """Contrasts of scales that the same respondents answered, by the linear model; without a change."""
    population = Population(SCENARIOS[0], change=False)
    tables = []
    for family in range(number):
        rng = np.random.default_rng([SEED, len(SCENARIOS), family])
        common = rng.normal(size=int(RESPONDENTS.sum()))
        for scale in range(SCALES):
            design = make_design(*population.given(population.simulate(rng, common), str(scale)))
            found = compare_fit(design, fit_linear(design), scale=str(scale)).contrasts
            tables.append(found.assign(family=family))
    return pd.concat(tables, ignore_index=True)


def breaking_off(number: int) -> pd.DataFrame:
    """Contrasts of the later scale where a quarter broke off before it: of who stayed, and of all, imputed."""
    population = BreakingOff()
    early, late = population.scales
    tables = []
    for survey in range(number):
        sample = population.sample(
            population.simulate(np.random.default_rng([SEED, len(SCENARIOS) + 1, survey]))
        )
        imputed = impute(sample, [early, late], number=IMPUTATIONS, seed=survey)
        variants = (Variant(MAIN), Variant(IMPUTED, imputed=imputed))
        table = compare_variants(sample, [late], variants).table
        unit = fit_linear(make_design(sample, late)).total_sd
        truth = {
            (analysis, *place): value / (unit if analysis == "linear" else 1)
            for analysis, contrasts in population.truth().items()
            for place, value in contrasts.items()
        }
        kind = table["term"].str.removesuffix(STANDARDISED).str.removesuffix(f"_{PERCENT_FAVOURABLE}")
        places = zip(table["analysis"], kind, table["wave"], table["organisation"], strict=True)
        tables.append(
            table.assign(survey=survey, kind=kind, truth=[truth.get(place, np.nan) for place in places])
        )
    return pd.concat(tables, ignore_index=True)


def simulate_all(surveys: int, processes: int) -> tuple[Found, pd.DataFrame, pd.DataFrame]:
    tasks = [
        Task(scenario, changed, range(start, min(start + AT_A_TIME, surveys)))
        for scenario in range(len(SCENARIOS))
        for changed in (False, True)
        for start in range(0, surveys, AT_A_TIME)
    ]
    found: list[Found] = []
    began = time.perf_counter()

    def take(results: Iterator[Found]) -> None:
        for number, one in enumerate(results, start=1):
            found.append(one)
            if number % 20 == 0:
                seconds = time.perf_counter() - began
                print(f"{number} of {len(tasks)} in {seconds:.0f} s", file=sys.stderr, flush=True)

    if processes > 1:
        with multiprocessing.get_context("spawn").Pool(processes) as pool:
            take(pool.imap(work, tasks))
    else:
        take(map(work, tasks))
    families = correlated_families(max(2, CORRELATED * surveys // 1_000))
    broken_off = breaking_off(max(2, BROKEN_OFF * surveys // 1_000))
    together = (
        pd.concat([table for table in tables if table is not None], ignore_index=True)
        for tables in zip(*found, strict=True)
    )
    return Found(*together), families, broken_off


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--surveys", type=int, default=1_000, help="surveys a scenario and truth")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--write", action="store_true", help=f"write {DOCUMENT.name}")
    arguments = parser.parse_args()
    text = document(*simulate_all(arguments.surveys, arguments.processes), arguments.surveys)
    print(text)
    if arguments.write:
        DOCUMENT.write_text(text, encoding="utf-8")
