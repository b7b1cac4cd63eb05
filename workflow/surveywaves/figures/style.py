"""How figures look: sizes, colours, marks, and the matplotlib settings that must not differ between machines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import seaborn as sns
from matplotlib.colors import Colormap, to_hex

from surveywaves.study.models import FigureStyle
from surveywaves.tidy import ALL, Decision

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
    # Words stay words: in PDF of an embedded font; in SVG see `surveywaves.figures.line`.
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
    hollow: bool = False
    """Whether it is an outline only."""


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
