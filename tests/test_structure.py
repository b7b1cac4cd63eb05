"""Structure and measurement invariance, against lavaan; and what hostile answers get."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from surveywaves.invariance.structure import structure
from surveywaves.sample import Sample, Scale
from surveywaves.terms import ALL, Status

ORACLE = Path(__file__).parent / "oracle" / "structure"
EXPECTED = pd.read_csv(ORACLE / "expected.csv", keep_default_na=False, na_values={"std_error": "", "df": ""})
TRAITS = ("agreeableness", "conscientiousness", "extraversion", "neuroticism", "openness")
REVERSED = ("A1", "C4", "C5", "E1", "E2", "O2", "O5")

FIT, LOADING = 1e-4, 1e-5
"""Relative on chi-square, absolute on the rest: lavaan's own search stops at steps of that size."""


@cache
def found(data: str, by: str) -> pd.DataFrame:
    """Estimate everything, with the groups of `by` as organisations of one wave."""
    frame = pd.read_csv(ORACLE / f"{data}.csv")
    group = frame[by].map("{:.0f}".format, na_action="ignore").astype("string")
    frame = frame.assign(wave="w1", organisation=group)
    organisations = tuple(sorted(group.dropna().unique()))
    if data == "bfi":
        traits = [scale(trait, [f"{trait[0].upper()}{at}" for at in range(1, 6)], 6) for trait in TRAITS]
        return structure(Sample(frame, ("w1",), organisations), traits)
    merged = [
        structure(
            Sample(frame.assign(**frame.filter(like="S").clip(upper=most)), ("w1",), organisations),
            [scale(name, [f"S{at}" for at in range(1, 5)], most)],
        )
        for name, most in (("simulated", 4), ("three", 3), ("two", 2))
    ]
    return pd.concat(merged, ignore_index=True)


def scale(name: str, items: list[str], points: int) -> Scale:
    return Scale(name, tuple(items), {item: -1 if item in REVERSED else 1 for item in items}, (1, points))


# --- against lavaan -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("data", "by"), [("bfi", "gender"), ("bfi", "education"), ("simulated", "group")])
def test_every_estimate_is_lavaans(data: str, by: str) -> None:
    ours = found(data, by).set_index(["scale", "item", "wave", "term"])
    theirs = EXPECTED[(EXPECTED["data"] == data) & EXPECTED["group"].isin([by, ""])]
    assert len(theirs) > 10
    for row in theirs.itertuples():
        own = ours.loc[row.scale, row.item, "" if row.group else ALL, row.term]
        assert own["status"] == Status.OK, row
        close = {"rel": FIT} if "chisq" in row.term else {"abs": LOADING, "rel": 0}
        assert own["estimate"] == pytest.approx(row.estimate, **close), row
        if not np.isnan(row.std_error):
            assert own["std_error"] == pytest.approx(row.std_error, abs=LOADING), row
        if not np.isnan(row.df):
            assert own["df"] == row.df


def test_what_two_and_three_responses_cannot_show() -> None:
    """With three, equal thresholds restrict nothing; with two, no step before the scalar one is identified."""
    table = found("simulated", "group").set_index(["scale", "wave", "item", "term"])
    three = table.loc["three", "", "", "thresholds_chisq_difference"]
    assert three["status"] == Status.NOT_ESTIMABLE and "restricts nothing" in three["note"]
    for step in ("thresholds", "metric"):
        assert table.loc["two", "", "", f"{step}_chisq"]["status"] == Status.NOT_ESTIMABLE
    assert table.loc["two", "", "", "scalar_chisq_difference"]["note"] == "to the configural model"


def test_a_step_that_costs_too_much_is_said() -> None:
    """The fourth statement is harder in the third group."""
    table = found("simulated", "group")
    change = table[(table["scale"] == "simulated") & (table["term"] == "scalar_cfi_change")].iloc[0]
    assert change["estimate"] < -0.010 and change["note"] == "falls by more than 0.010"


# --- hostile answers ----------------------------------------------------------------------------------------------


