"""Estimates of organisations on scales: how they are written, and drawn side by side or, of many, ranked."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

from matplotlib.axes import Axes

from surveywaves.catalogue import ABREAST
from surveywaves.figures.drawing import LINE, Axis, Key, Page, line, withheld_key
from surveywaves.figures.layout import Part, Rows, hatched, panels, points
from surveywaves.figures.style import GREY, INK, Narrow, Sheet, look_of, told_apart, width, wrap
from surveywaves.findings import LEVEL, Found, by_organisation, without_all
from surveywaves.study.parts import Presentation
from surveywaves.terms import ALL, BETWEEN, PERCENT_FAVOURABLE, Status
from surveywaves.words import LOW_RELIABILITY_SIGN, NONE, WITHHELD, Labels, number

Placed = Sequence[tuple[float, Found]]
"""Estimates, each with its y in a panel."""
TOLD: Final = 40
"""Most organisations whose marks show their values on hover; with more, marks are too small for that."""
LEAST: Final = 8.0
"""Least height of a ranking, in em."""
BELOW: Final = 2.2
"""Room for the numbers of an axis under a ranking, in em."""
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
        ends = [abs(end) for one in shown for end in (one.low, one.estimate, one.high) if end is not None]
        most = max(ends, default=1.0) * 1.05 or 1.0
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
    def in_order(self) -> Estimates:
        """With the scales in order: the highest of the first organisation or, where they are ranked, of all, first."""
        first = [one for one in self.facts if one.organisation == ALL] if self.ranked else []
        first = first or next(iter(self.parts.values()), [])
        known = {one.scale: -one.estimate for one in first if one.estimate is not None}
        return replace(self, order=sorted(self.order, key=lambda scale: known.get(scale, math.inf)))

    @property
    def ranked(self) -> bool:
        """Whether organisations are ranked because panels side by side would not fit."""
        return len(self.parts) > (ABREAST if self.unit.percent else BESIDE)

    def draw(
        self,
        words: tuple[str, str],
        mark: Callable[[Axes, Placed], None],
        axis: Axis,
        *,
        keys: Sequence[Key],
        notes: Sequence[str] = (),
        waves: Sequence[str] = (),
    ) -> Page:
        """Draw panels side by side, or rank the organisations within each scale.

        `words` are title and subtitle, and `axis` is that of every panel. `mark` draws the estimates of a panel; where
        organisations are ranked, it is not called. `keys` and `notes` are as for `Page`, and entries for what is
        withheld and for signs are added. `waves` stand under each other within each scale; without, differences and
        intervals are written beside the panels.
        """
        shown = self.shown
        low = f"{LOW_RELIABILITY_SIGN} Low reliability." if any(one.low_reliability for one in shown) else ""
        fewer = f"{FEWER} Only what both waves asked." if any(one.fewer for one in shown) else ""
        keys = [*keys, *withheld_key(any(one.status == Status.WITHHELD for one in shown))]
        notes = [*notes, low, fewer]
        if self.ranked:
            return self._rank(words, axis, keys, notes)
        rows = self._rows(LINE * len(waves) + 0.7 if waves else 1.9)
        parts = [self._part(name, own, numbers=not waves) for name, own in self.parts.items()]
        page, drawn = panels(self.unit.presentation, words, rows, parts, axis, keys=keys, notes=notes)
        middles = dict(zip(self.order, rows.middles, strict=True))
        for axes, own in zip(drawn, self.parts.values(), strict=True):
            places = [middles[one.scale] for one in own]
            if waves:
                shifts = [waves.index(one.wave) - (len(waves) - 1) / 2 for one in own]
                places = [y + shift * LINE for y, shift in zip(places, shifts, strict=True)]
            mark(axes, _known(axes, [*zip(places, own, strict=True)]))
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

        Each is named beside its mark if there is room, else only the highest and the lowest are, above them.
        """
        unit, labels = self.unit, Labels(self.unit.presentation)
        sheet = Sheet.of(unit.presentation.style)
        em, columns = sheet.em, 1 if isinstance(sheet, Narrow) else 4 if sheet.height else 3
        of = {scale: [one for one in self.shown if one.scale == scale] for scale in self.order}
        most, wide = max(map(len, of.values()), default=1), (sheet.width - em) / max(min(columns, len(of)), 1)
        titles = {scale: wrap(labels.scale(scale), wide - em, em * 1.1, bold=True) for scale in of}
        heads, room = LINE * 1.1 * max(map(len, titles.values()), default=0) + 0.4, sheet.most / em - 13
        fit = max(int(room / (heads + BELOW + min(1.2 * most, LEAST))), 1) * columns
        if fit < len(of):
            kept = sorted(of, key=lambda scale: -sum(one.moved for one in of[scale]))[:fit]
            of = {scale: own for scale, own in of.items() if scale in kept}
            notes = [*notes, f"{fit} of {len(self.order)} scales: those with most that is clear."]
        room = room / max(-(-len(of) // columns), 1) - heads - BELOW
        named = 1.2 * most <= room
        over = 0.4 if named else 0.4 + 2 * LINE
        body = 1.3 * most if named else min(room, max(12.0, most / 6)) - 2 * LINE
        heads += over - 0.4
        every = {one.scale: one.estimate for one in self.facts if one.organisation == ALL}
        if any(level is not None for level in every.values()):
            keys = [*keys, Key(labels.organisation(ALL), TOGETHER)]
        names = {}
        for one in self.shown:
            name = labels.organisation(one.organisation.removesuffix(f"{BETWEEN}{self.against}"))
            names[one.organisation] = name
        if named:
            cut = told_apart(names.values(), 0.4 * wide, em)
            names = {organisation: cut[name] for organisation, name in names.items()}
        before = 0.6 * em + max((width(name, em) for name in names.values()), default=0.0)
        after = 0.6 * em + max((width(unit.change(one), em, bold=True) for one in self.shown), default=0.0)
        step = heads + body + BELOW
        lines = step * -(-len(of) // columns) - BELOW - heads
        page = Page(unit.presentation, *words, keys, notes, lines=lines, heads=heads)
        for place, (scale, own) in enumerate(of.items()):
            own.sort(key=lambda one: math.inf if one.estimate is None else -one.estimate)
            top, left = place // columns * step, page.left + place % columns * wide
            start, end = (left + before, left + wide - em - after) if named else (left, left + wide - em)
            page.head(left, titles[scale], top=top, up=over, bold=True)
            axes = page.panel(start, end, axis, top=top, lines=body)
            if (level := every.get(scale)) is not None:
                axes.axvline(level, zorder=1, **TOGETHER)
            each = body / max(len(own), 1)
            known = _known(axes, [((n + 0.5) * each, one) for n, one in enumerate(own)], each * 0.8)
            looks = {one.decision: look_of(one.decision) for _, one in known}
            size = max(0.55 * min(each, 1.3) * em, 1.5)
            intervals(axes, known, unit, looks, size=size, focus=len(own) <= 12)
            for n, one in enumerate(own if named else ()):
                page.write(left, top + (n + 0.5) * each, names[one.organisation])
                page.write(end + after, top + (n + 0.5) * each, unit.change(one), ha="right", **_look(one))
            ends = [] if named or not known else [("lowest", known[-1]), ("highest", known[0])]
            for n, (word, (_, one)) in enumerate(ends):
                said = f"{word}: {unit.change(one)} {names[one.organisation]}"
                said = wrap(said, wide - 0.6 * em, em, lines=1, bold=one.moved)[0]
                page.head(left, [said], top=top, up=0.4 + n * LINE, **_look(one))
        return page


def _look(one: Found) -> dict[str, Any]:
    """Return the look of a written estimate: bold and in colour if its direction is decided."""
    return {"color": look_of(one.decision)[0], "weight": "bold"} if one.moved else {"color": GREY}


def _known(axes: Axes, placed: Placed, high: float = 0.8) -> Placed:
    """Return the estimates that there are; hatch the panel where one is withheld, and mark zero on one around it."""
    low, far = axes.get_xlim()
    if low == -far:
        axes.axvline(0, color=INK, linewidth=0.8, zorder=1)
    gone = [y for y, one in placed if one.status == Status.WITHHELD and one.estimate is None]
    # Of many, which are ranked, the withheld are the last: a box holds them all.
    boxes = [(min(gone), max(gone))] if gone and len(placed) > TOLD else [(y, y) for y in gone]
    for top, bottom in boxes:
        hatched(axes, low, (top + bottom) / 2, far - low, bottom - top + high)
    return [(y, one) for y, one in placed if one.estimate is not None]


def intervals(
    axes: Axes,
    placed: Placed,
    unit: Unit,
    looks: Mapping[str, Sequence[Any]],
    *,
    size: float,
    focus: bool = True,
) -> None:
    """Draw estimates with their intervals; `size` is that of marks, in points.

    `looks` are colours and shapes of decisions or, of levels, of waves.
    """
    series = [one.decision if one.wave not in looks else one.wave for _, one in placed]
    for name, (colour, marker, *_) in looks.items():
        # Intervals of one colour are a single line with gaps; an element for each would make large files.
        own = [each for each, of in zip(placed, series, strict=True) if of == name]
        x = [math.nan if end is None else end for _, one in own for end in (one.low, one.high, None)]
        line(axes, x, [y for y, _ in own for _ in range(3)], color=colour, linewidth=size / 4, zorder=1)
        if len(placed) > TOLD:
            look = {"color": colour, "marker": marker, "markersize": size, "linestyle": "none", "zorder": 3}
            line(axes, [one.estimate or 0.0 for _, one in own], [y for y, _ in own], **look)
    if len(placed) <= TOLD:
        marks = [(one.estimate, y, of, unit.told(one)) for (y, one), of in zip(placed, series, strict=True)]
        points(axes, marks, looks, size, focus=focus)
