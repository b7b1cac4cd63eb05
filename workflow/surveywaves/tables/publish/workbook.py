"""All tables in one workbook, a sheet a table: numbers are numbers, shown as they are printed; no cell is run."""

from __future__ import annotations

import datetime as dt
import io
import math
import re
import zipfile
from collections.abc import Iterable
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
    """Write the workbook: the same bytes for the same tables.

    Parameters
    ----------
    tables
        Each with what its data are if not observed.
    """
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
    """Give a sheet a name of its own, of at most 31 letters."""
    if len(name) > _LONGEST:
        name = name.replace("percent_favourable", "percent")[:_LONGEST]
    chosen = name if name.lower() not in known else unique(name[: _LONGEST - 4].lower(), known)
    known.add(chosen.lower())
    return chosen


_LONGEST: Final = 31


def _sheet(book: Workbook, table: Table, demonstration: str, name: str) -> None:
    """Write one table: title, heads, rows, notes; what stands in brackets has columns of its own."""
    page = book.create_sheet(name)
    more = [
        max((len(row[place].more) for row in table.rows), default=0) for place in range(len(table.columns))
    ]
    columns = [*zip(table.columns, more, strict=True)]
    if table.sections:
        columns = [(Column(""), 0), *columns]
    heads = [head for column, extra in columns for head in _heads(column, extra)]
    named = table.heads + bool(table.sections)
    page.freeze_panes = f"{get_column_letter(named + 1)}{5 if table.groups else 4}"
    for place, (_, numeric) in enumerate(heads, start=1):
        page.column_dimensions[get_column_letter(place)].width = 13 if numeric else 36
    page.append([_put(page, table.title, bold=True)])
    page.append([_put(page, demonstration)])
    if table.groups:
        above = [column.group for column, extra in columns for _ in range(extra + 1)]
        first = [text if text not in above[place - 1 : place] else "" for place, text in enumerate(above)]
        page.append([_put(page, text, bold=True) for text in first])
    page.append([_put(page, head, bold=True, wrapped=True) for head, _ in heads])
    for number, row in enumerate(table.rows):
        cells = [_put(page, table.sections[number], wrapped=True)] if table.sections else []
        for cell, extra in zip(row, more, strict=True):
            cells += _cells(page, cell, table.marks(cell), extra)
        page.append(cells)
    page.append([])
    for note in (*(f"({letter}) {note}" for note, letter in table.footnotes.items()), *table.notes):
        page.append([_put(page, note)])


def _heads(column: Column, extra: int) -> list[tuple[str, bool]]:
    """Name a column and those that its brackets become."""
    head, _, inside = column.head.removesuffix(")").partition(" (")
    if not extra:
        return [(column.head, column.numeric)]
    return [
        (head, True),
        *((name, True) for name in ([inside or "%"], [f"{inside} low", f"{inside} high"])[extra - 1]),
    ]


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
