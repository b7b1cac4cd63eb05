"""What a reader can find out from counts that are shown rounded, all tables of the same people taken together.

Every small count, and every small number of people but for whom all of a group would be alike, must keep as many
possible values as the base, or all that the exact totals alone leave. A table by itself is linked with all others by
the sizes of the organisations only, and each scale's items with each other by who is in several of them at once.

A reader does not know the sizes to the last person. Two organisations may have people of each other if all tables of
the wave let them: a person who gives the same answers moves from one to the other, as many as the table that allows the
least (of another scale it is asked that who stands at an end of it gave that answer, not who answered all of it). The
audit grants the reader all sizes but for what the organisations of a pair may have of each other; pairs that have no
organisation in common can move at once, for no cell and no sum is of two of them. So each pairing is a program of its
own, and what is open in one of them is open. One program over all tables of a wave would grant less, and is as quick
for a few organisations; for 20 its integer programs take 5 s each.

**Programs.** What is possible is what an integer program allows. Every whole table that meets all that is known is a
proof: the values of all counts in it are possible. Probes find such tables. Each is a linear program that moves all
counts that are still in doubt at once, each one way or the other as a fixed seed has it, and then the other way; what
it finds is rounded and put into the equations, and is no proof if it does not meet them. A few prove most of what is
open. Of each that is left, two integer programs find the ends: so the answer is theirs whatever the probes found, and
does not depend on the last bits of a solver.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from surveywaves.disclosure.rounding import Crossed
from surveywaves.disclosure.system import BoolArray, FloatArray, IntArray

PROBES: Final = 6
"""Linear programs that each look for a table in which many counts have another value."""


class Small(NamedTuple):
    """A small count: its row, its categories (several are counted together), and how many values must be possible."""

    row: int
    members: BoolArray
    enough: int


def interval(shown: IntArray, base: int) -> tuple[FloatArray, FloatArray]:
    """Set the bounds of counts that are shown rounded."""
    return np.maximum(shown - base + 1, 0).astype(np.float64), (shown + base - 1).astype(np.float64)


def small_counts(table: Crossed, base: int, threshold: int) -> Iterator[Small]:
    """List what must stay open of a table."""
    sets = [*np.eye(table.counts.shape[1], dtype=np.bool_)[~table.hidden], *table.sums]
    if len(table.sums):
        group = table.sums[0]
        sets += [group & ~members for members in sets if (members & group).any() and (group & ~members).any()]
    members = np.unique(np.array(sets, dtype=np.bool_), axis=0)
    counts = table.counts @ members.T.astype(np.intp)
    totals, several = table.counts.sum(axis=0), table.possible.sum(axis=0) > table.possible
    for row, one in np.argwhere((counts > 0) & (counts < threshold)):
        alone = 1 + int(totals[members[one] & several[row]].sum())
        yield Small(int(row), members[one], min(base, alone))


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What is known of a table of which the rounded counts are shown, each by itself; the totals are known exactly.

    Attributes
    ----------
    table
        The counts.
    low, high
        (O, C) what is known of each.
    sum_low, sum_high
        (O, S) the same of the sums.
    """

    table: Crossed
    low: FloatArray
    high: FloatArray
    sum_low: FloatArray
    sum_high: FloatArray

    @classmethod
    def of(cls, table: Crossed, rounded: IntArray, base: int, *, silent: BoolArray | None = None) -> Known:
        """Set it down; nothing is shown of organisations that are `silent`, (O,)."""
        low, high = interval(rounded, base)
        sum_low, sum_high = interval(rounded @ table.sums.T.astype(np.intp), base)
        nothing = np.zeros(len(rounded), dtype=np.bool_) if silent is None else silent
        unknown = table.hidden | nothing[:, None]
        low, high = np.where(unknown, 0.0, low), np.where(unknown, np.inf, high)
        high = np.where(table.possible, high, 0.0)
        sum_low[nothing], sum_high[nothing] = 0.0, np.inf
        return cls(table, low, high, sum_low, sum_high)

    def at_least(self, members: BoolArray, people: IntArray) -> Known:
        """Grant that so many of each organisation are in each of some categories."""
        return replace(self, low=np.where(members, np.maximum(self.low, people[:, None]), self.low))

    def swap(self) -> FloatArray:
        """(O, O) people who may be of the first organisation and not of the second, with the same answer."""
        # Cells and sums alike: (O, C + S), and which sums a cell is in.
        true = np.column_stack([self.table.counts, self.table.summed])
        up = np.column_stack([self.high, self.sum_high]) - true
        down = true - np.column_stack([self.low, self.sum_low])
        more = np.minimum(up[:, None], down[None])
        cells = self.table.counts.shape[1]
        for number, members in enumerate(self.table.sums):
            limit = more[:, :, cells + number, None]
            more[:, :, :cells] = np.where(members, np.minimum(more[:, :, :cells], limit), more[:, :, :cells])
        found: FloatArray = more[:, :, :cells].max(axis=2)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Tie:
    """Respondents who are in several tables at once: those at an end of a scale, or who answered all its items.

    Attributes
    ----------
    total
        How many of all organisations, which is known.
    low, high
        (O,), (O,) what is known of each organisation.
    within
        Table and categories, in each of which all of them are.
    outside
        Table and categories in one of which everybody else is; empty: that is not known.
    under
        Another tie, of which they are part; None: of none.
    """

    total: int
    low: FloatArray
    high: FloatArray
    within: tuple[tuple[int, BoolArray], ...]
    outside: tuple[tuple[int, BoolArray], ...] = ()
    under: int | None = None


