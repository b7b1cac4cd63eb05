"""One list of all that is published: every statistic, figure and table, as data.

Whoever needs to know what there is reads it here: the rules (which files), release and pins (which rows are which),
figures and `results/tables/` (what to make, from what), the report (where it stands), the gallery, `snakemake --report`
(under which heading) and `surveywaves trace`. A figure or table is added by a function that makes it and an entry here.

Nothing but names: the Snakefile reads this before it starts, so a maker is called by its name and imported on use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from itertools import groupby, product
from typing import TYPE_CHECKING, Any, Final

from surveywaves import terms

if TYPE_CHECKING:
    from surveywaves.study.models import Item
    from surveywaves.study.parts import Presentation

FIGURE_FORMATS: Final = ("svg", "pdf", "png", "csv")
"""What each figure is saved as: the drawing, and the rows that it drew."""

TABLE_FORMATS: Final = ("html", "docx", "tex", "csv")
"""What each table is written as."""

ROWS_FORMAT: Final = "csv"
"""The format of a figure's rows."""

SLIDES: Final = "slides"
"""Folder beside the figures where each is a PNG of 16:9."""

NARROW: Final = "narrow"
"""Folder beside the figures for the SVGs of those that are also drawn for a telephone."""

SECTIONS: Final = {
    "summary": "Summary",
    "first": "What to know first",
    "scales": "What people said",
    "parted": "Did the organisations change differently?",
    "statements": "Every statement",
    "interviews": "Interviews beside the survey",
    "sure": "How robust the results are",
    "methods": "Methods and limitations",
    "data": "About the data",
    "answers": "Answers to every statement",
    "reliability": "How well the scales measure",
    "alike": "Do statements mean the same to everyone?",
    "checks": "What the models assume",
    "audit": "The publication, audited",
    "wordings": "Differences in wording",
    "planning": "Planning the next wave",
    "coding": "Themes, coders and meetings",
    "software": "Software and files",
}
"""Section of the report -> its heading, in the order of the report; from `APPENDIX` on, they are the appendix."""

APPENDIX: Final = "answers"

UNITS: Final = ("linear", "ordinal", "percent_favourable")
"""What contrasts are in: points of the response scale, log odds, percentage points. The first two are analyses."""

SHOWN_UNITS: Final = ("percent_favourable", "linear")
"""Units that the report shows, the headline's first; log odds are in the released tables only."""

# --- statistics -------------------------------------------------------------------------------------------------

_CELL: Final = ("scale", "wave", "organisation", "term")
_TESTED: Final = ("analysis", *_CELL)


@dataclass(frozen=True, slots=True)
class Statistic:
    """A table, which is released unless it is private."""

    name: str
    """Of its files."""
    stage: str
    """Rule that computes it; `release` where it is about the files, or about the release itself."""
    key: tuple[str, ...]
    """Columns that together name a row."""
    further: tuple[str, ...] = ()
    """Columns that tell rows apart which the key leaves alike; where it leaves none alike, they are results."""
    own: bool = False
    """Whether a row that names waves is about these alone: another wave cannot move it. The rows of the others come
    from models over all waves."""
    linked: tuple[str, ...] = ()
    """Terms whose withholding, though not their value, is decided over all waves together."""
    private: bool = False
    """Whether it is for the release to know, and never released."""


