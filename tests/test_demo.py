"""The demonstration: its files are those that `demo/make.py` makes, and the invented respondents are as stated.

That they meet every published count, base, employer and profession: `test_workflow.py`, from the files on.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pyreadstat
import pytest
from scipy.special import ndtr, ndtri

from make import raw_files, settled_counts
from simulate import DemoPart, Respondents, make_demo, reconstruct, simulate
from simulate.draw import apportion, latent_responses, regroup
from surveywaves.errors import StudyError
from surveywaves.harmonise import harmonise_checked
from surveywaves.ingest import ingest
from surveywaves.study import Study, load_study
from surveywaves.study.models import Item
from surveywaves.study.parts import ReadingPart
from surveywaves.terms import Comparability

REPOSITORY = Path(__file__).parent.parent
DEMO = REPOSITORY / "demo"
REASONS = {"not_asked", "skipped", "dont_know", "invalid", "broke_off"}
BLANK = {"not_asked", "skipped", "broke_off"}
WAVES = ["mori_baseline", "phase1_2006", "phase2_2008"]


@cache
def shipped() -> Study:
    return load_study(REPOSITORY / "config")


@cache
def published() -> pd.DataFrame:
    """Counts of the published tables by item and response, as they were settled."""
    return settled_counts(shipped())


def part_of(wave: str) -> DemoPart:
    return DemoPart.read(shipped(), DEMO / "waves" / wave)


@cache
def respondents(wave: str) -> Respondents:
    part = part_of(wave)
    make = reconstruct if part.demo.method == "reconstruct" else simulate
    return make(part, published())


def changed(part: DemoPart, **demo: Any) -> DemoPart:
    return part.model_copy(update={"demo": part.demo.model_copy(update=demo)})


# --- what is published is met ---------------------------------------------------------------------------------


@pytest.mark.parametrize("wave", ["phase1_2006", "phase2_2008"])
def test_a_profession_that_one_organisation_employs_is_found_there_only(wave: str) -> None:
    found = respondents(wave)
    for level, employer in part_of(wave).demo.employed_by["profession"].items():
        assert set(found.employer[found.answers["profession"] == level]) == {employer}
    stated = found.answers["organisation"].dropna()
    assert (stated == found.employer[stated.index]).all()


def test_who_stopped_answers_nothing_that_comes_later() -> None:
    part = part_of("phase1_2006")
    asked = [name for block in part.demo.questionnaire for name in (*block.items, block.variable) if name]
    stopped = (respondents("phase1_2006").states[asked] == "broke_off").to_numpy()
    assert (np.diff(stopped.astype(int), axis=1) >= 0).all()
    assert stopped.sum(axis=0)[0] == 389 - 383
    assert stopped.sum(axis=0)[asked.index("organisation")] == 389 - 316


def test_nobody_is_said_to_have_stopped_before_a_question_that_more_people_answered() -> None:
    states = respondents("phase1_2006").states
    assert (
        int((states["line_manager_5"] == "broke_off").sum()) == 389 - 379
    )  # table 11 still has a base of 379
    assert int((states["line_manager_5"].isin({"skipped", "invalid"})).sum()) == 379 - 375


# --- what is stated is found ----------------------------------------------------------------------------------


def alpha(answers: pd.DataFrame) -> float:
    complete, items = answers.dropna(), answers.shape[1]
    return float(items / (items - 1) * (1 - complete.var().sum() / complete.sum(axis=1).var()))


def scale_answers(wave: str, scale: str) -> pd.DataFrame:
    values = respondents(wave).answers
    return pd.DataFrame(
        {
            item.item: pd.to_numeric(values[item.item]) * item.key
            for item in shipped().items_of(scale)
            if item.item in values
        }
    )


def test_reliabilities_are_those_of_real_scales_of_the_kind(capsys: pytest.CaptureFixture[str]) -> None:
    found = {
        (wave, scale.scale): alpha(answers)
        for wave in WAVES
        for scale in shipped().scales
        if (answers := scale_answers(wave, scale.scale)).shape[1] > 1
    }
    with capsys.disabled():
        for wave in WAVES:
            line = ", ".join(f"{scale} {value:.2f}" for (one, scale), value in found.items() if one == wave)
            print(f"\nalpha, {wave}: {line}", end="")
    for (wave, scale), value in found.items():
        low, high = (0.35, 0.75) if scale == "past_change" else (0.6, 0.95)
        assert low < value < high, (wave, scale, value)
    assert 0.80 < found["phase1_2006", "organisational_identity"] < 0.90
    identity = scale_answers("phase1_2006", "organisational_identity").corr().to_numpy()
    assert 0.42 < identity[np.triu_indices(5, 1)].mean() < 0.60


def test_latent_responses_correlate_as_stated() -> None:
    items = [
        Item(item=name, text=name, section=1, scale=scale, keyed=keyed, response_scale="r")
        for name, scale, keyed in (("a1", "a", "+"), ("a2", "a", "-"), ("b1", "b", "+"), ("c1", None, "+"))
    ]
    latent = latent_responses(
        items, 200_000, between=0.5, within={"a": 0.64}, default=0.36, rng=np.random.default_rng(1)
    )
    found = np.corrcoef(latent, rowvar=False)
    between = 0.5 * np.sqrt(0.64 * 0.36)
    assert np.allclose(latent.std(axis=0), 1, atol=0.01)
    assert found[0, 1] == pytest.approx(-0.64, abs=0.01)
    assert found[0, 2] == pytest.approx(between, abs=0.01)
    assert found[1, 2] == pytest.approx(-between, abs=0.01)
    assert found[2, 3] == pytest.approx(0.5 * 0.36, abs=0.01)


@pytest.mark.thorough
def test_shifts_move_each_organisation_by_what_is_stated() -> None:
    """An item's cut points are probits of its published shares; a shift moves its answers across them."""
    part = changed(part_of("phase2_2008"), returns=15_000, break_off={}, skipped=0.0)
    made = simulate(part, published())
    shares = published().groupby("item")["count"].agg(lambda counts: np.cumsum(counts) / counts.sum())
    checked = 0
    for item in shipped().items:
        if item.published_table is None or item.item not in made.answers:
            continue
        for organisation in ("nhs", "social_work"):
            shift = part.demo.shifts.get(item.scale or "", {}).get(organisation, 0.0) * item.key
            shift += part.demo.item_shifts.get(item.item, 0.0)
            expected = ndtr(ndtri(shares[item.item][2]) - shift)
            here = made.states.loc[made.employer == organisation, item.item]
            assert float((here <= 3).mean()) == pytest.approx(expected, abs=0.02), (item.item, organisation)
            checked += 1
    assert checked == 120


