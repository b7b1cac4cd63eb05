"""Hostile data: whatever comes in, every function gives its stated rows, each a sound number or a named reason.

Thousands of small surveys are spoiled at random, up to four ways at once, and go through every model, warnings being
errors. `HOSTILE_SURVEYS=20000 pytest tests/test_hostile_fits.py` runs as many of each kind instead of the few of the
usual run; a survey that fails is named by its number, and `survey(number)` makes it again.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import combinations, product
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sampled import Comparison, compare, compare_fit, compare_ordinal, dif, make_design, reliability
from surveywaves.mixed.clmm import fit_ordinal
from surveywaves.mixed.cumulative import LINKS
from surveywaves.mixed.design import Design
from surveywaves.mixed.lmm import fit_linear
from surveywaves.reliability import usage
from surveywaves.terms import ALL, Status
from surveywaves.tidy import COLUMNS, NUMBERS, TEXT

ASKED_FOR = int(os.environ.get("HOSTILE_SURVEYS", "0"))

KEY = list(TEXT)

SAME = 1e-8
"""What may change where nothing does: rounding."""

SAME_MAXIMUM = 1e-5
"""In standard errors: the ordinal model stops at a squared distance of 1e-12 of them, from whichever side it comes."""

FIT_TERMS = ["sigma2", "tau2", "icc", "total_sd", "r2_marginal", "r2_conditional", "reml_loglik"]


def numbers(usual: int) -> range:
    """The surveys of a test."""
    return range(ASKED_FOR or usual)


# --- surveys that nobody would want to analyse ------------------------------------------------------------------


@dataclass
class Survey:
    """Respondents and what they answered; `spoiled` says how they became what they are."""

    rng: np.random.Generator
    answers: np.ndarray
    points: int
    wave: np.ndarray
    organisation: np.ndarray
    keys: dict[str, int]
    covariates: dict[str, np.ndarray] = field(default_factory=dict)
    spoiled: list[str] = field(default_factory=list)

    @property
    def items(self) -> list[str]:
        return list(self.keys)

    @property
    def waves(self) -> list[str]:
        return ["early", "late", "last"][: 2 + (self.points % 2)]

    @property
    def organisations(self) -> list[str]:
        return ["x", "y"]

    def keep(self, which: np.ndarray) -> None:
        """Keep some respondents; by number, so that one can be kept often."""
        self.answers, self.wave = self.answers[which], self.wave[which]
        self.organisation = self.organisation[which]
        self.covariates = {name: column[which] for name, column in self.covariates.items()}

    def some_wave(self) -> np.ndarray:
        return self.wave == self.rng.choice(self.waves)

    def some_cell(self) -> np.ndarray:
        return self.some_wave() & (self.organisation == self.rng.choice(self.organisations))

    def some_item(self) -> int:
        return int(self.rng.integers(self.answers.shape[1]))

    def some_answer(self) -> int:
        return int(self.rng.integers(1, self.points + 1))

    def frame(self) -> pd.DataFrame:
        frame = pd.DataFrame({"wave": self.wave, "organisation": self.organisation} | self.covariates)
        columns = {
            item: pd.array(column, dtype="Float64").astype("Int8")
            for item, column in zip(self.items, self.answers.T, strict=True)
        }
        return frame.assign(**columns)

    def options(self, *, covariates: bool = True) -> dict[str, Any]:
        given = {
            "items": self.items,
            "keys": self.keys,
            "response_range": (1, self.points),
            "waves": self.waves,
            "organisations": self.organisations,
        }
        return given | ({"covariates": list(self.covariates)} if covariates else {})


def constant_item(s: Survey) -> None:
    s.answers[:, s.some_item()] = s.some_answer()


def empty_category(s: Survey) -> None:
    s.answers[s.answers == s.some_answer()] = s.some_answer()


def two_categories(s: Survey) -> None:
    s.answers[s.answers > 1] = s.points


def lonely_cell(s: Survey) -> None:
    there = np.flatnonzero(s.some_cell())
    s.keep(np.delete(np.arange(len(s.answers)), there[1:]))


def empty_cell(s: Survey) -> None:
    s.keep(np.flatnonzero(~s.some_cell()))


def empty_wave(s: Survey) -> None:
    s.keep(np.flatnonzero(~s.some_wave()))


def wave_unanswered(s: Survey) -> None:
    s.answers[s.some_wave()] = np.nan


def all_unanswered(s: Survey) -> None:
    s.answers[:] = np.nan


def cell_at_the_top(s: Survey) -> None:
    s.answers[s.some_cell()] = s.points


def cells_apart(s: Survey) -> None:
    here = s.some_cell()
    s.answers[here], s.answers[~here] = s.points, 1


def item_apart(s: Survey) -> None:
    here, item = s.some_wave(), s.some_item()
    s.answers[here, item], s.answers[~here, item] = s.points, 1


def cells_predict(s: Survey) -> None:
    cell = pd.factorize(pd.Series(s.wave) + pd.Series(s.organisation).fillna(""))[0]
    s.answers[:] = (1 + cell % s.points)[:, None]


def independent(s: Survey) -> None:
    s.answers = s.rng.integers(1, s.points + 1, s.answers.shape).astype(np.float64)


def opposed(s: Survey) -> None:
    """The sum of a respondent's answers is always the same: the most negative correlation that there can be."""
    row = np.arange(s.answers.shape[1]) % s.points + 1.0
    s.answers = s.rng.permuted(np.tile(row, (len(s.answers), 1)), axis=1)


