"""Files that leave the program: spreadsheets that run no formula, SPSS files without a date.

What a spreadsheet opens: text that it does not take for a formula, and CSV that holds no other.

SPSS files without the moment they were written at: the same bytes on every run.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any, Final

import pandas as pd

FORMULA: Final = tuple("=+-@\t\r\n＝＋－＠")
"""How a text begins that a spreadsheet may run."""

_BOM: Final = "\ufeff"
"""Without it, spreadsheets take UTF-8 for something else."""


def harmless(value: Any) -> Any:
    """Put an apostrophe before a text that begins as a formula does (OWASP, CSV injection); numbers stay numbers."""
    if isinstance(value, str) and value.lstrip(" ").startswith(FORMULA):
        return f"'{value}"
    return value


def csv_lines(frame: pd.DataFrame, text: Callable[[str], str]) -> str:
    """Write a frame as CSV that a spreadsheet opens as UTF-8: numbers in full, what is missing empty.

    Parameters
    ----------
    frame
        Any columns.
    text
        What becomes of each head and text cell; it is to be `harmless` in the end.
    """

    def safe(value: Any) -> Any:
        if isinstance(value, str):
            return text(value)
        # What differs from itself is NaN; `isna` for each cell would take longer than all the rest.
        return "" if value is None or value is pd.NA or value != value else harmless(value)  # noqa: PLR0124

    with io.StringIO(newline="") as buffer:
        writer = csv.writer(buffer, lineterminator="\r\n")
        writer.writerow(safe(str(name)) for name in frame.columns)
        for row in frame.itertuples(index=False, name=None):
            writer.writerow(map(safe, row))
        return _BOM + buffer.getvalue()


def csv_text(frame: pd.DataFrame) -> str:
    """Write a frame as CSV: UTF-8 as spreadsheets take it, numbers in full, no text that they would run.

    Heads and text cells that begin as a formula does get an apostrophe in front (OWASP, CSV injection); numbers stay
    numbers, negative ones too.
    """
    return csv_lines(frame, lambda text: str(harmless(text.replace("\x00", ""))))


_SAV_CREATED: Final = slice(92, 109)
"""Creation date and time in the header of a .sav file, 9 and 8 letters."""
_SAV_LONG_AGO: Final = b"01 Jan 7000:00:00"


def undated_sav(content: bytes) -> bytes:
    """Put a fixed date into an SPSS file.

    Raises
    ------
    ValueError
        If it is not one.
    """
    if not content.startswith(b"$FL"):
        raise ValueError("not an SPSS file")
    return content[: _SAV_CREATED.start] + _SAV_LONG_AGO + content[_SAV_CREATED.stop :]
