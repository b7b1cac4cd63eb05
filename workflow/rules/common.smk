# What all stages stand on. The study as config/ describes it, the names of what is built from it, and the package
# modules that a script's result depends on.
import os
import re
import sys
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError

HOME = Path(workflow.basedir)

# Jobs import the package that lies beside this workflow, whatever else is installed.
PACKAGES = str(HOME / "workflow")
sys.path.insert(0, PACKAGES)
os.environ.update(
    PYTHONPATH=os.pathsep.join(filter(None, [PACKAGES, os.environ.get("PYTHONPATH")])),
    # One thread a job. The linear algebra is small, and sums come out in the same order everywhere.
    OMP_NUM_THREADS="1",
    OPENBLAS_NUM_THREADS="1",
    MKL_NUM_THREADS="1",
)

from surveywaves import catalogue
from surveywaves.errors import SurveywavesError
from surveywaves.exports.dataset import ExportPart
from surveywaves.pin.cause import to_pin
from surveywaves.study import load_study
from surveywaves.study.models import FigureStyle
from surveywaves.study.parts import HarmonisingPart, Presentation, ReadingPart

CONFIG = Path(config.get("study", "config"))
try:
    STUDY = load_study(CONFIG)
    STUDY.require_raw_files()
except SurveywavesError as error:
    raise WorkflowError(
        "The study cannot run as it is described:", *str(error).splitlines()
    )

WAVES = [wave.name for wave in STUDY.waves]
PUBLISHED = STUDY.config.published
PLANNING = STUDY.config.analysis.planning
PRESENTATION = Presentation.of(STUDY)
# A colour is no word: what takes only the words does not rerun when the looks change.
WORDS = PRESENTATION.model_copy(update={"style": FigureStyle()})
FIGURES = catalogue.figures(PRESENTATION, published=PUBLISHED is not None)
EXISTING = {"planned": PLANNING is not None, "published": PUBLISHED is not None}
STATISTICS = catalogue.statistics(*catalogue.ESTIMATING, **EXISTING)
AUDIT = catalogue.statistics("audit", **EXISTING)
SHOWN = [*STATISTICS, *AUDIT]
RELEASED = [*SHOWN, *catalogue.statistics("files", **EXISTING)]
EXPORTS = [
    "responses.sav",
    "responses.dta",
    "responses.csv",
    "codebook.csv",
    "codebook.xml",
]
LIMITATIONS = [
    str(path) for path in [CONFIG / "report/limitations.md"] if path.exists()
]


wildcard_constraints:
    wave="|".join(WAVES),


def code_of(script, makers=()):
    """List a script, its package modules, the modules these import, and so on: Snakemake does not see imports.

    Nor does anybody see those that the catalogue names as makers of figures or tables.
    """
    package = HOME / "workflow/surveywaves"
    first = HOME / "workflow/scripts" / script
    names, found = [*_imported(first), *makers], {first}
    while names:
        path = package.joinpath(*names.pop().split(".")[1:])
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if path.exists() and path not in found:
            found.add(path)
            names += _imported(path)
    return sorted(os.path.relpath(path) for path in found)


IMPORT = re.compile(
    r"^\s*(?:from (surveywaves[\w.]*) import (\([^)]*\)|.*)|import (surveywaves[\w.]*))",
    re.MULTILINE,
)


@cache
def _imported(path):
    # By pattern: parsing a hundred modules at every start would cost half a second.
    found = set()
    for package, names_in, module_ in IMPORT.findall(path.read_text(encoding="utf-8")):
        found.add(package or module_)
        found.update(f"{package}.{name}" for name in re.findall(r"\w+", names_in))
    return sorted(found)


def raw_files(wildcards):
    """List a wave's raw files."""
    return [file.path for file in STUDY.wave(wildcards.wave).file.files]


def reading(wildcards):
    """Give what ingest needs to know of a wave."""
    return ReadingPart.of(STUDY.wave(wildcards.wave)).model_dump(mode="json")


