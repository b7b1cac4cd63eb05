"""A page for a figure, what is said beside it, and saving it: the same bytes on every run and machine."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape, unescape
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.transforms import Bbox

from surveywaves.figures.style import (
    DECISIONS,
    FONT,
    GREY,
    HATCH,
    INK,
    LEAN,
    MARK,
    RC,
    TAG,
    Sheet,
    drawable,
    width,
    wrap,
)
from surveywaves.files import write_bytes
from surveywaves.study.parts import Presentation
from surveywaves.terms import Evidence
from surveywaves.words import Labels

LINE: Final = 1.3
"""Height of a line of text, in its size."""
TITLE: Final = 1.25
"""Size of a figure's title, in em."""
DEMONSTRATION: Final = "DEMONSTRATION DATA"
LEAST: Final = 8.0
"""Height of the axes at least, in em."""
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


@dataclass
class Page:
    """A figure to be: its head and foot stand in points, its axes between them in constrained layout.

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
        How high the axes are, in em; a slide is as high as it is.
    """

    presentation: Presentation
    title: str
    subtitle: str = ""
    keys: Sequence[Artist] = ()
    notes: Iterable[str] = ()
    lines: float = 20.0
    sheet: Sheet = field(init=False)
    figure: Figure = field(init=False)

    def __post_init__(self) -> None:
        self.sheet = sheet = Sheet.of(self.presentation.style)
        em = sheet.em
        self.left = 0.5 * em
        room = sheet.width - 2 * self.left
        title = wrap(self.title, room, em * TITLE, lines=2, bold=True)
        under = wrap(self.subtitle, room, em, lines=2) if self.subtitle else ()
        for entry in self.keys:
            entry.set_label(wrap(str(entry.get_label()), 0.45 * room, em, lines=1)[0])
        columns = self._columns(room)
        high_keys = -(-len(self.keys) // columns) * LINE * em + 0.4 * em if self.keys else 0
        tag = width(DEMONSTRATION, em, bold=True) + 2 * em
        foot = wrap(" ".join(filter(None, self.notes)), room - tag, em, lines=4)
        head = (len(title) * TITLE + len(under)) * LINE * em + 0.5 * em + high_keys
        low = max(len(foot), 1) * LINE * em + 0.5 * em
        height = sheet.height or min(head + low + max(self.lines, LEAST) * em, sheet.most)
        self.figure = figure = Figure(figsize=(sheet.width / 72, height / 72), dpi=300)
        self.body = height - head - low
        # On a slide, few rows do not take all of it.
        body = min(self.body, 1.7 * self.lines * em)
        rect = (0, (low + self.body - body) / height, 1, body / height)
        pad = 0.5 * em / 72
        layout = ConstrainedLayoutEngine(rect=rect, w_pad=pad, h_pad=pad / 2, wspace=0, hspace=0)
        figure.set_layout_engine(layout)
        y = height - 0.4 * em
        for lines, size, colour, weight in (
            (title, em * TITLE, INK, "bold"),
            (under, em, GREY, "normal"),
        ):
            for line in lines:
                self._text(self.left, y, line, va="top", size=size, color=colour, weight=weight)
                y -= LINE * size
        if self.keys:
            figure.legend(
                handles=list(self.keys),
                loc="upper left",
                bbox_to_anchor=(self.left / sheet.width, (y - 0.1 * em) / height),
                ncols=columns,
                borderpad=0,
                borderaxespad=0,
                labelspacing=LINE - 1,
                handletextpad=0.5,
                handlelength=1.4,
                columnspacing=1.6,
            ).set_in_layout(False)
        for place, line in enumerate(reversed(foot)):
            self._text(self.left, 0.4 * em + place * LINE * em, line, va="baseline", color=GREY)

    def _columns(self, room: float) -> int:
        em, labels = self.sheet.em, [str(key.get_label()) for key in self.keys]
        for columns in range(len(labels), 1, -1):
            parts = np.array_split([width(label, em) + 3.5 * em for label in labels], columns)
            if sum(part.max() for part in parts) < room:
                return columns
        return 1

    def _text(self, x: float, y: float, said: str, **look: Any) -> None:
        size = self.figure.get_size_inches() * 72
        self.figure.text(x / size[0], y / size[1], said, **look).set_in_layout(False)

    def drawing(self, rows: pd.DataFrame, *, caption: str, alt: str) -> Drawing:
        """Finish: lay the axes out, and tag what is not all observed."""
        kinds = set(Labels(self.presentation).with_evidence(rows).get("evidence", []))
        if kinds & {Evidence.RECONSTRUCTED.value, Evidence.SIMULATED.value}:
            colour, ground = TAG
            box = {"facecolor": ground, "edgecolor": colour, "linewidth": 0.6, "pad": 0.25 * self.sheet.em}
            x = self.sheet.width - self.left - 0.3 * self.sheet.em
            look = {"ha": "right", "va": "baseline", "color": colour, "weight": "bold", "bbox": box}
            self._text(x, 0.55 * self.sheet.em, DEMONSTRATION, **look)
        if engine := self.figure.get_layout_engine():
            engine.execute(self.figure)
        self.figure.set_layout_engine("none")
        # The solver of the layout may differ in the last bits from run to run; ids in an SVG are digests of positions.
        for axes in self.figure.axes:
            axes.set_position(Bbox(np.round(axes.get_position().get_points(), 7)))
        return Drawing(self.figure, rows, self.title, " ".join(caption.split()), " ".join(alt.split()))


# --- what several figures draw --------------------------------------------------------------------------------------


def key(label: str, **look: Any) -> Line2D:
    """Make an entry of a legend: a mark without a line, unless one is asked for."""
    return Line2D(
        [],
        [],
        label=drawable(label),
        **{"linestyle": "none", "markersize": 0.75 * mpl.rcParams["font.size"], **look},
    )


def decision_keys(
    decisions: Iterable[str],
    words: Sequence[str] = ("rose", "fell", "no meaningful change", "no clear change"),
    *,
    grid: bool = False,
) -> list[Artist]:
    """Make a legend of the decisions that a figure shows; empty ones are none.

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


WITHHELD_KEY: Final = "[c] withheld to protect respondents"


def withheld_key() -> Patch:
    """Make the legend's entry for what is withheld."""
    return Patch(facecolor="white", edgecolor=MARK, hatch=HATCH, linewidth=0.6, label=WITHHELD_KEY)


def hatched(axes: Axes, x: float, y: float, wide: float, high: float) -> None:
    """Draw a hatched box where a value is withheld; y is its middle."""
    look: dict[str, Any] = {"facecolor": "white", "edgecolor": MARK, "hatch": HATCH, "linewidth": 0.6}
    axes.add_artist(Rectangle((x, y - high / 2), wide, high, gid="hover:withheld", **look))


def value(artist: Any, said: str, *, focus: bool = True) -> None:
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
    axes: Axes,
    cells: Sequence[Sequence[Tile]],
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    heights: Sequence[float] = (),
    turned: bool = False,
) -> list[float]:
    """Draw a grid, the first row on top, with the names of its columns above it.

    Parameters
    ----------
    cells
        Rows of tiles.
    rows, columns
        Their names.
    heights
        Of the rows; empty: all alike.
    turned
        Whether the names of columns are to be read from below.

    Returns
    -------
    list
        The middle of each row.
    """
    edges = np.concatenate([[0.0], np.cumsum(heights or [1.0] * len(rows))])
    middles, tall = (edges[1:] + edges[:-1]) / 2, np.diff(edges)
    wide = len(columns)
    if len(rows) and wide:
        grounds = np.array([[to_rgb(cell.ground) for cell in line] for line in cells]).reshape(
            len(rows), wide, 3
        )
        axes.pcolormesh(np.arange(wide + 1) - 0.5, edges, grounds, edgecolors="white", linewidth=1.2)
    for y, high, line in zip(middles, tall, cells, strict=True):
        for x, cell in enumerate(line):
            if cell.hatched:
                hatched(axes, x - 0.45, y, 0.9, 0.85 * high)
            if not cell.text:
                continue
            weight = "bold" if cell.bold else "normal"
            look: dict[str, Any] = {
                "ha": "center",
                "va": "center_baseline",
                "color": cell.ink,
                "weight": weight,
            }
            box = {"facecolor": "white", "edgecolor": "none", "pad": 0.5} if cell.hatched else None
            text = axes.text(x, y, cell.text, bbox=box, **look)
            if cell.told:
                value(text, cell.told)
    quiet(axes)
    axes.set(ylim=(edges[-1] or 1.0, 0), xlim=(-0.5, max(wide, 1) - 0.5))
    axes.set_yticks(middles, rows)
    axes.set_xticks(range(wide), columns, rotation=90 if turned else 0)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return [float(middle) for middle in middles]


