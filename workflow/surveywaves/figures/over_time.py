"""Estimates over time, a panel a scale, with the events that may have mattered."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import pandas as pd

from surveywaves.figures.axes import round_ends
from surveywaves.figures.drawing import Drawing
from surveywaves.figures.layout import Page
from surveywaves.figures.means import (
    GROUP,
    Mean,
    cells,
    level,
    method,
    missing_note,
    organisation_keys,
    points_of,
    primary,
    respondents_of,
    titles,
)
from surveywaves.figures.names import surveyed_throughout
from surveywaves.figures.shares import EXPLAINED, MODELLED, shares_of
from surveywaves.figures.time_panels import Line, Times, Vertical
from surveywaves.figures.words import (
    ORGANISATION,
    evidence_of,
    listed,
    number,
    organisation_label,
    wave_title,
)
from surveywaves.study.parts import Presentation
from surveywaves.tidy import ALL

ABREAST: Final = 3
LEAST: Final = 14.0
"""Width that a panel takes at least, in base font sizes."""


def means_over_waves(means: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw the means of every scale over the waves, by organisation.

    Waves whose date is known stand where time puts them; the others stand at the left, in the study's order, and
    are not joined to them.

    Parameters
    ----------
    means
        `released/means`.
    presentation
        The study in words.
    """
    table = primary(means[means["term"] == "emmean"])
    found = cells(table)
    limits = _limits(presentation, found)
    return _over_time(
        found,
        presentation,
        name="means_over_waves",
        title="Estimated means over the waves",
        verticals={scale: _points(*limits[points_of(presentation, scale)]) for scale, _, _ in found},
        notes=_axis_notes(limits),
        explained=(
            f"By organisation, with {level(presentation)} intervals. Marks of one wave stand beside each other only "
            f"to be told apart. {respondents_of(table)} {method(presentation)}"
        ),
    )


