"""Residuals of a linear fit, and the scores of its clusters, from which `robust` takes their covariances.

What the model leaves of each pattern's answers are predicted effects and conditional residuals,

    e = y - X b - u - v = sigma2 V^-1 (y - X b),

with the predicted (shrunken) effects of the respondent, u, and of the team, v (Robinson 1991, Stat. Sci. 6, 15).
Everything is of patterns, of which a design has few.

With sampling weights the likelihood is a pseudo-likelihood: each respondent's log-likelihood, given the team, counts w
times. Its maximum is consistent where the weights say how respondents were selected, but its curvature is no
measure of precision. The covariance is A^-1 B A^-1 with A the information and B the sum over clusters of the
squared score, m / (m - 1) times for m clusters. A cluster is what was drawn independently: the respondent, or
the team where there are teams. Degrees of freedom are m less the number of independent columns.

Sources: Binder (1983) Int. Stat. Rev. 51, 279 (the sandwich); Pfeffermann, Skinner, Holmes, Goldstein and
Rasbash (1998) J. R. Stat. Soc. B 60, 23, and Rabe-Hesketh and Skrondal (2006) J. R. Stat. Soc. A 169, 805, eq. 5
(weights in multilevel models); Lumley (2004) J. Stat. Softw. 9(8) (m / (m - 1) and the degrees of freedom, as
in `survey::svyglm`). Without weights, the covariance of the coefficients is CR0 of Bell and McCaffrey (2002, Surv.
Methodol. 28, 169) times m / (m - 1). The scores of the variances keep out the terms by which REML differs from ML,
which are small against the scores' sum of squares as the columns are few against the clusters.

Weights are of respondents. Teams have weight 1, and a team's respondents are not rescaled to their number, so the
variance between teams is the less biased the more respondents a team has (Pfeffermann et al. 1998, sec. 4).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from surveywaves.mixed.design import BoolArray, Design, FloatArray, IntArray, add_by


@dataclass(frozen=True, slots=True, eq=False)
class Residuals:
    """Predicted effects, and residuals on demand; R patterns, G groups, T teams of a design."""

    design: Design
    """The design."""
    fixed: FloatArray
    """(G,) what the fixed effects predict for the reference item."""
    items: FloatArray
    """(J,) what each item adds."""
    answered: FloatArray
    """(R,) how many items the pattern answered."""
    respondent: FloatArray
    team: FloatArray
    """(R,) and (T,) predicted effects; without teams one team, of effect 0."""
    precision: FloatArray
    total: FloatArray
    """(R,) w = k / (1 + k theta), and (T,) its sum over a team's respondents: see `reml`."""

    def at(self, chunk: slice | IntArray) -> tuple[FloatArray, BoolArray]:
        """Conditional residuals of some patterns, (size, J), 0 where there is no answer; and where there is."""
        group = self.design.group[chunk]
        known = self.fixed[group] + self.respondent[chunk] + self.team[self.design.team[group]]
        return self._less(known, chunk), self.design.answered[group]

    def scores(self, chunk: slice | IntArray) -> tuple[FloatArray, FloatArray, BoolArray]:
        """(size, P) X'V^-1 r of one respondent of some patterns, times sigma2; and what `at` returns."""
        design = self.design
        errors, present = self.at(chunk)
        rows = design.group_rows(design.group[chunk])
        rows *= errors.sum(axis=1)[:, None]
        rows[:, design.item_columns] = errors[:, 1:]
        return rows, errors, present

    def marginal(self, chunk: slice | IntArray) -> FloatArray:
        """(size, J) answers less what the fixed effects predict, for some patterns, 0 where there is no answer."""
        return self._less(self.fixed[self.design.group[chunk]], chunk)

    def random(self, chunk: slice) -> FloatArray:
        """(size,) what the respondent and the team together are predicted to add, for some patterns."""
        return self.respondent[chunk] + self.team[self.design.team[self.design.group[chunk]]]

    def _less(self, known: FloatArray, chunk: slice | IntArray) -> FloatArray:
        codes = self.design.answers[chunk]
        value = np.concatenate([[0.0], self.design.levels])
        return np.where(codes > 0, value[codes] - known[:, None] - self.items, 0.0)


def residuals(design: Design, coef: FloatArray, *, theta: float, theta_team: float = 0.0) -> Residuals:
    """Predict the effects of respondents and teams.

    Parameters
    ----------
    design
        The design.
    coef
        (P,) its coefficients.
    theta, theta_team
        Variances between respondents, and between teams, over the variance within respondents.
    """
    by_profile = design.profiles @ coef[design.item_columns.stop :]
    fixed = coef[design.cell] + by_profile[design.profile]
    items = np.concatenate([[0.0], coef[design.item_columns]])[: len(design.items)]
    sums = np.zeros(len(design.count))
    for item, column in enumerate(design.answers.T):
        sums += np.concatenate([[0.0], design.levels - items[item]])[column]
    answered = design.answered.sum(axis=1)[design.group].astype(np.float64)
    mean = sums / answered - fixed[design.group]

    precision = answered / (1 + answered * theta)
    teams = max(len(design.teams), 1)
    team = design.team[design.group]
    total = add_by(team, design.count * precision, teams)
    of_team = theta_team * add_by(team, design.count * precision * mean, teams) / (1 + theta_team * total)
    return Residuals(
        design=design,
        fixed=fixed,
        items=items,
        answered=answered,
        respondent=theta * precision * (mean - of_team[team]),
        team=of_team,
        precision=precision,
        total=total,
    )


CHUNK = 1 << 14
"""Patterns whose scores are written out at a time."""


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


def sum_team_scores(
    design: Design, left: Residuals, *, sigma2: float, theta_team: float
) -> tuple[FloatArray, FloatArray]:
    """(T, P) scores of the coefficients by team, times sigma2, and (T, 3) of the variances, times -2."""
    teams = len(design.teams)
    columns, parts = np.zeros((teams, len(design.columns))), np.zeros((teams, 3))
    for start in range(0, len(design.count), CHUNK):
        chunk = slice(start, start + CHUNK)
        scores, of_parts = _scores(design, left, chunk, sigma2=sigma2, theta_team=theta_team)
        team, count = design.team[design.group[chunk]], design.count[chunk]
        adding = sparse.csr_array((count, (team, np.arange(len(count)))), shape=(teams, len(count)))
        columns += np.asarray(adding @ scores)
        parts += np.asarray(adding @ of_parts)
    precision = left.total / (1 + theta_team * left.total)
    ends = left.team / theta_team if theta_team > 0 else np.zeros(teams)
    parts[:, 2] = precision - ends**2 / sigma2
    return columns, parts


def _scores(
    design: Design, left: Residuals, chunk: slice, *, sigma2: float, theta_team: float
) -> tuple[FloatArray, FloatArray]:
    """(size, P) scores of the coefficients, times sigma2, and (size, 3) of the variances, times -2."""
    scores, errors, present = left.scores(chunk)
    sums = errors.sum(axis=1)
    marginal = errors + left.random(chunk)[:, None] * present
    k, w = left.answered[chunk], left.precision[chunk]
    lean = theta_team / (1 + theta_team * left.total[design.team[design.group[chunk]]])
    of_parts = np.zeros((len(sums), 3))
    of_parts[:, 0] = k / sigma2 - (errors * marginal).sum(axis=1) / sigma2**2
    of_parts[:, 1] = w - lean * w**2 - sums**2 / sigma2
    return scores, of_parts
