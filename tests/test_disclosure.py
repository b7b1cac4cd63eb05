"""Counts on release: exact for all, rounded at random or withheld by organisation, and nothing given back."""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counted import FAVOURABLE, POINTS, Tables, counted, keys, one_wave, random_study
from sampled import compare_study
from surveywaves.disclosure import Comparing, Publication, Released, Rule, audit, from_counts, release
from surveywaves.disclosure.audit import Joint, Known, Sizes, Small, Tie, interval, small_counts
from surveywaves.disclosure.from_counts import smallest_of_all
from surveywaves.disclosure.rounding import Crossed, draw
from surveywaves.disclosure.suppressed import Part, chosen
from surveywaves.errors import StudyError
from surveywaves.files import write
from surveywaves.mixed.compare import judge_items
from surveywaves.sample import Sample, Scale

COUNTS = ("item_frequencies", "item_summary", "respondents", "response_rates", "missing")
ITEMS = ("q1", "q2", "q3")
WAVES = ({"north": 61, "south": 43, "east": 17, "": 12}, {"north": 52, "south": 48, "east": 20})


@cache
def study(seed: int = 0) -> Tables:
    return counted(*random_study(seed, WAVES), ITEMS)


@cache
def released(seed: int = 0, **rule: Any) -> Released:
    return release(study(seed), instrument=keys(ITEMS), rule=Rule(**rule))


# --- rounding a table -----------------------------------------------------------------------------------------------


def crossed(counts: np.ndarray, hidden: int = 1) -> Crossed:
    """Responses, the last two of them favourable, and those who did not answer, who are not shown."""
    columns = counts.shape[1]
    sums = np.zeros((2, columns), dtype=np.bool_)
    sums[0, : columns - hidden] = sums[1, columns - hidden - 2 : columns - hidden] = True
    return Crossed.of(counts, sums, hidden=hidden)


