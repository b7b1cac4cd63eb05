"""The comparison of a study: every scale by answers and both models, every item by itself, and what moved."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final, NamedTuple

import pandas as pd

from surveywaves.mixed.clmm import fit_ordinal
from surveywaves.mixed.contrasts import Row, adjust_families, check_confidence, compare_fit, standardised
from surveywaves.mixed.decisions import decide, note_scale_use
from surveywaves.mixed.design import make_design
from surveywaves.mixed.diagnostics import diagnose
from surveywaves.mixed.favourable import compare_favourable
from surveywaves.mixed.lmm import fit_linear
from surveywaves.mixed.odds import check_odds
from surveywaves.sample import Sample, Scale
from surveywaves.terms import FAVOURABLE, LINEAR, ORDINAL, Status
from surveywaves.tidy import tidy


class Compared(NamedTuple):
    """Tidy frames of all scales together, and of the items by themselves."""

    means: pd.DataFrame
    contrasts: pd.DataFrame
    variances: pd.DataFrame
    diagnostics: pd.DataFrame
    item_contrasts: pd.DataFrame


class Estimated(NamedTuple):
    """Tidy frames of scales, and of items by themselves, as the fits give them: no family of tests is adjusted yet."""

    means: pd.DataFrame
    contrasts: pd.DataFrame
    variances: pd.DataFrame
    diagnostics: pd.DataFrame
    item_contrasts: pd.DataFrame
    item_variances: pd.DataFrame
    item_diagnostics: pd.DataFrame


ANALYSES: Final = (LINEAR, ORDINAL, FAVOURABLE)
"""The order of the rows: all scales by one analysis before all by the next."""


def estimate(
    sample: Sample,
    scales: Sequence[Scale],
    items: Sequence[Scale],
    *,
    robust: bool = True,
    confidence: float = 0.95,
    min_cell: int = 2,
) -> Estimated:
    """Compare waves and organisations on every scale, by the answers and both models, and on every item.

    Parameters
    ----------
    sample
        Who is compared.
    scales, items
        What is compared, some or all; the items each as a scale of its own.
    robust
        Whether the linear model's standard errors hold where cells differ in spread: see `fit_linear`.
    confidence
        Coverage of the intervals, and 1 less the level of the decisions.
    min_cell
        Fewest respondents of a wave and organisation that has estimates of its own.

    Raises
    ------
    ValueError
        If sample, scales and items contradict the frame or each other.
    """
    check_confidence(confidence)
    means: list[Row] = []
    contrasts: list[Row] = []
    variances: list[Row] = []
    diagnostics = [tidy([])]
    for scale in scales:
        design = make_design(sample, scale)
        fit = fit_linear(design, robust=robust)
        diagnostics.append(diagnose(design, fit, scale=scale.name, min_cell=min_cell))
        for one in (fit, fit_ordinal(design)):
            compared = compare_fit(design, one, scale=scale.name, confidence=confidence, min_cell=min_cell)
            means += compared.means
            contrasts += compared.contrasts
            variances += compared.variances
        shares = compare_favourable(design, scale, confidence=confidence, min_cell=min_cell)
        means += shares.means
        contrasts += shares.contrasts
    return Estimated(
        tidy(means),
        tidy(contrasts),
        tidy(variances),
        pd.concat(diagnostics, ignore_index=True),
        *_compare_items(sample, items, confidence=confidence, min_cell=min_cell),
    )


def judge(
    found: Estimated,
    scale_use: pd.DataFrame,
    *,
    standardised_effect: float,
    percentage_points: float,
    confidence: float,
    multiplicity: str,
    item_multiplicity: str,
    against: str,
) -> Compared:
    """Decide what moved, of what was estimated of all scales and items.

    Parameters
    ----------
    found
        By `estimate`, in one piece or several.
    scale_use
        What `reliability.usage` found: whether a scale is reliable enough.
    standardised_effect, percentage_points, confidence, against
        See `decide`.
    multiplicity, item_multiplicity
        Adjustment of p-values across scales, and across items: see `decide`.

    Returns
    -------
    Compared
        `means` and `contrasts` (with decisions; those of the models in their own units and standardised) of the
        percentage of favourable answers and of both models, `variances` of these, the linear model's `diagnostics` and
        the tests of what the ordinal model assumes of each item, and `item_contrasts` with decisions.
    """
    means, contrasts, variances = (
        frame.sort_values("analysis", key=_place, kind="stable", ignore_index=True) for frame in found[:3]
    )
    contrasts = pd.concat([contrasts, standardised(contrasts, variances)], ignore_index=True)
    decided = partial(
        decide,
        standardised=standardised_effect,
        percentage_points=percentage_points,
        confidence=confidence,
        against=against,
    )
    return Compared(
        means=means,
        contrasts=note_scale_use(decided(contrasts, variances, multiplicity=multiplicity), scale_use),
        variances=variances,
        diagnostics=pd.concat([found.diagnostics, _tested(found.item_diagnostics)], ignore_index=True),
        item_contrasts=decided(found.item_contrasts, found.item_variances, multiplicity=item_multiplicity),
    )


def _place(analyses: pd.Series[str]) -> pd.Series[int]:
    return analyses.map(ANALYSES.index)


def _tested(odds: pd.DataFrame) -> pd.DataFrame:
    """Adjust the tests of what the ordinal model assumes of each item, by Benjamini and Hochberg over the items."""
    return odds.assign(p_adjusted=adjust_families(odds, "p_value", "fdr_bh", ["term"]))


def judge_items(
    sample: Sample,
    items: Sequence[Scale],
    *,
    standardised_effect: float,
    percentage_points: float,
    confidence: float = 0.95,
    min_cell: int = 2,
    multiplicity: str = "fdr_bh",
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compare waves and organisations on every item by itself, and decide what moved.

    Parameters
    ----------
    sample, items, standardised_effect, percentage_points, confidence, min_cell, multiplicity
        See `estimate` and `judge`; the last is of the items.

    Returns
    -------
    DataFrame, DataFrame
        `item_contrasts`, and the items' rows of `diagnostics`.
    """
    found = estimate(sample, [], items, confidence=confidence, min_cell=min_cell)
    decided = decide(
        found.item_contrasts,
        found.item_variances,
        standardised=standardised_effect,
        percentage_points=percentage_points,
        confidence=confidence,
        multiplicity=multiplicity,
        against=sample.against,
    )
    return decided, _tested(found.item_diagnostics)


