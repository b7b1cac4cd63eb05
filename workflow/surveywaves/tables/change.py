"""What moved: levels, changes and gaps of every scale, in one of the units that the report shows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from operator import itemgetter
from typing import Any, Final

import pandas as pd

from surveywaves.findings import (
    CHANGE,
    DIFFERENCE,
    GAP,
    contrast_rows,
    in_whole_numbers,
    level_rows,
    main_pair,
)
from surveywaves.tables import printed
from surveywaves.tables.layout import Cell, Maker, Ranked, Table, by, everybody, laid_out, numbers, stacked
from surveywaves.terms import ALL, BETWEEN, LOW_RELIABILITY_MARK, PERCENT_FAVOURABLE
from surveywaves.tidy import tuples
from surveywaves.words import (
    WITHHELD,
    Labels,
    absent,
    as_float,
    is_missing,
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
OVER_ALL: Final = "Not the difference between the levels, which are over every statement that the wave asked."


@dataclass(frozen=True)
class Estimates:
    """Levels and contrasts in one unit: by what they are of, as columns of a table, and how they are to be read."""

    means: pd.DataFrame
    """As released."""
    labels: Labels
    """The study in words."""
    unit: str
    """One of `surveywaves.catalogue.SHOWN_UNITS`."""
    contrasts: pd.DataFrame = field(default_factory=pd.DataFrame)
    """As released; empty where there are none."""

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
    def level(self) -> dict[Any, Any]:
        """Scale, wave, organisation -> level."""
        return by(self.levels, "scale", "wave", "organisation")

    def of(self, kind: str, wave: str | None = None) -> pd.DataFrame:
        """Choose the contrasts of one kind, of one wave or all."""
        return contrast_rows(self.contrasts, self.unit, kind, wave=wave)

    def printed(self, row: Any, *, signed: bool = False, bounds: bool = False) -> Cell:
        """Print a level or a contrast; without decimals where it and its like were released in whole numbers."""
        whole = row is not None and (row.scale, row.organisation) in self._whole
        decimals = 0 if whole else self.decimals
        return printed.estimate(row, self.labels, decimals=decimals, signed=signed, bounds=bounds)

    @cached_property
    def _whole(self) -> set[tuple[str, str]]:
        return in_whole_numbers(self.means, self.contrasts, self.unit)

    # --- columns --------------------------------------------------------------------------------------------------

    def scale(self, name: str, words: str = "") -> Cell:
        """Name a scale, or what else is meant of it; low reliability is noted."""
        return Cell(words or self.labels.scale(name)).noted(self._low.get(name, ""))

    @cached_property
    def _low(self) -> dict[str, str]:
        """Scale of low reliability -> its note."""
        told = ((row.scale, part) for row in records(self.contrasts) for part in printed.parts_of(row.note))
        return {
            scale: printed.sentence(part) for scale, part in told if part.startswith(LOW_RELIABILITY_MARK)
        }

    def compared(self, contrast: Callable[[Any], Any], head: str, group: str = "") -> Maker:
        """Make the columns of a contrast and of its adjusted p; `contrast` finds it for a row."""
        heads = (f"{head} ({self.labels.confidence} CI)", "Adj. p")
        return [numbers(one, group) for one in heads], lambda about: self._contrast(contrast(about))

    def changed(self, contrast: Callable[[Any], Any], first: str, last: str, group: str = "") -> Maker:
        """Make the columns of both levels, of the change and of its adjusted p."""
        heads = [first, last, f"Change ({self.labels.confidence} CI)", "Adj. p"]

        def cells(about: Any) -> tuple[Cell, ...]:
            if (row := contrast(about)) is None:
                return (printed.NOTHING,) * 4
            waves = pair(row.wave) or ("", "")
            levels = [self.level.get((row.scale, wave, row.organisation)) for wave in reversed(waves)]
            before, after = map(self.printed, levels)
            moved, p = self._contrast(row)
            if moved.more and printed.differ(before, after, moved):
                moved = moved.noted(OVER_ALL if printed.remarks(row.note, self.labels) else BEFORE_ROUNDING)
            return before, after, moved, p

        return [numbers(head, group) for head in heads], cells

    def _contrast(self, row: Any) -> tuple[Cell, Cell]:
        """Print a contrast with its interval, the sign of its decision and its own remarks; and its adjusted p."""
        cell = self.printed(row, signed=True, bounds=True)
        if row is not None and not is_missing(row.estimate):
            cell = cell.noted(*printed.remarks(row.note, self.labels))
        return printed.decided(cell, row), printed.p(row)

    # --- notes ----------------------------------------------------------------------------------------------------

    def notes(
        self, rows: pd.DataFrame, up: str, down: str, kind: str, *, family: str = "scales"
    ) -> Iterator[str]:
        """Yield notes on how to read contrasts: unit, signs, the smallest effect, adjustment, people."""
        yield "Percentage points of favourable answers." if self.percent else "Points of the response scale."
        smallest = rows["smallest"].dropna() if "smallest" in rows else rows["estimate"][:0]
        if len(smallest):
            low, high = (number(value, self.decimals) for value in (smallest.min(), smallest.max()))
            size = f"±{low}" if low == high else f"±{low} to ±{high}, by scale"
            (rise, _), (fall, _), (same, _) = printed.SIGNS.values()
            yield (
                f"{rise} {up}, {fall} {down}, {same} no meaningful {kind}: decided on adjusted p by tests of "
                f"difference and of equivalence (smallest effect of interest {size}). "
                f"No sign: inconclusive, which is not the same as no {kind}."
            )
        yield (
            f"In brackets: {self.labels.confidence} confidence intervals, not adjusted. "
            f"p: adjusted for the number of {family}."
        )
        told = (part for note in rows["note"] for part in printed.parts_of(note))
        for weighted in [part for part in told if part.startswith(printed.WEIGHTED)][:1]:
            yield f"{self.labels.organisation(ALL)}: {self.labels.readable(weighted)}."

    def missing(self, frame: pd.DataFrame, shown: pd.DataFrame) -> str:
        """Return a note on which scales have no row, and why."""
        gone = frame[~frame["scale"].isin(set(shown["scale"]))].drop_duplicates("scale")
        told = [(self.labels.scale(row.scale), absent(row.status), row.note) for row in records(gone)]
        return without(told, self.labels.presentation)

    def people(self, frame: pd.DataFrame) -> str:
        """Return a note on the respondents behind each group's estimates; many organisations share one range."""
        labels, groups, said = self.labels, self.groups(frame), []
        for name in (
            groups if len(groups) <= printed.MANY else [*(name for name in groups if name == ALL), ""]
        ):
            own = frame[frame["organisation"] == name] if name else frame[frame["organisation"] != ALL]
            sizes = own["n"].dropna()
            told = list(dict.fromkeys(map(whole, (sizes.min(), sizes.max())))) if len(sizes) else []
            hidden = [WITHHELD] if any(printed.is_withheld(row, "n") for row in records(own)) else []
            if text := " or ".join(filter(None, (" to ".join(told), *hidden))):
                each = f"each {labels.presentation.nouns.organisation[0]}"
                said.append(f"{labels.organisation(name) if name else each} {text}")
        return f"n: {'; '.join(said)}." if said else ""

    def partial(self) -> Iterator[str]:
        """Yield a note for each wave that asked fewer scales, or did not ask everybody."""
        labels, there = self.labels, printed.known_or_withheld(self.levels)
        scales, known = there["scale"].nunique(), labels.presentation.organisations
        for wave in labels.presentation.waves:
            own = there[there["wave"] == wave]
            asked, present = (
                own["scale"].nunique(),
                [name for name in known if name in set(own["organisation"])],
            )
            said = [f"{asked} of {scales} scales"] if asked < scales else []
            if 0 < len(present) < len(known):
                said.append(f"of {printed.who(present, labels)} only")
            if asked and said:
                yield f"{labels.wave(wave)} asked {', '.join(said)}."

    def groups(self, frame: pd.DataFrame) -> list[str]:
        """List the organisations of a frame in the study's order, then everybody, unless there is only one of them."""
        present, all_there = set(frame["organisation"]), self.labels.presentation.organisations
        known = [name for name in all_there if name in present]
        return known + [ALL] * (ALL in present and (len(known) != 1 or len(all_there) > 1))


