"""How a table stands on paper: upright or turned, the size of its type, the width of its columns."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

from surveywaves.tables.publish.sheet import Sheet

UPRIGHT, TURNED = 481.0, 728.0
"""Width of the text on an A4 page with margins of 20 mm, in points: as it stands, and turned."""

PADDING: Final = 5.0
"""Space left and right of what is in a cell together, in points."""

_SIZES: Final = (
    (False, 9.0),
    (False, 8.0),
    (True, 9.0),
    (True, 8.0),
    (True, 7.0),
    (True, 6.0),
    (True, 5.0),
)
"""Turned or not, size of type in points; the first that a table fits in is taken."""

_LINE: Final = 1.2
_PART_OF_PAGE: Final = 0.7
"""How much of a page a table may fill that does not go over pages."""

_READABLE: Final = 16.0
"""Width that a column of long words should have, in sizes of type."""

_LONGEST_WORD: Final = 24
"""Letters after which a word is broken."""

_NARROW, _WIDE = frozenset("ijltfrI.,:;'|()[]- !/"), frozenset("mwMW@%&—…+−<>=▲▼○±")


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
        Of its columns in points, padding included.
    height
        About how high its rows are in points.
    """

    turned: bool
    size: float
    widths: tuple[float, ...]
    height: float

    @property
    def over_pages(self) -> bool:
        """Whether it is likely to need more than a page, its notes included."""
        return self.height > _PART_OF_PAGE * (UPRIGHT if self.turned else TURNED)


def shape(sheet: Sheet) -> Shape:
    """Find the largest type in which a table fits a page, upright pages first."""
    for turned, size in _SIZES:
        room = TURNED if turned else UPRIGHT
        least = [_least(sheet, place) * size + PADDING for place in range(len(sheet.heads))]
        if sum(least) <= room:
            break
    else:
        least = [width * room / sum(least) for width in least]
    most = [max(low, _most(sheet, place) * size + PADDING) for place, low in enumerate(least)]
    widths = _shared(least, most, room)
    return Shape(turned, size, widths, _height(sheet, size, widths))


def _height(sheet: Sheet, size: float, widths: tuple[float, ...]) -> float:
    texts = [[head.text for head in sheet.heads], *([e.text for e in row.entries] for row in sheet.rows)]
    lines = sum(
        max(
            math.ceil(1.1 * width(text) * size / max(room - PADDING, 1)) if text else 1
            for text, room in zip(row, widths, strict=True)
        )
        for row in texts
    )
    sections = sum(bool(row.section) for row in sheet.rows)
    return _LINE * size * (lines + 1.5 * sections + bool(sheet.groups))


def width(text: str) -> float:
    """Give about how wide a text is in Arial, in sizes of type."""
    return sum(
        0.31
        if letter in _NARROW
        else 0.74
        if letter in _WIDE or not letter.isascii()
        else 0.68
        if letter.isupper()
        else 0.56
        for letter in text
    )


def _least(sheet: Sheet, place: int) -> float:
    """Give what a column needs: words and numbers on one line; of long texts, a readable width."""
    head = sheet.heads[place]
    texts = [(row.entries[place].text, row.entries[place].marks) for row in sheet.rows]
    need = max(map(_longest_piece, head.text.split()), default=0.0)
    for text, marks in texts:
        pieces = _pieces(text) if head.numeric else text.split()
        need = max(need, max(map(_longest_piece, pieces), default=0.0) + 0.35 * len(marks))
    if not head.numeric:
        need = max(need, min(_READABLE, max((width(text) for text, _ in texts), default=0.0)))
    return need


def _most(sheet: Sheet, place: int) -> float:
    """Give what a column would take to have everything on one line."""
    return max(
        width(sheet.heads[place].text),
        *(width(row.entries[place].text) + 0.35 * len(row.entries[place].marks) for row in sheet.rows),
        0.0,
    )


def _pieces(text: str) -> list[str]:
    """Cut a cell of numbers where a line may break: words anywhere, numbers only before an interval in brackets."""
    if not any(letter.isdigit() for letter in text):
        return text.split()
    return re.split(r" (?=\(.{8})", text)


def _longest_piece(word: str) -> float:
    return width(word if any(letter.isdigit() for letter in word) else word[:_LONGEST_WORD])


def _shared(least: list[float], most: list[float], room: float) -> tuple[float, ...]:
    """Give every column what it needs, and of what is left over as much more as it would take, all alike."""
    left = max(room - sum(least), 0.0)
    wanted = sum(high - low for low, high in zip(least, most, strict=True))
    part = min(left / wanted, 1.0) if wanted > 0 else 0.0
    return tuple(round(low + part * (high - low), 1) for low, high in zip(least, most, strict=True))
