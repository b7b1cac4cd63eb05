"""Linked counts: everything that is published of the same people, and the equations that hold between the numbers."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

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
    values
        (N,) the counts.
    equations
        (E, N) coefficients; what is shown and the left sides `equations @ values` are known to everybody.
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

    values: FloatArray
    equations: FloatArray
    ceiling: FloatArray
    cost: FloatArray
    withheld: BoolArray
    bundles: tuple[tuple[IntArray, float], ...]
    needs: tuple[Need, ...]

    @property
    def key(self) -> Hashable:
        """Give what is the same for systems with the same solution."""
        arrays = (self.values, self.equations, self.ceiling, self.cost, self.withheld)
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
            values=np.array(self.numbers, dtype=np.float64),
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