def seesaw(s: Survey) -> None:
    s.answers[:, 1::2] = s.points + 1 - s.answers[:, :1]


def item_twice(s: Survey) -> None:
    s.answers[:, -1] = s.answers[:, 0]


def alike(s: Survey) -> None:
    s.answers[:] = s.answers[:, :1]


def nearly_alike(s: Survey) -> None:
    alike(s)
    s.answers[:1, -1] = s.some_answer()


def additive(s: Survey) -> None:
    """Respondent and item predict every answer."""
    base = s.rng.integers(1, 3, (len(s.answers), 1))
    s.answers = np.clip(base + np.arange(s.answers.shape[1]) % 2, 1, s.points).astype(np.float64)


def everybody_the_same(s: Survey) -> None:
    s.answers[:] = s.some_answer()


def all_but_one_the_same(s: Survey) -> None:
    everybody_the_same(s)
    s.answers[:1, :1] = s.some_answer()


def one_option_in_a_wave(s: Survey) -> None:
    s.answers[s.some_wave()] = s.some_answer()


def item_not_asked(s: Survey) -> None:
    s.answers[s.some_wave(), s.some_item()] = np.nan


def no_items_in_common(s: Survey) -> None:
    here, half = s.some_wave(), s.answers.shape[1] // 2
    s.answers[here, :half] = np.nan
    s.answers[np.ix_(~here, np.arange(half, s.answers.shape[1]))] = np.nan


def one_answer_each(s: Survey) -> None:
    kept = s.rng.integers(s.answers.shape[1], size=len(s.answers))
    s.answers[kept[:, None] != np.arange(s.answers.shape[1])] = np.nan


def hardly_answered(s: Survey) -> None:
    s.answers[s.rng.random(s.answers.shape) < 0.8] = np.nan


def crowd(s: Survey) -> None:
    if len(s.answers):
        s.keep(np.r_[np.zeros(10_000, dtype=np.intp), np.arange(len(s.answers))])


def two_respondents(s: Survey) -> None:
    s.keep(np.arange(len(s.answers))[:2])


def one_respondent(s: Survey) -> None:
    s.keep(np.arange(len(s.answers))[:1])


def nobody(s: Survey) -> None:
    s.keep(np.arange(0))


def one_item(s: Survey) -> None:
    s.answers, s.keys = s.answers[:, :1], dict(list(s.keys.items())[:1])


def two_items(s: Survey) -> None:
    s.answers, s.keys = s.answers[:, :2], dict(list(s.keys.items())[:2])


def many_items(s: Survey) -> None:
    """40 items of 7 points: 8^40 patterns, where an integer has 2^63."""
    s.keep(np.arange(len(s.answers))[:80])
    s.answers = np.clip(
        np.tile(s.answers, (1, 40))[:, :40] + s.rng.integers(0, 2, (len(s.answers), 40)), 1, 7
    )
    s.points, s.keys = 7, {f"i{number}": 1 for number in range(40)}


