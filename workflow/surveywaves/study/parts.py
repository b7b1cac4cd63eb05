"""The part of the study that each stage gets to know, and no more.

A rule's params are one of these parts as plain data, so an edit of the configuration reruns exactly the stages
whose part it changes. What words and drawings need is kept apart from what numbers need.
"""

from __future__ import annotations

import datetime as dt

from pydantic import Field

from surveywaves.study.models import (
    Coding,
    CrosswalkRow,
    Event,
    FigureStyle,
    Item,
    Layout,
    Population,
    RawFile,
    ResponseScale,
    Scale,
    Study,
    Variable,
    VariableEvidence,
    VariableSource,
    Wave,
)
from surveywaves.study.settings import Model
from surveywaves.terms import Evidence

FOR_HARMONISING = {"coding", "constants", "weight", "ignore"}
"""Keys of a layout that say what cells mean, not how to read them."""


class ReadingPart(Model):
    """What ingest needs of a wave: the files and how to read them."""

    wave: str
    files: tuple[RawFile, ...]
    layouts: dict[str, Layout]

    @classmethod
    def of(cls, wave: Wave) -> ReadingPart:
        """Take the part out of a wave."""
        layouts = {
            name: Layout.model_validate(layout.model_dump(exclude=FOR_HARMONISING))
            for name, layout in wave.file.layouts.items()
        }
        return cls(wave=wave.name, files=wave.file.files, layouts=layouts)


class HarmonisingPart(Model):
    """What harmonise needs of a wave: what its columns and cells mean."""

    wave: str
    evidence: Evidence
    layouts: dict[str, Layout]
    codings: dict[str, Coding]
    crosswalk: tuple[CrosswalkRow, ...]
    organisation: VariableSource | str
    variables: dict[str, VariableSource]
    known_variables: tuple[str, ...]
    """Every grouping variable of the study: each becomes a column, in this order, whether the wave has it or not."""
    items: dict[str, str]
    """Item -> its response scale, in the order of the instrument."""

    @classmethod
    def of(cls, study: Study, wave: Wave) -> HarmonisingPart:
        """Take the part out of a study; wordings and notes stay behind, they change no number."""
        layouts = {
            name: Layout(format=layout.format, **layout.model_dump(include=FOR_HARMONISING))
            for name, layout in wave.file.layouts.items()
        }
        return cls(
            wave=wave.name,
            evidence=wave.file.evidence,
            layouts=layouts,
            codings=wave.file.codings,
            crosswalk=tuple(row.model_copy(update={"wording": "", "note": ""}) for row in wave.crosswalk),
            organisation=wave.file.organisation,
            variables=wave.file.variables,
            known_variables=tuple(study.config.variables),
            items={item.item: item.response_scale for item in study.items},
        )


class WaveWords(Model):
    """A wave as a reader meets it."""

    title: str
    period: str
    start: dt.date | None
    end: dt.date | None
    population: Population
    evidence: Evidence
    evidence_note: str
    variable_evidence: dict[str, VariableEvidence]
    organisations_surveyed: tuple[str, ...]
    comparability: dict[str, str]
    """Item -> grade."""
    wordings: dict[str, str] = Field(default_factory=dict)
    """Item -> the wave's own words, where the crosswalk gives them."""
    notes: dict[str, str] = Field(default_factory=dict)
    """Item -> why it is graded so, where the crosswalk says it."""


class PlanningWords(Model):
    """A wave to come, as figures and report need it."""

    wave: str
    title: str
    reference: str
    power: float
    smallest: float
    """Smallest effect of interest, in standard deviations of one answer."""

    @classmethod
    def of(cls, study: Study) -> PlanningWords | None:
        """Take the part out of a study; None if it plans no wave."""
        analysis, titles = study.config.analysis, {wave.name: wave.file.title for wave in study.waves}
        if (planning := analysis.planning) is None:
            return None
        return cls(
            wave=planning.wave,
            title=titles.get(planning.wave, planning.wave),
            reference=planning.reference,
            power=planning.power,
            smallest=analysis.smallest_effect.standardised,
        )


class Presentation(Model):
    """What figures, tables and report need to put numbers into words: nothing here changes a number."""

    title: str
    description: str
    reference_wave: str
    waves: dict[str, WaveWords]
    organisations: dict[str, str]
    variables: dict[str, Variable]
    sections: dict[int, str]
    scales: dict[str, Scale]
    frameworks: dict[str, str] = Field(default_factory=dict)
    items: dict[str, Item]
    response_scales: dict[str, ResponseScale]
    events: tuple[Event, ...]
    citation: str
    published_wave: str = ""
    """Wave that the publication describes; empty: there is no publication."""
    confidence: float
    covariates: tuple[str, ...]
    min_cell: int
    threshold: int = 1
    """Smallest count that is shown; 1: all are."""
    rounding: int = 0
    """What counts are rounded to multiples of instead; 0: they are not."""
    planning: PlanningWords | None = None
    style: FigureStyle

    @property
    def protection(self) -> str:
        """What protects respondents, in a sentence; empty if nothing does."""
        if self.rounding:
            return f"Counts are rounded to multiples of {self.rounding}, so that totals still add up."
        if self.threshold < 2:
            return ""
        return f"Counts below {self.threshold} are withheld, and what would give them away."

    @classmethod
    def of(cls, study: Study) -> Presentation:
        """Take the part out of a study."""
        config = study.config
        return cls(
            title=config.title,
            description=config.description,
            reference_wave=config.reference_wave,
            waves={wave.name: _words(wave) for wave in study.waves},
            organisations=dict(config.organisations),
            variables=config.variables,
            sections=dict(config.sections),
            scales={scale.scale: scale for scale in study.scales},
            frameworks=dict(config.frameworks),
            items={item.item: item for item in study.items},
            response_scales=config.response_scales,
            events=study.events,
            citation=config.published.citation if config.published else "",
            published_wave=config.published.wave if config.published else "",
            confidence=config.analysis.confidence,
            covariates=config.analysis.covariates,
            min_cell=config.analysis.min_cell,
            threshold=config.disclosure.threshold,
            rounding=config.disclosure.rounding,
            planning=PlanningWords.of(study),
            style=config.figures,
        )


def _words(wave: Wave) -> WaveWords:
    file = wave.file
    return WaveWords(
        title=file.title,
        period=file.period,
        start=file.fieldwork.start,
        end=file.fieldwork.end,
        population=file.population,
        evidence=file.evidence,
        evidence_note=file.evidence_note,
        variable_evidence=file.variable_evidence,
        organisations_surveyed=file.organisations_surveyed,
        comparability={row.item: row.comparability.value for row in wave.crosswalk},
        wordings={row.item: row.wording for row in wave.crosswalk if row.wording},
        notes={row.item: row.note for row in wave.crosswalk if row.note},
    )
