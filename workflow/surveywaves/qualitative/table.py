"""Tables of the coded material, laid out as the survey's."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from surveywaves.qualitative.agreement import ALPHA, KAPPA
from surveywaves.qualitative.joint import INTERVIEWS, SURVEY, VERDICT
from surveywaves.qualitative.names import VERDICTS, Names
from surveywaves.tables.layout import (
    NOTHING,
    Cell,
    Column,
    Table,
    count_and_percent,
    count_cell,
    decided,
    laid_out,
    number_cell,
    numbers,
)
from surveywaves.terms import ALL
from surveywaves.words import Labels, interval, is_missing, number, opening, percentage, records, share

RULE: Final = (
    "Survey: favourable (critical) where the interval of the percentage favourable of every scale lies above (below) "
    "50. Interviews: the same of those who speak in one tone; silent where few raise a theme."
)


def themes(themes: pd.DataFrame, labels: Labels) -> Table:
    """Lay out how many interviews of each stage raise each theme, and which way they speak of it."""
    names = Names(labels.presentation)
    own = themes[(themes["area"] == ALL) & (themes["organisation"] == ALL)]
    found = {(row.stage, row.theme): row for row in records(own)}
    return laid_out(
        "What interviews speak of",
        [(stage, theme) for stage in names.stages(own) for theme in names.themes(own)],
        [
            (Column("Theme"), lambda key: Cell(names.theme(key[1]))),
            (numbers("Interviews, n (%)"), lambda key: count_and_percent(found.get(key))),
            *(
                (
                    numbers(name.capitalize(), "Of these"),
                    lambda key, name=name: count_cell(found.get(key), name),
                )
                for name in ("favourable", "mixed", "critical")
            ),
            (numbers("Passages"), lambda key: count_cell(found.get(key), "passages")),
        ],
        own,
        "Mixed: favourable and critical, or neither. Passages: marks that overlap are one.",
        section=lambda key: _sized(names, own, key[0]),
    )


def _sized(names: Names, own: pd.DataFrame, stage: str) -> str:
    """Name a stage with the number of its interviews."""
    sizes = own.loc[own["stage"] == stage, "sources"].dropna()
    return f"{names.stage(stage)} ({int(sizes.iloc[0])} interviews)" if len(sizes) else names.stage(stage)


def themes_by_group(themes: pd.DataFrame, labels: Labels) -> Table:
    """Lay out the share of interviews of each area and organisation that raise each theme."""
    names = Names(labels.presentation)
    found = {(row.stage, row.area, row.organisation, row.theme): row for row in records(themes)}
    columns = [(stage, *group) for stage in names.stages(themes) for group in names.groups(themes, stage)]
    return laid_out(
        "Themes by stage, service area and organisation",
        names.themes(themes),
        [
            (Column("Theme"), lambda theme: Cell(names.theme(theme))),
            *(
                (
                    numbers(names.group(*key[1:]), names.stage(key[0])),
                    lambda theme, key=key: number_cell(found.get((*key, theme)), "percent", _whole),
                )
                for key in columns
            ),
        ],
        themes,
        "Percentage of the interviews that raise a theme; both numbers are in the CSV.",
        labels.presentation.protection,
    )


def _whole(value: Any) -> str:
    return percentage(value, decimals=0)


def coding(coding_agreement: pd.DataFrame, labels: Labels) -> Table:
    """Lay out how far coders agree on each theme."""
    names = Names(labels.presentation)
    least = names.words.display.smallest_alpha
    found: dict[str, Any] = {}
    kappas: dict[str, list[float]] = {}
    for row in records(coding_agreement):
        if row.term == ALPHA:
            found[row.theme] = row
        elif row.term == KAPPA and not is_missing(row.estimate):
            kappas.setdefault(row.theme, []).append(row.estimate)

    def alpha(theme: str) -> Cell:
        row = found[theme]
        if is_missing(row.estimate):
            return NOTHING
        text = f"{number(row.estimate)} ({interval(row.conf_low, row.conf_high)})"
        cell = Cell(text, float(row.estimate), (float(row.conf_low), float(row.conf_high)))
        return cell.noted(f"Below {number(least, 3)}." if row.estimate < least else "")

    def between(theme: str) -> Cell:
        own = kappas.get(theme)
        if not own:
            return NOTHING
        low, high = number(min(own)), number(max(own))
        return Cell(low if low == high else f"{low} to {high}", min(own), (max(own),) if low != high else ())

    return laid_out(
        "Do the coders agree?",
        [theme for theme in (*names.words.themes, ALL) if theme in found],
        [
            (Column("Theme"), lambda theme: Cell(names.theme(theme))),
            (numbers("Krippendorff's alpha"), alpha),
            (numbers("Cohen's kappa, pairs"), between),
            (numbers("Passages"), lambda theme: count_cell(found[theme], "passages")),
            (numbers("Interviews"), lambda theme: count_cell(found[theme], "sources")),
        ],
        coding_agreement,
        f"Of interviews that several coded; passages that any of them marked. {labels.confidence} intervals from a "
        "bootstrap of interviews.",
    )


def joint_display(joint_display: pd.DataFrame, labels: Labels) -> Table:
    """Lay out the survey's scales and the themes of the interviews, principle by principle."""
    names = Names(labels.presentation)
    organisations = [*labels.presentation.organisations, ALL]
    organisations = [one for one in organisations if joint_display["organisation"].eq(one).any()]
    found: dict[tuple[str, ...], Any] = {
        (row.wave, row.principle, row.side, row.scale or row.theme, row.organisation or row.stage): row
        for row in records(joint_display)
    }
    verdicts = {place[:2]: row for place, row in found.items() if row.side == VERDICT}
    rows = list(dict.fromkeys(place[:4] for place, row in found.items() if row.side != VERDICT))
    several = len({wave for wave, _ in verdicts}) > 1

    def change(key: tuple[str, ...], organisation: str) -> Cell:
        row = found.get((*key, organisation))
        if row is None or is_missing(row.change):
            return NOTHING
        return decided(Cell(number(row.change, 1, signed=True), float(row.change)), row)

    def headed(key: tuple[str, ...]) -> str:
        row = verdicts[key[:2]]
        said = f"survey {row.survey_tone}, interviews {row.interview_tone}"
        when = f", {labels.wave(key[0])}" if several else ""
        return f"{key[1]}{when}: {VERDICTS[row.verdict]} ({said})"

    def called(key: tuple[str, ...]) -> str:
        return labels.scale(key[3]) if key[2] == SURVEY else f"“{names.theme(key[3])}”"

    def of(key: tuple[str, ...], side: str, column: str) -> Any:
        return found.get((*key, column)) if key[2] == side else None

    return laid_out(
        "The survey beside the interviews",
        rows,
        [
            (Column("Scale or theme"), lambda key: Cell(called(key))),
            *(
                (
                    numbers(opening(labels.organisation(one)), "Survey, % favourable"),
                    lambda key, one=one: number_cell(of(key, SURVEY, one), "percent", percentage),
                )
                for one in organisations
            ),
            *(
                (
                    numbers(opening(labels.organisation(one)), "Change, points"),
                    lambda key, one=one: change(key, one),
                )
                for one in organisations
            ),
            *(
                (
                    numbers(names.stage(stage), "Interviews that raise it, %"),
                    lambda key, stage=stage: number_cell(of(key, INTERVIEWS, stage), "percent", _whole),
                )
                for stage in names.stages(joint_display)
            ),
        ],
        joint_display,
        RULE,
        f"Few: fewer than {share(names.words.display.silent_below, decimals=0)} of the interviews.",
        _since(joint_display, labels),
        section=headed,
    )


