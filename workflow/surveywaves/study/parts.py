"""The part of the study that each stage gets to know, and no more.

A rule's params are one of these parts as plain data, so an edit of the configuration reruns exactly the stages
whose part it changes. What words and drawings need is kept apart from what numbers need, and what has no order of its
own is handed over in a fixed one.
"""

from __future__ import annotations

import datetime as dt
import operator
from typing import Any, Literal

from pydantic import Field

from surveywaves.study.models import (
    Coding,
    CrosswalkRow,
    Disclosure,
    Event,
    FigureStyle,
    Item,
    Layout,
    Nouns,
    Population,
    RawFile,
    ResponseScale,
    Routing,
    Scale,
    Study,
    Variable,
    VariableEvidence,
    VariableSource,
    Wave,
)
from surveywaves.study.qualitative import SEPARATOR, Code, Display, QualitativeFile, Stage, Theme
from surveywaves.study.settings import Functioning, Model, ScaleUse, Sensitivity, SmallestEffect
from surveywaves.terms import ORGANISATION, Comparability, Evidence

FOR_HARMONISING = {"coding", "constants", "weight", "ignore"}
"""Keys of a layout that say what cells mean, not how to read them."""


def _when_used(default: Any) -> Any:
    """Declare a field that is left out of the params of stages that do not use it."""
    return Field(default=default, exclude_if=operator.not_)


def _shared(part: type[Model], *settings: Model) -> dict[str, Any]:
    """Return the fields of settings that a part has under the same name."""
    return {
        name: getattr(one, name)
        for one in settings
        for name in type(one).model_fields
        if name in part.model_fields
    }


class ReadingPart(Model):
    """What ingest needs of a wave: the files and how to read them."""

    wave: str
    files: tuple[RawFile, ...]
    layouts: dict[str, Layout]

    @classmethod
    def of(cls, wave: Wave) -> ReadingPart:
        """Take the part out of a wave."""
        layouts = {
            name: Layout.model_validate(_in_order(layout.model_dump(exclude=FOR_HARMONISING)))
            for name, layout in sorted(wave.file.layouts.items())
        }
        files = tuple(RawFile(path=file.path, layout=file.layout) for file in wave.file.files)
        return cls(wave=wave.name, files=files, layouts=layouts)


class HarmonisingPart(Model):
    """What harmonise needs of a wave: what its columns and cells mean."""

    wave: str
    evidence: Evidence
    layouts: dict[str, Layout]
    codings: dict[str, Coding]
    crosswalk: tuple[CrosswalkRow, ...]
    files: tuple[RawFile, ...] = _when_used(())
    """Files with constants of their own."""
    organisation: VariableSource | str | None
    variables: dict[str, VariableSource]
    routing: tuple[Routing, ...] = _when_used(())
    """Questions that only some respondents were asked, all of them listed under `items`."""
    known_variables: tuple[str, ...]
    """Every grouping variable of the study: each becomes a column, in this order, whether the wave has it or not."""
    items: dict[str, str]
    """Item -> its response scale, in the order of the instrument."""

    @classmethod
    def of(cls, study: Study, wave: Wave) -> HarmonisingPart:
        """Take the part out of a study; wordings and notes stay behind, they change no number."""
        known = tuple(study.config.variables)
        items = {item.item: item.response_scale for item in study.items}
        described = {
            "wave": wave.name,
            **wave.file.model_dump(include={"evidence", "codings", "organisation", "variables"}),
            "layouts": {
                name: layout.model_dump(include={"format", *FOR_HARMONISING})
                | {"ignore": sorted(layout.ignore)}
                for name, layout in wave.file.layouts.items()
            },
            "crosswalk": [row.model_dump(exclude={"wording", "note"}) for row in wave.crosswalk],
            "files": [file.model_dump() for file in wave.file.files if file.constants],
            "routing": [
                route.model_dump() | {"items": sorted(study.routed(route)), "sections": [], "variables": []}
                for route in wave.file.routing
            ],
        }
        return cls.model_validate(_in_order(described) | {"known_variables": known, "items": items})


def _in_order(value: Any) -> Any:
    """Put the keys of all maps in order."""
    if isinstance(value, dict):
        return {key: _in_order(value[key]) for key in sorted(value, key=str)}
    if isinstance(value, list | tuple):
        return [_in_order(part) for part in value]
    return value


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
    """Item -> who was asked it, if not everybody, and why it is graded so, if the wave says so."""


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
            **_shared(cls, planning),
            title=titles.get(planning.wave, planning.wave),
            smallest=analysis.smallest_effect.standardised,
        )


