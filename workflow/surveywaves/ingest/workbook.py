"""A worksheet of an Excel workbook as a sheet."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import openpyxl
from openpyxl.utils import get_column_letter, range_boundaries

from surveywaves.errors import RawFileError
from surveywaves.ingest.raw import TOP, Body, Column, Problem, Source, object_text
from surveywaves.ingest.signature import PACKED, UNPACKED
from surveywaves.terms import EVERY, SET_ASIDE
from surveywaves.text import few, nearest

ERROR_VALUES: Final = frozenset(
    {"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#GETTING_DATA", "#SPILL!", "#CALC!"}
)
EXACT: Final = 10**15
"""Excel keeps 15 digits of a number; what is longer was rounded when it was typed in or opened."""
SHOWN: Final = 5

OTHERS: Final = "other worksheets with content"

FAR: Final = 10_000
"""Empty rows, and a tenth of it empty columns, after which a cell is a slip of the mouse and no answer."""

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
_ROW: Final = re.compile(rb"<(?:\w+:)?row(?P<about>\s[^>]*)?>")
_NUMBER: Final = re.compile(rb'\sr="(\d+)"')
_HIDDEN: Final = re.compile(rb'\shidden="(?:1|true)"')
_MERGED: Final = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*ref=\"([A-Z0-9:]+)\"")
_TOP: Final = 1 << 16
_STRICT: Final = {
    b"http://purl.oclc.org/ooxml/officeDocument/relationships": b"http://schemas.openxmlformats.org/officeDocument/2006/"
    b"relationships",
    b"http://purl.oclc.org/ooxml/spreadsheetml/main": b"http://schemas.openxmlformats.org/spreadsheetml/2006/main",
}
"""Names of strict Open XML -> those of the common one, which openpyxl reads."""
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
        filled_in = list(self._fill_merged(first))
        numbers = np.arange(first, len(self._rows), dtype=np.int64) + 1
        hidden = np.isin(numbers, [number for number in self._hidden if any(self._rows[number - 1])])
        left_out = hidden & (self.source.layout.hidden_rows == "left_out")
        rows = [self._rows[number - 1] for number in numbers[~left_out]]
        width = max([width, *(len(row) for row in rows)])
        filled = {place for row in rows for place, cell in enumerate(row) if cell}
        columns = [
            Column.of(row[place] if place < len(row) else None for row in rows)
            if place in filled
            else Column.blank(len(rows))
            for place in range(width)
        ]
        body = Body(columns, numbers[~left_out], total=len(numbers))
        body.cells = [*filled_in, *self._below(first, columns, body.rows)]
        for number in numbers[left_out]:
            body.aside.append(Problem(int(number), EVERY, "", "hidden in the worksheet", SET_ASIDE))
        if hidden.any() and not left_out.any():
            said = f"{hidden.sum()} rows are hidden in the worksheet, the first row {numbers[hidden][0]}"
            if self.source.layout.hidden_rows is None:
                body.asked["hidden_rows"] = f"{said} (a filter?): `read` or `left_out`"
            body.problems.append(Problem(None, EVERY, "", said, "read like the others"))
        return body

    def _fill_merged(self, first: int) -> Iterator[tuple[int, Problem]]:
        """Put the value of cells merged down a column into each of them: it stands beside all of these rows."""
        for one in self._ranges:
            left, top, right, bottom = (int(bound or 0) for bound in range_boundaries(one))
            bottom = min(bottom, len(self._rows))
            if top <= first or top > bottom:
                continue
            value = self._rows[top - 1][left - 1] if left <= len(self._rows[top - 1]) else None
            if left < right or not value:
                problem = Problem(
                    top, EVERY, one, "merged cells: only the first holds a value", "the others read as blank"
                )
            else:
                problem = Problem(top, "", value, f"{one} is merged: one value for all its rows", "filled in")
                for row in self._rows[top:bottom]:
                    if any(row):
                        row.extend([None] * (left - len(row)))
                        row[left - 1] = value
            yield left - 1, problem

    def _read(self) -> list[list[str | None]]:
        with zipfile.ZipFile(self.source.path) as archive:
            _refuse_bombs(self.source, archive)
            if (bad := archive.testzip()) is not None:
                raise zipfile.BadZipFile(f"checksum of {bad}")
            book = self._open(data_only=True)
            try:
                sheet = self._choose(book)
                rows = list(self._near(_values(sheet)))
                xml = archive.read(sheet._worksheet_path)
            finally:
                book.close()
        self._hidden = list(_hidden_rows(xml))
        self._ranges = [found.decode("ascii") for found in _MERGED.findall(xml)]
        if _FORMULA.search(xml):
            self._refuse_uncalculated(sheet.title, rows)
        return rows

    def _open(self, *, data_only: bool) -> Any:
        return openpyxl.load_workbook(common(self.source.path), read_only=True, data_only=data_only)

    def _choose(self, book: Any) -> Any:
        wanted = self.source.layout.sheet
        titles = [sheet.title for sheet in book.worksheets]
        filled = [sheet.title for sheet in book.worksheets if _filled(sheet)]
        named = ", ".join(f"`{title}`" for title in titles) or "none"
        if wanted is not None and wanted not in titles:
            near = nearest(wanted, titles)
            hint = f"did you mean `{near}`?" if near else f"it has {named}"
            raise self.source.error(f"has no worksheet `{wanted}`", hint)
        if not filled:
            raise self.source.error(f"has no worksheet with content (looked in {named})")
        others = ", ".join(f"`{title}`" for title in filled if title != wanted)
        if wanted is None and len(filled) > 1:
            hint = "say `sheet:` in the layout, `*` for all of them"
            raise self.source.error(f"has {len(filled)} worksheets with content: {others}", hint)
        if wanted is not None and others:
            self.problems.append(Problem(None, EVERY, others, OTHERS, "not read"))
        return book.worksheets[titles.index(wanted or filled[0])]

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
        book = self._open(data_only=False)
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

    def _below(self, first: int, columns: list[Column], rows: Any) -> Iterator[tuple[int, Problem]]:
        """Yield what is amiss with cells below the header, each with the place of its column."""
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
                            int(rows[cell]),
                            "",
                            texts[column.codes[cell]],
                            "an error value of Excel",
                            "kept as it stands",
                        ),
                    )


def _filled(sheet: Any) -> bool:
    return any(value is not None and value != "" for row in _values(sheet) for value in row)


def _values(sheet: Any, *, plain: bool = True) -> Iterator[tuple[Any, ...]]:
    """Yield rows, whatever size the sheet says it has (some programs write A1 for every sheet)."""
    sheet.reset_dimensions()
    yield from sheet.iter_rows(values_only=plain)


def _refuse_bombs(source: Source, archive: zipfile.ZipFile) -> None:
    """Refuse a part that unpacks to far more than any sheet does, or that may: XML with definitions of its own."""
    for part in archive.infolist():
        name = f"{part.filename} in it"
        if part.file_size > max(UNPACKED, PACKED * part.compress_size):
            raise source.error(
                f"{name} unpacks to {part.file_size / 1e6:,.0f} MB, {PACKED} times what it has",
                "copy its cells into a new workbook",
            )
        if part.filename.endswith((".xml", ".rels")):
            with archive.open(part) as content:
                if re.search(rb"<!(DOCTYPE|ENTITY)", content.read(_TOP)):
                    raise source.error(f"{name} is no XML as Excel writes it: it has a DOCTYPE")


def common(path: Path) -> Path | io.BytesIO:
    """Give a workbook as openpyxl reads it: one of strict Open XML with the names of the common one."""
    with zipfile.ZipFile(path) as archive:
        parts = {part: archive.read(part) for part in archive.namelist() if part.endswith("workbook.xml")}
        if not any(b"purl.oclc.org/ooxml/spreadsheetml" in content for content in parts.values()):
            return path
        written = io.BytesIO()
        with zipfile.ZipFile(written, "w") as copy:
            for part in archive.namelist():
                content = archive.read(part)
                for strict, name in _STRICT.items():
                    content = content.replace(strict, name)
                copy.writestr(part, content)
    return written


def _hidden_rows(xml: bytes) -> Iterator[int]:
    """Yield the numbers of the rows that a worksheet hides."""
    if _HIDDEN.search(xml):
        number = 0
        for row in _ROW.finditer(xml):
            about = row["about"] or b""
            said = _NUMBER.search(about)
            number = int(said[1]) if said else number + 1
            if _HIDDEN.search(about):
                yield number


def worksheets(source: Source) -> list[str]:
    """List the worksheets with content.

    Raises
    ------
    RawFileError
        If there is none.
    """
    try:
        with zipfile.ZipFile(source.path) as archive:
            _refuse_bombs(source, archive)
        book = openpyxl.load_workbook(common(source.path), read_only=True, data_only=True)
        try:
            found = [
                one.title for one in book.worksheets if next(_values(one, filled=True), None) is not None
            ]
        finally:
            book.close()
    except DAMAGED as error:
        raise source.error("is damaged or no workbook as Excel writes it", "download it again") from error
    if not found:
        raise source.error("has no worksheet with content")
    return found
