"""Delimited text as a sheet: commas, semicolons, tabs or pipes between its cells.

pyarrow parses the cells, some fifty times faster than the csv module. What it cannot be trusted with is settled first,
in whole arrays of bytes: which line ends lie outside quotes and which lines are empty. It loses a byte where a quoted
line end falls between two of its blocks (Arrow issue 51368), so pieces that end with a row are parsed each in one
block; it passes over empty lines, so the number of rows is known beforehand; and it stops at a row of another length,
so such rows are filled up, cut or taken out, and all that remains is parsed the same way.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

from surveywaves.ingest.raw import EMPTY, TOP, Column, Problem, RawTable, Sheet, Source, set_aside
from surveywaves.ingest.signature import as_utf8, content_of
from surveywaves.terms import EVERY

PIECE: Final = 1 << 25
BLOCK: Final = 1 << 16
"""Bytes that are searched at a time for quotes, line ends and separators."""
LONGEST: Final = 1 << 25
"""Bytes that a row may have: as many as a piece."""
QUOTE: Final = ord('"')
CR: Final = ord("\r")
LF: Final = ord("\n")
Places = NDArray[np.int64]
Bytes = NDArray[np.uint8]
_NOWHERE: Final = np.array([], dtype=np.int64)


class StrayQuoteError(Exception):
    """A quote that opens or closes no cell, in a row (from 1)."""

    def __init__(self, row: int, *, closes: bool) -> None:
        super().__init__(f"row {row}")
        self.row, self.closes = row, closes


@dataclass(frozen=True, slots=True)
class Records:
    """The positions of the rows in a text."""

    everything: Bytes
    # starts, ends: offsets of each row's first byte, and of the byte after its line end
    starts: Places
    ends: Places
    empty: NDArray[np.bool_]  # whether the row is an empty line
    # delimiter, quoting: the separator of cells, and whether quotes enclose cells or are ordinary characters
    delimiter: str
    quoting: bool
    # whether every quote opens a cell, closes one or is doubled within one
    regular: bool

    def __len__(self) -> int:
        return len(self.starts)

    def cut(self, size: int, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Yield the first row and the row after the last of pieces of at most `size` bytes, or of one row."""
        while first < last:
            after = int(np.searchsorted(self.ends, int(self.starts[first]) + size, side="right"))
            after = min(max(after, first + 1), last)
            yield first, after
            first = after

    def cells(self, first: int, last: int, beyond: int | None = None) -> tuple[Places, dict[int, int]]:
        """Count the cells of each row (0 for an empty one).

        Also returns, for rows of more than `beyond` cells, the offset of the separator after the last cell allowed.
        """
        counts: list[Places] = []
        cuts: dict[int, int] = {}
        for start, end in self.cut(BLOCK, first, last):
            offset, after = int(self.starts[start]), int(self.ends[end - 1])
            at = offset + np.flatnonzero(self.everything[offset:after] == ord(self.delimiter))
            if self.quoting:
                quotes = _Quotes(self.everything, self.delimiter).within(offset, after)
                at = at[np.searchsorted(quotes, at) % 2 == 0]
            rows = np.searchsorted(self.ends[start:end], at, side="right")
            found = np.bincount(rows, minlength=end - start)
            if beyond is not None:
                before = np.cumsum(found) - found
                for row in np.flatnonzero(found >= beyond):
                    cuts[start + int(row)] = int(at[before[row] + beyond - 1])
            counts.append(np.where(self.empty[start:end], 0, found + 1))
        return np.concatenate([_NOWHERE, *counts]), cuts

    def line(self, row: int) -> bytes:
        """Return a row without its line end."""
        return self.everything[int(self.starts[row]) : int(self.ends[row])].tobytes().rstrip(b"\r\n")


def find_records(data: bytes, delimiter: str, *, quoting: bool = True) -> Records:
    """Find the rows of a UTF-8 text.

    Raises
    ------
    StrayQuoteError
        If a quoted cell never ends, or goes on after its closing quote.
    """
    everything = np.frombuffer(data, dtype=np.uint8)
    quotes = _Quotes(everything, delimiter)
    found = [_NOWHERE]
    for start in range(0, len(everything), BLOCK):
        lines, inside = _line_ends(everything, start, start + BLOCK), quotes.inside
        if quoting:
            here = quotes.within(start, start + BLOCK)
            if quotes.stray is not None:
                lines = lines[lines < quotes.stray]
            lines = lines[(np.searchsorted(here, lines) + inside) % 2 == 0]
        found.append(lines + 1)
        if quotes.stray is not None:
            raise StrayQuoteError(sum(map(len, found)) + 1, closes=True)
    ends = np.concatenate(found)
    if quotes.inside:
        raise StrayQuoteError(int(np.searchsorted(ends, quotes.last)) + 1, closes=False)
    if len(everything) and (not len(ends) or ends[-1] < len(everything)):
        ends = np.append(ends, len(everything))  # the last line has no line end
    starts = np.append(0, ends)[:-1]
    lengths, last = ends - starts, np.isin(everything[ends - 1], (CR, LF))
    paired = (lengths == 2) & (everything[starts] == CR) & (everything[ends - 1] == LF)
    empty = ((lengths == 1) & last) | paired
    return Records(everything, starts, ends, empty, delimiter, quoting, quotes.regular)


