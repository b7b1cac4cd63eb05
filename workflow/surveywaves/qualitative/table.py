"""Tables of the coded material, laid out like the survey's."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from surveywaves.qualitative.names import Names
from surveywaves.qualitative.terms import ALPHA, KAPPA, TONES, VERDICT
from surveywaves.tables import printed
from surveywaves.tables.layout import Cell, Table, laid_out, numbers
from surveywaves.terms import ALL, BETWEEN
from surveywaves.words import Labels, is_missing, number, opening, percentage, records, share

RULE: Final = (
    "The survey is favourable (critical) where the interval of the percentage favourable of every scale, of all "
    "respondents, lies above (below) 50; the interviews where, of those with one tone, the interval of the favourable "
    "share does. Otherwise they are divided."
)


def themes(themes: pd.DataFrame, labels: Labels) -> Table:
    """Return how many interviews of each stage raise each theme, and in what tone."""
    names = Names(labels.presentation)
    own = themes[(themes["area"] == ALL) & (themes["organisation"] == ALL)]
    found = {(row.stage, row.theme): row for row in records(own)}
    stages, titles = names.there(own, "stage"), names.there(own, "theme")

    def stage(key: tuple[str, str]) -> str:
        size = found[key].sources
        return stages[key[0]] + ("" if is_missing(size) else f" ({size} interviews)")

    return laid_out(
        "What interviews speak of",
        [(stage, theme) for stage in stages for theme in titles],
        [
            ("Theme", lambda key: titles[key[1]]),
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
    """Return how far coders agree on each theme."""
    names = Names(labels.presentation)
    least = names.coded.display.smallest_alpha
    overall = coding_agreement[coding_agreement["term"] == ALPHA]
    pairs = coding_agreement[coding_agreement["term"] == KAPPA].dropna(subset=["estimate"])
    found, titles = {row.theme: row for row in records(overall)}, names.there(overall, "theme")
    kappas = pairs.groupby("theme")["estimate"].agg(["min", "max"])

    def alpha(theme: str) -> Cell:
        row = found[theme]
        if is_missing(row.estimate):
            return printed.number(row, "estimate", number)
        low = f"Below {number(least, 3)}." if row.estimate < least else ""
        return printed.estimate(row, labels, bounds=True).noted(low)

    def kappa(theme: str) -> Cell:
        if theme not in kappas.index:
            return printed.NOTHING
        low, high = map(float, kappas.loc[theme])
        return Cell(f"{number(low)} to {number(high)}", low, (high,))

    return laid_out(
        "Do the coders agree?",
        titles,
        [
            ("Theme", lambda theme: titles[theme]),
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
    """Return the survey's scales beside the themes of the interviews, principle by principle."""
    names = Names(labels.presentation)
    display = joint_display.assign(
        what=joint_display["scale"] + joint_display["theme"],
        whose=joint_display["organisation"] + joint_display["stage"],
    )
    verdicts: dict[tuple[str, ...], Any] = {
        (row.wave, row.principle): row for row in records(display) if row.side == VERDICT
    }
    display = display[display["side"] != VERDICT]
    found: dict[tuple[str, ...], Any] = {
        (row.wave, row.principle, row.side, row.what, row.whose): row for row in records(display)
    }
    several = len({wave for wave, _ in verdicts}) > 1

    def cell(key: tuple[str, ...], column: str, what: str) -> Cell:
        row = found.get((*key, column))
        if row is None or what != "change":
            return printed.number(row, "percent", percentage)
        return printed.decided(printed.number(row, what, lambda value: number(value, 1, signed=True)), row)

    def headed(key: tuple[str, ...]) -> str:
        row = verdicts[key[:2]]
        when = f", {labels.wave(key[0])}" if several else ""
        verdict = row.verdict.replace("_", " ")
        return f"{key[1]}{when}: {verdict} (survey {row.survey_tone}, interviews {row.interview_tone})"

    columns = [
        (one, numbers(opening(words), head), what)
        for column, head, what in (
            ("organisation", "Survey, % favourable", "percent"),
            ("organisation", "Change, points", "change"),
            ("stage", "Interviews that raise it, %", "percent"),
        )
        for one, words in names.there(joint_display, column).items()
    ]
    pairs = [since.split(BETWEEN) for since in joint_display["since"].unique() if since]
    return laid_out(
        "The survey beside the interviews",
        dict.fromkeys(key[:4] for key in found),
        [
            ("Scale or theme", lambda key: names.title(*key[2:4], quoted=True)),
            (
                [column for _, column, _ in columns],
                lambda key: [cell(key, one, what) for one, _, what in columns],
            ),
        ],
        joint_display,
        RULE,
        f"The interviews are silent where fewer than {share(names.coded.display.silent_below, decimals=0)} raise any "
        "of the themes, the survey where it has no estimate.",
        *(f"Change: {labels.wave(before)} to {labels.wave(after)}." for after, before in pairs),
        section=headed,
    )


def observations(observations: pd.DataFrame, labels: Labels) -> Table:
    """Return how often each category was seen in a meeting of each group."""
    names = Names(labels.presentation)
    found = {(row.group, row.category): row for row in records(observations)}
    met = observations.groupby("group")["meetings"].max()
    groups, categories = names.there(observations, "group"), names.there(observations, "category")

    def seen(name: str) -> list[Cell]:
        rows = [found.get((group, name)) for group in groups]
        return [printed.number(row, "per_meeting", lambda value: number(value, 1)) for row in rows]

    return laid_out(
        "What was seen in meetings, times a meeting",
        categories,
        [
            ("Category", lambda name: categories[name]),
            ([numbers(f"{words} ({met[group]})") for group, words in groups.items()], seen),
        ],
        observations,
        "In brackets: meetings observed. All: the groups that are shown; too few meetings or acts are not.",
    )
