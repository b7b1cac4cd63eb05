"""A page for a figure: head and foot stand on it in points, and panels between them are axes.

Texts are measured before they are placed, so no layout is searched for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.transforms import Affine2D, ScaledTranslation

from surveywaves.figures.style import DECISIONS, GREY, MARK, RULE, TAG, Sheet, width, wrap
from surveywaves.study.models import Item
from surveywaves.study.parts import Presentation
from surveywaves.terms import Evidence
from surveywaves.words import REVERSED, Labels

Axis = tuple[float, float, Mapping[float, str]]
"""Lower and upper limit of x, and its ticks with their labels."""
LINE: Final = 1.3
"""Height of a line of text, in its size."""
TITLE: Final = 1.25
"""Size of a figure's title, in em."""
DEMONSTRATION: Final = "DEMONSTRATION DATA"


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """A finished figure."""

    figure: Figure
    """The drawing, at its final size."""
    rows: pd.DataFrame
    """The rows that it drew, of the first of the released tables that it reads; without any, no report shows it."""
    title: str
    """What it shows, in a sentence that is also drawn on it."""
    caption: str
    """How to read it, in at most 40 words."""
    alt: str
    """What it says, for those who do not see it."""
    name: str = ""
    group: str = ""
    """File name without its ending, and heading that it stands under: as `surveywaves.catalogue` has them."""

    @property
    def words(self) -> dict[str, str]:
        """A row of `captions.tsv`."""
        said = {"figure": self.name, "title": self.title, "caption": self.caption, "alt": self.alt}
        return said | {"group": self.group}


class Key(NamedTuple):
    """An entry of a legend: how a mark or, with `box`, an area looks."""

    label: str
    look: Mapping[str, Any]
    box: bool = False


WITHHELD_LOOK: Final[dict[str, Any]] = {
    "facecolor": "white",
    "edgecolor": MARK,
    "hatch": "//////",
    "linewidth": 0.6,
}


def withheld_key(there: object) -> list[Key]:
    """Make the legend entry for withheld values, if there are any."""
    return [Key("[c] withheld to protect respondents", WITHHELD_LOOK, box=True)] if there else []


def reversed_note(items: Iterable[Item]) -> str:
    """Explain the mark of reversed statements, if any of the items is one."""
    return f"{REVERSED}: to disagree is favourable." if any(item.key < 0 for item in items) else ""


def decision_keys(
    decisions: Iterable[str],
    words: Sequence[str] = ("rose", "fell", "no meaningful change", "no clear change"),
) -> list[Key]:
    """Make legend entries for the decisions that a figure shows; `words` are labels of `DECISIONS`, in order."""
    there = set(decisions)
    return [
        Key(said, {"marker": marker, "color": colour})
        for said, (name, (colour, marker, _)) in zip(words, DECISIONS.items(), strict=True)
        if name in there
    ]


RULES: Final[dict[str, Any]] = {"color": RULE, "linewidth": 0.6, "zorder": 0, "clip_on": False}
"""Look of thin lines behind all else, from one edge of a panel to the other."""


def line(axes: Axes, x: Sequence[float], y: Sequence[float], **look: Any) -> Line2D:
    """Draw a line or, of one point, a mark."""
    drawn = Line2D(x, y, **look)
    axes.add_artist(drawn)  # unlike a plot, it asks for no limits
    drawn.set_clip_on(False)
    return drawn


