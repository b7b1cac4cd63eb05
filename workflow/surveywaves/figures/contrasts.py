"""Contrasts as forests: changes, gaps, and differences in change of every scale, with what they come to."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import pandas as pd

from surveywaves.figures.drawing import Drawing
from surveywaves.figures.facets import (
    ADJUSTED,
    Estimate,
    Facet,
    Gap,
    Scale,
    decision_keys,
    decision_look,
    draw_facets,
    spanning,
)
from surveywaves.figures.layout import Page
from surveywaves.figures.means import Mean, cells, level, method, primary, respondents_of, titles
from surveywaves.study.parts import Presentation
from surveywaves.terms import ALL, LOW_RELIABILITY_MARK, ORGANISATION
from surveywaves.text import listed
from surveywaves.words import MINUS, evidence_of, organisation_label, pair, wave_title, without
from surveywaves.words import number as plain_number

ABREAST: Final = 4
LEAST: Final = 13.0
"""Width that a panel takes at least, in base font sizes."""
WAVES_IN_PAIRS: Final = 4
"""With more waves than this, not every pair of them has a panel."""

MARKED: Final = "‡ Low reliability: read it together with its single statements."


class Contrast(NamedTuple):
    """A contrast and what it comes to."""

    mean: Mean
    decision: str
    smallest: float


Cells = dict[str, Contrast]
"""Scale -> one contrast of it."""


def contrasts(table: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw changes and gaps.

    Parameters
    ----------
    table
        `released/contrasts`.
    presentation
        The study in words.
    """
    return _forest(
        table,
        presentation,
        title="Changes and gaps",
        terms=("change", "gap"),
        right="the later wave, or the organisation named first, is higher",
    )


