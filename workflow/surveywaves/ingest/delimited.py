"""Comma-, semicolon- and tab-separated text as a sheet.

pyarrow reads delimited text some fifty times faster than the csv module, but it passes over empty lines, stops at the
first row of another length, and loses a byte where a quoted line end falls between two of its blocks (Arrow issue
51368). So the text is first looked over, in whole arrays of bytes: which line ends lie outside quotes, which lines
are empty, and whether every quote is at an end of a cell or doubled. Where that holds, pieces that end with a row are
parsed each in one block, and the number of rows is known beforehand. Where it does not, the csv module decides, and
rows that do not have as many cells as the header are taken or set aside one by one.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

from surveywaves.errors import RawFileError
from surveywaves.ingest.raw import TOP, Body, Column, Problem, Source, empty_row
from surveywaves.ingest.signature import as_utf8
from surveywaves.terms import EVERY, SET_ASIDE

WINDOW: Final = 1 << 24
PIECE: Final = 1 << 25
QUOTE: Final = ord('"')
CR: Final = ord("\r")
LF: Final = ord("\n")


@dataclass(frozen=True, slots=True)
class Records:
    """Where the rows of a text lie.

    Parameters
    ----------
    starts, ends
        Offsets of each row's first byte, and of the byte after its line end.
    empty
        Whether the row is a line without anything in it.
    regular
        Whether every quote opens a cell, closes one or stands doubled within one, and all that open close.
    """

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    empty: NDArray[np.bool_]
    regular: bool

    def __len__(self) -> int:
        return len(self.starts)

    def first(self, rows: int) -> list[tuple[int, int]]:
        """Return the offsets of the first rows."""
        return list(zip(self.starts[:rows].tolist(), self.ends[:rows].tolist(), strict=True))


def find_records(data: bytes, delimiter: str) -> Records:
    """Look a UTF-8 text over for its rows."""
    everything = np.frombuffer(data, dtype=np.uint8)
    ends: list[NDArray[np.int64]] = []
    inside, regular = 0, True
    for start in range(0, len(everything), WINDOW):
        window = everything[start : start + WINDOW]
        quotes = np.flatnonzero(window == QUOTE)
        # A line ends at LF, or at a CR that no LF follows.
        lines = np.flatnonzero((window == LF) | (window == CR))
        following = start + lines + 1
        next_byte = everything[np.minimum(following, len(everything) - 1)]
        lines = lines[(window[lines] == LF) | (next_byte != LF) | (following >= len(everything))]
        if len(quotes) or inside:
            outside = (np.searchsorted(quotes, lines) + inside) % 2 == 0
            lines = lines[outside]
            regular = regular and _well_placed(everything, start + quotes, inside, ord(delimiter))
            inside = (inside + len(quotes)) % 2
        ends.append(start + lines + 1)
    found = np.concatenate(ends) if ends else np.array([], dtype=np.int64)
    if len(everything) and (not len(found) or found[-1] < len(everything)):
        found = np.append(found, len(everything))  # the last line has no line end
    starts = np.concatenate([[0], found[:-1]]).astype(np.int64) if len(found) else found
    return Records(starts, found, _empty(everything, starts, found), regular and not inside)


def parse_records(
    data: bytes, records: Records, *, first: int, width: int, delimiter: str
) -> list[Any] | None:
    """Parse the rows from a given one on, with pyarrow; empty lines are passed over.

    Parameters
    ----------
    first
        Number of the first row to parse, from 0.
    width
        Cells that each row must have.

    Returns
    -------
    list of pyarrow.ChunkedArray or None
        One dictionary-encoded column a cell of a row; None if some row has another number of cells.
    """
    names = [str(place) for place in range(width)]
    text = pa.dictionary(pa.int32(), pa.string())
    tables = []
    whole = pa.py_buffer(data)
    for start, end, rows in _pieces(records, first):
        try:
            table = pa.csv.read_csv(
                pa.BufferReader(whole.slice(start, end - start)),
                read_options=pa.csv.ReadOptions(column_names=names, block_size=end - start + 1),
                parse_options=pa.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
                convert_options=pa.csv.ConvertOptions(
                    column_types=dict.fromkeys(names, text),
                    null_values=[""],
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=True,
                ),
            )
        except pa.ArrowInvalid:
            return None
        if table.num_rows != rows:
            return None
        tables.append(table)
    if not tables:
        return [pa.chunked_array([], type=text)] * width
    return list(pa.concat_tables(tables).columns)


def _pieces(records: Records, first: int) -> list[tuple[int, int, int]]:
    """Cut the text into pieces of whole rows: start, end, rows that are not empty."""
    pieces = []
    place = first
    while place < len(records):
        start = int(records.starts[place])
        after = int(np.searchsorted(records.ends, start + PIECE, side="right"))
        after = max(after, place + 1)
        if rows := int((~records.empty[place:after]).sum()):
            pieces.append((start, int(records.ends[after - 1]), rows))
        place = after
    return pieces


def _well_placed(
    everything: NDArray[np.uint8], quotes: NDArray[np.int64], inside: int, delimiter: int
) -> bool:
    """Check that what stands before an opening quote and after a closing one is the end of a cell, or another quote."""
    fits = np.zeros(256, dtype=np.bool_)
    fits[[delimiter, CR, LF, QUOTE]] = True
    opening = quotes[inside::2]
    closing = quotes[1 - inside :: 2]
    before = opening[opening > 0] - 1
    after = closing[closing < len(everything) - 1] + 1
    return bool(fits[everything[before]].all() and fits[everything[after]].all())


def _empty(
    everything: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Say which rows are nothing but a line end."""
    length = ends - starts
    empty: NDArray[np.bool_] = (length == 1) & np.isin(everything[starts], (CR, LF))
    pairs = np.flatnonzero(length == 2)
    empty[pairs] = (everything[starts[pairs]] == CR) & (everything[starts[pairs] + 1] == LF)
    return empty


