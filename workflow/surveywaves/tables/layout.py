"""The shape of a table for a page: cells of display text that keep the values behind them.

Cells for numbers hold the number, its sign where it is withheld, or in words why there is none.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import pandas as pd

from surveywaves.terms import Status
from surveywaves.words import (
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
    p_value,
    percentage,
    whole,
)


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: what is printed, what it sorts by, what is said below the table, and how it looks.

    Parameters
    ----------
    text
        Display text.
    value
        Number or text it sorts by; None: the text.
    notes
        Notes below the table, in words.
    tone
        ``muted`` (no number), ``caution`` (mind the note), ``up``, ``down`` or "".
    """

    text: str
    value: float | str | None = None
    notes: tuple[str, ...] = ()
    tone: str = ""

    @property
    def key(self) -> float | str | None:
        """What the cell sorts by."""
        return self.text if self.value is None else None if is_missing(self.value) else self.value


NOTHING: Final = Cell(NONE, math.nan, tone="muted")
"""Where there is nothing to print."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its head, the head above it and its neighbours', and whether it holds numbers."""

    head: str
    group: str = ""
    numeric: bool = False
    spoken: str = ""
    """What an abbreviated head stands for."""


@dataclass(frozen=True)
class Table:
    """A table for a page.

    Parameters
    ----------
    name
        Name for links and downloads.
    title
        What it shows: its caption.
    columns, rows
        As printed; the first `heads` columns name the row.
    data
        The tidy rows it was made from.
    about
        Sentences on how to read it. What the signs of statements scored the other way, and of numbers withheld, mean
        is added.
    evidence
        What the data in it are, one sentence a wave.
    flat
        Every row stands for itself, so that rows can be sorted and searched.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    data: pd.DataFrame = field(default_factory=pd.DataFrame)
    about: str = ""
    evidence: tuple[str, ...] = ()
    heads: int = 1
    flat: bool = True

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"table {self.name}: a row has not {len(self.columns)} cells")
        for stands, means in ((self._reverses, REVERSED_MEANS), (self._withholds, WITHHELD_MEANS)):
            if stands and means not in self.about:
                object.__setattr__(self, "about", f"{self.about} {means}".strip())

    @property
    def _reverses(self) -> bool:
        """Whether a statement in it is scored the other way."""
        return any(cell.text.startswith(REVERSED) for row in self.rows for cell in row[: self.heads])

    @property
    def _withholds(self) -> bool:
        """Whether a number in it is withheld; words may hold the same signs."""
        numbers = [place for place, column in enumerate(self.columns) if column.numeric]
        return any(WITHHELD in self.columns[place].head for place in numbers) or any(
            WITHHELD in row[place].text for row in self.rows for place in numbers
        )

    @cached_property
    def text(self) -> pd.DataFrame:
        """The table as printed; a column with a head above it is named `above: head`."""
        return self._frame(lambda cell: cell.text)

    @cached_property
    def raw(self) -> pd.DataFrame:
        """The values behind the cells, in the same shape as `text`."""
        return self._frame(lambda cell: cell.key)

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """The notes below the table, each once, in the order they are met."""
        return tuple(dict.fromkeys(note for row in self.rows for cell in row for note in cell.notes))

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

    def _frame(self, of: Callable[[Cell], Any]) -> pd.DataFrame:
        heads = [f"{column.group}: {column.head}" if column.group else column.head for column in self.columns]
        frame = pd.DataFrame([[of(cell) for cell in row] for row in self.rows], columns=range(len(heads)))
        return frame.set_axis(heads, axis="columns")


def is_withheld(row: Any, what: str) -> bool:
    """Whether a row of a released table lacks something because the disclosure rule withholds it.

    Parameters
    ----------
    row
        A row with its columns as attributes, or None.
    what
        A column. An `n` may be withheld beside an estimate that is shown.
    """
    if row is None or not (is_missing(value := getattr(row, what)) or value == ""):
        return False
    beside = what == "n" and not is_missing(getattr(row, "estimate", None))
    return beside or getattr(row, "status", "") == Status.WITHHELD


def withheld_cell() -> Cell:
    """Print that a number is withheld."""
    return Cell(WITHHELD, float("nan"), tone="muted")


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
        return withheld_cell()
    value: Any = None if row is None else getattr(row, what)
    if is_missing(value):
        return NOTHING
    return Cell(written(value), as_float(value))


def count_and_percent(row: Any, *, by_weight: bool = False) -> Cell:
    """Print a count and its percentage as publications do, n (%), as far as they are not withheld; sorts by the latter.

    Parameters
    ----------
    row
        With `n` and `percent`, or None.
    by_weight
        Whether the weighted percentage stands beside, if there is one.
    """
    if row is None:
        return NOTHING
    n, percent = number_cell(row, "n", whole), number_cell(row, "percent", percentage)
    if n.text == percent.text:
        return n
    weighted = as_float(getattr(row, "weighted_percent", None)) if by_weight else math.nan
    beside = "" if math.isnan(weighted) else f"; weighted {percentage(weighted)}"
    return Cell(f"{n.text} ({percent.text}{beside})", percent.value)


def weighted_beside(frame: pd.DataFrame) -> str:
    """Note that weighted percentages stand beside the others, if they do."""
    there = any(name.startswith("weighted_") and frame[name].notna().any() for name in map(str, frame))
    return (
        " Counts and percentages are unweighted; by the sampling weights where it says so." if there else ""
    )


def interval_cell(row: Any, *, decimals: int = 2) -> Cell:
    """Print the interval of an estimate; it sorts by its lower end."""
    return number_cell(row, "conf_low", lambda low: interval(low, row.conf_high, decimals=decimals))


def p_cell(row: Any, what: str) -> Cell:
    """Print a p-value."""
    return number_cell(row, what, p_value)


def decimals_of(row: Any, most: int) -> int:
    """Count the decimals that an estimate and its interval were released with, at most as many as asked for."""
    values = [
        as_float(getattr(row, name, None)) for name in ("estimate", "std_error", "conf_low", "conf_high")
    ]
    shown = [value for value in values if math.isfinite(value)] or [math.pi]
    fits = (places for places in range(most) if all(round(value, places) == value for value in shown))
    return next(fits, most)


def side_of_zero(row: Any, labels: Labels, *, with_estimate: bool = False) -> Cell:
    """Say where a contrast's interval lies, with a sign that does not depend on colour."""
    if row is None or is_missing(row.conf_low) or is_missing(row.conf_high) or is_missing(row.estimate):
        return status_cell(getattr(row, "status", ""), labels.readable(getattr(row, "note", "")))
    side = (int(row.conf_low > 0) - int(row.conf_high < 0)) if row.conf_low <= row.conf_high else 0
    sign, words, tone = {1: ("▲", "above zero", "up"), -1: ("▼", "below zero", "down")}.get(
        side, ("○", "includes zero", "")
    )
    if with_estimate:
        return Cell(f"{sign} {number(row.estimate, signed=True)}", as_float(row.estimate), tone=tone)
    return Cell(f"{sign} {words}", words, tone=tone)


def estimate_cell(
    row: Any, labels: Labels, *, with_interval: bool = False, signed: bool = False, decimals: int = 2
) -> Cell:
    """Print an estimate, with its interval if asked; or why there is none."""
    if row is None:
        return NOTHING
    if is_missing(row.estimate):
        return status_cell(row.status, labels.readable(row.note))
    text = number(row.estimate, signed=signed, decimals=decimals)
    if with_interval and not is_missing(row.conf_low):
        text = f"{text} ({interval(row.conf_low, row.conf_high, decimals=decimals)})"
    status = "" if row.status == Status.OK else STATUS.get(row.status, row.status)
    said = ": ".join(filter(None, (status, labels.readable(row.note))))
    return Cell(text, as_float(row.estimate), (said,) if said else (), "caution" if status else "")


def status_cell(status: str, note: str) -> Cell:
    """Say why there is no number; of one that is withheld, the sign says it all."""
    if status == Status.WITHHELD:
        return withheld_cell()
    if not status or status == Status.OK:
        return Cell(NONE, float("nan"), (note,) if note else (), "muted")
    return Cell(STATUS.get(status, status), float("nan"), (note,) if note else (), "muted")
