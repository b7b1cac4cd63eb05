"""What a wave to come can detect: power and precision by the number of returns."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import combinations
from statistics import median
from typing import Final

import pandas as pd

from surveywaves.figures.axes import nice_step, round_ends
from surveywaves.figures.contrasts import gap_in_words
from surveywaves.figures.drawing import Drawing
from surveywaves.figures.layout import Key, Page
from surveywaves.figures.means import ESTIMATED, level, organisation_keys
from surveywaves.figures.planning_panels import Row, Series, draw_panels
from surveywaves.figures.style import INK, PAIR_MARKERS, Look, look_of
from surveywaves.figures.words import (
    ORGANISATION,
    absent,
    evidence_of,
    number,
    pair,
    percent,
    wave_title,
    whole,
    without,
)
from surveywaves.study.models import Evidence
from surveywaves.study.parts import PlanningWords, Presentation

GROUP: Final = "Planning"
ABREAST: Final = 3
LEAST: Final = 13.0
"""Width that a panel takes at least, in base font sizes."""
NAMES: Final = {"change": "change", "gap": "gap", "difference_in_differences": "difference in change"}
"""Kinds of contrasts, in words."""
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
        name="planning",
        figure=page.finish(),
        title=title,
        caption=" ".join(caption),
        alt=alt,
        evidence=evidence,
        group=GROUP,
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
    columns = ("wave", "organisation", "term", "n", "estimate", "status")
    for wave, organisation, term, n, estimate, status in zip(*(table[name] for name in columns), strict=True):
        if not (kind := _kind(wave, organisation)):
            continue
        series = found[kind].setdefault(
            organisation, Series(gap_in_words(organisation, presentation), _look(organisation, presentation))
        )
        there = status in ESTIMATED and pd.notna(estimate)
        if term == "returns_needed":
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
        if returns == NOBODY:
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
        "stands in the table. There is no correction for a finite population: the question is what changed, not what "
        "those who happened to be asked would have said."
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
