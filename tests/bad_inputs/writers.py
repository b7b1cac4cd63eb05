"""What writes raw files, sound ones and spoiled ones."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
import xlsxwriter

Write = Callable[[Path], None]


def text(content: str, encoding: str = "utf-8") -> Write:
    """Write text, line ends as given."""
    return lambda path: path.write_bytes(content.encode(encoding)) and None


def content(data: bytes) -> Write:
    """Write bytes."""
    return lambda path: path.write_bytes(data) and None


def xlsx(rows: Sequence[Sequence[Any]], change: Callable[[Any, Any], None] | None = None) -> Write:
    """Write a workbook of one sheet; `change` gets the workbook and the sheet before it is closed."""

    def write(path: Path) -> None:
        book = xlsxwriter.Workbook(str(path))
        sheet = book.add_worksheet("Sheet1")
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
        if change:
            change(book, sheet)
        book.close()

    return write


def spss(columns: dict[str, list[Any]], **options: Any) -> Write:
    """Write an SPSS file."""
    return lambda path: pyreadstat.write_sav(pd.DataFrame(columns), path, **options)


def stata(columns: dict[str, list[Any]], **options: Any) -> Write:
    """Write a Stata file."""
    return lambda path: pyreadstat.write_dta(pd.DataFrame(columns), path, **options)


def parquet(columns: dict[str, Any] | pa.Table) -> Write:
    """Write a Parquet file."""
    return lambda path: pq.write_table(columns if isinstance(columns, pa.Table) else pa.table(columns), path)


def archive(names: Iterable[str]) -> Write:
    """Write a zip archive of files that say nothing."""

    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as file:
            for name in names:
                file.writestr(name, "nothing")

    return write


def gzipped(data: bytes) -> Write:
    """Write a gzip archive."""
    return content(gzip.compress(data, mtime=0))


def ole(stream: str) -> Write:
    """Write the beginning of an OLE file with a stream of that name: enough to tell what it is."""
    return content(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + stream.encode("utf-16-le") + bytes(64))


def cut(write: Write, share: float) -> Write:
    """Write a file and cut it off."""

    def shorten(path: Path) -> None:
        write(path)
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * share)])

    return shorten


def spoiled(write: Write, old: bytes, new: bytes) -> Write:
    """Write a file and change bytes in it."""

    def spoil(path: Path) -> None:
        write(path)
        data = path.read_bytes()
        assert old in data
        path.write_bytes(data.replace(old, new, 1))

    return spoil