def test_an_item_that_no_table_prints_is_answered_by_all_who_get_to_it() -> None:
    part = changed(part_of("phase1_2006"), item_shares={"colleagues_2": (0.1, 0.2, 0.4, 0.2, 0.1)})
    known = published()[published()["item"] != "colleagues_2"]
    found = reconstruct(part, known).answers
    answered = found["colleagues_2"].dropna()
    assert len(answered) == 381  # the base of the next item
    assert answered.astype(float).mean() == pytest.approx(3, abs=0.2)
    assert found["colleagues_1"].value_counts().sort_index().tolist() == [6, 5, 17, 195, 160]


def test_an_organisation_shift_in_a_reconstructed_wave_leaves_the_counts_and_opens_the_gap() -> None:
    part = changed(part_of("phase1_2006"), shifts={"line_manager": {"nhs": 1.0, "social_work": -1.0}})
    found = reconstruct(part, published())
    score = found.answers[[f"line_manager_{number}" for number in range(1, 6)]].astype(float).mean(axis=1)
    gap = score.groupby(found.employer).mean()
    assert gap["nhs"] - gap["social_work"] > 1
    counts = found.answers["line_manager_1"].value_counts().sort_index().tolist()
    assert counts == [20, 49, 68, 187, 53]


def test_skipped_and_unknown_answers_come_in_the_stated_shares() -> None:
    part = changed(part_of("mori_baseline"), returns=5000, break_off={}, skipped=0.05, dont_know=0.10)
    states = simulate(part, published()).states[[f"colleagues_{number}" for number in range(1, 7)]].to_numpy()
    assert (states == "dont_know").mean() == pytest.approx(0.10, abs=0.01)
    assert (states == "skipped").mean() == pytest.approx(0.05 * 0.9, abs=0.01)


