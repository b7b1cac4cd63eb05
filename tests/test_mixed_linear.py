"""The linear mixed model: against lme4, lmerTest and emmeans; against its own formula; on hostile data."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from sampled import Comparison, adjust, compare, make_design
from surveywaves.mixed import lmm
from surveywaves.mixed.contrasts import estimates, standardised
from surveywaves.mixed.design import Design
from surveywaves.mixed.estimable import NOT_DETERMINED
from surveywaves.mixed.lmm import LinearFit, fit_linear
from surveywaves.mixed.reml import FINE_GRID, Point, lowest_along
from surveywaves.terms import Status
from surveywaves.tidy import NUMBERS

ORACLE = Path(__file__).parent / "oracle" / "linear"
MANIFEST = pd.read_csv(ORACLE / "manifest.csv", dtype="str", keep_default_na=False).set_index("name")
ANSWERS = pd.read_csv(ORACLE / "answers.csv")

R_TOLERANCE = {"rtol": 1e-6, "atol": 1e-8}
"""Both sides find the REML maximum as a root of the slope, so they could agree to 1e-9 and better; lmerTest's
Hessian, and lme4's slope in linear.R, are numeric. The largest deviation seen is 7e-9 (df of `verbal`)."""

FORMULA_TOLERANCE = {"rtol": 1e-8, "atol": 1e-8}
"""The same formula with and without dense matrices: rounding only."""

STATSMODELS_TOLERANCE = {"rtol": 2e-4, "atol": 2e-4}
"""Powell's search in MixedLM stops when the likelihood changes by about 1e-8, which leaves its square root."""

KEY = ["term", "wave", "organisation"]


