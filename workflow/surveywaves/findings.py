"""What was found: the decisions of the main analysis as facts, one form for headline, summary, figures and tables.

The main analysis is the percentage of favourable answers; where a study has none of it, the linear one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from surveywaves.study.parts import Presentation
from surveywaves.terms import (
    ALL,
    BETWEEN,
    EMMEAN,
    FAVOURABLE,
    LINEAR,
    LOW_RELIABILITY_MARK,
    ORDINAL,
    PERCENT_FAVOURABLE,
    Decision,
)
from surveywaves.words import is_missing, records

CHANGE: Final = "change"
GAP: Final = "gap"
DIFFERENCE: Final = "difference_in_differences"

ANALYSIS: Final[Mapping[str, str]] = {PERCENT_FAVOURABLE: FAVOURABLE, LINEAR: LINEAR, ORDINAL: ORDINAL}
"""Unit -> analysis whose estimates are in it."""


def term_in(unit: str, kind: str) -> str:
    """Give the term of a kind of contrast in a unit."""
    return f"{kind}_{PERCENT_FAVOURABLE}" if unit == PERCENT_FAVOURABLE else kind


def main_unit(frame: pd.DataFrame) -> str:
    """Give the unit of the headline."""
    return PERCENT_FAVOURABLE if frame["analysis"].eq(FAVOURABLE).any() else LINEAR


@dataclass(frozen=True, slots=True)
class Pair:
    """The two waves that the report compares first: names, earlier and later."""

    first: str
    last: str

    @property
    def contrast(self) -> str:
        """The pair as the column `wave` of contrasts has it."""
        return f"{self.last}{BETWEEN}{self.first}"


def main_pair(presentation: Presentation) -> Pair | None:
    """Choose the waves that the report compares: the last one with the reference wave, or with the one before it.

    None if there is one wave.
    """
    waves = list(presentation.waves)
    if len(waves) < 2:
        return None
    last = waves[-1]
    first = presentation.reference_wave if presentation.reference_wave != last else waves[-2]
    return Pair(first, last)


@dataclass(frozen=True, slots=True)
class Found:
    """One contrast, with the levels that it is the difference of.

    Parameters
    ----------
    scale, wave, organisation
        As in `contrasts`: each of wave and organisation may name two.
    kind
        `CHANGE`, `GAP` or `DIFFERENCE`.
    first, last
        Released levels: of a change those of the earlier and later wave; of a gap those of the organisation named
        second and first; None for a difference in change, and where there are none.
    estimate, low, high
        Released; None where there is no estimate.
    p, p_equivalence
        Adjusted.
    decision, status, note, n
        As in `contrasts`.
    low_reliability
        Whether the scale is marked.
    """

    scale: str
    wave: str
    organisation: str
    kind: str
    first: float | None
    last: float | None
    estimate: float | None
    low: float | None
    high: float | None
    p: float | None
    p_equivalence: float | None
    decision: str
    status: str
    note: str
    n: float | None
    low_reliability: bool

    @property
    def up(self) -> bool:
        """Whether it is decided that it rose (of a gap: that the organisation named first is higher)."""
        return self.decision == Decision.INCREASE

    @property
    def down(self) -> bool:
        """Whether it is decided that it fell."""
        return self.decision == Decision.DECREASE

    @property
    def moved(self) -> bool:
        """Whether a direction is decided."""
        return self.up or self.down


def found(
    contrasts: pd.DataFrame,
    means: pd.DataFrame,
    *,
    kind: str,
    wave: str,
    unit: str = PERCENT_FAVOURABLE,
) -> list[Found]:
    """Take contrasts of one kind with their levels.

    Parameters
    ----------
    contrasts, means
        As released.
    kind
        `CHANGE`, `GAP` or `DIFFERENCE`.
    wave
        Of the contrasts, as their column has it: `Pair.contrast`, or one wave for a gap.
    unit
        See `ANALYSIS`.

    Returns
    -------
    list
        In the order of the table; a scale that one of the waves did not ask is in it without an estimate.
    """
    analysis = ANALYSIS[unit]
    level = PERCENT_FAVOURABLE if unit == PERCENT_FAVOURABLE else EMMEAN
    own = means[(means["analysis"] == analysis) & (means["term"] == level)]
    levels: dict[tuple[str, str, str], Any] = {
        (row.scale, row.wave, row.organisation): row.estimate for row in records(own)
    }
    rows = contrasts[
        (contrasts["analysis"] == analysis)
        & (contrasts["term"] == term_in(unit, kind))
        & (contrasts["wave"] == wave)
    ]
    return [_one(row, kind, levels) for row in records(rows)]


def _one(row: Any, kind: str, levels: Mapping[tuple[str, str, str], Any]) -> Found:
    last, _, first = row.wave.partition(BETWEEN)
    one, _, other = row.organisation.partition(BETWEEN)
    sides = {
        CHANGE: ((row.scale, first, row.organisation), (row.scale, last, row.organisation)),
        GAP: ((row.scale, row.wave, other), (row.scale, row.wave, one)),
    }.get(kind)
    before, after = (levels.get(side) for side in sides) if sides else (None, None)
    note = "" if is_missing(row.note) else str(row.note)
    return Found(
        scale=row.scale,
        wave=row.wave,
        organisation=row.organisation,
        kind=kind,
        first=_float(before),
        last=_float(after),
        estimate=_float(row.estimate),
        low=_float(row.conf_low),
        high=_float(row.conf_high),
        p=_float(row.p_adjusted),
        p_equivalence=_float(row.p_equivalence_adjusted),
        decision="" if is_missing(row.decision) else str(row.decision),
        status=str(row.status),
        note=note,
        n=_float(row.n),
        low_reliability=LOW_RELIABILITY_MARK in note,
    )


def _float(value: Any) -> float | None:
    return None if is_missing(value) else float(value)


def by_organisation(facts: Iterable[Found], presentation: Presentation) -> dict[str, list[Found]]:
    """Take facts apart by organisation, in the study's order; all together last, alone where there is no other."""
    facts = list(facts)
    order = [*presentation.organisations, ALL]
    named = sorted(
        dict.fromkeys(one.organisation for one in facts),
        key=lambda name: order.index(name) if name in order else len(order),
    )
    return {name: [one for one in facts if one.organisation == name] for name in named}


# --- the headline ------------------------------------------------------------------------------------------------


def headline(facts: Iterable[Found], presentation: Presentation) -> str:
    """Say in a line what the changes of the main pair come to: as much as their decisions say, and no more."""
    raise NotImplementedError
