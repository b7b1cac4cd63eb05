"""A stranger who has everything that was released and knows nothing of how the program works but the published rule.

Of a wave the stranger writes down one integer program: how many of each organisation there are, gave each answer, are
of each level or stand at an end of a scale, and an equation or inequality for every number that is shown, at the digits
that are printed. `Stranger.ranges` asks how small and how large each count can be. What is no linear equation is joined
to it by enumeration: alpha, alpha if dropped and the item-rest correlation give ratios of item variances (2k + 1
equations in 2k - 1 of them), a standard error gives the variance of the total, and the variances of whole numbers are
whole numbers themselves (n sum of squares less squared sum). What a variant of the analysis leaves out is its mean less
the main one's. Words, hashes, the rounding method and two releases have functions of their own.

Everything is attacked through `attack`, which also checks that the stranger never excludes what is true.
"""

from __future__ import annotations

import hashlib
import itertools
import math
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from surveywaves.disclosure import ItemKey

Tables = Mapping[str, pd.DataFrame]
Range = tuple[float, float]
ENDS = ("floor", "ceiling")
EVERY, ANY = "every statement", "any statement"
MOST_VECTORS = 400_000
"""Count vectors of one item and cell that are worth enumerating."""
MOST_TOTALS = 3_000_000
MOST_NODES = 50
"""Of a branch and bound: what is not decided by then counts as open."""
MOST_CHOICES = 60
"""Count vectors of one item and cell among which the integer program chooses; of more only limits are kept."""
EXACT = 1e-9
"""What arithmetic leaves of a number that is printed to all digits."""


class Method(NamedTuple):
    """The published rule: base of the rounding (0: suppression), smallest count that is shown.

    `derived`: an `n` of an organisation is made from released counts, and so are estimates of single statements, as
    docs/disclosure.md says; where it is not, they are true.
    """

    rounding: int = 5
    threshold: int = 5
    derived: bool = True

    def read(self, shown: float) -> Range:
        """Give what a count that is shown of an organisation stands for."""
        if pd.isna(shown):
            return 0.0, math.inf
        if not self.rounding:
            return float(shown), float(shown)
        return max(0.0, shown - self.rounding + 1), shown + self.rounding - 1.0


class Release(NamedTuple):
    """Tables that were released together, and under what rule."""

    tables: Tables
    method: Method


# --- printed numbers ----------------------------------------------------------------------------------------------


def half_unit(numbers: Iterable[float], steps: Sequence[int] = (1,)) -> float:
    """Return half the unit of numbers printed alike: a multiple, by one of `steps`, of the last place that any has."""
    shown = [Decimal(repr(float(one))).normalize() for one in numbers if math.isfinite(one) and one]
    power = Decimal(1).scaleb(min((int(one.as_tuple().exponent) for one in shown), default=0))
    step = next(one for one in steps if not any(number / power % one for number in shown))
    return max(0.5 * float(step * power), EXACT) * (1 + 1e-9)


def printed(row: Any, *more: float) -> Range:
    """Give the interval of an estimate, from the digits that it is printed to together with its limits."""
    unit = half_unit([row.estimate, row.conf_low, row.conf_high, *more], steps=(5, 2, 1))
    return row.estimate - unit, row.estimate + unit


# --- the integer program ------------------------------------------------------------------------------------------


