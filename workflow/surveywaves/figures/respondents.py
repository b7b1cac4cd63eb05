"""Who answered: counts by level of a grouping variable, wave and organisation; and response rates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import pandas as pd

from surveywaves.figures.drawing import Drawing
from surveywaves.figures.layout import GREY, SMALL, TINY, WITHHELD, Axis, Key, Page, round_ends, wave_colours
from surveywaves.study.parts import Presentation
from surveywaves.terms import ALL, NOT_STATED, ORGANISATION, Status
from surveywaves.text import listed
from surveywaves.words import (
    evidence_of,
    lower,
    organisation_label,
    percent,
    variable_label,
    wave_title,
    whole,
)

ABREAST: Final = 3
LEAST: Final = 13.0
"""Width that a panel takes at least, in base font sizes."""
BAR: Final = 0.95
LANE: Final = 1.08
BETWEEN_LEVELS: Final = 0.7
"""Heights in base font sizes."""
WORD: Final = Status.WITHHELD.value.capitalize()
COLUMNS: Final = ("wave", "organisation", "level", "status", "n", "percent", "base")


class Count(NamedTuple):
    """Respondents at a level, their percentage of those who stated one, and how many these are.

    NaN where there is none, or where it is withheld: then `withheld` is true.
    """

    n: float
    percent: float
    base: float
    withheld: bool

    @property
    def gone(self) -> bool:
        """Whether the number is withheld, and not only the percentage."""
        return self.withheld and math.isnan(self.n)


def respondents(table: pd.DataFrame, presentation: Presentation, variable: str) -> Drawing:
    """Draw how many respondents each level of a variable has, a panel an organisation, a bar a wave.

    Parameters
    ----------
    table
        `released/respondents`.
    presentation
        The study in words.
    variable
        A grouping variable.
    """
    rows = table[table["variable"] == variable]
    counts: Counts = {}
    for wave, organisation, level, status, *numbers in zip(*(rows[name] for name in COLUMNS), strict=True):
        n, share, base = (math.nan if pd.isna(value) else float(value) for value in numbers)
        counts[wave, organisation, level] = Count(n, share, base, status == Status.WITHHELD.value)
    asked = [
        wave
        for wave in presentation.waves
        if any(
            count.n > 0 or count.gone
            for (of, _, level), count in counts.items()
            if of == wave and level != NOT_STATED
        )
    ]
    silent = [wave_title(presentation, wave) for wave in presentation.waves if wave not in asked]
    panels = [o for o in (ALL, *presentation.organisations) if any(cell[1] == o for cell in counts)]
    if len(panels) == 2 and ALL in panels:
        panels = [ALL]
    levels = dict(presentation.variables[variable].levels)
    if any(level == NOT_STATED and (count.n > 0 or count.gone) for (_, _, level), count in counts.items()):
        levels[NOT_STATED] = "Not stated"
    label = variable_label(presentation, variable)
    title = f"Respondents by {lower(label)}"
    shown = [count for (wave, of, _), count in counts.items() if wave in asked and of in panels]
    hidden = any(count.gone for count in shown)
    evidence = evidence_of(
        presentation, asked, "organisations" if panels != [ALL] else "totals", [variable, ORGANISATION]
    )
    notes = []
    if silent:
        notes.append(f"Not asked, or answered by nobody, in {listed(silent)}.")
    bases = [_base_words(counts, levels, presentation, wave) for wave in asked]
    notes.append(
        f"Percent of those who stated it ({'; '.join(bases)}); of all who were asked for those who did not."
        if bases
        else "Nobody stated it."
    )

    page = Page(presentation.style)
    page.title(title)
    colours = dict(zip(presentation.waves, wave_colours(len(presentation.waves)), strict=True))
    keys = [Key(wave_title(presentation, wave), colours[wave]) for wave in asked]
    page.legend([*keys, *([Key(WORD, stripes=WITHHELD)] if hidden else [])])
    width = page.abreast(len(panels), ABREAST, least=LEAST)
    for start in range(0, len(panels), width):
        if asked:
            _Bars(
                page,
                presentation,
                counts,
                levels,
                waves=asked,
                panels=panels[start : start + width],
                width=width,
                colours=colours,
            ).draw()
    if any(count.withheld and not count.gone for count in shown):
        notes.append("A number alone: the percentage of it is withheld.")
    page.foot(notes, evidence)
    return Drawing(
        figure=page.finish(),
        rows=rows,
        title=title,
        caption=" ".join(
            [f"{title}, wave and organisation: number and percent, no model.", *notes, evidence]
        ),
        alt=f"Bar chart. {_alt(counts, levels, presentation, asked)} {evidence}",
        evidence=evidence,
        dpi=presentation.style.dpi,
    )


Counts = dict[tuple[str, str, str], Count]


class _Bars:
    """Levels under each other, a bar a wave, a panel an organisation."""

    def __init__(
        self,
        page: Page,
        presentation: Presentation,
        counts: Counts,
        levels: dict[str, str],
        *,
        waves: Sequence[str],
        panels: Sequence[str],
        colours: dict[str, str],
        width: int,
    ) -> None:
        self.page, self.presentation, self.counts = page, presentation, counts
        self.levels, self.waves, self.panels, self.colours = levels, waves, panels, colours
        usable = page.right - page.left
        longest = max(page.width_of(label, SMALL) for label in levels.values())
        self.label_width = min(longest, usable * 0.25)
        self.gap = 1.2 * page.em
        self.start = page.left + self.label_width + self.gap
        self.pitch = (page.right - self.start + self.gap) / width
        self.number_width = max(
            (
                page.width_of(_written(count), TINY) + count.gone * (BAR + 0.4) * page.em
                for count in counts.values()
            ),
            default=0.0,
        )
        self.bar_width = max(self.pitch - self.gap - self.number_width - 0.6 * page.em, page.em)
        shares = [
            count.percent for cell, count in counts.items() if cell[2] != NOT_STATED and count.percent > 0
        ]
        self.most = round_ends([0, *(shares or [100])], parts=4)[1]

    def draw(self) -> None:
        page = self.page
        page.y += 0.5 * page.em
        heads = [
            page.wrap(
                organisation_label(self.presentation, panel),
                self.pitch - self.gap,
                SMALL,
                bold=True,
                max_lines=3,
            )
            for panel in self.panels
        ]
        height = page.height_of(max(len(head) for head in heads), SMALL)
        for place, head in enumerate(heads):
            top = page.y + height - page.height_of(len(head), SMALL)
            page.block(self.start + place * self.pitch, top, head, SMALL, bold=True)
        page.y += height + 0.2 * page.em
        top = page.y
        for number, (level, label) in enumerate(self.levels.items()):
            if number:
                middle = page.y + BETWEEN_LEVELS * page.em / 2
                page.rule((page.left, middle), (page.right, middle), weight=0.3)
                page.y += BETWEEN_LEVELS * page.em
            self._level(level, label)
        self._axes(top)

    def _level(self, level: str, label: str) -> None:
        page = self.page
        lines = page.wrap(label, self.label_width, SMALL, max_lines=4)
        lane = LANE * page.em
        height = max(len(self.waves) * lane, page.height_of(len(lines), SMALL))
        page.block(page.left, page.y + (height - page.height_of(len(lines), SMALL)) / 2, lines, SMALL)
        first = page.y + (height - len(self.waves) * lane) / 2 + lane / 2
        for panel, organisation in enumerate(self.panels):
            start = self.start + panel * self.pitch
            for place, wave in enumerate(self.waves):
                middle = first + place * lane
                count = self.counts.get((wave, organisation, level))
                width, words, gone = 0.0, "none", False
                if (
                    organisation != ALL
                    and organisation not in self.presentation.waves[wave].organisations_surveyed
                ):
                    words = "not surveyed"
                elif count is not None:
                    words, gone = _written(count), count.gone
                    if level != NOT_STATED and count.percent > 0:
                        width = self.bar_width * count.percent / self.most
                        page.box(start, middle - BAR * page.em / 2, width, BAR * page.em, self.colours[wave])
                if gone:  # off the axis: a length would be read
                    width = 0.4 * page.em + BAR * page.em
                    page.striped(
                        width - BAR * page.em + start,
                        middle - BAR * page.em / 2,
                        BAR * page.em,
                        BAR * page.em,
                    )
                page.text(start + width + 0.4 * page.em, middle, words, TINY, colour=GREY, backed=True)
        page.y += height

    def _axes(self, top: float) -> None:
        page = self.page
        bottom = page.y + 0.3 * page.em
        for panel in range(len(self.panels)):
            axis = Axis(self.start + panel * self.pitch, self.bar_width, 0, self.most)
            axis.draw(page, top=top, bottom=bottom, write=lambda value: f"{value:g}%", spare=self.gap)
        page.y = bottom + page.height_of(1, TINY) + 0.5 * page.em


def _written(count: Count) -> str:
    if math.isnan(count.n):
        return WORD.lower()
    return whole(count.n) if math.isnan(count.percent) else f"{whole(count.n)} ({percent(count.percent)})"


def _base_words(counts: Counts, levels: dict[str, str], presentation: Presentation, wave: str) -> str:
    bases = [counts[wave, ALL, level].base for level in levels if (wave, ALL, level) in counts]
    base = bases[0] if bases else math.nan
    return f"{wave_title(presentation, wave)} {WORD.lower() if math.isnan(base) else whole(base)}"


def _alt(counts: Counts, levels: dict[str, str], presentation: Presentation, waves: Sequence[str]) -> str:
    said = []
    for wave in waves:
        parts = [
            f"{label} {_written(counts[wave, ALL, level])}"
            for level, label in levels.items()
            if (wave, ALL, level) in counts
        ]
        said.append(f"{wave_title(presentation, wave)}: {', '.join(parts)}.")
    return " ".join(said) or "Nobody stated it."
