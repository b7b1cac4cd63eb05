"""Controlled rounding: every count to a multiple of a base, near its value, so that all totals still add up.

An integer program over the same linked counts that suppression looks at. Salazar-Gonzalez (2006), Controlled rounding
and cell perturbation: statistical disclosure limitation methods for tabular data, Mathematical Programming 105, 583.
What was computed from counts is computed again, from the rounded ones.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd
from scipy.optimize import Bounds, LinearConstraint, milp

from surveywaves.disclosure import count_tables
from surveywaves.disclosure.count_tables import ItemPlace
from surveywaves.disclosure.marking import COLUMN, WHOLE
from surveywaves.disclosure.suppress import NODES
from surveywaves.disclosure.system import FloatArray, IntArray, System
from surveywaves.terms import ALL, NOT_STATED, ORGANISATION, Status

FURTHEST: Final = 3
"""Multiples that a count may be moved by where the next ones allow no table that adds up."""


def round_counts(system: System, base: int) -> IntArray:
    """Round linked counts.

    Parameters
    ----------
    system
        Linked counts; what they need, and what withholding costs, is not looked at.
    base
        Multiples of this are shown.

    Returns
    -------
    (N,) int array
        Multiples of the base that meet the equations: each the next below or above its count, multiples of the base as
        they are; only where that is impossible further away. The sum of the distances is the smallest, and of equally
        near tables always the same is chosen.

    Raises
    ------
    ValueError
        If the equations have constants other than 0: they could not be met by multiples.
    """
    if np.abs(system.equations @ system.counts).max(initial=0) > 0.5:
        raise ValueError("a total that is no count of the system cannot be rounded with it")
    for further in range(FURTHEST):
        if (found := _nearest(system, base, further)) is not None:
            return found
    raise RuntimeError(f"{len(system.counts)} linked counts have no table of multiples of {base} near them")


def _nearest(system: System, base: int, further: int) -> IntArray | None:
    size = len(system.counts)
    down = np.floor(system.counts / base)
    low, high = np.maximum(down - further, 0), np.ceil(system.counts / base) + further
    # Multiples m and distances t >= |base m - value|; small differences between cells settle ties.
    unit, zero = np.eye(size), np.zeros((len(system.equations), size))
    matrix = np.vstack(
        [
            np.hstack([system.equations, zero]),
            np.hstack([base * unit, -unit]),
            np.hstack([-base * unit, -unit]),
        ]
    )
    at_most = np.concatenate([np.zeros(len(zero)), system.counts, -system.counts])
    at_least = np.concatenate([np.zeros(len(zero)), np.full(2 * size, -np.inf)])
    preference: FloatArray = 1 + np.arange(size) / (100.0 * size)
    found = milp(
        np.concatenate([np.zeros(size), preference]),
        integrality=np.concatenate([np.ones(size), np.zeros(size)]),
        bounds=Bounds(np.concatenate([low, np.zeros(size)]), np.concatenate([high, np.full(size, np.inf)])),
        constraints=LinearConstraint(matrix, at_least, at_most),
        options={"node_limit": NODES, "mip_rel_gap": 0.0},
    )
    if found.x is None:
        return None
    rounded: IntArray = base * np.round(found.x[:size]).astype(np.intp)
    return rounded


Values = Mapping[Hashable, int]


def frequencies(table: pd.DataFrame, values: Mapping[ItemPlace, Values]) -> pd.DataFrame:
    """Round the table of `describe.item_frequencies`."""
    places = list(_cells(table, "wave", "item", "organisation", "response"))
    n = [
        values[wave, item]["n", organisation, int(response)] for wave, item, organisation, response in places
    ]
    base = [values[wave, item]["base", organisation] for wave, item, organisation, _ in places]
    return _with(table, n=n, base=base, percent=_percent(n, base))


def summary(table: pd.DataFrame, values: Mapping[ItemPlace, Values]) -> pd.DataFrame:
    """Round the table of `describe.item_summary`; mean and standard deviation are those of the rounded counts."""
    columns: dict[str, list[float]] = {name: [] for name in ("base", "mean", "sd", "favourable_n")}
    for wave, item, organisation in _cells(table, "wave", "item", "organisation"):
        own = values[wave, item]
        n = {
            int(name[2]): count
            for name, count in own.items()
            if isinstance(name, tuple) and name[:2] == ("n", organisation)
        }
        base = sum(n.values())
        mean = sum(response * count for response, count in n.items()) / base if base else math.nan
        squares = sum(count * (response - mean) ** 2 for response, count in n.items())
        columns["base"].append(base)
        columns["mean"].append(mean)
        columns["sd"].append(math.sqrt(squares / (base - 1)) if base > 1 else math.nan)
        columns["favourable_n"].append(own["favourable", organisation])
    percent = _percent(columns["favourable_n"], columns["base"])
    return _with(table, **columns, favourable_percent=percent)


def respondents(table: pd.DataFrame, values: Mapping[str, Values]) -> pd.DataFrame:
    """Round the table of `describe.respondents`."""
    n, base = [], []
    for wave, organisation, variable, level in _cells(table, "wave", "organisation", "variable", "level"):
        own = values[wave]
        n.append(own["size", level] if variable == ORGANISATION else own["n", variable, organisation, level])
        asked = own.get(("asked", variable, organisation), own.get(("size", organisation), 0))
        base.append(asked if level == NOT_STATED else own["base", variable, organisation])
    return _with(table, n=n, base=base, percent=_percent(n, base))


def missing(
    table: pd.DataFrame, values: Mapping[ItemPlace, Values], groups: Mapping[str, Values]
) -> pd.DataFrame:
    """Round the table of `describe.missing_summary`."""
    n = [values[wave, item][reason] for wave, item, reason in _cells(table, "wave", "item", "reason")]
    returns = [groups[wave]["size", ALL] for wave in table["wave"]]
    return _with(table, n=n, returns=returns, percent=_percent(n, returns))


def response_rates(table: pd.DataFrame, groups: Mapping[str, Values]) -> pd.DataFrame:
    """Round the table of `describe.response_rates`: rate and bounds are those of the rounded returns."""
    returns = [groups[wave]["size", ALL] for wave in table["wave"]]
    population = table["population"].astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
    moved = np.array(returns) / table["returns"].to_numpy(dtype=np.float64)
    possible = (np.array(returns) > 0) & (np.array(returns) <= population)
    columns = {
        name: np.where(
            possible, np.minimum(table[name].to_numpy(dtype=np.float64) * moved, 1.0), np.nan
        ).tolist()
        for name in ("rate", "conf_low", "conf_high")
    }
    shown = _with(table, returns=returns, **columns)
    impossible = shown["note"].str.contains(r"^\d+ returns from", regex=True)
    return shown.assign(note=shown["note"].mask(impossible, "more returns than the population"))


def file_counts(table: pd.DataFrame, base: int) -> pd.DataFrame:
    """Round the rows kept and set aside of each raw file; those that it has are their sum."""
    kept, aside = (
        _nearest_multiples(table["rows_kept"], base),
        _nearest_multiples(table["rows_set_aside"], base),
    )
    return _with(table, rows_in=kept + aside, rows_kept=kept, rows_set_aside=aside)


def problems(table: pd.DataFrame, base: int) -> pd.DataFrame:
    """Round the numbers of rows and cells; how many columns there are is nobody's secret."""
    n = np.where(table["about"] == COLUMN, table["n"], _nearest_multiples(table["n"], base))
    return _with(table, n=n)


