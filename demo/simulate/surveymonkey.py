"""SurveyMonkey exports: two header rows, CSV as they came years ago and XLSX as they come today."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

import xlsxwriter

from simulate.models import Block
from simulate.sheet import Answered, Sheet, delimited
from surveywaves.text import normalise, plain

OLD = (
    "RespondentID",
    "CollectorID",
    "StartDate",
    "EndDate",
    "IP Address",
    "Email Address",
    "First Name",
    "LastName",
    "Custom Data",
)
NEW = (
    "Respondent ID",
    "Collector ID",
    "Start Date",
    "End Date",
    "Email Address",
    "First Name",
    "Last Name",
    "Custom Data 1",
)
ID, COLLECTOR, START, END = range(4)

CHOICE = "Response"
OPEN = "Open-Ended Response"
BETWEEN = " | "

FIRST_ID = 170_000_000
CREATED = dt.datetime(2000, 1, 1)

Row = list[str | dt.datetime]


@dataclass(frozen=True)
class Column:
    """A column of an export."""

    question: str
    label: str
    """First and second header cell."""
    cells: list[str]
    """One a return."""
    example: str = ""
    """What a test response has there."""


def write_surveymonkey(sheet: Sheet) -> bytes:
    """Write an export: XLSX if the path ends so, otherwise CSV.

    The first header row has a question once, at its first column; the second has the row labels of a matrix,
    `Response` for a single choice, nothing for a rating with one row, and a comment's label. Comments stand where they
    were asked, between the answers. Returns stand in the order they were begun.
    """
    is_workbook = PurePath(sheet.file.path).suffix.lower() == ".xlsx"
    who = NEW if is_workbook else OLD
    columns = [column for block, found in sheet.questions for column in _columns(sheet, block, found)]
    begun = _begun(sheet, who)
    rows = [[*row, *(column.cells[place] for column in columns)] for place, row in enumerate(begun)]
    rows = _with_duplicates(sheet, rows, skip=len(who))
    tests = [[*row, *(column.example for column in columns)] for row in _tests(sheet, who)]
    top = [*who, *(column.question for column in columns)]
    below = [*[""] * len(who), *(column.label for column in columns)]
    if is_workbook:
        return _workbook(sheet, [top, below, *tests, *rows])
    return delimited(sheet, [top, below, *([_us(cell) for cell in row] for row in (*tests, *rows))])


def _columns(sheet: Sheet, block: Block, found: Sequence[Answered]) -> list[Column]:
    """Lay a question out; it stands above its first column only."""
    columns = [
        Column(
            "" if place else block.question,
            _label(block, answered),
            answered.written,
            answered.cells.valid[0],
        )
        for place, answered in enumerate(found)
    ]
    if not (block.items or block.variable):
        columns.append(Column(block.question, OPEN, _comments(sheet)))
    elif block.comment and columns:
        columns.append(Column("", block.comment, _comments(sheet)))
    return columns


def _label(block: Block, answered: Answered) -> str:
    """Give the second header cell of an answer."""
    if answered.name not in block.items:
        return CHOICE
    column = answered.cells.column
    if normalise(column) == normalise(block.question):
        return ""
    return block.as_exported.get(answered.name) or _row_label(block, column)


def _row_label(block: Block, column: str) -> str:
    """Take the question out of a crosswalk's column, where it goes by its full name."""
    if not normalise(column).startswith(f"{normalise(block.question)}{BETWEEN}"):
        return column
    return column.split(BETWEEN, plain(block.question).count(BETWEEN) + 1)[-1]


def _comments(sheet: Sheet) -> list[str]:
    demo, rng = sheet.part.demo, sheet.rng
    if not demo.comments:
        return [""] * sheet.returns
    return [
        demo.comments[int(rng.integers(len(demo.comments)))] if given else ""
        for given in rng.random(sheet.returns) < demo.comment_share
    ]


def _begun(sheet: Sheet, who: Sequence[str]) -> list[Row]:
    """Invent who answered when: identifiers that rise with the date, addresses kept for documentation."""
    rng, (first, last) = sheet.rng, sheet.part.fieldwork
    number = FIRST_ID + rng.integers(1, 90_000, size=sheet.returns).cumsum()
    begun: list[Row] = []
    days = sorted(rng.beta(1.0, 2.5, size=sheet.returns).tolist())
    minutes = rng.integers(4, 26, size=sheet.returns)
    for place in range(sheet.returns):
        row: Row = [""] * len(who)
        row[ID], row[COLLECTOR] = str(number[place]), str(FIRST_ID // 100)
        if first and last:
            start = dt.datetime.combine(first, dt.time(8)) + days[place] * (last - first)
            start = start.replace(microsecond=0)
            row[START], row[END] = start, start + dt.timedelta(minutes=int(minutes[place]))
        if "IP Address" in who:
            row[who.index("IP Address")] = f"192.0.2.{int(rng.integers(1, 255))}"
        begun.append(row)
    return begun


def _with_duplicates(sheet: Sheet, rows: list[Row], *, skip: int) -> list[Row]:
    """Put before some returns the same one from earlier, with its second half not yet filled in."""
    full = [place for place, row in enumerate(rows) if row.count("") < len(row) / 3]
    chosen = sheet.rng.choice(full, size=min(sheet.file.duplicates, len(full)), replace=False).tolist()
    out: list[Row] = []
    for place, row in enumerate(rows):
        if place in chosen:
            half = skip + (len(row) - skip) // 2
            out.append([*row[:half], *[""] * (len(row) - half)])
        out.append(row)
    return out


def _tests(sheet: Sheet, who: Sequence[str]) -> list[Row]:
    """Make the beginnings of test responses, marked as the layout's `exclude` says."""
    marks = {column: next(iter(cells)) for column, cells in sheet.layout.exclude.items() if cells}
    rows: list[Row] = []
    for number in range(sheet.file.test_responses, 0, -1):
        if unknown := sorted(marks.keys() - set(who)):
            raise sheet.fail(
                f"the export has no column {unknown[0]} to mark test responses in", f"it has {', '.join(who)}"
            )
        row: Row = [marks.get(column, "") for column in who]
        row[ID] = str(FIRST_ID - number)
        rows.append(row)
    return rows


def _us(cell: str | dt.datetime) -> str:
    """Write a date the American way, without leading zeros."""
    if isinstance(cell, str):
        return cell
    half = "PM" if cell.hour >= 12 else "AM"
    return f"{cell.month}/{cell.day}/{cell.year} {cell.hour % 12 or 12}:{cell:%M:%S} {half}"


def _workbook(sheet: Sheet, rows: Sequence[Sequence[str | dt.datetime]]) -> bytes:
    """Write one worksheet; whole numbers as numbers and dates as dates, as the service does."""
    content = io.BytesIO()
    workbook = xlsxwriter.Workbook(content, {"in_memory": True})
    workbook.set_properties({"created": CREATED})
    page = workbook.add_worksheet(sheet.layout.sheet or "Sheet")
    date = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    for number, row in enumerate(rows):
        for place, cell in enumerate(row):
            if isinstance(cell, dt.datetime):
                page.write_datetime(number, place, cell, date)
            elif cell.isdecimal():
                page.write_number(number, place, int(cell))
            elif cell:
                page.write_string(number, place, cell)
    workbook.close()
    return content.getvalue()
