"""Estimates over time, a panel for each scale, with the events that may have mattered.

Panels over time: estimates where time puts them, waves without a date at the left, events between.

Estimates over time, a panel a scale, with the events that may have mattered.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import pandas as pd

from surveywaves.catalogue import surveyed_throughout
from surveywaves.figures.drawing import Drawing
from surveywaves.figures.layout import GREY, REFERENCE, RULE, SMALL, TINY, Page, look_of, round_ends
from surveywaves.figures.means import (
    EXPLAINED,
    Mean,
    cells,
    counted,
    level,
    method,
    missing_note,
    organisation_keys,
    points_of,
    primary,
    respondents_of,
    shares_of,
    titles,
)
from surveywaves.study.models import Event
from surveywaves.study.parts import Presentation
from surveywaves.terms import ALL, EMMEAN, ORGANISATION
from surveywaves.text import listed
from surveywaves.words import evidence_of, number, organisation_label, wave_title

PLOT_HEIGHT: Final = 12.0
"""Of a panel, in base font sizes."""
PADDING: Final = dt.timedelta(days=183)
"""Events are marked from this long before the first dated wave to this long after the last."""
DODGE: Final = 0.45
"""Between marks of one wave, in base font sizes."""


class Vertical(NamedTuple):
    """A vertical axis: its ends, and the distance and unit of the numbers at it."""

    low: float
    high: float
    step: float
    unit: str = ""

    def write(self, value: float) -> str:
        """Write a number at it."""
        return f"{value:.0f}{self.unit}" if self.unit else number(value, 1)


class Label(NamedTuple):
    """Lines centred on a place, `level` lines of labels away from the axis."""

    x: float
    lines: list[str]
    level: int


class Times:
    """When the waves were, and which events fall between."""

    def __init__(self, presentation: Presentation, waves: Sequence[str]) -> None:
        dates = {
            wave: _middle(presentation.waves[wave].start, presentation.waves[wave].end) for wave in waves
        }
        self.dated = {wave: date for wave, date in dates.items() if date is not None}
        self.undated = [wave for wave, date in dates.items() if date is None]
        self.events: list[Event] = []
        if self.dated:
            first, last = min(self.dated.values()) - PADDING, max(self.dated.values()) + PADDING
            self.events = sorted(
                (e for e in presentation.events if first <= e.date <= last), key=lambda e: e.date
            )
        self.left_out = len(presentation.events) - len(self.events)
        known = [*self.dated.values(), *(event.date for event in self.events)]
        self.first, self.last = (min(known), max(known)) if known else (dt.date.min, dt.date.min)

    def place(self, date: dt.date) -> float:
        """Give a date's place between the first (0) and the last (1)."""
        span = (self.last - self.first).days
        return (date - self.first).days / span if span else 0.5


