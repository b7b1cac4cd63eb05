"""The REML likelihood of the linear model, with and without teams, and the intervals of its variances.

The REML likelihood of a random intercept a respondent, as a function of one number.

For the k answers of respondent i, y_i = X_i b + 1 u_i + e_i with V_i = sigma2 (I + theta 11'), and (Sherman
and Morrison 1950)

    sigma2 V_i^-1 = (I - 11'/k) + v 11',   v = 1 / (k (1 + k theta)).

The first part sees only what varies within a respondent, the second only a respondent's sums. With the
cross-products of both summed over respondents, the second ones apart for each number answered k, the
likelihood is a function of theta and of nothing else in the data. There is no subtraction of nearly equal
numbers in it, however large theta is.

The REML likelihood of respondents nested in teams, as a function of two numbers.

With w_i = k_i / (1 + k_i a) for the k_i answers of respondent i, a = tau2 / sigma2, b = tau2_team / sigma2,
m_i the respondent's mean row of (X, y), W the sum of w_i over a team and m = sum of w_i m_i / W the team's mean,
Woodbury's step gives the cross-products of a team without a subtraction of nearly equal numbers:

    sigma2 (X, y)' V^-1 (X, y) = within respondents + sum of w_i (m_i - m)(m_i - m)' + W / (1 + b W) m m',
    log |V / sigma2| = sum of log(1 + k_i a) + log(1 + b W).

Respondents of a team who answered the same number of items share w_i: what the likelihood needs of them is
their number, their mean and, over all teams together, their spread. An evaluation costs one small outer
product for each (team, number answered). First and second derivatives are exact, from
d V^-1 = -V^-1 dV V^-1.

With sampling weights, a respondent of weight w counts as w respondents of the team.

Intervals of the variances: where the REML likelihood is within reach of its maximum.

An interval of confidence 1 - alpha holds the values whose deviance, at its best over everything else, exceeds
the minimum by no more than the 1 - alpha quantile of chi-square with one degree of freedom (Venzon and
Moolgavkar 1988, Appl. Stat. 37, 87). Its ends are the extremes of the value over the region of parameters
where the deviance stays below that line.

The deviance by sigma2 and the variance ratios theta is D(theta) + freedom * h(sigma2 / s(theta)), with D the
profiled deviance, s its sigma2, and h(x) = log x + 1 / x - 1. At any theta within reach, the extreme sigma2
is therefore known in closed form, by Lambert's W.

Intervals of the variances where respondents are nested in teams.

As in `interval`, the ends of an interval are the extremes of a term over the region where the deviance is below
the line. An extreme lies where one ratio is 0, and is then an extreme along an edge (found exactly, and known by
the signs of Kuhn and Tucker's conditions), or inside, and is then found by sequential quadratic programming with
exact gradients. What is found is accepted only where it meets the conditions.

The search is in log sigma2 and log(1 + n theta), n being the answers of an average respondent or team: where a ratio
is large this is its logarithm, and at 0 it has an end.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple, Protocol, TypeAlias

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.linalg.lapack import dpotrf, dpotrs
from scipy.optimize import brentq, minimize
from scipy.special import chdtri, lambertw, stdtrit

from surveywaves.mixed.design import BoolArray, Design, FloatArray, IntArray, add_by

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


RATIO_GRID: Final = np.concatenate([[0.0], np.geomspace(1e-3, 1e4, 8)])
"""Where minima of the deviance are looked for, for each ratio, before they are polished: one point a decade."""

SLOPE: Final = 1e-6
"""At a minimum the deviance changes by less than this when a variance ratio changes by a factor of e."""


@dataclass(frozen=True, slots=True, eq=False)
class TeamSums:
    """Sums over the respondents of each team; P fixed-effect columns, K numbers answered, T teams.

    A *block* is the respondents of one team who answered the same number of items; there are B.

    Parameters
    ----------
    teams
        T.
    team, kind
        (B,) each block's team, ascending, and its place among the numbers answered.
    size
        (B,) respondents.
    mean
        (B, P + 1) mean over the respondents of their mean row of columns and answer.
    spread
        (K, P + 1, P + 1) cross-products of the respondents' deviations from their block's mean.
    """

    teams: int
    team: IntArray
    kind: IntArray
    size: FloatArray
    mean: FloatArray
    spread: FloatArray


def sum_teams(design: Design, sums: Sums) -> TeamSums:
    """Add up respondents by team and number answered."""
    count, width, items = design.group_counts, len(design.columns) + 1, design.item_columns
    number = design.answered.sum(axis=1)
    kinds = len(sums.answered)
    found, block = np.unique(
        design.team * kinds + np.searchsorted(sums.answered, number), return_inverse=True
    )
    size = add_by(block, count, len(found))
    total = np.zeros((len(found), width))
    sum_y = sum_answers(design)[2]
    for start in range(0, len(count), CHUNK):
        chunk = slice(start, start + CHUNK)
        rows = np.column_stack([design.group_rows(chunk) * count[chunk, None], sum_y[chunk]])
        rows[:, items] /= number[chunk, None]
        rows[:, -1] /= number[chunk]
        np.add.at(total, block[chunk], rows)
    mean = total / size[:, None]
    kind = found % kinds
    spread = np.zeros((kinds, width, width))
    for here, answered in enumerate(sums.answered):
        spread[here, :-1, :-1] = sums.between[here]
        spread[here, -1, :-1] = spread[here, :-1, -1] = sums.between_y[here]
        spread[here, -1, -1] = sums.between_yy[here]
        spread[here] /= answered**2
        chosen = kind == here
        spread[here] -= mean[chosen].T @ (size[chosen, None] * mean[chosen])
    return TeamSums(len(design.teams), found // kinds, kind, size, mean, spread)


class _Parts(NamedTuple):
    """What the deviance at a point shares with its derivatives."""

    by_kind: FloatArray  # (K,) w
    by_block: FloatArray  # (B,) w
    total: FloatArray  # (T,) W
    mean: FloatArray  # (T, p + 1) m
    shrunk: FloatArray  # (T,) 1 / (1 + b W)
    apart: FloatArray  # (B, p + 1) a block's mean less m
    rest: FloatArray  # (B, p + 1) a block's mean less b W / (1 + b W) m
    team: FloatArray  # (T, p + 1) 1'V^-1 (X, y)


@dataclass(frozen=True, slots=True, eq=False)
class NestedPoint:
    """The profiled REML deviance at two variance ratios; p independent columns, scaled to unit length.

    Parameters
    ----------
    theta
        (2,) tau2 / sigma2 and tau2_team / sigma2.
    deviance, slope
        -2 log-likelihood, all constants included, and (2,) its derivatives.
    beta, sigma2
        (p,) and a number: their best values here.
    inverse, slope_matrices
        (p, p) the inverse of A = sigma2 X'V^-1 X, and (2, p, p) A's derivatives.
    residual_slope
        (2,) derivatives of sigma2 times `Nested.freedom`.
    """

    theta: FloatArray
    deviance: float
    slope: FloatArray
    beta: FloatArray
    sigma2: float
    inverse: FloatArray
    slope_matrices: FloatArray
    residual_slope: FloatArray


class Nested:
    """The REML deviance as a function of two variance ratios, sigma2 and the fixed effects being at their best.

    Parameters
    ----------
    sums, teams
        Sums over respondents, and by team.
    kept, scale
        The independent columns, and the length of all: see `independent_columns`.
    """

    def __init__(self, sums: Sums, teams: TeamSums, kept: BoolArray, scale: FloatArray) -> None:
        unit = np.append(scale[kept], 1.0)
        units = np.outer(unit, unit)
        pick = np.append(np.flatnonzero(kept), len(kept))
        self._within = np.zeros((len(unit), len(unit)))
        self._within[:-1, :-1] = sums.within[np.ix_(kept, kept)]
        self._within[-1, :-1] = self._within[:-1, -1] = sums.within_y[kept]
        self._within[-1, -1] = sums.within_yy
        self._within /= units
        self._spread = (teams.spread[:, pick[:, None], pick] / units).reshape(len(teams.spread), -1)
        self._mean = teams.mean[:, pick] / unit
        self._team, self._kind, self._size = teams.team, teams.kind, teams.size
        self._first = np.searchsorted(teams.team, np.arange(teams.teams))
        self._k, self._m = sums.answered, sums.respondents
        self._log_scale = 2 * float(np.log(unit).sum())
        self.freedom = sums.n_obs - len(unit) + 1
        """Answers less independent columns."""
        self.answers = np.array([sums.n_obs / sums.n_respondents, sums.n_obs / teams.teams])
        """(2,) answers of an average respondent, and of an average team."""

    def within_teams(self) -> tuple[float, int]:
        """Residual sum of squares within teams, respondents all alike, and the rank of the columns there."""
        parts = self._parts(np.zeros(2))
        gram = self._within + self._between_respondents(parts)
        values, vectors = np.linalg.eigh(gram[:-1, :-1])
        real = values > COLLINEAR
        fitted = (vectors[:, real].T @ gram[:-1, -1]) ** 2 / values[real]
        return float(gram[-1, -1] - fitted.sum()), int(real.sum())

    def at(self, theta: FloatArray) -> NestedPoint:
        """Evaluate the deviance and its derivatives; NaN where there is none."""
        parts = self._parts(theta)
        gram = self._within + self._between_respondents(parts)
        gram += parts.mean.T @ ((parts.total * parts.shrunk)[:, None] * parts.mean)
        slopes = self._slopes(parts)
        p = len(gram) - 1
        nothing, two = np.full((p, p), math.nan), np.full(2, math.nan)
        solved = solve_positive(gram[:p, :p], gram[:p, p])
        if solved is None:
            return NestedPoint(theta, math.nan, two, nothing[0], math.nan, nothing, slopes[:, :p, :p], two)
        beta, inverse, log_determinant = solved
        residual = float(gram[p, p] - gram[p, :p] @ beta)
        error = np.append(-beta, 1.0)
        residual_slope = np.asarray(slopes @ error @ error, dtype=np.float64)
        deviance, slope = math.nan, two
        if residual > 0:
            deviance = self.freedom * (1 + math.log(2 * math.pi * residual / self.freedom)) + self._log_scale
            deviance += float(self._m @ np.log1p(self._k * theta[0]) - np.log(parts.shrunk).sum())
            deviance += log_determinant
            slope = self._log_slope(theta, parts) + self.freedom * residual_slope / residual
            slope += np.einsum("ij,aij->a", inverse, slopes[:, :p, :p])
        return NestedPoint(
            theta,
            deviance,
            slope,
            beta,
            residual / self.freedom,
            inverse,
            slopes[:, :p, :p],
            residual_slope,
        )

    def hessian(self, point: NestedPoint) -> FloatArray:
        """(3, 3) second derivatives of the deviance, not profiled, by sigma2 and the two ratios."""
        parts, sigma2, p = self._parts(point.theta), point.sigma2, len(point.beta)
        second, log = self._second(point.theta, parts)
        error = np.append(-point.beta, 1.0)
        turn = self._slopes(parts)[:, :p, :] @ error
        solved = point.inverse @ point.slope_matrices
        made = np.empty((3, 3))
        made[0, 0] = self.freedom / sigma2**2
        made[0, 1:] = made[1:, 0] = -point.residual_slope / sigma2**2
        for i in range(2):
            for j in range(2):
                residual = error @ second[i, j] @ error - 2 * turn[i] @ point.inverse @ turn[j]
                determinant = (point.inverse * second[i, j, :p, :p]).sum() - (solved[i] * solved[j].T).sum()
                made[1 + i, 1 + j] = log[i, j] + determinant + residual / sigma2
        return made

    def variance_cov(self, point: NestedPoint) -> FloatArray:
        """Asymptotic covariance of sigma2 and the two ratios at a minimum.

        Returns
        -------
        ndarray
            (3, 3) twice the inverse Hessian of the deviance, not profiled. A ratio of 0 is taken as known.
            NaN where the Hessian is not positive definite.
        """
        free = np.flatnonzero(np.append(1.0, point.theta))
        hessian = self.hessian(point)[np.ix_(free, free)]
        made = np.zeros((3, 3))
        try:
            np.linalg.cholesky(hessian)
        except np.linalg.LinAlgError:
            return made * math.nan
        made[np.ix_(free, free)] = 2 * np.linalg.inv(hessian)
        return made

    def edge(self, which: int) -> Edge:
        """Give the deviance along one of the two ratios, the other being 0."""
        return Edge(self, which)

    def _parts(self, theta: FloatArray) -> _Parts:
        by_kind = self._k / (1 + self._k * theta[0])
        by_block = by_kind[self._kind]
        total = self._sum(self._size * by_block)
        mean = self._sum((self._size * by_block)[:, None] * self._mean) / total[:, None]
        shrunk = 1 / (1 + theta[1] * total)
        apart = self._mean - mean[self._team]
        return _Parts(
            by_kind=by_kind,
            by_block=by_block,
            total=total,
            mean=mean,
            shrunk=shrunk,
            apart=apart,
            rest=apart + (shrunk[:, None] * mean)[self._team],
            team=(total * shrunk)[:, None] * mean,
        )

    def _between_respondents(self, parts: _Parts) -> FloatArray:
        """(p + 1, p + 1) sum over teams and respondents of w_i (m_i - m)(m_i - m)'."""
        weight = (self._size * parts.by_block)[:, None]
        return self._spread_by(parts.by_kind) + parts.apart.T @ (weight * parts.apart)

    def _spread_by(self, weights: FloatArray) -> FloatArray:
        """(p + 1, p + 1) the respondents' deviations from their block's mean, weighted by number answered."""
        size = len(self._within)
        return np.asarray((weights @ self._spread).reshape(size, size), dtype=np.float64)

    def _slopes(self, parts: _Parts) -> FloatArray:
        """(2, p + 1, p + 1) derivatives of (X, y)'V^-1 (X, y) by the two ratios."""
        weight = (self._size * parts.by_block**2)[:, None]
        by_respondent = self._spread_by(parts.by_kind**2) + parts.rest.T @ (weight * parts.rest)
        return -np.array([by_respondent, parts.team.T @ parts.team])

    def _log_slope(self, theta: FloatArray, parts: _Parts) -> FloatArray:
        """(2,) derivatives of log |V| by the two ratios."""
        squares = self._sum(self._size * parts.by_block**2)
        by_respondent = float(parts.total.sum() - theta[1] * (parts.shrunk * squares).sum())
        return np.array([by_respondent, float((parts.total * parts.shrunk).sum())])

    def _second(self, theta: FloatArray, parts: _Parts) -> tuple[FloatArray, FloatArray]:
        """Second derivatives by the two ratios: (2, 2, p + 1, p + 1) of (X, y)'V^-1 (X, y), (2, 2) of log |V|."""
        w, n = parts.by_block, self._size
        lean, rate = theta[1] * parts.shrunk, parts.total * parts.shrunk
        mixed = self._sum((n * w**2)[:, None] * parts.rest)
        both = mixed.T @ (parts.shrunk[:, None] * parts.team)
        by_respondent = self._spread_by(parts.by_kind**3)
        by_respondent += parts.rest.T @ ((n * w**3)[:, None] * parts.rest) - mixed.T @ (lean[:, None] * mixed)
        by_team = parts.team.T @ (rate[:, None] * parts.team)
        second = np.array([[2 * by_respondent, both + both.T], [both + both.T, 2 * by_team]])
        squares, cubes = self._sum(n * w**2), self._sum(n * w**3)
        mixed_log = float((squares * parts.shrunk**2).sum())
        respondent_log = float((squares - 2 * lean * cubes + (lean * squares) ** 2).sum())
        return second, -np.array([[respondent_log, mixed_log], [mixed_log, float((rate**2).sum())]])

    def _sum(self, values: FloatArray) -> FloatArray:
        """(T, ...) sums over the blocks of a team."""
        return np.asarray(np.add.reduceat(values, self._first, axis=0), dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Edge:
    """The deviance of `Nested` along one ratio, the other being 0: a `reml.Curve`."""

    nested: Nested
    which: int

    @property
    def freedom(self) -> float:
        """Answers less independent columns."""
        return self.nested.freedom

    def at(self, theta: float) -> Point:
        """Evaluate it."""
        both = np.zeros(2)
        both[self.which] = theta
        point = self.nested.at(both)
        return Point(
            theta,
            point.deviance,
            float(point.slope[self.which]),
            point.beta,
            point.sigma2,
            point.inverse,
            point.slope_matrices[self.which],
            float(point.residual_slope[self.which]),
        )


def best_thetas(nested: Nested) -> FloatArray:
    """(2,) both ratios at the lowest minimum of the deviance; NaN if there is none.

    The minima are found on a grid of decades, each followed within its bounds by L-BFGS-B, and polished by
    Newton's method along the ratios that are not 0.
    """
    none = np.full(2, math.nan)
    deviance = np.array([[nested.at(np.array([a, b])).deviance for b in RATIO_GRID] for a in RATIO_GRID])
    if not np.isfinite(deviance).all():
        return none
    around = np.pad(deviance, 1, constant_values=math.inf)
    size = len(RATIO_GRID)
    lowest = np.minimum.reduce([around[i : i + size, j : j + size] for i in range(3) for j in range(3)])
    found = [_follow(nested, RATIO_GRID[place]) for place in np.argwhere(deviance <= lowest)]
    minima = [theta for theta in found if theta is not None]
    return min(minima, key=lambda theta: nested.at(theta).deviance, default=none)


def _follow(nested: Nested, start: FloatArray) -> FloatArray | None:
    """(2,) the minimum that a start leads to; None if it leads to none."""
    unit = np.maximum(start, RATIO_GRID[1])
    origin = nested.at(start).deviance

    def scaled(x: FloatArray) -> tuple[float, FloatArray]:
        point = nested.at(x * unit)
        return point.deviance - origin, point.slope * unit

    found = minimize(
        scaled,
        start / unit,
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, None)] * 2,
        options={"ftol": 1e-15, "gtol": 1e-8, "maxiter": 500},
    )
    point = nested.at(np.asarray(found.x * unit, dtype=np.float64))
    for which in range(2):
        point = _settle(nested, point, which)
    point = _polish(nested, point)
    slope = np.where(point.theta > 0, np.abs(point.slope * point.theta), np.maximum(-point.slope, 0))
    return point.theta if (slope <= SLOPE).all() else None


