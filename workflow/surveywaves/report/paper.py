"""From the report to one PDF, set by typst.

The sections are written as typst by pandoc, which escapes their words; titles, tables and drawings go to the template
as data, never as markup: no label can be more than text there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import groupby, pairwise, product
from math import ceil
from pathlib import Path
from typing import Any, Final

import typst

from surveywaves.report.build import CALL, Report, Shown, fonts
from surveywaves.tables import Cell, Table
from surveywaves.tables.layout import LONGEST_WORD, held
from surveywaves.text import visible
from surveywaves.words import shortened

TEMPLATE: Final = "report.typ"

STANDARD: Final = "ua-1"
"""PDF/UA-1: tagged, with a language, a title and words for every drawing; typst refuses what does not meet it."""

UPRIGHT, TURNED = 496.0, 742.0
"""Width of the text on an upright page of A4 and on a turned one, in points."""

LINE: Final = 11.0
"""Height of a line of a table, in points."""

LINES: Final = 6
"""Lines that words are broken into, about, at most."""

UNBROKEN: Final = 240.0
"""Height of a table up to which it is not broken, in points: a third of a page."""

LETTER, NARROW = 4.5, 2.7
"""About how wide a letter of a table is, and one of `_NARROW`, in points."""

_NARROW: Final = re.compile(r"[ .,:()ijlt]")

BOLD: Final = 1.08
"""How much wider bold letters are, and those of words than of numbers."""

BROKEN: Final = 24
"""Letters after which the template breaks a word."""

PADDING: Final = 7.5
"""What a column needs besides its letters, in points."""

WORDS: Final = (56.0, 120.0)
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
        return {
            **words,
            "caption": visible(one.caption),
            "alt": visible(one.alt or one.title),
            "svg": one.svg,
        }
    if not one.number:
        return {**words, "file": f"results/{one.folder}/{one.name}.csv"}
    return {
        **words,
        **_laid_out(one.table),
        "notes": [*map(visible, one.table.notes)],
        "marked": [[mark, visible(note)] for note, mark in one.table.footnotes.items()],
    }


def _laid_out(table: Table) -> dict[str, Any]:
    """Choose the widths of columns, by counting letters, and give the table as data.

    A table stands as it is, or with words broken, or with intervals on lines of their own; one that fits no upright
    page so is turned, and what not even a turned page holds is split into parts that stand below each other.
    """
    needs = [_needs(table, place) for place in range(len(table.columns))]
    parts = list(_split(table, [least for least, _ in needs]))
    for room, loose in product((UPRIGHT, TURNED), (False, True)):
        widths = [_widths(table, [needs[place] for place in own], own, room, loose=loose) for own in parts]
        if all(sum(own) < room + 1 for own in widths):
            break
    return {
        "turned": room == TURNED,
        "breakable": sum(_height(table, *part) for part in zip(parts, widths, strict=True)) > UNBROKEN,
        "parts": [_data(table, *part, loose=loose) for part in zip(parts, widths, strict=True)],
    }


def _wide(text: str) -> float:
    """Give about the width of a line of text, in points."""
    return LETTER * len(text) - (LETTER - NARROW) * len(_NARROW.findall(text))


def _needs(table: Table, place: int) -> tuple[float, float]:
    """Give about the least and the natural width of a column, in points.

    Numbers are broken before brackets at most, words between words; heads are bold.
    """
    column, texts = table.columns[place], [row[place].text for row in table.rows]
    span = sum(other.group == column.group for other in table.columns) if column.group else 1
    words = [
        *_head(column.head).split(" "),
        *(word[: BROKEN // span] for word in _head(column.group).split(" ")),
    ]
    head = BOLD * max(_wide(word[:BROKEN]) for word in words)
    broken = re.compile(r" (?=\()|\n" if column.numeric else r"\s")
    least = max((_wide(piece[: 2 * BROKEN]) for text in texts for piece in broken.split(text)), default=0.0)
    most = max(least, *(_wide(text[: 9 * BROKEN]) for text in (*texts, column.head[:LONGEST_WORD])))
    least, most = (max(head, width * (1.0 if column.numeric else BOLD)) + PADDING for width in (least, most))
    some = max(head + PADDING, most / LINES, WORDS[0] if place else 1.3 * WORDS[0])
    return least if column.numeric else min(most, max(some, min(least, WORDS[1]))), most


def _head(text: str) -> str:
    """Keep what stands in brackets on one line if it is short."""
    shown = visible(text)
    kept = held(shown)
    return kept if max(map(len, kept.split(" "))) <= BROKEN else shown


def _split(table: Table, least: list[float]) -> Iterator[list[int]]:
    """Split columns that not even a turned page holds; each part begins with those that name a row."""
    heads, rest = list(range(table.heads)), range(table.heads, len(least))

    def wide(places: list[int]) -> bool:
        return sum(least[place] for place in [*heads, *places]) > TURNED

    blocks = [list(own) for _, own in groupby(rest, key=lambda place: table.columns[place].group or place)]
    part: list[int] = []
    # Columns below one head stay together if a page holds them.
    for block in [some for own in blocks for some in ([[place] for place in own] if wide(own) else [own])]:
        if part and wide([*part, *block]):
            yield [*heads, *part]
            part = []
        part += block
    yield [*heads, *part]


def _widths(
    table: Table, needs: list[tuple[float, float]], places: list[int], room: float, *, loose: bool
) -> list[float]:
    """Give each column what it must have, and of the room that is left a share of what it lacks."""
    most = [natural for _, natural in needs]
    # Headings above rows need room as well.
    most[0] = max(most[0], min(max(map(_wide, table.sections), default=0.0), room) - sum(most[1:]))
    least = [
        own if table.columns[place].numeric and not loose else low
        for place, own, (low, _) in zip(places, most, needs, strict=True)
    ]
    share = min(1.0, max(0.0, room - sum(least)) / max(1.0, sum(most) - sum(least)))
    return [low + share * (high - low) for low, high in zip(least, most, strict=True)]


def _height(table: Table, places: list[int], widths: list[float]) -> float:
    """Give about the height of a part of a table, in points."""
    columns = list(zip(places, widths, strict=True))
    lines = (max(ceil(_wide(row[at].text) / width) for at, width in columns) for row in table.rows)
    return LINE * (sum(lines) + 2 * len(set(table.sections)))


def _data(table: Table, places: list[int], widths: list[float], *, loose: bool) -> dict[str, Any]:
    """Give a part of a table as data: heads, the heads above them, and cells in rows."""
    groups = [
        [_head(name) if isinstance(name, str) else "", len(list(own))]
        for name, own in groupby(places, key=lambda place: table.columns[place].group or place)
    ]
    return {
        "heads": [_head(table.columns[place].head) for place in places],
        "numeric": [table.columns[place].numeric for place in places],
        "widths": [round(width, 1) for width in widths],
        "groups": groups if any(name for name, _ in groups) else [],
        "rows": [[_cell(table, row[place], place, loose=loose) for place in places] for row in table.rows],
        "over": [
            visible(name) if name != before else ""
            for before, name in pairwise(("", *(table.sections or ("",) * len(table.rows))))
        ],
    }


def _cell(table: Table, cell: Cell, place: int, *, loose: bool) -> list[str]:
    text = visible(cell.text)
    if table.columns[place].numeric:
        text = (text.replace(" (", "\n(") if loose else text).replace(" ", "\u00a0").replace("-", "\u2011")
    return [text, cell.tone, table.marks(cell)]
