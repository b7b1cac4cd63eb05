"""The answers to an item in a wave: responses by organisation, with every margin that is published somewhere."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import pandas as pd

from surveywaves.describe import NOT_STATED
from surveywaves.disclosure.groups import BASE, COUNT, Groups, Public
from surveywaves.disclosure.rule import Rule
from surveywaves.disclosure.system import LEAST, NEVER, TOTAL, Builder
from surveywaves.tidy import ALL

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
    public: Public,
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
    rule, public
        The rule, and what is in print.

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
            wave, item, table, favourable=favourable[item], groups=groups, rule=rule, public=public
        )
        for (wave, item), table in tables.items()
    }


def _item(
    wave: str,
    item: str,
    table: Mapping[str, Mapping[int, int]],
    *,
    favourable: Collection[int],
    groups: Groups,
    rule: Rule,
    public: Public,
) -> Builder:
    builder = Builder()
    # If the item was answered by too few altogether, there is nothing left to show.
    nothing = rule.small(sum(table[ALL].values())) or (wave, ALL) in groups.small
    for organisation, counts in table.items():
        place = (wave, organisation)
        base, everybody = sum(counts.values()), organisation == ALL
        hidden = nothing or place in groups.hidden
        # Any shown response of a group whose size is withheld would bound that size, and so all other items.
        small = hidden or rule.small(base)
        most = groups.returns(wave) if hidden else groups.sizes.get(place, groups.returns(wave))
        printed = {response for response in counts if everybody and (wave, item, str(response)) in public}
        known = base if organisation == NOT_STATED and rule.unstated else None
        for response, n in counts.items():
            cost = NEVER if response in printed else COUNT
            cell = builder.count(("n", organisation, response), n, ceiling=most, cost=cost, withheld=small)
            builder.protect(rule.need(cell, n, group=base, known=known))
        good = [response for response in counts if response in favourable]
        n = sum(counts[response] for response in good)
        cell = builder.count(
            ("favourable", organisation),
            n,
            ceiling=most,
            cost=NEVER if set(good) <= printed else FAVOURABLE,
            withheld=small,
        )
        builder.protect(rule.need(cell, n, group=base, known=known))
        cell = builder.count(
            ("base", organisation),
            base,
            ceiling=most,
            cost=NEVER if everybody and not nothing else BASE,
            withheld=small,
        )
        if known is None:
            builder.protect(rule.need(cell, base, group=base, answer=False) if rule.small(base) else None)
        cells = [("n", organisation, response) for response in counts]
        builder.adds_up(("base", organisation), cells)
        builder.adds_up(("favourable", organisation), [("n", organisation, response) for response in good])
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
    if not hidden or (wave, ALL) in groups.hidden:
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
