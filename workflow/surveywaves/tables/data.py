"""About the data: raw files and how they were read, differences in wording, what is withheld, events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pandas as pd

from surveywaves.tables.layout import Cell, Column, Table, count_cell
from surveywaves.tables.respondents import REASONS
from surveywaves.terms import RESCALED_SUFFIX, ROW_COUNTS, Comparability, Missing
from surveywaves.text import normalise
from surveywaves.words import Labels, records, whole


def files(file_counts: pd.DataFrame, labels: Labels, *, problems: pd.DataFrame | None = None) -> Table:
    """List the raw files: rows read, kept and set aside, and what was not taken as it stood."""
    told: dict[tuple[str, str], list[str]] = {}
    for row in records(problems) if problems is not None else ():
        many = count_cell(row).text
        about = row.about if many == "1" else f"{row.about}s"
        told.setdefault((row.wave, row.file), []).append(f"{many} {about}: {row.problem} ({row.action})")
    rows = tuple(
        (
            Cell(labels.wave(row.wave)),
            Cell(row.file),
            Cell(row.layout),
            *(count_cell(row, name) for name in ROW_COUNTS),
            Cell("; ".join(told.get((row.wave, row.file), ())) or "nothing"),
        )
        for row in records(file_counts)
    )
    hash_stands = "# stands for any number." if any("#" in cell.text for row in rows for cell in row) else ""
    return Table(
        name="files",
        title="Raw files, and what was not taken from them as it stood",
        columns=(
            Column("Wave"),
            Column("File"),
            Column("Kind"),
            *(Column(head, numeric=True) for head in ("Rows read", "Kept", "Set aside")),
            Column("Not taken as it stood"),
        ),
        rows=rows,
        data=labels.with_evidence(file_counts),
        notes=(hash_stands,),
        heads=2,
    )


def disclosure(disclosure_summary: pd.DataFrame, labels: Labels) -> Table:
    """List what was withheld or rounded in the released tables."""
    lost = disclosure_summary[(disclosure_summary["withheld"] > 0) | (disclosure_summary["rounded"] > 0)]
    numbers = ("shown", "withheld", "rounded")
    return Table(
        name="disclosure",
        title="Numbers withheld or rounded to protect respondents",
        columns=(
            Column("Released table"),
            Column("Number"),
            *(Column(labels.plain(name), numeric=True) for name in numbers),
        ),
        rows=tuple(
            (
                Cell(labels.plain(row.table)),
                Cell(labels.plain(row.what)),
                *(count_cell(row, name) for name in numbers),
            )
            for row in records(lost)
        ),
        data=disclosure_summary,
        notes=(
            labels.presentation.protection,
            "Rounded: a count to a multiple, an estimate to fewer digits. Numbers that lost nothing are left out.",
        ),
        heads=2,
    )


GRADES: Final = {Comparability.REWORDED: "reworded", Comparability.RESCALED: "other response options"}


def wordings(labels: Labels) -> Table:
    """Put the words of a wave beside those of the instrument, where they differ; what was not asked is counted."""
    study = labels.presentation
    rows, data, absent = [], [], dict.fromkeys(study.waves, 0)
    for item in study.items.values():
        for name, wave in study.waves.items():
            grade = wave.comparability.get(item.item, Comparability.ABSENT.value)
            absent[name] += grade == Comparability.ABSENT
            if (words := GRADES.get(Comparability(grade))) is None:
                continue
            own, note = wave.wordings.get(item.item, ""), wave.notes.get(item.item, "")
            rows.append(
                (Cell(item.text), Cell(wave.title), Cell(words), Cell(own or "not given"), Cell(note))
            )
            data.append((item.item, name, grade, own, note))
    gone = [
        f"{labels.wave(name)} did not ask {whole(count)} of {whole(len(study.items))} {study.nouns.statement[1]}."
        for name, count in absent.items()
        if count
    ]
    heads = ("Reference wording", "Wave", "Difference", "Wording in the wave", "Note")
    return Table(
        name="wordings",
        title="Where a wave asked differently",
        columns=tuple(Column(head) for head in heads),
        rows=tuple(rows),
        data=pd.DataFrame(
            data, columns=["item", "wave", "comparability", "wave_wording", "note"], dtype="str"
        ),
        notes=tuple(gone),
    )


def events(labels: Labels) -> Table:
    """List the dated events of the study."""
    dated = [(event.date.isoformat(), event.label, event.source) for event in labels.presentation.events]
    return Table(
        name="events",
        title="Dated events",
        columns=(Column("Date"), Column("Event"), Column("Source")),
        rows=tuple(tuple(map(Cell, event)) for event in dated),
        data=pd.DataFrame(dated, columns=["date", "event", "source"], dtype="str"),
    )


# --- recodings ----------------------------------------------------------------------------------------------------

EVERY_RETURN: Final = "(whole layout)"

_REASONS: Final = {reason.value: f"missing: {words}" for reason, words in REASONS.items()} | {
    Missing.NOT_ASKED.value: "missing: not asked"
}


def recodings(recodings: pd.DataFrame, labels: Labels) -> Table:
    """Say what labels in the files are taken as, where that is another thing; what shares a rule stands together."""
    alike = pd.Series(
        [_is_itself(row, labels) for row in records(recodings)], index=recodings.index, dtype="bool"
    )
    rules = _rules(recodings[~alike], labels)
    rows, sections = [], []
    for (wave, layout, variables, value), raw in rules.items():
        rows.append(
            (
                Cell(_questions(variables, labels)),
                Cell("; ".join(filter(None, raw)) or EVERY_RETURN),
                Cell(_meaning(value, variables, labels)),
            )
        )
        sections.append(f"{labels.wave(wave)}, {layout}")
    return Table(
        name="recodings",
        title="What answers in the raw files are taken as",
        columns=(Column("Question"), Column("In the file"), Column("Taken as")),
        rows=tuple(rows),
        data=labels.with_evidence(recodings),
        notes=(
            f"{whole(alike.sum())} of {whole(len(recodings))} rules take an answer as it stands and are not listed."
            if alike.any()
            else "",
            "The rules as the study has them, whether an answer occurred or not. A blank is skipped, or broke off "
            "where nothing after it was answered.",
        ),
        heads=2,
        sections=tuple(sections),
    )


def _is_itself(row: Any, labels: Labels) -> bool:
    """Whether a label is taken as itself: the same code, or the words of what it is taken as."""
    if not row.raw:
        return False
    words = (row.value, _response(row.value, row.variable, labels), labels.level(row.variable, row.value))
    return normalise(row.raw) in {normalise(word) for word in words if word}


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
