"""Differential item functioning: against R's clm and polr, statsmodels, simulated truth; what is refused, and why."""

from __future__ import annotations

import itertools
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, false_discovery_control
from statsmodels.miscmodels.ordinal_model import OrderedModel

from sampled import dif
from surveywaves.invariance import flagged, size_class
from surveywaves.invariance.proportional_odds import fit, intercepts
from surveywaves.terms import ALL, Status
from surveywaves.tidy import COLUMNS

ORACLE = Path(__file__).parent / "oracle" / "dif"
MANIFEST = pd.read_csv(ORACLE / "manifest.csv").set_index("set")
TEXT = {"wave": "str", "organisation": "str", "between": "str"}
KINDS = {"uniform": ("ll1", "ll2"), "nonuniform": ("ll2", "ll3"), "total": ("ll1", "ll3")}


@cache
def theirs() -> pd.DataFrame:
    return pd.read_csv(ORACLE / "answers.csv", dtype=TEXT, keep_default_na=False, na_values=[""])


@cache
def of_set(name: str) -> tuple[pd.DataFrame, dict[str, int]]:
    row = MANIFEST.loc[name]
    frame = pd.read_csv(ORACLE / str(row["file"]), dtype=TEXT)
    keys = dict(zip(str(row["items"]).split(), map(int, str(row["keyed"]).split()), strict=True))
    return frame.dropna(subset=["wave"]), keys


@cache
def ours(name: str) -> pd.DataFrame:
    (frame, keys), row = of_set(name), MANIFEST.loc[name]
    return dif(
        frame,
        scale=name,
        items=list(keys),
        keys=keys,
        response_range=(int(row["low"]), int(row["high"])),
        waves=sorted(frame["wave"].unique()),
        organisations=sorted(frame["organisation"].dropna().unique()),
        min_n=int(row["min_n"]),
        adjust=row["adjust"] == "yes",
    )


def simulated(
    n: int = 400,
    k: int = 5,
    *,
    impact: float = 0.0,
    shift: float = 0.0,
    steeper: float = 0.0,
    seed: int = 1,
    points: int = 5,
) -> pd.DataFrame:
    """Two waves of n; in w2 the trait is `impact` higher, and item a shifted or tied more closely to the trait."""
    random = np.random.default_rng(seed)
    later = np.repeat([0, 1], n)
    trait = random.normal(size=2 * n) + impact * later
    loading = np.full((2 * n, k), 0.7)
    loading[:, 0] -= steeper * later
    answer = loading * trait[:, None] + np.sqrt(1 - loading**2) * random.normal(size=(2 * n, k))
    answer[:, 0] += shift * later
    cuts = np.linspace(-1.4, 1.4, points - 1)
    scored = 1 + (answer[:, :, None] > cuts).sum(axis=2)
    frame = pd.DataFrame(scored, columns=list("abcdefgh")[:k]).astype("Int8")
    return frame.assign(wave=np.where(later == 1, "w2", "w1"), organisation="o1")


def found_in(frame: pd.DataFrame, **options: Any) -> pd.DataFrame:
    items = [column for column in frame.columns if column not in ("wave", "organisation")]
    call: dict[str, Any] = {
        "scale": "s",
        "items": items,
        "keys": dict.fromkeys(items, 1),
        "response_range": (1, 5),
        "waves": sorted(frame["wave"].unique()),
        "organisations": sorted(frame["organisation"].dropna().unique()),
        "min_n": 20,
    }
    return dif(frame, **(call | options))


def one(found: pd.DataFrame, term: str, item: str = "a", **place: str) -> pd.Series:
    chosen = found[(found["term"] == term) & (found["item"] == item)]
    for column, value in place.items():
        chosen = chosen[chosen[column] == value]
    assert len(chosen) == 1, chosen
    return chosen.iloc[0]


