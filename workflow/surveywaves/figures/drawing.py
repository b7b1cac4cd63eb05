"""A page for a figure, and what several figures draw on it.

Head and foot, names of rows and columns of numbers stand on a canvas in points; panels are axes of their own between
them, whose y runs downwards in lines of text. Texts are measured before they are placed, so no layout is searched for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.transforms import Affine2D

from surveywaves.figures.style import (
    DECISIONS,
    GREY,
    HATCH,
    INK,
    MARK,
    RULE,
    TAG,
    Narrow,
    Sheet,
    drawable,
    width,
    wrap,
)
from surveywaves.study.parts import Presentation
from surveywaves.terms import Evidence
from surveywaves.words import Labels

LINE: Final = 1.3
"""Height of a line of text, in its size."""
TITLE: Final = 1.25
"""Size of a figure's title, in em."""
DEMONSTRATION: Final = "DEMONSTRATION DATA"
LOW_RELIABILITY_SIGN: Final = "†"


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """A finished figure.

    Parameters
    ----------
    figure
        The drawing, at its final size.
    rows
        The rows that it drew, of the first of the released tables that it reads.
    title
        What is seen on it; also drawn on it.
    caption
        How to read it, in at most 40 words.
    alt
        What it says, for those who do not see it.
    name, group
        File name without its ending, and heading that it stands under: as `surveywaves.catalogue` has them.
    """

    figure: Figure
    rows: pd.DataFrame
    title: str
    caption: str
    alt: str
    name: str = ""
    group: str = ""

    @property
    def words(self) -> dict[str, str]:
        """A row of `captions.tsv`."""
        said = {"figure": self.name, "title": self.title, "caption": self.caption, "alt": self.alt}
        return said | {"group": self.group}


@dataclass(frozen=True, slots=True)
class Key:
    """An entry of a legend: how a mark or, with `box`, an area looks."""

    label: str
    look: Mapping[str, Any]
    box: bool = False


def key(label: str, **look: Any) -> Key:
    """Make an entry of a mark; it has no line, unless one is asked for."""
    return Key(label, {"linestyle": "none", **look})


WITHHELD_LOOK: Final[Mapping[str, Any]] = {
    "facecolor": "white",
    "edgecolor": MARK,
    "hatch": HATCH,
    "linewidth": 0.6,
}


def withheld_key(there: bool = True) -> list[Key]:
    """Make the entry of what is withheld, if anything is."""
    return [Key("[c] withheld to protect respondents", WITHHELD_LOOK, box=True)] if there else []


def decision_keys(
    decisions: Iterable[str],
    words: Sequence[str] = ("rose", "fell", "no meaningful change", "no clear change"),
    *,
    grid: bool = False,
) -> list[Key]:
    """Make entries of the decisions that a figure shows; empty ones are none.

    Parameters
    ----------
    words
        For each of `DECISIONS`.
    grid
        Whether the figure is a grid, where signs stand in place of marks.
    """
    there, upright = set(decisions), {">": "^", "<": "v"}
    return [
        key(said, marker=upright.get(marker, marker) if grid else marker, color=colour)
        for said, (name, (colour, marker, _)) in zip(words, DECISIONS.items(), strict=True)
        if name in there
    ]


