"""The publication, audited: what it prints beside what that recomputes to."""

from __future__ import annotations

from markupsafe import Markup

from surveywaves.report.blocks import Block, Bullets, Details, Paragraph, Part, Section, TableBlock
from surveywaves.report.material import Material
from surveywaves.report.say import say, several
from surveywaves.tables.audit import FAULTS, Audit, verdict_words


def audit(material: Material) -> Section | None:
    """Show every printed table beside what it recomputes to, and every claim with its verdict."""
    has_tables, has_claims = material.has("published_tables"), material.has("claims")
    if not (has_tables or has_claims):
        return None
    blocks: list[Block] = []
    if material.presentation.citation:
        blocks.append(Paragraph(say("The publication: {citation}", citation=material.presentation.citation)))
    blocks.append(Paragraph(_method()))
    blocks += material.figure("published_agreement")
    if has_tables:
        blocks.append(Part("Printed tables", tuple(_printed(material))))
    if has_claims:
        blocks.append(
            Part(
                "Claims in the text",
                (
                    Bullets(_claims_in_words(material)),
                    TableBlock(_tables(material).claims(material.tables["claims"])),
                ),
            )
        )
    return Section("audit", "The publication, audited", tuple(blocks))


def _tables(material: Material) -> Audit:
    return Audit(material.labels, wave=material.published_wave, titles=material.table_titles)


def _method() -> Markup:
    return say(
        "A printed table holds its numbers several times: each count again as a percentage, their sum "
        "again as the base. A misprint contradicts something. <i>Should be</i> is what fits the most "
        "printed cells; <i>recomputed</i> is what this analysis finds in the data it was given. Nothing is "
        "corrected silently."
    )


def _printed(material: Material) -> list[Block]:
    numbers = material.numbers
    cells = numbers.count("published_tables")
    rows = numbers.distinct("published_tables", "table", "row")
    said = [
        say(
            "{cells} in {rows} were checked.",
            cells=several(cells, "printed cell", "printed cells"),
            rows=several(rows, "row", "rows"),
        )
    ]
    said += [
        say(
            "{verdict}: {count}.",
            verdict=verdict_words(verdict)[0],
            count=several(numbers.count("published_tables", verdict=verdict), "cell", "cells"),
        )
        for verdict in dict.fromkeys(material.tables["published_tables"]["verdict"])
    ]
    blocks: list[Block] = [Bullets(tuple(said))]
    frame, tables = material.tables["published_tables"], _tables(material)
    if frame["verdict"].isin(FAULTS).any():
        blocks.append(TableBlock(tables.misprints(frame)))
    for table in dict.fromkeys(frame["table"]):
        built = tables.printed(frame, str(table))
        blocks.append(Details(built.title, (TableBlock(built),)))
    return blocks


def _claims_in_words(material: Material) -> tuple[Markup, ...]:
    numbers = material.numbers
    return tuple(
        say(
            "{verdict}: {count}.",
            verdict=verdict_words(verdict)[0],
            count=several(numbers.count("claims", verdict=verdict), "claim", "claims"),
        )
        for verdict in dict.fromkeys(material.tables["claims"]["verdict"])
    )
