"""Sensitivity: each variant is the analysis that it says it is; what cannot be done is a row that says why."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from sampled import Comparison, compare, compare_fit, compare_sample
from surveywaves.mixed.clmm import fit_ordinal
from surveywaves.mixed.contrasts import FAMILY, standardised
from surveywaves.mixed.decisions import decide
from surveywaves.mixed.design import make_design
from surveywaves.sample import Sample, Scale
from surveywaves.sensitivity.compare import agreement, compare_variants, judge_variants
from surveywaves.sensitivity.imputation import impute
from surveywaves.sensitivity.variants import Variant, stated_variants
from surveywaves.terms import FAVOURABLE, Status, variant_title
from surveywaves.tidy import NUMBERS, tidy
from surveywaves.weighting import Raking, rake

WAVES, ORGANISATIONS = ("first", "second", "third"), ("x", "y")
ITEMS = ("a1", "a2", "a3", "a4", "b1", "b2", "b3")
KEYS = dict.fromkeys(ITEMS, 1) | {"a2": -1}
A = Scale("a", ("a1", "a2", "a3", "a4"), KEYS, (1, 5), (4, 5), min_answered=2)
B = Scale("b", ("b1", "b2", "b3"), KEYS, (1, 5), (4, 5), min_answered=2, flagged=("b2",))
WHERE = ["scale", "term", "wave", "organisation"]
ESTIMATES = ["estimate", "std_error", "df", "conf_low", "conf_high", "p_value"]
MARGINS = {"second": {"job": {"desk": 300, "field": 100, "road": 50}, "organisation": {"x": 100, "y": 250}}}


@cache
def respondents(size: int = 360, seed: int = 5) -> pd.DataFrame:
    """Three waves; the first surveyed y only, knows no job, did not ask a4, and has sampling weights."""
    rng = np.random.default_rng(seed)
    wave = np.repeat(WAVES, size // 3)
    frame = pd.DataFrame(
        {"wave": wave, "organisation": np.where(rng.random(size) < 0.45, "x", "y")}, dtype="str"
    )
    first = frame["wave"] == "first"
    frame.loc[first, "organisation"] = "y"
    frame.loc[(rng.random(size) < 0.1) & ~first, "organisation"] = None
    frame["mode"] = pd.Series(rng.choice(["web", "paper"], size, p=[0.7, 0.3]), dtype="str").mask(first)
    frame["job"] = pd.Series(rng.choice(["desk", "field", "road"], size), dtype="str")
    frame["job"] = frame["job"].mask(first | (rng.random(size) < 0.1))
    frame["weight"] = np.where(first, rng.choice([0.6, 1.2], size), 1.0)
    person = rng.normal(0, 0.6, size) + 0.3 * (wave == "third") + 0.3 * (frame["job"] == "road")
    for item in ITEMS:
        answers = np.clip(np.round(3.2 + KEYS[item] * person + rng.normal(0, 0.8, size)), 1, 5)
        answers[rng.random(size) < 0.05] = np.nan
        frame[item] = pd.array(answers, dtype="Float64").astype("Int8")
    frame.loc[rng.choice(size, 15, replace=False), list(ITEMS)] = 4
    frame.loc[first, "a4"] = pd.NA
    return frame


def sample(frame: pd.DataFrame | None = None, **changed: Any) -> Sample:
    return replace(Sample(respondents() if frame is None else frame, WAVES, ORGANISATIONS), **changed)


def variants(of: Sample | None = None, **changed: Any) -> tuple[Variant, ...]:
    usual: dict[str, Any] = {
        "questionnaire": ITEMS,
        "straight_lining": 5,
        "only": {"Web only": {"mode": "web"}},
        "adjust_for": ("job",),
        "margins": MARGINS,
        "reworded": {"second": ("b3",)},
    }
    return stated_variants(of or sample(), **usual | changed)


def compared(frame: pd.DataFrame, scale: Scale, **options: Any) -> Comparison:
    """By `compare_fit` alone, without any variant."""
    return compare_sample(Sample(frame, WAVES, ORGANISATIONS), scale, **options)


def decided(table: pd.DataFrame, multiplicity: str = "holm") -> pd.DataFrame:
    return decide(
        table,
        tidy([]),
        standardised=0.2,
        percentage_points=5,
        multiplicity=multiplicity,
        family=("variant", *FAMILY),
    )


@cache
def everything() -> pd.DataFrame:
    return compare_variants(sample(), [A, B], variants(), min_cell=5).table


def of(name: str, scale: Scale = A, table: pd.DataFrame | None = None) -> pd.DataFrame:
    """What a variant says of a scale by the model."""
    found = everything() if table is None else table
    mine = (found["variant"] == name) & (found["scale"] == scale.name) & (found["analysis"] != FAVOURABLE)
    return found[mine].set_index(WHERE)


def percent(name: str, scale: Scale = A) -> pd.DataFrame:
    """What a variant says of the percentages of favourable answers."""
    found = everything()
    mine = (found["variant"] == name) & (found["scale"] == scale.name) & (found["analysis"] == FAVOURABLE)
    return found[mine].set_index(WHERE)


def by_hand(frame: pd.DataFrame, scale: Scale = A, **changed: Any) -> pd.DataFrame:
    """The contrasts of a comparison made by itself, in units of the main analysis."""
    usual = {"waves": WAVES, "organisations": ORGANISATIONS}
    call = {"items": scale.items, "keys": scale.keys, "response_range": scale.response_range}
    made = compare(frame, scale=scale.name, min_cell=5, **call | usual | changed)
    whole = replace(scale, items=tuple(item for item in ITEMS if item.startswith(scale.name)))
    main = compare(respondents(), scale=scale.name, **call | {"items": whole.items}, **usual)
    return standardised(made.contrasts, main.variances).set_index(WHERE)


def assert_same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    """The same numbers wherever either has some, and some at all."""
    both = expected.loc[expected.index.isin(found.index)]
    found = found.loc[both.index]
    assert both["estimate"].notna().sum() >= 3
    np.testing.assert_allclose(found[ESTIMATES], both[ESTIMATES], rtol=1e-9, atol=1e-12)
    assert (found["n"] == both["n"])[both["estimate"].notna()].all()


# --- each variant is what it says -----------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [A, B], ids=lambda scale: scale.name)
def test_the_main_analysis_is_the_comparison_itself(scale: Scale) -> None:
    assert_same(of("main", scale), by_hand(respondents(), scale))


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_ordinal_variants_are_the_ordinal_model_in_its_own_unit(link: str) -> None:
    design = make_design(sample(), A)
    made = compare_fit(design, fit_ordinal(design, link=link), scale="a", min_cell=5)
    assert_same(of(f"ordinal_{link}"), standardised(made.contrasts, made.variances).set_index(WHERE))


def test_scale_scores_are_compared_by_least_squares() -> None:
    frame = respondents()
    answers = frame[list(A.items)].to_numpy(dtype=float, na_value=np.nan)
    answers[:, 1] = 6 - answers[:, 1]
    score = np.nanmean(answers, axis=1, where=~np.isnan(answers))
    cell = frame["wave"] + frame["organisation"]
    kept = (~np.isnan(answers)).sum(axis=1) >= 2
    kept &= frame["organisation"].notna().to_numpy()
    dummies = pd.get_dummies(cell[kept], dtype=float)
    fit = sm.OLS(score[kept], dummies).fit(cov_type="HC2")
    contrast = np.zeros(len(dummies.columns))
    contrast[dummies.columns.get_loc("thirdx")], contrast[dummies.columns.get_loc("secondx")] = 1, -1
    theirs = fit.t_test(contrast)
    unit = by_hand(frame).loc[("a", "change_standardised", "third - second", "x"), "std_error"]
    unit = of("main").loc[("a", "change_standardised", "third - second", "x"), "std_error"] / unit
    ours = of("scale_score").loc[("a", "change_standardised", "third - second", "x")]
    total_sd = compared(frame, A).variances.set_index("term")["estimate"]["total_sd"]
    assert ours["estimate"] * total_sd == pytest.approx(theirs.effect[0], rel=1e-9)
    assert ours["std_error"] * total_sd == pytest.approx(theirs.sd[0, 0], rel=1e-9)
    assert ours["note"] == "the mean of at least 2 of 4 answers"


def test_scores_of_waves_that_asked_different_items_are_not_compared() -> None:
    """The first wave did not ask a4; all asked the items of b."""
    found = of("scale_score").xs("third - first", level="wave")
    assert (found["status"] == Status.NOT_ESTIMABLE).all()
    assert found["note"].str.startswith("different items were asked in: third, first").all()
    assert of("scale_score", B).loc[("b", "change_standardised", "third - first", "y"), "status"] == Status.OK


def test_complete_cases_answered_all_that_their_wave_asked() -> None:
    frame = respondents()
    asked = frame[list(A.items)].assign(a4=frame["a4"].mask(frame["wave"] == "first", 1))
    whole = asked.notna().all(axis=1)
    assert 20 < (~whole).sum() < 200
    assert_same(of("complete_cases"), by_hand(frame[whole]))


def test_only_some_respondents_are_compared() -> None:
    frame = respondents()
    found = of("only: Web only")
    assert_same(found, by_hand(frame[frame["mode"] == "web"], waves=WAVES[1:]))
    lost = found.xs("third - first", level="wave")
    assert (lost["note"] == "not known in first: mode").all()
    assert lost["estimate"].isna().all()


def test_straight_liners_are_left_out() -> None:
    frame = respondents()
    answers = frame[list(ITEMS)]
    straight = (answers.min(axis=1) == answers.max(axis=1)) & (answers.notna().sum(axis=1) >= 5)
    assert straight.sum() >= 10
    assert_same(of("without_straight_liners"), by_hand(frame[~straight]))
    assert of("without_straight_liners")["note"].iloc[-1] == f"{straight.sum()} straight-liners left out"


def test_adjusting_takes_who_does_not_say_as_a_group_and_leaves_out_waves_that_do_not_know() -> None:
    frame = respondents()
    later = frame[frame["wave"] != "first"].fillna({"job": "unknown"})
    found = of("adjusted: job")
    assert_same(found, by_hand(later, waves=WAVES[1:], covariates=["job"]))
    assert (found.xs("third - first", level="wave")["note"] == "not known in first: job").all()


def test_what_the_main_analysis_adjusts_for_is_left_out_again() -> None:
    frame = respondents().fillna({"job": "unknown"})
    people = sample(frame, covariates=("job",))
    table = compare_variants(people, [A], variants(people), min_cell=5).table
    assert of("adjusted: job", table=table)["note"].iloc[-1] == "the main analysis adjusts for it"
    plain = compared(frame, A, min_cell=5).contrasts
    found = of("unadjusted", table=table)
    tested = ["df", "p_value"]  # the unit is that of the adjusted analysis
    np.testing.assert_allclose(found[tested], plain[tested], rtol=1e-9)
    assert not np.allclose(found["estimate"], of("main", table=table)["estimate"], equal_nan=True)


def test_flagged_items_are_left_out() -> None:
    assert_same(of("without_flagged_items", B), by_hand(respondents(), replace(B, items=("b1", "b3"))))


def test_population_margins_weight_the_waves_that_have_some() -> None:
    frame = respondents()
    here = frame["wave"] == "second"
    found = rake(frame.loc[here, ["job", "organisation"]], MARGINS["second"])
    assert isinstance(found, Raking)
    weights = pd.Series(1.0, index=frame.index)
    weights[here] = found.weights
    assert_same(of("raking"), by_hand(frame.assign(w=weights), weight="w"))
    note = of("raking")["note"].iloc[-1]
    assert note == f"second by job, organisation (design effect {found.design_effect:.2f})"


def test_a_wave_that_cannot_be_weighted_takes_no_part_and_the_others_do() -> None:
    margins = {"second": {"job": {"desk": 1, "sea": 1}}, "third": {"job": {"desk": 2, "field": 1, "road": 1}}}
    found = of("raking", table=compare_variants(sample(), [A], variants(margins=margins), min_cell=5).table)
    assert found.loc[("a", "gap_standardised", "third", "x - y"), "status"] == Status.OK
    lost = found.loc[("a", "gap_standardised", "second", "x - y")]
    assert lost["status"] == Status.NOT_ESTIMABLE
    assert lost["note"].startswith("no weights in second: job has no margin for: field, road")


def test_sampling_weights_are_used_or_left_out() -> None:
    frame = respondents()
    weighted = by_hand(frame, weight="weight")
    assert_same(of("sampling_weights"), weighted)
    assert not np.allclose(weighted["estimate"], of("main")["estimate"], equal_nan=True)
    people = sample(weight="weight")
    table = compare_variants(people, [A], variants(people), min_cell=5).table
    assert "sampling_weights" not in set(table["variant"])
    unweighted = by_hand(frame)
    found = of("unweighted", table=table)
    np.testing.assert_allclose(found[["df", "p_value"]], unweighted[["df", "p_value"]], rtol=1e-9)


def test_the_team_effect_is_left_out_again() -> None:
    frame = respondents().assign(team=lambda of: "t" + (of.index % 12).astype("str"))
    people = sample(frame, team="team")
    table = compare_variants(people, [A], variants(people), min_cell=5).table
    found, plain = of("without_team", table=table), by_hand(frame)
    np.testing.assert_allclose(found[["df", "p_value"]], plain[["df", "p_value"]], rtol=1e-9)


# --- statements, percentages, populations ------------------------------------------------------------------------


def test_common_items_are_those_that_both_waves_of_a_contrast_asked_in_the_same_words() -> None:
    """The first wave did not ask a4, the second asked b3 in other words."""
    frame = respondents()
    without_a4 = by_hand(frame, replace(A, items=A.items[:3]))
    found, whole = of("common_items"), of("main")
    for wave, expected in (("third - first", without_a4), ("third - second", whole), ("third", whole)):
        for key in found.index[found.index.get_level_values("wave") == wave]:
            np.testing.assert_allclose(
                found.loc[key, ESTIMATES].astype(float), expected.loc[key, ESTIMATES].astype(float), rtol=1e-9
            )
    assert (found.xs("third - first", level="wave")["note"] == "over 3 of 4 statements").all()
    without_b3 = by_hand(frame, replace(B, items=B.items[:2]))
    for name in ("common_items", "without_reworded"):
        assert_same(of(name, B).xs("third - second", level="wave", drop_level=False), without_b3)
        kept = of(name, B).xs("third - first", level="wave")
        np.testing.assert_array_equal(
            kept["estimate"], of("main", B).xs("third - first", level="wave")["estimate"]
        )
    assert (of("without_reworded")["estimate"].dropna() == of("main")["estimate"].dropna()).all()


def test_nothing_in_common_is_a_reason() -> None:
    ways = variants(reworded={"third": A.items})
    found = of("common_items", table=compare_variants(sample(), [A], ways, min_cell=5).table)
    lost = found.xs("third - second", level="wave")
    assert (lost["note"] == "no such statement in: third, second").all()
    assert (lost["status"] == Status.NOT_ESTIMABLE).all()


@pytest.mark.parametrize("name", ["main", "complete_cases", "only: Web only", "raking", "sampling_weights"])
def test_percentages_are_those_of_the_variants_own_respondents(name: str) -> None:
    """The difference of weighted percentages over statements that both cells were asked, by hand."""
    frame = respondents()
    variant = next(one for one in variants() if one.name == name)
    people, _, _ = variant.answers(variant.people(sample())[0], A)
    left = people.frame[people.frame["organisation"] == "y"]
    weight = left[people.weight] if people.weight else pd.Series(1.0, index=left.index)
    shares = []
    for wave in ("third", "second"):
        here = left[left["wave"] == wave]
        each = []
        for item in A.items:
            answer = here[item].astype("float64")
            answer = 6 - answer if KEYS[item] < 0 else answer
            on = weight[here.index][answer.notna()]
            each.append(100 * (on * (answer.dropna() >= 4)).sum() / on.sum())
        shares.append(np.mean(each))
    row = percent(name).loc[("a", "change_percent_favourable", "third - second", "y")]
    assert row["estimate"] == pytest.approx(shares[0] - shares[1], rel=1e-9)
    assert len(frame) >= row["n"] > 0


# --- nothing is silently absent ---------------------------------------------------------------------------------


def test_every_variant_has_every_contrast_and_a_reason_where_it_has_no_estimate() -> None:
    table = everything()
    contrasts = len(of("main"))
    size = table.groupby(["variant", "scale", table["analysis"] == FAVOURABLE], sort=False).size()
    assert (size == contrasts).all()
    without = {"ordinal_logit", "ordinal_probit", "scale_score"}
    assert set(table["variant"]) - set(table.loc[table["analysis"] == FAVOURABLE, "variant"]) == without
    assert list(table["variant"].unique()) == [variant.name for variant in variants()]
    lacking = table["estimate"].isna()
    assert lacking.any()
    assert (table.loc[lacking, "note"] != "").all()
    assert not table.loc[lacking, "status"].isin(["ok", "boundary"]).any()
    assert table.loc[~lacking, "status"].isin(["ok", "boundary"]).all()
    assert np.isfinite(table.loc[~lacking, ["estimate", "std_error", "conf_low", "conf_high"]]).all(axis=None)


def test_what_changes_nothing_is_the_main_analysis_to_the_last_digit_and_says_why() -> None:
    frame = respondents().assign(weight=2.0, a4=respondents()["a1"])
    frame = frame[frame[list(ITEMS)].notna().all(axis=1) & frame["organisation"].notna()]
    people = sample(frame)
    ways = variants(people, straight_lining=8, imputed=impute(people, [A, B], number=2, seed=1))
    assert "sampling_weights" not in {way.name for way in ways}
    table = compare_variants(people, [A], ways, min_cell=5).table
    main = of("main", table=table)
    for name, note in {
        "complete_cases": "everybody who answered an item answered all",
        "without_straight_liners": "nobody is a straight-liner",
        "without_flagged_items": "no item is flagged",
        "common_items": "over all statements",
        "imputed": "nothing is missing that can be imputed",
    }.items():
        found = of(name, table=table)
        pd.testing.assert_frame_equal(found[list(NUMBERS)], main[list(NUMBERS)], check_exact=True)
        assert found["note"].str.startswith(note).all()


def test_what_cannot_be_done_at_all_is_refused_with_its_reason() -> None:
    everyone = replace(A, flagged=A.items, min_answered=5)
    ways = variants(
        only={"By sea": {"sea": "yes"}, "By boat": {"mode": "boat"}}, adjust_for=("sea",), margins={}
    )
    assert "raking" not in {way.name for way in ways}
    frame = respondents().assign(sea=pd.Series([None] * len(respondents()), dtype="str"))
    table = compare_variants(sample(frame), [everyone], ways, min_cell=5).table
    for name, reason in {
        "scale_score": "nobody answered 5 items",
        "only: By sea": "not known in any wave: sea",
        "adjusted: sea": "not known in any wave: sea",
        "without_flagged_items": "every item is flagged",
    }.items():
        found = of(name, table=table)
        assert (found["status"] == Status.NOT_ESTIMABLE).all()
        assert (found["note"] == reason).all()
    assert of("only: By boat", table=table)["note"].str.contains("nobody answered|not known").all()


def test_a_main_analysis_without_a_unit_leaves_its_variants_without_estimates() -> None:
    """Everybody answers alike in all but one person's one answer, whom complete cases leave out."""
    frame = respondents().assign(**dict.fromkeys(A.items, 4))
    table = compare_variants(sample(frame), [A], variants(), min_cell=5).table
    by_model = table["analysis"] != FAVOURABLE
    assert table.loc[by_model, "estimate"].isna().all()
    assert (table["note"] != "").all()
    assert set(table.loc[~by_model, "estimate"].dropna()) == {0.0}


