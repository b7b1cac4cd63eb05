"""One list of all that is published: every statistic, figure and table, as data.

Whoever needs to know what there is reads it here: the rules (which files), release and pins (which rows are which),
figures and `results/tables/` (what to make, from what), the report (where it stands), the gallery, `snakemake --report`
(under which heading) and `surveywaves trace`. A figure or table is added by a function that makes it and an entry here.

Nothing but names: the Snakefile reads this before it starts, so a maker is called by its name and imported on use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from itertools import groupby, product
from typing import TYPE_CHECKING, Any, Final

from surveywaves.terms import WITHOUT_SCALE

if TYPE_CHECKING:
    from surveywaves.study.models import Item
    from surveywaves.study.parts import Presentation

FIGURE_FORMATS: Final = ("svg", "pdf", "png", "csv")
"""What each figure is saved as: the drawing, and the rows that it drew."""

TABLE_FORMATS: Final = ("html", "docx", "tex", "csv")
"""What each table is written as."""

ROWS_FORMAT: Final = "csv"
"""The format of a figure's rows."""

SECTIONS: Final = {
    "answer": "The answer in short",
    "waves": "What the waves are",
    "respondents": "Who answered",
    "moved": "What moved",
    "frameworks": "What the scales speak to",
    "answers": "Answers to every statement",
    "measurement": "How well the scales measure",
    "robustness": "Would another analysis say the same?",
    "planning": "Planning the next wave",
    "audit": "The publication, audited",
    "harmonisation": "How the waves were brought together",
    "methods": "Methods",
    "limitations": "Limitations",
    "disclosure": "What is rounded or withheld",
    "session": "Session information",
}
"""Section of the report -> its heading, in the order of the report."""

UNITS: Final = ("linear", "ordinal", "percent_favourable")
"""What contrasts are in: points of the response scale, log odds, percentage points. The first two are analyses."""

QUESTIONS: Final = ("power", "power_adjusted", "power_equivalence", "detectable", "conf_half_width")
"""What a plan answers by number of returns."""

# --- statistics -------------------------------------------------------------------------------------------------

_CELL: Final = ("scale", "wave", "organisation", "term")
_TESTED: Final = ("analysis", *_CELL)


@dataclass(frozen=True, slots=True)
class Statistic:
    """A table, which is released unless it is private.

    Parameters
    ----------
    name
        Of its files.
    stage
        Rule that computes it; `release` where it is about the files, or about the release itself.
    key
        Columns that together name a row.
    further
        Columns that tell rows apart which the key leaves alike; where it leaves none alike, they are results.
    own
        Whether a row that names waves is about these alone: another wave cannot move it. The rows of the others come
        from models over all waves.
    linked
        Terms whose withholding, though not their value, is decided over all waves together.
    private
        Whether it is for the release to know, and never released.
    """

    name: str
    stage: str
    key: tuple[str, ...]
    further: tuple[str, ...] = ()
    own: bool = False
    linked: tuple[str, ...] = ()
    private: bool = False


