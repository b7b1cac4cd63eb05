"""About the data: raw files and how they were read, differences in wording, what is withheld, events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import pandas as pd

from surveywaves.tables.layout import Cell, Column, Table, count_cell, laid_out, numbers
from surveywaves.tables.respondents import REASONS
from surveywaves.terms import RESCALED_SUFFIX, ROW_COUNTS, Comparability, Missing
from surveywaves.text import normalise
from surveywaves.words import Labels, records, whole


def files(file_counts: pd.DataFrame, labels: Labels, *, problems: pd.DataFrame | None = None) -> Table:
    """List the raw files: rows read, kept and set aside, and what was not taken as it stood."""
    told: dict[tuple[str, str], list[str]] = {}
    for row in records(problems) if problems is not None else ():
        about = row.about if count_cell(row).text == "1" else f"{row.about}s"
        words = f"{count_cell(row).text} {about}: {row.problem} ({row.action})"
        told.setdefault((row.wave, row.file), []).append(words)
    said = {key: "; ".join(words) for key, words in told.items()}
    return laid_out(
        "Raw files, and what was not taken from them as it stood",
        records(file_counts),
        [
            (Column("Wave"), lambda row: Cell(labels.wave(row.wave))),
            (Column("File"), lambda row: Cell(row.file)),
            (Column("Kind"), lambda row: Cell(row.layout)),
            *(
                (numbers(head), partial(count_cell, what=name))
                for head, name in zip(("Rows read", "Kept", "Set aside"), ROW_COUNTS, strict=True)
            ),
            (Column("Not taken as it stood"), lambda row: Cell(said.get((row.wave, row.file), "nothing"))),
        ],
        file_counts,
        "# stands for any number." if "#" in "".join([*said.values(), *file_counts["file"]]) else "",
        heads=2,
    )


def disclosure(disclosure_summary: pd.DataFrame, labels: Labels) -> Table:
    """List what was withheld or rounded in the released tables."""
    counts = ("shown", "withheld", "rounded")
    return laid_out(
        "Numbers withheld or rounded to protect respondents",
        records(disclosure_summary[disclosure_summary[["withheld", "rounded"]].sum(axis="columns") > 0]),
        [
            (Column("Released table"), lambda row: Cell(row.table)),
            (Column("Number"), lambda row: Cell(row.what.replace("_", " "))),
            *((numbers(name.capitalize()), partial(count_cell, what=name)) for name in counts),
        ],
        disclosure_summary,
        labels.presentation.protection,
        "Rounded: a count to a multiple, an estimate to fewer digits. Numbers that lost nothing are left out.",
        heads=2,
    )


GRADES: Final = {Comparability.REWORDED: "reworded", Comparability.RESCALED: "other response options"}


def wordings(labels: Labels) -> Table:
    """Put the words of a wave beside those of the instrument, where they differ; what was not asked is counted."""
    study = labels.presentation
    asked = [
        (item.item, name, Comparability(wave.comparability.get(item.item, Comparability.ABSENT)), wave)
        for item in study.items.values()
        for name, wave in study.waves.items()
    ]
    frame = pd.DataFrame(
        [
            (item, name, grade.value, wave.wordings.get(item, ""), wave.notes.get(item, ""))
            for item, name, grade, wave in asked
            if grade in GRADES
        ],
        columns=["item", "wave", "comparability", "wave_wording", "note"],
        dtype="str",
    )
    absent = Counter(name for _, name, grade, _ in asked if grade is Comparability.ABSENT)
    return laid_out(
        "Where a wave asked differently",
        records(frame),
        [
            (Column("Reference wording"), lambda row: Cell(labels.wording(row.item))),
            (Column("Wave"), lambda row: Cell(labels.wave(row.wave))),
            (Column("Difference"), lambda row: Cell(GRADES[row.comparability])),
            (Column("Wording in the wave"), lambda row: Cell(row.wave_wording or "not given")),
            (Column("Note"), lambda row: Cell(row.note)),
        ],
        frame,
        *(
            f"{labels.wave(name)} did not ask {whole(absent[name])} of {whole(len(study.items))} "
            f"{study.nouns.statement[1]}."
            for name in study.waves
            if absent[name]
        ),
    )


def events(labels: Labels) -> Table:
    """List the dated events of the study."""
    dated = [(event.date.isoformat(), event.label, event.source) for event in labels.presentation.events]
    frame = pd.DataFrame(dated, columns=["date", "event", "source"], dtype="str")
    return laid_out(
        "Dated events",
        dated,
        [
            (Column(head), lambda row, place=place: Cell(row[place]))
            for place, head in enumerate(("Date", "Event", "Source"))
        ],
        frame,
    )


# --- recodings ----------------------------------------------------------------------------------------------------

EVERY_RETURN: Final = "(whole layout)"

_REASONS: Final = {reason.value: f"missing: {words}" for reason, words in REASONS.items()} | {
    Missing.NOT_ASKED.value: "missing: not asked"
}


def recodings(recodings: pd.DataFrame, labels: Labels) -> Table:
    """Say what labels in the files are taken as, where that is another thing; what shares a rule stands together."""
    alike = pd.Series([_is_itself(row, labels) for row in records(recodings)], recodings.index, dtype="bool")
    rules: dict[tuple[Any, ...], list[str]] = {}
    for (wave, layout, raw, value, _), variables in _sharing(recodings[~alike], labels).items():
        rules.setdefault((wave, layout, tuple(dict.fromkeys(variables)), value), []).append(raw)
    return laid_out(
        "What answers in the raw files are taken as",
        rules,
        [
            (Column("Question"), lambda rule: Cell(_questions(rule[2], labels))),
            (Column("In the file"), lambda rule: Cell("; ".join(filter(None, rules[rule])) or EVERY_RETURN)),
            (Column("Taken as"), lambda rule: Cell(_meaning(rule[3], rule[2], labels))),
        ],
        recodings,
        f"{whole(alike.sum())} of {whole(len(recodings))} rules take an answer as it stands and are not listed."
        if alike.any()
        else "",
        "The rules as the study has them, whether an answer occurred or not. A blank is skipped, or broke off "
        "where nothing after it was answered.",
        heads=2,
        section=lambda rule: f"{labels.wave(rule[0])}, {rule[1]}",
    )


def _is_itself(row: Any, labels: Labels) -> bool:
    """Whether a label is taken as itself: the same code, or the words of what it is taken as."""
    words = (row.value, _response(row.value, row.variable, labels), labels.level(row.variable, row.value))
    return bool(row.raw) and normalise(row.raw) in {normalise(word) for word in words if word}


def _sharing(frame: pd.DataFrame, labels: Labels) -> dict[tuple[str, ...], list[str]]:
    """Gather the variables for which a label of a wave and layout is taken as the same."""
    shared: dict[tuple[str, ...], list[str]] = {}
    for row in records(frame):
        # Levels of different variables are called alike at most; a reason is one whatever was asked.
        own = row.variable if _is_group(row.variable, labels) and row.value not in _REASONS else ""
        shared.setdefault((row.wave, row.layout, row.raw, row.value, own), []).append(row.variable)
    return shared


def _is_group(variable: str, labels: Labels) -> bool:
    return variable.removesuffix(RESCALED_SUFFIX) not in labels.presentation.items


def _questions(variables: Sequence[str], labels: Labels) -> str:
    """Name a question in words, several by their number."""
    if len(variables) > 1:
        statements = not any(_is_group(variable, labels) for variable in variables)
        return (
            f"{whole(len(variables))} {labels.presentation.nouns.statement[1] if statements else 'questions'}"
        )
    [variable] = variables
    item = variable.removesuffix(RESCALED_SUFFIX)
    if item not in labels.presentation.items:
        return labels.variable(variable)
    return labels.wording(item) + (" (on another response scale)" if item != variable else "")


def _meaning(value: str, variables: Sequence[str], labels: Labels) -> str:
    """Put what an answer is taken as into words: a response, a level, or why it is missing."""
    if value in _REASONS:
        return _REASONS[value]
    if _is_group(variables[0], labels):
        return labels.level(variables[0], value)
    words = {_response(value, variable, labels) for variable in variables}
    return f"{value} ({words.pop()})" if len(words) == 1 and "" not in words else value


def _response(value: str, variable: str, labels: Labels) -> str:
    """Give the words of a response; none of a statement on another response scale."""
    item = labels.presentation.items.get(variable)
    if item is None or not value.isdecimal():
        return ""
    options = labels.presentation.response_scales[item.response_scale].labels
    return options[int(value) - 1] if 1 <= int(value) <= len(options) else ""
