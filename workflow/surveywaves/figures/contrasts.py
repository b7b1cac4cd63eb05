"""Contrasts as a forest: changes, gaps and differences in differences of every scale."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations, pairwise
from typing import Final

import pandas as pd

from surveywaves.figures.drawing import Drawing
from surveywaves.figures.facets import Estimate, Facet, Gap, Scale, draw_facets, spanning
from surveywaves.figures.layout import Key, Page, abreast
from surveywaves.figures.means import Mean, cells, level, method, organisation_keys, primary, titles
from surveywaves.figures.style import TWO_COLUMNS, Look, look_of
from surveywaves.figures.words import (
    MINUS,
    ORGANISATION,
    evidence_of,
    organisation_label,
    pair,
    wave_title,
    without,
)
from surveywaves.figures.words import number as plain_number
from surveywaves.study.parts import Presentation

GROUP: Final = "Comparisons"
ABREAST: Final = 3
WAVES_IN_PAIRS: Final = 4
"""With more waves than this, not every pair of them has a panel."""
PAIR_MARKERS: Final = ("D", "P", "X", "*", "p", "h", "d", "8")
TERMS: Final = ("change", "gap", "difference_in_differences")

Cells = dict[tuple[str, str, str], Mean]


def contrasts(table: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw every contrast with its interval; those that cannot be estimated are named, never drawn.

    Parameters
    ----------
    table
        `statistics/contrasts`.
    presentation
        The study in words.
    """
    every = primary(table)
    table = _shown(every, presentation)
    title = "Changes, gaps, and differences in change"
    facets: list[Facet] = []
    unable: list[tuple[str, str, str]] = []
    for term in TERMS:
        found = cells(table[table["term"] == term])
        for heading, part in _panels(found, term, presentation):
            facet = _facet(heading, part, presentation)
            if facet.estimates:
                facets.append(facet)
            unable += _missing(heading, part, presentation, whole=not facet.estimates)
    waves = _waves(table, presentation)
    evidence = evidence_of(presentation, waves, "joint", ["items", ORGANISATION])
    low, high = spanning(facets, include=[0.0])
    axis = f"Difference in points of the response scale, with {level(presentation)} interval"

    page = Page(TWO_COLUMNS, presentation.style)
    page.title(title)
    page.legend(organisation_keys(presentation, presentation.organisations))
    pairs = _pairs(presentation)
    if len(pairs) > 1:
        looks = [_look(both, presentation) for both in pairs]
        page.legend(
            Key(_gap_in_words(both, presentation), look.colour, look.marker)
            for both, look in zip(pairs, looks, strict=True)
        )
    draw_facets(
        page,
        facets,
        titles(presentation),
        Scale(low, high, axis, reference=(0.0,)),
        side_by_side=abreast(len(facets), ABREAST),
    )
    if not facets:
        page.paragraph("No contrast could be estimated.")
    notes = [note for note in (_left_out(len(every) - len(table)), without(unable, presentation)) if note]
    page.foot(notes, evidence)
    caption = [
        f"{title}: contrasts of estimated marginal means with {level(presentation)} intervals (not adjusted for their "
        "number). Right of the line: the later wave, or the organisation named first, is higher.",
        method(presentation),
        *notes,
        evidence,
    ]
    return Drawing(
        name="contrasts",
        figure=page.finish(),
        title=title,
        caption=" ".join(caption),
        alt=f"Forest plot, a row a scale. {_alt(facets, presentation)} {' '.join([*notes, evidence])}",
        evidence=evidence,
        group=GROUP,
        dpi=presentation.style.dpi,
    )


def _panels(found: Cells, term: str, presentation: Presentation) -> Iterable[tuple[str, Cells]]:
    """Divide a term's contrasts into panels, one a wave or pair of waves."""
    parts: dict[str, Cells] = {}
    for cell, mean in found.items():
        parts.setdefault(cell[1], {})[cell] = mean
    gaps = {organisation for _, _, organisation in found}
    for wave, part in parts.items():
        when = _change_in_words(wave, presentation)
        only = f": {_gap_in_words(next(iter(gaps)), presentation)}" if len(gaps) == 1 else ""
        yield (
            {
                "change": f"Change, {when}",
                "gap": f"Gap in {when}{only}",
                "difference_in_differences": f"Difference in change, {when}{only}",
            }[term],
            part,
        )


