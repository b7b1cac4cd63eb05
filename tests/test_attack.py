"""The release against a stranger who has everything that leaves; and the stranger against releases that protect less.

`benchmarks/disclosure.py` attacks 500 studies and the shipped one.
"""

from __future__ import annotations

import hashlib
import itertools
from functools import cache

import numpy as np
import pandas as pd
import pytest

from attacker import (
    JOINS,
    Breach,
    Method,
    Release,
    Report,
    Stranger,
    Wave,
    attack,
    confirmed,
    inverted,
    join_words,
    left_out,
    newcomer,
    read,
    telling,
    truth_of,
)
from invented_studies import Invented, invent, rounded_alone
from surveywaves.disclosure import Released, Rule
from surveywaves.disclosure.routes import Routes
from surveywaves.study.models import Routing
from surveywaves.study.parts import HarmonisingPart

ATTACKED = (0, 5, 9, 100, 104, 294, 298, 1041, 1074, 20009)
"""Studies that are attacked here, by their seeds: those but 0 gave something back before the rule was what it is."""
SUPPRESSED = (13, 30013, 30016)

UNPROTECTED = {"seed": 104, "sizes": (6, 12), "skips": False}


@cache
def study(seed: int) -> Invented:
    return invent(seed)


@cache
def released(seed: int, rounding: int, threshold: int = 5) -> Released:
    return study(seed).released(Rule(rounding=rounding, threshold=threshold))


def attacked(own: Invented, releases: list[Release], joins: tuple[str, ...] = JOINS) -> Report:
    """Attack every wave."""
    found = Report()
    for wave in own.surveyed:
        one = attack(truth_of(own.responses, wave, own.keys), releases, wave, own.keys, joins=joins)
        found.attacked += one.attacked
        found.breaches += one.breaches
        found.wrong += one.wrong
    assert found.wrong == []
    return found


# --- what leaves --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", ATTACKED)
def test_rounded_counts_tell_nothing_whatever_is_joined_to_them(seed: int) -> None:
    out = released(seed, 5)
    found = attacked(study(seed), [Release(out.tables, Method(5))])
    assert found.attacked > 40
    assert found.breaches == []


@pytest.mark.parametrize("seed", SUPPRESSED)
def test_suppressed_counts_tell_nothing_whatever_is_joined_to_them(seed: int) -> None:
    out = released(seed, 0)
    found = attacked(study(seed), [Release(out.tables, Method(0))])
    assert found.attacked > 40
    assert found.breaches == []


def narrowed(own: Invented, rounding: int, parts: list[HarmonisingPart]) -> int:
    """Count what a release tells of a study whose statement `alone` was asked of nurses only."""
    out = own.released(Rule(rounding=rounding), models=False, parts=parts).tables
    count = 0
    for wave in own.surveyed:
        truth, asked = truth_of(own.responses, wave, own.keys), {"alone": ("job", ("nurse",))}
        found = attack(truth, [Release(out, Method(rounding))], wave, own.keys, joins=(), routing=asked)
        assert found.wrong == []
        count += len(found.breaches)
    return count


@pytest.mark.parametrize("rounding", [0, 5])
def test_a_statement_asked_of_some_tells_nothing_of_how_many_they_are(rounding: int) -> None:
    """Its base is the number of those who were asked: without the description of the wave the release gives it away."""
    given_away = False
    for seed in (2, 4, 8):
        own = invent(seed, skips=False).routed("alone", "job", ["nurse"])
        described = [described_as(wave, ("nurse",)) for wave in own.surveyed]
        assert narrowed(own, rounding, described) == 0
        given_away = given_away or narrowed(own, rounding, []) > 0
    assert given_away


def test_of_two_routes_by_one_variable_both_must_hold() -> None:
    both = Routes.by_wave(
        [described_as("first", ("nurse", "clerk"), ("clerk", "nurse", "cook"), ("nurse", "cook"))]
    )
    assert both == Routes.by_wave([described_as("first", ("nurse",))])


def described_as(wave: str, *jobs: tuple[str, ...]) -> HarmonisingPart:
    """Describe a wave in which people of some jobs only were asked one statement."""
    routing = tuple(Routing(items=("alone",), asked_of={"job": one}) for one in jobs)
    return HarmonisingPart.model_construct(
        wave=wave, layouts={}, files=(), codings={}, crosswalk=(), variables={}, organisation=None,
        routing=routing, items={},
    )  # fmt: skip


@pytest.mark.parametrize("seed", ATTACKED[:4])
def test_no_note_or_status_says_what_a_group_answered(seed: int) -> None:
    own = study(seed)
    assert telling(released(seed, 5).tables, [*own.organisations, "not_stated"]) == []


def test_a_variant_that_leaves_out_few_is_not_released() -> None:
    """The one respondent on paper is in no difference between two released numbers."""
    own = invent(3, sizes=(15, 30), skips=False)
    paper = own.responses[(own.responses["mode"] == "paper") & own.responses["organisation"].notna()]
    assert len(paper)
    people = {(row.wave, row.organisation): 1 for row in paper.itertuples()}
    tables = own.released(Rule(rounding=5)).tables
    assert (tables["sensitivity"]["variant"] == "only: Web").any()
    assert (
        left_out(tables, "a", 4, sizes=dict.fromkeys(people, (15, 30)), people=people, variant="only: Web")
        == {}
    )


def test_a_further_wave_tells_nothing_of_an_earlier_one() -> None:
    """With and without its last wave, a study's counts are rounded alike."""
    own = invent(0)
    last = list(own.surveyed)[-1]
    rows = np.flatnonzero(own.responses["wave"] == last)
    before = own.without(rows)
    before = Invented(
        before.responses, before.missing, {wave: who for wave, who in own.surveyed.items() if wave != last}
    )
    one, other = (each.released(Rule(rounding=5), models=False).tables for each in (before, own))
    for name in ("item_frequencies", "item_summary", "respondents"):
        kept = other[name][other[name]["wave"] != last].reset_index(drop=True)
        pd.testing.assert_frame_equal(one[name], kept)


