"""What a raw file is, before anybody has described it: its format, its encoding, and where its returns stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

import openpyxl

from surveywaves.errors import RawFileError
from surveywaves.ingest.delimited import read_rows, sniff
from surveywaves.ingest.encoding import as_utf8
from surveywaves.ingest.headers import find_column, one_header_row, open_sheet
from surveywaves.ingest.paper import ABOUT_KEYING, KEYING
from surveywaves.ingest.raw import RawTable, Source
from surveywaves.ingest.signature import BY_SUFFIX, Kind, recognise
from surveywaves.ingest.surveymonkey import ADDED, NO_LABEL
from surveywaves.ingest.workbook import DAMAGED
from surveywaves.study.models import Layout
from surveywaves.wording import normalise

ENCODINGS: Final = ("utf-8-sig", "utf-16", "utf-32", "cp1252")
"""Encodings that are tried, in this order: any bytes pass for cp1252, so it comes last."""

BINARY: Final = {Kind.SPSS: "spss", Kind.STATA: "stata"}
"""Formats that a file's first bytes tell."""

HEAD: Final = 1 << 20
"""Bytes that are looked at to find the header."""

ROWS: Final = 6
"""Rows with content that are looked at."""

ADDED_ENOUGH: Final = 2
"""Columns of SurveyMonkey's own that make an export of a file."""


def recognise_file(path: Path, name: str, given: dict[str, Any], *, like: tuple[Layout, ...] = ()) -> Layout:
    """Say how a raw file is to be read.

    Parameters
    ----------
    path, name
        Where the file lies, and what errors call it.
    given
        Keys of a layout that the person knows already (`format`, `encoding`, `sheet`, `header_rows`): these are
        taken, the others found out.
    like
        Layouts of another wave: their column of identifiers is looked for here.

    Returns
    -------
    Layout
        `format`, `encoding`, `sheet`, `header_rows` and, for paper returns, `respondent`.

    Raises
    ------
    RawFileError
        If the file is none that a reader takes.
    """
    wanted = given.get("format")
    kind = _kind(path, name, [wanted] if wanted else _formats(path))
    known = dict(given)
    rows: Iterable[list[list[str]]] = ()
    if kind is Kind.TEXT:
        known["encoding"], data = _decoded(path, name, known.get("encoding"))
        rows = [_first_rows(path, name, data)]
    elif kind is Kind.XLSX:
        rows = _worksheets(path, known.get("sheet"))
    if wanted is None:
        known["format"] = BINARY.get(kind) or _by_header(rows)
    layout = Layout.model_validate(known)
    if layout.format == "paper":
        number = _number_on_form(Source(name, path, layout), kind, like)
        layout = layout.model_copy(update={"respondent": number})
    return layout


def squeezed(text: str) -> str:
    """Fold a name as far as the names of SurveyMonkey's own columns are folded: case and spaces do not count."""
    return normalise(text).replace(" ", "")


def _formats(path: Path) -> list[str]:
    """List the formats to try, what the name promises first."""
    kind = BY_SUFFIX.get(path.suffix.lower(), Kind.TEXT)
    return list(dict.fromkeys([BINARY.get(kind, "table"), "table", *BINARY.values()]))


def _kind(path: Path, name: str, formats: list[str]) -> Kind:
    first: RawFileError | None = None
    for one in formats:
        try:
            return recognise(Source(name, path, Layout.model_validate({"format": one})))
        except RawFileError as error:
            first = first or error
    assert first is not None
    raise first


def _decoded(path: Path, name: str, given: str | None) -> tuple[str, bytes]:
    """Give the encoding of a text file, and the file in UTF-8."""
    data = path.read_bytes()
    first: RawFileError | None = None
    for encoding in [given] if given else ENCODINGS:
        try:
            return encoding, as_utf8(Source(name, path, Layout(format="table", encoding=encoding)), data)
        except RawFileError as error:
            first = first or error
    assert first is not None
    raise first


def _by_header(sheets: Iterable[list[list[str]]]) -> str:
    """Tell an export of SurveyMonkey and keyed paper forms from a plain table."""
    for rows in sheets:
        header = rows[0] if rows else []
        labels = {normalise(cell) for cell in (rows[1] if len(rows) > 1 else [])}
        if len({squeezed(cell) for cell in header} & ADDED) >= ADDED_ENOUGH or labels & (NO_LABEL - {""}):
            return "surveymonkey"
        if any(normalise(cell) == KEYING for cell in header):
            return "paper"
    return "table"


def _first_rows(path: Path, name: str, data: bytes) -> list[list[str]]:
    """Give the first rows with content of a text."""
    if len(data) > HEAD:
        data = data[: data.rfind(b"\n", 0, HEAD) + 1]
    expected = "\t" if path.suffix.lower() in {".tsv", ".tab"} else ","
    delimiter = sniff(data.decode("utf-8", "ignore"), expected)
    return _filled(read_rows(Source(name, path, Layout(format="table")), data, delimiter))


def _worksheets(path: Path, wanted: str | None) -> Iterator[list[list[str]]]:
    """Yield the first rows with content of each worksheet that comes into question.

    What is wrong with a workbook is for its reader to say.
    """
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        try:
            for sheet in book.worksheets:
                if wanted in {None, sheet.title}:
                    sheet.reset_dimensions()
                    rows = islice(sheet.iter_rows(values_only=True), ROWS * 10)
                    yield _filled(["" if cell is None else str(cell) for cell in row] for row in rows)
        finally:
            book.close()
    except DAMAGED:
        return


def _filled(rows: Iterable[list[str]]) -> list[list[str]]:
    return list(islice((row for row in rows if any(cell.strip() for cell in row)), ROWS))


def _number_on_form(source: Source, kind: Kind, like: tuple[Layout, ...]) -> str:
    """Find the column by which the two keyings of a form find each other."""
    table = one_header_row(open_sheet(source, kind))
    known = [layout.respondent for layout in like if layout.format == "paper" and layout.respondent]
    for wanted in known:
        if (place := find_column(table.names, wanted)) is not None:
            return table.names[place]
    keying = find_column(table.names, KEYING)
    if keying is None:
        raise source.error(f"has no column `{KEYING}` that says `A`, `B` or `resolved`")
    pairs = {
        name: _pairs(table, place, keying)
        for place, name in enumerate(table.names)
        if not normalise(name).startswith(ABOUT_KEYING)
    }
    best = max(pairs, key=lambda name: pairs[name], default=None)
    if best is not None and pairs[best] >= 0:
        return best
    raise source.error(
        "no column tells which two rows are keyings of one form",
        "give the number on the form a column of its own",
    )


def _pairs(table: RawTable, place: int, keying: int) -> int:
    """Count the cells of a column that stand in two keyings; -1 if one stands twice in the same, or is blank."""
    numbers, keyings = table.columns[place], table.columns[keying]
    found = list(zip(numbers.codes.tolist(), keyings.codes.tolist(), strict=True))
    if not numbers.filled.all() or len(set(found)) < len(found):
        return -1
    return len(found) - len(set(numbers.codes.tolist()))
