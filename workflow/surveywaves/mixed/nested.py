"""The REML likelihood of respondents nested in teams, as a function of two numbers.

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
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.optimize import minimize

from surveywaves.mixed.design import BoolArray, Design, FloatArray, IntArray, add_by
from surveywaves.mixed.reml import CHUNK, COLLINEAR, Point, Sums, solve_positive, sum_answers

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
