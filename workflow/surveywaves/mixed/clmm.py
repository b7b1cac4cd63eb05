"""Cumulative link mixed model with random intercepts for respondents and teams, by maximum likelihood.

    P(answer <= k | z, v) = F(threshold_k - (cell + item + covariates) - tau z - omega v),

with z ~ N(0, 1) a respondent, v ~ N(0, 1) a team (omega = 0 where the design knows no teams), and F the logistic
(proportional odds) or the normal distribution function. The likelihood is in `cumulative` and `quadrature`,
its maximum in `maximum`; what follows from the variances is in `components`, their intervals in `profile`.

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
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from surveywaves.mixed.components import Components, Ends, normal_intervals, variance_rows
from surveywaves.mixed.cumulative import LINKS, Link
from surveywaves.mixed.design import Design, FloatArray, add_by
from surveywaves.mixed.estimable import (
    NOT_DETERMINED,
    Determined,
    Unknown,
    lonely_cells,
    unmeasurable,
)
from surveywaves.mixed.maximum import Found, Grid, Maximum, find_maximum
from surveywaves.mixed.quadrature import Likelihood, without_teams
from surveywaves.mixed.sums import Sums, independent_columns, sum_up
from surveywaves.terms import ORDINAL, Status

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
    """A fitted cumulative link mixed model; T thresholds, P fixed-effect columns, those of the design."""

    link: Link
    """The latent distribution."""
    levels: FloatArray
    """(T + 1,) the answers that somebody gave, ascending, after reverse keying."""
    unused: FloatArray
    """Levels of the design that nobody in it gave: no part of the model."""
    columns: tuple[str, ...]
    """Names of the P columns."""
    cells: int
    """How many of them, the first, are cells."""
    with_teams: bool
    """Whether the design knows teams."""
    theta: FloatArray
    theta_cov: FloatArray
    """(D,) thresholds, coefficients, tau and, with teams, omega; their covariance. NaN for a standard deviation that
    cannot be told; its covariance, and that of all not free, is 0. This is one solution of many, and only what is
    determined means anything."""
    determined: Determined
    determined_at_first: Determined
    """Which combinations of thresholds and coefficients the answers determine; and which they would if those that have
    no finite estimate counted as determined."""
    n_respondents: int
    status: Status
    """``ok``; ``boundary`` (tau or omega is 0); or why there is no fit, and then every number is NaN."""
    note: str
    """The status in words."""
    unknown: Unknown = ()
    """What has a variance that cannot be estimated."""
    infinite: tuple[str, ...] = ()
    """Names of the columns that have no finite estimate, where it is that simple."""
    separated: bool = False
    """Whether anything has no finite estimate. The other estimates are then those of the limit."""
    loglik: float = math.nan
    """Log-likelihood; with weights, of the pseudo-likelihood."""
    nodes: FloatArray = field(default_factory=lambda: np.zeros(0))
    """(number,) nodes of the quadrature over all of a respondent's shift."""
    scaled_gradient: float = math.nan
    """g'H^-1 g at the estimates: how far they are from the maximum, in standard errors squared."""
    freedom: float = math.nan
    """Degrees of freedom of every combination: infinite, but with weights clusters less free parameters."""
    maximum: Maximum | None = None
    """The maximum; none if there is no fit."""

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
        return np.asarray(self._of_thresholds() @ self.theta[: self.fixed], dtype=np.float64)

    @property
    def tau(self) -> float:
        """Standard deviation between respondents, of a team if there are teams; NaN if it cannot be told."""
        return float(self.theta[self.fixed])

    @property
    def omega(self) -> float:
        """Standard deviation between teams; NaN if there are none, or if it cannot be told."""
        return float(self.theta[-1]) if self.with_teams else math.nan

    @property
    def coef(self) -> FloatArray:
        """(P,) coefficients, the mean threshold taken off those of the cells."""
        coef = self.theta[self._number : self.fixed].copy()
        coef[: self.cells] -= self.theta[: self._number].mean() if self._number else 0.0
        return coef

    @property
    def cov(self) -> FloatArray:
        """(P, P) covariance of `coef`."""
        fixed = self.theta_cov[: self.fixed, : self.fixed].copy()
        with_mean = fixed[: self._number].sum(axis=0) / max(self._number, 1)
        of_mean = with_mean[: self._number].sum() / max(self._number, 1)
        cov, with_mean, cells = fixed[self._number :, self._number :], with_mean[self._number :], self.cells
        cov[:cells] -= with_mean
        cov[:, :cells] -= with_mean[:, None]
        cov[:cells, :cells] += of_mean
        return cov

    @property
    def _number(self) -> int:
        """T."""
        return self.fixed - len(self.columns)

    def _of_thresholds(self) -> FloatArray:
        """(T, T + P) `thresholds` as combinations of `theta`."""
        size = self._number
        return np.hstack([np.eye(size) - 1 / max(size, 1), np.zeros((size, len(self.columns)))])

    def _of_theta(self, contrasts: FloatArray) -> FloatArray:
        """(R, T + P) combinations of `coef`, written as those of thresholds and coefficients."""
        of_mean = -contrasts[:, : self.cells].sum(axis=1, keepdims=True) / max(self._number, 1)
        return np.hstack([np.repeat(of_mean, self._number, axis=1), contrasts])

    @property
    def total_sd(self) -> float:
        """Standard deviation of one latent answer, given its cell, item and covariates; NaN without a fit."""
        return math.sqrt(self.components.total)

    def obstacles(self, contrasts: FloatArray) -> list[str]:
        """Why (R, P) combinations of the coefficients cannot be estimated, in words; empty where they can."""
        rows = self._of_theta(contrasts)
        known = zip(unmeasurable(self.unknown, contrasts), self._undetermined(rows), strict=True)
        return [undetermined or unknown for unknown, undetermined in known]

    def _undetermined(self, rows: FloatArray) -> list[str]:
        """Why (R, T + P) combinations of thresholds and coefficients are not determined; empty where they are."""
        infinite = f"{SEPARATED}: {', '.join(self.infinite)}" if self.infinite else SEPARATED
        at_first = self.determined_at_first(rows) & self.separated
        return [
            "" if determined else infinite if lost else NOT_DETERMINED
            for determined, lost in zip(self.determined(rows), at_first, strict=True)
        ]

    def df(self, contrasts: FloatArray) -> FloatArray:
        """(R,) `freedom`, for every combination."""
        return np.full(len(contrasts), self.freedom)

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
        parts = self.components
        found = parts.estimates()
        errors = parts.errors() if self.maximum else dict.fromkeys(found, 0.0)
        stated = [(term, estimate, errors[term], self.note) for term, estimate in found.items()]
        centred, fixed = self._of_thresholds(), slice(self.fixed)
        # a variance of zero may come out just below it
        spread = np.diagonal(centred @ self.theta_cov[fixed, fixed] @ centred.T)
        of_thresholds = np.sqrt(np.maximum(spread, 0.0))
        for place, obstacle in enumerate(self._undetermined(centred)):
            name = f"threshold[{self.levels[place]:g}|{self.levels[place + 1]:g}]"
            if obstacle:
                stated.append((name, math.nan, 0.0, obstacle))
            else:
                stated.append((name, self.thresholds[place], of_thresholds[place], self.note))
        stated += [(term, getattr(self, term), 0.0, self.note) for term in ("loglik", "scaled_gradient")]
        ends = self._ends(found, errors, confidence)
        made = variance_rows(stated, ends, n=self.n_respondents, status=self.status)
        unused = ", ".join(f"{level:g}" for level in self.unused)
        note = f"nobody answered: {unused}" if unused else ""
        number = {"term": "n_categories", "estimate": len(self.levels), "n": self.n_respondents}
        return [*made, number | {"note": note}]

    @property
    def components(self) -> Components:
        """The variances, on the latent scale."""
        spread = self.theta[self.fixed :]
        slopes = np.vstack([np.zeros(len(spread)), np.diag(2 * np.nan_to_num(spread))])
        within = math.nan if self.maximum is None else self.link.variance
        cov = self.theta_cov[self.fixed :, self.fixed :]
        return Components(np.append(within, spread**2), slopes, cov)

    def _ends(
        self, found: Mapping[str, float], errors: Mapping[str, float], confidence: float
    ) -> dict[str, Ends]:
        """Intervals of the variances."""
        if self.maximum is None:
            return {}
        ends = dict(normal_intervals(found, errors, self.freedom, confidence))
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


