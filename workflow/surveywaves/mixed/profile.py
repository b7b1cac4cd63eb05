"""Profile likelihood intervals of the variances, of both models.

An interval of confidence 1 - alpha holds the values whose deviance, at its best over everything else, exceeds
the minimum by no more than the 1 - alpha quantile of chi-square with one degree of freedom (Venzon and
Moolgavkar 1988, Appl. Stat. 37, 87). Its ends are the extremes of the value over the region of parameters
where the deviance stays below that line.

The linear model. The deviance by sigma2 and the variance ratios theta is D(theta) + freedom * h(sigma2 / s(theta)),
with D the profiled deviance, s its sigma2, and h(x) = log x + 1 / x - 1. At any theta within reach, the extreme
sigma2 is therefore known in closed form, by Lambert's W. Along one ratio, the others being 0, an end is the root of
one function. With two ratios, an extreme lies where one of them is 0, and is then an extreme along the other (known by
the signs of Kuhn and Tucker's conditions), or inside, and is then found by sequential quadratic programming with
exact gradients. What is found is accepted only where it meets the conditions. The search is in log sigma2 and
log(1 + n theta), n being the answers of an average respondent or team: where a ratio is large this is its logarithm,
and at 0 it has an end.

The ordinal model. Ends are found by Newton steps on the square root of the deviance, which is almost straight in the
standard deviation t, each with one quasi-Newton step of everything else towards its best. All effects grow with
sqrt(1 + s t^2) and the information about them falls as fast (see `Link.attenuation`), so that three steps often do.
Where they lead nowhere, everything else is maximised at each t.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from scipy.optimize import brentq, minimize
from scipy.special import chdtri, lambertw

from surveywaves.mixed.components import Ends, share_of_logit
from surveywaves.mixed.design import FloatArray
from surveywaves.mixed.newton import Peak, Surface, climb
from surveywaves.mixed.newton import Point as OrdinalPoint
from surveywaves.mixed.reml import GRID, Deviance, Point, along, lowest_along

FARTHEST: Final = 1e15
"""Beyond this ratio an upper end is not looked for."""

NEAR_BRANCH: Final = 1e-4
"""Below this, Lambert's W loses digits."""

WIDEST: Final = 30.0
"""How many standard errors from the estimate an end is looked for."""

REACHED: Final = 1e-6
"""How near the line the deviance must be at an end."""

TINY: Final = 1e-15
"""A ratio that is as good as 0, and has a logarithm."""


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
    xtol: float = 1e-24,
    rtol: float = 1e-11,
) -> float:
    """Find where a profiled deviance crosses a line, going out from a place below it.

    Parameters
    ----------
    above
        The deviance less the line, or a function with the same sign; NaN where it is not known.
    inside, outside
        A place below the line, and one that may be beyond it; outside 0 there is nothing.
    factor, most
        What to multiply `outside` by while it is below the line, and how far to go: with a factor below 1, how near
        to 0.
    xtol, rtol
        How near the place is to be found: see `brentq`.

    Returns
    -------
    float
        Infinite where the line is not crossed on the way; NaN where the deviance is not known.
    """
    while not (here := above(outside)) >= 0:
        if math.isnan(here):
            return math.nan
        if outside == 0:
            return 0.0
        inside, outside = outside, outside * factor
        if outside > most if factor > 1 else outside < most:
            return math.inf
    try:
        return float(brentq(above, inside, outside, xtol=xtol, rtol=rtol)) if here > 0 else outside
    except ValueError:  # not known somewhere between
        return math.nan


Measure: TypeAlias = tuple[Callable[[float], float], Callable[[float], float]]
"""A function of a ratio, and the derivative of its logarithm."""

ONE: Final[Measure] = (lambda _: 1.0, lambda _: 0.0)
RATIO: Final[Measure] = (lambda ratio: ratio, lambda ratio: 1 / ratio if ratio > 0 else FARTHEST)
ONE_AND_RATIO: Final[Measure] = (lambda ratio: 1 + ratio, lambda ratio: 1 / (1 + ratio))


