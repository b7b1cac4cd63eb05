"""Description: counts that add up, in the form of the published tables, and no number for whom nobody asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surveywaves.describe import (
    item_frequencies,
    item_summary,
    missing_summary,
    respondents,
    response_rates,
)
from surveywaves.harmonise import REASONS
from surveywaves.published.checking import published_form

ORACLE = Path(__file__).parent / "oracle" / "description"

ORGANISATIONS = {"before": ["city"], "after": ["health", "city", "third"]}
ITEMS = {"trust": 5, "doubt": 5, "voice": 4}
WORDS = {"organisation": "str", "job": "str", "trust": "Int8", "doubt": "Int8", "voice": "Int8"}

ROWS: list[tuple[Any, ...]] = [
    # wave, organisation, job, trust, doubt, voice
    ("before", "city", "nurse", 4, 2, "not_asked"),
    ("before", "city", "skipped", 5, "skipped", "not_asked"),
    ("after", "health", "nurse", 1, 5, 4),
    ("after", "health", "not_asked", 2, 5, "dont_know"),
    ("after", "city", "clerk", 2, "broke_off", "broke_off"),
    ("after", "skipped", "nurse", 5, 1, 1),
]


def data(rows: list[tuple[Any, ...]] = ROWS) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Responses and reasons from rows in which a reason stands where the value is missing."""
    names = ["wave", *WORDS]
    raw = pd.DataFrame(rows, columns=names, dtype="object")
    reasons = raw[list(WORDS)].isin(list(REASONS.categories))
    responses = raw[["wave"]].astype("str").assign(respondent=[f"r{n}" for n in range(len(raw))])
    missing = responses.copy()
    for name, kind in WORDS.items():
        responses[name] = raw[name].mask(reasons[name], None).astype(kind)
        missing[name] = raw[name].where(reasons[name], None).astype(REASONS)
    return responses, missing


def frequencies(rows: list[tuple[Any, ...]] = ROWS, **options: Any) -> pd.DataFrame:
    return item_frequencies(*data(rows), **{"items": ITEMS, "organisations": ORGANISATIONS, **options})


def counts(frame: pd.DataFrame, wave: str, organisation: str, item: str) -> list[int]:
    own = frame.query("wave == @wave and organisation == @organisation and item == @item")
    assert own["response"].tolist() == list(range(1, len(own) + 1))
    return own["n"].tolist()


# --- items ------------------------------------------------------------------------------------------------------


def test_every_response_is_listed_with_its_count() -> None:
    found = frequencies()
    assert list(found) == ["wave", "organisation", "item", "response", "n", "percent", "base"]
    assert counts(found, "after", "all", "trust") == [1, 2, 0, 0, 1]
    assert counts(found, "after", "health", "trust") == [1, 1, 0, 0, 0]
    assert counts(found, "after", "all", "voice") == [1, 0, 0, 1]


def test_percentages_are_of_those_who_answered_the_item() -> None:
    own = frequencies().query("wave == 'after' and organisation == 'all' and item == 'doubt'")
    assert own["base"].tolist() == [3] * 5
    assert own["percent"].to_numpy() == pytest.approx([100 / 3, 0, 0, 0, 200 / 3])


def test_an_item_that_a_wave_did_not_ask_has_no_rows_there() -> None:
    found = frequencies()
    assert set(found.loc[found["item"] == "voice", "wave"]) == {"after"}


def test_an_item_that_was_asked_and_never_answered_has_rows_of_zeros() -> None:
    found = frequencies([("before", "city", "nurse", "skipped", 1, "not_asked")])
    own = found.query("organisation == 'all' and item == 'trust'")
    assert own["n"].tolist() == [0] * 5
    assert own["percent"].isna().all()


def test_an_organisation_that_a_wave_did_not_survey_has_no_rows_there() -> None:
    found = frequencies()
    assert list(dict.fromkeys(found.query("wave == 'before'")["organisation"])) == ["all", "city"]


