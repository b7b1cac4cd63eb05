"""Linked counts, the rule that they must meet, and attacks on what would be shown.

A system is everything that is published of the same people, and the equations that hold between the numbers. The rule
says which numbers are too telling to be shown, and what a reader must not be able to tell. An attack is what somebody
who has all published numbers can find out about the withheld ones, by linear programming.

Every count lies between 0 and its ceiling, the equations hold, and what is shown is known: the smallest and the largest
value that a withheld count can then have are two linear programs each. All of a system are solved as one, a block each.
Counts are whole numbers; the programs do not use that, but where the equations are those of two-way tables with
subtotals their bounds are whole numbers that whole counts attain (the matrix is totally unimodular).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import linprog

from surveywaves.study.models import Disclosure

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
BoolArray = NDArray[np.bool_]

NEVER: Final = math.inf
"""The cost of withholding what cannot be withheld: it is public already, or stands on the first page."""

TOTAL: Final = "total"
"""The name of a sum that everybody knows, but that is published as no count of its own."""


LEAST: Final = "least"
"""The first part of the name of a number that everybody can work out, and that is no count of its own either."""


class Need(NamedTuple):
    """Whoever has all that is shown must find every value from `low` to `high` possible for a cell."""

    cell: int
    low: int
    high: int


@dataclass(frozen=True, slots=True, eq=False)
class System:
    """Linked counts.

    In the shapes below, N is the number of counts and E of equations.

    Attributes
    ----------
    counts
        (N,) the counts.
    equations
        (E, N) coefficients; what is shown and the left sides `equations @ counts` are known to everybody.
    ceiling
        (N,) what everybody knows that no count exceeds.
    cost
        (N,) what is lost by withholding each; `NEVER`, or 0 for what is not published anyway.
    withheld
        (N,) what is withheld from the start.
    bundles
        Cells and a cost: what is lost besides as soon as one of the cells is withheld (a mean, say).
    needs
        What must stay open.
    """

    counts: FloatArray
    equations: FloatArray
    ceiling: FloatArray
    cost: FloatArray
    withheld: BoolArray
    bundles: tuple[tuple[IntArray, float], ...]
    needs: tuple[Need, ...]

    @property
    def key(self) -> Hashable:
        """Give what is the same for systems with the same solution."""
        arrays = (self.counts, self.equations, self.ceiling, self.cost, self.withheld)
        bundles = tuple((cells.tobytes(), cost) for cells, cost in self.bundles)
        return (*(array.tobytes() for array in arrays), bundles, self.needs)


@dataclass(slots=True)
class Builder:
    """Collects counts by name, and the equations between them."""

    counts: dict[Hashable, int] = field(default_factory=dict)
    numbers: list[int] = field(default_factory=list)
    ceilings: list[float] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)
    forced: list[bool] = field(default_factory=list)
    rows: list[dict[int, float]] = field(default_factory=list)
    bundles: list[tuple[IntArray, float]] = field(default_factory=list)
    needs: list[Need] = field(default_factory=list)
    public: list[int] = field(default_factory=list)
    """Counts that the rule would withhold, had they not been printed."""

    def count(self, name: Hashable, n: int, *, ceiling: int, cost: float, withheld: bool = False) -> int:
        """Add a count and give its place; what is there already stays as it is."""
        if name not in self.counts:
            self.counts[name] = len(self.numbers)
            self.numbers.append(int(n))
            self.ceilings.append(max(float(ceiling), float(n)))
            self.costs.append(cost)
            # The rounded numbers of what cannot be withheld are known: it is no use to hide them here.
            self.forced.append(withheld and cost != NEVER)
        return self.counts[name]

    def adds_up(self, total: Hashable, parts: Sequence[Hashable]) -> None:
        """Say that counts add up to another."""
        row = {self.counts[part]: 1.0 for part in parts}
        row[self.counts[total]] = row.get(self.counts[total], 0.0) - 1.0
        self.rows.append(row)

    def bundle(self, cells: Sequence[Hashable], cost: float) -> None:
        """Say what is lost besides if one of some counts is withheld."""
        self.bundles.append((np.array([self.counts[cell] for cell in cells], dtype=np.intp), cost))

    def protect(self, need: Need | None) -> None:
        """Say what must stay open; nothing can about what is public."""
        if need is None:
            return
        if self.costs[need.cell] == NEVER:
            self.public.append(need.cell)
            return
        self.needs.append(need)
        self.forced[need.cell] = True

    def value(self, name: Hashable) -> int:
        """Give a count by its name."""
        return self.numbers[self.counts[name]]

    def system(self) -> System:
        """Give the system."""
        equations = np.zeros((len(self.rows), len(self.numbers)))
        for row, coefficients in zip(equations, self.rows, strict=True):
            for cell, coefficient in coefficients.items():
                row[cell] = coefficient
        return System(
            counts=np.array(self.numbers, dtype=np.float64),
            equations=equations,
            ceiling=np.array(self.ceilings),
            cost=np.array(self.costs),
            withheld=np.array(self.forced, dtype=np.bool_),
            bundles=tuple(self.bundles),
            needs=tuple(self.needs),
        )

    def named(self, marks: BoolArray) -> dict[Hashable, bool]:
        """Give marks by name."""
        return {name: bool(marks[cell]) for name, cell in self.counts.items()}


Marks = Mapping[Hashable, bool]


@dataclass(frozen=True, slots=True)
class Rule:
    """What the study chose.

    Attributes
    ----------
    threshold
        Smallest count that may be shown.
    zeros
        Whether a count of 0 is shown.
    uniform
        Whether it is kept back that all of a group, or all but fewer than `threshold`, answered alike.
    unstated
        Whether a small count of people is shown of whom it says only that they said nothing (did not state their
        organisation or profession, skipped an item).
    rounding
        Base that counts by organisation are rounded to; 0: some are withheld instead.
    public
        Whether everything is released as it is.
    smallest_group, smallest_df
        Respondents in every group that it compares, and degrees of freedom, of which an estimate is shown at least.
    impossible
        Combinations of levels (of `organisation` and other variables) that everybody knows not to occur.
    """

    threshold: int = 5
    zeros: bool = True
    uniform: bool = True
    unstated: bool = False
    rounding: int = 5
    public: bool = False
    smallest_group: int = 10
    smallest_df: int = 10
    impossible: tuple[Mapping[str, str], ...] = ()

    @classmethod
    def of(cls, chosen: Disclosure) -> Self:
        """Return the rule that a study's configuration describes."""
        return cls(
            threshold=chosen.threshold,
            zeros=chosen.zeros == "show",
            uniform=chosen.uniform == "withhold",
            unstated=chosen.unstated == "show",
            rounding=chosen.rounding,
            public=chosen.public,
            smallest_group=chosen.smallest_group,
            smallest_df=chosen.smallest_df,
            impossible=chosen.impossible,
        )

    def small(self, n: int) -> bool:
        """Whether a count is below the threshold and must not be shown for that."""
        return (0 if self.zeros else -1) < n < self.threshold

    def need(
        self, cell: int, n: int, *, group: int, known: int | None = None, answer: bool = True
    ) -> Need | None:
        """Say what must stay open about a count; None if it may be shown.

        Parameters
        ----------
        cell
            Its place in the system.
        n, group
            The count, and the number of people it is a part of.
        known
            Size of the group where that is no secret: no count can then seem larger.
        answer
            Whether it counts an answer: that a whole group has one profession may be said.

        Returns
        -------
        Need or None
            A small count must seem to be anything from 0 to the threshold: neither that there is somebody nor that
            they are few can be told. Where all but a few answered alike, it must seem that at least `threshold`
            might have answered otherwise.
        """
        if self.small(n):
            return Need(cell, 0, self.threshold if known is None else min(self.threshold, known))
        if self.uniform and answer and n > 0 and group - n < self.threshold:
            return Need(cell, max(0, group - self.threshold), n)
        return None


