"""How people answered the statements of a scale: every answer of all respondents, three groups by organisation.

Bars run from 0 to 100% on one axis; at their ends stand the shares of the answers on either side.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from surveywaves.figures.drawing import (
    LINE,
    Drawing,
    Key,
    Page,
    hatched,
    middles_of,
    reach,
    value,
    withheld_key,
)
from surveywaves.figures.style import GREY, INK, MARK, Sheet, on, response_colours, width, wrap
from surveywaves.findings import main_pair
from surveywaves.study.models import Item
from surveywaves.study.parts import Presentation
from surveywaves.terms import ALL, WITHOUT_SCALE, Comparability, Status
from surveywaves.words import NONE, OUTSIDE, REVERSED, WITHHELD, Labels, number, shortened

BESIDE: Final = 2
"""Most organisations that stand side by side, wave under wave; more stand under each other, in the last wave."""

UNDER: Final = 6
"""Most organisations under each other: beyond, the tables have them."""

BAR: Final = 1.35
"""Height that a bar takes, in em."""
GAP: Final = 0.7
"""Between statements, in em."""
ROOM: Final = 1.2
"""Width in em that an answer takes at least, about its number, for the number to stand in it."""
STATEMENT: Final = 0.30
"""Share of the sheet's width that statements take."""
TOTAL: Final = 2.2
"""Room for a total beside a bar, in em."""
OWN: Final = 8.5
"""Most that the labels of bars take, in em."""


@dataclass(frozen=True, slots=True)
class Bar:
    """The answers of some people to a statement.

    Parameters
    ----------
    shares
        In percent, lowest answer first; NaN where there is none to show.
    withheld
        Whether any of them is withheld.
    colours, labels
        Of the answers.
    favourable
        Share of the favourable answers; NaN where there is none to show.
    reverse
        Whether these are the low ones.
    """

    shares: tuple[float, ...]
    withheld: bool
    colours: tuple[str, ...]
    labels: tuple[str, ...]
    favourable: float
    reverse: bool

    @property
    def ends(self) -> tuple[float, float]:
        """Give the shares on the low and on the high side of the middle."""
        side = len(self.shares) // 2
        low, high = sum(self.shares[:side]), sum(self.shares[-side:])
        if self.reverse and math.isnan(low):
            low = self.favourable
        if not self.reverse and math.isnan(high):
            high = self.favourable
        return low, high


@dataclass(frozen=True)
class Answers:
    """The answers to the statements of a scale, by wave, organisation and statement."""

    frequencies: pd.DataFrame
    summary: pd.DataFrame
    presentation: Presentation

    def __post_init__(self) -> None:
        rows: dict[tuple[str, str, str], dict[int, tuple[float, bool]]] = {}
        table = self.frequencies
        for place, response, percent, status in zip(
            zip(table["wave"], table["organisation"], table["item"], strict=True),
            table["response"],
            table["percent"],
            table["status"],
            strict=True,
        ):
            share = math.nan if pd.isna(percent) else float(percent)
            rows.setdefault(place, {})[int(response)] = share, status == Status.WITHHELD
        own = self.summary
        places = zip(own["wave"], own["organisation"], own["item"], strict=True)
        known = {k: float(v) for k, v in zip(places, own["favourable_percent"], strict=True) if pd.notna(v)}
        object.__setattr__(self, "_rows", rows)
        object.__setattr__(self, "_favourable", known)

    def bar(self, item: Item, wave: str, organisation: str, *, together: bool) -> Bar | None:
        """Give a bar; None where nobody was asked.

        Parameters
        ----------
        together
            Whether to put the answers on either side of the middle together.
        """
        place = (wave, organisation, item.item)
        found: Mapping[int, tuple[float, bool]] | None = self._rows.get(place)  # type: ignore[attr-defined]
        if found is None:
            return None
        scale = self.presentation.response_scales[item.response_scale]
        shares = [found.get(response, (math.nan, False))[0] for response in range(1, scale.points + 1)]
        labels = tuple(scale.labels)
        favourable = self._favourable.get(place, math.nan)  # type: ignore[attr-defined]
        gone = any(withheld for _, withheld in found.values())
        if together:
            low = len(scale.favourable)
            parts = slice(0, low), slice(low, scale.points - low), slice(scale.points - low, scale.points)
            kept = [part for part in parts if part.stop > part.start]
            shares = [sum(shares[part]) for part in kept]
            labels = tuple(" or ".join(dict.fromkeys((labels[p][0], labels[p][-1]))) for p in kept)
            ends = [-1] if item.key > 0 else [0]
            for end in ends:
                shares[end] = favourable if math.isnan(shares[end]) else shares[end]
        colours = response_colours(self.presentation.style.responses, len(shares))
        if all(map(math.isnan, shares)) and not gone:
            return None
        return Bar(tuple(shares), gone, colours, labels, favourable, item.key < 0)


