"""What a contrast comes to, in words: never more than the decision says, with a sign that does not depend on colour."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from surveywaves.tables.layout import Cell
from surveywaves.tables.words import NONE, is_missing, number
from surveywaves.tidy import Decision

SIGNS: Final[Mapping[str, tuple[str, str]]] = {
    Decision.INCREASE: ("▲", "up"),
    Decision.DECREASE: ("▼", "down"),
    Decision.NO_MEANINGFUL_CHANGE: ("○", ""),
    Decision.INCONCLUSIVE: ("?", "muted"),
}
"""Decision -> sign and tone."""

WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "change": {
        Decision.INCREASE: "increase",
        Decision.DECREASE: "decrease",
        Decision.NO_MEANINGFUL_CHANGE: "no meaningful change",
    },
    "gap": {
        Decision.INCREASE: "first higher",
        Decision.DECREASE: "first lower",
        Decision.NO_MEANINGFUL_CHANGE: "no meaningful gap",
    },
    "difference_in_differences": {
        Decision.INCREASE: "first more upwards",
        Decision.DECREASE: "first more downwards",
        Decision.NO_MEANINGFUL_CHANGE: "no meaningful difference",
    },
}
"""Kind of contrast -> decision -> words; of a gap and a difference in differences, the first-named is spoken of."""


def base_term(term: str) -> str:
    """Give the kind of a contrast, whatever unit its term is in."""
    return next((kind for kind in WORDS if term == kind or term.startswith(f"{kind}_")), term)


def decision_words(decision: str, term: str) -> str:
    """Put a decision into words."""
    known = WORDS.get(base_term(term), {})
    return known.get(decision, decision.replace("_", " "))


def decision_cell(decision: Any, term: str) -> Cell:
    """Print a decision; a dash where there is none."""
    if is_missing(decision) or not decision:
        return Cell(NONE, float("nan"), tone="muted")
    sign, tone = SIGNS.get(decision, ("", ""))
    words = decision_words(decision, term)
    return Cell(f"{sign} {words}".strip(), words, tone=tone)


def smallest_effect(frame: pd.DataFrame, unit: str, *, decimals: int = 2) -> str:
    """Say what decisions are held against; empty if the frame holds no decisions.

    Parameters
    ----------
    frame
        Contrasts of one term, with the columns of `surveywaves.tidy.DECIDED`.
    unit
        Unit of the estimate, in words.
    """
    if "smallest" not in frame.columns or not frame["smallest"].notna().any():
        return ""
    low, high = (
        number(value, decimals=decimals) for value in (frame["smallest"].min(), frame["smallest"].max())
    )
    size = f"±{low}" if low == high else f"±{low} to ±{high}, by scale"
    return (
        f"Decision: by tests of difference and of equivalence, at the adjusted p, against the smallest effect of "
        f"interest ({size} {unit}); inconclusive is not the same as no change."
    )
