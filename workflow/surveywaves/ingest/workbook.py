"""A worksheet of an Excel workbook as a sheet."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

import numpy as np
import openpyxl
import pyarrow as pa
from openpyxl.utils import get_column_letter, range_boundaries

from surveywaves.errors import RawFileError
from surveywaves.ingest.raw import (
    BROKEN,
    TOP,
    Column,
    Problem,
    RawTable,
    Sheet,
    Source,
    object_text,
    set_aside,
)
from surveywaves.ingest.signature import PACKED, UNPACKED
from surveywaves.terms import EVERY
from surveywaves.text import did_you_mean, few

ERROR_VALUES: Final = frozenset(
    {"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#GETTING_DATA", "#SPILL!", "#CALC!"}
)
EXACT: Final = 10**15
"""Excel keeps 15 digits of a number; a longer one was rounded when it was typed in or opened."""
SHOWN: Final = 5
FAR: Final = 10_000
"""Empty rows, and a tenth of that empty columns, after which a cell is a slip of the mouse and not an answer."""

# openpyxl does not catch the errors of a damaged workbook: lxml's XMLSyntaxError is a SyntaxError as well.
DAMAGED: Final = (*BROKEN, zipfile.BadZipFile, zlib.error, EOFError, SyntaxError, NotImplementedError)
_FORMULA: Final = re.compile(rb"<(?:\w+:)?f[ />]")
_ROW: Final = re.compile(rb"<(?:\w+:)?row(?P<about>\s[^>]*)?>")
_NUMBER: Final = re.compile(rb'\sr="(\d+)"')
_HIDDEN: Final = re.compile(rb'\shidden="(?:1|true)"')
_COLUMN: Final = re.compile(rb'<(?:\w+:)?col(?=\s)(?=[^>]*\shidden="(?:1|true)")[^>]*>')
_BOUNDS: Final = re.compile(rb'\s(min|max)="(\d+)"')
_MERGED: Final = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*ref=\"([A-Z0-9:]+)\"")
_TOP: Final = 1 << 16
_STRICT: Final = {
    b"http://purl.oclc.org/ooxml/officeDocument/relationships": b"http://schemas.openxmlformats.org/officeDocument/2006/"
    b"relationships",
    b"http://purl.oclc.org/ooxml/spreadsheetml/main": b"http://schemas.openxmlformats.org/spreadsheetml/2006/main",
}
"""Names of strict Open XML -> those of transitional Open XML, which openpyxl reads."""
_ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")


EVERY_SHEET: Final = "*"
"""Value of `sheet` in a layout for all worksheets with content."""


def read_worksheets(source: Source) -> list[Worksheet]:
    """Read the worksheet that a layout names, or the only one with content, or all of them.

    Raises
    ------
    RawFileError
        If there is no such worksheet, or several and the layout names none, or the workbook is damaged.
    """
    with opened(source) as (archive, book):
        if (bad := archive.testzip()) is not None:
            raise zipfile.BadZipFile(f"checksum of {bad}")
        chosen, others = _choose(source, book)
        if source.layout.sheet != EVERY_SHEET:
            return [Worksheet(source, archive, chosen[0], others)]
        form = "{} [{}]" if len(chosen) > 1 else "{}"
        parts = [
            replace(source.having(sheet=one.title), name=form.format(source.name, one.title))
            for one in chosen
        ]
        return [Worksheet(part, archive, one, "") for part, one in zip(parts, chosen, strict=True)]


def _choose(source: Source, book: Any) -> tuple[list[Any], str]:
    """Return the worksheets to be read, and the names of the others with content."""
    wanted = source.layout.sheet
    sheets = {sheet.title: sheet for sheet in book.worksheets}
    filled = [title for title, sheet in sheets.items() if _filled(sheet)]
    named = ", ".join(f"`{title}`" for title in sheets) or "none"
    if wanted not in {None, EVERY_SHEET, *sheets}:
        hint = did_you_mean(wanted or "", sheets, f"it has {named}")
        raise source.error(f"has no worksheet `{wanted}`", hint)
    if not filled:
        raise source.error(f"has no worksheet with content (looked in {named})")
    if wanted == EVERY_SHEET:
        return [sheets[title] for title in filled], ""
    others = ", ".join(f"`{title}`" for title in filled if title != wanted)
    if wanted is None and len(filled) > 1:
        hint = 'say `sheet:` in the layout; `sheet: "*"` is all of them'
        raise source.error(f"has {len(filled)} worksheets with content: {others}", hint)
    return [sheets[wanted or filled[0]]], others if wanted else ""


class Worksheet(Sheet):
    """A worksheet, read whole."""

    def __init__(self, source: Source, archive: zipfile.ZipFile, sheet: Any, others: str) -> None:
        self.source = source
        self.problems: list[Problem] = []
        self._rounded: list[tuple[int, int, str]] = []
        self._rows = list(self._near(_values(sheet)))
        xml = archive.read(sheet._worksheet_path)
        self._hidden = list(_hidden_rows(xml))
        named = [found.decode("ascii") for found in _MERGED.findall(xml)]
        self._ranges = [(one, [int(bound or 0) for bound in range_boundaries(one)]) for one in named]
        if others:
            self.problems.append(Problem(None, EVERY, others, "other worksheets with content", "not read"))
        bounds = [dict(_BOUNDS.findall(one)) for one in _COLUMN.findall(xml)]
        hidden = [at for one in bounds for at in range(int(one.get(b"min", 1)), int(one.get(b"max", 0)) + 1)]
        hidden = [at for at in hidden if any(len(row) >= at and row[at - 1] for row in self._rows)]
        if hidden:
            shown = few([get_column_letter(at) for at in hidden], SHOWN)
            self.problems.append(Problem(None, EVERY, shown, "hidden columns", "read like the others"))
        if _FORMULA.search(xml):
            self._refuse_uncalculated(sheet.title)

    @property
    def top(self) -> list[list[str]]:
        """Return the first rows."""
        return [[(cell or "").strip() for cell in row] for row in self._rows[:TOP]]

    def merged(self, row: int) -> list[str]:
        """List the ranges of cells merged across columns in a row (from 0)."""
        return [
            one for one, (left, top, right, last) in self._ranges if left < right and top <= row + 1 <= last
        ]

    def body(self, first: int, width: int) -> RawTable:
        """Read the rows from a given one on, with as many columns as the longest row."""
        filled_in = list(self._fill_merged(first))
        numbers = np.arange(first, len(self._rows), dtype=np.int64) + 1
        hidden = np.isin(numbers, [number for number in self._hidden if any(self._rows[number - 1])])
        left_out = hidden & (self.source.layout.hidden_rows == "left_out")
        rows = [self._rows[number - 1] for number in numbers[~left_out]]
        width = max([width, *(len(row) for row in rows)])
        filled = {place for row in rows for place, cell in enumerate(row) if cell}
        columns = [
            Column.of_arrow(pa.array((row[place] if place < len(row) else None for row in rows), pa.string()))
            if place in filled
            else Column.blank(len(rows))
            for place in range(width)
        ]
        body = RawTable([], columns, numbers[~left_out], len(numbers), problems=filled_in)
        body.problems += self._below(first, columns, body.rows)
        body.aside += [set_aside(int(number), "hidden in the worksheet") for number in numbers[left_out]]
        if hidden.any() and not left_out.any():
            said = f"hidden rows: {hidden.sum()}, the first is row {numbers[hidden][0]}"
            if self.source.layout.hidden_rows is None:
                body.asked["hidden_rows"] = f"{said} (a filter?); `read` or `left_out`"
            body.problems.append(Problem(None, EVERY, "", said, "read like the others"))
        return body

    def _fill_merged(self, first: int) -> Iterator[Problem]:
        """Fill cells merged down a column with their value, which applies to all of these rows."""
        for one, (left, top, right, end) in self._ranges:
            bottom = min(end, len(self._rows))
            if top <= first or top > bottom:
                continue
            value = self._rows[top - 1][left - 1] if left <= len(self._rows[top - 1]) else None
            if left < right or not value:
                what = "merged cells: only the first holds a value"
                yield Problem(top, EVERY, one, what, "the others read as blank")
                continue
            what = "merged cells: the value stands beside all of these rows"
            yield Problem(top, str(left - 1), f"{one}: {value}", what, "filled in")
            for row in self._rows[top:bottom]:
                if any(row):
                    row.extend([None] * (left - len(row)))
                    row[left - 1] = value

    def _near(self, rows: Iterator[tuple[Any, ...]]) -> Iterator[list[str | None]]:
        """Yield rows as text, without trailing blanks and blank rows; a cell far from all others is an error."""
        blank, width = 0, 0
        for number, row in enumerate(rows, start=1):
            texts = self._texts(number, row)
            while texts and not (texts[-1] and texts[-1].strip()):
                texts.pop()
            if not texts:
                blank += 1
                continue
            near = width
            for place in range(width, len(texts)):
                if texts[place] and place - near >= FAR // 10:
                    raise self._far(place, number)
                near = place + 1 if texts[place] else near
            if blank >= FAR:
                raise self._far(len(texts) - 1, number)
            yield from ([] for _ in range(blank))
            blank, width = 0, max(width, len(texts))
            yield texts

    def _far(self, place: int, number: int) -> RawFileError:
        return self.source.error(
            f"a cell lies far from all others: {get_column_letter(place + 1)}{number}",
            "delete its row and column in Excel and save",
        )

    def _texts(self, number: int, row: tuple[Any, ...]) -> list[str | None]:
        texts = []
        for place, value in enumerate(row):
            text = object_text(value)
            if text is not None and isinstance(value, str):
                text = _ESCAPED.sub(lambda found: chr(int(found.group(1), 16)), text)
            elif isinstance(value, int | float) and abs(value) >= EXACT:
                self._rounded.append((number, place, text or ""))
            texts.append(text)
        return texts

    def _refuse_uncalculated(self, title: str) -> None:
        """Raise an error for formulas that were saved without their results."""
        found = []
        with opened(self.source, data_only=False) as (_, book):
            rows = zip_longest(_values(book[title], plain=False), self._rows, fillvalue=())
            for number, (row, stored) in enumerate(rows, start=1):
                for place, cell in enumerate(row):
                    if cell.data_type == "f" and not (place < len(stored) and stored[place]):
                        found.append(f"{get_column_letter(place + 1)}{number}")
        if found:
            what = f"formulas without a stored result: {few(found, SHOWN)}"
            raise self.source.error(what, "open it in Excel and save it, or paste the column as values")

    def _below(self, first: int, columns: list[Column], rows: Any) -> Iterator[Problem]:
        """Yield the problems of cells below the header."""
        for row, place, text in self._rounded:
            if row > first:
                problem = "a number of more than 15 digits, which Excel rounds"
                yield Problem(row, str(place), text, problem, "kept as it stands")
        for place, column in enumerate(columns):
            texts = column.listed()
            wrong = [code for code, text in enumerate(texts) if text in ERROR_VALUES]
            for cell in np.flatnonzero(np.isin(column.codes, wrong)) if wrong else ():
                text = texts[column.codes[cell]]
                what = "an error value of Excel"
                yield Problem(int(rows[cell]), str(place), text, what, "kept as it stands")


def _filled(sheet: Any) -> bool:
    return any(value is not None and value != "" for row in _values(sheet) for value in row)


def _values(sheet: Any, *, plain: bool = True) -> Iterator[tuple[Any, ...]]:
    """Yield all rows, without regard to the sheet's stated size (some programs write A1 for every sheet)."""
    sheet.reset_dimensions()
    yield from sheet.iter_rows(values_only=plain)


