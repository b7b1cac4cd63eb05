"""The counts of a wave by organisation as arrays, and what is shown of them in the released tables."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, NamedTuple, Self

import numpy as np
import pandas as pd

from surveywaves.disclosure.rounding import Crossed
from surveywaves.disclosure.routes import Routes
from surveywaves.disclosure.rule import BoolArray, IntArray, Rule
from surveywaves.terms import (
    ALL,
    ITEM_FREQUENCIES,
    NOT_STATED,
    ORGANISATION,
    RELIABILITY,
    RESPONDENTS,
    RESPONSE_RATES,
)

TERMS: Final = ("floor", "ceiling")

ASKED: Final = "asked"
BASE: Final = "base"
GOOD: Final = "favourable_n"
"""What stands in the tables besides the levels, or responses: those who were asked, and who answered (favourably)."""

Place = tuple[str, str]
"""Wave and organisation."""

Subject = tuple[str, str, str]
"""Wave, item or variable, organisation."""


@dataclass(frozen=True)
class ItemKey:
    """What the release needs to know of an item.

    Attributes
    ----------
    scale
        Its scale, empty if it belongs to none.
    key
        1, or -1 where agreement means less.
    points
        Response options.
    favourable
        Values counted as favourable after reverse keying.
    """

    scale: str
    key: int
    points: int
    favourable: tuple[int, ...]

    @property
    def good(self) -> frozenset[int]:
        """Responses counted as favourable, as worded."""
        values = self.favourable if self.key > 0 else (self.points + 1 - value for value in self.favourable)
        return frozenset(values)

    def end(self, term: str) -> int:
        """Give the response at an end of the scale."""
        return 1 if (term == "floor") == (self.key > 0) else self.points


class Table(NamedTuple):
    """A table of a wave: what it is about, its columns, its counts, and how many of the first have no order.

    Its last category, after the columns, are those who did not answer, or were not asked. `sums` are of a variable
    those who stated a level, and who were asked; of an item those who answered, and who answered favourably.
    """

    subject: str
    columns: tuple[Any, ...]
    crossed: Crossed
    unordered: int = 0

    def gave(self, response: Any) -> BoolArray:
        """(C,) mark the categories of those who gave a response; None: any response."""
        return np.array([response in (one, None) for one in self.columns] + [False])

    @property
    def summed(self) -> tuple[str, str]:
        """What the two sums are called."""
        return (BASE, ASKED) if self.unordered else (BASE, GOOD)


@dataclass(frozen=True)
class Counted:
    """The counts of a wave; O organisations.

    Attributes
    ----------
    wave
        The wave.
    levels
        Organisation, and `not_stated` -> returns.
    tables
        The wave's rows of the tables of counts, and of `reliability`.
    instrument, rule
        The items, and the rule.
    routes
        Who was asked what.
    """

    wave: str
    levels: Mapping[str, int]
    tables: Mapping[str, pd.DataFrame]
    instrument: Mapping[str, ItemKey]
    rule: Rule
    routes: Routes

    @property
    def divided(self) -> bool:
        """Whether there are returns of several organisations, so that not all is about everybody."""
        return sum(n > 0 for n in self.levels.values()) > 1

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Those that have returns (those that state none among them), or all if that they have none is not shown."""
        every = not (self.rule.rounding or self.rule.zeros)
        return tuple(name for name, n in self.levels.items() if n or every)

    @cached_property
    def sizes(self) -> IntArray:
        """(O,) returns."""
        return np.array([self.levels[one] for one in self.names])

    @cached_property
    def size(self) -> Table:
        """The sizes as a table of one column."""
        return Table("", ("",), Crossed.of(self.sizes[:, None]))

    @cached_property
    def people(self) -> list[Table]:
        """The grouping variables: levels, those who stated none, and those who were not asked (not shown)."""
        return list(self._people())

    @cached_property
    def items(self) -> list[Table]:
        """The items: responses, and those who did not answer (not shown)."""
        return list(self._items())

    def _people(self) -> Iterator[Table]:
        own = self.tables[RESPONDENTS]
        for variable, rows in own[own["variable"] != ORGANISATION].groupby("variable", sort=False):
            levels = tuple(dict.fromkeys(rows["level"]))
            asked = np.arange(len(levels) + 1) < len(levels)
            stated = np.array([level != NOT_STATED for level in levels] + [False])
            possible = [
                [{ORGANISATION: one, str(variable): level} not in self.rule.impossible for level in levels]
                + [True]
                for one in self.names
            ]
            table = Crossed.of(
                self._counts(rows, "level", levels),
                np.array([stated, asked]),
                hidden=1,
                possible=np.array(possible),
            )
            yield Table(str(variable), levels, table, len(levels) - 1)

    def _items(self) -> Iterator[Table]:
        own = self.tables[ITEM_FREQUENCIES]
        for item, rows in own[own["organisation"].isin(self.names)].groupby("item", sort=False):
            responses = tuple(sorted(set(rows["response"])))
            good = [response in self.instrument[str(item)].good for response in responses]
            sums = np.array([[True] * len(responses) + [False], [*good, False]])
            counts = self._counts(rows, "response", responses)
            yield Table(str(item), responses, Crossed.of(counts, sums, hidden=1))

    def _counts(self, rows: pd.DataFrame, column: str, levels: Sequence[Any]) -> IntArray:
        """(O, C) people of each level of a column, and all others of the organisation."""
        counts = np.zeros((len(self.names), len(levels) + 1), dtype=np.intp)
        row = pd.Index(self.names).get_indexer(pd.Index(rows["organisation"]))
        own = rows[row >= 0]
        counts[row[row >= 0], pd.Index(levels).get_indexer(pd.Index(own[column]))] = own["n"]
        counts[:, -1] = self.sizes - counts.sum(axis=1)
        return counts


