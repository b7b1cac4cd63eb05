"""Organisations compared with all of them, with one of them, and shrunken towards their mean."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sampled import compare_design, compare_sample, compare_study
from surveywaves.disclosure import digits
from surveywaves.invariance.dif import dif
from surveywaves.mixed.clmm import fit_ordinal
from surveywaves.mixed.contrasts import overlap, stated_contrasts
from surveywaves.mixed.decisions import decide
from surveywaves.mixed.design import make_design
from surveywaves.mixed.lmm import fit_linear
from surveywaves.mixed.pooling import pool_partially, shrunken_means
from surveywaves.reliability import reliability
from surveywaves.sample import Sample, Scale
from surveywaves.study.settings import Against, Analysis
from surveywaves.tidy import tidy

ORACLE = Path(__file__).parent / "oracle/organisations"
ITEMS = ("q1", "q2", "q3", "q4")
NAMES = tuple(f"org{number}" for number in range(1, 9))
SHARES = dict(zip(NAMES, (0.30, 0.20, 0.15, 0.10, 0.10, 0.08, 0.05, 0.02), strict=True))
SCALE = Scale("s", ITEMS, dict.fromkeys(ITEMS, 1), (1, 5), favourable=(4, 5))
WAVES = ("first", "second")


def of_eight(against: str = "all", **changed: object) -> Sample:
    """The oracle's eight organisations."""
    frame = pd.read_csv(ORACLE / "answers_of_eight.csv")
    given: dict[str, object] = {"frame": frame, "waves": WAVES, "organisations": NAMES, "shares": SHARES}
    return Sample(**(given | {"against": against} | changed)).with_shares()  # type: ignore[arg-type]


def answers(sizes: dict[tuple[str, str], int], seed: int = 1) -> pd.DataFrame:
    """Invented respondents, so many in each wave and organisation."""
    rng = np.random.default_rng(seed)
    places = [place for place, number in sizes.items() for _ in range(number)]
    frame = pd.DataFrame(places, columns=["wave", "organisation"])
    person = rng.normal(3.3, 0.8, len(frame))
    for item in ITEMS:
        frame[item] = np.clip(np.round(person + rng.normal(0, 0.8, len(frame))), 1, 5).astype(int)
    return frame


@pytest.mark.parametrize(("analysis", "near"), [("linear", 1e-6), ("favourable", 1e-9), ("ordinal", 3e-4)])
def test_an_organisation_against_all_is_emmeans_weighted_effect(analysis: str, near: float) -> None:
    design = make_design(of_eight(), SCALE)
    if analysis == "linear":
        found = compare_sample(of_eight(), SCALE, fit=lambda d: fit_linear(d, robust=False)).contrasts
    elif analysis == "ordinal":
        found = compare_sample(of_eight(), SCALE, fit=fit_ordinal).contrasts
    else:
        found = compare_design(design, SCALE).contrasts
    expected = pd.read_csv(ORACLE / "against_all.csv").query("analysis == @analysis")
    assert len(expected) == 24
    found = found.assign(term=found["term"].str.removesuffix("_percent_favourable"))
    found = found.assign(organisation=found["organisation"].str.removesuffix(" - all"))
    places = ["term", "wave", "organisation"]
    ours = found.set_index(places).loc[pd.MultiIndex.from_frame(expected[places])]
    error = expected["std_error"].to_numpy()
    units = {"df": expected["df"].replace(np.inf, 1.0).to_numpy(), "p_value": np.ones(len(expected))}
    for name in ("estimate", "std_error", "df", "conf_low", "conf_high", "p_value"):
        unit, theirs = units.get(name, error), expected[name].to_numpy()
        assert np.allclose(ours[name] / unit, theirs / unit, rtol=0, atol=near), name


def test_against_all_is_the_difference_of_the_means_that_are_shown() -> None:
    found = compare_sample(of_eight(), SCALE)
    means = found.means.set_index(["wave", "organisation"])["estimate"]
    gaps = found.contrasts.query("term == 'gap'").set_index(["wave", "organisation"])["estimate"]
    for wave in WAVES:
        for name in NAMES:
            assert gaps[wave, f"{name} - all"] == pytest.approx(means[wave, name] - means[wave, "all"])
    changes = found.contrasts.query("term == 'change'").set_index("organisation")["estimate"]
    moved = found.contrasts.query("term == 'difference_in_differences'").set_index("organisation")["estimate"]
    assert moved["org3 - all"] == pytest.approx(changes["org3"] - changes["all"])
    every = sum(share * means["second", name] for name, share in SHARES.items())
    assert means["second", "all"] == pytest.approx(every)


