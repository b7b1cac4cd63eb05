"""Linear mixed model with a random intercept for each respondent, and for each team, fitted by REML.

    answer = cell + item + covariates + v + u + e,
    v ~ N(0, tau2_team) for a team,   u ~ N(0, tau2) for a respondent,   e ~ N(0, sigma2) for an answer

The likelihood, by the variance ratios theta, and its maximum are in `reml`. Covariances are those of `robust`, which
hold where cells differ in their variances; on demand the model's own; under sampling weights, which make the likelihood
a pseudo-likelihood, those of `sandwich`. What follows from the variances is in `components`. Data that cannot tell two
variances apart get the model with their sum, and a note; data that cannot tell a variance at all get a reason and no
fit.

Sources: Patterson and Thompson (1971) Biometrika 58, 545 (REML); Bates, Maechler, Bolker and Walker (2015)
J. Stat. Softw. 67(1), eq. 41 and 42 (the profiled criterion, constants included); Giesbrecht and Burns (1985)
Biometrics 41, 477 and Kuznetsova, Brockhoff and Christensen (2017) J. Stat. Softw. 82(13) (Satterthwaite's
degrees of freedom under the model); Nakagawa and Schielzeth (2013) Methods Ecol. Evol. 4, 133 (R2).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import numpy as np

from surveywaves.mixed.components import Components, normal_intervals, variance_rows
from surveywaves.mixed.design import BoolArray, Design, FloatArray
from surveywaves.mixed.estimable import (
    ALONE,
    NOT_DETERMINED,
    TEAMS_ARE_COLUMNS,
    Determined,
    Unknown,
    alone_in_teams,
    answers_in,
    lonely_cells,
    teams_as_columns,
    unmeasurable,
)
from surveywaves.mixed.reml import Deviance, Point, lowest, lowest_along
from surveywaves.mixed.robust import Robust, robust_covariances
from surveywaves.mixed.sandwich import clusters, residuals
from surveywaves.mixed.sums import Sums, independent_columns, sum_teams, sum_up
from surveywaves.terms import LINEAR, Status

EXACT: Final = 1e-10
"""Residuals within respondents are zero if they are this share, or less, of the sum of squares, and a robust variance
is if it is this share, or less, of the model's."""

UNSEEN: Final = 0.01
"""An estimate that takes more than this share of its variance from one cluster alone has no robust standard error."""

NO_ZERO: Final = "the residual variance is zero: the likelihood has no maximum"
NO_MAXIMUM: Final = "no finite maximum of the REML likelihood was found"
NO_CURVATURE: Final = "the REML likelihood has no curvature at its maximum"
SINGLE: Final = "no respondent answered two items: variances within and between respondents are one"