def fit_ordinal(design: Design, *, link: str = "logit") -> OrdinalFit:
    """Fit the cumulative link mixed model.

    There are more nodes than `NODES` where answers say much about a respondent or a team (many items, many members, a
    large tau), and until more of them, that reach further, make no difference to the estimates.

    Parameters
    ----------
    design
        The distinct respondents.
    link
        ``logit`` or ``probit``.

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
        If there is no such link.
    """
    if link not in LINKS:
        raise ValueError(f"not a link: {link} (known: {', '.join(LINKS)})")
    if not design.count.sum() > 0:
        return _no_fit(design, LINKS[link], Status.TOO_FEW, "nobody answered an item")
    if design.mixed:
        note = "statements with different response options have no thresholds in common"
        return _no_fit(design, LINKS[link], Status.NOT_ESTIMABLE, note)
    together, teams = without_teams(design) if design.teams else (design, None)
    likelihood = Likelihood(together, LINKS[link])
    sums = sum_up(design)
    if reason := _unfit(sums, likelihood):
        return _no_fit(design, LINKS[link], *reason)
    members = add_by(design.team[design.group], design.count, max(len(design.teams), 1))
    most = int(design.answered.sum(axis=1).max(initial=0))
    grid = Grid(LINKS[link], NODES, REACH, most, float(members.max()))
    found = find_maximum(design, sums.total[:-1, :-1], likelihood, teams, grid)
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
        unknown += lonely_cells(design)
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
        n_respondents=round(float(design.persons.sum())),
        status=found.status,
        note="; ".join(note for note in found.notes if note),
    )


def _unfit(sums: Sums, likelihood: Likelihood) -> tuple[Status, str] | None:
    """Why the likelihood has no maximum, where that can be told before looking for it."""
    if likelihood.thresholds < 1:
        return Status.NOT_ESTIMABLE, "everybody gave the same answer"
    if likelihood.thresholds >= MOST_CATEGORIES:
        return Status.NOT_ESTIMABLE, f"{likelihood.thresholds + 1} distinct answers: no response scale"
    rank = int(independent_columns(sums.total[:-1, :-1])[0].sum())
    if sums.n_obs <= rank + likelihood.thresholds:
        return Status.TOO_FEW, "no more answers than parameters"
    if sums.n_obs > sums.n_respondents:
        within = int(independent_columns(sums.within[:-1, :-1])[0].sum())
        if sums.n_obs - sums.n_respondents - within < 1:
            return Status.TOO_FEW, "too few answers a respondent to tell respondents apart"
        if sums.n_respondents - (rank - within) < 1:
            return Status.TOO_FEW, "too few respondents to estimate the variance between them"
    return None


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
        n_respondents=round(float(design.persons.sum())),
        status=status,
        note=note,
    )
