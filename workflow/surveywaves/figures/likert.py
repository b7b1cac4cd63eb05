"""Diverging stacked bars: how the answers to each item divide, wave by wave.

How answers divide where some counts are withheld: what is known of the others, and where it can be drawn.

The rows and panels of diverging stacked bars.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

import pandas as pd

from surveywaves.figures.drawing import Drawing
from surveywaves.figures.layout import GREY, REFERENCE, SMALL, TINY, Axis, Key, Page, on, response_colours
from surveywaves.study.models import Item
from surveywaves.study.parts import Presentation
from surveywaves.terms import ALL, ORGANISATION, WITHOUT_SCALE, Comparability, Status
from surveywaves.words import (
    REVERSED,
    evidence_of,
    no_answers,
    organisation_label,
    percent,
    statement,
    wave_title,
    whole,
)


class Piece(NamedTuple):
    """A part of a bar: response options (from 0, lowest first) and the percentage that gave one of them."""

    options: tuple[int, ...]
    share: float


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar centred on the middle of the response scale, as far as it is known where things stand.

    Parameters
    ----------
    centred
        Pieces in the order of the options, each where it belongs.
    below
        Percentage of them left of the middle: the lower options and half of the middle one.
    apart
        Pieces of which only the length is known.
    """

    centred: tuple[Piece, ...]
    below: float
    apart: tuple[Piece, ...] = ()

    @property
    def above(self) -> float:
        """Percentage right of the middle."""
        return sum(piece.share for piece in self.centred) - self.below

    @property
    def beside(self) -> float:
        """Percentage whose place is not known."""
        return sum(piece.share for piece in self.apart)


def divide(shares: Sequence[float], favourable: Collection[int], together: float) -> Bar | None:
    """Put what is shown of an item's answers, and what follows from it, where it belongs.

    Percentages add up to 100, so those that are withheld are known together; where the favourable ones are known
    together, the withheld ones among them are too, and the others. Such a group takes its place in the bar if its
    options follow each other and the middle of the scale does not fall among them.

    Parameters
    ----------
    shares
        Percentages, lowest option first; NaN where withheld.
    favourable
        Favourable options, from 0.
    together
        Percentage of favourable answers; NaN where withheld.

    Returns
    -------
    Bar or None
        None where nothing is known but that there are answers.
    """
    groups = _groups(shares, favourable, together)
    if groups and len(groups[0].options) == len(shares):
        return None
    pieces = [Piece((place,), share) for place, share in enumerate(shares) if math.isfinite(share)] + groups
    within = {place: piece for piece in pieces for place in piece.options}
    half, middle = len(shares) // 2, len(shares) % 2
    left: list[Piece] = []
    right: list[Piece] = []
    core: list[Piece] = []
    if not middle or math.isfinite(shares[half]):
        core = [within[half]] if middle else []
        left = list(_outwards(within, range(half - 1, -1, -1)))
        right = list(_outwards(within, range(half + middle, len(shares))))
    centred = (*reversed(left), *core, *right)
    rest = [piece for piece in pieces if piece not in centred]
    return Bar(
        centred=centred,
        below=sum(piece.share for piece in left) + sum(piece.share for piece in core) / 2,
        apart=tuple(sorted(rest, key=lambda piece: (not _adjoining(piece), piece.options))),
    )


def _groups(shares: Sequence[float], favourable: Collection[int], together: float) -> list[Piece]:
    """Give the withheld options, as they are known together."""
    withheld = tuple(place for place, share in enumerate(shares) if not math.isfinite(share))
    if not withheld:
        return []
    rest = 100 - sum(share for share in shares if math.isfinite(share))
    inside = tuple(place for place in withheld if place in favourable)
    if not math.isfinite(together) or inside in {(), withheld}:
        return [Piece(withheld, max(rest, 0.0))]
    known = sum(shares[place] for place in favourable if place not in withheld)
    among = min(max(together - known, 0.0), rest)
    outside = tuple(place for place in withheld if place not in favourable)
    return sorted([Piece(inside, among), Piece(outside, rest - among)])


def _outwards(within: dict[int, Piece], places: range) -> Iterator[Piece]:
    """Take the pieces of one side from the middle outwards, up to the first that has no place there."""
    side = set(places)
    for place in places:
        piece = within[place]
        if not _adjoining(piece) or not side.issuperset(piece.options):
            return
        if place == min(piece.options, key=places.index):
            yield piece


