"""Cumulative link mixed model with random intercepts for respondents and teams, by maximum likelihood.

What follows from the variances of the ordinal model on its latent scale, and the standard errors.

Profile likelihood interval of a standard deviation of the ordinal model.

The interval holds the values t at which the deviance, everything else being at its best, exceeds its minimum by
no more than a chi-square quantile with one degree of freedom (Venzon and Moolgavkar 1988, Appl. Stat. 37, 87).
Its ends are found by Newton steps on the square root of the deviance, which is almost straight in t, each with one
quasi-Newton step of everything else towards its best. All effects grow with sqrt(1 + s t^2) and the information
about them falls as fast (see `Link.attenuation`), so that three steps often do. Where they lead nowhere, everything
else is maximised at each t.

Which maximum of the ordinal model's likelihood the data allow to look for, and what one can see from it.

Cumulative link mixed model with random intercepts a respondent and a team, by maximum likelihood.

    P(answer <= k | z, v) = F(threshold_k - (cell + item + covariates) - tau z - omega v),

with z ~ N(0, 1) a respondent, v ~ N(0, 1) a team (omega = 0 where the design knows no teams), and F the logistic
(proportional odds) or the normal distribution function. The likelihood is in `quadrature` and `ordinal_teams`, its
maximum in `maximum` and `maximum_teams`.

Only differences from the thresholds are determined, so the thresholds are stated with mean 0: an estimated
marginal mean is then the latent answer less the mean threshold, which is emmeans' `mode = "latent"`. With the
logit link a difference of two means is the log odds ratio of answering above any category, for a respondent.

With weights the likelihood is a pseudo-likelihood, each respondent counting w times, and the covariance is the
sandwich A^-1 B A^-1 m / (m - 1), with A the observed information and B the sum over the m respondents, or
teams where there are teams, of the cross-product of their score (Binder 1983, Int. Stat. Rev. 51, 279).

Sources: McCullagh (1980) J. R. Stat. Soc. B 42, 109; Hedeker and Gibbons (1994) Biometrics 50, 933; Tutz and
Hennevogl (1996) Comput. Stat. Data Anal. 22, 537; Agresti (2010) Analysis of Ordinal Categorical Data, ch. 3 and
10; Christensen (2019), vignettes of the R package ordinal; Nakagawa, Johnson and Schielzeth (2017) J. R. Soc.
Interface 14, 20170213 (variance on the latent scale).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from scipy import sparse
from scipy.optimize import brentq
from scipy.special import chdtri

from surveywaves.mixed.contrasts import NOT_DETERMINED
from surveywaves.mixed.design import Design, FloatArray, add_by
from surveywaves.mixed.deviance import UNKNOWN, Ends, Normal, independent_columns, sum_up
from surveywaves.mixed.lmm import ESTIMABLE, SHARES
from surveywaves.mixed.maximum import (
    LARGEST_TAU,
    Alone,
    Determined,
    Grid,
    Nest,
    Peak,
    Respondents,
    Surface,
    Teams,
    climb,
    fit_alone,
    fit_teams,
    fit_together,
    maximise,
)
from surveywaves.mixed.quadrature import LINKS, Likelihood, Link, Nested, Point, without_teams
from surveywaves.mixed.sandwich import clusters_by_cell
from surveywaves.terms import ORDINAL, Status


def components(
    link: Link, *, theta: FloatArray, cov: FloatArray, fitted: bool
) -> tuple[dict[str, float], dict[str, float]]:
    """Work out the variances and shares that `OrdinalFit.variances` states.

    Parameters
    ----------
    link
        Its variance is that of an answer, given the respondent.
    theta, cov
        (1,) tau or (2,) tau and omega, NaN where it cannot be told; their covariance.
    fitted
        Whether there is a fit; without one, everything is NaN.

    Returns
    -------
    estimates, errors
        By term; errors by the delta method, 0 for a variance of 0.
    """
    s2, with_teams = link.variance, len(theta) > 1
    tau, omega = np.append(np.nan_to_num(theta), 0.0)[:2]
    total = s2 + tau**2 + omega**2 if fitted else math.nan
    root = math.sqrt(total)
    # an answer's correlation with others needs tau, even where that is part of the total
    share = (total - s2) / total + 0.0 * theta[0]
    found = {  # estimate, its derivatives by tau and omega
        "tau2": (theta[0] ** 2, 2 * tau, 0.0),
        "icc": (share, 2 * tau * s2 / total**2, 2 * omega * s2 / total**2),
        "total_sd": (root, tau / root, omega / root),
    }
    if with_teams:
        of_omega = 2 * omega * (total - omega**2) / total**2
        found["tau2_team"] = theta[1] ** 2, 0.0, 2 * omega
        found["icc_team"] = omega**2 / total + 0.0 * theta[1], -2 * tau * omega**2 / total**2, of_omega
    estimates, errors = {}, {}
    for term, (estimate, *slope) in found.items():
        by = np.array(slope[: len(theta)])
        estimates[term] = float(estimate)
        errors[term] = math.sqrt(max(float(by @ cov @ by), 0.0))
    return estimates, errors


NEAR: Final = 1e-4
"""How near, in units of the root of the deviance, an end is to be found, ..."""

BEST: Final = 1e-4
"""... and how much of the deviance may be left to gain there."""

FLOOR: Final = 1e-2
"""The share of itself below which a variance besides is not followed: there it makes no difference."""

MOST_STEPS: Final = 12
"""So many steps are enough where the quick way leads anywhere."""

LONGEST: Final = 20.0
"""A step of the linear predictor that leads nowhere."""

LEAST: Final = 1e-3
"""The share of the estimate below which no end is looked for."""


def profile_ends(
    surface: Surface,
    peak: Peak,
    place: int,
    *,
    attenuation: float,
    extent: FloatArray,
    cut: float,
    at_zero: float,
    most: float,
) -> tuple[FloatArray | None, FloatArray | None]:
    """Find the ends of the interval of a standard deviation.

    Parameters
    ----------
    surface, peak
        The likelihood and its maximum.
    place
        Which parameter; it may be at 0 and not free.
    attenuation, extent
        See `Link` and `climb`.
    cut
        What the deviance may exceed its minimum by.
    at_zero
        The highest log-likelihood with the parameter at 0; NaN if that is below reach.
    most
        Beyond this no end is looked for.

    Returns
    -------
    low, high
        (D,) where the interval ends, everything else being at its best; None if no end was found.
    """
    top = peak.summit.point
    centre = abs(float(top.theta[place]))
    climber = _Climber(surface, peak, place, attenuation=attenuation, extent=extent, most=most)
    if centre == 0 or 2 * (top.loglik - at_zero) <= cut:
        zero = top.theta.copy()
        zero[place] = 0.0
        return zero, climber.end(1, math.sqrt(cut))
    return climber.end(-1, math.sqrt(cut)), climber.end(1, math.sqrt(cut))


class _Climber:
    """Climbs along the best of everything else, by the information at the maximum."""

    def __init__(
        self, surface: Surface, peak: Peak, place: int, *, attenuation: float, extent: FloatArray, most: float
    ) -> None:
        self._extent, self._most = extent, most
        self._surface, self._peak, self._place, self._attenuation = surface, peak, place, attenuation
        top = peak.summit.point
        self._centre = abs(float(top.theta[place]))
        self._others = peak.free[peak.free != place]
        # variances, not standard deviations, are what the likelihood is regular in near 0
        self._spreads = self._others >= surface.fixed
        self._least = FLOOR * top.theta[self._others] ** 2
        unit = np.where(self._spreads, self._by_square(top.theta), 1.0)
        self._information = -top.hessian[np.ix_(self._others, self._others)] * np.outer(unit, unit)
        self._slant = -top.hessian[self._others, place] * unit
        if self._centre:
            left = -float(top.hessian[place, place])
            left -= float(self._slant @ np.linalg.solve(self._information, self._slant))
        else:
            evaluate = surface.near(top.theta, finer=peak.finer)
            left = 0.0 if evaluate is None else -float(evaluate(top.theta, order=2).hessian[place, place])
        self._unit = 1 / math.sqrt(max(left, 1e-2))
        """About its standard error."""

    def end(self, side: int, target: float) -> FloatArray | None:
        """Find where the root of the deviance, below (-1) or above (+1) the maximum, is at its target."""
        quick = self._end_quickly(side, target)
        return self._end_surely(side, target) if quick is None else quick

    def _end_surely(self, side: int, target: float) -> FloatArray | None:
        """With everything else at its best at every step."""
        top = self._peak.summit.point
        best = top.theta

        def missing(at: float) -> float:
            nonlocal best
            start = self._moved(best, at)
            evaluate = self._surface.near(start, finer=self._peak.finer)
            if evaluate is None:
                return math.nan
            summit = climb(evaluate, start, free=self._others, extent=self._extent, near=BEST)
            if not summit.converged:
                return math.nan
            best = summit.point.theta
            return math.sqrt(max(2 * (top.loglik - summit.point.loglik), 0.0)) - target

        inside, outside = self._centre, self._centre + side * target * self._unit
        if side < 0:
            outside = max(outside, self._centre / 2)
        while not (here := missing(outside)) >= 0:
            inside, outside = outside, outside * (2.0 if side > 0 else 0.5)
            if math.isnan(here) or not LEAST * self._centre <= outside <= self._most:
                return None
        try:
            at = brentq(missing, inside, outside, xtol=NEAR * self._unit) if here > 0 else outside
        except ValueError:  # nothing was found somewhere between
            return None
        missing(at)
        return best

    def _end_quickly(self, side: int, target: float) -> FloatArray | None:
        """With everything else one step nearer its best at every step; None if that leads nowhere."""
        top = self._peak.summit.point
        at = self._centre + side * target * self._unit
        if at < 0.1 * self._centre:
            at = self._centre * math.exp(-target * self._unit / self._centre)
        theta = self._moved(top.theta.copy(), at)
        inside, outside = self._centre, 0.0 if side < 0 else math.inf
        for _ in range(MOST_STEPS):
            evaluate = self._surface.near(theta, finer=self._peak.finer) if at <= self._most else None
            if evaluate is None:
                return None
            point = evaluate(theta.copy(), order=1)
            if not (math.isfinite(point.loglik) and np.isfinite(point.gradient).all()):
                return None
            gain, slope = self._step(theta, point, self._growth(at) ** 2)
            if not np.abs((theta - point.theta) * self._extent).max() < LONGEST:
                return None
            root = math.sqrt(max(2 * (top.loglik - point.loglik) - gain, 0.0))
            if abs(root - target) <= NEAR and gain <= BEST:
                return theta
            if gain <= BEST:
                inside, outside = (inside, at) if root > target else (at, outside)
            slope *= -side
            way = (target - root) * root / slope if root > 0 and slope > 0 else self._unit
            new = min(max(at + side * way, at / 3), at * 3)
            if not min(inside, outside) < new < max(inside, outside):
                new = (inside + outside) / 2 if math.isfinite(outside) else 2 * at
            theta, at = self._moved(theta, new), new
        return None

    def _step(self, theta: FloatArray, point: Point, growth: float) -> tuple[float, float]:
        """Take everything else towards its best, in place.

        Returns
        -------
        gain, slope
            Twice what that should add to the log-likelihood, and the slope there along the standard deviation.
        """
        values = np.where(self._spreads, theta[self._others] ** 2, theta[self._others])
        gradient = point.gradient[self._others] * np.where(self._spreads, self._by_square(theta), 1.0)
        moving = ~(self._spreads & (values <= self._least) & (gradient < 0))
        solved = np.zeros(len(values))
        solved[moving] = np.linalg.solve(self._information[np.ix_(moving, moving)], gradient[moving])
        values += solved * growth
        theta[self._others] = np.where(self._spreads, np.sqrt(np.maximum(values, self._least)), values)
        return float(gradient @ solved) * growth, float(point.gradient[self._place] - self._slant @ solved)

    def _by_square(self, theta: FloatArray) -> FloatArray:
        """Give the derivative of what may be a standard deviation by its square."""
        return np.asarray(0.5 / np.maximum(np.abs(theta[self._others]), 1e-150), dtype=np.float64)

    def _growth(self, at: float) -> float:
        """How many times larger effects are than at the maximum."""
        s = self._attenuation
        return math.sqrt((1 + s * at**2) / (1 + s * self._centre**2))

    def _moved(self, theta: FloatArray, at: float) -> FloatArray:
        """Set the standard deviation, thresholds and effects growing with it."""
        moved = theta.copy()
        fixed = self._others[self._others < self._surface.fixed]
        moved[fixed] *= self._growth(at) / self._growth(float(theta[self._place]))
        moved[self._place] = at
        return moved


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


NODES: Final = 31
REACH: Final = 6.2
"""Nodes of the quadrature, at least, and how many standard deviations of z they span to each side."""

MOST_CATEGORIES: Final = 25
"""With more distinct answers than this, they are not taken for categories."""

WIDEST: Final = 100.0
"""The largest standard error, on the scale of the linear predictor, that is still an estimate's."""

