"""What a wave to come can detect: power and precision by the number of returns.

Curves over the number of returns, a panel a kind of contrast.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from statistics import median
from typing import Final

import pandas as pd

from surveywaves.figures.contrasts import gap_in_words
from surveywaves.figures.drawing import Drawing
from surveywaves.figures.layout import (
    GREY,
    INK,
    PAIR_MARKERS,
    REFERENCE,
    SMALL,
    TINY,
    Axis,
    Key,
    Look,
    Page,
    look_of,
    nice_step,
    round_ends,
)
from surveywaves.figures.means import ESTIMATED, level, organisation_keys
from surveywaves.study.parts import PlanningWords, Presentation
from surveywaves.terms import ORGANISATION, RETURNS_NEEDED, Evidence
from surveywaves.words import absent, evidence_of, number, pair, percent, wave_title, whole, without

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


ABREAST: Final = 3
LEAST: Final = 13.0
"""Width that a panel takes at least, in base font sizes."""
NAMES: Final = {"change": "change", "gap": "gap", "difference_in_differences": "difference in change"}
"""Kinds of contrasts, in words."""
DRAWN: Final = ("returns", "conf_half_width", "power", "power_adjusted", "returns_needed")
"""Terms that the figure draws."""
NOBODY: Final = math.inf
"""Returns needed where no number is enough."""


def planning(table: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw power and precision by the number of returns, a panel a kind of contrast.

    Twelve scales cannot be told apart as lines; the median and the range of the scales can. Each scale's own
    numbers stand in the table.

    Parameters
    ----------
    table
        `released/planning`.
    presentation
        The study in words, with a wave to come.
    """
    aim = presentation.planning
    if aim is None:
        raise ValueError("the study plans no wave")
    panels = _panels(table, presentation)
    title = f"What {aim.title} can detect, by the number of returns"
    evidence = evidence_of(presentation, [aim.reference], "joint", ["items", ORGANISATION])
    returned = table[table["term"] == "returns"]["estimate"].max()
    drawn = {kind: series for kind, series in panels.items() if any(one.estimates for one in series)}

    page = Page(presentation.style)
    page.title(title)
    page.legend(_keys(drawn, presentation))
    side_by_side = max(
        page.abreast(len(drawn), ABREAST, least=LEAST), min(2, int(page.right / page.em / LEAST)), 1
    )
    kinds = list(drawn)
    for row in _rows(drawn, presentation, aim):
        page.y += 0.6 * page.em
        page.paragraph(row.heading, bold=True, colour=INK)
        for start in range(0, len(kinds), side_by_side):
            line = {kind: drawn[kind] for kind in kinds[start : start + side_by_side]}
            draw_panels(page, row, line, presentation, returned, side_by_side=side_by_side)
    notes = [
        *(_reading(drawn, aim) if drawn else ["Nothing can be said of any contrast."]),
        _needed(panels, presentation, aim),
        without(_missing(table, presentation), presentation),
        _invented(presentation, aim),
    ]
    notes = [note for note in notes if note]
    page.foot(notes, evidence)
    caption = [
        f"{title}: power of the test against 0 to find a difference of {aim.smallest:g} standard deviations of one "
        f"answer, and half the width of the {level(presentation)} interval in the same unit.",
        _basis(presentation, returned),
        _assumptions(presentation, aim),
        *notes,
        evidence,
    ]
    alt = f"Curves over the number of returns, a panel a kind of contrast. {' '.join([*notes, evidence])}"
    return Drawing(
        figure=page.finish(),
        rows=table[table["term"].isin(DRAWN)],
        title=title,
        caption=" ".join(caption),
        alt=alt,
        evidence=evidence,
        dpi=presentation.style.dpi,
    )


# --- what is shown --------------------------------------------------------------------------------------------


def _kind(wave: str, organisation: str) -> str:
    """Tell a contrast by its labels; empty if it is none."""
    both, who = pair(wave), pair(organisation)
    return "difference_in_differences" if both and who else "change" if both else "gap" if who else ""


def _panels(table: pd.DataFrame, presentation: Presentation) -> dict[str, list[Series]]:
    """Sort the estimates into kinds of contrasts, and these into contrasts."""
    found: dict[str, dict[str, Series]] = {kind: {} for kind in NAMES}
    columns = ("scale", "wave", "organisation", "term", "n", "estimate", "status")
    powers = table[(table["term"] == "power") & table["status"].isin(ESTIMATED)]
    planned = set(zip(*(powers[name] for name in columns[:3]), strict=True))
    for scale, wave, organisation, term, n, estimate, status in zip(
        *(table[name] for name in columns), strict=True
    ):
        if not (kind := _kind(wave, organisation)):
            continue
        series = found[kind].setdefault(
            organisation, Series(gap_in_words(organisation, presentation), _look(organisation, presentation))
        )
        there = status in ESTIMATED and pd.notna(estimate)
        if term == RETURNS_NEEDED:
            if there or (scale, wave, organisation) in planned:  # else no number of returns was looked for
                series.needed.append(estimate if there else NOBODY)
        elif there and pd.notna(n):  # withheld where the rule withholds a group
            series.estimates.setdefault(term, {}).setdefault(int(n), []).append(estimate)
    return {kind: list(series.values()) for kind, series in found.items()}


