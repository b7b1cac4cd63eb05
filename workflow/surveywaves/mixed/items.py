"""Every item by itself: the ordinal model of one item, compared wherever it was asked at least twice.

With one answer a respondent there is nothing to tell respondents apart by, so the model is the cumulative logit
without a respondent effect: odds ratios are of the population, not of a respondent as those of a scale are, and nearer
to 1 for that (Agresti 2010, ch. 10).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from surveywaves.mixed.contrasts import Comparison
from surveywaves.mixed.favourable import compare_ordinal
from surveywaves.tidy import Status, tidy


def compare_items(
    frame: pd.DataFrame,
    *,
    scales: Mapping[str, str],
    keys: Mapping[str, int],
    response_ranges: Mapping[str, tuple[float, float]],
    favourable: Mapping[str, Collection[float]],
    waves: Sequence[str],
    organisations: Sequence[str],
    covariates: Sequence[str] = (),
    weight: str = "",
    team: str = "",
    confidence: float = 0.95,
    min_cell: int = 2,
) -> Comparison:
    """Compare waves and organisations on every item by itself.

    An item's column holds only answers on the instrument's response scale (or mapped to it): what a wave asked on
    another one stands in a column of its own and is no item here, so that such a wave takes no part. A reworded item
    is compared as if it were the same: who shows it says so.

    Parameters
    ----------
    frame, waves, organisations, covariates, weight, team, confidence, min_cell
        See `contrasts.compare`.
    scales
        Item -> its scale, "" if it belongs to none: the items to compare, in order.
    keys, response_ranges, favourable
        Item -> what `compare_ordinal` takes of a scale: +1 or -1; lowest and highest answer; the favourable answers
        after reverse keying.

    Returns
    -------
    Comparison
        As of `compare_ordinal`, with `item` filled. An item that no two cells of one wave or of one organisation
        answered cannot be compared, and has no rows. Estimates carry no note: that a model of one item cannot tell
        respondents apart goes without saying.

    Raises
    ------
    ValueError
        If the arguments contradict the frame or each other.
    """
    found = []
    for item, scale in scales.items():
        if not _comparable(frame, item, waves, organisations):
            continue
        one = compare_ordinal(
            frame,
            scale=scale,
            items=[item],
            keys={item: keys[item]},
            response_range=response_ranges[item],
            favourable=favourable[item],
            waves=waves,
            organisations=organisations,
            covariates=covariates,
            weight=weight,
            team=team,
            confidence=confidence,
            min_cell=min_cell,
        )
        found.append(Comparison(*(_of_item(table, item) for table in one)))
    if not found:
        return Comparison(tidy([]), tidy([]), tidy([]))
    return Comparison(*(pd.concat(tables, ignore_index=True) for tables in zip(*found, strict=True)))


def _of_item(table: pd.DataFrame, item: str) -> pd.DataFrame:
    tests_or_means = ~table["term"].isin(["n_respondents", "n_items"]) & table["status"].eq(Status.OK)
    return table.assign(item=item, note=table["note"].mask(tests_or_means, ""))


def _comparable(frame: pd.DataFrame, item: str, waves: Sequence[str], organisations: Sequence[str]) -> bool:
    """Whether there are answers to an item in two cells of one wave or of one organisation."""
    given = frame.loc[frame[item].notna(), ["wave", "organisation"]].drop_duplicates()
    given = given[given["wave"].isin(waves) & given["organisation"].isin(organisations)]
    return bool((given["wave"].value_counts() > 1).any() or (given["organisation"].value_counts() > 1).any())
