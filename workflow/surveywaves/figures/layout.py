"""A page in millimetres: text is measured before it is placed, so that nothing overlaps and nothing is cut.

Everything on a page stands in one matplotlib axes without ticks, from the top left, y downwards. Boxes, rules and
marks of one kind become one artist each, which is what makes drawing fast.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import matplotlib as mpl
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch

from surveywaves.figures.line import Line
from surveywaves.figures.measure import (
    BASELINE,
    ELLIPSIS,
    LINE,
    MM_PER_POINT,
    drawable,
    font_for,
    told_apart,
    width_of,
    wrap,
)
from surveywaves.figures.stripes import WHITE, as_path, stripes
from surveywaves.figures.style import COLUMNS, GREY, INK, RC, RULE, TWO_COLUMNS, WITHHELD, Look
from surveywaves.study.models import FigureStyle

Align = Literal["left", "center", "right"]
SHIFT: Final[dict[Align, float]] = {"left": 0.0, "center": 0.5, "right": 1.0}

SMALL: Final = 0.8
TINY: Final = 0.72
LARGE: Final = 1.15
"""Font sizes beside the base size."""

SHORTENED: Final = "… Words left out; the statements stand in full with the answers to them."

MARGIN: Final = 2.0
EDGE: Final = 0.35
"""Width of the white line around a box, in points."""
STRIPE: Final = 0.32
"""Width of a stripe across a box, in base font sizes."""
MM_PER_INCH: Final = 25.4
CAP: Final = 0.365
"""Half the height of a capital, in font sizes: text this far below a line is centred on it."""


@dataclass(frozen=True, slots=True)
class Key:
    """An entry of a legend: a box of a colour, a striped box, or a mark.

    Parameters
    ----------
    label
        Words.
    colour
        Of the box or mark.
    marker
        Shape of the mark; none: a box.
    hollow
        Whether the mark is an outline.
    stripes
        Colours of the box, if it has several; see `Page.striped`.
    """

    label: str
    colour: str = ""
    marker: str | None = None
    hollow: bool = False
    stripes: tuple[str, ...] = ()


@dataclass
class Page:
    """A drawing in the making.

    Parameters
    ----------
    style
        Base font size, resolution, and how wide figures are.
    own
        Width in mm, where the style leaves it to the figure.

    Attributes
    ----------
    width
        In mm.
    y
        How far down the page is used, in mm.
    em
        The base font size in mm.
    """

    style: FigureStyle
    own: float = TWO_COLUMNS
    y: float = MARGIN
    _shortened: bool = False
    _texts: list[tuple[float, float, str, float, bool, str, Align]] = field(default_factory=list)
    _boxes: list[tuple[float, float, float, float, str]] = field(default_factory=list)
    _plates: list[tuple[float, float, float, float, str]] = field(default_factory=list)
    _bands: list[tuple[float, float, float, float, str]] = field(default_factory=list)
    _rules: dict[bool, list[tuple[float, float, float, float, str, float, bool]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    _marks: dict[Look, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    _stripes: dict[str, list[list[tuple[float, float]]]] = field(default_factory=lambda: defaultdict(list))

    @property
    def width(self) -> float:
        """Width in mm."""
        return self.own if self.style.columns is None else COLUMNS[self.style.columns]

    @property
    def em(self) -> float:
        """Base font size in mm."""
        return self.style.font_size * MM_PER_POINT

    @property
    def left(self) -> float:
        """Left edge of what is drawn."""
        return MARGIN

    @property
    def right(self) -> float:
        """Right edge of what is drawn."""
        return self.width - MARGIN

    def abreast(self, panels: int, most: int, *, least: float = 9.5) -> int:
        """Give how many panels to put side by side, so that lines are as even as they can be.

        Parameters
        ----------
        panels
            How many there are.
        most
            Side by side on a wide page.
        least
            What each takes of the page's width, in base font sizes, its share of the labels included.
        """
        fitting = max(min(most, int((self.right - self.left) / self.em / least)), 1)
        lines = max(math.ceil(panels / fitting), 1)
        return max(math.ceil(panels / lines), 1)

    def height_of(self, lines: float, size: float = 1.0) -> float:
        """Height of some lines of text in mm; `size` in base font sizes."""
        return lines * LINE * size * self.em

    def width_of(self, text: str, size: float = 1.0, *, bold: bool = False) -> float:
        """Width of a line of text in mm; `size` in base font sizes."""
        return width_of(drawable(text), size * self.em, bold=bold)

    def wrap(
        self,
        text: str,
        width: float,
        size: float = 1.0,
        *,
        bold: bool = False,
        max_lines: int | None = None,
    ) -> list[str]:
        """Break a text into lines no wider than `width` mm."""
        return wrap(text, width, size * self.em, bold=bold, max_lines=max_lines)

    def told_apart(self, texts: Sequence[str], width: float, size: float = 1.0) -> list[list[str]]:
        """Give each text one line no wider than `width` mm, or as many as tell it from the others."""
        found = told_apart(texts, width, size * self.em)
        self._shortened |= any(
            ELLIPSIS in "".join(lines) and ELLIPSIS not in text
            for text, lines in zip(texts, found, strict=True)
        )
        return found

    # --- putting things on the page ---------------------------------------------------------------------------

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float = 1.0,
        *,
        bold: bool = False,
        colour: str = INK,
        align: Align = "left",
        backed: bool = False,
    ) -> None:
        """Put a line of text, vertically centred on y; `backed`: with what is behind it hidden."""
        if shown := drawable(text):
            if backed:
                em = size * self.em
                wide = self.width_of(shown, size, bold=bold)
                left = x - SHIFT[align] * wide - 0.2 * em
                self.plate(left, y - 0.5 * em, wide + 0.4 * em, em)
            self._texts.append((x, y + CAP * size * self.em, shown, size, bold, colour, align))

    def block(
        self,
        x: float,
        y: float,
        lines: Sequence[str],
        size: float = 1.0,
        *,
        bold: bool = False,
        colour: str = INK,
        align: Align = "left",
    ) -> float:
        """Put lines of text under each other from y down, and give the y below them."""
        for number, line in enumerate(lines):
            if line:
                baseline = y + (number * LINE + BASELINE) * size * self.em
                self._texts.append((x, baseline, line, size, bold, colour, align))
        return y + self.height_of(len(lines), size)

    def paragraph(self, text: str, size: float = SMALL, *, bold: bool = False, colour: str = GREY) -> None:
        """Put a text over the whole width at the page's current end."""
        lines = self.wrap(text, self.right - self.left, size, bold=bold)
        self.y = self.block(self.left, self.y, lines, size, bold=bold, colour=colour)

    def title(self, text: str) -> None:
        """Begin the page with what it shows."""
        self.paragraph(text, LARGE, bold=True, colour=INK)
        self.y += 0.2 * self.em

    def foot(self, notes: Iterable[str], evidence: str) -> None:
        """End the page with notes and with what the data behind it are."""
        self.y += 0.3 * self.em
        for note in filter(None, (SHORTENED if self._shortened else "", *notes)):
            self.paragraph(note)
        self.y += 0.3 * self.em
        indent = 0.9 * self.em
        lines = self.wrap(evidence, self.right - self.left - indent, SMALL)
        bottom = self.block(self.left + indent, self.y, lines, SMALL)
        self.box(self.left, self.y, 0.35 * self.em, bottom - self.y, INK)
        self.y = bottom

    def box(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        """Put a filled box."""
        if width > 0:
            self._boxes.append((x, y, width, height, colour))

    def plate(self, x: float, y: float, width: float, height: float) -> None:
        """Hide the rules and boxes behind a part of the page."""
        self._plates.append((x, y, width, height, "#ffffff"))

    def striped(
        self, x: float, y: float, width: float, height: float, colours: Sequence[str] = WITHHELD
    ) -> None:
        """Put a box with stripes of several colours: what is known of several things together, or withheld."""
        self.box(x, y, width, height, colours[0])
        edge = EDGE * MM_PER_POINT / 2
        inside = x + edge, y + edge, width - 2 * edge, height - 2 * edge
        white = 0.0 if colours[0] == "#ffffff" else WHITE
        found = stripes(*inside, colours=len(colours), thickness=STRIPE * self.em, white=white)
        for place, shape in found:
            self._stripes[(*colours, "#ffffff")[place]].append(shape)

    def band(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        """Put a filled box under everything else."""
        self._bands.append((x, y, width, height, colour))

    def rule(
        self,
        start: tuple[float, float],
        end: tuple[float, float],
        *,
        colour: str = RULE,
        weight: float = 0.5,
        dotted: bool = False,
        above: bool = False,
    ) -> None:
        """Put a line; `weight` in points, `above` the boxes or below them."""
        self._rules[above].append((*start, *end, colour, weight, dotted))

    def mark(self, x: float, y: float, look: Look) -> None:
        """Put a mark."""
        self._marks[look].append((x, y))

    def legend(self, keys: Iterable[Key], *, x: float | None = None, size: float = SMALL) -> None:
        """Put a legend at the page's current end, in as many lines as it takes."""
        left = self.left if x is None else x
        at, em, pitch = left, size * self.em, self.height_of(1, size) * 1.1
        swatch, gap, between = 1.1 * em, 0.45 * em, 1.4 * em
        for key in keys:
            lines = self.wrap(key.label, self.right - left - swatch - gap, size, max_lines=2)
            needed = swatch + gap + max(self.width_of(line, size) for line in lines)
            if at > left and (at + needed > self.right or len(lines) > 1):
                at, self.y = left, self.y + pitch
            middle = self.y + pitch / 2
            if key.stripes:
                self.striped(at, middle - 0.42 * em, swatch, 0.84 * em, key.stripes)
            elif key.marker is None:
                self.box(at, middle - 0.42 * em, swatch, 0.84 * em, key.colour)
            else:
                self.mark(
                    at + swatch / 2, middle, Look(key.colour, key.marker, legend=True, hollow=key.hollow)
                )
            bottom = self.block(at + swatch + gap, middle - LINE * em / 2, lines, size)
            at += needed + between
            if len(lines) > 1:
                at, self.y = left, bottom
        if at > left:
            self.y += pitch

    # --- the end ----------------------------------------------------------------------------------------------

    def finish(self) -> Figure:
        """Make the figure."""
        height = self.y + MARGIN
        with mpl.rc_context(RC):
            figure = Figure(
                figsize=(self.width / MM_PER_INCH, height / MM_PER_INCH),
                dpi=self.style.dpi,
                facecolor="white",
                edgecolor="none",
                linewidth=0,
            )
            axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
            axes.set_axis_off()
            axes.set_xlim(0, self.width)
            axes.set_ylim(height, 0)
            for above, order in ((False, 1), (True, 3)):
                if self._rules[above]:
                    axes.add_artist(_lines(self._rules[above], order))
            if self._bands:
                axes.add_artist(_polygons(self._bands, 0))
            if self._boxes:
                axes.add_artist(_polygons(self._boxes, 2))
            for colour, shapes in self._stripes.items():
                axes.add_artist(PathPatch(as_path(shapes), facecolor=colour, linewidth=0, zorder=2.2))
            if self._plates:
                axes.add_artist(_polygons(self._plates, 3.5))
            for number, (look, places) in enumerate(self._marks.items()):
                axes.add_artist(_marks(look, places, number, self.style.font_size))
            fonts: dict[tuple[str, float], FontProperties] = {}
            for x, y, text, size, bold, colour, align in self._texts:
                font = font_for(text, bold=bold), size * self.style.font_size
                if font not in fonts:
                    fonts[font] = FontProperties(fname=font[0], size=font[1])
                width = width_of(text, size * self.em, bold=bold)
                left = x - SHIFT[align] * width
                axes.add_artist(
                    Line(
                        left,
                        y,
                        text,
                        width=width / MM_PER_POINT,
                        font=fonts[font],
                        bold=bold,
                        colour=colour,
                    )
                )
            for artist in axes.get_children():
                artist.set_clip_on(False)
        return figure


def _lines(rules: list[tuple[float, float, float, float, str, float, bool]], order: int) -> LineCollection:
    return LineCollection(
        [((x0, y0), (x1, y1)) for x0, y0, x1, y1, *_ in rules],
        colors=[rule[4] for rule in rules],
        linewidths=[rule[5] for rule in rules],
        linestyles=[(0, (1.5, 1.5)) if rule[6] else "solid" for rule in rules],
        zorder=order,
    )


def _polygons(boxes: list[tuple[float, float, float, float, str]], order: float) -> PolyCollection:
    return PolyCollection(
        [((x, y), (x + w, y), (x + w, y + h), (x, y + h)) for x, y, w, h, _ in boxes],
        facecolors=[box[4] for box in boxes],
        edgecolors="white",
        linewidths=EDGE,
        zorder=order,
    )


def _marks(look: Look, places: list[tuple[float, float]], number: int, font_size: float) -> Line2D:
    line = Line2D(
        [x for x, _ in places],
        [y for _, y in places],
        linestyle="none",
        marker=look.marker,
        markersize=(0.55 if look.legend else 0.42) * font_size,
        markerfacecolor="white" if look.hollow else look.colour,
        markeredgecolor=look.colour,
        markeredgewidth=0.1 * font_size if look.hollow else 0.0,
        zorder=5,
    )
    line.set_gid(f"{'key' if look.legend else 'marks'}-{number}")
    return line
