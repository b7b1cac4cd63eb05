"""Describe the columns of a raw file for the draft of a crosswalk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from surveywaves.ingest.raw import Column, RawTable, Source
from surveywaves.ingest.readers import read_raw
from surveywaves.study.models import Layout

MOST: Final = 30
"""Most distinct cells of a column that are listed: with more it is an identifier, a date or a comment."""
FEW: Final = 5
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


def describe_columns(path: Path, layout: Layout) -> list[RawColumn]:
    """Read a raw file and describe its columns; no row is left out."""
    return columns_of(read_raw(Source(str(path), path, layout)))


def columns_of(found: RawTable) -> list[RawColumn]:
    """Describe the columns of a file that has been read."""
    described = []
    for called, column in zip(found.names, found.columns, strict=True):
        personal = called in found.personal
        texts, distinct = _frequent(column)
        described.append(
            RawColumn(
                name=called,
                label=found.labels.get(called) or called,
                values=() if personal else texts,
                value_labels=found.value_labels.get(called, {}),
                filled=int(column.filled.sum()),
                distinct=distinct,
                personal=personal,
            )
        )
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
    comment = any(len(text) > LONGEST for text in texts) or (distinct > FEW and once > distinct / 2)
    return (() if comment else texts), distinct
