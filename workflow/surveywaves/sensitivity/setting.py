"""What a comparison rests on: who is compared, by which answers. A variant changes a part of it, or cannot."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import pandas as pd

from surveywaves.mixed.design import Design, make_design
from surveywaves.mixed.linear import LinearFit
from surveywaves.mixed.ordinal import OrdinalFit


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """The answers compared.

    Parameters
    ----------
    name
        The scale's name, for the tables.
    items
        Its items.
    keys
        Item -> +1, or -1 for an item to reverse.
    response_range
        Lowest and highest possible answer.
    min_answered
        Items a respondent must have answered to get a scale score.
    flagged
        Items that were found to work differently between waves or organisations.
    """

    name: str
    items: tuple[str, ...]
    keys: Mapping[str, int]
    response_range: tuple[float, float]
    min_answered: int = 1
    flagged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Who is compared.

    Parameters
    ----------
    frame
        (N rows) one row a respondent: `wave`, `organisation` (may be missing), the items, and the columns named here.
    waves, organisations, covariates, weight, team
        See `surveywaves.mixed.design.make_design`.
    absent
        Wave -> why it takes no part, in words. Such waves are not among `waves`.
    asked
        Wave -> what it asked, where answers to different questions cannot be compared.
    """

    frame: pd.DataFrame
    waves: tuple[str, ...]
    organisations: tuple[str, ...]
    covariates: tuple[str, ...] = ()
    weight: str = ""
    team: str = ""
    absent: Mapping[str, str] = field(default_factory=dict)
    asked: Mapping[str, frozenset[str]] = field(default_factory=dict)

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

    def design(self, scale: Scale) -> Design:
        """Find the distinct respondents."""
        return make_design(
            self.frame,
            items=scale.items,
            keys=scale.keys,
            response_range=scale.response_range,
            waves=self.waves,
            organisations=self.organisations,
            covariates=self.covariates,
            weight=self.weight,
            team=self.team,
        )


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a variant cannot be done, in words."""

    reason: str


OfPeople: TypeAlias = Callable[[Sample], tuple[Sample, str] | Refused]
"""A change of who is compared, the same for all scales, with a note. Who changes nothing gives back the same object."""

OfAnswers: TypeAlias = Callable[[Sample, Scale], tuple[Sample, Scale, str] | Refused]
"""A change of what is compared, scale by scale, with a note."""

Model: TypeAlias = Callable[[Design], LinearFit | OrdinalFit]