def respondents(
    answers: Any, *, waves: Sequence[Any] | None = None, organisations: Sequence[Any] | None = None
) -> pd.DataFrame:
    """(N, J) answers as a frame; two waves and two organisations in turn unless told otherwise."""
    answers = np.atleast_2d(np.asarray(answers, dtype=np.float64))
    number = np.arange(len(answers))
    frame = pd.DataFrame(
        {
            "wave": np.where(number % 2 == 0, "first", "second") if waves is None else waves,
            "organisation": np.where(number // 2 % 2 == 0, "x", "y")
            if organisations is None
            else organisations,
        }
    )
    for item, column in enumerate(answers.T):
        frame[f"i{item}"] = pd.array(column, dtype="Float64").astype("Int8")
    return frame


def options(frame: pd.DataFrame, **changed: Any) -> dict[str, Any]:
    items = [name for name in frame.columns if name.startswith("i")]
    usual = {
        "items": items,
        "keys": dict.fromkeys(items, 1),
        "response_range": (1, 5),
        "waves": ["first", "second"],
        "organisations": ["x", "y"],
    }
    return usual | changed


def run(frame: pd.DataFrame, **changed: Any) -> Comparison:
    return compare(frame, scale="s", **options(frame, **changed))


def simulated(
    number: int, *, items: int = 4, sd: float = 0.7, seed: int = 1, missing: float = 0.1
) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    answers = 3 + rng.normal(0, sd, (number, 1)) + rng.normal(0, 0.9, (number, items))
    answers = np.clip(np.round(answers), 1, 5)
    answers[rng.random(answers.shape) < missing] = np.nan
    return respondents(answers)


def row(table: pd.DataFrame, term: str, wave: str = "all", organisation: str = "all") -> pd.Series:
    found = table[(table[KEY] == [term, wave, organisation]).all(axis=1)]
    assert len(found) == 1, f"{term}, {wave}, {organisation}: {len(found)} rows"
    return found.iloc[0]


def assert_no_numbers(table: pd.DataFrame) -> None:
    assert table[list(NUMBERS)].isna().all(axis=None)


# --- against R ---------------------------------------------------------------------------------------------


def oracle_options(name: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The data of a set, and how to read them."""
    entry = MANIFEST.loc[name]
    frame = pd.read_csv(ORACLE / f"{name}.csv", keep_default_na=False, na_values=[""])
    items = entry["items"].split()
    return frame.astype(dict.fromkeys(items, "Int8")), {
        "items": items,
        "keys": dict(zip(items, map(int, entry["keyed"].split()), strict=True)),
        "response_range": (float(entry["low"]), float(entry["high"])),
        "waves": sorted(frame["wave"].dropna().unique()),
        "organisations": sorted(frame["organisation"].dropna().unique()),
        "covariates": entry["covariates"].split(),
        "team": entry["team"],
    }


def oracle_design(name: str) -> Design:
    frame, how = oracle_options(name)
    return make_design(frame, **how)


@cache
def on_oracle(name: str) -> tuple[Comparison, pd.DataFrame]:
    frame, how = oracle_options(name)
    comparison = compare(frame, scale=name, min_cell=1, fit=partial(fit_linear, robust=False), **how)
    return comparison, ANSWERS[ANSWERS["set"] == name].drop(columns="set").reset_index(drop=True)


@pytest.mark.parametrize("name", MANIFEST.index)
def test_means_and_contrasts_match_emmeans_and_lmertest(name: str) -> None:
    (means, contrasts, _), expected = on_oracle(name)
    ours = pd.concat([means, contrasts], ignore_index=True)
    expected = expected[expected["wave"].ne("all") | expected["organisation"].ne("all")]
    joined = expected.merge(ours, on=KEY, how="outer", suffixes=("_r", ""), validate="1:1", indicator=True)
    alone = joined["_merge"] == "left_only"  # with a cell that is empty
    assert joined.loc[alone, "estimate_r"].isna().all() and not (joined["_merge"] == "right_only").any()
    joined = joined[~alone]
    tested = joined["term"] != "emmean"
    for column in ("estimate", "std_error", "df", "conf_low", "conf_high", "p_value"):
        here = joined[tested] if column == "p_value" else joined
        np.testing.assert_allclose(here[column], here[f"{column}_r"], **R_TOLERANCE, err_msg=column)
    without = joined["estimate_r"].isna()
    assert (joined.loc[without, "status"] == "not_estimable").all()
    assert joined.loc[~without, "status"].isin(["ok", "boundary"]).all()


@pytest.mark.parametrize("name", MANIFEST.index)
def test_variances_and_likelihood_match_lmer(name: str) -> None:
    (_, _, variances), expected = on_oracle(name)
    for _, wanted in expected[(expected["wave"] == "all") & (expected["organisation"] == "all")].iterrows():
        ours = row(variances, wanted["term"])
        np.testing.assert_allclose(
            ours["estimate"], wanted["estimate"], **R_TOLERANCE, err_msg=wanted["term"]
        )


def test_oracle_covers_what_is_hard() -> None:
    assert {"bfi", "sai", "beps", "leaders", "verbal", "disjoint", "wine"} <= set(MANIFEST.index)
    assert ANSWERS.loc[ANSWERS["set"] == "sai", "estimate"].isna().any(), "empty cells"
    leaders = ANSWERS[(ANSWERS["set"] == "leaders") & (ANSWERS["term"] == "tau2")]
    assert leaders["estimate"].tolist() == [0], "a variance on its boundary"
    assert (ANSWERS.loc[ANSWERS["set"] == "wine", "df"] < 40).any(), "degrees of freedom that matter"


# --- against its own formula, and other implementations --------------------------------------------------------


def dense(design: Design) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns, answers and respondent of every single answer."""
    rows, answers, owners = [], [], []
    owner = 0
    for pattern, count in enumerate(design.count.astype(int)):
        group = design.group[pattern]
        base = design.group_rows(slice(group, group + 1))[0]
        base[design.item_columns] = 0
        for _ in range(count):
            for item, code in enumerate(design.answers[pattern]):
                if code:
                    one = base.copy()
                    if item:
                        one[design.item_columns.start + item - 1] = 1
                    rows.append(one)
                    answers.append(design.levels[code - 1])
                    owners.append(owner)
            owner += 1
    return np.array(rows), np.array(answers), np.array(owners)


def dense_reml(design: Design, fit: LinearFit, sigma2: float, tau2: float) -> tuple[float, np.ndarray]:
    """Log-likelihood as in the textbook, with the n x n covariance matrix, and the kept coefficients."""
    x, y, owner = dense(design)
    x = x[:, fit.kept]
    v = sigma2 * np.eye(len(y)) + tau2 * (owner[:, None] == owner)
    inverse = np.linalg.inv(v)
    information = x.T @ inverse @ x
    beta = np.linalg.solve(information, x.T @ inverse @ y)
    rest = y - x @ beta
    determinants = np.linalg.slogdet(v)[1] + np.linalg.slogdet(information)[1]
    return -0.5 * ((len(y) - x.shape[1]) * math.log(2 * math.pi) + determinants + rest @ inverse @ rest), beta


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    number=st.sampled_from([1, 2, 5, 9, 14, 20, 30]),
    items=st.integers(1, 4),
    missing=st.sampled_from([0.0, 0.2, 0.6]),
    sd=st.sampled_from([0.0, 0.5, 3.0]),
)
def test_small_fits_are_the_maximum_of_the_textbook_likelihood_or_say_why_not(
    seed: int, number: int, items: int, missing: float, sd: float
) -> None:
    rng = np.random.default_rng(seed)
    answers = np.clip(np.round(3 + rng.normal(0, sd, (number, 1)) + rng.normal(0, 1, (number, items))), 1, 5)
    answers[rng.random(answers.shape) < missing] = np.nan
    frame = respondents(
        answers, waves=rng.choice(["first", "second"], number), organisations=rng.choice(["x", "y"], number)
    ).assign(role=rng.choice(["a", "b", "c"], number))
    design = make_design(frame, **options(frame, covariates=["role"]))
    fit = fit_linear(design)
    if fit.status not in (Status.OK, Status.BOUNDARY):
        assert fit.note
        assert np.isnan(fit.coef).all()
        assert math.isnan(fit.sigma2)
        return
    assert fit.sigma2 > 0
    tau2 = 0.0 if math.isnan(fit.tau2) else fit.tau2
    loglik, beta = dense_reml(design, fit, fit.sigma2, tau2)
    assert fit.loglik == pytest.approx(loglik, rel=1e-8, abs=1e-8)
    np.testing.assert_allclose(fit.coef[fit.kept], beta, **FORMULA_TOLERANCE)
    for other_s, other_t in ((1.1, 1.0), (0.9, 1.0), (1.0, 1.1), (1.0, 0.9), (0.5, 3.0), (2.0, 0.2)):
        shifted = (
            fit.sigma2 * other_s,
            tau2 * other_t + (0.05 * fit.sigma2 if tau2 == 0 and other_t > 1 else 0),
        )
        if fit.status is Status.OK and math.isnan(fit.tau2):
            shifted = fit.sigma2 * other_s, 0.0
        assert dense_reml(design, fit, *shifted)[0] <= loglik + 1e-9


def test_kept_columns_and_null_directions_describe_the_columns() -> None:
    frame = simulated(60).assign(role=["a", "b", "c"] * 20, copy=["q", "r", "r"] * 20)
    frame.loc[frame["wave"] == "first", ["i0", "i1"]] = pd.NA
    frame.loc[frame["wave"] == "second", ["i2", "i3"]] = pd.NA
    design = make_design(frame, **options(frame, covariates=["role", "copy"]))
    fit = fit_linear(design)
    x, _, _ = dense(design)
    assert fit.rank == np.linalg.matrix_rank(x) == x.shape[1] - 2
    np.testing.assert_allclose(x / fit.determined.scale @ fit.determined.null, 0, atol=1e-9)
    assert fit.obstacles(np.array([x[0], np.eye(len(fit.coef))[0]])) == ["", NOT_DETERMINED]


def test_variance_covariance_is_twice_the_inverse_hessian_of_the_textbook_deviance() -> None:
    design = make_design(frame := simulated(40), **options(frame))
    fit = fit_linear(design, robust=False)
    step = 1e-3

    def deviance(log_s: float, log_t: float) -> float:
        s = fit.sigma2 * math.exp(log_s)
        return -2 * dense_reml(design, fit, s, s * fit.theta * math.exp(log_t))[0]

    axes = np.eye(2) * step
    hessian = np.array(
        [
            [
                (deviance(*(a + b)) - deviance(*(a - b)) - deviance(*(b - a)) + deviance(*(-a - b)))
                / 4
                / step**2
                for b in axes
            ]
            for a in axes
        ]
    )
    units = np.array([fit.sigma2, fit.theta])
    expected = 2 * np.linalg.inv(hessian) * np.outer(units, units)
    # differences of step 1e-3 are right to about its square
    np.testing.assert_allclose(fit.variance_cov, expected, rtol=1e-4)


def test_standard_errors_of_variances_follow_by_the_delta_method() -> None:
    design = make_design(frame := simulated(60), **options(frame))
    fit = fit_linear(design)
    functions: dict[str, Callable[[float, float], float]] = {
        "sigma2": lambda s, _: s,
        "tau2": lambda s, t: s * t,
        "icc": lambda _, t: t / (1 + t),
        "total_sd": lambda s, t: math.sqrt(s + s * t),
    }
    rows = {row["term"]: row for row in fit.variances(0.95)}
    s, t, step = fit.sigma2, fit.theta, 1e-6
    for term, function in functions.items():
        gradient = np.array(
            [function(s + step, t) - function(s - step, t), function(s, t + step) - function(s, t - step)]
        ) / (2 * step)
        assert rows[term]["estimate"] == pytest.approx(function(s, t))
        assert rows[term]["std_error"] == pytest.approx(
            math.sqrt(gradient @ fit.variance_cov @ gradient), rel=1e-6
        )
    assert "std_error" not in rows["reml_loglik"]


def test_linear_model_matches_statsmodels_mixedlm_by_powell() -> None:
    frame = simulated(150, seed=3)
    design = make_design(frame, **options(frame))
    fit = fit_linear(design, robust=False)
    x, y, owner = dense(design)
    theirs = sm.MixedLM(y, x, groups=owner).fit(method="powell", reml=True)
    np.testing.assert_allclose(fit.coef, theirs.fe_params, **STATSMODELS_TOLERANCE)
    np.testing.assert_allclose(fit.sigma2, theirs.scale, **STATSMODELS_TOLERANCE)
    np.testing.assert_allclose(fit.tau2, theirs.cov_re[0, 0], **STATSMODELS_TOLERANCE)
    np.testing.assert_allclose(
        fit.cov, theirs.cov_params()[: len(fit.coef), : len(fit.coef)], **STATSMODELS_TOLERANCE
    )


def test_scale_with_one_item_is_ordinary_least_squares() -> None:
    frame = simulated(80, items=1)
    design = make_design(frame, **options(frame))
    fit = fit_linear(design, robust=False)
    x, y, _ = dense(design)
    theirs = sm.OLS(y, x).fit()
    np.testing.assert_allclose(fit.coef, theirs.params, **FORMULA_TOLERANCE)
    np.testing.assert_allclose(fit.cov, theirs.cov_params(), **FORMULA_TOLERANCE)
    means, contrasts, variances = run(frame, fit=partial(fit_linear, robust=False))
    assert (means["status"] == "ok").all()
    np.testing.assert_allclose(contrasts["df"], theirs.df_resid)
    assert row(variances, "tau2")["status"] == "not_estimable"
    assert "no respondent answered two items" in row(variances, "tau2")["note"]


@pytest.mark.thorough
def test_intervals_cover_the_truth_and_false_positives_are_as_rare_as_stated() -> None:
    rng = np.random.default_rng(42)
    truth = {"first": 3.0, "second": 3.4}
    runs, covered, false = 200, 0, 0
    for _ in range(runs):
        frame = respondents(np.ones((24, 3)))
        mean = frame["wave"].map(truth).to_numpy()
        answers = mean[:, None] + rng.normal(0, 0.6, (24, 1)) + rng.normal(0, 0.9, (24, 3))
        answers[rng.random(answers.shape) < 0.1] = np.nan
        frame[["i0", "i1", "i2"]] = answers
        fit = fit_linear(design := make_design(frame, **options(frame, response_range=(-20, 20))))
        sums = [{("second", "x"): 1, ("first", "x"): -1}, {("first", "x"): 1, ("first", "y"): -1}]
        change, gap = estimates(design, fit, sums, confidence=0.95, min_cell=2)
        covered += change["conf_low"] < 0.4 < change["conf_high"]
        false += gap["p_value"] < 0.05
    error = math.sqrt(0.05 * 0.95 / runs)
    assert covered / runs == pytest.approx(0.95, abs=3 * error)
    assert false / runs == pytest.approx(0.05, abs=3 * error)


# --- invariances ----------------------------------------------------------------------------------------------


def test_order_of_respondents_does_not_matter() -> None:
    frame = simulated(200).assign(role=["a", "b", "c", "d"] * 50)
    shuffled = frame.sample(frac=1, random_state=5)
    for one, other in zip(run(frame, covariates=["role"]), run(shuffled, covariates=["role"]), strict=True):
        pd.testing.assert_frame_equal(one, other, rtol=1e-10)


def test_distinct_respondents_are_far_fewer_and_count_everyone() -> None:
    frame = simulated(2000, items=2)
    design = make_design(frame, **options(frame))
    answered = frame[["i0", "i1"]].notna().any(axis=1)
    assert design.count.sum() == answered.sum()
    assert len(design.count) <= 4 * 36
    assert len(design.cell) == 4 * 3


def test_many_items_do_not_make_different_respondents_one() -> None:
    # 40 items of three answers or none make 4^40 patterns, more than an integer of 64 bits can number
    answers = np.full((160, 40), 1)
    answers[:, 0], answers[:, 1], answers[:, 39] = np.arange(160) % 3 + 1, np.arange(160) // 3 % 3 + 1, 3
    answers[159] = 3
    frame = respondents(answers, waves=["first"] * 160, organisations=["x"] * 160)
    design = make_design(frame, **options(frame, response_range=(1, 3)))
    assert len(design.count) == 9 + 1
    assert design.count.sum() == 160


def test_reversed_items_mirror_the_means() -> None:
    frame = simulated(100)
    one, other = run(frame), run(frame, keys=dict.fromkeys(["i0", "i1", "i2", "i3"], -1))
    np.testing.assert_allclose(one.means["estimate"] + other.means["estimate"], 6)
    np.testing.assert_allclose(one.contrasts["estimate"], -other.contrasts["estimate"], atol=1e-12)
    np.testing.assert_allclose(one.contrasts["std_error"], other.contrasts["std_error"])


def test_units_and_origin_of_a_covariate_do_not_matter() -> None:
    frame = simulated(100).assign(years=np.arange(100) % 17)
    one = run(frame, covariates=["years"])
    other = run(frame.assign(years=frame["years"] * 1e6 + 1e9), covariates=["years"])
    np.testing.assert_allclose(one.means["estimate"], other.means["estimate"], **FORMULA_TOLERANCE)
    np.testing.assert_allclose(one.contrasts["df"], other.contrasts["df"], **FORMULA_TOLERANCE)


def test_item_nobody_answered_is_named_and_changes_nothing_else() -> None:
    frame = simulated(60)
    more = frame.assign(i9=pd.array([pd.NA] * 60, dtype="Int8"))
    one, other = run(frame), run(more)
    pd.testing.assert_frame_equal(one.means, other.means)
    assert row(other.variances, "n_items")["estimate"] == 4
    assert row(other.variances, "n_items")["note"] == "nobody answered: i9"


def test_item_first_asked_in_the_second_wave_still_weighs_equally() -> None:
    frame = simulated(400, missing=0)
    added = frame.assign(i4=np.where(frame["wave"] == "second", 1, np.nan))
    ours = row(run(added).contrasts, "change", "second - first", "x")
    assert ours["status"] == "ok"
    # the new item is low for everyone, which is no change of the respondents
    assert abs(ours["estimate"]) < 3 * ours["std_error"]


def test_frame_is_not_changed() -> None:
    frame = simulated(30)
    before = frame.copy()
    run(frame, keys={"i0": -1, "i1": 1, "i2": 1, "i3": 1})
    pd.testing.assert_frame_equal(frame, before)


def test_categorical_and_text_columns_are_one() -> None:
    frame = simulated(60).assign(role=["a", "b", "c"] * 20)
    kinds = frame.astype({"wave": "category", "organisation": "object", "role": "category"})
    pd.testing.assert_frame_equal(
        run(frame, covariates=["role"]).means, run(kinds, covariates=["role"]).means
    )


# --- who is in, and which rows there are ----------------------------------------------------------------------


def test_those_left_out_are_counted_by_reason() -> None:
    frame = simulated(100, missing=0).assign(role=["a", "b"] * 50)
    frame.loc[:2, "organisation"] = None
    frame.loc[3, "organisation"] = "z"
    frame.loc[10:11, "wave"] = "third"
    frame.loc[20:24, ["i0", "i1", "i2", "i3"]] = pd.NA
    frame.loc[30, "role"] = None
    n_respondents = row(run(frame, covariates=["role"]).variances, "n_respondents")
    assert n_respondents["estimate"] == 100 - 4 - 2 - 5 - 1
    assert n_respondents["note"] == (
        "left out: 2 of another wave, 4 organisation not stated or not compared, "
        "5 no item answered, 1 covariate missing"
    )


def test_every_pair_of_three_waves_and_three_organisations_is_contrasted() -> None:
    rng = np.random.default_rng(2)
    frame = respondents(
        rng.integers(1, 6, (300, 3)),
        waves=["a", "b", "c"] * 100,
        organisations=np.repeat(["p", "q", "r"], 100),
    )
    means, contrasts, _ = run(frame, waves=["a", "b", "c"], organisations=["p", "q", "r"])
    assert len(means) == 9
    assert contrasts["term"].value_counts().to_dict() == {
        "change": 9,
        "gap": 9,
        "difference_in_differences": 9,
    }
    change = row(contrasts, "change", "c - a", "p")
    assert change["estimate"] == pytest.approx(
        row(means, "emmean", "c", "p")["estimate"] - row(means, "emmean", "a", "p")["estimate"]
    )
    both = row(contrasts, "difference_in_differences", "c - a", "p - r")
    assert both["estimate"] == pytest.approx(
        change["estimate"] - row(contrasts, "change", "c - a", "r")["estimate"]
    )
    assert (
        both["n"] == means[means["wave"].isin(["a", "c"]) & means["organisation"].isin(["p", "r"])]["n"].sum()
    )


def test_one_wave_and_one_organisation_have_no_contrasts() -> None:
    frame = respondents(
        np.tile([[1, 2], [3, 5], [4, 4]], (5, 1)), waves=["only"] * 15, organisations=["x"] * 15
    )
    means, contrasts, _ = run(frame, waves=["only"], organisations=["x"])
    assert means["status"].tolist() == ["ok"]
    assert contrasts.empty


# --- hostile data ---------------------------------------------------------------------------------------------


def test_wave_of_one_organisation_is_not_estimable_there_and_says_which_cell_is_empty() -> None:
    frame = simulated(100)
    frame = frame[~((frame["wave"] == "first") & (frame["organisation"] == "y"))]
    means, contrasts, _ = run(frame)
    assert row(means, "emmean", "first", "y")["status"] == "not_estimable"
    assert row(means, "emmean", "first", "y")["n"] == 0
    assert row(means, "emmean", "first", "y")["note"] == "nobody answered: first, y"
    assert len(contrasts) == 2, "only what exists is listed"
    assert row(contrasts, "change", "second - first", "x")["status"] == "ok"
    assert row(contrasts, "gap", "second", "x - y")["status"] == "ok"


def test_waves_without_common_items_have_gaps_and_means_of_the_main_block_but_no_changes() -> None:
    frame = simulated(100, missing=0)
    frame.loc[frame["wave"] == "first", ["i0", "i1"]] = pd.NA
    frame.loc[frame["wave"] == "second", ["i2", "i3"]] = pd.NA
    frame = frame.drop(index=frame.index[frame["wave"] == "first"][:3])  # most were asked i0 and i1
    means, contrasts, variances = run(frame)
    lost = pd.concat([means[means["wave"] == "first"], contrasts[contrasts["term"] == "change"]])
    assert (lost["status"] == "not_estimable").all()
    assert (
        lost["note"]
        .str.startswith("no items in common, directly or through others, with those asked i0, i1: first, ")
        .all()
    )
    assert_no_numbers(lost)
    both = contrasts["term"] == "difference_in_differences"
    assert (contrasts.loc[both | (contrasts["term"] == "gap"), "status"] == "ok").all()
    assert row(variances, "n_items")["note"] == "not linked with the others: i2, i3"
    for organisation in ("x", "y"):
        mine = frame[(frame["wave"] == "second") & (frame["organisation"] == organisation)]
        mean = row(means, "emmean", "second", organisation)
        assert mean["status"] == "ok"
        assert mean["estimate"] == pytest.approx(mine[["i0", "i1"]].to_numpy(dtype=float).mean())


def test_cells_linked_only_through_a_third_have_means_over_all_the_items() -> None:
    frame = simulated(120, missing=0)
    frame["wave"] = ["first", "second", "third"] * 40
    frame.loc[frame["wave"] == "first", ["i2", "i3"]] = pd.NA
    frame.loc[frame["wave"] == "third", ["i0", "i1"]] = pd.NA
    means, contrasts, _ = run(frame, waves=["first", "second", "third"])
    assert (means["status"] == "ok").all()
    assert (contrasts["status"] == "ok").all()


def test_covariate_that_goes_with_organisation_leaves_changes_but_no_gaps() -> None:
    frame = simulated(100)
    frame["employer"] = frame["organisation"].map({"x": "health", "y": "city"})
    means, contrasts, _ = run(frame, covariates=["employer"])
    assert (means["status"] == "not_estimable").all()
    assert (contrasts.loc[contrasts["term"] == "gap", "status"] == "not_estimable").all()
    assert (contrasts.loc[contrasts["term"] != "gap", "status"] == "ok").all()


def test_small_cells_take_part_but_get_no_estimates() -> None:
    frame = simulated(200)
    lonely = (frame["wave"] == "first") & (frame["organisation"] == "y")
    frame = frame[~lonely | (lonely.cumsum() <= 4)]
    means, contrasts, variances = run(frame, min_cell=5)
    small = row(means, "emmean", "first", "y")
    assert (small["status"], small["n"]) == ("too_few", 4)
    assert small["note"] == "fewer than 5 respondents: first, y"
    assert contrasts["status"].value_counts().to_dict() == {"too_few": 3, "ok": 2}
    assert_no_numbers(contrasts[contrasts["status"] == "too_few"])
    assert row(variances, "n_respondents")["estimate"] == means["n"].sum()


def test_cell_of_one_person_is_too_few_by_default_and_estimated_on_request() -> None:
    frame = simulated(41, missing=0)
    alone = frame.index == 40
    frame.loc[alone, ["wave", "organisation"]] = ["third", "x"]
    waves = ["first", "second", "third"]
    assert row(run(frame, waves=waves).means, "emmean", "third", "x")["status"] == "too_few"
    one = row(run(frame, waves=waves, min_cell=1).means, "emmean", "third", "x")
    assert one["status"] == "not_estimable"
    assert one["note"] == "it rests on one respondent alone: its variance cannot be estimated"
    by_model = run(frame, waves=waves, min_cell=1, fit=partial(fit_linear, robust=False)).means
    expected = frame.loc[40, ["i0", "i1", "i2", "i3"]].mean()
    assert row(by_model, "emmean", "third", "x")["estimate"] == pytest.approx(expected)


RNG = np.random.default_rng(11)
NOT_ASKED = np.nan
HOPELESS = {
    "one respondent": ([[1, 2, 3]], "too_few"),
    "two respondents, each in a cell of his own": ([[1, 2, 3], [2, 4, 3]], "too_few"),
    "one answer each, as many as cells": ([[1], [2], [3], [4]], "too_few"),
    "one answer in all": ([[4]], "too_few"),
    "only one respondent answered two items, and nobody else those": (
        [[1, 2, NOT_ASKED], *([NOT_ASKED, NOT_ASKED, answer] for answer in (1, 3, 2, 5, 4, 4, 2))],
        "too_few",
    ),
    "every answer the same": (np.full((20, 3), 4), "not_estimable"),
    "every answer the same, one item": (np.full((20, 1), 4), "not_estimable"),
    "each respondent gives one answer to every item": (
        np.repeat(RNG.integers(1, 6, (20, 1)), 3, axis=1),
        "not_estimable",
    ),
    "respondent and item predict every answer": (
        RNG.integers(1, 4, (20, 1)) + np.array([[0, 1, 2]]),
        "not_estimable",
    ),
    "cells predict every answer": (np.tile([[1, 1], [2, 2], [3, 3], [4, 4]], (6, 1)), "not_estimable"),
}


@pytest.mark.parametrize("case", HOPELESS)
def test_hopeless_data_get_a_named_status_and_no_numbers(case: str) -> None:
    answers, status = HOPELESS[case]
    means, contrasts, variances = run(respondents(answers), min_cell=1)
    for table in (means, contrasts):
        assert_no_numbers(table)
        assert set(table["status"]) <= {status, "not_estimable"}
    filled = means[means["n"] > 0]
    assert (filled["status"] == status).all()
    assert (filled["note"] != "").all()
    parts = variances[~variances["term"].str.startswith("n_")]
    assert (parts["status"] == status).all()
    assert_no_numbers(parts)


@pytest.mark.parametrize(
    "frame", [respondents(np.full((8, 3), np.nan)), respondents(np.ones((8, 3))).iloc[:0]]
)
def test_nobody_answering_is_not_estimable(frame: pd.DataFrame) -> None:
    means, contrasts, variances = run(frame)
    for table in (means, contrasts):
        assert (table["status"] == "not_estimable").all()
        assert_no_numbers(table)
    assert row(variances, "sigma2")["status"] == "too_few"
    assert row(variances, "n_respondents")["estimate"] == 0


def test_two_respondents_in_one_cell_are_enough() -> None:
    frame = respondents([[1, 2, 2], [4, 4, 5]], waves=["first"] * 2, organisations=["x"] * 2)
    mean = row(run(frame).means, "emmean", "first", "x")
    assert mean["status"] == "ok"
    assert mean["estimate"] == pytest.approx(3)
    assert mean["df"] == pytest.approx(1)


def test_no_variance_between_respondents_is_a_boundary_with_residual_degrees_of_freedom() -> None:
    rng = np.random.default_rng(8)
    answers = np.array([rng.permutation([1, 2, 3, 4, 5]) for _ in range(40)])
    means, contrasts, variances = run(respondents(answers), fit=partial(fit_linear, robust=False))
    assert (means["status"] == "boundary").all()
    np.testing.assert_allclose(contrasts["df"], 200 - 4 - 4)
    assert row(variances, "tau2")["estimate"] == 0
    assert row(variances, "icc")["estimate"] == 0
    assert np.isfinite(row(variances, "reml_loglik")["estimate"])


def test_means_that_nobody_departs_from_have_no_robust_standard_error() -> None:
    rng = np.random.default_rng(8)
    means, contrasts, _ = run(respondents([rng.permutation([1, 2, 3, 4, 5]) for _ in range(40)]))
    for table in (means, contrasts):
        assert (table["status"] == "not_estimable").all()
        assert (table["note"] == "its robust standard error is zero").all()
        assert_no_numbers(table)


def test_nearly_perfect_agreement_is_fitted_all_the_same() -> None:
    answers = np.repeat(np.tile(np.arange(1, 6), 40)[:, None], 3, axis=1)
    answers[0, 0] = 2
    fit = fit_linear(make_design(frame := respondents(answers), **options(frame)))
    assert fit.status is Status.OK
    assert fit.theta > 1e2
    loglik, _ = dense_reml(make_design(frame, **options(frame)), fit, fit.sigma2, fit.tau2)
    assert fit.loglik == pytest.approx(loglik, rel=1e-8)


@dataclass
class Curve:
    """A deviance made up for the purpose: the integral of `slope` from 0, by trapezia."""

    slope: Callable[[float], float]
    ratios: int = 1

    def at(self, theta: np.ndarray) -> Point:
        grid = np.linspace(0, theta[0], 2_001)
        deviance = float(np.trapezoid([self.slope(t) for t in grid], grid))
        none = np.zeros(0)
        return Point(theta, deviance, np.array([self.slope(theta[0])]), none, 1.0, none, none, none)

    def along(self, ratios: np.ndarray, which: int) -> tuple[np.ndarray, np.ndarray]:
        points = [self.at(np.array([ratio])) for ratio in ratios]
        return np.array([one.deviance for one in points]), np.array([one.slope[which] for one in points])


def test_lower_of_two_minima_is_found_wherever_it_is() -> None:
    def two_minima(sign: float) -> Curve:
        # falls to 0.05, rises to 0.3, falls to 2 (deep or shallow), rises from there
        return Curve(lambda t: min((t - 0.05) * (t - 0.3) * (t - 2) * (1 if t < 0.3 else sign), 50.0))

    assert lowest_along(two_minima(1.0)) == pytest.approx(2, rel=1e-12)
    assert lowest_along(two_minima(1e-6)) == pytest.approx(0.05, rel=1e-12)


@pytest.mark.parametrize("bit", [-1e-17, 1e-17])
def test_a_minimum_on_the_grid_is_found_whichever_way_its_slope_is_rounded(bit: float) -> None:
    @dataclass
    class Rounded(Curve):
        def along(self, ratios: np.ndarray, which: int) -> tuple[np.ndarray, np.ndarray]:
            deviances, slopes = super().along(ratios, which)
            return deviances, slopes + np.where(ratios == root, bit, 0.0)

    root = float(FINE_GRID[40])
    for beside in (-bit, 0.0):
        slope = lambda t, beside=beside: t - root + (beside if t == root else 0.0)  # noqa: E731
        assert lowest_along(Rounded(slope)) == pytest.approx(root, rel=1e-12)


def test_deviance_that_only_rises_is_lowest_at_zero_and_one_that_only_falls_has_no_minimum() -> None:
    assert lowest_along(Curve(lambda _: 1.0)) == 0
    assert math.isnan(lowest_along(Curve(lambda _: -1.0)))
    assert math.isnan(lowest_along(Curve(lambda _: math.nan)))


def test_likelihood_without_a_maximum_is_not_converged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lmm, "lowest_along", lambda *_: math.nan)
    means, contrasts, variances = run(simulated(40))
    assert (means["status"] == "not_converged").all()
    assert_no_numbers(pd.concat([means, contrasts]))
    assert row(variances, "sigma2")["status"] == "not_converged"


