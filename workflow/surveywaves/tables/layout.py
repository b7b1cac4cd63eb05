"""The shape of a table for a page: cells of display text that keep the values behind them.

Cells for numbers hold the number, its sign where it is withheld, or a dash and a note that says why there is none.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from typing import Any, Final, Literal, TypeAlias

import pandas as pd
from pandas.api.types import is_numeric_dtype

from surveywaves.terms import ALL, LOW_RELIABILITY_MARK, Decision, Status
from surveywaves.text import listed
from surveywaves.words import (
    MINUS,
    NONE,
    REVERSED,
    REVERSED_MEANS,
    STATUS,
    WITHHELD,
    WITHHELD_MEANS,
    Labels,
    as_float,
    interval,
    is_missing,
    number,
    opening,
    p_value,
    pair,
    percentage,
    whole,
)


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: what is printed, the number behind it, what is said below the table, and how it looks.

    Parameters
    ----------
    text
        Display text.
    value
        Number that is printed, as released; NaN where there is none; None: the cell holds words.
    more
        Further numbers that are printed behind it, in brackets: ends of an interval, a percentage, degrees of freedom.
    notes
        Notes below the table, in words.
    tone
        ``muted`` (no number), ``caution`` (mind the note), ``up``, ``down`` or "".
    """

    text: str
    value: float | None = None
    more: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()
    tone: str = ""

    def noted(self, *notes: str) -> Cell:
        """Add notes; empty ones are none."""
        return replace(self, notes=(*self.notes, *filter(None, notes)))


NOTHING: Final = Cell(NONE, math.nan, tone="muted")
"""Where there is nothing to print."""

HIDDEN: Final = Cell(WITHHELD, math.nan, tone="muted")
"""Where a number is withheld."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its head, the head above it, whether it holds numbers, and what the head is short for."""

    head: str
    group: str = ""
    numeric: bool = False
    spoken: str = ""


@dataclass(frozen=True)
class Table:
    """A table for a page.

    Parameters
    ----------
    name
        Of its files, and for links: the catalogue's.
    title
        What it shows: its caption.
    columns, rows
        As printed; the first `heads` columns name the row.
    data
        The rows of released tables that it was made from.
    notes
        Sentences below the table. What the signs of reversed statements and of withheld numbers mean is added.
    heads
        How many columns name a row.
    sections
        What each row belongs to; each new one gets a row of its own above. Empty: none.
    ranks
        What each row is ranked by where there are too many to show; None: it always is; NaN: it is not. Empty: the
        rows do not grow with organisations.
    ranked_by
        Which rows are shown then, in words.
    """

    name: str
    title: str
    columns: tuple[Column, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    data: pd.DataFrame = field(default_factory=pd.DataFrame)
    notes: tuple[str, ...] = ()
    heads: int = 1
    sections: tuple[str, ...] = ()
    ranks: tuple[float | None, ...] = ()
    ranked_by: str = ""

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"table {self.name}: a row has not {len(self.columns)} cells")
        cells = [cell for row in self.rows for cell in row]
        reverses = any(cell.text.startswith(f"{REVERSED} ") and cell.value is None for cell in cells)
        withholds = any(WITHHELD in cell.text and cell.value is not None for cell in cells)
        heads = any(WITHHELD in column.head for column in self.columns)
        added = [*([REVERSED_MEANS] if reverses else []), *([WITHHELD_MEANS] if withholds or heads else [])]
        notes = dict.fromkeys(filter(None, (*self.notes, *added)))
        object.__setattr__(self, "notes", tuple(notes))

    @cached_property
    def footnotes(self) -> dict[str, str]:
        """The notes on cells, in the order they are met: note -> its letter."""
        told = dict.fromkeys(note for row in self.rows for cell in row for note in cell.notes)
        return {note: letters_of(place) for place, note in enumerate(told)}

    def marks(self, cell: Cell) -> str:
        """Give the letters of a cell's notes."""
        return ",".join(dict.fromkeys(self.footnotes[note] for note in cell.notes))

    @cached_property
    def groups(self) -> tuple[tuple[str, int], ...]:
        """The heads above the heads with the number of columns each spans; empty if there are none."""
        spans: list[tuple[str, int]] = []
        for column in self.columns:
            if spans and spans[-1][0] == column.group and column.group:
                spans[-1] = (column.group, spans[-1][1] + 1)
            else:
                spans.append((column.group, 1))
        return tuple(spans) if any(name for name, _ in spans) else ()

    def at_most(self, most: int) -> Table:
        """Show no more rows than these: those that always stay, and the highest and lowest; and say where all are."""
        if len(self.rows) <= most:
            return self
        stay = [place for place, rank in enumerate(self.ranks) if rank is None][:most]
        ranked = sorted(
            (rank, place)
            for place, rank in enumerate(self.ranks)
            if rank is not None and not math.isnan(rank)
        )
        side = (most - len(stay)) // 2
        ends = {place for _, place in (*ranked[:side], *ranked[len(ranked) - side :])}
        chosen = sorted({*stay, *ends}) or range(most)
        told = f"{whole(len(chosen))} of {whole(len(self.rows))} rows are shown: {self.ranked_by or 'the first'}."
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
        longest = max(map(len, texts))
        if column.numeric:
            pieces = (piece for text in texts for piece in text.replace(" (", "\n(").split("\n"))
            return max(*map(len, pieces), head), max(longest, head)
        part = max(len(part) for text in texts for part in (*text.split(), ""))
        least = max(min(part, LONGEST), head, 6)
        return least, max(least, min(longest, LONGEST))


