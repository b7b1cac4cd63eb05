"""What the cells of one layout say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from surveywaves.errors import Mistake
from surveywaves.harmonise.cells import (
    BLANK,
    STATE,
    Column,
    Meanings,
    States,
    decode,
    unknown_labels,
    weights,
)
from surveywaves.harmonise.columns import RawColumns, Wanted, assign, unclaimed
from surveywaves.harmonise.crosswalk import ORGANISATION, Question, Words, constants_of, questions_of
from surveywaves.ingest import INGEST_COLUMNS, UNRESOLVED
from surveywaves.study.models import Missing
from surveywaves.study.parts import HarmonisingPart
from surveywaves.wording import normalise

NOT_ASKED: Final = STATE[Missing.NOT_ASKED]
SKIPPED: Final = STATE[Missing.SKIPPED]
INVALID: Final = STATE[Missing.INVALID]
BROKE_OFF: Final = STATE[Missing.BROKE_OFF]
LEAVES_NO_TRACE: Final = (BLANK, NOT_ASKED, BROKE_OFF)
"""What stands in a cell that the respondent need not have seen."""


@dataclass(slots=True)
class Answers:
    """A wave as it fills up, layout by layout.

    Parameters
    ----------
    states
        Column of the harmonised data -> what its cells are, for every return of the wave.
    weight
        Survey weight of every return.
    problems
        Cells that were not taken as they stood, with the return's `place` in the wave.
    recodings
        Rows of the table of recodings.
    """

    states: dict[str, States]
    weight: NDArray[np.float64]
    problems: list[pd.DataFrame]
    recodings: list[tuple[object, ...]]

    @classmethod
    def empty(cls, part: HarmonisingPart, size: int, rescaled: Iterable[str]) -> Answers:
        """Start with returns that were asked nothing and weigh 1."""
        names = (ORGANISATION, *part.known_variables, *part.items, *rescaled)
        return cls({name: np.full(size, NOT_ASKED, np.int16) for name in names}, np.ones(size), [], [])


@dataclass(frozen=True, slots=True)
class LayoutReading:
    """The cells of a layout."""

    cells: pd.DataFrame
    rows: NDArray[np.intp]
    raw: RawColumns
    part: HarmonisingPart
    layout: str
    where: str

    def column(self, place: int) -> pd.Series:
        """Take the layout's part of a raw column."""
        return self.taken(self.cells.iloc[:, len(INGEST_COLUMNS) + place])

    def taken(self, column: pd.Series) -> pd.Series:
        """Take the layout's part of a column."""
        return column if len(self.rows) == len(self.cells) else column.take(self.rows)

    @property
    def origin(self) -> pd.DataFrame:
        """Name the file and row of every return."""
        return pd.DataFrame({name: self.taken(self.cells[name]) for name in ("file", "row")})


def read(reading: LayoutReading, words: Words, wave: Answers) -> list[Mistake]:
    """Fill in what a layout's cells say, and name what they say that the study does not explain."""
    part, raw, where = reading.part, reading.raw, reading.where
    layout = part.layouts[reading.layout]
    questions = list(questions_of(part, words, reading.layout))
    others = [
        Wanted(use, column, shared=True)
        for use, column in (("weight", layout.weight), ("respondent", layout.respondent))
        if column
    ]
    places, mistakes = assign([*(question.wanted for question in questions), *others], raw, where=where)
    for place in unclaimed(raw, [place for place in places if place is not None], ignore=layout.ignore):
        if not _is_identifier(reading, place):
            what = f"column `{raw.names[place]}` is neither mapped nor ignored"
            mistakes.append(Mistake(where, what, "map it, or list it under `ignore` of the layout"))
    constants = constants_of(part, reading.layout)
    for name in sorted({question.variable for question in questions} & set(constants)):
        what = f"has a column and is always `{constants[name]}`"
        mistakes.append(Mistake(f"{where}: {name}", what, "drop one of the two"))
    for name, level in constants.items():
        wave.states[name][reading.rows] = words.levels[name].index(level) + 1
    weighted = places[len(questions)] if layout.weight else None
    if weighted is not None:
        column = Column.of(reading.column(weighted))
        here = f"{where}: column `{raw.names[weighted]}`"
        wave.weight[reading.rows], more = weights(column, where=here, rows=reading.origin)
        mistakes += more
    answered = zip(places[: len(questions)], questions, strict=True)
    found = [(place, question) for place, question in answered if place is not None]
    return mistakes + _read_answers(reading, found, wave)


