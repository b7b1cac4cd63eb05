"""Alpha's interval, omega, ordinal alpha, equal alpha, the rule of use: against plain formulas and what must fail."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, f, multivariate_normal, norm, ttest_ind

from sampled import reliability
from surveywaves.reliability import alpha as of_alpha
from surveywaves.reliability import usage
from surveywaves.reliability.answers import Answers, Options
from surveywaves.reliability.factors import below, density, one_factor, polychoric, tables
from surveywaves.terms import ALL, Status

ORACLE = Path(__file__).parent / "oracle" / "reliability"


def people(
    n: int = 150, loadings: Iterable[float] = (0.8, 0.7, 0.6, 0.7), *, seed: int = 1, points: int = 5
) -> pd.DataFrame:
    """Respondents of one wave and organisation whose answers come from one normal factor."""
    random = np.random.default_rng(seed)
    loading = np.array(list(loadings))
    answer = random.normal(size=(n, 1)) * loading + random.normal(size=(n, len(loading))) * np.sqrt(
        1 - loading**2
    )
    scored = 1 + (answer[:, :, None] > np.linspace(-1.2, 1.2, points - 1)).sum(axis=2)
    frame = pd.DataFrame(scored, columns=list("abcdefgh")[: len(loading)]).astype("Int8")
    return frame.assign(wave="w1", organisation="o1")


def columns(**answers: list[int | None]) -> pd.DataFrame:
    frame = pd.DataFrame({item: pd.array(values, dtype="Int8") for item, values in answers.items()})
    return frame.assign(wave="w1", organisation="o1")


def estimate(frame: pd.DataFrame, **options: Any) -> pd.DataFrame:
    items = [column for column in frame.columns if column not in ("wave", "organisation")]
    call: dict[str, Any] = {
        "scale": "s",
        "items": items,
        "keys": dict.fromkeys(items, 1),
        "response_range": (1, 5),
        "waves": sorted(frame["wave"].unique()),
        "organisations": sorted(frame["organisation"].dropna().unique()),
        "min_n": 5,
        "replicates": 0,
    }
    return reliability(frame, **(call | options))


def one(found: pd.DataFrame, term: str, *, wave: str = "w1", organisation: str = ALL) -> pd.Series:
    chosen = found.query("term == @term and item == '' and wave == @wave and organisation == @organisation")
    assert len(chosen) == 1, chosen
    return chosen.iloc[0]


def plain_alpha(scores: np.ndarray) -> float:
    covariance = np.cov(scores, rowvar=False)
    k = len(covariance)
    return k / (k - 1) * (1 - np.trace(covariance) / covariance.sum())


# Alpha's interval ----------------------------------------------------------------------------------------------------


def plain_error(scores: np.ndarray) -> float:
    """ADF standard error of alpha by the delta method on the covariances' own covariances."""
    centred = scores - scores.mean(axis=0)
    n, k = centred.shape
    products = np.einsum("ij,il->ijl", centred, centred).reshape(n, -1)
    gamma = np.cov(products, rowvar=False)
    s, v = np.trace(centred.T @ centred) / n, (centred.T @ centred).sum() / n
    slope = -k / (k - 1) * (np.eye(k) / v - s / v**2).ravel()
    return float(np.sqrt(slope @ gamma @ slope / n))


def test_the_standard_error_is_the_delta_method_s() -> None:
    frame = people()
    row = one(estimate(frame), "alpha")
    assert row["std_error"] == pytest.approx(plain_error(frame[list("abcd")].to_numpy(float)), rel=1e-9)


def test_a_replicate_is_the_respondents_drawn() -> None:
    scores = people()[list("abcd")].to_numpy(float)
    patterns, counts = of_alpha.distinct(scores, (1, 5))
    assert counts.sum() == len(scores)
    drawn = np.random.default_rng(3).multinomial(len(scores), counts / len(scores), size=20)
    logs, errors = of_alpha.log_rest(patterns, drawn)
    for row, log, error in zip(drawn, logs, errors, strict=True):
        replicate = np.repeat(patterns, row, axis=0)
        assert 1 - np.exp(log) == pytest.approx(plain_alpha(replicate), abs=1e-12)
        assert error * np.exp(log) == pytest.approx(plain_error(replicate), rel=1e-9)