MOST_ROWS: Final = 60
"""Rows of a table in the report, at most, where they grow with organisations."""

LONGEST: Final = 46
"""Letters of words in a line of a column, at most."""

LONGEST_WORD: Final = 14
"""Letters of a word in a head that are not broken."""

Maker: TypeAlias = tuple[Column | Sequence[Column], Callable[[Any], Cell | Iterable[Cell]]]
"""A column, and the function that makes its cell for a row; or several beside each other, and that of their cells."""


def laid_out(
    title: str,
    rows: Iterable[Any],
    columns: Iterable[Maker | Literal[False]],
    data: pd.DataFrame,
    *notes: str,
    heads: int = 1,
    section: Callable[[Any], str] | None = None,
    ranked: tuple[str, Callable[[Any], float | None]] | Literal[False] = False,
) -> Table:
    """Lay out a table from what its rows describe and the makers of its columns; False leaves a column out.

    The catalogue names it, and says what its data are. `ranked` is for rows that grow with organisations: see `Table`.
    """
    shown, lines = [one for one in columns if one], list(rows)
    below = tuple(map(section, lines)) if section else ()
    return Table(
        "",
        title,
        tuple(column for some, _ in shown for column in ([some] if isinstance(some, Column) else some)),
        tuple(tuple(_cells(row, [make for _, make in shown])) for row in lines),
        data,
        notes,
        heads,
        below if any(below) else (),
        tuple(map(ranked[1], lines)) if ranked else (),
        ranked[0] if ranked else "",
    )


def _cells(row: Any, makers: Iterable[Callable[[Any], Cell | Iterable[Cell]]]) -> Iterator[Cell]:
    for make in makers:
        made = make(row)
        yield from [made] if isinstance(made, Cell) else made


def numbers(head: str, group: str = "", spoken: str = "") -> Column:
    """Make a column of numbers."""
    return Column(head, group, numeric=True, spoken=spoken)


def stacked(*frames: pd.DataFrame) -> pd.DataFrame:
    """Put frames below each other; what one has no column for is empty."""
    there = [frame for frame in frames if len(frame)]
    if not there:
        return frames[0]
    made = pd.concat(there, ignore_index=True)
    words = [name for name in made if any(name in one and not is_numeric_dtype(one[name]) for one in there)]
    return made.fillna(dict.fromkeys(words, ""))


def letters_of(place: int) -> str:
    """Give a note its letter: a, b, ... z, aa, ab, and so on."""
    more, last = divmod(place, 26)
    return (letters_of(more - 1) if more else "") + chr(ord("a") + last)


# --- cells --------------------------------------------------------------------------------------------------------


def is_withheld(row: Any, what: str) -> bool:
    """Whether a row of a released table lacks something because the disclosure rule withholds it.

    Parameters
    ----------
    row
        A row with its columns as attributes, or None.
    what
        A column. An `n` may be withheld beside an estimate that is shown.
    """
    if row is None or not (is_missing(value := getattr(row, what, None)) or value == ""):
        return False
    beside = what == "n" and not is_missing(getattr(row, "estimate", None))
    return beside or getattr(row, "status", "") == Status.WITHHELD


def known_or_withheld(frame: pd.DataFrame) -> pd.DataFrame:
    """Choose the rows whose estimate is released or withheld, not those that have none."""
    return frame[frame["estimate"].notna() | (frame["status"] == Status.WITHHELD)]


def number_cell(row: Any, what: str, written: Callable[[Any], str]) -> Cell:
    """Print a number of a row, or the sign that it is withheld, or a dash.

    Parameters
    ----------
    row
        A row with its columns as attributes, or None.
    what
        A column.
    written
        How a number is written.
    """
    if is_withheld(row, what):
        return HIDDEN
    value: Any = None if row is None else getattr(row, what, None)
    return NOTHING if is_missing(value) else Cell(written(value), as_float(value))


def count_cell(row: Any, what: str = "n") -> Cell:
    """Print a count."""
    return number_cell(row, what, whole)


def p_cell(row: Any, what: str = "p_adjusted") -> Cell:
    """Print a p-value."""
    return number_cell(row, what, p_value)


def count_and_percent(row: Any) -> Cell:
    """Print a count and its percentage as publications do, n (%), as far as they are not withheld."""
    n, percent = count_cell(row), number_cell(row, "percent", percentage)
    if n.text == percent.text:
        return n
    return replace(n, text=f"{n.text} ({percent.text})", more=(as_float(percent.value),))


