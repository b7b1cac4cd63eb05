"""Who answered: returns, response rates, roles and professions, and where people broke off."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from surveywaves.report.blocks import Block, Bullets, Details, Paragraph, Part, Section, TableBlock
from surveywaves.report.front import returns
from surveywaves.report.material import Material
from surveywaves.report.say import say
from surveywaves.study.models import Missing
from surveywaves.study.parts import Presentation
from surveywaves.tables import Cell, Column, Table
from surveywaves.tables.labels import NOT_STATED
from surveywaves.tables.words import NONE, as_float, is_missing, percentage, records, whole
from surveywaves.tidy import ALL

REASONS = {
    Missing.BROKE_OFF: "broke off",
    Missing.SKIPPED: "skipped",
    Missing.DONT_KNOW: "don't know",
    Missing.INVALID: "invalid",
}
"""Reasons of a missing answer to a question that was asked, in words."""


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
                (Paragraph(words), *material.figure("break_off"), TableBlock(_missing(material))),
            )
        )
    return Section("respondents", "Who answered", tuple(blocks)) if blocks else None


def _variable(material: Material, variable: str) -> Part:
    frame = material.tables["respondents"]
    frame = frame[frame["variable"] == variable]
    label = material.labels.variable(variable)
    blocks: list[Block] = [
        *material.figure(f"respondents_{variable}"),
        TableBlock(_levels(material, frame, variable, [ALL], f"{label} of respondents")),
    ]
    organisations = [
        name for name in material.labels.organisation_order[1:] if name in set(frame["organisation"])
    ]
    if organisations and variable != "organisation":
        table = _levels(material, frame, variable, organisations, f"{label} by organisation")
        blocks.append(Details(table.title, (TableBlock(table),)))
    return Part(label, tuple(blocks))


def _levels(
    material: Material, frame: pd.DataFrame, variable: str, organisations: list[str], title: str
) -> Table:
    """Lay a variable out as the publication does: a level a row, n (%) of those who answered."""
    labels = material.labels
    chosen = frame[frame["organisation"].isin(organisations)]
    found = {(row.wave, row.organisation, row.level): row for row in records(chosen)}
    cells = [
        (wave, organisation)
        for wave in labels.presentation.waves
        for organisation in organisations
        if any(as_float(row.n) > 0 for key, row in found.items() if key[:2] == (wave, organisation))
    ]
    several = len(organisations) > 1 or organisations != [ALL]
    columns = [Column(labels.variable(variable))]
    for wave, organisation in cells:
        base = next((row.base for key, row in found.items() if key[:2] == (wave, organisation)), None)
        above = labels.wave_with_evidence(wave)
        head = f"{labels.organisation(organisation)}, n = {whole(base)}" if several else f"N = {whole(base)}"
        columns.append(Column(head, above, numeric=True))
    levels = _ordered(labels.presentation, variable, chosen["level"].unique())
    rows = tuple(
        (
            Cell(labels.level(variable, level), tone="muted" if level == NOT_STATED else ""),
            *(_level_cell(found.get((*cell, level)), level) for cell in cells),
        )
        for level in levels
    )
    shown = [wave for wave in labels.presentation.waves if any(cell[0] == wave for cell in cells)]
    kind = "" if organisations == [ALL] else "_by_organisation"
    about = (variable,) if not kind else (variable, "organisation")
    return Table(
        name=f"respondents_{variable}{kind}",
        title=title,
        columns=tuple(columns),
        rows=rows,
        data=labels.with_evidence(chosen),
        about="n (% of those who answered the question).",
        evidence=labels.evidence(shown, about=about),
        flat=False,
    )


def _ordered(presentation: Presentation, variable: str, present: Iterable[str]) -> list[str]:
    """Order levels as the study does, then any other, then those who did not say."""
    words, wanted = presentation.variables.get(variable), list(present)
    known = list(words.levels) if words else list(presentation.organisations)
    extra = [level for level in wanted if level not in known and level != NOT_STATED]
    return [
        *(level for level in known if level in wanted),
        *extra,
        *([NOT_STATED] if NOT_STATED in wanted else []),
    ]


def _level_cell(row: Any, level: str) -> Cell:
    if row is None or is_missing(row.n):
        return Cell(NONE, float("nan"), tone="muted")
    if level == NOT_STATED or is_missing(row.percent):
        return Cell(whole(row.n), as_float(row.n), tone="muted")
    return Cell(f"{whole(row.n)} ({percentage(row.percent)})", as_float(row.n))


def _missing(material: Material) -> Table:
    """Share of missing answers by section, wave and reason, over the questions that the wave asked of anybody."""
    labels, frame = material.labels, material.tables["missing"]
    unasked = frame[(frame["reason"] == Missing.NOT_ASKED) & (frame["n"] >= frame["returns"])]
    keys = pd.MultiIndex.from_frame(frame[["wave", "item"]])
    asked = frame[~keys.isin(pd.MultiIndex.from_frame(unasked[["wave", "item"]]))]
    returned = asked.drop_duplicates(["wave", "item"]).groupby(["wave", "section"])["returns"].sum()
    missing = asked.groupby(["wave", "section", "reason"])["n"].sum()
    waves = [wave for wave in labels.presentation.waves if wave in set(asked["wave"])]
    columns = [Column("Section")] + [
        Column(words, labels.wave_with_evidence(wave), numeric=True)
        for wave in waves
        for words in REASONS.values()
    ]
    rows = tuple(
        (
            Cell(title, float(section)),
            *(
                _share_cell(missing.get((wave, section, reason.value), 0), returned.get((wave, section)))
                for wave in waves
                for reason in REASONS
            ),
        )
        for section, title in labels.presentation.sections.items()
    )
    return Table(
        name="missing",
        title="Missing answers by section and reason",
        columns=tuple(columns),
        rows=rows,
        data=labels.with_evidence(frame),
        about="In % of the answers asked for in the section.",
        evidence=labels.evidence(waves, about=("items",)),
        flat=False,
    )


def _share_cell(n: Any, of: Any) -> Cell:
    if is_missing(of) or not as_float(of):
        return Cell(NONE, float("nan"), tone="muted")
    value = 100 * as_float(n) / as_float(of)
    return Cell(percentage(value), value)
