"""Disclosure: what is withheld cannot be found out, what need not be withheld is shown, and nothing else changes."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from attacker import FAVOURABLE, POINTS, breaches, primary_only, small_study, truth
from surveywaves.describe import item_summary
from surveywaves.disclosure import ItemKey, Publication, Released, Rule, release
from surveywaves.disclosure.rounding import round_counts
from surveywaves.disclosure.suppress import suppress
from surveywaves.disclosure.system import NEVER, Builder, Need, bounds
from surveywaves.files import write
from surveywaves.tidy import tidy

COUNTS = ("item_frequencies", "item_summary", "respondents", "response_rates", "missing")


@cache
def released(seed: int, **rule: Any) -> tuple[dict[str, pd.DataFrame], Released]:
    tables, instrument = small_study(seed)
    return tables, release(tables, instrument=instrument, rule=Rule(**rule))


# --- the attacker ---------------------------------------------------------------------------------------------


SAMPLE = range(15)
"""Studies that are attacked here; `benchmarks/disclosure.py` attacks 500."""


def test_an_attacker_with_all_released_tables_recovers_nothing() -> None:
    attacked, found = 0, []
    for seed in SAMPLE:
        tables, out = released(seed)
        for table in out.tables.values():
            for column in {"n", "base", "returns", "favourable_n"} & set(table):
                assert not table[column].between(1, 4).any()
        number, breached = breaches(tables, out.tables, threshold=5)
        attacked, found = attacked + number, found + [(seed, one) for one in breached]
    assert attacked > 500
    assert found == []


def test_the_attacker_recovers_what_is_only_hidden_where_it_stands() -> None:
    """An attacker that recovers nothing anywhere would be no test of the release."""
    attacked = narrowed = recovered = 0
    for seed in SAMPLE[:5]:
        tables, _ = small_study(seed)
        number, found = breaches(tables, primary_only(tables), threshold=5)
        attacked, narrowed = attacked + number, narrowed + len(found)
        recovered += sum(one.high - one.low < 1 for one in found)
    assert narrowed > 0.8 * attacked
    assert recovered > 0.5 * attacked


@pytest.mark.parametrize("name", ["reliability", "means", "item_summary"])
def test_the_attacker_uses_numbers_of_respondents_and_means(name: str) -> None:
    """With one table as it was before the release, counts of other tables follow."""
    found = []
    for seed in SAMPLE[:3]:
        tables, out = released(seed)
        found += breaches(tables, {**out.tables, name: tables[name]}, threshold=5)[1]
    assert any(one.name[0] in ("item", "job", "size") for one in found)


@pytest.mark.parametrize("seed", [179, 271])
def test_what_the_benchmark_once_recovered_is_not_recovered(seed: int) -> None:
    """An answer by those of all organisations at an end of a scale; a base by the least that a hidden size can be."""
    tables, out = released(seed)
    assert breaches(tables, out.tables, threshold=5)[1] == []


def test_whole_numbers_tell_the_attacker_no_more() -> None:
    for seed in range(3, 5):
        tables, out = released(seed)
        assert breaches(tables, out.tables, threshold=5, whole=True)[1] == []


@pytest.mark.parametrize(
    "rule", [{"threshold": 3}, {"threshold": 10}, {"zeros": False}], ids=lambda rule: next(iter(rule))
)
def test_other_rules_hold_as_well(rule: dict[str, Any]) -> None:
    for seed in range(200, 202):
        tables, out = released(seed, **rule)
        assert breaches(tables, out.tables, threshold=rule.get("threshold", 5))[1] == []


# --- what is lost ---------------------------------------------------------------------------------------------


def linked(rows: list[list[int]], needs: list[Need], cost: float = 1.0) -> Builder:
    """A table with its margins, which cannot be withheld."""
    builder, n = Builder(), int(np.sum(rows))
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            builder.count((i, j), value, ceiling=n, cost=cost)
        builder.count((i, "all"), sum(row), ceiling=n, cost=NEVER)
        builder.adds_up((i, "all"), [(i, j) for j in range(len(row))])
    for j, column in enumerate(zip(*rows, strict=True)):
        builder.count(("all", j), sum(column), ceiling=n, cost=NEVER)
        builder.adds_up(("all", j), [(i, j) for i in range(len(rows))])
    for need in needs:
        builder.protect(need)
    return builder


def test_one_small_count_in_a_table_takes_three_others_with_it() -> None:
    system = linked([[2, 20, 30], [40, 50, 60], [70, 80, 90]], [Need(0, 0, 5)]).system()
    marks = suppress(system)
    assert marks.sum() == 4
    low, high = bounds(system, marks)
    assert low[0] == 0
    assert high[0] >= 5


@pytest.mark.parametrize("seed", range(4))
def test_no_cheaper_choice_is_safe(seed: int) -> None:
    """Against every subset of a small table."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, 12, (3, 3)).tolist()
    cells = [(i, j) for i in range(3) for j in range(3)]
    needs = [Need(4 * i + j, 0, 5) for i, j in cells if 0 < rows[i][j] < 5]
    builder = linked(rows, needs)
    system = builder.system()
    inner = [builder.counts[cell] for cell in cells]
    wanted = [_kept(system, need) for need in needs]
    best = min(sum(bits) for bits in np.ndindex(*[2] * 9) if _safe(system, inner, bits, needs, wanted))
    assert suppress(system).sum() == best


