"""Levels with their intervals: waves under each other within each scale, a panel per organisation; or ranked."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import pandas as pd
from matplotlib.axes import Axes

from surveywaves.figures.drawing import Drawing, Key
from surveywaves.figures.estimates import Estimates, Unit, span
from surveywaves.figures.layout import MARKS, beside, points
from surveywaves.figures.style import GREY, INK, steps
from surveywaves.findings import LEVEL, Found, found, level_rows, main_unit
from surveywaves.study.parts import Presentation
from surveywaves.terms import ALL
from surveywaves.words import NONE, Labels, shortened


def profile(means: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw each scale of the last wave, from the highest on, for each organisation."""
    rows = means[means["wave"] == list(presentation.waves)[-1]]

    def highest(facts: Sequence[Found]) -> list[str]:
        known = {one.scale: -one.estimate for one in facts if one.estimate is not None}
        return sorted(Labels(presentation).scales_in(rows), key=lambda scale: known.get(scale, math.inf))

    return _draw(rows, highest, presentation, "Scales are sorted by the first panel.")


def gradient(means: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw some scales in the order that the study puts them in, wave beside wave, a panel an organisation."""
    chosen = presentation.style.gradient
    if chosen is None:
        raise ValueError("the study puts no scales in an order")
    rows = means[means["scale"].isin(chosen.scales)]
    return _draw(rows, lambda _: list(chosen.scales), presentation, f"{shortened(chosen.title, 80)}.")


def _draw(
    means: pd.DataFrame, put: Callable[[Sequence[Found]], list[str]], presentation: Presentation, about: str
) -> Drawing:
    """Draw levels; `put` returns the scales in order, from the levels of the first panel or of all together."""
    unit, labels, em = (
        Unit(main_unit(means), presentation),
        Labels(presentation),
        presentation.style.font_size,
    )
    rows = level_rows(means, unit.name)
    levels = {wave: found(None, rows, kind=LEVEL, wave=wave, unit=unit.name) for wave in presentation.waves}
    waves = [wave for wave, own in levels.items() if any(unit.change(one) != NONE for one in own)]
    own = Estimates(unit, [one for wave in waves for one in levels[wave]], [])
    if own.ranked:
        waves, about = waves[-1:], f"Each {presentation.nouns.organisation[0]} is ranked."
    facts = [one for one in own.facts if one.wave in waves]
    first = next(iter(own.parts.values()), [])
    own = Estimates(
        unit, facts, put([one for one in facts if one.organisation == ALL] if own.ranked else first)
    )
    looks = dict(zip(waves, zip(steps(len(waves)), itertools.cycle("sDo^vPX"), strict=False), strict=False))
    marks: dict[Axes, list[tuple[float, float, str, str]]] = {}

    def mark(axes: Axes, y: float, one: Found) -> None:
        assert one.estimate is not None
        span(axes, y, one, color=looks[one.wave][0], linewidth=0.18 * em)
        marks.setdefault(axes, []).append((one.estimate, y, one.wave, unit.told(one)))
        ink = INK if one.wave == waves[-1] else GREY
        beside(axes, max(one.high or one.estimate, one.estimate), y, unit.change(one), 0.6 * em, color=ink)

    keys = [
        Key(labels.wave(wave), {"color": colour, "marker": marker})
        for wave, (colour, marker) in looks.items()
    ]
    only = f", {labels.wave(waves[0])}" if len(waves) == 1 else ""
    words = _title(own, labels), f"{unit.words}, with {labels.confidence} intervals{only}"
    page = own.draw(words, mark, unit.axis, keys=keys if len(keys) > 1 else [], waves=waves)
    for axes, drawn in marks.items():
        points(axes, pd.DataFrame(drawn, columns=MARKS), looks, 0.75 * em, focus=True)
    rows = rows[rows["organisation"].isin([*own.parts]) & rows["wave"].isin(waves)]
    caption = f"{unit.words}, of each scale, with {labels.confidence} confidence intervals. {about}"
    return page.drawing(rows, caption=caption, alt=f"{page.title}.")


def _title(own: Estimates, labels: Labels) -> str:
    """Make a title of the range of levels of the first and the last scale."""
    said, unit = [], own.unit
    for scale in dict.fromkeys((*own.order[:1], *own.order[-1:])):
        levels = [one.estimate for one in own.shown if one.scale == scale and one.estimate is not None]
        if levels:
            low, high = unit.write(min(levels)), unit.write(max(levels))
            ends = low if low == high else f"{low}–{high}"
            said.append(f"{labels.scale(scale)} {ends}{'%' * unit.percent}")
    if not said:
        return "There is no estimate"
    return "; ".join([f"{said[0]} {'favourable' if unit.percent else 'on average'}", *said[1:]])
