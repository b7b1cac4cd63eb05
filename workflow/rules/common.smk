# What all stages stand on: the study as config/ describes it, and the names of what is built from it.
import errno
import os
import shlex
import shutil
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

HOME = Path(workflow.basedir)

# Jobs import the package that lies beside this workflow, whatever else is installed.
PACKAGES = str(HOME / "workflow")
sys.path.insert(0, PACKAGES)
# Snakemake gives its path to a shell as it is: a folder with a blank in its name would end it.
if os.name == "posix":
    sys.executable = shlex.quote(sys.executable)
os.environ.update(
    PYTHONPATH=os.pathsep.join(filter(None, [PACKAGES, os.environ.get("PYTHONPATH")])),
    # One thread a job. The linear algebra is small, and sums come out in the same order everywhere.
    OMP_NUM_THREADS="1",
    OPENBLAS_NUM_THREADS="1",
    MKL_NUM_THREADS="1",
    # Arrow's own allocator gives memory back and takes it again all the time: a tenth of what harmonise and pool cost.
    ARROW_DEFAULT_MEMORY_POOL="system",
    # On Windows, what a job says may hold letters that its pipe has no code for.
    PYTHONIOENCODING=os.environ.get("PYTHONIOENCODING", ":backslashreplace"),
)

from surveywaves import catalogue
from surveywaves.errors import Mistake, SurveywavesError
from surveywaves.files import closed
from surveywaves.script import mistakes_in
from surveywaves.study import load_study
from surveywaves.study.load import known_options
from surveywaves.study.models import FigureStyle
from surveywaves.study.parts import (
    ComparingPart,
    DescribingPart,
    ExportPart,
    HarmonisingPart,
    InvariancePart,
    MeasuringPart,
    PlanningPart,
    Presentation,
    PublicationPart,
    QualitativePart,
    QualitativeWords,
    ReadingPart,
    ReleasingPart,
    SensitivityPart,
    SettlingPart,
)


def require_open(*folders):
    """Refuse to go on where nothing can be written: Snakemake would end in a traceback."""
    hint = "run the study in a folder of your own, or chmod and chown this one"
    if shut := [
        Mistake(str(path), why, hint) for path in folders if (why := closed(path))
    ]:
        raise WorkflowError("The study cannot run where it lies:", *map(str, shut))


SNAKEMAKES = [
    Path(".snakemake", name) for name in ["", "metadata", "incomplete", "locks"]
]
require_open(Path(), *SNAKEMAKES, Path("results"))
# Without room for the notes that it begins with, it would, too. (A disk without size does not tell its room.)
room = shutil.disk_usage(Path())
if room.total and room.free < 1_000_000:
    full = OSError(errno.ENOSPC, "", str(Path.cwd()))
    raise WorkflowError(*map(str, mistakes_in(full, "")))
CONFIG = Path(config.get("study", "config"))
try:
    known_options(config)
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
QUALITATIVE = STUDY.qualitative
BESIDE = PRESENTATION.model_copy(update={"qualitative": QualitativeWords.of(STUDY)})
FIGURES = catalogue.figures(PRESENTATION, published=PUBLISHED is not None)
GALLERY = catalogue.in_gallery(PRESENTATION, published=PUBLISHED is not None)
EXISTING = {"planned": PLANNING is not None, "published": PUBLISHED is not None}
STATISTICS = catalogue.statistics(*catalogue.ESTIMATING, **EXISTING)
AUDIT = catalogue.statistics("audit", **EXISTING)
SHOWN = [*STATISTICS, *AUDIT]
RELEASED = [*SHOWN, *catalogue.statistics("files", **EXISTING)]
INTERVIEWS = catalogue.statistics("qualitative", **EXISTING) if QUALITATIVE else []
INTERVIEW_FIGURES = catalogue.interview_figures(BESIDE, INTERVIEWS)
OF_SHEETS = [
    "means",
    "contrasts",
    "item_contrasts",
    "item_summary",
    "respondents",
]
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


# In how many jobs compare, measure and invariance do their scales, before they put them together; with 1 there are no
# such jobs.
scattergather:
    scales=1,


SHARDS = gather.scales("{scatteritem}")


def raw_files(wildcards):
    """List a wave's raw files."""
    return [file.path for file in STUDY.wave(wildcards.wave).file.files]


def reading(wildcards):
    """Give what ingest needs to know of a wave."""
    return ReadingPart.of(STUDY.wave(wildcards.wave)).model_dump(mode="json")


def harmonising(wildcards):
    """Give what harmonise needs to know of a wave."""
    return HarmonisingPart.of(STUDY, STUDY.wave(wildcards.wave)).model_dump(mode="json")


def shards(stage):
    """List what the jobs find among which a stage is split; nothing where it is not."""
    files = [f"results/shards/{stage}/{item}.parquet" for item in SHARDS]
    return files if len(files) > 1 else []


def released(tables):
    """Name released tables, those that everybody may see: figures, tables and report read no others."""
    return {table: f"results/released/{table}.parquet" for table in tables}


def to_be_pinned(wildcards):
    """List what a pin takes; nothing, so that nothing is computed for it, if its script is going to refuse it."""
    from surveywaves.pin.cause import to_pin  # pandas: only for who pins

    try:
        to_pin(config, Path())
    except SurveywavesError:
        return []
    return PINNED


def as_it_is(value):
    """Give a value by a function, as rules take it: in it, and not in a text, Snakemake leaves `{word}` alone."""
    return lambda wildcards: value


def templates_in(*folders):
    """List the templates, styles and behaviour in folders of the workflow."""
    listed = (path for folder in folders for path in (HOME / folder).iterdir())
    return as_it_is(sorted(os.path.relpath(path) for path in listed if path.is_file()))


def as_json(part):
    """Give a part of the study as JSON in which no label ends a script: Snakemake's report shows params as they are."""
    return as_it_is(part.model_dump_json().replace("<", "\\u003c"))


def evidence():
    """Say what the data of each wave are."""
    return {name: words.evidence.value for name, words in WORDS.waves.items()}


def of_tables():
    """Name what the tables of the report and of `results/tables/` are made from."""
    titles = {"titles": PUBLISHED.titles} if PUBLISHED else {}
    return {
        **released(RELEASED),
        "disclosure_summary": "results/released/disclosure_summary.csv",
        "codebook": "results/pooled/codebook.tsv",
        **titles,
    }


def of_figures(*formats):
    """List the files of every figure."""
    every = [*FIGURES, *INTERVIEW_FIGURES]
    return [
        f"results/figures/{one.name}.{format}" for one in every for format in formats
    ]


def narrow():
    """List the drawings for telephones."""
    wanted = [one.name for one in FIGURES if one.exhibit.narrow]
    return [f"results/figures/{catalogue.NARROW}/{name}.svg" for name in wanted]


def slides(figures):
    """List the slide of each figure."""
    return [f"results/figures/{catalogue.SLIDES}/{one.name}.png" for one in figures]


def captions():
    """List the files of what is said beside the figures."""
    own = ["results/figures/captions_interviews.tsv"] if QUALITATIVE else []
    return ["results/figures/captions.tsv", *own]


def drawn(figures):
    """Give each figure in every format, as `snakemake --report` is to show it: under the report's headings."""
    formats = catalogue.FIGURE_FORMATS
    return [_drawn(one, format) for one in figures for format in formats]


def _drawn(one, format):
    flagged = report(
        f"results/figures/{one.name}.{format}",
        caption="../report/captions/figure.rst",
        category="Figures",
        subcategory=one.exhibit.section,
        labels={"figure": one.name.replace("_", " "), "format": format.upper()},
    )
    return flagged