class QualitativeWords(Model):
    """The coded material as a reader meets it."""

    evidence: Evidence
    evidence_note: str
    stages: dict[str, Stage]
    areas: dict[str, str]
    themes: dict[str, Theme]
    groups: dict[str, str]
    categories: dict[str, str]
    display: Display

    @classmethod
    def of(cls, study: Study) -> QualitativeWords | None:
        """Take the part out of a study; None if it has no coded material."""
        if (found := study.qualitative) is None:
            return None
        return cls(**_shared(cls, found.file), themes={theme.theme: theme for theme in found.themes})


class StudyWords(Model):
    """What a study, its waves and its items are called."""

    title: str
    description: str
    citation: str
    reference_wave: str
    waves: dict[str, WaveWords]
    organisations: dict[str, str]
    variables: dict[str, Variable]
    sections: dict[int, str]
    scales: dict[str, Scale]
    items: dict[str, Item]
    response_scales: dict[str, ResponseScale]


class Presentation(StudyWords):
    """What figures, tables and report need to put numbers into words: nothing here changes a number."""

    nouns: Nouns = Field(default_factory=Nouns)
    frameworks: dict[str, str] = Field(default_factory=dict)
    events: tuple[Event, ...]
    published_wave: str = ""
    """Wave that the publication describes; empty: there is no publication."""
    confidence: float
    covariates: tuple[str, ...]
    min_cell: int
    weighted: bool = False
    """Whether the models use the returns' weights."""
    multiplicity: str = "none"
    """What p-values are adjusted by across scales; `item_multiplicity` across items: see `Analysis`."""
    item_multiplicity: str = "none"
    robust: bool = True
    """Whether the linear model's errors allow for cells that differ in spread."""
    threshold: int = 1
    """Smallest count of part of the respondents that is shown, where counts are not rounded."""
    rounding: int = 0
    """What counts of part of the respondents are rounded to multiples of; 0: they are not."""
    public: bool = True
    """Whether everything is released as it is."""
    planning: PlanningWords | None = None
    qualitative: QualitativeWords | None = Field(default=None, exclude_if=lambda part: part is None)
    """Set only for stages that show the coded material, so that others need not run again when it changes."""
    style: FigureStyle

    @property
    def protection(self) -> str:
        """What protects respondents, in a sentence; empty if nothing does."""
        if self.public:
            return ""
        counts = f"Counts by {self.nouns.organisation[0]}"
        if self.rounding:
            rounded = f"{counts} are rounded at random to multiples of {self.rounding}"
            return f"{rounded}; those of all respondents are exact."
        return f"{counts} below {self.threshold} are withheld, and what would give them away."

    @classmethod
    def of(cls, study: Study) -> Presentation:
        """Take the part out of a study."""
        config, published = study.config, study.config.published
        own = {
            "waves": {wave.name: _words(study, wave) for wave in study.waves},
            "nouns": config.words,
            "scales": {scale.scale: scale for scale in study.scales},
            "items": {item.item: item for item in study.items},
            "events": study.events,
            "citation": published.citation if published else "",
            "published_wave": published.wave if published else "",
            "planning": PlanningWords.of(study),
            "style": config.figures,
        }
        return cls(**_shared(cls, config, config.analysis, config.disclosure) | own)


class ExportPart(StudyWords):
    """The words of a study, without what only figures, tables and models need."""

    @classmethod
    def of(cls, presentation: Presentation) -> ExportPart:
        """Take the part out of what the presentation of results knows."""
        return cls(**_shared(cls, presentation))


def _words(study: Study, wave: Wave) -> WaveWords:
    file, asked = wave.file, _asked_only(study, wave)
    notes = {row.item: " ".join(filter(None, [asked.get(row.item), row.note])) for row in wave.crosswalk}
    return WaveWords(
        **_shared(WaveWords, file, file.fieldwork),
        comparability={row.item: row.comparability.value for row in wave.crosswalk},
        wordings={row.item: row.wording for row in wave.crosswalk if row.wording},
        notes={item: note for item, note in notes.items() if note},
    )


