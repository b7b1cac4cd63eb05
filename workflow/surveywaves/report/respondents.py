"""Who answered: returns, response rates, roles and professions, and where people broke off."""

from __future__ import annotations

from surveywaves.report.blocks import Block, Bullets, Details, Paragraph, Part, Section, TableBlock
from surveywaves.report.front import returns
from surveywaves.report.material import Material
from surveywaves.report.say import say
from surveywaves.tables.respondents import levels, missing


def respondents(material: Material) -> Section | None:
    """Describe those who answered."""
    blocks: list[Block] = []
    if material.has("response_rates"):
        figure = material.figure("response")
        blocks.append(Part("Returns and response rates", (Bullets(tuple(returns(material))), *figure)))
    if material.has("respondents"):
        present = set(material.tables["respondents"]["variable"])
        blocks += [
            _variable(material, name)
            for name in ("organisation", *material.presentation.variables)
            if name in present
        ]
    if material.has("missing"):
        words = say(
            "A return that stops before the end leaves the later sections unanswered. For each section: "
            "answers that are missing, in % of those asked for."
        )
        blocks.append(
            Part(
                "Breaking off and missing answers",
                (
                    Paragraph(words),
                    *material.figure("break_off"),
                    TableBlock(
                        missing(
                            material.tables["missing"],
                            material.labels,
                            frequencies=material.tables.get("item_frequencies"),
                        )
                    ),
                ),
            )
        )
    return Section("respondents", "Who answered", tuple(blocks)) if blocks else None


def _variable(material: Material, variable: str) -> Part:
    frame = material.tables["respondents"]
    frame = frame[frame["variable"] == variable]
    label = material.labels.variable(variable)
    blocks: list[Block] = [
        *material.figure(f"respondents_{variable}"),
        TableBlock(levels(frame, material.labels, variable=variable)),
    ]
    if (
        set(material.labels.organisation_order[1:]) & set(frame["organisation"])
        and variable != "organisation"
    ):
        table = levels(frame, material.labels, variable=variable, by_organisation=True)
        blocks.append(Details(table.title, (TableBlock(table),)))
    return Part(label, tuple(blocks))