def _kept(system: Any, need: Need) -> tuple[float, float]:
    low, high = bounds(system, system.cost != NEVER)
    return max(need.low, low[need.cell]), min(need.high, high[need.cell])


def _safe(
    system: Any, inner: list[int], bits: tuple[int, ...], needs: list[Need], wanted: list[tuple[float, float]]
) -> bool:
    marks = np.zeros(len(system.counts), dtype=np.bool_)
    marks[[cell for cell, bit in zip(inner, bits, strict=True) if bit]] = True
    if not all(marks[need.cell] for need in needs):
        return False
    low, high = bounds(system, marks)
    return all(
        low[need.cell] <= least + 1e-6 and high[need.cell] >= most - 1e-6
        for need, (least, most) in zip(needs, wanted, strict=True)
    )


def test_a_table_without_small_counts_is_shown_whole() -> None:
    tables, instrument = small_study(0)
    out = release(tables, instrument=instrument, rule=Rule(threshold=1, uniform=False))
    assert out.log.empty
    assert out.sentence == "No count had to be withheld (threshold 1)."
    for name in COUNTS:
        shown = out.tables[name]
        assert set(shown["status"]) <= {"ok", "not_estimable"}
        pd.testing.assert_frame_equal(shown[list(tables[name])], tables[name], check_dtype=False)


def test_rows_columns_and_what_is_shown_are_those_of_the_statistics() -> None:
    tables, out = released(3)
    for name, before in tables.items():
        after = out.tables[name]
        assert list(after) == [*before, *({"status"} - set(before))]
        for column in before.columns.difference(["status", "note"]):
            kept = after[column].notna()
            assert (after.loc[kept, column] == before.loc[kept, column]).all()
    assert "withheld" in set(out.tables["item_frequencies"]["status"])


# --- the rules ------------------------------------------------------------------------------------------------


def one_wave(sizes: dict[str, list[int]]) -> tuple[dict[str, pd.DataFrame], dict[str, ItemKey]]:
    """One item in one wave, as counts by organisation; everybody answered it and states an organisation."""
    groups = {"all": np.sum(list(sizes.values()), axis=0).tolist(), **sizes}
    frequencies = pd.DataFrame(
        [
            ("w", one, "q", 1 + k, n, 100 * n / sum(ns), sum(ns))
            for one, ns in groups.items()
            for k, n in enumerate(ns)
        ],
        columns=["wave", "organisation", "item", "response", "n", "percent", "base"],
    )
    returns = sum(groups["all"])
    people = [
        ("w", "all", "organisation", one, sum(ns), 100 * sum(ns) / returns, returns)
        for one, ns in sizes.items()
    ]
    people.append(("w", "all", "organisation", "not_stated", 0, 0.0, returns))
    columns = ["wave", "organisation", "variable", "level", "n", "percent", "base"]
    missing = pd.DataFrame([("w", 1, "q", "skipped", 0, 0.0, returns)])
    missing.columns = pd.Index(["wave", "section", "item", "reason", "n", "percent", "returns"])
    rates = pd.DataFrame([("w", returns, pd.NA, np.nan, np.nan, np.nan, "not_estimable", "")])
    rates.columns = pd.Index(
        ["wave", "returns", "population", "rate", "conf_low", "conf_high", "status", "note"]
    )
    tables = {
        "item_frequencies": frequencies,
        "item_summary": item_summary(frequencies, favourable={"q": FAVOURABLE}, keys={"q": 1}),
        "respondents": pd.DataFrame(people, columns=columns),
        "response_rates": rates,
        "missing": missing,
    }
    return tables, {"q": ItemKey("scale", 1, POINTS, FAVOURABLE)}