@dataclass
class Stranger:
    """Unknown counts of a wave and what is known of them."""

    place: dict[Hashable, int] = field(default_factory=dict)
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    rows: list[tuple[dict[int, float], float, float]] = field(default_factory=list)
    integer: bool = False
    """Whether `ranges` asks for whole numbers, which takes up to ten times as long."""

    def know(self, name: Hashable, low: float = 0.0, high: float = math.inf) -> None:
        """Take note that a count lies between two numbers."""
        if name not in self.place:
            self.place[name] = len(self.low)
            self.low.append(0.0)
            self.high.append(math.inf)
        cell = self.place[name]
        self.low[cell] = max(self.low[cell], math.ceil(low - 1e-6))
        self.high[cell] = min(self.high[cell], math.floor(high + 1e-6) if math.isfinite(high) else high)

    def say(self, terms: Mapping[Hashable, float], low: float, high: float) -> None:
        """Say that a sum of counts lies between two numbers."""
        for name in terms:
            self.know(name)
        self.rows.append(({self.place[name]: factor for name, factor in terms.items() if factor}, low, high))

    def total(self, whole: Hashable, parts: Iterable[Hashable]) -> None:
        terms: dict[Hashable, float] = defaultdict(float, {whole: -1.0})
        for part in parts:
            terms[part] += 1.0
        self.say(terms, 0.0, 0.0)

    def no_more(self, part: Hashable, whole: Hashable) -> None:
        self.say({part: 1.0, whole: -1.0}, -math.inf, 0.0)

    def one_answer(self, base: Hashable, cells: Sequence[Hashable]) -> None:
        """Say that all of a group gave one answer: as many as can be the only one."""
        places = [self.place[cell] for cell in cells]
        given = [place for place in places if self.low[place]]
        possible = given or [place for place in places if self.high[place] >= self.low[self.place[base]]]
        for place in places:
            if place not in possible or len(given) > 1:
                self.high[place] = 0.0

    def one_of(self, cells: Sequence[Hashable], vectors: np.ndarray) -> None:
        """Say that counts are one of some vectors."""
        chosen = [("vector", cells[0], place) for place in range(len(vectors))]
        for one in chosen:
            self.know(one, 0, 1)
        self.say(dict.fromkeys(chosen, 1.0), 1.0, 1.0)
        for cell, column in zip(cells, vectors.T.tolist(), strict=True):
            self.say({cell: -1.0, **dict(zip(chosen, map(float, column), strict=True))}, 0.0, 0.0)

    def ranges(self, enough: Mapping[Hashable, Callable[[Range], bool]]) -> dict[Hashable, Range]:
        """Bound counts, by linear programs or by integer ones.

        Parameters
        ----------
        enough
            Count -> whether a range that is possible will do.

        Returns
        -------
        dict
            The smallest and largest value of each.
        """
        solve = self._solver()
        found = {name: (self.low[self.place[name]], self.high[self.place[name]]) for name in enough}
        # A solution shows what is possible of every count: of most, two or three of all at once show enough.
        seen = np.full((2, len(self.low)), [[math.inf], [-math.inf]])

        def least(goal: Mapping[Hashable, float]) -> float:
            bound, point = solve({self.place[name]: factor for name, factor in goal.items()})
            seen[:] = np.fmin(seen[0], point), np.fmax(seen[1], point)
            return bound

        def open_(name: Hashable) -> bool:
            low, high = seen[:, self.place[name]]
            return low <= high and enough[name]((math.ceil(low - 1e-6), math.floor(high + 1e-6)))

        left, before = [name for name in enough if enough[name](found[name])], len(enough) + 1
        while 0 < len(left) < before:
            before = len(left)
            for sign in (1.0, -1.0):
                least(dict.fromkeys(left, sign))
            left = [name for name in left if not open_(name)]
        for name in left:
            if not open_(name):
                low, high = max(found[name][0], least({name: 1.0})), min(found[name][1], -least({name: -1.0}))
                found[name] = (
                    math.ceil(low - 1e-6),
                    math.floor(high + 1e-6) if math.isfinite(high) else high,
                )
        return found

    def _matrix(self) -> tuple[sparse.csr_array, np.ndarray, np.ndarray]:
        """Lay the equations out."""
        terms, low, high = zip(*self.rows, strict=True)
        cells = np.array([cell for one in terms for cell in one])
        factors = np.array([factor for one in terms for factor in one.values()])
        starts = np.cumsum([0, *map(len, terms)])
        matrix = sparse.csr_array((factors, cells, starts), shape=(len(terms), len(self.low)))
        return matrix, np.array(low), np.array(high)

    def propagate(self, rounds: int = 30) -> None:
        """Tighten the limits of single counts by all equations at once."""
        matrix, least, most = self._matrix()
        cells, row = matrix.indices, np.repeat(np.arange(len(least)), np.diff(matrix.indptr))
        ends = np.array([self.low, self.high])
        for _ in range(rounds):
            before = ends.copy()
            parts = np.sort(matrix.data * ends[:, cells], axis=0)
            # What the others leave: where one of them has no end, nothing.
            endless = np.isinf(parts)
            sums = np.add.reduceat(np.where(endless, 0.0, parts), matrix.indptr[:-1], axis=1)[:, row]
            more = np.add.reduceat(endless, matrix.indptr[:-1], axis=1, dtype=int)[:, row] - endless
            others = np.where(more > 0, [[-np.inf], [np.inf]], sums - np.where(endless, 0.0, parts))
            own = np.sort((np.array([least[row], most[row]]) - others[::-1]) / matrix.data, axis=0)
            np.maximum.at(ends[0], cells, np.ceil(own[0] - 1e-6))
            np.minimum.at(ends[1], cells, np.floor(own[1] + 1e-6))
            if np.array_equal(before, ends):
                break
        self.low, self.high = ends.tolist()

    def _solver(self) -> Callable[[Mapping[int, float]], tuple[float, np.ndarray]]:
        """Make a function that gives what a sum of counts cannot be below, and counts of which it is that."""
        matrix, least, most = self._matrix()
        slack = np.where(least == most, 1e-6, 1e-7)
        constraints = LinearConstraint(matrix, least - slack, most + slack)
        low, high = np.array(self.low), np.array(self.high)

        def solve(goal: Mapping[int, float]) -> tuple[float, np.ndarray]:
            factors = np.zeros(len(low))
            factors[list(goal)] = list(goal.values())
            found = milp(
                factors,
                integrality=np.full(len(low), self.integer),
                bounds=Bounds(low, high),
                constraints=constraints,
                options={"mip_rel_gap": 0.0, "node_limit": MOST_NODES},
            )
            assert found.status in (0, 1, 3) or "limit" in found.message, found.message
            bound = found.mip_dual_bound if self.integer else found.fun
            nothing = np.full(len(low), np.nan)
            return -math.inf if bound is None else float(bound), nothing if found.x is None else found.x

        return solve


# --- reading a release --------------------------------------------------------------------------------------------


@dataclass
class Wave:
    """What is released of a wave, read by a stranger who has the questionnaire."""

    release: Release
    wave: str
    items: Mapping[str, ItemKey]

    def __post_init__(self) -> None:
        tables, method = self.release
        own = {name: table[table["wave"] == self.wave] for name, table in tables.items() if "wave" in table}
        self.tables, self.method = own, method
        asked = own["item_frequencies"]
        self.asked = {str(item): self.items[str(item)] for item in asked["item"].unique()}
        self.scales: dict[str, list[str]] = defaultdict(list)
        for item, key in self.asked.items():
            if key.scale:
                self.scales[key.scale].append(item)
        levels = own["respondents"]
        levels = levels[(levels["organisation"] == "all") & (levels["variable"] == "organisation")]["level"]
        self.parts = [str(one) for one in levels]
        gone = (
            own["missing"]
            .assign(n=own["missing"]["n"].astype("float64").fillna(1.0))
            .groupby("item")["n"]
            .sum()
        )
        self.whole = {item for item in self.asked if gone.get(item, 1.0) == 0}
        """Statements that everybody answered: of all respondents together that is shown."""

    def exact(self, organisation: str) -> Method:
        """Give how counts of a group are shown: those of everybody are exact."""
        return self.method._replace(rounding=0) if organisation == "all" else self.method

    def number(self, item: str, organisation: str, response: int) -> Hashable:
        return ("n", item, organisation, response)

    def scored(self, item: str) -> dict[int, int]:
        """Map answers, as worded, to scores."""
        key = self.items[item]
        return {one: one if key.key > 0 else key.points + 1 - one for one in range(1, key.points + 1)}


def read_routing(wave: Wave, found: Stranger, routing: Mapping[str, tuple[str, Collection[str]]]) -> None:
    """Write down that a statement was asked of those of some levels only (or of unknown ones)."""
    gone = wave.tables["missing"].astype({"n": "float64"})
    for item, (variable, levels) in routing.items():
        own = gone[(gone["item"] == item) & (gone["reason"] != "not_asked")]
        for one in wave.parts:
            asked = [("level", variable, one, level) for level in (*levels, "not_stated")]
            terms = {("base", item, one): -1.0, **dict.fromkeys(asked, 1.0)}
            found.say(terms, 0.0, float(own["n"].sum()))


