"""Cells for numbers: the number, its sign where it is withheld, or in words why there is none."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from surveywaves.tables.labels import Labels
from surveywaves.tables.layout import Cell
from surveywaves.tables.words import (
    NONE,
    WITHHELD,
    as_float,
    interval,
    is_missing,
    number,
    p_value,
    percentage,
    whole,
)
from surveywaves.tidy import Status

STATUS: Final[Mapping[str, str]] = {
    Status.BOUNDARY: "variance estimated as zero",
    Status.NOT_ESTIMABLE: "not estimable",
    Status.NOT_CONVERGED: "no fit found",
    Status.TOO_FEW: "too few respondents",
}
"""Why there is no estimate, or what to mind about it, in words."""


def is_withheld(row: Any, what: str) -> bool:
    """Whether a row of a released table lacks something because the disclosure rule withholds it.

    Parameters
    ----------
    row
        A row with its columns as attributes, or None.
    what
        A column. An `n` may be withheld beside an estimate that is shown.
    """
    if row is None or not (is_missing(value := getattr(row, what)) or value == ""):
        return False
    beside = what == "n" and not is_missing(getattr(row, "estimate", None))
    return beside or getattr(row, "status", "") == Status.WITHHELD


def withheld_cell() -> Cell:
    """Print that a number is withheld."""
    return Cell(WITHHELD, float("nan"), tone="muted")


def number_cell(row: Any, what: str, written: Callable[[Any], str]) -> Cell:
    """Print a number of a row, or the sign that it is withheld, or a dash.

    Parameters
    ----------
    row
        A row with its columns as attributes, or None.
    what
        A column.
    written
        How a number is written.
    """
    if is_withheld(row, what):
        return withheld_cell()
    value: Any = None if row is None else getattr(row, what)
    if is_missing(value):
        return Cell(NONE, float("nan"), tone="muted")
    return Cell(written(value), as_float(value))


def count_and_percent(row: Any) -> Cell:
    """Print a count and its percentage as publications do, n (%), as far as they are not withheld; sorts by the latter.

    Parameters
    ----------
    row
        With `n` and `percent`, or None.
    """
    if row is None:
        return Cell(NONE, float("nan"), tone="muted")
    n, percent = number_cell(row, "n", whole), number_cell(row, "percent", percentage)
    if n.text == percent.text:
        return n
    return Cell(f"{n.text} ({percent.text})", percent.value)


def interval_cell(row: Any, *, decimals: int = 2) -> Cell:
    """Print the interval of an estimate; it sorts by its lower end."""
    return number_cell(row, "conf_low", lambda low: interval(low, row.conf_high, decimals=decimals))


def p_cell(row: Any, what: str) -> Cell:
    """Print a p-value, to two places where it was released with two."""
    decimals = 2 if is_rounded(row) else 3
    return number_cell(row, what, lambda value: p_value(value, decimals=decimals))


def is_rounded(row: Any) -> bool:
    """Whether an estimate was released with two decimals, and all that was estimated with it."""
    names = ("estimate", "std_error", "conf_low", "conf_high", "p_value", "p_adjusted")
    values = [as_float(getattr(row, name, None)) for name in names]
    shown = [100 * value for value in values if math.isfinite(value)]
    return len(shown) > _ENOUGH and all(math.isclose(value, round(value), abs_tol=1e-6) for value in shown)


def decimals_of(row: Any, most: int) -> int:
    """Give the decimals that an estimate and its interval are shown with: none if they were released without."""
    values = [as_float(getattr(row, name, None)) for name in ("estimate", "conf_low", "conf_high")]
    shown = [value for value in values if math.isfinite(value)]
    return 0 if shown and all(map(float.is_integer, shown)) else most


_ENOUGH: Final = 2
"""Numbers that have two decimals at most by chance."""


def side_of_zero(row: Any, labels: Labels, *, with_estimate: bool = False) -> Cell:
    """Say where a contrast's interval lies, with a sign that does not depend on colour."""
    if row is None or is_missing(row.conf_low) or is_missing(row.conf_high) or is_missing(row.estimate):
        return status_cell(getattr(row, "status", ""), labels.readable(getattr(row, "note", "")))
    side = (int(row.conf_low > 0) - int(row.conf_high < 0)) if row.conf_low <= row.conf_high else 0
    sign, words, tone = {1: ("▲", "above zero", "up"), -1: ("▼", "below zero", "down")}.get(
        side, ("○", "includes zero", "")
    )
    if with_estimate:
        return Cell(f"{sign} {number(row.estimate, signed=True)}", as_float(row.estimate), tone=tone)
    return Cell(f"{sign} {words}", words, tone=tone)


def estimate_cell(
    row: Any, labels: Labels, *, with_interval: bool = False, signed: bool = False, decimals: int = 2
) -> Cell:
    """Print an estimate, with its interval if asked; or why there is none."""
    if row is None:
        return Cell(NONE, float("nan"), tone="muted")
    if is_missing(row.estimate):
        return status_cell(row.status, labels.readable(row.note))
    text = number(row.estimate, signed=signed, decimals=decimals)
    if with_interval and not is_missing(row.conf_low):
        text = f"{text} ({interval(row.conf_low, row.conf_high, decimals=decimals)})"
    status = "" if row.status == Status.OK else STATUS.get(row.status, row.status)
    said = ": ".join(filter(None, (status, labels.readable(row.note))))
    return Cell(text, as_float(row.estimate), (said,) if said else (), "caution" if status else "")


def status_cell(status: str, note: str) -> Cell:
    """Say why there is no number; of one that is withheld, the sign says it all."""
    if status == Status.WITHHELD:
        return withheld_cell()
    if not status or status == Status.OK:
        return Cell(NONE, float("nan"), (note,) if note else (), "muted")
    return Cell(STATUS.get(status, status), float("nan"), (note,) if note else (), "muted")
