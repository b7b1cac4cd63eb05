"""The maximum of a cumulative link mixed model's likelihood: first without respondents, then with them.

Without (tau = 0), the log-likelihood is concave: it has one maximum, or none that is finite. If it has none,
the model with respondents has none either, since what moves the bounds of every answer apart raises its
likelihood at any z; both then have a limit, in which those bounds are at infinity.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np

from surveywaves.mixed.climb import Summit, climb, follow, newton, receding
from surveywaves.mixed.design import BoolArray, FloatArray, IntArray
from surveywaves.mixed.linear import ESTIMABLE
from surveywaves.mixed.links import Link
from surveywaves.mixed.quadrature import Likelihood
from surveywaves.mixed.reml import independent_columns
from surveywaves.tidy import Status

MOST_NODES: Final = 1 << 11

HOPELESS: Final = (1e-4, 1e-7, 1e-10, 0.0)
"""Scaled gradients at which long steps are looked at, whether they lead to infinity."""

QUADRATURE: Final = 1e-8
"""What finer nodes may change: the log-likelihood by a tenth of this share of it, the scaled gradient by this.
The estimates are then the same to a ten thousandth of their standard errors."""

WIDER: Final = 1.3
"""Finer nodes reach so many times as far."""

STARTS: Final = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Values of tau to start from, in latent standard deviations."""

ENOUGH: Final = 1 << 14
"""Patterns that are enough to say where to start."""

SMALLEST_TAU: Final = 1e-5
"""Below this many latent standard deviations, tau is 0."""

LARGEST_TAU: Final = 30.0
"""Beyond this many latent standard deviations (an ICC of 0.999), answers hardly differ within a respondent."""


@dataclass(frozen=True, slots=True, eq=False)
class Determined:
    """Which combinations of thresholds and coefficients the bounds of the answers determine.

    Parameters
    ----------
    null
        (T + P, nullity) combinations that move no bound, of norm 1, on the scale of `scale`.
    scale
        (T + P,).
    """

    null: FloatArray
    scale: FloatArray

    def __call__(self, rows: FloatArray) -> bool:
        """Whether each of (number, T + P) combinations is determined."""
        vectors = rows / self.scale
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        return bool(np.all(np.abs(vectors @ self.null) <= ESTIMABLE * norms))


@dataclass(frozen=True, slots=True, eq=False)
class Alone:
    """The maximum without respondents.

    Parameters
    ----------
    likelihood
        With the bounds at infinity that have to be.
    summit
        The maximum.
    free
        Which thresholds and coefficients are estimated, the others being 0.
    determined, determined_at_first
        By the bounds that are finite, and by all.
    separated
        Whether some bounds are at infinity.
    """

    likelihood: Likelihood
    summit: Summit
    free: IntArray
    determined: Determined
    determined_at_first: Determined
    separated: bool


@dataclass(frozen=True, slots=True, eq=False)
class Together:
    """The maximum with respondents: a summit, and the nodes of the quadrature."""

    summit: Summit
    nodes: FloatArray


@dataclass(frozen=True, slots=True)
class Grid:
    """As many nodes as a value of tau needs.

    With J answers whose information about the latent answer is 1 / variance each at most, z given the answers
    has a standard deviation of (1 + tau^2 J / variance)^(-1/2) at least, and with a step of one standard
    deviation of a normal integrand the trapezoidal rule is wrong by 2 exp(-2 pi^2), 5e-9 of it.

    Parameters
    ----------
    link
        The latent distribution.
    nodes, reach
        Nodes, at least, and standard deviations of z that they span to each side.
    answers
        The largest number of items a respondent answered.
    """

    link: Link
    nodes: int
    reach: float
    answers: int

    def at(self, tau: float, *, finer: int = 0) -> FloatArray:
        """Equally spaced nodes; with `finer`, their step is halved so many times, and they reach further."""
        step = 1 / math.sqrt(1 + tau**2 * self.answers / self.link.variance)
        steps = max(self.nodes - 1, math.ceil(2 * self.reach / step))
        step = 2 * self.reach / steps / 2**finer
        half = math.ceil(WIDER * self.reach / step) if finer else steps / 2
        return np.asarray(step * np.arange(-half, half + 1), dtype=np.float64)


def fit_alone(likelihood: Likelihood) -> Alone | None:
    """Maximise without respondents; None if no maximum, nor proof that there is none, was found."""
    first: Determined | None = None
    separated = False
    while True:
        kept, null, scale = independent_columns(likelihood.gram())
        free, determined = np.flatnonzero(kept), Determined(null, scale)
        first = first or determined
        extent = likelihood.extent()
        theta, direction = _start(likelihood, kept), None
        for hopeless in HOPELESS:
            summit = climb(likelihood.independent, theta, free=free, extent=extent, hopeless=hopeless)
            if summit.converged:
                return Alone(likelihood, summit, free, determined, first, separated)
            theta, direction = summit.point.theta, receding(likelihood, free, summit.step)
            if direction is not None:
                break
        if direction is None:
            return None
        likelihood, separated = follow(likelihood, direction), True


