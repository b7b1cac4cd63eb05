"""The report, from tables, drawings and sections to one document that page and paper both show.

The sections come as Markdown. Pandoc reads them once, all together, and gives a tree; here each figure and table gets
its place and its number, headings and links get names that exist, and what a reader takes away gets its address. The
two forms only say how these things look: `page.render`, `paper.typeset`.
"""

from __future__ import annotations

import json
import platform
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, TypeAlias

import pandas as pd
import pypandoc  # type: ignore[import-untyped]

from surveywaves import catalogue
from surveywaves.catalogue import INTERVIEW_TABLES, SHOWN_UNITS, TABLES
from surveywaves.report import summary
from surveywaves.report.numbers import Material, Section
from surveywaves.report.sections import sections
from surveywaves.study.parts import Presentation
from surveywaves.tables import Table
from surveywaves.tables.made import made
from surveywaves.text import unique
from surveywaves.words import Labels

Node: TypeAlias = dict[str, Any]
"""A block or an inline of pandoc's tree: `t` its kind, `c` what is in it."""

READS: Final = (
    "commonmark-raw_html+fenced_divs+bracketed_spans+attributes+pipe_tables+definition_lists+footnotes"
)
"""What the sections are written in."""

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
    "great-tables",
    "pypandoc_binary",
    "typst",
    "snakemake",
)
"""Packages whose version can change a number or its looks."""

_MARK: Final = re.compile(r"^\[\[(?:(figure|table):([A-Za-z0-9_]+)|(files))\]\][ \t]*$", re.MULTILINE)
_UNSEEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Shown:
    """A figure or a table in its place.

    Parameters
    ----------
    kind, name
        `figure` or `table`, and its name in the catalogue.
    number
        `3` in the body, `A3` in the appendix; empty where it is a file only.
    title, caption, alt, svg, narrow
        Of a figure, the last its drawing for a small screen if there is one; of a table the title alone.
    table
        The table.
    unit
        What its numbers are in, where there is one of the same kind in another unit.
    folder
        Where a table's files lie, below `results/`.
    """

    kind: str
    name: str
    number: str
    title: str
    caption: str = ""
    alt: str = ""
    svg: str = ""
    narrow: str = ""
    table: Table | None = None
    unit: str = ""
    folder: str = "tables"

    @property
    def id(self) -> str:
        """What a link to it names."""
        return f"{self.kind}-{self.name}"

    @property
    def label(self) -> str:
        """`Table 3`."""
        return f"{self.kind.capitalize()} {self.number}"


@dataclass(frozen=True, slots=True)
class Chapter:
    """A section as pandoc's blocks, without its heading."""

    name: str
    title: str
    appendix: bool
    blocks: list[Node]

    def headings(self) -> Iterator[tuple[str, str]]:
        """Give id and text of its headings of the first level below its own."""
        for block in self.blocks:
            if block["t"] == "Header" and block["c"][0] == 2:
                yield block["c"][1][0], text_of(block["c"][2])


@dataclass(frozen=True)
class Report:
    """All that a report says.

    Parameters
    ----------
    title, headline
        What the study is called; what was found, in a line.
    strip
        What is invented in the data, as a block; None where everything is observed.
    chapters
        In their order.
    shown
        Figures and tables by `Shown.id`, in the order of the report.
    units
        Units of the tables that are there in more than one -> in words; the headline's first.
    pandoc
        Version of pandoc's tree.
    version
        Of this program.
    """

    title: str
    headline: str
    strip: list[Node] | None
    chapters: tuple[Chapter, ...]
    shown: Mapping[str, Shown]
    units: Mapping[str, str]
    pandoc: Sequence[int]
    version: str

    @cached_property
    def front(self) -> Shown | None:
        """The figure of the summary."""
        named = [div_name(block) for block in self.chapters[0].blocks] if self.chapters else []
        return next((self.shown[name] for name in named if name.startswith("figure-")), None)

    def write(self, blocks: list[Node], form: str) -> str:
        """Write blocks as `html5` or `typst`."""
        tree = {"pandoc-api-version": self.pandoc, "meta": {}, "blocks": blocks}
        return pandoc(json.dumps(tree), form, "json")


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
        Name of a figure -> its drawing, SVG text. Figures without a caption are left out.
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
    labels = Labels(presentation)
    material = Material(
        tables=tables,
        presentation=presentation,
        captions=said,
        figures={name: svg for name, svg in figures.items() if name in said},
        made={one.name: (one, table) for one, table in made(tables, labels, (*TABLES, *INTERVIEW_TABLES))},
        limitations=limitations,
        disclosure=disclosure.strip(),
        session=session or {},
    )
    texts = list(sections(material))
    tree = json.loads(pandoc(_joined(texts, summary.strip(material)), "json", READS))
    parts = _apart(tree["blocks"], texts)
    first = parts.pop("")
    shown = _numbered(parts, material, narrow or {})
    taken: set[str] = set()
    chapters = tuple(
        Chapter(one.name, one.title, appendix, _tidy(one.name, parts[one.name], shown, material, taken))
        for one, (_, appendix) in zip(texts, _with_part(parts), strict=True)
    )
    _check_links([*first, *(block for one in chapters for block in one.blocks)], chapters, shown)
    units = {one.unit for one in shown.values()}
    return Report(
        title=visible(presentation.title),
        headline=visible(summary.headline(material)),
        strip=first or None,
        chapters=chapters,
        shown=shown,
        units=UNITS if units >= set(UNITS) else {},
        pandoc=tree["pandoc-api-version"],
        version=(session or {}).get("surveywaves", ""),
    )