def test_contrasts_grow_with_organisations_and_not_with_their_pairs() -> None:
    numbers = {}
    for against in ("", "all", "org2"):
        terms = pd.Series(
            [labels["term"] for labels, _ in stated_contrasts(make_design(of_eight(against), SCALE))]
        )
        numbers[against] = terms.value_counts().to_dict()
    assert numbers[""] == {"change": 9, "gap": 56, "difference_in_differences": 28}
    assert numbers["all"] == {"change": 9, "gap": 16, "difference_in_differences": 8}
    assert numbers["org2"] == {"change": 9, "gap": 14, "difference_in_differences": 7}


def test_against_one_is_its_pair() -> None:
    pairs, one = (
        compare_sample(of_eight(against), SCALE).contrasts.query("term == 'gap'") for against in ("", "org8")
    )
    pairs = pairs[pairs["organisation"].str.endswith(" - org8")]
    pd.testing.assert_frame_equal(pairs.reset_index(drop=True), one.reset_index(drop=True))


def test_an_organisation_with_few_answers_is_left_out_of_all() -> None:
    frame = answers({(wave, name): 4 if name == "org8" else 40 for wave in WAVES for name in NAMES})
    found = compare_sample(of_eight(frame=frame, smallest_of_all=10), SCALE, min_cell=3)
    means = found.means.set_index(["wave", "organisation"])
    kept = {name: share / 0.98 for name, share in SHARES.items() if name != "org8"}
    expected = sum(share * means["estimate"]["first", name] for name, share in kept.items())
    assert means["estimate"]["first", "all"] == pytest.approx(expected)
    assert means["note"]["first", "all"].endswith("over 7 of 8 organisations")
    gaps = found.contrasts.query("term == 'gap' and wave == 'first'").set_index("organisation")
    own = means["estimate"]["first", "org8"] - expected
    assert gaps["estimate"]["org8 - all"] == pytest.approx(own), "it is still compared with the others"
    assert (gaps["n"] == [280] * 7 + [284]).all()


def test_there_is_no_all_where_those_with_enough_answers_are_not_nearly_all() -> None:
    few = ("org5", "org6")  # 18% of staff
    frame = answers({(wave, name): 4 if name in few else 40 for wave in WAVES for name in NAMES})
    found = compare_sample(of_eight(frame=frame, smallest_of_all=10), SCALE)
    assert not found.means["organisation"].eq("all").any()
    assert set(found.contrasts["term"]) == {"change"}


