"""p-values adjusted for the number of tests in their family.

By hand, though statsmodels has it: its `multipletests` collects garbage at every call for Holm's method (40 ms here,
3 s over the families of a study), and importing it takes a second. The tests hold every result against it.

Sources: Holm (1979) Scand. J. Stat. 6, 65; Benjamini and Hochberg (1995) J. R. Stat. Soc. B 57, 289.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd

from surveywaves.mixed.design import FloatArray


def adjusted(p_values: FloatArray, method: str) -> FloatArray:
    """Adjust the p-values of one family.

    Parameters
    ----------
    p_values
        (tests,), none missing.
    method
        ``holm``: below alpha while the chance of any false positive in the family is alpha at most. ``fdr_bh``: the
        same for the expected share of false positives.

    Returns
    -------
    FloatArray
        (tests,), in the same order, 1 at most.

    Raises
    ------
    ValueError
        If there is no such method.
    """
    if method not in METHODS:
        raise ValueError(f"not a method of adjustment: {method} (known: {', '.join(METHODS)})")
    order = np.argsort(p_values, kind="stable")
    found = np.empty(len(p_values))
    found[order] = np.minimum(METHODS[method](p_values[order]), 1.0)
    return found


def adjust_families(frame: pd.DataFrame, p_value: str, method: str, family: Sequence[str]) -> FloatArray:
    """Adjust a column of p-values family by family.

    Parameters
    ----------
    frame
        One test a row.
    p_value
        Column of p-values. Rows without one are no tests and stay without.
    method
        See `adjusted`; ``none`` gives no p-value to any row.
    family
        Tests with the same values in these columns are one family.

    Returns
    -------
    FloatArray
        (rows,)
    """
    found = np.full(len(frame), math.nan)
    if method == "none":
        return found
    p_values = frame[p_value].to_numpy(dtype=np.float64)
    tests = np.flatnonzero(~np.isnan(p_values))
    families = frame.iloc[tests].groupby(list(family), sort=False).ngroup().to_numpy()
    for one in range(int(families.max(initial=-1)) + 1):
        members = tests[families == one]
        found[members] = adjusted(p_values[members], method)
    return found


def _holm(ascending: FloatArray) -> FloatArray:
    steps = np.arange(len(ascending), 0, -1)
    return np.asarray(np.maximum.accumulate(ascending * steps), dtype=np.float64)


def _benjamini_hochberg(ascending: FloatArray) -> FloatArray:
    size = len(ascending)
    steps = size / np.arange(1, size + 1)
    return np.asarray(np.minimum.accumulate((ascending * steps)[::-1])[::-1], dtype=np.float64)


METHODS: Final[Mapping[str, Callable[[FloatArray], FloatArray]]] = {
    "holm": _holm,
    "fdr_bh": _benjamini_hochberg,
}