def _settle(nested: Nested, point: NestedPoint, which: int) -> NestedPoint:
    """Give the same minimum with one ratio at 0, if that is where it is."""
    theta = point.theta.copy()
    theta[which] = 0.0
    at_zero = nested.at(theta)
    lower = at_zero.slope[which] >= 0 and at_zero.deviance <= point.deviance + 1e-9
    return at_zero if lower else point


def _polish(nested: Nested, point: NestedPoint) -> NestedPoint:
    """Follow Newton's steps in the logarithms of the ratios that are not 0, for as long as the slope falls."""
    free = np.flatnonzero(point.theta)
    for _ in range(20 if len(free) else 0):
        theta, slope = point.theta[free], point.slope[free]
        hessian = nested.hessian(point)
        profiled = hessian[1:, 1:] - np.outer(hessian[0, 1:], hessian[0, 1:]) / hessian[0, 0]
        by_logs = profiled[np.ix_(free, free)] * np.outer(theta, theta) + np.diag(slope * theta)
        try:
            step = -cho_solve(cho_factor(by_logs), slope * theta)
        except (LinAlgError, ValueError):  # not convex here
            return point
        moved = point.theta.copy()
        moved[free] *= np.exp(np.clip(step, -1, 1))
        after = nested.at(moved)
        if not np.abs(after.slope[free] * moved[free]).max(initial=0.0) < np.abs(slope * theta).max(
            initial=0.0
        ):
            return point
        point = after
    return point


