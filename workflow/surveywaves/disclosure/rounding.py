"""Random controlled rounding of a table of counts whose totals are shown exactly, and its audit.

Counts of a wave by organisation (rows) and category (columns) are shown as multiples of a base b: each as the next
multiple below or above it, a multiple of b as it is, so that rows still add up to the sums that are shown beside them
(the base, the favourable answers) and to the rounded size of the organisation. The totals over all organisations are
shown exactly and are no multiples; organisations add up to a multiple R next to each total T. Which way a count goes is
drawn, with a probability given by its remainder: the expected value of what is shown is the count (Cox 1987, J. Am.
Stat. Assoc. 82, 520). The draw is a walk: as long as some values are no multiples, there is a direction in which they
can move together with all sums kept; they move to the next multiple one way or the other, with probabilities that leave
the mean where it is. The sums of rows are nested, and so are those of columns: the equations are those of a network, so
that the walk ends at multiples everywhere.

**What a reader knows.** Of a count shown as r: 0 to b - 1 where r = 0, otherwise r - b + 1 to r + b - 1; and every
exact total. These may tell more together. Take the m organisations that may have people in a column, k of them shown
above 0, with d = T - R, |d| < b. An organisation has at least T less the largest values of the others, and at most T
less their smallest, so that beside its own interval

- it has no less than r + d - (m - 1)(b - 1), which leaves b values up to r + max(d, 0) where m >= 2;
- shown above 0, it has no more than r + d + (k - 1)(b - 1); shown as 0, no more than d + k (b - 1).

For R <= T, d >= 0: b values are left to each, or all from 0 to T where T < b and every part is shown as 0. For R > T,
d < 0: b values are left to each if k >= 2, and fewer if k = 1 (T = 6 shown as 10, 0, 0 is 6, 0, 0). So R > T is drawn
only where k >= 2 for certain: not where T < b (every part is shown as 0 then), and where one part alone could be
rounded up to R it is rounded down. By construction no single column gives a small count back. These two cases, and
what they ask of the rows, are the only ones in which more is rounded down than up.

**The audit** is about all of a table together: rows, columns, sums, and what is said elsewhere. It grants the reader
the true size of every organisation, which is more than is shown; what remains is then a table by itself, as all others
of the wave are linked with it by these sizes only. Every small count, and every small number of people but for whom all
of a group would be alike, must keep b possible values, or all that the exact totals alone leave. Moves of few people
around four cells prove most of it; linear programs decide the rest (their bounds are whole numbers that are attained,
for the equations are a network's). A table that fails is drawn again, unless it passes with the sizes as they are
shown: then a program over all tables of the wave at once has the last word.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from surveywaves.disclosure.system import BoolArray, FloatArray, IntArray

TINY: Final = 1e-9
"""Values nearer to a multiple than this are that multiple."""


@dataclass(frozen=True, slots=True, eq=False)
class Crossed:
    """Counts by organisation and category; O organisations, C categories, S sums.

    Attributes
    ----------
    counts
        (O, C) people.
    sums
        (S, C) categories whose sums are shown as well; any two are nested or have nothing in common.
    hidden
        (C,) categories that are not shown (who did not answer); they follow from size and base.
    possible
        (O, C) False where everybody knows that there is nobody.
    """

    counts: IntArray
    sums: BoolArray
    hidden: BoolArray
    possible: BoolArray

    @classmethod
    def of(
        cls,
        counts: IntArray,
        sums: BoolArray | None = None,
        *,
        hidden: int = 0,
        possible: BoolArray | None = None,
    ) -> Crossed:
        """Make one whose last categories are hidden; everything is possible unless stated."""
        columns = counts.shape[1]
        return cls(
            counts,
            np.zeros((0, columns), dtype=np.bool_) if sums is None else sums,
            np.arange(columns) >= columns - hidden,
            np.ones(counts.shape, dtype=np.bool_) if possible is None else possible,
        )

    @property
    def summed(self) -> IntArray:
        """(O, S) the sums."""
        found: IntArray = self.counts @ self.sums.T.astype(np.intp)
        return found


def draw(
    table: Crossed,
    base: int,
    rng: np.random.Generator,
    *,
    sizes: IntArray | None = None,
    silent: BoolArray | None = None,
    most: IntArray | None = None,
) -> IntArray | None:
    """Round a table.

    Parameters
    ----------
    table
        The counts.
    base
        Multiples of this are shown.
    rng
        Decides.
    sizes
        (O,) rounded sizes of the organisations, to which all categories, hidden ones too, add up; None: there are none.
    silent
        (O,) organisations of which nothing is shown: their counts are whatever the others leave.
    most
        (O, C) multiples that must not be exceeded.

    Returns
    -------
    (O, C) int array or None
        Multiples of the base; None if there are none that meet everything.
    """
    counts, (rows, columns) = table.counts / base, table.counts.shape
    layout = _Layout.of(table, sizes is not None)
    true = layout.values(counts)
    low, high = np.floor(true + TINY), np.ceil(true - TINY)
    # A base may be rounded down more than once where its parts are, but no part further than to the next multiple.
    low[layout.sum_totals] = 0.0
    _safe(table, layout, base, low, high)
    cells = layout.cells
    if sizes is not None:
        low[layout.sizes] = high[layout.sizes] = sizes / base
        free = np.broadcast_to(table.hidden, counts.shape) & (table.counts.sum(axis=0) > 0)
        low[cells][free.ravel()], high[cells][free.ravel()] = 0.0, math.inf
        gone = layout.totals[table.hidden]
        low[gone], high[gone] = 0.0, np.where(high[gone] > 0, math.inf, 0.0)
    if silent is not None and silent.any():
        free = np.broadcast_to(silent[:, None] & (table.counts.sum(axis=0) > 0), counts.shape)
        low[cells][free.ravel()], high[cells][free.ravel()] = 0.0, math.inf
        low[layout.row_sums[silent]], high[layout.row_sums[silent]] = 0.0, math.inf
    if most is not None:
        high[cells] = np.minimum(high[cells], (most / base).ravel())
        low[cells] = np.minimum(low[cells], high[cells])
    start = layout.values(counts if sizes is None else _shifted(counts, sizes / base))
    if sizes is not None:
        start[layout.sizes] = sizes / base
    if ((start < low - TINY) | (start > high + TINY)).any() or np.abs(layout.equations @ start).max() > TINY:
        nearest = _nearest(layout, start, low, high)
        if nearest is None:
            return None
        start = nearest
    found = _walk(start, layout.equations, rng)
    if np.abs(found - np.round(found)).max() > TINY:
        return None
    rounded: IntArray = base * np.round(found[cells]).astype(np.intp).reshape(rows, columns)
    return rounded


class _Layout(NamedTuple):
    """Where the values of a table stand in a vector: cells, sums of rows, column totals, totals of sums, sizes."""

    equations: FloatArray
    matrix: FloatArray
    """Makes the vector from the cells."""
    cells: slice
    row_sums: IntArray
    totals: IntArray
    sum_totals: IntArray
    sizes: IntArray

    @classmethod
    def of(cls, table: Crossed, sized: bool) -> _Layout:
        rows, columns = table.counts.shape
        sums = len(table.sums)
        every = np.eye(rows * columns)
        in_sum = np.kron(np.eye(rows), table.sums.astype(np.float64))
        in_column = np.kron(np.ones((1, rows)), np.eye(columns))
        in_row = np.kron(np.eye(rows), np.ones((1, columns)))[: rows if sized else 0]
        derived = [in_sum, in_column, table.sums @ in_column, in_row]
        matrix = np.vstack([every, *derived])
        equations = np.hstack([np.vstack(derived), -np.eye(len(matrix) - len(every))])
        ends = np.cumsum([rows * columns, rows * sums, columns, sums, rows if sized else 0])
        places = [np.arange(start, end) for start, end in pairwise(ends)]
        return cls(equations, matrix, slice(0, rows * columns), places[0].reshape(rows, sums), *places[1:])

    def values(self, cells: FloatArray) -> FloatArray:
        found: FloatArray = self.matrix @ cells.ravel()
        return found


def _safe(table: Crossed, layout: _Layout, base: int, low: FloatArray, high: FloatArray) -> None:
    """Rule out what would give a part of an exact total back: see the module."""
    rows, columns = table.counts.shape
    cells = np.arange(rows * columns).reshape(rows, columns)
    parts = [
        (table.counts[:, one], cells[:, one], layout.totals[one]) for one in np.flatnonzero(~table.hidden)
    ]
    parts += [
        (table.summed[:, one], layout.row_sums[:, one], layout.sum_totals[one])
        for one in range(len(table.sums))
    ]
    for counts, places, total in parts:
        if (whole := int(counts.sum())) < base:
            high[total] = high[places] = low[total] = low[places] = 0.0
            continue
        largest = int(counts.argmax())
        others = np.delete(counts, largest)
        if whole % base and others.max(initial=0) < base and -(-counts[largest] // base) == -(-whole // base):
            high[places[largest]] = low[places[largest]]


def _shifted(cells: FloatArray, sizes: FloatArray) -> FloatArray:
    """Spread what a size moved by over its row, over the cells that can move most."""
    moved = sizes - cells.sum(axis=1)
    part = cells % 1.0
    room = np.where((part > TINY) & (part < 1 - TINY), part * (1 - part), 0.0)
    total = room.sum(axis=1, keepdims=True)
    found: FloatArray = (
        cells + np.divide(room, total, out=np.zeros_like(room), where=total > 0) * moved[:, None]
    )
    return found


def _nearest(layout: _Layout, start: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray | None:
    """Find the values nearest to others that meet the equations and the limits (sum of distances of cells)."""
    cells = layout.matrix.shape[1]
    unit, derived = np.eye(cells), layout.matrix[cells:]
    rows = np.vstack([np.hstack([unit, -unit]), np.hstack([unit, unit]), np.hstack([derived, 0 * derived])])
    least = np.concatenate([np.full(cells, -np.inf), start[:cells], low[cells:]])
    most = np.concatenate([start[:cells], np.full(cells, np.inf), high[cells:]])
    found = milp(
        np.concatenate([np.zeros(cells), np.ones(cells)]),
        bounds=Bounds(
            np.concatenate([low[:cells], np.zeros(cells)]),
            np.concatenate([high[:cells], np.full(cells, np.inf)]),
        ),
        constraints=LinearConstraint(rows, least, most),
    )
    return None if found.x is None else layout.values(found.x[:cells])


def _walk(start: FloatArray, equations: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Move values to whole numbers, their equations and means kept, as far as there is a direction to move in."""
    values = _settled(start)
    free = np.flatnonzero(values != np.round(values))
    rows, pivots = _reduced(equations[:, free])
    active = np.ones(len(free), dtype=np.bool_)
    while (loose := np.flatnonzero(active & ~np.isin(np.arange(len(free)), pivots))).size:
        direction = np.zeros(len(free))
        direction[loose[0]] = 1.0
        direction[pivots] = -rows[:, loose[0]]
        own = values[free]
        moving = np.abs(direction) > TINY
        above, below = np.ceil(own) - own, own - np.floor(own)
        speed = np.abs(direction[moving])
        up = (np.where(direction > 0, above, below)[moving] / speed).min()
        down = (np.where(direction > 0, below, above)[moving] / speed).min()
        step = up if rng.random() * (up + down) < down else -down
        values[free] = _settled(own + step * direction)
        for place in np.flatnonzero(active & (values[free] == np.round(values[free]))):
            active[place] = False
            rows, pivots = _without(rows, pivots, int(place), active)
    return values


