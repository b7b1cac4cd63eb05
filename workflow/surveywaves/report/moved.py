"""What moved: all scales side by side, every contrast, statement by statement; and what a wave to come can detect.

What moved: all scales side by side, estimated means, every contrast, statement by statement, and the models.

What a wave to come can detect.

Whether the answer depends on a choice of analysis.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pandas as pd
from markupsafe import Markup

from surveywaves import tables
from surveywaves.report.answer import STATEMENTS, SURE, Place, counted, estimated, item_by_item
from surveywaves.report.material import (
    FRAMEWORK,
    Block,
    Bullets,
    Details,
    Grid,
    Material,
    Paragraph,
    Part,
    Section,
    TableBlock,
    main_analysis,
    say,
    several,
)
from surveywaves.study.models import Comparability, Evidence
from surveywaves.tables import CONTRASTS, Cell, Column, Table, estimate_cell
from surveywaves.tables.estimates import (
    ASKED,
    PERCENT,
    SIGNS,
    STANDARDISED,
    agreement,
    base_term,
    components,
    planning,
    sensitivity,
)
from surveywaves.tidy import Status
from surveywaves.words import (
    as_float,
    is_missing,
    listed,
    records,
)

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
