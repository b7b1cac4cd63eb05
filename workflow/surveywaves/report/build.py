"""The report, from tables, drawings and sections to one document that page and paper both show.

The sections come as Markdown. Here each figure and table gets its place and its number, headings get names, and links
to what does not exist become plain words. Pandoc writes the text once for the screen and once for paper; what only one
form can read is in it as a raw block, which the other form leaves out. The two forms only say how these things look:
`page.render`, `paper.typeset`.
"""

from __future__ import annotations

import html
import platform
import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import pandas as pd
import pypandoc  # type: ignore[import-untyped]

from surveywaves.catalogue import INTERVIEW_TABLES, SHOWN_UNITS, TABLES
from surveywaves.report import summary
from surveywaves.report.numbers import Material, Section
from surveywaves.report.sections import MARK, sections, strip
from surveywaves.study.parts import Presentation
from surveywaves.tables import Table
from surveywaves.tables.made import made
from surveywaves.text import unique, visible
from surveywaves.words import Labels

READS: Final = "commonmark-raw_html+fenced_divs+bracketed_spans+attributes+raw_attribute"
"""What the sections are written in."""

WRITER: Final = Path(__file__).parents[2] / "report" / "both.lua"
"""What pandoc writes them with, in both forms."""

CALL: Final = re.compile(r'#exhibit\("([\w-]+)"\)')
"""Stands for a figure or a table in a chapter: a call for typst, and in a comment for the screen."""

PACKAGES: Final = (
    "surveywaves",
    "numpy",
    "scipy",
    "pandas",
    "pyarrow",
    "statsmodels",
    "pingouin",
    "matplotlib",
    "seaborn",
    "pypandoc_binary",
    "typst",
    "snakemake",
)
"""Packages whose version can change a number or its looks."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A figure or a table in its place."""

    kind: str
    name: str
    """`figure` or `table`, and its name in the catalogue."""
    number: str
    """`3` in the body, `A3` in the appendix; empty where it is a file only."""
    title: str
    caption: str = ""
    alt: str = ""
    svg: str = ""
    narrow: str = ""
    """Of a figure, the last its drawing for a small screen if there is one; of a table the title alone."""
    table: Table | None = None
    """The table."""
    unit: str = ""
    """What its numbers are in, where there is one of the same kind in another unit."""
    folder: str = "tables"
    """Where its files lie, below `results/`; empty where it has none."""

    @property
    def id(self) -> str:
        """What a link to it names."""
        return f"{self.kind}-{self.name}"

    @property
    def label(self) -> str:
        """`Table 3`."""
        return f"{self.kind.capitalize()} {self.number}"


@dataclass(frozen=True)
class Report:
    """All that a report says."""

    title: str
    headline: str
    """What the study is called; what was found, in a line."""
    strip: str
    """What is invented in the data, as Markdown; empty where everything is observed."""
    chapters: tuple[Section, ...]
    """In their order."""
    shown: Mapping[str, Shown]
    """Figures and tables by `Shown.id`, in the order of the report."""
    units: Mapping[str, str]
    """Units of the tables that are there in more than one -> in words; the headline's first."""
    version: str = ""
    """Of this program; empty where it is not said."""
    paper: str = "report.pdf"
    """Name of the file that has it for print; empty if there is none."""

    @cached_property
    def front(self) -> Shown | None:
        """The figure of the summary."""
        names = (call[1] for one in self.chapters[:1] for call in CALL.finditer(one.text))
        return next((self.shown[name] for name in names if name.startswith("figure-")), None)

    @cached_property
    def written(self) -> dict[str, tuple[str, list[str]]]:
        """The strip and each chapter, as `typst` and as `html`; `#exhibit(...)` marks figures and tables."""
        # In one call, which is quicker, and split at marks that no text can produce.
        said = as_it_is("html", "//part//") + as_it_is("typst", "//part//")
        parts = said.join([self.strip, *(one.text for one in self.chapters)])
        both = pypandoc.convert_text(parts, str(WRITER), READS, ["--wrap=none"])
        forms = (re.split(r"^//part//$", form, flags=re.M) for form in both.split("\n//form//\n"))
        return {name: (strip, texts) for name, (strip, *texts) in zip(("typst", "html"), forms, strict=True)}


def assemble(
    tables: Mapping[str, pd.DataFrame],
    captions: pd.DataFrame,
    figures: Mapping[str, str],
    presentation: Presentation,
    *,
    narrow: Mapping[str, str] | None = None,
    disclosure: str = "",
    limitations: str = "",
    session: Mapping[str, str] | None = None,
) -> Report:
    """Gather all that the report says, for every form that it is shown in.

    Parameters
    ----------
    tables
        Released frames by name, with the columns that `docs/files.md` gives them, `disclosure_summary` among them;
        `codebook` (`pooled/codebook.tsv`), and the `titles` of printed tables. What is absent is left out.
    captions
        `figures/captions.tsv`.
    figures
        Name of a figure -> its drawing, SVG text. Those without a row of captions show nothing, and are left out.
    presentation
        The study in words.
    narrow
        Name of a figure -> its drawing for a small screen, SVG text.
    disclosure
        What was withheld, in a sentence.
    limitations
        The study's own limitations, Markdown.
    session
        What the report was made with: name -> version.
    """
    said = {
        str(row["figure"]): {str(key): visible(str(value)) for key, value in row.items()}
        for row in captions.to_dict("records")
    }
    material = Material(
        tables=tables,
        presentation=presentation,
        captions=said,
        figures={name: svg for name, svg in figures.items() if name in said},
        made={
            one.name: (one, table)
            for one, table in made(tables, Labels(presentation), (*TABLES, *INTERVIEW_TABLES))
        },
        limitations=limitations,
        disclosure=disclosure.strip(),
        session=session or {},
    )
    texts = list(sections(material))
    return arranged(
        texts,
        _numbered(texts, material, narrow or {}),
        title=presentation.title,
        headline=summary.headline(material),
        strip=strip(material),
        version=(session or {}).get("surveywaves", ""),
    )


