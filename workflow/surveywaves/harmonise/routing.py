"""Which respondents were not asked a question, according to `routing` in the wave's description."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from surveywaves.harmonise.cells import STATE, States
from surveywaves.study.models import Routing
from surveywaves.terms import Missing

FILTERED: Final = ("asked", "not_asked")
"""Meanings of the answers to a filter question, in the order of their states."""


def filter_of(number: int) -> str:
    """Return a name for the filter question of an entry of `routing`, which no variable or item can have."""
    return f"routing.{number}"


def passed_by(
    routing: Mapping[int, Routing],
    *,
    asked: set[str],
    answers: Callable[[str], States],
    levels: Mapping[str, Sequence[str]],
) -> dict[str, NDArray[np.bool_]]:
    """Find the returns that were not asked a question.

    Parameters
    ----------
    routing
        Number -> entry, with its items and variables all under `items`; an entry on a question that another entry
        depends on comes before that one.
    asked
        Items and variables that these returns have a column for.
    answers
        Returns the states of an item, variable or filter question for every return.
    levels
        Variable -> its levels, in the order of its states.

    Returns
    -------
    dict of array of bool
        Item or variable -> whether each return was not asked it: a condition is known not to hold, or the question
        that the condition is about was not asked either.
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
