"""A wave from raw cells to respondents, layout by layout."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from surveywaves.errors import CrosswalkError, Mistake
from surveywaves.harmonise.cells import (
    BLANK,
    REASONS,
    STATE,
    Column,
    Meanings,
    States,
    decode,
    unknown_labels,
    weights,
)
from surveywaves.harmonise.crosswalk import (
    Question,
    RawColumns,
    Wanted,
    Words,
    assign,
    constants_of,
    questions_of,
    raw_columns,
    repeated,
    rescaled_columns,
    unclaimed,
)
from surveywaves.harmonise.routing import filter_of, passed_by
from surveywaves.study.parts import HarmonisingPart
from surveywaves.terms import INGEST_COLUMNS, ORGANISATION, RESCALED_SUFFIX, UNRESOLVED, Missing
from surveywaves.text import normalise

NOT_ASKED: Final = STATE[Missing.NOT_ASKED]
SKIPPED: Final = STATE[Missing.SKIPPED]
INVALID: Final = STATE[Missing.INVALID]
BROKE_OFF: Final = STATE[Missing.BROKE_OFF]
LEAVES_NO_TRACE: Final = (BLANK, NOT_ASKED, BROKE_OFF)
"""What stands in a cell that the respondent need not have seen."""


@dataclass(slots=True)
class Answers:
    """A wave as it fills up, layout by layout."""

    states: dict[str, States]
    """Column of the harmonised data -> what its cells are, for every return of the wave."""
    weight: NDArray[np.float64]
    """Survey weight of every return."""
    problems: list[pd.DataFrame]
    """Cells that were not taken as they stood, with the return's `place` in the wave."""
    recodings: list[tuple[object, ...]]
    """Rows of the table of recodings."""

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
    files = reading.taken(reading.cells["file"])
    same = [(reading.rows, constants_of(part, reading.layout))]
    same += [(reading.rows[(files == one.path).to_numpy()], one.constants) for one in part.files]
    for rows, constants in same:
        for name, level in constants.items():
            wave.states[name][rows] = words.levels[name].index(level) + 1
    weighted = places[len(questions)] if layout.weight else None
    if weighted is not None:
        column = Column.of(reading.column(weighted))
        here = f"{where}: column `{raw.names[weighted]}`"
        wave.weight[reading.rows], more = weights(column, where=here, rows=reading.origin)
        mistakes += more
    answered = zip(places[: len(questions)], questions, strict=True)
    found = [(place, question) for place, question in answered if place is not None]
    return mistakes + _read_answers(reading, found, words, wave)


def _passed_by(
    reading: LayoutReading, questions: list[tuple[int, Question]], words: Words, wave: Answers
) -> dict[str, NDArray[np.bool_]]:
    """Find the returns of a layout that were not asked a question, as `routing.passed_by` does."""
    columns = {question.variable: (place, question.meanings) for place, question in questions}

    def answers(name: str) -> States:
        if name not in columns:
            return wave.states[name][reading.rows]  # a constant
        place, meanings = columns[name]
        column = Column.of(reading.column(place))
        return column.look_up(decode(column, meanings)[0], BLANK)

    # A filter whose column is not found is reported elsewhere.
    routes = enumerate(reading.part.routing)
    known = {n: route for n, route in routes if not route.filter or filter_of(n) in columns}
    asked = {_item(name) for name in columns}
    return passed_by(known, asked=asked, answers=answers, levels=words.levels)


def _item(variable: str) -> str:
    """Return the item of a column, which may hold its answers on another response scale."""
    return variable.removesuffix(RESCALED_SUFFIX)


def _read_answers(
    reading: LayoutReading, questions: list[tuple[int, Question]], words: Words, wave: Answers
) -> list[Mistake]:
    """Read a layout's columns from last to first: a blank after which nothing comes is a break-off."""
    origin = reading.origin
    there_later = np.zeros(len(reading.rows), dtype=np.bool_)
    passed_by = _passed_by(reading, questions, words, wave)
    mistakes: list[Mistake] = []
    recodings: list[tuple[object, ...]] = []
    for place, question in sorted(questions, key=lambda one: one[0], reverse=True):
        name = reading.raw.names[place]
        column = Column.of(reading.column(place))
        by_label, unknown = decode(column, question.meanings)
        here = f"{reading.where}: column `{name}`"
        mistakes = unknown_labels(column, unknown, question.meanings, where=here, rows=origin) + mistakes
        states = column.look_up(by_label, BLANK)
        blank, trace = states == BLANK, ~np.isin(states, LEAVES_NO_TRACE)
        away = np.zeros(len(column.labels), dtype=np.intp)
        if (passed := passed_by.get(_item(question.variable))) is not None:
            passed = passed & (states != NOT_ASKED)
            answered = passed & trace & (states != SKIPPED)
            wave.problems += _listed(reading, place, column, answered, NOT_ASKED_OF)
            away = Column(column.codes[passed], column.labels).counts
            states[passed] = NOT_ASKED
        open_ = states == BLANK
        states[open_] = np.where(there_later[open_], SKIPPED, BROKE_OFF)
        there_later |= trace
        if question.variable in wave.states:
            wave.states[question.variable][reading.rows] = states
        reason = f"invalid by the {question.meanings.title}"
        wave.problems += _listed(reading, place, column, states == INVALID, reason)
        recoded = _recoded(column, by_label, away, states[blank], question.meanings)
        where = (reading.part.wave, reading.layout, name, question.variable)
        recodings = [(*where, *row) for row in recoded] + recodings
    wave.recodings += recodings
    return mistakes


