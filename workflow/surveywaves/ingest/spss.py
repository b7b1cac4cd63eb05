"""SPSS files (.sav, .zsav): columns go by variable name."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyreadstat
from numpy.typing import NDArray

from surveywaves.ingest.canonical import arrow_texts
from surveywaves.ingest.dictionary import check_dictionary
from surveywaves.ingest.raw import RawTable, Source
from surveywaves.ingest.signature import Kind
from surveywaves.ingest.statfile import read_statfile

DAYS: Final = ("DATE", "ADATE", "EDATE", "JDATE", "SDATE", "QYR", "MOYR", "WKYR")
MOMENTS: Final = ("DATETIME", "YMDHMS")
TIMES: Final = ("TIME",)
_EPOCH: Final = 12_219_379_200
"""Seconds from 14 October 1582, when SPSS begins to count, to 1970."""
_LAST: Final = 253402300800  # the end of the year 9999


def read(source: Source, kind: Kind) -> RawTable:  # noqa: ARG001
    """Read an SPSS file; declared missing codes are kept."""
    check_dictionary(source)
    return read_statfile(source, pyreadstat.read_sav, dates=_date_texts, missing=str)


def _date_texts(kind: str, values: NDArray[np.float64]) -> Any:
    """Write dates, moments and times of day as ISO 8601; a number that cannot be one makes the column numbers."""
    name = kind.rstrip("0123456789.")
    if name in TIMES and ((values >= 0) & (values < 86400)).all():
        return arrow_texts(pa.array((values * 1e6).round().astype(np.int64)).cast(pa.time64("us")))
    if name not in {*DAYS, *MOMENTS}:
        return None
    seconds = values - _EPOCH
    if not ((seconds < _LAST) & (values >= 0)).all():
        return None
    return arrow_texts(pa.array((seconds * 1e6).round().astype(np.int64)).cast(pa.timestamp("us")))
