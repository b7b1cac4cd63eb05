"""From blocks to one HTML file: numbers and ids for what stands in it, and the templates filled in.

Tables to take away are CSV in a link, safe to open in a spreadsheet. Drawings are made ready to stand in a page: ids of
their own, styles that stay inside, nothing that runs or loads.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import jinja2
from markupsafe import Markup

from surveywaves.files import csv_text
from surveywaves.report.material import Block, FigureBlock, Part, Report, TableBlock, walk
from surveywaves.tables import Table

PLAIN: Final = "!$()*+,-./:;=?@_~|[]{}^`"
"""What may stand in an address in a page as it is. In base64 numbers would take a quarter more room."""


def data_uri(text: str) -> str:
    """Give a CSV file's text as a `data:` address."""
    return f"data:text/csv;charset=utf-8,{quote(text.encode(), safe=PLAIN)}"


_SVG: Final = "{http://www.w3.org/2000/svg}"
_HREFS: Final = ("href", "{http://www.w3.org/1999/xlink}href")
_COORDINATES: Final = ("d", "x", "y")
_DECIMALS: Final = re.compile(r"(\.\d\d)\d+")
_LETTERS: Final = re.compile(r" ?([A-Za-z]) ?")
_WORDS: Final = {f"{_SVG}{name}" for name in ("text", "tspan", "style")}
_FORBIDDEN: Final = {
    "script",
    "foreignObject",
    "metadata",
    "iframe",
    "set",
    "animate",
    "handler",
    "title",
    "desc",
}
_URL: Final = re.compile(r"url\(\s*(['\"]?)(?!#)[^)]*\)", re.IGNORECASE)
_OWN: Final = re.compile(r"url\(\s*(['\"]?)#([^)'\"]+)\1\s*\)")
_RULE: Final = re.compile(r"([^{}]+)\{([^{}]*)\}")
_ON_SCREEN: Final = 1.25
"""Drawings are made at the size of a printed column; on a screen they are shown a quarter larger."""

_INCH: Final = {"pt": 72.0, "px": 96.0, "in": 1.0, "mm": 25.4, "cm": 2.54, "": 96.0}


@lru_cache(maxsize=256)
def inline_svg(text: str, *, prefix: str, alt: str) -> Markup:
    """Make a drawing fit to stand inside a page.

    Ids that something in the drawing refers to get new ones that begin with a prefix, other ids go; the style sheet
    is confined to the drawing; scripts, event handlers, metadata and every address outside the drawing are taken out.
    Coordinates keep two decimals of a point. The drawing keeps its shape and scales. What was made once for the screen
    is there for paper.

    Parameters
    ----------
    text
        An SVG file.
    prefix
        Begins every id; one of its own for each drawing.
    alt
        What it says, for those who do not see it.

    Raises
    ------
    ValueError
        If the text is not an SVG drawing.
    """
    try:
        root = ET.fromstring(text)
    except ET.ParseError as error:
        raise ValueError(f"figure {prefix}: not an SVG drawing ({error})") from None
    if root.tag != f"{_SVG}svg":
        raise ValueError(f"figure {prefix}: not an SVG drawing")
    names = dict.fromkeys(_referred_to(root))
    _clean(root, {name: f"{prefix}-{number:x}" for number, name in enumerate(names)}, prefix)
    width, height = _size(root)
    root.set("viewBox", root.get("viewBox", f"0 0 {width:g} {height:g}"))
    root.set("id", prefix)
    root.set("role", "img")
    root.set("aria-label", alt)
    root.set("focusable", "false")
    root.set("width", f"{_ON_SCREEN * width:.6g}")
    root.set("height", f"{_ON_SCREEN * height:.6g}")
    return Markup(ET.tostring(root, encoding="unicode", short_empty_elements=True))


def _referred_to(root: ET.Element) -> Iterator[str]:
    """Give the ids that something in the drawing refers to."""
    for element in root.iter():
        for name, value in element.attrib.items():
            if name in _HREFS and value.startswith("#"):
                yield value[1:]
            elif "url(" in value:
                yield from (found[2] for found in _OWN.finditer(value))
        if element.text and "url(" in element.text:
            yield from (found[2] for found in _OWN.finditer(element.text))


def _clean(element: ET.Element, ids: Mapping[str, str], prefix: str) -> None:
    for child in list(element):
        tag = child.tag if isinstance(child.tag, str) else ""
        if not tag.startswith(_SVG) or tag.removeprefix(_SVG) in _FORBIDDEN:
            element.remove(child)
        else:
            child.tail = None if element.tag not in _WORDS else child.tail
            _clean(child, ids, prefix)
    element.tag = element.tag.removeprefix(_SVG)
    if element.tag == "style":
        element.text = _confined(element.text or "", ids, prefix)
    elif f"{_SVG}{element.tag}" not in _WORDS:
        element.text = None
    attributes = dict(element.attrib)
    element.attrib.clear()
    for name, value in attributes.items():
        if name in _HREFS:
            if value.startswith("#"):
                element.set("href", f"#{ids[value[1:]]}")
            elif element.tag == "image" and re.match(r"data:image/(png|jpeg);", value):
                element.set("href", value)
        elif kept := _attribute(name, value, ids):
            element.set(name, kept)


def _attribute(name: str, value: str, ids: Mapping[str, str]) -> str:
    """Give what an attribute other than a link becomes; empty if it goes."""
    if name == "id":
        return ids.get(value, "")
    if name in _COORDINATES:
        return _LETTERS.sub(r"\1", " ".join(_DECIMALS.sub(r"\1", value).split()))
    if name.startswith("{") or name.lower().startswith("on"):
        return ""
    return _own_addresses(value, ids)