class Line:
    """Panels side by side."""

    def __init__(
        self,
        page: Page,
        presentation: Presentation,
        found: dict[tuple[str, str, str], Mean],
        times: Times,
        *,
        scales: Sequence[str],
        organisations: Sequence[str],
        verticals: dict[str, Vertical],
        abreast: int,
    ) -> None:
        self.page, self.presentation, self.found, self.times = page, presentation, found, times
        self.scales, self.organisations, self.verticals = scales, organisations, verticals
        self.axis_room = 2.2 * page.em
        self.gap = 1.6 * page.em
        self.pitch = (page.right - page.left + self.gap) / abreast
        self.width = self.pitch - self.gap - self.axis_room
        self.top = self.bottom = 0.0

    def draw(self) -> None:
        """Draw them at the page's current end."""
        page = self.page
        page.y += 0.6 * page.em
        named = titles(self.presentation)
        heads = [
            page.wrap(named[scale], self.pitch - self.gap, SMALL, bold=True, max_lines=3)
            for scale in self.scales
        ]
        height = page.height_of(max(len(head) for head in heads), SMALL)
        for panel, head in enumerate(heads):
            top = page.y + height - page.height_of(len(head), SMALL)
            page.block(page.left + panel * self.pitch, top, head, SMALL, bold=True)
        marked = self._stagger(
            [(self._x_of(event.date), [str(n)]) for n, event in enumerate(self.times.events, 1)]
        )
        strip = page.height_of(1 + max((label.level for label in marked), default=-1), TINY)
        self.top = page.y + height + 0.3 * page.em
        self.bottom = self.top + strip + PLOT_HEIGHT * page.em
        labels = self._stagger(
            [(self._x(wave), self._wave_lines(wave)) for wave in self.presentation.waves if self._has(wave)]
        )
        depths = [0.0]
        for step in range(1 + max((label.level for label in labels), default=-1)):
            deepest = max(len(label.lines) for label in labels if label.level == step)
            depths.append(depths[-1] + page.height_of(deepest, TINY) + 0.2 * page.em)
        for panel, scale in enumerate(self.scales):
            start = page.left + panel * self.pitch + self.axis_room
            self._frame(start, scale, strip)
            for label in marked:
                x = start + label.x
                page.rule(
                    (x, self.top + page.height_of(label.level + 1, TINY)),
                    (x, self.bottom),
                    colour=REFERENCE,
                    weight=0.6,
                    dotted=True,
                )
                page.text(
                    x,
                    self.top + page.height_of(label.level + 0.5, TINY),
                    label.lines[0],
                    TINY,
                    colour=GREY,
                    align="center",
                )
            for label in labels:
                y = self.bottom + 0.3 * page.em + depths[label.level]
                page.block(start + self._inside(label), y, label.lines, TINY, colour=GREY, align="center")
            self._marks(start, scale, strip)
        page.y = self.bottom + 0.3 * page.em + depths[-1]

    def _has(self, wave: str) -> bool:
        return wave in self.times.dated or wave in self.times.undated

    # --- across -----------------------------------------------------------------------------------------------

    @property
    def _slot(self) -> float:
        """Width that a wave without a date takes."""
        waves = len(self.times.undated) + len(self.times.dated)
        return (
            self.width / max(waves, 1)
            if not self.times.dated
            else min(self.width / (waves + 0.5), 0.3 * self.width)
        )

    def _x(self, wave: str) -> float:
        if wave in self.times.dated:
            return self._x_of(self.times.dated[wave])
        return self._slot * (self.times.undated.index(wave) + 0.5)

    def _x_of(self, date: dt.date) -> float:
        left = self._slot * len(self.times.undated)
        padding = 0.09 * (self.width - left) + 0.6 * self.page.em
        return left + padding + (self.width - left - 2 * padding) * self.times.place(date)

    def _wave_lines(self, wave: str) -> list[str]:
        words = self.presentation.waves[wave]
        room = max(self.width * 0.33, 6 * self.page.em)
        when = "date unknown" if wave in self.times.undated else words.period
        return [
            *self.page.wrap(words.title, room, TINY, max_lines=2),
            *self.page.wrap(when, room, TINY, max_lines=2),
        ]

    def _stagger(self, wanted: list[tuple[float, list[str]]]) -> list[Label]:
        """Put labels as near to the axis as they can be without touching."""
        ends: list[float] = []
        placed = []
        for x, lines in sorted(wanted, key=lambda pair: pair[0]):
            inside = self._inside(Label(x, lines, 0))
            half = self._half(lines)
            step = next((n for n, end in enumerate(ends) if end <= inside - half), len(ends))
            ends[step : step + 1] = [inside + half + 0.5 * self.page.em]
            placed.append(Label(x, lines, step))
        return placed

    def _half(self, lines: list[str]) -> float:
        return max(self.page.width_of(line, TINY) for line in lines) / 2

    def _inside(self, label: Label) -> float:
        """Move a label's centre so far that it stays under its panel."""
        half = self._half(label.lines)
        return min(max(label.x, half - self.axis_room), self.width + self.gap / 3 - half)

    # --- up and down ------------------------------------------------------------------------------------------

    def _y(self, scale: str, value: float, strip: float) -> float:
        low, high, *_ = self.verticals[scale]
        floor, ceiling = self.bottom - 0.3 * self.page.em, self.top + strip + 0.3 * self.page.em
        return floor - (floor - ceiling) * (value - low) / (high - low)

    def _frame(self, start: float, scale: str, strip: float) -> None:
        page = self.page
        vertical = self.verticals[scale]
        low, high, step, _ = vertical
        for place in range(math.ceil(low / step), math.floor(high / step) + 1):
            y = self._y(scale, place * step, strip)
            page.rule((start, y), (start + self.width, y), weight=0.4)
            page.text(
                start - 0.4 * page.em, y, vertical.write(place * step), TINY, colour=GREY, align="right"
            )
        page.rule((start, self.bottom), (start + self.width, self.bottom), colour=REFERENCE, weight=0.6)
        for wave in (*self.times.undated, *self.times.dated):
            x = start + self._x(wave)
            page.rule((x, self.bottom), (x, self.bottom + 0.25 * page.em), colour=REFERENCE, weight=0.6)
        if self.times.undated and self.times.dated:
            x = start + self._slot * len(self.times.undated)
            page.rule((x, self.top + strip), (x, self.bottom), colour=RULE, weight=1.2)

    def _marks(self, start: float, scale: str, strip: float) -> None:
        page = self.page
        middle = (len(self.organisations) - 1) / 2
        for place, organisation in enumerate(self.organisations):
            look = look_of(organisation, list(self.presentation.organisations), self.presentation.style)
            before: tuple[float, float] | None = None
            for wave in (*self.times.undated, *sorted(self.times.dated, key=self.times.dated.__getitem__)):
                mean = self.found.get((scale, wave, organisation))
                if mean is None or mean.reason:
                    continue
                at = (
                    start + self._x(wave) + (place - middle) * DODGE * page.em,
                    self._y(scale, mean.value, strip),
                )
                if before and wave in self.times.dated:
                    page.rule(before, at, colour=look.colour, weight=0.7)
                before = at if wave in self.times.dated else None
                if math.isfinite(mean.low) and math.isfinite(mean.high):
                    ends = (self._y(scale, mean.low, strip), self._y(scale, mean.high, strip))
                    page.rule((at[0], ends[0]), (at[0], ends[1]), colour=look.colour, weight=1.0, above=True)
                page.mark(*at, look)