Ends: TypeAlias = tuple[float, float]
"""Lower and upper end of an interval; NaN where it was not found."""

Range: TypeAlias = Callable[[float], Mapping[str, Ends]]
"""Confidence -> term -> interval."""

UNKNOWN: Final = (math.nan, math.nan)

FARTHEST: Final = 1e15
"""Beyond this ratio an upper end is not looked for."""

NEAR_BRANCH: Final = 1e-4
"""Below this, Lambert's W loses digits."""


class Likelihood(Protocol):
    """A profiled deviance by one variance ratio: `reml.Profile`, or an edge of `nested.Nested`."""

    @property
    def freedom(self) -> float:
        """Answers less independent columns."""

    def at(self, theta: float) -> Point:
        """Evaluate it."""


Measure: TypeAlias = tuple[Callable[[float], float], Callable[[float], float]]
"""A function of theta, and the derivative of its logarithm."""

ONE: Final[Measure] = (lambda _: 1.0, lambda _: 0.0)
THETA: Final[Measure] = (lambda theta: theta, lambda theta: 1 / theta if theta > 0 else FARTHEST)
ONE_AND_THETA: Final[Measure] = (lambda theta: 1 + theta, lambda theta: 1 / (1 + theta))


@dataclass(frozen=True, slots=True)
class OneRatio:
    """Intervals where one variance ratio is estimated.

    Parameters
    ----------
    likelihood, best
        The deviance, and its minimum.
    variance, share
        What theta sigma2, and theta / (1 + theta), are called; empty if there is only sigma2, theta being 0.
    """

    likelihood: Likelihood
    best: Point
    variance: str
    share: str

    def __call__(self, confidence: float) -> Mapping[str, Ends]:
        """Intervals of `sigma2`, `total_sd`, the ratio's variance and its share."""
        line = line_above(self.best.deviance, confidence)
        if not self.variance:
            low, high = (self.best.sigma2 * self._stretch(line, self.best, side) for side in (-1, 1))
            return {"sigma2": (low, high), "total_sd": (math.sqrt(low), math.sqrt(high))}
        low, high = self.reach(line)
        if not math.isfinite(high):
            return {}

        within, of_theta, total = (
            self._extremes(line, (low, high), measure) for measure in (ONE, THETA, ONE_AND_THETA)
        )
        return {
            "sigma2": within,
            self.variance: of_theta,
            self.share: (low / (1 + low), high / (1 + high)),
            "total_sd": (math.sqrt(total[0]), math.sqrt(total[1])),
        }

    def reach(self, line: float) -> Ends:
        """Lowest and highest theta within reach; infinity if there is no highest."""

        def above(theta: float) -> float:
            return self.likelihood.at(theta).deviance - line

        best = self.best.theta
        low = 0.0 if best == 0 or above(0.0) <= 0 else brentq(above, 0.0, best, xtol=1e-24, rtol=1e-11)
        high = max(2 * best, 1e-6)
        while above(high) < 0:
            high *= 4
            if high > FARTHEST:
                return low, math.inf
        return low, brentq(above, best, high, xtol=1e-24, rtol=1e-11)

    def _extremes(self, line: float, reach: Ends, measure: Measure) -> Ends:
        """Give the smallest and largest measure(theta) sigma2 within reach."""
        corners = [self.corner(line, reach, measure, side) for side in (-1, 1)]
        low, high = (measure[0](theta) * sigma2 for theta, sigma2 in corners)
        return low, high

    def corner(self, line: float, reach: Ends, measure: Measure, side: int) -> tuple[float, float]:
        """Find theta and sigma2 where measure(theta) sigma2 is smallest (side -1) or largest (1) within reach."""

        def turn(theta: float) -> float:
            """Differentiate the logarithm of the extreme at this theta."""
            point = self.likelihood.at(theta)
            x = self._stretch(line, point, side)
            by_stretch = -point.slope / self.likelihood.freedom * x / (x - 1)
            residual = point.sigma2 * self.likelihood.freedom
            return side * (measure[1](theta) + point.residual_slope / residual + by_stretch)

        # at an end that the line makes the slope is infinite and points inwards; at an end that is 0 it may not
        theta, high = reach
        if theta > 0 or turn(0.0) > 0:
            theta = brentq(turn, theta, high, xtol=1e-24, rtol=1e-8)  # at its extreme, a value is flat
        point = self.likelihood.at(theta)
        return theta, point.sigma2 * self._stretch(line, point, side)

    def _stretch(self, line: float, point: Point, side: int) -> float:
        """Give how many times the best sigma2 at a theta is still within reach."""
        return stretch(max((line - point.deviance) / self.likelihood.freedom, 1e-18), side)


