"""What changed: every scale from wave to wave, a panel per organisation; the report's first figure is one of these.

Marks stand at the share of favourable answers, or at the mean where a study has no favourable answers. Where there are
more organisations than stand side by side, they are ranked within each scale instead.
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
from surveywaves.figures.estimates import ABREAST, FEWER, Unit, ranked, span
from surveywaves.figures.layout import Part, Rows, beside, hatched, panels, value
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
from surveywaves.terms import ALL, BETWEEN, Status
from surveywaves.text import listed
from surveywaves.words import (
    LOW_RELIABILITY_SIGN,
    MINUS,
    Labels,
    lower,
    pair,
    records,
)

BESIDE: Final = 2
"""Most panels that have room for intervals in figures, and for means with two decimals."""


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
        first = every.get(ALL, []) if len(parts) > ABREAST else []
        first = first or next(iter(parts.values()), [])
        known = {one.scale: one.estimate for one in first if one.estimate is not None}
        named = {one.scale for own in parts.values() for one in own}
        order = [scale for scale in Labels(presentation).scales_in(contrasts) if scale in named]
        order.sort(key=lambda scale: known.get(scale, math.inf))
        return cls(presentation, unit, facts, parts, order)

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
    def ranked(self) -> bool:
        """Whether organisations are ranked because panels side by side would not fit."""
        return len(self.parts) > (ABREAST if self.unit.percent else BESIDE)

    def rows(self, contrasts: pd.DataFrame, kind: str) -> pd.DataFrame:
        """Give the rows that are drawn."""
        wave = self.facts[0].wave if self.facts else None
        rows = contrast_rows(contrasts, self.unit.name, kind, wave=wave)
        return rows[rows["organisation"].isin([*self.parts])]

    def draw(
        self,
        words: tuple[str, str],
        mark: Callable[[Axes, float, Found], None],
        axis: tuple[float, float, Mapping[float, str]],
        keys: Sequence[Key],
        notes: Sequence[str] = (),
    ) -> Page:
        """Draw panels beside each other, with differences and intervals in figures; or rank them.

        `words` are title and subtitle; `mark` draws a fact into a panel at some height.
        """
        unit, shown, labels = self.unit, self.shown, Labels(self.presentation)
        low = f"{LOW_RELIABILITY_SIGN} Low reliability." if any(one.low_reliability for one in shown) else ""
        fewer = f"{FEWER} Only what both waves asked." if any(one.fewer for one in shown) else ""
        keys = [*keys, *withheld_key(any(one.status == Status.WITHHELD for one in shown))]
        about: dict[str, Any] = {"keys": keys, "notes": [*notes, low, fewer]}
        if self.ranked:
            every = {one.scale: one.estimate for one in self.facts if one.organisation == ALL}
            axis = unit.around_zero(shown)
            return ranked(unit, words, shown, order=self.order, every=every, axis=axis, **about)
        rows, parts = scale_rows(self.order, shown, self.presentation, 1.9), []
        facts = {name: {one.scale: one for one in own} for name, own in self.parts.items()}
        for name, of in facts.items():
            own = [of.get(scale) for scale in self.order]
            columns = [("points", [*map(unit.change, own)])]
            if len(facts) <= BESIDE and not isinstance(self.presentation.style, Narrow):
                columns.append((f"{labels.confidence} CI", [*map(unit.bounds, own)]))
            colours = [look_of(one.decision)[0] if one and one.moved else GREY for one in own]
            parts.append(Part(labels.organisation(name), columns, colours))
        page, drawn = panels(self.presentation, words, rows, parts, axis, **about)
        for axes, of in zip(drawn, facts.values(), strict=True):
            for y, scale in zip(rows.middles, self.order, strict=True):
                one = of.get(scale)
                if one is not None and one.estimate is not None:
                    mark(axes, y, one)
                elif one is not None and one.status == Status.WITHHELD:
                    hatched(axes, axis[0], y, axis[1] - axis[0], 0.8)
        return page

    def said(self, up: str, down: str, noun: str) -> str:
        """Describe what moved, in one sentence for each organisation; of many, in one for each scale."""
        labels, sentences = Labels(self.presentation), []
        if self.ranked:
            for scale in self.order:
                own = [one for one in self.shown if one.scale == scale]
                ups, downs = sum(one.up for one in own), sum(one.down for one in own)
                sentences.append(f"{labels.scale(scale)}: {ups} of {len(own)} {up}, {downs} {down}.")
            return " ".join(sentences)
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
    keys = decision_keys({one.decision for one in own.shown}, grid=own.ranked)
    if not own.ranked:
        keys = [key(labels.wave(first), marker="o", markerfacecolor="white", color=MARK), *keys]
        keys.append(Key(f"{labels.confidence} CI of the change", {"facecolor": "#dcdcdc"}, box=True))
        if len(levels):
            named = [*levels["wave"].unique()]
            words = labels.wave(named[0]) if len(named) == 1 else "other waves"
            keys.append(key(words, marker="|", color=INK, markersize=9, markeredgewidth=1.6))
    title, what = (
        headline(own.facts, presentation),
        "Change in " + lower(unit.words) if own.ranked else unit.words,
    )

    def mark(axes: Axes, y: float, one: Found) -> None:
        ticks = others.get((one.scale, one.organisation), [])
        look = {"marker": "|", "color": INK, "markersize": 1.3 * em, "markeredgewidth": 1.6, "zorder": 2}
        for level in ticks:
            line(axes, [level], [y], **look)
        if one.first is not None and one.last is not None:
            _arrow(axes, y, one, ticks, unit)

    named_as = title, f"{what}, {labels.dated(first)} to {labels.dated(last)}"
    page = own.draw(named_as, mark, unit.axis, keys, [_rounding_note(own.shown, unit), _counts(means, own)])
    caption = (
        f"Each scale from the earlier wave (ring) to the later, with the difference in points and its "
        f"{labels.confidence} confidence interval."
    )
    if own.ranked:
        one = presentation.nouns.organisation[0]
        caption = (
            f"Change of each {one} on each scale, ranked, with {labels.confidence} confidence intervals."
        )
    alt = f"{title}. {own.said('rose', 'fell', 'change')}"
    return page.drawing(own.rows(contrasts, CHANGE), caption=f"{caption} {own.coloured}", alt=alt)


def _arrow(axes: Axes, y: float, one: Found, ticks: Sequence[float], unit: Unit) -> None:
    """Draw a change from its ring to its mark, over the interval of where it ends, and write both numbers beside."""
    assert one.first is not None and one.last is not None and one.estimate is not None
    (colour, marker, _), em, near = (
        look_of(one.decision),
        unit.presentation.style.font_size,
        unit.axis[1] - unit.axis[0],
    )
    if one.low is not None and one.high is not None:
        start, wide = one.last + one.low - one.estimate, one.high - one.low
        axes.add_artist(Rectangle((start, y - 0.4), wide, 0.8, facecolor=colour, alpha=0.22, linewidth=0))
    line(axes, [one.first, one.last], [y, y], color=colour, linewidth=0.22 * em, zorder=3)
    ring: dict[str, Any] = {"markersize": 0.72 * em, "markerfacecolor": "white", "markeredgewidth": 0.15 * em}
    line(axes, [one.first], [y], marker="o", color=colour, zorder=4, **ring)
    value(
        line(axes, [one.last], [y], marker=marker, color=colour, markersize=0.8 * em, zorder=5),
        unit.told(one),
    )
    outwards = 1 if one.last >= one.first else -1
    for level, side, bold in ((one.first, -outwards, False), (one.last, outwards, one.moved)):
        beyond = [tick for tick in ticks if 0 <= (tick - level) * side < 0.11 * near]
        x = max([level, *beyond], key=lambda place: place * side)
        look = {"color": colour if bold else GREY, "weight": "bold" if bold else "normal", "zorder": 6}
        beside(axes, x, y, unit.write(level), 0.65 * em * side, **look)


def differences_in_change(contrasts: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw by how much the organisations' changes differ, scale by scale."""
    own = Compared.of(contrasts, contrasts.iloc[:0], presentation, DIFFERENCE)
    labels, unit, em = Labels(presentation), own.unit, presentation.style.font_size
    sides = [tuple(map(labels.organisation, pair(name) or (name, name))) for name in own.parts]
    first, second = sides[0] if len(sides) == 1 else ("the first", "the second")

    def mark(axes: Axes, y: float, one: Found) -> None:
        colour, marker, _ = look_of(one.decision)
        span(axes, y, one, color=colour, linewidth=0.18 * em)
        assert one.estimate is not None
        drawn = line(axes, [one.estimate], [y], marker=marker, color=colour, markersize=0.85 * em, zorder=4)
        value(drawn, unit.told(one))

    title, (earlier, later) = _differing(own.shown, sides, len(own.order)), map(labels.dated, own.waves)
    named = (
        f"in favour of {first}",
        f"in favour of {second}",
        "no meaningful difference",
        "no clear difference",
    )
    keys = decision_keys((one.decision for one in own.shown), named, grid=own.ranked)
    words = title, f"Difference between changes in {lower(unit.words)}, {earlier} to {later}"
    page = own.draw(words, mark, unit.around_zero(own.shown), keys)
    for axes in page.figure.axes:
        axes.axvline(0, color=INK, linewidth=0.8, zorder=1)
    one, against = f"the first {presentation.nouns.organisation[0]}", "that of the second"
    if all(name.endswith(f"{BETWEEN}{ALL}") for name in own.parts):
        one, against = (
            f"each {presentation.nouns.organisation[0]}",
            f"that of {lower(labels.organisation(ALL))}, ranked",
        )
    caption = f"Change of {one} less {against}, with {labels.confidence} confidence intervals. {own.coloured}"
    alt = f"{title}. {own.said('higher', 'lower', 'difference')}"
    return page.drawing(own.rows(contrasts, DIFFERENCE), caption=caption, alt=alt)


def _differing(facts: Sequence[Found], sides: Sequence[tuple[str, ...]], count: int) -> str:
    """Count the scales on which changes differ; of a single pair, say in whose favour."""
    moved = [one for one in facts if one.moved]
    if not moved:
        return "No scale shows a clear difference between the changes"
    if len(sides) > 1:
        return f"The changes differ clearly on {len({one.scale for one in moved})} of {count} scales"
    [(one, other)] = sides
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
    for name in own.parts if not own.ranked else [ALL]:
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
