"""The likelihood of a cumulative link model with random intercepts a team and a respondent nested in it.

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
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse

from surveywaves.mixed.design import Design, FloatArray, IntArray, add_by
from surveywaves.mixed.links import Order
from surveywaves.mixed.quadrature import Chunk, Likelihood, Point, Total, log_normal

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
        """Give the point and, with `order` 2, (D, T) the scores."""
        size = self.size
        outside = Point(theta, -math.inf, np.zeros(size), np.zeros((size, size))), np.zeros((size, 0))
        kernel, shift = None, theta[-1] * nodes.teams
        if len(nodes.latent):
            if not abs(theta[-2]) > nodes.latent[1] - nodes.latent[0]:
                return outside
            kernel, shift = _kernel(theta[-2], theta[-1], nodes), nodes.latent
        logs = np.tile(log_normal(nodes.teams), (self.teams, 1))
        held = []
        for chunk, members in zip(self.likelihood.chunks, self._members, strict=True):
            lower, upper = self.likelihood.bounds(chunk, self.likelihood.rows(chunk), theta[:-2])
            if not (upper > lower).all():
                return outside
            mass = chunk.matrix @ self.likelihood.link.interval(lower, upper, shift, order=0).log
            peak = mass.max(axis=1)
            mass -= peak[:, None]
            if kernel is None:
                log = mass + peak[:, None]
            else:
                np.exp(mass, out=mass)
                log = np.log(np.maximum(mass @ kernel.value, TINY)) + peak[:, None]
            logs[members.teams] += members.matrix @ log
            held.append(_Held(chunk, members, lower, upper, mass))
        top = logs.max(axis=1)
        posterior = np.exp(logs - top[:, None])
        sums = posterior.sum(axis=1)
        point = replace(outside[0], loglik=float((top + np.log(sums)).sum()))
        if not order:
            return point, outside[1]
        posterior /= sums[:, None]
        live = np.flatnonzero(posterior.max(axis=0) > DEAD)
        work = _Work(self, posterior[:, live], order)
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

    (U,) bounds of the distinct answers; (B, Q) chance of each pattern's answers at each u, as a share of the
    highest.
    """

    chunk: Chunk
    members: Members
    lower: FloatArray
    upper: FloatArray
    mass: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Kernel:
    """W and its derivatives by tau and omega, each (Q, M)."""

    value: FloatArray
    by_tau: FloatArray
    by_omega: FloatArray
    by_tau_twice: FloatArray
    by_both: FloatArray
    by_omega_twice: FloatArray

    def some(self, nodes: IntArray | slice) -> Kernel:
        """Only for some of the teams' nodes."""
        parts = (self.value, self.by_tau, self.by_omega, self.by_tau_twice, self.by_both, self.by_omega_twice)
        return Kernel(*(part[:, nodes] for part in parts))


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
    nested
        The likelihood.
    posterior
        (T, M) of each team's nodes.
    order
        How many derivatives.
    """

    def __init__(self, nested: Nested, posterior: FloatArray, order: Order) -> None:
        self._likelihood, self._posterior, self._order = nested.likelihood, posterior, order
        size = nested.size
        self.gradient = np.zeros(size)
        self.hessian = np.zeros((size, size))
        self._scores = np.zeros((size, *posterior.shape) if order == 2 else 0)

    def add(self, held: _Held, shift: FloatArray, kernel: Kernel) -> None:
        """Add patterns whose shift is tau z + omega v."""
        chunk, mass, fixed = held.chunk, held.mass, len(self.gradient) - 2
        at = self._likelihood.link.interval(held.lower, held.upper, shift, order=self._order)
        rows = self._likelihood.rows(chunk)
        chance = np.maximum(mass @ kernel.value, TINY)
        weight = held.members.matrix.T @ self._posterior[held.members.teams]
        ratio = weight / chance
        joint = mass * (ratio @ kernel.value.T)
        total = Total(self._likelihood.size)
        total.add_complete(rows, at, chunk.matrix.T @ joint, nodes=shift, order=self._order)
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
            mean = np.concatenate(
                [score @ part.value, (mass @ part.by_tau)[None], (mass @ part.by_omega)[None]]
            )
            mean /= chance[:, some]
            self.hessian -= _cross_product(mean, weight[:, some])
            self._add_scores(held.members, mean, some)

    def add_flat(self, held: _Held, nodes: FloatArray, omega: float) -> None:
        """Add patterns whose shift is omega v, tau being 0."""
        chunk = held.chunk
        at = self._likelihood.link.interval(held.lower, held.upper, omega * nodes, order=self._order)
        rows = self._likelihood.rows(chunk)
        weight = held.members.matrix.T @ self._posterior[held.members.teams]
        total = Total(self._likelihood.size)
        total.add_complete(rows, at, chunk.matrix.T @ weight, nodes=nodes, order=self._order)
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
