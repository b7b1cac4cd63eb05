"""What was estimated of each scale: reliability, means, contrasts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from surveywaves.tables.cells import (
    decimals_of,
    estimate_cell,
    interval_cell,
    is_rounded,
    is_withheld,
    number_cell,
    p_cell,
    side_of_zero,
    status_cell,
    withheld_cell,
)
from surveywaves.tables.decisions import base_term, decision_cell, smallest_effect
from surveywaves.tables.labels import Labels
from surveywaves.tables.layout import Cell, Column, Table
from surveywaves.tables.words import NONE, is_missing, number, records, whole
from surveywaves.tidy import ALL

CONTRASTS: Final = {
    "change": "Change between waves, within an organisation",
    "gap": "Gap between organisations, within a wave",
    "difference_in_differences": "Difference in differences: did one organisation change more than the other?",
}
"""Terms of the contrasts, in the order of presentation, and what each asks."""

MEAN: Final = "emmean"
PERCENT: Final = "percent_favourable"
STANDARDISED: Final = "_standardised"
OUTSIDE: Final = "Statements outside the scales"

UNITS: Final = {
    "": ("Estimate", "points"),
    STANDARDISED: ("Estimate (SD)", "standard deviations of one answer"),
    f"_{PERCENT}": ("Percentage points", "percentage points"),
}
"""How a term ends -> head of its column, and its unit in words."""

SHOWN: Final = ("alpha", "mean_inter_item_r", "spearman_brown")


def reliability(frame: pd.DataFrame, labels: Labels, *, organisation: str = ALL) -> Table:
    """Lay out the reliability of each scale, the waves side by side.

    Parameters
    ----------
    frame
        `reliability`.
    """
    chosen = frame[(frame["organisation"] == organisation) & (frame["item"] == "")]
    found = {(row.scale, row.wave, row.term): row for row in records(chosen)}
    waves = labels.waves_in(chosen)
    columns = [Column("Scale")]
    for wave in waves:
        above = labels.wave_with_evidence(wave)
        columns += [
            Column("alpha (interval)", above, numeric=True, spoken="Cronbach's alpha with its interval"),
            Column("mean r", above, numeric=True, spoken="mean correlation between items"),
            Column("n", above, numeric=True, spoken="respondents"),
        ]
    rows = []
    for scale in labels.scales_in(chosen):
        cells = [Cell(labels.scale(scale))]
        for wave in waves:
            cells += _reliability_cells({term: found.get((scale, wave, term)) for term in SHOWN}, labels)
        rows.append(tuple(cells))
    return Table(
        name="reliability" if organisation == ALL else f"reliability_{organisation}",
        title=f"Reliability of each scale: {labels.organisation(organisation)}",
        columns=tuple(columns),
        rows=tuple(rows),
        data=labels.with_evidence(chosen),
        about=f"Cronbach's alpha with its {labels.confidence} interval, and the mean correlation between items.",
        evidence=labels.evidence(waves, about=("items",)),
    )


def _reliability_cells(terms: Mapping[str, Any], labels: Labels) -> list[Cell]:
    """Print alpha, mean correlation and respondents of a scale in a wave; why there is none is said once."""
    nothing = Cell(NONE, float("nan"), tone="muted")
    alpha, correlation, brown = (terms[term] for term in SHOWN)
    if alpha is None or is_missing(alpha.estimate):
        why = (
            nothing
            if alpha is None
            else status_cell(alpha.status, labels.readable(_without_items(alpha.note)))
        )
        return [why, nothing, nothing]
    cell = estimate_cell(alpha, labels, with_interval=True)
    if brown is not None and not is_missing(brown.estimate):
        note = f"Two items: the Spearman-Brown coefficient is {number(brown.estimate)}."
        cell = Cell(cell.text, cell.value, (*cell.notes, note), cell.tone)
    return [cell, number_cell(correlation, "estimate", number), number_cell(alpha, "n", whole)]


def _without_items(note: str) -> str:
    """Leave out the list of a scale's items where it says no more than the reason before it."""
    reason, _, items = note.partition("; not asked: ")
    return reason if items else note


def reliability_items(frame: pd.DataFrame, labels: Labels, *, organisation: str = ALL) -> Table:
    """List every item's correlation with the rest of its scale, and alpha without it, for each wave."""
    chosen = frame[(frame["organisation"] == organisation) & frame["item"].ne("")]
    found = {(row.scale, row.wave, row.item, row.term): row for row in records(chosen)}
    places = list(dict.fromkeys((scale, wave, item) for scale, wave, item, _ in found))
    rows = [
        (
            Cell(labels.item(item)),
            Cell(labels.scale(scale)),
            Cell(labels.wave(wave)),
            estimate_cell(found.get((scale, wave, item, "item_rest_r")), labels),
            estimate_cell(found.get((scale, wave, item, "alpha_if_dropped")), labels),
        )
        for scale, wave, item in places
    ]
    return Table(
        name="reliability_items",
        title="Each statement within its scale",
        columns=(
            Column("Statement"),
            Column("Scale"),
            Column("Wave"),
            Column(
                "r with the rest", numeric=True, spoken="correlation with the sum of the scale's other items"
            ),
            Column("alpha without it", numeric=True),
        ),
        rows=tuple(rows),
        data=labels.with_evidence(chosen),
        evidence=labels.evidence(labels.waves_in(chosen), about=("items",)),
    )


