"""Diverging stacked bars: how the answers to each item divide, wave by wave."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import pandas as pd

from surveywaves.figures.axes import Axis
from surveywaves.figures.drawing import Drawing
from surveywaves.figures.layout import SMALL, TINY, Key, Page, abreast
from surveywaves.figures.names import WITHOUT_SCALE
from surveywaves.figures.style import GREY, REFERENCE, TWO_COLUMNS, on, response_colours
from surveywaves.figures.words import (
    ORGANISATION,
    evidence_of,
    no_answers,
    organisation_label,
    percent,
    wave_title,
    whole,
)
from surveywaves.study.models import Comparability, Item
from surveywaves.study.parts import Presentation
from surveywaves.tidy import ALL

GROUP: Final = "Items"
PANELS_ABREAST: Final = 3
BAR: Final = 1.32
PITCH: Final = 1.52
BETWEEN_ITEMS: Final = 0.75
"""Heights in base font sizes."""

Cell: TypeAlias = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Answers:
    """How one wave and organisation answered an item: percentages (none if withheld), lowest option first, and base."""

    percentages: tuple[float, ...]
    base: int

    @property
    def below(self) -> float:
        """Percentage left of the centre: the lower options and half of the middle one."""
        half = len(self.percentages) // 2
        middle = self.percentages[half] / 2 if len(self.percentages) % 2 else 0.0
        return sum(self.percentages[:half]) + middle


def likert(
    frequencies: pd.DataFrame, presentation: Presentation, scale: str, *, by_organisation: bool = False
) -> Drawing:
    """Draw the answers to a scale's items.

    Parameters
    ----------
    frequencies
        `statistics/item_frequencies`.
    presentation
        The study in words.
    scale
        A scale, or `WITHOUT_SCALE`.
    by_organisation
        A panel an organisation, instead of everybody together.
    """
    member = None if scale == WITHOUT_SCALE else scale
    items = [item for item in presentation.items.values() if item.scale == member]
    answers = _answers(frequencies, presentation, items)
    title = "Items that belong to no scale" if member is None else presentation.scales[scale].title
    organisations = list(presentation.organisations) if by_organisation else [ALL]
    asked = [wave for wave in presentation.waves if _asked(answers, presentation, wave, items)]
    silent = [wave_title(presentation, wave) for wave in presentation.waves if wave not in asked]
    evidence = evidence_of(
        presentation,
        asked,
        "organisations" if by_organisation else "totals",
        ["items", *([ORGANISATION] if by_organisation else [])],
    )
    notes = []
    if silent:
        notes.append(f"None of these items was asked in: {', '.join(silent)}.")
    if any(item.keyed == "-" for item in items):
        notes.append("(R) Agreement means less of what the scale measures; shown as worded.")
    if any(_reworded(presentation, wave, item) for wave in asked for item in items):
        notes.append("† Asked in other words in that wave.")

    drawn = title + (", by organisation" if by_organisation else "")
    page = Page(TWO_COLUMNS, presentation.style)
    page.title(drawn)
    _legend(page, presentation, items)
    if not asked:
        page.paragraph("No wave has answers to these items.")
    width = abreast(len(organisations), PANELS_ABREAST)
    for start in range(0, len(organisations), width):
        if asked:
            panels = organisations[start : start + width]
            _Chart(page, presentation, answers, items, waves=asked, organisations=panels, width=width).draw()
    page.foot(notes, evidence)

    bases = [found.base for cell, found in answers.items() if cell[1] in organisations]
    return Drawing(
        name=f"likert_{scale}" + ("_by_organisation" if by_organisation else ""),
        figure=page.finish(),
        title=drawn,
        caption=_caption(drawn, bases, notes, evidence),
        alt=_alt(
            drawn, answers, presentation, items, waves=asked, organisations=organisations, evidence=evidence
        ),
        evidence=evidence,
        group=GROUP,
        dpi=presentation.style.dpi,
    )


def _answers(
    frequencies: pd.DataFrame, presentation: Presentation, items: Sequence[Item]
) -> dict[Cell, Answers]:
    """Give the answers by (wave, organisation, item), those cells only that have some.

    Where a count is withheld the whole item is: the others would give it back.
    """
    options = {item.item: presentation.response_scales[item.response_scale].points for item in items}
    rows = frequencies[frequencies["item"].isin(list(options)) & (frequencies["base"].fillna(0) > 0)]
    columns = ("wave", "organisation", "item", "response", "percent", "base")
    shares: dict[Cell, list[float]] = {}
    bases: dict[Cell, int] = {}
    for wave, organisation, item, response, share, base in zip(
        *(rows[name] for name in columns), strict=True
    ):
        cell = (wave, organisation, item)
        bases[cell] = int(base)
        shares.setdefault(cell, [0.0] * options[item])[int(response) - 1] = (
            math.nan if pd.isna(share) else share
        )
    return {
        cell: Answers(tuple(found) if all(map(math.isfinite, found)) else (), bases[cell])
        for cell, found in shares.items()
    }


def _asked(
    answers: Mapping[Cell, Answers], presentation: Presentation, wave: str, items: Sequence[Item]
) -> bool:
    return any(
        (wave, organisation, item.item) in answers
        for item in items
        for organisation in (ALL, *presentation.organisations)
    )


def _statement(item: Item) -> str:
    return item.text + (" (R)" if item.keyed == "-" else "")


def _reworded(presentation: Presentation, wave: str, item: Item) -> bool:
    grade = presentation.waves[wave].comparability.get(item.item)
    return grade == Comparability.REWORDED.value


class _Chart:
    """Items under each other, waves within an item, a panel an organisation."""

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
        most = usable * (0.36 if width == 1 else 0.27)
        self.item_width = min(max(page.width_of(_statement(item), SMALL) for item in items), most)
        self.wave_width = 0.0
        if len(waves) > 1 or wave_title(presentation, waves[0]):
            longest = max(page.width_of(wave_title(presentation, wave) + "†", SMALL) for wave in waves)
            self.wave_width = min(longest + 0.2 * em, usable * 0.13)
        self.gap = 1.2 * em
        self.start = page.left + self.item_width + self.wave_width + 2 * self.gap
        self.pitch = (page.right - self.start + self.gap) / width
        largest = max((found.base for found in answers.values()), default=0)
        self.n_width = max(page.width_of(whole(largest), SMALL), page.width_of("n", SMALL))
        self.bar_width = self.pitch - self.gap - self.n_width - 0.5 * em
        drawn = [ALL] if organisations == [ALL] else list(presentation.organisations)
        shown = [
            found
            for (wave, organisation, _), found in answers.items()
            if found.percentages and wave in waves and organisation in drawn
        ]
        self.low = -max((10 * math.ceil(found.below / 10) for found in shown), default=100)
        self.high = max((10 * math.ceil((100 - found.below) / 10) for found in shown), default=100)
        self.colours = {
            points: response_colours(presentation.style.responses, points)
            for points in {presentation.response_scales[item.response_scale].points for item in items}
        }

    def draw(self) -> None:
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
        return Axis(self.start + panel * self.pitch, self.bar_width, self.low, self.high)

    def _heads(self) -> None:
        page = self.page
        heads = []
        if self.organisations != [ALL]:
            heads = [
                page.wrap(
                    organisation_label(self.presentation, organisation),
                    self.pitch - self.gap - self.n_width - 0.5 * page.em,
                    SMALL,
                    bold=True,
                    max_lines=3,
                )
                for organisation in self.organisations
            ]
        lines = max((len(head) for head in heads), default=1)
        height = page.height_of(lines, SMALL)
        for panel in range(len(self.organisations)):
            end = self.start + (panel + 1) * self.pitch - self.gap
            page.text(
                end, page.y + height - page.height_of(1, SMALL) / 2, "n", SMALL, colour=GREY, align="right"
            )
            if heads:
                top = page.y + height - page.height_of(len(heads[panel]), SMALL)
                page.block(self.start + panel * self.pitch, top, heads[panel], SMALL, bold=True)
        page.y += height + 0.2 * page.em

    def _item(self, item: Item) -> None:
        page = self.page
        lines = page.wrap(_statement(item), self.item_width, SMALL)
        labels = [
            page.wrap(
                wave_title(self.presentation, wave)
                + ("†" if _reworded(self.presentation, wave, item) else ""),
                self.wave_width,
                SMALL,
                max_lines=2,
            )
            for wave in self.waves
        ]
        heights = [
            max(PITCH * page.em, page.height_of(len(label), SMALL) + 0.15 * page.em) for label in labels
        ]
        height = max(sum(heights), page.height_of(len(lines), SMALL))
        page.block(page.left, page.y + (height - page.height_of(len(lines), SMALL)) / 2, lines, SMALL)
        y = page.y + (height - sum(heights)) / 2
        for wave, label, row in zip(self.waves, labels, heights, strict=True):
            middle = y + row / 2
            page.block(
                self.start - self.gap,
                middle - page.height_of(len(label), SMALL) / 2,
                label,
                SMALL,
                align="right",
            )
            for panel, organisation in enumerate(self.organisations):
                self._bar(panel, middle, wave, organisation, item)
            y += row
        page.y += height

    def _bar(self, panel: int, middle: float, wave: str, organisation: str, item: Item) -> None:
        page = self.page
        found = self.answers.get((wave, organisation, item.item))
        if found is None or not found.percentages:
            reason = "not shown" if found else no_answers(self.presentation, wave, organisation, item.item)
            shown = page.wrap(reason, self.bar_width, TINY, max_lines=1)[0]
            page.text(self._axis(panel).start, middle, shown, TINY, colour=GREY, backed=True)
            return
        colours = self.colours[len(found.percentages)]
        at, axis = -found.below, self._axis(panel)
        for share, colour in zip(found.percentages, colours, strict=True):
            left, right = axis.x(at), axis.x(at + share)
            page.box(left, middle - BAR * page.em / 2, right - left, BAR * page.em, colour)
            label = f"{share:.0f}"
            if share >= 0.5 and page.width_of(label, TINY) + 0.35 * page.em < right - left:
                page.text((left + right) / 2, middle, label, TINY, colour=on(colour), align="center")
            at += share
        end = self.start + (panel + 1) * self.pitch - self.gap
        page.text(end, middle, whole(found.base), SMALL, colour=GREY, align="right")

    def _axes(self, top: float) -> None:
        page = self.page
        bottom = page.y + 0.3 * page.em
        for panel in range(len(self.organisations)):
            axis = self._axis(panel)
            axis.draw(page, top=top, bottom=bottom, write=lambda value: f"{abs(value):g}%", spare=self.gap)
            page.rule((axis.x(0), top), (axis.x(0), bottom), colour=REFERENCE, weight=0.6, above=True)
        page.y = bottom + page.height_of(1, TINY) + 0.5 * page.em


def _legend(page: Page, presentation: Presentation, items: Sequence[Item]) -> None:
    for name in dict.fromkeys(item.response_scale for item in items):
        labels = presentation.response_scales[name].labels
        colours = response_colours(presentation.style.responses, len(labels))
        page.legend(Key(label, colour) for label, colour in zip(labels, colours, strict=True))


def _caption(title: str, bases: Sequence[int], notes: Sequence[str], evidence: str) -> str:
    said = [
        f"{title}: how the answers to each statement divide, in percent of those who answered it.",
        "Bars are centred on the middle of the response scale.",
    ]
    if bases:
        said.append(f"n, the answers to a statement, runs from {whole(min(bases))} to {whole(max(bases))}.")
    return " ".join([*said, *notes, evidence])


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
            shares = [
                _favourable(found, presentation, item)
                for item in items
                if (found := answers.get((wave, organisation, item.item))) and found.percentages
            ]
            who = "" if organisation == ALL else f", {organisation_label(presentation, organisation)}"
            where = f"{wave_title(presentation, wave)}{who}"
            if shares:
                said.append(
                    f"{where}: from {percent(min(shares))} to {percent(max(shares))} favourable "
                    f"across {len(shares)} statements."
                )
            else:
                said.append(f"{where}: no answers.")
    return " ".join([*said, evidence])


def _favourable(found: Answers, presentation: Presentation, item: Item) -> float:
    scale = presentation.response_scales[item.response_scale]
    values = scale.favourable if item.key == 1 else [scale.points + 1 - value for value in scale.favourable]
    return sum(found.percentages[value - 1] for value in values)
