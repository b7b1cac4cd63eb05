"""From header cells to the full names of columns: unique, none empty, and said where they had to be made so."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from openpyxl.utils import get_column_letter

from surveywaves.errors import RawFileError
from surveywaves.ingest.delimited import Delimited
from surveywaves.ingest.raw import CONTROL, Column, Problem, RawTable, Sheet, Source, settle
from surveywaves.ingest.signature import Kind
from surveywaves.ingest.workbook import Worksheet
from surveywaves.terms import EVERY, INGEST_COLUMNS, ROW_SEPARATOR
from surveywaves.text import nearest, normalise


def open_sheet(source: Source, kind: Kind) -> Sheet:
    """Open delimited text or a workbook."""
    return Worksheet(source) if kind is Kind.XLSX else Delimited(source)


def first_filled(sheet: Sheet) -> int:
    """Give the place of the first row with content: there the header begins."""
    for place, row in enumerate(sheet.top):
        if any(row):
            return place
    raise sheet.source.error("has no rows with content")


def one_header_row(sheet: Sheet) -> RawTable:
    """Read a sheet whose first row with content names its columns."""
    start = first_filled(sheet)
    if merged := sheet.merged(start):
        raise sheet.source.error(
            f"merged header cells ({', '.join(merged)}) leave columns without a name",
            "take the merge apart and name each column",
            row=start + 1,
        )
    header = [" ".join(re.sub(CONTROL, "", cell).split()) for cell in sheet.top[start]]
    return read_below(sheet, header, start=start, header_rows=1)


def read_below(
    sheet: Sheet,
    header: Sequence[str],
    *,
    start: int,
    header_rows: int,
    borrowed: frozenset[int] = frozenset(),
) -> RawTable:
    """Read the rows below a header and name their columns.

    Parameters
    ----------
    header
        Names of the columns as the header has them: may be blank, may repeat.
    start, header_rows
        Where the header begins, and how many rows it has.
    borrowed
        Places of columns that have nothing of their own in the header: they count only if they have content.
    """
    source = sheet.source
    first = start + header_rows
    named = [name if place not in borrowed else "" for place, name in enumerate(header)]
    body = sheet.body(first, _width(sheet, named, first))
    if not body.total:
        raise source.error("has a header and no rows below it", "is it the right export?")
    names, places, problems = name_columns(source, header, body.columns, row=start + 1, borrowed=borrowed)
    known = dict(zip(places, names, strict=True))
    above = [
        Problem(row + 1, EVERY, "", "an empty row above the header", "passed over") for row in range(start)
    ]
    cells = [replace(one, column=one.column or known.get(place, EVERY)) for place, one in body.cells]
    return settle(
        RawTable(
            names=names,
            columns=[body.columns[place] for place in places],
            rows=body.rows,
            rows_in=body.total,
            aside=list(body.aside),
            problems=[*sheet.problems, *above, *problems, *body.problems, *cells],
        )
    )


def name_columns(
    source: Source,
    header: Sequence[str],
    columns: Sequence[Column],
    *,
    row: int | None,
    borrowed: frozenset[int] = frozenset(),
) -> tuple[list[str], list[int], list[Problem]]:
    """Give every column with a name or with content a name of its own.

    Returns
    -------
    names
        Full names, all different.
    places
        Where the columns stand; one without name and content is left out.
    problems
        One for each name that is not the header's.

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
        name, number = wanted, 1
        while name in taken:
            number += 1
            name = f"{wanted} ({number})"
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
        raise source.error(
            f"{nameless} of {len(names)} columns with content have no name here: this is no header row",
            "the header must be the first row; take titles above it out of a copy",
            row=row,
        )
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


def no_such_column(source: Source, names: Sequence[str], wanted: str, use: str) -> RawFileError:
    """Make the error of a column that the layout names and the file does not have."""
    near = nearest(wanted, names)
    hint = (
        f"did you mean `{near}`?" if near else "columns go by full name, or by row label where that is unique"
    )
    return source.error(f"has no column `{wanted}` ({use})", hint)


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
        raise sheet.source.error(
            f"the header has {width} cells, the rows below it {longest}",
            "a column of row numbers without a name, or a separator in an unquoted header cell?",
            row=first,
        )
    return longest