@dataclass(frozen=True, slots=True, eq=False)
class LinearFit:
    """A fitted linear mixed model; P fixed-effect columns, those of the design."""

    kept: BoolArray
    """(P,) columns that are not a combination of earlier ones."""
    coef: FloatArray
    cov: FloatArray
    """(P,), (P, P) coefficients and their covariance; 0 for the columns not kept. Where not all are kept, this is one
    solution of many, and only estimable combinations of it mean anything: see `estimable`."""
    model_cov: FloatArray
    """(P, P) the covariance that the model gives."""
    determined: Determined
    """Which combinations of the coefficients the columns determine."""
    variance_cov: FloatArray
    """(1 + r, 1 + r) asymptotic covariance of sigma2 and the r ratios: theta and, with teams in the model, theta_team.
    Twice the inverse Hessian of the REML deviance, or a sandwich."""
    cov_by_theta: FloatArray
    """(1 or 2, P, P) derivatives of `cov` by the ratios, where it is that of the model."""
    with_teams: bool
    """Whether the design knows teams."""
    n_respondents: int
    status: Status
    """``ok``; ``boundary`` (a variance is 0); or why there is no fit, and then every number is NaN."""
    note: str
    """The status in words, empty if ``ok`` without more to say."""
    sigma2: float = math.nan
    tau2: float = math.nan
    theta: float = math.nan
    """Variance within respondents, variance between them, tau2 / sigma2 (lme4's theta is its root)."""
    tau2_team: float = math.nan
    theta_team: float = math.nan
    """Variance between teams, respondents within a team having `tau2`, and tau2_team / sigma2. NaN and 0 if there is
    none in the model."""
    loglik: float = math.nan
    """REML log-likelihood with all constants, as lme4 gives it. It depends on the units of the columns: compare only
    fits of the same columns. With weights, of the pseudo-likelihood."""
    fixed_variance: float = math.nan
    """Variance over the answers of what the fixed effects predict, divisor n - 1."""
    unknown: Unknown = ()
    """What has a variance that cannot be estimated."""
    freedom: float = math.nan
    """Degrees of freedom of every combination, NaN if they are Satterthwaite's."""
    clusters: int = 0
    """What was drawn independently: respondents, or teams where there is a variance between them."""
    robust: Robust | None = None
    """Where `cov` comes from, if not from the model or, under weights, from `sandwich`."""
    analysis: str = LINEAR
    """The name that results of this fit carry."""

    @property
    def rank(self) -> int:
        """Number of independent columns."""
        return int(self.kept.sum())

    @property
    def components(self) -> Components:
        """The variances."""
        ratios = np.array([self.theta, self.theta_team])
        slopes = np.column_stack([np.append(1.0, ratios), np.vstack([np.zeros(2), self.sigma2 * np.eye(2)])])
        number, size = 2 + self.with_teams, len(self.variance_cov)
        return Components(
            np.array([self.sigma2, self.tau2, self.tau2_team])[:number],
            slopes[:number, :size],
            self.variance_cov,
        )

    @property
    def total_sd(self) -> float:
        """Standard deviation of one answer, given its cell, item and covariates; NaN without a fit."""
        return math.sqrt(self.components.total)

    def obstacles(self, contrasts: FloatArray) -> list[str]:
        """Why (R, P) combinations of the coefficients cannot be estimated, in words; empty where they can."""
        pairs = zip(unmeasurable(self.unknown, contrasts), self.determined(contrasts), strict=True)
        found = [reason if known else NOT_DETERMINED for reason, known in pairs]
        if self.robust is None:
            return found
        who = "team" if math.isfinite(self.tau2_team) else "respondent"
        by_model = _quadratic(contrasts, self.model_cov)
        unseen = ((contrasts @ self.robust.blind) ** 2).sum(axis=1) * self.sigma2 > UNSEEN * by_model
        nothing = _quadratic(contrasts, self.cov) <= EXACT * by_model
        for row in np.flatnonzero(unseen | nothing):
            alone = f"it rests on one {who} alone: its variance cannot be estimated"
            found[row] = found[row] or (alone if unseen[row] else "its robust standard error is zero")
        return found

    def df(self, contrasts: FloatArray) -> FloatArray:
        """(R,) degrees of freedom of (R, P) combinations of the coefficients.

        Satterthwaite's: of the sandwich see `robust`; of the model's covariance 2 f^2 / (g' A g), where f is the
        combination's variance, g its gradient in the variance parameters and A their asymptotic covariance
        (Giesbrecht and Burns 1985), which is n - rank with all variances but sigma2 at 0. With weights,
        clusters - rank: see `sandwich`.
        """
        if self.robust is not None:
            return self.robust.df(contrasts)
        if not math.isnan(self.freedom):
            return np.full(len(contrasts), self.freedom)
        variance = _quadratic(contrasts, self.cov)
        by_ratio = [_quadratic(contrasts, slope) for slope in self.cov_by_theta]
        gradient = np.column_stack([variance / self.sigma2, *by_ratio])
        spread = _quadratic(gradient, self.variance_cov)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(spread > 0, 2.0 * variance**2 / spread, math.nan)

    def variances(self, confidence: float) -> list[dict[str, Any]]:
        """Rows of a tidy table: variance components and what follows from them.

        `sigma2`, `tau2`, `icc` = (tau2 + tau2_team) / (sigma2 + tau2 + tau2_team), the correlation of two
        answers of a respondent, `total_sd` = sqrt(sigma2 + tau2 + tau2_team), marginal and conditional R2,
        and `reml_loglik`; with teams `tau2_team` and `icc_team` = tau2_team / (sigma2 + tau2 + tau2_team), the
        correlation of answers of two respondents of a team. Standard errors are asymptotic. Intervals are by
        Student's t on the log or logit scale, on clusters - 1 degrees of freedom, with weights clusters - rank;
        a variance of 0 has neither, since nothing here says how large it might be.
        """
        parts = self.components
        explained = self.fixed_variance + parts.total
        r2 = {
            "r2_marginal": self.fixed_variance / explained,
            "r2_conditional": (self.fixed_variance + self.tau2 + np.nan_to_num(self.tau2_team)) / explained,
        }
        found = {"sigma2": self.sigma2} | parts.estimates() | r2 | {"reml_loglik": self.loglik}
        fitted = self.status in (Status.OK, Status.BOUNDARY)
        errors = parts.errors() if fitted else {}
        freedom = max(self.clusters - 1, 1) if math.isnan(self.freedom) else self.freedom
        ends = normal_intervals(found, errors, freedom, confidence)
        stated = ((term, estimate, errors.get(term, 0.0), self.note) for term, estimate in found.items())
        return variance_rows(stated, ends, n=self.n_respondents, status=self.status)