def organisation_unstated(s: Survey) -> None:
    s.organisation = np.where(s.rng.random(len(s.answers)) < 0.7, None, s.organisation)


def of_other_waves(s: Survey) -> None:
    s.wave = np.where(s.rng.random(len(s.answers)) < 0.5, "of old", s.wave)


def covariate_is_the_cell(s: Survey) -> None:
    s.covariates["place"] = np.array(
        [f"{w}/{o}" for w, o in zip(s.wave, s.organisation, strict=True)], dtype=object
    )


def covariate_is_the_respondent(s: Survey) -> None:
    s.keep(np.arange(len(s.answers))[:80])
    s.covariates["who"] = np.array([f"r{number}" for number in range(len(s.answers))], dtype=object)


def covariate_is_constant(s: Survey) -> None:
    s.covariates["constant"] = np.full(len(s.answers), 7.0)


def covariate_is_missing(s: Survey) -> None:
    s.covariates["missing"] = np.full(len(s.answers), np.nan)


def covariate_is_huge(s: Survey) -> None:
    s.covariates["huge"] = 1e12 + 1e6 * s.rng.normal(size=len(s.answers))


def covariate_is_an_answer(s: Survey) -> None:
    s.covariates["first"] = s.answers[:, 0].copy()


SPOILS: list[Callable[[Survey], None]] = [
    constant_item, empty_category, two_categories, lonely_cell, empty_cell, empty_wave, wave_unanswered,
    all_unanswered, cell_at_the_top, cells_apart, item_apart, cells_predict, independent, opposed, seesaw,
    item_twice, alike, nearly_alike, additive, everybody_the_same, all_but_one_the_same, one_option_in_a_wave,
    item_not_asked, no_items_in_common, one_answer_each, hardly_answered, crowd, two_respondents, one_respondent,
    nobody, one_item, two_items, many_items, organisation_unstated, of_other_waves, covariate_is_the_cell,
    covariate_is_the_respondent, covariate_is_constant, covariate_is_missing, covariate_is_huge,
    covariate_is_an_answer,
]  # fmt: skip


def survey(number: int, *, spoils: int | None = None, spared: tuple[str, ...] = ()) -> Survey:
    """Make a survey and spoil it: in every way in turn, and in up to three more ways at random."""
    rng = np.random.default_rng([20060703, number])
    respondents, items = int(rng.choice([3, 6, 12, 30, 80])), int(rng.integers(1, 6))
    points = int(rng.choice([2, 3, 4, 5, 7]))
    latent = rng.normal(0, rng.choice([0.0, 0.7, 2.0]), (respondents, 1)) + rng.normal(
        size=(respondents, items)
    )
    answers = np.clip(np.round((points + 1) / 2 + latent), 1, points)
    answers[rng.random(answers.shape) < rng.choice([0.0, 0.1])] = np.nan
    made = Survey(
        rng=rng,
        answers=answers,
        points=points,
        wave=np.empty(respondents, dtype=object),
        organisation=rng.choice(np.array(["x", "y"], dtype=object), respondents),
        keys={f"i{item}": int(rng.choice([1, -1])) for item in range(items)},
    )
    made.wave[:] = rng.choice(np.array(made.waves, dtype=object), respondents)
    usable = [spoil for spoil in SPOILS if spoil.__name__ not in spared]
    ways = [usable[number % len(usable)]]
    ways += [usable[place] for place in rng.integers(len(usable), size=int(rng.integers(4)))]
    for way in ways if spoils is None else ways[:spoils]:
        way(made)
        made.spoiled.append(way.__name__)
    return made


# --- what must hold -------------------------------------------------------------------------------------------


