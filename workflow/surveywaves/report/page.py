"""From the report to one HTML file that loads nothing.

Drawings are prepared for the page: ids of their own, nothing that runs or loads. What a reader can download is beside
the page, in `results/figures`, `results/tables` and `results/released`.
"""

from __future__ import annotations

import base64
import hashlib
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any, Final

import jinja2
from markupsafe import Markup

from surveywaves.report.build import CALL, Report
from surveywaves.tables import Table
from surveywaves.tables.publish import html as table_html
from surveywaves.text import visible

TABS: Final = {
    "first": "The survey",
    "scales": "Results",
    "parted": "Organisations",
    "sure": "How sure",
    "interviews": "Interviews",
}
"""Section -> what its tab says, where its heading is too long for one."""


def render(report: Report, *, templates: Path) -> str:
    """Return the page.

    Parameters
    ----------
    report
        What it says.
    templates
        Folder with the page, its exhibits, its style and its script.

    Returns
    -------
    str
        One HTML file that loads nothing. The same report gives the same text.

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
    )
    environment.filters |= {"visible": visible, "inline_svg": inline_svg, "cells": cells}
    style, script = ((templates / f"report.{end}").read_text(encoding="utf-8") for end in ("css", "js"))
    exhibits: Any = environment.get_template("exhibits.html.j2").make_module({"report": report})

    def exhibit(found: re.Match[str]) -> str:
        shown = report.shown[found[1]]
        # The front figure has a place of its own.
        return "" if shown is report.front else str(getattr(exhibits, shown.kind)(shown))

    strip, texts = report.written["html"]
    texts = [_HEADING.sub(_ANCHORED, _EXHIBIT.sub(exhibit, text)) for text in texts]
    return environment.get_template("page.html.j2").render(
        report=report,
        strip=Markup(strip),
        chapters=[(one, Markup(text)) for one, text in zip(report.chapters, texts, strict=True)],
        headings=lambda text: [(id_, Markup(words)) for id_, words in re.findall(_SECOND, text)],
        front=exhibits.figure(report.front) if report.front else "",
        tabs=TABS,
        style=Markup(style),
        script=Markup(f"\n{script}"),
        # The content security policy allows the script by its digest.
        script_hash=f"sha256-{base64.b64encode(hashlib.sha256(f'{chr(10)}{script}'.encode()).digest()).decode()}",
    )


_EXHIBIT: Final = re.compile(f"<!--{CALL.pattern}-->")
_HEADING: Final = re.compile(r'(<h(\d) id="([\w-]+)">.*?)(?=</h\2>)')
_ANCHORED: Final = r'\1<a class="anchor" href="#\3" aria-label="Link to this heading">#</a>'
_SECOND: Final = r'<h3 id="([\w-]+)">(.*?)<a class="anchor"'


def cells(table: Table) -> Markup:
    """Return a table as HTML, with intervals and groups marked: they are set below estimates, and stay in sight."""
    interval = r" (\([^()<>]* to [^()<>]*\)(?:<sup>[^<>]*</sup>)?)(?=<)"
    made = re.sub(interval, r' <span class="of">\1</span>', table_html(table))
    return Markup(re.sub(r'(<th class="group"[^<>]*>)(.*?)</th>', r"\1<span>\2</span></th>", made))


# --- drawings ---------------------------------------------------------------------------------------------------

_SVG: Final = "{http://www.w3.org/2000/svg}"
_WORDS: Final = {"text", "tspan", "title"}
_SHAPES: Final = {"path", "rect", "line", "circle", "ellipse", "polygon", "polyline", "use"}
_KEPT: Final = _SHAPES | _WORDS | {"svg", "g", "defs", "clipPath", "pattern"}
"""Elements that only draw or say something."""
_GOES: Final = re.compile(r"on\w+|aria-.*|role|tabindex|class")
_AWAY: Final = re.compile(r"url\((?!#)", re.IGNORECASE)


def inline_svg(text: str, *, prefix: str, alt: str) -> Markup:
    """Make a drawing fit to stand inside a page.

    Its ids begin with a prefix, its style is the page's, and nothing stays that could run or load anything. A mark that
    says its value keeps its `title`, and is an image.

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
    except ET.ParseError:
        root = ET.Element("none")
    if root.tag != f"{_SVG}svg":
        raise ValueError(f"figure {prefix}: not an SVG drawing")
    for title in root.findall(f"{_SVG}title"):
        root.remove(title)
    marks = [mark for mark in root.iter() if mark is not root and mark.find(f"{_SVG}title") is not None]
    _clean(root, prefix)
    for mark in marks:
        mark.attrib |= {"role": "img", "aria-label": visible(mark.findtext("title") or "")}
    root.attrib |= {"id": prefix, "role": "group" if marks else "img", "aria-label": visible(alt)}
    return Markup(ET.tostring(root, encoding="unicode"))


def _clean(element: ET.Element, prefix: str) -> None:
    """Leave what only draws or says something, in place."""
    element.tag = element.tag.removeprefix(_SVG)
    for child in list(element):
        if child.tag.removeprefix(_SVG) not in _KEPT:
            element.remove(child)
        else:
            _clean(child, prefix)
            child.tail = child.tail if element.tag in _WORDS else None
    element.text = element.text if element.tag in _WORDS else None
    given = {name.rpartition("}")[2]: " ".join(value.split()) for name, value in element.attrib.items()}
    element.attrib.clear()
    for name, value in given.items():
        if name == "id":
            element.set(name, f"{prefix}-{value}")
        elif name == "href" and value.startswith("#"):
            element.set(name, f"#{prefix}-{value[1:]}")
        elif name != "href" and not _GOES.fullmatch(name) and not _AWAY.search(value):
            element.set(name, value.replace("url(#", f"url(#{prefix}-"))
