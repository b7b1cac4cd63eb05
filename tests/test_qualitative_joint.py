"""Verdicts follow the stated rules, and figures and tables show no more than the released tables."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
import pytest

from coded_material import part
from surveywaves.catalogue import INTERVIEW_FIGURES, INTERVIEW_TABLES, of_study
from surveywaves.disclosure import Rule
from surveywaves.disclosure.checklist import checklist
from surveywaves.figures.saving import draw, svg_of
from surveywaves.figures.style import RC
from surveywaves.qualitative.beside import Beside, beside, read_material
from surveywaves.qualitative.events import observations, timeline
from surveywaves.qualitative.joint import joint_display
from surveywaves.study import load_study
from surveywaves.study.models import Disclosure
from surveywaves.study.parts import Presentation, Principle, QualitativePart, QualitativeWords
from surveywaves.tables.made import made
from surveywaves.words import Labels

REPOSITORY = Path(__file__).parent.parent
RULE = Rule.of(Disclosure())


def levels(**scales: tuple[float, float] | None) -> pd.DataFrame:
    """Make the survey's means of wave `two`: scale -> limits of its % favourable."""
    rows = [
        {"scale": scale, "wave": "two", "organisation": organisation, "term": "percent_favourable"}
        | dict(
            zip(
                ("estimate", "conf_low", "conf_high"),
                (sum(ends) / 2, *ends) if ends else [None] * 3,
                strict=True,
            )
        )
        for scale, ends in scales.items()
        for organisation in ("nhs", "all")
    ]
    numbers = ("estimate", "conf_low", "conf_high")
    frame = pd.DataFrame(rows, columns=["scale", "wave", "organisation", "term", *numbers])
    return frame.astype(dict.fromkeys(numbers, "float64"))


NO_CHANGE = pd.DataFrame(columns=["scale", "wave", "organisation", "term", "estimate", "decision"])
CHANGE = pd.DataFrame(
    [
        ("s", "three - two", "all", "change_percent_favourable", 4.0, "increase"),
        ("s", "two - one", "all", "change_percent_favourable", -9.0, "decrease"),
    ],
    columns=NO_CHANGE.columns,
)


def themed(sources: int | None, n: int) -> pd.DataFrame:
    row = {"stage": "talks", "area": "all", "organisation": "all", "theme": "t", "sources": sources, "n": n}
    row |= {"percent": 100 * n / sources if sources else None, "favourable": n, "critical": 0}
    other = {**row, "area": "wards", "sources": 5, "n": 5}
    return pd.DataFrame([row, other]).astype({"sources": "Int64", "n": "Int64"})


def verdict(
    survey: Mapping[str, tuple[float, float] | None],
    good: int,
    mixed: int,
    bad: int,
    *,
    sources: int | None = 40,
    changes: pd.DataFrame = NO_CHANGE,
) -> Any:
    told = pd.DataFrame(
        [("talks", "p", good, mixed, bad)], columns=["stage", "theme", "favourable", "mixed", "critical"]
    )
    study = part(
        Path(), "s.csv", sources=None, stages={"talks": {"title": "Talks", "wave": "two"}}
    ).model_copy(
        update={
            "waves": ("one", "two", "three"),
            "principles": {"p": Principle(scales=tuple(survey), themes=("t",))},
        }
    )
    return joint_display(themed(sources, good + mixed + bad), told, levels(**survey), changes, part=study)


HIGH, LOW, OPEN = (60.0, 70.0), (20.0, 40.0), (45.0, 55.0)


@pytest.mark.parametrize(
    ("survey", "told", "said"),
    [
        ({"s": HIGH}, (20, 4, 2), ("favourable", "favourable", "convergent")),
        ({"s": LOW}, (2, 4, 20), ("critical", "critical", "convergent")),
        ({"s": OPEN}, (10, 4, 9), ("divided", "divided", "convergent")),
        ({"s": HIGH}, (2, 4, 20), ("favourable", "critical", "divergent")),
        ({"s": LOW}, (20, 4, 2), ("critical", "favourable", "divergent")),
        ({"s": HIGH}, (10, 4, 9), ("favourable", "divided", "partly_convergent")),
        ({"s": HIGH, "z": LOW}, (20, 4, 2), ("divided", "favourable", "partly_convergent")),
        ({"s": HIGH, "z": HIGH}, (20, 4, 2), ("favourable", "favourable", "convergent")),
        ({"s": HIGH}, (7, 0, 0), ("favourable", "silent", "silent")),  # 7 of 40 is less than a fifth
        ({"s": HIGH}, (8, 0, 0), ("favourable", "favourable", "convergent")),
        ({"s": HIGH}, (0, 20, 0), ("favourable", "divided", "partly_convergent")),
        ({"s": None}, (20, 4, 2), ("silent", "favourable", "silent")),
        ({}, (20, 4, 2), ("silent", "favourable", "silent")),
    ],
)
def test_the_verdict_follows_the_rules(
    survey: Any, told: tuple[int, int, int], said: tuple[str, str, str]
) -> None:
    row = verdict(survey, *told).iloc[-1]
    assert (row["survey_tone"], row["interview_tone"], row["verdict"]) == said


