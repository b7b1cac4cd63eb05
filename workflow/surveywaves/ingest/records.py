"""Where the rows of a delimited text begin and end, and whether its quotes are where they should be.

pyarrow reads delimited text some fifty times faster than the csv module, but it passes over empty lines, stops at the
first row of another length, and loses a byte where a quoted line end falls between two of its blocks (Arrow issue
51368). So the text is first looked over, in whole arrays of bytes: which line ends lie outside quotes, which lines
are empty, and is every quote at an end of a cell or doubled. Where that holds, pieces that end with a row are parsed
each in one block, and the number of rows is known beforehand. Where it does not, the csv module decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

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
