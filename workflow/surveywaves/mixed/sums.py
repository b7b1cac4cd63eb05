"""Sums over respondents, and over those of each team: all that the linear model needs of the data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.linalg import cho_solve

from surveywaves.mixed.design import BoolArray, Design, FloatArray, IntArray, add_by

COLLINEAR: Final = 1e-10
"""A column is dependent if earlier ones leave this share of its sum of squares, or less."""

BLOCK: Final = 64
"""Columns that are eliminated one by one, before all that follow are brought up to date."""

CHUNK: Final = 1 << 14
"""Groups whose rows are written out at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Sums over respondents: all that the linear model needs of the data.

    P fixed-effect columns, K distinct numbers answered. Answers are counted from `shift`.
    """

    cells: int
    """How many of the columns, the first, are cells."""
    shift: float
    """An answer near the mean. With whole answers, sums of whole numbers stay exact."""
    answered: FloatArray
    respondents: FloatArray
    """(K,) number of items answered, and how many respondents answered so many."""
    column_sums: FloatArray
    """(P,) 1'X."""
    within: FloatArray
    """(P + 1, P + 1) cross-products of the columns' and the answer's deviations from each respondent's own means."""
    between: FloatArray
    """(K, P + 1, P + 1) cross-products of each respondent's sums."""

    @property
    def n_respondents(self) -> float:
        """Respondents."""
        return float(self.respondents.sum())

    @property
    def n_obs(self) -> float:
        """Answers."""
        return float(self.respondents @ self.answered)

    @property
    def total(self) -> FloatArray:
        """(P + 1, P + 1) cross-products of the columns and the answer."""
        return self.within + np.tensordot(1 / self.answered, self.between, 1)


def sum_up(design: Design) -> Sums:
    """Add up the cross-products: over the patterns what depends on the answers, over the groups the rest."""
    items, count = design.item_columns, design.group_counts
    size = len(design.columns)
    shift, item_y, sum_y, sum_yy, square = sum_answers(design)

    number = design.answered.sum(axis=1)
    answered = np.unique(number)
    kind = np.searchsorted(answered, number)
    k, kinds = answered.astype(np.float64), len(answered)
    raw, raw_y, sums = np.zeros((kinds, size, size)), np.zeros((kinds, size)), np.zeros((kinds, size))
    for start in range(0, len(count), CHUNK):
        chunk = slice(start, start + CHUNK)
        rows = design.group_rows(chunk)
        for here in np.unique(kind[chunk]):
            chosen = np.flatnonzero(kind[chunk] == here)
            some, weight = rows[chosen], count[chunk][chosen]
            raw[here] += some.T @ (some * weight[:, None])
            raw_y[here] += sum_y[chunk][chosen] @ some
            sums[here] += weight @ some

    # a respondent's column sum is k times a cell's or covariate's value, but 1 for each item answered
    times = np.repeat(k[:, None], size, axis=1)
    times[:, items] = 1.0
    between = np.empty((kinds, size + 1, size + 1))
    between[:, :-1, :-1] = raw * times[:, :, None] * times[:, None, :]
    between[:, -1, :-1] = between[:, :-1, -1] = raw_y * times
    between[:, -1, -1] = add_by(kind, sum_yy, kinds)
    # nothing but items varies within a respondent
    within = np.zeros((size + 1, size + 1))
    varying = np.append(np.arange(size)[items], size)
    block = np.ix_(varying, varying)
    within[items, items] = np.diag(np.diagonal(raw, axis1=1, axis2=2).sum(axis=0)[items])
    within[-1, items] = within[items, -1] = item_y[1:]
    within[-1, -1] = square
    within[block] -= np.tensordot(1 / k, between[:, varying[:, None], varying], 1)
    return Sums(
        cells=len(design.cells),
        shift=shift,
        answered=k,
        respondents=add_by(kind, count, kinds),
        column_sums=(sums * times).sum(axis=0),
        within=within,
        between=between,
    )