def test_a_surveyed_organisation_without_returns_has_zero_counts_and_no_percentage() -> None:
    own = frequencies().query("wave == 'after' and organisation == 'third'")
    assert own["n"].sum() == own["base"].sum() == 0
    assert own["percent"].isna().all()
    assert len(own) == 14


def test_returns_without_organisation_are_counted_in_all_and_shown_as_not_stated() -> None:
    found = frequencies()
    assert counts(found, "after", "not_stated", "trust") == [0, 0, 0, 0, 1]
    assert "not_stated" not in set(found.query("wave == 'before'")["organisation"])


def test_a_wave_without_returns_has_no_rows() -> None:
    assert set(frequencies(ROWS[:2])["wave"]) == {"before"}
    assert frequencies([]).empty
    assert frequencies([])["n"].dtype == "int64"


def test_weights_do_not_change_a_count() -> None:
    responses, missing = data()
    options: dict[str, Any] = {"items": ITEMS, "organisations": ORGANISATIONS}
    heavy = responses.assign(weight=np.arange(1.0, 7.0))
    pd.testing.assert_frame_equal(
        item_frequencies(heavy, missing, **options), item_frequencies(responses, missing, **options)
    )


def test_weighted_percentages_and_means_are_those_of_svymean() -> None:
    schools = pd.read_csv(ORACLE / "api.csv")
    items = ["met", "both", "awards"]
    responses = schools.astype(dict.fromkeys(items, "Int8"))
    missing = responses.isna().replace({True: "skipped", False: None}).assign(wave="w")
    found = item_frequencies(
        responses,
        missing,
        items=dict.fromkeys(items, 2),
        organisations={"w": ["E", "H", "M"]},
        weighted=["w"],
    )
    theirs = pd.read_csv(ORACLE / "weighted.csv")
    both = theirs.merge(found, on=["organisation", "item", "response"], validate="1:1")
    assert len(both) == len(theirs) == len(found)
    np.testing.assert_allclose(both["weighted_percent"], both["percent_x"], rtol=0, atol=1e-10)
    assert (
        both["weighted_percent"] - both["percent_y"]
    ).abs().max() > 5  # all elementary schools weigh alike
    summary = item_summary(found, favourable=dict.fromkeys(items, (2,)), keys=dict.fromkeys(items, 1))
    means = theirs.drop_duplicates(["organisation", "item"]).merge(summary, on=["organisation", "item"])
    np.testing.assert_allclose(means["weighted_mean"], means["mean_x"], rtol=0, atol=1e-12)
    agreed = both[both["response"] == 2].merge(summary, on=["organisation", "item"])
    np.testing.assert_allclose(agreed["weighted_favourable_percent"], agreed["percent_x"], rtol=0, atol=1e-10)


