"""What is analysed: a sample of respondents, and a scale. Every statistic takes them as one object each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """The answers that are analysed.

    Parameters
    ----------
    name
        The scale's name, for the tables.
    items
        Its items, in order.
    keys
        Item -> +1, or -1 if agreeing means less of what the scale measures: y becomes low + high - y.
    response_range
        Lowest and highest possible answer.
    favourable
        The favourable answers, after reverse keying.
    min_answered
        Items a respondent must have answered to get a scale score.
    flagged
        Items that were found to work differently between waves or organisations.
    """

    name: str
    items: tuple[str, ...]
    keys: Mapping[str, int]
    response_range: tuple[int, int]
    favourable: tuple[int, ...] = ()
    min_answered: int = 1
    flagged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Who is analysed.

    Parameters
    ----------
    frame
        (N rows) one row a respondent: `wave` and `organisation` (text, may be missing), one column an item (as worded,
        may be missing), and the columns named here.
    waves, organisations
        Those to report, in order, waves in order of time. Respondents of others take no part, nor do those who stated
        none, but where a statistic says that it is of everybody.
    covariates
        Columns that the mixed models adjust for: continuous where numeric, otherwise (text, boolean, categorical)
        categorical, the first level in sorted order being the reference. Respondents with one missing are left out of
        the models; a missing category that has a name is kept.
    weight
        Column of the models' sampling weights, finite and not negative; only their ratios within a wave matter.
        Respondents of weight 0 or with none are left out of the models. Empty: no weights.
    team
        Column of each respondent's team. The same name is the same team in every cell. Respondents without one are
        left out of the models. Empty: no teams.
    absent
        Wave -> why it takes no part, in words. Such waves are not among `waves`.
    asked
        Wave -> what it asked, where answers to different questions cannot be compared.
    shares, shares_note
        Organisation -> its share of all staff, summing to 1, by which the organisations' estimates are weighted to one
        of all staff; and where the shares are from. Empty: no such estimates. See `with_shares`.
    reference
        The wave whose respondents divide as all staff do, where no shares are stated.
    smallest_overlap
        Smallest share of the respondents compared whose categorical covariates occur in every cell of a contrast, from
        0 to 1: below it, covariates adjust nothing, and the contrast is not estimated.
    sampled
        Wave -> share of the population that answered, 0 to 1: robust covariances are then of what that population
        thinks, and not of a superpopulation. Waves that are not here are samples of a large one.
    """

    frame: pd.DataFrame
    waves: tuple[str, ...]
    organisations: tuple[str, ...]
    covariates: tuple[str, ...] = ()
    weight: str = ""
    team: str = ""
    absent: Mapping[str, str] = field(default_factory=dict)
    asked: Mapping[str, frozenset[str]] = field(default_factory=dict)
    shares: Mapping[str, float] = field(default_factory=dict)
    shares_note: str = ""
    sampled: Mapping[str, float] = field(default_factory=dict)
    reference: str = ""
    smallest_overlap: float = 0.5

    def with_shares(self) -> Sample:
        """Make the shares sum to 1; where none are stated, take those of the reference wave's respondents.

        A study of one organisation has none: its estimates are those of all staff.
        """
        shares, note = dict(self.shares), self.shares_note
        if not shares and self.reference:
            stated = self.frame.loc[self.frame["wave"] == self.reference, "organisation"].value_counts()
            shares = {name: float(stated.get(name, 0)) for name in self.organisations}
            note = f"organisations weighted as the respondents of {self.reference} divide"
        total = sum(shares.values())
        if len(self.organisations) < 2 or not total > 0:
            return replace(self, shares={}, shares_note="")
        return replace(self, shares={name: share / total for name, share in shares.items()}, shares_note=note)

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
        Its items; all of a scale have one response scale.
    min_answered
        Scale -> items a respondent must have answered to get a scale score.
    """
    members: dict[str, list[Keyed]] = {}
    for item in instrument:
        if item.scale:
            members.setdefault(item.scale, []).append(item)
    return [_scale(items, (min_answered or {}).get(name, 1)) for name, items in members.items()]


def single_items(instrument: Iterable[Keyed]) -> list[Scale]:
    """List the items of an instrument, each as a scale of its own that is named after the item's scale."""
    return [_scale([item]) for item in instrument]


def _scale(items: list[Keyed], min_answered: int = 1) -> Scale:
    first = items[0]
    return Scale(
        name=first.scale,
        items=tuple(item.item for item in items),
        keys={item.item: item.key for item in items},
        response_range=(1, first.points),
        favourable=first.favourable,
        min_answered=min_answered,
    )
