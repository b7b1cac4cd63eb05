"""Comparisons of single items, computed from the counts that are released.

A comparison of one item is a function of its counts, and would give them back. So it is computed again from the counts
that everybody sees, by the functions of `surveywaves.mixed` that computed it first: respondents are made up who gave
the answers that are shown. What is computed from released numbers tells nothing that these do not. It is without
weights, covariates and teams, which counts do not know.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd

from surveywaves.disclosure.count_tables import ItemKey
from surveywaves.sample import Sample, Scale, on_one_range, scales_of, single_items
from surveywaves.terms import ALL, ITEM_FREQUENCIES, ORGANISATION, RESPONDENTS, Status

KEY: Final = ("analysis", "scale", "item", "wave", "organisation", "term")

WITHHELD: Final = "withheld to protect respondents"
FROM_COUNTS: Final = "from the released counts: without weights, covariates and teams"


@dataclass(frozen=True, slots=True)
class Comparing:
    """How items are compared.

    Attributes
    ----------
    judge
        Of a sample and its items: comparisons with decisions, and tests of what the models assume
        (`surveywaves.mixed.compare.judge_items`).
    waves, organisations
        Those to compare, in order.
    shares, shares_note, reference, against, smallest_of_all
        How organisations are weighted to all staff, and what they are compared with: see `surveywaves.sample.Sample`.
    adjusted
        Whether the study's own models have covariates, weights or teams.
    """

    judge: Callable[[Sample, Sequence[Scale]], tuple[pd.DataFrame, pd.DataFrame]]
    waves: tuple[str, ...]
    organisations: tuple[str, ...]
    shares: Mapping[str, float] = field(default_factory=dict)
    shares_note: str = ""
    reference: str = ""
    against: str = ""
    smallest_of_all: int = 0
    adjusted: bool = False


@dataclass(frozen=True, slots=True)
class _Item:
    item: str
    scale: str
    key: int
    points: int
    favourable: tuple[int, ...]


def compared(
    contrasts: pd.DataFrame,
    diagnostics: pd.DataFrame,
    counts: Mapping[str, pd.DataFrame],
    *,
    instrument: Mapping[str, ItemKey],
    how: Comparing | None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compute the comparisons of items from released counts.

    Parameters
    ----------
    contrasts, diagnostics
        `item_contrasts` and `diagnostics` of the statistics: their rows are kept, and none of their numbers.
    counts
        The released tables of counts.
    instrument
        Item -> what it is.
    how
        How items are compared; None: nothing is shown of it.

    Returns
    -------
    DataFrame, DataFrame
        `item_contrasts`, and the rows of `diagnostics` that are about one item. What would need a count that is
        withheld is withheld.
    """
    of_items = diagnostics[diagnostics["item"] != ""]
    if how is None:
        return _in_place(contrasts, contrasts[:0]), _in_place(of_items, of_items[:0])
    frequencies = counts[ITEM_FREQUENCIES]
    asked = {item: one for item, one in instrument.items() if (frequencies["item"] == item).any()}
    items = [_Item(name, one.scale, one.key, one.points, one.favourable) for name, one in asked.items()]
    frame = _answers(frequencies, how.organisations, asked)
    shares, note = dict(how.shares), how.shares_note
    if not shares and how.reference:
        shares = _divided(counts[RESPONDENTS], how)
        note = f"organisations weighted by their shares of the respondents of {how.reference}"
    sample = Sample(
        frame=frame,
        waves=how.waves,
        organisations=how.organisations,
        shares=shares,
        shares_note=note,
        against=how.against,
        smallest_of_all=how.smallest_of_all,
    ).with_shares()
    sample, _, alone = on_one_range(sample, scales_of(items), single_items(items))
    decided, tests = how.judge(sample, alone)
    shown = _in_place(contrasts, decided)
    if how.adjusted:
        there = shown["estimate"].notna()
        notes = shown["note"].where(shown["note"] == "", shown["note"] + "; ") + FROM_COUNTS
        shown["note"] = shown["note"].mask(there, notes)
    return shown, _in_place(of_items, tests)


def _answers(
    frequencies: pd.DataFrame, organisations: Collection[str], items: Collection[str]
) -> pd.DataFrame:
    """Make up the respondents of each cell from counts; which answers are of the same respondent does not matter."""
    asked = ["wave", "organisation", "item"]
    own = frequencies[frequencies["organisation"].isin(organisations) & frequencies["item"].isin(items)]
    own = own[own["n"].notna().groupby([own[name] for name in asked]).transform("all")]
    given = own.loc[own.index.repeat(own["n"].astype(np.intp)), [*asked, "response"]]
    given["respondent"] = given.groupby(asked).cumcount()
    frame = given.set_index([*asked[:2], "respondent", "item"])["response"].unstack()  # noqa: PD010
    return frame.reindex(columns=list(items)).astype("Int8").reset_index(asked[:2]).reset_index(drop=True)


def smallest_of_all(respondents: pd.DataFrame, how: Comparing | None) -> int:
    """Return the fewest answers with which an organisation is one of those that make up all staff.

    Parameters
    ----------
    respondents
        As `describe.respondents` makes it.
    how
        How items are compared.

    Returns
    -------
    int
        0 where none is left out: the models leave small ones out of three or more that have a share.
    """
    if how is None:
        return 0
    shares = how.shares or _divided(respondents, how)
    return how.smallest_of_all if sum(share > 0 for share in shares.values()) > 2 else 0


def _divided(respondents: pd.DataFrame, how: Comparing) -> dict[str, float]:
    own = respondents[
        (respondents["variable"] == ORGANISATION)
        & (respondents["organisation"] == ALL)
        & (respondents["wave"] == how.reference)
        & respondents["level"].isin(how.organisations)
    ]
    if own["n"].isna().any():
        return {}
    return {level: float(n) for level, n in zip(own["level"], own["n"], strict=True) if n}


def _in_place(before: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """Put what was found into the rows that there are; the others are withheld, but for what nobody could estimate."""
    places = pd.MultiIndex.from_frame(before[list(KEY)])
    shown = found.set_index(list(KEY)).reindex(places).reset_index()[list(before)]
    shown.index = before.index
    gone = shown["status"].isna()
    shown["status"] = shown["status"].mask(gone, Status.WITHHELD.value)
    shown["note"] = shown["note"].mask(gone, WITHHELD)
    if "decision" in shown:
        shown["decision"] = shown["decision"].fillna("")
    return shown.astype(before.dtypes.to_dict())