# --- tables -------------------------------------------------------------------------------------------------------


def change(contrasts: pd.DataFrame, means: pd.DataFrame, labels: Labels, *, unit: str) -> Table:
    """Return the change of every scale between the two waves that the report compares.

    Up to two organisations stand beside each other, with the difference in change; more below each other.
    """
    if (waves := main_pair(labels.presentation)) is None:
        return Table("", "")
    found = Estimates(means, labels, unit, contrasts)
    own = found.levels[found.levels["wave"].isin([waves.first, waves.last])]
    every = found.of(CHANGE, waves.contrast)
    chosen, apart = map(printed.known_or_withheld, (every, found.of(DIFFERENCE, waves.contrast)))
    moved = by(stacked(chosen, apart), "scale", "organisation")
    groups = found.groups(chosen)
    wide = len(set(groups) - {ALL}) <= SIDE_BY_SIDE
    beside, below = (groups, [""]) if wide else ([""], groups)
    first, last = labels.wave(waves.first), labels.wave(waves.last)
    organisation = labels.presentation.nouns.organisation[0].capitalize()

    def of(name: str) -> Callable[[Any], Any]:
        return lambda row: moved.get((row[0], name or row[1]))

    def above(name: str) -> str:
        return labels.organisation(name) if name and len(groups) > 1 else ""

    return laid_out(
        f"Change in each scale, {first} to {last}: {found.in_words}",
        [(scale, name) for scale in labels.scales_in(chosen) for name in below],
        [
            ("Scale" if wide else organisation, lambda row: found.scale(row[0], above(row[1]))),
            *(found.changed(of(name), first, last, above(name)) for name in beside),
            *(
                found.compared(of(name), "Points", f"Difference in change: {labels.organisation(name)}")
                for name in dict.fromkeys(apart["organisation"])
                if wide
            ),
        ],
        stacked(own, every, apart) if len(every) else every,
        *found.notes(chosen, "rose", "fell", "change"),
        found.people(chosen),
        found.missing(every, chosen),
        section=lambda row: "" if wide else labels.scale(row[0]),
        ranked=not wide and everybody(labels, itemgetter(1), clearest("change", of(""))),
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
        f"Change in each scale between other waves: {found.in_words}",
        sorted(records(chosen), key=lambda row: (pairs.index(row.wave), scales.index(row.scale))),
        [
            ("Scale", lambda row: found.scale(row.scale)),
            several and printed.whose(labels),
            found.changed(lambda row: row, "First", "Last"),
        ],
        stacked(found.levels, every) if len(every) else every,
        *found.notes(chosen, "rose", "fell", "change"),
        *found.partial(),
        heads=2 if several else 1,
        section=section,
        ranked=clearest("change", lambda row: row),
    )


