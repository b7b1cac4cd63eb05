"""A publication, audited: its misprints, and its numeric claims."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import pandas as pd

from surveywaves.tables.layout import HIDDEN, NOTHING, Cell, Column, Table, is_withheld, laid_out, numbers
from surveywaves.tables.statements import BY_DECISION
from surveywaves.terms import RECOMPUTED
from surveywaves.words import NONE, Labels, records, whole

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


def misprints(published_tables: pd.DataFrame, labels: Labels, *, titles: pd.DataFrame | None = None) -> Table:
    """List every printed cell that cannot be right, and how many were checked."""
    faults = published_tables[published_tables["verdict"].isin(FAULTS)]
    named = {} if titles is None else dict(zip(titles["table"], titles["title"], strict=True))
    places = {
        (str(item.published_table), str(item.published_row)): item.text
        for item in labels.presentation.items.values()
        if item.published_table is not None
    }
    undecided = bool((faults["verdict"] != "misprint").any())
    checked, wrong = len(published_tables), len(faults)

    def why(row: Any) -> Cell:
        found, _, decision = row.evidence.partition(BY_DECISION)
        return Cell(found).noted(f"Decided: {decision}" if decision else "")

    return laid_out(
        "Misprints of the publication",
        records(faults),
        [
            (
                Column(labels.presentation.nouns.statement[0].capitalize()),
                lambda row: Cell(places.get((row.table, row.row), row.row or NONE)),
            ),
            (Column("Cell"), lambda row: Cell(", ".join(filter(None, (row.category.upper(), row.quantity))))),
            (numbers("Printed"), partial(_number, what="printed")),
            (numbers("Should be"), partial(_number, what="settled")),
            undecided and (Column("Verdict"), _verdict),
            (Column("Why"), why),
        ],
        _sourced(published_tables, labels),
        f"{whole(checked)} printed cells were checked; {whole(checked - wrong)} agree.",
        heads=2,
        section=lambda row: ": ".join(filter(None, (_table(row.table, labels), named.get(row.table, "")))),
    )


def claims(claims: pd.DataFrame, labels: Labels) -> Table:
    """List every numeric claim that was checked."""

    def where(row: Any) -> Cell:
        said = (row.table and _table(row.table, labels), row.row and f"row {row.row}", row.categories)
        return Cell(", ".join(filter(None, said)) or NONE)

    agree = int((~claims["verdict"].isin(FAULTS)).sum())
    return laid_out(
        "Numeric claims in the text of the publication",
        records(claims),
        [
            (Column("Page"), lambda row: Cell(row.page)),
            (Column("Claim"), lambda row: Cell(row.quote)),
            (Column("From"), where),
            (numbers("Printed, %"), partial(_number, what="printed")),
            (numbers("Recomputed, %"), partial(_number, what=RECOMPUTED)),
            (Column("Verdict"), _verdict),
            (Column("Why"), lambda row: Cell(row.evidence)),
        ],
        _sourced(claims, labels),
        f"{whole(agree)} of {whole(len(claims))} agree.",
        heads=2,
    )


def _verdict(row: Any) -> Cell:
    return Cell(VERDICTS.get(row.verdict, row.verdict), tone="caution" if row.verdict in FAULTS else "")


def _table(name: str, labels: Labels) -> str:
    """Name a printed table: its number, or the words of the variable that it counts."""
    return f"Table {name}" if name.isdigit() else labels.variable(name)


def _number(row: Any, what: str) -> Cell:
    """Print a number as a publication writes it, or the sign that what it recomputes to is withheld."""
    text = str(getattr(row, what))
    if not text:
        return HIDDEN if what == RECOMPUTED and is_withheld(row, what) else NOTHING
    try:
        return Cell(text, float(text))
    except ValueError:
        return Cell(text)


def _sourced(frame: pd.DataFrame, labels: Labels) -> pd.DataFrame:
    weakest = labels.weakest([labels.presentation.published_wave], about=("items",))
    return frame.assign(recomputed_from=weakest.value if weakest else "")
