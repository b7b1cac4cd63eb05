"""Who answered: every grouping variable in one figure, a row a level and a mark a wave."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from surveywaves.figures.drawing import (
    LINE,
    Drawing,
    Page,
    hatched,
    key,
    line,
    middles_of,
    reach,
    value,
    withheld_key,
)
from surveywaves.figures.style import GREY, INK, RULE, Sheet, steps, wrap
from surveywaves.study.parts import Presentation
from surveywaves.terms import ALL, NOT_STATED, ORGANISATION, Status
from surveywaves.words import NONE, WITHHELD, Labels, number, records

MARKERS: Final = ("s", "D", "o", "^", "v", "P")
"""Of the waves, the last being a dot."""

COLUMNS: Final = 4
"""Most waves, the last ones."""

COLUMN: Final = 4.4
"""Width of a column, in em."""

LEVELS: Final = 55
"""Most rows."""


def respondents(respondents: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw the share of every level of the grouping variables, of those who stated one, wave by wave.

    Parameters
    ----------
    respondents
        As released.
    presentation
        The study in words.
    """
    labels = Labels(presentation)
    variables = [ORGANISATION] * (len(presentation.organisations) > 1) + list(presentation.variables)
    waves = list(presentation.waves)[-COLUMNS:]
    own = respondents[
        (respondents["organisation"] == ALL)
        & respondents["variable"].isin(variables)
        & (respondents["level"] != NOT_STATED)
        & respondents["wave"].isin(waves)
    ]
    found = {(row.variable, row.level, row.wave): row for row in records(own)}
    lines = _lines(variables, found)
    sheet = Sheet.of(presentation.style)
    em, end = sheet.em, sheet.width - 0.5 * sheet.em
    markers = [*MARKERS[: len(waves) - 1], "o"]
    looks = dict(zip(waves, zip(steps(len(waves)), markers, strict=False), strict=True))
    names = [_name(*place, labels, sheet) for place in lines]
    bold = [place for place, (_, level) in enumerate(lines) if not level]
    heights = [len(name) * (LINE - 0.15) + 0.3 for name in names]
    heads = [wrap(labels.wave(wave), COLUMN * em, em) for wave in waves]
    withheld = any(row.status == Status.WITHHELD and pd.isna(row.percent) for row in found.values())
    total = sum(bool(level) for _, level in lines)
    drawn = Page(
        presentation,
        _title(found, variables, waves, labels),
        f"{presentation.nouns.people.capitalize()} who stated it, %",
        keys=[
            *(
                key(labels.wave(wave), marker=marker, color=colour)
                for wave, (colour, marker) in looks.items()
            ),
            *withheld_key(withheld),
        ],
        notes=[
            f"{NONE} not asked, or not so." if len(found) < total * len(waves) else "",
            f"The first {LEVELS} rows." if len(lines) == LEVELS else "",
        ],
        lines=sum(heights),
        heads=0.4 + LINE * max(map(len, heads), default=0),
    )
    middles = middles_of(heights)
    drawn.names(names, middles, bold=bold)
    right = end - (COLUMN + 1.2) * em * len(waves) - em
    ticks = {0: "0", 25: "25", 50: "50", 75: "75", 100: "100%"}
    axes = drawn.panel(reach(names, em, bold), right, -3, 103, ticks=ticks)
    axes.hlines(
        [y for y, (_, level) in zip(middles, lines, strict=True) if level], -3, 103, color=RULE, linewidth=0.6
    )
    for x, (wave, (colour, marker)) in enumerate(looks.items(), start=1 - len(waves)):
        place, ink = end + x * (COLUMN + 1.2) * em, INK if wave == waves[-1] else GREY
        drawn.head(place, "\n".join(heads[x - 1]), ha="right", va="bottom", linespacing=LINE - 0.15)
        for y, level in zip(middles, lines, strict=True):
            if not level[1]:
                continue
            row = found.get((*level, wave))
            text = _written(row)
            drawn.write(place, y, text, ha="right", color=ink)
            if text == WITHHELD:
                hatched(axes, 0, y, 100, 0.6)
            elif row is not None and text != NONE:
                mark = line(
                    axes, [row.percent], [y], marker=marker, color=colour, markersize=0.75 * em, zorder=3
                )
                value(mark, f"{labels.level(*level)}, {labels.wave(wave)}: {text}%", focus=False)
    shown = set(lines)
    places = zip(own["variable"], own["level"], strict=True)
    rows = own[pd.Series([place in shown for place in places], index=own.index, dtype=bool)]
    return drawn.drawing(
        rows,
        caption="Share of each level among those who stated one, by wave.",
        alt=f"{drawn.title}. Dot plot, a row a level and a mark a wave.",
    )


def _lines(variables: list[str], found: dict[tuple[str, str, str], Any]) -> list[tuple[str, str]]:
    """List the rows: a variable's name, "" for its level, then its levels."""
    lines: list[tuple[str, str]] = []
    for variable in variables:
        levels = dict.fromkeys(level for name, level, _ in found if name == variable)
        if levels:
            lines += [(variable, ""), *((variable, level) for level in levels)]
    return lines[:LEVELS]


def _name(variable: str, level: str, labels: Labels, sheet: Sheet) -> tuple[str, ...]:
    if level:
        return wrap(labels.level(variable, level), 20 * sheet.em, sheet.em)
    title = (
        labels.presentation.nouns.organisation[0] if variable == ORGANISATION else labels.variable(variable)
    )
    return wrap(title[:1].upper() + title[1:], 20 * sheet.em, sheet.em, bold=True)


def _written(row: Any) -> str:
    """Write a level's share in a wave, or why there is none."""
    if row is None or (pd.isna(row.percent) and row.status != Status.WITHHELD):
        return NONE
    return WITHHELD if pd.isna(row.percent) else number(row.percent, 0)


def _title(
    found: dict[tuple[str, str, str], Any], variables: list[str], waves: list[str], labels: Labels
) -> str:
    """Say which level of the first variable most stated in the last wave that asked it."""
    for variable in variables:
        for wave in reversed(waves):
            own = [
                row
                for (name, _, when), row in found.items()
                if name == variable and when == wave and pd.notna(row.percent)
            ]
            if own:
                most = max(own, key=lambda row: row.percent)
                level = labels.level(variable, most.level)
                return f"{level}: {number(most.percent, 0)}% of those who answered in {labels.wave(wave)}"
    return "Who answered"