def _own_addresses(value: str, ids: Mapping[str, str]) -> str:
    if "url(" not in value.lower():
        return value
    return _OWN.sub(lambda found: f"url(#{ids[found[2]]})", _URL.sub("none", value))


def _confined(css: str, ids: Mapping[str, str], prefix: str) -> str:
    """Put the drawing's id before every selector of a plain style sheet; rules that begin with @ are left out."""
    rules = []
    for selectors, body in _RULE.findall(re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)):
        if "@" not in selectors:
            own = ", ".join(f"#{prefix} {selector.strip()}" for selector in selectors.split(","))
            rules.append(f"{own} {{{_own_addresses(body.strip(), ids)}}}")
    return " ".join(rules)


def _size(root: ET.Element) -> tuple[float, float]:
    """Give the natural size in CSS pixels: of width and height, or else of the view box."""
    found = [re.fullmatch(r"([\d.]+)\s*([a-z]*)", root.get(name, "").strip()) for name in ("width", "height")]
    if all(match and match[2] in _INCH for match in found):
        first, second = (float(match[1]) * 96.0 / _INCH[match[2]] for match in found if match)
        return first, second
    box = [float(part) for part in re.split(r"[\s,]+", root.get("viewBox", "").strip()) if part]
    return (box[2], box[3]) if len(box) == 4 else (640.0, 400.0)


PAGE: Final = "page.html.j2"
STYLE: Final = "report.css"
SCRIPT: Final = "report.js"

_UNSEEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Download:
    """A file in a link."""

    name: str
    href: str
    rows: int


@dataclass(frozen=True, slots=True)
class Placed:
    """What a block is called on the page: its id, its number among its kind, and what is ready to stand there.

    Parameters
    ----------
    id
        Id of the element, and beginning of the ids within it.
    number
        From 1, in the order of the page; 0 for what has no number.
    marks
        Note -> its letter.
    """

    id: str
    number: int = 0
    download: Download | None = None
    svg: Markup | None = None
    marks: Mapping[str, str] = field(default_factory=dict)


class Ids:
    """Gives out ids, none of them twice."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def new(self, wanted: str) -> str:
        """Give an id made from a name: small Latin letters, digits, hyphens; a number behind it where it is taken."""
        plain = unicodedata.normalize("NFKD", wanted).encode("ascii", "ignore").decode().lower()
        stem = re.sub(r"[^a-z0-9]+", "-", plain)[:60].strip("-") or "part"
        stem = stem if stem[0].isalpha() else f"part-{stem}"
        found, number = stem, 1
        while found in self._taken:
            number += 1
            found = f"{stem}-{number}"
        self._taken.add(found)
        return found


def render(report: Report, *, templates: Path) -> str:
    """Fill the templates in.

    Parameters
    ----------
    report
        What the page says.
    templates
        Folder with the page, its style and its script.

    Returns
    -------
    str
        The page: one HTML file that loads nothing. The same report gives the same text.

    Raises
    ------
    ValueError
        If a figure is not an SVG drawing.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=visible,
    )
    style, script = ((templates / name).read_text(encoding="utf-8") for name in (STYLE, SCRIPT))
    ids = Ids()
    for taken in ("top", "contents", "main", "evidence"):
        ids.new(taken)
    sections = report.sections
    section_ids = {section.name: ids.new(section.name) for section in sections}
    placed = place([block for section in sections for block in section.blocks], ids)
    return environment.get_template(PAGE).render(
        report=report,
        sections=sections,
        section_ids=section_ids,
        placed=lambda block: placed[id(block)],
        figures=[block for section in sections for block in walk(section.blocks) if block.kind == "figure"],
        style=Markup(style),
        script=Markup(f"\n{script}"),
        script_hash=digest(f"\n{script}"),
    )


def place(blocks: Sequence[Block], ids: Ids) -> dict[int, Placed]:
    """Give every table, figure and part its id, tables and figures their numbers and downloads.

    Returns
    -------
    dict
        Identity of a block -> where it is placed.
    """
    placed: dict[int, Placed] = {}
    tables = figures = 0
    for block in walk(blocks):
        if isinstance(block, TableBlock):
            tables += 1
            own = ids.new(f"table-{block.table.name}")
            placed[id(block)] = Placed(
                own, tables, download(block.table.name, csv_text(block.table.data)), marks=marks(block.table)
            )
        elif isinstance(block, FigureBlock):
            figures += 1
            own = ids.new(f"figure-{block.name}")
            svg = inline_svg(block.svg, prefix=ids.new(f"d{figures}"), alt=visible(block.alt))
            placed[id(block)] = Placed(own, figures, download(block.name, block.rows), svg)
        elif isinstance(block, Part):
            placed[id(block)] = Placed(ids.new(block.title))
    return placed


def download(name: str, text: str) -> Download | None:
    """Give a CSV file in a link; None if it has no rows."""
    rows = sum(1 for _ in csv.reader(io.StringIO(text, newline=""))) - 1
    if rows < 1:
        return None
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", name).strip("_") or "data"
    return Download(f"{stem}.csv", data_uri(text), rows)


def marks(table: Table) -> dict[str, str]:
    """Give the notes of a table their letters: a, b, ... z, aa, ab, ..."""
    return {note: _letters(place) for place, note in enumerate(table.notes)}


def visible(value: Any) -> Any:
    """Take characters out of a text that HTML does not know; what is no text stays as it is."""
    if isinstance(value, Markup):
        return Markup(_UNSEEN.sub("", value))
    return _UNSEEN.sub("", value) if isinstance(value, str) else value


def digest(script: str) -> str:
    """Give a script's fingerprint as a content security policy wants it."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"


def _letters(place: int) -> str:
    more, last = divmod(place, 26)
    return (_letters(more - 1) if more else "") + chr(ord("a") + last)