# --- the stranger finds what is not protected -----------------------------------------------------------------------


@cache
def unprotected() -> tuple[Invented, dict[str, pd.DataFrame]]:
    own = invent(**UNPROTECTED)
    return own, own.statistics()


def exactly(found: list[Breach]) -> float:
    answers = [one for one in found if one.name[0] == "n"]
    return sum(one.exactly for one in answers) / max(len(answers), 1)


def test_alpha_at_all_digits_gives_withheld_counts_back() -> None:
    """Small organisations, counts rounded by themselves; beside them alpha, alpha if dropped, item-rest correlation."""
    own, tables = unprotected()
    shown = rounded_alone(tables)
    counts, joined = (
        attacked(own, [Release(shown, Method(5, derived=False))], joins) for joins in ((), ("variances",))
    )
    few = [one for one in joined.breaches if one.name[0] == "n" and one.name[1] != "alone"]
    assert len(joined.breaches) > 2 * len(counts.breaches)
    assert sum(one.exactly for one in few) > 0.3 * len(few)


def test_means_at_all_digits_give_withheld_counts_back() -> None:
    own, tables = unprotected()
    shown = rounded_alone(tables)
    counts, joined = (
        attacked(own, [Release(shown, Method(5, derived=False))], joins) for joins in ((), ("means",))
    )
    assert len(joined.breaches) > len(counts.breaches)


def test_a_variant_gives_back_the_one_respondent_on_paper() -> None:
    own = invent(3, sizes=(15, 30), skips=False)
    sizes = own.responses.groupby(["wave", "organisation"]).size()
    paper = own.responses[(own.responses["mode"] == "paper") & own.responses["organisation"].notna()]
    people = {(row.wave, row.organisation): 1 for row in paper.itertuples()}
    tables, right = own.statistics(), 0
    for scale in ("a", "b"):
        items = [one for one, key in own.keys.items() if key.scale == scale]
        found = left_out(
            tables,
            scale,
            len(items),
            sizes={cell: (n, n) for cell, n in sizes.items()},
            people=people,
            variant="only: Web",
        )
        for row in paper.to_dict("records"):
            low, high = found[row["wave"], row["organisation"]]
            total = sum(row[one] if own.keys[one].key > 0 else 6 - row[one] for one in items)
            assert low <= total <= high
            right += high - low < 1
    assert right == 2 * len(paper)


def test_a_note_that_everyone_answered_alike_gives_their_answer_back() -> None:
    own = invent(1, sizes=(12, 20), skips=False)
    responses = own.responses.copy()
    place = (responses["wave"] == "w1") & (responses["organisation"] == "north")
    responses["a3"] = responses["a3"].mask(place, 5)
    own = own.changed(responses, own.missing)
    shown = rounded_alone(own.statistics(models=False))
    assert ("reliability", "north", "ok: everyone answered alike: a3") in telling(shown, ["north"])
    wave, found = Wave(Release(shown, Method(5)), "w1", own.keys), Stranger()
    read(wave, found)
    others = [found.place["n", "a3", "north", answer] for answer in range(1, 5)]
    found.propagate()
    assert any(found.high[one] > 0 for one in others)
    join_words(wave, found)
    assert all(found.high[one] == 0 for one in others)


def test_the_hash_of_an_unreleased_table_confirms_a_guess() -> None:
    guesses = {n: pd.DataFrame({"rows_set_aside": [n]}).to_csv(index=False).encode() for n in range(10)}
    told = [f'{{"sha256": "{hashlib.sha256(guesses[3]).hexdigest()}"}}']
    assert confirmed(told, guesses) == {3: "sha256"}
    assert confirmed([told[0][::-1]], guesses) == {}


def test_two_releases_give_a_late_return_back() -> None:
    """Which is why the ledger refuses the second: totals are exact in both."""
    own = invent(1)
    one, other = (each.released(Rule(rounding=5), models=False).tables for each in (own.without([7]), own))
    late = own.responses.loc[7]
    found = newcomer(one, other)
    items = [item for item in own.keys if pd.notna(late[item])]
    assert {item: found[late["wave"], item] for item in items} == {
        item: [(int(late[item]), 1)] for item in items
    }


@pytest.mark.parametrize("rules", [((5, 5), (3, 5)), ((0, 5), (0, 10))])
def test_two_rules_for_the_same_returns_tell_more_than_one(rules: tuple[tuple[int, int], ...]) -> None:
    """Bases 5 and 3, thresholds 5 and 10: which is why the ledger refuses the second."""
    own = study(6)
    both = [
        Release(
            own.released(Rule(rounding=rounding, threshold=threshold), models=False).tables,
            Method(rounding, threshold),
        )
        for rounding, threshold in rules
    ]
    alone = attacked(own, both[:1], ())
    assert len(attacked(own, both, ()).breaches) > len(alone.breaches)


def test_a_deterministic_rounding_can_be_undone() -> None:
    """Of all tables that may be behind three counts and their exact total, nearest rounding leaves few."""
    true, base = (1, 7, 4), 5
    near = [range(max(0, base * round(n / base) - 4), base * round(n / base) + 5) for n in true]
    tables = [one for one in itertools.product(*near) if sum(one) == sum(true)]

    def nearest(table: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(base * round(n / base) for n in table)

    left = inverted(nearest(true), tables, nearest)
    assert true in left
    assert len({one[0] for one in left}) < base <= len({one[0] for one in tables})
