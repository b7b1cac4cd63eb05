"""How people answered the statements of a scale: every answer of all respondents, three groups by organisation.

Bars run from 0 to 100% on one axis; at their ends stand the shares of the answers on either side.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch, Rectangle

from surveywaves.figures.drawing import LINE, Drawing, Page, hatched, quiet, value, withheld_key
from surveywaves.figures.style import GREY, INK, MARK, Sheet, drawable, on, response_colours, width, wrap
from surveywaves.findings import main_pair
from surveywaves.study.models import Item
from surveywaves.study.parts import Presentation
from surveywaves.terms import ALL, WITHOUT_SCALE, Comparability, Status
from surveywaves.words import NONE, OUTSIDE, REVERSED, WITHHELD, Labels, number, shortened

BESIDE: Final = 2
"""Most organisations that stand side by side, wave under wave; more stand under each other, in the last wave."""

UNDER: Final = 6
"""Most organisations under each other: beyond, the tables have them."""

BAR: Final = 1.45
"""Height that a bar takes, in em."""

GAP: Final = 0.7
"""Between statements, in em."""


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
    labels, sheet = Labels(presentation), Sheet.of(presentation.style)
    items = [item for item in presentation.items.values() if (item.scale or WITHOUT_SCALE) == group]
    rows = item_frequencies[item_frequencies["item"].isin([item.item for item in items])]
    own = item_summary[item_summary["item"].isin([item.item for item in items])]
    answers = Answers(rows, own, presentation)
    waves = [wave for wave in presentation.waves if rows["wave"].eq(wave).any()]
    there = [name for name in presentation.organisations if rows["organisation"].eq(name).any()]
    there = there if 1 < len(there) <= UNDER else []
    now = own[own["organisation"].eq(ALL)].set_index(["wave", "item"])["favourable_percent"].to_dict()
    last = waves[-1] if waves else ""
    items.sort(key=lambda item: -(_known(now.get((last, item.item))) or 0.0))
    items, waves, cut = _fitting(items, waves, there, presentation)
    panels = _panels(waves, there, labels)
    lines = [_label(item, sheet) for item in items]
    blocks = [
        max(max((len(panel.rows) for panel in panels), default=1) * BAR, len(text) * LINE) + GAP
        for text in lines
    ]
    name = OUTSIDE if group == WITHOUT_SCALE else labels.scale(group)
    page = Page(
        presentation,
        _title(name, [now.get((last, item.item)) for item in items], last, labels),
        "Answers, %; at either end those on that side together, the favourable in bold",
        keys=_keys(items, rows, presentation),
        notes=[
            f"{REVERSED}: to disagree is favourable." if any(item.key < 0 for item in items) else "",
            f"Answers on either side are taken together by {presentation.nouns.organisation[0]}."
            if there
            else "",
            cut,
        ],
        lines=sum(blocks) + 1.5 * max(len(panel.heading(sheet)) for panel in panels) + 1.5,
    )
    side = not there or len(there) > BESIDE
    shares = [1.9, *([1.0] * (len(panels) - 1))] if not side else [1.6, *([1.0] * (len(panels) - 1))]
    drawn = page.figure.subplots(1, len(panels), squeeze=False, width_ratios=shares)[0]
    for axes, panel in zip(drawn, panels, strict=True):
        _draw(axes, panel, items=items, blocks=blocks, answers=answers, sheet=page.sheet, labels=labels)
    _statements(drawn[0], panels[0], lines, blocks, page.sheet)
    shown = rows["organisation"].isin([ALL, *there]) & rows["wave"].isin(waves)
    shown &= rows["item"].isin([item.item for item in items])
    caption = (
        f"{shortened(name, 60)}, sorted by favourable answers in the last wave. Every answer of all "
        f"respondents{f'; by {presentation.nouns.organisation[0]} the two sides and the middle' if there else ''}."
    )
    said = [
        f"{labels.item(item.item)} {number(now.get((last, item.item)), 0)}% favourable"
        for item in items
        if _known(now.get((last, item.item))) is not None
    ]
    return page.drawing(
        rows[shown], caption=caption, alt=f"{page.title}. {' '.join(f'{one}.' for one in said)}"
    )


@dataclass(frozen=True, slots=True)
class Panel:
    """Bars under each other: title, and for each its label, wave and organisation."""

    title: str
    rows: tuple[tuple[str, str, str], ...]
    together: bool
    named: bool
    """Whether its bars have labels of their own."""

    def heading(self, sheet: Sheet) -> tuple[str, ...]:
        """Break its title into lines."""
        room = sheet.width / (2.5 if not self.together else 5.5 if self.named else 7.5)
        return wrap(self.title, room, sheet.em * 1.1, bold=True)


def _panels(waves: Sequence[str], there: Sequence[str], labels: Labels) -> list[Panel]:
    """Choose panels: all respondents by wave; organisations by wave beside them, or under each other."""
    all_waves = tuple((labels.wave(wave), wave, ALL) for wave in waves)
    panels = [Panel("All respondents", all_waves, together=False, named=True)]
    if len(there) > BESIDE:
        own = tuple((labels.organisation(name), waves[-1], name) for name in there)
        title = f"By {labels.presentation.nouns.organisation[0]}, {labels.wave(waves[-1])}"
        return [*panels, Panel(title, own, together=True, named=True)]
    for name in there:
        own = tuple((labels.wave(wave), wave, name) for wave in waves)
        panels.append(Panel(labels.organisation(name), own, together=True, named=False))
    return panels


def _draw(
    axes: Axes,
    panel: Panel,
    *,
    items: Sequence[Item],
    blocks: Sequence[float],
    answers: Answers,
    sheet: Sheet,
    labels: Labels,
) -> None:
    """Draw a panel; y is in em from the top."""
    em, top, ticks = sheet.em, 0.0, []
    end = 12.0 if not panel.together or panel.named else 27.0
    for item, block in zip(items, blocks, strict=True):
        start = top + (block - GAP - len(panel.rows) * BAR) / 2 + GAP / 2
        for place, (label, wave, organisation) in enumerate(panel.rows):
            y = start + (place + 0.5) * BAR
            bar = answers.bar(item, wave, organisation, together=panel.together)
            if bar is not None:
                told = f"{labels.item(item.item)}, {panel.title}, {label}"
                _bar(axes, y, bar, told, roomy=not panel.together)
            elif organisation == ALL:
                why = _nothing(labels.presentation, wave, item)
                axes.text(0, y, why, va="center_baseline", color=GREY)
            ticks.append((y, label))
        top += block
    quiet(axes)
    axes.set(xlim=(-end, 100 + end), ylim=(top, 0), xticks=[0, 50, 100])
    axes.set_xticklabels(["0", "50", "100%"])
    axes.grid(axis="x")
    axes.set_axisbelow(True)
    axes.spines["bottom"].set_visible(False)
    axes.set_title("\n".join(panel.heading(sheet)))
    if panel.named:
        names = ["\n".join(wrap(label, 8.5 * em, em, lines=1)) for _, label in ticks]
        axes.set_yticks([y for y, _ in ticks], names, color=GREY)
    else:
        axes.set_yticks([])


def _nothing(presentation: Presentation, wave: str, item: Item) -> str:
    """Say why there are no answers of a wave to a statement."""
    grade = presentation.waves[wave].comparability.get(item.item, Comparability.ABSENT.value)
    if grade == Comparability.RESCALED:
        return "other answers offered"
    return "not asked" if grade == Comparability.ABSENT else "no answers"


def _bar(axes: Axes, y: float, bar: Bar, told: str, *, roomy: bool) -> None:
    """Draw a bar: from either end what is known, hatched between where any is not, and the totals beside it."""
    known = [not math.isnan(share) for share in bar.shares]
    count = len(known)
    first = next((place for place in range(count) if not known[place]), count)
    final = next((place for place in reversed(range(count)) if not known[place]), -1)
    high, at = 1.0, 0.0
    places: list[tuple[int, float]] = []
    for place in range(first):
        places.append((place, at))
        at += bar.shares[place]
    left, right = at, 100.0
    for place in range(count - 1, max(final, first - 1), -1):
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
        value(patch, f"{bar.labels[place]}: {number(share, 0)}%", focus=False)
        if roomy and share >= ROOM:
            look: dict[str, Any] = {"ha": "center", "va": "center_baseline", "color": on(colour)}
            axes.text(start + share / 2, y, number(share, 0), **look)
    if first < count and right - left > 0.5:
        hatched(axes, left, y, right - left, high)
    axes.add_artist(Rectangle((0, y - high / 2), 100, high, fill=False, edgecolor=MARK, linewidth=0.5))
    for total, x, favourable in zip(bar.ends, (0, 100), (bar.reverse, not bar.reverse), strict=True):
        text = number(total, 0) if not math.isnan(total) else WITHHELD if bar.withheld else NONE
        mark = axes.annotate(
            text,
            (x, y),
            xytext=(3 if x else -3, 0),
            textcoords="offset points",
            ha="left" if x else "right",
            va="center_baseline",
            weight="bold" if favourable else "normal",
            color=INK if favourable else GREY,
        )
        if favourable:
            value(mark, f"{told}: {text}% favourable")


ROOM: Final = 11.0
"""Percent that an answer takes at least for its number to stand in it."""


def _label(item: Item, sheet: Sheet) -> tuple[str, ...]:
    """Break a statement into lines; the mark of a reversed one stands first."""
    text = f"{REVERSED} {item.text}" if item.key < 0 else item.text
    return wrap(text, STATEMENT * sheet.width, sheet.em, lines=5)


STATEMENT: Final = 0.30
"""Share of the sheet's width that statements take."""


