"""From the report to one PDF, set by typst.

The sections are written as typst by pandoc, which escapes their words; titles, tables and drawings go to the template
as data, never as markup: no label can be more than text there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from textwrap import wrap
from typing import Any, Final

import typst

from surveywaves.report.build import CALL, Report, Shown, fonts
from surveywaves.tables import Table
from surveywaves.tables.layout import LONGEST_WORD, held
from surveywaves.text import visible
from surveywaves.words import shortened

TEMPLATE: Final = "report.typ"

STANDARD: Final = "ua-1"
"""PDF/UA-1: tagged, with a language, a title and words for every drawing; typst refuses what does not meet it."""

ROOM: Final = 742.0
"""Width of the text on a turned A4 page, in points."""

LETTER: Final = 4.4
"""About how wide a letter of a table is, in points."""

WORDS: Final = (62.0, 120.0)
"""Width that a column of words needs: at least, if it has as many, and at most, however long a word is.

The first needs more."""

_HEAD_ROOM: Final = 80


def typeset(report: Report, *, templates: Path) -> bytes:
    """Set the report as a PDF.

    Parameters
    ----------
    report
        What stands in it.
    templates
        Folder with `report.typ`.

    Returns
    -------
    bytes
        The PDF, PDF/UA-1. It holds no time and no place, and its fonts come with the packages that set it: the same
        report gives the same bytes.
    """
    return pdf(templates / TEMPLATE, report=content(report))


def pdf(template: Path, **inputs: object) -> bytes:
    """Set a template as PDF/UA-1; what it reads is in `sys.inputs`, as JSON."""
    return typst.compile(
        str(template),
        root=str(template.parent),
        font_paths=fonts(),
        ignore_system_fonts=True,
        sys_inputs={name: json.dumps(value, ensure_ascii=False) for name, value in inputs.items()},
        pdf_standards=STANDARD,
        timestamp=0,
    )


def content(report: Report) -> dict[str, Any]:
    """Give a report as data for the template: the text of each chapter, and what stands in it by its name."""
    strip, texts = report.write("typst")
    later = list(report.units)[1:]
    # Shown elsewhere: the front figure, and tables in other units, which a screen shows in place of the first.
    elsewhere = {
        one.id: one.unit for one in report.shown.values() if one is report.front or one.unit in later
    }
    chapters = [
        {
            "name": one.name,
            "title": visible(one.title),
            "appendix": one.appendix,
            "text": CALL.sub(lambda call: "" if call[1] in elsewhere else call[0], text),
        }
        for one, text in zip(report.chapters, texts, strict=True)
    ]
    for unit in later:
        text = "\n".join(f'#exhibit("{name}")' for name, own in elsewhere.items() if own == unit)
        title = f"Tables in {report.units[unit]}"
        chapters.append({"name": f"in-{unit}", "title": title, "appendix": True, "text": text})
    return {
        "title": report.title,
        "short": shortened(report.title, _HEAD_ROOM),
        "headline": report.headline,
        "strip": strip,
        "front": report.front.id if report.front else "",
        "chapters": chapters,
        "shown": {name: _shown(one) for name, one in report.shown.items()},
        "body": [name for name, one in report.shown.items() if one.number.isdigit()],
    }


def _shown(one: Shown) -> dict[str, Any]:
    words = {"kind": one.kind, "number": one.number, "title": visible(one.title), "label": one.label}
    if one.table is None:
        return {
            **words,
            "caption": visible(one.caption),
            "alt": visible(one.alt or one.title),
            "svg": one.svg,
        }
    if not one.number:
        return {**words, "file": f"results/{one.folder}/{one.name}.csv"}
    table = one.table
    least = [_least(table, place) for place in range(len(table.columns))]
    return {
        **words,
        "parts": [_part(table, places, least) for places in _parts(table, least)],
        "notes": [*map(visible, table.notes)],
        "marked": [[mark, visible(note)] for note, mark in table.footnotes.items()],
    }


def _least(table: Table, place: int) -> float:
    """Give about how wide a column must be at least, in points: numbers are not broken, words are."""
    least, most = table.letters(place)
    if table.columns[place].numeric:
        return LETTER * least + 7
    some = WORDS[0] if place else 1.4 * WORDS[0]
    return min(max(LETTER * least + 8, min(LETTER * most, some)), WORDS[1])


def _parts(table: Table, least: list[float]) -> Iterator[list[int]]:
    """Split columns that not even a turned page holds; each part begins with those that name a row."""
    heads, rest = list(range(table.heads)), range(table.heads, len(least))
    room = ROOM - sum(least[: table.heads])
    part: list[int] = []
    # Columns below one head stay together as far as they find room.
    for _, places in groupby(rest, key=lambda place: table.columns[place].group or place):
        group = list(places)
        if part and sum(least[place] for place in [*part, *group]) > room:
            yield [*heads, *part]
            part = []
        for place in group:
            if part and sum(least[at] for at in [*part, place]) > room:
                yield [*heads, *part]
                part = []
            part.append(place)
    if part or not rest:
        yield [*heads, *part]


def _part(table: Table, places: list[int], least: list[float]) -> dict[str, Any]:
    """Give columns of a table as data: heads, the heads above them, and cells in rows."""
    columns = [table.columns[place] for place in places]
    groups = [
        [
            _in_lines(name, sum(table.letters(place)[0] for place in own)) if isinstance(name, str) else "",
            len(own),
        ]
        for name, own in (
            (name, list(own))
            for name, own in groupby(places, key=lambda place: table.columns[place].group or place)
        )
    ]
    sections = table.sections or ("",) * len(table.rows)
    return {
        "columns": [
            {
                "head": _in_lines(column.head, table.letters(place)[0])
                if column.numeric
                else visible(column.head),
                "numeric": column.numeric,
                "least": round(least[place], 1),
                "longest": [_cell(table, row, place) for row in _longest(table, place)],
            }
            for place, column in zip(places, columns, strict=True)
        ],
        "groups": groups if any(name for name, _ in groups) else [],
        "rows": [[_cell(table, number, place) for place in places] for number in range(len(table.rows))],
        "over": [
            visible(name) if number == 0 or name != sections[number - 1] else ""
            for number, name in enumerate(sections)
        ],
    }


def _longest(table: Table, place: int) -> list[int]:
    """Find the rows with the longest cell of a column, whole or up to its brackets: typst measures no others."""

    def letters(row: int, end: str) -> int:
        cell = table.rows[row][place]
        return max(map(len, cell.text.split(end))) + len(table.marks(cell)) + (cell.tone in ("up", "down"))

    rows = range(len(table.rows))
    return sorted({max(rows, key=lambda row: letters(row, end)) for end in ("\n", " (") if rows})


def _cell(table: Table, row: int, place: int) -> list[str]:
    cell = table.rows[row][place]
    text = visible(cell.text)
    if table.columns[place].numeric:
        text = text.replace(" ", "\u00a0").replace("-", "\u2011")
    return [text, cell.tone, table.marks(cell)]


def _in_lines(head: str, letters: int) -> str:
    """Break a head so that it does not widen the columns below it."""
    whole = max((len(word) for word in head.split() if len(word) <= LONGEST_WORD), default=0)
    return "\n".join(wrap(held(visible(head)), max(letters, 6, whole)))
