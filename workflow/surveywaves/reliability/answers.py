"""Whose answers count: scored, of one wave and organisation, complete, and only items that vary.

Floor and ceiling too: how many of them stand at an end of the scale, where change can no longer show.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from surveywaves.sample import Sample, Scale
from surveywaves.terms import Status

Row: TypeAlias = dict[str, Any]
Array: TypeAlias = NDArray[np.float64]
Codes: TypeAlias = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Options:
    """What the caller chose: see `reliability`."""

    response_range: tuple[int, int]
    confidence: float
    min_n: int
    replicates: int
    seed: int


@dataclass(frozen=True)
class Answers:
    """The scored answers of one wave and organisation.

    Attributes
    ----------
    place
        Scale, wave and organisation, as one text: it seeds what is drawn for them.
    complete
        Respondents x items asked, those who answered all of them.
    asked
        The items asked.
    constant
        Which of them everyone answered alike.
    present
        Number of respondents, complete or not.
    options
        What the caller chose.
    note
        What was left out.
    """

    place: str
    complete: Array
    asked: tuple[str, ...]
    constant: NDArray[np.bool_]
    present: int
    options: Options
    note: str

    @classmethod
    def of(
        cls,
        scores: Array,
        *,
        items: Sequence[str],
        asked: NDArray[np.bool_],
        options: Options,
        place: str,
        remark: str,
    ) -> Answers:
        """Leave out the items that were not asked, the incomplete answers, and then the constant items."""
        complete = whole(scores[:, asked])
        names = tuple(item for item, was_asked in zip(items, asked, strict=True) if was_asked)
        constant = alike(complete)
        return cls(
            place=place,
            complete=complete,
            asked=names,
            constant=constant,
            present=len(scores),
            options=options,
            note=join(remark, named("everyone answered alike", names, constant)),
        )

    @cached_property
    def scores(self) -> Array:
        """Respondents x items that vary."""
        return self.complete[:, ~self.constant]

    @cached_property
    def items(self) -> tuple[str, ...]:
        """Names of the items that vary."""
        return tuple(item for item, same in zip(self.asked, self.constant, strict=True) if not same)

    @property
    def n(self) -> int:
        """Respondents who answered every item."""
        return len(self.complete)

    @property
    def k(self) -> int:
        """Items that vary."""
        return len(self.items)

    @cached_property
    def covariance(self) -> Array:
        """Covariances of the items."""
        return covariance(self.scores)

    @cached_property
    def correlation(self) -> Array:
        """Correlations of the items."""
        deviation = np.sqrt(np.diag(self.covariance))
        correlation: Array = self.covariance / np.outer(deviation, deviation)
        return correlation

    @cached_property
    def total(self) -> Array:
        """Total score of each respondent."""
        return np.asarray(self.scores.sum(axis=1), dtype=np.float64)

    def generator(self, purpose: str) -> np.random.Generator:
        """Return the random numbers of this wave and organisation: the same whatever else is estimated."""
        return np.random.default_rng([self.options.seed, zlib.crc32(f"{purpose}/{self.place}".encode())])

    @property
    def unscored(self) -> tuple[Status, str] | None:
        """Why there are no scores to describe; None if there are."""
        if not self.present:
            return Status.NOT_ESTIMABLE, "nobody answered"
        if not self.asked:
            return Status.NOT_ESTIMABLE, "no item was asked"
        if len(self.asked) < 2:
            return Status.TOO_FEW, "only one item was asked"
        if self.n < self.options.min_n:
            return Status.TOO_FEW, f"fewer than {self.options.min_n} respondents answered every item"
        return None

    @property
    def refusal(self) -> tuple[Status, str] | None:
        """Why nothing can be said of how the items go together; None if something can."""
        if self.unscored is None and self.k < 2:
            return Status.NOT_ESTIMABLE, "fewer than two items vary"
        return self.unscored


def scored(frame: pd.DataFrame, scale: Scale) -> Array:
    """Score the items so that more always means more of what the scale measures; missing answers are NaN.

    Raises
    ------
    ValueError
        If an answer is not a whole number in the response range.
    """
    low, high = scale.response_range
    answers = frame[list(scale.items)].astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = ~np.isnan(answers) & ((answers < low) | (answers > high) | (answers != np.round(answers)))
    if wrong.any():
        raise ValueError(
            named(f"answers that are not whole numbers from {low} to {high}", scale.items, wrong.any(axis=0))
        )
    reversed_ = np.array([scale.keys[item] == -1 for item in scale.items], dtype=np.bool_)
    return np.where(reversed_, low + high - answers, answers)


LARGEST_CODE: Final = 2**62
"""Largest number that answer patterns are coded by before they are numbered."""


def patterns(codes: Codes, points: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Find the answer patterns, in order of the last item, then of the one before it.

    Parameters
    ----------
    codes
        Respondents x items, 0 to points - 1, none missing.
    points
        Number of response points.

    Returns
    -------
    first, counts
        For each pattern a respondent who gave it, and how many did.
    """
    key = np.zeros(len(codes), dtype=np.int64)
    for column in codes.T[::-1]:
        if key.max(initial=0) > LARGEST_CODE // points:
            key = np.unique(key, return_inverse=True)[1]
        key = key * points + column
    if points ** codes.shape[1] > len(codes):
        _, first, counts = np.unique(key, return_index=True, return_counts=True)
        return first, counts
    # Where there are fewer patterns than respondents, counting is faster than sorting.
    counts = np.bincount(key)
    given = np.flatnonzero(counts)
    someone = np.empty(len(counts), dtype=np.intp)
    someone[key] = np.arange(len(key))
    return someone[given], counts[given]


