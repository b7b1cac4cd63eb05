"""Reliability: against R's psych, pingouin and hand-made scales; what is refused, and why."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sampled import reliability
from surveywaves.terms import ALL, Status
from surveywaves.tidy import COLUMNS

ORACLE = Path(__file__).parent / "oracle" / "reliability"
EXPECTED = pd.read_csv(ORACLE / "expected.csv", dtype={"group": str}).fillna({"item": ""})

TOLERANCE = {"rtol": 0.0, "atol": 1e-12}
"""The same covariances; only rounding differs. The largest deviation seen is 2e-15."""

BFI_SCALES = {
    "agreeableness": {"A1": -1, "A2": 1, "A3": 1, "A4": 1, "A5": 1},
    "neuroticism": dict.fromkeys(["N1", "N2", "N3", "N4", "N5"], 1),
    "anger": {"N1": 1, "N2": 1},
}


SCALE_TERMS = {
    "alpha",
    "mean_inter_item_r",
    "omega_total",
    "ordinal_alpha",
    "floor",
    "ceiling",
}
TESTS = {"alpha_difference", "equality"}
ITEM_TERMS = {"item_rest_r", "alpha_if_dropped"}


def bfi() -> pd.DataFrame:
    answers = pd.read_csv(ORACLE / "bfi.csv").astype("Int8")
    return answers.assign(wave="w1", organisation=answers["gender"].astype("string"))


def estimate(
    frame: pd.DataFrame, keys: dict[str, int], *, low: int = 1, high: int = 5, **options: Any
) -> pd.DataFrame:
    chosen = {
        "waves": sorted(frame["wave"].unique()),
        "organisations": sorted(frame["organisation"].dropna().unique()),
        "min_n": 5,
        "replicates": 100,
        **options,
    }
    return reliability(frame, scale="s", items=list(keys), keys=keys, response_range=(low, high), **chosen)


def answers(
    columns: dict[str, Iterable[int | None]], wave: str = "w1", organisation: str | None = "o1"
) -> pd.DataFrame:
    frame = pd.DataFrame({item: pd.array(list(values), dtype="Int8") for item, values in columns.items()})
    return frame.assign(wave=wave, organisation=pd.array([organisation] * len(frame), dtype="string"))


def one(
    found: pd.DataFrame, term: str, item: str = "", *, wave: str = "w1", organisation: str = ALL
) -> pd.Series:
    chosen = found.query(
        "term == @term and item == @item and wave == @wave and organisation == @organisation"
    )
    assert len(chosen) == 1, chosen
    return chosen.iloc[0]


def made_up(n: int = 40, seed: int = 1) -> dict[str, list[int]]:
    """Three items that go together, and no one answers all alike."""
    random = np.random.default_rng(seed)
    person = random.normal(size=(n, 1))
    scored = np.clip(np.round(3 + person + random.normal(size=(n, 3))), 1, 5).astype(int)
    return {item: scored[:, k].tolist() for k, item in enumerate("abc")}


# Against others ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", BFI_SCALES)
def test_reliability_matches_psych_on_bfi(scale: str) -> None:
    found = estimate(bfi(), BFI_SCALES[scale], high=6).query("wave == 'w1'")
    expected = EXPECTED.query("data == 'bfi' and scale == @scale")
    both = expected.merge(
        found.query("status == 'ok' and term in @expected.term"),
        how="outer",
        left_on=["group", "term", "item"],
        right_on=["organisation", "term", "item"],
        suffixes=("_r", ""),
        validate="one_to_one",
        indicator=True,
    )
    assert (both["_merge"] == "both").all()
    assert len(both) == 3 * {"agreeableness": 12, "neuroticism": 12, "anger": 4}[scale]
    np.testing.assert_allclose(both["estimate"], both["estimate_r"], **TOLERANCE)
    assert (both["n"] == both["n_r"]).all()
    with_interval = both["conf_low"].notna()
    assert (with_interval == (both["term"] == "alpha")).all()


def test_reliability_matches_psych_on_attitude() -> None:
    attitude = pd.read_csv(ORACLE / "attitude.csv")
    frame = attitude.assign(wave="w1", organisation="o1")
    found = estimate(frame, dict.fromkeys(attitude.columns, 1), low=0, high=100)
    expected = EXPECTED.query("data == 'attitude'").set_index(["term", "item"])
    found = found.query("wave == 'w1' and organisation == 'all'").set_index(["term", "item"])
    assert set(expected.index) <= set(found.index)
    ordinal = found.loc[("ordinal_alpha", "")]
    assert ordinal["note"] == "more than 10 response points: as good as continuous"
    found = found.loc[expected.index]
    np.testing.assert_allclose(found["estimate"], expected["estimate"], **TOLERANCE)


def test_alpha_matches_pingouin_once_incomplete_respondents_are_dropped(pingouin: ModuleType) -> None:
    frame = bfi()
    items = list(BFI_SCALES["neuroticism"])
    complete = frame[items].dropna().astype(float)
    assert len(complete) < len(frame)
    alpha, _ = pingouin.cronbach_alpha(complete)
    ours = one(estimate(frame, BFI_SCALES["neuroticism"], high=6), "alpha")
    assert ours["estimate"] == pytest.approx(alpha, abs=1e-12)
    assert ours["n"] == len(complete)


# Properties ----------------------------------------------------------------------------------------------------------


def test_alpha_by_hand() -> None:
    # Items 1 2 3 4 5 and 2 1 4 3 5: variances 2.5, total 3 3 7 7 10 has variance 9; alpha = 2 (1 - 5 / 9).
    found = estimate(answers({"a": [1, 2, 3, 4, 5], "b": [2, 1, 4, 3, 5]}), {"a": 1, "b": 1})
    assert one(found, "alpha")["estimate"] == pytest.approx(8 / 9, abs=1e-12)
    assert one(found, "mean_inter_item_r")["estimate"] == pytest.approx(0.8, abs=1e-12)
    assert one(found, "item_rest_r", "a")["estimate"] == pytest.approx(0.8, abs=1e-12)


def test_every_term_is_there() -> None:
    found = estimate(answers(made_up()), dict.fromkeys("abc", 1))
    assert set(found["term"]) == {*SCALE_TERMS, "item_rest_r", "alpha_if_dropped"}


def test_dropping_an_item_gives_the_alpha_of_the_others() -> None:
    frame = answers(made_up())
    dropped = one(estimate(frame, dict.fromkeys("abc", 1)), "alpha_if_dropped", "c")
    assert dropped["estimate"] == pytest.approx(
        one(estimate(frame, {"a": 1, "b": 1}), "alpha")["estimate"], abs=1e-12
    )


def test_a_reversed_item_counts_as_if_it_had_been_asked_the_other_way_round() -> None:
    columns = made_up()
    turned = columns | {"b": [6 - value for value in columns["b"]]}
    straight = estimate(answers(columns), {"a": 1, "b": 1, "c": 1})
    reversed_ = estimate(answers(turned), {"a": 1, "b": -1, "c": 1})
    pd.testing.assert_frame_equal(straight, reversed_)
    wrong = one(estimate(answers(turned), {"a": 1, "b": 1, "c": 1}), "alpha")
    assert wrong["estimate"] < one(straight, "alpha")["estimate"] - 0.2


def test_a_negative_alpha_is_reported_with_a_warning() -> None:
    columns = made_up()
    turned = columns | {"b": [6 - value for value in columns["b"]]}
    alpha = one(estimate(answers({k: turned[k] for k in "ab"}), {"a": 1, "b": 1}), "alpha")
    assert alpha["estimate"] < 0
    assert alpha["status"] == Status.OK
    assert "check their keys" in alpha["note"]


@given(
    values=st.lists(st.lists(st.integers(1, 5), min_size=4, max_size=4), min_size=6, max_size=30),
    signs=st.lists(st.sampled_from([-1, 1]), min_size=4, max_size=4),
)
@settings(deadline=None, max_examples=40)
def test_estimates_stay_in_bounds_and_agree_with_plain_formulas(
    values: list[list[int]], signs: list[int]
) -> None:
    keys = dict(zip("abcd", signs, strict=True))
    table = np.array(values, dtype=float)
    found = estimate(answers({item: table[:, k].astype(int) for k, item in enumerate(keys)}), keys)
    scored = np.where(np.array(signs) == -1, 6 - table, table)
    varies = np.ptp(scored, axis=0) > 0
    scored = scored[:, varies]
    alpha = one(found, "alpha")
    if alpha["status"] != Status.OK:
        assert scored.shape[1] < 2 or np.ptp(scored.sum(axis=1)) == 0
        return
    k = scored.shape[1]
    plain = k / (k - 1) * (1 - scored.var(axis=0, ddof=1).sum() / scored.sum(axis=1).var(ddof=1))
    assert alpha["estimate"] == pytest.approx(plain, rel=1e-9, abs=1e-9)
    if np.isfinite(alpha["conf_low"]):
        assert alpha["conf_low"] <= alpha["estimate"] <= alpha["conf_high"] <= 1
    else:
        assert "no interval: " in alpha["note"] or "no standard error" in alpha["note"]
    r = found.query("term == 'item_rest_r'")["estimate"].dropna()
    assert r.between(-1 - 1e-12, 1 + 1e-12).all()
    assert found["estimate"].notna().eq(found["status"].eq(Status.OK)).all()


# Waves and organisations ---------------------------------------------------------------------------------------------


def test_rows_go_wave_by_wave_organisations_then_all_and_the_pool_last() -> None:
    frame = pd.concat(
        [
            answers(made_up(seed=k), wave, org)
            for k, (wave, org) in enumerate([("w2", "o1"), ("w1", "o2"), ("w1", "o1"), ("w2", "o2")])
        ],
        ignore_index=True,
    )
    found = estimate(frame, dict.fromkeys("abc", 1), waves=["w2", "w1"], organisations=["o2", "o1"])
    assert list(found.columns) == list(COLUMNS)
    cells = found[~found["term"].isin(TESTS)]
    assert list(dict.fromkeys(zip(cells["wave"], cells["organisation"], strict=True))) == [
        ("w2", "o2"),
        ("w2", "o1"),
        ("w2", ALL),
        ("w1", "o2"),
        ("w1", "o1"),
        ("w1", ALL),
        (ALL, ALL),
    ]
    assert set(found["analysis"]) == {"reliability"}
    assert set(found["scale"]) == {"s"}
    assert one(found, "alpha", wave=ALL)["n"] == 160


def test_a_cell_gets_its_own_respondents() -> None:
    first, second = answers(made_up(seed=1)), answers(made_up(seed=2), organisation="o2")
    together = estimate(pd.concat([first, second], ignore_index=True), dict.fromkeys("abc", 1))
    alone = estimate(second, dict.fromkeys("abc", 1))
    assert one(together, "alpha", organisation="o2")["estimate"] == one(alone, "alpha")["estimate"]
    assert one(together, "alpha", organisation="o1")["estimate"] != one(alone, "alpha")["estimate"]


def test_who_does_not_state_an_organisation_counts_under_all() -> None:
    frame = pd.concat([answers(made_up()), answers(made_up(seed=3), organisation=None)], ignore_index=True)
    found = estimate(frame, dict.fromkeys("abc", 1))
    assert one(found, "alpha", organisation="o1")["n"] == 40
    assert one(found, "alpha")["n"] == 80


def test_an_empty_cell_is_not_estimable_in_every_term() -> None:
    found = estimate(answers(made_up()), dict.fromkeys("abc", 1), organisations=["o1", "nobody"])
    empty = found.query("organisation == 'nobody'")
    assert len(empty) == len(SCALE_TERMS) + 2 * 3
    assert empty["status"].eq(Status.NOT_ESTIMABLE).all()
    assert empty["note"].eq("nobody answered").all()
    assert empty["estimate"].isna().all()
    assert empty["n"].eq(0).all()


def test_an_item_not_asked_in_a_wave_is_left_out_there_and_of_the_pool_and_named() -> None:
    columns = made_up(seed=5)
    short = columns | {"c": [None] * 40}
    frame = pd.concat([answers(made_up()), answers(short, "w2")], ignore_index=True)
    found = estimate(frame, dict.fromkeys("abc", 1))
    assert one(found, "alpha", wave="w1")["note"] == ""
    w2 = found.query("wave == 'w2' and organisation == 'all'")
    assert one(found, "alpha", wave="w2")["note"] == "not asked: c"
    assert one(found, "alpha", wave="w2")["n"] == 40
    assert set(w2["item"]) == {"", "a", "b"}
    pool = one(found, "alpha", wave=ALL)
    assert pool["note"] == "not asked in every wave: c"
    assert pool["n"] == 80


def test_a_wave_without_the_scale_is_not_estimable_and_stays_out_of_the_pool() -> None:
    frame = pd.concat(
        [answers(made_up()), answers(dict.fromkeys("abc", [None] * 9), "w2")], ignore_index=True
    )
    found = estimate(frame, dict.fromkeys("abc", 1))
    absent = found.query("wave == 'w2' and term not in @TESTS")
    assert set(absent["term"]) == SCALE_TERMS
    assert absent["status"].eq(Status.NOT_ESTIMABLE).all()
    assert absent["note"].str.startswith("no item was asked").all()
    pool = one(found, "alpha", wave=ALL)
    assert (pool["status"], pool["n"], pool["note"]) == (Status.OK, 40, "waves that did not ask: w2")


def test_a_scale_that_nobody_was_asked_is_not_estimable_anywhere() -> None:
    found = estimate(answers(dict.fromkeys("abc", [None] * 9)), dict.fromkeys("abc", 1))
    assert found["status"].eq(Status.NOT_ESTIMABLE).all()
    assert one(found, "alpha", wave=ALL)["note"].startswith("no item was asked")


# Too little to go by -------------------------------------------------------------------------------------------------


def test_too_few_complete_respondents_are_too_few() -> None:
    columns = made_up(12)
    columns["a"][:3] = [None] * 3
    enough = estimate(answers(columns), dict.fromkeys("abc", 1), min_n=9)
    assert one(enough, "alpha")["status"] == Status.OK
    found = estimate(answers(columns), dict.fromkeys("abc", 1), min_n=10)
    assert found["status"].eq(Status.TOO_FEW).all()
    assert found["n"].eq(9).all()
    assert one(found, "alpha")["note"] == "fewer than 10 respondents answered every item"


def test_one_item_is_too_few() -> None:
    found = estimate(answers({"a": [1, 2, 3, 4, 5, 5]}), {"a": 1})
    assert found["status"].eq(Status.TOO_FEW).all()
    assert one(found, "alpha")["note"] == "only one item was asked"


def test_an_item_that_everyone_answered_alike_is_left_out_as_psych_does() -> None:
    columns = made_up()
    with_constant = estimate(answers(columns | {"d": [4] * 40}), dict.fromkeys("abcd", 1))
    without = estimate(answers(columns), dict.fromkeys("abc", 1))
    for term in ("alpha", "mean_inter_item_r"):
        assert one(with_constant, term)["estimate"] == one(without, term)["estimate"]
        assert one(with_constant, term)["note"] == "everyone answered alike: d"
    for term in ("item_rest_r", "alpha_if_dropped"):
        constant = one(with_constant, term, "d")
        assert (constant["status"], constant["note"]) == (Status.NOT_ESTIMABLE, "everyone answered alike")
        assert one(with_constant, term, "a")["estimate"] == one(without, term, "a")["estimate"]


def test_when_fewer_than_two_items_vary_nothing_is_estimable() -> None:
    found = estimate(answers({"a": [1, 2, 3, 4, 5], "b": [3] * 5}), {"a": 1, "b": 1})
    together = found[~found["term"].isin(["floor", "ceiling"])]
    assert together["status"].eq(Status.NOT_ESTIMABLE).all()
    assert one(found, "alpha")["note"] == "fewer than two items vary; everyone answered alike: b"


def test_a_total_score_that_does_not_vary_has_no_alpha() -> None:
    found = estimate(answers({"a": [1, 2, 3, 4, 5], "b": [5, 4, 3, 2, 1]}), {"a": 1, "b": 1})
    refused = one(found, "alpha")
    assert (refused["status"], refused["note"]) == (Status.NOT_ESTIMABLE, "the total score does not vary")
    assert one(found, "mean_inter_item_r")["estimate"] == pytest.approx(-1, abs=1e-12)


def test_where_the_other_items_cancel_out_an_item_has_no_rest() -> None:
    columns = {"a": [1, 2, 3, 4, 5], "b": [5, 4, 3, 2, 1], "c": [1, 1, 2, 4, 4]}
    found = estimate(answers(columns), dict.fromkeys("abc", 1))
    for term in ("item_rest_r", "alpha_if_dropped"):
        refused = one(found, term, "c")
        assert refused["status"] == Status.NOT_ESTIMABLE
        assert refused["note"] == "the sum of the other items does not vary"
        assert one(found, term, "a")["status"] == Status.OK


def test_of_two_items_neither_can_be_dropped() -> None:
    found = estimate(answers({"a": [1, 2, 3, 4, 5], "b": [2, 1, 4, 3, 5]}), {"a": 1, "b": 1})
    dropped = one(found, "alpha_if_dropped", "a")
    assert (dropped["status"], dropped["note"]) == (Status.NOT_ESTIMABLE, "one item is left")


# Refusals ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"items": ["a", "x"]}, "no column x"),
        ({"items": ["a", "a"]}, "listed twice"),
        ({"keys": {"a": 1, "b": 2}}, r"not \+1 or -1: b"),
        ({"keys": {"a": 1}}, r"not \+1 or -1: b"),
        ({"response_range": (1, 4)}, "not whole numbers from 1 to 4: a"),
        ({"response_range": (5, 1)}, "is empty"),
        ({"confidence": 95}, "not between 0 and 1"),
        ({"min_n": 1}, "below 2"),
    ],
)
def test_a_call_that_makes_no_sense_is_refused(changes: dict[str, Any], said: str) -> None:
    call: dict[str, Any] = {
        "scale": "s",
        "items": ["a", "b"],
        "keys": {"a": 1, "b": 1},
        "response_range": (1, 5),
        "waves": ["w1"],
        "organisations": ["o1"],
    }
    frame = answers({"a": [1, 2, 3, 4, 5], "b": [2, 1, 4, 3, 4]})
    with pytest.raises(ValueError, match=said):
        reliability(frame, **(call | changes))


def test_an_answer_between_two_options_is_refused() -> None:
    frame = answers(made_up()).astype({"b": "Float64"})
    frame.loc[0, "b"] = 2.5
    with pytest.raises(ValueError, match="not whole numbers from 1 to 5: b"):
        estimate(frame, dict.fromkeys("abc", 1))
