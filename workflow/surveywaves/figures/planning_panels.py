"""Curves over the number of returns, a panel a kind of contrast."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import Final

from surveywaves.figures.axes import Axis, nice_step, round_ends
from surveywaves.figures.layout import SMALL, TINY, Page
from surveywaves.figures.style import GREY, INK, REFERENCE, Look
from surveywaves.figures.words import wave_title, whole
from surveywaves.study.parts import PlanningWords, Presentation

PLOT_HEIGHT: Final = 13.0
"""Of a panel, in base font sizes."""
DODGE: Final = 0.3
"""Between marks of one number of returns, in base font sizes."""
WIDEST: Final = 0.9
"""All marks of one number of returns, in base font sizes."""


@dataclass
class Series:
    """A contrast of all scales: for each number of returns, what each scale has of each term.

    Parameters
    ----------
    label
        The contrast in words, beside those of its panel; empty if there is no other.
    look
        Of its marks.
    estimates
        Term -> number of returns -> estimates, one a scale.
    needed
        Returns needed, one a scale.
    """

    label: str
    look: Look
    estimates: dict[str, dict[int, list[float]]] = field(default_factory=dict)
    needed: list[float] = field(default_factory=list)

    def spread(self, term: str) -> dict[int, tuple[float, float, float]]:
        """Give the lowest, the median and the highest scale for each number of returns."""
        found = self.estimates.get(term, {})
        return {returns: (min(all_), median(all_), max(all_)) for returns, all_ in sorted(found.items())}


@dataclass(frozen=True, slots=True)
class Row:
    """Panels side by side that show one term."""

    term: str
    heading: str
    top: float
    mark: float
    write: Callable[[float], str]


def draw_panels(
    page: Page,
    row: Row,
    drawn: dict[str, list[Series]],
    presentation: Presentation,
    returned: float,
    *,
    side_by_side: int,
) -> None:
    """Draw some panels of a term side by side at the page's current end."""
    aim = presentation.planning
    assert aim is not None
    axis_room, gap = 3.2 * page.em, 1.6 * page.em
    pitch = (page.right - page.left + gap) / side_by_side
    width = pitch - gap - axis_room
    heads = [
        page.wrap(_heading(kind, series, presentation, aim), pitch - gap, SMALL, max_lines=4)
        for kind, series in drawn.items()
    ]
    height = page.height_of(max(len(head) for head in heads), SMALL)
    top = page.y + height + page.height_of(1, TINY) + 0.3 * page.em
    bottom = top + PLOT_HEIGHT * page.em
    most = max(
        (returns for series in drawn.values() for one in series for returns in one.spread(row.term)),
        default=1,
    )
    _, end = round_ends([0.0, most, returned])
    for place, (head, series) in enumerate(zip(heads, drawn.values(), strict=True)):
        left = page.left + place * pitch
        page.block(left, page.y + height - page.height_of(len(head), SMALL), head, SMALL)
        # so that a mark at either end stands inside
        spare = 0.03 * end
        across = Axis(left + axis_room, width, -spare, end + spare)
        _frame(
            page, row, across, top=top, bottom=bottom, returned=returned, aim=aim, presentation=presentation
        )
        apart = min(DODGE, WIDEST / len(series))
        for order, one in enumerate(series):
            _curve(page, row, across, one, bottom=bottom, dodge=(order - (len(series) - 1) / 2) * apart)
    page.y = bottom + page.height_of(1, TINY)
    room = len(drawn) * pitch - gap
    label = page.wrap(f"Returns expected in {aim.title}", room, SMALL, max_lines=2)
    page.y = page.block(page.left + room / 2, page.y, label, SMALL, colour=INK, align="center")


def _frame(
    page: Page,
    row: Row,
    across: Axis,
    *,
    top: float,
    bottom: float,
    returned: float,
    aim: PlanningWords,
    presentation: Presentation,
) -> None:
    """Draw a panel's axes, the line that matters, and the reference wave's own returns."""
    right = across.start + across.width
    across.draw(page, top=top, bottom=bottom, write=whole)
    step = nice_step(row.top / 5)
    for place in range(math.floor(row.top / step + 1e-9) + 1):
        y = _y(page, row, place * step, bottom)
        page.rule((across.start, y), (right, y), weight=0.4)
        page.text(across.start - 0.4 * page.em, y, row.write(place * step), TINY, colour=GREY, align="right")
    mark = _y(page, row, row.mark, bottom)
    page.rule((across.start, mark), (right, mark), colour=REFERENCE, weight=1.1)
    if math.isfinite(returned):
        x = across.x(returned)
        said = f"{whole(returned)} in {wave_title(presentation, aim.reference)}"
        words = page.wrap(said, across.width, TINY, max_lines=1)[0]
        half = page.width_of(words, TINY) / 2
        inside = min(max(x, across.start + half), right - half)
        page.rule((x, top), (x, bottom), colour=REFERENCE, weight=0.8, dotted=True)
        page.text(inside, top - page.height_of(0.5, TINY), words, TINY, colour=GREY, align="center")


def _curve(page: Page, row: Row, across: Axis, series: Series, *, bottom: float, dodge: float) -> None:
    """Draw the median scale as a line with marks, and the range of the scales as bars."""
    colour, places = series.look.colour, []
    for returns, (low, middle, high) in series.spread(row.term).items():
        x = across.x(returns) + dodge * page.em
        ends = [_y(page, row, value, bottom) for value in (low, high)]
        page.rule((x, ends[0]), (x, ends[1]), colour=colour, weight=0.7, above=True)
        places.append((x, _y(page, row, middle, bottom)))
    for start, end in pairwise(places):
        page.rule(start, end, colour=colour, weight=1.0)
    for x, y in places:
        page.mark(x, y, series.look)


def _y(page: Page, row: Row, value: float, bottom: float) -> float:
    return bottom - (PLOT_HEIGHT * page.em - 0.3 * page.em) * value / row.top


def _heading(kind: str, series: Sequence[Series], presentation: Presentation, aim: PlanningWords) -> str:
    only = f": {series[0].label}" if len(series) == 1 and kind != "change" else ""
    when = f"{wave_title(presentation, aim.reference)} to {aim.title}"
    return {
        "change": f"Change, {when}",
        "gap": f"Gap in {aim.title}{only}",
        "difference_in_differences": f"Difference in change, {when}{only}",
    }[kind]