_ALL: Final = (
    Statistic("item_frequencies", "describe", ("wave", "organisation", "item", "response"), own=True),
    Statistic("item_summary", "describe", ("wave", "organisation", "item"), own=True),
    Statistic("respondents", "describe", ("wave", "organisation", "variable", "level"), own=True),
    Statistic("response_rates", "describe", ("wave",), own=True),
    Statistic("missing", "describe", ("wave", "item", "reason"), own=True),
    Statistic(
        "reliability",
        "measure",
        ("scale", "item", "wave", "organisation", "term"),
        own=True,
        linked=("floor", "ceiling"),
    ),
    Statistic("scale_use", "measure", ("scale",)),
    Statistic("dif", "measure", ("scale", "item", "wave", "organisation", "term")),
    Statistic("structure", "measure", ("scale", "item", "wave", "organisation", "term")),
    Statistic("means", "compare", _TESTED),
    Statistic("contrasts", "compare", _TESTED),
    Statistic("item_contrasts", "compare", ("analysis", "scale", "item", "wave", "organisation", "term")),
    Statistic("variances", "compare", _TESTED),
    Statistic("diagnostics", "compare", ("analysis", "scale", "item", "wave", "organisation", "term")),
    Statistic("crosscheck", "crosscheck", ("what",)),
    Statistic("sensitivity", "sensitivity", ("variant", *_TESTED)),
    Statistic("agreement", "sensitivity", ("analysis", "scale", "term", "wave", "organisation")),
    Statistic(
        "variant_people",
        "sensitivity",
        ("variant", "other", "scale", "wave", "organisation"),
        private=True,
    ),
    Statistic("planning", "plan", _CELL, further=("n",)),
    Statistic("published_tables", "audit", ("table", "row", "field"), own=True),
    Statistic("claims", "audit", ("page", "quote", "table", "row", "categories", "quantity"), own=True),
    Statistic("file_counts", "files", ("wave", "file", "layout"), own=True),
    Statistic("problems", "files", ("wave", "file", "about", "problem", "action"), own=True),
    Statistic("recodings", "files", ("wave", "layout", "column", "variable", "raw", "value"), own=True),
    Statistic("disclosure_log", "release", ("table", "wave", "organisation", "subject", "what")),
    Statistic("disclosure_summary", "release", ("table", "what")),
    Statistic("checklist", "release", ("type", "output", "statbarn", "scope")),
)

STATISTICS: Final[Mapping[str, Statistic]] = {one.name: one for one in _ALL if not one.private}
"""Every released table by its name."""

