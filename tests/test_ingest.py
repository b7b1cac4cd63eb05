"""Raw files to text, format by format."""

# ruff: noqa: PD011 (a RawColumn has values of its own)

from __future__ import annotations

import csv
import datetime as dt
import decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
import pytest

from bad_inputs import listed, raw, read, read_one
from bad_inputs.writers import content, parquet, spss, stata, text, xlsx
from situations import programs, truth
from surveywaves.adding.questions import RawColumn, columns_of
from surveywaves.errors import RawFileError
from surveywaves.ingest.exports import full_names
from surveywaves.ingest.raw import Source
from surveywaves.ingest.readers import read_raw
from surveywaves.study.models import Layout
from surveywaves.terms import INGEST_COLUMNS, UNRESOLVED

EXPORT = [
    ["RespondentID", "CollectorID", "StartDate", "EndDate", "<p>How do you <b>feel</b>&nbsp;about</p>", "", "",
     "Whom do you work for?", "", "Is it fair?", "Which apply?", "", "Anything else?"],
    ["", "", "", "", "my team’s work", "<i>my</i> pay", "Any comments?",
     "Response", "Other (please specify)", "", "Cycling", "Walking", "Open-Ended Response"],
    ["101", "9", "07/31/2006 09:15:00", "07/31/2006 09:25:00", "Agree", "Disagree", "", "Council", "", "1",
     "Cycling", "", 'It is, "well",\nfine'],
    ["102", "9", "08/01/2006 10:00:00", "08/01/2006 10:02:00", "Agree", "", "Pay, pay, pay", "Other",
     "Hospital", "2", "", "Walking", ""],
]  # fmt: skip
NAMES = [
    "RespondentID",
    "CollectorID",
    "StartDate",
    "EndDate",
    "How do you feel about | my team’s work",
    "How do you feel about | my pay",
    "How do you feel about | Any comments?",
    "Whom do you work for?",
    "Whom do you work for? | Other (please specify)",
    "Is it fair?",
    "Which apply? | Cycling",
    "Which apply? | Walking",
    "Anything else?",
]
MONKEY = {"format": "surveymonkey"}
PAPER = {"format": "paper", "respondent": "no"}


def write_csv(
    path: Path, rows: list[list[str]], *, encoding: str = "utf-8", end: str = "\r\n", sep: str = ","
) -> None:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, lineterminator=end, delimiter=sep).writerows(rows)


def export(path: Path, rows: list[list[str]], **layout: Any) -> dict[str, list[str | None]]:
    write_csv(path, rows)
    return raw(read_one(path, **MONKEY, **layout))


# --- the contract ---------------------------------------------------------------------------------------------


def test_cells_are_text_with_file_row_layout_and_identifier_before_them(tmp_path: Path) -> None:
    text("id,q1,q2\n7,Agree,3\n8,,4\n")(tmp_path / "a.csv")
    cells = read_one(tmp_path / "a.csv", respondent="id").cells
    assert list(cells.columns) == [*INGEST_COLUMNS, "id", "q1", "q2"]
    assert {str(kind) for name, kind in cells.dtypes.items() if name != "row"} == {"str"}
    assert cells["row"].tolist() == [2, 3]
    assert cells["respondent_source"].tolist() == ["7", "8"]
    assert cells["q1"].isna().tolist() == [False, True]


def test_without_a_respondent_column_the_identifier_is_empty(tmp_path: Path) -> None:
    text("q1\nAgree\n")(tmp_path / "a.csv")
    assert read_one(tmp_path / "a.csv").cells["respondent_source"].tolist() == [""]


def test_problems_and_counts_are_as_documented(tmp_path: Path) -> None:
    text("id,q1\n1,2\n\n3,\x004\n")(tmp_path / "a.csv")
    found = read_one(tmp_path / "a.csv")
    assert list(found.problems.columns) == ["wave", "file", "row", "column", "value", "problem", "action"]
    assert {str(kind) for kind in found.problems.dtypes} == {"str"}
    assert found.problems["row"].tolist() == ["3", "4"]
    assert found.counts.to_dict("records") == [
        {
            "wave": "autumn",
            "file": "a.csv",
            "layout": "only",
            "rows_in": 3,
            "rows_kept": 2,
            "rows_set_aside": 1,
        }
    ]


