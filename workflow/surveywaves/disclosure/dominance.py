"""Dominance: where one or two respondents are most of a weighted estimate, it is their answers.

Counts, percentages and means of items are of returns as they came: each counts once, and a group of ten is not
dominated. Models may use weights, and weights have no largest value. By the (n, k) rule (Hundepool et al. 2012,
Statistical Disclosure Control, section 4.2) an estimate of a group is withheld where its n largest weights are more
than k of all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd

from surveywaves.disclosure.count_tables import Place
from surveywaves.disclosure.rule import FloatArray
from surveywaves.sample import Sample
from surveywaves.terms import ORGANISATION
from surveywaves.weighting import Margins, Refused, raked, weighted

LARGEST: Final = {1: 0.5, 2: 0.8}
"""Respondents -> the share of their group's weights that they may have at most."""

UNNAMED: Final = ""
RAKING: Final = "raking"
SAMPLING: Final = "sampling_weights"
UNWEIGHTED: Final = "unweighted"
WEIGHT: Final = "weight"


@dataclass(frozen=True, slots=True, eq=False)
class Weighting:
    """Who weighs how much.

    Attributes
    ----------
    responses
        The pooled responses.
    used
        Whether all models use the returns' own weights, not one variant of the sensitivity analysis only.
    margins
        Wave -> variable -> level -> staff, for the variant that rakes.
    """

    responses: pd.DataFrame
    used: bool
    margins: Mapping[str, Margins]


@dataclass(frozen=True, slots=True)
class Dominated:
    """Variant of the analysis (`MAIN`: those not named) -> scale or item -> dominated waves and organisations."""

    places: Mapping[str, Mapping[str, frozenset[Place]]] = field(default_factory=dict)

    def of(self, variant: str, subject: str) -> frozenset[Place]:
        """Return the places of which a variant's estimate on a scale or item is not shown."""
        if variant == UNWEIGHTED:
            return frozenset()
        own = self.places.get(variant, self.places.get(UNNAMED, {}))
        return own.get(subject, frozenset())


def dominated(weighting: Weighting, subjects: Mapping[str, list[str]]) -> Dominated:
    """Find where few respondents have most of the weight.

    Parameters
    ----------
    weighting
        Who weighs how much.
    subjects
        Scale or item -> items: who answered any of them is in the estimate.

    Returns
    -------
    Dominated
        A group in which everybody weighs the same is in it only if it is smaller than any that is shown.
    """
    frame = weighting.responses
    sample = Sample(
        frame=frame,
        waves=tuple(dict.fromkeys(frame["wave"])),
        organisations=tuple(sorted(frame[ORGANISATION].dropna().unique())),
        weight=WEIGHT if weighting.used else "",
    )
    changes = {RAKING: raked(weighting.margins)}
    if not weighting.used:
        changes[SAMPLING] = weighted(WEIGHT)
    samples = {UNNAMED: sample} if weighting.used else {}
    for variant, change in changes.items():
        found = change(sample)
        if not isinstance(found, Refused) and found[0].weight:
            samples[variant] = found[0]
    return Dominated({variant: _places(one, subjects) for variant, one in samples.items()})


def _places(sample: Sample, subjects: Mapping[str, list[str]]) -> dict[str, frozenset[Place]]:
    frame, found = sample.frame, {}
    weight = frame[sample.weight].to_numpy(dtype=np.float64, na_value=0.0)
    stated = frame[["wave", ORGANISATION]].dropna()
    groups: dict[Place, list[int]] = {}
    for row, wave, organisation in zip(
        np.flatnonzero(frame[ORGANISATION].notna()), stated["wave"], stated[ORGANISATION], strict=True
    ):
        groups.setdefault((wave, organisation), []).append(int(row))
    rows_of = {place: np.array(rows) for place, rows in groups.items()}
    for subject, items in subjects.items():
        answered = frame[items].notna().any(axis=1).to_numpy(dtype=np.bool_)
        found[subject] = frozenset(
            place for place, rows in rows_of.items() if _few(weight[rows[answered[rows]]])
        )
    return found


def _few(weight: FloatArray) -> bool:
    """Check whether the largest weights are too large a part of all."""
    total, largest = weight.sum(), np.sort(weight)[::-1]
    return any(largest[:number].sum() > share * total for number, share in LARGEST.items() if total > 0)