_ALL: Final = (
    Statistic(terms.ITEM_FREQUENCIES, "describe", ("wave", "organisation", "item", "response"), own=True),
    Statistic(terms.ITEM_SUMMARY, "describe", ("wave", "organisation", "item"), own=True),
    Statistic(terms.RESPONDENTS, "describe", ("wave", "organisation", "variable", "level"), own=True),
    Statistic(terms.RESPONSE_RATES, "describe", ("wave",), own=True),
    Statistic(terms.MISSING, "describe", ("wave", "item", "reason"), own=True),
    Statistic(
        terms.RELIABILITY,
        "measure",
        ("scale", "item", "wave", "organisation", "term"),
        own=True,
        linked=("floor", "ceiling"),
    ),
    Statistic(terms.SCALE_USE, "measure", ("scale",)),
    Statistic(terms.DIF, "invariance", ("scale", "item", "wave", "organisation", "term")),
    Statistic(terms.STRUCTURE, "invariance", ("scale", "item", "wave", "organisation", "term")),
    Statistic(terms.MEANS, "compare", _TESTED),
    Statistic(terms.CONTRASTS, "compare", _TESTED),
    Statistic(terms.ITEM_CONTRASTS, "compare", ("analysis", "scale", "item", "wave", "organisation", "term")),
    Statistic(terms.VARIANCES, "compare", _TESTED),
    Statistic(terms.DIAGNOSTICS, "compare", ("analysis", "scale", "item", "wave", "organisation", "term")),
    Statistic(terms.CROSSCHECK, "crosscheck", ("what",)),
    Statistic(terms.SENSITIVITY, "sensitivity", ("variant", *_TESTED)),
    Statistic(terms.AGREEMENT, "sensitivity", ("analysis", "scale", "term", "wave", "organisation")),
    Statistic(
        terms.VARIANT_PEOPLE,
        "sensitivity",
        ("variant", "other", "scale", "wave", "organisation"),
        private=True,
    ),
    Statistic(terms.PLANNING, "plan", _CELL, further=("n",)),
    Statistic(terms.PUBLISHED_TABLES, "audit", ("table", "row", "field"), own=True),
    Statistic(terms.CLAIMS, "audit", ("page", "quote", "table", "row", "categories", "quantity"), own=True),
    Statistic(terms.FILE_COUNTS, "files", ("wave", "file", "layout"), own=True),
    Statistic(terms.PROBLEMS, "files", ("wave", "file", "about", "problem", "action"), own=True),
    Statistic(terms.RECODINGS, "files", ("wave", "layout", "column", "variable", "raw", "value"), own=True),
    Statistic("themes", "qualitative", ("stage", "area", "organisation", "theme")),
    Statistic("coding_agreement", "qualitative", ("theme", "term", "coders")),
    Statistic(
        "joint_display",
        "qualitative",
        ("wave", "principle", "side", "scale", "organisation", "theme", "stage"),
    ),
    Statistic("observations", "qualitative", ("group", "category")),
    Statistic("timeline", "qualitative", ("kind", "label"), further=("start",)),
    Statistic("disclosure_log", "release", ("table", "wave", "organisation", "subject", "what")),
    Statistic("disclosure_summary", "release", ("table", "what")),
    Statistic("checklist", "release", ("type", "output", "statbarn", "scope")),
    Statistic("checklist_interviews", "release", ("type", "output", "statbarn", "scope")),
)

STATISTICS: Final[Mapping[str, Statistic]] = {one.name: one for one in _ALL if not one.private}
"""Every released table by its name."""

ESTIMATING: Final = ("describe", "measure", "invariance", "compare", "crosscheck", "sensitivity", "plan")
"""Stages that compute what stands under `results/statistics/`."""


def statistics(*stages: str, planned: bool, published: bool) -> list[str]:
    """Name the statistics that some stages compute for a study and that are released.

    Parameters
    ----------
    planned, published
        Whether the study plans a wave, and whether a publication is audited.
    """
    without = {*(() if planned else ("plan",)), *(() if published else ("audit",))}
    return [one.name for one in _ALL if one.stage in stages and one.stage not in without and not one.private]


# --- figures and tables -----------------------------------------------------------------------------------------


ABREAST: Final = 3
"""Most organisations side by side in a figure; more are ranked."""


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A figure or a table, or one of a kind for each of something."""

    name: str
    """Of its files. What stands in braces is one of `over`."""
    maker: str
    """`module:function` in this package, called with the tables that it reads, in their order, then the study in words,
    and as keywords what it is made for."""
    reads: tuple[str, ...]
    """Released tables without which there is none. A figure's rows are of the first."""
    place: str
    """Where it stands in the report: a section, or `section/part`."""
    over: tuple[str, ...] = ()
    """What there is one for each of: see `DIMENSIONS`."""
    needs: tuple[str, ...] = ()
    """What a study must have for it: see `NEEDS`."""

    @property
    def section(self) -> str:
        """Heading that it stands under."""
        return SECTIONS[self.place.partition("/")[0]]

    def make(self, tables: Mapping[str, Any], words: object, about: Mapping[str, str]) -> Any:
        """Make it."""
        module, _, function = self.maker.partition(":")
        make = getattr(import_module(f"surveywaves.{module}"), function)
        return make(*(tables[name] for name in self.reads), words, **about)


