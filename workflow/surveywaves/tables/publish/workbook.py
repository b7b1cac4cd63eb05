"""All tables in one workbook, a sheet a table: numbers are numbers, shown as they are printed; no cell is run."""

from __future__ import annotations

import datetime as dt
import io
import math
import re
import zipfile
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from typing import Any, Final

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.writer.excel import ExcelWriter

from surveywaves.files import undated_zip
from surveywaves.tables.layout import Cell, Column, Table
from surveywaves.text import unique, visible
from surveywaves.words import MINUS

_MADE: Final = dt.datetime(1980, 1, 1)
_BOLD: Final = Font(bold=True)
_WRAPPED, _TOP = (Alignment(wrap_text=wrapped, vertical="top") for wrapped in (True, False))
_NUMBER: Final = re.compile(rf"([▲▼○] |<|)([{MINUS}+]?)[\d,]*(?:\.(\d+))?(?: \(.*\))?")
"""A printed number: the sign of a decision, its own sign, its decimals, and what stands in brackets behind it."""


def workbook(tables: Iterable[tuple[Table, str]]) -> bytes:
    """Write tables, each with what its data are if not observed: the same bytes for the same tables."""
    book = Workbook(write_only=True)
    book.properties.created = book.properties.modified = _MADE
    book.properties.creator = "surveywaves"
    known: set[str] = set()
    for table, demonstration in tables:
        _sheet(book, table, demonstration, _name(table.name, known))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        ExcelWriter(book, archive).write_data()
    return undated_zip(buffer.getvalue())


def _name(name: str, known: set[str]) -> str:
    """Return a unique name for a sheet, of at most 31 letters."""
    if len(name) > _LONGEST:
        name = name.replace("percent_favourable", "percent")[:_LONGEST]
    chosen = name if name.lower() not in known else unique(name[: _LONGEST - 4].lower(), known)
    known.add(chosen.lower())
    return chosen


_LONGEST: Final = 31


def _sheet(book: Workbook, table: Table, demonstration: str, name: str) -> None:
    """Write one table: title, heads, rows, notes; what stands in brackets has columns of its own."""
    if table.sections:
        rows = zip(table.sections, table.rows, strict=True)
        named = tuple((Cell(section), *cells) for section, cells in rows)
        table = replace(
            table, columns=(Column(""), *table.columns), rows=named, heads=table.heads + 1, sections=()
        )
    page = book.create_sheet(name)
    more = [max((len(cell.more) for cell in cells), default=0) for cells in zip(*table.rows, strict=True)]
    more = more or [0] * len(table.columns)
    columns = [
        (head, column)
        for column, extra in zip(table.columns, more, strict=True)
        for head in _heads(column.head, extra)
    ]
    page.freeze_panes = f"{get_column_letter(table.heads + 1)}{5 if table.groups else 4}"
    for place, (_, column) in enumerate(columns, start=1):
        page.column_dimensions[get_column_letter(place)].width = 13 if column.numeric else 36
    page.append([_put(page, table.title, bold=True)])
    page.append([_put(page, demonstration)])
    if table.groups:
        above = ["", *(column.group for _, column in columns)]
        page.append(
            [_put(page, text if text != before else "", bold=True) for before, text in pairwise(above)]
        )
    page.append([_put(page, head, bold=True, wrapped=True) for head, _ in columns])
    for row in table.rows:
        cells = zip(row, more, strict=True)
        page.append([one for cell, extra in cells for one in _cells(page, cell, table.marks(cell), extra)])
    page.append([])
    for letter, note in table.below:
        page.append([_put(page, f"({letter}) {note}" if letter else note)])


def _heads(head: str, extra: int) -> list[str]:
    """Name a column and those that its brackets become."""
    own, _, inside = head.removesuffix(")").partition(" (")
    return [[head], [own, inside or "%"], [own, f"{inside} low", f"{inside} high"]][extra]


def _cells(page: Any, cell: Cell, marks: str, extra: int) -> list[Any]:
    """Write a cell, and the numbers in its brackets beside it."""
    found = _NUMBER.fullmatch(cell.text)
    if cell.value is None or math.isnan(cell.value) or found is None:
        text = f"{cell.text} ({marks})" if marks else cell.text
        return [_put(page, text, wrapped=cell.value is None), *(_put(page, "") for _ in range(extra))]
    digits = f"0.{'0' * len(found[3])}" if found[3] else "0"
    parts = [f"+{digits}", f"-{digits}", digits] if found[2] else [f"#,##{digits}"]
    before, behind = f'"{found[1]}"' if found[1] else "", f'" ({marks})"' if marks else ""
    beside = f"#,##{digits}" if extra > 1 else "0.0" if "(" in cell.text else "0"
    return [
        _put(page, cell.value, shown=";".join(f"{before}{part}{behind}" for part in parts)),
        *(_put(page, value, shown=beside) for value in cell.more),
        *(_put(page, "") for _ in range(extra - len(cell.more))),
    ]


def _put(
    page: Any, value: str | float, *, bold: bool = False, wrapped: bool = False, shown: str = "General"
) -> Any:
    """Make a cell; what begins as a formula does stays words, in the sheet and when somebody edits it."""
    words = isinstance(value, str)
    kept: Any = visible(value) if isinstance(value, str) else None if math.isnan(value) else value
    cell = WriteOnlyCell(page, kept)
    cell.alignment = _WRAPPED if wrapped else _TOP
    if words and kept:
        cell.data_type, cell.quotePrefix = "s", True
    if bold:
        cell.font = _BOLD
    cell.number_format = shown
    return cell
