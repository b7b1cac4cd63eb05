"""Profile likelihood intervals of the ordinal model's standard deviations.

An interval of confidence 1 - alpha holds the values whose deviance, at its best over everything else, exceeds
the minimum by no more than the 1 - alpha quantile of chi-square with one degree of freedom (Venzon and
Moolgavkar 1988, Appl. Stat. 37, 87). Its ends are the extremes of the value over the region of parameters
where the deviance stays below that line.

Ends are found by Newton steps on the square root of the deviance, which is almost straight in the standard deviation
t, each with one quasi-Newton step of everything else towards its best. All effects grow with
sqrt(1 + s t^2) and the information about them falls as fast (see `Link.attenuation`), so that three steps often do.
Where they lead nowhere, everything else is maximised at each t.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np
from scipy.optimize import brentq
from scipy.special import chdtri

from surveywaves.mixed.design import FloatArray
from surveywaves.mixed.newton import Peak, Surface, climb
from surveywaves.mixed.newton import Point as OrdinalPoint


def cut(confidence: float) -> float:
    """By how much the deviance may exceed its minimum within an interval."""
    return float(chdtri(1, 1 - confidence))


def crossing(
    above: Callable[[float], float],
    inside: float,
    outside: float,
    *,
    factor: float,
    most: float,
    xtol: float,
) -> float:
    """Find where a profiled deviance crosses a line, going out from a place below it.

    Parameters
    ----------
    above
        The deviance less the line, or a function with the same sign; NaN where it is not known.
    inside, outside
        A place below the line, and one that may be beyond it.
    factor, most
        What to multiply `outside` by while it is below the line, and how far to go: with a factor below 1, how near
        to 0.
    xtol
        How near the place is to be found: see `brentq`.

    Returns
    -------
    float
        Infinite where the line is not crossed on the way; NaN where the deviance is not known.
    """
    while not (here := above(outside)) >= 0:
        if math.isnan(here):
            return math.nan
        inside, outside = outside, outside * factor
        if outside > most if factor > 1 else outside < most:
            return math.inf
    try:
        return float(brentq(above, inside, outside, xtol=xtol, rtol=1e-11)) if here > 0 else outside
    except ValueError:  # not known somewhere between
        return math.nan


NEAR: Final = 1e-4
"""How near, in units of the root of the deviance, an end is to be found, ..."""

BEST: Final = 1e-4
"""... and how much of the deviance may be left to gain there."""

FLOOR: Final = 1e-2
"""The share of itself below which a variance besides is not followed: there it makes no difference."""

MOST_STEPS: Final = 12
"""So many steps are enough where the quick way leads anywhere."""

LONGEST: Final = 20.0
"""A step of the linear predictor that leads nowhere."""

LEAST: Final = 1e-3
"""The share of the estimate below which no end is looked for."""


def profile_ends(
    surface: Surface,
    peak: Peak,
    place: int,
    *,
    attenuation: float,
    extent: FloatArray,
    cut: float,
    at_zero: float,
    most: float,
) -> tuple[FloatArray | None, FloatArray | None]:
    """Find the ends of the interval of a standard deviation.

    Parameters
    ----------
    surface, peak
        The likelihood and its maximum.
    place
        Which parameter; it may be at 0 and not free.
    attenuation, extent
        See `Link` and `climb`.
    cut
        What the deviance may exceed its minimum by.
    at_zero
        The highest log-likelihood with the parameter at 0; NaN if that is below reach.
    most
        Beyond this no end is looked for.

    Returns
    -------
    low, high
        (D,) where the interval ends, everything else being at its best; None if no end was found.
    """
    top = peak.summit.point
    centre = abs(float(top.theta[place]))
    climber = _Climber(surface, peak, place, attenuation=attenuation, extent=extent, most=most)
    if centre == 0 or 2 * (top.loglik - at_zero) <= cut:
        zero = top.theta.copy()
        zero[place] = 0.0
        return zero, climber.end(1, math.sqrt(cut))
    return climber.end(-1, math.sqrt(cut)), climber.end(1, math.sqrt(cut))


class _Climber:
    """Climbs along the best of everything else, by the information at the maximum."""

    def __init__(
        self, surface: Surface, peak: Peak, place: int, *, attenuation: float, extent: FloatArray, most: float
    ) -> None:
        self._extent, self._most = extent, most
        self._surface, self._peak, self._place, self._attenuation = surface, peak, place, attenuation
        top = peak.summit.point
        self._centre = abs(float(top.theta[place]))
        self._others = peak.free[peak.free != place]
        # variances, not standard deviations, are what the likelihood is regular in near 0
        self._spreads = self._others >= surface.fixed
        self._least = FLOOR * top.theta[self._others] ** 2
        unit = np.where(self._spreads, self._by_square(top.theta), 1.0)
        self._information = -top.hessian[np.ix_(self._others, self._others)] * np.outer(unit, unit)
        self._slant = -top.hessian[self._others, place] * unit
        if self._centre:
            left = -float(top.hessian[place, place])
            left -= float(self._slant @ np.linalg.solve(self._information, self._slant))
        else:
            evaluate = surface.near(top.theta, finer=peak.finer)
            left = 0.0 if evaluate is None else -float(evaluate(top.theta, order=2).hessian[place, place])
        self._unit = 1 / math.sqrt(max(left, 1e-2))
        """About its standard error."""

    def end(self, side: int, target: float) -> FloatArray | None:
        """Find where the root of the deviance, below (-1) or above (+1) the maximum, is at its target."""
        quick = self._end_quickly(side, target)
        return self._end_slowly(side, target) if quick is None else quick

    def _end_slowly(self, side: int, target: float) -> FloatArray | None:
        """With everything else at its best at every step."""
        top = self._peak.summit.point
        best = top.theta

        def missing(at: float) -> float:
            nonlocal best
            start = self._moved(best, at)
            evaluate = self._surface.near(start, finer=self._peak.finer)
            if evaluate is None:
                return math.nan
            summit = climb(evaluate, start, free=self._others, extent=self._extent, near=BEST)
            if not summit.converged:
                return math.nan
            best = summit.point.theta
            return math.sqrt(max(2 * (top.loglik - summit.point.loglik), 0.0)) - target

        first = self._centre + side * target * self._unit
        at = crossing(
            missing,
            self._centre,
            first if side > 0 else max(first, self._centre / 2),
            factor=2.0 if side > 0 else 0.5,
            most=self._most if side > 0 else LEAST * self._centre,
            xtol=NEAR * self._unit,
        )
        if not math.isfinite(at):
            return None
        missing(at)
        return best

    def _end_quickly(self, side: int, target: float) -> FloatArray | None:
        """With everything else one step nearer its best at every step; None if that leads nowhere."""
        top = self._peak.summit.point
        at = self._centre + side * target * self._unit
        if at < 0.1 * self._centre:
            at = self._centre * math.exp(-target * self._unit / self._centre)
        theta = self._moved(top.theta.copy(), at)
        inside, outside = self._centre, 0.0 if side < 0 else math.inf
        for _ in range(MOST_STEPS):
            evaluate = self._surface.near(theta, finer=self._peak.finer) if at <= self._most else None
            if evaluate is None:
                return None
            point = evaluate(theta.copy(), order=1)
            if not (math.isfinite(point.loglik) and np.isfinite(point.gradient).all()):
                return None
            gain, slope = self._step(theta, point, self._growth(at) ** 2)
            if not np.abs((theta - point.theta) * self._extent).max() < LONGEST:
                return None
            root = math.sqrt(max(2 * (top.loglik - point.loglik) - gain, 0.0))
            if abs(root - target) <= NEAR and gain <= BEST:
                return theta
            if gain <= BEST:
                inside, outside = (inside, at) if root > target else (at, outside)
            slope *= -side
            way = (target - root) * root / slope if root > 0 and slope > 0 else self._unit
            new = min(max(at + side * way, at / 3), at * 3)
            if not min(inside, outside) < new < max(inside, outside):
                new = (inside + outside) / 2 if math.isfinite(outside) else 2 * at
            theta, at = self._moved(theta, new), new
        return None

    def _step(self, theta: FloatArray, point: OrdinalPoint, growth: float) -> tuple[float, float]:
        """Take everything else towards its best, in place.

        Returns
        -------
        gain, slope
            Twice what that should add to the log-likelihood, and the slope there along the standard deviation.
        """
        values = np.where(self._spreads, theta[self._others] ** 2, theta[self._others])
        gradient = point.gradient[self._others] * np.where(self._spreads, self._by_square(theta), 1.0)
        moving = ~(self._spreads & (values <= self._least) & (gradient < 0))
        solved = np.zeros(len(values))
        solved[moving] = np.linalg.solve(self._information[np.ix_(moving, moving)], gradient[moving])
        values += solved * growth
        theta[self._others] = np.where(self._spreads, np.sqrt(np.maximum(values, self._least)), values)
        return float(gradient @ solved) * growth, float(point.gradient[self._place] - self._slant @ solved)

    def _by_square(self, theta: FloatArray) -> FloatArray:
        """Return the derivative of what may be a standard deviation by its square."""
        return np.asarray(0.5 / np.maximum(np.abs(theta[self._others]), 1e-150), dtype=np.float64)

    def _growth(self, at: float) -> float:
        """How many times larger effects are than at the maximum."""
        s = self._attenuation
        return math.sqrt((1 + s * at**2) / (1 + s * self._centre**2))

    def _moved(self, theta: FloatArray, at: float) -> FloatArray:
        """Set the standard deviation, thresholds and effects growing with it."""
        moved = theta.copy()
        fixed = self._others[self._others < self._surface.fixed]
        moved[fixed] *= self._growth(at) / self._growth(float(theta[self._place]))
        moved[self._place] = at
        return moved
