"""Counts behind a scale's mean: what its printed digits tell of them.

The percentage of favourable answers to a scale, the mean over its statements, is one linear equation over the counts of
answers to these; so is the mean answer. Each count lies in the interval that its released value leaves, and what is
shown of all. With both means of its cell, each as near as its own digits and its contrasts with other cells tell, a
small count must still have all the values that it has without.
What the bases of the statements are is taken to be known, which whoever attacks may wish for.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from surveywaves.disclosure.count_tables import ItemKey, Place
from surveywaves.disclosure.digits import step
from surveywaves.disclosure.system import BoolArray, FloatArray, Rule
from surveywaves.terms import ALL, FAVOURABLE, LINEAR, ORGANISATION
from surveywaves.tidy import floats, tuples

Mean = tuple[str, str, Place]
"""Metric (`LINEAR` or `FAVOURABLE`), scale, wave and organisation."""

COARSER: Final = (1.0, 2.0, 5.0, 10.0)
"""Factors by which the unit of a mean may be made coarser."""

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
    together
        (R,) responses whose sum is shown too, and what a reader knows of that; None: there is none.
    hidden
        Whether a count of these is withheld.
    """

    n: FloatArray
    low: FloatArray
    high: FloatArray
    scores: Mapping[str, FloatArray]
    together: tuple[BoolArray, float, float] | None = None
    hidden: bool = False


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
    good = [(item, response) for item, key in instrument.items() for response in key.good]
    both["good"] = pd.MultiIndex.from_frame(both[["item", "response"]]).isin(good)
    both = both.astype({"n": "float64"}).assign(shown=floats(both["n_shown"]))
    rows = _bounded(both, ["wave", "item", "response"], rule)
    place = ["item", "wave", "organisation"]
    sums = both[both["good"]].groupby(place, sort=False)[["n", "shown"]].sum(min_count=1).reset_index()
    sums = _bounded(sums, ["wave", "item"], rule)
    together = dict(zip(tuples(sums, *place), tuples(sums, "low", "high"), strict=True))
    found: dict[tuple[str, Place], list[Statement]] = {}
    for where, own in rows.groupby(place, sort=False):
        item, wave, organisation = map(str, where)
        key = instrument[item]
        counts, responses = own["n"].to_numpy(), own["response"].to_numpy(dtype=np.float64)
        if not key.scale or not counts.sum():
            continue
        # items of one scale with other options are put on its range, which moves no bound by more than a constant
        span = max(key.points - 1, 1)
        scores = {
            LINEAR: (responses - 1 if key.key > 0 else key.points - responses) / span,
            FAVOURABLE: np.isin(responses, list(key.good)).astype(np.float64),
        }
        found.setdefault((key.scale, (wave, organisation)), []).append(
            Statement(
                counts,
                own["low"].to_numpy(),
                own["high"].to_numpy(),
                scores,
                (own["good"].to_numpy(), *together[where]) if where in together else None,
                bool(own["shown"].isna().any()),
            )
        )
    return found


def _bounded(table: pd.DataFrame, answer: list[str], rule: Rule) -> pd.DataFrame:
    """Bound counts (`low`, `high`) by what is shown; organisations add up to what is shown of all."""
    every = table.groupby(answer)["n"].transform("sum")
    low = (table["shown"] - rule.rounding + 1).clip(lower=0).fillna(0)
    high = (table["shown"] + rule.rounding - 1).fillna(every)
    keys = [table[name] for name in answer]
    least, most = (one.groupby(keys).transform("sum") for one in (low, high))
    return table.assign(low=np.maximum(low, every - most + high), high=np.minimum(high, every - least + low))


def sizes(respondents: pd.DataFrame, released: pd.DataFrame) -> dict[str, dict[str, tuple[int, int]]]:
    """List the returns of each wave and organisation, as they are and as they are shown."""
    keys = ["wave", "variable", "level"]
    both = respondents[[*keys, "n"]].merge(released[[*keys, "n"]], on=keys, suffixes=("", "_shown"))
    found: dict[str, dict[str, tuple[int, int]]] = {}
    for wave, level, n, shown in tuples(
        both[both["variable"] == ORGANISATION].dropna(), "wave", "level", "n", "n_shown"
    ):
        found.setdefault(wave, {})[level] = int(n), int(shown)
    return found