@dataclass
class Page:
    """A figure to be.

    Parameters
    ----------
    presentation
        The study in words.
    title
        What is seen.
    subtitle
        What is shown.
    keys
        Legend.
    notes
        What stands at the foot.
    lines
        How high the rows are together, in em; a slide is as high as it is, and stretches them a little.
    heads, below
        Room above the rows for headings, and under them for the numbers of an axis, in em.
    """

    presentation: Presentation
    title: str
    subtitle: str = ""
    keys: Sequence[Key] = ()
    notes: Iterable[str] = ()
    lines: float = 20.0
    heads: float = 1.8
    below: float = 1.8
    figure: Figure = field(init=False)

    def __post_init__(self) -> None:
        sheet = Sheet.of(self.presentation.style)
        self.wide, self.em = sheet.width, sheet.em
        self.left = 0.5 * self.em
        self.right = self.wide - self.left
        em, room, step = self.em, self.right - self.left, LINE * self.em
        title = wrap(self.title, room, em * TITLE, lines=3, bold=True)
        under = wrap(self.subtitle, room, em) if self.subtitle else ()
        keys, rows = self._flow()
        tag = width(DEMONSTRATION, em, bold=True) + 2 * em
        # Beside a note that is broken into few letters a line, the tag would take the height of a figure.
        aside = room - tag > 25 * em
        foot = wrap(" ".join(filter(None, self.notes)), room - tag if aside else room, em, lines=4)
        head = 0.4 * em + (len(title) * TITLE + len(under) + rows) * step + 0.5 * em
        low = (max(len(foot), 1) + (not aside)) * step + 0.5 * em
        fixed = head + low + (self.heads + self.below) * em
        height = sheet.height or min(fixed + max(self.lines, 1) * em, sheet.most)
        self.unit = min((height - fixed) / max(self.lines, 1), 1.7 * em)
        self.first = head + self.heads * em
        self.high = height
        self.figure = Figure(figsize=(self.wide / 72, height / 72), dpi=72)
        points = Affine2D().scale(1 / 72, -1 / 72).translate(0, height / 72)
        self.canvas = points + self.figure.dpi_scale_trans
        y = 0.4 * em
        for lines, size, look in (
            (title, em * TITLE, {"color": INK, "weight": "bold"}),
            (under, em, {"color": GREY}),
        ):
            for line in lines:
                self.text(self.left, y, line, va="top", size=size, **look)
                y += LINE * size
        for x, row, one, label in keys:
            self._key(one, label, x, y + (row + 0.5) * step)
        for place, line in enumerate(foot):
            up = len(foot) - 1 - place + (not aside)
            self.text(self.left, height - 0.4 * em - up * step, line, color=GREY)

    def _flow(self) -> tuple[list[tuple[float, int, Key, str]], int]:
        """Place the entries of the legend from left to right, and count its lines."""
        x, row, placed = self.left, 0, []
        for one in self.keys:
            label = wrap(one.label, 0.75 * (self.right - self.left), self.em, lines=1)[0]
            needs = width(label, self.em) + 2.1 * self.em
            if x > self.left and x + needs > self.right:
                x, row = self.left, row + 1
            placed.append((x, row, one, label))
            x += needs + 1.4 * self.em
        return placed, row + 1 if placed else 0

    def _key(self, one: Key, label: str, x: float, y: float) -> None:
        em = self.em
        if one.box:
            box = Rectangle((x, y - 0.4 * em), 1.5 * em, 0.8 * em, transform=self.canvas, **one.look)
            self.figure.add_artist(box)
        else:
            look = {"markersize": 0.75 * em, "markevery": [1], **one.look}
            mark = Line2D([x, x + 0.75 * em, x + 1.5 * em], [y] * 3, transform=self.canvas, **look)
            self.figure.add_artist(mark)
        self.text(x + 2.1 * em, y, label, va="center_baseline")

    def text(self, x: float, y: float, said: str, **look: Any) -> Any:
        """Write a text at a place in points from the upper left corner."""
        return self.figure.text(x, y, said, transform=self.canvas, **{"size": self.em, **look})

    def panel(
        self,
        left: float,
        right: float,
        low: float,
        high: float,
        *,
        ticks: Mapping[float, str] | None = None,
        top: float = 0.0,
        lines: float | None = None,
    ) -> Axes:
        """Make a panel between two places, in points, whose x runs from low to high and whose y downwards in lines.

        Parameters
        ----------
        ticks
            Where grid lines stand, and what is written below them.
        top, lines
            Where it begins, and how high it is; without, it is as high as all rows.
        """
        lines = self.lines if lines is None else lines
        start = self.first + top * self.unit
        low_edge, tall = (
            1 - (start + max(lines, 1) * self.unit) / self.high,
            max(lines, 1) * self.unit / self.high,
        )
        axes = self.figure.add_axes((left / self.wide, low_edge, (right - left) / self.wide, tall))
        axes.set_axis_off()
        axes.set(xlim=(low, high), ylim=(max(lines, 1), 0))
        axes.vlines(list(ticks or ()), 0, lines, color=RULE, linewidth=0.6, zorder=0)
        for place, said in (ticks or {}).items():
            x = left + (place - low) / (high - low) * (right - left)
            y = start + lines * self.unit + 0.4 * self.em
            self.text(x, y, said, ha="center", va="top", color=GREY)
        return axes

    def write(self, x: float, line: float, said: str, **look: Any) -> Any:
        """Write a text beside the panels, x in points and the middle of the text in lines."""
        base = {
            "va": "center" if "\n" in said else "center_baseline",
            "size": self.em,
            "linespacing": LINE - 0.15,
        }
        return self.text(x, self.first + line * self.unit, said, **{**base, **look})

    def head(self, x: float, said: str, *, top: float = 0.0, up: float = 0.4, **look: Any) -> None:
        """Write a heading above the rows, or those that begin at `top`."""
        y = self.first + top * self.unit - up * self.em
        self.text(x, y, said, **{"va": "baseline", "size": self.em, "color": GREY, **look})

    def names(
        self,
        names: Sequence[Sequence[str]],
        middles: Sequence[float],
        *,
        bold: Collection[int] = (),
        top: float = 0.0,
    ) -> None:
        """Write the names of rows, broken into lines, at the left: see `reach`."""
        for place, (lines, y) in enumerate(zip(names, middles, strict=True)):
            weight = "bold" if place in bold else "normal"
            self.write(self.left, top + y, "\n".join(lines), weight=weight)

    def column(
        self,
        right: float,
        head: str,
        said: Sequence[str],
        middles: Sequence[float],
        looks: Sequence[Mapping[str, Any]],
        *,
        top: float = 0.0,
    ) -> float:
        """Write a column of numbers that ends at a place, and give where it begins."""
        self.head(right, head, top=top, ha="right")
        for text, y, look in zip(said, middles, looks, strict=True):
            self.write(right, top + y, text, ha="right", **look)
        return right - max(width(text, self.em, bold=True) for text in (head, *said)) - 0.8 * self.em

    def drawing(self, rows: pd.DataFrame, *, caption: str, alt: str) -> Drawing:
        """Finish: let every row say what its data are, and tag what is not all observed."""
        rows = Labels(self.presentation).with_evidence(rows)
        kinds = set(rows.get("evidence", []))
        if kinds & {Evidence.RECONSTRUCTED.value, Evidence.SIMULATED.value}:
            (colour, ground), em = TAG, self.em
            box = {"facecolor": ground, "edgecolor": colour, "linewidth": 0.6, "pad": 0.25 * em}
            look: dict[str, Any] = {"color": colour, "weight": "bold", "bbox": box, "size": em}
            self.text(self.right - 0.3 * em, self.high - 0.55 * em, DEMONSTRATION, ha="right", **look)
        return Drawing(self.figure, rows, self.title, " ".join(caption.split()), " ".join(alt.split()))