def test_there_must_be_a_main_analysis() -> None:
    with pytest.raises(ValueError, match="no variant is called main"):
        compare_variants(sample(), [A], variants()[1:])


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([2, 5, 12, 40]), st.floats(0, 1), st.integers(1, 3))
def test_hostile_data_give_reasons_and_never_a_number_that_is_none(
    seed: int, size: int, missing: float, waves: int
) -> None:
    rng = np.random.default_rng(seed)
    frame = respondents().sample(size, random_state=seed).reset_index(drop=True)
    frame = frame.astype({"weight": "float64"})
    gone = rng.random((size, len(ITEMS))) < missing
    frame[list(ITEMS)] = frame[list(ITEMS)].mask(gone)
    if seed % 3 == 0:
        frame["organisation"] = "y"
    people = sample(frame, waves=WAVES[:waves])
    drawn = impute(people, [A, B], number=3, seed=seed, variables=["job"])
    table = compare_variants(people, [A, B], variants(people, imputed=drawn), min_cell=2).table
    there = table["status"].isin(["ok", "boundary"])
    assert np.isfinite(table.loc[there, ["estimate", "std_error"]]).all(axis=None)
    assert (table.loc[there, "std_error"] > 0).all()
    assert table.loc[~there, "estimate"].isna().all()
    assert (table.loc[~there, "note"] != "").all()
    agreed = agreement(decided(table))
    assert (agreed["agreeing"] <= agreed["variants"]).all()


