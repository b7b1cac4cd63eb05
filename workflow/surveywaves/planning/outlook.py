"""How precise a linear mixed model's contrasts will be, before the answers are there.

The covariance of the fixed effects depends on who answers which items and on the variances, not on the
answers. So does, in expectation, the information on the variances, and with it Satterthwaite's degrees of
freedom: of the REML deviance's Hessian in (sigma2, theta), the expected value is taken where a fit takes the
observed one. In the words of `mixed.reml`, with A = sigma2 X'V^-1X and P = V^-1 - V^-1 X (X'V^-1X)^-1 X'V^-1,

    E[d2/dsigma2^2] = (n - p) / sigma2^2,   E[d2/dsigma2 dtheta] = tr(PZZ'),   E[d2/dtheta^2] = sigma2^2 tr(PZZ'PZZ')

(Patterson and Thompson 1971, Biometrika 58, 545; Searle, Casella and McCulloch 1992, Variance Components,
section 6.6).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from surveywaves.mixed.design import Design, FloatArray
from surveywaves.mixed.linear import ESTIMABLE
from surveywaves.mixed.reml import independent_columns


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
