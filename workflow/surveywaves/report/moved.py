"""What moved: all scales side by side, estimated means, every contrast, statement by statement, and the models."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pandas as pd

from surveywaves import tables
from surveywaves.report.blocks import Block, Bullets, Details, Grid, Paragraph, Part, Section, TableBlock
from surveywaves.report.decided import STATEMENTS, Place, counted, estimated
from surveywaves.report.figures import FRAMEWORK, main_analysis
from surveywaves.report.material import Material
from surveywaves.report.say import say
from surveywaves.study.models import Comparability, Evidence
from surveywaves.tables import CONTRASTS, Cell, Column, Table, estimate_cell
from surveywaves.tables.decisions import SIGNS, base_term
from surveywaves.tables.estimates import PERCENT, STANDARDISED
from surveywaves.tables.models import components
from surveywaves.tables.words import as_float, is_missing, listed, records
from surveywaves.tidy import Status

MODELS = {
    "variances": "The models: who is in them, and how answers vary",
    "diagnostics": "The models: residuals, and what single respondents weigh",
}
"""Tables about models as a whole, and their titles."""


def moved(material: Material) -> Section | None:
    """Show the estimated means, their contrasts, and the models behind them."""
    if not material.has("means") and not material.has("contrasts"):
        return None
    blocks: list[Block] = [*invented_together(material)]
    if material.has("contrasts"):
        blocks.append(Part("All scales at a glance", tuple(_at_a_glance(material))))
    if material.has("means"):
        blocks.append(Part("Estimated means", tuple(_means(material, material.tables["means"]))))
    if material.has("contrasts"):
        blocks.append(Part("Contrasts", tuple(_contrasts(material, material.tables["contrasts"]))))
    if material.has("item_contrasts"):
        frame = material.tables["item_contrasts"]
        blocks.append(Part("Statement by statement", tuple(_items(material, frame))))
    inside = [block for name, title in MODELS.items() for block in _of_models(material, name, title)]
    if inside:
        blocks.append(Part("The models", tuple(inside)))
    return Section("moved", "What moved", tuple(blocks))


def invented_together(material: Material) -> list[Block]:
    """Warn where what follows rests on answers of one person that were invented together."""
    kind = Evidence.RECONSTRUCTED
    titles = [wave.title for wave in material.presentation.waves.values() if wave.evidence is kind]
    if not titles:
        return []
    warning = say(
        "<strong>{waves}: {kind}.</strong> {meaning} What follows rests on that.",
        waves=listed(titles),
        kind=kind.value,
        meaning=kind.meaning,
    )
    return [Paragraph(warning, "note")]


# --- at a glance ------------------------------------------------------------------------------------------------


def _at_a_glance(material: Material) -> Iterator[Block]:
    """Show every estimate behind the sign of its decision, a table a kind of contrast."""
    yield Paragraph(
        say(
            "Each estimate is a difference between mean answers on the response scale. ▲ and ▼: surely above or "
            "below zero; ○: surely smaller than the smallest effect of interest; ?: <strong>inconclusive</strong>."
        )
    )
    yield from material.figure("scale_profile")
    frame = material.tables["contrasts"]
    analysis = main_analysis(frame)
    for term in CONTRASTS:
        rows = frame[(frame["analysis"] == analysis) & (frame["term"] == term)]
        if shown := estimated(rows):
            yield TableBlock(_overview(material, rows, shown, analysis, term))


def _overview(material: Material, rows: pd.DataFrame, shown: list[Place], analysis: str, term: str) -> Table:
    labels = material.labels
    found = {(row.scale, row.wave, row.organisation): row for row in records(rows)}
    columns = [Column("Scale")] + [
        Column(labels.organisation(organisation), labels.wave(wave), numeric=True)
        for wave, organisation in shown
    ]
    cells = tuple(
        (
            Cell(labels.scale(scale)),
            *(_glance(found.get((scale, *place)), material) for place in shown),
        )
        for scale in labels.scales_in(rows)
    )
    return Table(
        name=f"overview_{term}_{analysis}",
        title=f"{labels.plain(term)}: all scales at a glance",
        columns=tuple(columns),
        rows=cells,
        data=labels.with_evidence(rows),
        evidence=labels.evidence(labels.waves_in(rows), about=("items", "organisation")),
    )


def _glance(row: Any, material: Material) -> Cell:
    """Print an estimate behind the sign of its decision; or why there is none."""
    cell = estimate_cell(row, material.labels, signed=True)
    if row is None or is_missing(row.estimate):
        return cell
    sign, tone = SIGNS.get(row.decision, ("", ""))
    return Cell(f"{sign} {cell.text}".strip(), as_float(row.estimate), cell.notes, tone or cell.tone)


# --- means, contrasts, statements -------------------------------------------------------------------------------


def _means(material: Material, frame: pd.DataFrame) -> list[Block]:
    """Show the means of the main model, and the shares of favourable answers of the other; its own means on demand."""
    main = main_analysis(frame)
    means: list[Block] = [*material.figure("means_over_waves"), *material.figure("comparator")]
    shares: list[Block] = [*material.figure("favourable")]
    then: list[Block] = []
    for analysis, term in _kinds(frame):
        block = TableBlock(tables.means(frame, material.labels, analysis=analysis, term=term))
        (means if analysis == main else shares if term.endswith(PERCENT) else then).append(block)
    more = [Details("Means on the latent scale of the ordinal model", tuple(then))] if then else []
    return [*means, *shares, *more]


def _contrasts(material: Material, frame: pd.DataFrame) -> list[Block]:
    """Show the contrasts of the main model; on demand the other's, as shares of favourable answers and as log odds."""
    words = say(
        "A <strong>change</strong> is the later wave less the earlier; a <strong>gap</strong> the "
        "first-named organisation less the second; a <strong>difference in differences</strong> the change "
        "of the first-named less that of the second. Adjusted p: for the number of scales tested in the "
        "same contrast. Where a cell of the design is empty, what depends on it is not estimable, and the "
        "table says why."
    )
    main = main_analysis(frame)
    first: list[Block] = [
        Paragraph(words),
        *material.figure("contrasts"),
        *material.figure("differences_in_change"),
    ]
    others: dict[str, list[Block]] = {}
    for analysis, term in _kinds(frame):
        if term.endswith(STANDARDISED):  # beside the estimate in the table of its own term
            continue
        block = TableBlock(tables.contrasts(frame, material.labels, analysis=analysis, term=term))
        if analysis == main:
            first.append(block)
        else:
            unit = "favourable answers" if term.endswith(PERCENT) else "log odds"
            others.setdefault(f"The same by the {analysis} model: {unit}", []).append(block)
    return [*first, *(Details(title, tuple(inside)) for title, inside in sorted(others.items()))]


