"""The likelihood of a cumulative link model with a random intercept a respondent.

For category k of item j, answered by respondent i of class e (a distinct combination of cell and covariates),
with thresholds -inf = a_0 < a_1 < ... < a_K = inf,

    P(y_ij <= k | z_i) = F(a_k - x_e'b - item_j - tau z_i),   z_i ~ N(0, 1).

Respondents with the same class and answers have the same likelihood, so that

    log L = sum over patterns r of  count_r  log sum over nodes q of  w_q  exp(sum over items of log P_q),

with equally spaced nodes z_q and weights proportional to the normal density: the trapezoidal rule, which for an
integrand as smooth as this converges faster than any power of the step (Trefethen and Weideman 2014, SIAM
Review 56, 385). A pattern's sums over its items, at all nodes at once, are one product of a sparse 0-1 matrix
(patterns x distinct answers) with the dense table of log P (distinct answers x nodes).

The gradient is the expectation of the complete-data score over each pattern's posterior nodes (Fisher's
identity), and the Hessian that of the complete-data Hessian plus the posterior covariance of the score (Louis
1982, J. R. Stat. Soc. B 44, 226). Both are exact for the sum above.

Sources: Hedeker and Gibbons (1994) Biometrics 50, 933; Tutz and Hennevogl (1996) Comput. Stat. Data Anal. 22, 537;
Agresti (2010) Analysis of Ordinal Categorical Data, ch. 10; Christensen (2019) ordinal, R package vignettes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np
from scipy import sparse
from scipy.special import logsumexp, softmax

from surveywaves.mixed.design import BoolArray, CodeArray, Design, FloatArray, IntArray, add_by
from surveywaves.mixed.links import Interval, Link, Order

PATTERNS: Final = 1 << 10
"""Patterns worked on at a time: what they need at all nodes stays in a processor's cache."""


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """The log-likelihood at one place; D parameters: T = K - 1 thresholds, P coefficients, tau.

    Parameters
    ----------
    theta
        (D,) the place.
    loglik
        -inf outside the parameter space: thresholds not ascending.
    gradient, hessian
        (D,) and (D, D); incomplete where not asked for, zeros outside the parameter space.
    """

    theta: FloatArray
    loglik: float
    gradient: FloatArray
    hessian: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """Some patterns, and the distinct answers among them: class, item, category.

    In the shapes below, B is the number of patterns, U of distinct answers, J of items, E of classes here,
    V of columns that belong to the respondent (cells and covariates), D - 1 of thresholds and coefficients.

    Parameters
    ----------
    classes
        (E, V) columns of each class.
    matrix
        (B, U) 1 where a pattern has the answer.
    place
        (B, J) which of the U answers; U where missing.
    pattern
        (B,) its row in the design.
    count, square
        (B,) the sum of the respondents' weights and of their squares.
    first
        (E,) first pattern of each class.
    of_class, item, category
        (U,) of each distinct answer; categories count from 1.
    total
        (U,) respondents with the answer.
    ceiling, floor
        (U,) what is added to the upper and to the lower bound: 0, or inf and -inf where there is none.
    """

    classes: FloatArray
    matrix: sparse.csr_array
    place: IntArray
    pattern: IntArray
    count: FloatArray
    square: FloatArray
    first: IntArray
    of_class: IntArray
    item: IntArray
    category: IntArray
    total: FloatArray
    ceiling: FloatArray
    floor: FloatArray


Rows: TypeAlias = tuple[FloatArray, FloatArray]
"""Of upper and of lower bounds."""


