"""How decisions look: the same colours, shapes and words in every figure that draws contrasts."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from surveywaves.figures.layout import Key
from surveywaves.figures.style import BAND, DECISIONS, INK, Look
from surveywaves.tidy import Decision

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
