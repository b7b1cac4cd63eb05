"""Everything that is linked, solved: who answered, the answers, who stands at an end of a scale.

Each is decided with what was decided before it: the size of an organisation binds its items, these bind the rest.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pandas as pd

from surveywaves.disclosure.account import REASONS
from surveywaves.disclosure.count_tables import (
    Groups,
    ItemKey,
    ItemPlace,
    Public,
    groups,
    linked_groups,
    linked_items,
)
from surveywaves.disclosure.marking import linked_files
from surveywaves.disclosure.routes import Routes
from surveywaves.disclosure.suppress import Solver
from surveywaves.disclosure.system import Builder, Marks, Rule
from surveywaves.harmonise.crosswalk import all_constants
from surveywaves.study.parts import HarmonisingPart
from surveywaves.terms import (
    ALL,
    FILE_COUNTS,
    ITEM_FREQUENCIES,
    ORGANISATION,
    PROBLEMS,
    RESPONDENTS,
    RESPONSE_RATES,
)
from surveywaves.tidy import tuples

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Part(Generic[Key]):
    """Linked counts of a kind, place by place, and which of them are withheld."""

    counts: Mapping[Key, Builder]
    marks: Mapping[Key, Marks]

    def withheld(self) -> Iterator[tuple[Key, Hashable]]:
        """List what is withheld."""
        return ((key, name) for key, own in self.marks.items() for name, mark in own.items() if mark)


@dataclass(frozen=True, slots=True)
class Linked:
    """All linked counts of the study.

    Attributes
    ----------
    groups
        The organisations, and whose sizes are withheld.
    people, answers, files
        Counts of who answered, by wave; of answers, by wave and item; of rows in the raw files, by wave.
    """

    groups: Groups
    people: Part[str]
    answers: Part[ItemPlace]
    files: Part[str]

    def hidden_together(self) -> frozenset[tuple[str, str, str]]:
        """List what is withheld of the sizes of organisations, as wave, `organisation`, level or base."""
        return frozenset(_together(self.people))


def link(
    tables: Mapping[str, pd.DataFrame],
    *,
    instrument: Mapping[str, ItemKey],
    rule: Rule,
    parts: Sequence[HarmonisingPart],
    public: Public,
    solve: Solver,
) -> Linked:
    """Link the counts of all tables, and choose what to withhold.

    Parameters
    ----------
    tables, instrument, rule, parts
        See `surveywaves.disclosure.release.release`.
    public
        Counts that are in print.
    solve
        Chooses.

    Returns
    -------
    Linked
        Each place of each kind is a system by itself.
    """
    returns = dict(zip(tables[RESPONSE_RATES]["wave"], tables[RESPONSE_RATES]["returns"], strict=True))
    people = _solved(linked_groups(tables[RESPONDENTS], returns, rule=rule, public=public), solve)
    found = groups(people.counts, people.marks, rule)
    answers = _solved(
        linked_items(
            tables[ITEM_FREQUENCIES],
            groups=found,
            favourable={item: one.good for item, one in instrument.items()},
            rule=rule,
            told=frozenset(_routed(tables[ITEM_FREQUENCIES], Routes.by_wave(parts), people)),
        ),
        solve,
    )
    files: dict[str, Builder] = {}
    if FILE_COUNTS in tables:
        files = linked_files(
            tables[FILE_COUNTS],
            tables[PROBLEMS],
            told=frozenset(_told(parts, people)),
            rule=rule,
        )
    return Linked(found, people, answers, _solved(files, solve))


def _solved(counts: Mapping[Key, Builder], solve: Solver) -> Part[Key]:
    return Part(counts, solve(counts))


def _routed(
    frequencies: pd.DataFrame, routes: Mapping[str, Routes], people: Part[str]
) -> Iterator[tuple[str, str, str]]:
    """List the statements and organisations whose base would tell the size of a withheld group that was asked alone.

    Where a filter question decides, or an answer to another statement, these are all of them.
    """
    places = frequencies[frequencies["organisation"] != ALL][
        ["wave", "item", "organisation"]
    ].drop_duplicates()
    for wave, item, organisation in tuples(places, *places):
        own = routes.get(wave, Routes())
        by = [
            [
                mark
                for name, mark in people.marks.get(wave, {}).items()
                if isinstance(name, tuple) and name[:3] == ("n", variable, organisation)
            ]
            for variable in own.of.get(item, ())
        ]
        if item in own.some and (not by or not all(by) or any(map(any, by))):
            yield wave, item, organisation


def _told(parts: Iterable[HarmonisingPart], people: Part[str]) -> Iterator[str]:
    """List the waves in which a layout stands for a group whose size is withheld."""
    withheld = set(people.withheld())
    for part in parts:
        if any(
            {(part.wave, ("n", variable, ALL, level)), (part.wave, ("size", level))} & withheld
            for variable, level in all_constants(part)
        ):
            yield part.wave


def _together(people: Part[str]) -> Iterator[tuple[str, str, str]]:
    for wave, name in people.withheld():
        match name:
            case ("base", "organisation", "all"):
                yield wave, ORGANISATION, "base"
            case ("size", str(organisation)):
                yield wave, ORGANISATION, organisation


def why_withheld(linked: Linked) -> pd.DataFrame:
    """List every withheld count with its value and reason: `linked, count, n, reason`. Gives small counts away."""
    rows = []
    every: tuple[Part[Any], ...] = (linked.people, linked.answers, linked.files)
    for part in every:
        for key, builder in part.counts.items():
            small = {need.cell for need in builder.needs}
            for name, cell in builder.counts.items():
                if part.marks[key][name]:
                    why = "primary" if cell in small else "complementary"
                    rows.append((_say(key), _say(name), builder.value(name), why))
    frame = pd.DataFrame(rows, columns=list(REASONS))
    return frame.astype({"linked": "str", "count": "str", "n": "int64", "reason": "str"})


def _say(name: Hashable) -> str:
    return ", ".join(str(part) for part in name) if isinstance(name, tuple) else str(name)
