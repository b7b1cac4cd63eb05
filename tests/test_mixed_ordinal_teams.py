"""Respondents nested in teams in the ordinal model: against R, its own formula, brute force, and simulated truth."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.integrate import quad, simpson
from scipy.stats import norm

from sampled import compare_ordinal, make_design
from surveywaves.mixed import quadrature
from surveywaves.mixed.clmm import OrdinalFit, fit_ordinal
from surveywaves.mixed.cumulative import LINKS, Link
from surveywaves.mixed.design import Design
from surveywaves.mixed.maximum import Grid, Teams
from surveywaves.mixed.quadrature import Likelihood, Nested, Nodes, without_teams
from surveywaves.terms import Status
from test_mixed_linear import assert_no_numbers, options, respondents, row
from test_mixed_ordinal import CDF

ORACLE = Path(__file__).parent / "oracle" / "ordinal"
ANSWERS = pd.read_csv(ORACLE / "teams.csv")
COMPANIES = pd.read_csv(ORACLE / "companies.csv")

R_TOLERANCE = 1e-4
"""Absolute on the latent scale, relative for standard errors: nlminb and clmm stop early."""

LOGLIK_TOLERANCE = 1e-9
"""Relative; the dense grid of the R script and integrate() are right to more."""

LAPLACE = 0.06
"""How far from ours clmm's Laplace approximation is at most, in estimates."""


def in_teams(
    number: int = 300,
    *,
    teams: int = 12,
    items: int = 3,
    tau: float = 1.0,
    omega: float = 0.7,
    seed: int = 1,
    missing: float = 0.05,
) -> pd.DataFrame:
    """Answers of the logit model, without differences between cells."""
    rng = np.random.default_rng(seed)
    team = rng.integers(0, teams, number)
    shift = tau * rng.normal(size=number) + omega * rng.normal(size=teams)[team]
    latent = shift[:, None] + np.linspace(0, 0.6, items) + rng.logistic(size=(number, items))
    answers = np.searchsorted([-2.0, -0.7, 0.8, 2.2], latent) + 1.0
    answers[rng.random(answers.shape) < missing] = np.nan
    return respondents(answers).assign(team=[f"team {one:03d}" for one in team])


def designed(frame: pd.DataFrame, **changed: Any) -> Design:
    return make_design(frame, **options(frame, **{"team": "team"} | changed))


def fitted(frame: pd.DataFrame, *, link: str = "logit", **changed: Any) -> OrdinalFit:
    return fit_ordinal(designed(frame, **changed), link=link)


def nested_of(design: Design, link: Link) -> Nested:
    alone, teams = without_teams(design)
    return Nested(Likelihood(alone, link), teams)


def somewhere(nested: Nested, *, tau: float = 1.1, omega: float = 0.7) -> np.ndarray:
    theta = np.random.default_rng(5).normal(0, 0.3, nested.size)
    thresholds = nested.likelihood.thresholds
    theta[:thresholds] = np.linspace(-2, 2.5, thresholds)
    theta[-2:] = tau, omega
    return theta


def variances(fit: OrdinalFit) -> pd.DataFrame:
    return pd.DataFrame(fit.variances(0.95)).set_index("term")


# --- against R ---------------------------------------------------------------------------------------------


def companies(frame: pd.DataFrame, *items: str) -> Design:
    return make_design(
        frame,
        items=items,
        keys=dict.fromkeys(items, 1),
        response_range=(1, 5),
        waves=["even", "odd"],
        organisations=["calm", "hostile"],
        team="team",
    )


def expected(part: str, link: str) -> pd.DataFrame:
    return ANSWERS[(ANSWERS["part"] == part) & (ANSWERS["link"] == link)].set_index("term")


def as_theta(design: Design, found: pd.Series, *spreads: str) -> np.ndarray:
    """R's estimates as our parameters: thresholds, columns (its reference cell 0), standard deviations."""
    thresholds = [estimate for term, estimate in found.items() if str(term).startswith("threshold")]
    columns = [found.get(column, 0.0) for column in design.columns]
    return np.array([*thresholds, *columns, *(found[name] for name in spreads)])