# Against others ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MANIFEST.index)
def test_tests_sizes_and_log_odds_match_clm_in_every_item_and_comparison(name: str) -> None:
    r = theirs().query("set == @name")
    found = ours(name)
    found = found.assign(
        grouping=np.where(found["wave"] != "", "wave", "organisation"),
        between=found["wave"] + found["organisation"],
    )
    assert set(found["status"]) <= {Status.OK, Status.NOT_ESTIMABLE, Status.TOO_FEW}
    place = ["item", "grouping", "between"]
    for kind, (smaller, larger) in KINDS.items():
        reached = r["aliased"].eq(0) | (r["aliased"] > int(larger[-1]))
        gained = 2 * (r[larger] - r[smaller])
        base = 1 - np.exp(2 * r["ll0"] / r["n"])
        expected = r.assign(
            lr=gained,
            r2_change=(
                np.exp(2 * (r["ll0"] - r[smaller]) / r["n"]) - np.exp(2 * (r["ll0"] - r[larger]) / r["n"])
            )
            / base,
            mcfadden_change=gained / (-2 * r["ll0"]),
        )
        for term, matching in {"lr": "total", "r2_change": "rest", "mcfadden_change": "rest"}.items():
            rows = expected[(expected["matching"] == matching) & reached]
            mine = found[(found["term"] == f"{kind}_{term}") & (found["status"] == Status.OK)]
            both = mine.merge(
                rows, how="outer", on=place, indicator=True, validate="1:1", suffixes=("", "_r")
            )
            assert (both["_merge"] == "both").all(), both[both["_merge"] != "both"][[*place, "note"]]
            np.testing.assert_allclose(both["estimate"], both[term], rtol=0, atol=1e-7)
            assert (both["n"] == both["n_r"]).all()
            if term == "lr":
                np.testing.assert_allclose(
                    both["p_value"], chi2.sf(both["lr"], both["df"]), rtol=0, atol=1e-6
                )
    rows = r[(r["matching"] == "total") & (r["between"] != ALL) & ~r["aliased"].isin([1, 2])]
    mine = found[(found["term"] == "uniform_log_odds") & (found["status"] == Status.OK)]
    both = mine.merge(rows, how="outer", on=place, indicator=True, validate="1:1", suffixes=("", "_r"))
    assert (both["_merge"] == "both").all()
    np.testing.assert_allclose(both["estimate"], both["log_odds"], rtol=0, atol=1e-6)
    np.testing.assert_allclose(both["std_error"], both["std_error_r"], rtol=1e-6)


def test_the_oracle_has_something_to_say() -> None:
    assert len(theirs()) > 500
    assert set(theirs()["set"]) == set(MANIFEST.index)
    for name in MANIFEST.index:
        assert (ours(name)["status"] == Status.OK).sum() > 100


@pytest.mark.parametrize(("name", "item"), [("bfi_plain", "A3"), ("verbal_plain", "S1WantScold")])
def test_log_likelihoods_match_statsmodels_ordered_model(name: str, item: str) -> None:
    frame, keys = of_set(name)
    others = [other for other in keys if other != item]
    complete = frame[[*keys, "organisation"]].dropna()
    low, high = MANIFEST.loc[name, ["low", "high"]]
    scored = complete[list(keys)].copy()
    for key, sign in keys.items():
        scored[key] = scored[key] if sign > 0 else low + high - scored[key]
    score = scored[others].mean(axis=1).to_numpy()
    group = (complete["organisation"] == complete["organisation"].iloc[0]).to_numpy(float)
    designs = [
        score[:, None],
        np.column_stack([score, group]),
        np.column_stack([score, group, score * group]),
    ]
    answer = scored[item].astype(int).to_numpy()
    counts = (answer[:, None] == np.unique(answer)).astype(float)
    start = intercepts(counts)
    for design in designs:
        start = fit(counts, design, start)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = OrderedModel(answer, design, distr="logit").fit(
                method="bfgs", disp=False, gtol=1e-9, maxiter=500
            )
        assert start.status == Status.OK
        assert start.log_likelihood == pytest.approx(model.llf, abs=1e-6)
        np.testing.assert_allclose(start.slopes, model.params[: design.shape[1]], rtol=0, atol=1e-4)


def test_p_values_are_adjusted_over_the_items_within_comparison_and_kind() -> None:
    found = ours("bfi").query("term == 'uniform_lr' and status == 'ok'")
    for _, family in found.groupby(["wave", "organisation"]):
        np.testing.assert_allclose(family["p_adjusted"], false_discovery_control(family["p_value"]))
        assert (family["p_adjusted"] >= family["p_value"]).all()
        assert len(family) == 5


# Against truth -------------------------------------------------------------------------------------------------------


def test_an_item_that_moved_by_itself_is_found_and_its_direction_told() -> None:
    found = found_in(simulated(shift=0.6))
    assert flagged(found) == {"s": ["a"]}
    log_odds = one(found, "uniform_log_odds", wave="w2 - w1")
    assert log_odds["conf_low"] > 0.5
    assert one(found, "uniform_lr")["p_adjusted"] < 1e-6
    assert "large (Jodoin & Gierl)" in one(found, "uniform_r2_change")["note"]
    assert one(found, "nonuniform_r2_change")["note"].startswith("negligible")


