"""What a variant changes of an analysis: who is compared, weighted how, and by which answers. Some it cannot.

Raking gives a sample the known margins of its population by iterative proportional fitting: the weights of each level
of one variable are multiplied by what the level lacks, then those of the next, until no margin moves. Of all weights
that meet the margins, these are nearest to the first ones in the sense of Kullback and Leibler.

Sources: Deming and Stephan (1940) Ann. Math. Stat. 11, 427; Ireland and Kullback (1968) Biometrika 55, 179 (what it
converges to); Kish (1992) J. Off. Stat. 8, 183 (design effect).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np
import pandas as pd

from surveywaves.mixed.clmm import OrdinalFit
from surveywaves.mixed.design import BoolArray, Design, FloatArray, IntArray, add_by
from surveywaves.mixed.lmm import LinearFit
from surveywaves.sample import Sample, Scale
from surveywaves.terms import NOT_STATED


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a variant cannot be done, in words."""

    reason: str


OfPeople: TypeAlias = Callable[[Sample], tuple[Sample, str] | Refused]
"""A change of who is compared, the same for all scales, with a note. Who changes nothing gives back the same object."""

OfAnswers: TypeAlias = Callable[[Sample, Scale], tuple[Sample, Scale, str] | Refused]
"""A change of what is compared, scale by scale, with a note."""

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


Margins: TypeAlias = Mapping[str, Mapping[str, float]]
"""Variable -> level -> population, as counts or shares."""

CLOSE: Final = 1e-10
"""The largest difference between a weighted and a known share."""

MOST_ROUNDS: Final = 10_000


@dataclass(frozen=True, slots=True, eq=False)
class Raking:
    """Weights that meet the margins.

    Parameters
    ----------
    weights
        (N,) of mean 1 over those whose first weight was not 0.
    rounds
        How often each variable was adjusted.
    distance
        The largest difference left between a weighted and a known share.
    """

    weights: FloatArray
    rounds: int
    distance: float

    @property
    def design_effect(self) -> float:
        """Kish's n sum(w^2) / sum(w)^2: how many times larger unequal weights alone make a mean's variance."""
        used = self.weights[self.weights > 0]
        return float(len(used) * (used @ used) / used.sum() ** 2)


def rake(
    frame: pd.DataFrame, margins: Margins, *, base: FloatArray | None = None, most: int = MOST_ROUNDS
) -> Raking | str:
    """Weight respondents to the margins of their population.

    Who has no level of a variable is a group of its own there, which keeps the share that it has by the first weights;
    the known margin then divides the rest. So nobody is left out, and nothing is guessed about them. Weights are not
    trimmed: what they cost stands in `Raking.design_effect`.

    Parameters
    ----------
    frame
        (N rows) the variables of the margins, text, may be missing.
    margins
        What is known of the population; every level positive.
    base
        (N,) the first weights, finite and not negative; 1 if left out.
    most
        Rounds after which to give up.

    Returns
    -------
    Raking or str
        The weights, or why there are none: nobody to weight, a level of the population that no respondent has, a
        level of the respondents that the margins do not know, or margins that cannot be met together.

    Raises
    ------
    ValueError
        If weights or margins are not what they must be.
    """
    first = np.ones(len(frame)) if base is None else np.asarray(base, dtype=np.float64)
    if first.shape != (len(frame),) or not np.isfinite(first).all() or (first < 0).any():
        raise ValueError("the first weights are not one a row, finite and not negative")
    if not margins or any(not shares or min(shares.values()) <= 0 for shares in margins.values()):
        raise ValueError("margins without a level, or a level that is not positive")
    used = np.flatnonzero(first > 0)
    if not len(used):
        return "nobody to weight"
    sides: list[tuple[IntArray, FloatArray]] = []
    for variable, shares in margins.items():
        side = _side(frame[variable].iloc[used], variable, shares, first[used])
        if isinstance(side, str):
            return side
        sides.append(side)

    # one weight for all respondents with the same levels
    key = np.zeros(len(used), dtype=np.int64)
    for levels, target in sides:
        key = key * len(target) + levels
    _, place, kind = np.unique(key, return_index=True, return_inverse=True)
    there = add_by(kind, first[used], len(place)) / first[used].sum()
    sides = [(levels[place], target) for levels, target in sides]
    factor, rounds, distance = np.ones(len(place)), 0, _distance(there, sides)
    while distance > CLOSE and rounds < most:
        for levels, target in sides:
            factor *= (target / add_by(levels, there * factor, len(target)))[levels]
        rounds, distance = rounds + 1, _distance(there * factor, sides)
    if not distance <= CLOSE:
        return f"the margins cannot be met together: a share is off by {distance:.2g} after {rounds} rounds"
    weights = np.zeros(len(frame))
    weights[used] = first[used] * factor[kind]
    return Raking(weights * (len(used) / weights.sum()), rounds, distance)


def _side(
    column: pd.Series[str], variable: str, shares: Mapping[str, float], weights: FloatArray
) -> tuple[IntArray, FloatArray] | str:
    """Each respondent's level, the last being none, and the levels' target shares; or why there are none."""
    levels = pd.Index(shares).get_indexer(pd.Index(column))
    missing = column.isna().to_numpy()
    if strange := sorted(set(column[~missing & (levels < 0)].astype("str"))):
        return f"{variable} has no margin for: {', '.join(strange)}"
    levels[missing] = len(shares)
    there = add_by(levels, weights, len(shares) + 1) / weights.sum()
    if empty := [level for level, share in zip(shares, there, strict=False) if share == 0]:
        return f"no respondent of {variable}: {', '.join(empty)}"
    known = np.array(list(shares.values()), dtype=np.float64)
    target = np.append(known / known.sum() * (1 - there[-1]), there[-1])
    if there[-1] == 0:
        target = target[:-1]
    return levels, target


def _distance(weights: FloatArray, sides: list[tuple[IntArray, FloatArray]]) -> float:
    return max(float(np.abs(add_by(levels, weights, len(target)) - target).max()) for levels, target in sides)


RAKED: Final = "raking weight"
"""The column of the weights made here: no name of a study has a space in it."""


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
    """Weight the returns of each wave to its population's margins: see `rake`.

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
