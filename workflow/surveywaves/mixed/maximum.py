"""Which maximum of the ordinal model's likelihood the data allow to look for, and where it is.

First without respondents, then with them, then with teams. Without respondents (tau = 0), the log-likelihood is
concave: it has one maximum, or none that is finite. If it has none, the model with respondents has none either, since
what moves the bounds of every answer apart raises its likelihood at any z; both then have a limit, in which those
bounds are at infinity.

The likelihood does not know tau from -tau, nor omega from -omega: where one of them is 0, it is at a maximum or
at a minimum along it, and which of the two its curvature says.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, TypeAlias

import numpy as np
from scipy import sparse

from surveywaves.mixed.cumulative import Link
from surveywaves.mixed.design import BoolArray, Design, FloatArray, IntArray
from surveywaves.mixed.estimable import (
    ALONE,
    TEAMS_ARE_COLUMNS,
    Determined,
    Unknown,
    alone_in_teams,
    teams_as_columns,
)
from surveywaves.mixed.newton import MOST_NODES, Evaluate, Peak, Point, Summit, Surface, climb, maximise
from surveywaves.mixed.profile import cut, profile_ends
from surveywaves.mixed.quadrature import Likelihood, Nested, Nodes
from surveywaves.mixed.sums import independent_columns
from surveywaves.terms import Status

TIGHT: Final = (0.1, 1e-2, 1e-3, 1e-5)
"""Shares of the fastest growing bound below which a bound is tried as standing still."""


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
    moves = []
    for answers in map(likelihood.answers, likelihood.chunks):
        for (rows, end), sign in zip(answers.sides, (1.0, -1.0), strict=True):
            finite = np.isfinite(end)
            bounds = np.zeros((int(finite.sum()), likelihood.size - 1))
            bounds[:, answers.columns] = rows[finite]
            bounds[:, answers.owned] = -answers.classes[answers.of_class[finite]]
            moves.append(sign * bounds[:, kept])
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
        answers, nowhere = likelihood.answers(chunk), np.zeros(len(chunk.total))
        lower, upper = answers._replace(ceiling=nowhere, floor=nowhere).bounds(direction)
        ceilings.append(upper > 1e-6)
        floors.append(lower < -1e-6)
    return likelihood.opened(ceilings, floors)


WIDER: Final = 1.3
"""Finer nodes reach so many times as far."""

COARSEST: Final = 0.5
"""The longest step of the nodes of u, in units of tau."""

MARGIN: Final = 1.1
"""With tau below so many steps of the nodes of u, they are set anew; below one, there is no likelihood."""


@dataclass(frozen=True, slots=True)
class Grid:
    """As many nodes as values of tau and omega need.

    With J answers whose information about the latent answer is 1 / variance each at most, z given the answers
    has a standard deviation of (1 + tau^2 J / variance)^(-1/2) at least, and with a step of one standard
    deviation of a normal integrand the trapezoidal rule is wrong by 2 exp(-2 pi^2), 5e-9 of it. So has a
    respondent's shift u given the team, (1 / tau^2 + J / variance)^(-1/2); and a team's v with n members
    (1 + omega^2 n / (tau^2 + variance / J))^(-1/2).
    """

    link: Link
    """The latent distribution."""
    nodes: int
    reach: float
    """Nodes, at least, and standard deviations of z that they span to each side."""
    answers: int
    """The largest number of items a respondent answered."""
    members: float = 0.0
    """The largest sum of the weights of a team's respondents."""

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
class Alone:
    """The maximum without respondents."""

    likelihood: Likelihood
    """With the bounds at infinity that have to be."""
    summit: Summit
    """The maximum."""
    free: IntArray
    """Which thresholds and coefficients are estimated, the others being 0."""
    determined: Determined
    determined_at_first: Determined
    """By the bounds that are finite, and by all."""
    separated: bool
    """Whether some bounds are at infinity."""

    @property
    def peak(self) -> Peak:
        """The maximum as one with tau, which is 0."""
        return Peak(self.summit, self.free, self.summit.point.theta)


@dataclass(frozen=True, slots=True, eq=False)
class Reached:
    """A maximum with its status (``boundary`` if a standard deviation is 0) and note."""

    peak: Peak
    status: Status
    note: str


Reason: TypeAlias = tuple[Status, str]
"""Why there is no maximum."""


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


def fit_together(alone: Alone, surface: Respondents) -> Reached | Reason:
    """Maximise with respondents, starting from the fit without."""
    likelihood, unit = alone.likelihood, math.sqrt(alone.likelihood.link.variance)
    point = alone.summit.point
    nothing = Reached(alone.peak, Status.BOUNDARY, NO_RESPONDENTS)
    theta, better, hessian = _start_together(alone, surface.grid)
    if not better:
        # the likelihood does not know tau from -tau, so that tau = 0 is a maximum or a minimum along tau
        curvature = likelihood.at(point.theta, surface.grid.at(0.0)).hessian[-1, -1]
        if curvature <= FLAT * abs(point.loglik):
            return nothing
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
    if not isinstance(peak, Peak):
        return peak
    top = peak.summit.point
    found = top.loglik > point.loglik and abs(float(top.theta[-1])) > SMALLEST_TAU * unit
    return Reached(peak, Status.OK, "") if found else nothing


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


SHARES: Final = (0.02, 0.1, 0.3, 0.6, 0.9, 1.0)
"""Shares of the variance between respondents to give to the teams at the start."""

VANISHING: Final = 0.02
"""Below this many latent standard deviations, tau may be 0: its nodes become many."""