def test_break_off_comes_in_the_stated_sections() -> None:
    part = changed(part_of("phase2_2008"), returns=1000, break_off={1: 0.1, 5: 0.2})
    states = simulate(part, published()).states
    assert int((states["practice_8"] == "broke_off").sum()) == 0
    assert int((states["organisational_identity_1"] == "broke_off").sum()) == 100
    assert int((states["past_change_2"] == "broke_off").sum()) == 300


def test_four_options_are_taken_from_five_as_equal_stretches() -> None:
    assert regroup([20, 20, 20, 20, 20], 4).tolist() == pytest.approx([25, 25, 25, 25])
    assert regroup([0, 0, 100, 0, 0], 4).tolist() == pytest.approx([0, 50, 50, 0])


def test_shares_are_dealt_out_whole() -> None:
    assert apportion(10, [1, 1, 1]).tolist() == [4, 3, 3]
    assert apportion(389, [0.86, 0.14]).tolist() == [335, 54]
    assert apportion(0, [0.5, 0.5]).tolist() == [0, 0]


# --- the same every time --------------------------------------------------------------------------------------


def test_the_committed_files_are_made_anew_to_the_byte() -> None:
    committed = {
        path.relative_to(REPOSITORY).as_posix(): path.read_bytes()
        for path in (DEMO / "raw").rglob("*")
        if path.is_file()
    }
    made = raw_files()
    assert made.keys() == committed.keys()
    assert [path for path in made if made[path] != committed[path]] == []
    coded = shipped().qualitative
    assert coded is not None
    named = {file.path for wave in shipped().waves for file in wave.file.files}
    assert committed.keys() == named | set(coded.file.files)


def test_another_seed_gives_other_respondents() -> None:
    part = part_of("phase1_2006")
    other = reconstruct(changed(part, seed=part.demo.seed + 1), published())
    assert not other.states.equals(respondents("phase1_2006").states)


def test_more_comments_leave_the_answers_as_they_are() -> None:
    found = simulate(changed(part_of("phase2_2008"), comment_share=0.9), published())
    assert found.states.equals(respondents("phase2_2008").states)


# --- the files say what the respondents do --------------------------------------------------------------------


@pytest.mark.parametrize("wave", WAVES)
def test_the_workflow_reads_what_the_respondents_answered(wave: str) -> None:
    made, one = respondents(wave), shipped().wave(wave)
    raw = ingest(ReadingPart.of(one), root=REPOSITORY)
    read = harmonise_checked(shipped(), one, raw.cells, raw.value_labels)
    rescaled = {row.item for row in one.crosswalk if row.comparability is Comparability.RESCALED}
    names = [name for name in made.answers if name not in rescaled]
    assert len(names) > 24

    def rows(answers: pd.DataFrame) -> Counter[tuple[str, ...]]:
        cells = (answers[name].astype("object").where(answers[name].notna(), "").map(str) for name in names)
        return Counter(zip(*cells, strict=True))

    assert rows(read.responses) == rows(made.answers)
    assert len(read.responses) == len(made.answers)


def test_an_spss_file_has_its_labels_weights_and_one_declared_missing_code(tmp_path: Path) -> None:
    path = tmp_path / "file.sav"
    ((_, content),) = make_demo(part_of("mori_baseline"), published()).items()
    path.write_bytes(content)
    frame, meta = pyreadstat.read_sav(path, user_missing=True)
    assert meta.missing_ranges["q4_1"] == [{"lo": 8.0, "hi": 8.0}]
    assert meta.variable_value_labels["q4_1"] == {
        1.0: "Strongly agree",
        2.0: "Agree",
        3.0: "Neither agree nor disagree",
        4.0: "Disagree",
        5.0: "Strongly disagree",
        8.0: "Not answered",
        9999.0: "No opinion",
    }
    assert set(frame["q7"].dropna()) == {1, 2, 3, 4, 8, 9999}
    assert frame["wt"].tolist() == respondents("mori_baseline").weight.tolist()
    assert (frame["wt"] > 0).all()
    assert frame["wt"].nunique() > 3
    assert "Social Work Services" in meta.column_names_to_labels["q8_3"]


