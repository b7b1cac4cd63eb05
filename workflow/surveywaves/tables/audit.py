"""A publication, audited: its misprints, and its numeric claims."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from surveywaves.tables.layout import Cell, Column, Table, is_withheld
from surveywaves.tables.statements import BY_DECISION
from surveywaves.terms import RECOMPUTED
from surveywaves.words import NONE, WITHHELD, Labels, records, whole

VERDICTS: Final = {
    "agrees": "agrees",
    "agrees_when_truncated": "agrees if cut off",
    "agrees_when_summed": "agrees if rounded percentages are added",
    "misprint": "misprint",
    "contradicted": "contradicted",
    "undecided": "undecided",
}
"""Verdict -> how it reads."""

FAULTS: Final = ("misprint", "undecided", "contradicted")


def verdict_words(verdict: str) -> str:
    """Give a verdict in words."""
    return VERDICTS.get(verdict, verdict.replace("_", " "))


def misprints(published_tables: pd.DataFrame, labels: Labels, *, titles: pd.DataFrame | None = None) -> Table:
    """List every printed cell that cannot be right, and how many were checked."""
    frame = published_tables
    faults = frame[frame["verdict"].isin(FAULTS)]
    named = {} if titles is None else dict(zip(titles["table"], titles["title"], strict=True))
    places = {
        (str(item.published_table), str(item.published_row)): item.text
        for item in labels.presentation.items.values()
        if item.published_table is not None
    }
    undecided = (faults["verdict"] != "misprint").any()
    rows, sections = [], []
    for row in records(faults):
        found, _, decision = row.evidence.partition(BY_DECISION)
        what = ", ".join(filter(None, (row.category.upper(), row.quantity)))
        rows.append(
            (
                Cell(places.get((row.table, row.row), row.row or NONE)),
                Cell(what),
                _number(row, "printed"),
                _number(row, "settled"),
                *([Cell(verdict_words(row.verdict), tone="caution")] if undecided else []),
                Cell(found).noted(f"Decided: {decision}" if decision else ""),
            )
        )
        title = named.get(row.table, "")
        sections.append(_table(row.table, labels) + (f": {title}" if title else ""))
    return Table(
        name="misprints",
        title="Misprints of the publication",
        columns=(
            Column(labels.presentation.nouns.statement[0].capitalize()),
            Column("Cell"),
            Column("Printed", numeric=True),
            Column("Should be", numeric=True),
            *([Column("Verdict")] if undecided else []),
            Column("Why"),
        ),
        rows=tuple(rows),
        data=_sourced(frame, labels),
        notes=(f"{whole(len(frame))} printed cells were checked; {whole(len(frame) - len(faults))} agree.",),
        heads=2,
        sections=tuple(sections),
    )


def claims(claims: pd.DataFrame, labels: Labels) -> Table:
    """List every numeric claim that was checked."""
    rows = []
    for row in records(claims):
        where = filter(None, (row.table and _table(row.table, labels), row.row and f"row {row.row}"))
        wrong = row.verdict in FAULTS
        rows.append(
            (
                Cell(row.page),
                Cell(row.quote),
                Cell(", ".join(filter(None, (*where, row.categories))) or NONE),
                _number(row, "printed"),
                _number(row, RECOMPUTED),
                Cell(verdict_words(row.verdict), tone="caution" if wrong else ""),
                Cell(row.evidence),
            )
        )
    agree = int((~claims["verdict"].isin(FAULTS)).sum())
    return Table(
        name="claims",
        title="Numeric claims in the text of the publication",
        columns=(
            Column("Page"),
            Column("Claim"),
            Column("From"),
            Column("Printed, %", numeric=True),
            Column("Recomputed, %", numeric=True),
            Column("Verdict"),
            Column("Why"),
        ),
        rows=tuple(rows),
        data=_sourced(claims, labels),
        notes=(f"{whole(agree)} of {whole(len(claims))} agree.",),
        heads=2,
    )


def _table(name: str, labels: Labels) -> str:
    """Name a printed table: its number, or the words of the variable that it counts."""
    return f"Table {name}" if name.isdigit() else labels.variable(name)


def _number(row: Any, what: str) -> Cell:
    """Print a number as a publication writes it, or the sign that what it recomputes to is withheld."""
    text = str(getattr(row, what))
    if not text:
        return Cell(
            WITHHELD if what == RECOMPUTED and is_withheld(row, what) else NONE, float("nan"), tone="muted"
        )
    try:
        return Cell(text, float(text))
    except ValueError:
        return Cell(text)


def _sourced(frame: pd.DataFrame, labels: Labels) -> pd.DataFrame:
    weakest = labels.weakest([labels.presentation.published_wave], about=("items",))
    return frame.assign(recomputed_from=weakest.value if weakest else "")
