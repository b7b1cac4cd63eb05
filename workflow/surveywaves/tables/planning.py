"""What the next wave can show, by its number of returns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pandas as pd

from surveywaves.findings import KINDS, kind_of
from surveywaves.tables import printed
from surveywaves.tables.layout import Cell, Table, laid_out, numbers
from surveywaves.terms import ALL, BETWEEN, RETURNS_NEEDED
from surveywaves.words import Labels, is_missing, lower, number, percent, records, share, whole

ASKED: Final = {
    "power": "Power, %",
    "power_adjusted": "After adjustment, %",
    "detectable": "Detectable, SD",
}
"""Terms of the plan by number of returns, and the head of their columns."""

SHOWN: Final = 3
"""Numbers of returns that are shown at most."""


def planning(planning: pd.DataFrame, labels: Labels) -> Table:
    """Lay the plan out, a contrast with the wave to come below the other: returns needed, power, detectable."""
    plan, returns = labels.presentation.planning, labels.presentation.nouns.returns[1]
    powers = planning[planning["term"] == "power"]
    sizes = sorted({int(n) for n in powers["n"].dropna()})
    step = max(1, len(sizes) // SHOWN)
    shown = sizes[step - 1 :: step][-SHOWN:]
    found = {
        (row.term, row.scale, row.wave, row.organisation, None if row.term == RETURNS_NEEDED else row.n): row
        for row in records(planning[planning["n"].isin(shown) | (planning["term"] == RETURNS_NEEDED)])
    }
    terms = [term for term in ASKED if term in {term for term, *_ in found}]
    contrasts = list(dict.fromkeys(zip(powers["wave"], powers["organisation"], strict=True)))
    if len(contrasts) > _CONTRASTS:
        contrasts = [one for one in contrasts if BETWEEN not in one[1]]

    def cells(key: tuple[str, str, str]) -> Iterator[Cell]:
        yield Cell(labels.scale(key[0]))
        yield _needed(found.get((RETURNS_NEEDED, *key, None)), labels)
        for n in shown:
            yield from (_cell(found.get((term, *key, n)), labels) for term in terms)

    heads = (numbers(ASKED[term], f"{whole(n)} {returns}") for n in shown for term in terms)
    return laid_out(
        f"What {plan.title if plan else 'the next wave'} can show, by number of {returns}",
        [
            (scale, wave, organisation)
            for wave, organisation in contrasts
            for scale in labels.scales_in(
                powers[powers["wave"].eq(wave) & powers["organisation"].eq(organisation)]
            )
        ],
        [(["Scale", numbers(f"{returns.capitalize()} needed"), *heads], cells)],
        planning,
        f"Power: chance to find the smallest effect of interest (±{number(plan.smallest)} SD of one answer); after "
        f"adjustment for all scales, where no other shows anything. {returns.capitalize()} needed: for a "
        f"power of {share(plan.power, decimals=0)} before adjustment. Detectable: difference found with that power."
        if plan
        else "",
        f"Every contrast and number of {returns}, and equivalence tests, are in the CSV.",
        section=lambda key: f"{KINDS[kind_of(*key[1:])]}: {labels.organisation(key[2])}",
        ranked=(lower(labels.organisation(ALL)), "", lambda key: printed.of_everybody(key[2])),
    )


_CONTRASTS: Final = 8
"""Contrasts that are all shown; of more, those within an organisation are."""


def _cell(row: Any, labels: Labels) -> Cell:
    if row is None or is_missing(row.estimate) or not row.term.startswith("power"):
        return printed.estimate(row, labels)
    return Cell(percent(100 * row.estimate).removesuffix("%"), 100 * float(row.estimate))


def _needed(row: Any, labels: Labels) -> Cell:
    """Print how many must answer; where no number is enough, why."""
    cell = printed.number(row, "estimate", whole)
    if row is None or not is_missing(row.estimate):
        return cell
    # The power that everybody would give differs from row to row: it is in the data.
    return cell.noted(printed.sentence(labels.readable(row.note).partition(": with all")[0]))
