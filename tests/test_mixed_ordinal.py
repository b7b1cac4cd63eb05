"""The ordinal mixed model: against ordinal's clmm and emmeans; against its own formula; on hostile data."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.integrate import quad
from scipy.optimize import linprog
from scipy.special import expit, log_expit, log_ndtr, ndtr
from scipy.stats import norm
from statsmodels.miscmodels.ordinal_model import OrderedModel

from sampled import Comparison, compare, compare_fit, make_design, mean_vector
from surveywaves.mixed import clmm, maximum, quadrature
from surveywaves.mixed.clmm import OrdinalFit, fit_ordinal
from surveywaves.mixed.contrasts import standardised
from surveywaves.mixed.cumulative import LINKS, Link
from surveywaves.mixed.design import Design
from surveywaves.mixed.estimable import NOT_DETERMINED
from surveywaves.mixed.lmm import fit_linear
from surveywaves.mixed.maximum import fit_alone
from surveywaves.mixed.newton import newton
from surveywaves.mixed.quadrature import Likelihood
from surveywaves.terms import Status
from test_mixed_linear import KEY, assert_no_numbers, options, respondents, row, simulated

ORACLE = Path(__file__).parent / "oracle"
MANIFEST = pd.read_csv(ORACLE / "ordinal" / "manifest.csv", dtype="str", keep_default_na=False).set_index(
    "name"
)
ANSWERS = pd.read_csv(ORACLE / "ordinal" / "answers.csv")
INSIDE = [name for name in MANIFEST.index if name != "leaders"]
"""The sets with a variance between respondents."""

LOGLIK_TOLERANCE = 1e-8
"""Relative. What differs is the quadrature of clmm, 15 adaptive nodes: at most 3.3e-9."""

R_TOLERANCE = 1e-4
"""Absolute on the latent scale: clmm stops early, at gradients up to 0.03."""

ERROR_TOLERANCE = 3e-4
"""Relative, for standard errors: clmm's Hessian is by differences. At most 2.4e-4 (forty groups), else 1e-4."""

NODES = np.linspace(-6.2, 6.2, 31)
CDF = {"logit": expit, "probit": ndtr}


def run(frame: pd.DataFrame, *, link: str = "logit", **changed: Any) -> Comparison:
    return compare(frame, scale="s", fit=partial(fit_ordinal, link=link), **options(frame, **changed))


def fitted(frame: pd.DataFrame, *, link: str = "logit", **changed: Any) -> tuple[Design, OrdinalFit]:
    design = make_design(frame, **options(frame, **changed))
    return design, fit_ordinal(design, link=link)


# --- against R ---------------------------------------------------------------------------------------------


