"""Whether the answer depends on a choice of analysis."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
from markupsafe import Markup

from surveywaves.report.answer import SURE
from surveywaves.report.blocks import Block, Bullets, Details, Paragraph, Section, TableBlock
from surveywaves.report.decided import item_by_item
from surveywaves.report.material import Material
from surveywaves.report.say import say, several
from surveywaves.tables.decisions import base_term
from surveywaves.tables.estimates import CONTRASTS
from surveywaves.tables.robustness import agreement, sensitivity

IN_WORDS = "In words"
"""Head of the column of `agreement` that says all of a row."""


def robustness(material: Material) -> Section | None:
    """Show every contrast again, analysed otherwise, and how many ways come to the same decision."""
    figures = [
        figure for scale in material.presentation.scales for figure in material.figure(f"sensitivity_{scale}")
    ]
    if not material.has("sensitivity") and not material.has("agreement") and not figures:
        return None
    words = say(
        "Each contrast again, analysed otherwise, one choice at a time: another model, other respondents, other "
        "weights. What a decision is worth shows in how many of these ways come to it."
    )
    blocks: list[Block] = [Paragraph(words)]
    if material.has("agreement"):
        frame = material.tables["agreement"]
        blocks += [Bullets(_counted(material)), *_not_shared(material, frame)]
        full = agreement(frame, material.labels)
        blocks.append(Details(full.title, (TableBlock(full),)))
    if material.has("sensitivity"):
        frame = material.tables["sensitivity"]
        present = set(frame["term"].map(base_term))
        inside = tuple(
            TableBlock(sensitivity(frame, material.labels, term=term))
            for term in CONTRASTS
            if term in present
        )
        blocks.append(Details("Every way to analyse, in numbers", inside))
    if figures:
        blocks.append(Details("Every way to analyse, scale by scale", tuple(figures)))
    return Section("robustness", "Would another analysis say the same?", tuple(blocks))


def _not_shared(material: Material, frame: pd.DataFrame) -> list[Block]:
    """List the decisions that some way to analyse does not come to."""
    table = agreement(frame[(frame["agreeing"] < frame["variants"]).fillna(False)], material.labels)
    if not table.rows:
        return []
    # The words at the end say again what the main analysis decides, and how many agree.
    places = [
        place for place, column in enumerate(table.columns) if place < table.heads or column.head == IN_WORDS
    ]
    return [
        TableBlock(
            replace(
                table,
                name="agreement_not_shared",
                title="Decisions that some other way to analyse does not come to",
                columns=tuple(table.columns[place] for place in places),
                rows=tuple(tuple(row[place] for place in places) for row in table.rows),
                about="",
            )
        )
    ]


def _counted(material: Material) -> tuple[Markup, ...]:
    """Count the decisions about scales that are compared as scales: those that stand in every way, and the others."""
    numbers, apart = material.numbers, item_by_item(material)
    scales = [scale for scale in dict.fromkeys(material.tables["agreement"]["scale"]) if scale not in apart]
    said = []
    for kind, decisions in (("other than inconclusive", SURE), ("inconclusive", ["inconclusive"])):
        told = numbers.count("agreement", scale=scales, decision=decisions)
        if told.value:
            same = numbers.count("agreement", scale=scales, decision=decisions, **{"agreeing=": "variants"})
            said.append(
                say(
                    "<strong>Decisions {kind}:</strong> {told}, of which {same} the same in every way that could be "
                    "tried.",
                    kind=kind,
                    told=told,
                    same=several(same, "is", "are"),
                )
            )
    return tuple(said)
