"""Estimates of organisations on scales: how they are written, and drawn side by side or, of many, ranked."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import pandas as pd
from matplotlib.axes import Axes

from surveywaves.catalogue import ABREAST
from surveywaves.figures.drawing import LINE, Axis, Key, Page, line, withheld_key
from surveywaves.figures.layout import MARKS, Part, Rows, hatched, panels, points
from surveywaves.figures.style import GREY, INK, Narrow, Sheet, look_of, width, wrap
from surveywaves.findings import LEVEL, Found, by_organisation, without_all
from surveywaves.study.parts import Presentation
from surveywaves.terms import ALL, BETWEEN, PERCENT_FAVOURABLE, Status
from surveywaves.words import LOW_RELIABILITY_SIGN, NONE, WITHHELD, Labels, number

CLEAR: Final = {"facecolor": "white", "edgecolor": "none", "pad": 0.0}
"""Background of a text that is written over the lines of a panel."""
TOLD: Final = 40
"""Most organisations whose marks show their values on hover; with more, marks are too small for that."""
LEAST: Final = 8.0
"""Least height of a ranking, in em."""
TOGETHER: Final[dict[str, Any]] = {"color": INK, "linewidth": 0.8, "linestyle": (0, (4, 2))}
"""Look of the line at the estimate of all together."""
BESIDE: Final = 2
"""Most panels with room for intervals written beside them, and for means with two decimals."""
FEWER: Final = "‡"
"""Sign of a difference over fewer statements than the levels beside it."""


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
        """Name of the unit, for a subtitle."""
        return "Favourable answers, %" if self.percent else "Mean answer, points of the response scale"

    @property
    def axis(self) -> Axis:
        """Limits of a panel's axis, and its ticks: the lowest possible value, the middle and the highest."""
        most = max(scale.points for scale in self.presentation.response_scales.values())
        low, high = (0.0, 100.0) if self.percent else (1.0, float(most))
        ticks = {place: f"{place:g}" for place in (low, (low + high) / 2)}
        spare = (high - low) * 0.14
        return low - spare, high + spare, {**ticks, high: f"{high:g}{'%' if self.percent else ''}"}

    def around_zero(self, shown: Sequence[Found]) -> Axis:
        """Return an axis of differences that is symmetric around zero."""
        most = max(map(abs, _bounds(shown)), default=1.0) * 1.05 or 1.0
        step = 10 ** math.floor(math.log10(most))
        step = next(nice * step for nice in (5, 2, 1, 0.5) if nice * step <= most)
        return -most, most, {place: number(place, 0 if step >= 1 else 2) for place in (-step, 0.0, step)}

    def write(self, level: float | None, *, signed: bool = False) -> str:
        """Write a level or a difference."""
        return number(level, 0 if self.percent else 2, signed=signed)

    def change(self, one: Found | None) -> str:
        """Write an estimate, or the sign for its absence."""
        if one is None or one.estimate is None:
            return WITHHELD if one is not None and one.status == Status.WITHHELD else NONE
        return self.write(one.estimate, signed=one.kind != LEVEL) + (FEWER if one.fewer else "")

    def bounds(self, one: Found | None) -> str:
        """Write its interval, if there is one."""
        if one is None or one.estimate is None:
            return ""
        return NONE if None in (one.low, one.high) else f"{self.write(one.low)} to {self.write(one.high)}"

    def told(self, one: Found) -> str:
        """Return the text that a mark shows on hover: where it belongs, its value and its interval."""
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


