"""Draws and saves all figures of a study, with the same bytes on every run and machine."""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import pandas as pd
import typst
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.colors import to_hex

from surveywaves.catalogue import FIGURES, NARROW, ROWS_FORMAT, SLIDES, Figure, One, of_study
from surveywaves.figures.drawing import Drawing
from surveywaves.figures.style import FONT, RC, drawable, heights, on_slide, on_telephone, width
from surveywaves.files import csv_text, write_bytes, write_text
from surveywaves.study.parts import Presentation

TEMPLATE: Final = b"""#set page(width: auto, height: auto, margin: 0pt)
#set document(title: sys.inputs.title, date: none)
#image(bytes(sys.inputs.svg), format: "svg", alt: sys.inputs.alt)
"""


def save_all(
    tables: Mapping[str, pd.DataFrame],
    presentation: Presentation,
    folder: Path,
    exhibits: Iterable[Figure] = FIGURES,
) -> pd.DataFrame:
    """Draw every figure into a folder, with its rows, as a slide too and, where the catalogue says so, for a telephone.

    `tables` are released, by name; `exhibits` is a list of the catalogue. What comes back is `captions.tsv`: the words
    beside each figure that shows something, in the order of the figures.
    """
    slides, said, jobs = on_slide(presentation), [], []
    with ThreadPoolExecutor(1) as beside:
        for one in of_study(exhibits, presentation, tables):
            drawing, slide = draw(one, tables, presentation), draw(one, tables, slides)
            write_text(csv_text(drawing.rows), str(folder / f"{one.name}.{ROWS_FORMAT}"))
            svgs = svg_of(drawing), svg_of(slide)
            write_text(svgs[0], str(folder / f"{one.name}.svg"))
            jobs.append(
                beside.submit(typeset, drawing.words, svgs[0], folder, presentation.style.dpi, pdf=True)
            )
            jobs.append(beside.submit(typeset, slide.words, svgs[1], folder / SLIDES, slides.style.dpi))
            if isinstance(one.exhibit, Figure) and one.exhibit.narrow:
                # A page holds both, each with ids of its own.
                narrow = draw(one, tables, on_telephone(presentation))
                narrow_svg = svg_of(replace(narrow, name=f"{one.name} {NARROW}"))
                write_text(narrow_svg, str(folder / NARROW / f"{one.name}.svg"))
            if len(drawing.rows):
                said.append(drawing.words)
        for job in jobs:
            job.result()
    return pd.DataFrame(said)


def draw(one: One, tables: Mapping[str, pd.DataFrame], presentation: Presentation) -> Drawing:
    """Draw a figure.

    Raises
    ------
    ValueError
        If the rows of the drawing are not rows of the first table that it reads.
    """
    with mpl.rc_context(RC | {"font.size": presentation.style.font_size}):
        drawing: Drawing = one.make(tables, presentation)
    read = tables[one.exhibit.reads[0]]
    if not drawing.rows.index.isin(read.index).all() or not {*read} <= {*drawing.rows} <= {*read, "evidence"}:
        raise ValueError(f"figure {one.name}: its rows are not rows of {one.exhibit.reads[0]}")
    return replace(drawing, name=one.name, group=one.exhibit.section)


def typeset(words: Mapping[str, str], svg: str, folder: Path, dpi: float, *, pdf: bool = False) -> None:
    """Write a drawing as PNG with its resolution in the file and, with `pdf`, as tagged PDF with embedded fonts.

    `words` are `Drawing.words`, and `svg` is what `svg_of` returns.
    """
    said = {"svg": svg, **{name: drawable(words[name]) for name in ("title", "alt")}}
    if pdf:
        printed = typst.compile(TEMPLATE, format="pdf", font_paths=_fonts(), sys_inputs=said)
        write_bytes(printed, str(folder / f"{words['figure']}.pdf"))
    content = typst.compile(TEMPLATE, format="png", ppi=dpi, font_paths=_fonts(), sys_inputs=said)
    chunk = b"pHYs" + struct.pack(">IIB", *[round(dpi / 0.0254)] * 2, 1)
    resolution = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    head = content.index(b"IHDR") + 4 + 13 + 4
    write_bytes(content[:head] + resolution + content[head:], str(folder / f"{words['figure']}.png"))


@cache
def _fonts() -> typst.Fonts:
    """Read the fonts that come with matplotlib, once."""
    return typst.Fonts(include_system_fonts=False, font_paths=[f"{mpl.get_data_path()}/fonts/ttf"])


class _Renderer(RendererSVG):
    """Writes texts with their measured width, and values to show on hover; names only what is referred to.

    A reader's machine may have other fonts; with a width, a text takes the room that was measured for it.
    """

    def __init__(self, *given: Any, **further: Any) -> None:
        super().__init__(*given, **further)  # type: ignore[no-untyped-call]
        self.open: list[bool] = []
        self.write: Any = self.writer

    def get_text_width_height_descent(self, s: str, prop: Any, ismath: object) -> tuple[float, float, float]:  # noqa: ARG002
        size = prop.get_size_in_points()
        return width(s, size, bold=prop.get_weight() == "bold"), size, 0.24 * size

    def _get_font_height_metrics(self, prop: Any) -> tuple[float, float, float]:
        """Return ascent, descent and gap between lines; matplotlib would read the font for each text."""
        ascent, descent, gap = heights()
        size = prop.get_size_in_points()
        return size * ascent, size * descent, size * gap

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
        self.open_group("", gc.get_url())
        gc.set_url(None)
        super().draw_path(gc, path, transform, rgbFace)  # type: ignore[no-untyped-call]
        self.close_group("")

    def _convert_path(self, *path: Any, **how: Any) -> str:
        return _PRECISE.sub(r"\1", super()._convert_path(*path, **how))  # type: ignore[no-untyped-call]

    draw_path_collection = RendererBase.draw_path_collection  # mark by mark: each tells its value

    def close_group(self, s: str) -> None:  # noqa: ARG002
        if self.open.pop():
            self.write.end("g")


def svg_of(drawing: Drawing) -> str:
    """Write a drawing as an SVG to embed in a page beside others: with title and description, and ids of its own."""
    wide, high = drawing.figure.get_size_inches() * 72
    with mpl.rc_context(RC | {"svg.hashsalt": drawing.name}), io.StringIO() as text:
        renderer = _Renderer(wide, high, text, image_dpi=72)
        drawing.figure.set_dpi(72)
        drawing.figure.draw(renderer)
        renderer.finalize()  # type: ignore[no-untyped-call]
        svg = _ABOUT.sub("", text.getvalue())
    title, said = (escape(drawable(words)) for words in (drawing.title, drawing.alt))
    return svg.replace("<svg", f'<svg role="group" aria-label="{title}"', 1).replace(
        ">", f">\n <desc>{said}</desc>", 1
    )


_ABOUT = re.compile(r"^.*?(?=<svg)|\s*<metadata>.*?</metadata>", re.DOTALL)
_PRECISE = re.compile(r"(\.\d\d)\d+")
"""Hundredths of a point are enough."""
