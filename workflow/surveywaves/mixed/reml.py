"""The REML likelihood of a random intercept a respondent, as a function of one number.

For the k answers of respondent i, y_i = X_i b + 1 u_i + e_i with V_i = sigma2 (I + theta 11'), and (Sherman
and Morrison 1950)

    sigma2 V_i^-1 = (I - 11'/k) + v 11',   v = 1 / (k (1 + k theta)).

The first part sees only what varies within a respondent, the second only a respondent's sums. With the
cross-products of both summed over respondents, the second ones apart for each number answered k, the
likelihood is a function of theta and of nothing else in the data. There is no subtraction of nearly equal
numbers in it, however large theta is.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotrs
from scipy.optimize import brentq

from surveywaves.mixed.design import BoolArray, Design, FloatArray, add_by

THETA_GRID: Final = np.concatenate([[0.0], np.geomspace(1e-10, 1e12, 67)])
"""Where minima of the deviance are looked for before they are polished: three points a decade."""

COLLINEAR: Final = 1e-10
"""A column is dependent if earlier ones leave this share of its sum of squares, or less."""

CHUNK: Final = 1 << 14
"""Groups whose rows are written out at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Sums over respondents: all that the linear model needs of the data.

    P fixed-effect columns, K distinct numbers answered. Answers are counted from `shift`.

    Parameters
    ----------
    shift
        An answer near the mean. With whole answers, sums of whole numbers stay exact.
    answered, respondents
        (K,) number of items answered, and how many respondents answered so many.
    column_sums
        (P,) 1'X.
    within, within_y, within_yy
        (P, P), (P,) and a number: cross-products of deviations from each respondent's own means.
    between, between_y, between_yy
        (K, P, P), (K, P) and (K,): cross-products of each respondent's sums.
    """

    shift: float
    answered: FloatArray
    respondents: FloatArray
    column_sums: FloatArray
    within: FloatArray
    within_y: FloatArray
    within_yy: float
    between: FloatArray
    between_y: FloatArray
    between_yy: FloatArray

    @property
    def n_respondents(self) -> float:
        """Respondents."""
        return float(self.respondents.sum())

    @property
    def n_obs(self) -> float:
        """Answers."""
        return float(self.respondents @ self.answered)

    @property
    def total(self) -> FloatArray:
        """(P, P) X'X."""
        return self.within + np.tensordot(1 / self.answered, self.between, 1)

    @property
    def total_yy(self) -> float:
        """Sum of squared answers, y'y."""
        return self.within_yy + float((self.between_yy / self.answered).sum())


def sum_up(design: Design) -> Sums:
    """Add up the cross-products: over the patterns what depends on the answers, over the groups the rest."""
    items, count = design.item_columns, design.group_counts
    size = len(design.columns)
    shift, item_y, sum_y, sum_yy, square = sum_answers(design)

    number = design.answered.sum(axis=1)
    answered = np.unique(number)
    kind = np.searchsorted(answered, number)
    k, kinds = answered.astype(np.float64), len(answered)
    raw, raw_y, sums = np.zeros((kinds, size, size)), np.zeros((kinds, size)), np.zeros((kinds, size))
    for start in range(0, len(count), CHUNK):
        chunk = slice(start, start + CHUNK)
        rows = design.group_rows(chunk)
        for here in np.unique(kind[chunk]):
            chosen = np.flatnonzero(kind[chunk] == here)
            some, weight = rows[chosen], count[chunk][chosen]
            raw[here] += some.T @ (some * weight[:, None])
            raw_y[here] += sum_y[chunk][chosen] @ some
            sums[here] += weight @ some

    # a respondent's column sum is k times a cell's or covariate's value, but 1 for each item answered
    times = np.repeat(k[:, None], size, axis=1)
    times[:, items] = 1.0
    between = raw * times[:, :, None] * times[:, None, :]
    between_y = raw_y * times
    between_yy = add_by(kind, sum_yy, kinds)
    # nothing but items varies within a respondent
    within, within_y = np.zeros((size, size)), np.zeros(size)
    if items.stop > items.start:
        within[items, items] = np.diag(np.diagonal(raw, axis1=1, axis2=2).sum(axis=0)[items])
        within[items, items] -= np.tensordot(1 / k, between[:, items, items], 1)
        within_y[items] = item_y[1:] - (1 / k) @ between_y[:, items]
    return Sums(
        shift=shift,
        answered=k,
        respondents=add_by(kind, count, kinds),
        column_sums=(sums * times).sum(axis=0),
        within=within,
        within_y=within_y,
        within_yy=square - float((between_yy / k).sum()),
        between=between,
        between_y=between_y,
        between_yy=between_yy,
    )


