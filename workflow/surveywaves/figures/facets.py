"""Rows of marks with intervals in panels side by side: what profiles, reliabilities and contrasts have in common."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from surveywaves.figures.axes import Axis, round_ends
from surveywaves.figures.layout import SMALL, TINY, Page
from surveywaves.figures.style import GREY, INK, Look
from surveywaves.figures.words import number as plain_number

LANE: Final = 0.95
"""Height of a mark's lane in base font sizes."""
BETWEEN_ROWS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mark: an estimate with its interval, in the look of its series."""

    look: Look
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Gap:
    """Words where an estimate would stand."""

    text: str


@dataclass
class Facet:
    """A panel.

    Parameters
    ----------
    heading
        What stands over it.
    lanes
        Row -> what stands in it, from top to bottom: at most one for each series.
    notes
        Small lines under the heading.
    """

    heading: str
    lanes: dict[str, list[Estimate | Gap]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def estimates(self) -> list[Estimate]:
        """All its marks."""
        return [lane for lanes in self.lanes.values() for lane in lanes if isinstance(lane, Estimate)]


@dataclass(frozen=True, slots=True)
class Scale:
    """What the horizontal axis of every panel runs over.

    Parameters
    ----------
    low, high
        Its ends.
    reference
        Values that a line marks.
    label
        Words under it.
    decimals
        Of the numbers at the ticks.
    """

    low: float
    high: float
    label: str
    reference: tuple[float, ...] = ()
    decimals: int = 1


def spanning(facets: Sequence[Facet], *, include: Sequence[float] = ()) -> tuple[float, float]:
    """Give round ends of an axis that holds every interval and the values to include."""
    marks = [mark for facet in facets for mark in facet.estimates]
    return round_ends([*include, *(end for mark in marks for end in (mark.value, mark.low, mark.high))])


def draw_facets(
    page: Page,
    facets: Sequence[Facet],
    rows: dict[str, str],
    scale: Scale,
    *,
    side_by_side: int,
    write: Callable[[float], str] | None = None,
) -> None:
    """Draw panels at the page's current end, `side_by_side` to a line, each line with its row labels at the left.

    Parameters
    ----------
    facets
        The panels.
    rows
        Row -> its label, in order; a row that no panel of a line has is left out of that line.
    scale
        The axis that all panels share.
    side_by_side
        Panels in a line; see `abreast`.
    write
        How a number at a tick is written.
    """
    written = write or (lambda value: plain_number(value, scale.decimals))
    for start in range(0, len(facets), side_by_side):
        line = facets[start : start + side_by_side]
        shown = {row: label for row, label in rows.items() if any(row in facet.lanes for facet in line)}
        _Line(page, line, shown, scale, abreast=side_by_side, write=written).draw()


class _Line:
    """Panels side by side."""

    def __init__(
        self,
        page: Page,
        facets: Sequence[Facet],
        rows: dict[str, str],
        scale: Scale,
        *,
        abreast: int,
        write: Callable[[float], str],
    ) -> None:
        self.page, self.facets, self.rows, self.scale, self.write = page, facets, rows, scale, write
        usable = page.right - page.left
        self.gap = 1.4 * page.em
        share = 0.3 if abreast > 1 else 0.36
        longest = max((page.width_of(label, SMALL) for label in rows.values()), default=0.0)
        self.label_width = min(longest, usable * share)
        self.start = page.left + self.label_width + self.gap
        self.pitch = (page.right - self.start + self.gap) / abreast
        self.width = self.pitch - self.gap

    def draw(self) -> None:
        page = self.page
        page.y += 0.5 * page.em
        self._heads()
        top = page.y
        for number, (row, label) in enumerate(self.rows.items()):
            if number:
                middle = page.y + BETWEEN_ROWS * page.em / 2
                page.rule((page.left, middle), (page.right, middle), weight=0.3)
                page.y += BETWEEN_ROWS * page.em
            self._row(row, label)
        self._axes(top)

    def _axis(self, panel: int) -> Axis:
        return Axis(self.start + panel * self.pitch, self.width, self.scale.low, self.scale.high)

    def _heads(self) -> None:
        page = self.page
        heads = [page.wrap(facet.heading, self.width, SMALL, bold=True, max_lines=6) for facet in self.facets]
        notes = [
            [line for note in facet.notes for line in page.wrap(note, self.width, TINY, max_lines=4)]
            for facet in self.facets
        ]
        head_height = page.height_of(max((len(head) for head in heads), default=0), SMALL)
        note_height = page.height_of(max((len(note) for note in notes), default=0), TINY)
        for panel, (head, note) in enumerate(zip(heads, notes, strict=True)):
            x = self.start + panel * self.pitch
            page.block(x, page.y + head_height - page.height_of(len(head), SMALL), head, SMALL, bold=True)
            page.block(x, page.y + head_height, note, TINY, colour=GREY)
        page.y += head_height + note_height + 0.3 * page.em

    def _row(self, row: str, label: str) -> None:
        page = self.page
        lines = page.wrap(label, self.label_width, SMALL, max_lines=4)
        lanes = max(len(facet.lanes.get(row, [])) for facet in self.facets)
        lane = LANE * page.em
        height = max(lanes * lane, page.height_of(len(lines), SMALL))
        page.block(page.left, page.y + (height - page.height_of(len(lines), SMALL)) / 2, lines, SMALL)
        for panel, facet in enumerate(self.facets):
            inside = facet.lanes.get(row, [])
            if len(set(inside)) == 1 and isinstance(inside[0], Gap):
                inside = inside[:1]
            first = page.y + (height - len(inside) * lane) / 2 + lane / 2
            for place, what in enumerate(inside):
                middle = first + place * lane
                if isinstance(what, Gap):
                    shown = page.wrap(what.text, self.width, TINY, max_lines=1)[0]
                    page.text(self.start + panel * self.pitch, middle, shown, TINY, colour=GREY, backed=True)
                else:
                    self._mark(panel, middle, what)
        page.y += height

    def _mark(self, panel: int, y: float, estimate: Estimate) -> None:
        page, look, x = self.page, estimate.look, self._axis(panel).x
        if math.isfinite(estimate.low) and math.isfinite(estimate.high):
            low, high = max(estimate.low, self.scale.low), min(estimate.high, self.scale.high)
            page.rule((x(low), y), (x(high), y), colour=look.colour, weight=1.0, above=True)
        page.mark(x(estimate.value), y, look)

    def _axes(self, top: float) -> None:
        page = self.page
        bottom = page.y + 0.3 * page.em
        for panel, facet in enumerate(self.facets):
            if facet.lanes:
                self._axis(panel).draw(
                    page,
                    top=top,
                    bottom=bottom,
                    write=self.write,
                    reference=self.scale.reference,
                    spare=min(self.gap / 3, 1.2),
                )
        page.y = bottom + page.height_of(1, TINY)
        centre = (self.start + page.right) / 2
        lines = page.wrap(self.scale.label, page.right - self.start, SMALL, max_lines=2)
        page.y = page.block(centre, page.y, lines, SMALL, colour=INK, align="center") + 0.5 * page.em
