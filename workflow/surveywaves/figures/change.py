"""What changed: every scale from wave to wave, an organisation a panel; the report's first figure is one of these.

Marks stand at the share of favourable answers, or at the mean where a study has no favourable answers.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch, Rectangle

from surveywaves.figures.drawing import (
    LINE,
    LOW_RELIABILITY_SIGN,
    Drawing,
    Page,
    Tile,
    decision_keys,
    hatched,
    key,
    quiet,
    tiles,
    value,
    withheld_key,
)
from surveywaves.figures.style import (
    DECISIONS,
    GREY,
    INK,
    MARK,
    RULE,
    Sheet,
    drawable,
    look_of,
    steps,
    width,
    wrap,
)
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
from surveywaves.words import MINUS, NONE, WITHHELD, Labels, number, pair, records, shortened

ABREAST: Final = 3
"""Most organisations side by side as panels with an axis; more stand in a grid."""

FEWER: Final = "‡"
"""After a difference over fewer statements than the levels beside it."""

UNIT_HEAD: Final = "points"
"""Heading of differences."""

BESIDE: Final = 2
"""Most panels that have room for intervals in figures, and for means with two decimals."""

GRID: Final = 9
"""Most columns of a grid: beyond, all respondents stand for all."""


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

    def write(self, level: float | None, *, signed: bool = False) -> str:
        """Write a level or a difference."""
        return number(level, 0 if self.percent else 2, signed=signed)

    def interval(self, low: float | None, high: float | None) -> str:
        """Write an interval."""
        return NONE if low is None or high is None else f"{self.write(low)} to {self.write(high)}"


def change_profile(contrasts: pd.DataFrame, means: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw each scale of the main pair of waves, from the earlier to the later, for each organisation.

    Parameters
    ----------
    contrasts, means
        As released.
    presentation
        The study in words, of several waves.
    """
    compared, unit = main_pair(presentation), Unit(main_unit(contrasts), presentation)
    if compared is None:
        raise ValueError("the study has one wave")
    labels = Labels(presentation)
    facts = found(contrasts, means, kind=CHANGE, wave=compared.contrast, unit=unit.name)
    every = by_organisation(facts, presentation)
    parts = without_all(every)
    if len(parts) > GRID:
        parts = {ALL: every[ALL]} if ALL in every else dict(list(parts.items())[:GRID])
    order = _sorted(parts, labels.scales_in(contrasts))
    levels = _levels(means, unit)
    title = headline(facts, presentation)
    before, after = labels.dated(compared.first), labels.dated(compared.last)
    decisions = {one.decision for own in parts.values() for one in own}
    grid = _too_many(parts, unit)
    others = [wave for wave in presentation.waves if wave not in (compared.first, compared.last)]
    others = [wave for wave in others if any((s, wave, o) in levels for s in order for o in parts)]
    keys = decision_keys(decisions, grid=grid)
    if not grid:
        keys = [key(labels.wave(compared.first), marker="o", markerfacecolor="white", color=MARK), *keys]
        keys.append(Patch(facecolor="#dcdcdc", label=f"{labels.confidence} CI of the change"))
        if others:
            named = labels.wave(others[0]) if len(others) == 1 else "other waves"
            keys.append(key(named, marker="|", color=INK, markersize=9, markeredgewidth=1.6))
    shown = [one for own in parts.values() for one in own]
    gone = any(one.status == Status.WITHHELD for one in shown)
    page = Page(
        presentation,
        title,
        f"{unit.words}, {before} to {after}",
        keys=[*keys, *([withheld_key()] if gone else [])],
        notes=[_rounding_note(shown, unit), _mark_note(shown), _counts(means, parts, compared, unit, labels)],
        lines=_height(order, labels, presentation, grid=grid),
    )
    if grid:
        names = _scale_labels(order, shown, labels, page.sheet)
        heads = [labels.organisation(name) for name in parts]
        _in_cells(page, parts, unit, order=order, names=names, heads=heads, lines=2)
    else:
        panels = page.figure.subplots(1, max(len(parts), 1), sharey=True, squeeze=False)[0]
        for axes, (name, own) in zip(panels, parts.items(), strict=False):
            rows = [_of(own, scale) for scale in order]
            further = [
                [levels[place] for wave in others if (place := (scale, wave, name)) in levels]
                for scale in order
            ]
            _panel(
                axes,
                rows,
                further,
                intervals=len(parts) <= BESIDE,
                unit=unit,
                sheet=page.sheet,
                labels=labels,
            )
            axes.set_title(_panel_title(labels.organisation(name), len(parts), page.sheet))
        panels[0].set_yticks(range(len(order)), _scale_labels(order, shown, labels, page.sheet))
    drawn = contrast_rows(contrasts, unit.name, CHANGE, wave=compared.contrast)
    drawn = drawn[drawn["organisation"].isin(list(parts))]
    caption = (
        f"Each scale from the earlier wave (ring) to the later, with the difference in points and its "
        f"{labels.confidence} confidence interval. Colour: p adjusted across scales below {_alpha(presentation)}."
    )
    return page.drawing(drawn, caption=caption, alt=f"{title}. {_said(parts, unit, labels)}")