def test_the_same_seed_draws_the_same_and_another_does_not() -> None:
    frame = people()
    first, again, other = (one(estimate(frame, replicates=200, seed=seed), "alpha") for seed in (1, 1, 2))
    pd.testing.assert_series_equal(first, again)
    assert first["conf_low"] != other["conf_low"]
    assert first["conf_low"] == pytest.approx(other["conf_low"], abs=0.03)


def test_the_order_of_respondents_changes_nothing() -> None:
    frame = people()
    there, back = (one(estimate(rows, replicates=100), "alpha") for rows in (frame, frame[::-1]))
    pd.testing.assert_series_equal(there, back)


def test_their_order_changes_nothing_where_patterns_are_too_many_for_one_number() -> None:
    rng = np.random.default_rng(8)
    answers = np.clip(np.round(3 + rng.normal(size=(60, 1)) + rng.normal(size=(60, 30))), 1, 5)
    frame = columns(**{f"i{number}": list(map(int, column)) for number, column in enumerate(answers.T)})
    there, back = (one(estimate(rows, replicates=100), "alpha") for rows in (frame, frame[::-1]))
    pd.testing.assert_series_equal(there, back)


def test_a_further_wave_leaves_what_was_said_of_the_others_as_it_was() -> None:
    frame = pd.concat([people(), people(seed=2).assign(organisation="o2")], ignore_index=True)
    later = people(seed=3).assign(wave="w2")
    before = estimate(frame, replicates=100).query("wave == 'w1'").reset_index(drop=True)
    after = estimate(pd.concat([frame, later]), replicates=100).query("wave == 'w1'").reset_index(drop=True)
    pd.testing.assert_frame_equal(before, after)


def test_where_the_bootstrap_ends_the_interval_goes_on_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = people(of_alpha.BOOTSTRAPPED_AT_MOST)
    bootstrapped = one(estimate(frame, replicates=4_000), "alpha")
    monkeypatch.setattr(of_alpha, "BOOTSTRAPPED_AT_MOST", len(frame) - 1)
    normal = one(estimate(frame, replicates=4_000), "alpha")
    assert normal["std_error"] == bootstrapped["std_error"]
    # a quantile of 4,000 replicates wanders by .04 standard errors, and skewness is worth .05 at this size
    for bound in ("conf_low", "conf_high"):
        assert normal[bound] == pytest.approx(bootstrapped[bound], abs=0.15 * normal["std_error"])
    assert normal["conf_low"] != bootstrapped["conf_low"]


def test_the_interval_covers_alpha_at_the_ceiling_where_feldt_s_does_not() -> None:
    random, n = np.random.default_rng(4), 150
    options = Options((1, 5), confidence=0.95, min_n=5, replicates=250, seed=1)

    def at_the_ceiling(size: int) -> np.ndarray:  # seven out of ten answers are the highest
        latent = np.sqrt(0.5) * (random.normal(size=(size, 1)) + random.normal(size=(size, 4)))
        return 1.0 + np.searchsorted(norm.ppf([0.01, 0.03, 0.1, 0.3]), latent)

    truth, surveys, covered, feldt = of_alpha.cronbach(at_the_ceiling(400_000)), 300, 0, 0
    for _ in range(surveys):
        scores = at_the_ceiling(n)
        asked = np.ones(4, dtype=np.bool_)
        row = of_alpha.alpha(
            Answers.of(scores, items=list("abcd"), asked=asked, options=options, place="s", remark="")
        )
        covered += row["conf_low"] <= truth <= row["conf_high"]
        low, high = 1 - (1 - row["estimate"]) * f.ppf([0.975, 0.025], n - 1, (n - 1) * 3)
        feldt += low <= truth <= high
    assert covered / surveys == pytest.approx(0.94, abs=3 * 0.0137)
    assert feldt / surveys < 0.88


