"""Raking: against R's loglin; against what defines it; what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surveywaves.weighting import CLOSE, Raking, rake

ORACLE = Path(__file__).parent / "oracle" / "sensitivity"
RAKING = pd.read_csv(ORACLE / "raking.csv", dtype="str", keep_default_na=False)
MARGINS = pd.read_csv(ORACLE / "margins.csv", dtype="str", keep_default_na=False)

R_TOLERANCE = 1e-9
"""Shares; ours stop when no margin is off by more than 1e-10, loglin at 1e-13. The largest deviation is 1e-10."""


def oracle(name: str) -> tuple[pd.DataFrame, dict[str, dict[str, float]], np.ndarray, np.ndarray]:
    """A set's respondents, its margins, each respondent's cell, and the cells' shares by R."""
    cells = RAKING[RAKING["set"] == name].reset_index(drop=True)
    of = np.repeat(np.arange(len(cells)), cells["count"].astype(float).astype(int))
    margins = {
        variable: dict(zip(found["level"], found["population"].astype(float), strict=True))
        for variable, found in MARGINS[MARGINS["set"] == name].groupby("variable", sort=False)
    }
    return (
        cells.loc[of, list(margins)].reset_index(drop=True),
        margins,
        of,
        cells["share"].astype(float).to_numpy(),
    )


def met(frame: pd.DataFrame, margins: dict[str, dict[str, float]], weights: np.ndarray) -> float:
    """The largest difference between a weighted and a known share, of those who state the variable."""
    worst = 0.0
    for variable, shares in margins.items():
        stated = frame[variable].notna().to_numpy()
        for level, share in shares.items():
            has = (frame[variable] == level).to_numpy(dtype=bool, na_value=False)
            found = weights[has].sum() / weights[stated].sum()
            worst = max(worst, abs(found - share / sum(shares.values())))
    return worst


def weighted(frame: pd.DataFrame, margins: dict[str, dict[str, float]], **options: object) -> Raking:
    found = rake(frame, margins, **options)
    assert isinstance(found, Raking), found
    return found


@pytest.mark.parametrize("name", ["HairEyeColor", "Titanic"])
def test_weights_are_those_of_loglin(name: str) -> None:
    frame, margins, of, shares = oracle(name)
    found = weighted(frame, margins)
    ours = np.bincount(of, weights=found.weights, minlength=len(shares)) / found.weights.sum()
    assert np.abs(ours - shares).max() < R_TOLERANCE
    assert (shares > 0).sum() > 20


def test_who_does_not_state_a_variable_keeps_the_share_that_they_have_as_in_loglin() -> None:
    frame, margins, of, shares = oracle("not_stated")
    unstated = frame["v2"] == "Hazel"
    frame["v2"] = frame["v2"].mask(unstated)
    margins["v2"] = {level: n for level, n in margins["v2"].items() if level != "Hazel"}
    found = weighted(frame, margins)
    ours = np.bincount(of, weights=found.weights, minlength=len(shares)) / found.weights.sum()
    assert np.abs(ours - shares).max() < R_TOLERANCE
    assert found.weights[unstated].sum() / len(frame) == pytest.approx(unstated.mean(), abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(8, 200), st.booleans())
