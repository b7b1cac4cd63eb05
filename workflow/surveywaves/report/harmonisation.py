"""How the waves were brought together: rows read, problems met, answers recoded, questions compared."""

from __future__ import annotations

import re
from pathlib import PurePosixPath, PureWindowsPath
from typing import Final

import pandas as pd
from markupsafe import Markup

from surveywaves.report.blocks import Block, Bullets, Details, Paragraph, Part, Section, TableBlock
from surveywaves.report.material import Material
from surveywaves.report.say import say, several
from surveywaves.study.models import Comparability
from surveywaves.tables import Cell, Column, Table
from surveywaves.tables.words import is_missing, records, whole

GRADES: Final = {
    Comparability.IDENTICAL.value: ("● identical", ""),
    Comparability.REWORDED.value: ("◐ reworded", "caution"),
    Comparability.RESCALED.value: ("○ rescaled", "caution"),
    Comparability.ABSENT.value: ("– not asked", "muted"),
}
"""Comparability in words, with a sign that does not depend on colour, and its tone."""


def harmonisation(material: Material) -> Section:
    """Say how the waves' files became one set of answers."""
    blocks: list[Block] = []
    if material.has("counts"):
        blocks.append(
            Part("Rows in, rows kept", (Bullets(tuple(_kept(material))), TableBlock(_counts(material))))
        )
    if material.has("problems"):
        words = say(
            "Cells and rows that could not be taken as they stood, and what was done. The values "
            "themselves are not shown here: they may hold what a respondent wrote. In the counts, # stands "
            "for any number."
        )
        blocks.append(Part("Problems in the files", (Paragraph(words), TableBlock(_problems(material)))))
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


def file_name(path: str) -> str:
    """Give a file's name without its folders: a page that travels says nothing of the machine it was made on."""
    return PureWindowsPath(PurePosixPath(path).name).name


def _kept(material: Material) -> list[Markup]:
    numbers = material.numbers
    return [
        say(
            "<strong>{wave}:</strong> {rows} read, {kept} kept, {aside} set aside.",
            wave=material.labels.wave(wave),
            rows=several(numbers.total("counts", "rows_in", wave=wave), "row", "rows"),
            kept=numbers.total("counts", "rows_kept", wave=wave),
            aside=numbers.total("counts", "rows_set_aside", wave=wave),
        )
        for wave in dict.fromkeys(material.tables["counts"]["wave"])
    ]


def _counts(material: Material) -> Table:
    labels, frame = material.labels, material.tables["counts"]
    rows = tuple(
        (
            Cell(labels.wave_with_evidence(row.wave)),
            Cell(file_name(row.file)),
            Cell(row.layout),
            *(Cell(whole(n), float(n)) for n in (row.rows_in, row.rows_kept, row.rows_set_aside)),
        )
        for row in records(frame)
    )
    return Table(
        name="counts",
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
        data=labels.with_evidence(frame.assign(file=frame["file"].map(file_name))),
        heads=2,
        flat=False,
    )


def _problems(material: Material) -> Table:
    labels, frame = material.labels, material.tables["problems"]
    shown = frame.assign(
        file=frame["file"].map(file_name),
        problem=frame["problem"].map(_numberless),
        action=frame["action"].map(_numberless),
    )
    counted = (
        shown.groupby(["wave", "file", "problem", "action"], sort=False).size().rename("n").reset_index()
    )
    rows = tuple(
        (
            Cell(labels.wave(row.wave)),
            Cell(row.file),
            Cell(row.problem),
            Cell(row.action),
            Cell(whole(row.n), float(row.n)),
        )
        for row in records(counted)
    )
    return Table(
        name="problems",
        title="Problems met, and what was done",
        columns=(
            Column("Wave"),
            Column("File"),
            Column("Problem"),
            Column("What was done"),
            Column("n", numeric=True, spoken="cells or rows"),
        ),
        rows=rows,
        data=labels.with_evidence(counted),
        heads=3,
    )


def _numberless(text: str) -> str:
    return re.sub(r"\d+(, \d+)*", "#", text)


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
        told = [f"{row.raw or '(blank)'} → {row.value} ({whole(row.n)})" for row in records(part)]
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
        title="Every recoding: what stood in the files, and what it was taken as",
        columns=(
            Column("Wave"),
            Column("Kind of file"),
            Column("Column"),
            Column("Variable"),
            Column("In the file → taken as (cells)"),
        ),
        rows=tuple(rows),
        data=labels.with_evidence(frame),
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
