"""The one shape in which every statistic leaves its function: one estimate a row, the same columns everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Final

import pandas as pd

ALL: Final = "all"
"""The word for "over every organisation (or wave) together" in the columns `organisation` and `wave`."""

TEXT: Final = ("analysis", "scale", "item", "wave", "organisation", "term")
NUMBERS: Final = ("estimate", "std_error", "df", "conf_low", "conf_high", "p_value", "p_adjusted")
COLUMNS: Final = (*TEXT, *NUMBERS, "n", "status", "note")


class Status(StrEnum):
    """What became of an estimate.

    `BOUNDARY` comes with an estimate (a variance was estimated as zero); the others come with none.
    """

    OK = "ok"
    BOUNDARY = "boundary"
    NOT_ESTIMABLE = "not_estimable"
    NOT_CONVERGED = "not_converged"
    TOO_FEW = "too_few"


def tidy(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Lay rows out in the common columns.

    Parameters
    ----------
    rows
        One mapping an estimate; keys are names in `COLUMNS`. What a row leaves out is empty: "" for text,
        NaN for numbers, missing for `n`; `status` defaults to ``ok``.

    Returns
    -------
    DataFrame
        Columns `COLUMNS` in that order, in the order of the rows.

    Raises
    ------
    ValueError
        If a row has a key that is not a column.
    """
    listed = [dict(row) for row in rows]
    if unknown := {key for row in listed for key in row} - set(COLUMNS):
        raise ValueError(f"not columns of a tidy table: {sorted(unknown)}")
    frame = pd.DataFrame(listed, columns=list(COLUMNS))
    for name in (*TEXT, "note"):
        frame[name] = frame[name].astype("string").fillna("").astype("str")
    for name in NUMBERS:
        frame[name] = frame[name].astype("float64")
    frame["n"] = frame["n"].astype("Int64")
    frame["status"] = frame["status"].astype("string").fillna(Status.OK.value).astype("str")
    return frame