def _nearest_multiples(counts: pd.Series, base: int) -> IntArray:
    nearest: IntArray = base * np.round(counts.to_numpy(dtype=np.float64) / base).astype(np.intp)
    return nearest


def estimates(table: pd.DataFrame, base: int) -> pd.DataFrame:
    """Round the numbers of respondents of a tidy table, and the numbers at an end of a scale."""
    n = table["n"].astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
    near = np.round(n / base) * base
    ends = (
        table["term"].isin(count_tables.TERMS).to_numpy(dtype=np.bool_) & table["estimate"].notna().to_numpy()
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        count = np.round(table["estimate"].to_numpy(dtype=np.float64) * n / 100)
        percent = np.where(near > 0, 100 * np.round(count / base) * base / near, np.nan)
    return table.assign(
        n=pd.array([None if np.isnan(one) else int(one) for one in near], dtype="Int64"),
        estimate=np.where(ends, np.minimum(percent, 100.0), table["estimate"]),
    )


def _with(table: pd.DataFrame, **columns: Sequence[float] | IntArray) -> pd.DataFrame:
    shown = table.copy()
    for name, values in columns.items():
        whole = name in WHOLE
        shown[name] = pd.array(values, dtype="Int64") if whole else np.array(values, dtype=np.float64)
    if "status" not in shown:
        shown["status"] = pd.Series(Status.OK.value, index=shown.index, dtype="str")
    return shown


def _percent(n: Sequence[float], base: Sequence[float]) -> list[float]:
    return [100 * count / whole if whole else math.nan for count, whole in zip(n, base, strict=True)]


def _cells(table: pd.DataFrame, *columns: str) -> zip[tuple[str, ...]]:
    return zip(*(table[name] for name in columns), strict=True)
