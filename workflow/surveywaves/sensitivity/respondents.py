"""Other respondents, covariates and weights: changes that are the same for every scale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from surveywaves.mixed.design import BoolArray
from surveywaves.sensitivity.setting import OfPeople, Refused, Sample
from surveywaves.sensitivity.weighting import Margins, Raking, rake

NOT_STATED: Final = "not_stated"
"""The level of those who were asked and did not state one."""

RAKED: Final = "raking weight"
"""The column of the weights made here: no name of a study has a space in it."""


def as_they_are(sample: Sample) -> tuple[Sample, str]:
    """Change nothing."""
    return sample, ""


def only(chosen: Mapping[str, str]) -> OfPeople:
    """Compare only respondents with stated levels of grouping variables: variable -> level."""

    def change(sample: Sample) -> tuple[Sample, str] | Refused:
        left = sample.without(_strangers(sample, chosen))
        if not left.waves:
            return Refused(f"not known in any wave: {', '.join(chosen)}")
        some = np.ones(len(left.frame), dtype=np.bool_)
        for variable, level in chosen.items():
            some &= (left.frame[variable] == level).to_numpy(dtype=np.bool_, na_value=False)
        return replace(left, frame=left.frame[some]), _left_out(~some, "others")

    return change


def without_straight_liners(questionnaire: Sequence[str], at_least: int) -> OfPeople:
    """Leave out who gave one and the same answer, as worded, to all of so many items or more.

    Parameters
    ----------
    questionnaire
        Every item of the instrument.
    at_least
        Fewest items answered.
    """

    def change(sample: Sample) -> tuple[Sample, str]:
        same = _straight(sample.frame, questionnaire, at_least)
        if not same.any():
            return sample, "nobody is a straight-liner"
        return replace(sample, frame=sample.frame[~same]), _left_out(same, "straight-liners")

    return change


def not_stated_apart(sample: Sample) -> tuple[Sample, str] | Refused:
    """Make those who did not state their organisation a group of their own."""
    frame = sample.frame
    unstated = frame["organisation"].isna()
    if not unstated.any():
        return sample, "everybody stated an organisation"
    if NOT_STATED in sample.organisations:
        return Refused(f"an organisation is called {NOT_STATED}")
    frame = frame.assign(organisation=frame["organisation"].astype("str").where(~unstated, NOT_STATED))
    note = f"{int(unstated.sum())} respondents who did not state an organisation are a group of their own"
    return replace(sample, frame=frame, organisations=(*sample.organisations, NOT_STATED)), note


def adjusted(variables: Sequence[str]) -> OfPeople:
    """Adjust for grouping variables besides; waves in which nobody states one take no part."""

    def change(sample: Sample) -> tuple[Sample, str] | Refused:
        further = [name for name in variables if name not in sample.covariates]
        if not further:
            return sample, "the main analysis adjusts for it"
        left = sample.without(_strangers(sample, further))
        if not left.waves:
            return Refused(f"not known in any wave: {', '.join(further)}")
        filled = {name: left.frame[name].astype("str").fillna(NOT_STATED) for name in further}
        covariates = (*left.covariates, *further)
        return replace(left, frame=left.frame.assign(**filled), covariates=covariates), ""

    return change


def unadjusted(sample: Sample) -> tuple[Sample, str]:
    """Adjust for nothing."""
    return replace(sample, covariates=()), ""


def without_team(sample: Sample) -> tuple[Sample, str]:
    """Leave the team effect out."""
    return replace(sample, team=""), ""


def unweighted(sample: Sample) -> tuple[Sample, str]:
    """Let every respondent weigh the same."""
    return replace(sample, weight=""), ""


def weighted(column: str) -> OfPeople:
    """Use the waves' own sampling weights."""

    def change(sample: Sample) -> tuple[Sample, str]:
        by_wave = sample.frame[sample.frame["wave"].isin(list(sample.waves))].groupby("wave")[column]
        differ = by_wave.max() > by_wave.min()
        if not differ.any():
            return sample, "the sampling weights differ within no wave"
        return replace(sample, weight=column), f"weights differ in: {', '.join(differ.index[differ])}"

    return change


def raked(margins: Mapping[str, Margins]) -> OfPeople:
    """Weight the returns of each wave to its population's margins: see `weighting.rake`.

    Parameters
    ----------
    margins
        Wave -> variable -> level -> staff (count or share). Waves without margins keep their weights. Respondents who
        do not state a margin's variable keep, as a group, the share of the returns that they have.
    """

    def change(sample: Sample) -> tuple[Sample, str] | Refused:
        given = {wave: margins[wave] for wave in sample.waves if margins.get(wave)}
        if not given:
            return Refused("no population margins are given")
        frame, waves = sample.frame, sample.frame["wave"].to_numpy()
        weights = np.ones(len(frame))
        if sample.weight:
            weights = np.array(frame[sample.weight].to_numpy(dtype=np.float64, na_value=0.0))
        absent, said = {}, []
        for wave, known in given.items():
            here = np.flatnonzero(waves == wave)
            found = rake(frame.iloc[here][list(known)], known, base=weights[here])
            if isinstance(found, Raking):
                weights[here] = found.weights
                said.append(f"{wave} by {', '.join(known)} (design effect {found.design_effect:.2f})")
            else:
                absent[wave] = f"no weights in {wave}: {found}"
        if not said:
            return Refused("; ".join(absent.values()))
        sample = replace(sample, frame=frame.assign(**{RAKED: weights}), weight=RAKED)
        return sample.without(absent), "; ".join(said)

    return change


def _strangers(sample: Sample, variables: Iterable[str]) -> dict[str, str]:
    """Name the waves in which nobody states one of the variables."""
    found = {}
    for wave in sample.waves:
        here = sample.frame[sample.frame["wave"] == wave]
        if unknown := [name for name in variables if len(here) and here[name].isna().all()]:
            found[wave] = f"not known in {wave}: {', '.join(unknown)}"
    return found


def _straight(frame: pd.DataFrame, items: Sequence[str], at_least: int) -> BoolArray:
    """(N,) who answered enough items and all of them alike."""
    low, high = np.full(len(frame), np.inf), np.full(len(frame), -np.inf)
    number = np.zeros(len(frame), dtype=np.intp)
    for item in items:
        values = frame[item].to_numpy(dtype=np.float64, na_value=np.nan)
        low, high = np.fmin(low, values), np.fmax(high, values)
        number += ~np.isnan(values)
    return np.asarray((number >= at_least) & (low == high), dtype=np.bool_)


def _left_out(excluded: BoolArray, who: str) -> str:
    return f"{int(excluded.sum())} {who} left out"