def _refuse_bombs(source: Source, archive: zipfile.ZipFile) -> None:
    """Raise an error for parts that unpack to far more than any sheet does, or that may, by XML entities."""
    for part in archive.infolist():
        name = f"{part.filename} in it"
        if part.file_size > max(UNPACKED, PACKED * part.compress_size):
            what = f"{name} unpacks to {part.file_size / 1e6:,.0f} MB, {PACKED} times what it has"
            raise source.error(what, "copy its cells into a new workbook")
        if part.filename.endswith((".xml", ".rels")):
            with archive.open(part) as content:
                if re.search(rb"<!(DOCTYPE|ENTITY)", content.read(_TOP)):
                    raise source.error(f"{name} is no XML as Excel writes it: it has a DOCTYPE")


@contextmanager
def opened(source: Source, *, data_only: bool = True) -> Iterator[tuple[zipfile.ZipFile, Any]]:
    """Open a workbook as an archive and with openpyxl, after converting strict Open XML.

    Any use of it raises a RawFileError if it is damaged, or unpacks to far more than any workbook does.
    """
    try:
        with zipfile.ZipFile(source.path) as archive, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of drop-down lists and styles it leaves out
            _refuse_bombs(source, archive)
            content: Path | io.BytesIO = source.path
            if any(strict in archive.read("xl/workbook.xml") for strict in _STRICT):
                content = _common(archive)
            book = openpyxl.load_workbook(content, read_only=True, data_only=data_only)
            try:
                yield archive, book
            finally:
                book.close()
    except DAMAGED as error:
        what = f"is damaged or no workbook as Excel writes it ({type(error).__name__})"
        raise source.error(what, "open it in Excel and save it again, or download it again") from error


def _common(archive: zipfile.ZipFile) -> io.BytesIO:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as copy:
        for part in archive.namelist():
            content = archive.read(part)
            for strict, name in _STRICT.items():
                content = content.replace(strict, name)
            copy.writestr(part, content)
    return written


def _hidden_rows(xml: bytes) -> Iterator[int]:
    """Yield the numbers of the hidden rows of a worksheet."""
    if _HIDDEN.search(xml):
        number = 0
        for row in _ROW.finditer(xml):
            about = row["about"] or b""
            said = _NUMBER.search(about)
            number = int(said[1]) if said else number + 1
            if _HIDDEN.search(about):
                yield number