def line_above(deviance: float, confidence: float) -> float:
    """Give how high the deviance may be within an interval, given its minimum."""
    return deviance + float(chdtri(1, 1 - confidence))


def stretch(room: float, side: int) -> float:
    """Solve log x + 1 / x - 1 = room for the x below (-1) or above (+1) 1."""
    if room > NEAR_BRANCH:
        return -1 / float(lambertw(-math.exp(-1 - room), 0 if side > 0 else -1).real)
    # near the branch point of W: two terms of the series, then Newton's steps
    apart = side * math.sqrt(2 * room) + 4 * room / 3
    for _ in range(3 if room > NEAR_BRANCH**3 else 0):
        apart -= (math.log1p(apart) - apart / (1 + apart) - room) * (1 + apart) ** 2 / apart
    return 1 + apart


FARTHEST_LOG: Final = 100.0
"""An error this many times the estimate leaves no interval worth the name."""


@dataclass(frozen=True, slots=True)
class Normal:
    """Intervals under weights, where the likelihood is none: by standard errors, on the log or logit scale.

    Parameters
    ----------
    estimates, errors
        Term -> estimate and standard error; no error where there is none.
    shares
        The terms that lie between 0 and 1.
    df
        Degrees of freedom of Student's t.
    """

    estimates: Mapping[str, float]
    errors: Mapping[str, float]
    shares: frozenset[str]
    df: float

    def __call__(self, confidence: float) -> Mapping[str, Ends]:
        """Intervals of all terms with an error, and an estimate that is not lost in it."""
        found = {}
        for term, error in self.errors.items():
            estimate = self.estimates[term]
            margin = float(stdtrit(self.df, (1 + confidence) / 2)) * error
            if margin > FARTHEST_LOG * estimate:
                continue
            if term in self.shares:
                middle, margin = math.log(estimate / (1 - estimate)), margin / (estimate * (1 - estimate))
                found[term] = share_of_logit(middle - margin), share_of_logit(middle + margin)
            else:
                times = math.exp(margin / estimate)
                found[term] = estimate / times, estimate * times
        return found