def sum_answers(design: Design) -> tuple[float, FloatArray, FloatArray, FloatArray, float]:
    """Shift; (J,) sum of answers by item; (G,) sums and squared sums of a respondent, by group; y'y."""
    groups, columns = len(design.cell), design.answers.T
    used = np.zeros(len(design.levels) + 1)
    for column in columns:
        used += add_by(column, design.count, len(used))
    shift = 0.0
    if used[1:].any():
        shift = float(
            design.levels[np.abs(design.levels - np.average(design.levels, weights=used[1:])).argmin()]
        )
    value = np.concatenate([[0.0], design.levels - shift])
    totals = np.zeros(len(design.count))
    by_item = np.zeros(len(columns))
    for item, column in enumerate(columns):
        answer = value[column]
        totals += answer
        by_item[item] = design.count @ answer
    sum_y = add_by(design.group, design.count * totals, groups)
    sum_yy = add_by(design.group, design.count * totals**2, groups)
    return shift, by_item, sum_y, sum_yy, float(used @ value**2)


def independent_columns(gram: FloatArray) -> tuple[BoolArray, FloatArray, FloatArray]:
    """Find the columns that are not combinations of earlier ones, and how the others depend on them.

    Cholesky's elimination, scaled to a unit diagonal, passing over what earlier columns leave nothing of.

    Parameters
    ----------
    gram
        (P, P) X'X.

    Returns
    -------
    kept, null, scale
        (P,) which are independent; (P, P - rank) combinations of the columns, each scaled to unit length,
        that are zero, of norm 1; (P,) the columns' lengths, 1 for a column of zeros.
    """
    diagonal = np.diagonal(gram)
    scale = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    unit = gram / np.outer(scale, scale)
    left = unit.copy()
    kept = np.zeros(len(gram), dtype=np.bool_)
    for j in range(len(gram)):
        if left[j, j] > COLLINEAR:
            kept[j] = True
            column = left[:, j] / math.sqrt(left[j, j])
            left -= np.outer(column, column)
    null = np.zeros((len(gram), int((~kept).sum())))
    null[~kept] = np.eye(null.shape[1])
    null[kept] = -np.linalg.solve(unit[np.ix_(kept, kept)], unit[np.ix_(kept, ~kept)])
    return kept, null / np.linalg.norm(null, axis=0), scale


def solve_positive(matrix: FloatArray, right: FloatArray) -> tuple[FloatArray, FloatArray, float] | None:
    """Solve matrix x = right by Cholesky's factor, straight from LAPACK: the matrices are small, the calls many.

    Returns
    -------
    solution, inverse, log_determinant
        (p,), (p, p) and a number; or None where the matrix is not positive definite, or not finite.
    """
    factor, failed = dpotrf(matrix, lower=1)
    diagonal = np.diagonal(factor)
    if failed or not np.isfinite(diagonal).all():
        return None
    both = dpotrs(factor, np.column_stack([right, np.eye(len(right))]), lower=1)[0]
    return both[:, 0], both[:, 1:], 2 * float(np.log(diagonal).sum())


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """The profiled REML deviance at one theta; p independent columns, scaled to unit length.

    Parameters
    ----------
    theta
        tau2 / sigma2.
    deviance, slope
        -2 log-likelihood, all constants included, and its derivative by theta.
    beta, sigma2
        (p,) and a number: their best values at this theta.
    inverse, slope_matrix
        (p, p) the inverse of A = sigma2 X'V^-1 X, and A's derivative by theta.
    residual_slope
        Derivative by theta of sigma2 times `Profile.freedom`.
    """

    theta: float
    deviance: float
    slope: float
    beta: FloatArray
    sigma2: float
    inverse: FloatArray
    slope_matrix: FloatArray
    residual_slope: float = math.nan


