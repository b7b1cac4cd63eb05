"""Many systems of linked counts, solved on as many cores as there are."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from surveywaves.disclosure.suppress import suppress
from surveywaves.disclosure.system import BoolArray, Builder, Marks, System

Key = TypeVar("Key", bound=Hashable)
Share = Callable[[Callable[[System], BoolArray], list[System]], Iterable[BoolArray]]
"""How systems are shared out among processes, and what comes back in their order."""


@dataclass(slots=True)
class Solver:
    """Chooses what to withhold; what has been solved once is not solved again.

    Attributes
    ----------
    share
        Applies a function to systems, in order.
    choose
        What it applies.
    """

    share: Share
    choose: Callable[[System], BoolArray]
    solved: dict[Hashable, BoolArray] = field(default_factory=dict)

    def __call__(self, builders: Mapping[Key, Builder]) -> dict[Key, Marks]:
        """Mark in every system what is withheld."""
        systems = {key: builder.system() for key, builder in builders.items()}
        keys = {key: system.key for key, system in systems.items()}
        new = {keys[key]: system for key, system in systems.items() if keys[key] not in self.solved}
        self.solved.update(zip(new, self.share(self.choose, list(new.values())), strict=True))
        return {key: builder.named(self.solved[keys[key]]) for key, builder in builders.items()}


@contextmanager
def solver(*, cores: int, rounding: bool) -> Iterator[Solver]:
    """Give a solver that shares its work among processes.

    Parameters
    ----------
    cores
        How many. A system is solved by itself, so the choice is the same whatever their number.
    rounding
        Whether counts are rounded: then nothing is withheld but what was from the start.
    """
    if rounding:
        yield Solver(map, _from_the_start)
    elif cores == 1 or "fork" not in multiprocessing.get_all_start_methods():
        yield Solver(map, suppress)
    else:
        # A fork has what is imported; the scripts that call this are not modules to import again. It is made before
        # the first program is solved: threads of the solver library do not live on in a fork.
        with multiprocessing.get_context("fork").Pool(cores) as pool:
            yield Solver(pool.imap, suppress)


def _from_the_start(system: System) -> BoolArray:
    return system.withheld
