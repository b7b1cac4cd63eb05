"""How people answered the statements of a scale: every answer of all respondents, three groups by organisation.

Bars run from 0 to 100% on one axis; at their ends stand the shares of the answers on either side.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any, Final, NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from surveywaves.figures.drawing import LINE, Drawing, Key, Page, reversed_note, withheld_key
from surveywaves.figures.layout import Rows, hatched, value
from surveywaves.figures.style import GREY, INK, MARK, Sheet, on, response_colours, width, wrap
from surveywaves.findings import main_pair
from surveywaves.study.models import Item
from surveywaves.study.parts import Presentation
from surveywaves.terms import ALL, WITHOUT_SCALE, Comparability, Status
from surveywaves.words import NONE, WITHHELD, Labels, number, shortened, statement

BESIDE: Final = 2
"""Most organisations that stand side by side, wave under wave; more stand under each other, in the last wave."""
UNDER: Final = 6
"""Most organisations under each other; if there are more, only the tables show them."""
BAR: Final = 1.35
"""Height that a bar takes, in em."""
ROOM: Final = 0.2
"""How much wider than its number an answer must be, at least, for the number to be written in it, in em."""
TOTAL: Final = 2.2
"""Room for a total beside a bar, in em."""
STATEMENT: Final = 0.30
"""Share of the sheet's width that statements take."""
OWN: Final = 8.5
"""Most that the labels of bars take, in em."""


@dataclass(frozen=True)
class Answers:
    """The answers to the statements of a scale, by wave, organisation and statement."""

    frequencies: pd.DataFrame
    summary: pd.DataFrame
    presentation: Presentation

    @cached_property
    def shares(self) -> dict[tuple[str, str, str], dict[int, float]]:
        """Percent of each answer, by its number; NaN where there is none to show."""
        found: dict[tuple[str, str, str], dict[int, float]] = {}
        columns = ("wave", "organisation", "item", "response", "percent")
        for *place, response, percent in self.frequencies[list(columns)].itertuples(index=False):
            found.setdefault(tuple(place), {})[int(response)] = (
                math.nan if pd.isna(percent) else float(percent)
            )
        return found

    @cached_property
    def withheld(self) -> set[tuple[str, str, str]]:
        """Where an answer is withheld."""
        own = self.frequencies[self.frequencies["status"].eq(Status.WITHHELD)]
        return set(zip(own["wave"], own["organisation"], own["item"], strict=True))

    @cached_property
    def favourable(self) -> dict[tuple[str, str, str], float]:
        """Percent of the favourable answers, where it is known."""
        own = self.summary[self.summary["favourable_percent"].notna()]
        places = zip(own["wave"], own["organisation"], own["item"], strict=True)
        return dict(zip(places, own["favourable_percent"].astype(float), strict=True))

    def bar(self, item: Item, wave: str, organisation: str, *, together: bool) -> Bar | None:
        """Give a bar, with the answers on either side of the middle together or not; None where nobody was asked."""
        place, scale = (wave, organisation, item.item), self.presentation.response_scales[item.response_scale]
        found, gone = self.shares.get(place, {}), place in self.withheld
        shares = [found.get(response, math.nan) for response in range(1, scale.points + 1)]
        if all(map(math.isnan, shares)) and not gone:
            return None
        labels, favourable = tuple(scale.labels), self.favourable.get(place, math.nan)
        side = len(shares) // 2
        ends = [sum(shares[:side]), sum(shares[-side:])]
        known = 0 if item.key < 0 else 1
        ends[known] = favourable if math.isnan(ends[known]) else ends[known]
        if together:
            low, size = len(scale.favourable), scale.points
            parts = [slice(0, low), slice(low, size - low), slice(size - low, size)]
            parts = [part for part in parts if part.stop > part.start]
            shares = [sum(shares[part]) for part in parts]
            labels = tuple(" or ".join(dict.fromkeys((labels[p][0], labels[p][-1]))) for p in parts)
            shares[-known] = favourable if math.isnan(shares[-known]) else shares[-known]
        colours = response_colours(self.presentation.style.responses, len(shares))
        return Bar(tuple(shares), colours, labels, (ends[0], ends[1]), WITHHELD if gone else NONE)


class Bar(NamedTuple):
    """The answers of some people to a statement, lowest first, in percent; NaN where there is none to show.

    `ends` are the shares on the low and on the high side of the middle; `without` stands for one that is not shown.
    """

    shares: tuple[float, ...]
    colours: tuple[str, ...]
    labels: tuple[str, ...]
    ends: tuple[float, float]
    without: str


