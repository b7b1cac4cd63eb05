"""Robust covariances of the linear mixed model: against clubSandwich; against the formula and known truth."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from sampled import make_design, mean_vector
from surveywaves.mixed.contrasts import estimates
from surveywaves.mixed.lmm import fit_linear
from surveywaves.terms import Status
from test_mixed_linear import (
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
from test_mixed_linear_teams import teamed
from test_mixed_linear_weights import names_in_r

ROBUST = pd.read_csv(ORACLE / "robust.csv")
COMBINATIONS = pd.read_csv(ORACLE / "combinations.csv")


@pytest.mark.parametrize("name", MANIFEST.index)
def test_coefficients_and_their_combinations_are_tested_as_by_clubsandwich(name: str) -> None:
    design = oracle_design(name)
    fit = fit_linear(design)
    theirs = ROBUST[ROBUST["set"] == name].set_index("column")
    combinations = COMBINATIONS[COMBINATIONS["set"] == name].pivot_table("weight", "number", "column")
    columns = names_in_r(design)
    vectors = pd.DataFrame(np.eye(len(columns)), index=columns, columns=columns)
    mixed = combinations.rename(index=str).reindex(columns=columns, fill_value=0.0)
    vectors = pd.concat([vectors, mixed]).loc[theirs.index].to_numpy()
    errors = [math.sqrt(vector @ fit.cov @ vector) for vector in vectors]
    ours = list(zip(vectors @ fit.coef, errors, fit.df(np.array(vectors)), strict=True))
    np.testing.assert_allclose(ours, theirs[["estimate", "std_error", "df"]], **R_TOLERANCE)


# --- against its own formula -----------------------------------------------------------------------------------


def power(matrix: np.ndarray, exponent: float) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * values**exponent) @ vectors.T


@pytest.mark.parametrize(("number", "sd"), [(14, 0.7), (40, 0.0)])
@pytest.mark.parametrize("sampled", [{}, {"first": 0.3, "second": 0.8}])
def test_covariance_and_degrees_of_freedom_are_those_of_whole_matrices(
    number: int, sd: float, sampled: dict[str, float]
) -> None:
    frame = simulated(number, items=3, sd=sd, missing=0.2, seed=2)
    design = make_design(frame, **options(frame, sampled=sampled))
    fit = fit_linear(design)
    x, y, owner = dense(design)
    v = fit.sigma2 * (np.eye(len(y)) + fit.theta * (owner[:, None] == owner))
    m = np.linalg.inv(x.T @ np.linalg.solve(v, x))
    rest = v - x @ m @ x.T
    contrast = np.linspace(-1, 2, len(fit.coef))
    g = np.zeros((len(y), owner.max() + 1))
    for one in range(owner.max() + 1):
        here = owner == one
        root = power(v[np.ix_(here, here)], 0.5)
        adjust = root @ power(root @ rest[np.ix_(here, here)] @ root, -0.5) @ root
        g[here, one] = adjust @ np.linalg.solve(v[np.ix_(here, here)], x[here]) @ m @ contrast
    wave = np.array([design.cells[cell][0] for cell in design.cell[design.group]])
    reach = [1 - sampled.get(one, 0.0) for one in np.repeat(wave, design.persons.astype(int))]
    g *= np.sqrt(reach)
    p = g.T @ rest @ g
    meat = g.T @ (y - x @ fit.coef)
    assert contrast @ fit.cov @ contrast == pytest.approx(meat @ meat, rel=1e-8)
    assert fit.df(contrast[None])[0] == pytest.approx(np.trace(p) ** 2 / (p**2).sum(), rel=1e-8)


def test_census_has_no_standard_errors_and_a_share_must_be_one() -> None:
    frame = simulated(60)
    contrasts = run(frame, sampled={"first": 1.0, "second": 1.0}).contrasts
    assert (contrasts["note"] == "its robust standard error is zero").all()
    with pytest.raises(ValueError, match="not between 0 and 1"):
        run(frame, sampled={"first": 1.2})


# --- against truth -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("team", ["", "team"])
def test_intervals_cover_where_one_cell_varies_twice_as_much(team: str) -> None:
    rng, runs = np.random.default_rng(3), 150
    cell = np.repeat(np.arange(4), [30, 120, 60, 120])
    waves, organisations = np.where(cell < 2, "first", "second"), np.where(cell % 2 == 0, "x", "y")
    sd = np.where(cell == 0, 1.4, 0.7)[:, None]
    teams = 6 * cell + np.arange(len(cell)) % 6
    covered = {True: 0, False: 0}
    for _ in range(runs):
        between = rng.normal(0, 0.4, 24)[teams, None] if team else 0.0
        answers = 3 + sd * rng.normal(size=(len(cell), 1)) + between + rng.normal(0, 0.9, (len(cell), 3))
        answers[rng.random(answers.shape) < 0.1] = np.nan
        frame = respondents(answers, waves=waves, organisations=organisations).assign(team=teams.astype(str))
        design = make_design(frame, **options(frame, response_range=(-30, 30), team=team))
        for how in covered:
            change = {("second", "x"): 1.0, ("first", "x"): -1.0}
            fit = fit_linear(design, robust=how)
            (found,) = estimates(design, fit, [change], confidence=0.95, min_cell=2)
            covered[how] += found["conf_low"] < 0 < found["conf_high"]
    assert covered[True] / runs == pytest.approx(0.95, abs=3 * math.sqrt(0.05 * 0.95 / runs))
    if not team:
        assert covered[False] / runs < 0.9


# --- hostile data ------------------------------------------------------------------------------------------------


def test_item_that_one_respondent_answered_is_no_part_of_what_is_estimated_without_them() -> None:
    frame = simulated(60, missing=0)
    frame["i3"] = frame["i3"].where(frame.index == 5)
    design = make_design(frame, **options(frame))
    fit = fit_linear(design)
    mean, change = mean_vector(design, "first", "x"), np.zeros(len(design.columns))
    change[[0, 2]] = -1, 1
    alone = "it rests on one respondent alone: its variance cannot be estimated"
    assert fit.obstacles(np.array([mean, change])) == [alone, ""]
    assert fit.df(change[None])[0] > 10


def test_cell_of_one_team_has_no_variance_and_says_so() -> None:
    frame = teamed(100, 20, missing=0)
    frame.loc[(frame["wave"] == "second") & (frame["organisation"] == "y"), "team"] = "lonely"
    means, contrasts, _ = run(frame, team="team")
    lost = row(means, "emmean", "second", "y")
    assert (lost["status"], lost["note"]) == (
        "not_estimable",
        "it rests on one team alone: its variance cannot be estimated",
    )
    assert row(contrasts, "change", "second - first", "x")["status"] == "ok"


def test_answers_that_agree_nearly_perfectly_have_finite_errors() -> None:
    answers = np.repeat(np.tile(np.arange(1, 6), 12)[:, None], 3, axis=1)
    answers[0, 0] = 2
    fit = fit_linear(make_design(frame := respondents(answers), **options(frame)))
    assert fit.status is Status.OK
    vector = np.eye(len(fit.coef))[0]
    assert math.sqrt(vector @ fit.cov @ vector) == pytest.approx(
        math.sqrt(vector @ fit.model_cov @ vector), rel=0.5
    )
    assert 5 < fit.df(vector[None])[0] < 60
