"""A page in millimetres on which text is measured before it is placed: nothing overlaps and nothing is cut.

Everything on a page stands in one matplotlib axes without ticks, from the top left, y downwards. Boxes, rules and
marks of one kind become one artist each, which is what makes drawing fast. Stripes are shapes: a pattern of a file
format looks different in every program that opens it. In SVG, text takes the width that was measured with the bundled
font.

Here are also sizes, colours, marks, round numbers for axes, and the matplotlib settings that must not differ between
machines.
"""

from __future__ import annotations

import atexit
import math
import unicodedata
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal, NamedTuple

import matplotlib as mpl
import numpy as np
import seaborn as sns
from fontTools import subset  # type: ignore[import-untyped]
from matplotlib import get_data_path
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import Colormap, to_hex
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.ft2font import FT2Font, LoadFlags
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline
from matplotlib.text import Text
from numpy.typing import NDArray

from surveywaves.study.models import FigureStyle
from surveywaves.terms import ALL, Decision

ONE_COLUMN: Final = 85.0
TWO_COLUMNS: Final = 175.0
"""Widths in mm: a column of a journal page, and the page."""
COLUMNS: Final = {1: ONE_COLUMN, 2: TWO_COLUMNS}

INK: Final = "#1a1a1a"
GREY: Final = "#595959"
RULE: Final = "#d4d4d4"
REFERENCE: Final = "#8c8c8c"
BAND: Final = "#ececec"
"""What lies within the smallest effect of interest."""
WITHHELD: Final = ("#ffffff", "#a3a3a3")
"""Stripes of what is withheld."""

REASONS: Final = {
    "answered": "#1f4e79",
    "skipped": "#9ecae1",
    "dont_know": "#f5dc8c",
    "invalid": "#c9853b",
    "broke_off": "#5e2411",
    "not_asked": "#e8e8e8",
}
"""Colours of what became of a question."""

VERDICTS: Final = ("#1f4e79", "#8fbfdc", "#fbe08a", "#a63603", "#3b3b3b", "#cfcfcf")
"""Colours of the outcomes of an audit, best first."""

MARKERS: Final = ("o", "s", "^", "v", "P", "X")
MARKER_OF_ALL: Final = "D"
PAIR_MARKERS: Final = ("D", "P", "X", "*", "p", "h", "d", "8")
"""Of two organisations together."""

DECISIONS: Final = {
    Decision.INCREASE.value: ("#173f5f", "^"),
    Decision.DECREASE.value: ("#b5400e", "v"),
    Decision.NO_MEANINGFUL_CHANGE.value: ("#1f83b4", "s"),
    Decision.INCONCLUSIVE.value: ("#8c8c8c", "o"),
}
"""Colour and shape of each decision: told apart by either."""

SIZES: Final = {"negligible": ("#8c8c8c", "o"), "moderate": ("#b5400e", "^"), "large": ("#3b1054", "X")}
"""Colour and shape of how much an item's difference between groups matters."""

RC: Final[dict[Any, Any]] = {
    "text.usetex": False,
    "text.parse_math": False,
    "text.hinting": "none",
    "text.antialiased": True,
    "axes.unicode_minus": False,
    "path.simplify": False,
    "path.snap": True,
    "path.effects": [],
    "path.sketch": None,
    "figure.facecolor": "white",
    "figure.autolayout": False,
    "figure.constrained_layout.use": False,
    "savefig.facecolor": "white",
    "savefig.edgecolor": "none",
    "savefig.transparent": False,
    "savefig.bbox": None,
    "lines.antialiased": True,
    "lines.dash_capstyle": "butt",
    "lines.scale_dashes": True,
    "patch.antialiased": True,
    # Words stay words: in PDF of an embedded font; in SVG see `surveywaves.figures.layout`.
    "svg.fonttype": "none",
    "svg.hashsalt": "surveywaves",
    "svg.image_inline": True,
    "svg.id": None,
    "pdf.fonttype": 42,
    "pdf.compression": 6,
    "pdf.use14corefonts": False,
}
"""Settings for drawing and saving; everything else that shows is said where it is drawn."""


