"""From the report to one HTML file that loads nothing.

Drawings are made ready to stand in a page: ids of their own, styles that stay inside, nothing that runs or loads. What
a reader takes away lies beside the page, in `results/figures`, `results/tables` and `results/released`.
"""

from __future__ import annotations

import base64
import hashlib
import html
import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Final

import jinja2
from fontTools import subset  # type: ignore[import-untyped]
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]
from markupsafe import Markup, escape

from surveywaves.report.build import (
    Node,
    Report,
    Shown,
    classes,
    div_name,
    fonts,
    raw,
    replaced,
    visible,
)
from surveywaves.tables.publish import html as table_html

PAGE: Final = "page.html.j2"
STYLE: Final = "report.css"
SCRIPT: Final = "report.js"

TABS: Final = {"first": "The survey", "scales": "Results", "parted": "Organisations", "sure": "How sure"}
"""Section -> what its tab says, where its heading is too long for one."""


WIDE: Final = 8
"""Columns from which on an interval stands below its estimate."""

_INTERVAL: Final = re.compile(r" (\([^()<>]* to [^()<>]*\)(?:<sup>[^<>]*</sup>)?)(?=<)")

_GROUP: Final = re.compile(r'(<th class="group"[^<>]*>)(.*?)</th>')

_NAMED: Final = re.compile(r' (?:headers|id)="[^"]*"(?=[^<>]*>)')


def render(report: Report, *, templates: Path) -> str:
    """Give the page.

    Parameters
    ----------
    report
        What it says.
    templates
        Folder with the page, its style and its script.

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
    style, script = ((templates / name).read_text(encoding="utf-8") for name in (STYLE, SCRIPT))
    front = report.front
    blocks = _blocks(report.strip or [], report)
    for chapter in report.chapters:
        blocks += [raw("html", f"<!--{chapter.name}-->"), *_blocks(chapter.blocks, report)]
    # All chapters are written at once, which is quicker, and taken apart at the marks; no text can hold one.
    strip, *texts = re.split(r"<!--\w+-->\n?", report.write(blocks, "html5"))
    return environment.get_template(PAGE).render(
        report=report,
        strip=Markup(strip),
        chapters=[(one, Markup(text)) for one, text in zip(report.chapters, texts, strict=True)],
        front=Markup(figure(front, report)) if front else "",
        tabs=TABS,
        style=Markup(style + lettering(one.svg + one.narrow for one in report.shown.values())),
        script=Markup(f"\n{script}"),
        script_hash=digest(f"\n{script}"),
    )


def digest(script: str) -> str:
    """Give a script's fingerprint as a content security policy wants it."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"


def _blocks(blocks: list[Node], report: Report) -> list[Node]:
    """Give blocks with exhibits in them; the front figure has a place of its own."""

    def one(node: Node) -> list[Node] | None:
        if name := div_name(node):
            shown = report.shown[name]
            if shown is report.front:
                return []
            return [raw("html", (figure if shown.kind == "figure" else table)(shown, report))]
        if "fold" in classes(node):
            first, *rest = node["c"][1]
            summary = [raw("html", "<summary>"), {"t": "Plain", "c": first["c"]}, raw("html", "</summary>")]
            return [raw("html", '<details class="fold">'), *summary, *rest, raw("html", "</details>")]
        if node["t"] == "Header":
            level, attributes, inlines = node["c"]
            anchor = f'<a class="anchor" href="#{attributes[0]}" aria-label="Link to this heading">#</a>'
            # A chapter's own heading has level 2.
            return [
                {
                    "t": "Header",
                    "c": [min(level + 1, 6), attributes, [*inlines, raw("html", anchor, inline=True)]],
                }
            ]
        return None

    found: list[Node] = replaced(blocks, one)
    return found


# --- what stands in its place -----------------------------------------------------------------------------------


def figure(shown: Shown, report: Report) -> str:
    """Give a figure with its caption and what a reader takes away of it."""
    drawings = [("drawing", f"d-{shown.name}", shown.svg)]
    if shown.narrow:
        drawings = [("drawing broad", *drawings[0][1:]), ("drawing narrow", f"n-{shown.name}", shown.narrow)]
    drawn = "".join(
        f'<div class="{kind}">{inline_svg(svg, prefix=prefix, alt=shown.alt or shown.title)}</div>'
        for kind, prefix, svg in drawings
    )
    files = [("PNG", "png"), ("SVG", "svg"), ("PDF", "pdf"), ("Data (CSV)", "csv")]
    links = [_link(text, f"../figures/{shown.name}.{end}", shown) for text, end in files]
    links.insert(1, _link("Slide", f"../figures/slides/{shown.name}.png", shown))
    return (
        f'<figure id="{shown.id}">{drawn}\n<figcaption>'
        # The title stands in the drawing.
        f'<p><strong>{shown.label}.</strong> <span class="unseen">{escape(shown.title)}</span> '
        f"<bdi>{escape(shown.caption)}</bdi></p>\n"
        f'<p class="take">{" ".join(links)} {_button("Copy citation", _citation(shown, report))}</p>'
        "</figcaption></figure>"
    )


