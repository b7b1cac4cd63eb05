"""What the next wave can detect, by its number of returns: a line per comparison, for the median scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any, Final

import pandas as pd
import seaborn as sns

from surveywaves.figures.drawing import Drawing, Page, key, line, rules
from surveywaves.figures.layout import MARKS, beside, points
from surveywaves.figures.style import GREY, INK, wrap
from surveywaves.findings import CHANGE, KINDS, kind_of
from surveywaves.study.parts import Presentation
from surveywaves.terms import BETWEEN, ESTIMATED
from surveywaves.words import Labels, lower, number, percent, whole

DETECTABLE: Final = "detectable"

SERIES: Final = 6
"""Most comparisons, the first ones."""

Look = tuple[str, str, Any]
LOOKS: Final[Sequence[Look]] = (
    ("#12304c", "o", ""),
    ("#b8400b", "s", (3.7, 1.6)),
    ("#4f6f52", "^", (6.4, 1.6, 1, 1.6)),
    ("#7a3e8e", "D", (1, 1.65)),
)
"""Colour, mark and line of each comparison in turn: told apart by any of them."""
SMALLEST: Final[dict[str, Any]] = {"color": GREY, "linestyle": (0, (1, 1)), "linewidth": 1.4}


def planning(planning: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw the smallest difference that a wave to come detects with the power asked for, by its number of returns."""
    labels, plan = Labels(presentation), presentation.planning
    own = planning[
        (planning["term"] == DETECTABLE)
        & planning["status"].isin(ESTIMATED)
        & planning["estimate"].notna()
        & planning["n"].notna()  # withheld where the rule withholds a group
    ]
    medians = own.groupby(["wave", "organisation", "n"], sort=False)["estimate"].median().sort_index()
    names = list(dict.fromkeys(zip(own["wave"], own["organisation"], strict=True)))
    looks = dict(zip(names[:SERIES], cycle(LOOKS), strict=False))
    here = [place in looks for place in zip(own["wave"], own["organisation"], strict=True)]
    rows = own[pd.Series(here, index=own.index, dtype=bool)]
    power = percent(100 * plan.power) if plan else ""
    page = Page(
        presentation,
        _title(medians, [*looks], labels),
        f"Smallest difference detected with {power} power, in standard deviations of one answer",
        keys=[
            *(
                key(_words(*place, labels), marker=marker, color=colour, linestyle=(0, dashes or None))
                for place, (colour, marker, dashes) in looks.items()
            ),
            key("smallest effect of interest", **SMALLEST),
        ],
        notes=[
            "The median scale; tests without adjustment for their number.",
            f"The first {SERIES} of {len(names)} comparisons." if len(names) > SERIES else "",
        ],
        lines=22 if len(rows) else 1,
        heads=0.5,
        below=3.2,
    )
    if len(rows):
        _curves(page, {place: medians.loc[place] for place in looks}, looks, labels)
    returns = presentation.nouns.returns[1]
    caption = (
        f"Power of each comparison, by the number of {returns}, from the variances of the reference wave."
    )
    return page.drawing(rows, caption=caption, alt=f"{page.title}. Lines falling as {returns} grow.")


def _curves(
    page: Page,
    curves: Mapping[tuple[str, str], pd.Series],
    looks: Mapping[tuple[str, str], Look],
    labels: Labels,
) -> None:
    """Draw a line per comparison, on axes of returns and of standard deviations."""
    em, plan = page.em, page.presentation.planning
    counts = sorted({float(n) for curve in curves.values() for n in curve.index})
    wanted = [counts[0], *[n for n in counts[1:] if n >= 200 and n % 200 == 0], counts[-1]]
    marked = {n: whole(n) for place, n in enumerate(wanted) if place == 0 or n - wanted[place - 1] > 60}
    top = max(float(curve.max()) for curve in curves.values()) * 1.08
    step = next((one for one in (0.1, 0.2, 0.5, 1.0, 2.0) if top / one <= 7), top)
    low, high = counts[0] - 0.03 * counts[-1], counts[-1] * 1.07
    axes = page.panel(page.left + 2.5 * em, page.right, low, high, ticks=marked)
    axes.set_ylim(0, top)
    heights = [step * place for place in range(int(top / step) + 1)]
    rules(axes, heights)
    for tick in heights:
        page.write(page.left + 2 * em, page.lines * (1 - tick / top), number(tick, 1), ha="right", color=GREY)
    if plan and plan.smallest is not None:
        line(axes, [low, counts[-1]], [plan.smallest] * 2, zorder=1, **SMALLEST)
    returns, names = page.presentation.nouns.returns[1], {place: " ".join(place) for place in curves}
    told = [
        (n, size, names[place], f"{_words(*place, labels)}, {whole(n)} {returns}: {number(size)} SD")
        for place, curve in curves.items()
        for n, size in curve.items()
    ]
    marks, named = pd.DataFrame(told, columns=MARKS), {names[place]: look for place, look in looks.items()}
    sns.lineplot(
        marks, x="x", y="y", hue="series", style="series", ax=axes, legend=False, estimator=None, linewidth=1.4,
        palette={name: look[0] for name, look in named.items()},
        dashes={name: look[2] for name, look in named.items()},
    )  # fmt: skip
    points(axes, marks, named, 0.6 * em)
    written = -top
    for size in sorted(float(curve.iloc[-1]) for curve in curves.values()):
        if size - written >= top / 10:
            written = size
            beside(axes, counts[-1], size, number(size), 0.6 * em, color=INK)
    below = f"{returns.capitalize()} of {plan.title if plan else ''}"
    y = page.lines + 2.4 * em / page.unit
    page.write((page.left + page.right) / 2, y, wrap(below, 60 * em, em)[0], ha="center", color=GREY)


def _words(wave: str, organisation: str, labels: Labels) -> str:
    """Name a comparison: a change, a gap, or a difference in change."""
    return f"{lower(KINDS[kind_of(wave, organisation)])}, {labels.organisation(organisation)}"


def _title(medians: pd.Series, shown: list[tuple[str, str]], labels: Labels) -> str:
    """Say what the largest planned wave would detect."""
    changes = [place for place in shown if kind_of(*place) == CHANGE] or shown
    if not changes:
        return "No plan could be computed"
    most = max(n for *place, n in medians.index if tuple(place) in changes)
    sizes = [float(medians.loc[(*place, most)]) for place in changes if (*place, most) in medians.index]
    low, high = number(min(sizes)), number(max(sizes))
    what = "change" if BETWEEN in changes[0][0] else "difference"
    size = low if low == high else f"{low} to {high}"
    return f"{whole(most)} {labels.presentation.nouns.returns[1]} detect a {what} of {size} SD"