def _asked_only(study: Study, wave: Wave) -> dict[str, str]:
    """Return a sentence on who was asked, for each item that only some respondents were asked."""
    config, items = study.config, {item.item: item for item in study.items}
    called = {name: (known.label, known.levels) for name, known in config.variables.items()}
    called[ORGANISATION] = (config.words.organisation[0].capitalize(), config.organisations)
    for name, item in items.items():
        options = enumerate(config.response_scales[item.response_scale].labels, start=1)
        called[name] = (item.text, {str(value): option for value, option in options})
    found: dict[str, list[str]] = {}
    for route in wave.file.routing:
        words = [
            f"{called[name][0]}: {' or '.join(called[name][1][str(level)] for level in levels)}"
            for name, levels in route.asked_of.items()
        ]
        words += ["as another question decided"] if route.filter else []
        for name in study.routed(route) & items.keys():
            found.setdefault(name, []).extend(words)
    return {item: f"Asked only of some ({'; '.join(words)})." for item, words in found.items()}


# --- statistics ---------------------------------------------------------------------------------------------------


class InstrumentItem(Model):
    """An item as statistics know it: numbers, no word of text."""

    item: str
    scale: str = _when_used("")
    section: int = _when_used(0)
    key: int
    points: int
    favourable: tuple[int, ...] = _when_used(())


Instrument = tuple[InstrumentItem, ...]


def _instrument(study: Study, *columns: Literal["scale", "section", "favourable"]) -> Instrument:
    """List the items with their keys and points, and with what else is asked for."""
    found = []
    for item in study.items:
        responses = study.config.response_scales[item.response_scale]
        known = {"scale": item.scale or "", "section": item.section, "favourable": responses.favourable}
        chosen: dict[str, Any] = {name: known[name] for name in columns}
        found.append(InstrumentItem(item=item.item, key=item.key, points=responses.points, **chosen))
    return tuple(found)


class SamplePart(Model):
    """Who is analysed: fields of `surveywaves.sample.Sample`."""

    waves: tuple[str, ...]
    organisations: tuple[str, ...]
    covariates: tuple[str, ...] = _when_used(())
    weight: str = _when_used("")
    team: str = _when_used("")
    smallest_overlap: float = Field(default=0.5, exclude_if=lambda share: share == 0.5)
    shares: dict[str, float] = _when_used({})
    shares_note: str = _when_used("")
    reference: str = _when_used("")
    against: str = _when_used("")
    smallest_of_all: int = _when_used(0)

    @classmethod
    def of(cls, study: Study) -> SamplePart:
        """Take the part out of a study."""
        names, config = tuple(study.config.organisations), study.config
        against = config.analysis.compared_with(len(names))
        smallest = max(config.analysis.min_cell, config.disclosure.smallest_group) if against else 0
        return cls(
            waves=tuple(wave.name for wave in study.waves),
            organisations=names,
            against=against,
            smallest_of_all=smallest,
        )

    @classmethod
    def modelled(cls, study: Study) -> SamplePart:
        """Take the part out of a study, with what the mixed models need."""
        analysis = study.config.analysis
        of_models = {
            "covariates": analysis.covariates,
            "weight": "weight" if analysis.weighted else "",
            "team": analysis.team or "",
            "smallest_overlap": analysis.smallest_overlap,
            **_shares(study),
        }
        return cls.of(study).model_copy(update=of_models)


def _shares(study: Study) -> dict[str, Any]:
    """How organisations are weighted to all staff, and where that is from."""
    reference = study.config.reference_wave
    population = next(wave.file.population for wave in study.waves if wave.name == reference)
    said = "organisations weighted by their shares"
    if stated := study.config.analysis.shares:
        return {"shares": stated, "shares_note": f"{said} in the configuration"}
    if known := population.margins.get(ORGANISATION):
        return {"shares": known, "shares_note": f"{said} of the population of {reference}"}
    return {"reference": reference}


class DescribingPart(Model):
    """What describe needs of a study."""

    instrument: Instrument
    surveyed: dict[str, tuple[str, ...]]
    """Wave -> the organisations that it surveyed."""
    variables: dict[str, tuple[str, ...]]
    """Grouping variable -> its levels."""
    populations: dict[str, int | None]
    """Wave -> how many could have answered (None: unknown)."""
    approximate: dict[str, tuple[int, int] | None]
    """Waves whose population is an estimate -> the fewest and most that it may be."""
    weighted: tuple[str, ...]
    """Waves that have sampling weights."""

    @classmethod
    def of(cls, study: Study) -> DescribingPart:
        """Take the part out of a study."""
        populations = {wave.name: wave.file.population for wave in study.waves}
        return cls(
            instrument=_instrument(study, "section", "favourable"),
            surveyed={wave.name: wave.file.organisations_surveyed for wave in study.waves},
            variables={name: tuple(known.levels) for name, known in study.config.variables.items()},
            populations={name: one.size for name, one in populations.items()},
            approximate={name: one.between for name, one in populations.items() if one.approximate},
            weighted=tuple(
                wave.name for wave in study.waves if any(one.weight for one in wave.file.layouts.values())
            ),
        )


