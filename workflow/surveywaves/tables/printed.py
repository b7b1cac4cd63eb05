"""Cells for numbers: each holds the number, its sign where it is withheld, or a dash and a note that says why."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

import pandas as pd

from surveywaves import words
from surveywaves.tables.layout import Cell, Maker
from surveywaves.terms import LOW_RELIABILITY_MARK, Decision, Status
from surveywaves.text import listed
from surveywaves.words import (
    MINUS,
    NONE,
    STATUS,
    WITHHELD,
    Labels,
    as_float,
    interval,
    is_missing,
    opening,
    p_value,
    pair,
    percentage,
    whole,
)

NOTHING: Final = Cell(NONE, math.nan, tone="muted")
"""Where there is nothing to print."""

HIDDEN: Final = Cell(WITHHELD, math.nan, tone="muted")
"""Where a number is withheld."""


def is_withheld(row: Any, what: str) -> bool:
    """Whether a row of a released table, or None, lacks what a column holds because the disclosure rule withholds it.

    An `n` may be withheld beside an estimate that is shown.
    """
    if row is None or not (is_missing(value := getattr(row, what, None)) or value == ""):
        return False
    beside = what == "n" and not is_missing(getattr(row, "estimate", None))
    return beside or getattr(row, "status", "") == Status.WITHHELD


def known_or_withheld(frame: pd.DataFrame) -> pd.DataFrame:
    """Choose the rows whose estimate is released or withheld, not those without one."""
    return frame[frame["estimate"].notna() | (frame["status"] == Status.WITHHELD)]


def number(row: Any, what: str, written: Callable[[Any], str]) -> Cell:
    """Print what a column of a row, or of None, holds, as it is `written`; or that it is withheld; or a dash."""
    if is_withheld(row, what):
        return HIDDEN
    value: Any = None if row is None else getattr(row, what, None)
    return NOTHING if is_missing(value) else Cell(written(value), as_float(value))


def count(row: Any, what: str = "n") -> Cell:
    """Print a count."""
    return number(row, what, whole)


def p(row: Any, what: str = "p_adjusted") -> Cell:
    """Print a p-value."""
    return number(row, what, p_value)


def count_and_percent(row: Any) -> Cell:
    """Print a count and its percentage as publications do, n (%), as far as they are not withheld."""
    n, percent = count(row), number(row, "percent", percentage)
    if percent.text in (n.text, NONE):
        return n
    return replace(n, text=f"{n.text} ({percent.text})", more=(as_float(percent.value),))


def decimals_of(row: Any, most: int) -> int:
    """Count the decimals that an estimate warrants: to two figures of its standard error, `most` at most."""
    error = as_float(getattr(row, "std_error", None))
    if not math.isfinite(error) or error <= 0:
        return most
    return min(most, max(0, 1 - math.floor(math.log10(error))))


def estimate(
    row: Any, labels: Labels, *, decimals: int = 2, signed: bool = False, bounds: bool = False
) -> Cell:
    """Print an estimate, with its interval if asked; a dash with the reason below where there is none.

    It has fewer `decimals` where it was released with fewer.
    """
    if row is None or is_withheld(row, "estimate"):
        return number(row, "estimate", str)
    if is_missing(row.estimate):
        return NOTHING.noted(sentence(labels.readable(row.note) or STATUS.get(row.status, "")))
    places = decimals_of(row, decimals)
    text = words.number(row.estimate, places, signed=signed)
    ends: tuple[float, ...] = ()
    if bounds and not is_missing(row.conf_low) and not is_missing(row.conf_high):
        text = f"{text} ({interval(row.conf_low, row.conf_high, decimals=places)})"
        ends = (float(row.conf_low), float(row.conf_high))
    note = sentence(words.absent(row.status)) if row.status != Status.OK else ""
    return Cell(text, as_float(row.estimate), ends).noted(note)


SIGNS: Final[Mapping[str, tuple[str, str]]] = {
    Decision.INCREASE: ("▲", "up"),
    Decision.DECREASE: ("▼", "down"),
    Decision.NO_MEANINGFUL_CHANGE: ("○", ""),
}
"""Decision -> sign and tone; what is inconclusive has none."""


def decided(cell: Cell, row: Any) -> Cell:
    """Put the sign of a decision in front of its estimate."""
    sign, tone = SIGNS.get(getattr(row, "decision", ""), ("", ""))
    return replace(cell, text=f"{sign} {cell.text}", tone=tone or cell.tone) if sign else cell


def differ(first: Cell, last: Cell, change: Cell) -> bool:
    """Whether a printed change is not the difference of the printed levels, where there are levels."""
    if is_missing(first.value) or is_missing(last.value):
        return False
    values = (cell.text.partition(" (")[0].lstrip("▲▼○ ") for cell in (first, last, change))
    before, after, moved = (Decimal(text.replace(MINUS, "-").replace(",", "")) for text in values)
    return after - before != moved


WEIGHTED: Final = "organisations weighted"
"""Start of the part of a note that explains how the estimate of all together is made up."""


def parts_of(note: Any) -> list[str]:
    """Split a note into its parts."""
    return [] if is_missing(note) else [part for part in str(note).split("; ") if part]


def remarks(note: Any, labels: Labels) -> list[str]:
    """Return what a contrast's note says about that contrast alone, a sentence for each part."""
    own = (part for part in parts_of(note) if not part.startswith((WEIGHTED, LOW_RELIABILITY_MARK)))
    return [sentence(labels.readable(part)) for part in own]


def sentence(text: str) -> str:
    """Return words as a sentence, with a capital and a full stop."""
    text = text.strip()
    return f"{opening(text)}{'' if text.endswith(('.', '?', '!')) else '.'}" if text else ""


def unweighted(frame: pd.DataFrame) -> str:
    """Return the note that counts and percentages are unweighted, if there are weighted ones."""
    there = any(name.startswith("weighted_") and frame[name].notna().any() for name in map(str, frame))
    return "Counts and percentages are not weighted." if there else ""


def who(names: Sequence[str], labels: Labels) -> str:
    """List organisations by name or, if they are many, by how many of all they are."""
    everyone = labels.presentation.organisations
    if len(names) <= MANY:
        return listed([labels.organisation(name) for name in names])
    if len(names) == len(everyone):
        return f"all {whole(len(names))}"
    return f"{whole(len(names))} of {whole(len(everyone))} {labels.presentation.nouns.organisation[1]}"


MANY: Final = 6
"""Most organisations that are named one by one."""


def whose(labels: Labels) -> Maker:
    """Make the column that names the organisation of a row."""
    head = labels.presentation.nouns.organisation[0].capitalize()
    return head, lambda row: labels.organisation(row.organisation)


def when(wave: str, labels: Labels) -> str:
    """Name the wave of an estimate or, for a change, both: "first to last"."""
    sides = pair(wave)
    return f"{labels.wave(sides[1])} to {labels.wave(sides[0])}" if sides else labels.wave(wave)