def read(
    wave: Wave, found: Stranger, *, all_only: bool = False, sizes: bool = True, people: bool = False
) -> None:
    """Write down what is shown of a wave; with `all_only`, of all respondents together, and how many are where.

    `people`: and of which groups they are.
    """
    own, parts = wave.tables, wave.parts
    found.know(("size", "all"), *(2 * [float(own["response_rates"]["returns"].iloc[0])]))
    found.total(("size", "all"), [("size", one) for one in parts])
    _people(wave, found, all_only and not people, sizes)
    for row in own["item_frequencies"].itertuples():
        if row.organisation == "all" or not all_only:
            method = wave.exact(row.organisation)
            found.know(wave.number(row.item, row.organisation, int(row.response)), *method.read(row.n))
            found.know(("base", row.item, row.organisation), *method.read(row.base))
    for item, key in wave.asked.items():
        for one in ["all", *parts]:
            cells = [wave.number(item, one, response) for response in range(1, key.points + 1)]
            found.total(("base", item, one), cells)
            found.total(("good", item, one), [cells[response - 1] for response in sorted(key.good)])
            found.no_more(("base", item, one), ("size", one))
            if item in wave.whole:
                found.no_more(("size", one), ("base", item, one))
        for response in range(1, key.points + 1):
            found.total(
                wave.number(item, "all", response), [wave.number(item, one, response) for one in parts]
            )
    for row in own["item_summary"].itertuples():
        if row.organisation == "all" or not all_only:
            method = wave.exact(row.organisation)
            found.know(("good", row.item, row.organisation), *method.read(row.favourable_n))
            if row.organisation != "all":
                _summary(wave, found, row)
    for row in own["missing"].itertuples():
        found.know(("missing", row.item, row.reason), *wave.exact("all").read(row.n))
    for item, rows in own["missing"].groupby("item"):
        reasons = [("missing", str(item), reason) for reason in rows["reason"]]
        found.total(
            ("size", "all"), [("base", str(item), "all"), *reasons] if item in wave.asked else reasons
        )
    _scales(wave, found, all_only)


def _people(wave: Wave, found: Stranger, all_only: bool, sizes: bool) -> None:
    table = wave.tables["respondents"]
    variables = [one for one in table["variable"].unique() if one != "organisation"]
    levels = {one: list(table[table["variable"] == one]["level"].unique()) for one in variables}
    for variable in variables:
        for one in ["all", *wave.parts]:
            stated = [("level", variable, one, level) for level in levels[variable] if level != "not_stated"]
            found.total(("stated", variable, one), stated)
            found.total(("size", one), [("stated", variable, one), ("level", variable, one, "not_stated")])
        for level in levels[variable]:
            found.total(
                ("level", variable, "all", level), [("level", variable, one, level) for one in wave.parts]
            )
    for row in table.itertuples():
        if row.variable == "organisation":
            if sizes:
                found.know(("size", row.level), *wave.method.read(row.n))
        elif row.organisation == "all" or not all_only:
            method = wave.exact(row.organisation)
            below = (
                ("size", row.organisation)
                if row.level == "not_stated"
                else ("stated", row.variable, row.organisation)
            )
            found.know(("level", row.variable, row.organisation, row.level), *method.read(row.n))
            found.know(below, *method.read(row.base))


def _summary(wave: Wave, found: Stranger, row: Any) -> None:
    """Read mean, standard deviation and percentage: nothing new where they are those of released counts."""
    shown = wave.tables["item_frequencies"]
    shown = shown[(shown["item"] == row.item) & (shown["organisation"] == row.organisation)]
    n, values = shown["n"].astype("float64").to_numpy(), shown["response"].to_numpy(dtype=np.float64)
    base = float(n.sum())
    cells = {wave.number(row.item, row.organisation, int(value)): value for value in values}
    if pd.notna(row.mean) and not (base > 0 and abs(n @ values / base - row.mean) < EXACT):
        unit = half_unit([row.mean, row.sd])
        for sign in (1.0, -1.0):
            found.say(
                {cell: sign * (value - row.mean) - unit for cell, value in cells.items()}, -math.inf, 0.0
            )
    if pd.notna(row.favourable_percent) and not (
        base > 0 and abs(100 * row.favourable_n / base - row.favourable_percent) < EXACT
    ):
        unit, good = half_unit([row.favourable_percent]), wave.items[row.item].good
        for sign in (1.0, -1.0):
            found.say(
                {
                    cell: sign * (100.0 * (value in good) - row.favourable_percent) - unit
                    for cell, value in cells.items()
                },
                -math.inf,
                0.0,
            )


def _scales(wave: Wave, found: Stranger, all_only: bool) -> None:
    """Read who answered every statement of a scale, or any, and who stands at an end of it."""
    for scale, items in wave.scales.items():
        for one in ["all", *wave.parts]:
            every, some = (EVERY, scale, one), (ANY, scale, one)
            bases = [("base", item, one) for item in items]
            for base in bases:
                found.no_more(every, base)
                found.no_more(base, some)
            found.no_more(some, ("size", one))
            # So many at least answered all: each statement lacks so many of those who answered any.
            found.say({every: 1.0, some: len(items) - 1.0, **dict.fromkeys(bases, -1.0)}, 0.0, math.inf)
            found.say({some: 1.0, every: len(items) - 1.0, **dict.fromkeys(bases, -1.0)}, -math.inf, 0.0)
            for end in ENDS:
                at = (end, scale, one)
                found.no_more(at, every)
                for item in items:
                    found.no_more(at, wave.number(item, one, wave.items[item].end(end)))
        for what in (EVERY, ANY, *ENDS):
            found.total((what, scale, "all"), [(what, scale, one) for one in wave.parts])
    _numbers(wave, found, all_only)


