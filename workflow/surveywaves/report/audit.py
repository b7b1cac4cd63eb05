"""The publication, audited: what it prints beside what that recomputes to."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pandas as pd
from markupsafe import Markup

from surveywaves.report.blocks import Block, Bullets, Details, Paragraph, Part, Section, TableBlock
from surveywaves.report.material import Material
from surveywaves.report.say import say, several
from surveywaves.study.models import Item
from surveywaves.tables import BY_DECISION, Cell, Column, Table
from surveywaves.tables.words import NONE, records

VERDICTS = {
    "agrees": ("✓ agrees", ""),
    "agrees_when_truncated": ("✓ agrees if cut off instead of rounded", ""),
    "agrees_when_summed": ("✓ agrees with the sum of rounded percentages", ""),
    "misprint": ("✗ misprint", "caution"),
    "contradicted": ("✗ contradicted", "caution"),
    "differs": ("✗ differs", "caution"),
    "undecided": ("? undecided", "caution"),
}
"""Verdict -> how it reads, with a sign that does not depend on colour, and its tone."""

FAULTS = ("misprint", "undecided")
SIDES = ("printed", "recomputed")
ALL_ANSWERS = "all answers"


def audit(material: Material) -> Section | None:
    """Show every printed table beside what it recomputes to, and every claim with its verdict."""
    has_tables, has_claims = material.has("published_tables"), material.has("claims")
    if not (has_tables or has_claims):
        return None
    blocks: list[Block] = []
    if material.presentation.citation:
        blocks.append(Paragraph(say("The publication: {citation}", citation=material.presentation.citation)))
    blocks.append(Paragraph(_method()))
    blocks += material.figure("published_agreement")
    if has_tables:
        blocks.append(Part("Printed tables", tuple(_printed(material))))
    if has_claims:
        blocks.append(
            Part("Claims in the text", (Bullets(_claims_in_words(material)), TableBlock(_claims(material))))
        )
    return Section("audit", "The publication, audited", tuple(blocks))


def _method() -> Markup:
    return say(
        "A printed table holds its numbers several times: each count again as a percentage, their sum "
        "again as the base. A misprint contradicts something. <i>Should be</i> is what fits the most "
        "printed cells; <i>recomputed</i> is what this analysis finds in the data it was given. Nothing is "
        "corrected silently."
    )


def _printed(material: Material) -> list[Block]:
    numbers = material.numbers
    cells = numbers.count("published_tables")
    rows = numbers.distinct("published_tables", "table", "row")
    said = [
        say(
            "{cells} in {rows} were checked.",
            cells=several(cells, "printed cell", "printed cells"),
            rows=several(rows, "row", "rows"),
        )
    ]
    said += [
        say(
            "{verdict}: {count}.",
            verdict=verdict_words(verdict)[0],
            count=several(numbers.count("published_tables", verdict=verdict), "cell", "cells"),
        )
        for verdict in dict.fromkeys(material.tables["published_tables"]["verdict"])
    ]
    blocks: list[Block] = [Bullets(tuple(said))]
    faults = material.tables["published_tables"]
    faults = faults[faults["verdict"].isin(FAULTS)]
    if len(faults):
        blocks.append(TableBlock(_misprints(material, faults)))
    frame = material.tables["published_tables"]
    for table in dict.fromkeys(frame["table"]):
        built = _table(material, frame[frame["table"] == table], str(table))
        blocks.append(Details(built.title, (TableBlock(built),)))
    return blocks


def verdict_words(verdict: str) -> tuple[str, str]:
    """Give a verdict in words, and its tone."""
    return VERDICTS.get(verdict, (verdict.replace("_", " "), ""))


def _misprints(material: Material, faults: pd.DataFrame) -> Table:
    places = _places(material)
    rows = []
    for row in records(faults):
        item = places.get((row.table, row.row))
        words, tone = verdict_words(row.verdict)
        found, _, decision = row.evidence.partition(BY_DECISION)
        what = row.quantity if item is None or not row.category else f"{row.category.upper()}, {row.quantity}"
        rows.append(
            (
                Cell(_table_words(material, row.table), _as_number(row.table)),
                Cell(item.text if item else row.category or ALL_ANSWERS),
                Cell(what),
                Cell(row.printed, _as_number(row.printed)),
                Cell(row.settled or NONE, _as_number(row.settled)),
                Cell(row.recomputed or NONE, _as_number(row.recomputed)),
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
        data=faults.assign(recomputed_from=_source(material)),
        evidence=_evidence(material),
        heads=3,
    )


def _table_words(material: Material, table: str) -> str:
    """Name a printed table: its number, or the words of the variable that it counts."""
    return f"Table {table}" if table.isdigit() else material.labels.variable(table)


def _evidence(material: Material) -> tuple[str, ...]:
    """Say what the data are that the publication's tables were recomputed from."""
    waves = [material.published_wave] if material.published_wave in material.presentation.waves else []
    return tuple(f"Recomputed from {said}" for said in material.labels.evidence(waves, about=("items",)))


