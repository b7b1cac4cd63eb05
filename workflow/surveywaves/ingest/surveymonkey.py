"""A SurveyMonkey export: questions in the first row, the labels of their rows and boxes in the second.

A matrix has its question over its first column only; it is carried on until the next question, never further. The
second row says `Response` where a question has one column, and is blank below what SurveyMonkey adds (identifiers,
dates). Older exports, and those saved again by hand, have one header row or three.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from surveywaves.ingest.headers import first_filled, open_sheet, read_below
from surveywaves.ingest.raw import CONTROL, RawTable, Sheet, Source
from surveywaves.ingest.signature import Kind
from surveywaves.terms import ROW_SEPARATOR
from surveywaves.text import normalise, plain

NO_LABEL: Final = frozenset({"", "response", "open-ended response"})
"""Second header cells that name no row of the question."""

IMPORT_ID: Final = '{"ImportId"'
"""How the cells of a third header row begin that other survey programs add."""

ADDED: Final = frozenset(
    {"respondentid", "collectorid", "startdate", "enddate", "datecreated", "datemodified", "ipaddress"}
)
"""Columns that SurveyMonkey adds and always fills (spaces and case left out)."""

_NUMBER: Final = re.compile(r"[-+]?\d+([.,]\d+)?")
_ENOUGH: Final = 5
"""Rows below a doubtful header row that it takes to tell it from a return."""


def read(source: Source, kind: Kind) -> RawTable:
    """Read an export."""
    sheet = open_sheet(source, kind)
    start = first_filled(sheet)
    header_rows = source.layout.header_rows or _count_header_rows(sheet, start)
    rows = sheet.top[start : start + header_rows]
    header = full_names(rows)
    own = [place for row in rows for place, cell in enumerate(row) if _words(cell)]
    borrowed = frozenset(range(len(header))) - frozenset(own)
    return read_below(sheet, header, start=start, header_rows=header_rows, borrowed=borrowed)


def full_names(rows: Sequence[Sequence[str]]) -> list[str]:
    """Make one name a column of the header rows: the question, and what tells its columns apart.

    Parameters
    ----------
    rows
        Cells of one, two or three header rows, the question first.
    """
    width = max(len(row) for row in rows)
    padded = [[_words(cell) for cell in row] + [""] * (width - len(row)) for row in rows]
    carried = max(len(rows) - 1, 1)
    current = [""] * len(rows)
    names = []
    for cells in zip(*padded, strict=True):
        for level, cell in enumerate(cells):
            if cell or level >= carried:
                current[level] = cell
                if cell:
                    # A new question ends what was carried on below the last one.
                    current[level + 1 : carried] = [""] * (carried - level - 1)
        parts = [part for level, part in enumerate(current) if level == 0 or normalise(part) not in NO_LABEL]
        names.append(ROW_SEPARATOR.join(part for part in parts if part))
    return names


def _words(cell: str) -> str:
    text = re.sub(CONTROL, "", plain(cell))
    return "" if text.startswith(IMPORT_ID) else text


def _count_header_rows(sheet: Sheet, start: int) -> int:
    """Find out how many header rows there are: a header row has nothing below what SurveyMonkey always fills."""
    top = sheet.top[start:]
    for number, row in enumerate(top[:3], start=1):
        if any(cell.startswith(IMPORT_ID) for cell in row):
            return number  # whatever stands above: names, and the questions in words
    added = _added(sheet.source, top[0])
    if not added:
        return 2 if _looks_labelled(top) else 1
    count = 1
    for row in top[1:3]:
        if any(place < len(row) and row[place] for place in added):
            break
        if not any(row):
            # Below a row of questions without labels stands an empty row; further down it is just that.
            count += 1 if count == 1 else 0
            break
        verdict = _is_header(row, top[count + 1 :], sure=count == 1 and _wants_labels(top))
        if verdict is None:
            raise sheet.source.error(
                "may be a header row, or a return without an identifier",
                "say `header_rows:` in the layout",
                row=start + count + 1,
            )
        if not verdict:
            break
        count += 1
    return count


def _added(source: Source, first: Sequence[str]) -> list[int]:
    """List the columns that SurveyMonkey fills in every return."""
    wanted = {*ADDED}
    if source.layout.respondent:
        wanted.add(_squeezed(source.layout.respondent))
    return [place for place, cell in enumerate(first) if _squeezed(cell) in wanted]


def _squeezed(text: str) -> str:
    return normalise(text).replace(" ", "")


def _looks_labelled(top: Sequence[Sequence[str]]) -> bool:
    """Say without the help of identifiers whether the second row labels the columns of the first."""
    if len(top) < 2:
        return False
    if _says_response(top[1]):
        return True
    gaps = any(not cell for cell in top[0]) or len(top[0]) < len(top[1])
    return gaps and _is_header(top[1], top[2:], sure=False) is True


def _wants_labels(top: Sequence[Sequence[str]]) -> bool:
    """Say whether the second row must be one of labels: the first has gaps, or the words or the third row say so."""
    if any(not cell for cell in top[0]) or len(top[0]) < len(top[1]) or _says_response(top[1]):
        return True
    return len(top) > 2 and any(cell.startswith(IMPORT_ID) for cell in top[2])


def _says_response(row: Sequence[str]) -> bool:
    return any(normalise(cell) in NO_LABEL - {""} for cell in row)


def _is_header(row: Sequence[str], below: Sequence[Sequence[str]], *, sure: bool) -> bool | None:
    """Tell a row of labels from a row of answers: answers are numbers, or stand again in the rows below.

    Returns
    -------
    bool or None
        None where too few rows stand below to tell, and the row's place does not make it `sure`.
    """
    filled = [(place, cell) for place, cell in enumerate(row) if cell]
    if all(normalise(cell) in NO_LABEL or cell.startswith(IMPORT_ID) for _, cell in filled):
        return True
    numbers = sum(bool(_NUMBER.fullmatch(cell)) for _, cell in filled)
    if numbers > len(filled) / 2:
        return False
    if sure:
        return True
    again = sum(
        bool(_NUMBER.fullmatch(cell)) or any(place < len(one) and one[place] == cell for one in below)
        for place, cell in filled
    )
    if again >= len(filled) / 2:
        return False
    return True if len(below) >= _ENOUGH and not again else None