class Goal(NamedTuple):
    """A cell to move as far as it can go: up (+1) or down (-1)."""

    cell: int
    sign: int


class Reach(NamedTuple):
    """How far cells can move, and the prices that prove it.

    `distance` is (G,) for G goals; `price` is (G, N): however cells are withheld, the goal's cell moves no further
    than the sum of the prices of those that are (the dual solution; Fischetti and Salazar-Gonzalez 2000, section 4).
    """

    distance: FloatArray
    price: FloatArray


def reach(system: System, withheld: BoolArray, goals: Sequence[Goal]) -> Reach:
    """Find how far cells can move if only withheld cells are unknown."""
    free = np.flatnonzero(withheld)
    own = system.equations[:, free]
    used = np.flatnonzero(np.abs(own).sum(axis=1))
    own = own[used]
    place = {int(cell): column for column, cell in enumerate(free)}
    cost = np.zeros((len(goals), len(free)))
    for row, goal in enumerate(goals):
        cost[row, place[goal.cell]] = -goal.sign
    down, up = system.counts, system.ceiling - system.counts
    limits = np.column_stack([np.tile(-down[free], len(goals)), np.tile(up[free], len(goals))])
    blocks = _blocks(own, len(goals))
    nothing = np.zeros(blocks.shape[0])
    # The stubs do not know that equations may be sparse.
    found = linprog(cost.ravel(), A_eq=blocks, b_eq=nothing, bounds=limits, method="highs-ds")  # type: ignore[call-overload]
    if found.status != 0:
        raise RuntimeError(f"the attack on a system of {len(down)} counts has no solution: {found.message}")
    moved = found.x.reshape(cost.shape)
    distance = -(moved * cost).sum(axis=1)
    multipliers = np.zeros((len(goals), len(system.equations)))
    multipliers[:, used] = np.asarray(found.eqlin.marginals).reshape(len(goals), len(used))
    reduced = -(multipliers @ system.equations)
    for row, goal in enumerate(goals):
        reduced[row, goal.cell] -= goal.sign
    price = np.maximum(reduced, 0) * down + np.maximum(-reduced, 0) * up
    return Reach(distance, price)


def _blocks(matrix: FloatArray, times: int) -> sparse.csc_matrix:
    """Put copies of a matrix along the diagonal (`scipy.sparse.kron` takes longer than the programs themselves)."""
    column, row = np.nonzero(matrix.T)
    starts = np.searchsorted(column, np.arange(matrix.shape[1] + 1))
    shift = np.arange(times)[:, None]
    indices = (row + shift * matrix.shape[0]).ravel()
    pointers = np.append((starts[:-1] + shift * len(row)).ravel(), times * len(row))
    data = np.tile(matrix.T[column, row], times)
    shape = (times * matrix.shape[0], times * matrix.shape[1])
    return sparse.csc_matrix((data, indices.astype(np.int32), pointers.astype(np.int32)), shape=shape)


def bounds(system: System, withheld: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Bound every count (those that are shown by themselves).

    Returns
    -------
    (N,) array, (N,) array
        The smallest and the largest value possible.
    """
    low, high = system.counts.copy(), system.counts.copy()
    cells = np.flatnonzero(withheld)
    if len(cells):
        goals = [Goal(int(cell), sign) for sign in (-1, 1) for cell in cells]
        distance = reach(system, withheld, goals).distance
        low[cells] -= distance[: len(cells)]
        high[cells] += distance[len(cells) :]
    return low, high
