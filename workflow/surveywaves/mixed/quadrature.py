"""The likelihood of a cumulative link model with random intercepts for respondents and teams, by quadrature.

Without teams. For category k of item j, answered by respondent i of class e (a distinct combination of cell and
covariates), with thresholds -inf = a_0 < a_1 < ... < a_K = inf,

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

With teams,

    P(y_ij <= k | z_i, v_t) = F(a_k - x_e'b - item_j - tau z_i - omega v_t),   z_i, v_t ~ N(0, 1),

for respondent i of team t. Given the team, respondents are independent:

    log L = sum over teams t of  log sum over nodes m of  w_m  exp(sum over patterns r of  n_tr log L_rm),

where n_tr is how many respondents of team t have pattern r (or the sum of their weights), and L_rm the chance of
the pattern in a team at node v_m. With u = tau z + omega v, the whole shift of a respondent,

    L_rm = sum over nodes q of  W_qm  exp(sum over items of log P(u_q)),   W_qm = N(u_q; omega v_m, tau^2) du,

so that what the answers say is worked out once for each distinct pattern and u, whatever the teams and their
nodes. To go over to the teams' nodes is a product with the small matrix W, so that many equally spaced nodes of
a team, as the narrow posterior of a large team needs, cost little. Only W depends on tau and omega. Where tau is
0, u = omega v, and there is no W.

The gradient is the expectation of the score over the posterior of the nodes, and the Hessian follows by Louis'
formula (1982, J. R. Stat. Soc. B 44, 226) twice: within a respondent over u given v, within a team over v. Both
are exact for the sums above.

With weights this is the weighted pseudo-likelihood of Rabe-Hesketh and Skrondal (2006) J. R. Stat. Soc. A 169,
805, teams weighing 1.

Sources: Hedeker and Gibbons (1994) Biometrics 50, 933; Rabe-Hesketh, Skrondal and Pickles (2005) J. Econometrics
128, 301 (nested quadrature).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.special import logsumexp, softmax

from surveywaves.mixed.cumulative import Answers, Interval, Link, Total, independent, outside
from surveywaves.mixed.design import BoolArray, CodeArray, Design, FloatArray, IntArray, add_by
from surveywaves.mixed.newton import Order, Point

PATTERNS: Final = 1 << 10
"""Patterns worked on at a time: what they need at all nodes stays in a processor's cache."""


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """Some patterns, and the distinct answers among them: class, item, category.

    In the shapes below, B is the number of patterns, U of distinct answers, J of items, E of classes here, v of
    columns of cells and covariates that are not 0 in all of these.
    """

    owned: IntArray
    classes: FloatArray
    """(v,) where such columns stand among cells and covariates; (E, v) those of each class."""
    matrix: sparse.csr_array
    """(B, U) 1 where a pattern has the answer."""
    place: IntArray
    """(B, J) which of the U answers; U where missing."""
    pattern: IntArray
    """(B,) its row in the design."""
    count: FloatArray
    square: FloatArray
    """(B,) the sum of the respondents' weights and of their squares."""
    first: IntArray
    """(E,) first pattern of each class."""
    of_class: IntArray
    item: IntArray
    category: IntArray
    """(U,) of each distinct answer; categories count from 1."""
    total: FloatArray
    """(U,) respondents with the answer."""
    ceiling: FloatArray
    floor: FloatArray
    """(U,) what is added to the upper and to the lower bound: 0, or inf and -inf where there is none."""


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
        other.chunks = []
        for chunk, above, below in zip(self.chunks, ceilings, floors, strict=True):
            ceiling, floor = np.where(above, np.inf, chunk.ceiling), np.where(below, -np.inf, chunk.floor)
            other.chunks.append(replace(chunk, ceiling=ceiling, floor=floor))
        return other

    def answers(self, chunk: Chunk) -> Answers:
        """Return the distinct answers of some patterns."""
        number, thresholds = np.arange(len(chunk.item)), self.thresholds
        items = range(self._items.start, self._items.stop)
        upper = np.zeros((len(number), thresholds + len(items)))
        later = np.flatnonzero(chunk.item)
        upper[later, thresholds + chunk.item[later] - 1] = -1.0
        lower = upper.copy()
        some = chunk.category <= thresholds
        upper[number[some], chunk.category[some] - 1] = 1.0
        some = chunk.category > 1
        lower[number[some], chunk.category[some] - 2] = 1.0
        return Answers(
            np.r_[0:thresholds, self._items],
            upper,
            lower,
            self._owned[chunk.owned],
            chunk.classes,
            chunk.of_class,
            np.searchsorted(chunk.of_class, np.arange(len(chunk.classes))),
            chunk.ceiling,
            chunk.floor,
            chunk.total,
        )

    def extent(self) -> FloatArray:
        """(D,) what a unit of each parameter moves the linear predictor, at most; 1 for tau."""
        extent = np.zeros(self.size)
        extent[-1] = 1.0
        for answers in map(self.answers, self.chunks):
            for columns, rows in (
                (answers.columns, answers.upper),
                (answers.columns, answers.lower),
                (answers.owned, answers.classes),
            ):
                extent[columns] = np.maximum(extent[columns], np.abs(rows).max(axis=0, initial=0.0))
        return extent

    def gram(self) -> FloatArray:
        """(D - 1, D - 1) cross-product of the rows of all finite bounds, weighted by respondents."""
        total = np.zeros((self.size - 1, self.size - 1))
        for answers in map(self.answers, self.chunks):
            uu, ll = (np.where(np.isfinite(end), answers.total, 0.0) for _, end in answers.sides)
            answers.add_crossed(total, uu, ll, np.zeros_like(uu))
        return total

    def single(self) -> bool:
        """Whether no respondent gave two answers that have a finite bound."""
        for chunk in self.chunks:
            told = np.isfinite(chunk.ceiling) | np.isfinite(chunk.floor)
            if (chunk.matrix @ told.astype(np.float64) > 1).any():
                return False
        return True

    def standing(self) -> BoolArray:
        """(D - 1,) thresholds and coefficients of some answers that move no bound: those at infinity."""
        there, moving = np.zeros(self.size - 1), np.zeros(self.size - 1)
        for answers in map(self.answers, self.chunks):
            owned = np.abs(answers.classes)
            for rows, end in answers.sides:
                finite = np.isfinite(end)
                there[answers.columns] += np.abs(rows).sum(axis=0)
                moving[answers.columns] += np.abs(rows[finite]).sum(axis=0)
                there[answers.owned] += owned.sum(axis=0)
                moving[answers.owned] += answers.by_class(finite.astype(np.float64)) @ owned
        return np.asarray((there > 0) & (moving == 0), dtype=np.bool_)

    def independent(self, theta: FloatArray, *, order: Order = 2) -> Point:
        """As if every answer were a respondent's only one: tau = 0, and no derivatives by tau."""
        return independent(map(self.answers, self.chunks), self.link, theta, order=order)

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
            answers = self.answers(chunk)
            at = answers.interval(self.link, theta[:-1], theta[-1] * nodes, order=order)
            if at is None:
                return outside(theta)
            posterior = chunk.matrix @ at.log
            posterior += log_weights
            peak = posterior.max(axis=1)
            posterior -= peak[:, None]
            np.exp(posterior, out=posterior)
            mass = posterior @ ones
            total.loglik += float(chunk.count @ (peak + np.log(mass)))
            if order:
                posterior *= (chunk.count / mass)[:, None]
                total.add_complete(answers, at, chunk.matrix.T @ posterior, nodes=nodes, order=order)
            if order == 2:
                self._spread(chunk, at, posterior, nodes=nodes, hessian=total.hessian)
        return Point(theta, total.loglik, total.gradient, total.hessian)

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
        hessian[own[:, None], own] += covariance - (mean / chunk.count) @ mean.T
        held = whole * posterior
        held_mean = held.sum(axis=1)
        with_own = np.einsum("mbq,bq->mb", score, held) - mean * (held_mean / chunk.count)
        alone = (held * whole).sum(axis=1) - held_mean**2 / chunk.count
        owned, classes = self._owned[chunk.owned], chunk.classes
        cross = classes.T @ np.add.reduceat(with_own, chunk.first, axis=1).T
        hessian[owned[:, None], own] += cross
        hessian[own[:, None], owned] += cross.T
        square = np.add.reduceat(alone, chunk.first)
        hessian[owned[:, None], owned] += classes.T @ (classes * square[:, None])

    def meat(self, theta: FloatArray, nodes: FloatArray) -> FloatArray:
        """(D, D) sum over respondents of their squared weight times the cross-product of their score."""
        log_weights = log_normal(nodes)
        total = np.zeros((self.size, self.size))
        for chunk in self.chunks:
            at = self.answers(chunk).interval(self.link, theta[:-1], theta[-1] * nodes, order=1)
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
        by_threshold = (chunk.matrix @ table.reshape(answers, -1)).reshape(patterns, thresholds, size)
        score[:thresholds] = by_threshold.swapaxes(0, 1)
        padded = np.concatenate([predictor, np.zeros((1, size))])
        for item in range(1, chunk.place.shape[1]):
            score[thresholds + item - 1] = padded[chunk.place[:, item]]
        whole = chunk.matrix @ predictor
        np.multiply(whole, nodes, out=score[-1])
        return own, score, whole

    def score(self, chunk: Chunk, at: Interval, nodes: FloatArray) -> FloatArray:
        """(D, B, nodes) score of each pattern at each node, if that were known."""
        own, by_own, whole = self._own_score(chunk, at, nodes)
        score = np.zeros((self.size, *whole.shape))
        score[own] = by_own
        repeats = np.diff(np.append(chunk.first, len(whole)))
        for place, values in zip(self._owned[chunk.owned], chunk.classes.T, strict=True):
            np.multiply(np.repeat(values, repeats)[:, None], whole, out=score[place])
        return score


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
        _chunk(design, some, key[some], code[design.answers[some]], len(categories))
        for some in np.split(order, range(PATTERNS, len(order), PATTERNS))
    ]