def _adjoining(piece: Piece) -> bool:
    """Whether its options follow each other."""
    return piece.options[-1] - piece.options[0] == len(piece.options) - 1


BAR: Final = 1.32
PITCH: Final = 1.52
BETWEEN_ITEMS: Final = 0.75
BESIDE: Final = 1.8
"""Between the bars that are centred and what stands apart."""
NOT_CENTRED: Final = "not centred"
NARROW: Final = 40.0
"""On a page less wide than this, statements stand above their bars. All in base font sizes."""

Cell: TypeAlias = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Answers:
    """How one wave and organisation answered an item.

    Parameters
    ----------
    bar
        How the answers divide; None if that is withheld.
    base
        Answers; None if withheld.
    favourable
        Percentage of favourable ones; NaN if withheld.
    """

    bar: Bar | None
    base: int | None
    favourable: float

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """All parts of the bar."""
        return (*self.bar.centred, *self.bar.apart) if self.bar else ()

    @property
    def whole(self) -> bool:
        """Whether nothing is withheld."""
        return self.bar is not None and all(len(piece.options) == 1 for piece in self.pieces)


def is_reworded(presentation: Presentation, wave: str, item: Item) -> bool:
    """Whether a wave asked an item in other words."""
    grade = presentation.waves[wave].comparability.get(item.item)
    return grade == Comparability.REWORDED.value


