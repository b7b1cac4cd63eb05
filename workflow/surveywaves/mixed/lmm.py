"""Linear mixed model with a random intercept for each respondent, and for each team, fitted by REML.

Variance components of the linear model, what follows from them, and their standard errors.

Respondents have variance a sigma2, teams b sigma2, and an answer (1 + a + b) sigma2.

Linear mixed model with a random intercept a respondent, and a team, fitted by REML.

    answer = cell + item + covariates + v + u + e,
    v ~ N(0, tau2_team) a team,   u ~ N(0, tau2) a respondent,   e ~ N(0, sigma2) an answer

The likelihood is in `reml`, with teams in `nested`, its maximum in `best`; under sampling weights it is a
pseudo-likelihood, and the covariances are those of `sandwich`. What follows from the variances is in
`components`, their intervals in `interval`.

Sources: Patterson and Thompson (1971) Biometrika 58, 545 (REML); Bates, Maechler, Bolker and Walker (2015)
J. Stat. Softw. 67(1), eq. 41 and 42 (the profiled criterion, constants included); Giesbrecht and Burns (1985)
Biometrics 41, 477 and Kuznetsova, Brockhoff and Christensen (2017) J. Stat. Softw. 82(13) (Satterthwaite's
degrees of freedom); Nakagawa and Schielzeth (2013) Methods Ecol. Evol. 4, 133 (R2).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from surveywaves.mixed.best import Best, answers_in, best_of
from surveywaves.mixed.design import BoolArray, Design, FloatArray
from surveywaves.mixed.deviance import UNKNOWN, Normal, Range, independent_columns, sum_up
from surveywaves.mixed.sandwich import clusters, clusters_by_cell, residuals, sandwich
from surveywaves.terms import LINEAR, Status

SHARES = frozenset({"icc", "icc_team"})
"""The terms that lie between 0 and 1."""


def estimates(
    *, sigma2: float, tau2: float, tau2_team: float, fixed_variance: float, with_teams: bool
) -> dict[str, float]:
    """Term -> estimate, NaN where there is none.

    Parameters
    ----------
    sigma2, tau2, tau2_team
        Variances within respondents, between respondents (of a team) and between teams; NaN where it is
        not in the model or cannot be told from another.
    fixed_variance
        Variance over the answers of what the fixed effects predict.
    with_teams
        Whether the terms of teams are wanted.
    """
    team = 0.0 if math.isnan(tau2_team) else tau2_team
    total = sigma2 + team + (0.0 if math.isnan(tau2) else tau2)
    explained = fixed_variance + total
    teams = {"tau2_team": tau2_team, "icc_team": tau2_team / total} if with_teams else {}
    return {
        "sigma2": sigma2,
        "tau2": tau2,
        "icc": (tau2 + team) / total,
        "total_sd": math.sqrt(total),
        **teams,
        "r2_marginal": fixed_variance / explained,
        "r2_conditional": (fixed_variance + tau2 + team) / explained,
    }


def standard_errors(*, sigma2: float, ratios: FloatArray, variance_cov: FloatArray) -> dict[str, float]:
    """Term -> standard error by the delta method, 0 for a variance of 0.

    Parameters
    ----------
    sigma2, ratios
        Variance within respondents; (1,) or (2,) those between respondents, and teams, over it.
    variance_cov
        (2, 2) or (3, 3) covariance of sigma2 and the ratios.
    """
    s, (a, b) = sigma2, np.append(ratios, 0.0)[:2]
    total = 1 + a + b
    root = 2 * math.sqrt(s * total)
    gradients = {
        "sigma2": (1.0, 0.0, 0.0),
        "tau2": (a, s, 0.0),
        "tau2_team": (b, 0.0, s),
        "icc": (0.0, 1 / total**2, 1 / total**2),
        "icc_team": (0.0, -b / total**2, (1 + a) / total**2),
        "total_sd": (total / root, s / root, s / root),
    }
    found = {}
    for term, gradient in gradients.items():
        vector = np.array(gradient[: len(variance_cov)])
        found[term] = math.sqrt(max(float(vector @ variance_cov @ vector), 0.0))
    return found


ESTIMABLE: Final = 1e-8
"""A combination is estimable if its cosine with every null direction of the columns is this or less."""


@dataclass(frozen=True, slots=True, eq=False)
class LinearFit:
    """A fitted linear mixed model; P fixed-effect columns, those of the design.

    Parameters
    ----------
    columns
        Names of the P columns.
    kept
        (P,) columns that are not a combination of earlier ones.
    coef, cov
        (P,), (P, P) coefficients and their covariance; 0 for the columns not kept. Where not all are kept,
        this is one solution of many, and only estimable combinations of it mean anything: see `estimable`.
    model_cov
        (P, P) the covariance that the model gives; without weights, `cov`.
    sigma2, tau2, theta
        Variance within respondents, variance between them, tau2 / sigma2 (lme4's theta is its root).
    tau2_team, theta_team
        Variance between teams, respondents within a team having `tau2`, and tau2_team / sigma2. NaN and 0 if
        there is none in the model.
    with_teams
        Whether the design knows teams.
    loglik
        REML log-likelihood with all constants, as lme4 gives it. It depends on the units of the columns:
        compare only fits of the same columns. With weights, of the pseudo-likelihood.
    fixed_variance
        Variance over the answers of what the fixed effects predict, divisor n - 1.
    n_obs, n_respondents
        Answers; respondents.
    status
        ``ok``; ``boundary`` (a variance is 0); or why there is no fit, and then every number is NaN.
    note
        The status in words, empty if ``ok`` without more to say.
    null
        (P, P - rank) combinations of the columns that are zero throughout the data, unit columns, with
        coefficients on the scale of `scale`.
    scale
        (P,) root sum of squares of each column (1 where that is 0).
    unknown
        (P,) direction, and why: a combination of the coefficients that is not orthogonal to it has a
        variance that cannot be estimated.
    variance_cov
        (2, 2) asymptotic covariance of (sigma2, theta), or (3, 3) of (sigma2, theta, theta_team): twice the
        inverse Hessian of the REML deviance, or a sandwich.
    cov_by_theta
        (1 or 2, P, P) derivatives of `cov` by the ratios.
    freedom
        Degrees of freedom of every combination, NaN if they are Satterthwaite's.
    ranges
        Gives the intervals of the variances at a confidence.
    analysis
        The name that results of this fit carry.
    """

    columns: tuple[str, ...]
    kept: BoolArray
    coef: FloatArray
    cov: FloatArray
    model_cov: FloatArray
    sigma2: float
    tau2: float
    theta: float
    tau2_team: float
    theta_team: float
    with_teams: bool
    loglik: float
    fixed_variance: float
    n_obs: int
    n_respondents: int
    status: Status
    note: str
    null: FloatArray
    scale: FloatArray
    unknown: tuple[tuple[FloatArray, str], ...]
    variance_cov: FloatArray
    cov_by_theta: FloatArray
    freedom: float
    ranges: Range
    analysis: str = LINEAR

    @property
    def rank(self) -> int:
        """Number of independent columns."""
        return int(self.kept.sum())

    @property
    def total_sd(self) -> float:
        """Standard deviation of one answer, given its cell, item and covariates; NaN without a fit."""
        parts = [one for one in (self.tau2, self.tau2_team) if not math.isnan(one)]
        return math.sqrt(self.sigma2 + sum(parts))

    def estimable(self, contrast: FloatArray) -> bool:
        """Whether a (P,) combination of the coefficients, and its variance, can be estimated."""
        return self._determined(contrast) and not self._unmeasurable(contrast)

    def obstacle(self, contrast: FloatArray) -> str:
        """Why a combination is not estimable, in words; empty if the columns do not determine it."""
        return self._unmeasurable(contrast) if self._determined(contrast) else ""

    def df(self, contrast: FloatArray) -> float:
        """Degrees of freedom of a (P,) combination of the coefficients.

        Satterthwaite's are 2 f^2 / (g' A g), where f is the combination's variance, g its gradient in the
        variance parameters and A their asymptotic covariance (Giesbrecht and Burns 1985). With all variances
        but sigma2 at 0 this is n - rank. With weights, clusters - rank: see `sandwich`.
        """
        if not math.isnan(self.freedom):
            return self.freedom
        variance = float(contrast @ self.cov @ contrast)
        gradient = np.append(variance / self.sigma2, self.cov_by_theta @ contrast @ contrast)
        spread = float(gradient @ self.variance_cov @ gradient)
        return 2.0 * variance**2 / spread if spread > 0 else math.nan

    def variances(self, confidence: float) -> list[dict[str, Any]]:
        """Rows of a tidy table: variance components and what follows from them.

        `sigma2`, `tau2`, `icc` = (tau2 + tau2_team) / (sigma2 + tau2 + tau2_team), the correlation of two
        answers of a respondent, `total_sd` = sqrt(sigma2 + tau2 + tau2_team), marginal and conditional R2,
        and `reml_loglik`; with teams `tau2_team` and `icc_team` = tau2_team / (sigma2 + tau2 + tau2_team), the
        correlation of answers of two respondents of a team. Standard errors are asymptotic, none for a
        variance of 0. Intervals are by the profile likelihood, and reach down to 0 where it does; with
        weights by Student's t on the log or logit scale.
        """
        found = estimates(
            sigma2=self.sigma2,
            tau2=self.tau2,
            tau2_team=self.tau2_team,
            fixed_variance=self.fixed_variance,
            with_teams=self.with_teams,
        )
        fitted = self.status in (Status.OK, Status.BOUNDARY)
        errors = self._errors() if fitted else {}
        ends = self.ranges(confidence) if fitted else {}
        rows = []
        for term, estimate in (found | {"reml_loglik": self.loglik}).items():
            known = math.isfinite(estimate)
            row: dict[str, Any] = {
                "term": term,
                "estimate": estimate,
                "n": self.n_respondents,
                "status": self.status if known or not fitted else Status.NOT_ESTIMABLE,
                "note": self.note,
            }
            if known:
                row["conf_low"], row["conf_high"] = ends.get(term, UNKNOWN)
                if errors.get(term, 0.0) > 0:
                    row["std_error"] = errors[term]
            rows.append(row)
        return rows

    def _errors(self) -> dict[str, float]:
        ratios = np.array([self.theta, self.theta_team])[: len(self.variance_cov) - 1]
        return standard_errors(sigma2=self.sigma2, ratios=ratios, variance_cov=self.variance_cov)

    def _determined(self, contrast: FloatArray) -> bool:
        vector = contrast / self.scale
        return bool(np.all(np.abs(vector @ self.null) <= ESTIMABLE * np.linalg.norm(vector)))

    def _unmeasurable(self, contrast: FloatArray) -> str:
        """Why the variance of a combination cannot be estimated; empty if it can."""
        for direction, reason in self.unknown:
            if abs(contrast @ direction) > ESTIMABLE * (np.abs(contrast) @ np.abs(direction)):
                return reason
        return ""


def fit_linear(design: Design) -> LinearFit:
    """Fit the linear mixed model by REML.

    Parameters
    ----------
    design
        The distinct respondents.

    Returns
    -------
    LinearFit
        Always; if the model cannot be fitted, one whose status and note say why. If no respondent answered
        two items, the variances within and between respondents cannot be told apart: `sigma2` is their sum
        and `tau2` is NaN. If no team has two respondents, `tau2` is the sum of the variances between
        respondents and between teams, and `tau2_team` is NaN. If teams differ only as the fixed effects do (one
        team, or one a cell), `tau2_team` is NaN, and only what it does not matter for is estimable.
    """
    sums = sum_up(design)
    if sums.n_obs == 0:
        return _no_fit(design, Status.TOO_FEW, "nobody answered an item")
    kept, null, scale = independent_columns(sums.total)
    best = best_of(design, sums, kept, scale)
    if not isinstance(best, Best):
        return _no_fit(design, *best)

    size, cells = len(design.columns), slice(len(design.cells))
    coef, cov = np.zeros(size), np.zeros((size, size))
    by_theta = np.zeros((len(best.slope_matrices), size, size))
    coef[kept] = best.beta / scale[kept]
    units = np.outer(scale[kept], scale[kept])
    cov[np.ix_(kept, kept)] = best.sigma2 * best.inverse / units
    for place, slope in enumerate(best.slope_matrices):
        by_theta[place][np.ix_(kept, kept)] = -best.sigma2 * (best.inverse @ slope @ best.inverse) / units
    spread = float(coef @ sums.total @ coef - (sums.column_sums @ coef) ** 2 / sums.n_obs)
    coef[cells] += np.where(kept[cells], sums.shift, 0.0)
    theta, theta_team = np.append(best.theta, 0.0)[:2]
    fit = LinearFit(
        columns=design.columns,
        kept=kept,
        coef=coef,
        cov=cov,
        model_cov=cov,
        sigma2=best.sigma2,
        tau2=best.sigma2 * float(theta) if best.respondents_told else math.nan,
        theta=float(theta),
        tau2_team=best.sigma2 * float(theta_team) if len(best.theta) > 1 else math.nan,
        theta_team=float(theta_team),
        with_teams=bool(design.teams),
        loglik=-best.deviance / 2,
        fixed_variance=max(spread, 0.0) / (sums.n_obs - 1),
        n_obs=answers_in(design),
        n_respondents=round(float(design.persons.sum())),
        status=best.status,
        note=best.note,
        null=null,
        scale=scale,
        unknown=best.unknown,
        variance_cov=best.variance_cov,
        cov_by_theta=by_theta,
        freedom=math.nan,
        ranges=best.ranges,
    )
    return _weighted(design, fit) if design.weighted else fit


def _weighted(design: Design, fit: LinearFit) -> LinearFit:
    """Give the fit the covariances that hold under weights."""
    left = residuals(design, fit.coef, theta=fit.theta, theta_team=fit.theta_team)
    found = sandwich(
        design,
        left,
        sigma2=fit.sigma2,
        theta_team=fit.theta_team,
        model_cov=fit.model_cov,
        variance_cov=fit.variance_cov,
    )
    who = "team" if design.teams else "respondent"
    lonely = np.flatnonzero(clusters_by_cell(design) == 1)
    reason = f"one {who} only in a cell: with weights, its variance cannot be estimated"
    directions = np.eye(len(design.columns))[lonely]
    freedom = float(clusters(design) - fit.rank)
    fit = replace(
        fit,
        cov=found.cov,
        variance_cov=found.variance_cov,
        unknown=(*fit.unknown, *((direction, reason) for direction in directions)),
        freedom=freedom,
    )
    known = estimates(
        sigma2=fit.sigma2,
        tau2=fit.tau2,
        tau2_team=fit.tau2_team,
        fixed_variance=fit.fixed_variance,
        with_teams=fit.with_teams,
    )
    errors = {
        term: error
        for term, error in fit._errors().items()
        if error > 0 and math.isfinite(known.get(term, math.nan))
    }
    return replace(fit, ranges=Normal(known, errors, SHARES, freedom))


def _no_fit(design: Design, status: Status, note: str) -> LinearFit:
    size = len(design.columns)
    nothing = np.full((size, size), math.nan)
    return LinearFit(
        columns=design.columns,
        kept=np.zeros(size, dtype=np.bool_),
        coef=np.full(size, math.nan),
        cov=nothing,
        model_cov=nothing,
        sigma2=math.nan,
        tau2=math.nan,
        theta=math.nan,
        tau2_team=math.nan,
        theta_team=math.nan,
        with_teams=bool(design.teams),
        loglik=math.nan,
        fixed_variance=math.nan,
        n_obs=answers_in(design),
        n_respondents=round(float(design.persons.sum())),
        status=status,
        note=note,
        null=np.eye(size),
        scale=np.ones(size),
        unknown=(),
        variance_cov=np.full((2, 2), math.nan),
        cov_by_theta=nothing[None],
        freedom=math.nan,
        ranges=lambda _: {},
    )
