"""Returns: rows that writers shorten, break, repeat, merge or hide, and rows that are none."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd

from situations import (
    ASKED,
    GROUPS,
    Situation,
    columns_of,
    rows_of,
    small_study,
    truth,
    write_csv,
    write_xlsx,
)

Rows = list[list[Any]]
LETTERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "pipes"}


def _rows(true: pd.DataFrame, **first: list[str]) -> Rows:
    return [list(row) for row in rows_of(columns_of(true, **first))]


def _numbers(true: pd.DataFrame) -> list[str]:
    return [str(1000 + place) for place in range(len(true))]


def _written(
    folder: Path, change: Callable[[Rows, pd.DataFrame], pd.DataFrame], *, suffix: str = "csv", sep: str = ","
) -> pd.DataFrame:
    """Write numbered returns after `change` has changed their rows; it returns what is true of them then."""
    true = truth()
    rows = _rows(true, Return=_numbers(true))
    true = change(rows, true)
    home = small_study(folder)
    if suffix == "xlsx":
        write_xlsx(home / "export.xlsx", Sheet=rows)
    else:
        write_csv(home / f"export.{suffix}", rows, delimiter=sep)
    return true


def _break_off(rows: Rows, true: pd.DataFrame, every: int, longest: int = 8) -> pd.DataFrame:
    """Let returns end early, and leave their trailing blanks out."""
    true = true.copy()
    items = list(true.columns[3:])
    for place in range(0, len(true), every):
        gone = 1 + place % longest
        del rows[place + 1][-gone:]
        true.loc[place, items[-gone:]] = "broke_off"
    return true


def _short(folder: Path, every: int, sep: str) -> pd.DataFrame:
    return _written(folder, partial(_break_off, every=every), sep=sep, suffix="tsv" if sep == "\t" else "csv")


def _short_by_group(folder: Path, every: int) -> pd.DataFrame:
    """Returns without a number: they begin with the organisation."""
    true = truth()
    rows = _rows(true)
    true = _break_off(rows, true, every)
    write_csv(small_study(folder) / "export.csv", rows)
    return true


def _unquoted(folder: Path, comment: str, places: range) -> pd.DataFrame:
    """Write a comment into some returns without quotes around it."""
    true = truth()
    rows = _rows(true, Return=_numbers(true), Comment=["none"] * len(true))
    lines = [",".join(row) for row in rows]
    for place in places:
        lines[place + 1] = lines[place + 1].replace(",none,", f",{comment},")
    (small_study(folder) / "export.csv").write_text("\n".join(lines))
    return true.drop(index=places).reset_index(drop=True)


def _totals(rows: Rows, true: pd.DataFrame, word: str, place: int, at: int) -> pd.DataFrame:
    row = [""] * len(rows[0])
    row[at] = word
    row[-8:] = ["3.4"] * 8
    rows.insert(place if place > 0 else len(rows), row)
    return true


def _header_again(rows: Rows, true: pd.DataFrame, times: int) -> pd.DataFrame:
    for number in range(times):
        rows.insert(6 * (number + 1), list(rows[0]))
    return true


def _other_header(rows: Rows, true: pd.DataFrame) -> pd.DataFrame:
    rows.insert(9, [*rows[0][1:], rows[0][0]])
    return true


def _above(rows: Rows, true: pd.DataFrame, lines: Rows) -> pd.DataFrame:
    rows[:0] = lines
    return true


def _surplus(rows: Rows, true: pd.DataFrame, every: int) -> pd.DataFrame:
    for row in rows[1::every]:
        row += ["", ""]
    return true


def _blank_rows(rows: Rows, true: pd.DataFrame, place: int) -> pd.DataFrame:
    rows[place:place] = [[], [""] * len(rows[0])]
    return true


def _merged(folder: Path, whole: bool) -> pd.DataFrame:
    """The organisation stands once beside all of its returns, in cells merged down the column."""
    true = truth().sort_values("organisation", kind="stable").reset_index(drop=True)
    path = write_xlsx(small_study(folder) / "export.xlsx", Sheet=_rows(true, Return=_numbers(true)))
    book = openpyxl.load_workbook(path)
    first = int((true["organisation"] == true["organisation"][0]).sum())
    for start, end in ((2, first + 1), (first + 2, len(true) + 1)):
        for cut in ((start, end),) if whole else ((start, start + 3), (start + 4, end)):
            book.active.merge_cells(start_row=cut[0], end_row=cut[1], start_column=2, end_column=2)
    book.save(path)
    return true


def _two_header_rows_again(folder: Path, suffix: str) -> pd.DataFrame:
    """Put two exports of SurveyMonkey under each other, two header rows and all."""
    true = truth()
    rows = _rows(true, RespondentID=_numbers(true))
    first = [*rows[0][:4], "How far do you agree?", *[""] * 7]
    second = ["" if place == 0 else "Response" if place < 4 else name for place, name in enumerate(rows[0])]
    both = [first, second, *rows[1:13], first, second, *rows[13:]]
    home = small_study(folder)
    if suffix == "xlsx":
        write_xlsx(home / "export.xlsx", Sheet=both)
    else:
        write_csv(home / "export.csv", both)
    return true


def _hidden(folder: Path, kept: bool) -> pd.DataFrame:
    """A filter hides every fourth return."""
    true = truth()
    path = write_xlsx(small_study(folder) / "export.xlsx", Sheet=_rows(true, Return=_numbers(true)))
    book = openpyxl.load_workbook(path)
    for row in range(5, len(true) + 2, 4):
        book.active.row_dimensions[row].hidden = True
    book.active.auto_filter.ref = "A1:L25"
    book.save(path)
    return true if kept else true.drop(index=range(3, len(true), 4)).reset_index(drop=True)


RANGES = {"under_1": "<1", "y1_4": "1-4", "y5_9": "5-9", "y10": "10-12"}
MANGLED: dict[str, dict[str, Any]] = {
    "dates in a workbook": {
        "y1_4": dt.datetime(2008, 4, 1),
        "y5_9": dt.datetime(2008, 9, 5),
        "y10": dt.datetime(2008, 12, 10),
    },
    "days and months": {"y1_4": "01-Apr", "y5_9": "05-Sep", "y10": "10-Dec"},
    "months and years": {"y1_4": "Apr-01", "y5_9": "Sep-05", "y10": "Dec-10"},
    "ISO dates": {"y1_4": "2008-04-01", "y5_9": "2008-09-05", "y10": "2008-12-10"},
}


def _ranges(folder: Path, mangled: dict[str, Any]) -> pd.DataFrame:
    true = truth()
    levels = {**GROUPS, "tenure": RANGES}
    home = small_study(folder, levels=levels)
    rows: Rows = rows_of(columns_of(true, levels={**levels, "tenure": {**RANGES, **mangled}}))
    if isinstance(mangled["y1_4"], str):
        write_csv(home / "export.csv", rows)
    else:
        write_xlsx(home / "export.xlsx", Sheet=rows)
    return true


def _answers(mangled: dict[str, Any]) -> dict[str, str]:
    return {rf"variables\.tenure\.map\.{str(cell)[:10]}": level for level, cell in mangled.items()}


TITLES: dict[str, Rows] = {
    "a title": [["Staff survey 2008"]],
    "a title and a blank row": [["Staff survey 2008"], []],
    "a title and when it was made": [["Staff survey 2008"], ["Exported", "2008-07-01"], []],
    "a title in the middle": [["", "", "", "Staff survey 2008: all returns"]],
    "blank rows": [[], []],
}

SITUATIONS = [
    *(
        Situation(
            f"returns: trailing blanks left out of every {every}th row, {LETTERS[sep]}",
            5,
            "a writer that ends a row with its last answer",
            partial(_short, every=every, sep=sep),
            decisions=0,
        )
        for every in (1, 2, 5)
        for sep in LETTERS
    ),
    *(
        Situation(
            f"returns: trailing blanks left out of every {every}th row, no numbers of returns",
            5,
            "a writer that ends a row with its last answer; rows begin with the organisation",
            partial(_short_by_group, every=every),
            decisions=0,
        )
        for every in (1, 2, 5)
    ),
    *(
        Situation(
            f"returns: {times} {what} that nobody quoted",
            5,
            f"{text} are set aside, and listed",
            partial(_unquoted, comment=comment, places=range(0, pieces * times, pieces)),
            "right" if pieces * times < 4 else "asked",
            {} if pieces * times < 4 else {r"layouts\.\w+\.broken_rows": pieces * times},
        )
        for what, text, comment, pieces, often in (
            (
                "comments with a line end",
                "rows that a line end broke",
                "more time\nand more staff",
                2,
                (1, 3, 6),
            ),
            ("rows with a comma", "rows whose answers have moved", "time, and staff", 1, (1, 3, 8)),
        )
        for times in often
    ),
    *(
        Situation(
            f"returns: {word} {'below' if place < 0 else 'above'} the returns, {suffix}",
            5,
            "a row of averages or totals is no return",
            partial(_written, change=partial(_totals, word=word, place=place, at=at), suffix=suffix),
            decisions=0,
        )
        for word, place, at in (("Average", -1, 0), ("Mean:", -1, 1), ("Total", 1, 0), ("Grand total", -1, 3))
        for suffix in ("csv", "xlsx")
    ),
    *(
        Situation(
            f"returns: the header {times} times again, {suffix}",
            5,
            "exports put under each other, header and all",
            partial(_written, change=partial(_header_again, times=times), suffix=suffix),
            decisions=0,
        )
        for times in (1, 3)
        for suffix in ("csv", "xlsx")
    ),
    *(
        Situation(
            f"returns: a second header in another order, {suffix}",
            5,
            "exports of different columns put under each other",
            partial(_written, change=_other_header, suffix=suffix),
            "refused",
            said="row 10: a second header, .* make two files of it",
        )
        for suffix in ("csv", "xlsx")
    ),
    *(
        Situation(
            f"returns: {what} above the header, {suffix}",
            5,
            "rows above the header are passed over, and listed",
            partial(_written, change=partial(_above, lines=lines), suffix=suffix),
            decisions=0,
        )
        for what, lines in TITLES.items()
        for suffix in ("csv", "xlsx")
    ),
    *(
        Situation(
            f"returns: blank cells beyond the last column of every {every}th row",
            5,
            "separators at the end of rows",
            partial(_written, change=partial(_surplus, every=every)),
            decisions=0,
        )
        for every in (1, 4)
    ),
    *(
        Situation(
            f"returns: blank rows {where}, {suffix}",
            5,
            "rows without content are no returns",
            partial(_written, change=partial(_blank_rows, place=place), suffix=suffix),
            decisions=0,
        )
        for where, place in (("among them", 7), ("below them", 25))
        for suffix in ("csv", "xlsx")
    ),
    *(
        Situation(
            f"returns: the organisation in {cells}",
            5,
            "the value of merged cells stands for all their rows",
            partial(_merged, whole=whole),
            decisions=0,
        )
        for cells, whole in (("merged cells", True), ("several merged cells each", False))
    ),
    *(
        Situation(
            f"returns: two header rows again, {suffix}",
            5,
            "two exports under each other, each with its two header rows",
            partial(_two_header_rows_again, suffix=suffix),
            decisions=0,
        )
        for suffix in ("csv", "xlsx")
    ),
    *(
        Situation(
            f"returns: hidden rows, {answer}",
            5,
            "a filter hides returns",
            partial(_hidden, kept=answer == "read"),
            "asked",
            {r"layouts\.\w+\.hidden_rows": answer},
            said="hidden rows: 6, the first is row 5",
        )
        for answer in ("read", "left_out")
    ),
    *(
        Situation(
            f"returns: ranges that became dates, {what}",
            5,
            f"{ASKED['tenure']}: `1-4`, `5-9` and `10-12` as Excel saves them",
            partial(_ranges, mangled=mangled),
            "asked",
            _answers(mangled),
            decisions=3,
        )
        for what, mangled in MANGLED.items()
    ),
]