def test_no_replicates_no_bootstrap() -> None:
    frame = people()
    row = one(estimate(frame, replicates=0), "alpha")
    rest, error = 1 - row["estimate"], row["std_error"] / (1 - row["estimate"])
    bounds = 1 - rest * np.exp(norm.ppf([0.975, 0.025]) * error)
    np.testing.assert_allclose([row["conf_low"], row["conf_high"]], bounds, rtol=0, atol=1e-12)
    with pytest.raises(ValueError, match="below 0"):
        estimate(frame, replicates=-1)


def test_alpha_without_an_interval_says_why() -> None:
    row = one(estimate(columns(a=[3, 3, 3, 3, 3, 1], b=[2, 2, 2, 2, 2, 4]), replicates=500), "alpha")
    assert (row["status"], row["note"]) == (Status.NOT_ESTIMABLE, "the total score does not vary")
    row = one(estimate(columns(a=[3, 3, 3, 3, 3, 1], b=[2, 2, 2, 2, 2, 1]), replicates=500), "alpha")
    assert row["status"] == Status.OK
    assert row["note"].startswith("no interval: in ")
    assert np.isnan(row["conf_low"]) and np.isfinite(row["std_error"])
    row = one(estimate(columns(a=[1, 2, 3, 4, 5], b=[1, 2, 3, 4, 5]), replicates=50), "alpha")
    assert (row["estimate"], row["note"]) == (1.0, "alpha is 1: it has no standard error")


# Omega ---------------------------------------------------------------------------------------------------------------


def test_three_items_have_loadings_in_closed_form() -> None:
    r12, r13, r23 = 0.56, 0.48, 0.42  # loadings .8, .7, .6
    correlation = np.array([[1, r12, r13], [r12, 1, r23], [r13, r23, 1]])
    loadings = one_factor(correlation)
    assert loadings is not None
    np.testing.assert_allclose(loadings, [0.8, 0.7, 0.6], rtol=0, atol=1e-10)


@given(loadings=st.lists(st.floats(0.15, 0.95), min_size=3, max_size=12), flips=st.integers(0, 2**12 - 1))
@settings(deadline=None, max_examples=80)
def test_a_perfect_factor_is_found_whatever_its_loadings(loadings: list[float], flips: int) -> None:
    signs = np.array([-1 if flips >> k & 1 else 1 for k in range(len(loadings))])
    truth = np.array(loadings) * signs
    correlation = np.outer(truth, truth)
    np.fill_diagonal(correlation, 1)
    found = one_factor(correlation)
    assert found is not None
    np.testing.assert_allclose(np.abs(found), np.array(loadings), rtol=0, atol=1e-6)


def test_of_several_minima_the_least_misfit_is_taken() -> None:
    # Items that hardly go together: from the principal axis alone a search ends at a misfit of .2597.
    frame = pd.read_csv(ORACLE / "soup.csv").dropna()
    correlation = np.corrcoef(frame[[f"S{place}" for place in range(1, 11)]].to_numpy(float), rowvar=False)
    loadings = one_factor(correlation)
    assert loadings is not None
    residuals = (correlation - np.outer(loadings, loadings))[np.triu_indices(10, 1)]
    assert (residuals**2).sum() == pytest.approx(0.252861, abs=1e-6)


def test_equal_loadings_make_omega_alpha() -> None:
    frame = people(400, (0.7, 0.7, 0.7))
    found = estimate(frame)
    assert one(found, "omega_total")["estimate"] == pytest.approx(one(found, "alpha")["estimate"], abs=0.01)


def test_a_heywood_case_has_no_omega() -> None:
    # Item a goes with b and c far better than these with each other: its loading would be above 1.
    random = np.random.default_rng(1)
    b, c = random.integers(1, 4, 80), random.integers(1, 3, 80)
    row = one(estimate(columns(a=(b + c - 1).tolist(), b=b.tolist(), c=c.tolist())), "omega_total")
    assert row["status"] in {Status.NOT_ESTIMABLE, Status.NOT_CONVERGED}
    assert np.isnan(row["estimate"])
    assert "Heywood" in row["note"] or "no settled minimum" in row["note"]


