"""Floor and ceiling: percentages that are counts of respondents at an end of a scale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd

from surveywaves.disclosure.groups import COUNT, Place
from surveywaves.disclosure.rule import Rule
from surveywaves.disclosure.system import BoolArray, Builder, Marks
from surveywaves.tidy import ALL

TERMS: Final = ("floor", "ceiling")
End = tuple[str, str]
"""Scale and term."""


def linked_extremes(
    reliability: pd.DataFrame, *, tied: Mapping[End, frozenset[Place]], rule: Rule
) -> dict[End, Builder]:
    """Link the numbers of respondents at an end of each scale.

    Parameters
    ----------
    reliability
        As `reliability.reliability` gives it.
    tied
        Scale and term -> waves and organisations of which an item's count at that end is withheld. A respondent at the
        end of the scale is at the end of each item, so their number would bound it.
    rule
        The rule.

    Returns
    -------
    dict
        Scale and term -> counts named (wave, organisation), and (wave, "") for those who state no organisation, who
        are not shown but follow. Organisations add up to `all`, waves too where their numbers do.
    """
    ends = reliability[reliability["term"].isin(TERMS) & reliability["estimate"].notna()]
    return {
        (str(scale), str(term)): _end(rows, tied.get((str(scale), str(term)), frozenset()), rule)
        for (scale, term), rows in ends.groupby(["scale", "term"], sort=False)
    }


def _end(rows: pd.DataFrame, tied: frozenset[Place], rule: Rule) -> Builder:
    builder = Builder()
    sizes: dict[Place, int] = {}
    for wave, organisation, percent, n in zip(
        rows["wave"], rows["organisation"], rows["estimate"], rows["n"], strict=True
    ):
        place, size = (str(wave), str(organisation)), int(n)
        count, sizes[place] = round(percent * size / 100), size
        hide = place in tied and count > 0
        cell = builder.count(place, count, ceiling=size, cost=COUNT, withheld=hide)
        builder.protect(rule.need(cell, count, group=size))
    waves = list(dict.fromkeys(wave for wave, _ in sizes if wave != ALL))
    for wave in waves:
        if (wave, ALL) not in sizes:
            continue
        parts = [place for place in sizes if place[0] == wave and place[1] != ALL]
        rest = sizes[wave, ALL] - sum(sizes[place] for place in parts)
        n = builder.value((wave, ALL)) - sum(builder.value(place) for place in parts)
        if parts and rest >= 0 and 0 <= n <= rest:
            cell = builder.count((wave, ""), n, ceiling=rest, cost=0.0, withheld=True)
            if rest:
                builder.protect(rule.need(cell, n, group=rest, known=rest))
            builder.adds_up((wave, ALL), [*parts, (wave, "")])
    for organisation in dict.fromkeys(organisation for _, organisation in sizes):
        parts = [(wave, organisation) for wave in waves if (wave, organisation) in sizes]
        total = (ALL, organisation)
        if total in sizes and parts and sizes[total] == sum(sizes[place] for place in parts):
            builder.adds_up(total, parts)
    return builder


def marked(reliability: pd.DataFrame, marks: Mapping[End, Marks]) -> BoolArray:
    """Say which rows of a reliability table are withheld."""
    return np.array(
        [
            term in TERMS and marks.get((scale, term), {}).get((wave, organisation), False)
            for scale, term, wave, organisation in zip(
                *(reliability[name] for name in ("scale", "term", "wave", "organisation")), strict=True
            )
        ],
        dtype=np.bool_,
    )
