"""Examine a raw file that has not been described yet: its questions and its returns.

For each column its wording, its shortest unique name and its kind of cells; for the returns their identifiers,
duplicates, dates and tests. Two wordings are compared word by word.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from surveywaves.errors import Mistake, RawFileError
from surveywaves.harmonise.crosswalk import RawColumns
from surveywaves.ingest.guess import recognise_file
from surveywaves.ingest.headers import find_column
from surveywaves.ingest.programs import ENDS, IDENTIFIERS, PROGRAMS, STARTS, squeezed
from surveywaves.ingest.raw import Column, RawTable, Source
from surveywaves.ingest.readers import read_raw
from surveywaves.study.load import OPEN
from surveywaves.study.models import Layout
from surveywaves.terms import ROW_SEPARATOR, UNRESOLVED
from surveywaves.text import did_you_mean, normalise, number, plain, words

MOST: Final = 30
"""Most distinct cells of a column that are listed: with more it is an identifier, a date or a comment."""
ONCE: Final = 5
"""Most distinct cells of a column that may occur once each and still be options, as in a small file."""
LONGEST: Final = 80
"""Most characters of a response option."""


@dataclass(frozen=True, slots=True)
class RawColumn:
    """A column of a raw file."""

    name: str  # full name, as ingest writes it
    label: str  # the question in words: the variable's label, or the name where the file has no other
    # distinct cells, most frequent first; empty where they are identifiers, comments or a person's own
    values: tuple[str, ...]
    # code -> label, where the file says so; whether or not the code occurs
    value_labels: Mapping[str, str] = field(default_factory=dict)
    # filled, distinct: cells with content, and how many of them differ
    filled: int = 0
    distinct: int = 0
    personal: bool = False  # whether it identifies a person: ingest leaves it out
    missing: frozenset[str] = frozenset()  # codes that the file declares missing


def columns_of(found: RawTable) -> list[RawColumn]:
    """Describe the columns of a file that has been read."""
    described = []
    for called, column in zip(found.names, found.columns, strict=True):
        personal, label = called in found.personal, found.labels.get(called) or called
        told, missing = found.value_labels.get(called, {}), found.missing.get(called, frozenset())
        texts, distinct = _frequent(column)
        values, filled = () if personal else texts, int(column.filled.sum())
        described.append(RawColumn(called, label, values, told, filled, distinct, personal, missing))
    return described


def _frequent(column: Column) -> tuple[tuple[str, ...], int]:
    """List the distinct cells, most frequent first, and count them."""
    counts = np.bincount(column.codes[column.filled], minlength=len(column.texts))
    distinct = int((counts > 0).sum())
    if not 0 < distinct <= MOST:
        return (), distinct
    order = [code for code in np.argsort(-counts, kind="stable") if counts[code]]
    texts = tuple(str(column.texts[int(code)].as_py()) for code in order)
    once = int((counts == 1).sum())
    comment = any(len(text) > LONGEST for text in texts) or (distinct > ONCE and once > distinct / 2)
    return (() if comment else texts), distinct


_DATES: Final = {
    "ISO": re.compile(r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})(?!\d)"),
    "month first": re.compile(r"(?P<month>\d{1,2})([/.-])(?P<day>\d{1,2})\2(?P<year>\d{4}|\d{2})(?!\d)"),
    "day first": re.compile(r"(?P<day>\d{1,2})([/.-])(?P<month>\d{1,2})\2(?P<year>\d{4}|\d{2})(?!\d)"),
}
_CENTURY: Final = 2000


Readings = dict[str, tuple[dt.date, dt.date]]
"""Way of reading a column of dates -> first and last day; empty if it cannot be read."""


def read_dates(texts: Iterable[str]) -> Readings:
    """Read dates in each format that fits all of them: ISO 8601, or three numbers with the day or the month first."""
    listed = list(texts)
    found = {}
    for way, pattern in _DATES.items():
        days = [_date(pattern.match(text)) for text in listed]
        sure = [day for day in days if day is not None]
        if sure and len(sure) == len(days):
            found[way] = (min(sure), max(sure))
    return found


def _date(found: re.Match[str] | None) -> dt.date | None:
    if found is None:
        return None
    year = int(found["year"])
    try:
        return dt.date(year + (_CENTURY if year < 100 else 0), int(found["month"]), int(found["day"]))
    except ValueError:
        return None


@dataclass(slots=True)
class Returns:
    """Returns of one file."""

    rows: int  # rows that the file holds below its header
    header: int  # number of the header's last row
    respondent: str | None = None  # column known to identify a return; None if there is none
    identifying: list[str] = field(default_factory=list)  # columns that could: always filled, never the same
    repeated: int = 0  # identifiers that occur more than once
    # column -> mark of test responses that it holds -> number of rows, and why they are no returns
    excluded: dict[str, dict[str, tuple[int, str]]] = field(default_factory=dict)
    # starts, ends: when returns were begun and ended, test responses left out; None without such a column
    starts: Readings | None = None
    ends: Readings | None = None
    # dates, numbers: columns that hold dates; numbers of many values
    dates: list[str] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    asked: dict[str, str] = field(default_factory=dict)  # key of the layout -> what a person must say there
    # what was not taken as it stood, with what was done about it; identifiers of persons apart
    said: list[str] = field(default_factory=list)


def look_at_returns(table: RawTable, layout: Layout, like: Layout | None) -> Returns:
    """Describe the returns of a raw file, with the identifiers and marks of tests of `like`, another wave's layout."""
    found = Returns(table.rows_in, int(table.rows[0]) - 1 if len(table.rows) else 1, asked=dict(table.asked))
    problems = Counter(f"{one.problem} ({one.action})" for one in table.problems if one.value or one.row)
    found.said = [said if times == 1 else f"{said}: {times} times" for said, times in problems.items()]
    _identify(found, table, [layout.respondent, like.respondent if like else None])
    tests = _marked(found, table, layout, like)
    found.starts = _dates(table, STARTS, ~tests)
    found.ends = _dates(table, ENDS, ~tests)
    for name, column in zip(table.names, table.columns, strict=True):
        if len(column.texts) > 2 and name not in table.personal:
            texts = column.listed()
            if all(any(pattern.match(text) for pattern in _DATES.values()) for text in texts):
                found.dates.append(name)
            elif all(number(text) is not None for text in texts):
                found.numbers.append(name)
    return found


