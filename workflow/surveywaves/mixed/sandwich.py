"""Covariance of the estimates under sampling weights, by the sandwich of clusters' scores.

With weights the likelihood is a pseudo-likelihood: each respondent's log-likelihood, given the team, counts w
times. Its maximum is consistent where the weights say how respondents were selected, but its curvature is no
measure of precision. The covariance is A^-1 B A^-1 with A the information and B the sum over clusters of the
squared score, m / (m - 1) times for m clusters. A cluster is what was drawn independently: the respondent, or
the team where there are teams. Degrees of freedom are m less the number of independent columns.

Sources: Binder (1983) Int. Stat. Rev. 51, 279 (the sandwich); Pfeffermann, Skinner, Holmes, Goldstein and
Rasbash (1998) J. R. Stat. Soc. B 60, 23, and Rabe-Hesketh and Skrondal (2006) J. R. Stat. Soc. A 169, 805, eq. 5
(weights in multilevel models); Lumley (2004) J. Stat. Softw. 9(8) (m / (m - 1) and the degrees of freedom, as
in `survey::svyglm`). Without weights, the covariance of the coefficients is CR0 of Bell and McCaffrey (2002, Surv.
Methodol. 28, 169) times m / (m - 1).

Weights are of respondents. Teams have weight 1, and a team's respondents are not rescaled to their number, so the
variance between teams is the less biased the more respondents a team has (Pfeffermann et al. 1998, sec. 4).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse

from surveywaves.mixed.design import Design, FloatArray
from surveywaves.mixed.residuals import Residuals

CHUNK = 1 << 14
"""Patterns whose scores are written out at a time."""


class Sandwich(NamedTuple):
    """Covariance of the coefficients, (P, P), and of the variance parameters, (1 + ratios, 1 + ratios)."""

    cov: FloatArray
    variance_cov: FloatArray


def clusters(design: Design) -> int:
    """How many clusters there are."""
    return len(design.teams) or round(float(design.persons.sum()))


def clusters_by_cell(design: Design) -> FloatArray:
    """(C,) clusters in each cell."""
    if not design.teams:
        return design.respondents
    size = len(design.cells)
    found = np.unique(design.cell * len(design.teams) + design.team)
    return np.bincount(found // len(design.teams), minlength=size).astype(np.float64)


def sandwich(
    design: Design,
    left: Residuals,
    *,
    sigma2: float,
    theta_team: float,
    model_cov: FloatArray,
    variance_cov: FloatArray,
) -> Sandwich:
    """Covariances that hold under weights.

    Parameters
    ----------
    design, left
        A design, and what its fit leaves.
    sigma2, theta_team
        Variance within respondents; variance between teams over it.
    model_cov, variance_cov
        (P, P), (2, 2) or (3, 3) covariances that the model itself would give. Those of the variances keep out
        the terms by which REML differs from ML in their scores, which are small against the scores' sum of
        squares as the columns are few against the clusters.
    """
    size, teams = len(design.columns), len(design.teams)
    columns, parts = np.zeros((size, size)), np.zeros((3, 3))
    by_team, parts_by_team = np.zeros((teams, size)), np.zeros((teams, 3))
    for start in range(0, len(design.count), CHUNK):
        chunk = slice(start, start + CHUNK)
        scores, of_parts = _scores(design, left, chunk, sigma2=sigma2, theta_team=theta_team)
        if not teams:
            weight = design.square[chunk, None]
            columns += scores.T @ (weight * scores)
            parts += of_parts.T @ (weight * of_parts)
            continue
        team, count = design.team[design.group[chunk]], design.count[chunk]
        adding = sparse.csr_array((count, (team, np.arange(len(count)))), shape=(teams, len(count)))
        by_team += np.asarray(adding @ scores)
        parts_by_team += np.asarray(adding @ of_parts)
    if teams:
        precision = left.total / (1 + theta_team * left.total)
        ends = left.team / theta_team if theta_team > 0 else np.zeros(teams)
        parts_by_team[:, 2] = precision - ends**2 / sigma2
        columns, parts = by_team.T @ by_team, parts_by_team.T @ parts_by_team
    many = clusters(design) / (clusters(design) - 1)
    bread, kept = model_cov / sigma2, len(variance_cov)
    half = variance_cov / 2
    return Sandwich(many * bread @ columns @ bread, many * half @ parts[:kept, :kept] @ half)


def _scores(
    design: Design, left: Residuals, chunk: slice, *, sigma2: float, theta_team: float
) -> tuple[FloatArray, FloatArray]:
    """(size, P) scores of the coefficients, times sigma2, and (size, 3) of the variances, times -2."""
    errors, present = left.at(chunk)
    sums = errors.sum(axis=1)
    scores = design.group_rows(design.group[chunk]) * sums[:, None]
    scores[:, design.item_columns] = errors[:, 1:]
    marginal = errors + left.random(chunk)[:, None] * present
    k, w = left.answered[chunk], left.precision[chunk]
    lean = theta_team / (1 + theta_team * left.total[design.team[design.group[chunk]]])
    of_parts = np.zeros((len(sums), 3))
    of_parts[:, 0] = k / sigma2 - (errors * marginal).sum(axis=1) / sigma2**2
    of_parts[:, 1] = w - lean * w**2 - sums**2 / sigma2
    return scores, of_parts
