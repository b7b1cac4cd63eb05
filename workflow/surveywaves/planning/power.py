"""Power of the tests of a contrast: Student's t against 0, and two one-sided tests for equivalence.

Effects and standard errors are in the same unit, whatever it is. An estimated standard error is the true one times s,
with df s^2 chi-squared.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np
from scipy import special
from scipy.optimize import brentq

from surveywaves.mixed.design import FloatArray

NODES, WEIGHTS = np.polynomial.legendre.leggauss(120)
"""Gauss-Legendre quadrature on (-1, 1)."""

REACH: Final = 12.0
"""Standard deviations of s to either side of 1 beyond which nothing is left of its density."""

FAR: Final = 9.0
"""Phi(-9) is nothing."""

LARGE: Final = 1e7
"""From these degrees of freedom on, the standard error is taken as known."""


def power_of_t(effect: float, error: float, df: float, *, level: float) -> float:
    """Power of a two-sided t test: the chance that |t| exceeds its critical value, in either direction.

    Parameters
    ----------
    effect
        The true effect.
    error
        Standard error of its estimate.
    df
        Degrees of freedom.
    level
        Level of the test.

    Returns
    -------
    float
        P(|T| > t) with T noncentral t, noncentrality effect / error (Cohen 1988, ch. 2, exact). `level` where
        the effect is 0.
    """
    shift, critical = abs(effect) / error, _critical(df, level / 2)
    if df >= LARGE:
        return float(special.ndtr(shift - critical) + special.ndtr(-critical - shift))
    missed = float(special.nctdtr(df, shift, critical))
    if math.isnan(missed):  # scipy's word for a chance below all floats
        missed = 0.0
    # and in the wrong tail, sometimes, for one that is not
    wrong = _average(lambda s: special.ndtr(-critical * s - shift), df, most=max(FAR - shift, 0.0) / critical)
    return 1 - missed + wrong


def margin(error: float, df: float, *, level: float) -> float:
    """Give half the width of an interval of coverage 1 - level."""
    return error * _critical(df, level / 2)


def detectable_effect(error: float, df: float, *, level: float, power: float) -> float:
    """Give the effect that a two-sided t test finds with a given power; 0 if chance alone finds it as often."""
    if power <= level:
        return 0.0

    def short(shift: float) -> float:
        return power_of_t(shift, 1.0, df, level=level) - power

    most = 4.0
    while short(most) < 0:
        most *= 2
    return error * float(brentq(short, 0.0, most, xtol=1e-12))


def power_of_equivalence(smallest: float, error: float, df: float, *, level: float) -> float:
    """Power of two one-sided t tests (TOST) to find an effect smaller than `smallest`, where it is 0.

    Both tests are made with one estimated standard error. Given s, the estimate must lie within
    +-(smallest - t error s); that chance is averaged over s (Owen 1965, Biometrika 52, 437; Phillips 1990,
    J. Pharmacokinet. Biopharm. 18, 137). The usual difference of two noncentral t probabilities is below 0
    where power is low.

    Parameters
    ----------
    smallest
        The smallest effect of interest, above 0.
    error, df
        Standard error of the estimate; its degrees of freedom.
    level
        Level of each of the tests.
    """
    bound, critical = smallest / error, _critical(df, level)
    if df >= LARGE:
        return max(2 * float(special.ndtr(bound - critical)) - 1, 0.0)
    return _average(lambda s: 2 * special.ndtr(bound - critical * s) - 1, df, most=bound / critical)


def _critical(df: float, tail: float) -> float:
    """Value that Student's t exceeds with a given chance."""
    return -float(special.ndtri(tail) if df >= LARGE else special.stdtrit(df, tail))


def _average(value: Callable[[FloatArray], FloatArray], df: float, *, most: float = math.inf) -> float:
    """Average a function of s over the s up to `most`; beyond, it counts as 0."""
    reach = REACH / math.sqrt(2 * df)
    low, high = max(1 - reach, 0.0), min(1 + reach, most)
    if high <= low:
        return 0.0
    s = low + (high - low) * (NODES + 1) / 2
    # chi's density of s sqrt(df), times sqrt(df)
    constant = df / 2 * math.log(df / 2) - math.lgamma(df / 2) + math.log(2)
    log_density = constant + (df - 1) * np.log(s) - df * s**2 / 2
    return float((high - low) / 2 * (WEIGHTS @ (np.exp(log_density) * value(s))))