def means(frame: pd.DataFrame, labels: Labels, *, analysis: str, term: str = MEAN) -> Table:
    """Lay out estimated means of each scale by wave and organisation.

    Parameters
    ----------
    frame
        `means`.
    analysis, term
        One of the analyses and terms in it: ``emmean``, or ``percent_favourable``.
    """
    chosen = frame[(frame["analysis"] == analysis) & (frame["term"] == term)]
    percent = term.endswith(PERCENT)
    found = {(row.scale, row.wave, row.organisation): row for row in records(chosen)}
    waves = labels.waves_in(chosen)
    present = set(chosen["organisation"])
    organisations = [name for name in labels.organisation_order if name in present]
    cells = [(wave, organisation) for wave in waves for organisation in organisations]
    columns = [Column("Scale")] + [
        Column(labels.organisation(organisation), labels.wave_with_evidence(wave), numeric=True)
        for wave, organisation in cells
    ]
    rows = tuple(
        (
            Cell(labels.scale(scale)),
            *(
                estimate_cell(
                    found.get((scale, *cell)),
                    labels,
                    with_interval=True,
                    decimals=_decimals(term, found.get((scale, *cell))),
                )
                for cell in cells
            ),
        )
        for scale in labels.scales_in(chosen)
    )
    what = "Favourable answers in %, as the model has them" if percent else "Estimated mean of each scale"
    return Table(
        name=f"means_{analysis}" if term == MEAN else f"means_{term}",
        title=f"{what}, by wave and organisation ({analysis} model)",
        columns=tuple(columns),
        rows=rows,
        data=labels.with_evidence(chosen),
        about=f"Share of favourable answers to the scale's statements, with its {labels.confidence} interval."
        if percent
        else f"Mean with its {labels.confidence} interval; higher means more of what the scale measures.",
        evidence=labels.evidence(waves, about=("items", "organisation")),
    )


def contrasts(frame: pd.DataFrame, labels: Labels, *, analysis: str, term: str) -> Table:
    """List contrasts of one kind: estimate, interval, p, adjusted p, and the decision.

    Where the frame holds no decisions, the last column says on which side of zero the interval lies. Where it holds
    the same contrasts standardised, these stand beside the estimate.

    Parameters
    ----------
    frame
        `contrasts`, or `item_contrasts`: then a row is about a statement.
    analysis, term
        One of the analyses and terms in it.
    """
    of_analysis = frame[frame["analysis"] == analysis]
    chosen = of_analysis[of_analysis["term"] == term]
    by_item = bool(chosen["item"].ne("").any())
    beside = of_analysis[of_analysis["term"] == f"{term}{STANDARDISED}"]
    standardised = {(row.scale, row.item, row.wave, row.organisation): row for row in records(beside)}
    decided = "decision" in frame.columns
    of_scale = dict(iter(chosen.groupby("scale", sort=False)))
    rows = [
        (
            Cell(labels.scale(scale) if scale else OUTSIDE),
            *([Cell(labels.item(row.item))] if by_item else []),
            Cell(labels.wave(row.wave)),
            Cell(labels.organisation(row.organisation)),
            estimate_cell(row, labels, signed=True, decimals=_decimals(term, row)),
            interval_cell(row, decimals=_decimals(term, row)),
            *(
                [_signed(standardised.get((row.scale, row.item, row.wave, row.organisation)))]
                if standardised
                else []
            ),
            p_cell(row, "p_value"),
            p_cell(row, "p_adjusted"),
            number_cell(row, "n", whole),
            _verdict(row, labels, decided=decided),
        )
        for scale in (*labels.scales_in(chosen), *([""] if "" in of_scale else []))
        for row in records(of_scale[scale])
    ]
    head, unit = UNITS.get(term.removeprefix(base_term(term)), UNITS[""])
    if analysis == "ordinal" and term == base_term(term):
        head, unit = "Log odds", "on the log odds scale"
    rounded = " Rounded to protect respondents." if any(map(is_rounded, records(chosen))) else ""
    kind = CONTRASTS.get(base_term(term), labels.plain(term))
    suffix = ": % favourable answers" if term.endswith(PERCENT) else ""
    suffix += " (standardised)" if term.endswith(STANDARDISED) else ""
    return Table(
        name=f"{term}_{analysis}" + ("_items" if by_item else ""),
        title=f"{kind}{suffix} ({'statement by statement, ' if by_item else ''}{analysis} model)",
        columns=(
            Column("Scale"),
            *([Column("Statement")] if by_item else []),
            Column("Wave"),
            Column("Organisation"),
            Column(head, numeric=True),
            Column(f"{labels.confidence} interval", numeric=True),
            *([Column("Standardised", numeric=True)] if standardised else []),
            Column("p", numeric=True),
            Column("Adjusted p", numeric=True),
            Column("n", numeric=True, spoken="respondents"),
            Column("Decision" if decided else "Where it lies"),
        ),
        rows=tuple(rows),
        data=labels.with_evidence(chosen),
        about=f"{smallest_effect(chosen, unit, decimals=_decimals(term))}{rounded}".strip(),
        evidence=labels.evidence(labels.waves_in(chosen), about=("items", "organisation")),
        heads=4 if by_item else 3,
    )


def _verdict(row: Any, labels: Labels, *, decided: bool) -> Cell:
    if is_withheld(row, "estimate"):
        return withheld_cell()
    if is_missing(row.estimate):
        return Cell(NONE, float("nan"), tone="muted")
    return decision_cell(row.decision, row.term) if decided else side_of_zero(row, labels)


def _signed(row: Any) -> Cell:
    return number_cell(row, "estimate", lambda value: number(value, signed=True))


def _decimals(term: str, row: Any = None) -> int:
    """Percentages get one decimal, as everywhere; those that were released without any, none."""
    return decimals_of(row, 1) if term.endswith(PERCENT) else 2
