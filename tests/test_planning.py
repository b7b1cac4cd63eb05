"""What a wave to come can detect: against R, against fits of simulated waves, and on frames that say little."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.power import TTestIndPower

from sampled import make_design, mean_vector, plan
from surveywaves.mixed.contrasts import stated_contrasts
from surveywaves.mixed.design import Design, FloatArray
from surveywaves.mixed.lmm import LinearFit, fit_linear
from surveywaves.planning.plan import weights_by_wave
from surveywaves.planning.power import Outlook, detectable_effect, power_of_equivalence, power_of_t
from surveywaves.tidy import NUMBERS

POWER = pd.read_csv(
    Path(__file__).parent / "oracle/planning/power.csv", skipinitialspace=True, na_values=["NA"]
)

R_TOLERANCE = {"rtol": 1e-9, "atol": 1e-12}
"""Two implementations of noncentral t, two integrals, two root searches; the largest relative deviation seen is
2e-11, of the power of equivalence."""

REDONE = {"rtol": 1e-9, "atol": 1e-12}
"""The same formula by another way: rounding only."""

SIMULATED = 300
CHANCE = 1e-3
"""Two-sided chance of a false alarm of each count."""

CHANGE = ("next - now", "x")
GAP = ("next", "x - y")
BOTH = ("next - now", "x - y")


def reference(number: int = 160, *, items: int = 4, missing: float = 0.15, seed: int = 3) -> pd.DataFrame:
    """Make a wave: 45% in x, 40% in y, 15% that do not say; a covariate; normal answers within 0 to 20."""
    draw = np.random.default_rng(seed)
    answers = 10 + draw.normal(0, 0.7, (number, 1)) + draw.normal(0, 0.9, (number, items))
    answers[draw.random(answers.shape) < missing] = np.nan
    place = (np.arange(number) + 0.5) / number
    frame = pd.DataFrame(
        {
            "wave": "now",
            "organisation": np.where(place < 0.45, "x", np.where(place < 0.85, "y", None)),
            "age": draw.normal(40, 9, number),
        }
    )
    return frame.assign(**{f"i{item}": answers[:, item] for item in range(items)})


def options(frame: pd.DataFrame, **changed: Any) -> dict[str, Any]:
    items = [name for name in frame.columns if name.startswith("i")]
    usual = {
        "items": items,
        "keys": dict.fromkeys(items, 1),
        "response_range": (0, 20),
        "organisations": ["x", "y"],
    }
    return usual | changed


def planned(frame: pd.DataFrame, **changed: Any) -> pd.DataFrame:
    usual = {"waves": ["now"], "planned": "next", "returns": [100, 300], "smallest": 0.3}
    return plan(frame, **options(frame, **(usual | changed)))


def of(table: pd.DataFrame, contrast: tuple[str, str], term: str) -> pd.DataFrame:
    wave, organisation = contrast
    here = (table["wave"] == wave) & (table["organisation"] == organisation) & (table["term"] == term)
    return table[here].reset_index(drop=True)


def design_of(frame: pd.DataFrame, waves: list[str], **changed: Any) -> Design:
    return make_design(frame, waves=waves, **options(frame, **changed))


def vectors(design: Design) -> dict[tuple[str, str], FloatArray]:
    return {
        (label["wave"], label["organisation"]): sum(
            (w * mean_vector(design, *cell) for cell, w in weights.items()), np.zeros(len(design.columns))
        )
        for label, weights in stated_contrasts(design)
    }


# --- against R ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "case", list(POWER.itertuples()), ids=lambda case: f"{case.n1}-{case.n2}-{case.effect}-{case.level}"
)
def test_with_one_item_and_one_organisation_a_plan_is_a_t_test_planned_by_r(case: Any) -> None:
    one = pd.DataFrame(
        {"wave": "now", "organisation": "x", "i0": np.random.default_rng(case.n1).normal(10, 2, case.n1)}
    )
    table = planned(
        one,
        organisations=["x"],
        returns=[case.n2],
        smallest=case.effect,
        confidence=1 - case.level,
        power=case.power,
    )
    found = {term: of(table, CHANGE, term).iloc[0] for term in dict.fromkeys(table["term"][4:])}
    for term, expected in (
        ("power", case.found),
        ("detectable", case.detectable),
        ("power_equivalence", case.equivalence),
    ):
        np.testing.assert_allclose(found[term]["estimate"], expected, **R_TOLERANCE, err_msg=term)
    np.testing.assert_allclose(found["returns_needed"]["estimate"], case.needed)
    assert found["power"]["df"] == pytest.approx(case.n1 + case.n2 - 2)
    by_statsmodels = TTestIndPower().power(case.effect, case.n1, case.level, ratio=case.n2 / case.n1)
    np.testing.assert_allclose(found["power"]["estimate"], by_statsmodels, **R_TOLERANCE)


def test_power_holds_where_noncentral_t_is_far_out() -> None:
    for df in (1.0, 3.0, 50.0, 1e4, 1e7, 1e9, math.inf):
        powers = [power_of_t(effect, 1.0, df, level=0.05) for effect in (0, 1, 5, 12, 40, 200, 1e4)]
        assert np.all(np.diff(powers) >= -1e-9), (df, powers)
        assert powers[-1] == pytest.approx(1.0)
        for level in (0.3, 0.05, 0.001):
            assert power_of_t(0.0, 1.0, df, level=level) == pytest.approx(level, rel=1e-8)
            effect = detectable_effect(0.1, df, level=level, power=0.9)
            assert power_of_t(effect, 0.1, df, level=level) == pytest.approx(0.9)
    assert power_of_t(1.7, 0.6, 1e7, level=0.05) == pytest.approx(power_of_t(1.7, 0.6, math.inf, level=0.05))


def test_power_of_equivalence_is_a_chance_and_grows_with_precision() -> None:
    for df in (1.0, 4.0, 300.0, 1e9):
        powers = [power_of_equivalence(0.2, error, df, level=0.05) for error in (1.0, 0.2, 0.1, 0.05, 1e-3)]
        assert np.all(np.diff(powers) >= 0), df
        assert powers[0] >= 0
        assert powers[-1] == pytest.approx(1.0, abs=0.02 if df < 2 else 1e-6)


# --- the precision is that of a fit ---------------------------------------------------------------------------


def with_copies(frame: pd.DataFrame, copies: int) -> pd.DataFrame:
    """Let the wave to come be answered by so many copies of the wave that is there."""
    return pd.concat([frame, *[frame.assign(wave="next")] * copies], ignore_index=True)


@pytest.mark.parametrize("covariates", [[], ["age"]])
@pytest.mark.parametrize("copies", [1, 3])
def test_errors_are_those_of_a_fit_to_so_many_respondents(copies: int, covariates: list[str]) -> None:
    frame = reference()
    design = design_of(frame, ["now"], covariates=covariates)
    fitted = design_of(with_copies(frame, copies), ["now", "next"], covariates=covariates)
    fit = fit_linear(fitted, robust=False)
    kept = fit_linear(design, robust=False).kept
    outlook = Outlook(design, kept, theta=fit.theta, sigma2=fit.sigma2)
    stated = {(labels["wave"], labels["organisation"]): sums for labels, sums in stated_contrasts(fitted)}
    for contrast, vector in vectors(fitted).items():
        ours = outlook.of(weights_by_wave(design, stated[contrast]))
        np.testing.assert_allclose(ours.error(copies), math.sqrt(vector @ fit.cov @ vector), **REDONE)
        # the information on the variances is the expected one here, the observed one there
        assert ours.df(copies) == pytest.approx(fit.df(vector[None])[0], rel=0.05)


def test_half_widths_are_those_of_the_analysis_to_come() -> None:
    frame = reference()
    table = planned(frame, returns=[len(frame), 3 * len(frame)])
    for number, copies in ((len(frame), 1), (3 * len(frame), 3)):
        design = design_of(with_copies(frame, copies), ["now", "next"])
        fit = fit_linear(design, robust=False)
        for contrast in (CHANGE, GAP, BOTH):
            vector = vectors(design)[contrast]
            margin = stats.t.ppf(0.975, fit.df(vector[None])[0]) * math.sqrt(vector @ fit.cov @ vector)
            found = of(table, contrast, "conf_half_width").set_index("n").loc[number, "estimate"]
            # REML finds a little more variance between people where each is there several times
            assert found == pytest.approx(margin / math.sqrt(fit.sigma2 + fit.tau2), rel=0.01)


def test_degrees_of_freedom_are_of_the_expected_information() -> None:
    frame = reference(24, items=3, missing=0.3)
    design = design_of(frame, ["now"])
    sigma2, theta = 0.8, 0.6
    outlook = Outlook(design, np.ones(len(design.columns), np.bool_), theta=theta, sigma2=sigma2)
    copies, cells, items = 2, len(design.cells), len(design.items)

    rows, persons, person = [], design.persons.astype(int), 0
    for later, times in ((0, 1), (cells, copies)):
        for pattern in np.repeat(np.arange(len(persons)), times * persons):
            for item in np.flatnonzero(design.answered[design.group[pattern]]):
                row = np.zeros(2 * cells + items - 1)
                row[later + design.cell[design.group[pattern]]] = 1
                if item:
                    row[2 * cells + item - 1] = 1
                rows.append((person, row))
            person += 1
    x = np.array([row for _, row in rows])
    z = np.equal.outer([who for who, _ in rows], np.arange(person)).astype(float)
    shared = z @ z.T
    both = (np.eye(len(x)) + theta * shared, sigma2 * shared)  # derivatives of V by sigma2 and theta
    inverse = np.linalg.inv(sigma2 * both[0])
    cov = np.linalg.inv(x.T @ inverse @ x)
    p = inverse - inverse @ x @ cov @ x.T @ inverse
    information = np.array([[np.trace(p @ one @ p @ other) / 2 for one in both] for other in both])
    np.testing.assert_allclose(outlook.variance_cov(copies), np.linalg.inv(information), **REDONE)
    for weights in ([[-1, 0], [1, 0]], [[0, 0], [1, -1]], [[0, 0], [0.3, 0.7]], [[-1, 1], [1, -1]]):
        vector = np.append(np.ravel(weights), np.full(items - 1, np.sum(weights) / items))
        found = outlook.of(np.array(weights, dtype=float))
        assert found.error(copies) == pytest.approx(math.sqrt(vector @ cov @ vector))
        slopes = np.array([vector @ cov @ x.T @ inverse @ one @ inverse @ x @ cov @ vector for one in both])
        expected = 2 * (vector @ cov @ vector) ** 2 / (slopes @ np.linalg.inv(information) @ slopes)
        assert found.df(copies) == pytest.approx(expected)


# --- the power is that of fits to simulated waves ---------------------------------------------------------------


@cache
def simulated() -> tuple[pd.DataFrame, LinearFit, dict[tuple[str, str], np.ndarray]]:
    """Simulate both waves without any difference, with the reference's variances and missing answers, and fit.

    Returns
    -------
    DataFrame, LinearFit, dict
        The reference wave, its fit, and contrast -> (SIMULATED, 3) estimate, standard error, df.
    """
    frame = reference()
    fit = fit_linear(design_of(frame, ["now"]))
    both = with_copies(frame, 2)
    items = [name for name in both.columns if name.startswith("i")]
    gone = both[items].isna().to_numpy()
    draw = np.random.default_rng(20080301)
    results: dict[tuple[str, str], list[tuple[float, float, float]]] = {}
    for _ in range(SIMULATED):
        answers = 10 + draw.normal(0, math.sqrt(fit.tau2), (len(both), 1))
        answers = answers + draw.normal(0, math.sqrt(fit.sigma2), gone.shape)
        answers[gone] = np.nan
        design = design_of(both.assign(**dict(zip(items, answers.T, strict=True))), ["now", "next"])
        found = fit_linear(design, robust=False)
        for contrast, vector in vectors(design).items():
            error = math.sqrt(vector @ found.cov @ vector)
            results.setdefault(contrast, []).append((vector @ found.coef, error, found.df(vector[None])[0]))
    return frame, fit, {contrast: np.array(rows) for contrast, rows in results.items()}


@pytest.mark.thorough
@pytest.mark.parametrize("contrast", [CHANGE, GAP, BOTH], ids=["change", "gap", "difference in differences"])
def test_simulated_waves_find_what_was_planned_as_often_as_planned(contrast: tuple[str, str]) -> None:
    frame, fit, results = simulated()
    table = planned(frame, returns=[2 * len(frame)], smallest=0.35, tests=5)
    effect = 0.35 * math.sqrt(fit.sigma2 + fit.tau2)
    estimate, error, df = results[contrast].T
    # a true effect moves the estimate by as much, and nothing else
    p_value = 2 * stats.t.sf(np.abs(estimate + effect) / error, df)
    equivalence = stats.t.cdf((np.abs(estimate) - effect) / error, df)
    for term, found in (
        ("power", p_value < 0.05),
        ("power_adjusted", p_value < 0.05 / 5),
        ("power_equivalence", equivalence < 0.05),
    ):
        power = of(table, contrast, term)["estimate"].item()
        assert 0.1 < power < 0.999, "a power that says something"
        chance = stats.binomtest(int(found.sum()), SIMULATED, power).pvalue
        assert chance > CHANCE, f"{term}: {found.mean():.3f} found, {power:.3f} planned"
    half = (stats.t.ppf(0.975, df) * error).mean() / math.sqrt(fit.sigma2 + fit.tau2)
    assert of(table, contrast, "conf_half_width")["estimate"].item() == pytest.approx(half, rel=0.02)
    assert of(table, contrast, "power")["df"].item() == pytest.approx(df.mean(), rel=0.02)


# --- what is planned from, and what is not ------------------------------------------------------------------------


def test_rows_of_the_wave_to_come_are_not_looked_at() -> None:
    frame = reference()
    there = frame.assign(wave="next", i0=19.0, organisation="x")
    other = frame.assign(wave="before", i1=0.0)
    pd.testing.assert_frame_equal(
        planned(pd.concat([there, frame, other], ignore_index=True)), planned(frame)
    )


def test_returns_that_take_no_part_are_taken_off() -> None:
    """Those who state no organisation or answer no item return their paper, and help nobody."""
    frame = reference()
    takes_part = frame["organisation"].notna() & frame.filter(like="i").notna().any(axis=1)
    silent = frame.assign(**dict.fromkeys(frame.filter(regex=r"^i\d").columns, np.nan))
    everybody, fewer = planned(pd.concat([frame, silent], ignore_index=True)), planned(frame)
    assert takes_part.mean() < 1
    for contrast in (CHANGE, GAP):
        needed = of(everybody, contrast, "returns_needed")["estimate"].item()
        assert needed == pytest.approx(2 * of(fewer, contrast, "returns_needed")["estimate"].item(), abs=2)
    note = of(everybody, GAP, "power")["note"][0]
    assert "of 100 returns, as in now:" in note
    assert "organisation not stated or not compared" in note
    assert "50 no item answered" not in note, "who states no organisation is counted once"
    assert "no item answered" in note


def test_what_the_plan_rests_on_is_in_the_table() -> None:
    frame = reference()
    fit = fit_linear(design_of(frame, ["now"]))
    rows = planned(frame)
    rows = rows[rows["organisation"] == "all"].set_index("term")["estimate"]
    assert rows["returns"] == len(frame)
    assert rows["total_sd"] == pytest.approx(math.sqrt(fit.sigma2 + fit.tau2))
    assert rows["icc"] == pytest.approx(fit.tau2 / (fit.sigma2 + fit.tau2))
    stated = frame[frame["organisation"].notna()].filter(regex=r"^i\d").notna().sum(axis=1)
    assert rows["items_answered"] == pytest.approx(stated[stated > 0].mean())


def test_the_returns_needed_are_the_fewest_that_give_the_power() -> None:
    frame = reference()
    for contrast in (CHANGE, GAP):
        needed = int(of(planned(frame), contrast, "returns_needed")["estimate"].item())
        power = of(planned(frame, returns=[needed - 1, needed]), contrast, "power")["estimate"]
        assert power[0] < 0.8 <= power[1]


def test_nobody_plans_for_more_returns_than_there_are_people() -> None:
    frame = reference()
    needed = int(of(planned(frame), GAP, "returns_needed")["estimate"].item())
    enough = planned(frame, population=needed, returns=[needed, needed + 1])
    assert of(enough, GAP, "returns_needed")["estimate"].item() == needed
    power = of(enough, GAP, "power")
    assert power["status"].tolist() == ["ok", "not_estimable"]
    assert power["note"][1] == f"more than the {needed:,} staff"
    row = of(planned(frame, population=needed - 1), GAP, "returns_needed").iloc[0]
    assert (row["status"], np.isnan(row["estimate"])) == ("not_estimable", True)
    everybody = of(planned(frame, returns=[needed - 1]), GAP, "power")["estimate"][0]
    assert everybody < 0.8
    assert row["note"] == f"more than the {needed - 1:,} staff: with all of them the power is {everybody:.2f}"


def test_no_number_of_returns_makes_up_for_a_small_reference_wave() -> None:
    row = of(planned(reference(40), smallest=0.2), BOTH, "returns_needed").iloc[0]
    assert row["status"] == "not_estimable"
    assert pd.isna(row["estimate"])
    most = float(row["note"].split()[-3])
    endless = planned(reference(40), smallest=0.2, returns=[10**8])
    assert of(endless, BOTH, "power")["estimate"][0] == pytest.approx(most, abs=0.005)
    assert most < 0.8


# --- frames that say little -----------------------------------------------------------------------------------------


def assert_reasons(rows: pd.DataFrame, status: str, note: str) -> None:
    assert len(rows)
    assert set(rows["status"]) == {status}
    assert rows["note"].str.contains(note).all(), set(rows["note"])
    assert rows[list(NUMBERS)].isna().all(axis=None)


def test_an_organisation_that_the_reference_wave_lacks_is_not_planned_for() -> None:
    frame = reference().query("organisation != 'y'")
    table = planned(frame)
    for contrast in (GAP, BOTH, ("next - now", "y")):
        for term in ("conf_half_width", "power", "detectable", "returns_needed"):
            assert of(table, contrast, term).empty
    assert of(table, CHANGE, "power")["estimate"].between(0, 1).all()


def test_a_cell_that_will_be_too_small_has_its_reason() -> None:
    table = planned(reference(), returns=[20, 300], min_cell=9)
    assert_reasons(of(table, GAP, "power")[:1], "too_few", "fewer than 9 respondents expected: next, ")
    assert of(table, GAP, "power")["status"][1] == "ok"
    assert_reasons(
        of(planned(reference(), min_cell=90), GAP, "power"), "too_few", "fewer than 90 respondents: now, "
    )


def test_organisations_that_were_asked_different_items_have_no_gap() -> None:
    frame = reference()
    frame.loc[frame["organisation"] == "x", ["i0", "i1"]] = np.nan
    frame.loc[frame["organisation"] == "y", ["i2", "i3"]] = np.nan
    table = planned(frame)
    assert_reasons(of(table, GAP, "power"), "not_estimable", "do not determine it")
    assert of(table, CHANGE, "power")["estimate"].between(0, 1).all()


def test_a_reference_wave_without_a_fit_gives_reasons_only() -> None:
    table = planned(reference().assign(i0=3.0, i1=3.0, i2=3.0, i3=3.0))
    contrasts = table[table["organisation"] != "all"]
    assert set(contrasts["status"]) == {"not_estimable"}
    assert contrasts[list(NUMBERS)].isna().all(axis=None)
    assert (contrasts["note"] != "").all()
    nobody = planned(reference().assign(wave="before"))
    assert set(nobody["organisation"]) == {"all"}


def test_no_variance_between_respondents_is_said_and_planned_with() -> None:
    frame = reference(80, missing=0)
    items = frame.filter(regex=r"^i\d")
    flat = frame.assign(**(items.sub(items.mean(axis=1), axis=0) + 10))
    table = planned(flat)
    rows = of(table, CHANGE, "power")
    assert set(rows["status"]) == {"boundary"}
    assert rows["note"].str.contains("estimated as zero").all()
    icc = table[table["term"] == "icc"].iloc[0]
    assert (icc["estimate"], icc["status"]) == (0, "boundary")


def test_what_is_left_aside_is_said() -> None:
    table = planned(reference().assign(team="one"), team="team")
    contrasts = table[(table["organisation"] != "all") & (table["status"] == "ok")]
    assert len(contrasts) > 20
    assert contrasts["note"].str.contains("teams are left aside").all()


@pytest.mark.parametrize(
    "wrong", [{"power": 1.0}, {"smallest": 0.0}, {"planned": "now"}, {"confidence": 1.0}, {"tests": 0}]
)
def test_a_plan_that_cannot_be_meant_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"not a"):
        planned(reference(), **wrong)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["x", "y", None]),
            st.lists(st.sampled_from([None, 0, 10, 20]), min_size=3, max_size=3),
        ),
        max_size=12,
    ),
    st.integers(1, 400),
)
def test_a_row_has_a_number_or_a_reason(
    people: list[tuple[str | None, list[int | None]]], returns: int
) -> None:
    answers = np.array([row for _, row in people], dtype=np.float64).reshape(-1, 3)
    frame = pd.DataFrame({"wave": "now", "organisation": pd.array([who for who, _ in people], dtype="str")})
    frame = frame.assign(**{f"i{item}": answers[:, item] for item in range(3)})
    table = planned(frame, returns=[returns])
    contrasts = table[table["organisation"] != "all"]
    there = contrasts["status"].isin(["ok", "boundary"])
    assert np.isfinite(contrasts.loc[there, ["estimate", "df"]]).all(axis=None)
    assert contrasts.loc[~there, list(NUMBERS)].isna().all(axis=None)
    assert (contrasts.loc[~there, "note"] != "").all()
    chances = contrasts["term"].str.startswith("power") & there
    assert contrasts.loc[chances, "estimate"].between(0, 1 + 1e-9).all()
