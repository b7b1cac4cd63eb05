"""What the next wave can detect, by its number of returns: a line per comparison, for the median scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd
import seaborn as sns

from surveywaves.figures.drawing import RULES, Drawing, Key, Page, line
from surveywaves.figures.layout import beside, points
from surveywaves.figures.style import GREY, INK, RULE, wrap
from surveywaves.findings import CHANGE, KINDS, kind_of
from surveywaves.study.parts import Presentation
from surveywaves.terms import BETWEEN, ESTIMATED
from surveywaves.words import Labels, lower, number, percent, records, whole

DETECTABLE: Final = "detectable"
LOOKS: Final[Sequence[tuple[str, str, Any]]] = (
    ("#12304c", "o", ""),
    ("#b8400b", "s", (3.7, 1.6)),
    ("#4f6f52", "^", (6.4, 1.6, 1, 1.6)),
    ("#7a3e8e", "D", (1, 1.65)),
)
"""Colour, marker and line style of each comparison: any one of them tells comparisons apart. If there are more
comparisons than these, one line is drawn for each kind."""
SMALLEST: Final[dict[str, Any]] = {"color": GREY, "linestyle": (0, (1, 1))}


def planning(planning: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw the smallest difference that a wave to come detects with the power asked for, by its number of returns."""
    labels, plan = Labels(presentation), presentation.planning
    rows = planning[
        (planning["term"] == DETECTABLE)
        & planning["status"].isin(ESTIMATED)
        & planning["estimate"].notna()
        & planning["n"].notna()  # withheld where the rule withholds a group
    ]
    medians = rows.groupby(["wave", "organisation", "n"], sort=False)["estimate"].median()
    curves = medians.rename("y").reset_index().rename(columns={"n": "x"})
    kinds = [kind_of(wave, name) for wave, name in zip(curves["wave"], curves["organisation"], strict=True)]
    names = [lower(KINDS[kind]) for kind in kinds]
    whose = map(labels.organisation, curves["organisation"])
    named = [f"{kind}, {name}" for kind, name in zip(names, whose, strict=True)]
    many = len(set(named)) > len(LOOKS)
    curves = curves.assign(kind=kinds, series=names if many else named)
    looks = dict(zip(dict.fromkeys(curves["series"]), LOOKS, strict=False))
    power, returns = percent(100 * plan.power) if plan else "", presentation.nouns.returns[1]
    lines = {name: (0, dashes or None) for name, (_, _, dashes) in looks.items()}
    one = presentation.nouns.organisation[0]
    page = Page(
        presentation,
        _title(curves, labels),
        f"Smallest difference detected with {power} power, in standard deviations of one answer",
        keys=[
            *(
                Key(name, {"marker": looks[name][1], "color": looks[name][0], "linestyle": style})
                for name, style in lines.items()
            ),
            Key("smallest effect of interest", SMALLEST),
        ],
        notes=[
            "The median scale; tests without adjustment for their number.",
            f"Lines: the median {one}; shade: change in the least to the most precise." if many else "",
        ],
        lines=22 if len(rows) else 1,
        heads=0.5,
        below=3.2,
    )
    if len(rows):
        _curves(page, curves, looks, shaded=many)
    caption = (
        f"Power of each comparison, by the number of {returns}, from the variances of the reference wave."
    )
    return page.drawing(rows, caption=caption, alt=f"{page.title}. Lines falling as {returns} grow.")


def _curves(
    page: Page, curves: pd.DataFrame, looks: Mapping[str, tuple[str, str, Any]], *, shaded: bool
) -> None:
    """Draw a line per series: standard deviations by number of returns."""
    em, plan, returns = page.em, page.presentation.planning, page.presentation.nouns.returns[1]
    counts = sorted(set(curves["x"].astype(float)))
    wanted = [counts[0], *[n for n in counts[1:] if n >= 200 and n % 200 == 0], counts[-1]]
    marked = {n: whole(n) for place, n in enumerate(wanted) if place == 0 or n - wanted[place - 1] > 60}
    top = float(curves["y"].max()) * 1.08
    step = next((one for one in (0.1, 0.2, 0.5, 1.0, 2.0) if top / one <= 7), top)
    low, high = counts[0] - 0.03 * counts[-1], counts[-1] * 1.07
    axes = page.panel(page.left + 2.5 * em, page.right, (low, high, marked), ruled=False)
    axes.set_ylim(0, top)
    heights = [step * place for place in range(int(top / step) + 1)]
    axes.hlines(heights, low, high, **RULES)
    axes.vlines([*marked], 0, top, **RULES)
    for tick in heights:
        page.write(page.left + 2 * em, page.lines * (1 - tick / top), number(tick, 1), ha="right", color=GREY)
    if plan and plan.smallest is not None:
        line(axes, [low, counts[-1]], [plan.smallest] * 2, zorder=1, linewidth=0.18 * em, **SMALLEST)
    marks = curves.groupby(["series", "x"], sort=False)["y"].median().reset_index()
    palette, dashes = ({name: look[n] for name, look in looks.items()} for n in (0, 2))
    how = {"hue": "series", "style": "series", "palette": palette, "dashes": dashes}
    sns.lineplot(marks, x="x", y="y", ax=axes, legend=False, linewidth=0.18 * em, errorbar=None, **how)
    told = (f"{row.series}, {whole(row.x)} {returns}: {number(row.y)} SD" for row in records(marks))
    points(axes, marks.assign(told=[*told]), looks, 0.6 * em)
    if shaded:
        spread = curves[curves["kind"] == CHANGE].groupby("x")["y"].agg(["min", "max"])
        axes.fill_between(spread.index, spread["min"], spread["max"], color=RULE, alpha=0.6, linewidth=0)
    written = -top
    for size in sorted(marks.loc[marks["x"] == counts[-1], "y"]):
        written = max(size, written + 1.1 * top / page.lines)
        beside(axes, counts[-1], written, number(size), 0.6 * em, color=INK)
    below = wrap(f"{returns.capitalize()} of {plan.title if plan else ''}", 60 * em, em)[0]
    y = page.lines + 2.4 * em / page.unit
    page.write((page.left + page.right) / 2, y, below, ha="center", color=GREY)


def _title(curves: pd.DataFrame, labels: Labels) -> str:
    """Return a title: what the largest planned wave would detect."""
    changes = curves[curves["kind"] == CHANGE]
    changes = changes if len(changes) else curves
    if not len(changes):
        return "No plan could be computed"
    most = changes["x"].max()
    sizes = changes.loc[changes["x"] == most, "y"]
    low, high = number(sizes.min()), number(sizes.max())
    what = "change" if BETWEEN in changes["wave"].iloc[0] else "difference"
    size = low if low == high else f"{low} to {high}"
    return f"{whole(most)} {labels.presentation.nouns.returns[1]} detect a {what} of {size} SD"