@dataclass(frozen=True, slots=True)
class Term:
    """A term as a function of log sigma2 and the two ratios.

    Parameters
    ----------
    value, slope, back
        A logarithm (or logit) of the term, its gradient, and the way back.
    along
        Where teams, and where respondents, have no variance: the term over sigma2 as a function of the ratio that
        is left; ``share`` if the term is ratio / (1 + ratio); none if it is 0.
    """

    value: Callable[[FloatArray], float]
    slope: Callable[[FloatArray], FloatArray]
    back: Callable[[float], float]
    along: tuple[Measure | Literal["share"] | None, Measure | Literal["share"] | None]


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
        (RATIO, None),
    ),
    "tau2_team": Term(
        lambda x: float(x[0] + math.log(x[2])),
        lambda x: np.array([1.0, 0.0, 1 / x[2]]),
        math.exp,
        (None, RATIO),
    ),
    "icc": Term(lambda x: math.log(x[1] + x[2]), _of_icc, share_of_logit, ("share", "share")),
    "icc_team": Term(
        lambda x: math.log(x[2]) - math.log1p(x[1]),
        lambda x: np.array([0.0, -1 / (1 + x[1]), 1 / x[2]]),
        share_of_logit,
        (None, "share"),
    ),
    "total": Term(
        lambda x: float(x[0] + math.log1p(x[1] + x[2])), _of_total, math.exp, (ONE_AND_RATIO, ONE_AND_RATIO)
    ),
}
"""`total` is the square of `total_sd`."""


@dataclass(frozen=True, slots=True)
class LinearIntervals:
    """Intervals of the variances of the linear model.

    Parameters
    ----------
    deviance, best
        The deviance, and its minimum.
    free
        Which ratios are estimated, the others being 0: none, one or two.
    """

    deviance: Deviance
    best: Point
    free: tuple[int, ...]

    def __call__(self, confidence: float) -> Mapping[str, Ends]:
        """Intervals of `sigma2`, `tau2`, `tau2_team`, `icc`, `icc_team` and `total_sd`, as far as estimated."""
        line = self.best.deviance + cut(confidence)
        if len(self.free) > 1:
            found = self._by_two(line)
        elif self.free:
            found = _Along(self.deviance, self.free[0], self.best, line).intervals()
        else:
            around = [self.best.sigma2 * _stretch(self.deviance, self.best, line, side) for side in (-1, 1)]
            found = {"sigma2": (around[0], around[1]), "total": (around[0], around[1])}
        if "total" in found:
            low, high = found.pop("total")
            found["total_sd"] = math.sqrt(low), math.sqrt(high)
        return found

    def _by_two(self, line: float) -> dict[str, Ends]:
        edges = []
        for which in (0, 1):
            least = along(self.deviance, which, lowest_along(self.deviance, which, grid=GRID))
            edges.append(_Along(self.deviance, which, least, line))
        within = [edge.best.deviance < line for edge in edges]
        reach = [edge.reach() if one else (0.0, 0.0) for edge, one in zip(edges, within, strict=True)]
        nothing = self.deviance.at(np.zeros(2)).deviance <= line
        zero = {"tau2": within[1], "tau2_team": within[0], "icc": nothing, "icc_team": within[0]}
        found = {}
        for name, term in TERMS.items():
            ends = []
            for side in (-1, 1):
                if side < 0 and zero.get(name, False):
                    ends.append(0.0)
                    continue
                extreme = next(self._outside(term, side, edges, reach), None)
                ends.append(self._inside(line, term, side) if extreme is None else extreme)
            found[name] = ends[0], ends[1]
        return found

    def _outside(self, term: Term, side: int, edges: list[_Along], reach: list[Ends]) -> Iterator[float]:
        """Find extremes of a term along the edges, from which it does not pay to raise the other ratio."""
        for which, (edge, measure, ends) in enumerate(zip(edges, term.along, reach, strict=True)):
            if measure is None or ends[1] in (0.0, math.inf):
                continue
            ratio, sigma2 = edge.corner(ends, measure, side)
            x = np.array([math.log(sigma2), 0.0, 0.0])
            x[1 + which] = ratio
            gradient, of_deviance = term.slope(x), self._deviance(x)[1]
            # what the deviance rises by when the term does, along this edge
            place = 1 + which if measure == "share" else 0
            price = abs(of_deviance[place] / gradient[place])
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
        theta, n = self.best.theta, self.deviance.answers
        free = np.append(True, theta > 0)
        by = np.append(1 / self.best.sigma2, n / (1 + n * theta))[free]
        cov = self.deviance.variance_cov(self.best)[np.ix_(free, free)] * np.outer(by, by)
        room = line - self.best.deviance
        made = np.diag(np.append(1.0, np.log1p(n * room / np.maximum(self.best.slope, 1e-6))))
        made[np.ix_(free, free)] = np.linalg.cholesky(cov)
        return made

    def _start(self, line: float, term: Term, side: int, share: float) -> FloatArray:
        """Return log sigma2 and log(1 + n theta) at some of the way to where a parabola would have its end."""
        theta, n = self.best.theta, self.deviance.answers
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
        theta = np.expm1(np.clip(t[1:], 0.0, math.log(FARTHEST))) / self.deviance.answers
        return np.append(np.clip(t[0], -math.log(FARTHEST), math.log(FARTHEST)), np.maximum(theta, TINY))

    def _stretches(self, t: FloatArray) -> FloatArray:
        """(3,) derivatives of `_back`."""
        return np.append(1.0, np.exp(np.clip(t[1:], 0.0, math.log(FARTHEST))) / self.deviance.answers)

    def _deviance(self, x: FloatArray) -> tuple[float, FloatArray]:
        """Evaluate the deviance, not profiled, by log sigma2 and the ratios, and its gradient."""
        point, sigma2, freedom = self.deviance.at(x[1:]), math.exp(x[0]), self.deviance.freedom
        times = sigma2 / point.sigma2
        deviance = point.deviance + freedom * (math.log(times) + 1 / times - 1)
        slope = point.slope + point.residual_slope * (1 / sigma2 - 1 / point.sigma2)
        return deviance, np.append(freedom * (1 - 1 / times), slope)