def likert(
    item_frequencies: pd.DataFrame, item_summary: pd.DataFrame, presentation: Presentation, *, group: str
) -> Drawing:
    """Draw the answers to the statements of a scale, sorted by favourable answers in the last wave.

    Parameters
    ----------
    item_frequencies, item_summary
        As released.
    presentation
        The study in words.
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
    waves = [wave for wave in presentation.waves if rows["wave"].eq(wave).any()]
    there = [name for name in presentation.organisations if rows["organisation"].eq(name).any()]
    there = there if 1 < len(there) <= UNDER else []
    last = waves[-1] if waves else ""
    now = own[own["organisation"].eq(ALL) & own["wave"].eq(last)].set_index("item")["favourable_percent"]
    known = {item: float(share) for item, share in now.items() if pd.notna(share)}
    items.sort(key=lambda item: -known.get(item.item, 0.0))
    items, waves, cut = _fitting(items, waves, there, presentation)
    texts = [_label(item, sheet) for item in items]
    start, end = reach(texts, sheet.em), sheet.width - 0.5 * sheet.em
    panels = _panels(waves, there, labels, end - start)
    blocks = [max(_bars(waves, there), len(text) * LINE) + GAP for text in texts]
    name = OUTSIDE if group == WITHOUT_SCALE else labels.scale(group)
    page = Page(
        presentation,
        _title(name, [known[item.item] for item in items if item.item in known], last, labels),
        "Answers, %; at either end those on that side together, the favourable in bold",
        keys=_keys(items, rows, presentation),
        notes=[
            f"{REVERSED}: to disagree is favourable." if any(item.key < 0 for item in items) else "",
            f"Answers on either side are taken together by {organisation}." if there else "",
            cut,
        ],
        lines=sum(blocks),
        heads=0.5 + 1.1 * LINE * max(len(_heading(panel, sheet.em)) for panel in panels),
    )
    page.names(texts, middles_of(blocks))
    answers = Answers(rows, own, presentation)
    for panel in panels:
        _draw(page, start, panel, items, blocks, answers)
        start += panel.wide
    shown = rows["organisation"].isin([ALL, *there]) & rows["wave"].isin(waves)
    shown &= rows["item"].isin([item.item for item in items])
    caption = (
        f"{shortened(name, 60)}, sorted by favourable answers in the last wave. Every answer of all "
        f"respondents{f'; by {organisation} the two sides and the middle' if there else ''}."
    )
    said = [
        f"{labels.item(one.item)} {number(known[one.item], 0)}% favourable."
        for one in items
        if one.item in known
    ]
    return page.drawing(rows[shown], caption=caption, alt=f"{page.title}. {' '.join(said)}")


@dataclass(frozen=True, slots=True)
class Panel:
    """Bars under each other: title, for each its label, wave and organisation, and width in points."""

    title: str
    rows: tuple[tuple[str, str, str], ...]
    wide: float
    together: bool
    named: bool
    """Whether its bars have labels of their own."""


def _panels(waves: Sequence[str], there: Sequence[str], labels: Labels, wide: float) -> list[Panel]:
    """Choose panels: all respondents by wave; organisations by wave beside them, or under each other."""
    every = tuple((labels.wave(wave), wave, ALL) for wave in waves)
    first = wide * (0.54 if there else 1.0)
    panels = [Panel("All respondents", every, first, together=False, named=True)]
    if len(there) > BESIDE:
        own = tuple((labels.organisation(name), waves[-1], name) for name in there)
        title = f"By {labels.presentation.nouns.organisation[0]}, {labels.wave(waves[-1])}"
        return [*panels, Panel(title, own, wide - first, together=True, named=True)]
    for name in there:
        own = tuple((labels.wave(wave), wave, name) for wave in waves)
        part = (wide - first) / len(there)
        panels.append(Panel(labels.organisation(name), own, part, together=True, named=False))
    return panels


def _names(panel: Panel, em: float) -> tuple[list[str], float]:
    """Give the labels of bars, and where in the panel a bar begins."""
    names = [wrap(label, OWN * em, em, lines=1)[0] for label, *_ in panel.rows] if panel.named else []
    return names, max((width(name, em) + 0.5 * em for name in names), default=0.0) + TOTAL * em


def _heading(panel: Panel, em: float) -> tuple[str, ...]:
    return wrap(panel.title, panel.wide - _names(panel, em)[1], em * 1.1, bold=True)


def _draw(
    page: Page, start: float, panel: Panel, items: Sequence[Item], blocks: Sequence[float], answers: Answers
) -> None:
    """Draw a panel from a place on: labels, bars, and at either end the total of a side."""
    em, labels = page.em, Labels(page.presentation)
    names, indent = _names(panel, em)
    left, right = start + indent, start + panel.wide - TOTAL * em
    axes = page.panel(left, right, 0, 100, ticks={0: "0", 50: "50", 100: "100%"})
    look: dict[str, Any] = {"weight": "bold", "size": em * 1.1, "color": INK, "linespacing": LINE}
    page.head(left, "\n".join(_heading(panel, em)), **look)
    for item, block, middle in zip(items, blocks, middles_of(blocks), strict=True):
        for n, (label, wave, organisation) in enumerate(panel.rows):
            y = middle + (n - (len(panel.rows) - 1) / 2) * BAR
            if names:
                page.write(left - TOTAL * em, y, names[n], ha="right", color=GREY)
            bar = answers.bar(item, wave, organisation, together=panel.together)
            if bar is None:
                if organisation == ALL:
                    page.write(left, y, _nothing(page.presentation, wave, item), color=GREY)
                continue
            _bar(axes, y, bar, 0 if panel.together else (right - left) / em, em)
            for total, low in zip(bar.ends, (True, False), strict=True):
                text = WITHHELD if bar.withheld else NONE
                text = text if math.isnan(total) else number(total, 0)
                favourable = low == bar.reverse
                look = {"weight": "bold" if favourable else "normal", "color": INK if favourable else GREY}
                x = left - 3 if low else right + 3
                mark = page.write(x, y, text, ha="right" if low else "left", **look)
                if favourable:
                    value(mark, f"{labels.item(item.item)}, {panel.title}, {label}: {text}% favourable")


def _nothing(presentation: Presentation, wave: str, item: Item) -> str:
    """Say why there are no answers of a wave to a statement."""
    grade = presentation.waves[wave].comparability.get(item.item, Comparability.ABSENT.value)
    if grade == Comparability.RESCALED:
        return "other answers offered"
    return "not asked" if grade == Comparability.ABSENT else "no answers"


def _bar(axes: Axes, y: float, bar: Bar, wide: float, em: float) -> None:
    """Draw a bar: from either end what is known, hatched between where any is not.

    Parameters
    ----------
    wide
        Width of the panel in em, for the numbers within; 0: there are none.
    """
    gone = [place for place, share in enumerate(bar.shares) if math.isnan(share)]
    count, high = len(bar.shares), 1.05
    places: list[tuple[int, float]] = []
    left, right = 0.0, 100.0
    for place in range(gone[0] if gone else count):
        places.append((place, left))
        left += bar.shares[place]
    for place in range(count - 1, gone[-1] if gone else count, -1):
        right -= bar.shares[place]
        places.append((place, right))
    for place, start in places:
        share, colour = bar.shares[place], bar.colours[place]
        if not share:
            continue
        patch = Rectangle(
            (start, y - high / 2), share, high, facecolor=colour, edgecolor="white", linewidth=0.6
        )
        axes.add_artist(patch)  # unlike a patch, it asks for no limits
        text = number(share, 0)
        value(patch, f"{bar.labels[place]}: {text}%", focus=False)
        if share * wide / 100 >= width(text, 1.0) + ROOM - 1:
            look: dict[str, Any] = {"ha": "center", "va": "center_baseline", "color": on(colour), "size": em}
            axes.text(start + share / 2, y, text, **look)
    if gone and right - left > 0.5:
        hatched(axes, left, y, right - left, high)
    axes.add_artist(Rectangle((0, y - high / 2), 100, high, fill=False, edgecolor=MARK, linewidth=0.5))


def _label(item: Item, sheet: Sheet) -> tuple[str, ...]:
    """Break a statement into lines; the mark of a reversed one stands first."""
    text = f"{REVERSED} {item.text}" if item.key < 0 else item.text
    return wrap(text, STATEMENT * sheet.width, sheet.em, lines=5)


def _bars(waves: Sequence[str], there: Sequence[str]) -> float:
    """Compute the height of the bars of a statement, in em."""
    return BAR * max(len(waves), len(there) if len(there) > BESIDE else 0, 1)


def _fitting(
    items: list[Item], waves: list[str], there: Sequence[str], presentation: Presentation
) -> tuple[list[Item], list[str], str]:
    """Leave out what a sheet has no room for: first waves other than the main pair's, then statements."""
    sheet, compared = Sheet.of(presentation.style), main_pair(presentation)
    room = sheet.most / sheet.em - 12

    def heights(shown: Sequence[str]) -> list[float]:
        return [max(_bars(shown, there), len(_label(item, sheet)) * LINE) + GAP for item in items]

    if sum(heights(waves)) > room and compared:
        waves = [wave for wave in waves if wave in (compared.first, compared.last)] or waves[-2:]
    if sum(heights(waves)) > room:
        waves = waves[-1:]
    fit = max(sum(total <= room for total in accumulate(heights(waves))), 1)
    one, many = presentation.nouns.statement
    noun = many if len(items) > 1 else one
    cut = f"{fit} of {len(items)} {noun}: the most favourable." if fit < len(items) else ""
    return items[:fit], waves, cut


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
