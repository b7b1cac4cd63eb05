"""What a study can say of itself: one model a file, every key with its type, default and meaning.

The models check each file by itself; what must agree between files is checked in `surveywaves.study.checks`.
`config/README.md` and the JSON schemas are generated from them: below each key stands what it means.
"""

from __future__ import annotations

import datetime as dt
import operator
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import (
    BeforeValidator,
    Field,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

from surveywaves.errors import Mistake, RawFileError
from surveywaves.study.qualitative import Qualitative
from surveywaves.study.settings import Analysis, Colour, FilePath, Model, Name, Text
from surveywaves.terms import ORGANISATION, Comparability, Evidence, Missing

# --- the instrument -------------------------------------------------------------------------------------------


class ResponseScale(Model):
    """Response options in ascending order: the first is stored as 1."""

    labels: tuple[Text, ...] = Field(min_length=2)
    """Options in words, lowest first (stored as 1)."""
    short: tuple[Text, ...]
    """Abbreviations, as table heads print them."""
    favourable: tuple[int, ...]
    """Values counted as favourable in percentages (for an item keyed -, its mirror image)."""

    @model_validator(mode="after")
    def _agree(self) -> ResponseScale:
        if len(self.short) != len(self.labels):
            raise ValueError(f"{len(self.labels)} labels but {len(self.short)} short forms")
        if not set(self.favourable) <= set(range(1, len(self.labels) + 1)):
            raise ValueError(f"favourable values must lie in 1..{len(self.labels)}")
        return self

    @property
    def points(self) -> int:
        """Count the response options."""
        return len(self.labels)


class Item(Model):
    """A statement of the instrument (one row of `items.tsv`)."""

    item: Name
    """Name of the item: its column in the harmonised data."""
    text: Text
    """The statement as the reference wave words it."""
    section: int = Field(ge=1)
    """Section of the questionnaire."""
    scale: Name | None = None
    """Scale the item belongs to; empty: described, never compared."""
    keyed: Literal["+", "-"] = "+"
    """`-`: agreement means less of what the scale measures."""
    response_scale: Name
    """One of `response_scales` in `config.yaml`."""
    published_table: int | None = None
    """Table of the publication that prints the item."""
    published_row: int | None = None
    """Row in that table, from 1."""

    @property
    def key(self) -> int:
        """Return the key as a sign, +1 or -1."""
        return 1 if self.keyed == "+" else -1


class Scale(Model):
    """A set of items that measure one thing (one row of `scales.tsv`)."""

    scale: Name
    """Name of the scale."""
    title: Text
    """Title for tables and figures."""
    source: str = ""
    """Instrument it was taken from."""
    frameworks: dict[Name, Text] = Field(default_factory=dict)
    """One table column a framework of `config.yaml`: what of it the scale speaks to (several with `; `)."""
    min_answered: int = Field(default=1, ge=1)
    """Items a respondent must have answered to get a scale score."""
    standardise: Literal["", "range"] = ""
    """`range`: items may differ in their response options; each is put on the range of the one that has most (percent
    of maximum possible). Empty: all have the same."""


class Event(Model):
    """An event of the study's timeline (one row of `events.tsv`)."""

    date: dt.date | None = None
    """`2007-09-14`, `2007-09` or `2007`; with `~` at the end: approximate (EDTF, ISO 8601-2); empty: undated."""
    label: Text
    """Words put beside the mark."""
    source: str = ""
    """Where the date comes from."""
    precision: Literal["day", "month", "year"] = Field(default="day", exclude_if=lambda given: given == "day")
    """How much of the date is known; follows from `date`."""
    approximate: bool = Field(default=False, exclude_if=operator.not_)
    """Whether the date is an estimate; follows from `date`."""

    @model_validator(mode="before")
    @classmethod
    def _as_known(cls, given: Any) -> Any:
        if not isinstance(given, dict) or not isinstance(text := given.get("date"), str):
            return given
        plain = text.strip().removesuffix("~")
        hyphens = min(plain.count("-"), 2)
        found = {"precision": _PRECISION[hyphens], "approximate": text.strip().endswith("~")}
        first = plain + "-01" * (2 - hyphens)
        return {**found, **given, "date": (first if plain else text.strip()) or None}

    @property
    def when(self) -> str:
        """Return the date as precisely as it is known; empty if it is not."""
        known = self.date.isoformat()[: 4 + 3 * _PRECISION.index(self.precision)] if self.date else ""
        return f"about {known}" if self.approximate else known


_PRECISION: Final = ("year", "month", "day")
"""How much of a date is known, by the number of hyphens in it."""


class Variable(Model):
    """A grouping variable other than the organisation."""

    label: Text
    """Words for tables and figures."""
    levels: dict[Name, Text] = Field(min_length=1)
    """Level -> its words, in the order of presentation."""


# --- a wave ---------------------------------------------------------------------------------------------------


class Fieldwork(Model):
    """When a wave was in the field; both empty where nobody knows."""

    start: dt.date | None = None
    """First day (ISO date), empty if unknown."""
    end: dt.date | None = None
    """Last day (ISO date), empty if unknown."""

    @model_validator(mode="after")
    def _ordered(self) -> Fieldwork:
        if self.start and self.end and self.end < self.start:
            raise ValueError("fieldwork ends before it starts")
        return self


class Population(Model):
    """How many could have answered."""

    size: int | None = Field(default=None, ge=1)
    """Staff the survey was meant to reach; empty if unknown."""
    approximate: bool = False
    """The figure is an estimate, and the report says so."""
    between: tuple[PositiveInt, PositiveInt] | None = None
    """Of an estimate, the fewest and the most that it may be."""
    note: str = ""
    """What the figure includes and leaves out."""
    margins: dict[Name, dict[Name, PositiveFloat]] = Field(default_factory=dict)
    """Staff (counts or shares) by level of a grouping variable or of `organisation`, where known; every level named. A
    sensitivity analysis weights the returns to them."""

    @model_validator(mode="after")
    def _around(self) -> Population:
        if self.between and not (
            self.approximate and self.size and self.between[0] <= self.size <= self.between[1]
        ):
            raise ValueError("`between` is the fewest and the most of an approximate size, which lies in it")
        return self


class Layout(Model):
    """The shape of a kind of raw file: one reader, one set of column names, one default coding."""

    format: Literal[
        "surveymonkey",
        "qualtrics",
        "google_forms",
        "microsoft_forms",
        "limesurvey",
        "smartsurvey",
        "alchemer",
        "redcap",
        "paper",
        "spss",
        "stata",
        "sas",
        "table",
    ]
    """What wrote the file: a survey program (CSV or XLSX export), `paper` (keyed paper returns), `spss` (.sav, .zsav,
    .por), `stata` (.dta), `sas` (.sas7bdat, .xpt), or `table` (one header row; CSV, TSV, XLSX or Parquet)."""
    encoding: str = "utf-8-sig"
    """Text encoding of CSV and TSV files (`utf-8-sig`: UTF-8 with or without BOM)."""
    sheet: str | None = None
    """Worksheet of an XLSX file; empty: it has exactly one; `*`: all of them, one below the other, with their names in
    a column `worksheet`."""
    hidden_rows: Literal["read", "left_out"] | None = None
    """What becomes of rows that a worksheet hides (a filter, say); empty: there are none."""
    broken_rows: int | None = Field(default=None, ge=0)
    """Rows of text files that may be set aside because they cannot be read; empty: a few."""
    header_rows: Literal[1, 2, 3] | None = None
    """Header rows of a survey program's export; empty: as it writes them, or found from the file."""
    cells: Literal["codes", "labels"] = "codes"
    """For `spss` and `stata`: take the stored codes, or the labels they carry."""
    respondent: Text | None = None
    """Column that identifies a return; empty: the row number does."""
    duplicates: Literal["refuse", "first", "last", "most_answered"] = "refuse"
    """The same return twice: refuse to run, or which one is kept (the others are set aside and listed)."""
    exclude: dict[Text, dict[str, str]] = Field(default_factory=dict)
    """Column -> cell -> why such a row is no return (`test response`, `out of scope`), or a list of cells where that
    needs no saying; such rows are set aside and listed."""
    coding: Name | None = None
    """Coding of the items, where the crosswalk names no other."""
    constants: dict[Name, Name] = Field(default_factory=dict)
    """Variable (or `organisation`) -> level that applies to all returns of such files."""
    weight: Text | None = None
    """Column with the survey weight; empty: every return weighs 1."""
    ignore: tuple[str, ...] = ()
    """Columns that hold nothing to analyse (comments, identifiers, dates); `*` at the end stands for anything."""

    @field_validator("exclude", mode="before")
    @classmethod
    def _reasons(cls, columns: Any) -> Any:
        if not isinstance(columns, dict):
            return columns
        return {
            column: dict.fromkeys(cells, "") if isinstance(cells, list | tuple) else _text_keys(cells)
            for column, cells in columns.items()
        }


def _text_keys(values: Any) -> Any:
    """Take `{1: 5}` as well as `{"1": 5}`."""
    return {str(key): value for key, value in values.items()} if isinstance(values, dict) else values


class RawFile(Model):
    """One raw file of a wave."""

    path: FilePath
    """Path from the top folder; the file is only ever read."""
    layout: Name
    """One of the wave's `layouts`."""
    constants: dict[Name, Name] = Field(default_factory=dict, exclude_if=operator.not_)
    """Variable (or `organisation`) -> level that applies to all returns of this file."""


class Coding(Model):
    """What the cells of a question mean."""

    response_scale: Name
    """Response scale that the values belong to."""
    values: Annotated[dict[str, int | Missing], BeforeValidator(_text_keys)] = Field(min_length=1)
    """Cell (case, spacing and quote style do not count) -> value 1..K, or `skipped`, `dont_know`, `invalid`,
    `not_asked`."""
    others: Missing | None = None
    """What a cell is that no line of `values` explains, such as `invalid`; empty: it is refused, by name. So nobody's
    own words need to be written down here."""


class VariableSource(Model):
    """Where a wave's file holds a grouping variable, and what its cells mean."""

    columns: dict[Name, Text]
    """Layout -> column."""
    map: Annotated[dict[str, Name | Missing], BeforeValidator(_text_keys)]
    """Cell -> level (several cells may go to one level), or `skipped`, `dont_know`, `invalid`."""
    others: Name | Missing | None = None
    """Level or reason of a cell that no line of `map` explains; empty: it is refused, by name. So nobody's own words
    need to be written down here."""


class VariableEvidence(Model):
    """A variable whose evidence is weaker than its wave's."""

    evidence: Evidence
    """`observed`, `reconstructed` or `simulated`."""
    note: Text
    """What is invented about it."""


class Routing(Model):
    """Questions that only some respondents were asked; for all others the answer is `not_asked`."""

    items: tuple[Name, ...] = ()
    """Items that only some respondents were asked."""
    sections: tuple[int, ...] = ()
    """Sections of which this holds for every item."""
    variables: tuple[Name, ...] = ()
    """Grouping variables that only some respondents were asked."""
    asked_of: dict[Name, tuple[Name | int, ...]] = Field(default_factory=dict)
    """Variable (or `organisation`) -> levels of those who were asked, as in `role: [manager]`; item -> values 1..K. If
    there are several conditions, all must hold. Where the answer to one is missing, nothing is changed."""
    filter: VariableSource | None = None
    """A filter question that is neither variable nor item; its answers map to `asked`, `not_asked`, or a reason why
    this is unknown (`skipped`)."""

    @model_validator(mode="after")
    def _whole(self) -> Routing:
        if not (self.items or self.sections or self.variables):
            raise ValueError("of what? `items`, `sections` or `variables` are missing")
        if not (self.asked_of or self.filter):
            raise ValueError("who was asked? `asked_of` or `filter` is missing")
        return self


class CrosswalkRow(Model):
    """Where a wave holds an item (one row of a wave's `items.tsv`)."""

    item: Name
    """Item of the instrument."""
    columns: dict[Name, Text]
    """One table column a layout: the raw column's name, or its row label where that is unique. Empty: not asked
    there."""
    coding: Name | None = None
    """One of the wave's `codings`; empty: the layout's."""
    comparability: Comparability
    """`identical`, `reworded`, `rescaled` or `absent`, against `config/items.tsv`."""
    wording: str = ""
    """The wave's own words, where they differ."""
    note: str = ""
    """Why it is graded so."""

    @model_validator(mode="after")
    def _consistent(self) -> CrosswalkRow:
        absent = self.comparability is Comparability.ABSENT
        if absent and self.columns:
            raise ValueError("graded `absent`, yet a column is named")
        if not absent and not self.columns:
            raise ValueError(
                f"graded `{self.comparability}`, but no column is named (write `absent` if it was not asked)"
            )
        return self


class WaveFile(Model):
    """A wave (`wave.yaml`)."""

    title: Text
    """Title, as in `First survey`."""
    period: Text
    """When, in words for a reader: `July 2006`."""
    fieldwork: Fieldwork = Field(default_factory=Fieldwork)
    """Dates of the fieldwork."""
    population: Population = Field(default_factory=Population)
    """Who could have answered."""
    evidence: Evidence
    """What the data are: `observed`, `reconstructed` or `simulated`."""
    evidence_note: str = ""
    """What stands behind that word for this wave."""
    variable_evidence: dict[Name, VariableEvidence] = Field(default_factory=dict)
    """Variables (or `organisation`, `items`) with weaker evidence than the wave."""
    organisations_surveyed: tuple[Name, ...] = Field(min_length=1)
    """Organisations whose staff were asked; no number is ever made for another."""
    layouts: dict[Name, Layout] = Field(min_length=1)
    """The kinds of raw file, by a name of your choice."""
    files: tuple[RawFile, ...] = Field(min_length=1)
    """The raw files."""
    codings: dict[Name, Coding] = Field(min_length=1)
    """Named response codings."""
    organisation: VariableSource | Name | None = None
    """Column and map of the organisation, or the one organisation everyone belongs to; empty: it is among the
    `constants` of every file or layout."""
    variables: dict[Name, VariableSource] = Field(default_factory=dict)
    """Where the grouping variables of `config.yaml` stand."""
    routing: tuple[Routing, ...] = ()
    """Questions that only some respondents were asked, and who these were."""

    @property
    def sources(self) -> dict[str, VariableSource]:
        """Return the sources of the organisation and of variables, where they have a column."""
        own = {ORGANISATION: self.organisation} if isinstance(self.organisation, VariableSource) else {}
        return {**own, **self.variables}

    @model_validator(mode="after")
    def _layouts_exist(self) -> WaveFile:
        for file in self.files:
            if file.layout not in self.layouts:
                raise ValueError(
                    f"file {file.path}: no layout named `{file.layout}`; there is {', '.join(self.layouts)}"
                )
        for name, layout in self.layouts.items():
            if layout.coding and layout.coding not in self.codings:
                raise ValueError(
                    f"layout {name}: no coding named `{layout.coding}`; there is {', '.join(self.codings)}"
                )
        return self


# --- the whole study ------------------------------------------------------------------------------------------


class Disclosure(Model):
    """The rule that protects respondents."""

    public: bool = False
    """Whether the data are public anyway: everything is released as it is."""
    threshold: int = Field(default=5, ge=2)
    """Smallest count of people of an organisation that may be told."""
    smallest_group: int = Field(default=10, ge=2)
    """Fewest respondents, in every group that it compares, of which an estimate is shown."""
    smallest_df: int = Field(default=10, ge=1)
    """Fewest degrees of freedom with which an estimate is shown."""
    impossible: tuple[dict[Name, Name], ...] = ()
    """Combinations that everybody knows not to occur, as variable: level (a pilot among ground staff, say): they
    protect nobody."""
    zeros: Literal["show", "withhold"] = "show"
    """Whether a count of 0 may be shown, or is a small count like any other."""
    uniform: Literal["withhold", "show"] = "withhold"
    """Whether it may be shown that all of a group, or all but fewer than `threshold`, gave one answer."""
    unstated: Literal["withhold", "show"] = "withhold"
    """Whether a small count may be shown of people of whom it says only that they said nothing (no organisation or
    profession stated, an item skipped). `show` saves counts that people are described by."""
    rounding: Literal[0, 3, 5, 10] = 5
    """Round counts by organisation at random to multiples of this, so that totals still add up; 0: withhold some counts
    instead. Counts of all respondents of a wave together are exact."""


class Gradient(Model):
    """Scales that a figure shows in an order: the study's headline."""

    title: Text
    """Title of the figure."""
    scales: tuple[Name, ...] = Field(min_length=2)
    """The scales, in the order to be read."""


class Nouns(Model):
    """What the report calls people and things, each in the singular and the plural."""

    person: tuple[Text, Text] = ("respondent", "respondents")
    """Somebody who is surveyed: `[nurse, nurses]`."""
    people: Text = "respondents"
    """All who are surveyed, taken together: `staff`, `adults`."""
    organisation: tuple[Text, Text] = ("organisation", "organisations")
    """What the waves are compared between: `[hospital, hospitals]`."""
    returns: tuple[Text, Text] = ("return", "returns")
    """A filled-in questionnaire: `[interview, interviews]`."""
    statement: tuple[Text, Text] = ("statement", "statements")
    """An item: `[question, questions]`."""


class FigureStyle(Model):
    """How figures look; nothing here changes a number."""

    responses: tuple[Colour, ...] = Field(
        default=("#a6611a", "#dfc27d", "#d9d9d9", "#80cdc1", "#018571"), min_length=3
    )
    """Colours of the response options, lowest first; interpolated for other numbers of options."""
    font_size: float = Field(default=8.0, gt=4, le=16)
    """Base font size in points."""
    dpi: int = Field(default=300, ge=72, le=600)
    """Resolution of the PNG files."""
    gradient: Gradient | None = None
    """Scales to be shown in an order, from wave to wave; none: there is no such figure."""


class Published(Model):
    """A publication whose tables the study carries, audits and can be held against."""

    wave: Name
    """Wave that the tables describe."""
    citation: Text
    """The publication."""
    returns: int = Field(ge=1)
    """Returns it reports: no base can exceed them."""
    tables: FilePath
    """CSV of the printed tables."""
    titles: FilePath
    """CSV of their titles."""
    categories: dict[Text, Text] = Field(min_length=2)
    """Column prefix in the tables -> label in the claims, lowest response first, as in `sd: SD`."""
    single_choice: dict[Name, FilePath] = Field(default_factory=dict)
    """Variable (or `organisation`) -> CSV of the table that prints its counts."""
    claims: FilePath
    """CSV of the numeric claims in its text (it may have no rows)."""
    decisions: FilePath | None = None
    """TSV of a person's decisions on what arithmetic cannot settle."""

    @property
    def files(self) -> list[str]:
        """List the files."""
        named = [self.tables, self.titles, self.claims, self.decisions, *self.single_choice.values()]
        return sorted({name for name in named if name})


class Config(Model):
    """The study (`config.yaml`)."""

    title: Text
    """Title of the study; the report's heading."""
    description: Text
    """What was studied, in a sentence or two; the report opens with it."""
    waves: tuple[Name, ...] = Field(min_length=1)
    """Waves in order of time; each is a folder under `config/waves/`."""
    reference_wave: Name
    """Wave whose wording `items.tsv` gives."""
    seed: int = Field(ge=0)
    """Seed of everything that is drawn at random."""
    sections: dict[int, Text] = Field(min_length=1)
    """Section number -> title."""
    response_scales: dict[Name, ResponseScale] = Field(min_length=1)
    """Response scales of the instrument."""
    organisations: dict[Name, Text] = Field(min_length=1)
    """Organisation -> its words, in the order of presentation."""
    words: Nouns = Field(default_factory=Nouns)
    """What the report calls people and things."""
    variables: dict[Name, Variable] = Field(default_factory=dict)
    """Other grouping variables."""
    frameworks: dict[Name, Text] = Field(default_factory=dict)
    """Framework that scales are arranged under -> its words; each is a column of `scales.tsv`."""
    analysis: Analysis = Field(default_factory=Analysis)
    """Choices of the analysis."""
    disclosure: Disclosure = Field(default_factory=Disclosure)
    """The rule that protects respondents."""
    figures: FigureStyle = Field(default_factory=FigureStyle)
    """How figures look."""
    published: Published | None = None
    """A publication to audit."""

    @property
    def levels(self) -> dict[str, dict[Name, Text]]:
        """Return the organisations, and the levels of each grouping variable, with their words."""
        return {ORGANISATION: self.organisations, **{key: one.levels for key, one in self.variables.items()}}


class Wave(Model):
    """A wave with everything its folder says."""

    name: str
    file: WaveFile
    crosswalk: tuple[CrosswalkRow, ...]


class Study(Model):
    """Everything under `config/`, read and found consistent."""

    config: Config
    items: tuple[Item, ...]
    scales: tuple[Scale, ...]
    events: tuple[Event, ...]
    waves: tuple[Wave, ...]
    qualitative: Qualitative | None = Field(default=None, exclude_if=lambda part: part is None)

    def wave(self, name: str) -> Wave:
        """Find a wave by its name (KeyError if there is none)."""
        return {wave.name: wave for wave in self.waves}[name]

    def items_of(self, scale: str) -> tuple[Item, ...]:
        """List a scale's items in the order of `items.tsv`."""
        return tuple(item for item in self.items if item.scale == scale)

    def routed(self, route: Routing) -> set[str]:
        """Return the names of the items and variables that an entry of `routing` applies to."""
        inside = {item.item for item in self.items if item.section in route.sections}
        return inside.union(route.items, route.variables)

    @property
    def labels(self) -> tuple[str, ...]:
        """List what the study itself calls its response options, organisations and levels: words that all may see."""
        scales, levels = self.config.response_scales.values(), self.config.levels.values()
        options = {label for scale in scales for label in (*scale.labels, *scale.short)}
        return tuple(sorted(options.union(*(held.values() for held in levels))))

    def require_raw_files(self) -> None:
        """Raise a `RawFileError` that names every raw file and printed table that should be there and is not."""
        needed: list[tuple[Iterable[str], str, str]] = []
        for wave in self.waves:
            paths = [file.path for file in wave.file.files]
            needed.append((paths, f"wave {wave.name}", "`files` in the wave's wave.yaml"))
        if published := self.config.published:
            needed.append((published.files, "the publication", "`published` in config.yaml"))
        if self.qualitative:
            needed.append((self.qualitative.file.files, "qualitative.yaml", "it"))
        absent = [
            Mistake(path, f"no such file; {who} needs it", f"put it there, or mend {where}")
            for paths, who, where in needed
            for path in paths
            if not Path(path).is_file()
        ]
        if absent:
            raise RawFileError(absent)