SEPARATED: Final = "no finite estimate, some answers being all at one end (perfect separation)"


@dataclass(frozen=True, slots=True, eq=False)
class OrdinalFit:
    """A fitted cumulative link mixed model; T thresholds, P fixed-effect columns, those of the design.

    Parameters
    ----------
    link
        The latent distribution.
    levels
        (T + 1,) the answers that somebody gave, ascending, after reverse keying.
    unused
        Levels of the design that nobody in it gave: no part of the model.
    columns
        Names of the P columns.
    cells
        How many of them, the first, are cells.
    with_teams
        Whether the design knows teams.
    theta, theta_cov
        (D,) thresholds, coefficients, tau and, with teams, omega; their covariance. NaN for a standard
        deviation that cannot be told; its covariance, and that of all not free, is 0. This is one solution of
        many, and only what is determined means anything.
    determined, determined_at_first
        Which combinations of thresholds and coefficients the answers determine; and which they would if
        those that have no finite estimate counted as determined.
    unknown
        (P,) direction, and why: a combination of the coefficients that is not orthogonal to it has a
        variance that cannot be estimated.
    infinite
        Names of the columns that have no finite estimate, where it is that simple.
    separated
        Whether anything has no finite estimate. The other estimates are then those of the limit.
    loglik
        Log-likelihood; with weights, of the pseudo-likelihood.
    nodes
        (number,) nodes of the quadrature over all of a respondent's shift.
    scaled_gradient
        g'H^-1 g at the estimates: how far they are from the maximum, in standard errors squared.
    freedom
        Degrees of freedom of every combination: infinite, but with weights clusters less free parameters.
    maximum
        The maximum; none if there is no fit.
    n_obs, n_respondents
        Answers; respondents.
    status
        ``ok``; ``boundary`` (tau or omega is 0); or why there is no fit, and then every number is NaN.
    note
        The status in words.
    """

    link: Link
    levels: FloatArray
    unused: FloatArray
    columns: tuple[str, ...]
    cells: int
    with_teams: bool
    theta: FloatArray
    theta_cov: FloatArray
    determined: Determined
    determined_at_first: Determined
    unknown: tuple[tuple[FloatArray, str], ...]
    infinite: tuple[str, ...]
    separated: bool
    loglik: float
    nodes: FloatArray
    scaled_gradient: float
    freedom: float
    maximum: Maximum | None
    n_obs: int
    n_respondents: int
    status: Status
    note: str

    @property
    def analysis(self) -> str:
        """``ordinal``, or ``ordinal_probit``: the name that results of this fit carry."""
        return ORDINAL if self.link.name == "logit" else f"{ORDINAL}_{self.link.name}"

    @property
    def fixed(self) -> int:
        """T + P, how many of the parameters are thresholds and coefficients."""
        return len(self.theta) - 1 - self.with_teams

    @property
    def thresholds(self) -> FloatArray:
        """(T,) thresholds, their mean taken off."""
        return np.asarray(self._centred[0] @ self.theta[: self.fixed], dtype=np.float64)

    @property
    def tau(self) -> float:
        """Standard deviation between respondents, of a team if there are teams; NaN if it cannot be told."""
        return float(self.theta[self.fixed])

    @property
    def omega(self) -> float:
        """Standard deviation between teams; NaN if there are none, or if it cannot be told."""
        return float(self.theta[-1]) if self.with_teams else math.nan

    @property
    def spread(self) -> float:
        """Standard deviation between respondents, whatever their team, as far as it can be told."""
        return float(np.linalg.norm(np.nan_to_num(self.theta[self.fixed :])))

    @property
    def coef(self) -> FloatArray:
        """(P,) coefficients, the mean threshold taken off those of the cells."""
        return np.asarray(self._centred[1] @ self.theta[: self.fixed], dtype=np.float64)

    @property
    def cov(self) -> FloatArray:
        """(P, P) covariance of `coef`."""
        centred, fixed = self._centred[1], slice(self.fixed)
        return np.asarray(centred @ self.theta_cov[fixed, fixed] @ centred.T, dtype=np.float64)

    @property
    def _centred(self) -> tuple[FloatArray, FloatArray]:
        """(T, T + P) and (P, T + P): `thresholds` and `coef` as combinations of `theta`."""
        size = len(self.columns)
        number = self.fixed - size
        mean = np.full(number, 1 / max(number, 1))
        coef = np.hstack([np.zeros((size, number)), np.eye(size)])
        coef[: self.cells, :number] = -mean
        return np.hstack([np.eye(number) - mean, np.zeros((number, size))]), coef

    @property
    def total_sd(self) -> float:
        """Standard deviation of one latent answer, given its cell, item and covariates; NaN without a fit."""
        return math.nan if self.maximum is None else math.sqrt(self.link.variance + self.spread**2)

    def estimable(self, contrast: FloatArray) -> bool:
        """Whether the data determine a (P,) combination of the coefficients, it is finite, and so is its variance."""
        return self.determined(contrast[None] @ self._centred[1]) and not self.unmeasurable(contrast)

    def obstacle(self, contrast: FloatArray) -> str:
        """Why a combination is not estimable, in words."""
        rows = contrast[None] @ self._centred[1]
        return self.unmeasurable(contrast) if self.determined(rows) else self.obstacle_to(rows)

    def obstacle_to(self, rows: FloatArray) -> str:
        """Why (number, T + P) combinations of thresholds and coefficients are not all determined."""
        if not (self.separated and self.determined_at_first(rows)):
            return NOT_DETERMINED
        return f"{SEPARATED}: {', '.join(self.infinite)}" if self.infinite else SEPARATED

    def unmeasurable(self, contrast: FloatArray) -> str:
        """Why the variance of a (P,) combination cannot be estimated; empty if it can."""
        for direction, reason in self.unknown:
            if abs(contrast @ direction) > ESTIMABLE * (np.abs(contrast) @ np.abs(direction)):
                return reason
        return ""

    def df(self, contrast: FloatArray) -> float:  # noqa: ARG002
        """`freedom`, for every combination."""
        return self.freedom

    def variances(self, confidence: float) -> list[dict[str, Any]]:
        """Rows of a tidy table: variances, thresholds, and how good the fit is.

        On the latent scale, s2 being pi^2 / 3 (logit) or 1 (probit): `tau2`, `icc` = (tau2 + tau2_team) / (s2 +
        tau2 + tau2_team), the correlation of two answers of a respondent, `total_sd` = sqrt(s2 + tau2 +
        tau2_team); with teams `tau2_team` and `icc_team` = tau2_team / (s2 + tau2 + tau2_team), that of
        answers of two respondents of a team. `threshold[a|b]` between the answers a and b, the mean threshold
        taken off; `loglik` (of probabilities, not comparable with a linear model's); `scaled_gradient` =
        g'H^-1 g; `n_categories`. Standard errors are by the delta method, none for a variance of 0.

        Intervals of the variances are by the profile likelihood and reach down to 0 where it does. `icc_team`
        ends where omega does; with teams `icc` and `total_sd`, and with weights all, have theirs by Student's t
        on the log or logit scale.
        """
        found, errors = components(
            self.link,
            theta=self.theta[self.fixed :],
            cov=self.theta_cov[self.fixed :, self.fixed :],
            fitted=self.maximum is not None,
        )
        ends = self._ranges(found, errors, confidence)
        rows = [(term, estimate, errors[term], self.note) for term, estimate in found.items()]
        centred, fixed = self._centred[0], slice(self.fixed)
        # a variance of zero may come out just below it
        spread = np.diagonal(centred @ self.theta_cov[fixed, fixed] @ centred.T)
        of_thresholds = np.sqrt(np.maximum(spread, 0.0))
        for place, (estimate, error) in enumerate(zip(self.thresholds, of_thresholds, strict=True)):
            row_of_it, name = centred[place : place + 1], f"{self.levels[place]:g}|{self.levels[place + 1]:g}"
            if self.determined(row_of_it):
                rows.append((f"threshold[{name}]", estimate, error, self.note))
            else:
                rows.append((f"threshold[{name}]", math.nan, 0.0, self.obstacle_to(row_of_it)))
        rows += [(term, getattr(self, term), 0.0, self.note) for term in ("loglik", "scaled_gradient")]
        made = []
        for term, estimate, error, note in rows:
            known = math.isfinite(estimate)
            row: dict[str, Any] = {
                "term": term,
                "estimate": estimate,
                "n": self.n_respondents,
                "status": self.status if known or self.maximum is None else Status.NOT_ESTIMABLE,
                "note": note,
            }
            if known:
                row["conf_low"], row["conf_high"] = ends.get(term, UNKNOWN)
                if error > 0:
                    row["std_error"] = error
            made.append(row)
        unused = ", ".join(f"{level:g}" for level in self.unused)
        made.append(
            {
                "term": "n_categories",
                "estimate": len(self.levels),
                "n": self.n_respondents,
                "note": f"nobody answered: {unused}" if unused else "",
            }
        )
        return made

    def _ranges(
        self, found: Mapping[str, float], errors: Mapping[str, float], confidence: float
    ) -> dict[str, Ends]:
        """Intervals of the variances."""
        if self.maximum is None:
            return {}
        some = {term: error for term, error in errors.items() if error > 0 and math.isfinite(found[term])}
        ends = dict(Normal(found, some, SHARES, self.freedom)(confidence))
        if math.isfinite(self.freedom):
            return ends
        s2, fixed = self.link.variance, self.fixed
        for place, name in enumerate(("tau2", "tau2_team")[: 1 + self.with_teams]):
            if math.isnan(found[name]):
                continue
            at = self.maximum.ends(place, confidence, self.link)
            squares = [None if one is None else one[fixed:] ** 2 for one in at]
            ends[name] = _two(math.nan if one is None else float(one[place]) for one in squares)
            shares = (math.nan if one is None else float(one[place] / (s2 + one.sum())) for one in squares)
            if name == "tau2_team":
                ends["icc_team"] = _two(shares)
            elif not self.with_teams:
                ends["icc"] = _two(shares)
                ends["total_sd"] = _two(math.sqrt(s2 + one) for one in ends[name])
        return ends