def _shown(table: pd.DataFrame, presentation: Presentation) -> pd.DataFrame:
    """Leave out changes between waves that do not follow each other, where there are too many to be read.

    The change from the first to the last wave stays.
    """
    order = list(presentation.waves)
    if len(order) <= WAVES_IN_PAIRS:
        return table
    follow = {f"{later} - {earlier}" for earlier, later in (*pairwise(order), (order[0], order[-1]))}
    return table[[pair(wave) is None or wave in follow for wave in table["wave"]]]


def _pairs(presentation: Presentation) -> list[str]:
    return [f"{first} - {second}" for first, second in combinations(presentation.organisations, 2)]


def _look(organisation: str, presentation: Presentation) -> Look:
    """Give the look of an organisation, or of a pair of them: dark, with a shape of its own."""
    pairs = _pairs(presentation)
    if organisation in pairs:
        return Look("#333333", PAIR_MARKERS[pairs.index(organisation) % len(PAIR_MARKERS)])
    return look_of(organisation, list(presentation.organisations), presentation.style)


def _change_in_words(wave: str, presentation: Presentation) -> str:
    sides = pair(wave)
    if sides is None:
        return wave_title(presentation, wave)
    return f"{wave_title(presentation, sides[1])} to {wave_title(presentation, sides[0])}"


def _gap_in_words(organisation: str, presentation: Presentation) -> str:
    sides = pair(organisation)
    if sides is None:
        return organisation_label(presentation, organisation) if organisation else ""
    return f" {MINUS} ".join(organisation_label(presentation, side) for side in sides)


def _facet(heading: str, part: Cells, presentation: Presentation) -> Facet:
    """Make a panel. What is missing in every row is said under its heading; what is missing in some, in its row."""
    facet = Facet(heading)
    shown = []
    for organisation in dict.fromkeys(organisation for _, _, organisation in part):
        mine = [mean for cell, mean in part.items() if cell[2] == organisation]
        if any(not mean.reason for mean in mine):
            shown.append(organisation)
        else:
            facet.notes.append(f"{_gap_in_words(organisation, presentation)}: {mine[0].reason}")
    for scale in presentation.scales:
        lanes: list[Estimate | Gap] = []
        for (row, _, organisation), mean in part.items():
            if row == scale and organisation in shown:
                look = _look(organisation, presentation)
                lanes.append(
                    Gap(mean.reason) if mean.reason else Estimate(look, mean.value, mean.low, mean.high)
                )
        if lanes:
            facet.lanes[scale] = lanes
    return facet


def _missing(
    heading: str, part: Cells, presentation: Presentation, *, whole: bool
) -> list[tuple[str, str, str]]:
    """List what a panel has no estimate of; `whole`: nothing of it is drawn, so its heading says it all."""
    grouped: dict[tuple[str, str, str], int] = {}
    for (_, _, organisation), mean in part.items():
        if mean.reason:
            why = (organisation, mean.reason, mean.note)
            grouped[why] = grouped.get(why, 0) + 1
    if whole:  # its commonest reason
        _, reason, note = max(grouped, key=grouped.__getitem__)
        return [(heading, reason, note)]
    count = len({scale for scale, _, _ in part})
    found = []
    for (organisation, reason, note), lacking in grouped.items():
        who = "" if pair(organisation) else f", {organisation_label(presentation, organisation)}"
        some = "" if lacking == count else f" ({lacking} of {count} scales)"
        found.append((heading + who + some, reason, note))
    return found


def _left_out(contrasts_left_out: int) -> str:
    if not contrasts_left_out:
        return ""
    return f"Contrasts of waves that do not follow each other stand in the table: {contrasts_left_out} are not drawn."


def _waves(table: pd.DataFrame, presentation: Presentation) -> list[str]:
    named = {side for wave in dict.fromkeys(table["wave"]) for side in (pair(wave) or (wave,))}
    return [wave for wave in presentation.waves if wave in named]


def _alt(facets: list[Facet], presentation: Presentation) -> str:
    """Say, panel by panel, how many intervals lie on either side of zero, and the largest difference."""
    said = []
    for facet in facets:
        above = sum(mark.low > 0 for mark in facet.estimates)
        below = sum(mark.high < 0 for mark in facet.estimates)
        largest = max(facet.estimates, key=lambda mark: abs(mark.value))
        row = next(row for row, lanes in facet.lanes.items() if largest in lanes)
        said.append(
            f"{facet.heading}: {above} of {len(facet.estimates)} intervals lie above zero, {below} below; the largest "
            f"difference is {plain_number(largest.value, 2)} ({titles(presentation).get(row, row)})."
        )
    return " ".join(said)
