"""The REML deviance of the linear model by its variance ratios, and where it is lowest.

With w_i = k_i / (1 + k_i a) for the k_i answers of respondent i, a = tau2 / sigma2, b = tau2_team / sigma2, and m_i
the respondent's mean row of (X, y), a respondent's part of V^-1 is (Sherman and Morrison 1950)

    sigma2 V_i^-1 = (I - 11'/k_i) + w_i 11'/k_i^2.

The first part sees only what varies within a respondent, the second only the respondent's mean, so that

    sigma2 (X, y)' V^-1 (X, y) = within respondents + sum of w_i m_i m_i',   log |V / sigma2| = sum of log(1 + k_i a).

In teams, W being the sum of w_i over a team and m = sum of w_i m_i / W the team's mean, Woodbury's step makes the sum

    sum of w_i (m_i - m)(m_i - m)' + sum over teams of W / (1 + b W) m m',   and adds log(1 + b W) to the logarithm.

Nowhere are nearly equal numbers subtracted, however large a ratio is. Respondents (of a team) who answered the same
number of items share w_i: what the likelihood needs of them is the cross-products of their means, and in teams their
number and their mean. An evaluation costs one small outer product for each number answered, and one for each
(team, number answered). First and second derivatives are exact, from d V^-1 = -V^-1 dV V^-1.

Without teams, cells have nothing in common but the few other columns, of items and covariates. With (D, C; C', K) the
matrix of (cells, others and y), the likelihood depends on K - C'D^-1 C and log |D| alone: see `without_cells`.

Without teams there is one ratio, with teams there are two. With sampling weights, a respondent of weight w counts as w
respondents (of the team).

Sources: Patterson and Thompson (1971) Biometrika 58, 545; Bates, Maechler, Bolker and Walker (2015) J. Stat. Softw.
67(1), eq. 41 and 42.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.linalg.lapack import dpotrf, dpotrs
from scipy.optimize import brentq, minimize

from surveywaves.mixed.design import BoolArray, FloatArray
from surveywaves.mixed.sums import COLLINEAR, Sums, TeamSums

FINE_GRID: Final = np.concatenate([[0.0], np.geomspace(1e-10, 1e12, 67)])
"""Where minima along one ratio are looked for before they are polished: three points a decade."""

GRID: Final = np.concatenate([[0.0], np.geomspace(1e-3, 1e4, 8)])
"""Where minima by both ratios are looked for, for each, before they are polished: one point a decade."""

SLOPE: Final = 1e-6
"""At a minimum the deviance changes by less than this when a variance ratio changes by a factor of e."""


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """The profiled REML deviance at r variance ratios; p independent columns, scaled to unit length."""

    theta: FloatArray
    """(r,) tau2 / sigma2 and, with teams, tau2_team / sigma2."""
    deviance: float
    slope: FloatArray
    """-2 log-likelihood, all constants included, and (r,) its derivatives; NaN where there is none."""
    beta: FloatArray
    sigma2: float
    """(p,) and a number: their best values here. Without teams, beta, `inverse` and `slope_matrices` are of the columns
    that are no cells: see `Deviance.coefficients`."""
    inverse: FloatArray
    slope_matrices: FloatArray
    """(p, p) the inverse of A = sigma2 X'V^-1 X, and (r, p, p) A's derivatives."""
    residual_slope: FloatArray
    """(r,) derivatives of sigma2 times `Deviance.freedom`."""


class Curve(Protocol):
    """A deviance by variance ratios."""

    @property
    def ratios(self) -> int:
        """How many."""

    def at(self, theta: FloatArray) -> Point:
        """Evaluate it."""

    def along(self, ratios: FloatArray, which: int) -> tuple[FloatArray, FloatArray]:
        """(N,) deviances, and slopes, at (N,) values of one ratio, the others being 0."""


class _Parts(NamedTuple):
    """What the cross-products by team share with their derivatives."""

    by_block: FloatArray  # (B,) w
    total: FloatArray  # (T,) W
    mean: FloatArray  # (T, p + 1) m
    shrunk: FloatArray  # (T,) 1 / (1 + b W)
    apart: FloatArray  # (B, p + 1) a block's mean less m
    rest: FloatArray  # (B, p + 1) a block's mean less b W / (1 + b W) m
    team: FloatArray  # (T, p + 1) 1'V^-1 (X, y)


class _Products(NamedTuple):
    """(X, y)'V^-1 (X, y), times sigma2, and log |V / sigma2|, with their derivatives by the ratios."""

    gram: FloatArray  # (p + 1, p + 1)
    slopes: FloatArray  # (r, p + 1, p + 1)
    log: float
    log_slope: FloatArray  # (r,)


