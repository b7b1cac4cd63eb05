"""Who answered: every grouping variable in one figure, a row a level and a mark a wave."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from surveywaves.figures.drawing import LINE, Drawing, Page, hatched, key, quiet, value, withheld_key
from surveywaves.figures.style import GREY, INK, RULE, Sheet, steps, wrap
from surveywaves.study.parts import Presentation
from surveywaves.terms import ALL, NOT_STATED, ORGANISATION, Status
from surveywaves.words import NONE, WITHHELD, Labels, number, records

MARKERS: Final = ("s", "D", "o", "^", "v", "P")
"""Of the waves, the last being a dot."""

COLUMNS: Final = 4
"""Most waves, the last ones."""

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
    colours = dict(zip(waves, steps(len(waves)), strict=True))
    markers = dict(zip(waves, [*MARKERS[: len(waves) - 1], "o"] if len(waves) > 1 else ["o"], strict=True))
    withheld = any(row.status == Status.WITHHELD and pd.isna(row.percent) for row in found.values())
    total = sum(bool(level) for _, level in lines)
    drawn = Page(
        presentation,
        _title(found, variables, waves, labels),
        f"{presentation.nouns.people.capitalize()} who stated it, %",
        keys=[
            *(key(labels.wave(wave), marker=markers[wave], color=colours[wave]) for wave in waves),
            *([withheld_key()] if withheld else []),
        ],
        notes=[
            f"{NONE} not asked, or not so." if len(found) < total * len(waves) else "",
            f"The first {LEVELS} rows." if len(lines) == LEVELS else "",
        ],
        lines=len(lines) * (LINE + 0.15) + 3,
    )
    column = 5.2 * sheet.em
    room = sheet.width - 23 * sheet.em - column * len(waves)
    axes, beside = drawn.figure.subplots(
        1, 2, sharey=True, width_ratios=(max(room, column), column * len(waves))
    )
    for y, place in enumerate(lines):
        if not place[1]:
            continue
        axes.axhline(y, color=RULE, linewidth=0.6, zorder=0)
        for x, wave in enumerate(waves):
            row = found.get((*place, wave))
            text = _written(row)
            ink = INK if wave == waves[-1] else GREY
            beside.text(x + 1, y, text, ha="right", va="center_baseline", color=ink)
            if text == WITHHELD:
                hatched(axes, 0, y, 100, 0.5)
            elif row is not None and text != NONE:
                (mark,) = axes.plot(
                    row.percent, y, marker=markers[wave], color=colours[wave], linestyle="none", zorder=3
                )
                value(mark, f"{labels.level(*place)}, {labels.wave(wave)}: {text}%", focus=False)
    for x, wave in enumerate(waves):
        head = "\n".join(wrap(labels.wave(wave), column - 0.4 * sheet.em, sheet.em))
        beside.text(x + 1, -0.7, head, ha="right", va="bottom", color=GREY)
    quiet(axes)
    quiet(beside)
    names = [_name(*place, labels, sheet) for place in lines]
    axes.set_yticks(range(len(lines)), names)
    for label, (_, level) in zip(axes.get_yticklabels(), lines, strict=True):
        label.set(weight="normal" if level else "bold")
    beside.tick_params(labelleft=False)
    beside.set(xlim=(0, len(waves)), xticks=[])
    axes.set(ylim=(len(lines) - 0.4, -0.6), xlim=(-3, 103))
    axes.set_xticks([0, 25, 50, 75, 100], ["0", "25", "50", "75", "100%"])
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


def _name(variable: str, level: str, labels: Labels, sheet: Sheet) -> str:
    if level:
        return wrap(labels.level(variable, level), 20 * sheet.em, sheet.em, lines=1)[0]
    title = (
        labels.presentation.nouns.organisation[0] if variable == ORGANISATION else labels.variable(variable)
    )
    return wrap(title[:1].upper() + title[1:], 20 * sheet.em, sheet.em, lines=1, bold=True)[0]


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
