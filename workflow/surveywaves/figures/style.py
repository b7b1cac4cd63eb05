"""How figures look: sheets and type, colours, and texts that are measured before they are placed.

Text is 8 pt on a sheet of 175 mm, the width of a journal's page, and 14 pt on a slide. Colours are never alone in what
they say: direction has a shape too, and neighbouring answers differ in lightness.
"""

from __future__ import annotations

import atexit
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import seaborn as sns
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]
from matplotlib.colors import to_hex, to_rgb
from matplotlib.font_manager import FontEntry, FontProperties, findfont, fontManager, get_font
from matplotlib.textpath import text_to_path

from surveywaves.study.models import FigureStyle
from surveywaves.study.parts import Presentation
from surveywaves.terms import Decision

MILLIMETRE: Final = 72 / 25.4
"""In points."""

INK: Final = "#1a1a1a"
GREY: Final = "#595959"
MARK: Final = "#767676"
"""Of marks that decide nothing: 4.5:1 on white."""
RULE: Final = "#dddddd"
HATCH: Final = "//////"
"""Of what is withheld."""
TAG: Final = ("#8a3200", "#fff4e6")
"""Text and ground of the tag on demonstration data."""

RISE: Final = "#1764ab"
FALL: Final = "#b8400b"

DECISIONS: Final = {
    Decision.INCREASE.value: (RISE, ">", "▲"),
    Decision.DECREASE.value: (FALL, "<", "▼"),
    Decision.NO_MEANINGFUL_CHANGE.value: (INK, "s", "="),
    Decision.INCONCLUSIVE.value: (MARK, "o", "·"),
}
"""Colour, mark and sign of each decision: told apart by any of them."""


def look_of(decision: str) -> tuple[str, str, str]:
    """Give colour, mark and sign of a decision; without one, of what is inconclusive."""
    return DECISIONS.get(decision, DECISIONS[Decision.INCONCLUSIVE.value])


FONT: Final = "DejaVu Sans"
"""It comes with matplotlib, so a figure is the same on every machine."""

LEAN: Final = f"{FONT} Lean"
"""The same without the tables that only other scripts need: what a PDF uses of it is cut out twice as fast."""


def _lean() -> str:
    """Make the lean fonts, for as long as this process runs, and give their name."""
    folder = TemporaryDirectory(prefix="surveywaves-fonts-")
    for weight in (400, 700):
        path = Path(folder.name) / f"{weight}.ttf"
        with TTFont(findfont(FontProperties(family=FONT, weight=weight)), recalcTimestamp=False) as font:
            for table in ("GSUB", "GPOS", "GDEF", "MATH", "FFTM"):
                if table in font:
                    del font[table]
            font.save(path)
        about: dict[str, Any] = {
            "style": "normal",
            "variant": "normal",
            "stretch": "normal",
            "size": "scalable",
        }
        fontManager.ttflist.append(FontEntry(fname=str(path), name=LEAN, weight=weight, **about))
    atexit.register(folder.cleanup)
    return LEAN


RC: Final[dict[Any, Any]] = {
    **sns.axes_style("white"),
    "font.family": _lean(),
    "text.parse_math": False,
    "text.usetex": False,
    "text.hinting": "none",
    "text.color": INK,
    "axes.unicode_minus": False,
    "axes.edgecolor": RULE,
    "axes.labelcolor": GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.linewidth": 0.6,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "xtick.color": GREY,
    "ytick.labelcolor": INK,
    "xtick.bottom": False,
    "ytick.left": False,
    "hatch.linewidth": 0.6,
    "hatch.color": MARK,
    "path.simplify": False,
    "legend.frameon": False,
    "savefig.bbox": None,
    "svg.fonttype": "none",
    "svg.id": None,
    "pdf.fonttype": 42,
    "pdf.compression": 6,
}
"""Settings for drawing and saving."""


class Slide(FigureStyle):
    """The style of a slide: the same makers draw on it."""


def on_slide(presentation: Presentation) -> Presentation:
    """Give a study whose figures are slides of 16:9, in type of 14 pt."""
    style = presentation.style.model_dump() | {"font_size": 14.0, "dpi": 144}
    return presentation.model_copy(update={"style": Slide(**style)})


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a figure is drawn on.

    Parameters
    ----------
    width
        In points.
    height
        In points; None: as high as the figure needs.
    most
        Points that it may be high.
    em
        Size of type, in points.
    """

    width: float
    height: float | None
    most: float
    em: float

    @classmethod
    def of(cls, style: FigureStyle) -> Sheet:
        """Take the sheet of a style."""
        if isinstance(style, Slide):
            return cls(width=960.0, height=540.0, most=540.0, em=style.font_size)
        return cls(width=175 * MILLIMETRE, height=None, most=235 * MILLIMETRE, em=style.font_size)

    def rc(self) -> dict[Any, Any]:
        """Give the settings of this sheet."""
        sizes = ("font.size", "axes.labelsize", "xtick.labelsize", "ytick.labelsize", "legend.fontsize")
        return RC | dict.fromkeys(sizes, self.em) | {"axes.titlesize": self.em * 1.1}


# --- colours ------------------------------------------------------------------------------------------------------


def luminance(colour: str) -> float:
    """Give the relative luminance of an sRGB colour (WCAG 2.1), 0 to 1."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Give the contrast of two colours (WCAG 2.1), 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def on(background: str) -> str:
    """Choose white or ink for text on a background, whichever contrasts more."""
    return max(("#ffffff", "#000000"), key=lambda ink: contrast(ink, background))


