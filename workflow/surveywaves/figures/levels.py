"""Levels with their intervals: waves under each other within each scale, a panel per organisation."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import pandas as pd

from surveywaves.figures.change import ABREAST, Unit, scale_rows
from surveywaves.figures.drawing import LINE, Drawing, key, withheld_key
from surveywaves.figures.layout import MARKS, Part, beside, hatched, panels, points
from surveywaves.figures.style import GREY, INK, steps
from surveywaves.findings import level_rows, main_unit
from surveywaves.study.parts import Presentation
from surveywaves.terms import ALL, Status
from surveywaves.words import Labels, records, shortened


def profile(means: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw each scale of the one wave of a study, for each organisation."""
    rows = level_rows(means, main_unit(means))
    first = (
        rows[rows["organisation"].isin(_parts(rows, presentation)[:1])]
        .set_index("scale")["estimate"]
        .to_dict()
    )
    order = Labels(presentation).scales_in(rows)
    order.sort(key=lambda scale: -first[scale] if pd.notna(first.get(scale)) else math.inf)
    return _draw(rows, order, presentation, "Scales are sorted by the first panel.")


def gradient(means: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw some scales in the order that the study puts them in, wave beside wave, a panel an organisation."""
    chosen = presentation.style.gradient
    if chosen is None:
        raise ValueError("the study puts no scales in an order")
    rows = level_rows(means, main_unit(means))
    rows = rows[rows["scale"].isin(chosen.scales)]
    return _draw(rows, list(chosen.scales), presentation, f"{shortened(chosen.title, 80)}.")


def _parts(rows: pd.DataFrame, presentation: Presentation) -> list[str]:
    """Choose the organisations that stand side by side; all respondents instead where there are too many."""
    named = set(rows["organisation"])
    own = [name for name in presentation.organisations if name in named]
    return ([ALL] if ALL in named else own[:ABREAST]) if len(own) > ABREAST or not own else own


def _draw(rows: pd.DataFrame, order: Sequence[str], presentation: Presentation, about: str) -> Drawing:
    unit, labels, em = Unit(main_unit(rows), presentation), Labels(presentation), presentation.style.font_size
    parts = _parts(rows, presentation)
    rows = rows[rows["organisation"].isin(parts)]
    waves = [wave for wave in presentation.waves if rows[rows["estimate"].notna()]["wave"].eq(wave).any()]
    looks = dict(zip(waves, zip(steps(len(waves)), itertools.cycle("sDo^vPX"), strict=False), strict=False))
    keys = [key(labels.wave(wave), color=colour, marker=marker) for wave, (colour, marker) in looks.items()]
    scales, (low, high, _) = scale_rows(order, [], presentation, LINE * max(len(waves), 1) + 0.7), unit.axis
    only = f", {labels.wave(waves[0])}" if len(waves) == 1 else ""
    page, drawn = panels(
        presentation,
        (_title(rows, order, unit, labels), f"{unit.words}, with {labels.confidence} intervals{only}"),
        scales,
        [Part(labels.organisation(name)) for name in parts],
        unit.axis,
        keys=[*(keys if len(keys) > 1 else []), *withheld_key(rows["status"].eq(Status.WITHHELD).any())],
    )
    middles = dict(zip(order, scales.middles, strict=True))
    for axes, part in zip(drawn, parts, strict=True):
        marks = []
        for row in records(rows[rows["organisation"].eq(part) & rows["wave"].isin(waves)]):
            y = middles[row.scale] + (waves.index(row.wave) - (len(waves) - 1) / 2) * LINE
            if pd.isna(row.estimate):
                if row.status == Status.WITHHELD:
                    hatched(axes, low, y, high - low, 0.8)
                continue
            axes.hlines(y, row.conf_low, row.conf_high, color=looks[row.wave][0], linewidth=0.18 * em)
            where = f"{labels.scale(row.scale)}, {labels.organisation(part)}, {labels.wave(row.wave)}"
            said = f"{where}: {unit.write(row.estimate)} ({unit.interval(row.conf_low, row.conf_high)})"
            marks.append((row.estimate, y, row.wave, said))
            ink = INK if row.wave == waves[-1] else GREY
            beside(axes, max(row.conf_high, row.estimate), y, unit.write(row.estimate), 0.6 * em, color=ink)
        points(axes, pd.DataFrame(marks, columns=MARKS), looks, 0.75 * em, focus=True)
    caption = f"{unit.words}, of each scale, with {labels.confidence} confidence intervals. {about}"
    return page.drawing(rows, caption=caption, alt=f"{page.title}.")


def _title(rows: pd.DataFrame, scales: Sequence[str], unit: Unit, labels: Labels) -> str:
    """Make a title of the range of levels of the first and the last scale."""
    said = []
    for scale in dict.fromkeys((scales[0], scales[-1])) if scales else ():
        own = rows[(rows["scale"] == scale) & rows["estimate"].notna()]["estimate"]
        if len(own):
            low, high = unit.write(own.min()), unit.write(own.max())
            said.append(
                f"{labels.scale(scale)} {low if low == high else f'{low}–{high}'}{'%' * unit.percent}"
            )
    if not said:
        return "There is no estimate"
    return "; ".join([f"{said[0]} {'favourable' if unit.percent else 'on average'}", *said[1:]])
