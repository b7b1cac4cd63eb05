"""A sheet of cells before anybody knows where its header ends: what delimited text and worksheets have in common."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Protocol

from surveywaves.ingest.raw import Column, Problem, Rows, Source

TOP: Final = 60
"""Rows that are looked at to find the header."""


@dataclass(slots=True)
class Body:
    """The rows below a header.

    Parameters
    ----------
    columns
        One a column of the sheet, as many as were asked for or more.
    rows
        The number of each row, as a spreadsheet has it.
    total
        Rows there are, the empty ones at the end left out; each is in `rows` or in `aside`.
    aside
        Rows that could not be taken: one problem a row.
    problems
        All else that was amiss with rows.
    cells
        What was amiss with cells: place of the column, and a problem that does not know the column's name yet.
    """

    columns: list[Column]
    rows: Rows
    total: int
    aside: list[Problem] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    cells: list[tuple[int, Problem]] = field(default_factory=list)


class Sheet(Protocol):
    """Rows of cells, numbered from 1, header and all."""

    @property
    def source(self) -> Source:
        """Give the file."""

    @property
    def top(self) -> list[list[str]]:
        """Give the first rows, trimmed, blanks as ""; a row ends with its last cell."""

    @property
    def problems(self) -> list[Problem]:
        """Give what is amiss with the sheet as a whole."""

    def merged(self, row: int) -> list[str]:
        """List the ranges of cells merged across columns in a row (from 0)."""

    def body(self, first: int, width: int) -> Body:
        """Read the rows from a given one on (from 0) into at least `width` columns."""
