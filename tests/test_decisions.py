"""From contrasts to decisions: against emmeans and statsmodels; what the rule promises, on anything; items alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import false_discovery_control, t
from statsmodels.miscmodels.ordinal_model import OrderedModel
from statsmodels.stats.weightstats import ttost_ind

from sampled import adjust, compare, compare_ordinal
from surveywaves.mixed.compare import judge_items
from surveywaves.mixed.contrasts import adjusted, standardised
from surveywaves.mixed.decisions import decide, note_scale_use
from surveywaves.sample import Sample, Scale
from surveywaves.terms import LOW_RELIABILITY_MARK, Decision
from surveywaves.tidy import COLUMNS, DECIDED, tidy
from test_mixed_linear import options, respondents, simulated

ANSWERS = pd.read_csv(Path(__file__).parent / "oracle" / "decisions" / "answers.csv")
METHODS = {"none": "none", "holm": "holm", "BH": "fdr_bh"}
"""R's name of a method -> ours."""

R_TOLERANCE = 1e-9
"""Relative: R wrote estimates and standard errors to 15 figures."""


def contrasts(rows: list[dict[str, Any]]) -> pd.DataFrame:
    common = {"analysis": "linear", "wave": "b - a", "organisation": "x", "term": "change", "df": math.inf}
    return tidy(common | row for row in rows)


def units(frame: pd.DataFrame, total_sd: float | np.ndarray = 1.0) -> pd.DataFrame:
    fits = frame[["analysis", "scale", "item"]].drop_duplicates()
    return tidy(
        {**dict(fit), "term": "total_sd", "estimate": sd}
        for fit, sd in zip(fits.to_dict("records"), np.broadcast_to(total_sd, len(fits)), strict=True)
    )


def decided(frame: pd.DataFrame, total_sd: float | np.ndarray = 1.0, **changed: Any) -> pd.DataFrame:
    usual: dict[str, Any] = {"standardised": 0.2, "percentage_points": 5.0}
    return decide(frame, units(frame, total_sd), **usual | changed)


# --- against others -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "delta"), list(ANSWERS.groupby(["set", "delta"]).groups))
@pytest.mark.parametrize("method", METHODS)
def test_equivalence_and_adjustment_match_emmeans(name: str, delta: float, method: str) -> None:
    expected = ANSWERS[(ANSWERS["set"] == name) & (ANSWERS["delta"] == delta) & (ANSWERS["method"] == method)]
    plain = ANSWERS[(ANSWERS["set"] == name) & (ANSWERS["delta"] == delta) & (ANSWERS["method"] == "none")]
    ours = decided(
        contrasts(
            [
                {"scale": one.contrast, "p_value": one.differs}
                | {key: getattr(one, key) for key in ("estimate", "std_error", "df")}
                for one in plain.itertuples()
            ]
        ),
        delta / 0.2,
        multiplicity=METHODS[method],
    )
    suffix = "" if method == "none" else "_adjusted"
    equivalent = ours[f"p_equivalence{suffix}"]
    np.testing.assert_allclose(equivalent, expected["equivalent"], rtol=R_TOLERANCE, atol=1e-14)
    differs = ours["p_value" if method == "none" else "p_adjusted"]
    np.testing.assert_allclose(differs, expected["differs"], rtol=R_TOLERANCE, atol=1e-14)


def test_the_r_answers_hold_both_outcomes_in_every_set() -> None:
    holm = ANSWERS[ANSWERS["method"] == "holm"]
    for _, rows in holm.groupby("set"):
        assert (rows["equivalent"] < 0.05).any() and (rows["equivalent"] > 0.05).any()


@pytest.mark.parametrize("bound", [0.05, 0.3, 0.9])
def test_equivalence_of_two_means_matches_statsmodels(bound: float) -> None:
    rng = np.random.default_rng(3)
    first, second = rng.normal(3.1, 1, 40), rng.normal(3, 1.2, 55)
    p_value, *_ = ttost_ind(first, second, -bound, bound)
    df = len(first) + len(second) - 2
    pooled = (first.var(ddof=1) * (len(first) - 1) + second.var(ddof=1) * (len(second) - 1)) / df
    error = math.sqrt(pooled * (1 / len(first) + 1 / len(second)))
    row = {
        "scale": "s",
        "estimate": first.mean() - second.mean(),
        "std_error": error,
        "df": df,
        "p_value": 0.5,
    }
    ours = decided(contrasts([row]), standardised=bound)
    assert ours["p_equivalence"].iloc[0] == pytest.approx(p_value, rel=1e-12)


