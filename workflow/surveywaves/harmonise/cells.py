"""What the cells of one column mean.

Inside, every cell is one small number: above zero a value (an item's 1..K, a variable's level counted from 1), below
zero the reason of a missing value, zero a blank whose reason the rest of the row decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from surveywaves.errors import Mistake
from surveywaves.personal import personal_text
from surveywaves.study.models import Coding, VariableSource
from surveywaves.terms import UNRESOLVED, Missing
from surveywaves.text import nearest, normalise, number

States = NDArray[np.int16]

REASONS: Final = pd.CategoricalDtype([reason.value for reason in Missing])
"""Type of a column of reasons; missing where there is a value."""

BLANK: Final = 0
STATE: Final[Mapping[str, int]] = {reason.value: -number for number, reason in enumerate(Missing, start=1)}
"""Reason -> its number in a column of states."""

SHOWN: Final = 5
"""Unknown labels of a column that are listed; a comment column mapped by mistake has thousands."""
LONGEST: Final = 60
"""Characters of a label that are shown."""

_RANGE: Final = re.compile(
    r"(?P<low>\d{1,9}(?:\.\d+)?) ?- ?(?P<high>\d{1,9}(?:\.\d+)?)|(?P<least>\d{1,9}(?:\.\d+)?) ?\+"
    r"|(?P<sign>[<>]=?) ?(?P<end>\d{1,9}(?:\.\d+)?)"
)
"""Labels that are ranges of numbers: `18-29`, `65+`, `<18`, `>=65`."""

_DECIMAL: Final = re.compile(r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Meanings:
    """What the labels of a column mean."""

    title: str
    """Where the study says so: ``coding `agreement```."""
    states: Mapping[str, int]
    """Label after `normalise` -> its state."""
    labels: tuple[str, ...]
    """The labels as the study writes them."""
    words: tuple[str, ...] = ()
    """What the values 1, 2, ... are called; empty for an item, whose values are their own names."""
    others: int | None = None
    """State of a label that nothing explains; None: it is a mistake."""
    ranges: tuple[tuple[float, float, int], ...] = ()
    """Lowest and highest number and state of each label of a variable that is a range (`18-29`)."""

    def value(self, state: int) -> str:
        """Name a value or reason."""
        if state < 0:
            return list(Missing)[-state - 1].value
        return self.words[state - 1] if self.words else str(state)


def meanings_of_coding(coding: Coding, *, title: str, where: str) -> tuple[Meanings, list[Mistake]]:
    """Prepare an item's coding; see `_prepare`."""
    states = [
        (label, STATE[value.value] if isinstance(value, Missing) else value)
        for label, value in coding.values.items()  # noqa: PD011  (a field of the model, no frame)
    ]
    others = None if coding.others is None else STATE[coding.others.value]
    return _prepare(states, title=title, words=(), others=others, where=where)


def meanings_of_map(
    source: VariableSource, *, title: str, where: str, words: tuple[str, ...] = ()
) -> tuple[Meanings, list[Mistake]]:
    """Prepare the map of a variable (cell -> level or reason); see `_prepare`.

    `words` are levels in a fixed order, which go before reasons of the same name.
    """
    levels = source.map
    named = map(str, [*levels.values(), *filter(None, [source.others])])
    words = words or tuple(dict.fromkeys(level for level in named if level not in STATE))
    known = {**STATE, **{word: place for place, word in enumerate(words, start=1)}}
    states = [(label, known[str(level)]) for label, level in levels.items()]
    others = None if source.others is None else known[str(source.others)]
    found, mistakes = _prepare(states, title=title, words=words, others=others, where=where)
    return replace(found, ranges=tuple(_ranges(found.states))), mistakes


def _ranges(states: Mapping[str, int]) -> Iterator[tuple[float, float, int]]:
    """Yield lowest and highest number and state of each label that is a range."""
    for label, state in states.items():
        if not (found := _RANGE.fullmatch(label)):
            continue
        if found["sign"]:
            end, less = float(found["end"]), found["sign"].startswith("<")
            if "=" not in found["sign"]:
                end = np.nextafter(end, -np.inf if less else np.inf)
            yield (-np.inf, end, state) if less else (end, np.inf, state)
        else:
            yield float(found["low"] or found["least"]), float(found["high"] or np.inf), state


def _prepare(
    pairs: Iterable[tuple[str, int]], *, title: str, words: tuple[str, ...], others: int | None, where: str
) -> tuple[Meanings, list[Mistake]]:
    """Fold the labels, values before reasons, and name those that contradict each other or mean the empty cell."""
    states: dict[str, int] = {}
    labels: dict[str, str] = {}
    mistakes = []
    for label, state in sorted(pairs, key=lambda pair: (pair[1] < 0, abs(pair[1]), pair[0])):
        if not (key := normalise(label)):
            hint = "a blank is always `skipped`, or `broke_off` at the end of a return; drop the line"
            mistakes.append(Mistake(f"{where}: {title}", "gives a meaning to the empty cell", hint))
            continue
        if states.setdefault(key, state) != state:
            told = f"`{labels[key]}` and `{label}` are the same label with two meanings"
            mistakes.append(Mistake(f"{where}: {title}", told, "case, spacing and quote style do not count"))
        labels.setdefault(key, label)
    return Meanings(title, states, tuple(labels.values()), words, others), mistakes