@dataclass(frozen=True, slots=True)
class _Along:
    """The region below a line along one ratio, the others being 0: a deviance, the ratio, its minimum, the line."""

    deviance: Deviance
    which: int
    best: Point
    line: float

    def intervals(self) -> dict[str, Ends]:
        """Extremes of every term that is not 0 here; none if there is no highest ratio."""
        reach = self.reach()
        if not math.isfinite(reach[1]):
            return {}
        found = {}
        for name, term in TERMS.items():
            if (measure := term.along[self.which]) is not None:
                low, high = (self._value(measure, *self.corner(reach, measure, side)) for side in (-1, 1))
                found[name] = low, high
        return found

    def reach(self) -> Ends:
        """Lowest and highest ratio; infinity if there is no highest."""

        def above(ratio: float) -> float:
            return along(self.deviance, self.which, ratio).deviance - self.line

        best = float(self.best.theta[self.which])
        low, high = (
            crossing(above, best, outside, factor=4.0, most=FARTHEST)
            for outside in (0.0, max(2 * best, 1e-6))
        )
        return low, high

    def corner(self, reach: Ends, measure: Measure | Literal["share"], side: int) -> tuple[float, float]:
        """Find the ratio and sigma2 where a measure times sigma2 is smallest (side -1) or largest (1) within reach."""
        if measure == "share":
            ratio = reach[side > 0]
            return ratio, along(self.deviance, self.which, ratio).sigma2
        by_log = measure[1]

        def turn(ratio: float) -> float:
            """Differentiate the logarithm of the extreme at this ratio."""
            point = along(self.deviance, self.which, ratio)
            x = _stretch(self.deviance, point, self.line, side)
            freedom = self.deviance.freedom
            by_stretch = -point.slope[self.which] / freedom * x / (x - 1)
            residual = point.sigma2 * freedom
            return side * float(by_log(ratio) + point.residual_slope[self.which] / residual + by_stretch)

        # at an end that the line makes the slope is infinite and points inwards; at an end that is 0 it may not
        ratio, high = reach
        if ratio > 0 or turn(0.0) > 0:
            ratio = brentq(turn, ratio, high, xtol=1e-24, rtol=1e-8)  # at its extreme, a value is flat
        point = along(self.deviance, self.which, ratio)
        return ratio, point.sigma2 * _stretch(self.deviance, point, self.line, side)

    @staticmethod
    def _value(measure: Measure | Literal["share"], ratio: float, sigma2: float) -> float:
        return ratio / (1 + ratio) if measure == "share" else measure[0](ratio) * sigma2


def _stretch(deviance: Deviance, point: Point, line: float, side: int) -> float:
    """How many times the best sigma2 at a point is still below the line."""
    return stretch(max((line - point.deviance) / deviance.freedom, 1e-18), side)


def stretch(room: float, side: int) -> float:
    """Solve log x + 1 / x - 1 = room for the x below (-1) or above (+1) 1."""
    if room > NEAR_BRANCH:
        return -1 / float(lambertw(-math.exp(-1 - room), 0 if side > 0 else -1).real)
    # near the branch point of W: two terms of the series, then Newton's steps
    apart = side * math.sqrt(2 * room) + 4 * room / 3
    for _ in range(3 if room > NEAR_BRANCH**3 else 0):
        apart -= (math.log1p(apart) - apart / (1 + apart) - room) * (1 + apart) ** 2 / apart
    return 1 + apart


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
