"""From blocks to one PDF: the same content as the page, set for print by typst.

Everything goes to the template as data, nothing as markup: no label can be more than text there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import typst

from surveywaves.report.blocks import (
    Block,
    Bullets,
    Details,
    FigureBlock,
    Grid,
    Paragraph,
    Part,
    Report,
    TableBlock,
)
from surveywaves.report.columns import SPLIT, TALL, head, shape, together
from surveywaves.report.page import marks, visible
from surveywaves.report.runs import Run, plain, runs
from surveywaves.report.svg import inline_svg
from surveywaves.tables import Cell, Column, Table
from surveywaves.tables.words import shortened

TEMPLATE: Final = "report.typ"

FRONT: Final = "answer"
"""The section that stands before the contents, from the first page on."""

STANDARD: Final = "ua-1"
"""PDF/UA-1: tagged, with a language, a title and words for every drawing; typst refuses what does not meet it."""

_PIXELS_PER_POINT: Final = 1.25 * 96 / 72
"""`inline_svg` gives the size on a screen, a quarter larger than on paper."""

_MANY_ROWS: Final = 24
_ROWS_A_RUN: Final = 2.5
"""Rows of a table, and rows on average that its first columns say the same in, for that to be said once."""

_SHORT: Final = 80
"""Letters of the title that the running head has room for."""


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
    return typst.compile(
        str(templates / TEMPLATE),
        root=str(templates),
        font_paths=fonts(),
        ignore_system_fonts=True,
        sys_inputs={"report": json.dumps(content(report), ensure_ascii=False)},
        pdf_standards=STANDARD,
        timestamp=0,
    )


def fonts() -> list[str]:
    """Give the folder with the fonts that come with matplotlib: signs that typst's own fonts do not have."""
    found = find_spec("matplotlib")
    places = found.submodule_search_locations if found else None
    return [str(Path(place) / "mpl-data/fonts/ttf") for place in places or ()]


def content(report: Report) -> dict[str, Any]:
    """Give a report as plain data for the template, every text as it is to be shown."""
    drawn = _Drawn()
    sections = [
        {
            "title": _text(section.title),
            "blocks": _blocks(section.blocks, drawn),
            "front": place == 0 and section.name == FRONT,
        }
        for place, section in enumerate(report.sections)
    ]
    return {
        "title": _text(report.title),
        "short": _text(shortened(report.title, _SHORT)),
        "description": _text(report.description),
        "evidence": report.kind,
        "warning": _runs(report.warning),
        "demonstration": report.demonstration,
        "waves": [_wave(*wave) for wave in report.waves],
        "figures": drawn.number,
        "sections": sections,
    }


def _wave(title: str, evidence: str, meaning: str, weaker: Sequence[str]) -> list[Run]:
    told = f" {meaning}" + (f" Weaker still: {_text('; '.join(weaker))}." if weaker else "")
    return [(f"{_text(title)}: {evidence.upper()}.", "s"), (told, "")]


class _Drawn:
    """Counts drawings, so that each gets ids of its own."""

    def __init__(self) -> None:
        self.number = 0

    def next(self) -> str:
        self.number += 1
        return f"d{self.number}"


def _blocks(blocks: Sequence[Block], drawn: _Drawn) -> list[dict[str, Any]]:
    return [_block(block, drawn) for block in blocks]


def _block(block: Block, drawn: _Drawn) -> dict[str, Any]:
    """Give a block as plain data."""
    match block:
        case Paragraph():
            return {"kind": block.kind, "text": _runs(block.text), "tone": block.tone}
        case Bullets():
            return {"kind": block.kind, "items": [_runs(item) for item in block.items]}
        case Grid():
            entries = [[_text(term), [_runs(one) for one in said]] for term, said in block.entries]
            return {"kind": block.kind, "entries": entries}
        case TableBlock():
            return {"kind": block.kind, **_table(block.table)}
        case FigureBlock():
            return {"kind": block.kind, **_figure(block, drawn.next())}
        case Part():
            return {"kind": block.kind, "title": _text(block.title), "blocks": _blocks(block.blocks, drawn)}
        case Details():
            inside = _blocks(block.blocks, drawn)
            # What a table is called already stands above it.
            own = inside[0]["title"] if len(inside) == 1 and inside[0]["kind"] == "table" else None
            title = _text(block.summary)
            return {"kind": block.kind, "title": "" if title == own else title, "blocks": inside}


