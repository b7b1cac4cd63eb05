"""Kinds of raw file that are refused, and what the line says that refuses them."""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from bad_inputs.writers import (
    Write,
    archive,
    content,
    cut,
    gzipped,
    ole,
    parquet,
    spoiled,
    spss,
    stata,
    text,
    xlsx,
)

SPSS = {"format": "spss"}
STATA = {"format": "stata"}
PAPER = {"format": "paper", "respondent": "no"}
MONKEY = {"format": "surveymonkey"}

ANSWERS = "id,q1,q2\n1,Agree,3\n2,Disagree,4\n3,Agree,5\n"
SPSS_ANSWERS = spss({"q1": [1.0, 2.0, 3.0] * 40, "q2": [2.0, 2.5, 3.0] * 40})
ROWS = [["id", "q1"], [1, "Agree"], [2, "Disagree"]]
WIDE = "id,q1,q2,q3,q4,q5\n"


@dataclass(frozen=True)
class Refused:
    """A kind of raw file that is refused."""

    kind: str
    name: str
    write: Write | None
    """Name of the file and what writes it; None: nothing does."""
    says: tuple[str, ...]
    """Parts of the error's line."""
    layout: dict[str, Any] = field(default_factory=dict)
    """Keys of its layout; without a `format`, a table."""


def merge_header(book: Any, sheet: Any) -> None:
    sheet.merge_range(0, 1, 0, 2, "q")


def formulas(book: Any, sheet: Any) -> None:
    sheet.write_formula(1, 1, "=A2*2", None, "")
    sheet.write_formula(2, 1, "=A3*2", None, 6)


def two_sheets(book: Any, sheet: Any) -> None:
    book.add_worksheet("Codes").write(0, 0, "code")


def no_text(path: Path) -> None:
    path.mkdir()


