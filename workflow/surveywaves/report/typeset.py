"""From blocks to one PDF: the same content as the page, set for print by typst.

Everything goes to the template as data, nothing as markup: no label can be more than text there. Sentences are taken
apart, from the marks of a page to runs of text, each with its emphasis. How a table stands on paper: see
`surveywaves.tables.publish.paper`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, TypeAlias

import typst
from markupsafe import Markup

from surveywaves.report.material import (
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
from surveywaves.report.page import inline_svg, marks, visible
from surveywaves.tables import Cell, Column, Table
from surveywaves.tables.publish import paper
from surveywaves.tables.publish.paper import Paper, Shape, Texts, Typeface, together
from surveywaves.words import (
    shortened,
)

Run: TypeAlias = tuple[str, str]
"""Text, and the letters of its emphasis: `s` strong, `e` emphasised, `c` code."""

_EMPHASIS: Final = {"strong": "s", "b": "s", "em": "e", "i": "e", "code": "c"}
_SILENT: Final = frozenset({"bdi", "data"})
"""Marks that change nothing on paper: a part that is set apart from the direction of the text around it, a number."""

_SPACE: Final = re.compile(r"[ \t\r\n\f]+")
_OTHER_DIRECTION: Final = re.compile(
    "[\u0590-\u08ff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefc]"
)
_ISOLATE, _POP = "\u2068", "\u2069"
_EMBEDDINGS: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
_BREAK: Final = "\u200b"
_LONG_WORD: Final = re.compile(r"\S{25,}")
_JOINT: Final = re.compile(r"([_/.:;,=&+|-])(?=[^\W\d_])")
_PIECE: Final = 16


def plain(text: str) -> str:
    """Make a text fit for paper: one line, its direction kept to itself, long words with places to break.

    White space is folded as a page folds it. What would turn the direction of its neighbours is taken out or set apart.
    """
    folded = _SPACE.sub(" ", text)
    broken = _LONG_WORD.sub(lambda word: _breakable(word[0]), folded)
    if not _OTHER_DIRECTION.search(broken):
        return broken
    return f"{_ISOLATE}{_EMBEDDINGS.sub('', broken)}{_POP}"


def runs(text: Markup) -> list[Run]:
    """Take a sentence apart.

    Raises
    ------
    ValueError
        If it holds a mark that paper has no form for: it would be lost without a word.
    """
    reader = _Reader()
    reader.feed(str(text))
    reader.close()
    if reader.open:
        raise ValueError(f"a mark is never closed: {text}")
    return reader.found


class _Reader(HTMLParser):
    """Gathers runs."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[Run] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the base class's name
        if tag not in _EMPHASIS and tag not in _SILENT:
            raise ValueError(f"paper has no form for <{tag}>")
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            raise ValueError(f"</{tag}> closes nothing")

    def handle_data(self, data: str) -> None:
        emphasis = "".join(sorted({_EMPHASIS[tag] for tag in self.open if tag in _EMPHASIS}))
        text = plain(data)
        if text and self.found and self.found[-1][1] == emphasis:
            self.found[-1] = (self.found[-1][0] + text, emphasis)
        elif text:
            self.found.append((text, emphasis))


def _breakable(word: str) -> str:
    """Give a long word places to break: behind its joints, and anywhere in what is still too long."""
    pieces = _JOINT.sub(rf"\1{_BREAK}", word).split(_BREAK)
    return _BREAK.join(
        piece[start : start + _PIECE] if len(piece) > _PIECE + _PIECE // 2 else piece
        for piece in pieces
        for start in (range(0, len(piece), _PIECE) if len(piece) > _PIECE + _PIECE // 2 else (0,))
    )


UPRIGHT, TURNED = 496.0, 742.0
"""Width of the text on an A4 page with margins of 17.5 mm, in points: as it stands, and turned."""

SPLIT: Final = 250.0
"""Height in points from which on a row may go over a page, and heads are not said again on the next."""

TALL: Final = 540.0
"""Height in points from which on a table may go over a page, most of it; what stands below it may always."""

_SHORT: Final = 8
"""Letters that a head may have and stay on one line."""

_MARK: Final = 0.4
"""Width of the letter of a note, in sizes of type."""

_TYPE: Final = Typeface(
    small=0.49, capital=0.66, narrow=0.3, wide=0.82, foreign=0.6, sign=0.9, wides=frozenset("mwMW@%&—…")
)

_PAPER: Final = Paper(
    typeface=_TYPE,
    widths=(UPRIGHT, TURNED),
    heights=(690.0, 440.0),
    sizes=(
        *((False, size) for size in (8.5, 8.0, 7.5, 7.0)),
        *((True, size) for size in (8.0, 7.5, 7.0, 6.5, 6.0, 5.5)),
    ),
    padding=0.9,
    line=1.25,
    between=0.6,
    readable=8.5,
    beside=7.5,
    beside_line=1.8,
    very_long=1400.0,
    small=7.0,
)


def shape(table: Table) -> Shape:
    """Find the largest type in which every word of a table fits its column, upright pages first."""
    return paper.fitting(
        Texts(
            heads=tuple(map(head, table.columns)),
            rows=tuple(tuple(map(_cell_text, row, table.columns)) for row in table.rows),
            numeric=tuple(column.numeric for column in table.columns),
            aside=tuple(tuple(_MARK * len(cell.notes) for cell in row) for row in table.rows),
            groups=tuple((plain(group), span) for group, span in table.groups),
            beside=(table.title, table.about, " ".join(table.evidence)),
        ),
        _PAPER,
    )


def _cell_text(cell: Cell, column: Column) -> str:
    text = plain(cell.text)
    return together(text) if column.numeric else text


def head(column: Column) -> str:
    """Give the head of a column, a short one on one line."""
    text = plain(column.head)
    return together(text) if len(text) <= _SHORT else text


def width(text: str) -> float:
    """Give about how wide a text is, in sizes of type."""
    return _TYPE.width(text)


__all__ = ["SPLIT", "TALL", "TURNED", "UPRIGHT", "head", "shape", "together", "width"]


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

_HEAD_ROOM: Final = 80
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
        "short": _text(shortened(report.title, _HEAD_ROOM)),
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
