"""Means of organisations shrunken towards their common mean, as league tables need them.

Of many organisations the highest and the lowest are mostly small ones, whose means vary most by chance. With estimates
y_o and standard errors s_o, organisations being exchangeable,

    y_o ~ N(m_o, s_o^2),   m_o ~ N(mu, tau^2),   w_o = 1 / (s_o^2 + tau^2),   mu = sum w y / sum w,
    shrunken_o = l_o y_o + (1 - l_o) mu,   l_o = tau^2 / (tau^2 + s_o^2),
    Var = l_o s_o^2 + (1 - l_o)^2 / sum w,

the empirical best linear unbiased prediction, with tau^2 by restricted maximum likelihood. The interval is normal and
takes tau^2 as known: with few organisations it is too narrow. It needs released numbers only, and so tells nothing that
these do not.

Sources: Raudenbush and Bryk (1985) J. Educ. Stat. 10, 75; Viechtbauer (2005) J. Educ. Behav. Stat. 30, 261 (REML);
Goldstein and Spiegelhalter (1996) J. R. Stat. Soc. A 159, 385 (league tables).
In R: ``metafor::blup(metafor::rma(y, sei = s))``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import ndtri

from surveywaves.mixed.design import FloatArray
from surveywaves.terms import ALL, BETWEEN_SD, ESTIMATED, PERCENT_FAVOURABLE, SHRUNKEN, Status
from surveywaves.tidy import tidy

FEWEST: Final = 3
"""Organisations of which something may be learnt about how they differ."""


class Pooled(NamedTuple):
    """Shrunken estimates, their standard errors, the common mean, and the standard deviation between organisations."""

    estimates: FloatArray
    errors: FloatArray
    mean: float
    between: float


def pool_partially(values: FloatArray, errors: FloatArray) -> Pooled:
    """Shrink estimates towards their common mean: see the module.

    Parameters
    ----------
    values, errors
        (O,) estimates of three organisations or more, and their standard errors, above 0.
    """

    def slope(tau2: float) -> float:
        """Return the derivative of twice the restricted log likelihood."""
        w = 1 / (errors**2 + tau2)
        mean = float(w @ values) / float(w.sum())
        return float(w**2 @ (values - mean) ** 2 - w.sum() + (w**2).sum() / w.sum())

    most = float(np.var(values, ddof=1)) + float((errors**2).max())
    tau2 = 0.0
    if slope(0.0) > 0:
        tau2 = float(brentq(slope, 0.0, _beyond(slope, most), xtol=1e-14 * most, rtol=1e-12))
    weights = 1 / (errors**2 + tau2)
    own = tau2 * weights
    mean = float(weights @ values) / float(weights.sum())
    variances = own * errors**2 + (1 - own) ** 2 / weights.sum()
    return Pooled(own * values + (1 - own) * mean, np.sqrt(variances), mean, math.sqrt(tau2))


def shrunken_means(means: pd.DataFrame, *, confidence: float = 0.95) -> pd.DataFrame:
    """Shrink the means of the organisations of each wave.

    Parameters
    ----------
    means
        Tidy: `means` as they are released.
    confidence
        Coverage of the intervals.

    Returns
    -------
    DataFrame
        Tidy, for each analysis, scale and wave of which three organisations or more have a mean: that mean shrunken
        (its term, then `SHRUNKEN`; percentages and their intervals within 0 and 100), with the note how much its own
        estimate weighs; then, for organisation ``all``, the standard deviation between organisations (term, then
        `BETWEEN_SD`), 0 with status ``boundary``.
    """
    known = means["organisation"].ne(ALL) & means["status"].isin(ESTIMATED) & means["std_error"].gt(0)
    reach, rows = float(ndtri((1 + confidence) / 2)), list[dict[str, Any]]()
    for place, own in means[known].groupby(["analysis", "scale", "wave", "term"], sort=False):
        if len(own) < FEWEST:
            continue
        labels = dict(zip(("analysis", "scale", "wave", "term"), place, strict=True))
        errors = own["std_error"].to_numpy(dtype=np.float64)
        found = pool_partially(own["estimate"].to_numpy(dtype=np.float64), errors)
        ends = np.stack([found.estimates - reach * found.errors, found.estimates + reach * found.errors])
        if labels["term"] == PERCENT_FAVOURABLE:
            ends = ends.clip(0, 100)
        share = found.between**2 / (found.between**2 + errors**2)
        own_note = [f"its own estimate weighs {100 * one:.0f}%" for one in share]
        names = ("organisation", "n", "note", "estimate", "std_error", "conf_low", "conf_high")
        columns = own["organisation"], own["n"], own_note, found.estimates, found.errors, *ends
        shrunken, between = (labels | {"term": f"{labels['term']}{end}"} for end in (SHRUNKEN, BETWEEN_SD))
        for row in zip(*columns, strict=True):
            rows.append(shrunken | dict(zip(names, row, strict=True)))
        status = Status.OK if found.between > 0 else Status.BOUNDARY
        rows.append(between | {"organisation": ALL, "estimate": found.between, "status": status})
    return tidy(rows)


def _beyond(slope: Callable[[float], float], most: float) -> float:
    """Find a value at which the slope is negative."""
    while slope(most) > 0:
        most *= 2
    return most
