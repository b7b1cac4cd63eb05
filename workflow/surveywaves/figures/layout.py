"""Rows with their names at the left: with panels of an axis beside each other, or with a grid of tiles."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any, Final

import pandas as pd
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba_array
from matplotlib.patches import Rectangle

from surveywaves.figures.drawing import LINE, RULES, WITHHELD_LOOK, Axis, Page
from surveywaves.figures.style import GREY, INK, Narrow, Sheet, drawable, width, wrap
from surveywaves.study.parts import Presentation


def beside(axes: Axes, x: float, y: float, said: str, away: float, **look: Any) -> None:
    """Write a text `away` points to the right of a place, or to its left where `away` is negative."""
    base: dict[str, Any] = {
        "textcoords": "offset points",
        "ha": "left" if away > 0 else "right",
        "va": "center_baseline",
    }
    axes.annotate(said, (x, y), xytext=(away, 0), **base, **look)


def hatched(axes: Axes, x: float, y: float, wide: float, high: float) -> None:
    """Draw a hatched box where a value is withheld; y is its middle."""
    axes.add_artist(Rectangle((x, y - high / 2), wide, high, gid="hover:withheld", **WITHHELD_LOOK))


def value(artist: Artist, said: str) -> None:
    """Let a mark show its value on hover and when it is reached by keyboard."""
    artist.set_gid(f"value:{drawable(said)}")


MARKS: Final = ("x", "y", "series", "told")
"""Columns of marks: the place of each, its series, and the text that it shows on hover."""


def points(
    axes: Axes, marks: Any, looks: Mapping[str, Sequence[Any]], size: float, *, focus: bool = False
) -> None:
    """Draw marks, a row of `MARKS` each, in the colour and shape that `looks` have for their series.

    `size` is in points; with `focus`, of few marks only, values are shown when they are reached by keyboard, too.
    """
    drawn = pd.DataFrame(marks, columns=MARKS)
    if drawn.empty:
        return
    colours, markers = ({series: look[n] for series, look in looks.items()} for n in (0, 1))
    sns.scatterplot(
        drawn, x="x", y="y", hue="series", style="series", palette=colours, markers=markers, s=size**2,
        linewidth=1, edgecolor="face", clip_on=False, zorder=3, legend=False, ax=axes,
    )  # fmt: skip
    kind = "value" if focus else "hover"
    axes.collections[-1].set_urls([f"{kind}:{drawable(said)}" for said in drawn["told"]])


@dataclass(frozen=True)
class Rows:
    """Rows under each other: names broken into lines, em in points, a least height in em, and which are headings.

    `gap` is the distance between names of two rows, in em; with `over`, headings run over what stands beside the names.
    """

    names: Sequence[Sequence[str]]
    em: float
    least: float = 0.0
    bold: Collection[int] = ()
    gap: float = 0.4
    over: bool = False

    @cached_property
    def heights(self) -> list[float]:
        """Heights of the rows, in em."""
        apart = [0.35 * (self.over and n in self.bold) for n in range(len(self.names))]
        sizes = [len(name) * (LINE - 0.15) + self.gap for name in self.names]
        return [max(self.least, size) + more for size, more in zip(sizes, apart, strict=True)]

    @cached_property
    def middles(self) -> list[float]:
        """Middles of the rows, in em from the top."""
        return [end - high / 2 for end, high in zip(accumulate(self.heights), self.heights, strict=True)]

    @cached_property
    def end(self) -> float:
        """Where names end and what stands beside them begins, in points."""
        names = [
            (n in self.bold, name) for n, name in enumerate(self.names) if not (self.over and n in self.bold)
        ]
        each = (width(one, self.em, bold=bold) for bold, name in names for one in name)
        return 1.5 * self.em + max(each, default=0.0)

    def write(self, page: Page, top: float = 0.0) -> None:
        """Write the names at the left."""
        for place, (name, y) in enumerate(zip(self.names, self.middles, strict=True)):
            bold = place in self.bold
            look = (
                {"bbox": {"facecolor": "white", "edgecolor": "none", "pad": 1}} if self.over and bold else {}
            )
            page.write(page.left, top + y, "\n".join(name), weight="bold" if bold else "normal", **look)


@dataclass(frozen=True)
class Part:
    """What stands in and beside a panel: title, columns of numbers with their heading, and colours of rows."""

    title: str = ""
    columns: Sequence[tuple[str, Sequence[str]]] = ()
    colours: Sequence[str] = ()


def panels(
    presentation: Presentation,
    words: tuple[str, str],
    rows: Rows,
    parts: Sequence[Part],
    axis: Axis,
    **about: Any,
) -> tuple[Page, list[Axes]]:
    """Make a page with panels of the same rows beside each other; where it is narrow, below each other.

    `words` are title and subtitle; `axis` is where x begins and ends, and its ticks; `about` goes to `Page`.
    """
    page, places = spread(presentation, words, rows, parts, **about)
    drawn = [page.panel(left, right, axis, top=top, lines=sum(rows.heights)) for left, right, top in places]
    within = any(part.columns for part in parts)
    lines = rows.middles if within else [*accumulate(rows.heights)][:-1]
    for axes in drawn:
        axes.hlines([y for n, y in enumerate(lines) if n not in rows.bold], *axes.get_xlim(), **RULES)
    return page, drawn


def spread(
    presentation: Presentation, words: tuple[str, str], rows: Rows, parts: Sequence[Part], **about: Any
) -> tuple[Page, list[tuple[float, float, float]]]:
    """Make a page with rows and what stands beside panels; return where each panel begins and ends, and its top."""
    sheet, count, lines, em = Sheet.of(presentation.style), max(len(parts), 1), sum(rows.heights), rows.em
    stacked = isinstance(sheet, Narrow)
    wide = (sheet.width - 0.5 * em - rows.end) / (1 if stacked else count)
    titles = [wrap(part.title, wide - em, em * 1.1, bold=True) if part.title else () for part in parts]
    heads = [len(wrap(name, 5.5 * em, em)) for part in parts for name, _ in part.columns]
    high = LINE * max(heads, default=0) + 0.4
    above = LINE * 1.1 * max(map(len, titles), default=0) + high
    step = lines + above + 2.2 if stacked else 0.0
    page = Page(presentation, *words, lines=lines + step * (count - 1), heads=above, **about)
    places = []
    for place, (name, part) in enumerate(zip(titles, parts, strict=True)):
        top, left = (place * step, rows.end) if stacked else (0.0, rows.end + place * wide)
        right = left + wide - (0 if stacked or place == count - 1 else 1.5 * em)
        if stacked or not place:
            rows.write(page, top)
        page.head(left, name, top=top, up=high, bold=True)
        for number, (column, said) in reversed([*enumerate(part.columns)]):
            head = wrap(column, 5.5 * em, em)
            page.head(right, head, top=top, ha="right")
            for text, y, colour in zip(said, rows.middles, part.colours, strict=True):
                weight = "normal" if number or colour in (GREY, INK) else "bold"
                page.write(right, top + y, text, ha="right", color=colour, weight=weight)
            right -= max(width(text, em, bold=True) for text in (*head, *said)) + 0.8 * em
        places.append((left, right, top))
    return page, places


@dataclass(frozen=True, slots=True)
class Tile:
    """A cell of a grid: its text and look, and the text that it shows on hover."""

    text: str = ""
    ground: str = "#ffffff"
    ink: str = INK
    bold: bool = False
    told: str = ""
    hatched: bool = False


def grid(
    presentation: Presentation,
    words: tuple[str, str],
    rows: Rows,
    cells: Sequence[Sequence[Tile]],
    heads: Sequence[str],
    *,
    most: float,
    groups: Sequence[tuple[str, int]] = (),
    **about: Any,
) -> Page:
    """Make a page with a grid of tiles, the names of its columns above it, turned where they are too wide.

    `words` are title and subtitle, `most` is a column's greatest width in em, `groups` are headings above those of
    columns and how many each spans; `about` goes to `Page`.
    """
    sheet, em, count = Sheet.of(presentation.style), rows.em, max(len(heads), 1)
    start, wide = rows.end, min((sheet.width - 0.5 * em - rows.end) / count, most * em)
    upright = [wrap(head, wide - 0.5 * em, em, lines=3) for head in heads]
    turned = [[wrap(head, room * em, em) for head in heads] for room in (6, 11)]
    broken = next((names for names in (upright, turned[0]) if "…" not in str(names)), turned[1])
    widest = max((width(one, em) for name in broken for one in name), default=0.0) / em
    tall = (LINE - 0.1) * max(map(len, broken), default=0) if broken is upright else widest
    above = [wrap(name, span * wide - 0.5 * em, em, bold=True) for name, span in groups]
    spanned = LINE * max(map(len, above), default=0) + 0.4 if above else 0.0
    page = Page(presentation, *words, lines=sum(rows.heights), heads=tall + spanned + 0.6, below=0.2, **about)
    rows.write(page)
    if len(cells) and heads:
        axes = page.panel(start, start + count * wide, (0, count, {}))
        axes.hlines([*accumulate(rows.heights)][:-1], (page.left - start) / wide, count, **RULES)
        _tiles(axes, rows, cells)
    for x, name in enumerate(broken):
        page.head(start + (x + 0.5) * wide, name, ha="center", rotation=0 if broken is upright else 90)
    left = 0
    for name, (_, span) in zip(above, groups, strict=True):
        page.head(start + (left + 0.1) * wide, name, up=tall + 0.8, weight="bold", color=INK)
        left += span
    return page


def _tiles(axes: Axes, rows: Rows, cells: Sequence[Sequence[Tile]]) -> None:
    """Draw tiles a unit wide, each row as high as its name."""
    grounds = [to_rgba_array([cell.ground for cell in row])[:, :3] for row in cells]
    edges = [0.0, *accumulate(rows.heights)]
    axes.pcolormesh(range(len(cells[0]) + 1), edges, grounds, edgecolor="white", linewidth=1.2, clip_on=False)
    for y, high, row in zip(rows.middles, rows.heights, cells, strict=True):
        for x, cell in enumerate(row):
            if cell.hatched:
                hatched(axes, x + 0.05, y, 0.9, 0.85 * high)
            ground = {"facecolor": "white", "edgecolor": "none", "pad": 0.5} if cell.hatched else None
            text = axes.text(
                x + 0.5, y, cell.text, color=cell.ink, weight="bold" if cell.bold else "normal", bbox=ground,
                ha="center", va="center" if "\n" in cell.text else "center_baseline",
            )  # fmt: skip
            if cell.told:
                value(text, cell.told)
