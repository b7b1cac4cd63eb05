"""How people answered the statements of a scale: every answer of all respondents, three groups by organisation.

Bars run from 0 to 100% on one axis, with the shares of the answers on either side written at their ends.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, product
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from surveywaves.figures.drawing import LINE, Drawing, Key, Page, reversed_note, withheld_key
from surveywaves.figures.layout import Box, Rows, boxes, hatched, value
from surveywaves.figures.style import GREY, INK, MARK, Sheet, on, response_colours, width, wrap
from surveywaves.findings import main_pair
from surveywaves.study.models import Item
from surveywaves.study.parts import Presentation
from surveywaves.terms import ALL, WITHOUT_SCALE, Comparability, Status
from surveywaves.words import NONE, WITHHELD, Labels, number, records, shortened, statement

BESIDE: Final = 2
"""Most organisations that stand side by side, wave under wave; more stand under each other, in the last wave."""
UNDER: Final = 6
"""Most organisations under each other; more are shown in the tables only."""
BAR: Final = 1.35
"""Height of a bar with the gap above it, in em."""
HIGH: Final = 1.05
"""Height of a bar, in em."""
ROOM: Final = 0.2
"""Least margin, in em, by which a segment must be wider than its number for the number to be written in it."""
TOTAL: Final = 2.2
"""Room for a total beside a bar, in em."""
STATEMENT: Final = 0.30
"""Share of the sheet's width that statements take."""
OWN: Final = 8.5
"""Most that the labels of bars take, in em."""

Place = tuple[str, str, str]
"""Wave, organisation and item."""


def likert(
    item_frequencies: pd.DataFrame, item_summary: pd.DataFrame, presentation: Presentation, *, group: str
) -> Drawing:
    """Draw the answers to the statements of a scale, sorted by favourable answers in the last wave.

    Parameters
    ----------
    group
        A scale, or `WITHOUT_SCALE`.
    """
    labels, sheet = Labels(presentation), Sheet.of(presentation.style)
    organisation = presentation.nouns.organisation[0]
    every = [item for item in presentation.items.values() if (item.scale or WITHOUT_SCALE) == group]
    rows, summary = (
        table[table["item"].isin([item.item for item in every])] for table in (item_frequencies, item_summary)
    )
    answered = set(rows["organisation"])
    there = [name for name in presentation.organisations if name in answered]
    there = there if 1 < len(there) <= UNDER else []
    rows = rows[rows["organisation"].isin([ALL, *there])]
    answers = Answers.of(rows, summary, presentation)
    asked = [wave for wave in presentation.waves if rows["wave"].eq(wave).any()]
    last = asked[-1] if asked else ""
    known = {item.item: answers.favourable.get((last, ALL, item.item), math.nan) for item in every}
    known = {name: share for name, share in known.items() if not math.isnan(share)}
    every.sort(key=lambda item: -known.get(item.item, 0.0))
    items, waves = _fitting(every, asked, there, presentation)
    statements = _rows(items, waves, there, sheet)
    panels = _panels(waves, there, labels, statements.end, sheet.width - 0.5 * sheet.em)
    fewer = (
        f"{len(items)} of {len(every)} {presentation.nouns.statement[len(items) > 1]}: the most favourable."
    )
    page = Page(
        presentation,
        _title(labels.scale(group), [*known.values()], last, labels),
        "Answers, %; at either end those on that side together, the favourable in bold",
        keys=_keys(items, rows, presentation),
        notes=[
            reversed_note(items),
            f"Answers on either side are taken together by {organisation}." if there else "",
            fewer if len(items) < len(every) else "",
        ],
        lines=sum(statements.heights),
        heads=0.5 + 1.1 * LINE * max(len(panel.title) for panel in panels),
    )
    statements.write(page)
    _draw(page, panels, dict(zip(statements.middles, items, strict=True)), answers)
    shown = rows["wave"].isin(waves) & rows["item"].isin([item.item for item in items])
    caption = (
        f"{shortened(labels.scale(group), 60)}, sorted by favourable answers in the last wave. "
        f"Every answer of all respondents{f'; by {organisation} the two sides and the middle' if there else ''}."
    )
    said = [
        f"{labels.item(one.item)} {number(known[one.item], 0)}% favourable."
        for one in items
        if one.item in known
    ]
    return page.drawing(rows[shown], caption=caption, alt=f"{page.title}. {' '.join(said)}")


class Bar(NamedTuple):
    """The answers of a group to a statement in percent, lowest first; NaN where a share is not known.

    `ends` are the shares below and above the middle; `without` is written in place of one that is not known.
    """

    shares: Sequence[float]
    labels: Sequence[str]
    ends: Sequence[float]
    without: str


