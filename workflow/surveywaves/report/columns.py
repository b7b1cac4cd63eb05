"""How a table stands on paper: the width of its columns, the size of its type, and whether the page is turned."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Final

from surveywaves.report.runs import plain
from surveywaves.tables import Column, Table

UPRIGHT, TURNED = 496.0, 742.0
"""Width of the text on an A4 page with margins of 17.5 mm, in points: as it stands, and turned."""

_DEEP, _DEEP_TURNED = 690.0, 440.0
_TURNING: Final = 1.3
"""Height of the text on a page in points, and by how much turning must pay."""

SPLIT: Final = 250.0
"""Height in points from which on a row may go over a page, and heads are not said again on the next."""

TALL: Final = 540.0
"""Height in points from which on a table may go over a page, most of it; what stands below it may always."""

VERY_LONG: Final = 1400.0
SMALL: Final = 7.0
"""Height in points from which on a table is looked up in and not read, two pages; and the size of its type."""

_SHAPES: Final = (
    (False, 8.5),
    (False, 8.0),
    (False, 7.5),
    (False, 7.0),
    (True, 8.0),
    (True, 7.5),
    (True, 7.0),
    (True, 6.5),
    (True, 6.0),
    (True, 5.5),
)
"""Turned or not, size of type in points; the first that a table fits in is taken."""

_PADDING: Final = 0.9
"""Space left and right of what is in a cell together, in sizes of type."""

_LINE: Final = 1.25
_BETWEEN_ROWS: Final = 0.6
"""Height of a line, and what a row has besides, in sizes of type."""

_BESIDE: Final = 7.5
_LINE_BESIDE: Final = 1.8
"""Size of the type above a table in points, and the height of its lines in sizes of it."""

_TEXT_AT_LEAST: Final = 8.5
"""Width that a column of words should have, if its words fill it, in sizes of type."""

_MARK: Final = 0.4
"""Width of the letter of a note."""

_BOLD: Final = 1.08
"""How much wider bold type is."""

_SHORT: Final = 8
"""Letters that a head may have and stay on one line."""

_NO_BREAK: Final = "\u00a0"

_WIDE, _NARROW = frozenset("mwMW@%&—…"), frozenset("ijltfrI.,:;'|()[]- !/\u200b\u00a0")


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
        About how high it is, in points, with what is said above it.
    heads, highest
        About how high its heads are together, and its highest row.
    """

    turned: bool
    size: float
    widths: tuple[float, ...]
    height: float
    heads: float
    highest: float


def shape(table: Table) -> Shape:
    """Find the largest type in which every word of a table fits its column, upright pages first.

    A table that fits in no shape gets the last, its columns as narrow as that takes.
    """
    needs = _with_groups(table, [_column(table, place) for place in range(len(table.columns))])
    fit = [
        (turned, size)
        for turned, size in _SHAPES
        if sum(need.least for need in needs) <= (TURNED if turned else UPRIGHT) / size
    ] or [_SHAPES[-1]]
    stands = _stands(table, needs, turned=fit[0][0], size=fit[0][1])
    if stands.height <= VERY_LONG:
        return stands
    small = [(turned, size) for turned, size in fit if size <= SMALL][:1] + [
        (turned, size) for turned, size in fit if turned and size <= SMALL
    ][:1]
    others = [_stands(table, needs, turned=turned, size=size) for turned, size in small]
    return min([stands, *others], key=_pages)


def _pages(stands: Shape) -> float:
    """Give about how many pages a table takes; a turned page counts a little more, as it must be turned."""
    return stands.height / (_DEEP_TURNED / _TURNING if stands.turned else _DEEP)


def _stands(table: Table, needs: Sequence[_Need], *, turned: bool, size: float) -> Shape:
    widths = _shared(needs, (TURNED if turned else UPRIGHT) / size)
    rows = [_high([cell.text for cell in row], widths) for row in table.rows]
    heads = _high([column.head for column in table.columns], widths)
    if table.groups:
        spans = accumulate((span for _, span in table.groups), initial=0)
        over = [sum(widths[start:end]) for start, end in pairwise(spans)]
        heads += _high([group for group, _ in table.groups], over)
    beside = [table.title, table.about, " ".join(table.evidence)]
    lines = sum(math.ceil(width(text) / (TURNED if turned else UPRIGHT) * _BESIDE) for text in beside)
    return Shape(
        turned=turned,
        size=size,
        widths=tuple(round(size * width, 2) for width in widths),
        height=size * (heads + sum(rows)) + _BESIDE * _LINE_BESIDE * lines,
        heads=size * heads,
        highest=size * max(rows, default=0.0),
    )


def together(text: str) -> str:
    """Keep a number with what belongs to it on one line, and what stands in brackets behind it on one."""
    before, bracket, inside = text.partition(" (")
    return before.replace(" ", _NO_BREAK) + bracket + inside.replace(" ", _NO_BREAK)


def head(column: Column) -> str:
    """Give the head of a column, a short one on one line."""
    text = plain(column.head)
    return together(text) if len(text) <= _SHORT else text


@lru_cache(maxsize=20_000)
def width(text: str) -> float:
    """Give about how wide a text is, in sizes of type."""
    return sum(map(_letter, text))


def _letter(letter: str) -> float:
    if letter in _NARROW:
        return 0.3
    if letter in _WIDE:
        return 0.82
    if letter.isascii():
        return 0.66 if letter.isupper() else 0.49
    return 0.6 if letter.isalpha() and ord(letter) < 0x530 else 0.9


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


def _column(table: Table, place: int) -> _Need:
    column = table.columns[place]
    texts = [(head(column), 0.0, _BOLD)]
    for row in table.rows:
        cell = together(plain(row[place].text)) if column.numeric else plain(row[place].text)
        texts.append((cell, _MARK * len(row[place].notes), 1.0))
    least = max(bold * max(map(width, _pieces(text)), default=0.0) + marks for text, marks, bold in texts)
    wide = [bold * width(text) + marks for text, marks, bold in texts]
    most = max(wide)
    eased = least if column.numeric else max(least, min(most, _TEXT_AT_LEAST))
    return _Need(eased + _PADDING, most + _PADDING, sum(wide) / len(wide))


def _with_groups(table: Table, needs: Sequence[_Need]) -> list[_Need]:
    """Widen the columns under a head that is wider than they are together."""
    found, place = list(needs), 0
    for group, span in table.groups:
        under = found[place : place + span]
        wanted = _BOLD * max(map(width, _pieces(plain(group))), default=0.0) + _PADDING
        missing = max(wanted - sum(need.least for need in under), 0.0) / span
        found[place : place + span] = [
            _Need(need.least + missing, max(need.most, need.least + missing), need.share) for need in under
        ]
        place += span
    return found


def _pieces(text: str) -> list[str]:
    """Cut a text where a line may break."""
    return [piece for piece in re.split("[ \u200b]+", text) if piece]


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


def _high(texts: Sequence[str], widths: Sequence[float]) -> float:
    """Give about how high a row is, in sizes of type."""
    lines = max(
        math.ceil(1.08 * width(text) / max(room - _PADDING, 0.1)) if text else 1
        for text, room in zip(texts, widths, strict=True)
    )
    return _LINE * lines + _BETWEEN_ROWS
