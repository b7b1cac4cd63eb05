"""The linear model that the data allow, and where its likelihood is highest.

Data that cannot tell two variances apart get the model with their sum, and a note; data that cannot tell a
variance at all get a reason and no fit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from surveywaves.mixed.design import BoolArray, Design, FloatArray, add_by
from surveywaves.mixed.deviance import (
    COLLINEAR,
    Nested,
    OneRatio,
    Profile,
    Range,
    Sums,
    TwoRatios,
    best_theta,
    best_thetas,
    sum_teams,
)
from surveywaves.mixed.sandwich import clusters
from surveywaves.terms import Status

EXACT: Final = 1e-10
"""Residuals within respondents are zero if they are this share, or less, of the sum of squares."""

NO_ZERO: Final = "the residual variance is zero: the likelihood has no maximum"
NO_MAXIMUM: Final = "no finite maximum of the REML likelihood was found"
SINGLE: Final = "no respondent answered two items: variances within and between respondents are one"
ALONE: Final = "no team has two respondents: variances between respondents and between teams are one"
TEAMS_ARE_COLUMNS: Final = (
    "teams differ only as the cells and covariates do: the variance between teams cannot be estimated"
)


@dataclass(frozen=True, slots=True, eq=False)
class Best:
    """The maximum of the likelihood, in the units of the likelihood; r variance ratios, p columns kept.

    Parameters
    ----------
    theta
        (r,) the ratios: of respondents, and of teams if they are in the model.
    respondents_told
        Whether the variance between respondents could be told from that within.
    deviance, beta, sigma2, inverse, variance_cov
        See `reml.Point` and `reml.Profile.variance_cov`.
    slope_matrices
        (r, p, p).
    unknown, ranges, status, note
        See `LinearFit`.
    """

    theta: FloatArray
    respondents_told: bool
    deviance: float
    beta: FloatArray
    sigma2: float
    inverse: FloatArray
    slope_matrices: FloatArray
    variance_cov: FloatArray
    ranges: Range
    status: Status
    note: str
    unknown: tuple[tuple[FloatArray, str], ...] = ()


Reason: TypeAlias = tuple[Status, str]


def best_of(design: Design, sums: Sums, kept: BoolArray, scale: FloatArray) -> Best | Reason:
    """Find the maximum, or say why there is none, of the model that the data allow."""
    profile = Profile(sums, kept, scale)
    left = _Left.of(design, profile, int(kept.sum()))
    if reason := _unfit(design, sums, profile, left):
        return reason
    if not design.teams:
        return _without_teams(profile, left.single)
    if float(add_by(design.team[design.group], design.persons, len(design.teams)).max()) < 2:
        best = _without_teams(profile, left.single)
        return best if not isinstance(best, Best) else _noted(best, ALONE)
    nested = Nested(sums, sum_teams(design, sums), kept, scale)
    residual, rank = nested.within_teams()
    between = len(design.teams) + rank - int(kept.sum())
    if between < 1:
        best = _without_teams(profile, left.single)
        return best if not isinstance(best, Best) else _with_teams_unknown(design, sums, kept, best)
    if left.respondents - between < 1:
        return Status.TOO_FEW, "too few respondents a team to tell respondents from teams"
    if left.single and residual <= EXACT * sums.total_yy:
        return Status.NOT_ESTIMABLE, NO_ZERO
    return _with_teams(nested, left.single)


class _Left(NamedTuple):
    """Degrees of freedom that the fixed effects leave."""

    answers: int
    within: int
    respondents: int
    single: bool

    @classmethod
    def of(cls, design: Design, profile: Profile, rank: int) -> _Left:
        number = answers_in(design)
        people = round(float(design.persons.sum()))
        within = number - people - profile.within_residual()[1]
        return cls(number - rank, within, number - rank - within, number == people)


def _unfit(design: Design, sums: Sums, profile: Profile, left: _Left) -> Reason | None:
    """Why the likelihood has no maximum, where that can be told before looking for it."""
    if min(left.answers, profile.freedom) < 1:
        return Status.TOO_FEW, "no more answers than fixed effects"
    if left.single:
        residual = profile.at(0.0).sigma2 * profile.freedom
    else:
        residual = profile.within_residual()[0]
        if left.within < 1:
            return Status.TOO_FEW, "too few answers a respondent to estimate the variance within respondents"
        if left.respondents < 1:
            return Status.TOO_FEW, "too few respondents to estimate the variance between them"
    if design.weighted and clusters(design) <= answers_in(design) - left.answers:
        return Status.TOO_FEW, f"no more {'teams' if design.teams else 'respondents'} than fixed effects"
    return (Status.NOT_ESTIMABLE, NO_ZERO) if residual <= EXACT * sums.total_yy else None


def _without_teams(profile: Profile, single: bool) -> Best | Reason:
    """Find the maximum with respondents only."""
    theta = 0.0 if single else best_theta(profile)
    if not math.isfinite(theta):
        return Status.NOT_CONVERGED, NO_MAXIMUM
    best = profile.at(theta)
    if not math.isfinite(best.deviance):
        return Status.NOT_CONVERGED, "the REML likelihood is not finite"
    variance_cov = profile.variance_cov(best)
    if not np.isfinite(variance_cov).all():
        return Status.NOT_CONVERGED, "the REML likelihood has no curvature at its maximum"
    status, note = Status.OK, ""
    if single:
        note = SINGLE
    elif theta == 0:
        status, note = Status.BOUNDARY, "the variance between respondents is estimated as zero"
    return Best(
        theta=np.array([theta]),
        respondents_told=not single,
        deviance=best.deviance,
        beta=best.beta,
        sigma2=best.sigma2,
        inverse=best.inverse,
        slope_matrices=best.slope_matrix[None],
        variance_cov=variance_cov,
        ranges=OneRatio(profile, best, *(("", "") if single else ("tau2", "icc"))),
        status=status,
        note=note,
    )


def _with_teams(nested: Nested, single: bool) -> Best | Reason:
    """Find the maximum with respondents nested in teams."""
    theta = np.array([0.0, best_theta(nested.edge(1))]) if single else best_thetas(nested)
    if not np.isfinite(theta).all():
        return Status.NOT_CONVERGED, NO_MAXIMUM
    best = nested.at(theta)
    variance_cov = nested.variance_cov(best)
    if not np.isfinite(variance_cov).all():
        return Status.NOT_CONVERGED, "the REML likelihood has no curvature at its maximum"
    none = [
        f"between {who}"
        for who, zero in (("respondents", theta[0] == 0 and not single), ("teams", theta[1] == 0))
        if zero
    ]
    notes = [SINGLE] if single else []
    if none:
        verb = "variances {} are" if len(none) > 1 else "variance {} is"
        notes.append(f"the {verb.format(' and '.join(none))} estimated as zero")
    ranges: Range = TwoRatios(nested, best)
    if single:
        edge = nested.edge(1)
        ranges = OneRatio(edge, edge.at(float(theta[1])), "tau2_team", "icc_team")
    return Best(
        theta=theta,
        respondents_told=not single,
        deviance=best.deviance,
        beta=best.beta,
        sigma2=best.sigma2,
        inverse=best.inverse,
        slope_matrices=best.slope_matrices,
        variance_cov=variance_cov,
        ranges=ranges,
        status=Status.BOUNDARY if none else Status.OK,
        note="; ".join(notes),
    )


def _noted(best: Best, note: str) -> Best:
    return replace(best, note="; ".join(one for one in (best.note, note) if one))


def _with_teams_unknown(design: Design, sums: Sums, kept: BoolArray, best: Best) -> Best:
    """Take the maximum without teams, where the fixed effects make up the teams: they fit the same.

    A team's effect is then a combination of coefficients. Whatever it does not enter has the variance that
    the model without teams says; the variance of everything else depends on tau2_team, which nothing tells.
    """
    size, teams = len(design.columns), len(design.teams)
    by_team = np.zeros((size, teams))
    for team in range(teams):
        mine = np.flatnonzero(design.team == team)
        rows = design.group_rows(mine)
        times = np.repeat(design.answered[mine].sum(axis=1)[:, None].astype(np.float64), size, axis=1)
        times[:, design.item_columns] = 1.0
        by_team[:, team] = design.group_counts[mine] @ (rows * times)
    directions = np.zeros((size, teams))
    directions[kept] = np.linalg.solve(sums.total[np.ix_(kept, kept)], by_team[kept])
    directions[np.abs(directions) < COLLINEAR * np.abs(directions).max(axis=0)] = 0.0
    unknown = tuple((direction, TEAMS_ARE_COLUMNS) for direction in directions.T)
    return replace(_noted(best, TEAMS_ARE_COLUMNS), unknown=unknown)


def answers_in(design: Design) -> int:
    """How many answers there are, whatever their weights."""
    persons = add_by(design.group, design.persons, len(design.cell))
    return round(float(persons @ design.answered.sum(axis=1)))