def test_an_item_that_came_loose_from_its_scale_differs_non_uniformly() -> None:
    found = found_in(simulated(n=800, steeper=0.55, seed=4))
    assert one(found, "nonuniform_lr")["p_value"] < 1e-6
    assert one(found, "nonuniform_r2_change")["estimate"] > 5 * one(found, "uniform_r2_change")["estimate"]
    assert flagged(found) == {"s": ["a"]}


@pytest.mark.thorough
def test_where_only_the_trait_moved_no_item_is_flagged_and_the_test_keeps_its_level() -> None:
    p, flags = [], 0
    for seed in range(60):
        found = found_in(simulated(n=250, k=4, impact=0.5, seed=100 + seed), organisations=[])
        flags += len(flagged(found)["s"])
        p += found.loc[found["term"] == "uniform_lr", "p_value"].tolist()
    rejected = np.mean(np.array(p) < 0.05)
    # 240 tests, four of a data set hanging together: 5% give or take three standard errors of about 2%.
    assert rejected < 0.11
    assert flags <= 2


def test_a_wave_of_one_organisation_does_not_show_that_organisation_s_peculiarity_as_its_own() -> None:
    # Item a is easier for o2 in both waves, and w1 surveyed o2 only.
    before, after = simulated(n=300, seed=8), simulated(n=300, shift=0.8, seed=9)
    first = after[after["wave"] == "w2"].assign(wave="w1", organisation="o2")
    second = pd.concat(
        [
            before[before["wave"] == "w1"].assign(wave="w2", organisation="o1"),
            after[after["wave"] == "w2"].sample(frac=1, random_state=1).assign(wave="w2", organisation="o2"),
        ]
    )
    frame = pd.concat([first, second], ignore_index=True)
    fair = one(found_in(frame), "uniform_lr", wave="w2 - w1")
    naive = one(found_in(frame, adjust=False), "uniform_lr", wave="w2 - w1")
    assert fair["p_value"] > 0.01
    assert naive["p_value"] < 1e-4
    assert one(found_in(frame), "uniform_lr", organisation="o1 - o2")["p_value"] < 1e-6


# What the table says -------------------------------------------------------------------------------------------------


def three_waves() -> pd.DataFrame:
    frame = pd.concat([simulated(n=60, seed=1), simulated(n=60, seed=2).assign(wave="w3")], ignore_index=True)
    frame["organisation"] = np.where(np.arange(len(frame)) % 2 == 0, "o1", "o2")
    return frame


def test_comparisons_are_named_in_the_column_of_their_grouping() -> None:
    found = found_in(three_waves())
    assert list(found.columns) == list(COLUMNS)
    assert set(zip(found["wave"], found["organisation"], strict=True)) == {
        (ALL, ""),
        ("w2 - w1", ""),
        ("w3 - w1", ""),
        ("w3 - w2", ""),
        ("", "o1 - o2"),
    }
    assert set(found["analysis"]) == {"dif"}
    terms = {
        f"{kind}_{part}" for kind, part in itertools.product(KINDS, ["lr", "r2_change", "mcfadden_change"])
    }
    assert set(found["term"]) == terms | {"uniform_log_odds"}
    assert one(found, "total_lr", wave=ALL)["df"] == 4
    assert one(found, "uniform_lr", wave=ALL)["df"] == 2
    assert one(found, "uniform_lr", wave="w3 - w1")["df"] == 1
    assert found.loc[found["wave"] == ALL, "term"].ne("uniform_log_odds").all()


def test_a_further_wave_leaves_the_comparisons_of_the_others_as_they_were() -> None:
    frame = three_waves()
    before = found_in(frame[frame["wave"] != "w3"]).query("wave == 'w2 - w1'").reset_index(drop=True)
    after = found_in(frame).query("wave == 'w2 - w1'").reset_index(drop=True)
    pd.testing.assert_frame_equal(before, after)


def test_a_reversed_item_is_compared_as_if_asked_the_other_way_round() -> None:
    frame = simulated(shift=0.4)
    turned = frame.assign(b=6 - frame["b"])
    keys = dict.fromkeys("abcde", 1)
    pd.testing.assert_frame_equal(found_in(frame), found_in(turned, keys=keys | {"b": -1}))


