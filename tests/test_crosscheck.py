"""The key numbers computed again: all agree where they are right, and one that is wrong is found."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sampled import compare_study
from surveywaves.crosscheck import crosscheck
from surveywaves.disclosure.account import crosschecked
from surveywaves.reliability import reliability, usage
from surveywaves.sample import Sample, Scale

ITEMS = ("a", "b", "c", "d")
SCALES = (
    Scale("first", ITEMS[:3], {"a": 1, "b": -1, "c": 1}, (1, 5), favourable=(4, 5)),
    Scale("second", (*ITEMS[3:], "e"), {"d": 1, "e": 1}, (1, 5), favourable=(4, 5)),
)


def answers(tau: float = 0.8) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    size = 360
    frame = pd.DataFrame(
        {
            "wave": rng.choice(["w1", "w2", "w3"], size),
            "organisation": rng.choice(["north", "south"], size),
            "grade": rng.choice(["high", "low"], size),
            "weight": rng.uniform(0.5, 2.0, size),
            "team": [f"t{number}" for number in rng.integers(0, 40, size)],
        }
    )
    person = rng.normal(0, tau, size) + 0.3 * (frame["wave"] == "w3") - 0.2 * (frame["grade"] == "low")
    for item, key in {"a": 1, "b": -1, "c": 1, "d": 1, "e": 1}.items():
        value = np.clip(np.round(3.2 + person + rng.normal(0, 1, size)), 1, 5)
        frame[item] = np.where(rng.random(size) < 0.06, np.nan, value if key == 1 else 6 - value)
    frame.loc[frame["wave"] == "w1", "c"] = np.nan
    frame.loc[rng.random(size) < 0.05, "organisation"] = None
    return frame


def found(sample: Sample) -> dict[str, Any]:
    measured = pd.concat([reliability(sample, scale) for scale in SCALES], ignore_index=True)
    items = [
        Scale(scale.name, (item,), {item: scale.keys[item]}, scale.response_range, scale.favourable)
        for scale in SCALES
        for item in scale.items
    ]
    compared = compare_study(
        sample, SCALES, items, usage(measured), standardised_effect=0.2, percentage_points=5.0
    )
    tables = compared._asdict()
    del tables["diagnostics"]
    return {**tables, "reliability": measured}


SAMPLE = Sample(answers(), ("w1", "w2", "w3"), ("north", "south"), shares={"north": 0.4, "south": 0.6})


@pytest.fixture(scope="module")
def right() -> dict[str, Any]:
    return found(SAMPLE)


def verdicts(table: pd.DataFrame) -> dict[str, set[str]]:
    return {what: set(rows["verdict"]) for what, rows in table.groupby("what")}


def test_every_kind_of_number_agrees(right) -> None:
    checked = crosscheck(SAMPLE, SCALES, **right)
    assert set(checked["verdict"]) == {"agrees"}, checked[checked["verdict"] != "agrees"]
    kinds = {
        "adjusted",
        "alpha",
        "favourable",
        "favourable_error",
        "linear",
        "linear_variances",
        "ordinal_items",
    }
    assert set(checked["what"]) == kinds
    statements = right["item_contrasts"].query("analysis == 'favourable' and status == 'ok'")
    assert set(statements["item"]) == set(checked.query("what == 'favourable'")["item"]) - {""}
    assert {"all", "north", "south"} <= set(checked.query("what == 'favourable'")["organisation"])


@pytest.mark.parametrize(
    ("table", "rows", "column", "what"),
    [
        ("contrasts", "analysis == 'linear'", "estimate", "linear"),
        ("means", "analysis == 'favourable'", "estimate", "favourable"),
        ("contrasts", "analysis == 'favourable'", "std_error", "favourable_error"),
        ("item_contrasts", "analysis == 'ordinal' and item == 'a'", "estimate", "ordinal_items"),
        ("variances", "analysis == 'linear' and term == 'tau2'", "estimate", "linear_variances"),
        ("reliability", "term == 'alpha' and status == 'ok'", "estimate", "alpha"),
        ("contrasts", "p_adjusted < 1", "p_adjusted", "adjusted"),
    ],
)
def test_a_number_that_is_off_is_found(right, table: str, rows: str, column: str, what: str) -> None:
    wrong = right[table].copy()
    first = wrong[wrong[column].notna()].query(rows).index[0]
    wrong.loc[first, column] *= 1.05
    checked = crosscheck(SAMPLE, SCALES, **{**right, table: wrong})
    off = checked[checked["verdict"] == "differs"]
    assert set(off["what"]) >= {what}
    assert wrong.loc[first, column] in set(off["ours"])


def test_a_key_turned_round_is_found(right) -> None:
    keys = {**SCALES[0].keys, "b": 1}
    checked = crosscheck(SAMPLE, (replace(SCALES[0], keys=keys), SCALES[1]), **right)
    of_first = verdicts(checked[checked["scale"] == "first"])
    assert "differs" in of_first["linear"] & of_first["favourable"] & of_first["alpha"]


@pytest.mark.parametrize("changed", [{"covariates": ("grade",)}, {"weight": "weight"}, {"team": "team"}])
def test_what_statsmodels_cannot_do_is_said_and_the_rest_agrees(changed: dict[str, Any]) -> None:
    sample = replace(SAMPLE, **changed)
    checked = crosscheck(sample, SCALES, **found(sample))
    assert "differs" not in set(checked["verdict"]), checked[checked["verdict"] == "differs"]
    unchecked = checked[checked["verdict"] == "not_checked"]
    assert unchecked["note"].ne("").all() and unchecked["theirs"].isna().all()
    assert ("linear" in set(unchecked["what"])) == ("grade" not in sample.covariates)
    of_scales = checked[(checked["what"] == "favourable") & (checked["item"] == "")]
    assert len(of_scales) and (of_scales["verdict"] == "agrees").all()


def test_a_variance_of_zero_is_the_maximum_for_statsmodels_too() -> None:
    frame = answers(tau=0.0).assign(grade="low")
    rng = np.random.default_rng(2)
    for item in (*ITEMS, "e"):
        frame[item] = rng.integers(1, 6, len(frame)).astype(float)
    sample = replace(SAMPLE, frame=frame)
    numbers = found(sample)
    zero = numbers["variances"].query("analysis == 'linear' and term == 'tau2' and estimate == 0")
    checked = crosscheck(sample, SCALES, **numbers).query("what in ('linear', 'linear_variances')")
    assert len(zero) and set(checked["verdict"]) == {"agrees"}
    checked = checked[checked["term"] == "tau2"]
    assert (checked.set_index("scale").loc[list(zero["scale"]), "theirs"] == 0).all()


def test_beyond_a_size_nothing_is_claimed(right) -> None:
    checked = crosscheck(SAMPLE, SCALES, **right, at_most=100)
    assert verdicts(checked)["linear"] == verdicts(checked)["favourable"] == {"not_checked"}
    assert checked.loc[checked["what"] == "linear", "note"].eq("more than 100 respondents").all()


def test_of_many_organisations_the_first_are_checked(right, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("surveywaves.crosscheck.CELLS_AT_MOST", 4)
    checked = crosscheck(SAMPLE, SCALES, **right)
    assert verdicts(checked)["linear"] == verdicts(checked)["ordinal_items"] == {"not_checked"}
    agrees = checked[checked["verdict"] == "agrees"]
    assert set(agrees["what"]) == {"adjusted", "alpha", "favourable", "favourable_error"}
    assert set(agrees["organisation"]) == {"north", "all"}
    assert set(checked.loc[checked["what"] == "favourable", "organisation"]) > {"south", "north - south"}


@pytest.mark.parametrize("study", ["shipped", "everyday_life", "drawn"])
def test_all_numbers_of_a_study_agree_and_the_report_counts_them(study: str, whole_run) -> None:
    results = whole_run(study) / "results"
    checked = pd.read_parquet(results / "statistics/crosscheck.parquet")
    assert "differs" not in set(checked["verdict"]), checked[checked["verdict"] == "differs"]
    agrees = int((checked["verdict"] == "agrees").sum())
    text = re.sub("<[^>]+>", "", (results / "report/index.html").read_text(encoding="utf-8"))
    assert agrees and f"{agrees:,} agree, 0 differ" in text


def test_what_leaves_is_how_much_was_checked(right) -> None:
    shown = crosschecked(crosscheck(SAMPLE, SCALES, **right))
    assert list(shown.columns) == ["what", "agrees", "differs", "not_checked"]
    assert (shown["agrees"] > 0).all() and (shown[["differs", "not_checked"]] == 0).all(axis=None)
