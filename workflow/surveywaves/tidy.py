"""The one shape in which every statistic leaves its function: one estimate a row, the same columns everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from surveywaves.terms import Status

TEXT: Final = ("analysis", "scale", "item", "wave", "organisation", "term")
NUMBERS: Final = ("estimate", "std_error", "df", "conf_low", "conf_high", "p_value", "p_adjusted")
COLUMNS: Final = (*TEXT, *NUMBERS, "n", "status", "note")


DECIDED: Final = ("smallest", "p_equivalence", "p_equivalence_adjusted", "decision")
"""The columns of a table of decisions, after `COLUMNS`."""


def with_keys(frame: pd.DataFrame, keys: Mapping[str, int]) -> pd.DataFrame:
    """Add a column that shows which way the numbers of each item are scored.

    Parameters
    ----------
    frame
        Any table.
    keys
        Item -> 1, or -1 where agreement means less of what is measured.

    Returns
    -------
    DataFrame
        With a column `keyed` behind `item`, where there is one: ``+``, ``-``, empty where a row is about no item.
    """
    if "item" not in frame.columns or "keyed" in frame.columns:
        return frame
    signs = {item: "+" if key > 0 else "-" for item, key in keys.items()}
    shown = frame.copy()
    keyed = pd.Series([signs.get(item, "") for item in frame["item"]], index=frame.index, dtype="str")
    shown.insert(list(frame.columns).index("item") + 1, "keyed", keyed)
    return shown


def stacked(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Put tidy tables under each other, with a column `table` that names them."""
    named = [frame.assign(table=name) for name, frame in tables.items()]
    return pd.concat(named, ignore_index=True).astype({"table": "str"})


def gathered(parts: Iterable[pd.DataFrame], names: Iterable[str]) -> dict[str, pd.DataFrame]:
    """Return whole tables from parts that each hold some rows of all of them, as `stacked` writes them."""
    together = pd.concat(parts, ignore_index=True)
    kept = together.drop(columns="table")
    return {name: kept[together["table"] == name].reset_index(drop=True) for name in names}


def tuples(table: pd.DataFrame, *columns: str) -> Iterator[tuple[Any, ...]]:
    """Go through some columns of a table, a tuple a row: quicker than its rows."""
    return zip(*(table[name] for name in columns), strict=True)


def floats(column: pd.Series) -> NDArray[np.float64]:
    """(N,) the numbers of a column, NaN where one is missing."""
    return np.asarray(column.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)


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
    if unknown := set().union(*listed) - set(COLUMNS):
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