def fit_together(alone: Alone, grid: Grid) -> Together | tuple[Status, str]:
    """Maximise with respondents, starting from the fit without.

    Returns
    -------
    Together or (Status, str)
        ``boundary`` if tau is 0; otherwise why there is no maximum.
    """
    likelihood, unit = alone.likelihood, math.sqrt(alone.likelihood.link.variance)
    point = alone.summit.point
    boundary = Status.BOUNDARY, "the variance between respondents is estimated as zero"
    theta, better = _start_together(alone, grid)
    if not better:
        # the likelihood does not know tau from -tau, so that tau = 0 is a maximum or a minimum along tau
        curvature = likelihood.at(point.theta, grid.at(0.0)).hessian[-1, -1]
        if curvature <= 1e-9 * abs(point.loglik):
            return boundary

    def beyond(theta: FloatArray) -> bool:
        return abs(float(theta[-1])) > LARGEST_TAU * unit

    finer, free = 0, np.append(alone.free, likelihood.size - 1)
    while True:
        nodes = grid.at(float(theta[-1]), finer=finer)
        if len(nodes) > MOST_NODES:
            return Status.NOT_CONVERGED, f"{MOST_NODES} nodes are not enough to integrate over respondents"
        summit = climb(
            partial(likelihood.at, nodes=nodes),
            theta,
            free=free,
            extent=likelihood.extent(),
            beyond=beyond,
        )
        theta = summit.point.theta
        if beyond(theta):
            return (
                Status.NOT_ESTIMABLE,
                "answers hardly differ within a respondent: the variance between them is not finite",
            )
        if not summit.converged:
            return (
                Status.NOT_CONVERGED,
                f"no maximum of the likelihood was found (scaled gradient {summit.scaled_gradient:.1e})",
            )
        finer += 1
        check = likelihood.at(theta, grid.at(float(theta[-1]), finer=finer), order=1)
        change = abs(check.loglik - summit.point.loglik) / abs(check.loglik)
        _, shift, _ = newton(check.gradient, summit.point.hessian, free)
        if change <= QUADRATURE / 10 and shift <= QUADRATURE:
            above = summit.point.loglik > point.loglik and abs(float(theta[-1])) > SMALLEST_TAU * unit
            return Together(summit, nodes) if above else boundary


def _start_together(alone: Alone, grid: Grid) -> tuple[FloatArray, bool]:
    """Where to start with respondents, and whether that is better than without them.

    Effects without respondents are too small, by a factor that depends on tau. Where there are many patterns,
    some of them, evenly chosen, say where to start with all.
    """
    likelihood, theta, free = alone.likelihood, alone.summit.point.theta, alone.free
    stride = -(-len(likelihood.design.count) // ENOUGH)
    if stride > 1:
        some = slice(None, None, stride)
        design = likelihood.design
        design = replace(
            design, group=design.group[some], answers=design.answers[some], count=design.count[some]
        )
        part = Likelihood(design, likelihood.link)
        if part.size == likelihood.size:
            likelihood = part
    without = likelihood.at(theta, grid.at(0.0), order=0).loglik
    best, height = theta, -math.inf
    for share in STARTS:
        tau = share * math.sqrt(likelihood.link.variance)
        start = theta * math.sqrt(1 + likelihood.link.attenuation * tau**2)
        start[-1] = tau
        here = likelihood.at(start, grid.at(tau), order=0).loglik
        if here > height:
            best, height = start, here
        elif share > 0.5:
            break
    if likelihood is not alone.likelihood:
        kept = np.flatnonzero(independent_columns(likelihood.gram())[0])
        summit = climb(
            partial(likelihood.at, nodes=grid.at(float(best[-1]))),
            best,
            free=np.append(np.intersect1d(free, kept), likelihood.size - 1),
            extent=likelihood.extent(),
            hopeless=HOPELESS[0],
        )
        if summit.converged:
            best = summit.point.theta
    return best, height > without


def _start(likelihood: Likelihood, kept: BoolArray) -> FloatArray:
    """Thresholds at the quantiles of all answers together, no effects."""
    total = np.zeros(likelihood.thresholds + 1)
    for chunk in likelihood.chunks:
        total += np.bincount(chunk.category - 1, chunk.total, minlength=len(total))
    theta = np.zeros(likelihood.size)
    theta[: likelihood.thresholds] = likelihood.link.quantile(np.cumsum(total)[:-1] / total.sum())
    theta[:-1][~kept] = 0.0
    return theta