# --- agreement ------------------------------------------------------------------------------------------------


def test_families_are_the_scales_within_a_variant_and_a_contrast() -> None:
    table = decided(everything())
    some = table[(table["term"] == "change_standardised") & (table["wave"] == "third - second")]
    for _, pair in some[some["organisation"] == "y"].groupby("variant"):
        p, adjusted = pair["p_value"].sort_values(), pair["p_adjusted"].sort_values()
        assert adjusted.iloc[0] == pytest.approx(min(2 * p.iloc[0], 1))
    alone = compare_main_decisions()
    main = table[(table["variant"] == "main") & (table["analysis"] != FAVOURABLE)].set_index(WHERE)
    assert (main["decision"] == alone.loc[main.index, "decision"]).all()


def compare_main_decisions() -> pd.DataFrame:
    """The decisions of the main analysis made by itself, as `statistics/contrasts` has them."""
    made = [compared(respondents(), scale, min_cell=5) for scale in (A, B)]
    contrasts, variances = (
        pd.concat([getattr(one, name) for one in made], ignore_index=True)
        for name in ("contrasts", "variances")
    )
    both = pd.concat([contrasts, standardised(contrasts, variances)], ignore_index=True)
    return decide(both, variances, standardised=0.2, percentage_points=5).set_index(WHERE)


