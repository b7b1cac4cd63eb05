"""Counts behind a scale's mean: what its printed digits tell of them.

The percentage of favourable answers to a scale, the mean over its statements, is one linear equation over the counts of
answers to these; so is the mean answer. Each count lies in the interval that its released value leaves. With both, a
small count must still have as many possible values as the base of rounding, or all that it has without the equation.
What the bases of the statements are is taken to be known, which whoever attacks may wish for.
"""

from __future__ import annotations

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
    """Lay out the answers to the statements of each scale, wave and organisation.

    Parameters
    ----------
    frequencies, released
        `item_frequencies`, before and after the release.
    instrument, rule
        The items, and the rule.
    """
    keys = ["wave", "organisation", "item", "response"]
    both = frequencies[[*keys, "n"]].merge(released[[*keys, "n"]], on=keys, suffixes=("", "_shown"))
    both = both[~both["organisation"].isin((ALL, NOT_STATED)) & both["item"].isin(list(instrument))]
    n = both["n"].to_numpy(dtype=np.float64)
    shown = both["n_shown"].astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
    reach = rule.rounding - 1 if rule.rounding else 0
    open_ = np.isnan(shown)
    low = np.maximum(np.where(open_, n - rule.threshold, shown - reach), 0)
    high = np.where(open_, n + rule.threshold, shown + reach)
    found: dict[tuple[str, Place], list[Statement]] = {}
    rows = both.assign(true=n, low=low, high=high)
    for place, own in rows.groupby(["item", "wave", "organisation"], sort=False):
        item, wave, organisation = map(str, place)
        key = instrument[item]
        counts, responses = own["true"].to_numpy(), own["response"].to_numpy(dtype=np.float64)
        if not key.scale or not counts.sum():
            continue
        # items of one scale with other options are put on its range, which moves no bound by more than a constant
        span = max(key.points - 1, 1)
        scores = {
            LINEAR: (responses - 1 if key.key > 0 else key.points - responses) / span,
            FAVOURABLE: np.isin(responses, list(key.good)).astype(np.float64),
        }
        found.setdefault((key.scale, (wave, organisation)), []).append(
            Statement(counts, own["low"].to_numpy(), own["high"].to_numpy(), scores)
        )
    return found


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
        Decimals of each; NaN: no number is safe.
    """
    found = {}
    for (metric, scale, place), decimals in places.items():
        those = behind.get((scale, place), [])
        unit = spans[scale] if metric == LINEAR else 100.0
        tried = (decimals - less for less in range(FEWER + 1))
        found[metric, scale, place] = next(
            (each for each in tried if not _tells(those, metric, 10.0**-each / unit, rule)), np.nan
        )
    return found


def _tells(those: list[Statement], metric: str, unit: float, rule: Rule) -> bool:
    """Whether the mean over statements, printed in such units, narrows a small count."""
    values = [float(one.n @ one.scores[metric] / one.n.sum()) for one in those]
    printed = len(those) * unit * np.round(np.mean(values) / unit) if those else 0.0
    slack = len(those) * unit / 2 + 1e-9
    ranges = [_range(one.low[None], one.high[None], one.n.sum(), one.scores[metric]) for one in those]
    least, most = (
        (sum(float(side[0]) for side in sides) for sides in zip(*ranges, strict=True)) if ranges else (0, 0)
    )
    for one, (low, high) in zip(those, ranges, strict=True):
        for response in _small(one, rule):
            own = np.arange(one.low[response], min(one.high[response], one.n.sum()) + 1)
            lows, highs = np.tile(one.low, (len(own), 1)), np.tile(one.high, (len(own), 1))
            lows[:, response] = highs[:, response] = own
            down, up = _range(lows, highs, one.n.sum(), one.scores[metric])
            there = ~np.isnan(down)
            kept = (
                there & (most - high[0] + up >= printed - slack) & (least - low[0] + down <= printed + slack)
            )
            if kept.sum() < min(there.sum(), max(rule.rounding, rule.threshold)):
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
