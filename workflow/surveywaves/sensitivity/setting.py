"""What a variant changes of an analysis: who is compared, and by which answers. Some it cannot."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np
import pandas as pd

from surveywaves.mixed.clmm import OrdinalFit
from surveywaves.mixed.design import BoolArray, Design, FloatArray, IntArray
from surveywaves.mixed.lmm import LinearFit
from surveywaves.sample import Sample, Scale
from surveywaves.terms import NOT_STATED
from surveywaves.weighting import OfPeople, Refused

OfAnswers: TypeAlias = Callable[[Sample, Scale], tuple[Sample, Scale, str] | Refused]
"""A change of what is compared, scale by scale, with a note."""

OfStatements: TypeAlias = Callable[[Sample, Scale, Collection[str]], tuple[str, ...]]
"""The statements of a scale that are left to contrasts of some waves."""

Model: TypeAlias = Callable[[Design], LinearFit | OrdinalFit]


def same_answers(sample: Sample, scale: Scale) -> tuple[Sample, Scale, str]:
    """Change nothing."""
    return sample, scale, ""


def complete(sample: Sample, scale: Scale) -> tuple[Sample, Scale, str]:
    """Compare only who answered every item of the scale that their wave asked."""
    answered = ~np.isnan(_answers(sample.frame, scale))
    lacking = np.zeros(len(answered), dtype=np.bool_)
    for here, asked in _asked(sample, answered).values():
        lacking[here] = ~answered[here][:, asked].all(axis=1)
    lacking &= answered.any(axis=1)  # who answered none takes no part anyway
    if not lacking.any():
        return sample, scale, "everybody who answered an item answered all"
    note = f"{int(lacking.sum())} with incomplete answers left out"
    return replace(sample, frame=_narrow(sample, scale)[~lacking]), scale, note


def score(sample: Sample, scale: Scale) -> tuple[Sample, Scale, str] | Refused:
    """Compare scale scores: the mean of a respondent's answers, if there are enough of them.

    With one answer a respondent the linear model is ordinary least squares. Nothing in it stands for the items: the
    scores of waves that asked different ones are not compared.
    """
    answers = _answers(sample.frame, scale)
    answered = ~np.isnan(answers)
    number = answered.sum(axis=1)
    enough = number >= scale.min_answered
    if not enough.any():
        return Refused(f"nobody answered {scale.min_answered} items")
    means = np.full(len(answers), np.nan)
    means[enough] = np.nansum(answers[enough], axis=1) / number[enough]
    name = f"{scale.name} score"  # no name of a study has a space in it
    frame = _narrow(sample, scale).drop(columns=list(scale.items)).assign(**{name: means})
    asked = {
        wave: frozenset(scale.items[place] for place in places)
        for wave, (_, places) in _asked(sample, answered).items()
        if len(places)
    }
    note = f"the mean of at least {scale.min_answered} of {len(scale.items)} answers"
    scored = replace(scale, items=(name,), keys={name: 1})
    return replace(sample, frame=frame, asked=asked), scored, note


def without_flagged(sample: Sample, scale: Scale) -> tuple[Sample, Scale, str] | Refused:
    """Leave out the items that were found to work differently between waves or organisations."""
    if not scale.flagged:
        return sample, scale, "no item is flagged"
    items = tuple(item for item in scale.items if item not in scale.flagged)
    if not items:
        return Refused("every item is flagged")
    return sample, replace(scale, items=items), f"without: {', '.join(scale.flagged)}"


def without_reworded(reworded: Mapping[str, Collection[str]]) -> OfStatements:
    """Leave out what a wave of the contrast asked in other words: wave -> its reworded items."""

    def left(_sample: Sample, scale: Scale, waves: Collection[str]) -> tuple[str, ...]:
        return tuple(
            item for item in scale.items if all(item not in reworded.get(wave, ()) for wave in waves)
        )

    return left


def common(reworded: Mapping[str, Collection[str]]) -> OfStatements:
    """Keep what every wave of the contrast asked, in the same words."""
    same_words = without_reworded(reworded)

    def left(sample: Sample, scale: Scale, waves: Collection[str]) -> tuple[str, ...]:
        of = sample.frame["wave"]
        asked = [sample.frame.loc[of == wave, list(scale.items)].notna().any() for wave in waves]
        return tuple(item for item in same_words(sample, scale, waves) if all(one[item] for one in asked))

    return left


def _answers(frame: pd.DataFrame, scale: Scale) -> FloatArray:
    """(N, J) answers after reverse keying, NaN where missing."""
    ends = sum(scale.response_range)
    columns = []
    for item in scale.items:
        values = frame[item].to_numpy(dtype=np.float64, na_value=np.nan)
        columns.append(values if scale.keys[item] == 1 else ends - values)
    return np.column_stack(columns)


def _asked(sample: Sample, answered: BoolArray) -> dict[str, tuple[BoolArray, IntArray]]:
    """Wave -> (N,) its respondents, and the places of the items that it asked, that is, that anybody there answered."""
    waves = sample.frame["wave"].to_numpy()
    found = {}
    for wave in sample.waves:
        here = np.asarray(waves == wave, dtype=np.bool_)
        found[wave] = here, np.flatnonzero(answered[here].any(axis=0))
    return found


def _narrow(sample: Sample, scale: Scale) -> pd.DataFrame:
    """Keep the columns that a comparison of the scale needs: copying all would take most of the time."""
    names = ["wave", "organisation", *sample.covariates, sample.weight, sample.team, *scale.items]
    return sample.frame[[name for name in dict.fromkeys(names) if name]]


def same_people(sample: Sample) -> tuple[Sample, str]:
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


def of_finite_population(populations: Mapping[str, int]) -> OfPeople:
    """Take the returns of a wave for a sample without replacement of its staff: wave -> how many these are."""

    def change(sample: Sample) -> tuple[Sample, str] | Refused:
        returns = sample.frame["wave"].value_counts()
        sampled = {
            wave: float(returns.get(wave, 0) / populations[wave])
            for wave in sample.waves
            if populations.get(wave, 0) > returns.get(wave, 0) > 0
        }
        if not sampled:
            return Refused("no wave has a population larger than its returns")
        told = ", ".join(f"{100 * share:.0f}% of {wave}" for wave, share in sampled.items())
        return replace(sample, sampled=sampled), f"returns are {told}"

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