def _quadratic(rows: FloatArray, matrix: FloatArray) -> FloatArray:
    """(R,) x'Mx of (R, D) rows."""
    return np.asarray(((rows @ matrix) * rows).sum(axis=1), dtype=np.float64)


Reason: TypeAlias = tuple[Status, str]


def fit_linear(design: Design, *, robust: bool = True) -> LinearFit:
    """Fit the linear mixed model by REML.

    Parameters
    ----------
    design
        The distinct respondents.
    robust
        Whether covariances are to hold where cells differ in their variances, and not only if the model does. With
        weights they always are those of `sandwich`.

    Returns
    -------
    LinearFit
        Always; if the model cannot be fitted, one whose status and note say why. If no respondent answered
        two items, the variances within and between respondents cannot be separated: `sigma2` is their sum
        and `tau2` is NaN. If no team has two respondents, `tau2` is the sum of the variances between
        respondents and between teams, and `tau2_team` is NaN. If teams differ only as the fixed effects do (one
        team, or one a cell), `tau2_team` is NaN, and only what it does not matter for is estimable.
    """
    sums = sum_up(design)
    if sums.n_obs == 0:
        return _no_fit(design, Status.TOO_FEW, "nobody answered an item")
    gram = sums.total[:-1, :-1]
    kept, null, scale = independent_columns(gram)
    model = _model_of(design, sums, kept, scale)
    if not isinstance(model, _Model):
        return _no_fit(design, *model)
    best = _best(model)
    if not isinstance(best, Point):
        return _no_fit(design, *best)
    variance_cov = model.deviance.variance_cov(best)
    if not np.isfinite(variance_cov).all():
        return _no_fit(design, Status.NOT_CONVERGED, NO_CURVATURE)

    size, cells, ratios = len(design.columns), slice(len(design.cells)), model.deviance.ratios
    beta, inverse = model.deviance.coefficients(best)
    coef, cov, by_theta = np.zeros(size), np.zeros((size, size)), np.zeros((ratios, size, size))
    coef[kept] = beta / scale[kept]
    block, units = np.ix_(kept, kept), np.outer(scale[kept], scale[kept])
    cov[block] = best.sigma2 * inverse / units
    by_model = not (robust or design.weighted)
    for place, slope in enumerate(model.deviance.slope_matrices(best) if by_model else ()):
        by_theta[place][block] = -best.sigma2 * (inverse @ slope @ inverse) / units
    spread = float(coef @ gram @ coef - (sums.column_sums @ coef) ** 2 / sums.n_obs)
    coef[cells] += np.where(kept[cells], sums.shift, 0.0)
    theta, theta_team = np.append(best.theta, 0.0)[:2]
    status, note = _status(model, best)
    fit = LinearFit(
        kept=kept,
        coef=coef,
        cov=cov,
        model_cov=cov,
        sigma2=best.sigma2,
        tau2=best.sigma2 * float(theta) if 0 in model.free else math.nan,
        theta=float(theta),
        tau2_team=best.sigma2 * float(theta_team) if 1 in model.free else math.nan,
        theta_team=float(theta_team),
        with_teams=bool(design.teams),
        loglik=-best.deviance / 2,
        fixed_variance=max(spread, 0.0) / (sums.n_obs - 1),
        n_respondents=round(float(design.persons.sum())),
        status=status,
        note=note,
        determined=Determined(null, scale),
        unknown=model.unknown,
        variance_cov=variance_cov,
        cov_by_theta=by_theta,
        clusters=len(design.teams) if 1 in model.free else round(float(design.persons.sum())),
    )
    return fit if by_model else _robust(design, fit)


@dataclass(frozen=True, slots=True, eq=False)
class _Model:
    """The model that the data allow: its deviance, the ratios to estimate, what cannot be told, and two notes."""

    deviance: Deviance
    free: tuple[int, ...]
    unknown: Unknown = ()
    of_respondents: str = ""
    of_teams: str = ""