def counted_waves(
    tables: Mapping[str, pd.DataFrame],
    *,
    instrument: Mapping[str, ItemKey],
    rule: Rule,
    routes: Mapping[str, Routes],
) -> Iterator[Counted]:
    """Yield the counts of each wave.

    Parameters
    ----------
    tables
        The tables of counts, and `reliability` if there is one.
    instrument, rule
        The items, and the rule.
    routes
        Wave -> who was asked what, where not everybody was asked everything.
    """
    for wave in tables[RESPONSE_RATES]["wave"]:
        own = {
            name: tables[name][tables[name]["wave"] == wave]
            for name in (ITEM_FREQUENCIES, RESPONDENTS, RELIABILITY)
            if name in tables
        }
        stated = own[RESPONDENTS][own[RESPONDENTS]["variable"] == ORGANISATION]
        levels = {str(level): int(n) for level, n in zip(stated["level"], stated["n"], strict=True)}
        yield Counted(str(wave), levels, own, instrument, rule, routes.get(wave, Routes()))


Numbers = Mapping[Any, int | None]
"""Level or response, and what is summed -> how many; None: withheld."""


@dataclass(slots=True)
class Shown:
    """What is shown of the counts by organisation; what is not in here is withheld.

    Attributes
    ----------
    exact
        Places whose counts are shown as they are: all respondents of a wave, or its one organisation.
    people
        Returns of each level, with `ASKED` and `BASE`; the sizes of organisations are those of `ORGANISATION`, `ALL`.
    answers
        Answers of each response, with `BASE` and `GOOD`.
    ends
        Scale, term, wave, organisation -> respondents at that end of the scale.
    keys
        Wave -> digest of its counts, if they are rounded.
    """

    exact: frozenset[Place]
    people: dict[Subject, Numbers] = field(default_factory=dict)
    answers: dict[Subject, Numbers] = field(default_factory=dict)
    ends: dict[tuple[str, str, str, str], int] = field(default_factory=dict)
    keys: dict[str, bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, waves: Collection[Counted]) -> Self:
        """Begin with what is exact."""
        alone = ((one.wave, name) for one in waves if not one.divided for name in one.levels)
        return cls(frozenset([*((one.wave, ALL) for one in waves), *alone]))

    def sized(self, wave: Counted, shown: Numbers, stated: int | None) -> None:
        """Keep the sizes of a wave's organisations, and how many stated theirs."""
        every = {name: shown.get(name, 0) for name in wave.levels}
        self.people[wave.wave, ORGANISATION, ALL] = {**every, BASE: stated, ASKED: int(wave.sizes.sum())}

    def keep(
        self,
        wave: Counted,
        table: Table,
        organisation: str,
        counts: Sequence[int | None],
        sums: Sequence[int | None],
    ) -> None:
        """Keep the counts of an organisation in a table, and their two sums."""
        found = self.people if table.unordered else self.answers
        found[wave.wave, table.subject, organisation] = {
            **dict(zip(table.columns, counts, strict=True)),
            **dict(zip(table.summed, sums, strict=True)),
        }

    def sizes_hidden(self) -> frozenset[tuple[str, str, str]]:
        """List which sizes of organisations are not shown as they are: wave, `organisation`, level or base."""
        return frozenset(
            (wave, variable, level)
            for (wave, variable, organisation), own in self.people.items()
            if organisation == ALL
            for level, n in own.items()
            if level != ASKED and (n is None or wave in self.keys)
        )