def test_margins_are_met_and_weights_are_products_of_one_factor_a_level(
    seed: int, size: int, some_missing: bool
) -> None:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {"a": rng.choice(["p", "q"], size), "b": rng.choice(["r", "s", "t"], size)}, dtype="str"
    )
    # every combination at least once, so that any margins can be met together
    every = [(a, b) for a in ("p", "q") for b in (*"rst", *([None] if some_missing else []))]
    frame = pd.concat([frame, pd.DataFrame(every, columns=["a", "b"], dtype="str")], ignore_index=True)
    if some_missing:
        frame.loc[: size // 4, "b"] = None
    margins = {
        "a": {"p": 1.0, "q": rng.uniform(0.1, 10)},
        "b": {"r": 200, "s": 100, "t": rng.uniform(5, 900)},
    }
    base = rng.uniform(0.2, 3, len(frame))
    found = weighted(frame, margins, base=base)
    assert found.distance <= CLOSE
    assert met(frame, margins, found.weights) < 1e-8
    assert found.weights.mean() == pytest.approx(1)
    # iterative proportional fitting keeps every odds ratio: log factors are additive in the levels
    factor = np.log(found.weights / base)
    dummies = pd.get_dummies(frame.fillna("none"), dtype=float).to_numpy()
    residual = factor - dummies @ np.linalg.lstsq(dummies, factor, rcond=None)[0]
    assert np.abs(residual).max() < 1e-8


def test_margins_may_be_counts_or_shares() -> None:
    frame, margins, _, _ = oracle("HairEyeColor")
    as_shares = {
        name: {level: n / sum(levels.values()) for level, n in levels.items()}
        for name, levels in margins.items()
    }
    assert np.allclose(weighted(frame, margins).weights, weighted(frame, as_shares).weights, atol=1e-9)


def test_margins_that_are_met_already_leave_the_weights() -> None:
    frame = pd.DataFrame({"a": ["p", "q", "q", "q"]}, dtype="str")
    found = weighted(frame, {"a": {"p": 25, "q": 75}})
    assert (found.weights == 1).all()
    assert (found.rounds, found.design_effect) == (0, 1.0)


def test_the_design_effect_is_kishs() -> None:
    frame = pd.DataFrame({"a": ["p", "q", "q", "q"]}, dtype="str")
    found = weighted(frame, {"a": {"p": 1, "q": 1}})
    # one weighs 2, three weigh 2/3: 4 (4 + 4/3) / 16
    assert found.weights == pytest.approx([2, 2 / 3, 2 / 3, 2 / 3])
    assert found.design_effect == pytest.approx(4 / 3)


def test_who_weighs_nothing_at_first_weighs_nothing_at_last() -> None:
    frame = pd.DataFrame({"a": ["p", "q", "q", "z"]}, dtype="str")
    found = weighted(frame, {"a": {"p": 1, "q": 1}}, base=np.array([1.0, 1, 1, 0]))
    assert found.weights == pytest.approx([1.5, 0.75, 0.75, 0])


@pytest.mark.parametrize(
    ("answers", "margins", "reason"),
    [
        ({"a": ["p", "p"]}, {"a": {"p": 1, "q": 1}}, "no respondent of a: q"),
        ({"a": ["p", "z"]}, {"a": {"p": 1}}, "a has no margin for: z"),
        ({"a": []}, {"a": {"p": 1}}, "nobody to weight"),
        ({"a": [None, None]}, {"a": {"p": 1}}, "no respondent of a: p"),
        # whoever is p is r, so both cannot have different shares
        (
            {"a": ["p", "q"], "b": ["r", "s"]},
            {"a": {"p": 1, "q": 1}, "b": {"r": 1, "s": 3}},
            "the margins cannot be met together",
        ),
    ],
)
def test_weights_that_there_are_none_of_are_refused_with_the_reason(
    answers: dict[str, list[str]], margins: dict[str, dict[str, float]], reason: str
) -> None:
    found = rake(pd.DataFrame(answers, dtype="str"), margins, most=200)
    assert isinstance(found, str)
    assert found.startswith(reason)


def test_what_are_no_weights_or_margins_is_an_error() -> None:
    frame = pd.DataFrame({"a": ["p", "q"]}, dtype="str")
    for base in (np.array([1.0, -1]), np.array([1.0, np.nan]), np.ones(3)):
        with pytest.raises(ValueError, match="first weights"):
            rake(frame, {"a": {"p": 1, "q": 1}}, base=base)
    for margins in ({}, {"a": {}}, {"a": {"p": 0.0, "q": 1}}):
        with pytest.raises(ValueError, match="margins"):
            rake(frame, margins)
