"""What a raw file tells of its returns apart from their answers: who, how often, when, and which are tests."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from surveywaves.adding.dates import Readings, is_date, read_dates
from surveywaves.adding.recognise import squeezed
from surveywaves.ingest.column import Column
from surveywaves.ingest.headers import find_column
from surveywaves.ingest.raw import RawTable, Source
from surveywaves.ingest.readers import read_raw
from surveywaves.study.models import Layout
from surveywaves.wording import normalise

IDENTIFIER: Final = "respondentid"
STARTS: Final = ("startdate", "datecreated", "started", "submitdate")
ENDS: Final = ("enddate", "datemodified", "ended", "submitdate")
NUMBER: Final = re.compile(r"[-+]?\d+([.,]\d+)?")


@dataclass(slots=True)
class Returns:
    """Returns of one file.

    Parameters
    ----------
    rows
        Rows that the file holds below its header.
    header
        Number of the header's last row.
    respondent
        Column that identifies a return; None if there is none that is known to.
    identifying
        Columns that could: always filled, never the same.
    repeated
        Identifiers that stand more than once.
    excluded
        Column -> marks of test responses that it holds, with the number of rows.
    starts, ends
        When returns were begun and ended, test responses left out; None without such a column.
    dates, numbers
        Columns that hold dates; numbers of many values.
    """

    rows: int
    header: int
    respondent: str | None = None
    identifying: list[str] = field(default_factory=list)
    repeated: int = 0
    excluded: dict[str, dict[str, int]] = field(default_factory=dict)
    starts: Readings | None = None
    ends: Readings | None = None
    dates: list[str] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)


def look_at_returns(source: Source, like: Layout | None) -> Returns:
    """Read a raw file for what it tells of its returns.

    Parameters
    ----------
    like
        Layout of another wave: its column of identifiers and its marks of test responses are looked for.
    """
    table = read_raw(source)
    found = Returns(table.rows_in, int(table.rows[0]) - 1 if len(table.rows) else 1)
    _identify(found, table, [source.layout.respondent, like.respondent if like else None])
    tests = _marked(found, table, like)
    found.starts = _dates(table, STARTS, ~tests)
    found.ends = _dates(table, ENDS, ~tests)
    for name, column in zip(table.names, table.columns, strict=True):
        if len(column.texts) > 2 and name not in table.personal:
            texts = column.listed()
            if all(map(is_date, texts)):
                found.dates.append(name)
            elif all(NUMBER.fullmatch(text) for text in texts):
                found.numbers.append(name)
    return found


def _identify(found: Returns, table: RawTable, wanted: Sequence[str | None]) -> None:
    places = [find_column(table.names, name) for name in wanted if name]
    places += [place for place, name in enumerate(table.names) if squeezed(name) == IDENTIFIER]
    for place in [place for place in places if place is not None][:1]:
        column = table.columns[place]
        found.respondent = table.names[place]
        found.repeated = int((np.bincount(column.codes[column.filled]) > 1).sum())
    found.identifying = [
        name
        for name, column in zip(table.names, table.columns, strict=True)
        if name not in table.personal
        and len(column) > 2
        and column.filled.all()
        and len(column.texts) == len(column)
    ]


def _marked(found: Returns, table: RawTable, like: Layout | None) -> np.typing.NDArray[np.bool_]:
    """Find the rows that the other wave would exclude."""
    tests = np.zeros(len(table.rows), dtype=np.bool_)
    for wanted, values in (like.exclude if like else {}).items():
        place = _near_column(table.names, wanted)
        if place is None:
            continue
        column = table.columns[place]
        texts = [normalise(text) for text in column.listed()]
        for value in values:
            hits = np.array([*(text == normalise(value) for text in texts), False])[column.codes]
            if value and hits.any():
                found.excluded.setdefault(table.names[place], {})[value] = int(hits.sum())
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


def _dates(table: RawTable, wanted: Sequence[str], rows: np.typing.NDArray[np.bool_]) -> Readings | None:
    for name in wanted:
        for place, known in enumerate(table.names):
            if squeezed(known).replace("_", "") == name:
                column = table.columns[place].take(rows)
                if column.filled.any():
                    return read_dates(_used(column))
    return None


def _used(column: Column) -> list[str]:
    texts = column.listed()
    return [texts[code] for code in np.unique(column.codes[column.filled])]
