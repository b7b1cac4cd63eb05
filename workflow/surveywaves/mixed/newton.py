"""Newton's method for a log-likelihood with a known Hessian, with as many nodes of its quadrature as a place needs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Literal, Protocol, TypeAlias

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotrs

from surveywaves.mixed.design import FloatArray, IntArray
from surveywaves.terms import Status

Order: TypeAlias = Literal[0, 1, 2]
"""How many derivatives to evaluate."""

CONVERGED: Final = 1e-12
"""The largest scaled gradient g'H^-1 g, a squared distance from the maximum in standard errors."""

STILL: Final = 1e-3
"""The longest last step, on the scale of the linear predictor. Where the maximum is at infinity, Newton's
steps tend to a length of about 1 while the scaled gradient falls as fast as anywhere."""

RUNAWAY: Final = 0.05
"""A step longer than this where there is almost nothing left to gain: worth asking whether it ever ends."""

SLOW: Final = 0.1
"""A step that leaves more than this share of the scaled gradient asks for a new Hessian."""

MOST_STEPS: Final = 100


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """A log-likelihood at one place; D parameters."""

    theta: FloatArray
    """(D,) the place."""
    loglik: float
    """-inf outside the parameter space."""
    gradient: FloatArray
    hessian: FloatArray
    """(D,) and (D, D); incomplete where not asked for, zeros outside the parameter space."""


@dataclass(frozen=True, slots=True, eq=False)
class Summit:
    """Where a climb ended."""

    point: Point
    """The place; the best that was found."""
    scaled_gradient: float
    """g'H^-1 g there."""
    step: FloatArray
    """(number free,) the step that Newton's method would take next."""
    converged: bool
    """Whether this is a maximum."""


class Evaluate(Protocol):
    """A log-likelihood: with `order` 1 its gradient too, with 2 its Hessian too."""

    def __call__(self, theta: FloatArray, *, order: Order) -> Point:
        """Evaluate at one place."""


def climb(
    evaluate: Evaluate,
    start: FloatArray,
    *,
    free: IntArray,
    extent: FloatArray,
    beyond: Callable[[FloatArray], bool] | None = None,
    hopeless: float = 0.0,
    hessian: FloatArray | None = None,
    near: float = 0.0,
) -> Summit:
    """Go uphill by Newton steps, halved while they do not lead up.

    A Hessian, dear as it is, is used for as long as it leads on, learning from each step; the last is always that
    of the place itself.
    Where the log-likelihood is not concave, each direction of positive curvature is taken as if it were as
    negative: still uphill.

    Parameters
    ----------
    evaluate
        The log-likelihood.
    start
        (D,) a place inside the parameter space.
    free
        Which parameters may move.
    extent
        (D,) what a unit of each parameter moves the linear predictor, at most.
    beyond
        Says at which places to give up.
    hopeless
        The scaled gradient below which to give up if the step is longer than `RUNAWAY`.
    hessian
        (D, D) a Hessian to begin with, about that of the start.
    near
        The scaled gradient that is near enough: there the point has the last Hessian used, of a place before.
    """
    here, before = hessian is None, math.inf
    point = evaluate(start, order=2 if here else 1)
    hessian = point.hessian if hessian is None else hessian
    for _ in range(MOST_STEPS):
        step, scaled, concave = newton(point.gradient, hessian, free)
        length = float(np.abs(step * extent[free]).max(initial=0.0))
        if concave and scaled <= near:
            return Summit(replace(point, hessian=hessian), scaled, step, converged=True)
        arrived = concave and scaled <= CONVERGED and length <= STILL
        if arrived and here:
            return Summit(point, scaled, step, converged=True)
        if not here and (arrived or scaled > SLOW * before):
            point = evaluate(point.theta, order=2)
            hessian, here, before = point.hessian, True, math.inf
            continue
        if (beyond and beyond(point.theta)) or (scaled < hopeless and length > RUNAWAY):
            break
        allowed = 1e-13 * abs(point.loglik)  # rounding, which decides among the last steps
        for halving in range(40):
            theta = point.theta.copy()
            theta[free] += step * 0.5**halving
            trial = evaluate(theta, order=1)
            if trial.loglik >= point.loglik - allowed:
                break
        else:
            break
        hessian = _learnt(hessian, free, trial.theta - point.theta, trial.gradient - point.gradient)
        point, here, before = trial, False, scaled
    point = evaluate(point.theta, order=2)
    step, scaled, _ = newton(point.gradient, point.hessian, free)
    return Summit(point, scaled, step, converged=False)


