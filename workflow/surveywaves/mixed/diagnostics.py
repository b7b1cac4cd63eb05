"""Whether a linear fit rests on what it assumes: residuals, predicted effects, and one spread for all cells.

The model has one variance between respondents and one within them. What each cell's own are is found by the same model
fitted to that cell alone, items and covariates included, by REML. That cells share one is tested without need of normal
answers, by the analysis of variance over cells of one number a respondent:

- between respondents, how far the respondent's mean residual is from the cell's median (Brown and Forsythe), over
  sqrt(tau2 + sigma2 / k) of the fit, so that those who answered few items (k) count as the others do;
- within them, the mean distance of the residuals from their mean, over sqrt(1 - 1 / k), of those with two answers.

Only moments over everybody, and over cells, leave this module: never a number of one respondent.

Source: Brown and Forsythe (1974) J. Am. Stat. Assoc. 69, 364.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd

from surveywaves.mixed.design import Design, FloatArray
from surveywaves.mixed.lmm import LinearFit, fit_linear
from surveywaves.mixed.sandwich import Residuals, residuals
from surveywaves.terms import ALL, ESTIMATED, Status
from surveywaves.tidy import tidy

CHUNK: Final = 1 << 14
"""Patterns whose residuals are written out at a time."""

VARIANCES: Final = ("tau2", "sigma2")
"""Between respondents, and within them."""


def diagnose(design: Design, fit: LinearFit, *, scale: str, min_cell: int = 2) -> pd.DataFrame:
    """Diagnose a linear fit.

    Parameters
    ----------
    design, fit
        A design and its fit.
    scale
        The scale's name, for the table.
    min_cell
        Cells with fewer respondents than this have no variances, and no part in their tests.

    Returns
    -------
    DataFrame
        Tidy. For wave and organisation ``all``, `n` being all respondents of the fit: `residual_skewness`,
        `residual_excess_kurtosis` of the conditional residuals; of the predicted effects
        `respondent_effect_skewness`, with teams `team_effect_skewness`; and the tests `equal_tau2` and `equal_sigma2`,
        whose `estimate` is F, with the denominator's `df` and `p_value`, over the cells that the note counts. For
        each cell: `tau2` and `sigma2`, the variances between and within its respondents; teams are no part of that, and
        their variance is between respondents. With weights, moments and variances are weighted, the tests are not.
    """
    common = {"analysis": fit.analysis, "scale": scale}
    everybody = common | {"wave": ALL, "organisation": ALL, "n": fit.n_respondents}
    rows: list[dict[str, Any]] = []
    if fit.status in ESTIMATED:
        left = residuals(design, fit.coef, theta=fit.theta, theta_team=fit.theta_team)
        of_all = [*_moments(design, left), *_tests(design, fit, left, min_cell)]
    else:
        of_all = [{"term": term, "status": fit.status, "note": fit.note} for term in _terms(design)]
    rows += (everybody | row for row in of_all)
    for place, (wave, organisation) in enumerate(design.cells):
        cell = common | {"wave": wave, "organisation": organisation}
        rows += (cell | row for row in _variances(design, place, min_cell))
    return tidy(rows)


def _terms(design: Design) -> Iterator[str]:
    yield from ("residual_skewness", "residual_excess_kurtosis", "respondent_effect_skewness")
    if design.teams:
        yield "team_effect_skewness"
    yield from (f"equal_{name}" for name in VARIANCES)


def _row(term: str, estimate: float, why_not: str) -> dict[str, Any]:
    if math.isfinite(estimate):
        return {"term": term, "estimate": estimate}
    return {"term": term, "status": Status.NOT_ESTIMABLE, "note": why_not}


def _skewness(values: FloatArray, weights: FloatArray) -> float:
    apart = values - np.average(values, weights=weights)
    square = float(np.average(apart**2, weights=weights))
    return float(np.average(apart**3, weights=weights)) / square**1.5 if square > 0 else math.nan


def _moments(design: Design, left: Residuals) -> Iterator[dict[str, Any]]:
    """Moments of the residuals and of the predicted effects, over everybody."""
    power = np.zeros(5)
    for start in range(0, len(design.count), CHUNK):
        chunk = slice(start, start + CHUNK)
        errors, present = left.at(chunk)
        count = design.count[chunk]
        power += [
            count @ present.sum(axis=1),
            *(count @ (errors**degree).sum(axis=1) for degree in range(1, 5)),
        ]
    number, *sums = power
    first, second, third, fourth = (one / number for one in sums)
    variance = second - first**2
    skewness = third - 3 * first * second + 2 * first**3
    kurtosis = fourth - 4 * first * third + 6 * first**2 * second - 3 * first**4
    yield _row("residual_skewness", skewness / variance**1.5, "")
    yield _row("residual_excess_kurtosis", kurtosis / variance**2 - 3, "")
    effects = _skewness(left.respondent, design.count)
    yield _row("respondent_effect_skewness", effects, "no variance between respondents")
    if design.teams:
        effects = _skewness(left.team, np.ones(len(left.team)))
        yield _row("team_effect_skewness", effects, "no variance between teams")


def _variances(design: Design, place: int, min_cell: int) -> Iterator[dict[str, Any]]:
    """One cell's variances, by a fit to it alone."""
    number = round(float(design.respondents[place]))
    why: dict[str, Any] = {}
    if number == 0:
        why = {"status": Status.NOT_ESTIMABLE, "note": "nobody answered"}
    elif number < min_cell:
        why = {"status": Status.TOO_FEW, "note": f"fewer than {min_cell} respondents"}
    if why:
        yield from ({"term": term, "n": number} | why for term in VARIANCES)
        return
    fit = fit_linear(_alone(design, place), robust=False)
    for term in VARIANCES:
        row = _row(term, getattr(fit, term), fit.note)
        yield {"note": fit.note, "status": fit.status} | row | {"n": number}


