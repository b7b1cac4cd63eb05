"""What the next wave can detect, by its number of returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from surveywaves.tables.cells import status_cell
from surveywaves.tables.labels import Labels
from surveywaves.tables.layout import Cell, Column, Table
from surveywaves.tables.words import NONE, as_float, is_missing, number, percentage, records, share, whole

ASKED: Final[Mapping[str, str]] = {
    "power": "Chance to find the smallest effect of interest, in %",
    "power_adjusted": "Chance to find the smallest effect of interest after adjustment for all scales, in %",
    "power_equivalence": "Chance to show that there is no meaningful difference, where there is none, in %",
    "detectable": "Difference that is found with the planned power, in standard deviations of one answer",
    "conf_half_width": "Half the width of the interval, in standard deviations of one answer",
}
"""Terms of the plan by number of returns, and what each answers."""

NEEDED: Final = "returns_needed"


def planning(frame: pd.DataFrame, labels: Labels, *, term: str) -> Table:
    """Lay one question of the plan out, a number of returns a column.

    Parameters
    ----------
    frame
        `planning`.
    term
        One of `ASKED`.
    """
    chosen = frame[frame["term"] == term]
    returns = sorted({int(n) for n in chosen["n"].dropna()})
    found = {(row.scale, row.wave, row.organisation, row.n): row for row in records(chosen)}
    needed = {(row.scale, row.wave, row.organisation): row for row in records(frame[frame["term"] == NEEDED])}
    with_needed = bool(needed) and term == "power"
    places = list(dict.fromkeys(zip(chosen["scale"], chosen["wave"], chosen["organisation"], strict=True)))
    above = "If so many return the questionnaire"
    percent = term.startswith("power")
    return Table(
        name=f"planning_{term}",
        title=ASKED.get(term, labels.plain(term)),
        columns=(
            Column("Scale"),
            Column("Wave"),
            Column("Organisation"),
            *(Column(whole(n), above, numeric=True) for n in returns),
            *([Column("Returns needed", numeric=True)] if with_needed else []),
        ),
        rows=tuple(
            (
                Cell(labels.scale(place[0])),
                Cell(labels.wave(place[1])),
                Cell(labels.organisation(place[2])),
                *_plan_cells([found.get((*place, n)) for n in returns], labels, percent=percent),
                *([_needed_cell(needed.get(place), labels)] if with_needed else []),
            )
            for place in places
        ),
        data=labels.with_evidence(frame[frame["term"].isin([term, NEEDED])] if with_needed else chosen),
        about=_about(labels, percent=percent, with_needed=with_needed),
        evidence=labels.evidence(labels.waves_in(chosen), about=("items", "organisation")),
        heads=3,
    )


def _about(labels: Labels, *, percent: bool, with_needed: bool) -> str:
    """Say what the plan is judged by."""
    planned = labels.presentation.planning
    if planned is None:
        return ""
    smallest = (
        f"The smallest effect of interest is ±{number(planned.smallest)} standard deviations of one answer."
    )
    needed = f"Returns needed: for a chance of {share(planned.power, decimals=0)}."
    return " ".join(filter(None, (smallest if percent else "", needed if with_needed else "")))


def _plan_cells(rows: Sequence[Any], labels: Labels, *, percent: bool) -> list[Cell]:
    """Print a contrast by number of returns; what all of its estimates rest on is noted once."""
    cells: list[Cell] = []
    told: set[str] = set()
    for row in rows:
        if row is None:
            cells.append(Cell(NONE, float("nan"), tone="muted"))
            continue
        note = labels.readable(row.note)
        if is_missing(row.estimate):
            cells.append(status_cell(row.status, note))
            continue
        text = percentage(100 * row.estimate, decimals=0) if percent else number(row.estimate)
        cells.append(Cell(text, as_float(row.estimate), (note,) if note and note not in told else ()))
        told.add(note)
    return cells


def _needed_cell(row: Any, labels: Labels) -> Cell:
    if row is None:
        return Cell(NONE, float("nan"), tone="muted")
    note = labels.readable(row.note)
    if is_missing(row.estimate):
        return status_cell(row.status, note)
    return Cell(whole(row.estimate), as_float(row.estimate), (note,) if note else ())
