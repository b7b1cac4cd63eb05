"""How precise a linear mixed model's contrasts will be before the answers are there, and the power of their tests.

The covariance of the fixed effects depends on who answers which items and on the variances, not on the
answers. So does, in expectation, the information on the variances, and with it Satterthwaite's degrees of
freedom: of the REML deviance's Hessian in (sigma2, theta), the expected value is taken where a fit takes the
observed one. With A = sigma2 X'V^-1X and P = V^-1 - V^-1 X (X'V^-1X)^-1 X'V^-1,

    E[d2/dsigma2^2] = (n - p) / sigma2^2,   E[d2/dsigma2 dtheta] = tr(PZZ'),   E[d2/dtheta^2] = sigma2^2 tr(PZZ'PZZ')

(Patterson and Thompson 1971, Biometrika 58, 545; Searle, Casella and McCulloch 1992, Variance Components,
section 6.6).

Power is of Student's t against 0, and of two one-sided tests for equivalence. Effects and standard errors are in the
same unit, whatever it is. An estimated standard error is the true one times s, with df s^2 chi-squared. The noncentral
t is scipy's; statsmodels' `ttest_power`, tried at 3,000 points, gave none for 308 (large effects) and was off by 1e-6
with one or two degrees of freedom. For equivalence it has none.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import special
from scipy.optimize import brentq

from surveywaves.mixed.design import Design, FloatArray
from surveywaves.mixed.estimable import ESTIMABLE
from surveywaves.mixed.sums import independent_columns


@dataclass(frozen=True, slots=True, eq=False)
class Precision:
    """Expected precision of combinations of the coefficients; P fixed-effect columns.

    Parameters
    ----------
    cov, cov_by_theta
        (P, P) covariance of the coefficients and its derivative by theta; 0 for columns that depend on others.
    variance_cov
        (2, 2) asymptotic covariance of (sigma2, theta) as they will be estimated.
    sigma2
        Variance within respondents.
    """

    cov: FloatArray
    cov_by_theta: FloatArray
    variance_cov: FloatArray
    sigma2: float

    def error(self, contrast: FloatArray) -> float:
        """Give the standard error of an estimable (P,) combination."""
        return math.sqrt(max(float(contrast @ self.cov @ contrast), 0.0))

    def df(self, contrast: FloatArray) -> float:
        """Give Satterthwaite's degrees of freedom of an estimable (P,) combination (Giesbrecht and Burns 1985)."""
        variance = float(contrast @ self.cov @ contrast)
        gradient = np.array([variance / self.sigma2, contrast @ self.cov_by_theta @ contrast])
        return 2.0 * variance**2 / float(gradient @ self.variance_cov @ gradient)


class Outlook:
    """What a design will tell with any numbers of respondents of each kind.

    Parameters
    ----------
    design
        The kinds of respondents: its G groups. How many they are is left to `precision`.
    theta, sigma2
        tau2 / sigma2 and the variance within respondents, taken as true. With theta = 0 the variance between
        respondents is taken as known to be zero, as a fit on that boundary takes it.
    """

    def __init__(self, design: Design, *, theta: float, sigma2: float) -> None:
        self._theta, self._sigma2 = theta, sigma2
        items, rows = design.item_columns, design.group_rows(slice(None))
        self._items = items
        self._answered = rows[:, items]
        self._k = design.answered.sum(axis=1).astype(np.float64)
        # a respondent's column sum is k times a cell's or covariate's value, but 1 for each item answered
        self._sums = rows * self._k[:, None]
        self._sums[:, items] = self._answered
        counts = np.ones(len(self._k))
        within = self._within(counts)
        kept, self._null, self._scale = independent_columns(within + self._between(counts / self._k))
        self._kept = np.flatnonzero(kept)

    def estimable(self, contrast: FloatArray) -> bool:
        """Whether respondents of these kinds determine a (P,) combination of the coefficients."""
        vector = contrast / self._scale
        return bool(np.all(np.abs(vector @ self._null) <= ESTIMABLE * np.linalg.norm(vector)))

    def precision(self, counts: FloatArray) -> Precision:
        """Give the precision with (G,) respondents of each kind, above 0; expected numbers need not be whole."""
        k, theta, sigma2 = self._k, self._theta, self._sigma2
        kept = np.ix_(self._kept, self._kept)
        units = np.outer(self._scale[self._kept], self._scale[self._kept])

        def between(factor: FloatArray) -> FloatArray:
            return self._between(counts * factor)[kept] / units

        v, v1, v2 = 1 / (k * (1 + k * theta)), -1 / (1 + k * theta) ** 2, 2 * k / (1 + k * theta) ** 3
        inverse = np.linalg.inv(self._within(counts)[kept] / units + between(v))
        slope = between(v1)
        solved = inverse @ slope
        by_sigma2 = float(counts @ k - len(self._kept)) / sigma2**2
        if theta == 0:
            variance_cov = np.array([[2 / by_sigma2, 0.0], [0.0, 0.0]])
        else:
            shrunk = k / (1 + k * theta)
            by_both = (float(counts @ shrunk) + float((inverse * slope).sum())) / sigma2
            by_theta = float(counts @ shrunk**2) + float((solved * solved.T).sum())
            by_theta -= float((inverse * between(v2)).sum())
            variance_cov = 2 * np.linalg.inv(np.array([[by_sigma2, by_both], [by_both, by_theta]]))
        size = len(self._scale)
        cov, by_theta_cov = np.zeros((size, size)), np.zeros((size, size))
        cov[kept] = sigma2 * inverse / units
        by_theta_cov[kept] = -sigma2 * (solved @ inverse) / units
        return Precision(cov, by_theta_cov, variance_cov, sigma2)

    def _within(self, counts: FloatArray) -> FloatArray:
        """(P, P) cross-products of the columns' deviations from each respondent's own means: the items'."""
        found = np.zeros((self._sums.shape[1],) * 2)
        answered = self._answered
        found[self._items, self._items] = np.diag(counts @ answered)
        found[self._items, self._items] -= (answered * (counts / self._k)[:, None]).T @ answered
        return found

    def _between(self, weights: FloatArray) -> FloatArray:
        """(P, P) weighted cross-products of each respondent's column sums."""
        return np.asarray((self._sums * weights[:, None]).T @ self._sums, dtype=np.float64)


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
