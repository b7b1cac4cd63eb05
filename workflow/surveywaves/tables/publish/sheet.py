"""The tables that are published: the tables of the report, each with what must stand below it wherever it is pasted.

A table taken apart once, for every form that it is written in: what stands where, and what stands below.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

import pandas as pd

from surveywaves import catalogue
from surveywaves.study.parts import Presentation
from surveywaves.tables.estimates import staff
from surveywaves.tables.layout import Cell, Table, is_withheld
from surveywaves.tables.made import made
from surveywaves.terms import Evidence
from surveywaves.text import listed
from surveywaves.words import WITHHELD, Labels, records, whole


@dataclass(frozen=True)
class Publication:
    """A table to be pasted.

    Parameters
    ----------
    table
        What it shows.
    name
        Name of its files.
    group
        Heading that it stands under in a list.
    demonstration
        What the data are if not observed; empty if all are. Stands under the title.
    below
        What stands below, after the notes: evidence, bases, disclosure.
    sections
        What each row belongs to; a new one gets a row of its own. Empty: none.
    """

    table: Table
    name: str
    group: str
    demonstration: str = ""
    below: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()


def publications(frames: Mapping[str, pd.DataFrame], labels: Labels) -> Iterator[Publication]:
    """Lay every table of a study out, in the order of `surveywaves.catalogue`.

    Parameters
    ----------
    frames
        See `surveywaves.tables.made.made`.
    """
    for one, full in made(frames, labels):
        grouped = isinstance(one.exhibit, catalogue.Table) and one.exhibit.grouped
        table, sections = _apart(full) if grouped else (full, ())
        yield Publication(
            table=table,
            name=one.name,
            group=one.exhibit.section,
            demonstration=demonstration(_kinds(table, labels.presentation)),
            below=_below(one, table, labels),
            sections=sections,
        )


def _apart(table: Table) -> tuple[Table, tuple[str, ...]]:
    """Take the first column out: what it holds is said once, above the rows it holds for."""
    rest = replace(
        table,
        columns=table.columns[1:],
        rows=tuple(row[1:] for row in table.rows),
        heads=max(table.heads - 1, 1),
        flat=False,
    )
    return rest, tuple(row[0].text for row in table.rows)


def demonstration(kinds: Collection[Evidence]) -> str:
    """Say what data are, where not all are observed."""
    words = [kind.value for kind in Evidence if kind in kinds and kind is not Evidence.OBSERVED]
    return f"Demonstration: {listed(words)} data, not findings" if words else ""


def _kinds(table: Table, presentation: Presentation) -> set[Evidence]:
    """List the kinds of evidence behind a table; of the whole study, where its rows do not say."""
    # The audit's own column of that name holds its reasons.
    column = "recomputed_from" if "recomputed_from" in table.data.columns else "evidence"
    named_kinds = set(table.data[column]) - {""} if column in table.data.columns else set()
    if named_kinds:
        return {Evidence(kind) for kind in named_kinds}
    return {wave.evidence for wave in presentation.waves.values()}


def _below(one: catalogue.One, table: Table, labels: Labels) -> tuple[str, ...]:
    """Give what stands below a table after its notes."""
    evidence = f"Evidence: {' '.join(table.evidence)}" if table.evidence else ""
    adjusted = (
        "Adjusted p: for the number of tests of the same contrast. n: respondents in the model."
        if "n" in (heads := {column.head for column in table.columns}) and "Adjusted p" in heads
        else ""
    )
    protection = labels.presentation.protection
    rule = f"Disclosure rule: {protection[0].lower()}{protection[1:]}" if protection else ""
    bases = _bases(table.data, labels) if one.exhibit.reads == ("means",) else ""
    return tuple(filter(None, (adjusted, bases, evidence, rule)))


def _bases(frame: pd.DataFrame, labels: Labels) -> str:
    """Say how many respondents the means of each cell are of."""
    said = []
    cells = dict(iter(frame.groupby(["wave", "organisation"], sort=False)))
    for wave in labels.presentation.waves:
        for organisation in labels.organisation_order:
            own = cells.get((wave, organisation), frame[:0])
            n = own["n"].dropna()
            hidden = any(is_withheld(row, "n") for row in records(own))
            if hidden or (len(n) and n.max() > 0):
                sizes = dict.fromkeys(map(whole, (n.min(), n.max()) if len(n) else ()))
                size = " to ".join([*sizes]) + (f"{' or ' if sizes else ''}{WITHHELD}" if hidden else "")
                said.append(f"{labels.wave(wave)}, {staff(organisation, labels)} {size}")
    return f"Respondents (n), by scale: {'; '.join(said)}." if said else ""


_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)
"""What XML forbids, and what turns the direction of the text after it."""


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column."""

    text: str
    spoken: str
    numeric: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """A cell as it is written.

    Parameters
    ----------
    text
        Words and numbers.
    marks
        Letters of its notes: `a,b`.
    tone
        As of `Cell`.
    goes_on
        It says what the cell above it says, and may be left out.
    """

    text: str
    marks: str = ""
    tone: str = ""
    goes_on: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row; `section` begins a new section, and stands above it."""

    entries: tuple[Entry, ...]
    section: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table to be written.

    Parameters
    ----------
    name
        Name of its files: small letters, digits, `_`.
    title, demonstration
        Its caption, and what its data are if not observed.
    groups
        Heads above the heads, with the number of columns each spans; empty if there are none.
    heads, rows
        Columns and rows.
    stub
        How many columns name the row.
    notes
        Letter -> note.
    lines
        What stands below the notes.
    """

    name: str
    title: str
    demonstration: str
    groups: tuple[tuple[str, int], ...]
    heads: tuple[Head, ...]
    rows: tuple[Row, ...]
    stub: int
    notes: tuple[tuple[str, str], ...]
    lines: tuple[str, ...]


