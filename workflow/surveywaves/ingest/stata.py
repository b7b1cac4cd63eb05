"""Stata files (.dta): columns go by variable name."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyreadstat
from numpy.typing import NDArray

from surveywaves.ingest.canonical import arrow_texts
from surveywaves.ingest.raw import RawTable, Source
from surveywaves.ingest.signature import Kind
from surveywaves.ingest.statfile import read_statfile

_END: Final = b"</stata_dta>"
_EPOCH_DAYS: Final = 3653
"""Days from 1960, when Stata begins to count, to 1970."""
_LAST_DAY: Final = 2_932_897  # the end of the year 9999, from 1970
_DAY: Final = 86_400_000


def read(source: Source, kind: Kind) -> RawTable:  # noqa: ARG001
    """Read a Stata file; named missing values read as Stata writes them, `.a` to `.z`."""
    with source.path.open("rb") as file:
        if file.read(11) == b"<stata_dta>":
            file.seek(-min(len(_END), 11) - 1, 2)
            if file.read() != _END:
                raise source.error("is cut off: its end is missing", "download or copy it again")
    return read_statfile(source, pyreadstat.read_dta, dates=_date_texts, missing=lambda code: f".{code}")


def _date_texts(kind: str, values: NDArray[np.float64]) -> Any:
    """Write days (%td) and moments (%tc) as ISO 8601."""
    if kind.startswith(("%td", "%d")):
        moments = (values - _EPOCH_DAYS) * _DAY
    elif kind.startswith(("%tc", "%tC")):
        moments = values - _EPOCH_DAYS * _DAY
    else:
        return None
    if not ((moments < _LAST_DAY * _DAY) & (moments > -_LAST_DAY * _DAY / 10)).all():
        return None
    return arrow_texts(pa.array(moments.round().astype(np.int64)).cast(pa.timestamp("ms")))
