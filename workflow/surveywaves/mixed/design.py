"""From one row a respondent to one row a distinct respondent: the design that every mixed model fits.

Respondents in the same cell, with the same covariates and the same answers, are exchangeable. What a model
needs is therefore one row for each distinct kind of respondent, and how many there are. Rows come in two
layers, because the linear model needs only the first:

- a *group* is a distinct (cell, covariates, team, set of items answered): all that the fixed effects depend on;
- a *pattern* is a distinct (group, answers).

With sampling weights a pattern counts for the sum of its respondents' weights; how many they are stays known.

The fixed effects are the same in every model: one column a cell (wave x organisation, empty ones too), one
column an item but the first, and the coded covariates, centred. A column that the data cannot support is left
in: it is for the fit to find out which combinations of columns are estimable.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse.csgraph import connected_components

from surveywaves.sample import Sample, Scale, is_continuous

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.intp]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
CodeArray: TypeAlias = npt.NDArray[np.integer[Any]]

LARGEST_KEY = 2**62
"""Codes are packed into one integer for as long as it stays below this."""


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """Distinct respondents, and the columns of the fixed effects.

    In the shapes below, C is the number of cells, J of items, Q of covariate columns, V of distinct
    combinations of covariates, T of teams, G of groups, R of patterns, L of distinct answers.
    """

    waves: tuple[str, ...]
    organisations: tuple[str, ...]
    """As asked for; the cells are their product, organisations running fastest."""
    items: tuple[str, ...]
    """Those that somebody answered, in the order asked for. The first is the reference."""
    unanswered: tuple[str, ...]
    """The items asked for that nobody answered. They are no part of the model."""
    common: BoolArray
    """(J,) which items the means are over: those linked, by the cells where they were answered, with the items that
    most respondents answered. An item that shares no cell with these, directly or through others, cannot be compared
    with them."""
    covariates: tuple[str, ...]
    """Names of the Q covariate columns: ``name`` of a continuous one, ``name[level]`` of a categorical one."""
    teams: tuple[str, ...]
    """(T,) names of the teams; none if the design knows no teams."""
    levels: FloatArray
    """(L,) the distinct answers after reverse keying, ascending."""
    profiles: FloatArray
    """(V, Q) the covariate columns, centred over the respondents: at 0 everywhere, a respondent is the average of all
    respondents of the design."""
    cell: IntArray
    profile: IntArray
    team: IntArray
    """(G,) each group's cell, its row in `profiles`, and its team (0 if there are none)."""
    answered: BoolArray
    """(G, J) which items the group answered; at least one."""
    group: IntArray
    """(R,) each pattern's group."""
    answers: CodeArray
    """(R, J) 0 where missing, otherwise 1 + the index into `levels`."""
    persons: FloatArray
    """(R,) respondents."""
    count: FloatArray
    """(R,) the sum of the respondents' weights, the weights of a wave having mean 1; without weights, `persons`."""
    square: FloatArray
    """(R,) what a respondent's squared score counts for in a robust covariance, summed: the weight's square, times 1 -
    n/N where a wave is n of a population of N (the finite population correction of Cochran 1977, Sampling Techniques,
    sec. 2.8)."""
    weighted: bool
    """Whether there are weights."""
    left_out: Mapping[str, int]
    """Reason -> number of respondents of the frame that are not in the design."""
    mixed: bool
    """Whether the items differ in their response options."""
    shares: Mapping[str, float]
    shares_note: str
    smallest_overlap: float
    against: str
    smallest_of_all: int
    """Of the sample."""

    @property
    def cells(self) -> tuple[tuple[str, str], ...]:
        """(wave, organisation) of each of the C cells."""
        return tuple((wave, organisation) for wave in self.waves for organisation in self.organisations)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the P = C + (J - 1) + Q fixed-effect columns: cells, items, covariates."""
        cells = (f"cell[{wave}, {organisation}]" for wave, organisation in self.cells)
        return (*cells, *(f"item[{item}]" for item in self.items[1:]), *self.covariates)

    @property
    def item_columns(self) -> slice:
        """Where the J - 1 item columns stand among the columns."""
        start = len(self.cells)
        return slice(start, start + max(len(self.items) - 1, 0))

    @property
    def group_counts(self) -> FloatArray:
        """(G,) respondents, or the sum of their weights, in each group."""
        return add_by(self.group, self.count, len(self.cell))

    @property
    def respondents(self) -> FloatArray:
        """(C,) respondents in each cell, whatever their weights."""
        return add_by(self.cell[self.group], self.persons, len(self.cells))

    @property
    def apart(self) -> BoolArray:
        """(C,) which cells have respondents, but none who answered one of the `common` items."""
        asked = self.cell[self.answered[:, self.common].any(axis=1)]
        linked = np.bincount(asked, minlength=len(self.cells))
        return np.asarray((self.respondents > 0) & (linked == 0))

    def mean_vectors(self, cells: IntArray, weights: FloatArray) -> FloatArray:
        """(R, P) sums of the estimated marginal means of (R, K) cells, each with its weight, by the columns.

        The `common` items weigh equally; covariates are at their mean over all respondents of the design,
        which, the model being additive, standardises over their joint distribution.
        """
        vectors = np.zeros((len(cells), len(self.columns)))
        np.put_along_axis(vectors, cells, weights, axis=1)
        share = self.common[1:] / max(int(self.common.sum()), 1)
        vectors[:, self.item_columns] = weights.sum(axis=1, keepdims=True) * share
        return vectors

    def group_rows(self, chunk: slice | IntArray) -> FloatArray:
        """(size of chunk, P) for some of the groups, or for one after another: cell, items answered, covariates.

        The fixed-effect row of one answer is this row with only that answer's item left among the items.
        """
        cell = self.cell[chunk]
        rows = np.zeros((len(cell), len(self.columns)))
        rows[np.arange(len(cell)), cell] = 1.0
        rows[:, self.item_columns] = self.answered[chunk, 1:]
        rows[:, self.item_columns.stop :] = self.profiles[self.profile[chunk]]
        return rows


def make_design(sample: Sample, scale: Scale) -> Design:
    """Find the distinct respondents of a sample.

    Parameters
    ----------
    sample
        Who is compared. Respondents of other waves and organisations, and those who stated none, are left out.
    scale
        What they answered; answers within its range, whole or not.

    Returns
    -------
    Design
        Of all respondents in the cells who answered an item. It may be empty.

    Raises
    ------
    ValueError
        If sample and scale contradict the frame or each other, or an answer is outside the range.
    """
    frame, covariates = sample.frame, list(sample.covariates)
    _check_names(
        frame,
        waves=sample.waves,
        organisations=sample.organisations,
        items=scale.items,
        covariates=covariates,
        others=[name for name in (sample.weight, sample.team) if name],
    )
    levels, answers = _code_answers(frame, scale)
    kept, left_out = _kept(sample, np.asarray((answers > 0).any(axis=1)))
    wave, organisation = _cells(sample)
    answers, wave, weights = answers[kept], wave[kept], _weights(frame, sample.weight)[kept]
    weights = weights / _means(wave, weights)
    cell = (wave * len(sample.organisations) + organisation[kept]).astype(np.intp)
    names, profiles, profile = _code_covariates([frame[name][kept] for name in covariates], weights)
    teams, place = _code_teams(frame.loc[kept, sample.team] if sample.team else None, int(kept.sum()))
    some = [bool(column.any()) for column in answers.T]
    answers = answers[:, np.flatnonzero(some)]

    first, pattern = _distinct([cell, profile, place, *answers.T])
    size = len(first)
    answers, cell, profile, place = answers[first], cell[first], profile[first], place[first]
    answered = answers > 0
    first, group = _distinct([cell, profile, place, *answered.T])
    persons = np.bincount(pattern, minlength=size).astype(np.float64)
    square = add_by(pattern, weights**2, size) * _not_sampled(sample)[cell // len(sample.organisations)]
    return Design(
        waves=tuple(sample.waves),
        organisations=tuple(sample.organisations),
        items=tuple(item for item, one in zip(scale.items, some, strict=True) if one),
        unanswered=tuple(item for item, one in zip(scale.items, some, strict=True) if not one),
        common=_linked(cell[first], answered[first], add_by(group, persons, len(first))),
        covariates=names,
        teams=teams,
        levels=levels,
        profiles=profiles,
        cell=cell[first],
        profile=profile[first],
        team=place[first],
        answered=answered[first],
        group=group,
        answers=answers,
        persons=persons,
        count=add_by(pattern, weights, size) if sample.weight else persons,
        square=square,
        weighted=bool(sample.weight),
        left_out=left_out,
        mixed=len(set(scale.points.values())) > 1,
        shares=sample.shares,
        shares_note=sample.shares_note,
        smallest_overlap=sample.smallest_overlap,
        against=sample.against,
        smallest_of_all=sample.smallest_of_all,
    )


def takes_part(sample: Sample, scale: Scale) -> BoolArray:
    """(N,) which respondents of the frame a design of the scale is of."""
    return _kept(sample, np.asarray(sample.frame[list(scale.items)].notna().to_numpy().any(axis=1)))[0]


@lru_cache(maxsize=2)
def _cells(sample: Sample) -> tuple[IntArray, IntArray]:
    """(N,) places of wave and organisation, -1: of none that is compared; found once for all scales of a sample."""
    frame = sample.frame
    return (
        pd.Index(sample.waves).get_indexer(pd.Index(frame["wave"])).astype(np.intp),
        pd.Index(sample.organisations).get_indexer(pd.Index(frame["organisation"])).astype(np.intp),
    )


def _kept(sample: Sample, answered: BoolArray) -> tuple[BoolArray, dict[str, int]]:
    """(N,) who takes part, of those who answered an item or not; and how many others are left out for what."""
    frame, (wave, organisation) = sample.frame, _cells(sample)
    reasons = {
        "of another wave": wave < 0,
        "organisation not stated or not compared": organisation < 0,
        "no item answered": ~answered,
        "covariate missing": _missing(frame, sample.covariates),
        "without a weight": ~(_weights(frame, sample.weight) > 0),
        "team missing": _missing(frame, [sample.team] if sample.team else []),
    }
    kept, left_out = np.ones(len(frame), dtype=np.bool_), {}
    for reason, excluded in reasons.items():
        left_out[reason] = int((kept & excluded).sum())
        kept &= ~excluded
    return kept, left_out


def _missing(frame: pd.DataFrame, names: Iterable[str]) -> BoolArray:
    """(N,) who lacks a value of one of some columns."""
    lacking = np.zeros(len(frame), dtype=np.bool_)
    for name in names:
        lacking |= frame[name].isna().to_numpy()
    return lacking


def add_by(index: CodeArray, weights: FloatArray, size: int) -> FloatArray:
    """(size,) sums of weights by a non-negative index below `size`."""
    return np.asarray(np.bincount(index, weights=weights, minlength=size), dtype=np.float64)


def _code_answers(frame: pd.DataFrame, scale: Scale) -> tuple[FloatArray, CodeArray]:
    """Answers as (L,) levels and (N, J) codes, 0 where missing, after reverse keying.

    Levels are found, not assumed: a mean of items is as welcome as an item.
    """
    (low, high), items, keys = scale.response_range, scale.items, scale.keys
    if not low < high:
        raise ValueError(f"the response range is not ascending: {low} to {high}")
    if wrong := [item for item in items if keys.get(item) not in (1, -1)]:
        raise ValueError(f"items without a key of +1 or -1: {wrong}")
    columns = []
    for item in items:
        values = frame[item].to_numpy(dtype=np.float64, na_value=np.nan)
        if ((values < low) | (values > high)).any():
            raise ValueError(f"item {item} has answers outside {low} to {high}")
        columns.append(values if keys[item] == 1 else low + high - values)
    # pd.unique hashes; np.unique would sort every column
    found = np.concatenate([np.asarray(pd.unique(values), dtype=np.float64) for values in columns])
    levels = np.unique(found[~np.isnan(found)])
    codes = np.zeros((len(frame), len(items)), dtype=np.min_scalar_type(len(levels)))
    for place, values in enumerate(columns):
        present = ~np.isnan(values)
        codes[present, place] = np.searchsorted(levels, values[present]) + 1
    return levels, codes


def _weights(frame: pd.DataFrame, column: str) -> FloatArray:
    """(N,) weights, 1 without a column of them, 0 where missing."""
    if not column:
        return np.ones(len(frame))
    weights = frame[column].to_numpy(dtype=np.float64, na_value=np.nan)
    if ((weights < 0) | np.isinf(weights)).any():
        raise ValueError(f"weights in {column} that are negative or infinite")
    return np.where(np.isnan(weights), 0.0, weights)


def _not_sampled(sample: Sample) -> FloatArray:
    """(waves,) share of each wave's population that did not answer."""
    shares = np.array([sample.sampled.get(wave, 0.0) for wave in sample.waves])
    if not ((shares >= 0) & (shares <= 1)).all():
        raise ValueError(f"shares of a population that are not between 0 and 1: {dict(sample.sampled)}")
    return 1.0 - shares


