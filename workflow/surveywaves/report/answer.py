"""The first page: the answer in words, made from the decisions and never beyond them."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
from markupsafe import Markup

from surveywaves.report.blocks import Block, Bullets, Paragraph, Part, Section
from surveywaves.report.decided import SCALES, absent, at, counted, estimated, item_by_item
from surveywaves.report.figures import main_analysis
from surveywaves.report.front import all_observed
from surveywaves.report.material import Material
from surveywaves.report.say import say, several
from surveywaves.study.models import Evidence
from surveywaves.tables.estimates import CONTRASTS, STANDARDISED
from surveywaves.tables.words import listed, number, records
from surveywaves.tidy import Decision

TITLES = {
    "change": "What changed",
    "gap": "Where organisations differ",
    "difference_in_differences": "Who changed more",
}
"""Kind of contrast -> what it answers."""

MOST = 8
"""Contrasts of a kind that are told on the first page, whatever they came to; of more, those that are not inconclusive
throughout."""

SURE = [decision.value for decision in Decision if decision is not Decision.INCONCLUSIVE]


def answer(material: Material) -> Section | None:
    """Say what moved, where, how sure that is, and what cannot be told: as much as the decisions say, and no more."""
    if not material.has("contrasts"):
        return None
    frame = material.tables["contrasts"]
    analysis = main_analysis(frame)
    kinds = {
        term: rows
        for term in CONTRASTS
        if len(rows := frame[(frame["analysis"] == analysis) & (frame["term"] == term)])
    }
    if not kinds:
        return None
    scales = [scale for scale in dict.fromkeys(frame["scale"]) if scale not in item_by_item(material)]
    parts: list[Block] = [
        Part(TITLES[term], tuple(told))
        for term, rows in kinds.items()
        if (told := list(_told(material, rows[rows["scale"].isin(scales)], analysis=analysis, term=term)))
    ]
    sure = Part("How sure that is", (Bullets(tuple(_sure(material, analysis, scales))),))
    unknown = list(_unknown(material, kinds))
    limits = [Part("What cannot be told", (Bullets(tuple(unknown)),))] if unknown else []
    if not parts:
        parts = [
            Paragraph(say("No scale can be compared as a scale. What moved says what single statements did."))
        ]
    blocks: list[Block] = [*_warning(material), *parts, sure, *limits, *material.figure("gradient")]
    return Section("answer", "The answer in short", tuple(blocks))


def _warning(material: Material) -> list[Block]:
    if all_observed(material.presentation):
        return []
    waves = material.presentation.waves.values()
    kinds = [kind.value for kind in Evidence if any(wave.evidence is kind for wave in waves)]
    if any(wave.evidence is Evidence.OBSERVED for wave in waves):
        return [
            Paragraph(
                say(
                    "<strong>Part of what follows is computed from data that are not real returns.</strong> Each "
                    "sentence that is says so: it shows the form of an answer, and is not one."
                ),
                "note",
            )
        ]
    return [
        Paragraph(
            say(
                "<strong>What follows is computed from {evidence} data.</strong> It shows the form of an answer; it "
                "is not one.",
                evidence=listed(kinds),
            ),
            "note",
        )
    ]


def _told(material: Material, rows: pd.DataFrame, *, analysis: str, term: str) -> Iterator[Block]:
    """Say what each contrast of the scales that are compared as scales came to."""
    found = estimated(rows)
    told = (
        found
        if len(found) <= MOST
        else [place for place in found if at(rows, place)["decision"].isin(SURE).any()]
    )
    if told:
        scales = list(dict.fromkeys(rows["scale"]))
        yield Bullets(
            tuple(counted(material, SCALES, place, analysis=analysis, term=term, of=scales) for place in told)
        )
    if len(told) < len(found):
        words = (
            "In every other comparison every estimate is inconclusive; the tables of what moved have them."
            if told
            else "In every comparison every estimate is inconclusive; the tables of what moved have them."
        )
        yield Paragraph(say(words))


def _sure(material: Material, analysis: str, scales: list[str]) -> Iterator[Markup]:
    """Say how a decision is come to, and how many of them stand whatever way the data are analysed."""
    yield say(
        "A decision is told only if a test is significant at the level {alpha}, adjusted for the number of scales: "
        "<strong>up or down</strong>, surely not zero, how far is not said; <strong>no meaningful change</strong>, "
        "surely smaller than the smallest effect of interest{smallest}.",
        alpha=material.numbers.study("alpha", lambda value: f"{value:.3g}"),
        smallest=smallest_effect(material, analysis),
    )
    yield say("<strong>Inconclusive</strong>: the data do not tell, which is not the same as no difference.")
    if material.has("agreement"):
        numbers = material.numbers
        here = {"scale": scales, "decision": SURE}
        told = numbers.count("agreement", **here)
        if told.value:
            yield say(
                "Of {told} other than inconclusive, {same} the same by every other way to analyse that could be "
                "tried.",
                told=several(told, "decision", "decisions"),
                same=several(numbers.count("agreement", **here, **{"agreeing=": "variants"}), "is", "are"),
            )


def smallest_effect(material: Material, analysis: str) -> Markup:
    """Give the smallest effect of interest as the first standardised contrast has it."""
    frame = material.tables["contrasts"]
    standardised = frame[(frame["analysis"] == analysis) & frame["term"].str.endswith(STANDARDISED)]
    for row in records(standardised[standardised["smallest"].notna()]):
        here = {name: getattr(row, name) for name in ("analysis", "scale", "wave", "organisation", "term")}
        size = material.numbers.cell("contrasts", "smallest", number, **here)
        return say(", {size} standard deviations of one answer", size=size)
    return Markup("")


def _unknown(material: Material, kinds: dict[str, pd.DataFrame]) -> Iterator[Markup]:
    """Say which comparisons there are none of, and what a change may come from."""
    for scale, reason in item_by_item(material).items():
        yield say(
            "<strong>{scale}</strong> is to be compared statement by statement only: {reason}.",
            scale=material.labels.scale(scale),
            reason=material.labels.readable(reason),
        )
    yield from absent(material, pd.concat(kinds.values()), most=MOST)
    if len(material.presentation.waves) > 1:
        yield say(
            "Nobody is followed from wave to wave: a change is a change in the average of whoever answered, and may "
            "come from other people answering."
        )
