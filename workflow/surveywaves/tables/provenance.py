"""What stands behind the numbers: events, how each wave asked, the codebook, and what is withheld."""

from __future__ import annotations

from typing import Final

import pandas as pd

from surveywaves.tables.layout import Cell, Column, Table
from surveywaves.terms import Comparability
from surveywaves.words import Labels, is_missing, records, whole


def events(labels: Labels) -> Table:
    """List the dated events that the figures may mark."""
    dated = labels.presentation.events
    return Table(
        name="events",
        title="Dated events",
        columns=(Column("Date"), Column("Event"), Column("Source")),
        rows=tuple((Cell(event.date.isoformat()), Cell(event.label), Cell(event.source)) for event in dated),
        data=pd.DataFrame(
            [(event.date.isoformat(), event.label, event.source) for event in dated],
            columns=["date", "event", "source"],
            dtype="str",
        ),
        flat=False,
    )


GRADES: Final = {
    Comparability.IDENTICAL.value: ("● identical", ""),
    Comparability.REWORDED.value: ("◐ reworded", "caution"),
    Comparability.RESCALED.value: ("○ rescaled", "caution"),
    Comparability.ABSENT.value: ("– not asked", "muted"),
}
"""Comparability in words, with a sign that does not depend on colour, and its tone."""


def comparability(labels: Labels) -> Table:
    """Lay out how each wave's question compares with the instrument's, a statement a row."""
    waves = labels.presentation.waves
    rows, data = [], []
    for item in labels.presentation.items.values():
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


def wordings(labels: Labels) -> Table:
    """Put the words of a wave beside those of the instrument, wherever the crosswalk has something to say of them."""
    rows, data = [], []
    for item in labels.presentation.items.values():
        for name, wave in labels.presentation.waves.items():
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


def codebook(frame: pd.DataFrame, labels: Labels) -> Table:
    """Show the codebook of the pooled data."""
    waves = {name: words.title for name, words in labels.presentation.waves.items()}
    heads = {name: waves.get(name, labels.plain(name)) for name in frame.columns}
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


def withheld_columns(frame: pd.DataFrame, labels: Labels) -> Table:
    """List the columns of the released tables that lost something."""
    lost = frame[(frame["withheld"] > 0) | (frame["rounded"] > 0)]
    numbers = ("shown", "withheld", "rounded")
    return Table(
        name="disclosure_summary",
        title="Numbers that are withheld or rounded, table by table",
        columns=(
            Column("Released table"),
            Column("Number"),
            *(Column(labels.plain(name), numeric=True) for name in numbers),
        ),
        rows=tuple(
            (
                Cell(labels.plain(row.table)),
                Cell(labels.plain(row.what)),
                *(Cell(whole(getattr(row, name)), float(getattr(row, name))) for name in numbers),
            )
            for row in records(lost)
        ),
        data=lost,
        about="Rounded: a count to a multiple, an estimate to fewer digits. Columns that lost nothing are left out.",
        heads=2,
    )
