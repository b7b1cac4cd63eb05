"""Comma-, semicolon- and tab-separated text as a sheet."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from typing import Final

import numpy as np
import pyarrow.compute as pc

from surveywaves.errors import RawFileError
from surveywaves.ingest.column import Column
from surveywaves.ingest.encoding import as_utf8
from surveywaves.ingest.problems import EVERY, Problem
from surveywaves.ingest.ragged import read_ragged
from surveywaves.ingest.raw import Source, empty_row
from surveywaves.ingest.records import find_records, parse_records
from surveywaves.ingest.sheet import TOP, Body

DELIMITERS: Final = {",": "commas", ";": "semicolons", "\t": "tabs"}
SNIFFED: Final = 1 << 20
"""Bytes that are looked at to find the delimiter."""
_EXCEL_HINT: Final = re.compile(rb'\A"?sep=(.)"?\r?\n', re.IGNORECASE)
_FEWEST: Final = 5
"""Columns from which on a cell can be told from rows that ran together."""


class Delimited:
    """A delimited text file.

    The rows below the header go to pyarrow where it can be trusted with them, and to the csv module otherwise.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self.problems: list[Problem] = []
        try:
            content = source.path.read_bytes()
        except OSError as error:
            raise source.error(f"cannot be read: {error.strerror or error}") from error
        self._data = as_utf8(source, content)
        del content
        self._delimiter = self._find_delimiter()
        self._records = find_records(self._data, self._delimiter)

    @cached_property
    def top(self) -> list[list[str]]:
        """Give the first rows."""
        rows = islice(read_rows(self.source, self._data, self._delimiter), TOP)
        return [[cell.strip() for cell in row] for row in rows]

    def merged(self, row: int) -> list[str]:  # noqa: ARG002
        """Say that text has no merged cells."""
        return []

    def body(self, first: int, width: int) -> Body:
        """Read the rows from a given one on."""
        body = self._fast(first, width) or self._slow(first, width)
        for column in body.columns:
            self._refuse_joined_rows(column, body)
        return body

    def _fast(self, first: int, width: int) -> Body | None:
        records = self._records
        if not records.regular:
            return None
        parsed = parse_records(self._data, records, first=first, width=width, delimiter=self._delimiter)
        if parsed is None:
            return None
        empty = records.empty[first:]
        numbers = np.arange(first, len(records), dtype=np.int64) + 1
        rows = numbers[~empty]
        last = int(rows[-1]) if len(rows) else first
        lines = [int(row) for row in numbers[empty] if row < last]
        columns = [Column.of_arrow(cells) for cells in parsed]
        return _without_trailing(
            Body(columns, rows, total=last - first, aside=[empty_row(row) for row in lines])
        )

    def _slow(self, first: int, width: int) -> Body:
        rows = islice(enumerate(read_rows(self.source, self._data, self._delimiter), start=1), first, None)
        return _without_trailing(read_ragged(rows, width=width))

    def _find_delimiter(self) -> str:
        expected = "\t" if self.source.path.suffix.lower() in {".tsv", ".tab"} else ","
        if hint := _EXCEL_HINT.match(self._data):
            # Excel takes this line for itself, and numbers the rows from the next one on.
            self._data = self._data[hint.end() :]
            found = hint.group(1).decode("utf-8", "replace")
            if found not in DELIMITERS:
                raise self.source.error(
                    f"says `sep={found}`", "separate the cells by comma, semicolon or tab"
                )
        else:
            found = sniff(self._data[:SNIFFED].decode("utf-8", "ignore"), expected)
        if found != expected:
            problem = f"cells are separated by {DELIMITERS[found]}, not {DELIMITERS[expected]}"
            self.problems.append(Problem(None, EVERY, found, problem, "read so"))
        return found

    def _refuse_joined_rows(self, column: Column, body: Body) -> None:
        """Refuse a cell that holds the rest of one row and the beginning of another: two stray quotes make one."""
        width = len(body.columns)
        if width < _FEWEST:
            return
        long = pc.match_substring_regex(column.texts, r"[\r\n]").to_numpy(zero_copy_only=False)
        between = re.compile(rf"{re.escape(self._delimiter)}(?![ ])")
        for code in np.flatnonzero(long):
            text = column.texts[int(code)].as_py()
            lines = len(re.findall(r"\r\n|\r|\n", text))
            if len(between.findall(text)) == lines * (width - 1):
                row = int(body.rows[np.argmax(column.codes == code)])
                raise self.source.error(
                    f"a cell swallows {lines} line ends and as many separators as {lines} rows have",
                    'look for a stray `"` there; within a quoted cell a quote is doubled',
                    row=row,
                )


def read_rows(source: Source, data: bytes, delimiter: str) -> Iterator[list[str]]:
    """Read rows with the csv module, which stops at a quote in the wrong place."""
    text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline="")
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    row = 0
    while True:
        row += 1
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise _quoting_error(source, error, row) from error


def _quoting_error(source: Source, error: csv.Error, row: int) -> RawFileError:
    hint = (
        'within a quoted cell a quote is doubled (`"he said ""no"""`); open the file in a text editor there'
    )
    said = str(error)
    if "unexpected end" in said:
        return source.error("a quoted cell begins here and never ends", hint, row=row)
    if "field larger" in said:
        return source.error(
            "a cell has more than 131,072 characters: a quote that never closes?", hint, row=row
        )
    return source.error("a quote stands in the middle of a quoted cell", hint, row=row)


def sniff(text: str, expected: str) -> str:
    """Say which delimiter gives rows of one length, no torn quotes and most columns; in doubt, the expected one."""
    best, found = (0.0, False, 0), expected
    for delimiter in (expected, *(other for other in DELIMITERS if other != expected)):
        rows = _first_rows(text, delimiter)
        if not rows or len(rows[0]) < 2:
            continue  # the header has no such delimiter
        length, count = Counter(map(len, rows)).most_common(1)[0]
        torn = any(cell.count('"') % 2 for row in rows for cell in row)
        score = (count / len(rows), not torn, length)
        if score > best:
            best, found = score, delimiter
    return found


def _first_rows(text: str, delimiter: str) -> list[list[str]]:
    try:
        rows = list(islice(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), 20))
    except csv.Error:
        return []
    return [row for row in rows if row]


def _without_trailing(body: Body) -> Body:
    """Leave the empty rows at the end out: they are no rows."""
    last = max([_last_filled(body), *(one.row or 0 for one in body.aside if one.problem != _EMPTY)])
    broken = [one for one in body.aside if one.problem != _EMPTY or (one.row or 0) < last]
    kept = body.rows <= last
    if kept.all() and len(broken) == len(body.aside):
        return body
    total = body.total - int((~kept).sum()) - (len(body.aside) - len(broken))
    problems = [one for one in body.problems if one.row is None or one.row <= last]
    return Body([column.take(kept) for column in body.columns], body.rows[kept], total, broken, problems)


_EMPTY: Final = empty_row(0).problem


def _last_filled(body: Body) -> int:
    """Give the number of the last row with any content, 0 if there is none."""
    last = -1
    for column in body.columns:
        filled = np.flatnonzero(column.filled[last + 1 :])
        if len(filled):
            last += int(filled[-1]) + 1
        if last == len(body.rows) - 1:
            break
    return int(body.rows[last]) if last >= 0 else 0