def test_any_fit_can_be_compared_and_its_failures_are_caught() -> None:
    def broken(design: Design) -> LinearFit:
        fit = fit_linear(design)
        return replace(fit, cov=fit.cov * math.nan, analysis="other")

    means, contrasts, _ = run(simulated(40), fit=broken)
    assert (means["analysis"] == "other").all()
    assert (contrasts["status"] == "not_converged").all()
    assert_no_numbers(contrasts)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"items": ["i0", "gone"], "keys": {"i0": 1, "gone": 1}}, "not columns of the frame: .'gone'."),
        ({"items": []}, "no items given"),
        ({"waves": ["first", "first"]}, "waves are named twice"),
        ({"keys": {"i0": 1, "i1": 1, "i2": 1}}, "without a key of .1 or -1: .'i3'."),
        ({"keys": {"i0": 1, "i1": 1, "i2": 1, "i3": 2}}, "without a key of .1 or -1: .'i3'."),
        ({"response_range": (1, 3)}, "item i0 has answers outside 1 to 3"),
        ({"response_range": (5, 1)}, "not ascending"),
        ({"confidence": 95}, "not a coverage between 0 and 1: 95"),
    ],
)
def test_arguments_that_contradict_the_frame_are_named(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run(simulated(40), **changed)


# --- after the fit --------------------------------------------------------------------------------------------


def test_holm_is_across_scales_within_a_contrast() -> None:
    one_wave = simulated(80, seed=4)
    one_wave = one_wave[one_wave["wave"] == "first"]
    scales = [run(simulated(80, seed=seed)).contrasts.assign(scale=str(seed)) for seed in range(3)]
    adjusted = adjust(pd.concat([*scales, run(one_wave).contrasts.assign(scale="one wave")]))
    tests = adjusted[adjusted["p_value"].notna()]
    sizes = tests.groupby(KEY).size()
    assert sizes.loc["gap", "first", "x - y"] == 4, "the scale of one wave has this test only"
    assert (sizes == 3).sum() == 4, "what could not be tested is no member of its family"
    for _, family in tests.groupby(KEY):
        ascending = family.sort_values("p_value")
        by_hand = ascending["p_value"].to_numpy() * np.arange(len(family), 0, -1)
        np.testing.assert_allclose(ascending["p_adjusted"], np.minimum(np.maximum.accumulate(by_hand), 1))
    assert adjusted.loc[adjusted["p_value"].isna(), "p_adjusted"].isna().all()


def test_adjustment_of_one_test_is_the_test_itself() -> None:
    contrasts = run(simulated(80)).contrasts
    np.testing.assert_allclose(adjust(contrasts)["p_adjusted"], contrasts["p_value"])
    together = adjust(contrasts, "fdr_bh", family=["scale"])["p_adjusted"]
    assert together.max() == pytest.approx(contrasts["p_value"].max())
    assert (together >= contrasts["p_value"] - 1e-15).all()


def test_standardised_contrasts_are_in_units_of_the_total_standard_deviation() -> None:
    _, contrasts, variances = run(simulated(80))
    unit = math.sqrt(row(variances, "sigma2")["estimate"] + row(variances, "tau2")["estimate"])
    ours = standardised(contrasts, variances)
    assert ours["term"].tolist() == [f"{term}_standardised" for term in contrasts["term"]]
    for name in ("estimate", "std_error", "conf_low", "conf_high"):
        np.testing.assert_allclose(ours[name] * unit, contrasts[name])
    np.testing.assert_allclose(ours["p_value"], contrasts["p_value"])
