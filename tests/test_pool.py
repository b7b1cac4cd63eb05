"""Pooling: no respondent is lost or doubled, and the codebook names every column."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surveywaves.errors import CrosswalkError
from surveywaves.harmonise import REASONS, Harmonised, harmonise
from surveywaves.pool import Pooled, codebook, pool, questions
from surveywaves.study import load_study
from surveywaves.study.models import (
    Coding,
    CrosswalkRow,
    FigureStyle,
    Item,
    Layout,
    Population,
    ResponseScale,
    Scale,
    Variable,
)
from surveywaves.study.parts import HarmonisingPart, Presentation, WaveWords
from surveywaves.terms import Evidence

ITEMS = ("trust_1", "trust_2")


def part(
    wave: str, *, other: dict[str, str] | None = None, items: tuple[str, ...] = ITEMS
) -> HarmonisingPart:
    """A wave; `other`: item -> response scale that is not the instrument's."""
    other = other or {}
    codings = {
        scale: Coding(response_scale=scale, values={str(value): value for value in range(1, points + 1)})
        for scale, points in (("five", 5), ("four", 4), ("seven", 7))
    }
    return HarmonisingPart(
        wave=wave,
        evidence="simulated",
        layouts={"csv": Layout(format="table")},
        codings=codings,
        crosswalk=tuple(
            CrosswalkRow(
                item=item,
                columns={"csv": item},
                coding=other.get(item, "five"),
                comparability="rescaled" if item in other else "identical",
            )
            for item in items
        ),
        organisation="city",
        variables={},
        known_variables=("mode",),
        items=dict.fromkeys(items, "five"),
    )


def wave(
    name: str,
    answers: list[str | None],
    *,
    other: dict[str, str] | None = None,
    items: tuple[str, ...] = ITEMS,
) -> Harmonised:
    size = len(answers)
    text = {"file": ["f"] * size, "layout": ["csv"] * size, "respondent_source": [""] * size}
    frame = pd.DataFrame(text | dict.fromkeys(items, answers), dtype="str")
    frame.insert(1, "row", range(2, size + 2))
    return harmonise(frame, part=part(name, other=other, items=items))


def pooled(*waves: Harmonised) -> Pooled:
    return pool([one.responses for one in waves], [one.missing for one in waves])


def test_waves_stand_under_each_other_in_the_order_given() -> None:
    found = pooled(wave("second", ["1"]), wave("first", ["2", None]))
    assert found.responses["wave"].tolist() == ["second", "first", "first"]
    assert found.responses["wave"].dtype == "str"
    assert found.missing["respondent"].tolist() == found.responses["respondent"].tolist()
    assert found.responses["trust_1"].dtype == "Int8"
    assert found.missing["trust_1"].dtype == REASONS


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.sampled_from(["1", "5", None]), max_size=4), min_size=1, max_size=4))
def test_rows_in_are_rows_out_and_every_cell_is_a_value_or_a_reason(waves: list[list[str | None]]) -> None:
    made = [
        wave(f"w{number}", answers, other={"trust_2": "seven"} if number % 2 else None)
        for number, answers in enumerate(waves)
    ]
    found = pooled(*made)
    assert len(found.responses) == len(found.missing) == sum(map(len, waves))
    assert found.responses["respondent"].is_unique
    names = list(found.missing.columns[2:])
    assert (found.responses[names].notna().to_numpy() ^ found.missing[names].notna().to_numpy()).all()


def test_a_wave_comes_through_unchanged() -> None:
    alone = wave("w1", ["1", None, "4"])
    beside = pooled(alone, wave("w2", ["2"])).responses.query("wave == 'w1'")
    pd.testing.assert_frame_equal(beside, alone.responses)


def test_a_rescaled_item_of_one_wave_is_not_asked_in_the_others() -> None:
    first, second = wave("w1", ["1"]), wave("w2", ["3"], other={"trust_2": "seven"})
    found = pooled(first, second)
    assert list(found.responses)[-1] == list(found.missing)[-1] == "trust_2_rescaled"
    assert found.responses["trust_2_rescaled"].tolist() == [pd.NA, 3]
    assert found.responses["trust_2_rescaled"].dtype == "Int8"
    assert found.missing["trust_2_rescaled"].iloc[0] == "not_asked"


def test_rescaled_columns_stand_in_the_order_of_the_items() -> None:
    first, second = wave("w1", ["1"], other={"trust_2": "four"}), wave("w2", ["3"], other={"trust_1": "four"})
    for one, other in ((first, second), (second, first)):
        assert list(pooled(one, other).responses)[-2:] == ["trust_1_rescaled", "trust_2_rescaled"]


def test_what_was_written_to_parquet_pools_to_the_same(tmp_path: Path) -> None:
    made = [wave("w1", ["1", None]), wave("w2", [None, "3"], other={"trust_1": "four"}), wave("w3", [])]
    read = []
    for number, one in enumerate(made):
        for kind, frame in (("r", one.responses), ("m", one.missing)):
            frame.to_parquet(tmp_path / f"{kind}{number}", index=False)
        read.append([pd.read_parquet(tmp_path / f"{kind}{number}") for kind in "rm"])
    found, expected = pool([r for r, _ in read], [m for _, m in read]), pooled(*made)
    pd.testing.assert_frame_equal(found.responses, expected.responses)
    pd.testing.assert_frame_equal(found.missing, expected.missing)


