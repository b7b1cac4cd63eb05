"""Cronbach's alpha of every scale with its interval, by wave and organisation."""

from __future__ import annotations

from typing import Final

import pandas as pd

from surveywaves.figures.drawing import Drawing
from surveywaves.figures.facets import Estimate, Facet, Gap, Scale, draw_facets, spanning
from surveywaves.figures.layout import Page, look_of
from surveywaves.figures.means import (
    Mean,
    cells,
    level,
    missing_note,
    organisation_keys,
    respondents_of,
    titles,
)
from surveywaves.study.parts import Presentation
from surveywaves.terms import ALL, ORGANISATION
from surveywaves.text import listed
from surveywaves.words import evidence_of, organisation_label, wave_title
from surveywaves.words import number as plain_number

ACCEPTABLE: Final = 0.70
"""What is usually asked of a scale that compares groups (Nunnally and Bernstein 1994)."""


def reliability(table: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw alpha, a panel a wave.

    Parameters
    ----------
    table
        `released/reliability`.
    presentation
        The study in words.
    """
    table = table[(table["term"] == "alpha") & (table["item"] == "")]
    found = cells(table)
    title = "Reliability of the scales"
    organisations = [o for o in (ALL, *presentation.organisations) if any(cell[2] == o for cell in found)]
    waves = [wave for wave in (*presentation.waves, ALL) if any(cell[1] == wave for cell in found)]
    facets = []
    for wave in waves:
        heading = "All waves together" if wave == ALL else wave_title(presentation, wave)
        facet = Facet(heading)
        for organisation in organisations:
            mine = [mean for cell, mean in found.items() if cell[1:] == (wave, organisation)]
            look = look_of(organisation, list(presentation.organisations), presentation.style)
            if mine and all(mean.reason for mean in mine):
                reason = mine[0].reason
                facet.notes.append(f"{organisation_label(presentation, organisation)}: {reason}")
                continue
            for scale in presentation.scales:
                mean = found.get((scale, wave, organisation))
                if mean is not None:
                    facet.lanes.setdefault(scale, []).append(
                        Gap(mean.reason) if mean.reason else Estimate(look, mean.value, mean.low, mean.high)
                    )
        facets.append(facet)
    low, _ = spanning(facets, include=[0.5, 1.0])
    evidence = evidence_of(presentation, [w for w in waves if w != ALL], "joint", ["items", ORGANISATION])
    notes = [note for note in (_fewer_items(presentation, found), missing_note(presentation, found)) if note]

    page = Page(presentation.style)
    page.title(title)
    page.legend(organisation_keys(presentation, organisations))
    axis = f"Cronbach's alpha with {level(presentation)} interval; the line marks {ACCEPTABLE:.2f}"
    draw_facets(
        page,
        facets,
        titles(presentation),
        Scale(max(low, -1.0), 1.0, axis, reference=(ACCEPTABLE,)),
        side_by_side=page.abreast(len(facets), 4),
    )
    if not facets:
        page.paragraph("There are no reliabilities to show.")
    page.foot(notes, evidence)
    caption = [
        f"{title}: Cronbach's alpha with {level(presentation)} interval (bootstrap-t), complete cases, by wave and "
        f"organisation. {respondents_of(table)} The line at {ACCEPTABLE:.2f} is a convention, not a threshold of this "
        "study.",
        *notes,
        evidence,
    ]
    values = {cell: mean.value for cell, mean in found.items() if not mean.reason}
    said = "No reliability could be estimated."
    if values:
        worst = min(values, key=values.__getitem__)
        below = sum(value < ACCEPTABLE for value in values.values())
        where = "all waves" if worst[1] == ALL else wave_title(presentation, worst[1])
        said = (
            f"Alpha runs from {plain_number(values[worst], 2)} ({titles(presentation).get(worst[0], worst[0])}, "
            f"{where}, {organisation_label(presentation, worst[2])}) to {plain_number(max(values.values()), 2)}; "
            f"{below} of {len(values)} are below {ACCEPTABLE:.2f}."
        )
    return Drawing(
        figure=page.finish(),
        rows=table,
        title=title,
        caption=" ".join(caption),
        alt=f"Dot plot, a row a scale and a panel a wave. {said} {evidence}",
        evidence=evidence,
        dpi=presentation.style.dpi,
    )


def _fewer_items(presentation: Presentation, found: dict[tuple[str, str, str], Mean]) -> str:
    """Say where alpha stands on fewer items than the scale has."""
    scales: dict[str, dict[str, None]] = {}
    for (scale, wave, _), mean in found.items():
        if not mean.reason and "not asked" in mean.note:
            place = "all waves together" if wave == ALL else wave_title(presentation, wave)
            scales.setdefault(place, {})[titles(presentation).get(scale, scale)] = None
    parts = [f"{place} ({listed(list(named))})" for place, named in scales.items()]
    return f"Without the items that were not asked: {'; '.join(parts)}." if parts else ""
