"""Tables to take away: CSV in a link, safe to open in a spreadsheet."""

from __future__ import annotations

import base64
import csv
import io
from typing import Any, Final

import pandas as pd

from surveywaves.spreadsheet import harmless

_BOM: Final = "\ufeff"


def to_csv(frame: pd.DataFrame) -> str:
    """Write a frame as CSV: UTF-8 as spreadsheets take it, numbers in full, no text that they would run.

    Heads and text cells that begin as a formula does get an apostrophe in front (OWASP, CSV injection); numbers stay
    numbers, negative ones too.
    """
    with io.StringIO(newline="") as buffer:
        writer = csv.writer(buffer, lineterminator="\r\n")
        writer.writerow(_harmless(str(name)) for name in frame.columns)
        for row in frame.itertuples(index=False, name=None):
            writer.writerow(_harmless(value) for value in row)
        return _BOM + buffer.getvalue()


def data_uri(frame: pd.DataFrame) -> str:
    """Give a frame as a `data:` address."""
    return f"data:text/csv;charset=utf-8;base64,{base64.b64encode(to_csv(frame).encode()).decode()}"


def _harmless(value: Any) -> Any:
    if value is None or value is pd.NA or value != value:  # noqa: PLR0124 - NaN is what differs from itself
        return ""
    return harmless(value.replace("\x00", "") if isinstance(value, str) else value)