def _identify(found: Returns, table: RawTable, wanted: Sequence[str | None]) -> None:
    places = [find_column(table.names, name) for name in wanted if name]
    places += [place for place, name in enumerate(table.names) if squeezed(name) in IDENTIFIERS]
    for place in [place for place in places if place is not None][:1]:
        column = table.columns[place]
        found.respondent = table.names[place]
        found.repeated = int((np.bincount(column.codes[column.filled]) > 1).sum())
    for name, column in zip(table.names, table.columns, strict=True):
        unique = len(column) > 2 and column.filled.all() and len(column.texts) == len(column)
        found.identifying += [name] if unique and name not in table.personal else []


def _marked(found: Returns, table: RawTable, layout: Layout, like: Layout | None) -> NDArray[np.bool_]:
    """Find the rows that the other wave excludes, or that the survey program marks as tests."""
    tests = np.zeros(len(table.rows), dtype=np.bool_)
    program, hint = PROGRAMS.get(layout.format), "if these are returns, take the line out"
    offered = {
        column: {cell: f"{OPEN}: {why}; {hint}" for cell, why in cells.items()}
        for column, cells in (program.tests if program else {}).items()
    }
    for wanted, values in {**offered, **(like.exclude if like else {})}.items():
        place = _near_column(table.names, wanted)
        if place is None:
            continue
        column = table.columns[place]
        texts = [normalise(text) for text in column.listed()]
        for value, why in values.items():
            hits = column.where([text == normalise(value) for text in texts], blank=not value)
            if hits.any():
                found.excluded.setdefault(table.names[place], {})[value] = (int(hits.sum()), why)
                tests |= hits
    return tests


def _near_column(names: Sequence[str], wanted: str) -> int | None:
    """Find a column by name, a number at its end left out: `Custom Data` came to be called `Custom Data 1`."""
    place = find_column(names, wanted)
    if place is not None:
        return place
    key = squeezed(wanted).rstrip("0123456789")
    near = [place for place, name in enumerate(names) if squeezed(name).rstrip("0123456789") == key]
    return near[0] if len(near) == 1 else None


def _dates(table: RawTable, wanted: Sequence[str], rows: NDArray[np.bool_]) -> Readings | None:
    folded = [squeezed(name) for name in table.names]
    for name in wanted:
        for place, known in enumerate(folded):
            if known == name:
                column = table.columns[place].take(rows)
                if column.filled.any():
                    texts = column.listed()
                    return read_dates(texts[code] for code in np.unique(column.codes[column.filled]))
    return None


class Cells(StrEnum):
    """Kinds of cells that a column can have."""

    EMPTY = "no answers"
    PERSONAL = "a person's own"
    NUMBERS = "numbers"
    NAMED = "numbers with labels"
    LABELS = "labels"
    COMMENTS = "comments"
    MANY = "more different cells than a question has options"


