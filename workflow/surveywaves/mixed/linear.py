"""Linear mixed model with a random intercept a respondent, fitted by REML.

    answer = cell + item + covariates + u + e,   u ~ N(0, tau2) a respondent,   e ~ N(0, sigma2) an answer

The likelihood is in `reml`.

Sources: Patterson and Thompson (1971) Biometrika 58, 545 (REML); Bates, Maechler, Bolker and Walker (2015)
J. Stat. Softw. 67(1), eq. 41 and 42 (the profiled criterion, constants included); Giesbrecht and Burns (1985)
Biometrics 41, 477 and Kuznetsova, Brockhoff and Christensen (2017) J. Stat. Softw. 82(13) (Satterthwaite's
degrees of freedom); Nakagawa and Schielzeth (2013) Methods Ecol. Evol. 4, 133 (R2).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from surveywaves.mixed.design import BoolArray, Design, FloatArray
from surveywaves.mixed.reml import Profile, Sums, best_theta, independent_columns, sum_up
from surveywaves.tidy import Status

EXACT: Final = 1e-10
"""Residuals within respondents are zero if they are this share, or less, of the sum of squares."""

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
    sigma2, tau2, theta
        Variance within respondents, variance between them, tau2 / sigma2 (lme4's theta is its root).
    loglik
        REML log-likelihood with all constants, as lme4 gives it. It depends on the units of the columns:
        compare only fits of the same columns.
    fixed_variance
        Variance over the answers of what the fixed effects predict, divisor n - 1.
    n_obs, n_respondents
        Answers; respondents.
    status
        ``ok``; ``boundary`` (tau2 is 0); or why there is no fit, and then every number is NaN.
    note
        The status in words, empty if ``ok`` without more to say.
    null
        (P, P - rank) combinations of the columns that are zero throughout the data, unit columns, with
        coefficients on the scale of `scale`.
    scale
        (P,) root sum of squares of each column (1 where that is 0).
    variance_cov
        (2, 2) asymptotic covariance of (sigma2, theta): twice the inverse Hessian of the REML deviance.
    cov_by_theta
        (P, P) derivative of `cov` by theta.
    analysis
        The name that results of this fit carry.
    """

    columns: tuple[str, ...]
    kept: BoolArray
    coef: FloatArray
    cov: FloatArray
    sigma2: float
    tau2: float
    theta: float
    loglik: float
    fixed_variance: float
    n_obs: int
    n_respondents: int
    status: Status
    note: str
    null: FloatArray
    scale: FloatArray
    variance_cov: FloatArray
    cov_by_theta: FloatArray
    analysis: str = "linear"

    @property
    def rank(self) -> int:
        """Number of independent columns."""
        return int(self.kept.sum())

    def estimable(self, contrast: FloatArray) -> bool:
        """Whether a (P,) combination of the coefficients is a combination of expected answers."""
        vector = contrast / self.scale
        return bool(np.all(np.abs(vector @ self.null) <= ESTIMABLE * np.linalg.norm(vector)))

    def df(self, contrast: FloatArray) -> float:
        """Satterthwaite's degrees of freedom of a (P,) combination of the coefficients.

        2 f^2 / (g' A g), where f is the combination's variance, g its gradient in the variance parameters
        and A their asymptotic covariance (Giesbrecht and Burns 1985). With tau2 = 0 this is n - rank.
        """
        variance = float(contrast @ self.cov @ contrast)
        gradient = np.array([variance / self.sigma2, contrast @ self.cov_by_theta @ contrast])
        spread = float(gradient @ self.variance_cov @ gradient)
        return 2.0 * variance**2 / spread if spread > 0 else math.nan

    def variances(self) -> list[dict[str, Any]]:
        """Rows of a tidy table: variance components and what follows from them.

        `sigma2`, `tau2`, `icc` = tau2 / (tau2 + sigma2), `total_sd` = sqrt(tau2 + sigma2), marginal and
        conditional R2, and `reml_loglik`. Standard errors are asymptotic, none for a variance of 0.
        """
        s, t = self.sigma2, self.theta
        (ss, st), (_, tt) = self.variance_cov
        total = s * (1 + t)
        explained = self.fixed_variance + total
        single = self.status is Status.OK and math.isnan(self.tau2)
        errors = {
            "sigma2": ss,
            "tau2": t**2 * ss + 2 * s * t * st + s**2 * tt,
            "icc": tt / (1 + t) ** 4,
            "total_sd": ((1 + t) ** 2 * ss + 2 * s * (1 + t) * st + s**2 * tt) / (4 * total),
        }
        estimates = {
            "sigma2": s,
            "tau2": self.tau2,
            "icc": math.nan if single else t / (1 + t),
            "total_sd": math.sqrt(total),
            "r2_marginal": self.fixed_variance / explained,
            "r2_conditional": math.nan if single else (self.fixed_variance + s * t) / explained,
            "reml_loglik": self.loglik,
        }
        rows = []
        for term, estimate in estimates.items():
            known = math.isfinite(estimate)
            row: dict[str, Any] = {
                "term": term,
                "estimate": estimate,
                "n": self.n_respondents,
                "status": self.status if known or self.status is not Status.OK else Status.NOT_ESTIMABLE,
                "note": self.note,
            }
            if known and errors.get(term, 0.0) > 0:
                row["std_error"] = math.sqrt(errors[term])
            rows.append(row)
        return rows


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
        two items, the two variances cannot be told apart: the fit is ordinary least squares, `sigma2` is
        their sum and `tau2` is NaN.
    """
    sums = sum_up(design)
    if sums.n_obs == 0:
        return _no_fit(design, Status.TOO_FEW, "nobody answered an item")
    kept, null, scale = independent_columns(sums.total)
    profile = Profile(sums, kept, scale)
    single = sums.n_obs == sums.n_respondents
    if reason := _unfit(sums, profile, single=single):
        return _no_fit(design, *reason)
    theta = 0.0 if single else best_theta(profile)
    if not math.isfinite(theta):
        return _no_fit(design, Status.NOT_CONVERGED, "no finite maximum of the REML likelihood was found")
    best = profile.at(theta)
    if not math.isfinite(best.deviance):
        return _no_fit(design, Status.NOT_CONVERGED, "the REML likelihood is not finite")
    variance_cov = profile.variance_cov(best)
    if not np.isfinite(variance_cov).all():
        return _no_fit(design, Status.NOT_CONVERGED, "the REML likelihood has no curvature at its maximum")

    size = len(design.columns)
    coef, cov, by_theta = np.zeros(size), np.zeros((size, size)), np.zeros((size, size))
    coef[kept] = best.beta / scale[kept]
    units = np.outer(scale[kept], scale[kept])
    cov[np.ix_(kept, kept)] = best.sigma2 * best.inverse / units
    by_theta[np.ix_(kept, kept)] = -best.sigma2 * (best.inverse @ best.slope_matrix @ best.inverse) / units
    spread = float(coef @ sums.total @ coef - (sums.column_sums @ coef) ** 2 / sums.n_obs)
    coef[: len(design.cells)] += np.where(kept[: len(design.cells)], sums.shift, 0.0)
    status, note = Status.OK, ""
    if single:
        note = "no respondent answered two items: variances within and between respondents are one"
    elif theta == 0:
        status, note = Status.BOUNDARY, "the variance between respondents is estimated as zero"
    return LinearFit(
        columns=design.columns,
        kept=kept,
        coef=coef,
        cov=cov,
        sigma2=best.sigma2,
        tau2=math.nan if single else best.sigma2 * theta,
        theta=theta,
        loglik=-best.deviance / 2,
        fixed_variance=max(spread, 0.0) / (sums.n_obs - 1),
        n_obs=round(sums.n_obs),
        n_respondents=round(sums.n_respondents),
        status=status,
        note=note,
        null=null,
        scale=scale,
        variance_cov=variance_cov,
        cov_by_theta=by_theta,
    )


def _unfit(sums: Sums, profile: Profile, *, single: bool) -> tuple[Status, str] | None:
    """Why the likelihood has no maximum, where that can be told before looking for it."""
    if profile.freedom < 1:
        return Status.TOO_FEW, "no more answers than fixed effects"
    if single:
        residual = profile.at(0.0).sigma2 * profile.freedom
    else:
        residual, rank = profile.within_residual()
        within = sums.n_obs - sums.n_respondents - rank
        if within < 1:
            return Status.TOO_FEW, "too few answers a respondent to estimate the variance within respondents"
        if profile.freedom - within < 1:
            return Status.TOO_FEW, "too few respondents to estimate the variance between them"
    if residual <= EXACT * sums.total_yy:
        return Status.NOT_ESTIMABLE, "the residual variance is zero: the likelihood has no maximum"
    return None


def _no_fit(design: Design, status: Status, note: str) -> LinearFit:
    size = len(design.columns)
    return LinearFit(
        columns=design.columns,
        kept=np.zeros(size, dtype=np.bool_),
        coef=np.full(size, math.nan),
        cov=np.full((size, size), math.nan),
        sigma2=math.nan,
        tau2=math.nan,
        theta=math.nan,
        loglik=math.nan,
        fixed_variance=math.nan,
        n_obs=round(float(design.group_counts @ design.answered.sum(axis=1))),
        n_respondents=round(float(design.persons.sum())),
        status=status,
        note=note,
        null=np.eye(size),
        scale=np.ones(size),
        variance_cov=np.full((2, 2), math.nan),
        cov_by_theta=np.full((size, size), math.nan),
    )