def _learnt(hessian: FloatArray, free: IntArray, step: FloatArray, change: FloatArray) -> FloatArray:
    """Make a Hessian say how the gradient changed over a step (BFGS: Nocedal and Wright 2006, eq. 6.19)."""
    step, change = step[free], change[free]
    block = hessian[np.ix_(free, free)]
    old, met = float(step @ block @ step), float(step @ change)
    if not (old < 0 and met < 0):
        return hessian
    turned = block @ step
    learnt = hessian.copy()
    learnt[np.ix_(free, free)] += np.outer(change, change) / met - np.outer(turned, turned) / old
    return learnt


MANY: Final = 64
"""Of more parameters, eigenvalues take longer than all else, and are looked at only where Cholesky's factor"""

SURE: Final = 1e-4
"""has a smaller diagonal, of a matrix whose own is 1."""


def newton(gradient: FloatArray, hessian: FloatArray, free: IntArray) -> tuple[FloatArray, float, bool]:
    """Return Newton's step, the scaled gradient, and whether the log-likelihood is concave."""
    information = -hessian[free[:, None], free]
    diagonal = np.abs(np.diagonal(information))
    unit = 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    if len(free) > MANY:
        factor, failed = dpotrf(information * np.outer(unit, unit), lower=1)
        if not failed and factor.diagonal().min() > SURE:
            step = unit * dpotrs(factor, unit * gradient[free], lower=1)[0]
            return step, float(gradient[free] @ step), True
    values, vectors = np.linalg.eigh(information * np.outer(unit, unit))
    least = len(free) * np.finfo(np.float64).eps * 10
    along = vectors.T @ (unit * gradient[free])
    along /= np.maximum(np.abs(values), least)
    step = unit * (vectors @ along)
    return step, float(gradient[free] @ step), bool((values > least).all())


MOST_NODES: Final = 1 << 11

QUADRATURE: Final = 1e-8
"""What finer nodes may change: the log-likelihood by a tenth of this share of it, the scaled gradient by this.
The estimates are then the same to a ten thousandth of their standard errors."""

MOST_RESETS: Final = 12


class Surface(Protocol):
    """A log-likelihood by D parameters, of which the last are standard deviations."""

    @property
    def size(self) -> int:
        """D."""

    @property
    def fixed(self) -> int:
        """How many of them are thresholds and coefficients."""

    def near(self, theta: FloatArray, *, finer: int = 0) -> Evaluate | None:
        """Return the log-likelihood with nodes that do for a place and around it; None if they would be too many."""

    def outgrown(self, theta: FloatArray, place: FloatArray, *, finer: int = 0) -> bool:
        """Whether the nodes that do for one place are too coarse for another."""

    def meat(self, theta: FloatArray, origin: FloatArray, *, finer: int = 0) -> tuple[FloatArray, float]:
        """(D, D) sum over clusters of the cross-product of their score; and how many clusters.

        By the nodes that do for `origin`.
        """


@dataclass(frozen=True, slots=True, eq=False)
class Peak:
    """The maximum over some parameters of a surface."""

    summit: Summit
    """The place."""
    free: IntArray
    """Which parameters were estimated."""
    origin: FloatArray
    finer: int = 0
    """The place whose nodes were used, and how often their step was halved."""


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