def test_files_stand_under_each_other_and_a_column_that_one_lacks_is_blank_there(tmp_path: Path) -> None:
    text("id,q1,q2\n1,a,b\n")(tmp_path / "a.csv")
    parquet({"id": [2], "q3": ["c"], "q1": ["d"]})(tmp_path / "b.parquet")
    found = read(
        tmp_path, {"a.csv": "web", "b.parquet": "other"}, web={"format": "table"}, other={"format": "table"}
    )
    assert raw(found) == {"id": ["1", "2"], "q1": ["a", "d"], "q2": ["b", None], "q3": [None, "c"]}
    assert found.cells["file"].tolist() == ["a.csv", "b.parquet"]
    assert found.cells["layout"].tolist() == ["web", "other"]
    assert found.cells["row"].tolist() == [2, 2]


def test_the_same_return_in_two_files_of_a_layout_is_kept_once(tmp_path: Path) -> None:
    text("id,q1,q2\n1,a,\n2,b,b\n")(tmp_path / "a.csv")
    text("id,q1,q2\n1,c,c\n3,d,d\n")(tmp_path / "b.csv")
    layout = {"format": "table", "respondent": "id", "duplicates": "most_answered"}
    found = read(tmp_path, {"a.csv": "web", "b.csv": "web"}, web=layout)
    assert raw(found)["q1"] == ["b", "c", "d"]
    assert found.problems[["file", "row", "problem"]].values.tolist() == [
        ["a.csv", "2", "the same return as b.csv, row 2"]
    ]
    assert found.counts["rows_set_aside"].tolist() == [1, 0]


def test_two_layouts_may_both_count_from_one_and_that_is_said(tmp_path: Path) -> None:
    text("no,q1\n1,a\n2,b\n")(tmp_path / "a.csv")
    text("no,q1\n1,c\n3,d\n")(tmp_path / "b.csv")
    layout = {"format": "table", "respondent": "no"}
    found = read(tmp_path, {"a.csv": "east", "b.csv": "west"}, east=layout, west=layout)
    assert raw(found)["q1"] == ["a", "b", "c", "d"]
    assert listed(found) == [
        (
            "*",
            "no",
            "",
            "1 identifiers also stand in a.csv, which has another layout",
            "kept: taken for other returns",
        )
    ]


def test_a_raw_file_is_only_ever_opened_for_reading(tmp_path: Path) -> None:
    folder = tmp_path / "raw"
    folder.mkdir()
    names = {"a.csv": text("q1\n1\n"), "a.xlsx": xlsx([["q1"], [1]]), "a.parquet": parquet({"q1": [1]})}
    for name, write in names.items():
        write(folder / name)
        (folder / name).chmod(0o444)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}
    read(folder, dict.fromkeys(names, "t"), t={"format": "table"})
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()} == before


# --- SurveyMonkey ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_an_export_reads_the_same_in_every_encoding_and_line_end(
    encoding: str, end: str, tmp_path: Path
) -> None:
    write_csv(tmp_path / "a.csv", EXPORT, encoding=encoding, end=end)
    declared = {} if encoding.startswith("utf-8") else {"encoding": encoding}
    found = read_one(tmp_path / "a.csv", **MONKEY, **declared)
    assert raw(found) == {
        name: [cells[place] or None for cells in EXPORT[2:]] for place, name in enumerate(NAMES)
    }
    assert found.cells["row"].tolist() == [3, 4]
    assert found.problems.empty


