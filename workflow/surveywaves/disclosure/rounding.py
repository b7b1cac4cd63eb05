"""Random controlled rounding of a table of counts whose totals are shown exactly (`audit`: what it tells).

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

**Many organisations** are drawn in blocks: first the sums of the blocks, as if these were organisations, then each
block with its sums held. Of a total that is shown as R > T at least two blocks are above 0, and so at least two
organisations: what a reader knows is the same. The sums of blocks are shown nowhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from surveywaves.disclosure.rule import BoolArray, FloatArray, IntArray

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
    blocks: IntArray | None = None,
    uneven: bool = False,
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
    blocks
        (O,) number of the block of each organisation; None: all are drawn at once.
    uneven
        Whether chance decides what moves where the sums of blocks have to move before they are drawn, rather than
        what moves least: so it is where the organisations of a block cannot have the sums drawn at first.

    Returns
    -------
    (O, C) int array or None
        Multiples of the base; None if there are none that meet everything.
    """
    if blocks is None:
        return _drawn(table, base, rng, sizes=sizes, silent=silent, most=most)
    member = blocks == np.arange(blocks.max() + 1)[:, None]
    of = member.astype(np.intp)
    sums = _drawn(
        Crossed(of @ table.counts, table.sums, table.hidden, of @ table.possible > 0),
        base,
        rng,
        sizes=None if sizes is None else of @ sizes,
        silent=None if silent is None else (silent | ~member).all(axis=1),
        most=None if most is None else of @ most,
        room=None if sizes is None else of @ np.minimum(-(-table.summed // base) * base, sizes[:, None]),
        price=rng.uniform(1.0, 2.0, (len(of), table.counts.shape[1])) if uneven else None,
    )
    if sums is None:
        return None
    found = np.zeros_like(table.counts)
    for rows, totals in zip(member, sums, strict=True):
        limits = (None if one is None else one[rows] for one in (sizes, silent, most))
        part = Crossed(table.counts[rows], table.sums, table.hidden, table.possible[rows])
        drawn = _drawn(
            part, base, rng, **dict(zip(("sizes", "silent", "most"), limits, strict=True)), totals=totals
        )
        if drawn is None:
            if uneven:
                return None
            return draw(table, base, rng, sizes=sizes, silent=silent, most=most, blocks=blocks, uneven=True)
        found[rows] = drawn
    return found


def _drawn(
    table: Crossed,
    base: int,
    rng: np.random.Generator,
    *,
    sizes: IntArray | None,
    silent: BoolArray | None,
    most: IntArray | None,
    totals: IntArray | None = None,
    room: IntArray | None = None,
    price: FloatArray | None = None,
) -> IntArray | None:
    """Round a table at once; its columns add up to `totals`, (C,), and sums do not exceed `room`, (O, S).

    What has to move before it is drawn costs its `price`, (O, C), 1 each if there is none.
    """
    counts, (rows, columns) = table.counts / base, table.counts.shape
    layout = _Layout.of(table, sizes is not None)
    true = layout.values(counts)
    low, high = np.floor(true + TINY), np.ceil(true - TINY)
    # A base may be rounded down more than once where its parts are, but no part further than to the next multiple.
    low[layout.sum_totals] = 0.0
    if totals is None:
        _safe(table, layout, base, low, high)
    cells, there = layout.cells, (table.counts.sum(axis=0) if totals is None else totals) > 0
    if sizes is not None:
        low[layout.sizes] = high[layout.sizes] = sizes / base
        free = np.broadcast_to(table.hidden & there, counts.shape)
        low[cells][free.ravel()], high[cells][free.ravel()] = 0.0, math.inf
        gone = layout.totals[table.hidden]
        low[gone], high[gone] = 0.0, np.where(high[gone] > 0, math.inf, 0.0)
    if silent is not None and silent.any():
        free = silent[:, None] & there
        low[cells][free.ravel()], high[cells][free.ravel()] = 0.0, math.inf
        low[layout.row_sums[silent]], high[layout.row_sums[silent]] = 0.0, math.inf
    if room is not None:
        high[layout.row_sums] = np.minimum(high[layout.row_sums], room / base)
        low[layout.row_sums] = np.minimum(low[layout.row_sums], high[layout.row_sums])
    if most is not None:
        high[cells] = np.minimum(high[cells], (most / base).ravel())
        low[cells] = np.minimum(low[cells], high[cells])
    start = layout.values(
        _shifted(counts, table, *(None if one is None else one / base for one in (sizes, totals)))
    )
    if sizes is not None:
        start[layout.sizes] = sizes / base
    if totals is not None:
        fixed = np.concatenate([layout.totals, layout.sum_totals])
        start[fixed] = low[fixed] = high[fixed] = np.concatenate([totals, table.sums @ totals]) / base
    if ((start < low - TINY) | (start > high + TINY)).any() or np.abs(layout.equations @ start).max() > TINY:
        nearest = _nearest(layout, start, low, high, np.ones(counts.size) if price is None else price.ravel())
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


def _shifted(
    cells: FloatArray, table: Crossed, sizes: FloatArray | None, totals: FloatArray | None
) -> FloatArray:
    """Spread what sizes and totals moved by over their rows and columns, over the cells that can move most."""
    if sizes is None and totals is None:
        return cells
    part = cells % 1.0
    room = np.where((part > TINY) & (part < 1 - TINY), part * (1 - part), 0.0)
    for members in table.sums:
        # A sum that is a multiple stays.
        whole = cells[:, members].sum(axis=1) % 1.0
        stays = (whole < TINY) | (whole > 1 - TINY)
        room[np.ix_(stays, members)] = 0.0
    rows, columns = room.shape
    if totals is None:
        total, moved = room.sum(axis=1, keepdims=True), sizes - cells.sum(axis=1)
        shares: FloatArray = np.divide(room, total, out=np.zeros_like(room), where=total > 0)
        spread: FloatArray = cells + shares * moved[:, None]
        return spread
    # Each row and each column has a factor (weighted least squares).
    equations = np.block([[np.diag(room.sum(axis=1)), room], [room.T, np.diag(room.sum(axis=0))]])
    moved = np.concatenate(
        [np.zeros(rows) if sizes is None else sizes - cells.sum(axis=1), totals - cells.sum(axis=0)]
    )
    own = slice(rows if sizes is None else 0, None)
    factors = np.zeros(rows + columns)
    factors[own] = np.linalg.lstsq(equations[own, own], moved[own], rcond=1e-9)[0]
    found: FloatArray = cells + room * (factors[:rows, None] + factors[rows:])
    return found


def _nearest(
    layout: _Layout, start: FloatArray, low: FloatArray, high: FloatArray, price: FloatArray
) -> FloatArray | None:
    """Find the values nearest to others that meet the equations and the limits (priced distances of cells)."""
    cells = len(price)
    unit, derived = np.eye(cells), layout.matrix[cells:]
    rows = np.vstack([np.hstack([unit, -unit]), np.hstack([unit, unit]), np.hstack([derived, 0 * derived])])
    least = np.concatenate([np.full(cells, -np.inf), start[:cells], low[cells:]])
    most = np.concatenate([start[:cells], np.full(cells, np.inf), high[cells:]])
    found = milp(
        np.concatenate([np.zeros(cells), price]),
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
