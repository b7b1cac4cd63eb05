"""Sampling weights in the linear mixed model: against clubSandwich, lme4 and survey; against the formula and truth."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sampled import make_design
from surveywaves.mixed.contrasts import estimates
from surveywaves.mixed.design import Design, FloatArray
from surveywaves.mixed.lmm import LinearFit, fit_linear
from surveywaves.terms import Status
from test_mixed_linear import ORACLE, R_TOLERANCE, options, oracle_options, respondents, row, run, simulated
from test_mixed_linear_teams import teamed

CR0 = pd.read_csv(ORACLE / "cr0.csv")
REPLICATED = pd.read_csv(ORACLE / "replicated.csv")
SVYGLM = pd.read_csv(ORACLE / "svyglm.csv")


def names_in_r(design: Design) -> list[str]:
    """The columns as R calls them; those of empty cells too."""
    cells = [f"cell{wave} | {organisation}" for wave, organisation in design.cells]
    others = [column.replace("[", "", 1).removesuffix("]") for column in design.columns[len(cells) :]]
    return cells + others


# --- against R ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CR0["set"].unique())
def test_weights_of_one_change_no_estimate_and_give_clubsandwichs_covariance(name: str) -> None:
    frame, how = oracle_options(name)
    plain = fit_linear(make_design(frame, **how))
    design = make_design(frame.assign(one=1.0), weight="one", **how)
    fit = fit_linear(design)
    for part in ("coef", "sigma2", "tau2", "tau2_team", "loglik", "model_cov"):
        np.testing.assert_allclose(getattr(fit, part), getattr(plain, part), rtol=1e-9, atol=1e-12)
    clusters = len(design.teams) or design.persons.sum()
    theirs = CR0[CR0["set"] == name].pivot_table(index="row", columns="column", values="value")
    places = [names_in_r(design).index(column) for column in theirs.index]
    ours = fit.cov[np.ix_(places, places)] * (clusters - 1) / clusters
    # lme4's variances are those of a sharp optimum, right to about 1e-9
    largest = np.sqrt(np.outer(np.diagonal(theirs), np.diagonal(theirs)))
    np.testing.assert_allclose(ours / largest, theirs[theirs.index] / largest, atol=1e-6)


@pytest.mark.parametrize("name", REPLICATED["set"].unique())
def test_whole_weights_are_so_many_respondents(name: str) -> None:
    frame, how = oracle_options(name)
    # a respondent's number as in weights.R: among those who are in the fit
    kept = frame[["wave", "organisation", *how["covariates"]]].notna().all(axis=1)
    kept &= frame[how["items"]].notna().any(axis=1)
    times = 1 + np.arange(1, kept.sum() + 1) % 3
    frame = frame[kept].assign(times=times)
    design = make_design(frame, weight="times", **how)
    # back from a mean of 1 a wave to the counts
    wave = np.array(design.cell[design.group]) // len(design.organisations)
    mean = frame.groupby("wave")["times"].mean().reindex(design.waves).to_numpy()
    fit = fit_linear(replace(design, count=design.count * mean[wave], weighted=False))
    theirs = REPLICATED[REPLICATED["set"] == name].set_index("term")["estimate"]
    for part, wanted in {
        "sigma2": "sigma2",
        "tau2": "tau2",
        "tau2_team": "tau2_team",
        "loglik": "reml_loglik",
    }.items():
        np.testing.assert_allclose(getattr(fit, part), theirs[wanted], **R_TOLERANCE, err_msg=part)
    if not how["covariates"]:
        cells = dict(zip(names_in_r(design), fit.coef, strict=True))
        wanted = theirs[theirs.index.str.startswith("cell")]
        np.testing.assert_allclose([cells[cell] for cell in wanted.index], wanted, **R_TOLERANCE)


@pytest.mark.parametrize("name", SVYGLM["set"].unique())
def test_one_weighted_item_is_fitted_as_by_svyglm(name: str) -> None:
    frame, how = oracle_options(name)
    kept = frame[["wave", "organisation", *how["covariates"]]].notna().all(axis=1)
    kept &= frame[how["items"]].notna().any(axis=1)
    frame = frame[kept].assign(times=1 + np.arange(1, kept.sum() + 1) % 3)
    design = make_design(frame, **(how | {"items": how["items"][:1]}), weight="times")
    fit = fit_linear(design)
    theirs = SVYGLM[SVYGLM["set"] == name]
    places = [names_in_r(design).index(column) for column in theirs["column"]]
    np.testing.assert_allclose(fit.coef[places], theirs["estimate"], **R_TOLERANCE)
    np.testing.assert_allclose(np.sqrt(np.diagonal(fit.cov)[places]), theirs["std_error"], **R_TOLERANCE)
    assert fit.df(np.eye(len(fit.coef))[places[0]][None])[0] == theirs["df"].iloc[0]


# --- against its own formula ----------------------------------------------------------------------------------


def clusters_of(frame: pd.DataFrame, design: Design, fit: LinearFit) -> list[Any]:
    """Columns, answers and weights of each cluster, respondent by respondent, from the frame itself."""
    items = [name for name in frame.columns if name.startswith("i")]
    weight = frame["weight"] / frame.groupby("wave")["weight"].transform("mean")
    found: dict[Any, list[Any]] = {}
    for place, (_, person) in enumerate(frame.iterrows()):
        rows, answers = [], []
        for number, item in enumerate(items):
            if pd.notna(person[item]):
                one = np.zeros(len(fit.coef))
                one[design.cells.index((person["wave"], person["organisation"]))] = 1
                if number:
                    one[design.item_columns.start + number - 1] = 1
                rows.append(one)
                answers.append(float(person[item]))
        if rows:
            key = person["team"] if design.teams else place
            found.setdefault(key, []).append((np.array(rows), np.array(answers), weight.iloc[place]))
    return list(found.values())


def deviance_of(cluster: Any, coef: FloatArray, variances: FloatArray) -> float:
    """-2 log pseudo-likelihood of one cluster: respondents of weight w are w respondents, given the team."""
    sigma2, theta, theta_team = variances
    total = quadratic = cross = ends = 0.0
    for x, y, weight in cluster:
        rest, k = y - x @ coef, len(y)
        inverse = (np.eye(k) - theta / (1 + k * theta)) / sigma2
        quadratic += weight * rest @ inverse @ rest
        cross += weight * inverse.sum(axis=0) @ rest
        ends += weight * inverse.sum()
        total += weight * (k * math.log(sigma2) + math.log1p(k * theta))
    tau2_team = theta_team * sigma2
    return float(
        total + math.log1p(tau2_team * ends) + quadratic - tau2_team * cross**2 / (1 + tau2_team * ends)
    )


def differences(function: Any, place: FloatArray, step: float) -> FloatArray:
    axes = np.eye(len(place)) * step
    return np.array([(function(place + axis) - function(place - axis)) / 2 / step for axis in axes])


@pytest.mark.parametrize("team", ["", "team"])
def test_sandwich_is_that_of_the_scores_of_the_pseudo_likelihood(team: str) -> None:
    rng = np.random.default_rng(3)
    frame = teamed(150, 25, sd=1.0, missing=0.2, seed=5).assign(weight=rng.uniform(0.3, 3, 150))
    frame = frame[frame[["i0", "i1", "i2", "i3"]].notna().any(axis=1)]
    design = make_design(frame, **options(frame, weight="weight", team=team))
    fit = fit_linear(design)
    assert fit.status is Status.OK
    variances = np.array([fit.sigma2, fit.theta, fit.theta_team])
    number = 2 + bool(team)
    clusters = clusters_of(frame, design, fit)
    scores, of_variances = [], []
    for cluster in clusters:
        scores.append(differences(lambda b, c=cluster: deviance_of(c, b, variances), fit.coef, 1e-4) / -2)
        of_variances.append(
            differences(
                lambda v, c=cluster: deviance_of(c, fit.coef, np.append(v, 0)[:3]), variances[:number], 1e-5
            )
        )
    np.testing.assert_allclose(np.sum(scores, axis=0), 0, atol=1e-5)
    bread, meat = fit.model_cov, np.array(scores).T @ np.array(scores)
    many = len(clusters) / (len(clusters) - 1)
    np.testing.assert_allclose(fit.cov, many * bread @ meat @ bread, rtol=1e-5, atol=1e-9)
    plain = fit_linear(replace(design, weighted=False), robust=False)
    half = plain.variance_cov / 2
    meat = np.array(of_variances).T @ np.array(of_variances)
    np.testing.assert_allclose(fit.variance_cov, many * half @ meat @ half, rtol=1e-4, atol=1e-9)


def test_only_ratios_of_weights_within_a_wave_matter() -> None:
    frame = simulated(120).assign(weight=np.random.default_rng(1).uniform(0.5, 2, 120))
    scaled = frame.assign(weight=frame["weight"] * np.where(frame["wave"] == "first", 1e4, 1e-3))
    one, other = run(frame, weight="weight"), run(scaled, weight="weight")
    for ours, theirs in zip(one, other, strict=True):
        pd.testing.assert_frame_equal(ours, theirs, rtol=1e-8)


def test_weights_of_zero_are_people_left_out() -> None:
    frame = simulated(120, missing=0)
    frame["weight"] = np.where(np.arange(120) < 10, 0.0, 1.5)
    one = run(frame, weight="weight")
    other = run(frame.iloc[10:], weight="weight")
    pd.testing.assert_frame_equal(one.contrasts, other.contrasts)
    assert row(one.variances, "n_respondents")["note"] == "left out: 10 without a weight"


# --- against truth -----------------------------------------------------------------------------------------------


def test_weights_undo_a_selection_that_the_unweighted_fit_does_not() -> None:
    rng = np.random.default_rng(12)
    runs, covered, plain_covered, total = 120, 0, 0, 0.0
    for _ in range(runs):
        # a population where half are content; the content answer the second survey three times as often
        content = rng.random(900) < 0.5
        wave = np.where(rng.random(900) < 0.5, "first", "second")
        chance = np.where((wave == "second") & ~content, 0.15, 0.45)
        frame = respondents(np.ones((900, 3)), waves=wave, organisations=["x"] * 900)
        mean = np.where(content, 3.6, 2.8)[:, None] + 0.2 * (wave == "second")[:, None]
        frame[["i0", "i1", "i2"]] = mean + rng.normal(0, 0.5, (900, 1)) + rng.normal(0, 0.8, (900, 3))
        frame["weight"] = 1 / chance
        frame = frame[rng.random(900) < chance]
        how = options(frame, response_range=(-20, 20), organisations=["x"])
        for weight in ("weight", ""):
            design = make_design(frame, **how, weight=weight)
            (change,) = estimates(
                design,
                fit_linear(design),
                [{("second", "x"): 1, ("first", "x"): -1}],
                confidence=0.95,
                min_cell=2,
            )
            inside = change["conf_low"] < 0.2 < change["conf_high"]
            if weight:
                covered += inside
                total += change["estimate"]
            else:
                plain_covered += inside
    assert covered / runs == pytest.approx(0.95, abs=3 * math.sqrt(0.05 * 0.95 / runs))
    assert total / runs == pytest.approx(0.2, abs=0.03)
    assert plain_covered / runs < 0.6


# --- hostile weights ------------------------------------------------------------------------------------------


def test_fewer_respondents_than_fixed_effects_are_too_few() -> None:
    frame = simulated(7, missing=0).assign(weight=1.0)
    means, contrasts, _ = run(frame, weight="weight", min_cell=1)
    assert (means["status"] == "too_few").all()
    assert contrasts["estimate"].isna().all()
    assert (means["note"] == "no more respondents than fixed effects").all()


@pytest.mark.parametrize("team", ["", "team"])
def test_cell_of_one_cluster_has_no_variance_and_says_so(team: str) -> None:
    frame = teamed(100, 20, missing=0).assign(weight=np.random.default_rng(1).uniform(0.5, 2, 100))
    alone = (frame["wave"] == "second") & (frame["organisation"] == "y")
    if team:
        frame.loc[alone, "team"] = "lonely"
    else:
        frame = frame[~alone | (alone.cumsum() <= 1)]
    means, contrasts, _ = run(frame, weight="weight", team=team, min_cell=1)
    lost = row(means, "emmean", "second", "y")
    assert lost["status"] == "not_estimable"
    assert lost["note"] == f"one {team or 'respondent'} only in a cell: its variance cannot be estimated"
    assert math.isnan(lost["estimate"])
    assert row(contrasts, "change", "second - first", "x")["status"] == "ok"


def test_intervals_of_variances_under_weights_hold_the_estimate_and_stay_within_their_bounds() -> None:
    frame = teamed(200, 30, sd=0.8).assign(weight=np.random.default_rng(1).uniform(0.2, 5, 200))
    variances = run(frame, weight="weight", team="team").variances.set_index("term")
    for term in ("sigma2", "tau2", "tau2_team", "icc", "icc_team", "total_sd"):
        found = variances.loc[term]
        assert 0 < found["conf_low"] < found["estimate"] < found["conf_high"], term
        assert found["std_error"] > 0
    assert variances.loc[["icc", "icc_team"], "conf_high"].max() < 1


def test_no_variance_between_respondents_is_a_boundary_with_weights_too() -> None:
    frame, how = oracle_options("leaders")
    frame["weight"] = np.random.default_rng(1).uniform(0.5, 2, len(frame))
    fit = fit_linear(make_design(frame, weight="weight", **how))
    assert (fit.status, fit.tau2) == (Status.BOUNDARY, 0)
    assert fit.df(np.eye(len(fit.coef))[0][None])[0] == fit.n_respondents - fit.rank
    rows = {row["term"]: row for row in fit.variances(0.95)}
    assert "std_error" not in rows["tau2"]
    assert rows["sigma2"]["conf_low"] < rows["sigma2"]["estimate"] < rows["sigma2"]["conf_high"]