BATCH: Final = 20_000
"""Rows that are held as lists before they become columns."""

Numbered = tuple[int, list[str]]


@dataclass(slots=True)
class _Taken:
    width: int
    parts: list[list[Column]] = field(default_factory=list)
    batch: list[list[str]] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)

    def add(self, row: int, cells: list[str]) -> None:
        self.rows.append(row)
        self.batch.append(cells)
        if len(self.batch) == BATCH:
            self.flush()

    def flush(self) -> None:
        if self.batch:
            self.parts.append([Column.of(cells) for cells in zip(*self.batch, strict=True)])
            self.batch = []

    def columns(self) -> list[Column]:
        self.flush()
        if not self.parts:
            return [Column.blank(0)] * self.width
        return [Column.join(cells) for cells in zip(*self.parts, strict=True)]


def read_ragged(rows: Iterable[Numbered], *, width: int) -> Body:
    """Make columns of rows of any length.

    - Blank cells beyond the last column are passed over, and that is said once a file.
    - A row with content beyond the last column is set aside: a delimiter stands unquoted somewhere in it, and all
      that follows it has moved.
    - A row that ends early keeps what it has (spreadsheets leave trailing blanks out), and is listed.
    - Rows that end early and together make one row of the right length are one row that a line end broke: they are
      set aside, for only the first piece begins where it should.
    - An empty line is an empty row.

    Parameters
    ----------
    rows
        Number and cells of each row.
    """
    taken = _Taken(width)
    aside: list[Problem] = []
    problems: list[Problem] = []
    short: list[Numbered] = []
    surplus: list[int] = []
    total = 0

    def settle_short() -> None:
        for group in broken_rows(short, width):
            row, cells = group[0]
            if len(group) > 1:
                aside.extend(_broken(number, found, group) for number, found in group)
            elif not cells:
                aside.append(empty_row(row))
            else:
                taken.add(row, cells + [""] * (width - len(cells)))
                problem = f"the row has {len(cells)} cells, the header {width}"
                problems.append(Problem(row, EVERY, "", problem, "missing cells taken as blank"))
        short.clear()

    for row, cells in rows:
        total += 1
        if len(cells) < width:
            short.append((row, cells))
            continue
        settle_short()
        if any(cell.strip() for cell in cells[width:]):
            problem = f"the row has {len(cells)} cells, the header {width}: a separator in an unquoted cell?"
            aside.append(Problem(row, EVERY, "", problem, SET_ASIDE))
            continue
        if len(cells) > width:
            surplus.append(row)
        taken.add(row, cells[:width])
    settle_short()
    if surplus:
        problem = f"blank cells beyond the last column in {len(surplus)} rows, first in row {surplus[0]}"
        problems.append(Problem(None, EVERY, "", problem, "passed over"))
    return Body(taken.columns(), np.array(taken.rows, dtype=np.int64), total, aside, problems)


def broken_rows(short: Sequence[Numbered], width: int) -> list[list[Numbered]]:
    """Group consecutive short rows: those that join to one row of the right length, each other one by itself."""
    groups = []
    place = 0
    while place < len(short):
        joined, end = _joins(short, place, width)
        groups.append(list(short[place:end]) if joined else [short[place]])
        place = end if joined else place + 1
    return groups


def _joins(short: Sequence[Numbered], place: int, width: int) -> tuple[bool, int]:
    """Say whether the rows from a place on join to a full row, and where such a row would end."""
    if not short[place][1]:
        return False, place + 1
    cells = len(short[place][1])
    for end in range(place + 1, len(short)):
        # Two pieces share the cell that was broken.
        cells += max(len(short[end][1]), 1) - 1
        if cells == width:
            return True, end + 1
        if cells > width:
            break
    return False, place + 1


def _broken(row: int, cells: list[str], group: Sequence[Numbered]) -> Problem:
    problem = f"rows {group[0][0]} to {group[-1][0]} look like one row that an unquoted line end broke"
    return Problem(row, EVERY, "", f"{problem} ({len(cells)} cells here)", SET_ASIDE)


DELIMITERS: Final = {",": "commas", ";": "semicolons", "\t": "tabs"}
SNIFFED: Final = 1 << 20
"""Bytes that are looked at to find the delimiter."""
_EXCEL_HINT: Final = re.compile(rb'\A"?sep=(.)"?\r?\n', re.IGNORECASE)
HEADERS: Final = 3
MOST_COLUMNS: Final = 20_000
"""Columns that a sheet may have; the largest workbook has 16,384."""
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
        self._refuse_wide()

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

    def _refuse_wide(self) -> None:
        """Refuse more columns than a sheet can have, before they become cells; rows with quotes may be many rows."""
        separator = self._delimiter.encode()
        rows = self._records.first(HEADERS)
        width = max(
            (self._data.count(separator, *row) for row in rows if b'"' not in self._data[slice(*row)]),
            default=0,
        )
        if rows:
            width = max(width, self._data.count(b'"' + separator + b'"', *rows[0]))
        if width >= MOST_COLUMNS:
            hint = f"are its cells separated by {DELIMITERS[self._delimiter]}?"
            raise self.source.error(f"has {width + 1:,} columns", hint)

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
