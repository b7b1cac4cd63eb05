"""Other answers: changes of what is compared, scale by scale."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from surveywaves.mixed.design import BoolArray, FloatArray, IntArray
from surveywaves.sensitivity.setting import Refused, Sample, Scale


def as_they_are(sample: Sample, scale: Scale) -> tuple[Sample, Scale, str]:
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