def _line_ends(everything: Bytes, start: int, end: int) -> Places:
    """Find the line ends: each LF, and each CR that no LF follows."""
    block = everything[start:end]
    lines = start + np.flatnonzero((block == LF) | (block == CR))
    following = np.minimum(lines + 1, len(everything) - 1)
    found: Places = lines[(everything[lines] == LF) | (everything[following] != LF)]
    return found


class _Quotes:
    """The quotes that alternately open and close cells, found block by block; other quotes are ordinary characters.

    A doubled quote within a cell closes it and opens it again.
    """

    def __init__(self, everything: Bytes, delimiter: str) -> None:
        self.everything = everything
        self.ends = np.isin(np.arange(256), (ord(delimiter), CR, LF))
        # whether a cell is open, and the last quote that opened or closed one
        self.inside, self.last = False, -2
        self.regular = True  # whether no quote so far was an ordinary character
        self.stray: int | None = None  # a quote after which a cell goes on

    def within(self, start: int, end: int) -> Places:
        """Find the quotes of the next block, as far as the first stray one."""
        everything = self.everything
        quotes = start + np.flatnonzero(everything[start:end] == QUOTE)
        before, after = everything[quotes - 1], everything[np.minimum(quotes + 1, len(everything) - 1)]
        opens, closes = self.ends[before] | (quotes == 0), self.ends[after] | (after == QUOTE)
        # Between other characters a quote opens and closes nothing, and must not stand in a quoted cell.
        among = ~(opens | closes | (before == QUOTE))
        found: Places = quotes[~among]
        strays: Places = quotes[among]
        again = found == np.append(self.last, found)[:-1] + 1
        if (opens[~among] | again)[self.inside :: 2].all() and closes[~among][1 - self.inside :: 2].all():
            strays = strays[(np.searchsorted(found, strays) + self.inside) % 2 == 1]
            self.stray = int(strays[0]) if len(strays) else None
            found = found[found < strays[0]] if len(strays) else found
        else:
            found = self._one_by_one(quotes, opens, closes)
        self.regular &= len(found) == len(quotes)
        self.inside ^= bool(len(found) % 2)
        self.last = int(found[-1]) if len(found) else self.last
        return found

    def _one_by_one(self, quotes: Places, opens: NDArray[np.bool_], closes: NDArray[np.bool_]) -> Places:
        inside, last, found = self.inside, self.last, list[int]()
        for place, begins, ends in zip(quotes.tolist(), opens.tolist(), closes.tolist(), strict=True):
            if inside and not ends:
                self.stray = place
                break
            if inside or begins or place == last + 1:
                inside, last = not inside, place
                found.append(place)
        return np.array(found, dtype=np.int64)


@dataclass(slots=True)
class Odd:
    """Treatment of rows whose number of cells differs from the number of columns."""

    lines: dict[int, bytes] = field(default_factory=dict)  # row (from 0) -> its text as it is to be parsed
    gone: dict[int, Problem] = field(default_factory=dict)  # row -> why it is set aside
    problems: list[Problem] = field(default_factory=list)