def _means(index: IntArray, values: FloatArray) -> FloatArray:
    """(N,) each value's mean over those with the same index."""
    found = np.bincount(index, weights=values) / np.maximum(np.bincount(index), 1)
    return np.asarray(found[index], dtype=np.float64)


def _code_teams(column: pd.Series[Any] | None, size: int) -> tuple[tuple[str, ...], IntArray]:
    """Names of the T teams, sorted, and (N,) each respondent's; without a column no teams, and zeros."""
    if column is None:
        return (), np.zeros(size, dtype=np.intp)
    codes, found = pd.factorize(column.astype("str").to_numpy(), sort=True)
    return tuple(str(name) for name in found), codes


def _linked(cell: IntArray, answered: BoolArray, persons: FloatArray) -> BoolArray:
    """(J,) the items linked through cells with those that most respondents answered."""
    items = answered.shape[1]
    if not items:
        return np.zeros(0, dtype=np.bool_)
    asked = np.zeros((int(cell.max()) + 1, items), dtype=np.bool_)
    for item in range(items):
        asked[cell[answered[:, item]], item] = True
    together = asked.T.astype(np.float64) @ asked
    block = connected_components(together, directed=False)[1]
    size = [float(persons @ answered[:, block == one].any(axis=1)) for one in range(int(block.max()) + 1)]
    return np.asarray(block == int(np.argmax(size)))