def share_of_logit(logit: float) -> float:
    """Give the share that has a logit."""
    return 1 / (1 + math.exp(-logit))


WIDEST: Final = 30.0
"""How many standard errors from the estimate an end is looked for."""

REACHED: Final = 1e-6
"""How near the line the deviance must be at an end."""

TINY: Final = 1e-15
"""A ratio that is as good as 0, and has a logarithm."""


@dataclass(frozen=True, slots=True)
class Term:
    """A term as a function of log sigma2 and the two ratios.

    Parameters
    ----------
    value, slope, back
        A logarithm (or logit) of the term, its gradient, and the way back.
    edges
        Where teams, and where respondents, have no variance: the term over sigma2 as a function of the ratio that
        is left; ``share`` if the term is theta / (1 + theta); none if it is 0.
    """

    value: Callable[[FloatArray], float]
    slope: Callable[[FloatArray], FloatArray]
    back: Callable[[float], float]
    edges: tuple[Measure | Literal["share"] | None, Measure | Literal["share"] | None]


@dataclass(frozen=True, slots=True)
class TwoRatios:
    """Intervals where respondents are nested in teams: `nested` and its minimum."""

    nested: Nested
    best: NestedPoint

    def __call__(self, confidence: float) -> Mapping[str, Ends]:
        """Give the intervals of `sigma2`, `tau2`, `tau2_team`, `icc`, `icc_team` and `total_sd`."""
        line = line_above(self.best.deviance, confidence)
        edges = []
        for which in (0, 1):
            edge = self.nested.edge(which)
            edges.append(OneRatio(edge, edge.at(best_theta(edge, RATIO_GRID)), "", ""))
        within = [edge.best.deviance < line for edge in edges]
        reach = [edge.reach(line) if one else (0.0, 0.0) for edge, one in zip(edges, within, strict=True)]
        nothing = self.nested.at(np.zeros(2)).deviance <= line
        zero = {"tau2": within[1], "tau2_team": within[0], "icc": nothing, "icc_team": within[0]}
        found = {}
        for name, term in TERMS.items():
            ends = []
            for side in (-1, 1):
                if side < 0 and zero.get(name, False):
                    ends.append(0.0)
                    continue
                extreme = next(self._outside(line, term, side, edges, reach), None)
                ends.append(self._inside(line, term, side) if extreme is None else extreme)
            found[name] = ends[0], ends[1]
        low, high = found.pop("total")
        return found | {"total_sd": (math.sqrt(low), math.sqrt(high))}

    def _outside(
        self, line: float, term: Term, side: int, edges: list[OneRatio], reach: list[Ends]
    ) -> Iterator[float]:
        """Find extremes of a term along the edges, from which it does not pay to raise the other ratio."""
        for which, (one, measure, ends) in enumerate(zip(edges, term.edges, reach, strict=True)):
            if measure is None or ends[1] in (0.0, math.inf):
                continue
            theta = ends[side > 0]
            sigma2 = one.likelihood.at(theta).sigma2
            if measure != "share":
                theta, sigma2 = one.corner(line, ends, measure, side)
            x = np.array([math.log(sigma2), 0.0, 0.0])
            x[1 + which] = theta
            gradient, of_deviance = term.slope(x), self._deviance(x)[1]
            # what the deviance rises by when the term does, along this edge
            along = 1 + which if measure == "share" else 0
            price = abs(of_deviance[along] / gradient[along])
            if side * gradient[2 - which] * price <= of_deviance[2 - which]:
                yield term.back(term.value(x))

    def _inside(self, line: float, term: Term, side: int) -> float:
        """Find the extreme of a term within reach; NaN if it was not found."""
        units = self._units(line)
        for share in (1.0, 0.5, 0.1):
            t = self._search(line, term, side, self._start(line, term, side, share), units)
            x = self._back(t)
            if abs(self._deviance(x)[0] - line) <= REACHED and self._turned(t, term, side, units):
                return term.back(term.value(x))
        return math.nan

    def _search(self, line: float, term: Term, side: int, start: FloatArray, units: FloatArray) -> FloatArray:
        """(3,) log sigma2 and log(1 + n theta) where a search from a start ends."""

        def worth(t: FloatArray) -> tuple[float, FloatArray]:
            """Evaluate what is to be raised or lowered: a logarithm upwards, but itself downwards to near 0."""
            x = self._back(t)
            value, gradient = term.value(x), term.slope(x) * self._stretches(t) @ units
            return (value, gradient) if side > 0 else (math.exp(value), math.exp(value) * gradient)

        length = float(np.linalg.norm(worth(start)[1]))

        @lru_cache(maxsize=1)  # the deviance and its gradient are asked for one after the other
        def known(key: bytes) -> tuple[float, FloatArray]:
            t = start + units @ np.frombuffer(key)
            deviance, gradient = self._deviance(self._back(t))
            return deviance, gradient * self._stretches(t) @ units

        def objective(z: FloatArray) -> tuple[float, FloatArray]:
            value, gradient = worth(start + units @ z)
            return -side * value / length, -side * gradient / length

        within: Any = [
            {
                "type": "ineq",
                "fun": lambda z: line - known(z.tobytes())[0],
                "jac": lambda z: -known(z.tobytes())[1],
            },
            {"type": "ineq", "fun": lambda z: (start + units @ z)[1:], "jac": lambda _: units[1:]},
        ]
        found = minimize(
            objective,
            np.zeros(3),
            jac=True,
            method="SLSQP",
            bounds=[(-WIDEST, WIDEST)] * 3,
            constraints=within,
            options={"ftol": 1e-8, "maxiter": 60},
        )
        return np.asarray(start + units @ found.x, dtype=np.float64)

    def _turned(self, t: FloatArray, term: Term, side: int, units: FloatArray) -> bool:
        """Whether the value can be bettered only across the line: its gradient and the deviance's are parallel."""
        free = np.append(True, t[1:] > 1e-9)
        errors = (np.linalg.norm(units, axis=1) * self._stretches(t))[free]
        x = self._back(t)
        gradient, of_deviance = term.slope(x)[free] * errors, self._deviance(x)[1][free] * errors
        lengths = np.linalg.norm(gradient) * np.linalg.norm(of_deviance)
        return bool(side * (gradient @ of_deviance) >= (1 - 1e-4) * lengths)

    def _units(self, line: float) -> FloatArray:
        """(3, 3) a root of the covariance of log sigma2 and log(1 + n theta); for a ratio of 0, its reach."""
        theta, n = self.best.theta, self.nested.answers
        free = np.append(True, theta > 0)
        by = np.append(1 / self.best.sigma2, n / (1 + n * theta))[free]
        cov = self.nested.variance_cov(self.best)[np.ix_(free, free)] * np.outer(by, by)
        room = line - self.best.deviance
        made = np.diag(np.append(1.0, np.log1p(n * room / np.maximum(self.best.slope, 1e-6))))
        made[np.ix_(free, free)] = np.linalg.cholesky(cov)
        return made

    def _start(self, line: float, term: Term, side: int, share: float) -> FloatArray:
        """Give log sigma2 and log(1 + n theta) at some of the way to where a parabola would have its end."""
        theta, n = self.best.theta, self.nested.answers
        units, room = self._units(line), line - self.best.deviance
        none = np.append(False, theta == 0)
        t = np.append(math.log(self.best.sigma2), np.log1p(n * theta))
        t[none] = (0.3 * share if side > 0 else 0.01) * np.diagonal(units)[none]
        lowest = np.append(-math.inf, 0.05 * t[1:])
        step = units.copy()
        step[:, none] = 0.0
        direction = term.slope(self._back(t)) * self._stretches(t) @ step
        length = max(float(np.linalg.norm(direction)), 1e-300)
        moved = t + side * share * math.sqrt(room) * step @ direction / length
        return np.asarray(np.maximum(moved, lowest), dtype=np.float64)

    def _back(self, t: FloatArray) -> FloatArray:
        """Turn log sigma2 and log(1 + n theta) into log sigma2 and theta."""
        theta = np.expm1(np.clip(t[1:], 0.0, math.log(FARTHEST))) / self.nested.answers
        return np.append(np.clip(t[0], -math.log(FARTHEST), math.log(FARTHEST)), np.maximum(theta, TINY))

    def _stretches(self, t: FloatArray) -> FloatArray:
        """(3,) derivatives of `_back`."""
        return np.append(1.0, np.exp(np.clip(t[1:], 0.0, math.log(FARTHEST))) / self.nested.answers)

    def _deviance(self, x: FloatArray) -> tuple[float, FloatArray]:
        """Evaluate the deviance, not profiled, by log sigma2 and the ratios, and its gradient."""
        point, sigma2, freedom = self.nested.at(x[1:]), math.exp(x[0]), self.nested.freedom
        times = sigma2 / point.sigma2
        deviance = point.deviance + freedom * (math.log(times) + 1 / times - 1)
        slope = point.slope + point.residual_slope * (1 / sigma2 - 1 / point.sigma2)
        return deviance, np.append(freedom * (1 - 1 / times), slope)