ESTIMATING: Final = ("describe", "measure", "compare", "crosscheck", "sensitivity", "plan")
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


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A figure or a table, or one of a kind for each of something.

    Parameters
    ----------
    name
        Of its files. What stands in braces is one of `over`.
    maker
        `module:function` in this package, called with the tables that it reads, in their order, then the study in
        words, and as keywords what it is made for and the options.
    reads
        Released tables without which there is none. A figure's rows are of the first.
    place
        Where it stands in the report: a section, or `section/part`.
    over
        What there is one for each of: see `DIMENSIONS`.
    needs
        What a study must have for it: see `NEEDS`.
    options
        Keywords of its maker, besides what it is made for.
    """

    name: str
    maker: str
    reads: tuple[str, ...]
    place: str
    over: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def section(self) -> str:
        """Heading that it stands under."""
        return SECTIONS[self.place.partition("/")[0]]

    def make(self, tables: Mapping[str, Any], words: object, about: Mapping[str, str]) -> Any:
        """Make it."""
        module, _, function = self.maker.partition(":")
        make = getattr(import_module(f"surveywaves.{module}"), function)
        return make(*(tables[name] for name in self.reads), words, **about, **self.options)


@dataclass(frozen=True, slots=True)
class Figure(Exhibit):
    """A figure; its maker gets a `Presentation` and gives a `Drawing`.

    Parameters
    ----------
    gallery
        Whether it stands in the gallery; of a kind for each scale, one does.
    """

    gallery: bool = True


@dataclass(frozen=True, slots=True)
class Table(Exhibit):
    """A table to paste; its maker gets `Labels` and gives a `Table`.

    Parameters
    ----------
    beside
        Released tables that its maker gets as keywords of these names where there are any.
    folded
        Whether the report shows it on demand only.
    grouped
        Whether what its first column says stands above its rows, wherever it is pasted.
    """

    beside: tuple[str, ...] = ()
    folded: bool = False
    grouped: bool = False

    def make(self, tables: Mapping[str, Any], words: object, about: Mapping[str, str]) -> Any:
        """Make it."""
        further = {name: tables[name] for name in self.beside if name in tables}
        return Exhibit.make(self, tables, words, {**about, **further})


FIGURES: Final = (
    Figure("gradient", "figures.means:gradient", ("means",), "answer", needs=("gradient",)),
    Figure("response", "figures.response:response", ("response_rates",), "respondents/returns"),
    Figure(
        "respondents_{variable}",
        "figures.respondents:respondents",
        ("respondents",),
        "respondents/{variable}",
        over=("variable",),
    ),
    Figure(
        "break_off", "figures.break_off:break_off", ("missing", "item_frequencies"), "respondents/missing"
    ),
    Figure("scale_profile", "figures.means:scale_profile", ("means",), "moved/overview", needs=("scales",)),
    Figure(
        "means_over_waves", "figures.over_time:means_over_waves", ("means",), "moved/means", needs=("scales",)
    ),
    Figure(
        "comparator",
        "figures.over_time:comparator",
        ("means",),
        "moved/means",
        needs=("scales", "throughout"),
    ),
    Figure(
        "favourable",
        "figures.means:favourable",
        ("means",),
        "moved/favourable",
        needs=("scales",),
    ),
    Figure(
        "contrasts",
        "figures.contrasts:contrasts",
        ("contrasts",),
        "moved/contrasts",
        needs=("scales", "compared"),
    ),
    Figure(
        "differences_in_change",
        "figures.contrasts:differences_in_change",
        ("contrasts",),
        "moved/contrasts",
        needs=("scales", "several_waves", "several_organisations"),
    ),
    Figure(
        "framework_{framework}",
        "figures.means:framework",
        ("means",),
        "frameworks/{framework}",
        over=("framework",),
        needs=("scales",),
    ),
    Figure("heat_map", "figures.heat_map:heat_map", ("item_summary",), "answers"),
    Figure(
        "likert_{group}",
        "figures.likert:likert",
        ("item_frequencies", "item_summary"),
        "answers/{group}",
        over=("group",),
    ),
    Figure(
        "likert_{group}_by_organisation",
        "figures.likert:likert",
        ("item_frequencies", "item_summary"),
        "answers/{group}/by_organisation",
        over=("group",),
        needs=("several_organisations",),
        options={"by_organisation": True},
    ),
    Figure(
        "reliability",
        "figures.reliability:reliability",
        ("reliability",),
        "measurement/together",
        needs=("scales",),
    ),
    Figure(
        "functioning",
        "figures.functioning:functioning",
        ("dif",),
        "measurement/alike",
        needs=("scales", "compared"),
    ),
    Figure(
        "sensitivity_{scale}",
        "figures.sensitivity:sensitivity",
        ("sensitivity",),
        "robustness/scales",
        over=("scale",),
        needs=("scales", "compared"),
    ),
    Figure("planning", "figures.planning:planning", ("planning",), "planning", needs=("scales",)),
    Figure("published_agreement", "figures.agreement:published_agreement", ("published_tables",), "audit"),
)
"""Every figure, in the order of the report, in which they are drawn."""

TABLES: Final = (
    Table("response_rates", "tables.respondents:response_rates", ("response_rates",), "waves"),
    Table("events", "tables.provenance:events", (), "waves/events", needs=("events",), folded=True),
    Table(
        "respondents_organisation",
        "tables.respondents:levels",
        ("respondents",),
        "respondents/organisation",
        options={"variable": "organisation"},
    ),
    Table(
        "respondents_{variable}",
        "tables.respondents:levels",
        ("respondents",),
        "respondents/{variable}",
        over=("variable",),
    ),
    Table(
        "respondents_{variable}_by_organisation",
        "tables.respondents:levels",
        ("respondents",),
        "respondents/{variable}",
        over=("variable",),
        needs=("several_organisations",),
        options={"by_organisation": True},
        folded=True,
    ),
    Table(
        "missing",
        "tables.respondents:missing",
        ("missing",),
        "respondents/missing",
        beside=("item_frequencies",),
    ),
    Table(
        "overview_{term}",
        "tables.estimates:overview",
        ("contrasts",),
        "moved/overview",
        over=("term",),
        needs=("scales",),
    ),
    Table(
        "means_{unit}",
        "tables.estimates:means_in",
        ("means",),
        "moved/means/{unit}",
        over=("unit",),
        needs=("scales",),
    ),
    Table(
        "{term}_{unit}",
        "tables.estimates:contrasts_in",
        ("contrasts",),
        "moved/contrasts/{unit}",
        over=("term", "unit"),
        needs=("scales",),
        grouped=True,
    ),
    Table(
        "item_{term}_{unit}",
        "tables.estimates:contrasts_in",
        ("item_contrasts",),
        "moved/items/{term}",
        over=("term", "unit"),
        needs=("scales",),
        grouped=True,
    ),
    Table(
        "variances_{analysis}",
        "tables.estimates:components",
        ("variances",),
        "moved/models",
        over=("analysis",),
        needs=("scales",),
        options={"title": "Who is in the models, and how answers vary"},
        folded=True,
    ),
    Table(
        "diagnostics",
        "tables.estimates:assumptions",
        ("diagnostics",),
        "moved/models",
        needs=("scales",),
        folded=True,
        grouped=True,
    ),
    Table("favourable", "tables.answers:favourable", ("item_summary",), "answers", folded=True, grouped=True),
    Table(
        "answers_{battery}",
        "tables.answers:answers_to",
        ("item_frequencies",),
        "answers/{battery}",
        over=("battery",),
        beside=("published_tables",),
    ),
    Table(
        "answers_{battery}_by_organisation",
        "tables.answers:answers_to",
        ("item_frequencies",),
        "answers/{battery}/by_organisation",
        over=("battery",),
        needs=("several_organisations",),
        options={"by_organisation": True},
        beside=("published_tables",),
        grouped=True,
    ),
    Table(
        "reliability",
        "tables.measures:measures",
        ("reliability",),
        "measurement/together",
        needs=("scales",),
        grouped=True,
    ),
    Table(
        "reliability_{organisation}",
        "tables.measures:measures",
        ("reliability",),
        "measurement/together",
        over=("organisation",),
        needs=("scales", "several_organisations"),
        folded=True,
        grouped=True,
    ),
    Table(
        "reliability_items",
        "tables.measures:item_measures",
        ("reliability",),
        "measurement/together",
        needs=("scales",),
        folded=True,
        grouped=True,
    ),
    Table(
        "reliability_equality",
        "tables.measures:alpha_equality",
        ("reliability",),
        "measurement/together",
        needs=("scales", "compared"),
        folded=True,
        grouped=True,
    ),
    Table(
        "scale_use",
        "tables.measures:scale_use",
        ("scale_use",),
        "measurement/together",
        needs=("scales",),
        folded=True,
    ),
    Table(
        "structure", "tables.structure:structure", ("structure",), "measurement/structure", needs=("scales",)
    ),
    Table(
        "invariance_{between}",
        "tables.structure:invariance",
        ("structure",),
        "measurement/alike",
        over=("between",),
        needs=("scales",),
    ),
    Table(
        "dif_{between}",
        "tables.measures:dif",
        ("dif",),
        "measurement/alike",
        over=("between",),
        needs=("scales",),
        folded=True,
        grouped=True,
    ),
    Table(
        "agreement_not_shared",
        "tables.estimates:not_shared",
        ("agreement",),
        "robustness/agreement",
        needs=("scales", "compared"),
        grouped=True,
    ),
    Table(
        "agreement",
        "tables.estimates:agreement",
        ("agreement",),
        "robustness/agreement",
        needs=("scales", "compared"),
        folded=True,
        grouped=True,
    ),
    Table(
        "sensitivity_{term}",
        "tables.estimates:sensitivity",
        ("sensitivity",),
        "robustness/variants",
        over=("term",),
        needs=("scales",),
        grouped=True,
    ),
    Table(
        "sensitivity_{term}_percent_favourable",
        "tables.estimates:sensitivity",
        ("sensitivity",),
        "robustness/variants",
        over=("term",),
        needs=("scales",),
        options={"percent": True},
        grouped=True,
    ),
    Table(
        "planning_{question}",
        "tables.estimates:planning",
        ("planning",),
        "planning/{question}",
        over=("question",),
        needs=("scales",),
        grouped=True,
    ),
    Table("misprints", "tables.audit:misprints", ("published_tables",), "audit/tables", beside=("titles",)),
    Table(
        "printed_{table}",
        "tables.audit:printed",
        ("published_tables",),
        "audit/tables",
        over=("table",),
        beside=("titles",),
        folded=True,
    ),
    Table("claims", "tables.audit:claims", ("claims",), "audit/claims"),
    Table("files", "tables.respondents:file_counts", ("file_counts",), "harmonisation/files"),
    Table(
        "files_problems", "tables.respondents:problems", ("problems",), "harmonisation/problems", grouped=True
    ),
    Table("comparability", "tables.provenance:comparability", (), "harmonisation/questions"),
    Table("wordings", "tables.provenance:wordings", (), "harmonisation/questions"),
    Table("codebook", "tables.provenance:codebook", ("codebook",), "harmonisation", folded=True),
    Table(
        "recodings",
        "tables.respondents:recodings",
        ("recodings",),
        "harmonisation",
        folded=True,
        grouped=True,
    ),
    Table("disclosure_summary", "tables.provenance:withheld_columns", ("disclosure_summary",), "disclosure"),
)
"""Every table, in the order of the report. One that comes out without rows is left out."""


# --- of a study -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class One:
    """A figure or a table of a study, before it is made.

    Parameters
    ----------
    name, place
        Without braces.
    about
        What it is made for: a variable, a scale, a term.
    exhibit
        Its entry.
    """

    name: str
    place: str
    about: Mapping[str, str]
    exhibit: Exhibit

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
        if isinstance(one.exhibit, Figure) and one.exhibit.gallery
        if all(one.about.get(dimension) in (None, *shown[-1:]) for dimension in ("group", "scale"))
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
    return (*scales, WITHOUT_SCALE) if None in used else tuple(scales)


def surveyed_throughout(presentation: Presentation) -> tuple[str, ...]:
    """List the organisations that every wave surveyed, where these can be followed further than the others.

    Empty where there are fewer than three waves, where no organisation is in all of them, or where all are.
    """
    waves = presentation.waves.values()
    found = tuple(
        name
        for name in presentation.organisations
        if all(name in wave.organisations_surveyed for wave in waves)
    )
    return found if len(waves) > 2 and len(found) < len(presentation.organisations) else ()


NEEDS: Final[Mapping[str, Callable[[Presentation], bool]]] = {
    "scales": lambda study: bool(study.scales),
    "events": lambda study: bool(study.events),
    "gradient": lambda study: study.style.gradient is not None,
    "several_waves": lambda study: len(study.waves) > 1,
    "several_organisations": lambda study: len(study.organisations) > 1,
    "compared": lambda study: len(study.waves) > 1 or len(study.organisations) > 1,
    "throughout": lambda study: bool(surveyed_throughout(study)),
}
"""What a study may have to have."""

DIMENSIONS: Final[Mapping[str, Callable[[Presentation, Mapping[str, Any]], Iterable[str]]]] = {
    "variable": lambda study, _: study.variables,
    "organisation": lambda study, _: study.organisations,
    "scale": lambda study, _: study.scales,
    "group": lambda study, _: item_groups(study),
    "battery": lambda study, _: batteries(study),
    "framework": lambda study, _: study.frameworks,
    "between": lambda study, _: _between(study),
    "term": lambda study, _: terms(study),
    "unit": lambda *_: UNITS,
    "analysis": lambda *_: UNITS[:2],
    "question": lambda *_: QUESTIONS,
    "table": lambda _, frames: dict.fromkeys(frames["published_tables"]["table"]),
}
"""What there may be one for each of, and what these are in a study."""


def terms(presentation: Presentation) -> tuple[str, ...]:
    """List the kinds of contrasts that a study has."""
    waves, organisations = len(presentation.waves) > 1, len(presentation.organisations) > 1
    there = {"change": waves, "gap": organisations, "difference_in_differences": waves and organisations}
    return tuple(term for term, has in there.items() if has)


def _between(presentation: Presentation) -> tuple[str, ...]:
    sizes = {"wave": len(presentation.waves), "organisation": len(presentation.organisations)}
    return tuple(name for name, size in sizes.items() if size > 1)


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
            if (item.scale or WITHOUT_SCALE) == group:
                options.setdefault(item.response_scale, []).append(item)
        for number, items in enumerate(options.values()):
            found[group + (f"_{number + 1}" if number else "")] = items
    return found