def test_kinds_add_up() -> None:
    found = found_in(simulated(shift=0.3, steeper=0.2))
    for part in ("lr", "r2_change", "mcfadden_change"):
        whole = one(found, f"total_{part}")["estimate"]
        parts = [one(found, f"{kind}_{part}")["estimate"] for kind in ("uniform", "nonuniform")]
        assert whole == pytest.approx(sum(parts), abs=1e-9)


def test_those_who_answered_half_of_the_others_count() -> None:
    frame = simulated(n=100)
    frame.loc[:9, ["b", "c"]] = pd.NA  # two of the other four are left
    frame.loc[10:19, ["b", "c", "d"]] = pd.NA  # one is left
    assert one(found_in(frame), "uniform_lr")["n"] == 190


@pytest.mark.parametrize(
    ("change", "criterion", "size"),
    [
        (0.0349, "jodoin_gierl", "negligible"),
        (0.035, "jodoin_gierl", "moderate"),
        (0.0699, "jodoin_gierl", "moderate"),
        (0.07, "jodoin_gierl", "large"),
        (0.129, "zumbo", "negligible"),
        (0.13, "zumbo", "moderate"),
        (0.26, "zumbo", "large"),
    ],
)
def test_size_classes_have_the_published_limits(change: float, criterion: Any, size: str) -> None:
    assert size_class(change, criterion) == size


def test_flags_ask_for_size_and_significance() -> None:
    found = found_in(simulated(shift=0.6))
    assert flagged(found, at_least="large") == {"s": ["a"]}
    assert flagged(found, criterion="zumbo") == {"s": []}
    assert flagged(found, significance=1e-300) == {"s": []}
    assert "a" in flagged(found, at_least="negligible")["s"]
    few = found_in(simulated(n=12, shift=0.6, seed=3), min_n=5)
    assert one(few, "total_r2_change")["estimate"] > 0.035
    assert flagged(few) == {"s": []}


# Too little to go by -------------------------------------------------------------------------------------------------


def refusals(found: pd.DataFrame, item: str = "a") -> set[tuple[str, str]]:
    rows = found[(found["item"] == item) & (found["status"] != Status.OK)]
    assert rows[["estimate", "p_value", "p_adjusted", "conf_low"]].isna().all(axis=None)
    return set(zip(rows["status"], rows["note"], strict=True))


def everything(found: pd.DataFrame, item: str = "a") -> bool:
    return bool((found.loc[found["item"] == item, "status"] != Status.OK).all())


def test_a_wave_with_nobody_is_named() -> None:
    found = found_in(simulated(), waves=["w1", "w2", "w3"])
    assert ("not_estimable", "not asked: w3") in refusals(found)
    assert one(found, "uniform_lr", wave=ALL)["status"] == Status.OK  # of the two that are there


def test_an_organisation_with_nobody_is_named() -> None:
    found = found_in(simulated(), organisations=["o1", "o2"]).query("organisation != ''")
    assert refusals(found) == {("not_estimable", "nobody answered: o2")}


def test_a_group_with_too_few_is_named_and_left_out_of_the_test_of_all() -> None:
    frame = three_waves()
    frame = frame[(frame["wave"] != "w3") | (frame.index % 12 == 0)]
    found = found_in(frame)
    assert ("too_few", "fewer than 20 respondents: w3") in refusals(found)
    together = one(found, "uniform_lr", wave=ALL)
    assert together["note"] == "not compared, fewer than 20 respondents: w3"
    assert together["df"] == 1


def test_an_item_not_asked_in_a_wave_is_not_compared_there_and_not_matched_on() -> None:
    frame = simulated()
    frame.loc[frame["wave"] == "w1", "e"] = pd.NA
    found = found_in(frame)
    assert refusals(found, "e") == {("not_estimable", "not asked: w1")}
    note = one(found, "uniform_lr", wave="w2 - w1")["note"]
    assert note == "not in the score, not asked in every wave compared: e"
    without = found_in(frame.drop(columns="e"))
    assert one(found, "uniform_lr")["estimate"] == one(without, "uniform_lr")["estimate"]


def test_a_scale_of_one_item_has_nothing_to_match_on() -> None:
    found = found_in(simulated(k=1))
    assert refusals(found) == {("not_estimable", "the scale has one item")}
    assert everything(found)


def test_an_item_that_everyone_answered_alike_is_not_estimable() -> None:
    found = found_in(simulated().assign(a=3))
    assert everything(found)
    assert {note for _, note in refusals(found)} == {"everyone answered alike"}
    assert one(found, "uniform_lr", "b")["status"] == Status.OK


