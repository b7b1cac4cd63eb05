"""How people answered the statements of a scale: every answer of all respondents, three groups by organisation.

Bars stand under their statement and run from 0 to 100%, with the shares of the answers on either side at their ends.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection

from surveywaves.figures.drawing import Drawing, Key, Page, reversed_note, withheld_key
from surveywaves.figures.layout import Part, Rows, hatched, spread, value
from surveywaves.figures.style import GREY, INK, MARK, Sheet, drawable, on, response_colours, width, wrap
from surveywaves.findings import main_pair
from surveywaves.study.models import Item
from surveywaves.study.parts import Presentation
from surveywaves.terms import ALL, WITHOUT_SCALE, Comparability, Status
from surveywaves.words import NONE, WITHHELD, Labels, as_float, number, opening, records, statement

BESIDE: Final = 2
"""Most organisations that stand side by side, wave under wave; more stand under each other, in the last wave."""
UNDER: Final = 6
"""Most organisations under each other; more are shown in the tables only."""
ROW: Final = 1.2
"""Height of a row of bars, in em."""
HIGH: Final = 1.05
"""Height of a bar, in em."""
TOTAL: Final = 2.2
"""Room for a total beside a bar, in em."""
NAME: Final = 10.0
"""Most that the name of a bar takes, in em."""

Place = tuple[str, str, str]
"""Wave, organisation and item."""
Line = tuple[Item, str, str]
"""Item, wave and organisation of a row of bars; a statement stands above its bars, without wave and organisation."""


def likert(
    item_frequencies: pd.DataFrame, item_summary: pd.DataFrame, presentation: Presentation, *, group: str
) -> Drawing:
    """Draw the answers to the statements of a scale or `WITHOUT_SCALE`, the most favourable of the last wave first."""
    labels, em, nouns = Labels(presentation), Sheet.of(presentation.style).em, presentation.nouns
    organisation, title = nouns.organisation[0], labels.scale(group)
    every = [item for item in presentation.items.values() if (item.scale or WITHOUT_SCALE) == group]
    rows = item_frequencies[item_frequencies["item"].isin([item.item for item in every])]
    answered = set(rows["organisation"])
    there = [name for name in presentation.organisations if name in answered]
    there = there if 1 < len(there) <= UNDER else []
    rows = rows[rows["organisation"].isin([ALL, *there])]
    answers = _answers(rows, item_summary[item_summary["item"].isin(set(rows["item"]))])
    asked = [wave for wave in presentation.waves if rows["wave"].eq(wave).any()]
    last = {item.item: answers.get((asked[-1], ALL, item.item)) for item in every if asked}
    known = {name: bar.favourable for name, bar in last.items() if bar and not math.isnan(bar.favourable)}
    every.sort(key=lambda item: -known.get(item.item, 0.0))
    beside, under = (there, []) if len(there) <= BESIDE else ([], there)
    lines = _fitting(every, rows, asked, under, presentation)
    under = [name for name in under if any(own == name for *_, own in lines)]
    there = [*beside, *under]
    items = list({item.item: item for item, *_ in lines}.values())
    table = _rows(lines, presentation)
    if known:
        low, high = (number(end, 0) for end in (min(known.values()), max(known.values())))
        title += f": {low if low == high else f'{low}–{high}'}% favourable in {labels.wave(asked[-1])}"
    fewer = f"{len(items)} of {len(every)} {nouns.statement[1]}; the tables have the answers to all."
    when = f", in {labels.wave(asked[-1])}" if under and asked else ""
    by = f"; by {organisation}{when}" if under else ""
    page, places = spread(
        presentation,
        (title, "Answers, %; beside each bar the total of each side, the favourable in bold"),
        table,
        [Part(f"{labels.organisation(ALL)}{by}"), *(Part(labels.organisation(name)) for name in beside)],
        keys=_keys(items, rows, presentation),
        notes=[
            reversed_note(items),
            f"By {organisation}{when}, each side is combined, in a colour between its own." if there else "",
            fewer if len(items) < len(every) else "",
        ],
    )
    ends = [(left + TOTAL * em, right - TOTAL * em) for left, right, _ in places]
    ticks = {
        x: said for low, high in ends for x, said in ((low, "0"), ((low + high) / 2, "50"), (high, "100%"))
    }
    wide, boxes = page.right + page.left, list[Box]()
    axes = page.panel(0, wide, (0, wide, ticks), ruled=False)
    for whose, place in zip((ALL, *beside), ends, strict=True):
        for y, (item, wave, own) in zip(table.middles, lines, strict=True):
            if not wave:
                continue
            who = whose if own == ALL else own
            if bar := answers.get((wave, who, item.item)):
                told = f"{labels.item(item.item)}, {labels.organisation(who)}, {labels.wave(wave)}"
                boxes += _bar(page, axes, place, bar, y=y, item=item, told=told, whole=who == ALL)
            elif whose == own == ALL:
                page.write(place[0], y, _nothing(presentation, wave, item), color=GREY)
    corners = [[(x, y), (x + wide, y), (x + wide, y + HIGH), (x, y + HIGH)] for x, y, wide, *_ in boxes]
    faces, edges = [box[3] for box in boxes], [box[4] for box in boxes]
    shapes = PolyCollection(corners, facecolors=faces, edgecolors=edges, linewidths=0.6, clip_on=False)
    shapes.set_urls([box[5] for box in boxes])
    axes.add_collection(shapes, autolim=False)
    shown = rows["wave"].isin({wave for _, wave, _ in lines}) & rows["item"].isin([one.item for one in items])
    caption = (
        f"{opening(nouns.statement[1])} sorted by favourable answers of all respondents in the last wave."
    )
    said = [f"{labels.item(name)} {number(share, 0)}% favourable." for name, share in known.items()]
    return page.drawing(rows[shown], caption=caption, alt=f"{title}. {' '.join(said)}")


class Bar(NamedTuple):
    """The answers of a group to a statement in percent, each and the favourable together; NaN where it is not known."""

    shares: Mapping[int, float]
    favourable: float
    withheld: bool


def _answers(frequencies: pd.DataFrame, summary: pd.DataFrame) -> dict[Place, Bar]:
    """Collect the answers of every group that was asked."""
    shares: dict[Place, dict[int, float]] = {}
    withheld: set[Place] = set()
    for row in records(frequencies):
        place = row.wave, row.organisation, row.item
        shares.setdefault(place, {})[row.response] = as_float(row.percent)
        withheld |= {place} if row.status == Status.WITHHELD else set()
    known = {(r.wave, r.organisation, r.item): as_float(r.favourable_percent) for r in records(summary)}
    return {
        place: Bar(own, known.get(place, math.nan), place in withheld)
        for place, own in shares.items()
        if place in withheld or not all(map(math.isnan, own.values()))
    }


def _nothing(presentation: Presentation, wave: str, item: Item) -> str:
    """Return why a wave has no answers to a statement."""
    grade = presentation.waves[wave].comparability.get(item.item, Comparability.ABSENT.value)
    if grade == Comparability.RESCALED:
        return "other answer options"
    return "not asked" if grade == Comparability.ABSENT else "no answers"


Box = tuple[float, float, float, str, str, str | None]
"""Left edge, top and width of a part of a bar, its colour and that of its edge, and what it shows on hover."""


def _bar(
    page: Page,
    axes: Axes,
    place: tuple[float, float],
    bar: Bar,
    *,
    y: float,
    item: Item,
    told: str,
    whole: bool,
) -> list[Box]:
    """Write the numbers of a bar that stands at a place, and return its parts and its frame.

    Known answers are drawn from both ends; what is unknown is hatched between them. Unless it is `whole`, the answers
    on either side are one part.
    """
    scale = page.presentation.response_scales[item.response_scale]
    shares = [bar.shares.get(n, math.nan) for n in range(1, scale.points + 1)]
    labels, side, above = [*scale.labels], scale.points // 2, int(item.key > 0)
    totals = [sum(shares[:side]), sum(shares[-side:])]
    totals[above] = bar.favourable if math.isnan(totals[above]) else totals[above]
    if not whole:
        low, size = len(scale.favourable), scale.points
        parts = [
            slice(*ends) for ends in ((0, low), (low, size - low), (size - low, size)) if ends[0] < ends[1]
        ]
        shares = [sum(shares[part]) for part in parts]
        labels = [" or ".join(dict.fromkeys((labels[p][0], labels[p][-1]))) for p in parts]
        shares[-above] = bar.favourable if math.isnan(shares[-above]) else shares[-above]
    left, top, unit = place[0], y - HIGH / 2, (place[1] - place[0]) / 100
    ends, rests = np.cumsum(shares), 100 - np.cumsum(shares[::-1])[::-1]
    starts, drawn = np.where(np.isnan(ends), rests, ends - shares), list[Box]()
    colours = response_colours(page.presentation.style.responses, len(shares))
    for label, start, share, colour in zip(labels, starts, shares, colours, strict=True):
        if not share > 0 or math.isnan(start):
            continue
        text, x, wide = number(share, 0), left + start * unit, share * unit
        drawn.append((x, top, wide, colour, "white", f"hover:{drawable(f'{label}: {text}%')}"))
        if whole and wide >= width(text, page.em) + 0.2 * page.em:
            page.write(x + wide / 2, y, text, ha="center", color=on(colour))
    if np.isnan(shares).any():
        low, high = np.nanmax([0.0, *ends]), np.nanmin([100.0, *rests])
        if high - low > 0.5:
            hatched(axes, left + low * unit, y, (high - low) * unit, HIGH)
    for n, (total, x, ha) in enumerate(zip(totals, (left - 3, place[1] + 3), ("right", "left"), strict=True)):
        text = number(total, 0) if not math.isnan(total) else WITHHELD if bar.withheld else NONE
        look = {"weight": "bold", "color": INK} if n == above else {"color": GREY}
        mark = page.write(x, y, text, ha=ha, **look)
        if n == above:
            value(mark, f"{told}: {text}% favourable")
    return [*drawn, (left, top, 100 * unit, "none", MARK, None)]


def _rows(lines: Sequence[Line], presentation: Presentation) -> Rows:
    """Name rows: a statement, with its mark if it is reversed, and under it the wave or organisation of each bar."""
    labels, sheet, names = Labels(presentation), Sheet.of(presentation.style), list[Sequence[str]]()
    for item, wave, whose in lines:
        name = labels.wave(wave) if whose == ALL else labels.organisation(whose)
        bar = wrap(name, NAME * sheet.em, sheet.em, lines=1) if wave else ()
        names.append(bar or wrap(statement(item), sheet.width - 2 * sheet.em, sheet.em, bold=True))
    heads = [place for place, (_, wave, _) in enumerate(lines) if not wave]
    return Rows(names, sheet.em, bold=heads, gap=ROW - 1.15, over=True)


def _fitting(
    items: Sequence[Item],
    answers: pd.DataFrame,
    waves: Sequence[str],
    under: Sequence[str],
    presentation: Presentation,
) -> list[Line]:
    """List the rows; a sheet may lack room for organisations, waves other than the main pair's, and then statements."""
    sheet, compared = Sheet.of(presentation.style), main_pair(presentation)
    main = [wave for wave in waves if compared and wave in (compared.first, compared.last)] or waves[-2:]
    lines: list[Line] = []
    for shown, own in ((waves, under), (waves, ()), (main, ()), (waves[-1:], ())):
        bars = [*((wave, ALL) for wave in shown), *((waves[-1], name) for name in own if waves)]
        had = set(answers.loc[answers["wave"].isin(shown), "item"])
        lines = [(item, *bar) for item in items if item.item in had for bar in (("", ""), *bars)]
        ends = accumulate(_rows(lines, presentation).heights)
        fit = sum(end <= sheet.most / sheet.em - 11 for end in ends)
        if fit == len(lines):
            return lines
    return lines[: max(fit // (1 + len(bars)), 1) * (1 + len(bars))]


def _keys(items: Sequence[Item], rows: pd.DataFrame, presentation: Presentation) -> list[Key]:
    """Return the legend: the answers of each response scale, and what is withheld."""
    keys: list[Key] = []
    for name in dict.fromkeys(item.response_scale for item in items):
        scale = presentation.response_scales[name]
        colours = response_colours(presentation.style.responses, scale.points)
        for colour, label in zip(colours, scale.labels, strict=True):
            keys.append(Key(label, {"facecolor": colour, "edgecolor": MARK, "linewidth": 0.5}, box=True))
    return [*keys, *withheld_key(rows["status"].eq(Status.WITHHELD).any())]
