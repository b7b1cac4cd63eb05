"""The search behind `settle`: every reading of a printed row that contradicts the fewest of its cells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from surveywaves.published.printed import Agreement, Percentage, PrintedRow

_Costs: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a printed row may have meant: whole counts, and the base that they add up to."""

    counts: tuple[int, ...]
    base: int

    def __str__(self) -> str:
        return f"{'+'.join(map(str, self.counts))}={self.base}"


@dataclass(frozen=True, slots=True)
class Readings:
    """Every reading of a row that contradicts the fewest cells, the nearest to print first.

    Parameters
    ----------
    readings
        At least one.
    contradicted, truncated
        Printed cells that each of them contradicts, and percentages that each takes as cut off instead of rounded.
    more
        Whether there are more than are listed.
    """

    readings: tuple[Reading, ...]
    contradicted: int
    truncated: int
    more: bool


def best_readings(row: PrintedRow, *, max_base: int, limit: int) -> Readings:
    """Find the readings of a row that contradict the fewest printed cells, and of those truncate the fewest.

    A reading is a base b and counts that add up to b. It contradicts a printed count or base that differs from it,
    and a printed percentage that neither rounding nor truncating 100 count / b gives. For a given b the cells of
    different categories are tied only by the sum, so the cheapest reading follows by dynamic programming over
    the categories, with the sum that is left as the state. The search is exact.

    Parameters
    ----------
    row
        The printed row.
    max_base
        Largest base to consider.
    limit
        Most readings to list.

    Returns
    -------
    Readings
    """
    weight = len(row.categories) + 1  # one contradiction weighs more than every percentage truncated
    floor = _lower_bounds(row, max_base, weight)
    best = np.iinfo(np.int64).max
    cheapest: list[int] = []
    for base in (np.argsort(floor, kind="stable") + 1).tolist():
        if floor[base - 1] > best:
            break
        cost = _base_cost(row, base, weight) + int(_cheapest_tails(_all_costs(row, base, weight))[0][base])
        if cost < best:
            best, cheapest = cost, []
        if cost == best:
            cheapest.append(base)
    found = list(islice(_readings(row, cheapest, best, weight), limit + 1))
    listed = sorted(found[:limit], key=lambda reading: _distance(row, reading))
    contradicted, truncated = divmod(best, weight)
    return Readings(tuple(listed), contradicted, truncated, len(found) > limit)


def _lower_bounds(row: PrintedRow, max_base: int, weight: int) -> _Costs:
    """For every base from 1 to `max_base`, a cost that no reading with that base can undercut.

    A category is free only if its printed count gives its printed percentage. Otherwise one of the two goes.
    """
    bases = np.arange(1, max_base + 1, dtype=np.int64)
    bound = np.where((bases == row.base) | (row.base is None), 0, weight).astype(np.int64)
    for count, percentage in zip(row.counts, row.percentages, strict=True):
        if count is not None:
            kept = _percentage_cost(percentage, np.asarray(count), bases, weight)
            bound += np.where(count > bases, weight, kept)
    return bound


def _base_cost(row: PrintedRow, base: int, weight: int) -> int:
    return 0 if row.base in (None, base) else weight


def _all_costs(row: PrintedRow, base: int, weight: int) -> list[_Costs]:
    """Per category, the cost of reading its count as 0, 1, ... base."""
    counts = np.arange(base + 1, dtype=np.int64)
    return [
        _percentage_cost(percentage, counts, np.asarray(base), weight)
        + (0 if printed is None else weight * (counts != printed))
        for printed, percentage in zip(row.counts, row.percentages, strict=True)
    ]


def _percentage_cost(percentage: Percentage | None, counts: _Costs, bases: _Costs, weight: int) -> _Costs:
    if percentage is None:
        return np.zeros(np.broadcast(counts, bases).shape, dtype=np.int64)
    price = np.array([0, 1, weight], dtype=np.int64)[
        [Agreement.ROUNDED, Agreement.TRUNCATED, Agreement.CONTRADICTED]
    ]
    return price[percentage.agreement(counts, bases)]


def _cheapest_tails(costs: Sequence[_Costs]) -> list[_Costs]:
    """For every category, the cheapest way for it and those after it to add up to 0, 1, ... base.

    Almost every count costs the same, the most; only the few that cost less are gone through one by one.
    """
    size = len(costs[0])
    unreachable = np.iinfo(np.int64).max // 4
    tail = np.full(size, unreachable, dtype=np.int64)
    tail[0] = 0
    tails = [tail]
    for cost in reversed(costs):
        usual = int(cost.max())
        longer = np.minimum.accumulate(tail) + usual
        for count in np.flatnonzero(cost < usual).tolist():
            np.minimum(longer[count:], tail[: size - count] + cost[count], out=longer[count:])
        tail = longer
        tails.insert(0, tail)
    return tails


def _readings(row: PrintedRow, bases: Sequence[int], best: int, weight: int) -> Iterator[Reading]:
    """Every reading that costs `best`, base by base."""
    for base in sorted(bases, key=lambda b: abs(b - (b if row.base is None else row.base))):
        costs = _all_costs(row, base, weight)
        tails = _cheapest_tails(costs)
        for counts in _ways(costs, tails, base, best - _base_cost(row, base, weight)):
            yield Reading(counts, base)


def _ways(
    costs: Sequence[_Costs], tails: Sequence[_Costs], left: int, budget: int
) -> Iterator[tuple[int, ...]]:
    """Every way for the remaining categories to add up to `left` at a cost within `budget`."""
    if not costs:
        yield ()
        return
    cost = costs[0][: left + 1]
    affordable = np.flatnonzero(cost + tails[1][left::-1][: left + 1] <= budget)
    for count in affordable.tolist():
        for others in _ways(costs[1:], tails[1:], left - count, budget - int(cost[count])):
            yield (count, *others)


def _distance(row: PrintedRow, reading: Reading) -> tuple[int, int, tuple[int, ...]]:
    """How far a reading is from the printed counts; ties go to the larger base."""
    printed = zip(row.counts, reading.counts, strict=True)
    return sum(abs(c - p) for p, c in printed if p is not None), -reading.base, reading.counts