def test_a_rest_of_the_scale_that_does_not_vary_has_no_sizes() -> None:
    found = found_in(simulated(k=3).assign(b=3, c=3))
    assert one(found, "uniform_r2_change")["note"] == "the score does not vary"
    # By the total, the item is matched on itself: it tells its own answers apart.
    assert one(found, "uniform_lr")["status"] == Status.NOT_ESTIMABLE


def test_groups_that_are_organisations_cannot_be_told_from_them() -> None:
    frame = simulated().assign(organisation=lambda of: np.where(of["wave"] == "w1", "o1", "o2"))
    found = found_in(frame)
    assert everything(found)
    assert {note for _, note in refusals(found)} == {"the groups cannot be told from the other grouping"}
    assert one(found_in(frame, adjust=False), "uniform_lr", wave="w2 - w1")["status"] == Status.OK


def test_a_group_that_gave_one_extreme_answer_only_is_separated() -> None:
    frame = simulated(n=200)
    frame.loc[frame["wave"] == "w2", "a"] = 5
    frame.loc[(frame["wave"] == "w1") & (frame["a"] == 5), "a"] = 4
    found = found_in(frame)
    for term in ("uniform_lr", "uniform_log_odds", "uniform_r2_change", "total_lr"):
        row = one(found, term, wave="w2 - w1")
        assert row["status"] in {Status.NOT_ESTIMABLE, Status.NOT_CONVERGED}
        assert "separation" in row["note"]
        assert np.isnan(row["estimate"])


def test_a_category_that_nobody_used_does_no_harm() -> None:
    frame = simulated()
    gap = frame.assign(a=frame["a"].replace(3, 4))
    row = one(found_in(gap), "uniform_lr")
    assert row["status"] == Status.OK
    assert row["estimate"] >= 0
    # The order of answers is what counts: 1 2 4 5 as 1 2 3 4 is the same item, though another rest of the scale.
    closed = gap.assign(a=gap["a"].replace({4: 3, 5: 4}))
    assert (
        one(found_in(closed), "uniform_r2_change")["estimate"]
        == one(found_in(gap), "uniform_r2_change")["estimate"]
    )


def test_a_category_that_one_group_did_not_use_does_no_harm() -> None:
    frame = simulated(shift=0.5)
    frame.loc[(frame["wave"] == "w2") & (frame["a"] == 1), "a"] = 2
    assert one(found_in(frame), "uniform_lr")["status"] == Status.OK


def test_two_respondents_are_too_few() -> None:
    frame = simulated(n=1)
    assert everything(found_in(frame))
    assert set(found_in(frame)["status"]) == {Status.TOO_FEW}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"items": ["a", "x"]}, "no column x"),
        ({"keys": {"a": 1}}, r"not \+1 or -1"),
        ({"response_range": (1, 4)}, "not whole numbers from 1 to 4"),
        ({"confidence": 95}, "not between 0 and 1"),
        ({"min_n": 1}, "below 2"),
    ],
)
def test_a_call_that_makes_no_sense_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        found_in(simulated(), **changes)


answer = st.one_of(st.integers(1, 3), st.none())


@given(
    rows=st.lists(
        st.tuples(st.sampled_from(["w1", "w2"]), st.sampled_from(["o1", "o2", None]), answer, answer, answer),
        min_size=2,
        max_size=40,
    )
)
@settings(deadline=None, max_examples=150)
def test_whatever_comes_in_every_number_is_finite_and_every_other_row_says_why(
    rows: list[tuple[Any, ...]],
) -> None:
    frame = pd.DataFrame(rows, columns=["wave", "organisation", "a", "b", "c"])
    frame = frame.astype({"a": "Int8", "b": "Int8", "c": "Int8", "organisation": "string"})
    found = found_in(frame, waves=["w1", "w2"], organisations=["o1", "o2"], response_range=(1, 3), min_n=2)
    ok = found["status"] == Status.OK
    assert np.isfinite(found.loc[ok, "estimate"]).all()
    assert found.loc[~ok, ["estimate", "p_value", "std_error"]].isna().all(axis=None)
    assert found.loc[~ok, "note"].ne("").all()
    sizes = found[ok & ~found["term"].eq("uniform_log_odds")]
    assert (sizes["estimate"] >= 0).all()
    assert (found.loc[ok & found["term"].str.contains("_change"), "estimate"] <= 1).all()
