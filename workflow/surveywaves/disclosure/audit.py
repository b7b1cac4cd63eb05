"""Audit of rounded counts: what a reader can infer from all tables of the same people together.

Every small count must keep as many possible values as the base, or all those that the exact totals alone allow; so must
every small number of people without whom everybody in a group would be alike. Tables are linked with each other by the
sizes of the organisations only, and the items of a scale also by the people who are in several of them at once.

A reader does not know the sizes to the last person. Two organisations may exchange people if all tables of the wave
allow it: people who keep their answers move from one to the other, as many as the most restrictive table allows. (In
the tables of other scales, those at an end of the scale must be left at that answer; nothing is required of those who
answered all items.) The audit assumes that the reader knows all sizes except for these exchanges within pairs of
organisations. Pairs without a common organisation can exchange people at the same time, because no cell and no sum
involves two organisations. Each pairing is therefore a separate program, and a count is protected if any pairing leaves
it open. A single program over all tables of a wave would assume less, and is as fast for a few organisations; for 20,
each of its integer programs takes 5 s.

**Programs.** The possible values of a count are those that an integer program allows. Any table of whole numbers that
satisfies everything known proves that the values of all counts in it are possible. Exchanges give such tables without
a program: some people of one organisation give another answer, and as many of the others give theirs, so that all
totals and sizes stay as they are. They settle nearly all counts, in time that is linear in the number of organisations.
For each of the others, two integer programs find the extremes (linear ones, if their solution is of whole numbers that
satisfy everything known): the answer thus depends neither on the exchanges nor on the last bits of a solver.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, Self

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from surveywaves.disclosure.rounding import Crossed
from surveywaves.disclosure.rule import BoolArray, FloatArray, IntArray

BLOCKS: Final = (12, 48)
"""Organisations in an integer program at first, and then; what these alone leave closed is asked of all together."""

MANY: Final = 1e6
"""Stands for as many people as there may be."""


class Small(NamedTuple):
    """A small count: its row, its categories (several are counted together), and what must be possible.

    So many values, `enough`; or all values of a `span`.
    """

    row: int
    members: BoolArray
    enough: int = 0
    span: tuple[float, float] | None = None

    def open(self, least: float, most: float) -> bool:
        """Check whether enough is possible between two values."""
        if self.span is not None:
            return least <= self.span[0] and most >= self.span[1]
        return most - least + 1 >= self.enough


def interval(shown: IntArray, base: int) -> tuple[FloatArray, FloatArray]:
    """Return the bounds of counts that are shown rounded."""
    return np.maximum(shown - base + 1, 0).astype(np.float64), (shown + base - 1).astype(np.float64)


def small_counts(table: Crossed, base: int, threshold: int) -> Iterator[Small]:
    """Yield the small counts of a table, with the number of values that each must keep.

    Categories outside which there is nobody are not among them: they are the size of the organisation.
    """
    sets = [*np.eye(table.counts.shape[1], dtype=np.bool_)[~table.hidden], *table.sums]
    if len(table.sums):
        group = table.sums[0]
        sets += [group & ~members for members in sets if (members & group).any() and (group & ~members).any()]
    totals, several = table.counts.sum(axis=0), table.possible.sum(axis=0) > table.possible
    members = np.unique(np.array(sets, dtype=np.bool_), axis=0)
    members = members[members @ totals < totals.sum()]
    counts = table.counts @ members.T.astype(np.intp)
    for row, one in np.argwhere((counts > 0) & (counts < threshold)):
        alone = 1 + int(totals[members[one] & several[row]].sum())
        yield Small(int(row), members[one], min(base, alone))


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What is known of each count of a table that is shown rounded, by itself; the totals are known exactly.

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
    def rounded(
        cls, table: Crossed, rounded: IntArray, base: int, *, silent: BoolArray | None = None
    ) -> Known:
        """Bound the counts and sums of a table; nothing is shown of organisations that are `silent`, (O,)."""
        low, high = interval(rounded, base)
        sum_low, sum_high = interval(rounded @ table.sums.T.astype(np.intp), base)
        nothing = np.zeros(len(rounded), dtype=np.bool_) if silent is None else silent
        unknown = table.hidden | nothing[:, None]
        low, high = np.where(unknown, 0.0, low), np.where(unknown, np.inf, high)
        high = np.where(table.possible, high, 0.0)
        sum_low[nothing], sum_high[nothing] = 0.0, np.inf
        return cls(table, low, high, sum_low, sum_high)

    def at_least(self, members: BoolArray, people: IntArray) -> Known:
        """Return the same for a reader who knows that so many of each organisation are in each of some categories."""
        return replace(self, low=np.where(members, np.maximum(self.low, people[:, None]), self.low))

    def with_base(self, people: IntArray, skipped: IntArray) -> Known:
        """Return the same for a reader who knows how many of each organisation answered all items of the scale.

        `skipped`, (O,): how many more answers may be given to this item before all of the others answered all.
        """
        low, sum_low, hidden = self.low.copy(), self.sum_low.copy(), self.table.hidden
        sum_low[:, 0] = np.maximum(sum_low[:, 0], people)
        low[:, hidden] = np.maximum(low[:, hidden], (self.table.counts.T[hidden] - skipped).T)
        return replace(self, low=low, sum_low=sum_low)

    def of(self, rows: IntArray) -> Known:
        """Return the same of some organisations only."""
        counts, possible = self.table.counts[rows], self.table.possible[rows]
        limits = (self.low[rows], self.high[rows], self.sum_low[rows], self.sum_high[rows])
        return Known(replace(self.table, counts=counts, possible=possible), *limits)

    def exchanged(self, small: Sequence[Small]) -> BoolArray:
        """(K,) mark the counts to which exchanges of answers with other organisations give enough values."""
        table = self.table
        up, down = np.minimum(self.high - table.counts, MANY), np.maximum(table.counts - self.low, 0.0)
        more, less = np.minimum(self.sum_high - table.summed, MANY), table.summed - self.sum_low
        # (O, C, C) people of an organisation who may give the second answer instead of the first
        moves = np.minimum(down[:, :, None], up[:, None])
        for members, most, least in zip(table.sums, more.T, less.T, strict=True):
            for first, limit in ((~members, most), (members, least)):
                sides = np.logical_and.outer(first, ~first)
                moves = np.where(sides, np.minimum(moves, limit[:, None, None]), moves)
        moves = np.maximum(moves, 0.0)
        others = (moves.sum(axis=0) - moves).transpose(0, 2, 1)
        moves = np.minimum(moves, others)
        found = []
        for row, members, enough, _ in small:
            gained, lost = moves[row][np.ix_(~members, members)], moves[row][np.ix_(members, ~members)]
            found.append(gained.max(initial=0.0) + lost.max(initial=0.0) + 1 >= enough)
        return np.array(found, dtype=np.bool_)

    def swap(self) -> FloatArray:
        """(O, O) how many people may belong to the first organisation rather than to the second, answers unchanged."""
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
    people
        (O,) how many of each organisation; of all together it is known.
    low, high
        (O,), (O,) what is known of each organisation.
    within
        Table and categories, in each of which all of them are.
    outside
        Table and categories in one of which everybody else is; empty: that is not known.
    under
        Another tie, of which they are part; None: of none.
    """

    people: IntArray
    low: FloatArray
    high: FloatArray
    within: tuple[tuple[int, BoolArray], ...]
    outside: tuple[tuple[int, BoolArray], ...] = ()
    under: int | None = None

    def of(self, rows: IntArray) -> Tie:
        """Return the same of some organisations only."""
        return replace(self, people=self.people[rows], low=self.low[rows], high=self.high[rows])


