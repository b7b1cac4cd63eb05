"""Estimates on release: which leave, with what numbers of respondents, to how many digits and with which words."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from surveywaves.disclosure import ItemKey, Rule, Weighting
from surveywaves.disclosure.behind import Printed, Statement, tells
from surveywaves.disclosure.digits import coarse_p, rounded, step, units
from surveywaves.disclosure.estimates import NEVER, groups_of, released
from surveywaves.disclosure.variants import People
from surveywaves.disclosure.words import NOTE, Words, words_of
from surveywaves.sensitivity.compare import over_variants
from surveywaves.terms import FAVOURABLE, LINEAR
from surveywaves.tidy import tidy

POINTS = 5
INSTRUMENT = {item: ItemKey("scale", 1, POINTS, (4, 5)) for item in ("q1", "q2", "q3")}

Cells = Mapping[tuple[str, str], Sequence[int]]
"""Wave and organisation -> respondents who gave each answer to every statement."""

USUAL: Cells = {
    ("w1", "b"): (9, 14, 11, 13, 12),
    ("w1", "c"): (8, 12, 15, 10, 16),
    ("w2", "b"): (11, 12, 13, 14, 15),
    ("w2", "c"): (9, 9, 17, 12, 21),
    ("w2", "d"): (2, 1, 2, 1, 2),
}


def frequencies(cells: Cells, base: int = 0) -> pd.DataFrame:
    """Lay out `item_frequencies`, rounded to a base by organisation and exact for all."""
    rows = []
    for wave in dict.fromkeys(wave for wave, _ in cells):
        own = {who: np.array(n) for (at, who), n in cells.items() if at == wave}
        groups = {"all": sum(own.values())} | {
            who: base * np.round(n / base).astype(int) if base else n for who, n in own.items()
        }
        rows += [
            (wave, who, item, 1 + place, count, n.sum())
            for who, n in groups.items()
            for item in INSTRUMENT
            for place, count in enumerate(n)
        ]
    return pd.DataFrame(rows, columns=["wave", "organisation", "item", "response", "n", "base"])


def leave(
    tables: Mapping[str, pd.DataFrame], cells: Cells = USUAL, base: int = 5, **changed: Any
) -> dict[str, pd.DataFrame]:
    counts = {"item_frequencies": frequencies(cells, base), **changed.pop("counts", {})}
    return released(
        {"item_frequencies": frequencies(cells), **tables},
        counts,
        instrument=changed.pop("instrument", INSTRUMENT),
        rule=Rule(rounding=base, **changed.pop("rule", {})),
        weighting=changed.pop("weighting", None),
        **changed,
    )[0]


def row(wave: str, organisation: str, term: str, **changed: Any) -> dict[str, Any]:
    return {
        "analysis": "linear",
        "scale": "scale",
        "wave": wave,
        "organisation": organisation,
        "term": term,
        "estimate": 0.123456,
        "std_error": 0.0456789,
        "df": 83.6,
        "conf_low": 0.0339,
        "conf_high": 0.2130,
        "p_value": 0.00823456,
        "n": 60,
    } | changed


# --- digits ---------------------------------------------------------------------------------------------------


def test_numbers_have_two_figures_of_their_standard_error() -> None:
    table = tidy(
        [
            row(
                "w1", "b", "emmean", estimate=4.09063, std_error=0.018622, conf_low=4.05408, conf_high=4.12718
            ),
            row(
                "w1",
                "b",
                "percent_favourable",
                estimate=81.29496,
                std_error=2.0525,
                conf_low=77.2,
                conf_high=85.3,
            ),
            row(
                "w1", "b", "percent_favourable", estimate=41.2, std_error=12.3, conf_low=17.1, conf_high=65.3
            ),
            row("w1", "b", "n_items", estimate=6.0, std_error=None, conf_low=None, conf_high=None),
            row("w1", "b", "cfi", estimate=0.98765, std_error=None, conf_low=None, conf_high=None),
            row(
                "w1",
                "b",
                "uniform_lr",
                estimate=7.8765,
                std_error=None,
                conf_low=None,
                conf_high=None,
                df=2.0,
            ),
        ]
    )
    assert units(table).tolist() == [0.001, 0.1, 1.0, 1.0, 0.001, 0.1]
    shown = rounded(table, units(table), of_some=np.ones(len(table), dtype=np.bool_))
    assert shown["estimate"].tolist() == [4.091, 81.3, 41.0, 6.0, 0.988, 7.9]
    assert shown["std_error"].tolist()[:3] == [0.019, 2.1, 12.0]
    # n - 1 would be n: degrees of freedom of an error are tens, those of a test are its own
    assert shown["df"].tolist() == [80.0, 80.0, 80.0, 84.0, 84.0, 2.0]


def test_what_the_processor_does_to_the_last_digits_is_not_seen_after_rounding() -> None:
    """Shares often end in a 5, and degrees of freedom of a balanced cell are whole."""
    exact = [row("w1", "b", "percent_favourable", estimate=81.25, std_error=2.05, df=135.0)]
    exact += [row("w1", "b", "emmean", estimate=-2.125, std_error=0.15, df=144.5)]
    shown = []
    for off in (-1e-12, 0.0, 1e-12):
        table = tidy([one | {name: one[name] * (1 + off) for name in ("estimate", "df")} for one in exact])
        shown.append(rounded(table, units(table), of_some=np.ones(2, dtype=np.bool_))[["estimate", "df"]])
    assert shown[0].equals(shown[1])
    assert shown[1].equals(shown[2])


def test_an_interval_that_leaves_zero_out_still_does_and_no_zero_is_negative() -> None:
    table = tidy(
        [
            row("w1", "b", "gap", estimate=0.301, std_error=0.15, conf_low=0.002, conf_high=0.6),
            row("w1", "b", "gap", estimate=-0.301, std_error=0.15, conf_low=-0.6, conf_high=-0.002),
            row("w1", "b", "gap", estimate=-0.001, std_error=0.15, conf_low=-0.3, conf_high=0.3),
        ]
    )
    shown = rounded(table, units(table), of_some=np.zeros(3, dtype=np.bool_))
    assert shown["conf_low"].tolist() == [0.01, -0.6, -0.3]
    assert shown["conf_high"].tolist() == [0.6, -0.01, 0.3]
    assert str(shown["estimate"].iloc[2]) == "0.0"


@given(st.lists(st.floats(-80, 80), min_size=2, max_size=2), st.floats(0.003, 9), st.floats(0.2, 3))
def test_printed_numbers_are_near_the_exact_ones_and_say_no_more(
    values: list[float], error: float, wider: float
) -> None:
    rows = [
        row("w1", "b", "emmean", estimate=one, std_error=error * wider**k) for k, one in enumerate(values)
    ]
    table = tidy(rows)
    unit = units(table)
    shown = rounded(table, unit, of_some=np.zeros(2, dtype=np.bool_))
    assert (np.abs(shown["estimate"] - table["estimate"]) <= unit * 0.50001).all()
    for value, each in zip(shown["estimate"], unit, strict=True):
        assert value == round(value, -round(math.log10(each)))


def test_a_step_is_one_two_or_five_of_a_decimal_and_not_finer() -> None:
    found = [step(least) for least in (0.00801, 0.01, 0.0149, 0.021, 0.5, 0.6, 2.3, 10.0)]
    assert found == [0.01, 0.01, 0.02, 0.05, 0.5, 1.0, 5.0, 10.0]
    table = tidy([row("w1", "b", "percent_favourable", estimate=81.2949, std_error=2.05)])
    shown = rounded(table, np.array([0.2]), of_some=np.ones(1, dtype=np.bool_))
    assert shown["estimate"].tolist() == [81.2]
    assert shown["conf_low"].tolist()[0] % 0.2 == pytest.approx(0.0, abs=1e-9)


@given(st.floats(0, 1))
def test_p_values_stay_on_their_side_of_what_they_are_judged_by(exact: float) -> None:
    shown = float(coarse_p(np.array([exact]))[0])
    for level in (0.05, 0.01):
        assert (shown < level) == (exact < level)
    assert shown >= 0.001
    assert (shown == 0.001) == (exact < 0.001)
    assert shown == 0.001 or abs(shown - exact) <= 0.1 * exact + 1e-4


def test_whoever_subtracts_two_means_finds_the_change_to_a_unit_of_its_last_digit() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        first, second = rng.uniform(1, 5, 2)
        errors = rng.uniform(0.02, 0.3, 2)
        means = [
            row(wave, "b", "emmean", estimate=one, std_error=error, n=59, p_value=None)
            for wave, one, error in (("w1", first, errors[0]), ("w2", second, errors[1]))
        ]
        change = row("w2 - w1", "b", "change", estimate=second - first, std_error=rng.uniform(0.01, 0.3))
        out = leave({"means": tidy(means), "contrasts": tidy([change])})
        printed, each = out["contrasts"].loc[0, "estimate"], out["means"]["estimate"]
        unit = next(10.0**-k for k in range(5) if round(printed, k) == printed)
        assert abs(each[1] - each[0] - printed) <= unit * 1.000001


# --- who is in a row ------------------------------------------------------------------------------------------

CELLS = [("w1", "b"), ("w1", "c"), ("w2", "b"), ("w2", "c")]


@pytest.mark.parametrize(
    ("table", "term", "wave", "organisation", "groups"),
    [
        ("reliability", "alpha", "w1", "b", [[("w1", "b")]]),
        ("reliability", "alpha", "w1", "all", [[("w1", "all")]]),
        ("reliability", "alpha", "all", "all", [[("w1", "all"), ("w2", "all")]]),
        ("reliability", "equality", "w1", "all", [[("w1", "b")], [("w1", "c")]]),
        ("reliability", "equality", "all", "b", [[("w1", "b")], [("w2", "b")]]),
        ("means", "emmean", "w1", "all", [[("w1", "b")], [("w1", "c")]]),
        ("contrasts", "gap", "w1", "b - c", [[("w1", "b")], [("w1", "c")]]),
        ("contrasts", "difference_in_differences", "w2 - w1", "b - c", [[one] for one in reversed(CELLS)]),
        ("contrasts", "gap", "w1", "b - all", [[("w1", "b")], [("w1", "b")], [("w1", "c")]]),
        ("dif", "uniform_lr", "w2 - w1", "", [[("w1", "all")], [("w2", "all")]]),
        ("dif", "uniform_lr", "", "b - c", [[("w1", "b"), ("w2", "b")], [("w1", "c"), ("w2", "c")]]),
        ("structure", "metric_cfi", "", "all", [[("w1", "b"), ("w2", "b")], [("w1", "c"), ("w2", "c")]]),
        ("structure", "metric_cfi", "all", "", [[("w1", "all"), ("w2", "all")]]),
        ("variances", "tau2", "all", "all", [CELLS]),
    ],
)
def test_labels_tell_what_a_row_is_about(
    table: str, term: str, wave: str, organisation: str, groups: list[list[tuple[str, str]]]
) -> None:
    found = groups_of(table, term, wave, organisation, CELLS)
    assert sorted(map(sorted, found.groups)) == sorted(map(sorted, groups))
    assert found.everybody == any("all" in place for group in groups for place in group)


def test_a_group_or_an_error_of_too_few_takes_every_row_that_compares_it() -> None:
    means = [row("w2", who, "emmean", n=n) for who, n in (("b", 65), ("d", 8), ("all", 140))]
    gaps = [row("w2", "b - d", "gap"), row("w2", "b - c", "gap"), row("w2", "b - c", "gap", df=9.0)]
    out = leave({"means": tidy(means), "contrasts": tidy(gaps)}, USUAL | {("w2", "d"): (3, 1, 0, 1, 3)})
    # the mean of all staff is a weighted sum of the organisations': less the others, it is that of `d`
    assert out["means"]["status"].tolist() == ["ok", "withheld", "withheld"]
    assert out["contrasts"]["status"].tolist() == ["withheld", "ok", "withheld"]
    gone = out["contrasts"].loc[0]
    assert gone[["estimate", "std_error", "df", "conf_low", "p_value", "n"]].isna().all()
    assert gone["note"] == NOTE


def test_all_staff_without_small_organisations_leaves_and_is_counted_without_them() -> None:
    means = [row("w2", who, "emmean", n=n) for who, n in (("b", 65), ("d", 8), ("all", 133))]
    gaps = [row("w2", f"{who} - all", "gap") for who in ("b", "d")]
    tables = {"means": tidy(means), "contrasts": tidy(gaps)}
    cells = USUAL | {("w2", "d"): (3, 1, 0, 1, 3)}
    assert leave(tables, cells)["contrasts"]["status"].tolist() == ["withheld", "withheld"]
    out = leave(tables, cells, smallest_of_all=10)
    assert out["means"]["status"].tolist() == ["ok", "withheld", "ok"]
    assert out["contrasts"]["status"].tolist() == ["ok", "withheld"]
    assert out["contrasts"].loc[0, "n"] == out["means"].loc[2, "n"] == 130, "of b and c, each once, rounded"


def test_who_answered_all_items_may_be_too_few_where_many_answered_some() -> None:
    alpha = [
        row("w1", who, "alpha", analysis="reliability", n=n, df=None) for who, n in (("b", 49), ("c", 50))
    ]
    assert leave({"reliability": tidy(alpha)})["reliability"]["status"].tolist() == ["withheld", "ok"]


def test_items_one_by_one_are_of_all_respondents_only() -> None:
    cells = {("w1", "b"): (9, 10, 10, 10, 10), ("w1", "c"): (10, 10, 10, 10, 10)}
    items = [
        row("w1", who, "item_rest_r", analysis="reliability", item="q1", n=n, std_error=None, df=None)
        for who, n in (("b", 49), ("c", 500), ("all", 549))
    ]
    out = leave({"reliability": tidy(items)}, cells)["reliability"]
    assert out["status"].tolist() == ["withheld", "withheld", "ok"]


def test_numbers_are_made_from_released_counts_but_for_all_respondents() -> None:
    alphas = [row("w1", who, "alpha", analysis="reliability", n=n) for who, n in (("b", 57), ("all", 118))]
    tables = {
        "reliability": tidy(alphas),
        "contrasts": tidy([row("w2 - w1", "b - c", "difference_in_differences", n=253)]),
        "variances": tidy(
            [
                row("all", "all", "n_respondents", estimate=261.0, n=261, std_error=None),
                *(row("all", "all", term, n=261) for term in ("tau2", *NEVER)),
            ]
        ),
    }
    counts = frequencies(USUAL, 5)
    # of those who answered every statement, the smallest base tells most
    fewer = counts["item"].eq("q2") & counts["wave"].eq("w1") & counts["organisation"].eq("b")
    counts["base"] -= 5 * fewer
    out = leave(tables, counts={"item_frequencies": counts})
    shown = frequencies(USUAL, 5).query("item == 'q1' and response == 1").set_index(["wave", "organisation"])
    base = shown.loc[("w1", "b"), "base"]
    assert out["reliability"]["n"].tolist() == [base - 5, 118]
    assert out["contrasts"]["n"].tolist() == [sum(shown.loc[place, "base"] for place in CELLS)]
    assert set(out["variances"]["term"]) == {"n_respondents", "tau2"}
    assert out["variances"]["estimate"].iloc[0] == out["variances"]["n"].iloc[0] != 261


def test_a_number_is_empty_where_a_base_is_withheld() -> None:
    counts = frequencies(USUAL).astype({"base": "Int64"})
    hidden = (counts["organisation"] == "b") & (counts["wave"] == "w1") & (counts["item"] == "q2")
    counts.loc[hidden, "base"] = pd.NA
    gaps = tidy([row("w1", "b - c", "gap"), row("w2", "b - c", "gap")])
    out = leave({"contrasts": gaps}, base=0, counts={"item_frequencies": counts})["contrasts"]
    assert out["n"].isna().tolist() == [True, False]
    assert out["estimate"].notna().all()


def test_a_wave_of_one_organisation_has_its_own_numbers() -> None:
    cells = {("w1", "b"): (9, 14, 11, 13, 12)}
    out = leave({"means": tidy([row("w1", "b", "emmean", n=61)])}, cells)["means"]
    assert out["n"].tolist() == [61]


def test_ends_by_organisation_are_made_from_released_counts_and_those_of_all_are_exact() -> None:
    floor = {"analysis": "reliability", "std_error": None, "df": None, "conf_low": None, "conf_high": None}
    rows = [row("w1", who, "floor", **floor, n=n) for who, n in (("b", 59), ("c", 61), ("all", 120))]
    ends = pd.DataFrame(
        [("scale", "floor", "w1", "b", 5)], columns=["scale", "term", "wave", "organisation", "n"]
    )
    out = leave({"reliability": tidy(rows)}, counts={"ends": ends})["reliability"]
    assert out["estimate"].tolist()[0] == 100 * 5 / out["n"].iloc[0]
    assert out["status"].tolist() == ["ok", "withheld", "ok"]
    assert out["estimate"].iloc[2] == rows[2]["estimate"]


def test_a_scale_of_one_statement_leaves_as_counts_only() -> None:
    one = {"q1": ItemKey("scale", 1, POINTS, (4, 5))}
    tables = {"means": tidy([row("w1", "b", "emmean")]), "variances": tidy([row("all", "all", "tau2")])}
    out = leave(tables, instrument=one)
    assert out["means"]["status"].tolist() == ["withheld"]
    assert out["variances"]["status"].tolist() == ["ok"]


def test_whether_anybody_is_in_a_group_shown_as_0_is_nowhere_told() -> None:
    gaps = [row("w2", "b - d", "gap"), row("w2", "b - c", "gap")]
    none = {"estimate": None, "status": "not_estimable", "note": "nobody answered: w2, d"}
    found = []
    for cells, means, some in (
        (USUAL | {("w2", "d"): (1, 0, 0, 0, 1)}, row("w2", "d", "emmean", n=2), gaps),
        (USUAL | {("w2", "d"): (0, 0, 0, 0, 0)}, row("w2", "d", "emmean", n=0, **none), gaps[1:]),
    ):
        out = leave({"means": tidy([means]), "contrasts": tidy(some)}, cells)
        found.append(
            {name: (*table["organisation"], *table["status"], *table["note"]) for name, table in out.items()}
        )
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("first", "second", "gone"),
    [
        ((3, 14, 11, 13, 12), None, True),  # shown as nobody's in the only wave: that it is merged would tell
        ((9, 14, 11, 13, 12), None, False),
        ((3, 14, 11, 13, 12), (2, 12, 13, 14, 15), False),  # may be of the other wave
        ((3, 14, 11, 13, 12), (11, 12, 13, 14, 15), False),  # is shown to be there
    ],
)
def test_degrees_of_freedom_do_not_tell_that_somebody_gave_a_response(
    first: tuple[int, ...], second: tuple[int, ...] | None, gone: bool
) -> None:
    cells = {("w1", "b"): first, ("w1", "c"): (8, 12, 15, 10, 16)}
    if second:
        cells |= {("w2", "b"): second, ("w2", "c"): (9, 9, 17, 12, 21)}
    shown = frequencies(cells)
    shown["n"] = shown["n"].where(shown["organisation"] == "all", 5 * (shown["n"] // 5))
    tested = {"analysis": "structure", "std_error": None, "conf_low": None, "conf_high": None, "n": 240}
    rows = [
        row("", "all", "thresholds_chisq", **tested),
        row("all", "", "thresholds_chisq", **tested),
    ]
    out = leave({"structure": tidy(rows)}, cells, counts={"item_frequencies": shown})
    assert out["structure"]["status"].tolist() == ["withheld" if gone else "ok", "ok"]


def test_public_data_leave_as_they_are() -> None:
    tables = {"means": tidy([row("w2", "d", "emmean", n=8, note="2 others left out")])}
    pd.testing.assert_frame_equal(leave(tables, rule={"public": True})["means"], tables["means"])


# --- means and the counts behind them -------------------------------------------------------------------------


def statement(n: Sequence[int], rule: Rule, rng: np.random.Generator) -> Statement:
    """Answers to a statement, every count shown as a multiple next to it."""
    true, base = np.array(n, dtype=np.float64), rule.rounding
    down = base * np.floor(true / base)
    shown = np.where(true == down, true, down + base * (rng.random(len(true)) < (true - down) / base))
    codes = np.arange(len(true))
    return Statement(
        true,
        np.maximum(shown - base + 1, 0),
        shown + base - 1,
        {LINEAR: codes / (len(true) - 1), FAVOURABLE: (codes == len(true) - 1).astype(np.float64)},
    )


def printed(those: list[Statement], units: Mapping[str, float]) -> dict[str, tuple[float, float]]:
    """Give the ends between which means that are printed in such units lie."""
    true = {metric: np.mean([one.n @ one.scores[metric] / one.n.sum() for one in those]) for metric in units}
    return {
        metric: (unit * (round(true[metric] / unit) - 0.5), unit * (round(true[metric] / unit) + 0.5))
        for metric, unit in units.items()
    }


def possible(those: list[Statement], units: Mapping[str, float]) -> list[set[tuple[int, int, int]]]:
    """All that a reader finds possible, by trying all: with the means, and without."""
    tables = []
    for one in those:
        axes = [np.arange(low, high + 1) for low, high in zip(one.low, one.high, strict=True)]
        tables.append([np.array(n) for n in product(*axes) if sum(n) == one.n.sum()])
    sides: list[set[tuple[int, int, int]]] = [set(), set()]
    for pair in product(*tables):
        found = {(which, k, int(n)) for which, table in enumerate(pair) for k, n in enumerate(table)}
        sides[1] |= found
        fits = True
        for metric, (low, high) in printed(those, units).items():
            mean = np.mean([n @ one.scores[metric] / n.sum() for n, one in zip(pair, those, strict=True)])
            fits &= low - 1e-9 <= mean <= high + 1e-9
        if fits:
            sides[0] |= found
    return sides


def told(those: list[Statement], known: dict[str, tuple[float, float]], rule: Rule) -> bool:
    """Hold the means of one cell against its counts; of a second, which is the same, it is found as well."""
    ends = {metric: np.array([one, one]) for metric, one in known.items()}
    both = tells([those, those], ends, rule)
    assert both[0] == both[1]
    return bool(both[0])


@pytest.mark.parametrize("seed", range(12))
def test_what_two_means_tell_of_small_counts_is_what_trying_all_tells(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rule = Rule(rounding=3, threshold=3)
    those = [statement(rng.multinomial(size, [0.15, 0.5, 0.35]), rule, rng) for size in (11, 12)]
    for unit in (0.001, 0.02, 0.2):
        units = {LINEAR: unit, FAVOURABLE: unit}
        left, without = possible(those, units)
        narrowed = False
        for which, one in enumerate(those):
            for k, n in enumerate(one.n):
                if 0 < n < rule.threshold or 0 < one.n.sum() - n < rule.threshold:
                    counted = [
                        len({n for at, at_k, n in side if (at, at_k) == (which, k)})
                        for side in (left, without)
                    ]
                    narrowed |= counted[0] < counted[1]
        assert told(those, printed(those, units), rule) == narrowed


def test_a_mean_of_three_statements_at_the_end_of_what_is_possible_is_found_out() -> None:
    """All others are as high as their released values allow: so the small one, shown as 0, is not 0."""
    rule = Rule(rounding=5)
    scores = {FAVOURABLE: np.array([0.0, 1.0])}
    high = Statement(np.array([21.0, 9.0]), np.array([21.0, 1.0]), np.array([29.0, 9.0]), scores)
    small = Statement(np.array([29.0, 1.0]), np.array([26.0, 0.0]), np.array([34.0, 4.0]), scores)
    assert told([high, high, small], printed([high, high, small], {FAVOURABLE: 0.001}), rule)
    wide = high._replace(low=np.array([15.0, 1.0]), high=np.array([29.0, 15.0]))
    assert not told([wide, wide, small], printed([wide, wide, small], {FAVOURABLE: 0.001}), rule)


@pytest.mark.parametrize("seed", range(12))
def test_what_two_means_of_three_statements_tell_is_what_linear_programs_tell(seed: int) -> None:
    """Both at once: that neither alone narrows a count is not enough."""
    rng, rule = np.random.default_rng(seed), Rule(rounding=5)
    those = [statement(rng.multinomial(24, [0.1, 0.1, 0.1, 0.7]), rule, rng) for _ in range(3)]
    for unit in (0.002, 0.01, 0.03):
        known = printed(those, {LINEAR: unit, FAVOURABLE: unit})
        sums = np.kron(np.eye(3), np.ones(4))
        means = np.vstack([np.concatenate([one.scores[metric] / 72 for one in those]) for metric in known])
        bounds = [pair for one in those for pair in zip(one.low, one.high, strict=True)]
        limits = [(-low + 1e-9, high + 1e-9) for low, high in known.values()]
        narrowed = False
        for which, n in enumerate(np.concatenate([one.n for one in those])):
            if not (0 < n < 5 or 0 < 24 - n < 5):
                continue
            ends = [
                [
                    linprog(
                        sign * np.eye(12)[which],
                        A_ub=np.vstack([-means, means]) if with_means else None,
                        b_ub=np.ravel(limits, order="F") if with_means else None,
                        A_eq=sums,
                        b_eq=[24] * 3,
                        bounds=bounds,
                    ).fun
                    for sign in (1, -1)
                ]
                for with_means in (True, False)
            ]
            narrowed |= not np.allclose(np.ceil(np.array(ends[0]) - 1e-6), ends[1])
        assert told(those, known, rule) == narrowed


def test_a_contrast_narrows_a_mean() -> None:
    """3.1354 and 3.7917 are printed as 3.14 and 3.79, and their difference as 0.66: so the first is below 3.14."""
    places = {("w1", "b"): 0, ("w1", "c"): 1}
    means = Printed(places, np.array([0.31354, 0.37917]), np.array([0.001, 0.001]))
    assert means.known([("w1", "b")], np.array([1.0]))[0] == pytest.approx((0.3135, 0.314))
    assert means.known([("w1", "b")], np.array([10.0]))[0] == pytest.approx((0.305, 0.3145))


def test_beside_suppressed_counts_no_mean_nor_alpha_of_the_cell_is_shown() -> None:
    counts = frequencies(USUAL).astype({"n": "Int64"})
    hidden = (counts["wave"] == "w1") & (counts["organisation"] == "b") & (counts["item"] == "q1")
    counts.loc[hidden & counts["response"].isin([1, 2]), "n"] = pd.NA
    tables = {
        "means": tidy([row("w1", who, "emmean") for who in ("b", "c", "all")]),
        "reliability": tidy(
            [row("w1", who, "alpha", analysis="reliability", n=59) for who in ("b", "c", "all")]
        ),
        "contrasts": tidy([row("w2 - w1", "b", "change")]),
    }
    out = leave(tables, base=0, counts={"item_frequencies": counts})
    assert out["means"]["status"].tolist() == ["withheld", "ok", "withheld"]
    assert out["reliability"]["status"].tolist() == ["withheld", "ok", "ok"]
    assert out["contrasts"]["status"].tolist() == ["ok"]


def test_a_mean_that_tells_is_withheld_with_all_that_is_made_from_it() -> None:
    """High answers are as many as they can be, and low ones as few: so the mean leaves nothing of the small count."""
    even = (20, 20, 20, 20, 20)
    cells = {("w1", "b"): (1, 6, 6, 14, 34), ("w1", "c"): even, ("w2", "b"): even, ("w2", "c"): even}
    counts = frequencies(cells)
    first = counts["wave"].eq("w1") & counts["organisation"].eq("b")
    counts.loc[first, "n"] = np.tile([5, 10, 10, 10, 30], 3)
    rows = [row(wave, "b", "emmean", estimate=3.0, std_error=0.02) for wave in ("w1", "w2")]
    out = leave(
        {"means": tidy(rows), "contrasts": tidy([row("w2 - w1", "b", "change")])},
        cells,
        counts={"item_frequencies": counts},
    )
    assert out["means"]["status"].tolist() == ["withheld", "ok"]
    assert out["contrasts"]["status"].tolist() == ["withheld"]


# --- variants -------------------------------------------------------------------------------------------------

SIZES = [("w1", "b", 59), ("w1", "c", 61)]


def people(*apart: tuple[str, str, str, int]) -> pd.DataFrame:
    """Who is in variants, and by how many in `b` some differ: variant, other, organisation, number."""
    names = ("main", "web", "complete", "score")
    rows = [(name, "", "scale", *place) for name in names for place in SIZES]
    rows += [(one, other, "scale", "w1", who, n) for one, other, who, n in apart]
    return pd.DataFrame(rows, columns=["variant", "other", "scale", "wave", "organisation", "n"])


@pytest.mark.parametrize(
    ("apart", "kept"),
    [
        ([], ["main", "web", "complete", "score"]),
        ([("web", "main", "b", 5)], ["main", "web", "complete", "score"]),
        ([("web", "main", "b", 9), ("web", "main", "c", 1)], ["main", "complete", "score"]),
        # 9 and 8 leave the main analysis, and the one who is in the second only is left alone
        (
            [("web", "main", "b", 9), ("complete", "main", "b", 8), ("complete", "web", "b", 1)],
            ["main", "web", "score"],
        ),
        ([("score", "complete", "c", 4), ("complete", "main", "c", 4)], ["main", "web", "score"]),
    ],
)
def test_variants_that_leave_differ_by_nobody_or_by_as_many_as_the_threshold(
    apart: list[tuple[str, str, str, int]], kept: list[str]
) -> None:
    found = People(people(*apart), threshold=5)
    assert [one for one in ("main", "web", "complete", "score") if found.released(one, "scale")] == kept


def judged(apart: list[tuple[str, str, str, int]]) -> dict[str, pd.DataFrame]:
    estimates = {"main": (0.30, "increase"), "web": (0.10, "inconclusive"), "complete": (0.45, "increase")}
    table = tidy(
        row("w1", "b - c", "gap_standardised", estimate=one, p_value=0.01, note="3 others left out")
        for one, _ in estimates.values()
    )
    table.insert(0, "variant", list(estimates))
    decided = table.assign(
        smallest=0.2,
        p_equivalence=0.5,
        p_equivalence_adjusted=0.5,
        decision=[decision for _, decision in estimates.values()],
    )
    every = over_variants(
        decided,
        pd.DataFrame(columns=["analysis", "scale", "term", "wave", "organisation", "tipping_point", "words"]),
    )
    return leave(
        {"sensitivity": decided, "agreement": every, "variant_people": people(*apart)},
        agree=partial(over_variants),
    )


def test_agreement_is_counted_over_the_variants_that_leave() -> None:
    out = judged([])
    assert out["agreement"].loc[0, ["agreeing", "variants"]].tolist() == [1, 2]
    fewer = judged([("web", "main", "b", 2)])
    assert fewer["sensitivity"]["status"].tolist() == ["ok", "withheld", "ok"]
    assert fewer["sensitivity"]["decision"].tolist() == ["increase", "", "increase"]
    assert fewer["agreement"].loc[0, ["agreeing", "variants"]].tolist() == [1, 1]
    assert "web" not in fewer["agreement"].loc[0, "words"]


def test_a_variant_of_other_people_has_no_number_and_no_count_in_words() -> None:
    out = judged([("web", "main", "b", 9)])["sensitivity"]
    assert out["n"].isna().tolist() == [False, True, False]
    assert out["note"].tolist() == ["", "", ""]


def test_a_variant_too_small_for_its_own_groups_does_not_leave() -> None:
    table = people(("web", "main", "b", 51))
    table.loc[(table["variant"] == "web") & (table["organisation"] == "b") & (table["other"] == ""), "n"] = 8
    gaps = tidy([row("w1", "b - c", "gap_standardised")] * 2)
    gaps.insert(0, "variant", ["main", "web"])
    out = leave({"sensitivity": gaps, "variant_people": table})["sensitivity"]
    assert out["status"].tolist() == ["ok", "withheld"]


# --- words ----------------------------------------------------------------------------------------------------

WORDS = Words(frozenset({"w1", "w2", "b", "c", "q1", "q2", "profession"}))


@pytest.mark.parametrize(
    "note",
    [
        "everyone answered alike: q2",
        "no finite estimate, some answers being all at one end (perfect separation): cell[w1, b]",
        "3 others left out",
        "1 with incomplete answers left out",
        "left out: 3 organisation not stated or not compared, 19 no item answered",
        "of 100 returns, as in w1: 3 b, 42 c",
        "fewer than 5 respondents: w1, b",
        "nobody is a straight-liner",
        "everybody who answered an item answered all",
        "responses merged that a group did not give: q1",
        "everybody alike, error as with one more answer of each kind: w1, b",
        "it rests on one respondent alone: its variance cannot be estimated",
        "in an imputation: everyone answered alike",
        "not asked: Jane Doe",
        "not asked: q1 (3 people)",
        "nobody answered: q1, 4",
        "over 3 of 4 statements of Jane",
        "low reliability: 3 people",
    ],
)
def test_hostile_words_do_not_leave(note: str) -> None:
    assert WORDS.note(note) == ""
    assert not WORDS.explains(note)
    assert WORDS.note(f"not asked: q1; {note}") == "not asked: q1"
    assert not WORDS.explains(f"not asked: q1; {note}")


def test_why_there_is_no_estimate_is_said_where_the_design_is_the_reason_and_nowhere_else() -> None:
    none = {
        "estimate": None,
        "std_error": None,
        "df": None,
        "p_value": None,
        "conf_low": None,
        "conf_high": None,
    }
    cases = [
        ("not_estimable", "nobody answered: w1, b; w2, b", "not_estimable"),
        ("not_estimable", "no item was asked; not asked: q1, q2", "not_estimable"),
        ("not_estimable", "one item is left; not asked: q1; everyone answered alike: q2", "withheld"),
        ("not_estimable", "the total score does not vary", "withheld"),
        ("not_estimable", "", "withheld"),
        ("not_converged", "no finite maximum of the REML likelihood was found", "withheld"),
        ("too_few", "fewer than 5 respondents: w1, b", "withheld"),
    ]
    rows = [
        row("w1", "b", "alpha", analysis="reliability", **none, status=status, note=note)
        for status, note, _ in cases
    ]
    out = leave({"reliability": tidy(rows)})["reliability"]
    assert out["status"].tolist() == [shown for *_, shown in cases]
    assert out["note"].tolist() == [note if shown != "withheld" else NOTE for _, note, shown in cases]


def test_shares_of_respondents_are_told_in_tenths_and_reasons_of_alpha_without_answers() -> None:
    assert (
        WORDS.note("adjusted where 87% of respondents overlap")
        == "adjusted where at least 80% of respondents overlap"
    )
    told = "low reliability: alpha cannot be estimated: everyone answered alike: q1; over all statements"
    assert WORDS.note(told) == "low reliability: alpha cannot be estimated; over all statements"


@pytest.mark.parametrize("study", ["shipped", "everyday_life"])
def test_nothing_is_said_in_a_finished_study_that_is_not_listed(
    whole_run: Callable[[str], Path], study: str
) -> None:
    results = whole_run(study) / "results"
    tables = {path.stem: pd.read_parquet(path) for path in sorted((results / "released").glob("*.parquet"))}
    named = {name: table for name, table in tables.items() if {"term", "status", "note"} <= set(table)}
    words = words_of(
        named.values(), [*tables["item_frequencies"]["item"].unique(), *tables["respondents"]["variable"]]
    )
    for name, table in named.items():
        for note, status in set(zip(table["note"], table["status"], strict=True)):
            again = (
                ""
                if status == "withheld"
                else note.replace("at least ", "", 1)
                if "overlap" in note
                else note
            )
            assert note == (NOTE if status == "withheld" else words.note(again)), (name, note)
        assert set(table["status"]) <= {"ok", "boundary", "not_estimable", "withheld"}
        assert not table["term"].isin(NEVER).any()
    assert tables["scale_use"]["reason"].map(words.note).equals(tables["scale_use"]["reason"])
    assert not (results / "released/variant_people.parquet").exists()


@pytest.mark.parametrize("study", ["shipped", "everyday_life"])
def test_decisions_of_a_finished_study_are_those_of_the_exact_numbers(
    whole_run: Callable[[str], Path], study: str
) -> None:
    results = whole_run(study) / "results"
    for name in ("contrasts", "sensitivity"):
        exact, shown = (
            pd.read_parquet(results / folder / f"{name}.parquet") for folder in ("statistics", "released")
        )
        left = (shown["status"] != "withheld").to_numpy()
        assert left.mean() > 0.7
        assert shown.loc[left, "decision"].tolist() == exact.loc[left, "decision"].tolist()
        outside = [
            np.sign(one["conf_low"]) * np.sign(one["conf_high"]) > 0 for one in (exact[left], shown[left])
        ]
        assert (~outside[0] | outside[1]).all()


# --- dominance ------------------------------------------------------------------------------------------------


def weighted(
    weights: list[float], *, used: bool, margins: dict[str, float] | None = None
) -> dict[str, pd.DataFrame]:
    """Means of two organisations, 20 of each; those of `b` have the weights, and its first has a job of its own."""
    cells = {("w1", "b"): (4, 4, 4, 4, 4), ("w1", "c"): (4, 4, 4, 4, 4)}
    means = [row("w1", one, "emmean", estimate=3.0, n=20) for one in ("b", "c")]
    names = ["main", "sampling_weights", "raking"]
    variants = tidy([row("w1", "b - c", "gap_standardised")] * 3)
    variants.insert(0, "variant", names)
    responses = pd.DataFrame(
        {
            "wave": "w1",
            "organisation": ["b"] * 20 + ["c"] * 20,
            "job": ["x", *["y"] * 39],
            "weight": [*weights, *[1.0] * (40 - len(weights))],
            **{item: pd.array([1, 2, 3, 4] * 10, dtype="Int8") for item in INSTRUMENT},
        }
    )
    sizes = pd.DataFrame(
        [(one, "", "scale", "w1", who, 20) for one in names for who in ("b", "c")],
        columns=["variant", "other", "scale", "wave", "organisation", "n"],
    )
    return leave(
        {"means": tidy(means), "sensitivity": variants, "variant_people": sizes},
        cells,
        weighting=Weighting(responses, used=used, margins={"w1": {"job": margins}} if margins else {}),
    )


def test_an_estimate_that_one_or_two_respondents_dominate_is_withheld() -> None:
    for weights in ([30.0], [40.0, 40.0]):
        assert weighted(weights, used=True)["means"]["status"].tolist() == ["withheld", "ok"]
        assert weighted(weights, used=False)["means"]["status"].tolist() == ["ok", "ok"]


def test_weights_that_only_a_variant_uses_withhold_that_variant() -> None:
    assert weighted([30.0], used=False)["sensitivity"]["status"].tolist() == ["ok", "withheld", "ok"]


@pytest.mark.parametrize(("staff", "status"), [(400.0, "withheld"), (10.0, "ok")])
def test_one_respondent_who_stands_for_many_withholds_what_is_weighted_to_the_population(
    staff: float, status: str
) -> None:
    shown = weighted([], used=False, margins={"x": staff, "y": 390.0})["sensitivity"]
    assert shown["status"].tolist() == ["ok", "ok", status]


def test_unequal_weights_of_many_withhold_nothing() -> None:
    assert weighted([5.0, 4.0, 3.0], used=True)["means"]["status"].tolist() == ["ok", "ok"]