def _since(frame: pd.DataFrame, labels: Labels) -> str:
    """Say which waves changes lie between."""
    pairs = [since.split(" - ") for since in frame["since"].unique() if since]
    said = [f"{labels.wave(before)} to {labels.wave(after)}" for after, before in pairs]
    return f"Change: {'; '.join(said)}." if said else ""


def observations(observations: pd.DataFrame, labels: Labels) -> Table:
    """Lay out how often each category was seen in a meeting of each group."""
    names = Names(labels.presentation)
    found = {(row.group, row.category): row for row in records(observations)}
    there = {row.group: row for row in found.values()}
    groups = [name for name in (*names.words.groups, ALL) if name in there]

    def head(group: str) -> str:
        called = "All" if group == ALL else names.words.groups[group]
        return f"{called} ({there[group].meetings})"

    return laid_out(
        "What was seen in meetings, times a meeting",
        [name for name in names.words.categories if any(place[1] == name for place in found)],
        [
            (Column("Category"), lambda name: Cell(names.words.categories[name])),
            *(
                (
                    numbers(head(group)),
                    lambda name, group=group: number_cell(found.get((group, name)), "per_meeting", _tenths),
                )
                for group in groups
            ),
        ],
        observations,
        "In brackets: meetings observed. All: the groups that are shown.",
    )


def _tenths(value: Any) -> str:
    return number(value, 1)