@pytest.mark.parametrize("link", LINKS)
def test_likelihood_is_that_of_integrate_within_integrate(link: str) -> None:
    teams = [f"company {number:02d}" for number in range(2, 8)]
    frame = COMPANIES[COMPANIES["team"].isin(teams)].iloc[:40]
    design = companies(frame, "LEAD03", "LEAD05")
    thresholds, effects = [-2.4, -1.1, 0.3, 2.1], [0.0, 0.4, -0.3, 0.2]
    theta = np.array([*thresholds, *effects, 0.5, 1.3, 0.7])
    nested = nested_of(design, LINKS[link])
    nodes = Grid(LINKS[link], 31, 6.2, 2, 20).nested(1.3, 0.7)
    wanted = expected("fixed", link).loc["loglik", "estimate"]
    assert nested.at(theta, nodes, order=0).loglik == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("link", LINKS)
def test_estimates_are_those_of_a_dense_grid_of_both_effects(link: str) -> None:
    design = companies(COMPANIES.iloc[::6], "LEAD03", "LEAD05")
    fit, wanted = fit_ordinal(design, link=link), expected("nested", link)["estimate"]
    assert fit.status is Status.OK
    assert fit.loglik == pytest.approx(wanted["loglik"], rel=LOGLIK_TOLERANCE)
    theirs = as_theta(design, wanted, "tau", "omega")
    np.testing.assert_allclose(in_their_terms(design, fit), theirs, rtol=0, atol=R_TOLERANCE)


def in_their_terms(design: Design, fit: OrdinalFit) -> np.ndarray:
    """Our estimates, the first cell that has respondents being the reference."""
    theta, t = fit.theta.copy(), len(fit.thresholds)
    there = np.flatnonzero(design.respondents)
    theta[:t] -= theta[t + there[0]]
    theta[t + there] -= theta[t + there[0]]
    return theta


@pytest.mark.parametrize("link", LINKS)
def test_estimates_of_clmm_by_laplace_are_near_and_less_likely(link: str) -> None:
    design = companies(COMPANIES.iloc[::6], "LEAD03", "LEAD05")
    fit, wanted = fit_ordinal(design, link=link), expected("laplace", link)["estimate"]
    theirs = as_theta(design, wanted, "tau", "omega")
    np.testing.assert_allclose(in_their_terms(design, fit), theirs, rtol=0, atol=LAPLACE)
    nested = nested_of(design, fit.link)
    nodes = Grid(fit.link, 31, 6.2, 2, 20).nested(fit.tau, fit.omega)
    assert nested.at(theirs, nodes, order=0).loglik < fit.loglik
    # its approximation of the likelihood is lower still
    assert wanted["loglik"] < fit.loglik - 0.4


@pytest.mark.parametrize("link", LINKS)
def test_one_item_in_teams_matches_clmm_with_fifteen_nodes(link: str) -> None:
    design = companies(COMPANIES, "LEAD05")
    fit, wanted = fit_ordinal(design, link=link), expected("one_item", link)
    assert math.isnan(fit.tau)
    assert fit.loglik == pytest.approx(wanted.loc["loglik", "estimate"], rel=LOGLIK_TOLERANCE)
    assert fit.omega == pytest.approx(wanted.loc["omega", "estimate"], abs=R_TOLERANCE)
    for place, column in enumerate(design.columns[1:4], start=1):
        contrast = np.eye(len(design.columns))[place] - np.eye(len(design.columns))[0]
        assert contrast @ fit.coef == pytest.approx(wanted.loc[column, "estimate"], abs=R_TOLERANCE)
        error = math.sqrt(contrast @ fit.cov @ contrast)
        assert error == pytest.approx(wanted.loc[column, "std_error"], rel=R_TOLERANCE)


# --- against its own formula -----------------------------------------------------------------------------------


