"""One text for one value, whichever program stored it: `3` and not `3.0`, dates as ISO 8601."""

from __future__ import annotations

import datetime as dt
import decimal
import math
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_WHOLE: Final = 2.0**53
_MIDNIGHT: Final = r"[T ]00:00:00(\.0+)?$"


def object_text(value: object) -> str | None:
    """Write one Python value as text; None for None and for what is not a number."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating):
        return float_text(float(value))
    if isinstance(value, decimal.Decimal):
        return _decimal_text(value)
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if _is_midnight(value) else value.isoformat()
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        return float_text(value.total_seconds())
    return str(value)


def float_text(value: float) -> str | None:
    """Write a number in the fewest digits that give it back; whole numbers without a point."""
    if math.isnan(value):
        return None
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    if value != math.floor(value):
        return repr(value)
    # Beyond 2**53 the digits of int(value) say more than the number knows.
    return (
        str(int(value))
        if abs(value) < _WHOLE
        else format(decimal.Decimal(repr(value)), "f").removesuffix(".0")
    )


def float_texts(values: NDArray[np.float64]) -> Any:
    """Write numbers as text, in whole arrays: Arrow strings, null for NaN."""
    values = np.asarray(values, dtype=np.float64)
    whole = np.isfinite(values) & (np.abs(values) < _WHOLE)
    whole[whole] = values[whole] == np.floor(values[whole])
    integers = pa.array(np.where(whole, values, 0).astype(np.int64), mask=~whole)
    texts = pc.coalesce(
        pc.cast(integers, pa.string()), pc.cast(pa.array(values, mask=np.isnan(values)), pa.string())
    )
    # Arrow and Python part ways where an exponent is written: there Python's word counts.
    odd = np.flatnonzero(pc.match_substring(texts, "e").fill_null(False).to_numpy(zero_copy_only=False))
    if not len(odd):
        return texts
    mask = np.zeros(len(values), dtype=np.bool_)
    mask[odd] = True
    return pc.replace_with_mask(
        texts, pa.array(mask), pa.array([float_text(float(values[place])) for place in odd], type=pa.string())
    )


def arrow_texts(values: Any) -> Any:
    """Write an Arrow array as text; types that hold more than one value a cell are refused.

    Raises
    ------
    pyarrow.ArrowNotImplementedError, pyarrow.ArrowInvalid
        If the type has no text (a list, a struct, a span of time), or bytes are not UTF-8.
    """
    kind = values.type
    if pa.types.is_dictionary(kind):
        return pa.DictionaryArray.from_arrays(values.indices, arrow_texts(values.dictionary))
    if pa.types.is_floating(kind):
        # 0.1 in single precision is 0.1 in the fewest digits, and 0.10000000149011612 in double precision.
        shortest = values if kind == pa.float64() else pc.cast(pc.cast(values, pa.string()), pa.float64())
        return float_texts(shortest.to_numpy(zero_copy_only=False))
    if pa.types.is_decimal(kind):
        return pa.array([object_text(value) for value in values.to_pylist()], type=pa.string())
    if pa.types.is_timestamp(kind):
        texts = pc.replace_substring(pc.cast(values, pa.string()), " ", "T", max_replacements=1)
        texts = pc.replace_substring_regex(
            texts, r"(:\d\d(?:\.\d*?[1-9])?)\.?0*(Z|[+-]\d\d:?\d\d)?$", r"\1\2"
        )
        return pc.replace_substring_regex(texts, _MIDNIGHT, "")
    if pa.types.is_time(kind):
        return pc.replace_substring_regex(pc.cast(values, pa.string()), r"(\.\d*?[1-9])?\.?0*$", r"\1")
    if pa.types.is_duration(kind) or pa.types.is_nested(kind):
        raise pa.ArrowNotImplementedError(f"no text for {kind}")
    return pc.cast(values, pa.string())


def _is_midnight(value: dt.datetime) -> bool:
    return value.time() == dt.time() and value.tzinfo is None


def _decimal_text(value: decimal.Decimal) -> str | None:
    if value.is_nan():
        return None
    plain = format(value, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain
