"""An export of a survey program: one header row or several, made into `question | label of a row`.

SurveyMonkey and SmartSurvey write questions in the first row and the labels of their rows and boxes in the second. A
matrix has its question over its first column only; it is carried on until the next question, never further. The second
row says `Response` where a question has one column, and is blank below what the program adds (identifiers, dates).
Exports saved again by hand have one header row or three. Qualtrics writes short names, then questions, then ImportIds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from surveywaves.ingest.headers import find_header, read_below
from surveywaves.ingest.programs import IMPORT_ID, PROGRAMS, Program, squeezed
from surveywaves.ingest.raw import CONTROL, RawTable, Sheet
from surveywaves.terms import ROW_SEPARATOR
from surveywaves.text import normalise, plain

NO_LABEL: Final = frozenset({"", "response", "open-ended response"})
"""Second header cells that name no row of the question."""
_NUMBER: Final = re.compile(r"[-+]?\d+([.,]\d+)?")
_ENOUGH: Final = 5
"""Fewest rows below a doubtful header row with which it can be distinguished from a return."""


def read(sheet: Sheet) -> RawTable:
    """Read an export."""
    layout = sheet.source.layout
    program = PROGRAMS[layout.format]
    start = find_header(sheet, program.added)
    header_rows = layout.header_rows or program.header_rows or count_header_rows(sheet, start, program)
    rows = sheet.top[start : start + header_rows]
    header = full_names(rows, program.added)
    own = [place for row in rows for place, cell in enumerate(row) if _words(cell)]
    borrowed = frozenset(range(len(header))) - frozenset(own)
    return read_below(sheet, header, start=start, header_rows=header_rows, borrowed=borrowed)


def full_names(rows: Sequence[Sequence[str]], added: frozenset[str] = frozenset()) -> list[str]:
    """Make one name per column from one to three header rows: the question, and the label of the column within it.

    Columns that the program adds (squeezed names) keep their names, whatever the rows below contain.
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
        if squeezed(cells[0]) in added:
            parts = [cells[0]]
        names.append(ROW_SEPARATOR.join(part for part in parts if part))
    return names


def _words(cell: str) -> str:
    text = re.sub(CONTROL, "", plain(cell))
    return "" if text.startswith(IMPORT_ID) else text


def count_header_rows(sheet: Sheet, start: int, program: Program) -> int:
    """Count the header rows: they are blank in the columns that the program fills in every return.

    Raises
    ------
    RawFileError
        If a row may be a header row as well as a return.
    """
    top = sheet.top[start:]
    for number, row in enumerate(top[:3], start=1):
        if any(cell.startswith(IMPORT_ID) for cell in row):
            return number  # whatever stands above: names, and the questions in words
    filled = {*program.sure.split(), squeezed(sheet.source.layout.respondent or "")} - {""}
    sure = [place for place, cell in enumerate(top[0]) if squeezed(cell) in filled]
    labelled = len(top) > 1 and says_response(top[1])
    gaps = len(top) > 1 and (not all(top[0]) or len(top[0]) < len(top[1]))
    if not sure:
        return 2 if labelled or (gaps and _is_header(top[1], top[2:], sure=False)) else 1
    count = 1
    for row in top[1:3]:
        said = [place for place in sure if place < len(row) and row[place]]
        if said and sum(squeezed(row[place]) == squeezed(top[0][place]) for place in said) < len(said) / 2:
            break
        if not any(row):
            # Below a row of questions without labels stands an empty row; further down it is just that.
            count += 1 if count == 1 else 0
            break
        verdict = bool(said) or _is_header(row, top[count + 1 :], sure=count == 1 and (gaps or labelled))
        if verdict is None:
            what = "may be a header row, or a return without an identifier"
            raise sheet.source.error(what, "say `header_rows:` in the layout", row=start + count + 1)
        if not verdict:
            break
        count += 1
    return count


def says_response(row: Sequence[str]) -> bool:
    """Check whether a row contains the label of a question of one column, as a second header row does."""
    return any(normalise(cell) in NO_LABEL - {""} for cell in row)


def _is_header(row: Sequence[str], below: Sequence[Sequence[str]], *, sure: bool) -> bool | None:
    """Check whether a row holds labels and not answers, which are numbers or recur in the rows below.

    None if there are too few rows below to decide, and the row's position does not make it `sure`.
    """
    filled = [(place, cell) for place, cell in enumerate(row) if cell]
    if all(normalise(cell) in NO_LABEL for _, cell in filled):
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
