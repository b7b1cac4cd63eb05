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
from itertools import count
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from surveywaves.disclosure.count_tables import ItemKey, Place
from surveywaves.disclosure.digits import step
from surveywaves.disclosure.rule import BoolArray, FloatArray, IntArray, Rule
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
    printed: dict[tuple[str, str], Printed] = {}
    for metric, scale in dict.fromkeys(mean[:2] for mean in units):
        places = [place for one, other, place in units if (one, other) == (metric, scale)]
        whole = [place for place in places if _whole(behind.get((scale, place), []))]
        span = spans[scale] if metric == LINEAR else 100.0
        true = [_mean(behind[scale, place], metric) for place in whole]
        unit = [units[metric, scale, place] / span for place in whole]
        printed[metric, scale] = Printed(dict(zip(whole, count())), np.array(true), np.array(unit))
    found = dict.fromkeys(units, math.nan)
    left: dict[tuple[str, tuple[str, ...]], list[Place]] = {}
    for scale, place in dict.fromkeys((scale, place) for _, scale, place in units):
        own = tuple(metric for metric in (LINEAR, FAVOURABLE) if (metric, scale, place) in units)
        if all(place in printed[metric, scale].rows for metric in own):
            left.setdefault((scale, own), []).append(place)
    for (scale, own), cells in left.items():
        places = cells
        for factor in COARSER:
            tried = {
                metric: np.array([step(units[metric, scale, place] * factor) for place in places])
                for metric in own
            }
            wide = [
                any(tried[metric][number] > most[metric, scale, place] for metric in own)
                for number, place in enumerate(places)
            ]
            ends = {
                metric: printed[metric, scale].known(
                    places, tried[metric] / [units[metric, scale, place] for place in places]
                )
                for metric in own
            }
            unsafe = tells([behind[scale, place] for place in places], ends, rule)
            for number in np.flatnonzero(~unsafe & ~np.array(wide)):
                found |= {(metric, scale, places[number]): float(tried[metric][number]) for metric in own}
            places = [place for place, again in zip(places, unsafe | wide, strict=True) if again]
            if not places:
                break
    for wave, groups in sizes.items():
        if not _any_few(wave, groups, behind, rule):
            continue
        means = [mean for mean, unit in found.items() if mean[2][0] == wave and not math.isnan(unit)]
        shown = {
            one: printed[one[:2]].known([one[2]], np.array([found[one] / units[one]]))[0] for one in means
        }
        for organisation in sorted(groups, key=lambda one: groups[one]):
            if not _few_told(wave, groups, behind, shown, rule):
                break
            gone = [one for one in found if one[2] == (wave, organisation)]
            found |= dict.fromkeys(gone, math.nan)
            shown = {one: ends for one, ends in shown.items() if one[2] != (wave, organisation)}
    return found


class Printed(NamedTuple):
    """The means of a scale that are printed: (P,) as they are, and their units, both of 1 from end to end."""

    rows: Mapping[Place, int]
    true: FloatArray
    unit: FloatArray

    def known(self, places: Sequence[Place], coarser: FloatArray) -> FloatArray:
        """(N, 2) bound means by their units, each coarsened by a factor, and by printed differences from all others."""
        every = self._ends(self.unit)
        found = np.array([every[self.rows[place]] for place in places])
        for number in np.flatnonzero(coarser > 1).tolist():
            own, unit = self.rows[places[number]], self.unit.copy()
            unit[own] *= coarser[number]
            found[number] = self._ends(unit)[own]
        return found

    def _ends(self, unit: FloatArray) -> FloatArray:
        low, high = ((np.round(self.true / unit) + half) * unit for half in (-0.5, 0.5))
        finest = np.maximum.outer(unit, unit)
        apart = finest * np.round(np.subtract.outer(self.true, self.true) / finest)
        for _ in range(ROUNDS):
            low, high = (
                np.maximum(low, (low + apart - finest / 2).max(axis=1)),
                np.minimum(high, (high + apart + finest / 2).min(axis=1)),
            )
        return np.column_stack([low, high])


def _whole(those: Sequence[Statement]) -> bool:
    return bool(those) and not any(one.hidden for one in those)


def _mean(those: Sequence[Statement], metric: str) -> float:
    return sum(float(one.n @ one.scores[metric] / one.n.sum()) for one in those) / len(those)


