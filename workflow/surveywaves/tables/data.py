"""About the data: raw files and how they were read, differences in wording, what is withheld, events."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Final

import pandas as pd

from surveywaves.tables.layout import Cell, Column, Table, count_cell, laid_out, numbers
from surveywaves.terms import ROW_COUNTS, Comparability
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
    events = [(event.when, event.label, event.source) for event in labels.presentation.events]
    heads = ("Date", "Event", "Source")
    return laid_out(
        "Dated events",
        events,
        [([*map(Column, heads)], lambda event: map(Cell, event))],
        pd.DataFrame(events, columns=[*map(str.lower, heads)], dtype="str"),
    )