def differences_in_change(table: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw differences in differences; see `contrasts`."""
    return _forest(
        table,
        presentation,
        title="Differences in change between organisations",
        terms=("difference_in_differences",),
        right="the organisation named first moved more upwards, or less downwards",
    )


def _forest(
    table: pd.DataFrame, presentation: Presentation, *, title: str, terms: tuple[str, ...], right: str
) -> Drawing:
    """Draw contrasts with intervals and decisions, a panel each; what cannot be estimated is named, never drawn."""
    every = primary(table)
    every = every[every["term"].isin(terms) & (every["organisation"] != ALL)]
    table = shown_contrasts(every, presentation)
    panels = _panels(table, presentation, terms)
    drawn = {
        heading: part for heading, part in panels.items() if any(not c.mean.reason for c in part.values())
    }
    facets = [_facet(heading, part, presentation) for heading, part in drawn.items()]
    waves = waves_of(table, presentation)
    evidence = evidence_of(presentation, waves, "joint", ["items", ORGANISATION])
    bands = [end for facet in facets for band in facet.bands.values() for end in band]
    low, high = spanning(facets, include=[0.0, *bands])
    axis = f"Difference in points of the response scale, with {level(presentation)} interval"

    page = Page(presentation.style)
    page.title(title)
    decided = {c.decision for part in drawn.values() for c in part.values() if not c.mean.reason}
    shown = {term for term in terms if (table.loc[table["term"] == term, "estimate"].notna()).any()}
    page.legend(
        decision_keys(decided, shown, band="Smaller than the smallest effect of interest" if bands else "")
    )
    draw_facets(
        page,
        facets,
        _row_titles(table, presentation),
        Scale(low, high, axis, reference=(0.0,)),
        side_by_side=page.abreast(len(facets), ABREAST, least=LEAST),
    )
    if not facets:
        page.paragraph("No contrast could be estimated.")
    said = (
        left_out(len(every) - len(table)),
        MARKED if _low_reliability(table) else "",
        without(_missing(panels), presentation),
    )
    notes = [note for note in said if note]
    page.foot(notes, evidence)
    caption = [
        f"{title}: contrasts of estimated marginal means with {level(presentation)} intervals (not adjusted for their "
        f"number); colour and shape are the decision. {respondents_of(table)} Right of the line: {right}. "
        "Shaded: differences smaller than the smallest effect of interest, in points of each scale.",
        ADJUSTED if table["p_adjusted"].notna().any() else "",
        method(presentation),
        *notes,
        evidence,
    ]
    return Drawing(
        figure=page.finish(),
        rows=table,
        title=title,
        caption=" ".join(filter(None, caption)),
        alt=f"Forest plot, a row a scale and a panel a contrast. {_alt(drawn, presentation)} "
        f"{' '.join([*notes, evidence])}",
        evidence=evidence,
        dpi=presentation.style.dpi,
    )


def heading_of(term: str, wave: str, organisation: str, presentation: Presentation) -> str:
    """Put a contrast into words."""
    what = {"change": "Change", "gap": "Gap", "difference_in_differences": "Difference in change"}[term]
    return f"{what}, {change_in_words(wave, presentation)}: {gap_in_words(organisation, presentation)}"


def _low_reliability(table: pd.DataFrame) -> set[str]:
    """Name the scales of low reliability."""
    return set(table.loc[table["note"].str.contains(LOW_RELIABILITY_MARK, regex=False), "scale"])


def _row_titles(table: pd.DataFrame, presentation: Presentation) -> dict[str, str]:
    """Titles of the scales, marked where their reliability is low."""
    marked = _low_reliability(table)
    return {name: f"{title} ‡" if name in marked else title for name, title in titles(presentation).items()}


def _panels(table: pd.DataFrame, presentation: Presentation, terms: Sequence[str]) -> dict[str, Cells]:
    """Give each contrast's heading and scales, kind by kind."""
    panels: dict[str, Cells] = {}
    for term in terms:
        rows = table[table["term"] == term]
        beside = zip(cells(rows).items(), rows["decision"], rows["smallest"], strict=True)
        for ((scale, wave, organisation), mean), decision, smallest in beside:
            heading = heading_of(term, wave, organisation, presentation)
            panels.setdefault(heading, {})[scale] = Contrast(mean, decision, smallest)
    return panels


def shown_contrasts(table: pd.DataFrame, presentation: Presentation) -> pd.DataFrame:
    """Leave out changes between waves that do not follow each other, where there are too many to be read.

    The change from the first to the last wave stays.
    """
    order = list(presentation.waves)
    if len(order) <= WAVES_IN_PAIRS:
        return table
    follow = {f"{later} - {earlier}" for earlier, later in (*pairwise(order), (order[0], order[-1]))}
    return table[[pair(wave) is None or wave in follow for wave in table["wave"]]]


def change_in_words(wave: str, presentation: Presentation) -> str:
    """Name the waves of a change, earlier first; of a gap, its wave."""
    sides = pair(wave)
    if sides is None:
        return wave_title(presentation, wave)
    return f"{wave_title(presentation, sides[1])} to {wave_title(presentation, sides[0])}"


def gap_in_words(organisation: str, presentation: Presentation) -> str:
    """Name the organisations of a gap, first less second; of a change, its organisation."""
    sides = pair(organisation)
    if sides is None:
        return organisation_label(presentation, organisation) if organisation else ""
    return f" {MINUS} ".join(organisation_label(presentation, side) for side in sides)


def _facet(heading: str, part: Cells, presentation: Presentation) -> Facet:
    facet = Facet(heading)
    for scale in presentation.scales:
        if (found := part.get(scale)) is None:
            continue
        mean = found.mean
        if mean.reason:
            facet.lanes[scale] = [Gap(mean.reason)]
            continue
        facet.lanes[scale] = [Estimate(decision_look(found.decision), mean.value, mean.low, mean.high)]
        if math.isfinite(found.smallest):
            facet.bands[scale] = (-found.smallest, found.smallest)
    return facet


def _missing(panels: dict[str, Cells]) -> Iterator[tuple[str, str, str]]:
    """List what there is no estimate of."""
    for heading, part in panels.items():
        grouped: dict[tuple[str, str], int] = {}
        for found in part.values():
            if found.mean.reason:
                why = found.mean.reason, found.mean.note
                grouped[why] = grouped.get(why, 0) + 1
        for (reason, note), lacking in grouped.items():
            some = "" if lacking == len(part) else f" ({lacking} of {len(part)} scales)"
            yield heading + some, reason, note


def left_out(contrasts_left_out: int) -> str:
    """Say how many contrasts are not drawn; empty if none."""
    if not contrasts_left_out:
        return ""
    return f"Contrasts of waves that do not follow each other stand in the table: {contrasts_left_out} are not drawn."


def waves_of(table: pd.DataFrame, presentation: Presentation) -> list[str]:
    """List the waves that contrasts are about, in order."""
    named = {side for wave in dict.fromkeys(table["wave"]) for side in (pair(wave) or (wave,))}
    return [wave for wave in presentation.waves if wave in named]


def _alt(panels: dict[str, Cells], presentation: Presentation) -> str:
    """Say, panel by panel, how often each decision was made, and the largest difference."""
    said = []
    for heading, part in panels.items():
        there = {scale: found for scale, found in part.items() if not found.mean.reason}
        made = Counter(found.decision.replace("_", " ") or "no decision" for found in there.values())
        counted = listed([f"{count} {decision}" for decision, count in made.most_common()])
        largest = max(there, key=lambda scale: abs(there[scale].mean.value))
        said.append(
            f"{heading}: of {len(there)} scales {counted}; the largest difference is "
            f"{plain_number(there[largest].mean.value, 2)} ({titles(presentation).get(largest, largest)})."
        )
    return " ".join(said)