def drawn(n: int = 600, loadings: tuple[float, ...] = (0.8, 0.7, 0.6, 0.5), seed: int = 1) -> pd.DataFrame:
    """Two scales, a and b, of five responses, whose factors correlate by .5; two waves, two organisations."""
    random = np.random.default_rng(seed)
    first = random.normal(size=n)
    second = 0.5 * first + np.sqrt(0.75) * random.normal(size=n)
    answers = {
        f"{name}{at}": np.searchsorted(
            [-1.2, -0.4, 0.4, 1.2], loading * of + np.sqrt(1 - loading**2) * random.normal(size=n)
        )
        + 1.0
        for name, of in (("a", first), ("b", second))
        for at, loading in enumerate(loadings, 1)
    }
    group = np.arange(n) % 4
    return pd.DataFrame(answers).assign(
        wave=pd.array(np.where(group < 2, "w1", "w2"), dtype="string"),
        organisation=pd.array(np.where(group % 2, "east", "west"), dtype="string"),
    )


def fitted(frame: pd.DataFrame, items: int = 4, **options: int) -> pd.DataFrame:
    scales = [scale(name, [f"{name}{at}" for at in range(1, items + 1)], 5) for name in "ab"]
    sample = Sample(frame, tuple(frame["wave"].unique()), tuple(frame["organisation"].dropna().unique()))
    return structure(sample, scales, **options)


def row(
    table: pd.DataFrame, term: str, *, item: str = "", wave: str = ALL, organisation: str = ALL
) -> pd.Series:
    place = {"scale": "a", "item": item, "wave": wave, "organisation": organisation, "term": term}
    return table[(table[list(place)] == pd.Series(place)).all(axis=1)].iloc[0]


def test_the_truth_lies_within_three_standard_errors() -> None:
    table = fitted(drawn(2000))
    for at, loading in enumerate((0.8, 0.7, 0.6, 0.5), 1):
        own = row(table, "loading", item=f"a{at}")
        assert abs(own["estimate"] - loading) < 3 * own["std_error"]
    phi = row(table, "factor_correlation: b")
    assert abs(phi["estimate"] - 0.5) < 3 * phi["std_error"] and phi["note"] == ""
    assert row(table, "chisq")["p_value"] > 0.05
    assert not table["note"].str.contains("falls").any()
    assert table["status"].eq(Status.OK).all()


def test_neither_order_nor_repetition_changes_an_estimate() -> None:
    frame = drawn()
    twice = pd.concat([frame, frame], ignore_index=True).sample(frac=1, random_state=3)
    one, two = (row(fitted(data), "loading", item="a2") for data in (frame, twice))
    assert two["estimate"] == pytest.approx(one["estimate"], abs=1e-9)
    assert two["std_error"] == pytest.approx(one["std_error"] / np.sqrt(2), rel=2e-3)
    shuffled = frame.sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(fitted(frame), fitted(shuffled[frame.columns]), rtol=1e-9)


def test_only_the_order_of_answers_counts() -> None:
    """A scale whose statements differ in their responses comes stretched to one range, with gaps."""
    frame = drawn()
    stretched = structure(
        Sample(frame.assign(**3 * frame.filter(regex="^a") - 2), ("w1", "w2"), ("west", "east")),
        [scale("a", [f"a{at}" for at in range(1, 5)], 13)],
    )
    plain = fitted(frame)
    plain = plain[(plain["scale"] == "a") & ~plain["term"].str.startswith("factor")].reset_index(drop=True)
    pd.testing.assert_frame_equal(stretched, plain)


def test_the_same_statement_twice_goes_to_the_end() -> None:
    own = row(fitted(drawn().assign(a2=lambda of: of["a1"])), "chisq")
    assert own["status"] == Status.NOT_ESTIMABLE
    assert own["note"] == "a polychoric correlation goes to its end: a1 and a2"


def test_a_heywood_case_has_no_estimate() -> None:
    """Two statements that share much beside the factor pull one of them over the top."""
    frame = drawn(loadings=(0.9, 0.25, 0.25, 0.2))
    frame["a2"] = frame["a1"].where(np.arange(len(frame)) % 8 > 0, frame["a2"])
    table = fitted(frame)
    assert row(table, "chisq")["status"] == Status.NOT_ESTIMABLE
    assert row(table, "chisq")["note"].startswith("Heywood case, the factor would explain all of")
    assert table[(table["scale"] == "a") & (table["term"] == "loading")].empty


