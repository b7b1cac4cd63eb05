"""What people answered, statement by statement, as published tables have it."""

from __future__ import annotations

from itertools import groupby
from typing import TypeAlias

from markupsafe import Markup

from surveywaves.figures.names import WITHOUT_SCALE
from surveywaves.report.blocks import Block, Details, Grid, Paragraph, Part, Section, TableBlock
from surveywaves.report.material import Material
from surveywaves.report.say import say
from surveywaves.study.models import Item
from surveywaves.tables import Place, favourable, misprint_notes
from surveywaves.tables import answers as answers_table

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