def levels(means: pd.DataFrame, labels: Labels, *, unit: str) -> Table:
    """Return the level of every scale in every wave, with its interval; organisations beside or below each other."""
    found = Estimates(means, labels, unit)
    chosen = printed.known_or_withheld(found.levels)
    there = set(tuples(chosen, "wave", "organisation"))
    groups = found.groups(chosen)
    waves = [wave for wave in labels.presentation.waves if any((wave, name) in there for name in groups)]
    wide = len(there) <= MANY_CELLS
    beside, below = (groups, [""]) if wide else ([""], groups)

    def column(name: str, wave: str) -> Maker:
        above = labels.organisation(name) if wide and len(groups) > 1 else ""
        heads = (above, "") if above and len(waves) == 1 else (labels.wave(wave), above)

        def cell(about: tuple[str, str]) -> Cell:
            row = found.level.get((about[1], wave, name or about[0]))
            # Who was not asked is said once, below the table.
            asked = row is not None and not str(row.note).startswith("nobody")
            return found.printed(row if asked else None, bounds=True)

        return numbers(*heads), cell

    return laid_out(
        f"Level of each scale{' in every wave' if len(waves) > 1 else ''}: {found.in_words}",
        [(name, scale) for name in below for scale in labels.scales_in(chosen)],
        [
            ("Scale", lambda row: found.scale(row[1])),
            *(column(name, wave) for name in beside for wave in waves if not name or (wave, name) in there),
        ],
        found.levels,
        f"In brackets: {labels.confidence} confidence intervals.",
        not found.percent
        and "From 1 to the number of response options; a higher mean is more of what the scale measures.",
        *found.partial(),
        found.people(chosen),
        section=lambda row: "" if wide else labels.organisation(row[0]),
        ranked=not wide and everybody(labels, itemgetter(0)),
    )


def gap(contrasts: pd.DataFrame, means: pd.DataFrame, labels: Labels, *, unit: str) -> Table:
    """Return how far organisations are apart, a column per wave; if there are more than two, also how that changed."""
    found = Estimates(means, labels, unit, contrasts)
    every, waves = found.of(GAP), main_pair(labels.presentation)
    pairs = list(dict.fromkeys(every["organisation"]))
    further = found.of(DIFFERENCE, waves.contrast) if waves and len(pairs) > 1 else every[:0]
    chosen = printed.known_or_withheld(stacked(every, further))
    rows, there = by(chosen, "organisation", "scale", "wave"), set(chosen["wave"])
    shown = [wave for wave in labels.presentation.waves if wave in there]
    apart = [wave for wave in dict.fromkeys(further["wave"]) if wave in there]
    known = set(tuples(chosen, "organisation", "scale"))
    nouns = labels.presentation.nouns.organisation
    # Those that are all compared with the same are one family of tests (see `surveywaves.mixed.contrasts`).
    others = {name.partition(BETWEEN)[2] for name in pairs} if len(pairs) > 1 else set()
    alone = f": {labels.organisation(pairs[0])}" if len(pairs) == 1 else ""

    def of(wave: str) -> Callable[[Any], Any]:
        return lambda row: rows.get((*row, wave))

    return laid_out(
        f"Gaps between {nouns[1]}{alone}, {found.in_words}",
        [(name, scale) for name in pairs for scale in labels.scales_in(chosen) if (name, scale) in known],
        [
            ("Scale", lambda row: found.scale(row[1])),
            *(found.compared(of(wave), "Gap", labels.wave(wave)) for wave in shown),
            *(
                found.compared(of(wave), "Points", f"Difference in change, {labels.wave(wave)}")
                for wave in apart
            ),
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
        found.missing(every, chosen),
        section=lambda row: labels.organisation(row[0]) if len(pairs) > 1 else "",
        ranked=clearest("gap", of((shown or apart or [""])[-1])),
    )


def clearest(kind: str, contrast: Callable[[Any], Any]) -> Ranked:
    """Rank rows whose contrast has a decision by how many standard errors it is; `contrast` finds that of a row."""

    def rank(about: Any) -> float:
        row = contrast(about)
        error = as_float(getattr(row, "std_error", None))
        return float(row.estimate) / error if error > 0 and row.decision in printed.SIGNS else math.nan

    return "", f"the {kind}s with a decision (of many, those largest for their standard errors)", rank
