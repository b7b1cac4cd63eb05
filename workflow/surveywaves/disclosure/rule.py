"""The rule: what the study chose, and the types of arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from surveywaves.study.models import Disclosure

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Rule:
    """What the study chose.

    Attributes
    ----------
    threshold
        Smallest count that may be shown.
    zeros
        Whether a count of 0 is shown.
    uniform
        Whether it is kept back that all of a group, or all but fewer than `threshold`, answered alike.
    unstated
        Whether a small count of people is shown of whom it says only that they said nothing (did not state their
        organisation or profession, skipped an item).
    rounding
        Base that counts by organisation are rounded to; 0: some are withheld instead.
    public
        Whether everything is released as it is.
    smallest_group, smallest_df
        Respondents in every group that it compares, and degrees of freedom, of which an estimate is shown at least.
    impossible
        Combinations of levels (of `organisation` and other variables) that everybody knows not to occur.
    """

    threshold: int = 5
    zeros: bool = True
    uniform: bool = True
    unstated: bool = False
    rounding: int = 5
    public: bool = False
    smallest_group: int = 10
    smallest_df: int = 10
    impossible: tuple[Mapping[str, str], ...] = ()

    @classmethod
    def of(cls, chosen: Disclosure) -> Self:
        """Return the rule that a study's configuration describes."""
        return cls(
            threshold=chosen.threshold,
            zeros=chosen.zeros == "show",
            uniform=chosen.uniform == "withhold",
            unstated=chosen.unstated == "show",
            rounding=chosen.rounding,
            public=chosen.public,
            smallest_group=chosen.smallest_group,
            smallest_df=chosen.smallest_df,
            impossible=chosen.impossible,
        )

    def small(self, n: int) -> bool:
        """Whether a count is below the threshold and must not be shown for that."""
        return (0 if self.zeros else -1) < n < self.threshold
