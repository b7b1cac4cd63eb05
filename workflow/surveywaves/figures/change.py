"""What changed: every scale from wave to wave, an organisation a panel; the report's first figure is one of these.

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

from surveywaves.figures.drawing import (
    LOW_RELIABILITY_SIGN,
    Drawing,
    Key,
    Page,
    Tile,
    decision_keys,
    hatched,
    heads_height,
    heights_of,
    key,
    line,
    middles_of,
    panels,
    reach,
    tiles,
    value,
    withheld_key,
)
from surveywaves.figures.style import GREY, INK, MARK, Narrow, Sheet, look_of, on_telephone, width, wrap
from surveywaves.findings import (
    ANALYSIS,
    CHANGE,
    DIFFERENCE,
    Found,
    Pair,
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
from surveywaves.words import MINUS, NONE, WITHHELD, Labels, number, pair, records

ABREAST: Final = 3
"""Most organisations side by side as panels with an axis; more stand in a grid."""
BESIDE: Final = 2
"""Most panels that have room for intervals in figures, and for means with two decimals."""
GRID: Final = 9
"""Most columns of a grid: beyond, all respondents stand for all."""
FEWER: Final = "‡"
"""After a difference over fewer statements than the levels beside it."""
UNIT_HEAD: Final = "points"
"""Heading of differences."""
LABEL: Final = 0.26
"""Share of a sheet's width that the names of scales take at most."""


@dataclass(frozen=True)
class Unit:
    """How numbers of an analysis are written, and where they can lie."""

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
    def range(self) -> tuple[float, float]:
        """The lowest and the highest that there can be."""
        most = max(scale.points for scale in self.presentation.response_scales.values())
        return (0.0, 100.0) if self.percent else (1.0, float(most))

    @property
    def axis(self) -> tuple[float, float, dict[float, str]]:
        """Where a panel begins and ends, and its ticks."""
        low, high = self.range
        places = (0.0, 50.0, 100.0) if self.percent else (low, (low + high) / 2, high)
        spare = (high - low) * 0.14
        return (
            low - spare,
            high + spare,
            {x: f"{x:g}{'%' if x == 100 and self.percent else ''}" for x in places},
        )

    def write(self, level: float | None, *, signed: bool = False) -> str:
        """Write a level or a difference."""
        return number(level, 0 if self.percent else 2, signed=signed)

    def interval(self, low: float | None, high: float | None) -> str:
        """Write an interval."""
        return NONE if low is None or high is None else f"{self.write(low)} to {self.write(high)}"

    def change(self, one: Found | None) -> str:
        """Write a difference, or what stands for it."""
        if one is None or one.estimate is None:
            return WITHHELD if one is not None and one.status == Status.WITHHELD else NONE
        return self.write(one.estimate, signed=True) + (FEWER if one.fewer else "")

    def bounds(self, one: Found | None) -> str:
        """Write the interval of a difference, if there is one."""
        return "" if one is None or one.estimate is None else self.interval(one.low, one.high)