def allowed(
    units: Mapping[Mean, float],
    behind: Mapping[tuple[str, Place], list[Statement]],
    *,
    most: Mapping[Mean, float],
    spans: Mapping[str, float],
    sizes: Mapping[str, Mapping[str, tuple[int, int]]],
    rule: Rule,
) -> dict[Mean, float]:
    """Find the units to which means may be printed.

    Parameters
    ----------
    units
        What they are multiples of, as their uncertainty warrants.
    behind
        See `statements`.
    most
        The coarsest unit in which a mean is still informative; one that needs a coarser unit is withheld.
    spans
        Scale -> its highest less its lowest response.
    sizes
        Wave -> organisation, and those who state none -> returns, as they are and as they are shown.
    rule
        The rule.

    Returns
    -------
    dict
        The unit of each; NaN: no number is safe. Whoever has a scale's mean answer has its percentage too.
    """
    printed: dict[tuple[str, str], dict[Place, tuple[float, float]]] = {}
    for (metric, scale, place), unit in units.items():
        those = behind.get((scale, place), [])
        if those and not any(one.hidden for one in those):
            true = sum(float(one.n @ one.scores[metric] / one.n.sum()) for one in those) / len(those)
            printed.setdefault((metric, scale), {})[place] = true, unit / _range_of(metric, spans[scale])
    found: dict[Mean, float] = {}
    for scale, place in dict.fromkeys((scale, place) for _, scale, place in units):
        own = [metric for metric in (LINEAR, FAVOURABLE) if (metric, scale, place) in units]
        coarser = ({one: step(units[one, scale, place] * factor) for one in own} for factor in COARSER)
        safe = (
            tried
            for tried in coarser
            if all(place in printed.get((one, scale), {}) for one in own)
            and all(unit <= most[one, scale, place] for one, unit in tried.items())
            and not tells(
                behind[scale, place],
                {
                    one: known(printed[one, scale], place, tried[one] / units[one, scale, place])
                    for one in own
                },
                rule,
            )
        )
        least = next(safe, dict.fromkeys(own, math.nan))
        found |= {(metric, scale, place): least[metric] for metric in own}
    for wave, groups in sizes.items():
        for organisation in sorted(groups, key=lambda one: groups[one]):
            ends = {
                one: known(printed[one[:2]], one[2], unit / units[one])
                for one, unit in found.items()
                if one[2][0] == wave and not math.isnan(unit)
            }
            if not _few_told(wave, groups, behind, ends, rule):
                break
            found |= {one: math.nan for one in found if one[2] == (wave, organisation)}
    return found


def _few_told(
    wave: str,
    groups: Mapping[str, tuple[int, int]],
    behind: Mapping[tuple[str, Place], list[Statement]],
    ends: Mapping[Mean, tuple[float, float]],
    rule: Rule,
) -> bool:
    """Check whether means narrow the size of a small group, or a small count in a group that is hidden.

    They may, together with the means of all other groups and the exact answers of all respondents. This is a linear
    program over the answers to all scales whose statements everybody answered; means of others are not linear in them.
    """
    few = [place for place, (n, _) in enumerate(groups.values()) if 0 < n < rule.threshold]
    hidden = any(one.hidden for (_, place), own in behind.items() if place[0] == wave for one in own)
    if not (few or hidden) or not ends:
        return False
    there = [name for name, (n, _) in groups.items() if n]
    low = [max(shown - rule.rounding + 1, 0) for _, shown in groups.values()]
    high = [shown + rule.rounding - 1 for _, shown in groups.values()]
    sums: list[tuple[dict[int, float], float, float]] = []
    above: list[dict[int, float]] = []
    place = {name: number for number, name in enumerate(groups)}
    for scale in dict.fromkeys(scale for _, scale, _ in ends):
        asked = {name: behind.get((scale, (wave, name)), []) for name in there}
        items = len(next(iter(asked.values())))
        if any(
            len(own) != items or any(one.n.sum() != groups[name][0] for one in own)
            for name, own in asked.items()
        ):
            continue
        first = {}
        for name, own in asked.items():
            first[name] = len(low)
            low += [n for one in own for n in one.low]
            high += [n for one in own for n in one.high]
            start = first[name]
            for one in own:
                cells = np.arange(start, start + len(one.n)).tolist()
                sums.append((dict.fromkeys(cells, 1.0) | {place[name]: -1.0}, 0.0, 0.0))
                if one.together:
                    members, least, most = one.together
                    sums.append((dict.fromkeys(np.array(cells)[members].tolist(), 1.0), least, most))
                if one.hidden:
                    few += [start + response for response in _small(one, rule)]
                start += len(one.n)
        every = np.sum([np.concatenate([one.n for one in own]) for own in asked.values()], axis=0)
        for number, total in enumerate(every):
            sums.append((dict.fromkeys((start + number for start in first.values()), 1.0), total, total))
        for (metric, about, (_, name)), span in ends.items():
            if about == scale:
                scores = np.concatenate([one.scores[metric] for one in asked[name]])
                for sign, end in zip((-1.0, 1.0), span, strict=True):
                    terms = dict(enumerate(sign * scores, first[name]))
                    above.append(terms | {place[name]: -sign * items * (end + sign * TINY)})
    if not above:
        return False
    rows, lowest, highest = zip(*sums, strict=True)
    shown = LinearConstraint(_rows(rows, len(low)), lowest, highest)
    told = LinearConstraint(_rows(above, len(low)), -np.inf, 0.0)

    def values(cell: int, *known: LinearConstraint) -> int:
        """Count the values that a cell may have."""
        goal = np.zeros(len(low))
        goal[cell] = 1.0
        solved = [milp(sign * goal, bounds=Bounds(low, high), constraints=known) for sign in (1, -1)]
        ends = [0.0 if one.fun is None else float(one.fun) for one in solved]
        return 1 - sum(math.ceil(end - 1e-6) for end in ends)

    return any(values(cell, shown, told) < min(rule.rounding, values(cell, shown)) for cell in few)