@pytest.mark.parametrize("link", LINKS.values(), ids=list(LINKS))
def test_likelihood_is_the_integral_over_teams_of_integrals_over_respondents(link: Link) -> None:
    design = designed(in_teams(9, teams=3, items=2))
    nested = nested_of(design, link)
    theta = somewhere(nested)
    t = nested.likelihood.thresholds
    bounds = np.concatenate([[-np.inf], theta[:t], [np.inf]])

    z = np.linspace(-9, 9, 1001)

    def of_team(v: float, patterns: np.ndarray) -> float:
        product = float(norm.pdf(v))
        for pattern in patterns:
            group, chance = design.group[pattern], norm.pdf(z)
            for item, code in enumerate(design.answers[pattern]):
                if code:
                    eta = theta[t + design.cell[group]] + (theta[t + 4 + item - 1] if item else 0.0)
                    eta = eta + theta[-2] * z + theta[-1] * v
                    chance = chance * (
                        CDF[link.name](bounds[code] - eta) - CDF[link.name](bounds[code - 1] - eta)
                    )
            product *= float(simpson(chance, x=z)) ** design.count[pattern]
        return product

    team = design.team[design.group]
    total = sum(
        math.log(quad(of_team, -8, 8, args=(np.flatnonzero(team == one),), epsabs=0, epsrel=1e-8)[0])
        for one in range(len(design.teams))
    )
    nodes = Nodes(np.linspace(-6.2, 6.2, 31), np.linspace(-11.2, 11.2, 51))
    assert nested.at(theta, nodes, order=0).loglik == pytest.approx(total, rel=1e-8)


@pytest.mark.parametrize("link", LINKS.values(), ids=list(LINKS))
@pytest.mark.parametrize("tau", [1.1, 0.0])
def test_gradient_hessian_and_scores_are_those_of_the_likelihood(
    link: Link, tau: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quadrature, "PATTERNS", 70)
    frame = in_teams(150).assign(role=["a", "b", "c"] * 50)
    nested = nested_of(designed(frame, covariates=["role"]), link)
    theta = somewhere(nested, tau=tau)
    nodes = Nodes(np.linspace(-6.5, 6.5, 70), np.linspace(-12, 12, 60) if tau else np.zeros(0))
    point, step = nested.at(theta, nodes), 1e-5
    free = np.flatnonzero(np.arange(nested.size) != (nested.size - 2 if not tau else -1))
    pairs = [
        (nested.at(theta + e, nodes), nested.at(theta - e, nodes)) for e in np.eye(nested.size)[free] * step
    ]
    gradient = np.array([(up.loglik - down.loglik) / 2 / step for up, down in pairs])
    hessian = np.array([(up.gradient - down.gradient) / 2 / step for up, down in pairs])
    np.testing.assert_allclose(point.gradient[free], gradient, atol=1e-5)
    np.testing.assert_allclose(point.hessian[np.ix_(free, free)], hessian[:, free], atol=1e-5)
    np.testing.assert_allclose(nested.scores(theta, nodes).sum(axis=0), point.gradient, atol=1e-10)


def test_curvature_where_tau_is_zero_is_the_limit_of_small_tau() -> None:
    nested = nested_of(designed(in_teams(150)), LINKS["logit"])
    theta, teams = somewhere(nested, tau=0.0), np.linspace(-6.5, 6.5, 70)
    flat = nested.at(theta, Nodes(teams, np.zeros(0)))
    theta[-2] = 0.03
    near = nested.at(theta, Nodes(teams, np.linspace(-6, 6, 2000)), order=0)
    assert flat.hessian[-2, -2] == pytest.approx(2 * (near.loglik - flat.loglik) / 0.03**2, rel=0.01)


@pytest.mark.parametrize("link", LINKS.values(), ids=list(LINKS))
def test_without_variance_between_teams_it_is_the_likelihood_without_teams(link: Link) -> None:
    design = designed(in_teams(120))
    nested = nested_of(design, link)
    theta = somewhere(nested, omega=0.0)
    nodes = Nodes(np.linspace(-6.2, 6.2, 31), 1.1 * np.linspace(-6.2, 6.2, 41))
    plain = nested.likelihood.at(theta[:-1], np.linspace(-6.2, 6.2, 41), order=2)
    point = nested.at(theta, nodes)
    assert point.loglik == pytest.approx(plain.loglik, rel=1e-9)
    np.testing.assert_allclose(point.gradient[:-1], plain.gradient, atol=1e-5)
    np.testing.assert_allclose(point.hessian[:-1, :-1], plain.hessian, atol=1e-4)