def _is_identifier(reading: LayoutReading, place: int) -> bool:
    """Whether a column is the one that ingest took the file's identifiers from."""
    source = reading.taken(reading.cells["respondent_source"]).fillna("").astype("str")
    cells = reading.column(place).fillna("").astype("str")
    return bool((source != "").any() and (source.to_numpy() == cells.to_numpy()).all())


NOT_ASKED_OF: Final = "answered, but by somebody who was not asked"


def _listed(
    reading: LayoutReading, place: int, column: Column, which: NDArray[np.bool_], problem: str
) -> list[pd.DataFrame]:
    """List cells of a column that were set to missing, with the places of return and column for sorting."""
    if not which.any():
        return []
    places = np.flatnonzero(which)
    values = [column.labels[code] for code in column.codes[places]]
    reason = Missing.NOT_ASKED if problem == NOT_ASKED_OF else Missing.INVALID
    told = {UNRESOLVED: "the two keyings disagree"} if reason is Missing.INVALID else {}
    found = {
        "wave": reading.part.wave,
        **{name: cells.to_numpy()[places] for name, cells in reading.origin.items()},
        "column": reading.raw.names[place],
        "value": values,
        "problem": [told.get(value, problem) for value in values],
        "action": f"set to missing (`{reason}`)",
        "return_place": reading.rows[places],
        "column_place": place,
    }
    return [pd.DataFrame(found)]


def _recoded(
    column: Column, by_label: States, away: NDArray[np.intp], blanks: States, meanings: Meanings
) -> Iterator[tuple[str, str, int]]:
    """Yield raw cell, value and count: labels in the order of their coding, then what blanks became.

    `away` counts the cells with each label in returns of people who were not asked.
    """
    order = {key: number for number, key in enumerate(meanings.states)}
    labels = [place for place in range(len(column.labels)) if by_label[place] != BLANK]
    labels.sort(key=lambda p: (order.get(normalise(column.labels[p]), len(order)), column.labels[p]))
    counts = column.counts - away
    for place in labels:
        for state, n in ((int(by_label[place]), counts[place]), (NOT_ASKED, away[place])):
            if n:
                yield column.labels[place], meanings.value(state), int(n)
    for state in (SKIPPED, BROKE_OFF, NOT_ASKED):
        if n := int((blanks == state).sum()):
            yield "", meanings.value(state), n


PROBLEMS: Final = ("wave", "file", "row", "column", "value", "problem", "action")
RECODINGS: Final = ("wave", "layout", "column", "variable", "raw", "value", "n")


@dataclass(frozen=True, slots=True)
class Harmonised:
    """A wave in the terms of the instrument; columns as `docs/files.md` gives them."""

    responses: pd.DataFrame
    """One row a respondent, in the order of the cells: identifiers, organisation, grouping variables, `complete`,
    `weight`, items (Int8, 1..K as worded), rescaled items."""
    missing: pd.DataFrame
    """The same rows: `wave, respondent`, then for the organisation and every variable, item and rescaled item the
    reason of a missing value (categorical, `REASONS`), missing itself where there is a value."""
    problems: pd.DataFrame
    """One row a cell that was not taken as it stood."""
    recodings: pd.DataFrame
    """One row a distinct raw cell of a column and what became of it; blanks stand as "". The counts of a column add up
    to the returns of its layout."""


