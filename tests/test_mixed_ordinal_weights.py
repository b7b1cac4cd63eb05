"""Weights in the ordinal model, and intervals of its variances: against R, brute force, simulated truth."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.stats import chi2

from sampled import compare_ordinal, make_design
from surveywaves.mixed.clmm import OrdinalFit, fit_ordinal
from surveywaves.mixed.cumulative import LINKS
from surveywaves.mixed.design import Design
from surveywaves.mixed.quadrature import Likelihood, Nodes
from surveywaves.terms import Status
from test_mixed_linear import options, row, simulated
from test_mixed_ordinal_teams import ANSWERS, COMPANIES, as_theta, in_teams, nested_of

LEADERS = pd.read_csv(Path(__file__).parent / "oracle" / "linear" / "leaders.csv").iloc[::5]

NODES = Nodes(np.linspace(-6.2, 6.2, 41), np.linspace(-10, 10, 61))

SANDWICH_TOLERANCE = 1e-5
"""Relative: estfun of clm is exact, and so is its vcov up to its convergence."""

END_TOLERANCE = 2e-4
"""Relative, of the ends of an interval of tau; ours are sought to 1e-4 of the root of the deviance."""


def weighted(frame: pd.DataFrame, *, link: str = "logit", **changed: Any) -> OrdinalFit:
    return fit_ordinal(make_design(frame, **options(frame, weight="weight", **changed)), link=link)


def with_weights(number: int = 150, **changed: Any) -> pd.DataFrame:
    frame = simulated(number, items=3, **changed)
    return frame.assign(weight=np.random.default_rng(4).uniform(0.3, 3, number))


def expected(part: str, link: str) -> pd.DataFrame:
    return ANSWERS[(ANSWERS["part"] == part) & (ANSWERS["link"] == link)].set_index("term")


# --- against R ---------------------------------------------------------------------------------------------


def of_set(name: str, *, weight: bool) -> Design:
    if name == "companies":
        frame, items, span = COMPANIES, ["LEAD05"], (1.0, 5.0)
    else:
        frame, items, span = LEADERS, ["Blair", "Hague", "Kennedy"], (1.0, 5.0)
        frame = frame.assign(weight=0.5 + (np.arange(len(frame)) + 1) % 7 / 5)
    if not weight:
        frame = frame.assign(weight=1.0)
    return make_design(
        frame,
        items=items,
        keys=dict.fromkeys(items, 1),
        response_range=span,
        waves=sorted(frame["wave"].unique()),
        organisations=sorted(frame["organisation"].unique()),
        weight="weight",
    )


@pytest.mark.parametrize("weight", [False, True])
@pytest.mark.parametrize("name", ["companies", "leaders"])
@pytest.mark.parametrize("link", LINKS)
def test_sandwich_is_that_of_clm_clustered_by_respondent(name: str, link: str, weight: bool) -> None:
    """Where there is no variance between respondents, the model is clm's."""
    design = of_set(name, weight=weight)
    fit = fit_ordinal(design, link=link)
    wanted = expected(f"sandwich_{name}" + "_weighted" * weight, link)
    assert fit.loglik == pytest.approx(wanted.loc["loglik", "estimate"], rel=1e-10)
    assert fit.n_respondents == design.persons.sum()
    reference = int(np.flatnonzero(design.respondents)[0])
    compared = 0
    for place, column in enumerate(design.columns[: len(design.cells)]):
        if column in wanted.index:
            contrast = np.eye(len(design.columns))[place] - np.eye(len(design.columns))[reference]
            error = math.sqrt(contrast @ fit.cov @ contrast)
            assert contrast @ fit.coef == pytest.approx(wanted.loc[column, "estimate"], abs=1e-6)
            assert error == pytest.approx(wanted.loc[column, "std_error"], rel=SANDWICH_TOLERANCE)
            compared += 1
    assert compared == len(wanted) - 1