@dataclass(frozen=True, slots=True)
class Figure(Exhibit):
    """A figure; its maker gets a `Presentation` and returns a `Drawing`."""

    narrow: bool = False
    """Whether it is drawn for a telephone as well."""


@dataclass(frozen=True, slots=True)
class Table(Exhibit):
    """A table to paste; its maker gets `Labels` and returns a `Table`."""

    beside: tuple[str, ...] = ()
    """Released tables that its maker gets as keywords of these names where there are any."""
    folder: str = "tables"
    """Folder of its files, below `results/`."""

    def make(self, tables: Mapping[str, Any], words: object, about: Mapping[str, str]) -> Any:
        """Make it."""
        further = {name: tables[name] for name in self.beside if name in tables}
        return Exhibit.make(self, tables, words, {**about, **further})


FIGURES: Final = (
    Figure(
        "change_profile",
        "figures.change:change_profile",
        ("contrasts", "means"),
        "summary",
        needs=("scales", "several_waves"),
        narrow=True,
    ),
    Figure(
        "profile", "figures.levels:profile", ("means",), "summary", needs=("scales", "one_wave"), narrow=True
    ),
    Figure("respondents", "figures.respondents:respondents", ("respondents",), "first", needs=("variables",)),
    Figure(
        "ranking",
        "figures.levels:profile",
        ("means",),
        "scales",
        needs=("scales", "several_waves", "many"),
        narrow=True,
    ),
    Figure("gradient", "figures.levels:gradient", ("means",), "scales", needs=("gradient",), narrow=True),
    Figure(
        "likert_{group}",
        "figures.likert:likert",
        ("item_frequencies", "item_summary"),
        "scales/{group}",
        over=("group",),
    ),
    Figure(
        "differences_in_change",
        "figures.change:differences_in_change",
        ("contrasts",),
        "parted",
        needs=("scales", "several_waves", "several_organisations"),
        narrow=True,
    ),
    Figure(
        "robustness",
        "figures.robustness:robustness",
        ("sensitivity",),
        "sure",
        needs=("scales", "compared"),
    ),
    Figure(
        "heat_map_{page}",
        "figures.heat_map:heat_map",
        ("item_summary", "item_contrasts"),
        "statements",
        over=("page",),
    ),
    Figure("planning", "figures.planning:planning", ("planning",), "planning", needs=("scales",)),
)
"""Every figure, in the order of the report, in which they are drawn."""

TABLES: Final = (
    Table("waves", "tables.respondents:waves", ("response_rates",), "first"),
    Table("respondents", "tables.respondents:respondents", ("respondents",), "first"),
    Table(
        "change_{unit}",
        "tables.change:change",
        ("contrasts", "means"),
        "scales/overview",
        over=("unit",),
        needs=("scales", "several_waves"),
    ),
    Table(
        "levels_{unit}",
        "tables.change:levels",
        ("means",),
        "scales/overview",
        over=("unit",),
        needs=("scales", "one_or_many_waves"),
    ),
    Table(
        "other_changes_{unit}",
        "tables.change:other_changes",
        ("contrasts", "means"),
        "scales/overview",
        over=("unit",),
        needs=("scales", "further_waves"),
    ),
    Table(
        "gap_{unit}",
        "tables.change:gap",
        ("contrasts", "means"),
        "parted",
        over=("unit",),
        needs=("scales", "several_organisations"),
    ),
    Table("robustness", "tables.robustness:robustness", ("agreement",), "sure", needs=("scales", "compared")),
    Table("missing", "tables.respondents:missing", ("missing",), "sure"),
    Table(
        "assumptions",
        "tables.robustness:assumptions",
        ("diagnostics",),
        "checks",
        beside=("variances",),
        needs=("scales",),
    ),
    Table(
        "statements",
        "tables.statements:statements",
        ("item_summary",),
        "answers",
        beside=("item_contrasts",),
    ),
    Table("files", "tables.data:files", ("file_counts",), "data", beside=("problems",)),
    Table(
        "answers_{battery}",
        "tables.statements:answers",
        ("item_frequencies",),
        "answers/{battery}",
        over=("battery",),
        beside=("published_tables",),
    ),
    Table(
        "reliability",
        "tables.measures:reliability",
        ("reliability",),
        "reliability",
        beside=("scale_use",),
        needs=("scales",),
    ),
    Table("structure", "tables.measures:structure", ("structure",), "reliability", needs=("scales",)),
    Table("dif", "tables.measures:dif", ("dif",), "alike", needs=("scales", "compared")),
    Table("misprints", "tables.data:misprints", ("published_tables",), "audit", beside=("titles",)),
    Table("claims", "tables.data:claims", ("claims",), "audit"),
    Table("wordings", "tables.data:wordings", (), "wordings"),
    Table("events", "tables.data:events", (), "data", needs=("events_alone",)),
    Table("planning", "tables.robustness:planning", ("planning",), "planning", needs=("scales",)),
    Table("disclosure", "tables.data:disclosure", ("disclosure_summary",), "software"),
)
"""Every table, in the order of the report. One that comes out without rows is left out."""


