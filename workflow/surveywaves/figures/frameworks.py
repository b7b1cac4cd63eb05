"""Scales under what each speaks to in a framework: percentages of favourable answers, wave by wave."""

from __future__ import annotations

import pandas as pd

from surveywaves.figures.drawing import Drawing
from surveywaves.figures.facets import Facet
from surveywaves.figures.layout import Key, Page
from surveywaves.figures.means import cells, level, missing_note, respondents_of, titles
from surveywaves.figures.shares import EXPLAINED, MODELLED, draw_shares, in_numbers, lane_of, shares_of
from surveywaves.figures.style import MARKERS, Look, wave_colours
from surveywaves.figures.words import ORGANISATION, evidence_of, listed, organisation_label, wave_title
from surveywaves.study.parts import Presentation


def framework(means: pd.DataFrame, presentation: Presentation, name: str) -> Drawing:
    """Draw the scales under what each speaks to in a framework, a panel an organisation, wave under wave.

    Parameters
    ----------
    means
        `released/means`.
    presentation
        The study in words.
    name
        The framework.
    """
    table = shares_of(means)
    found = cells(table)
    title = presentation.frameworks[name]
    waves = [wave for wave in presentation.waves if any(cell[1] == wave for cell in found)]
    colours = wave_colours(len(presentation.waves))
    looks = {
        wave: Look(colours[place], MARKERS[place % len(MARKERS)])
        for place, wave in enumerate(presentation.waves)
    }
    rows, groups, outside = _categories(presentation, name)
    facets = []
    for organisation in presentation.organisations:
        facet = Facet(organisation_label(presentation, organisation))
        for row, scale in rows.items():
            for wave in waves:
                cell = (scale, wave, organisation)
                if cell in found and not found[cell].reason:
                    facet.lanes.setdefault(row, []).append(lane_of(found[cell], looks[wave]))
        if facet.lanes:
            facets.append(facet)
    named = titles(presentation)
    missing = missing_note(presentation, dict(found))
    apart = f"Under none of these: {'; '.join(named[scale] for scale in outside)}." if outside else ""
    notes = [note for note in (apart, missing) if note]
    evidence = evidence_of(presentation, waves, "joint", ["items", ORGANISATION])

    page = Page(presentation.style)
    page.title(title)
    page.legend(Key(wave_title(presentation, wave), looks[wave].colour, looks[wave].marker) for wave in waves)
    draw_shares(page, facets, {row: named[scale] for row, scale in rows.items()}, presentation, groups=groups)
    page.foot(notes, evidence)
    caption = [
        f"{title}: the study's scales under what each speaks to; modelled percentages of favourable answers with "
        f"{level(presentation)} intervals, wave by wave. A scale may stand under several.",
        EXPLAINED,
        MODELLED,
        respondents_of(table),
        *notes,
        evidence,
    ]
    under = [
        f"{group}: {listed([named[rows[row]] for row in rows if groups[row] == group])}."
        for group in dict.fromkeys(groups.values())
    ]
    return Drawing(
        name=f"framework_{name}",
        figure=page.finish(),
        title=title,
        caption=" ".join(filter(None, caption)),
        alt=f"Dot plot, a row a scale and a panel an organisation. {' '.join(under)} "
        f"{in_numbers(found, presentation)} {evidence}",
        evidence=evidence,
        group="Frameworks",
        dpi=presentation.style.dpi,
    )


def _categories(
    presentation: Presentation, framework: str
) -> tuple[dict[str, str], dict[str, str], list[str]]:
    """Give rows (-> scale) and what each stands under, category by category; and the scales under none."""
    under: dict[str, list[str]] = {}
    outside = []
    for name, scale in presentation.scales.items():
        words = [part.strip() for part in scale.frameworks.get(framework, "").split(";")]
        for word in filter(None, words):
            under.setdefault(word, []).append(name)
        if not any(words):
            outside.append(name)
    rows, groups = {}, {}
    for word, scales in under.items():
        for name in scales:
            row = f"{word}; {name}"
            rows[row], groups[row] = name, word
    return rows, groups, outside