def test_the_share_is_of_all_interviews_of_the_wave() -> None:
    row = verdict({"s": HIGH}, 20, 4, 2).iloc[-1]
    assert (row["sources"], row["n"], row["percent"]) == (40, 26, 65.0)
    assert row["conf_low"] == pytest.approx(72.2, abs=0.05)  # Wilson, 20 of 22


def test_a_stage_that_is_withheld_says_nothing() -> None:
    row = verdict({"s": HIGH}, 0, 0, 0, sources=None).iloc[-1]
    assert row["verdict"] == "silent" and pd.isna(row["sources"])


def test_change_is_from_the_wave_of_the_interviews_on() -> None:
    found = verdict({"s": HIGH}, 20, 4, 2, changes=CHANGE)
    row = found[(found["side"] == "survey") & (found["organisation"] == "all")].iloc[0]
    assert (row["since"], row["change"], row["decision"]) == ("three - two", 4.0, "increase")


def test_small_groups_of_interviews_are_not_in_the_display() -> None:
    found = verdict({"s": HIGH}, 20, 4, 2)
    assert len(found[found["side"] == "interviews"]) == 1


# --- timeline and observations ------------------------------------------------------------------------------------


@cache
def shipped() -> tuple[QualitativePart, Presentation]:
    study = load_study(REPOSITORY / "config")
    part = QualitativePart.of(study)
    assert part is not None
    return part, Presentation.of(study).model_copy(update={"qualitative": QualitativeWords.of(study)})


def test_an_event_lasts_as_long_as_its_date_is_vague() -> None:
    found = timeline(shipped()[1]).set_index("label")
    assert tuple(found.loc["Interim report to the GCPH", ["start", "end"]]) == ("2006-11-01", "2006-11-30")
    assert found.loc["Heads of Service appointed", "approximate"]
    assert found.loc["Elections", "start"] == ""
    assert found.loc["Front-line staff", "approximate"] and not found.loc["Phase I", "approximate"]


def test_counts_of_groups_that_seldom_met_are_withheld_and_cannot_be_worked_out() -> None:
    rows = [
        (str(n), "", group, "joke", 1)
        for group, meetings in (("often", 9), ("seldom", 3))
        for n in range(meetings)
    ]
    grid = pd.DataFrame(rows, columns=["meeting", "date", "group", "category", "count"])
    found = observations(grid, rule=RULE).set_index("group")
    assert (found.loc["often", "count"], found.loc["often", "per_meeting"]) == (9, 1.0)
    assert pd.isna(found.loc["seldom", "count"]) and found.loc["seldom", "status"] == "withheld"
    assert (found.loc["all", "meetings"], found.loc["all", "count"]) == (9, 9)
    assert (
        observations(grid, rule=Rule.of(Disclosure(public=True))).set_index("group").loc["all", "count"] == 12
    )


def test_a_category_that_was_counted_in_a_few_meetings_is_withheld() -> None:
    rows = [(str(n), "", "often", "joke", 1) for n in range(9)]
    rows += [
        (str(n), "", group, "quarrel", 2)
        for group, n in [("often", 1), ("often", 2), *(("x", n) for n in range(5))]
    ]
    grid = pd.DataFrame(rows, columns=["meeting", "date", "group", "category", "count"])
    found = observations(grid, rule=RULE).set_index(["group", "category"])
    assert found.loc[("often", "joke"), "count"] == 9
    assert found.loc[("often", "quarrel"), "status"] == "withheld"
    assert pd.isna(found.loc[("often", "quarrel"), "count"])
    assert tuple(found.loc[("all", "quarrel"), ["meetings", "count"]]) == (5, 10)


# --- what is shown ------------------------------------------------------------------------------------------------


def survey() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make up released means and contrasts of the shipped study's scales."""
    scales = list(shipped()[1].scales)
    about = {"term": "percent_favourable", "estimate": 55.0, "conf_low": 51.0, "conf_high": 59.0}
    places = [(scale, one) for scale in scales for one in ("nhs", "social_work", "all")]
    means = pd.DataFrame([about | {"scale": s, "wave": "phase1_2006", "organisation": o} for s, o in places])
    changed = about | {
        "term": "change_percent_favourable",
        "wave": "phase2_2008 - phase1_2006",
        "decision": "increase",
    }
    return means, pd.DataFrame([changed | {"scale": s, "organisation": o} for s, o in places])


