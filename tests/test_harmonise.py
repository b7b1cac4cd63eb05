"""Harmonising: every column is accounted for, every cell is a value or a reason, nothing is guessed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from situations import STATEMENTS, small_study
from surveywaves.errors import CrosswalkError
from surveywaves.harmonise import REASONS, Harmonised, harmonise, rescaled_scales
from surveywaves.harmonise.labels import label_contradictions
from surveywaves.harmonise.wave import NOT_ASKED_OF
from surveywaves.study import load_study
from surveywaves.study.models import Coding, CrosswalkRow, Layout, RawFile, Routing, VariableSource
from surveywaves.study.parts import HarmonisingPart, Presentation
from surveywaves.terms import INGEST_COLUMNS, UNRESOLVED, Missing

AGREEMENT = {
    "Strongly disagree": 1,
    "Disagree": 2,
    "Neither": 3,
    "Agree": 4,
    "Strongly agree": 5,
    "No opinion": "dont_know",
    "Prefer not to say": "skipped",
    "Not for my job": "not_asked",
    "(left)": "broke_off",
    "two ticks": "invalid",
}
STAFF = {"NHS": "health", "Health Board": "health", "City": "city", "Other": "invalid"}
ITEMS = ("trust_1", "trust_2", "voice_1")


def cells(
    columns: Mapping[str, Sequence[str | None]],
    *,
    layout: str | Sequence[str] = "web",
    source: Sequence[str] | None = None,
) -> pd.DataFrame:
    size = len(next(iter(columns.values())))
    frame = {
        "file": pd.Series(["raw/a.csv"] * size, dtype="str"),
        "row": range(3, size + 3),
        "layout": pd.Series([layout] * size if isinstance(layout, str) else layout, dtype="str"),
        "respondent_source": pd.Series(source or [""] * size, dtype="str"),
    }
    return pd.DataFrame(
        frame | {name: pd.Series(list(values), dtype="str") for name, values in columns.items()}
    )


def part(
    *,
    items: Mapping[str, Mapping[str, str]] | None = None,
    codings: Mapping[str, Coding] | None = None,
    coding_of: Mapping[str, str] | None = None,
    layouts: Mapping[str, Layout] | None = None,
    organisation: VariableSource | str = "city",
    variables: Mapping[str, VariableSource] | None = None,
    known_variables: Sequence[str] = (),
    instrument: Sequence[str] = ITEMS,
    **more: Any,
) -> HarmonisingPart:
    """A wave whose items stand in columns of their own names, unless it is told otherwise."""
    items = {item: {"web": item} for item in instrument} if items is None else items
    coding_of = coding_of or {}
    return HarmonisingPart(
        wave="w1",
        evidence="simulated",
        layouts=layouts or {"web": Layout(format="table", coding="agree")},
        codings={"agree": Coding(response_scale="five", values=AGREEMENT), **(codings or {})},
        crosswalk=tuple(
            CrosswalkRow(
                item=item,
                columns=dict(items.get(item, {})),
                coding=coding_of.get(item),
                comparability=("rescaled" if item in coding_of else "identical")
                if item in items
                else "absent",
            )
            for item in instrument
        ),
        organisation=organisation,
        variables=dict(variables or {}),
        known_variables=tuple(known_variables),
        items=dict.fromkeys(instrument, "five"),
        **more,
    )


def one(
    *labels: str | None, names: Sequence[str] = ITEMS, **options: Any
) -> tuple[dict[str, Any], dict[str, Any], bool]:
    """Harmonise one return; give its values, its reasons and whether it is complete."""
    found = harmonise(
        cells({name: [label] for name, label in zip(names, labels, strict=True)}), part=part(**options)
    )
    values = found.responses.iloc[0].to_dict()
    return values, found.missing.iloc[0].to_dict(), values["complete"]


def reasons(*labels: str | None) -> list[Any]:
    _, why, _ = one(*labels)
    return [why[item] if isinstance(why[item], str) else None for item in ITEMS]


def lines(frame: pd.DataFrame, study: HarmonisingPart, **options: Any) -> list[str]:
    """Harmonise what cannot be harmonised; give what the user is told."""
    with pytest.raises(CrosswalkError) as error:
        harmonise(frame, part=study, **options)
    return str(error.value).splitlines()


def answers(**columns: Sequence[str | None]) -> pd.DataFrame:
    """Returns that agree with everything but what is said of them."""
    size = len(next(iter(columns.values())))
    return cells({**{item: ["Agree"] * size for item in ITEMS}, **columns})


# --- values -----------------------------------------------------------------------------------------------------


def test_values_are_stored_as_worded_under_the_items_name() -> None:
    values, _, complete = one("Strongly agree", "Disagree", "Neither")
    assert [values[item] for item in ITEMS] == [5, 2, 3]
    assert complete


def test_case_spacing_quotes_and_html_do_not_tell_labels_apart() -> None:
    assert one(" strongly  AGREE", "<b>Agree</b>", "Don’t&nbsp;agree", codings={
        "agree": Coding(response_scale="five", values={**AGREEMENT, "don't agree": 2})
    })[0]["voice_1"] == 2  # fmt: skip


def test_columns_and_types_are_those_of_the_contract() -> None:
    found = harmonise(
        answers(job=["Nurse"]),
        part=part(
            known_variables=["profession", "mode"],
            variables={"profession": VariableSource(columns={"web": "job"}, map={"Nurse": "nurse"})},
        ),
    )
    assert list(found.responses) == [
        "wave", "respondent", "evidence", "organisation", "profession", "mode", "complete", "weight", *ITEMS,
    ]  # fmt: skip
    assert list(found.missing) == ["wave", "respondent", "organisation", "profession", "mode", *ITEMS]
    types = found.responses.dtypes.astype("str").to_dict()
    assert {types[name] for name in ("wave", "respondent", "evidence", "organisation", "mode")} == {"str"}
    assert (types["complete"], types["weight"]) == ("bool", "float64")
    assert {types[item] for item in ITEMS} == {"Int8"}
    assert set(found.missing.dtypes[2:]) == {REASONS}
    assert list(found.problems) == ["wave", "file", "row", "column", "value", "problem", "action"]
    assert list(found.recodings) == ["wave", "layout", "column", "variable", "raw", "value", "n"]


def test_respondents_are_numbered_in_the_order_of_the_cells() -> None:
    found = harmonise(answers(trust_1=["Agree"] * 12), part=part())
    assert found.responses["respondent"].iloc[[0, 11]].tolist() == ["w1-000001", "w1-000012"]
    assert found.missing["respondent"].equals(found.responses["respondent"])


def test_nothing_of_the_files_own_identifiers_is_kept() -> None:
    frame = cells({item: ["Agree"] for item in ITEMS}, source=["secret-77"])
    found = harmonise(frame, part=part())
    for table in (found.responses, found.missing, found.problems, found.recodings):
        assert "secret" not in table.to_csv()


def test_dictionary_encoded_cells_give_the_same() -> None:
    frame = answers(
        trust_1=["Agree", None, "two ticks", "Disagree"], voice_1=[None, None, "Agree", " agree "]
    )
    encoded = frame.astype(dict.fromkeys(ITEMS, "category"))
    for one_table, other in zip(
        _tables(harmonise(frame, part=part())), _tables(harmonise(encoded, part=part())), strict=True
    ):
        pd.testing.assert_frame_equal(one_table, other)


# --- missing values ---------------------------------------------------------------------------------------------


def test_a_blank_before_an_answer_is_skipped() -> None:
    assert reasons("Agree", None, "Agree") == [None, "skipped", None]


def test_blanks_after_the_last_answer_are_a_break_off() -> None:
    assert reasons("Agree", None, None) == [None, "broke_off", "broke_off"]


def test_a_return_without_any_answer_broke_off_at_the_start() -> None:
    assert reasons(None, None, None) == ["broke_off"] * 3


@pytest.mark.parametrize(
    ("label", "reason"),
    [("No opinion", "dont_know"), ("two ticks", "invalid"), ("Prefer not to say", "skipped")],
)
def test_who_left_a_mark_was_still_there(label: str, reason: str) -> None:
    assert reasons("Agree", None, label) == [None, "skipped", reason]


@pytest.mark.parametrize(("label", "reason"), [("Not for my job", "not_asked"), ("(left)", "broke_off")])
def test_what_the_software_wrote_does_not_show_that_anybody_was_there(label: str, reason: str) -> None:
    assert reasons("Agree", None, label) == [None, "broke_off", reason]


def test_white_space_is_a_blank() -> None:
    assert reasons("Agree", "   ", "Agree") == [None, "skipped", None]


def test_complete_means_that_no_item_is_a_break_off() -> None:
    assert one("Agree", None, "Agree")[2]
    assert not one("Agree", "Agree", None)[2]
    assert not one("Agree", "(left)", "Agree")[2]


def test_who_leaves_out_only_the_last_question_on_employer_is_complete() -> None:
    options: dict[str, Any] = {"organisation": VariableSource(columns={"web": "employer"}, map=STAFF)}
    _, why, complete = one("Agree", "Agree", "Agree", None, names=[*ITEMS, "employer"], **options)
    assert why["organisation"] == "broke_off"
    assert complete


def test_an_answer_to_a_variable_shows_that_the_return_went_on() -> None:
    options: dict[str, Any] = {"organisation": VariableSource(columns={"web": "employer"}, map=STAFF)}
    _, why, complete = one("Agree", None, None, "City", names=[*ITEMS, "employer"], **options)
    assert [why[item] for item in ITEMS[1:]] == ["skipped", "skipped"]
    assert complete


def test_break_off_follows_the_order_of_the_columns_not_of_the_instrument() -> None:
    frame = cells({"voice_1": ["Agree"], "trust_2": [None], "trust_1": ["Agree"]})
    assert harmonise(frame, part=part()).missing["trust_2"].tolist() == ["skipped"]


def test_an_ignored_comment_does_not_count_as_an_answer() -> None:
    layouts = {"web": Layout(format="table", coding="agree", ignore=("comment",))}
    _, why, _ = one("Agree", None, None, "too long", names=[*ITEMS, "comment"], layouts=layouts)
    assert why["voice_1"] == "broke_off"


def test_an_absent_item_is_not_asked_and_no_break_off() -> None:
    values, why, complete = one("Agree", names=["trust_1"], items={"trust_1": {"web": "trust_1"}})
    assert [why["trust_2"], why["voice_1"]] == ["not_asked", "not_asked"]
    assert pd.isna(values["trust_2"])
    assert complete


def test_a_layout_without_a_column_did_not_ask_the_item() -> None:
    frame = cells(
        {"trust_1": ["Agree", "Agree"], "trust_2": ["Agree", None], "voice_1": ["Agree", None]},
        layout=["web", "paper"],
    )
    layouts = {name: Layout(format="table", coding="agree") for name in ("web", "paper")}
    items = {
        "trust_1": {"web": "trust_1", "paper": "trust_1"},
        "trust_2": {"web": "trust_2"},
        "voice_1": {"web": "voice_1"},
    }
    found = harmonise(frame, part=part(items=items, layouts=layouts))
    assert found.missing["trust_2"].isna().tolist() == [True, False]
    assert found.missing["trust_2"].iloc[1] == "not_asked"
    assert found.responses["complete"].all()


def test_disagreeing_keyings_are_invalid_and_listed() -> None:
    found = harmonise(answers(trust_2=["Agree", UNRESOLVED]), part=part())
    assert found.missing["trust_2"].iloc[1] == "invalid"
    assert found.problems.to_dict("records") == [
        {
            "wave": "w1",
            "file": "raw/a.csv",
            "row": 4,
            "column": "trust_2",
            "value": UNRESOLVED,
            "problem": "the two keyings disagree",
            "action": "set to missing (`invalid`)",
        }
    ]


def test_every_invalid_cell_has_its_row_in_the_order_of_the_file() -> None:
    frame = answers(trust_1=["Agree", "two ticks"], voice_1=["TWO TICKS", "two ticks"], job=["Other", "City"])
    found = harmonise(frame, part=part(organisation=VariableSource(columns={"web": "job"}, map=STAFF)))
    listed = found.problems[["row", "column", "value", "problem"]].to_numpy().tolist()
    assert listed == [
        [3, "voice_1", "TWO TICKS", "invalid by the coding `agree`"],
        [3, "job", "Other", "invalid by the map of `organisation`"],
        [4, "trust_1", "two ticks", "invalid by the coding `agree`"],
        [4, "voice_1", "two ticks", "invalid by the coding `agree`"],
    ]


def test_a_clean_wave_has_no_problems() -> None:
    found = harmonise(answers(trust_1=["Agree"]), part=part())
    assert found.problems.empty
    assert found.problems["row"].dtype == "int64"


def test_a_wave_with_nobody_is_a_problem_and_keeps_its_columns() -> None:
    found = harmonise(answers(trust_1=["Agree"]).iloc[:0], part=part())
    assert found.problems["problem"].tolist() == ["no returns"]
    assert (len(found.responses), len(found.missing)) == (0, 0)
    assert found.responses.dtypes.equals(harmonise(answers(trust_1=["Agree"]), part=part()).responses.dtypes)


# --- organisation, variables, weights ---------------------------------------------------------------------------


def test_several_cells_may_go_to_one_organisation() -> None:
    frame = answers(job=["NHS", "health board", "City", None])
    found = harmonise(frame, part=part(organisation=VariableSource(columns={"web": "job"}, map=STAFF)))
    assert found.responses["organisation"].tolist()[:3] == ["health", "health", "city"]
    assert found.responses["organisation"].isna().tolist() == [False, False, False, True]
    assert found.missing["organisation"].iloc[3] == "broke_off"


def test_one_organisation_for_all_needs_no_column() -> None:
    found = harmonise(answers(trust_1=["Agree", None]), part=part(organisation="city"))
    assert found.responses["organisation"].tolist() == ["city", "city"]
    assert found.missing["organisation"].isna().all()


def test_a_constant_is_the_level_of_every_return_of_its_layout() -> None:
    layouts = {
        name: Layout(format="table", coding="agree", constants={"mode": level})
        for name, level in (("web", "online"), ("paper", "on_paper"))
    }
    frame = cells({item: ["Agree"] * 3 for item in ITEMS}, layout=["web", "paper", "web"])
    items = {item: {"web": item, "paper": item} for item in ITEMS}
    found = harmonise(frame, part=part(items=items, layouts=layouts, known_variables=["mode"]))
    assert found.responses["mode"].tolist() == ["online", "on_paper", "online"]
    assert found.missing["mode"].isna().all()


def test_a_constant_of_a_file_is_the_level_of_its_returns_only() -> None:
    frame = answers(trust_1=["Agree"] * 3).assign(file=["a.csv", "b.csv", "c.csv"])
    files = [
        RawFile(path="a.csv", layout="web", constants={"organisation": "city", "mode": "on_paper"}),
        RawFile(path="b.csv", layout="web", constants={"organisation": "health"}),
    ]
    found = harmonise(frame, part=part(organisation=None, known_variables=["mode"], files=files))
    assert found.responses["organisation"].fillna("").tolist() == ["city", "health", ""]
    assert found.responses["mode"].fillna("").tolist() == ["on_paper", "", ""]
    assert found.missing["mode"].tolist()[1:] == ["not_asked", "not_asked"]


def test_a_variable_that_the_wave_does_not_have_is_a_column_of_not_asked() -> None:
    found = harmonise(answers(trust_1=["Agree"]), part=part(known_variables=["team"]))
    assert found.responses["team"].isna().all()
    assert found.missing["team"].tolist() == ["not_asked"]


def test_two_variables_may_read_one_column() -> None:
    sources = {
        "profession": VariableSource(columns={"web": "job"}, map={"Senior nurse": "nurse", "Nurse": "nurse"}),
        "grade": VariableSource(columns={"web": "job"}, map={"Senior nurse": "senior", "Nurse": "skipped"}),
    }
    found = harmonise(
        answers(job=["Senior nurse", "Nurse"]), part=part(variables=sources, known_variables=list(sources))
    )
    assert found.responses["profession"].tolist() == ["nurse", "nurse"]
    assert found.responses["grade"].iloc[0] == "senior"
    assert found.missing["grade"].iloc[1] == "skipped"


def test_a_variable_may_have_more_levels_than_a_byte_holds() -> None:
    teams = {f"Team {number}": f"team_{number}" for number in range(300)}
    frame = answers(team=list(teams))
    sources = {"team": VariableSource(columns={"web": "team"}, map=teams)}
    found = harmonise(frame, part=part(variables=sources, known_variables=["team"]))
    assert found.responses["team"].tolist() == list(teams.values())


def test_weights_are_numbers_and_1_where_a_layout_has_none() -> None:
    layouts = {"web": Layout(format="table", coding="agree", weight="wt")}
    found = harmonise(answers(wt=["0.5", " 2 ", "1e0"]), part=part(layouts=layouts))
    assert found.responses["weight"].tolist() == [0.5, 2.0, 1.0]
    assert harmonise(answers(trust_1=["Agree"]), part=part()).responses["weight"].tolist() == [1.0]


@pytest.mark.parametrize("bad", ["0", "-1", "heavy", "1,5", "1_000", "inf", "nan", "٣"])
def test_a_weight_that_is_no_number_above_zero_is_refused(bad: str) -> None:
    layouts = {"web": Layout(format="table", coding="agree", weight="wt")}
    assert lines(answers(wt=["1", bad, bad]), part(layouts=layouts)) == [
        f"wave w1, layout web: column `wt`: the weight is `{bad}` in 2 cells, first in raw/a.csv, row 4: not a number "
        "above 0 (hint: weigh these returns, or leave them out with `exclude` of the layout)"
    ]


def test_a_missing_weight_is_refused() -> None:
    layouts = {"web": Layout(format="table", coding="agree", weight="wt")}
    assert lines(answers(wt=["1", None]), part(layouts=layouts)) == [
        "wave w1, layout web: column `wt`: the weight is blank in 1 cell, first in raw/a.csv, row 4: not a number "
        "above 0 (hint: weigh these returns, or leave them out with `exclude` of the layout)"
    ]


def test_a_column_of_words_for_weights_gives_six_lines() -> None:
    layouts = {"web": Layout(format="table", coding="agree", weight="wt")}
    told = lines(answers(wt=[f"word {number}" for number in range(9)]), part(layouts=layouts))
    assert told[5:] == ["wave w1, layout web: column `wt`: 4 more weights that are not numbers above 0"]


# --- other response scales --------------------------------------------------------------------------------------

FOUR = Coding(response_scale="four", values={"1": 1, "2": 2, "3": 3, "4": 4})
FOUR_MAPPED = Coding(response_scale="five", values={"1": 1, "2": 2, "3": 4, "4": 5})


def test_answers_on_another_scale_stand_apart_from_the_item() -> None:
    values, why, _ = one("Agree", "3", "Agree", codings={"four": FOUR}, coding_of={"trust_2": "four"})
    assert pd.isna(values["trust_2"])
    assert why["trust_2"] == "not_asked"
    assert values["trust_2_rescaled"] == 3
    assert list(values)[-1] == list(why)[-1] == "trust_2_rescaled"


def test_a_stated_mapping_brings_them_to_the_item() -> None:
    values, _, _ = one("Agree", "3", "Agree", codings={"four": FOUR_MAPPED}, coding_of={"trust_2": "four"})
    assert values["trust_2"] == 4
    assert "trust_2_rescaled" not in values


def test_a_break_off_at_a_rescaled_item_is_a_break_off() -> None:
    _, why, complete = one("Agree", "Agree", None, codings={"four": FOUR}, coding_of={"voice_1": "four"})
    assert (why["voice_1"], why["voice_1_rescaled"]) == ("not_asked", "broke_off")
    assert not complete


def test_an_item_on_two_other_scales_is_refused() -> None:
    seven = Coding(response_scale="seven", values={str(n): n for n in range(1, 8)})
    layouts = {"web": Layout(format="table", coding="four"), "paper": Layout(format="table", coding="seven")}
    items = {"trust_1": {"web": "trust_1", "paper": "trust_1"}}
    study = part(items=items, layouts=layouts, codings={"four": FOUR, "seven": seven}, instrument=["trust_1"])
    told = (
        "wave w1, layout paper: item trust_1: coded onto `seven`, elsewhere onto `four`, and neither is the "
        "instrument's `five` (hint: let its coding map the answers onto `five`, or leave one out)"
    )
    assert lines(cells({"trust_1": ["1"]}), study) == [told]
    with pytest.raises(CrosswalkError) as error:
        rescaled_scales([study])
    assert str(error.value) == told


def test_rescaled_scales_name_the_scale_of_each_column_in_the_order_of_the_instrument() -> None:
    study = part(codings={"four": FOUR}, coding_of={"voice_1": "four", "trust_1": "four"})
    assert list(rescaled_scales([part(), study]).items()) == [
        ("trust_1_rescaled", "four"),
        ("voice_1_rescaled", "four"),
    ]


# --- columns ----------------------------------------------------------------------------------------------------

MATRIX = "How far do you <b>agree</b> that ... | I trust my colleagues’ judgement"


@pytest.mark.parametrize(
    "name",
    [
        MATRIX,
        "how far do you agree that ... | i trust my colleagues' judgement",
        "I trust my colleagues' judgement",
    ],
)
def test_a_column_goes_by_its_full_name_or_its_row_label(name: str) -> None:
    found = harmonise(
        cells({MATRIX: ["Agree"]}), part=part(items={"trust_1": {"web": name}}, instrument=["trust_1"])
    )
    assert found.responses["trust_1"].tolist() == [4]


def test_a_full_name_goes_before_a_row_label() -> None:
    frame = cells({"Q1 | trust": ["Disagree"], "trust": ["Agree"]})
    study = part(
        items={"trust_1": {"web": "trust"}, "trust_2": {"web": "Q1 | trust"}},
        instrument=["trust_1", "trust_2"],
    )
    assert harmonise(frame, part=study).responses["trust_1"].tolist() == [4]


def test_a_row_label_that_fits_several_columns_is_refused() -> None:
    frame = cells({"Now | trust": ["Agree"], "Before | trust": ["Agree"]})
    layouts = {"web": Layout(format="table", coding="agree", ignore=("Before*", "Now*"))}
    assert lines(
        frame, part(items={"trust_1": {"web": "Trust"}}, instrument=["trust_1"], layouts=layouts)
    ) == [
        "wave w1, layout web: item trust_1: `Trust` fits 2 columns: `Now | trust`, `Before | trust` "
        "(hint: give the full name)"
    ]


def test_an_empty_column_of_the_same_label_is_not_passed_over_silently() -> None:
    frame = cells({"Now | trust": ["Agree"], "Before | trust": [None]})
    study = part(items={"trust_1": {"web": "trust"}}, instrument=["trust_1"])
    assert "`trust` fits 2 columns" in lines(frame, study)[0]


def test_names_that_differ_only_in_case_are_told_to_be_renamed() -> None:
    frame = cells({"trust": ["Agree"], "Trust": ["Agree"]})
    layouts = {"web": Layout(format="table", coding="agree", ignore=("t*",))}
    assert lines(
        frame, part(items={"trust_1": {"web": "trust"}}, instrument=["trust_1"], layouts=layouts)
    ) == [
        "wave w1, layout web: item trust_1: `trust` fits 2 columns: `trust`, `Trust` "
        "(hint: rename one of them in the file)"
    ]


def test_two_layouts_may_use_the_same_row_label() -> None:
    frame = cells({"Q1 | trust": ["Agree", None], "A | trust": [None, "Disagree"]}, layout=["web", "paper"])
    layouts = {name: Layout(format="table", coding="agree") for name in ("web", "paper")}
    study = part(
        items={"trust_1": {"web": "trust", "paper": "trust"}}, instrument=["trust_1"], layouts=layouts
    )
    assert harmonise(frame, part=study).responses["trust_1"].tolist() == [4, 2]


def test_a_column_of_another_layout_needs_no_place_in_this_one() -> None:
    frame = cells({"trust_1": ["Agree", None], "a1": [None, "Disagree"]}, layout=["web", "paper"])
    layouts = {name: Layout(format="table", coding="agree") for name in ("web", "paper")}
    study = part(
        items={"trust_1": {"web": "trust_1", "paper": "a1"}}, instrument=["trust_1"], layouts=layouts
    )
    assert harmonise(frame, part=study).responses["trust_1"].tolist() == [4, 2]


def test_a_mapped_column_that_nobody_answered_is_skipped_not_unknown() -> None:
    found = harmonise(answers(trust_2=[None, None]), part=part())
    assert found.missing["trust_2"].tolist() == ["skipped", "skipped"]


def test_a_name_that_is_not_there_comes_with_the_nearest_column() -> None:
    layouts = {"web": Layout(format="table", coding="agree", ignore=("*",))}
    frame = cells({MATRIX: ["Agree"], "Employer": ["City"]})
    study = part(
        items={"trust_1": {"web": "I trust my colleagues judgment"}}, instrument=["trust_1"], layouts=layouts
    )
    assert lines(frame, study) == [
        "wave w1, layout web: item trust_1: there is no column `I trust my colleagues judgment` "
        f"(hint: did you mean `{MATRIX}`?)"
    ]


def test_a_column_that_is_neither_mapped_nor_ignored_is_named() -> None:
    assert lines(answers(trust_9=["Agree"]), part()) == [
        "wave w1, layout web: column `trust_9` is neither mapped nor ignored "
        "(hint: map it, or list it under `ignore` of the layout)"
    ]


def test_an_empty_column_need_not_be_mentioned() -> None:
    assert len(harmonise(answers(trust_9=[None]), part=part()).responses) == 1


@pytest.mark.parametrize(
    "entry",
    ["Any  COMMENTS? | Open-Ended Response", "open-ended response", "Any comm*", "*", "any comments? | *"],
)
def test_ignore_goes_by_full_name_row_label_or_beginning(entry: str) -> None:
    layouts = {"web": Layout(format="table", coding="agree", ignore=(entry, "no such column"))}
    frame = answers(**{"Any comments? | Open-Ended Response": ["none"]})
    assert len(harmonise(frame, part=part(layouts=layouts)).responses) == 1


def test_ignore_does_not_go_by_a_part_of_a_name() -> None:
    layouts = {"web": Layout(format="table", coding="agree", ignore=("comments", "response"))}
    told = lines(answers(**{"Any comments? | Open-Ended Response": ["none"]}), part(layouts=layouts))
    assert "`Any comments? | Open-Ended Response` is neither mapped nor ignored" in told[0]


def test_a_mapped_column_stays_mapped_though_ignore_covers_it() -> None:
    layouts = {"web": Layout(format="table", coding="agree", ignore=("trust*",))}
    found = harmonise(answers(trust_1=["Agree"]), part=part(layouts=layouts))
    assert found.responses["trust_1"].tolist() == [4]


def test_the_column_of_the_files_own_identifiers_needs_no_mention() -> None:
    frame = cells({**{item: ["Agree"] * 2 for item in ITEMS}, "ID": ["77", "78"]}, source=["77", "78"])
    assert len(harmonise(frame, part=part()).responses) == 2


def test_one_column_for_two_items_is_refused() -> None:
    study = part(items={"trust_1": {"web": "trust_1"}, "trust_2": {"web": "TRUST_1"}}, instrument=ITEMS[:2])
    assert lines(cells({"trust_1": ["Agree"]}), study) == [
        "wave w1, layout web: column `trust_1`: mapped 2 times: item trust_1, item trust_2"
    ]


def test_a_column_that_stands_twice_in_the_cells_is_refused() -> None:
    frame = answers(trust_1=["Agree"])
    frame = pd.concat([frame, frame[["voice_1"]]], axis=1)
    assert lines(frame, part()) == ["wave w1: column `voice_1`: stands 2 times in the cells"]


def test_a_layout_that_the_wave_does_not_have_is_refused() -> None:
    assert lines(cells({item: ["Agree"] for item in ITEMS}, layout="fax"), part()) == [
        "wave w1: its cells have an unknown layout `fax` (hint: known: web)"
    ]


# --- labels -----------------------------------------------------------------------------------------------------


def test_an_unknown_label_is_named_counted_and_found() -> None:
    frame = answers(trust_2=["Agree", "Strongly agre", "Strongly agre"])
    assert lines(frame, part()) == [
        "wave w1, layout web: column `trust_2`: unknown label `Strongly agre` in 2 cells, first in raw/a.csv, row 4 "
        "(hint: did you mean `Strongly agree`? add it to the coding `agree` if it is an option; if it "
        "is somebody's own words, `others: invalid` there takes it without writing it down)"
    ]


def test_an_unknown_organisation_is_an_error_too() -> None:
    study = part(organisation=VariableSource(columns={"web": "job"}, map=STAFF))
    assert lines(answers(job=["City", "Zzz"]), study) == [
        "wave w1, layout web: column `job`: unknown label `Zzz` in 1 cell, first in raw/a.csv, row 4 "
        "(hint: add it to the map of `organisation` if it is an option; if it is somebody's own words, "
        "`others: invalid` there takes it without writing it down)"
    ]


def test_a_comment_column_mapped_by_mistake_gives_six_lines() -> None:
    told = lines(answers(voice_1=[f"I think {'so ' * 50}{number}" for number in range(40)]), part())
    assert len(told) == 6
    assert max(map(len, told)) < 300
    assert told[5] == (
        "wave w1, layout web: column `voice_1`: 35 more unknown labels in 35 cells (hint: is this the right column?)"
    )


def test_a_coding_that_contradicts_itself_is_refused() -> None:
    coding = Coding(response_scale="five", values={"Agree": 4, "AGREE ": 5})
    assert lines(answers(trust_1=["Agree"]), part(codings={"agree": coding})) == [
        "wave w1: coding `agree`: `Agree` and `AGREE ` are the same label with two meanings "
        "(hint: case, spacing and quote style do not count)"
    ]


def test_a_meaning_for_the_empty_cell_is_refused() -> None:
    study = part(organisation=VariableSource(columns={"web": "job"}, map={**STAFF, " ": "city"}))
    assert lines(answers(job=["City"]), study) == [
        "wave w1: map of `organisation`: gives a meaning to the empty cell "
        "(hint: a blank is always `skipped`, or `broke_off` at the end of a return; drop the line)"
    ]


def test_all_mistakes_are_told_at_once_in_the_order_of_the_columns() -> None:
    frame = cells({"trust_1": ["Agre"], "trust_2": ["Disagre"], "extra": ["x"], "wt": ["0"]})
    layouts = {"web": Layout(format="table", coding="agree", weight="wt")}
    told = lines(frame, part(layouts=layouts))
    assert [line.split(": ", 1)[1].split(" (hint")[0] for line in told] == [
        "item voice_1: there is no column `voice_1`",
        "column `extra` is neither mapped nor ignored",
        "column `wt`: the weight is `0` in 1 cell, first in raw/a.csv, row 3: not a number above 0",
        "column `trust_1`: unknown label `Agre` in 1 cell, first in raw/a.csv, row 3",
        "column `trust_2`: unknown label `Disagre` in 1 cell, first in raw/a.csv, row 3",
    ]


@pytest.mark.parametrize("cell", ["<Refused>", "<NA>", "<b>", "<br>", "&nbsp;", "N/A", "."])
def test_only_what_is_empty_before_folding_is_blank(cell: str) -> None:
    assert f"unknown label `{cell}` in 1 cell" in lines(answers(trust_1=["Agree", cell]), part())[0]
    known = {"agree": Coding(response_scale="five", values={**AGREEMENT, cell: "dont_know"})}
    assert harmonise(answers(trust_1=[cell]), part=part(codings=known)).missing["trust_1"].tolist() == [
        "dont_know"
    ]


def test_two_ticks_are_named_as_such() -> None:
    codes = {"agree": Coding(response_scale="five", values={**AGREEMENT, "4": 4, "5": 5})}
    told = lines(answers(trust_1=["4,5"], voice_1=["Agree; Disagree"]), part(codings=codes))
    assert all("hint: two ticks are `invalid`" in line for line in told)
    assert len(told) == 2


AGES = {"<18": "invalid", "18-29": "young", "30-64": "middle", "65+": "old", "no answer": "skipped"}


def aged(*labels: str, ages: Mapping[str, str] = AGES, **more: Any) -> list[str]:
    """Give the levels of ages, or the reasons why there are none."""
    variables = {"age": VariableSource(columns={"web": "age"}, map=ages, **more)}
    found = harmonise(answers(age=labels), part=part(variables=variables, known_variables=["age"]))
    return [
        level if isinstance(level, str) else why
        for level, why in zip(found.responses["age"], found.missing["age"], strict=True)
    ]


def test_a_range_of_a_map_holds_numbers_both_ends_included() -> None:
    assert aged("17", "18", "29.0", "30", "64", "65", "101", "no answer", "18-29") == [
        "invalid", "young", "young", "middle", "middle", "old", "old", "skipped", "young",
    ]  # fmt: skip
    assert aged("20", "29", "30", ages={"<=20": "young", ">20": "old"}) == ["young", "old", "old"]


def test_a_number_with_a_line_of_its_own_is_in_no_range() -> None:
    assert aged("44", "99", ages={**AGES, "99": "dont_know"}) == ["middle", "dont_know"]


@pytest.mark.parametrize(
    "labels",
    [
        ("1", "2", "3", "4"),  # the numbers of the lines
        ("18-29", "30-64", "45"),  # beside ranges that are answers themselves
        ("29.5", "40"),  # between two ranges
        ("20-25", "40"),
    ],
)
def test_what_may_be_no_number_for_a_range_is_named(labels: Sequence[str]) -> None:
    with pytest.raises(CrosswalkError, match="unknown label"):
        aged(*labels)


def test_a_number_in_two_ranges_is_named_and_others_take_what_no_range_holds() -> None:
    with pytest.raises(CrosswalkError, match=r"unknown label `30` .* two do"):
        aged("20", "30", ages={"18-30": "young", "30-64": "old"})
    assert aged("5", "20", "200", "x", ages={"18-30": "young"}, others="invalid") == [
        "invalid", "young", "invalid", "invalid",
    ]  # fmt: skip


# --- what a file says of its codes ------------------------------------------------------------------------------


def contradictions(folder: Path, **labels: str) -> list[str]:
    """Hold labels of the codes of the first statement, and of gender, against 1 to 5 ascending, 1 = woman, 2 = man."""
    coding = {"response_scale": "agree5", "values": {str(value): value for value in range(1, 6)}}
    gender = {"columns": {"table": "Gender"}, "map": {"1": "woman", "2": "man", "3": "invalid"}}
    small_study(folder, wave={"codings": {"agreement": coding}, "variables": {"gender": gender}})
    study = load_study(folder / "config")
    statement, other = (list(STATEMENTS.values())[place] for place in (0, 1))
    said = {key.removeprefix("_"): label for key, label in labels.items()}
    rows = [("table", column, *pair) for column in (statement, other, "Gender") for pair in said.items()]
    table = pd.DataFrame(rows, columns=["layout", "column", "code", "label"], dtype="str")
    words, wave = Presentation.of(study), HarmonisingPart.of(study, study.wave("w1"))
    return [str(mistake) for mistake in label_contradictions(words, wave, table)]


def test_a_label_that_contradicts_a_coding_is_named_once_for_all_columns(tmp_path: Path) -> None:
    assert contradictions(tmp_path, _1="Strongly agree", _2="disagree.") == [
        "wave w1, layout table: column `My colleagues help me when work piles up.` and 1 more: the file calls `1` "
        "“Strongly agree”, and it is 1 (“Strongly disagree”) in the coding `agreement` "
        "(hint: mend the coding `agreement`; where the labels are wrong, mend them in the file)"
    ]


def test_a_label_that_contradicts_a_map_is_named(tmp_path: Path) -> None:
    assert ["`1` “Man”, and it is woman (“Woman”) in the map of `gender`" in line
            for line in contradictions(tmp_path, _1="Man")] == [True]  # fmt: skip


def test_a_label_of_two_codes_or_of_no_option_contradicts_nothing(tmp_path: Path) -> None:
    labels = {"_1": "Agree", "_2": "Agree", "_3": "Woman", "_4": "lowest", "_9": "Strongly agree"}
    assert contradictions(tmp_path, **labels) == []


# --- routing ----------------------------------------------------------------------------------------------------

ROLE = {
    "role": VariableSource(columns={"web": "role"}, map={"Boss": "boss", "Staff": "staff", "?": "dont_know"})
}
OF_BOSSES = Routing(items=["voice_1"], asked_of={"role": ["boss"]})
LEADS = VariableSource(columns={"web": "leads"}, map={"Yes": "asked", "No": "not_asked", "?": "dont_know"})


def routed(frame: pd.DataFrame, *routing: Routing, **options: Any) -> Harmonised:
    known = {"variables": ROLE, "known_variables": ["role"], "routing": routing}
    return harmonise(frame, part=part(**{**known, **options}))


def asked(frame: pd.DataFrame, *routing: Routing, item: str = "voice_1", **options: Any) -> list[Any]:
    """Return the values of an item, or why they are missing, with a star if the return is not complete."""
    found = routed(frame, *routing, **options)
    values = [
        why if isinstance(why, str) else value
        for value, why in zip(found.responses[item], found.missing[item], strict=True)
    ]
    return [
        one if whole else f"{one}*" for one, whole in zip(values, found.responses["complete"], strict=True)
    ]


def people(**columns: Sequence[str | None]) -> pd.DataFrame:
    """Make returns in the order of a questionnaire: two statements, the filter, the statement that it filters."""
    last = columns.pop("voice_1")
    size = len(last)
    return cells({"trust_1": ["Agree"] * size, "trust_2": ["Agree"] * size, **columns, "voice_1": last})


def test_who_was_not_asked_has_not_skipped_and_not_broken_off() -> None:
    frame = people(role=["Boss", "Boss", "Staff"], voice_1=["Agree", None, None])
    assert asked(frame, OF_BOSSES) == [4, "broke_off*", "not_asked"]
    assert asked(frame) == [4, "broke_off*", "broke_off*"]


def test_of_whom_it_is_not_known_a_blank_and_an_answer_stay_what_they_are() -> None:
    frame = people(role=[None, "?", None, "?"], voice_1=[None, None, "Agree", "Agree"])
    assert asked(frame, OF_BOSSES) == ["broke_off*", "broke_off*", 4, 4]


def test_an_answer_of_somebody_who_was_not_asked_is_set_aside_and_listed() -> None:
    frame = people(role=["Staff", "Staff", "Boss"], voice_1=["Agree", "two ticks", "Agree"])
    found = routed(frame, OF_BOSSES)
    assert asked(frame, OF_BOSSES) == ["not_asked", "not_asked", 4]
    assert found.problems[["row", "column", "value", "problem", "action"]].to_numpy().tolist() == [
        [row, "voice_1", value, NOT_ASKED_OF, "set to missing (`not_asked`)"]
        for row, value in ((3, "Agree"), (4, "two ticks"))
    ]
    assert found.recodings.query("column == 'voice_1'")[["raw", "value", "n"]].to_numpy().tolist() == [
        ["Agree", "4", 1], ["Agree", "not_asked", 1], ["two ticks", "not_asked", 1],
    ]  # fmt: skip


def test_a_code_for_no_answer_of_somebody_who_was_not_asked_is_no_problem() -> None:
    frame = people(role=["Staff", "Staff"], voice_1=["Prefer not to say", "Not for my job"])
    assert routed(frame, OF_BOSSES).problems.empty
    assert asked(frame, OF_BOSSES) == ["not_asked", "not_asked"]


def test_an_answer_that_is_set_aside_shows_that_somebody_was_still_there() -> None:
    frame = cells({"trust_1": ["Agree"], "role": ["Staff"], "trust_2": [None], "voice_1": ["Agree"]})
    assert asked(frame, OF_BOSSES, item="trust_2") == ["skipped"]


def test_who_broke_off_before_it_was_decided_has_broken_off() -> None:
    frame = cells({"trust_1": ["Agree"], "trust_2": [None], "role": [None], "voice_1": [None]})
    assert asked(frame, OF_BOSSES) == ["broke_off*"]


def test_a_filter_question_need_not_be_a_variable() -> None:
    route = Routing(items=["voice_1"], filter=LEADS)
    frame = people(leads=["Yes", "No", "?", None], voice_1=[None] * 4)
    found = harmonise(frame, part=part(routing=[route]))
    assert found.missing["voice_1"].tolist() == ["broke_off", "not_asked", "broke_off", "broke_off"]
    assert found.recodings.query("column == 'leads'")[["variable", "raw", "value", "n"]].to_numpy().tolist() == [
        ["routing.0", "Yes", "asked", 1], ["routing.0", "No", "not_asked", 1],
        ["routing.0", "?", "dont_know", 1], ["routing.0", "", "broke_off", 1],
    ]  # fmt: skip
    assert "routing.0" not in found.responses


def test_an_answer_to_a_filter_shows_that_somebody_was_still_there() -> None:
    route = Routing(items=["voice_1"], filter=LEADS)
    frame = cells({"trust_1": ["Agree"], "trust_2": [None], "leads": ["No"], "voice_1": [None]})
    assert asked(frame, route, item="trust_2", variables={}, known_variables=()) == ["skipped"]


def test_a_cell_that_the_map_of_a_filter_does_not_know_is_named() -> None:
    frame = people(leads=["yes", "Perhaps"], voice_1=[None] * 2)
    assert lines(frame, part(routing=[Routing(items=["voice_1"], filter=LEADS)])) == [
        "wave w1, layout web: column `leads`: unknown label `Perhaps` in 1 cell, first in raw/a.csv, row 4 (hint: "
        "add it to the map of `routing.0.filter` if it is an option; if it is somebody's own words, `others: "
        "invalid` there takes it without writing it down)"
    ]


def test_a_filter_whose_column_is_not_there_is_named() -> None:
    assert lines(people(voice_1=[None]), part(routing=[Routing(items=["voice_1"], filter=LEADS)])) == [
        "wave w1, layout web: routing.0: there is no column `leads` (hint: columns go by full name or by row label)"
    ]


def test_an_item_can_decide_by_its_values_and_several_conditions_must_all_hold() -> None:
    route = Routing(items=["voice_1"], asked_of={"trust_1": [1, 2], "role": ["boss"]})
    frame = cells(
        {
            "trust_1": ["Disagree", "Disagree", "Agree", None],
            "trust_2": ["Agree"] * 4,
            "role": ["Boss", "Staff", "Boss", "Boss"],
            "voice_1": [None] * 4,
        }
    )
    assert asked(frame, route) == ["broke_off*", "not_asked", "not_asked", "broke_off*"]


def test_who_was_not_asked_what_decides_was_not_asked_what_it_decides_about() -> None:
    routes = [
        Routing(items=["trust_2"], asked_of={"role": ["boss"]}),
        Routing(items=["voice_1"], asked_of={"trust_2": [4, 5]}),
    ]
    frame = cells(
        {
            "trust_1": ["Agree"] * 4,
            "role": ["Staff", "Staff", "Boss", "Boss"],
            "trust_2": [None, "Agree", "Agree", "Disagree"],
            "voice_1": [None] * 4,
        }
    )
    assert asked(frame, *routes) == ["not_asked", "not_asked", "broke_off*", "not_asked"]


def test_a_variable_that_not_everybody_was_asked_is_not_asked_of_the_others() -> None:
    frame = answers(trust_1=["Agree", "Disagree"], role=[None, None])
    assert asked(frame, Routing(items=["role"], asked_of={"trust_1": [4]}), item="role") == [
        "broke_off",
        "not_asked",
    ]


def test_a_constant_can_decide() -> None:
    layouts = {
        name: Layout(format="table", coding="agree", constants={"mode": name}) for name in ("web", "paper")
    }
    frame = cells({**dict.fromkeys(ITEMS, ["Agree"] * 2), "voice_1": [None] * 2}, layout=["web", "paper"])
    items = {item: dict.fromkeys(layouts, item) for item in ITEMS}
    route = Routing(items=["voice_1"], asked_of={"mode": ["web"]})
    options = {"layouts": layouts, "items": items, "variables": {}, "known_variables": ["mode"]}
    assert asked(frame, route, **options) == ["broke_off*", "not_asked"]


def test_answers_on_another_response_scale_are_routed_with_their_item() -> None:
    codings = {"three": Coding(response_scale="three", values={"no": 1, "yes": 3})}
    frame = people(role=["Staff", "Boss"], voice_1=["yes", "no"])
    options = {"codings": codings, "coding_of": {"voice_1": "three"}}
    assert asked(frame, OF_BOSSES, item="voice_1_rescaled", **options) == ["not_asked", 1]


# --- recodings --------------------------------------------------------------------------------------------------


def test_recodings_say_what_became_of_every_raw_cell() -> None:
    frame = answers(trust_1=["agree", "Agree", None, "two ticks"], voice_1=["Agree", None, "Disagree", None])
    found = harmonise(frame, part=part()).recodings
    assert set(found["wave"]) == {"w1"}
    assert set(found["layout"]) == {"web"}
    rows = found.loc[found["column"] != "trust_2", ["column", "variable", "raw", "value", "n"]]
    assert rows.to_numpy().tolist() == [
        ["trust_1", "trust_1", "Agree", "4", 1],
        ["trust_1", "trust_1", "agree", "4", 1],
        ["trust_1", "trust_1", "two ticks", "invalid", 1],
        ["trust_1", "trust_1", "", "skipped", 1],
        ["voice_1", "voice_1", "Disagree", "2", 1],
        ["voice_1", "voice_1", "Agree", "4", 1],
        ["voice_1", "voice_1", "", "broke_off", 2],
    ]


def test_recodings_name_levels_and_rescaled_columns() -> None:
    study = part(
        codings={"four": FOUR},
        coding_of={"trust_2": "four"},
        organisation=VariableSource(columns={"web": "job"}, map=STAFF),
    )
    found = harmonise(answers(trust_2=["3"], job=["Health Board"]), part=study).recodings
    assert ["trust_2", "trust_2_rescaled", "3", "3", 1] in found.iloc[:, 2:].to_numpy().tolist()
    assert ["job", "organisation", "Health Board", "health", 1] in found.iloc[:, 2:].to_numpy().tolist()


# --- whatever comes ---------------------------------------------------------------------------------------------

LABELS = st.sampled_from([None, *AGREEMENT, "agree ", UNRESOLVED])
EMPLOYERS = st.sampled_from([None, *STAFF, UNRESOLVED])
RETURN = st.tuples(st.sampled_from(["web", "paper"]), EMPLOYERS, *[LABELS] * 4)


def _tables(found: Harmonised) -> list[pd.DataFrame]:
    return [found.responses, found.missing, found.problems, found.recodings]


def _any_wave(returns: list[tuple[str | None, ...]]) -> tuple[pd.DataFrame, Harmonised]:
    """Two layouts with columns of their own; paper lacks `voice_1`, and keeps `trust_2` on four points.

    Respondents known not to work for `health` were not asked `trust_2` and `voice_2`.
    """
    names = ["layout", "employer", "a", "b", "c", "x"]
    raw = pd.DataFrame(returns, columns=names, dtype="str")
    web = raw["layout"] == "web"
    frame = cells(
        {
            "employer": raw["employer"],
            "a": raw["a"],
            "b": raw["b"].where(web),
            "c": raw["c"].where(web),
            "p": raw["x"].where(~web).map({"Agree": "3", UNRESOLVED: UNRESOLVED}),
        },
        layout=raw["layout"].tolist(),
    )
    layouts = {
        "web": Layout(format="table", coding="agree"),
        "paper": Layout(format="table", coding="agree", constants={"mode": "on_paper"}),
    }
    study = part(layouts=layouts, codings={"four": FOUR}, known_variables=["mode", "team"]).model_copy(
        update={
            "crosswalk": (
                CrosswalkRow(item="trust_1", columns={"web": "a", "paper": "a"}, comparability="identical"),
                CrosswalkRow(item="trust_2", columns={"paper": "p"}, coding="four", comparability="rescaled"),
                CrosswalkRow(item="voice_1", columns={"web": "c"}, comparability="reworded"),
                CrosswalkRow(item="voice_2", columns={"web": "b"}, comparability="identical"),
                CrosswalkRow(item="voice_3", columns={}, comparability="absent"),
            ),
            "items": dict.fromkeys(["trust_1", "trust_2", "voice_1", "voice_2", "voice_3"], "five"),
            "organisation": VariableSource(columns={"web": "employer", "paper": "employer"}, map=STAFF),
            "routing": (Routing(items=["trust_2", "voice_2"], asked_of={"organisation": ["health"]}),),
        }
    )
    return frame, harmonise(frame, part=study)


@settings(max_examples=40, deadline=None)
@given(st.lists(RETURN, min_size=1, max_size=12))
def test_every_cell_is_a_value_or_a_reason_and_no_row_is_lost(returns: list[tuple[str | None, ...]]) -> None:
    frame, found = _any_wave(returns)
    responses, missing = found.responses, found.missing
    assert len(frame) == len(responses) == len(missing)
    assert responses["respondent"].is_unique
    names = list(missing.columns[2:])
    assert set(names) == set(responses.columns) - {"wave", "respondent", "evidence", "complete", "weight"}
    assert (responses[names].notna().to_numpy() ^ missing[names].notna().to_numpy()).all()
    items = [name for name in names if name.startswith(("trust", "voice"))]
    assert responses["complete"].equals(~(missing[items] == "broke_off").any(axis=1))
    for name in items:
        assert responses[name].dropna().between(1, 5).all()


@settings(max_examples=40, deadline=None)
@given(st.lists(RETURN, min_size=1, max_size=12))
def test_recodings_account_for_every_cell_and_every_value(returns: list[tuple[str | None, ...]]) -> None:
    frame, found = _any_wave(returns)
    recodings = found.recodings
    by_layout = frame["layout"].value_counts()
    for (layout, _, _), n in recodings.groupby(["layout", "column", "variable"])["n"].sum().items():
        assert n == by_layout[layout]
    for variable, rows in recodings.groupby("variable"):
        values = found.responses[variable].astype("str").where(found.responses[variable].notna())
        what = values.fillna(found.missing[variable].astype("str"))
        expected = what.value_counts().drop(labels=["not_asked"], errors="ignore").to_dict()
        counted = rows.groupby("value")["n"].sum().drop(labels=["not_asked"], errors="ignore").to_dict()
        assert counted == expected


@settings(max_examples=40, deadline=None)
@given(st.lists(RETURN, min_size=1, max_size=12))
def test_problems_and_invalid_cells_are_as_many(returns: list[tuple[str | None, ...]]) -> None:
    _, found = _any_wave(returns)
    names = list(found.missing.columns[2:])
    answered = found.problems["problem"] == NOT_ASKED_OF
    assert (~answered).sum() == int((found.missing[names] == "invalid").to_numpy().sum())
    assert set(found.problems.loc[answered, "action"]) <= {"set to missing (`not_asked`)"}


@settings(max_examples=40, deadline=None)
@given(st.lists(RETURN, min_size=1, max_size=12))
def test_who_was_not_asked_is_not_asked_whatever_stands_there(returns: list[tuple[str | None, ...]]) -> None:
    _, found = _any_wave(returns)
    elsewhere = found.responses["organisation"] == "city"
    assert (found.missing.loc[elsewhere, ["voice_2", "trust_2_rescaled"]] == "not_asked").all(axis=None)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(LABELS, min_size=3, max_size=3), min_size=1, max_size=8))
def test_reasons_are_those_of_a_plain_reading_cell_by_cell(rows: list[list[str | None]]) -> None:
    frame = cells(dict(zip(ITEMS, zip(*rows, strict=True), strict=True)))
    found = harmonise(frame, part=part())
    for place, row in enumerate(rows):
        there = [label is not None and label not in ("Not for my job", "(left)") for label in row]
        for number, (item, label) in enumerate(zip(ITEMS, row, strict=True)):
            value, reason = found.responses[item].iloc[place], found.missing[item].iloc[place]
            if label is None:
                assert reason == ("skipped" if any(there[number + 1 :]) else "broke_off")
            elif label == UNRESOLVED:
                assert reason == "invalid"
            else:
                meant = AGREEMENT[label.strip().capitalize() if label == "agree " else label]
                assert meant == (value if isinstance(meant, int) else reason)


def test_every_reason_there_is_has_a_category() -> None:
    assert list(REASONS.categories) == [reason.value for reason in Missing]


def test_the_test_cells_are_laid_out_as_ingest_lays_them_out() -> None:
    assert tuple(cells({"a": ["x"]}).columns[:4]) == INGEST_COLUMNS
