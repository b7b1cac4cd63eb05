"""Who answered: the counts of organisations and grouping variables of a wave, which are all linked.

The size of an organisation stands in every table of the wave, so what is decided here binds all others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from surveywaves.describe import NOT_STATED, ORGANISATION
from surveywaves.disclosure.attack import bounds
from surveywaves.disclosure.rule import Rule
from surveywaves.disclosure.system import NEVER, Builder, Marks
from surveywaves.tidy import ALL

COUNT: Final = 1.0
BASE: Final = 20.0
SIZE: Final = 60.0
UNSTATED: Final = 40.0
"""What is lost with a count and its percentage; with a base, and so every percentage of it; with the size of an
organisation, and so all its answers by item; with the number of those who stated none, and so theirs."""

Place = tuple[str, str]
"""Wave and organisation."""

Public = Collection[tuple[str, str, str]]
"""Wave, item or variable, response or level: the counts of all organisations together that are in print."""


@dataclass(frozen=True, slots=True)
class Groups:
    """The organisations of every wave (`not_stated` and `all` among them).

    Attributes
    ----------
    sizes
        Returns of each.
    small
        Those below the threshold: nothing of them is shown.
    hidden
        Those whose size is withheld, because it is small or would give a small one back.
    range
        How small and how large each of these can be, as far as the tables of who answered tell.
    """

    sizes: Mapping[Place, int]
    small: frozenset[Place]
    hidden: frozenset[Place]
    range: Mapping[Place, tuple[int, int]]

    def returns(self, wave: str) -> int:
        """Count the returns of a wave."""
        return self.sizes[wave, ALL]


class _Row(NamedTuple):
    organisation: str
    variable: str
    level: str
    n: int
    base: int


def linked_groups(
    table: pd.DataFrame, returns: Mapping[str, int], *, rule: Rule, public: Public
) -> dict[str, Builder]:
    """Link the counts of who answered, wave by wave.

    Parameters
    ----------
    table
        As `describe.respondents` gives it.
    returns
        Wave -> returns.
    rule, public
        The rule, and what is in print.

    Returns
    -------
    dict
        Wave -> counts named ``("n", variable, organisation, level)``, ``("base", variable, organisation)``, ``("asked",
        variable, organisation)`` and ``("size", organisation)``.
    """
    waves: dict[str, dict[tuple[str, str], list[_Row]]] = {wave: defaultdict(list) for wave in returns}
    columns = ("wave", "organisation", "variable", "level", "n", "base")
    for wave, organisation, variable, level, n, base in zip(*(table[name] for name in columns), strict=True):
        waves[wave][variable, organisation].append(_Row(organisation, variable, level, int(n), int(base)))
    return {
        wave: _wave(wave, tables, returns[wave], rule=rule, public=public) for wave, tables in waves.items()
    }


def _wave(
    wave: str,
    tables: Mapping[tuple[str, str], list[_Row]],
    returns: int,
    *,
    rule: Rule,
    public: Public,
) -> Builder:
    builder = Builder()
    hide = rule.small(returns)
    total = builder.count(
        ("size", ALL), returns, ceiling=returns, cost=SIZE if hide else NEVER, withheld=hide
    )
    builder.protect(rule.need(total, returns, group=returns, answer=False))
    sizes = {ALL: returns}
    if own := tables.get((ORGANISATION, ALL)):
        for row in own:
            printed = (wave, ORGANISATION, row.level) in public
            cost = SIZE if row.level != NOT_STATED else UNSTATED
            cell = builder.count(
                ("size", row.level), row.n, ceiling=returns, cost=NEVER if printed else cost, withheld=hide
            )
            sizes[row.level] = row.n
            if row.level != NOT_STATED or not rule.unstated:
                builder.protect(rule.need(cell, row.n, group=returns, answer=False))
        stated = ("base", ORGANISATION, ALL)
        builder.count(stated, own[0].base, ceiling=returns, cost=BASE, withheld=hide)
        builder.adds_up(stated, [("size", row.level) for row in own if row.level != NOT_STATED])
        builder.adds_up(("size", ALL), [stated, ("size", NOT_STATED)])
    variables = dict.fromkeys(variable for variable, _ in tables if variable != ORGANISATION)
    for variable in variables:
        rows = {organisation: rows for (name, organisation), rows in tables.items() if name == variable}
        # Where everybody was asked, the number asked is the size of the organisation.
        everybody = all(rows[one][-1].base == sizes.get(one) for one in rows)
        for organisation, own in rows.items():
            small = hide or rule.small(sizes.get(organisation, returns))
            _group(builder, wave, own, everybody=everybody, small=small, rule=rule, public=public)
        parts = [organisation for organisation in rows if organisation != ALL]
        if parts:
            for row in rows[ALL]:
                builder.adds_up(
                    ("n", variable, ALL, row.level), [("n", variable, one, row.level) for one in parts]
                )
            builder.adds_up(("base", variable, ALL), [("base", variable, one) for one in parts])
            if not everybody:
                builder.adds_up(("asked", variable, ALL), [("asked", variable, one) for one in parts])
    return builder


def _group(
    builder: Builder,
    wave: str,
    rows: list[_Row],
    *,
    everybody: bool,
    small: bool,
    rule: Rule,
    public: Public,
) -> None:
    *stated, unstated = rows
    organisation, variable = unstated.organisation, unstated.variable
    base = ("base", variable, organisation)
    asked = ("size", organisation) if everybody else ("asked", variable, organisation)
    # What bounds a part is its whole, if that is shown: the equations say it.
    returns = builder.value(("size", ALL))
    cell = builder.count(base, unstated.base - unstated.n, ceiling=returns, cost=BASE, withheld=small)
    if not rule.unstated:
        builder.protect(rule.need(cell, unstated.base - unstated.n, group=unstated.base, answer=False))
    builder.count(asked, unstated.base, ceiling=returns, cost=SIZE, withheld=small)
    for row in rows:
        printed = organisation == ALL and (wave, variable, row.level) in public
        cell = builder.count(
            ("n", variable, organisation, row.level),
            row.n,
            ceiling=returns,
            cost=NEVER if printed else COUNT,
            withheld=small,
        )
        if row.level != NOT_STATED or not rule.unstated:
            known = stated[0].base if rule.unstated and stated else None
            builder.protect(rule.need(cell, row.n, group=row.base, known=known, answer=False))
    builder.adds_up(base, [("n", variable, organisation, row.level) for row in stated])
    builder.adds_up(asked, [base, ("n", variable, organisation, NOT_STATED)])


def groups(builders: Mapping[str, Builder], marks: Mapping[str, Marks], rule: Rule) -> Groups:
    """Say which organisations are small, and whose sizes are withheld."""
    sizes = dict(_sizes(builders))
    hidden = {(wave, organisation) for (wave, organisation) in sizes if marks[wave]["size", organisation]}
    small = {place for place, n in sizes.items() if _protected(place, rule) and 0 < n < rule.threshold}
    return Groups(sizes, frozenset(small), frozenset(hidden), dict(_range(builders, marks, hidden)))


def _range(
    builders: Mapping[str, Builder], marks: Mapping[str, Marks], hidden: Collection[Place]
) -> Iterator[tuple[Place, tuple[int, int]]]:
    for wave in {wave for wave, _ in hidden}:
        builder = builders[wave]
        withheld = np.array([marks[wave][name] for name in builder.counts], dtype=np.bool_)
        low, high = bounds(builder.system(), withheld)
        for one, organisation in hidden:
            if one == wave:
                cell = builder.counts["size", organisation]
                yield (wave, organisation), (round(low[cell]), round(high[cell]))


def _protected(place: Place, rule: Rule) -> bool:
    return place[1] != NOT_STATED or not rule.unstated


def _sizes(builders: Mapping[str, Builder]) -> Iterator[tuple[Place, int]]:
    for wave, builder in builders.items():
        for name in builder.counts:
            match name:
                case ("size", str(organisation)):
                    yield (wave, organisation), builder.value(name)