def _panel(
    axes: Axes,
    rows: Sequence[Found | None],
    further: Sequence[Sequence[float]],
    *,
    intervals: bool,
    unit: Unit,
    sheet: Sheet,
    labels: Labels,
) -> None:
    """Draw an organisation's changes, and beside them the differences with their intervals."""
    em, (low, high) = sheet.em, unit.range
    for y, (one, levels) in enumerate(zip(rows, further, strict=True)):
        axes.axhline(y, color=RULE, linewidth=0.5, zorder=0)
        for level in levels:
            axes.plot(level, y, "|", color=INK, markersize=1.3 * em, markeredgewidth=1.6, zorder=2)
        if one is None or one.estimate is None:
            if one is not None and one.status == Status.WITHHELD:
                hatched(axes, low, y, high - low, 0.4)
            continue
        if one.first is not None and one.last is not None:
            _arrow(axes, y, one, levels, unit=unit, em=em, labels=labels)
    quiet(axes)
    said = [_written(one, unit) for one in rows]
    _columns(axes, [UNIT_HEAD, f"{labels.confidence} CI"][: 1 + intervals], said, rows, em)
    _scale_axis(axes, unit, len(rows))


def _arrow(
    axes: Axes, y: int, one: Found, ticks: Sequence[float], *, unit: Unit, em: float, labels: Labels
) -> None:
    """Draw a change from its ring to its mark, over the interval of where it ends, and write both numbers beside."""
    assert one.first is not None and one.last is not None and one.estimate is not None
    colour, marker, _ = look_of(one.decision)
    if one.low is not None and one.high is not None:
        start = one.last + one.low - one.estimate
        band = Rectangle((start, y - 0.2), one.high - one.low, 0.4, facecolor=colour, alpha=0.22, linewidth=0)
        axes.add_artist(band)
    axes.plot([one.first, one.last], [y, y], color=colour, linewidth=0.22 * em, zorder=3)
    ring: dict[str, Any] = {"markersize": 0.72 * em, "markerfacecolor": "white", "markeredgewidth": 0.15 * em}
    axes.plot(one.first, y, "o", color=colour, zorder=4, **ring)
    [mark] = axes.plot(one.last, y, marker, color=colour, markersize=0.8 * em, zorder=5)
    value(
        mark,
        f"{labels.scale(one.scale)}, {labels.organisation(one.organisation)}: {unit.write(one.first)} to "
        f"{unit.write(one.last)}, {unit.write(one.estimate, signed=True)} points "
        f"({labels.confidence} CI {unit.interval(one.low, one.high)})",
    )
    rises = one.last >= one.first
    near = 0.14 * (unit.range[1] - unit.range[0])
    for level, right, last in ((one.first, not rises, False), (one.last, rises, True)):
        beyond = [tick for tick in ticks if 0 <= (tick - level) * (1 if right else -1) < near]
        axes.annotate(
            unit.write(level),
            ((max if right else min)([level, *beyond]), y),
            xytext=((0.65 if right else -0.65) * em, 0),
            textcoords="offset points",
            ha="left" if right else "right",
            va="center_baseline",
            color=colour if last else GREY,
            weight="bold" if last and one.moved else "normal",
            zorder=6,
        )


