"""How numbers are drawn: named streams, fair shares, and latent responses that go together as stated."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from simulate.models import DemoPart
from surveywaves.study.models import Item

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

BELL_WIDTH = 1.5
"""Outermost cut points, in standard deviations, of an item whose distribution nobody states."""


def generator(part: DemoPart, purpose: str) -> np.random.Generator:
    """Open the stream of random numbers for one purpose: a change elsewhere does not move what is drawn here."""
    return np.random.default_rng([part.demo.seed, zlib.crc32(f"{part.wave}/{purpose}".encode())])


def apportion(total: int, shares: ArrayLike) -> Integers:
    """Split a number of respondents by shares: whole numbers, nearest below, the rest to the largest remainders."""
    weights = np.asarray(shares, dtype=np.float64)
    exact = total * weights / weights.sum()
    whole: Integers = np.floor(exact + 1e-9).astype(np.int64)
    order = np.argsort(whole - exact, kind="stable")
    whole[order[: total - int(whole.sum())]] += 1
    return whole


def latent_responses(
    items: Sequence[Item],
    respondents: int,
    *,
    between: float,
    within: Mapping[str, float],
    default: float,
    rng: np.random.Generator,
) -> Floats:
    """Draw what respondents think before response options make a number of it.

    An opinion on each scale is part general (share of variance `between`), part its own; an item's latent response is
    part opinion (share `within` of its scale, or `default`), part its own. Two items of a scale so correlate by
    `within`, items of two scales by `between` times the root of the product of their `within`; an item keyed - runs
    the other way. An item of no scale has an opinion for itself.

    Returns
    -------
    array, respondents x items
        Standard normal in each column.
    """
    general = rng.standard_normal(respondents)
    opinions: dict[str, Floats] = {}
    responses = np.empty((respondents, len(items)))
    for column, item in enumerate(items):
        subject = item.scale or item.item
        if subject not in opinions:
            own = rng.standard_normal(respondents)
            opinions[subject] = np.sqrt(between) * general + np.sqrt(1 - between) * own
        shared = within.get(subject, default)
        unique = rng.standard_normal(respondents)
        responses[:, column] = item.key * np.sqrt(shared) * opinions[subject] + np.sqrt(1 - shared) * unique
    return responses


def cut_points(shares: ArrayLike) -> Floats:
    """Give the points of a standard normal between which the response options have these shares."""
    weights = np.asarray(shares, dtype=np.float64)
    points: Floats = ndtri(np.clip(np.cumsum(weights)[:-1] / weights.sum(), 0.0, 1.0))
    return points


def bell(points: int) -> Floats:
    """Give the cut points of an item whose distribution nobody states."""
    return np.linspace(-BELL_WIDTH, BELL_WIDTH, points - 1) if points > 2 else np.zeros(1)


def regroup(counts: ArrayLike, points: int) -> Floats:
    """Spread counts on one number of response options over another, as if options were equal stretches."""
    given = np.asarray(counts, dtype=np.float64)
    upto = np.concatenate([[0.0], np.cumsum(given)])
    at = np.linspace(0, len(given), points + 1)
    return np.diff(np.interp(at, np.arange(len(given) + 1), upto))