class Chart:
    """Items under each other, waves within an item, a panel an organisation.

    Parameters
    ----------
    page, presentation
        Where to draw, and in which words.
    answers
        By (wave, organisation, item).
    items, waves, organisations
        Those to draw, in order; `[ALL]`: everybody together.
    width
        Panels that would fit side by side.
    """

    def __init__(
        self,
        page: Page,
        presentation: Presentation,
        answers: Mapping[Cell, Answers],
        items: Sequence[Item],
        *,
        waves: Sequence[str],
        organisations: Sequence[str],
        width: int,
    ) -> None:
        self.page, self.presentation, self.answers = page, presentation, answers
        self.items, self.waves, self.organisations = items, waves, organisations
        em = page.em
        usable = page.right - page.left
        self.above = organisations != [ALL] or usable < NARROW * em
        self.gap = 1.2 * em
        self.item_width = usable
        if not self.above:
            longest = max(page.width_of(statement(item), SMALL) for item in items)
            self.item_width = min(longest, usable * 0.36)
        self.wave_width = 0.0
        if len(waves) > 1 or wave_title(presentation, waves[0]):
            longest = max(page.width_of(wave_title(presentation, wave) + "†", SMALL) for wave in waves)
            self.wave_width = min(longest + 0.2 * em, usable * (0.2 if self.above else 0.13))
        labels = self.wave_width + self.gap
        self.start = page.left + labels + (0.0 if self.above else self.item_width + self.gap)
        self.pitch = (page.right - self.start + self.gap) / width
        self.n_width = max(
            page.width_of(words, SMALL)
            for words in ("n", *(whole(found.base) for found in answers.values() if found.base))
        )
        self.bar_width = self.pitch - self.gap - self.n_width - 0.5 * em
        bars = [found.bar for found in answers.values() if found.bar]
        self.low = -_tens(max((bar.below for bar in bars), default=100))
        self.high = max(_tens(max((bar.above for bar in bars), default=100)), 10 if self.low else 100)
        self.beside = _tens(max((bar.beside for bar in bars), default=0))
        room = self.bar_width - (BESIDE * em if self.beside else 0.0)
        self.centred_width = room * (self.high - self.low) / (self.high - self.low + self.beside)
        self.colours = {
            item.item: response_colours(
                presentation.style.responses, presentation.response_scales[item.response_scale].points
            )
            for item in items
        }

    def draw(self) -> None:
        """Draw it at the page's current end."""
        page = self.page
        page.y += 0.4 * page.em
        self._heads()
        top = page.y
        for number, item in enumerate(self.items):
            if number:
                middle = page.y + BETWEEN_ITEMS * page.em / 2
                page.rule((page.left, middle), (page.right, middle), weight=0.4)
                page.y += BETWEEN_ITEMS * page.em
            self._item(item)
        self._axes(top)

    def _axis(self, panel: int) -> Axis:
        return Axis(self.start + panel * self.pitch, self.centred_width, self.low, self.high)

    def _axis_beside(self, panel: int) -> Axis:
        end = self.start + panel * self.pitch + self.bar_width
        width = self.bar_width - self.centred_width - BESIDE * self.page.em
        return Axis(end - width, width, 0.0, self.beside)

    def _end(self, panel: int) -> float:
        return self.start + (panel + 1) * self.pitch - self.gap

    def _heads(self) -> None:
        page = self.page
        heads = []
        if self.organisations != [ALL]:
            heads = [
                page.wrap(
                    organisation_label(self.presentation, organisation),
                    self.centred_width if self.beside else self.bar_width,
                    SMALL,
                    bold=True,
                    max_lines=3,
                )
                for organisation in self.organisations
            ]
        lines = max((len(head) for head in heads), default=1)
        height = page.height_of(lines, SMALL)
        for panel in range(len(self.organisations)):
            middle = page.y + height - page.height_of(1, SMALL) / 2
            page.text(self._end(panel), middle, "n", SMALL, colour=GREY, align="right")
            if self.beside:
                beside = self._axis_beside(panel)
                if page.width_of(NOT_CENTRED, TINY) < beside.width:
                    page.text(beside.start, middle, NOT_CENTRED, TINY, colour=GREY)
            if heads:
                top = page.y + height - page.height_of(len(heads[panel]), SMALL)
                page.block(self.start + panel * self.pitch, top, heads[panel], SMALL, bold=True)
        page.y += height + 0.2 * page.em

    def _item(self, item: Item) -> None:
        page = self.page
        lines = page.wrap(statement(item), self.item_width, SMALL)
        if self.above:
            page.plate(page.left, page.y, page.right - page.left, page.height_of(len(lines), SMALL))
            page.y = page.block(page.left, page.y, lines, SMALL) + 0.25 * page.em
        labels = [
            page.wrap(
                wave_title(self.presentation, wave)
                + ("†" if is_reworded(self.presentation, wave, item) else ""),
                self.wave_width,
                SMALL,
                max_lines=2,
            )
            for wave in self.waves
        ]
        heights = [
            max(PITCH * page.em, page.height_of(len(label), SMALL) + 0.15 * page.em) for label in labels
        ]
        height = sum(heights)
        if not self.above:
            height = max(height, page.height_of(len(lines), SMALL))
            page.block(page.left, page.y + (height - page.height_of(len(lines), SMALL)) / 2, lines, SMALL)
        y = page.y + (height - sum(heights)) / 2
        for wave, label, row in zip(self.waves, labels, heights, strict=True):
            middle = y + row / 2
            under = middle - page.height_of(len(label), SMALL) / 2
            page.block(self.start - self.gap, under, label, SMALL, align="right")
            for panel, organisation in enumerate(self.organisations):
                self._cell(panel, middle, wave, organisation, item)
            y += row
        page.y += height

    def _cell(self, panel: int, middle: float, wave: str, organisation: str, item: Item) -> None:
        page = self.page
        found = self.answers.get((wave, organisation, item.item))
        if found is not None and found.base is not None:
            page.text(self._end(panel), middle, whole(found.base), SMALL, colour=GREY, align="right")
        if found is not None and found.bar is not None:
            self._pieces(self._axis(panel), -found.bar.below, found.bar.centred, middle, item)
            if found.bar.apart:
                self._pieces(self._axis_beside(panel), 0.0, found.bar.apart, middle, item)
            return
        start = self._axis(panel).start
        if found is None:
            reason = no_answers(self.presentation, wave, organisation, item.item)
        else:
            reason = Status.WITHHELD.value
            page.striped(start, middle - BAR * page.em / 2, BAR * page.em, BAR * page.em)
            start += (BAR + 0.4) * page.em
        shown = page.wrap(reason, self.bar_width - (start - self._axis(panel).start), TINY, max_lines=1)[0]
        page.text(start, middle, shown, TINY, colour=GREY, backed=True)

    def _pieces(self, axis: Axis, at: float, pieces: Sequence[Piece], middle: float, item: Item) -> None:
        """Draw parts of a bar, from a place on an axis rightwards."""
        page = self.page
        for options, share in pieces:
            left, right = axis.x(at), axis.x(at + share)
            colours = [self.colours[item.item][option] for option in options]
            label = f"{share:.0f}"
            fits = share >= 0.5 and page.width_of(label, TINY) + 0.35 * page.em < right - left
            top, height = middle - BAR * page.em / 2, BAR * page.em
            if len(colours) > 1:
                page.striped(left, top, right - left, height, colours)
                fits = fits and page.width_of(label, TINY) + 0.9 * page.em < right - left
                if fits:
                    page.text((left + right) / 2, middle, label, TINY, align="center", backed=True)
            else:
                page.box(left, top, right - left, height, colours[0])
                if fits:
                    page.text((left + right) / 2, middle, label, TINY, colour=on(colours[0]), align="center")
            at += share

    def _axes(self, top: float) -> None:
        page = self.page
        bottom = page.y + 0.3 * page.em
        for panel in range(len(self.organisations)):
            axis = self._axis(panel)
            spare = BESIDE * page.em / 2 - 0.2 if self.beside else self.gap
            axis.draw(page, top=top, bottom=bottom, write=lambda value: f"{abs(value):g}%", spare=spare)
            page.rule((axis.x(0), top), (axis.x(0), bottom), colour=REFERENCE, weight=0.6, above=True)
            if self.beside:
                beside = self._axis_beside(panel)
                beside.draw(page, top=top, bottom=bottom, write=lambda value: f"{value:g}%", spare=self.gap)
        page.y = bottom + page.height_of(1, TINY) + 0.5 * page.em


