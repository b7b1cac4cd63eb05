"""Names in the tables of the coded material, for those who make and those who show them."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

ALPHA: Final = "krippendorff_alpha"
KAPPA: Final = "cohen_kappa"

TONES: Final = ("favourable", "mixed", "critical")

EVENT, FIELDWORK, STAGE = "event", "fieldwork", "interviews"
"""Values of `kind` on the timeline."""

SURVEY, INTERVIEWS, VERDICT = "survey", "interviews", "verdict"
"""Values of `side` of the joint display: a row is about a scale and organisation, a theme and stage, or the verdict."""


class Verdict(StrEnum):
    """How survey and interviews compare."""

    CONVERGENT = "convergent"
    PARTLY = "partly_convergent"
    DIVERGENT = "divergent"
    SILENT = "silent"
