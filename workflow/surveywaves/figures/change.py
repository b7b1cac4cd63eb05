"""What changed: every scale from wave to wave, a panel per organisation; the report's first figure is one of these.

Marks show the share of favourable answers, or the mean where a study has no favourable answers. Where there are too
many organisations for panels side by side, they are ranked within each scale instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.patches import Rectangle

from surveywaves.figures.drawing import Drawing, Key, decision_keys, line
from surveywaves.figures.estimates import Estimates, Placed, Unit, intervals
from surveywaves.figures.layout import beside, value
from surveywaves.figures.style import GREY, INK, MARK, look_of
from surveywaves.findings import (
    ANALYSIS,
    CHANGE,
    DIFFERENCE,
    Found,
    Pair,
    contrast_rows,
    found,
    headline,
    inside,
    level_rows,
    main_pair,
    main_unit,
)
from surveywaves.study.parts import Presentation
from surveywaves.terms import ALL
from surveywaves.text import listed
from surveywaves.words import Labels, lower, pair, shortened

TICK: Final[dict[str, Any]] = {"marker": "|", "color": INK, "markeredgewidth": 1.6}
"""Look of the mark of a wave that is not compared."""


def _compared(
    contrasts: pd.DataFrame, means: pd.DataFrame, presentation: Presentation, kind: str
) -> tuple[Estimates, Pair, pd.DataFrame]:
    """Return the contrasts of a kind between the main pair of waves, that pair, and the rows that are drawn."""
    compared, unit = main_pair(presentation), Unit(main_unit(contrasts), presentation)
    if compared is None:
        raise ValueError("the study has one wave")
    facts = found(contrasts, means, kind=kind, wave=compared.contrast, unit=unit.name)
    order = Labels(presentation).scales_in(pd.DataFrame({"scale": [one.scale for one in facts]}))
    own = Estimates(unit, facts, order).in_order
    rows = contrast_rows(contrasts, unit.name, kind, wave=compared.contrast)
    return own, compared, rows[rows["organisation"].isin([*own.parts])]


def change_profile(contrasts: pd.DataFrame, means: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw each scale of the main pair of waves, from the earlier to the later, for each organisation."""
    own, compared, rows = _compared(contrasts, means, presentation, CHANGE)
    labels, unit = Labels(presentation), own.unit
    levels = level_rows(means, unit.name)
    levels = levels[~levels["wave"].isin([compared.first, compared.last]) & levels["estimate"].notna()]
    levels = levels[levels["organisation"].isin([*own.parts]) & levels["scale"].isin(own.order)]
    others = levels.groupby(["scale", "organisation"])["estimate"].apply(list).to_dict()
    keys, axis = decision_keys({one.decision for one in own.shown}), unit.axis
    notes = [_counts(means, own, compared)]
    said = "Each scale from the earlier wave (ring) to the later, with the difference in points and its"
    what = unit.words
    if own.ranked:
        axis, what = unit.around_zero(own.shown), f"Change in {lower(what)}"
        said = f"Change of each {presentation.nouns.organisation[0]} on each scale, ranked, with its"
    else:
        keys = [
            Key(labels.wave(compared.first), {"marker": "o", "markerfacecolor": "white", "color": MARK}),
            *keys,
        ]
        keys.append(
            Key(
                f"{labels.confidence} CI of the change",
                {"facecolor": "#dcdcdc", "edgecolor": MARK, "linewidth": 0.5},
                box=True,
            )
        )
        if waves := [*levels["wave"].unique()]:
            named = labels.wave(waves[0]) if len(waves) == 1 else "other waves"
            keys.append(Key(named, {**TICK, "markersize": 9}))
        notes.insert(0, "Differences are computed before rounding.")

    def mark(axes: Axes, placed: Placed) -> None:
        for y, one in placed:
            ticks = others.get((one.scale, one.organisation), [])
            for level in ticks:
                line(axes, [level], [y], markersize=1.3 * presentation.style.font_size, zorder=2, **TICK)
            if one.first is not None and one.last is not None:
                _arrow(axes, y, one, ticks, unit)

    title = headline(own.facts, presentation)
    about = f"{what}, {labels.dated(compared.first)} to {labels.dated(compared.last)}"
    page = own.draw((title, about), mark, axis, keys=keys, notes=notes)
    caption = f"{said} {labels.confidence} confidence interval. {_coloured(presentation)}"
    return page.drawing(rows, caption=caption, alt=f"{title}. {_said(own, 'rose', 'fell', 'change')}")


