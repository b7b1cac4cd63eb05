"""Who answered, what they answered, and how well the scales measure."""

from __future__ import annotations

from markupsafe import Markup

from surveywaves.catalogue import batteries, item_groups
from surveywaves.report.answer import low_reliability, returns
from surveywaves.report.material import (
    Block,
    Bullets,
    Details,
    Grid,
    Material,
    Paragraph,
    Part,
    level,
    say,
)
from surveywaves.report.moved import invented_together
from surveywaves.study.models import Item
from surveywaves.terms import WITHOUT_SCALE
from surveywaves.words import OUTSIDE


def respondents(material: Material) -> list[Block]:
    """Describe those who answered."""
    blocks: list[Block] = []
    if material.has("response_rates"):
        said = Bullets(tuple(returns(material)))
        blocks.append(Part("Returns and response rates", (said, *material.at("respondents/returns"))))
    blocks += [
        Part(material.labels.variable(variable), tuple(shown))
        for variable in ("organisation", *material.presentation.variables)
        if (shown := material.at(f"respondents/{variable}"))
    ]
    if shown := material.at("respondents/missing"):
        words = say(
            "A return that stops before the end leaves the later sections unanswered. For each section: "
            "answers that are missing, in % of those asked for."
        )
        blocks.append(Part("Breaking off and missing answers", (Paragraph(words), *shown)))
    return blocks


def answers(material: Material) -> list[Block]:
    """Show the answers to every statement, a scale at a time, the waves side by side."""
    if not material.has("item_frequencies"):
        return []
    opening = say(
        "One table a scale, in the layout of published tables: statements as worded, before any reverse "
        "keying, all organisations together. The percentages are of those who answered the statement."
    )
    scales = [_scale(material, group) for group in item_groups(material.presentation)]
    return [Paragraph(opening), *material.at("answers"), *scales]


def _scale(material: Material, group: str) -> Part:
    """Show a scale's answers: of everybody, and on demand organisation by organisation."""
    known = batteries(material.presentation)
    scale = None if group == WITHOUT_SCALE else group
    mine = {name: items for name, items in known.items() if items[0].scale == scale}
    title = OUTSIDE if scale is None else material.labels.scale(scale)
    blocks = _about(material, group, [item for items in mine.values() for item in items])
    apart: list[Block] = []
    for battery in mine:
        blocks += material.at(f"answers/{battery}")
        apart += material.at(f"answers/{battery}/by_organisation")
    return Part(title, (*blocks, *([Details("By organisation", tuple(apart))] if apart else [])))


def _about(material: Material, scale: str, items: list[Item]) -> list[Block]:
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


def measurement(material: Material) -> list[Block]:
    """Show how well the statements of each scale go together, and whether they work alike in every group."""
    parts = [*_together(material), *_structure(material), *_alike(material)]
    return [*invented_together(material), *parts] if parts else []


def _together(material: Material) -> list[Block]:
    shown = material.at("measurement/together")
    if not shown:
        return []
    opening = say(
        "Cronbach's alpha says how much of the variance of a scale's sum its statements share; after "
        "reverse keying, on respondents who answered every statement of the scale. The {confidence} "
        "interval is a studentised bootstrap's, which asks nothing of how answers are distributed. Beside it stand "
        "omega, alpha of what lies under the ordered answers, and how many "
        "scored lowest and highest.",
        confidence=material.numbers.study("confidence", level),
    )
    apart = tuple(
        say("{scale}: low reliability.", scale=material.labels.scale(scale))
        for scale in low_reliability(material)
    )
    blocks: list[Block] = [Paragraph(opening), *([Bullets(apart)] if apart else []), *shown]
    return [Part("Do the statements of a scale go together?", tuple(blocks))]


def _structure(material: Material) -> list[Block]:
    shown = material.at("measurement/structure")
    if not shown:
        return []
    words = say(
        "A scale measures one thing if one factor accounts for the correlations of its statements (CFI near one, "
        "RMSEA and SRMR near zero), and another thing than the next scale if the interval of the correlation of "
        "their factors stays well below one."
    )
    return [Part("Does each scale measure one thing, and a thing of its own?", (Paragraph(words), *shown))]


def _alike(material: Material) -> list[Block]:
    # The figure takes a page of its own on paper; its tables go on where the words stand.
    shown = sorted(material.at("measurement/alike"), key=lambda block: block.kind == "figure")
    if not shown:
        return []
    words = say(
        "A statement works alike if people of different waves or organisations who stand alike on the scale answer it "
        "alike (no differential item functioning). Otherwise a difference between groups may lie in the words and not "
        "in what they ask about."
    )
    return [Part("Do the statements work alike in every group?", (Paragraph(words), *shown))]