def _code_covariates(
    columns: Sequence[pd.Series[Any]], weights: FloatArray
) -> tuple[tuple[str, ...], FloatArray, IntArray]:
    """Covariates (none missing) as Q names, (V, Q) centred distinct rows, and (N,) each respondent's row."""
    factors: list[tuple[list[str], FloatArray, IntArray]] = []
    for column in columns:
        name, continuous = column.name, is_continuous(column)
        values = column.to_numpy(dtype=np.float64) if continuous else column.astype("str").to_numpy()
        codes, found = pd.factorize(values, sort=True)
        if continuous:
            factors.append(([str(name)], np.asarray(found, dtype=np.float64)[:, None], codes))
        else:
            factors.append(([f"{name}[{level}]" for level in found[1:]], np.eye(len(found))[:, 1:], codes))
    if not factors:
        return (), np.zeros((1, 0)), np.zeros(len(weights), dtype=np.intp)
    first, profile = _distinct([codes for _, _, codes in factors])
    profiles = np.hstack([table[codes[first]] for _, table, codes in factors])
    if len(weights):
        profiles -= np.bincount(profile, weights=weights) @ profiles / weights.sum()
    return tuple(name for names, _, _ in factors for name in names), profiles, profile


def _distinct(columns: Sequence[CodeArray]) -> tuple[IntArray, IntArray]:
    """Distinct rows of several columns of non-negative codes.

    Returns
    -------
    first, index
        (D,) the first row of each kind, and (N,) each row's kind. Kinds are in ascending order of the
        codes, whatever the order of the rows.
    """
    key = np.zeros(len(columns[0]), dtype=np.int64)
    size = 1
    for column in columns:
        radix = int(column.max(initial=0)) + 1
        if size * radix > LARGEST_KEY:
            key, found = pd.factorize(key, sort=True)
            size = len(found)
        key = key * radix + column
        size *= radix
    index, found = pd.factorize(key, sort=True)
    first = np.empty(len(found), dtype=np.intp)
    first[index[::-1]] = np.arange(len(index))[::-1]  # the last to be written is the first row
    return first, index


def _check_names(frame: pd.DataFrame, **names: Sequence[str]) -> None:
    for what, given in names.items():
        if len(set(given)) != len(given):
            raise ValueError(f"{what} are named twice: {list(given)}")
        if not given and what not in ("covariates", "others"):
            raise ValueError(f"no {what} given")
    columns = ("wave", "organisation", *names["covariates"], *names["others"], *names["items"])
    if missing := [name for name in columns if name not in frame.columns]:
        raise ValueError(f"not columns of the frame: {missing}")