@dataclass
class Page:
    """A page that a figure is drawn on."""

    presentation: Presentation
    title: str
    subtitle: str = ""
    """What is seen, and what is shown."""
    keys: Sequence[Key] = ()
    notes: Iterable[str] = ()
    """Legend, and what stands at the foot."""
    lines: float = 20.0
    """Height of all rows, in em; on a slide, whose height is fixed, they are stretched a little."""
    heads: float = 1.8
    below: float = 1.8
    """Room above the rows for headings, and under them for the numbers of an axis, in em."""
    figure: Figure = field(init=False)

    def __post_init__(self) -> None:
        sheet = Sheet.of(self.presentation.style)
        self.em = em = sheet.em
        self.left, self.right, step = 0.5 * em, sheet.width - 0.5 * em, LINE * em
        self.figure = Figure(dpi=72)
        corner = ScaledTranslation(0, 1, self.figure.transFigure)  # type: ignore[arg-type]
        self.canvas = Affine2D().scale(1 / 72, -1 / 72) + self.figure.dpi_scale_trans + corner
        room, y = self.right - self.left, 0.4 * em
        for said in wrap(self.title, room, em * TITLE, lines=3, bold=True):
            self.text(self.left, y, said, va="top", weight="bold", size=em * TITLE)
            y += TITLE * step
        for said in wrap(self.subtitle, room, em) if self.subtitle else ():
            self.text(self.left, y, said, va="top", color=GREY)
            y += step
        y = self._legend(y) + 0.5 * em
        tag = width(DEMONSTRATION, em, bold=True) + 2 * em
        aside = room - tag > 25 * em  # else a note would be broken into few letters a line
        foot = wrap(" ".join(filter(None, self.notes)), room - tag if aside else room, em, lines=4)
        under = 0.4 * em if aside else 2.2 * em
        fixed = y + (self.heads + self.below + 0.1) * em + under + max(len(foot), 1) * step
        lines = max(self.lines, 1)
        self.high = sheet.height or min(fixed + lines * em, sheet.most)
        self.unit = min((self.high - fixed) / lines, 1.7 * em)
        self.first = y + self.heads * em
        self.figure.set_size_inches(sheet.width / 72, self.high / 72)
        for up, said in enumerate(reversed(foot)):
            self.text(self.left, self.high - under - up * step, said, color=GREY)

    def _legend(self, y: float) -> float:
        """Write the entries of the legend from left to right, from y on, and return where they end."""
        x, em, step = self.left, self.em, LINE * self.em
        for one in self.keys:
            label = wrap(one.label, 0.75 * (self.right - self.left), em, lines=1)[0]
            needs = width(label, em) + 2.1 * em
            if x > self.left and x + needs > self.right:
                x, y = self.left, y + step
            middle, look = y + step / 2, {"transform": self.canvas, **one.look}
            if one.box:
                self.figure.add_artist(Rectangle((x, middle - 0.4 * em), 1.5 * em, 0.8 * em, **look))
            else:
                look = {"linestyle": "none", "markersize": 0.75 * em, "markevery": [1], **look}
                places = [x, x + 0.75 * em, x + 1.5 * em]
                self.figure.add_artist(Line2D(places, [middle] * 3, **look))
            self.text(x + 2.1 * em, middle, label, va="center_baseline")
            x += needs + 1.4 * em
        return y + step if self.keys else y

    def text(self, x: float, y: float, said: str, **look: Any) -> Any:
        """Write a text at a place in points from the upper left corner."""
        base = {"linespacing": LINE - 0.15, "transform": self.canvas}
        return self.figure.text(x, y, said, **{**base, **look})

    def write(self, x: float, line: float, said: str, **look: Any) -> Any:
        """Write a text beside the panels: x in points, and its middle in lines from the first row on."""
        align = "center" if "\n" in said else "center_baseline"
        return self.text(x, self.first + line * self.unit, said, **{"va": align, **look})

    def head(
        self,
        x: float,
        lines: Sequence[str],
        *,
        top: float = 0.0,
        up: float = 0.4,
        bold: bool = False,
        **look: Any,
    ) -> None:
        """Write a heading, broken into lines, above the rows or those that begin at `top`; a panel's title is bold."""
        y = self.first + top * self.unit - up * self.em
        style = {"weight": "bold", "size": self.em * 1.1} if bold else {"color": GREY}
        self.text(x, y, "\n".join(lines), **{"va": "bottom", **style, **look})

    def panel(
        self,
        left: float,
        right: float,
        axis: Axis,
        *,
        top: float = 0.0,
        lines: float | None = None,
        ruled: bool = True,
    ) -> Axes:
        """Make a panel between two places, in points, whose y runs downwards in lines.

        It begins at `top` and has a number of `lines`, or those of all rows; `ruled`, it has a line at each tick.
        """
        low, high, ticks = axis
        lines = max(self.lines if lines is None else lines, 1)
        start, tall, wide = self.first + top * self.unit, lines * self.unit, self.right + self.left
        place = (left / wide, 1 - (start + tall) / self.high, (right - left) / wide, tall / self.high)
        axes = self.figure.add_axes(place)
        axes.set_axis_off()
        axes.set(xlim=(low, high), ylim=(lines, 0), xticks=[], yticks=[])
        if ruled:
            axes.vlines([*ticks], 0, lines, **RULES)
        for tick, said in ticks.items():
            x = left + (tick - low) / (high - low) * (right - left)
            self.text(x, start + tall + 0.4 * self.em, said, ha="center", va="top", color=GREY)
        return axes

    def drawing(self, rows: pd.DataFrame, *, caption: str, alt: str) -> Drawing:
        """Finish: let every row say what its data are, and tag what is not all observed."""
        rows = Labels(self.presentation).with_evidence(rows)
        if {*rows.get("evidence", [])} & {Evidence.RECONSTRUCTED.value, Evidence.SIMULATED.value}:
            (colour, ground), em = TAG, self.em
            box = {"facecolor": ground, "edgecolor": colour, "linewidth": 0.6, "pad": 0.25 * em}
            look = {"ha": "right", "color": colour, "weight": "bold", "bbox": box}
            self.text(self.right - 0.3 * em, self.high - 0.65 * em, DEMONSTRATION, **look)
        return Drawing(self.figure, rows, self.title, " ".join(caption.split()), " ".join(alt.split()))