def holm(p_values: np.ndarray) -> np.ndarray:
    """By definition: of all tests that are no less significant, the largest p times the number not yet rejected."""
    order = np.sort(p_values)
    steps = np.minimum(order * np.arange(len(order), 0, -1), 1)
    return np.array([steps[order <= p].max() for p in p_values])


@pytest.mark.parametrize(("method", "theirs"), [("holm", holm), ("fdr_bh", false_discovery_control)])
def test_p_values_are_adjusted_as_the_method_is_defined(
    method: str, theirs: Callable[[np.ndarray], np.ndarray]
) -> None:
    rng = np.random.default_rng(2)
    families = [rng.uniform(0, 1, size) ** power for size in (1, 2, 12, 62) for power in (1, 6)]
    families += [np.array([0.01, 0.01, 0.03, 0.03]), np.array([0.0, 1.0, 0.5]), np.ones(5)]
    for p_values in families:
        np.testing.assert_allclose(adjusted(p_values, method), theirs(p_values), rtol=1e-14)


def test_an_unknown_adjustment_is_refused() -> None:
    with pytest.raises(ValueError, match="not a method of adjustment: bonferoni"):
        adjusted(np.array([0.1]), "bonferoni")


# --- the rule -------------------------------------------------------------------------------------------------

NUMBER = st.floats(-3, 3, allow_subnormal=False)
ROW = st.fixed_dictionaries(
    {
        "estimate": NUMBER,
        "std_error": st.floats(0.001, 2),
        "df": st.one_of(st.floats(1, 500), st.just(math.inf)),
        "term": st.sampled_from(["change", "change_standardised", "change_percent_favourable"]),
    }
)
FRAMES = st.lists(ROW, min_size=1, max_size=12)
CHOICES = {
    "standardised": st.floats(0.01, 2),
    "multiplicity": st.sampled_from(["holm", "fdr_bh", "none"]),
    "confidence": st.sampled_from([0.8, 0.95, 0.99]),
}


def from_t_tests(rows: list[dict[str, float]]) -> pd.DataFrame:
    """Contrasts whose p-values are what the t test of their estimates gives."""
    return contrasts(
        [
            {
                "scale": f"s{place}",
                "p_value": 2 * float(t.sf(abs(row["estimate"]) / row["std_error"], row["df"])),
            }
            | row
            for place, row in enumerate(rows)
        ]
    )


@settings(max_examples=50, deadline=None)
@given(FRAMES, st.fixed_dictionaries(CHOICES))
def test_every_estimate_gets_one_decision_and_none_against_its_sign(
    rows: list[dict[str, float]], choices: dict[str, Any]
) -> None:
    frame = decided(from_t_tests(rows), 1.3, **choices)
    assert set(frame["decision"]) <= {str(decision) for decision in Decision}
    assert (frame.loc[frame["decision"] == Decision.INCREASE, "estimate"] > 0).all()
    assert (frame.loc[frame["decision"] == Decision.DECREASE, "estimate"] < 0).all()
    small = frame[frame["decision"] == Decision.NO_MEANINGFUL_CHANGE]
    assert (small["estimate"].abs() < small["smallest"]).all()
    assert (frame["p_equivalence_adjusted"].fillna(1) >= frame["p_equivalence"]).all()


@settings(max_examples=50, deadline=None)
@given(FRAMES, st.fixed_dictionaries(CHOICES), st.floats(1, 20))
def test_a_larger_smallest_effect_turns_nothing_into_a_move(
    rows: list[dict[str, float]], choices: dict[str, Any], wider: float
) -> None:
    frame = from_t_tests(rows)
    narrow = decided(frame, **choices)["decision"]
    wide = decided(
        frame, **choices | {"standardised": wider * choices["standardised"]}, percentage_points=5 * wider
    )["decision"]
    same, stayed = narrow == wide, wide == Decision.NO_MEANINGFUL_CHANGE
    assert (same | stayed).all()


@settings(max_examples=50, deadline=None)
@given(FRAMES, st.fixed_dictionaries(CHOICES))
def test_mirrored_contrasts_get_mirrored_decisions(
    rows: list[dict[str, float]], choices: dict[str, Any]
) -> None:
    mirror = {"increase": "decrease", "decrease": "increase"}
    there = decided(from_t_tests(rows), **choices)
    back = decided(from_t_tests([row | {"estimate": -row["estimate"]} for row in rows]), **choices)
    assert there["decision"].replace(mirror).tolist() == back["decision"].tolist()