def sum_answers(design: Design) -> tuple[float, FloatArray, FloatArray, FloatArray, float]:
    """Shift; (J,) sum of answers by item; (G,) sums and squared sums of a respondent, by group; y'y."""
    groups, columns = len(design.cell), design.answers.T
    used = np.zeros(len(design.levels) + 1)
    for column in columns:
        used += add_by(column, design.count, len(used))
    shift = 0.0
    if used[1:].any():
        shift = float(
            design.levels[np.abs(design.levels - np.average(design.levels, weights=used[1:])).argmin()]
        )
    value = np.concatenate([[0.0], design.levels - shift])
    totals = np.zeros(len(design.count))
    by_item = np.zeros(len(columns))
    for item, column in enumerate(columns):
        answer = value[column]
        totals += answer
        by_item[item] = design.count @ answer
    sum_y = add_by(design.group, design.count * totals, groups)
    sum_yy = add_by(design.group, design.count * totals**2, groups)
    return shift, by_item, sum_y, sum_yy, float(used @ value**2)


def independent_columns(gram: FloatArray) -> tuple[BoolArray, FloatArray, FloatArray]:
    """Find the columns that are not combinations of earlier ones, and how the others depend on them.

    Cholesky's elimination, scaled to a unit diagonal, passing over what earlier columns leave nothing of.

    Parameters
    ----------
    gram
        (P, P) X'X.

    Returns
    -------
    kept, null, scale
        (P,) which are independent; (P, P - rank) combinations of the columns, each scaled to unit length,
        that are zero, of norm 1; (P,) the columns' lengths, 1 for a column of zeros.
    """
    diagonal = np.diagonal(gram)
    scale = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    unit = gram / np.outer(scale, scale)
    kept, factor = np.zeros(len(gram), dtype=np.bool_), np.zeros_like(unit)
    for start in range(0, len(gram), BLOCK):
        block = slice(start, start + BLOCK)
        left = unit[start:, block] - factor[start:, :start] @ factor[block, :start].T
        for j in range(left.shape[1]):
            if left[j, j] > COLLINEAR:
                kept[start + j] = True
                column = left[j:, j] / math.sqrt(left[j, j])
                factor[start + j :, start + j] = column
                left[j:, j + 1 :] -= np.outer(column, column[1 : left.shape[1] - j])
    null = np.zeros((len(gram), int((~kept).sum())))
    null[~kept] = np.eye(null.shape[1])
    if null.size:
        null[kept] = -cho_solve((factor[np.ix_(kept, kept)], True), unit[np.ix_(kept, ~kept)])
    return kept, null / np.linalg.norm(null, axis=0), scale


@dataclass(frozen=True, slots=True, eq=False)
class TeamSums:
    """Sums over the respondents of each team; P fixed-effect columns, K numbers answered, T teams.

    A *block* is the respondents of one team who answered the same number of items; there are B.
    """

    teams: int
    """T."""
    team: IntArray
    kind: IntArray
    """(B,) each block's team, ascending, and its place among the numbers answered."""
    size: FloatArray
    """(B,) respondents."""
    mean: FloatArray
    """(B, P + 1) mean over the respondents of their mean row of columns and answer."""
    spread: FloatArray
    """(K, P + 1, P + 1) cross-products of the respondents' deviations from their block's mean."""


def sum_teams(design: Design, sums: Sums) -> TeamSums:
    """Add up respondents by team and number answered."""
    count, width, items = design.group_counts, len(design.columns) + 1, design.item_columns
    number = design.answered.sum(axis=1)
    kinds = len(sums.answered)
    found, block = np.unique(
        design.team * kinds + np.searchsorted(sums.answered, number), return_inverse=True
    )
    size = add_by(block, count, len(found))
    total = np.zeros((len(found), width))
    sum_y = sum_answers(design)[2]
    for start in range(0, len(count), CHUNK):
        chunk = slice(start, start + CHUNK)
        rows = np.column_stack([design.group_rows(chunk) * count[chunk, None], sum_y[chunk]])
        rows[:, items] /= number[chunk, None]
        rows[:, -1] /= number[chunk]
        np.add.at(total, block[chunk], rows)
    mean = total / size[:, None]
    kind = found % kinds
    spread = sums.between / sums.answered[:, None, None] ** 2
    for here in range(kinds):
        chosen = kind == here
        spread[here] -= mean[chosen].T @ (size[chosen, None] * mean[chosen])
    return TeamSums(len(design.teams), found // kinds, kind, size, mean, spread)