def _rows(drawn: dict[str, list[Series]], presentation: Presentation, aim: PlanningWords) -> Iterable[Row]:
    if not drawn:
        return
    widths = [
        value
        for series in drawn.values()
        for one in series
        for spread in one.spread("conf_half_width").values()
        for value in spread
    ]
    _, top = round_ends([0.0, aim.smallest, *widths])
    yield Row(
        "power",
        f"Power to find a difference of {aim.smallest:g} standard deviations of one answer",
        1.0,
        aim.power,
        lambda value: f"{100 * value:.0f}%",
    )
    decimals = max(-math.floor(math.log10(nice_step(top / 5)) + 1e-9), 0)
    yield Row(
        "conf_half_width",
        f"Half the width of the {level(presentation)} interval, in standard deviations of one answer",
        top,
        aim.smallest,
        lambda value: number(value, decimals),
    )


def _look(organisation: str, presentation: Presentation) -> Look:
    """Give the look of an organisation, or of a pair of them: dark, with a shape of its own."""
    pairs = [f"{first} - {second}" for first, second in combinations(presentation.organisations, 2)]
    if organisation in pairs:
        return Look("#333333", PAIR_MARKERS[pairs.index(organisation) % len(PAIR_MARKERS)])
    return look_of(organisation, list(presentation.organisations), presentation.style)


def _keys(drawn: dict[str, list[Series]], presentation: Presentation) -> list[Key]:
    """Give the legend: organisations, and pairs of them where there are several."""
    keys = organisation_keys(presentation, presentation.organisations) if "change" in drawn else []
    pairs = {one.label: one for kind, series in drawn.items() if kind != "change" for one in series}
    if len(pairs) > 1:
        keys += [Key(label, one.look.colour, one.look.marker) for label, one in pairs.items()]
    return keys


# --- words ----------------------------------------------------------------------------------------------------


def _reading(drawn: dict[str, list[Series]], aim: PlanningWords) -> Iterable[str]:
    """Say what marks, bars and lines are."""
    yield (
        f"Mark: the median scale. Bar: from the lowest to the highest scale. Dark lines: the planned power "
        f"({percent(100 * aim.power)}) and the smallest effect of interest ({aim.smallest:g})."
    )
    if any(len(series) > 1 for series in drawn.values()):
        yield "Marks side by side are of one number of returns."


def _needed(panels: dict[str, list[Series]], presentation: Presentation, aim: PlanningWords) -> str:
    """Say how many returns are needed, contrast by contrast."""
    sizes = [
        presentation.waves[w].population.size for w in (aim.wave, aim.reference) if w in presentation.waves
    ]
    people = next((size for size in sizes if size), NOBODY)

    def said(returns: float) -> str:
        if returns == people == NOBODY:
            return "no number is enough"
        return whole(returns) if returns <= people else f"more than the {whole(people)} people there are"

    parts = []
    for kind, series in panels.items():
        for one in series:
            if one.estimates and one.needed:
                low, middle, high = (said(f(one.needed)) for f in (min, median, max))
                spread = "" if low == high else f" (easiest scale: {low}; hardest: {high})"
                parts.append(f"{NAMES[kind]}, {one.label}: {middle}{spread}")
    if not parts:
        return ""
    return f"Returns needed for a power of {percent(100 * aim.power)}, median scale: {'; '.join(parts)}."


def _basis(presentation: Presentation, returned: float) -> str:
    """Say what the variances come from."""
    aim = presentation.planning
    assert aim is not None
    n = f" (n: {whole(returned)} returns)" if math.isfinite(returned) else ""
    return f"From the linear mixed models of {wave_title(presentation, aim.reference)}{n}."


def _assumptions(presentation: Presentation, aim: PlanningWords) -> str:
    before = wave_title(presentation, aim.reference)
    return (
        f"Assumes that {aim.title} has {before}'s variances, and that its returns are like {before}'s: the same shares "
        f"of each organisation, of returns that state none, and of items left out. {before}'s own uncertainty is "
        "included. P-values are taken as they are, not adjusted for the number of scales: the power after adjustment "
        "stands in the table. No number of returns is larger than the staff, and no "
        "finite-population factor is applied, as in the main analysis."
    )


def _invented(presentation: Presentation, aim: PlanningWords) -> str:
    """Warn where the variances are not those of real answers."""
    before = wave_title(presentation, aim.reference)
    if presentation.waves[aim.reference].evidence is Evidence.OBSERVED:
        return f"All of this is as good as the variances found in {before}."
    return (
        f"All of this is only as good as {before}'s answers: how one person's answers go together is invented there, "
        "and with it every number here."
    )


def _missing(table: pd.DataFrame, presentation: Presentation) -> list[tuple[str, str, str]]:
    """List of what contrasts nothing can be said, at some or all numbers of returns."""
    aim = presentation.planning
    assert aim is not None
    rows = table[table["term"] == "power"]
    found = []
    for contrast, part in rows.groupby(["wave", "organisation"], sort=False):
        wave, organisation = map(str, contrast)
        lacking = part[~part["status"].isin(ESTIMATED)]
        for why, some in lacking.groupby(["status", "note"], sort=False):
            status, note = map(str, why)
            scales, count = some["scale"].nunique(), part["scale"].nunique()
            of = "" if scales == count else f" ({scales} of {count} scales)"
            few = some["n"].max()
            limit = "" if few == part["n"].max() else f" with {whole(few)} returns or fewer"
            what = f"{NAMES[_kind(wave, organisation)]}, {gap_in_words(organisation, presentation)}"
            found.append((what + of + limit, absent(status), note))
    return found
