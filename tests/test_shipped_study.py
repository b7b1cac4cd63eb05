"""The shipped configuration says what the published report says, and no more."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import openpyxl
import pytest

from surveywaves.study import load_study
from surveywaves.terms import Comparability, Evidence
from surveywaves.text import normalise
from test_demo import make_demo, part_of, published

REPOSITORY = Path(__file__).parent.parent
STUDY = load_study(REPOSITORY / "config")
PUBLISHED = REPOSITORY / "resources/published"


def rows(name: str) -> list[dict[str, str]]:
    with (PUBLISHED / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# --- the instrument -------------------------------------------------------------------------------------------


def test_every_printed_statement_is_an_item_in_its_own_words() -> None:
    items = {(str(item.published_table), str(item.published_row)): item for item in STUDY.items}
    printed = rows("likert_tables.csv")
    assert len(printed) == 61
    for row in printed:
        assert items[row["table"], row["row"]].text == row["statement"]
    assert [item.item for item in STUDY.items if item.published_table is None] == ["chcp_belonging"]


def test_every_table_is_one_scale_under_its_own_title_in_its_own_section() -> None:
    titles = {row["table"]: row for row in rows("table_titles.csv")}
    scales = {scale.scale: scale for scale in STUDY.scales}
    of_table = {str(item.published_table): item for item in STUDY.items if item.published_table}
    assert {table: scales[item.scale or ""].title for table, item in of_table.items()} == {
        table: row["title"] for table, row in titles.items()
    }
    for item in STUDY.items:
        if item.published_table:
            assert item.section == int(titles[str(item.published_table)]["section"])
            assert item.scale == of_table[str(item.published_table)].scale
            assert item.item == f"{item.scale}_{item.published_row}"


def test_items_stand_in_the_order_of_the_questionnaire() -> None:
    """Bases fall from section to section, which is how the order is known."""
    sections = [item.section for item in STUDY.items]
    assert sections == sorted(sections)
    assert list(STUDY.config.sections) == [1, 2, 3, 4, 5]
    bases = {
        int(section): max(
            int(row["n_reported"]) for row in rows("likert_tables.csv") if row["table"] in tables
        )
        for section in {row["section"] for row in rows("table_titles.csv")}
        if (tables := {row["table"] for row in rows("table_titles.csv") if row["section"] == section})
    }
    assert [bases[section] for section in sorted(bases)] == [383, 368, 348, 330, 316]


def test_the_items_keyed_the_other_way_are_those_that_say_the_opposite() -> None:
    assert {item.item for item in STUDY.items if item.keyed == "-"} == {
        "commitment_6",
        "commitment_7",
        "past_change_2",
        "managing_change_1",
    }


def test_professions_and_employers_are_those_of_the_printed_tables() -> None:
    """By words, too: the audit finds a level by the category that the table prints."""
    levels = list(STUDY.config.variables["profession"].levels.values())
    assert levels == [row["category"] for row in rows("table1_profession.csv")]
    assert list(STUDY.config.organisations.values()) == [row["category"] for row in rows("employer.csv")]


def test_the_organisation_split_is_the_one_that_was_decided_on() -> None:
    counts = part_of("phase1_2006").demo.organisations
    with (PUBLISHED / "decisions.tsv").open(encoding="utf-8", newline="") as file:
        (decided,) = [row for row in csv.DictReader(file, delimiter="\t") if row["table"] == "organisation"]
    assert decided["field"] == f"{STUDY.config.organisations['nhs']}_n"
    assert counts["nhs"] == int(decided["value"])
    assert [round(100 * counts[name] / 316) for name in ("nhs", "social_work")] == [44, 56]
    assert sum(counts.values()) == 316


def test_invented_gaps_of_the_reconstructed_wave_leave_the_average_where_it_was_published() -> None:
    demo = part_of("phase1_2006").demo
    for scale, shifts in demo.shifts.items():
        average = sum(shifts[name] * n for name, n in demo.organisations.items()) / 316
        assert abs(average) < 0.01, scale


def test_the_true_changes_that_the_demonstration_states_are_what_its_shifts_make() -> None:
    path = REPOSITORY / "demo/waves/phase2_2008/demo.yaml"
    stated = re.findall(
        r"^# +(\w+) +(-?\d\.\d\d) +(-?\d\.\d\d)$", path.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert {scale for scale, _, _ in stated} == {scale.scale for scale in STUDY.scales}
    before, after = part_of("phase1_2006").demo.shifts, part_of("phase2_2008").demo.shifts
    for scale, *changes in stated:
        for organisation, change in zip(("nhs", "social_work"), changes, strict=True):
            made = after[scale][organisation] - before.get(scale, {}).get(organisation, 0.0)
            assert made == pytest.approx(float(change)), (scale, organisation)


# --- the waves ------------------------------------------------------------------------------------------------


def test_every_wave_says_what_its_data_are() -> None:
    assert {wave.name: wave.file.evidence for wave in STUDY.waves} == {
        "mori_baseline": Evidence.SIMULATED,
        "phase1_2006": Evidence.RECONSTRUCTED,
        "phase2_2008": Evidence.SIMULATED,
    }
    assert all(wave.file.evidence_note for wave in STUDY.waves)
    weaker = STUDY.wave("phase1_2006").file.variable_evidence
    assert {name for name, one in weaker.items() if one.evidence is Evidence.SIMULATED} == {
        "organisation",
        "role",
        "mode",
    }


def test_waves_differ_from_the_instrument_where_they_are_meant_to() -> None:
    def graded(wave: str, grade: Comparability) -> list[str]:
        return [row.item for row in STUDY.wave(wave).crosswalk if row.comparability is grade]

    assert graded("phase1_2006", Comparability.ABSENT) == ["chcp_belonging"]
    assert len(graded("phase1_2006", Comparability.IDENTICAL)) == 61
    assert graded("phase2_2008", Comparability.ABSENT) == ["capacity_5"]
    assert graded("phase2_2008", Comparability.REWORDED) == ["senior_management_4"]
    assert graded("mori_baseline", Comparability.RESCALED) == ["senior_management_5"]
    assert graded("mori_baseline", Comparability.REWORDED) == ["organisational_identity_3"]
    assert len(graded("mori_baseline", Comparability.IDENTICAL)) == 23
    assert STUDY.wave("mori_baseline").file.organisations_surveyed == ("social_work",)
    assert STUDY.wave("mori_baseline").file.fieldwork.start is None


def test_phase2_asks_in_another_order() -> None:
    def order(wave: str) -> list[str]:
        return [item for block in part_of(wave).demo.questionnaire for item in block.items]

    common = set(order("phase1_2006")) & set(order("phase2_2008"))
    first, second = (
        [item for item in order(wave) if item in common] for wave in ("phase1_2006", "phase2_2008")
    )
    assert first != second
    assert order("phase1_2006") == [item.item for item in STUDY.items if item.published_table]


def test_events_are_dated_by_the_report_and_in_order() -> None:
    dates = [event.date for event in STUDY.events if event.date]
    assert dates == sorted(dates)
    assert all(re.search(r"p\. \d+", event.source) for event in STUDY.events)


# --- the raw files --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wave", ["phase1_2006", "phase2_2008"])
def test_every_statement_of_a_wave_stands_in_the_header_of_its_export(wave: str) -> None:
    files = make_demo(part_of(wave), published())
    path = next(path for path in files if "surveymonkey" in path)
    if path.endswith(".xlsx"):
        page = openpyxl.load_workbook(io.BytesIO(files[path])).worksheets[0]
        header = [str(cell) for row in page.iter_rows(max_row=2, values_only=True) for cell in row if cell]
    else:
        header = [
            cell for row in list(csv.reader(io.StringIO(files[path].decode("cp1252"))))[:2] for cell in row
        ]
    folded = {normalise(cell) for cell in header}
    texts = {item.item: item.text for item in STUDY.items}
    for row in STUDY.wave(wave).crosswalk:
        if row.comparability is not Comparability.ABSENT:
            assert normalise(row.wording or texts[row.item]) in folded, row.item
