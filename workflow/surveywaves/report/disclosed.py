"""What is not shown, so that nobody's answers can be told."""

from __future__ import annotations

import pandas as pd

from surveywaves.report.blocks import Block, Bullets, Paragraph, Section, TableBlock
from surveywaves.report.material import Material
from surveywaves.report.say import say
from surveywaves.tables import Cell, Column, Table
from surveywaves.tables.words import WITHHELD, records, whole

COUNTED = ("primary", "complementary", "in print")
"""Kinds of rows of the summary that are about linked counts, not about a column of a table."""


def disclosed(material: Material) -> Section | None:
    """Say what was withheld, how much that is, and what its sign means."""
    if not material.disclosure and not material.has("disclosure_summary"):
        return None
    blocks: list[Block] = (
        [Paragraph(say("{sentence}", sentence=material.disclosure))] if material.disclosure else []
    )
    blocks.append(
        Bullets(
            (
                say(
                    "<strong>{sign}</strong> stands where a number is withheld (c for confidential). It is neither "
                    "zero nor unknown; whoever made this report has it.",
                    sign=WITHHELD,
                ),
                say(
                    "A count is withheld if it tells of a few people, or of what nearly all of a group answered; and "
                    "so are as many others as it takes that no total, percentage or other table gives it back. Which "
                    "of the two a sign stands for is not said: that would tell too much."
                ),
                say(
                    "Percentages go with their counts. Means and standard deviations of single statements are shown "
                    "only where every count is; estimates that come near to a withheld count are rounded."
                ),
                say("In figures, what is withheld is striped or named, and in downloads the cell is empty."),
            )
        )
    )
    if material.has("disclosure_summary"):
        frame = material.tables["disclosure_summary"]
        blocks += [TableBlock(_linked(frame)), TableBlock(_columns(material, frame))]
    return Section("disclosure", "What is withheld", tuple(blocks))


def _linked(frame: pd.DataFrame) -> Table:
    """Sum up the linked counts: one row a kind."""
    of_counts = frame[frame["what"].isin(COUNTED)]
    rows = []
    for kind, part in of_counts.groupby("table", sort=False):
        told = {row.what: row for row in records(part)}
        cells = [
            (told[name], column)
            for name, column in (
                ("primary", "shown"),
                ("primary", "withheld"),
                ("complementary", "withheld"),
                ("in print", "shown"),
            )
            if name in told
        ]
        if len(cells) == len(COUNTED) + 1 and any(getattr(row, column) for row, column in cells):
            rows.append(
                (
                    Cell(str(kind)),
                    *(
                        Cell(whole(getattr(row, column)), float(getattr(row, column)))
                        for row, column in cells
                    ),
                )
            )
    return Table(
        name="disclosure_counts",
        title="Counts that are shown and withheld",
        columns=(
            Column("Kind of count"),
            Column("Shown", numeric=True),
            Column("Themselves", "Withheld", numeric=True, spoken="counts that would tell of somebody"),
            Column("To protect others", "Withheld", numeric=True),
            Column("In print already", "Of those shown", numeric=True),
        ),
        rows=tuple(rows),
        data=of_counts,
        flat=False,
    )


def _columns(material: Material, frame: pd.DataFrame) -> Table:
    """List the columns of the released tables that lost something."""
    lost = frame[~frame["what"].isin(COUNTED) & ((frame["withheld"] > 0) | (frame["rounded"] > 0))]
    numbers = ("shown", "withheld", "rounded")
    return Table(
        name="disclosure_summary",
        title="Numbers that are withheld or rounded, table by table",
        columns=(
            Column("Released table"),
            Column("Number"),
            *(Column(material.labels.plain(name), numeric=True) for name in numbers),
        ),
        rows=tuple(
            (
                Cell(material.labels.plain(row.table)),
                Cell(material.labels.plain(row.what)),
                *(Cell(whole(getattr(row, name)), float(getattr(row, name))) for name in numbers),
            )
            for row in records(lost)
        ),
        data=lost,
        about="Rounded: shown to fewer digits than it was computed to. Columns that lost nothing are left out.",
        heads=2,
    )
