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

from surveywaves.mixed.climb import Summit, climb, follow, receding
from surveywaves.mixed.design import BoolArray, FloatArray, IntArray
from surveywaves.mixed.linear import ESTIMABLE
from surveywaves.mixed.quadrature import Likelihood
from surveywaves.mixed.reml import independent_columns
from surveywaves.mixed.surface import Grid, Peak, Respondents, maximise
from surveywaves.tidy import Status

HOPELESS: Final = (1e-4, 1e-7, 1e-10, 0.0)
"""Scaled gradients at which long steps are looked at, whether they lead to infinity."""

STARTS: Final = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Values of tau to start from, in latent standard deviations."""

ENOUGH: Final = 1 << 14
"""Patterns that are enough to say where to start."""

NEAR: Final = 1e-2
"""The scaled gradient at which a part of the patterns has said where to start."""

SMALLEST_TAU: Final = 1e-5
"""Below this many latent standard deviations, tau is 0."""

LARGEST_TAU: Final = 30.0
"""Beyond this many latent standard deviations (an ICC of 0.999), answers hardly differ within a respondent."""

FLAT: Final = 1e-9
"""A curvature that is no more than this share of the log-likelihood is not upwards."""

NO_RESPONDENTS: Final = "the variance between respondents is estimated as zero"

ALIKE: Final = "answers hardly differ within a respondent: the variance between them is not finite"


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


def fit_together(alone: Alone, surface: Respondents) -> Peak | tuple[Status, str]:
    """Maximise with respondents, starting from the fit without.

    Returns
    -------
    Peak or (Status, str)
        ``boundary`` if tau is 0; otherwise why there is no maximum.
    """
    likelihood, unit = alone.likelihood, math.sqrt(alone.likelihood.link.variance)
    point = alone.summit.point
    theta, better, hessian = _start_together(alone, surface.grid)
    if not better:
        # the likelihood does not know tau from -tau, so that tau = 0 is a maximum or a minimum along tau
        curvature = likelihood.at(point.theta, surface.grid.at(0.0)).hessian[-1, -1]
        if curvature <= FLAT * abs(point.loglik):
            return Status.BOUNDARY, NO_RESPONDENTS
    peak = maximise(
        surface,
        theta,
        free=np.append(alone.free, likelihood.size - 1),
        extent=likelihood.extent(),
        beyond=lambda theta: abs(float(theta[-1])) > LARGEST_TAU * unit,
        hessian=hessian,
    )
    if isinstance(peak, np.ndarray):
        return Status.NOT_ESTIMABLE, ALIKE
    if isinstance(peak, Peak):
        top = peak.summit.point
        if not (top.loglik > point.loglik and abs(float(top.theta[-1])) > SMALLEST_TAU * unit):
            return Status.BOUNDARY, NO_RESPONDENTS
    return peak


def _start_together(alone: Alone, grid: Grid) -> tuple[FloatArray, bool, FloatArray | None]:
    """Where to start with respondents, whether that is better than without them, and a Hessian to begin with.

    Effects without respondents are too small, by a factor that depends on tau. Where there are many patterns,
    some of them, evenly chosen, say where to start with all.
    """
    likelihood, theta, free = alone.likelihood, alone.summit.point.theta, alone.free
    hessian = None
    stride = -(-len(likelihood.design.count) // ENOUGH)
    design = likelihood.design
    if stride > 1:
        some = slice(None, None, stride)
        names = ("group", "answers", "persons", "count", "square")
        part = Likelihood(
            replace(design, **{name: getattr(design, name)[some] for name in names}), likelihood.link
        )
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
            near=NEAR,
        )
        if summit.converged:
            best = summit.point.theta
            if np.array_equal(kept, free):
                hessian = summit.point.hessian * (design.count.sum() / likelihood.design.count.sum())
    return best, height > without, hessian


def _start(likelihood: Likelihood, kept: BoolArray) -> FloatArray:
    """Thresholds at the quantiles of all answers together, no effects."""
    total = np.zeros(likelihood.thresholds + 1)
    for chunk in likelihood.chunks:
        total += np.bincount(chunk.category - 1, chunk.total, minlength=len(total))
    theta = np.zeros(likelihood.size)
    theta[: likelihood.thresholds] = likelihood.link.quantile(np.cumsum(total)[:-1] / total.sum())
    theta[:-1][~kept] = 0.0
    return theta