def _columns(
    axes: Axes, heads: Sequence[str], said: Sequence[Sequence[str]], rows: Sequence[Found | None], em: float
) -> None:
    """Write columns of numbers to the right of an axes, the first in bold where a change is decided."""
    right = 0.0
    for place, head in enumerate(heads):
        column = [texts[place] for texts in said]
        right += max(width(text, em, bold=True) for text in (head, *column)) + 0.8 * em
        look: dict[str, Any] = {"textcoords": "offset points", "ha": "right", "xytext": (right, 0)}
        top = {**look, "xytext": (right, 0.35 * em), "va": "baseline", "color": GREY}
        axes.annotate(drawable(head), (1, 1), xycoords="axes fraction", **top)
        for y, (one, text) in enumerate(zip(rows, column, strict=True)):
            moved = one is not None and one.moved
            colour = DECISIONS[one.decision][0] if one is not None and moved else GREY
            weight = "bold" if moved and head == UNIT_HEAD else "normal"
            at = {"xycoords": axes.get_yaxis_transform(), "va": "center_baseline", **look}
            axes.annotate(text, (1, y), color=colour, weight=weight, **at)


def _written(one: Found | None, unit: Unit) -> tuple[str, str]:
    """Write a difference and its interval, or what stands for them."""
    if one is None:
        return NONE, ""
    if one.estimate is None:
        return (WITHHELD if one.status == Status.WITHHELD else NONE), ""
    return unit.write(one.estimate, signed=True) + (FEWER if one.fewer else ""), unit.interval(
        one.low, one.high
    )


def _tile(one: Found | None, unit: Unit) -> Tile:
    """Write a change into a cell of a grid: sign, difference, and from what to what."""
    if one is None or one.estimate is None:
        gone = one is not None and one.status == Status.WITHHELD
        return Tile(WITHHELD if gone else NONE, ink=GREY, hatched=gone)
    colour, _, sign = look_of(one.decision)
    levels = "" if one.first is None else f"\n{unit.write(one.first)} → {unit.write(one.last)}"
    text = f"{sign} {_written(one, unit)[0]}{levels}"
    told = f"{unit.write(one.estimate, signed=True)} ({unit.interval(one.low, one.high)})"
    ground = {Decision.INCREASE.value: "#dbe8f5", Decision.DECREASE.value: "#fae3d6"}
    return Tile(text, ground.get(one.decision, "#f5f5f5"), colour if one.moved else GREY, one.moved, told)