UNITS: Final = {"percent_favourable": "% favourable", "linear": "points of the scale"}
"""Units of tables that there are in more than one, in words."""


def packages() -> dict[str, str]:
    """Give the versions of Python and of the packages that the results rest on; what is not installed is left out.

    No time and no place: the report is the same on every machine with the same environment.
    """
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def fonts() -> list[str]:
    """Give the folder with the fonts that come with matplotlib: those of drawings, with signs that typst's have not."""
    found = find_spec("matplotlib")
    places = found.submodule_search_locations if found else None
    return [str(Path(place) / "mpl-data/fonts/ttf") for place in places or ()]


def visible(text: str) -> str:
    """Take out characters that neither a page nor a PDF may hold."""
    return _UNSEEN.sub("", text)


# --- one tree ---------------------------------------------------------------------------------------------------


def pandoc(text: str, to: str, source: str) -> str:
    """Convert a text; lines are not wrapped."""
    return str(pypandoc.convert_text(text, to, format=source, extra_args=["--wrap=none"]))


def _joined(texts: Iterable[Section], strip: str) -> str:
    """Put sections behind each other, each under a heading that names it, with divs for what is placed in them.

    A place is a paragraph of its own, `[[table:waves]]`. No label can make one: what sections insert is escaped.
    """
    parts = [strip, *(f"# x {{#{section.name}}}\n\n{section.text}" for section in texts)]
    return visible(_MARK.sub(_exhibit, "\n\n".join(parts)))


def _exhibit(found: re.Match[str]) -> str:
    kind, name, files = found.groups()
    return f'\n::: {{.exhibit data-name="{files or f"{kind}-{name}"}"}}\n:::\n'


def _apart(blocks: list[Node], texts: Iterable[Section]) -> dict[str, list[Node]]:
    """Take the tree apart again at the sections' own headings; what stands before them is named ''."""
    parts: dict[str, list[Node]] = {"": []}
    names = {section.name for section in texts}
    current = ""
    for block in blocks:
        if block["t"] == "Header" and block["c"][0] == 1 and block["c"][1][0] in names:
            current = block["c"][1][0]
            parts[current] = []
        else:
            parts[current].append(block)
    return parts


