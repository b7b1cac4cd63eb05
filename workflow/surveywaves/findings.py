"""What was found: the decisions of the main analysis as facts, one form for headline, summary, figures and tables.

The main analysis is the percentage of favourable answers; where a study has none of it, the linear one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

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

    @property
    def comparable(self) -> bool:
        """Whether the estimate is the difference of the levels shown, but for rounding.

        It is not where a wave asked fewer statements: a level is of all that it asked, a contrast of what both asked.
        """
        return None not in (self.first, self.last, self.estimate) and not self.fewer

    @property
    def fewer(self) -> bool:
        """Whether the estimate is over fewer statements than one of the levels."""
        return _FEWER.search(self.note) is not None


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
    levels: dict[tuple[str, str, str], Any] = {
        (row.scale, row.wave, row.organisation): row.estimate
        for row in records(level_rows(means, unit))
        if row.status in ESTIMATED
    }
    return [_one(row, kind, levels) for row in records(contrast_rows(contrasts, unit, kind, wave=wave))]


def _one(row: Any, kind: str, levels: Mapping[tuple[str, str, str], Any]) -> Found:
    last, _, first = row.wave.partition(BETWEEN)
    one, _, other = row.organisation.partition(BETWEEN)
    sides = {
        CHANGE: ((row.scale, first, row.organisation), (row.scale, last, row.organisation)),
        GAP: ((row.scale, row.wave, other), (row.scale, row.wave, one)),
    }.get(kind)
    before, after = (levels.get(side) for side in sides) if sides else (None, None)
    note = "" if is_missing(row.note) else str(row.note)
    there = row.status in ESTIMATED
    return Found(
        scale=row.scale,
        wave=row.wave,
        organisation=row.organisation,
        kind=kind,
        first=_float(before),
        last=_float(after),
        estimate=_float(row.estimate if there else None),
        low=_float(row.conf_low if there else None),
        high=_float(row.conf_high if there else None),
        p=_float(row.p_adjusted),
        p_equivalence=_float(getattr(row, "p_equivalence_adjusted", None)),
        decision="" if is_missing(decided := getattr(row, "decision", "")) else str(decided),
        status=str(row.status),
        note=note,
        n=_float(row.n),
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


def without_all(of: Mapping[str, list[Found]]) -> dict[str, list[Found]]:
    """Leave the facts of all together out where organisations have their own."""
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
    pair = main_pair(presentation)
    if pair:
        if contrasts is None:
            return []
        return found(contrasts, means, kind=CHANGE, wave=pair.contrast, unit=unit)
    wave = next(iter(presentation.waves))
    gaps = [] if contrasts is None else found(contrasts, means, kind=GAP, wave=wave, unit=unit)
    return [*gaps, *levels(means, wave=wave, unit=unit)]


def levels(means: pd.DataFrame, *, wave: str, unit: str = PERCENT_FAVOURABLE) -> list[Found]:
    """Take the levels of a wave as facts of the kind `LEVEL`: nothing is decided about them."""
    rows = level_rows(means, unit)
    return [_one(row, LEVEL, {}) for row in records(rows[rows["wave"] == wave])]


# --- the headline ------------------------------------------------------------------------------------------------


def headline(facts: Iterable[Found], presentation: Presentation) -> str:
    """Say in a line what `main_facts` come to: as much as their decisions say, and no more.

    A title is the study's own and always the subject of "rose" or "fell", which fit a singular and a plural alike.
    """
    facts, labels = list(facts), Labels(presentation)
    known = [one for one in facts if one.estimate is not None]
    changes = [one for one in facts if one.kind == CHANGE]
    if changes or len(presentation.waves) > 1:
        of = by_organisation((one for one in known if one.kind == CHANGE), presentation)
        single = [name for name in of if name != ALL]
        if not of:
            hidden = bool(changes) and all(one.status == Status.WITHHELD for one in changes)
            return (
                "All changes are withheld to protect respondents" if hidden else "No change can be estimated"
            )
        if len(single) > 2:
            return _many({name: of[name] for name in single}, labels)
        if len(single) == 2:
            return _two({name: of[name] for name in single}, labels)
        only = single[0] if single else ALL
        # Another organisation of the study has no estimate: say whose changes these are.
        whose = only if only != ALL and len(presentation.organisations) > 1 else ""
        return _alone(of[only], whose, labels)
    if gaps := [one for one in known if one.kind == GAP]:
        return _apart(gaps, labels)
    return _levels([one for one in known if one.kind == LEVEL], labels)


def counted(number: int) -> str:
    """Write a count in a sentence: in letters up to nine."""
    return _COUNTED[number] if number < len(_COUNTED) else f"{number:,}"


_COUNTED: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def opening(text: str) -> str:
    """Begin a sentence with a capital."""
    return text[:1].upper() + text[1:]


def inside(labels: Labels, organisation: str) -> str:
    """Name an organisation in the middle of a sentence: without the capital of an article."""
    if organisation == ALL:
        return labels.presentation.nouns.people
    return re.sub(r"^The\b", "the", labels.organisation(organisation))


def _scales(number: int) -> str:
    return f"{counted(number)} {'scale' if number == 1 else 'scales'}"


EVERY: Final = {1: "the only scale", 2: "both scales"}
"""How few scales are called when all of them are meant."""


def _every(number: int) -> str:
    return EVERY.get(number, f"all {_scales(number)}")


def _went(facts: Iterable[Found]) -> str:
    """Say which way facts went that agree on it."""
    return "rose" if all(one.up for one in facts) else "fell"


def _alone(facts: list[Found], whose: str, labels: Labels) -> str:
    """Say what one organisation's changes come to, or everybody's (`whose` is empty)."""
    moved, where = (
        largest(one for one in facts if one.moved),
        f" in {inside(labels, whose)}" if whose else "",
    )
    if not moved:
        return _still(facts, where, labels)
    if len(moved) == 1:
        rest = len(facts) - 1
        others = f"; no clear change on the other {_scales(rest)}" if rest > 1 else ""
        return f"{labels.scale(moved[0].scale)} {_went(moved)}{where}{others}"
    ways = ([one for one in moved if one.up], [one for one in moved if one.down])
    said = [(len(way), _went(way)) for way in ways if way]
    said.sort(key=lambda one: -one[0])
    (most, went), *less = said
    if most == len(facts):
        return f"{opening(_every(most))} {went}{where}"
    second = f" and {counted(less[0][0])} {less[0][1]}" if less else ""
    return f"{opening(counted(most))} of {_scales(len(facts))} {went}{second}{where}"


def _still(facts: list[Found], where: str, labels: Labels) -> str:
    """Say that nothing moved; "no meaningful change" only where every test of equivalence says so."""
    same = all(one.decision == Decision.NO_MEANINGFUL_CHANGE for one in facts)
    scales = list(dict.fromkeys(one.scale for one in facts))
    on = f"in {labels.scale(scales[0])}" if len(scales) == 1 else f"on any of {_scales(len(scales))}"
    return f"No {'meaningful' if same else 'clear'} change{where} {on}"


def _two(of: Mapping[str, list[Found]], labels: Labels) -> str:
    """Compare the changes of two organisations: first of all a scale that went both ways."""
    one, other = of
    names = [inside(labels, name) for name in of]
    moved = {name: {fact.scale: fact for fact in facts if fact.moved} for name, facts in of.items()}
    if not any(moved.values()):
        return _still([*of[one], *of[other]], f" in {names[0]} or {names[1]}", labels)
    both = [(moved[one][scale], moved[other][scale]) for scale in moved[one] if scale in moved[other]]
    if contrary := [pair for pair in both if pair[0].up != pair[1].up]:
        pair = max(contrary, key=lambda facts: abs((facts[0].estimate or 0.0) - (facts[1].estimate or 0.0)))
        fell, rose = sorted(pair, key=lambda fact: fact.up)
        where = (inside(labels, fact.organisation) for fact in (fell, rose))
        return f"{labels.scale(fell.scale)} fell in {next(where)} and rose in {next(where)}"
    if len(both) == 1 and all(len(facts) == 1 for facts in moved.values()):
        return f"{labels.scale(both[0][0].scale)} {_went(both[0])} in {names[0]} and {names[1]}"
    phrases = {name: _phrase(of[name]) for name in of}
    if len(set(phrases.values())) == 1:
        return opening(f"{names[0]} and {names[1]} each {phrases[one]}")
    said: list[str] = []
    told: set[int] = set()
    for name in sorted(of, key=lambda name: -len(moved[name])):
        total = len(of[name])
        if not moved[name]:
            said.append(f"no clear change in {inside(labels, name)}")
        elif len(moved[name]) == 1:
            (fact,) = moved[name].values()
            said.append(f"{labels.scale(fact.scale)} {_went([fact])} in {inside(labels, name)}")
        else:
            phrase = phrases[name].replace(f" of {_scales(total)}", "") if total in told else phrases[name]
            said.append(f"{inside(labels, name)} {phrase}")
            told.add(total)
    return opening("; ".join(said))


def _phrase(facts: list[Found]) -> str:
    """Say on how many scales an organisation rose and fell, without its name."""
    up, down = sum(one.up for one in facts), sum(one.down for one in facts)
    for count, went in ((up, "rose"), (down, "fell")):
        if count == len(facts):
            return f"{went} on {_every(count)}"
    (most, went), (less, came) = sorted(((up, "rose"), (down, "fell")), key=lambda one: -one[0])
    second = f" and {came} on {counted(less)}" if less else ""
    return f"{went} on {counted(most)} of {_scales(len(facts))}{second}"


def _many(of: Mapping[str, list[Found]], labels: Labels) -> str:
    """Name the scale that moved in most of many organisations."""
    noun, facts = labels.presentation.nouns.organisation[1], [one for facts in of.values() for one in facts]
    moved: dict[str, list[Found]] = {}
    for fact in facts:
        if fact.moved:
            moved.setdefault(fact.scale, []).append(fact)
    if not moved:
        return _still(facts, f" in any of {counted(len(of))} {noun}", labels)
    chosen = max(moved.values(), key=lambda own: (len(own), abs(largest(own)[0].estimate or 0.0)))
    title = labels.scale(chosen[0].scale)
    if len(chosen) == 1:
        return f"{title} {_went(chosen)} in {inside(labels, chosen[0].organisation)}"
    ways = [[one for one in chosen if one.up], [one for one in chosen if one.down]]
    most, *less = sorted((way for way in ways if way), key=lambda way: -len(way))
    second = f" and {_went(less[0])} in {counted(len(less[0]))}" if less else ""
    if len(most) == len(of):
        return f"{title} {_went(most)} in all {counted(len(of))} {noun}"
    return f"{title} {_went(most)} in {counted(len(most))} of {counted(len(of))} {noun}{second}"


def _apart(gaps: list[Found], labels: Labels) -> str:
    """Say how organisations of one wave differ."""
    pairs, clear = (
        list(dict.fromkeys(one.organisation for one in gaps)),
        largest(one for one in gaps if one.moved),
    )
    if len(pairs) > 1:
        noun = labels.presentation.nouns.organisation[1]
        if not clear:
            return f"No clear difference between the {noun}"
        one, other = _sides(clear[0])
        return (
            f"{labels.scale(clear[0].scale)} differs most: higher in {inside(labels, one)} than in "
            f"{inside(labels, other)}"
        )
    named = listed([inside(labels, name) for name in pairs[0].split(BETWEEN)])
    if not clear:
        return f"No clear difference between {named} on any of {_scales(len(gaps))}"
    if len(clear) == 1:
        one, other = _sides(clear[0])
        return (
            f"{labels.scale(clear[0].scale)}: higher in {inside(labels, one)} than in {inside(labels, other)}"
        )
    return (
        f"{opening(named)} differ on {counted(len(clear))} of {_scales(len(gaps))}, most on "
        f"{labels.scale(clear[0].scale)}"
    )


def _sides(gap: Found) -> tuple[str, str]:
    """Give the organisations of a gap that is decided, the higher one first."""
    first, _, second = gap.organisation.partition(BETWEEN)
    return (first, second) if gap.up else (second, first)


def _levels(facts: list[Found], labels: Labels) -> str:
    """Name the highest and the lowest scale of one wave, of everybody together."""
    own = by_organisation(facts, labels.presentation)
    shown = own.get(ALL) or next(iter(own.values()), [])
    if not shown:
        return "Nothing can be estimated"
    ranked = sorted(shown, key=lambda one: -(one.estimate or 0.0))
    if len(ranked) == 1:
        return labels.scale(ranked[0].scale)
    return f"Highest: {labels.scale(ranked[0].scale)}; lowest: {labels.scale(ranked[-1].scale)}"