def _middle(start: dt.date | None, end: dt.date | None) -> dt.date | None:
    if start and end:
        return start + (end - start) / 2
    return start or end


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
    table = primary(means[(means["term"] == EMMEAN) & (means["organisation"] != ALL)])
    found = cells(table)
    limits = _limits(presentation, found)
    return _over_time(
        found,
        presentation,
        table,
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

    Shown are the percentages of favourable answers to the scales that have one in every wave.

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
        table,
        title=f"{named}: over all waves",
        verticals=dict.fromkeys((scale for scale, _, _ in found), vertical),
        notes=notes,
        explained=(
            f"Only {named} took part in every wave. Percentages of favourable answers with "
            f"{level(presentation)} intervals. {EXPLAINED} {counted(presentation)} {respondents_of(table)}"
        ),
    )


def _points(low: float, high: float) -> Vertical:
    return Vertical(low, high, 0.5 if high - low <= 2.5 else 1.0 if high - low <= 5 else 2.0)


def _over_time(
    found: dict[tuple[str, str, str], Mean],
    presentation: Presentation,
    table: pd.DataFrame,
    *,
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
        figure=page.finish(),
        rows=table,
        title=title,
        caption=" ".join([f"{title}.", explained, *notes, evidence]),
        alt=f"Small multiples, a panel a scale. {_first_to_last(presentation, found, scales, verticals)} {evidence}",
        evidence=evidence,
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
        f"{number(low, 1)} to {number(high, 1)} of 1 to {points}"
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