def sheet(publication: Publication) -> Sheet:
    """Take a table apart."""
    table = publication.table
    everywhere = _on_every_row(table)
    letters = {
        note: letters_of(place)
        for place, note in enumerate(note for note in table.notes if note not in everywhere)
    }
    spoken = _spoken(table)
    nothing = "" if table.rows else "There is nothing to show: no such estimates were made."
    lines = (nothing, table.about, spoken, *everywhere.values(), *publication.below)
    return Sheet(
        name=publication.name,
        title=visible(table.title),
        demonstration=visible(publication.demonstration),
        groups=tuple((visible(name), span) for name, span in table.groups),
        heads=tuple(
            Head(visible(column.head), visible(column.spoken), column.numeric) for column in table.columns
        ),
        rows=_rows(publication, letters),
        stub=table.heads,
        notes=tuple((letter, visible(note)) for note, letter in letters.items()),
        lines=tuple(visible(line) for line in lines if line),
    )


def visible(text: str) -> str:
    """Make a text one line of characters that every form can hold."""
    return " ".join(_UNSEEN.sub("", text).split())


def letters_of(place: int) -> str:
    """Give a note its letter: a, b, ... z, aa, ab, and so on."""
    more, last = divmod(place, 26)
    return (letters_of(more - 1) if more else "") + chr(ord("a") + last)


def _rows(publication: Publication, letters: dict[str, str]) -> tuple[Row, ...]:
    table, rows = publication.table, []
    sections = publication.sections or ("",) * len(table.rows)
    for place, (cells, section) in enumerate(zip(table.rows, sections, strict=True)):
        begins = place == 0 or section != sections[place - 1]
        above = None if begins or table.flat else table.rows[place - 1]
        rows.append(Row(_entries(table, cells, above, letters), visible(section) if begins else ""))
    return tuple(rows)


def _entries(
    table: Table, cells: tuple[Cell, ...], above: tuple[Cell, ...] | None, letters: dict[str, str]
) -> tuple[Entry, ...]:
    """Write a row's cells; in its stub, all but the last column, what the row above says is not said again."""
    entries, same = [], above is not None
    for place, cell in enumerate(cells):
        same = same and above is not None and place < table.heads - 1 and cell.text == above[place].text
        marks = ",".join(letters[note] for note in cell.notes if note in letters)
        entries.append(Entry(visible(cell.text), marks, cell.tone, same))
    return tuple(entries)


def _on_every_row(table: Table) -> dict[str, str]:
    """Find notes on numbers of every row: they are about the table, or about a column.

    Returns
    -------
    dict
        Note -> what is said of the table.
    """
    if len(table.rows) < 2:
        return {}
    columns: dict[str, list[int]] = {}
    for row in table.rows:
        for place, cell in enumerate(row):
            for note in cell.notes if cell.tone != "muted" else ():
                columns.setdefault(note, []).append(place)
    said = {}
    for note, places in columns.items():
        if len(places) == len(table.rows) and len(set(places)) == 1:
            said[note] = f"{table.columns[places[0]].head}: {note}"
        elif all(any(note in cell.notes for cell in row) for row in table.rows):
            said[note] = note
    return said


def _spoken(table: Table) -> str:
    """Say what abbreviated heads stand for."""
    known = {
        column.head: column.spoken
        for column in table.columns
        if column.head and column.spoken and column.spoken.lower() != column.head.lower()
    }
    told = [
        f"{head}: {spoken}"
        for head, spoken in known.items()
        if f"{head}: " not in table.about and f"({head})" not in table.about
    ]
    return f"{'; '.join(told)}." if told else ""