@pytest.mark.parametrize(
    ("number", "teams", "omega"), [(400, 30, 0.5), (3000, 3, 1.5), (300, 100, 2.5)], ids=str
)
@pytest.mark.parametrize("link", LINKS)
def test_twice_as_many_nodes_that_reach_further_change_nothing(
    number: int, teams: int, omega: float, link: str
) -> None:
    """Also where a team's posterior is narrow: with 1,000 members its standard deviation is about 0.07."""
    design = designed(in_teams(number, teams=teams, omega=omega))
    fit = fit_ordinal(design, link=link)
    assert fit.status is Status.OK
    nested = nested_of(design, fit.link)
    grid = Grid(fit.link, 31, 6.2, 3, float(np.bincount(design.team[design.group], design.count).max()))
    once, twice = (
        nested.at(fit.theta, grid.nested(fit.tau, fit.omega, finer=finer), order=1) for finer in (0, 1)
    )
    assert len(grid.nested(fit.tau, fit.omega).teams) > (150 if number == 3000 else 30)
    assert once.loglik == pytest.approx(fit.loglik, rel=1e-11)
    assert once.loglik == pytest.approx(twice.loglik, rel=1e-9)
    np.testing.assert_allclose(once.gradient, twice.gradient, atol=1e-4)


# --- what the fit says -----------------------------------------------------------------------------------------


def test_both_variances_and_their_shares_are_stated() -> None:
    fit = fitted(in_teams(600, teams=40, tau=1.2, omega=0.8))
    rows = variances(fit)
    tau2, team = fit.tau**2, fit.omega**2
    total = tau2 + team + math.pi**2 / 3
    assert rows.loc["tau2", "estimate"] == pytest.approx(tau2)
    assert rows.loc["tau2_team", "estimate"] == pytest.approx(team)
    assert rows.loc["icc", "estimate"] == pytest.approx((tau2 + team) / total)
    assert rows.loc["icc_team", "estimate"] == pytest.approx(team / total)
    assert rows.loc["total_sd", "estimate"] == pytest.approx(math.sqrt(total))
    named = ["tau2", "tau2_team", "icc", "icc_team", "total_sd"]
    assert (rows.loc[named, "conf_low"] < rows.loc[named, "estimate"]).all()
    assert (rows.loc[named, "conf_high"] > rows.loc[named, "estimate"]).all()
    assert fit.tau == pytest.approx(1.2, abs=0.25)
    assert fit.omega == pytest.approx(0.8, abs=0.25)


def test_delta_method_of_the_variances_has_the_right_gradient() -> None:
    fit = fitted(in_teams(300))
    rows, terms = variances(fit), ["tau2", "tau2_team", "icc", "icc_team", "total_sd"]
    slopes = []
    for step in np.eye(len(fit.theta))[-2:] * 1e-5:
        up, down = (
            variances(replace(fit, theta=fit.theta + side * step, freedom=1e6)).loc[terms, "estimate"]
            for side in (1, -1)
        )
        slopes.append((up - down) / 2e-5)
    cov = fit.theta_cov[-2:, -2:]
    errors = [math.sqrt(by @ cov @ by) for by in np.array(slopes).T]
    np.testing.assert_allclose(rows.loc[terms, "std_error"], errors, rtol=1e-6)


