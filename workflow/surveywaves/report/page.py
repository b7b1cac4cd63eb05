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
from collections.abc import Iterable, Iterator, Mapping
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
        _link(text, f"../tables/{shown.name}.{end}", shown)
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
_HREFS: Final = ("href", "{http://www.w3.org/1999/xlink}href")
_DECIMALS: Final = re.compile(r"(\.\d\d)\d+")
_LETTERS: Final = re.compile(r" ?([A-Za-z]) ?")
_WORDS: Final = {f"{_SVG}{name}" for name in ("text", "tspan", "style", "title")}
_FORBIDDEN: Final = {
    "script",
    "foreignObject",
    "metadata",
    "iframe",
    "set",
    "animate",
    "handler",
    "desc",
    "a",
}
_URL: Final = re.compile(r"url\(\s*(['\"]?)(?!#)[^)]*\)", re.IGNORECASE)
_OWN: Final = re.compile(r"url\(\s*(['\"]?)#([^)'\"]+)\1\s*\)")
_RULE: Final = re.compile(r"([^{}]+)\{([^{}]*)\}")
_LENGTH: Final = re.compile(r"([\d.]+)\s*(pt|px|in|mm|cm|)")
_POINTS: Final = {"pt": 1.0, "px": 0.75, "in": 72.0, "mm": 72 / 25.4, "cm": 72 / 2.54, "": 0.75}


@lru_cache(maxsize=256)
def inline_svg(text: str, *, prefix: str, alt: str) -> Markup:
    """Make a drawing fit to stand inside a page.

    Ids that something in the drawing refers to get new ones that begin with a prefix, other ids go; the style sheet
    is confined to the drawing; scripts, event handlers, metadata and every address outside the drawing are taken out.
    Coordinates keep two decimals of a point. A mark that says its value keeps its `title`, and is an image.

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
    width, height = size(root)
    names = dict.fromkeys(_referred_to(root))
    _clean(root, {name: f"{prefix}-{number:x}" for number, name in enumerate(names)}, prefix)
    marks = root.find(".//title") is not None
    root.set("viewBox", root.get("viewBox", f"0 0 {width:g} {height:g}"))
    for name, value in {"id": prefix, "role": "group" if marks else "img", "aria-label": alt}.items():
        root.set(name, visible(value))
    root.set("width", f"{width * 4 / 3:.6g}")
    root.set("height", f"{height * 4 / 3:.6g}")
    return Markup(ET.tostring(root, encoding="unicode", short_empty_elements=True))


def size(root: ET.Element) -> tuple[float, float]:
    """Give the natural size in points: of width and height, or else of the view box."""
    found = [_LENGTH.fullmatch(root.get(name, "").strip()) for name in ("width", "height")]
    if all(found):
        first, second = (float(match[1]) * _POINTS[match[2]] for match in found if match)
        return first, second
    box = [float(part) for part in re.split(r"[\s,]+", root.get("viewBox", "").strip()) if part]
    return (box[2], box[3]) if len(box) == 4 else (480.0, 300.0)


def _referred_to(root: ET.Element) -> Iterator[str]:
    """Give the ids that something in the drawing refers to."""
    for element in root.iter():
        for name, value in [*element.attrib.items(), ("style", element.text or "")]:
            if name in _HREFS and value.startswith("#"):
                yield value[1:]
            elif "url(" in value:
                yield from (found[2] for found in _OWN.finditer(value))


def _clean(element: ET.Element, ids: Mapping[str, str], prefix: str) -> None:
    for child in list(element):
        tag = child.tag if isinstance(child.tag, str) else ""
        if not tag.startswith(_SVG) or tag.removeprefix(_SVG) in _FORBIDDEN:
            element.remove(child)
        else:
            child.tail = None if element.tag not in _WORDS else child.tail
            _clean(child, ids, prefix)
    words = element.tag in _WORDS
    element.tag = element.tag.removeprefix(_SVG)
    if element.tag == "style":
        element.text = _confined(element.text or "", ids, prefix)
    elif not words:
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
    if element.tag != "svg" and (title := element.find("title")) is not None:
        element.set("role", "img")
        element.set("aria-label", visible(title.text or ""))


def _attribute(name: str, value: str, ids: Mapping[str, str]) -> str:
    """Give what an attribute other than a link becomes; empty if it goes."""
    if name == "id":
        return ids.get(value, "")
    if name in ("d", "x", "y"):
        return _LETTERS.sub(r"\1", " ".join(_DECIMALS.sub(r"\1", value).split()))
    if name.startswith(("{", "aria-")) or name in ("role", "tabindex") or name.lower().startswith("on"):
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
