"""The rows behind a table as CSV: released numbers in full, with the study's words beside its names."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import pandas as pd

from surveywaves.files import csv_lines, harmless
from surveywaves.terms import Status
from surveywaves.text import visible
from surveywaves.tidy import tuples
from surveywaves.words import WITHHELD, Labels

SCORED: Final = {"estimate", "favourable_percent"}
"""Columns of numbers that are scored: other tables with statements hold answers as given."""

_NUMBERS_AS_TEXT: Final = {"recomputed"}
"""Columns of text that hold numbers, written as a publication writes them."""


def to_csv(frame: pd.DataFrame, labels: Labels) -> bytes:
    """Write a table's tidy rows as CSV that a spreadsheet opens as it is and runs nothing of.

    Behind each column of names (`wave`, `organisation`, `scale`, `item`) stands what they are called, in
    `<column>_label`; behind `level` and `response` too, where the frame says of what. A number that is withheld has the
    sign of all tables; what is missing for another reason is empty.
    """
    text = csv_lines(_with_labels(with_signs(frame), labels), lambda cell: str(harmless(visible(cell))))
    return text.encode("utf-8", "replace")


def with_signs(frame: pd.DataFrame) -> pd.DataFrame:
    """Put the sign of what is withheld into a released table where it is; what is missing for another reason stays so.

    Without a column `status`, nothing of it is withheld.
    """
    if "status" not in frame.columns:
        return frame
    hidden = frame["status"].eq(Status.WITHHELD)
    columns: dict[str, Any] = {}
    for name in (*frame.select_dtypes("number"), *_NUMBERS_AS_TEXT.intersection(frame.columns)):
        missing = frame[name].eq("") if name in _NUMBERS_AS_TEXT else frame[name].isna()
        if not missing.any():
            continue
        marks = missing & hidden
        marks = marks & _ever(frame, name) if marks.any() else marks
        if name == "n" and "estimate" in frame.columns:
            marks |= missing & frame["estimate"].notna()
        if marks.any():
            columns[name] = frame[name].astype("object").mask(marks, WITHHELD)
    return frame.assign(**columns)


def _ever(frame: pd.DataFrame, name: str) -> pd.Series[bool]:
    """Return for each row whether its kind has such a number at all: not every estimate has an interval or a test."""
    if name == "estimate" or not {"analysis", "term"} <= set(frame.columns):
        return pd.Series(data=True, index=frame.index)
    return frame.groupby(["analysis", "term"])[name].transform("count") > 0


def _with_labels(frame: pd.DataFrame, labels: Labels) -> pd.DataFrame:
    words: dict[tuple[str, ...], Callable[..., str]] = {
        ("wave",): labels.wave,
        ("organisation",): labels.organisation,
        ("scale",): labels.scale,
        ("item",): labels.item if SCORED & set(frame.columns) else labels.wording,
        ("variable",): labels.variable,
        ("variable", "level"): labels.level,
        ("item", "response"): partial(_response, labels),
    }
    columns: dict[str, Any] = {}
    for name in frame.columns:
        columns[name] = frame[name]
        for key, called in words.items():
            if key[-1] == name and set(key) <= set(frame.columns):
                rows = list(tuples(frame, *key))
                known = {row: called(*row) if row[0] else "" for row in set(rows)}
                columns[f"{name}_label"] = [known[row] for row in rows]
    return pd.DataFrame(columns, index=frame.index)


def _response(labels: Labels, item: str, place: int) -> str:
    about = labels.presentation.items.get(item)
    options = labels.presentation.response_scales[about.response_scale].labels if about else ()
    return options[place - 1] if 1 <= place <= len(options) else ""