@dataclass(frozen=True, slots=True)
class Look:
    """How marks of one organisation (or of all) look: told apart by shape as well as by colour."""

    colour: str
    marker: str
    legend: bool = False
    """Whether it stands in a legend, and for no number."""


def look_of(organisation: str, organisations: Sequence[str], style: FigureStyle) -> Look:
    """Give an organisation its look; `all`, and whatever is no single organisation, is a dark diamond."""
    if organisation == ALL or organisation not in organisations:
        return Look("#333333", MARKER_OF_ALL)
    place = list(organisations).index(organisation)
    return Look(style.organisations[place % len(style.organisations)], MARKERS[place % len(MARKERS)])


def response_colours(palette: Sequence[str], options: int) -> tuple[str, ...]:
    """Colour any number of response options, lowest first, from a diverging palette.

    The middle option takes the palette's middle; each side runs from the palette's end to the colour next to its
    middle. An even number of options has no middle, and neither have its colours.

    Parameters
    ----------
    palette
        Three colours or more, `#rrggbb`.
    options
        Two or more.
    """
    half = len(palette) // 2
    low, high = palette[:half], palette[-half:]
    side = options // 2
    middle = palette[half] if len(palette) % 2 else _blend(palette[half - 1 : half + 1], 3)[1]
    # One option a side has the colour of the end.
    return (*_blend(low, side), *([middle] if options % 2 else []), *_blend(high[::-1], side)[::-1])


def wave_colours(waves: int) -> tuple[str, ...]:
    """Colour waves by order of time, light to dark."""
    return tuple(_blend(("#173f5f", "#b7cbdc"), waves)[::-1])


def sequential(share: float) -> str:
    """Colour a share from 0 to 1, light to dark: its lightness falls evenly, so that greyscale keeps the order."""
    return to_hex(_sequential()(min(max(share, 0.0), 1.0)))


@cache
def _sequential() -> Colormap:
    stops = ("#f7f4e9", "#c7dfe3", "#7fb3cc", "#3d7fa8", "#123a5c")
    colours: Colormap = sns.blend_palette(stops, as_cmap=True)
    return colours


def on(background: str) -> str:
    """Choose dark or white for text on a background, whichever contrasts more."""
    return "#ffffff" if luminance(background) < 0.18 else "#000000"