@dataclass(frozen=True)
class Answers:
    """The percentage of each answer and of all favourable ones, and the places where an answer is withheld."""

    presentation: Presentation
    shares: Mapping[Place, Sequence[float]]
    favourable: Mapping[Place, float]
    withheld: frozenset[Place]

    @classmethod
    def of(cls, frequencies: pd.DataFrame, summary: pd.DataFrame, presentation: Presentation) -> Answers:
        """Collect them from the released tables."""
        place = ["wave", "organisation", "item"]
        most = max(scale.points for scale in presentation.response_scales.values())
        wide = frequencies.pivot(index=place, columns="response", values="percent").astype("float64")  # noqa: PD010
        wide = wide.reindex(columns=range(1, most + 1))
        hidden = frequencies[frequencies["status"].eq(Status.WITHHELD)][place]
        known = summary[summary["favourable_percent"].notna()]
        return cls(
            presentation,
            dict(zip(wide.index, wide.to_numpy().tolist(), strict=True)),
            {(row.wave, row.organisation, row.item): float(row.favourable_percent) for row in records(known)},
            frozenset(hidden.itertuples(index=False, name=None)),
        )

    def bar(self, item: Item, wave: str, organisation: str, *, together: bool) -> Bar | None:
        """Return a bar, or None if nobody was asked; `together` adds up the answers on either side of the middle."""
        place, scale = (wave, organisation, item.item), self.presentation.response_scales[item.response_scale]
        shares: Sequence[float] = self.shares.get(place, [math.nan] * scale.points)[: scale.points]
        gone, labels = place in self.withheld, tuple(scale.labels)
        if all(map(math.isnan, shares)) and not gone:
            return None
        favourable, side = self.favourable.get(place, math.nan), len(shares) // 2
        ends, known = [sum(shares[:side]), sum(shares[-side:])], 0 if item.key < 0 else 1
        ends[known] = favourable if math.isnan(ends[known]) else ends[known]
        if together:
            low, size = len(scale.favourable), scale.points
            parts = [slice(0, low), slice(low, size - low), slice(size - low, size)]
            parts = [part for part in parts if part.stop > part.start]
            shares = [sum(shares[part]) for part in parts]
            labels = tuple(" or ".join(dict.fromkeys((labels[p][0], labels[p][-1]))) for p in parts)
            shares[-known] = favourable if math.isnan(shares[-known]) else shares[-known]
        return Bar(shares, labels, ends, WITHHELD if gone else NONE)


class Panel(NamedTuple):
    """Bars under each other: label (may be empty), wave and organisation of each; `left` and `right` are in points."""

    title: Sequence[str]
    bars: Sequence[tuple[str, str, str]]
    left: float
    right: float
    together: bool


def _panels(
    waves: Sequence[str], there: Sequence[str], labels: Labels, start: float, end: float
) -> list[Panel]:
    """Choose panels: all respondents by wave; organisations by wave beside them, or under each other."""
    em, first = labels.presentation.style.font_size, (end - start) * (0.54 if there else 1.0)

    def panel(title: str, bars: Sequence[tuple[str, str, str]], place: int, wide: float) -> Panel:
        named = [(wrap(label, OWN * em, em, lines=1)[0], wave, name) for label, wave, name in bars]
        indent = max((width(name, em) + 0.5 * em for name, *_ in named if name), default=0.0) + TOTAL * em
        left = start + (first + (place - 1) * wide if place else 0.0)
        heading = wrap(title, wide - indent, em * 1.1, bold=True)
        return Panel(heading, named, left + indent, left + wide - TOTAL * em, place > 0)

    every = [(labels.wave(wave), wave, ALL) for wave in waves]
    panels, rest = [panel(labels.organisation(ALL), every, 0, first)], end - start - first
    if len(there) > BESIDE:
        title = f"By {labels.presentation.nouns.organisation[0]}, {labels.wave(waves[-1])}"
        own = [(labels.organisation(name), waves[-1], name) for name in there]
        return [*panels, panel(title, own, 1, rest)]
    for place, name in enumerate(there, 1):
        panels.append(
            panel(labels.organisation(name), [("", wave, name) for wave in waves], place, rest / len(there))
        )
    return panels


def _draw(page: Page, panels: Sequence[Panel], items: Mapping[float, Item], answers: Answers) -> None:
    """Draw panels: labels, bars, and the total of each side at the ends of a bar."""
    em, labels, drawn = page.em, Labels(page.presentation), []
    places = [(panel.left, (panel.left + panel.right) / 2, panel.right) for panel in panels]
    ticks = {x: said for three in places for x, said in zip(three, ("0", "50", "100%"), strict=True)}
    axes = page.panel(page.left, page.right, (page.left, page.right, ticks))
    for panel in panels:
        page.head(panel.left, panel.title, bold=True)
        for (middle, item), (n, (name, wave, organisation)) in product(items.items(), enumerate(panel.bars)):
            y = middle + (n - (len(panel.bars) - 1) / 2) * BAR
            bar = answers.bar(item, wave, organisation, together=panel.together)
            if name and (bar or organisation == ALL):
                page.write(panel.left - TOTAL * em, y, name, ha="right", color=GREY)
            if bar is None:
                if organisation == ALL:
                    page.write(panel.left, y, _nothing(page.presentation, wave, item), color=GREY)
                continue
            drawn += _bar(page, axes, panel, y, bar)
            for total, x, low in zip(bar.ends, (panel.left - 3, panel.right + 3), (True, False), strict=True):
                text = bar.without if math.isnan(total) else number(total, 0)
                favourable = low == (item.key < 0)
                look = {"weight": "bold", "color": INK} if favourable else {"color": GREY}
                mark = page.write(x, y, text, ha="right" if low else "left", **look)
                if favourable:
                    whose = f"{labels.organisation(organisation)}, {labels.wave(wave)}"
                    value(mark, f"{labels.item(item.item)}, {whose}: {text}% favourable")
    boxes(axes, drawn)


