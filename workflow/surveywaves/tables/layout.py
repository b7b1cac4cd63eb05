"""The shape of a table for a page: cells of display text that keep the values behind them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from surveywaves.tables.words import WITHHELD, WITHHELD_MEANS, is_missing


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
        Sentences on how to read it. Where a number is withheld, what its sign means is added.
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
        if self._withholds and WITHHELD_MEANS not in self.about:
            object.__setattr__(self, "about", f"{self.about} {WITHHELD_MEANS}".strip())

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
