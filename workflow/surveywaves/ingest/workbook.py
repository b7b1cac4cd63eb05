"""A worksheet of an Excel workbook as a sheet."""

from __future__ import annotations

import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import openpyxl
from openpyxl.utils import get_column_letter, range_boundaries

from surveywaves.errors import RawFileError
from surveywaves.ingest.raw import TOP, Body, Column, Problem, Source, object_text
from surveywaves.terms import EVERY
from surveywaves.text import few, nearest

ERROR_VALUES: Final = frozenset(
    {"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#GETTING_DATA", "#SPILL!", "#CALC!"}
)
EXACT: Final = 10**15
"""Excel keeps 15 digits of a number; what is longer was rounded when it was typed in or opened."""
SHOWN: Final = 5

FAR: Final = 10_000
"""Empty rows, and a tenth of it empty columns, after which a cell is a slip of the mouse and no answer."""

UNPACKED: Final = 20_000_000
"""Bytes of a part of a workbook up to which nobody asks how small it was packed."""
PACKED: Final = 200
"""How many times smaller a part may be packed: sheets of nothing but the same answer come to a hundred."""

# Whatever openpyxl meets in a damaged workbook it lets through: lxml's XMLSyntaxError is a SyntaxError as well.
DAMAGED: Final = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    SyntaxError,
    KeyError,
    IndexError,
    ValueError,
    TypeError,
    AttributeError,
    NotImplementedError,
)
_FORMULA: Final = re.compile(rb"<(?:\w+:)?f[ />]")
_MERGED: Final = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*ref=\"([A-Z0-9:]+)\"")
_TOP: Final = 1 << 16
_ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")