def arranged(
    texts: Sequence[Section], exhibits: Iterable[Shown], *, title: str, headline: str, strip: str, **more: str
) -> Report:
    """Make a report of sections and of the figures and tables that stand in them; `more` is as `Report` has it."""
    shown = {one.id: one for one in exhibits}
    there = {*shown, *(one.name for one in texts)}
    return Report(
        title=visible(title),
        headline=visible(headline),
        strip=_linked(strip, there),
        chapters=tuple(replace(one, text=_linked(_placed(one, there), there)) for one in texts),
        shown=shown,
        units=UNITS if {one.unit for one in shown.values()} >= set(UNITS) else {},
        **more,
    )


LONGEST: Final = 100
"""Most rows of a table in the report; a longer one is only a file."""

UNITS: Final = {"percent_favourable": "% favourable", "linear": "points of the scale"}
"""Units of tables that there are in more than one, in words."""


def packages() -> dict[str, str]:
    """Return the versions of Python and of the packages that the results rest on, as far as they are installed.

    No time and no place: the report is the same on every machine with the same environment.
    """
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def fonts() -> list[str]:
    """Return the folder of matplotlib's fonts: those of the drawings, with signs that typst's fonts lack."""
    found = find_spec("matplotlib")
    return [f"{place}/mpl-data/fonts/ttf" for place in (found and found.submodule_search_locations) or ()]


# --- places, numbers, names --------------------------------------------------------------------------------------


def as_it_is(form: str, text: str) -> str:
    """Return a raw block of Markdown, which only `html` or only `typst` reads."""
    return f"\n\n```{{={form}}}\n{text}\n```\n\n"


def _numbered(texts: Iterable[Section], material: Material, narrow: Mapping[str, str]) -> Iterator[Shown]:
    """Return the figures and tables that have a place, numbered in the order of the report."""
    counts: Counter[tuple[str, bool]] = Counter()
    numbers: dict[tuple[str, str], str] = {}
    for section in texts:
        for kind, name in MARK.findall(section.text):
            if (kind, name) in numbers or name not in (
                material.figures if kind == "figure" else material.made
            ):
                continue
            number = f"{'A' if section.appendix else ''}{counts[kind, section.appendix] + 1}"
            if kind == "figure":
                title, caption, alt = (
                    material.captions[name].get(key, "") for key in ("title", "caption", "alt")
                )
                svg = material.figures[name]
                one = Shown(
                    kind, name, number, title, caption, alt, svg, narrow.get(name, ""), folder="figures"
                )
            else:
                about, table = material.made[name]
                unit = about.about.get("unit", "")
                # The same in another unit has the same number.
                if first := unit and numbers.get((kind, name.replace(unit, SHOWN_UNITS[0]))):
                    number = f"{first}b"
                elif len(table.rows) > LONGEST:
                    number = ""
                folder = getattr(about.exhibit, "folder", "tables")
                one = Shown(kind, name, number, visible(table.title), table=table, unit=unit, folder=folder)
            numbers[kind, name] = number
            counts[kind, section.appendix] += number[-1:].isdigit()
            yield one


def _placed(section: Section, there: Container[str]) -> str:
    """Replace the marks of figures and tables by calls, each once, and give headings their names."""
    taken: set[str] = set()

    def exhibit(found: re.Match[str]) -> str:
        name = "-".join(found.groups())
        if name not in there or name in taken:
            return ""
        taken.add(name)
        call = f'#exhibit("{name}")'
        return as_it_is("html", f"<!--{call}-->") + as_it_is("typst", call)

    def heading(found: re.Match[str]) -> str:
        words = re.sub(r"[^a-z0-9]+", "-", html.unescape(found[2]).lower())[:60].strip("-")
        name = unique(f"{section.name}-{words or 'part'}", taken, "{}-{}")
        taken.add(name)
        return f"{found[1]} {found[2]} {{#{name}}}"

    return re.sub(r"^(#{2,}) (.+)$", heading, MARK.sub(exhibit, section.text), flags=re.M)


def _linked(text: str, there: Container[str]) -> str:
    """Replace links to what is not there by their words."""
    return re.sub(r"\[([^\[\]]*)\]\(#([\w-]+)\)", lambda link: link[0] if link[2] in there else link[1], text)