def _chunk(design: Design, pattern: IntArray, key: IntArray, answers: CodeArray, categories: int) -> Chunk:
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
    cells, own = np.unique(cell, return_inverse=True)
    covariates = np.arange(len(design.covariates))
    return Chunk(
        owned=np.concatenate([cells, len(design.cells) + covariates]),
        classes=np.hstack([np.eye(len(cells))[own], design.profiles[profile]]),
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


TINY: Final = 1e-290
"""A pattern's chance at a team's node, as a share of its highest at any u, that is taken for the smallest."""

DEAD: Final = 1e-18
"""Nodes with less posterior mass than this in every team add nothing to a derivative."""

NODES: Final = 1 << 6
"""Teams' nodes worked on at a time."""


class Nodes(NamedTuple):
    """Equally spaced: (M,) values of a team's v; (Q,) of a respondent's shift u, none where tau is 0."""

    teams: FloatArray
    latent: FloatArray


class Nested:
    """The log-likelihood as a function of (thresholds, coefficients, tau, omega): D parameters.

    Parameters
    ----------
    likelihood
        That of the same respondents without teams.
    teams
        (T, patterns of the likelihood's design) how many respondents of each team have each pattern.
    """

    def __init__(self, likelihood: Likelihood, teams: sparse.csr_array) -> None:
        self.likelihood = likelihood
        """Without teams."""
        self.size = likelihood.size + 1
        """D."""
        self.teams = teams.shape[0]
        """T."""
        by_pattern = teams.tocsc()
        self._members = [_members(by_pattern[:, chunk.pattern].tocsr()) for chunk in likelihood.chunks]

    def at(self, theta: FloatArray, nodes: Nodes, *, order: Order = 2) -> Point:
        """Evaluate the log-likelihood, and with `order` 1 or 2 its gradient or its gradient and Hessian.

        At tau = 0 the derivatives by tau are 0, but for the second by tau alone. Where the nodes of u are too
        coarse for tau, this is outside the parameter space.
        """
        return self._evaluate(theta, nodes, order)[0]

    def scores(self, theta: FloatArray, nodes: Nodes) -> FloatArray:
        """(T, D) gradient of each team's log-likelihood."""
        return self._evaluate(theta, nodes, 2)[1].T

    def _evaluate(self, theta: FloatArray, nodes: Nodes, order: Order) -> tuple[Point, FloatArray]:
        """Return the point and, with `order` 2, (D, T) the scores."""
        nowhere = outside(theta), np.zeros((self.size, 0))
        kernel, shift = None, theta[-1] * nodes.teams
        if len(nodes.latent):
            if not abs(theta[-2]) > nodes.latent[1] - nodes.latent[0]:
                return nowhere
            kernel, shift = _kernel(theta[-2], theta[-1], nodes), nodes.latent
        logs = np.tile(log_normal(nodes.teams), (self.teams, 1))
        held = []
        for chunk, members in zip(self.likelihood.chunks, self._members, strict=True):
            answers = self.likelihood.answers(chunk)
            at = answers.interval(self.likelihood.link, theta[:-2], shift, order=0)
            if at is None:
                return nowhere
            mass = chunk.matrix @ at.log
            peak = mass.max(axis=1)
            mass -= peak[:, None]
            if kernel is None:
                log = mass + peak[:, None]
            else:
                np.exp(mass, out=mass)
                log = np.log(np.maximum(mass @ kernel.value, TINY)) + peak[:, None]
            logs[members.teams] += members.matrix @ log
            held.append(_Held(chunk, members, mass))
        top = logs.max(axis=1)
        posterior = np.exp(logs - top[:, None])
        sums = posterior.sum(axis=1)
        point = replace(nowhere[0], loglik=float((top + np.log(sums)).sum()))
        if not order:
            return point, nowhere[1]
        posterior /= sums[:, None]
        live = np.flatnonzero(posterior.max(axis=0) > DEAD)
        work = _Work(self, theta[:-2], posterior[:, live], order)
        for one in held:
            if kernel is None:
                work.add_flat(one, nodes.teams[live], float(theta[-1]))
            else:
                work.add(one, shift, kernel.some(live))
        scores = work.finish()
        return replace(point, gradient=work.gradient, hessian=work.hessian), scores


class Members(NamedTuple):
    """Which teams have members among some patterns, and (teams, B) how many of each."""

    teams: IntArray
    matrix: sparse.csr_array


class _Held(NamedTuple):
    """Some patterns between the two passes over them.

    (B, Q) chance of each pattern's answers at each u, as a share of the highest.
    """

    chunk: Chunk
    members: Members
    mass: FloatArray


class Kernel(NamedTuple):
    """W and its derivatives by tau and omega, each (Q, M)."""

    value: FloatArray
    by_tau: FloatArray
    by_omega: FloatArray
    by_tau_twice: FloatArray
    by_both: FloatArray
    by_omega_twice: FloatArray

    def some(self, nodes: IntArray | slice) -> Kernel:
        """Only for some of the teams' nodes."""
        return Kernel(*(part[:, nodes] for part in self))


def _kernel(tau: float, omega: float, nodes: Nodes) -> Kernel:
    u, v = nodes.latent[:, None], nodes.teams[None, :]
    away = (u - omega * v) / tau
    value = np.exp(-(away**2) / 2) * ((u[1, 0] - u[0, 0]) / abs(tau) / math.sqrt(2 * math.pi))
    return Kernel(
        value,
        by_tau=value * (away**2 - 1) / tau,
        by_omega=value * away * v / tau,
        by_tau_twice=value * (away**4 - 5 * away**2 + 2) / tau**2,
        by_both=value * (away**3 - 3 * away) * v / tau**2,
        by_omega_twice=value * (away**2 - 1) * v**2 / tau**2,
    )


class _Work:
    """The derivatives, as chunks are added.

    Parameters
    ----------
    nested, theta
        The likelihood; (D - 2,) thresholds and coefficients.
    posterior
        (T, M) of each team's nodes.
    order
        How many derivatives.
    """

    def __init__(self, nested: Nested, theta: FloatArray, posterior: FloatArray, order: Order) -> None:
        self._likelihood, self._theta = nested.likelihood, theta
        self._posterior, self._order = posterior, order
        size = nested.size
        self.gradient = np.zeros(size)
        self.hessian = np.zeros((size, size))
        self._scores = np.zeros((size, *posterior.shape) if order == 2 else 0)

    def add(self, held: _Held, shift: FloatArray, kernel: Kernel) -> None:
        """Add patterns whose shift is tau z + omega v."""
        chunk, mass, fixed = held.chunk, held.mass, len(self.gradient) - 2
        answers, at = self._interval(chunk, shift)
        chance = np.maximum(mass @ kernel.value, TINY)
        weight = held.members.matrix.T @ self._posterior[held.members.teams]
        ratio = weight / chance
        joint = mass * (ratio @ kernel.value.T)
        total = Total(self._likelihood.size)
        total.add_complete(answers, at, chunk.matrix.T @ joint, nodes=shift, order=self._order)
        cross = mass.T @ ratio
        self.gradient[:-2] += total.gradient[:-1]
        self.gradient[-2] += (cross * kernel.by_tau).sum()
        self.gradient[-1] += (cross * kernel.by_omega).sum()
        if self._order < 2:
            return
        score = self._likelihood.score(chunk, at, shift)[:-1]
        self.hessian[:-2, :-2] += total.hessian[:-1, :-1] + _cross_product(score, joint)
        for place, by in ((fixed, kernel.by_tau), (fixed + 1, kernel.by_omega)):
            with_it = np.tensordot(score, mass * (ratio @ by.T), 2)
            self.hessian[:-2, place] += with_it
            self.hessian[place, :-2] += with_it
        both = (cross * kernel.by_both).sum()
        self.hessian[-2:, -2:] += np.array(
            [[(cross * kernel.by_tau_twice).sum(), both], [both, (cross * kernel.by_omega_twice).sum()]]
        )
        score *= mass
        for start in range(0, weight.shape[1], NODES):
            some = slice(start, start + NODES)
            part = kernel.some(some)
            slopes = np.stack([mass @ part.by_tau, mass @ part.by_omega])
            mean = np.concatenate([score @ part.value, slopes])
            mean /= chance[:, some]
            self.hessian -= _cross_product(mean, weight[:, some])
            self._add_scores(held.members, mean, some)

    def add_flat(self, held: _Held, nodes: FloatArray, omega: float) -> None:
        """Add patterns whose shift is omega v, tau being 0."""
        chunk = held.chunk
        answers, at = self._interval(chunk, omega * nodes)
        weight = held.members.matrix.T @ self._posterior[held.members.teams]
        total = Total(self._likelihood.size)
        total.add_complete(answers, at, chunk.matrix.T @ weight, nodes=nodes, order=self._order)
        moved = np.delete(np.arange(len(self.gradient)), -2)
        self.gradient[moved] += total.gradient
        if self._order < 2:
            return
        self.hessian[np.ix_(moved, moved)] += total.hessian
        slope = chunk.matrix @ -(at.by_upper + at.by_lower)
        bend = chunk.matrix @ (at.by_upper_twice + 2 * at.by_both + at.by_lower_twice)
        self.hessian[-2, -2] += float((weight * (bend + slope**2)).sum())
        score = np.insert(self._likelihood.score(chunk, at, nodes), len(self.gradient) - 2, 0.0, axis=0)
        self._add_scores(held.members, score, slice(None))

    def finish(self) -> FloatArray:
        """Add the posterior covariance of each team's score to the Hessian; give (D, T) the scores' means."""
        if self._order < 2:
            return np.zeros((len(self.gradient), 0))
        mean: FloatArray = np.einsum("dtm,tm->dt", self._scores, self._posterior)
        self.hessian += _cross_product(self._scores, self._posterior) - mean @ mean.T
        return mean

    def _interval(self, chunk: Chunk, shift: FloatArray) -> tuple[Answers, Interval]:
        answers = self._likelihood.answers(chunk)
        lower, upper = answers.bounds(self._theta)
        return answers, self._likelihood.link.interval(lower, upper, shift, order=self._order)

    def _add_scores(self, members: Members, score: FloatArray, nodes: slice) -> None:
        """Add (D, B, some nodes) scores to those of the patterns' teams."""
        for place, one in enumerate(score):
            self._scores[place, members.teams, nodes] += members.matrix @ one


def _cross_product(values: FloatArray, weight: FloatArray) -> FloatArray:
    """(D, D) weighted cross-product of (D, ...) values."""
    size = len(values)
    return np.asarray((values * weight).reshape(size, -1) @ values.reshape(size, -1).T, dtype=np.float64)


def _members(matrix: sparse.csr_array) -> Members:
    teams = np.flatnonzero(np.diff(matrix.indptr))
    return Members(teams, matrix[teams])


def without_teams(design: Design) -> tuple[Design, sparse.csr_array]:
    """Put respondents together that differ by their team only.

    Returns
    -------
    design, teams
        Of which every pattern is a group of its own; and (T, patterns) the sum of the weights of a team's
        respondents with each pattern.
    """
    cell, profile = design.cell[design.group], design.profile[design.group]
    table = pd.DataFrame({"cell": cell, "profile": profile} | dict(enumerate(design.answers.T)))
    index = table.groupby(list(table.columns), sort=True).ngroup().to_numpy()
    _, first = np.unique(index, return_index=True)
    size = len(first)
    teams = sparse.csr_array(
        (design.count, (design.team[design.group], index)), shape=(len(design.teams), size)
    )
    return replace(
        design,
        teams=(),
        cell=cell[first],
        profile=profile[first],
        team=np.zeros(size, dtype=np.intp),
        answered=design.answers[first] > 0,
        group=np.arange(size),
        answers=design.answers[first],
        persons=add_by(index, design.persons, size),
        count=add_by(index, design.count, size),
        square=add_by(index, design.square, size),
    ), teams