class Sizes(NamedTuple):
    """What is known of the sizes of organisations: (O,) from `low` to `high`, their sum, and the sums of some pairs."""

    true: IntArray
    low: FloatArray | IntArray
    high: FloatArray | IntArray
    pairs: IntArray = np.zeros((0, 2), dtype=np.intp)

    def blocks(self, most: int) -> list[IntArray]:
        """Divide the organisations into blocks; both of a pair are in the same."""
        pairs = self.pairs
        alone = np.setdiff1d(np.arange(len(self.true)), pairs)
        number = math.ceil(len(self.true) / most)
        return [np.concatenate([pairs[one::number].ravel(), alone[one::number]]) for one in range(number)]

    def of(self, rows: IntArray) -> Sizes:
        """Return the same of some organisations only."""
        places = np.full(len(self.true), -1)
        places[rows] = np.arange(len(rows))
        pairs = places[self.pairs]
        return Sizes(self.true[rows], self.low[rows], self.high[rows], pairs[(pairs >= 0).all(axis=1)])


class Joint:
    """Everything that a reader knows of some tables of the same organisations, as an integer program.

    Attributes
    ----------
    blocks
        Where the unknowns of each table stand, (O, C) each, and of each tie, (O, 1).
    sums
        Where the sums of each table stand, (S, O) each, after all unknowns.
    true
        (U,) the true values of the unknowns.
    """

    def __init__(self, tables: Sequence[Known], sizes: Sizes, ties: Sequence[Tie] = ()) -> None:
        self.blocks: list[IntArray] = []
        self.sums: list[IntArray] = []
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
            self.sums.append(self._next_line() + np.arange(known.sum_low.size).reshape(known.sum_low.T.shape))
            for members, low, high in zip(known.table.sums, known.sum_low.T, known.sum_high.T, strict=True):
                self._say([(cells[:, members], 1.0)], low, high)
        for tie in ties:
            own = self._unknown(tie.low, tie.high)
            self.blocks.append(own)
            self._say([(own.T, 1.0)], tie.people.sum())
            for number, members in tie.within:
                self._say([(self.blocks[number][:, members], 1.0), (own, -1.0)], nothing, infinite)
            if tie.outside:
                others = [(self.blocks[number][:, members], 1.0) for number, members in tie.outside]
                self._say([(own, 1.0), (size, -1.0), *others], nothing, infinite)
            if tie.under is not None:
                self._say([(self.blocks[len(tables) + tie.under], 1.0), (own, -1.0)], nothing, infinite)
        row, column, factor = (np.concatenate(part) for part in zip(*self._terms, strict=True))
        shape = (self._next_line(), sum(len(one) for one, _ in self._ends))
        self._matrix = sparse.csc_array((factor, (row, column)), shape=shape)
        self._least, self._most = (np.concatenate(part) for part in zip(*self._sums, strict=True))
        low, high = (np.concatenate(part) for part in zip(*self._ends, strict=True))
        self._bounds = Bounds(low, high)
        self.sums = [shape[1] + one for one in self.sums]
        counts = [np.ravel(one.table.counts) for one in tables]
        self.true = np.concatenate([true, *counts, *(one.people for one in ties)]).astype(np.float64)

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
        """Bound sums over the rows of blocks of unknowns, each times its factor; without `most`, they equal `least`."""
        low = np.atleast_1d(np.asarray(least, dtype=np.float64))
        line = self._next_line()
        for block, factor in terms:
            row = np.broadcast_to(line + np.arange(len(block))[:, None], block.shape)
            self._terms.append((row.ravel(), block.ravel(), np.full(block.size, factor)))
        self._sums.append((low, low if most is None else most))

    def _next_line(self) -> int:
        return sum(len(one) for one, _ in self._sums)

    @property
    def rows(self) -> sparse.csr_array:
        """(U + L, U) what is bounded: all unknowns, and the sums of some of them."""
        return sparse.csr_array(sparse.vstack([sparse.eye_array(self._matrix.shape[1]), self._matrix]))

    @property
    def ends(self) -> FloatArray:
        """(2, U + L) the bounds of all unknowns and sums."""
        low, high = (self._bounds.lb, self._least), (self._bounds.ub, self._most)
        return np.array([np.concatenate(low), np.concatenate(high)])

    def allows(self, values: FloatArray) -> bool:
        """Check whether values of all unknowns, (U,), satisfy everything that is known."""
        low, high = self.ends
        found = np.concatenate([values, self._matrix @ values])
        return bool(((found >= low) & (found <= high)).all())

    def within(self, ends: FloatArray) -> Self:
        """Return the same program with other bounds."""
        found, unknowns = copy(self), self._matrix.shape[1]
        found._bounds = Bounds(*ends[:, :unknowns])
        found._least, found._most = ends[:, unknowns:]
        return found

    def spans(self, asked: Sequence[tuple[int, Small]]) -> Iterator[tuple[int, float, float]]:
        """List the counts with too few possible values.

        Parameters
        ----------
        asked
            Number of a table, or of a tie behind them, and a count of it.

        Yields
        ------
        int, float, float
            Their places in `asked`, and the smallest and the largest value of each.
        """
        places = [self.blocks[number][count.row, count.members] for number, count in asked]
        least = np.full(len(asked), np.inf)
        most = -least

        def push(those: Sequence[int], sign: float) -> None:
            """Push counts as far as possible together, and see how far all counts went."""
            nonlocal least, most
            goal = np.concatenate([places[one] for one in those])
            # Whole numbers that solve the linear program solve the integer program too.
            solved = self._solved(goal, sign, whole=False)
            if solved is None and len(those) == 1:
                solved = self._solved(goal, sign, whole=True)
            if solved is not None:
                values = np.array([solved[own].sum() for own in places])
                least, most = np.minimum(least, values), np.maximum(most, values)

        def closed(those: Sequence[int]) -> list[int]:
            return [one for one in those if not asked[one][1].open(least[one], most[one])]

        # Counts of the same categories together, which opens many at once; then each by itself.
        alike: dict[bytes, list[int]] = {}
        for one, (_, count) in enumerate(asked):
            alike.setdefault(count.members.tobytes(), []).append(one)
        together = [those for those in alike.values() if len(those) > 1]
        for those in (*together, *([one] for one in range(len(asked)))):
            for sign in (1.0, -1.0):
                if left := closed(those):
                    push(left, sign)
            if len(those) == 1 and closed(those):
                yield those[0], least[those[0]], most[those[0]]

    def _solved(self, place: IntArray, sign: float, *, whole: bool) -> FloatArray | None:
        """Push counts as far as possible; None if the rounded solution contradicts what is known."""
        goal = np.zeros(len(self._bounds.lb))
        goal[place] = sign
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
        return solved if self.allows(solved) else None


