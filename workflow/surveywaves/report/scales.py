"""What was measured and compared: reliability of the scales, estimated means, contrasts."""

from __future__ import annotations

import pandas as pd

from surveywaves import tables
from surveywaves.report.blocks import Block, Bullets, Details, Paragraph, Part, Section, TableBlock
from surveywaves.report.figures import main_analysis
from surveywaves.report.material import Material
from surveywaves.report.say import level, say
from surveywaves.study.models import Comparability, Evidence
from surveywaves.tables.decisions import base_term
from surveywaves.tables.estimates import PERCENT, STANDARDISED
from surveywaves.tables.models import components
from surveywaves.tables.words import listed
from surveywaves.tidy import ALL

MODELS = {
    "variances": "The models: who is in them, and how answers vary",
    "diagnostics": "The models: residuals, and what single respondents weigh",
}
"""Tables about models as a whole, and their titles."""


def reliability(material: Material) -> Section | None:
    """Show how well the items of each scale go together."""
    if not material.has("reliability"):
        return None
    frame, labels = material.tables["reliability"], material.labels
    opening = say(
        "Cronbach's alpha says how much of the variance of a scale's sum its statements share; after "
        "reverse keying, on respondents who answered every statement of the scale. The {confidence} "
        "interval is Feldt's. For a scale of two statements the Spearman-Brown coefficient stands in a "
        "note.",
        confidence=material.numbers.study("confidence", level),
    )
    blocks: list[Block] = [
        Paragraph(opening),
        *invented_together(material),
        *material.figure("reliability"),
        TableBlock(tables.reliability(frame, labels)),
    ]
    present = set(frame["organisation"])
    apart = [name for name in labels.organisation_order if name != ALL and name in present]
    if apart:
        inside = tuple(TableBlock(tables.reliability(frame, labels, organisation=name)) for name in apart)
        blocks.append(Details("Reliability by organisation", inside))
    if frame["item"].ne("").any():
        table = tables.reliability_items(frame, labels)
        blocks.append(Details(table.title, (TableBlock(table),)))
    return Section("reliability", "How well the scales hold together", tuple(blocks))


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


def comparisons(material: Material) -> Section | None:
    """Show the estimated means, their contrasts, and the models behind them."""
    if not material.has("means") and not material.has("contrasts"):
        return None
    blocks: list[Block] = [*invented_together(material), *material.figure("scale_profile")]
    if material.has("means"):
        blocks.append(Part("Estimated means", tuple(_means(material, material.tables["means"]))))
    if material.has("contrasts"):
        blocks.append(Part("Contrasts", tuple(_contrasts(material, material.tables["contrasts"]))))
    if material.has("item_contrasts"):
        frame = material.tables["item_contrasts"]
        blocks.append(Part("Statement by statement", tuple(_items(material, frame))))
    for name, title in MODELS.items():
        blocks += _of_models(material, name, title)
    return Section("comparisons", "Change over time and gaps between organisations", tuple(blocks))


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


def _means(material: Material, frame: pd.DataFrame) -> list[Block]:
    """Show the means of the main model, and the shares of favourable answers of the other; its own means on demand."""
    main = main_analysis(frame)
    first: list[Block] = [*material.figure("means_over_waves")]
    then: list[Block] = []
    for analysis, term in _kinds(frame):
        block = TableBlock(tables.means(frame, material.labels, analysis=analysis, term=term))
        (first if analysis == main or term.endswith(PERCENT) else then).append(block)
    return [*first, Details("Means on the latent scale of the ordinal model", tuple(then))] if then else first


def _contrasts(material: Material, frame: pd.DataFrame) -> list[Block]:
    """Show the contrasts of the main model; on demand the other's, as shares of favourable answers and as log odds."""
    words = say(
        "A <strong>change</strong> is the later wave less the earlier; a <strong>gap</strong> the "
        "first-named organisation less the second; a <strong>difference in differences</strong> the change "
        "of the first-named less that of the second. Adjusted p: for the number of scales tested in the "
        "same contrast. Where a cell of the design is empty, what depends on it is not estimable, and the "
        "note says why."
    )
    main = main_analysis(frame)
    first: list[Block] = [Paragraph(words), *material.figure("contrasts")]
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
    """Show every statement's contrasts on demand."""
    words = say(
        "Each statement by itself, by the ordinal model without a respondent effect: log odds ratios, and differences "
        "in the percentage of favourable answers. Adjusted p: for the number of statements tested in the same "
        "contrast."
    )
    reworded = [
        say("{note} ‘{statement}’", note=note, statement=material.labels.item(item))
        for item in dict.fromkeys(frame["item"])
        for wave, about in material.presentation.waves.items()
        if about.comparability.get(item) == Comparability.REWORDED
        if (note := material.labels.comparability_note(wave, item))
    ]
    inside: dict[str, list[Block]] = {}
    for analysis, term in _kinds(frame):
        title = tables.CONTRASTS.get(base_term(term), material.labels.plain(term))
        table = tables.contrasts(frame, material.labels, analysis=analysis, term=term)
        inside.setdefault(title, []).append(TableBlock(table))
    notes: list[Block] = [Bullets(tuple(reworded))] if reworded else []
    return [Paragraph(words), *notes, *(Details(title, tuple(blocks)) for title, blocks in inside.items())]


def _kinds(frame: pd.DataFrame) -> list[tuple[str, str]]:
    """List analyses and terms: the analyses in their order, the terms in that of the contrasts."""
    order = list(tables.CONTRASTS)
    found = dict.fromkeys(zip(frame["analysis"], frame["term"], strict=True))
    analyses = list(dict.fromkeys(frame["analysis"]))

    def place(kind: tuple[str, str]) -> tuple[int, int]:
        base = base_term(kind[1])
        return analyses.index(kind[0]), order.index(base) if base in order else len(order)

    return sorted(found, key=place)
