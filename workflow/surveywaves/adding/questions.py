"""The questions of a raw file: what each column asks, how it can be named, and what kind of cells it has."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

import numpy as np

from surveywaves.adding.returns import NUMBER
from surveywaves.adding.words import words
from surveywaves.errors import Mistake, RawFileError
from surveywaves.harmonise.columns import RawColumns
from surveywaves.ingest import BETWEEN, UNRESOLVED, RawColumn
from surveywaves.wording import nearest, normalise, plain


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
"""Cells a sentence up to which it is somebody's own; response options stand more often."""
_NUMBERING: Final = re.compile(
    r"^\s*(?:q(?:uestion)?\s*)?\d+[a-z]?(?:[._-]\d+[a-z]?)*\s*[.):\-–]*\s+", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Question:
    """A column of a raw file as a question.

    Parameters
    ----------
    column
        The column.
    reference
        The shortest name that finds it, for a crosswalk: its row label if no other column ends so, or its full name.
    wordings
        What it may ask: the row label, the question, both; without a number in front. None for a bare code (`q17`).
    cells
        Kind of its cells.
    place
        Its place in the file, from 0.
    """

    column: RawColumn
    reference: str
    wordings: tuple[str, ...]
    cells: Cells
    place: int

    @property
    def name(self) -> str:
        """Give the column's full name."""
        return self.column.name

    @property
    def wording(self) -> str:
        """Give what it asks, or its name."""
        return self.wordings[0] if self.wordings else self.column.name

    @property
    def options(self) -> dict[str, str]:
        """Give the cells that are response options: as they stand, and in words (empty for a bare number)."""
        labels, values = self.column.value_labels, [one for one in self.column.values if one != UNRESOLVED]
        if self.cells is Cells.NAMED:
            return {code: labels.get(code, "") for code in dict.fromkeys((*labels, *values))}
        if self.cells in FEW:
            return {one: labels.get(one) or ("" if NUMBER.fullmatch(one) else one) for one in values}
        return {}


def questions_of(columns: Sequence[RawColumn], wordings: Mapping[str, str] | None = None) -> list[Question]:
    """Take the columns of a layout as questions.

    Parameters
    ----------
    wordings
        Column -> what it asks, from a list that a person has; it goes before what the file says.
    """
    given = {normalise(name): text for name, text in (wordings or {}).items()}
    labels = Counter(label for column in columns for label in {*_tails(normalise(column.name))})
    found = []
    for place, column in enumerate(columns):
        own = given.get(normalise(column.name))
        described = replace(column, label=own) if own else column
        found.append(
            Question(
                described, _reference(column.name, labels), _wordings(described), _cells(described), place
            )
        )
    return found


def raw_columns(columns: Sequence[RawColumn | Question]) -> RawColumns:
    """Give columns as harmonise looks for them."""
    return RawColumns(
        tuple(column.name for column in columns),
        tuple(normalise(column.name) for column in columns),
        np.ones(len(columns), dtype=np.bool_),
        np.zeros(len(columns), dtype=np.bool_),
    )


def merge(columns: Iterable[RawColumn]) -> list[RawColumn]:
    """Put the columns of several files of one layout together."""
    found: dict[str, RawColumn] = {}
    for column in columns:
        before = found.get(column.name)
        if before is None:
            found[column.name] = column
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


def read_wordings(path: Path, names: Iterable[str]) -> dict[str, str]:
    """Read a list of what each column asks: CSV or TSV, two columns, a header row.

    Raises
    ------
    RawFileError
        If it cannot be read, or names a column that no file has.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise RawFileError.at(path, "no such file") from error
    except (UnicodeDecodeError, OSError) as error:
        raise RawFileError.at(path, "cannot be read as UTF-8 text", "save it as UTF-8") from error
    delimiter = "\t" if "\t" in text.split("\n", 1)[0] else ","
    rows = list(csv.reader(text.splitlines(), delimiter=delimiter))
    listed = {normalise(name): name for name in names}
    found, mistakes = {}, []
    for number, row in enumerate(rows[1:], start=2):
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        if len(cells) != 2 or not all(cells):
            what = f"{len([cell for cell in cells if cell])} cells, not a column and its wording"
            mistakes.append(Mistake(f"{path}, row {number}", what))
        elif normalise(cells[0]) not in listed:
            near = nearest(cells[0], listed.values())
            hint = f"did you mean `{near}`?" if near else ""
            mistakes.append(Mistake(f"{path}, row {number}", f"no file has a column `{cells[0]}`", hint))
        else:
            found[listed[normalise(cells[0])]] = cells[1]
    if mistakes:
        raise RawFileError(mistakes)
    return found


def is_wording(text: str) -> bool:
    """Tell a wording from a bare code or name (`q17`, `job_title`): it has two words or more."""
    return len([word for part in text.split() for word in words(part)[:1] if any(map(str.isalpha, word))]) > 1


def _reference(name: str, labels: Counter[str]) -> str:
    """Find the shortest label that no other column has, as harmonise looks for columns."""
    return next((label for label in _tails(name) if labels[normalise(label)] == 1), name)


def _tails(name: str) -> list[str]:
    """List the row label of a full name, longer ones, and the name."""
    parts = name.split(BETWEEN)
    return [BETWEEN.join(parts[start:]) for start in range(len(parts) - 1, -1, -1)]


def _wordings(column: RawColumn) -> tuple[str, ...]:
    text = plain(column.label)
    texts = [one for part in _tails(text) for one in (_NUMBERING.sub("", part), part)]
    # A label of its own, or the label of a row, is a wording even if it is one word.
    labelled = BETWEEN in text or normalise(text) != normalise(column.name)
    return tuple(
        dict.fromkeys(one for one in texts if (labelled and any(map(str.isalpha, one))) or is_wording(one))
    )


def _cells(column: RawColumn) -> Cells:
    if column.personal:
        return Cells.PERSONAL
    if not column.filled:
        return Cells.EMPTY
    box = _COMMENT_BOX.search(normalise(column.label.split(BETWEEN)[-1]))
    if not column.values:
        return Cells.COMMENTS if box else Cells.MANY
    if sum(value in column.value_labels for value in column.values) > len(column.values) / 2:
        return Cells.NAMED
    if sum(bool(NUMBER.fullmatch(value)) for value in column.values) > len(column.values) / 2:
        return Cells.NUMBERS
    own = column.filled < _SELDOM * column.distinct and any(map(_SENTENCE.match, column.values))
    if box or own:
        return Cells.COMMENTS
    return Cells.LABELS
