"""Counts behind a scale's mean: what its printed digits tell of them.

The percentage of favourable answers to a scale, the mean over its statements, is one linear equation over the counts of
answers to these; so is the mean answer. Each count lies in the interval that its released value leaves, and what is
shown of all. With a mean, a small count must still have all the values that it has without: what several of its cell,
and those of other organisations, could tell together is to find room.
What the bases of the statements are is taken to be known, which whoever attacks may wish for.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from surveywaves.disclosure.count_tables import ItemKey, Place
from surveywaves.disclosure.system import FloatArray, Rule
from surveywaves.terms import ALL, FAVOURABLE, LINEAR, NOT_STATED

Mean = tuple[str, str, Place]
"""Metric (`LINEAR` or `FAVOURABLE`), scale, wave and organisation."""

FEWER: Final = 1
"""Digits that a mean may lose before it is withheld."""

PAIR: Final = 2
MOST: Final = 600_000
"""Statements of which all that they can be is gone through, and so many tables of each at most."""

TINY: Final = 1e-9


class Statement(NamedTuple):
    """The answers to a statement in a wave and organisation.

    Attributes
    ----------
    n, low, high
        (R,) how many gave each response; what a reader knows of that.
    scores
        Metric -> (R,) what each response counts.
    """

    n: FloatArray
    low: FloatArray
    high: FloatArray
    scores: Mapping[str, FloatArray]


def statements(
    frequencies: pd.DataFrame, released: pd.DataFrame, instrument: Mapping[str, ItemKey], rule: Rule
) -> dict[tuple[str, Place], list[Statement]]:
    """Lay out the answers to the statements of each scale, wave and organisation whose counts are rounded.

    Parameters
    ----------
    frequencies, released
        `item_frequencies`, before and after the release.
    instrument, rule
        The items, and the rule.
    """
    keys = ["wave", "organisation", "item", "response"]
    both = frequencies[[*keys, "n"]].merge(released[[*keys, "n"]], on=keys, suffixes=("", "_shown"))
    both = both[both["organisation"].ne(ALL) & both["item"].isin(list(instrument))]
    n = both["n"].astype("float64")
    shown = both["n_shown"].astype("Float64").astype("float64")
    # organisations add up to what is shown of all
    answer = [both[name] for name in ("wave", "item", "response")]
    every = n.groupby(answer).transform("sum")
    low = (shown - rule.rounding + 1).clip(lower=0).fillna(0)
    high = (shown + rule.rounding - 1).fillna(every)
    least, most = (one.groupby(answer).transform("sum") for one in (low, high))
    rows = both.assign(
        true=n,
        low=np.maximum(low, every - most + high),
        high=np.minimum(high, every - least + low),
        hidden=shown.isna(),
    )
    found: dict[tuple[str, Place], list[Statement]] = {}
    unknown: set[tuple[str, Place]] = set()
    for place, own in rows[rows["organisation"] != NOT_STATED].groupby(
        ["item", "wave", "organisation"], sort=False
    ):
        item, wave, organisation = map(str, place)
        key = instrument[item]
        counts, responses = own["true"].to_numpy(), own["response"].to_numpy(dtype=np.float64)
        if not key.scale or not counts.sum():
            continue
        if own["hidden"].any():
            unknown.add((key.scale, (wave, organisation)))
        # items of one scale with other options are put on its range, which moves no bound by more than a constant
        span = max(key.points - 1, 1)
        scores = {
            LINEAR: (responses - 1 if key.key > 0 else key.points - responses) / span,
            FAVOURABLE: np.isin(responses, list(key.good)).astype(np.float64),
        }
        found.setdefault((key.scale, (wave, organisation)), []).append(
            Statement(counts, own["low"].to_numpy(), own["high"].to_numpy(), scores)
        )
    return found | {place: [] for place in unknown}


def allowed(
    places: Mapping[Mean, float],
    behind: Mapping[tuple[str, Place], list[Statement]],
    *,
    spans: Mapping[str, float],
    rule: Rule,
) -> dict[Mean, float]:
    """Find how many decimals means may have.

    Parameters
    ----------
    places
        Decimals as their uncertainty warrants.
    behind
        See `statements`.
    spans
        Scale -> its highest less its lowest response.
    rule
        The rule.

    Returns
    -------
    dict
        Decimals of each; NaN: no number is safe. Whoever has a scale's mean answer has its percentage too.
    """
    beside: dict[tuple[str, Place], dict[str, float]] = {}
    for (metric, scale, place), decimals in places.items():
        beside.setdefault((scale, place), {})[metric] = decimals
    found: dict[Mean, float] = {}
    for (scale, place), own in beside.items():
        whole = {metric: spans[scale] if metric == LINEAR else 100.0 for metric in own}
        tried = (
            {metric: 10.0 ** (less - decimals) / whole[metric] for metric, decimals in own.items()}
            for less in range(FEWER + 1)
        )
        those = behind.get((scale, place), [])
        less = next((less for less, units in enumerate(tried) if not tells(those, units, rule)), math.nan)
        found |= {(metric, scale, place): decimals - less for metric, decimals in own.items()}
    return found


def tells(those: list[Statement], units: Mapping[str, float], rule: Rule) -> bool:
    """Whether means over statements, printed in such units (of 1 from end to end), narrow a small count."""
    if not those:  # some statement's counts are withheld
        return True
    if len(those) == PAIR and all(np.prod(one.high - one.low + 1) <= MOST for one in those):
        return _pair_tells(those, units, rule)
    return any(_one_tells(those, metric, unit, rule) for metric, unit in units.items())


def _pair_tells(those: list[Statement], units: Mapping[str, float], rule: Rule) -> bool:
    """Go through all that two statements can be: with bases that differ, fine means tell each of them apart."""
    unit = np.array(list(units.values()))
    tables = [_tables(one) for one in those]
    means = [
        np.column_stack([counts @ one.scores[metric] / one.n.sum() for metric in units])
        for counts, one in zip(tables, those, strict=True)
    ]
    true = sum(np.array([one.n @ one.scores[metric] / one.n.sum() for metric in units]) for one in those)
    printed = PAIR * unit * np.round(true / PAIR / unit)
    for this, other in ((0, 1), (1, 0)):
        distinct, which = np.unique(np.round(means[this], 12), axis=0, return_inverse=True)
        sums = distinct[:, None] + np.unique(np.round(means[other], 12), axis=0)[None]
        possible = (np.abs(sums - printed) <= PAIR * unit / 2 + TINY).all(axis=2).any(axis=1)
        left = tables[this][possible[which.ravel()]]
        for response in _small(those[this], rule):
            if len(np.unique(left[:, response])) < len(np.unique(tables[this][:, response])):
                return True
    return False


def _tables(one: Statement) -> FloatArray:
    """(T, R) all counts between the bounds that add up to the base."""
    axes = [np.arange(low, high + 1) for low, high in zip(one.low[:-1], one.high[:-1], strict=True)]
    first = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))
    rest = one.n.sum() - first.sum(axis=1)
    fits = (rest >= one.low[-1]) & (rest <= one.high[-1])
    return np.asarray(np.column_stack([first, rest])[fits], dtype=np.float64)


def _one_tells(those: list[Statement], metric: str, unit: float, rule: Rule) -> bool:
    """Bound each small count by one mean."""
    true = [float(one.n @ one.scores[metric] / one.n.sum()) for one in those]
    printed = len(those) * unit * np.round(sum(true) / len(those) / unit)
    slack = len(those) * unit / 2 + TINY
    ranges = [_range(one.low[None], one.high[None], one.n.sum(), one.scores[metric]) for one in those]
    low_sum, high_sum = (sum(float(side[end][0]) for side in ranges) for end in (0, 1))
    for one, (low, high) in zip(those, ranges, strict=True):
        for response in _small(one, rule):
            own = np.arange(one.low[response], min(one.high[response], one.n.sum()) + 1)
            lows, highs = np.tile(one.low, (len(own), 1)), np.tile(one.high, (len(own), 1))
            lows[:, response] = highs[:, response] = own
            down, up = _range(lows, highs, one.n.sum(), one.scores[metric])
            there = ~np.isnan(down)
            above = high_sum - high[0] + up >= printed - slack
            below = low_sum - low[0] + down <= printed + slack
            if (there & ~(above & below)).any():
                return True
    return False


def _small(one: Statement, rule: Rule) -> Iterator[int]:
    """List the responses that few gave, or all but a few."""
    for response, n in enumerate(one.n):
        if 0 < n < rule.threshold or 0 < one.n.sum() - n < rule.threshold:
            yield response


def _range(
    low: FloatArray, high: FloatArray, total: float, scores: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """(V,) the smallest and the largest mean score of counts (V, R) within bounds and with a given sum; NaN: none."""
    rest = total - low.sum(axis=1)
    possible = (rest >= 0) & (high.sum(axis=1) >= total)
    ends = []
    for order in (np.argsort(scores, kind="stable"), np.argsort(-scores, kind="stable")):
        room = (high - low)[:, order]
        taken = np.clip(rest[:, None] - (np.cumsum(room, axis=1) - room), 0, room)
        ends.append(np.where(possible, (low @ scores + taken @ scores[order]) / total, np.nan))
    return ends[0], ends[1]