def _statements(
    axes: Axes, panel: Panel, lines: Sequence[Sequence[str]], blocks: Sequence[float], sheet: Sheet
) -> None:
    """Write the statements to the left of the labels of bars."""
    em = sheet.em
    names = max(
        (width("".join(wrap(label, 8.5 * em, em, lines=1)), em) for label, *_ in panel.rows), default=0
    )
    wide = max((width(line, em) for text in lines for line in text), default=0)
    top = 0.0
    for text, block in zip(lines, blocks, strict=True):
        axes.annotate(
            "\n".join(text),
            (0, top + block / 2),
            xycoords=axes.get_yaxis_transform(),
            xytext=(-names - wide - 1.6 * em, 0),
            textcoords="offset points",
            va="center",
            linespacing=LINE - 0.15,
        )
        top += block


def _fitting(
    items: list[Item], waves: list[str], there: Sequence[str], presentation: Presentation
) -> tuple[list[Item], list[str], str]:
    """Leave out what a sheet has no room for: first waves other than the main pair's, then statements."""
    sheet, compared = Sheet.of(presentation.style), main_pair(presentation)
    room = sheet.most / sheet.em - 12
    beneath = len(there) if len(there) > BESIDE else 0

    def heights(shown: Sequence[str]) -> list[float]:
        bars = max(len(shown), beneath, 1) * BAR
        return [max(bars, len(_label(item, sheet)) * LINE) + GAP for item in items]

    if sum(heights(waves)) > room and compared:
        waves = [wave for wave in waves if wave in (compared.first, compared.last)] or waves[-2:]
    if sum(heights(waves)) > room:
        waves = waves[-1:]
    total, fit = 0.0, 0
    for height in heights(waves):
        total += height
        fit += total <= room
    fit = max(fit, 1)
    one, many = presentation.nouns.statement
    cut = (
        f"{fit} of {len(items)} {many if len(items) > 1 else one}: the most favourable."
        if fit < len(items)
        else ""
    )
    return items[:fit], waves, cut


def _keys(items: Sequence[Item], rows: pd.DataFrame, presentation: Presentation) -> list[Any]:
    """Give the legend: the answers of each response scale, and what is withheld."""
    keys: list[Any] = []
    for name in dict.fromkeys(item.response_scale for item in items):
        scale = presentation.response_scales[name]
        colours = response_colours(presentation.style.responses, scale.points)
        keys += [
            Patch(facecolor=colour, edgecolor=MARK, linewidth=0.5, label=drawable(label))
            for colour, label in zip(colours, scale.labels, strict=True)
        ]
    return [*keys, *([withheld_key()] if rows["status"].eq(Status.WITHHELD).any() else [])]


def _known(share: Any) -> float | None:
    return None if share is None or pd.isna(share) else float(share)


def _title(name: str, shares: Sequence[Any], wave: str, labels: Labels) -> str:
    """Say from where to where the favourable answers to the statements lie."""
    known = [share for share in map(_known, shares) if share is not None]
    if not known:
        return name
    low, high = number(min(known), 0), number(max(known), 0)
    return f"{name}: {low if low == high else f'{low}–{high}'}% favourable in {labels.wave(wave)}"