def test_two_items_make_no_factor() -> None:
    row = one(estimate(people(loadings=(0.7, 0.7))), "omega_total")
    assert (row["status"], row["note"]) == (Status.NOT_ESTIMABLE, "two items are too few for a factor")


def test_an_item_that_runs_against_the_factor_is_named() -> None:
    frame = people(300)
    row = one(estimate(frame.assign(b=6 - frame["b"])), "omega_total")
    assert row["note"] == "run against the factor, check their keys: b"
    turned = one(
        estimate(frame.assign(b=6 - frame["b"]), keys={"a": 1, "b": -1, "c": 1, "d": 1}), "omega_total"
    )
    assert turned["estimate"] == pytest.approx(one(estimate(frame), "omega_total")["estimate"], abs=1e-12)


# Ordinal alpha -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rho", [-0.97, -0.5, 0.0, 0.3, 0.88, 0.93, 0.99])
def test_bivariate_normal_matches_scipy(rho: float) -> None:
    random = np.random.default_rng(2)
    a, b = random.normal(size=(2, 40)) * 1.5
    theirs = [
        multivariate_normal.cdf([x, y], cov=[[1, rho], [rho, 1]], abseps=1e-10)
        for x, y in zip(a, b, strict=True)
    ]
    np.testing.assert_allclose(below(a, b, np.full(40, rho)), theirs, rtol=0, atol=1e-9)
    step = 1e-5
    slope = (below(a, b, np.full(40, rho + step)) - below(a, b, np.full(40, rho - step))) / (2 * step)
    np.testing.assert_allclose(density(a, b, np.full(40, rho)), slope, rtol=1e-4, atol=1e-6)


def test_bivariate_normal_at_its_edges() -> None:
    a = np.array([0.3, -1.0])
    far, rho = np.full(2, 40.0), np.array([0.5, -0.9])
    np.testing.assert_allclose(below(a, far, rho), norm.cdf(a), rtol=0, atol=1e-15)
    np.testing.assert_allclose(below(a, -far, rho), 0, atol=1e-15)
    np.testing.assert_allclose(
        below(np.zeros(2), np.zeros(2), rho), 0.25 + np.arcsin(rho) / (2 * np.pi), atol=1e-15
    )


def test_two_by_two_at_the_medians_is_the_sine() -> None:
    # Tetrachoric with both thresholds at 0: P(low, low) = 1/4 + arcsin(rho) / (2 pi).
    codes = np.array([[0, 0]] * 35 + [[0, 1]] * 15 + [[1, 0]] * 15 + [[1, 1]] * 35)
    rho, settled = polychoric(tables(codes, 2))
    assert settled.all()
    assert rho[0, 1] == pytest.approx(np.sin(2 * np.pi * (0.35 - 0.25)), abs=1e-9)


def test_ordinal_alpha_recovers_the_alpha_of_what_lies_behind_the_answers() -> None:
    loading = 0.7
    found = estimate(people(20_000, (loading,) * 4, points=4), response_range=(1, 4))
    truth = 4 * loading**2 / (1 + 3 * loading**2)
    assert one(found, "ordinal_alpha")["estimate"] == pytest.approx(truth, abs=0.005)
    assert one(found, "alpha")["estimate"] < truth - 0.02


def test_categories_that_nobody_used_change_nothing() -> None:
    frame = people(points=3)
    narrow = one(estimate(frame, response_range=(1, 3)), "ordinal_alpha")
    wide = one(
        estimate(frame.assign(**{i: frame[i] + 1 for i in "abcd"}), response_range=(1, 5)), "ordinal_alpha"
    )
    gap = one(
        estimate(frame.assign(**{i: 2 * frame[i] - 1 for i in "abcd"}), response_range=(1, 5)),
        "ordinal_alpha",
    )
    assert wide["estimate"] == pytest.approx(narrow["estimate"], abs=1e-12)
    assert gap["estimate"] == pytest.approx(narrow["estimate"], abs=1e-12)


def test_a_correlation_without_a_maximum_is_named() -> None:
    row = one(estimate(columns(a=[1, 2, 3, 4, 5] * 4, b=[1, 2, 3, 4, 5] * 4)), "ordinal_alpha")
    assert row["status"] == Status.NOT_ESTIMABLE
    assert row["note"] == "a polychoric correlation goes to its end: a and b"


