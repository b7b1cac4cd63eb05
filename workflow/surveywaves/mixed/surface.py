"""A log-likelihood with as many nodes of its quadrature as a place needs, and its maximum."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Protocol

import numpy as np

from surveywaves.mixed.climb import Evaluate, Summit, climb, newton
from surveywaves.mixed.design import FloatArray, IntArray
from surveywaves.mixed.links import Link
from surveywaves.mixed.ordinal_teams import Nested, Nodes
from surveywaves.mixed.quadrature import Likelihood, Point
from surveywaves.tidy import Status

MOST_NODES: Final = 1 << 11

QUADRATURE: Final = 1e-8
"""What finer nodes may change: the log-likelihood by a tenth of this share of it, the scaled gradient by this.
The estimates are then the same to a ten thousandth of their standard errors."""

WIDER: Final = 1.3
"""Finer nodes reach so many times as far."""

COARSEST: Final = 0.5
"""The longest step of the nodes of u, in units of tau."""

MARGIN: Final = 1.1
"""With tau below so many steps of the nodes of u, they are set anew; below one, there is no likelihood."""

MOST_RESETS: Final = 12


@dataclass(frozen=True, slots=True)
class Grid:
    """As many nodes as values of tau and omega need.

    With J answers whose information about the latent answer is 1 / variance each at most, z given the answers
    has a standard deviation of (1 + tau^2 J / variance)^(-1/2) at least, and with a step of one standard
    deviation of a normal integrand the trapezoidal rule is wrong by 2 exp(-2 pi^2), 5e-9 of it. So has a
    respondent's shift u given the team, (1 / tau^2 + J / variance)^(-1/2); and a team's v with n members
    (1 + omega^2 n / (tau^2 + variance / J))^(-1/2).

    Parameters
    ----------
    link
        The latent distribution.
    nodes, reach
        Nodes, at least, and standard deviations of z that they span to each side.
    answers
        The largest number of items a respondent answered.
    members
        The largest sum of the weights of a team's respondents.
    """

    link: Link
    nodes: int
    reach: float
    answers: int
    members: float = 0.0

    def at(self, tau: float, *, finer: int = 0) -> FloatArray:
        """Equally spaced nodes of z; with `finer`, their step is halved so many times, and they reach further."""
        return self._spaced(self.reach, 1 / math.sqrt(1 + tau**2 * self.answers / self.link.variance), finer)

    def nested(self, tau: float, omega: float, *, finer: int = 0) -> Nodes:
        """Equally spaced nodes of v and, unless tau is 0, of u."""
        least = self.link.variance / max(self.answers, 1)
        narrow = 1 / math.sqrt(1 + omega**2 * self.members / (tau**2 + least))
        teams = self._spaced(self.reach, narrow, finer)
        if tau == 0:
            return Nodes(teams, np.zeros(0))
        wide = self.reach * (abs(tau) + abs(omega))
        narrow = min(1 / math.sqrt(1 / tau**2 + 1 / least), COARSEST * abs(tau))
        return Nodes(teams, self._spaced(wide, narrow, finer))

    def _spaced(self, reach: float, step: float, finer: int) -> FloatArray:
        steps = max(self.nodes - 1, math.ceil(2 * reach / step))
        step = 2 * reach / steps / 2**finer
        half = math.ceil(WIDER * reach / step) if finer else steps / 2
        return np.asarray(step * np.arange(-half, half + 1), dtype=np.float64)


class Surface(Protocol):
    """A log-likelihood by D parameters, of which the last are standard deviations."""

    @property
    def size(self) -> int:
        """D."""

    @property
    def fixed(self) -> int:
        """How many of them are thresholds and coefficients."""

    def near(self, theta: FloatArray, *, finer: int = 0) -> Evaluate | None:
        """Give the log-likelihood with nodes that do for a place and around it; None if they would be too many."""

    def outgrown(self, theta: FloatArray, place: FloatArray, *, finer: int = 0) -> bool:
        """Whether the nodes that do for one place are too coarse for another."""

    def meat(self, theta: FloatArray, origin: FloatArray, *, finer: int = 0) -> tuple[FloatArray, float]:
        """(D, D) sum over clusters of the cross-product of their score; and how many clusters.

        By the nodes that do for `origin`.
        """


@dataclass(frozen=True, slots=True, eq=False)
class Respondents:
    """Respondents without teams; the last parameter is tau."""

    likelihood: Likelihood
    grid: Grid

    @property
    def size(self) -> int:
        """D."""
        return self.likelihood.size

    @property
    def fixed(self) -> int:
        """All but tau."""
        return self.size - 1

    def near(self, theta: FloatArray, *, finer: int = 0) -> Evaluate | None:
        """By nodes of z."""
        nodes = self.grid.at(float(theta[-1]), finer=finer)
        return None if len(nodes) > MOST_NODES else partial(self.likelihood.at, nodes=nodes)

    def outgrown(self, theta: FloatArray, place: FloatArray, *, finer: int = 0) -> bool:  # noqa: ARG002
        """Nodes that are too coarse are noticed at the end."""
        return False

    def meat(self, theta: FloatArray, origin: FloatArray, *, finer: int = 0) -> tuple[FloatArray, float]:
        """Clusters are respondents."""
        meat = self.likelihood.meat(theta, self.grid.at(float(origin[-1]), finer=finer))
        return meat, float(self.likelihood.design.persons.sum())


@dataclass(frozen=True, slots=True, eq=False)
class Teams:
    """Respondents nested in teams; the last parameters are tau and omega."""

    nested: Nested
    grid: Grid

    @property
    def size(self) -> int:
        """D."""
        return self.nested.size

    @property
    def fixed(self) -> int:
        """All but tau and omega."""
        return self.size - 2

    def near(self, theta: FloatArray, *, finer: int = 0) -> Evaluate | None:
        """By nodes of v and u."""
        nodes = self.grid.nested(float(theta[-2]), float(theta[-1]), finer=finer)
        many = max(len(nodes.teams), len(nodes.latent)) > MOST_NODES
        return None if many else partial(self.nested.at, nodes=nodes)

    def outgrown(self, theta: FloatArray, place: FloatArray, *, finer: int = 0) -> bool:
        """Where tau has become too small for the nodes of u."""
        nodes = self.grid.nested(float(theta[-2]), float(theta[-1]), finer=finer).latent
        return len(nodes) > 0 and abs(float(place[-2])) < MARGIN * (nodes[1] - nodes[0])

    def meat(self, theta: FloatArray, origin: FloatArray, *, finer: int = 0) -> tuple[FloatArray, float]:
        """Clusters are teams."""
        nodes = self.grid.nested(float(origin[-2]), float(origin[-1]), finer=finer)
        scores = self.nested.scores(theta, nodes)
        return scores.T @ scores, float(len(scores))


@dataclass(frozen=True, slots=True, eq=False)
class Peak:
    """The maximum over some parameters of a surface.

    Parameters
    ----------
    summit
        The place.
    free
        Which parameters were estimated.
    origin, finer
        The place whose nodes were used, and how often their step was halved.
    """

    summit: Summit
    free: IntArray
    origin: FloatArray
    finer: int = 0


def maximise(
    surface: Surface,
    theta: FloatArray,
    *,
    free: IntArray,
    extent: FloatArray,
    beyond: Callable[[FloatArray], bool],
    hessian: FloatArray | None = None,
) -> Peak | tuple[Status, str] | FloatArray:
    """Climb from a place, and again with finer nodes until they make no difference.

    Parameters
    ----------
    surface, theta, free, extent, hessian
        See `climb`.
    beyond
        Says at which places to give up.

    Returns
    -------
    Peak, (Status, str) or ndarray
        The maximum; why there is none; or the place where `beyond` was true.
    """
    finer = resets = 0
    while True:
        start = theta
        evaluate = surface.near(start, finer=finer)
        if evaluate is None:
            return Status.NOT_CONVERGED, f"{MOST_NODES} nodes are not enough to integrate over respondents"

        def leave(place: FloatArray, start: FloatArray = start, finer: int = finer) -> bool:
            return beyond(place) or surface.outgrown(start, place, finer=finer)

        summit = climb(evaluate, start, free=free, extent=extent, beyond=leave, hessian=hessian)
        theta, hessian = summit.point.theta, summit.point.hessian
        if beyond(theta):
            return theta
        if not summit.converged:
            if surface.outgrown(start, theta, finer=finer) and resets < MOST_RESETS:
                resets += 1
                continue
            return (
                Status.NOT_CONVERGED,
                f"no maximum of the likelihood was found (scaled gradient {summit.scaled_gradient:.1e})",
            )
        finer += 1
        check = surface.near(theta, finer=finer)
        if check is None:
            return Status.NOT_CONVERGED, f"{MOST_NODES} nodes are not enough to integrate over respondents"
        point = check(theta, order=1)
        change = abs(point.loglik - summit.point.loglik) / abs(point.loglik)
        _, shift, _ = newton(point.gradient, summit.point.hessian, free)
        if change <= QUADRATURE / 10 and shift <= QUADRATURE:
            return Peak(_positive(summit, surface.fixed), free, start, finer - 1)


def _positive(summit: Summit, fixed: int) -> Summit:
    """Turn standard deviations positive: the likelihood does not know their sign."""
    point = summit.point
    sign = np.ones(len(point.theta))
    sign[fixed:] = np.where(point.theta[fixed:] < 0, -1.0, 1.0)
    point = Point(
        sign * point.theta, point.loglik, sign * point.gradient, np.outer(sign, sign) * point.hessian
    )
    return replace(summit, point=point)
