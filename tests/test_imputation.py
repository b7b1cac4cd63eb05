"""Imputation: what was asked and not answered, nothing else; right where the truth is known; pooled by the rules."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import stdtrit

from surveywaves.mixed.contrasts import (
    FAMILY,
    Weights,
    adjusted,
    against_zero,
    estimates,
    families,
    stated_contrasts,
)
from surveywaves.mixed.decisions import decide
from surveywaves.mixed.design import make_design
from surveywaves.mixed.favourable import FavourableFit
from surveywaves.mixed.lmm import fit_linear
from surveywaves.sample import Sample, Scale
from surveywaves.sensitivity.compare import Judged, judge_variants
from surveywaves.sensitivity.imputation import DONORS, LEAST, Imputed, impute, pool
from surveywaves.sensitivity.setting import of_finite_population
from surveywaves.sensitivity.tipping import Side, level, most_imputed, tipping_points
from surveywaves.sensitivity.variants import stated_variants
from surveywaves.terms import FAVOURABLE, LINEAR, Missing
from surveywaves.tidy import tidy
from surveywaves.weighting import Refused

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
from known_truth import BreakingOff

TRUTH = BreakingOff()
EARLY, LATE = TRUTH.scales
WAVES, ORGANISATIONS = ("first", "second"), ("health", "social")
JOBS = ("a", "b", "c")


@cache
def survey(seed: int = 3) -> pd.DataFrame:
    """A survey in which some break off; a job, which only one organisation has a kind of; one item turned round."""
    rng = np.random.default_rng(seed)
    frame = TRUTH.simulate(rng)
    health = frame["whole_organisation"] == "health"
    job = pd.Series(np.where(health, "a", rng.choice(["b", "c"], len(frame))), dtype="str")
    frame["job"] = job.mask((rng.random(len(frame)) < 0.2) | frame["organisation"].isna())
    frame["late0"] = 6 - frame["late0"]
    frame.loc[rng.random(len(frame)) < 0.05, "late3"] = np.nan
    frame.loc[frame["wave"] == "first", "late2"] = np.nan
    return frame


def scales() -> tuple[Scale, Scale]:
    return EARLY, replace(LATE, keys={**LATE.keys, "late0": -1})


def sample(frame: pd.DataFrame) -> Sample:
    return Sample(frame, WAVES, ORGANISATIONS)


@cache
def drawn() -> Imputed:
    return impute(sample(survey()), scales(), number=5, seed=8, variables=["job"])


# --- what is imputed ----------------------------------------------------------------------------------------------


def test_every_answer_that_was_asked_and_not_given_is_imputed_and_no_other() -> None:
    frame, (_, late) = survey(), scales()
    whole = drawn().completed(0, late).frame
    first = (frame["wave"] == "first").to_numpy()
    assert whole.loc[first, "late2"].isna().all()  # not asked
    for item in late.items:
        asked = ~first if item == "late2" else np.ones(len(frame), dtype=np.bool_)
        assert whole.loc[asked, item].notna().all()
        given = frame[item].notna()
        assert (whole.loc[given, item] == frame.loc[given, item]).all()
        assert set(whole.loc[asked, item]) <= {1.0, 2.0, 3.0, 4.0, 5.0}
    assert whole["organisation"].isin(ORGANISATIONS).all()
    stated = frame["organisation"].notna()
    assert (whole.loc[stated, "organisation"] == frame.loc[stated, "organisation"]).all()
    assert len(set(map(bytes, drawn().drawn["organisation"]))) == 5  # each imputation is another one


def test_an_opinion_that_somebody_does_not_have_is_not_imputed() -> None:
    frame, (early, late) = survey(), scales()
    reasons = pd.DataFrame(index=frame.index)
    for item in late.items:
        reasons[item] = pd.Series(Missing.BROKE_OFF.value, index=frame.index).where(frame[item].isna())
    lacking = np.flatnonzero(frame["late1"].isna())
    reasons.loc[lacking[:10], "late1"] = Missing.DONT_KNOW.value
    reasons.loc[lacking[10:15], "late1"] = Missing.NOT_ASKED.value
    found = impute(sample(frame), [early, late], number=2, seed=1, reasons=reasons)
    whole = found.completed(1, late).frame
    assert set(np.flatnonzero(whole["late1"].isna())) == set(lacking[:15])


def test_who_answered_nothing_stays_out() -> None:
    frame = survey().copy()
    nobody = frame.index[:7]
    frame.loc[nobody, [*EARLY.items, *LATE.items, "organisation"]] = np.nan
    found = impute(sample(frame), scales(), number=2, seed=1)
    assert not set(nobody) & set(np.concatenate(list(found.rows.values())))


def test_a_covariate_is_imputed_with_the_organisation_that_it_goes_with() -> None:
    """Nobody in `social` has job a, and nobody in `health` another one."""
    people = replace(sample(survey()), covariates=("job",))
    found = impute(people, scales(), number=5, seed=8)
    agree = []
    for which in range(5):
        whole = found.completed(which, LATE).frame
        assert whole["job"].isin(JOBS).all()
        fits = (whole["job"] == "a") == (whole["organisation"] == "health")
        agree.append(fits[survey()["job"].isna()].mean())
    assert np.mean(agree) > 0.97


def test_organisation_follows_what_was_answered() -> None:
    """Two organisations 1.5 SD apart: whoever is imputed is of the likely one, about as often as can be."""
    rng = np.random.default_rng(2)
    size = 600
    health = rng.random(size) < 0.5
    person = rng.normal(size=(size, 1)) + 1.5 * health[:, None]
    answers = np.clip(np.round(3 + (person + rng.normal(size=(size, 4))) / 1.5), 1, 5)
    frame = pd.DataFrame(answers, columns=EARLY.items).assign(wave="first")
    organisation = pd.Series(np.where(health, *ORGANISATIONS), dtype="str")
    frame["organisation"] = organisation.mask(rng.random(size) < 0.3)
    found = impute(Sample(frame, ("first",), ORGANISATIONS), [EARLY], number=20, seed=1)
    rows, values = found.rows["organisation"], found.drawn["organisation"]
    chance = (values == 0).mean(axis=0)
    share = answers[rows].mean(axis=1)
    known = frame.loc[frame["organisation"].notna()]
    posterior = (known["organisation"] == "health").groupby(known[list(EARLY.items)].mean(axis=1)).mean()
    for low, high in ((1, 2.5), (2.5, 3.5), (3.5, 4.2), (4.2, 5.1)):
        there = (share >= low) & (share < high)
        expected = health[rows][there].mean()
        assert chance[there].mean() == pytest.approx(expected, abs=3 * math.sqrt(0.25 / there.sum()))
    assert posterior.iloc[-1] > posterior.iloc[0]


def test_donors_are_near_so_that_answers_are_of_the_right_size() -> None:
    """An item that follows from the others, but for a little: imputed answers hardly miss."""
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(rng.integers(1, 6, (400, 3)).astype(float), columns=["a", "b", "c"])
    truth = (frame["a"] + frame["b"]).clip(2, 9) / 2
    frame["d"] = truth.mask(rng.random(400) < 0.3)
    frame = frame.assign(wave="first", organisation="health")
    scale = Scale("s", ("a", "b", "c", "d"), dict.fromkeys("abcd", 1), (1, 5))
    found = impute(Sample(frame, ("first",), ("health",)), [scale], number=4, seed=1)
    error = found.drawn["d"] - truth.to_numpy()[found.rows["d"]]
    assert np.abs(error).mean() < 0.25
    assert DONORS == 5


@pytest.mark.parametrize("size", [LEAST - 1, LEAST, 15, 40])
def test_small_waves_constant_and_collinear_items_are_imputed_or_left_with_a_reason(size: int) -> None:
    rng = np.random.default_rng(size)
    names = [f"i{number}" for number in range(30)]
    frame = pd.DataFrame(rng.integers(1, 6, (size, 30)).astype(float), columns=names)
    frame["i1"], frame["i2"] = frame["i0"], 3.0
    frame = frame.mask(rng.random(frame.shape) < 0.15)
    frame["i3"] = np.where(np.arange(size) < 3, 2.0, np.nan)
    frame["i4"] = np.nan
    frame = frame.assign(wave="first", organisation=np.where(np.arange(size) < size // 2, *ORGANISATIONS))
    scale = Scale("s", tuple(names), dict.fromkeys(names, 1), (1, 5))
    found = impute(Sample(frame, ("first",), ORGANISATIONS), [scale], number=3, seed=1)
    if size < LEAST:
        assert not found.rows
        return
    whole = found.completed(0, scale).frame
    assert set(whole["i2"].dropna()) == {3.0}
    assert (whole["i3"].notna().sum(), whole["i4"].notna().sum()) == (3, 0)
    assert "i3" in found.note
    assert "i4" not in found.note  # not asked
    enough = [name for name in names if frame[name].notna().sum() >= LEAST]
    assert whole[enough].notna().all(axis=None)


def test_draws_are_the_same_again_and_a_wave_has_its_own() -> None:
    again = impute(sample(survey()), scales(), number=5, seed=8, variables=["job"])
    for name, values in drawn().drawn.items():
        np.testing.assert_array_equal(values, again.drawn[name])
    other = impute(sample(survey()), scales(), number=5, seed=9, variables=["job"])
    assert any((values != other.drawn[name]).any() for name, values in drawn().drawn.items())
    alone = survey()[survey()["wave"] == "second"]
    second = impute(replace(sample(alone), waves=("second",)), scales(), number=5, seed=8, variables=["job"])
    here = (survey()["wave"] == "second").to_numpy()[drawn().rows["late1"]]
    np.testing.assert_array_equal(drawn().drawn["late1"][:, here], second.drawn["late1"])


# --- known truth ----------------------------------------------------------------------------------------------------


def test_breaking_off_biases_those_who_stay_and_imputation_mends_it() -> None:
    """24% break off, related to an earlier scale: errors in SD of an answer, in 40 surveys."""
    truth = TRUTH.truth()["linear"]
    errors: dict[str, list[float]] = {"imputed": [], "stayed": []}
    for seed in range(40):
        frame = TRUTH.simulate(np.random.default_rng([11, seed]))
        people = TRUTH.sample(frame)
        found = impute(people, [EARLY, LATE], number=3, seed=seed)
        ways = {"stayed": [people], "imputed": [found.completed(which, LATE) for which in range(3)]}
        for name, every in ways.items():
            designs = [make_design(one, LATE) for one in every]
            fits = [fit_linear(design) for design in designs]
            for labels, weights in stated_contrasts(designs[0]):
                if labels["term"] != "change":
                    continue
                values = [
                    estimates(design, fit, [weights], confidence=0.95, min_cell=2)[0]["estimate"]
                    for design, fit in zip(designs, fits, strict=True)
                ]
                true = truth["change", labels["wave"], labels["organisation"]]
                errors[name].append((np.mean(values) - true) / fits[0].total_sd)
    chance = {name: 3 * np.std(values) / math.sqrt(len(values)) for name, values in errors.items()}
    assert np.mean(errors["stayed"]) > 0.06 + chance["stayed"] / 3
    assert abs(np.mean(errors["imputed"])) < chance["imputed"]


# --- Rubin's rules --------------------------------------------------------------------------------------------------


def test_pooling_is_rubins() -> None:
    """Against `mice::pool.scalar(Q, U, n = 101, k = 1)` and `mitools::MIcombine(df.complete = 100)` of R."""
    values, errors = [0.3, 0.35, 0.28, 0.41, 0.33], [0.1, 0.11, 0.1, 0.12, 0.105]
    found = pool(values, errors, [100.0] * 5)
    within, between = np.mean(np.square(errors)), np.var(values, ddof=1)
    total = within + 1.2 * between
    share = 1.2 * between / total
    old, observed = 4 / share**2, (1 - share) * 101 / 103 * 100
    assert found.estimate == pytest.approx(np.mean(values))
    assert found.std_error == pytest.approx(math.sqrt(total))
    assert found.df == pytest.approx(1 / (1 / old + 1 / observed))
    assert 0 < found.missing_information < 1
    same = pool([0.3] * 5, [0.1] * 5, [50.0] * 5)
    assert (same.estimate, same.std_error) == (pytest.approx(0.3), pytest.approx(0.1))
    assert same.df == pytest.approx(51 / 53 * 50)
    assert pool(values, errors, [math.inf] * 5).df == pytest.approx(old)


# --- the tipping point ----------------------------------------------------------------------------------------------


PLACE = ["term", "wave", "organisation"]


def judged(people: Sample, both: Sequence[Scale], found: Imputed | None = None) -> tuple[Judged, Imputed]:
    found = found or impute(people, both, number=4, seed=2)
    ways = stated_variants(people, questionnaire=(), straight_lining=9, imputed=found)
    ways = tuple(way for way in ways if way.name in ("main", "imputed"))
    return judge_variants(people, both, ways, flagged={}, standardised=0.2, percentage_points=5.0), found


def shifted(found: Imputed, scale: Scale, cells: Sequence[tuple[str, str]], delta: float) -> Imputed:
    """Add delta to what was imputed in some cells."""
    moved = dict(found.drawn)
    for item in set(scale.items) & set(found.rows):
        there = found.rows[item]
        frames = [found.completed(which, scale).frame.iloc[there] for which in range(found.number)]
        here = [
            [cell in cells for cell in zip(one["wave"], one["organisation"], strict=True)] for one in frames
        ]
        moved[item] = found.drawn[item] + delta * np.array(here, dtype=float)
    return replace(found, drawn=moved)


def test_the_estimate_moves_with_what_was_imputed_as_the_tipping_point_has_it() -> None:
    """Add delta to what was imputed, and do the whole analysis again."""
    frame = TRUTH.simulate(np.random.default_rng(4))
    wide = [replace(LATE, response_range=(-9, 15))]
    before, found = judged(sample(frame), wide)
    design = make_design(sample(frame), LATE)
    unit = fit_linear(design).total_sd
    plain = before.sensitivity.set_index(["variant", *PLACE])
    shares = by_place(design.cells, found.shares(LATE))
    for labels, weights in stated_contrasts(design):
        side = most_imputed(labels["term"], weights, shares)
        far = judged(sample(frame), wide, shifted(found, LATE, side.cells, 0.3 * unit))[0].sensitivity
        key = ("imputed", f"{labels['term']}_standardised", labels["wave"], labels["organisation"])
        one, other = (table.loc[key] for table in (plain, far.set_index(["variant", *PLACE])))
        assert other["estimate"] - one["estimate"] == pytest.approx(0.3 * side.slope, rel=0.03, abs=0.002)
        assert other["std_error"] == pytest.approx(one["std_error"], rel=0.1)


ONE_CELL = Weights((("w",), ("x",)), np.array([0]), np.ones(1))


@pytest.mark.parametrize("multiplicity", ["holm", "fdr_bh", "none"])
def test_beyond_the_tipping_point_the_decision_is_another_one(multiplicity: str) -> None:
    rng = np.random.default_rng(6)
    family = ("variant", *FAMILY)
    usual = {"standardised": 0.2, "percentage_points": 5.0, "multiplicity": multiplicity, "family": family}
    place = {"analysis": "linear", "term": "change_standardised", "wave": "w", "organisation": "x"}
    seen = set()
    for _ in range(8):
        values, errors = rng.normal(0, 0.15, 6), rng.uniform(0.02, 0.1, 6)
        rows = [
            {
                **place,
                "scale": f"s{one}",
                "std_error": error,
                **against_zero(value, error, 200.0, confidence=0.95),
            }
            for one, (value, error) in enumerate(zip(values, errors, strict=True))
        ]
        table = decide(tidy(rows).assign(variant="imputed"), tidy([]), **usual)
        sides = [Side(ONE_CELL, slope) for slope in rng.choice([0.3, -0.2], 6)]
        found = tipping_points(
            table, sides, families(table, family), confidence=0.95, multiplicity=multiplicity
        )
        for one, (tipping, side) in enumerate(zip(found, sides, strict=True)):
            if math.isnan(tipping.value):
                continue
            assert "another decision if what was imputed in w, x were" in tipping.words
            for factor, changed in ((0.999, False), (1.001, True)):
                moved = values[one] + factor * tipping.value * side.slope
                again = [
                    {**row, **against_zero(moved, errors[one], 200.0, confidence=0.95)}
                    if place == one
                    else row
                    for place, row in enumerate(rows)
                ]
                decision = decide(tidy(again).assign(variant="imputed"), tidy([]), **usual)["decision"].iloc[
                    one
                ]
                assert (decision != table["decision"].iloc[one]) == changed
            seen.add(table["decision"].iloc[one])
    assert len(seen) == 4


def test_the_share_imputed_is_that_of_the_completed_answers() -> None:
    frame = TRUTH.simulate(np.random.default_rng(4))
    found = impute(sample(frame), [EARLY, LATE], number=3, seed=2)
    shares = found.shares(LATE)
    for (wave, organisation), share in shares.items():
        each = []
        for which in range(3):
            of = found.completed(which, LATE).frame
            here = (of["wave"] == wave) & (of["organisation"] == organisation)
            each.append(frame.loc[here, list(LATE.items)].isna().to_numpy().mean())
        assert share == pytest.approx(np.mean(each), abs=0.005)


@pytest.mark.parametrize(
    ("analysis", "far", "told"),
    [
        (FAVOURABLE, 0.03, "less than 0.1 points"),
        (FAVOURABLE, 0.4, "0.4 points"),
        (FAVOURABLE, 12.4, "12 points"),
        (LINEAR, 0.003, "less than 0.01 SD"),
        (LINEAR, 0.25, "0.25 SD"),
    ],
)
def test_a_tipping_point_is_never_rounded_to_nothing(analysis: str, far: float, told: str) -> None:
    """The estimate lies `far` beyond the edge of a significant test, its error being 1."""
    value = float(stdtrit(30.0, 0.975)) + far
    row = {"analysis": analysis, "estimate": value, "std_error": 1.0, "df": 30.0, "smallest": 0.01}
    table = pd.DataFrame([row | {"p_value": 0.01, "p_equivalence": 0.9}])
    family = [np.array([0])]
    (found,) = tipping_points(table, [Side(ONE_CELL, 1.0)], family, confidence=0.95, multiplicity="holm")
    assert found.words == f"another decision if what was imputed in w, x were {told} lower"


def test_where_nothing_was_imputed_there_is_no_tipping_point() -> None:
    frame = TRUTH.simulate(np.random.default_rng(4))
    found, _ = judged(sample(frame), (EARLY, LATE))
    early = found.agreement[found.agreement["scale"] == "early"]
    assert early["tipping_point"].isna().all()
    assert early["words"].str.endswith("no answer was imputed").all()


@pytest.mark.parametrize("method", ["holm", "fdr_bh"])
def test_a_level_is_where_the_adjusted_p_value_crosses_alpha(method: str) -> None:
    rng = np.random.default_rng(1)
    for _ in range(60):
        others = rng.random(int(rng.integers(1, 9))) ** 3
        edge = level(others, method, 0.05)
        for p_value, below in ((edge * (1 - 1e-9), True), (edge * (1 + 1e-9), False)):
            assert (adjusted(np.append(p_value, others), method)[0] < 0.05) == below
    assert level(np.array([0.2]), "none", 0.05) == 0.05


def by_place(cells: Sequence[tuple[str, str]], shares: Mapping[tuple[str, str], float]) -> np.ndarray:
    return np.array([shares.get(cell, 0.0) for cell in cells])


def test_the_side_with_most_imputed_answers_is_shifted() -> None:
    def side(term: str, weights: dict[int, float]) -> tuple[list[tuple[str, str]], float]:
        on = Weights((("1", "2"), ("x", "y")), np.array([*weights]), np.array([*weights.values()]))
        found = most_imputed(term, on, np.array([0.2, 0.4, 0.1, 0.0]))
        return list(found.cells), found.slope

    change = {2: 1.0, 0: -1.0}
    assert side("change", change) == ([("1", "x")], -0.2)
    assert side("change", {2: 0.5, 3: 0.5, 0: -0.5, 1: -0.5})[0] == [("1", "x"), ("1", "y")]
    assert side("difference_in_differences", change | {3: -1.0, 1: 1.0}) == ([("1", "y")], 0.4)


def test_many_cells_are_counted_and_not_named() -> None:
    names = tuple(f"o{number}" for number in range(9))
    many = Side(Weights((("w",), names), np.arange(9), np.full(9, 1 / 9)), 1.0)
    assert many.where == "w, 9 organisations"
    assert many._replace(cells=many.cells.some(np.arange(9) < 2)).where == "w, o0; w, o1"


def test_families_of_contrasts_are_over_scales() -> None:
    assert FAMILY == ("analysis", "term", "wave", "organisation")


# --- R --------------------------------------------------------------------------------------------------------------

ORACLE = Path(__file__).parent / "oracle" / "sensitivity"
ITEMS = {scale: tuple(f"{scale}{number}" for number in range(1, 6)) for scale in "AN"}
AGREEABLE = Scale("A", ITEMS["A"], {item: -1 if item == "A1" else 1 for item in ITEMS["A"]}, (1, 6), (5, 6))
NEUROTIC = Scale("N", ITEMS["N"], dict.fromkeys(ITEMS["N"], 1), (1, 6), (5, 6))
SEXES = ("men", "women")


def bfi(file: str) -> pd.DataFrame:
    return pd.read_csv(ORACLE / file, dtype={"wave": "str", "organisation": "str"})


def answers(file: str) -> pd.DataFrame:
    """R's answers to change (both), gap (both) and difference in differences, in this order."""
    return pd.read_csv(ORACLE / file)


