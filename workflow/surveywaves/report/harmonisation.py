"""How the waves were brought together: rows read, problems met, answers recoded, questions compared."""

from __future__ import annotations

from typing import Final

import pandas as pd
from markupsafe import Markup

from surveywaves.report.blocks import Block, Bullets, Details, Paragraph, Part, Section, TableBlock
from surveywaves.report.material import Material
from surveywaves.report.say import say
from surveywaves.study.models import Comparability
from surveywaves.tables import Cell, Column, Table
from surveywaves.tables.intake import file_counts, problems
from surveywaves.tables.words import is_missing, records

GRADES: Final = {
    Comparability.IDENTICAL.value: ("● identical", ""),
    Comparability.REWORDED.value: ("◐ reworded", "caution"),
    Comparability.RESCALED.value: ("○ rescaled", "caution"),
    Comparability.ABSENT.value: ("– not asked", "muted"),
}
"""Comparability in words, with a sign that does not depend on colour, and its tone."""

ROWS: Final = {"rows_in": "read", "rows_kept": "kept", "rows_set_aside": "set aside"}
"""What is counted of a file's rows, and in words."""


def harmonisation(material: Material) -> Section:
    """Say how the waves' files became one set of answers."""
    blocks: list[Block] = []
    if material.has("file_counts"):
        table = file_counts(material.tables["file_counts"], material.labels)
        blocks.append(Part("Rows in, rows kept", (Bullets(tuple(_kept(material))), TableBlock(table))))
    if material.has("problems"):
        words = say(
            "Columns, rows and cells that could not be taken as they stood, and what was done, by kind. The values "
            "themselves are not shown here: they may hold what a respondent wrote."
        )
        table = problems(material.tables["problems"], material.labels)
        blocks.append(Part("Problems in the files", (Paragraph(words), TableBlock(table))))
    elif "problems" in material.tables:
        words = say("Every row and cell could be taken as it stood.")
        blocks.append(Part("Problems in the files", (Paragraph(words),)))
    grid = say(
        "A statement that a wave <strong>reworded</strong> is compared with care; one that it asked on "
        "another response scale (<strong>rescaled</strong>) stays out of every comparison; one that it did "
        "<strong>not ask</strong> has no answers there, and none are made up."
    )
    compared: list[Block] = [Paragraph(grid), TableBlock(comparability(material))]
    if len((side_by_side := wordings(material)).rows):
        compared.append(TableBlock(side_by_side))
    blocks.append(Part("Which questions can be compared", tuple(compared)))
    if material.has("recodings"):
        table = _recodings(material)
        blocks.append(Details(table.title, (TableBlock(table),)))
    if material.has("codebook"):
        table = _codebook(material)
        blocks.append(Details(table.title, (TableBlock(table),)))
    return Section("harmonisation", "How the waves were brought together", tuple(blocks))


def _kept(material: Material) -> list[Markup]:
    """Say of each wave how many rows were read and kept, as far as every file's number may be told."""
    numbers, frame, said = material.numbers, material.tables["file_counts"], []
    for wave in dict.fromkeys(frame["wave"]):
        missing = frame.loc[frame["wave"] == wave, list(ROWS)].isna().any()
        parts = [
            say("{rows} {what}", rows=numbers.total("file_counts", name, wave=wave), what=what)
            for name, what in ROWS.items()
            if not missing[name]
        ]
        if missing.any():
            parts.append(say("the others withheld" if parts else "withheld to protect respondents"))
        said.append(
            say(
                "<strong>{wave}:</strong> rows of the raw files: {parts}.",
                wave=material.labels.wave(wave),
                parts=Markup(", ").join(parts),
            )
        )
    return said


def comparability(material: Material) -> Table:
    """Lay out how each wave's question compares with the instrument's, a statement a row."""
    labels, waves = material.labels, material.presentation.waves
    rows, data = [], []
    for item in material.presentation.items.values():
        grades = [words.comparability.get(item.item, Comparability.ABSENT.value) for words in waves.values()]
        scale = labels.scale(item.scale) if item.scale else "none"
        rows.append(
            (
                Cell(item.text),
                Cell(scale, tone="" if item.scale else "muted"),
                *(Cell(GRADES[grade][0], grade, tone=GRADES[grade][1]) for grade in grades),
            )
        )
        data.append(
            {
                "item": item.item,
                "text": item.text,
                "scale": item.scale or "",
                **dict(zip(waves, grades, strict=True)),
            }
        )
    return Table(
        name="comparability",
        title="Every statement in every wave",
        columns=(
            Column("Statement"),
            Column("Scale"),
            *(Column(words.title) for words in waves.values()),
        ),
        rows=tuple(rows),
        data=pd.DataFrame(data),
    )


def wordings(material: Material) -> Table:
    """Put the words of a wave beside those of the instrument, wherever the crosswalk has something to say of them."""
    rows, data = [], []
    for item in material.presentation.items.values():
        for name, wave in material.presentation.waves.items():
            own, note = wave.wordings.get(item.item, ""), wave.notes.get(item.item, "")
            if not (own or note):
                continue
            grade = wave.comparability.get(item.item, Comparability.ABSENT.value)
            rows.append(
                (
                    Cell(item.text),
                    Cell(wave.title),
                    Cell(GRADES[grade][0], grade, tone=GRADES[grade][1]),
                    Cell(own),
                    Cell(note),
                )
            )
            data.append(
                {"item": item.item, "wave": name, "comparability": grade, "wave_wording": own, "note": note}
            )
    heads = ("The instrument's words", "Wave", "Grade", "The wave's own words", "Note")
    return Table(
        name="wordings",
        title="Where a wave asked differently: the words side by side",
        columns=tuple(Column(head) for head in heads),
        rows=tuple(rows),
        data=pd.DataFrame(data),
    )


def _recodings(material: Material) -> Table:
    labels, frame = material.labels, material.tables["recodings"]
    rows = []
    for _, part in frame.groupby(["wave", "layout", "column", "variable"], sort=False):
        first = next(records(part))
        told = [f"{row.raw} → {row.value}" if row.raw else row.value for row in records(part)]
        rows.append(
            (
                Cell(labels.wave(first.wave)),
                Cell(first.layout),
                Cell(first.column),
                Cell(first.variable),
                Cell("; ".join(told)),
            )
        )
    return Table(
        name="recodings",
        title="Every recoding: what may stand in the files, and what it is taken as",
        columns=(
            Column("Wave"),
            Column("Kind of file"),
            Column("Column"),
            Column("Variable"),
            Column("In the file → taken as"),
        ),
        rows=tuple(rows),
        data=labels.with_evidence(frame),
        about="The rules as the study writes them, whether a label occurred or not. A blank is taken as skipped, or "
        "as broken off at the end of a return.",
        heads=4,
    )


def _codebook(material: Material) -> Table:
    frame = material.tables["codebook"]
    waves = {name: words.title for name, words in material.presentation.waves.items()}
    heads = {name: waves.get(name, material.labels.plain(name)) for name in frame.columns}
    rows = tuple(
        tuple(Cell("" if is_missing(value) else str(value)) for value in row)
        for row in frame.itertuples(index=False)
    )
    return Table(
        name="codebook",
        title="Codebook of the pooled data",
        columns=tuple(Column(heads[name]) for name in frame.columns),
        rows=rows,
        data=frame,
    )
