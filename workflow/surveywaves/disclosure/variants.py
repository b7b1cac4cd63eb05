"""Variants of the analysis: which leave.

A variant less the main analysis is about those by whom they differ: one respondent on paper, if it is of those by web.
So one leaves for a scale only if, in every wave and organisation, nobody differs from the main analysis and from every
other variant that leaves, or as many as the threshold.
"""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from surveywaves.disclosure.count_tables import Place
from surveywaves.terms import MAIN

EVERYBODY = ""
"""Stands in the column `other` where the row counts the respondents of a variant."""


class People:
    """Who is in the variants of an analysis.

    Parameters
    ----------
    table
        As `surveywaves.sensitivity.people.variant_people` gives it; None: there are no variants.
    threshold
        Fewest people by whom two that leave may differ.
    """

    def __init__(self, table: pd.DataFrame | None, threshold: int) -> None:
        self._size: dict[tuple[str, str, Place], int] = {}
        self._apart: dict[tuple[str, str, str], int] = {}
        self._changed: set[tuple[str, str]] = set()
        variants: dict[str, None] = {}
        scales: dict[str, None] = {}
        if table is not None:
            columns = ("variant", "other", "scale", "wave", "organisation", "n")
            for variant, other, scale, wave, organisation, n in zip(
                *(table[name] for name in columns), strict=True
            ):
                variants[variant] = scales[scale] = None
                if other == EVERYBODY:
                    self._size[variant, scale, (wave, organisation)] = int(n)
                    continue
                for pair in ((variant, other, scale), (other, variant, scale)):
                    self._apart[pair] = min(self._apart.get(pair, int(n)), int(n))
                self._changed |= {(one, scale) for one in (variant, other) if MAIN in (variant, other)}
        self._kept = {scale: self._chosen(variants, scale, threshold) for scale in scales}

    def _chosen(self, variants: Iterable[str], scale: str, threshold: int) -> frozenset[str]:
        kept = [MAIN]
        for variant in variants:
            if all(self._apart.get((variant, other, scale), threshold) >= threshold for other in kept):
                kept.append(variant)
        return frozenset(kept)

    def released(self, variant: str, scale: str) -> bool:
        """Whether a variant leaves for a scale ("": what is of no variant)."""
        return not variant or variant in self._kept.get(scale, frozenset({MAIN}))

    def same(self, variant: str, scale: str) -> bool:
        """Whether everybody's answers are used as in the main analysis."""
        return variant in ("", MAIN) or (variant, scale) not in self._changed

    def size(self, variant: str, scale: str, group: Iterable[Place]) -> int:
        """Count a variant's respondents in a group."""
        return sum(self._size.get((variant, scale, place), 0) for place in group)