def _settled(values: FloatArray) -> FloatArray:
    whole = np.round(values)
    found: FloatArray = np.where(np.abs(values - whole) < TINY, whole, values)
    return found


def _reduced(matrix: FloatArray) -> tuple[FloatArray, IntArray]:
    """Reduce equations to one pivot each (Gauss and Jordan)."""
    rows, pivots, row = matrix.copy(), [], 0
    for column in range(rows.shape[1]):
        if row == len(rows):
            break
        best = row + int(np.abs(rows[row:, column]).argmax())
        if abs(rows[best, column]) < TINY:
            continue
        rows[[row, best]] = rows[[best, row]]
        rows = _pivoted(rows, row, column)
        pivots.append(column)
        row += 1
    return rows[:row], np.array(pivots, dtype=np.intp)


def _pivoted(rows: FloatArray, row: int, column: int) -> FloatArray:
    pivot = rows[row] / rows[row, column]
    rows = rows - np.outer(rows[:, column], pivot)
    rows[row] = pivot
    return rows


def _without(rows: FloatArray, pivots: IntArray, gone: int, active: BoolArray) -> tuple[FloatArray, IntArray]:
    """Take out a variable that is settled: if an equation has it as its pivot, it gets another or is used up."""
    own = np.flatnonzero(pivots == gone)
    if own.size:
        row = int(own[0])
        others = active & (np.abs(rows[row]) > TINY)
        others[pivots] = False
        if others.any():
            column = int(others.argmax())
            pivots = pivots.copy()
            rows, pivots[row] = _pivoted(rows, row, column), column
        else:
            rows, pivots = np.delete(rows, row, axis=0), np.delete(pivots, row)
    rows[:, gone] = 0.0
    return rows, pivots


