"""Whether a linear fit rests on what it assumes, and on whom: residuals, predicted effects, and influence.

Influence is of one respondent, or of one team where there are teams: what a contrast would become without them,
variance ratios as they are. That is exact deletion in generalised least squares, from the score X'V^-1 r and the
information X'V^-1 X of those left out; nothing is fitted again. Respondents who are alike have the same, so it
costs one small solution a distinct (cell, covariates, set of items answered).

Only maxima, shares and moments over everybody leave this module: never a row of one respondent.

Sources: Cook (1977) Technometrics 19, 15; Demidenko and Stukel (2005) Stat. Med. 24, 893 (deletion in mixed models);
Loy, Hofmann and Cook (2017) J. Am. Stat. Assoc. 112, 1297, and their R package HLMdiag.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from surveywaves.mixed.contrasts import screen, stated_contrasts
from surveywaves.mixed.design import Design, FloatArray, IntArray, add_by
from surveywaves.mixed.lmm import LinearFit
from surveywaves.mixed.sandwich import Residuals, residuals
from surveywaves.terms import ALL, Status
from surveywaves.tidy import tidy

FAR: Final = 3.0
"""A residual beyond this many standard deviations is far."""

INDISPENSABLE: Final = 1e-10
"""Without somebody, the columns are dependent if the information's determinant shrinks to this share, or less."""

CHUNK: Final = 1 << 11
"""Patterns, or units left out, whose matrices are written out at a time."""


def diagnose(design: Design, fit: LinearFit, *, scale: str, min_cell: int = 2) -> pd.DataFrame:
    """Diagnose a linear fit.

    Parameters
    ----------
    design, fit
        A design and its fit.
    scale
        The scale's name, for the table.
    min_cell
        Cells with fewer respondents than this are in no `variance_ratio` and no contrast.

    Returns
    -------
    DataFrame
        Tidy, for wave and organisation ``all``; `n` is all respondents of the fit. Of the conditional
        residuals: `residual_skewness`, `residual_excess_kurtosis`, `residuals_beyond_3_sd` (percent; the
        standard deviation is the model's), `variance_ratio` (largest to smallest variance of a cell). Of the
        predicted effects: `respondent_effect_skewness`, with teams `team_effect_skewness`. Of leaving out one
        respondent, or one team if there are any: `max_cooks_distance` (in the model's covariance, divided by
        the number of independent columns), and `max_shift_<kind>`, the largest change of any contrast of the
        kind, in its standard errors; the note says of which. With weights, moments are weighted, and a
        respondent left out has the mean weight of those alike.
    """
    rows = list(_rows(design, fit, min_cell)) if fit.status in (Status.OK, Status.BOUNDARY) else []
    if not rows:
        rows = [{"term": term, "status": fit.status, "note": fit.note} for term in _terms(design)]
    common = {"analysis": fit.analysis, "scale": scale, "wave": ALL, "organisation": ALL}
    return tidy(common | {"n": fit.n_respondents} | row for row in rows)


def _terms(design: Design) -> Iterator[str]:
    yield from ("residual_skewness", "residual_excess_kurtosis", "residuals_beyond_3_sd", "variance_ratio")
    yield "respondent_effect_skewness"
    if design.teams:
        yield "team_effect_skewness"
    yield "max_cooks_distance"
    yield from (f"max_shift_{kind}" for kind in _kinds(design))


def _kinds(design: Design) -> list[str]:
    """List the kinds of contrasts that the design states."""
    return list(dict.fromkeys(labels["term"] for labels, _ in stated_contrasts(design)))


def _rows(design: Design, fit: LinearFit, min_cell: int) -> Iterator[dict[str, Any]]:
    left = residuals(design, fit.coef, theta=fit.theta, theta_team=fit.theta_team)
    yield from _of_residuals(design, left, sigma2=fit.sigma2, min_cell=min_cell)
    yield _row(
        "respondent_effect_skewness",
        _skewness(left.respondent, design.count),
        "no variance between respondents",
    )
    if design.teams:
        yield _row(
            "team_effect_skewness", _skewness(left.team, np.ones(len(left.team))), "no variance between teams"
        )
    yield from _of_influence(design, fit, left, min_cell)


def _row(term: str, estimate: float, why_not: str) -> dict[str, Any]:
    if math.isfinite(estimate):
        return {"term": term, "estimate": estimate}
    return {"term": term, "status": Status.NOT_ESTIMABLE, "note": why_not}


def _skewness(values: FloatArray, weights: FloatArray) -> float:
    apart = values - np.average(values, weights=weights)
    square = float(np.average(apart**2, weights=weights))
    return float(np.average(apart**3, weights=weights)) / square**1.5 if square > 0 else math.nan


