"""What was found: the decisions of the main analysis as facts, one form for headline, summary, figures and tables.

The main analysis is the percentage of favourable answers; where a study has none of it, the linear one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import pandas as pd

from surveywaves.study.parts import Presentation
from surveywaves.terms import (
    ALL,
    BETWEEN,
    EMMEAN,
    ESTIMATED,
    FAVOURABLE,
    LINEAR,
    LOW_RELIABILITY_MARK,
    ORDINAL,
    PERCENT_FAVOURABLE,
    Decision,
    Status,
)
from surveywaves.text import listed
from surveywaves.words import Labels, is_missing, records

T = TypeVar("T")

CHANGE: Final = "change"
GAP: Final = "gap"
DIFFERENCE: Final = "difference_in_differences"
LEVEL: Final = "level"
"""Kinds of facts; the first three are contrasts."""

ANALYSIS: Final[Mapping[str, str]] = {PERCENT_FAVOURABLE: FAVOURABLE, LINEAR: LINEAR, ORDINAL: ORDINAL}
"""Unit -> analysis whose estimates are in it."""


def term_in(unit: str, kind: str) -> str:
    """Give the term of a kind of contrast in a unit."""
    return f"{kind}_{PERCENT_FAVOURABLE}" if unit == PERCENT_FAVOURABLE else kind


def level_term(unit: str) -> str:
    """Give the term of levels in a unit."""
    return PERCENT_FAVOURABLE if unit == PERCENT_FAVOURABLE else EMMEAN


def level_rows(means: pd.DataFrame, unit: str) -> pd.DataFrame:
    """Choose the levels in a unit."""
    return means[(means["analysis"] == ANALYSIS[unit]) & (means["term"] == level_term(unit))]


def contrast_rows(contrasts: pd.DataFrame, unit: str, *kinds: str, wave: str | None = None) -> pd.DataFrame:
    """Choose contrasts of some kinds in a unit, of one wave (or pair of waves) or all."""
    own = (contrasts["analysis"] == ANALYSIS[unit]) & contrasts["term"].isin(
        [term_in(unit, kind) for kind in kinds]
    )
    return contrasts[own & (contrasts["wave"] == wave) if wave is not None else own]


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
        `CHANGE`, `GAP` or `DIFFERENCE`; `LEVEL`: `estimate` is the level itself.
    first, last
        Released levels: of a change those of the earlier and later wave; of a gap those of the organisation named
        second and first; None for a difference in change, and where there are none.
    estimate, low, high
        Released; None where there is no estimate.
    decision, status
        As in `contrasts`.
    fewer
        Whether the estimate is over fewer statements than one of the levels.
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
    decision: str
    status: str
    fewer: bool
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

    @property
    def comparable(self) -> bool:
        """Whether the estimate is the difference of the levels shown, but for rounding.

        It is not where a wave asked fewer statements: a level is of all that it asked, a contrast of what both asked.
        """
        return None not in (self.first, self.last, self.estimate) and not self.fewer


def found(
    contrasts: pd.DataFrame | None,
    means: pd.DataFrame,
    *,
    kind: str,
    wave: str,
    unit: str = PERCENT_FAVOURABLE,
) -> list[Found]:
    """Take facts of one kind.

    Parameters
    ----------
    contrasts, means
        As released; a study of one wave and one organisation has no contrasts.
    kind
        `CHANGE`, `GAP` or `DIFFERENCE`; `LEVEL`: levels of a wave, about which nothing is decided.
    wave
        As the column has it: `Pair.contrast`, or one wave for a gap or level.
    unit
        See `ANALYSIS`.

    Returns
    -------
    list
        In the order of the table; a scale that one of the waves did not ask is in it without an estimate.
    """
    given = level_rows(means, unit)
    if kind == LEVEL:
        return [_one(row, LEVEL, {}) for row in records(given[given["wave"] == wave])]
    if contrasts is None:
        return []
    levels = {
        (row.scale, row.wave, row.organisation): row.estimate
        for row in records(given)
        if row.status in ESTIMATED
    }
    return [_one(row, kind, levels) for row in records(contrast_rows(contrasts, unit, kind, wave=wave))]


def _one(row: Any, kind: str, levels: Mapping[tuple[str, str, str], Any]) -> Found:
    last, _, first = (row.organisation if kind == GAP else row.wave).partition(BETWEEN)
    ends: list[tuple[str, str, str]] = []
    if kind == CHANGE:
        ends = [(row.scale, wave, row.organisation) for wave in (first, last)]
    elif kind == GAP:
        ends = [(row.scale, row.wave, name) for name in (first, last)]
    before, after = [_float(levels.get(end)) for end in ends] or (None, None)
    note, decided = (
        "" if is_missing(text) else str(text) for text in (row.note, getattr(row, "decision", ""))
    )
    there = row.status in ESTIMATED
    estimate, low, high = (
        _float(number) if there else None for number in (row.estimate, row.conf_low, row.conf_high)
    )
    return Found(
        scale=row.scale,
        wave=row.wave,
        organisation=row.organisation,
        kind=kind,
        first=before,
        last=after,
        estimate=estimate,
        low=low,
        high=high,
        decision=decided,
        status=str(row.status),
        fewer=_FEWER.search(note) is not None,
        low_reliability=LOW_RELIABILITY_MARK in note,
    )


_FEWER: Final = re.compile(r"\bover \d+ of \d+ statements")
"""Note on a contrast of fewer statements than one of its cells was asked."""


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


def without_all(of: Mapping[str, T]) -> dict[str, T]:
    """Leave all together out where organisations have their own."""
    return {name: own for name, own in of.items() if name != ALL} or dict(of)


def largest(facts: Iterable[Found]) -> list[Found]:
    """Sort facts that have an estimate by its size, the largest first; scales in their order where sizes are equal."""
    return sorted(
        (one for one in facts if one.estimate is not None), key=lambda one: -abs(one.estimate or 0.0)
    )


def main_facts(
    contrasts: pd.DataFrame | None, means: pd.DataFrame, presentation: Presentation, unit: str = ""
) -> list[Found]:
    """Take what the headline is about: changes of the main pair; of one wave its gaps and its levels.

    Parameters
    ----------
    contrasts, means
        As released; a study of one wave and one organisation has no contrasts.
    presentation
        The study in words.
    unit
        See `ANALYSIS`; empty: that of the headline.
    """
    unit = unit or main_unit(means if contrasts is None else contrasts)
    if pair := main_pair(presentation):
        return found(contrasts, means, kind=CHANGE, wave=pair.contrast, unit=unit)
    wave = next(iter(presentation.waves))
    return [one for kind in (GAP, LEVEL) for one in found(contrasts, means, kind=kind, wave=wave, unit=unit)]


# --- the headline ------------------------------------------------------------------------------------------------


def headline(facts: Iterable[Found], presentation: Presentation) -> str:
    """Say in a line what `main_facts` come to: as much as their decisions say, and no more.

    A title is the study's own and always the subject of "rose" or "fell", which fit a singular and a plural alike.
    """
    facts, labels = list(facts), Labels(presentation)
    known = [one for one in facts if one.estimate is not None]
    changes = [one for one in facts if one.kind == CHANGE]
    if changes or len(presentation.waves) > 1:
        of = without_all(by_organisation((one for one in known if one.kind == CHANGE), presentation))
        if of:
            return _changes(of, labels)
        hidden = bool(changes) and all(one.status == Status.WITHHELD for one in changes)
        return "All changes are withheld to protect respondents" if hidden else "No change can be estimated"
    if gaps := [one for one in known if one.kind == GAP]:
        return _gaps(gaps, labels)
    own = by_organisation((one for one in known if one.kind == LEVEL), presentation)
    ranked = largest(own.get(ALL) or next(iter(own.values()), []))
    if len(ranked) < 2:
        return labels.scale(ranked[0].scale) if ranked else "Nothing can be estimated"
    return f"Highest: {labels.scale(ranked[0].scale)}; lowest: {labels.scale(ranked[-1].scale)}"


def counted(number: int) -> str:
    """Write a count in a sentence: in letters up to nine."""
    return _COUNTED[number] if number < len(_COUNTED) else f"{number:,}"


_COUNTED: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def opening(text: str) -> str:
    """Begin a sentence with a capital."""
    return text[:1].upper() + text[1:]


def inside(labels: Labels, organisation: str) -> str:
    """Name an organisation, or all together, in the middle of a sentence: without the capital of an article."""
    if organisation == ALL:
        return labels.presentation.nouns.people
    return re.sub(r"^The\b", "the", labels.organisation(organisation))


def together(number: int, scales: str, *, any_of: bool = False) -> str:
    """Say all of some scales, or any of them; `scales` is their number and the noun."""
    few = ("", "the only scale", f"{'either' if any_of else 'both'} scale{'' if any_of else 's'}")
    return few[number] if 0 < number < len(few) else f"{'any of' if any_of else 'all'} {scales}"


def _scales(number: int) -> str:
    return f"{counted(number)} scale{'' if number == 1 else 's'}"


def _changes(of: Mapping[str, list[Found]], labels: Labels) -> str:
    """Compare the changes of organisations: of two, first of all a scale that went both ways."""
    moved = {name: largest(one for one in facts if one.moved) for name, facts in of.items()}
    names = {name: inside(labels, name) for name in of}
    if not any(moved.values()):
        return _still(of, labels)
    if len(of) > 2:
        return _most_common([one for own in moved.values() for one in own], len(of), labels)
    sides = {(one.scale, one.up): one for own in moved.values() for one in own}
    contrary = [
        (fell, sides[scale, True]) for (scale, up), fell in sides.items() if not up and (scale, True) in sides
    ]
    if contrary:
        fell, rose = max(contrary, key=lambda two: (two[1].estimate or 0.0) - (two[0].estimate or 0.0))
        where = [names[one.organisation] for one in (fell, rose)]
        return f"{labels.scale(fell.scale)} fell in {where[0]} and rose in {where[1]}"
    alike: dict[str, list[str]] = {}
    for name in sorted(of, key=lambda name: -len(moved[name])):
        alike.setdefault(_came_to(moved[name], len(of[name]), labels), []).append(names[name])
    # Where all scales of the only organisation of a study are meant, its name says nothing.
    named = len(labels.presentation.organisations) > 1 and list(of) != [ALL]
    said = [
        f"{phrase} in {listed(sorted(own, key=list(names.values()).index))}" if named else phrase
        for phrase, own in alike.items()
    ]
    if not named and len(next(iter(moved.values()))) == 1 < len(next(iter(of.values()))):
        said.append("no other clear change")
    first, *rest = said
    total = next((f" of {_scales(len(facts))}" for facts in of.values()), "")
    return opening("; ".join([first, *(one.replace(total, "") if total in first else one for one in rest)]))


def _came_to(moved: Sequence[Found], tested: int, labels: Labels) -> str:
    """Say which scales of an organisation moved, and how."""
    if len(moved) == 1 < tested:
        return f"{labels.scale(moved[0].scale)} {_went(moved[0])}"
    ways = [(sum(one.up for one in moved), "rose"), (sum(one.down for one in moved), "fell")]
    (most, went), (less, came) = sorted(ways, key=lambda way: -way[0])
    if not most:
        return "no clear change"
    if most == tested:
        return f"{labels.scale(moved[0].scale) if tested == 1 else together(tested, _scales(tested))} {went}"
    return f"{counted(most)} of {_scales(tested)} {went}" + (f" and {counted(less)} {came}" if less else "")


def _went(one: Found) -> str:
    return "rose" if one.up else "fell"


def _still(of: Mapping[str, list[Found]], labels: Labels) -> str:
    """Say that nothing moved; "no meaningful change" only where every test of equivalence says so."""
    facts = [one for own in of.values() for one in own]
    what = "meaningful" if all(one.decision == Decision.NO_MEANINGFUL_CHANGE for one in facts) else "clear"
    scales = list(dict.fromkeys(one.scale for one in facts))
    on = (
        f"in {labels.scale(scales[0])}"
        if len(scales) == 1
        else f"on {together(len(scales), _scales(len(scales)), any_of=True)}"
    )
    if len(of) > 2:
        where = f" in any of {counted(len(of))} {labels.presentation.nouns.organisation[1]}"
    elif len(labels.presentation.organisations) > 1 and list(of) != [ALL]:
        where = f" in {' or '.join(inside(labels, name) for name in of)}"
    else:
        where = ""
    return f"No {what} change{where} {on}"


def _most_common(moved: Sequence[Found], organisations: int, labels: Labels) -> str:
    """Name the scale that moved in most of many organisations."""
    by_scale: dict[str, list[Found]] = {}
    for fact in moved:
        by_scale.setdefault(fact.scale, []).append(fact)
    chosen = max(by_scale.values(), key=lambda own: (len(own), abs(largest(own)[0].estimate or 0.0)))
    ways = sorted(
        ([one for one in chosen if one.up], [one for one in chosen if one.down]), key=lambda way: -len(way)
    )
    most, less = ways
    noun = labels.presentation.nouns.organisation[1]
    if len(chosen) == 1:
        where = inside(labels, chosen[0].organisation)
    elif len(most) == organisations:
        where = f"all {counted(organisations)} {noun}"
    else:
        where = f"{counted(len(most))} of {counted(organisations)} {noun}"
    second = f" and {_went(less[0])} in {counted(len(less))}" if less else ""
    return f"{labels.scale(chosen[0].scale)} {_went(most[0])} in {where}{second}"


def _gaps(gaps: list[Found], labels: Labels) -> str:
    """Say how organisations of one wave differ: of several pairs, the one that differs on most scales."""
    pairs = by_organisation(gaps, labels.presentation)
    own = max(pairs.values(), key=lambda own: sum(one.moved for one in own))
    first, second = (inside(labels, name) for name in own[0].organisation.split(BETWEEN))
    clear = largest(one for one in own if one.moved)
    if not clear:
        both = (
            f"{first} and {second}" if len(pairs) == 1 else f"the {labels.presentation.nouns.organisation[1]}"
        )
        return f"No clear difference between {both} on {together(len(own), _scales(len(own)), any_of=True)}"
    scale = labels.scale(clear[0].scale)
    if len(clear) == 1:
        higher, lower = (first, second) if clear[0].up else (second, first)
        return f"{scale}: higher in {higher} than in {lower}"
    return opening(
        f"{first} and {second} differ on {counted(len(clear))} of {_scales(len(own))}, most on {scale}"
    )
