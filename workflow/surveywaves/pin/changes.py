"""Two versions of the released tables held against each other: which numbers moved, came or went.

Which row of a released table is which, and which rows are a wave's own, stands in `surveywaves.catalogue`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from surveywaves.catalogue import STATISTICS
from surveywaves.pin.manifest import TOLERANCE
from surveywaves.terms import ALL, BETWEEN, Status


def key_columns(name: str, *frames: pd.DataFrame) -> list[str]:
    """Return the columns that name the rows of a table in each of some frames.

    A table that the catalogue does not have is one of another version; its rows are named by every column that all the
    frames have, so that a row which changed is one that is gone and one that is new.
    """
    key = STATISTICS[name].key if name in STATISTICS else map(str, frames[0])
    return [column for column in key if all(column in frame for frame in frames)]


def row_names(name: str, *frames: pd.DataFrame) -> list[list[str]]:
    """Name each row of each frame of a table by its key, as in `wave=first; item=a`.

    Blank parts are left out. Where the key leaves rows alike in any of the frames, the further columns tell these
    apart, and if they cannot, a number does.
    """
    key = key_columns(name, *frames)
    further = (
        [column for column in STATISTICS[name].further if all(column in frame for frame in frames)]
        if (name in STATISTICS)
        else []
    )
    plain = [_joined(frame, key) for frame in frames]
    again = {row for rows in plain for row, count in Counter(rows).items() if count > 1}
    return [
        _numbered(
            [
                "; ".join(filter(None, [row, more])) if row in again else row
                for row, more in zip(rows, _joined(frame, further), strict=True)
            ]
        )
        for rows, frame in zip(plain, frames, strict=True)
    ]


def _joined(frame: pd.DataFrame, columns: list[str]) -> list[str]:
    rows = (
        zip(*(frame[column].astype("str") for column in columns), strict=True)
        if columns
        else ([],) * len(frame)
    )
    return [
        "; ".join(f"{column}={cell}" for column, cell in zip(columns, row, strict=True) if cell)
        for row in rows
    ]


def _numbered(names: list[str]) -> list[str]:
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        seen[name] += 1
        found.append(f"{name} ({seen[name]})" if seen[name] > 1 else name)
    return found


def waves_named(wave: str) -> list[str]:
    """List the waves that a cell of the column `wave` names: one, or both sides of a contrast."""
    return wave.split(BETWEEN)


def is_own(name: str, row: Mapping[str, str]) -> bool:
    """Whether a row is about the waves that it names alone, so that no other wave can move it."""
    table = STATISTICS.get(name)
    return table is not None and table.own and ALL not in waves_named(row.get("wave", ""))


COLUMNS: Final = ("kind", "table", "key", "column", "old", "new", "relative_change")
"""Columns of a comparison."""

NUMBER: Final = r"[+-]?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|inf)"
WHOLE: Final = r"[+-]?\d+"

Frames = Mapping[str, pd.DataFrame]
"""Name of a released table -> its rows, every cell as text: a blank one is ""."""


class Kind(StrEnum):
    """What became of a number."""

    MOVED = "moved"
    GONE = "gone"
    NEW = "new"
    RE_ESTIMATED = "re-estimated"
    """It comes from a model over all waves, and there is a wave more."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a comparison found."""

    changes: pd.DataFrame
    """Columns `COLUMNS`; one row a cell that moved, a row (column "") or a table (key "") that came or went. In the
    order of the tables, their rows and columns."""
    tables: int
    numbers: int
    """How many tables, and numbers in them, the first version has."""
    within: int
    """How many numbers differ, but by less than the tolerance."""

    def of(self, *kinds: Kind) -> pd.DataFrame:
        """Return the changes of some kinds."""
        return self.changes[self.changes["kind"].isin([str(kind) for kind in kinds])]

    @property
    def fails(self) -> bool:
        """Whether a number moved or is gone that nothing but a mistake or another analysis can move."""
        return not self.of(Kind.MOVED, Kind.GONE).empty


class _Change(NamedTuple):
    kind: Kind
    table: str
    key: str = ""
    column: str = ""
    old: str = ""
    new: str = ""
    relative_change: float = np.nan


