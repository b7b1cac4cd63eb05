"""Which further counts to withhold, so that nothing shown gives a withheld one back and least is lost.

The cell suppression problem, solved exactly by cutting planes: choose the cheapest cells under the cuts so far, attack
(`system`), and turn each attack that comes too close into a cut that every safe choice meets. Ends with the
cheapest safe choice. Fischetti and Salazar-Gonzalez (2000), Models and algorithms for optimizing cell suppression in
tabular data with linear constraints, J. Am. Stat. Assoc. 95, 916; (2001) Management Science 47, 1008.

Cuts come from the equations themselves and from attacks. Take any sum of equations, weighted in any way: it holds as
well. Where a cell stands in it, the cell can move no further than the others in it together, each no further than it
can by itself and only if it is withheld. With the weights that an attack ends with (its dual solution) this is the cut
that the attack shows; with simpler weights it costs no attack (sections 4 and 5). Systems that share nothing are solved
on as many cores as there are.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, TypeVar

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from surveywaves.disclosure.system import NEVER, BoolArray, Builder, FloatArray, Goal, Marks, System, reach
from surveywaves.files import end_with_parent

TOLERANCE: Final = 1e-6
NODES: Final = 20_000
"""Nodes of one branch and bound: what is found by then is safe, if not the cheapest. Nodes, not seconds: the same
choice on every machine."""

TOGETHER: Final = 3
"""Equations added up for the first cuts: with three, two attacks of three are spared, a fourth spares hardly more."""

LARGE: Final = 60
"""Equations from which on no more than two are added up: there are too many sums of three."""


class Cuts:
    """The cheapest choice under what is known so far of all safe choices."""

    def __init__(self, system: System, goals: Sequence[Goal], needed: FloatArray) -> None:
        size, bundles = len(system.counts), system.bundles
        self.size = size
        can = system.cost != NEVER
        self.can = can | system.withheld
        self.possible = True
        self.rows: list[FloatArray] = []
        for goal, distance in zip(goals, needed, strict=True):
            prices = _first(system, goal, distance)
            self.add(prices, np.full(len(prices), distance))
        # Ties: fewer people first, then the earlier cell.
        tie = system.counts / (1.0 + system.counts.sum()) + np.arange(size) / (10.0 * size**2)
        cost = np.where(can, system.cost + 0.01 * tie * (system.cost > 0), 0.0)
        self.cost = np.concatenate([cost, [extra for _, extra in bundles]])
        self.low = np.concatenate([system.withheld, np.zeros(len(bundles), dtype=np.bool_)]).astype(float)
        self.high = np.concatenate([self.can, np.ones(len(bundles), dtype=np.bool_)]).astype(float)
        tied = np.zeros((sum(len(cells) for cells, _ in bundles), size + len(bundles)))
        row = 0
        for number, (cells, _) in enumerate(bundles):
            for cell in cells:
                tied[row, size + number], tied[row, cell] = 1.0, -1.0
                row += 1
        self.tied = tied

    def add(self, price: FloatArray, needed: FloatArray) -> None:
        """Add cuts; no price need exceed what is needed, as cells are withheld or not."""
        for prices, least in zip(price, needed, strict=True):
            self.possible &= bool(prices[self.can].sum() >= least - TOLERANCE)
            scaled = np.minimum(prices / least, 1.0)
            self.rows.append(np.where(scaled > TOLERANCE, scaled, 0.0))

    def mended(self, chosen: BoolArray) -> BoolArray:
        """Withhold more, the best value first, until every cut is met."""
        mended = chosen.copy()
        cost = np.where(self.high[: self.size] > 0.5, np.maximum(self.cost[: self.size], 1e-3), np.inf)
        for prices in self.rows:
            while prices[mended].sum() < 1 - TOLERANCE:
                value = np.where(mended, -1.0, prices / cost)
                best = int(value.argmax())
                if value[best] <= 0:
                    break
                mended[best] = True
        return mended

    def cheapest(self) -> BoolArray:
        """Choose the cheapest cells under the cuts."""
        width = self.tied.shape[1] - self.size
        rows = np.array(self.rows).reshape(-1, self.size)
        cuts = np.unique(np.pad(rows, ((0, 0), (0, width))).round(9), axis=0)
        matrix = sparse.csr_array(np.vstack([cuts, self.tied]))
        low = np.concatenate([np.full(len(cuts), 1.0 - TOLERANCE), np.zeros(len(self.tied))])
        found = milp(
            self.cost,
            integrality=np.concatenate([np.ones(self.size), np.zeros(width)]),
            bounds=Bounds(self.low, self.high),
            constraints=LinearConstraint(matrix, low, np.inf),
            options={"node_limit": NODES, "mip_rel_gap": 0.0},
        )
        if found.x is None:
            return self.high[: self.size] > 0.5
        chosen: BoolArray = found.x[: self.size] > 0.5
        return chosen


def _first(system: System, goal: Goal, distance: float) -> FloatArray:
    """Give the prices of the cuts that need no attack, (C, N); those that others imply are left out."""
    sums = _sums(system.equations.shape, system.equations.tobytes())
    own = sums[sums[:, goal.cell] != 0]
    own = own * (-goal.sign / own[:, [goal.cell]])
    price = np.maximum(own, 0) * (system.ceiling - system.counts) + np.maximum(-own, 0) * system.counts
    price[:, goal.cell] = 0.0
    price = np.unique(np.minimum(price, distance), axis=0)
    price = price[price[:, system.withheld].sum(axis=1) < distance - TOLERANCE]
    implied = (price[:, None] <= price).all(axis=2)
    np.fill_diagonal(implied, val=False)
    first: FloatArray = price[~implied.any(axis=0)]
    return first


@lru_cache(maxsize=256)
def _sums(shape: tuple[int, int], equations: bytes) -> FloatArray:
    """Give the equations, and sums and differences of a few of them in which some cell cancels (S, N)."""
    matrix = np.frombuffer(equations).reshape(shape)
    found = last = matrix
    for _ in range(1, TOGETHER if len(matrix) < LARGE else TOGETHER - 1):
        one, two = np.nonzero((last != 0).astype(np.float64) @ (matrix != 0).T)
        longer = np.concatenate([last[one] + matrix[two], last[one] - matrix[two]])
        cells = np.tile(((last[one] != 0) | (matrix[two] != 0)).sum(axis=1), 2)
        left = (longer != 0).sum(axis=1)
        longer = longer[(left > 0) & (left < cells)]
        # A sum and its negative say the same.
        first = np.take_along_axis(longer, (longer != 0).argmax(axis=1)[:, None], axis=1)
        last = np.unique(longer * np.sign(first), axis=0)
        found = np.vstack([found, last])
    return found


ROUNDS: Final = 200


def suppress(system: System) -> BoolArray:
    """Choose what to withhold.

    Parameters
    ----------
    system
        Linked counts, what must stay open about some of them, and what withholding costs.

    Returns
    -------
    (N,) bool array
        What is withheld, `system.withheld` included. What must stay open does, or as much of it as could if all that
        can be withheld were (something public may leave less). Of equally cheap choices, always the same.
    """
    goals, needed = goals_of(system)
    chosen = _solve(system, goals, needed)
    if chosen is None:
        goals, needed = _attainable(system, goals, needed)
        chosen = _solve(system, goals, needed)
    # Everything withheld is safe. Not seen in any study.
    return system.cost != NEVER if chosen is None else chosen


def goals_of(system: System) -> tuple[list[Goal], FloatArray]:
    """List how far which cells must be able to move."""
    wanted = [
        (Goal(need.cell, sign), distance)
        for need in system.needs
        for sign, distance in (
            (-1, system.counts[need.cell] - need.low),
            (1, need.high - system.counts[need.cell]),
        )
        if distance > 0
    ]
    return [goal for goal, _ in wanted], np.array([distance for _, distance in wanted])


def _attainable(system: System, goals: list[Goal], needed: FloatArray) -> tuple[list[Goal], FloatArray]:
    """Ask for no more than there is if all that can be withheld is."""
    needed = np.minimum(needed, reach(system, (system.cost != NEVER) | system.withheld, goals).distance)
    open_ = needed > TOLERANCE
    return [goal for goal, is_open in zip(goals, open_, strict=True) if is_open], needed[open_]


def _solve(system: System, goals: list[Goal], needed: FloatArray) -> BoolArray | None:
    """Choose the cheapest cells that let every goal be reached; None if some cannot be."""
    chosen, exact = system.withheld.copy(), False
    if not goals:
        return chosen
    todo = np.arange(len(goals))
    cuts = Cuts(system, goals, needed)
    for _ in range(ROUNDS):
        if not cuts.possible:
            return None
        if not len(todo):
            if exact:
                return chosen
            chosen, exact, todo = cuts.cheapest(), True, np.arange(len(goals))
        found = reach(system, chosen, [goals[goal] for goal in todo])
        short = found.distance < needed[todo] - TOLERANCE
        cuts.add(found.price[short], needed[todo][short])
        if short.any():
            # Mending what was chosen is quick, and each attempt leaves cuts. What can be reached stays within reach
            # when more is withheld, so only the others are looked at again; only what is safe is optimised.
            chosen, exact = cuts.mended(chosen), False
        todo = todo[short]
    return None


Key = TypeVar("Key", bound=Hashable)
Share = Callable[[Callable[[System], BoolArray], list[System]], Iterable[BoolArray]]
"""How systems are shared out among processes, and what comes back in their order."""


@dataclass(slots=True)
class Solver:
    """Chooses what to withhold; what has been solved once is not solved again.

    Attributes
    ----------
    share
        Applies a function to systems, in order.
    choose
        What it applies.
    """

    share: Share
    choose: Callable[[System], BoolArray]
    solved: dict[Hashable, BoolArray] = field(default_factory=dict)

    def __call__(self, builders: Mapping[Key, Builder]) -> dict[Key, Marks]:
        """Mark in every system what is withheld."""
        systems = {key: builder.system() for key, builder in builders.items()}
        keys = {key: system.key for key, system in systems.items()}
        new = {keys[key]: system for key, system in systems.items() if keys[key] not in self.solved}
        self.solved.update(zip(new, self.share(self.choose, list(new.values())), strict=True))
        return {key: builder.named(self.solved[keys[key]]) for key, builder in builders.items()}


@contextmanager
def solver(*, cores: int) -> Iterator[Solver]:
    """Yield a solver that shares its work among processes.

    Parameters
    ----------
    cores
        How many. A system is solved by itself, so the choice is the same whatever their number.
    """
    if cores == 1 or "fork" not in multiprocessing.get_all_start_methods():
        yield Solver(map, suppress)
    else:
        # A fork has what is imported; the scripts that call this are not modules to import again.
        fork = multiprocessing.get_context("fork")
        with ProcessPoolExecutor(cores, mp_context=fork, initializer=end_with_parent) as pool:
            # All processes are forked for the first task, which is therefore not a program: threads of the solver
            # library do not live on in a fork.
            pool.submit(int).result()
            yield Solver(pool.map, suppress)
