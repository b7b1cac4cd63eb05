"""Who answered: every grouping variable in one figure, a row per level and a mark per wave."""

from __future__ import annotations

import itertools
from typing import Any, Final

import pandas as pd

from surveywaves.figures.drawing import Drawing, Key, withheld_key
from surveywaves.figures.layout import Part, Rows, hatched, panels, points
from surveywaves.figures.style import INK, Sheet, steps, wrap
from surveywaves.study.parts import Presentation
from surveywaves.terms import ALL, NOT_STATED, ORGANISATION, Status
from surveywaves.words import NONE, WITHHELD, Labels, number, opening, records

MARKERS: Final = ("s", "D", "^", "o")
"""Marks of the waves; the last wave has a dot."""
LEVELS: Final = 55
"""Most rows."""
ORGANISATIONS: Final = 12
"""Most organisations with a row each; more are shown in the tables only."""


def respondents(respondents: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw the share of every level of the grouping variables, of those who stated one, in the last waves."""
    labels, em, nouns = Labels(presentation), Sheet.of(presentation.style).em, presentation.nouns
    single = len(presentation.organisations)
    variables = [ORGANISATION] * (1 < single <= ORGANISATIONS) + list(presentation.variables)
    waves = list(presentation.waves)[-len(MARKERS) :]
    own = respondents[
        (respondents["organisation"] == ALL)
        & respondents["variable"].isin(variables)
        & (respondents["level"] != NOT_STATED)
        & respondents["wave"].isin(waves)
    ]
    found = {(row.variable, row.level, row.wave): row for row in records(own)}
    lines: list[tuple[str, str]] = []
    for variable in variables:
        levels = dict.fromkeys(level for name, level, _ in found if name == variable)
        lines += [(variable, level) for level in ("", *levels)] if levels else []
    lines = lines[:LEVELS]
    names = [wrap(_name(*one, labels), 23 * em, em, bold=not one[1]) for one in lines]
    rows = Rows(names, em, bold=[place for place, (_, level) in enumerate(lines) if not level])
    looks = dict(zip(waves, zip(steps(len(waves)), MARKERS[-len(waves) :], strict=True), strict=True))
    texts = [[_written(one[1], found.get((*one, wave))) for one in lines] for wave in waves]
    written = {text for column in texts for text in column}
    keys = [
        Key(labels.wave(wave), {"marker": marker, "color": colour})
        for wave, (colour, marker) in looks.items()
    ]
    page, drawn = panels(
        presentation,
        (_title(found, variables, waves, labels), f"{nouns.people.capitalize()} who stated it, %"),
        rows,
        [Part(columns=[*zip(map(labels.wave, waves), texts, strict=True)], colours=[INK] * len(lines))],
        (-3, 103, {0: "0", 25: "25", 50: "50", 75: "75", 100: "100%"}),
        keys=[*keys, *withheld_key(WITHHELD in written)],
        notes=[
            f"{NONE} not asked, or not in this form." if NONE in written else "",
            f"The first {LEVELS} rows." if len(lines) == LEVELS else "",
            f"The {single} {nouns.organisation[1]}: see the table." if single > ORGANISATIONS else "",
        ],
    )
    marks = []
    for wave, column in zip(waves, texts, strict=True):
        for y, one, text in zip(rows.middles, lines, column, strict=True):
            if text == WITHHELD:
                hatched(drawn[0], 0, y, 100, 0.6)
            elif text not in ("", NONE):
                said = f"{labels.level(*one)}, {labels.wave(wave)}: {text}%"
                marks.append((found[*one, wave].percent, y, wave, said))
    points(drawn[0], marks, looks, 0.75 * em)
    here = [place in lines for place in zip(own["variable"], own["level"], strict=True)]
    caption = "Share of each level among those who stated one, by wave."
    alt = f"{page.title}. Dot plot, a row per level and a mark per wave."
    return page.drawing(own[pd.Series(here, index=own.index, dtype=bool)], caption=caption, alt=alt)


def _name(variable: str, level: str, labels: Labels) -> str:
    if level:
        return labels.level(variable, level)
    noun = labels.presentation.nouns.organisation[0]
    return opening(noun if variable == ORGANISATION else labels.variable(variable))


def _written(level: str, row: Any) -> str:
    """Write a level's share in a wave, or why there is none."""
    if not level:
        return ""
    if row is not None and pd.notna(row.percent):
        return number(row.percent, 0)
    return WITHHELD if row is not None and row.status == Status.WITHHELD else NONE


def _title(
    found: dict[tuple[str, str, str], Any], variables: list[str], waves: list[str], labels: Labels
) -> str:
    """Return a title: the most frequent level of the first variable, in the last wave that asked it."""
    for variable, wave in itertools.product(variables, reversed(waves)):
        here = [row for (name, _, when), row in found.items() if (name, when) == (variable, wave)]
        if own := [row for row in here if pd.notna(row.percent)]:
            most = max(own, key=lambda row: row.percent)
            level = labels.level(variable, most.level)
            return f"{level}: {number(most.percent, 0)}% of those who answered in {labels.wave(wave)}"
    return "Who answered"