def shown(out: Released, organisation: str) -> list[int | None]:
    table = out.tables["item_frequencies"]
    n = table.loc[table["organisation"] == organisation, "n"]
    return [None if pd.isna(one) else int(one) for one in n]


EVEN = {"b": [20, 10, 10, 10, 10], "c": [9, 9, 9, 9, 9]}


def test_that_everybody_of_a_group_answered_alike_is_withheld_and_can_be_allowed() -> None:
    tables, instrument = one_wave({"a": [0, 0, 0, 30, 0], "b": [10, 10, 10, 10, 10]})
    out = release(tables, instrument=instrument, rule=Rule())
    assert shown(out, "a")[3] is None
    assert shown(out, "a").count(None) >= 2
    free = release(tables, instrument=instrument, rule=Rule(uniform=False))
    assert shown(free, "a") == [0, 0, 0, 30, 0]


def test_zeros_are_shown_unless_the_study_withholds_them() -> None:
    tables, instrument = one_wave({"a": [0, 30, 20, 10, 10], "b": [20, 10, 10, 10, 10]})
    assert shown(release(tables, instrument=instrument, rule=Rule()), "a")[0] == 0
    assert shown(release(tables, instrument=instrument, rule=Rule(zeros=False)), "a")[0] is None


def test_an_attacker_cannot_tell_that_nobody_did_where_zeros_are_withheld() -> None:
    """Of answers, levels and ends of a scale."""
    shown, attacked = 0, 0
    for seed in range(200, 204):
        tables, out = released(seed, zeros=False)
        number, found = breaches(tables, out.tables, threshold=5, zeros=True)
        assert found == []
        attacked += number
        shown += len(breaches(tables, released(seed)[1].tables, threshold=5, zeros=True)[1])
    assert attacked > 150
    assert shown > 30


def test_who_answered_and_why_not_have_no_zeros_either_where_zeros_are_withheld() -> None:
    tables, out = released(200, zeros=False)
    for name in ("respondents", "missing"):
        none = tables[name]["n"] == 0
        assert none.any()
        assert out.tables[name].loc[none, ["n", "percent"]].isna().all(axis=None)


@pytest.mark.parametrize("n", [45, 43], ids=["everybody", "all but two"])
def test_that_a_group_stands_at_the_end_of_a_scale_is_withheld_and_can_be_allowed(n: int) -> None:
    tables, instrument = one_wave({"b": [12] * 5, "c": [9] * 5, "d": [8] * 5})
    end = {"analysis": "reliability", "scale": "scale", "wave": "w", "term": "ceiling"}
    counts = {"all": (n + 20, 145), "b": (10, 60), "c": (n, 45), "d": (10, 40)}
    tables["reliability"] = tidy(
        {**end, "organisation": one, "estimate": 100 * number / of, "n": of}
        for one, (number, of) in counts.items()
    )
    ends = release(tables, instrument=instrument, rule=Rule()).tables["reliability"]
    assert pd.isna(ends["estimate"].iloc[2])
    assert ends["estimate"].isna().sum() == 2
    free = release(tables, instrument=instrument, rule=Rule(uniform=False)).tables["reliability"]
    assert free["estimate"].notna().all()