# --- what several figures draw --------------------------------------------------------------------------------------


def middles_of(heights: Sequence[float]) -> list[float]:
    """Give the middles of rows that stand under each other."""
    return [end - height / 2 for end, height in zip(accumulate(heights), heights, strict=True)]


def heights_of(names: Sequence[Sequence[str]], least: float) -> list[float]:
    """Give each row the height of its name, broken into lines, and a height at least, in em."""
    return [max(least, len(name) * (LINE - 0.15) + 0.55) for name in names]


def reach(names: Iterable[Sequence[str]], em: float, bold: Collection[int] = ()) -> float:
    """Give the place in points where names at the left end, and what stands beside them begins."""
    each = [width(one, em, bold=place in bold) for place, lines in enumerate(names) for one in lines]
    return 1.5 * em + max(each, default=0.0)


def panels(
    presentation: Presentation,
    title: str,
    subtitle: str,
    names: Sequence[Sequence[str]],
    heights: Sequence[float],
    titles: Sequence[str],
    columns: Sequence[Mapping[str, Sequence[str]]],
    looks: Sequence[Sequence[Mapping[str, Any]]],
    axis: tuple[float, float, Mapping[float, str]],
    **about: Any,
) -> tuple[Page, list[Axes]]:
    """Make a page with panels of the same rows beside each other; where it is narrow, below each other.

    Parameters
    ----------
    names, heights
        Of the rows.
    titles
        Of the panels.
    columns
        Of each panel: heading of a column of numbers beside it, and a text a row.
    looks
        Of each panel: how these texts look, a row.
    axis
        Where x begins and ends, and its ticks.
    about
        See `Page`.
    """
    sheet, count, lines = Sheet.of(presentation.style), max(len(titles), 1), sum(heights)
    em, stacked = sheet.em, isinstance(presentation.style, Narrow)
    end, middles = reach(names, em), middles_of(heights)
    wide = (sheet.width - 0.5 * em - end) / (1 if stacked else count)
    broken = [wrap(one, wide - em, em * 1.1, bold=True) for one in titles]
    above = LINE * 1.1 * max(map(len, broken), default=0) + (1.7 if any(columns) else 0.4)
    step = lines + above + 2.2 if stacked else 0.0
    page = Page(presentation, title, subtitle, lines=lines + step * (count - 1), heads=above, **about)
    drawn = []
    for place, (said, own, colours) in enumerate(zip(broken, columns, looks, strict=True)):
        top, left = (place * step, end) if stacked else (0.0, end + place * wide)
        right = left + wide - (0 if stacked or place == count - 1 else 1.5 * em)
        if stacked or not place:
            page.names(names, middles, top=top)
        look = {"weight": "bold", "size": em * 1.1, "color": INK, "linespacing": LINE}
        page.head(left, "\n".join(said), top=top, up=1.7 if any(columns) else 0.4, **look)
        for first, head in reversed([*enumerate(own)]):
            strong = [
                {**one, "weight": "bold" if not first and one["color"] != GREY else "normal"}
                for one in colours
            ]
            right = page.column(right, head, own[head], middles, strong, top=top)
        axes = page.panel(left, right, *axis[:2], ticks=axis[2], top=top, lines=lines)
        rules = middles if any(columns) else [*accumulate(heights)][:-1]
        axes.hlines(rules, *axis[:2], color=RULE, linewidth=0.5, zorder=0)
        drawn.append(axes)
    return page, drawn