def sound(table: pd.DataFrame, *, said: bool = True) -> None:
    """Every row is a sound number, or a reason and no number."""
    assert tuple(table.columns) == COLUMNS
    assert set(table["status"]) <= set(Status)
    known = table["status"].isin([Status.OK, Status.BOUNDARY])
    numbers = table[list(NUMBERS)]
    assert np.isfinite(table.loc[known, "estimate"]).all(), "an estimate that is none"
    assert numbers[~known].isna().all(axis=None), "a number beside a reason why there is none"
    if said:
        assert (table.loc[~known, "note"] != "").all(), "a status without words"
    assert not np.isinf(numbers.drop(columns="df")).any(axis=None)
    assert (table["std_error"].dropna() > 0).all()
    assert (table["df"].dropna() > 0).all()
    for p in ("p_value", "p_adjusted"):
        assert table[p].dropna().between(0, 1).all()
    slack = 1e-9 * np.maximum(1, table["estimate"].abs())
    # a profile likelihood can be open to one side
    assert not (table["conf_low"] > table["estimate"] + slack).any()
    assert not (table["conf_high"] < table["estimate"] - slack).any()
    assert (table["n"].dropna() >= 0).all()


def stated(s: Survey, *, percent: bool) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """The (term, wave, organisation) of means and contrasts, whatever was answered."""
    pairs = list(combinations(s.organisations, 2))
    times = list(combinations(s.waves, 2))
    rows = [("change", f"{b} - {a}", o) for a, b in times for o in s.organisations]
    rows += [("gap", w, f"{o} - {p}") for w in s.waves for o, p in pairs]
    rows += [("difference_in_differences", f"{b} - {a}", f"{o} - {p}") for a, b in times for o, p in pairs]
    means = [("emmean", *cell) for cell in product(s.waves, s.organisations)]
    if percent:
        means += [("percent_favourable", *cell) for _, *cell in means]
        rows += [(f"{term}_percent_favourable", *rest) for term, *rest in rows]
    return means, rows


def keys_of(table: pd.DataFrame) -> list[tuple[str, ...]]:
    return list(table[["term", "wave", "organisation"]].itertuples(index=False, name=None))


def estimates_are_sound(s: Survey, found: Comparison, *, percent: bool, min_cell: int) -> None:
    for table in found:
        sound(table)
    means, contrasts = stated(s, percent=percent)
    assert keys_of(found.means) == means
    there = {(row.wave, row.organisation) for row in found.means.itertuples() if row.n}
    assert keys_of(found.contrasts) == [
        (term, wave, organisation)
        for term, wave, organisation in contrasts
        if there.issuperset(product(wave.split(" - "), organisation.split(" - ")))
    ]
    tested = found.contrasts["status"].isin([Status.OK, Status.BOUNDARY])
    needed = ["std_error", "df", "conf_low", "conf_high", "p_value"]
    assert found.contrasts.loc[tested, needed].notna().all(axis=None)
    assert found.means["p_value"].isna().all()
    small = found.means["n"] < min_cell
    assert found.means.loc[small, "status"].isin([Status.TOO_FEW, Status.NOT_ESTIMABLE]).all()
    percents = found.means[found.means["term"] == "percent_favourable"]
    for number in ("estimate", "conf_low", "conf_high"):
        assert percents[number].dropna().between(0, 100).all()


def in_turn(count: range, try_one: Callable[[Survey], None], **making: Any) -> None:
    """Try surveys one by one; one that fails is named."""
    for number in count:
        s = survey(number, **making)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                try_one(s)
            except Exception as error:
                error.add_note(f"survey({number}): {', '.join(s.spoiled)}")
                raise


def linear(s: Survey, **changed: Any) -> Comparison:
    return compare(s.frame(), scale="s", **s.options() | changed)


def ordinal(s: Survey, link: str, **changed: Any) -> Comparison:
    favourable = changed.pop("favourable", (s.points - 1, s.points))
    return compare_ordinal(s.frame(), scale="s", favourable=favourable, link=link, **s.options() | changed)


def test_every_way_to_spoil_a_survey_is_tried() -> None:
    tried = {way for number in range(len(SPOILS)) for way in survey(number).spoiled}
    assert tried == {spoil.__name__ for spoil in SPOILS}


def test_linear_comparison_is_sound_or_says_why_not() -> None:
    def try_one(s: Survey) -> None:
        found = linear(s, min_cell=1)
        estimates_are_sound(s, found, percent=False, min_cell=1)
        assert list(found.variances["term"]) == ["n_respondents", "n_items", *FIT_TERMS]

    in_turn(numbers(100), try_one)


