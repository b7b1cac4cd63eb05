"""Kinds of raw file that are odd and are taken, and what `problems.tsv` says of them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from bad_inputs.writers import Write, content, parquet, spss, text, xlsx
from surveywaves.terms import UNRESOLVED

SPSS = {"format": "spss"}
STATA = {"format": "stata"}
PAPER = {"format": "paper", "respondent": "no"}
MONKEY = {"format": "surveymonkey"}

ROWS = [["id", "q1"], [1, "Agree"], [2, "Disagree"]]
EXPORT = (
    "RespondentID,CollectorID,IP Address,Email Address,First Name,LastName,Custom Data,How is it?,\n"
    ",,,,,,,Pay,Team\n"
)
NOT_READ = [
    ("*", name, "", "personal identifier", "not read")
    for name in ("IP Address", "Email Address", "First Name", "LastName", "Custom Data")
]

Row = tuple[str, str, str, str, str]


@dataclass(frozen=True)
class Taken:
    """A kind of raw file that is odd, and taken."""

    kind: str
    name: str
    write: Write
    """Name of the file and what writes it."""
    problems: list[Row]
    """All there are: row, column, value, beginning of the problem, beginning of the action."""
    cells: dict[str, list[str | None]]
    """The raw columns of the returns that are left."""
    layout: dict[str, Any] = field(default_factory=dict)
    """Keys of its layout; without a `format`, a table."""
    aside: int = 0
    """Rows set aside."""


def empty(row: int) -> Row:
    return (str(row), "*", "", "empty row", "set aside")


def merge_cells(book: Any, sheet: Any) -> None:
    sheet.merge_range(1, 1, 2, 1, "Agree")


def three_sheets(book: Any, sheet: Any) -> None:
    book.add_worksheet("Sheet2")
    book.add_worksheet("Sheet3")


def error_value(book: Any, sheet: Any) -> None:
    sheet.write_formula(1, 1, "=1/0", None, "#DIV/0!")


def calculated(book: Any, sheet: Any) -> None:
    sheet.write_formula(1, 1, '="Ag"&"ree"', None, "Agree")


TAKEN = [
    # rows
    Taken(
        "empty rows in the middle",
        "a.csv",
        text("id,q1\n1,2\n\n,\n2,3\n"),
        [empty(3), empty(4)],
        {"id": ["1", "2"], "q1": ["2", "3"]},
        aside=2,
    ),
    Taken("empty rows at the end", "a.csv", text("id,q1\n1,2\n\n,\n\n"), [], {"id": ["1"], "q1": ["2"]}),
    Taken(
        "empty rows above the header",
        "a.csv",
        text("\n,\nid,q1\n1,2\n"),
        [
            ("1", "*", "", "an empty row above", "passed over"),
            ("2", "*", "", "an empty row above", "passed over"),
        ],
        {"id": ["1"], "q1": ["2"]},
    ),
    Taken(
        "empty rows in a workbook",
        "a.xlsx",
        xlsx([["id"], [1], [" "], [3], [""], []]),
        [empty(3)],
        {"id": ["1", "3"]},
        aside=1,
    ),
    Taken(
        "SPSS cases without a value",
        "a.sav",
        spss({"q1": [1.0, None, 3.0]}),
        [empty(3)],
        {"q1": ["1", "3"]},
        SPSS,
        aside=1,
    ),
    Taken(
        "a row that ends early",
        "a.csv",
        text("id,q1,q2\n1,2,3\n2,3\n"),
        [("3", "*", "", "the row has 2 cells, the header 3", "missing cells taken as blank")],
        {"id": ["1", "2"], "q1": ["2", "3"], "q2": ["3", None]},
    ),
    Taken(
        "a row that is too long",
        "a.csv",
        text("id,q1,q2\n1,2,3\n2,no, really,5\n3,4,5\n"),
        [("3", "*", "", "the row has 4 cells, the header 3: a separator", "set aside")],
        {"id": ["1", "3"], "q1": ["2", "4"], "q2": ["3", "5"]},
        aside=1,
    ),
    Taken(
        "a row that a line end broke",
        "a.csv",
        text("id,q1,q2\n1,2,3\n2,no\n\nreally,5\n3,4,5\n"),
        [(row, "*", "", "rows 3 to 5 look like one row", "set aside") for row in "345"],
        {"id": ["1", "3"], "q1": ["2", "4"], "q2": ["3", "5"]},
        aside=3,
    ),
    Taken(
        "blank cells beyond the last column",
        "a.csv",
        text("id,q1\n1,2,,\n2,3\n"),
        [("*", "*", "", "blank cells beyond the last column in 1 rows, first in row 2", "passed over")],
        {"id": ["1", "2"], "q1": ["2", "3"]},
    ),
    Taken(
        "a delimiter at the end of every row",
        "a.csv",
        text("id,q1,\n1,2,\n2,3,\n"),
        [],
        {"id": ["1", "2"], "q1": ["2", "3"]},
    ),
    # separators, line ends, quotes
    Taken(
        "semicolons",
        "a.csv",
        text('id;"q1, or so"\n1;2,5\n'),
        [("*", "*", ";", "cells are separated by semicolons, not commas", "read so")],
        {"id": ["1"], "q1, or so": ["2,5"]},
    ),
    Taken(
        "semicolons within the only column",
        "a.csv",
        text("why\na;b\nc;d\n"),
        [],
        {"why": ["a;b", "c;d"]},
    ),
    Taken(
        "tabs in a .csv",
        "a.csv",
        text("id\tq1\n1\t2\n"),
        [("*", "*", "\\t", "cells are separated by tabs", "read so")],
        {"id": ["1"], "q1": ["2"]},
    ),
    Taken(
        "Excel's hint at the separator",
        "a.csv",
        text("sep=;\r\nid;q1\r\n1;2\r\n"),
        [("*", "*", ";", "cells are separated by semicolons", "read so")],
        {"id": ["1"], "q1": ["2"]},
    ),
    Taken(
        "commas in a .tsv",
        "a.tsv",
        text("id,q1\n1,2\n"),
        [("*", "*", ",", "cells are separated by commas, not tabs", "read so")],
        {"id": ["1"], "q1": ["2"]},
    ),
    Taken(
        "line ends of old Macs", "a.csv", text("id,q1\r1,2\r2,3\r"), [], {"id": ["1", "2"], "q1": ["2", "3"]}
    ),
    Taken(
        "line ends of all kinds",
        "a.csv",
        text("id,q1\r1,2\r\n2,3\n3,4"),
        [],
        {"id": ["1", "2", "3"], "q1": ["2", "3", "4"]},
    ),
    Taken(
        "line ends within quotes",
        "a.csv",
        text('id,q1\n1,"a\r\nb, \n""c"""\n2,x\n'),
        [],
        {"id": ["1", "2"], "q1": ['a\r\nb, \n"c"', "x"]},
    ),
    Taken(
        "quotes within unquoted cells",
        "a.csv",
        text('id,q1\n1,a 5" pipe\n2,x\n'),
        [],
        {"id": ["1", "2"], "q1": ['a 5" pipe', "x"]},
    ),
    Taken(
        "a UTF-8 byte order mark",
        "a.csv",
        content(b"\xef\xbb\xbfid,q1\n1,2\n"),
        [],
        {"id": ["1"], "q1": ["2"]},
    ),
    # characters
    Taken(
        "NUL bytes within cells",
        "a.csv",
        content(b"id,q1\n1,\x002\x00\n2,\x00\n"),
        [
            ("2", "q1", "\\x002\\x00", "control characters", "taken out"),
            ("3", "q1", "\\x00", "control characters", "taken out"),
        ],
        {"id": ["1", "2"], "q1": ["2", None]},
    ),
    Taken(
        "control characters in a workbook",
        "a.xlsx",
        xlsx([["id"], ["a\x0bb"]]),
        [("2", "id", "a\\x0bb", "control characters", "taken out")],
        {"id": ["ab"]},
    ),
    Taken(
        "characters lost before",
        "a.csv",
        text("id,q1\n1,Don\ufffdt know\n"),
        [("2", "q1", "Don\ufffdt know", "a character was lost", "kept")],
        {"id": ["1"], "q1": ["Don\ufffdt know"]},
    ),
    Taken(
        "white space around cells",
        "a.csv",
        text("id,q1\n1,  Agree \xa0\n2,\xa0\n"),
        [],
        {"id": ["1", "2"], "q1": ["Agree", None]},
    ),
    # names
    Taken(
        "duplicate columns",
        "a.csv",
        text("id,q1,q1,q1 (2)\n1,2,3,4\n"),
        [
            ("1", "q1 (2)", "q1", "the name stands again", "numbered"),
            ("1", "q1 (2) (2)", "q1 (2)", "the name stands again", "numbered"),
        ],
        {"id": ["1"], "q1": ["2"], "q1 (2)": ["3"], "q1 (2) (2)": ["4"]},
    ),
    Taken(
        "duplicate columns in Parquet",
        "a.parquet",
        parquet(pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["q1", "q1"])),
        [("*", "q1 (2)", "q1", "the name stands again", "numbered")],
        {"q1": ["1"], "q1 (2)": ["2"]},
    ),
    Taken(
        "a column without a name",
        "a.csv",
        text("id,,q2,\n1,2,3,\n"),
        [("1", "unnamed column B", "", "a column with content and no name", "named so")],
        {"id": ["1"], "unnamed column B": ["2"], "q2": ["3"]},
    ),
    Taken(
        "columns named as ingest's own",
        "a.csv",
        text("row,file\n1,2\n"),
        [
            ("1", "row (2)", "row", "ingest has a column", "numbered"),
            ("1", "file (2)", "file", "ingest has a column", "numbered"),
        ],
        {"row (2)": ["1"], "file (2)": ["2"]},
    ),
    Taken(
        "10,000 columns",
        "a.csv",
        text(",".join(f"q{n}" for n in range(10000)) + "\n" + ",".join(str(n) for n in range(10000)) + "\n"),
        [],
        {f"q{n}": [str(n)] for n in range(10000)},
    ),
    Taken(
        "line ends and spaces in names",
        "a.csv",
        text('id,"How\r\n is  it?"\n1,2\n'),
        [],
        {"id": ["1"], "How is it?": ["2"]},
    ),
    # numbers and dates
    Taken(
        "huge integers",
        "a.csv",
        text("id\n12345678901234567890123\n9007199254740993\n"),
        [],
        {"id": ["12345678901234567890123", "9007199254740993"]},
    ),
    Taken(
        "huge integers in Parquet",
        "a.parquet",
        parquet({"id": [9007199254740993]}),
        [],
        {"id": ["9007199254740993"]},
    ),
    Taken(
        "numbers that Excel rounds",
        "a.xlsx",
        xlsx([["id"], [1234567890123456789]]),
        [("2", "id", "1234567890123457000", "a number of more than 15 digits", "kept")],
        {"id": ["1234567890123457000"]},
    ),
    Taken(
        "dates in another order",
        "a.csv",
        text("d\n07/31/2006\n31/07/2006\n2006-07-31\n"),
        [],
        {"d": ["07/31/2006", "31/07/2006", "2006-07-31"]},
    ),
    Taken(
        "mixed types in a workbook",
        "a.xlsx",
        xlsx([["q"], [3], ["3"], ["Agree"], [2.5], [True], [3.0]]),
        [],
        {"q": ["3", "3", "Agree", "2.5", "true", "3"]},
    ),
    Taken(
        "dates in a workbook",
        "a.xlsx",
        xlsx(
            [["d", "q"], ["", 1]],
            lambda book, sheet: sheet.write_datetime(
                1, 0, dt.datetime(2006, 7, 31), book.add_format({"num_format": "mm/dd/yy"})
            ),
        ),
        [],
        {"d": ["2006-07-31"], "q": ["1"]},
    ),
    # worksheets
    Taken(
        "empty worksheets beside the one",
        "a.xlsx",
        xlsx(ROWS, three_sheets),
        [],
        {"id": ["1", "2"], "q1": ["Agree", "Disagree"]},
    ),
    Taken(
        "merged cells below the header",
        "a.xlsx",
        xlsx([["id", "q1"], [1], [2]], merge_cells),
        [("2", "q1", "B2:B3: Agree", "merged cells: the value", "filled in")],
        {"id": ["1", "2"], "q1": ["Agree", "Agree"]},
    ),
    Taken(
        "hidden columns",
        "a.xlsx",
        xlsx(
            [["id", "q1", "q2"], [1, 2, 3]],
            lambda _, sheet: sheet.set_column(1, 3, None, None, {"hidden": True}),
        ),
        [("*", "*", "B, C", "hidden columns", "read like the others")],
        {"id": ["1"], "q1": ["2"], "q2": ["3"]},
    ),
    Taken(
        "error values of Excel",
        "a.xlsx",
        xlsx([["id", "q1"], [1]], error_value),
        [("2", "q1", "#DIV/0!", "an error value of Excel", "kept")],
        {"id": ["1"], "q1": ["#DIV/0!"]},
    ),
    Taken(
        "formulas with their result",
        "a.xlsx",
        xlsx([["id", "q1"], [1]], calculated),
        [],
        {"id": ["1"], "q1": ["Agree"]},
    ),
    Taken("a suffix in capitals", "A.CSV", text("id\n1\n"), [], {"id": ["1"]}),
    # respondents
    Taken(
        "the same return twice, the first kept",
        "a.csv",
        text("id,q1,q2\n7,1,\n8,2,\n7,3,4\n"),
        [("4", "*", "7", "the same return as row 2", "set aside: the first is kept")],
        {"id": ["7", "8"], "q1": ["1", "2"], "q2": [None, None]},
        {"respondent": "id", "duplicates": "first"},
        aside=1,
    ),
    Taken(
        "the same return twice, the last kept",
        "a.csv",
        text("id,q1\n7,1\n8,2\n7,3\n"),
        [("2", "*", "7", "the same return as row 4", "set aside: the last is kept")],
        {"id": ["8", "7"], "q1": ["2", "3"]},
        {"respondent": "id", "duplicates": "last"},
        aside=1,
    ),
    Taken(
        "the same return thrice, the fullest kept",
        "a.csv",
        text("id,q1,q2\n7,1,\n7,2,3\n7,4,5\n"),
        [
            ("2", "*", "7", "the same return as row 3", "set aside: the one with most"),
            ("4", "*", "7", "the same return as row 3", "set aside: the one with most"),
        ],
        {"id": ["7"], "q1": ["2"], "q2": ["3"]},
        {"respondent": "id", "duplicates": "most_answered"},
        aside=2,
    ),
    Taken(
        "test responses",
        "a.csv",
        text("id,who,q1\n1,TEST,1\n2,,2\n3,test ,3\n"),
        [
            ("2", "*", "who: TEST", "excluded by the layout", "set aside"),
            ("4", "*", "who: test", "excluded by the layout", "set aside"),
        ],
        {"id": ["2"], "who": [None], "q1": ["2"]},
        {"exclude": {"Who": ("Test",)}},
        aside=2,
    ),
    Taken(
        "rows excluded for a blank",
        "a.csv",
        text("id,q1\n1,\n2,2\n"),
        [("2", "*", "q1: (blank)", "excluded by the layout", "set aside")],
        {"id": ["2"], "q1": ["2"]},
        {"exclude": {"q1": ("",)}},
        aside=1,
    ),
    Taken(
        "a return without its identifier",
        "a.csv",
        text("id,q1\n,1\n,1\n2,2\n"),
        [
            ("2", "id", "", "a return without its identifier", "kept"),
            ("3", "id", "", "a return without its identifier", "kept"),
        ],
        {"id": [None, None, "2"], "q1": ["1", "1", "2"]},
        {"respondent": "id"},
    ),
    # SurveyMonkey
    Taken(
        "personal identifiers",
        "a.csv",
        text(EXPORT + "1,9,10.0.0.1,a@b.c,Ann\x01,Other,x,Good,Bad\n"),
        [*NOT_READ, ("3", "First Name", "", "control characters", "taken out")],
        {
            "RespondentID": ["1"],
            "CollectorID": ["9"],
            "How is it? | Pay": ["Good"],
            "How is it? | Team": ["Bad"],
        },
        MONKEY,
    ),
    Taken(
        "test responses known by a person's address",
        "a.csv",
        text(EXPORT + "1,9,,me@here,,,,Good,Bad\n2,9,,,,,,Bad,Good\n"),
        [*NOT_READ, ("3", "*", "Email Address: (not shown)", "excluded by the layout", "set aside")],
        {
            "RespondentID": ["2"],
            "CollectorID": ["9"],
            "How is it? | Pay": ["Bad"],
            "How is it? | Team": ["Good"],
        },
        {**MONKEY, "exclude": {"Email Address": ("me@here",)}},
        aside=1,
    ),
    # SPSS and Stata
    Taken(
        "codes without a label",
        "a.sav",
        spss({"q1": [1.0, 8.0, 1.0]}, variable_value_labels={"q1": {1: "Agree"}}),
        [("*", "q1", "8", "a code without a label", "kept as the code")],
        {"q1": ["Agree", "8", "Agree"]},
        {**SPSS, "cells": "labels"},
    ),
    Taken(
        "two codes with one label",
        "a.sav",
        spss({"q1": [1.0, 2.0, 3.0]}, variable_value_labels={"q1": {1: "Agree", 2: "Agree ", 3: "No"}}),
        [
            ("*", "q1", "1", "2 codes have the label `Agree`", "read as `Agree (1)`"),
            ("*", "q1", "2", "2 codes have the label `Agree`", "read as `Agree (2)`"),
        ],
        {"q1": ["Agree (1)", "Agree (2)", "No"]},
        {**SPSS, "cells": "labels"},
    ),
    # paper
    Taken(
        "keyings that differ",
        "a.csv",
        text("no,keying,q1,q2\n1,A,3,x\n1,B,4,X\n"),
        [("2", "q1", "A: 3 | B: 4", "the keyings differ", "unresolved: reads as invalid")],
        {"no": ["1"], "q1": [UNRESOLVED], "q2": ["x"]},
        PAPER,
    ),
    Taken(
        "keyings that differ by a blank",
        "a.csv",
        text("no,keying,q1\n1,A,3\n1,B,\n"),
        [("2", "q1", "A: 3 | B: ", "the keyings differ", "unresolved")],
        {"no": ["1"], "q1": [UNRESOLVED]},
        PAPER,
    ),
    Taken(
        "a return keyed once",
        "a.csv",
        text("no,keying,q1\n1,B,3\n2,A,4\n2,B,4\n"),
        [("2", "*", "1", "keyed once", "taken as it stands")],
        {"no": ["1", "2"], "q1": ["3", "4"]},
        PAPER,
    ),
    Taken(
        "a resolved row alone",
        "a.csv",
        text("no,keying,q1\n1,Resolved,3\n"),
        [("2", "*", "1", "no keying but the resolved one", "taken as it stands")],
        {"no": ["1"], "q1": ["3"]},
        PAPER,
    ),
]