def decimals_of(row: Any, most: int) -> int:
    """Count the decimals that an estimate warrants: to two figures of its standard error, `most` at most."""
    error = as_float(getattr(row, "std_error", None))
    if not math.isfinite(error) or error <= 0:
        return most
    return min(most, max(0, 1 - math.floor(math.log10(error))))


def estimate_cell(
    row: Any, labels: Labels, *, decimals: int = 2, signed: bool = False, bounds: bool = False
) -> Cell:
    """Print an estimate, with its interval if asked; a dash with the reason below where there is none.

    Parameters
    ----------
    decimals
        At most; fewer where it was released with fewer.
    """
    if row is None or is_missing(row.estimate):
        return without_estimate(row, labels)
    places = decimals_of(row, decimals)
    text = number(row.estimate, places, signed=signed)
    ends: tuple[float, ...] = ()
    if bounds and not is_missing(row.conf_low) and not is_missing(row.conf_high):
        text = f"{text} ({interval(row.conf_low, row.conf_high, decimals=places)})"
        ends = (float(row.conf_low), float(row.conf_high))
    note = STATUS.get(row.status, row.status.replace("_", " ")) if row.status != Status.OK else ""
    return Cell(text, as_float(row.estimate), ends, (sentence(note),) if note else ())


def without_estimate(row: Any, labels: Labels) -> Cell:
    """Say why there is no estimate."""
    if row is None:
        return NOTHING
    if row.status == Status.WITHHELD:
        return HIDDEN
    return NOTHING.noted(sentence(labels.readable(row.note) or STATUS.get(row.status, "")))


SIGNS: Final[Mapping[str, tuple[str, str]]] = {
    Decision.INCREASE: ("▲", "up"),
    Decision.DECREASE: ("▼", "down"),
    Decision.NO_MEANINGFUL_CHANGE: ("○", ""),
}
"""Decision -> sign and tone; what is inconclusive has none."""


def decided(cell: Cell, row: Any) -> Cell:
    """Put the sign of a decision in front of its estimate."""
    sign, tone = SIGNS.get(getattr(row, "decision", ""), ("", ""))
    return replace(cell, text=f"{sign} {cell.text}", tone=tone or cell.tone) if sign else cell


def differ(first: Cell, last: Cell, change: Cell) -> bool:
    """Whether a printed change is not the difference of the printed levels, where there are levels."""
    if is_missing(first.value) or is_missing(last.value):
        return False
    values = (cell.text.partition(" (")[0].lstrip("▲▼○ ") for cell in (first, last, change))
    before, after, moved = (Decimal(text.replace(MINUS, "-").replace(",", "")) for text in values)
    return after - before != moved


WEIGHTED: Final = "organisations weighted"
"""Begins what a note says of how everybody's estimate is made up."""


def parts_of(note: Any) -> list[str]:
    """Take a note apart."""
    return [] if is_missing(note) else [part for part in str(note).split("; ") if part]


def remarks(note: Any) -> list[str]:
    """Give what a contrast's note says of that contrast alone."""
    return [part for part in parts_of(note) if not part.startswith((WEIGHTED, LOW_RELIABILITY_MARK))]


def sentence(text: str) -> str:
    """Make a sentence of words."""
    text = text.strip()
    return f"{opening(text)}{'' if text.endswith(('.', '?', '!')) else '.'}" if text else ""


def weighted_note(frame: pd.DataFrame) -> str:
    """Say that counts and percentages are unweighted, where there are weighted ones."""
    there = any(name.startswith("weighted_") and frame[name].notna().any() for name in map(str, frame))
    return "Unweighted." if there else ""


def held(head: str) -> str:
    """Keep what stands in brackets on one line."""
    before, bracket, inside = head.partition("(")
    return f"{before}{bracket}{inside.replace(' ', chr(160))}"


def clearness(row: Any) -> float | None:
    """Rank a row by its estimate divided by its standard error; None for everybody together."""
    if row is not None and row.organisation == ALL:
        return None
    there = not (row is None or is_missing(row.estimate) or is_missing(row.std_error)) and row.std_error > 0
    return float(row.estimate) / float(row.std_error) if there else math.nan


def of_everybody(name: str) -> float | None:
    """Rank rows so that, of many organisations, those of everybody together are shown."""
    return None if name == ALL else math.nan


def who(names: Sequence[str], labels: Labels) -> str:
    """List organisations; of many, say how many of all they are."""
    everyone = labels.presentation.organisations
    if len(names) <= MANY:
        return listed([labels.organisation(name) for name in names])
    if len(names) == len(everyone):
        return f"all {whole(len(names))}"
    return f"{whole(len(names))} of {whole(len(everyone))} {labels.presentation.nouns.organisation[1]}"


MANY: Final = 6
"""Organisations that are named one by one, at most."""


def when(wave: str, labels: Labels) -> str:
    """Name the wave that an estimate describes, or for a change both, "first to last"."""
    sides = pair(wave)
    return f"{labels.wave(sides[1])} to {labels.wave(sides[0])}" if sides else labels.wave(wave)