@settings(max_examples=50, deadline=None)
@given(FRAMES, st.floats(0.01, 100))
def test_units_do_not_matter(rows: list[dict[str, float]], unit: float) -> None:
    rows = [row | {"term": "change"} for row in rows]
    scaled = [
        row | {"estimate": row["estimate"] * unit, "std_error": row["std_error"] * unit} for row in rows
    ]
    one, other = decided(from_t_tests(rows), 1.0), decided(from_t_tests(scaled), unit)
    np.testing.assert_allclose(one["p_equivalence"], other["p_equivalence"], rtol=1e-6, atol=1e-300)


@pytest.mark.parametrize(
    ("estimate", "error", "decision"),
    [
        (0.5, 0.1, "increase"),
        (-0.5, 0.1, "decrease"),
        (0.01, 0.05, "no_meaningful_change"),
        (0.08, 0.02, "no_meaningful_change"),  # surely not 0, and surely small
        (0.19, 0.02, "increase"),  # surely not 0; whether it is small cannot be told
        (0.05, 0.2, "inconclusive"),
    ],
)
def test_the_four_outcomes(estimate: float, error: float, decision: str) -> None:
    frame = decided(
        from_t_tests([{"estimate": estimate, "std_error": error, "df": math.inf, "term": "change"}])
    )
    assert frame["decision"].tolist() == [decision]


def test_a_decision_of_no_change_is_the_interval_of_twice_alpha_within_the_smallest_effect() -> None:
    rng = np.random.default_rng(5)
    rows = [
        {"estimate": e, "std_error": s, "df": 30.0, "term": "change"}
        for e, s in zip(rng.normal(0, 0.15, 500), rng.uniform(0.02, 0.2, 500), strict=True)
    ]
    frame = decided(from_t_tests(rows), multiplicity="none")
    margin = 1.6972608865939574 * frame["std_error"]  # qt(.95, 30)
    inside = (frame["estimate"] - margin > -0.2) & (frame["estimate"] + margin < 0.2)
    assert inside.any() and not inside.all()
    assert ((frame["decision"] == Decision.NO_MEANINGFUL_CHANGE) == inside).all()


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("truth", "wrong"), [(0.0, {"increase", "decrease"}), (0.2, {"no_meaningful_change"})]
)
def test_in_families_at_the_edge_of_a_claim_few_hold_a_false_one(truth: float, wrong: set[str]) -> None:
    rng, families = np.random.default_rng(8), 2000
    rows = [
        {"estimate": rng.normal(truth, error), "std_error": error, "df": math.inf, "term": "change"}
        for error in rng.uniform(0.03, 0.12, 12 * families)
    ]
    frame = from_t_tests(rows).assign(wave=[f"w{place // 12}" for place in range(12 * families)])
    of_family = decided(frame)["decision"].isin(wrong).groupby(frame["wave"]).any()
    assert of_family.mean() < 0.05 + 3 * math.sqrt(0.05 * 0.95 / families)


# --- tables ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def compared() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Contrasts and variances of three scales by both models."""
    found = []
    for seed in (1, 2, 3):
        frame = simulated(160, seed=seed)
        found.append(compare(frame, scale=f"s{seed}", **options(frame)))
        found.append(compare_ordinal(frame, scale=f"s{seed}", favourable=[4, 5], **options(frame)))
    plain = pd.concat([one.contrasts for one in found], ignore_index=True)
    variances = pd.concat([one.variances for one in found], ignore_index=True)
    return pd.concat([plain, standardised(plain, variances)], ignore_index=True), variances


def test_columns_are_the_tidy_ones_and_then_the_decision(compared) -> None:
    frame = decide(*compared, standardised=0.2, percentage_points=5)
    assert tuple(frame.columns) == (*COLUMNS, *DECIDED)
    pd.testing.assert_frame_equal(
        frame[list(COLUMNS)].drop(columns="p_adjusted"), compared[0].drop(columns="p_adjusted")
    )


def test_the_smallest_effect_is_in_the_unit_of_the_row(compared) -> None:
    contrasts, variances = compared
    frame = decide(contrasts, variances, standardised=0.2, percentage_points=7)
    sd = variances[variances["term"] == "total_sd"].set_index(["analysis", "scale"])["estimate"]
    for row in frame.itertuples():
        if row.term.endswith("percent_favourable"):
            assert row.smallest == 7
        elif row.term.endswith("_standardised"):
            assert row.smallest == 0.2
        else:
            assert row.smallest == pytest.approx(0.2 * sd[row.analysis, row.scale])


