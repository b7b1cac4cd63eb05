"""What moved: what every contrast came to, in a sentence, and all scales side by side."""

from __future__ import annotations

from typing import Any

import pandas as pd
from markupsafe import Markup

from surveywaves.report.blocks import Block, Bullets, Paragraph, Part, Section, TableBlock
from surveywaves.report.figures import main_analysis
from surveywaves.report.front import all_observed
from surveywaves.report.material import Material
from surveywaves.report.say import Where, say, several
from surveywaves.study.models import Evidence
from surveywaves.tables import CONTRASTS, Cell, Column, Table, estimate_cell
from surveywaves.tables.decisions import SIGNS, decision_words
from surveywaves.tables.estimates import STANDARDISED
from surveywaves.tables.labels import BETWEEN
from surveywaves.tables.words import as_float, is_missing, listed, number, records
from surveywaves.tidy import Decision

ITEMS_ONLY = "items_only"
"""The use of a scale that should not be compared as one (see `surveywaves.reliability.usage`)."""

FIRST = "first "
"""How the words of a decision begin that speaks of the first-named organisation."""


def answer(material: Material) -> Section | None:
    """Say what moved, where, and what cannot be told: as much as the decisions say, and no more."""
    if not material.has("contrasts"):
        return None
    frame = material.tables["contrasts"]
    analysis = main_analysis(frame)
    parts = [
        Part(title, tuple(_moved(material, part, analysis, term)))
        for term, title in CONTRASTS.items()
        if len(part := frame[(frame["analysis"] == analysis) & (frame["term"] == term)])
    ]
    if not parts:
        return None
    by_item = _statements(material)
    return Section("answer", "What moved", (*_reading(material, analysis), *parts, *by_item))


def _reading(material: Material, analysis: str) -> tuple[Block, ...]:
    words = say(
        "Each estimate is a difference between mean answers on the response scale. Two tests decide what it comes to, "
        "at the level {alpha}, adjusted for the number of scales: one against no difference at all, one against the "
        "smallest effect of interest{smallest}. ▲ and ▼: surely above or below zero, how far is not said; ○: surely "
        "smaller than the smallest effect of interest; ?: <strong>inconclusive</strong>, the data do not tell, which "
        "is not the same as no difference.",
        alpha=material.numbers.study("alpha", lambda value: f"{value:.3g}"),
        smallest=_smallest(material, analysis),
    )
    blocks: list[Block] = [Paragraph(words)]
    if apart := _item_by_item(material):
        said = [
            say(
                "<strong>{scale}</strong> is to be compared statement by statement only: {reason}.",
                scale=material.labels.scale(scale),
                reason=material.labels.readable(reason),
            )
            for scale, reason in apart.items()
        ]
        blocks.append(Bullets(tuple(said)))
    if all_observed(material.presentation):
        return tuple(blocks)
    kinds = [
        kind.value
        for kind in Evidence
        if any(w.evidence is kind for w in material.presentation.waves.values())
    ]
    warning = say(
        "<strong>What follows is computed from {evidence} data.</strong> It shows the form of an answer; it is not "
        "one.",
        evidence=listed(kinds),
    )
    return (Paragraph(warning, "note"), *blocks)


def _smallest(material: Material, analysis: str) -> Markup:
    """Give the smallest effect of interest as the first standardised contrast has it."""
    frame = material.tables["contrasts"]
    standardised = frame[(frame["analysis"] == analysis) & frame["term"].str.endswith(STANDARDISED)]
    for row in records(standardised[standardised["smallest"].notna()]):
        here = {name: getattr(row, name) for name in ("analysis", "scale", "wave", "organisation", "term")}
        size = material.numbers.cell("contrasts", "smallest", number, **here)
        return say(", {size} standard deviations of one answer", size=size)
    return Markup("")


def _item_by_item(material: Material) -> dict[str, str]:
    """Give the scales that should not be compared as scales, and why."""
    if not material.has("scale_use"):
        return {}
    rows = records(material.tables["scale_use"])
    return {row.scale: row.reason for row in rows if row.use == ITEMS_ONLY}


def _moved(material: Material, part: pd.DataFrame, analysis: str, term: str) -> list[Block]:
    """Give a sentence for each contrast of a kind, and the estimates of every scale side by side."""
    places = list(dict.fromkeys(zip(part["wave"], part["organisation"], strict=True)))
    estimated = [
        place
        for place in places
        if part.loc[(part["wave"] == place[0]) & (part["organisation"] == place[1]), "estimate"].notna().any()
    ]
    apart = _item_by_item(material)
    scales = [scale for scale in dict.fromkeys(part["scale"]) if scale not in apart]
    sentences = [
        _contrast_sentence(
            material,
            "contrasts",
            {"analysis": analysis, "term": term, "wave": wave, "organisation": organisation, "scale": scales},
        )
        for wave, organisation in (estimated if scales else ())
    ]
    nowhere = [place for place in places if place not in estimated]
    blocks: list[Block] = []
    if nowhere:
        blocks.append(Paragraph(_nowhere(material, part, nowhere)))
    if sentences:
        blocks.insert(0, Bullets(tuple(sentences)))
    if estimated:
        blocks.append(TableBlock(_overview(material, part, estimated, analysis, term)))
    return blocks