def _alone(design: Design, place: int) -> Design:
    """Take one cell's design out of the whole, without teams."""
    groups = np.flatnonzero(design.cell == place)
    patterns = np.flatnonzero(design.cell[design.group] == place)
    wave, organisation = design.cells[place]
    return replace(
        design,
        waves=(wave,),
        organisations=(organisation,),
        teams=(),
        cell=np.zeros(len(groups), dtype=np.intp),
        profile=design.profile[groups],
        team=np.zeros(len(groups), dtype=np.intp),
        answered=design.answered[groups],
        group=np.searchsorted(groups, design.group[patterns]),
        answers=design.answers[patterns],
        persons=design.persons[patterns],
        count=design.count[patterns],
        square=design.square[patterns],
        weighted=False,
    )


def _tests(design: Design, fit: LinearFit, left: Residuals, min_cell: int) -> Iterator[dict[str, Any]]:
    """Whether cells share the variance between, and the variance within respondents."""
    size = len(design.count)
    mean, apart = np.empty(size), np.empty(size)
    for start in range(0, size, CHUNK):
        chunk = slice(start, start + CHUNK)
        answered = design.answered[design.group[chunk]]
        errors = left.marginal(chunk)
        mean[chunk] = errors.sum(axis=1) / left.answered[chunk]
        apart[chunk] = np.abs((errors - mean[chunk, None]) * answered).sum(axis=1) / left.answered[chunk]
    mean -= left.team[design.team[design.group]]
    cell, persons = design.cell[design.group], design.persons.astype(np.intp)
    tested = [place for place, number in enumerate(design.respondents) if number >= max(min_cell, 2)]

    def by_cell(values: FloatArray, chosen: FloatArray) -> list[FloatArray]:
        """Expand to respondents, cell by cell."""
        places = (np.flatnonzero((cell == place) & (chosen > 0)) for place in tested)
        return [np.repeat(values[here], persons[here]) for here in places]

    tau2 = np.nan_to_num(fit.tau2)
    means = by_cell(mean / np.sqrt(tau2 + fit.sigma2 / left.answered), left.answered)
    yield _compared("equal_tau2", [np.abs(one - np.median(one)) for one in means if len(one) > 1])
    few = np.maximum(left.answered, 2)
    within = by_cell(apart / np.sqrt(1 - 1 / few), left.answered - 1)
    yield _compared("equal_sigma2", [one for one in within if len(one) > 1])


def _compared(term: str, groups: list[FloatArray]) -> dict[str, Any]:
    """Compare groups' means by analysis of variance."""
    from statsmodels.stats.oneway import anova_oneway  # noqa: PLC0415  half a second

    if len(groups) < 2 or min(one.var() for one in groups) <= 0:
        return _row(term, math.nan, "no two cells whose respondents vary")
    found = anova_oneway(groups, use_var="equal")
    row = _row(term, float(found.statistic), "the cells' respondents do not vary")
    return row | {
        "df": float(found.df_denom),
        "p_value": float(found.pvalue),
        "note": f"over {len(groups)} cells",
    }