def check(sample: Sample, scale: Scale, *, confidence: float, min_n: int) -> None:
    """Refuse a call that makes no sense.

    Raises
    ------
    ValueError
        If a column is missing, a key is not +1 or -1, an item is listed twice, or an option is out of bounds.
    """
    items = scale.items
    if missing := [name for name in ("wave", "organisation", *items) if name not in sample.frame.columns]:
        raise ValueError(f"the frame has no column {', '.join(missing)}")
    if len(set(items)) < len(items):
        raise ValueError("an item is listed twice")
    if unkeyed := [item for item in items if scale.keys.get(item) not in (1, -1)]:
        raise ValueError(f"the key is not +1 or -1: {', '.join(unkeyed)}")
    if not scale.response_range[0] < scale.response_range[1]:
        raise ValueError(f"response range {scale.response_range} is empty")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence {confidence} is not between 0 and 1")
    if min_n < 2:
        raise ValueError(f"min_n {min_n} is below 2: one respondent has no variance")


def whole(scores: Array) -> Array:
    """Keep the respondents who answered every item."""
    return scores[~np.isnan(scores).any(axis=1)]


def alike(scores: Array) -> NDArray[np.bool_]:
    """Which columns have one value only; none if there is no one."""
    if not len(scores):
        return np.zeros(scores.shape[1], dtype=np.bool_)
    return np.asarray(np.ptp(scores, axis=0) == 0, dtype=np.bool_)


def covariance(scores: Array) -> Array:
    """Covariances of columns, n - 1 in the denominator."""
    return np.atleast_2d(np.asarray(np.cov(scores, rowvar=False), dtype=np.float64))


def answered(scores: Array) -> NDArray[np.bool_]:
    """Whether anyone answered each item."""
    return np.asarray((~np.isnan(scores)).any(axis=0), dtype=np.bool_)


def members(column: pd.Series[Any], name: str) -> NDArray[np.bool_]:
    """Who is in a wave or organisation; a missing name is in none."""
    return column.eq(name).fillna(False).to_numpy(dtype=np.bool_)


def named(what: str, names: Sequence[str], marked: Iterable[bool]) -> str:
    """Return `what` with the marked names behind it; empty if none is marked."""
    found = [name for name, mark in zip(names, marked, strict=True) if mark]
    return f"{what}: {', '.join(found)}" if found else ""


def join(*remarks: str) -> str:
    """Put remarks into one note."""
    return "; ".join(filter(None, remarks))


def floor(answers: Answers) -> Row:
    """Percentage with the lowest score that the response range allows."""
    return _at(answers, answers.options.response_range[0])


def ceiling(answers: Answers) -> Row:
    """Percentage with the highest score that the response range allows."""
    return _at(answers, answers.options.response_range[1])


def _at(answers: Answers, end: int) -> Row:
    # A mean of scores is at the end of their range only if every one of them is.
    return {"estimate": float(100 * np.mean((answers.complete == end).all(axis=1)))}
