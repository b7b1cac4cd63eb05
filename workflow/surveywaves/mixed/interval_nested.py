"""Intervals of the variances where respondents are nested in teams.

As in `interval`, the ends of an interval are the extremes of a term over the region where the deviance is below
the line. An extreme lies where one ratio is 0, and is then an extreme along an edge (found exactly, and known by
the signs of Kuhn and Tucker's conditions), or inside, and is then found by sequential quadratic programming with
exact gradients. What is found is accepted only where it meets the conditions.

The search is in log sigma2 and log(1 + n theta), n being the answers of an average respondent or team: where a ratio
is large this is its logarithm, and at 0 it has an end.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

import numpy as np
from scipy.optimize import minimize

from surveywaves.mixed.design import FloatArray
from surveywaves.mixed.interval import (
    FARTHEST,
    ONE,
    ONE_AND_THETA,
    THETA,
    Ends,
    Measure,
    OneRatio,
    line_above,
    share_of_logit,
)
from surveywaves.mixed.nested import RATIO_GRID, Nested, NestedPoint
from surveywaves.mixed.reml import best_theta

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