def _of_residuals(
    design: Design, left: Residuals, *, sigma2: float, min_cell: int
) -> Iterator[dict[str, Any]]:
    """Moments of the residuals, over everybody and by cell, from their power sums."""
    cells = len(design.cells)
    power, far = np.zeros((5, cells)), 0.0
    for start in range(0, len(design.count), CHUNK):
        chunk = slice(start, start + CHUNK)
        errors, present = left.at(chunk)
        cell, count = design.cell[design.group[chunk]], design.count[chunk]
        power[0] += add_by(cell, count * present.sum(axis=1), cells)
        for degree in range(1, 5):
            power[degree] += add_by(cell, count * (errors**degree).sum(axis=1), cells)
        far += float(count @ (np.abs(errors) > FAR * math.sqrt(sigma2)).sum(axis=1))
    number, *sums = power.sum(axis=1)
    first, second, third, fourth = (one / number for one in sums)
    variance = second - first**2
    skewness = third - 3 * first * second + 2 * first**3
    kurtosis = fourth - 4 * first * third + 6 * first**2 * second - 3 * first**4
    yield _row("residual_skewness", skewness / variance**1.5, "")
    yield _row("residual_excess_kurtosis", kurtosis / variance**2 - 3, "")
    yield _row("residuals_beyond_3_sd", 100 * far / number, "")

    some = (design.respondents >= min_cell) & (power[0] > 1)
    by_cell = (power[2][some] - power[1][some] ** 2 / power[0][some]) / (power[0][some] - 1)
    known = len(by_cell) > 1 and by_cell.min() > 0
    ratio = float(by_cell.max() / by_cell.min()) if known else math.nan
    yield _row("variance_ratio", ratio, "no two cells whose residuals vary")


@dataclass(frozen=True, slots=True, eq=False)
class _Contrast:
    kind: str
    name: str
    vector: FloatArray
    error: float


def _contrasts(design: Design, fit: LinearFit, min_cell: int) -> list[_Contrast]:
    """List the contrasts that have an estimate."""
    found = []
    for labels, weights in stated_contrasts(design):
        vector = sum(
            (w * design.mean_vector(*cell) for cell, w in weights.items()), np.zeros(len(design.columns))
        )
        refused = screen(design, fit, weights, min_cell=min_cell)[1] or not fit.estimable(vector)
        error = math.sqrt(max(float(vector @ fit.cov @ vector), 0.0))
        if not refused and error > 0:
            name = f"{labels['wave']}, {labels['organisation']}"
            found.append(_Contrast(labels["term"], name, vector, error))
    return found


class _Unit(NamedTuple):
    """Units that can be left out, some at a time; U units, p independent columns, whitened.

    The information is that of one unit, a share of the identity. A unit has one or several scores: those of
    the patterns that share it.
    """

    information: FloatArray  # (U, p, p)
    unit: IntArray  # (S,) each score's unit
    score: FloatArray  # (S, p)
    persons: FloatArray  # (S,) how many respondents have this score


def _of_influence(design: Design, fit: LinearFit, left: Residuals, min_cell: int) -> Iterator[dict[str, Any]]:
    """Largest changes when one unit is left out."""
    contrasts = _contrasts(design, fit, min_cell)
    # whitened, the information of everybody is the identity
    root = np.zeros((len(fit.columns), fit.rank))
    root[fit.kept] = _root(fit.model_cov[np.ix_(fit.kept, fit.kept)] / fit.sigma2)
    effects = np.zeros((len(contrasts), fit.rank))
    for place, contrast in enumerate(contrasts):
        effects[place] = contrast.vector @ root / contrast.error
    distance, shift, needed = 0.0, np.zeros(len(contrasts)), 0.0
    units = _teams(design, fit, left, root) if design.teams else _respondents(design, fit, left, root)
    for units_here in units:
        remaining = np.eye(fit.rank) - units_here.information
        free = np.linalg.det(remaining) > INDISPENSABLE
        remaining[~free] = np.eye(fit.rank)
        change = np.linalg.solve(remaining[units_here.unit], units_here.score[:, :, None])[:, :, 0]
        counted = free[units_here.unit]
        needed += float(units_here.persons[~counted].sum())
        change = change[counted]
        distance = max(distance, float((change**2).sum(axis=1).max(initial=0.0)))
        shift = np.maximum(shift, np.abs(change @ effects.T).max(axis=0, initial=0.0))
    unit = "team" if design.teams else "respondent"
    note = f"leaving out one {unit}"
    if needed:
        note += f"; not {needed:.0f} without whom a cell, item or covariate has no estimate"
    yield {"term": "max_cooks_distance", "estimate": distance / fit.sigma2 / fit.rank, "note": note}
    for kind in _kinds(design):
        mine = [place for place, contrast in enumerate(contrasts) if contrast.kind == kind]
        if not mine:
            yield _row(f"max_shift_{kind}", math.nan, "no such contrast has an estimate")
            continue
        most = max(mine, key=lambda place: shift[place])
        of_which = f"{note}; largest for {contrasts[most].name}"
        yield {"term": f"max_shift_{kind}", "estimate": float(shift[most]), "note": of_which}


