"""What a wave to come can detect."""

from __future__ import annotations

from surveywaves.report.blocks import Block, Details, Paragraph, Section, TableBlock
from surveywaves.report.material import Material
from surveywaves.report.say import say
from surveywaves.tables.outlook import ASKED, planning


def outlook(material: Material) -> Section | None:
    """Show what the planned wave can detect, by its number of returns."""
    planned, figure = material.presentation.planning, material.figure("planning")
    if planned is None or not (material.has("planning") or figure):
        return None
    labels = material.labels
    words = say(
        "What {planned} can tell from {reference}, by how many return the questionnaire: worked out from "
        "{reference} alone, for respondents who divide and answer as there.",
        planned=planned.title,
        reference=labels.wave(planned.reference),
    )
    blocks: list[Block] = [Paragraph(words), *_rests_on(material), *figure]
    if material.has("planning"):
        frame = material.tables["planning"]
        shown = [
            TableBlock(planning(frame, labels, term=term)) for term in ASKED if term in set(frame["term"])
        ]
        blocks += shown[:1]
        if shown[1:]:
            blocks.append(Details("Other questions to the plan", tuple(shown[1:])))
    return Section("planning", "Planning the next wave", tuple(blocks))


def _rests_on(material: Material) -> list[Block]:
    """Say what the plan rests on, where that is invented."""
    planned = material.presentation.planning
    evidence = (
        material.labels.evidence([planned.reference], about=("items", "organisation")) if planned else ()
    )
    wave = material.presentation.waves.get(planned.reference) if planned else None
    if wave is None or wave.evidence.value == "observed":
        return []
    warning = say(
        "{evidence} A plan is worth no more than the data that it rests on.", evidence=" ".join(evidence)
    )
    return [Paragraph(warning, "note")]
