"""How estimates are written, and how those of many organisations are ranked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
from matplotlib.axes import Axes

from surveywaves.figures.drawing import LINE, Key, Page, key, line
from surveywaves.figures.layout import MARKS, hatched, points
from surveywaves.figures.style import GREY, INK, Narrow, Sheet, look_of, width, wrap
from surveywaves.findings import LEVEL, Found
from surveywaves.study.parts import Presentation
from surveywaves.terms import ALL, BETWEEN, PERCENT_FAVOURABLE, Status
from surveywaves.words import NONE, WITHHELD, Labels, number

CLEAR: Final = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
"""Ground of a text that stands on a panel."""
TOGETHER: Final[dict[str, Any]] = {"color": INK, "linewidth": 0.8, "linestyle": (0, (4, 2))}
"""Line at what all together come to."""
ABREAST: Final = 3
"""Most organisations side by side as panels; more are ranked."""
FEWER: Final = "‡"
"""Marks a difference over fewer statements than the levels beside it."""


@dataclass(frozen=True)
class Unit:
    """How the estimates of an analysis are written, and the range that they can take."""

    name: str
    presentation: Presentation

    @property
    def percent(self) -> bool:
        """Whether it is the share of favourable answers."""
        return self.name == PERCENT_FAVOURABLE

    @property
    def words(self) -> str:
        """What is shown."""
        return "Favourable answers, %" if self.percent else "Mean answer, points of the response scale"

    @property
    def axis(self) -> tuple[float, float, dict[float, str]]:
        """Limits of a panel's axis, and its ticks: the lowest possible value, the middle and the highest."""
        most = max(scale.points for scale in self.presentation.response_scales.values())
        low, high = (0.0, 100.0) if self.percent else (1.0, float(most))
        ticks = {place: f"{place:g}" for place in (low, (low + high) / 2)}
        spare = (high - low) * 0.14
        return low - spare, high + spare, {**ticks, high: f"{high:g}{'%' if self.percent else ''}"}

    def around_zero(self, shown: Sequence[Found]) -> tuple[float, float, dict[float, str]]:
        """Give the limits and ticks of an axis of differences, with zero in its middle."""
        bounds = [abs(bound) for one in shown for bound in (one.low, one.high) if bound is not None]
        most = max(bounds, default=1.0) * 1.05
        step = 10 ** math.floor(math.log10(most))
        step = next(nice * step for nice in (5, 2, 1, 0.5) if nice * step <= most)
        return -most, most, {place: number(place, 0 if step >= 1 else 2) for place in (-step, 0.0, step)}

    def write(self, level: float | None, *, signed: bool = False) -> str:
        """Write a level or a difference."""
        return number(level, 0 if self.percent else 2, signed=signed)

    def interval(self, low: float | None, high: float | None) -> str:
        """Write an interval."""
        return NONE if low is None or high is None else f"{self.write(low)} to {self.write(high)}"

    def change(self, one: Found | None) -> str:
        """Write an estimate, or the sign that stands in its place."""
        if one is None or one.estimate is None:
            return WITHHELD if one is not None and one.status == Status.WITHHELD else NONE
        return self.write(one.estimate, signed=one.kind != LEVEL) + (FEWER if one.fewer else "")

    def bounds(self, one: Found | None) -> str:
        """Write its interval, if there is one."""
        return "" if one is None or one.estimate is None else self.interval(one.low, one.high)

    def told(self, one: Found) -> str:
        """Say what a mark shows, to whoever points at it."""
        labels, said = Labels(self.presentation), self.change(one)
        if one.kind != LEVEL:
            ends = "" if one.first is None else f"{self.write(one.first)} to {self.write(one.last)}, "
            said = f"{ends}{self.write(one.estimate, signed=True)} points"
        where = f"{labels.scale(one.scale)}, {labels.organisation(one.organisation)}"
        where += f", {labels.wave(one.wave)}" if one.kind == LEVEL else ""
        return f"{where}: {said} ({labels.confidence} CI {self.bounds(one)})"


def span(axes: Axes, y: float, one: Found, **look: Any) -> None:
    """Draw an interval, if there is one."""
    if one.low is not None and one.high is not None:
        line(axes, [one.low, one.high], [y, y], **look)