def made_up(decisions: dict[str, tuple[float, str]], status: str = "ok") -> pd.DataFrame:
    place = {"scale": "a", "term": "change_standardised", "wave": "third - second", "organisation": "x"}
    analysis = {name: "ordinal" if name.startswith("ordinal") else "linear" for name in decisions}
    table = tidy(
        [
            {**place, "analysis": analysis[name], "estimate": estimate, "std_error": 0.1}
            | {"status": status if decision else "not_estimable"}
            for name, (estimate, decision) in decisions.items()
        ]
    )
    said = [decision for _, decision in decisions.values()]
    return table.assign(variant=list(decisions), decision=said, smallest=0.2)


def test_agreement_counts_the_variants_that_moved_something() -> None:
    table = made_up(
        {
            "main": (0.3, "increase"),
            "ordinal_logit": (0.36, "inconclusive"),
            "ordinal_probit": (0.35, "inconclusive"),
            "complete_cases": (0.285, "increase"),
            "adjusted: job": (0.01, "no_meaningful_change"),
            "without_flagged_items": (0.309, "increase"),  # less than a twentieth of the smallest effect
            "common_items": (0.27, "increase"),
            "without_reworded": (0.27, "increase"),  # the same over again
            "unadjusted": (0.3, "increase"),  # with another error, see below
            "raking": (math.nan, ""),
        }
    )
    table.loc[table["variant"] == "unadjusted", "std_error"] = 0.0975
    found = agreement(table, {"job": "Kind of job"}).iloc[0]
    assert (found["analysis"], found["term"], found["decision"]) == ("linear", "change", "increase")
    assert (found["agreeing"], found["variants"]) == (3, 6)
    assert (found["largest_move"], found["largest_variant"]) == (-0.29, "adjusted: job")
    assert found["words"] == (
        "3 of 6 variants: increase; Ordinal model (logit) and Ordinal model (probit): inconclusive; "
        "Adjusted for kind of job: no meaningful change; "
        "largest move \N{MINUS SIGN}0.29 SD (Adjusted for kind of job)"
    )


