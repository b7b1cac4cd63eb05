"""The tests of proportional odds and of dispersion: against ordinal's and an optimiser; where answers are few."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import chi2

from surveywaves.mixed.compare import judge_items
from surveywaves.mixed.design import make_design
from surveywaves.mixed.odds import check_odds
from surveywaves.sample import Sample, Scale

ORACLE = Path(__file__).parent / "oracle" / "favourable"
MANIFEST = pd.read_csv(ORACLE / "manifest.csv", dtype="str", keep_default_na=False).set_index("name")
ODDS = pd.read_csv(ORACLE / "odds.csv")


def both_tests(frame: pd.DataFrame, item: str, span: tuple[int, int] = (1, 5)) -> pd.DataFrame:
    waves, organisations = (tuple(sorted(frame[name].unique())) for name in ("wave", "organisation"))
    design = make_design(Sample(frame, waves, organisations), Scale("s", (item,), {item: 1}, span))
    return pd.DataFrame(check_odds(design)).set_index("term")


@pytest.mark.parametrize("name", ODDS["set"].unique())
def test_likelihood_ratios_match_ordinal(name: str) -> None:
    entry = MANIFEST.loc[name]
    frame = pd.read_csv(ORACLE / f"{entry['file']}.csv").astype({"wave": "str", "organisation": "str"})
    for item, wanted in ODDS[ODDS["set"] == name].groupby("item"):
        ours = both_tests(frame, item, (int(entry["low"]), int(entry["high"])))
        joined = wanted.dropna().set_index("term").join(ours.add_suffix("_ours"))
        assert len(joined) >= 1 and (joined["df"] == joined["df_ours"]).all()
        np.testing.assert_allclose(joined["estimate_ours"], joined["estimate"], rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(joined["p_value_ours"], joined["p_value"], rtol=1e-3, atol=1e-6)


def answered(counts: list[list[int]]) -> pd.DataFrame:
    rows = [
        {"wave": str(cell), "organisation": "x", "i0": level + 1}
        for cell, row in enumerate(counts)
        for level, number in enumerate(row)
        for _ in range(number)
    ]
    return pd.DataFrame(rows)


def test_likelihood_ratios_are_those_of_a_general_optimiser() -> None:
    counts = np.array([[30, 20, 20, 30, 11], [10, 40, 40, 10, 9], [5, 15, 60, 20, 30]])
    ours = both_tests(answered(counts.tolist()), "i0")

    def loglik(at: np.ndarray, *, scaled: bool) -> float:
        theta = np.cumsum([at[0], *np.exp(at[1:4])])
        shift, spread = np.append(0, at[4:6]), np.append(0, at[6:8] if scaled else [0, 0])
        below = expit((theta - shift[:, None]) * np.exp(-spread)[:, None])
        chance = np.diff(below, prepend=0, append=1, axis=1)
        return -float((counts * np.log(np.maximum(chance, 1e-300))).sum())

    start = np.array([-1.5, 0, 0, 0, 0, 0, 0, 0])
    one, other = (
        minimize(loglik_of, start, method="BFGS", options={"gtol": 1e-7}).fun
        for loglik_of in (lambda at: loglik(at, scaled=False), lambda at: loglik(at, scaled=True))
    )
    share = counts / counts.sum(axis=1, keepdims=True)
    nominal = 2 * (float((counts * np.log(share)).sum()) + one)
    assert ours.loc["proportional_odds", "estimate"] == pytest.approx(nominal, rel=1e-6)
    assert ours.loc["dispersion", "estimate"] == pytest.approx(2 * (one - other), rel=1e-6)
    assert ours.loc["proportional_odds", "p_value"] == pytest.approx(chi2.sf(nominal, 6), rel=1e-5)


def test_the_test_rejects_as_often_as_stated_where_the_model_is_true() -> None:
    rng, runs = np.random.default_rng(5), 300
    shift = np.repeat([0.0, 0.7, -0.4, 0.2], 60)
    found = []
    for _ in range(runs):
        latent = shift + rng.logistic(size=240)
        frame = pd.DataFrame({"wave": np.repeat(list("abcd"), 60), "organisation": "x"})
        frame["i0"] = np.digitize(latent, [-1, 0, 1]) + 1.0
        found.append(both_tests(frame, "i0")["p_value"])
    rejections = (pd.DataFrame(found) < 0.05).mean()
    assert rejections.between(0.01, 0.10).all(), rejections


@pytest.mark.parametrize(
    ("counts", "note"),
    [
        ([[5, 0, 0], [0, 5, 5], [4, 4, 4]], "few answers"),
        ([[0, 0, 9], [3, 4, 2], [4, 1, 4]], "few answers"),
        ([[0, 9, 0], [3, 4, 2], [4, 1, 4]], "few answers"),
        ([[9, 0, 0], [0, 0, 9]], "two levels only"),
        ([[9, 1, 4]], "fewer than two cells"),
        ([[1, 0, 0], [9, 1, 4]], "fewer than two cells"),
    ],
)
def test_sparse_tables_have_a_limit_or_a_reason(counts: list[list[int]], note: str) -> None:
    ours = both_tests(answered(counts), "i0")
    assert ours["note"].str.startswith(note).all()
    if note == "few answers":
        assert ours["estimate"].between(0, 60).all() and ours["p_value"].between(0, 1).all()
    else:
        assert set(ours["status"]) == {"not_estimable"}


@pytest.mark.parametrize(
    "counts",
    [
        [[1, 1, 0, 0], [0, 1, 0, 1], [0, 0, 2, 0], [0, 0, 0, 2], [0, 0, 2, 0], [2, 0, 0, 0]],  # singular
        [[0, 1, 0, 2], [0, 0, 2, 0], [0, 1, 0, 1], [1, 0, 0, 1], [3, 0, 0, 0], [0, 2, 0, 0]],  # overflow
    ],
)
def test_nearly_everybody_alike_is_a_limit_or_a_named_status(counts: list[list[int]]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ours = both_tests(answered(counts), "i0")
    fitted = ours["estimate"].notna()
    assert ours.loc[fitted, "p_value"].between(0, 1).all() and (ours["note"] != "").all()
    assert set(ours[~fitted].get("status", ())) <= {"not_converged"}


def test_items_are_adjusted_together_and_counted() -> None:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"wave": np.repeat(["a", "b"], 300), "organisation": "x"})
    frame["i0"] = np.digitize(rng.logistic(size=600), [-1, 0, 1]) + 1.0
    spread = np.repeat([1.0, 3.0], 300)
    frame["i1"] = np.digitize(rng.logistic(size=600) * spread, [-1, 0, 1]) + 1.0
    items = [Scale("s", (name,), {name: 1}, (1, 5), favourable=(4, 5)) for name in ("i0", "i1")]
    _, found = judge_items(
        Sample(frame, ("a", "b"), ("x",)), items, standardised_effect=0.2, percentage_points=5
    )
    assert found["item"].tolist() == ["i0", "i0", "i1", "i1"]
    for term in ("proportional_odds", "dispersion"):
        own = found[found["term"] == term].sort_values("p_value")
        assert own["estimate"].notna().sum() == 2 and (own["p_adjusted"] < 0.05).sum() == 1
        assert own["p_adjusted"].iloc[0] == pytest.approx(2 * own["p_value"].iloc[0])
