"""Saving a figure: as SVG, and by typst from it as tagged PDF and as PNG; the same bytes on every run and machine."""

from __future__ import annotations

import io
import re
import struct
import zlib
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import typst
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.colors import to_hex

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
    """Writes texts as they were measured for their place, tells values, and names only what is referred to.

    A reader's machine may have other fonts; with its width said, a text takes the room that it was given.
    """

    def __init__(self, *given: Any, **further: Any) -> None:
        super().__init__(*given, **further)  # type: ignore[no-untyped-call]
        self.open: list[bool] = []
        self.write: Any = self.writer

    def get_text_width_height_descent(self, s: str, prop: Any, ismath: object) -> tuple[float, float, float]:  # noqa: ARG002
        size = prop.get_size_in_points()
        return width(s, size, bold=prop.get_weight() == "bold"), size, 0.24 * size

    def draw_text(self, gc: Any, x: float, y: float, s: str, *how: Any, **_: object) -> None:
        prop, angle = how[:2]
        bold, size = prop.get_weight() == "bold", prop.get_size_in_points()
        style = f"font-size: {size:g}px; font-family: '{FONT}', sans-serif; fill: {to_hex(gc.get_rgb())}"
        look = {"style": f"{style}; font-weight: 700" if bold else style, "x": f"{x:.2f}", "y": f"{y:.2f}"}
        if angle:
            look["transform"] = f"rotate({-angle:g} {x:.2f} {y:.2f})"
        look |= {"textLength": f"{width(s, size, bold=bold):.2f}", "lengthAdjust": "spacingAndGlyphs"}
        self.write.element("text", s, attrib=look)

    def open_group(self, s: str, gid: str | None = None) -> None:  # noqa: ARG002
        kind, _, said = (gid or "").partition(":")
        self.open.append(bool(said))
        if said:
            focus = {"tabindex": "0", "role": "img", "aria-label": said} if kind == "value" else {}
            self.write.start("g", attrib={"class": "value", **focus})
            self.write.element("title", said)

    def draw_path(self, gc: Any, path: Any, transform: Any, rgbFace: Any = None) -> None:  # noqa: N803
        said = gc.get_url()
        gc.set_url(None)
        self.open_group("", said)
        super().draw_path(gc, path, transform, rgbFace)  # type: ignore[no-untyped-call]
        self.close_group("")

    draw_path_collection = RendererBase.draw_path_collection  # mark by mark: each tells its value

    def close_group(self, s: str) -> None:  # noqa: ARG002
        if self.open.pop():
            self.write.end("g")


def svg_of(drawing: Drawing) -> str:
    """Write a drawing as an SVG that stands in a page beside others: with words, and with ids of its own."""
    wide, high = drawing.figure.get_size_inches() * 72
    with mpl.rc_context(RC | {"svg.hashsalt": drawing.name}), io.StringIO() as text:
        renderer = _Renderer(wide, high, text, image_dpi=72)
        drawing.figure.set_dpi(72)
        drawing.figure.draw(renderer)
        renderer.finalize()  # type: ignore[no-untyped-call]
        svg = _PRECISE.sub(r"\1", _ABOUT.sub("", text.getvalue()))
    title, said = (escape(drawable(words)) for words in (drawing.title, drawing.alt))
    return svg.replace("<svg", f'<svg role="group" aria-label="{title}"', 1).replace(
        ">", f">\n <desc>{said}</desc>", 1
    )


_ABOUT = re.compile(r"^.*?(?=<svg)|\s*<metadata>.*?</metadata>", re.DOTALL)
_PRECISE = re.compile(r"(?<=[ \"(-])(\d+\.\d\d)\d+(?=[ \")\n])")
"""Hundredths of a point are enough."""
