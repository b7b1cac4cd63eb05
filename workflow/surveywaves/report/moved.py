"""What moved: all scales side by side, every contrast, statement by statement; and what a wave to come can detect."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
from markupsafe import Markup

from surveywaves.catalogue import QUESTIONS
from surveywaves.report.answer import STATEMENTS, SURE, counted, estimated
from surveywaves.report.material import (
    Block,
    Bullets,
    Details,
    Grid,
    Material,
    Paragraph,
    Part,
    say,
    several,
)
from surveywaves.tables.estimates import (
    CONTRASTS,
    MEASURED_IN,
    STANDARDISED,
    UNITS,
    main_analysis,
    term_in,
)
from surveywaves.terms import FAVOURABLE, PERCENT_FAVOURABLE, Comparability, Evidence
from surveywaves.text import listed


def moved(material: Material) -> list[Block]:
    """Show the estimated means, their contrasts, and the models behind them."""
    if not material.has("means") and not material.has("contrasts"):
        return []
    blocks: list[Block] = [*invented_together(material)]
    if shown := material.at("moved/overview"):
        legend = (Paragraph(_glance(material)),) if material.has("contrasts") else ()
        blocks.append(Part("All scales at a glance", (*legend, *shown)))
    if material.has("means"):
        blocks.append(Part("Estimated means", tuple(_means(material))))
    if material.has("contrasts"):
        blocks.append(Part("Contrasts", tuple(_contrasts(material))))
    if material.has("item_contrasts"):
        frame = material.tables["item_contrasts"]
        blocks.append(Part("Statement by statement", tuple(_items(material, frame))))
    if shown := material.at("moved/models"):
        blocks.append(Part("The models", tuple(shown)))
    return blocks


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


# --- means, contrasts, statements -------------------------------------------------------------------------------


def _glance(material: Material) -> Markup:
    return say(
        "In the tables, each estimate is a difference in {unit}, with the adjusted p that decides. "
        "▲ and ▼: significantly above or below zero; ○: significantly smaller than the smallest effect of interest; "
        "?: <strong>inconclusive</strong>, neither.",
        unit=MEASURED_IN[main_analysis(material.tables["contrasts"])],
    )


def _means(material: Material) -> Iterator[Block]:
    """Show the shares of favourable answers, and the linear model's means; the other model's on demand."""
    yield from material.at("moved/favourable")
    yield from material.at("moved/means/percent_favourable")
    yield from material.at("moved/means")
    yield from material.at("moved/means/linear")
    if latent := material.at("moved/means/ordinal"):
        yield Details("Means on the latent scale of the ordinal model", tuple(latent))


def _contrasts(material: Material) -> Iterator[Block]:
    """Show the contrasts of favourable answers; on demand those of the models."""
    words = say(
        "A <strong>change</strong> is the later wave less the earlier; a <strong>gap</strong> the "
        "first-named organisation less the second; a <strong>difference in differences</strong> the change "
        "of the first-named less that of the second. Adjusted p: for the number of scales tested in the "
        "same contrast. Where a cell of the design is empty, what depends on it is not estimable, and the "
        "table says why."
    )
    yield Paragraph(words)
    yield from material.at("moved/contrasts")
    first = True
    for analysis, in_words in MEASURED_IN.items():
        unit = PERCENT_FAVOURABLE if analysis == FAVOURABLE else analysis
        shown = material.at(f"moved/contrasts/{unit}")
        if shown and first:
            yield from shown
            first = False
        elif shown:
            yield Details(f"The same in {in_words}", tuple(shown))


def _items(material: Material, frame: pd.DataFrame) -> list[Block]:
    """Count what every statement's contrasts came to, and show them on demand."""
    words = say(
        "Each statement by itself: differences in the percentage of favourable answers, and log odds ratios by the "
        "ordinal model without a respondent effect. Adjusted p: for the number of statements tested in the same "
        "contrast."
    )
    shown = frame[frame["analysis"] == FAVOURABLE]
    said = [
        counted(material, STATEMENTS, place, analysis=FAVOURABLE, term=term)
        for term in (term_in(FAVOURABLE, kind) for kind in CONTRASTS)
        for place in estimated(shown[shown["term"] == term])
    ]
    reworded = [
        say("{note} ‘{statement}’", note=note, statement=material.labels.wording(item))
        for item in dict.fromkeys(frame["item"])
        for wave, about in material.presentation.waves.items()
        if about.comparability.get(item) == Comparability.REWORDED
        if (note := material.labels.comparability_note(wave, item))
    ]
    inside = {title: material.at(f"moved/items/{term}") for term, title in CONTRASTS.items()}
    lists: list[Block] = [Bullets(tuple(points)) for points in (said, reworded) if points]
    folded = [Details(title, tuple(blocks)) for title, blocks in inside.items() if blocks]
    return [Paragraph(words), *lists, *folded]