@pytest.mark.parametrize("link", LINKS)
def test_ordinal_comparison_is_sound_or_says_why_not(link: str) -> None:
    def try_one(s: Survey) -> None:
        found = ordinal(s, link, min_cell=2)
        estimates_are_sound(s, found, percent=True, min_cell=2)
        inside = found.variances.set_index("term")["estimate"]
        if np.isfinite(inside["loglik"]):
            assert inside["loglik"] <= 0
            assert 0 <= inside["scaled_gradient"] <= 1e-12

    in_turn(numbers(50), try_one)


def test_reliability_is_sound_or_says_why_not() -> None:
    def try_one(s: Survey) -> None:
        few = int(s.rng.choice([2, 10]))
        found = reliability(s.frame(), scale="s", min_n=few, replicates=20, **s.options(covariates=False))
        sound(found)
        whole = found[(found["term"] == "alpha") & (found["item"] == "")]
        cells = [*product(s.waves, [*s.organisations, ALL]), (ALL, ALL)]
        assert list(whole[["wave", "organisation"]].itertuples(index=False, name=None)) == cells
        assert (
            found.loc[found["term"].isin(["alpha", "omega_total", "ordinal_alpha"]), "estimate"].dropna()
            <= 1 + 1e-9
        ).all()
        assert len(usage(found)) == 1

    in_turn(numbers(50), try_one, spared=("many_items",))


def test_reliability_of_many_items_is_sound() -> None:
    """7^24 patterns, more than an integer can number; apart from the others because of its 276 correlations."""
    s = survey(0, spoils=0)
    many_items(s)
    s.answers, s.keys = s.answers[:, :24], dict(list(s.keys.items())[:24])
    options = s.options(covariates=False) | {"waves": s.waves[:1], "organisations": []}
    found = reliability(s.frame(), scale="s", min_n=3, replicates=20, **options)
    sound(found)
    assert (found["status"] == Status.OK).any()


def test_dif_is_sound_or_says_why_not() -> None:
    def try_one(s: Survey) -> None:
        few = int(s.rng.choice([2, 10]))
        found = dif(s.frame(), scale="s", min_n=few, **s.options(covariates=False))
        sound(found)
        comparisons = len(s.waves) * (len(s.waves) - 1) // 2 + (len(s.waves) > 2) + 1
        pairs = comparisons - (len(s.waves) > 2)
        assert len(found) == len(s.items) * (9 * comparisons + pairs)
        assert (found.loc[found["term"].str.endswith(("_lr", "_change")), "estimate"].dropna() >= 0).all()

    in_turn(numbers(50), try_one)


# --- teams and weights ------------------------------------------------------------------------------------------