def _any_few(
    wave: str,
    groups: Mapping[str, tuple[int, int]],
    behind: Mapping[tuple[str, Place], list[Statement]],
    rule: Rule,
) -> bool:
    """Check whether a group of a wave is small, or hidden."""
    return any(0 < n < rule.threshold for n, _ in groups.values()) or any(
        one.hidden for (_, place), own in behind.items() if place[0] == wave for one in own
    )


def _few_told(
    wave: str,
    groups: Mapping[str, tuple[int, int]],
    behind: Mapping[tuple[str, Place], list[Statement]],
    ends: Mapping[Mean, tuple[float, float]],
    rule: Rule,
) -> bool:
    """Check whether means narrow the size of a small group, or a small count or end of a scale of a hidden one.

    They may, together with the means of all other groups and the exact answers of all respondents. This is a linear
    program over the answers to all scales whose statements everybody answered; means of others are not linear in them.
    """
    few = [place for place, (n, _) in enumerate(groups.values()) if 0 < n < rule.threshold]
    there = [name for name, (n, _) in groups.items() if n]
    low = [max(shown - rule.rounding + 1, 0) for _, shown in groups.values()]
    high: list[float] = [shown + rule.rounding - 1 for _, shown in groups.values()]
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
            for at in _at_ends(own):
                few.append(len(low))
                sums += [({few[-1]: 1.0, first[name] + cell: -1.0}, -np.inf, 0.0) for cell in at]
                low.append(0)
                high.append(np.inf)
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


def _at_ends(those: Sequence[Statement]) -> Iterator[list[int]]:
    """Yield the places, of a hidden group's counts one after another, of those that all at an end of the scale gave."""
    counts = np.concatenate([one.n for one in those])
    for end in (0.0, 1.0) if any(one.hidden for one in those) else ():
        at = np.flatnonzero(np.concatenate([one.scores[LINEAR] for one in those]) == end)
        if counts[at].all():
            yield at.tolist()


def _rows(rows: Sequence[Mapping[int, float]], cells: int) -> sparse.csr_array:
    """Lay out equations, each given by the factors of its cells."""
    columns = [cell for row in rows for cell in row]
    starts = np.cumsum([0, *map(len, rows)])
    factors = [factor for row in rows for factor in row.values()]
    return sparse.csr_array((factors, columns, starts), shape=(len(rows), cells))


def tells(cells: Sequence[list[Statement]], known: Mapping[str, FloatArray], rule: Rule) -> BoolArray:
    """(P,) whether means over the statements of a scale (of 1 from end to end) narrow a small count of a cell.

    Parameters
    ----------
    cells
        The statements of each cell.
    known
        Metric -> (P, 2) the ends between which each cell's mean is known to lie.
    """
    number = np.array([len(own) for own in cells])[:, None, None]
    ends = number * np.stack([one + np.array([-TINY, TINY]) for one in known.values()], axis=1)
    found = np.zeros(len(cells), dtype=np.bool_)
    pairs = np.array(
        [len(own) == PAIR and all(np.prod(one.high - one.low + 1) <= MOST for one in own) for own in cells],
        dtype=np.bool_,
    )
    for place in np.flatnonzero(pairs).tolist():
        scores = [np.column_stack([one.scores[metric] for metric in known]) for one in cells[place]]
        low, high = ends[place].T
        found[place] = _pair_tells(cells[place], scores, low, high, rule)
    alike: dict[tuple[object, ...], list[tuple[int, Statement]]] = {}
    for place in np.flatnonzero(~pairs).tolist():
        for one in cells[place]:
            scored = tuple(one.scores[metric].tobytes() for metric in known)
            good = None if one.together is None else one.together[0].tobytes()
            alike.setdefault((scored, good), []).append((place, one))
    blocks = [_Block.of(those, list(known), rule) for those in alike.values()]
    if not blocks:
        return found
    for normal in _normals([block.scores for block in blocks]):
        sides = np.sort(ends * normal[:, None], axis=2).sum(axis=1)
        ranges = [
            block.ranges(block.low, block.high, block.totals, block.together, normal) for block in blocks
        ]
        sums = np.zeros((2, len(cells)))
        for block, own in zip(blocks, ranges, strict=True):
            np.add.at(sums[0], block.places, own[0])
            np.add.at(sums[1], block.places, own[1])
        for block, own in zip(blocks, ranges, strict=True):
            found[block.told(own, sums, sides, normal)] = True
    return found


