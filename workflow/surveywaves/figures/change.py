"""What changed: every scale from wave to wave, a panel per organisation; the report's first figure is one of these.

Marks stand at the share of favourable answers, or at the mean where a study has no favourable answers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from surveywaves.figures.drawing import Drawing, Key, Page, decision_keys, key, line, withheld_key
from surveywaves.figures.layout import Part, Rows, Tile, beside, grid, hatched, panels, value
from surveywaves.figures.style import GREY, INK, MARK, Narrow, Sheet, look_of, width, wrap
from surveywaves.findings import (
    ANALYSIS,
    CHANGE,
    DIFFERENCE,
    Found,
    by_organisation,
    contrast_rows,
    found,
    headline,
    level_rows,
    main_pair,
    main_unit,
    without_all,
)
from surveywaves.study.parts import Presentation
from surveywaves.terms import ALL, PERCENT_FAVOURABLE, Decision, Status
from surveywaves.text import listed
from surveywaves.words import LOW_RELIABILITY_SIGN, MINUS, NONE, WITHHELD, Labels, number, pair, records

ABREAST: Final = 3
"""Most organisations side by side as panels with an axis; more stand in a grid."""
BESIDE: Final = 2
"""Most panels that have room for intervals in figures, and for means with two decimals."""
GRID: Final = 9
"""Most columns of a grid; with more organisations, only all respondents together are shown."""
FEWER: Final = "‡"
"""Marks a difference over fewer statements than the levels beside it."""
UNIT_HEAD: Final = "points"
GROUNDS: Final = {Decision.INCREASE.value: "#dbe8f5", Decision.DECREASE.value: "#fae3d6"}
"""Decision -> background of its tile."""


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

    def write(self, level: float | None, *, signed: bool = False) -> str:
        """Write a level or a difference."""
        return number(level, 0 if self.percent else 2, signed=signed)

    def interval(self, low: float | None, high: float | None) -> str:
        """Write an interval."""
        return NONE if low is None or high is None else f"{self.write(low)} to {self.write(high)}"

    def change(self, one: Found | None) -> str:
        """Write a difference, or the sign that stands in its place."""
        if one is None or one.estimate is None:
            return WITHHELD if one is not None and one.status == Status.WITHHELD else NONE
        return self.write(one.estimate, signed=True) + (FEWER if one.fewer else "")

    def bounds(self, one: Found | None) -> str:
        """Write the interval of a difference, if there is one."""
        return "" if one is None or one.estimate is None else self.interval(one.low, one.high)


@dataclass(frozen=True)
class Compared:
    """Contrasts of one kind between the main pair of waves, by organisation (or pair of them) and scale."""

    presentation: Presentation
    unit: Unit
    facts: list[Found]
    parts: dict[str, list[Found]]
    order: list[str]

    @classmethod
    def of(
        cls, contrasts: pd.DataFrame, means: pd.DataFrame, presentation: Presentation, kind: str
    ) -> Compared:
        """Collect the contrasts of a kind; scales are sorted by the first organisation's estimate, if they have one."""
        compared, unit = main_pair(presentation), Unit(main_unit(contrasts), presentation)
        if compared is None:
            raise ValueError("the study has one wave")
        facts = found(contrasts, means, kind=kind, wave=compared.contrast, unit=unit.name)
        every = by_organisation(facts, presentation)
        parts = without_all(every)
        if len(parts) > GRID:
            parts = {ALL: every[ALL]} if ALL in every else dict(list(parts.items())[:GRID])
        known = {
            one.scale: one.estimate for one in next(iter(parts.values()), []) if one.estimate is not None
        }
        named = {one.scale for own in parts.values() for one in own}
        order = [scale for scale in Labels(presentation).scales_in(contrasts) if scale in named]
        return cls(
            presentation, unit, facts, parts, sorted(order, key=lambda scale: known.get(scale, math.inf))
        )

    @property
    def waves(self) -> tuple[str, str]:
        """The earlier and the later."""
        compared = main_pair(self.presentation)
        assert compared
        return compared.first, compared.last

    @property
    def shown(self) -> list[Found]:
        """Every fact that is drawn."""
        return [one for own in self.parts.values() for one in own]

    @property
    def tiled(self) -> bool:
        """Whether a grid is drawn because panels with an axis each would not fit."""
        return len(self.parts) > (ABREAST if self.unit.percent else BESIDE)

    def rows(self, name: str) -> list[Found | None]:
        """Return an organisation's fact for each scale, None where there is none."""
        own = {one.scale: one for one in self.parts[name]}
        return [own.get(scale) for scale in self.order]

    def draw(
        self,
        words: tuple[str, str],
        heads: Mapping[str, str],
        mark: Callable[[Axes, float, Found], None],
        *,
        axis: tuple[float, float, Mapping[float, str]],
        keys: Sequence[Key],
        notes: Sequence[str] = (),
    ) -> Page:
        """Draw panels beside each other, with differences and intervals in figures; or a grid.

        `words` are title and subtitle, `heads` titles of the parts; `mark` draws a fact into a panel at some height.
        """
        unit, shown, labels = self.unit, self.shown, Labels(self.presentation)
        low = f"{LOW_RELIABILITY_SIGN} Low reliability." if any(one.low_reliability for one in shown) else ""
        fewer = f"{FEWER} Only what both waves asked." if any(one.fewer for one in shown) else ""
        keys = [*keys, *withheld_key(any(one.status == Status.WITHHELD for one in shown))]
        about: dict[str, Any] = {"keys": keys, "notes": [*notes, low, fewer]}
        rows = scale_rows(self.order, shown, self.presentation, 2.7 if self.tiled else 1.9)
        if self.tiled:
            cells = [
                list(row) for row in zip(*(map(self.tile, self.rows(name)) for name in heads), strict=True)
            ]
            return grid(self.presentation, words, rows, cells, [*heads.values()], most=12, **about)
        parts = []
        for name, title in heads.items():
            own = self.rows(name)
            columns = [(UNIT_HEAD, [*map(unit.change, own)])]
            if len(heads) <= BESIDE and not isinstance(self.presentation.style, Narrow):
                columns.append((f"{labels.confidence} CI", [*map(unit.bounds, own)]))
            colours = [look_of(one.decision)[0] if one and one.moved else GREY for one in own]
            parts.append(Part(title, columns, colours))
        page, drawn = panels(self.presentation, words, rows, parts, axis, **about)
        for axes, name in zip(drawn, heads, strict=True):
            for y, one in zip(rows.middles, self.rows(name), strict=True):
                if one is not None and one.estimate is not None:
                    mark(axes, y, one)
                elif one is not None and one.status == Status.WITHHELD:
                    hatched(axes, axis[0], y, axis[1] - axis[0], 0.8)
        return page

    def tile(self, one: Found | None) -> Tile:
        """Write a change into a cell of a grid: its sign, the difference and both levels."""
        unit, text = self.unit, self.unit.change(one)
        if one is None or one.estimate is None:
            return Tile(text, ink=GREY, hatched=text == WITHHELD)
        colour, _, sign = look_of(one.decision)
        levels = "" if one.first is None else f"\n{unit.write(one.first)} → {unit.write(one.last)}"
        ink, told = (
            colour if one.moved else GREY,
            f"{unit.write(one.estimate, signed=True)} ({unit.bounds(one)})",
        )
        return Tile(f"{sign} {text}{levels}", GROUNDS.get(one.decision, "#f5f5f5"), ink, one.moved, told)

    def said(self, up: str, down: str, noun: str) -> str:
        """Describe what moved, in one sentence for each organisation."""
        sentences, labels = [], Labels(self.presentation)
        for name, own in self.parts.items():
            groups = []
            for word, chosen in ((up, [o for o in own if o.up]), (down, [o for o in own if o.down])):
                each = [f"{labels.scale(o.scale)} {self.unit.write(o.estimate, signed=True)}" for o in chosen]
                groups += [f"{word}: {listed(each)}"] if each else []
            still = sum(not one.moved for one in own)
            groups.append(f"{still} of {len(own)} scales without a clear {noun}")
            sentences.append(f"{labels.organisation(name)}: {'; '.join(groups)}.")
        return " ".join(sentences)

    @property
    def coloured(self) -> str:
        """Say what colour means."""
        alpha = f"{1 - self.presentation.confidence:.2g}".removeprefix("0")
        return f"Colour: p adjusted across scales below {alpha}."


