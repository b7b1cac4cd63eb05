"""Why answers are missing: the reasons add up to what returns and base leave, which everybody sees."""

from __future__ import annotations

import pandas as pd

from surveywaves.disclosure.groups import COUNT, Groups
from surveywaves.disclosure.items import ItemPlace
from surveywaves.disclosure.rule import Rule
from surveywaves.disclosure.system import NEVER, TOTAL, Builder
from surveywaves.tidy import ALL


def linked_reasons(
    table: pd.DataFrame, *, groups: Groups, nothing: frozenset[ItemPlace], rule: Rule
) -> dict[ItemPlace, Builder]:
    """Link the reasons of each item in each wave.

    Parameters
    ----------
    table
        As `describe.missing_summary` gives it.
    groups
        The organisations, `all` among them.
    nothing
        (Wave, item) of which not even the number of answers is shown.
    rule
        The rule.

    Returns
    -------
    dict
        (Wave, item) -> counts named by reason. How many are missing altogether is no secret; why they are is.
    """
    found: dict[ItemPlace, Builder] = {}
    for (wave, item), rows in table.groupby(["wave", "item"], sort=False):
        place, returns = (str(wave), str(item)), int(rows["returns"].iloc[0])
        hide = place in nothing or (place[0], ALL) in groups.hidden
        builder = found[place] = Builder()
        total = int(rows["n"].sum())
        builder.count(TOTAL, total, ceiling=returns, cost=COUNT if hide else NEVER, withheld=hide)
        for reason, n in zip(rows["reason"], rows["n"], strict=True):
            cell = builder.count(reason, n, ceiling=returns, cost=COUNT, withheld=hide)
            # The whole of a group is no secret here: an item that a wave did not ask says nothing of anybody.
            if not rule.unstated:
                builder.protect(rule.need(cell, int(n), group=total, answer=False))
        builder.adds_up(TOTAL, list(rows["reason"]))
    return found
