"""Who answered, what they answered, and how well the scales measure.

Who answered: returns, response rates, roles and professions, and where people broke off.

What people answered, statement by statement, as published tables have it.

How well the scales measure: whether their statements go together, and mean the same in every group.
"""

from __future__ import annotations

from itertools import groupby
from typing import TypeAlias

from markupsafe import Markup

from surveywaves import tables
from surveywaves.catalogue import WITHOUT_SCALE
from surveywaves.report.answer import item_by_item, returns
from surveywaves.report.material import (
    Block,
    Bullets,
    Details,
    Grid,
    Material,
    Paragraph,
    Part,
    Section,
    TableBlock,
    level,
    say,
)
from surveywaves.report.moved import invented_together
from surveywaves.study.models import Item
from surveywaves.tables import Place, favourable, misprint_notes
from surveywaves.tables import answers as answers_table
from surveywaves.tables.measures import dif, scale_use
from surveywaves.tables.respondents import levels, missing
from surveywaves.tidy import ALL


def respondents(material: Material) -> Section | None:
    """Describe those who answered."""
    blocks: list[Block] = []
    if material.has("response_rates"):
        figure = material.figure("response")
        blocks.append(Part("Returns and response rates", (Bullets(tuple(returns(material))), *figure)))
    if material.has("respondents"):
        present = set(material.tables["respondents"]["variable"])
        blocks += [
            _variable(material, name)
            for name in ("organisation", *material.presentation.variables)
            if name in present
        ]
    if material.has("missing"):
        words = say(
            "A return that stops before the end leaves the later sections unanswered. For each section: "
            "answers that are missing, in % of those asked for."
        )
        blocks.append(
            Part(
                "Breaking off and missing answers",
                (
                    Paragraph(words),
                    *material.figure("break_off"),
                    TableBlock(
                        missing(
                            material.tables["missing"],
                            material.labels,
                            frequencies=material.tables.get("item_frequencies"),
                        )
                    ),
                ),
            )
        )
    return Section("respondents", "Who answered", tuple(blocks)) if blocks else None


def _variable(material: Material, variable: str) -> Part:
    frame = material.tables["respondents"]
    frame = frame[frame["variable"] == variable]
    label = material.labels.variable(variable)
    blocks: list[Block] = [
        *material.figure(f"respondents_{variable}"),
        TableBlock(levels(frame, material.labels, variable=variable)),
    ]
    if (
        set(material.labels.organisation_order[1:]) & set(frame["organisation"])
        and variable != "organisation"
    ):
        table = levels(frame, material.labels, variable=variable, by_organisation=True)
        blocks.append(Details(table.title, (TableBlock(table),)))
    return Part(label, tuple(blocks))


PlaceNotes: TypeAlias = dict[Place, tuple[str, ...]]


def answers(material: Material) -> Section | None:
    """Show the answers to every statement, a scale at a time, the waves side by side."""
    if not material.has("item_frequencies"):
        return None
    notes: PlaceNotes = {}
    if material.published_wave and material.has("published_tables"):
        notes = misprint_notes(
            material.tables["published_tables"],
            material.presentation.items.values(),
            wave=material.published_wave,
        )
    opening = say(
        "One table a scale, in the layout of published tables: statements as worded, before any reverse "
        "keying, all organisations together. The percentages are of those who answered the statement."
    )
    blocks: list[Block] = [Paragraph(opening), *material.figure("heat_map")]
    blocks += [_scale(material, scale, items, notes) for scale, items in material.scales.items()]
    return Section("answers", "Answers to every statement", tuple(blocks))


def _scale(material: Material, scale: str, items: tuple[Item, ...], notes: PlaceNotes) -> Part:
    title = "Statements outside the scales" if scale == WITHOUT_SCALE else material.labels.scale(scale)
    blocks: list[Block] = [*_about(material, scale, items)]
    blocks += material.figure(f"likert_{scale}")
    for number, (_, group) in enumerate(_same_scale(items)):
        blocks.append(
            TableBlock(
                answers_table(
                    material.tables["item_frequencies"],
                    group,
                    material.labels,
                    name=f"answers_{scale}" + (f"_{number}" if number else ""),
                    title=title + _printed_as(group),
                    notes=notes,
                )
            )
        )
    if material.has("item_summary"):
        table = favourable(
            material.tables["item_summary"],
            items,
            material.labels,
            name=f"favourable_{scale}",
            title=f"{title}: favourable answers by organisation",
        )
        inside: tuple[Block, ...] = (*material.figure(f"likert_{scale}_by_organisation"), TableBlock(table))
        blocks.append(Details("By organisation", inside))
    return Part(title, tuple(blocks))


def _same_scale(items: tuple[Item, ...]) -> list[tuple[str, list[Item]]]:
    """Set items with different response scales apart: they cannot share a table's columns."""
    ordered = sorted(items, key=lambda item: [i.response_scale for i in items].index(item.response_scale))
    return [(name, list(group)) for name, group in groupby(ordered, key=lambda item: item.response_scale)]


def _printed_as(items: list[Item]) -> str:
    printed = list(dict.fromkeys(item.published_table for item in items if item.published_table is not None))
    if not printed:
        return ""
    return f" (printed as Table {', '.join(map(str, printed))})"


def _about(material: Material, scale: str, items: tuple[Item, ...]) -> list[Block]:
    words = material.presentation.scales.get(scale)
    if words is None:
        return []
    reversed_items = [item.text for item in items if item.keyed == "-"]
    entries: list[tuple[str, tuple[Markup, ...]]] = []
    if words.source:
        entries.append(("Source", (say("{said}", said=words.source),)))
    entries += [
        (title, tuple(say("{said}", said=said) for said in words.frameworks[name].split("; ")))
        for name, title in material.presentation.frameworks.items()
        if name in words.frameworks
    ]
    if reversed_items:
        quoted = tuple(say("{text}", text=text) for text in reversed_items)
        entries.append(("Agreement counts against the scale", quoted))
    return [Grid(tuple(entries))] if entries else []


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
