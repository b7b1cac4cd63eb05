"""How a table stands in Word and LaTeX: see `surveywaves.tables.paper`."""

from __future__ import annotations

from itertools import accumulate
from typing import Final

from surveywaves.tables import paper
from surveywaves.tables.paper import NO_BREAK, Paper, Shape, Texts, Typeface, together
from surveywaves.tables.publish.sheet import Entry, Head, Sheet

UPRIGHT, TURNED = 481.0, 728.0
"""Width of the text on an A4 page with margins of 20 mm, in points: as it stands, and turned."""

PADDING: Final = 0.6
"""Space left and right of what is in a cell together, in sizes of type."""

GAP: Final = 1.0
"""Space between columns that would run into each other, in sizes of type."""

MARK: Final = 0.35
"""Width of the letter of a note, in sizes of type."""

_BOLDER: Final = 0.15
"""How much wider bold type is."""

_PART_OF_PAGE: Final = 0.9
"""How much of a page a table may fill that does not go over pages, its notes included."""

_SHORT: Final = 8
"""Letters up to which what stands in brackets stays on the line of the number before it."""

_TYPE: Final = Typeface(
    small=0.6,
    capital=0.78,
    narrow=0.38,
    wide=0.8,
    foreign=0.74,
    sign=0.78,
    wides=frozenset("mwMW@%&—…+<>="),
)
"""Arial, which Word has, and LaTeX's own type, whose digits are wider in small sizes: the wider of the two."""

_PAPER: Final = Paper(
    typeface=_TYPE,
    widths=(UPRIGHT, TURNED),
    heights=(TURNED, UPRIGHT),
    sizes=(*((False, size) for size in (9.0, 8.0)), *((True, size) for size in (9.0, 8.0, 7.0, 6.0, 5.0))),
    padding=PADDING,
    line=1.2,
    between=0.25,
    readable=14.0,
    beside=8.0,
    beside_line=1.4,
)


def shape(sheet: Sheet) -> Shape:
    """Find the largest type in which a table fits a page, upright pages first."""
    return paper.shape(
        Texts(
            heads=tuple(head.text for head in sheet.heads),
            rows=tuple(tuple(map(words, row.entries, sheet.heads)) for row in sheet.rows),
            numeric=tuple(head.numeric for head in sheet.heads),
            aside=tuple(tuple(map(_aside, row.entries)) for row in sheet.rows),
            groups=sheet.groups,
            gaps=gaps(sheet),
            sections=sum(bool(row.section) for row in sheet.rows),
            beside=(
                *(sheet.title, sheet.demonstration),
                *(note for _, note in sheet.notes),
                *sheet.lines,
            ),
        ),
        _PAPER,
    )


def over_pages(page: Shape) -> bool:
    """Whether a table is likely to need more than a page, its notes included."""
    return page.height > _PART_OF_PAGE * (UPRIGHT if page.turned else TURNED)


def _aside(entry: Entry) -> float:
    """Give what a cell needs besides its text: the letters of its notes, and bold type."""
    bold = _BOLDER * _TYPE.width(entry.text) if entry.tone == "caution" else 0.0
    return MARK * len(entry.marks) + bold


def words(entry: Entry, head: Head) -> str:
    """Give what a cell says; a number breaks only before what stands in brackets, if that is long."""
    if not head.numeric or not any(map(str.isdigit, entry.text)):
        return entry.text
    text = together(entry.text)
    before, bracket, inside = text.partition(" (")
    return f"{before}{NO_BREAK}({inside}" if bracket and len(inside) <= _SHORT else text


def gaps(sheet: Sheet) -> tuple[float, ...]:
    """Give the space that sets columns apart, in sizes of type: a new group, and words behind numbers."""
    starts = set(accumulate(span for _, span in sheet.groups))
    return tuple(
        GAP if place in starts or (place > 0 and not head.numeric and sheet.heads[place - 1].numeric) else 0.0
        for place, head in enumerate(sheet.heads)
    )
