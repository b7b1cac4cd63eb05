"""Which combinations of coefficients the data determine, and which have a variance that they tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from surveywaves.mixed.design import BoolArray, Design, FloatArray, add_by
from surveywaves.mixed.sandwich import clusters_by_cell
from surveywaves.mixed.sums import COLLINEAR

ESTIMABLE: Final = 1e-8
"""A combination is estimable if its cosine with every null direction of the columns is this or less."""

ALONE: Final = "no team has two respondents: variances between respondents and between teams are one"

NOT_DETERMINED: Final = (
    "the answers do not determine it: no items in common, or a covariate that goes with the cells"
)

TEAMS_ARE_COLUMNS: Final = (
    "teams differ only as the cells and covariates do: the variance between teams cannot be estimated"
)


@dataclass(frozen=True, slots=True, eq=False)
class Determined:
    """Which combinations of P parameters the data determine."""

    null: FloatArray
    """(P, nullity) combinations that change nothing in the data, of norm 1, on the scale of `scale`."""
    scale: FloatArray
    """(P,) lengths of the columns."""

    def __call__(self, rows: FloatArray) -> BoolArray:
        """(R,) which of (R, P) combinations are determined."""
        vectors = rows / self.scale
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray((np.abs(vectors @ self.null) <= ESTIMABLE * norms).all(axis=1))


Unknown: TypeAlias = tuple[tuple[FloatArray, str], ...]
"""(P,) direction, and why: a combination that is not orthogonal to it has a variance that cannot be estimated."""


def unmeasurable(unknown: Unknown, contrasts: FloatArray) -> list[str]:
    """Why the variances of (R, P) combinations cannot be estimated; empty where they can."""
    if not unknown:
        return [""] * len(contrasts)
    directions = np.column_stack([direction for direction, _ in unknown])
    met = np.abs(contrasts @ directions) > ESTIMABLE * (np.abs(contrasts) @ np.abs(directions))
    return [unknown[int(row.argmax())][1] if row.any() else "" for row in met]


def lonely_cells(design: Design) -> Unknown:
    """Cells of which a sandwich knows no variance."""
    who = "team" if design.teams else "respondent"
    reason = f"one {who} only in a cell: its variance cannot be estimated"
    alone = np.flatnonzero(clusters_by_cell(design) == 1)
    return tuple((direction, reason) for direction in np.eye(len(design.columns))[alone])


def alone_in_teams(design: Design) -> bool:
    """Whether no team has two respondents."""
    return bool(add_by(design.team[design.group], design.persons, len(design.teams)).max() < 2)


def teams_as_columns(design: Design, gram: FloatArray, kept: BoolArray) -> Unknown:
    """Find the teams as combinations of the columns, where all of them are: a model with teams then fits no better.

    A team's effect is a combination of coefficients. Whatever it does not enter has the variance that the model
    without teams says; the variance of everything else depends on tau2_team, which nothing tells.

    Parameters
    ----------
    design, gram, kept
        A design, (P, P) X'X, and its independent columns.
    """
    size, teams = len(design.columns), len(design.teams)
    if teams > kept.sum():
        return ()
    by_team, answers, count = np.zeros((size, teams)), np.zeros(teams), design.group_counts
    for team in range(teams):
        mine = np.flatnonzero(design.team == team)
        counts, number = count[mine], design.answered[mine].sum(axis=1).astype(np.float64)
        times = np.repeat(number[:, None], size, axis=1)
        times[:, design.item_columns] = 1.0
        by_team[:, team], answers[team] = counts @ (design.group_rows(mine) * times), counts @ number
    directions = np.zeros((size, teams))
    directions[kept] = np.linalg.solve(gram[np.ix_(kept, kept)], by_team[kept])
    if (answers - (by_team * directions).sum(axis=0) > COLLINEAR * answers).any():
        return ()
    directions[np.abs(directions) < COLLINEAR * np.abs(directions).max(axis=0)] = 0.0
    return tuple((direction, TEAMS_ARE_COLUMNS) for direction in directions.T)


def answers_in(design: Design) -> int:
    """How many answers there are, whatever their weights."""
    persons = add_by(design.group, design.persons, len(design.cell))
    return round(float(persons @ design.answered.sum(axis=1)))
