"""What somebody who has all published numbers can find out about the withheld ones, by linear programming.

Every count lies between 0 and its ceiling, the equations hold, and what is shown is known: the smallest and the largest
value that a withheld count can then have are two linear programs each. All of a system are solved as one, a block each.
Counts are whole numbers; the programs do not use that, but where the equations are those of two-way tables with
subtotals their bounds are whole numbers that whole counts attain (the matrix is totally unimodular).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from surveywaves.disclosure.system import BoolArray, FloatArray, System


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
    down, up = system.values, system.ceiling - system.values
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
    low, high = system.values.copy(), system.values.copy()
    cells = np.flatnonzero(withheld)
    if len(cells):
        goals = [Goal(int(cell), sign) for sign in (-1, 1) for cell in cells]
        distance = reach(system, withheld, goals).distance
        low[cells] -= distance[: len(cells)]
        high[cells] += distance[len(cells) :]
    return low, high