def _with_part(names: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """Say of each section whether it is of the appendix."""
    order = list(catalogue.SECTIONS)
    start = order.index(catalogue.APPENDIX)
    return ((name, name in order and order.index(name) >= start) for name in names)


def _numbered(
    parts: Mapping[str, list[Node]], material: Material, narrow: Mapping[str, str]
) -> dict[str, Shown]:
    """Give what is placed its number, in the order of the report; what does not exist is not placed."""
    shown: dict[str, Shown] = {}
    counts: dict[tuple[str, bool], int] = {}
    for section, appendix in _with_part(parts):
        for name in filter(None, map(div_name, everything(parts[section]))):
            kind, _, own = name.partition("-")
            if name in shown or own not in (material.figures if kind == "figure" else material.made):
                continue
            place = counts.get((kind, appendix), 0) + 1
            number = f"{'A' if appendix else ''}{place}"
            if kind == "figure":
                said = material.captions[own]
                title, caption, alt = (said.get(key, "") for key in ("title", "caption", "alt"))
                svg = material.figures[own]
                shown[name] = Shown(kind, own, number, title, caption, alt, svg, narrow.get(own, ""))
            else:
                one, table = material.made[own]
                exhibit = one.exhibit
                only = isinstance(exhibit, catalogue.Table) and exhibit.file_only
                folder = exhibit.folder if isinstance(exhibit, catalogue.Table) else "tables"
                unit = one.about.get("unit", "")
                first = shown.get(f"table-{own.replace(unit, SHOWN_UNITS[0])}") if unit else None
                # The same in another unit has the same number.
                number = "" if only else f"{first.number}b" if first else number
                shown[name] = Shown(
                    kind, own, number, visible(table.title), table=table, unit=unit, folder=folder
                )
                place -= only or first is not None
            counts[kind, appendix] = place
    return shown


def _tidy(
    section: str, blocks: list[Node], shown: Mapping[str, Shown], material: Material, taken: set[str]
) -> list[Node]:
    """Name headings, fill in the list of files, and drop exhibits that do not exist or stand in the report already."""
    above = [1]

    def one(block: Node) -> list[Node] | None:
        if block["t"] == "Header":
            level, (given, *more), inlines = block["c"]
            name = given or new_id(f"{section}-{text_of(inlines)}", taken)
            # No level is skipped, neither for those who listen nor in a PDF.
            above.append(min(max(level, 2), above[-1] + 1))
            return [{"t": "Header", "c": [above[-1], [name, *more], inlines]}]
        if not (named := div_name(block)):
            return None
        if named == "files":
            return _files(material)
        if named in taken or named not in shown:
            return []
        taken.add(named)
        return [block]

    found: list[Node] = replaced(blocks, one)
    return found


def _files(material: Material) -> list[Node]:
    """List the released files, as links."""
    files = [f"{name}.csv" for name in catalogue.STATISTICS if name in material.tables]
    links = [
        {"t": "Link", "c": [["", [], []], [{"t": "Str", "c": name}], [f"../released/{name}", ""]]}
        for name in files
    ]
    points = [[{"t": "Plain", "c": [link]}] for link in links]
    return [{"t": "Div", "c": [["", ["files"], []], [{"t": "BulletList", "c": points}]]}]


def _check_links(blocks: list[Node], chapters: Iterable[Chapter], shown: Iterable[str]) -> None:
    """Turn links to what is not there into the words alone, in place."""
    ids = {one.name for one in chapters} | set(shown)
    ids |= {node["c"][1][0] for node in everything(blocks) if node["t"] == "Header"}
    for node in everything(blocks):
        if node["t"] == "Link" and (to := node["c"][2][0]).startswith("#") and to[1:] not in ids:
            node.update(t="Span", c=[["", [], []], node["c"][1]])


# --- pandoc's tree ----------------------------------------------------------------------------------------------


def everything(node: Any) -> Iterator[Node]:
    """Go through a tree, each node before what is in it."""
    if isinstance(node, dict):
        if "t" in node:
            yield node
        node = node.get("c")
    if isinstance(node, list):
        for inner in node:
            yield from everything(inner)


def replaced(node: Any, one: Callable[[Node], list[Node] | None]) -> Any:
    """Copy a tree with some nodes replaced by others; `one` gives None for what stays.

    What a replacement holds is gone through as well, but for the replacement itself.
    """
    if isinstance(node, list):
        found: list[Any] = []
        for inner in node:
            new = one(inner) if isinstance(inner, dict) and "t" in inner else None
            if new is None:
                found.append(replaced(inner, one))
            else:
                found += [_inside(made_, one) for made_ in new]
        return found
    return _inside(node, one) if isinstance(node, dict) else node


def _inside(node: Node, one: Callable[[Node], list[Node] | None]) -> Node:
    return {key: replaced(value, one) for key, value in node.items()}


def raw(form: str, text: str, *, inline: bool = False) -> Node:
    """Make a node of text that is in the form already."""
    return {"t": "RawInline" if inline else "RawBlock", "c": [form, text]}


def classes(node: Node) -> list[str]:
    """Give the classes of a div or a span; of anything else none."""
    return list(node["c"][0][1]) if node["t"] in ("Div", "Span") else []


def div_name(node: Node) -> str:
    """Give the name of the exhibit that a div is the place of; else nothing."""
    return dict(node["c"][0][2]).get("data-name", "") if "exhibit" in classes(node) else ""


def text_of(inlines: Any) -> str:
    """Give the words of inlines."""
    spaces = {"Space": " ", "SoftBreak": " ", "LineBreak": " "}
    return "".join(
        node["c"]
        if node["t"] == "Str"
        else node["c"][1]
        if node["t"] == "Code"
        else spaces.get(node["t"], "")
        for node in everything(inlines)
    )


def new_id(wanted: str, taken: set[str]) -> str:
    """Make an id of any words: small Latin letters, digits, hyphens; a number behind it where it is taken."""
    plain = unicodedata.normalize("NFKD", wanted).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", plain)[:60].strip("-") or "part"
    found = unique(stem, taken, "{}-{}")
    taken.add(found)
    return found