def test_an_export_reads_the_same_from_a_workbook(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", EXPORT)
    xlsx([[int(cell) if cell.isdigit() else cell for cell in row] for row in EXPORT])(tmp_path / "a.xlsx")
    from_text, from_book = (read_one(tmp_path / name, **MONKEY) for name in ("a.csv", "a.xlsx"))
    assert raw(from_book) == raw(from_text)
    assert from_book.cells["row"].tolist() == [3, 4]


def test_merged_question_cells_of_a_workbook_read_as_their_question(tmp_path: Path) -> None:
    def merge(book: Any, sheet: Any) -> None:
        sheet.merge_range(0, 1, 0, 2, "How is it?")
        sheet.merge_range(0, 0, 1, 0, "RespondentID")

    xlsx([[], ["", "Pay", "Team"], [1, "Good", "Bad"]], merge)(tmp_path / "a.xlsx")
    found = read_one(tmp_path / "a.xlsx", **MONKEY)
    assert raw(found) == {"RespondentID": ["1"], "How is it? | Pay": ["Good"], "How is it? | Team": ["Bad"]}
    assert found.problems.empty


def test_a_question_is_carried_on_to_the_next_question_and_no_further() -> None:
    assert full_names([["A", "", "B", "", "C"], ["x", "y", "Response", "Comment", ""]]) == [
        "A | x",
        "A | y",
        "B",
        "B | Comment",
        "C",
    ]


def test_one_header_row_numbers_the_columns_of_a_matrix_and_says_so(tmp_path: Path) -> None:
    cells = [["RespondentID", "How is it?", "", "Fair?"], ["1", "Good", "Bad", "Yes"]]
    write_csv(tmp_path / "a.csv", cells)
    found = read_one(tmp_path / "a.csv", **MONKEY)
    assert raw(found) == {
        "RespondentID": ["1"],
        "How is it?": ["Good"],
        "How is it? (2)": ["Bad"],
        "Fair?": ["Yes"],
    }
    assert listed(found) == [("1", "How is it? (2)", "How is it?", "the name stands again", "numbered")]


def test_a_second_header_row_without_labels_is_no_return(tmp_path: Path) -> None:
    assert export(tmp_path / "a.csv", [["RespondentID", "Fair?"], ["", ""], ["1", "Yes"]]) == {
        "RespondentID": ["1"],
        "Fair?": ["Yes"],
    }


def test_three_header_rows_are_found(tmp_path: Path) -> None:
    rows = [
        ["RespondentID", "Part 1", "", "", "Part 2"],
        ["", "How is it?", "", "Fair?", "Anything?"],
        ["", "Pay", "Team", "Response", "Open-Ended Response"],
        *[[str(number), "Good", "Bad", "Yes", f"no {number}"] for number in range(6)],
    ]
    assert list(export(tmp_path / "a.csv", rows)) == [
        "RespondentID",
        "Part 1 | How is it? | Pay",
        "Part 1 | How is it? | Team",
        "Part 1 | Fair?",
        "Part 2 | Anything?",
    ]


def test_a_third_row_of_import_ids_is_a_header(tmp_path: Path) -> None:
    rows = [["RespondentID", "Q1"], ["", "How is it?"], ["", '{"ImportId":"QID1"}'], ["1", "Good"]]
    assert export(tmp_path / "a.csv", rows) == {"RespondentID": ["1"], "Q1 | How is it?": ["Good"]}


def test_a_return_without_identifier_below_the_header_is_no_header(tmp_path: Path) -> None:
    rows = [["RespondentID", "How is it?", ""], ["", "Pay", "Team"], ["", "Good", "Bad"], ["2", "Good", "Good"],
            ["3", "Fair", "Bad"]]  # fmt: skip
    assert export(tmp_path / "a.csv", rows)["How is it? | Pay"] == ["Good", "Good", "Fair"]


def test_a_return_without_identifier_below_a_single_header_row_is_no_header(tmp_path: Path) -> None:
    rows = [["RespondentID", "Pay", "Team"], ["", "Good", "Bad"], ["2", "Good", "Good"], ["3", "Fair", "Bad"]]
    assert export(tmp_path / "a.csv", rows)["Pay"] == ["Good", "Good", "Fair"]
    with pytest.raises(RawFileError, match="row 2: may be a header row, or a return without an identifier"):
        export(tmp_path / "b.csv", [*rows[:2], ["4", "Poor", "Poor"]])


def test_numbers_below_a_single_header_row_are_answers(tmp_path: Path) -> None:
    rows = [["RespondentID", "Pay", "Team"], ["", "4", "5"], ["2", "3", "3"]]
    assert export(tmp_path / "a.csv", rows)["Pay"] == ["4", "3"]


def test_header_rows_are_found_without_identifiers(tmp_path: Path) -> None:
    two = [["How is it?", "", "Fair?"], ["Pay", "Team", "Response"], ["Good", "Bad", "Yes"]]
    one = [["Pay", "Team"], ["Good", "Bad"], ["Bad", "Bad"]]
    assert list(export(tmp_path / "a.csv", two)) == ["How is it? | Pay", "How is it? | Team", "Fair?"]
    assert export(tmp_path / "b.csv", one) == {"Pay": ["Good", "Bad"], "Team": ["Bad", "Bad"]}


def test_the_layout_can_say_how_many_header_rows_there_are(tmp_path: Path) -> None:
    rows = [["RespondentID", "Pay"], ["", "Good"], ["2", "Bad"]]
    assert export(tmp_path / "a.csv", rows, header_rows=1)["Pay"] == ["Good", "Bad"]
    assert export(tmp_path / "b.csv", rows, header_rows=2)["Pay | Good"] == ["Bad"]


def test_two_questions_of_the_same_words_are_told_apart_by_number(tmp_path: Path) -> None:
    rows = [
        ["RespondentID", "Why?", "Fair?", "Why?"],
        ["", "Response", "Response", "Response"],
        ["1", "a", "b", "c"],
    ]
    assert export(tmp_path / "a.csv", rows) == {
        "RespondentID": ["1"],
        "Why?": ["a"],
        "Fair?": ["b"],
        "Why? (2)": ["c"],
    }


def test_no_personal_identifier_of_any_spelling_comes_through(tmp_path: Path) -> None:
    personal = ["IP Address", "Email Address", "E-mail address", "First Name", "FirstName", "Last Name", "LastName",
                "Custom Data", "Custom Data 1", "custom value", "Custom Data"]  # fmt: skip
    rows = [
        ["RespondentID", *personal, "Pay"],
        [""] * 12 + ["Response"],
        ["1", *(["secret\x01"] * 11), "Good"],
    ]
    write_csv(tmp_path / "a.csv", rows)
    found = read_one(tmp_path / "a.csv", **MONKEY)
    assert list(raw(found)) == ["RespondentID", "Pay"]
    assert "secret" not in found.problems.to_csv()
    assert len(found.problems[found.problems["problem"] == "personal identifier"]) == 11


def test_personal_identifiers_of_an_spss_export_stay_out_as_well(tmp_path: Path) -> None:
    spss({"IPAddress": ["10.0.0.1"], "LastName": ["Ann"], "q1": [1.0]})(tmp_path / "a.sav")
    assert list(raw(read_one(tmp_path / "a.sav", format="spss"))) == ["q1"]


def test_the_respondent_column_may_be_spelled_with_a_space(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", [["Respondent ID", "Pay"], ["", "Response"], ["11", "Good"]])
    found = read_one(tmp_path / "a.csv", **MONKEY, respondent="RespondentID")
    assert found.cells["respondent_source"].tolist() == ["11"]


def test_columns_that_are_wholly_blank_and_nameless_are_nothing(tmp_path: Path) -> None:
    rows = [["RespondentID", "Pay", "", ""], ["", "Response", "", ""], ["1", "Good", "", ""]]
    write_csv(tmp_path / "a.csv", rows)
    found = read_one(tmp_path / "a.csv", **MONKEY)
    assert list(raw(found)) == ["RespondentID", "Pay"]
    assert found.problems.empty


# --- paper ----------------------------------------------------------------------------------------------------


def paper(path: Path, rows: str) -> tuple[dict[str, list[str | None]], list[tuple[str, ...]], Any]:
    path.write_text("no,keying,keyed_by,q1,q2\n" + rows)
    found = read_one(path, **PAPER)
    return raw(found), listed(found), found.counts.iloc[0]


def test_two_keyings_that_agree_are_one_return(tmp_path: Path) -> None:
    cells, problems, counts = paper(tmp_path / "a.csv", "1,A,x,3,\n1,B,y,3,\n2,b,y,4,agree\n2,a,x,4,Agree\n")
    assert cells == {"no": ["1", "2"], "keyed_by": ["x", "y"], "q1": ["3", "4"], "q2": [None, "Agree"]}
    assert problems == []
    assert (counts["rows_in"], counts["rows_kept"], counts["rows_set_aside"]) == (2, 2, 0)


def test_a_return_stands_in_the_row_of_its_first_keying(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("no,keying,q1\n2,B,4\n1,A,3\n1,B,3\n2,A,4\n")
    assert read_one(tmp_path / "a.csv", **PAPER).cells["row"].tolist() == [2, 3]


def test_a_resolved_row_settles_what_the_keyings_differ_in(tmp_path: Path) -> None:
    cells, problems, _ = paper(tmp_path / "a.csv", "1,A,x,3,5\n1,B,y,4,\n1,resolved,z,4,\n")
    assert cells["q1"] == ["4"]
    assert cells["q2"] == [None]
    assert problems == [
        ("2", "q1", "A: 3 | B: 4 | resolved: 4", "the keyings differ", "taken from the resolved row: 4"),
        ("2", "q2", "A: 5 | B:  | resolved: ", "the keyings differ", "taken from the resolved row: blank"),
    ]


def test_a_blank_resolved_cell_does_not_settle_two_answers(tmp_path: Path) -> None:
    cells, problems, _ = paper(tmp_path / "a.csv", "1,A,x,3,5\n1,B,y,4,5\n1,resolved,z,,\n")
    assert cells["q1"] == [UNRESOLVED]
    assert cells["q2"] == ["5"]
    assert len(problems) == 1


def test_a_resolved_row_overrules_what_was_keyed_and_that_is_listed(tmp_path: Path) -> None:
    cells, problems, _ = paper(
        tmp_path / "a.csv", "1,A,x,3,5\n1,B,y,3,5\n1,resolved,z,4,5\n2,A,x,1,1\n2,resolved,z,2,\n"
    )
    assert cells["q1"] == ["4", "2"]
    assert cells["q2"] == ["5", "1"]
    assert [problem[3] for problem in problems] == [
        "the resolved row differs from what was keyed",
        "keyed once",
        "the resolved row differs from what was keyed",
    ]


def test_the_same_keying_twice_goes_by_the_policy_for_duplicates(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("no,keying,q1\n1,A,3\n1,A,4\n1,B,4\n")
    found = read_one(tmp_path / "a.csv", **PAPER, duplicates="last")
    assert raw(found)["q1"] == ["4"]
    assert found.counts.iloc[0][["rows_in", "rows_kept", "rows_set_aside"]].tolist() == [2, 1, 1]


# --- SPSS and Stata -------------------------------------------------------------------------------------------


def described(path: Path, layout: Layout) -> list[RawColumn]:
    return columns_of(read_raw(Source(str(path), path, layout)))


LABELS = {"q1": {1: "Strongly agree", 2: "Agree", 8: "Don’t know", 9999: "Refused"}, "sex": {"m": "Man"}}


@pytest.mark.parametrize("compress", [False, True])
def test_spss_codes_are_text_whether_declared_missing_or_not(compress: bool, tmp_path: Path) -> None:
    spss(
        {
            "q1": [1.0, 8.0, 9999.0, 99.0, None],
            "wt": [0.5, 1.0, 1.25, 2.0, 1e-7],
            "sex": ["m", "f", "", " ", "mé"],
        },
        variable_value_labels=LABELS,
        missing_ranges={"q1": [9999, {"lo": 90, "hi": 99}]},
        compress=compress,
    )(tmp_path / "a.sav")
    found = read_one(tmp_path / "a.sav", format="spss")
    assert raw(found) == {
        "q1": ["1", "8", "9999", "99", None],
        "wt": ["0.5", "1", "1.25", "2", "0.0000001"],
        "sex": ["m", "f", None, None, "mé"],
    }
    assert found.problems.empty
    assert found.cells["row"].tolist() == [2, 3, 4, 5, 6]


def test_spss_labels_stand_for_their_codes(tmp_path: Path) -> None:
    spss(
        {"q1": [1.0, 8.0, 9999.0], "wt": [1.0, 2.0, 3.0], "sex": ["m", "f", "m"]},
        variable_value_labels=LABELS,
    )(tmp_path / "a.sav")
    found = read_one(tmp_path / "a.sav", format="spss", cells="labels")
    assert raw(found) == {
        "q1": ["Strongly agree", "Don’t know", "Refused"],
        "wt": ["1", "2", "3"],
        "sex": ["Man", "f", "Man"],
    }
    assert listed(found) == [
        ("*", "sex", "f", "a code without a label, in a variable with labels", "kept as the code")
    ]


def test_spss_dates_are_iso_and_long_names_whole(tmp_path: Path) -> None:
    name = "a_rather_long_name_of_a_variable_that_spss_before_12_would_cut"
    moment = dt.datetime(2006, 7, 31, 9, 15)
    spss({name: [moment.date()], "at": [moment], "time": [moment.time()]})(tmp_path / "a.sav")
    assert raw(read_one(tmp_path / "a.sav", format="spss")) == {
        name: ["2006-07-31"],
        "at": ["2006-07-31T09:15:00"],
        "time": ["09:15:00"],
    }


def test_long_spss_texts_come_whole(tmp_path: Path) -> None:
    long = ["é" * 700, "x" * 32_000]
    spss({"comment": long, "q1": [1.0, 2.0]})(tmp_path / "a.sav")
    assert raw(read_one(tmp_path / "a.sav", format="spss"))["comment"] == long


def test_an_spss_file_that_names_no_encoding_reads_by_the_layouts(tmp_path: Path) -> None:
    spss({"place": ["cafe"]})(tmp_path / "a.sav")
    data = (tmp_path / "a.sav").read_bytes()
    content(data.replace(b"cafe", b"caf\xe9"))(tmp_path / "a.sav")
    assert raw(read_one(tmp_path / "a.sav", format="spss", encoding="cp1252")) == {"place": ["café"]}


@pytest.mark.parametrize("version", [8, 10, 13, 15])
def test_stata_codes_labels_and_named_missing_values(version: int, tmp_path: Path) -> None:
    write = stata(
        {
            "q1": pd.Series([1, 2, "a", None, "z"], dtype=object),
            "s": ["x", "", "v", "y ", "z"],
            "w": [0.5, 1, 2, 3, 4],
        },
        missing_user_values={"q1": ["a", "z"]},
        variable_value_labels={"q1": {1: "Agree", "a": "Refused"}},
        version=version,
    )
    write(tmp_path / "a.dta")
    codes = raw(read_one(tmp_path / "a.dta", format="stata"))
    labels = read_one(tmp_path / "a.dta", format="stata", cells="labels")
    assert codes == {
        "q1": ["1", "2", ".a", None, ".z"],
        "s": ["x", None, "v", "y", "z"],
        "w": ["0.5", "1", "2", "3", "4"],
    }
    assert raw(labels)["q1"] == ["Agree", "2", "Refused", None, ".z"]
    assert [problem[2] for problem in listed(labels)] == ["2", ".z"]


def test_stata_dates_are_iso(tmp_path: Path) -> None:
    moment = dt.datetime(2006, 7, 31, 9, 15)
    stata({"day": [moment.date()], "at": [moment]})(tmp_path / "a.dta")
    assert raw(read_one(tmp_path / "a.dta", format="stata")) == {
        "day": ["2006-07-31"],
        "at": ["2006-07-31T09:15:00"],
    }


# --- tables ---------------------------------------------------------------------------------------------------


def test_parquet_of_every_type_is_canonical_text(tmp_path: Path) -> None:
    moment = dt.datetime(2006, 7, 31, 9, 15)
    parquet(
        {
            "int8": pa.array([3, None], pa.int8()),
            "uint64": pa.array([2**64 - 1, 0], pa.uint64()),
            "float": pa.array([3.0, float("nan")]),
            "single": pa.array([0.1, 16777216.0], pa.float32()),
            "half": pa.array(np.array([2.5, 1.0], dtype=np.float16)),
            "decimal": pa.array([decimal.Decimal("3.10"), decimal.Decimal("3.00")]),
            "bool": pa.array([True, False]),
            "date": pa.array([moment.date(), None]),
            "moment": pa.array([moment, dt.datetime(2006, 7, 31)], pa.timestamp("ns")),
            "time": pa.array([moment.time(), None]),
            "text": pa.array([" Agree ", ""]),
            "large": pa.array(["a", "b"], pa.large_string()),
            "coded": pa.array(["x", None]).dictionary_encode(),
            "null": pa.array([None, None]),
            "bytes": pa.array([b"a", b"b"]),
        }
    )(tmp_path / "a.parquet")
    assert raw(read_one(tmp_path / "a.parquet")) == {
        "int8": ["3", None],
        "uint64": ["18446744073709551615", "0"],
        "float": ["3", None],
        "single": ["0.1", "16777216"],
        "half": ["2.5", "1"],
        "decimal": ["3.1", "3"],
        "bool": ["true", "false"],
        "date": ["2006-07-31", None],
        "moment": ["2006-07-31T09:15:00", "2006-07-31"],
        "time": ["09:15:00", None],
        "text": ["Agree", None],
        "large": ["a", "b"],
        "coded": ["x", None],
        "null": [None, None],
        "bytes": ["a", "b"],
    }


def test_the_same_answers_read_the_same_from_every_format(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": [101.0, 102.0, 103.0], "q1": [3.0, np.nan, 5.0], "w": [0.5, 1.0, 1.25]})
    frame.to_csv(tmp_path / "a.csv", index=False, float_format=lambda number: f"{number:g}")
    frame.to_csv(tmp_path / "a.tsv", index=False, sep="\t", float_format=lambda number: f"{number:g}")
    frame.to_excel(tmp_path / "a.xlsx", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    pyreadstat.write_sav(frame, tmp_path / "a.sav")
    pyreadstat.write_dta(frame, tmp_path / "a.dta")
    formats = {".sav": "spss", ".dta": "stata"}
    wanted = {"id": ["101", "102", "103"], "q1": ["3", None, "5"], "w": ["0.5", "1", "1.25"]}
    for path in sorted(tmp_path.iterdir()):
        assert raw(read_one(path, format=formats.get(path.suffix, "table"))) == wanted, path.name


def test_a_parquet_file_in_several_row_groups_keeps_its_order(tmp_path: Path) -> None:
    table = pa.table({"id": list(range(100)), "q1": [str(number % 7) for number in range(100)]})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=9)
    cells = raw(read_one(tmp_path / "a.parquet"))
    assert cells["id"] == [str(number) for number in range(100)]
    assert cells["q1"] == [str(number % 7) for number in range(100)]


# --- what a file asks -----------------------------------------------------------------------------------------


def test_the_columns_of_an_export_are_described_without_what_persons_wrote(tmp_path: Path) -> None:
    rows = [[*row, cell] for row, cell in zip(EXPORT, ["Email Address", "", "a@b.c", "d@e.f"], strict=True)]
    write_csv(tmp_path / "a.csv", rows + [[*row[:4], *row[4:]] for row in rows[2:]])
    columns = {column.name: column for column in described(tmp_path / "a.csv", Layout(**MONKEY))}
    assert list(columns) == [*NAMES, "Email Address"]
    assert columns["Whom do you work for?"].values == ("Council", "Other")
    assert columns["Email Address"].personal
    assert columns["Email Address"].values == ()
    assert columns["Is it fair?"].filled == 4


def test_a_comment_column_is_described_by_its_numbers_alone(tmp_path: Path) -> None:
    text("q1,why\n" + "".join(f"{number % 5},because {number}\n" for number in range(50)))(tmp_path / "a.csv")
    q1, why = described(tmp_path / "a.csv", Layout(format="table"))
    assert q1.values == ("0", "1", "2", "3", "4")
    assert (why.values, why.filled, why.distinct) == ((), 50, 50)


def test_spss_variables_are_described_in_words_with_their_labels(tmp_path: Path) -> None:
    spss(
        {"q1": [1.0, 1.0, 8.0]},
        column_labels={"q1": "How is it?"},
        variable_value_labels={"q1": {1: "Good", 2: "Bad"}},
    )(tmp_path / "a.sav")
    (q1,) = described(tmp_path / "a.sav", Layout(format="spss"))
    assert (q1.name, q1.label, q1.values) == ("q1", "How is it?", ("1", "8"))
    assert q1.value_labels == {"1": "Good", "2": "Bad"}


def test_a_file_that_cannot_be_read_cannot_be_described(tmp_path: Path) -> None:
    with pytest.raises(RawFileError, match="no such file"):
        described(tmp_path / "a.csv", Layout(format="table"))


@pytest.mark.parametrize("program", programs.ADDED)
def test_nothing_of_a_person_that_a_program_adds_is_stored(program: str, tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", programs.export(program, truth(programs.ROWS)))
    found = read_one(tmp_path / "a.csv", format=program)
    assert len(found.cells) == programs.ROWS
    stored = found.cells.to_csv() + found.problems.to_csv()
    assert [one for one in programs.WHO if one in stored] == []
