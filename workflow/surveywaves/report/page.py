"""From blocks to one HTML file: numbers and ids for what stands in it, and the templates filled in."""

from __future__ import annotations

import base64
import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import jinja2
import pandas as pd
from markupsafe import Markup

from surveywaves.report.blocks import Block, FigureBlock, Part, Report, TableBlock, walk
from surveywaves.report.downloads import data_uri
from surveywaves.report.svg import inline_svg
from surveywaves.tables import Table

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
                own, tables, download(block.table.name, block.table.data), marks=marks(block.table)
            )
        elif isinstance(block, FigureBlock):
            figures += 1
            own = ids.new(f"figure-{block.name}")
            svg = inline_svg(block.svg, prefix=ids.new(f"d{figures}"), alt=visible(block.alt))
            placed[id(block)] = Placed(own, figures, download(block.name, block.data), svg)
        elif isinstance(block, Part):
            placed[id(block)] = Placed(ids.new(block.title))
    return placed


def download(name: str, frame: pd.DataFrame) -> Download | None:
    """Give a frame as a file in a link; None if it has no rows."""
    if frame.empty:
        return None
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", name).strip("_") or "data"
    return Download(f"{stem}.csv", data_uri(frame), len(frame))


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