def _root(cov: FloatArray) -> FloatArray:
    """L with L L' = cov, each column of the model scaled to its own standard error first."""
    units = np.sqrt(np.diagonal(cov))
    return np.asarray(units[:, None] * np.linalg.cholesky(cov / np.outer(units, units)), dtype=np.float64)


def _respondents(design: Design, fit: LinearFit, left: Residuals, root: FloatArray) -> Iterator[_Unit]:
    """Respondents, some patterns at a time."""
    order = np.argsort(design.group, kind="stable")
    for start in range(0, len(order), CHUNK):
        patterns = order[start : start + CHUNK]
        weight = design.count[patterns] / design.persons[patterns]
        score = left.scores(patterns)[0] @ root * weight[:, None]
        if design.weighted:
            group, unit = design.group[patterns], np.arange(len(patterns))
        else:
            group, unit = np.unique(design.group[patterns], return_inverse=True)
        information = _information(design, group, fit.theta, root)
        if design.weighted:
            information *= weight[:, None, None]
        yield _Unit(information, unit, score, design.persons[patterns])


def _teams(design: Design, fit: LinearFit, left: Residuals, root: FloatArray) -> Iterator[_Unit]:
    """Teams, all at a time."""
    teams, rank = len(design.teams), root.shape[1]
    information, ends = np.zeros((teams, rank, rank)), np.zeros((teams, rank))
    counts, k = design.group_counts, design.answered.sum(axis=1).astype(np.float64)
    for start in range(0, len(design.cell), CHUNK):
        groups = np.arange(start, min(start + CHUNK, len(design.cell)))
        count = counts[groups]
        np.add.at(
            information,
            design.team[groups],
            count[:, None, None] * _information(design, groups, fit.theta, root),
        )
        sums = _column_sums(design, groups) / (1 + fit.theta * k[groups, None])
        np.add.at(ends, design.team[groups], count[:, None] * (sums @ root))
    lean = fit.theta_team / (1 + fit.theta_team * left.total)
    information -= lean[:, None, None] * ends[:, :, None] * ends[:, None, :]
    score = np.zeros((teams, rank))
    for start in range(0, len(design.count), CHUNK):
        patterns = np.arange(start, min(start + CHUNK, len(design.count)))
        of_pattern = design.count[patterns, None] * (left.scores(patterns)[0] @ root)
        np.add.at(score, design.team[design.group[patterns]], of_pattern)
    yield _Unit(information, np.arange(teams), score, np.ones(teams))


def _column_sums(design: Design, groups: IntArray) -> FloatArray:
    """(size, P) 1'X of one respondent of each group."""
    rows, items = design.group_rows(groups), design.item_columns
    some = rows[:, items].copy()
    rows *= design.answered[groups].sum(axis=1)[:, None]
    rows[:, items] = some
    return rows


def _information(design: Design, groups: IntArray, theta: float, root: FloatArray) -> FloatArray:
    """(size, p, p) X'V^-1 X of one respondent of each group, the team's variance apart, times sigma2, whitened.

    Of X'X = k b b' + (b a' + a b') + diag(a), with b the columns that are the same for all answers and a the
    items answered, only the diagonal is not an outer product.
    """
    rows, items = design.group_rows(groups), design.item_columns
    k = design.answered[groups].sum(axis=1).astype(np.float64)
    answered = rows[:, items].copy()
    rows[:, items] = 0.0
    same, items_root = rows @ root, root[items]
    own = answered @ items_root
    sums = k[:, None] * same + own
    crossed = same[:, :, None] * own[:, None, :]
    made = k[:, None, None] * same[:, :, None] * same[:, None, :] + crossed + crossed.transpose(0, 2, 1)
    made += np.einsum("gj,jp,jq->gpq", answered, items_root, items_root, optimize=True)
    made -= (theta / (1 + theta * k))[:, None, None] * sums[:, :, None] * sums[:, None, :]
    return np.asarray(made, dtype=np.float64)
