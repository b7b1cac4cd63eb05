"""The variants in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

STANDARDISED: Final = "_standardised"
"""How the terms of the table end: their unit is a standard deviation of one answer."""

MAIN: Final = "main"
ONLY: Final = "only: "
ADJUSTED: Final = "adjusted: "
"""How the names of variants begin that say what they are about themselves."""

TITLES: Final = {
    MAIN: "Main analysis",
    "ordinal_logit": "Ordinal model (logit)",
    "ordinal_probit": "Ordinal model (probit)",
    "scale_score": "Scale scores",
    "complete_cases": "Complete cases",
    "without_straight_liners": "Without straight-liners",
    "organisation_not_stated": "Organisation not stated as a group",
    "unadjusted": "Unadjusted",
    "without_flagged_items": "Without items that work differently",
    "raking": "Weighted to population margins",
    "sampling_weights": "With sampling weights",
    "unweighted": "Without sampling weights",
    "without_team": "Without team effect",
    "answered_twice": "Some answered twice",
}
"""Name of a variant -> its title."""


def title_of(variant: str, labels: Mapping[str, str] | None = None) -> str:
    """Give a variant's title.

    Parameters
    ----------
    variant
        Its name.
    labels
        Words for grouping variables.
    """
    if variant.startswith(ONLY):
        return variant.removeprefix(ONLY)
    if variant.startswith(ADJUSTED):
        named = [(labels or {}).get(name, name) for name in variant.removeprefix(ADJUSTED).split(", ")]
        return f"Adjusted for {', '.join(name[:1].lower() + name[1:] for name in named)}"
    return TITLES.get(variant, variant)
