"""Controlled rounding: every count to a multiple of a base, near its value, so that all totals still add up.

An integer program over the same linked counts that suppression looks at. Salazar-Gonzalez (2006), Controlled rounding
and cell perturbation: statistical disclosure limitation methods for tabular data, Mathematical Programming 105, 583.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from surveywaves.disclosure.cuts import NODES
from surveywaves.disclosure.system import FloatArray, IntArray, System

FURTHEST: Final = 3
"""Multiples that a count may be moved by where the next ones allow no table that adds up."""


def round_counts(system: System, base: int) -> IntArray:
    """Round linked counts.

    Parameters
    ----------
    system
        Linked counts; what they need, and what withholding costs, is not looked at.
    base
        Multiples of this are shown.

    Returns
    -------
    (N,) int array
        Multiples of the base that meet the equations: each the next below or above its count, multiples of the base as
        they are; only where that is impossible further away. The sum of the distances is the smallest, and of equally
        near tables always the same is chosen.

    Raises
    ------
    ValueError
        If the equations have constants other than 0: they could not be met by multiples.
    """
    if np.abs(system.equations @ system.values).max(initial=0) > 0.5:
        raise ValueError("a total that is no count of the system cannot be rounded with it")
    for further in range(FURTHEST):
        if (found := _nearest(system, base, further)) is not None:
            return found
    raise RuntimeError(f"{len(system.values)} linked counts have no table of multiples of {base} near them")


def _nearest(system: System, base: int, further: int) -> IntArray | None:
    size = len(system.values)
    down = np.floor(system.values / base)
    low, high = np.maximum(down - further, 0), np.ceil(system.values / base) + further
    # Multiples m and distances t >= |base m - value|; small differences between cells settle ties.
    unit, zero = np.eye(size), np.zeros((len(system.equations), size))
    matrix = np.vstack(
        [
            np.hstack([system.equations, zero]),
            np.hstack([base * unit, -unit]),
            np.hstack([-base * unit, -unit]),
        ]
    )
    at_most = np.concatenate([np.zeros(len(zero)), system.values, -system.values])
    at_least = np.concatenate([np.zeros(len(zero)), np.full(2 * size, -np.inf)])
    preference: FloatArray = 1 + np.arange(size) / (100.0 * size)
    found = milp(
        np.concatenate([np.zeros(size), preference]),
        integrality=np.concatenate([np.ones(size), np.zeros(size)]),
        bounds=Bounds(np.concatenate([low, np.zeros(size)]), np.concatenate([high, np.full(size, np.inf)])),
        constraints=LinearConstraint(matrix, at_least, at_most),
        options={"node_limit": NODES, "mip_rel_gap": 0.0},
    )
    if found.x is None:
        return None
    rounded: IntArray = base * np.round(found.x[:size]).astype(np.intp)
    return rounded