def test_a_wave_without_weights_has_no_weighted_percentage_and_the_counts_stay() -> None:
    responses, missing = data()
    options: dict[str, Any] = {"items": ITEMS, "organisations": ORGANISATIONS}
    heavy = responses.assign(weight=np.arange(1.0, 7.0))
    plain = item_frequencies(responses, missing, **options)
    found = item_frequencies(heavy, missing, **options, weighted=["after"])
    pd.testing.assert_frame_equal(found.drop(columns="weighted_percent"), plain)
    assert found.loc[found["wave"] == "before", "weighted_percent"].isna().all()
    answered = (found["wave"] == "after") & (found["base"] > 0)
    totals = found[answered].groupby(["organisation", "item"])["weighted_percent"].sum()
    np.testing.assert_allclose(totals, 100)
    told = respondents(
        heavy,
        missing,
        variables={"job": ["nurse", "clerk"]},
        organisations=ORGANISATIONS,
        weighted=["after", "before"],
    )
    stated = told[(told["level"] != "not_stated") & (told["base"] > 0)]
    sums = stated.groupby(["wave", "organisation", "variable"])["weighted_percent"].sum()
    np.testing.assert_allclose(sums, 100)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (("later", "city", "nurse", 1, 1, 1), "unknown wave: later"),
        (("before", "health", "nurse", 1, 1, 1), "unknown organisation of before: health"),
        (("before", "nobody", "nurse", 1, 1, 1), "unknown organisation: nobody"),
        (("before", "city", "nurse", 1, 1, 5), r"item voice holds values outside 1\.\.4"),
    ],
)
def test_what_the_options_do_not_know_is_refused(row: tuple[Any, ...], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        frequencies([row])


ANSWER = st.sampled_from(["skipped", "dont_know", "invalid", "broke_off", 1, 2, 3, 4])
RETURN = st.one_of(
    st.tuples(
        st.just("before"), st.sampled_from(["city", "skipped"]), st.just("nurse"), ANSWER, ANSWER, ANSWER
    ),
    st.tuples(
        st.just("after"),
        st.sampled_from(["city", "health", "invalid"]),
        st.just("nurse"),
        ANSWER,
        ANSWER,
        ANSWER,
    ),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(RETURN, min_size=1, max_size=15))
def test_organisations_and_not_stated_add_up_to_all_and_base_plus_missing_to_returns(
    rows: list[tuple[Any, ...]],
) -> None:
    found = frequencies(rows)
    place = ["wave", "item", "response"]
    everybody = found[found["organisation"] == "all"].set_index(place)["n"]
    parts = found[found["organisation"] != "all"].groupby(place)["n"].sum()
    assert everybody.sort_index().equals(parts.sort_index())
    base = found[found["organisation"] == "all"].groupby(["wave", "item"])["base"].first()
    absent = missing_summary(data(rows)[1], sections=dict.fromkeys(ITEMS, 1))
    for (wave, item), reasons in absent.groupby(["wave", "item"]):
        assert base[(wave, item)] + reasons["n"].sum() == reasons["returns"].iloc[0]
        assert reasons["returns"].iloc[0] == sum(row[0] == wave for row in rows)


@settings(max_examples=30, deadline=None)
@given(st.lists(RETURN, min_size=1, max_size=15))
def test_the_summary_is_that_of_the_values_themselves(rows: list[tuple[Any, ...]]) -> None:
    found = item_summary(
        frequencies(rows),
        favourable={"trust": {4, 5}, "doubt": {4, 5}, "voice": {3, 4}},
        keys={"trust": 1, "doubt": -1, "voice": 1},
    )
    for row in found.query("organisation == 'all'").itertuples():
        place = 3 + list(ITEMS).index(str(row.item))
        values = [
            value for value in (one[place] for one in rows if one[0] == row.wave) if isinstance(value, int)
        ]
        good = {"trust": {4, 5}, "doubt": {1, 2}, "voice": {3, 4}}[str(row.item)]
        assert row.base == len(values)
        assert row.favourable_n == sum(value in good for value in values)
        if values:
            assert row.mean == pytest.approx(np.mean(values))
            assert row.favourable_percent == pytest.approx(100 * row.favourable_n / len(values))
        if len(values) > 1:
            assert row.sd == pytest.approx(np.std(values, ddof=1))


def test_favourable_is_mirrored_for_an_item_keyed_the_other_way_and_the_mean_is_not() -> None:
    options: dict[str, Any] = {"favourable": {item: {4, 5} for item in ITEMS}}
    plain = item_summary(frequencies(), keys=dict.fromkeys(ITEMS, 1), **options)
    turned = item_summary(frequencies(), keys=dict.fromkeys(ITEMS, -1), **options)
    own = (plain["wave"] == "after") & (plain["organisation"] == "all") & (plain["item"] == "doubt")
    assert plain.loc[own, "favourable_n"].tolist() == [2]
    assert turned.loc[own, "favourable_n"].tolist() == [1]
    pd.testing.assert_series_equal(plain["mean"], turned["mean"])


def test_a_summary_of_nobody_is_not_estimable_and_of_one_has_no_sd() -> None:
    found = item_summary(
        frequencies(), favourable={item: {4, 5} for item in ITEMS}, keys=dict.fromkeys(ITEMS, 1)
    ).set_index(["wave", "organisation", "item"])
    assert list(found) == ["base", "mean", "sd", "favourable_n", "favourable_percent", "status"]
    nobody = found.loc[("after", "third", "trust")]
    assert (nobody["status"], nobody["base"], nobody["favourable_n"]) == ("not_estimable", 0, 0)
    assert nobody[["mean", "sd", "favourable_percent"]].isna().all()
    single = found.loc[("after", "city", "trust")]
    assert (single["status"], single["mean"]) == ("ok", 2.0)
    assert np.isnan(single["sd"])


def test_a_summary_of_an_empty_table_is_empty() -> None:
    found = item_summary(frequencies([]), favourable={}, keys={})
    assert found.empty
    assert found["base"].dtype == "int64"


# --- the published form -----------------------------------------------------------------------------------------

CODES = ("sd", "d", "n", "a", "sa")


def test_the_reference_wave_takes_the_form_of_the_published_tables() -> None:
    cells = [("2", "1", "trust"), ("2", "2", "doubt")]
    found = published_form(frequencies(), wave="after", cells=cells, categories=CODES)
    assert list(found) == ["table", "row", "category", "count", "base"]
    assert found["count"].tolist() == [1, 2, 0, 0, 1, 1, 0, 0, 0, 2]


def test_a_printed_item_that_was_not_asked_is_not_recomputed() -> None:
    cells = [("2", "1", "trust"), ("2", "2", "voice")]
    found = published_form(frequencies(), wave="before", cells=cells, categories=CODES)
    assert set(found["row"]) == {"1"}


def test_a_printed_item_with_another_number_of_responses_is_refused() -> None:
    cells = [("2", "2", "voice")]
    with pytest.raises(ValueError, match="does not have the 5 responses sd, d, n, a, sa"):
        published_form(frequencies(), wave="after", cells=cells, categories=CODES)


# --- respondents ------------------------------------------------------------------------------------------------


def who(rows: list[tuple[Any, ...]] = ROWS) -> pd.DataFrame:
    found = respondents(*data(rows), variables={"job": ["nurse", "clerk"]}, organisations=ORGANISATIONS)
    assert list(found) == ["wave", "organisation", "variable", "level", "n", "percent", "base"]
    return found.set_index(["wave", "organisation", "variable", "level"])


def test_levels_are_percentages_of_those_who_stated_one() -> None:
    found = who()
    assert found.loc[("after", "all", "job", "nurse"), ["n", "base"]].tolist() == [2, 3]
    assert found.loc[("after", "all", "job", "nurse"), "percent"] == pytest.approx(200 / 3)
    assert found.loc[("after", "city", "job", "nurse"), ["n", "base"]].tolist() == [0, 1]


def test_not_stated_is_a_percentage_of_those_who_were_asked() -> None:
    found = who()
    assert found.loc[("before", "all", "job", "not_stated"), ["n", "percent", "base"]].tolist() == [1, 50, 2]
    assert found.loc[("after", "health", "job", "not_stated"), ["n", "base"]].tolist() == [0, 1]


def test_organisation_is_counted_as_a_variable_among_all_returns() -> None:
    found = who()
    assert found.loc[("after", "all", "organisation", "health"), ["n", "percent", "base"]].tolist() == [
        2,
        200 / 3,
        3,
    ]
    assert found.loc[("after", "all", "organisation", "third"), ["n", "base"]].tolist() == [0, 3]
    assert found.loc[("after", "all", "organisation", "not_stated"), ["n", "percent", "base"]].tolist() == [
        1,
        25,
        4,
    ]
    assert list(found.sort_index().loc[("before", "all", "organisation")].index) == ["city", "not_stated"]
    organisations = found.reset_index().query("variable == 'organisation'")["organisation"]
    assert set(organisations) == {"all"}


def test_a_variable_that_a_wave_did_not_ask_has_no_rows_there() -> None:
    found = who([("before", "city", "not_asked", 1, 1, "not_asked"), *ROWS[2:]])
    assert set(found.query("variable == 'job'").index.get_level_values("wave")) == {"after"}


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown level of job: baker"):
        who([("before", "city", "baker", 1, 1, 1)])


# --- response rates ---------------------------------------------------------------------------------------------


def test_the_rate_of_389_returns_from_1250_staff() -> None:
    responses = pd.DataFrame({"wave": ["w"] * 389})
    row = response_rates(responses, populations={"w": 1250}).iloc[0]
    assert (row["rate"], row["status"], row["note"]) == (389 / 1250, "ok", "")
    assert np.isnan(row["conf_low"]) and np.isnan(row["conf_high"])  # everybody was asked
    row = response_rates(responses, populations={"w": 1250}, approximate={"w": (1000, 1300)}).iloc[0]
    assert (row["conf_low"], row["conf_high"]) == (389 / 1300, 389 / 1000)
    assert row["note"] == "the population is an estimate: 1000 to 1300"
    row = response_rates(responses, populations={"w": 400}, approximate={"w": (380, 400)}).iloc[0]
    assert row["conf_high"] == 1.0


def test_a_wave_without_a_possible_population_has_no_rate() -> None:
    found = response_rates(
        data()[0], populations={"before": None, "after": 3, "later": 9}, approximate={"later": None}
    )
    assert list(found) == ["wave", "returns", "population", "rate", "conf_low", "conf_high", "status", "note"]
    assert found["status"].tolist() == ["not_estimable", "not_estimable", "ok"]
    assert found["note"].tolist() == [
        "the population is not known",
        "4 returns from a population of 3",
        "the population is an estimate",
    ]
    assert found["rate"].isna().tolist() == [True, True, False]
    assert found[["conf_low", "conf_high"]].isna().all(axis=None)
    assert found["population"].tolist() == [pd.NA, 3, 9]
    assert found["returns"].tolist() == [2, 4, 0]


def test_a_study_without_any_population_keeps_its_types() -> None:
    found = response_rates(data()[0], populations={"before": None, "after": None})
    assert found["rate"].dtype == "float64"
    assert found["population"].dtype == "Int64"


def test_returns_of_an_unknown_wave_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown wave: after"):
        response_rates(data()[0], populations={"before": 9})


# --- missing ----------------------------------------------------------------------------------------------------


def test_missing_answers_are_counted_by_reason_zeros_included() -> None:
    found = missing_summary(data()[1], sections={"doubt": 1, "voice": 2})
    assert list(found) == ["wave", "section", "item", "reason", "n", "percent", "returns"]
    assert len(found) == 2 * 2 * 5
    own = found.query("wave == 'after' and item == 'voice'").set_index("reason")
    assert own["n"].to_dict() == {"not_asked": 0, "skipped": 0, "dont_know": 1, "invalid": 0, "broke_off": 1}
    assert own["percent"].to_dict()["broke_off"] == 25
    assert set(own["section"]) == {2}
    before = found.query("wave == 'before' and item == 'voice' and reason == 'not_asked'")
    assert before[["n", "percent", "returns"]].to_numpy().tolist() == [[2, 100, 2]]


def test_reasons_may_come_as_plain_text() -> None:
    missing = data()[1]
    text = missing.astype("str").where(missing.notna())
    for one, other in (
        (missing_summary(text, sections={"voice": 1}), missing_summary(missing, sections={"voice": 1})),
        (
            item_frequencies(data()[0], text, items=ITEMS, organisations=ORGANISATIONS),
            frequencies(),
        ),
    ):
        pd.testing.assert_frame_equal(one, other)


def test_an_unknown_reason_is_refused() -> None:
    missing = data()[1].assign(voice="bored")
    with pytest.raises(ValueError, match="unknown reason: bored"):
        missing_summary(missing, sections={"voice": 1})


def test_no_returns_have_no_missing_answers() -> None:
    assert missing_summary(data([])[1], sections={"voice": 1}).empty
