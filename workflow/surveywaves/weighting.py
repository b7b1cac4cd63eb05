"""Weights: each return by a column of its own, or raked to the margins of the population.

Raking gives a sample the known margins of its population by iterative proportional fitting: the weights of each level
of one variable are multiplied by what the level lacks, then those of the next, until no margin moves. Of all weights
that meet the margins, these are nearest to the first ones in the sense of Kullback and Leibler.

Sources: Deming and Stephan (1940) Ann. Math. Stat. 11, 427; Ireland and Kullback (1968) Biometrika 55, 179 (what it
converges to); Kish (1992) J. Off. Stat. 8, 183 (design effect).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from surveywaves.sample import Sample

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.intp]

Margins: TypeAlias = Mapping[str, Mapping[str, float]]
"""Variable -> level -> population, as counts or shares."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a variant cannot be done, in words."""

    reason: str


OfPeople: TypeAlias = Callable[[Sample], tuple[Sample, str] | Refused]
"""A change of who is compared, the same for all scales, with a note. Who changes nothing gives back the same object."""


CLOSE: Final = 1e-10
"""The largest difference between a weighted and a known share."""


MOST_ROUNDS: Final = 10_000


RAKED: Final = "raking weight"
"""The column of the weights made here: no name of a study has a space in it."""


def weighted(column: str) -> OfPeople:
    """Use the waves' own sampling weights."""

    def change(sample: Sample) -> tuple[Sample, str] | Refused:
        by_wave = sample.frame[sample.frame["wave"].isin(list(sample.waves))].groupby("wave")[column]
        differ = by_wave.max() > by_wave.min()
        if not differ.any():
            return Refused("the sampling weights differ within no wave")
        return replace(sample, weight=column), f"weights differ in: {', '.join(differ.index[differ])}"

    return change


def raked(margins: Mapping[str, Margins]) -> OfPeople:
    """Weight the returns of each wave to its population's margins: see `rake`.

    Parameters
    ----------
    margins
        Wave -> variable -> level -> staff (count or share). Waves without margins keep their weights. Respondents who
        do not state a margin's variable keep, as a group, the share of the returns that they have.
    """

    def change(sample: Sample) -> tuple[Sample, str] | Refused:
        given = {wave: margins[wave] for wave in sample.waves if margins.get(wave)}
        if not given:
            return Refused("no population margins are given")
        frame, waves = sample.frame, sample.frame["wave"].to_numpy()
        weights = np.ones(len(frame))
        if sample.weight:
            weights = np.array(frame[sample.weight].to_numpy(dtype=np.float64, na_value=0.0))
        absent, said = {}, []
        for wave, known in given.items():
            here = np.flatnonzero(waves == wave)
            found = rake(frame.iloc[here][list(known)], known, base=weights[here])
            if isinstance(found, Raking):
                weights[here] = found.weights
                said.append(f"{wave} by {', '.join(known)} (design effect {found.design_effect:.2f})")
            else:
                absent[wave] = f"no weights in {wave}: {found}"
        if not said:
            return Refused("; ".join(absent.values()))
        sample = replace(sample, frame=frame.assign(**{RAKED: weights}), weight=RAKED)
        return sample.without(absent), "; ".join(said)

    return change


@dataclass(frozen=True, slots=True, eq=False)
class Raking:
    """Weights that meet the margins."""

    weights: FloatArray
    """(N,) of mean 1 over those whose first weight was not 0."""
    rounds: int
    """How often each variable was adjusted."""
    distance: float
    """The largest difference left between a weighted and a known share."""

    @property
    def design_effect(self) -> float:
        """Kish's n sum(w^2) / sum(w)^2: how many times larger unequal weights alone make a mean's variance."""
        used = self.weights[self.weights > 0]
        return float(len(used) * (used @ used) / used.sum() ** 2)


def rake(
    frame: pd.DataFrame, margins: Margins, *, base: FloatArray | None = None, most: int = MOST_ROUNDS
) -> Raking | str:
    """Weight respondents to the margins of their population.

    Who has no level of a variable is a group of its own there, which keeps the share that it has by the first weights;
    the known margin then divides the rest. So nobody is left out, and nothing is guessed about them. Weights are not
    trimmed: what they cost stands in `Raking.design_effect`.

    Parameters
    ----------
    frame
        (N rows) the variables of the margins, text, may be missing.
    margins
        What is known of the population; every level positive.
    base
        (N,) the first weights, finite and not negative; 1 if left out.
    most
        Rounds after which to give up.

    Returns
    -------
    Raking or str
        The weights, or why there are none: nobody to weight, a level of the population that no respondent has, a
        level of the respondents that the margins do not know, or margins that cannot be met together.

    Raises
    ------
    ValueError
        If weights or margins are not what they must be.
    """
    first = np.ones(len(frame)) if base is None else np.asarray(base, dtype=np.float64)
    if first.shape != (len(frame),) or not np.isfinite(first).all() or (first < 0).any():
        raise ValueError("the first weights are not one a row, finite and not negative")
    if not margins or any(not shares or min(shares.values()) <= 0 for shares in margins.values()):
        raise ValueError("margins without a level, or a level that is not positive")
    used = np.flatnonzero(first > 0)
    if not len(used):
        return "nobody to weight"
    sides: list[tuple[IntArray, FloatArray]] = []
    for variable, shares in margins.items():
        side = _side(frame[variable].iloc[used], variable, shares, first[used])
        if isinstance(side, str):
            return side
        sides.append(side)

    # one weight for all respondents with the same levels
    key = np.zeros(len(used), dtype=np.int64)
    for levels, target in sides:
        key = key * len(target) + levels
    _, place, kind = np.unique(key, return_index=True, return_inverse=True)
    there = np.bincount(kind, first[used], len(place)) / first[used].sum()
    sides = [(levels[place], target) for levels, target in sides]
    factor, rounds, distance = np.ones(len(place)), 0, _distance(there, sides)
    while distance > CLOSE and rounds < most:
        for levels, target in sides:
            factor *= (target / np.bincount(levels, there * factor, len(target)))[levels]
        rounds, distance = rounds + 1, _distance(there * factor, sides)
    if not distance <= CLOSE:
        return f"the margins cannot be met together: a share is off by {distance:.2g} after {rounds} rounds"
    weights = np.zeros(len(frame))
    weights[used] = first[used] * factor[kind]
    return Raking(weights * (len(used) / weights.sum()), rounds, distance)


def _side(
    column: pd.Series[str], variable: str, shares: Mapping[str, float], weights: FloatArray
) -> tuple[IntArray, FloatArray] | str:
    """Each respondent's level, the last being none, and the levels' target shares; or why there are none."""
    levels = pd.Index(shares).get_indexer(pd.Index(column))
    missing = column.isna().to_numpy()
    if strange := sorted(set(column[~missing & (levels < 0)].astype("str"))):
        return f"{variable} has no margin for: {', '.join(strange)}"
    levels[missing] = len(shares)
    there = np.bincount(levels, weights, len(shares) + 1) / weights.sum()
    if empty := [level for level, share in zip(shares, there, strict=False) if share == 0]:
        return f"no respondent of {variable}: {', '.join(empty)}"
    known = np.array(list(shares.values()), dtype=np.float64)
    target = np.append(known / known.sum() * (1 - there[-1]), there[-1])
    if there[-1] == 0:
        target = target[:-1]
    return levels, target


def _distance(weights: FloatArray, sides: list[tuple[IntArray, FloatArray]]) -> float:
    return max(
        float(np.abs(np.bincount(levels, weights, len(target)) - target).max()) for levels, target in sides
    )