def luminance(colour: str) -> float:
    """Give the relative luminance of an sRGB colour (WCAG 2.1), 0 to 1."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in _channels(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def lightness(colour: str) -> float:
    """Give the CIE lightness L* of an sRGB colour, 0 to 100: what is left of it in greyscale."""
    y = luminance(colour)
    return 116 * y ** (1 / 3) - 16 if y > 216 / 24389 else y * 24389 / 27


def _blend(colours: Sequence[str], count: int) -> list[str]:
    """Take `count` colours from the first to the last, evenly; of one, the first."""
    return list(sns.blend_palette(colours, count).as_hex()) if len(colours) > 1 else [*colours] * count


def _channels(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return red, green, blue


MM_PER_POINT: Final = 25.4 / 72
LINE: Final = 1.24
"""Height of a line of text in font sizes; the font itself takes 1.0."""
BASELINE: Final = 0.93
"""From the top of a line to its baseline, in font sizes."""
ELLIPSIS: Final = "…"
LATIN: Final = frozenset(
    (*range(0x20, 0x180), *range(0x2010, 0x2027), 0x2030, 0x20AC, 0x2212, 0x2265, 0x2264)
)
"""Latin script, Western and Central European, with its punctuation and the signs that figures use."""
MARKS_IN_A_ROW: Final = 2
"""Accents stacked on one letter before the rest are left out: a tower of them would reach into other lines."""


def font_for(text: str, *, bold: bool) -> str:
    """Give the file of the font to draw a text with: DejaVu Sans as matplotlib ships it, whatever is installed.

    Texts in Latin script are drawn with a cut of it that has their characters alone. The glyphs are the same ones,
    but a PDF embeds them ten times faster.
    """
    return _latin_file(bold) if all(ord(character) in LATIN for character in text) else _file(bold)


def prepare() -> None:
    """Make the cut fonts: processes that are forked afterwards share them."""
    for bold in (False, True):
        _latin_file(bold)


@cache
def _file(bold: bool) -> str:
    return str(Path(get_data_path()) / "fonts" / "ttf" / f"DejaVuSans{'-Bold' if bold else ''}.ttf")


@cache
def _latin_file(bold: bool) -> str:
    options = subset.Options(
        glyph_names=True, recommended_glyphs=True, notdef_outline=True, hinting=False, legacy_kern=True
    )
    options.drop_tables += ["FFTM", "GSUB", "GPOS", "GDEF"]
    font = subset.load_font(_file(bold), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=LATIN)
    subsetter.subset(font)
    target = Path(_folder().name) / Path(_file(bold)).name
    subset.save_font(font, target, options)
    return str(target)


@cache
def _folder() -> TemporaryDirectory[str]:
    """Make a folder that lasts as long as the process."""
    folder = TemporaryDirectory(prefix="surveywaves-fonts-")
    atexit.register(folder.cleanup)
    return folder


def clean(text: str) -> str:
    """Make one line of a text: no control, formatting or unassigned characters, no surplus white space."""
    return " ".join("".join(_plain(c) for c in unicodedata.normalize("NFC", text)).split())


@lru_cache(maxsize=4096)
def drawable(text: str) -> str:
    """Make a text one that the font can draw: what it has no glyph for becomes a replacement character."""
    drawn, marks = [], 0
    for character in clean(text):
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks <= MARKS_IN_A_ROW:
            drawn.append(character if _has_glyph(character) else "\ufffd")
    return "".join(drawn)


def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """Measure a line of text.

    Parameters
    ----------
    text
        A drawable text.
    size
        Font size in mm.

    Returns
    -------
    float
        Its width in mm.
    """
    words = text.split(" ")
    return size * (sum(_advance(word, bold) for word in words) + _advance(" ", bold) * (len(words) - 1))


def wrap(
    text: str, width: float, size: float, *, bold: bool = False, max_lines: int | None = None
) -> list[str]:
    """Break a text into lines no wider than `width`; a word that is wider is broken where it must be.

    Parameters
    ----------
    text
        Any text.
    width, size
        In mm.
    max_lines
        Lines to keep; what is left out is replaced by an ellipsis.

    Returns
    -------
    list of str
        One line at least.
    """
    lines: list[str] = []
    line = ""
    for word in _pieces(drawable(text), width, size, bold):
        longer = f"{line} {word}" if line else word
        if line and width_of(longer, size, bold=bold) > width:
            lines.append(line)
            line = word
        else:
            line = longer
    lines.append(line)
    if max_lines is not None and len(lines) > max_lines:
        last = lines[max_lines - 1]
        while last and width_of(last + ELLIPSIS, size, bold=bold) > width:
            last = last[:-1].rstrip()
        lines = [*lines[: max_lines - 1], last + ELLIPSIS]
    return lines


def shorten(text: str, width: float, size: float) -> str:
    """Fit a text into one line: what does not fit is left out of its middle, in whole words.

    How statements of a survey begin is often common to them, and how they end tells them apart.

    Parameters
    ----------
    text
        Any text.
    width, size
        In mm.

    Returns
    -------
    str
        The text, or its beginning and its end around an ellipsis.
    """
    words = _pieces(drawable(text), width, size, bold=False)
    if width_of(" ".join(words), size) <= width:
        return " ".join(words)
    for kept in range(len(words) - 1, 1, -1):
        first, last = kept - kept // 2, kept // 2
        line = " ".join([*words[:first], ELLIPSIS, *words[-last:]])
        if width_of(line, size) <= width:
            return line
    return wrap(text, width, size, max_lines=1)[0]


def told_apart(texts: Sequence[str], width: float, size: float) -> list[list[str]]:
    """Give each text one line, or as many as it needs to be another than the others.

    Returns
    -------
    list of list of str
        The lines of each text, in the order of `texts`.
    """
    short = [shorten(text, width, size) for text in texts]
    meant: dict[str, set[str]] = {}
    for text, line in zip(texts, short, strict=True):
        meant.setdefault(line, set()).add(text)
    return [
        [line] if len(meant[line]) == 1 else wrap(text, width, size)
        for text, line in zip(texts, short, strict=True)
    ]


def _pieces(text: str, width: float, size: float, bold: bool) -> list[str]:
    """Split a text into words that fit."""
    pieces = []
    for word in text.split(" "):
        rest = word
        while width_of(rest, size, bold=bold) > width and len(rest) > 1:
            fits = 1
            while fits < len(rest) - 1 and width_of(rest[: fits + 1], size, bold=bold) <= width:
                fits += 1
            pieces.append(rest[:fits])
            rest = rest[fits:]
        pieces.append(rest)
    return pieces


def _plain(character: str) -> str:
    kind = unicodedata.category(character)
    if kind in {"Cc", "Zl", "Zp", "Zs"}:
        return " "
    if kind == "Cf":
        return ""
    return "\ufffd" if kind[0] == "C" else character


@cache
def _has_glyph(character: str) -> bool:
    return all(_font(_file(bold)).get_char_index(ord(character)) > 0 for bold in (False, True))


@lru_cache(maxsize=65536)
def _advance(word: str, bold: bool) -> float:
    """Width in font sizes, side bearings included: what a word adds between two strokes."""
    return _ink(f"|{word}|", bold) - _ink("||", bold)


@lru_cache(maxsize=65536)
def _ink(text: str, bold: bool) -> float:
    font = _font(font_for(text, bold=bold))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        font.set_text(text, 0.0, flags=LoadFlags.NO_HINTING)
    width, _ = font.get_width_height()
    return float(width) / 64 / _UNITS


_UNITS: Final = 256


@cache
def _font(file: str) -> FT2Font:
    font = FT2Font(file)
    font.set_size(_UNITS, 72)
    return font


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


Shape = list[tuple[float, float]]
WHITE: Final = 0.24
"""Share of a stripe that is white."""


def stripes(
    x: float, y: float, width: float, height: float, *, colours: int, thickness: float, white: float = WHITE
) -> Iterator[tuple[int, Shape]]:
    """Cut a box into diagonal stripes with white between; the first colour is left out, the box itself shows there.

    The white keeps stripes apart whose colours are equally dark: without it, in greyscale, they would be one box.

    Parameters
    ----------
    x, y, width, height
        The box, from its top left corner, in mm.
    colours
        How many take turns.
    thickness
        Of a stripe, along the box, in mm.
    white
        Share of a stripe that is white: none is needed where one of two colours is.

    Yields
    ------
    int, list of (float, float)
        Number of the colour (`colours` itself: white), and corners of the stripe. Stripes of all boxes lie on one grid.
    """
    if width <= 0:
        return
    box = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
    first, last = math.floor((x + y) / thickness), math.ceil((x + width + y + height) / thickness)
    for number in range(first, last):
        low, high = number * thickness, (number + 1) * thickness
        middle = high - white * thickness
        for place, start, end in ((number % colours, low, middle), (colours, middle, high)):
            if place and start < end:
                shape = _beyond(_beyond(box, start, 1.0), end, -1.0)
                if len(shape) > 2:
                    yield place, shape


def as_path(shapes: Iterable[Shape]) -> Outline:
    """Join shapes into one path: one artist draws them all."""
    vertices: Shape = []
    codes: list[np.uint8] = []
    for shape in shapes:
        vertices += [*shape, shape[0]]
        codes += [Outline.MOVETO, *[Outline.LINETO] * (len(shape) - 1), Outline.CLOSEPOLY]
    return Outline(vertices, codes)


def _beyond(shape: Shape, limit: float, sign: float) -> Shape:
    """Keep of a convex shape what lies beyond the diagonal x + y = limit (Sutherland and Hodgman 1974)."""
    kept: Shape = []
    for (x0, y0), (x1, y1) in zip(shape, [*shape[1:], *shape[:1]], strict=True):
        before, after = sign * (x0 + y0 - limit), sign * (x1 + y1 - limit)
        if before >= 0:
            kept.append((x0, y0))
        if (before > 0 > after) or (before < 0 < after):
            share = before / (before - after)
            kept.append((x0 + share * (x1 - x0), y0 + share * (y1 - y0)))
    return kept


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
    stripes
        Colours of the box, if it has several; see `Page.striped`.
    """

    label: str
    colour: str = ""
    marker: str | None = None
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
                self.mark(at + swatch / 2, middle, Look(key.colour, key.marker, legend=True))
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
        markerfacecolor=look.colour,
        markeredgewidth=0.0,
        zorder=5,
    )
    line.set_gid(f"{'key' if look.legend else 'marks'}-{number}")
    return line