def quiet(axes: Axes) -> None:
    """Leave an axes out of the layout with all that stands on it: only its frame, labels and titles take room."""
    for artist in (*axes.texts, *axes.lines, *axes.patches, *axes.collections):
        artist.set_in_layout(False)


# --- saving -------------------------------------------------------------------------------------------------------

PNG: Final = {"compress_level": 4}


def save(drawing: Drawing, folder: Path, dpi: float) -> None:
    """Write a drawing as SVG, PDF (fonts embedded) and PNG; nothing in a file tells when or by what it was written.

    Parameters
    ----------
    drawing
        What `draw_all` gives.
    folder
        Where to. The files are called ``<name>.svg``, ``.pdf`` and ``.png``.
    dpi
        Resolution of the PNG.
    """
    title, said = drawable(drawing.title), drawable(drawing.alt)
    with mpl.rc_context(RC | {"svg.hashsalt": drawing.name}), io.StringIO() as text, io.BytesIO() as printed:
        FigureCanvasSVG(drawing.figure).print_svg(text, metadata={"Date": None})  # type: ignore[no-untyped-call]
        write_bytes(_for_pages(text.getvalue(), title, said).encode(), str(folder / f"{drawing.name}.svg"))
        about = {"Title": title, "Subject": said, "CreationDate": None, "Creator": None, "Producer": None}
        FigureCanvasPdf(drawing.figure).print_pdf(printed, metadata=about)  # type: ignore[no-untyped-call]
        write_bytes(printed.getvalue(), str(folder / f"{drawing.name}.pdf"))
    save_png(drawing, folder, dpi)