# Floor and ceiling ---------------------------------------------------------------------------------------------------


def test_floor_and_ceiling_count_those_at_the_ends_after_scoring() -> None:
    frame = columns(a=[1, 1, 5, 5, 3, 2, 1, 1, 1, 1], b=[5, 5, 1, 5, 3, 2, 5, 5, 5, None])
    found = estimate(frame, keys={"a": 1, "b": -1})
    assert one(found, "floor")["estimate"] == pytest.approx(100 * 5 / 9)
    assert one(found, "ceiling")["estimate"] == pytest.approx(100 * 1 / 9)
    assert one(found, "floor")["n"] == 9


def test_all_at_the_ceiling_is_no_reason_not_to_say_so() -> None:
    found = estimate(columns(a=[5] * 8, b=[5] * 8))
    assert one(found, "ceiling")["estimate"] == 100
    assert one(found, "alpha")["status"] == Status.NOT_ESTIMABLE


# Equal alpha ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "loadings"), [((150, 150), (0.7,) * 4), ((120, 400), (0.5, 0.5))])
def test_p_values_of_equal_alphas_are_uniform(n: tuple[int, int], loadings: tuple[float, ...]) -> None:
    p, together, misses = [], [], 0
    items = list("abcdefgh")[: len(loadings)]
    for seed in range(200):
        groups = {
            str(place): people(size, loadings, seed=10 * seed + place)[items].to_numpy(float)
            for place, size in enumerate(n)
        }
        asked = dict.fromkeys(groups, np.ones(len(items), dtype=np.bool_))
        (_, pair), (_, every) = of_alpha.equality(
            groups, items=items, asked=asked, min_n=5, confidence=0.95, pairs=[tuple(groups)]
        )
        p.append(pair["p_value"])
        together.append(every["p_value"])
        misses += not pair["conf_low"] <= 0 <= pair["conf_high"]
    np.testing.assert_allclose(p, together, rtol=0, atol=1e-9)  # of two groups Welch's F is t squared
    for level in (0.05, 0.2, 0.5):
        noise = 3 * np.sqrt(level * (1 - level) / len(p))
        assert np.mean(np.array(p) < level) == pytest.approx(level, abs=noise)
    assert misses / len(p) == pytest.approx(0.05, abs=3 * 0.0154)


def test_welch_s_test_is_his_and_the_chi_square_where_errors_are_known() -> None:
    random = np.random.default_rng(1)
    one_, other = random.normal(size=30), random.normal(0.4, 2, size=12)
    means = np.array([one_.mean(), other.mean()])
    errors = np.array([one_.std(ddof=1) / np.sqrt(30), other.std(ddof=1) / np.sqrt(12)])
    statistic, df, p = of_alpha.wald(means, errors, np.array([29.0, 11.0]))
    theirs = ttest_ind(one_, other, equal_var=False)
    assert (statistic, df) == (pytest.approx(theirs.statistic**2), 1)
    assert p == pytest.approx(theirs.pvalue, rel=1e-10)
    logs = np.array([0.1, 0.3, -0.2])
    statistic, df, p = of_alpha.wald(logs, np.full(3, 0.2), np.full(3, 1e12))
    assert statistic == pytest.approx(((logs - logs.mean()) ** 2).sum() / 0.04)
    assert (df, p) == (2, pytest.approx(chi2.sf(statistic, 2), rel=1e-6))