class Likelihood:
    """The log-likelihood of a design, as a function of (thresholds, coefficients, tau).

    Parameters
    ----------
    design
        The distinct respondents; at least one.
    link
        The latent distribution.
    """

    def __init__(self, design: Design, link: Link) -> None:
        self.design = design
        """The distinct respondents."""
        self.link = link
        """The latent distribution."""
        used = np.zeros(len(design.levels) + 1)
        for column in design.answers.T:
            used += add_by(column, design.count, len(used))
        self.categories = np.flatnonzero(used[1:] > 0)
        """(K,) indices into `Design.levels` of the answers that somebody gave."""
        self.thresholds = len(self.categories) - 1
        """T = K - 1."""
        self.size = self.thresholds + len(design.columns) + 1
        """D."""
        shift = self.thresholds
        items = design.item_columns
        self._items = slice(shift + items.start, shift + items.stop)
        before, after = range(shift, shift + items.start), range(shift + items.stop, self.size - 1)
        self._owned = np.array([*before, *after], dtype=np.intp)
        """Where the V columns that belong to the respondent stand among the parameters."""
        self.chunks = _cut(design, self.categories)
        """The patterns."""

    def opened(self, ceilings: Sequence[BoolArray], floors: Sequence[BoolArray]) -> Likelihood:
        """Without some bounds: for each chunk, (U,) which upper and which lower bounds are taken to infinity."""
        other = object.__new__(Likelihood)
        other.__dict__.update(self.__dict__)
        other.chunks = [
            replace(
                chunk,
                ceiling=np.where(ceiling, np.inf, chunk.ceiling),
                floor=np.where(floor, -np.inf, chunk.floor),
            )
            for chunk, ceiling, floor in zip(self.chunks, ceilings, floors, strict=True)
        ]
        return other

    def rows(self, chunk: Chunk) -> Rows:
        """(U, D - 1) twice: upper and lower bound at z = 0 as combinations of thresholds and coefficients.

        The threshold of a bound at infinity is left out.
        """
        number = np.arange(len(chunk.item))
        base = np.zeros((len(number), self.size - 1))
        base[:, self._owned] = -chunk.classes[chunk.of_class]
        later = np.flatnonzero(chunk.item)
        base[later, self._items.start + chunk.item[later] - 1] = -1.0
        upper, lower = base, base.copy()
        some = chunk.category <= self.thresholds
        upper[number[some], chunk.category[some] - 1] = 1.0
        some = chunk.category > 1
        lower[number[some], chunk.category[some] - 2] = 1.0
        return upper, lower

    def extent(self) -> FloatArray:
        """(D,) what a unit of each parameter moves the linear predictor, at most; 1 for tau."""
        extent = np.zeros(self.size)
        extent[-1] = 1.0
        for chunk in self.chunks:
            for rows in self.rows(chunk):
                extent[:-1] = np.maximum(extent[:-1], np.abs(rows).max(axis=0, initial=0.0))
        return extent

    def gram(self) -> FloatArray:
        """(D - 1, D - 1) cross-product of the rows of all finite bounds, weighted by respondents."""
        total = np.zeros((self.size - 1, self.size - 1))
        for chunk in self.chunks:
            for rows, end in zip(self.rows(chunk), (chunk.ceiling, chunk.floor), strict=True):
                weight = np.where(np.isfinite(end), chunk.total, 0.0)
                total += rows.T @ (rows * weight[:, None])
        return total

    def single(self) -> bool:
        """Whether no respondent gave two answers that have a finite bound."""
        return not any(
            (
                (chunk.matrix @ (np.isfinite(chunk.ceiling) | np.isfinite(chunk.floor)).astype(np.float64))
                > 1
            ).any()
            for chunk in self.chunks
        )

    def standing(self) -> BoolArray:
        """(D - 1,) thresholds and coefficients of some answers that move no bound: those at infinity."""
        there, moving = np.zeros(self.size - 1), np.zeros(self.size - 1)
        for chunk in self.chunks:
            for rows, end in zip(self.rows(chunk), (chunk.ceiling, chunk.floor), strict=True):
                there += np.abs(rows).sum(axis=0)
                moving += np.abs(rows[np.isfinite(end)]).sum(axis=0)
        return np.asarray((there > 0) & (moving == 0), dtype=np.bool_)

    def independent(self, theta: FloatArray, *, order: Order = 2) -> Point:
        """As if every answer were a respondent's only one: tau = 0, and no derivatives by tau."""
        total = Total(self.size)
        for chunk in self.chunks:
            rows = self.rows(chunk)
            at = self._interval(chunk, rows, theta, nodes=np.zeros(1), order=order)
            if at is None:
                return self._outside(theta)
            weight = chunk.total[:, None]
            total.loglik += float((weight * at.log).sum())
            if order:
                total.add_complete(rows, at, weight, nodes=np.zeros(1), order=order)
        return Point(theta, total.loglik, total.gradient, total.hessian)

    def at(self, theta: FloatArray, nodes: FloatArray, *, order: Order = 2) -> Point:
        """Evaluate the log-likelihood, and with `order` 1 or 2 its gradient or its gradient and Hessian.

        Parameters
        ----------
        theta
            (D,) thresholds, coefficients, tau.
        nodes
            Equally spaced values of z.
        order
            How many derivatives: a Hessian takes several times as long as a gradient.
        """
        log_weights, ones = log_normal(nodes), np.ones(len(nodes))
        total = Total(self.size)
        for chunk in self.chunks:
            rows = self.rows(chunk)
            at = self._interval(chunk, rows, theta, nodes=nodes, order=order)
            if at is None:
                return self._outside(theta)
            posterior = chunk.matrix @ at.log
            posterior += log_weights
            peak = posterior.max(axis=1)
            posterior -= peak[:, None]
            np.exp(posterior, out=posterior)
            mass = posterior @ ones
            total.loglik += float(chunk.count @ (peak + np.log(mass)))
            if order:
                posterior *= (chunk.count / mass)[:, None]
                total.add_complete(rows, at, chunk.matrix.T @ posterior, nodes=nodes, order=order)
            if order == 2:
                self._spread(chunk, at, posterior, nodes=nodes, hessian=total.hessian)
        return Point(theta, total.loglik, total.gradient, total.hessian)

    def _outside(self, theta: FloatArray) -> Point:
        return Point(theta, -math.inf, np.zeros(self.size), np.zeros((self.size, self.size)))

    def bounds(self, chunk: Chunk, rows: Rows, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(U,) lower and upper bounds at z = 0, for (D - 1,) thresholds and coefficients."""
        return rows[1] @ theta + chunk.floor, rows[0] @ theta + chunk.ceiling

    def _interval(
        self, chunk: Chunk, rows: Rows, theta: FloatArray, *, nodes: FloatArray, order: Order
    ) -> Interval | None:
        """Give log P of each distinct answer and its derivatives, (U, nodes); None outside the parameter space."""
        lower, upper = self.bounds(chunk, rows, theta[:-1])
        if not (upper > lower).all():
            return None
        return self.link.interval(lower, upper, theta[-1] * nodes, order=order)

    def _spread(
        self, chunk: Chunk, at: Interval, posterior: FloatArray, *, nodes: FloatArray, hessian: FloatArray
    ) -> None:
        """Add the posterior covariance of each pattern's score.

        A pattern's score by the columns that belong to the respondent is their value times one number, its
        score by the linear predictor, so that the covariance is needed of few numbers: thresholds, items,
        that one and tau.
        """
        own, score, whole = self._own_score(chunk, at, nodes)
        weighted = score * posterior
        mean = weighted.sum(axis=2)
        covariance = weighted.reshape(len(own), -1) @ score.reshape(len(own), -1).T
        hessian[np.ix_(own, own)] += covariance - (mean / chunk.count) @ mean.T
        held = whole * posterior
        held_mean = held.sum(axis=1)
        with_own = np.einsum("mbq,bq->mb", score, held) - mean * (held_mean / chunk.count)
        alone = (held * whole).sum(axis=1) - held_mean**2 / chunk.count
        cross = chunk.classes.T @ np.add.reduceat(with_own, chunk.first, axis=1).T
        hessian[np.ix_(self._owned, own)] += cross
        hessian[np.ix_(own, self._owned)] += cross.T
        square = np.add.reduceat(alone, chunk.first)
        hessian[np.ix_(self._owned, self._owned)] += chunk.classes.T @ (chunk.classes * square[:, None])

    def meat(self, theta: FloatArray, nodes: FloatArray) -> FloatArray:
        """(D, D) sum over respondents of their squared weight times the cross-product of their score."""
        log_weights = log_normal(nodes)
        total = np.zeros((self.size, self.size))
        for chunk in self.chunks:
            at = self._interval(chunk, self.rows(chunk), theta, nodes=nodes, order=1)
            if at is None:
                return total * math.nan
            posterior = softmax(chunk.matrix @ at.log + log_weights, axis=1)
            mean = (self.score(chunk, at, nodes) * posterior).sum(axis=2)
            total += (mean * chunk.square) @ mean.T
        return total

    def _own_score(
        self, chunk: Chunk, at: Interval, nodes: FloatArray
    ) -> tuple[IntArray, FloatArray, FloatArray]:
        """Score of each pattern at each node, by what is no column of its class.

        Returns
        -------
        own, score, whole
            (T + J,) which parameters: thresholds, items, tau; (T + J, B, nodes) the score by them; (B, nodes)
            by the linear predictor.
        """
        patterns, size = chunk.matrix.shape[0], at.log.shape[1]
        thresholds, answers = self.thresholds, len(chunk.item)
        table = np.zeros((answers, thresholds, size))
        for rows, threshold, values in (
            (chunk.category <= thresholds, chunk.category - 1, at.by_upper),
            (chunk.category > 1, chunk.category - 2, at.by_lower),
        ):
            some = np.flatnonzero(rows)
            table[some, threshold[some]] += values[some]
        predictor = -(at.by_upper + at.by_lower)
        own = np.r_[0:thresholds, self._items, self.size - 1]
        score = np.empty((len(own), patterns, size))
        score[:thresholds] = (
            (chunk.matrix @ table.reshape(answers, -1)).reshape(patterns, thresholds, size).swapaxes(0, 1)
        )
        padded = np.concatenate([predictor, np.zeros((1, size))])
        for item in range(1, chunk.place.shape[1]):
            score[thresholds + item - 1] = padded[chunk.place[:, item]]
        whole = chunk.matrix @ predictor
        np.multiply(whole, nodes, out=score[-1])
        return own, score, whole

    def score(self, chunk: Chunk, at: Interval, nodes: FloatArray) -> FloatArray:
        """(D, B, nodes) score of each pattern at each node, if that were known."""
        own, by_own, whole = self._own_score(chunk, at, nodes)
        score = np.empty((self.size, *whole.shape))
        score[own] = by_own
        repeats = np.diff(np.append(chunk.first, len(whole)))
        for place, values in zip(self._owned, chunk.classes.T, strict=True):
            np.multiply(np.repeat(values, repeats)[:, None], whole, out=score[place])
        return score


class Total:
    """A log-likelihood and its derivatives, as chunks are added."""

    def __init__(self, size: int) -> None:
        self.loglik = 0.0
        self.gradient = np.zeros(size)
        self.hessian = np.zeros((size, size))

    def add_complete(
        self, rows: Rows, at: Interval, weight: FloatArray, *, nodes: FloatArray, order: Order
    ) -> None:
        """Add the expected complete-data score and Hessian; weight is (U, nodes), expected respondents.

        Both bounds fall by z for each unit of tau.
        """
        upper, lower = rows
        powers = np.stack([np.ones(len(nodes)), nodes, nodes**2], axis=1)
        by_upper, by_lower = ((weight * first) @ powers[:, :2] for first in (at.by_upper, at.by_lower))
        self.gradient[:-1] += by_upper[:, 0] @ upper + by_lower[:, 0] @ lower
        self.gradient[-1] -= (by_upper + by_lower)[:, 1].sum()
        if order < 2:
            return
        uu, ll, ul = (
            (weight * second) @ powers for second in (at.by_upper_twice, at.by_lower_twice, at.by_both)
        )
        mixed = upper.T @ (lower * ul[:, :1])
        bounds = upper.T @ (upper * uu[:, :1]) + lower.T @ (lower * ll[:, :1]) + mixed + mixed.T
        with_tau = -((uu + ul)[:, 1] @ upper + (ul + ll)[:, 1] @ lower)
        self.hessian[:-1, :-1] += bounds
        self.hessian[:-1, -1] += with_tau
        self.hessian[-1, :-1] += with_tau
        self.hessian[-1, -1] += (uu + 2 * ul + ll)[:, 2].sum()


def log_normal(nodes: FloatArray) -> FloatArray:
    """Log weights of equally spaced nodes: the normal density, made to add up to 1."""
    return np.asarray(-(nodes**2) / 2 - logsumexp(-(nodes**2) / 2), dtype=np.float64)


def _cut(design: Design, categories: IntArray) -> list[Chunk]:
    """Sort the patterns by class and cut them into chunks."""
    values = len(design.profiles)
    key = design.cell[design.group] * values + design.profile[design.group]
    order = np.argsort(key, kind="stable")
    order = order[design.count[order] > 0]
    code = np.zeros(len(design.levels) + 1, dtype=np.intp)
    code[categories + 1] = np.arange(len(categories)) + 1
    return [
        _chunk(
            design,
            pattern=some,
            key=key[some],
            answers=code[design.answers[some]],
            categories=len(categories),
        )
        for some in np.split(order, range(PATTERNS, len(order), PATTERNS))
    ]


def _chunk(design: Design, *, pattern: IntArray, key: IntArray, answers: CodeArray, categories: int) -> Chunk:
    found, first, of_class = np.unique(key, return_index=True, return_inverse=True)
    cell, profile = np.divmod(found, len(design.profiles))
    count = design.count[pattern]
    number, items = answers.shape
    code = (of_class[:, None] * items + np.arange(items)) * categories + answers - 1
    present = answers > 0
    distinct, inverse = np.unique(code[present], return_inverse=True)
    place = np.full(answers.shape, len(distinct), dtype=np.intp)
    place[present] = inverse
    starts = np.concatenate([[0], np.cumsum(present.sum(axis=1))]).astype(np.int32)
    matrix = sparse.csr_array(
        (np.ones(len(inverse)), inverse.astype(np.int32), starts), shape=(number, len(distinct))
    )
    rest, category = np.divmod(distinct, categories)
    answered_class, item = np.divmod(rest, items)
    return Chunk(
        classes=np.hstack([np.eye(len(design.cells))[cell], design.profiles[profile]]),
        matrix=matrix,
        place=place,
        pattern=pattern,
        count=count,
        square=design.square[pattern],
        first=first,
        of_class=answered_class,
        item=item,
        category=category + 1,
        total=add_by(inverse, np.repeat(count, present.sum(axis=1)), len(distinct)),
        ceiling=np.where(category + 1 == categories, np.inf, 0.0),
        floor=np.where(category == 0, -np.inf, 0.0),
    )