class _Block(NamedTuple):
    """Statements that score alike, (N,): their cells, bases, counts between bounds, and those that are small.

    `scores` is (R, M); `together` (N, 2) bounds the sum of the responses `good`. Of each small count every value is
    tried: `tried`, (V, 3), is its statement, response and value.
    """

    scores: FloatArray
    places: IntArray
    totals: FloatArray
    low: FloatArray
    high: FloatArray
    good: BoolArray | None
    together: FloatArray
    tried: IntArray

    @classmethod
    def of(cls, those: Sequence[tuple[int, Statement]], metrics: Sequence[str], rule: Rule) -> _Block:
        first = those[0][1]
        tried = [
            (number, response, value)
            for number, (_, one) in enumerate(those)
            for response in _small(one, rule)
            for value in range(int(one.low[response]), int(min(one.high[response], one.n.sum())) + 1)
        ]
        return cls(
            np.column_stack([first.scores[metric] for metric in metrics]),
            np.array([place for place, _ in those]),
            np.array([one.n.sum() for _, one in those]),
            np.array([one.low for _, one in those]),
            np.array([one.high for _, one in those]),
            None if first.together is None else first.together[0],
            np.array([one.together[1:] if one.together else (0.0, 0.0) for _, one in those]),
            np.array(tried, dtype=np.intp).reshape(-1, 3),
        )

    def told(self, own: FloatArray, sums: FloatArray, sides: FloatArray, normal: FloatArray) -> IntArray:
        """List the cells in which a value that is possible otherwise is not with such sums of mean scores."""
        which, response, value = self.tried.T
        low, high = self.low[which], self.high[which]
        rows = np.arange(len(which))
        low[rows, response] = high[rows, response] = value
        down, up = self.ranges(low, high, self.totals[which], self.together[which], normal)
        place = self.places[which]
        above = sums[1][place] - own[1][which] + up < sides[place, 0]
        below = sums[0][place] - own[0][which] + down > sides[place, 1]
        found: IntArray = place[above | below]  # not of what cannot be by itself, which is NaN
        return found

    def ranges(
        self, low: FloatArray, high: FloatArray, totals: FloatArray, together: FloatArray, normal: FloatArray
    ) -> FloatArray:
        """(2, V) the smallest and the largest mean score of counts within bounds (V, R); NaN: none are possible."""
        scores = self.scores @ normal
        if self.good is None:
            ends = _sums(low, high, totals[:, None], scores)
        else:
            # All that the responses that are shown together can be, and the others the rest.
            first, last = together.T
            last = np.minimum(last, totals)
            sums = first[:, None] + np.arange(max(int((last - first).max(initial=0)), 0) + 1)
            parts = [
                _sums(low[:, own], high[:, own], given, scores[own])
                for own, given in ((self.good, sums), (~self.good, totals[:, None] - sums))
            ]
            ends = np.where(sums <= last[:, None], parts[0] + parts[1], np.nan)
        found = np.stack(
            [
                np.where(np.isnan(ends[0]), np.inf, ends[0]).min(axis=1),
                np.where(np.isnan(ends[1]), -np.inf, ends[1]).max(axis=1),
            ]
        )
        return np.where(np.isinf(found), np.nan, found) / totals


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


def _small(one: Statement, rule: Rule) -> Iterator[int]:
    """List the responses that few gave, or all but a few."""
    for response, n in enumerate(one.n):
        if 0 < n < rule.threshold or 0 < one.n.sum() - n < rule.threshold:
            yield response


def _sums(low: FloatArray, high: FloatArray, totals: FloatArray, scores: FloatArray) -> FloatArray:
    """(2, V, T) the smallest and the largest sum of scores of counts (V, R) within bounds, with totals (V, T)."""
    rest = totals - low.sum(axis=1)[:, None]
    possible = (rest >= 0) & (high.sum(axis=1)[:, None] >= totals)
    ends = []
    for order in (np.argsort(scores, kind="stable"), np.argsort(-scores, kind="stable")):
        room = (high - low)[:, None, order]
        taken = np.clip(rest[..., None] - (np.cumsum(room, axis=2) - room), 0, room)
        ends.append(np.where(possible, (low @ scores)[:, None] + taken @ scores[order], np.nan))
    return np.stack(ends)