def oracle_options(name: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    entry = MANIFEST.loc[name]
    frame = pd.read_csv(ORACLE / "linear" / f"{entry['file']}.csv", keep_default_na=False, na_values=[""])
    frame = frame.iloc[:: int(entry["every"])]
    items = entry["items"].split()
    return frame, {
        "items": items,
        "keys": dict(zip(items, map(int, entry["keyed"].split()), strict=True)),
        "response_range": (float(entry["low"]), float(entry["high"])),
        "waves": sorted(frame["wave"].dropna().unique()),
        "organisations": sorted(frame["organisation"].dropna().unique()),
        "covariates": entry["covariates"].split(),
    }


def expected(name: str) -> pd.DataFrame:
    return ANSWERS[ANSWERS["set"] == name].drop(columns="set").reset_index(drop=True)


def value(table: pd.DataFrame, term: str) -> float:
    return float(table.loc[table["term"] == term, "estimate"].iloc[0])


def clmm_theta(design: Design, name: str) -> np.ndarray:
    """clmm's estimates as our parameters: thresholds, columns (its reference cell 0), tau."""
    found = expected(name).set_index("term")["estimate"]
    thresholds = [estimate for term, estimate in found.items() if term.startswith("threshold")]
    return np.array([*thresholds, *(found.get(column, 0.0) for column in design.columns), found["tau"]])


@pytest.mark.parametrize("name", MANIFEST.index)
def test_means_and_contrasts_match_clmm_and_emmeans(name: str) -> None:
    frame, given_options = oracle_options(name)
    design = make_design(frame, **given_options)
    fit = fit_ordinal(design, link=MANIFEST.loc[name, "link"])
    ours = compare_fit(design, fit, scale=name, min_cell=1)
    wanted = expected(name)
    wanted = wanted[wanted["wave"] != "all"]
    joined = wanted.merge(
        pd.concat([ours.means, ours.contrasts]), on=KEY, suffixes=("_r", ""), validate="1:1"
    )
    assert len(joined) == len(wanted)
    assert joined["status"].isin(["ok", "boundary"]).all()
    np.testing.assert_allclose(joined["estimate"], joined["estimate_r"], rtol=0, atol=R_TOLERANCE)
    np.testing.assert_allclose(joined["std_error"], joined["std_error_r"], rtol=ERROR_TOLERANCE)
    # what R has no row for is an empty cell
    rest = ours.contrasts[ours.contrasts["term"].isin(["change", "gap", "difference_in_differences"])]
    rest = rest.merge(wanted, on=KEY, how="left", indicator=True)
    assert (rest.loc[rest["_merge"] == "left_only", "status"] == "not_estimable").all()


@pytest.mark.parametrize("name", MANIFEST.index)
def test_parameters_and_likelihood_match_clmm(name: str) -> None:
    frame, given_options = oracle_options(name)
    design = make_design(frame, **given_options)
    fit = fit_ordinal(design, link=MANIFEST.loc[name, "link"])
    wanted = expected(name)
    assert fit.loglik == pytest.approx(value(wanted, "loglik"), rel=LOGLIK_TOLERANCE)
    theta = clmm_theta(design, name)
    t = len(fit.thresholds)
    np.testing.assert_allclose(fit.thresholds, theta[:t] - theta[:t].mean(), rtol=0, atol=R_TOLERANCE)
    later = [place for place, column in enumerate(design.columns) if not column.startswith("cell")]
    np.testing.assert_allclose(fit.coef[later], theta[t:-1][later], rtol=0, atol=R_TOLERANCE)
    errors = wanted.set_index("term")["std_error"]
    ours = np.sqrt(np.diagonal(fit.cov))[later]
    np.testing.assert_allclose(ours, [errors[design.columns[place]] for place in later], rtol=ERROR_TOLERANCE)
    assert fit.tau == pytest.approx(theta[-1], abs=2 * R_TOLERANCE)


def test_our_maximum_is_higher_and_its_gradient_smaller_than_clmms_on_every_set() -> None:
    """Both places by the same likelihood; printed as a table by `pytest -s`."""
    print(
        "\nset                  respondents  gradient: ours   clmm's  scaled: ours   clmm's  log L: ours - clmm's"
    )
    for name in INSIDE:
        frame, given_options = oracle_options(name)
        design = make_design(frame, **given_options)
        fit = fit_ordinal(design, link=MANIFEST.loc[name, "link"])
        likelihood = Likelihood(design, fit.link)
        free = np.flatnonzero(np.diagonal(fit.theta_cov) > 0)
        ours, theirs = (likelihood.at(theta, fit.nodes) for theta in (fit.theta, clmm_theta(design, name)))
        largest = [np.abs(point.gradient[free]).max() for point in (ours, theirs)]
        scaled = [newton(point.gradient, point.hessian, free)[1] for point in (ours, theirs)]
        print(
            f"{name:<20} {fit.n_respondents:>11}  {largest[0]:>14.1e} {largest[1]:>8.1e}"
            f"  {scaled[0]:>12.1e} {scaled[1]:>8.1e}  {ours.loglik - theirs.loglik:>20.1e}"
        )
        assert largest[0] < largest[1]
        assert scaled[0] < scaled[1]
        assert scaled[0] < 1e-12
        assert ours.loglik >= theirs.loglik
        assert ours.loglik == pytest.approx(value(expected(name), "loglik"), rel=LOGLIK_TOLERANCE)


@pytest.mark.parametrize("name", MANIFEST.index)
def test_fit_without_respondents_matches_clm(name: str) -> None:
    frame, given_options = oracle_options(name)
    alone = fit_alone(Likelihood(make_design(frame, **given_options), LINKS[MANIFEST.loc[name, "link"]]))
    assert alone is not None
    assert alone.summit.point.loglik == pytest.approx(value(expected(name), "loglik_alone"), rel=1e-12)


def test_variance_on_its_boundary_is_a_status_and_the_fit_is_clm() -> None:
    frame, given_options = oracle_options("leaders")
    fit = fit_ordinal(make_design(frame, **given_options))
    assert fit.status is Status.BOUNDARY
    assert fit.tau == 0
    assert fit.loglik == pytest.approx(value(expected("leaders"), "loglik_alone"), rel=1e-12)
    rows = pd.DataFrame(fit.variances(0.95)).set_index("term")
    assert rows.loc["tau2", "status"] == "boundary"
    assert math.isnan(rows.loc["tau2", "std_error"])


def number_of_cells(name: str) -> int:
    frame, given_options = oracle_options(name)
    return int((make_design(frame, **given_options).respondents > 0).sum())


def test_oracle_covers_what_is_hard() -> None:
    assert set(MANIFEST["link"]) == {"logit", "probit"}
    assert MANIFEST["file"].nunique() >= 8
    points = MANIFEST["high"].astype(int) - MANIFEST["low"].astype(int) + 1
    assert set(points) == {3, 4, 5, 6, 7}
    cells = [number_of_cells(name) for name in MANIFEST.index]
    assert min(cells) == 2
    assert max(cells) == 40
    assert MANIFEST["keyed"].str.contains("-1").any()
    assert value(expected("leaders"), "tau") < 1e-3


# --- against its own formula, and other implementations --------------------------------------------------------


def small(**changed: Any) -> Design:
    frame = simulated(60, items=3).assign(role=["a", "b", "c"] * 20, years=np.arange(60) % 7)
    return make_design(frame, **options(frame, covariates=["role", "years"], **changed))


def somewhere(likelihood: Likelihood) -> np.ndarray:
    theta = np.random.default_rng(5).normal(0, 0.3, likelihood.size)
    theta[: likelihood.thresholds] = np.linspace(-2, 2.5, likelihood.thresholds)
    theta[-1] = 1.3
    return theta


@pytest.mark.parametrize("link", LINKS.values(), ids=list(LINKS))
def test_likelihood_is_the_integral_over_respondents(link: Link) -> None:
    design = small()
    likelihood = Likelihood(design, link)
    theta = somewhere(likelihood)
    t = likelihood.thresholds
    bounds = np.concatenate([[-np.inf], theta[:t], [np.inf]])

    def chance(z: float, pattern: int) -> float:
        group = design.group[pattern]
        base = design.group_rows(slice(group, group + 1))[0]
        base[design.item_columns] = 0
        product = norm.pdf(z)
        for item, code in enumerate(design.answers[pattern]):
            if code:
                eta = base @ theta[t:-1] + (theta[t + 4 + item - 1] if item else 0.0) + theta[-1] * z
                high, low = CDF[link.name](bounds[code] - eta), CDF[link.name](bounds[code - 1] - eta)
                product *= float(high - low)
        return product

    total = 0.0
    for pattern, count in enumerate(design.count):
        integral, _ = quad(chance, -12, 12, args=(pattern,), epsabs=0, epsrel=1e-11, limit=200)
        total += count * math.log(integral)
    assert likelihood.at(theta, NODES).loglik == pytest.approx(total, rel=1e-9)


@pytest.mark.parametrize("link", LINKS.values(), ids=list(LINKS))
def test_gradient_and_hessian_are_those_of_the_likelihood(link: Link) -> None:
    likelihood = Likelihood(small(), link)
    theta = somewhere(likelihood)
    step = 1e-5
    for evaluate, some in (
        (lambda at: likelihood.at(at, NODES), slice(None)),
        (likelihood.independent, slice(0, -1)),
    ):
        point = evaluate(theta)
        pairs = [(evaluate(theta + e), evaluate(theta - e)) for e in np.eye(likelihood.size) * step]
        gradient = np.array([(up.loglik - down.loglik) / 2 / step for up, down in pairs])
        hessian = np.array([(up.gradient - down.gradient) / 2 / step for up, down in pairs])
        np.testing.assert_allclose(point.gradient[some], gradient[some], atol=1e-6)
        np.testing.assert_allclose(point.hessian[some, some], hessian[some, some], atol=1e-6)


@pytest.mark.parametrize("link", LINKS.values(), ids=list(LINKS))
def test_intervals_hold_in_the_far_tails(link: Link) -> None:
    far = np.array([-200.0, -40.0, -20.0, 0.0, 20.0, 40.0, 200.0])
    log_cdf = {"logit": log_expit, "probit": log_ndtr}[link.name]
    ends = np.full(1, -np.inf), np.zeros(1), np.ones(1), np.full(1, np.inf)
    up = link.interval(ends[0], ends[1], far, order=2)
    down = link.interval(ends[1], ends[3], far, order=2)
    np.testing.assert_allclose(up.log[0], log_cdf(-far), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(down.log[0], log_cdf(far), rtol=1e-12, atol=1e-15)
    inner = link.interval(ends[1], ends[2], far, order=2)
    for part in (*up, *down, *inner):
        assert np.isfinite(part).all()
    np.testing.assert_allclose(
        inner.log[0], link.interval(-ends[2], ends[1], -far, order=0).log[0], rtol=1e-12
    )
    # concave: no curvature is positive
    assert (inner.by_upper_twice <= 0).all()
    assert (inner.by_upper_twice + 2 * inner.by_both + inner.by_lower_twice <= 1e-9).all()


def test_scale_with_one_item_is_ordered_logit() -> None:
    frame = simulated(150, items=1, missing=0)
    _, fit = fitted(frame)
    assert fit.status is Status.OK
    assert math.isnan(fit.tau)
    cells = pd.get_dummies(frame["wave"] + frame["organisation"], dtype=float).iloc[:, 1:]
    theirs = OrderedModel(frame["i0"].astype(int), cells, distr="logit").fit(method="newton", disp=False)
    assert fit.loglik == pytest.approx(theirs.llf, rel=1e-10)
    contrasts = run(frame).contrasts
    gap = row(contrasts, "gap", "first", "x - y")
    assert gap["estimate"] == pytest.approx(-theirs.params.iloc[0], rel=1e-6)
    assert gap["std_error"] == pytest.approx(theirs.bse.iloc[0], rel=1e-5)
    assert gap["df"] == math.inf
    assert row(run(frame).variances, "icc")["status"] == "not_estimable"


def test_more_nodes_are_used_where_answers_say_much_about_a_respondent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    frame, given_options = oracle_options("verbal")
    entry = pd.read_csv(ORACLE / "linear" / "manifest.csv", dtype="str", keep_default_na=False).set_index(
        "name"
    )
    items = entry.loc["verbal", "items"].split()
    design = make_design(frame, **given_options | {"items": items, "keys": dict.fromkeys(items, 1)})
    fit = fit_ordinal(design)
    assert fit.status is Status.OK
    assert len(fit.nodes) > 40
    fine = Likelihood(design, fit.link).at(fit.theta, np.linspace(-9, 9, 1001), order=0)
    assert fit.loglik == pytest.approx(fine.loglik, rel=1e-9)
    monkeypatch.setattr(clmm, "NODES", 3)
    few = fit_ordinal(design)
    np.testing.assert_allclose(few.coef, fit.coef, atol=1e-4)


def test_cutting_into_chunks_and_starting_from_a_part_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = simulated(600).assign(role=["a", "b", "c"] * 200)
    _, fit = fitted(frame, covariates=["role"])
    monkeypatch.setattr(quadrature, "PATTERNS", 50)
    monkeypatch.setattr(maximum, "ENOUGH", 150)
    _, cut = fitted(frame, covariates=["role"])
    assert cut.loglik == pytest.approx(fit.loglik, rel=1e-13)
    np.testing.assert_allclose(cut.coef, fit.coef, atol=1e-6)
    np.testing.assert_allclose(cut.cov, fit.cov, atol=1e-6 * np.abs(fit.cov).max())


def test_respondents_counted_twice_double_the_likelihood_and_halve_the_variance() -> None:
    design = small()
    one, two = fit_ordinal(design), fit_ordinal(replace(design, count=2 * design.count))
    assert two.loglik == pytest.approx(2 * one.loglik, rel=1e-12)
    np.testing.assert_allclose(two.cov, one.cov / 2, rtol=1e-6)


# --- percentages ----------------------------------------------------------------------------------------------


def test_standardised_contrasts_are_in_standard_deviations_of_the_latent_answer() -> None:
    _, contrasts, variances = run(simulated(80))
    ours = standardised(contrasts, variances)
    assert set(ours["term"]) == {f"{t}_standardised" for t in ("change", "gap", "difference_in_differences")}
    tau2 = row(variances, "tau2")["estimate"]
    unit = math.sqrt(tau2 + math.pi**2 / 3)
    np.testing.assert_allclose(ours["estimate"] * unit, contrasts["estimate"])


# --- against truth --------------------------------------------------------------------------------------------


def test_intervals_cover_the_truth_and_false_positives_are_as_rare_as_stated() -> None:
    rng = np.random.default_rng(2006)
    thresholds = np.array([-2.0, -0.8, 0.9, 2.2])
    base = respondents(np.ones((120, 4)))
    shift = np.where((base["wave"] == "second") & (base["organisation"] == "x"), 0.7, 0.0)
    item = np.array([0.0, 0.5, -0.5, 0.3])
    runs, covered, false = 100, 0, 0
    for _ in range(runs):
        latent = shift[:, None] + item + rng.normal(size=(120, 1)) + rng.logistic(size=(120, 4))
        frame = base.copy()
        answers = np.searchsorted(thresholds, latent).astype(float) + 1
        answers[rng.random(answers.shape) < 0.1] = np.nan
        frame[["i0", "i1", "i2", "i3"]] = answers
        contrasts = run(frame).contrasts
        change = row(contrasts, "change", "second - first", "x")
        covered += change["conf_low"] < 0.7 < change["conf_high"]
        false += row(contrasts, "gap", "first", "x - y")["p_value"] < 0.05
    error = math.sqrt(0.05 * 0.95 / runs)
    assert covered / runs == pytest.approx(0.95, abs=3 * error)
    assert false / runs == pytest.approx(0.05, abs=3 * error)


# --- invariances ----------------------------------------------------------------------------------------------


def test_order_of_respondents_does_not_matter() -> None:
    frame = simulated(201).assign(role=["a", "b", "c"] * 67)
    shuffled = frame.sample(frac=1, random_state=5)
    for one, other in zip(run(frame, covariates=["role"]), run(shuffled, covariates=["role"]), strict=True):
        pd.testing.assert_frame_equal(
            one[one["term"] != "scaled_gradient"], other[other["term"] != "scaled_gradient"], rtol=1e-8
        )


def test_order_of_waves_and_items_does_not_matter() -> None:
    frame = simulated(120)
    one = run(frame)
    other = run(frame, waves=["second", "first"], organisations=["y", "x"], items=["i3", "i1", "i0", "i2"])
    both = one.means.merge(other.means, on=KEY, suffixes=("", "_o"), validate="1:1")
    assert len(both) == 4
    np.testing.assert_allclose(both["estimate"], both["estimate_o"], atol=1e-6)
    np.testing.assert_allclose(both["std_error"], both["std_error_o"], rtol=1e-6)


@pytest.mark.parametrize("link", LINKS)
def test_reversed_items_mirror_the_means(link: str) -> None:
    frame = simulated(100)
    one = run(frame, link=link)
    other = run(frame, link=link, keys=dict.fromkeys(["i0", "i1", "i2", "i3"], -1))
    np.testing.assert_allclose(one.means["estimate"], -other.means["estimate"], atol=1e-7)
    np.testing.assert_allclose(one.means["std_error"], other.means["std_error"], rtol=1e-7)


def test_units_and_origin_of_a_covariate_do_not_matter() -> None:
    frame = simulated(100).assign(years=np.arange(100) % 17)
    one = run(frame, covariates=["years"])
    other = run(frame.assign(years=frame["years"] * 1e6 + 1e9), covariates=["years"])
    np.testing.assert_allclose(one.means["estimate"], other.means["estimate"], rtol=1e-6)
    np.testing.assert_allclose(one.contrasts["std_error"], other.contrasts["std_error"], rtol=1e-6)


def test_compare_takes_the_fit_like_any_other() -> None:
    frame = simulated(80)
    latent = run(frame)
    assert set(latent.means["analysis"]) == {"ordinal"}
    assert set(run(frame, link="probit").contrasts["analysis"]) == {"ordinal_probit"}
    assert (latent.contrasts["df"] == math.inf).all()


# --- hostile data ---------------------------------------------------------------------------------------------


def test_category_nobody_used_is_left_out_and_changes_nothing() -> None:
    frame = simulated(100)
    items = ["i0", "i1", "i2", "i3"]
    gap = frame.assign(**{item: frame[item].replace({2: 1}) for item in items})
    closed = gap.assign(**{item: gap[item].replace({1: 2}) for item in items})
    one, other = run(gap), run(closed)
    pd.testing.assert_frame_equal(one.contrasts, other.contrasts)
    assert row(one.variances, "threshold[1|3]")["status"] == "ok"
    assert row(one.variances, "n_categories")["estimate"] == 4
    # an answer that only people of another wave gave is named
    frame = closed.assign(wave=["third", *closed["wave"][1:]])
    frame.loc[0, "i0"] = 1
    assert row(run(frame).variances, "n_categories")["note"] == "nobody answered: 1"


def test_cell_with_all_answers_at_the_top_has_no_estimate_and_the_others_are_those_without_it() -> None:
    frame = simulated(120)
    apart = (frame["wave"] == "first") & (frame["organisation"] == "x")
    frame.loc[apart, ["i0", "i1", "i2", "i3"]] = 5
    ours, without = run(frame), run(frame[~apart])
    lost = ours.contrasts["status"] != "ok"
    assert lost.sum() == 3 and (ours.contrasts.loc[lost, "status"] == "not_estimable").all()
    touching = 0
    for mine, other in zip(ours[:2], without[:2], strict=True):
        table = other[KEY].merge(mine, on=KEY)
        lost = other["status"] == "not_estimable"
        assert (table.loc[lost, "status"] == "not_estimable").all()
        assert table.loc[lost, "note"].str.endswith("(perfect separation): cell[first, x]").all()
        assert_no_numbers(table[lost])
        assert (table.loc[~lost, "status"] == "ok").all()
        np.testing.assert_allclose(table.loc[~lost, "estimate"], other.loc[~lost, "estimate"], atol=1e-6)
        np.testing.assert_allclose(table.loc[~lost, "std_error"], other.loc[~lost, "std_error"], rtol=1e-6)
        touching += lost.sum()
    assert touching == 1


def test_item_that_all_agree_with_leaves_the_contrasts_and_takes_the_means() -> None:
    frame = simulated(120, missing=0)
    frame["i3"] = 5
    ours = run(frame)
    without = run(frame.drop(columns="i3"))
    assert (ours.contrasts["status"] == "ok").all()
    np.testing.assert_allclose(ours.contrasts["estimate"], without.contrasts["estimate"], atol=1e-6)
    assert (ours.means["status"] == "not_estimable").all()
    assert ours.means["note"].str.contains(r"item\[i3\]").all()


def test_covariate_that_splits_the_answers_is_named() -> None:
    frame = simulated(80, missing=0).assign(role=["a", "b"] * 40)
    frame["wave"] = ["first"] * 40 + ["second"] * 40
    split = frame["role"] == "a"
    items = ["i0", "i1", "i2", "i3"]
    frame.loc[split, items] = frame.loc[split, items].clip(upper=2)
    frame.loc[~split, items] = frame.loc[~split, items].clip(lower=4)
    ours = run(frame, covariates=["role"])
    latent = ours.contrasts["term"] == "change"
    assert (ours.contrasts.loc[latent, "status"].isin(["ok", "boundary"])).all()


def same(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(**dict.fromkeys(["i0", "i1", "i2", "i3"], 3))


def alike(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(**{f"i{number}": frame["i0"] for number in range(4)})


def unanswered(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(**dict.fromkeys(["i0", "i1", "i2", "i3"], pd.NA))


def averaged(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(i0=np.linspace(1, 5, len(frame)))


def two(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.iloc[[0, 1]]


@pytest.mark.parametrize(
    ("spoil", "status", "note"),
    [
        (same, "not_estimable", "everybody gave the same answer"),
        (alike, "not_estimable", "answers hardly differ within a respondent"),
        (unanswered, "not_estimable", "nobody answered"),
        (averaged, "not_estimable", "distinct answers: no response scale"),
        (two, "too_few", "respondents to estimate the variance"),
    ],
)
def test_hopeless_data_have_a_named_status(
    spoil: Callable[[pd.DataFrame], pd.DataFrame], status: str, note: str
) -> None:
    frame = spoil(simulated(80, missing=0))
    ours = run(frame, min_cell=1)
    assert ours.means["note"].str.contains(note).any()
    for table in ours[:2]:
        assert_no_numbers(table)
        assert (table["status"].isin([status, "not_estimable"])).all()
    model = ours.variances[~ours.variances["term"].str.startswith("n_")]
    assert_no_numbers(model)


def test_cell_with_one_person_takes_part_but_has_no_estimate() -> None:
    frame = simulated(80, missing=0)
    apart = (frame["wave"] == "first") & (frame["organisation"] == "x")
    frame = frame.drop(frame.index[apart][1:])
    ours = run(frame)
    mean = row(ours.means, "emmean", "first", "x")
    assert mean["status"] == "too_few"
    assert mean["note"] == "fewer than 2 respondents: first, x"
    assert row(ours.contrasts, "change", "second - first", "y")["status"] == "ok"
    assert row(ours.contrasts, "change", "second - first", "x")["status"] == "too_few"
    assert row(run(frame, min_cell=1).means, "emmean", "first", "x")["status"] == "ok"


def test_what_is_estimable_is_what_is_estimable_in_the_linear_model() -> None:
    frame = simulated(60).assign(role=["a", "b", "c"] * 20, copy=["q", "r", "r"] * 20)
    frame.loc[frame["wave"] == "first", ["i0", "i1"]] = pd.NA
    frame.loc[frame["wave"] == "second", ["i2", "i3"]] = pd.NA
    design, fit = fitted(frame, covariates=["role", "copy"])
    linear = fit_linear(design, robust=False)  # what has no robust variance besides is another matter
    rng = np.random.default_rng(1)
    rows = [design.group_rows(slice(0, None))[0], *np.eye(len(design.columns)), *rng.normal(size=(20, 10))]
    rows += [
        mean_vector(design, *one) - mean_vector(design, *other)
        for one in design.cells
        for other in design.cells
    ]
    obstacles = fit.obstacles(np.array(rows))
    assert obstacles == linear.obstacles(np.array(rows))
    assert set(obstacles) == {"", NOT_DETERMINED}
    ours = run(frame, covariates=["role", "copy"])
    # the items of the first wave are the main block, over which means are: the second answered none of them
    apart = ours.means["wave"] == "second"
    assert (ours.means.loc[apart, "status"] == "not_estimable").all()
    assert ours.means.loc[~apart, "status"].isin(["ok", "boundary"]).all()
    assert row(ours.contrasts, "gap", "first", "x - y")["status"] in ("ok", "boundary")
    assert "no items in common" in row(ours.contrasts, "change", "second - first", "x")["note"]


def separable(likelihood: Likelihood) -> bool:
    """Whether a linear program finds a direction in which no bound tightens and some loosen."""
    moves = []
    for chunk in likelihood.chunks:
        answers = likelihood.answers(chunk)
        upper, lower = (np.zeros((len(chunk.item), likelihood.size - 1)) for _ in answers.sides)
        for bounds, (rows, _) in zip((upper, lower), answers.sides, strict=True):
            bounds[:, answers.columns] = rows
            bounds[:, answers.owned] = -answers.classes[answers.of_class]
        moves += [upper[chunk.category <= likelihood.thresholds], -lower[chunk.category > 1]]
    g = np.unique(np.vstack(moves), axis=0)
    found = linprog(
        -g.sum(axis=0), A_ub=-g, b_ub=np.zeros(len(g)), bounds=[(-1, 1)] * g.shape[1], method="highs"
    )
    return bool(-found.fun > 1e-7)


HOSTILE = st.integers(1, 14).flatmap(
    lambda number: st.integers(1, 3).flatmap(
        lambda items: st.tuples(
            arrays(np.int64, (number, items), elements=st.integers(0, 4)),
            arrays(np.int64, (number, 2), elements=st.integers(0, 1)),
            arrays(np.int64, number, elements=st.integers(0, 2)),
            st.sampled_from(list(LINKS)),
        )
    )
)


@settings(max_examples=120, deadline=None, derandomize=True)
@given(HOSTILE)
def test_small_fits_are_maxima_or_say_why_not(drawn: tuple[np.ndarray, np.ndarray, np.ndarray, str]) -> None:
    answers, cells, role, link = drawn
    frame = respondents(
        np.where(answers == 0, np.nan, answers),
        waves=np.array(["first", "second"])[cells[:, 0]],
        organisations=np.array(["x", "y"])[cells[:, 1]],
    ).assign(role=np.array(["a", "b", "c"])[role])
    design, fit = fitted(frame, link=link, covariates=["role"])
    if fit.status not in (Status.OK, Status.BOUNDARY):
        assert fit.note
        assert np.isnan(fit.coef).all()
        assert math.isnan(fit.loglik)
    else:
        likelihood = Likelihood(design, fit.link)
        assert fit.separated == separable(likelihood)
        assert fit.scaled_gradient <= 1e-12
        assert np.isfinite(fit.coef).all()
        assert (np.linalg.eigvalsh(fit.cov) >= -1e-9).all()
        theta = np.nan_to_num(fit.theta)
        if not fit.separated:
            rng = np.random.default_rng(0)
            for size in (1e-3, 0.1, 0.5):
                step = rng.normal(0, size, len(theta))
                step[-1] *= not math.isnan(fit.tau)
                assert likelihood.at(theta + step, NODES, order=0).loglik <= fit.loglik + 1e-5
    ours = run(frame, link=link, covariates=["role"], min_cell=1)
    for table in ours[:2]:
        good = table["status"].isin(["ok", "boundary"])
        assert table.loc[good, ["estimate", "std_error", "conf_low", "conf_high"]].notna().all(axis=None)
        assert_no_numbers(table[~good])
        assert (table.loc[~good, "note"] != "").all()
        assert (table.loc[good, "std_error"] < 500).all()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"link": "cloglog"}, "not a link: cloglog"),
        ({"confidence": 1.0}, "not a coverage"),
        ({"items": ["i0", "i9"]}, "not columns of the frame"),
    ],
)
def test_arguments_that_contradict_the_frame_are_named(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run(simulated(40), **{"keys": {**dict.fromkeys(["i0", "i1", "i2", "i3", "i9"], 1)}, **changed})