def test_the_largest_move_is_of_all_variants_and_never_of_nothing() -> None:
    table = made_up(
        {"main": (0.3, "increase"), "unadjusted": (0.302, "increase"), "complete_cases": (0.293, "increase")}
    )
    table.loc[table["variant"] == "unadjusted", "std_error"] = 0.08  # it alone counts; the other moved more
    found = agreement(table).iloc[0]
    assert (found["variants"], found["largest_move"]) == (1, -0.01)
    assert found["largest_variant"] == "complete_cases"
    still = agreement(table[table["variant"] != "complete_cases"]).iloc[0]
    assert (still["variants"], still["largest_move"], still["largest_variant"]) == (1, 0.0, "")
    assert still["words"] == "1 of 1 variants: increase; no estimate moves by 0.01 SD"


def test_agreement_says_where_there_is_nothing_to_agree_with() -> None:
    alone = agreement(made_up({"main": (0.3, "increase"), "raking": (math.nan, "")})).iloc[0]
    assert (alone["variants"], alone["words"]) == (0, "no other variant gives another answer")
    assert (alone["largest_variant"], math.isnan(alone["largest_move"])) == ("", True)
    without = agreement(made_up({"main": (math.nan, ""), "raking": (0.2, "increase")})).iloc[0]
    assert (without["decision"], without["agreeing"]) == ("", 0)
    assert without["words"] == "no estimate by the main analysis; Weighted to population margins: increase"
    neither = agreement(made_up({"main": (math.nan, ""), "raking": (math.nan, "")})).iloc[0]
    assert neither["words"] == "no estimate"