def _tens(value: float) -> int:
    """Round up to tens."""
    return 10 * math.ceil(value / 10 - 1e-9)


PANELS_ABREAST: Final = 3
LEAST: Final = 18.0
"""Width that a panel takes at least, in base font sizes."""
STRIPED: Final = "Of these colours together: each is withheld"
STRIPES: Final = "Striped: so many gave one of the answers of these colours; how they divide is withheld."
APART: Final = (
    "Not centred: bars, or parts of bars, whose place left or right of the middle is withheld; only their lengths "
    "count."
)


def likert(
    frequencies: pd.DataFrame,
    summary: pd.DataFrame,
    presentation: Presentation,
    group: str,
    *,
    by_organisation: bool = False,
) -> Drawing:
    """Draw the answers to a scale's items.

    Parameters
    ----------
    frequencies
        `released/item_frequencies`.
    summary
        `released/item_summary`: favourable answers, known where single counts may not be.
    presentation
        The study in words.
    group
        A scale, or `WITHOUT_SCALE`.
    by_organisation
        A panel an organisation, instead of everybody together.
    """
    member = None if group == WITHOUT_SCALE else group
    items = [item for item in presentation.items.values() if item.scale == member]
    title = "Items that belong to no scale" if member is None else presentation.scales[group].title
    organisations = list(presentation.organisations) if by_organisation else [ALL]
    answers = _answers(frequencies, summary, presentation, items, organisations)
    asked = [
        wave
        for wave in presentation.waves
        if _asked(frequencies, wave, items) or any(cell[0] == wave for cell in answers)
    ]
    silent = [wave_title(presentation, wave) for wave in presentation.waves if wave not in asked]
    evidence = evidence_of(
        presentation,
        asked,
        "organisations" if by_organisation else "totals",
        ["items", *([ORGANISATION] if by_organisation else [])],
    )
    drawn = title + (", by organisation" if by_organisation else "")
    striped = any(len(piece.options) > 1 for found in answers.values() for piece in found.pieces)
    notes = [
        f"None of these items was asked in: {', '.join(silent)}." if silent else "",
        f"{REVERSED} Agreement means less of what the scale measures: shown as worded; to disagree is favourable."
        if any(item.key < 0 for item in items)
        else "",
        "† Asked in other words in that wave."
        if any(is_reworded(presentation, wave, item) for wave in asked for item in items)
        else "",
        STRIPES if striped else "",
        APART if any(found.bar and found.bar.apart for found in answers.values()) else "",
    ]
    notes = [note for note in notes if note]

    page = Page(presentation.style)
    page.title(drawn)
    _legend(page, presentation, items, striped=striped)
    if not asked:
        page.paragraph("No wave has answers to these items.")
    width = page.abreast(len(organisations), PANELS_ABREAST, least=LEAST)
    for start in range(0, len(organisations), width):
        if asked:
            panels = organisations[start : start + width]
            Chart(page, presentation, answers, items, waves=asked, organisations=panels, width=width).draw()
    page.foot(notes, evidence)

    bases = [found.base for found in answers.values() if found.base]
    return Drawing(
        figure=page.finish(),
        rows=frequencies[
            frequencies["item"].isin([item.item for item in items])
            & frequencies["organisation"].isin(organisations)
        ],
        title=drawn,
        caption=_caption(drawn, bases, notes, evidence),
        alt=_alt(
            drawn, answers, presentation, items, waves=asked, organisations=organisations, evidence=evidence
        ),
        evidence=evidence,
        dpi=presentation.style.dpi,
    )


