"""Input and output of the readers: a file, its cells as text, and the problems found.

Survey columns hold few distinct texts many times over. A column therefore stores its distinct texts once, and for each
cell the number of its text: texts are trimmed and checked once each, and a cell takes four bytes. A value has the same
text whichever program stored it: `3` and not `3.0`, dates as ISO 8601.
"""

from __future__ import annotations

import datetime as dt
import decimal
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from surveywaves.errors import Mistake, RawFileError
from surveywaves.study.models import Layout
from surveywaves.terms import EVERY, SET_ASIDE

COLUMNS: Final = ("wave", "file", "row", "column", "value", "problem", "action")
"""Columns of `problems.tsv`, all of them text."""
LONGEST: Final = 200
"""Characters of a value that are shown: enough to find the cell by."""
_UNSEEN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]")


@dataclass(frozen=True, slots=True)
class Problem:
    """One row or cell that was not taken unchanged."""

    row: int | None  # row of the file as a spreadsheet numbers it; None for all of them
    column: str  # full name of the raw column; `EVERY` for a whole row
    value: str  # the cell's text; empty for identifiers of persons
    # problem, action: what is wrong with it, and what was done
    problem: str
    action: str


def visible(text: str) -> str:
    r"""Return a text in one line: invisible characters as ``\x00``, long texts cut off."""
    shown = _UNSEEN.sub(lambda found: repr(found.group())[1:-1], text)
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"


def problem_frame(wave: str, found: Iterable[tuple[str, Problem]]) -> pd.DataFrame:
    """Return problems, each with the file as configured, in the columns of `problems.tsv`, in their order."""
    rows = []
    for file, one in found:
        row = EVERY if one.row is None else str(one.row)
        rows.append((wave, file, row, one.column, visible(one.value), one.problem, one.action))
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype="str")


AGAIN: Final = "download or copy it again"
"""What to do about a damaged file."""
BROKEN: Final = (AttributeError, LookupError, OSError, TypeError, ValueError)
"""Exceptions of libraries on a file with inconsistent content."""
BLANK = -1
"""The number of a blank cell."""


@dataclass(frozen=True, slots=True)
class Column:
    """Cells of one raw column."""

    codes: NDArray[np.int32]  # int32, one a cell: place of its text in `texts`, -1 where it is blank
    texts: Any  # Arrow string array: distinct, none null, none blank, no white space at either end

    @classmethod
    def of_arrow(cls, cells: Any) -> Column:
        """Encode an Arrow array of strings or of a dictionary of strings, chunked or not."""
        if isinstance(cells, pa.ChunkedArray):
            chunks = cells.unify_dictionaries().chunks
            cells = pa.concat_arrays(chunks) if chunks else pa.array([], type=cells.type)
        if not pa.types.is_dictionary(cells.type):
            cells = pc.dictionary_encode(cells)
        codes = cells.indices.fill_null(BLANK).to_numpy(zero_copy_only=False).astype(np.int32, copy=False)
        return cls.encoded(codes, cells.dictionary)

    @classmethod
    def encoded(cls, codes: NDArray[np.int32], texts: Any) -> Column:
        """Take codes with the texts that they count; texts may be null, blank, untrimmed and repeat themselves."""
        trimmed = pc.utf8_trim_whitespace(pc.cast(texts, pa.string()))
        blank = pa.scalar(None, pa.string())
        distinct = pc.dictionary_encode(pc.replace_with_mask(trimmed, pc.equal(trimmed, ""), blank))
        if len(distinct.dictionary) == len(texts):
            return cls(codes, distinct.dictionary)
        lookup = np.append(distinct.indices.fill_null(BLANK).to_numpy(zero_copy_only=False), BLANK)
        return cls(lookup.astype(np.int32)[codes], distinct.dictionary)

    @classmethod
    def blank(cls, length: int) -> Column:
        """Make a column without content."""
        return cls(np.full(length, BLANK, dtype=np.int32), pa.array([], type=pa.string()))

    @classmethod
    def join(cls, parts: Sequence[Column]) -> Column:
        """Concatenate columns."""
        if len(parts) == 1:
            return parts[0]
        starts = np.cumsum([0, *(len(part.texts) for part in parts[:-1])])
        moved = [
            np.where(part.codes == BLANK, BLANK, part.codes + start).astype(np.int32)
            for part, start in zip(parts, starts, strict=True)
        ]
        return cls.encoded(np.concatenate(moved), pa.concat_arrays([part.texts for part in parts]))

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def filled(self) -> NDArray[np.bool_]:
        """Return for each cell whether it has content."""
        return np.not_equal(self.codes, BLANK)

    def where(self, wanted: Iterable[Any], *, blank: bool = False) -> NDArray[np.bool_]:
        """Return for each cell whether its text, or a blank, is wanted; one answer for each of `texts`."""
        return np.append(np.array(wanted, dtype=np.bool_), blank)[self.codes]

    def take(self, places: NDArray[np.intp] | NDArray[np.bool_]) -> Column:
        """Keep some of the cells (the texts all stay)."""
        return Column(self.codes[places], self.texts)

    def text(self, place: int) -> str:
        """Return the text of one cell, "" if it is blank."""
        code = int(self.codes[place])
        return "" if code == BLANK else str(self.texts[code].as_py())

    def listed(self) -> list[str]:
        """List the distinct texts."""
        return [str(text) for text in self.texts.to_pylist()]

    def with_texts(self, texts: Sequence[str | None]) -> Column:
        """Replace `texts`, one for one."""
        return Column.encoded(self.codes, pa.array(texts, type=pa.string()))

    def spelled(self) -> Any:
        """Return the text of every cell as an Arrow array of (large) strings; a blank is null."""
        indices = pa.array(self.codes, mask=self.codes == BLANK)
        return pc.take(pc.cast(self.texts, pa.large_string()), indices)


