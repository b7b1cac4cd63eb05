"""Rows that do not all have as many cells as the header: which can be taken, and which are set aside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from surveywaves.ingest.column import Column
from surveywaves.ingest.problems import EVERY, SET_ASIDE, Problem
from surveywaves.ingest.raw import empty_row
from surveywaves.ingest.sheet import Body

BATCH: Final = 20_000
"""Rows that are held as lists before they become columns."""

Numbered = tuple[int, list[str]]


@dataclass(slots=True)
class _Taken:
    width: int
    parts: list[list[Column]] = field(default_factory=list)
    batch: list[list[str]] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)

    def add(self, row: int, cells: list[str]) -> None:
        self.rows.append(row)
        self.batch.append(cells)
        if len(self.batch) == BATCH:
            self.flush()

    def flush(self) -> None:
        if self.batch:
            self.parts.append([Column.of(cells) for cells in zip(*self.batch, strict=True)])
            self.batch = []

    def columns(self) -> list[Column]:
        self.flush()
        if not self.parts:
            return [Column.blank(0)] * self.width
        return [Column.join(cells) for cells in zip(*self.parts, strict=True)]


def read_ragged(rows: Iterable[Numbered], *, width: int) -> Body:
    """Make columns of rows of any length.

    - Blank cells beyond the last column are passed over, and that is said once a file.
    - A row with content beyond the last column is set aside: a delimiter stands unquoted somewhere in it, and all
      that follows it has moved.
    - A row that ends early keeps what it has (spreadsheets leave trailing blanks out), and is listed.
    - Rows that end early and together make one row of the right length are one row that a line end broke: they are
      set aside, for only the first piece begins where it should.
    - An empty line is an empty row.

    Parameters
    ----------
    rows
        Number and cells of each row.
    """
    taken = _Taken(width)
    aside: list[Problem] = []
    problems: list[Problem] = []
    short: list[Numbered] = []
    surplus: list[int] = []
    total = 0

    def settle_short() -> None:
        for group in broken_rows(short, width):
            row, cells = group[0]
            if len(group) > 1:
                aside.extend(_broken(number, found, group) for number, found in group)
            elif not cells:
                aside.append(empty_row(row))
            else:
                taken.add(row, cells + [""] * (width - len(cells)))
                problem = f"the row has {len(cells)} cells, the header {width}"
                problems.append(Problem(row, EVERY, "", problem, "missing cells taken as blank"))
        short.clear()

    for row, cells in rows:
        total += 1
        if len(cells) < width:
            short.append((row, cells))
            continue
        settle_short()
        if any(cell.strip() for cell in cells[width:]):
            problem = f"the row has {len(cells)} cells, the header {width}: a separator in an unquoted cell?"
            aside.append(Problem(row, EVERY, "", problem, SET_ASIDE))
            continue
        if len(cells) > width:
            surplus.append(row)
        taken.add(row, cells[:width])
    settle_short()
    if surplus:
        problem = f"blank cells beyond the last column in {len(surplus)} rows, first in row {surplus[0]}"
        problems.append(Problem(None, EVERY, "", problem, "passed over"))
    return Body(taken.columns(), np.array(taken.rows, dtype=np.int64), total, aside, problems)


def broken_rows(short: Sequence[Numbered], width: int) -> list[list[Numbered]]:
    """Group consecutive short rows: those that join to one row of the right length, each other one by itself."""
    groups = []
    place = 0
    while place < len(short):
        joined, end = _pieces(short, place, width)
        groups.append(list(short[place:end]) if joined else [short[place]])
        place = end if joined else place + 1
    return groups


def _pieces(short: Sequence[Numbered], place: int, width: int) -> tuple[bool, int]:
    """Say whether the rows from a place on join to a full row, and where such a row would end."""
    if not short[place][1]:
        return False, place + 1
    cells = len(short[place][1])
    for end in range(place + 1, len(short)):
        # Two pieces share the cell that was broken.
        cells += max(len(short[end][1]), 1) - 1
        if cells == width:
            return True, end + 1
        if cells > width:
            break
    return False, place + 1


def _broken(row: int, cells: list[str], group: Sequence[Numbered]) -> Problem:
    problem = f"rows {group[0][0]} to {group[-1][0]} look like one row that an unquoted line end broke"
    return Problem(row, EVERY, "", f"{problem} ({len(cells)} cells here)", SET_ASIDE)