FIRST: Final = 0.1
"""Where to start, in latent standard deviations, if 0 is known to be no maximum."""

NO_TEAMS: Final = "the variance between teams is estimated as zero"

ALIKE_TEAMS: Final = "answers hardly differ within a team: the variance between teams is not finite"

NEITHER: Final = "the variances between respondents and between teams are estimated as zero"


def fit_teams(below: Peak, surface: Teams, *, extent: FloatArray, single: bool) -> Reached | Reason:
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
    """
    below = _with_omega(below)
    point, unit = below.summit.point, math.sqrt(surface.grid.link.variance)
    omega, tau = surface.size - 1, surface.size - 2
    fixed = below.free[below.free != tau]
    nothing = Reached(below, Status.BOUNDARY, NO_TEAMS if single or point.theta[tau] else NEITHER)
    theta, better = _start_teams(point, surface, unit)
    if not better and _curvature(below, surface) <= FLAT * abs(point.loglik):
        return nothing

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
            return nothing
        if within or single:
            return Reached(peak, Status.OK, "")
        if top.hessian[tau, tau] <= FLAT * abs(top.loglik):
            return Reached(peak, Status.BOUNDARY, NO_RESPONDENTS)
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


def _start_teams(point: Point, surface: Teams, unit: float) -> tuple[FloatArray, bool]:
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


FAR: Final = 3.0
"""So many times as far from 0 as its interval reaches, a standard deviation is not asked whether it is 0."""

SINGLE: Final = "no respondent gave two answers that tell: variances within and between respondents are one"


@dataclass(frozen=True, slots=True, eq=False)
class Maximum:
    """A maximum of the likelihood, from which to look around."""

    surface: Surface
    peak: Peak
    """The likelihood and its maximum."""
    extent: FloatArray
    """(D,) what a unit of each parameter moves the linear predictor, at most."""
    without: tuple[float, ...]
    """For each standard deviation, the highest log-likelihood with it at 0; NaN where not known."""

    def ends(self, place: int, confidence: float, link: Link) -> tuple[FloatArray | None, FloatArray | None]:
        """Where the profile likelihood interval of a standard deviation ends: its (D,) lower and upper end."""
        allowed = cut(confidence)
        return profile_ends(
            self.surface,
            self.peak,
            self.surface.fixed + place,
            attenuation=link.attenuation,
            extent=self.extent,
            cut=allowed,
            at_zero=self._at_zero(place, allowed),
            most=LARGEST_TAU * math.sqrt(link.variance),
        )

    def _at_zero(self, place: int, cut: float) -> float:
        """Find the highest log-likelihood with a standard deviation at 0; NaN if that is far below reach."""
        known, peak = self.without[place], self.peak
        here = self.surface.fixed + place
        if not math.isnan(known) or here not in peak.free:
            return known
        free = peak.free[peak.free != here]
        inverse = np.linalg.inv(-peak.summit.point.hessian[np.ix_(peak.free, peak.free)])
        error = math.sqrt(inverse[peak.free == here, peak.free == here].item())
        theta = peak.summit.point.theta.copy()
        if theta[here] > FAR * math.sqrt(cut) * error:
            return math.nan
        theta[here] = 0.0
        found = maximise(self.surface, theta, free=free, extent=self.extent, beyond=lambda _: False)
        return found.summit.point.loglik if isinstance(found, Peak) else math.nan


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A maximum with its status, and what cannot be told."""

    alone: Alone
    """The maximum without respondents."""
    maximum: Maximum
    """The maximum."""
    status: Status
    notes: tuple[str, ...]
    """``ok`` or ``boundary``, and in words, empty ones among them."""
    unknown: Unknown = ()
    """See `OrdinalFit`."""
    by_team: bool = False
    """Whether the variance between teams is in the model."""


def find_maximum(
    design: Design, gram: FloatArray, likelihood: Likelihood, teams: sparse.csr_array | None, grid: Grid
) -> Found | Reason:
    """Find the maximum of the model that the data allow.

    Parameters
    ----------
    design, gram
        The distinct respondents; (P, P) X'X.
    likelihood, teams
        Theirs without teams; and which teams they are of: see `without_teams`.
    grid
        How many nodes.

    Returns
    -------
    Found or Reason
        The maximum, or why there is none.
    """
    alone = fit_alone(likelihood)
    if alone is None:
        return Status.NOT_CONVERGED, "no maximum of the likelihood was found, even without respondents"
    likelihood, without = alone.likelihood, alone.summit.point.loglik
    surface, extent, single = Respondents(likelihood, grid), likelihood.extent(), likelihood.single()
    below = Reached(alone.peak, Status.OK, SINGLE) if single else fit_together(alone, surface)
    if not isinstance(below, Reached):
        return below
    found = Found(alone, Maximum(surface, below.peak, extent, (without,)), below.status, (below.note,))
    if teams is None:
        return found
    if alone_in_teams(design):
        return replace(found, notes=(below.note, ALONE))
    if unknown := teams_as_columns(design, gram, independent_columns(gram)[0]):
        return replace(found, notes=(below.note, TEAMS_ARE_COLUMNS), unknown=unknown)
    nested, extent = Teams(Nested(likelihood, teams), grid), np.append(extent, 1.0)
    above = fit_teams(below.peak, nested, extent=extent, single=single)
    if not isinstance(above, Reached):
        return above
    maximum = Maximum(nested, above.peak, extent, (math.nan, below.peak.summit.point.loglik))
    return Found(alone, maximum, above.status, (SINGLE if single else "", above.note), by_team=True)
