"""What the data are, and what the waves are."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
from markupsafe import Markup

from surveywaves.report.blocks import Block, Bullets, Details, Paragraph, Part, Section, TableBlock
from surveywaves.report.material import Material
from surveywaves.report.say import say, several
from surveywaves.study.models import Evidence
from surveywaves.study.parts import Presentation
from surveywaves.tables import Cell, Column, Table
from surveywaves.tables.respondents import response_rates
from surveywaves.tables.words import is_missing, records, share


def all_observed(presentation: Presentation) -> bool:
    """Whether nothing in the study is reconstructed or simulated."""
    return all(
        kind is Evidence.OBSERVED
        for wave in presentation.waves.values()
        for kind in (wave.evidence, *(weaker.evidence for weaker in wave.variable_evidence.values()))
    )


def headline(material: Material) -> tuple[str, Markup]:
    """Say in words that nobody can miss what the report's data are: a word for it, and a sentence."""
    if all_observed(material.presentation):
        return "Observed data", say("All data in this report are real returns.")
    if any(wave.evidence is Evidence.OBSERVED for wave in material.presentation.waves.values()):
        return "Part demonstration", say(
            "Part of the data are not real returns. Numbers marked <strong>reconstructed</strong> or "
            "<strong>simulated</strong> are invented: <strong>do not cite them as findings.</strong>"
        )
    return "Demonstration", say(
        "The respondents in this report are invented. It shows what the analysis does; it says nothing new about the "
        "real organisation. <strong>Do not cite its numbers as findings.</strong>"
    )


def banner(material: Material) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """Give for each wave its title, its evidence, what that means, and what in it is weaker still."""
    return [
        (
            wave.title,
            wave.evidence.value,
            wave.evidence.meaning,
            tuple(
                f"{material.labels.variable(variable)}: {kind.value}"
                for variable, kind in material.labels.weaker(name).items()
            ),
        )
        for name, wave in material.presentation.waves.items()
    ]


def waves(material: Material) -> Section:
    """Say what was asked, of whom, when, and what the data of each wave are."""
    blocks: list[Block] = [Paragraph(_instrument(material)), TableBlock(_waves(material))]
    for words in material.presentation.waves.values():
        notes = [say("{note}", note=words.evidence_note)] if words.evidence_note else []
        notes += [
            say(
                "<strong>{variable}: {evidence}.</strong> {note}",
                variable=material.labels.variable(name),
                evidence=weaker.evidence.value,
                note=weaker.note,
            )
            for name, weaker in words.variable_evidence.items()
        ]
        if notes:
            heading = f"What stands behind {words.title}: {words.evidence.value}"
            blocks.append(Part(heading, (Bullets(tuple(notes)),)))
    if material.presentation.events:
        blocks.append(Details("Dated events that the figures may mark", (TableBlock(_events(material)),)))
    return Section("waves", "What the waves are", tuple(blocks))


def _instrument(material: Material) -> Markup:
    take = material.numbers.study
    return say(
        "The study has {waves}, {organisations} and {items}, of which {scales} are made.",
        waves=several(take("waves"), "wave", "waves"),
        organisations=several(take("organisations"), "organisation", "organisations"),
        items=several(take("items"), "statement", "statements"),
        scales=several(take("scales"), "scale", "scales"),
    )


def _waves(material: Material) -> Table:
    """List the waves; their evidence stands in a column already."""
    return replace(
        response_rates(material.tables.get("response_rates", pd.DataFrame({"wave": []})), material.labels),
        name="waves",
        title="The waves, and what their data are",
        evidence=(),
    )


def _events(material: Material) -> Table:
    events = material.presentation.events
    return Table(
        name="events",
        title="Dated events",
        columns=(Column("Date"), Column("Event"), Column("Source")),
        rows=tuple((Cell(event.date.isoformat()), Cell(event.label), Cell(event.source)) for event in events),
        flat=False,
    )


def returns(material: Material) -> list[Markup]:
    """Say of each wave how many answered, of how many."""
    numbers, labels, said = material.numbers, material.labels, []
    for row in records(material.tables["response_rates"]):
        here = {"wave": row.wave}
        if is_missing(row.returns):
            said.append(
                say(
                    "<strong>{wave}:</strong> how many answered is withheld to protect them.",
                    wave=labels.wave(row.wave),
                )
            )
            continue
        count = several(numbers.cell("response_rates", "returns", **here), "return", "returns")
        if is_missing(row.rate):
            template = (
                "<strong>{wave}:</strong> {count}; how many could have answered is not known, so there is "
                "no response rate."
                if is_missing(row.population)
                else "<strong>{wave}:</strong> {count}; there is no response rate."
            )
            said.append(say(template, wave=labels.wave(row.wave), count=count))
            continue
        words = material.presentation.waves.get(row.wave)
        said.append(
            say(
                "<strong>{wave}:</strong> {count} of {about}{population}: a response rate of {rate} "
                "(interval {low} to {high}).",
                wave=labels.wave(row.wave),
                count=count,
                about="about " if words and words.population.approximate else Markup(""),
                population=numbers.cell("response_rates", "population", **here),
                rate=numbers.cell("response_rates", "rate", share, **here),
                low=numbers.cell("response_rates", "conf_low", share, **here),
                high=numbers.cell("response_rates", "conf_high", share, **here),
            )
        )
    return said
