"""What became of the raw files: rows taken, what was not taken as it stood, and what each answer was taken as."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pandas as pd

from surveywaves.study.models import Missing
from surveywaves.tables.cells import number_cell
from surveywaves.tables.labels import Labels
from surveywaves.tables.layout import Cell, Column, Table
from surveywaves.tables.respondents import REASONS
from surveywaves.tables.words import records, whole

EVERY_RETURN: Final = "every return"
RESCALED: Final = "_rescaled"
"""How the name of an item ends that a wave asked on another response scale."""

_NUMBERS: Final = ("rows_in", "rows_kept", "rows_set_aside")
_REASONS: Final = {reason.value: f"missing: {words}" for reason, words in REASONS.items()}


def file_counts(frame: pd.DataFrame, labels: Labels) -> Table:
    """List the raw files, how many rows they have, and how many of these became returns.

    Parameters
    ----------
    frame
        `file_counts`.
    """
    rows = tuple(
        (
            Cell(labels.wave(row.wave)),
            Cell(row.file),
            Cell(row.layout),
            *(number_cell(row, name, whole) for name in _NUMBERS),
        )
        for row in records(frame)
    )
    return Table(
        name="files",
        title="Raw files",
        columns=(
            Column("Wave"),
            Column("File"),
            Column("Kind of file"),
            Column("Rows read", numeric=True),
            Column("Kept", numeric=True),
            Column("Set aside", numeric=True),
        ),
        rows=rows,
        data=labels.with_evidence(frame),
        evidence=labels.evidence(labels.waves_in(frame)),
        heads=2,
        flat=False,
    )


def problems(frame: pd.DataFrame, labels: Labels) -> Table:
    """List what was not taken from the files as it stood, and what was done.

    Parameters
    ----------
    frame
        `problems`.
    """
    rows = tuple(
        (
            Cell(labels.wave(row.wave)),
            Cell(row.file),
            Cell(row.problem),
            Cell(row.action),
            Cell(f"{row.about}s"),
            number_cell(row, "n", whole),
        )
        for row in records(frame)
    )
    return Table(
        name="files_problems",
        title="What was not taken from the raw files as it stood",
        columns=(
            Column("Wave"),
            Column("File"),
            Column("Problem"),
            Column("What was done"),
            Column("Of what"),
            Column("n", numeric=True, spoken="columns, rows or cells"),
        ),
        rows=rows,
        data=labels.with_evidence(frame),
        about="# stands for any number. Cells that were taken as invalid are counted with the missing answers."
        if rows
        else "Everything was taken as it stood.",
        evidence=labels.evidence(labels.waves_in(frame)),
        heads=2,
    )


def recodings(frame: pd.DataFrame, labels: Labels) -> Table:
    """Say what labels in the files are taken as; questions that share them stand in one row, and labels of one meaning.

    Parameters
    ----------
    frame
        `recodings`.
    """
    rows = tuple(
        (
            Cell(labels.wave(wave)),
            Cell(layout),
            Cell(_questions(variables, labels)),
            Cell("; ".join(filter(None, raw)) or EVERY_RETURN, tone="" if any(raw) else "muted"),
            Cell(_meaning(value, variables, labels)),
        )
        for (wave, layout, variables, value), raw in _rules(frame, labels).items()
    )
    return Table(
        name="recodings",
        title="What each answer in the raw files is taken as",
        columns=(
            Column("Wave"),
            Column("Kind of file"),
            Column("Question"),
            Column("In the file"),
            Column("Taken as"),
        ),
        rows=rows,
        data=labels.with_evidence(frame),
        about="The rules as the study has them, whether an answer occurred or not. A blank is skipped, or broke off "
        "where nothing after it was answered.",
        evidence=labels.evidence(labels.waves_in(frame)),
        heads=4,
        flat=False,
    )


def _rules(frame: pd.DataFrame, labels: Labels) -> dict[tuple[str, str, tuple[str, ...], str], list[str]]:
    """Gather what is the same.

    Returns
    -------
    dict
        Wave, layout, variables, value -> labels that are taken so.
    """
    shared: dict[tuple[str, ...], list[str]] = {}
    for row in records(frame):
        # Levels of different variables are called alike at most; a reason is one whatever was asked.
        own = row.variable if _is_group(row.variable, labels) and row.value not in _REASONS else ""
        shared.setdefault((row.wave, row.layout, row.raw, row.value, own), []).append(row.variable)
    rules: dict[tuple[str, str, tuple[str, ...], str], list[str]] = {}
    for (wave, layout, raw, value, _), variables in shared.items():
        rules.setdefault((wave, layout, tuple(dict.fromkeys(variables)), value), []).append(raw)
    return rules


def _is_group(variable: str, labels: Labels) -> bool:
    return variable.removesuffix(RESCALED) not in labels.presentation.items


def _questions(variables: Sequence[str], labels: Labels) -> str:
    """Name a question in words, several by their number."""
    if len(variables) > 1:
        statements = not any(_is_group(variable, labels) for variable in variables)
        return f"{whole(len(variables))} {'statements' if statements else 'questions'}"
    [variable] = variables
    item = variable.removesuffix(RESCALED)
    if item not in labels.presentation.items:
        return labels.variable(variable)
    return labels.item(item) + (" (on another response scale)" if item != variable else "")


def _meaning(value: str, variables: Sequence[str], labels: Labels) -> str:
    """Put what an answer is taken as into words: a response, a level, or why it is missing."""
    if value in _REASONS:
        return _REASONS[value]
    if value == Missing.NOT_ASKED:
        return "missing: not asked"
    first = variables[0]
    if _is_group(first, labels):
        return labels.level(first, value)
    words = {_response(value, variable, labels) for variable in variables}
    return f"{value} ({words.pop()})" if len(words) == 1 and "" not in words else value


def _response(value: str, variable: str, labels: Labels) -> str:
    """Give the words of a response; none of a statement on another response scale."""
    item: Any = labels.presentation.items.get(variable)
    if item is None or not value.isdecimal():
        return ""
    options = labels.presentation.response_scales[item.response_scale].labels
    return options[int(value) - 1] if 1 <= int(value) <= len(options) else ""