def test_frames_that_do_not_belong_together_are_an_error_of_the_caller() -> None:
    one, other = wave("w1", ["1", "2"]), wave("w1", ["1"])
    with pytest.raises(ValueError, match="do not belong"):
        pool([one.responses], [other.missing])
    with pytest.raises(ValueError, match=r"'w2'.*do not belong"):
        pooled(wave("w1", ["1"]), wave("w2", ["2"], items=ITEMS[::-1]))


def test_no_wave_or_a_missing_frame_is_an_error_of_the_caller() -> None:
    with pytest.raises(ValueError, match="0 frames of responses and 0 of reasons"):
        pool([], [])
    with pytest.raises(ValueError, match="1 frames of responses and 0 of reasons"):
        pool([wave("w1", ["1"]).responses], [])


# --- codebook ---------------------------------------------------------------------------------------------------


def presentation() -> Presentation:
    def words(title: str, **grades: str) -> WaveWords:
        return WaveWords(
            title=title,
            period="",
            start=None,
            end=None,
            population=Population(),
            evidence=Evidence.SIMULATED,
            evidence_note="",
            variable_evidence={},
            organisations_surveyed=("city",),
            comparability=grades,
        )

    def scale(points: int) -> ResponseScale:
        labels = tuple(f"Option {value}" for value in range(1, points + 1))
        return ResponseScale(labels=labels, short=labels, favourable=(points,))

    return Presentation(
        title="",
        description="",
        reference_wave="w1",
        waves={
            "w1": words("Wave 1", trust_1="identical", trust_2="identical"),
            "w2": words("Wave 2", trust_1="rescaled"),
        },
        organisations={"city": "City Council"},
        variables={"mode": Variable(label="How answered", levels={"web": "Web", "paper": "Paper"})},
        sections={1: "One"},
        scales={"trust": Scale(scale="trust", title="Trust")},
        items={
            "trust_1": Item(
                item="trust_1", text="I trust them.", section=1, scale="trust", response_scale="five"
            ),
            "trust_2": Item(
                item="trust_2", text="I doubt them.", section=1, keyed="-", response_scale="five"
            ),
        },
        response_scales={"five": scale(5), "four": scale(4), "seven": scale(7)},
        events=(),
        citation="",
        confidence=0.95,
        covariates=(),
        min_cell=5,
        style=FigureStyle(),
    )


def test_the_codebook_has_one_row_a_column_in_their_order() -> None:
    parts = [part("w1"), part("w2", other={"trust_1": "four"})]
    found = codebook(presentation(), parts=parts)
    data = pooled(wave("w1", ["1"]), wave("w2", ["2"], other={"trust_1": "four"})).responses
    assert found["variable"].tolist() == list(data)
    assert list(found) == ["variable", "kind", "label", "values", "section", "scale", "keyed", "w1", "w2"]
    assert set(found["kind"]) == {"id", "group", "item", "rescaled_item", "weight"}
    assert set(found.dtypes.astype("str")) == {"str"}
    assert not found.isna().to_numpy().any()


def test_the_codebook_gives_words_values_and_grades() -> None:
    found = codebook(presentation(), parts=[part("w2", other={"trust_1": "four"})]).set_index("variable")
    five = "1=Option 1; 2=Option 2; 3=Option 3; 4=Option 4; 5=Option 5"
    assert found.loc["trust_1"].tolist() == [
        "item",
        "I trust them.",
        five,
        "1",
        "trust",
        "+",
        "identical",
        "rescaled",
    ]
    assert found.loc["trust_2"].tolist() == [
        "item",
        "I doubt them.",
        five,
        "1",
        "",
        "-",
        "identical",
        "absent",
    ]
    four = "1=Option 1; 2=Option 2; 3=Option 3; 4=Option 4"
    rescaled = ["rescaled_item", "I trust them.", four, "1", "trust", "+", "", "rescaled"]
    assert found.loc["trust_1_rescaled"].tolist() == rescaled
    assert found.loc["mode", ["kind", "label", "values"]].tolist() == [
        "group",
        "How answered",
        "web=Web; paper=Paper",
    ]
    assert found.loc["organisation", "values"] == "city=City Council"
    assert found.loc["wave", "values"] == "w1=Wave 1; w2=Wave 2"


def test_a_rescaled_item_on_two_scales_is_refused() -> None:
    parts = [part("w1", other={"trust_1": "seven"}), part("w2", other={"trust_1": "four"})]
    with pytest.raises(
        CrosswalkError, match="wave w2, layout csv: item trust_1: coded onto `four`, elsewhere onto `seven`"
    ):
        codebook(presentation(), parts=parts)


def test_every_item_and_wave_has_its_wording() -> None:
    presentation = Presentation.of(load_study(Path(__file__).parent.parent / "config"))
    found = questions(presentation).set_index(["item", "wave"])
    assert len(found) == len(presentation.items) * len(presentation.waves)
    dropped = found.loc[("capacity_5", "phase2_2008")]
    assert (dropped["comparability"], dropped["wave_wording"]) == ("absent", "")
    reworded = found[found["comparability"] == "reworded"]
    assert len(reworded) > 0
    assert (reworded["wave_wording"] != reworded["instrument_wording"]).all()
