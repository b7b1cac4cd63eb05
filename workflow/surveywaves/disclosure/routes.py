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
    of
        Item or variable that only some were asked, but for those that whole organisations were not -> the variables and
        items that decide, with the values of those who were asked, by all routes ("": a filter question decides).
    """

    of: Mapping[str, Mapping[str, frozenset[str]]] = {}

    @property
    def some(self) -> frozenset[str]:
        """Items and variables that only some were asked."""
        return frozenset(self.of)

    def asked(self, name: str) -> frozenset[frozenset[str]]:
        """Return the values of a variable or item of which questions were asked, one set for each such question."""
        return frozenset(names[name] for names in self.of.values() if name in names)

    @classmethod
    def by_wave(cls, parts: Iterable[HarmonisingPart]) -> dict[str, Self]:
        """Read them from the descriptions of the waves."""
        return {part.wave: cls._of(part) for part in parts if part.routing}

    @classmethod
    def _of(cls, part: HarmonisingPart) -> Self:
        of: dict[str, dict[str, frozenset[str]]] = {}
        for route in part.routing:
            names = {
                name: frozenset(map(str, chosen))
                for name, chosen in route.asked_of.items()
                if name != ORGANISATION
            }
            if route.filter:
                names[""] = frozenset()
            for item in route.items if names else ():
                conditions = of.setdefault(item, {})
                for name, chosen in names.items():
                    conditions[name] = chosen & conditions.get(name, chosen)
        return cls(of)
