"""The models behind the comparisons: who is in them, how answers vary, and what their residuals look like."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from surveywaves.tables.cells import estimate_cell
from surveywaves.tables.labels import Labels
from surveywaves.tables.layout import Cell, Column, Table
from surveywaves.tables.words import as_float, interval, is_missing, number, records, whole

COMPONENTS: Final = {
    "n_respondents": "respondents",
    "n_items": "statements",
    "n_teams": "teams",
    "n_categories": "response options",
    "sigma2": "variance within respondents",
    "tau2": "variance between respondents",
    "tau2_team": "variance between teams",
    "icc": "intraclass correlation",
    "icc_team": "intraclass correlation, teams",
    "total_sd": "SD of an answer",
    "r2_marginal": "R², fixed effects",
    "r2_conditional": "R², with respondents",
    "reml_loglik": "restricted log-likelihood",
    "loglik": "log-likelihood",
    "residual_skewness": "skewness of residuals",
    "residual_excess_kurtosis": "excess kurtosis of residuals",
    "residuals_beyond_3_sd": "% of residuals beyond 3 SD",
    "variance_ratio": "variance ratio",
    "respondent_effect_skewness": "skewness of respondent effects",
    "max_cooks_distance": "largest Cook's distance",
    "max_shift_change": "largest shift of a change",
    "max_shift_gap": "largest shift of a gap",
    "max_shift_difference_in_differences": "largest shift of a difference in differences",
}
"""Terms in words; others are shown by their names."""

FOR_MACHINES: Final = {"scaled_gradient"}
"""Terms that stand in the data only."""


def components(frame: pd.DataFrame, labels: Labels, *, analysis: str, name: str, title: str) -> Table:
    """Lay models out, a scale a row and a term a column.

    Parameters
    ----------
    frame
        `variances`, or `diagnostics`.
    analysis
        One of the analyses in it.
    """
    chosen = frame[frame["analysis"] == analysis]
    found = {(row.scale, row.term): row for row in records(chosen)}
    terms = [term for term in dict.fromkeys(chosen["term"]) if term not in FOR_MACHINES]
    return Table(
        name=name,
        title=f"{title} ({analysis} model)",
        columns=(
            Column("Scale"),
            *(Column(_term(term), numeric=True) for term in terms),
        ),
        rows=tuple(
            (Cell(labels.scale(scale)), *(_component(found.get((scale, term)), labels) for term in terms))
            for scale in labels.scales_in(chosen)
        ),
        data=labels.with_evidence(chosen),
        about=f"In brackets: the {labels.confidence} interval, where there is one."
        if chosen["conf_low"].notna().any()
        else "",
        evidence=labels.evidence(labels.waves_in(chosen), about=("items",)),
    )


def _term(term: str) -> str:
    """Put a term into words: `threshold[1|2]` is "threshold 1|2"."""
    return COMPONENTS.get(term, term.replace("_", " ").replace("[", " ").replace("]", ""))


def _component(row: Any, labels: Labels) -> Cell:
    cell = estimate_cell(row, labels)
    if row is None or is_missing(row.estimate):
        return cell
    text = whole(row.estimate) if row.term.startswith("n_") else number(row.estimate)
    if not is_missing(row.conf_low):
        text = f"{text} ({interval(row.conf_low, row.conf_high)})"
    return Cell(text, as_float(row.estimate), cell.notes, cell.tone)
