"""Cells for estimates: the number, or in words why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from surveywaves.tables.labels import Labels
from surveywaves.tables.layout import Cell
from surveywaves.tables.words import NONE, as_float, interval, is_missing, number
from surveywaves.tidy import Status

STATUS: Final[Mapping[str, str]] = {
    Status.BOUNDARY: "variance estimated as zero",
    Status.NOT_ESTIMABLE: "not estimable",
    Status.NOT_CONVERGED: "no fit found",
    Status.TOO_FEW: "too few respondents",
}
"""Why there is no estimate, or what to mind about it, in words."""


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
    """Say why there is no number."""
    if not status or status == Status.OK:
        return Cell(NONE, float("nan"), (note,) if note else (), "muted")
    return Cell(STATUS.get(status, status), float("nan"), (note,) if note else (), "muted")
