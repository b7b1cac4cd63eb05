"""What is analysed: a sample of respondents, and a scale. Every statistic takes them as one object each."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any, Protocol

import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from surveywaves.terms import ALL, ORGANISATION


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """The answers that are analysed."""

    name: str
    """The scale's name, for the tables."""
    items: tuple[str, ...]
    """Its items, in order."""
    keys: Mapping[str, int]
    """Item -> +1, or -1 if agreeing means less of what the scale measures: y becomes low + high - y."""
    response_range: tuple[int, int]
    """Lowest and highest possible answer."""
    favourable: tuple[int, ...] = ()
    """The favourable answers, after reverse keying."""
    min_answered: int = 1
    """Items a respondent must have answered to get a scale score."""
    flagged: tuple[str, ...] = ()
    """Items that were found to work differently between waves or organisations."""
    points: Mapping[str, int] = field(default_factory=dict)
    """Item -> how many response options it has, where items differ in them: see `on_one_range`. Empty: they do not."""
    favourable_of: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Item -> its favourable answers, after reverse keying, where the items differ in them."""


def is_continuous(covariate: pd.Series[Any]) -> bool:
    """Whether a covariate is adjusted for as a number; otherwise it is by its levels."""
    return bool(is_numeric_dtype(covariate.dtype) and not is_bool_dtype(covariate.dtype))


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Who is analysed."""

    frame: pd.DataFrame
    """(N rows) one row a respondent: `wave` and `organisation` (text, may be missing), one column an item (as worded,
    may be missing), and the columns named here."""
    waves: tuple[str, ...]
    organisations: tuple[str, ...]
    """Those to report, in order, waves in order of time. Respondents of others take no part, nor do those who stated
    none, but where a statistic says that it is of everybody."""
    covariates: tuple[str, ...] = ()
    """Columns that the mixed models adjust for: continuous where numeric, otherwise (text, boolean, categorical)
    categorical, the first level in sorted order being the reference. Respondents with one missing are left out of the
    models; a missing category that has a name is kept."""
    weight: str = ""
    """Column of the models' sampling weights, finite and not negative; only their ratios within a wave matter.
    Respondents of weight 0 or with none are left out of the models. Empty: no weights."""
    team: str = ""
    """Column of each respondent's team. The same name is the same team in every cell. Respondents without one are left
    out of the models. Empty: no teams."""
    absent: Mapping[str, str] = field(default_factory=dict)
    """Wave -> why it takes no part, in words. Such waves are not among `waves`."""
    asked: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Wave -> what it asked, where answers to different questions cannot be compared."""
    shares: Mapping[str, float] = field(default_factory=dict)
    shares_note: str = ""
    """Organisation -> its share of all staff, summing to 1, by which the organisations' estimates are weighted to one
    of all staff; and where the shares are from. Empty: no such estimates. See `with_shares`."""
    sampled: Mapping[str, float] = field(default_factory=dict)
    """Wave -> share of the population that answered, 0 to 1: robust covariances are then of what that population
    thinks, and not of a superpopulation. Waves that are not here are samples of a large one."""
    reference: str = ""
    """The wave whose respondents divide as all staff do, where no shares are stated."""
    smallest_overlap: float = 0.5
    """Smallest share of the respondents compared whose categorical covariates occur in every cell of a contrast, from 0
    to 1: below it, covariates adjust nothing, and the contrast is not estimated."""
    against: str = ""
    """What organisations are compared with: ``all`` together, one by its name, or each with each other where empty."""
    smallest_of_all: int = 0
    """Fewest answers to an item with which an organisation is one of those that make up all staff, where organisations
    are not compared in pairs: see `surveywaves.mixed.contrasts`."""

    def with_shares(self) -> Sample:
        """Make the shares sum to 1; where none are stated, take those of the reference wave's respondents.

        A study of one organisation has none: its estimates are those of all staff.
        """
        shares, note = dict(self.shares), self.shares_note
        if not shares and self.reference:
            stated = self.frame.loc[self.frame["wave"] == self.reference, "organisation"].value_counts()
            shares = {name: float(stated.get(name, 0)) for name in self.organisations}
            note = f"organisations weighted by their shares of the respondents of {self.reference}"
        total = sum(shares.values())
        if len(self.organisations) < 2 or not total > 0:
            return replace(self, shares={}, shares_note="")
        return replace(self, shares={name: share / total for name, share in shares.items()}, shares_note=note)

    def coded(self) -> Sample:
        """Hold waves and organisations as categories: who takes many samples of one compares numbers, not words."""
        return replace(self, frame=self.frame.astype(dict.fromkeys(("wave", ORGANISATION), "category")))

    def without(self, absent: Mapping[str, str]) -> Sample:
        """Leave waves out, with the reason of each."""
        if not absent:
            return self
        return replace(
            self,
            frame=self.frame[~self.frame["wave"].isin(list(absent))],
            waves=tuple(wave for wave in self.waves if wave not in absent),
            absent={**self.absent, **absent},
        )

    def obstacle(self, waves: Collection[str]) -> str:
        """Why some waves cannot be compared, in words; empty if they can."""
        if missing := [self.absent[wave] for wave in waves if wave in self.absent]:
            return "; ".join(missing)
        if len({self.asked[wave] for wave in waves if wave in self.asked}) > 1:
            return f"different items were asked in: {', '.join(waves)}"
        return ""


def paired(names: Sequence[str], against: str) -> Iterator[tuple[str, str]]:
    """Yield the pairs of organisations that are compared: none where each is compared with all."""
    if not against:
        yield from combinations(names, 2)
    elif against != ALL:
        yield from ((name, against) for name in names if name != against)


class Asked(Protocol):
    """An item of an instrument: its name, its key, and its response scale."""

    @property
    def item(self) -> str:
        """Its name."""

    @property
    def key(self) -> int:
        """+1, or -1 if agreeing means less of what the scale measures."""

    @property
    def points(self) -> int:
        """Responses of its response scale, from 1."""

    @property
    def favourable(self) -> tuple[int, ...]:
        """The favourable answers, after reverse keying."""


class Keyed(Asked, Protocol):
    """An item as scales need it."""

    @property
    def scale(self) -> str:
        """Its scale; empty: none."""


def scales_of(instrument: Iterable[Keyed], min_answered: Mapping[str, int] | None = None) -> list[Scale]:
    """List the scales of an instrument, in the order of their first items.

    Parameters
    ----------
    instrument
        Its items.
    min_answered
        Scale -> items a respondent must have answered to get a scale score.
    """
    members: dict[str, list[Keyed]] = {}
    for item in instrument:
        if item.scale:
            members.setdefault(item.scale, []).append(item)
    return [_scale(items, (min_answered or {}).get(name, 1)) for name, items in members.items()]


def share_of(number: int, item: str) -> range:
    """Return the positions, of so many scales or items, that a part covers: of ``2-of-3``, the second third."""
    part, parts = map(int, item.split("-of-"))
    return range(number * (part - 1) // parts, number * part // parts)


def single_items(instrument: Iterable[Keyed]) -> list[Scale]:
    """List the items of an instrument, each as a scale of its own that is named after the item's scale."""
    return [_scale([item]) for item in instrument]