class Profile:
    """The REML deviance as a function of theta, sigma2 and the fixed effects being at their best.

    Parameters
    ----------
    sums
        Sums over respondents.
    kept, scale
        The independent columns, and the length of all: see `independent_columns`.
    """

    def __init__(self, sums: Sums, kept: BoolArray, scale: FloatArray) -> None:
        pick, unit = np.flatnonzero(kept), scale[kept]
        units = np.outer(unit, unit)
        self._within = sums.within[np.ix_(pick, pick)] / units
        self._within_y = sums.within_y[pick] / unit
        self._within_yy = sums.within_yy
        self._between = sums.between[:, pick[:, None], pick] / units
        self._flat = self._between.reshape(len(self._between), -1)
        self._between_y = sums.between_y[:, pick] / unit
        self._between_yy = sums.between_yy
        self._k, self._m = sums.answered, sums.respondents
        self._log_scale = 2 * float(np.log(unit).sum())
        self.freedom = sums.n_obs - len(pick)
        """Answers less independent columns."""

    def within_residual(self) -> tuple[float, int]:
        """Residual sum of squares within respondents, and the rank of the columns there."""
        values, vectors = np.linalg.eigh(self._within)
        real = values > COLLINEAR
        fitted = (vectors[:, real].T @ self._within_y) ** 2 / values[real]
        return self._within_yy - float(fitted.sum()), int(real.sum())

    def at(self, theta: float) -> Point:
        """Evaluate the deviance (Bates et al. 2015, eq. 41 and 42) and its derivative; NaN where there is none."""
        k, m = self._k, self._m
        v, v1 = 1 / (k * (1 + k * theta)), -1 / (1 + k * theta) ** 2
        matrix = self._within + self._weighted(v)
        slope_matrix = self._weighted(v1)
        right = self._within_y + v @ self._between_y
        solved = solve_positive(matrix, right)
        if solved is None:
            return Point(
                theta, math.nan, math.nan, right * math.nan, math.nan, matrix * math.nan, slope_matrix
            )
        beta, inverse, log_determinant = solved
        residual = self._within_yy + float(v @ self._between_yy - right @ beta)
        if not residual > 0:
            return Point(theta, math.nan, math.nan, beta, residual / self.freedom, inverse, slope_matrix)
        deviance = self.freedom * (1 + math.log(2 * math.pi * residual / self.freedom))
        deviance += float(m @ np.log1p(k * theta)) + log_determinant
        residual_slope = float(v1 @ self._squared_sums(beta))
        slope = self.freedom * residual_slope / residual
        slope += float((m * k / (1 + k * theta)).sum() + (inverse * slope_matrix).sum())
        sigma2 = residual / self.freedom
        deviance += self._log_scale
        return Point(theta, deviance, slope, beta, sigma2, inverse, slope_matrix, residual_slope)

    def variance_cov(self, point: Point) -> FloatArray:
        """Asymptotic covariance of (sigma2, theta) at a minimum.

        Returns
        -------
        ndarray
            (2, 2) twice the inverse Hessian of the deviance, not profiled. At theta = 0, theta is taken as
            known. NaN where the Hessian is not positive definite.
        """
        k, m, sigma2 = self._k, self._m, point.sigma2
        if point.theta == 0:
            return np.array([[2 * sigma2**2 / self.freedom, 0.0], [0.0, 0.0]])
        v1, v2 = -1 / (1 + k * point.theta) ** 2, 2 * k / (1 + k * point.theta) ** 3
        squared = self._squared_sums(point.beta)
        turn = v1 @ self._between_y - point.slope_matrix @ point.beta
        solved = point.inverse @ point.slope_matrix
        residual_1 = float(v1 @ squared)
        residual_2 = float(v2 @ squared - 2 * turn @ point.inverse @ turn)
        log_2 = float((point.inverse * self._weighted(v2)).sum() - (solved * solved.T).sum())
        log_2 -= float((m * (k / (1 + k * point.theta)) ** 2).sum())
        by_both = -residual_1 / sigma2**2
        by_sigma2, by_theta = self.freedom / sigma2**2, log_2 + residual_2 / sigma2
        determinant = by_sigma2 * by_theta - by_both**2
        if not determinant > 0:
            return np.full((2, 2), math.nan)
        return 2 * np.array([[by_theta, -by_both], [-by_both, by_sigma2]]) / determinant

    def _weighted(self, weights: FloatArray) -> FloatArray:
        """(p, p) cross-products of respondents' sums, weighted by number answered."""
        return np.asarray((weights @ self._flat).reshape(self._within.shape), dtype=np.float64)

    def _squared_sums(self, beta: FloatArray) -> FloatArray:
        """(K,) squared sums of a respondent's residuals, for each number answered."""
        fitted = (self._between @ beta) @ beta
        return np.asarray(self._between_yy - 2 * (self._between_y @ beta) + fitted, dtype=np.float64)


class Curve(Protocol):
    """A deviance that depends on one variance ratio."""

    def at(self, theta: float) -> Point:
        """Evaluate it; of the point, only theta, deviance and slope matter here."""


def best_theta(profile: Curve, grid: FloatArray = THETA_GRID) -> float:
    """Theta at the lowest minimum of the deviance, to machine precision; NaN if there is none.

    The slope's changes of sign are found on a grid wide enough for any variance ratio, and each is polished
    as a root of the slope: a minimum's place is lost in rounding to half the digits, a root's is not.
    """
    points = [profile.at(float(theta)) for theta in grid]
    if not all(math.isfinite(point.slope) and math.isfinite(point.deviance) for point in points):
        return math.nan
    minima = [0.0] if points[0].slope >= 0 else []
    for low, high in itertools.pairwise(points):
        if not low.slope < 0 <= high.slope:
            continue
        if low.theta == 0:
            minima.append(brentq(lambda theta: profile.at(theta).slope, 0.0, high.theta, xtol=1e-24))
        else:
            ends = math.log(low.theta), math.log(high.theta)
            minima.append(math.exp(brentq(lambda log: profile.at(math.exp(log)).slope, *ends, xtol=1e-15)))
    return min(minima, key=lambda theta: profile.at(theta).deviance, default=math.nan)
