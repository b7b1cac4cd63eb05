"""The cumulative link model: links, the chance of an answer between two thresholds, and its log-likelihood.

A respondent answers category k where the latent answer lies between thresholds: log P = log(F(upper) -
F(lower)), with F the logistic or the normal distribution function. Both bounds may be infinite. The formulae
hold in the far tails, where F is 0 or 1 to the last digit: an interval there is not a difference of nearly equal
numbers. log P is concave in the two bounds together (Pratt 1981, J. Am. Stat. Assoc. 76, 103).

Sources: McCullagh (1980) J. R. Stat. Soc. B 42, 109; Agresti (2010) Analysis of Ordinal Categorical Data, ch. 3.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

import numpy as np
from scipy.special import log_ndtr, logit, ndtr, ndtri

from surveywaves.mixed.design import FloatArray, IntArray
from surveywaves.mixed.newton import Order, Point

FARTHEST: Final = 700.0
"""Where exp is still finite."""


NOTHING: Final = np.zeros((0, 0))


class Interval(NamedTuple):
    """log P of a lower and an upper bound, its first and its second derivatives by them, as far as asked for.

    (U, nodes), or (U, 1) where it is the same at every node.
    """

    log: FloatArray
    by_upper: FloatArray = NOTHING
    by_lower: FloatArray = NOTHING
    by_upper_twice: FloatArray = NOTHING
    by_lower_twice: FloatArray = NOTHING
    by_both: FloatArray = NOTHING


class Link(Protocol):
    """A latent distribution, symmetric about 0."""

    @property
    def name(self) -> str:
        """The name of the link."""

    @property
    def variance(self) -> float:
        """Variance of the latent answer, given the respondent."""

    @property
    def attenuation(self) -> float:
        """The s in: effects shrink by about sqrt(1 + s tau2) when respondents are taken for independent."""

    def quantile(self, share: FloatArray) -> FloatArray:
        """Invert F."""

    def interval(self, lower: FloatArray, upper: FloatArray, shift: FloatArray, *, order: Order) -> Interval:
        """log(F(upper - shift) - F(lower - shift)) and its derivatives, (U, nodes).

        Parameters
        ----------
        lower, upper
            (U,) bounds, lower < upper.
        shift
            (nodes,).
        order
            How many derivatives.
        """


@dataclass(frozen=True, slots=True)
class Logit:
    """Logistic: effects are log odds ratios.

    F(a) - F(b) = F(a) F(-b) (1 - exp(b - a)); the last factor is the same at every shift.
    """

    name: str = "logit"
    variance: float = math.pi**2 / 3
    attenuation: float = (16 * math.sqrt(3) / (15 * math.pi)) ** 2  # Zeger, Liang, Albert 1988, Biometrics 44

    def quantile(self, share: FloatArray) -> FloatArray:
        """log(p / (1 - p))."""
        return np.asarray(logit(share), dtype=np.float64)

    def interval(self, lower: FloatArray, upper: FloatArray, shift: FloatArray, *, order: Order) -> Interval:
        """With e^-a / (1 + e^-a) = F(-a) and e^b / (1 + e^b) = F(b), the chances of being beyond the bounds."""
        beyond_a, beyond_b = shift - upper[:, None], lower[:, None] - shift
        for odds in (beyond_a, beyond_b):
            np.minimum(odds, FARTHEST, out=odds)
            np.exp(odds, out=odds)
        inside_a, inside_b = 1 + beyond_a, 1 + beyond_b
        share = -np.expm1(lower - upper)[:, None]
        log = inside_a * inside_b
        np.log(log, out=log)
        np.subtract(np.log(share), log, out=log)
        if not order:
            return Interval(log)
        beyond_a /= inside_a
        beyond_b /= inside_b
        with np.errstate(over="ignore"):
            by_width = 1 / np.expm1(upper - lower)[:, None]
        first = beyond_a + by_width, -by_width - beyond_b
        if order < 2:
            return Interval(log, *first)
        curved = by_width / share
        return Interval(
            log,
            *first,
            by_upper_twice=beyond_a * (beyond_a - 1) - curved,
            by_lower_twice=beyond_b * (beyond_b - 1) - curved,
            by_both=curved,
        )


@dataclass(frozen=True, slots=True)
class Probit:
    """Normal: effects are in standard deviations of the latent answer, given the respondent.

    An interval mostly above 0 is mirrored, since F keeps its digits below 0 only.
    """

    name: str = "probit"
    variance: float = 1.0
    attenuation: float = 1.0

    def quantile(self, share: FloatArray) -> FloatArray:
        """Return the standard normal quantile."""
        return np.asarray(ndtri(share), dtype=np.float64)

    def interval(self, lower: FloatArray, upper: FloatArray, shift: FloatArray, *, order: Order) -> Interval:
        """With f / P taken as exp(log f - log P)."""
        a, b = upper[:, None] - shift, lower[:, None] - shift
        log = self._log(a, b)
        if not order:
            return Interval(log)
        constant = log + math.log(2 * math.pi) / 2
        at_a, at_b = np.exp(-(a**2) / 2 - constant), np.exp(-(b**2) / 2 - constant)
        if order < 2:
            return Interval(log, at_a, -at_b)
        a[~np.isfinite(upper)] = 0.0
        b[~np.isfinite(lower)] = 0.0
        return Interval(
            log,
            at_a,
            -at_b,
            by_upper_twice=-at_a * (a + at_a),
            by_lower_twice=at_b * (b - at_b),
            by_both=at_a * at_b,
        )

    @staticmethod
    def _log(a: FloatArray, b: FloatArray) -> FloatArray:
        """By logarithms of F only where F itself is too small for a number."""
        with np.errstate(invalid="ignore"):
            mirrored = a + b > 0
        high, low = np.where(mirrored, -b, a), np.where(mirrored, -a, b)
        chance = ndtr(high) - ndtr(low)
        tiny = chance < 1e-280
        chance[tiny] = 1.0
        log = np.log(chance)
        if tiny.any():
            high, low = log_ndtr(high[tiny]), log_ndtr(low[tiny])
            log[tiny] = high + np.log(-np.expm1(low - high))
        return np.asarray(log, dtype=np.float64)


LINKS: Final[dict[str, Link]] = {"logit": Logit(), "probit": Probit()}


class Answers(NamedTuple):
    """Distinct answers of respondents who are alike: U answers of E classes, D parameters, the last of them tau.

    A bound is a combination of thresholds and items, less what is the class's own: its cell and covariates.

    Attributes
    ----------
    columns
        (d,) the thresholds and items.
    upper, lower
        (U, d) each bound at z = 0 as a combination of these; without the threshold of a bound at infinity.
    owned, classes, of_class, starts
        (v,) the coefficients of cells and covariates that are not 0 here; (E, v) their columns; (U,) each answer's
        class, ascending, every class having an answer; and (E,) its first answer.
    ceiling, floor
        (U,) what is added to the upper and to the lower bound: 0, or inf and -inf where there is none.
    total
        (U,) how many gave the answer.
    """

    columns: IntArray
    upper: FloatArray
    lower: FloatArray
    owned: IntArray
    classes: FloatArray
    of_class: IntArray
    starts: IntArray
    ceiling: FloatArray
    floor: FloatArray
    total: FloatArray

    @property
    def sides(self) -> tuple[tuple[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]:
        """Rows, without the class's own, and ends of the upper and of the lower bounds."""
        return (self.upper, self.ceiling), (self.lower, self.floor)

    def interval(self, link: Link, theta: FloatArray, shift: FloatArray, *, order: Order) -> Interval | None:
        """Return log P of each answer and its derivatives, (U, nodes); None outside the parameter space.

        Parameters
        ----------
        link, order
            See `Link.interval`.
        theta
            (D - 1,) thresholds and coefficients.
        shift
            (nodes,) by how much the bounds fall.
        """
        lower, upper = self.bounds(theta)
        return link.interval(lower, upper, shift, order=order) if (upper > lower).all() else None

    def bounds(self, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(U,) lower and upper bounds at z = 0, for (D - 1,) thresholds and coefficients."""
        own, fall = theta[self.columns], (self.classes @ theta[self.owned])[self.of_class]
        return self.lower @ own - fall + self.floor, self.upper @ own - fall + self.ceiling

    def by_class(self, values: FloatArray) -> FloatArray:
        """(E, ...) sums of (U, ...) values."""
        return np.asarray(np.add.reduceat(values, self.starts, axis=0), dtype=np.float64)

    def add_crossed(self, matrix: FloatArray, uu: FloatArray, ll: FloatArray, ul: FloatArray) -> None:
        """Add the cross-products of the bounds' rows to a (D - 1 or more, same) matrix.

        Those of upper bounds, of lower ones and of both have (U,) weights of their own.
        """
        upper, lower, own, owned = self.upper, self.lower, self.columns, self.owned
        by_upper, by_lower = (uu + ul)[:, None] * upper, (ll + ul)[:, None] * lower
        mixed = upper.T @ (lower * ul[:, None])
        matrix[own[:, None], own] += upper.T @ (upper * uu[:, None]) + lower.T @ (lower * ll[:, None])
        matrix[own[:, None], own] += mixed + mixed.T
        cross = self.classes.T @ self.by_class(by_upper + by_lower)
        matrix[owned[:, None], own] -= cross
        matrix[own[:, None], owned] -= cross.T
        square = self.by_class(uu + 2 * ul + ll)
        matrix[owned[:, None], owned] += self.classes.T @ (self.classes * square[:, None])


def independent(answers: Iterable[Answers], link: Link, theta: FloatArray, *, order: Order = 2) -> Point:
    """Evaluate the log-likelihood of answers that are independent: tau = 0, and no derivatives by tau."""
    total, nodes = Total(len(theta)), np.zeros(1)
    for some in answers:
        at = some.interval(link, theta[:-1], nodes, order=order)
        if at is None:
            return outside(theta)
        weight = some.total[:, None]
        total.loglik += float((weight * at.log).sum())
        if order:
            total.add_complete(some, at, weight, nodes=nodes, order=order)
    return Point(theta, total.loglik, total.gradient, total.hessian)


def outside(theta: FloatArray) -> Point:
    """Return a place without a likelihood: the thresholds are not ascending."""
    return Point(theta, -math.inf, np.zeros(len(theta)), np.zeros((len(theta), len(theta))))


class Total:
    """A log-likelihood and its derivatives, as chunks are added."""

    def __init__(self, size: int) -> None:
        self.loglik = 0.0
        self.gradient = np.zeros(size)
        self.hessian = np.zeros((size, size))

    def add_complete(
        self, answers: Answers, at: Interval, weight: FloatArray, *, nodes: FloatArray, order: Order
    ) -> None:
        """Add the expected complete-data score and Hessian; weight is (U, nodes), expected respondents.

        Both bounds fall by z for each unit of tau.
        """
        upper, lower, own, owned = answers.upper, answers.lower, answers.columns, answers.owned
        powers = np.stack([np.ones(len(nodes)), nodes, nodes**2], axis=1)
        by_upper, by_lower = ((weight * first) @ powers[:, :2] for first in (at.by_upper, at.by_lower))
        self.gradient[own] += by_upper[:, 0] @ upper + by_lower[:, 0] @ lower
        self.gradient[owned] -= answers.by_class((by_upper + by_lower)[:, 0]) @ answers.classes
        self.gradient[-1] -= (by_upper + by_lower)[:, 1].sum()
        if order < 2:
            return
        uu, ll, ul = (
            (weight * second) @ powers for second in (at.by_upper_twice, at.by_lower_twice, at.by_both)
        )
        answers.add_crossed(self.hessian, uu[:, 0], ll[:, 0], ul[:, 0])
        both = uu + 2 * ul + ll
        for place, with_tau in (
            (own, -((uu + ul)[:, 1] @ upper + (ul + ll)[:, 1] @ lower)),
            (owned, answers.by_class(both[:, 1]) @ answers.classes),
        ):
            self.hessian[place, -1] += with_tau
            self.hessian[-1, place] += with_tau
        self.hessian[-1, -1] += both[:, 2].sum()
