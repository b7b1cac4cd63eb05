"""Tables of the coded material, laid out like the survey's."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from surveywaves.qualitative.names import Names
from surveywaves.qualitative.terms import ALPHA, KAPPA, SURVEY, TONES, VERDICT
from surveywaves.tables import printed
from surveywaves.tables.layout import Cell, Column, Table, laid_out, numbers
from surveywaves.terms import ALL, BETWEEN
from surveywaves.words import Labels, interval, is_missing, number, opening, percentage, records, share

RULE: Final = (
    "The survey is favourable (critical) where the interval of the percentage favourable of every scale, of all "
    "respondents, lies above (below) 50; the interviews where, of those with one tone, the interval of the favourable "
    "share does. Otherwise they are divided."
)


def themes(themes: pd.DataFrame, labels: Labels) -> Table:
    """Lay out how many interviews of each stage raise each theme, and how they speak of it."""
    names = Names(labels.presentation)
    own = themes[(themes["area"] == ALL) & (themes["organisation"] == ALL)]
    found = {(row.stage, row.theme): row for row in records(own)}

    def stage(key: tuple[str, str]) -> str:
        size = found[key].sources
        return names.stage(key[0]) + ("" if is_missing(size) else f" ({size} interviews)")

    return laid_out(
        "What interviews speak of",
        [(stage, theme) for stage in names.stages(own) for theme in names.themes(own)],
        [
            (Column("Theme"), lambda key: Cell(names.theme(key[1]))),
            (numbers("Interviews, n (%)"), lambda key: printed.count_and_percent(found[key])),
            (
                [numbers(name.capitalize(), "Of these") for name in TONES],
                lambda key: [printed.count(found[key], name) for name in TONES],
            ),
            (numbers("Passages"), lambda key: printed.count(found[key], "passages")),
        ],
        own,
        "Favourable, critical: in that tone only; mixed: in both, or in neither. Passages: marks that overlap are one.",
        section=stage,
    )


def coding(coding_agreement: pd.DataFrame, labels: Labels) -> Table:
    """Lay out how far coders agree on each theme."""
    names = Names(labels.presentation)
    least = names.words.display.smallest_alpha
    found = {row.theme: row for row in records(coding_agreement) if row.term == ALPHA}
    pairs = coding_agreement[coding_agreement["term"] == KAPPA].dropna(subset=["estimate"])
    kappas = pairs.groupby("theme")["estimate"].agg(["min", "max"])

    def alpha(theme: str) -> Cell:
        row = found[theme]
        if is_missing(row.estimate):
            return printed.number(row, "estimate", number)
        text = f"{number(row.estimate)} ({interval(row.conf_low, row.conf_high)})"
        cell = Cell(text, float(row.estimate), (float(row.conf_low), float(row.conf_high)))
        return cell.noted(f"Below {number(least, 3)}." if row.estimate < least else "")

    def kappa(theme: str) -> Cell:
        if theme not in kappas.index:
            return printed.NOTHING
        low, high = (float(end) for end in kappas.loc[theme].to_numpy())
        return Cell(f"{number(low)} to {number(high)}", low, (high,))

    return laid_out(
        "Do the coders agree?",
        [theme for theme in (*names.words.themes, ALL) if theme in found],
        [
            (Column("Theme"), lambda theme: Cell(names.theme(theme))),
            (numbers("Krippendorff's alpha"), alpha),
            (numbers("Cohen's kappa, pairs"), kappa),
            (numbers("Passages"), lambda theme: printed.count(found[theme], "passages")),
            (numbers("Interviews"), lambda theme: printed.count(found[theme], "sources")),
        ],
        coding_agreement,
        f"Of interviews that several coded; passages that any of them marked. {labels.confidence} intervals from a "
        "bootstrap of interviews.",
    )


def joint_display(joint_display: pd.DataFrame, labels: Labels) -> Table:
    """Lay out the survey's scales and the themes of the interviews, principle by principle."""
    names = Names(labels.presentation)
    found: dict[tuple[str, ...], Any] = {
        (row.wave, row.principle, row.side, row.scale or row.theme, row.organisation or row.stage): row
        for row in records(joint_display)
    }
    verdicts = {place[:2]: row for place, row in found.items() if row.side == VERDICT}
    several = len({wave for wave, _ in verdicts}) > 1

    def cell(key: tuple[str, ...], column: str, what: str) -> Cell:
        row = found.get((*key, column))
        if row is None or what != "change":
            return printed.number(row, "percent", percentage)
        shown = printed.number(row, "change", lambda value: number(value, 1, signed=True))
        return printed.decided(shown, row) if row.decision else shown

    def headed(key: tuple[str, ...]) -> str:
        row = verdicts[key[:2]]
        when = f", {labels.wave(key[0])}" if several else ""
        said = f"survey {row.survey_tone}, interviews {row.interview_tone}"
        return f"{key[1]}{when}: {names.verdict(row.verdict)} ({said})"

    organisations = [(one, opening(labels.organisation(one))) for one in names.organisations(joint_display)]
    stages = [(one, names.stage(one)) for one in names.stages(joint_display)]
    columns = [
        *((*one, "Survey, % favourable", "percent") for one in organisations),
        *((*one, "Change, points", "change") for one in organisations),
        *((*one, "Interviews that raise it, %", "raised") for one in stages),
    ]
    pairs = [since.split(BETWEEN) for since in joint_display["since"].unique() if since]
    return laid_out(
        "The survey beside the interviews",
        list(dict.fromkeys(place[:4] for place, row in found.items() if row.side != VERDICT)),
        [
            (
                Column("Scale or theme"),
                lambda key: Cell(labels.scale(key[3]) if key[2] == SURVEY else f"“{names.theme(key[3])}”"),
            ),
            (
                [numbers(head, group) for _, head, group, _ in columns],
                lambda key: [cell(key, column, what) for column, _, _, what in columns],
            ),
        ],
        joint_display,
        RULE,
        f"The interviews are silent where fewer than {share(names.words.display.silent_below, decimals=0)} raise any "
        "of the themes, the survey where it has no estimate.",
        *(f"Change: {labels.wave(before)} to {labels.wave(after)}." for after, before in pairs),
        section=headed,
    )


def observations(observations: pd.DataFrame, labels: Labels) -> Table:
    """Lay out how often each category was seen in a meeting of each group."""
    names = Names(labels.presentation)
    found = {(row.group, row.category): row for row in records(observations)}
    met = observations.groupby("group")["meetings"].max()
    groups = {name: called for name, called in {**names.words.groups, ALL: "All"}.items() if name in met}

    def seen(name: str) -> list[Cell]:
        rows = [found.get((group, name)) for group in groups]
        return [printed.number(row, "per_meeting", lambda value: number(value, 1)) for row in rows]

    return laid_out(
        "What was seen in meetings, times a meeting",
        [name for name in names.words.categories if observations["category"].eq(name).any()],
        [
            (Column("Category"), lambda name: Cell(names.words.categories[name])),
            ([numbers(f"{called} ({met[group]})") for group, called in groups.items()], seen),
        ],
        observations,
        "In brackets: meetings observed. All: the groups that are shown; too few meetings or acts are not.",
    )