FEW: Final = (Cells.NUMBERS, Cells.NAMED, Cells.LABELS)
"""Kinds of cells that response options have."""
_COMMENT_BOX: Final = re.compile(r"\bcomments?\b|\bplease (specify|state|explain|describe)\b|\bopen.ended\b")
_SENTENCE: Final = re.compile(r"(\S+\s+){4}.*[.!?…]$", re.DOTALL)
_SELDOM: Final = 3
"""Average frequency of a sentence below which it is a comment; response options occur more often."""
_NUMBERING: Final = re.compile(
    r"^\s*(?:[\[(]?(?:q(?:uestion)?\s*)?\d+[a-z]?(?:[._-]\d+[a-z]?|\[\w+\])*[\])]?\s*[.):\-–]*|[\[(]?[a-z][\]).])\s+",
    re.IGNORECASE,
)
_REPAIRED: Final = re.compile(r"(?:\.{3}|…)\d+$")
"""Suffix that readr adds to make a name unique."""
_SEAM: Final = re.compile(r"\s*(?:[\[(|:?!/_]|\.+|…|>+|→|(?<=\s)[-–—](?=\s))\s*")
"""Separators between the stem of a matrix question and a statement."""
_LETTERS: Final = re.compile(r"[^\W\d_]{2,}")
_CODE: Final = 3
"""Most words of a name without spaces that is not a wording (`date_of_birth`)."""


@dataclass(frozen=True, slots=True)
class Question:
    """A column of a raw file as a question."""

    column: RawColumn  # the column
    # the shortest name that finds it, for a crosswalk: its row label if no other column ends so, or its full
    # name
    reference: str
    # what it may ask: the statement without the stem that it shares with others, the row label, the question,
    # both; without a number in front. None for a bare code (`q17`).
    wordings: tuple[str, ...]
    cells: Cells  # kind of its cells
    place: int  # its place in the file, from 0

    @property
    def name(self) -> str:
        """Return the column's full name."""
        return self.column.name

    @property
    def wording(self) -> str:
        """Return its wording, or its name if it has none."""
        return self.wordings[0] if self.wordings else self.column.name

    @property
    def options(self) -> dict[str, str]:
        """Return the cells that are response options, with their labels (empty for a number without one)."""
        labels, values = self.column.value_labels, [one for one in self.column.values if one != UNRESOLVED]
        if self.cells is Cells.NAMED:
            return {code: labels.get(code, "") for code in dict.fromkeys((*labels, *values))}
        if self.cells in FEW:
            return {one: labels.get(one) or (one if number(one) is None else "") for one in values}
        return {}


def questions_of(columns: Sequence[RawColumn], wordings: Mapping[str, str] | None = None) -> list[Question]:
    """Turn the columns of a layout into questions; wordings given by a person replace those of the file."""
    given = {normalise(name): text for name, text in (wordings or {}).items()}
    described = [replace(one, label=given.get(normalise(one.name), one.label)) for one in columns]
    labels = Counter(label for column in columns for label in {*_tails(normalise(column.name))})
    alone = _statements([plain(one.label) for one in described])
    return [
        Question(one, _reference(one.name, labels), _wordings(one, statements), _cells(one), place)
        for place, (one, statements) in enumerate(zip(described, alone, strict=True))
    ]


def _statements(labels: Sequence[str]) -> list[list[str]]:
    """Remove the stem of a matrix question: the part before or after a separator that several labels share."""
    # `Q4_1 | stem - statement`: a code says nothing.
    parts = [label.partition(ROW_SEPARATOR) for label in labels]
    said = [rest if rest and not is_wording(code) else code + gap + rest for code, gap, rest in parts]
    texts = [_NUMBERING.sub("", _REPAIRED.sub("", label)) for label in said]
    cuts = [[(text[: seam.end()], text[seam.end() :]) for seam in _SEAM.finditer(text)] for text in texts]
    cuts = [[(head, tail) for head, tail in cut if head.strip() and tail.strip()] for cut in cuts]
    stems_of = [{(normalise(part), way) for one in cut for way, part in enumerate(one)} for cut in cuts]
    shared = Counter(stem for stems in stems_of for stem in stems)
    found = []
    for cut in cuts:
        halves = ((one[way], one[1 - way], shared[normalise(one[way]), way]) for one in cut for way in (0, 1))
        stems = sorted((one for one in halves if one[2] > 1), key=lambda one: (-one[2], -len(one[0])))
        alone = [(_NUMBERING.sub("", _closed(text)), stem) for stem, text, _ in stems]
        found.append(
            [text for text, stem in alone if is_wording(text) or (is_wording(stem) and _LETTERS.search(text))]
        )
    return found