def harmonise(cells: pd.DataFrame, *, part: HarmonisingPart) -> Harmonised:
    """Put a wave's raw cells into the terms of the instrument.

    A blank is `skipped`, unless neither it nor any later mapped question of the return (in the order of the columns;
    items, variables and organisation alike) holds anything: then it is `broke_off`. A cell that the study explains as
    `skipped`, `dont_know` or `invalid` shows that the respondent was still there; one explained as `not_asked` or
    `broke_off` does not. A return is `complete` if no item of it is `broke_off`. A question without a column in a
    layout is `not_asked` of its returns, and so is an item that was asked on another response scale, unless its coding
    states how that scale maps onto the instrument's: without it the answers go to `<item>_rescaled`. Where two keyings
    of a paper return disagree the answer is `invalid`. Where the wave says who was asked a question (`routing`),
    everybody else has `not_asked` there, whatever the cell contains, but not those who broke off before the question
    that decides.

    Parameters
    ----------
    cells
        As ingest leaves them: `INGEST_COLUMNS`, then one text column a raw column, missing where blank. Their order is
        the order of the respondents, who are numbered within the wave; the file's own identifiers are not kept.
    part
        What the wave's columns and cells mean, from a study that has been checked.

    Raises
    ------
    CrosswalkError
        With one line for every column that is named and not found, fits several, is mapped twice, or is neither
        mapped nor ignored; every label that no coding or map knows; every weight that is not above zero; and every
        coding that contradicts itself.
    """
    where = f"wave {part.wave}"
    if mistakes := repeated(cells.columns, where=where):
        raise CrosswalkError(mistakes)
    words, mistakes = Words.of(part, where=where)
    rescaled, more = rescaled_columns([part])
    mistakes += more
    wave = Answers.empty(part, len(cells), rescaled)
    for name, rows, raw in raw_columns(cells):
        if name not in part.layouts:
            known = ", ".join(part.layouts)
            mistakes.append(Mistake(where, f"its cells have an unknown layout `{name}`", f"known: {known}"))
            continue
        reading = LayoutReading(cells, rows, raw, part, name, f"{where}, layout {name}")
        mistakes += read(reading, words, wave)
    if mistakes:
        raise CrosswalkError(dict.fromkeys(mistakes))
    return _assembled(len(cells), part, words, wave)


def rescaled_scales(parts: Iterable[HarmonisingPart]) -> dict[str, str]:
    """Return the response scale of each `<item>_rescaled` column of the waves, in the order of the instrument.

    Raises
    ------
    CrosswalkError
        Naming every item that was asked on two other response scales: their values do not belong in one column.
    """
    found, mistakes = rescaled_columns(parts)
    if mistakes:
        raise CrosswalkError(mistakes)
    return found


def _assembled(size: int, part: HarmonisingPart, words: Words, wave: Answers) -> Harmonised:
    groups = (ORGANISATION, *part.known_variables)
    identity = {"wave": _always(part.wave, size), "respondent": _respondents(part.wave, size)}
    responses: dict[str, object] = {**identity, "evidence": _always(part.evidence.value, size)}
    complete = np.ones(size, dtype=np.bool_)
    values: dict[str, object] = {}
    reasons: dict[str, object] = {}
    for name in list(wave.states):
        states = wave.states.pop(name)
        reasons[name] = pd.Categorical.from_codes(np.where(states < 0, -states - 1, -1), dtype=REASONS)
        if name in groups:
            levels = pd.array([*words.levels[name], ""], dtype="str")
            responses[name] = levels.take(np.where(states > 0, states - 1, -1), allow_fill=True)
        else:
            complete &= states != BROKE_OFF
            missing = states <= 0
            values[name] = pd.arrays.IntegerArray(np.where(missing, 1, states).astype(np.int8), missing)
    responses |= {"complete": complete, "weight": wave.weight, **values}
    recodings = pd.DataFrame(wave.recodings, columns=list(RECODINGS))
    return Harmonised(
        pd.DataFrame(responses, copy=False),
        pd.DataFrame({**identity, **reasons}, copy=False),
        _problems(wave.problems, part, size),
        recodings.astype({name: "int64" if name == "n" else "str" for name in RECODINGS}),
    )


def _problems(found: list[pd.DataFrame], part: HarmonisingPart, size: int) -> pd.DataFrame:
    """Lay the problems out in the order of the cells; a wave without a single return is one."""
    order = ["return_place", "column_place"]
    if size == 0:
        nobody = {"file": "", "row": 0, "column": "*", "value": "", "problem": "no returns", "action": "none"}
        found = [pd.DataFrame([{"wave": part.wave, **nobody, "return_place": 0, "column_place": 0}])]
    if not found:
        found = [pd.DataFrame(columns=[*PROBLEMS, *order])]
    frame = pd.concat(found, ignore_index=True).sort_values(order, kind="stable", ignore_index=True)
    return frame[list(PROBLEMS)].astype({name: "int64" if name == "row" else "str" for name in PROBLEMS})


def _always(word: str, size: int) -> object:
    return pd.array([word], dtype="str").take(np.zeros(size, dtype=np.intp))


def _respondents(wave: str, size: int) -> object:
    """Return the respondents' identifiers: their numbers within the wave."""
    width = max(6, len(str(size)))
    return pd.array([f"{wave}-{number:0{width}d}" for number in range(1, size + 1)], dtype="str")
