"""When does a difference in how an item works matter? The usual classes, and the items that reach them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

import pandas as pd

from surveywaves.tidy import Status

Criterion: TypeAlias = Literal["jodoin_gierl", "zumbo"]
Size: TypeAlias = Literal["negligible", "moderate", "large"]

CUTS: Final[Mapping[Criterion, tuple[float, float]]] = {"jodoin_gierl": (0.035, 0.070), "zumbo": (0.13, 0.26)}
"""Smallest change of R2 that is moderate, and that is large."""

SIZES: Final[tuple[Size, ...]] = ("negligible", "moderate", "large")


def size_class(change: float, criterion: Criterion) -> Size:
    """Give the class of a change of Nagelkerke's R2.

    Jodoin & Gierl (2001): from .035 moderate, from .070 large. Zumbo (1999): from .13, from .26.
    """
    return SIZES[sum(change >= cut for cut in CUTS[criterion])]


def flagged(
    found: pd.DataFrame,
    *,
    criterion: Criterion = "jodoin_gierl",
    at_least: Size = "moderate",
    significance: float = 0.05,
    kind: Literal["uniform", "nonuniform", "total"] = "total",
) -> dict[str, list[str]]:
    """Name the items that work differently enough to matter.

    An item is flagged if in any comparison the adjusted p-value of its likelihood ratio is below `significance` and
    its change of R2 is `at_least` so large: with many respondents the first alone would flag trifles, with few the
    second alone would flag chance. Choose the comparisons by choosing rows of `found`.

    Parameters
    ----------
    found
        What `dif` found, of any number of scales.
    criterion
        Whose classes.
    at_least
        Smallest class that is flagged.
    significance
        Level of the adjusted p-value.
    kind
        Whose test and size: ``total`` sees both kinds at once.

    Returns
    -------
    dict
        Scale -> its flagged items, in order of the table; every scale of `found` is there.
    """
    place = ["scale", "item", "wave", "organisation"]
    fine = found[found["status"] == Status.OK]
    tests = fine[(fine["term"] == f"{kind}_lr") & (fine["p_adjusted"] < significance)]
    cut = 0.0 if at_least == "negligible" else CUTS[criterion][SIZES.index(at_least) - 1]
    sizes = fine[(fine["term"] == f"{kind}_r2_change") & (fine["estimate"] >= cut)]
    hit = tests[place].merge(sizes[place], on=place)
    chosen = set(zip(hit["scale"], hit["item"], strict=True))
    scales: dict[str, list[str]] = {scale: [] for scale in found["scale"].unique()}
    for scale, item in dict.fromkeys(zip(found["scale"], found["item"], strict=True)):
        if (scale, item) in chosen:
            scales[scale].append(item)
    return scales