def comparator(means: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw the organisations that every wave surveyed: what can be followed over all waves.

    Shown are the modelled percentages of favourable answers to the scales that have one in every wave.

    Parameters
    ----------
    means
        `released/means`.
    presentation
        The study in words.
    """
    who = surveyed_throughout(presentation)
    table = shares_of(means)
    table = table[table["organisation"].isin(who)]
    every = cells(table)
    there = {
        (scale, organisation)
        for scale in presentation.scales
        for organisation in who
        if all(
            (mean := every.get((scale, wave, organisation))) is not None and not mean.reason
            for wave in presentation.waves
        )
    }
    found = {cell: mean for cell, mean in every.items() if (cell[0], cell[2]) in there}
    ends = [end for mean in found.values() for end in (mean.value, mean.low, mean.high)]
    low, high = round_ends(ends, parts=4)
    low, high = max(low, 0.0), min(high, 100.0) if found else 100.0
    vertical = Vertical(low, high, 20.0 if high - low > 50 else 10.0, "%")
    named = listed([organisation_label(presentation, name) for name in who])
    absent = [title for scale, title in titles(presentation).items() if all(scale != one for one, _ in there)]
    notes = [f"Not in every wave: {'; '.join(absent)}."] if absent and there else []
    return _over_time(
        found,
        presentation,
        name="comparator",
        title=f"{named}: over all waves",
        verticals=dict.fromkeys((scale for scale, _, _ in found), vertical),
        notes=notes,
        explained=(
            f"Only {named} took part in every wave. Modelled percentages of favourable answers with "
            f"{level(presentation)} intervals. {EXPLAINED} {MODELLED} {respondents_of(table)}"
        ),
    )


def _points(low: float, high: float) -> Vertical:
    return Vertical(low, high, 0.5 if high - low <= 2.5 else 1.0 if high - low <= 5 else 2.0)


def _over_time(
    found: dict[tuple[str, str, str], Mean],
    presentation: Presentation,
    *,
    name: str,
    title: str,
    verticals: dict[str, Vertical],
    notes: list[str],
    explained: str,
) -> Drawing:
    organisations = [o for o in (*presentation.organisations, ALL) if any(cell[2] == o for cell in found)]
    waves = [wave for wave in presentation.waves if any(cell[1] == wave for cell in found)]
    scales = [scale for scale in presentation.scales if any(cell[0] == scale for cell in found)]
    times = Times(presentation, waves)
    evidence = evidence_of(presentation, waves, "joint", ["items", ORGANISATION])

    page = Page(presentation.style)
    page.title(title)
    page.legend(organisation_keys(presentation, organisations))
    if not scales:
        page.paragraph("There are no estimates to show.")
    abreast = page.abreast(len(scales), ABREAST, least=LEAST)
    for start in range(0, len(scales), abreast):
        Line(
            page,
            presentation,
            found,
            times,
            scales=scales[start : start + abreast],
            organisations=organisations,
            verticals=verticals,
            abreast=abreast,
        ).draw()
    missing = missing_note(presentation, found, name_scales=True)
    notes = [note for note in (*notes, *_event_notes(times), missing) if note]
    page.foot(notes, evidence)
    return Drawing(
        name=name,
        figure=page.finish(),
        title=title,
        caption=" ".join([f"{title}.", explained, *notes, evidence]),
        alt=f"Small multiples, a panel a scale. {_first_to_last(presentation, found, scales, verticals)} {evidence}",
        evidence=evidence,
        group=GROUP,
        dpi=presentation.style.dpi,
    )


def _limits(
    presentation: Presentation, found: dict[tuple[str, str, str], Mean]
) -> dict[int, tuple[float, float]]:
    """Give the vertical range that panels with the same response options share: every interval, in half points."""
    ends: dict[int, list[float]] = {}
    for (scale, _, _), mean in found.items():
        inside = ends.setdefault(points_of(presentation, scale), [])
        if not mean.reason:
            inside += [end for end in (mean.value, mean.low, mean.high) if math.isfinite(end)]
    limits = {}
    for points, values in ends.items():
        low = max(math.floor(2 * min(values, default=1)) / 2, 1.0)
        high = min(math.ceil(2 * max(values, default=points)) / 2, float(points))
        # An interval may reach beyond the response range; the mean cannot.
        low, high = min([low, *values]), max([high, *values])
        limits[points] = (low, high if high - low >= 0.5 else low + 0.5)
    return limits


def _axis_notes(limits: dict[int, tuple[float, float]]) -> list[str]:
    parts = [
        f"{number(low)} to {number(high)} of 1 to {points}"
        for points, (low, high) in limits.items()
        if (low, high) != (1.0, float(points))
    ]
    return [f"Vertical axes show part of the response range: {', '.join(parts)}."] if parts else []


def _event_notes(times: Times) -> list[str]:
    notes = []
    if times.events:
        notes.append(
            "Events: "
            + "; ".join(f"{n} {event.label} ({event.date:%B %Y})" for n, event in enumerate(times.events, 1))
            + "."
        )
    if times.left_out:
        notes.append(f"Events outside the time shown, not marked: {times.left_out}.")
    return notes


def _first_to_last(
    presentation: Presentation,
    found: dict[tuple[str, str, str], Mean],
    scales: Sequence[str],
    verticals: dict[str, Vertical],
) -> str:
    """Say each scale's estimates, wave by wave, by organisation."""
    said = []
    for scale in scales:
        parts = []
        for organisation in (*presentation.organisations, ALL):
            values = [
                (wave, found[scale, wave, organisation])
                for wave in presentation.waves
                if (scale, wave, organisation) in found and not found[scale, wave, organisation].reason
            ]
            if values:
                unit = verticals[scale].unit
                path = ", ".join(
                    f"{wave_title(presentation, wave)} {number(mean.value, 0 if unit else 2)}{unit}"
                    for wave, mean in values
                )
                parts.append(f"{organisation_label(presentation, organisation)} {path}")
        if parts:
            said.append(f"{titles(presentation)[scale]}: {'; '.join(parts)}.")
    return " ".join(said)