def change_profile(contrasts: pd.DataFrame, means: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw each scale of the main pair of waves, from the earlier to the later, for each organisation."""
    own = Compared.of(contrasts, means, presentation, CHANGE)
    labels, unit, em = Labels(presentation), own.unit, presentation.style.font_size
    first, last = own.waves
    levels = level_rows(means, unit.name)
    levels = levels[~levels["wave"].isin([first, last]) & levels["organisation"].isin([*own.parts])]
    levels = levels[levels["estimate"].notna() & levels["scale"].isin(own.order)]
    others: dict[tuple[str, str], list[float]] = {}
    for row in records(levels):
        others.setdefault((row.scale, row.organisation), []).append(float(row.estimate))
    keys = decision_keys({one.decision for one in own.shown}, grid=own.tiled)
    if not own.tiled:
        keys = [key(labels.wave(first), marker="o", markerfacecolor="white", color=MARK), *keys]
        keys.append(Key(f"{labels.confidence} CI of the change", {"facecolor": "#dcdcdc"}, box=True))
        if len(levels):
            named = [*levels["wave"].unique()]
            words = labels.wave(named[0]) if len(named) == 1 else "other waves"
            keys.append(key(words, marker="|", color=INK, markersize=9, markeredgewidth=1.6))
    title = headline(own.facts, presentation)

    def mark(axes: Axes, y: float, one: Found) -> None:
        ticks = others.get((one.scale, one.organisation), [])
        for level in ticks:
            line(
                axes, [level], [y], marker="|", color=INK, markersize=1.3 * em, markeredgewidth=1.6, zorder=2
            )
        if one.first is not None and one.last is not None:
            _arrow(axes, y, one, ticks, own)

    page = own.draw(
        (title, f"{unit.words}, {labels.dated(first)} to {labels.dated(last)}"),
        {name: labels.organisation(name) for name in own.parts},
        mark,
        axis=unit.axis,
        keys=keys,
        notes=[_rounding_note(own.shown, unit), _counts(means, own)],
    )
    rows = contrast_rows(contrasts, unit.name, CHANGE, wave=own.facts[0].wave if own.facts else None)
    caption = (
        f"Each scale from the earlier wave{'' if own.tiled else ' (ring)'} to the later, with the difference in points"
        f"{'' if own.tiled else f' and its {labels.confidence} confidence interval'}. {own.coloured}"
    )
    alt = f"{title}. {own.said('rose', 'fell', 'change')}"
    return page.drawing(rows[rows["organisation"].isin([*own.parts])], caption=caption, alt=alt)


def _arrow(axes: Axes, y: float, one: Found, ticks: Sequence[float], own: Compared) -> None:
    """Draw a change from its ring to its mark, over the interval of where it ends, and write both numbers beside."""
    assert one.first is not None and one.last is not None and one.estimate is not None
    (colour, marker, _), unit, labels = look_of(one.decision), own.unit, Labels(own.presentation)
    em, rises = own.presentation.style.font_size, one.last >= one.first
    if one.low is not None and one.high is not None:
        start, wide = one.last + one.low - one.estimate, one.high - one.low
        axes.add_artist(Rectangle((start, y - 0.4), wide, 0.8, facecolor=colour, alpha=0.22, linewidth=0))
    line(axes, [one.first, one.last], [y, y], color=colour, linewidth=0.22 * em, zorder=3)
    ring: dict[str, Any] = {"markersize": 0.72 * em, "markerfacecolor": "white", "markeredgewidth": 0.15 * em}
    line(axes, [one.first], [y], marker="o", color=colour, zorder=4, **ring)
    mark = line(axes, [one.last], [y], marker=marker, color=colour, markersize=0.8 * em, zorder=5)
    value(
        mark,
        f"{labels.scale(one.scale)}, {labels.organisation(one.organisation)}: {unit.write(one.first)} to "
        f"{unit.write(one.last)}, {unit.write(one.estimate, signed=True)} points "
        f"({labels.confidence} CI {unit.bounds(one)})",
    )
    near = 0.11 * (unit.axis[1] - unit.axis[0])
    for level, side, bold in (
        (one.first, -1 if rises else 1, False),
        (one.last, 1 if rises else -1, one.moved),
    ):
        beyond = [tick for tick in ticks if 0 <= (tick - level) * side < near]
        look = {"color": colour if bold else GREY, "weight": "bold" if bold else "normal", "zorder": 6}
        beside(
            axes,
            max([level, *beyond], key=lambda x: x * side),
            y,
            unit.write(level),
            0.65 * em * side,
            **look,
        )


def differences_in_change(contrasts: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw by how much the organisations' changes differ, scale by scale."""
    own = Compared.of(contrasts, contrasts.iloc[:0], presentation, DIFFERENCE)
    labels, unit, em = Labels(presentation), own.unit, presentation.style.font_size
    names = {name: tuple(map(labels.organisation, pair(name) or (name, name))) for name in own.parts}
    first, second = next(iter(names.values())) if len(names) == 1 else ("the first", "the second")
    bounds = [abs(bound) for one in own.shown for bound in (one.low, one.high) if bound is not None]
    most = max(bounds, default=1.0) * 1.05
    step = 10 ** math.floor(math.log10(most))
    step = next(nice * step for nice in (5, 2, 1, 0.5) if nice * step <= most)
    ticks = {place: number(place, 0 if step >= 1 else 2) for place in (-step, 0.0, step)}

    def mark(axes: Axes, y: float, one: Found) -> None:
        colour, marker, _ = look_of(one.decision)
        if one.low is not None and one.high is not None:
            line(axes, [one.low, one.high], [y, y], color=colour, linewidth=0.18 * em)
        assert one.estimate is not None
        drawn = line(axes, [one.estimate], [y], marker=marker, color=colour, markersize=0.85 * em, zorder=4)
        value(drawn, f"{labels.scale(one.scale)}: {unit.change(one)} ({unit.bounds(one)})")

    title, (earlier, later) = _differing(own.parts, names, len(own.order)), map(labels.dated, own.waves)
    words = (
        f"in favour of {first}",
        f"in favour of {second}",
        "no meaningful difference",
        "no clear difference",
    )
    page = own.draw(
        (title, f"Difference between changes in {unit.words.lower()}, {earlier} to {later}"),
        {name: f" {MINUS} ".join(sides) for name, sides in names.items()},
        mark,
        axis=(-most, most, ticks),
        keys=decision_keys((one.decision for one in own.shown), words, grid=own.tiled),
    )
    if not own.tiled:
        for axes in page.figure.axes:
            axes.axvline(0, color=INK, linewidth=0.8, zorder=1)
    rows = contrast_rows(contrasts, unit.name, DIFFERENCE, wave=own.facts[0].wave if own.facts else None)
    caption = (
        f"Change of the first {presentation.nouns.organisation[0]} less that of the second, with {labels.confidence} "
        f"confidence intervals. {own.coloured}"
    )
    alt = f"{title}. {own.said('higher', 'lower', 'difference')}"
    return page.drawing(rows[rows["organisation"].isin([*own.parts])], caption=caption, alt=alt)


def _differing(parts: Mapping[str, Sequence[Found]], names: Mapping[str, tuple[str, ...]], count: int) -> str:
    """Count the scales on which changes differ; of a single pair, say in whose favour."""
    moved = [one for own in parts.values() for one in own if one.moved]
    if not moved:
        return "No scale shows a clear difference between the changes"
    if len(parts) > 1:
        return f"The changes differ clearly on {len({one.scale for one in moved})} of {count} scales"
    [(one, other)] = names.values()
    ups, downs = sum(fact.up for fact in moved), sum(fact.down for fact in moved)
    if not ups:
        one, other, ups, downs = other, one, downs, 0
    less = f", less favourably on {downs}" if downs else ""
    return f"{one} changed more favourably than {other} on {ups} of {count} scales{less}"


def _rounding_note(facts: Sequence[Found], unit: Unit) -> str:
    """Note that printed levels do not subtract to a printed difference, where that is so."""
    for one in facts:
        if one.comparable:
            printed = (unit.write(x).replace(MINUS, "-") for x in (one.first, one.last, one.estimate))
            first, last, change = map(float, printed)
            if abs(last - first - change) > (0.5 if unit.percent else 0.005):
                return "Differences are computed before rounding."
    return ""


def _counts(means: pd.DataFrame, own: Compared) -> str:
    """Give the largest number of respondents over the scales, for each of the two waves."""
    most = means[means["analysis"] == ANALYSIS[own.unit.name]].groupby(["organisation", "wave"])["n"].max()
    said = []
    for name in own.parts:
        n = [most.get((name, wave)) for wave in own.waves]
        if not any(pd.isna(one) for one in n):
            said.append(f"{Labels(own.presentation).organisation(name)} {n[0]:.0f} and {n[1]:.0f}")
    return f"n up to: {'; '.join(said)}." if said else ""


def scale_rows(
    order: Sequence[str], shown: Sequence[Found], presentation: Presentation, least: float
) -> Rows:
    """Make a row per scale; scales of low reliability are marked."""
    sheet, sign, labels = Sheet.of(presentation.style), f" {LOW_RELIABILITY_SIGN}", Labels(presentation)
    marked = {one.scale for one in shown if one.low_reliability}
    room = sheet.width * (0.4 if isinstance(presentation.style, Narrow) else 0.26) - width(sign, sheet.em)
    names = [wrap(labels.scale(scale), room, sheet.em) for scale in order]
    signed = [
        (*name[:-1], name[-1] + sign) if s in marked else name for s, name in zip(order, names, strict=True)
    ]
    return Rows(signed, sheet.em, least)