def _two(values: Iterable[float]) -> Ends:
    low, high = values
    return low, high


def fit_ordinal(
    design: Design, *, link: str = "logit", nodes: int = NODES, reach: float = REACH
) -> OrdinalFit:
    """Fit the cumulative link mixed model.

    There are more nodes than asked for where answers say much about a respondent or a team (many items, many
    members, a large tau), and until more of them, that reach further, make no difference to the estimates.

    Parameters
    ----------
    design
        The distinct respondents.
    link
        ``logit`` or ``probit``.
    nodes, reach
        Nodes of the quadrature, at least; standard deviations of z that they span to each side.

    Returns
    -------
    OrdinalFit
        Always; if the model cannot be fitted, one whose status and note say why. If no respondent answered
        two items, it is the cumulative link model without respondents, and tau is NaN. If no team has two
        respondents, tau is of respondents and teams together, and omega is NaN. If teams differ only as the
        cells and covariates do (one team, or one a cell), omega is NaN, and only what it does not matter for
        is estimable.

    Raises
    ------
    ValueError
        If there is no such link, or the nodes make no grid.
    """
    if link not in LINKS:
        raise ValueError(f"not a link: {link} (known: {', '.join(LINKS)})")
    if nodes < 3 or not reach > 0:
        raise ValueError(f"not a grid of nodes: {nodes} within {reach} standard deviations")
    if not design.count.sum() > 0:
        return _no_fit(design, LINKS[link], Status.TOO_FEW, "nobody answered an item")
    together, teams = without_teams(design) if design.teams else (design, None)
    likelihood = Likelihood(together, LINKS[link])
    if reason := _unfit(design, likelihood):
        return _no_fit(design, LINKS[link], *reason)
    members = add_by(design.team[design.group], design.count, max(len(design.teams), 1))
    most = int(design.answered.sum(axis=1).max(initial=0))
    grid = Grid(LINKS[link], nodes, reach, most, float(members.max()))
    found = find_maximum(design, likelihood, teams, grid)
    return _stated(design, found, grid) if isinstance(found, Found) else _no_fit(design, grid.link, *found)