def _of_total(x: FloatArray) -> FloatArray:
    rate = 1 / (1 + x[1] + x[2])
    return np.array([1.0, rate, rate])


def _of_icc(x: FloatArray) -> FloatArray:
    rate = 1 / (x[1] + x[2])
    return np.array([0.0, rate, rate])


TERMS: Final = {
    "sigma2": Term(lambda x: float(x[0]), lambda _: np.array([1.0, 0.0, 0.0]), math.exp, (ONE, ONE)),
    "tau2": Term(
        lambda x: float(x[0] + math.log(x[1])),
        lambda x: np.array([1.0, 1 / x[1], 0.0]),
        math.exp,
        (THETA, None),
    ),
    "tau2_team": Term(
        lambda x: float(x[0] + math.log(x[2])),
        lambda x: np.array([1.0, 0.0, 1 / x[2]]),
        math.exp,
        (None, THETA),
    ),
    "icc": Term(lambda x: math.log(x[1] + x[2]), _of_icc, share_of_logit, ("share", "share")),
    "icc_team": Term(
        lambda x: math.log(x[2]) - math.log1p(x[1]),
        lambda x: np.array([0.0, -1 / (1 + x[1]), 1 / x[2]]),
        share_of_logit,
        (None, "share"),
    ),
    "total": Term(
        lambda x: float(x[0] + math.log1p(x[1] + x[2])), _of_total, math.exp, (ONE_AND_THETA, ONE_AND_THETA)
    ),
}
"""`total` is the square of `total_sd`."""
