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
from typing import Final, NamedTuple

import numpy as np
from scipy import special
from scipy.optimize import brentq

from surveywaves.mixed.design import BoolArray, Design, FloatArray, add_by
from surveywaves.mixed.reml import without_cells


class Outlook:
    """What a reference wave and one to come will tell together, whatever the number of returns.

    The wave to come has the reference's kinds of respondents, `ratio` times as many of each. Its cells have nothing in
    common with the reference's but the other columns, of items and covariates; with cells eliminated, what is left of
    the matrix of these is 1 + ratio times the reference's own.

    Parameters
    ----------
    design, kept
        Of the reference wave; (P,) its independent columns.
    theta, sigma2
        tau2 / sigma2 and the variance within respondents, taken as true. With theta = 0 the variance between
        respondents is taken as known to be zero, as a fit on that boundary takes it.
    """

    def __init__(self, design: Design, kept: BoolArray, *, theta: float, sigma2: float) -> None:
        cells, count = len(design.cells), design.group_counts
        answered = design.answered[:, 1:].astype(np.float64)
        k = design.answered.sum(axis=1).astype(np.float64)
        rows = np.column_stack([answered / k[:, None], design.profiles[design.profile]])
        within = np.zeros((rows.shape[1],) * 2)
        items = slice(answered.shape[1])
        within[items, items] = np.diag(count @ answered) - (answered * (count / k)[:, None]).T @ answered
        own = np.flatnonzero(kept[cells:])
        units = np.sqrt(np.diagonal(within) + count @ rows**2)[own]
        rows = rows[:, own] / units
        shrunk = k / (1 + theta * k)
        orders = count * np.array([shrunk, -(shrunk**2), 2 * shrunk**3])
        here = np.flatnonzero(kept[:cells])
        diagonal = np.array([add_by(design.cell, one, cells)[here] for one in orders])
        border = np.array(
            [[add_by(design.cell, one * column, cells)[here] for column in rows.T] for one in orders]
        )
        border = border.reshape(3, len(own), len(here)).swapaxes(1, 2)
        rest = np.array([rows.T @ (one[:, None] * rows) for one in orders])
        rest[0] += within[np.ix_(own, own)] / np.outer(units, units)
        left, log = without_cells(diagonal, border, rest)
        self._design, self._here, self._own, self._units = design, here, own + cells, units
        self._diagonal, self._lean = diagonal, border[0] / diagonal[0][:, None]
        self._bent = border[1] - diagonal[1][:, None] * self._lean
        self._inverse, self._slope = np.linalg.inv(left[0]), left[1]
        self._theta, self._sigma2 = theta, sigma2
        self.unit = math.sqrt(sigma2 * (1 + theta))
        """Standard deviation of one answer."""
        self._answers, self._rank = float(count @ k), 2 * len(here) + len(own)
        self._shrunk = np.array([float(count @ shrunk), float(count @ shrunk**2)])
        turn = self._inverse @ left[1]
        # derivatives of log |X'V^-1X|: they do not depend on the number of returns
        self._log = (
            2 * log[1] + np.trace(turn),
            2 * log[2] + float((self._inverse * left[2]).sum() - (turn * turn.T).sum()),
        )

    def variance_cov(self, ratio: float) -> FloatArray:
        """(2, 2) asymptotic covariance of (sigma2, theta) as they will be estimated."""
        times, (first, second) = 1 + ratio, self._log
        by_sigma2 = (times * self._answers - self._rank) / self._sigma2**2
        if self._theta == 0:
            return np.array([[2 / by_sigma2, 0.0], [0.0, 0.0]])
        by_both = (times * self._shrunk[0] + first) / self._sigma2
        by_theta = times * self._shrunk[1] - second
        return 2 * np.linalg.inv(np.array([[by_sigma2, by_both], [by_both, by_theta]]))

    def of(self, weights: FloatArray) -> Expected:
        """Return the precision of a contrast, by its (2, C) weights on the reference's cells and on those to come."""
        merged = weights.sum(axis=0)
        (vector,) = self._design.mean_vectors(np.arange(len(merged))[None], merged[None])
        weights, merged = weights[:, self._here], merged[self._here]
        d, slope = self._diagonal[:2]
        u = vector[self._own] / self._units - merged @ self._lean
        f = self._inverse @ u
        turned = 2 * (merged / d) @ self._bent @ f + f @ self._slope @ f
        return Expected(
            self,
            self._sigma2,
            variance=np.append((weights**2 / d).sum(axis=1), u @ f),
            slope=np.append((weights**2 * slope / d**2).sum(axis=1), turned),
        )


class Expected(NamedTuple):
    """Expected precision of a contrast.

    Attributes
    ----------
    outlook, sigma2
        What the waves will tell; variance within respondents.
    variance, slope
        (3,) what cells of the reference, cells of the wave to come and what is common to all add to the variance over
        sigma2, as many returning as in the reference, and to minus its derivative by theta.
    """

    outlook: Outlook
    sigma2: float
    variance: FloatArray
    slope: FloatArray

    def error(self, ratio: float) -> float:
        """Return the standard error if `ratio` times as many return as in the reference wave."""
        return math.sqrt(max(self.sigma2 * float(self.variance @ self._parts(ratio)), 0.0))

    def df(self, ratio: float) -> float:
        """Return Satterthwaite's degrees of freedom for that many returns (Giesbrecht and Burns 1985)."""
        variance = float(self.variance @ self._parts(ratio))
        gradient = np.array([variance, -self.sigma2 * float(self.slope @ self._parts(ratio))])
        spread = float(gradient @ self.outlook.variance_cov(ratio) @ gradient)
        return 2.0 * (self.sigma2 * variance) ** 2 / spread

    @staticmethod
    def _parts(ratio: float) -> FloatArray:
        return np.array([1.0, 1 / ratio, 1 / (1 + ratio)])


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
    """Half the width of an interval of coverage 1 - level."""
    return error * _critical(df, level / 2)


def detectable_effect(error: float, df: float, *, level: float, power: float) -> float:
    """Return the effect that a two-sided t test detects with a given power; 0 if the level is already that high."""
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
