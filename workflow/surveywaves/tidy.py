"""The one shape in which every statistic leaves its function: one estimate a row, the same columns everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Final

import numpy as np
import pandas as pd

ALL: Final = "all"
"""The word for "over every organisation (or wave) together" in the columns `organisation` and `wave`."""

TEXT: Final = ("analysis", "scale", "item", "wave", "organisation", "term")
NUMBERS: Final = ("estimate", "std_error", "df", "conf_low", "conf_high", "p_value", "p_adjusted")
COLUMNS: Final = (*TEXT, *NUMBERS, "n", "status", "note")


class Status(StrEnum):
    """What became of an estimate.

    `BOUNDARY` comes with an estimate (a variance was estimated as zero); the others come with none.
    `WITHHELD` is what the disclosure rule makes of an estimate, or of a row of counts that lost any.
    """

    OK = "ok"
    BOUNDARY = "boundary"
    NOT_ESTIMABLE = "not_estimable"
    NOT_CONVERGED = "not_converged"
    TOO_FEW = "too_few"
    WITHHELD = "withheld"


class Decision(StrEnum):
    """What a contrast comes to: see `surveywaves.mixed.decisions`. Empty where there is no estimate."""

    INCREASE = "increase"
    DECREASE = "decrease"
    NO_MEANINGFUL_CHANGE = "no_meaningful_change"
    INCONCLUSIVE = "inconclusive"


DECIDED: Final = ("smallest", "p_equivalence", "p_equivalence_adjusted", "decision")
"""The columns of a table of decisions, after `COLUMNS`."""

ITEM_BY_ITEM: Final = "compared item by item only"
"""How the note begins on an estimate of a scale whose items do not go together well enough to be one."""


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
    listed = list(rows)
    if unknown := {key for row in listed for key in row} - set(COLUMNS):
        raise ValueError(f"not columns of a tidy table: {sorted(unknown)}")
    columns: dict[str, Any] = {}
    for name in COLUMNS:
        values = [row.get(name) for row in listed]
        if name in NUMBERS:
            columns[name] = np.array(values, dtype=np.float64)  # None becomes NaN
        elif name == "n":
            columns[name] = pd.array(values, dtype="Int64")
        else:
            otherwise = Status.OK if name == "status" else ""
            columns[name] = pd.array(
                [otherwise if value is None else str(value) for value in values], dtype="str"
            )
    return pd.DataFrame(columns)
