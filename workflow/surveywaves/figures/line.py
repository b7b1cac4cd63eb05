"""A line of text on a page: drawn without a layout of its own, and in SVG as text that takes the measured width."""

from __future__ import annotations

from matplotlib.backend_bases import RendererBase
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text

FAMILY = "DejaVu Sans, Verdana, sans-serif"
"""The font that texts are measured in, and what resembles it where it is not installed."""


class Line(Text):
    """One line, from its left end, on its baseline.

    The page has measured it already, so matplotlib's layout, which costs more than the drawing, is left out. An SVG
    file holds the words, to be found and copied, and the width that they must take: where the font is not installed,
    another one is stretched to it, and nothing overlaps.

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
        if renderer.flipy():
            y = renderer.get_canvas_width_height()[1] - y
        font, (width, bold, colour) = self.get_fontproperties(), self._line
        writer = getattr(renderer, "writer", None)  # only an SVG has one
        if writer is None:
            gc = renderer.new_gc()
            gc.set_foreground(colour)
            renderer.draw_text(gc, x, y, self.get_text(), font, 0.0, ismath=False)
            gc.restore()
            return
        look = {"font-weight": "bold"} if bold else {}
        writer.element(
            "text",
            self.get_text(),
            attrib={
                "x": f"{x:.2f}",
                "y": f"{y:.2f}",
                "font-family": FAMILY,
                "font-size": f"{font.get_size_in_points():g}",
                **look,
                "fill": colour,
                "textLength": f"{width:.2f}",
                "lengthAdjust": "spacingAndGlyphs",
            },
        )