def narrowed(
    tables: Sequence[Known],
    readers: Sequence[Sizes],
    asked: Sequence[tuple[int, Small]],
    ties: Sequence[Tie] = (),
) -> Iterator[int]:
    """Yield the counts that have too few possible values for every one of some readers: their places in `asked`.

    What is open to somebody who knows all organisations but those of a block exactly is open: programs of few
    organisations come first, for all readers. (Who is in a tie is not always known here: then blocks prove nothing.)
    """
    left, last = list(range(len(asked))), Joint(tables, readers[-1], ties)
    most = [one for one in BLOCKS if one < len(readers[-1].true) and last.allows(last.true)]
    blocks = [(sizes, rows) for one in most for sizes in readers for rows in sizes.blocks(one)]
    for sizes, rows in blocks:
        place = {int(row): number for number, row in enumerate(rows)}
        own = {
            one: (asked[one][0], asked[one][1]._replace(row=place[asked[one][1].row]))
            for one in left
            if asked[one][1].row in place
        }
        if own:
            block = Joint([one.of(rows) for one in tables], sizes.of(rows), [one.of(rows) for one in ties])
            told = {[*own][number] for number, _, _ in block.spans([*own.values()])}
            left = [one for one in left if one in told or one not in own]
    for sizes in readers[:-1]:
        if left:
            whole = Joint(tables, sizes, ties)
            left = [left[number] for number, _, _ in whole.spans([asked[one] for one in left])]
    yield from (left[number] for number, _, _ in last.spans([asked[one] for one in left]))