@dataclass(frozen=True)
class Panel:
    """Bars under each other, each with its label, wave and organisation; width and em in points.

    Answers on either side of the middle may be together, and bars named, each by its label.
    """

    title: str
    rows: tuple[tuple[str, str, str], ...]
    wide: float
    em: float
    together: bool
    named: bool

    @cached_property
    def names(self) -> list[str]:
        """Labels of the bars."""
        return (
            [wrap(label, OWN * self.em, self.em, lines=1)[0] for label, *_ in self.rows] if self.named else []
        )

    @cached_property
    def indent(self) -> float:
        """Where bars begin in it, in points."""
        return (
            max((width(name, self.em) + 0.5 * self.em for name in self.names), default=0.0) + TOTAL * self.em
        )

    @cached_property
    def heading(self) -> tuple[str, ...]:
        """Its title, broken into lines."""
        return wrap(self.title, self.wide - self.indent, self.em * 1.1, bold=True)


def likert(
    item_frequencies: pd.DataFrame, item_summary: pd.DataFrame, presentation: Presentation, *, group: str
) -> Drawing:
    """Draw the answers to the statements of a scale, sorted by favourable answers in the last wave.

    Parameters
    ----------
    group
        A scale, or `WITHOUT_SCALE`.
    """
    labels, sheet, organisation = (
        Labels(presentation),
        Sheet.of(presentation.style),
        presentation.nouns.organisation[0],
    )
    items = [item for item in presentation.items.values() if (item.scale or WITHOUT_SCALE) == group]
    rows = item_frequencies[item_frequencies["item"].isin([item.item for item in items])]
    own = item_summary[item_summary["item"].isin([item.item for item in items])]
    answers = Answers(rows, own, presentation)
    waves = [wave for wave in presentation.waves if rows["wave"].eq(wave).any()]
    there = [name for name in presentation.organisations if rows["organisation"].eq(name).any()]
    there = there if 1 < len(there) <= UNDER else []
    last = waves[-1] if waves else ""
    known = {
        item: share for (wave, of, item), share in answers.favourable.items() if (wave, of) == (last, ALL)
    }
    items.sort(key=lambda item: -known.get(item.item, 0.0))
    items, waves, cut = _fitting(items, waves, there, presentation)
    statements = _rows(items, waves, there, sheet)
    start = statements.end
    panels = _panels(waves, there, labels, sheet.width - 0.5 * sheet.em - start)
    page = Page(
        presentation,
        _title(labels.scale(group), [*known.values()], last, labels),
        "Answers, %; at either end those on that side together, the favourable in bold",
        keys=_keys(items, rows, presentation),
        notes=[
            reversed_note(items),
            f"Answers on either side are taken together by {organisation}." if there else "",
            cut,
        ],
        lines=sum(statements.heights),
        heads=0.5 + 1.1 * LINE * max(len(panel.heading) for panel in panels),
    )
    statements.write(page)
    for panel in panels:
        _draw(page, start, panel, dict(zip(statements.middles, items, strict=True)), answers)
        start += panel.wide
    shown = rows["organisation"].isin([ALL, *there]) & rows["wave"].isin(waves)
    shown &= rows["item"].isin([item.item for item in items])
    caption = (
        f"{shortened(labels.scale(group), 60)}, sorted by favourable answers in the last wave. "
        f"Every answer of all respondents"
        f"{f'; by {organisation} the two sides and the middle' if there else ''}."
    )
    said = [
        f"{labels.item(one.item)} {number(known[one.item], 0)}% favourable."
        for one in items
        if one.item in known
    ]
    return page.drawing(rows[shown], caption=caption, alt=f"{page.title}. {' '.join(said)}")


def _panels(waves: Sequence[str], there: Sequence[str], labels: Labels, wide: float) -> list[Panel]:
    """Choose panels: all respondents by wave; organisations by wave beside them, or under each other."""
    em, first = labels.presentation.style.font_size, wide * (0.54 if there else 1.0)
    every = tuple((labels.wave(wave), wave, ALL) for wave in waves)
    panels = [Panel(labels.organisation(ALL), every, first, em, together=False, named=True)]
    if len(there) > BESIDE:
        own = tuple((labels.organisation(name), waves[-1], name) for name in there)
        title = f"By {labels.presentation.nouns.organisation[0]}, {labels.wave(waves[-1])}"
        return [*panels, Panel(title, own, wide - first, em, together=True, named=True)]
    for name in there:
        own = tuple((labels.wave(wave), wave, name) for wave in waves)
        part = (wide - first) / len(there)
        panels.append(Panel(labels.organisation(name), own, part, em, together=True, named=False))
    return panels