INTERVIEW_FIGURES: Final = (
    Figure("joint_display", "qualitative.figure:joint_display", ("joint_display",), "interviews"),
    Figure("timeline", "qualitative.figure:timeline", ("timeline",), "interviews"),
    Figure("themes", "qualitative.figure:themes", ("themes",), "coding"),
)
"""Every figure of the coded material; kept apart from `FIGURES`, so that a change to it redraws no survey figure."""

INTERVIEW_TABLES: Final = (
    Table(
        "joint_display",
        "qualitative.table:joint_display",
        ("joint_display",),
        "coding",
        folder="tables_interviews",
    ),
    Table("themes", "qualitative.table:themes", ("themes",), "coding", folder="tables_interviews"),
    Table(
        "coding_agreement",
        "qualitative.table:coding",
        ("coding_agreement",),
        "coding",
        folder="tables_interviews",
    ),
    Table(
        "observations",
        "qualitative.table:observations",
        ("observations",),
        "coding",
        folder="tables_interviews",
    ),
)
"""Every table of the coded material."""


# --- of a study -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class One:
    """A figure or a table of a study, before it is made."""

    name: str
    place: str
    """Without braces."""
    about: Mapping[str, str]
    """What it is made for: a variable, a scale, a term."""
    exhibit: Exhibit
    """Its entry."""

    def make(self, tables: Mapping[str, Any], words: object) -> Any:
        """Make it from released tables."""
        return self.exhibit.make(tables, words, self.about)


def figures(presentation: Presentation, published: bool) -> tuple[One, ...]:
    """List the figures of a study, in their order.

    Parameters
    ----------
    presentation
        The study in words.
    published
        Whether a publication is audited.
    """
    there = statistics(*ESTIMATING, "audit", planned=presentation.planning is not None, published=published)
    return tuple(of_study(FIGURES, presentation, dict.fromkeys(there)))


def interview_figures(presentation: Presentation, tables: Iterable[str]) -> tuple[One, ...]:
    """List the figures of a study's coded material whose tables exist."""
    return tuple(of_study(INTERVIEW_FIGURES, presentation, dict.fromkeys(tables)))


def in_gallery(presentation: Presentation, published: bool) -> tuple[One, ...]:
    """Choose figures for a page that shows one of each kind: of one scale, where there is one a scale.

    The scale is the last of those that the study puts in an order, or else the last of all.
    """
    groups = item_groups(presentation)
    gradient = presentation.style.gradient
    shown = [name for name in (gradient.scales if gradient else groups) if name in groups]
    return tuple(
        one
        for one in figures(presentation, published)
        if one.about.get("group") in (None, *shown[-1:]) and one.about.get("page") in (None, "1")
    )


