"""The maximum of the likelihood of respondents nested in teams, starting from that without teams.

The likelihood does not know tau from -tau, nor omega from -omega: where one of them is 0, it is at a maximum or
at a minimum along it, and which of the two its curvature says.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from surveywaves.mixed.design import FloatArray
from surveywaves.mixed.maximum import ALIKE, FLAT, LARGEST_TAU, NO_RESPONDENTS, SMALLEST_TAU, STARTS
from surveywaves.mixed.quadrature import Point
from surveywaves.mixed.surface import Peak, Teams, maximise
from surveywaves.tidy import Status

SHARES: Final = (0.02, 0.1, 0.3, 0.6, 0.9, 1.0)
"""Shares of the variance between respondents to give to the teams at the start."""

VANISHING: Final = 0.02
"""Below this many latent standard deviations, tau may be 0: its nodes become many."""

FIRST: Final = 0.1
"""Where to start, in latent standard deviations, if 0 is known to be no maximum."""

NO_TEAMS: Final = "the variance between teams is estimated as zero"

ALIKE_TEAMS: Final = "answers hardly differ within a team: the variance between teams is not finite"

NEITHER: Final = "the variances between respondents and between teams are estimated as zero"


@dataclass(frozen=True, slots=True, eq=False)
class Nest:
    """A maximum by thresholds, coefficients, tau and omega; its status and note."""

    peak: Peak
    status: Status
    note: str


def fit_teams(below: Peak, surface: Teams, *, extent: FloatArray, single: bool) -> Nest | tuple[Status, str]:
    """Maximise with teams.

    Parameters
    ----------
    below
        The maximum without teams, by thresholds, coefficients and tau; tau may be 0.
    surface
        The likelihood.
    extent
        (D,) see `climb`.
    single
        Whether tau is no parameter: no respondent gave two answers that tell.

    Returns
    -------
    Nest or (Status, str)
        A maximum, with ``boundary`` if omega is 0, or if tau is and might be something else; or why there is
        none.
    """
    below = _with_omega(below)
    point, unit = below.summit.point, math.sqrt(surface.grid.link.variance)
    omega, tau = surface.size - 1, surface.size - 2
    fixed = below.free[below.free != tau]
    nothing = NO_TEAMS if single or point.theta[tau] else NEITHER
    theta, better = _start(point, surface, unit)
    if not better and _curvature(below, surface) <= FLAT * abs(point.loglik):
        return Nest(below, Status.BOUNDARY, nothing)

    may_vanish = True
    while True:
        within = theta[tau] != 0
        least = VANISHING * unit if within and may_vanish else 0.0

        def beyond(theta: FloatArray, least: float = least) -> bool:
            return bool(np.abs(theta[tau:]).max() > LARGEST_TAU * unit or abs(theta[tau]) < least)

        free = np.append(fixed, [tau, omega] if within else [omega])
        peak = maximise(surface, theta, free=free, extent=extent, beyond=beyond)
        if isinstance(peak, np.ndarray):
            if abs(peak[omega]) > LARGEST_TAU * unit:
                return Status.NOT_ESTIMABLE, ALIKE_TEAMS
            if abs(peak[tau]) > LARGEST_TAU * unit:
                return Status.NOT_ESTIMABLE, ALIKE
            theta = peak.copy()
            theta[tau] = 0.0
            continue
        if not isinstance(peak, Peak):
            return peak
        top = peak.summit.point
        if top.loglik <= point.loglik or abs(top.theta[omega]) < SMALLEST_TAU * unit:
            return Nest(below, Status.BOUNDARY, nothing)
        if within or single:
            return Nest(peak, Status.OK, "")
        if top.hessian[tau, tau] <= FLAT * abs(top.loglik):
            return Nest(peak, Status.BOUNDARY, NO_RESPONDENTS)
        theta, may_vanish = top.theta.copy(), False
        theta[tau] = FIRST * unit


def _with_omega(peak: Peak) -> Peak:
    """Omega being 0."""
    point = peak.summit.point
    point = replace(
        point,
        theta=np.append(point.theta, 0.0),
        gradient=np.append(point.gradient, 0.0),
        hessian=np.pad(point.hessian, (0, 1)),
    )
    return replace(peak, summit=replace(peak.summit, point=point), origin=np.append(peak.origin, 0.0))


def _start(point: Point, surface: Teams, unit: float) -> tuple[FloatArray, bool]:
    """Where to start, and whether that is better than without teams."""
    places = []
    if tau := float(point.theta[-2]):
        for share in SHARES:
            theta = point.theta.copy()
            theta[-2:] = math.sqrt(1 - share) * tau, math.sqrt(share) * tau
            places.append(theta)
    else:
        for share in STARTS:
            omega = share * unit
            theta = point.theta * math.sqrt(1 + surface.grid.link.attenuation * omega**2)
            theta[-1] = omega
            places.append(theta)
    heights = [_height(surface, theta) for theta in places]
    best = int(np.argmax(heights))
    return places[best], heights[best] > point.loglik


def _height(surface: Teams, theta: FloatArray) -> float:
    evaluate = surface.near(theta)
    return -math.inf if evaluate is None else evaluate(theta, order=0).loglik


def _curvature(below: Peak, surface: Teams) -> float:
    """Along omega, where it is 0; infinite if it cannot be told."""
    theta = below.summit.point.theta
    evaluate = surface.near(theta)
    return math.inf if evaluate is None else float(evaluate(theta, order=2).hessian[-1, -1])