@dataclass(frozen=True, slots=True)
class Axis:
    """A horizontal axis in a panel.

    Parameters
    ----------
    start, width
        The panel's left edge and width in mm.
    low, high
        Values at its edges.
    """

    start: float
    width: float
    low: float
    high: float

    def x(self, value: float) -> float:
        """Give a value's place in mm."""
        return self.start + self.width * (value - self.low) / (self.high - self.low)

    def draw(
        self,
        page: Page,
        *,
        top: float,
        bottom: float,
        write: Callable[[float], str],
        reference: Sequence[float] = (),
        spare: float = 1.2,
    ) -> None:
        """Draw a line at every round number from `top` to `bottom`, and the number below; references are darker.

        Numbers at the edges are moved inwards where they would reach further than `spare` mm out of the panel: those
        of neighbouring panels must not touch.
        """
        widest = max(page.width_of(write(end), TINY) for end in (self.low, self.high))
        for value in ticks(self.low, self.high, self.width, widest):
            x = self.x(value)
            page.rule((x, top), (x, bottom), weight=0.4)
            half = page.width_of(write(value), TINY) / 2 - spare
            inside = min(max(x, self.start + half), self.start + self.width - half)
            page.text(
                inside, bottom + page.height_of(0.5, TINY), write(value), TINY, colour=GREY, align="center"
            )
        for value in reference:
            page.rule((self.x(value), top), (self.x(value), bottom), colour=REFERENCE, weight=0.9)


