"""What the next wave can detect, by its number of returns: a line a comparison, the median scale."""

from __future__ import annotations

from itertools import cycle
from typing import Final

import pandas as pd

from surveywaves.figures.drawing import Drawing, Page, key, quiet, value
from surveywaves.figures.style import GREY, INK, RULE, Sheet, wrap
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
    smallest = plan.smallest if plan else None
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
    )
    axes, em = drawn.figure.subplots(), Sheet.of(presentation.style).em
    for place, (colour, marker, line) in zip(shown, cycle(LOOKS), strict=False):
        series = medians.loc[place]
        axes.plot(series.index, series.to_numpy(), color=colour, linestyle=line, linewidth=1.4)
        for n, size in series.items():
            (mark,) = axes.plot(n, size, marker=marker, color=colour, markersize=0.6 * em)
            told = f"{_words(*place, labels)}, {whole(n)} returns: {number(size)} SD"
            value(mark, told, focus=False)
    quiet(axes)
    axes.grid(visible=True, axis="y", color=RULE, linewidth=0.6)
    if len(rows):
        counts = sorted(rows["n"].astype("float64").unique())
        wanted = [counts[0], *[n for n in counts[1:] if n >= 200 and n % 200 == 0], counts[-1]]
        marked = [n for place, n in enumerate(wanted) if place == 0 or n - wanted[place - 1] > 60]
        axes.set_xticks(marked, [whole(n) for n in marked])
        top = float(medians.max()) * 1.08
        axes.set(xlim=(counts[0] - 0.03 * counts[-1], counts[-1] * 1.07), ylim=(0, top))
        axes.tick_params(axis="y", labelleft=True, labelcolor=GREY)
        if smallest is not None:
            axes.axhline(smallest, color=GREY, linestyle=(0, (1, 1)), linewidth=1.4, zorder=1)
        step = next((one for one in (0.1, 0.2, 0.5, 1.0, 2.0) if top / one <= 7), top)
        ticks = [step * place for place in range(int(top / step) + 1)]
        axes.set_yticks(ticks, [number(tick, 1) for tick in ticks])
        written = -top
        for size in sorted(float(medians.loc[place].iloc[-1]) for place in shown):
            if size - written < top / 10:
                continue
            written = size
            axes.annotate(
                number(size),
                (counts[-1], size),
                xytext=(0.6 * em, 0),
                textcoords="offset points",
                va="center_baseline",
                color=INK,
            )
        axes.set_xlabel(
            wrap(f"{presentation.nouns.returns[1].capitalize()} of {_wave(labels)}", 60 * em, em)[0]
        )
    return drawn.drawing(
        rows,
        caption="Power of each comparison, by the number of returns, from the variances of the reference wave.",
        alt=f"{drawn.title}. Lines falling as returns grow.",
    )


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
