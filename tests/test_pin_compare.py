"""Which numbers moved between two versions of the released tables."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surveywaves.catalogue import STATISTICS
from surveywaves.pin.changes import Comparison, Kind, compare, row_names
from surveywaves.pin.manifest import TOLERANCE
from surveywaves.pin.verify import frames


def text(rows: list[dict[str, object]]) -> pd.DataFrame:
    return pd.DataFrame(rows).astype("str")


def counts(**cells: object) -> pd.DataFrame:
    row = {"wave": "first", "organisation": "all", "item": "a", "response": 4, "n": 12, "percent": 24.0}
    return text([{**row, "status": "ok", **cells}])


def means(*rows: dict[str, object]) -> pd.DataFrame:
    base = {"analysis": "linear", "scale": "trust", "wave": "first", "organisation": "all", "term": "emmean"}
    return text([{**base, "estimate": 3.25, "n": 40, "status": "ok", "note": "", **row} for row in rows])


def found(name: str, old: pd.DataFrame, new: pd.DataFrame, **options: object) -> Comparison:
    return compare({name: old}, {name: new}, **options)


def kinds(comparison: Comparison) -> list[str]:
    return comparison.changes["kind"].tolist()


def test_a_table_is_as_itself() -> None:
    comparison = found("item_frequencies", counts(), counts())
    assert (comparison.changes.empty, comparison.fails, comparison.within) == (True, False, 0)
    assert (comparison.tables, comparison.numbers) == (1, 3)


def test_a_count_may_not_move_by_one_however_large_it_is() -> None:
    comparison = found("item_frequencies", counts(n=10_000_000), counts(n=10_000_001))
    change = comparison.changes.iloc[0]
    assert comparison.fails
    assert (change["kind"], change["column"], change["old"], change["new"]) == (
        "moved",
        "n",
        "10000000",
        "10000001",
    )
    assert change["key"] == "wave=first; organisation=all; item=a; response=4"
    assert change["relative_change"] == pytest.approx(1e-7)


@settings(deadline=None)  # no clock: machines are busy
@given(st.floats(-1e6, 1e6).filter(lambda number: number != int(number)), st.floats(-3, 3))
def test_an_estimate_may_move_by_the_tolerance_and_no_further(number: float, steps: float) -> None:
    allowed = TOLERANCE.absolute + TOLERANCE.relative * abs(number)
    moved = number + steps * allowed
    comparison = found("means", means({"estimate": repr(number)}), means({"estimate": repr(moved)}))
    if abs(abs(steps) - 1) > 1e-3:
        assert comparison.fails == (abs(steps) > 1)
        assert comparison.within == (repr(moved) != repr(number) and abs(steps) < 1)


def test_a_number_that_is_withheld_now_has_moved() -> None:
    for old, new in (("12", ""), ("", "12"), ("0.5", ""), ("inf", "1e9")):
        comparison = found("item_frequencies", counts(n=old), counts(n=new))
        assert kinds(comparison) == ["moved"], (old, new)
        assert comparison.changes["relative_change"].isna().all()


def test_words_must_be_the_same() -> None:
    comparison = found("means", means({"note": "left out: 3"}), means({"note": "left out: 4"}))
    assert comparison.changes["column"].tolist() == ["note"]
    assert comparison.fails


def test_rows_are_matched_by_their_key_wherever_they_stand() -> None:
    rows = [{"wave": wave, "estimate": number} for wave, number in (("a", 1.5), ("b", 2.5), ("c", 3.5))]
    comparison = found("means", means(*rows), means(*rows[::-1]))
    assert comparison.changes.empty
    comparison = found("means", means(*rows), means(rows[2], {**rows[0], "estimate": 9.5}))
    assert comparison.changes[["kind", "key"]].to_numpy().tolist() == [
        ["moved", "analysis=linear; scale=trust; wave=a; organisation=all; term=emmean"],
        ["gone", "analysis=linear; scale=trust; wave=b; organisation=all; term=emmean"],
    ]


def test_a_table_or_column_that_is_gone_fails_and_one_that_is_new_does_not() -> None:
    both = {"means": means({}), "item_frequencies": counts()}
    less = compare(both, {"means": means({})})
    assert (kinds(less), less.fails) == (["gone"], True)
    more = compare({"means": means({})}, both)
    assert (kinds(more), more.fails) == (["new"], False)
    narrower = found("means", means({}), means({}).drop(columns="n"))
    assert (kinds(narrower), narrower.changes["column"].tolist(), narrower.fails) == (["gone"], ["n"], True)
    wider = found("means", means({}).drop(columns="n"), means({}))
    assert (kinds(wider), wider.fails) == (["new"], False)


def test_a_table_that_no_version_knows_is_still_compared() -> None:
    old, new = text([{"a": "x", "b": 1}, {"a": "x", "b": 1}]), text([{"a": "x", "b": 1}, {"a": "x", "b": 2}])
    comparison = found("of_tomorrow", old, new)
    assert kinds(comparison) == ["gone", "new"]
    assert found("of_tomorrow", old, old).changes.empty


def test_an_empty_table_is_compared() -> None:
    empty = means({}).iloc[:0]
    assert found("means", empty, empty).changes.empty
    assert kinds(found("means", empty, means({}))) == ["new"]
    assert kinds(found("means", means({}), empty)) == ["gone"]


def test_the_number_of_returns_tells_rows_of_a_plan_apart_but_is_a_result_elsewhere() -> None:
    plan = {"scale": "trust", "wave": "third - first", "organisation": "a", "note": ""}
    power = [{**plan, "term": "power", "n": n, "estimate": n / 1000} for n in (100, 200)]
    needed = {**plan, "term": "returns_needed", "n": 880, "estimate": 880.0}
    assert found("planning", text([*power, needed]), text([*power, needed])).changes.empty
    moved = found("planning", text([*power, needed]), text([*power, {**needed, "n": 881, "estimate": 881.0}]))
    assert moved.changes[["kind", "key", "column"]].to_numpy().tolist() == [
        ["moved", "scale=trust; wave=third - first; organisation=a; term=returns_needed", "n"],
        ["moved", "scale=trust; wave=third - first; organisation=a; term=returns_needed", "estimate"],
    ]
    fewer = found("planning", text([*power, needed]), text([power[0], needed]))
    assert fewer.changes["key"].tolist() == [
        "scale=trust; wave=third - first; organisation=a; term=power; n=200"
    ]


# --- a wave more ----------------------------------------------------------------------------------------------


def test_what_is_a_waves_own_may_not_move_with_a_new_wave() -> None:
    comparison = found("item_frequencies", counts(n=12), counts(n=13), added=["second"])
    assert (kinds(comparison), comparison.fails) == (["moved"], True)


def test_models_over_all_waves_are_estimated_again_with_a_new_wave() -> None:
    new = means({"estimate": 3.3}, {"wave": "second"})
    comparison = found("means", means({"estimate": 3.25}), new, added=["second"])
    assert (kinds(comparison), comparison.fails) == (["re-estimated", "new"], False)
    assert found("means", means({"estimate": 3.25}), new).fails


@pytest.mark.parametrize(
    ("wave", "term", "statuses", "kind"),
    [
        ("first", "alpha", ("ok", "ok"), Kind.MOVED),
        ("second - first", "alpha_difference", ("ok", "ok"), Kind.MOVED),
        ("all", "alpha", ("ok", "ok"), Kind.RE_ESTIMATED),
        ("first", "floor", ("ok", "ok"), Kind.MOVED),
        ("first", "floor", ("ok", "withheld"), Kind.RE_ESTIMATED),
        ("first", "ceiling", ("withheld", "ok"), Kind.RE_ESTIMATED),
        ("first", "alpha", ("ok", "withheld"), Kind.MOVED),
    ],
)
def test_reliability_of_earlier_waves_is_their_own(
    wave: str, term: str, statuses: tuple[str, str], kind: Kind
) -> None:
    old, new = (
        text(
            [
                {"scale": "trust", "item": "", "wave": wave, "organisation": "all", "term": term}
                | {"estimate": estimate, "status": status}
            ]
        )
        for estimate, status in zip((0.5, 0.6), statuses, strict=True)
    )
    assert set(kinds(found("reliability", old, new, added=["third"]))) == {kind}


# --- real results ---------------------------------------------------------------------------------------------


def test_every_released_table_has_a_key_and_the_key_tells_its_rows_apart(finished: Path) -> None:
    tables = frames(finished / "results/released")
    assert set(tables) == set(STATISTICS)
    for name, frame in tables.items():
        assert set(STATISTICS[name].key) <= set(frame), name
        assert len(frame) > 0, name
        (names,) = row_names(name, frame)
        assert not [row for row in names if row.endswith(" (2)") and row.removesuffix(" (2)") in names], name
