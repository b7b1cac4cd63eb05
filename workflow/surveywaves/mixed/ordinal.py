"""Cumulative link mixed model with a random intercept a respondent, fitted by maximum likelihood.

    P(answer <= k | z) = F(threshold_k - (cell + item + covariates) - tau z),   z ~ N(0, 1) a respondent,

with F the logistic (proportional odds) or the normal distribution function. The likelihood is in `quadrature`,
its maximum in `maximum`.

Only differences from the thresholds are determined, so the thresholds are stated with mean 0: an estimated
marginal mean is then the latent answer less the mean threshold, which is emmeans' `mode = "latent"`. With the
logit link a difference of two means is the log odds ratio of answering above any category, for a respondent.

Sources: McCullagh (1980) J. R. Stat. Soc. B 42, 109; Hedeker and Gibbons (1994) Biometrics 50, 933; Tutz and
Hennevogl (1996) Comput. Stat. Data Anal. 22, 537; Agresti (2010) Analysis of Ordinal Categorical Data, ch. 3 and
10; Christensen (2019), vignettes of the R package ordinal; Nakagawa, Johnson and Schielzeth (2017) J. R. Soc.
Interface 14, 20170213 (variance on the latent scale).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from surveywaves.mixed.contrasts import NOT_DETERMINED
from surveywaves.mixed.design import Design, FloatArray
from surveywaves.mixed.links import LINKS, Link
from surveywaves.mixed.maximum import Determined, Grid, Together, fit_alone, fit_together
from surveywaves.mixed.quadrature import Likelihood
from surveywaves.mixed.reml import independent_columns, sum_up
from surveywaves.tidy import Status

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
    theta, theta_cov
        (T + P + 1,) thresholds, coefficients, tau; their covariance, the inverse of the observed information.
        0 for those not free. This is one solution of many, and only what is determined means anything.
    determined, determined_at_first
        Which combinations of thresholds and coefficients the answers determine; and which they would if
        those that have no finite estimate counted as determined.
    infinite
        Names of the columns that have no finite estimate, where it is that simple.
    separated
        Whether anything has no finite estimate. The other estimates are then those of the limit.
    loglik
        Log-likelihood.
    nodes
        (number,) nodes of the quadrature.
    scaled_gradient
        g'H^-1 g at the estimates: how far they are from the maximum, in standard errors squared.
    n_obs, n_respondents
        Answers; respondents.
    status
        ``ok``; ``boundary`` (tau is 0); or why there is no fit, and then every number is NaN.
    note
        The status in words.
    """

    link: Link
    levels: FloatArray
    unused: FloatArray
    columns: tuple[str, ...]
    cells: int
    theta: FloatArray
    theta_cov: FloatArray
    determined: Determined
    determined_at_first: Determined
    infinite: tuple[str, ...]
    separated: bool
    loglik: float
    nodes: FloatArray
    scaled_gradient: float
    n_obs: int
    n_respondents: int
    status: Status
    note: str

    @property
    def analysis(self) -> str:
        """``ordinal``, or ``ordinal_probit``: the name that results of this fit carry."""
        return "ordinal" if self.link.name == "logit" else f"ordinal_{self.link.name}"

    @property
    def thresholds(self) -> FloatArray:
        """(T,) thresholds, their mean taken off."""
        return np.asarray(self._centred[0] @ self.theta[:-1], dtype=np.float64)

    @property
    def tau(self) -> float:
        """Standard deviation between respondents; NaN if it cannot be told from that within."""
        return float(self.theta[-1])

    @property
    def coef(self) -> FloatArray:
        """(P,) coefficients, the mean threshold taken off those of the cells."""
        return np.asarray(self._centred[1] @ self.theta[:-1], dtype=np.float64)

    @property
    def cov(self) -> FloatArray:
        """(P, P) covariance of `coef`."""
        centred = self._centred[1]
        return np.asarray(centred @ self.theta_cov[:-1, :-1] @ centred.T, dtype=np.float64)

    @property
    def _centred(self) -> tuple[FloatArray, FloatArray]:
        """(T, T + P) and (P, T + P): `thresholds` and `coef` as combinations of `theta`."""
        size = len(self.columns)
        number = len(self.theta) - size - 1
        mean = np.full(number, 1 / max(number, 1))
        coef = np.hstack([np.zeros((size, number)), np.eye(size)])
        coef[: self.cells, :number] = -mean
        return np.hstack([np.eye(number) - mean, np.zeros((number, size))]), coef

    def estimable(self, contrast: FloatArray) -> bool:
        """Whether the data determine a (P,) combination of the coefficients, and it is finite."""
        return self.determined(contrast[None] @ self._centred[1])

    def obstacle(self, contrast: FloatArray) -> str:
        """Why a combination is not estimable, in words."""
        return self.obstacle_to(contrast[None] @ self._centred[1])

    def obstacle_to(self, rows: FloatArray) -> str:
        """Why (number, T + P) combinations of thresholds and coefficients are not all determined."""
        if not (self.separated and self.determined_at_first(rows)):
            return NOT_DETERMINED
        return f"{SEPARATED}: {', '.join(self.infinite)}" if self.infinite else SEPARATED

    def df(self, contrast: FloatArray) -> float:  # noqa: ARG002
        """Infinite for every combination: estimates are taken as normal, with known variance."""
        return math.inf

    def variances(self) -> list[dict[str, Any]]:
        """Rows of a tidy table: variance between respondents, thresholds, and how good the fit is.

        `tau2`, `icc` = tau2 / (tau2 + s2) and `total_sd` = sqrt(tau2 + s2) on the latent scale, where s2 is
        pi^2 / 3 (logit) or 1 (probit); `threshold[a|b]` between the answers a and b, the mean threshold taken
        off; `loglik` (of probabilities, not comparable with a linear model's); `scaled_gradient` = g'H^-1 g;
        `n_categories`. Standard errors are by the delta method, none for a variance of 0.
        """
        s2, tau, of_tau = self.link.variance, self.tau, math.sqrt(self.theta_cov[-1, -1])
        single = self.status is Status.OK and math.isnan(tau)
        total = s2 if single else tau**2 + s2
        rows = [
            ("tau2", tau**2, 2 * tau * of_tau),
            ("icc", tau**2 / total, 2 * tau * s2 / total**2 * of_tau),
            ("total_sd", math.sqrt(total), tau / math.sqrt(total) * of_tau),
        ]
        centred = self._centred[0]
        errors = np.sqrt(np.diagonal(centred @ self.theta_cov[:-1, :-1] @ centred.T))
        for place, (estimate, error) in enumerate(zip(self.thresholds, errors, strict=True)):
            known = self.determined(centred[place : place + 1])
            name = f"threshold[{self.levels[place]:g}|{self.levels[place + 1]:g}]"
            rows.append((name, estimate if known else math.nan, error))
        rows += [("loglik", self.loglik, 0.0), ("scaled_gradient", self.scaled_gradient, 0.0)]
        made = []
        for term, estimate, error in rows:
            known = math.isfinite(estimate)
            row: dict[str, Any] = {
                "term": term,
                "estimate": estimate,
                "n": self.n_respondents,
                "status": self.status if known or self.status is not Status.OK else Status.NOT_ESTIMABLE,
                "note": self.note,
            }
            if known and error > 0:
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


