"""Whether the items of each scale work alike everywhere, and whether each scale is one factor there."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from surveywaves.invariance.dif import dif
from surveywaves.invariance.structure import structure
from surveywaves.sample import Sample, Scale
from surveywaves.terms import DIF, STRUCTURE
from surveywaves.tidy import tidy


def examine(
    sample: Sample, scales: Sequence[Scale], *, only: range | None = None, confidence: float, min_n: int
) -> dict[str, pd.DataFrame]:
    """Return the tables of `dif` and `structure` of some scales, by their names.

    Parameters
    ----------
    sample, scales
        Who answered, and what, in the order of the instrument.
    only
        Places of the scales that are examined, if not all.
    confidence
        Confidence level of the intervals.
    min_n
        Fewest respondents of a group whose items are compared: see `dif`.
    """
    some = [scales[at] for at in (range(len(scales)) if only is None else only)]
    items = [dif(sample, scale, confidence=confidence, min_n=min_n) for scale in some]
    return {
        DIF: pd.concat([tidy([]), *items], ignore_index=True),
        STRUCTURE: structure(sample, scales, only=only, confidence=confidence),
    }
