"""Questions that only some were asked: the number who answered one is nearly the number of those who were asked.

So a group that a table withholds, or shows rounded, may follow from the base of a statement that went to it alone, and
two such statements have the same base, rounded twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Self

from surveywaves.study.parts import HarmonisingPart
from surveywaves.terms import ORGANISATION


class Routes(NamedTuple):
    """Who was asked what in a wave.

    Attributes
    ----------
    some
        Items and variables that only some were asked, but for those that whole organisations were not.
    deciding
        Variable or item that decides who is asked -> the values of those who are, one set for each such question.
    of
        Item or variable -> the variables and items that decide.
    """

    some: frozenset[str] = frozenset()
    deciding: Mapping[str, frozenset[frozenset[str]]] = {}
    of: Mapping[str, frozenset[str]] = {}

    @classmethod
    def by_wave(cls, parts: Iterable[HarmonisingPart]) -> dict[str, Self]:
        """Read them from the descriptions of the waves."""
        return {part.wave: cls._of(part) for part in parts if part.routing}

    @classmethod
    def _of(cls, part: HarmonisingPart) -> Self:
        deciding: dict[str, set[frozenset[str]]] = {}
        of: dict[str, set[str]] = {}
        for route in part.routing:
            names = {name: chosen for name, chosen in route.asked_of.items() if name != ORGANISATION}
            if not (names or route.filter):
                continue
            for name, chosen in names.items():
                deciding.setdefault(name, set()).add(frozenset(map(str, chosen)))
            for item in route.items:
                of.setdefault(item, set()).update(names)
        return cls(
            frozenset(of),
            {name: frozenset(sets) for name, sets in deciding.items()},
            {item: frozenset(names) for item, names in of.items()},
        )
