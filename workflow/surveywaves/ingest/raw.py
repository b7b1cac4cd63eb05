"""What a reader is given and what it gives: a file to read, and its cells as text with all that was amiss."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from surveywaves.errors import Mistake, RawFileError
from surveywaves.ingest.column import Column
from surveywaves.ingest.problems import EVERY, SET_ASIDE, Problem
from surveywaves.study.models import Layout

Rows = NDArray[np.int64]

CONTROL: Final = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x7F]"
"""Characters that no survey answer holds; tabs and line ends may stand in a comment."""
REPLACEMENT: Final = "\ufffd"


@dataclass(frozen=True, slots=True)
class Source:
    """A raw file and how to read it.

    Parameters
    ----------
    name
        The path as the study configures it: what errors and tables call the file.
    path
        Where the file lies.
    """

    name: str
    path: Path
    layout: Layout

    def mistake(
        self, what: str, hint: str = "", *, row: int | None = None, column: str | None = None
    ) -> Mistake:
        """Name a mistake in the file."""
        where = self.name
        if row is not None:
            where += f": row {row}"
        if column is not None:
            where += f": column `{column}`"
        return Mistake(where, what, hint)

    def error(
        self, what: str, hint: str = "", *, row: int | None = None, column: str | None = None
    ) -> RawFileError:
        """Make the error of one mistake in the file."""
        return RawFileError(self.mistake(what, hint, row=row, column=column))


@dataclass(slots=True)
class RawTable:
    """A raw file as text.

    Parameters
    ----------
    names
        Full names of the raw columns: unique, none empty.
    columns
        One a name, all of one length.
    rows
        For each row its number in the file, as a spreadsheet numbers it.
    rows_in
        Rows that the file holds below its header, however many became a row here.
    aside
        Rows that did not: one problem a row. ``len(rows) + len(aside) == rows_in``.
    problems
        All else that was not taken as it stood.
    personal
        Names of columns that identify a person: they are read to exclude test responses, and no further.
    labels
        For each column the question in words, where the file has it apart from the name.
    value_labels
        For each column what its codes are labelled, where the file says so.
    """

    names: list[str]
    columns: list[Column]
    rows: Rows
    rows_in: int
    aside: list[Problem] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    personal: frozenset[str] = frozenset()
    labels: dict[str, str] = field(default_factory=dict)
    value_labels: dict[str, dict[str, str]] = field(default_factory=dict)

    def keep(self, kept: NDArray[np.bool_], aside: Sequence[Problem]) -> None:
        """Keep some rows; the others are set aside, a problem for each."""
        if len(aside) != int((~kept).sum()):
            raise RuntimeError(f"{(~kept).sum()} rows go, {len(aside)} are accounted for")
        if not aside:
            return
        self.columns = [column.take(kept) for column in self.columns]
        self.rows = self.rows[kept]
        self.aside.extend(aside)

    def drop_columns(self, names: frozenset[str]) -> None:
        """Leave columns out."""
        kept = [place for place, name in enumerate(self.names) if name not in names]
        self.names = [self.names[place] for place in kept]
        self.columns = [self.columns[place] for place in kept]


def settle(table: RawTable) -> RawTable:
    """Do what is the same for every format: take control characters out, set rows without any content aside."""
    for place, name in enumerate(table.names):
        column, problems = _without_control(table.columns[place], name, table.rows)
        table.columns[place] = column
        table.problems.extend(problems)
    empty = np.ones(len(table.rows), dtype=np.bool_)
    for column in table.columns:
        empty &= ~column.filled
        if not empty.any():
            return table
    table.keep(~empty, [empty_row(int(row)) for row in table.rows[empty]])
    return table


def empty_row(row: int) -> Problem:
    """Account for a row without content."""
    return Problem(row, EVERY, "", "empty row", SET_ASIDE)


def _without_control(column: Column, name: str, rows: Rows) -> tuple[Column, list[Problem]]:
    """Take characters out that no answer holds, cell by cell accounted for."""
    dirty = pc.match_substring_regex(column.texts, CONTROL).to_numpy(zero_copy_only=False)
    damaged = pc.match_substring(column.texts, REPLACEMENT).to_numpy(zero_copy_only=False)
    if not (dirty.any() or damaged.any()):
        return column, []
    texts = column.listed()
    problems = []
    for place in np.flatnonzero(np.append(dirty | damaged, False)[column.codes]):
        code = column.codes[place]
        problem, action = (
            ("control characters", "taken out")
            if dirty[code]
            else ("a character was lost before the file came here (U+FFFD)", "kept as it stands")
        )
        problems.append(Problem(int(rows[place]), name, texts[code], problem, action))
    if not dirty.any():
        return column, problems
    return column.with_texts([re.sub(CONTROL, "", text) for text in texts]), problems
