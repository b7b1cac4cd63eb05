"""Saving a figure: as SVG, and by typst from it as tagged PDF and as PNG; the same bytes on every run and machine."""

from __future__ import annotations

import io
import re
import struct
import zlib
from functools import cache
from html import escape, unescape
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import typst
from matplotlib.backends.backend_svg import RendererSVG

from surveywaves.figures.drawing import Drawing
from surveywaves.figures.style import FONT, RC, drawable, width
from surveywaves.files import write_bytes

TEMPLATE: Final = b"""#set page(width: auto, height: auto, margin: 0pt)
#set document(title: sys.inputs.title, date: none)
#image(bytes(sys.inputs.svg), format: "svg", alt: sys.inputs.alt)
"""


def save(drawing: Drawing, folder: Path, dpi: float, *, svg: str = "") -> None:
    """Write a drawing as SVG, PDF (fonts embedded) and PNG; nothing in a file tells when it was written.

    Parameters
    ----------
    drawing
        What `draw_all` gives.
    folder
        Where to. The files are called ``<name>.svg``, ``.pdf`` and ``.png``.
    dpi
        Resolution of the PNG.
    svg
        What `svg_of` gives, if it is there.
    """
    svg = svg or svg_of(drawing)
    write_bytes(svg.encode(), str(folder / f"{drawing.name}.svg"))
    printed = typst.compile(TEMPLATE, format="pdf", **_given(drawing, svg))
    write_bytes(printed, str(folder / f"{drawing.name}.pdf"))
    save_png(drawing, folder, dpi, svg=svg)


def save_png(drawing: Drawing, folder: Path, dpi: float, *, svg: str = "") -> None:
    """Write a drawing as PNG that says its resolution: see `save`."""
    content = typst.compile(TEMPLATE, format="png", ppi=dpi, **_given(drawing, svg or svg_of(drawing)))
    chunk = b"pHYs" + struct.pack(">IIB", *[round(dpi / 0.0254)] * 2, 1)
    said = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    head = content.index(b"IHDR") + 4 + 13 + 4
    write_bytes(content[:head] + said + content[head:], str(folder / f"{drawing.name}.png"))


def _given(drawing: Drawing, svg: str) -> dict[str, Any]:
    said = {"svg": svg, "title": drawable(drawing.title), "alt": drawable(drawing.alt)}
    return {"sys_inputs": said, "font_paths": _fonts()}


@cache
def _fonts() -> typst.Fonts:
    """Read the fonts that come with matplotlib, once."""
    return typst.Fonts(include_system_fonts=False, font_paths=[f"{mpl.get_data_path()}/fonts/ttf"])


class _Renderer(RendererSVG):
    """Takes texts as wide as they were measured for their place, and every line as high as `lp`."""

    def get_text_width_height_descent(self, s: str, prop: Any, ismath: object) -> tuple[float, float, float]:  # noqa: ARG002
        size = prop.get_size_in_points()
        return width(s, size, bold=prop.get_weight() == "bold"), size, 0.24 * size


def svg_of(drawing: Drawing) -> str:
    """Write a drawing as an SVG that stands in a page beside others: with words, and with ids of its own."""
    wide, high = drawing.figure.get_size_inches() * 72
    with mpl.rc_context(RC | {"svg.hashsalt": drawing.name}), io.StringIO() as text:
        renderer = _Renderer(wide, high, text, image_dpi=72)  # type: ignore[no-untyped-call]
        drawing.figure.set_dpi(72)
        drawing.figure.draw(renderer)
        renderer.finalize()  # type: ignore[no-untyped-call]
        return _for_pages(text.getvalue(), drawable(drawing.title), drawable(drawing.alt))


_HEAD = re.compile(r"^.*?(?=<svg)", re.DOTALL)
_ABOUT = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
_NAMED = re.compile(r' id="((?!value:|hover:)[^"]*)"')
_REFERRED = re.compile(r'#([^")]+)[")]')
_VALUE = re.compile(r'<g id="(value|hover):([^"]*)">')
_COMMENT = re.compile(r"\s*<!--.*?-->", re.DOTALL)
_TEXT = re.compile(r'<text (style="(?P<style>[^"]*)"[^>]*)>(?P<said>[^<]*)</text>')
_UPRIGHT = re.compile(r' transform="rotate\(-0 [^"]*"')
_PRECISE = re.compile(r"(?<=[ \"(-])(\d+\.\d\d)\d+(?=[ \")\n])")
"""Hundredths of a point are enough."""
_SIZE = re.compile(r"font-size: ([\d.]+)px")


def _for_pages(svg: str, title: str, said: str) -> str:
    """Make of matplotlib's SVG one that stands in a page: no ids that clash, values told, texts as wide as drawn.

    A reader's machine has other fonts; with its width said, a text takes the room that it was given here.
    """

    def told(found: re.Match[str]) -> str:
        words = found[2]
        focus = f' tabindex="0" role="img" aria-label="{words}"' if found[1] == "value" else ""
        return f'<g class="value"{focus}><title>{words}</title>'

    def measured(found: re.Match[str]) -> str:
        size = _SIZE.search(found["style"])
        if size is None:
            return found[0]
        wide = width(unescape(found["said"]), float(size[1]), bold="font-weight" in found["style"])
        return (
            f'<text {found[1]} textLength="{wide:.2f}" lengthAdjust="spacingAndGlyphs">{found["said"]}</text>'
        )

    svg = svg.replace(f"'{FONT}'", f"'{FONT}', sans-serif")
    svg = _COMMENT.sub("", _ABOUT.sub("", _HEAD.sub("", svg)))
    named = set(_REFERRED.findall(svg))
    svg = _NAMED.sub(lambda found: found[0] if found[1] in named else "", svg)
    svg = _PRECISE.sub(r"\1", _UPRIGHT.sub("", svg))
    svg = _TEXT.sub(measured, _VALUE.sub(told, svg))
    described = f'<svg role="group" aria-label="{escape(title)}"'
    return svg.replace("<svg", described, 1).replace(">", f">\n <desc>{escape(said)}</desc>", 1)