class MeasuringPart(Model):
    """What measure needs of a study."""

    instrument: Instrument
    sample: SamplePart
    confidence: float
    min_cell: int
    scale_use: ScaleUse
    seed: int

    @classmethod
    def of(cls, study: Study) -> MeasuringPart:
        """Take the part out of a study."""
        return cls(
            instrument=_instrument(study, "scale"),
            sample=SamplePart.of(study),
            **_shared(cls, study.config.analysis, study.config),
        )


class InvariancePart(Model):
    """What invariance needs of a study."""

    instrument: Instrument
    sample: SamplePart
    confidence: float
    functioning_min_n: int

    @classmethod
    def of(cls, study: Study) -> InvariancePart:
        """Take the part out of a study."""
        analysis = study.config.analysis
        return cls(
            instrument=_instrument(study, "scale"),
            sample=SamplePart.of(study),
            confidence=analysis.confidence,
            functioning_min_n=analysis.functioning.min_n,
        )


class ComparingPart(Model):
    """What compare needs of a study."""

    instrument: Instrument
    sample: SamplePart
    robust: bool
    confidence: float
    min_cell: int
    smallest_effect: SmallestEffect
    multiplicity: str
    item_multiplicity: str

    @classmethod
    def of(cls, study: Study) -> ComparingPart:
        """Take the part out of a study."""
        return cls(
            instrument=_instrument(study, "scale", "favourable"),
            sample=SamplePart.modelled(study),
            **_shared(cls, study.config.analysis),
        )


class PlanningPart(Model):
    """What plan needs of a study."""

    instrument: Instrument
    sample: SamplePart
    """Who answered the wave that the wave to come is compared with."""
    planned: str
    returns: tuple[int, ...]
    power: float
    smallest: float
    """Smallest effect of interest, in standard deviations of one answer."""
    confidence: float
    min_cell: int
    multiplicity: str
    population: int | None
    """How many could answer the wave to come."""

    @classmethod
    def of(cls, study: Study) -> PlanningPart | None:
        """Take the part out of a study; None if it plans no wave."""
        analysis = study.config.analysis
        if (planning := analysis.planning) is None:
            return None
        populations = {wave.name: wave.file.population.size for wave in study.waves}
        return cls(
            instrument=_instrument(study, "scale"),
            sample=SamplePart.modelled(study).model_copy(update={"waves": (planning.reference,)}),
            planned=planning.wave,
            smallest=analysis.smallest_effect.standardised,
            **_shared(cls, planning, analysis),
            population=populations.get(planning.wave) or populations[planning.reference],
        )


class SensitivityPart(Model):
    """What sensitivity needs of a study."""

    instrument: Instrument
    min_answered: dict[str, int]
    """Scale -> items that a scale score needs."""
    sample: SamplePart
    margins: dict[str, dict[str, dict[str, float]]]
    """Wave -> variable -> level -> staff."""
    populations: dict[str, int]
    """Wave -> how many could have answered, where that is known."""
    reworded: dict[str, tuple[str, ...]]
    """Wave -> items that it asked in other words."""
    seed: int
    labels: dict[str, str]
    """Grouping variable -> its words: they are in what is said of agreement."""
    robust: bool
    confidence: float
    min_cell: int
    smallest_effect: SmallestEffect
    multiplicity: str
    functioning: Functioning
    sensitivity: Sensitivity

    @classmethod
    def of(cls, study: Study) -> SensitivityPart:
        """Take the part out of a study."""
        analysis = study.config.analysis
        populations = {wave.name: wave.file.population for wave in study.waves}
        reworded = {
            wave.name: tuple(
                row.item for row in wave.crosswalk if row.comparability is Comparability.REWORDED
            )
            for wave in study.waves
        }
        return cls(
            instrument=_instrument(study, "scale", "favourable"),
            min_answered={scale.scale: scale.min_answered for scale in study.scales},
            sample=SamplePart.modelled(study),
            margins={name: one.margins for name, one in populations.items()},
            populations={name: one.size for name, one in populations.items() if one.size is not None},
            reworded=reworded,
            labels={name: known.label for name, known in study.config.variables.items()},
            **_shared(cls, analysis, study.config),
        )