def two_waves(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([first, second.assign(wave="w2")], ignore_index=True)


def test_alphas_that_differ_are_told_apart_and_their_difference_signed() -> None:
    frame = two_waves(people(200, (0.85,) * 4), people(200, (0.5,) * 4, seed=2))
    found = estimate(frame)
    difference = one(found, "alpha_difference", wave="w2 - w1", organisation="o1")
    alphas = [one(found, "alpha", wave=wave, organisation="o1") for wave in ("w2", "w1")]
    assert difference["estimate"] == pytest.approx(alphas[0]["estimate"] - alphas[1]["estimate"], abs=1e-12)
    assert difference["std_error"] == pytest.approx(
        np.hypot(alphas[0]["std_error"], alphas[1]["std_error"]), abs=1e-12
    )
    assert difference["p_value"] < 1e-6
    assert difference["conf_low"] < difference["estimate"] < difference["conf_high"] < 0
    chi = one(found, "equality", wave=ALL, organisation="o1")
    assert chi["p_value"] < 1e-6
    assert chi["df"] == 1


def test_comparisons_are_named_as_everywhere() -> None:
    frame = pd.concat(
        [
            people(40, seed=number).assign(wave=wave, organisation=organisation)
            for number, (wave, organisation) in enumerate(
                (wave, organisation) for wave in ("w1", "w2", "w3") for organisation in ("o1", "o2")
            )
        ]
    )
    tests = estimate(frame).query("term in ['alpha_difference', 'equality']")
    within = tests[tests["organisation"] == "o1"]
    assert within["wave"].tolist() == ["w2 - w1", "w3 - w1", "w3 - w2", ALL]
    between = tests[(tests["wave"] == "w2")]
    assert between["organisation"].tolist() == ["o1 - o2", ALL]
    assert tests.query("term == 'equality' and wave == 'all'")["df"].tolist() == [2, 2]


def test_alpha_is_compared_on_items_that_both_were_asked() -> None:
    later = people(seed=2).assign(d=pd.array([None] * 150, dtype="Int8"))
    found = estimate(two_waves(people(), later))
    row = one(found, "alpha_difference", wave="w2 - w1", organisation="o1")
    assert row["note"] == "items not compared, not asked everywhere: d"
    short = estimate(two_waves(people(), later).drop(columns="d"))
    assert row["estimate"] == one(short, "alpha_difference", wave="w2 - w1", organisation="o1")["estimate"]


@pytest.mark.parametrize(
    ("second", "status", "said"),
    [
        (columns(a=[1, 2, 3], b=[2, 2, 3], c=[1, 2, 2], d=[1, 2, 1]), "too_few", "fewer than 5 respondents"),
        (columns(a=[3] * 9, b=[2] * 9, c=[4] * 9, d=[1] * 9), "not_estimable", "fewer than two items vary"),
        (columns(a=[1, 2] * 5, b=[2, 1] * 5, c=[4] * 10, d=[1] * 10), "not_estimable", "does not vary: w2"),
        (columns(a=[1, 2] * 5, b=[1, 2] * 5, c=[4] * 10, d=[1] * 10), "not_estimable", "alpha is 1: w2"),
    ],
)
def test_what_cannot_be_compared_says_why(second: pd.DataFrame, status: str, said: str) -> None:
    found = estimate(two_waves(people(), second))
    row = one(found, "alpha_difference", wave="w2 - w1", organisation="o1")
    assert row["status"] == status
    assert said in row["note"]
    assert np.isnan(row["estimate"])
    together = one(found, "equality", wave=ALL, organisation="o1")
    assert together["status"] == Status.NOT_ESTIMABLE
    assert "not compared: w2" in together["note"]


# The rule of use -----------------------------------------------------------------------------------------------------


def use(frame: pd.DataFrame, **options: Any) -> tuple[str, str]:
    row = usage(estimate(frame), **options).iloc[0]
    return row["use"], row["reason"]


def test_pooled_alpha_decides() -> None:
    frame = two_waves(people(), people(loadings=(0.4,) * 4, seed=2))
    found = estimate(frame)
    pooled = one(found, "alpha", wave=ALL)["estimate"]
    assert one(found, "alpha", wave="w2")["estimate"] < 0.6 < pooled
    assert use(frame) == (
        "scale",
        f"pooled alpha {pooled:.2f} meets the required 0.60",
    )
    kind, reason = use(frame, smallest_alpha=0.9)
    assert kind == "low_reliability"
    assert reason == f"pooled alpha {pooled:.2f} is below the required 0.90"


def test_two_items_are_asked_for_the_same_alpha() -> None:
    assert use(people(400, loadings=(0.5, 0.5)))[0] == "low_reliability"  # alpha about .36
    assert use(people(400, loadings=(0.8, 0.8)))[0] == "scale"


def test_what_is_printed_decides() -> None:
    found = estimate(people())
    pooled = found["wave"].eq(ALL) & found["term"].eq("alpha")
    for alpha, kind in ((0.5951, "scale"), (0.5949, "low_reliability")):
        assert usage(found.assign(estimate=found["estimate"].mask(pooled, alpha)))["use"].tolist() == [kind]


@pytest.mark.parametrize(("true", "least", "most"), [(0.36, 0, 0), (0.5, 0, 0.03), (0.7, 0.98, 1)])
def test_a_true_alpha_passes_as_often_as_the_methods_say(true: float, least: float, most: float) -> None:
    random, k, n = np.random.default_rng(6), 4, 400
    r = true / (k - true * (k - 1))
    latent = np.sqrt(r) * random.normal(size=(300, n, 1)) + np.sqrt(1 - r) * random.normal(size=(300, n, k))
    frame = pd.DataFrame({"term": "alpha", "wave": ALL, "organisation": ALL, "note": ""}, index=range(300))
    found = frame.assign(scale=[str(i) for i in range(300)], estimate=[plain_alpha(one) for one in latent])
    assert least <= (usage(found)["use"] == "scale").mean() <= most


def test_without_a_pooled_alpha_a_scale_is_marked_and_the_reason_says_why() -> None:
    flat = columns(a=[5] * 40, b=[5] * 40, c=[4] * 40, d=[4] * 40)
    kind, reason = use(flat)
    assert (kind, reason.partition("; ")[0]) == (
        "low_reliability",
        "alpha cannot be estimated: fewer than two items vary",
    )
    assert use(people()[["a", "wave", "organisation"]]) == (
        "low_reliability",
        "alpha cannot be estimated: only one item was asked",
    )


def test_the_rule_takes_many_scales_and_keeps_their_order() -> None:
    found = pd.concat([estimate(people(), scale=name) for name in ("z", "a", "m")])
    assert usage(found)["scale"].tolist() == ["z", "a", "m"]
    with pytest.raises(ValueError, match="not from 0 to 1"):
        usage(found, smallest_alpha=1.0)


# Whatever comes in ---------------------------------------------------------------------------------------------------

answer = st.one_of(st.integers(1, 5), st.just(5), st.none())


@given(
    rows=st.lists(
        st.tuples(st.sampled_from(["w1", "w2"]), st.sampled_from(["o1", "o2", None]), answer, answer, answer),
        min_size=1,
        max_size=30,
    )
)
@settings(deadline=None, max_examples=120)
def test_every_number_is_finite_and_every_other_row_says_why(rows: list[tuple[Any, ...]]) -> None:
    frame = pd.DataFrame(rows, columns=["wave", "organisation", "a", "b", "c"])
    frame = frame.astype({"a": "Int8", "b": "Int8", "c": "Int8", "organisation": "string"})
    found = estimate(frame, waves=["w1", "w2"], organisations=["o1", "o2"], min_n=2, replicates=20)
    ok = found["status"] == Status.OK
    numbers = ["estimate", "std_error", "conf_low", "conf_high", "p_value"]
    assert np.isfinite(found.loc[ok, "estimate"]).all()
    assert not np.isinf(found[numbers].to_numpy(float)).any()
    assert found.loc[~ok, numbers].isna().all(axis=None)
    assert found.loc[~ok, "note"].ne("").all()
    for term in ("omega_total", "ordinal_alpha", "alpha"):
        assert (found.loc[ok & (found["term"] == term), "estimate"] <= 1 + 1e-12).all()
    assert found.loc[found["term"].isin(["floor", "ceiling"]) & ok, "estimate"].between(0, 100).all()
    assert found["p_value"].dropna().between(0, 1).all()
    bounds = found[ok & found["conf_low"].notna()]
    assert (bounds["conf_low"] <= bounds["estimate"] + 1e-9).all()
    assert (bounds["estimate"] <= bounds["conf_high"] + 1e-9).all()
    assert len(usage(found)) == 1
