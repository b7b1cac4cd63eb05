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
from surveywaves.words import Labels, is_missing, lower, opening, records

T = TypeVar("T")
F = TypeVar("F", bound="Found")

CHANGE: Final = "change"
GAP: Final = "gap"
DIFFERENCE: Final = "difference_in_differences"
LEVEL: Final = "level"
"""Kinds of facts; the first three are contrasts."""

KINDS: Final = {CHANGE: "Change", GAP: "Gap", DIFFERENCE: "Difference in change"}
"""Kind of contrast -> its name."""

CLEAR: Final = [decision.value for decision in Decision if decision is not Decision.INCONCLUSIVE]
"""Decisions that say something."""

ANALYSIS: Final[Mapping[str, str]] = {PERCENT_FAVOURABLE: FAVOURABLE, LINEAR: LINEAR, ORDINAL: ORDINAL}
"""Unit -> analysis whose estimates are in it."""


def kind_of(wave: str, organisation: str) -> str:
    """Return the kind of a contrast, which follows from whether it names two waves, two organisations, or both."""
    if BETWEEN not in wave:
        return GAP
    return DIFFERENCE if BETWEEN in organisation else CHANGE


def term_in(unit: str, kind: str) -> str:
    """Return the term of a kind of contrast in a unit."""
    return f"{kind}_{PERCENT_FAVOURABLE}" if unit == PERCENT_FAVOURABLE else kind


def level_term(unit: str) -> str:
    """Return the term of levels in a unit."""
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


def in_whole_numbers(means: pd.DataFrame, contrasts: pd.DataFrame | None, unit: str) -> set[tuple[str, str]]:
    """Return the scales and organisations whose estimates were all released in whole numbers: in steps of 1 or more."""
    rows = level_rows(means, unit)
    if contrasts is not None and len(contrasts):
        rows = pd.concat([rows, contrast_rows(contrasts, unit, *KINDS)])
    ends = rows[["estimate", "conf_low", "conf_high"]].astype("float64")
    whole = (ends.isna() | (ends == ends.round())).all(axis=1)
    found = whole.groupby([rows["scale"], rows["organisation"]]).all()
    return set(found.index[found])


def main_unit(frame: pd.DataFrame) -> str:
    """Return the unit of the headline."""
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
    """One contrast, with the levels that it is the difference of."""

    scale: str
    wave: str
    organisation: str
    """As in `contrasts`: each of wave and organisation may name two."""
    kind: str
    """`CHANGE`, `GAP` or `DIFFERENCE`; `LEVEL`: `estimate` is the level itself."""
    first: float | None
    last: float | None
    """Released levels: of a change those of the earlier and later wave; of a gap those of the organisation named second
    and first; None for a difference in change, and where there are none."""
    estimate: float | None
    low: float | None
    high: float | None
    """Released; None where there is no estimate."""
    decision: str
    status: str
    """As in `contrasts`."""
    fewer: bool
    """Whether the estimate is over fewer statements than one of the levels."""
    low_reliability: bool
    """Whether the scale is marked."""

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
    def against_all(self) -> bool:
        """Whether one organisation is compared with everybody together."""
        return self.organisation.endswith(f"{BETWEEN}{ALL}")


def found(
    contrasts: pd.DataFrame | None,
    means: pd.DataFrame,
    *,
    kind: str,
    wave: str,
    unit: str = PERCENT_FAVOURABLE,
) -> list[Found]:
    """Return the facts of one kind.

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
    sides = {
        CHANGE: [(row.scale, wave, row.organisation) for wave in (first, last)],
        GAP: [(row.scale, row.wave, name) for name in (first, last)],
    }
    before, after = [_float(levels.get(side)) for side in sides.get(kind, [])] or (None, None)
    note = "" if is_missing(row.note) else str(row.note)
    decided = getattr(row, "decision", "")
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
        decision="" if is_missing(decided) else str(decided),
        status=str(row.status),
        fewer=_FEWER.search(note) is not None,
        low_reliability=LOW_RELIABILITY_MARK in note,
    )


_FEWER: Final = re.compile(r"\bover \d+ of \d+ statements")
"""Note on a contrast of fewer statements than one of its cells was asked."""


def _float(value: Any) -> float | None:
    return None if is_missing(value) else float(value)


def by_organisation(facts: Iterable[F], presentation: Presentation) -> dict[str, list[F]]:
    """Group facts by organisation, in the study's order; pairs of organisations and everybody together come last."""
    place = {name: number for number, name in enumerate([*presentation.organisations, ALL])}
    found: dict[str, list[F]] = {}
    for one in facts:
        found.setdefault(one.organisation, []).append(one)
    return dict(sorted(found.items(), key=lambda item: place.get(item[0], len(place))))