def _answers(
    frequencies: pd.DataFrame,
    summary: pd.DataFrame,
    presentation: Presentation,
    items: Sequence[Item],
    organisations: Sequence[str],
) -> dict[Cell, Answers]:
    """Give the answers by (wave, organisation, item), those cells only that have some."""
    known = {item.item: item for item in items}
    rows = frequencies[
        frequencies["item"].isin(list(known)) & frequencies["organisation"].isin(organisations)
    ]
    columns = ("wave", "organisation", "item", "response", "percent", "base")
    shares: dict[Cell, list[float]] = {}
    bases: dict[Cell, int | None] = {}
    for wave, organisation, item, response, share, base in zip(
        *(rows[name] for name in columns), strict=True
    ):
        if not pd.isna(base) and base <= 0:
            continue
        cell = (wave, organisation, item)
        points = presentation.response_scales[known[item].response_scale].points
        bases[cell] = None if pd.isna(base) else int(base)
        shares.setdefault(cell, [math.nan] * points)[int(response) - 1] = (
            math.nan if pd.isna(share) else float(share)
        )
    together = {
        (wave, organisation, item): float(share)
        for wave, organisation, item, share in zip(
            *(summary[name] for name in ("wave", "organisation", "item", "favourable_percent")), strict=True
        )
        if not pd.isna(share)
    }
    found = {}
    for cell, each in shares.items():
        favourable = together.get(cell, math.nan)
        bar = divide(each, _favourable(known[cell[2]], presentation), favourable)
        found[cell] = Answers(bar, bases[cell], favourable)
    return found


def _favourable(item: Item, presentation: Presentation) -> set[int]:
    """Give the favourable options, from 0."""
    scale = presentation.response_scales[item.response_scale]
    return {value - 1 if item.key == 1 else scale.points - value for value in scale.favourable}


def _asked(frequencies: pd.DataFrame, wave: str, items: Sequence[Item]) -> bool:
    """Whether anybody in a wave was asked any of the items."""
    rows = frequencies[
        (frequencies["wave"] == wave) & frequencies["item"].isin([item.item for item in items])
    ]
    return bool((rows["base"].isna() | (rows["base"] > 0)).any())


def _legend(page: Page, presentation: Presentation, items: Sequence[Item], *, striped: bool) -> None:
    scales = list(dict.fromkeys(item.response_scale for item in items))
    for name in scales:
        labels = presentation.response_scales[name].labels
        colours = response_colours(presentation.style.responses, len(labels))
        keys = [Key(label, colour) for label, colour in zip(labels, colours, strict=True)]
        if striped and name == scales[-1]:
            keys.append(Key(STRIPED, stripes=colours[:2]))
        page.legend(keys)


def _caption(title: str, bases: Sequence[int], notes: Sequence[str], evidence: str) -> str:
    said = [
        f"{title}: how the answers to each statement divide, in percent of those who answered it.",
        "Bars are centred on the middle of the response scale.",
    ]
    if bases:
        said.append(f"n, the answers to a statement, runs from {whole(min(bases))} to {whole(max(bases))}.")
    return " ".join([*said, "Counts of answers, no model.", *notes, evidence])


def _alt(
    title: str,
    answers: Mapping[Cell, Answers],
    presentation: Presentation,
    items: Sequence[Item],
    *,
    waves: Sequence[str],
    organisations: Sequence[str],
    evidence: str,
) -> str:
    said = [f"Diverging stacked bars, {title}: {len(items)} statements."]
    for wave in waves:
        for organisation in organisations:
            cells = [(wave, organisation, item.item) for item in items]
            found = [answers[cell] for cell in cells if cell in answers]
            shares = [one.favourable for one in found if math.isfinite(one.favourable)]
            who = "" if organisation == ALL else f", {organisation_label(presentation, organisation)}"
            where = f"{wave_title(presentation, wave)}{who}"
            if shares:
                told = (
                    f"from {percent(min(shares))} to {percent(max(shares))} favourable across {len(shares)} "
                    "statements"
                )
            else:
                told = Status.WITHHELD.value if found else "no answers"
            partly = sum(not one.whole for one in found)
            rest = f"; some answers to {partly} of {len(found)} statements are withheld" if partly else ""
            said.append(f"{where}: {told}{rest}.")
    return " ".join([*said, evidence])
