"""From the report to one PDF, set by typst.

The sections are written as typst by pandoc, which escapes their words; titles, tables and drawings go to the template
as data, never as markup: no label can be more than text there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from heapq import nlargest
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import typst

from surveywaves.report.build import CALL, Report, Shown, fonts
from surveywaves.tables import Column, Table
from surveywaves.tables.layout import held
from surveywaves.text import visible
from surveywaves.words import shortened

TEMPLATE: Final = "report.typ"

STANDARD: Final = "ua-1"
"""PDF/UA-1: tagged, with a language, a title and words for every drawing; typst refuses what does not meet it."""

SHORT: Final = (16, 3000)
"""Lines and letters of a table up to which it is not broken; a heading above rows counts as two."""

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
    """Return a report as data for the template: the text of each chapter, and the exhibits by their names."""
    strip, texts = report.written["typst"]
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
        "contents": len(chapters) > 2,
        "front": report.front.id if report.front else "",
        "chapters": chapters,
        "shown": {name: _shown(one) for name, one in report.shown.items()},
        "body": [name for name, one in report.shown.items() if one.number.isdigit()],
    }


def _shown(one: Shown) -> dict[str, Any]:
    words = {"kind": one.kind, "number": one.number, "title": visible(one.title), "label": one.label}
    if one.table is None:
        alt = visible(one.alt or one.title)
        return {**words, "caption": visible(one.caption), "alt": alt, "svg": one.svg}
    if not one.number:
        return {**words, "file": f"results/{one.folder}/{one.name}.csv"}
    return {**words, **_data(one.id, one.table)}


def _data(name: str, table: Table) -> dict[str, Any]:
    """Return a table as data, of which the template measures the columns and sets their widths."""
    sections = pairwise(("", *(table.sections or [""] * len(table.rows))))
    over = [visible(name) if name != before else "" for before, name in sections]
    rows = [
        [
            [_line(cell.text, column), cell.tone, table.marks(cell)]
            for cell, column in zip(row, table.columns, strict=True)
        ]
        for row in table.rows
    ]
    texts = (text for row in rows for text, *_ in row)
    words = (*texts, *over, *(column.head for column in table.columns), *table.notes, *table.footnotes)
    return {
        "name": name,
        "named": table.heads,
        "columns": [
            _column(column, [row[place] for row in rows]) for place, column in enumerate(table.columns)
        ],
        "rows": rows,
        "over": over,
        "short": len(rows) + 2 * sum(map(bool, over)) <= SHORT[0] and sum(map(len, words)) <= SHORT[1],
        "notes": [*map(visible, table.notes)],
        "marked": [[mark, visible(note)] for note, mark in table.footnotes.items()],
    }


def _line(text: str, column: Column) -> str:
    """Keep a number on one line."""
    return visible(text).translate(_HELD) if column.numeric else visible(text)


_HELD: Final = str.maketrans({" ": "\u00a0", "-": "\u2011"})


def _column(column: Column, cells: Iterable[list[str]]) -> dict[str, Any]:
    """Return a column's heads, its longest lines, and the longest pieces into which these may be broken."""
    lines = [line for text, _, marks in cells for line in f"{text}{marks}".split("\n")]
    broken = re.compile("\u00a0(?=\\()" if column.numeric else r"\s")
    pieces = {piece for line in lines for piece in broken.split(line)}
    longest, shortest = (nlargest(_MEASURED, sorted(set(texts)), key=len) for texts in (lines, pieces))
    return {
        "head": _head(column.head),
        "group": _head(column.group),
        "numeric": column.numeric,
        "longest": longest,
        "pieces": shortest,
    }


def _head(text: str) -> str:
    """Keep what stands in brackets on one line if it is short."""
    shown = visible(text)
    kept = held(shown)
    return kept if max(map(len, kept.split(" "))) <= _BROKEN else shown


_BROKEN: Final = 24
"""Letters after which the template breaks a word."""

_MEASURED: Final = 2
"""How many texts of a column are measured for all."""