def _nothing(presentation: Presentation, wave: str, item: Item) -> str:
    """Say why there are no answers of a wave to a statement."""
    grade = presentation.waves[wave].comparability.get(item.item, Comparability.ABSENT.value)
    if grade == Comparability.RESCALED:
        return "other answers offered"
    return "not asked" if grade == Comparability.ABSENT else "no answers"


def _bar(page: Page, axes: Axes, panel: Panel, y: float, bar: Bar) -> list[Box]:
    """Return the boxes of a bar: known answers from both ends, and what is unknown hatched between them."""
    shares, wide = np.array(bar.shares), (panel.right - panel.left) / 100
    ends, rests = np.cumsum(shares), 100 - np.cumsum(shares[::-1])[::-1]
    starts = np.where(np.isnan(ends), rests, ends - shares)
    colours, drawn = response_colours(page.presentation.style.responses, len(shares)), []
    for start, share, colour, label in zip(starts, shares, colours, bar.labels, strict=True):
        if not share > 0 or math.isnan(start):
            continue
        text, x = number(share, 0), panel.left + start * wide
        look = {"facecolor": colour, "edgecolor": "white", "linewidth": 0.6}
        drawn.append(Box(x, y, share * wide, HIGH, look, f"{label}: {text}%"))
        if not panel.together and share * wide >= width(text, page.em) + ROOM * page.em:
            page.write(x + share * wide / 2, y, text, ha="center", color=on(colour))
    if np.isnan(shares).any():
        low, high = np.nanmax([0.0, *ends]), np.nanmin([100.0, *rests])
        if high - low > 0.5:
            hatched(axes, panel.left + low * wide, y, (high - low) * wide, HIGH)
    frame = {"facecolor": "none", "edgecolor": MARK, "linewidth": 0.5}
    return [*drawn, Box(panel.left, y, 100 * wide, HIGH, frame)]


def _rows(items: Sequence[Item], waves: Sequence[str], there: Sequence[str], sheet: Sheet) -> Rows:
    """Make a row per statement, as high as its bars; a reversed statement begins with its mark."""
    names = [wrap(statement(item), STATEMENT * sheet.width, sheet.em, lines=5) for item in items]
    return Rows(names, sheet.em, BAR * max(len(waves), len(there) if len(there) > BESIDE else 0, 1) + 0.7)


def _fitting(
    items: list[Item], waves: list[str], there: Sequence[str], presentation: Presentation
) -> tuple[list[Item], list[str]]:
    """Leave out what a sheet has no room for: first waves other than the main pair's, then statements."""
    sheet, compared = Sheet.of(presentation.style), main_pair(presentation)
    main = [wave for wave in waves if compared and wave in (compared.first, compared.last)] or waves[-2:]
    fit = 0
    for shown in (waves, main, waves[-1:]):
        ends = accumulate(_rows(items, shown, there, sheet).heights)
        fit = sum(end <= sheet.most / sheet.em - 12 for end in ends)
        if fit == len(items):
            break
    return items[: max(fit, 1)], shown


def _keys(items: Sequence[Item], rows: pd.DataFrame, presentation: Presentation) -> list[Key]:
    """Return the legend: the answers of each response scale, and what is withheld."""
    keys: list[Key] = []
    for name in dict.fromkeys(item.response_scale for item in items):
        scale = presentation.response_scales[name]
        colours = response_colours(presentation.style.responses, scale.points)
        for colour, label in zip(colours, scale.labels, strict=True):
            keys.append(Key(label, {"facecolor": colour, "edgecolor": MARK, "linewidth": 0.5}, box=True))
    return [*keys, *withheld_key(rows["status"].eq(Status.WITHHELD).any())]


def _title(name: str, known: Sequence[float], wave: str, labels: Labels) -> str:
    """Say from where to where the favourable answers to the statements lie."""
    if not known:
        return name
    low, high = number(min(known), 0), number(max(known), 0)
    return f"{name}: {low if low == high else f'{low}–{high}'}% favourable in {labels.wave(wave)}"