def table(shown: Shown, report: Report) -> str:
    """Give a table with its caption, notes and what a reader takes away of it; of a file only the link."""
    own = shown.table
    assert own is not None
    links = " ".join(
        _link(text, f"../{shown.folder}/{shown.name}.{end}", shown)
        for text, end in (("CSV", "csv"), ("Word", "docx"))
    )
    if not shown.number:
        return f'<p class="take file" id="{shown.id}"><bdi>{escape(shown.title)}:</bdi> {links}</p>'
    notes = [f"<li><bdi>{escape(visible(note))}</bdi></li>" for note in own.notes]
    notes += [
        f'<li id="{shown.id}-note-{mark}"><sup>{mark}</sup> <bdi>{escape(visible(note))}</bdi></li>'
        for note, mark in own.footnotes.items()
    ]
    wide = " wide" if len(own.columns) >= WIDE else ""
    # Heads have scopes; to name them at every cell says nothing more, and would be a third of the page.
    cells = _NAMED.sub("", visible(table_html(own)))
    cells = _INTERVAL.sub(r' <span class="of">\1</span>', cells)
    cells = _GROUP.sub(r"\1<span>\2</span></th>", cells)
    unit = f' data-unit="{shown.unit}"' if shown.unit in report.units else ""
    under = f'<ul class="notes">{"".join(notes)}</ul>' if notes else ""
    return (
        f'<div class="table{wide}" id="{shown.id}"{unit}>'
        f'<p class="title" id="{shown.id}-title"><span class="number">{shown.label}.</span> '
        f"<bdi>{escape(shown.title)}</bdi></p>\n"
        f'<div class="scroll" tabindex="0" role="region" aria-labelledby="{shown.id}-title">'
        f"{cells}</div>\n{under}"
        f'<p class="take">{links} <button type="button" hidden data-table="{shown.id}">Copy</button> '
        f"{_button('Copy citation', _citation(shown, report))}</p></div>"
    )


def _link(text: str, address: str, shown: Shown) -> str:
    return f'<a href="{address}" download>{text}<span class="unseen"> of {escape(shown.label)}</span></a>'


def _button(text: str, copied: str) -> str:
    return f'<button type="button" hidden data-copy="{html.escape(copied)}">{text}</button>'


def _citation(shown: Shown, report: Report) -> str:
    """Say what a figure or table is called and where it is from."""
    made = f"surveywaves {report.version}".strip()
    data = " Demonstration data, not findings." if report.strip else ""
    return f"{shown.title}. {shown.label} in: {report.title}. Made with {made}.{data}"


# --- letters -----------------------------------------------------------------------------------------------------

FONT: Final = "DejaVu Sans"
"""What drawings are lettered in."""


def lettering(drawings: Iterable[str]) -> str:
    """Give the letters that drawings use, as a style sheet: every reader has the widths that they were drawn with.

    About 10 KB a weight. Text stays text, which can be read out, found and copied; as paths it would be no text, and
    the page three times as heavy.
    """
    used = set(html.unescape(re.sub(r"<[^>]*>", "", "".join(drawings))))
    rules = []
    for weight, name in ((400, "DejaVuSans"), (700, "DejaVuSans-Bold")) if used else ():
        font = TTFont(Path(fonts()[0]) / f"{name}.ttf", recalcTimestamp=False)
        drop = [*subset.Options().drop_tables, "FFTM", "GDEF", "GPOS", "GSUB", "kern"]
        chosen = subset.Subsetter(subset.Options(hinting=False, drop_tables=drop))
        chosen.populate(text="".join(used))
        chosen.subset(font)
        font.save(file := io.BytesIO())
        data = base64.b64encode(file.getvalue()).decode()
        source = f"src: url(data:font/ttf;base64,{data})"
        rules.append(f'@font-face {{ font-family: "{FONT}"; font-weight: {weight}; {source}; }}\n')
    return "".join(rules)


# --- drawings ---------------------------------------------------------------------------------------------------

_SVG: Final = "{http://www.w3.org/2000/svg}"
_SHAPES: Final = {"path", "rect", "line", "circle", "ellipse", "polygon", "polyline", "use"}
_WORDS: Final = {"text", "tspan", "title", "style"}
_KEPT: Final = _SHAPES | _WORDS | {"svg", "g", "defs", "clipPath", "pattern"}
"""Elements that only draw or say something."""
_AWAY: Final = re.compile(r"url\((?!#)", re.IGNORECASE)
_RULE: Final = re.compile(r"([^{}@]+)\{([^{}]*)\}")


@lru_cache(maxsize=256)
def inline_svg(text: str, *, prefix: str, alt: str) -> Markup:
    """Make a drawing fit to stand inside a page.

    Its ids begin with a prefix, its style sheet is confined to it, and nothing stays that could run or load anything.
    A mark that says its value keeps its `title`, and is an image.

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
    for title in root.findall(f"{_SVG}title"):
        root.remove(title)
    _clean(root, prefix)
    marks = root.find(".//title") is not None
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
    if element.tag == "style":
        rules = _RULE.findall("" if _AWAY.search(element.text or "") else element.text or "")
        element.text = " ".join(f"#{prefix} :is({selector.strip()}) {{{body}}}" for selector, body in rules)
    elif element.tag not in _WORDS:
        element.text = None
    attributes = dict(element.attrib)
    element.attrib.clear()
    for name, value in attributes.items():
        if kept := _attribute(name.rpartition("}")[2], value, prefix):
            element.set(name.rpartition("}")[2], kept)
    if element.tag != "svg" and (title := element.find("title")) is not None:
        element.attrib |= {"role": "img", "aria-label": visible(title.text or "")}


def _attribute(name: str, value: str, prefix: str) -> str:
    """Give what an attribute becomes; empty if it goes."""
    if name == "id":
        return f"{prefix}-{value}"
    if name == "href":
        return f"#{prefix}-{value[1:]}" if value.startswith("#") else ""
    if name.startswith(("on", "aria-")) or name in ("role", "tabindex", "class") or _AWAY.search(value):
        return ""
    return " ".join(value.replace("url(#", f"url(#{prefix}-").split())