class Narrowed(NamedTuple):
    """A small count: its row, its categories (several are counted together), and how many values must be possible."""

    row: int
    members: BoolArray
    enough: int


@dataclass(frozen=True, slots=True, eq=False)
class Audit:
    """What a reader can find out about a table of which the rounded counts are shown, sizes and exact totals known.

    Attributes
    ----------
    table
        The counts.
    low, high
        (O, C) what is known of each by itself.
    sum_low, sum_high
        (O, S) the same of the sums.
    shift
        (O, C, C) people of a row who may be in the second category rather than the first, and one other row the other
        way round.
    """

    table: Crossed
    low: FloatArray
    high: FloatArray
    sum_low: FloatArray
    sum_high: FloatArray
    shift: FloatArray

    @classmethod
    def of(
        cls,
        table: Crossed,
        rounded: IntArray,
        base: int,
        *,
        silent: BoolArray | None = None,
        least: FloatArray | None = None,
    ) -> Audit:
        """Say what is known.

        Parameters
        ----------
        table, rounded, base
            The counts, and as what multiples they are shown.
        silent
            (O,) organisations of which nothing is shown.
        least
            (O, C) what other tables say that counts are at least.
        """
        low, high = interval(rounded, base)
        sum_low, sum_high = interval(rounded @ table.sums.T.astype(np.intp), base)
        nothing = np.zeros(len(rounded), dtype=np.bool_) if silent is None else silent
        unknown = table.hidden | nothing[:, None]
        low, high = np.where(unknown, 0.0, low), np.where(unknown, np.inf, high)
        high = np.where(table.possible, high, 0.0)
        sum_low[nothing], sum_high[nothing] = 0.0, np.inf
        low = low if least is None else np.maximum(low, least)
        shift = _shift(
            table, table.counts - low, high - table.counts, table.summed - sum_low, sum_high - table.summed
        )
        return cls(table, low, high, sum_low, sum_high, shift)

    def narrowed(self, base: int, threshold: int) -> list[Narrowed]:
        """List the small counts with fewer possible values than `base`, and than the exact totals leave them.

        To a reader who knows the true sizes, that is.
        """
        return [
            need
            for need in _needs(self.table, base, threshold)
            if self._moved(need) < need.enough and self._values(need) < need.enough
        ]

    def _moved(self, need: Narrowed) -> float:
        """Count the values of what must stay open that moves around four cells show to be possible."""
        own, inside, outside = self.shift[need.row], need.members, ~need.members
        if not outside.any():
            return 1.0
        up, down = own[np.ix_(outside, inside)].max(), own[np.ix_(inside, outside)].max()
        return 1.0 + float(up) + float(down)

    def _values(self, need: Narrowed) -> int:
        sizes = self.table.counts.sum(axis=1).astype(np.float64)
        return Joint.of([self], (sizes, sizes)).values(0, need)