def line(axes: Axes, x: Sequence[float], y: Sequence[float], **look: Any) -> Line2D:
    """Draw a line or, of one point, a mark."""
    drawn = Line2D(x, y, **look)
    axes.add_artist(drawn)  # unlike a plot, it asks for no limits
    drawn.set_clip_on(False)
    return drawn


def hatched(axes: Axes, x: float, y: float, wide: float, high: float) -> None:
    """Draw a hatched box where a value is withheld; y is its middle."""
    axes.add_artist(Rectangle((x, y - high / 2), wide, high, gid="hover:withheld", **WITHHELD_LOOK))


def value(artist: Artist, said: str, *, focus: bool = True) -> None:
    """Let a mark tell its value where a reader points at it, or, with `focus`, comes to it by keyboard."""
    artist.set_gid(f"{'value' if focus else 'hover'}:{drawable(said)}")


@dataclass(frozen=True, slots=True)
class Tile:
    """A cell of a grid: what stands in it and how, what it says where a reader points at it."""

    text: str = ""
    ground: str = "#ffffff"
    ink: str = INK
    bold: bool = False
    told: str = ""
    hatched: bool = False


def tiles(
    page: Page,
    left: float,
    cells: Sequence[Sequence[Tile]],
    heads: Sequence[Sequence[str]],
    heights: Sequence[float],
) -> float:
    """Draw a grid from a place on, in rows of some heights, and give the width of its columns in points.

    Their headings are turned where they are too wide: see `heads_height`.
    """
    count, em = max(len(heads), 1), page.em
    wide = (page.right - left) / count
    axes = page.panel(left, page.right, -0.5, count - 0.5)
    if len(heights) and len(heads):
        grounds = np.array([[to_rgb(cell.ground) for cell in row] for row in cells])
        edges = np.concatenate([[0.0], np.cumsum(heights)])
        axes.pcolormesh(np.arange(count + 1) - 0.5, edges, grounds, edgecolors="white", linewidth=1.2)
    for y, high, row in zip(middles_of(heights), heights, cells, strict=True):
        for x, cell in enumerate(row):
            if cell.hatched:
                hatched(axes, x - 0.45, y, 0.9, 0.85 * high)
            if cell.text:
                look: dict[str, Any] = {
                    "ha": "center",
                    "va": "center_baseline",
                    "color": cell.ink,
                    "size": em,
                }
                if "\n" in cell.text:
                    look["va"] = "center"
                if cell.hatched:
                    look["bbox"] = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
                text = axes.text(x, y, cell.text, weight="bold" if cell.bold else "normal", **look)
                if cell.told:
                    value(text, cell.told)
    turned = heads_height(heads, wide, em) > LINE * max(map(len, heads), default=0)
    for x, head in enumerate(heads):
        look = {"rotation": 90, "va": "bottom"} if turned else {"va": "bottom"}
        page.head(left + (x + 0.5) * wide, "\n".join(head), ha="center", linespacing=LINE - 0.15, **look)
    return wide


def heads_height(heads: Sequence[Sequence[str]], wide: float, em: float) -> float:
    """Compute how high the names of columns of some width are, in em: turned, where they are too wide."""
    widest = max((width(one, em) for head in heads for one in head), default=0.0)
    return widest / em if widest > wide - 0.4 * em else LINE * max(map(len, heads), default=0)
