"""Levels with their intervals: waves under each other within each scale, a panel per organisation; or ranked."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from surveywaves.figures.change import scale_rows
from surveywaves.figures.drawing import LINE, Drawing, Key, Page, key, withheld_key
from surveywaves.figures.estimates import ABREAST, Unit, ranked, span
from surveywaves.figures.layout import MARKS, Part, beside, hatched, panels, points
from surveywaves.figures.style import GREY, INK, steps
from surveywaves.findings import LEVEL, Found, by_organisation, found, level_rows, main_unit, without_all
from surveywaves.study.parts import Presentation
from surveywaves.terms import ALL, Status
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
    """Draw levels; `put` gives the scales in order, from the levels of the first panel or of all together."""
    unit, labels = Unit(main_unit(means), presentation), Labels(presentation)
    rows = level_rows(means, unit.name)
    levels = {wave: found(None, rows, kind=LEVEL, wave=wave, unit=unit.name) for wave in presentation.waves}
    levels = {wave: own for wave, own in levels.items() if any(unit.change(one) != NONE for one in own)}
    every = by_organisation(itertools.chain(*levels.values()), presentation)
    parts = without_all(every)
    many = len(parts) > ABREAST
    order = put([*every.get(ALL, [])] if many else next(iter(parts.values()), []))
    waves = list(levels)[-1:] if many else list(levels)
    shown = [one for own in parts.values() for one in own if one.wave in waves]
    withheld = withheld_key(any(one.status == Status.WITHHELD for one in shown))
    only = f", {labels.wave(waves[0])}" if len(waves) == 1 else ""
    words = _title(shown, order, unit, labels), f"{unit.words}, with {labels.confidence} intervals{only}"
    if many:
        all_of = {one.scale: one.estimate for one in every.get(ALL, []) if one.wave in waves}
        page = ranked(unit, words, shown, order=order, every=all_of, axis=unit.axis, keys=withheld)
        about = f"Each {presentation.nouns.organisation[0]} is ranked."
    else:
        page = _panels(unit, words, parts, order, waves=waves, keys=withheld)
    rows = rows[rows["organisation"].isin([*parts]) & rows["wave"].isin(waves)]
    caption = f"{unit.words}, of each scale, with {labels.confidence} confidence intervals. {about}"
    return page.drawing(rows, caption=caption, alt=f"{page.title}.")


def _panels(
    unit: Unit,
    words: tuple[str, str],
    parts: Mapping[str, Sequence[Found]],
    order: Sequence[str],
    *,
    waves: Sequence[str],
    keys: Sequence[Key],
) -> Page:
    """Draw a panel per organisation, wave under wave within each scale."""
    labels, em = Labels(unit.presentation), unit.presentation.style.font_size
    looks = dict(zip(waves, zip(steps(len(waves)), itertools.cycle("sDo^vPX"), strict=False), strict=False))
    named = [key(labels.wave(wave), color=colour, marker=marker) for wave, (colour, marker) in looks.items()]
    scales, (low, high, _) = (
        scale_rows(order, [], unit.presentation, LINE * max(len(waves), 1) + 0.7),
        unit.axis,
    )
    across = [Part(labels.organisation(name)) for name in parts]
    keys = [*(named if len(named) > 1 else []), *keys]
    page, drawn = panels(unit.presentation, words, scales, across, unit.axis, keys=keys)
    middles = dict(zip(order, scales.middles, strict=True))
    for axes, own in zip(drawn, parts.values(), strict=True):
        marks = []
        for one in own:
            y = middles[one.scale] + (waves.index(one.wave) - (len(waves) - 1) / 2) * LINE
            if one.estimate is None:
                if one.status == Status.WITHHELD:
                    hatched(axes, low, y, high - low, 0.8)
                continue
            span(axes, y, one, color=looks[one.wave][0], linewidth=0.18 * em)
            marks.append((one.estimate, y, one.wave, unit.told(one)))
            ink = INK if one.wave == waves[-1] else GREY
            beside(
                axes, max(one.high or one.estimate, one.estimate), y, unit.change(one), 0.6 * em, color=ink
            )
        points(axes, pd.DataFrame(marks, columns=MARKS), looks, 0.75 * em, focus=True)
    return page


def _title(shown: Sequence[Found], scales: Sequence[str], unit: Unit, labels: Labels) -> str:
    """Make a title of the range of levels of the first and the last scale."""
    said = []
    for scale in dict.fromkeys((*scales[:1], *scales[-1:])):
        own = [one.estimate for one in shown if one.scale == scale and one.estimate is not None]
        if own:
            low, high = unit.write(min(own)), unit.write(max(own))
            ends = low if low == high else f"{low}–{high}"
            said.append(f"{labels.scale(scale)} {ends}{'%' * unit.percent}")
    if not said:
        return "There is no estimate"
    return "; ".join([f"{said[0]} {'favourable' if unit.percent else 'on average'}", *said[1:]])
