"""Panels over time: estimates where time puts them, waves without a date at the left, events between."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from surveywaves.figures.layout import SMALL, TINY, Page
from surveywaves.figures.means import Mean, titles
from surveywaves.figures.style import GREY, REFERENCE, RULE, look_of
from surveywaves.figures.words import number
from surveywaves.study.models import Event
from surveywaves.study.parts import Presentation

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
        return f"{value:.0f}{self.unit}" if self.unit else number(value)


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
