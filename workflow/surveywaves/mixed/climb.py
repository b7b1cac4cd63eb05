"""Newton's method for a log-likelihood with a known Hessian, and the proof that one has no maximum."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Protocol

import numpy as np

from surveywaves.mixed.design import FloatArray, IntArray
from surveywaves.mixed.links import Order
from surveywaves.mixed.quadrature import Likelihood, Point

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
TIGHT: Final = (0.1, 1e-2, 1e-3, 1e-5)
"""Shares of the fastest growing bound below which a bound is tried as standing still."""


@dataclass(frozen=True, slots=True, eq=False)
class Summit:
    """Where a climb ended.

    Parameters
    ----------
    point
        The place; the best that was found.
    scaled_gradient
        g'H^-1 g there.
    step
        (number free,) the step that Newton's method would take next.
    converged
        Whether this is a maximum.
    """

    point: Point
    scaled_gradient: float
    step: FloatArray
    converged: bool


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


def newton(gradient: FloatArray, hessian: FloatArray, free: IntArray) -> tuple[FloatArray, float, bool]:
    """Give Newton's step, the scaled gradient, and whether the log-likelihood is concave."""
    information = -hessian[np.ix_(free, free)]
    diagonal = np.abs(np.diagonal(information))
    unit = 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    values, vectors = np.linalg.eigh(information * np.outer(unit, unit))
    least = len(free) * np.finfo(np.float64).eps * 10
    along = vectors.T @ (unit * gradient[free])
    along /= np.maximum(np.abs(values), least)
    step = unit * (vectors @ along)
    return step, float(gradient[free] @ step), bool((values > least).all())


def receding(likelihood: Likelihood, kept: IntArray, step: FloatArray) -> FloatArray | None:
    """Find a direction in which the log-likelihood rises for ever, if a runaway step leads to one.

    Along such a direction no answer's upper bound falls and no lower bound rises, and some do move away:
    perfect or quasi-complete separation (Albert and Anderson 1984, Biometrika 71, 1; for the limit of the
    model, in which those bounds are at infinity, Geyer 2009, Electron. J. Stat. 3, 259). The step is only
    near such a direction: bounds that it hardly moves are made to stand still, and what remains is checked.

    Parameters
    ----------
    likelihood
        The likelihood.
    kept
        Independent parameters, tau not among them.
    step
        (number kept,) a step.

    Returns
    -------
    ndarray or None
        (D - 1,) the direction, checked; None if the step does not lead to one.
    """
    moves = [
        sign * rows[np.isfinite(end)][:, kept]
        for chunk in likelihood.chunks
        for rows, end, sign in zip(
            likelihood.rows(chunk), (chunk.ceiling, chunk.floor), (1.0, -1.0), strict=True
        )
    ]
    scale = np.max([np.abs(rows).max(axis=0, initial=0.0) for rows in moves], axis=0)
    moves = [rows / scale for rows in moves]
    direction = step * scale
    for tight in TIGHT:
        speed = [rows @ direction for rows in moves]
        limit = tight * max(np.abs(one).max(initial=0.0) for one in speed)
        still = np.zeros((len(kept), len(kept)))
        for rows, one in zip(moves, speed, strict=True):
            slow = rows[np.abs(one) < limit]
            still += slow.T @ slow
        values, vectors = np.linalg.eigh(still)
        free = vectors[:, values <= 1e-10 * max(values[-1], 1.0)]
        projected = free @ (free.T @ direction)
        speed = [rows @ projected for rows in moves]
        fastest = max(one.max(initial=0.0) for one in speed)
        slowest = min(one.min(initial=0.0) for one in speed)
        if fastest > 1e-3 * limit / tight and slowest >= -1e-9 * fastest:
            found = np.zeros(likelihood.size - 1)
            found[kept] = projected / scale / fastest
            return found
    return None


def follow(likelihood: Likelihood, direction: FloatArray) -> Likelihood:
    """Go to the limit of the model in a receding direction: bounds that move away are taken to infinity."""
    ceilings, floors = [], []
    for chunk in likelihood.chunks:
        upper, lower = likelihood.rows(chunk)
        ceilings.append(upper @ direction > 1e-6)
        floors.append(lower @ direction < -1e-6)
    return likelihood.opened(ceilings, floors)