def test_all_counts_who_answered_one_item() -> None:
    """A group whose counts are all small is not in it, though together they are more."""
    frame = answers({(wave, name): 40 for wave in WAVES for name in NAMES}).astype(
        dict.fromkeys(ITEMS, "Int8")
    )
    rows = frame.index[(frame["wave"] == "first") & (frame["organisation"] == "org8")]
    for number, item in enumerate(ITEMS):  # each statement by nine others
        frame.loc[rows[[place for place in range(40) if place // 9 != number]], item] = pd.NA
    note = compare_sample(of_eight(frame=frame, smallest_of_all=10), SCALE).means.set_index(
        ["wave", "organisation"]
    )
    assert note["n"]["first", "org8"] == 36
    assert "over 7 of 8" in note["note"]["first", "all"]
    assert "over 7 of 8" not in note["note"]["second", "all"]


def test_comparisons_with_all_are_one_family() -> None:
    contrasts = compare_sample(of_eight(), SCALE).contrasts
    variances = compare_sample(of_eight(), SCALE).variances
    decided = decide(contrasts, variances, standardised=0.2, percentage_points=5, against="all")
    gaps = decided.query("term == 'gap' and wave == 'first'")
    smallest = gaps["p_value"].min()
    assert gaps.loc[gaps["p_value"] == smallest, "p_adjusted"].item() == pytest.approx(8 * smallest)
    changes = decided.query("term == 'change' and organisation == 'org1'")
    assert changes["p_adjusted"].item() == changes["p_value"].item(), "a change is compared with nobody"


def test_overlap_of_one_with_all_is_by_two_sides() -> None:
    frame = answers({("first", name): 10 for name in NAMES})
    frame["role"] = ["a", "b"] * 5 + ["a"] * 40 + ["b"] * 30
    design = make_design(of_eight(frame=frame, waves=("first",), covariates=("role",)), SCALE)
    weights = {labels["organisation"]: on for labels, on in stated_contrasts(design)}
    assert overlap(design, weights["org1 - all"]) == 1, "both roles are on both sides"
    assert overlap(design, weights["org2 - all"]) == pytest.approx(45 / 80), "nobody in org2 is b"


def test_items_and_alphas_are_tested_all_at_once() -> None:
    for against, pairs in (("", 28), ("all", 0), ("org3", 7)):
        sample = of_eight(against)
        compared = dif(sample, SCALE, min_n=5)["organisation"]
        alphas = reliability(sample, SCALE, replicates=0).query(
            "term == 'alpha_difference' and wave == 'first'"
        )
        assert compared[compared.str.contains(" - ")].nunique() == pairs == len(alphas)
        assert compared.eq("all").any()


def test_five_organisations_are_compared_with_all_unless_it_is_said() -> None:
    assert Analysis().compared_with(4) == ""
    assert Analysis().compared_with(5) == "all"
    assert Analysis(comparisons="pairs").compared_with(200) == ""
    assert Analysis(comparisons="against_all").compared_with(2) == "all"
    assert Analysis(comparisons=Against(against="north")).compared_with(3) == "north"


def test_every_item_and_metric_follows_the_rule() -> None:
    found = compare_study(
        of_eight(),
        [SCALE],
        [replace(SCALE, items=("q1",))],
        pd.DataFrame({"scale": ["s"], "use": ["scale"], "reason": [""]}),
        standardised_effect=0.2,
        percentage_points=5,
    )
    for table in (found.contrasts, found.item_contrasts):
        gaps = table[table["term"].str.startswith("gap")]
        assert gaps["organisation"].str.endswith(" - all").all()
        assert gaps["status"].eq("ok").all()


def given_means(wave: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The oracle's means of a wave as a table of means, and what metafor makes of them."""
    theirs = pd.read_csv(ORACLE / "shrunken.csv").query("wave == @wave")
    own = theirs[theirs["organisation"] != "all"]
    rows = own[["wave", "organisation"]].assign(estimate=own["given"], std_error=own["given_error"], n=30)
    labels = {"analysis": "linear", "scale": "s", "term": "emmean"}
    return tidy(labels | row for row in rows.to_dict("records")), theirs


@pytest.mark.parametrize("wave", WAVES)
def test_shrunken_means_match_metafor(wave: str) -> None:
    means, theirs = given_means(wave)
    ours = shrunken_means(means)
    assert list(ours["term"]) == ["emmean_shrunken"] * 8 + ["emmean_between_sd"]
    for name in ("estimate", "std_error", "conf_low", "conf_high"):
        expected = theirs[name].to_numpy(dtype=float)
        assert np.allclose(ours[name], expected, rtol=1e-7, atol=0, equal_nan=True), name


def test_organisations_that_differ_by_chance_alone_are_one() -> None:
    found = pool_partially(np.array([1.0, 1.1, 0.9, 1.0]), np.full(4, 0.5))
    assert found.between == 0
    assert np.allclose(found.estimates, 1.0)
    assert np.allclose(found.errors, 0.25)


def test_of_two_organisations_and_of_what_is_withheld_nothing_is_pooled() -> None:
    means, _ = given_means("first")
    assert shrunken_means(means[:2]).empty
    gone = means.assign(status=["withheld"] * 6 + ["ok"] * 2)
    assert shrunken_means(gone).empty


def test_intervals_of_shrunken_means_cover() -> None:
    """Of twenty organisations, on the average over them, near to what is promised (Monte Carlo error .3)."""
    rng = np.random.default_rng(3)
    errors = np.exp(rng.uniform(np.log(0.05), np.log(0.4), 20))
    covered = []
    for _ in range(400):
        true = rng.normal(3, 0.2, 20)
        found = pool_partially(true + rng.normal(0, errors), errors)
        covered.append(np.abs(found.estimates - true) < 1.96 * found.errors)
    assert 0.92 < np.mean(covered) < 0.97


def test_shrunken_means_are_rounded_like_others() -> None:
    shown = shrunken_means(given_means("first")[0])
    rounded = digits.rounded(shown, digits.units(shown), of_some=np.zeros(len(shown), dtype=bool))
    assert rounded["estimate"].notna().all()
    assert (np.abs(rounded["estimate"] - shown["estimate"]) < 0.01).all()