# --- a publication and its tables -----------------------------------------------------------------------------------


class PrintedCells(Model):
    """The item that a printed table row is about."""

    table: str
    row: str
    item: str


class PublicationPart(Model):
    """What the printed tables of a publication are about."""

    wave: str
    cells: tuple[PrintedCells, ...]
    categories: dict[str, str]
    """Column prefix in the tables -> label in the claims, lowest response first."""
    single_choice: dict[str, dict[str, str]]
    """Variable whose counts are printed -> level -> its words, which are the printed categories."""

    @classmethod
    def of(cls, study: Study) -> PublicationPart | None:
        """Take the part out of a study; None if there is no publication."""
        if (published := study.config.published) is None:
            return None
        return cls(
            wave=published.wave,
            cells=tuple(
                PrintedCells(table=str(item.published_table), row=str(item.published_row), item=item.item)
                for item in study.items
                if item.published_table is not None
            ),
            categories=published.categories,
            single_choice={name: study.config.levels[name] for name in published.single_choice},
        )


class SettlingPart(Model):
    """What settle needs of a publication."""

    returns: int
    categories: tuple[str, ...]
    single_choice: tuple[str, ...]

    @classmethod
    def of(cls, study: Study) -> SettlingPart | None:
        """Take the part out of a study; None if there is no publication."""
        if (published := study.config.published) is None:
            return None
        return cls(
            returns=published.returns,
            categories=tuple(published.categories),
            single_choice=tuple(published.single_choice),
        )


class ReleasingPart(Model):
    """What the disclosure rule needs of a study."""

    instrument: Instrument
    harmonised: tuple[HarmonisingPart, ...]
    weighted: bool
    margins: dict[str, dict[str, dict[str, float]]]
    disclosure: Disclosure
    publication: PublicationPart | None
    labels: tuple[str, ...]
    """What the study itself calls options and levels."""
    variables: dict[str, str]
    """Grouping variable -> its words: they are in what is said of agreement."""
    comparing: ComparingPart
    partial_pooling: bool = _when_used(False)

    @classmethod
    def of(cls, study: Study) -> ReleasingPart:
        """Take the part out of a study."""
        return cls(
            instrument=_instrument(study, "scale", "favourable"),
            harmonised=tuple(HarmonisingPart.of(study, wave) for wave in study.waves),
            margins={wave.name: wave.file.population.margins for wave in study.waves},
            disclosure=study.config.disclosure,
            publication=PublicationPart.of(study),
            labels=study.labels,
            variables={name: known.label for name, known in study.config.variables.items()},
            comparing=ComparingPart.of(study),
            **_shared(cls, study.config.analysis),
        )


# --- interviews beside the survey ---------------------------------------------------------------------------------


class Principle(Model):
    """What of the study speaks to an entry of its first framework."""

    scales: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()


class QualitativePart(Model):
    """What the qualitative stage needs of a study, besides its words."""

    file: QualitativeFile
    codes: tuple[Code, ...]
    themes: tuple[Theme, ...]
    organisations: dict[str, str]
    principles: dict[str, Principle]
    """Entries of the study's first framework, in the order of the scales; none: there is no joint display."""
    waves: tuple[str, ...]
    disclosure: Disclosure
    seed: int
    confidence: float

    @classmethod
    def of(cls, study: Study) -> QualitativePart | None:
        """Take the part out of a study; None if it has no coded material."""
        if (found := study.qualitative) is None:
            return None
        framework = next(iter(study.config.frameworks), "")
        spoken = [("scales", one.scale, one.frameworks) for one in study.scales]
        spoken += [("themes", one.theme, one.frameworks) for one in found.themes]
        principles: dict[str, dict[str, list[str]]] = {}
        for kind, name, entries in spoken:
            for entry in filter(None, entries.get(framework, "").split(SEPARATOR)):
                principles.setdefault(entry, {}).setdefault(kind, []).append(name)
        shared = _shared(cls, found, study.config, study.config.analysis)
        return cls(**shared, principles=principles)