def settle_odd(records: Records, first: int, width: int) -> Odd:
    """Decide on the rows with more or fewer cells than columns.

    - Blank cells beyond the last column are ignored, and reported once per file.
    - A row with content beyond the last column is set aside: it contains an unquoted delimiter, after which all
      cells are in the wrong column.
    - A row that ends early keeps its cells (spreadsheets omit trailing blanks), and is listed.
    - Consecutive short rows that join to one row of the right length are one row with an unquoted line end, unless
      each begins like other rows: they are set aside, as only the first piece has its cells in the right columns.
    """
    odd = Odd()
    counts, cuts = records.cells(first, len(records), beyond=width)
    separator = records.delimiter.encode()
    surplus = []
    for row, at in cuts.items():
        rest = records.everything[at : int(records.ends[row])].tobytes().decode("utf-8", "replace")
        if not re.fullmatch(rf'(?:\s|"\s*"|{re.escape(records.delimiter)})*', rest):
            problem = f"the row has {counts[row - first]} cells, the header {width}: a separator in an unquoted cell?"
            odd.gone[row] = set_aside(row + 1, problem)
        else:
            surplus.append(row + 1)
            # An empty line would be no row to pyarrow.
            odd.lines[row] = records.line(row)[: at - int(records.starts[row])] or b" "
    short = counts < width
    groups = broken_rows(records, counts, np.flatnonzero(short), first, width) if short.any() else []
    for group in groups:
        cells = int(counts[group[0] - first])
        if len(group) > 1:
            named = (
                f"rows {group[0] + 1} to {group[-1] + 1} look like one row that an unquoted line end broke"
            )
            for row in group:
                problem = f"{named} ({counts[row - first]} cells here)"
                odd.gone[row] = set_aside(row + 1, problem)
        elif cells:
            odd.lines[group[0]] = records.line(group[0]) + separator * (width - cells)
            problem = f"the row has {cells} cells, the header {width}"
            odd.problems.append(Problem(group[0] + 1, EVERY, "", problem, "missing cells taken as blank"))
    if surplus:
        problem = f"blank cells beyond the last column in {len(surplus)} rows, first in row {surplus[0]}"
        odd.problems.append(Problem(None, EVERY, "", problem, "passed over"))
    return odd


_BEGINNINGS: Final = 500
"""Number of rows, complete ones if there are any, from which the usual beginnings of a row are learned."""


def broken_rows(records: Records, counts: Places, short: Places, first: int, width: int) -> list[list[int]]:
    """Group consecutive short rows that join to one row of the right length; each other row is a group of its own."""
    whole = np.flatnonzero(counts == width)
    some = whole if len(whole) else np.flatnonzero(counts)
    begun = Counter(_beginning(records, first + int(row)) for row in some[:_BEGINNINGS])
    known = {text for text, count in begun.items() if len(whole) or 3 * count >= begun.total()}
    groups: list[list[int]] = []
    rows = (short + first).tolist()
    place = 0
    while place < len(rows):
        end = place + 1
        cells = int(counts[rows[place] - first])
        while cells and end < len(rows) and rows[end] == rows[end - 1] + 1 and cells < width:
            more = int(counts[rows[end] - first])
            if more and _beginning(records, rows[end]) in known:
                break
            # Two pieces share the cell that was broken.
            cells += max(more, 1) - 1
            end += 1
        joined = end > place + 1 and cells == width
        groups.append(rows[place:end] if joined else rows[place : place + 1])
        place = end if joined else place + 1
    return groups


def _beginning(records: Records, row: int) -> str:
    """Return the first cell of a row; for a number, date or code its pattern of digits and letters."""
    text = records.line(row).partition(records.delimiter.encode())[0].decode("utf-8", "replace").strip(' "')
    return re.sub(r"\d+", "9", re.sub(r"[^\W\d_]+", "a", text)) if re.search(r"\d", text) else text