@dataclass(frozen=True, slots=True, eq=False)
class Joint:
    """Everything that a reader knows of some tables of the same organisations, as a linear program.

    Attributes
    ----------
    audits
        What is known of each.
    starts
        Where the unknowns of each begin; the sizes of the organisations are the first.
    bounds, constraints
        What is known of the unknowns, and of sums of them.
    """

    audits: Sequence[Audit]
    starts: Sequence[int]
    bounds: Bounds
    constraints: LinearConstraint

    @classmethod
    def of(cls, audits: Sequence[Audit], sizes: tuple[FloatArray, FloatArray]) -> Joint:
        """Put tables together.

        Parameters
        ----------
        audits
            Of the tables.
        sizes
            (O,), (O,) what is known of the organisations' sizes: they lie between, and their sum is known.
        """
        rows = len(sizes[0])
        low, high, starts = [sizes[0]], [sizes[1]], []
        whole = np.array([float(audits[0].table.counts.sum())])
        least, most = [whole], [whole]
        places = [(np.zeros(rows, dtype=np.intp), np.arange(rows), np.ones(rows))]
        start, line = rows, 1
        for audit in audits:
            counts, sums = audit.table.counts, audit.table.sums
            columns = counts.shape[1]
            cells = start + np.arange(counts.size).reshape(rows, columns)
            of_row = np.broadcast_to(line + np.arange(rows)[:, None], cells.shape)
            of_column = np.broadcast_to(line + rows + np.arange(columns), cells.shape)
            number, member = np.nonzero(sums)
            first = line + rows + columns + np.arange(rows)[:, None] * len(sums)
            places += [
                (
                    np.concatenate([of_row.ravel(), line + np.arange(rows)]),
                    np.concatenate([cells.ravel(), np.arange(rows)]),
                    np.concatenate([np.ones(cells.size), -np.ones(rows)]),
                ),
                (of_column.ravel(), cells.ravel(), np.ones(cells.size)),
                ((first + number).ravel(), cells[:, member].ravel(), np.ones(rows * len(member))),
            ]
            low.append(audit.low.ravel())
            high.append(audit.high.ravel())
            known = [np.zeros(rows), counts.sum(axis=0)]
            least += [*known, audit.sum_low.ravel()]
            most += [*known, audit.sum_high.ravel()]
            starts.append(start)
            start, line = start + counts.size, line + rows + columns + rows * len(sums)
        row, column, factor = (np.concatenate(part) for part in zip(*places, strict=True))
        matrix = sparse.csr_array((factor, (row, column)), shape=(line, start))
        return cls(
            audits,
            starts,
            Bounds(np.concatenate(low), np.concatenate(high)),
            LinearConstraint(matrix, np.concatenate(least), np.concatenate(most)),
        )

    def values(self, number: int, need: Narrowed) -> int:
        """Count the possible values of what must stay open of a table, by two linear programs."""
        goal = np.zeros(len(self.bounds.lb))
        columns = self.audits[number].table.counts.shape[1]
        goal[self.starts[number] + need.row * columns + np.flatnonzero(need.members)] = 1.0
        low, high = (self._least(sign * goal) for sign in (1, -1))
        return 1 - high - low

    def _least(self, goal: FloatArray) -> int:
        found = milp(goal, bounds=self.bounds, constraints=self.constraints)
        if found.x is None:
            raise RuntimeError(f"the audit of a table has no solution: {found.message}")
        return round(float(goal @ found.x))


