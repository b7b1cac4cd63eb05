"""Which further counts to withhold, so that nothing shown gives a withheld one back and least is lost.

The cell suppression problem, solved exactly by cutting planes: choose the cheapest cells under the cuts so far, attack
(see `attack`), and turn each attack that comes too close into a cut that every safe choice meets. Ends with the
cheapest safe choice. Fischetti and Salazar-Gonzalez (2000), Models and algorithms for optimizing cell suppression in
tabular data with linear constraints, J. Am. Stat. Assoc. 95, 916; (2001) Management Science 47, 1008.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from surveywaves.disclosure.attack import Goal, reach
from surveywaves.disclosure.system import NEVER, BoolArray, FloatArray, System

TOLERANCE: Final = 1e-6
ROUNDS: Final = 200
NODES: Final = 20_000
"""Nodes of one branch and bound: what is found by then is safe, if not the cheapest. Nodes, not seconds: the same
choice on every machine."""


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
    goals, needed = _goals(system)
    chosen = _solve(system, goals, needed)
    if chosen is None:
        goals, needed = _attainable(system, goals, needed)
        chosen = _solve(system, goals, needed)
    # Everything withheld is safe. Not seen in any study.
    return system.cost != NEVER if chosen is None else chosen


def _goals(system: System) -> tuple[list[Goal], FloatArray]:
    """List how far which cells must be able to move."""
    wanted = [
        (Goal(need.cell, sign), distance)
        for need in system.needs
        for sign, distance in (
            (-1, system.values[need.cell] - need.low),
            (1, need.high - system.values[need.cell]),
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
    cuts = _Cuts(system, goals, needed)
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


class _Cuts:
    """The cheapest choice under what is known so far of all safe choices."""

    def __init__(self, system: System, goals: list[Goal], needed: FloatArray) -> None:
        size, bundles = len(system.values), system.bundles
        self.size = size
        can = system.cost != NEVER
        # A cell that moves moves another in each of its equations.
        first = [
            np.where((row != 0) & (np.arange(size) != goal.cell), distance, 0.0)
            for goal, distance in zip(goals, needed, strict=True)
            for row in system.equations
            if row[goal.cell] != 0
        ]
        self.can = can | system.withheld
        self.possible = True
        self.rows: list[FloatArray] = []
        self.least: list[float] = []
        if first:
            self.add(np.array(first), np.array([row.max() for row in first]))
        # Ties: fewer people first, then the earlier cell.
        tie = system.values / (1.0 + system.values.sum()) + np.arange(size) / (10.0 * size**2)
        cost = np.where(can, system.cost + 0.01 * tie * (system.cost > 0), 0.0)
        self.cost = np.concatenate([cost, [extra for _, extra in bundles]])
        self.low = np.concatenate([system.withheld, np.zeros(len(bundles), dtype=np.bool_)]).astype(float)
        self.high = np.concatenate([can | system.withheld, np.ones(len(bundles), dtype=np.bool_)]).astype(
            float
        )
        tied = np.zeros((sum(len(cells) for cells, _ in bundles), size + len(bundles)))
        row = 0
        for number, (cells, _) in enumerate(bundles):
            for cell in cells:
                tied[row, size + number], tied[row, cell] = 1.0, -1.0
                row += 1
        self.tied = tied

    def add(self, price: FloatArray, needed: FloatArray) -> None:
        """Add what an attack has shown; no price need exceed what is needed, as cells are withheld or not."""
        for prices, least in zip(price, needed, strict=True):
            self.possible &= bool(prices[self.can].sum() >= least - TOLERANCE)
            scaled = np.minimum(prices / least, 1.0)
            self.rows.append(np.where(scaled > TOLERANCE, scaled, 0.0))
            self.least.append(1.0)

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
        cuts = np.unique(np.pad(np.array(self.rows), ((0, 0), (0, width))).round(9), axis=0)
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