_ZEROS: Final = r"(:\d\d(?:\.\d*?[1-9])?)\.?0*(Z|[+-]\d\d:?\d\d)?$"
_MIDNIGHT: Final = r"[T ]00:00:00(\.0+)?$"


def object_text(value: object) -> str | None:
    """Write one Python value as text; None for None and NaN."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating):
        return float_text(float(value))
    if isinstance(value, decimal.Decimal):
        plain = format(value, "f")
        return None if value.is_nan() else plain.rstrip("0").rstrip(".") if "." in plain else plain
    if isinstance(value, dt.datetime):
        midnight = value.time() == dt.time() and value.tzinfo is None
        return value.date().isoformat() if midnight else value.isoformat()
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        return float_text(value.total_seconds())
    return str(value)


def float_text(value: float) -> str | None:
    """Write a number in the fewest digits that reproduce it; whole numbers without a point."""
    return None if math.isnan(value) else np.format_float_positional(value + 0.0, trim="-")  # no -0


def arrow_texts(values: Any) -> Any:
    """Write an Arrow array as text; types that hold more than one value a cell are refused.

    Raises
    ------
    pyarrow.ArrowNotImplementedError, pyarrow.ArrowInvalid
        If the type has no text (a list, a struct, a span of time), or bytes are not UTF-8.
    """
    kind = values.type
    if pa.types.is_dictionary(kind):
        return pa.DictionaryArray.from_arrays(values.indices, arrow_texts(values.dictionary))
    if pa.types.is_floating(kind):
        # 0.1 in single precision is 0.1 in the fewest digits, and 0.10000000149011612 in double precision.
        values = values if kind == pa.float64() else pc.cast(pc.cast(values, pa.string()), pa.float64())
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return pa.array([object_text(value) for value in values.to_pylist()], type=pa.string())
    if pa.types.is_timestamp(kind):
        texts = pc.replace_substring(pc.cast(values, pa.string()), " ", "T", max_replacements=1)
        texts = pc.replace_substring_regex(texts, _ZEROS, r"\1\2")
        return pc.replace_substring_regex(texts, _MIDNIGHT, "")
    if pa.types.is_time(kind):
        return pc.replace_substring_regex(pc.cast(values, pa.string()), r"(\.\d*?[1-9])?\.?0*$", r"\1")
    if pa.types.is_duration(kind) or pa.types.is_nested(kind):
        raise pa.ArrowNotImplementedError(f"no text for {kind}")
    return pc.cast(values, pa.string())


Rows = NDArray[np.int64]
CONTROL: Final = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x7F" + "\ufeff]"
"""Control characters and byte order marks; tabs and line ends are allowed, as in a comment."""
REPLACEMENT: Final = "\ufffd"


@dataclass(frozen=True, slots=True)
class Source:
    """A raw file and how to read it."""

    name: str  # the path as the study configures it: what errors and tables call the file
    path: Path  # where the file lies
    layout: Layout

    def having(self, **keys: Any) -> Source:
        """Return the same file, to be read with other keys of its layout."""
        return replace(self, layout=self.layout.model_copy(update=keys))

    def mistake(
        self, what: str, hint: str = "", *, row: int | None = None, column: str = "", logged: str = ""
    ) -> Mistake:
        """Name a mistake in the file; see `Mistake` for `logged`."""
        place = "" if row is None else f": row {row}"
        place += f": column `{column}`" if column else ""
        return Mistake(f"{self.name}{place}", what, hint, logged)

    def error(self, what: str, hint: str = "", **where: Any) -> RawFileError:
        """Make the error of one mistake in the file."""
        return RawFileError(self.mistake(what, hint, **where))


@dataclass(slots=True)
class RawTable:
    """A raw file as text."""

    names: list[str]  # full names of the raw columns: unique, none empty
    columns: list[Column]  # one a name, all of one length
    rows: Rows  # for each row its number in the file, as a spreadsheet numbers it
    rows_in: int  # rows that the file holds below its header, however many became a row here
    # rows that did not: one problem each. ``len(rows) + len(aside) == rows_in``.
    aside: list[Problem] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)  # everything else that was not taken unchanged
    # names of columns that identify a person: used to exclude test responses, and then dropped
    personal: frozenset[str] = frozenset()
    # for each column the question in words, if the file has it in addition to the name
    labels: dict[str, str] = field(default_factory=dict)
    # for each column the labels of its codes, if the file has them
    value_labels: dict[str, dict[str, str]] = field(default_factory=dict)
    # for each column the labelled codes that the file declares missing
    missing: dict[str, frozenset[str]] = field(default_factory=dict)
    # key of the layout -> the decision that a person has to make there
    asked: dict[str, str] = field(default_factory=dict)

    def keep(self, kept: NDArray[np.bool_], aside: Sequence[Problem]) -> None:
        """Keep some rows; the others are set aside, a problem for each."""
        if len(aside) != int((~kept).sum()):
            raise RuntimeError(f"{(~kept).sum()} rows go, {len(aside)} are accounted for")
        if not aside:
            return
        self.columns = [column.take(kept) for column in self.columns]
        self.rows = self.rows[kept]
        self.aside.extend(aside)

    def drop(self, gone: NDArray[np.bool_], why: str) -> None:
        """Set some rows aside for one reason."""
        self.keep(~gone, [set_aside(int(row), why) for row in self.rows[gone]])

    def drop_columns(self, names: frozenset[str]) -> None:
        """Leave columns out."""
        kept = [place for place, name in enumerate(self.names) if name not in names]
        self.names = [self.names[place] for place in kept]
        self.columns = [self.columns[place] for place in kept]


def settle(table: RawTable) -> RawTable:
    """Remove control characters, and set aside rows without content, as for every format."""
    for place, name in enumerate(table.names):
        column, problems = _without_control(table.columns[place], name, table.rows)
        table.columns[place] = column
        table.problems.extend(problems)
    empty = np.ones(len(table.rows), dtype=np.bool_)
    for column in table.columns:
        empty &= ~column.filled
        if not empty.any():
            return table
    table.drop(empty, EMPTY)
    return table


EMPTY: Final = "empty row"


def set_aside(row: int, why: str) -> Problem:
    """Account for a whole row that is set aside."""
    return Problem(row, EVERY, "", why, SET_ASIDE)


def _without_control(column: Column, name: str, rows: Rows) -> tuple[Column, list[Problem]]:
    """Remove control characters, with a problem for each cell."""
    dirty = pc.match_substring_regex(column.texts, CONTROL).to_numpy(zero_copy_only=False)
    damaged = pc.match_substring(column.texts, REPLACEMENT).to_numpy(zero_copy_only=False)
    if not (dirty.any() or damaged.any()):
        return column, []
    texts = column.listed()
    problems = []
    for place in np.flatnonzero(column.where(dirty | damaged)):
        code = column.codes[place]
        lost = ("a character was lost before the file came here (U+FFFD)", "kept as it stands")
        said = ("control characters", "taken out") if dirty[code] else lost
        problems.append(Problem(int(rows[place]), name, texts[code], *said))
    if not dirty.any():
        return column, problems
    return column.with_texts([re.sub(CONTROL, "", text) for text in texts]), problems


TOP: Final = 60
"""Rows that are searched for the header."""


class Sheet:
    """Rows of cells, numbered from 1, header and all."""

    source: Source
    problems: list[Problem]  # those of the sheet as a whole

    @property
    def top(self) -> list[list[str]]:
        """Return the first rows, trimmed, blanks as ""; a row ends with its last cell."""
        raise NotImplementedError

    def merged(self, row: int) -> list[str]:  # noqa: ARG002
        """List the ranges of cells merged across columns in a row (from 0), which text does not have."""
        return []

    def body(self, first: int, width: int) -> RawTable:
        """Read the rows from a given one on (from 0) into at least `width` columns, which are named by place.

        Empty rows at the end do not count as rows.
        """
        raise NotImplementedError
