"""What the next wave can detect, by its number of returns: a line a comparison, the median scale."""

from __future__ import annotations

from itertools import cycle
from typing import Final

import pandas as pd

from surveywaves.figures.drawing import Drawing, Page, key, line, value
from surveywaves.figures.style import GREY, INK, RULE, wrap
from surveywaves.study.parts import Presentation
from surveywaves.terms import BETWEEN, ESTIMATED
from surveywaves.words import Labels, number, percent, whole

DETECTABLE: Final = "detectable"

SERIES: Final = 6
"""Most comparisons, the first ones."""

LOOKS: Final = (("#12304c", "o", "-"), ("#b8400b", "s", "--"), ("#4f6f52", "^", "-."), ("#7a3e8e", "D", ":"))
"""Colour, mark and line of each comparison in turn: told apart by any of them."""


def planning(planning: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw the smallest difference that a wave to come detects with the power asked for, by its number of returns.

    Parameters
    ----------
    planning
        As released.
    presentation
        The study in words, with a plan.
    """
    labels, plan = Labels(presentation), presentation.planning
    own = planning[
        (planning["term"] == DETECTABLE)
        & planning["status"].isin(ESTIMATED)
        & planning["estimate"].notna()
        & planning["n"].notna()  # withheld where the rule withholds a group
    ]
    medians = own.groupby(["wave", "organisation", "n"], sort=False)["estimate"].median().sort_index()
    names = list(dict.fromkeys(zip(own["wave"], own["organisation"], strict=True)))
    shown = names[:SERIES]
    places = zip(own["wave"], own["organisation"], strict=True)
    rows = own[pd.Series([place in shown for place in places], index=own.index, dtype=bool)]
    power = percent(100 * plan.power) if plan else ""
    drawn = Page(
        presentation,
        _title(medians, shown, labels),
        f"Smallest difference detected with {power} power, in standard deviations of one answer",
        keys=[
            *(
                key(_words(*place, labels), marker=marker, color=colour, linestyle=line)
                for place, (colour, marker, line) in zip(shown, cycle(LOOKS), strict=False)
            ),
            key("smallest effect of interest", color=GREY, linestyle=(0, (1, 1)), linewidth=1.4),
        ],
        notes=[
            "The median scale; tests without adjustment for their number.",
            f"The first {SERIES} of {len(names)} comparisons." if len(names) > SERIES else "",
        ],
        lines=22,
        heads=0.5,
        below=3.2,
    )
    if len(rows):
        _curves(drawn, medians, shown, labels)
    return drawn.drawing(
        rows,
        caption="Power of each comparison, by the number of returns, from the variances of the reference wave.",
        alt=f"{drawn.title}. Lines falling as returns grow.",
    )


def _curves(page: Page, medians: pd.Series, shown: list[tuple[str, str]], labels: Labels) -> None:
    """Draw a line a comparison, on axes of returns and of standard deviations."""
    em, plan = page.em, page.presentation.planning
    counts = sorted(
        {float(n) for *_, n in medians.loc[[place in shown for place in medians.index.droplevel(2)]].index}
    )
    wanted = [counts[0], *[n for n in counts[1:] if n >= 200 and n % 200 == 0], counts[-1]]
    marked = {n: whole(n) for place, n in enumerate(wanted) if place == 0 or n - wanted[place - 1] > 60}
    top = float(medians.max()) * 1.08
    step = next((one for one in (0.1, 0.2, 0.5, 1.0, 2.0) if top / one <= 7), top)
    low, high = counts[0] - 0.03 * counts[-1], counts[-1] * 1.07
    axes = page.panel(page.left + 2.5 * em, page.right, low, high, ticks=marked)
    axes.set_ylim(0, top)
    for tick in (step * place for place in range(int(top / step) + 1)):
        line(axes, [low, high], [tick, tick], color=RULE, linewidth=0.6, zorder=0)
        page.write(page.left + 2 * em, page.lines * (1 - tick / top), number(tick, 1), ha="right", color=GREY)
    if plan and plan.smallest is not None:
        line(
            axes, [low, high], [plan.smallest] * 2, color=GREY, linestyle=(0, (1, 1)), linewidth=1.4, zorder=1
        )
    for place, (colour, marker, dashes) in zip(shown, cycle(LOOKS), strict=False):
        series = medians.loc[place]
        line(axes, series.index, series.to_numpy(), color=colour, linestyle=dashes, linewidth=1.4)
        for n, size in series.items():
            mark = line(axes, [n], [size], marker=marker, color=colour, markersize=0.6 * em)
            value(mark, f"{_words(*place, labels)}, {whole(n)} returns: {number(size)} SD", focus=False)
    written = -top
    for size in sorted(float(medians.loc[place].iloc[-1]) for place in shown):
        if size - written >= top / 10:
            written = size
            look = {"textcoords": "offset points", "va": "center_baseline", "color": INK, "size": em}
            axes.annotate(number(size), (counts[-1], size), xytext=(0.6 * em, 0), **look)
    named = f"{page.presentation.nouns.returns[1].capitalize()} of {_wave(labels)}"
    y = page.lines + 2.4 * em / page.unit
    page.write((page.left + page.right) / 2, y, wrap(named, 60 * em, em)[0], ha="center", color=GREY)


def _wave(labels: Labels) -> str:
    plan = labels.presentation.planning
    return plan.title if plan else ""


def _words(wave: str, organisation: str, labels: Labels) -> str:
    """Name a comparison: a change, a gap, or a difference in change."""
    whom = labels.organisation(organisation)
    if BETWEEN in wave and BETWEEN in organisation:
        return f"difference in change, {whom}"
    return f"change, {whom}" if BETWEEN in wave else f"gap, {whom}"


def _title(medians: pd.Series, shown: list[tuple[str, str]], labels: Labels) -> str:
    """Say what the largest planned wave would detect."""
    changes = [place for place in shown if BETWEEN in place[0] and BETWEEN not in place[1]] or shown
    if not changes:
        return "No plan could be computed"
    most = max(n for wave, organisation, n in medians.index if (wave, organisation) in changes)
    sizes = [float(medians.loc[(*place, most)]) for place in changes if (*place, most) in medians.index]
    low, high = number(min(sizes)), number(max(sizes))
    what = "change" if BETWEEN in changes[0][0] else "difference"
    size = low if low == high else f"{low} to {high}"
    returns = labels.presentation.nouns.returns[1]
    return f"{whole(most)} {returns} detect a {what} of {size} SD"