def test_agreement_has_every_contrast_of_every_scale_once_in_each_metric() -> None:
    agreed = agreement(decided(everything()))
    assert not agreed.duplicated(["analysis", *WHERE]).any()
    assert len(agreed) == 2 * 2 * len(of("main"))
    assert set(agreed["analysis"]) == {"linear", "favourable"}
    assert set(agreed["decision"]) <= {"", "increase", "decrease", "no_meaningful_change", "inconclusive"}


def test_every_variant_has_a_title_for_people() -> None:
    ways_of = sample(team="team", covariates=("job",)), sample(weight="weight")
    every = {way for people in ways_of for way in variants(people, populations=dict.fromkeys(WAVES, 1000))}
    for variant in every:
        title = variant_title(variant.name)
        assert "_" not in title and title[0].isupper()
    assert variant_title("only: Web only") == "Web only"


def test_a_study_without_scales_has_empty_tables() -> None:
    table = decided(compare_variants(sample(), [], variants()).table)
    assert len(table) == len(agreement(table)) == 0
    assert list(table.columns) == list(decided(everything()).columns)
    assert list(agreement(table).columns) == list(agreement(decided(everything())).columns)


# --- who is in a variant --------------------------------------------------------------------------------------


@cache
def apart() -> pd.DataFrame:
    """By whom variants differ, over all statements of A."""
    drawn = impute(sample(), [A, B], number=2, seed=1, variables=["job"])
    judged = judge_variants(
        sample(), [A, B], variants(imputed=drawn), flagged={}, standardised=0.2, percentage_points=5
    )
    return judged.variant_people.query("scale == 'a'")


