"""The comparison of a study: every scale by both models, every item by itself, and what moved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from surveywaves.mixed.contrasts import Comparison, check_confidence, compare_fit, standardised
from surveywaves.mixed.decisions import decide, note_scale_use
from surveywaves.mixed.design import make_design
from surveywaves.mixed.diagnostics import diagnose
from surveywaves.mixed.favourable import compare_items, compare_ordinal
from surveywaves.mixed.lmm import fit_linear
from surveywaves.sample import Sample, Scale


class Compared(NamedTuple):
    """Tidy frames of all scales together, and of the items by themselves."""

    means: pd.DataFrame
    contrasts: pd.DataFrame
    variances: pd.DataFrame
    diagnostics: pd.DataFrame
    item_contrasts: pd.DataFrame


def compare_study(
    sample: Sample,
    scales: Sequence[Scale],
    items: Sequence[Scale],
    scale_use: pd.DataFrame,
    *,
    standardised_effect: float,
    percentage_points: float,
    confidence: float = 0.95,
    min_cell: int = 2,
    multiplicity: str = "holm",
    item_multiplicity: str = "fdr_bh",
) -> Compared:
    """Compare waves and organisations on every scale, by the linear and the ordinal model, and on every item.

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
    confidence
        Coverage of the intervals, and 1 less the level of the decisions.
    min_cell
        Fewest respondents of a wave and organisation that has estimates of its own.
    multiplicity, item_multiplicity
        Adjustment of p-values across scales, and across items: see `decide`.

    Returns
    -------
    Compared
        `means`, `contrasts` (with decisions, in their own units and standardised) and `variances` of both models, the
        linear model's `diagnostics`, and `item_contrasts` with decisions.

    Raises
    ------
    ValueError
        If sample, scales and items contradict the frame or each other.
    """
    check_confidence(confidence)
    linear, ordinal, diagnostics = [], [], []
    for scale in scales:
        design = make_design(sample, scale)
        fit = fit_linear(design)
        linear.append(compare_fit(design, fit, scale=scale.name, confidence=confidence, min_cell=min_cell))
        diagnostics.append(diagnose(design, fit, scale=scale.name, min_cell=min_cell))
        ordinal.append(compare_ordinal(design, scale, confidence=confidence, min_cell=min_cell))

    def decided(contrasts: pd.DataFrame, variances: pd.DataFrame, method: str) -> pd.DataFrame:
        return decide(
            contrasts,
            variances,
            standardised=standardised_effect,
            percentage_points=percentage_points,
            confidence=confidence,
            multiplicity=method,
        )

    both = Comparison(
        *(pd.concat(tables, ignore_index=True) for tables in zip(*linear, *ordinal, strict=True))
    )
    contrasts = pd.concat([both.contrasts, standardised(both.contrasts, both.variances)], ignore_index=True)
    alone = compare_items(sample, items, confidence=confidence, min_cell=min_cell)
    return Compared(
        means=both.means,
        contrasts=note_scale_use(decided(contrasts, both.variances, multiplicity), scale_use),
        variances=both.variances,
        diagnostics=pd.concat(diagnostics, ignore_index=True),
        item_contrasts=decided(alone.contrasts, alone.variances, item_multiplicity),
    )