def _numbers(wave: Wave, found: Stranger, all_only: bool) -> None:
    """Read numbers of respondents, where they are not made from released counts, and percentages at an end."""
    for table, what in (("reliability", EVERY), ("means", ANY)):
        rows = wave.tables.get(table)
        if rows is None:
            continue
        groups = ["all"] if all_only else ["all", *wave.parts]
        rows = rows[rows["organisation"].isin(groups) & rows["scale"].isin(list(wave.scales))]
        for row in rows[rows["term"] != "equality"].itertuples():
            everybody = row.organisation == "all"
            # `all` of a mean are those compared; of reliability, all respondents: exact, but not with suppression.
            told = (wave.method.rounding > 0 and everybody) or not wave.method.derived
            told = told and (table == "reliability" or not everybody)
            if told and pd.notna(row.n):
                found.know((what, row.scale, row.organisation), *wave.exact(row.organisation).read(row.n))
            if row.term in ENDS and pd.notna(row.estimate):
                _end(wave, found, row)


def _end(wave: Wave, found: Stranger, row: Any) -> None:
    name = (row.term, row.scale, row.organisation)
    count = row.estimate * row.n / 100 if pd.notna(row.n) else math.nan
    if pd.notna(count):
        # Rounded counts are shown as a percentage of a rounded number.
        found.know(name, *wave.exact(row.organisation).read(round(count)))


# --- what is no linear equation -----------------------------------------------------------------------------------


def variance_ratios(alpha: Range, dropped: Sequence[Range], rest_r: Sequence[Range]) -> list[list[Range]]:
    """Solve for each item's variance over the total score's, by intervals.

    With S the sum of the ratios, alpha = k/(k-1) (1 - S). For item j with the ratio v, alpha if dropped gives the ratio
    of the others' total, R = (S - v) / (1 - a (k-2)/(k-1)), hence the covariance with them, w = (1 - v - R) / 2, and
    the item-rest correlation w / sqrt(v R) leaves one equation in one unknown.

    Returns
    -------
    list
        For each item the intervals that its ratio may lie in.
    """
    k = len(dropped)
    low, high = (1 - one * (k - 1) / k for one in reversed(alpha))
    found = []
    for a, r in zip(dropped, rest_r, strict=True):
        shrink = [1 - one * (k - 2) / (k - 1) for one in a]
        above = partial(_beyond, total=low, shrink=shrink[0], r=r[0] - EXACT, sign=1.0)
        below = partial(_beyond, total=high, shrink=shrink[1], r=r[1] + EXACT, sign=-1.0)
        grid = np.linspace(0, high, 4001)[1:]
        cuts = np.unique(np.concatenate([[1e-12, high], *(_roots(one, grid) for one in (above, below))]))
        inside = (cuts[1:] + cuts[:-1]) / 2
        good = (above(inside) >= 0) & (below(inside) >= 0)
        found.append([(a, b) for a, b, keep in zip(cuts[:-1], cuts[1:], good, strict=True) if keep])
    return [
        [span for span in own if _adds_up([span], found[:place] + found[place + 1 :], (low, high))]
        for place, own in enumerate(found)
    ]


def _beyond(v: np.ndarray, *, total: float, shrink: float, r: float, sign: float) -> np.ndarray:
    """By how much the item-rest correlation of an item with the ratio v is above a limit (below: sign -1)."""
    others = np.maximum(total - v, 1e-300) / shrink
    return sign * ((1 - v - others) / (2 * np.sqrt(v * others)) - r)


def _adds_up(sums: list[Range], others: Sequence[Sequence[Range]], total: Range) -> bool:
    """Tell whether an interval of each, and those given, add up to a total."""
    for spans in others:
        sums = [(a + low, b + high) for a, b in sums for low, high in spans]
    return any(low <= total[1] + 1e-7 and high >= total[0] - 1e-7 for low, high in sums)


def _roots(function: Callable[[np.ndarray], np.ndarray], grid: np.ndarray) -> np.ndarray:
    values = function(grid)
    change = np.flatnonzero(np.sign(values[1:]) != np.sign(values[:-1]))
    low, high = grid[change], grid[change + 1]
    sign = np.sign(values[change])
    for _ in range(60):
        middle = (low + high) / 2
        left = np.sign(function(middle)) == sign
        low, high = np.where(left, middle, low), np.where(left, high, middle)
    return (low + high) / 2


def vectors(low: Sequence[int], high: Sequence[int], totals: Range) -> np.ndarray | None:
    """List the count vectors between limits that add up to a total; None if there are too many."""
    found, sums = np.zeros((1, 0), dtype=np.int64), np.zeros(1, dtype=np.int64)
    for place, (first, last) in enumerate(zip(low, high, strict=True)):
        choices = np.arange(first, last + 1)
        if len(found) * len(choices) > 20 * MOST_VECTORS:
            return None
        sums = (sums[:, None] + choices).ravel()
        keep = (sums + sum(low[place + 1 :]) <= totals[1]) & (sums + sum(high[place + 1 :]) >= totals[0])
        found = np.column_stack(
            [np.repeat(found, len(choices), axis=0)[keep], np.tile(choices, len(found))[keep]]
        )
        sums = sums[keep]
    return found if len(found) <= MOST_VECTORS else None


class Item(NamedTuple):
    """The count vectors of an item that are possible in a cell, and what n^2 times its variance is in each."""

    counts: np.ndarray
    size: np.ndarray
    square: np.ndarray

    @classmethod
    def of(cls, counts: np.ndarray) -> Item:
        values = np.arange(1, counts.shape[1] + 1)
        size = counts.sum(axis=1)
        return cls(counts, size, size * (counts @ values**2) - (counts @ values) ** 2)


