"""The comparison of a study: every scale by answers and both models, every item by itself, and what moved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import pandas as pd

from surveywaves.mixed.clmm import fit_ordinal
from surveywaves.mixed.contrasts import adjust_families, check_confidence, compare_fit, standardised
from surveywaves.mixed.decisions import decide, note_scale_use
from surveywaves.mixed.design import make_design
from surveywaves.mixed.diagnostics import diagnose
from surveywaves.mixed.favourable import compare_favourable
from surveywaves.mixed.lmm import fit_linear
from surveywaves.mixed.odds import check_odds
from surveywaves.sample import Sample, Scale
from surveywaves.terms import Status
from surveywaves.tidy import tidy


class Compared(NamedTuple):
    """Tidy frames of all scales together, and of the items by themselves."""

    means: pd.DataFrame
    contrasts: pd.DataFrame
    variances: pd.DataFrame
    diagnostics: pd.DataFrame
    item_contrasts: pd.DataFrame


BOTH: Final = ("means", "contrasts")


def compare_study(
    sample: Sample,
    scales: Sequence[Scale],
    items: Sequence[Scale],
    scale_use: pd.DataFrame,
    *,
    standardised_effect: float,
    percentage_points: float,
    robust: bool = True,
    confidence: float = 0.95,
    min_cell: int = 2,
    multiplicity: str = "holm",
    item_multiplicity: str = "fdr_bh",
) -> Compared:
    """Compare waves and organisations on every scale, by the answers and both models, and on every item.

    Parameters
    ----------
    sample
        Who is compared.
    scales, items
        What is compared; the items each as a scale of its own.
    scale_use
        What `reliability.usage` found: whether a scale is reliable enough.
    standardised_effect, percentage_points
        Smallest effects of interest: see `decide`.
    robust
        Whether the linear model's standard errors hold where cells differ in spread: see `fit_linear`.
    confidence
        Coverage of the intervals, and 1 less the level of the decisions.
    min_cell
        Fewest respondents of a wave and organisation that has estimates of its own.
    multiplicity, item_multiplicity
        Adjustment of p-values across scales, and across items: see `decide`.

    Returns
    -------
    Compared
        `means` and `contrasts` (with decisions; those of the models in their own units and standardised) of the
        percentage of favourable answers and of both models, `variances` of these, the linear model's `diagnostics` and
        the tests of what the ordinal model assumes of each item, and `item_contrasts` with decisions.

    Raises
    ------
    ValueError
        If sample, scales and items contradict the frame or each other.
    """
    check_confidence(confidence)
    shares, linear, ordinal, diagnostics = [], [], [], []
    for scale in scales:
        design = make_design(sample, scale)
        shares.append(compare_favourable(design, scale, confidence=confidence, min_cell=min_cell))
        fit = fit_linear(design, robust=robust)
        linear.append(compare_fit(design, fit, scale=scale.name, confidence=confidence, min_cell=min_cell))
        diagnostics.append(diagnose(design, fit, scale=scale.name, min_cell=min_cell))
        latent = fit_ordinal(design)
        ordinal.append(
            compare_fit(design, latent, scale=scale.name, confidence=confidence, min_cell=min_cell)
        )

    every = [*linear, *ordinal, *shares]
    means, contrasts = (pd.concat([getattr(one, name) for one in every], ignore_index=True) for name in BOTH)
    variances = pd.concat([one.variances for one in (*linear, *ordinal)], ignore_index=True)
    contrasts = pd.concat([contrasts, standardised(contrasts, variances)], ignore_index=True)
    decided = decide(
        contrasts,
        variances,
        standardised=standardised_effect,
        percentage_points=percentage_points,
        confidence=confidence,
        multiplicity=multiplicity,
        against=sample.against,
    )
    of_items, tests = judge_items(
        sample,
        items,
        standardised_effect=standardised_effect,
        percentage_points=percentage_points,
        confidence=confidence,
        min_cell=min_cell,
        multiplicity=item_multiplicity,
    )
    return Compared(
        means=means,
        contrasts=note_scale_use(decided, scale_use),
        variances=variances,
        diagnostics=pd.concat([*diagnostics, tests], ignore_index=True),
        item_contrasts=of_items,
    )


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
    """Compare waves and organisations on every item by itself, by its answers and by the ordinal model.

    An item's column holds only answers on the instrument's response scale (or mapped to it): what a wave asked on
    another one stands in a column of its own and is no item here, so that such a wave takes no part. A reworded item
    is compared as if it were the same: who shows it says so.

    One answer a respondent leaves no respondent effect to estimate: the ordinal model is the cumulative logit without
    one. Its odds ratios are of the population, not of a respondent as those of a scale are, and nearer to 1 for that
    (Agresti 2010, Analysis of Ordinal Categorical Data, ch. 10).

    Parameters
    ----------
    sample
        Who is compared.
    items
        Each as a scale of its own, as `surveywaves.sample.single_items` lists them.
    standardised_effect, percentage_points, confidence, min_cell, multiplicity
        See `compare_study`; the last is of the items.

    Returns
    -------
    item_contrasts
        As of `contrasts.compare_fit` and `compare_favourable`, with `item` filled and decisions. An item that no two
        cells of one wave or of one organisation answered cannot be compared, and has no rows. Estimates by the model
        carry no note: that a model of one item cannot tell respondents apart goes without saying.
    diagnostics
        As of `odds.check_odds`, with `item` filled, adjusted by Benjamini and Hochberg over the items.

    Raises
    ------
    ValueError
        If sample and items contradict the frame or each other.
    """
    contrasts, variances, odds = [tidy([])], [tidy([])], []
    for one in items:
        (item,) = one.items
        design = make_design(sample, one)
        shares = compare_favourable(design, one, confidence=confidence, min_cell=min_cell).contrasts
        if shares.empty:
            continue
        latent = compare_fit(
            design, fit_ordinal(design), scale=one.name, confidence=confidence, min_cell=min_cell
        )
        contrasts += [_of_item(latent.contrasts, item), shares.assign(item=item)]
        variances.append(_of_item(latent.variances, item))
        odds += [{"scale": one.name, "item": item} | row for row in check_odds(design, min_cell=min_cell)]
    tested = tidy(odds)
    tested["p_adjusted"] = adjust_families(tested, "p_value", "fdr_bh", ["term"])
    decided = decide(
        pd.concat(contrasts, ignore_index=True),
        pd.concat(variances, ignore_index=True),
        standardised=standardised_effect,
        percentage_points=percentage_points,
        confidence=confidence,
        multiplicity=multiplicity,
        against=sample.against,
    )
    return decided, tested


def _of_item(table: pd.DataFrame, item: str) -> pd.DataFrame:
    tests_or_means = ~table["term"].isin(["n_respondents", "n_items"]) & table["status"].eq(Status.OK)
    return table.assign(item=item, note=table["note"].mask(tests_or_means, ""))
