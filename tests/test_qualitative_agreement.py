"""Agreement of coders equals that of published worked examples, of R, and of coders whose quality is known."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from surveywaves.disclosure import Rule
from surveywaves.qualitative.agreement import (
    ALPHA,
    KAPPA,
    agreement,
    alpha,
    disagreements,
    judgements,
    kappa,
    passages,
)
from surveywaves.study.models import Disclosure

ORACLE = Path(__file__).parent / "oracle/coding"
RULE = Rule.of(Disclosure())
PUBLIC = Rule.of(Disclosure(public=True))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(2)


def counted(*coders: str) -> NDArray[np.int64]:
    """Count the values of each unit; a coder is a row of letters or digits, with `.` for missing values."""
    values = sorted(set("".join(coders)) - {"."})
    units = [
        [sum(given[unit] == value for given in coders) for value in values] for unit in range(len(coders[0]))
    ]
    return np.array(units, dtype=np.int64)


# Published to three digits; the fraction is the result of the published steps. B and D: Krippendorff (2011), Computing
# Krippendorff's Alpha-Reliability, University of Pennsylvania. The third is worked step by step in Wikipedia's article
# and in the manuals of several programs.
ONE_OFF = 9 * 8 + 13 * 12 + 10 * 9 + 5 * 4 + 3 * 2
EXAMPLES = [
    ("B: two observers, binary", ("0100000010", "1110010000"), 0.095, 1 - (20 - 1) * 4 / (14 * 6)),
    (
        "D: four observers, missing data",
        ("123321412...", "1233224125.3", ".3332342251.", "12332441251."),
        0.743,
        ((40 - 1) * (7 + 10 + 8 + 4 + 3) - ONE_OFF) / (40 * (40 - 1) - ONE_OFF),
    ),
    (
        "three observers, missing data",
        (".....34121133.3", "1.213343.......", "..21344.21133.4"),
        0.691,
        1 - 3 / ((7 * 4 + 7 * 10 + 7 * 5 + 4 * 10 + 4 * 5 + 10 * 5) / (26 - 1)),
    ),
]


@pytest.mark.parametrize(("name", "coders", "printed", "exact"), EXAMPLES, ids=[one[0] for one in EXAMPLES])
def test_alpha_is_that_of_the_published_examples(
    name: str, coders: tuple[str, ...], printed: float, exact: float
) -> None:
    found = alpha(counted(*coders))
    assert round(found, 3) == printed
    assert found == pytest.approx(exact, abs=1e-8)


def test_kappa_is_that_of_the_published_example() -> None:
    # Fleiss (1981), Statistical Methods for Rates and Proportions, table 13.1: two raters, 100 subjects.
    estimate, low, high = kappa(np.array([[75, 1, 4], [5, 4, 1], [0, 0, 10]]), 0.95)
    assert estimate == pytest.approx(23 / 34, abs=1e-8)
    assert (high - low) / 2 / 1.959964 == pytest.approx(0.0877, abs=1e-4)


def test_agreement_is_that_of_r() -> None:
    judged, expected = pd.read_csv(ORACLE / "judgements.csv"), pd.read_csv(ORACLE / "expected.csv")
    assert len(expected) == 17
    for row in expected.itertuples():
        own = judged[judged["case"] == row.case]
        wide = own.pivot_table(index="unit", columns="coder", values="value", aggfunc="first")
        values = sorted(own["value"].unique())
        if row.term == ALPHA:
            counts = np.column_stack([(wide == value).sum(axis=1) for value in values])
            assert alpha(counts) == pytest.approx(row.estimate, abs=1e-8)
            continue
        one, other = map(int, row.coders.split(" - "))
        both = wide[[one, other]].dropna()
        table = pd.crosstab(both[one], both[other]).reindex(index=values, columns=values, fill_value=0)
        found = kappa(table.to_numpy(), 0.95)
        assert found[0] == pytest.approx(row.estimate, abs=1e-8)
        assert found[1:] == pytest.approx((row.conf_low, row.conf_high), abs=1e-8)


def test_the_interval_of_interviews_that_are_alike_is_the_package_s_alpha(rng: np.random.Generator) -> None:
    values = rng.choice([0.0, 1.0, np.nan], (40, 3))
    index = pd.MultiIndex.from_product([range(10), range(40), ["a"]], names=["source", "passage", "theme"])
    judged = pd.DataFrame(np.tile(values, (10, 1)), index=index, columns=[1, 2, 3])
    row = agreement(judged, confidence=0.95, seed=1, rule=PUBLIC, draws=50).iloc[0]
    assert row["term"] == ALPHA and row["estimate"] == row["conf_low"] == row["conf_high"]


# --- passages ---------------------------------------------------------------------------------------------------


def marked(*rows: tuple[int, int, str, int, int]) -> pd.DataFrame:
    """Lay marks out: source, coder, theme, start and end."""
    frame = pd.DataFrame(rows, columns=["source", "coder", "theme", "start", "end"])
    return frame.assign(code="x", tone="").astype({"start": "Int64", "end": "Int64"})


def test_marks_that_overlap_are_one_passage_and_marks_that_touch_are_two() -> None:
    marks = marked(
        (1, 1, "a", 0, 10), (1, 2, "a", 5, 20), (1, 1, "a", 19, 30), (1, 1, "a", 30, 40), (2, 1, "a", 0, 10),
        (1, 1, "a", 2, 3),
    )  # fmt: skip
    assert list(passages(marks, "source")) == [1, 1, 1, 2, 3, 1]


def test_silence_about_a_passage_is_a_judgement_of_who_coded_the_interview() -> None:
    marks = marked(
        (1, 1, "a", 0, 10), (1, 2, "b", 5, 20), (1, 2, "a", 50, 60), (2, 3, "a", 0, 10), (1, 3, "a", 90, 95)
    )
    found = judgements(marks[marks["coder"] != 3])
    assert list(found.columns) == [1, 2]
    assert found.droplevel(["source", "start", "end"]).to_dict("index") == {
        (1, "a"): {1: 1, 2: 0}, (1, "b"): {1: 0, 2: 1}, (2, "a"): {1: 0, 2: 1}, (2, "b"): {1: 0, 2: 0},
    }  # fmt: skip
    assert set(judgements(marks).index.get_level_values("source")) == {1}, (
        "an interview that one coder coded says nothing about agreement"
    )


def test_disagreements_name_the_passage_and_both_sides() -> None:
    marks = marked((1, 1, "a", 0, 10), (1, 2, "a", 5, 20), (1, 3, "b", 5, 20))
    found = disagreements(judgements(marks))
    assert found.to_numpy().tolist() == [[1, 1, 0, 20, "a", "1; 2", "3"], [1, 1, 0, 20, "b", "3", "1; 2"]]


def test_coders_who_mark_alike_agree_perfectly_and_coders_who_guess_do_not_at_all() -> None:
    rng = np.random.default_rng(11)
    same, guessed = [], []
    for source, place in itertools.product(range(20), range(15)):
        theme = "abc"[rng.integers(3)]
        same += [(source, coder, theme, 100 * place, 100 * place + 50) for coder in (1, 2)]
        guessed += [
            (source, coder, "abc"[rng.integers(3)], 100 * place, 100 * place + 50) for coder in (1, 2)
        ]
    perfect = agreement(judgements(marked(*same)), confidence=0.95, seed=1, rule=PUBLIC, draws=50)
    assert np.allclose(perfect["estimate"], 1)
    chance = agreement(judgements(marked(*guessed)), confidence=0.95, seed=1, rule=RULE)
    assert chance["estimate"].abs().max() < 0.2
    overall = chance[(chance["theme"] == "all") & (chance["term"] == ALPHA)].iloc[0]
    assert overall["conf_low"] < 0 < overall["conf_high"]


def test_the_interval_covers_the_true_agreement() -> None:
    # Coders see what is there with probability .8, and it is there in half of the passages.
    rng, inside = np.random.default_rng(5), 0
    truth = 1 - (2 * 0.8 * 0.2) / (2 * 0.5 * 0.5)
    for trial in range(60):
        units = [
            (source, passage, int(there if rng.random() < 0.8 else not there), coder)
            for source, passage in itertools.product(range(25), range(12))
            for there in [rng.random() < 0.5]
            for coder in (1, 2)
        ]
        frame = pd.DataFrame(units, columns=["source", "passage", "there", "coder"]).assign(theme="a")
        judged = frame.pivot_table(index=["source", "passage", "theme"], columns="coder", values="there")
        row = agreement(judged, confidence=0.95, seed=trial, rule=PUBLIC, draws=200)
        row = row[(row["term"] == ALPHA) & (row["theme"] == "a")].iloc[0]
        inside += row["conf_low"] <= truth <= row["conf_high"]
    assert inside >= 52


def test_what_cannot_be_estimated_says_so() -> None:
    marks = marked((1, 1, "a", 0, 10), (1, 2, "a", 5, 20))
    found = agreement(judgements(marks), confidence=0.95, seed=1, rule=PUBLIC)
    assert set(found["status"]) == {"not_estimable"}
    assert found[["estimate", "conf_low", "conf_high"]].isna().all(axis=None)
    assert set(found["term"]) == {ALPHA, KAPPA}


def coded(
    rng: np.random.Generator, coders: dict[int, int], themes: str = "ab"
) -> list[tuple[int, int, str, int, int]]:
    """Let each coder mark nine passages of the first interviews, as many as stated."""
    return [
        (source, coder, themes[rng.integers(len(themes))], 10 * place, 10 * place + 5)
        for coder, interviews in coders.items()
        for source in range(interviews)
        for place in range(9)
    ]


def test_agreement_on_a_few_interviews_is_withheld(rng: np.random.Generator) -> None:
    judged = judgements(marked(*coded(rng, {1: 9, 2: 9})))
    found = agreement(judged, confidence=0.95, seed=1, rule=RULE, draws=50)
    assert set(found["status"]) == {"withheld"} and set(found["sources"]) == {9}
    assert found[["estimate", "conf_low", "conf_high", "passages"]].isna().all(axis=None)


def test_agreement_on_a_theme_that_a_few_interviews_raise_is_withheld(rng: np.random.Generator) -> None:
    rare = [(source, coder, "c", 500, 505) for source in range(4) for coder in (1, 2)]
    judged = judgements(marked(*coded(rng, {1: 12, 2: 12}), *rare))
    found = agreement(judged, confidence=0.95, seed=1, rule=RULE, draws=50)
    assert set(found.loc[found["status"] == "withheld", "theme"]) == {"c"}
    more = judgements(marked(*coded(rng, {1: 12, 2: 12}), *rare, (4, 1, "c", 500, 505)))
    assert set(agreement(more, confidence=0.95, seed=1, rule=RULE, draws=50)["status"]) == {"ok"}


def test_one_interview_is_not_the_difference_of_two_rows(rng: np.random.Generator) -> None:
    judged = judgements(marked(*coded(rng, {1: 12, 2: 12, 3: 11})))  # the third left out one
    found = agreement(judged, confidence=0.95, seed=1, rule=RULE, draws=50).set_index("coders")
    assert set(found.loc[["all", "1 - 2"], "status"]) == {"ok"}
    assert set(found.loc[["1 - 3", "2 - 3"], "status"]) == {"withheld"}
    public = agreement(judged, confidence=0.95, seed=1, rule=PUBLIC, draws=50).set_index("coders")
    assert set(public.loc["1 - 3", "passages"]) == {99, 198}


def test_the_same_seed_gives_the_same_interval(rng: np.random.Generator) -> None:
    judged = judgements(marked(*coded(rng, {1: 10, 2: 10})))
    once, again = (agreement(judged, confidence=0.9, seed=7, rule=RULE) for _ in range(2))
    pd.testing.assert_frame_equal(once, again)
    assert not agreement(judged, confidence=0.9, seed=8, rule=RULE).equals(once)