def test_standardised_rows_share_the_decision_and_do_not_enlarge_the_family(compared) -> None:
    contrasts, variances = compared
    alone = contrasts[~contrasts["term"].str.endswith("_standardised")]
    choices = {"standardised": 0.2, "percentage_points": 5.0}
    both, without = decide(contrasts, variances, **choices), decide(alone, variances, **choices)
    numbers = ["p_adjusted", "p_equivalence_adjusted", "decision"]
    pd.testing.assert_frame_equal(
        both.loc[alone.index, numbers].reset_index(drop=True), without[numbers].reset_index(drop=True)
    )
    key = ["analysis", "scale", "wave", "organisation"]
    own = both[both["term"] == "change"].set_index(key)
    standard = both[both["term"] == "change_standardised"].set_index(key)
    np.testing.assert_allclose(own["p_equivalence"], standard.loc[own.index, "p_equivalence"], rtol=1e-9)
    assert own["decision"].equals(standard.loc[own.index, "decision"])


@pytest.mark.parametrize("method", ["holm", "fdr_bh", "none"])
def test_differences_are_adjusted_as_contrasts_adjusts_them(compared, method: str) -> None:
    contrasts, variances = compared
    changes = contrasts[contrasts["term"] == "change"]
    ours = decide(changes, variances, standardised=0.2, percentage_points=5, multiplicity=method)
    theirs = adjust(changes, method)
    np.testing.assert_allclose(ours["p_adjusted"], theirs["p_adjusted"], rtol=1e-12)


def test_what_was_not_estimated_has_no_decision_and_is_no_test() -> None:
    frame = simulated(160)
    found = compare(
        frame.drop(index=frame.query("wave == 'first' and organisation == 'y'").index[1:]),
        scale="s",
        **options(frame),
    )
    rows = decide(found.contrasts, found.variances, standardised=0.2, percentage_points=5)
    empty = rows["estimate"].isna()
    assert empty.any() and not empty.all()
    assert (rows.loc[empty, "decision"] == "").all() and (rows.loc[~empty, "decision"] != "").all()
    assert rows.loc[empty, ["smallest", "p_equivalence", "p_equivalence_adjusted"]].isna().all(axis=None)


def test_a_failed_fit_needs_no_unit() -> None:
    frame = respondents(np.full((20, 3), 4.0))
    found = compare(frame, scale="s", **options(frame))
    rows = decide(found.contrasts, found.variances, standardised=0.2, percentage_points=5)
    assert len(rows) and (rows["decision"] == "").all()


def test_no_contrasts_make_no_decisions() -> None:
    rows = decide(tidy([]), tidy([]), standardised=0.2, percentage_points=5)
    assert tuple(rows.columns) == (*COLUMNS, *DECIDED) and rows.empty


def test_an_estimate_without_its_unit_is_refused() -> None:
    frame = contrasts([{"scale": "s", "estimate": 0.1, "std_error": 0.1, "p_value": 0.3}])
    with pytest.raises(ValueError, match=r"no total_sd in variances of: .*'scale': 's'"):
        decide(frame, tidy([]), standardised=0.2, percentage_points=5)


@pytest.mark.parametrize("wrong", [{"standardised": 0.0}, {"percentage_points": -1.0}, {"confidence": 1.0}])
def test_choices_that_make_no_test_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"smallest effect|coverage"):
        decided(contrasts([{"scale": "s"}]), **wrong)


def test_estimates_of_a_scale_that_is_none_say_so_and_others_do_not() -> None:
    frame = contrasts(
        [
            {"scale": "weak", "estimate": 0.1},
            {"scale": "weak", "estimate": 0.1, "note": "boundary"},
            {"scale": "weak", "note": "nobody answered: a, x"},
            {"scale": "sound", "estimate": 0.1},
        ]
    )
    use = pd.DataFrame(
        {"scale": ["weak", "sound"], "use": ["low_reliability", "scale"], "reason": ["too low", "fine"]}
    )
    assert note_scale_use(frame, use)["note"].tolist() == [
        f"{LOW_RELIABILITY_MARK}: too low",
        f"boundary; {LOW_RELIABILITY_MARK}: too low",
        "nobody answered: a, x",
        "",
    ]
    assert note_scale_use(frame.iloc[:0], use).empty


def test_where_every_scale_holds_together_no_estimate_says_anything() -> None:
    frame = contrasts([{"scale": "sound", "estimate": 0.1}, {"scale": "sound", "note": "boundary"}])
    use = pd.DataFrame({"scale": ["sound"], "use": ["scale"], "reason": ["fine"]})
    assert note_scale_use(frame, use)["note"].tolist() == ["", "boundary"]


# --- items ----------------------------------------------------------------------------------------------------


