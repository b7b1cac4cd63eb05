"""Counts behind a scale's mean: what its printed digits tell of them.

The percentage of favourable answers to a scale, the mean over its statements, is one linear equation over the counts of
answers to these; so is the mean answer. Each count lies in the interval that its released value leaves, and what is
shown of all. With both means of its cell, each as near as its own digits and its contrasts with other cells tell, a
small count must still have all the values that it has without.
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

ROUNDS: Final = 3
"""How often differences narrow means that others narrowed."""

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
    printed: dict[tuple[str, str], dict[Place, tuple[float, float]]] = {}
    for (metric, scale, place), decimals in places.items():
        if those := behind.get((scale, place), []):
            true = sum(float(one.n @ one.scores[metric] / one.n.sum()) for one in those) / len(those)
            unit = 10.0**-decimals / (spans[scale] if metric == LINEAR else 100.0)
            printed.setdefault((metric, scale), {})[place] = true, unit
    found: dict[Mean, float] = {}
    for scale, place in dict.fromkeys((scale, place) for _, scale, place in places):
        own = [metric for metric in (LINEAR, FAVOURABLE) if (metric, scale, place) in places]
        those = behind.get((scale, place), [])
        safe = (
            less
            for less in range(FEWER + 1)
            if those and not tells(those, {one: known(printed[one, scale], place, less) for one in own}, rule)
        )
        less = next(safe, math.nan)
        found |= {(metric, scale, place): places[metric, scale, place] - less for metric in own}
    return found


def known(means: Mapping[Place, tuple[float, float]], place: Place, less: int) -> tuple[float, float]:
    """Bound a mean by its digits, of which it loses some, and by what is printed of its differences from all others."""
    true, unit = np.array(list(means.values())).T
    own = list(means).index(place)
    unit[own] *= 10.0**less
    low, high = ((np.round(true / unit) + half) * unit for half in (-0.5, 0.5))
    finest = np.maximum.outer(unit, unit)
    apart = finest * np.round(np.subtract.outer(true, true) / finest)
    for _ in range(ROUNDS):
        low, high = (
            np.maximum(low, (low + apart - finest / 2).max(axis=1)),
            np.minimum(high, (high + apart + finest / 2).min(axis=1)),
        )
    return float(low[own]), float(high[own])


def tells(those: list[Statement], known: Mapping[str, tuple[float, float]], rule: Rule) -> bool:
    """Whether means over statements (of 1 from end to end) that lie between two ends each narrow a small count."""
    low, high = len(those) * np.array([(low - TINY, high + TINY) for low, high in known.values()]).T
    scores = [np.column_stack([one.scores[metric] for metric in known]) for one in those]
    if len(those) == PAIR and all(np.prod(one.high - one.low + 1) <= MOST for one in those):
        return _pair_tells(those, scores, low, high, rule)
    return any(
        _sum_tells(
            those,
            [own @ normal for own in scores],
            np.minimum(normal * low, normal * high).sum(),
            np.maximum(normal * low, normal * high).sum(),
            rule,
        )
        for normal in _normals(scores)
    )


def _pair_tells(
    those: list[Statement], scores: list[FloatArray], low: FloatArray, high: FloatArray, rule: Rule
) -> bool:
    """Go through all that two statements can be: with bases that differ, fine means tell each of them apart."""
    tables = [_tables(one) for one in those]
    means = [
        np.round(counts @ own / one.n.sum(), 12)
        for counts, own, one in zip(tables, scores, those, strict=True)
    ]
    for this, other in ((0, 1), (1, 0)):
        distinct, which = np.unique(means[this], axis=0, return_inverse=True)
        sums = distinct[:, None] + np.unique(means[other], axis=0)[None]
        possible = ((sums >= low) & (sums <= high)).all(axis=2).any(axis=1)
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


def _normals(scores: list[FloatArray]) -> FloatArray:
    """(D, M) the directions that decide whether means are possible together.

    All means that tables between bounds can have are a polygon; its edges are those of moving an answer from one
    response to another. What lies outside of it does so in the direction of an edge's normal, or of an axis.
    """
    axes = np.eye(scores[0].shape[1])
    moves = np.vstack([(own[:, None] - own).reshape(-1, len(axes)) for own in scores])
    slopes = [[1.0, -x / y] for x, y in moves if x * y] if len(axes) > 1 else []
    return np.unique(np.round(np.vstack([axes, *slopes]), 12), axis=0)


def _sum_tells(
    those: list[Statement], scores: list[FloatArray], least: float, most: float, rule: Rule
) -> bool:
    """Bound each small count by a sum of mean scores."""
    ranges = [
        _range(one.low[None], one.high[None], one.n.sum(), own)
        for one, own in zip(those, scores, strict=True)
    ]
    low_sum, high_sum = (sum(float(side[end][0]) for side in ranges) for end in (0, 1))
    for one, score, (low, high) in zip(those, scores, ranges, strict=True):
        for response in _small(one, rule):
            own = np.arange(one.low[response], min(one.high[response], one.n.sum()) + 1)
            lows, highs = np.tile(one.low, (len(own), 1)), np.tile(one.high, (len(own), 1))
            lows[:, response] = highs[:, response] = own
            down, up = _range(lows, highs, one.n.sum(), score)
            above = high_sum - high[0] + up < least
            below = low_sum - low[0] + down > most
            if (above | below).any():  # not of what cannot be by itself, which is NaN
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
