"""The heads of columns in a file. What a file is, its first bytes say, not its name."""

from __future__ import annotations

import base64
import csv
import io
import re
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final
from urllib.parse import unquote_to_bytes

DELIMITERS: Final = ("\t", ",", ";", "|")

HEAD_LINES: Final = 3
"""Rows that may hold the heads of columns: exports have up to three."""

HEAD_BYTES: Final = 262_144
"""Bytes of a text that are looked at."""

DEEPEST: Final = 3
"""Archives within archives that are opened."""

Heads = tuple[tuple[str, ...], ...]
"""The first rows of a table, of which the first one names its columns, or all do together."""


class UnreadableError(Exception):
    """A data file that cannot be looked into."""


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
        If it is a data file that cannot be opened: damaged, locked with a password, archives too deep.
    """
    for begins, read in _BINARY.items():
        if content.startswith(begins):
            try:
                yield from read(content)
            except Exception as error:  # whatever a reader raises on a damaged file
                raise UnreadableError(
                    str(error).splitlines()[0] if str(error) else type(error).__name__
                ) from None
            return
    if content.startswith(b"PK\x03\x04"):
        yield from _archive(content, depth)
    else:
        yield from _text(content)


def _parquet(content: bytes) -> Iterator[Heads]:
    import pyarrow.parquet as pq  # noqa: PLC0415 - a second to import, and most files are text

    yield (tuple(pq.read_schema(io.BytesIO(content)).names),)


def _arrow(content: bytes) -> Iterator[Heads]:
    import pyarrow as pa  # noqa: PLC0415

    yield (tuple(pa.ipc.open_file(io.BytesIO(content)).schema.names),)


def _spss(content: bytes) -> Iterator[Heads]:
    import pyreadstat  # noqa: PLC0415

    with tempfile.NamedTemporaryFile(suffix=".sav") as file:  # readable for its owner only
        file.write(content)
        file.flush()
        _, meta = pyreadstat.read_sav(file.name, metadataonly=True)
    yield (tuple(meta.column_names),)


def _stata(content: bytes) -> Iterator[Heads]:
    import pandas as pd  # noqa: PLC0415

    with pd.read_stata(io.BytesIO(content), iterator=True) as reader:
        yield (tuple(reader.variable_labels()),)


def _workbook(content: bytes) -> Iterator[Heads]:
    import openpyxl  # noqa: PLC0415

    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
    for sheet in book.worksheets:
        rows = sheet.iter_rows(max_row=2 * HEAD_LINES, values_only=True)
        yield _filled(["" if cell is None else str(cell) for cell in row] for row in rows)


_BINARY: Final = {
    b"PAR1": _parquet,
    b"ARROW1": _arrow,
    b"$FL2": _spss,
    b"$FL3": _spss,
    b"<stata_dta>": _stata,
    b"\x73\x01": _stata,
    b"\x73\x02": _stata,
    b"\x72\x01": _stata,
    b"\x72\x02": _stata,
}
"""How a file begins -> what reads it."""


def _archive(content: bytes, depth: int) -> Iterator[Heads]:
    """Look into an archive, or a workbook, which is one as well."""
    if depth == DEEPEST:
        raise UnreadableError("archives within archives")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            if "xl/workbook.xml" in names:
                yield from _workbook(content)
                return
            for name in names:
                yield from heads(archive.read(name), depth=depth + 1)
    except UnreadableError:
        raise
    except Exception as error:  # damaged or locked: zipfile and openpyxl raise all sorts
        raise UnreadableError(str(error).splitlines()[0] if str(error) else type(error).__name__) from None


_EMBEDDED: Final = re.compile(rb"data:text/csv[^\"'<>\s]*")


def _text(content: bytes, head_lines: int = HEAD_LINES) -> Iterator[Heads]:
    """Take the first lines apart by every delimiter; in a page, the first of each table that it lets one take away."""
    encoding = "utf-16" if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    text = content[:HEAD_BYTES].decode(encoding, errors="replace")
    lines = [line for line in text.splitlines() if line.strip()][:head_lines]
    for delimiter in DELIMITERS:
        try:
            yield _filled(csv.reader(lines, delimiter=delimiter))
        except csv.Error:  # a line longer than any table's
            continue
    for address in _EMBEDDED.findall(content):
        how, comma, data = address.partition(b",")
        if comma:
            # Nothing but a page like the report's has these, with one line of heads. The next may be about the
            # variable `respondent`, as in the codebook.
            yield from _text(
                _decoded(data) if how.endswith(b"base64") else unquote_to_bytes(data), head_lines=1
            )


def _filled(rows: Iterable[Sequence[str]]) -> Heads:
    """Keep the first rows that have several cells."""
    several = (row for row in rows if sum(bool(cell.strip()) for cell in row) > 1)
    return tuple(tuple(row) for row in islice(several, HEAD_LINES))


def _decoded(data: bytes) -> bytes:
    try:
        return base64.b64decode(unquote_to_bytes(data))
    except ValueError:  # words that look like an address
        return b""