def test_variance_between_teams_that_is_zero_is_a_status_and_the_fit_is_that_without_teams() -> None:
    rng = np.random.default_rng(9)
    frame = in_teams(300, omega=0.0).assign(team=rng.permutation(np.arange(300) % 50).astype(str))
    fit, without = fitted(frame), fitted(frame, team="")
    assert fit.status is Status.BOUNDARY
    assert fit.note == "the variance between teams is estimated as zero"
    assert fit.omega == 0
    assert fit.loglik == pytest.approx(without.loglik, rel=1e-12)
    np.testing.assert_allclose(fit.coef, without.coef, atol=1e-8)
    np.testing.assert_allclose(fit.cov, without.cov, atol=1e-8)
    rows = variances(fit)
    assert rows.loc["tau2_team", "conf_low"] == 0
    assert rows.loc["tau2_team", "conf_high"] > 0
    assert math.isnan(rows.loc["tau2_team", "std_error"])


def test_variance_between_respondents_that_is_zero_is_a_status() -> None:
    frame = in_teams(300, tau=0.0, omega=1.0, teams=20, seed=7)
    fit = fitted(frame)
    assert fit.status is Status.BOUNDARY
    assert fit.note == "the variance between respondents is estimated as zero"
    assert fit.tau == 0
    assert fit.omega > 0.5
    # the answers of a team are then those of one respondent: no other value of tau is better
    design = designed(frame)
    nested, theta = nested_of(design, fit.link), fit.theta.copy()
    for tau in (0.1, 0.3):
        theta[-2] = tau
        nodes = Grid(fit.link, 31, 6.2, 3, 40).nested(tau, fit.omega)
        assert nested.at(theta, nodes, order=0).loglik < fit.loglik
    low, high = variances(fit).loc["tau2", ["conf_low", "conf_high"]]
    assert low == 0
    assert high > 0


def test_both_variances_can_be_zero() -> None:
    frame = in_teams(300, tau=0.0, omega=0.0)
    # answers that go against each other within a respondent, in teams that are alike
    frame["i1"] = 6 - frame["i0"]
    frame["team"] = (np.arange(300) % 50).astype(str)
    fit = fitted(frame)
    assert fit.status is Status.BOUNDARY
    assert fit.note == "the variances between respondents and between teams are estimated as zero"
    assert fit.tau == fit.omega == 0


def test_teams_of_one_are_respondents() -> None:
    frame = in_teams(200).assign(team=np.arange(200).astype(str))
    fit, without = fitted(frame), fitted(frame, team="")
    assert "no team has two respondents" in fit.note
    assert fit.tau == pytest.approx(without.tau)
    rows = variances(fit)
    assert rows.loc["tau2_team", "status"] == "not_estimable"
    assert rows.loc["total_sd", "estimate"] == pytest.approx(variances(without).loc["total_sd", "estimate"])


def test_what_depends_on_teams_that_are_cells_is_not_estimable() -> None:
    frame = in_teams(200)
    frame["team"] = frame["wave"]
    ours = compare_ordinal(frame, scale="s", favourable=(4, 5), **options(frame, team="team"))
    change = row(ours.contrasts, "change", "second - first", "x")
    assert change["status"] == "not_estimable"
    assert change["note"].startswith("teams differ only as the cells")
    assert row(ours.contrasts, "gap", "first", "x - y")["status"] == "ok"
    assert row(ours.contrasts, "difference_in_differences", "second - first", "x - y")["status"] == "ok"
    assert row(ours.contrasts, "gap_percent_favourable", "first", "x - y")["status"] == "not_estimable"
    assert row(ours.variances, "tau2_team")["status"] == "not_estimable"


def test_order_of_respondents_and_names_of_teams_do_not_matter() -> None:
    frame = in_teams(240)
    one = fitted(frame)
    other = fitted(frame.sample(frac=1, random_state=3).assign(team=lambda f: f["team"].str[::-1]))
    assert other.loglik == pytest.approx(one.loglik, rel=1e-12)
    np.testing.assert_allclose(other.theta, one.theta, atol=1e-6)
    np.testing.assert_allclose(other.cov, one.cov, atol=1e-8)


def test_answers_alike_within_every_team_have_no_finite_variance() -> None:
    frame = in_teams(60, teams=12, missing=0)
    level = frame.groupby("team")["i0"].transform("first")
    fit = fitted(frame.assign(i0=level, i1=level, i2=level))
    assert fit.status not in (Status.OK, Status.BOUNDARY)
    assert fit.note