@cache
def toned(colour: str, aim: float) -> str:
    """Make a colour lighter or darker until it has a luminance, and keep its hue."""
    low, high = (0.0, 1.0) if luminance(colour) < aim else (-1.0, 0.0)
    red, green, blue = to_rgb(colour)
    for _ in range(20):
        middle = (low + high) / 2
        towards = 1.0 if middle > 0 else 0.0
        red_, green_, blue_ = (c + abs(middle) * (towards - c) for c in (red, green, blue))
        mixed = to_hex((red_, green_, blue_))
        low, high = (middle, high) if luminance(mixed) < aim else (low, middle)
    return mixed


DARK: Final = ((0.045,), (0.045, 0.27), (0.03, 0.11, 0.27))
"""Luminances of the answers on one side, outermost first: the innermost is 3:1 to white, and so is any to the line
between; where a side has two, they are 3:1 to each other too."""

NEITHER: Final = "#f4f4f4"


def response_colours(palette: Sequence[str], options: int) -> tuple[str, ...]:
    """Colour any number of response options, lowest first.

    The hues are those of the palette's ends; lightness is ours, so that each answer stands out from its neighbour or
    from the white line between them by 3:1, in greyscale as well. A middle answer is nearly white, within an outline.

    Parameters
    ----------
    palette
        Three colours or more, `#rrggbb`.
    options
        Two or more.
    """
    side = options // 2
    tones = DARK[side - 1] if side <= len(DARK) else [0.03 + 0.24 * k / (side - 1) for k in range(side)]
    low, high = ([toned(end, tone) for tone in tones] for end in (palette[0], palette[-1]))
    return (*low, *([NEITHER] if options % 2 else []), *high[::-1])


def steps(count: int) -> list[str]:
    """Colour what has an order, waves for one: light to dark, each 3:1 on white."""
    return list(sns.blend_palette(("#7f94a8", "#12304c"), count).as_hex()) if count > 1 else ["#12304c"]


# --- texts --------------------------------------------------------------------------------------------------------


@cache
def _font(*, bold: bool) -> FontProperties:
    return FontProperties(family=LEAN, weight="bold" if bold else "normal")


@cache
def width(text: str, size: float, *, bold: bool = False) -> float:
    """Measure a text in points."""
    font = _font(bold=bold).copy()
    font.set_size(size)
    return float(text_to_path.get_text_width_height_descent(text, font, ismath=False)[0])


@cache
def _glyphs() -> frozenset[int]:
    return frozenset(get_font(findfont(FONT)).get_charmap())


_MARKS = re.compile(r"([\u0300-\u036f])[\u0300-\u036f]+")


@cache
def drawable(text: str) -> str:
    """Make one line of a label, of characters that the font has: any other becomes a box."""
    text = unicodedata.normalize("NFC", " ".join(text.split()))
    text = "".join(" " if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn") else c for c in text)
    text = _MARKS.sub(r"\1", " ".join(text.split()))
    return "".join(c if ord(c) in _glyphs() else "□" for c in text)


@cache
def wrap(text: str, room: float, size: float, *, lines: int = 2, bold: bool = False) -> tuple[str, ...]:
    """Break a text into lines that fit, at words where it can; what is left over ends in an ellipsis.

    Parameters
    ----------
    room, size
        In points.
    lines
        Most lines.
    """
    words = drawable(text).split(" ")
    found: list[str] = []
    while words and len(found) < lines:
        count = 1
        while count < len(words) and width(" ".join(words[: count + 1]), size, bold=bold) <= room:
            count += 1
        line, words = " ".join(words[:count]), words[count:]
        if (len(found) == lines - 1 and words) or width(line, size, bold=bold) > room:
            fits = bisect_right(range(len(line)), room, key=lambda n: width(f"{line[:n]}…", size, bold=bold))
            line = f"{line[: max(fits - 1, 0)].rstrip(' ,;:.')}…"
        found.append(line)
    return tuple(found)
