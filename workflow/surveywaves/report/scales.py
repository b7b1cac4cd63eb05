"""What was measured and compared: reliability of the scales, estimated means, contrasts."""

from __future__ import annotations

from typing import Any

import pandas as pd

from surveywaves import tables
from surveywaves.report.blocks import Block, Details, Paragraph, Part, Section, TableBlock
from surveywaves.report.material import Material
from surveywaves.report.say import level, say
from surveywaves.study.models import Evidence
from surveywaves.tables import Cell, Column, Table, estimate_cell
from surveywaves.tables.words import as_float, is_missing, listed, records, whole
from surveywaves.tidy import ALL

COMPONENTS = {
    "n_respondents": "respondents",
    "n_items": "statements",
    "sigma2": "variance within respondents",
    "tau2": "variance between respondents",
    "icc": "intraclass correlation",
    "total_sd": "SD of an answer",
    "r2_marginal": "R², fixed effects",
    "r2_conditional": "R², with respondents",
    "reml_loglik": "restricted log-likelihood",
}
"""Terms of the variances in words; others are shown by their names."""


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
        inside: list[Block] = [*material.figure("means_over_waves")]
        inside += [
            TableBlock(tables.means(material.tables["means"], material.labels, analysis=analysis))
            for analysis in dict.fromkeys(material.tables["means"]["analysis"])
        ]
        blocks.append(Part("Estimated means", tuple(inside)))
    if material.has("contrasts"):
        blocks.append(Part("Contrasts", tuple(_contrasts(material, material.tables["contrasts"]))))
    if material.has("variances"):
        table = _variances(material)
        blocks.append(Details(table.title, (TableBlock(table),)))
    return Section("comparisons", "Change over time and gaps between organisations", tuple(blocks))


def _contrasts(material: Material, frame: pd.DataFrame) -> list[Block]:
    words = say(
        "A <strong>change</strong> is the later wave less the earlier; a <strong>gap</strong> the "
        "first-named organisation less the second; a <strong>difference in differences</strong> the change "
        "of the first-named less that of the second. Adjusted p: for the number of scales tested in the "
        "same contrast. Where a cell of the design is empty, what depends on it is not estimable, and the "
        "note says why."
    )
    blocks: list[Block] = [Paragraph(words), *material.figure("contrasts")]
    for analysis in dict.fromkeys(frame["analysis"]):
        terms = dict.fromkeys(frame.loc[frame["analysis"] == analysis, "term"])
        blocks += [
            TableBlock(tables.contrasts(frame, material.labels, analysis=analysis, term=term))
            for term in sorted(
                terms, key=lambda term: list(tables.CONTRASTS).index(term) if term in tables.CONTRASTS else 9
            )
        ]
    return blocks


def _variances(material: Material) -> Table:
    """Lay the models out, a scale a row: who is in them, variances, and how much they explain."""
    frame, labels = material.tables["variances"], material.labels
    found = {(row.analysis, row.scale, row.term): row for row in records(frame)}
    terms = list(dict.fromkeys(frame["term"]))
    rows = [
        (
            Cell(labels.scale(scale)),
            Cell(analysis),
            *(_component(found.get((analysis, scale, term)), material) for term in terms),
        )
        for analysis in dict.fromkeys(frame["analysis"])
        for scale in labels.scales_in(frame[frame["analysis"] == analysis])
    ]
    return Table(
        name="variances",
        title="The models: who is in them, and how answers vary",
        columns=(
            Column("Scale"),
            Column("Model"),
            *(Column(COMPONENTS.get(term, labels.plain(term).lower()), numeric=True) for term in terms),
        ),
        rows=tuple(rows),
        data=labels.with_evidence(frame),
        evidence=labels.evidence(labels.waves_in(frame), about=("items",)),
        heads=2,
    )


def _component(row: Any, material: Material) -> Cell:
    cell = estimate_cell(row, material.labels)
    if row is None or is_missing(row.estimate) or not row.term.startswith("n_"):
        return cell
    return Cell(whole(row.estimate), as_float(row.estimate), cell.notes)
