"""The shape of a table for a page: cells of display text that keep the values behind them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby
from operator import attrgetter
from typing import Any, Final, Literal, TypeAlias, TypeVar

import pandas as pd
from pandas.api.types import is_numeric_dtype

from surveywaves.terms import ALL
from surveywaves.words import (
    NONE,
    REVERSED,
    REVERSED_MEANS,
    WITHHELD,
    WITHHELD_MEANS,
    Labels,
    lower,
    records,
    whole,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: what is printed, the number behind it, what is said below the table, and how it looks."""

    text: str
    """Display text."""
    value: float | None = None
    """Number that is printed, as released; NaN where there is none; None: the cell holds words."""
    more: tuple[float, ...] = ()
    """Further numbers that are printed behind it, in brackets: ends of an interval, a percentage, degrees of
    freedom."""
    notes: tuple[str, ...] = ()
    """Notes below the table, in words."""
    tone: str = ""
    """``muted`` (no number), ``caution`` (mind the note), ``up``, ``down`` or ""."""

    def noted(self, *notes: str) -> Cell:
        """Add notes; empty ones are none."""
        return replace(self, notes=(*self.notes, *filter(None, notes)))


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its head, the head above it, and whether it holds numbers."""

    head: str
    group: str = ""
    numeric: bool = False


@dataclass(frozen=True)
class Table:
    """A table for a page."""

    name: str
    """Of its files, and for links: the catalogue's."""
    title: str
    """What it shows: its caption."""
    columns: tuple[Column, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    """As printed; the first `heads` columns name the row."""
    data: pd.DataFrame = field(default_factory=pd.DataFrame)
    """The rows of released tables that it was made from."""
    notes: tuple[str, ...] = ()
    """Sentences below the table. What the signs of reversed statements and of withheld numbers mean is added."""
    heads: int = 1
    """How many columns name a row."""
    sections: tuple[str, ...] = ()
    """What each row belongs to; each new one gets a row of its own above. Empty: none."""
    ranks: tuple[float, ...] = ()
    """Number that each row is ranked by if there are too many to show: those furthest from zero are. NaN: shown only if
    all are. Empty: the number of rows does not depend on that of organisations."""
    ranked_by: tuple[str, str] = ("", "")
    """Words for the rows that are always shown, whose rank is infinite, and for the others."""

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"table {self.name}: a row has not {len(self.columns)} cells")
        cells = [cell for row in self.rows for cell in row]
        reverses = any(cell.text.startswith(f"{REVERSED} ") and cell.value is None for cell in cells)
        withholds = any(WITHHELD in cell.text and cell.value is not None for cell in cells)
        heads = any(WITHHELD in column.head for column in self.columns)
        added = [*([REVERSED_MEANS] if reverses else []), *([WITHHELD_MEANS] if withholds or heads else [])]
        dashes = any(NONE in cell.text for cell in cells)
        said = (note for note in self.notes if note and (dashes or not note.startswith(f"{NONE}: ")))
        notes = dict.fromkeys((*said, *added))
        object.__setattr__(self, "notes", tuple(notes))

    @cached_property
    def footnotes(self) -> dict[str, str]:
        """The notes on cells, in the order they are met: note -> its letter."""
        told = dict.fromkeys(note for row in self.rows for cell in row for note in cell.notes)
        return {note: letters_of(place) for place, note in enumerate(told)}

    @property
    def below(self) -> list[tuple[str, str]]:
        """All that stands below: letter and words of a note on cells, then the other notes, without a letter."""
        return [
            *((letter, note) for note, letter in self.footnotes.items()),
            *(("", note) for note in self.notes),
        ]

    def marks(self, cell: Cell) -> str:
        """Return the letters of a cell's notes."""
        return ",".join(dict.fromkeys(self.footnotes[note] for note in cell.notes))

    @cached_property
    def groups(self) -> tuple[tuple[str, int], ...]:
        """The heads above the heads with the number of columns each spans; empty if there are none."""
        places = groupby(enumerate(self.columns), key=lambda place: place[1].group or place[0])
        spans = [(own[0][1].group, len(own)) for own in (list(own) for _, own in places)]
        return tuple(spans) if any(name for name, _ in spans) else ()

    def at_most(self, most: int, *, fit: int = 0) -> Table:
        """Keep at most `most` rows, those that rank first, with a note on where all are; up to `fit`, keep all."""
        if len(self.rows) <= max(most, fit):
            return self
        ranked = sorted((-abs(rank), place) for place, rank in enumerate(self.ranks) if not math.isnan(rank))
        chosen = sorted(place for _, place in ranked[:most]) or range(FIRST if self.ranks else most)
        always = {math.isinf(rank) for rank, _ in ranked[:most]}
        words = [
            word for word, of in zip(self.ranked_by, (True, False), strict=True) if word and of in always
        ]
        told = ", and ".join(words) or ("the first, since none stands out" if self.ranks else "the first")
        told = f"{whole(len(chosen))} of {whole(len(self.rows))} rows are shown: {told}."
        return replace(
            self,
            rows=tuple(self.rows[place] for place in chosen),
            sections=tuple(self.sections[place] for place in chosen) if self.sections else (),
            ranks=(),
            notes=(f"{told} The CSV and the workbook have all.", *self.notes),
        )

    def letters(self, place: int) -> tuple[int, int]:
        """Return how many letters a line of a column must hold, and how many would keep each cell on one line.

        An interval may go to a second line, a number may not; words are broken between words.
        """
        column, texts = self.columns[place], [row[place].text for row in self.rows] or [""]
        # Capitals are wider.
        words = (len(part) + sum(map(str.isupper, part)) // 3 for part in column.head.split())
        head = min(max(words, default=1), LONGEST_WORD)
        longest = max(len(text) + sum(map(str.isupper, text)) // 3 for text in texts)
        if column.numeric:
            pieces = (piece for text in texts for piece in text.replace(" (", "\n(").split("\n"))
            return max(*map(len, pieces), head), max(longest, head)
        part = max(len(part) for text in texts for part in (*text.split(), ""))
        least = max(min(part, LONGEST), head, 6)
        return least, max(least, min(longest, LONGEST))


MOST_ROWS: Final = 60
"""Most rows of a table in the report if it has a row per organisation and is longer than `FIT`."""

FIT: Final = 100
"""Most rows that are all shown in the report."""

FIRST: Final = 12
"""Rows that are shown if none stands out."""

LONGEST: Final = 46
"""Letters of words in a line of a column, at most."""

LONGEST_WORD: Final = 14
"""Letters of a word in a head that are not broken."""

Maker: TypeAlias = tuple[
    str | Column | Sequence[str | Column], Callable[[Any], str | Cell | Iterable[str | Cell]]
]
"""A column with the function that makes its cell for a row, or adjacent columns with the one that makes their cells.

A text makes a column or a cell of words.
"""

Ranked: TypeAlias = tuple[str, str, Callable[[Any], float]]
"""What `Table.ranked_by` holds, and the function that makes `Table.ranks` from a row."""


def laid_out(
    title: str,
    rows: Iterable[Any],
    columns: Iterable[Maker | Literal[False]],
    data: pd.DataFrame,
    *notes: str | bool,
    heads: int = 1,
    section: Callable[[Any], str] | None = None,
    ranked: Ranked | Literal[False] = False,
) -> Table:
    """Return a table from what its rows describe and the makers of its columns; False leaves a column out.

    Its name is added by `made`.
    """
    shown, lines = [one for one in columns if one], list(rows)
    below = tuple(map(section, lines)) if section else ()
    return Table(
        "",
        title,
        tuple(column for some, _ in shown for column in _each(some, Column)),
        tuple(tuple(cell for _, make in shown for cell in _each(make(row), Cell)) for row in lines),
        data,
        tuple(note for note in notes if isinstance(note, str)),
        heads,
        below if any(below) else (),
        tuple(map(ranked[2], lines)) if ranked else (),
        ranked[:2] if ranked else ("", ""),
    )


def _each(made: Any, of: Callable[[str], T]) -> Iterator[T]:
    """Go through one or several cells or columns; a text makes one."""
    several: Iterable[Any] = [made] if isinstance(made, str | Cell | Column) else made
    return (of(one) if isinstance(one, str) else one for one in several)


def numbers(head: str, group: str = "") -> Column:
    """Make a column of numbers."""
    return Column(head, group, numeric=True)


def everybody(
    labels: Labels, name: Callable[[Any], str], others: Ranked = ("", "", lambda _: math.nan)
) -> Ranked:
    """Show the rows of all together whatever their rank, those with the `name` `ALL`, and the others by theirs."""
    _, words, rank = others
    return lower(labels.organisation(ALL)), words, lambda row: math.inf if name(row) == ALL else rank(row)


def across(keys: Iterable[T], head: Callable[[T], Column], cell: Callable[[Any, T], str | Cell]) -> Maker:
    """Make a column for each of some keys; `cell` gets what the row describes, and the key."""
    several = list(keys)
    return [*map(head, several)], lambda row: [cell(row, key) for key in several]


def by(frame: pd.DataFrame, *columns: str) -> dict[Any, Any]:
    """Find the rows of a frame, columns as attributes, by what stands in one or more of its columns."""
    key = attrgetter(*columns)
    return {key(row): row for row in records(frame)}


def stacked(*frames: pd.DataFrame) -> pd.DataFrame:
    """Put frames below each other; what one has no column for is empty."""
    there = [frame for frame in frames if len(frame)]
    if not there:
        return frames[0]
    made = pd.concat(there, ignore_index=True)
    words = [name for name in made if any(name in one and not is_numeric_dtype(one[name]) for one in there)]
    return made.fillna(dict.fromkeys(words, ""))


def letters_of(place: int) -> str:
    """Return the letter of a note: a, b, ... z, aa, ab, and so on."""
    more, last = divmod(place, 26)
    return (letters_of(more - 1) if more else "") + chr(ord("a") + last)


def held(head: str) -> str:
    """Keep what stands in brackets on one line."""
    before, bracket, inside = head.partition("(")
    return f"{before}{bracket}{inside.replace(' ', chr(160))}"