def parse_records(records: Records, first: int, last: int, width: int, odd: Odd) -> list[Any] | None:
    """Parse rows of `width` cells with pyarrow; empty lines are skipped.

    Returns
    -------
    list of pyarrow.ChunkedArray or None
        One dictionary-encoded column for each cell of a row; None if a row has another number of cells.
    """
    names = [str(place) for place in range(width)]
    text = pa.dictionary(pa.int32(), pa.string())
    tables = []
    for start, end in records.cut(PIECE, first, last):
        gone = sum(start <= row < end and not records.empty[row] for row in odd.gone)
        rows = int((~records.empty[start:end]).sum()) - gone
        if not rows:
            continue
        piece = _piece(records, start, end, odd)
        # pyarrow drops the first byte order mark, which is part of a cell here.
        if piece[:3].to_pybytes() == codecs.BOM_UTF8:
            piece = pa.py_buffer(codecs.BOM_UTF8 + piece.to_pybytes())
        try:
            table = pa.csv.read_csv(
                pa.BufferReader(piece),
                read_options=pa.csv.ReadOptions(column_names=names, block_size=len(piece) + 1),
                parse_options=pa.csv.ParseOptions(
                    delimiter=records.delimiter,
                    quote_char='"' if records.quoting else False,
                    newlines_in_values=records.quoting,
                ),
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


def _piece(records: Records, start: int, end: int, odd: Odd) -> Any:
    """Return the bytes of some rows, with the changes of `settle_odd`."""
    at, after = int(records.starts[start]), int(records.ends[end - 1])
    rows = sorted(row for row in (*odd.lines, *odd.gone) if start <= row < end)
    if not rows:
        return pa.py_buffer(records.everything).slice(at, after - at)
    parts: list[Any] = []
    for row in rows:
        parts.append(records.everything[at : int(records.starts[row])].data)
        if row in odd.lines:
            parts.append(odd.lines[row] + b"\n")
        at = int(records.ends[row])
    return pa.py_buffer(b"".join([*parts, records.everything[at:after].data]))


DELIMITERS: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "pipes"}
BARE: Final = frozenset("\t|")
"""Separators with which some programs write quotes as ordinary characters."""
SNIFFED: Final = 1 << 20
"""Bytes, and below rows, that are examined to find the delimiter."""
_SNIFFED_ROWS: Final = 20
_EXCEL_HINT: Final = re.compile(rb'\A"?sep=(.)"?\r?\n', re.IGNORECASE)
HEADERS: Final = 3
MOST_COLUMNS: Final = 20_000
"""Most columns of a sheet; the largest workbook has 16,384."""
A_FEW: Final = 3
"""Rows that may be set aside as unreadable without asking, or one in a hundred if that is more."""
_FEWEST: Final = 5
"""Fewest columns with which a cell can be recognised as several rows run together."""


class Delimited(Sheet):
    """A delimited text file."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.problems: list[Problem] = []
        try:
            self._data = as_utf8(source, content_of(source))
        except OSError as error:
            raise source.error(f"cannot be read: {error.strerror or error}") from error
        self._records = self._look(self._find_delimiter())
        self._refuse_wide()

    @cached_property
    def top(self) -> list[list[str]]:
        """Return the first rows."""
        records = self._records
        last = min(TOP, len(records))
        counts, _ = records.cells(0, last)
        width = int(counts.max(initial=0))
        separator = records.delimiter.encode()
        padded = {
            row: records.line(row) + separator * int(width - counts[row])
            for row in range(last)
            if not records.empty[row]
        }
        columns = parse_records(records, 0, last, width, Odd(padded)) if width else []
        if columns is None:
            raise RuntimeError(f"{self.source.name}: the first rows do not parse")
        rows = iter(zip(*(column.to_pylist() for column in columns), strict=True))
        return [
            [(cell or "").strip() for cell in next(rows)[: int(count)]] if count else [] for count in counts
        ]

    def body(self, first: int, width: int) -> RawTable:
        """Read the rows from a given one on."""
        records, odd = self._records, Odd()
        parsed = parse_records(records, first, len(records), width, odd)
        if parsed is None:
            odd = settle_odd(records, first, width)
            parsed = parse_records(records, first, len(records), width, odd)
        if parsed is None:
            raise RuntimeError(f"{self.source.name}: rows of {width} cells do not parse")
        numbers = np.arange(first, len(records), dtype=np.int64) + 1
        empty = records.empty[first:].copy()
        gone = np.array([row - first for row in odd.gone], dtype=np.intp)
        kept = ~empty
        kept[gone] = empty[gone] = False
        columns = [Column.of_arrow(cells) for cells in parsed]
        table = RawTable([], columns, numbers[kept], len(numbers), [*odd.gone.values()], odd.problems)
        for column in columns:
            self._refuse_joined_rows(column, table)
        _account_for_empty(table, numbers[empty])
        allowed = self.source.layout.broken_rows
        if len(odd.gone) > (max(A_FEW, table.rows_in // 100) if allowed is None else allowed):
            table.asked["broken_rows"] = (
                f"{len(odd.gone)} of {table.rows_in} rows cannot be read, the first is row {table.aside[0].row}; "
                "mend them, or say how many may be set aside"
            )
        return table

    def _find_delimiter(self) -> str:
        tabs = self.source.path.name.lower().endswith((".tsv", ".tab", ".tsv.gz", ".tab.gz"))
        expected = "\t" if tabs else ","
        if hint := _EXCEL_HINT.match(self._data):
            # Excel takes this line for itself, and numbers the rows from the next one on.
            self._data = self._data[hint.end() :]
            found = hint.group(1).decode("utf-8", "replace")
            if found not in DELIMITERS:
                what = f"says `sep={found}`"
                raise self.source.error(what, "separate the cells by comma, semicolon, tab or |")
        else:
            found = sniff(self._data[:SNIFFED], expected)
        if found != expected:
            problem = f"cells are separated by {DELIMITERS[found]}, not {DELIMITERS[expected]}"
            self.problems.append(Problem(None, EVERY, found, problem, "read so"))
        return found

    def _look(self, delimiter: str) -> Records:
        """Find the rows; quotes are ordinary characters if only then all lines have as many cells as the header."""
        try:
            records, stray = find_records(self._data, delimiter), None
        except StrayQuoteError as error:
            records, stray = None, error
        if delimiter in BARE and b'"' in self._data:
            plain = find_records(self._data, delimiter, quoting=False)
            if records is None or len(records) < len(plain):
                counts = plain.cells(0, len(plain))[0]
                counts = counts[counts > 0]
                if len(counts) and counts[0] > 1 and (counts == counts[0]).all():
                    said = "quotes enclose no cells, but stand in them as characters"
                    self.problems.append(Problem(None, EVERY, '"', said, "read so"))
                    return plain
        if stray is not None:
            middle = "a quote stands in the middle of a quoted cell"
            endless = "a quoted cell begins here and never ends"
            hint = 'within a quoted cell a quote is doubled (`"he said ""no"""`); open the file in a text editor there'
            raise self.source.error(middle if stray.closes else endless, hint, row=stray.row)
        assert records is not None
        return records

    def _refuse_wide(self) -> None:
        """Raise an error for too many columns or too long a row, before they are parsed."""
        long = np.flatnonzero(self._records.ends - self._records.starts > LONGEST)
        if len(long):
            line = self._records.line(int(long[0]))
            width = line.count(self._records.delimiter.encode()) + 1
            if width <= MOST_COLUMNS:
                what = f"the row has {len(line):,} characters"
                hint = "a line end is missing, or this is no table"
                raise self.source.error(what, hint, row=int(long[0]) + 1)
        else:
            width = int(self._records.cells(0, min(HEADERS, len(self._records)))[0].max(initial=0))
        if width > MOST_COLUMNS:
            hint = f"are its cells separated by {DELIMITERS[self._records.delimiter]}?"
            raise self.source.error(f"has {width:,} columns", hint)

    def _refuse_joined_rows(self, column: Column, table: RawTable) -> None:
        """Raise an error for a cell with the end of one row and the start of another, caused by two stray quotes."""
        width = len(table.columns)
        if width < _FEWEST:
            return
        long = pc.match_substring_regex(column.texts, r"[\r\n]").to_numpy(zero_copy_only=False)
        between = re.compile(rf"{re.escape(self._records.delimiter)}(?![ ])")
        for code in np.flatnonzero(long):
            text = column.texts[int(code)].as_py()
            lines = len(re.findall(r"\r\n|\r|\n", text))
            if len(between.findall(text)) == lines * (width - 1):
                row = int(table.rows[np.argmax(column.codes == code)])
                what = f"a cell swallows {lines} line ends and as many separators as {lines} rows have"
                hint = 'look for a stray `"` there; within a quoted cell a quote is doubled'
                raise self.source.error(what, hint, row=row)


