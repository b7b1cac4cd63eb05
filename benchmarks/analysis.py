"""CPU time of the whole analysis (measure, compare, sensitivity with imputation) at many returns.

    python benchmarks/analysis.py [--returns 1722 300000]

The returns are those of the shipped study, drawn with replacement, a tenth of the answers moved by a step, so that few
respondents are alike. Run it where `results/` of the study lies.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from surveywaves.invariance import flagged
from surveywaves.invariance.measure import measure
from surveywaves.mixed.compare import estimate, judge
from surveywaves.sample import Sample, scales_of, single_items
from surveywaves.sensitivity.compare import judge_variants
from surveywaves.sensitivity.imputation import impute
from surveywaves.sensitivity.variants import stated_variants
from surveywaves.study import load_study
from surveywaves.study.parts import ComparingPart, MeasuringPart, SensitivityPart

POOLED = Path("results/pooled")


def enlarged(returns: int, items: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw returns, and why they lack what they lack."""
    frame, missing = (pd.read_parquet(POOLED / f"{name}.parquet") for name in ("responses", "missing"))
    if returns == len(frame):
        return frame, missing
    rng = np.random.default_rng(1)
    drawn = rng.integers(0, len(frame), returns)
    frame, missing = frame.iloc[drawn].reset_index(drop=True), missing.iloc[drawn].reset_index(drop=True)
    frame["respondent"] = missing["respondent"] = [f"r{number:07}" for number in range(returns)]
    for item in items:
        moved = (frame[item] + rng.choice([-1, 0, 1], returns, p=[0.05, 0.9, 0.05])).clip(
            1, frame[item].max()
        )
        frame[item] = moved.astype(frame[item].dtype)
    return frame, missing


def timed(stage: str, work: Callable[[], Any]) -> Any:
    start = time.process_time()
    found = work()
    print(f"  {stage:12} {time.process_time() - start:6.1f} s", flush=True)
    return found


def run(returns: int) -> None:
    """Measure, compare, and compare in other ways, as the scripts do."""
    study = load_study(Path("config"))
    measuring, comparing, part = MeasuringPart.of(study), ComparingPart.of(study), SensitivityPart.of(study)
    frame, missing = enlarged(returns, [item.item for item in comparing.instrument])
    print(f"{returns:,} returns")
    scales, everybody = scales_of(comparing.instrument), Sample(frame, **dict(measuring.sample))
    found = timed("measure", lambda: measure(everybody, scales, seed=measuring.seed))
    sample = Sample(frame, **dict(comparing.sample)).with_shares()
    smallest = part.smallest_effect

    def compare() -> None:
        judge(
            estimate(sample, scales, single_items(comparing.instrument)),
            found.scale_use,
            standardised_effect=smallest.standardised,
            percentage_points=smallest.percentage_points,
            confidence=comparing.confidence,
            multiplicity=comparing.multiplicity,
            item_multiplicity=comparing.item_multiplicity,
            against=sample.against,
        )

    timed("compare", compare)
    asked = part.sensitivity

    def otherwise() -> None:
        ways = stated_variants(
            sample,
            questionnaire=[item.item for item in part.instrument],
            straight_lining=asked.straight_lining,
            only=asked.only,
            adjust_for=asked.adjust_for,
            populations=part.populations,
            reworded=part.reworded,
            imputed=impute(
                sample,
                scales,
                number=asked.imputations,
                seed=part.seed,
                variables=asked.adjust_for,
                reasons=missing,
            ),
        )
        judge_variants(
            sample,
            scales,
            ways,
            flagged=flagged(found.dif),
            standardised=smallest.standardised,
            percentage_points=smallest.percentage_points,
        )

    timed("sensitivity", otherwise)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--returns", type=int, nargs="+", default=[1_722, 300_000])
    for size in parser.parse_args().returns:
        run(size)
