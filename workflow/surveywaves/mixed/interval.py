"""Intervals of the variances: where the REML likelihood is within reach of its maximum.

An interval of confidence 1 - alpha holds the values whose deviance, at its best over everything else, exceeds
the minimum by no more than the 1 - alpha quantile of chi-square with one degree of freedom (Venzon and
Moolgavkar 1988, Appl. Stat. 37, 87). Its ends are the extremes of the value over the region of parameters
where the deviance stays below that line.

The deviance by sigma2 and the variance ratios theta is D(theta) + freedom * h(sigma2 / s(theta)), with D the
profiled deviance, s its sigma2, and h(x) = log x + 1 / x - 1. At any theta within reach, the extreme sigma2
is therefore known in closed form, by Lambert's W.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from scipy.optimize import brentq
from scipy.special import chdtri, lambertw, stdtrit

from surveywaves.mixed.reml import Point

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