def without_all(of: Mapping[str, T]) -> dict[str, T]:
    """Leave out everybody together where organisations have facts of their own."""
    return {name: own for name, own in of.items() if name != ALL} or dict(of)


def largest(facts: Iterable[F]) -> list[F]:
    """Sort facts that have an estimate by its size, the largest first; scales in their order where sizes are equal."""
    return sorted(
        (one for one in facts if one.estimate is not None), key=lambda one: -abs(one.estimate or 0.0)
    )


def main_facts(
    contrasts: pd.DataFrame | None, means: pd.DataFrame, presentation: Presentation, unit: str = ""
) -> list[Found]:
    """Return the facts that the headline summarises: changes of the main pair; of a single wave its gaps and levels.

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
    """Summarise `main_facts` in one line that says no more than their decisions do.

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


def inside(labels: Labels, organisation: str) -> str:
    """Name an organisation, or all together, in the middle of a sentence: without the capital of an article."""
    name = labels.organisation(organisation)
    return lower(name) if organisation == ALL else re.sub(r"^The\b", "the", name)


def of_scales(told: int | None, tested: int, few: str = "", many: str = "") -> str:
    """Return words for how many of the tested scales: two of four, both, all four; any of them if `told` is None.

    `few` and `many` are the two counts as they are to be written; empty: in letters.
    """
    scales = f"{many or counted(tested)} scale{'' if tested == 1 else 's'}"
    if told is not None and told != tested:
        return f"{few or counted(told)} of {scales}"
    if tested == 1:
        return "the only scale"
    if tested == 2:
        return "either scale" if told is None else "both scales"
    return f"{'any of' if told is None else 'all'} {scales}"


def ways(moved: Iterable[F]) -> list[tuple[str, list[F]]]:
    """Split facts with a decided direction into those that rose and those that fell, the larger group first."""
    moved = list(moved)
    both = [("rose", [one for one in moved if one.up]), ("fell", [one for one in moved if not one.up])]
    return sorted((way for way in both if way[1]), key=lambda way: -len(way[1]))


def _changes(of: Mapping[str, list[Found]], labels: Labels) -> str:
    """Compare the changes of organisations; of two, a scale that moved in opposite directions comes first."""
    moved = {name: largest(one for one in facts if one.moved) for name, facts in of.items()}
    # The name of a study's only organisation says nothing.
    named = len(labels.presentation.organisations) > 1 and list(of) != [ALL]
    if not any(moved.values()):
        return _still(of, labels, named=named)
    if len(of) > 2:
        return _most_common([one for own in moved.values() for one in own], len(of), labels)
    names = {name: inside(labels, name) for name in of}
    one, other = next(iter(of)), list(of)[-1]
    contrary = [
        sorted((first, second), key=lambda fact: fact.up)
        for first in moved[one]
        for second in moved[other]
        if first.scale == second.scale and first.up != second.up
    ]
    if contrary:
        fell, rose = max(contrary, key=lambda pair: (pair[1].estimate or 0.0) - (pair[0].estimate or 0.0))
        return f"{labels.scale(fell.scale)} fell in {names[fell.organisation]} and rose in {names[rose.organisation]}"
    alike: dict[str, list[str]] = {}
    for name in sorted(of, key=lambda name: -len(moved[name])):
        alike.setdefault(_came_to(moved[name], len(of[name]), labels), []).append(name)
    if not named:
        return opening(next(iter(alike))) + (
            "; no other clear change" if len(moved[one]) == 1 < len(of[one]) else ""
        )
    first, *rest = [
        f"{said} in {listed([names[name] for name in of if name in own])}" for said, own in alike.items()
    ]
    total = f" of {counted(len(of[one]))} scales"
    return opening(
        "; ".join([first, *(said.replace(total, "") if total in first else said for said in rest)])
    )


