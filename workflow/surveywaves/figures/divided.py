"""How answers divide where some counts are withheld: what is known of the others, and where it can be drawn."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Piece(NamedTuple):
    """A part of a bar: response options (from 0, lowest first) and the percentage that gave one of them."""

    options: tuple[int, ...]
    share: float


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar centred on the middle of the response scale, as far as it is known where things stand.

    Parameters
    ----------
    centred
        Pieces in the order of the options, each where it belongs.
    below
        Percentage of them left of the middle: the lower options and half of the middle one.
    apart
        Pieces of which only the length is known.
    """

    centred: tuple[Piece, ...]
    below: float
    apart: tuple[Piece, ...] = ()

    @property
    def above(self) -> float:
        """Percentage right of the middle."""
        return sum(piece.share for piece in self.centred) - self.below

    @property
    def beside(self) -> float:
        """Percentage whose place is not known."""
        return sum(piece.share for piece in self.apart)


def divide(shares: Sequence[float], favourable: Collection[int], together: float) -> Bar | None:
    """Put what is shown of an item's answers, and what follows from it, where it belongs.

    Percentages add up to 100, so those that are withheld are known together; where the favourable ones are known
    together, the withheld ones among them are too, and the others. Such a group takes its place in the bar if its
    options follow each other and the middle of the scale does not fall among them.

    Parameters
    ----------
    shares
        Percentages, lowest option first; NaN where withheld.
    favourable
        Favourable options, from 0.
    together
        Percentage of favourable answers; NaN where withheld.

    Returns
    -------
    Bar or None
        None where nothing is known but that there are answers.
    """
    groups = _groups(shares, favourable, together)
    if groups and len(groups[0].options) == len(shares):
        return None
    pieces = [Piece((place,), share) for place, share in enumerate(shares) if math.isfinite(share)] + groups
    within = {place: piece for piece in pieces for place in piece.options}
    half, middle = len(shares) // 2, len(shares) % 2
    left: list[Piece] = []
    right: list[Piece] = []
    core: list[Piece] = []
    if not middle or math.isfinite(shares[half]):
        core = [within[half]] if middle else []
        left = list(_outwards(within, range(half - 1, -1, -1)))
        right = list(_outwards(within, range(half + middle, len(shares))))
    centred = (*reversed(left), *core, *right)
    rest = [piece for piece in pieces if piece not in centred]
    return Bar(
        centred=centred,
        below=sum(piece.share for piece in left) + sum(piece.share for piece in core) / 2,
        apart=tuple(sorted(rest, key=lambda piece: (not _adjoining(piece), piece.options))),
    )


def _groups(shares: Sequence[float], favourable: Collection[int], together: float) -> list[Piece]:
    """Give the withheld options, as they are known together."""
    withheld = tuple(place for place, share in enumerate(shares) if not math.isfinite(share))
    if not withheld:
        return []
    rest = 100 - sum(share for share in shares if math.isfinite(share))
    inside = tuple(place for place in withheld if place in favourable)
    if not math.isfinite(together) or inside in {(), withheld}:
        return [Piece(withheld, max(rest, 0.0))]
    known = sum(shares[place] for place in favourable if place not in withheld)
    among = min(max(together - known, 0.0), rest)
    outside = tuple(place for place in withheld if place not in favourable)
    return sorted([Piece(inside, among), Piece(outside, rest - among)])


def _outwards(within: dict[int, Piece], places: range) -> Iterator[Piece]:
    """Take the pieces of one side from the middle outwards, up to the first that has no place there."""
    side = set(places)
    for place in places:
        piece = within[place]
        if not _adjoining(piece) or not side.issuperset(piece.options):
            return
        if place == min(piece.options, key=places.index):
            yield piece


def _adjoining(piece: Piece) -> bool:
    """Whether its options follow each other."""
    return piece.options[-1] - piece.options[0] == len(piece.options) - 1
