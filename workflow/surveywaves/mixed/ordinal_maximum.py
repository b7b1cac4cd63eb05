"""Which maximum of the ordinal model's likelihood the data allow to look for, and what one can see from it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy import sparse
from scipy.special import chdtri

from surveywaves.mixed.design import Design, FloatArray, add_by
from surveywaves.mixed.links import Link
from surveywaves.mixed.maximum import LARGEST_TAU, Alone, fit_alone, fit_together
from surveywaves.mixed.maximum_teams import Nest, fit_teams
from surveywaves.mixed.ordinal_interval import profile_ends
from surveywaves.mixed.ordinal_teams import Nested
from surveywaves.mixed.quadrature import Likelihood
from surveywaves.mixed.surface import Grid, Peak, Respondents, Surface, Teams, maximise
from surveywaves.tidy import Status

FAR: Final = 3.0
"""So many times as far from 0 as its interval reaches, a standard deviation is not asked whether it is 0."""

SINGLE: Final = "no respondent gave two answers that tell: variances within and between respondents are one"

ALONE: Final = "no team has two respondents: variances between respondents and between teams are one"

TEAMS_ARE_COLUMNS: Final = (
    "teams differ only as the cells and covariates do: the variance between teams cannot be estimated"
)

SAME: Final = 1e-8
"""Columns say which team if they miss it by no more than this."""


@dataclass(frozen=True, slots=True, eq=False)
class Maximum:
    """A maximum of the likelihood, from which to look around.

    Parameters
    ----------
    surface, peak
        The likelihood and its maximum.
    extent
        (D,) what a unit of each parameter moves the linear predictor, at most.
    without
        For each standard deviation, the highest log-likelihood with it at 0; NaN where not known.
    """

    surface: Surface
    peak: Peak
    extent: FloatArray
    without: tuple[float, ...]

    def ends(self, place: int, confidence: float, link: Link) -> tuple[FloatArray | None, FloatArray | None]:
        """Where the profile likelihood interval of a standard deviation ends: its (D,) lower and upper end."""
        cut = float(chdtri(1, 1 - confidence))
        return profile_ends(
            self.surface,
            self.peak,
            self.surface.fixed + place,
            attenuation=link.attenuation,
            extent=self.extent,
            cut=cut,
            at_zero=self._at_zero(place, cut),
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
    """A maximum with its status, and what cannot be told.

    Parameters
    ----------
    alone
        The maximum without respondents.
    maximum
        The maximum.
    status, notes
        ``ok`` or ``boundary``, and in words.
    unknown
        See `OrdinalFit`.
    by_team
        Whether the variance between teams is in the model.
    """

    alone: Alone
    maximum: Maximum
    status: Status
    notes: tuple[str, ...]
    unknown: tuple[tuple[FloatArray, str], ...] = ()
    by_team: bool = False


def find_maximum(
    design: Design, likelihood: Likelihood, teams: sparse.csr_array | None, grid: Grid
) -> Found | tuple[Status, str]:
    """Find the maximum of the model that the data allow.

    Parameters
    ----------
    design
        The distinct respondents.
    likelihood, teams
        Theirs without teams; and which teams they are of: see `ordinal_teams.without_teams`.
    grid
        How many nodes.

    Returns
    -------
    Found or (Status, str)
        Or why there is none.
    """
    alone = fit_alone(likelihood)
    if alone is None:
        return Status.NOT_CONVERGED, "no maximum of the likelihood was found, even without respondents"
    likelihood, point = alone.likelihood, alone.summit.point
    surface, extent, single = Respondents(likelihood, grid), likelihood.extent(), likelihood.single()
    below = Peak(alone.summit, alone.free, point.theta)
    status = Status.OK
    notes: tuple[str, ...] = (SINGLE,) if single else ()
    if not single:
        together = fit_together(alone, surface)
        if isinstance(together, Peak):
            below = together
        elif together[0] is Status.BOUNDARY:
            status, notes = together[0], (together[1],)
        else:
            return together
    found = Found(alone, Maximum(surface, below, extent, (point.loglik,)), status, notes)
    if teams is None:
        return found
    if add_by(design.team[design.group], design.persons, len(design.teams)).max() < 2:
        return replace(found, notes=(*notes, ALONE))
    if len(directions := _team_directions(design)):
        unknown = tuple((direction, TEAMS_ARE_COLUMNS) for direction in directions)
        return replace(found, notes=(*notes, TEAMS_ARE_COLUMNS), unknown=unknown)
    nested, extent = Teams(Nested(likelihood, teams), grid), np.append(extent, 1.0)
    nest = fit_teams(below, nested, extent=extent, single=single)
    if not isinstance(nest, Nest):
        return nest
    without = (math.nan, below.summit.point.loglik)
    notes = tuple(note for note in (SINGLE if single else "", nest.note) if note)
    return Found(alone, Maximum(nested, nest.peak, extent, without), nest.status, notes, by_team=True)


def _team_directions(design: Design) -> FloatArray:
    """(T, P) each team as a combination of cells and covariates; none if they are no such combinations."""
    present, nothing = np.unique(design.team), np.zeros((0, len(design.columns)))
    size = len(design.cells)
    kinds = np.unique((design.cell * len(design.profiles) + design.profile) * len(design.teams) + design.team)
    kind, team = np.divmod(kinds, len(design.teams))
    cell, profile = np.divmod(kind, len(design.profiles))
    fixed = np.hstack([np.eye(size)[cell], design.profiles[profile]])
    if len(present) > fixed.shape[1]:
        return nothing
    each = (team[:, None] == present).astype(np.float64)
    solved = np.linalg.lstsq(fixed, each, rcond=None)[0]
    if np.abs(fixed @ solved - each).max() > SAME:
        return nothing
    directions = np.zeros((len(present), len(design.columns)))
    directions[:, :size] = solved[:size].T
    directions[:, design.item_columns.stop :] = solved[size:].T
    directions[np.abs(directions) < SAME] = 0.0
    return directions