class Worksheet:
    """The worksheet that a layout names, or the only one with content."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.problems: list[Problem] = []
        self._rounded: list[tuple[int, int, str]] = []
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # openpyxl warns of drop-down lists and styles it leaves out
                self._rows = self._read()
        except DAMAGED as error:
            raise source.error(
                f"is damaged or no workbook as Excel writes it ({type(error).__name__})",
                "open it in Excel and save it again, or download it again",
            ) from error

    @property
    def top(self) -> list[list[str]]:
        """Give the first rows."""
        return [[(cell or "").strip() for cell in row] for row in self._rows[:TOP]]

    def merged(self, row: int) -> list[str]:
        """List the ranges of cells merged across columns in a row (from 0)."""
        found = []
        for one in self._ranges:
            left, top, right, bottom = (int(bound or 0) for bound in range_boundaries(one))
            if left < right and top <= row + 1 <= bottom:
                found.append(one)
        return found

    def body(self, first: int, width: int) -> Body:
        """Read the rows from a given one on; every row has as many columns as the longest."""
        rows = self._rows[first:]
        width = max([width, *(len(row) for row in rows)])
        filled = {place for row in rows for place, cell in enumerate(row) if cell}
        columns = [
            Column.of(row[place] if place < len(row) else None for row in rows)
            if place in filled
            else Column.blank(len(rows))
            for place in range(width)
        ]
        numbers = np.arange(first, first + len(rows), dtype=np.int64) + 1
        return Body(columns, numbers, total=len(rows), cells=list(self._below(first, columns)))

    def _read(self) -> list[list[str | None]]:
        with zipfile.ZipFile(self.source.path) as archive:
            self._refuse_bombs(archive)
            if (bad := archive.testzip()) is not None:
                raise zipfile.BadZipFile(f"checksum of {bad}")
            book = openpyxl.load_workbook(self.source.path, read_only=True, data_only=True)
            try:
                sheet = self._choose(book)
                rows = list(self._near(_values(sheet)))
                xml = archive.read(sheet._worksheet_path)
            finally:
                book.close()
        self._ranges = [found.decode("ascii") for found in _MERGED.findall(xml)]
        if _FORMULA.search(xml):
            self._refuse_uncalculated(sheet.title, rows)
        return rows

    def _choose(self, book: Any) -> Any:
        wanted = self.source.layout.sheet
        titles = [sheet.title for sheet in book.worksheets]
        named = ", ".join(f"`{title}`" for title in titles)
        if wanted is not None:
            if wanted not in titles:
                near = nearest(wanted, titles)
                hint = f"did you mean `{near}`?" if near else f"it has {named or 'none'}"
                raise self.source.error(f"has no worksheet `{wanted}`", hint)
            return book.worksheets[titles.index(wanted)]
        filled = [sheet for sheet in book.worksheets if next(_values(sheet, filled=True), None) is not None]
        if len(filled) > 1:
            named = ", ".join(f"`{sheet.title}`" for sheet in filled)
            raise self.source.error(
                f"has {len(filled)} worksheets with content: {named}", "say `sheet:` in the layout"
            )
        if not filled:
            raise self.source.error(f"has no worksheet with content (looked in {named or 'none'})")
        return filled[0]

    def _refuse_bombs(self, archive: zipfile.ZipFile) -> None:
        """Refuse a part that unpacks to far more than any sheet does, or that may: XML with definitions of its own."""
        for part in archive.infolist():
            name = f"{part.filename} in it"
            if part.file_size > max(UNPACKED, PACKED * part.compress_size):
                raise self.source.error(
                    f"{name} unpacks to {part.file_size / 1e6:,.0f} MB, {PACKED} times what it has",
                    "copy its cells into a new workbook",
                )
            if part.filename.endswith((".xml", ".rels")):
                with archive.open(part) as content:
                    if re.search(rb"<!(DOCTYPE|ENTITY)", content.read(_TOP)):
                        raise self.source.error(f"{name} is no XML as Excel writes it: it has a DOCTYPE")

    def _near(self, rows: Iterator[tuple[Any, ...]]) -> Iterator[list[str | None]]:
        """Read rows as text, without blanks at their end and at the end; a cell far from all others is refused."""
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

    def _refuse_uncalculated(self, title: str, rows: list[list[str | None]]) -> None:
        """Refuse formulas that were saved without their result: what they would show is not in the file."""
        book = openpyxl.load_workbook(self.source.path, read_only=True, data_only=False)
        found = []
        try:
            for number, row in enumerate(_values(book[title], plain=False)):
                for place, cell in enumerate(row):
                    stored = rows[number][place] if place < len(rows[number]) else None
                    if cell.data_type == "f" and not stored:
                        found.append(f"{get_column_letter(place + 1)}{number + 1}")
        finally:
            book.close()
        if found:
            raise self.source.error(
                f"formulas without a stored result: {few(found, SHOWN)}",
                "open it in Excel and save it, or paste the column as values",
            )

    def _below(self, first: int, columns: list[Column]) -> Iterator[tuple[int, Problem]]:
        """Yield what is amiss with cells below the header, each with the place of its column."""
        for one in self._ranges:
            left, top, _, _ = range_boundaries(one)
            if top is not None and left is not None and top > first:
                problem = "merged cells: only the first holds a value"
                yield left - 1, Problem(top, EVERY, one, problem, "the others read as blank")
        for row, place, text in self._rounded:
            if row > first:
                problem = "a number of more than 15 digits, which Excel rounds"
                yield place, Problem(row, "", text, problem, "kept as it stands")
        for place, column in enumerate(columns):
            texts = column.listed()
            if wrong := [code for code, text in enumerate(texts) if text in ERROR_VALUES]:
                for cell in np.flatnonzero(np.isin(column.codes, wrong)):
                    yield (
                        place,
                        Problem(
                            first + int(cell) + 1,
                            "",
                            texts[column.codes[cell]],
                            "an error value of Excel",
                            "kept as it stands",
                        ),
                    )


def _values(sheet: Any, *, filled: bool = False, plain: bool = True) -> Iterator[tuple[Any, ...]]:
    """Yield rows, whatever size the sheet says it has (some programs write A1 for every sheet)."""
    sheet.reset_dimensions()
    for row in sheet.iter_rows(values_only=plain):
        if not filled or any(value is not None and value != "" for value in row):
            yield row