def items_of(frame: pd.DataFrame, *, keyed: int = 1) -> list[Scale]:
    names = [name for name in frame.columns if name.startswith("i")]
    return [Scale("s", (name,), {name: keyed}, (1, 5), favourable=(4, 5)) for name in names]


EFFECTS: dict[str, float] = {"standardised_effect": 0.2, "percentage_points": 5}


def of_items(frame: pd.DataFrame, *, keyed: int = 1, **changed: Any) -> pd.DataFrame:
    sample = replace(Sample(frame, ("first", "second"), ("x", "y")), **changed)
    return judge_items(sample, items_of(frame, keyed=keyed), **EFFECTS)[0]


def test_an_items_log_odds_ratio_matches_statsmodels() -> None:
    frame = simulated(240, missing=0)
    cells = pd.get_dummies(frame["wave"] + frame["organisation"], dtype=float).drop(columns="firstx")
    ours = of_items(frame).set_index(["item", "term", "wave", "organisation"])
    fit = OrderedModel(frame["i3"].astype(int), cells, distr="logit").fit(
        method="bfgs", disp=False, gtol=1e-7, maxiter=500
    )
    row = ours.loc["i3", "change", "second - first", "x"]
    assert row["estimate"] == pytest.approx(fit.params["secondx"], abs=1e-5)
    assert row["std_error"] == pytest.approx(fit.bse["secondx"], rel=1e-4)


def test_every_item_has_its_log_odds_and_its_percentage() -> None:
    frame = of_items(simulated(160))
    assert set(frame["item"]) == {"i0", "i1", "i2", "i3"}
    assert set(frame["analysis"]) == {"ordinal", "favourable"} and set(frame["scale"]) == {"s"}
    assert set(frame["term"]) == {
        f"{term}{unit}"
        for term in ("change", "gap", "difference_in_differences")
        for unit in ("", "_percent_favourable")
    }
    assert (frame.loc[frame["estimate"].notna(), "note"] == "").all()


def test_an_item_that_nothing_can_be_compared_on_has_no_rows() -> None:
    frame = simulated(160)
    first, x = frame["wave"] == "first", frame["organisation"] == "x"
    frame.loc[~(first & x), "i0"] = pd.NA  # one cell
    frame.loc[first, "i1"] = pd.NA  # one wave, two organisations
    frame.loc[first == x, "i2"] = pd.NA  # two cells that have nothing in common
    frame["i3"] = pd.array([pd.NA] * len(frame), dtype="Int8")
    found = of_items(frame)
    assert set(found["item"]) == {"i1"}
    assert set(found.loc[found["estimate"].notna(), "term"]) == {"gap", "gap_percent_favourable"}


def test_answers_on_another_response_scale_stay_out() -> None:
    frame = simulated(160)
    rescaled = frame.assign(i0_rescaled=frame["i0"].where(frame["wave"] == "first"))
    rescaled.loc[frame["wave"] == "first", "i0"] = pd.NA
    found = of_items(rescaled.drop(columns=["i2", "i3", "i0_rescaled"]))
    assert set(found["item"]) == {"i0", "i1"}
    change = found[(found["item"] == "i0") & (found["term"] == "change")]
    assert change.empty


def test_items_without_any_to_compare_make_an_empty_table() -> None:
    frame = simulated(40).assign(wave="first", organisation="x")
    found = of_items(frame, waves=("first",), organisations=("x",))
    assert tuple(found.columns)[: len(COLUMNS)] == COLUMNS and found.empty


def test_weights_and_reverse_keying_reach_the_items() -> None:
    frame = simulated(160).assign(weight=np.tile([1.0, 2.0, 3.0, 1.0, 2.0], 32))
    plain, weighted = of_items(frame), of_items(frame, weight="weight")
    assert not np.allclose(plain["estimate"], weighted["estimate"])
    mirrored = of_items(frame, keyed=-1)
    latent = plain["term"] == "change"
    np.testing.assert_allclose(plain.loc[latent, "estimate"], -mirrored.loc[latent, "estimate"], rtol=1e-6)


def test_items_are_one_family_within_a_contrast() -> None:
    frame = simulated(160)
    *items, last = items_of(frame)
    rows, _ = judge_items(
        Sample(frame, ("first", "second"), ("x", "y")), [*items, replace(last, name="")], **EFFECTS
    )
    for _, family in rows.groupby(["term", "wave", "organisation"]):
        assert len(family) == 4
        np.testing.assert_allclose(family["p_adjusted"], false_discovery_control(family["p_value"]))
    logistic = math.pi / math.sqrt(3)
    assert rows.loc[rows["term"] == "gap", "smallest"].tolist() == pytest.approx([0.2 * logistic] * 8)