TEAMS: dict[str, Callable[[Survey], np.ndarray]] = {
    "some": lambda s: s.rng.integers(0, 1 + len(s.answers) // 4, len(s.answers)),
    "one": lambda s: np.zeros(len(s.answers)),
    "of one": lambda s: np.arange(len(s.answers)),
    "cells": lambda s: pd.factorize(pd.Series(s.wave) + pd.Series(s.organisation).fillna(""))[0],
    "organisations": lambda s: pd.factorize(pd.Series(s.organisation).fillna(""))[0],
    "answers": lambda s: s.answers[:, 0],
    "one and many": lambda s: np.maximum(np.arange(len(s.answers)) - len(s.answers) // 2, 0),
    "mostly none": lambda s: np.where(s.rng.random(len(s.answers)) < 0.8, np.nan, 1.0),
}

WEIGHTS: dict[str, Callable[[Survey], np.ndarray]] = {
    "some": lambda s: s.rng.uniform(0.2, 5, len(s.answers)),
    "all the same": lambda s: np.full(len(s.answers), 1e-3),
    "all zero": lambda s: np.zeros(len(s.answers)),
    "a cell of zeros": lambda s: np.where(s.some_cell(), 0.0, 1.0),
    "one for all": lambda s: np.where(np.arange(len(s.answers)) == 0, 1e6, 1e-6),
    "tiny and huge": lambda s: 10.0 ** s.rng.integers(-6, 7, len(s.answers)),
    "mostly none": lambda s: np.where(s.rng.random(len(s.answers)) < 0.8, np.nan, 1.0),
}


def with_team_and_weight(s: Survey, *, weighted: bool) -> tuple[pd.DataFrame, dict[str, Any]]:
    """A frame with a team, and options that name it and, if asked for, a weight."""
    team, weight = (str(s.rng.choice(list(ways))) for ways in (TEAMS, WEIGHTS))
    s.spoiled += [f"teams: {team}", f"weights: {weight}" if weighted else "no weights"]
    number = TEAMS[team](s).astype(np.float64)
    frame = s.frame().assign(
        team=pd.array([None if np.isnan(one) else f"t{one:.0f}" for one in number], dtype="str"),
        weight=WEIGHTS[weight](s),
    )
    return frame, s.options() | {"team": "team"} | ({"weight": "weight"} if weighted else {})


@pytest.mark.parametrize("weighted", [False, True], ids=["teams", "teams and weights"])
def test_linear_comparison_with_teams_is_sound_or_says_why_not(weighted: bool) -> None:
    def try_one(s: Survey) -> None:
        frame, options = with_team_and_weight(s, weighted=weighted)
        found = compare(frame, scale="s", min_cell=1, **options)
        estimates_are_sound(s, found, percent=False, min_cell=1)

    in_turn(numbers(50), try_one)


@pytest.mark.parametrize("weighted", [False, True], ids=["teams", "teams and weights"])
def test_ordinal_comparison_with_teams_is_sound_or_says_why_not(weighted: bool) -> None:
    def try_one(s: Survey) -> None:
        frame, options = with_team_and_weight(s, weighted=weighted)
        found = compare_ordinal(frame, scale="s", favourable=(s.points,), **options)
        estimates_are_sound(s, found, percent=True, min_cell=2)

    in_turn(numbers(12), try_one, spared=("many_items",))


@pytest.mark.parametrize("weight", WEIGHTS)
def test_weights_without_teams_are_sound_or_say_why_not(weight: str) -> None:
    def try_one(s: Survey) -> None:
        frame = s.frame().assign(weight=WEIGHTS[weight](s))
        options = s.options() | {"weight": "weight"}
        found = compare(frame, scale="s", min_cell=1, **options)
        estimates_are_sound(s, found, percent=False, min_cell=1)
        found = compare_ordinal(frame, scale="s", favourable=(s.points,), **options)
        estimates_are_sound(s, found, percent=True, min_cell=2)

    in_turn(numbers(6), try_one)


# --- what must not matter ---------------------------------------------------------------------------------------


def same(one: pd.DataFrame, other: pd.DataFrame, *, sign: int = 1, maximum: bool = False) -> None:
    """Two tables say the same; `sign` -1: of the opposite; `maximum`: as far as a search ends in one place."""
    assert one[[*KEY, "n", "status"]].equals(other[[*KEY, "n", "status"]])
    error = one["std_error"].fillna(1.0).to_numpy()
    allowed = SAME_MAXIMUM * error if maximum else SAME * np.maximum(1.0, error)
    for number, direction in (("estimate", sign), ("std_error", 1)):
        apart = np.abs(one[number] - direction * other[number]).fillna(0.0).to_numpy()
        assert (apart <= allowed).all(), f"{number} differs by {apart.max():.1e}"
    for number in ("df", "p_value"):
        ours, theirs = one[number].replace(np.inf, -1.0), other[number].replace(np.inf, -1.0)
        np.testing.assert_allclose(ours, theirs, rtol=SAME_MAXIMUM if maximum else 1e-6, atol=SAME_MAXIMUM)


def both(s: Survey) -> Iterator[tuple[Callable[..., Comparison], bool]]:
    """The linear and the ordinal comparison, and whether its numbers are the end of a search."""
    yield linear, False
    yield lambda survey, **changed: ordinal(survey, "logit", **changed), True


def in_order(s: Survey, order: np.ndarray) -> Survey:
    other = replace(s, covariates=dict(s.covariates))
    other.keep(order)
    return other


def test_order_of_respondents_does_not_matter() -> None:
    def try_one(s: Survey) -> None:
        order = s.rng.permutation(len(s.answers))
        for run, maximum in both(s):
            for one, other in zip(run(s)[:2], run(in_order(s, order))[:2], strict=True):
                same(one, other, maximum=maximum)
        one, other = (
            dif(x.frame(), scale="s", min_n=2, **x.options(covariates=False)) for x in (s, in_order(s, order))
        )
        same(one, other)

    in_turn(numbers(12), try_one)


def test_names_of_waves_and_organisations_do_not_matter() -> None:
    names = {"early": "2", "late": "1", "last": "0", "x": "9", "y": "8"}

    def renamed(table: pd.DataFrame) -> pd.DataFrame:
        replaced = {
            column: table[column].map(
                lambda text: " - ".join(names.get(part, part) for part in text.split(" - "))
            )
            for column in ("wave", "organisation")
        }
        return table.assign(**replaced)

    def try_one(s: Survey) -> None:
        frame = s.frame().replace({"wave": names, "organisation": names})
        changed = {
            "waves": [names[wave] for wave in s.waves],
            "organisations": [names[organisation] for organisation in s.organisations],
        }
        options = s.options() | changed
        for one, other in zip(linear(s)[:2], compare(frame, scale="s", **options)[:2], strict=True):
            same(renamed(one), other)
        theirs = compare_ordinal(frame, scale="s", favourable=(s.points,), **options)
        for one, other in zip(ordinal(s, "logit", favourable=(s.points,))[:2], theirs[:2], strict=True):
            same(renamed(one), other, maximum=True)

    in_turn(numbers(12), try_one)


def test_reversed_keys_turn_contrasts_round() -> None:
    def try_one(s: Survey) -> None:
        turned = replace(s, keys={item: -key for item, key in s.keys.items()})
        same(linear(s).contrasts, linear(turned).contrasts, sign=-1)
        for link in LINKS:
            one = ordinal(s, link, favourable=(s.points,)).contrasts
            other = ordinal(turned, link, favourable=(1,)).contrasts
            percent = one["term"].str.endswith("percent_favourable")
            same(one[~percent], other[~percent], sign=-1, maximum=True)
            same(one[percent], other[percent], maximum=True)

    in_turn(numbers(12), try_one)


def test_everybody_twice_leaves_linear_estimates_where_they_were() -> None:
    """Of complete answers: otherwise the variances, a little different, weigh who answered how many items."""
    compared = 0

    def try_one(s: Survey) -> None:
        nonlocal compared
        s.keep(np.flatnonzero(~np.isnan(s.answers).any(axis=1)))
        twice = in_order(s, np.tile(np.arange(len(s.answers)), 2))
        for one, other in zip(linear(s, min_cell=1)[:2], linear(twice, min_cell=1)[:2], strict=True):
            there = one["estimate"].notna() & other["estimate"].notna()
            np.testing.assert_allclose(one["estimate"][there], other["estimate"][there], atol=SAME)
            assert (other["std_error"][there] < one["std_error"][there]).all()
            compared += int(there.sum())

    in_turn(numbers(150), try_one)
    assert compared > 100


def one_by_one(design: Design) -> Design:
    """The same respondents, each a pattern and a group of his own."""
    pattern = np.repeat(np.arange(len(design.count)), design.persons.astype(np.intp))
    group = design.group[pattern]
    ones = np.ones(len(pattern))
    return replace(
        design,
        cell=design.cell[group],
        profile=design.profile[group],
        team=design.team[group],
        answered=design.answered[group],
        group=np.arange(len(pattern)),
        answers=design.answers[pattern],
        persons=ones,
        count=ones,
        square=ones,
    )


def test_merging_respondents_who_answered_alike_changes_nothing() -> None:
    def try_one(s: Survey) -> None:
        design = make_design(s.frame(), **s.options())
        for fit, maximum in ((fit_linear, False), (fit_ordinal, True)):
            merged, apart = (compare_fit(one, fit(one), scale="s") for one in (design, one_by_one(design)))
            for one, other in zip(merged[:2], apart[:2], strict=True):
                same(one, other, maximum=maximum)

    in_turn(numbers(12), try_one, spared=("crowd",))


def test_crowd_of_one_and_the_same_answers_is_counted_not_lost() -> None:
    s = survey(0, spoils=0)
    crowd(s)
    found = linear(s)
    assert found.means["n"].sum() > 10_000
    assert found.means["status"].isin([Status.OK, Status.BOUNDARY]).any()


# --- what the surveys found ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "status", "weight"),
    [
        # all low answers to one item, all high answers to the other: how far apart the middle ones are is open
        ([[1, 4], [2, 3], [1, 3], [2, 4]] * 10, "boundary", ""),
        ([[1, 4], [2, 3], [1, 3], [2, 4]] * 10, "boundary", "weight"),
        # nobody's answers overlap with those of the one other in the same cell
        ([[6, 7, 6], [5, 4, 5], [4, 5, 5], [3, 4, 3]], "ok", ""),
    ],
)
def test_threshold_that_is_not_determined_says_so_and_why(
    answers: list[list[int]], status: str, weight: str
) -> None:
    cells = [("early", "y"), ("last", "x"), ("early", "x"), ("early", "x")] * (len(answers) // 4)
    frame = pd.DataFrame(cells, columns=["wave", "organisation"])
    items = [f"i{item}" for item in range(len(answers[0]))]
    frame[items] = np.array(answers, dtype=np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = compare_ordinal(
            frame.assign(weight=1.0),
            scale="s",
            favourable=(4,),
            items=items,
            keys=dict.fromkeys(items, 1),
            response_range=(1, 7),
            waves=["early", "last"],
            organisations=["x", "y"],
            weight=weight,
        ).variances
    thresholds = found[found["term"].str.startswith("threshold")]
    assert (thresholds["status"] == "not_estimable").any()
    assert status in found["status"].tolist()
    sound(found)


def test_threshold_that_weights_leave_a_variance_just_below_zero_warns_of_nothing() -> None:
    s = survey(18)
    assert s.spoiled == ["additive"], "the survey that found it"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = compare_ordinal(
            s.frame().assign(weight=1e-3),
            scale="s",
            favourable=(s.points,),
            weight="weight",
            **s.options(),
        )
    sound(found.variances)


def test_bootstrap_whose_replicates_are_all_alike_has_no_standard_error() -> None:
    """Two items together, one against them: alpha is -3 whoever is drawn."""
    frame = pd.DataFrame({"wave": "early", "organisation": ["x", "y"] * 20})
    frame[["i0", "i1", "i2"]] = [[5.0, 5, 1], [1, 1, 5], [5, 5, 1], [1, 1, 5]] * 10
    found = reliability(
        frame,
        scale="s",
        items=["i0", "i1", "i2"],
        keys=dict.fromkeys(["i0", "i1", "i2"], 1),
        response_range=(1, 5),
        waves=["early"],
        organisations=["x", "y"],
        replicates=50,
    )
    sound(found)
    alpha = found[(found["term"] == "alpha") & (found["organisation"] == ALL)]
    assert alpha["conf_low"].isna().all() and alpha["note"].ne("").all()


def test_thresholds_far_apart_do_not_overflow() -> None:
    """An answer that the total score of many items tells exactly, in the second of three categories."""
    s = survey(73)
    assert s.spoiled[0] == "many_items", "the survey that found it"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sound(dif(s.frame(), scale="s", min_n=2, **s.options(covariates=False)))


@pytest.mark.parametrize("link", LINKS)
def test_interval_of_a_variance_that_hardly_ends_does_not_overflow(link: str) -> None:
    frame = pd.DataFrame({"wave": "late", "organisation": ["y", "x", "y", "x", "x", "x"]})
    frame[["i0", "i1", "i2", "i3"]] = np.array(
        [[2, 1, 2, 2], [2, 2, 2, 2], [1, 1, 1, 1], [1, 2, 2, 2], [2, 1, 2, 2], [1, 1, 1, 1]], dtype=np.float64
    )
    items = ["i0", "i1", "i2", "i3"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = compare_ordinal(
            frame,
            scale="s",
            favourable=(2,),
            items=items,
            keys=dict.fromkeys(items, 1),
            response_range=(1, 2),
            waves=["early", "late"],
            organisations=["x", "y"],
            link=link,
        )
    for table in found:
        sound(table)