def test_a_statement_turned_the_wrong_way_is_named() -> None:
    own = row(fitted(drawn().assign(a3=lambda of: 6 - of["a3"])), "loading", item="a3")
    assert own["estimate"] < 0 and own["note"] == "runs against the factor, check its key"


def test_one_answer_only_leaves_a_statement_out() -> None:
    own = row(fitted(drawn().assign(a4=3.0)), "loading", item="a4")
    assert own["status"] == Status.NOT_ESTIMABLE and own["note"] == "left without a second answer: a4"
    none = row(fitted(drawn().assign(a3=3.0, a4=3.0)), "chisq")
    assert none["status"] == Status.NOT_ESTIMABLE and "fewer than three statements" in none["note"]


def test_two_statements_are_no_factor_but_correlate_with_the_next() -> None:
    table = fitted(drawn(), items=2)
    assert row(table, "chisq")["status"] == Status.NOT_ESTIMABLE
    assert row(table, "factor_correlation: b")["status"] == Status.OK


def test_three_statements_are_not_tested() -> None:
    table = fitted(drawn(), items=3)
    assert row(table, "chisq")["status"] == Status.NOT_ESTIMABLE
    assert row(table, "loading", item="a1")["status"] == Status.OK
    assert row(table, "scalar_chisq", organisation="")["status"] == Status.OK


def test_an_answer_that_a_group_never_gave_is_merged_and_said() -> None:
    frame = drawn()
    frame["a1"] = frame["a1"].where(frame["wave"].eq("w1") | frame["a1"].ne(5), 4)
    table = fitted(frame)
    between = row(table, "configural_chisq", organisation="")
    assert (
        between["status"] == Status.OK and "responses merged that a group did not give: a1" in between["note"]
    )
    assert "merged" not in row(table, "configural_chisq", wave="")["note"]


def test_a_wave_that_asked_fewer_is_compared_by_what_it_asked() -> None:
    table = fitted(drawn().assign(a4=lambda of: of["a4"].where(of["wave"].eq("w1"))))
    assert row(table, "chisq")["n"] == 300
    assert row(table, "chisq")["note"] == "without waves that asked fewer statements: w2"
    between = row(table, "scalar_chisq", organisation="")
    assert between["n"] == 600 and between["note"] == "not asked in every wave: a4"


def test_few_respondents_are_too_few() -> None:
    table = fitted(drawn(96))
    assert set(table["status"]) == {Status.TOO_FEW}
    some = fitted(drawn().assign(organisation=lambda of: of["organisation"].where(of.index < 100)))
    assert row(some, "configural_chisq", wave="")["status"] == Status.TOO_FEW
    assert row(some, "chisq")["n"] == 600


@pytest.mark.parametrize("seed", range(12))
def test_noise_and_nonsense_get_a_name(seed: int) -> None:
    """No traceback, no estimate that is not finite, no loading beyond 1, whatever the answers."""
    random = np.random.default_rng(seed)
    frame = drawn(int(random.choice([120, 240, 480])), seed=seed)
    for name in frame.columns[:8]:
        match random.integers(6):
            case 0:
                frame[name] = random.integers(1, 6, len(frame)).astype(float)
            case 1:
                frame[name] = np.where(random.random(len(frame)) < 0.99, 1.0, frame[name])
            case 2:
                frame[name] = frame["a1"].where(random.random(len(frame)) < 0.9, 3.0)
            case 3:
                frame[name] = frame[name].where(random.random(len(frame)) < 0.9)
    table = fitted(frame, min_n=20)
    fine = table["status"].eq(Status.OK)
    assert np.isfinite(table.loc[fine, "estimate"]).all()
    assert table.loc[~fine, "estimate"].isna().all() and (table.loc[~fine, "note"] != "").all()
    assert (table.loc[table["term"].eq("loading") & fine, "estimate"].abs() < 1).all()
    assert not table.duplicated(["scale", "item", "wave", "organisation", "term"]).any()