def compare(old: Frames, new: Frames, *, added: Sequence[str] = ()) -> Comparison:
    """Compare two versions of the released tables.

    Rows are matched by their key, wherever they stand. Whole numbers and words must be the same; of two numbers of
    which one has a fraction, the second may lie off the first by `TOLERANCE`. Blank equals blank.

    Parameters
    ----------
    old, new
        The tables, every cell as text.
    added
        Waves that the second version has more, where that is the only difference of the two studies. What comes from
        models over all waves is then `re-estimated`, not `moved`; what is a wave's own must still be the same.
    """
    found: list[_Change] = []
    within = 0
    for name in [*old, *(name for name in new if name not in old)]:
        if name not in new:
            found.append(_Change(Kind.GONE, name))
        elif name not in old:
            found.append(_Change(Kind.NEW, name))
        else:
            pair = _Pair(name, old[name], new[name], added)
            found += pair.changes()
            within += pair.within
    changes = pd.DataFrame(found, columns=list(COLUMNS)).astype({"kind": "str", "relative_change": "float64"})
    numbers = sum(_count(frame) for frame in old.values())
    return Comparison(changes, tables=len(old), numbers=numbers, within=within)


def _count(frame: pd.DataFrame) -> int:
    """Count the numbers in a table."""
    return int(sum(frame[column].str.fullmatch(NUMBER).sum() for column in frame))


class _Pair:
    """Two versions of one table."""

    def __init__(
        self,
        name: str,
        old: pd.DataFrame,
        new: pd.DataFrame,
        added: Sequence[str],
    ) -> None:
        self.name = name
        self.old, self.new = (frame.reset_index(drop=True) for frame in (old, new))
        self.added = added
        self.key = key_columns(name, old, new)
        self.within = 0

    def changes(self) -> list[_Change]:
        """List what differs: first by row, in the order of the old table; then what is new."""
        old, new = (pd.Index(names) for names in row_names(self.name, self.old, self.new))
        places = new.get_indexer(old)
        kept = np.flatnonzero(places >= 0)
        ordered: list[tuple[tuple[int, int], _Change]] = [
            ((int(row), -1), _Change(self._kind(int(row), Kind.GONE), self.name, old[int(row)]))
            for row in np.flatnonzero(places < 0)
        ]
        for number, column in enumerate(map(str, self.old)):
            if column in self.key:
                continue
            if column not in self.new:
                ordered.append(((-1, number), _Change(Kind.GONE, self.name, column=column)))
                continue
            was, now = self.old[column].iloc[kept], self.new[column].iloc[places[kept]]
            for place, relative in self._off(was.to_numpy("str"), now.to_numpy("str")):
                row = int(kept[place])
                kind = self._kind(row, Kind.MOVED, other=int(places[row]))
                change = _Change(
                    kind, self.name, old[row], column, was.iloc[place], now.iloc[place], relative
                )
                ordered.append(((row, number), change))
        found = [change for _, change in sorted(ordered, key=lambda one: one[0])]
        found += [
            _Change(Kind.NEW, self.name, column=column)
            for column in map(str, self.new)
            if column not in self.old
        ]
        return found + [_Change(Kind.NEW, self.name, label) for label in new[~new.isin(old)]]

    def _off(self, was: NDArray[np.str_], now: NDArray[np.str_]) -> Iterator[tuple[int, float]]:
        """Yield the places of cells that are not the same, and by how much of the old number they moved."""
        places = np.flatnonzero(was != now)
        before, after = (pd.Series(cells[places], dtype="str") for cells in (was, now))
        whole = before.str.fullmatch(WHOLE) & after.str.fullmatch(WHOLE)
        old, new = _numbers(before), _numbers(after)
        size, distance = old.abs(), (new - old).abs()
        allowed = TOLERANCE.absolute + TOLERANCE.relative * size
        same = (distance <= allowed) & ~whole & np.isfinite(size)
        self.within += int(same.sum())
        relative = ((new - old) / size.where(size > 0)).where(np.isfinite(distance))
        for number in np.flatnonzero(~same):
            yield int(places[number]), float(relative.iloc[number])

    def _kind(self, row: int, kind: Kind, *, other: int | None = None) -> Kind:
        """Return the kind of a row's change, given the waves that were added."""
        if not self.added:
            return kind
        cells = {column: str(self.old[column].iloc[row]) for column in self.key}
        if not is_own(self.name, cells):
            return Kind.RE_ESTIMATED
        if other is None or cells.get("term") not in STATISTICS[self.name].linked:
            return kind
        statuses = {str(self.old["status"].iloc[row]), str(self.new["status"].iloc[other])}
        return Kind.RE_ESTIMATED if Status.WITHHELD in statuses else kind


def _numbers(cells: pd.Series[str]) -> pd.Series[float]:
    """Read cells as numbers; NaN where a cell is none."""
    return pd.Series(
        [float(cell) if re.fullmatch(NUMBER, cell) else np.nan for cell in cells], dtype="float64"
    )