@pytest.mark.parametrize("name", ["wine", "companies"])
@pytest.mark.parametrize("link", LINKS)
def test_interval_of_the_variance_ends_where_a_dense_grid_and_uniroot_say(name: str, link: str) -> None:
    if name == "wine":
        frame = pd.read_csv(Path(__file__).parent / "oracle" / "linear" / "wine.csv")
        items = ["bottle1", "bottle2"]
    else:
        frame, items = COMPANIES.iloc[::6], ["LEAD03", "LEAD05"]
    design = make_design(
        frame,
        items=items,
        keys=dict.fromkeys(items, 1),
        response_range=(1, 5),
        waves=sorted(frame["wave"].unique()),
        organisations=sorted(frame["organisation"].unique()),
    )
    fit, wanted = fit_ordinal(design, link=link), expected(f"profile_{name}", link)["estimate"]
    assert fit.loglik == pytest.approx(wanted["loglik"], rel=1e-9)
    rows = pd.DataFrame(fit.variances(0.95)).set_index("term")
    s2 = fit.link.variance
    for end in ("low", "high"):
        tau2 = rows.loc["tau2", f"conf_{end}"]
        assert math.sqrt(tau2) == pytest.approx(wanted[end], rel=END_TOLERANCE)
        assert rows.loc["icc", f"conf_{end}"] == pytest.approx(tau2 / (tau2 + s2))
        assert rows.loc["total_sd", f"conf_{end}"] == pytest.approx(math.sqrt(tau2 + s2))


# --- weights -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("link", LINKS)
def test_weights_of_one_give_the_same_estimates_and_the_plain_sandwich(link: str) -> None:
    frame = simulated(90, items=3).assign(weight=2.5)
    fit = weighted(frame, link=link)
    without = fit_ordinal(make_design(frame, **options(frame)), link=link)
    np.testing.assert_allclose(fit.theta, without.theta, atol=1e-9)
    assert fit.loglik == pytest.approx(without.loglik, rel=1e-13)
    m, free = fit.n_respondents, np.flatnonzero(np.diagonal(without.theta_cov))
    bread = without.theta_cov[np.ix_(free, free)]
    scores = scores_by_difference(make_design(frame, **options(frame)), fit)[:, free]
    plain = bread @ scores.T @ scores @ bread * m / (m - 1)
    np.testing.assert_allclose(fit.theta_cov[np.ix_(free, free)], plain, rtol=1e-4, atol=1e-8)
    # nor are they far from the model's, which is true here
    ratio = np.sqrt(np.diagonal(plain) / np.diagonal(bread))
    assert ((ratio > 0.6) & (ratio < 1.6)).all()


def scores_by_difference(design: Design, fit: OrdinalFit) -> np.ndarray:
    """(N, D) gradient of each respondent's log-likelihood, patterns repeated, weights taken off."""
    found = []
    likelihood = Likelihood(design, fit.link)
    steps = np.eye(likelihood.size) * 1e-5
    for pattern, persons in enumerate(design.persons):
        one = np.zeros(len(design.count))
        one[pattern] = 1.0
        alone = Likelihood(replace(design, count=one), fit.link)
        if alone.thresholds != likelihood.thresholds:  # the categories are those of everybody
            alone.__dict__.update(
                {name: value for name, value in likelihood.__dict__.items() if name != "chunks"}
            )
            alone.chunks = [replace(chunk, count=one[chunk.pattern]) for chunk in likelihood.chunks]
        up, down = (
            np.array([alone.at(fit.theta + side * e, fit.nodes, order=0).loglik for e in steps])
            for side in (1, -1)
        )
        found += [(up - down) / 2e-5] * int(persons)
    return np.array(found)


def test_meat_is_the_sum_of_squared_scores_of_respondents() -> None:
    frame = with_weights(40)
    design = make_design(frame, **options(frame, weight="weight"))
    fit = fit_ordinal(design)
    scores = scores_by_difference(design, fit)
    square = np.repeat(design.square / design.persons, design.persons.astype(int))
    meat = Likelihood(design, fit.link).meat(fit.theta, fit.nodes)
    np.testing.assert_allclose(meat, (scores * square[:, None]).T @ scores, atol=1e-5)


