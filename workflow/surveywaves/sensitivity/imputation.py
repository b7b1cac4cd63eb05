"""Multiple imputation of what a wave asked and was not told: answers, organisations, covariates.

Each wave by itself, by chained equations (van Buuren 2018). In every sweep each incomplete column is drawn anew, given
all others as they stand; after `SWEEPS` of them the data are one imputation, and the next begins from the start.

*Answers* (and numeric covariates) by predictive mean matching (Little 1988): a linear regression on the other items of
the scale, on the sums of every other scale (Plumpton et al. 2016: items of other scales one by one can be more columns
than a wave has respondents), on organisation and covariates. Its parameters are drawn from their posterior; who did not
answer is given the answer of one of the `DONORS` respondents whose predicted answer comes next to theirs, which
keeps answers on the response scale. *Organisation* and categorical covariates by a discriminant model, the general
location model with additive means (Olkin and Tate 1961; Schafer 1997, ch. 9): scale sums are normal about means that
depend on the categories, all parameters drawn from their posterior, categories depending on each other pair by pair.

Columns are centred, and every slope has a prior worth `PRIOR` respondents that it is 0: of no consequence among
hundreds, and what keeps collinear items, constant items and waves smaller than their questionnaires from having no
posterior.

`statsmodels.imputation.mice` does the answers in a like way, an imputation and a column at a time, each by a regression
on all others by formula, has no model for organisation, and pools neither by degrees of freedom for small samples nor
estimates other than its own fits. Here columns are drawn from cross products, which only the rows that are drawn
change, for all imputations side by side.

Sources: van Buuren (2018) Flexible Imputation of Missing Data, sec. 3.2-3.4, 4.5; Rubin (1987) Multiple Imputation for
Nonresponse in Surveys; Barnard and Rubin (1999) Biometrika 86, 948 (degrees of freedom); Little (1988) J. Bus. Econ.
Stat. 6, 287; Plumpton, Morris, Hughes and White (2016) BMC Med. Res. Methodol. 16, 51.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from scipy.linalg.lapack import dpotrf, dtrtri

from surveywaves.mixed.design import BoolArray, FloatArray, IntArray
from surveywaves.sample import Sample, Scale, is_continuous
from surveywaves.terms import ORGANISATION, Missing

SWEEPS: Final = 3
"""Sweeps before an imputation: few, since who broke off is drawn in one go."""

DONORS: Final = 5
MATCHED: Final = 1000
"""Among how many respondents donors are looked for, drawn anew at each look where more answered."""

PRIOR: Final = 1.0
LEAST: Final = 10
"""Fewest respondents who answered, or stated, what others are to be imputed from."""

LARGEST: Final = 5_000
"""Respondents of a wave that are imputed and compared; of a larger wave so many, drawn at random."""

SIDE_BY_SIDE: Final = 2_000_000
"""Numbers (imputations x respondents x columns) that are worked on together."""

NEVER: Final = (Missing.NOT_ASKED.value, Missing.DONT_KNOW.value)
"""Reasons that are not imputed: no question, no answer; and that somebody has no opinion is one."""


@dataclass(frozen=True, slots=True, eq=False)
class Imputed:
    """A sample with what is missing drawn several times."""

    sample: Sample
    """As it came."""
    number: int
    """Imputations m."""
    rows: Mapping[str, IntArray]
    """Column -> the rows of the frame that are imputed."""
    drawn: Mapping[str, FloatArray]
    """Column -> (m, rows) what they are given: numbers, or codes of `levels`."""
    levels: Mapping[str, tuple[str, ...]]
    """Categorical column -> its levels."""
    codes: Mapping[str, IntArray]
    """Categorical column that is imputed -> (N,) places of its values among them, -1 where missing."""
    note: str
    """What could not be imputed, in words; empty: nothing."""

    def completed(self, which: int, scale: Scale) -> Sample:
        """Complete the sample by one imputation, with the columns that a comparison of a scale needs."""
        frame = self.sample.frame
        changed: dict[str, Any] = {}
        for name in dict.fromkeys((ORGANISATION, *self.sample.covariates, *scale.items)):
            if name not in self.rows:
                continue
            rows, values = self.rows[name], self.drawn[name][which]
            if name in self.levels:
                codes = self.codes[name].copy()
                codes[rows] = values
                changed[name] = pd.Categorical.from_codes(codes, pd.Index(self.levels[name]))
            else:
                numbers = np.array(frame[name].to_numpy(dtype=np.float64, na_value=np.nan))
                numbers[rows] = values
                changed[name] = numbers
        kept = ("wave", ORGANISATION, *self.sample.covariates, self.sample.weight, self.sample.team)
        names = [name for name in dict.fromkeys((*kept, *scale.items)) if name]
        return replace(self.sample, frame=frame[names].assign(**changed))

    def concerns(self, scale: Scale) -> bool:
        """Whether anything is imputed that bears on a scale."""
        return any(name in self.rows for name in (ORGANISATION, *self.sample.covariates, *scale.items))

    def shares(self, scale: Scale) -> dict[tuple[str, str], float]:
        """(wave, organisation) -> share of its answers to a scale that are imputed, statements weighing equally."""
        sample, frame = self.sample, self.sample.frame
        member = np.zeros((len(frame), len(sample.organisations)))
        for place, name in enumerate(sample.organisations):
            member[:, place] = (frame[ORGANISATION] == name).to_numpy(dtype=np.bool_, na_value=False)
            if ORGANISATION in self.rows:
                member[self.rows[ORGANISATION], place] = (self.drawn[ORGANISATION] == place).mean(axis=0)
        if sample.weight:
            member *= frame[sample.weight].to_numpy(dtype=np.float64, na_value=0.0)[:, None]
        answered = frame[list(scale.items)].notna().to_numpy()
        drawn = np.zeros(answered.shape)
        for place, item in enumerate(scale.items):
            drawn[self.rows.get(item, np.zeros(0, dtype=np.intp)), place] = 1.0
        found = {}
        for wave in sample.waves:
            here = (frame["wave"] == wave).to_numpy()
            some, every = (member[here].T @ of[here] for of in (drawn, np.maximum(answered, drawn)))
            for place, name in enumerate(sample.organisations):
                if (asked := every[place] > 0).any():
                    found[wave, name] = float((some[place, asked] / every[place, asked]).mean())
        return found


def impute(
    sample: Sample,
    scales: Sequence[Scale],
    *,
    number: int,
    seed: int,
    variables: Sequence[str] = (),
    reasons: pd.DataFrame | None = None,
) -> Imputed:
    """Draw what is missing of a sample several times.

    Respondents who answered none of the items are left as they are, as are items of which a wave has fewer than `LEAST`
    answers, and a team or weight that is missing.

    Parameters
    ----------
    sample
        Who is compared; respondents of its waves, with or without an organisation.
    scales
        The scales that are compared; each item is imputed from all.
    number
        Imputations.
    seed
        Of the draws; a wave's are the same whatever other waves there are.
    variables
        Grouping variables besides organisation and the covariates of the sample.
    reasons
        The rows of the frame, a column for each of its columns that has reasons why a value is missing
        (`surveywaves.terms.Missing`). Without it an item was asked of everybody in a wave where anybody answered it.

    Returns
    -------
    Imputed
        Nothing in it (`rows` is empty) where nothing is missing that can be imputed.
    """
    items = list(dict.fromkeys(item for scale in scales for item in scale.items))
    known = dict.fromkeys((ORGANISATION, *sample.covariates, *variables))
    parts: dict[str, list[tuple[IntArray, FloatArray]]] = {}
    levels = {name: _levels(sample, name) for name in known if not is_continuous(sample.frame[name])}
    said: list[str] = []
    waves = sample.frame["wave"].to_numpy()
    answered = sample.frame[items].notna().to_numpy().any(axis=1)
    kept = np.ones(len(sample.frame), dtype=np.bool_)
    for wave in sample.waves:
        here = np.flatnonzero((waves == wave) & answered)
        if len(here) < LEAST:
            continue
        key = [seed, zlib.crc32(wave.encode())]
        if len(here) > LARGEST:
            chosen = np.sort(np.random.default_rng(key).choice(here, LARGEST, replace=False))
            kept[here], kept[chosen] = False, True
            here = chosen
            said.append(f"{LARGEST} respondents of {wave}, drawn at random")
        block = _block(sample, scales, here, levels, [name for name in known if name not in levels])
        drawn = _draw(block, number, key)
        for name, (rows, values) in drawn.items():
            wanted = np.ones(len(rows), dtype=np.bool_)
            if reasons is not None and name in reasons:
                wanted = ~reasons[name].iloc[here[rows]].isin(NEVER).to_numpy()
            if wanted.any():
                parts.setdefault(name, []).append((here[rows[wanted]], values[:, wanted]))
        if block.refused:
            said.append(f"not imputed in {wave}: {', '.join(block.refused)}")
    place = np.cumsum(kept) - 1
    some = sample if kept.all() else replace(sample, frame=sample.frame[kept])
    return Imputed(
        sample=some,
        number=number,
        rows={name: place[np.concatenate([rows for rows, _ in found])] for name, found in parts.items()},
        drawn={
            name: np.concatenate([values for _, values in found], axis=1) for name, found in parts.items()
        },
        levels=levels,
        codes={name: _codes(some.frame[name], known) for name, known in levels.items() if name in parts},
        note="; ".join(said),
    )


def _levels(sample: Sample, name: str) -> tuple[str, ...]:
    if name == ORGANISATION:
        return sample.organisations
    return tuple(sorted(sample.frame[name].dropna().astype("str").unique()))


def _codes(column: pd.Series, levels: Sequence[str]) -> IntArray:
    """(N,) places among some levels, -1: none of them."""
    words = pd.Index(column.astype("str").where(column.notna()))
    return np.asarray(pd.Index(levels).get_indexer(words), dtype=np.intp)


# --- a wave ---------------------------------------------------------------------------------------------------------


class _Block(NamedTuple):
    """A wave: N respondents, J numeric columns (items, then numeric covariates), categorical variables."""

    items: tuple[str, ...]
    numeric: tuple[str, ...]
    given: FloatArray  # (N, J), keyed, NaN where missing
    turned: FloatArray  # (J,) low + high of a column that is keyed the other way, else NaN
    groups: tuple[IntArray, ...]  # the columns of each scale
    categorical: tuple[str, ...]
    codes: IntArray  # (N, V), -1 where missing
    sizes: tuple[int, ...]  # levels of each
    refused: tuple[str, ...]


def _block(
    sample: Sample,
    scales: Sequence[Scale],
    here: IntArray,
    levels: Mapping[str, tuple[str, ...]],
    continuous: Sequence[str],
) -> _Block:
    frame = sample.frame.iloc[here]
    columns: dict[str, FloatArray] = {}
    turned, groups, refused = [], [], []
    for scale in scales:
        places = []
        for item in scale.items:
            values = frame[item].to_numpy(dtype=np.float64, na_value=np.nan)
            there = int((~np.isnan(values)).sum())
            if there < LEAST:
                refused += [item] if there else []
                continue
            if item in columns:
                continue
            ends = float(sum(scale.response_range)) if scale.keys[item] < 0 else math.nan
            places.append(len(columns))
            columns[item] = values if math.isnan(ends) else ends - values
            turned.append(ends)
        if places:
            groups.append(np.array(places))
    items = tuple(columns)
    further = [*continuous, *([sample.weight] if sample.weight else [])]
    for name in further:
        values = frame[name].to_numpy(dtype=np.float64, na_value=np.nan)
        if (~np.isnan(values)).sum() >= LEAST and name not in columns:
            groups.append(np.array([len(columns)]))
            columns[name] = values
            turned.append(math.nan)
    stated, codes = [], []
    for name, known in levels.items():
        found = _codes(frame[name], known)
        if (found >= 0).sum() >= LEAST:
            stated.append(name)
            codes.append(found)
        elif (found >= 0).any() or name == ORGANISATION:
            refused.append(name)
    return _Block(
        items=items,
        numeric=tuple(columns),
        given=np.column_stack([np.zeros((len(here), 0)), *columns.values()]),
        turned=np.array(turned),
        groups=tuple(groups),
        categorical=tuple(stated),
        codes=np.column_stack([np.zeros((len(here), 0), dtype=np.intp), *codes]).astype(np.intp),
        sizes=tuple(len(levels[name]) for name in stated),
        refused=tuple(refused),
    )


def _draw(block: _Block, number: int, seed: Sequence[int]) -> dict[str, tuple[IntArray, FloatArray]]:
    """Column -> the rows of a wave that lack it, and (number, rows) what they are given."""
    missing = np.isnan(block.given)
    lacking = {
        **{name: np.flatnonzero(missing[:, place]) for place, name in enumerate(block.numeric)},
        **{name: np.flatnonzero(block.codes[:, place] < 0) for place, name in enumerate(block.categorical)},
    }
    lacking = {name: rows for name, rows in lacking.items() if len(rows)}
    if not lacking or not block.items:
        return {}
    width = block.given.shape[1] + len(block.groups) + sum(block.sizes) + 1
    abreast = max(1, min(number, SIDE_BY_SIDE // max(len(block.given) * width, 1)))
    found: dict[str, list[FloatArray]] = {name: [] for name in lacking}
    for start in range(0, number, abreast):
        chains = _Chains(block, min(abreast, number - start), np.random.default_rng([*seed, start]))
        for _ in range(SWEEPS):
            chains.sweep()
        for name, rows in lacking.items():
            found[name].append(chains.read(name, rows))
    return {name: (rows, np.concatenate(found[name])) for name, rows in lacking.items()}


@dataclass(slots=True, eq=False)
class _Chains:
    """B imputations of a wave side by side.

    `table` (B, N, P) has the centred numeric columns, the sums of scales, dummies, and a 1; `gram` (B, P, P) its cross
    products, kept up to date.
    """

    block: _Block
    size: int
    rng: np.random.Generator
    table: FloatArray = field(init=False)
    gram: FloatArray = field(init=False)
    codes: IntArray = field(init=False)
    centre: FloatArray = field(init=False)
    visits: list[tuple[int, IntArray, BoolArray, BoolArray]] = field(init=False)

    def __post_init__(self) -> None:
        """Fill what is missing with answers of others, drawn at random."""
        block, rng = self.block, self.rng
        number, items = block.given.shape
        values = np.repeat(block.given[None], self.size, axis=0)
        self.codes = np.repeat(block.codes[None], self.size, axis=0)
        for place in range(items):
            gone = np.isnan(block.given[:, place])
            values[:, gone, place] = rng.choice(block.given[~gone, place], (self.size, int(gone.sum())))
        for place in range(len(block.categorical)):
            gone = block.codes[:, place] < 0
            self.codes[:, gone, place] = rng.choice(block.codes[~gone, place], (self.size, int(gone.sum())))
        self.centre = np.nanmean(block.given, axis=0) if items else np.zeros(0)
        width = items + len(block.groups) + sum(block.sizes) + 1
        self.table = np.zeros((self.size, number, width))
        self.table[:, :, :items] = values - self.centre
        for place, group in enumerate(block.groups):
            self.table[:, :, items + place] = self.table[:, :, group].sum(axis=2)
        for place in range(len(block.categorical)):
            self.table[:, :, self._dummies(place)] = self._coded(place, self.codes[:, :, place])
        self.table[:, :, -1] = 1.0
        self.gram = np.swapaxes(self.table, 1, 2) @ self.table
        self.visits = self._order()

    def _order(self) -> list[tuple[int, IntArray, BoolArray, BoolArray]]:
        """List what is incomplete, what lacks least first.

        Each with its number (categorical variables after the J numeric columns), the rows that lack it, which of these
        lack all that comes after it, and the columns of the table that are known before it.
        """
        block, found = self.block, []
        items = len(block.numeric)
        missing = np.hstack([np.isnan(block.given), block.codes < 0])
        order = np.argsort(missing.sum(axis=0), kind="stable")
        ends = np.ones(len(missing), dtype=np.bool_)
        broken = {}
        for which in order[::-1]:
            broken[which] = ends
            ends = ends & missing[:, which]
        known = np.zeros(self.table.shape[2], dtype=np.bool_)
        known[-1] = True
        for which in order:
            if len(rows := np.flatnonzero(missing[:, which])):
                found.append((int(which), rows, broken[which][rows], known.copy()))
            if which < items:
                known[which] = True
                for place, group in enumerate(block.groups):
                    known[items + place] = known[group].all()
            else:
                known[self._dummies(int(which) - items)] = True
        return found

    def _sums(self) -> IntArray:
        start = len(self.block.numeric)
        return np.arange(start, start + len(self.block.groups))

    def _dummies(self, place: int) -> slice:
        """Columns of the levels of a categorical variable; the prior of the slopes makes up for their number."""
        start = len(self.block.numeric) + len(self.block.groups) + sum(self.block.sizes[:place])
        return slice(start, start + self.block.sizes[place])

    def _coded(self, place: int, codes: IntArray) -> FloatArray:
        return np.asarray(np.eye(self.block.sizes[place])[codes], dtype=np.float64)

    def sweep(self) -> None:
        """Draw every incomplete column anew.

        Who broke off is drawn column by column, each given only what comes before it: all that comes after is missing
        and drawn in turn, so that no draw depends on an earlier sweep. The others are drawn given everything else.
        """
        items = len(self.block.numeric)
        everything = np.ones(self.table.shape[2], dtype=np.bool_)
        for which, rows, broken, before in self.visits:
            for some, known in ((rows[~broken], everything), (rows[broken], before)):
                if len(some) and which < items:
                    self._answers(which, rows, some, known)
                elif len(some):
                    self._categories(which - items, rows, some, known)

    def read(self, name: str, rows: IntArray) -> FloatArray:
        """(B, rows) what a column has there, keyed as it came."""
        block = self.block
        if name in block.categorical:
            return np.asarray(self.codes[:, rows, block.categorical.index(name)], dtype=np.float64)
        place = block.numeric.index(name)
        values: FloatArray = np.round(self.table[:, rows, place] + self.centre[place], 9)
        return values if math.isnan(block.turned[place]) else block.turned[place] - values

    def _change(self, rows: IntArray, columns: IntArray, new: FloatArray, old: FloatArray) -> None:
        """Write (B, rows, columns) new values; `old` (B, rows, P) is what the rows were."""
        step = new - old[:, :, columns]
        across = np.swapaxes(old, 1, 2) @ step
        self.gram[:, :, columns] += across
        self.gram[:, columns, :] += np.swapaxes(across, 1, 2)
        self.gram[:, columns[:, None], columns] += np.swapaxes(step, 1, 2) @ step
        self.table[:, rows[:, None], columns] = new

    def _answers(self, place: int, missing: IntArray, rows: IntArray, known: BoolArray) -> None:
        """Draw one numeric column in some of the rows that miss it, by predictive mean matching on known columns."""
        block, rng = self.block, self.rng
        among = []
        for at, group in enumerate(block.groups):
            total = len(block.numeric) + at
            if place in group:
                own = total
                among += [column for column in group if column != place and known[column]]
            else:
                among += [total] if known[total] else [column for column in group if known[column]]
        rest = np.arange(len(block.numeric) + len(block.groups), self.table.shape[2])
        columns = np.concatenate([np.array(among, dtype=np.intp), rest[known[rest]]])

        there = np.flatnonzero(~np.isnan(block.given[:, place]))
        gone = self.table[:, missing]
        seen, mine = gone[:, :, columns], gone[:, :, place]
        cross = self.gram[:, columns[:, None], columns] - np.swapaxes(seen, 1, 2) @ seen
        with_it = self.gram[:, columns, place] - np.einsum("bnp,bn->bp", seen, mine)
        square = self.gram[:, place, place] - (mine**2).sum(axis=1)
        fit, drawn = _regression(cross, with_it[:, :, None], square[:, None, None], len(there), rng)[:2]

        if len(there) > MATCHED:
            there = np.sort(rng.choice(there, MATCHED, replace=False))
        theirs = np.round(self._predicted(there, columns, fit[:, :, 0]), 9)
        here = np.searchsorted(missing, rows)
        old, mine = gone[:, here], mine[:, here]
        ours = np.round((seen[:, here] @ drawn)[:, :, 0], 9)
        given = block.given[there, place] - self.centre[place]
        new = np.empty_like(mine)
        wide = min(DONORS, len(there))
        within, offset = rng.random(mine.shape), rng.integers(0, wide, mine.shape)
        for one in range(self.size):
            order = np.argsort(theirs[one], kind="stable")
            ranked = theirs[one][order]
            middle = np.searchsorted(ranked, ours[one]) - wide // 2
            near = np.clip(middle, 0, len(there) - wide) + offset[one]
            # any of those with the same prediction, or the two ends of a row of them would give all the answers
            first, last = (np.searchsorted(ranked, ranked[near], side=side) for side in ("left", "right"))
            new[one] = given[order[first + (within[one] * (last - first)).astype(np.intp)]]
        both = np.stack([new, old[:, :, own] + new - mine], axis=2)
        self._change(rows, np.array([place, own]), both, old)

    def _predicted(self, rows: IntArray, columns: IntArray, slopes: FloatArray) -> FloatArray:
        """(B, rows) linear predictors."""
        spread = np.zeros((self.size, self.table.shape[2]))
        spread[:, columns] = slopes
        if len(rows) * 2 > self.table.shape[1]:
            return np.asarray((self.table @ spread[:, :, None])[:, rows, 0])
        return np.asarray((self.table[:, rows] @ spread[:, :, None])[:, :, 0])

    def _categories(self, place: int, missing: IntArray, rows: IntArray, known: BoolArray) -> None:
        """Draw one categorical variable in some of the rows that miss it, by the discriminant model."""
        block, rng = self.block, self.rng
        sums, mine = self._sums(), self._dummies(place)
        own = np.arange(mine.start, mine.stop)
        others = [one for one in range(len(block.sizes)) if one != place and known[self._dummies(one)].all()]
        dummies = (np.arange(len(known))[self._dummies(one)] for one in others)
        on = np.concatenate([own, *dummies, [len(known) - 1]])
        there = np.flatnonzero(block.codes[:, place] >= 0)
        gone = self.table[:, missing]
        seen, scored = gone[:, :, on], gone[:, :, sums]
        cross = self.gram[:, on[:, None], on] - np.swapaxes(seen, 1, 2) @ seen
        with_it = self.gram[:, on[:, None], sums] - np.swapaxes(seen, 1, 2) @ scored
        square = self.gram[:, sums[:, None], sums] - np.swapaxes(scored, 1, 2) @ scored
        _, slopes, precision = _regression(cross, with_it, square, len(there), rng)

        here = np.searchsorted(missing, rows)
        old, means = gone[:, here], slopes[:, : len(own)]
        rest = scored[:, here] - seen[:, here, len(own) :] @ slopes[:, len(own) :]
        leaning = means @ precision
        chance = rest @ np.swapaxes(leaning, 1, 2) - 0.5 * (leaning * means).sum(axis=2)[:, None, :]
        levels = block.sizes[place]
        stated = np.bincount(block.codes[there, place], minlength=levels)
        shape = np.where(stated, stated + PRIOR / levels, 0.0)
        with np.errstate(divide="ignore"):
            chance += np.log(rng.standard_gamma(shape, (self.size, levels)))[:, None, :]
        for other in others:
            many, codes = block.sizes[other], self.codes[:, :, other]
            for one in range(self.size):
                theirs = codes[one, there]
                both = np.bincount(block.codes[there, place] * many + theirs, minlength=levels * many)
                expected = (np.bincount(theirs, minlength=many) + 0.5) / (len(there) + many / 2)
                drawn = rng.standard_gamma(both.reshape(levels, many) + PRIOR * expected)
                total = np.log(np.maximum(drawn.sum(axis=1), 1e-300))
                share = np.log(np.maximum(drawn, 1e-300)) - total[:, None]
                chance[one] += share.T[codes[one, rows]]
        chance -= chance.max(axis=2, keepdims=True)
        below = np.cumsum(np.exp(chance), axis=2)
        drawn_codes = (below < rng.random(below.shape[:2])[:, :, None] * below[:, :, -1:]).sum(axis=2)
        self.codes[:, rows, place] = drawn_codes
        self._change(rows, own, self._coded(place, drawn_codes), old)


def _regression(
    cross: FloatArray, with_it: FloatArray, square: FloatArray, number: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Draw a (multivariate) normal linear regression from its posterior, for B data sets side by side.

    Parameters
    ----------
    cross, with_it, square
        (B, P, P), (B, P, S), (B, S, S) cross products of the columns, the last of them all 1, and of the S responses.
    number
        Rows that they are of.

    Returns
    -------
    tuple
        (B, P, S) slopes as fitted and as drawn, and (B, S, S) the precision of the residuals as drawn.
    """
    size, width, many = with_it.shape
    ridge = PRIOR * (np.einsum("bpp->bp", cross) / max(number, 1) + 1e-8)
    ridge[:, -1] = 0.0
    root = np.array([_inverse_root(one) for one in cross + ridge[:, :, None] * np.eye(width)])
    fitted = root @ (np.swapaxes(root, 1, 2) @ with_it)
    spent = width - (ridge * (root**2).sum(axis=2)).sum(axis=1)
    across = np.swapaxes(fitted, 1, 2) @ with_it
    left = square - across - np.swapaxes(across, 1, 2) + np.swapaxes(fitted, 1, 2) @ cross @ fitted
    spread = np.einsum("bss->bs", square) / max(number, 1) * 1e-6 + 1e-10
    left = (left + np.swapaxes(left, 1, 2)) / 2 + spread[:, :, None] * np.eye(many)
    freedom = np.maximum(number - spent, many + 1.0)
    # Bartlett: W = L A A' L' is Wishart with scale L L'
    lower = np.array([_inverse_root(one) for one in left])
    bartlett = np.tril(rng.standard_normal((size, many, many)), -1)
    chi = rng.chisquare(freedom[:, None] - np.arange(many), (size, many))
    bartlett[:, np.arange(many), np.arange(many)] = np.sqrt(chi)
    scaled = lower @ bartlett
    noise = rng.standard_normal((size, width, many)) @ np.linalg.inv(scaled)
    return fitted, fitted + root @ noise, scaled @ np.swapaxes(scaled, 1, 2)


