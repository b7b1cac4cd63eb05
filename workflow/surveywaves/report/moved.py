"""What moved: every contrast in a sentence, and all scales side by side."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from markupsafe import Markup

from surveywaves.report.blocks import Block, Bullets, Paragraph, Part, Section, TableBlock
from surveywaves.report.front import all_observed
from surveywaves.report.material import Material
from surveywaves.report.say import Number, Where, level, say, several
from surveywaves.study.models import Evidence
from surveywaves.tables import CONTRASTS, Cell, Column, Table, side_of_zero
from surveywaves.tables.words import listed, records


def answer(material: Material) -> Section | None:
    """Say what moved, where and how surely: as much as the contrasts say, and no more."""
    if not material.has("contrasts"):
        return None
    frame = material.tables["contrasts"]
    blocks: list[Block] = []
    analyses = list(dict.fromkeys(frame["analysis"]))
    for analysis in analyses:
        for term in CONTRASTS:
            part = frame[(frame["analysis"] == analysis) & (frame["term"] == term)]
            if part.empty:
                continue
            title = CONTRASTS[term] if len(analyses) == 1 else f"{CONTRASTS[term]} ({analysis} model)"
            blocks.append(Part(title, tuple(_moved(material, part, analysis, term))))
    if not blocks:
        return None
    return Section("answer", "What moved", (*_reading(material), *blocks))


def _reading(material: Material) -> tuple[Block, ...]:
    words = say(
        "Each estimate is a difference between mean answers on the response scale, with a {confidence} "
        "interval. ▲: the interval lies above zero; ▼: below zero; ○: it includes zero, so that the data "
        "do not tell the direction, which is not the same as no difference.",
        confidence=material.numbers.study("confidence", level),
    )
    if all_observed(material.presentation):
        return (Paragraph(words),)
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
    return (Paragraph(warning, "note"), Paragraph(words))


def _moved(material: Material, part: pd.DataFrame, analysis: str, term: str) -> list[Block]:
    """Give a sentence for each contrast of a kind, and the estimates of every scale side by side."""
    places = list(dict.fromkeys(zip(part["wave"], part["organisation"], strict=True)))
    estimated = [
        place
        for place in places
        if part.loc[(part["wave"] == place[0]) & (part["organisation"] == place[1]), "estimate"].notna().any()
    ]
    sentences = [_contrast_sentence(material, analysis, term, *place) for place in estimated]
    nowhere = [place for place in places if place not in estimated]
    blocks: list[Block] = []
    if nowhere:
        blocks.append(Paragraph(_nowhere(material, part, nowhere)))
    if sentences:
        blocks = [Bullets(tuple(sentences)), *blocks]
        blocks.append(TableBlock(_overview(material, part, estimated, analysis, term)))
    return blocks


def _contrast_sentence(material: Material, analysis: str, term: str, wave: str, organisation: str) -> Markup:
    numbers, labels = material.numbers, material.labels
    here = {"analysis": analysis, "term": term, "wave": wave, "organisation": organisation}
    tests = numbers.count("contrasts", **here, **{"conf_low>": float("-inf")})
    above = numbers.count("contrasts", **here, **{"conf_low>": 0.0})
    below = numbers.count("contrasts", **here, **{"conf_high<": 0.0})
    alpha = numbers.study("alpha", lambda value: f"{value:.3g}")
    sure = numbers.count("contrasts", **here, **{"p_adjusted<": alpha.value})
    adjusted = (
        say(" After adjustment for several tests, p is below {alpha} for {sure}.", alpha=alpha, sure=sure)
        if numbers.rows("contrasts", **here)["p_adjusted"].notna().any()
        else Markup("")
    )
    return say(
        "<strong>{wave}, {organisation}:</strong> of {scales} estimated, the interval lies above zero for {above} and "
        "below zero for {below}.{adjusted}",
        wave=labels.wave(wave),
        organisation=labels.organisation(organisation),
        scales=several(tests, "scale", "scales"),
        above=_named(material, above, here | {"conf_low>": 0.0}),
        below=_named(material, below, here | {"conf_high<": 0.0}),
        adjusted=adjusted,
    )


def _named(material: Material, count: Number, here: Mapping[str, Where]) -> Markup:
    """Give a count of scales, and which they are."""
    rows = material.numbers.rows("contrasts", **here)
    if rows.empty:
        return say("{count}", count=count)
    names = listed([material.labels.scale(scale) for scale in material.labels.scales_in(rows)])
    return say("{count} ({names})", count=count, names=names)


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
            *(side_of_zero(found.get((scale, *place)), labels, with_estimate=True) for place in places),
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
