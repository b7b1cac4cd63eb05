"""How a table stands on paper: the width of its columns, the size of its type, and whether the page is turned.

How a table stands in Word and LaTeX: see `surveywaves.tables.publish.paper`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Final

from surveywaves.tables.publish.sheet import Entry, Head, Sheet

NO_BREAK: Final = "\u00a0"

LONGEST_WORD: Final = 24
"""Letters after which a word may be broken, if it is no number."""

_BOLD: Final = 1.08
"""How much wider bold type is."""

_TURNING: Final = 1.3
"""By how much turning a page must pay."""

_NARROW: Final = frozenset("ijltfrI.,:;'|()[]- !/\u200b\u00a0")


@dataclass(frozen=True, eq=False)
class Typeface:
    """About how wide letters are, in sizes of type.

    Parameters
    ----------
    small, capital, narrow, wide
        Of the Latin alphabet.
    foreign, sign
        Other letters, and signs.
    wides
        Which are wide.
    """

    small: float
    capital: float
    narrow: float
    wide: float
    foreign: float
    sign: float
    wides: frozenset[str]

    def width(self, text: str) -> float:
        """Give about how wide a text is."""
        return _width(self, text)

    def letter(self, letter: str) -> float:
        """Give about how wide a letter is."""
        if letter in _NARROW:
            return self.narrow
        if letter in self.wides:
            return self.wide
        if letter.isascii():
            return self.capital if letter.isupper() else self.small
        return self.foreign if letter.isalpha() and ord(letter) < 0x530 else self.sign


@dataclass(frozen=True, eq=False)
class Paper:
    """A page, and how tables are set on it. Lengths are in points, or where it says so in sizes of type.

    Parameters
    ----------
    typeface
        What the table is set in.
    widths, heights
        Of the text on the page: as it stands, and turned.
    sizes
        Turned or not, and size of type; the first that a table fits in is taken.
    padding
        Space left and right of what is in a cell together, in sizes of type.
    between
        What a row is higher than its lines, in sizes of type.
    readable
        Width that a column of words should have, if its words fill it, in sizes of type.
    beside, beside_line
        Size of the type above and below a table, and the height of its lines in sizes of it.
    very_long
        Height from which on a table is looked up in and not read, and set in a size of at most `small`.
    """

    typeface: Typeface
    widths: tuple[float, float]
    heights: tuple[float, float]
    sizes: tuple[tuple[bool, float], ...]
    padding: float
    line: float
    between: float
    readable: float
    beside: float
    beside_line: float
    very_long: float = math.inf
    small: float = 0.0

    def wide(self, *, turned: bool) -> float:
        """Give the width of the text."""
        return self.widths[turned]


@dataclass(frozen=True, slots=True)
class Texts:
    """What is set of a table.

    Parameters
    ----------
    heads, rows
        By column.
    numeric
        Whether a column holds numbers: it needs no more width than they take.
    aside
        What each cell needs besides its text, in sizes of type: letters of notes, bold type.
    groups
        Heads above the heads, with the number of columns each spans.
    gaps
        Space that sets a column apart from the one before it, in sizes of type; empty: none does.
    sections
        Rows that stand between the rows.
    beside
        Lines above and below.
    """

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]
    aside: tuple[tuple[float, ...], ...]
    groups: tuple[tuple[str, int], ...] = ()
    gaps: tuple[float, ...] = ()
    sections: int = 0
    beside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shape:
    """How a table stands on paper.

    Parameters
    ----------
    turned
        Whether its page is turned.
    size
        Size of its type in points.
    widths
        Of its columns, in points.
    height
        About how high it is, in points, with what is said above and below it.
    heads, highest
        About how high its heads are together, and its highest row.
    """

    turned: bool
    size: float
    widths: tuple[float, ...]
    height: float
    heads: float
    highest: float


def fitting(texts: Texts, paper: Paper) -> Shape:
    """Find the largest type in which every word of a table fits its column, upright pages first.

    A table that fits in no shape gets the last, its columns as narrow as that takes.
    """
    columns = range(len(texts.heads))
    needs = _with_groups(texts, paper, [_need(texts, paper, place) for place in columns])
    fit = [
        (turned, size)
        for turned, size in paper.sizes
        if sum(need.least for need in needs) <= paper.wide(turned=turned) / size
    ] or [paper.sizes[-1]]
    stands = _stands(texts, paper, needs, turned=fit[0][0], size=fit[0][1])
    if stands.height <= paper.very_long:
        return stands
    small = [one for one in fit if one[1] <= paper.small]
    others = [*small[:1], *[one for one in small if one[0]][:1]]
    shapes = [stands, *(_stands(texts, paper, needs, turned=turned, size=size) for turned, size in others)]
    return min(shapes, key=lambda one: _pages(one, paper))


def together(text: str) -> str:
    """Keep a number with what belongs to it on one line, and what stands in brackets behind it on one."""
    before, bracket, inside = text.partition(" (")
    return before.replace(" ", NO_BREAK) + bracket + inside.replace(" ", NO_BREAK)


def _pages(stands: Shape, paper: Paper) -> float:
    """Give about how many pages a table takes; a turned page counts a little more, as it must be turned."""
    return stands.height / (paper.heights[1] / _TURNING if stands.turned else paper.heights[0])


def _stands(texts: Texts, paper: Paper, needs: Sequence[_Need], *, turned: bool, size: float) -> Shape:
    room = paper.wide(turned=turned)
    widths = _shared(needs, room / size)
    rows = [_high(row, widths, paper) for row in texts.rows]
    heads = _high(texts.heads, widths, paper)
    if texts.groups:
        spans = accumulate((span for _, span in texts.groups), initial=0)
        over = [sum(widths[start:end]) for start, end in pairwise(spans)]
        heads += _high([group for group, _ in texts.groups], over, paper)
    sections = texts.sections * (paper.line + paper.between)
    beside = sum(math.ceil(paper.typeface.width(text) / room * paper.beside) for text in texts.beside)
    return Shape(
        turned=turned,
        size=size,
        widths=tuple(round(size * width, 2) for width in widths),
        height=size * (heads + sum(rows) + sections) + paper.beside * paper.beside_line * beside,
        heads=size * heads,
        highest=size * max(rows, default=0.0),
    )


@lru_cache(maxsize=40_000)
def _width(typeface: Typeface, text: str) -> float:
    return sum(map(typeface.letter, text))


@dataclass(frozen=True, slots=True)
class _Need:
    """What a column needs, in sizes of type.

    Parameters
    ----------
    least
        To be read with ease.
    most
        To have each of its texts on one line.
    share
        Part of a line that is left over, beside the other columns' parts.
    """

    least: float
    most: float
    share: float


def _need(texts: Texts, paper: Paper, place: int) -> _Need:
    width, numeric = paper.typeface.width, texts.numeric[place]
    found = [(texts.heads[place], 0.0, _BOLD)]
    for row, aside in zip(texts.rows, texts.aside, strict=True):
        found.append((row[place], aside[place], 1.0))
    least = max(bold * max(map(width, _pieces(text)), default=0.0) + aside for text, aside, bold in found)
    wide = [bold * width(text) + aside for text, aside, bold in found]
    most = max(wide)
    eased = least if numeric else max(least, min(most, paper.readable))
    around = paper.padding + (texts.gaps[place] if texts.gaps else 0.0)
    return _Need(eased + around, most + around, sum(wide) / len(wide))


def _with_groups(texts: Texts, paper: Paper, needs: Sequence[_Need]) -> list[_Need]:
    """Widen the columns under a head that is wider than they are together."""
    found, place = list(needs), 0
    for group, span in texts.groups:
        under = found[place : place + span]
        wanted = _BOLD * max(map(paper.typeface.width, _pieces(group)), default=0.0) + paper.padding
        missing = max(wanted - sum(need.least for need in under), 0.0) / span
        found[place : place + span] = [
            _Need(need.least + missing, max(need.most, need.least + missing), need.share) for need in under
        ]
        place += span
    return found


def _pieces(text: str) -> list[str]:
    """Cut a text where a line may break."""
    return [
        piece if any(map(str.isdigit, piece)) else piece[:LONGEST_WORD]
        for piece in re.split("[ \u200b]+", text)
        if piece
    ]


def _shared(needs: Sequence[_Need], room: float) -> list[float]:
    """Share a line between columns: to each what it needs, and of the rest by how much there is in it."""
    given = [need.least for need in needs]
    if sum(given) >= room:
        return [room * one / sum(given) for one in given]
    hungry = [place for place, need in enumerate(needs) if need.most > need.least]
    while hungry:
        rest, shares = room - sum(given), sum(needs[place].share for place in hungry)
        full = [
            place
            for place in hungry
            if given[place] + rest * needs[place].share / shares >= needs[place].most
        ]
        for place in full or hungry:
            given[place] = needs[place].most if full else given[place] + rest * needs[place].share / shares
        hungry = [place for place in hungry if place not in full] if full else []
    return given


def _high(texts: Sequence[str], widths: Sequence[float], paper: Paper) -> float:
    """Give about how high a row is, in sizes of type."""
    lines = max(
        (
            math.ceil(_BOLD * paper.typeface.width(text) / max(room - paper.padding, 0.1)) if text else 1
            for text, room in zip(texts, widths, strict=True)
        ),
        default=0,
    )
    return paper.line * lines + paper.between


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
    return fitting(
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