def consistent(
    items: Sequence[Item], ratios: Sequence[Sequence[Range]], totals: Callable[[int], Range]
) -> list[np.ndarray]:
    """Mark the count vectors that some whole variance of the total score is consistent with, for some n.

    Parameters
    ----------
    items
        Of one cell and the same respondents.
    ratios
        As `variance_ratios` gives them.
    totals
        n -> the smallest and largest n^2 times variance of the total score.
    """
    marks = [np.zeros(len(item.counts), dtype=np.bool_) for item in items]
    sizes = sorted(set.intersection(*(set(item.size.tolist()) for item in items)))
    for n in sizes:
        first, last = (int(one) for one in totals(n))
        if last < first:
            continue
        if last - first > MOST_TOTALS:
            return [np.ones(len(item.counts), dtype=np.bool_) for item in items]
        possible = np.ones(last - first + 1, dtype=np.bool_)
        spans = []
        for item, own in zip(items, ratios, strict=True):
            square = item.square
            here = np.unique(square[item.size == n])
            begin, end = [], []
            for low, high in own:
                begin.append(np.ceil(here / (high * (1 + EXACT)) - 1e-7))
                end.append(np.floor(here / (low * (1 - EXACT)) + 1e-7))
            covered = np.zeros(len(possible) + 1, dtype=np.int64)
            b = np.clip(np.concatenate(begin) - first, 0, len(possible)).astype(np.int64)
            e = np.clip(np.concatenate(end) - first + 1, 0, len(possible)).astype(np.int64)
            good = e > b
            np.add.at(covered, b[good], 1)
            np.add.at(covered, e[good], -1)
            possible &= np.cumsum(covered)[:-1] > 0
            spans.append((here, begin, end))
        before = np.concatenate([[0], np.cumsum(possible)])
        for place, (item, (here, begin, end)) in enumerate(zip(items, spans, strict=True)):
            keep = np.zeros(len(here), dtype=np.bool_)
            for b, e in zip(begin, end, strict=True):
                at = np.clip(b - first, 0, len(possible)).astype(np.int64)
                to = np.clip(e - first + 1, 0, len(possible)).astype(np.int64)
                keep |= (to > at) & (before[np.maximum(to, at)] > before[at])
            marks[place] |= (item.size == n) & np.isin(item.square, here[keep])
    return marks


def of_pair(alpha: Range, rest_r: Sequence[Range]) -> list[list[Range]]:
    """Solve for the variance ratios of a scale of two items: the two roots, of which either may be either's."""
    if rest_r[0][0] <= 0 <= rest_r[0][1]:
        return [[(EXACT, 1 - alpha[0] / 2)]] * 2
    ends = []
    for one, r in itertools.product(alpha, rest_r[0]):
        total = 1 - one / 2
        ends.append((total, math.sqrt(max(total**2 - ((1 - total) / r) ** 2, 0.0))))
    spans = [
        (min((t + sign * d) / 2 for t, d in ends), max((t + sign * d) / 2 for t, d in ends))
        for sign in (-1, 1)
    ]
    spans = [(max(low - EXACT, EXACT), high + EXACT) for low, high in spans]
    return [spans, spans]


@dataclass
class Cells:
    """What is printed of the respondents of a wave and organisation on a scale, as intervals."""

    mean: dict[tuple[str, str], Range] = field(default_factory=dict)
    percent: dict[tuple[str, str], Range] = field(default_factory=dict)
    """(Wave, organisation) -> mean score; percentage of favourable answers."""


def cells_of(tables: Tables, scale: str) -> Cells:
    """Read means and percentages of a scale, and narrow them by what is printed of their differences."""
    found = Cells()
    if "means" not in tables:
        return found
    kinds = ((found.mean, "linear", ""), (found.percent, "favourable", "_percent_favourable"))
    means, contrasts = (tables[name][tables[name]["scale"] == scale] for name in ("means", "contrasts"))
    for cells, analysis, ending in kinds:
        for row in means[(means["analysis"] == analysis) & means["estimate"].notna()].itertuples():
            if row.organisation != "all":
                cells[row.wave, row.organisation] = printed(row)
        rows = contrasts[(contrasts["analysis"] == analysis) & contrasts["estimate"].notna()]
        rows = rows[rows["term"].isin([f"{one}{ending}" for one in ("change", "gap")])]
        pairs = []
        for row in rows.itertuples():
            # Where waves asked other statements, a contrast is over those in common.
            if row.organisation != "all" and not re.search(r"over \d+ of \d+ statements", row.note):
                sides = _sides(row.wave, row.organisation)
                if all(one in cells for one in sides):
                    pairs.append((*sides, printed(row)))
        for _ in range(3):
            for one, other, (low, high) in pairs:
                a, b = cells[one], cells[other]
                cells[one] = max(a[0], b[0] + low), min(a[1], b[1] + high)
                cells[other] = max(b[0], a[0] - high), min(b[1], a[1] - low)
    return found


def _sides(wave: str, organisation: str) -> tuple[tuple[str, str], tuple[str, str]]:
    waves, organisations = wave.split(" - "), organisation.split(" - ")
    return (waves[0], organisations[0]), (waves[-1], organisations[-1])


def complete(wave: Wave, found: Stranger, scale: str, one: str) -> bool:
    """Whether it is known that everybody of an organisation answered every statement of a scale."""
    if set(wave.scales[scale]) <= wave.whole:
        return True
    size, every = found.place["size", one], found.place[EVERY, scale, one]
    return found.high[size] == found.low[every]


def join_means(wave: Wave, found: Stranger) -> None:
    """Join means of scales: a mean of means, and a mean of percentages, are linear in the counts."""
    for scale, items in wave.scales.items():
        cells = cells_of(wave.release.tables, scale)
        for one in wave.parts:
            place = (wave.wave, one)
            if complete(wave, found, scale, one):
                scores = {
                    wave.number(item, one, answer): score
                    for item in items
                    for answer, score in wave.scored(item).items()
                }
                good = {
                    wave.number(item, one, answer): 100.0 * (answer in wave.items[item].good)
                    for item in items
                    for answer in wave.scored(item)
                }
                for terms, interval in ((scores, cells.mean.get(place)), (good, cells.percent.get(place))):
                    if interval:
                        _between(found, terms, interval)
            elif place in cells.percent:
                _percentages(wave, found, items, one, cells.percent[place])


def _between(found: Stranger, terms: Mapping[Hashable, float], interval: Range) -> None:
    """Say that the mean of what respondents count for lies in an interval, however many they are."""
    found.say({cell: value - interval[0] for cell, value in terms.items()}, 0.0, math.inf)
    found.say({cell: value - interval[1] for cell, value in terms.items()}, -math.inf, 0.0)


