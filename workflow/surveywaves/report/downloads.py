"""Tables to take away: CSV in a link, safe to open in a spreadsheet."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

import pandas as pd

from surveywaves.spreadsheet import csv_lines, harmless

PLAIN: Final = "!$()*+,-./:;=?@_~|[]{}^`"
"""What may stand in an address in a page as it is. In base64 numbers would take a quarter more room."""


def to_csv(frame: pd.DataFrame) -> str:
    """Write a frame as CSV: UTF-8 as spreadsheets take it, numbers in full, no text that they would run.

    Heads and text cells that begin as a formula does get an apostrophe in front (OWASP, CSV injection); numbers stay
    numbers, negative ones too.
    """
    return csv_lines(frame, lambda text: str(harmless(text.replace("\x00", ""))))


def data_uri(frame: pd.DataFrame) -> str:
    """Give a frame as a `data:` address."""
    return f"data:text/csv;charset=utf-8,{quote(to_csv(frame).encode(), safe=PLAIN)}"
