"""How figures look: sheets and type, colours, and texts that are measured before they are placed.

Text is 8 pt on a sheet of 175 mm, the width of a journal's page, and 14 pt on a slide. Colours are never alone in what
they say: direction has a shape too, and neighbouring answers differ in lightness.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from functools import cache
from typing import Any, Final

import seaborn as sns
from matplotlib.font_manager import FontProperties, findfont
from matplotlib.ft2font import FT2Font, Kerning, LoadFlags
from seaborn.utils import relative_luminance as luminance

from surveywaves.study.models import FigureStyle
from surveywaves.study.parts import Presentation
from surveywaves.terms import Decision

INK: Final = "#1a1a1a"
GREY: Final = "#595959"
MARK: Final = "#767676"
"""Colour of marks without a clear decision: 4.5:1 on white."""
RULE: Final = "#dddddd"
TAG: Final = ("#8a3200", "#fff4e6")
"""Text and ground of the tag on demonstration data."""

RISE: Final = "#1764ab"
FALL: Final = "#b8400b"

DECISIONS: Final = {
    Decision.INCREASE.value: (RISE, ">", "▲"),
    Decision.DECREASE.value: (FALL, "<", "▼"),
    Decision.NO_MEANINGFUL_CHANGE.value: (INK, "s", "■"),
    Decision.INCONCLUSIVE.value: (MARK, "o", "●"),
}
"""Colour, mark and sign of each decision: told apart by any of them."""


def look_of(decision: str) -> tuple[str, str, str]:
    """Return colour, mark and sign of a decision; those of an inconclusive one if there is none."""
    return DECISIONS.get(decision, DECISIONS[Decision.INCONCLUSIVE.value])


FONT: Final = "DejaVu Sans"
"""It comes with matplotlib, so a figure is the same on every machine."""

RC: Final[dict[Any, Any]] = {
    "font.family": FONT,
    "text.parse_math": False,
    "text.usetex": False,
    "text.hinting": "none",
    "text.color": INK,
    "hatch.linewidth": 0.6,
    "hatch.color": MARK,
    "path.simplify": False,
    "lines.solid_capstyle": "butt",
    "savefig.bbox": None,
    "svg.fonttype": "none",
    "svg.id": None,
}
"""Settings for drawing and saving."""


class Sheet(FigureStyle):
    """A style with a sheet, in points: that of print. Without a height, as high as a figure needs, up to `most`."""

    width: float = 175 / 25.4 * 72
    height: float | None = None
    most: float = 235 / 25.4 * 72

    @classmethod
    def of(cls, style: FigureStyle) -> Sheet:
        """Take the sheet of a style."""
        return style if isinstance(style, Sheet) else cls(**style.model_dump())

    @property
    def em(self) -> float:
        """Size of the type."""
        return self.font_size


class Slide(Sheet):
    """The style of a slide of 16:9, in type of 14 pt: the same makers draw on it."""

    width: float = 960.0
    height: float | None = 540.0
    most: float = 540.0


class Narrow(Sheet):
    """The style of a telephone: panels stand below each other."""

    width: float = 258.0
    most: float = 1200.0


def on_slide(presentation: Presentation) -> Presentation:
    """Return the study with the style of slides."""
    style = presentation.style.model_dump() | {"font_size": 14.0, "dpi": 120}
    return presentation.model_copy(update={"style": Slide(**style)})


def on_telephone(presentation: Presentation) -> Presentation:
    """Return the study with the style of figures for a telephone."""
    return presentation.model_copy(update={"style": Narrow(**presentation.style.model_dump())})


# --- colours ------------------------------------------------------------------------------------------------------


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours (WCAG 2.1), 1 to 21."""
    low, high = sorted(map(luminance, (one, other)))
    return float((high + 0.05) / (low + 0.05))


@cache
def on(background: str) -> str:
    """Choose white or ink for text on a background, whichever contrasts more."""
    return max(("#ffffff", "#000000"), key=lambda ink: contrast(ink, background))


@cache
def toned(colour: str, aim: float) -> str:
    """Make a colour lighter or darker until it has a luminance, and keep its hue."""
    first = luminance(colour)
    shades = _shades(colour, "#ffffff" if first < aim else "#000000")
    away = bisect_left(shades, abs(aim - first), key=lambda shade: abs(luminance(shade) - first))
    return shades[min(away, len(shades) - 1)]