def interval(shown: IntArray, base: int) -> tuple[FloatArray, FloatArray]:
    """Say what is known of counts that are shown rounded: they lie between."""
    return np.maximum(shown - base + 1, 0).astype(np.float64), (shown + base - 1).astype(np.float64)


def _shift(
    table: Crossed, down: FloatArray, up: FloatArray, sum_down: FloatArray, sum_up: FloatArray
) -> FloatArray:
    """(O, C, C) moves around four cells, from one category to another: see `Audit`."""
    # By itself, a row may move so many: as the cells allow, and the sums that have one of the two.
    alone = np.minimum(down[:, :, None], up[:, None, :])
    for number, members in enumerate(table.sums):
        leaving, entering = members[:, None] & ~members, ~members[:, None] & members
        alone = np.where(leaving, np.minimum(alone, sum_down[:, number, None, None]), alone)
        alone = np.where(entering, np.minimum(alone, sum_up[:, number, None, None]), alone)
    back = alone.transpose(0, 2, 1)
    if len(back) == 1:
        return np.zeros_like(alone)
    largest = np.sort(back, axis=0)[-2:]
    others = np.where(back == largest[1], largest[0], largest[1])
    # If two rows can move the most, each is the other's.
    found: FloatArray = np.minimum(alone, others)
    return found


def _needs(table: Crossed, base: int, threshold: int) -> Iterator[Narrowed]:
    """List what must stay open."""
    sets = [*np.eye(table.counts.shape[1], dtype=np.bool_)[~table.hidden], *table.sums]
    if len(table.sums):
        group = table.sums[0]
        sets += [group & ~members for members in sets if (members & group).any() and (group & ~members).any()]
    members = np.unique(np.array(sets, dtype=np.bool_), axis=0)
    counts = table.counts @ members.T.astype(np.intp)
    totals, several = table.counts.sum(axis=0), table.possible.sum(axis=0) > table.possible
    for row, one in np.argwhere((counts > 0) & (counts < threshold)):
        alone = 1 + int(totals[members[one] & several[row]].sum())
        yield Narrowed(int(row), members[one], min(base, alone))