def of_study(
    exhibits: Iterable[Exhibit], presentation: Presentation, frames: Mapping[str, Any]
) -> Iterator[One]:
    """Go through what a study has; of kinds beside each other that there is one of for the same, all of one first.

    Parameters
    ----------
    exhibits
        `FIGURES` or `TABLES`. Whoever takes this list takes the modules that it names: see `surveywaves.freshness`.
    presentation
        The study in words.
    frames
        Released tables by name, and for `TABLES` also `codebook` and the `titles` of printed tables, as far as there
        are any.
    """
    for over, kinds in groupby(exhibits, key=lambda exhibit: exhibit.over):
        had = [
            kind
            for kind in kinds
            if all(name in frames for name in kind.reads)
            and all(NEEDS[need](presentation) for need in kind.needs)
        ]
        if not had:
            continue
        for values in product(*(DIMENSIONS[name](presentation, frames) for name in over)):
            about = dict(zip(over, values, strict=True))
            for kind in had:
                yield One(kind.name.format(**about), kind.place.format(**about), about, kind)


def item_groups(presentation: Presentation) -> tuple[str, ...]:
    """List the scales that have items, in the study's order, and `WITHOUT_SCALE` if some items have no scale."""
    used = {item.scale for item in presentation.items.values()}
    scales = [scale for scale in presentation.scales if scale in used]
    return (*scales, terms.WITHOUT_SCALE) if None in used else tuple(scales)


NEEDS: Final[Mapping[str, Callable[[Presentation], bool]]] = {
    "scales": lambda study: bool(study.scales),
    "events_alone": lambda study: bool(study.events) and study.qualitative is None,
    "gradient": lambda study: study.style.gradient is not None,
    "variables": lambda study: len(study.organisations) > 1 or bool(study.variables),
    "one_wave": lambda study: len(study.waves) == 1,
    "several_waves": lambda study: len(study.waves) > 1,
    "further_waves": lambda study: len(study.waves) > 2,
    "one_or_many_waves": lambda study: len(study.waves) != 2,
    "several_organisations": lambda study: len(study.organisations) > 1,
    "many": lambda study: len(study.organisations) > ABREAST,
    "compared": lambda study: len(study.waves) > 1 or len(study.organisations) > 1,
}
"""What a study may have to have."""

DIMENSIONS: Final[Mapping[str, Callable[[Presentation, Mapping[str, Any]], Iterable[str]]]] = {
    "group": lambda study, _: item_groups(study),
    "battery": lambda study, _: batteries(study),
    "page": lambda study, _: pages(study),
    "unit": lambda *_: SHOWN_UNITS,
}
"""What there may be one for each of, and what these are in a study."""


def pages(presentation: Presentation) -> dict[str, dict[str, list[Item]]]:
    """Share the statements out on pages of about the same length, each scale under its heading.

    Returns
    -------
    dict
        Number of a page -> group of items -> its items there.
    """
    lines: list[tuple[str, Item]] = [
        (group, item)
        for group in item_groups(presentation)
        for item in presentation.items.values()
        if (item.scale or terms.WITHOUT_SCALE) == group
    ]
    count = -(-len(lines) // STATEMENTS_A_PAGE)
    found: dict[str, dict[str, list[Item]]] = {}
    ends = [round(len(lines) * (page + 1) / count) for page in range(count)]
    for place, (group, item) in enumerate(lines):
        rest = sum(other == group for other, _ in lines[:place])
        # A scale stays together: it is where its first statement is, unless it fills a page itself.
        first = place - rest if rest < STATEMENTS_A_PAGE else place
        page = next(number for number, end in enumerate(ends, 1) if first < end)
        found.setdefault(str(page), {}).setdefault(group, []).append(item)
    return found


STATEMENTS_A_PAGE: Final = 31


def batteries(presentation: Presentation) -> dict[str, list[Item]]:
    """Set items with different response options apart, which cannot share a table's columns.

    Returns
    -------
    dict
        A group of items, or a group and a number from 2 -> items that share their response options.
    """
    found: dict[str, list[Item]] = {}
    for group in item_groups(presentation):
        options: dict[str, list[Item]] = {}
        for item in presentation.items.values():
            if (item.scale or terms.WITHOUT_SCALE) == group:
                options.setdefault(item.response_scale, []).append(item)
        for number, items in enumerate(options.values()):
            found[group + (f"_{number + 1}" if number else "")] = items
    return found
