"""The common shape of statistics."""

from __future__ import annotations

import math

import pytest

from surveywaves.terms import Status
from surveywaves.tidy import COLUMNS, tidy


def test_what_a_row_leaves_out_is_empty() -> None:
    frame = tidy([{"scale": "a", "estimate": 1, "n": 3}, {"status": Status.TOO_FEW, "n": None}])
    assert list(frame.columns) == list(COLUMNS)
    assert frame["scale"].tolist() == ["a", ""]
    assert frame["estimate"][0] == 1.0
    assert math.isnan(frame["estimate"][1])
    assert frame["status"].tolist() == ["ok", "too_few"]
    assert frame["n"].dtype == "Int64"
    assert frame["n"].isna().tolist() == [False, True]


def test_no_rows_still_have_the_columns_and_types() -> None:
    assert (tidy([]).dtypes == tidy([{"n": 1}]).dtypes).all()


def test_a_column_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="not columns of a tidy table"):
        tidy([{"estimat": 1}])
