"""What could not be taken as it stood: one row a cell, a row, a column or a file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import pandas as pd

COLUMNS: Final = ("wave", "file", "row", "column", "value", "problem", "action")
"""Columns of `problems.tsv`, all of them text."""

EVERY: Final = "*"
"""Stands in `row` for every row and in `column` for every column."""

SET_ASIDE: Final = "set aside"
"""How the action begins where a row did not become a return."""

LONGEST: Final = 200
"""Characters of a value that are shown: enough to find the cell by."""

_UNSEEN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that was not taken as it stood.

    Parameters
    ----------
    row
        Row of the file as a spreadsheet numbers it; None for all of them.
    column
        Full name of the raw column; `EVERY` for a whole row.
    value
        What stood there; empty where it is nobody's business (identifiers of persons).
    problem, action
        What is wrong with it, and what was done.
    """

    row: int | None
    column: str
    value: str
    problem: str
    action: str


def visible(text: str) -> str:
    r"""Show a text in one line: what cannot be seen as ``\x00``, what is long cut off."""
    shown = _UNSEEN.sub(lambda found: repr(found.group())[1:-1], text)
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"


def problem_frame(wave: str, found: Iterable[tuple[str, Problem]]) -> pd.DataFrame:
    """Lay problems out as `problems.tsv` has them.

    Parameters
    ----------
    found
        File (as configured) and problem, in the order they shall stand.
    """
    rows = [
        (
            wave,
            file,
            EVERY if one.row is None else str(one.row),
            one.column,
            visible(one.value),
            one.problem,
            one.action,
        )
        for file, one in found
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype="str")
