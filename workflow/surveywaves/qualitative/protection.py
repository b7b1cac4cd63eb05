"""How many interviews of a group raise a theme: what may be shown.

**What a reader knows.** Who was interviewed is no secret among colleagues, and reports say how many interviews there
were in each area: the sizes of groups are known, and shown. So is, for each stage, how many interviews raise each
theme, and how many raise any theme of a principle. What must stay open is each count below the threshold, of interviews
that raise a theme or that do not, and that all of a group do.

**What is shown.** Counts are rounded at random to multiples of the base, by the survey's own draw
(`surveywaves.disclosure.rounding`); where the study does not round, small counts are withheld. All themes together are
then held against everything that a reader knows (`surveywaves.disclosure.audit`): each small count must keep as many
possible values as the base (or the threshold), or all that the exact totals allow. A theme whose counts do not is drawn
again, or loses one more count, and is withheld in all groups if that does not help; then it is the turn of the other
themes of its principle.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

import numpy as np

from surveywaves.disclosure import Rule
from surveywaves.disclosure.audit import Joint, Known, Sizes, Small, Tie
from surveywaves.disclosure.rounding import Crossed, draw
from surveywaves.disclosure.rule import BoolArray, FloatArray, IntArray

DRAWS: Final = 20
"""Tables that are drawn of a theme at most."""

_RAISED, _NOT_RAISED = np.array([True, False]), np.array([False, True])


def protected(
    marks: IntArray, group: IntArray, *, any_of: Sequence[tuple[Sequence[int], IntArray]], rule: Rule
) -> FloatArray:
    """Choose what is shown of the counts of groups.

    Parameters
    ----------
    marks
        (I, T) how often each interview raises each theme. More than whether it does decides the draw: a reader could
        try out which of the few possible counts would be drawn like this.
    group
        (I,) the group of each interview, from 0.
    any_of
        Subjects whose totals are known: the places of their themes, and (G,) how many of each group raise any of them.
    rule
        The study's rule.

    Returns
    -------
    (G, T) float array
        The counts as they are shown; missing where they are withheld.
    """
    size = np.bincount(group)
    counts = np.array([np.bincount(group, own > 0) for own in marks.T], dtype=np.intp).T
    shown = np.full(counts.shape, np.nan)
    few = np.minimum(counts, size[:, None] - counts)
    telling = (few > 0) & (few < rule.threshold)
    if rule.uniform:
        telling |= (few == 0) & (counts > 0)
    base = rule.rounding or rule.threshold
    total = np.minimum(counts.sum(axis=0), (size[:, None] - counts).sum(axis=0))
    small = [
        (int(theme), Small(int(row), _RAISED, int(min(base, 1 + total[theme]))))
        for row, theme in np.argwhere(telling)
    ]
    again, tries = set(range(counts.shape[1])), np.zeros(counts.shape[1], dtype=np.intp)
    while again:
        for theme in again:
            if tries[theme] == DRAWS:
                shown[:, theme] = np.nan
            elif rule.rounding:
                shown[:, theme] = _rounded(marks[:, theme], group, rule.rounding, int(tries[theme]))
            else:
                shown[:, theme] = _withheld(counts[:, theme], telling[:, theme], int(tries[theme]))
            tries[theme] += 1
        joint = _known(counts, size, shown, any_of, rule.rounding)
        narrow = {small[place][0] for place, _, _ in joint.spans(small)}
        gone = set(np.flatnonzero(np.isnan(shown).all(axis=0)).tolist())
        # What narrows a theme of which nothing is shown are the others of its subject.
        others = {theme for themes, _ in any_of if narrow & gone & set(themes) for theme in themes}
        again = (narrow | others) - gone
    return shown


def _rounded(marks: IntArray, group: IntArray, base: int, attempt: int) -> FloatArray:
    """Round the counts of a theme, in an order and by a seed that no name has to do with."""
    content = [np.sort(marks[group == one]).astype("<i8") for one in range(group.max() + 1)]
    order = sorted(range(len(content)), key=lambda one: content[one].tobytes())
    seed = hashlib.sha256(b"|".join([bytes([attempt]), *(content[one].tobytes() for one in order)])).digest()
    counts = np.array([[np.count_nonzero(content[one])] for one in order], dtype=np.intp)
    most = np.array([[len(content[one]) // base * base] for one in order], dtype=np.intp)
    found = draw(Crossed.of(counts), base, np.random.default_rng(int.from_bytes(seed, "big")), most=most)
    shown = np.full(len(order), np.nan)
    if found is not None:
        shown[order] = found[:, 0]
    return shown


def _withheld(counts: IntArray, telling: BoolArray, more: int) -> FloatArray:
    """Withhold what is telling, and as many more counts, the smallest first."""
    shown = np.where(telling, np.nan, counts.astype(np.float64))
    others = np.flatnonzero(~telling)
    shown[others[np.argsort(counts[others], kind="stable")][:more]] = np.nan
    return shown


def _known(
    counts: IntArray,
    size: IntArray,
    shown: FloatArray,
    any_of: Sequence[tuple[Sequence[int], IntArray]],
    base: int,
) -> Joint:
    """Put together what a reader knows of the interviews of a stage."""
    slack, nothing = max(base - 1, 0), np.zeros(len(size))
    whole, endless = size[:, None].astype(np.float64), np.full(len(size), np.inf)
    tables = []
    for own, drawn in zip(counts.T, shown.T, strict=True):
        low = np.column_stack([np.nan_to_num(np.maximum(drawn - slack, 0)), nothing])
        high = np.column_stack([np.nan_to_num(drawn + slack, nan=np.inf), endless])
        table = Crossed.of(np.column_stack([own, size - own]), np.ones((1, 2), dtype=np.bool_))
        tables.append(Known(table, low, high, whole, whole))
    ties = []
    for themes, raised in any_of:
        within = tuple((theme, _NOT_RAISED) for theme in themes)
        # Several coders can find a principle, and half of them none of its themes.
        covered = (counts[:, list(themes)].sum(axis=1) >= raised).all()
        outside = tuple((theme, _RAISED) for theme in themes) if covered else ()
        ties.append(Tie(size - raised, nothing, endless, within, outside))
    return Joint(tables, Sizes(size, size, size), ties)