def by_cell(marks: pd.Series) -> dict[tuple[str, str], int]:
    """How many are marked in each wave and organisation, where any are."""
    frame = respondents()[marks.to_numpy(dtype=bool)].dropna(subset=["organisation"])
    return {(str(wave), str(who)): len(own) for (wave, who), own in frame.groupby(["wave", "organisation"])}


def counted(variant: str, other: str = "") -> dict[tuple[str, str], int]:
    own = apart()[apart()["variant"].eq(variant) & apart()["other"].eq(other)]
    return {(wave, who): n for wave, who, n in zip(own["wave"], own["organisation"], own["n"], strict=True)}


def test_variants_are_counted_by_whom_they_differ() -> None:
    frame = respondents()
    answers = frame[list(A.items)]
    there = answers.notna().any(axis=1)
    later = frame["wave"] != "first"
    lacking = there & answers.assign(a4=answers["a4"].mask(~later, 1)).isna().any(axis=1)
    paper = there & later & (frame["mode"] != "web")
    assert counted("main") == by_cell(there)
    assert counted("complete_cases", "main") == by_cell(lacking)
    assert counted("only: Web only", "main") == by_cell(paper)
    assert counted("only: Web only") == by_cell(there & later & ~paper)
    # one uses what the other does not
    assert counted("only: Web only", "complete_cases") == by_cell(later & (lacking ^ paper))


def test_variants_of_the_same_people_and_answers_differ_by_nobody() -> None:
    for name in ("ordinal_logit", "raking", "sampling_weights", "adjusted: job", "without_reworded"):
        assert counted(name, "main") == {}
    # the first wave did not ask a4: in contrasts with it nobody's answer to that is used
    common = counted("common_items", "main")
    assert common == by_cell(respondents()["a4"].notna())


def test_who_is_added_by_imputing_an_organisation_may_be_in_any() -> None:
    frame = respondents()
    unstated = frame["organisation"].isna() & frame[list(ITEMS)].notna().any(axis=1)
    added = frame[unstated].groupby("wave").size()
    found = counted("imputed", "main")
    for (wave, _), n in found.items():
        assert n >= added[wave] > 0
