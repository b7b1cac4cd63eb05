"""Drawings made ready to stand in a page: ids of their own, styles that stay inside, nothing that runs or loads."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

from markupsafe import Markup

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