# --- frameworks -------------------------------------------------------------------------------------------------


def frameworks(material: Material) -> list[Block]:
    """Show the scales under what the study's frameworks say that they speak to."""
    parts: list[Block] = []
    for name, title in material.presentation.frameworks.items():
        groups = _groups(material, name)
        figure = material.at(f"frameworks/{name}")
        if groups and figure:
            grid = Grid(
                tuple((group, (say("{scales}", scales=listed(scales)),)) for group, scales in groups.items())
            )
            parts.append(Part(title, (grid, *figure)))
    if not parts:
        return []
    opening = say(
        "The scales again, each under what it speaks to in the literature that the study follows: the percentage of "
        "favourable answers, wave by wave. A scale that speaks to several stands under each of them."
    )
    return [Paragraph(opening), *parts]


def _groups(material: Material, framework: str) -> dict[str, list[str]]:
    """List what a framework is made of, in the order of the scales, and the scales that speak to it."""
    found: dict[str, list[str]] = {}
    for scale in material.presentation.scales.values():
        for group in filter(None, scale.frameworks.get(framework, "").split("; ")):
            found.setdefault(group, []).append(scale.title)
    return found


def outlook(material: Material) -> list[Block]:
    """Show what the planned wave can detect, by its number of returns."""
    planned = material.presentation.planning
    figure, tables = material.at("planning"), [material.at(f"planning/{question}") for question in QUESTIONS]
    first, *others = [shown for shown in tables if shown] or [[]]
    if planned is None or not (figure or first):
        return []
    labels = material.labels
    words = say(
        "What {planned} can tell from {reference}, by how many return the questionnaire: worked out from "
        "{reference} alone, for respondents who divide and answer as there.",
        planned=planned.title,
        reference=labels.wave(planned.reference),
    )
    more = tuple(block for shown in others for block in shown)
    on_demand = [Details("Other questions to the plan", more)] if more else []
    return [Paragraph(words), *_rests_on(material), *figure, *first, *on_demand]


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


def robustness(material: Material) -> list[Block]:
    """Show every contrast again, analysed otherwise, and how many ways come to the same decision."""
    alike, variants = material.at("robustness/agreement"), material.at("robustness/variants")
    figures = material.at("robustness/scales")
    if not (alike or variants or figures):
        return []
    words = say(
        "Each contrast again, analysed otherwise, one choice at a time: another model, other respondents, other "
        "weights. What a decision is worth shows in how many of these ways come to it."
    )
    blocks: list[Block] = [Paragraph(words)]
    if material.has("agreement"):
        blocks.append(Bullets(_counted(material)))
    blocks += alike
    for title, shown in (("in numbers", variants), ("scale by scale", figures)):
        if shown:
            blocks.append(Details(f"Every way to analyse, {title}", tuple(shown)))
    return blocks


def _counted(material: Material) -> tuple[Markup, ...]:
    """Count the headline's decisions about scales: those that stand in every way, and the others."""
    numbers = material.numbers
    metric = main_analysis(material.tables["agreement"])
    unit = MEASURED_IN[metric] if metric == FAVOURABLE else UNITS[STANDARDISED][1]
    said = []
    for kind, decisions in (("other than inconclusive", SURE), ("inconclusive", ["inconclusive"])):
        told = numbers.count("agreement", analysis=metric, decision=decisions)
        if told.value:
            alike = {"agreeing=": "variants"}
            same = numbers.count("agreement", analysis=metric, decision=decisions, **alike)
            said.append(
                say(
                    "<strong>Decisions {kind}</strong>, in {unit}: {told}, of which {same} the same in every way "
                    "that could be tried.",
                    kind=kind,
                    unit=unit,
                    told=told,
                    same=several(same, "is", "are"),
                )
            )
    return tuple(said)
