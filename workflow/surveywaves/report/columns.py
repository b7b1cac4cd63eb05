"""How a table stands in the printed report: see `surveywaves.tables.paper`."""

from __future__ import annotations

from typing import Final

from surveywaves.report.runs import plain
from surveywaves.tables import Cell, Column, Table, paper
from surveywaves.tables.paper import Paper, Shape, Texts, Typeface, together

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
    return paper.shape(
        Texts(
            heads=tuple(map(head, table.columns)),
            rows=tuple(tuple(map(_cell, row, table.columns)) for row in table.rows),
            numeric=tuple(column.numeric for column in table.columns),
            aside=tuple(tuple(_MARK * len(cell.notes) for cell in row) for row in table.rows),
            groups=tuple((plain(group), span) for group, span in table.groups),
            beside=(table.title, table.about, " ".join(table.evidence)),
        ),
        _PAPER,
    )


def _cell(cell: Cell, column: Column) -> str:
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