def _scale(items: list[Keyed], min_answered: int = 1) -> Scale:
    first = max(items, key=lambda item: item.points)
    mixed = len({(item.points, item.favourable) for item in items}) > 1
    return Scale(
        name=first.scale,
        items=tuple(item.item for item in items),
        keys={item.item: item.key for item in items},
        response_range=(1, first.points),
        favourable=first.favourable,
        min_answered=min_answered,
        points={item.item: item.points for item in items} if mixed else {},
        favourable_of={item.item: item.favourable for item in items} if mixed else {},
    )


def on_one_range(
    sample: Sample, scales: Sequence[Scale], items: Sequence[Scale] = (), *, whole: bool = False
) -> tuple[Sample, list[Scale], list[Scale]]:
    """Put the answers of scales whose items differ in their response options on one range.

    The lowest and the highest option become the lowest and highest of the scale, the others lie evenly between them:
    percent of the maximum possible (Cohen, Cohen, Aiken and West 1999, Multivariate Behav. Res. 34, 315), in points
    of the item that has most options.

    Parameters
    ----------
    sample, scales
        Who is analysed, and by which answers.
    items
        Items by themselves, which are put on the range of their scale.
    whole
        On the shortest range on which all options of all items are whole numbers.

    Returns
    -------
    Sample, scales, items
        With answers, ranges and favourable answers changed of the scales whose items differ, and of no others.
    """
    mixed = {scale.name: scale for scale in scales if scale.points}
    if not mixed:
        return sample, list(scales), list(items)
    columns = {}
    for scale in mixed.values():
        for item, points in scale.points.items():
            given = sample.frame[item].astype("Float64")
            columns[item] = 1 + (given - 1) * _steps(scale, whole) / (points - 1)

    def put(one: Scale) -> Scale:
        if (scale := mixed.get(one.name)) is None:
            return one
        favourable = {
            item: tuple(
                1 + (answer - 1) * _steps(scale, whole) / (scale.points[item] - 1) for answer in answers
            )
            for item, answers in scale.favourable_of.items()
            if item in one.items
        }
        return replace(one, response_range=(1, 1 + _steps(scale, whole)), favourable_of=favourable)

    return (
        replace(sample, frame=sample.frame.assign(**columns)),
        [put(scale) for scale in scales],
        [put(item) for item in items],
    )


def _steps(scale: Scale, whole: bool) -> int:
    """From the lowest answer to the highest of a scale's range: a multiple of every item's, if `whole`."""
    return math.lcm(*(one - 1 for one in scale.points.values())) if whole else scale.response_range[1] - 1
