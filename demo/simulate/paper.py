"""Paper returns, keyed twice by two people."""

from __future__ import annotations

from collections.abc import Mapping

from simulate.sheet import Sheet, delimited

KEYINGS = ("A", "B")
RESOLVED = "resolved"


def write_paper(sheet: Sheet) -> bytes:
    """Write keyed paper returns: a row a keying, and a third where the two were held against the paper again.

    Columns: the return's number, `keying` (`A`, `B`, `resolved`), `keyed_by`, then one column a question. In
    `disagreements` returns, one keying has another valid answer somewhere; `resolved` has the right one.
    """
    header = [sheet.layout.respondent or "", "keying", "keyed_by"]
    header += [answered.cells.column for answered in sheet.answers]
    slips = _slips(sheet)
    rows = [header]
    for number, right in enumerate(zip(*(answered.written for answered in sheet.answers), strict=True)):
        keyed = {keying: list(right) for keying in KEYINGS}
        if number in slips:
            column, cell = slips[number]
            keyed[KEYINGS[int(sheet.rng.integers(2))]][column] = cell
            keyed[RESOLVED] = list(right)
        rows += [
            [str(number + 1), keying, str(place), *cells]
            for place, (keying, cells) in enumerate(keyed.items(), start=1)
        ]
    return delimited(sheet, rows)


def _slips(sheet: Sheet) -> Mapping[int, tuple[int, str]]:
    """Choose returns and in each a column and another answer for it."""
    possible = [
        (number, column)
        for column, answered in enumerate(sheet.answers)
        for number, cell in enumerate(answered.written)
        if cell in answered.cells.valid and len(answered.cells.valid) > 1
    ]
    slips: dict[int, tuple[int, str]] = {}
    for place in sheet.rng.permutation(len(possible)):
        if len(slips) == sheet.file.disagreements:
            break
        number, column = possible[place]
        answered = sheet.answers[column]
        others = [cell for cell in answered.cells.valid if cell != answered.written[number]]
        if number not in slips:
            slips[number] = (column, others[int(sheet.rng.integers(len(others)))])
    return slips
