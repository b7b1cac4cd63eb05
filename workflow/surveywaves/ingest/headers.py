"""Turn header cells into full names of columns: unique and not empty, with a note of each that was changed."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from openpyxl.utils import get_column_letter

from surveywaves.ingest.delimited import Delimited
from surveywaves.ingest.programs import squeezed
from surveywaves.ingest.raw import BLANK, CONTROL, Column, Problem, RawTable, Sheet, Source, settle
from surveywaves.ingest.signature import Kind
from surveywaves.ingest.workbook import Worksheet, read_worksheets
from surveywaves.personal import personal_text
from surveywaves.terms import EVERY, INGEST_COLUMNS, ROW_SEPARATOR
from surveywaves.text import did_you_mean, normalise, unique


def open_sheets(source: Source, kind: Kind) -> Sequence[Sheet]:
    """Open delimited text, or the worksheets of a workbook that the layout names."""
    return read_worksheets(source) if kind is Kind.XLSX else [Delimited(source)]


def find_header(sheet: Sheet, added: Collection[str] = ()) -> int:
    """Find the row where the header begins, below any titles.

    It is the row with columns that a survey program adds, or else the first with content; if that has less than half
    the cells of the fullest row, the first row with at least half of them, unless it has numbers or repeats a cell.
    """
    filled = [sum(map(bool, row)) for row in sheet.top]
    first = next((place for place, count in enumerate(filled) if count), None)
    if first is None:
        raise sheet.source.error("has no rows with content")
    for place, row in enumerate(sheet.top if added else ()):
        if len({squeezed(cell) for cell in row} & {*added}) > 1:
            return place
    place = first if added else next(at for at, count in enumerate(filled) if 2 * count >= max(filled))
    below = [cell for cell in sheet.top[place] if cell]
    sound = len({*below}) == len(below) and not any(_NUMBER.fullmatch(cell) for cell in below)
    return place if sound else first


def one_header_row(sheet: Sheet) -> RawTable:
    """Read a sheet whose first row with content names its columns."""
    start = find_header(sheet)
    if merged := sheet.merged(start):
        what = f"merged header cells ({', '.join(merged)}) leave columns without a name"
        raise sheet.source.error(what, "take the merge apart and name each column", row=start + 1)
    header = list(map(_one_line, sheet.top[start]))
    return read_below(sheet, header, start=start, header_rows=1)


def _one_line(cell: str) -> str:
    return " ".join(re.sub(CONTROL, "", cell).split())


def read_below(
    sheet: Sheet,
    header: Sequence[str],
    *,
    start: int,
    header_rows: int,
    borrowed: frozenset[int] = frozenset(),
) -> RawTable:
    """Read the rows below a header of so many rows and name their columns; a name may be blank, or repeat.

    `borrowed` are the places of columns without a header cell of their own: they count only if they have content.
    """
    source = sheet.source
    first = start + header_rows
    named = [name if place not in borrowed else "" for place, name in enumerate(header)]
    table = sheet.body(first, _width(sheet, named, first))
    if not table.rows_in:
        raise source.error("has a header and no rows below it", "is it the right export?")
    names, places, problems = name_columns(source, header, table.columns, row=start + 1, borrowed=borrowed)
    if not names:
        raise source.error("has no column with a name or with content", "is it the right export?")
    above = []
    for row, cells in enumerate(sheet.top[:start], start=1):
        title = " ".join(filter(None, cells))
        what = "a title above the header" if title else "an empty row above the header"
        above.append(Problem(row, EVERY, "" if personal_text(title) else title, what, "passed over"))
    known = {str(place): name for place, name in zip(places, names, strict=True)}
    table.problems = [
        *sheet.problems,
        *above,
        *problems,
        *(replace(one, column=known.get(one.column, EVERY)) for one in table.problems),
    ]
    table.names, table.columns = names, [table.columns[place] for place in places]
    settle(table)
    rows = sheet.top[start:first]
    headers = [[_one_line(row[place]) if place < len(row) else "" for place in places] for row in rows]
    _set_headers_aside(source, table, headers)
    _set_totals_aside(table)
    table.problems.extend(_dates_among_labels(table))
    return table


def _set_headers_aside(source: Source, table: RawTable, headers: Sequence[Sequence[str]]) -> None:
    """Set aside rows that repeat a header row, as in files that were concatenated.

    A row that names most of the columns in another order is an error: the rows below it have other columns.
    """
    gone = np.zeros(len(table.rows), dtype=np.bool_)
    for level, header in enumerate(headers):
        named = {name for name in header if name}
        place = next((at for at, name in enumerate(header) if name), 0)
        # Whichever column was moved to the front of a first row; the others are known by their own first cell.
        marks = {*named} if level == 0 and place == 0 else {header[place]}
        column = table.columns[place]
        begins = column.where(pc.is_in(column.texts, value_set=pa.array([*marks], pa.string())))
        for row in np.flatnonzero(begins) if begins.sum() <= max(_ENDS, len(gone) // 10) else ():
            cells = [" ".join(column.text(int(row)).split()) for column in table.columns]
            gone[row] |= len(named) > 1 and cells == list(header)
            if level == 0 and not gone[row] and len(named.intersection(cells)) > max(2, len(named) / 2):
                what, hint = "a second header, with its columns in another order", "make two files of it"
                raise source.error(what, hint, row=int(table.rows[row]))
    table.drop(gone, "the header again")


_TOTALS: Final = re.compile(
    r"averages?|mean|means|(grand )?totals?|sum|count|median|sd|st(andar)?d\.? dev(iation)?\.?|durchschnitt|"
    r"mittelwert|summe|gesamt|moyenne|totale?|somme|media|promedio|suma|gemiddelde|totaal"
)
_NUMBER: Final = re.compile(r"[-+]?\d+([.,]\d+)?\s*%?")
_ENDS: Final = 5
"""Rows at either end among which totals are looked for."""


def _set_totals_aside(table: RawTable) -> None:
    """Set aside rows of averages or totals: a word for one of these, then numbers only."""
    gone = np.zeros(len(table.rows), dtype=np.bool_)
    for place in {*range(min(_ENDS, len(gone))), *range(max(len(gone) - _ENDS, 0), len(gone))}:
        filled = [column for column in table.columns if column.codes[place] != BLANK]
        word, *others = (column.text(place) for column in filled)
        gone[place] = (
            bool(others)
            and _TOTALS.fullmatch(normalise(word).rstrip(":")) is not None
            and all(_NUMBER.fullmatch(cell) for cell in others)
            and (filled[0].codes == filled[0].codes[place]).sum() == 1  # no group of returns has this name
        )
    table.drop(gone, "averages or totals, no return")


_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_EXCEL_DATE: Final = re.compile(
    r"(?P<iso>\d{4}-(?P<month>\d\d)-(?P<day>\d\d))|(?P<first>\d{1,2})-(?P<name>[A-Z][a-z]{2})|"
    r"(?P<named>[A-Z][a-z]{2})-(?P<last>\d{2})"
)
_DATE: Final = re.compile(r"\d+[-/.]\d+[-/.]\d+")
_MOST_RANGES: Final = 12


def as_ranges(text: str) -> tuple[str, ...]:
    """Return the ranges that Excel may have turned into this date, likeliest first (`1-4`: 4 January or 1 April)."""
    found = _EXCEL_DATE.fullmatch(text)
    if not found:
        return ()
    if found["iso"]:
        pair = (int(found["day"]), int(found["month"]))
    else:
        name = (found["name"] or found["named"]).lower()
        if name not in _MONTHS:
            return ()
        pair = (int(found["first"] or found["last"]), _MONTHS.index(name) + 1)
    return tuple(f"{low}-{high}" for low, high in dict.fromkeys((tuple(sorted(pair)), pair)))


def _dates_among_labels(table: RawTable) -> Iterator[Problem]:
    """Yield dates among labels, into which Excel turns ranges."""
    for name, column in zip(table.names, table.columns, strict=True):
        if not 1 < len(column.texts) <= 10 * _MOST_RANGES:
            continue
        texts = column.listed()
        dates = [text for text in texts if as_ranges(text)]
        labels = [text for text in texts if not as_ranges(text) and not _DATE.match(text)]
        if 0 < len(dates) <= _MOST_RANGES and labels:
            for text in dates:
                what = f"a date among labels: was it `{'` or `'.join(as_ranges(text))}` before Excel had it?"
                yield Problem(None, name, text, what, "kept as it stands")


def name_columns(
    source: Source,
    header: Sequence[str],
    columns: Sequence[Column],
    *,
    row: int | None,
    borrowed: frozenset[int] = frozenset(),
) -> tuple[list[str], list[int], list[Problem]]:
    """Return a unique name for every column with a name or with content; other columns are left out.

    Returns
    -------
    names, places, problems
        Full names, all different; the places of the columns; one problem for each name that is not the header's.

    Raises
    ------
    RawFileError
        If most columns with content have no name: then the row is no header.
    """
    names: list[str] = []
    places: list[int] = []
    problems: list[Problem] = []
    taken = {*INGEST_COLUMNS}
    nameless = 0
    for place, column in enumerate(columns):
        given = header[place] if place < len(header) else ""
        if (not given or place in borrowed) and not column.filled.any():
            continue
        wanted = given or f"unnamed column {get_column_letter(place + 1)}"
        name = unique(wanted, taken, "{} ({})")
        if not given:
            nameless += 1
            problems.append(Problem(row, name, "", "a column with content and no name", "named so"))
        elif name != wanted:
            what = "ingest has a column of that name" if wanted in INGEST_COLUMNS else "the name stands again"
            problems.append(Problem(row, name, wanted, what, "numbered"))
        taken.add(name)
        names.append(name)
        places.append(place)
    if nameless > len(names) / 2:
        what = f"{nameless} of {len(names)} columns with content have no name here: this is no header row"
        hint = "the header must be the first row; take titles above it out of a copy"
        raise source.error(what, hint, row=row)
    return names, places, problems


def find_column(names: Sequence[str], wanted: str) -> int | None:
    """Find a column by its full name, or by its row label where that is unique; None if there is none or several.

    Case, spacing and quote style do not count, nor, in the last resort, spaces (`RespondentID`, `Respondent ID`).
    """
    if wanted in names:
        return names.index(wanted)
    folded = [normalise(name) for name in names]
    key = normalise(wanted)
    for found in (
        [place for place, name in enumerate(folded) if name == key],
        [place for place, name in enumerate(folded) if key and name.endswith(ROW_SEPARATOR + key)],
        [place for place, name in enumerate(folded) if name.replace(" ", "") == key.replace(" ", "")],
    ):
        if found:
            return found[0] if len(found) == 1 else None
    return None


def place_of(source: Source, names: Sequence[str], wanted: str, use: str) -> int:
    """Find a column as `find_column` does, and raise an error if there is none."""
    place = find_column(names, wanted)
    if place is None:
        other = "columns go by full name, or by row label where that is unique"
        raise source.error(f"has no column `{wanted}` ({use})", did_you_mean(wanted, names, other))
    return place


def _width(sheet: Sheet, header: Sequence[str], first: int) -> int:
    """Count the columns: the header's, and those that every row has beyond it.

    Blank cells at the end of the header count as far as the rows go.
    """
    named = max((place + 1 for place, name in enumerate(header) if name), default=0)
    lengths = {len(row) for row in sheet.top[first:] if row}
    longest = max(lengths, default=0)
    width = len(header) if longest >= len(header) else max(named, longest)
    if len(lengths) != 1 or longest <= width or isinstance(sheet, Worksheet):
        return width
    if any(any(row[width:]) for row in sheet.top[first:]):
        what = f"the header has {width} cells, the rows below it {longest}"
        hint = "a column of row numbers without a name, or a separator in an unquoted header cell?"
        raise sheet.source.error(what, hint, row=first)
    return longest