def _percentages(wave: Wave, found: Stranger, items: Sequence[str], one: str, interval: Range) -> None:
    """Bound each statement's percentage by the scale's and the others'; exact where all bases are known."""
    cells = {item: (found.place["good", item, one], found.place["base", item, one]) for item in items}
    if all(found.low[base] == found.high[base] > 0 for _, base in cells.values()):
        terms = {("good", item, one): 100.0 / found.low[base] for item, (_, base) in cells.items()}
        found.say(terms, len(items) * interval[0], len(items) * interval[1])
        return
    ends = {}
    for item, (good, base) in cells.items():
        if not found.low[base] > 0:
            return
        ends[item] = (
            100 * found.low[good] / found.high[base],
            min(100.0, 100 * found.high[good] / found.low[base]),
        )
    for item in items:
        others = [ends[other] for other in items if other != item]
        low = len(items) * interval[0] - sum(high for _, high in others)
        high = len(items) * interval[1] - sum(low for low, _ in others)
        good, base = ("good", item, one), ("base", item, one)
        found.say({good: 100.0, base: -max(low, 0.0)}, 0.0, math.inf)
        found.say({good: 100.0, base: -min(high, 100.0)}, -math.inf, 0.0)


def join_variances(wave: Wave, found: Stranger) -> dict[Hashable, int]:
    """Join what reliability, standard errors and diagnostics tell of variances; return how many values cells keep."""
    reliability = wave.tables["reliability"]
    values: dict[Hashable, int] = {}
    for (scale, one), rows in reliability[reliability["organisation"].isin(wave.parts)].groupby(
        ["scale", "organisation"], sort=False
    ):
        values |= _cell_variances(wave, found, str(scale), str(one), rows)
    return values


def _cell_variances(
    wave: Wave, found: Stranger, scale: str, one: str, rows: pd.DataFrame
) -> dict[Hashable, int]:
    rows = rows[rows["estimate"].notna()]
    alpha = next(rows[rows["term"] == "alpha"].itertuples(), None)
    if alpha is None:
        return {}
    by_item = {
        term: rows[rows["term"] == term].set_index("item") for term in ("alpha_if_dropped", "item_rest_r")
    }
    items = [item for item in wave.scales[scale] if item in by_item["item_rest_r"].index]
    k, whole = len(items), complete(wave, found, scale, one)
    rest_r = _column(by_item["item_rest_r"], items)
    if k == 2:
        ratios = of_pair(printed(alpha), rest_r)
    elif k > 2 and all(item in by_item["alpha_if_dropped"].index for item in items):
        ratios = variance_ratios(printed(alpha), _column(by_item["alpha_if_dropped"], items), rest_r)
    elif not k:
        items = wave.scales[scale]
        k = len(items)
        high = 1 - printed(alpha)[0] * (k - 1) / k
        ratios = [[(1e-9, high)] for _ in items]
    else:
        return {}
    size, base = found.place[EVERY, scale, one], [found.place["base", item, one] for item in items]
    least, most = found.low[size], min(found.high[size], *(found.high[cell] for cell in base))
    lists = []
    for item, cell in zip(items, base, strict=True):
        places = [found.place[wave.number(item, one, answer)] for answer in wave.scored(item)]
        missing = 0 if whole else int(found.high[cell] - least)
        low = [max(0, int(found.low[place]) - missing) for place in places]
        high = [int(min(found.high[place], most)) for place in places]
        counts = vectors(low, high, (max(least, 2), most))
        if counts is None or not len(counts):
            return {}
        lists.append(Item.of(counts))
    spans = _total_variance(wave, scale, one) if whole and k == len(wave.scales[scale]) else []
    widest = sum(wave.items[item].points - 1 for item in items)

    def totals(n: int) -> Range:
        first, last = 1.0, (n * widest) ** 2 / 4.0
        for low, high, over_n in spans:
            by = n * (n - 1) * (n if over_n else 1)
            first, last = max(first, by * low), min(last, by * high)
        return math.ceil(first - 1e-6), math.floor(last + 1e-6)

    kept = consistent(lists, ratios, totals)
    values: dict[Hashable, int] = {}
    for item, cell, own, marks in zip(items, base, lists, kept, strict=True):
        counts = own.counts[marks]
        assert len(counts), f"nothing is consistent: {wave.wave} {scale} {one} {item}"
        missing = 0 if whole else int(found.high[cell] - counts.sum(axis=1).min())
        names = [wave.number(item, one, answer) for answer in wave.scored(item)]
        if not missing and 1 < len(counts) <= MOST_CHOICES:
            found.one_of(names, counts)
        for place, name in enumerate(names):
            found.know(name, counts[:, place].min(), counts[:, place].max() + missing)
            if not missing:
                values[name] = len(np.unique(counts[:, place]))
    return values


def _column(table: pd.DataFrame, items: Sequence[str]) -> list[Range]:
    own = [float(table.loc[item, "estimate"]) for item in items]
    unit = half_unit(table["estimate"])
    return [(one - unit, one + unit) for one in own]


def _total_variance(wave: Wave, scale: str, one: str) -> list[tuple[float, float, bool]]:
    """Give the variance of the total score, from the mean's error (then over n) and the cell's own components."""
    found = []
    k = len(wave.scales[scale])

    def rows(table: str) -> pd.DataFrame:
        own = wave.tables[table]
        own = own[(own["scale"] == scale) & (own["organisation"] == one) & (own["analysis"] == "linear")]
        return own[own["estimate"].notna() & (own["status"] == "ok")]

    if "means" not in wave.tables:
        return []
    for row in rows("means").itertuples():
        # two figures, as the rule says, or more
        unit = min(half_unit([row.std_error]), 0.05 * 10.0 ** math.floor(math.log10(row.std_error)))
        low, high = max(row.std_error - unit, 0.0), row.std_error + unit
        found.append((low**2 * k * k, high**2 * k * k, True))
    own = rows("diagnostics").set_index("term")["estimate"]
    if {"tau2", "sigma2"} <= set(own.index) and k > 1:
        unit = half_unit(own[["tau2", "sigma2"]])
        low, high = (k * k * (own["tau2"] + by) + k * (own["sigma2"] + by) for by in (-unit, unit))
        found.append((low * (1 - 1e-6), high * (1 + 1e-6), False))
    return found


# --- words, variants, hashes, releases ----------------------------------------------------------------------------

ALIKE = re.compile(r"everyone answered alike: ([^;]*)")
FEWER = re.compile(r"fewer than (\d+) respondents")
TELLING = re.compile(
    r"alike|separat|cell\[|fewer than \d+ resp|left out|of \d+ re|one side of|no respondent moves|does not vary"
)
"""What a note may say that only the answers of a group can have made it say."""


