"""What moved: levels, changes and gaps of every scale, in one of the units that the report shows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Any, Final

import pandas as pd

from surveywaves.findings import CHANGE, DIFFERENCE, GAP, contrast_rows, level_rows, main_pair
from surveywaves.tables import printed
from surveywaves.tables.layout import Cell, Column, Table, laid_out, numbers, stacked
from surveywaves.terms import ALL, BETWEEN, LOW_RELIABILITY_MARK, PERCENT_FAVOURABLE
from surveywaves.words import (
    STATUS,
    WITHHELD,
    Labels,
    is_missing,
    lower,
    number,
    pair,
    records,
    whole,
    without,
)

MANY_CELLS: Final = 8
"""Levels that stand beside each other at most; where there are more, a group of people stands below the other."""

SIDE_BY_SIDE: Final = 2
"""Organisations whose changes stand beside each other at most."""

BEFORE_ROUNDING: Final = "Computed before rounding."
OVER_ALL: Final = "Not the difference of the levels, which are over every statement that a wave asked."


@dataclass(frozen=True)
class Estimates:
    """Levels and contrasts in one unit, by what they are of.

    Parameters
    ----------
    means
        As released.
    labels
        The study in words.
    unit
        One of `surveywaves.catalogue.SHOWN_UNITS`.
    contrasts
        As released; empty where there are none.
    """

    means: pd.DataFrame
    labels: Labels
    unit: str
    contrasts: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def percent(self) -> bool:
        """Whether the unit is percentage points."""
        return self.unit == PERCENT_FAVOURABLE

    @property
    def decimals(self) -> int:
        """Decimals at most."""
        return 1 if self.percent else 2

    @property
    def in_words(self) -> str:
        """What is shown, for a title."""
        return "% favourable" if self.percent else "mean response"

    @cached_property
    def levels(self) -> pd.DataFrame:
        """The levels."""
        return level_rows(self.means, self.unit)

    @cached_property
    def level(self) -> dict[tuple[str, str, str], Any]:
        """Scale, wave, organisation -> level."""
        return {(row.scale, row.wave, row.organisation): row for row in records(self.levels)}

    def of(self, kind: str, wave: str | None = None) -> pd.DataFrame:
        """Choose the contrasts of one kind, of one wave or all."""
        return contrast_rows(self.contrasts, self.unit, kind, wave=wave)

    def change(self, row: Any) -> tuple[Cell, ...]:
        """Print both levels, the change and its adjusted p; a note says why the levels do not subtract to it."""
        if row is None:
            return (printed.NOTHING,) * 4
        last, first = pair(row.wave) or ("", "")
        sides = [
            printed.estimate(
                self.level.get((row.scale, wave, row.organisation)), self.labels, decimals=self.decimals
            )
            for wave in (first, last)
        ]
        moved, p = self.contrast(row)
        if moved.more and printed.differ(sides[0], sides[1], moved):
            moved = moved.noted(OVER_ALL if printed.remarks(row.note, self.labels) else BEFORE_ROUNDING)
        return (*sides, moved, p)

    def contrast(self, row: Any) -> tuple[Cell, Cell]:
        """Print a contrast with its interval, the sign of its decision and its own remarks; and its adjusted p."""
        cell = printed.estimate(row, self.labels, decimals=self.decimals, signed=True, bounds=True)
        if row is not None and not is_missing(row.estimate):
            cell = cell.noted(*printed.remarks(row.note, self.labels))
        return printed.decided(cell, row), printed.p(row)

    def heads(self, *names: str, group: str = "") -> list[Column]:
        """Return the heads of columns with a contrast, before it perhaps both levels: the last name is its own."""
        *levels, contrast = names
        return [
            numbers(head, group) for head in (*levels, f"{contrast} ({self.labels.confidence} CI)", "Adj. p")
        ]

    def scale(self, name: str) -> Cell:
        """Name a scale; low reliability is noted."""
        return Cell(self.labels.scale(name)).noted(self.low.get(name, ""))

    @cached_property
    def low(self) -> dict[str, str]:
        """Scale of low reliability -> its note."""
        told = ((row.scale, part) for row in records(self.contrasts) for part in printed.parts_of(row.note))
        return {
            scale: printed.sentence(part) for scale, part in told if part.startswith(LOW_RELIABILITY_MARK)
        }

    def notes(
        self, rows: pd.DataFrame, up: str, down: str, kind: str, *, family: str = "scales"
    ) -> Iterator[str]:
        """Say how contrasts are to be read: unit, signs, the smallest effect, adjustment, people."""
        yield "Percentage points of favourable answers." if self.percent else "Points of the response scale."
        smallest = rows["smallest"].dropna() if "smallest" in rows else rows["estimate"][:0]
        if len(smallest):
            low, high = (number(value, self.decimals) for value in (smallest.min(), smallest.max()))
            size = f"±{low}" if low == high else f"±{low} to ±{high}, by scale"
            (rise, _), (fall, _), (same, _) = printed.SIGNS.values()
            yield (
                f"{rise} {up}, {fall} {down}, {same} no meaningful {kind}: decided at the adjusted p by tests of "
                f"difference and of equivalence (smallest effect of interest {size}). "
                "No sign: inconclusive, which is not the same as none."
            )
        yield (
            f"In brackets: {self.labels.confidence} confidence intervals, not adjusted. "
            f"p: adjusted for the number of {family}."
        )
        told = (
            part
            for note in rows["note"]
            for part in printed.parts_of(note)
            if part.startswith(printed.WEIGHTED)
        )
        if weighted := next(told, ""):
            yield f"{self.labels.organisation(ALL)}: {self.labels.readable(weighted)}."


def change(contrasts: pd.DataFrame, means: pd.DataFrame, labels: Labels, *, unit: str) -> Table:
    """Lay out the change of every scale between the two waves that the report compares.

    Up to two organisations stand beside each other, with the difference in change; more below each other.
    """
    if (waves := main_pair(labels.presentation)) is None:
        return Table("", "")
    found = Estimates(means, labels, unit, contrasts)
    own = found.levels[found.levels["wave"].isin([waves.first, waves.last])]
    every = found.of(CHANGE, waves.contrast)
    chosen, apart = map(printed.known_or_withheld, (every, found.of(DIFFERENCE, waves.contrast)))
    moved = {(row.scale, row.organisation): row for row in records(stacked(chosen, apart))}
    groups = _groups(chosen, labels)
    wide = len(set(groups) - {ALL}) <= SIDE_BY_SIDE
    pairs = list(dict.fromkeys(apart["organisation"])) if wide else []
    above = [labels.organisation(name) if len(groups) > 1 else "" for name in groups] if wide else [""]
    head = "Scale" if wide else labels.presentation.nouns.organisation[0].capitalize()
    first, last = labels.wave(waves.first), labels.wave(waves.last)

    def cells(row: tuple[str, list[str]]) -> Iterator[Cell]:
        scale, names = row
        name = labels.scale(scale) if wide else labels.organisation(names[0])
        yield Cell(name).noted(found.low.get(scale, ""))
        for one in names:
            yield from found.change(moved.get((scale, one)))
        for one in pairs:
            yield from found.contrast(moved.get((scale, one)))

    def rank(row: tuple[str, list[str]]) -> float:
        scale, (name, *_) = row
        return printed.clearness(moved.get((scale, name))) if name != ALL else math.inf

    columns = [
        Column(head),
        *(column for name in above for column in found.heads(first, last, "Change", group=name)),
        *(
            column
            for name in pairs
            for column in found.heads("Points", group=f"Difference in change: {labels.organisation(name)}")
        ),
    ]
    return laid_out(
        f"Change of each scale, {first} to {last}: {found.in_words}",
        [
            (scale, names)
            for scale in labels.scales_in(chosen)
            for names in ([groups] if wide else [[name] for name in groups])
        ],
        [(columns, cells)],
        stacked(own, every, apart) if len(every) else every,
        *found.notes(chosen, "rose", "fell", "change"),
        _people(chosen, labels),
        _missing(every, chosen, labels),
        section=lambda row: "" if wide else labels.scale(row[0]),
        ranked=not wide and (lower(labels.organisation(ALL)), _decided("change"), rank),
    )


def other_changes(contrasts: pd.DataFrame, means: pd.DataFrame, labels: Labels, *, unit: str) -> Table:
    """List the changes between other waves than the two that the report compares first, two waves below the other."""
    waves = main_pair(labels.presentation)
    found = Estimates(means, labels, unit, contrasts)
    every = found.of(CHANGE)
    every = every[every["wave"] != (waves.contrast if waves else "")]
    chosen = printed.known_or_withheld(every)
    several = len(set(chosen["organisation"])) > 1
    pairs, scales = list(dict.fromkeys(chosen["wave"])), labels.scales_in(chosen)

    def section(row: Any) -> str:
        alone = "" if several else f", {labels.organisation(row.organisation)}"
        return printed.when(row.wave, labels) + alone

    return laid_out(
        f"Change of each scale between other waves: {found.in_words}",
        sorted(records(chosen), key=lambda row: (pairs.index(row.wave), scales.index(row.scale))),
        [
            ("Scale", lambda row: found.scale(row.scale)),
            several and printed.whose(labels),
            (found.heads("First", "Last", "Change"), found.change),
        ],
        stacked(found.levels, every) if len(every) else every,
        *found.notes(chosen, "rose", "fell", "change"),
        *_partial(found),
        heads=2 if several else 1,
        section=section,
        ranked=("", _decided("change"), printed.clearness),
    )


def levels(means: pd.DataFrame, labels: Labels, *, unit: str) -> Table:
    """Lay out the level of every scale in every wave, with its interval; organisations beside or below each other."""
    found = Estimates(means, labels, unit)
    chosen = printed.known_or_withheld(found.levels)
    there = set(zip(chosen["wave"], chosen["organisation"], strict=True))
    groups = _groups(chosen, labels)
    waves = [wave for wave in labels.presentation.waves if any((wave, name) in there for name in groups)]
    wide = len(there) <= MANY_CELLS
    several = wide and len(groups) > 1
    beside = [(wave, name) for name in groups for wave in waves if (wave, name) in there]
    shown = beside if wide else [(wave, "") for wave in waves]

    def head(wave: str, name: str) -> Column:
        if several and len(waves) == 1:
            return numbers(labels.organisation(name))
        return numbers(labels.wave(wave), labels.organisation(name) if several else "")

    def cells(key: tuple[str, str]) -> Iterator[Cell]:
        for wave, name in shown:
            row = found.level.get((key[1], wave, name or key[0]))
            # Who was not asked is said once, below the table.
            asked = row is not None and not str(row.note).startswith("nobody")
            yield printed.estimate(row if asked else None, labels, decimals=found.decimals, bounds=True)

    return laid_out(
        f"Level of each scale{' in every wave' if len(waves) > 1 else ''}: {found.in_words}",
        [(name, scale) for name in (groups[:1] if wide else groups) for scale in labels.scales_in(chosen)],
        [("Scale", lambda key: found.scale(key[1])), ([head(*one) for one in shown], cells)],
        found.levels,
        f"In brackets: {labels.confidence} confidence intervals.",
        ""
        if found.percent
        else "From 1 to the number of response options; higher: more of what the scale measures.",
        *_partial(found),
        _people(chosen, labels),
        section=lambda key: "" if wide else labels.organisation(key[0]),
        ranked=not wide and (lower(labels.organisation(ALL)), "", lambda key: printed.of_everybody(key[0])),
    )


def gap(contrasts: pd.DataFrame, means: pd.DataFrame, labels: Labels, *, unit: str) -> Table:
    """Lay out how far organisations are apart, a column per wave; if there are more than two, also how that changed."""
    found = Estimates(means, labels, unit, contrasts)
    every, waves = found.of(GAP), main_pair(labels.presentation)
    pairs = list(dict.fromkeys(every["organisation"]))
    further = found.of(DIFFERENCE, waves.contrast) if waves and len(pairs) > 1 else every[:0]
    chosen = printed.known_or_withheld(stacked(every, further))
    rows = {(row.organisation, row.scale, row.wave): row for row in records(chosen)}
    order = (*labels.presentation.waves, *dict.fromkeys(further["wave"]))
    shown = [wave for wave in order if wave in set(chosen["wave"])]
    last = max((at for at, wave in enumerate(shown) if BETWEEN not in wave), default=0)
    nouns = labels.presentation.nouns.organisation
    # Those that are all compared with the same are one family of tests (see `surveywaves.mixed.contrasts`).
    others = {name.partition(BETWEEN)[2] for name in pairs} if len(pairs) > 1 else set()
    alone = f": {labels.organisation(pairs[0])}" if len(pairs) == 1 else ""

    def heads(wave: str) -> list[Column]:
        if BETWEEN in wave:
            return found.heads("Points", group=f"Difference in change, {labels.wave(wave)}")
        return found.heads("Gap", group=labels.wave(wave))

    return laid_out(
        f"Gaps between {nouns[1]}{alone}, {found.in_words}",
        [
            (name, scale, own)
            for name in pairs
            for scale in labels.scales_in(chosen)
            if any(own := [rows.get((name, scale, wave)) for wave in shown])
        ],
        [
            ("Scale", lambda row: found.scale(row[1])),
            ([*chain(*map(heads, shown))], lambda row: chain(*map(found.contrast, row[2]))),
        ],
        stacked(every, further),
        f"Above zero: the {nouns[0]} named first is higher.",
        *found.notes(
            chosen,
            "higher",
            "lower",
            "gap",
            family=f"scales and {nouns[1]}" if len(others) == 1 else "scales",
        ),
        _missing(every, chosen, labels),
        section=lambda row: labels.organisation(row[0]) if len(pairs) > 1 else "",
        ranked=("", _decided("gap"), lambda row: printed.clearness(row[2][last])),
    )


# --- notes --------------------------------------------------------------------------------------------------------


def _missing(frame: pd.DataFrame, shown: pd.DataFrame, labels: Labels) -> str:
    """Say which scales have no row, and why."""
    gone = frame[~frame["scale"].isin(set(shown["scale"]))].drop_duplicates("scale")
    told = [(labels.scale(row.scale), STATUS.get(row.status, row.status), row.note) for row in records(gone)]
    return without(told, labels.presentation)


def _people(frame: pd.DataFrame, labels: Labels) -> str:
    """Return a note on how many respondents the estimates of each group rest on; many organisations share one range."""
    groups, said = _groups(frame, labels), []
    for name in groups if len(groups) <= printed.MANY else [*(name for name in groups if name == ALL), ""]:
        own = frame[frame["organisation"] == name] if name else frame[frame["organisation"] != ALL]
        sizes = own["n"].dropna()
        told = list(dict.fromkeys(map(whole, (sizes.min(), sizes.max())))) if len(sizes) else []
        hidden = [WITHHELD] if any(printed.is_withheld(row, "n") for row in records(own)) else []
        if text := " or ".join(filter(None, (" to ".join(told), *hidden))):
            each = f"each {labels.presentation.nouns.organisation[0]}"
            said.append(f"{labels.organisation(name) if name else each} {text}")
    return f"n: {'; '.join(said)}." if said else ""


def _decided(kind: str) -> str:
    """Return words for the contrasts that are shown if there are many."""
    return f"the {kind}s with a decision (of many, those largest for their standard errors)"


def _groups(frame: pd.DataFrame, labels: Labels) -> list[str]:
    """List the organisations of a frame in the study's order, then everybody, unless there is one organisation only."""
    present, all_there = set(frame["organisation"]), labels.presentation.organisations
    known = [name for name in all_there if name in present]
    return known + [ALL] * (ALL in present and (len(known) != 1 or len(all_there) > 1))


def _partial(found: Estimates) -> Iterator[str]:
    """Say which waves asked fewer scales, or not everybody."""
    labels, there = found.labels, printed.known_or_withheld(found.levels)
    scales, known = there["scale"].nunique(), labels.presentation.organisations
    for wave in labels.presentation.waves:
        own = there[there["wave"] == wave]
        asked, present = own["scale"].nunique(), [name for name in known if name in set(own["organisation"])]
        said = [f"{asked} of {scales} scales"] if asked < scales else []
        if 0 < len(present) < len(known):
            said.append(f"of {printed.who(present, labels)} only")
        if asked and said:
            yield f"{labels.wave(wave)} asked {', '.join(said)}."