def _rows(rows: Sequence[Mapping[int, float]], cells: int) -> sparse.csr_array:
    """Lay out equations, each given by the factors of its cells."""
    columns = [cell for row in rows for cell in row]
    starts = np.cumsum([0, *map(len, rows)])
    factors = [factor for row in rows for factor in row.values()]
    return sparse.csr_array((factors, columns, starts), shape=(len(rows), cells))


def _range_of(metric: str, span: float) -> float:
    return span if metric == LINEAR else 100.0


def known(means: Mapping[Place, tuple[float, float]], place: Place, coarser: float) -> tuple[float, float]:
    """Bound a mean by its unit, coarsened by a factor, and by its printed differences from all others."""
    true, unit = np.array(list(means.values())).T
    own = list(means).index(place)
    unit[own] *= coarser
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
    tables = np.column_stack([first, rest])
    fits = (rest >= one.low[-1]) & (rest <= one.high[-1])
    if one.together:
        members, low, high = one.together
        good = tables[:, members].sum(axis=1)
        fits &= (good >= low) & (good <= high)
    return np.asarray(tables[fits], dtype=np.float64)


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
    ranges = [_range(one, one.low[None], one.high[None], own) for one, own in zip(those, scores, strict=True)]
    low_sum, high_sum = (sum(float(side[end][0]) for side in ranges) for end in (0, 1))
    for one, score, (low, high) in zip(those, scores, ranges, strict=True):
        for response in _small(one, rule):
            own = np.arange(one.low[response], min(one.high[response], one.n.sum()) + 1)
            lows, highs = np.tile(one.low, (len(own), 1)), np.tile(one.high, (len(own), 1))
            lows[:, response] = highs[:, response] = own
            down, up = _range(one, lows, highs, score)
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
    one: Statement, low: FloatArray, high: FloatArray, scores: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """(V,) the smallest and the largest mean score of counts within bounds (V, R); NaN: none are possible."""
    total = np.array([one.n.sum()])
    if one.together is None:
        least, most = _sums(low, high, total, scores)
    else:
        # All that the responses that are shown together can be, and the others the rest.
        members, first, last = one.together
        good = np.arange(first, min(last, total[0]) + 1)
        parts = [
            _sums(low[:, own], high[:, own], sums, scores[own])
            for own, sums in ((members, good), (~members, total - good))
        ]
        least, most = (parts[0][end] + parts[1][end] for end in (0, 1))
    least, most = np.where(np.isnan(least), np.inf, least), np.where(np.isnan(most), -np.inf, most)
    ends = least.min(axis=1, initial=np.inf), most.max(axis=1, initial=-np.inf)
    least, most = (np.where(np.isinf(end), np.nan, end) / total for end in ends)
    return least, most


def _sums(
    low: FloatArray, high: FloatArray, totals: FloatArray, scores: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """(V, T) the smallest and the largest sum of scores of counts (V, R) within bounds and with given totals (T,)."""
    rest = totals - low.sum(axis=1)[:, None]
    possible = (rest >= 0) & (high.sum(axis=1)[:, None] >= totals)
    ends = []
    for order in (np.argsort(scores, kind="stable"), np.argsort(-scores, kind="stable")):
        room = (high - low)[:, None, order]
        taken = np.clip(rest[..., None] - (np.cumsum(room, axis=2) - room), 0, room)
        ends.append(np.where(possible, (low @ scores)[:, None] + taken @ scores[order], np.nan))
    return ends[0], ends[1]
