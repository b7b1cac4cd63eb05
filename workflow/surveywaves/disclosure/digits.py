"""Digits: no number with more of them than its uncertainty warrants.

An estimate printed to 16 digits is an equation that the answers meet exactly, and only one set of whole numbers may.
To two significant figures of its standard error, which is what a reader can use, all answers near by meet it.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import pandas as pd

from surveywaves.disclosure.rule import BoolArray, FloatArray
from surveywaves.terms import PLANNING, SMALLEST_P
from surveywaves.tidy import DECIDED

FIGURES: Final = 2
"""Significant figures of a standard error, and of a p-value."""

STEPS: Final = (1.0, 2.0, 5.0, 10.0)
"""Units to which numbers may be printed, up to a power of 10."""

QUANTILE: Final = 1.96
"""Standard errors from an estimate to a limit of its interval."""

OTHERWISE: Final = (
    (r"^n_|^returns", 0),
    (r"chisq|_lr$|^equality$|^proportional_odds$|^dispersion$|^items_answered$", 1),
    (r"cfi|tli|rmsea|srmr|r2|mcfadden", 3),
    ("", 2),
)
"""Pattern of a term -> decimals of an estimate without a standard error or an interval; the first one holds."""

STEP: Final = 10
"""Degrees of freedom that go by a number of respondents are multiples of this: n - 1 would be n again."""

LEVELS: Final = (0.05, 0.01)
"""What a p-value that is below does not become by rounding."""

NUDGE: Final = 1e-6
"""Units by which a half may be missed and still be one."""

MEASURED: Final = ("estimate", "std_error", "conf_low", "conf_high", DECIDED[0])
OWN_UNIT: Final = ("std_error", DECIDED[0])
"""Columns that keep their own unit where that of the estimate is coarser."""

LIMITS: Final = {"conf_low": 1.0, "conf_high": -1.0}


def units(table: pd.DataFrame) -> FloatArray:
    """(N,) the unit to which each row of a tidy table is rounded: 0.01 for two decimals, 10 for tens."""
    error = table["std_error"].to_numpy(dtype=np.float64)
    half = (table["conf_high"] - table["conf_low"]).to_numpy(dtype=np.float64) / 2
    error = np.where(error > 0, error, half / QUANTILE)
    known = np.isfinite(error) & (error > 0)
    figures = FIGURES - 1 - np.floor(np.log10(np.where(known, error, 1.0)))
    terms = table["term"].unique()
    by_term = pd.Series(np.nan, index=terms)
    for pattern, places in reversed(OTHERWISE):
        by_term[by_term.index.str.contains(pattern)] = places
    return 10.0 ** -np.where(known, figures, table["term"].map(by_term).to_numpy(dtype=np.float64))


def step(least: float) -> float:
    """Return the smallest of `STEPS`, times a power of 10, that is not below a positive number."""
    power = 10.0 ** math.floor(math.log10(least))
    return power * next(one for one in STEPS if one * power >= least * (1 - NUDGE))


def residual(table: pd.DataFrame) -> BoolArray:
    """Mark the rows whose degrees of freedom are those of an error, which go by how many respondents there are."""
    own = table["std_error"].notna() | table["term"].str.startswith("equal_") | table["analysis"].eq(PLANNING)
    return (own & table["df"].notna()).to_numpy(dtype=np.bool_)


def rounded(table: pd.DataFrame, unit: FloatArray, *, of_some: BoolArray) -> pd.DataFrame:
    """Round a tidy table.

    Parameters
    ----------
    table
        With the columns of a decision, or without.
    unit
        (N,) as `units` gives it, or coarser, which standard errors do not become; NaN: the row stays as it is.
    of_some
        (N,) rows about some of the respondents, whose degrees of freedom would tell how many these are.

    Returns
    -------
    DataFrame
        An interval that leaves 0 out still does. Decisions are those of the numbers before.
    """
    shown, known = table.copy(), np.isfinite(unit)
    unit = np.where(known, unit, 1.0)
    finer = np.fmin(unit, np.where(known, units(table), 1.0))
    for name in [name for name in MEASURED if name in table]:
        values = table[name].to_numpy(dtype=np.float64)
        coarse = _multiples(values, finer if name in OWN_UNIT else unit)
        if side := LIMITS.get(name):
            coarse = np.where((side * values > 0) & (coarse == 0), side * unit, coarse)
        shown[name] = np.where(known, coarse, values) + 0.0
    for name in [name for name in map(str, table) if name.startswith("p_")]:
        shown[name] = coarse_p(table[name].to_numpy(dtype=np.float64))
    df = table["df"].to_numpy(dtype=np.float64)
    # n - 1 of a balanced cell is a whole number: where tens part, there is none near
    steps = np.maximum(STEP * np.floor((df + STEP / 2 + 0.25) / STEP), STEP)
    shown["df"] = np.where(residual(table) & of_some, steps, np.round(df)) + 0.0
    return shown


def _multiples(values: FloatArray, unit: FloatArray) -> FloatArray:
    """Round to multiples of units that are whole numbers or 1 over them; return the double nearest to each decimal.

    Halves are frequent, in shares for example, and the last digits depend on the processor: all are rounded up.
    """
    fine = unit < 1
    inverse = np.round(1 / np.where(fine, unit, 1.0))
    whole = np.where(fine, 1.0, np.round(unit))
    return np.floor(values * inverse / whole + 0.5 + NUDGE) * whole / inverse


def coarse_p(values: FloatArray) -> FloatArray:
    """Round p-values to two significant figures; what is not below the floor, or is below a level, remains so."""
    known = np.isfinite(values)
    places = FIGURES - 1 - np.floor(np.log10(np.where(known, np.maximum(values, SMALLEST_P), 1.0)))
    unit = 10.0**-places
    coarse = _multiples(np.where(known, values, 1.0), unit)
    for level in LEVELS:
        coarse = np.where((values < level) & (coarse >= level), _multiples(level - unit, unit), coarse)
    coarse = np.where(values < SMALLEST_P, SMALLEST_P, np.maximum(coarse, 1.1 * SMALLEST_P))
    return np.where(known, np.round(coarse, 4), values)
