"""How the tables in a file begin, whatever the file is and is called: what it is, its first bytes say.

What is neither text, nor a picture, font or page, nor data that are read here, is refused: nobody has looked into it.
"""

from __future__ import annotations

import base64
import csv
import gzip
import io
import json
import re
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby, islice
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote_to_bytes

DELIMITERS: Final = ("\t", ",", ";", "|")

HEAD_LINES: Final = 3
"""Rows that may hold the heads of columns: exports have up to three."""

HEAD_BYTES: Final = 262_144
"""Bytes of a text that are looked at, and lines at most."""
LINES: Final = 2_000

DEEPEST: Final = 3
"""Archives within archives that are opened."""

LARGEST: Final = 200_000_000
"""Bytes that a file may unpack to."""

TABLE: Final = 3
"""Rows of one length from which text further down is a table."""

Heads = tuple[tuple[str, ...], ...]
"""The first rows of a table, of which the first one names its columns, or all do together."""


class UnreadableError(Exception):
    """A file that cannot be looked into, and may hold data."""


def heads(content: bytes, *, depth: int = 0) -> Iterator[Heads]:
    """Yield the first rows of each table that a file may be, or hold; rows with a single cell, as titles, left out.

    Parameters
    ----------
    content
        The whole file.
    depth
        Archives that it lies in.

    Raises
    ------
    UnreadableError
        If it is a data file that cannot be opened (damaged, locked with a password, archives too deep, a format
        without a reader here), or nothing known.
    """
    if content.startswith(_SHOWN):
        return
    read = next((reader for begins, reader in _DATA if content.startswith(begins)), None)
    if read is None:
        if not _is_text(content):
            raise UnreadableError("it is of no kind that is known here")
        yield from _text(content)
        return
    if depth > DEEPEST:
        raise UnreadableError("archives within archives")
    try:
        yield from read(content, depth)
    except UnreadableError:
        raise
    except Exception as error:  # whatever a reader raises on a damaged or locked file
        raise UnreadableError(str(error).splitlines()[0] if str(error) else type(error).__name__) from None


# --- data ---------------------------------------------------------------------------------------------------------


def _parquet(content: bytes, _: int) -> Iterator[Heads]:
    import pyarrow.parquet as pq  # noqa: PLC0415 - a second to import, and most files are text

    yield (tuple(pq.read_schema(io.BytesIO(content)).names),)


def _by_pyreadstat(reader: str, suffix: str) -> Callable[[bytes, int], Iterator[Heads]]:
    def read(content: bytes, _: int) -> Iterator[Heads]:
        import pyreadstat  # noqa: PLC0415

        with tempfile.TemporaryDirectory() as folder:  # its owner alone can look into it
            path = Path(folder, f"file{suffix}")
            path.write_bytes(content)
            _, meta = getattr(pyreadstat, reader)(str(path), metadataonly=True)
        yield (tuple(meta.column_names),)
        yield (tuple(str(label or "") for label in meta.column_labels),)

    return read


def _workbook(content: bytes) -> Iterator[Heads]:
    import openpyxl  # noqa: PLC0415

    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
    for sheet in book.worksheets:
        sheet.reset_dimensions()
        rows = sheet.iter_rows(max_row=LINES, values_only=True)
        yield from _tables(["" if cell is None else str(cell) for cell in row] for row in rows)


