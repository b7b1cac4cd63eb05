"""Diagnostics of the linear model: against lme4's residuals, and its fits to each cell; on hostile data."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sampled import make_design
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
def test_moments_match_lme4_and_cells_variances_a_fit_to_each_cell(name: str) -> None:
    design = oracle_design(name)
    ours = diagnose(design, fit_linear(design), scale=name, min_cell=2)
    ours = ours.set_index(["term", "wave", "organisation"])["estimate"]
    theirs = DIAGNOSTICS[DIAGNOSTICS["set"] == name].set_index(["term", "wave", "organisation"])["estimate"]
    np.testing.assert_allclose(ours[theirs.index], theirs, **R_TOLERANCE)


def test_oracle_has_cells_that_differ_and_a_variance_of_zero() -> None:
    cells = DIAGNOSTICS[DIAGNOSTICS["wave"] != "all"].set_index(["set", "term"])["estimate"]
    assert cells["leaders", "tau2"].eq(0).any()
    assert cells["bfi", "tau2"].max() > 1.5 * cells["bfi", "tau2"].min()


def test_tests_of_equal_spread_are_levenes_and_an_analysis_of_variance() -> None:
    rng = np.random.default_rng(4)
    frame = respondents(3 + rng.normal(0, 0.6, (400, 1)) + rng.normal(0, 0.9, (400, 4)))
    design = make_design(frame, **options(frame, response_range=(-50, 50)))
    fit = fit_linear(design)
    found = diagnose(design, fit, scale="s").set_index("term")
    # nothing is missing: residuals are the answers less their cells' and items' means
    answers = frame.filter(like="i").drop(columns="organisation").to_numpy(dtype=np.float64)
    cell = (frame["wave"] + frame["organisation"]).to_numpy()
    rest = answers - answers.mean(axis=0)
    mean = rest.mean(axis=1)
    distance = np.abs(rest - mean[:, None]).mean(axis=1)
    cells = [cell == one for one in np.unique(cell)]
    for term, (statistic, p_value) in {
        "equal_tau2": stats.levene(*(mean[here] for here in cells), center="median"),
        "equal_sigma2": stats.f_oneway(*(distance[here] for here in cells)),
    }.items():
        assert found["estimate"][term] == pytest.approx(statistic, rel=1e-6)
        assert found["p_value"][term] == pytest.approx(p_value, rel=1e-6)
        assert found["df"][term] == 396


def unequal(rng: np.random.Generator, sd: float) -> pd.DataFrame:
    """A small cell whose respondents differ by `sd`, and three where by .7; skewed, one answer in ten missing."""
    cell = np.repeat(np.arange(4), [40, 90, 90, 180])
    person = np.where(cell == 0, sd, 0.7) * (rng.exponential(size=len(cell)) - 1)
    answers = 3 + person[:, None] + rng.normal(0, 0.9, (len(cell), 4))
    answers[rng.random(answers.shape) < 0.1] = np.nan
    waves, organisations = np.where(cell < 2, "first", "second"), np.where(cell % 2 == 0, "x", "y")
    return respondents(answers, waves=waves, organisations=organisations)


def test_spread_that_differs_shows_and_spread_that_does_not_seldom_does() -> None:
    rng, runs, found = np.random.default_rng(6), 60, {0.7: 0, 1.4: 0}
    for sd in found:
        for _ in range(runs):
            table = diagnosed(unequal(rng, sd), response_range=(-50, 50))
            assert {"tau2", "sigma2"} <= set(table.index)
            found[sd] += table["p_value"]["equal_tau2"] < 0.05
    assert found[0.7] / runs < 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)
    assert found[1.4] / runs > 0.6
    table = diagnosed(unequal(rng, 1.4), response_range=(-50, 50)).reset_index()
    tau2 = table[table["term"] == "tau2"].set_index(["wave", "organisation"])["estimate"]
    assert tau2["first", "x"] > 1.5 * tau2.drop(("first", "x")).max()


def test_diagnostics_are_one_tidy_table_without_anybodys_row() -> None:
    design = make_design(frame := simulated(200), **options(frame))
    table = diagnose(design, fit_linear(design), scale="s")
    assert list(table.columns) == list(COLUMNS)
    assert not table.duplicated(["term", "wave", "organisation"]).any()
    everybody = table["wave"] == "all"
    assert (table.loc[everybody, "n"] == round(design.persons.sum())).all()
    cells = table[~everybody].groupby(["wave", "organisation"])["n"].first()
    assert cells.tolist() == design.respondents.tolist()
    assert (table["scale"] == "s").all()


def test_one_strange_respondent_shows_in_the_moments() -> None:
    rng = np.random.default_rng(4)
    answers = 3 + rng.normal(0, 0.6, (400, 1)) + rng.normal(0, 0.9, (400, 4))
    usual = diagnosed(respondents(answers).round(1), response_range=(-50, 50))["estimate"]
    assert abs(usual["residual_skewness"]) < 0.3
    assert abs(usual["residual_excess_kurtosis"]) < 0.4
    answers[7] += 25
    assert (
        diagnosed(respondents(answers), response_range=(-50, 50))["estimate"]["respondent_effect_skewness"]
        > 2
    )


def test_cells_too_small_or_empty_have_no_variances_and_say_why() -> None:
    frame = simulated(60, missing=0)
    small = (frame["wave"] == "second") & (frame["organisation"] == "y")
    frame = frame[~small | (small.cumsum() <= 3)]
    frame = frame[(frame["wave"] != "first") | (frame["organisation"] != "x")]
    design = make_design(frame, **options(frame))
    table = diagnose(design, fit_linear(design), scale="s", min_cell=5).set_index(
        ["term", "wave", "organisation"]
    )
    empty, few = table.loc[("tau2", "first", "x")], table.loc[("sigma2", "second", "y")]
    assert (empty["status"], empty["note"]) == ("not_estimable", "nobody answered")
    assert (few["status"], few["note"]) == ("too_few", "fewer than 5 respondents")
    assert table.loc[("equal_tau2", "all", "all"), "note"] == "over 2 cells"


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


@pytest.mark.parametrize("team", ["", "team"])
def test_weights_of_one_change_nothing(team: str) -> None:
    frame = teamed(120, 15, missing=0.1).assign(one=1.0)
    plain, weighted = (diagnosed(frame, team=team, weight=weight)["estimate"] for weight in ("", "one"))
    np.testing.assert_allclose(plain, weighted, rtol=1e-8)
