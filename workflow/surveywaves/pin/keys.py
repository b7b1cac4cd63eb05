"""Which row of a released table is which, and which rows are a wave's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pandas as pd

from surveywaves.tidy import ALL

_CELL: Final = ("scale", "wave", "organisation", "term")
_TESTED: Final = ("analysis", *_CELL)

PAIR: Final = " - "
"""What stands between the two sides of a contrast, as in `second - first`."""


@dataclass(frozen=True, slots=True)
class Table:
    """How the rows of a released table are told apart.

    Parameters
    ----------
    key
        Columns that together name a row.
    further
        Columns that tell rows apart which the key leaves alike; where it leaves none alike, they are results.
    own
        Whether a row that names waves is about these alone: another wave cannot move it. The rows of the others come
        from models over all waves.
    linked
        Terms whose withholding, though not their value, is decided over all waves together.
    """

    key: tuple[str, ...]
    further: tuple[str, ...] = ()
    own: bool = False
    linked: tuple[str, ...] = ()


TABLES: Final[Mapping[str, Table]] = {
    "agreement": Table(("scale", "term", "wave", "organisation")),
    "claims": Table(("page", "quote", "table", "row", "categories", "quantity"), own=True),
    "contrasts": Table(_TESTED),
    "diagnostics": Table(_TESTED),
    "dif": Table(("scale", "item", "wave", "organisation", "term")),
    "disclosure_log": Table(("table", "wave", "organisation", "subject", "what")),
    "disclosure_summary": Table(("table", "what")),
    "file_counts": Table(("wave", "file", "layout"), own=True),
    "item_contrasts": Table(("analysis", "scale", "item", "wave", "organisation", "term")),
    "item_frequencies": Table(("wave", "organisation", "item", "response"), own=True),
    "item_summary": Table(("wave", "organisation", "item"), own=True),
    "means": Table(_TESTED),
    "missing": Table(("wave", "item", "reason"), own=True),
    "planning": Table(_CELL, further=("n",)),
    "problems": Table(("wave", "file", "about", "problem", "action"), own=True),
    "published_tables": Table(("table", "row", "field"), own=True),
    "recodings": Table(("wave", "layout", "column", "variable", "raw"), own=True),
    "reliability": Table(
        ("scale", "item", "wave", "organisation", "term"), own=True, linked=("floor", "ceiling")
    ),
    "respondents": Table(("wave", "organisation", "variable", "level"), own=True),
    "response_rates": Table(("wave",), own=True),
    "scale_use": Table(("scale",)),
    "sensitivity": Table(("variant", *_TESTED)),
    "variances": Table(_TESTED),
}
"""Every released table."""


def key_columns(name: str, *frames: pd.DataFrame) -> list[str]:
    """Give the columns that name the rows of a table in each of some frames.

    A table that is not in `TABLES` is one of another version; its rows are named by every column that all the frames
    have, so that a row which changed is one that is gone and one that is new.
    """
    key = TABLES[name].key if name in TABLES else map(str, frames[0])
    return [column for column in key if all(column in frame for frame in frames)]


def row_names(name: str, *frames: pd.DataFrame) -> list[list[str]]:
    """Name each row of each frame of a table by its key, as in `wave=first; item=a`.

    Blank parts are left out. Where the key leaves rows alike in any of the frames, the further columns tell these
    apart, and if they cannot, a number does.
    """
    key = key_columns(name, *frames)
    further = (
        [column for column in TABLES[name].further if all(column in frame for frame in frames)]
        if (name in TABLES)
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
    return wave.split(PAIR)


def is_own(name: str, row: Mapping[str, str]) -> bool:
    """Say whether a row is about the waves that it names alone, so that no other wave can move it."""
    table = TABLES.get(name)
    return table is not None and table.own and ALL not in waves_named(row.get("wave", ""))
