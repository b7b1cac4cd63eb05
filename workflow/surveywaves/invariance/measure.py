"""How each scale of a study measures: its reliability, and whether its items work alike everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from surveywaves.invariance.dif import dif
from surveywaves.invariance.structure import structure
from surveywaves.reliability import reliability
from surveywaves.sample import Sample, Scale
from surveywaves.tidy import tidy


class Measured(NamedTuple):
    """Tidy frames of scales under each other."""

    reliability: pd.DataFrame
    dif: pd.DataFrame
    structure: pd.DataFrame


def measure(
    sample: Sample,
    scales: Sequence[Scale],
    *,
    only: range | None = None,
    confidence: float = 0.95,
    min_n: int = 10,
    seed: int = 0,
    dif_min_n: int = 50,
) -> Measured:
    """Measure every scale.

    Parameters
    ----------
    sample, scales
        Who answered, and what.
    only
        Places of the scales that are measured, if not all: the frames have their rows only.
    confidence
        Coverage of the intervals.
    min_n, seed
        See `reliability`.
    dif_min_n
        Fewest respondents of a group whose items are examined: see `dif`.
    """
    some = [scales[at] for at in (range(len(scales)) if only is None else only)]
    alphas = [reliability(sample, scale, confidence=confidence, min_n=min_n, seed=seed) for scale in some]
    differing = [dif(sample, scale, confidence=confidence, min_n=dif_min_n) for scale in some]
    return Measured(
        reliability=pd.concat([tidy([]), *alphas], ignore_index=True),
        dif=pd.concat([tidy([]), *differing], ignore_index=True),
        structure=structure(sample, scales, only=only, confidence=confidence),
    )