def drawn(table: Crossed, base: int, seed: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Round sizes and table; None if there is no such table."""
    rng = np.random.default_rng(seed)
    sizes = draw(Crossed.of(table.counts.sum(axis=1)[:, None]), base, rng)
    assert sizes is not None
    cells = draw(table, base, rng, sizes=sizes[:, 0])
    return None if cells is None else (sizes[:, 0], cells)


tables = st.tuples(
    st.integers(2, 4), st.integers(0, 10**6), st.sampled_from([3, 5, 10]), st.sampled_from([6, 30, 80])
)


@given(tables)
@settings(max_examples=60, deadline=None)
def test_counts_go_to_the_next_multiple_and_add_up(given_: tuple[int, int, int, int]) -> None:
    rows, seed, base, most = given_
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, most, (rows, 6)) * (rng.random((rows, 6)) < 0.8)
    table = crossed(counts)
    if (found := drawn(table, base, seed)) is None:
        return
    sizes, cells = found
    seen = ~table.hidden
    assert (cells % base == 0).all()
    assert (cells.sum(axis=1) == sizes).all()
    for true, shown in ((counts[:, seen], cells[:, seen]), (table.summed, cells @ table.sums.T)):
        assert (np.abs(shown - true) < base).all()
        assert (shown[true % base == 0] == true[true % base == 0]).all()
        totals, parts = true.sum(axis=0), shown.sum(axis=0)
        assert (parts - totals < base).all()
        # More than there are is shown only of two organisations or more, so that neither is told.
        assert ((shown > 0).sum(axis=0)[parts > totals] >= 2).all()
    assert (np.abs((cells - counts)[:, seen].sum(axis=0)) < base).all()


def test_what_is_shown_is_right_on_average() -> None:
    counts = np.array([[13, 27, 8, 41, 32, 4], [22, 9, 16, 38, 53, 6], [7, 11, 12, 19, 6, 3]])
    table = crossed(counts)
    every = [found[1] for seed in range(600) if (found := drawn(table, 5, seed)) is not None]
    assert len(every) == 600
    off = np.array(every).mean(axis=0) - counts
    error = np.array(every).std(axis=0) / np.sqrt(len(every))
    assert (np.abs(off)[:, :-1] < 4 * error[:, :-1] + 0.15).all()


@pytest.mark.parametrize(
    ("parts", "never"), [([6, 0, 0], [10, 0, 0]), ([4, 4], [0, 0]), ([3, 1, 0], [5, 0, 0]), ([8, 1], [10, 0])]
)
def test_an_exact_total_never_gives_its_parts_back(parts: list[int], never: list[int]) -> None:
    table = Crossed.of(np.array(parts)[:, None])
    shown = {tuple(draw(table, 5, np.random.default_rng(seed))[:, 0]) for seed in range(60)}  # type: ignore[index]
    assert shown
    assert tuple(never) not in shown
    for one in shown:
        low, high = interval(np.array(one), 5)
        fits = [
            true
            for true in itertools.product(
                *(range(int(a), int(b) + 1) for a, b in zip(low, high, strict=True))
            )
            if sum(true) == sum(parts)
        ]
        for place in range(len(parts)):
            assert len({true[place] for true in fits}) >= min(5, sum(parts) + 1)


def possible(table: Crossed, cells: np.ndarray, sizes: np.ndarray, base: int) -> np.ndarray:
    """List all tables that a reader cannot rule out, by trying them all: (T, O, C) without those who did not answer."""
    seen = ~table.hidden
    low, high = interval(cells[:, seen], base)
    rows = []
    for own_low, own_high, shown, size in zip(low, high, cells[:, seen], sizes, strict=True):
        ranges = [np.arange(a, b + 1) for a, b in zip(own_low, own_high, strict=True)]
        every = np.stack(np.meshgrid(*ranges, indexing="ij"), axis=-1).reshape(-1, len(ranges))
        for members in table.sums[:, seen]:
            least, most = interval(np.array([shown[members].sum()]), base)
            total = every[:, members].sum(axis=1)
            every = every[(total >= least[0]) & (total <= most[0])]
        rows.append(every[every.sum(axis=1) <= size + base - 1])
    totals = table.counts[:, seen].sum(axis=0)
    first, second = rows
    index = {tuple(one) for one in second}
    fits = np.array([one for one in first if tuple(totals - one) in index])
    return np.stack([fits, totals - fits], axis=1)


def narrowed(table: Crossed, cells: np.ndarray) -> list[bool]:
    """Say of each small count whether the audit finds that it is told too closely, sizes known."""
    small, size = list(small_counts(table, 5, 5)), table.counts.sum(axis=1)
    asked = [(0, one) for one in small]
    found = audit.narrowed([Known.rounded(table, cells, 5)], [Sizes(size, size, size)], asked)
    return np.isin(np.arange(len(small)), list(found)).tolist()


def test_the_audit_finds_every_small_count_that_is_told_too_closely_and_no_other() -> None:
    """Of tables rounded anyhow, against all tables that there can be; two organisations and three responses."""
    exchanges = 0
    told = fine = 0
    for seed in range(200):
        rng = np.random.default_rng([7, seed])
        counts = np.column_stack([rng.integers(0, rng.choice([5, 9, 20]), (2, 3)), rng.integers(0, 3, 2)])
        table = crossed(counts)
        cells = 5 * (counts // 5 + (rng.random(counts.shape) < counts % 5 / 5))
        if (np.abs(cells @ table.sums.T - table.summed) >= 5).any():
            continue
        every = possible(table, cells, counts.sum(axis=1) - 4, 5)
        few = [
            len(np.unique(every[:, one.row, one.members[:3]].sum(axis=1))) < one.enough
            for one in small_counts(table, 5, 5)
        ]
        assert narrowed(table, cells) == few
        exchanged = Known.rounded(table, cells, 5).exchanged(list(small_counts(table, 5, 5)))
        assert not (exchanged & np.array(few, dtype=np.bool_)).any()
        exchanges += exchanged.sum()
        told += sum(few)
        fine += not any(few)
    assert told > 30
    assert fine > 30
    assert exchanges > 30


def test_organisations_of_all_pairs_at_once_may_have_people_of_each_other() -> None:
    """What one may have of the other moves in some column; no other number is then shown differently."""
    moved = 0
    for seed in range(50):
        rng = np.random.default_rng([8, seed])
        table = crossed(rng.integers(0, 12, (6, 5)))
        if (found := drawn(table, 5, seed)) is None:
            continue
        known = Known.rounded(table, found[1], 5)
        swap, counts = known.swap().astype(int), table.counts.copy()
        for one, two in ((0, 1), (2, 3), (5, 4)):
            fits = []
            for column in range(5):
                other = counts.copy()
                other[[one, two], column] += np.array([1, -1]) * swap[one, two]
                sums = other @ table.sums.T
                inside = (known.low <= other) & (other <= known.high)
                if inside.all() and ((known.sum_low <= sums) & (sums <= known.sum_high)).all():
                    fits.append(other)
            counts = fits[0]
            moved += swap[one, two]
    assert moved > 100


def test_many_organisations_are_drawn_in_blocks_and_add_up_all_the_same() -> None:
    rng = np.random.default_rng(9)
    shares = [0.1, 0.15, 0.2, 0.3, 0.24, 0.01]
    counts = np.stack([rng.multinomial(n, shares) for n in rng.integers(15, 80, 60)])
    table, blocks = crossed(counts), np.arange(60) % 8
    off = []
    for _ in range(30):
        sizes = draw(Crossed.of(counts.sum(axis=1)[:, None]), 5, rng, blocks=blocks)
        assert sizes is not None
        cells = draw(table, 5, rng, sizes=sizes[:, 0], blocks=blocks)
        assert cells is not None
        assert (cells.sum(axis=1) == sizes[:, 0]).all()
        for true, shown in ((counts[:, :5], cells[:, :5]), (table.summed, cells @ table.sums.T)):
            assert (np.abs(shown - true) < 5).all()
            assert ((shown - true).sum(axis=0) < 5).all()
        off.append(cells - counts)
    assert (np.abs(np.mean(off, axis=(0, 1))) < 0.1).all()


def test_where_a_block_cannot_have_the_sums_drawn_others_are_drawn() -> None:
    """Of 20 draws, 8 are found if what moves least is all that moves."""
    unfavourable, favourable = (
        [10, 3, 8, 6, 3, 4, 2, 6, 4, 4, 6, 4],
        [18, 22, 19, 15, 10, 10, 15, 23, 9, 13, 12, 15],
    )
    sizes = np.array([30, 25, 25, 20, 15, 15, 15, 25, 15, 20, 20, 15])
    table = Crossed.of(
        np.column_stack([[0] * 12, unfavourable, favourable, [0] * 12]),
        np.array([[True, True, True, False], [False, False, True, False]]),
        hidden=1,
    )
    drawn = [
        draw(table, 5, np.random.default_rng(seed), sizes=sizes, blocks=np.arange(12) % 3)
        for seed in range(20)
    ]
    found = [cells for cells in drawn if cells is not None]
    assert len(found) > 10
    assert all((cells.sum(axis=1) == sizes).all() for cells in found)


def test_declared_impossible_counts_protect_nobody() -> None:
    counts = np.array([[2, 30, 4], [0, 40, 5]])
    open_ = Crossed.of(counts, hidden=1)
    closed = Crossed.of(counts, hidden=1, possible=np.array([[True, True, True], [False, True, True]]))
    cells = np.array([[0, 30, 5], [0, 40, 5]])
    assert Known.rounded(closed, cells, 5).high[1, 0] == 0
    # The total tells who they are: nothing of theirs can be kept open.
    assert not any(narrowed(closed, cells))
    assert Known.rounded(open_, cells, 5).high[1, 0] == 4


def test_somebody_who_is_declared_impossible_is_said_in_one_line() -> None:
    rule = Rule(impossible=({"organisation": "south", "job": "clerk"},))
    with pytest.raises(
        StudyError, match="the data have somebody with organisation: south, job: clerk"
    ) as error:
        release(study(), instrument=keys(ITEMS), rule=rule)
    assert len(str(error.value).splitlines()) == 1
    rule = Rule(impossible=({"organisation": "south", "job": "nurse"},))
    out = release(study(), instrument=keys(ITEMS), rule=rule)
    assert set(out.tables) == set(study())


# --- a released study -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rounding", [0, 5])
def test_all_respondents_together_are_exact(rounding: int) -> None:
    for seed in range(3):
        out = released(seed, rounding=rounding).tables
        for name in ("item_frequencies", "item_summary", "respondents"):
            before = study(seed)[name]
            whole = before["organisation"] == "all"
            if name == "respondents":
                whole &= before["variable"] != "organisation"
            before = before.assign(**{one: before[one].round(12) for one in ("mean", "sd") if one in before})
            shown = out[name].loc[whole, before.columns.difference(["status"])]
            pd.testing.assert_frame_equal(
                shown, before.loc[whole, shown.columns], check_dtype=False, check_exact=True
            )
        for name in ("missing", "response_rates"):
            pd.testing.assert_frame_equal(
                out[name][list(study(seed)[name])], study(seed)[name], check_dtype=False
            )
        ends = out["reliability"].query("organisation == 'all'")["estimate"]
        true = study(seed)["reliability"].query("organisation == 'all'")["estimate"].tolist()
        # beside the counts that suppression shows, the number at an end of a scale tells of an organisation
        assert ends.tolist() == true if rounding else ends.isna().all()


@pytest.mark.parametrize("base", [3, 5, 10])
def test_counts_by_organisation_are_multiples_that_add_up_to_one_size(base: int) -> None:
    shown_rows = 0
    for seed in range(3):
        out = released(seed, rounding=base).tables
        rows = out["item_frequencies"].query("organisation != 'all'").dropna(subset=["n"])
        before = study(seed)["item_frequencies"].loc[rows.index]
        assert (rows["n"] % base == 0).all()
        assert (np.abs(rows["n"] - before["n"]) < base).all()
        assert (np.abs(rows["base"] - before["base"]) < base).all()
        groups = rows.groupby(["wave", "organisation", "item"])
        assert (groups["n"].sum() == groups["base"].first()).all()
        filled = rows[rows["base"] > 0]
        assert np.allclose(filled["percent"], (100 * filled["n"] / filled["base"]).astype(float))
        people = out["respondents"]
        size = people.query("variable == 'organisation'").set_index(["wave", "level"])["n"]
        assert (size % base == 0).all()
        for (wave, one, _), whole in groups["base"].first().items():
            assert whole <= size[wave, one]
        jobs = people.query("variable == 'job' and organisation != 'all'").dropna(subset=["n"])
        for (wave, one), n in jobs.groupby(["wave", "organisation"])["n"].sum().items():
            assert n == size[wave, one]
        summary = (
            out["item_summary"].query("organisation != 'all'").set_index(["wave", "organisation", "item"])
        )
        for place, own in groups:
            values, n = own["response"].to_numpy(), own["n"].to_numpy(dtype=float)
            if n.sum() > 1:
                assert summary.loc[place, "mean"] == pytest.approx(np.average(values, weights=n))
            assert summary.loc[place, "favourable_n"] == n[-2:].sum()
        shown_rows += len(rows)
    assert shown_rows > 200 or base == 10


def test_what_all_tables_show_of_the_same_people_is_the_same_number() -> None:
    """Everybody answered: the base of an item is the size of the organisation."""
    counts = {"a": [13, 12, 11, 9, 7], "b": [21, 14, 8, 12, 18], "": [9, 4, 3, 6, 1]}
    tables, instrument = one_wave(counts)
    out = release(tables, instrument=instrument, rule=Rule()).tables
    size = out["respondents"].query("variable == 'organisation'").set_index("level")["n"]
    job = out["respondents"].query("variable == 'job' and level == 'clerk'").set_index("organisation")["n"]
    base = out["item_frequencies"].groupby("organisation")["base"].first()
    for one in ("a", "b", "not_stated"):
        assert size[one] == job[one] == base[one]


def test_no_more_stand_at_an_end_of_a_scale_than_gave_that_answer() -> None:
    shown = 0
    for seed in range(6):
        out = released(seed).tables
        ends = out["reliability"].query("organisation != 'all'").dropna(subset=["estimate"])
        frequencies = (
            out["item_frequencies"].set_index(["wave", "organisation", "response", "item"]).sort_index()["n"]
        )
        for row in ends.itertuples():
            n = frequencies[row.wave, row.organisation, 1 if row.term == "floor" else POINTS]
            assert row.estimate * row.n / 100 <= n.dropna().min() + 1e-6
            shown += 1
    assert shown > 10


def test_nothing_but_the_size_is_shown_of_a_group_that_may_be_too_small() -> None:
    tables, instrument = one_wave({"a": [2, 1, 1, 2, 1], "b": [20, 10, 10, 10, 10], "c": [9, 9, 9, 9, 9]})
    out = release(tables, instrument=instrument, rule=Rule()).tables
    for name in ("item_frequencies", "item_summary", "respondents"):
        own = out[name].query("organisation == 'a'")
        assert set(own["status"]) == {"withheld"}
        numbers = own.select_dtypes("number").drop(columns=["response"], errors="ignore")
        assert numbers.isna().all(axis=None)
    sizes = out["respondents"].query("variable == 'organisation'").set_index("level")
    assert sizes.loc["a", "n"] in (5, 10)
    assert sizes.loc["a", "status"] == "ok"
    assert out["item_frequencies"].query("organisation == 'b'")["n"].notna().all()


@pytest.mark.parametrize("rounding", [0, 5])
def test_of_a_wave_of_few_returns_only_their_number_is_shown(rounding: int) -> None:
    both = counted(*random_study(3, [{"north": 5, "south": 4}, WAVES[1]]), ITEMS)
    out = release(both, instrument=keys(ITEMS), rule=Rule(rounding=rounding)).tables
    assert out["response_rates"]["returns"].tolist() == [9, 120]
    for name in ("item_frequencies", "item_summary", "respondents", "missing"):
        own = out[name].query("wave == 'w0'")
        assert set(own["status"]) == {"withheld"}
        columns = {"n", "percent", "base", "mean", "sd", "favourable_n", "returns"} & set(own)
        assert own[sorted(columns)].isna().all(axis=None)
        assert out[name].query("wave == 'w1'")["status"].eq("ok").any()


@pytest.mark.parametrize("rounding", [0, 5])
def test_a_wave_of_one_organisation_is_exact(rounding: int) -> None:
    one = counted(*random_study(4, [{"north": 37}]), ITEMS)
    out = release(one, instrument=keys(ITEMS), rule=Rule(rounding=rounding)).tables
    for name in ("item_frequencies", "respondents"):
        assert out[name]["n"].tolist() == one[name]["n"].tolist()


def test_public_data_are_released_as_they_are() -> None:
    out = released(public=True)
    assert out.sentence == "The data are public: every number is shown as it is."
    assert out.log.empty
    assert out.reasons.empty
    for name, before in study().items():
        pd.testing.assert_frame_equal(out.tables[name][list(before)], before, check_dtype=False)


# --- the draw -------------------------------------------------------------------------------------------------------


def sorted_by(table: pd.DataFrame) -> pd.DataFrame:
    names = [one for one in ("wave", "organisation", "item", "variable", "level", "response") if one in table]
    return table.sort_values(names).reset_index(drop=True)


@pytest.mark.parametrize("rounding", [0, 5])
def test_neither_order_nor_another_wave_moves_what_is_shown(rounding: int) -> None:
    rule, instrument = Rule(rounding=rounding), keys(ITEMS)
    both = released(rounding=rounding).tables
    mixed = {
        name: table.sample(frac=1, random_state=1).reset_index(drop=True)
        for name, table in study().items()
        if name not in ("respondents", "item_summary")
    }
    again = release({**study(), **mixed}, instrument=instrument, rule=rule).tables
    alone = release(
        {name: table[table["wave"] == "w1"].reset_index(drop=True) for name, table in study().items()},
        instrument=instrument,
        rule=rule,
    ).tables
    for name in ("item_frequencies", "respondents"):
        pd.testing.assert_frame_equal(sorted_by(again[name]), sorted_by(both[name]))
        own = both[name][both[name]["wave"] == "w1"].reset_index(drop=True)
        pd.testing.assert_frame_equal(alone[name], own)


def test_names_have_no_part_in_the_draw() -> None:
    names = {"north": "zenith", "south": "abyss", "east": "middle"}
    other = {name: table.replace(names) for name, table in study().items()}
    for table in other.values():
        for column in {"wave"} & set(table):
            table[column] = table[column].replace({"w0": "before", "w1": "after"})
    out = release(other, instrument=keys(ITEMS), rule=Rule()).tables
    for name in ("item_frequencies", "respondents"):
        assert out[name]["n"].tolist() == released().tables[name]["n"].tolist()


def test_one_answer_changes_the_whole_draw() -> None:
    """Who knows all but one answer and repeats the draw learns from the rest whether he guessed it."""
    responses, missing = random_study(0, WAVES)
    changed = responses.copy()
    place = changed.index[changed["q1"].notna()][0]
    changed.loc[place, "q1"] = 1 + changed.loc[place, "q1"] % POINTS
    out = release(counted(changed, missing, ITEMS), instrument=keys(ITEMS), rule=Rule()).tables
    rows = (out["item_frequencies"]["item"] == "q3") & (out["item_frequencies"]["wave"] == "w0")
    now, before = (one["item_frequencies"].loc[rows, "n"] for one in (out, released().tables))
    assert now.tolist() != before.tolist()


def test_released_bytes_are_the_same_every_time(tmp_path: Path) -> None:
    for run in ("one", "two"):
        out = release(study(), instrument=keys(ITEMS), rule=Rule())
        for name, table in out.tables.items():
            write(table, str(tmp_path / run / f"{name}.csv"))
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


# --- comparisons of items -------------------------------------------------------------------------------------------


def compared(responses: pd.DataFrame, effects: dict[str, float]) -> Tables:
    sample = Sample(responses, ("w0", "w1"), ("north", "south"), reference="w0").with_shares()
    scale = Scale("scale", ITEMS, dict.fromkeys(ITEMS, 1), (1, POINTS), FAVOURABLE)
    use = pd.DataFrame({"scale": ["scale"], "use": ["scale"], "reason": [""]})
    items = [Scale("scale", (item,), {item: 1}, (1, POINTS), FAVOURABLE) for item in ITEMS]
    found = compare_study(sample, [scale], items, use, **effects, min_cell=5)
    return {"item_contrasts": found.item_contrasts, "diagnostics": found.diagnostics}


EFFECTS = {"standardised_effect": 0.2, "percentage_points": 10.0}
HOW = Comparing(partial(judge_items, **EFFECTS, min_cell=5), ("w0", "w1"), ("north", "south"), reference="w0")


def full_study(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Counts of all answers by organisation are multiples of five: rounding leaves them as they are."""
    rng = np.random.default_rng(seed)
    frames = []
    for wave in ("w0", "w1"):
        for one in ("north", "south"):
            columns = {
                item: rng.permutation(np.repeat(np.arange(1, POINTS + 1), 5 * rng.multinomial(16, [0.2] * 5)))
                for item in ITEMS
            }
            frames.append(pd.DataFrame({"wave": wave, "organisation": one, "job": "clerk", **columns}))
    responses = pd.concat(frames, ignore_index=True).astype(dict.fromkeys(ITEMS, "Int8"))
    responses = responses.astype(dict.fromkeys(("wave", "organisation", "job"), "str"))
    responses.insert(0, "respondent", [str(one) for one in range(len(responses))])
    _, missing = random_study(0, [{"north": 80, "south": 80}] * 2)
    for name in (*ITEMS, "job"):
        missing[name] = pd.Categorical([None] * len(missing), dtype=missing[name].dtype)
    return responses, missing


def test_items_are_compared_from_released_counts_by_the_same_functions() -> None:
    responses, missing = full_study(1)
    before = compared(responses, EFFECTS)
    tables = counted(responses, missing, ITEMS) | before
    out = release(tables, instrument=keys(ITEMS), rule=Rule(), comparing=HOW).tables["item_contrasts"]
    true = before["item_contrasts"]
    assert len(out) == len(true) > 20
    assert out["n"].tolist() == true["n"].tolist()
    assert out["decision"].tolist() == true["decision"].tolist()
    # Digits are those that the uncertainty warrants.
    assert (np.abs(out["estimate"] - true["estimate"]) <= 0.06 * true["std_error"]).all()


def test_small_organisations_are_left_out_of_three_or_more_that_have_a_share() -> None:
    """As `surveywaves.mixed.contrasts` does: else an estimate of all staff that has them in it would be shown."""
    of_three = replace(HOW, organisations=("north", "south", "east"), smallest_of_all=10)
    sizes = pd.DataFrame({"wave": "w0", "organisation": "all", "variable": "organisation"}, index=range(3))
    sizes["level"] = of_three.organisations
    for n, least in (([30, 20, 5], 10), ([30, 20, 0], 0)):
        shares = dict(zip(of_three.organisations, map(float, n), strict=True))
        assert smallest_of_all(sizes.assign(n=n), of_three) == least
        assert smallest_of_all(sizes.assign(n=1), replace(of_three, shares=shares)) == least
    assert smallest_of_all(sizes.assign(n=1), None) == 0


def test_item_comparisons_do_not_change_with_what_rounding_hides() -> None:
    """Two studies of which the same counts are released have the same comparisons of items."""
    responses, missing = full_study(2)
    counts = release(counted(responses, missing, ITEMS), instrument=keys(ITEMS), rule=Rule()).tables
    one, two = compared(responses, EFFECTS), compared(responses.assign(q1=responses["q2"]), EFFECTS)
    found = [
        from_counts.compared(
            before["item_contrasts"], before["diagnostics"], counts, instrument=keys(ITEMS), how=HOW
        )[0]
        for before in (one, two)
    ]
    assert (one["item_contrasts"]["estimate"] != two["item_contrasts"]["estimate"]).any()
    pd.testing.assert_frame_equal(*found)


def test_items_whose_counts_are_withheld_are_not_compared() -> None:
    responses, missing = random_study(5, WAVES)
    before = compared(responses, EFFECTS)
    tables = counted(responses, missing, ITEMS) | before
    for rule in (Rule(rounding=0), Rule()):
        out = release(tables, instrument=keys(ITEMS), rule=rule, comparing=HOW).tables
        n = (
            out["item_frequencies"]
            .groupby(["wave", "organisation", "item"])["n"]
            .apply(lambda n: n.notna().all())
        )
        for row in out["item_contrasts"].itertuples():
            waves = row.wave.split(" - ")
            ones = ["north", "south"] if row.organisation == "all" else row.organisation.split(" - ")
            shown = all(n[wave, one, row.item] for wave in waves for one in ones)
            assert pd.notna(row.estimate) <= shown
            if not shown:
                assert row.status == "withheld"
    nothing = release(tables, instrument=keys(ITEMS), rule=Rule()).tables["item_contrasts"]
    assert nothing["estimate"].isna().all()


# --- suppression ----------------------------------------------------------------------------------------------------

SUPPRESSED = Rule(rounding=0)
EVEN = {"b": [20, 10, 10, 10, 10], "c": [9, 9, 9, 9, 9]}


def part(rows: np.ndarray) -> Part:
    """A table whose totals are known, and those of its rows: nobody is not shown."""
    table = Crossed.of(rows)
    small = [
        Small(int(row), np.arange(3) == column, span=(0, 5))
        for row, column in np.argwhere((rows > 0) & (rows < 5))
    ]
    return Part(table, np.ones(rows.shape), np.zeros((3, 0)), np.zeros(3, dtype=np.bool_), small)


@pytest.mark.parametrize("seed", range(3))
def test_blocks_of_organisations_prove_what_all_together_prove(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(seed)
    size = rng.integers(4, 18, 16)
    sums = np.array([[True, True, True, False], [False, False, True, False]])
    known = []
    for chance in ([0.2, 0.3, 0.45, 0.05], [0.0, 0.02, 0.98, 0.0], [0.5, 0.0, 0.5, 0.0]):
        table = Crossed.of(rng.multinomial(size, chance), sums, hidden=1)
        nearest = 3 * np.rint(table.counts / 3).astype(np.intp)
        known.append(Known.rounded(table, nearest, 3, silent=size < 7))
    pairs = np.arange(16).reshape(-1, 2)
    readers = [Sizes(size, np.maximum(size - 1, 0), size + 1, one) for one in (pairs, np.roll(pairs, 1))]
    answered = np.min([one.table.summed[:, 0] for one in known], axis=0)
    everybody = np.array([True, True, True, False])
    tie = Tie(answered, 0.0 * size, np.full(16, np.inf), tuple((n, everybody) for n in range(len(known))))
    asked = [(n, count) for n, one in enumerate(known) for count in small_counts(one.table, 5, 5)]
    narrow = list(audit.narrowed(known, readers, asked, [tie]))
    assert 0 < len(narrow) < len(asked)
    for blocks in ((), (2,), (4, 8)):
        monkeypatch.setattr(audit, "BLOCKS", blocks)
        assert list(audit.narrowed(known, readers, asked, [tie])) == narrow


def test_one_small_count_in_a_table_takes_three_others_with_it() -> None:
    own = part(np.array([[2, 20, 30], [40, 50, 60], [70, 80, 90]]))
    size = own.table.counts.sum(axis=1)
    [hidden], known = chosen([own], Sizes(size, size, size))
    assert hidden.cells.sum() == 4
    assert not list(known.spans([(0, one) for one in own.small]))


@pytest.mark.parametrize("seed", range(4))
def test_no_cheaper_choice_is_safe(seed: int) -> None:
    """Against every subset of a small table."""
    own = part(np.random.default_rng(seed).integers(0, 12, (3, 3)))
    counts = own.table.counts
    size = counts.sum(axis=1)
    sizes = Sizes(size, size, size)
    [hidden], _ = chosen([own], sizes)
    asked = [(0, one) for one in own.small]

    def known(bits: np.ndarray) -> Joint:
        exact, nothing = (
            Known.rounded(own.table, counts, 1, silent=np.full(3, one)) for one in (False, True)
        )
        low, high = (np.where(bits, getattr(nothing, one), getattr(exact, one)) for one in ("low", "high"))
        return Joint([replace(exact, low=low, high=high)], sizes)

    for place, least, most in known(np.ones((3, 3), dtype=np.bool_)).spans(asked):
        asked[place] = 0, asked[place][1]._replace(span=(max(0, least), min(5, most)))
    safe = [
        sum(bits)
        for bits in np.ndindex(*[2] * 9)
        if not any(True for _ in known(np.reshape(bits, (3, 3)) > 0).spans(asked))
        and all(bits[3 * one.row + int(one.members.argmax())] for _, one in asked)
    ]
    assert hidden.cells.sum() == min(safe)


def shown(out: Released, organisation: str) -> list[int | None]:
    table = out.tables["item_frequencies"]
    n = table.loc[table["organisation"] == organisation, "n"]
    return [None if pd.isna(one) else int(one) for one in n]


def suppressed(sizes: dict[str, list[int]], **rule: Any) -> Released:
    tables, instrument = one_wave(sizes)
    return release(tables, instrument=instrument, rule=Rule(rounding=0, **rule))


def test_small_counts_are_withheld_and_others_shown_as_they_are() -> None:
    out = suppressed({"a": [1, 20, 10, 10, 10], "b": [20, 10, 10, 10, 10], "c": [30, 10, 10, 10, 10]})
    assert shown(out, "a")[0] is None
    assert [one for one in shown(out, "b") if one is not None] != []
    before = study()["item_frequencies"]
    after = released(rounding=0).tables["item_frequencies"]
    kept = after["n"].notna()
    assert (after.loc[kept, "n"] == before.loc[kept, "n"]).all()
    assert not after.query("organisation != 'all'")["n"].between(1, 4).any()


def test_that_everybody_of_a_group_answered_alike_is_withheld_and_can_be_allowed() -> None:
    sizes = {"a": [0, 0, 0, 30, 0], "b": [10, 10, 10, 10, 10], "c": [10, 10, 10, 10, 10]}
    assert shown(suppressed(sizes), "a")[3] is None
    assert shown(suppressed(sizes), "a").count(None) >= 2
    assert shown(suppressed(sizes, uniform=False), "a") == [0, 0, 0, 30, 0]


def test_zeros_are_shown_unless_the_study_withholds_them() -> None:
    sizes = {"a": [0, 30, 20, 10, 10], "b": [20, 10, 10, 10, 10], "c": [10, 10, 10, 10, 10]}
    assert shown(suppressed(sizes), "a")[0] == 0
    assert shown(suppressed(sizes, zeros=False), "a")[0] is None


def test_nothing_of_an_organisation_of_three_is_shown_and_its_size_does_not_follow() -> None:
    out = suppressed({"a": [1, 0, 0, 1, 1], **EVEN})
    assert shown(out, "a") == [None] * 5
    sizes = out.tables["respondents"].query("variable == 'organisation'").set_index("level")["n"]
    assert sizes[["a", "b", "c"]].isna().sum() == 2


def test_mean_and_sd_are_shown_only_where_every_response_is() -> None:
    out = released(rounding=0).tables
    rows = (
        out["item_frequencies"].groupby(["wave", "organisation", "item"])["n"].apply(lambda n: n.isna().any())
    )
    summary = out["item_summary"].set_index(["wave", "organisation", "item"])
    gone = rows.reindex(summary.index)
    assert gone.any()
    assert summary.loc[gone, ["mean", "sd"]].isna().all(axis=None)
    assert summary.loc[~gone & (summary["base"] > 1), ["mean", "sd"]].notna().all(axis=None)


def test_the_account_does_not_say_which_or_how_many_counts_are_small() -> None:
    for rounding in (0, 5):
        out = released(rounding=rounding)
        assert list(out.log) == ["table", "wave", "organisation", "subject", "what", "numbers", "why"]
        said = " ".join([out.sentence, *out.log["why"], *out.summary["what"], *out.summary["table"]])
        assert not any(word in said for word in ("primary", "complementary", "below"))
    out = released(rounding=0)
    gone = sum(int(out.tables[name]["n"].isna().sum()) for name in ("item_frequencies", "respondents"))
    counted_ = out.log[(out.log["what"] == "n") & out.log["table"].isin(COUNTS)]
    assert counted_["numbers"].sum() == gone
    assert f"{gone:,} of" in out.sentence
    assert {"primary", "complementary"} == set(out.reasons["reason"])


# --- weights --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rounding", [0, 5])
def test_a_weighted_number_is_no_finer_than_a_few_persons_of_the_largest_weight(rounding: int) -> None:
    tables, instrument = one_wave(
        {"a": [31, 22, 17, 12, 15], "b": [33, 25, 18, 14, 16], "c": [12, 30, 20, 10, 12]}
    )
    frequencies = tables["item_frequencies"].assign(weighted_percent=lambda of: of["percent"] + 0.1234)
    tables["item_frequencies"] = frequencies
    out = release(tables, instrument=instrument, rule=Rule(rounding=rounding)).tables["item_frequencies"]
    left = out.dropna(subset=["weighted_percent"])
    assert len(left) > 10
    for row in left.itertuples():
        step = next(step for step in (1, 2, 5, 10, 20) if step >= 100 * 5 / row.base)
        assert row.weighted_percent % step == 0
    assert out.loc[out["n"].isna() | (out["n"] < 10), "weighted_percent"].isna().all()


# --- what is in print -----------------------------------------------------------------------------------------------

AUDITED = (
    "table",
    "row",
    "field",
    "category",
    "quantity",
    "printed",
    "settled",
    "recomputed",
    "verdict",
    "evidence",
)


def printed(table: str, category: str, n: int) -> tuple[str, ...]:
    return (table, "1", "f", category, "count", str(n), str(n), str(n), "agrees", "why")


@pytest.mark.parametrize("rounding", [0, 5])
def test_the_audit_of_print_tells_no_size_that_is_not_in_print(rounding: int) -> None:
    """Counts of all respondents are recomputed exactly; sizes of organisations are not, unless they are printed."""
    tables, instrument = one_wave({"a": [1, 20, 10, 10, 10], "b": [2, 30, 10, 10, 10], "c": [1, 1, 0, 1, 0]})
    codes = ["sd", "d", "n", "a", "sa"]
    about = Publication("w0", {("2", "1"): "q"}, codes, {"organisation": {"A": "a", "B": "b", "C": "c"}})
    rows = [printed("2", code, n) for code, n in zip(codes, [4, 51, 20, 21, 20], strict=True)]
    sizes = [printed("organisation", "A", 51), printed("organisation", "C", 3)]
    sizes = [(*one[:4], "percent", *one[5:]) for one in sizes]
    tables["published_tables"] = pd.DataFrame(rows + sizes, columns=list(AUDITED), dtype="str")
    out = release(tables, instrument=instrument, rule=Rule(rounding=rounding), publication=about).tables
    audit = out["published_tables"]
    assert audit.query("table == '2'")["status"].eq("ok").all()
    assert audit.query("table == 'organisation' and category == 'C'")["recomputed"].tolist() == [""]


# --- what never leaves ----------------------------------------------------------------------------------------------


def test_no_released_column_can_hold_a_respondent_or_free_text() -> None:
    for table in released().tables.values():
        assert not {"respondent", "respondent_source", "row", "value", "comment"} & set(table)


def test_rows_and_columns_are_those_of_the_statistics() -> None:
    for rounding in (0, 5):
        out = released(rounding=rounding)
        for name, before in study().items():
            after = out.tables[name]
            assert list(after) == [*before, *({"status"} - set(before))]
            assert len(after) == len(before)