def _inverse_root(matrix: FloatArray) -> FloatArray:
    """(P, P) the lower triangular L with LL' the inverse of a positive definite matrix, by elimination from its end."""
    factor, failed = dpotrf(matrix[::-1, ::-1], lower=0)
    if failed:
        raise np.linalg.LinAlgError("a matrix of cross products is not positive definite")
    return np.asarray(dtrtri(factor, lower=0)[0][::-1, ::-1], dtype=np.float64)


# --- Rubin's rules --------------------------------------------------------------------------------------------------


class Pooled(NamedTuple):
    """An estimate over completed data sets."""

    estimate: float
    std_error: float
    df: float
    missing_information: float


def pool(estimates: Sequence[float], errors: Sequence[float], freedom: Sequence[float]) -> Pooled:
    """Pool the estimates of m completed data sets by Rubin's rules.

    T = U + (1 + 1/m) B, with the degrees of freedom of Barnard and Rubin (1999) and the fraction of missing information
    (Rubin 1987, eq. 3.1.10), as in R's `mice::pool`.

    Parameters
    ----------
    estimates, errors
        (m,) with their standard errors, m 2 or more.
    freedom
        (m,) degrees of freedom as if the data had come complete; their mean is taken.
    """
    number = len(estimates)
    value, within = float(np.mean(estimates)), float(np.mean(np.square(errors)))
    between = float(np.var(estimates, ddof=1))
    total = within + (1 + 1 / number) * between
    complete = float(np.mean(freedom))
    share = (1 + 1 / number) * between / total
    observed = (
        (1 - share) * (complete + 1) / (complete + 3) * complete if math.isfinite(complete) else math.inf
    )
    old = (number - 1) / share**2 if share > 0 else math.inf
    df = 1 / (1 / old + 1 / observed) if share > 0 else observed
    increase = share / (1 - share) if share < 1 else math.inf
    information = (increase + 2 / (df + 3)) / (1 + increase) if math.isfinite(increase) else 1.0
    return Pooled(value, math.sqrt(total), df, information)