def sniff(data: bytes, expected: str) -> str:
    """Find the delimiter with rows of equal length, valid quotes and most columns; in doubt, the expected one."""
    best, found = (0.0, False, 0), expected
    for delimiter in (expected, *(other for other in DELIMITERS if other != expected)):
        try:
            records = find_records(data, delimiter)
        except StrayQuoteError:
            records = find_records(data, delimiter, quoting=False)
        counts = records.cells(0, min(_SNIFFED_ROWS, len(records)))[0]
        counts = counts[counts > 0]
        if not len(counts) or counts[0] < 2:
            continue  # the header has no such delimiter
        length, count = Counter(counts.tolist()).most_common(1)[0]
        score = (count / len(counts), records.quoting and records.regular, length)
        if score > best:
            best, found = score, delimiter
    return found


def _account_for_empty(table: RawTable, empty: Places) -> None:
    """Set empty rows aside; those at the end do not count as rows."""
    filled = np.zeros(len(table.rows), dtype=np.bool_)
    for column in table.columns:
        filled |= column.filled
    last = max([*table.rows[filled][-1:], *(one.row or 0 for one in table.aside)], default=0)
    table.aside += [set_aside(int(row), EMPTY) for row in empty[empty < last]]
    kept = table.rows <= last
    if not kept.all():
        table.columns = [column.take(kept) for column in table.columns]
        table.rows = table.rows[kept]
        table.problems = [one for one in table.problems if one.row is None or one.row <= last]
    table.rows_in = len(table.rows) + len(table.aside)
