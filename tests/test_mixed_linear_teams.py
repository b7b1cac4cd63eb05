"""Respondents nested in teams: against lme4 (with the sets of test_mixed_linear) and the formula; hostile teams.

The sets with teams are in the manifest, so test_mixed_linear compares their means, contrasts and variances too.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sampled import make_design
from surveywaves.mixed.design import Design
from surveywaves.mixed.lmm import LinearFit, fit_linear
from surveywaves.mixed.profile import crossing
from surveywaves.mixed.reml import Deviance
from surveywaves.mixed.sums import independent_columns, sum_teams, sum_up
from surveywaves.terms import Status
from test_mixed_linear import (
    FORMULA_TOLERANCE,
    MANIFEST,
    ORACLE,
    R_TOLERANCE,
    dense,
    options,
    oracle_design,
    respondents,
    row,
    run,
    simulated,
)

CONTESTS = pd.read_csv(ORACLE / "contests.csv")
TEAMS = [name for name in MANIFEST.index if MANIFEST.loc[name, "team"]]


def teamed(number: int, teams: int, *, sd: float = 0.5, seed: int = 1, **changed: Any) -> pd.DataFrame:
    """Respondents of `simulated`, allotted to teams at random, their answers moved by the team."""
    frame = simulated(number, seed=seed, **changed)
    rng = np.random.default_rng(seed + 1)
    team = rng.integers(0, teams, number)
    effect = rng.normal(0, sd, teams)[team]
    for name in [name for name in frame.columns if name.startswith("i")]:
        frame[name] = (frame[name] + np.round(effect)).clip(1, 5).astype("Int8")
    return frame.assign(team=[f"team {one}" for one in team])


def design_of(frame: pd.DataFrame, **changed: Any) -> Design:
    return make_design(frame, **options(frame, **({"team": "team"} | changed)))


def dense_nested(design: Design, fit: LinearFit, sigma2: float, tau2: float, tau2_team: float) -> float:
    """REML deviance as in the textbook, with the n x n covariance matrix."""
    x, y, owner = dense(design)
    x = x[:, fit.kept]
    team = np.repeat(design.team[design.group], design.persons.astype(int))[owner]
    v = sigma2 * np.eye(len(y)) + tau2 * (owner[:, None] == owner) + tau2_team * (team[:, None] == team)
    inverse = np.linalg.inv(v)
    information = x.T @ inverse @ x
    rest = y - x @ np.linalg.solve(information, x.T @ inverse @ y)
    determinants = np.linalg.slogdet(v)[1] + np.linalg.slogdet(information)[1]
    return float((len(y) - x.shape[1]) * math.log(2 * math.pi) + determinants + rest @ inverse @ rest)


# --- against R ---------------------------------------------------------------------------------------------


def test_oracle_has_teams_of_every_kind() -> None:
    assert {"leadership", "attitudes", "pupils", "judges", "simulated", "unteamed"} == set(TEAMS)
    answers = pd.read_csv(ORACLE / "answers.csv")
    tau2_team = answers[answers["term"] == "tau2_team"].set_index("set")["estimate"]
    assert tau2_team["unteamed"] == 0, "a variance between teams on its boundary"
    assert (tau2_team.drop("unteamed") > 0).all()
    few = answers[(answers["set"] == "judges") & (answers["term"] == "emmean")]
    assert (few["df"] < 30).all(), "degrees of freedom that matter"


@pytest.mark.parametrize("name", CONTESTS["set"].unique())
def test_any_combination_of_coefficients_is_tested_as_by_lmertest(name: str) -> None:
    design = oracle_design(name)
    fit = fit_linear(design, robust=False)
    ours = [f"cell{wave} | {organisation}" for wave, organisation in design.cells]
    ours += [column.replace("[", "", 1).removesuffix("]") for column in design.columns[len(ours) :]]
    for _, stated in CONTESTS[CONTESTS["set"] == name].groupby("number"):
        vector = np.zeros(len(ours))
        vector[[ours.index(column) for column in stated["column"]]] = stated["weight"]
        found = [vector @ fit.coef, math.sqrt(vector @ fit.cov @ vector), fit.df(vector[None])[0]]
        np.testing.assert_allclose(
            found, stated.iloc[0][["estimate", "std_error", "df"]].tolist(), **R_TOLERANCE
        )


# --- against its own formula -----------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    number=st.sampled_from([3, 6, 12, 20, 30]),
    items=st.integers(1, 3),
    teams=st.integers(1, 8),
    missing=st.sampled_from([0.0, 0.3]),
    sd=st.sampled_from([0.0, 0.7]),
    team_sd=st.sampled_from([0.0, 1.5]),
)
def test_small_fits_are_the_maximum_of_the_textbook_likelihood_or_say_why_not(
    *, seed: int, number: int, items: int, teams: int, missing: float, sd: float, team_sd: float
) -> None:
    rng = np.random.default_rng(seed)
    team = rng.integers(0, teams, number)
    mean = 3 + rng.normal(0, team_sd, teams)[team, None] + rng.normal(0, sd, (number, 1))
    answers = np.clip(np.round(mean + rng.normal(0, 1, (number, items))), 1, 5)
    answers[rng.random(answers.shape) < missing] = np.nan
    frame = respondents(answers).assign(team=[f"t{one}" for one in team])
    design = design_of(frame)
    fit = fit_linear(design)
    rows = fit.variances(0.95)
    assert {"tau2_team", "icc_team"} <= {row["term"] for row in rows}
    if fit.status not in (Status.OK, Status.BOUNDARY):
        assert fit.note
        assert np.isnan(fit.coef).all()
        return
    for found in rows[:-1]:
        if math.isfinite(found.get("conf_low", math.nan)):
            assert found["conf_low"] < found["estimate"] < found["conf_high"], found
    tau2, tau2_team = (0.0 if math.isnan(part) else part for part in (fit.tau2, fit.tau2_team))
    best = dense_nested(design, fit, fit.sigma2, tau2, tau2_team)
    assert -2 * fit.loglik == pytest.approx(best, rel=1e-8, abs=1e-7)
    nudge = 0.03 * fit.sigma2
    for s, t, v in [
        (1.1, 1, 1),
        (0.9, 1, 1),
        (1, 1.2, 1),
        (1, 0.8, 1),
        (1, 1, 1.2),
        (1, 1, 0.8),
        (1, 0.5, 2),
    ]:
        other_t = tau2 * t + (nudge if t > 1 and tau2 == 0 and not math.isnan(fit.tau2) else 0)
        other_v = tau2_team * v + (nudge if v > 1 and tau2_team == 0 and not math.isnan(fit.tau2_team) else 0)
        assert dense_nested(design, fit, fit.sigma2 * s, other_t, other_v) >= best - 1e-7


def test_derivatives_of_the_deviance_are_those_of_the_textbook() -> None:
    design = design_of(teamed(24, 5, missing=0.2))
    fit = fit_linear(design)
    sums = sum_up(design)
    kept, _, scale = independent_columns(sums.total[:-1, :-1])
    nested = Deviance(sums, sum_teams(design, sums), kept, scale)
    point = nested.at(np.array([0.4, 0.3]))
    place = np.array([point.sigma2, 0.4, 0.3])

    def deviance(x: np.ndarray) -> float:
        return dense_nested(design, fit, x[0], x[0] * x[1], x[0] * x[2])

    axes = np.eye(3) * 1e-3
    slope = [(deviance(place + a) - deviance(place - a)) / 2e-3 for a in axes]
    np.testing.assert_allclose(point.slope, slope[1:], rtol=1e-4)
    hessian = [
        [
            deviance(place + a + b)
            - deviance(place + a - b)
            - deviance(place - a + b)
            + deviance(place - a - b)
            for b in axes
        ]
        for a in axes
    ]
    # differences of step 1e-3 are right to about its square
    np.testing.assert_allclose(nested.hessian(point), np.array(hessian) / 4e-6, rtol=1e-3)


def test_one_respondent_a_team_is_the_model_without_teams() -> None:
    frame = simulated(60)
    alone = fit_linear(design_of(frame.assign(team=[f"team {one}" for one in range(60)])))
    without = fit_linear(design_of(frame, team=""))
    for name in ("coef", "cov", "sigma2", "tau2", "loglik"):
        np.testing.assert_allclose(getattr(alone, name), getattr(without, name), **FORMULA_TOLERANCE)
    rows = {row["term"]: row for row in alone.variances(0.95)}
    assert rows["tau2_team"]["status"] == "not_estimable"
    assert "no team has two respondents" in rows["tau2_team"]["note"]
    assert math.isnan(rows["tau2_team"]["estimate"])
    assert rows["tau2"]["estimate"] == without.tau2


def test_teams_without_a_variance_leave_the_model_without_teams() -> None:
    frame = teamed(200, 12, sd=0.0, seed=3)
    fit, without = fit_linear(design_of(frame)), fit_linear(design_of(frame, team=""))
    assert fit.status is Status.BOUNDARY
    assert fit.note == "the variance between teams is estimated as zero"
    np.testing.assert_allclose(fit.coef, without.coef, **FORMULA_TOLERANCE)
    np.testing.assert_allclose(fit.model_cov, without.model_cov, **FORMULA_TOLERANCE)
    fit, without = (fit_linear(design_of(frame, team=team), robust=False) for team in ("team", ""))
    contrast = np.eye(len(fit.coef))[0]
    assert fit.df(contrast[None])[0] == pytest.approx(without.df(contrast[None])[0], rel=1e-8)


def test_respondents_without_a_variance_and_both_without_one_are_boundaries_that_say_which() -> None:
    rng = np.random.default_rng(8)
    permuted = np.array([rng.permutation([1, 2, 3, 4, 5]) for _ in range(40)], dtype=np.float64)
    neither = fit_linear(design_of(respondents(permuted).assign(team=["a", "b", "c", "d", "e"] * 8)))
    assert (neither.status, neither.tau2, neither.tau2_team) == (Status.BOUNDARY, 0, 0)
    assert neither.note == "the variances between respondents and between teams are estimated as zero"
    team = np.arange(40) % 8
    moved = respondents(permuted + (team // 2)[:, None]).assign(team=[f"t{one}" for one in team])
    respondent = fit_linear(design_of(moved, response_range=(1, 9)))
    assert (respondent.status, respondent.tau2) == (Status.BOUNDARY, 0)
    assert respondent.tau2_team > 0.1
    assert respondent.note == "the variance between respondents is estimated as zero"


# --- hostile teams ----------------------------------------------------------------------------------------------


def test_one_team_has_contrasts_but_no_means() -> None:
    frame = simulated(80).assign(team="only")
    means, contrasts, variances = run(frame, team="team")
    assert (means["status"] == "not_estimable").all()
    assert means["note"].str.contains("the variance between teams cannot be estimated").all()
    without = run(frame).contrasts
    for name in ("estimate", "std_error", "df", "p_value"):
        np.testing.assert_allclose(contrasts[name], without[name], **FORMULA_TOLERANCE)
    assert row(variances, "tau2_team")["status"] == "not_estimable"
    assert math.isnan(row(variances, "tau2_team")["estimate"])
    assert row(variances, "sigma2")["estimate"] > 0


def test_teams_that_are_the_cells_leave_nothing_to_compare() -> None:
    frame = simulated(80)
    means, contrasts, variances = run(frame.assign(team=frame["wave"] + frame["organisation"]), team="team")
    for table in (means, contrasts):
        assert (table["status"] == "not_estimable").all()
        assert table["note"].str.contains("teams differ only as the cells").all()
        assert table["estimate"].isna().all()
    assert math.isnan(row(variances, "tau2_team")["estimate"])


def test_teams_that_are_the_organisations_leave_changes_but_no_gaps() -> None:
    frame = simulated(80)
    _, contrasts, _ = run(frame.assign(team=frame["organisation"]), team="team")
    gaps = contrasts["term"] == "gap"
    assert (contrasts.loc[gaps, "status"] == "not_estimable").all()
    assert (contrasts.loc[~gaps, "status"] == "ok").all()
    without = run(frame).contrasts
    np.testing.assert_allclose(contrasts.loc[~gaps, "std_error"], without.loc[~gaps, "std_error"], rtol=1e-8)


def test_one_item_with_teams_is_a_random_intercept_a_team() -> None:
    frame = teamed(120, 10, sd=1.0, items=1, missing=0)
    fit = fit_linear(design_of(frame))
    assert math.isnan(fit.tau2)
    assert fit.tau2_team > 0
    best = dense_nested(design_of(frame), fit, fit.sigma2, 0.0, fit.tau2_team)
    assert -2 * fit.loglik == pytest.approx(best, rel=1e-9)
    rows = {row["term"]: row for row in fit.variances(0.95)}
    assert rows["tau2"]["status"] == rows["icc"]["status"] == "not_estimable"
    assert rows["icc_team"]["conf_low"] < rows["icc_team"]["estimate"] < rows["icc_team"]["conf_high"]


def test_those_without_a_team_are_left_out_and_counted() -> None:
    frame = teamed(100, 8, missing=0)
    frame.loc[:6, "team"] = None
    note = row(run(frame, team="team").variances, "n_respondents")["note"]
    assert note == "left out: 7 team missing"


def test_order_of_respondents_and_names_of_teams_do_not_matter() -> None:
    frame = teamed(150, 9)
    renamed = frame.assign(team=frame["team"].str[::-1]).sample(frac=1, random_state=3)
    one, other = fit_linear(design_of(frame)), fit_linear(design_of(renamed))
    for name in ("coef", "cov", "tau2", "tau2_team", "loglik"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-8, atol=1e-10)


# --- intervals ----------------------------------------------------------------------------------------------------


def test_interval_covers_more_the_higher_the_confidence() -> None:
    fit = fit_linear(design_of(teamed(150, 12)))
    wide, narrow = (pd.DataFrame(fit.variances(level)).set_index("term") for level in (0.99, 0.8))
    for term in ("sigma2", "tau2", "tau2_team", "icc", "icc_team", "total_sd"):
        near_zero = term in ("tau2_team", "icc_team")  # twelve teams: within the margin of error from 0
        lower = 0 if near_zero else narrow.loc[term, "conf_low"]
        assert (wide.loc[term, "conf_low"] < lower) != near_zero
        assert lower == narrow.loc[term, "conf_low"] < narrow.loc[term, "estimate"]
        assert wide.loc[term, "conf_high"] > narrow.loc[term, "conf_high"] > narrow.loc[term, "estimate"]


@pytest.mark.parametrize(
    ("above", "inside", "outside", "onwards", "end"),
    [
        (lambda x: x**2 - 9, 1.0, 2.0, (4.0, 1e3), 3.0),
        (lambda x: x**2 - 9, 1.0, 3.0, (4.0, 1e3), 3.0),
        (lambda x: 4 - x**2, 5.0, 4.0, (0.5, 1e-3), 2.0),
        (lambda _: -1.0, 1.0, 2.0, (4.0, 1e3), math.inf),
        (lambda _: -1.0, 1.0, 0.5, (0.5, 1e-3), math.inf),
        (lambda x: -1.0 if x < 5 else math.nan, 1.0, 2.0, (4.0, 1e3), math.nan),
        (lambda x: x**2 - 9 if x < 2 or x > 4 else math.nan, 1.0, 8.0, (4.0, 1e3), math.nan),
    ],
)
def test_line_is_crossed_where_it_is_or_not_at_all(
    above: Callable[[float], float], inside: float, outside: float, onwards: tuple[float, float], end: float
) -> None:
    found = crossing(above, inside, outside, factor=onwards[0], most=onwards[1], xtol=1e-12)
    assert found == pytest.approx(end, nan_ok=True)


def test_intervals_of_variances_cover_the_truth_as_often_as_stated() -> None:
    rng = np.random.default_rng(5)
    runs, covered = 150, {"sigma2": 0, "tau2": 0, "icc": 0}
    truth = {"sigma2": 0.81, "tau2": 0.36, "icc": 0.36 / 1.17}
    for _ in range(runs):
        frame = respondents(np.ones((40, 3)))
        frame[["i0", "i1", "i2"]] = 3 + rng.normal(0, 0.6, (40, 1)) + rng.normal(0, 0.9, (40, 3))
        fit = fit_linear(make_design(frame, **options(frame, response_range=(-20, 20))))
        for found in fit.variances(0.95):
            if found["term"] in truth:
                covered[found["term"]] += found["conf_low"] < truth[found["term"]] < found["conf_high"]
    error = math.sqrt(0.05 * 0.95 / runs)
    for term, times in covered.items():
        assert times / runs == pytest.approx(0.95, abs=3 * error), term