def _source(material: Material) -> str:
    weakest = material.labels.weakest([material.published_wave], about=("items",))
    return weakest.value if weakest else ""


def _places(material: Material) -> dict[tuple[str, str], Item]:
    return {
        (str(item.published_table), str(item.published_row)): item
        for item in material.presentation.items.values()
        if item.published_table is not None
    }


def _table(material: Material, frame: pd.DataFrame, table: str) -> Table:
    """Lay one printed table out: for each row what is printed and, below it, what it recomputes to."""
    places = _places(material)
    categories = [category for category in dict.fromkeys(frame["category"]) if category]
    found = {(row.row, row.category, row.quantity): row for row in records(frame)}
    if all(place[0] != table for place in places):
        return _list(material, frame, table, categories)
    rows: list[tuple[Cell, ...]] = []
    for name in dict.fromkeys(frame["row"]):
        item = places.get((table, name))
        for what in SIDES:
            cells = [_base(found.get((name, "", "base")), what)]
            cells += [
                _pair(found.get((name, category, "count")), found.get((name, category, "percent")), what)
                for category in categories
            ]
            rows.append((Cell(item.text if item else name), Cell(what, tone="muted"), *cells))
    return Table(
        name=f"printed_{table}",
        title=_title(material, table),
        columns=(
            Column("Statement"),
            Column("", spoken="printed or recomputed"),
            Column("n", numeric=True),
            *(Column(category.upper(), numeric=True) for category in categories),
        ),
        rows=tuple(rows),
        data=frame.assign(recomputed_from=_source(material)),
        evidence=_evidence(material),
        heads=2,
        flat=False,
    )


def _list(material: Material, frame: pd.DataFrame, table: str, categories: Iterable[str]) -> Table:
    """Lay out a printed table that lists the answers to one question, one below the other."""
    found = {(row.category, row.quantity): row for row in records(frame)}
    rows = [
        (
            Cell(category),
            *(
                _pair(found.get((category, "count")), found.get((category, "percent")), side)
                for side in SIDES
            ),
        )
        for category in categories
    ]
    if total := found.get(("", "base")):
        rows.append((Cell(ALL_ANSWERS), *(_base(total, side) for side in SIDES)))
    return Table(
        name=f"printed_{table}",
        title=_title(material, table),
        columns=(Column("Answer"), Column("Printed", numeric=True), Column("Recomputed", numeric=True)),
        rows=tuple(rows),
        data=frame.assign(recomputed_from=_source(material)),
        evidence=_evidence(material),
        flat=False,
    )


def _title(material: Material, table: str) -> str:
    title = material.table_titles.get(table, "")
    named = _table_words(material, table)
    return f"Printed: {named}, {title}" if title else f"Printed: {named}"


def _base(row: Any, what: str) -> Cell:
    if row is None:
        return Cell(NONE, float("nan"), tone="muted")
    return _judged(getattr(row, what) or NONE, [row], what)


def _pair(count: Any, percent: Any, what: str) -> Cell:
    """Print a count and its percentage in one cell, as the publication does."""
    n, share = (getattr(row, what) if row is not None else "" for row in (count, percent))
    text = f"{n or NONE} ({share})" if share else n or NONE
    return _judged(text, [row for row in (count, percent) if row is not None], what)


def _judged(text: str, rows: list[Any], what: str) -> Cell:
    """Mark a printed cell that is wrong, with its evidence."""
    faults = [row for row in rows if row.verdict in FAULTS]
    if what != "printed" or not faults:
        return Cell(text)
    notes: list[str] = []
    for row in faults:
        found, _, decision = row.evidence.partition(BY_DECISION)
        right = f", should be {row.settled}" if row.settled else ""
        notes.append(f"{row.printed}: {verdict_words(row.verdict)[0][2:]}{right}. {found}".strip())
        notes += [f"Decided: {decision}"] if decision else []
    return Cell(text, notes=tuple(notes), tone="caution")


def _claims_in_words(material: Material) -> tuple[Markup, ...]:
    numbers = material.numbers
    return tuple(
        say(
            "{verdict}: {count}.",
            verdict=verdict_words(verdict)[0],
            count=several(numbers.count("claims", verdict=verdict), "claim", "claims"),
        )
        for verdict in dict.fromkeys(material.tables["claims"]["verdict"])
    )


def _claims(material: Material) -> Table:
    rows = []
    for row in records(material.tables["claims"]):
        words, tone = verdict_words(row.verdict)
        where = ", ".join(
            filter(None, (row.table and _table_words(material, row.table), row.row and f"row {row.row}"))
        )
        rows.append(
            (
                Cell(row.page, _as_number(re.sub(r"\D", "", row.page))),
                Cell(row.quote),
                Cell(where or NONE),
                Cell(row.categories),
                Cell(row.printed, _as_number(row.printed)),
                Cell(row.recomputed or NONE, _as_number(row.recomputed)),
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
        data=material.tables["claims"].assign(recomputed_from=_source(material)),
        evidence=_evidence(material),
        heads=2,
    )


def _as_number(text: object) -> float | str:
    try:
        return float(str(text))
    except ValueError:
        return str(text)