def stated_in(people: Sample, scale: Scale, *, robust: bool) -> list[tuple[float, float, float]]:
    """Estimate, standard error and degrees of freedom of every contrast."""
    design = make_design(people, scale)
    fit = fit_linear(design, robust=robust)
    sums = [weights for _, weights in stated_contrasts(design)]
    rows = estimates(design, fit, sums, confidence=0.95, min_cell=2)
    return [(row["estimate"], row["std_error"], row["df"]) for row in rows]


def test_estimates_of_the_same_completed_data_are_pooled_as_mice_and_mitools_pool_those_of_lme4() -> None:
    theirs = answers("pooled.csv")
    made = [
        stated_in(Sample(frame, WAVES, SEXES), NEUROTIC, robust=False)
        for _, frame in bfi("imputed.csv").groupby("imputation")
    ]
    for place, row in theirs.iterrows():
        values, errors, freedom = zip(*(one[place] for one in made), strict=True)
        found = pool(values, errors, freedom)
        assert found.estimate == pytest.approx(row["estimate"], rel=1e-9)
        assert found.std_error == pytest.approx(row["std_error"], rel=1e-6)
        assert found.df == pytest.approx(row["df"], rel=1e-6)
        assert found.missing_information == pytest.approx(row["fmi"], rel=1e-6)
        assert pool(values, errors, [math.inf] * 5).df == pytest.approx(row["df_large"], rel=1e-5)