def test_scores_of_teams_are_the_gradients_of_each_teams_likelihood() -> None:
    frame = in_teams(60, teams=5).assign(weight=np.random.default_rng(4).uniform(0.3, 3, 60))
    design = make_design(frame, **options(frame, team="team", weight="weight"))
    fit = fit_ordinal(design)
    assert fit.maximum is None  # five teams are too few for eight parameters
    assert fit.status is Status.TOO_FEW
    nested = nested_of(design, LINKS["logit"])
    theta = np.concatenate([np.linspace(-2, 2, nested.likelihood.thresholds), np.full(6, 0.1), [1.1, 0.6]])
    scores = nested.scores(theta, NODES)
    for team in range(5):
        only = nested_of(replace(design, count=design.count * (design.team[design.group] == team)), fit.link)
        if only.size == nested.size:
            wanted = only.at(theta, NODES, order=1).gradient
            np.testing.assert_allclose(scores[team], wanted, atol=1e-9)


def test_whole_weights_estimate_what_so_many_respondents_do() -> None:
    frame = simulated(160, items=3, seed=3)
    times = np.tile([1, 1, 1, 1, 2, 2, 2, 2], 20)  # of the same mean in both waves
    copied = frame.loc[np.repeat(frame.index, times)].reset_index(drop=True)
    fit = weighted(frame.assign(weight=times))
    many = fit_ordinal(make_design(copied, **options(copied)))
    np.testing.assert_allclose(fit.coef, many.coef, atol=1e-6)
    assert fit.tau == pytest.approx(many.tau, abs=1e-6)
    assert fit.n_respondents == 160
    assert many.n_respondents == 240


def test_people_are_counted_and_weights_of_nothing_leave_them_out() -> None:
    frame = with_weights(80)
    frame.loc[:9, "weight"] = 0.0
    ours = compare_ordinal(frame, scale="s", favourable=(4, 5), **options(frame, weight="weight"))
    mean = row(ours.means, "emmean", "first", "x")
    answered = frame[10:].dropna(how="all", subset=["i0", "i1", "i2"])
    assert mean["n"] == ((answered["wave"] == "first") & (answered["organisation"] == "x")).sum()
    assert 40 < mean["df"] < 70
    assert row(ours.variances, "tau2")["n"] == row(ours.variances, "n_respondents")["estimate"]


def test_sandwich_is_the_spread_of_estimates_under_unequal_selection() -> None:
    """Respondents who agree more often are drawn more often; weights undo it, and the sandwich says how well."""
    found, errors = [], []
    gap = np.array([1.0, 0.0, -1.0, 0.0, 0.0, 0.0])
    for seed in range(40):
        frame = simulated(900, items=3, seed=seed, missing=0)
        chance = np.where(frame["i0"] >= 4, 0.3, 0.12)
        drawn = np.random.default_rng(seed).random(900) < chance
        fit = weighted(frame.assign(weight=1 / chance)[drawn])
        found.append(gap @ fit.coef)
        errors.append(math.sqrt(gap @ fit.cov @ gap))
    noise = 1 / math.sqrt(2 * 40)
    assert np.mean(errors) == pytest.approx(np.std(found), rel=3 * noise)
    assert abs(np.mean(found)) < 3 * np.std(found) / math.sqrt(40)


def test_cell_with_one_respondent_has_no_variance_under_weights() -> None:
    frame = with_weights(120)
    apart = (frame["wave"] == "first") & (frame["organisation"] == "x")
    frame = frame.drop(frame.index[apart][1:])
    ours = compare_ordinal(frame, scale="s", favourable=(4, 5), **options(frame, weight="weight", min_cell=1))
    for term, note in (
        ("emmean", "one respondent only in a cell"),
        ("percent_favourable", "one respondent only"),
    ):
        mean = row(ours.means, term, "first", "x")
        assert mean["status"] == "not_estimable"
        assert mean["note"].startswith(note)
        assert row(ours.means, term, "first", "y")["status"] == "ok"


def test_weighted_intervals_of_shares_stay_within_0_and_1() -> None:
    rows = pd.DataFrame(weighted(with_weights(60)).variances(0.999)).set_index("term")
    assert 0 <= rows.loc["icc", "conf_low"] < rows.loc["icc", "estimate"] < rows.loc["icc", "conf_high"] < 1
    assert rows.loc["tau2", "conf_low"] >= 0