def join_words(wave: Wave, found: Stranger) -> None:
    """Join what notes say of single organisations."""
    for row in wave.tables["reliability"].itertuples():
        if row.organisation not in wave.parts:
            continue
        if complete(wave, found, row.scale, row.organisation):
            for item in (one for told in ALIKE.findall(row.note) for one in told.split(", ")):
                cells = [wave.number(item, row.organisation, one) for one in wave.scored(item)]
                found.one_answer(("base", item, row.organisation), cells)
        for fewest in FEWER.findall(row.note):
            found.know((EVERY, row.scale, row.organisation), 0, int(fewest) - 1)


def telling(tables: Tables, parts: Collection[str]) -> list[tuple[str, str, str]]:
    """List notes and statuses about organisations that follow from what the people there answered."""
    found = set()
    for name, table in tables.items():
        if not {"organisation", "status", "note", "item"} <= set(table):
            continue
        # What is said of single statements is made from released counts.
        for row in table[
            table["item"].eq("") | ~table["analysis"].isin(["ordinal", "favourable"])
        ].itertuples():
            about = [one for one in str(row.organisation).split(" - ") if one in parts]
            if about and (row.status == "too_few" or TELLING.search(row.note)):
                found.add((name, row.organisation, f"{row.status}: {row.note}"))
    return sorted(found)


def left_out(
    tables: Tables,
    scale: str,
    items: int,
    *,
    sizes: Mapping[tuple[str, str], Range],
    people: Mapping[tuple[str, str], int],
    variant: str,
) -> dict[tuple[str, str], Range]:
    """Work out what those whom a variant leaves out scored altogether: n mean less (n - m) (mean + move).

    Parameters
    ----------
    tables
        Released.
    scale, items
        A scale and how many statements it has, all answered by everybody.
    sizes
        (Wave, organisation) -> how few and how many answered.
    people
        (Wave, organisation) -> how many of them the variant leaves out, as the stranger knows or supposes.
    variant
        Its name.

    Returns
    -------
    dict
        (Wave, organisation) -> the interval that their total lies in.
    """
    table, variances = tables["sensitivity"], tables["variances"]
    own = variances[(variances["scale"] == scale) & (variances["analysis"] == "linear")]
    [sd] = own.loc[own["term"] == "total_sd", "estimate"]
    mean = cells_of(tables, scale).mean
    own = table[(table["scale"] == scale) & (table["analysis"] == "linear") & table["estimate"].notna()]
    own = own[own["term"].isin(["change_standardised", "gap_standardised"]) & (own["organisation"] != "all")]
    main = {(row.wave, row.organisation): row for row in own[own["variant"] == "main"].itertuples()}
    found: dict[tuple[str, str], Range] = {}
    for row in own[own["variant"] == variant].itertuples():
        sides = _sides(row.wave, row.organisation)
        if (row.wave, row.organisation) not in main or sum(cell in people for cell in sides) != 1:
            continue
        before = printed(main[row.wave, row.organisation])
        moves = [(end - other) * sd for end, other in zip(printed(row), reversed(before), strict=True)]
        for sign, cell in zip((1, -1), sides, strict=True):
            if cell in people and cell in mean:
                m = people[cell]
                sums = [
                    items * (m * value - (n - m) * sign * move)
                    for value in mean[cell]
                    for n in sizes[cell]
                    for move in moves
                ]
                low, high = found.get(cell, (-math.inf, math.inf))
                found[cell] = max(low, min(sums) - 1e-6), min(high, max(sums) + 1e-6)
    return found


def confirmed(texts: Iterable[str], guesses: Mapping[Hashable, bytes]) -> dict[Hashable, str]:
    """Find the guesses whose plain hash stands in a text: of what is not released, a guess is then confirmed."""
    told = {one.lower() for text in texts for one in re.findall(r"[0-9A-Fa-f]{16,128}", text)}
    found = {}
    for guess, content in guesses.items():
        for algorithm in ("md5", "sha1", "sha256", "sha512", "blake2b"):
            digest = hashlib.new(algorithm, content).hexdigest()
            if any(digest.startswith(one) for one in told):
                found[guess] = algorithm
    return found


def newcomer(before: Tables, after: Tables) -> dict[tuple[str, str], list[tuple[int, int]]]:
    """Compare the totals of two releases: (wave, item) -> answers that have become more or fewer, and by how many."""
    place = ["wave", "item", "response"]
    one, other = (
        table["item_frequencies"][table["item_frequencies"]["organisation"] == "all"].set_index(place)["n"]
        for table in (before, after)
    )
    found = defaultdict(list)
    for (wave, item, response), n in (other - one).dropna().items():
        if n:
            found[wave, item].append((int(response), int(n)))
    return dict(found)


def inverted(published: Any, candidates: Iterable[Any], method: Callable[[Any], Any]) -> list[Any]:
    """Keep the candidate tables of which the rounding method makes what is published."""
    return [one for one in candidates if method(one) == published]


# --- the attack ---------------------------------------------------------------------------------------------------


class Breach(NamedTuple):
    """A count that can be told more closely than the rule allows; `values` are those that it may still have."""

    wave: str
    name: Hashable
    n: int
    low: float
    high: float
    values: int

    @property
    def exactly(self) -> bool:
        return self.values == 1 or self.low == self.high


@dataclass
class Report:
    """How many counts were attacked, which were told, and which true counts the stranger excludes (an error in him)."""

    attacked: int = 0
    breaches: list[Breach] = field(default_factory=list)
    wrong: list[Breach] = field(default_factory=list)


JOINS = ("means", "words", "variances")