def test_a_survey_monkey_export_has_the_quirks_of_its_kind() -> None:
    files = make_demo(part_of("phase1_2006"), published())
    content = files["demo/raw/phase1_2006/surveymonkey_2006-10-02.csv"]
    with pytest.raises(UnicodeDecodeError):
        content.decode("utf-8")
    rows = list(csv.reader(io.StringIO(content.decode("cp1252"), newline="")))
    top, below = rows[:2]
    assert ",".join(top[:9]) == (
        "RespondentID,CollectorID,StartDate,EndDate,IP Address,Email Address,First Name,LastName,Custom Data"
    )
    assert below[:9] == [""] * 9
    alone = top.index("I understand what a CHCP is.")
    assert below[alone] == ""
    comment = below.index("Any comments about your colleagues or managers?")
    assert top[comment] == ""
    assert "organisational" in top[comment + 1].lower() or "organisation" in top[comment + 1].lower()
    assert below.count("Response") == 3
    assert below[-1] == "Open-Ended Response"
    assert any("<" in cell for cell in top)
    assert any("<" in cell for cell in below)
    assert any("’" in cell for cell in below)
    dates = {row[2] for row in rows[3:]}
    assert any(int(date.split("/")[1]) > 12 for date in dates)
    assert all(date.startswith(("7/", "8/", "9/")) and date.endswith(("AM", "PM")) for date in dates)
    assert len(rows) == 2 + 335 + 3 + 1
    assert [row[8] for row in rows[2:]].count("TEST") == 1


def test_a_workbook_is_numeric_and_spells_its_header_the_newer_way() -> None:
    ((_, content),) = make_demo(part_of("phase2_2008"), published()).items()
    page = openpyxl.load_workbook(io.BytesIO(content))["Sheet"]
    rows = list(page.iter_rows(values_only=True))
    assert rows[0][:3] == ("Respondent ID", "Collector ID", "Start Date")
    assert "IP Address" not in rows[0]
    place = rows[0].index("Who is your employer?")
    assert {row[place] for row in rows[2:]} == {1, 2, None}
    assert {row[place + 1] for row in rows[2:]} == {*range(1, 12), None}  # both codes of the split category


def test_paper_returns_are_keyed_twice_and_disagreements_are_settled() -> None:
    files = make_demo(part_of("phase1_2006"), published())
    rows = list(csv.reader(io.StringIO(files["demo/raw/phase1_2006/paper_returns.csv"].decode("utf-8-sig"))))
    keyed = Counter(row[1] for row in rows[1:])
    assert keyed == {"A": 54, "B": 54, "resolved": 9}
    by_return: dict[str, list[list[str]]] = {}
    for row in rows[1:]:
        by_return.setdefault(row[0], []).append(row)
    for one in by_return.values():
        differing = sum(a != b for a, b in zip(one[0][3:], one[1][3:], strict=True))
        assert differing == len(one) - 2
    assert any("**" in row for row in rows)


# --- what cannot be is said -----------------------------------------------------------------------------------


def test_counts_that_outnumber_the_returns_are_named() -> None:
    with pytest.raises(StudyError, match=r"wave phase1_2006: colleagues_1: 383 answers .* only 380"):
        reconstruct(changed(part_of("phase1_2006"), returns=380), published())


def test_a_response_without_a_count_is_named() -> None:
    counts = published()
    with pytest.raises(
        StudyError, match="colleagues_2: there must be one count for each response from 1 to 5"
    ):
        reconstruct(
            part_of("phase1_2006"), counts[(counts["item"] != "colleagues_2") | (counts["response"] != 3)]
        )


def test_more_staff_of_a_kind_than_their_only_employer_has_are_named() -> None:
    variables = {"profession": {"nurse": 200}}
    with pytest.raises(
        StudyError, match=r"profession, nurse: 200 answers are asked for, but only \d+ respondents"
    ):
        reconstruct(changed(part_of("phase1_2006"), variables=variables), published())


def test_a_letter_that_the_encoding_lacks_is_named() -> None:
    part = changed(part_of("phase1_2006"), comments=("Łódź",), comment_share=1.0)
    with pytest.raises(StudyError, match=r"surveymonkey_2006-10-02\.csv: `Ł` cannot be written in cp1252"):
        make_demo(part, published())