class Bordered(NamedTuple):
    """Several symmetric matrices (D, C; C', K) of which the cells' part is diagonal."""

    diagonal: FloatArray  # (..., n)
    border: FloatArray  # (..., n, p + 1)
    rest: FloatArray  # (..., p + 1, p + 1)

    @classmethod
    def of(cls, matrices: FloatArray, n: int) -> Bordered:
        """Take apart (..., n + p + 1, n + p + 1) matrices."""
        return cls(
            np.diagonal(matrices[..., :n, :n], axis1=-2, axis2=-1),
            matrices[..., :n, n:],
            matrices[..., n:, n:],
        )

    def weighted(self, weights: FloatArray) -> Bordered:
        """(K,) matrices added up with (..., K) weights."""
        return Bordered(*(np.tensordot(weights, part, 1) for part in self))


class Deviance:
    """The REML deviance by its variance ratios, sigma2 and the fixed effects being at their best.

    Parameters
    ----------
    sums, teams
        Sums over respondents, and by team; None without teams.
    kept, scale
        The independent columns, and the length of all: see `independent_columns`.
    """

    def __init__(self, sums: Sums, teams: TeamSums | None, kept: BoolArray, scale: FloatArray) -> None:
        unit = np.append(scale[kept], 1.0)
        units = np.outer(unit, unit)
        pick = np.append(np.flatnonzero(kept), len(kept))
        self._cells = int(kept[: sums.cells].sum()) if teams is None else 0
        self._within = sums.within[np.ix_(pick, pick)] / units
        spread = (sums.between / sums.answered[:, None, None] ** 2) if teams is None else teams.spread
        self._spread = Bordered.of(spread[:, pick[:, None], pick] / units, self._cells)
        self._k, self._m = sums.answered, sums.respondents
        self._log_scale = 2 * float(np.log(unit).sum())
        self._teams = teams
        if teams is not None:
            self._mean = teams.mean[:, pick] / unit
            self._first = np.searchsorted(teams.team, np.arange(teams.teams))
        self.ratios = 1 if teams is None else 2
        """r."""
        self.freedom = sums.n_obs - len(unit) + 1
        """Answers less independent columns."""

    def within(self) -> tuple[float, int]:
        """Residual sum of squares within respondents, and the rank of the columns there."""
        return _left_by(self._within)

    def within_teams(self) -> tuple[float, int]:
        """Residual sum of squares within teams, respondents all alike, and the rank of the columns there."""
        teams, parts = self._parts(np.zeros(2), self._k)
        spread = np.tensordot(self._k, self._spread.rest, 1)
        return _left_by(self._within + spread + _crossed(parts.apart, teams.size * parts.by_block))

    def coefficients(self, point: Point) -> tuple[FloatArray, FloatArray]:
        """Return the (p,) coefficients of all independent columns, and (p, p) the inverse of A."""
        if not self._cells:
            return point.beta, point.inverse
        d, c, _ = self._spread.weighted(self._k / (1 + self._k * point.theta[0]))
        lean = c[:, :-1] / d[:, None]
        turn = np.vstack([-lean, np.eye(len(point.beta))])
        inverse = turn @ point.inverse @ turn.T
        inverse[np.diag_indices(self._cells)] += 1 / d
        return np.append(c[:, -1] / d - lean @ point.beta, point.beta), inverse

    def slope_matrices(self, point: Point) -> FloatArray:
        """(r, p, p) derivatives of A, of all independent columns."""
        if not self._cells:
            return point.slope_matrices
        n, slope = self._cells, self._spread.weighted(-((self._k / (1 + self._k * point.theta[0])) ** 2))
        found = np.zeros((n + len(point.beta),) * 2)
        found[np.diag_indices(n)] = slope.diagonal
        found[:n, n:], found[n:, n:] = slope.border[:, :-1], slope.rest[:-1, :-1]
        found[n:, :n] = found[:n, n:].T
        return found[None]

    def at(self, theta: FloatArray) -> Point:
        """Evaluate the deviance and its derivatives; NaN where there is none."""
        gram, slopes, log, log_slope = self._products(theta)
        p = len(gram) - 1
        matrices = slopes[:, :p, :p]
        solved = _solve_positive(gram[:p, :p], gram[:p, p])
        if solved is None:
            nothing, none = np.full((p, p), math.nan), np.full(self.ratios, math.nan)
            return Point(theta, math.nan, none, nothing[0], math.nan, nothing, matrices, none)
        beta, inverse, log_determinant = solved
        residual = float(gram[p, p] - gram[p, :p] @ beta)
        error = np.ones(p + 1)
        error[:p] = -beta
        residual_slope = slopes @ error @ error
        deviance, slope = math.nan, residual_slope * math.nan
        if residual > 0:
            deviance = self.freedom * (1 + math.log(2 * math.pi * residual / self.freedom)) + self._log_scale
            deviance += log + log_determinant
            slope = log_slope + residual_slope * (self.freedom / residual)
            slope += matrices.reshape(self.ratios, -1) @ inverse.reshape(-1)
        sigma2 = residual / self.freedom
        return Point(theta, deviance, slope, beta, sigma2, inverse, matrices, residual_slope)

    def along(self, ratios: FloatArray, which: int) -> tuple[FloatArray, FloatArray]:
        """Evaluate the deviance at (N,) values of one ratio, all at once where there are no teams."""
        if self._teams is not None:
            points = [self.at(ratio * np.eye(self.ratios)[which]) for ratio in ratios.tolist()]
            return np.array([one.deviance for one in points]), np.array([one.slope[which] for one in points])
        w = self._k / (1 + np.outer(ratios, self._k))
        (gram, slopes, _), (log, log_slope, _) = without_cells(*self.parts(ratios))
        log += np.log1p(np.outer(ratios, self._k)) @ self._m
        p, error = gram.shape[-1] - 1, np.ones((len(ratios), gram.shape[-1], 1))
        try:
            root = np.linalg.cholesky(gram[:, :p, :p])
        except np.linalg.LinAlgError:
            return ratios * math.nan, ratios * math.nan
        inverse = np.linalg.inv(gram[:, :p, :p])
        error[:, :p] = -inverse @ gram[:, :p, p:]
        residual, turned = ((error.swapaxes(1, 2) @ matrix @ error)[:, 0, 0] for matrix in (gram, slopes))
        residual = np.where(residual > 0, residual, math.nan)
        log += 2 * np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1)
        slope = w @ self._m + log_slope + turned * (self.freedom / residual)
        slope += (slopes[:, :p, :p] * inverse).sum(axis=(1, 2))
        return self.freedom * np.log(residual) + log, slope

    def hessian(self, point: Point) -> FloatArray:
        """(1 + r, 1 + r) second derivatives of the deviance, not profiled, by sigma2 and the ratios."""
        sigma2, p = point.sigma2, len(point.beta)
        second, log = self._second(point.theta)
        error = np.append(-point.beta, 1.0)
        turn = self._products(point.theta).slopes[:, :p, :] @ error
        solved = point.inverse @ point.slope_matrices
        made = np.empty((1 + self.ratios, 1 + self.ratios))
        made[0, 0] = self.freedom / sigma2**2
        made[0, 1:] = made[1:, 0] = -point.residual_slope / sigma2**2
        for i, j in itertools.product(range(self.ratios), repeat=2):
            residual = error @ second[i, j] @ error - 2 * turn[i] @ point.inverse @ turn[j]
            determinant = (point.inverse * second[i, j, :p, :p]).sum() - (solved[i] * solved[j].T).sum()
            made[1 + i, 1 + j] = log[i, j] + determinant + residual / sigma2
        return made

    def variance_cov(self, point: Point) -> FloatArray:
        """Asymptotic covariance of sigma2 and the ratios at a minimum.

        Returns
        -------
        ndarray
            (1 + r, 1 + r) twice the inverse Hessian of the deviance, not profiled. A ratio of 0 is taken as known.
            NaN where the Hessian is not positive definite.
        """
        free = np.flatnonzero(np.append(1.0, point.theta))
        hessian = self.hessian(point)[np.ix_(free, free)]
        made = np.zeros((1 + self.ratios, 1 + self.ratios))
        try:
            np.linalg.cholesky(hessian)
        except np.linalg.LinAlgError:
            return made * math.nan
        made[np.ix_(free, free)] = 2 * np.linalg.inv(hessian)
        return made

    def _products(self, theta: FloatArray) -> _Products:
        w = self._k / (1 + self._k * theta[0])
        log, log_slope = float(self._m @ np.log1p(self._k * theta[0])), float(self._m @ w)
        if self._teams is None:
            rest, log_cells = without_cells(*self.parts(theta[0]))
            log, log_slope = log + log_cells[0], log_slope + log_cells[1]
            return _Products(rest[0], rest[1:2], log, np.array([log_slope]))
        between, slope = np.tensordot(np.array([w, -(w**2)]), self._spread.rest, 1)
        teams, parts = self._parts(theta, w)
        gram = self._within + between + _crossed(parts.apart, teams.size * parts.by_block)
        gram += _crossed(parts.mean, parts.total * parts.shrunk)
        slope = slope - _crossed(parts.rest, teams.size * parts.by_block**2)
        log -= float(np.log(parts.shrunk).sum())
        log_slope -= theta[1] * float((parts.shrunk * self._sum(teams.size * parts.by_block**2)).sum())
        by_team = float((parts.total * parts.shrunk).sum())
        return _Products(
            gram, np.array([slope, -parts.team.T @ parts.team]), log, np.array([log_slope, by_team])
        )

    def parts(self, ratios: FloatArray | float) -> Bordered:
        """Return (X, y)'V^-1 (X, y) at some ratios without teams, its first and its second derivatives."""
        w = self._k / (1 + np.multiply.outer(ratios, self._k))
        parts = self._spread.weighted(np.array([w, -(w**2), 2 * w**3]))
        parts.rest[0] += self._within[self._cells :, self._cells :]
        return parts

    def _parts(self, theta: FloatArray, w: FloatArray) -> tuple[TeamSums, _Parts]:
        teams = self._teams
        if teams is None:
            raise ValueError("a deviance without teams has no parts by team")
        by_block = w[teams.kind]
        weight = teams.size * by_block
        total = self._sum(weight)
        mean = self._sum(weight[:, None] * self._mean) / total[:, None]
        shrunk = 1 / (1 + theta[1] * total)
        apart = self._mean - mean[teams.team]
        return teams, _Parts(
            by_block=by_block,
            total=total,
            mean=mean,
            shrunk=shrunk,
            apart=apart,
            rest=apart + (shrunk[:, None] * mean)[teams.team],
            team=(total * shrunk)[:, None] * mean,
        )

    def _second(self, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Second derivatives by the ratios: (r, r, p + 1, p + 1) of (X, y)'V^-1 (X, y), (r, r) of log |V|."""
        w = self._k / (1 + self._k * theta[0])
        if self._teams is None:
            rest, log = without_cells(*self.parts(theta[0]))
            return rest[2][None, None], np.array([[log[2] - self._m @ w**2]])
        by_respondent = np.tensordot(w**3, self._spread.rest, 1)
        teams, parts = self._parts(theta, w)
        w, n = parts.by_block, teams.size
        lean, rate = theta[1] * parts.shrunk, parts.total * parts.shrunk
        mixed = self._sum((n * w**2)[:, None] * parts.rest)
        both = mixed.T @ (parts.shrunk[:, None] * parts.team)
        by_respondent += _crossed(parts.rest, n * w**3) - _crossed(mixed, lean)
        by_team = _crossed(parts.team, rate)
        second = np.array([[2 * by_respondent, both + both.T], [both + both.T, 2 * by_team]])
        squares, cubes = self._sum(n * w**2), self._sum(n * w**3)
        mixed_log = float((squares * parts.shrunk**2).sum())
        respondent_log = float((squares - 2 * lean * cubes + (lean * squares) ** 2).sum())
        return second, -np.array([[respondent_log, mixed_log], [mixed_log, float((rate**2).sum())]])

    def _sum(self, values: FloatArray) -> FloatArray:
        """(T, ...) sums over the blocks of a team."""
        return np.asarray(np.add.reduceat(values, self._first, axis=0), dtype=np.float64)


def without_cells(
    diagonal: FloatArray, border: FloatArray, rest: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Eliminate cells, which have nothing in common, from a matrix (D, C; C', K) that depends on a ratio.

    Parameters
    ----------
    diagonal, border, rest
        (3, ..., n), (3, ..., n, q) and (3, ..., q, q): D, C and K, their first and their second derivatives.

    Returns
    -------
    left, log
        (3, ..., q, q) K - C'D^-1 C, its first and its second derivative; (3, ...) log |D| and its own.
    """
    (d, d1, d2), (c, c1, c2), left = diagonal, border, rest.copy()
    lean = c / d[..., None]
    bent = c1 - d1[..., None] * lean
    once, twice = (one.swapaxes(-1, -2) @ lean for one in (c1, c2))
    left[0] -= c.swapaxes(-1, -2) @ lean
    left[1] += _crossed(lean, d1) - once - once.swapaxes(-1, -2)
    left[2] += _crossed(lean, d2) - twice - twice.swapaxes(-1, -2) - 2 * _crossed(bent, 1 / d)
    return left, np.array([np.log(d), d1 / d, d2 / d - (d1 / d) ** 2]).sum(axis=-1)


def _crossed(rows: FloatArray, weights: FloatArray) -> FloatArray:
    """(..., columns, columns) weighted cross-product of rows."""
    return np.asarray(rows.swapaxes(-1, -2) @ (weights[..., None] * rows), dtype=np.float64)


def _left_by(gram: FloatArray) -> tuple[float, int]:
    """Sum of squares that the columns leave of the answer, the last of a cross-product, and the columns' rank."""
    some = np.flatnonzero(np.diagonal(gram)[:-1] > 0)
    values, vectors = np.linalg.eigh(gram[np.ix_(some, some)])
    real = values > COLLINEAR
    fitted = (vectors[:, real].T @ gram[some, -1]) ** 2 / values[real]
    return float(gram[-1, -1] - fitted.sum()), int(real.sum())


def _solve_positive(matrix: FloatArray, right: FloatArray) -> tuple[FloatArray, FloatArray, float] | None:
    """Solve matrix x = right by Cholesky's factor, straight from LAPACK: the matrices are small, the calls many.

    Returns
    -------
    solution, inverse, log_determinant
        (p,), (p, p) and a number; or None where the matrix is not positive definite, or not finite.
    """
    if not len(right):
        return right, matrix, 0.0
    factor, failed = dpotrf(matrix, lower=1)
    diagonal = factor.diagonal()
    if failed or not np.isfinite(diagonal).all():
        return None
    both = np.eye(len(right), len(right) + 1, 1)
    both[:, 0] = right
    both = dpotrs(factor, both, lower=1)[0]
    return both[:, 0], both[:, 1:], 2 * float(np.log(diagonal).sum())


def lowest_along(curve: Curve, which: int = 0) -> float:
    """One ratio at the lowest minimum along it, to machine precision, the others being 0; NaN if there is none.

    The slope's changes of sign are found on a grid wide enough for any variance ratio, and each is polished
    as a root of the slope: a minimum's place is lost in rounding to half the digits, a root's is not.
    """

    def slope(ratio: float) -> float:
        return float(curve.at(ratio * np.eye(curve.ratios)[which]).slope[which])

    deviances, slopes = curve.along(FINE_GRID, which)
    if not np.isfinite([deviances, slopes]).all():
        return math.nan
    minima = [0.0] if slopes[0] >= 0 else []
    for place in range(1, len(FINE_GRID)):
        if not slopes[place - 1] < 0 <= slopes[place]:
            continue
        low, high = float(FINE_GRID[place - 1]), float(FINE_GRID[place])
        if low == 0:
            minima.append(_root(slope, 0.0, high, 1e-24))
        else:
            found = _root(lambda log: slope(math.exp(log)), math.log(low), math.log(high), 1e-15)
            minima.append(math.exp(found))
    if len(minima) < 2:
        return minima[0] if minima else math.nan
    return minima[int(curve.along(np.array(minima), which)[0].argmin())]


def _root(rising: Callable[[float], float], low: float, high: float, tolerance: float) -> float:
    """Root between two places; the end next to it where that end is the root, or is beyond it, but for rounding."""
    if rising(low) >= 0:
        return low
    return high if rising(high) <= 0 else float(brentq(rising, low, high, xtol=tolerance))


def lowest(deviance: Deviance) -> FloatArray:
    """(2,) both ratios at the lowest minimum of the deviance; NaN if there is none.

    The minima are found on a grid of decades, each followed within its bounds by L-BFGS-B, and polished by
    Newton's method along the ratios that are not 0.
    """
    none = np.full(2, math.nan)
    height = np.array([[deviance.at(np.array([a, b])).deviance for b in GRID] for a in GRID])
    if not np.isfinite(height).all():
        return none
    around = np.pad(height, 1, constant_values=math.inf)
    size = len(GRID)
    least = np.minimum.reduce([around[i : i + size, j : j + size] for i in range(3) for j in range(3)])
    found = [_follow(deviance, GRID[place]) for place in np.argwhere(height <= least)]
    minima = [point for point in found if point is not None]
    return min(minima, key=lambda point: point.deviance).theta if minima else none


def _follow(deviance: Deviance, start: FloatArray) -> Point | None:
    """Find the minimum that a start leads to; None if it leads to none."""
    unit = np.maximum(start, GRID[1])
    origin = deviance.at(start).deviance

    def scaled(x: FloatArray) -> tuple[float, FloatArray]:
        point = deviance.at(x * unit)
        return point.deviance - origin, point.slope * unit

    found = minimize(
        scaled,
        start / unit,
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, None)] * 2,
        options={"ftol": 1e-15, "gtol": 1e-8, "maxiter": 500},
    )
    point = deviance.at(np.asarray(found.x * unit, dtype=np.float64))
    for which in range(2):
        point = _settle(deviance, point, which)
    point = _polish(deviance, point)
    slope = np.where(point.theta > 0, np.abs(point.slope * point.theta), np.maximum(-point.slope, 0))
    return point if (slope <= SLOPE).all() else None


def _settle(deviance: Deviance, point: Point, which: int) -> Point:
    """Set one ratio to 0, if that is where the minimum is."""
    theta = point.theta.copy()
    theta[which] = 0.0
    at_zero = deviance.at(theta)
    lower = at_zero.slope[which] >= 0 and at_zero.deviance <= point.deviance + 1e-9
    return at_zero if lower else point


def _polish(deviance: Deviance, point: Point) -> Point:
    """Follow Newton's steps in the logarithms of the ratios that are not 0, for as long as the slope falls."""
    free = np.flatnonzero(point.theta)
    for _ in range(20 if len(free) else 0):
        theta, slope = point.theta[free], point.slope[free]
        hessian = deviance.hessian(point)
        profiled = hessian[1:, 1:] - np.outer(hessian[0, 1:], hessian[0, 1:]) / hessian[0, 0]
        by_logs = profiled[np.ix_(free, free)] * np.outer(theta, theta) + np.diag(slope * theta)
        try:
            step = -cho_solve(cho_factor(by_logs), slope * theta)
        except (LinAlgError, ValueError):  # not convex here
            return point
        moved = point.theta.copy()
        moved[free] *= np.exp(np.clip(step, -1, 1))
        after = deviance.at(moved)
        if not np.abs(after.slope[free] * moved[free]).max() < np.abs(slope * theta).max():
            return point
        point = after
    return point