def attack(
    truth: Mapping[Hashable, int],
    releases: Sequence[Release],
    wave: str,
    items: Mapping[str, ItemKey],
    *,
    joins: Collection[str] = JOINS,
    impossible: Collection[Hashable] = (),
    routing: Mapping[str, tuple[str, Collection[str]]] | None = None,
    whole: bool = False,
) -> Report:
    """Attack every small count of a wave, and every answer that all but a few of a group gave.

    Parameters
    ----------
    truth
        The true counts, as `truth` names them: to choose what to attack, and to judge what is found.
    releases
        All that was released of these people; usually one.
    wave
        The wave.
    items
        The questionnaire.
    joins
        What is joined to counts, percentages, means and standard deviations of statements.
    impossible
        Counts that everybody knows to be 0.
    routing
        Item -> variable and its levels that were asked it, where not everybody was.
    whole
        Whether integer programs are asked in place of linear ones.

    Returns
    -------
    Report
        A count is told if fewer values than the base of the rounding seem possible (or, in suppression, not every value
        from 0 to the threshold), and what is exact of all respondents together leaves more.
    """
    threshold, base = releases[0].method.threshold, max(one.method.rounding for one in releases)
    totals, sized, found = Stranger(), Stranger(), Stranger(integer=whole)
    waves = [Wave(one, wave, items) for one in releases]
    read(waves[0], totals, all_only=True, sizes=False)
    read(waves[0], sized, all_only=True, people=not base)
    for one in waves:
        read(one, found)
        read_routing(one, found, routing or {})
    for one, name in itertools.product((totals, sized, found), impossible):
        one.know(name, 0, 0)
    targets = {
        name: n
        for name, n in truth.items()
        if "all" not in name and name[0] != "missing" and _needs(truth, name, n, threshold)
    }
    targets = _fewer(truth, targets, threshold, (totals, sized, found), nobody=not base)

    def open_enough(_: Hashable) -> Callable[[Range], bool]:
        if base:
            return lambda found: found[1] - found[0] + 1 >= base
        return lambda found: found[0] <= 0 and found[1] >= threshold

    # How many answers are missing altogether is no secret: with its size, it bounds who answered of an organisation.
    # With suppression, sizes that are shown are exact, and leave less of all answers: the rule says so.
    by_size = ("base", EVERY, ANY) if base else ("base", EVERY, ANY, "n", "good", "rest")
    answered = {name for name in targets if name[0] in by_size}
    left = totals.ranges({name: open_enough(name) for name in targets if name not in answered})
    left |= sized.ranges({name: open_enough(name) for name in answered})
    values = _join(found, waves, joins)
    report = Report(attacked=len(targets))
    for name, (low, high) in found.ranges({name: open_enough(name) for name in targets}).items():
        n, number = targets[name], min(int(high - low + 1), values.get(name, MOST_VECTORS))
        lowest, highest = max(0.0, left[name][0]), min(threshold, left[name][1])
        if base:
            told = number < min(base, left[name][1] - left[name][0] + 1)
        else:
            told = low > lowest or high < highest or number < highest - lowest + 1
        if told:
            one = Breach(wave, name, n, low, high, number)
            (report.breaches if low <= n <= high else report.wrong).append(one)
    return report


def _fewer(
    truth: Mapping[Hashable, int],
    targets: Mapping[Hashable, int],
    threshold: int,
    strangers: Iterable[Stranger],
    *,
    nobody: bool,
) -> dict[Hashable, int]:
    """Put in place of what nearly all of a group answered how many did not; `nobody` may be no secret, nor zeros."""
    found = {name: n for name, n in targets.items() if n < threshold}
    for name in targets:
        if name not in found:
            group = ("base" if name[0] in ("n", "good") else EVERY, *name[1:3])
            if nobody or truth[group] > truth[name]:
                rest = ("rest", name, name[2])
                found[rest] = truth[group] - truth[name]
                for one in strangers:
                    one.total(group, [name, rest])
    return found


def _join(found: Stranger, waves: Sequence[Wave], joins: Collection[str]) -> dict[Hashable, int]:
    """Join what is no count; return how many values counts keep where that is fewer than their range has."""
    found.propagate()
    for wave, (name, join) in itertools.product(waves, (("means", join_means), ("words", join_words))):
        if name in joins:
            join(wave, found)
    found.propagate()
    values: dict[Hashable, int] = {}
    if "variances" in joins:
        for wave in waves:
            for name, number in join_variances(wave, found).items():
                values[name] = min(number, values.get(name, number))
        found.propagate()
    contradiction = any(low > high for low, high in zip(found.low, found.high, strict=True))
    assert not contradiction, "what is released contradicts itself, or the stranger is wrong"
    return values


def _group(truth: Mapping[Hashable, int], name: Any) -> int:
    """Give the number of people that an answer, level or end of a scale is counted of; 0: it is no answer."""
    match name:
        case ("n", item, organisation, _) | ("good", item, organisation):
            return truth["base", item, organisation]
        case ("floor" | "ceiling", scale, organisation):
            return truth[EVERY, scale, organisation]
    return 0


def _needs(truth: Mapping[Hashable, int], name: Any, n: int, threshold: int) -> bool:
    group = _group(truth, name)
    return 0 < n < threshold or (n >= threshold > group - n >= 0 and group > 0)


def truth_of(
    responses: pd.DataFrame,
    wave: str,
    items: Mapping[str, ItemKey],
    variables: Collection[str] = ("job", "mode"),
) -> dict[Hashable, int]:
    """Count the answers themselves, under the names that the stranger uses."""
    own = responses[responses["wave"] == wave]
    where = own["organisation"].astype("object").where(own["organisation"].notna(), "not_stated")
    found: dict[Hashable, int] = {}
    scales: dict[str, list[str]] = defaultdict(list)
    items = {item: key for item, key in items.items() if own[item].notna().any()}
    for item, key in items.items():
        if key.scale:
            scales[key.scale].append(item)
    for one in [*where.unique(), "all"]:
        rows = own if one == "all" else own[where == one]
        found["size", one] = len(rows)
        for item, key in items.items():
            answers = rows[item].dropna().astype(int)
            for response in range(1, key.points + 1):
                found["n", item, one, response] = int((answers == response).sum())
            found["base", item, one] = len(answers)
            found["good", item, one] = int(answers.isin(key.good).sum())
        for scale, members in scales.items():
            full = rows[members].dropna().astype(int)
            found[EVERY, scale, one] = len(full)
            found[ANY, scale, one] = int(rows[members].notna().any(axis=1).sum())
            for end in ENDS:
                at = [full[item] == items[item].end(end) for item in members]
                found[end, scale, one] = int(np.logical_and.reduce(at).sum()) if len(full) else 0
        for variable in set(variables) & set(rows):
            levels = rows[variable].astype("object").where(rows[variable].notna(), "not_stated")
            for level, n in levels.value_counts().items():
                found["level", variable, one, level] = int(n)
    return found