def _stated(design: Design, found: Found, grid: Grid) -> OrdinalFit:
    """Make a maximum a fit, unless its curvature forbids."""
    alone, maximum, peak = found.alone, found.maximum, found.maximum.peak
    likelihood, free, point = alone.likelihood, peak.free, peak.summit.point
    size, fixed = likelihood.size + bool(design.teams), likelihood.size - 1
    inverse = np.linalg.inv(-point.hessian[np.ix_(free, free)])
    if not (np.sqrt(np.diagonal(inverse)) * maximum.extent[free] <= WIDEST).all():
        note = "the answers hardly determine the estimates: the likelihood is almost flat at its maximum"
        return _no_fit(design, grid.link, Status.NOT_ESTIMABLE, note)
    unknown, freedom = found.unknown, math.inf
    if design.weighted:
        meat, number = maximum.surface.meat(point.theta, peak.origin, finer=peak.finer)
        freedom = number - float((free < fixed).sum())
        if freedom < 1:
            who = "teams" if found.by_team else "respondents"
            note = f"no more {who} than parameters: with weights, there are no standard errors"
            return _no_fit(design, grid.link, Status.TOO_FEW, note)
        inverse = inverse @ meat[np.ix_(free, free)] @ inverse * number / (number - 1)
        unknown += _lonely(design)
    theta, cov = np.full(size, math.nan), np.zeros((size, size))
    theta[: len(point.theta)] = point.theta
    cov[np.ix_(free, free)] = inverse
    if likelihood.single():
        theta[fixed] = math.nan
    lost = likelihood.standing()[likelihood.thresholds :] & alone.separated
    return OrdinalFit(
        link=likelihood.link,
        levels=design.levels[likelihood.categories],
        unused=np.delete(design.levels, likelihood.categories),
        columns=design.columns,
        cells=len(design.cells),
        with_teams=bool(design.teams),
        theta=theta,
        theta_cov=cov,
        determined=alone.determined,
        determined_at_first=alone.determined_at_first,
        unknown=unknown,
        infinite=tuple(design.columns[place] for place in np.flatnonzero(lost)),
        separated=alone.separated,
        loglik=point.loglik,
        nodes=grid.at(float(np.linalg.norm(peak.origin[fixed:])), finer=peak.finer),
        scaled_gradient=peak.summit.scaled_gradient,
        freedom=freedom,
        maximum=maximum,
        n_obs=_answers(design),
        n_respondents=round(float(design.persons.sum())),
        status=found.status,
        note="; ".join(found.notes),
    )