@dataclass(frozen=True)
class Estimates:
    """Estimates of organisations (or of pairs of them, or of all together) on scales; `order` is that of the scales."""

    unit: Unit
    facts: Sequence[Found]
    order: Sequence[str]

    @cached_property
    def parts(self) -> dict[str, list[Found]]:
        """Estimates of each organisation; those of all together only if there are no others."""
        return without_all(by_organisation(self.facts, self.unit.presentation))

    @property
    def shown(self) -> list[Found]:
        """Every estimate that is drawn."""
        return [one for own in self.parts.values() for one in own]

    @cached_property
    def against(self) -> str:
        """What all organisations are compared with; empty if that differs, or if there is one organisation."""
        others = {name.partition(BETWEEN)[2] for name in self.parts}
        return others.pop() if len(self.parts) > 1 and len(others) == 1 else ""

    @property
    def ranked(self) -> bool:
        """Whether organisations are ranked because panels side by side would not fit."""
        return len(self.parts) > (ABREAST if self.unit.percent else BESIDE)

    def draw(
        self,
        words: tuple[str, str],
        mark: Callable[[Axes, float, Found], None],
        axis: Axis,
        *,
        keys: Sequence[Key],
        notes: Sequence[str] = (),
        waves: Sequence[str] = (),
    ) -> Page:
        """Draw panels side by side, or rank the organisations within each scale.

        Parameters
        ----------
        words
            Title and subtitle.
        mark
            Draws an estimate into a panel at a given y.
        axis
            Limits and ticks of every panel.
        keys, notes
            As for `Page`. Entries for what is withheld and for signs are added.
        waves
            Waves under each other within each scale; if empty, differences and intervals are written beside the panels.
        """
        shown = self.shown
        low = f"{LOW_RELIABILITY_SIGN} Low reliability." if any(one.low_reliability for one in shown) else ""
        fewer = f"{FEWER} Only what both waves asked." if any(one.fewer for one in shown) else ""
        keys = [*keys, *withheld_key(any(one.status == Status.WITHHELD for one in shown))]
        about: dict[str, Any] = {"keys": keys, "notes": [*notes, low, fewer]}
        if self.ranked:
            return self._rank(words, axis, **about)
        rows = self._rows(LINE * len(waves) + 0.7 if waves else 1.9)
        parts = [self._part(name, own, numbers=not waves) for name, own in self.parts.items()]
        page, drawn = panels(self.unit.presentation, words, rows, parts, axis, **about)
        middles = dict(zip(self.order, rows.middles, strict=True))
        for axes, own in zip(drawn, self.parts.values(), strict=True):
            for one in own:
                shift = (waves.index(one.wave) - (len(waves) - 1) / 2) * LINE if waves else 0.0
                if one.estimate is not None:
                    mark(axes, middles[one.scale] + shift, one)
                elif one.status == Status.WITHHELD:
                    hatched(axes, axis[0], middles[one.scale] + shift, axis[1] - axis[0], 0.8)
        return page

    def _rows(self, least: float) -> Rows:
        """Make a row per scale; scales of low reliability are marked."""
        style, labels = self.unit.presentation.style, Labels(self.unit.presentation)
        sheet, sign = Sheet.of(style), f" {LOW_RELIABILITY_SIGN}"
        marked = {one.scale for one in self.shown if one.low_reliability}
        room = sheet.width * (0.4 if isinstance(style, Narrow) else 0.26) - width(sign, sheet.em)
        names = {scale: wrap(labels.scale(scale), room, sheet.em) for scale in self.order}
        return Rows(
            [(*n[:-1], n[-1] + sign) if s in marked else n for s, n in names.items()], sheet.em, least
        )

    def _part(self, name: str, facts: Sequence[Found], *, numbers: bool) -> Part:
        """Make the title and the columns of numbers beside a panel."""
        unit, labels, of = self.unit, Labels(self.unit.presentation), {one.scale: one for one in facts}
        own, columns = [of.get(scale) for scale in self.order], []
        if numbers:
            columns.append(("points", [*map(unit.change, own)]))
            if len(self.parts) <= BESIDE and not isinstance(unit.presentation.style, Narrow):
                columns.append((f"{labels.confidence} CI", [*map(unit.bounds, own)]))
        colours = [look_of(one.decision)[0] if one and one.moved else GREY for one in own]
        return Part(labels.organisation(name), columns, colours)

    def _rank(self, words: tuple[str, str], axis: Axis, keys: Sequence[Key], notes: Sequence[str]) -> Page:
        """Make a page with a panel per scale that ranks any number of organisations, the highest first.

        Each is named beside its mark if there is room, else only the highest and the lowest are.
        """
        unit, labels, sheet = (
            self.unit,
            Labels(self.unit.presentation),
            Sheet.of(self.unit.presentation.style),
        )
        em, (title, subtitle), narrow = sheet.em, words, isinstance(unit.presentation.style, Narrow)
        of = {scale: [one for one in self.shown if one.scale == scale] for scale in self.order}
        most, columns = max(map(len, of.values()), default=1), 1 if narrow else 4 if sheet.height else 3
        wide = (sheet.width - em) / max(min(columns, len(of)), 1)
        titles = {scale: wrap(labels.scale(scale), wide - em, em * 1.1, bold=True) for scale in of}
        beyond = LINE * 1.1 * max(map(len, titles.values()), default=0) + 0.4 + 2.2
        room = sheet.most / em - 13
        fit = max(int(room / (beyond + min(1.2 * most, LEAST))), 1) * columns
        if fit < len(of):
            kept = sorted(of, key=lambda scale: -sum(one.moved for one in of[scale]))[:fit]
            of = {scale: own for scale, own in of.items() if scale in kept}
            notes = [*notes, f"{fit} of {len(self.order)} scales: those with most that is clear."]
        room = room / max(-(-len(of) // columns), 1) - beyond
        named = 1.2 * most <= room
        body = 1.3 * most if named else min(room, max(12.0, most / 6))
        every = {one.scale: one.estimate for one in self.facts if one.organisation == ALL}
        if any(level is not None for level in every.values()):
            keys = [*keys, Key(labels.organisation(ALL), TOGETHER)]
        lines, names = (body + beyond) * -(-len(of) // columns) - beyond, {}
        for one in self.shown:
            name = labels.organisation(one.organisation.removesuffix(f"{BETWEEN}{self.against}"))
            names[one.organisation] = wrap(name, (0.4 if named else 0.5) * wide, em, lines=1)[0]
        before = 0.6 * em + max((width(name, em) for name in names.values()), default=0.0)
        after = 0.6 * em + max((width(unit.change(one), em, bold=True) for one in self.shown), default=0.0)
        page = Page(unit.presentation, title, subtitle, keys, notes, lines=lines, heads=beyond - 2.2)
        for place, (scale, own) in enumerate(of.items()):
            top, left = place // columns * (body + beyond), page.left + place % columns * wide
            start, end = (left + before, left + wide - em - after) if named else (left, left + wide - em)
            page.head(left, titles[scale], top=top, bold=True)
            axes = page.panel(start, end, axis, top=top, lines=body)
            if (level := every.get(scale)) is not None:
                axes.axvline(level, zorder=1, **TOGETHER)
            own.sort(key=lambda one: math.inf if one.estimate is None else -one.estimate)
            each = body / max(len(own), 1)
            _intervals(axes, own, each, unit, min(each, 1.3) * em)
            for n, one in enumerate(own if named else ()):
                page.write(left, top + (n + 0.5) * each, names[one.organisation])
                page.write(end + after, top + (n + 0.5) * each, unit.change(one), ha="right", **_look(one))
            there = [] if named else [one for one in own if one.estimate is not None]
            near, per = int(1.3 / each) + 1, (axis[1] - axis[0]) / (end - start)
            for one in there[:1]:
                said = f"{names[one.organisation]} {unit.change(one)}"
                if axis[0] + width(said, em, bold=True) * per < min(_bounds(there[:near])):
                    page.write(start, top + 0.7, said, bbox=CLEAR, **_look(one))
            for one in there[-1:]:
                said = f"{names[one.organisation]} {unit.change(one)}"
                if axis[1] - width(said, em, bold=True) * per > max(_bounds(there[-near:])):
                    page.write(end, top + body - 0.7, said, ha="right", bbox=CLEAR, **_look(one))
        return page


def _bounds(facts: Iterable[Found]) -> list[float]:
    """Return estimates and the ends of their intervals, as far as there are any."""
    return [end for one in facts for end in (one.low, one.estimate, one.high) if end is not None]


def _look(one: Found) -> dict[str, str]:
    """Return the look of a written estimate: bold and in colour if its direction is decided."""
    return {"color": look_of(one.decision)[0], "weight": "bold"} if one.moved else {"color": GREY}


def _intervals(axes: Axes, facts: Sequence[Found], each: float, unit: Unit, high: float) -> None:
    """Draw estimates under each other with their intervals, `each` in lines and at most `high` points."""
    places = {one.organisation: (place + 0.5) * each for place, one in enumerate(facts)}
    there = [one for one in facts if one.estimate is not None]
    looks, size = {one.decision: look_of(one.decision) for one in there}, max(0.55 * high, 1.5)
    for decision, (colour, marker, _) in looks.items():
        # Intervals of one colour are a single line with gaps; an element for each would make large files.
        own = [one for one in there if one.decision == decision]
        x = [math.nan if end is None else end for one in own for end in (one.low, one.high, None)]
        y = [place for one in own for place in [places[one.organisation]] * 3]
        line(axes, x, y, color=colour, linewidth=0.14 * high, zorder=1)
        if len(facts) > TOLD:
            x, y = [one.estimate or 0.0 for one in own], [places[one.organisation] for one in own]
            line(axes, x, y, color=colour, linestyle="none", marker=marker, markersize=size, zorder=3)
    if len(facts) <= TOLD:
        marks = [(one.estimate, places[one.organisation], one.decision, unit.told(one)) for one in there]
        points(axes, pd.DataFrame(marks, columns=MARKS), looks, size, focus=len(facts) <= 12)
    low, far = axes.get_xlim()
    for one in facts:
        if one.status == Status.WITHHELD and one.estimate is None:
            hatched(axes, low, places[one.organisation], far - low, each * 0.8)