def _closed(text: str) -> str:
    """Remove a bracket whose counterpart was in the stem, and separators at either end."""
    text = text.strip(" |:/_>→-–—")
    for opened, shut in ("[]", "()"):
        if text.count(opened) != text.count(shut):
            text = text.removeprefix(opened).removesuffix(opened).removesuffix(shut).strip()
    return text


def raw_columns(columns: Sequence[RawColumn | Question]) -> RawColumns:
    """Return columns in the form in which harmonise finds them."""
    return RawColumns(
        tuple(column.name for column in columns),
        tuple(normalise(column.name) for column in columns),
        np.ones(len(columns), dtype=np.bool_),
        np.zeros(len(columns), dtype=np.bool_),
    )


def merge(columns: Iterable[RawColumn]) -> list[RawColumn]:
    """Merge the columns of several files of one layout."""
    found: dict[str, RawColumn] = {}
    for column in columns:
        if (before := found.setdefault(column.name, column)) is column:
            continue
        listed = tuple(dict.fromkeys((*before.values, *column.values)))
        free = any(one.filled and not one.values for one in (before, column))
        found[column.name] = replace(
            before,
            values=() if free else listed,
            value_labels={**column.value_labels, **before.value_labels},
            filled=before.filled + column.filled,
            distinct=max(before.distinct, column.distinct, len(listed)),
            personal=before.personal or column.personal,
        )
    return list(found.values())


def read_list(path: Path, names: Iterable[str], what: str) -> list[list[str]]:
    """Read a list that a person has of the columns: a table with a header row, a column's name first in each row.

    `what` a row holds is said in words: `column, wording`; a name may end in `*` where it holds more. What cannot be
    read is refused, and a column that no file has.
    """
    table = read_raw(Source(str(path), path, recognise_file(path, str(path), {"format": "table"})))
    listed = {normalise(name): name for name in names}
    found, mistakes, wanted = [], [], what.count(",") + 1
    for place, row in enumerate(table.rows):
        cells = [column.text(place) for column in table.columns]
        where, key = f"{path}, row {row}", normalise(cells[0])
        meant = [key] if key in listed else []
        if key.endswith("*") and wanted > 2:
            meant = [name for name in listed if name.startswith(key[:-1])]
        if len(cells) != wanted or not all(cells):
            mistakes.append(Mistake(where, f"{sum(map(bool, cells))} cells, not {what}"))
        elif not meant:
            hint = did_you_mean(cells[0], listed.values())
            mistakes.append(Mistake(where, f"no file has a column `{cells[0]}`", hint))
        found += [[listed[name], *cells[1:]] for name in meant]
    if mistakes:
        raise RawFileError(mistakes)
    return found


def is_wording(text: str) -> bool:
    """Check whether a text is a wording, of two words or, without spaces, four; `q17` and `job_title` are not."""
    parts = text.split()
    spoken = [word for part in parts for word in words(part)[:1] if any(map(str.isalpha, word))]
    return len(spoken) > 1 or (len(parts) == 1 and len(_LETTERS.findall(text)) > _CODE)


def _reference(name: str, labels: Counter[str]) -> str:
    """Find the shortest label that no other column has, as harmonise looks for columns."""
    return next((label for label in _tails(name) if labels[normalise(label)] == 1), name)


def _tails(name: str) -> list[str]:
    """List the row label of a full name, longer ones, and the name."""
    parts = name.split(ROW_SEPARATOR)
    return [ROW_SEPARATOR.join(parts[start:]) for start in range(len(parts) - 1, -1, -1)]


def _wordings(column: RawColumn, statements: Sequence[str]) -> tuple[str, ...]:
    text = _REPAIRED.sub("", plain(column.label))
    texts = [one for part in _tails(text) for one in (_NUMBERING.sub("", part), part)]
    # A label of its own, or the label of a row, is a wording even if it is one word.
    labelled = ROW_SEPARATOR in text or normalise(text) != normalise(column.name)
    own = (one for one in texts if (labelled and any(map(str.isalpha, one))) or is_wording(one))
    return tuple(dict.fromkeys([*statements, *own]))


def _cells(column: RawColumn) -> Cells:
    if column.personal:
        return Cells.PERSONAL
    if not column.filled:
        return Cells.EMPTY
    box = _COMMENT_BOX.search(normalise(column.label.split(ROW_SEPARATOR)[-1]))
    if not column.values:
        return Cells.COMMENTS if box else Cells.MANY
    if sum(value in column.value_labels for value in column.values) > len(column.values) / 2:
        return Cells.NAMED
    if sum(number(value) is not None for value in column.values) > len(column.values) / 2:
        return Cells.NUMBERS
    own = column.filled < _SELDOM * column.distinct and any(map(_SENTENCE.match, column.values))
    if box or own:
        return Cells.COMMENTS
    return Cells.LABELS