def _lonely(design: Design) -> tuple[tuple[FloatArray, str], ...]:
    """Cells of which a sandwich knows no variance."""
    who = "team" if design.teams else "respondent"
    reason = f"one {who} only in a cell: with weights, its variance cannot be estimated"
    alone = np.flatnonzero(clusters_by_cell(design) == 1)
    return tuple((direction, reason) for direction in np.eye(len(design.columns))[alone])


def _unfit(design: Design, likelihood: Likelihood) -> tuple[Status, str] | None:
    """Why the likelihood has no maximum, where that can be told before looking for it."""
    if likelihood.thresholds < 1:
        return Status.NOT_ESTIMABLE, "everybody gave the same answer"
    if likelihood.thresholds >= MOST_CATEGORIES:
        return Status.NOT_ESTIMABLE, f"{likelihood.thresholds + 1} distinct answers: no response scale"
    sums = sum_up(design)
    rank = int(independent_columns(sums.total)[0].sum())
    if sums.n_obs <= rank + likelihood.thresholds:
        return Status.TOO_FEW, "no more answers than parameters"
    if sums.n_obs > sums.n_respondents:
        within = int(independent_columns(sums.within)[0].sum())
        if sums.n_obs - sums.n_respondents - within < 1:
            return Status.TOO_FEW, "too few answers a respondent to tell respondents apart"
        if sums.n_respondents - (rank - within) < 1:
            return Status.TOO_FEW, "too few respondents to estimate the variance between them"
    return None


def _answers(design: Design) -> int:
    persons = add_by(design.group, design.persons, len(design.cell))
    return round(float(persons @ design.answered.sum(axis=1)))


def _no_fit(design: Design, link: Link, status: Status, note: str) -> OrdinalFit:
    size = len(design.columns)
    nothing = Determined(np.eye(size), np.ones(size))
    parameters = size + 1 + bool(design.teams)
    return OrdinalFit(
        link=link,
        levels=design.levels[:1],
        unused=design.levels[:0],
        columns=design.columns,
        cells=len(design.cells),
        with_teams=bool(design.teams),
        theta=np.full(parameters, math.nan),
        theta_cov=np.full((parameters, parameters), math.nan),
        determined=nothing,
        determined_at_first=nothing,
        unknown=(),
        infinite=(),
        separated=False,
        loglik=math.nan,
        nodes=np.zeros(0),
        scaled_gradient=math.nan,
        freedom=math.nan,
        maximum=None,
        n_obs=_answers(design),
        n_respondents=round(float(design.persons.sum())),
        status=status,
        note=note,
    )
