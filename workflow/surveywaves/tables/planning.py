"""What the next wave can show, by how many answer."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from surveywaves.tables.layout import Cell, Column, Table, estimate_cell, number_cell, place, sentence
from surveywaves.terms import BETWEEN, RETURNS_NEEDED
from surveywaves.words import Labels, is_missing, number, percent, records, share, whole

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
    plan = labels.presentation.planning
    powers = planning[planning["term"] == "power"]
    returns = sorted({int(n) for n in powers["n"].dropna()})
    step = max(1, len(returns) // SHOWN)
    shown = returns[step - 1 :: step][-SHOWN:]
    found = {
        (row.term, row.scale, row.wave, row.organisation, row.n): row
        for row in records(planning[planning["term"].isin(list(ASKED)) & planning["n"].isin(shown)])
    }
    needed = {
        (row.scale, row.wave, row.organisation): row
        for row in records(planning[planning["term"] == RETURNS_NEEDED])
    }
    there = {term for term, *_ in found}
    terms = [term for term in ASKED if term in there]
    rows, sections = [], []
    contrasts = list(dict.fromkeys(zip(powers["wave"], powers["organisation"], strict=True)))
    if len(contrasts) > _CONTRASTS:
        contrasts = [one for one in contrasts if BETWEEN not in one[1]]
    for wave, organisation in contrasts:
        own = powers[(powers["wave"] == wave) & (powers["organisation"] == organisation)]
        for scale in labels.scales_in(own):
            cells = [
                _cell(found.get((term, scale, wave, organisation, n)), labels)
                for n in shown
                for term in terms
            ]
            rows.append(
                (Cell(labels.scale(scale)), _needed(needed.get((scale, wave, organisation)), labels), *cells)
            )
            sections.append(_contrast(wave, organisation, labels))
    nouns = labels.presentation.nouns
    return Table(
        name="planning",
        title=f"What {plan.title if plan else 'the next wave'} can show, by number of {nouns.returns[1]}",
        columns=(
            Column("Scale"),
            Column(f"{nouns.returns[1].capitalize()} needed", numeric=True),
            *(
                Column(ASKED[term], f"{whole(n)} {nouns.returns[1]}", numeric=True)
                for n in shown
                for term in terms
            ),
        ),
        rows=tuple(rows),
        data=labels.with_evidence(planning),
        notes=(
            f"Power: chance to find the smallest effect of interest (±{number(plan.smallest)} SD of one answer); after "
            f"adjustment for all scales, where no other shows anything. {nouns.returns[1].capitalize()} needed: for a "
            f"power of {share(plan.power, decimals=0)} before adjustment. Detectable: difference found with that power."
            if plan
            else "",
            f"Every contrast and number of {nouns.returns[1]}, and equivalence tests, are in the CSV.",
        ),
        sections=tuple(sections),
    )


_CONTRASTS: Final = 8
"""Contrasts that are all shown; of more, those within an organisation are."""


def _contrast(wave: str, organisation: str, labels: Labels) -> str:
    change, gap = BETWEEN in wave, BETWEEN in organisation
    kind = "Difference in change" if change and gap else "Change" if change else "Gap"
    return f"{kind}: {place(organisation, labels)}"


def _cell(row: Any, labels: Labels) -> Cell:
    if row is None or is_missing(row.estimate) or not row.term.startswith("power"):
        return estimate_cell(row, labels)
    return Cell(percent(100 * row.estimate).removesuffix("%"), 100 * float(row.estimate))


def _needed(row: Any, labels: Labels) -> Cell:
    """Print how many must answer; where no number is enough, why."""
    cell = number_cell(row, "estimate", whole)
    enough = row is None or not is_missing(row.estimate)
    # The power that everybody would give differs from row to row: it is in the data.
    return cell if enough else cell.noted(sentence(labels.readable(row.note).partition(": with all")[0]))