@dataclass(frozen=True)
class Compared:
    """Contrasts of one kind of the main pair of waves, an organisation (or a pair of them) beside the other."""

    presentation: Presentation
    pair: Pair
    unit: Unit
    facts: list[Found]
    parts: dict[str, list[Found]]
    order: list[str]

    @classmethod
    def of(
        cls, contrasts: pd.DataFrame, means: pd.DataFrame, presentation: Presentation, kind: str
    ) -> Compared:
        """Take them, scales sorted by the first one's estimate; what has none comes last."""
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
        order.sort(key=lambda scale: known.get(scale, math.inf))
        return cls(presentation, compared, unit, facts, parts, order)

    @property
    def labels(self) -> Labels:
        """The study's labels."""
        return Labels(self.presentation)

    @property
    def shown(self) -> list[Found]:
        """Every fact that is drawn."""
        return [one for own in self.parts.values() for one in own]

    @property
    def grid(self) -> bool:
        """Whether there is no room for panels with an axis each."""
        return len(self.parts) > (ABREAST if self.unit.percent else BESIDE)

    @property
    def dates(self) -> str:
        """From when to when."""
        return f"{self.labels.dated(self.pair.first)} to {self.labels.dated(self.pair.last)}"

    def rows(self, name: str) -> list[Found | None]:
        """Give the facts of an organisation by scale."""
        own = {one.scale: one for one in self.parts[name]}
        return [own.get(scale) for scale in self.order]

    def draw(
        self,
        title: str,
        subtitle: str,
        heads: Mapping[str, str],
        mark: Callable[[Axes, float, Found], None],
        *,
        keys: Sequence[Key],
        notes: Sequence[str],
        axis: tuple[float, float, Mapping[float, str]],
        further: Mapping[str, Sequence[str]],
    ) -> Page:
        """Draw panels beside each other, with differences and intervals in figures; or a grid.

        Parameters
        ----------
        heads
            Titles of the parts.
        mark
            Draws a fact into a panel at some height.
        axis
            See `Unit.axis`.
        further
            Columns after difference and interval: their heading, and a text a scale.
        """
        style, unit, shown = self.presentation.style, self.unit, self.shown
        sheet, stacked = Sheet.of(style), isinstance(style, Narrow)
        names = scale_names(self.order, shown, self.labels, sheet)
        heights = heights_of(names, 2.75 if self.grid else 1.9)
        keys = [*keys, *withheld_key(any(one.status == Status.WITHHELD for one in shown))]
        low = f"{LOW_RELIABILITY_SIGN} Low reliability." if any(one.low_reliability for one in shown) else ""
        fewer = f"{FEWER} Only what both waves asked." if any(one.fewer for one in shown) else ""
        about: dict[str, Any] = {"keys": keys, "notes": [*notes, low, fewer]}
        if self.grid:
            end, em = reach(names, sheet.em), sheet.em
            wide = (sheet.width - end - em) / len(heads)
            columns = [wrap(head, wide - 0.6 * em, em, lines=3) for head in heads.values()]
            high = heads_height(columns, wide, em) + 1
            page = Page(
                self.presentation, title, subtitle, lines=sum(heights), heads=high, below=0.4, **about
            )
            page.names(names, middles_of(heights))
            cells = zip(*(map(self.tile, self.rows(name)) for name in heads), strict=True)
            tiles(page, end, [list(row) for row in cells], columns, heights)
            return page
        texts, looks = [], []
        for name in heads:
            rows = self.rows(name)
            said = {UNIT_HEAD: [*map(unit.change, rows)]}
            if len(heads) <= BESIDE and not stacked:
                said |= {f"{self.labels.confidence} CI": [*map(unit.bounds, rows)], **further}
            texts.append(said)
            looks.append([{"color": look_of(one.decision)[0] if one and one.moved else GREY} for one in rows])
        page, drawn = panels(
            self.presentation,
            title,
            subtitle,
            names,
            heights,
            list(heads.values()),
            texts,
            looks,
            axis,
            **about,
        )
        for axes, name in zip(drawn, heads, strict=True):
            for y, one in zip(middles_of(heights), self.rows(name), strict=True):
                if one is not None and one.estimate is not None:
                    mark(axes, y, one)
                elif one is not None and one.status == Status.WITHHELD:
                    hatched(axes, axis[0], y, axis[1] - axis[0], 0.8)
        return page

    def tile(self, one: Found | None) -> Tile:
        """Write a change into a cell of a grid: sign, difference, and from what to what."""
        unit, text = self.unit, self.unit.change(one)
        if one is None or one.estimate is None:
            return Tile(text, ink=GREY, hatched=text == WITHHELD)
        colour, _, sign = look_of(one.decision)
        levels = "" if one.first is None else f"\n{unit.write(one.first)} → {unit.write(one.last)}"
        ground = {Decision.INCREASE.value: "#dbe8f5", Decision.DECREASE.value: "#fae3d6"}
        return Tile(
            f"{sign} {text}{levels}",
            ground.get(one.decision, "#f5f5f5"),
            colour if one.moved else GREY,
            one.moved,
            f"{unit.write(one.estimate, signed=True)} ({unit.bounds(one)})",
        )

    def said(self, up: str, down: str, noun: str) -> str:
        """Describe what moved, in one sentence for each organisation."""
        sentences = []
        for name, own in self.parts.items():
            groups = []
            for word, chosen in ((up, [o for o in own if o.up]), (down, [o for o in own if o.down])):
                each = [
                    f"{self.labels.scale(o.scale)} {self.unit.write(o.estimate, signed=True)}" for o in chosen
                ]
                groups += [f"{word}: {listed(each)}"] if each else []
            still = sum(not one.moved for one in own)
            groups.append(f"{still} of {len(own)} scales without a clear {noun}")
            sentences.append(f"{self.labels.organisation(name)}: {'; '.join(groups)}.")
        return " ".join(sentences)

    @property
    def alpha(self) -> str:
        """What p is held against."""
        return f"{1 - self.presentation.confidence:.2g}".removeprefix("0")


