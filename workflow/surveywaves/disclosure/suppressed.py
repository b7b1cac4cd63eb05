"""Counts by organisation exact or withheld: the choice beside rounding.

A count that is shown is exact, one that is withheld can be anything. What a reader can infer from that, the audit of
rounded counts says (`audit`), with these bounds in place of those of rounding. Of each small count every value from 0
to the threshold must remain possible, and so it must of how many answered otherwise than the rest of their group; or
all of these values that the exact totals allow. Where the audit finds that this is not so, more is withheld.

What to withhold is the cell suppression problem (Fischetti and Salazar-González 2000, J. Am. Stat. Assoc. 95, 916;
2001, Management Science 47, 1008): the cheapest set of counts in which each small count can move as far as it must. It
is an integer program with a switch for each count, and for each count that must move one way a table in which it has
moved, and others only if they are withheld. Only what the audit finds narrowed is put into the program, which is then
solved again.

Sizes of organisations are chosen first, together with the levels of grouping variables and the questions that were
asked by level, whose numbers of answers are linked to these; then each item, with what is then known of the sizes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from surveywaves.disclosure import account
from surveywaves.disclosure.audit import Joint, Known, Sizes, Small, Tie
from surveywaves.disclosure.count_tables import ASKED, BASE, GOOD, Counted, Shown, Table
from surveywaves.disclosure.rounding import Crossed
from surveywaves.disclosure.rule import BoolArray, FloatArray, IntArray, Rule
from surveywaves.terms import ALL, NOT_STATED, ORGANISATION

COUNT: Final = 1.0
SUMS: Final = {BASE: 20.0, GOOD: 0.5, ASKED: 60.0}
SIZE: Final = 60.0
UNSTATED: Final = 40.0
MOMENTS: Final = 1.5
"""What is lost with a count and its percentage; with a sum, which for a base is all percentages; with the size of an
organisation, and so all its answers by item; with the number of those who stated none; with mean and standard
deviation, which are shown only where all responses are."""

NEVER: Final = np.inf
"""The cost of withholding what is in print."""

AT_ONCE: Final = 2_000
"""Unknowns, and sums of them, in an integer program at most; for more, what is withheld so far stays so."""

NODES: Final = 2_000
"""Nodes of a branch and bound: what is found by then is safe, if not the cheapest. Nodes, not seconds: the same choice
on every machine."""


class Part(NamedTuple):
    """A table, and what may be withheld of it.

    `cost` (O, C) and `sums` (O, S) are what is lost with each count, `row` with the first one of a row. Nothing is
    shown of the organisations that are `gone`, (O,). `small` must stay open.
    """

    table: Crossed
    cost: FloatArray
    sums: FloatArray
    gone: BoolArray
    small: list[Small]
    row: float = 0.0


class Hidden(NamedTuple):
    """What is withheld of a table: counts (O, C), and sums (O, S)."""

    cells: BoolArray
    sums: BoolArray


class _Goal(NamedTuple):
    """A sum of unknowns that must reach a value, which is above (1) or below (-1) the true one, by a distance."""

    place: IntArray
    sign: float
    value: float
    distance: float


def chosen(parts: Sequence[Part], sizes: Sizes, ties: Sequence[Tie] = ()) -> tuple[list[Hidden], Joint]:
    """Choose what to withhold.

    Parameters
    ----------
    parts
        Tables of the same organisations.
    sizes, ties
        What else is known: see `audit.Joint`.

    Returns
    -------
    list, Joint
        What is withheld of each table, and what is then known.
    """
    tables = [one.table for one in parts]
    nothing = np.ones(len(sizes.true), dtype=np.bool_)
    wide = Joint([Known.rounded(one, one.counts, 1, silent=nothing) for one in tables], sizes, ties)
    exact = Joint([Known.rounded(one, one.counts, 1) for one in tables], sizes, ties).ends
    work = _Choice(wide, exact)
    for number, one in enumerate(parts):
        work.add(number, one)
    hidden = work.solved()
    found = [
        Hidden(hidden[cells], hidden[sums].T) for cells, sums in zip(wide.blocks, wide.sums, strict=False)
    ]
    return found, work.known(hidden)


@dataclass
class _Choice:
    """The choice of what to withhold; N unknowns and sums of them.

    Attributes
    ----------
    wide, exact
        What is known if all is withheld; (2, N) the bounds if all is shown.
    cost
        (N,) what is lost with each.
    gone
        (N,) what is withheld in any case.
    small, rows
        What must stay open; unknowns, with the first of which a cost arises.
    """

    wide: Joint
    exact: FloatArray
    cost: FloatArray = field(init=False)
    gone: BoolArray = field(init=False)
    small: list[tuple[int, Small]] = field(default_factory=list)
    rows: list[tuple[IntArray, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin with nothing withheld that is an unknown of its own."""
        self.cost = np.zeros(self.exact.shape[1])
        self.gone = np.zeros(self.exact.shape[1], dtype=np.bool_)

    def add(self, number: int, part: Part) -> None:
        """Add a table's costs and small counts."""
        cells, sums = self.wide.blocks[number], self.wide.sums[number].T
        # Of two choices that cost the same, that with fewer people.
        people = 0.01 / (1 + part.table.counts.sum())
        self.cost[cells] = part.cost * (1 + people * part.table.counts)
        self.cost[sums] = part.sums * (1 + people * part.table.summed)
        self.gone[cells[part.gone]] = self.gone[sums[part.gone]] = True
        for one in part.small:
            own = cells[one.row, one.members]
            same = sums[one.row, (part.table.sums == one.members).all(axis=1)]
            self.gone[own if own.size == 1 else same] = True
            self.small.append((number, one))
        if part.row:
            self.rows += [(own, part.row) for own in cells[~part.gone][:, ~part.table.hidden]]

    def known(self, hidden: BoolArray) -> Joint:
        """Return what is known if so much is withheld."""
        return self.wide.within(np.where(hidden, self.wide.ends, self.exact))

    def solved(self) -> BoolArray:
        """(N,) choose what to withhold."""
        printed = np.isinf(self.cost)
        possible = self.known(~printed)
        for place, least, most in possible.spans(self.small):
            number, one = self.small[place]
            low, high = one.span or (0.0, 0.0)
            self.small[place] = number, one._replace(span=(max(low, least), min(high, most)))
        switches = (self.wide.ends != self.exact).any(axis=0) & ~printed
        fixed = switches & (self.gone | (self.cost == 0))
        hidden: BoolArray = fixed
        goals, asked = list[_Goal](), set[int]()
        most = max(AT_ONCE // self.exact.shape[1], 1)
        while told := list(islice(self.known(hidden).spans(self.small), most)):
            if asked.issuperset(place for place, _, _ in told):
                # Linear programs promise what whole numbers do not keep: not seen in any study.
                return np.asarray(~printed)
            if len(goals) + len(told) > most:
                fixed, goals, asked = hidden, [], set()
            for place, least, highest in told:
                if place not in asked:
                    goals += self._goals(*self.small[place], least, highest)
            asked |= {place for place, _, _ in told}
            hidden = self._cheapest(switches & ~fixed, fixed, goals)
        return hidden

    def _goals(self, number: int, small: Small, least: float, most: float) -> Iterator[_Goal]:
        place = self.wide.blocks[number][small.row, small.members]
        true = float(self.exact[0, place].sum())
        low, high = small.span or (true, true)
        if low < least:
            yield _Goal(place, -1.0, low, true - low)
        if high > most:
            yield _Goal(place, 1.0, high, high - true)

    def _cheapest(self, switches: BoolArray, fixed: BoolArray, goals: Sequence[_Goal]) -> BoolArray:
        """(N,) choose the cheapest switches that let goals be reached."""
        rows, which, others = self.wide.rows, np.flatnonzero(switches), np.flatnonzero(~switches)
        low, high = np.where(fixed | switches, self.wide.ends, self.exact)
        first = [(own[switches[own]], cost) for own, cost in self.rows if not fixed[own].any()]
        unknowns, times, choices = rows.shape[1], len(goals), len(which) + len(first)
        # What a switch of a row costs is lost as soon as one of its counts is withheld.
        pairs = [
            (np.searchsorted(which, one), number) for number, (own, _) in enumerate(first) for one in own
        ]
        lost = sparse.lil_array((len(pairs), choices))
        for line, (one, number) in enumerate(pairs):
            lost[line, one], lost[line, len(which) + number] = -1.0, 1.0
        aims = sparse.lil_array((times, unknowns * times))
        for number, goal in enumerate(goals):
            aims[number, number * unknowns + goal.place] = goal.sign
        # To move one count by some people takes no more than so many of any other.
        room = np.kron(np.array([[goal.distance] for goal in goals]), np.eye(len(which), choices))
        every = sparse.eye_array(times)
        moved = sparse.kron(every, rows[which])
        blocks: list[list[Any]] = [
            [lost, None],
            [sparse.csr_array(-room), moved],
            [sparse.csr_array(room), moved],
            [None, sparse.kron(every, rows[others])],
            [None, aims],
        ]
        true, endless = np.tile(self.exact[0, which], times), np.full(len(which) * times, np.inf)
        reached = np.array([goal.sign * goal.value for goal in goals])
        limits = [
            (np.zeros(len(pairs)), np.ones(len(pairs))),
            (-endless, true),
            (true, endless),
            (np.tile(low[others], times), np.tile(high[others], times)),
            (reached, np.full(times, np.inf)),
        ]
        least, most = (np.concatenate(ends) for ends in zip(*limits, strict=True))
        found = milp(
            np.concatenate([self.cost[which], [cost for _, cost in first], np.zeros(unknowns * times)]),
            integrality=(np.arange(choices + unknowns * times) < len(which)).astype(np.intp),
            bounds=Bounds(
                np.concatenate([np.zeros(choices), np.tile(low[:unknowns], times)]),
                np.concatenate([np.ones(choices), np.tile(high[:unknowns], times)]),
            ),
            constraints=LinearConstraint(sparse.block_array(blocks, format="csc"), least, most),
            options={"mip_rel_gap": 0.0, "node_limit": NODES, "presolve": False},
        )
        hidden = fixed.copy()
        hidden[which] = True if found.x is None else found.x[: len(which)] > 0.5
        return hidden


def suppressed(
    waves: Collection[Counted], *, rule: Rule, public: Collection[tuple[str, str, str]]
) -> tuple[Shown, pd.DataFrame]:
    """Withhold counts by organisation.

    Parameters
    ----------
    waves
        The counts; each wave is by itself.
    rule
        The rule.
    public
        Counts that are in print: wave, item or variable, level.

    Returns
    -------
    Shown, DataFrame
        What is shown; and every withheld count with its value and reason: `linked, count, n, reason`, which gives small
        counts away.
    """
    found, reasons = Shown.of(waves), list[tuple[str, str, int, str]]()
    for one in waves:
        if one.divided:
            for table, part, hidden in _wave(one, rule, public):
                reasons += _reasons(one, table, part, hidden)
                _keep(found, one, table, hidden)
    return found, account.reasons(reasons)


def _wave(
    wave: Counted, rule: Rule, public: Collection[tuple[str, str, str]]
) -> Iterator[tuple[Table, Part, Hidden]]:
    """Choose for all tables of a wave: those that are linked with each other first, with the sizes."""
    linked, alone = _routed(wave)
    spared = np.array([rule.unstated and name == NOT_STATED for name in wave.names])
    few = np.array([rule.small(int(n)) for n in wave.sizes]) & ~spared
    tables = [wave.size, *wave.people, *linked]
    parts = [_sizes(wave, few, public, rule), *(_part(one, few, spared, rule) for one in tables[1:])]
    sizes = Sizes(wave.sizes, np.zeros(len(few)), np.full(len(few), wave.sizes.sum()))
    found, known = chosen(parts, sizes, _ties(wave, tables))
    yield from zip(tables, parts, found, strict=True)
    gone = found[0].cells[:, 0]
    low, high = wave.sizes.astype(np.float64), wave.sizes.astype(np.float64)
    endless = [(0, Small(int(row), np.array([True]), span=(-1.0, np.inf))) for row in np.flatnonzero(gone)]
    for place, least, most in known.spans(endless):
        low[endless[place][1].row], high[endless[place][1].row] = least, most
    few_answered = _few_answered_all(wave)
    for table in wave.items:
        if table not in linked:
            few, base = few_answered[table.subject], table.crossed.sums[0]
            part = _part(table, gone | few | (table.subject in alone), spared, rule)
            part.small.extend(
                Small(int(row), base, span=(0, int(table.crossed.summed[row, 0])))
                for row in np.flatnonzero(few)
            )
            [hidden], _ = chosen([part], Sizes(wave.sizes, low, high))
            yield table, part, hidden


def _few_answered_all(wave: Counted) -> dict[str, BoolArray]:
    """Mark items and organisations, (O,), whose bases tell that a few at least answered all items of the scale."""
    missing = {one.subject: one.crossed.counts[:, -1] for one in wave.items}
    scales = {item: wave.instrument[item].scale for item in missing}
    found = {}
    for item, own in missing.items():
        together = [other for name, other in missing.items() if scales[item] and scales[name] == scales[item]]
        least = wave.sizes - np.sum(together, axis=0)
        found[item] = own.any() & (least > 0) & (least < wave.rule.threshold)
    return found


def _sizes(wave: Counted, few: BoolArray, public: Collection[tuple[str, str, str]], rule: Rule) -> Part:
    """Lay out the sizes of the organisations: those that are in print cannot be withheld."""
    printed = np.array([(wave.wave, ORGANISATION, name) in public for name in wave.names])
    price = [UNSTATED if name == NOT_STATED else SIZE for name in wave.names]
    return _column(wave.size.crossed, np.where(printed, NEVER, price), few & ~printed, rule)


def _column(table: Crossed, cost: FloatArray, few: BoolArray, rule: Rule) -> Part:
    """Lay out a table of one column."""
    small = [Small(int(row), np.array([True]), span=(0, rule.threshold)) for row in np.flatnonzero(few)]
    nothing = np.zeros((len(few), 0))
    return Part(table, cost[:, None], nothing, np.zeros(len(few), dtype=np.bool_), small)


def _part(table: Table, gone: BoolArray, spared: BoolArray, rule: Rule) -> Part:
    """Lay out an item, or a grouping variable; `spared`, (O,), is who stated nothing, if that may be shown."""
    crossed, item = table.crossed, not table.unordered
    if item:
        bases = crossed.summed[:, 0]
        gone = gone | (bases > 0) & (bases < rule.threshold) & ~spared
    sums = np.array([SUMS[name] for name in table.summed])
    if not item and not crossed.counts[:, -1].any():
        sums[1] = 0.0  # everybody was asked: it is the size
    cost = np.where(crossed.hidden, 0.0, COUNT)
    small = list(_small(table, spared, rule))
    rows = (len(gone), 1)
    return Part(crossed, np.tile(cost, rows), np.tile(sums, rows), gone, small, MOMENTS if item else 0.0)


def _small(table: Table, spared: BoolArray, rule: Rule) -> Iterator[Small]:
    """List what must stay open: small counts, and of items how few a group's other answers are."""
    crossed, item = table.crossed, not table.unordered
    sets = [
        members
        for members, column in zip(np.eye(len(crossed.hidden), dtype=np.bool_), table.columns, strict=False)
        if item or column != NOT_STATED or not rule.unstated
    ]
    base, other = crossed.sums
    if item or not rule.unstated:
        sets.append(base)
    if item:
        sets.append(other)
    span = (0, rule.threshold)
    for members in sets:
        for row, n in enumerate(crossed.counts @ members):
            if rule.small(int(n)) and not (spared[row] and members is base):
                yield Small(row, members, span=span)
    if item and rule.uniform:
        for members in sets:
            rest = base & ~members
            for row, n in enumerate(crossed.counts @ rest):
                if rest.any() and 0 <= n < rule.threshold and crossed.counts[row] @ members:
                    yield Small(row, rest, span=span)


def _routed(wave: Counted) -> tuple[list[Table], frozenset[str]]:
    """List the questions that only some were asked: by grouping variables, and otherwise.

    The number who answered is linked with the counts of the levels that were asked. Where a filter question decides, or
    another statement, nothing is shown by organisation.
    """
    variables = {one.subject for one in wave.people}
    by_level = {item for item, names in wave.routes.of.items() if names and names.keys() <= variables}
    return [one for one in wave.items if one.subject in by_level], wave.routes.some - by_level


def _ties(wave: Counted, tables: Sequence[Table]) -> list[Tie]:
    """Link questions with the levels that were not asked: whoever is of these is among those who did not answer."""
    found, place = [], {one.subject: number for number, one in enumerate(tables)}
    for number, table in enumerate(tables):
        for variable, asked in wave.routes.of.get(table.subject, {}).items():
            if variable in place:
                other = tables[place[variable]]
                away = [str(one) not in asked and one != NOT_STATED for one in other.columns]
                members = np.array([*away, False])
                people = other.crossed.counts[:, members].sum(axis=1)
                nothing, all_ = np.zeros(len(wave.names)), np.full(len(wave.names), float(people.sum()))
                within = ((number, table.crossed.hidden), (place[variable], members))
                found.append(Tie(people, nothing, all_, within))
    return found


def _keep(found: Shown, wave: Counted, table: Table, hidden: Hidden) -> None:
    """Keep what is shown of a table."""
    if not table.subject:
        sizes = _left(table.crossed.counts[:, 0], hidden.cells[:, 0])
        shown = dict(zip(wave.names, sizes, strict=True))
        unstated = shown.get(NOT_STATED, 0)
        found.sized(wave, shown, None if unstated is None else int(wave.sizes.sum()) - unstated)
        return
    sizes_ = found.people[wave.wave, ORGANISATION, ALL]
    for row, name in enumerate(wave.names):
        counts = _left(table.crossed.counts[row, :-1], hidden.cells[row, :-1])
        sums = _left(table.crossed.summed[row], hidden.sums[row])
        if table.unordered and not table.crossed.counts[:, -1].any():
            sums[1] = sizes_[name]
        found.keep(wave, table, name, counts, sums)


def _reasons(wave: Counted, table: Table, part: Part, hidden: Hidden) -> Iterator[tuple[str, str, int, str]]:
    """List what is withheld of a table, and whether it is small itself."""
    crossed = table.crossed
    small = {(one.row, one.members.tobytes()) for one in part.small}
    sets = [*np.eye(crossed.counts.shape[1], dtype=np.bool_)[: len(table.columns)], *crossed.sums]
    marks = np.column_stack([hidden.cells[:, : len(table.columns)], hidden.sums])
    names = [*table.columns, *table.summed]
    for row, column in np.argwhere(marks):
        why = "primary" if (row, sets[column].tobytes()) in small else "complementary"
        n = int(crossed.counts[row] @ sets[column])
        linked = ", ".join(filter(None, (wave.wave, table.subject)))
        yield linked, f"{wave.names[row]}, {names[column]}".removesuffix(", "), n, why


def parts_of_known(rows: IntArray, rule: Rule, *, told: bool) -> list[int | None]:
    """Choose what is shown of parts of a number that everybody knows; nothing if they would tell of a group."""
    few = np.array([rule.small(int(n)) for n in rows])
    part = _column(Crossed.of(rows[:, None]), np.full(len(rows), COUNT), few, rule)
    sizes = Sizes(rows, np.zeros(len(rows)), np.full(len(rows), rows.sum()))
    [hidden], _ = chosen([part._replace(gone=part.gone | told)], sizes)
    return _left(rows, hidden.cells[:, 0])


def _left(numbers: IntArray, hidden: BoolArray) -> list[int | None]:
    return [None if gone else int(n) for n, gone in zip(numbers, hidden, strict=True)]
