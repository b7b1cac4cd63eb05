"""From the report to one HTML file that loads nothing.

Drawings stand in it as `figures.saving` writes them. What a reader can download is beside the page, in
`results/figures`, `results/tables` and `results/released`.
"""

from __future__ import annotations

import base64
import hashlib
import re
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
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"visible": visible, "cells": cells}
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
