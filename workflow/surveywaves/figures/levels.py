"""Levels with their intervals: waves under each other within each scale, a panel per organisation; or ranked."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
from matplotlib.axes import Axes

from surveywaves.figures.drawing import Drawing, Key
from surveywaves.figures.estimates import Estimates, Placed, Unit, intervals
from surveywaves.figures.layout import beside
from surveywaves.figures.style import GREY, INK, steps
from surveywaves.findings import LEVEL, found, level_rows, level_term, main_unit
from surveywaves.study.parts import Presentation
from surveywaves.terms import SHRUNKEN
from surveywaves.words import NONE, Labels, shortened


def profile(means: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw each scale of the last wave, from the highest on, for each organisation."""
    rows = means[means["wave"] == list(presentation.waves)[-1]]
    return _draw(rows, (), presentation, "Scales are sorted by the first panel.")


def gradient(means: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw some scales in the order that the study puts them in, wave beside wave, a panel per organisation."""
    chosen = presentation.style.gradient
    if chosen is None:
        raise ValueError("the study puts no scales in an order")
    rows = means[means["scale"].isin(chosen.scales)]
    return _draw(rows, chosen.scales, presentation, f"{shortened(chosen.title, 80)}.")


def _draw(means: pd.DataFrame, order: Sequence[str], presentation: Presentation, about: str) -> Drawing:
    """Draw levels of scales in an order; without one, the highest come first."""
    unit, labels = Unit(main_unit(means), presentation), Labels(presentation)
    rows = level_rows(means, unit.name)
    levels = {wave: found(None, rows, kind=LEVEL, wave=wave, unit=unit.name) for wave in presentation.waves}
    waves = [wave for wave, own in levels.items() if any(unit.change(one) != NONE for one in own)]
    own = Estimates(unit, [one for wave in waves for one in levels[wave]], order)
    only = f", {labels.wave(waves[0])}" if len(waves) == 1 else ""
    if own.ranked:
        only = f", {labels.wave(waves[-1])}"
        waves, about = waves[-1:], f"Each {presentation.nouns.organisation[0]} is ranked."
        shrunken = means["term"].eq(f"{level_term(unit.name)}{SHRUNKEN}") & means["analysis"].isin(
            rows["analysis"]
        )
        if shrunken.any():  # in the place of the organisations' own
            only += ", shrunken towards the mean of all"
            about = f"{about[:-1]} by its estimate, shrunken towards the mean of all."
            rows = pd.concat([rows, means[shrunken]])
            rows = rows.drop_duplicates(["scale", "wave", "organisation"], keep="last", ignore_index=True)
        drawn = rows.assign(term=level_term(unit.name))
        own = replace(own, facts=found(None, drawn, kind=LEVEL, wave=waves[0], unit=unit.name))
    if not order:
        own = replace(own, order=labels.scales_in(rows)).in_order
    shapes, em = itertools.cycle("sDo^vPX"), presentation.style.font_size
    looks = dict(zip(waves, zip(steps(len(waves)), shapes, strict=False), strict=True))

    def mark(axes: Axes, placed: Placed) -> None:
        intervals(axes, placed, unit, looks, size=0.75 * em)
        for y, one in placed:
            x = [end for end in (one.high, one.estimate) if end is not None]
            ink = INK if one.wave == waves[-1] else GREY
            beside(axes, max(x), y, unit.change(one), 0.6 * em, color=ink)

    keys = [Key(labels.wave(wave), {"color": look[0], "marker": look[1]}) for wave, look in looks.items()]
    words = _title(own, labels), f"{unit.words}, with {labels.confidence} intervals{only}"
    page = own.draw(words, mark, unit.axis, keys=keys if len(keys) > 1 else [], waves=waves)
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