def _model_of(design: Design, sums: Sums, kept: BoolArray, scale: FloatArray) -> _Model | Reason:
    """Choose the model, or say why the likelihood has no maximum, where that can be told before looking for it."""
    deviance = Deviance(sums, None, kept, scale)
    number, people, rank = answers_in(design), round(float(design.persons.sum())), int(kept.sum())
    single = number == people
    residual, rank_within = deviance.within()
    within = number - people - rank_within
    respondents = number - rank - within
    if min(number - rank, deviance.freedom) < 1:
        return Status.TOO_FEW, "no more answers than fixed effects"
    if single:
        residual = deviance.at(np.zeros(1)).sigma2 * deviance.freedom
    elif within < 1:
        return Status.TOO_FEW, "too few answers a respondent to estimate the variance within respondents"
    elif respondents < 1:
        return Status.TOO_FEW, "too few respondents to estimate the variance between them"
    if design.weighted and clusters(design) <= rank:
        return Status.TOO_FEW, f"no more {'teams' if design.teams else 'respondents'} than fixed effects"
    total = sums.total[-1, -1]
    if residual <= EXACT * total:
        return Status.NOT_ESTIMABLE, NO_ZERO

    alone = _Model(deviance, () if single else (0,), of_respondents=SINGLE if single else "")
    if not design.teams:
        return alone
    if alone_in_teams(design):
        return replace(alone, of_teams=ALONE)
    if unknown := teams_as_columns(design, sums.total[:-1, :-1], kept):
        return replace(alone, of_teams=TEAMS_ARE_COLUMNS, unknown=unknown)
    deviance = Deviance(sums, sum_teams(design, sums), kept, scale)
    residual, rank_within = deviance.within_teams()
    if respondents - (len(design.teams) + rank_within - rank) < 1:
        return Status.TOO_FEW, "too few respondents a team to tell respondents from teams"
    if single and residual <= EXACT * total:
        return Status.NOT_ESTIMABLE, NO_ZERO
    return replace(alone, deviance=deviance, free=(*alone.free, 1))


def _best(model: _Model) -> Point | Reason:
    """Find the maximum of the likelihood."""
    deviance, free = model.deviance, model.free
    if len(free) > 1:
        theta = lowest(deviance)
    else:
        theta = np.zeros(deviance.ratios)
        for which in free:
            theta[which] = lowest_along(deviance, which)
    best = deviance.at(theta)
    return best if math.isfinite(best.deviance) else (Status.NOT_CONVERGED, NO_MAXIMUM)


def _status(model: _Model, best: Point) -> Reason:
    """Name the variances that are estimated as zero."""
    who = ("between respondents", "between teams")
    none = [who[which] for which in model.free if best.theta[which] == 0]
    verb = "variances {} are" if len(none) > 1 else "variance {} is"
    zero = f"the {verb.format(' and '.join(none))} estimated as zero" if none else ""
    notes = (model.of_respondents, zero, model.of_teams)
    return (Status.BOUNDARY if none else Status.OK), "; ".join(note for note in notes if note)


def _robust(design: Design, fit: LinearFit) -> LinearFit:
    """Replace the covariances of a fit by those that hold where cells differ in their variances, or under weights."""
    weighted = design.weighted
    found = robust_covariances(
        design,
        residuals(design, fit.coef, theta=fit.theta, theta_team=fit.theta_team),
        adjusted=not weighted,
        by_team=bool(design.teams) if weighted else math.isfinite(fit.tau2_team),
        sigma2=fit.sigma2,
        theta=fit.theta,
        theta_team=fit.theta_team,
        model_cov=fit.model_cov,
        variance_cov=fit.variance_cov,
    )
    fit = replace(fit, cov=found.cov, variance_cov=found.variance_cov)
    if not weighted:
        return replace(fit, robust=found)
    number = clusters(design)
    unknown = (*fit.unknown, *lonely_cells(design))
    return replace(fit, unknown=unknown, freedom=float(number - fit.rank), clusters=number)


def _no_fit(design: Design, status: Status, note: str) -> LinearFit:
    size = len(design.columns)
    nothing = np.full((size, size), math.nan)
    return LinearFit(
        kept=np.zeros(size, dtype=np.bool_),
        coef=np.full(size, math.nan),
        cov=nothing,
        model_cov=nothing,
        with_teams=bool(design.teams),
        n_respondents=round(float(design.persons.sum())),
        status=status,
        note=note,
        determined=Determined(np.eye(size), np.ones(size)),
        variance_cov=np.full((2, 2), math.nan),
        cov_by_theta=nothing[None],
    )