def fit_ordinal(
    design: Design, *, link: str = "logit", nodes: int = NODES, reach: float = REACH
) -> OrdinalFit:
    """Fit the cumulative link mixed model.

    There are more nodes than asked for where a respondent's answers say much about the respondent (many items,
    a large tau), and until more of them, that reach further, make no difference to the estimates.

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
        two items, it is the cumulative link model without respondents, and tau is NaN.

    Raises
    ------
    ValueError
        If there is no such link, or the nodes make no grid.
    """
    if link not in LINKS:
        raise ValueError(f"not a link: {link} (known: {', '.join(LINKS)})")
    if nodes < 3 or not reach > 0:
        raise ValueError(f"not a grid of nodes: {nodes} within {reach} standard deviations")
    grid = Grid(LINKS[link], nodes, reach, int(design.answered.sum(axis=1).max(initial=0)))
    if not design.count.sum() > 0:
        return _no_fit(design, LINKS[link], Status.TOO_FEW, "nobody answered an item")
    likelihood = Likelihood(design, LINKS[link])
    if reason := _unfit(design, likelihood):
        return _no_fit(design, LINKS[link], *reason)
    alone = fit_alone(likelihood)
    if alone is None:
        note = "no maximum of the likelihood was found, even without respondents"
        return _no_fit(design, LINKS[link], Status.NOT_CONVERGED, note)

    likelihood, summit, free, used = alone.likelihood, alone.summit, alone.free, grid.at(0.0)
    single = likelihood.single()
    status, note = Status.OK, ""
    if single:
        note = "no respondent gave two answers that tell: variances within and between respondents are one"
    else:
        together = fit_together(alone, grid)
        if isinstance(together, Together):
            summit, used = together.summit, together.nodes
            free = np.append(free, likelihood.size - 1)
        else:
            status, note = together
            if status is not Status.BOUNDARY:
                return _no_fit(design, LINKS[link], status, note)
    theta = summit.point.theta.copy()
    theta[-1] = math.nan if single else abs(theta[-1])
    cov = np.zeros((likelihood.size, likelihood.size))
    cov[np.ix_(free, free)] = np.linalg.inv(-summit.point.hessian[np.ix_(free, free)])
    if not (np.sqrt(np.diagonal(cov)) * likelihood.extent() <= WIDEST).all():
        note = "the answers hardly determine the estimates: the likelihood is almost flat at its maximum"
        return _no_fit(design, LINKS[link], Status.NOT_ESTIMABLE, note)
    lost = likelihood.standing()[likelihood.thresholds :] & alone.separated
    return OrdinalFit(
        link=likelihood.link,
        levels=design.levels[likelihood.categories],
        unused=np.delete(design.levels, likelihood.categories),
        columns=design.columns,
        cells=len(design.cells),
        theta=theta,
        theta_cov=cov,
        determined=alone.determined,
        determined_at_first=alone.determined_at_first,
        infinite=tuple(design.columns[place] for place in np.flatnonzero(lost)),
        separated=alone.separated,
        loglik=summit.point.loglik,
        nodes=used,
        scaled_gradient=summit.scaled_gradient,
        n_obs=_answers(design),
        n_respondents=round(float(design.persons.sum())),
        status=status,
        note=note,
    )


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
    return round(float(design.group_counts @ design.answered.sum(axis=1)))


def _no_fit(design: Design, link: Link, status: Status, note: str) -> OrdinalFit:
    size = len(design.columns)
    nothing = Determined(np.eye(size), np.ones(size))
    return OrdinalFit(
        link=link,
        levels=design.levels[:1],
        unused=design.levels[:0],
        columns=design.columns,
        cells=len(design.cells),
        theta=np.full(size + 1, math.nan),
        theta_cov=np.full((size + 1, size + 1), math.nan),
        determined=nothing,
        determined_at_first=nothing,
        infinite=(),
        separated=False,
        loglik=math.nan,
        nodes=np.zeros(0),
        scaled_gradient=math.nan,
        n_obs=_answers(design),
        n_respondents=round(float(design.persons.sum())),
        status=status,
        note=note,
    )