def test_that_all_of_an_organisation_have_one_profession_is_no_answer_and_shown() -> None:
    tables, instrument = one_wave(EVEN)
    levels = {
        "all": {"nurse": 60, "clerk": 45},
        "b": {"nurse": 60, "clerk": 0},
        "c": {"nurse": 0, "clerk": 45},
    }
    rows = [
        ("w", one, "job", level, n, 100 * n / sum(own.values()), sum(own.values()))
        for one, own in levels.items()
        for level, n in {**own, "not_stated": 0}.items()
    ]
    people = tables["respondents"]
    tables["respondents"] = pd.concat([people, pd.DataFrame(rows, columns=list(people))], ignore_index=True)
    out = release(tables, instrument=instrument, rule=Rule()).tables["respondents"]
    assert out["n"].notna().all()


def test_nothing_of_an_organisation_of_three_is_shown_and_its_size_does_not_follow() -> None:
    tables, instrument = one_wave({"a": [1, 0, 0, 1, 1], "b": [20, 10, 10, 10, 10], "c": [9, 9, 9, 9, 9]})
    out = release(tables, instrument=instrument, rule=Rule())
    assert shown(out, "a") == [None] * 5
    sizes = out.tables["respondents"].set_index("level")["n"]
    assert sizes[["a", "b", "c"]].isna().sum() == 2
    assert breaches(tables, out.tables, threshold=5)[1] == []


def test_mean_and_sd_are_shown_only_where_every_response_is() -> None:
    _, out = released(3)
    rows = (
        out.tables["item_frequencies"]
        .groupby(["wave", "organisation", "item"])["n"]
        .apply(lambda n: n.isna().any())
    )
    summary = out.tables["item_summary"].set_index(["wave", "organisation", "item"])
    gone = rows.reindex(summary.index)
    assert summary.loc[gone, ["mean", "sd"]].isna().all(axis=None)
    assert summary.loc[~gone & (summary["base"] > 1), ["mean", "sd"]].notna().all(axis=None)


@pytest.mark.parametrize("rounding", [0, 3])
def test_what_is_weighted_goes_with_its_count_and_tells_no_digits(rounding: int) -> None:
    many, few = [31, 22, 17, 12, 15], [1, 30, 20, 10, 12]
    for sizes, shown_at_all in (({"a": many, "b": many}, True), ({"a": many, "b": few}, bool(rounding))):
        tables, instrument = one_wave(sizes)
        frequencies = tables["item_frequencies"].assign(weighted_percent=lambda of: of["percent"] + 0.1234)
        tables["item_frequencies"] = frequencies
        tables["item_summary"] = item_summary(frequencies, favourable={"q": FAVOURABLE}, keys={"q": 1})
        out = release(tables, instrument=instrument, rule=Rule(rounding=rounding))
        told = out.tables["item_frequencies"]
        left = told["weighted_percent"].dropna()
        assert bool(len(left)) == shown_at_all
        assert (left == left.round()).all()
        assert told.loc[told["n"].isna() | (told["n"] < 10), "weighted_percent"].isna().all()
        assert out.tables["item_summary"]["weighted_mean"].notna().any() == shown_at_all
    free = release(tables, instrument=instrument, rule=Rule(threshold=1))
    pd.testing.assert_series_equal(
        free.tables["item_frequencies"]["weighted_percent"], frequencies["weighted_percent"]
    )


def test_the_log_holds_no_value_and_does_not_say_which_counts_are_small() -> None:
    _, out = released(3)
    assert list(out.log) == ["table", "wave", "organisation", "subject", "what", "numbers", "why"]
    assert not out.log["why"].str.contains("primary|complementary|below").any()
    assert out.log["numbers"].min() > 0
    gone = sum(
        int(out.tables[name]["n"].isna().sum()) for name in ("item_frequencies", "respondents", "missing")
    )
    counted = out.log[(out.log["what"] == "n") & out.log["table"].isin(COUNTS)]
    assert counted["numbers"].sum() == gone
    assert {"primary", "complementary"} == set(out.reasons["reason"])


def test_the_order_of_the_waves_and_a_new_wave_change_nothing_of_a_wave() -> None:
    seed = next(seed for seed in range(20) if len(small_study(seed)[0]["response_rates"]) == 2)
    tables, instrument = small_study(seed)
    both = release(tables, instrument=instrument, rule=Rule())
    alone = {name: table[table["wave"] == "wave_1"].reset_index(drop=True) for name, table in tables.items()}
    one = release(alone, instrument=instrument, rule=Rule())
    for name, table in one.tables.items():
        own = both.tables[name][both.tables[name]["wave"] == "wave_1"].reset_index(drop=True)
        pd.testing.assert_frame_equal(table, own)