def _figure(block: FigureBlock, prefix: str) -> dict[str, Any]:
    drawing = inline_svg(block.svg, prefix=prefix, alt=visible(block.alt))
    return {
        "svg": str(drawing),
        "width": _points(drawing, "width"),
        "height": _points(drawing, "height"),
        "title": _text(block.title),
        "caption": _text(block.caption),
        "alt": _text(block.alt),
        "evidence": _text(block.evidence) if block.evidence not in block.caption else "",
    }


def _points(drawing: str, side: str) -> float:
    found = re.match(rf'<svg[^>]*? {side}="([\d.]+)"', drawing)
    return round(float(found[1]) / _PIXELS_PER_POINT, 2) if found else 0.0


def _table(table: Table) -> dict[str, Any]:
    """Give a table as plain data: widths, heads, cells in rows, notes.

    What the first columns of a long table say over and over is said once, above the rows that it is about, and again
    at the top of each page.
    """
    letters = marks(table)
    over, table = _said_once(table)
    stands = shape(table)
    return {
        "title": _text(table.title),
        "about": _text(table.about),
        "evidence": [_text(said) for said in table.evidence],
        "turned": stands.turned,
        "size": stands.size,
        "widths": list(stands.widths),
        "whole": stands.height < TALL and stands.heads < SPLIT,
        "whole_rows": stands.highest < SPLIT,
        "repeated": stands.heads < SPLIT,
        "numeric": [column.numeric for column in table.columns],
        "heads": [visible(head(column)) for column in table.columns],
        "groups": [[_text(group), span] for group, span in table.groups],
        "over": [[number, _text(said)] for number, said in over],
        "rows": [
            [
                _cell(cell, letters, table.columns[place], repeated=_goes_on(table, number) and place == 0)
                for place, cell in enumerate(row)
            ]
            for number, row in enumerate(table.rows)
        ],
        "spoken": [
            [_text(column.head), _text(column.spoken)]
            for column in {column.head: column for column in table.columns}.values()
            if column.head and column.spoken and f"{column.head}: {column.spoken}" not in table.about
        ],
        "notes": [[letter, _text(note)] for note, letter in letters.items()],
    }


def _said_once(table: Table) -> tuple[list[tuple[int, str]], Table]:
    """Take the first columns of a long table out where they say the same in row after row.

    Returns
    -------
    list
        Number of a row, and what holds from there on.
    Table
        What is left.
    """
    columns = 0
    while table.flat and len(table.rows) >= _MANY_ROWS and columns < min(table.heads, len(table.columns) - 2):
        if len(_runs_of(table, columns + 1)) * _ROWS_A_RUN > len(table.rows):
            break
        columns += 1
    if not columns or any(cell.notes for row in table.rows for cell in row[:columns]):
        return [], table
    left = replace(
        table,
        columns=table.columns[columns:],
        rows=tuple(row[columns:] for row in table.rows),
        heads=max(table.heads - columns, 1),
    )
    return _runs_of(table, columns), left


def _runs_of(table: Table, columns: int) -> list[tuple[int, str]]:
    """Give the rows with which the first columns begin to say something else, and what."""
    said = [tuple(cell.text for cell in row[:columns]) for row in table.rows]
    return [
        (number, " · ".join(filter(None, texts)))
        for number, texts in enumerate(said)
        if number == 0 or texts != said[number - 1]
    ]


def _goes_on(table: Table, number: int) -> bool:
    """Whether a row is about the same as the one above it."""
    return (
        not table.flat
        and number > 0
        and table.heads > 1
        and table.rows[number][0].text == table.rows[number - 1][0].text
    )


def _cell(cell: Cell, letters: Mapping[str, str], column: Column, *, repeated: bool) -> str | dict[str, str]:
    text = "" if repeated else _text(cell.text)
    text = together(text) if column.numeric else text
    marked = ",".join(letters[note] for note in cell.notes)
    return {"text": text, "tone": cell.tone, "marks": marked} if cell.tone or marked else text


def _text(text: str) -> str:
    return plain(str(visible(text)))


def _runs(text: Any) -> list[Run]:
    return runs(visible(text))
