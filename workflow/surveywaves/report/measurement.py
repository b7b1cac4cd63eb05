"""How well the scales measure: whether their statements go together, and mean the same in every group."""

from __future__ import annotations

from surveywaves import tables
from surveywaves.report.blocks import Block, Bullets, Details, Paragraph, Part, Section, TableBlock
from surveywaves.report.decided import item_by_item
from surveywaves.report.material import Material
from surveywaves.report.moved import invented_together
from surveywaves.report.say import level, say
from surveywaves.tables.invariance import dif
from surveywaves.tables.measures import scale_use
from surveywaves.tidy import ALL


def measurement(material: Material) -> Section | None:
    """Show how well the statements of each scale go together, and whether they work alike in every group."""
    parts = [*_together(material), *_alike(material)]
    if not parts:
        return None
    return Section("measurement", "How well the scales measure", (*invented_together(material), *parts))


def _together(material: Material) -> list[Block]:
    if not material.has("reliability"):
        return []
    frame, labels = material.tables["reliability"], material.labels
    opening = say(
        "Cronbach's alpha says how much of the variance of a scale's sum its statements share; after "
        "reverse keying, on respondents who answered every statement of the scale. The {confidence} "
        "interval is Feldt's. For a scale of two statements the Spearman-Brown coefficient stands in a "
        "note.",
        confidence=material.numbers.study("confidence", level),
    )
    blocks: list[Block] = [Paragraph(opening)]
    if apart := item_by_item(material):
        scales = [
            say("{scale}: to be compared statement by statement only.", scale=labels.scale(scale))
            for scale in apart
        ]
        blocks.append(Bullets(tuple(scales)))
    blocks += [*material.figure("reliability"), TableBlock(tables.reliability(frame, labels))]
    present = set(frame["organisation"])
    apart_by = [name for name in labels.organisation_order if name != ALL and name in present]
    if apart_by:
        inside = tuple(TableBlock(tables.reliability(frame, labels, organisation=name)) for name in apart_by)
        blocks.append(Details("Reliability by organisation", inside))
    if frame["item"].ne("").any():
        table = tables.reliability_items(frame, labels)
        blocks.append(Details(table.title, (TableBlock(table),)))
    if material.has("scale_use"):
        table = scale_use(material.tables["scale_use"], labels)
        blocks.append(Details(table.title, (TableBlock(table),)))
    return [Part("Do the statements of a scale go together?", tuple(blocks))]


def _alike(material: Material) -> list[Block]:
    figure = material.figure("functioning")
    if not material.has("dif"):
        return [Part("Do the statements work alike in every group?", figure)] if figure else []
    frame, labels = material.tables["dif"], material.labels
    words = say(
        "A statement works alike if people of different waves or organisations who stand alike on the scale answer it "
        "alike (no differential item functioning). Otherwise a difference between groups may lie in the words and not "
        "in what they ask about."
    )
    inside: list[Block] = []
    for between in ("wave", "organisation"):
        if frame[between].ne("").any():
            table = dif(frame, labels, between="wave" if between == "wave" else "organisation")
            inside.append(Details(table.title, (TableBlock(table),)))
    return [Part("Do the statements work alike in every group?", (Paragraph(words), *figure, *inside))]
