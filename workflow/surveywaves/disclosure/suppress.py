"""Which further counts to withhold, so that nothing shown gives a withheld one back and least is lost.

The cell suppression problem, solved exactly by cutting planes: choose the cheapest cells under the cuts so far, attack
(see `attack`), and turn each attack that comes too close into a cut that every safe choice meets. Ends with the
cheapest safe choice. Fischetti and Salazar-Gonzalez (2000), Models and algorithms for optimizing cell suppression in
tabular data with linear constraints, J. Am. Stat. Assoc. 95, 916; (2001) Management Science 47, 1008.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from surveywaves.disclosure.attack import Goal, reach
from surveywaves.disclosure.cuts import TOLERANCE, Cuts
from surveywaves.disclosure.system import NEVER, BoolArray, FloatArray, System

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