def _zip(content: bytes, depth: int) -> Iterator[Heads]:
    """Look into an archive, or a workbook, which is one as well."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        if sum(part.file_size for part in archive.infolist()) > LARGEST:
            raise UnreadableError("it unpacks to too much")
        if "xl/workbook.xml" in names:
            yield from _workbook(content)
            return
        if "mimetype" in names and archive.read("mimetype").endswith(b"opendocument.spreadsheet"):
            raise UnreadableError("it is a spreadsheet in a format that is not opened here")
        for name in names:
            if not name.endswith("/"):
                yield from heads(archive.read(name), depth=depth + 1)


def _gzip(content: bytes, depth: int) -> Iterator[Heads]:
    with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
        inside = stream.read(LARGEST + 1)
    if len(inside) > LARGEST:
        raise UnreadableError("it unpacks to too much")
    yield from heads(inside, depth=depth + 1)


def _refused(what: str) -> Callable[[bytes, int], Iterator[Heads]]:
    def read(_: bytes, __: int) -> Iterator[Heads]:
        raise UnreadableError(what)

    return read


_SPSS: Final = _by_pyreadstat("read_sav", ".sav")
_STATA: Final = _by_pyreadstat("read_dta", ".dta")

_DATA: Final[Sequence[tuple[bytes | tuple[bytes, ...], Callable[[bytes, int], Iterator[Heads]]]]] = (
    (b"PAR1", _parquet),
    ((b"$FL2", b"$FL3"), _SPSS),
    (b"<stata_dta>", _STATA),
    ((b"\x73\x01", b"\x73\x02", b"\x72\x01", b"\x72\x02"), _STATA),
    ((b"PK\x03\x04", b"PK\x05\x06"), _zip),
    (b"\x1f\x8b", _gzip),
    (
        (
            *(b"RDX2\n", b"RDX3\n", b"RDA3\n", b"RDA2\n", b"X\n\0\0", b"A\n2\n", b"A\n3\n", b"B\n"),  # R
            *(b"\x80", b"\x89HDF", b"\x93NUMPY", b"MATLAB 5.0", b"ARROW1", b"FEA1", b"SQLite format 3\0"),
            *(b"ASCII SPSS PORT FILE", b"HEADER RECORD*******"),  # SPSS, SAS
            *(b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18", b"7z\xbc\xaf", b"Rar!"),
        ),
        _refused("it is of a format that is not opened here"),
    ),
    (b"\xd0\xcf\x11\xe0", _refused("it is an old or locked document of Microsoft Office")),
    (b"version https://git-lfs", _refused("it stands for a file that git LFS sends along unseen")),
)
"""How a file begins -> what reads it."""

_SHOWN: Final = (
    *(b"%PDF-", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"\0\0\1\0", b"II*\0", b"MM\0*"),
    *(b"wOFF", b"wOF2", b"\0\1\0\0\0", b"OTTO", b"true\0", b"ttcf"),
)
"""How pages, pictures and fonts begin: shown, and of no rows that could be read here."""


# --- text ---------------------------------------------------------------------------------------------------------


def _is_text(content: bytes) -> bool:
    """Check whether a file is text: UTF-8, UTF-16 with its mark, or of eight bits without control characters."""
    if content[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return True
    control = content.translate(None, bytes({*range(32, 256), *b"\t\n\r\f\x1b"}))
    return not control


_EMBEDDED: Final = re.compile(rb"data:text/csv[^\"'<>\s]*")


def _text(content: bytes) -> Iterator[Heads]:
    """Take lines apart by every delimiter, and JSON by its keys; in a page, the tables that it lets one take away."""
    text = _decoded_text(content[:HEAD_BYTES])
    lines = [line for line in text.splitlines() if line.strip()][:LINES]
    for delimiter in DELIMITERS:
        try:
            yield _filled(csv.reader(lines[:HEAD_LINES], delimiter=delimiter))
            yield from _runs(csv.reader(lines, delimiter=delimiter), len)
        except csv.Error:  # a line longer than any table's
            continue
    yield from _marked(text)
    if text.lstrip()[:1] in {"{", "["}:
        yield from _json(_decoded_text(content))
    for address in _EMBEDDED.findall(content):
        how, comma, data = address.partition(b",")
        if comma:
            # Nothing but a page like the report's has these, with one line of heads. The next may be about the
            # variable `respondent`, as in the codebook.
            table = _base64(data) if how.endswith(b"base64") else unquote_to_bytes(data)
            first = _decoded_text(table[:HEAD_BYTES]).splitlines()[:1]
            yield from (_filled(csv.reader(first, delimiter=delimiter)) for delimiter in DELIMITERS)


_TABLE: Final = re.compile(r"<table\b", re.IGNORECASE)
_ROW: Final = re.compile(r"</tr>", re.IGNORECASE)
_CELL: Final = re.compile(r"<t[hd]\b[^>]*>(.*?)</t[hd]>", re.IGNORECASE | re.DOTALL)
_TAG: Final = re.compile(r"<[^>]*>")
_SQL: Final = re.compile(r"\b(?:INSERT\s+INTO|COPY|CREATE\s+TABLE)\s+[^\s(]+\s*\(([^()]*)\)", re.IGNORECASE)


def _marked(text: str) -> Iterator[Heads]:
    """Yield the first row of each table of a page, and the columns that a dump of a database names."""
    for table in _TABLE.split(text)[1:]:
        row = _ROW.split(table, maxsplit=1)[0]
        yield (tuple(_TAG.sub("", cell).strip() for cell in _CELL.findall(row)),)
    for columns in _SQL.findall(text):
        yield (tuple((column.split() or [""])[0] for column in columns.split(",")),)


def _decoded_text(content: bytes) -> str:
    encoding = "utf-16" if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    return content.decode(encoding, errors="replace")


def _base64(data: bytes) -> bytes:
    try:
        return base64.b64decode(unquote_to_bytes(data))
    except ValueError:  # words that look like an address
        return b""


def _filled(rows: Iterable[Sequence[str]]) -> Heads:
    """Keep the first rows that have several cells."""
    several = (row for row in rows if sum(bool(cell.strip()) for cell in row) > 1)
    return tuple(tuple(row) for row in islice(several, HEAD_LINES))


def _tables(rows: Iterable[Sequence[str]]) -> Iterator[Heads]:
    """Yield how a sheet begins, and each table further down in it."""
    listed = [tuple(row) for row in rows]
    yield _filled(listed)
    # In a sheet each row is as long as the longest.
    yield from _runs(listed, lambda row: sum(bool(cell.strip()) for cell in row))


def _runs(rows: Iterable[Sequence[str]], width: Callable[[Sequence[str]], int]) -> Iterator[Heads]:
    """Yield the first row of each run of rows of one width: a table below some words, or below another one."""
    for cells, run in groupby(rows, width):
        table = tuple(islice(run, TABLE))
        if cells > 1 and len(table) == TABLE and not any(_CODE.search(cell) for cell in table[0]):
            yield (tuple(table[0]),)


_CODE: Final = re.compile(r"[(){}\[\]=<>`]|^\s*[\"'].*[\"']\s*$|:\s*$")
"""What stands in a line of a program, and in no head of a column."""


def _json(text: str) -> Iterator[Heads]:
    """Yield the keys of rows: of objects in a list or on a line each, of columns side by side, or listed by name."""
    try:
        found: Any = json.loads(text)
    except ValueError:
        found = [one for line in islice(text.splitlines(), LINES) if (one := _object(line)) is not None]
    except RecursionError:
        raise UnreadableError("JSON nested too deep") from None
    todo = [found]
    while todo:
        one = todo.pop()
        if isinstance(one, Mapping):
            columns = [key for key, value in one.items() if isinstance(value, list) and len(value) > 1]
            columns += [key for key, value in one.items() if isinstance(value, Mapping) and "0" in value]
            yield (tuple(map(str, columns)),)
            todo += one.values()
            printed = (
                "".join(one.get("text/html", [])) if isinstance(one.get("text/html"), list | str) else ""
            )
            yield from _marked(printed)  # what a notebook keeps of what it showed
        elif isinstance(one, list):
            rows = [row for row in one[:HEAD_LINES] if isinstance(row, Mapping)]
            if len(rows) > 1:
                yield (tuple(dict.fromkeys(str(key) for row in rows for key in row)),)
            if one and all(isinstance(cell, str) for cell in one):
                yield ((), tuple(one))  # names of columns, or of anything: the second row
            elif one and isinstance(one[0], list):
                yield tuple(tuple(map(str, row)) for row in one[:HEAD_LINES] if isinstance(row, list))
            todo += [row for row in one if isinstance(row, Mapping | list)]


def _object(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None
