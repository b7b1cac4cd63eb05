"""The output checker's sheet: every released number has a row, and the row says what is there to be seen."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from surveywaves.catalogue import FIGURES, STATISTICS
from surveywaves.disclosure.checklist import COLUMNS, SAFE, TERMS, Statbarn, checklist, statbarn_of, workbook
from surveywaves.files import read
from surveywaves.study.models import Disclosure

ROUNDED = Disclosure(rounding=5)
SUPPRESSED = Disclosure(rounding=0)


def frequencies(*rows: tuple[str, int | None, int]) -> pd.DataFrame:
    found = pd.DataFrame(rows, columns=["organisation", "n", "base"]).astype({"n": "Int64", "base": "Int64"})
    status = found["n"].isna().map({True: "withheld", False: "ok"})
    if "all" not in set(found["organisation"]):  # more than one organisation, so that none is all of it
        found.loc[len(found)] = ["not_stated", 0, 0]
        status.loc[len(status)] = "ok"
    return found.assign(wave="first", item="a", response="1", percent=10.0, status=status)


def test_labels_that_are_not_shown_are_to_be_read_where_they_stand() -> None:
    rows = pd.DataFrame({"wave": "first", "raw": ["Agree", "(other words)"], "value": ["4", "other"]})
    row = one({"recodings": rows}, ROUNDED, "all respondents")
    assert row["status"] == "review"
    assert "stand in the configuration, and so in a pin" in row["summary"]
    assert one({"recodings": rows.iloc[:1]}, ROUNDED, "all respondents")["status"] == "pass"


def estimates(**about: Any) -> pd.DataFrame:
    row = {
        "analysis": "linear",
        "wave": "second - first",
        "organisation": "north",
        "term": "change",
        "estimate": 0.1,
        "std_error": 0.1,
        "df": 20.0,
        "n": 30,
        "status": "ok",
    }
    return pd.DataFrame([row | about])


def one(tables: dict[str, pd.DataFrame], rule: Disclosure, scope: str) -> dict[str, Any]:
    sheet = checklist(tables, {}, rule)
    (row,) = sheet[sheet["scope"] == scope].to_dict("records")
    return {str(name): value for name, value in row.items()}


def test_small_counts_of_all_respondents_are_for_a_person_to_look_at() -> None:
    rows = frequencies(("all", 2, 100), ("all", 0, 100), ("all", 98, 100))
    row = one({"item_frequencies": rows}, ROUNDED, "all respondents")
    assert (row["status"], row["smallest_count"], row["smallest_n"]) == ("review", 2, 100)
    assert row["summary"] == "review; exact by the rule, and the smallest count is 2"
    assert (row["statbarn"], row["safe"]) == ("Frequencies", "unsafe")
    row = one({"item_frequencies": rows.iloc[1:]}, ROUNDED, "all respondents")
    assert (row["status"], row["smallest_count"]) == ("pass", 98)


def test_a_rounded_count_that_is_none_fails() -> None:
    row = one({"item_frequencies": frequencies(("north", 5, 40), ("north", 35, 40))}, ROUNDED, "groups")
    assert (row["status"], row["smallest_count"], row["smallest_n"]) == ("pass", 5, 40)
    row = one({"item_frequencies": frequencies(("north", 5, 40), ("south", 36, 40))}, ROUNDED, "groups")
    assert row["summary"] == "fail; counts that are no multiples of 5"


def test_what_is_withheld_is_counted_and_nothing_else_of_it_is_said() -> None:
    rows = frequencies(("north", None, 40), ("north", 7, 40))
    row = one({"item_frequencies": rows}, SUPPRESSED, "groups")
    assert (row["shown"], row["withheld"], row["smallest_count"], row["status"]) == (8, 1, 7, "pass")
    row = one({"item_frequencies": frequencies(("north", 3, 40))}, SUPPRESSED, "groups")
    assert row["status"] == "review"


@pytest.mark.parametrize(
    ("about", "summary"),
    [
        ({}, "pass; no estimate from fewer"),
        ({"n": 9}, "fail; an estimate from 9 respondents"),
        ({"df": 9.0}, "fail; an estimate from 9 degrees of freedom"),
        ({"n": 9, "df": 3.0}, "fail; an estimate from 9 respondents and 3 degrees of freedom"),
        ({"df": float("inf")}, "pass; no estimate from fewer"),
        ({"n": None}, "review; how many respondents it rests on is not shown"),
        ({"estimate": None, "n": 9}, "pass; nothing is shown"),
        ({"term": "equality", "std_error": None, "df": 2.0}, "pass; no estimate from fewer"),
        ({"term": "invented"}, "review; no class is known for this statistic"),
    ],
)
def test_estimates_are_held_against_the_rule(about: dict[str, Any], summary: str) -> None:
    assert one({"contrasts": estimates(**about)}, ROUNDED, "groups")["summary"] == summary


def test_the_organisation_that_a_wave_is_of_is_all_of_it() -> None:
    rows = frequencies(("all", 2, 100), ("north", 2, 100), ("south", 0, 0))
    sheet = checklist({"item_frequencies": rows}, {}, ROUNDED)
    assert dict(zip(sheet["scope"], sheet["status"], strict=True)) == {
        "all respondents": "review",
        "groups": "fail",
    }
    row = one({"item_frequencies": rows.iloc[:2]}, ROUNDED, "all respondents")
    assert (row["shown"], row["smallest_count"]) == (6, 2)


def test_what_is_computed_from_released_counts_is_as_they_are() -> None:
    rows = frequencies(("north", 5, 5)).drop(columns=["n", "percent"]).assign(mean=3.0)
    row = one({"item_summary": rows}, ROUNDED, "groups")
    assert row["summary"] == "pass; says nothing that item_frequencies do not"
    row = one({"item_contrasts": estimates(n=5)}, ROUNDED, "groups")
    assert (row["status"], row["rule"]) == ("pass", "computed from released numbers")


def test_public_data_are_as_they_are_and_the_sheet_says_so() -> None:
    rows = frequencies(("north", 1, 4))
    row = one({"item_frequencies": rows}, Disclosure(public=True), "groups")
    assert (row["status"], row["rule"], row["smallest_count"]) == ("pass", "public data: as they are", 1)


def test_a_figure_is_as_bad_as_the_worst_that_it_draws() -> None:
    tables = {"contrasts": estimates(), "item_frequencies": frequencies(("all", 2, 100), ("north", 5, 40))}
    sheet = checklist(tables, {"likert": ["item_frequencies", "contrasts"], "odd": ["unknown"]}, ROUNDED)
    likert, odd = sheet[sheet["type"] == "figure"].to_dict("records")
    assert (likert["output"], likert["status"], likert["safe"]) == ("figures/likert", "review", "unsafe")
    assert (likert["smallest_n"], likert["smallest_count"], likert["smallest_df"]) == (30, 2, 20)
    assert odd["status"] == "review"


def test_statistics_of_a_kind_stand_in_one_row_and_have_the_names_of_statbarns() -> None:
    terms = ["alpha", "omega_total", "floor", "equality"]
    sheet = checklist({"reliability": pd.concat([estimates(term=term) for term in terms])}, {}, ROUNDED)
    assert dict(zip(sheet["statbarn"], sheet["output"], strict=True)) == {
        "Frequencies": "released/reliability.csv, floor",
        "CorrelationCoefficients": "released/reliability.csv, alpha, omega_total",
        "StatisticalHypothesisTests": "released/reliability.csv, equality",
    }
    assert {statbarn_of(term) for term in terms} <= {*SAFE, Statbarn.FREQUENCIES}
    assert len(set(TERMS.values())) == len(Statbarn)


def test_the_workbook_is_the_same_bytes_runs_nothing_and_is_ready_to_be_signed() -> None:
    sheet = checklist({"contrasts": estimates()}, {"=HYPERLINK(1)": ["contrasts"]}, ROUNDED)
    content = workbook(sheet)
    assert content == workbook(sheet)
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        assert {part.date_time for part in parts.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert b"<f>" not in b"".join(parts.read(name) for name in parts.namelist())
    book = openpyxl.load_workbook(io.BytesIO(content))
    rows = list(book["checklist"].iter_rows(values_only=True))
    assert rows[0] == tuple(COLUMNS)
    assert len(rows) == len(sheet) + 1
    by_hand = [rows[0].index(name) for name in ("exception", "comments", "checked_by", "date", "decision")]
    assert {row[place] for row in rows[1:] for place in by_hand} == {None}
    assert [row[0] for row in book["columns"].iter_rows(values_only=True)] == ["column", *COLUMNS]


@pytest.mark.slow
def test_every_released_number_and_figure_of_the_shipped_study_has_a_row_and_a_class(finished: Path) -> None:
    released = finished / "results/released"
    sheets = [read(str(released / f"checklist{name}.csv")) for name in ("", "_interviews")]
    sheet = pd.concat(sheets, ignore_index=True)
    about_itself = {"checklist", "checklist_interviews", "disclosure_log", "disclosure_summary"}
    tables = {path.stem for path in released.glob("*.csv")} - about_itself
    assert (
        set(sheet.loc[sheet["type"] == "table", "output"].str.extract(r"^released/(\w+)\.csv")[0]) == tables
    )
    assert tables <= STATISTICS.keys()
    figures = {path.stem for path in (finished / "results/figures").glob("*.svg")}
    assert set(sheet.loc[sheet["type"] == "figure", "output"].str.removeprefix("figures/")) == figures
    assert len(figures) > len(FIGURES) / 2
    assert not sheet["summary"].str.contains("no class is known|not known").any()
    for name in tables:
        table = read(str(released / f"{name}.csv"))
        shown = sum(
            int(number) for number in sheet.loc[sheet["output"].str.startswith(f"released/{name}."), "shown"]
        )
        if "estimate" in table:
            assert shown == (table["estimate"] != "").sum()
    frames = {path.stem: pd.read_parquet(path) for path in released.glob("*.parquet")}
    smallest = sheet[sheet["smallest_n"] != ""]
    for row in smallest[smallest["type"] == "table"].to_dict("records"):
        frame = frames[row["output"].partition(".")[0].removeprefix("released/")]
        bases = frame[[name for name in ("n", "base", "returns", "count", "sources") if name in frame]]
        assert (bases == int(row["smallest_n"])).any(axis=None), row["output"]
    book = openpyxl.load_workbook(released / "checklist.xlsx")
    assert book["checklist"].max_row == len(sheets[0]) + 1