def test_the_choice_is_the_same_on_any_number_of_cores() -> None:
    tables, instrument = small_study(3)
    one, three = (release(tables, instrument=instrument, rule=Rule(), cores=cores) for cores in (1, 3))
    for name, table in one.tables.items():
        pd.testing.assert_frame_equal(three.tables[name], table)
    pd.testing.assert_frame_equal(three.reasons, one.reasons)


def test_released_bytes_are_the_same_every_time(tmp_path: Path) -> None:
    for run in ("one", "two"):
        for name, table in released(5)[1].tables.items():
            write(table, str(tmp_path / run / f"{name}.csv"))
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


# --- what is in print -----------------------------------------------------------------------------------------


def printed(category: str, settled: int, recomputed: int) -> tuple[str, ...]:
    return ("2", "1", "f", category, "count", str(settled), str(settled), str(recomputed), "agrees", "why")


def test_what_a_publication_has_printed_is_shown_and_reckoned_with() -> None:
    tables, instrument = one_wave({"a": [1, 20, 10, 10, 10], "b": [2, 30, 10, 10, 10]})
    columns = [
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
    ]
    counts = [3, 50, 20, 20, 20]
    codes = ["sd", "d", "n", "a", "sa"]
    about = Publication("w", {("2", "1"): "q"}, codes, {})
    tables["published_tables"] = pd.DataFrame(
        [printed(code, n, n) for code, n in zip(codes, counts, strict=True)], columns=columns, dtype="str"
    )
    out = release(tables, instrument=instrument, rule=Rule(), publication=about)
    assert shown(out, "all") == counts
    assert shown(out, "a")[0] is None
    assert shown(out, "b")[0] is None
    assert set(out.tables["published_tables"]["status"]) == {"ok"}
    # A misprint that nothing settles is not in print: the true count is withheld there too.
    tables["published_tables"].loc[0, "settled"] = "4"
    other = release(tables, instrument=instrument, rule=Rule(), publication=about)
    assert shown(other, "all")[0] is None
    assert other.tables["published_tables"].loc[0, ["recomputed", "status"]].tolist() == ["", "withheld"]


# --- rounding -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", [3, 5, 10])
def test_rounded_counts_are_multiples_that_add_up(base: int) -> None:
    for seed in range(4):
        tables, out = released(seed, rounding=base)
        for wave in tables["response_rates"]["wave"]:
            before, after = (
                truth({name: one[name] for name in COUNTS}, wave) for one in (tables, out.tables)
            )
            assert all(value % base == 0 for value in after.values())
            assert max(abs(after[name] - before[name]) for name in before) < 3 * base
        rows = out.tables["item_frequencies"]
        assert (
            rows.groupby(["wave", "organisation", "item"])["n"].sum()
            == rows.groupby(["wave", "organisation", "item"])["base"].first()
        ).all()
        together = rows[rows["organisation"] == "all"].set_index(["wave", "item", "response"])["n"]
        parts = rows[rows["organisation"] != "all"].groupby(["wave", "item", "response"])["n"].sum()
        assert together.sort_index().astype("int64").equals(parts.sort_index().astype("int64"))
        shares = rows[rows["base"] > 0]
        assert shares["percent"].to_numpy(dtype=float) == pytest.approx(
            (100 * shares["n"] / shares["base"]).to_numpy(dtype=float)
        )


def test_a_table_of_counts_is_rounded_to_the_next_multiples() -> None:
    system = linked([[2, 20, 30], [40, 50, 60], [70, 80, 91]], []).system()
    found = round_counts(system, 3)
    assert np.abs(found - system.counts).max() < 3
    assert np.abs(system.equations @ found).max() == 0


# --- what never leaves ------------------------------------------------------------------------------------------


def test_no_released_column_can_hold_a_respondent_or_free_text() -> None:
    _, out = released(3)
    for table in out.tables.values():
        assert not {"respondent", "respondent_source", "row", "value", "comment"} & set(table)
