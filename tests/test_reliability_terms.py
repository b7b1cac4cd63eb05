"""Bootstrap, omega, ordinal alpha, equal alpha and the rule of use: against scipy, closed forms, and what must fail."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import bootstrap, f, multivariate_normal, norm

from sampled import reliability
from surveywaves.reliability import alpha as of_bootstrap
from surveywaves.reliability import usage
from surveywaves.reliability.alpha import feldt, hakstian_whalen
from surveywaves.reliability.factors import below, density, one_factor, polychoric
from surveywaves.terms import ALL, Status


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


# Bootstrap -----------------------------------------------------------------------------------------------------------


def test_alpha_of_a_replicate_is_the_alpha_of_the_respondents_drawn() -> None:
    scores = people()[list("abcd")].to_numpy(float)
    drawn = np.random.default_rng(3).integers(0, len(scores), (20, len(scores)))
    counts = np.stack([np.bincount(row, minlength=len(scores)) for row in drawn])
    ours = of_bootstrap._alpha(counts @ of_bootstrap._summands(scores), len(scores))
    np.testing.assert_allclose(ours, [plain_alpha(scores[row]) for row in drawn], rtol=0, atol=1e-12)


def test_the_interval_matches_scipy_s_bca_within_the_noise_of_replicates() -> None:
    frame = people(60)
    scores = frame[list("abcd")].to_numpy(float)
    row = one(estimate(frame, replicates=20_000, seed=2), "alpha_bootstrap")
    found = bootstrap(
        tuple(scores.T),
        lambda *items, axis: alphas(items, axis),
        paired=True,
        n_resamples=5_000,
        method="BCa",
        rng=np.random.default_rng(1),
    )
    theirs = found.confidence_interval
    assert row["std_error"] == pytest.approx(found.standard_error, rel=0.05)
    np.testing.assert_allclose(
        [row["conf_low"], row["conf_high"]], theirs, rtol=0, atol=0.2 * found.standard_error
    )


def alphas(items: tuple[np.ndarray, ...], axis: int) -> np.ndarray:
    stacked = np.array(items)
    k = len(stacked)
    own = stacked.var(axis=axis, ddof=1).sum(axis=0)
    return np.asarray(k / (k - 1) * (1 - own / stacked.sum(axis=0).var(axis=axis, ddof=1)))


def test_the_same_seed_draws_the_same_and_another_does_not() -> None:
    frame = people()
    first = one(estimate(frame, replicates=200, seed=1), "alpha_bootstrap")
    again = one(estimate(frame, replicates=200, seed=1), "alpha_bootstrap")
    other = one(estimate(frame, replicates=200, seed=2), "alpha_bootstrap")
    pd.testing.assert_series_equal(first, again)
    assert first["conf_low"] != other["conf_low"]
    assert first["conf_low"] == pytest.approx(other["conf_low"], abs=0.03)


def test_a_further_wave_leaves_what_was_said_of_the_others_as_it_was() -> None:
    frame = pd.concat([people(), people(seed=2).assign(organisation="o2")], ignore_index=True)
    later = people(seed=3).assign(wave="w2")
    before = estimate(frame, replicates=100).query("wave == 'w1'").reset_index(drop=True)
    after = estimate(pd.concat([frame, later]), replicates=100).query("wave == 'w1'").reset_index(drop=True)
    pd.testing.assert_frame_equal(before, after)


def test_of_many_respondents_fewer_are_drawn_and_the_spread_is_theirs_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    frame = people(1_500)
    full = one(estimate(frame, replicates=3_000), "alpha_bootstrap")
    monkeypatch.setattr(of_bootstrap, "DRAWN_AT_MOST", 500)
    fewer = one(estimate(frame, replicates=3_000), "alpha_bootstrap")
    assert fewer["note"] == "500 of 1500 respondents drawn a replicate"
    assert fewer["std_error"] == pytest.approx(full["std_error"], rel=0.06)
    np.testing.assert_allclose(
        fewer[["conf_low", "conf_high"]].astype(float),
        full[["conf_low", "conf_high"]].astype(float),
        rtol=0,
        atol=0.25 * full["std_error"],
    )


def test_no_replicates_no_rows() -> None:
    assert "alpha_bootstrap" not in set(estimate(people(), replicates=0)["term"])
    with pytest.raises(ValueError, match="below 0"):
        estimate(people(), replicates=-1)


def test_replicates_that_lose_alpha_are_said() -> None:
    found = estimate(columns(a=[3, 3, 3, 3, 3, 1], b=[2, 2, 2, 2, 2, 4]), replicates=500)
    row = one(found, "alpha_bootstrap")
    assert row["status"] == Status.NOT_ESTIMABLE
    assert np.isnan(row["conf_low"])
    assert row["note"]


def test_items_that_are_one_and_the_same_have_alpha_one_and_no_bootstrap() -> None:
    row = one(estimate(columns(a=[1, 2, 3, 4, 5], b=[1, 2, 3, 4, 5]), replicates=50), "alpha_bootstrap")
    assert (row["status"], row["note"]) == (Status.NOT_ESTIMABLE, "alpha is 1: no replicate differs")


def test_two_items_that_are_each_other_s_opposite_have_no_spearman_brown() -> None:
    row = one(estimate(columns(a=[1, 3, 5, 3, 3], b=[4, 3, 2, 3, 3])), "spearman_brown")
    assert (row["status"], row["note"]) == (Status.NOT_ESTIMABLE, "the two items are each other's opposite")


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
    assert (row["status"], row["note"]) == (Status.NOT_ESTIMABLE, "two items do not make out a factor")


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
    rho, settled = polychoric(codes, 2)
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


def test_feldt_with_many_items_is_his_f() -> None:
    # Charter & Feldt (1996): alphas .78 and .71 of 41 and 151 respondents, W = 1.318, p = .242.
    w, p = feldt(0.71, 0.78, n=(151, 41), k=5_000)
    assert w == pytest.approx(1.318, abs=5e-4)
    assert p == pytest.approx(2 * f.sf(w, 40, 150), abs=1e-3)
    assert p == pytest.approx(0.242, abs=2e-3)


def test_feldt_takes_either_order() -> None:
    w, p = feldt(0.6, 0.8, n=(40, 90), k=3)
    turned, again = feldt(0.8, 0.6, n=(90, 40), k=3)
    assert w == pytest.approx(1 / turned)
    assert p == pytest.approx(again, abs=1e-12)
    assert feldt(0.7, 0.7, n=(50, 50), k=4)[1] == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize(("n", "k"), [((8, 20), 2), ((30, 30), 2), ((60, 25), 5)])
def test_p_values_of_equal_alphas_are_uniform(n: tuple[int, int], k: int) -> None:
    random = np.random.default_rng(5)
    # If alpha is .7 in both populations, (1 - .7) / (1 - estimate) follows F(n - 1, (n - 1)(k - 1)) in each.
    p, chi = [], []
    for _ in range(800):
        alphas = [1 - 0.3 / random.f(size - 1, (size - 1) * (k - 1)) for size in n]
        p.append(feldt(alphas[0], alphas[1], n=n, k=k)[1])
        chi.append(hakstian_whalen(np.array(alphas), np.array(n, dtype=float), k)[2])
    for level in (0.05, 0.2, 0.5):
        noise = 3.5 * np.sqrt(level * (1 - level) / len(p))
        assert np.mean(np.array(p) < level) == pytest.approx(level, abs=noise)
        assert np.mean(np.array(chi) < level) == pytest.approx(level, abs=noise + 0.01)


def two_waves(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([first, second.assign(wave="w2")], ignore_index=True)


def test_alphas_that_differ_are_told_apart_and_their_difference_signed() -> None:
    frame = two_waves(people(200, (0.85,) * 4), people(200, (0.5,) * 4, seed=2))
    found = estimate(frame)
    difference = one(found, "alpha_difference", wave="w2 - w1", organisation="o1")["estimate"]
    alphas = [one(found, "alpha", wave=wave, organisation="o1")["estimate"] for wave in ("w2", "w1")]
    assert difference == pytest.approx(alphas[0] - alphas[1], abs=1e-12)
    w = one(found, "feldt_w", wave="w2 - w1", organisation="o1")
    assert w["estimate"] == pytest.approx((1 - alphas[0]) / (1 - alphas[1]))
    assert w["p_value"] < 1e-6
    chi = one(found, "hakstian_whalen", wave=ALL, organisation="o1")
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
    tests = estimate(frame).query("term in ['feldt_w', 'hakstian_whalen']")
    within = tests[tests["organisation"] == "o1"]
    assert within["wave"].tolist() == ["w2 - w1", "w3 - w1", "w3 - w2", ALL]
    between = tests[(tests["wave"] == "w2")]
    assert between["organisation"].tolist() == ["o1 - o2", ALL]
    assert tests.query("wave == 'all'")["df"].tolist() == [2, 2]


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
    for term in ("alpha_difference", "feldt_w"):
        row = one(found, term, wave="w2 - w1", organisation="o1")
        assert row["status"] == status
        assert said in row["note"]
        assert np.isnan(row["estimate"])
    together = one(found, "hakstian_whalen", wave=ALL, organisation="o1")
    assert together["status"] == Status.NOT_ESTIMABLE
    assert "not compared: w2" in together["note"]


# The rule of use -----------------------------------------------------------------------------------------------------


def use(frame: pd.DataFrame, **options: Any) -> tuple[str, str]:
    row = usage(estimate(frame), **options).iloc[0]
    return row["use"], row["reason"]


def test_a_scale_that_holds_together_everywhere_is_compared_as_one() -> None:
    kind, reason = use(two_waves(people(), people(seed=2)))
    assert kind == "scale"
    assert reason.startswith("lower bound of alpha at least 0.60 in all 2 cells: lowest 0.")


def test_one_cell_is_enough_to_compare_item_by_item() -> None:
    frame = two_waves(people(), people(loadings=(0.4,) * 4, seed=2))
    kind, reason = use(frame)
    assert kind == "low_reliability"
    assert reason.startswith("alpha may be too low in 1 of 2 cells: lower bound 0.")
    assert reason.endswith("in w2, o1")
    assert use(frame, at_least=0.2)[0] == "scale"


def test_a_small_cell_does_not_decide() -> None:
    frame = two_waves(people(), people(25, (0.3,) * 4, seed=2))
    assert use(frame)[0] == "scale"
    assert use(frame, min_n=20)[0] == "low_reliability"


def test_two_items_need_only_go_together() -> None:
    frame = people(loadings=(0.6, 0.6))
    assert one(estimate(frame), "alpha")["conf_low"] < 0.6
    kind, reason = use(frame)
    assert kind == "scale"
    assert reason.startswith("its two items go together in all 1 cells")
    apart = people(loadings=(0.05, 0.05), seed=4)
    assert use(apart)[0] == "low_reliability"
    assert "may not go together in 1 of 1 cells" in use(apart)[1]


def test_answers_that_do_not_vary_decide_against_a_scale() -> None:
    flat = columns(a=[5] * 40, b=[5] * 40, c=[4] * 40, d=[4] * 40)
    assert use(two_waves(people(), flat)) == ("low_reliability", "answers do not vary in w2, o1")


def test_without_a_cell_that_decides_a_scale_is_not_compared() -> None:
    kind, reason = use(people(12))
    assert kind == "low_reliability"
    assert reason == "no wave and organisation has 30 respondents whose answers can be estimated from"


def test_without_organisations_all_respondents_decide() -> None:
    found = estimate(people(), organisations=[])
    assert usage(found)["use"].tolist() == ["scale"]


def test_the_rule_takes_many_scales_and_keeps_their_order() -> None:
    found = pd.concat([estimate(people(), scale=name) for name in ("z", "a", "m")])
    assert usage(found)["scale"].tolist() == ["z", "a", "m"]
    with pytest.raises(ValueError, match="not from 0 to 1"):
        usage(found, at_least=1.0)


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
    for term in ("omega_total", "ordinal_alpha", "alpha", "alpha_bootstrap"):
        assert (found.loc[ok & (found["term"] == term), "estimate"] <= 1 + 1e-12).all()
    assert found.loc[found["term"].isin(["floor", "ceiling"]) & ok, "estimate"].between(0, 100).all()
    assert found["p_value"].dropna().between(0, 1).all()
    bounds = found[ok & found["conf_low"].notna() & (found["term"] != "alpha_bootstrap")]
    assert (bounds["conf_low"] <= bounds["estimate"] + 1e-9).all()
    assert (bounds["estimate"] <= bounds["conf_high"] + 1e-9).all()
    assert len(usage(found)) == 1
