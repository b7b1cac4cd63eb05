"""Diagnostics of the linear model: against lme4's residuals and refits in R; on hostile data."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from sampled import make_design
from surveywaves.mixed.design import Design
from surveywaves.mixed.diagnostics import diagnose
from surveywaves.mixed.lmm import fit_linear
from surveywaves.tidy import COLUMNS
from test_mixed_linear import ORACLE, R_TOLERANCE, options, oracle_design, respondents, simulated
from test_mixed_linear_teams import teamed

DIAGNOSTICS = pd.read_csv(ORACLE / "diagnostics.csv")


def diagnosed(frame: pd.DataFrame, **changed: object) -> pd.DataFrame:
    design = make_design(frame, **options(frame, **changed))
    return diagnose(design, fit_linear(design), scale="s").set_index("term")


@pytest.mark.parametrize("name", DIAGNOSTICS["set"].unique())
def test_diagnostics_match_lme4_and_refits_without_one_respondent_or_team(name: str) -> None:
    design = oracle_design(name)
    ours = diagnose(design, fit_linear(design), scale=name, min_cell=1).set_index("term")["estimate"]
    theirs = DIAGNOSTICS[DIAGNOSTICS["set"] == name].set_index("term")["estimate"]
    assert set(ours.index) == set(theirs.index)
    np.testing.assert_allclose(ours[theirs.index], theirs, **R_TOLERANCE)


def test_diagnostics_are_one_tidy_table_without_anybodys_row() -> None:
    design = make_design(frame := simulated(200), **options(frame))
    table = diagnose(design, fit_linear(design), scale="s")
    assert list(table.columns) == list(COLUMNS)
    assert table["term"].is_unique
    assert (table["n"] == round(design.persons.sum())).all()
    assert (table["organisation"] == "all").all()
    assert (table["scale"] == "s").all()


def test_normal_answers_have_normal_residuals_and_one_strange_respondent_shows() -> None:
    rng = np.random.default_rng(4)
    answers = 3 + rng.normal(0, 0.6, (400, 1)) + rng.normal(0, 0.9, (400, 4))
    usual = diagnosed(respondents(answers).round(1), response_range=(-50, 50))["estimate"]
    assert abs(usual["residual_skewness"]) < 0.3
    assert abs(usual["residual_excess_kurtosis"]) < 0.4
    assert usual["residuals_beyond_3_sd"] < 1
    answers[7] += 25
    strange = diagnosed(respondents(answers), response_range=(-50, 50))
    assert strange["estimate"]["max_cooks_distance"] > 5 * usual["max_cooks_distance"]
    assert strange["estimate"]["respondent_effect_skewness"] > 2
    assert strange["estimate"]["max_shift_change"] > 1
    # the eighth respondent is of the second wave and organisation y
    assert strange["note"]["max_shift_change"] == "leaving out one respondent; largest for second - first, y"


def test_answers_that_vary_more_in_one_cell_have_a_large_variance_ratio() -> None:
    rng = np.random.default_rng(4)
    frame = respondents(np.ones((400, 3)))
    spread = np.where((frame["wave"] == "second") & (frame["organisation"] == "y"), 2.0, 0.5)[:, None]
    frame[["i0", "i1", "i2"]] = spread * rng.normal(0, 1, (400, 3))
    assert diagnosed(frame, response_range=(-50, 50))["estimate"]["variance_ratio"] > 10


def test_somebody_without_whom_a_cell_is_empty_is_counted_and_not_left_out() -> None:
    frame = simulated(60, missing=0)
    alone = (frame["wave"] == "second") & (frame["organisation"] == "y")
    frame = frame[~alone | (alone.cumsum() <= 1)]
    found = diagnosed(frame)
    assert found["note"]["max_cooks_distance"].endswith(
        "; not 1 without whom a cell, item or covariate has no estimate"
    )
    assert math.isfinite(found["estimate"]["max_cooks_distance"])


def test_no_variance_between_respondents_has_no_skewness_of_them() -> None:
    rng = np.random.default_rng(8)
    found = diagnosed(respondents([rng.permutation([1, 2, 3, 4, 5]) for _ in range(40)]))
    assert found["status"]["respondent_effect_skewness"] == "not_estimable"
    assert found["note"]["respondent_effect_skewness"] == "no variance between respondents"
    assert found["status"]["residual_skewness"] == "ok"


@pytest.mark.parametrize("team", ["", "team"])
def test_failed_fit_has_the_same_rows_and_its_reason(team: str) -> None:
    same = diagnosed(respondents(np.full((20, 3), 4)).assign(team=["a", "b"] * 10), team=team)
    fine = diagnosed(teamed(60, 6), team=team)
    assert list(same.index) == list(fine.index)
    assert same["estimate"].isna().all()
    assert (same["status"] == "not_estimable").all()
    assert (same["note"] != "").all()


def test_design_without_contrasts_has_no_shifts() -> None:
    frame = simulated(60, missing=0)
    one = frame[(frame["wave"] == "first") & (frame["organisation"] == "x")]
    assert not diagnosed(one).index.str.startswith("max_shift").any()
    design = make_design(frame, **options(frame))
    too_small = diagnose(design, fit_linear(design), scale="s", min_cell=1_000).set_index("term")
    assert too_small["status"]["max_shift_gap"] == "not_estimable"
    assert too_small["note"]["max_shift_gap"] == "no such contrast has an estimate"


@pytest.mark.parametrize("team", ["", "team"])
def test_weights_of_one_change_little_but_standard_errors(team: str) -> None:
    frame = teamed(120, 15, missing=0.1).assign(one=1.0)
    plain, weighted = (diagnosed(frame, team=team, weight=weight)["estimate"] for weight in ("", "one"))
    unmoved = [term for term in plain.index if not term.startswith("max_shift")]
    np.testing.assert_allclose(plain[unmoved], weighted[unmoved], rtol=1e-8)
    np.testing.assert_allclose(plain, weighted, rtol=0.5)


def test_leaving_out_one_weighted_respondent_is_a_fit_without_them() -> None:
    rng = np.random.default_rng(2)
    frame = simulated(60, missing=0.1)
    frame[["i0", "i1", "i2", "i3"]] += rng.uniform(-0.4, 0.4, (60, 4))  # nobody alike
    frame["weight"] = rng.uniform(0.5, 2, 60)
    frame = frame[frame[["i0", "i1", "i2", "i3"]].notna().any(axis=1)]
    how = options(frame, response_range=(-9, 9), weight="weight")
    design = make_design(frame, **how)
    fit = fit_linear(design)
    ours = diagnose(design, fit, scale="s").set_index("term")["estimate"]["max_shift_gap"]
    moved = []
    for left_out in range(len(design.count)):
        # the same weights, none of them scaled again, and the same ratio
        count = design.count.copy()
        count[left_out] = 0.0
        coef = generalised_least_squares(design, count, fit.theta)
        for wave in (0, 2):
            vector = np.zeros(len(coef))
            vector[wave], vector[wave + 1] = 1, -1
            moved.append(abs(vector @ (coef - fit.coef)) / math.sqrt(vector @ fit.cov @ vector))
    assert ours == pytest.approx(max(moved), rel=1e-6)


def generalised_least_squares(design: Design, count: np.ndarray, theta: float) -> np.ndarray:
    """Coefficients at a given ratio, from every pattern's own matrices."""
    size = len(design.columns)
    information, right = np.zeros((size, size)), np.zeros(size)
    for pattern, weight in enumerate(count):
        group = design.group[pattern]
        base = design.group_rows(slice(group, group + 1))[0]
        base[design.item_columns] = 0
        rows, answers = [], []
        for item, code in enumerate(design.answers[pattern]):
            if code:
                one = base.copy()
                if item:
                    one[design.item_columns.start + item - 1] = 1
                rows.append(one)
                answers.append(design.levels[code - 1])
        x, k = np.array(rows), len(rows)
        inverse = np.eye(k) - theta / (1 + k * theta)
        information += weight * x.T @ inverse @ x
        right += weight * x.T @ inverse @ np.array(answers)
    return np.linalg.solve(information, right)