def harmonising(wildcards):
    """Give what harmonise needs to know of a wave."""
    return HarmonisingPart.of(STUDY, STUDY.wave(wildcards.wave)).model_dump(mode="json")


def instrument(*columns):
    """Give what is asked for of the items (scale, section, key, points, favourable): numbers, no word of text."""

    def about(item):
        responses = STUDY.config.response_scales[item.response_scale]
        return {
            "scale": item.scale,
            "section": item.section,
            "key": item.key,
            "points": responses.points,
            "favourable": list(responses.favourable),
        }

    return [
        {"item": item.item, **{name: about(item)[name] for name in columns}}
        for item in STUDY.items
    ]


def analysis(*keys):
    """Give the choices of the analysis that a rule asks for."""
    return STUDY.config.analysis.model_dump(mode="json", include=set(keys))


def surveyed():
    """Give the organisations that each wave surveyed."""
    return {wave.name: list(wave.file.organisations_surveyed) for wave in STUDY.waves}


def levels():
    """Give the levels of each grouping variable."""
    return {
        name: list(variable.levels) for name, variable in STUDY.config.variables.items()
    }


def populations():
    """Give how many could have answered each wave (None: unknown)."""
    return {wave.name: wave.file.population.size for wave in STUDY.waves}


def approximate():
    """Name the waves whose population is an estimate."""
    return [wave.name for wave in STUDY.waves if wave.file.population.approximate]


def printed_cells():
    """Give the item that each printed table row is about."""
    return [
        {
            "table": str(item.published_table),
            "row": str(item.published_row),
            "item": item.item,
        }
        for item in STUDY.items
        if item.published_table is not None
    ]


def printed_choices():
    """Give the labels of the levels of each variable whose counts are printed."""
    known = {name: variable.levels for name, variable in STUDY.config.variables.items()}
    known["organisation"] = STUDY.config.organisations
    return {name: dict(known[name]) for name in PUBLISHED.single_choice}


def released(tables):
    """Name released tables, those that everybody may see: figures, tables and report read no others."""
    return {table: f"results/released/{table}.parquet" for table in tables}


def of_tables():
    """Name what the tables of the report and of `results/tables/` are made from."""
    titles = {"titles": PUBLISHED.titles} if PUBLISHED else {}
    return {
        **released(RELEASED),
        "disclosure_summary": "results/released/disclosure_summary.csv",
        "codebook": "results/pooled/codebook.tsv",
        **titles,
    }


def publication():
    """Give what the printed tables are about (None: there is no publication)."""
    if not PUBLISHED:
        return None
    return {
        "wave": PUBLISHED.wave,
        "cells": printed_cells(),
        "categories": list(PUBLISHED.categories),
        "choices": printed_choices(),
    }


def to_be_pinned(wildcards):
    """List what a pin takes; nothing, so that nothing is computed for it, if its script is going to refuse it."""
    try:
        to_pin(config, Path())
    except SurveywavesError:
        return []
    return PINNED


def report_templates():
    """List the report's templates, style and behaviour."""
    return sorted(
        os.path.relpath(path)
        for path in (HOME / "workflow/report").iterdir()
        if path.is_file()
    )


def as_json(part):
    """Give a part of the study as JSON in which no label ends a script: Snakemake's report shows params as they are."""
    return part.model_dump_json().replace("<", "\\u003c")


def evidence():
    """Say what the data of each wave are."""
    return {name: words.evidence.value for name, words in WORDS.waves.items()}


def of_figures(*formats):
    """List the files of every figure."""
    return [
        f"results/figures/{one.name}.{format}" for one in FIGURES for format in formats
    ]


def drawn():
    """Give every figure in every format, as `snakemake --report` is to show it: under the report's headings."""
    formats = catalogue.FIGURE_FORMATS
    return [_drawn(one, format) for one in FIGURES for format in formats]


def _drawn(one, format):
    flagged = report(
        f"results/figures/{one.name}.{format}",
        caption="../report/captions/figure.rst",
        category="Figures",
        subcategory=one.exhibit.section,
        labels={"figure": one.name.replace("_", " "), "format": format.upper()},
    )
    return flagged
