"""Who was asked a question that not everybody was asked, as the wave's description says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from surveywaves.harmonise.cells import STATE, States
from surveywaves.study.models import Routing
from surveywaves.terms import Missing

FILTERED: Final = ("asked", "not_asked")
"""What an answer to a filter question means, in the order of its states."""


def filter_of(number: int) -> str:
    """Name the filter question of an entry of `routing`; no variable or item can be called so."""
    return f"routing.{number}"


def passed_by(
    routing: Mapping[int, Routing],
    *,
    asked: set[str],
    answers: Callable[[str], States],
    levels: Mapping[str, Sequence[str]],
) -> dict[str, NDArray[np.bool_]]:
    """Tell which returns were not asked a question.

    Parameters
    ----------
    routing
        Number -> entry, with all that it is about under `items`; what decides stands before what it decides about.
    asked
        Items and variables that these returns have a column for.
    answers
        Gives the states of an item, variable or filter question for every return.
    levels
        Variable -> its levels, in the order of its states.

    Returns
    -------
    dict of array of bool
        Item or variable -> whether each return was not asked: its answer to what decides is known and another one, or
        it was not asked that either.
    """
    found: dict[str, NDArray[np.bool_]] = {}
    for number, route in routing.items():
        if asked.isdisjoint(route.items):
            continue
        away = []
        for name, chosen in route.asked_of.items():
            known = levels.get(name)
            states = answers(name)
            values = [known.index(one) + 1 for one in map(str, chosen) if one in known] if known else chosen
            away += [(states > 0) & ~np.isin(states, values), states == STATE[Missing.NOT_ASKED]]
            away += [found[name]] if name in found else []
        if route.filter:
            away.append(answers(filter_of(number)) == FILTERED.index("not_asked") + 1)
        for name in asked.intersection(route.items):
            found[name] = np.logical_or.reduce([*away, *([found[name]] if name in found else [])])
    return found