class Sizes(NamedTuple):
    """What is known of the sizes of organisations: (O,) from `low` to `high`, their sum, and the sums of some pairs."""

    true: IntArray
    low: FloatArray | IntArray
    high: FloatArray | IntArray
    pairs: IntArray = np.zeros((0, 2), dtype=np.intp)


class Joint:
    """Everything that a reader knows of some tables of the same organisations, as an integer program.

    Attributes
    ----------
    blocks
        Where the unknowns of each table stand, (O, C) each, and of each tie, (O, 1).
    """

    def __init__(self, tables: Sequence[Known], sizes: Sizes, ties: Sequence[Tie] = ()) -> None:
        self.blocks: list[IntArray] = []
        self._ends: list[tuple[FloatArray, FloatArray]] = []
        self._sums: list[tuple[FloatArray, FloatArray]] = []
        self._terms: list[tuple[IntArray, IntArray, FloatArray]] = []
        true = sizes.true
        size = self._unknown(sizes.low, sizes.high)
        nothing, infinite = np.zeros(len(true)), np.full(len(true), np.inf)
        self._say([(size.T, 1.0)], true.sum())
        if len(sizes.pairs):
            self._say([(size[sizes.pairs, 0], 1.0)], true[sizes.pairs].sum(axis=1))
        for known in tables:
            cells = self._unknown(known.low, known.high)
            self.blocks.append(cells)
            self._say([(cells, 1.0), (size, -1.0)], nothing)
            self._say([(cells.T, 1.0)], known.table.counts.sum(axis=0))
            for members, low, high in zip(known.table.sums, known.sum_low.T, known.sum_high.T, strict=True):
                if members.any():
                    self._say([(cells[:, members], 1.0)], low, high)
        for tie in ties:
            own = self._unknown(tie.low, tie.high)
            self.blocks.append(own)
            self._say([(own.T, 1.0)], tie.total)
            for number, members in tie.within:
                self._say([(self.blocks[number][:, members], 1.0), (own, -1.0)], nothing, infinite)
            if tie.outside:
                others = [(self.blocks[number][:, members], 1.0) for number, members in tie.outside]
                self._say([(own, 1.0), (size, -1.0), *others], nothing, infinite)
            if tie.under is not None:
                self._say([(self.blocks[len(tables) + tie.under], 1.0), (own, -1.0)], nothing, infinite)
        row, column, factor = (np.concatenate(part) for part in zip(*self._terms, strict=True))
        self._matrix = sparse.csc_array((factor, (row, column)))
        self._least, self._most = (np.concatenate(part) for part in zip(*self._sums, strict=True))
        low, high = (np.concatenate(part) for part in zip(*self._ends, strict=True))
        self._bounds = Bounds(low, high)

    def _unknown(self, low: FloatArray | IntArray, high: FloatArray | IntArray) -> IntArray:
        start = sum(len(one) for one, _ in self._ends)
        self._ends.append((np.ravel(low).astype(np.float64), np.ravel(high).astype(np.float64)))
        return np.arange(start, start + low.size).reshape(len(low), -1)

    def _say(
        self,
        terms: Sequence[tuple[IntArray, float]],
        least: FloatArray | IntArray | int,
        most: FloatArray | None = None,
    ) -> None:
        """Set the sums of rows of unknowns, a block of them and a factor each."""
        low = np.atleast_1d(np.asarray(least, dtype=np.float64))
        line = sum(len(one) for one, _ in self._sums)
        for block, factor in terms:
            row = np.broadcast_to(line + np.arange(len(block))[:, None], block.shape)
            self._terms.append((row.ravel(), block.ravel(), np.full(block.size, factor)))
        self._sums.append((low, low if most is None else most))

    def narrowed(self, asked: Sequence[tuple[int, Small]], *, exact: bool = True) -> Iterator[int]:
        """List the counts with too few possible values.

        Parameters
        ----------
        asked
            Number of a table, or of a tie behind them, and a count of it.
        exact
            False: those of which no probe proves that they have enough.

        Yields
        ------
        int
            Their places in `asked`.
        """
        places = [self.blocks[number][count.row, count.members] for number, count in asked]
        enough = np.array([count.enough for _, count in asked])
        least = np.full(len(asked), np.inf)
        most = -least

        def solve(signs: FloatArray, goals: IntArray, *, whole: bool = False) -> bool:
            """Move some counts as far as they go; take down the values of all in what is found if that is a table."""
            goal = np.zeros(len(self._bounds.lb))
            for sign, one in zip(signs, goals, strict=True):
                goal[places[one]] += sign
            solved = self._solved(goal, whole=whole)
            if solved is None:
                return False
            values = np.array([solved[own].sum() for own in places])
            np.minimum(least, values, out=least)
            np.maximum(most, values, out=most)
            return True

        rng = np.random.default_rng(0)  # decides what is proved first, not what is found
        signs = np.ones(len(asked))
        for probe in range(PROBES):
            doubtful = np.flatnonzero(most - least + 1 < enough)
            if not doubtful.size:
                return
            signs = -signs if probe % 2 else rng.choice([-1.0, 1.0], len(asked))
            solve(signs[doubtful], doubtful)
        for one in np.flatnonzero(most - least + 1 < enough):
            for sign in (1.0, -1.0):
                if exact and most[one] - least[one] + 1 < enough[one]:
                    alone = np.array([sign]), np.array([one])
                    # Whole numbers that solve the linear program solve the integer program too.
                    _ = solve(*alone) or solve(*alone, whole=True)
            if most[one] - least[one] + 1 < enough[one]:
                yield int(one)

    def _solved(self, goal: FloatArray, *, whole: bool) -> FloatArray | None:
        """Solve a program; None if the solution, rounded, does not meet all that is known."""
        found = milp(
            goal,
            bounds=self._bounds,
            constraints=LinearConstraint(self._matrix, self._least, self._most),
            integrality=np.full(len(goal), whole),
            # Presolving takes longer than these linear programs themselves.
            options={"mip_rel_gap": 0.0, "presolve": whole},
        )
        if found.x is None:
            raise RuntimeError(f"the audit of a table has no solution: {found.message}")
        solved: FloatArray = np.round(found.x)
        sums = self._matrix @ solved
        inside = (solved >= self._bounds.lb) & (solved <= self._bounds.ub)
        return solved if inside.all() and ((sums >= self._least) & (sums <= self._most)).all() else None