def _items(material: Material, frame: pd.DataFrame) -> list[Block]:
    """Count what every statement's contrasts came to, and show them on demand."""
    words = say(
        "Each statement by itself, by the ordinal model without a respondent effect: log odds ratios, and differences "
        "in the percentage of favourable answers. Adjusted p: for the number of statements tested in the same "
        "contrast."
    )
    analysis = main_analysis(frame)
    said = [
        counted(material, STATEMENTS, place, analysis=analysis, term=term)
        for term in CONTRASTS
        for place in estimated(frame[(frame["analysis"] == analysis) & (frame["term"] == term)])
    ]
    reworded = [
        say("{note} ‘{statement}’", note=note, statement=material.labels.item(item))
        for item in dict.fromkeys(frame["item"])
        for wave, about in material.presentation.waves.items()
        if about.comparability.get(item) == Comparability.REWORDED
        if (note := material.labels.comparability_note(wave, item))
    ]
    inside: dict[str, list[Block]] = {}
    for of, term in _kinds(frame):
        title = tables.CONTRASTS.get(base_term(term), material.labels.plain(term))
        inside.setdefault(title, []).append(TableBlock(_listed(material, frame, analysis=of, term=term)))
    lists: list[Block] = [Bullets(tuple(points)) for points in (said, reworded) if points]
    return [Paragraph(words), *lists, *(Details(title, tuple(blocks)) for title, blocks in inside.items())]


def _listed(material: Material, frame: pd.DataFrame, *, analysis: str, term: str) -> Table:
    """List the contrasts of statements that are estimated or withheld; why the others are not stands in the data."""
    there = frame["estimate"].notna() | (frame["status"] == Status.WITHHELD)
    full, shown = (
        tables.contrasts(rows, material.labels, analysis=analysis, term=term)
        for rows in (frame, frame[there])
    )
    if len(shown.rows) == len(full.rows):
        return full
    left = "Contrasts that cannot be estimated are left out; the data say why of each."
    return replace(shown, data=full.data, about=f"{shown.about} {left}".strip())


def _of_models(material: Material, name: str, title: str) -> list[Block]:
    """Show on demand what is known of the models, a table an analysis."""
    if not material.has(name):
        return []
    frame, labels = material.tables[name], material.labels
    inside = tuple(
        TableBlock(components(frame, labels, analysis=analysis, name=f"{name}_{analysis}", title=title))
        for analysis in dict.fromkeys(frame["analysis"])
    )
    return [Details(title, inside)]


def _kinds(frame: pd.DataFrame) -> list[tuple[str, str]]:
    """List analyses and terms: the analyses in their order, the terms in that of the contrasts."""
    order = list(tables.CONTRASTS)
    found = dict.fromkeys(zip(frame["analysis"], frame["term"], strict=True))
    analyses = list(dict.fromkeys(frame["analysis"]))

    def place(kind: tuple[str, str]) -> tuple[int, int]:
        base = base_term(kind[1])
        return analyses.index(kind[0]), order.index(base) if base in order else len(order)

    return sorted(found, key=place)


# --- frameworks -------------------------------------------------------------------------------------------------


def frameworks(material: Material) -> Section | None:
    """Show the scales under what the study's frameworks say that they speak to."""
    parts = []
    for name, title in material.presentation.frameworks.items():
        groups = _groups(material, name)
        figure = material.figure(f"{FRAMEWORK}{name}")
        if groups and figure:
            grid = Grid(
                tuple((group, (say("{scales}", scales=listed(scales)),)) for group, scales in groups.items())
            )
            parts.append(Part(title, (grid, *figure)))
    if not parts:
        return None
    opening = say(
        "The scales again, each under what it speaks to in the literature that the study follows: the percentage of "
        "favourable answers, wave by wave. A scale that speaks to several stands under each of them."
    )
    return Section("frameworks", "What the scales speak to", (Paragraph(opening), *parts))


def _groups(material: Material, framework: str) -> dict[str, list[str]]:
    """List what a framework is made of, in the order of the scales, and the scales that speak to it."""
    found: dict[str, list[str]] = {}
    for scale in material.presentation.scales.values():
        for group in filter(None, scale.frameworks.get(framework, "").split("; ")):
            found.setdefault(group, []).append(scale.title)
    return found