def nice_step(smallest: float) -> float:
    """Give the smallest of 1, 2, 5 times a power of ten that is not smaller."""
    power = 10.0 ** math.floor(math.log10(smallest))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= smallest * (1 - 1e-9))


def ticks(low: float, high: float, room: float, label_width: float) -> list[float]:
    """Place round numbers on an axis of `room` mm, as many as have room for labels of a width, eight at most."""
    fitting = max(min(int(room / (label_width * 1.35)), 8), 1)
    step = nice_step(max((high - low) / fitting, 1e-9))
    found = _multiples(low, high, step)
    if len(found) < 2 <= fitting:
        # One number is no scale: the next best are those around it, of one digit that differs.
        half = (high - low) / 2
        power = 10.0 ** math.floor(math.log10(half))
        found = _multiples(low, high, math.floor(half / power + 1e-9) * power)
    return found


def _multiples(low: float, high: float, step: float) -> list[float]:
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [place * step for place in range(first, last + 1)]


def round_ends(values: Iterable[float], *, parts: int = 8) -> tuple[float, float]:
    """Give round ends of an axis that holds all values that are finite (0 and 1 if none is)."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return 0.0, 1.0
    low, high = min(finite), max(finite)
    step = nice_step(max(high - low, 0.1) / parts)
    return math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