def change_profile(contrasts: pd.DataFrame, means: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw each scale of the main pair of waves, from the earlier to the later, for each organisation.

    Parameters
    ----------
    contrasts, means
        As released.
    presentation
        The study in words, of several waves.
    """
    own = Compared.of(contrasts, means, presentation, CHANGE)
    labels, unit, two = own.labels, own.unit, (own.pair.first, own.pair.last)
    levels = level_rows(means, unit.name)
    levels = levels[~levels["wave"].isin(two) & levels["organisation"].isin(list(own.parts))]
    others: dict[tuple[str, str], list[float]] = {}
    for row in records(levels[levels["estimate"].notna() & levels["scale"].isin(own.order)]):
        others.setdefault((row.scale, row.organisation), []).append(float(row.estimate))
    keys = decision_keys({one.decision for one in own.shown}, grid=own.grid)
    if not own.grid:
        keys = [key(labels.wave(two[0]), marker="o", markerfacecolor="white", color=MARK), *keys]
        keys.append(Key(f"{labels.confidence} CI of the change", {"facecolor": "#dcdcdc"}, box=True))
        if others:
            named = levels[levels["estimate"].notna()]["wave"].unique()
            words = labels.wave(named[0]) if len(named) == 1 else "other waves"
            keys.append(key(words, marker="|", color=INK, markersize=9, markeredgewidth=1.6))
    title, em = headline(own.facts, presentation), Sheet.of(presentation.style).em

    def mark(axes: Axes, y: float, one: Found) -> None:
        ticks = others.get((one.scale, one.organisation), [])
        for level in ticks:
            line(
                axes, [level], [y], marker="|", color=INK, markersize=1.3 * em, markeredgewidth=1.6, zorder=2
            )
        if one.first is not None and one.last is not None:
            _arrow(axes, y, one, ticks, own, em)

    page = own.draw(
        title,
        f"{unit.words}, {own.dates}",
        {name: labels.organisation(name) for name in own.parts},
        mark,
        keys=keys,
        notes=[_rounding_note(own.shown, unit), _counts(means, own)],
        axis=unit.axis,
        further={},
    )
    drawn = contrast_rows(contrasts, unit.name, CHANGE, wave=own.pair.contrast)
    caption = (
        f"Each scale from the earlier wave{'' if own.grid else ' (ring)'} to the later, with the difference in points"
        f"{'' if own.grid else f' and its {labels.confidence} confidence interval'}. Colour: p adjusted across scales "
        f"below {own.alpha}."
    )
    alt = f"{title}. {own.said('rose', 'fell', 'change')}"
    return page.drawing(drawn[drawn["organisation"].isin(list(own.parts))], caption=caption, alt=alt)


def change_profile_narrow(
    contrasts: pd.DataFrame, means: pd.DataFrame, presentation: Presentation
) -> Drawing:
    """Draw `change_profile` for a telephone: as wide as its screen, organisations below each other."""
    slide = Sheet.of(presentation.style).height is not None
    return change_profile(contrasts, means, presentation if slide else on_telephone(presentation))


def _arrow(axes: Axes, y: float, one: Found, ticks: Sequence[float], own: Compared, em: float) -> None:
    """Draw a change from its ring to its mark, over the interval of where it ends, and write both numbers beside."""
    assert one.first is not None and one.last is not None and one.estimate is not None
    (colour, marker, _), unit, labels = look_of(one.decision), own.unit, own.labels
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
    rises, near = one.last >= one.first, 0.14 * (unit.range[1] - unit.range[0])
    for level, right, last in ((one.first, not rises, False), (one.last, rises, True)):
        beyond = [tick for tick in ticks if 0 <= (tick - level) * (1 if right else -1) < near]
        axes.annotate(
            unit.write(level),
            ((max if right else min)([level, *beyond]), y),
            xytext=((0.65 if right else -0.65) * em, 0),
            textcoords="offset points",
            ha="left" if right else "right",
            va="center_baseline",
            size=em,
            color=colour if last and one.moved else GREY,
            weight="bold" if last and one.moved else "normal",
            zorder=6,
        )


def differences_in_change(contrasts: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw by how much the organisations' changes differ, scale by scale.

    Parameters
    ----------
    contrasts
        As released.
    presentation
        The study in words, of several waves and organisations.
    """
    nothing = contrasts.iloc[:0]
    own = Compared.of(contrasts, nothing, presentation, DIFFERENCE)
    labels, unit, em = own.labels, own.unit, Sheet.of(presentation.style).em
    names = {name: tuple(map(labels.organisation, pair(name) or (name, name))) for name in own.parts}
    single = len(own.parts) == 1
    first, second = next(iter(names.values())) if single else ("the first", "the second")
    changes = found(contrasts, nothing, kind=CHANGE, wave=own.pair.contrast, unit=unit.name)
    further = {}
    for side in (pair(next(iter(own.parts))) or ()) if single else ():
        each = {one.scale: one for one in changes if one.organisation == side}
        further[wrap(labels.organisation(side), 8 * em, em, lines=1)[0]] = [
            unit.change(each.get(s)) for s in own.order
        ]
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

    title = _differing(own.parts, names, len(own.order))
    words = (
        f"in favour of {first}",
        f"in favour of {second}",
        "no meaningful difference",
        "no clear difference",
    )
    page = own.draw(
        title,
        f"Difference between changes in {unit.words.lower()}, {own.dates}",
        {name: f" {MINUS} ".join(sides) for name, sides in names.items()},
        mark,
        keys=decision_keys((one.decision for one in own.shown), words, grid=own.grid),
        notes=[],
        axis=(-most, most, ticks),
        further=further,
    )
    kinds = [DIFFERENCE, CHANGE] if single else [DIFFERENCE]
    chosen = {side for name in own.parts for side in (name, *(pair(name) or ()))}
    drawn = contrast_rows(contrasts, unit.name, *kinds, wave=own.pair.contrast)
    caption = (
        f"Change of the first {presentation.nouns.organisation[0]} less that of the second, with {labels.confidence} "
        f"confidence intervals. Colour: p adjusted across scales below {own.alpha}."
    )
    alt = f"{title}. {own.said('higher', 'lower', 'difference')}"
    return page.drawing(drawn[drawn["organisation"].isin(chosen)], caption=caption, alt=alt)


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
            first, last, change = (
                float(unit.write(x).replace(MINUS, "-")) for x in (one.first, one.last, one.estimate)
            )
            if abs(last - first - change) > (0.5 if unit.percent else 0.005):
                return "Differences are computed before rounding."
    return ""


def _counts(means: pd.DataFrame, own: Compared) -> str:
    """Give the largest number of respondents over the scales, for each of the two waves."""
    most = means[means["analysis"] == ANALYSIS[own.unit.name]].groupby(["organisation", "wave"])["n"].max()
    said = []
    for name in own.parts:
        n = [most.get((name, wave)) for wave in (own.pair.first, own.pair.last)]
        if not any(pd.isna(one) for one in n):
            said.append(f"{own.labels.organisation(name)} {n[0]:.0f} and {n[1]:.0f}")
    return f"n up to: {'; '.join(said)}." if said else ""


def scale_names(
    order: Sequence[str], shown: Sequence[Found], labels: Labels, sheet: Sheet
) -> list[list[str]]:
    """Break the names of scales into lines; a scale of low reliability is marked."""
    marked, sign = {one.scale for one in shown if one.low_reliability}, f" {LOW_RELIABILITY_SIGN}"
    room = sheet.width * (0.4 if sheet.width < 300 else LABEL) - width(sign, sheet.em)
    names = [list(wrap(labels.scale(scale), room, sheet.em)) for scale in order]
    return [
        [*name[:-1], name[-1] + sign] if s in marked else name for s, name in zip(order, names, strict=True)
    ]