def ranked(
    unit: Unit,
    words: tuple[str, str],
    facts: Sequence[Found],
    *,
    order: Sequence[str],
    every: Mapping[str, float | None],
    axis: tuple[float, float, Mapping[float, str]],
    keys: Sequence[Key],
    notes: Sequence[str] = (),
) -> Page:
    """Make a page with a panel per scale, in which organisations are ranked from the highest; any number fits on it.

    Each has its name beside it if there is room, else the highest and the lowest do.

    Parameters
    ----------
    words
        Title and subtitle.
    order
        The scales.
    every
        What all together come to, by scale: a line stands there.
    axis
        Where x begins and ends, and its ticks.
    keys, notes
        As for `Page`.
    """
    labels, sheet = Labels(unit.presentation), Sheet.of(unit.presentation.style)
    em, (title, subtitle) = sheet.em, words
    panels = [[one for one in facts if one.scale == scale] for scale in order]
    most = max(map(len, panels), default=1)
    columns = max(
        min(1 if isinstance(unit.presentation.style, Narrow) else 4 if sheet.height else 3, len(order)), 1
    )
    count, wide = max(-(-len(order) // columns), 1), (sheet.width - em) / columns
    titles = [wrap(labels.scale(scale), wide - em, em * 1.1, bold=True) for scale in order]
    head = LINE * 1.1 * max(map(len, titles), default=0) + 0.4
    room = (sheet.most / em - 13) / count - head - 2.2
    named = 1.2 * most <= room
    body = 1.3 * most if named else min(room, max(12.0, most / 6))
    share = 0.4 if named else 0.5
    names = {one.organisation: wrap(_short(one, labels), share * wide, em, lines=1)[0] for one in facts}
    before = max((width(name, em) for name in names.values()), default=0.0) + 0.8 * em if named else 0.0
    after = (
        max((width(unit.change(one), em, bold=True) for one in facts), default=0.0) + 0.5 * em
        if named
        else 0.0
    )
    step = head + body + 2.2
    if any(level is not None for level in every.values()):
        keys = [*keys, key(labels.organisation(ALL), **TOGETHER)]
    lines = step * count - head - 2.2
    page = Page(unit.presentation, title, subtitle, keys, notes, lines=lines, heads=head)
    for place, (heading, own, scale) in enumerate(zip(titles, panels, order, strict=True)):
        top, left = place // columns * step, page.left + place % columns * wide
        right = left + wide - em
        page.title_of(left, heading, top=top)
        axes = page.panel(left + before, right - after, *axis[:2], ticks=axis[2], top=top, lines=body)
        if (level := every.get(scale)) is not None:
            axes.axvline(level, zorder=1, **TOGETHER)
        own.sort(key=lambda one: math.inf if one.estimate is None else -one.estimate)
        each = body / max(len(own), 1)
        _intervals(axes, own, each, unit, min(each, 1.3) * em)
        for n, one in enumerate(own if named else ()):
            page.write(left, top + (n + 0.5) * each, names[one.organisation])
            page.write(right, top + (n + 0.5) * each, unit.change(one), ha="right", **_look(one))
        ends = [one for one in own if one.estimate is not None and not named]
        for one, x, y, side in (
            ((ends[0], left, 0.7, "left"), (ends[-1], right, body - 0.7, "right")) if ends else ()
        ):
            said = f"{names[one.organisation]} {unit.change(one)}"
            page.write(x, top + y, said, ha=side, bbox=CLEAR, **_look(one))
    return page


def _short(one: Found, labels: Labels) -> str:
    """Name an organisation; where it is held against all together, the panel need not say so."""
    return labels.organisation(one.organisation.removesuffix(f"{BETWEEN}{ALL}"))


def _look(one: Found) -> dict[str, str]:
    """Choose how an estimate is written: a direction that is decided stands out."""
    return {"color": look_of(one.decision)[0], "weight": "bold"} if one.moved else {"color": GREY}


def _intervals(axes: Axes, facts: Sequence[Found], each: float, unit: Unit, high: float) -> None:
    """Draw estimates under each other with their intervals, `each` in lines and at most `high` points."""
    (low, far), there = axes.get_xlim(), []
    for place, one in enumerate(facts):
        if one.estimate is not None:
            there.append(((place + 0.5) * each, one))
        elif one.status == Status.WITHHELD:
            hatched(axes, low, (place + 0.5) * each, far - low, each * 0.8)
    marks = [(one.estimate, y, one.decision, unit.told(one)) for y, one in there]
    for y, one in there:
        span(axes, y, one, color=look_of(one.decision)[0], linewidth=0.14 * high)
    looks = {one.decision: look_of(one.decision) for one in facts}
    points(axes, pd.DataFrame(marks, columns=MARKS), looks, max(0.55 * high, 1.5), focus=len(facts) <= 12)
