"""What a linear mixed model leaves of each pattern's answers: predicted effects and conditional residuals.

    e = y - X b - u - v = sigma2 V^-1 (y - X b),

with the predicted (shrunken) effects of the respondent, u, and of the team, v (Robinson 1991, Stat. Sci. 6, 15).
Everything is of patterns, of which a design has few.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surveywaves.mixed.design import BoolArray, Design, FloatArray, IntArray, add_by


@dataclass(frozen=True, slots=True, eq=False)
class Residuals:
    """Predicted effects, and residuals on demand; R patterns, G groups, T teams of a design.

    Parameters
    ----------
    design
        The design.
    fixed
        (G,) what the fixed effects predict for the reference item.
    items
        (J,) what each item adds.
    answered
        (R,) how many items the pattern answered.
    respondent, team
        (R,) and (T,) predicted effects; without teams one team, of effect 0.
    precision, total
        (R,) w = k / (1 + k theta), and (T,) its sum over a team's respondents: see `nested`.
    """

    design: Design
    fixed: FloatArray
    items: FloatArray
    answered: FloatArray
    respondent: FloatArray
    team: FloatArray
    precision: FloatArray
    total: FloatArray

    def at(self, chunk: slice | IntArray) -> tuple[FloatArray, BoolArray]:
        """Conditional residuals of some patterns, (size, J), 0 where there is no answer; and where there is."""
        design = self.design
        codes = design.answers[chunk]
        present = codes > 0
        value = np.concatenate([[0.0], design.levels])
        group = design.group[chunk]
        known = self.fixed[group] + self.respondent[chunk] + self.team[design.team[group]]
        return np.where(present, value[codes] - known[:, None] - self.items, 0.0), present

    def random(self, chunk: slice) -> FloatArray:
        """(size,) what the respondent and the team together are predicted to add, for some patterns."""
        return self.respondent[chunk] + self.team[self.design.team[self.design.group[chunk]]]


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
    fixed_coef = coef.copy()
    fixed_coef[design.item_columns] = 0.0
    size = len(design.cell)
    step = 1 << 14
    fixed = np.concatenate(
        [np.zeros(0), *(design.group_rows(slice(s, s + step)) @ fixed_coef for s in range(0, size, step))]
    )
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