@dataclass(frozen=True, slots=True)
class Column:
    """A raw column by its distinct cells."""

    codes: NDArray[np.intp]
    """Place in `labels` of each row's cell, -1 where it is blank."""
    labels: tuple[str, ...]
    """Distinct cells as they stand."""

    @classmethod
    def of(cls, cells: pd.Series) -> Column:
        """Encode a column of text."""
        codes, labels = pd.factorize(cells)
        return cls(codes, tuple(str(label) for label in labels))

    @property
    def counts(self) -> NDArray[np.intp]:
        """Count the cells of each label."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.labels))

    def first(self, label: int) -> int:
        """Return the position of the first row with a label."""
        return int(np.argmax(self.codes == label))

    def look_up(self, by_label: NDArray[np.int16], blank: int) -> States:
        """Spread what was decided for each label over the rows."""
        return np.append(by_label, np.int16(blank))[self.codes].astype(np.int16, copy=False)


def decode(column: Column, meanings: Meanings) -> tuple[NDArray[np.int16], list[int]]:
    """Return the meaning of each distinct cell of a column; where two keyings disagree it is `invalid`.

    Returns
    -------
    array of int16
        State of each of the column's labels (white space alone is a blank).
    list of int
        Labels that nothing explains; their state is a blank.
    """
    states = np.zeros(len(column.labels), dtype=np.int16)
    unknown = []
    for place, label in enumerate(column.labels):
        key = normalise(label)
        if label == UNRESOLVED:
            states[place] = STATE[Missing.INVALID]
        elif key in meanings.states:
            states[place] = meanings.states[key]
        elif key:
            unknown.append(place)
    if meanings.ranges and _are_numbers([column.labels[place] for place in unknown], column, meanings):
        for place in unknown:
            states[place] = _held(column.labels[place], meanings)
    unknown = [place for place in unknown if states[place] == BLANK]
    if meanings.others is not None:
        states[unknown] = meanings.others
        unknown = []
    return states, unknown


def _are_numbers(unknown: Sequence[str], column: Column, meanings: Meanings) -> bool:
    """Check whether unknown cells may be numbers within ranges: not if they may be codes, or cells are ranges."""
    numbers = [value for label in unknown if (value := number(label)) is not None]
    written = sum(_RANGE.fullmatch(normalise(label)) is not None for label in column.labels)
    return written < 2 and any(value not in range(len(meanings.labels) + 1) for value in numbers)


def _held(label: str, meanings: Meanings) -> int:
    """Return the state of the only range that contains a number; a blank if there is none, or several."""
    value = number(label)
    held = {state for low, high, state in meanings.ranges if value is not None and low <= value <= high}
    return held.pop() if len(held) == 1 else BLANK


def unknown_labels(
    column: Column, unknown: list[int], meanings: Meanings, *, where: str, rows: pd.DataFrame
) -> list[Mistake]:
    """Name the labels of a column that nothing explains, with the number of cells and the first of them.

    Parameters
    ----------
    rows
        `file, row` of the column's cells.
    """
    counts = column.counts
    mistakes = []
    for place in unknown[:SHOWN]:
        label = column.labels[place]
        there = f"in {_cells(counts[place])}, first in {at(rows, column.first(place))}"
        if what := personal_text(label):
            hint = f"`others: invalid` in the {meanings.title} takes it without writing it down"
            mistakes.append(Mistake(where, f"a cell that looks like {what} {there}", hint))
            continue
        near = nearest(label, meanings.labels)
        guess = f"did you mean `{near}`? " if near else ""
        if meanings.ranges and number(label) is not None:
            guess = "no range holds it, two do, or it may be a code; "
        elif len(ticks := label.replace(";", ",").split(",")) > 1 and all(
            normalise(one) in meanings.states for one in ticks
        ):
            guess = "two ticks are `invalid`; "
        hint = (
            f"{guess}add it to the {meanings.title} if it is an option; if it is somebody's own words, "
            "`others: invalid` there takes it without writing it down"
        )
        told = f"unknown label `{_short(label)}` {there}"
        mistakes.append(Mistake(where, told, hint, logged=f"unknown label {there}"))
    if rest := unknown[SHOWN:]:
        told = f"{len(rest)} more unknown labels in {_cells(counts[rest].sum())}"
        mistakes.append(Mistake(where, told, "is this the right column?"))
    return mistakes


def weights(column: Column, *, where: str, rows: pd.DataFrame) -> tuple[NDArray[np.float64], list[Mistake]]:
    """Read a column of survey weights: every return has one, a number above zero.

    A weight that is blank, zero, negative or no number is a mistake, not a guess: whether such a return counts is for
    the study to say (`exclude` of the layout).
    """
    numbers = np.array(
        [float(label) if _DECIMAL.fullmatch(label) else np.nan for label in column.labels], dtype=np.float64
    )
    good = np.isfinite(numbers) & (numbers > 0)
    found = [(int(place), f"`{_short(column.labels[place])}`") for place in np.flatnonzero(~good)]
    if (column.codes < 0).any():
        found.append((-1, "blank"))
    mistakes, hint = [], "weigh these returns, or leave them out with `exclude` of the layout"
    for place, label in found[:SHOWN]:
        first = at(rows, column.first(place))
        there = f"in {_cells((column.codes == place).sum())}, first in {first}: not a number above 0"
        mistakes.append(Mistake(where, f"the weight is {label} {there}", hint, logged=f"a weight {there}"))
    if rest := found[SHOWN:]:
        mistakes.append(Mistake(where, f"{len(rest)} more weights that are not numbers above 0"))
    return np.append(numbers, np.nan)[column.codes], mistakes


def at(rows: pd.DataFrame, place: int) -> str:
    """Name a row as its file numbers it."""
    return f"{rows['file'].iloc[place]}, row {rows['row'].iloc[place]}"


def _short(label: str) -> str:
    line = " ".join(label.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def _cells(count: int) -> str:
    return "1 cell" if count == 1 else f"{count} cells"