HOSTILE = st.integers(2, 16).flatmap(
    lambda number: st.integers(1, 3).flatmap(
        lambda items: st.tuples(
            arrays(np.int64, (number, items), elements=st.integers(0, 4)),
            arrays(np.int64, (number, 2), elements=st.integers(0, 1)),
            arrays(np.int64, number, elements=st.integers(0, 3)),
            st.sampled_from(list(LINKS)),
            st.booleans(),
        )
    )
)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(HOSTILE)
def test_small_fits_in_teams_are_maxima_or_say_why_not(
    drawn: tuple[np.ndarray, np.ndarray, np.ndarray, str, bool],
) -> None:
    answers, cells, team, link, weighted = drawn
    frame = respondents(
        np.where(answers == 0, np.nan, answers),
        waves=np.array(["first", "second"])[cells[:, 0]],
        organisations=np.array(["x", "y"])[cells[:, 1]],
    ).assign(team=team.astype(str), weight=1.0 + np.arange(len(team)) % 3)
    weight = "weight" if weighted else ""
    fit = fitted(frame, link=link, weight=weight)
    if fit.status not in (Status.OK, Status.BOUNDARY):
        assert fit.note
        assert np.isnan(fit.coef).all()
    else:
        assert fit.scaled_gradient <= 1e-12
        assert np.isfinite(fit.coef).all()
        assert (np.linalg.eigvalsh(fit.cov) >= -1e-9).all()
        design = designed(frame, weight=weight)
        if not math.isnan(fit.omega) and not math.isnan(fit.tau) and not fit.separated:
            nested, rng = nested_of(design, fit.link), np.random.default_rng(0)
            for size in (1e-3, 0.1, 0.5):
                theta = fit.theta + rng.normal(0, size, len(fit.theta))
                theta[-2] = max(abs(theta[-2]), 0.1)
                nodes = Grid(fit.link, 31, 6.2, 3, 32).nested(theta[-2], theta[-1])
                assert nested.at(theta, nodes, order=0).loglik <= fit.loglik + 1e-5
    ours = compare_ordinal(
        frame, scale="s", favourable=(4,), link=link, **options(frame, team="team", weight=weight)
    )
    for table in ours:
        good = table["status"].isin(["ok", "boundary"])
        assert table.loc[good, "estimate"].notna().all()
        assert_no_numbers(table[~good])
    for low, high in ours.variances[["conf_low", "conf_high"]].dropna().to_numpy():
        assert low < high


# --- against truth -----------------------------------------------------------------------------------------


def test_intervals_cover_the_truth_where_ignoring_teams_would_not() -> None:
    """A gap between organisations that whole teams belong to: its error is that of teams."""
    runs, covered, ignoring = 40, 0, 0
    for seed in range(runs):
        frame = in_teams(240, teams=24, tau=0.8, omega=0.9, seed=100 + seed).assign(wave="first")
        frame["organisation"] = np.where(frame["team"].str[-1].astype(int) % 2 == 0, "x", "y")
        gap = np.array([1.0, -1.0, 0.0, 0.0])
        within = []
        for team in ("team", ""):
            fit = fitted(frame, team=team, waves=["first"])
            within.append(abs(gap @ fit.coef) < norm.ppf(0.975) * math.sqrt(gap @ fit.cov @ gap))
        covered, ignoring = covered + within[0], ignoring + within[1]
    assert covered / runs > 0.95 - 3 * math.sqrt(0.05 * 0.95 / runs)
    assert ignoring / runs < 0.8


def test_surface_of_teams_is_outside_where_nodes_are_too_coarse() -> None:
    nested = nested_of(designed(in_teams(60)), LINKS["logit"])
    surface = Teams(nested, Grid(LINKS["logit"], 31, 6.2, 3, 10))
    theta = somewhere(nested)
    evaluate = surface.near(theta)
    assert evaluate is not None
    theta[-2] = 0.01
    assert evaluate(theta, order=0).loglik == -math.inf
    assert surface.outgrown(somewhere(nested), theta)
