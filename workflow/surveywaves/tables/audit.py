"""A publication, audited: what it prints beside what that recomputes to, its misprints, and its numeric claims."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from surveywaves.study.models import Item
from surveywaves.tables.answers import BY_DECISION
from surveywaves.tables.layout import (
    NOTHING,
    Cell,
    Column,
    Table,
    is_withheld,
)
from surveywaves.terms import RECOMPUTED
from surveywaves.words import (
    NONE,
    WITHHELD,
    Labels,
    records,
)

VERDICTS: Final[Mapping[str, tuple[str, str]]] = {
    "agrees": ("✓ agrees", ""),
    "agrees_when_truncated": ("✓ agrees if cut off instead of rounded", ""),
    "agrees_when_summed": ("✓ agrees with the sum of rounded percentages", ""),
    "misprint": ("✗ misprint", "caution"),
    "contradicted": ("✗ contradicted", "caution"),
    "differs": ("✗ differs", "caution"),
    "undecided": ("? undecided", "caution"),
}
"""Verdict -> how it reads, with a sign that does not depend on colour, and its tone."""

FAULTS: Final = ("misprint", "undecided")
SIDES: Final = ("printed", RECOMPUTED)
ALL_ANSWERS: Final = "all answers"


@dataclass(frozen=True)
class Audit:
    """Lays out what the audit of a publication found.

    Parameters
    ----------
    labels
        The study's words.
    wave
        Wave that the publication describes.
    titles
        Number of a printed table -> its printed title.
    """

    labels: Labels
    wave: str = ""
    titles: Mapping[str, str] | None = None

    def misprints(self, frame: pd.DataFrame) -> Table:
        """List every printed cell that cannot be right.

        Parameters
        ----------
        frame
            `published_tables`.
        """
        faults, places = frame[frame["verdict"].isin(FAULTS)], self._places()
        rows = []
        for row in records(faults):
            item = places.get((row.table, row.row))
            words, tone = verdict_words(row.verdict)
            found, _, decision = row.evidence.partition(BY_DECISION)
            what = (
                row.quantity
                if item is None or not row.category
                else f"{row.category.upper()}, {row.quantity}"
            )
            rows.append(
                (
                    Cell(self._table_words(row.table), _as_number(row.table)),
                    Cell(item.text if item else row.category or ALL_ANSWERS),
                    Cell(what),
                    *(
                        Cell(_said(row, side), _as_number(getattr(row, side)))
                        for side in ("printed", "settled", "recomputed")
                    ),
                    Cell(words, tone=tone),
                    Cell(found, notes=(f"Decided: {decision}",) if decision else ()),
                )
            )
        return Table(
            name="misprints",
            title="Every printed cell that cannot be right",
            columns=(
                Column("Table"),
                Column("Row"),
                Column("Cell"),
                Column("Printed", numeric=True),
                Column("Should be", numeric=True),
                Column("Recomputed", numeric=True),
                Column("Verdict"),
                Column("Evidence"),
            ),
            rows=tuple(rows),
            data=faults.assign(recomputed_from=self._source()),
            evidence=self._evidence(),
            heads=3,
        )

    def printed(self, frame: pd.DataFrame, table: str) -> Table:
        """Lay one printed table out: what is printed and what it recomputes to.

        Parameters
        ----------
        frame
            `published_tables`.
        table
            Number of a printed table, or the variable whose counts are printed.
        """
        own = frame[frame["table"] == table]
        places = self._places()
        categories = [category for category in dict.fromkeys(own["category"]) if category]
        if all(place[0] != table for place in places):
            return self._list(own, table, categories)
        found = {(row.row, row.category, row.quantity): row for row in records(own)}
        rows: list[tuple[Cell, ...]] = []
        for name in dict.fromkeys(own["row"]):
            item = places.get((table, name))
            for side in SIDES:
                cells = [_base(found.get((name, "", "base")), side)]
                cells += [
                    _pair([found.get((name, category, quantity)) for quantity in ("count", "percent")], side)
                    for category in categories
                ]
                rows.append((Cell(item.text if item else name), Cell(side, tone="muted"), *cells))
        return Table(
            name=f"printed_{table}",
            title=self._title(table),
            columns=(
                Column("Statement"),
                Column("", spoken="printed or recomputed"),
                Column("n", numeric=True),
                *(Column(category.upper(), numeric=True) for category in categories),
            ),
            rows=tuple(rows),
            data=own.assign(recomputed_from=self._source()),
            evidence=self._evidence(),
            heads=2,
            flat=False,
        )

    def _list(self, own: pd.DataFrame, table: str, categories: Iterable[str]) -> Table:
        """Lay out a printed table that lists the answers to one question, one below the other."""
        found = {(row.category, row.quantity): row for row in records(own)}
        rows = [
            (
                Cell(category),
                *(
                    _pair([found.get((category, quantity)) for quantity in ("count", "percent")], side)
                    for side in SIDES
                ),
            )
            for category in categories
        ]
        if total := found.get(("", "base")):
            rows.append((Cell(ALL_ANSWERS), *(_base(total, side) for side in SIDES)))
        return Table(
            name=f"printed_{table}",
            title=self._title(table),
            columns=(
                Column("Answer"),
                Column("Printed", numeric=True),
                Column("Recomputed", numeric=True),
            ),
            rows=tuple(rows),
            data=own.assign(recomputed_from=self._source()),
            evidence=self._evidence(),
            flat=False,
        )

    def claims(self, frame: pd.DataFrame) -> Table:
        """List every numeric claim that was checked.

        Parameters
        ----------
        frame
            `claims`.
        """
        rows = []
        for row in records(frame):
            words, tone = verdict_words(row.verdict)
            where = filter(None, (row.table and self._table_words(row.table), row.row and f"row {row.row}"))
            rows.append(
                (
                    Cell(row.page, _as_number(re.sub(r"\D", "", row.page))),
                    Cell(row.quote),
                    Cell(", ".join(where) or NONE),
                    Cell(row.categories),
                    Cell(row.printed, _as_number(row.printed)),
                    Cell(_said(row, "recomputed"), _as_number(row.recomputed)),
                    Cell(words, tone=tone),
                    Cell(row.evidence),
                )
            )
        return Table(
            name="claims",
            title="Every numeric claim that was checked",
            columns=(
                Column("Page"),
                Column("Claim"),
                Column("Where it comes from"),
                Column("What is counted"),
                Column("Printed %", numeric=True),
                Column("Recomputed %", numeric=True),
                Column("Verdict"),
                Column("Evidence"),
            ),
            rows=tuple(rows),
            data=frame.assign(recomputed_from=self._source()),
            evidence=self._evidence(),
            heads=2,
        )

    def _places(self) -> dict[tuple[str, str], Item]:
        return {
            (str(item.published_table), str(item.published_row)): item
            for item in self.labels.presentation.items.values()
            if item.published_table is not None
        }

    def _table_words(self, table: str) -> str:
        """Name a printed table: its number, or the words of the variable that it counts."""
        return f"Table {table}" if table.isdigit() else self.labels.variable(table)

    def _title(self, table: str) -> str:
        title, named = (self.titles or {}).get(table, ""), self._table_words(table)
        return f"Printed: {named}, {title}" if title else f"Printed: {named}"

    def _evidence(self) -> tuple[str, ...]:
        waves = [self.wave] if self.wave in self.labels.presentation.waves else []
        return tuple(f"Recomputed from {said}" for said in self.labels.evidence(waves, about=("items",)))

    def _source(self) -> str:
        weakest = self.labels.weakest([self.wave], about=("items",))
        return weakest.value if weakest else ""


def misprints(frame: pd.DataFrame, labels: Labels, *, titles: pd.DataFrame | None = None) -> Table:
    """List every printed cell that cannot be right; see `Audit.misprints`."""
    return _audit(labels, titles).misprints(frame)


def printed(frame: pd.DataFrame, labels: Labels, *, table: str, titles: pd.DataFrame | None = None) -> Table:
    """Lay one printed table out; see `Audit.printed`."""
    return _audit(labels, titles).printed(frame, table)


def claims(frame: pd.DataFrame, labels: Labels) -> Table:
    """List every numeric claim that was checked; see `Audit.claims`."""
    return _audit(labels, None).claims(frame)


def _audit(labels: Labels, titles: pd.DataFrame | None) -> Audit:
    known = {} if titles is None else dict(zip(titles["table"], titles["title"], strict=True))
    return Audit(labels, wave=labels.presentation.published_wave, titles=known)


def verdict_words(verdict: str) -> tuple[str, str]:
    """Give a verdict in words, and its tone."""
    return VERDICTS.get(verdict, (verdict.replace("_", " "), ""))


def _base(row: Any, side: str) -> Cell:
    if row is None:
        return NOTHING
    return _judged(_said(row, side), [row], side)


def _pair(rows: Sequence[Any], side: str) -> Cell:
    """Print a count and its percentage in one cell, as publications do."""
    n, percent = (_said(row, side) if row is not None else NONE for row in rows)
    text = n if percent in {NONE, n} else f"{n} ({percent})"
    return _judged(text, [row for row in rows if row is not None], side)


def _said(row: Any, side: str) -> str:
    """Give what a cell says; the sign of what is withheld if it may be printed but not recomputed."""
    text = str(getattr(row, side))
    return text or (WITHHELD if side == RECOMPUTED and is_withheld(row, side) else NONE)


def _judged(text: str, rows: Sequence[Any], side: str) -> Cell:
    """Mark a printed cell that is wrong, with its evidence."""
    faults = [row for row in rows if row.verdict in FAULTS]
    if side != "printed" or not faults:
        return Cell(text)
    notes: list[str] = []
    for row in faults:
        found, _, decision = row.evidence.partition(BY_DECISION)
        right = f", should be {row.settled}" if row.settled else ""
        notes.append(f"{row.printed}: {verdict_words(row.verdict)[0][2:]}{right}. {found}".strip())
        notes += [f"Decided: {decision}"] if decision else []
    return Cell(text, notes=tuple(notes), tone="caution")


def _as_number(text: object) -> float | str:
    try:
        return float(str(text))
    except ValueError:
        return str(text)