def _contrast_sentence(material: Material, table: str, here: dict[str, Where]) -> Markup:
    """Count what a contrast came to; of scales, name them."""
    numbers, labels = material.numbers, material.labels
    wave, organisation, term = (str(here[name]) for name in ("wave", "organisation", "term"))
    first = labels.organisation(organisation.partition(BETWEEN)[0])
    of_scales = table == "contrasts"
    found = []
    for decision in Decision:
        count = numbers.count(table, **here, decision=decision.value)
        if not count.value:
            continue
        words = decision_words(decision.value, term)
        what = (
            say("{who} {words}", who=first, words=words.removeprefix(FIRST))
            if words.startswith(FIRST)
            else say("{words}", words=words)
        )
        rows = numbers.rows(table, **here, decision=decision.value)
        names = listed([labels.scale(scale) for scale in labels.scales_in(rows)]) if of_scales else ""
        named = say(" ({names})", names=names) if names else Markup("")
        found.append(say("{what}: {count}{named}", what=what, count=count, named=named))
    tests = numbers.count(table, **here, **{"conf_low>": float("-inf")})
    return say(
        "<strong>{wave}, {organisation}:</strong> of {tests} estimated, {found}.",
        wave=labels.wave(wave),
        organisation=labels.organisation(organisation),
        tests=several(tests, "scale", "scales") if of_scales else several(tests, "statement", "statements"),
        found=Markup("; ").join(found) if found else "none with a decision",
    )


def _statements(material: Material) -> tuple[Block, ...]:
    """Count what the contrasts of single statements came to."""
    if not material.has("item_contrasts"):
        return ()
    frame = material.tables["item_contrasts"]
    analysis = main_analysis(frame)
    plain = frame[(frame["analysis"] == analysis) & frame["term"].isin(CONTRASTS) & frame["estimate"].notna()]
    places = dict.fromkeys(zip(plain["term"], plain["wave"], plain["organisation"], strict=True))
    said = [
        _contrast_sentence(
            material,
            "item_contrasts",
            {"analysis": analysis, "term": term, "wave": wave, "organisation": organisation},
        )
        for term in CONTRASTS
        for of, wave, organisation in places
        if of == term
    ]
    return (Part("Statement by statement", (Bullets(tuple(said)),)),) if said else ()


def _nowhere(material: Material, part: pd.DataFrame, places: list[tuple[str, str]]) -> Markup:
    """Name the contrasts that no scale has an estimate of, and why."""
    labels = material.labels
    by_wave: dict[str, list[str]] = {}
    for wave, organisation in places:
        by_wave.setdefault(wave, []).append(labels.organisation(organisation))
    which = "; ".join(f"{labels.wave(wave)}: {listed(houses)}" for wave, houses in by_wave.items())
    why = ". ".join(labels.readable(reason) for reason in _reasons(part, places))
    told = say(" Why: {why}.", why=why) if why else Markup("")
    return say("<strong>Not estimable for any scale:</strong> {which}.{told}", which=which, told=told)


def _reasons(part: pd.DataFrame, places: list[tuple[str, str]]) -> list[str]:
    """Give the reasons that hold for every scale: what the notes of a contrast's rows have in common."""
    found: dict[str, dict[str, None]] = {}
    for wave, organisation in places:
        notes = part.loc[(part["wave"] == wave) & (part["organisation"] == organisation), "note"].unique()
        split = [(note.partition(": ")[0], note.partition(": ")[2].split("; ")) for note in notes]
        for reason, cells in split[:1]:
            common = [cell for cell in cells if all(cell in others for _, others in split)]
            found.setdefault(reason, {}).update(dict.fromkeys(common or cells))
    return [": ".join(filter(None, (reason, "; ".join(cells)))) for reason, cells in found.items() if reason]


def _overview(
    material: Material, part: pd.DataFrame, places: list[tuple[str, str]], analysis: str, term: str
) -> Table:
    labels = material.labels
    found = {(row.scale, row.wave, row.organisation): row for row in records(part)}
    columns = [Column("Scale")] + [
        Column(labels.organisation(organisation), labels.wave(wave), numeric=True)
        for wave, organisation in places
    ]
    rows = tuple(
        (
            Cell(labels.scale(scale)),
            *(_glance(found.get((scale, *place)), material) for place in places),
        )
        for scale in labels.scales_in(part)
    )
    return Table(
        name=f"overview_{term}_{analysis}",
        title=f"{labels.plain(term)}: all scales at a glance",
        columns=tuple(columns),
        rows=rows,
        data=labels.with_evidence(part),
        evidence=labels.evidence(labels.waves_in(part), about=("items", "organisation")),
    )


def _glance(row: Any, material: Material) -> Cell:
    """Print an estimate behind the sign of its decision; or why there is none."""
    cell = estimate_cell(row, material.labels, signed=True)
    if row is None or is_missing(row.estimate):
        return cell
    sign, tone = SIGNS.get(row.decision, ("", ""))
    return Cell(f"{sign} {cell.text}".strip(), as_float(row.estimate), cell.notes, tone or cell.tone)
