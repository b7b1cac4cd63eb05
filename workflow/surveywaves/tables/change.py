"""What moved: levels, changes and gaps of every scale, in one of the units that the report shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
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


def change(contrasts: pd.DataFrame, means: pd.DataFrame, labels: Labels, *, unit: str) -> Table:
    """Lay out the change of every scale between the two waves that the report compares.

    Up to two organisations stand beside each other, with the difference in change; more below each other.
    """
    if (waves := main_pair(labels.presentation)) is None:
        return Table("", "")
    found = Estimates(means, labels, unit, contrasts)
    own = found.levels[found.levels["wave"].isin([waves.first, waves.last])]
    every = found.of(CHANGE, waves.contrast)
    chosen, apart = (
        printed.known_or_withheld(every),
        printed.known_or_withheld(found.of(DIFFERENCE, waves.contrast)),
    )
    moved = {(row.scale, row.organisation): row for row in records(stacked(chosen, apart))}
    groups, scales = _groups(chosen, labels), labels.scales_in(chosen)
    wide = len(set(groups) - {ALL}) <= SIDE_BY_SIDE
    parted = list(dict.fromkeys(apart["organisation"])) if wide else []

    above = [labels.organisation(name) if wide and len(groups) > 1 else "" for name in groups]
    beside = [groups] if wide else [[name] for name in groups]
    confidence = f"({labels.confidence} CI)"
    heads = (labels.wave(waves.first), labels.wave(waves.last), f"Change {confidence}", "Adj. p")

    def named(row: tuple[str, list[str]]) -> Cell:
        scale, names = row
        return (
            found.scale(scale)
            if wide
            else Cell(labels.organisation(names[0])).noted(found.low.get(scale, ""))
        )

    def rank(row: tuple[str, list[str]]) -> float | None:
        scale, (name, *_) = row
        return None if name == ALL else printed.clearness(moved.get((scale, name)))

    return laid_out(
        f"Change of each scale, {heads[0]} to {heads[1]}: {found.in_words}",
        [(scale, names) for scale in scales for names in beside],
        [
            (Column("Scale" if wide else labels.presentation.nouns.organisation[0].capitalize()), named),
            *(
                (
                    [numbers(head, group) for head in heads],
                    lambda row, at=at: found.change(moved.get((row[0], row[1][at]))),
                )
                for at, group in enumerate(above if wide else above[:1])
            ),
            *(
                (
                    [
                        numbers(head, f"Difference in change: {labels.organisation(name)}")
                        for head in (f"Points {confidence}", "Adj. p")
                    ],
                    lambda row, name=name: found.contrast(moved.get((row[0], name))),
                )
                for name in parted
            ),
        ],
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
    contrasts_there, scales = list(dict.fromkeys(chosen["wave"])), labels.scales_in(chosen)

    def section(row: Any) -> str:
        return printed.when(row.wave, labels) + (
            "" if several else f", {labels.organisation(row.organisation)}"
        )

    return laid_out(
        f"Change of each scale between other waves: {found.in_words}",
        sorted(records(chosen), key=lambda row: (contrasts_there.index(row.wave), scales.index(row.scale))),
        [
            (Column("Scale"), lambda row: found.scale(row.scale)),
            several and printed.whose(labels),
            ([*map(numbers, ("First", "Last", f"Change ({labels.confidence} CI)", "Adj. p"))], found.change),
        ],
        stacked(found.levels, every) if len(every) else every,
        *found.notes(chosen, "rose", "fell", "change"),
        *_partial(found),
        heads=2 if several else 1,
        section=section,
        ranked=("", _decided("change"), printed.clearness),
    )


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


def levels(means: pd.DataFrame, labels: Labels, *, unit: str) -> Table:
    """Lay out the level of every scale in every wave, with its interval; organisations beside or below each other."""
    found = Estimates(means, labels, unit)
    chosen = printed.known_or_withheld(found.levels)
    cells = set(zip(chosen["wave"], chosen["organisation"], strict=True))
    groups = _groups(chosen, labels)
    waves = [wave for wave in labels.presentation.waves if any((wave, name) in cells for name in groups)]
    wide = len(cells) <= MANY_CELLS
    several = wide and len(groups) > 1
    beside = [(wave, name) for name in groups for wave in waves if (wave, name) in cells]

    def cell(scale: str, wave: str, name: str) -> Cell:
        row = found.level.get((scale, wave, name))
        # Who was not asked is said once, below the table.
        shown = None if row is not None and str(row.note).startswith("nobody") else row
        return printed.estimate(shown, labels, decimals=found.decimals, bounds=True)

    def column(wave: str, name: str) -> Column:
        if several and len(waves) == 1:
            return numbers(labels.organisation(name))
        return numbers(labels.wave(wave), labels.organisation(name) if several else "")

    return laid_out(
        f"Level of each scale{' in every wave' if len(waves) > 1 else ''}: {found.in_words}",
        [(name, scale) for name in (groups[:1] if wide else groups) for scale in labels.scales_in(chosen)],
        [
            (Column("Scale"), lambda row: found.scale(row[1])),
            *(
                (column(wave, name), lambda row, wave=wave, name=name: cell(row[1], wave, name or row[0]))
                for wave, name in (beside if wide else [(wave, "") for wave in waves])
            ),
        ],
        found.levels,
        f"In brackets: {labels.confidence} confidence intervals.",
        ""
        if found.percent
        else "From 1 to the number of response options; higher means more of what the scale measures.",
        *_partial(found),
        _people(chosen, labels),
        section=lambda row: "" if wide else labels.organisation(row[0]),
        ranked=not wide and (lower(labels.organisation(ALL)), "", lambda row: printed.of_everybody(row[0])),
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
    listing = [
        (organisation, scale, own)
        for organisation in pairs
        for scale in labels.scales_in(chosen)
        if any(own := [rows.get((organisation, scale, wave)) for wave in shown])
    ]
    last = max((at for at, wave in enumerate(shown) if BETWEEN not in wave), default=0)
    nouns = labels.presentation.nouns.organisation
    # Those that are all compared with the same are one family of tests (see `surveywaves.mixed.contrasts`).
    others = {name.partition(BETWEEN)[2] for name in pairs} if len(pairs) > 1 else set()
    family = f"scales and {nouns[1]}" if len(others) == 1 else "scales"
    alone = f": {labels.organisation(pairs[0])}" if len(pairs) == 1 else ""

    def columns(wave: str) -> list[Column]:
        differs = BETWEEN in wave
        above = f"Difference in change, {labels.wave(wave)}" if differs else labels.wave(wave)
        return [
            numbers(head, above)
            for head in (f"{'Points' if differs else 'Gap'} ({labels.confidence} CI)", "Adj. p")
        ]

    return laid_out(
        f"Gaps between {nouns[1]}{alone}, {found.in_words}",
        listing,
        [
            (Column("Scale"), lambda row: found.scale(row[1])),
            *(
                (columns(wave), lambda row, at=at: found.contrast(row[2][at]))
                for at, wave in enumerate(shown)
            ),
        ],
        stacked(every, further),
        f"Above zero: the {nouns[0]} named first is higher.",
        *found.notes(chosen, "higher", "lower", "gap", family=family),
        _missing(every, chosen, labels),
        section=lambda row: labels.organisation(row[0]) if len(pairs) > 1 else "",
        ranked=("", _decided("gap"), lambda row: printed.clearness(row[2][last])),
    )
