"""Tables for publication: the tables of the report as files to paste, in HTML, Word, LaTeX and CSV, and one workbook.

grid       the boxes that a table is written from: heads above heads, heads of rows, sections
page       as HTML: within the report, and as a page of its own; and a page that lists the tables
paper      as Word and LaTeX, by pandoc
workbook   all tables in a workbook, a sheet a table
rows       the rows behind a table as CSV
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

import pandas as pd

from surveywaves.catalogue import TABLES, Exhibit
from surveywaves.study.parts import Presentation
from surveywaves.tables.layout import Table
from surveywaves.tables.made import made
from surveywaves.tables.publish.page import WORKBOOK, contents, html, page
from surveywaves.tables.publish.paper import papers
from surveywaves.tables.publish.rows import to_csv
from surveywaves.terms import ALL, Evidence
from surveywaves.text import listed
from surveywaves.tidy import with_keys
from surveywaves.words import Labels

__all__ = ["files", "html"]

MOST_PASTED: Final = 300
"""Most rows of a table to paste, about ten pages; the CSV and the workbook always have all."""


def files(
    frames: Mapping[str, pd.DataFrame], labels: Labels, exhibits: Iterable[Exhibit] = TABLES
) -> Iterator[tuple[str, bytes]]:
    """Write every table of a study in every form, the workbook with all of them, and the page that lists them.

    Yields the name of each file and its content, the same bytes for the same frames. See `tables.made.made`.
    """
    # Imported here, because the report needs `html` only and would have to wait for openpyxl.
    from surveywaves.tables.publish.workbook import workbook  # noqa: PLC0415

    study = labels.presentation
    ours = [(one, _alone(table, labels)) for one, table in made(frames, labels, exhibits, whole=True)]
    said = [demonstration(_kinds(table, study)) for _, table in ours]
    pasted = [table.at_most(MOST_PASTED) for _, table in ours]
    pages = [*zip(pasted, said, strict=True)]
    for table, evidence in pages:
        yield f"{table.name}.html", page(table, demonstration=evidence)
        yield f"{table.name}.csv", to_csv(table.data, labels)
    yield from papers(pages)
    yield WORKBOOK, workbook(zip((table for _, table in ours), said, strict=True))
    evidence = demonstration({wave.evidence for wave in study.waves.values()})
    headed = [(one.exhibit.section, table) for one, table in ours]
    yield "index.html", contents(headed, title=study.title, demonstration=evidence)


def _alone(table: Table, labels: Labels) -> Table:
    """Return a table with the evidence of its rows and, if some organisations have rows, a note on protection."""
    study = labels.presentation
    keys = {name: item.key for name, item in study.items.items()}
    own = replace(table, data=with_keys(labels.with_evidence(table.data), keys))
    if "organisation" not in own.data or own.data["organisation"].isin([ALL, ""]).all():
        return own
    return replace(own, notes=(*own.notes, study.protection))


def demonstration(kinds: Collection[Evidence]) -> str:
    """Return words for data that are not all observed; empty if they are."""
    words = [kind.value for kind in Evidence if kind in kinds and kind is not Evidence.OBSERVED]
    return f"Demonstration: {listed(words)} data, not findings" if words else ""


def _kinds(table: Table, presentation: Presentation) -> set[Evidence]:
    """List the kinds of evidence behind a table; of the whole study, where its rows do not say."""
    # The audit's own column of that name holds its reasons.
    column = "recomputed_from" if "recomputed_from" in table.data.columns else "evidence"
    named = set(table.data[column]) - {""} if column in table.data.columns else set()
    return {Evidence(kind) for kind in named} or {wave.evidence for wave in presentation.waves.values()}