def _read_answers(
    reading: LayoutReading, questions: list[tuple[int, Question]], wave: Answers
) -> list[Mistake]:
    """Read a layout's columns from last to first: a blank after which nothing comes is a break-off."""
    origin = reading.origin
    there_later = np.zeros(len(reading.rows), dtype=np.bool_)
    mistakes: list[Mistake] = []
    recodings: list[tuple[object, ...]] = []
    for place, question in sorted(questions, key=lambda one: one[0], reverse=True):
        name = reading.raw.names[place]
        column = Column.of(reading.column(place))
        by_label, unknown = decode(column, question.meanings)
        here = f"{reading.where}: column `{name}`"
        mistakes = unknown_labels(column, unknown, question.meanings, where=here, rows=origin) + mistakes
        states = column.look_up(by_label, BLANK)
        blank = states == BLANK
        states[blank] = np.where(there_later[blank], SKIPPED, BROKE_OFF)
        there_later |= ~(blank | np.isin(states, LEAVES_NO_TRACE))
        wave.states[question.variable][reading.rows] = states
        invalid = np.flatnonzero(states == INVALID)
        if len(invalid):
            wave.problems.append(_invalid(reading, place, question, column, invalid))
        recoded = _recoded(column, by_label, states[blank], question.meanings)
        where = (reading.part.wave, reading.layout, name, question.variable)
        recodings = [(*where, *row) for row in recoded] + recodings
    wave.recodings += recodings
    return mistakes


def _is_identifier(reading: LayoutReading, place: int) -> bool:
    """Tell whether a column is the one that ingest took the file's identifiers from."""
    source = reading.taken(reading.cells["respondent_source"]).fillna("").astype("str")
    cells = reading.column(place).fillna("").astype("str")
    return bool((source != "").any() and (source.to_numpy() == cells.to_numpy()).all())


def _invalid(
    reading: LayoutReading, place: int, question: Question, column: Column, invalid: NDArray[np.intp]
) -> pd.DataFrame:
    """List the cells of a column that became `invalid`, with the places of return and column for sorting."""
    values = [column.labels[code] for code in column.codes[invalid]]
    reason = f"invalid by the {question.meanings.title}"
    return pd.DataFrame(
        {
            "wave": reading.part.wave,
            **{name: cells.to_numpy()[invalid] for name, cells in reading.origin.items()},
            "column": reading.raw.names[place],
            "value": values,
            "problem": ["the two keyings disagree" if value == UNRESOLVED else reason for value in values],
            "action": f"set to missing (`{Missing.INVALID}`)",
            "return_place": reading.rows[invalid],
            "column_place": place,
        }
    )


def _recoded(
    column: Column, by_label: NDArray[np.int16], blanks: States, meanings: Meanings
) -> Iterator[tuple[str, str, int]]:
    """Yield raw cell, value and count: labels in the order of their coding, then what blanks became."""
    order = {key: number for number, key in enumerate(meanings.states)}
    counts = column.counts
    labels = [place for place in range(len(column.labels)) if by_label[place] != BLANK]
    for place in sorted(
        labels, key=lambda p: (order.get(normalise(column.labels[p]), len(order)), column.labels[p])
    ):
        yield column.labels[place], meanings.value(int(by_label[place])), int(counts[place])
    for state in (SKIPPED, BROKE_OFF):
        if n := int((blanks == state).sum()):
            yield "", meanings.value(state), n
