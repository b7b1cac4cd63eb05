"""The answers of a scale, counted by who gave them: what the models of an item need of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from surveywaves.invariance.comparison import Counted
from surveywaves.reliability.answers import Array, Row
from surveywaves.reliability.equality import BETWEEN
from surveywaves.tidy import ALL

Mask: TypeAlias = NDArray[np.bool_]
_Codes: TypeAlias = NDArray[np.intp]


@dataclass(frozen=True)
class Sheet:
    """The answers of a scale, scored from 0.

    `wave` is -1 outside the waves compared, `organisation` one beyond the last where there is none of those compared;
    `sizes` are the numbers of both.
    """

    scores: Array
    points: int
    wave: _Codes
    organisation: _Codes
    sizes: tuple[int, int]

    @classmethod
    def of(
        cls,
        frame: pd.DataFrame,
        scores: Array,
        points: int,
        waves: Sequence[str],
        organisations: Sequence[str],
    ) -> Sheet:
        """Take answers scored from 0, and who gave them from the frame."""
        organisation = _codes(frame["organisation"], organisations)
        return cls(
            scores=scores,
            points=points,
            wave=_codes(frame["wave"], waves),
            organisation=np.where(organisation < 0, len(organisations), organisation),
            sizes=(len(waves), len(organisations)),
        )

    @cached_property
    def given(self) -> Mask:
        """Respondents x items: whether answered."""
        return ~np.isnan(self.scores)

    @cached_property
    def asked(self) -> Mask:
        """Waves x items: whether anyone answered."""
        return np.array([self.given[self.wave == wave].any(axis=0) for wave in range(self.sizes[0])]).reshape(
            self.sizes[0], self.scores.shape[1]
        )

    @cached_property
    def _counted(self) -> dict[tuple[int, bytes, bool], Counted]:
        return {}

    def counted(self, item: int, matched: Mask, *, with_item: bool) -> Counted:
        """Count who answered what: matching score x wave x organisation x answer, of an item.

        The matching score is the mean of the answered items among the matched ones, `with_item` or without. Either
        way only those count who answered the item and at least half of the others.
        """
        key = (item, matched.tobytes(), with_item)
        if key not in self._counted:
            self._counted[key] = self._count(item, matched, with_item)
        return self._counted[key]

    def _count(self, item: int, matched: Mask, with_item: bool) -> Counted:
        others = matched.copy()
        others[item] = False
        answered = self.given @ others.astype(np.intp)
        total = (self._filled @ others).astype(np.intp)
        enough = max(1, -(-int(others.sum()) // 2))
        valid = (self.wave >= 0) & self.given[:, item] & (answered >= enough)
        answer = self._filled[:, item].astype(np.intp)
        number = int(others.sum()) + with_item
        shape = (number + 1, number * (self.points - 1) + 1, self.sizes[0], self.sizes[1] + 1, self.points)
        where = (answered + with_item, total + answer * with_item, self.wave, self.organisation, answer)
        cells = np.ravel_multi_index(tuple(part[valid] for part in where), shape)
        counts = np.bincount(cells, minlength=int(np.prod(shape))).reshape(-1, *shape[2:]).astype(np.float64)
        seen = np.flatnonzero(counts.sum(axis=(1, 2, 3)))
        return Counted(counts[seen], (seen % shape[1]) / np.maximum(seen // shape[1], 1))

    @cached_property
    def _filled(self) -> Array:
        return np.where(self.given, self.scores, 0.0)


@dataclass(frozen=True)
class Comparison:
    """What is compared: groups by name and number, in which waves, matched on which items.

    `columns` say it in the table; `hindrance` says why nothing can be compared.
    """

    columns: Row
    names: tuple[str, ...]
    members: tuple[int, ...]
    waves: tuple[int, ...]
    matched: Mask
    hindrance: str

    @property
    def pair(self) -> bool:
        """Whether two groups are compared by name, not all at once."""
        return ALL not in self.columns.values()

    def of(self, counted: Counted, *, adjust: bool) -> Counted:
        """Put groups and strata in their places: score x group x stratum x answer."""
        if "wave" in self.columns:
            counts = counted.counts[:, list(self.members)]
        else:
            counts = counted.counts[:, list(self.waves)][:, :, list(self.members)].swapaxes(1, 2)
        return Counted(counts if adjust else counts.sum(axis=2, keepdims=True), counted.score)


def comparisons(
    sheet: Sheet, item: int, waves: Sequence[str], organisations: Sequence[str]
) -> Iterator[Comparison]:
    """Give every comparison of an item: of the waves, then of the organisations."""
    # A wave that asked the item and no other has nothing to match on.
    able = tuple(w for w in range(len(waves)) if sheet.asked[w, item] and sheet.asked[w].sum() > 1)
    for chosen, name in _sets(waves, later_first=True):
        within = tuple(w for w in chosen if w in able) if name == ALL else chosen
        matched = _asked_in_all(sheet, within)
        hindrance = _hindrance(sheet, item, within, matched, waves)
        names = tuple(waves[w] for w in within)
        yield Comparison({"wave": name}, names, within, within, matched, hindrance)
    matched = _asked_in_all(sheet, able)
    hindrance = _hindrance(sheet, item, able, matched, waves)
    for chosen, name in _sets(organisations, later_first=False):
        names = tuple(organisations[o] for o in chosen)
        yield Comparison({"organisation": name}, names, chosen, able, matched, hindrance)


def _sets(names: Sequence[str], *, later_first: bool) -> Iterator[tuple[tuple[int, ...], str]]:
    """Give all groups together, if there are more than two, and each pair."""
    if len(names) > 2:
        yield tuple(range(len(names))), ALL
    for pair in combinations(range(len(names)), 2):
        first, second = pair[::-1] if later_first else pair
        yield (first, second), f"{names[first]}{BETWEEN}{names[second]}"


def _asked_in_all(sheet: Sheet, within: tuple[int, ...]) -> Mask:
    """Tell which items all of some waves asked; none if there are no waves."""
    if not within:
        return np.zeros(sheet.scores.shape[1], dtype=np.bool_)
    return np.asarray(sheet.asked[list(within)].all(axis=0), dtype=np.bool_)


def _hindrance(sheet: Sheet, item: int, within: tuple[int, ...], matched: Mask, waves: Sequence[str]) -> str:
    """Say why an item cannot be compared in some waves at all; empty if it can."""
    if len(matched) < 2:
        return "the scale has one item"
    if not within:
        return "no wave asked this item and another"
    if unasked := [waves[w] for w in within if not sheet.asked[w, item]]:
        return f"not asked: {', '.join(unasked)}"
    if matched.sum() < 2:
        return "no other item was asked in every wave compared"
    return ""


def _codes(column: pd.Series[Any], names: Sequence[str]) -> _Codes:
    """Turn the names of a column into numbers; -1 for any other and for a missing one."""
    return np.asarray(
        pd.Index(list(names), dtype="str").get_indexer(pd.Index(column.astype("str"))), dtype=np.intp
    )
