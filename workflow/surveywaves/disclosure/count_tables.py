"""The count tables as linked systems: who answered, what they answered, who stands at an end of a scale.

Who answered: the counts of organisations and grouping variables of a wave are all linked, and the size of an
organisation stands in every table of the wave, so what is decided here binds all others. The answers to an item:
responses by organisation, with every margin that is published somewhere. Floor and ceiling: percentages that are counts
of respondents at an end of a scale. All respondents of a wave together are known to everybody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from surveywaves.disclosure.system import LEAST, NEVER, TOTAL, Builder, Marks, Rule, bounds
from surveywaves.terms import ALL, NOT_STATED, ORGANISATION
from surveywaves.tidy import tuples

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
    for wave, organisation, variable, level, n, base in tuples(table, *columns):
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
    builder.count(("size", ALL), returns, ceiling=returns, cost=NEVER)
    sizes = {ALL: returns}
    if own := tables.get((ORGANISATION, ALL)):
        for row in own:
            printed = (wave, ORGANISATION, row.level) in public
            cost = SIZE if row.level != NOT_STATED else UNSTATED
            cell = builder.count(
                ("size", row.level),
                row.n,
                ceiling=returns,
                cost=NEVER if printed or row.n == returns else cost,
            )
            sizes[row.level] = row.n
            if row.level != NOT_STATED or not rule.unstated:
                builder.protect(rule.need(cell, row.n, group=returns, answer=False))
        stated = ("base", ORGANISATION, ALL)
        builder.count(stated, own[0].base, ceiling=returns, cost=BASE)
        builder.adds_up(stated, [("size", row.level) for row in own if row.level != NOT_STATED])
        builder.adds_up(("size", ALL), [stated, ("size", NOT_STATED)])
    variables = dict.fromkeys(variable for variable, _ in tables if variable != ORGANISATION)
    for variable in variables:
        rows = {organisation: rows for (name, organisation), rows in tables.items() if name == variable}
        # Where everybody was asked, the number asked is the size of the organisation.
        everybody = all(rows[one][-1].base == sizes.get(one) for one in rows)
        for organisation, own in rows.items():
            small = rule.small(sizes.get(organisation, returns))
            _group(builder, own, everybody=everybody, small=small, rule=rule)
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


def _group(builder: Builder, rows: list[_Row], *, everybody: bool, small: bool, rule: Rule) -> None:
    *stated, unstated = rows
    organisation, variable = unstated.organisation, unstated.variable
    base = ("base", variable, organisation)
    asked = ("size", organisation) if everybody else ("asked", variable, organisation)
    # What bounds a part is its whole, if that is shown: the equations say it.
    returns = builder.value(("size", ALL))
    # All respondents together, or the one organisation that they are of.
    known = organisation == ALL or unstated.base == returns
    cell = builder.count(
        base, unstated.base - unstated.n, ceiling=returns, cost=NEVER if known else BASE, withheld=small
    )
    if not rule.unstated:
        builder.protect(rule.need(cell, unstated.base - unstated.n, group=unstated.base, answer=False))
    builder.count(asked, unstated.base, ceiling=returns, cost=NEVER if known else SIZE, withheld=small)
    for row in rows:
        cell = builder.count(
            ("n", variable, organisation, row.level),
            row.n,
            ceiling=returns,
            cost=NEVER if known else COUNT,
            withheld=small,
        )
        if row.level != NOT_STATED or not rule.unstated:
            most = stated[0].base if rule.unstated and stated else None
            builder.protect(rule.need(cell, row.n, group=row.base, known=most, answer=False))
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


FAVOURABLE: Final = 0.5
MOMENTS: Final = 1.5
"""What is lost with the number of favourable answers, which the responses may still give; with mean and standard
deviation, which are shown only where all responses are."""

ItemPlace = tuple[str, str]
"""Wave and item."""


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


def linked_items(
    frequencies: pd.DataFrame,
    *,
    groups: Groups,
    favourable: Mapping[str, Collection[int]],
    rule: Rule,
    told: Collection[tuple[str, str, str]] = (),
) -> dict[ItemPlace, Builder]:
    """Link the counts of each item in each wave.

    Parameters
    ----------
    frequencies
        As `describe.item_frequencies` gives them.
    groups
        The organisations, and whose sizes are withheld.
    favourable
        Item -> responses counted as favourable, the mirror image taken where it is keyed the other way.
    rule
        The rule.
    told
        Wave, item, organisation: nothing may be shown, since it would tell how many a withheld group has.

    Returns
    -------
    dict
        (Wave, item) -> counts named ``("n", organisation, response)``, ``("favourable", organisation)`` and
        ``("base", organisation)``. The equations: responses add up to the base and the favourable ones to their
        number, organisations to `all`. Percentages and bases say the same as counts; mean and standard deviation are
        linear in them once the base is known, and are bundled with the responses instead.
    """
    tables: dict[ItemPlace, dict[str, dict[int, int]]] = {}
    for wave, organisation, item, response, n in zip(
        *(frequencies[name] for name in ("wave", "organisation", "item", "response", "n")), strict=True
    ):
        tables.setdefault((wave, item), {}).setdefault(organisation, {})[int(response)] = int(n)
    return {
        (wave, item): _item(
            wave,
            table,
            favourable=favourable[item],
            groups=groups,
            rule=rule,
            told={organisation for organisation in table if (wave, item, organisation) in told},
        )
        for (wave, item), table in tables.items()
    }


def _item(
    wave: str,
    table: Mapping[str, Mapping[int, int]],
    *,
    favourable: Collection[int],
    groups: Groups,
    rule: Rule,
    told: Collection[str],
) -> Builder:
    builder = Builder()
    for organisation, counts in table.items():
        place = (wave, organisation)
        base = sum(counts.values())
        everybody = organisation == ALL or groups.sizes.get(place) == groups.returns(wave)
        hidden = place in groups.hidden
        # Any shown response of a group whose size is withheld would bound that size, and so all other items.
        small = hidden or rule.small(base) or organisation in told
        most = groups.returns(wave) if hidden else groups.sizes.get(place, groups.returns(wave))
        known = base if organisation == NOT_STATED and rule.unstated else None
        for response, n in counts.items():
            cost = NEVER if everybody else COUNT
            cell = builder.count(("n", organisation, response), n, ceiling=most, cost=cost, withheld=small)
            builder.protect(rule.need(cell, n, group=base, known=known))
        good = [response for response in counts if response in favourable]
        n = sum(counts[response] for response in good)
        cell = builder.count(
            ("favourable", organisation),
            n,
            ceiling=most,
            cost=NEVER if everybody else FAVOURABLE,
            withheld=small,
        )
        builder.protect(rule.need(cell, n, group=base, known=known))
        cell = builder.count(
            ("base", organisation),
            base,
            ceiling=most,
            cost=NEVER if everybody else BASE,
            withheld=small,
        )
        if known is None:
            builder.protect(rule.need(cell, base, group=base, answer=False) if rule.small(base) else None)
        cells = [("n", organisation, response) for response in counts]
        builder.adds_up(("base", organisation), cells)
        builder.adds_up(("favourable", organisation), [("n", organisation, response) for response in good])
        if not everybody:
            builder.bundle(cells, MOMENTS)
    parts = [organisation for organisation in table if organisation != ALL]
    if parts:
        for response in table[ALL]:
            builder.adds_up(("n", ALL, response), [("n", one, response) for one in parts])
    _link_hidden_sizes(builder, wave, [one for one in parts if (wave, one) in groups.hidden], groups)
    return builder


def _link_hidden_sizes(builder: Builder, wave: str, hidden: list[str], groups: Groups) -> None:
    """Say what is known of withheld sizes: no more can have answered than there are, and their sum follows.

    What the tables of who answered tell of two of them together is what they tell of the third; of more than three it
    can be a little more than this.
    """
    if not hidden:
        return
    total = sum(groups.sizes[wave, one] for one in hidden)
    builder.count(TOTAL, total, ceiling=total, cost=NEVER)
    for one in hidden:
        size, (least, most) = groups.sizes[wave, one], groups.range[wave, one]
        answered = builder.value(("base", one))
        builder.count(("size", one), size, ceiling=most, cost=0.0, withheld=True)
        builder.count((LEAST, one), least, ceiling=least, cost=NEVER)
        builder.count(("beyond", one), size - least, ceiling=most - least, cost=0.0, withheld=True)
        builder.adds_up(("size", one), [(LEAST, one), ("beyond", one)])
        builder.count(("missing", one), size - answered, ceiling=most, cost=0.0, withheld=True)
        builder.adds_up(("size", one), [("base", one), ("missing", one)])
    builder.adds_up(TOTAL, [("size", one) for one in hidden])


TERMS: Final = ("floor", "ceiling")