def test_imputation_agrees_with_that_of_mice() -> None:
    """100 imputations each, within four Monte Carlo standard deviations and a fifth of the standard error.

    The models of the organisation are not the same: a discriminant of scale sums, and a logistic regression on items.
    """
    theirs, number = answers("mice.csv"), 100
    found = impute(Sample(bfi("incomplete.csv"), WAVES, SEXES), [AGREEABLE, NEUROTIC], number=number, seed=3)
    made = [stated_in(found.completed(which, NEUROTIC), NEUROTIC, robust=False) for which in range(number)]
    for place, row in theirs.iterrows():
        values, errors, freedom = zip(*(one[place] for one in made), strict=True)
        ours = pool(values, errors, freedom)
        chance = math.sqrt((float(np.var(values, ddof=1)) + row["between"]) / number)
        assert abs(ours.estimate - row["estimate"]) < 4 * chance + 0.2 * row["std_error"]
        assert ours.std_error == pytest.approx(row["std_error"], rel=0.15)


@pytest.mark.parametrize("what", ["mean", "favourable"])
def test_a_finite_population_has_the_errors_of_survey(what: str) -> None:
    theirs = answers("finite.csv").set_index(["what", "contrast"]).loc[what]
    people = Sample(bfi("incomplete.csv"), WAVES, SEXES)
    changed = of_finite_population({"first": 400, "second": 290, "third": 9})(people)
    assert not isinstance(changed, Refused)
    assert changed[1] == "returns are 70% of first, 97% of second"
    if what == "mean":
        found = [row[:2] for row in stated_in(changed[0], AGREEABLE, robust=True)]
    else:
        design = make_design(changed[0], AGREEABLE)
        fit = FavourableFit(design, AGREEABLE)
        sums = [weights for _, weights in stated_contrasts(design)]
        rows = fit.estimates(sums, confidence=0.95, min_cell=2)
        found = [(row["estimate"], row["std_error"]) for row in rows]
    np.testing.assert_allclose(found, theirs[["estimate", "std_error"]], rtol=1e-9)


def test_who_has_no_more_staff_than_returns_has_no_finite_population() -> None:
    people = Sample(bfi("incomplete.csv"), WAVES, SEXES)
    assert of_finite_population({"first": 10})(people) == Refused(
        "no wave has a population larger than its returns"
    )
