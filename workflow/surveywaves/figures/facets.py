"""Rows of marks with intervals in panels side by side.

How decisions look: the same colours, shapes and words in every figure that draws contrasts.

Rows of marks with intervals in panels side by side: what profiles, reliabilities and contrasts have in common.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from surveywaves.figures.layout import (
    BAND,
    DECISIONS,
    GREY,
    INK,
    MARGIN,
    SMALL,
    TINY,
    Axis,
    Key,
    Look,
    Page,
    round_ends,
)
from surveywaves.terms import Decision
from surveywaves.words import number as plain_number

TERMS: Final = ("change", "gap", "difference_in_differences")
"""Kinds of contrast, in the order in which they are drawn."""

ADJUSTED: Final = "Decisions are adjusted for the number of scales, intervals are not."

_UP: Final = {
    "change": "increase",
    "gap": "first organisation higher",
    "difference_in_differences": "first organisation moved more upwards",
}
_DOWN: Final = {
    "change": "decrease",
    "gap": "second organisation higher",
    "difference_in_differences": "second organisation moved more upwards",
}


def decision_look(decision: str) -> Look:
    """Give a decision its look; a dark circle where none was made."""
    return Look(*DECISIONS.get(decision, (INK, "o")))


def decision_keys(
    decisions: Collection[str], terms: Collection[str], *, band: str = "Too small to matter"
) -> Iterator[Key]:
    """Give the legend of decisions, in words that fit the contrasts shown.

    Parameters
    ----------
    decisions
        Those that are drawn; others have no entry.
    terms
        Kinds of contrast that are drawn.
    band
        What the shaded values are; empty: nothing is shaded.
    """
    shown = [term for term in TERMS if term in terms] or ["change"]
    words = {
        Decision.INCREASE.value: " / ".join(_UP[term] for term in shown),
        Decision.DECREASE.value: " / ".join(_DOWN[term] for term in shown),
        Decision.NO_MEANINGFUL_CHANGE.value: (
            "no meaningful change" if shown == ["change"] else "no meaningful difference"
        ),
        Decision.INCONCLUSIVE.value: Decision.INCONCLUSIVE.value,
    }
    for decision, look in DECISIONS.items():
        if decision in decisions:
            label = words[decision]
            yield Key(label[:1].upper() + label[1:], *look)
    if band:
        yield Key(band, BAND)


LANE: Final = 0.95
"""Height of a mark's lane in base font sizes."""
BETWEEN_ROWS: Final = 0.5
BETWEEN_COMPACT_ROWS: Final = 0.1


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
    bands
        Row -> values between which it is shaded, where rows differ in that; see `Scale.band`.
    """

    heading: str
    lanes: dict[str, list[Estimate | Gap]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    bands: dict[str, tuple[float, float]] = field(default_factory=dict)

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
    band
        Values between which the panels are shaded; none if equal.
    """

    low: float
    high: float
    label: str
    reference: tuple[float, ...] = ()
    decimals: int = 1
    band: tuple[float, float] = (0.0, 0.0)


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
    groups: Mapping[str, str] | None = None,
    compact: bool = False,
    joined: bool = False,
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
    groups
        Row -> what it stands under, if anything; rows of a group follow each other.
    compact
        One line for a row's label (`Page.told_apart`), the panels close under each other: for many rows.
    joined
        Marks of one look are joined from row to row: for rows in an order.
    """
    written = write or (lambda value: plain_number(value, scale.decimals))
    for start in range(0, len(facets), side_by_side):
        line = facets[start : start + side_by_side]
        shown = {row: label for row, label in rows.items() if any(row in facet.lanes for facet in line)}
        _Line(
            page,
            line,
            shown,
            scale,
            abreast=side_by_side,
            write=written,
            groups=groups or {},
            compact=compact,
            joined=joined,
        ).draw()


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
        groups: Mapping[str, str],
        compact: bool,
        joined: bool,
    ) -> None:
        self.page, self.facets, self.rows, self.scale, self.write = page, facets, rows, scale, write
        self.groups, self.compact, self.joined = groups, compact, joined
        self.size = TINY if compact else SMALL
        self.between = (BETWEEN_COMPACT_ROWS if compact else BETWEEN_ROWS) * page.em
        self.paths: dict[tuple[int, Look], list[tuple[float, float]]] = {}
        usable = page.right - page.left
        self.gap = 1.4 * page.em
        self.spare = min(self.gap / 2 - 0.2 * page.em, MARGIN - 0.2)
        share = 0.42 if compact else 0.3 if abreast > 1 else 0.36
        longest = max((page.width_of(label, self.size) for label in rows.values()), default=0.0)
        self.label_width = min(longest, usable * share)
        labels = list(rows.values())
        self.labels = dict(
            zip(
                rows,
                page.told_apart(labels, self.label_width, self.size)
                if compact
                else [page.wrap(label, self.label_width, self.size, max_lines=4) for label in labels],
                strict=True,
            )
        )
        self.start = page.left + self.label_width + self.gap
        self.pitch = (page.right - self.start + self.gap) / abreast
        self.width = self.pitch - self.gap
        self.end = self.start + len(facets) * self.pitch - self.gap

    def draw(self) -> None:
        page = self.page
        page.y += 0.5 * page.em
        self._heads()
        top = page.y
        group = ""
        for number, row in enumerate(self.rows):
            if number and not (self.compact and self.groups.get(row, "") == group):
                middle = page.y + self.between / 2
                page.rule((page.left, middle), (self.end, middle), weight=0.3)
            page.y += self.between if number else 0.0
            if (under := self.groups.get(row, "")) != group:
                group = under
                self._group(under)
            self._row(row)
        for (_, look), places in self.paths.items():
            for before, after in pairwise(places):
                page.rule(before, after, colour=look.colour, weight=0.7)
        self._axes(top)

    def _group(self, words: str) -> None:
        """Put what the next rows stand under, with the axes' lines behind it hidden."""
        page = self.page
        lines = page.wrap(words, page.right - page.left, self.size, bold=True, max_lines=2)
        height = page.height_of(len(lines), self.size)
        above = 0.8 * self.between / 2
        page.box(page.left, page.y - above, page.right - page.left, height + above, "#ffffff")
        page.y = page.block(page.left, page.y, lines, self.size, bold=True)

    def _axis(self, panel: int) -> Axis:
        """Give a panel's axis, so far inside that the numbers at its ends do not meet those of the next."""
        low, high = (
            self.page.width_of(self.write(end), TINY) / 2 for end in (self.scale.low, self.scale.high)
        )
        inset = min(max(max(low, high) - self.spare, 0.25 * self.page.em), 0.2 * self.width)
        start = self.start + panel * self.pitch + inset
        return Axis(start, self.width - 2 * inset, self.scale.low, self.scale.high)

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

    def _row(self, row: str) -> None:
        page = self.page
        lines = self.labels[row]
        lanes = max(len(facet.lanes.get(row, [])) for facet in self.facets)
        lane = LANE * page.em
        text = page.height_of(len(lines), self.size)
        height = max(lanes * lane, text)
        page.block(page.left, page.y + (height - text) / 2, lines, self.size)
        for panel, facet in enumerate(self.facets):
            self._band(panel, facet.bands.get(row, (0.0, 0.0)), page.y, page.y + height)
            inside = facet.lanes.get(row, [])
            if len(set(inside)) == 1 and isinstance(inside[0], Gap):
                inside = inside[:1]
            first = page.y + (height - len(inside) * lane) / 2 + lane / 2
            for number, what in enumerate(inside):
                middle = first + number * lane
                if isinstance(what, Gap):
                    self._gap(panel, middle, what)
                else:
                    self._mark(panel, middle, what)
                    if self.joined:
                        place = self._axis(panel).x(what.value), middle
                        self.paths.setdefault((panel, what.look), []).append(place)
        page.y += height

    def _gap(self, panel: int, y: float, gap: Gap) -> None:
        shown = self.page.wrap(gap.text, self.width, TINY, max_lines=1)[0]
        self.page.text(self.start + panel * self.pitch, y, shown, TINY, colour=GREY, backed=True)

    def _mark(self, panel: int, y: float, estimate: Estimate) -> None:
        page, look, x = self.page, estimate.look, self._axis(panel).x
        if math.isfinite(estimate.low) and math.isfinite(estimate.high):
            low, high = max(estimate.low, self.scale.low), min(estimate.high, self.scale.high)
            page.rule((x(low), y), (x(high), y), colour=look.colour, weight=1.0, above=True)
        page.mark(x(estimate.value), y, look)

    def _band(self, panel: int, ends: tuple[float, float], top: float, bottom: float) -> None:
        axis = self._axis(panel)
        low, high = (min(max(end, self.scale.low), self.scale.high) for end in ends)
        if low < high:
            self.page.band(axis.x(low), top, axis.x(high) - axis.x(low), bottom - top, BAND)

    def _axes(self, top: float) -> None:
        page = self.page
        bottom = page.y + 0.3 * page.em
        for panel, facet in enumerate(self.facets):
            if facet.lanes:
                axis = self._axis(panel)
                self._band(panel, self.scale.band, top, bottom)
                axis.draw(
                    page,
                    top=top,
                    bottom=bottom,
                    write=self.write,
                    reference=self.scale.reference,
                    spare=self.spare + axis.start - self.start - panel * self.pitch,
                )
        page.y = bottom + page.height_of(1, TINY)
        room = max(self.end - self.start, 10 * page.em)
        lines = page.wrap(self.scale.label, room, SMALL, max_lines=4)
        centre = self.start + room / 2
        page.y = page.block(centre, page.y, lines, SMALL, colour=INK, align="center") + 0.5 * page.em