@cache
def _shades(colour: str, end: str) -> tuple[str, ...]:
    return tuple(map(str, sns.blend_palette([colour, end], 500).as_hex()))


NEITHER: Final = "#f4f4f4"


@cache
def response_colours(palette: tuple[str, ...], options: int) -> tuple[str, ...]:
    """Colour any number of response options, lowest first.

    The hues are those of the palette's ends; lightness is ours, so that each answer stands out from its neighbour or
    from the white line between them by 3:1, in greyscale as well. A middle answer is nearly white, within an outline.
    A side's tones are evenly spaced, dark outside; where it is one answer, it has the tone between those of two.
    """
    side = options // 2
    tones = [0.05 * 1.6 * 4 ** (n / (side - 1) if side > 1 else 0.5) - 0.05 for n in range(side)]
    low, high = ([toned(end, tone) for tone in tones] for end in (palette[0], palette[-1]))
    return (*low, *([NEITHER] if options % 2 else []), *high[::-1])


def steps(count: int) -> list[str]:
    """Return colours for ordered things, such as waves: light to dark, each 3:1 on white; a single one is dark."""
    return list(sns.color_palette("blend:#12304c,#7f94a8", count).as_hex())[::-1]


# --- texts --------------------------------------------------------------------------------------------------------


@cache
def _font(*, bold: bool) -> FT2Font:
    font = FT2Font(findfont(FontProperties(family=FONT, weight="bold" if bold else "normal")))
    font.set_size(font.units_per_EM, 72)
    return font


@cache
def heights() -> tuple[float, float, float]:
    """Return ascent, descent and gap between lines of the font, in its size."""
    font = _font(bold=False)
    table: Any = font.get_sfnt_table("OS/2")
    up, down, gap = (table[name] for name in ("sTypoAscender", "sTypoDescender", "sTypoLineGap"))
    return up / font.units_per_EM, -down / font.units_per_EM, gap / font.units_per_EM


@cache
def _advance(one: str, following: str, *, bold: bool) -> float:
    """Measure a character with its kerning to the one that follows, in its size."""
    font, flags = _font(bold=bold), LoadFlags.NO_HINTING
    left, right = (font.get_char_index(ord(c)) for c in (one, following or " "))
    kerning = font.get_kerning(left, right, Kerning.UNFITTED) / 64 if following else 0.0
    return (float(font.load_char(ord(one), flags).linearHoriAdvance) / 65536 + kerning) / float(
        font.units_per_EM
    )


@cache
def width(text: str, size: float, *, bold: bool = False) -> float:
    """Measure a text in points."""
    return size * sum(_advance(one, text[n + 1 : n + 2], bold=bold) for n, one in enumerate(text))


_MARKS = re.compile(r"([\u0300-\u036f])[\u0300-\u036f]+")


@cache
def drawable(text: str) -> str:
    """Make one line of a label, of characters that the font has: any other becomes a box."""
    text = unicodedata.normalize("NFC", " ".join(text.split()))
    if text.isascii() and text.isprintable():
        return text
    text = "".join(" " if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn") else c for c in text)
    text = _MARKS.sub(r"\1", " ".join(text.split()))
    return "".join(c if _font(bold=False).get_char_index(ord(c)) else "□" for c in text)


@cache
def wrap(text: str, room: float, size: float, *, lines: int = 2, bold: bool = False) -> tuple[str, ...]:
    """Break a text into lines that fit, at words where it can; what is left over ends in an ellipsis."""
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


def told_apart(names: Iterable[str], room: float, size: float) -> dict[str, str]:
    """Return names cut to a room: at their ends or, where they would be alike then, at their beginnings."""
    cut = {name: wrap(name, room, size, lines=1)[0] for name in names}
    if len({*cut.values()}) == len(cut):
        return cut
    for name in cut:
        text = drawable(name)
        tails = (text, *(f"…{text[place:].lstrip()}" for place in range(1, len(text))))
        cut[name] = next((tail for tail in tails if width(tail, size) <= room), "…")
    return cut