def profile(means: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw each scale of the one wave of a study, for each organisation.

    Parameters
    ----------
    means
        As released.
    presentation
        The study in words.
    """
    unit, labels = Unit(main_unit(means), presentation), Labels(presentation)
    rows = level_rows(means, unit.name)
    parts = _panels_of(rows, presentation)
    first = rows[rows["organisation"].isin(parts[:1])].set_index("scale")["estimate"]
    scales = labels.scales_in(rows)
    order = sorted(scales, key=lambda scale: -first[scale] if pd.notna(first.get(scale)) else math.inf)
    return _levels_drawing(
        rows,
        order,
        parts,
        unit=unit,
        presentation=presentation,
        about="Scales are sorted by the first panel.",
    )


def gradient(means: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw some scales in their order, wave beside wave, a panel an organisation.

    Parameters
    ----------
    means
        As released.
    presentation
        The study in words, with such an order.
    """
    chosen = presentation.style.gradient
    if chosen is None:
        raise ValueError("the study puts no scales in an order")
    unit = Unit(main_unit(means), presentation)
    rows = level_rows(means, unit.name)
    rows = rows[rows["scale"].isin(chosen.scales)]
    parts = _panels_of(rows, presentation)
    return _levels_drawing(
        rows,
        list(chosen.scales),
        parts,
        unit=unit,
        presentation=presentation,
        about=f"{shortened(chosen.title, 80)}.",
    )


def _panels_of(rows: pd.DataFrame, presentation: Presentation) -> list[str]:
    """Choose the organisations that stand side by side; all respondents instead where there are too many."""
    named = set(rows["organisation"])
    own = [name for name in presentation.organisations if name in named]
    return ([ALL] if ALL in named else own[:ABREAST]) if len(own) > ABREAST or not own else own


def _levels_drawing(
    rows: pd.DataFrame,
    order: Sequence[str],
    parts: Sequence[str],
    *,
    unit: Unit,
    presentation: Presentation,
    about: str,
) -> Drawing:
    """Draw levels with their intervals: scales downwards, in each the waves."""
    labels = Labels(presentation)
    rows = rows[rows["organisation"].isin(parts)]
    waves = [wave for wave in presentation.waves if rows[rows["estimate"].notna()]["wave"].eq(wave).any()]
    looks = dict(zip(waves, zip(steps(len(waves)), itertools.cycle("sDo^vPX"), strict=False), strict=False))
    keys = [key(labels.wave(wave), color=colour, marker=marker) for wave, (colour, marker) in looks.items()]
    gone = rows["status"].eq(Status.WITHHELD).any()
    only = f", {labels.wave(waves[0])}" if len(waves) == 1 else ""
    sheet = Sheet.of(presentation.style)
    page = Page(
        presentation,
        _range_title(rows, order, unit, labels),
        f"{unit.words}, with {labels.confidence} intervals{only}",
        keys=[*(keys if len(keys) > 1 else []), *([withheld_key()] if gone else [])],
        lines=len(order) * max(1.25 * len(waves) + 0.6, 2 * LINE) + 4,
    )
    panels = page.figure.subplots(1, max(len(parts), 1), sharey=True, squeeze=False)[0]
    (low, high), em = unit.range, sheet.em
    apart = 0.8 / max(len(waves), 2)
    for axes, name in zip(panels, parts, strict=False):
        axes.set_title(_panel_title(labels.organisation(name), len(parts), sheet))
        for row in records(rows[rows["organisation"].eq(name) & rows["wave"].isin(waves)]):
            y = order.index(row.scale) + (waves.index(row.wave) - (len(waves) - 1) / 2) * apart
            if pd.isna(row.estimate):
                if row.status == Status.WITHHELD:
                    hatched(axes, low, y, high - low, 0.6 * apart)
                continue
            colour, marker = looks[row.wave]
            axes.plot([row.conf_low, row.conf_high], [y, y], color=colour, linewidth=0.18 * em)
            [mark] = axes.plot(row.estimate, y, marker, color=colour, markersize=0.75 * em, zorder=3)
            level = f"{unit.write(row.estimate)} ({unit.interval(row.conf_low, row.conf_high)})"
            value(
                mark,
                f"{labels.scale(row.scale)}, {labels.organisation(name)}, {labels.wave(row.wave)}: {level}",
            )
            end = max(row.conf_high, row.estimate)
            look: dict[str, Any] = {"textcoords": "offset points", "va": "center_baseline", "color": colour}
            axes.annotate(unit.write(row.estimate), (end, y), xytext=(0.6 * em, 0), **look)
        quiet(axes)
        for y in range(1, len(order)):
            axes.axhline(y - 0.5, color=RULE, linewidth=0.6)
        _scale_axis(axes, unit, len(order))
    panels[0].set_yticks(range(len(order)), _scale_labels(order, [], labels, sheet))
    caption = f"{unit.words}, of each scale, with {labels.confidence} confidence intervals. {about}"
    return page.drawing(rows, caption=caption, alt=f"{page.title}.")


def _scale_axis(axes: Axes, unit: Unit, count: int) -> None:
    """Set up the axis of a panel of levels; rows run from the top."""
    low, high = unit.range
    spare = (high - low) * 0.14
    places = [0.0, 25.0, 50.0, 75.0, 100.0] if unit.percent else [low, (low + high) / 2, high]
    axes.set_xticks(
        places, [f"{place:g}%" if place == 100 and unit.percent else f"{place:g}" for place in places]
    )
    axes.set(xlim=(low - spare, high + spare), ylim=(count - 0.5, -0.5))
    axes.grid(axis="x")
    axes.spines["bottom"].set_visible(False)
    axes.set_axisbelow(True)


def differences_in_change(contrasts: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw by how much the organisations' changes differ, scale by scale.

    Parameters
    ----------
    contrasts
        As released.
    presentation
        The study in words, of several waves and organisations.
    """
    compared, unit = main_pair(presentation), Unit(main_unit(contrasts), presentation)
    if compared is None:
        raise ValueError("the study has one wave")
    labels, nothing = Labels(presentation), contrasts.iloc[:0]
    facts = found(contrasts, nothing, kind=DIFFERENCE, wave=compared.contrast, unit=unit.name)
    parts = dict(list(by_organisation(facts, presentation).items())[:GRID])
    order = _sorted(parts, labels.scales_in(contrasts))
    shown = [one for own in parts.values() for one in own]
    names = {name: tuple(map(labels.organisation, pair(name) or (name, name))) for name in parts}
    grid, title = _too_many(parts, unit), _differing(parts, names, len(order))
    page = Page(
        presentation,
        title,
        f"Difference between changes in {unit.words.lower()}, {labels.dated(compared.first)} to "
        f"{labels.dated(compared.last)}",
        keys=[
            *_favours(shown, names, grid=grid),
            *([withheld_key()] if any(one.status == Status.WITHHELD for one in shown) else []),
        ],
        notes=[_mark_note(shown)],
        lines=_height(order, labels, presentation, grid=grid) + (2 if grid else 0),
    )
    em = page.sheet.em
    heads = {name: f" {MINUS} ".join(sides) for name, sides in names.items()}
    if grid:
        named = _scale_labels(order, shown, labels, page.sheet)
        _in_cells(page, parts, unit, order=order, names=named, heads=list(heads.values()), lines=3)
    else:
        panels = page.figure.subplots(1, max(len(parts), 1), sharey=True, squeeze=False)[0]
        changes = found(contrasts, nothing, kind=CHANGE, wave=compared.contrast, unit=unit.name)
        for axes, (name, own) in zip(panels, parts.items(), strict=False):
            rows = [_of(own, scale) for scale in order]
            sides = pair(name) or ()
            each = [[one for one in changes if one.organisation == side] for side in sides if len(parts) == 1]
            said = [[_written(_of(side, scale), unit)[0] for side in each] for scale in order]
            beside = [
                wrap(labels.organisation(side), 8 * em, em, lines=1)[0]
                for side, _ in zip(sides, each, strict=False)
            ]
            told = [
                f"{labels.scale(one.scale)}: {' ('.join(_written(one, unit))})" if one else "" for one in rows
            ]
            _differences(axes, rows, shown, told, em)
            written = [[*_written(one, unit), *more] for one, more in zip(rows, said, strict=True)]
            heads_of = [UNIT_HEAD, *([f"{labels.confidence} CI"] if len(parts) <= BESIDE else []), *beside]
            _columns(axes, heads_of, written, rows, em)
            axes.set_title(_panel_title(heads[name], len(parts) + 0.5, page.sheet))
        panels[0].set_yticks(range(len(order)), _scale_labels(order, shown, labels, page.sheet))
    kinds = [DIFFERENCE] if grid or len(parts) > 1 else [DIFFERENCE, CHANGE]
    chosen = {side for name in parts for side in (name, *(pair(name) or ()))}
    drawn = contrast_rows(contrasts, unit.name, *kinds, wave=compared.contrast)
    drawn = drawn[drawn["organisation"].isin(chosen)]
    caption = (
        f"Change of the first {presentation.nouns.organisation[0]} less that of the second, with {labels.confidence} "
        f"confidence intervals. Colour: p adjusted across scales below {_alpha(presentation)}."
    )
    return page.drawing(drawn, caption=caption, alt=f"{title}. {_said(parts, unit, labels, higher=True)}")


def _differences(
    axes: Axes, rows: Sequence[Found | None], every: Sequence[Found], told: Sequence[str], em: float
) -> None:
    """Draw differences with their intervals about zero; `every` of the figure gives the axis."""
    bounds = [abs(bound) for one in every for bound in (one.low, one.high) if bound is not None]
    most = max(bounds, default=1.0) * 1.05
    axes.axvline(0, color=INK, linewidth=0.8)
    for y, (one, said) in enumerate(zip(rows, told, strict=True)):
        axes.axhline(y, color=RULE, linewidth=0.5, zorder=0)
        if one is None or one.estimate is None:
            if one is not None and one.status == Status.WITHHELD:
                hatched(axes, -most, y, 2 * most, 0.4)
            continue
        colour, marker, _ = look_of(one.decision)
        if one.low is not None and one.high is not None:
            axes.plot([one.low, one.high], [y, y], color=colour, linewidth=0.18 * em)
        [mark] = axes.plot(one.estimate, y, marker, color=colour, markersize=0.85 * em, zorder=4)
        value(mark, said)
    quiet(axes)
    step = 10 ** math.floor(math.log10(most))
    step = next(nice * step for nice in (5, 2, 1, 0.5) if nice * step <= most)
    axes.set_xticks([-step, 0, step], [number(place, 0 if step >= 1 else 2) for place in (-step, 0, step)])
    axes.set(xlim=(-most, most), ylim=(len(rows) - 0.5, -0.5))
    axes.grid(axis="x")
    axes.spines["bottom"].set_visible(False)


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


def _favours(facts: Sequence[Found], names: Mapping[str, tuple[str, ...]], *, grid: bool) -> list[Any]:
    """Make the legend: in whose favour a difference is."""
    first, second = next(iter(names.values())) if len(names) == 1 else ("the first", "the second")
    words = (
        f"in favour of {first}",
        f"in favour of {second}",
        "no meaningful difference",
        "no clear difference",
    )
    return decision_keys((one.decision for one in facts), words, grid=grid)


# --- shared ---------------------------------------------------------------------------------------------------------


def _too_many(parts: Mapping[str, Any], unit: Unit) -> bool:
    """Whether there is no room for panels with an axis each."""
    return len(parts) > (ABREAST if unit.percent else BESIDE)


def _in_cells(
    page: Page,
    parts: Mapping[str, Sequence[Found]],
    unit: Unit,
    *,
    order: Sequence[str],
    names: Sequence[str],
    heads: Sequence[str],
    lines: int,
) -> None:
    """Draw a grid: scales downwards, organisations or pairs of them beside each other."""
    cells = [[_tile(_of(own, scale), unit) for own in parts.values()] for scale in order]
    room, em = 0.68 * page.sheet.width / len(parts), page.sheet.em
    columns = ["\n".join(wrap(head, room, em, lines=lines)) for head in heads]
    tiles(page.figure.subplots(), cells, names, columns)


def _of(facts: Sequence[Found], scale: str) -> Found | None:
    return next((one for one in facts if one.scale == scale), None)


def _sorted(parts: Mapping[str, Sequence[Found]], scales: Sequence[str]) -> list[str]:
    """Sort scales by the first panel's estimate; what has none comes last."""
    first = next(iter(parts.values()), [])
    known = {one.scale: one.estimate for one in first if one.estimate is not None}
    named = {one.scale for own in parts.values() for one in own}
    return sorted((s for s in scales if s in named), key=lambda scale: known.get(scale, float("inf")))


def _levels(means: pd.DataFrame, unit: Unit) -> dict[tuple[str, str, str], float]:
    own = level_rows(means, unit.name)
    own = own[own["estimate"].notna()]
    places = zip(own["scale"], own["wave"], own["organisation"], strict=True)
    return dict(zip(places, own["estimate"], strict=True))


LABEL: Final = 0.25
"""Share of a sheet's width that the names of scales take at most."""


def _panel_title(title: str, count: float, sheet: Sheet) -> str:
    """Break a title where its panel, without the columns beside it, ends."""
    return "\n".join(wrap(title, sheet.width / count / 3, sheet.em * 1.1, bold=True))


def _scale_labels(order: Sequence[str], shown: Sequence[Found], labels: Labels, sheet: Sheet) -> list[str]:
    marked = {one.scale for one in shown if one.low_reliability}
    sign = f" {LOW_RELIABILITY_SIGN}"
    room = sheet.width * LABEL - width(sign, sheet.em)
    return [
        "\n".join(wrap(labels.scale(scale), room, sheet.em)) + (sign if scale in marked else "")
        for scale in order
    ]


def _height(order: Sequence[str], labels: Labels, presentation: Presentation, *, grid: bool) -> float:
    """Compute the height of the rows, with axis and heading, in em."""
    sheet = Sheet.of(presentation.style)
    two = grid or any("\n" in label for label in _scale_labels(order, [], labels, sheet))
    return len(order) * (2 * LINE + 0.1 if two else 1.9) + 5


def _alpha(presentation: Presentation) -> str:
    return f"{1 - presentation.confidence:.2g}".removeprefix("0")


def _mark_note(facts: Sequence[Found]) -> str:
    low = f"{LOW_RELIABILITY_SIGN} Low reliability." if any(one.low_reliability for one in facts) else ""
    fewer = f"{FEWER} Only what both waves asked." if any(one.fewer for one in facts) else ""
    return f"{low} {fewer}".strip()


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


def _counts(means: pd.DataFrame, parts: Mapping[str, Any], compared: Any, unit: Unit, labels: Labels) -> str:
    """Give the largest number of respondents over the scales, for each of the two waves."""
    own = means[means["analysis"] == ANALYSIS[unit.name]]
    said = []
    for name in parts:
        n = [
            own[(own["wave"] == wave) & (own["organisation"] == name)]["n"].max()
            for wave in (compared.first, compared.last)
        ]
        if not any(pd.isna(one) for one in n):
            said.append(f"{labels.organisation(name)} {n[0]:.0f} and {n[1]:.0f}")
    return f"n up to: {'; '.join(said)}." if said else ""


def _said(parts: Mapping[str, Sequence[Found]], unit: Unit, labels: Labels, *, higher: bool = False) -> str:
    """Describe what moved, in one sentence for each organisation."""
    up, down = ("higher", "lower") if higher else ("rose", "fell")
    sentences = []
    for name, own in parts.items():
        groups = []
        for word, chosen in ((up, [o for o in own if o.up]), (down, [o for o in own if o.down])):
            if chosen:
                each = [
                    f"{labels.scale(one.scale)} {unit.write(one.estimate, signed=True)}" for one in chosen
                ]
                groups.append(f"{word}: {listed(each)}")
        still = sum(not one.moved for one in own)
        groups.append(f"{still} of {len(own)} scales without a clear {'difference' if higher else 'change'}")
        sentences.append(f"{labels.organisation(name)}: {'; '.join(groups)}.")
    return " ".join(sentences)


def _range_title(rows: pd.DataFrame, scales: Sequence[str], unit: Unit, labels: Labels) -> str:
    """Make a title of the range of levels of the first and the last scale."""
    said = []
    for scale in dict.fromkeys((scales[0], scales[-1])) if scales else ():
        own = rows[(rows["scale"] == scale) & rows["estimate"].notna()]["estimate"]
        if len(own):
            low, high = unit.write(own.min()), unit.write(own.max())
            sign = "%" if unit.percent else ""
            level = f"{low}{sign}" if low == high else f"{low}–{high}{sign}"
            said.append(f"{labels.scale(scale)} {level}")
    if not said:
        return "There is no estimate"
    return f"{unit.words.partition(',')[0]}: {' to '.join(said)}"
