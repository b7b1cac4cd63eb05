"""All tables in one workbook, a sheet a table: numbers are numbers, shown as they are printed; no cell is run."""

from __future__ import annotations

import datetime as dt
import io
import math
import re
import zipfile
from collections.abc import Iterable
from copy import copy
from functools import lru_cache
from typing import Any, Final

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.writer.excel import ExcelWriter

from surveywaves.files import undated_zip
from surveywaves.tables.layout import Cell, Column, Table
from surveywaves.text import visible
from surveywaves.words import MINUS

_MADE: Final = dt.datetime(1980, 1, 1)
_BOLD: Final = Font(bold=True)
_WRAPPED: Final = Alignment(wrap_text=True, vertical="top")
_TOP: Final = Alignment(vertical="top")
_NUMBER: Final = re.compile(rf"([▲▼○<]? ?)([{MINUS}+]?)([\d,]*)(?:\.(\d+))?(?: \(.*\))?")
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
    _first.cache_clear()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        ExcelWriter(book, archive).write_data()
    return undated_zip(buffer.getvalue())


def _name(name: str, known: set[str]) -> str:
    """Give a sheet a name of its own, of at most 31 letters."""
    short = (
        name
        if len(name) <= _LONGEST
        else name.replace("percent_favourable", "percent").replace("_by_organisation", "_by")
    )
    chosen, number = short[:_LONGEST], 2
    while chosen.lower() in known:
        chosen, number = f"{short[: _LONGEST - len(str(number)) - 1]}_{number}", number + 1
    known.add(chosen.lower())
    return chosen


_LONGEST: Final = 31


def _sheet(book: Workbook, table: Table, demonstration: str, name: str) -> None:
    """Write one table: title, heads, rows, notes; what stands in brackets has columns of its own."""
    page = book.create_sheet(name)
    more = [
        max((len(row[place].more) for row in table.rows), default=0) for place in range(len(table.columns))
    ]
    sections = [Column("")] if table.sections else []
    columns = [(column, 0) for column in sections] + list(zip(table.columns, more, strict=True))
    heads = [head for column, extra in columns for head in _heads(column, extra)]
    page.freeze_panes = f"{get_column_letter(len(sections) + table.heads + 1)}{5 if table.groups else 4}"
    for place, (_, numeric) in enumerate(heads, start=1):
        page.column_dimensions[get_column_letter(place)].width = 13 if numeric else 36
    page.append([_text(page, table.title, bold=True)])
    page.append([_text(page, demonstration)] if demonstration else [])
    if table.groups:
        above = [column.group for column, extra in columns for _ in range(extra + 1)]
        shown = ["" if place and text == above[place - 1] else text for place, text in enumerate(above)]
        page.append([_text(page, text, bold=True) for text in shown])
    page.append([_text(page, head, bold=True, wrapped=True) for head, _ in heads])
    for number, row in enumerate(table.rows):
        cells = [_text(page, table.sections[number], wrapped=True)] if table.sections else []
        for cell, extra in zip(row, more, strict=True):
            cells += _cells(page, cell, table.marks(cell), extra)
        page.append(cells)
    page.append([])
    for note, letter in table.footnotes.items():
        page.append([_text(page, f"({letter}) {note}")])
    for note in table.notes:
        page.append([_text(page, note)])


def _heads(column: Column, extra: int) -> list[tuple[str, bool]]:
    """Name a column and those that its brackets become."""
    head, _, inside = column.head.partition(" (")
    inside = inside.removesuffix(")")
    if not extra:
        return [(column.head, column.numeric)]
    if extra > 1:
        return [(head, True), (f"{inside} low", True), (f"{inside} high", True)]
    return [(head, True), (inside or "%", True)]


def _text(page: Any, text: str, *, bold: bool = False, wrapped: bool = False) -> Any:
    """Write words; what begins as a formula does stays words, in the sheet and when somebody edits it."""
    shown = visible(text)
    cell = _cell(page, shown, bold=bold, wrapped=wrapped, quoted=bool(shown))
    if shown:
        cell.data_type = "s"
    return cell


def _cells(page: Any, cell: Cell, marks: str, extra: int) -> list[Any]:
    """Write a cell, and the numbers in its brackets beside it."""
    found = _NUMBER.fullmatch(cell.text)
    if cell.value is None or math.isnan(cell.value) or found is None or "%" in cell.text:
        text = f"{cell.text} ({marks})" if marks else cell.text
        return [_text(page, text, wrapped=cell.value is None), *([_text(page, "")] * extra)]
    decimals = len(found[4] or "")
    places = "0" + ("." + "0" * decimals if decimals else "")
    signed = f"+{places};-{places};{places}" if found[2] else f"#,##{places}"
    sign, letters = found[1].strip(), f'" ({marks})"' if marks else ""
    shown = ";".join(
        f"{f'{chr(34)}{sign} {chr(34)}' if sign else ''}{part}{letters}" for part in signed.split(";")
    )
    written = [_number(page, cell.value, shown)]
    plain = f"#,##{places}" if extra > 1 else "0.0" if "(" in cell.text and extra == 1 else "0"
    written += [_number(page, value, plain) for value in cell.more]
    return written + [_text(page, "")] * (extra - len(cell.more))


def _number(page: Any, value: float, shown: str) -> Any:
    return _cell(
        page, None if math.isnan(value) else int(value) if value == int(value) else value, shown=shown
    )


def _cell(page: Any, value: Any, **look: Any) -> Any:
    """Write a copy of the first cell of a look: openpyxl takes longer to set the look than to make the cell."""
    cell = copy(_first(page.parent, tuple(look.items())))
    cell.parent, cell.value = page, value
    return cell


@lru_cache(maxsize=256)
def _first(book: Workbook, look: tuple[tuple[str, Any], ...]) -> Any:
    """Make the cell that all others of a look are copies of."""
    about = dict(look)
    cell = WriteOnlyCell(book.worksheets[0])
    cell.alignment = _WRAPPED if about.get("wrapped") else _TOP
    cell.quotePrefix = about.get("quoted", False)
    if about.get("bold"):
        cell.font = _BOLD
    cell.number_format = about.get("shown", "General")
    return cell