@cache
def material() -> Beside:
    part, presentation = shipped()
    return beside(part, presentation, read_material(part, root=REPOSITORY), *survey(), rule=RULE)


def test_the_shipped_material_is_of_the_report_s_size() -> None:
    sources = material().private["sources"]
    assert sources["stage"].value_counts().to_dict() == {"front_line": 73, "managers": 36}
    assert sources[sources["stage"] == "front_line"]["area"].nunique() == 4
    assert material().private["segments"]["coder"].nunique() == 3
    assert material().private["problems"].empty
    assert set(material().released["themes"]["evidence"]) == {"simulated"}
    assert set(material().released["joint_display"]["evidence"]) == {"simulated"}


def test_the_same_material_gives_the_same_tables() -> None:
    part, presentation = shipped()
    again = beside(part, presentation, read_material(part, root=REPOSITORY), *survey(), rule=RULE)
    for one, other in zip(material(), again, strict=True):
        for name, frame in one.items():
            pd.testing.assert_frame_equal(frame, other[name])


def test_no_source_and_no_coder_is_named_in_what_is_released() -> None:
    for name, frame in material().released.items():
        assert not {"coder", "meeting", "passage"} & set(frame.columns), name
        assert "Interview 0" not in frame.to_csv() and "Researcher" not in frame.to_csv(), name


@pytest.mark.parametrize("name", [one.name for one in INTERVIEW_FIGURES])
def test_each_figure_is_drawn_from_its_released_rows(name: str) -> None:
    presentation = shipped()[1]
    [one] = [
        one for one in of_study(INTERVIEW_FIGURES, presentation, material().released) if one.name == name
    ]
    drawing = draw(one, material().released, presentation)
    svg = svg_of(drawing)
    assert len(drawing.caption.split()) <= 40
    assert ("DEMONSTRATION" in svg) == (name != "timeline"), "the events are those of the report"
    assert drawing.title in svg.replace("\n", " ") or len(drawing.title) > 60


def test_a_study_without_a_framework_has_nothing_to_compare() -> None:
    part, presentation = shipped()
    bare = part.model_copy(update={"principles": {}})
    found = beside(bare, presentation, read_material(part, root=REPOSITORY), *survey(), rule=RULE).released
    assert found["joint_display"].empty and len(found["themes"])
    [one] = [one for one in of_study(INTERVIEW_FIGURES, presentation, found) if one.name == "joint_display"]
    assert draw(one, found, presentation).title == "There is no principle to compare survey and interviews by"
    assert "joint_display" not in {one.name for one, _ in made(found, Labels(presentation), INTERVIEW_TABLES)}


def test_what_is_approximate_looks_approximate() -> None:
    presentation = shipped()[1]
    [one] = [
        one
        for one in of_study(INTERVIEW_FIGURES, presentation, material().released)
        if one.name == "timeline"
    ]
    with mpl.rc_context(RC):
        figure = draw(one, material().released, presentation).figure
    bars = {str(bar.get_gid()).split(":")[1]: bar for axes in figure.axes for bar in axes.patches}
    rows = material().released["timeline"]
    assert set(bars) == set(rows[rows["start"] != ""]["label"])
    for row in rows[rows["start"] != ""].itertuples():
        hollow = bars[row.label].get_facecolor()[:3] == (1.0, 1.0, 1.0)
        assert hollow == row.approximate, row.label
        assert (bars[row.label].get_linestyle() != "solid") == row.approximate, row.label


def test_each_table_says_what_its_rows_say() -> None:
    labels = Labels(shipped()[1])
    tables = {one.name: table for one, table in made(material().released, labels, INTERVIEW_TABLES)}
    assert set(tables) == {one.name for one in INTERVIEW_TABLES}
    first = tables["themes"].rows[0]
    row = material().released["themes"].iloc[0]
    assert first[1].text == f"{row['n']} ({row['percent']:.1f})"
    sections = set(tables["joint_display"].sections)
    assert len(sections) == 6 and all(one.endswith(")") for one in sections)
    seldom = tables["observations"].rows[0][4]
    assert seldom.text == "[c]"


def test_the_output_checker_gets_a_row_for_each_table() -> None:
    figures = {one.name: list(one.reads) for one in INTERVIEW_FIGURES}
    sheet = checklist(material().by_scope(), figures, Disclosure())
    assert {name.split("/")[1].split(".")[0] for name in sheet["output"]} == {*material().released, *figures}
    groups = sheet[sheet["output"].str.contains("themes.csv") & (sheet["scope"] == "groups")].iloc[0]
    assert (groups["status"], groups["smallest_n"]) == ("pass", 15)
    assert "fail" not in set(sheet["status"])