REFUSED = [
    # the file itself
    Refused("no such file", "a.csv", None, ("no such file",)),
    Refused("no such folder", "nowhere/a.csv", None, ("no such file", "there is no folder")),
    Refused("a folder", "a.csv", no_text, ("is a folder",)),
    Refused("no bytes", "a.csv", content(b""), ("is empty (0 bytes)",)),
    Refused("no bytes, as a workbook", "a.xlsx", content(b""), ("is empty (0 bytes)",)),
    Refused("no bytes, as SPSS", "a.sav", content(b""), ("is empty (0 bytes)",), SPSS),
    Refused("nothing but line ends", "a.csv", text("\n\r\n\n"), ("no rows with content",)),
    Refused("nothing but delimiters", "a.csv", text(",,,\n,,,\n"), ("no rows with content",)),
    Refused("header only", "a.csv", text("id,q1\n"), ("a header and no rows below it",)),
    Refused("header and empty rows only", "a.csv", text("id,q1\n\n,\n"), ("a header and no rows below it",)),
    Refused("header only, as a workbook", "a.xlsx", xlsx([["id", "q1"]]), ("a header and no rows below it",)),
    Refused("header only, as SPSS", "a.sav", spss({"q1": []}), ("variables and no rows",), SPSS),
    Refused("header only, as Parquet", "a.parquet", parquet({"q1": pa.array([], pa.int8())}), ("no rows",)),
    # another kind of file than its name or its layout says
    Refused(
        "a zip archive named .csv",
        "a.csv",
        archive(["a.csv"]),
        ("is a zip archive, not a text file", "unpack"),
    ),
    Refused(
        "a workbook named .csv", "a.csv", xlsx(ROWS), ("is an Excel workbook (.xlsx)", "name ends in .csv")
    ),
    Refused("a packed document named .csv", "a.csv", gzipped(b"%PDF-1.4\n"), ("is a gzip archive", "unpack")),
    Refused(
        "a packed text cut off",
        "a.csv.gz",
        content(gzip.compress(ANSWERS.encode())[:-9]),
        ("does not unpack",),
    ),
    Refused("a packed bomb", "a.csv.gz", gzipped(b"id\n" + b"1\n" * 20_000_000), ("more than 200 times",)),
    Refused("an R data file", "a.rds", gzipped(b"X\n\0\0\0\3"), ("an R data file", "write.csv(readRDS(")),
    Refused("a PDF named .csv", "a.csv", content(b"%PDF-1.4\n"), ("is a PDF, not a text file",)),
    Refused("a web page named .csv", "a.csv", text("\n<!DOCTYPE html><html>"), ("is a web page", "login")),
    Refused(
        "a web page named .xls", "a.xls", text("<html><table><tr>"), ("is a web page", "table saved as one")
    ),
    Refused("text named .xls", "a.xls", text(ANSWERS), ("is a text file, though its name ends in .xls",)),
    Refused("an old workbook named .xlsx", "a.xlsx", ole("Workbook"), ("97-2003", "save it as .xlsx")),
    Refused("an old workbook", "a.xls", ole("Workbook"), ("97-2003", "save it as .xlsx")),
    Refused("a workbook with a password", "a.xlsx", ole("EncryptedPackage"), ("password",)),
    Refused(
        "an old Word document named .xlsx", "a.xlsx", ole("WordDocument"), ("old Microsoft Office document",)
    ),
    Refused("a binary workbook", "a.xlsx", archive(["xl/workbook.bin"]), (".xlsb", "save it as .xlsx")),
    Refused("an OpenDocument named .xlsx", "a.xlsx", archive(["mimetype", "content.xml"]), (".ods",)),
    Refused("a Word document named .xlsx", "a.xlsx", archive(["word/document.xml"]), ("is a zip archive",)),
    Refused(
        "an SPSS file that is a zip",
        "a.sav",
        archive(["a.sav"]),
        ("is a zip archive, not an SPSS file",),
        SPSS,
    ),
    Refused("an SPSS file that is text", "a.sav", text(ANSWERS), ("is a text file, not an SPSS file",), SPSS),
    Refused(
        "an SPSS portable file", "a.por", content(b"ASCII SPSS PORT FILE"), ("is damaged, cut off",), SPSS
    ),
    Refused(
        "SPSS in a layout of tables", "a.sav", SPSS_ANSWERS, ("is an SPSS file", "`format: spss` reads it")
    ),
    Refused(
        "a CSV file in a layout of SPSS",
        "a.csv",
        text(ANSWERS),
        ("is a text file", "reads an SPSS file"),
        SPSS,
    ),
    Refused("a text file named .parquet", "a.parquet", text(ANSWERS), ("is a text file, though",)),
    # cut off and damaged
    Refused("SPSS cut off in its rows", "a.sav", cut(SPSS_ANSWERS, 0.99), ("is damaged, cut off",), SPSS),
    Refused(
        "SPSS cut off in its dictionary", "a.sav", cut(SPSS_ANSWERS, 0.3), ("is damaged, cut off",), SPSS
    ),
    Refused("zSAV cut off", "a.zsav", cut(spss({"q1": [1.0] * 99}, compress=True), 0.95), ("cut off",), SPSS),
    Refused("SPSS in name only", "a.sav", content(b"$FL2" + bytes(range(256))), ("is damaged",), SPSS),
    Refused(
        "SPSS that labels a variable that is not there",  # ReadStat would end the process
        "a.sav",
        spoiled(
            spss({"q1": [1.0]}, variable_value_labels={"q1": {1: "a"}}),
            b"\x04\0\0\0\x01\0\0\0\x01\0\0\0",
            b"\x04\0\0\0\x01\0\0\0\x63\0\0\0",
        ),
        ("is damaged", "labels for variable 99, which is not there"),
        SPSS,
    ),
    Refused(
        "Stata cut off in its rows", "a.dta", cut(stata({"q1": [1.0] * 99}), 0.8), ("is cut off",), STATA
    ),
    Refused(
        "Stata cut off in its labels",
        "a.dta",
        cut(stata({"q1": [1.0]}, variable_value_labels={"q1": {1: "a"}}), 0.995),
        ("is cut off",),
        STATA,
    ),
    Refused("Parquet cut off", "a.parquet", cut(parquet({"q1": [1, 2]}), 0.7), ("is damaged, cut off",)),
    Refused(
        "Parquet with damaged pages",
        "a.parquet",
        spoiled(parquet({"q1": ["x"] * 9}), b"\x15\x04", b"\xff\xff"),
        ("is damaged",),
    ),
    Refused("a workbook cut off", "a.xlsx", cut(xlsx(ROWS), 0.6), ("is damaged or cut off",)),
    Refused(
        "a workbook with damaged bytes",
        "a.xlsx",
        spoiled(xlsx(ROWS), b"xl/workbook.xml", b"xl/worKbook.xml"),
        ("is damaged",),
    ),
    Refused(
        "a workbook without its parts", "a.xlsx", archive(["xl/workbook.xml"]), ("is damaged or no workbook",)
    ),
    Refused(
        "CSV with a block of NUL bytes",
        "a.csv",
        content(ANSWERS.encode() + bytes(4096)),
        ("a block of NUL bytes begins at byte 42",),
    ),
    # worksheets
    Refused(
        "no such worksheet",
        "a.xlsx",
        xlsx(ROWS),
        ("no worksheet `Sheet 1`", "did you mean `Sheet1`"),
        {"sheet": "Sheet 1"},
    ),
    Refused(
        "several worksheets",
        "a.xlsx",
        xlsx(ROWS, two_sheets),
        ("2 worksheets with content", "`Codes`", "say `sheet:`"),
    ),
    Refused("no worksheet with content", "a.xlsx", xlsx([]), ("no worksheet with content",)),
    Refused(
        "merged header cells",
        "a.xlsx",
        xlsx([["id", "", ""], [1, 2, 3]], merge_header),
        ("row 1", "merged header cells (B1:C1)"),
    ),
    Refused(
        "formulas without a result",
        "a.xlsx",
        xlsx([["id", "q1"], [1], [3]], formulas),
        ("formulas without a stored result: B2",),
    ),
    Refused(
        "a title above rows without a header",
        "a.xlsx",
        xlsx([["Staff survey, all returns"], [7, 1, 3], [1, 2, 3]]),
        ("2 of 3 columns with content have no name",),
    ),
    Refused(
        "a second header in another order",
        "a.csv",
        text("id,q1,q2,q3\n1,2,3,4\nq3,q2,q1,id\n2,3,4,5\n"),
        ("row 3", "a second header", "two files"),
    ),
    # encodings
    Refused(
        "cp1252 read as UTF-8",
        "a.csv",
        text("id,q1\n1,Don’t know\n", "cp1252"),
        ("byte 11 (0x92, row 2)", "`encoding: cp1252`"),
    ),
    Refused(
        "UTF-16 with its mark",
        "a.csv",
        text(ANSWERS, "utf-16"),
        ("is UTF-16 by its first bytes", "`encoding: utf-16`"),
    ),
    Refused("UTF-16 without its mark", "a.csv", text(ANSWERS, "utf-16-le"), ("looks like UTF-16-LE",)),
    Refused("UTF-16, the other way round", "a.csv", text(ANSWERS, "utf-16-be"), ("looks like UTF-16-BE",)),
    Refused("UTF-32", "a.csv", text(ANSWERS, "utf-32"), ("is UTF-32 by its first bytes",)),
    Refused(
        "UTF-8 read as cp1252",
        "a.csv",
        text("id,q1\n1,Don’t know\n"),
        ("is UTF-8, not `cp1252`", "leave `encoding` out"),
        {"encoding": "cp1252"},
    ),
    Refused(
        "cp1252 read as Latin-1",
        "a.csv",
        text("id,q1\n1,Don’t know\n", "cp1252"),
        ("byte 11 is 0x92", "cp1252"),
        {"encoding": "latin-1"},
    ),
    Refused(
        "cut off within a letter",
        "a.csv",
        content("id,q1\n1,café".encode()[:-1]),
        ("ends in the middle of a letter",),
    ),
    Refused(
        "no such encoding", "a.csv", text(ANSWERS), ("no text encoding `win-1252`",), {"encoding": "win-1252"}
    ),
    Refused(
        "an encoding that is none of text",
        "a.csv",
        text(ANSWERS),
        ("no text encoding `base64`",),
        {"encoding": "base64"},
    ),
    Refused(
        "SPSS text in an undeclared encoding",
        "a.sav",
        spoiled(spss({"q1": ["cafe"]}), b"cafe", b"caf\xe9"),
        ("encoding", "cp1252"),
        SPSS,
    ),
    # quotes and separators
    Refused(
        "a quote that never closes", "a.csv", text('id,q1\n1,"Agree\n2,Disagree\n'), ("row 2", "never ends")
    ),
    Refused(
        "a quote within a quoted cell",
        "a.csv",
        text('id,q1\n1,Agree\n2,"he said "no" to me"\n'),
        ("row 3", "in the middle of a quoted cell"),
    ),
    Refused(
        "two stray quotes that swallow rows",
        "a.csv",
        text(WIDE + '1,"a,a,a,a,a\n2,b,b,b,b,b\n3,c",c,c,c,c\n'),
        ("row 2", "swallows 2 line ends"),
    ),
    Refused("a cell without end", "a.csv", text(f'id,q1\n1,"{"x, " * 99999}'), ("row 2", "never ends")),
    Refused(
        "rows longer than the header",
        "a.csv",
        text("q1,q2\n1,3,4\n2,5,6\n"),
        ("header has 2 cells, the rows below it 3",),
    ),
    Refused("Excel's hint at a strange separator", "a.csv", text("sep=^\nid^q1\n1^2\n"), ("says `sep=^`",)),
    # columns that the layout names
    Refused(
        "no respondent column",
        "a.csv",
        text(ANSWERS),
        ("has no column `ids`", "did you mean `id`"),
        {"respondent": "ids"},
    ),
    Refused(
        "no column to exclude by",
        "a.csv",
        text(ANSWERS),
        ("has no column `Custom`", "`exclude` of the layout"),
        {"exclude": {"Custom": ("x",)}},
    ),
    Refused(
        "a person's address as identifier",
        "a.csv",
        text("Email Address,q1\na@b,1\n"),
        ("column `Email Address`", "who a respondent is"),
        {"respondent": "Email Address"},
    ),
    Refused(
        "identifiers rounded by a spreadsheet",
        "a.csv",
        text("id,q1\n6.1E+09,1\n6.1E+09,2\n"),
        ("rounded 2 identifiers", "row 2: 6.1E+09"),
        {"respondent": "id"},
    ),
    Refused(
        "the same return twice",
        "a.csv",
        text("id,q1\n7,1\n8,2\n7,3\n"),
        ("return `7` stands 2 times: row 2, row 4", "duplicates: first"),
        {"respondent": "id"},
    ),
    Refused(
        "every row a test response",
        "a.csv",
        text(ANSWERS),
        ("wave autumn", "no return is left of 3 rows"),
        {"exclude": {"q1": ("agree", "disagree")}},
    ),
    # Parquet types
    Refused("a list in every cell", "a.parquet", parquet({"q1": [[1], [2]]}), ("column `q1`", "holds list<")),
    Refused(
        "bytes that are no text", "a.parquet", parquet({"q1": [b"\xff", b"a"]}), ("column `q1`", "holds ")
    ),
    # SurveyMonkey
    Refused(
        "a third header row or a return",
        "a.csv",
        text("RespondentID,How is it?,\n,Pay,Team\n,Good,Bad\n1,Fair,Fair\n"),
        ("row 3", "may be a header row, or a return"),
        MONKEY,
    ),
    # paper
    Refused(
        "paper without a number on the form",
        "a.csv",
        text("no,keying,q1\n1,A,1\n"),
        ("say `respondent:`",),
        {"format": "paper"},
    ),
    Refused(
        "paper without a keying column", "a.csv", text("no,q1\n1,1\n"), ("has no column `keying`",), PAPER
    ),
    Refused(
        "a keying nobody knows",
        "a.csv",
        text("no,keying,q1\n1,A,1\n1,C,1\n"),
        ("row 3", "not `A`, `B` or `resolved`"),
        PAPER,
    ),
    Refused(
        "a keying without a number",
        "a.csv",
        text("no,keying,q1\n1,A,1\n,B,1\n"),
        ("row 3", "no number, so its keyings cannot be compared"),
        PAPER,
    ),
    Refused(
        "the same keying twice",
        "a.csv",
        text("no,keying,q1\n1,A,1\n1,A,2\n"),
        ("`1, keying a` stands 2 times: row 2, row 3",),
        PAPER,
    ),
]
