"""Recognise a raw file that has not been described yet: its format, encoding, worksheet and header rows.

The layouts of another wave take precedence over a guess wherever they fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from surveywaves.errors import RawFileError
from surveywaves.ingest.exports import count_header_rows, says_response
from surveywaves.ingest.headers import find_column, find_header, one_header_row, open_sheets, place_of
from surveywaves.ingest.keying import ABOUT_KEYING, KEYING
from surveywaves.ingest.programs import PROGRAMS, program_of
from surveywaves.ingest.raw import Sheet, Source
from surveywaves.ingest.signature import FORMATS, Kind, as_utf8, content_of, kind_of, recognise
from surveywaves.ingest.workbook import EVERY_SHEET
from surveywaves.study.models import Layout
from surveywaves.text import normalise

ENCODINGS: Final = ("utf-8-sig", "utf-16", "utf-32", "cp1252")
"""Encodings that are tried, in this order: any bytes pass for cp1252, so it comes last."""
BINARY: Final = {kind: name for name in ("spss", "stata", "sas") for kind in FORMATS[name]}
"""Formats that are recognised by a file's first bytes."""


def recognise_file(path: Path, name: str, given: dict[str, Any], *, like: tuple[Layout, ...] = ()) -> Layout:
    """Find the layout of a raw file: format, encoding, worksheet, header rows; for paper returns the number.

    Parameters
    ----------
    path, name
        The path of the file, and its name in errors.
    given
        Keys of a layout that are known already; only the others are searched for.
    like
        Layouts of another wave.

    Raises
    ------
    RawFileError
        If no reader takes the file.
    """
    wanted = given.get("format")
    bare = Source(name, path, Layout(format="table"))
    known = {"format": BINARY.get(kind_of(bare), "table"), **given}
    layout = Layout.model_validate(known)
    kind = recognise(Source(name, path, layout))
    if kind in BINARY:
        return layout
    if kind is Kind.TEXT:
        known["encoding"] = given.get("encoding") or _encoding(bare, like)
    if kind is Kind.XLSX and "sheet" not in known:
        known |= _sheet(bare, like)
    layout = Layout.model_validate(known)
    if kind is not Kind.PARQUET and wanted in {None, "paper"}:
        sheet = open_sheets(Source(name, path, layout), kind)[0]
        layout = layout.model_copy(update={"format": wanted or _format(sheet, kind, like)})
        told = [one.header_rows for one in like if one.format == layout.format and one.header_rows]
        if told and not layout.header_rows and (program := PROGRAMS.get(layout.format)):
            try:
                count_header_rows(sheet, find_header(sheet, program.added), program)
            except RawFileError:  # the file does not tell
                layout = layout.model_copy(update={"header_rows": told[0]})
        if layout.format == "paper":
            layout = layout.model_copy(update={"respondent": _number_on_form(sheet, like)})
    return layout


def _encoding(source: Source, like: tuple[Layout, ...]) -> str:
    """Find an encoding that the bytes fit; those of the other wave are tried first."""
    data = content_of(source)
    encodings = [*dict.fromkeys([*(layout.encoding for layout in like), *ENCODINGS])]
    for encoding in encodings:
        with suppress(RawFileError):
            as_utf8(source.having(encoding=encoding), data)
            return encoding
    as_utf8(source.having(encoding=encodings[0]), data)  # says why
    return encodings[0]


def _sheet(source: Source, like: tuple[Layout, ...]) -> dict[str, str]:
    """Choose the worksheet of the other wave, or all worksheets if they share a header."""
    sheets = open_sheets(source.having(sheet=EVERY_SHEET), Kind.XLSX)
    titles = [sheet.source.layout.sheet for sheet in sheets]
    for layout in like:
        if layout.sheet in titles and layout.sheet is not None:
            return {"sheet": layout.sheet}
    if len(titles) < 2:
        return {}
    headers: set[frozenset[str]] = set()
    returns: list[tuple[str, ...]] = []
    for sheet in sheets:
        start = find_header(sheet)
        headers.add(frozenset(map(normalise, filter(None, sheet.top[start]))))
        returns += {tuple(row) for row in sheet.top[start + 1 :] if any(row)}
    # A worksheet with returns that another has as well is a copy of it.
    return {"sheet": EVERY_SHEET} if len(headers) == 1 and len({*returns}) == len(returns) else {}


def _format(sheet: Sheet, kind: Kind, like: tuple[Layout, ...]) -> str:
    """Recognise the format by the first rows, unless the columns of another wave's layout are there."""
    start = find_header(sheet)
    guessed = _by_header([sheet.top[start:], *(sheet.top[at:] for at in range(start))])
    for layout in like:
        named = [one for one in (layout.respondent, layout.weight, *layout.exclude) if one]
        if layout.format == guessed or kind not in FORMATS[layout.format] or not named:
            continue
        there = all(find_column(sheet.top[start], one) is not None for one in named)
        if there and guessed in {"table", *PROGRAMS}:
            return layout.format
    return guessed


def _by_header(tops: Sequence[list[list[str]]]) -> str:
    """Distinguish exports of survey programs and keyed paper forms from plain tables."""
    for rows in tops:
        if program := program_of(rows):
            return program
    rows = [row for row in tops[0] if any(row)]
    if len(rows) > 1 and says_response(rows[1]):
        return "surveymonkey"
    return "paper" if any(normalise(cell) == KEYING for cell in rows[0]) else "table"


def _number_on_form(sheet: Sheet, like: tuple[Layout, ...]) -> str:
    """Find the column that links the two keyings of a form."""
    source, table = sheet.source, one_header_row(sheet)
    known = [layout.respondent for layout in like if layout.format == "paper" and layout.respondent]
    for wanted in known:
        if (place := find_column(table.names, wanted)) is not None:
            return table.names[place]
    keying = table.columns[place_of(source, table.names, KEYING, "it says `A`, `B` or `resolved`")]
    pairs = {}
    for name, column in zip(table.names, table.columns, strict=True):
        cells = list(zip(column.codes.tolist(), keying.codes.tolist(), strict=True))
        # No cell is blank or stands twice in one keying.
        if (
            column.filled.all()
            and len({*cells}) == len(cells)
            and not normalise(name).startswith(ABOUT_KEYING)
        ):
            pairs[name] = len(cells) - len({number for number, _ in cells})
    if not pairs:
        what = "no column tells which two rows are keyings of one form"
        raise source.error(what, "give the number on the form a column of its own")
    return max(pairs, key=pairs.__getitem__)
