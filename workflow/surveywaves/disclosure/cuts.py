"""What every safe choice must meet: cuts from the equations themselves, and those that attacks have shown.

Take any sum of equations, weighted in any way: it holds as well. Where a cell stands in it, the cell can move no
further than the others in it together, each no further than it can by itself and only if it is withheld. With the
weights that an attack ends with (its dual solution) this is the cut that the attack shows; with simpler weights it
costs no attack. Fischetti and Salazar-Gonzalez (2000), sections 4 and 5.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from surveywaves.disclosure.attack import Goal
from surveywaves.disclosure.system import NEVER, BoolArray, FloatArray, System

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
        size, bundles = len(system.values), system.bundles
        self.size = size
        can = system.cost != NEVER
        self.can = can | system.withheld
        self.possible = True
        self.rows: list[FloatArray] = []
        for goal, distance in zip(goals, needed, strict=True):
            prices = _first(system, goal, distance)
            self.add(prices, np.full(len(prices), distance))
        # Ties: fewer people first, then the earlier cell.
        tie = system.values / (1.0 + system.values.sum()) + np.arange(size) / (10.0 * size**2)
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
    price = np.maximum(own, 0) * (system.ceiling - system.values) + np.maximum(-own, 0) * system.values
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
    known: dict[tuple[tuple[int, float], ...], dict[int, float]]
    known = {((number, 1.0),): {number: 1.0} for number in range(len(matrix))}
    last = list(known.values())
    for _ in range(1, TOGETHER if len(matrix) < LARGE else TOGETHER - 1):
        longer: list[dict[int, float]] = []
        for weights in last:
            for more in _longer(matrix, weights):
                # A sum and its negative say the same.
                key = tuple(sorted((number, weight * more[min(more)]) for number, weight in more.items()))
                if key not in known:
                    known[key] = more
                    longer.append(more)
        last = longer
    factors = np.zeros((len(known), len(matrix)))
    for row, weights in enumerate(known.values()):
        factors[row, list(weights)] = list(weights.values())
    sums: FloatArray = factors @ matrix
    return sums


def _longer(matrix: FloatArray, weights: dict[int, float]) -> Iterator[dict[int, float]]:
    """Add one equation more, or take it away, so that a cell cancels."""
    together = np.array(list(weights.values())) @ matrix[list(weights)]
    for number, row in enumerate(matrix):
        if number in weights:
            continue
        common = (row != 0) & (together != 0)
        for weight in sorted({float(one) for one in -together[common] / row[common]}):
            if abs(weight) == 1.0:
                yield {**weights, number: weight}