def _came_to(moved: Sequence[Found], tested: int, labels: Labels) -> str:
    """Return in words on how many scales an organisation moved, and which way."""
    if not moved:
        return "no clear change"
    (went, most), *others = ways(moved)
    if len(moved) == 1:
        return f"{labels.scale(moved[0].scale)} {went}"
    second = "".join(f" and {counted(len(less))} {came}" for came, less in others)
    return f"{of_scales(len(most), tested)} {went}{second}"


def _still(of: Mapping[str, list[Found]], labels: Labels, *, named: bool) -> str:
    """Return a sentence that nothing moved; "no meaningful change" only if every equivalence test is significant."""
    facts = [one for own in of.values() for one in own]
    what = "meaningful" if all(one.decision == Decision.NO_MEANINGFUL_CHANGE for one in facts) else "clear"
    scales = list(dict.fromkeys(one.scale for one in facts))
    where = f" in {listed([inside(labels, name) for name in of], 'or')}" if named else ""
    if len(of) > 2:
        where = f" in any of {counted(len(of))} {labels.presentation.nouns.organisation[1]}"
    on = f"in {labels.scale(scales[0])}" if len(scales) == 1 else f"on {of_scales(None, len(scales))}"
    return f"No {what} change{where} {on}"


def _most_common(moved: Sequence[Found], organisations: int, labels: Labels) -> str:
    """Name the scale that moved in most of many organisations, or in which most differ from all together."""
    by_scale: dict[str, list[Found]] = {}
    for fact in moved:
        by_scale.setdefault(fact.scale, []).append(fact)
    chosen = max(by_scale.values(), key=lambda own: (len(own), abs(largest(own)[0].estimate or 0.0)))
    (went, most), *others = ways(chosen)
    every = f"{counted(organisations)} {labels.presentation.nouns.organisation[1]}"
    where = f"all {every}" if len(most) == organisations else f"{counted(len(most))} of {every}"
    several = len({fact.organisation for fact in moved})
    if len(chosen) == 1 < several:
        how = "changed" if chosen[0].kind == CHANGE else f"differ from {inside(labels, ALL)}"
        many = labels.presentation.nouns.organisation[1]
        return opening(f"{counted(several)} {many} clearly {how} on at least one scale")
    if len(chosen) == 1:
        where = inside(labels, chosen[0].organisation.partition(BETWEEN)[0])
    words = {} if chosen[0].kind == CHANGE else {"rose": "higher", "fell": "lower"}
    second = "".join(f" and {words.get(came, came)} in {counted(len(less))}" for came, less in others)
    said = f"{words.get(went, went)} in {where}{second}"
    title = labels.scale(chosen[0].scale)
    return f"{title}: {said} than among {inside(labels, ALL)}" if words else f"{title} {said}"


def _gaps(gaps: list[Found], labels: Labels) -> str:
    """Return how organisations of one wave differ: of several pairs, the one that differs on most scales."""
    pairs = by_organisation(gaps, labels.presentation)
    moved = [one for one in gaps if one.moved]
    if moved and all(one.against_all for one in gaps):
        return _most_common(moved, len(pairs), labels)
    own = max(pairs.values(), key=lambda own: sum(one.moved for one in own))
    first, second = (inside(labels, name) for name in own[0].organisation.split(BETWEEN))
    clear = largest(one for one in own if one.moved)
    if not clear:
        both = f"{first} and {second}"
        if len(pairs) > 1:
            both = f"the {labels.presentation.nouns.organisation[1]}"
        return f"No clear difference between {both} on {of_scales(None, len(own))}"
    scale = labels.scale(clear[0].scale)
    if len(clear) == 1:
        higher, lower = (first, second) if clear[0].up else (second, first)
        return f"{scale}: higher in {higher} than in {lower}"
    return opening(f"{first} and {second} differ on {of_scales(len(clear), len(own))}, most on {scale}")
