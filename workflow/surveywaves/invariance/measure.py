"""How each scale of a study measures: its reliability, its use, and whether its items work alike everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from surveywaves.invariance.dif import dif
from surveywaves.invariance.structure import structure
from surveywaves.reliability import reliability, usage
from surveywaves.sample import Sample, Scale


class Measured(NamedTuple):
    """Tidy frames of all scales together, and how each may be used."""

    reliability: pd.DataFrame
    scale_use: pd.DataFrame
    dif: pd.DataFrame
    structure: pd.DataFrame


def measure(
    sample: Sample,
    scales: Sequence[Scale],
    *,
    confidence: float = 0.95,
    min_n: int = 10,
    seed: int = 0,
    smallest_alpha: float = 0.60,
    dif_min_n: int = 50,
) -> Measured:
    """Measure every scale.

    Parameters
    ----------
    sample, scales
        Who answered, and what.
    confidence
        Coverage of the intervals.
    min_n, seed
        See `reliability`.
    smallest_alpha
        See `usage`.
    dif_min_n
        Fewest respondents of a group whose items are examined: see `dif`.
    """
    found = pd.concat(
        [reliability(sample, scale, confidence=confidence, min_n=min_n, seed=seed) for scale in scales],
        ignore_index=True,
    )
    return Measured(
        reliability=found,
        scale_use=usage(found, smallest_alpha=smallest_alpha),
        dif=pd.concat(
            [dif(sample, scale, confidence=confidence, min_n=dif_min_n) for scale in scales],
            ignore_index=True,
        ),
        structure=structure(sample, scales, confidence=confidence),
    )