# --- intervals of the variances --------------------------------------------------------------------------------


@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999])
@pytest.mark.parametrize("link", LINKS)
def test_deviance_at_the_ends_is_the_chi_square_quantile(link: str, confidence: float) -> None:
    frame = simulated(150, items=4, sd=0.6)
    design = make_design(frame, **options(frame))
    fit = fit_ordinal(design, link=link)
    rows = pd.DataFrame(fit.variances(confidence)).set_index("term")
    likelihood = Likelihood(design, fit.link)
    nodes = np.linspace(-8, 8, 101)
    free = np.flatnonzero(np.diagonal(fit.theta_cov))[:-1]
    for end in ("conf_low", "conf_high"):
        tau = math.sqrt(rows.loc["tau2", end])

        def minus(values: np.ndarray, tau: float = tau) -> tuple[float, np.ndarray]:
            theta = fit.theta.copy()
            theta[free], theta[-1] = values, tau
            point = likelihood.at(theta, nodes, order=1)
            return -point.loglik if math.isfinite(point.loglik) else 1e9, -point.gradient[free]

        best = minimize(minus, fit.theta[free], jac=True, method="BFGS", options={"gtol": 1e-6})
        deviance = 2 * (fit.loglik + best.fun)
        assert deviance == pytest.approx(chi2.ppf(confidence, 1), rel=2e-3)


def test_deviance_at_the_ends_is_right_with_teams_too() -> None:
    frame = in_teams(200, teams=15)
    design = make_design(frame, **options(frame, team="team"))
    fit = fit_ordinal(design)
    rows = pd.DataFrame(fit.variances(0.95)).set_index("term")
    nested = nested_of(design, fit.link)
    for place, term in ((-2, "tau2"), (-1, "tau2_team")):
        free = np.delete(np.flatnonzero(np.diagonal(fit.theta_cov)), place)
        for end in ("conf_low", "conf_high"):
            fixed = math.sqrt(rows.loc[term, end])

            def minus(
                values: np.ndarray, fixed: float = fixed, place: int = place, free: np.ndarray = free
            ) -> tuple[float, np.ndarray]:
                theta = fit.theta.copy()
                theta[free], theta[place] = values, fixed
                point = nested.at(theta, NODES, order=1)
                return -point.loglik if math.isfinite(point.loglik) else 1e9, -point.gradient[free]

            best = minimize(minus, fit.theta[free], jac=True, method="BFGS", options={"gtol": 1e-6})
            assert 2 * (fit.loglik + best.fun) == pytest.approx(chi2.ppf(0.95, 1), rel=2e-3)


def test_interval_of_a_variance_at_its_boundary_starts_at_0_and_shrinks_with_respondents() -> None:
    widths = []
    for number in (60, 2000):
        frame = simulated(number, items=4, sd=0.0, seed=2)
        fit = fit_ordinal(make_design(frame, **options(frame)))
        low, high = pd.DataFrame(fit.variances(0.95)).set_index("term").loc["tau2", ["conf_low", "conf_high"]]
        assert low == 0
        widths.append(high)
    assert widths[1] < widths[0] / 2
    assert np.isfinite(widths).all()


def test_intervals_of_the_variance_cover_it() -> None:
    """Small samples, where the estimate is often near 0."""
    runs, covered = 40, 0
    for seed in range(runs):
        frame = in_teams(50, items=3, tau=0.8, omega=0.0, seed=seed)
        low, high = (
            pd.DataFrame(fit_ordinal(make_design(frame, **options(frame))).variances(0.95))
            .set_index("term")
            .loc["tau2", ["conf_low", "conf_high"]]
        )
        covered += low <= 0.64 <= high
    assert covered / runs > 0.95 - 3 * math.sqrt(0.05 * 0.95 / runs)


def test_r_columns_are_ours() -> None:
    design = of_set("companies", weight=False)
    found = expected("one_item", "logit")["estimate"]
    assert len(as_theta(design, found, "omega")) == len(design.columns) + 4 + 1