def _arrow(axes: Axes, y: float, one: Found, ticks: Sequence[float], unit: Unit) -> None:
    """Draw a change from its ring to its mark, over the interval of where it ends, and write both levels beside."""
    assert one.first is not None and one.last is not None and one.estimate is not None
    colour, marker, _ = look_of(one.decision)
    em, near, ends = unit.presentation.style.font_size, 0.11 * (unit.axis[1] - unit.axis[0]), list[float]()
    if one.low is not None and one.high is not None:
        start, wide = one.last + one.low - one.estimate, one.high - one.low
        box = Rectangle((start, y - 0.4), wide, 0.8, facecolor=to_rgba(colour, 0.2), edgecolor=colour)
        box.set_linewidth(0.06 * em)
        axes.add_artist(box)
        ends = [min(max(end, min(unit.axis[2])), max(unit.axis[2])) for end in (start, start + wide)]
    line(axes, [one.first, one.last], [y, y], color=colour, linewidth=0.22 * em, zorder=3)
    ring: dict[str, Any] = {"markersize": 0.72 * em, "markerfacecolor": "white", "markeredgewidth": 0.15 * em}
    line(axes, [one.first], [y], marker="o", color=colour, zorder=4, **ring)
    end = line(axes, [one.last], [y], marker=marker, color=colour, markersize=0.8 * em, zorder=5)
    value(end, unit.told(one))
    outwards = 1 if one.last >= one.first else -1
    for level, side, bold in ((one.first, -outwards, False), (one.last, outwards, one.moved)):
        beyond = [tick for tick in ticks if 0 <= (tick - level) * side < near]
        x = max([level, *beyond, *ends], key=lambda place: place * side)
        look = {"color": colour, "weight": "bold"} if bold else {"color": GREY}
        beside(axes, x, y, unit.write(level), 0.65 * em * side, zorder=6, **look)


def differences_in_change(contrasts: pd.DataFrame, presentation: Presentation) -> Drawing:
    """Draw by how much the organisations' changes differ, scale by scale."""
    own, compared, rows = _compared(contrasts, contrasts.iloc[:0], presentation, DIFFERENCE)
    labels, unit, em = Labels(presentation), own.unit, presentation.style.font_size
    noun = presentation.nouns.organisation[0]
    sides = [tuple(map(labels.organisation, pair(name) or (name, name))) for name in own.parts]
    whose, second = sides[0] if len(sides) == 1 else (f"the first {noun}", "the second")
    ways = f"in favour of {whose}", f"in favour of {second}"
    if own.against:
        whose, second = f"each {noun}", inside(labels, own.against)
        ways = f"more favourable than {second}", "less favourable"

    def mark(axes: Axes, placed: Placed) -> None:
        looks = {one.decision: look_of(one.decision) for _, one in placed}
        intervals(axes, placed, unit, looks, size=0.8 * em)

    title = _differing(own.shown, sides, len(own.order))
    named = (*ways, "no meaningful difference", "no clear difference")
    keys = decision_keys((one.decision for one in own.shown), named)
    earlier, later = labels.dated(compared.first), labels.dated(compared.last)
    words = title, f"Difference between changes in {lower(unit.words)}, {earlier} to {later}"
    page = own.draw(words, mark, unit.around_zero(own.shown), keys=keys)
    caption = (
        f"Change of {shortened(whose)} less that of {shortened(second)}, with {labels.confidence} confidence "
        f"intervals. {_coloured(presentation)}"
    )
    alt = f"{title}. {_said(own, 'higher', 'lower', 'difference')}"
    return page.drawing(rows, caption=caption, alt=alt)


def _said(own: Estimates, up: str, down: str, noun: str) -> str:
    """Describe what moved, in a sentence per organisation or, where organisations are ranked, per scale."""
    labels, sentences = Labels(own.unit.presentation), []
    for scale in own.order if own.ranked else ():
        facts = [one for one in own.shown if one.scale == scale]
        ups, downs = sum(one.up for one in facts), sum(one.down for one in facts)
        sentences.append(f"{labels.scale(scale)}: {ups} of {len(facts)} {up}, {downs} {down}.")
    for name, facts in own.parts.items() if not own.ranked else ():
        moved = [one for one in facts if one.moved]
        each = [f"{labels.scale(one.scale)} {own.unit.write(one.estimate, signed=True)}" for one in moved]
        still = f"{len(facts) - len(moved)} of {len(facts)} scales without a clear {noun}"
        sentences.append(
            f"{labels.organisation(name)}: {'; '.join([listed(each), still] if each else [still])}."
        )
    return " ".join(sentences)


def _coloured(presentation: Presentation) -> str:
    """Return the sentence that explains colour in a caption."""
    return f"Colour: p adjusted across scales below {Labels(presentation).alpha}."


def _differing(facts: Sequence[Found], sides: Sequence[tuple[str, ...]], count: int) -> str:
    """Return a title: on how many scales changes differ and, for a single pair, in whose favour."""
    moved = [one for one in facts if one.moved]
    if not moved:
        return "No scale shows a clear difference between the changes"
    if len(sides) > 1:
        return f"The changes differ clearly on {len({one.scale for one in moved})} of {count} scales"
    [(one, other)] = sides
    ups, downs = sum(fact.up for fact in moved), sum(fact.down for fact in moved)
    if not ups:
        one, other, ups, downs = other, one, downs, 0
    less = f", less favourably on {downs}" if downs else ""
    return f"{one} changed more favourably than {other} on {ups} of {count} scales{less}"


def _counts(means: pd.DataFrame, own: Estimates, compared: Pair) -> str:
    """Return a note on the largest number of respondents over the scales, for each of the two waves."""
    most = means[means["analysis"] == ANALYSIS[own.unit.name]].groupby(["organisation", "wave"])["n"].max()
    said = []
    for name in own.parts if not own.ranked else [ALL]:
        n = [most.get((name, wave)) for wave in (compared.first, compared.last)]
        if not any(pd.isna(one) for one in n):
            said.append(f"{Labels(own.unit.presentation).organisation(name)} {n[0]:.0f} and {n[1]:.0f}")
    return f"n up to: {'; '.join(said)}." if said else ""
