"""The rows and panels of diverging stacked bars."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from surveywaves.figures.axes import Axis
from surveywaves.figures.divided import Bar, Piece
from surveywaves.figures.layout import SMALL, TINY, Page
from surveywaves.figures.style import GREY, REFERENCE, on, response_colours
from surveywaves.figures.words import no_answers, organisation_label, wave_title, whole
from surveywaves.study.models import Comparability, Item
from surveywaves.study.parts import Presentation
from surveywaves.tidy import ALL, Status

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
            longest = max(page.width_of(_statement(item), SMALL) for item in items)
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
        lines = page.wrap(_statement(item), self.item_width, SMALL)
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


def _statement(item: Item) -> str:
    return item.text + (" (R)" if item.keyed == "-" else "")


def _tens(value: float) -> int:
    """Round up to tens."""
    return 10 * math.ceil(value / 10 - 1e-9)