def _draw(page: Page, start: float, panel: Panel, items: Mapping[float, Item], answers: Answers) -> None:
    """Draw a panel from a place on: labels, bars, and at either end the total of a side."""
    em, labels = page.em, Labels(page.presentation)
    left, right = start + panel.indent, start + panel.wide - TOTAL * em
    axes = page.panel(left, right, 0, 100, ticks={0: "0", 50: "50", 100: "100%"})
    page.title_of(left, panel.heading)
    for middle, item in items.items():
        for n, (label, wave, organisation) in enumerate(panel.rows):
            y = middle + (n - (len(panel.rows) - 1) / 2) * BAR
            bar = answers.bar(item, wave, organisation, together=panel.together)
            if panel.named and (bar or organisation == ALL):
                page.write(left - TOTAL * em, y, panel.names[n], ha="right", color=GREY)
            if bar is None:
                if organisation == ALL:
                    page.write(left, y, _nothing(page.presentation, wave, item), color=GREY)
                continue
            _bar(axes, y, bar, 0 if panel.together else (right - left) / em)
            for total, x, low in zip(bar.ends, (left - 3, right + 3), (True, False), strict=True):
                text = bar.without if math.isnan(total) else number(total, 0)
                favourable = low == (item.key < 0)
                look = {"weight": "bold", "color": INK} if favourable else {"color": GREY}
                mark = page.write(x, y, text, ha="right" if low else "left", **look)
                if favourable:
                    value(mark, f"{labels.item(item.item)}, {panel.title}, {label}: {text}% favourable")


def _nothing(presentation: Presentation, wave: str, item: Item) -> str:
    """Say why there are no answers of a wave to a statement."""
    grade = presentation.waves[wave].comparability.get(item.item, Comparability.ABSENT.value)
    if grade == Comparability.RESCALED:
        return "other answers offered"
    return "not asked" if grade == Comparability.ABSENT else "no answers"


def _bar(axes: Axes, y: float, bar: Bar, wide: float) -> None:
    """Draw a bar: from either end what is known, hatched between where any is not; `wide` in em, 0 without numbers."""
    gone = [place for place, share in enumerate(bar.shares) if math.isnan(share)]
    count, high, left, right = len(bar.shares), 1.05, 0.0, 100.0
    places: list[tuple[int, float]] = []
    for place in range(gone[0] if gone else count):
        places.append((place, left))
        left += bar.shares[place]
    for place in range(count - 1, gone[-1] if gone else count, -1):
        right -= bar.shares[place]
        places.append((place, right))
    for place, start in places:
        share, colour, text = bar.shares[place], bar.colours[place], number(bar.shares[place], 0)
        if not share:
            continue
        look: dict[str, Any] = {"facecolor": colour, "edgecolor": "white", "linewidth": 0.6}
        patch = Rectangle((start, y - high / 2), share, high, **look)
        axes.add_artist(patch)  # unlike a patch, it asks for no limits
        value(patch, f"{bar.labels[place]}: {text}%", focus=False)
        if share * wide / 100 >= width(text, 1.0) + ROOM:
            axes.text(start + share / 2, y, text, ha="center", va="center_baseline", color=on(colour))
    if gone and right - left > 0.5:
        hatched(axes, left, y, right - left, high)
    axes.add_artist(Rectangle((0, y - high / 2), 100, high, fill=False, edgecolor=MARK, linewidth=0.5))


def _rows(items: Sequence[Item], waves: Sequence[str], there: Sequence[str], sheet: Sheet) -> Rows:
    """Give each statement a row as high as its bars; the mark of a reversed one stands first."""
    names = [wrap(statement(item), STATEMENT * sheet.width, sheet.em, lines=5) for item in items]
    return Rows(names, sheet.em, BAR * max(len(waves), len(there) if len(there) > BESIDE else 0, 1) + 0.7)


def _fitting(
    items: list[Item], waves: list[str], there: Sequence[str], presentation: Presentation
) -> tuple[list[Item], list[str], str]:
    """Leave out what a sheet has no room for: first waves other than the main pair's, then statements."""
    sheet, compared = Sheet.of(presentation.style), main_pair(presentation)
    room = sheet.most / sheet.em - 12
    if sum(_rows(items, waves, there, sheet).heights) > room and compared:
        waves = [wave for wave in waves if wave in (compared.first, compared.last)] or waves[-2:]
    if sum(_rows(items, waves, there, sheet).heights) > room:
        waves = waves[-1:]
    fit = max(sum(total <= room for total in accumulate(_rows(items, waves, there, sheet).heights)), 1)
    one, many = presentation.nouns.statement
    noun = many if len(items) > 1 else one
    return (
        items[:fit],
        waves,
        f"{fit} of {len(items)} {noun}: the most favourable." if fit < len(items) else "",
    )


def _keys(items: Sequence[Item], rows: pd.DataFrame, presentation: Presentation) -> list[Key]:
    """Give the legend: the answers of each response scale, and what is withheld."""
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