def save_png(drawing: Drawing, folder: Path, dpi: float) -> None:
    """Write a drawing as PNG."""
    said = {"Title": drawable(drawing.title), "Description": drawable(drawing.alt), "Software": None}
    drawing.figure.set_dpi(dpi)
    with io.BytesIO() as content:
        FigureCanvasAgg(drawing.figure).print_png(content, metadata=said, pil_kwargs=PNG)  # type: ignore[no-untyped-call]
        write_bytes(content.getvalue(), str(folder / f"{drawing.name}.png"))


_HEAD = re.compile(r"^.*?(?=<svg)", re.DOTALL)
_ABOUT = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
_NAMED = re.compile(r' id="((?!value:|hover:)[^"]*)"')
_VALUE = re.compile(r'<g id="(value|hover):([^"]*)">')
_COMMENT = re.compile(r"\s*<!--.*?-->", re.DOTALL)
_TEXT = re.compile(r'<text (style="(?P<style>[^"]*)"[^>]*)>(?P<said>[^<]*)</text>')
_UPRIGHT = re.compile(r' transform="rotate\(-0 [^"]*"')
_PRECISE = re.compile(r"(?<=[ \"(-])(\d+\.\d\d)\d+(?=[ \")\n])")
"""Hundredths of a point are enough."""
_SIZE = re.compile(r"font-size: ([\d.]+)px")


def _for_pages(svg: str, title: str, said: str) -> str:
    """Make of matplotlib's SVG one that stands in a page: no ids that clash, values told, texts as wide as drawn.

    A reader's machine has other fonts; with its width said, a text takes the room that it was given here.
    """

    def told(found: re.Match[str]) -> str:
        words = found[2]
        focus = f' tabindex="0" role="img" aria-label="{words}"' if found[1] == "value" else ""
        return f'<g class="value"{focus}><title>{words}</title>'

    def measured(found: re.Match[str]) -> str:
        size = _SIZE.search(found["style"])
        if size is None:
            return found[0]
        wide = width(unescape(found["said"]), float(size[1]), bold="font-weight" in found["style"])
        return (
            f'<text {found[1]} textLength="{wide:.2f}" lengthAdjust="spacingAndGlyphs">{found["said"]}</text>'
        )

    svg = svg.replace(f"'{LEAN}'", f"'{FONT}', sans-serif")
    svg = _COMMENT.sub("", _ABOUT.sub("", _HEAD.sub("", svg)))
    svg = _NAMED.sub(lambda found: found[0] if f"#{found[1]}" in svg else "", svg)
    svg = _PRECISE.sub(r"\1", _UPRIGHT.sub("", svg))
    svg = _TEXT.sub(measured, _VALUE.sub(told, svg))
    described = f'<svg role="group" aria-label="{escape(title)}"'
    return svg.replace("<svg", described, 1).replace(">", f">\n <desc>{escape(said)}</desc>", 1)
