"""A line of text on a page: drawn without a layout of its own, and in SVG as text that takes the measured width."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text
from numpy.typing import NDArray

FAMILY = "DejaVu Sans, Verdana, sans-serif"
"""The font that texts are measured in, and what resembles it where it is not installed."""


class Written(NamedTuple):
    """A line by itself: its words and their width in points, file and size of the font, resolution and colour."""

    text: str
    width: float
    file: str
    points: float
    dpi: float
    colour: str


@lru_cache(maxsize=4096)
def _picture(line: Written) -> tuple[NDArray[np.uint8], int, int]:
    """Draw a line by itself, once: most lines stand on many figures.

    Returns
    -------
    array (height, width, 4) of uint8, int, int
        The picture, lowest row first, and how many pixels of it lie left of the line's start and below its baseline.
    """
    em, wide = (length * line.dpi / 72 for length in (line.points, line.width))
    around = math.ceil(em / 2)
    size = math.ceil(wide) + 2 * around, math.ceil(2 * em)
    renderer: Any = RendererAgg(*size, line.dpi)  # type: ignore[no-untyped-call]
    gc = renderer.new_gc()
    gc.set_foreground(line.colour)
    font = FontProperties(fname=line.file, size=line.points)
    renderer.draw_text(gc, around, size[1] - around, line.text, font, 0.0)
    gc.restore()
    return np.array(renderer.buffer_rgba())[::-1].copy(), around, around


class Line(Text):
    """One line, from its left end, on its baseline.

    The page has measured it already, so matplotlib's layout, which costs more than the drawing, is left out; and in a
    picture of pixels a line is drawn once, and put wherever it stands, on whole pixels. An SVG file holds the words, to
    be found and copied, and the width that they must take: where the font is not installed, another one is stretched to
    it, and nothing overlaps.

    Parameters
    ----------
    x, y
        Left end and baseline, in the data coordinates of the page.
    text
        A drawable text.
    width
        In points.
    font
        File and size.
    bold
        Whether it is.
    colour
        Its colour.
    """

    def __init__(
        self,
        x: float,
        y: float,
        text: str,
        *,
        width: float,
        font: FontProperties,
        bold: bool,
        colour: str,
    ) -> None:
        super().__init__(
            x,
            y,
            text,
            color=colour,
            fontproperties=font,
            horizontalalignment="left",
            verticalalignment="baseline",
            parse_math=False,
            usetex=False,
            clip_on=False,
            zorder=6,
        )
        self._line = width, bold, colour

    def draw(self, renderer: RendererBase) -> None:
        """Draw it, whatever the file."""
        x, y = self.get_transform().transform(self.get_unitless_position())
        font, (width, bold, colour) = self.get_fontproperties(), self._line
        if isinstance(renderer, RendererAgg):
            line = Written(
                self.get_text(), width, str(font.get_file()), font.get_size_in_points(), renderer.dpi, colour
            )
            picture, left, below = _picture(line)
            renderer.draw_image(renderer.new_gc(), round(x) - left, round(y) - below, picture)
            return
        if renderer.flipy():
            y = renderer.get_canvas_width_height()[1] - y
        writer = getattr(renderer, "writer", None)  # only an SVG has one
        if writer is None:
            gc = renderer.new_gc()
            gc.set_foreground(colour)
            renderer.draw_text(gc, x, y, self.get_text(), font, 0.0, ismath=False)
            gc.restore()
            return
        weight = {"font-weight": "bold"} if bold else {}
        writer.element(
            "text",
            self.get_text(),
            attrib={
                "x": f"{x:.2f}",
                "y": f"{y:.2f}",
                "font-family": FAMILY,
                "font-size": f"{font.get_size_in_points():g}",
                **weight,
                "fill": colour,
                "textLength": f"{width:.2f}",
                "lengthAdjust": "spacingAndGlyphs",
            },
        )
