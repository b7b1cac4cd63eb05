"""A table as a grid of boxes, from which each form is written: heads above heads, heads of rows, sections."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

from surveywaves.tables.layout import Column, Table, held
from surveywaves.text import visible


@dataclass(frozen=True, slots=True)
class Box:
    """A cell of the grid."""

    text: str
    marks: str = ""
    """Display text without what no form can hold, and the letters of its notes."""
    scope: str = ""
    """What it is the head of, in the words of HTML: `col`, `colgroup`, `rowgroup`, `row`; empty: of nothing."""
    tone: str = ""
    """That of its `Cell`; `group` where it heads a section."""
    numeric: bool = False
    """Whether its column holds numbers."""
    across: int = 1
    down: int = 1
    """How many columns and rows it covers."""

    @property
    def bold(self) -> bool:
        """Whether it is to be seen at a glance."""
        return self.tone in _BOLD


_BOLD: Final = {"up", "down", "caution", "group"}


def heads(table: Table) -> list[list[Box]]:
    """Return the rows of heads: if some columns have a head above theirs, two."""
    own = iter(_head(column) for column in table.columns)
    if not table.groups:
        return [list(own)]
    above: list[Box] = []
    below: list[Box] = []
    for group, across in table.groups:
        if group:
            above.append(Box(visible(group), scope="colgroup", across=across))
            below += [next(own) for _ in range(across)]
        else:
            above.append(replace(next(own), down=2))
    return [above, below]


def _head(column: Column) -> Box:
    return Box(held(visible(column.head)), scope="col", numeric=column.numeric)


def body(table: Table) -> Iterator[list[Box]]:
    """Go through the rows: one across all columns where a section begins; equal heads of rows are one box."""
    rows, sections = table.rows, table.sections or ("",) * len(table.rows)
    down: dict[tuple[int, int], int] = {}
    for place in range(table.heads - 1):

        def alike(number: int, place: int = place) -> tuple[object, ...]:
            return (sections[number], *((cell.text, cell.notes) for cell in rows[number][: place + 1]))

        for _, same in groupby(range(len(rows)), alike):
            first, *others = same
            down[first, place] = 1 + len(others)
    for number, cells in enumerate(rows):
        if sections[number] and sections[number - 1 : number] != sections[number : number + 1]:
            yield [Box(visible(sections[number]), scope="colgroup", tone="group", across=len(cells))]
        row = []
        for place, (cell, column) in enumerate(zip(cells, table.columns, strict=True)):
            covers = down.get((number, place), 1 if place >= table.heads - 1 else 0)
            if covers:
                head = "" if place >= table.heads else "row" if covers == 1 else "rowgroup"
                row.append(
                    Box(visible(cell.text), table.marks(cell), head, cell.tone, column.numeric, down=covers)
                )
        yield row