def _compare_items(
    sample: Sample, items: Sequence[Scale], *, confidence: float, min_cell: int
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Compare waves and organisations on every item by itself, by its answers and by the ordinal model.

    An item's column holds only answers on the instrument's response scale (or mapped to it): what a wave asked on
    another one stands in a column of its own and is no item here, so that such a wave takes no part. A reworded item
    is compared as if it were the same: who shows it says so.

    One answer a respondent leaves no respondent effect to estimate: the ordinal model is the cumulative logit without
    one. Its odds ratios are of the population, not of a respondent as those of a scale are, and nearer to 1 for that
    (Agresti 2010, Analysis of Ordinal Categorical Data, ch. 10).

    Returns
    -------
    DataFrame, DataFrame, DataFrame
        Contrasts, variances and tests of the ordinal model, with `item` filled. An item that no two cells of one wave
        or of one organisation answered cannot be compared, and has no rows. Estimates by the model carry no note: that
        a model of one item cannot tell respondents apart goes without saying.
    """
    contrasts: list[Row] = []
    variances: list[Row] = []
    odds: list[Row] = []
    for one in items:
        (item,) = one.items
        design = make_design(sample, one)
        shares = [*compare_favourable(design, one, confidence=confidence, min_cell=min_cell).contrasts]
        if not shares:
            continue
        latent = compare_fit(
            design, fit_ordinal(design), scale=one.name, confidence=confidence, min_cell=min_cell
        )
        contrasts += (row | {"item": item} for row in (*map(_of_item, latent.contrasts), *shares))
        variances += (row | {"item": item} for row in map(_of_item, latent.variances))
        odds += [{"scale": one.name, "item": item} | row for row in check_odds(design, min_cell=min_cell)]
    return tidy(contrasts), tidy(variances), tidy(odds)


def _of_item(row: Row) -> Row:
    told = row["term"] in ("n_respondents", "n_items") or row.get("status", Status.OK) != Status.OK
    return row if told else row | {"note": ""}
