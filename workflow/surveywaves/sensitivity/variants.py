"""The ways in which the comparison is done again, and what people in two unlinked waves would do to its errors.

Let m people be among the n1 respondents of an organisation in one wave and among the n2 in another. The mean of a
person's answers has variance V = tau2 + sigma2 / k about the cell's mean (k items answered), and the two means of one
person correlate by r. Of the n1 n2 covariances that make up that of the two cell means only those of one and the same
person with themselves are not zero, and there are m of them:

    Cov(mean1, mean2) = m r sqrt(V1 V2) / (n1 n2),     Var(change) = Var_unlinked - 2 Cov.

The estimate stays: without a link nobody knows who the m are. A difference in differences takes off both
organisations' covariances (nobody is taken to have changed the organisation); a gap compares different people of one
wave, and stays. Sampling weights that have nothing to do with who answers twice leave the formula as it is, as the mean
of their products over the m is 1. tau2 and sigma2, and so the degrees of freedom, are taken as they are: people
counted twice bear on them only to the order of m / (n1 + n2) times their own error.

This is the covariance term of partially overlapping samples: Kish (1965) Survey Sampling, ch. 12.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Any

from surveywaves.mixed.clmm import fit_ordinal
from surveywaves.mixed.contrasts import Cell, against_zero
from surveywaves.mixed.design import Design, add_by
from surveywaves.mixed.lmm import LinearFit, fit_linear
from surveywaves.sample import Sample
from surveywaves.sensitivity import setting
from surveywaves.sensitivity.setting import Model, OfAnswers
from surveywaves.terms import ADJUSTED, MAIN, ONLY, Status, variant_title
from surveywaves.weighting import Margins, OfPeople, raked, weighted


@dataclass(frozen=True, slots=True)
class Twice:
    """An assumption.

    Parameters
    ----------
    share
        Of the smaller cell's respondents, who are in the other wave's too; above 0, at most 1.
    correlation
        Of one person's scale scores between two waves, given the covariates; between -1 and 1.
    """

    share: float
    correlation: float

    @property
    def note(self) -> str:
        """The assumption in words."""
        return (
            f"assuming that {100 * self.share:g}% of the smaller wave's respondents answered both, "
            f"their scores correlating {self.correlation:g}"
        )


def correct(
    row: Mapping[str, Any],
    design: Design,
    fit: LinearFit,
    weights: Mapping[Cell, float],
    *,
    twice: Twice,
    confidence: float,
) -> dict[str, Any]:
    """Give a contrast the standard error that it has if people answered twice.

    Parameters
    ----------
    row
        The contrast as `surveywaves.mixed.contrasts.estimate` gives it.
    design, fit, weights
        What it was estimated from.
    twice
        The assumption.
    confidence
        Coverage of the interval.

    Returns
    -------
    dict
        The row, with another standard error, interval and test where two waves of an organisation are compared.
    """
    both = [
        (one, other) for one, other in combinations(weights, 2) if one[1] == other[1] and one[0] != other[0]
    ]
    if not both or "estimate" not in row:
        return dict(row)
    person = dict(zip(design.cells, _variances(design, fit), strict=True))
    number = dict(zip(design.cells, design.respondents, strict=True))
    variance = float(row["std_error"]) ** 2
    for one, other in both:
        people = twice.share * min(number[one], number[other])
        shared = people * twice.correlation * math.sqrt(person[one] * person[other])
        variance += 2 * weights[one] * weights[other] * shared / (number[one] * number[other])
    if not variance > 0:
        note = "the assumption leaves the contrast no variance"
        left = {name: row[name] for name in ("n",) if name in row}
        return left | {"status": Status.NOT_ESTIMABLE, "note": note}
    tested = against_zero(row["estimate"], math.sqrt(variance), row["df"], confidence=confidence)
    return dict(row) | tested


def _variances(design: Design, fit: LinearFit) -> list[float]:
    """Variance of a person's mean about the cell's, in each of the C cells; 0 in an empty one."""
    tau2 = 0.0 if math.isnan(fit.tau2) else fit.tau2  # one answer a person: sigma2 is both
    persons = add_by(design.group, design.persons, len(design.cell))
    shares = add_by(design.cell, persons / design.answered.sum(axis=1), len(design.cells))
    return [
        tau2 + fit.sigma2 * share / number if number else 0.0
        for share, number in zip(shares, design.respondents, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Variant:
    """A way to do the comparison.

    Parameters
    ----------
    name
        As the table has it.
    people
        What it changes of who is compared.
    answers
        What it changes of what is compared.
    fit
        The model.
    latent
        Whether the model's unit is that of a latent answer, and not that of the response scale.
    twice
        How many are taken to have answered two waves.
    """

    name: str
    people: OfPeople = setting.same_people
    answers: OfAnswers = setting.same_answers
    fit: Model = fit_linear
    latent: bool = False
    twice: Twice | None = None

    @property
    def title(self) -> str:
        """For people."""
        return variant_title(self.name)


def stated_variants(
    sample: Sample,
    *,
    questionnaire: Sequence[str],
    straight_lining: int,
    only: Mapping[str, Mapping[str, str]] | None = None,
    adjust_for: Sequence[str] = (),
    margins: Mapping[str, Margins] | None = None,
    twice: Twice | None = None,
    sampling_weight: str = "weight",
) -> tuple[Variant, ...]:
    """List the variants of a study's main analysis, itself first.

    Parameters
    ----------
    sample
        Who is compared in the main analysis: what it adjusts for, whether it is weighted and has a team effect.
    questionnaire
        Every item of the instrument.
    straight_lining
        See `setting.without_straight_liners`.
    only
        Title -> variable -> level: comparisons with such respondents only.
    adjust_for
        Grouping variables to adjust for besides.
    margins
        See `surveywaves.weighting.raked`.
    twice
        How many are taken to have answered two waves; None: not asked.
    sampling_weight
        The column of the waves' sampling weights.
    """

    def stated() -> Iterator[Variant]:
        yield Variant(MAIN)
        yield Variant("ordinal_logit", fit=fit_ordinal, latent=True)
        yield Variant("ordinal_probit", fit=partial(fit_ordinal, link="probit"), latent=True)
        yield Variant("scale_score", answers=setting.score)
        yield Variant("complete_cases", answers=setting.complete)
        for title, chosen in (only or {}).items():
            yield Variant(ONLY + title, people=setting.only(chosen))
        yield Variant(
            "without_straight_liners",
            people=setting.without_straight_liners(questionnaire, straight_lining),
        )
        yield Variant("organisation_not_stated", people=setting.not_stated_apart)
        if adjust_for:
            yield Variant(ADJUSTED + ", ".join(adjust_for), people=setting.adjusted(adjust_for))
        if sample.covariates:
            yield Variant("unadjusted", people=setting.unadjusted)
        yield Variant("without_flagged_items", answers=setting.without_flagged)
        yield Variant("raking", people=raked(margins or {}))
        if sample.weight:
            yield Variant("unweighted", people=setting.unweighted)
        else:
            yield Variant("sampling_weights", people=weighted(sampling_weight))
        if sample.team:
            yield Variant("without_team", people=setting.without_team)
        if twice:
            yield Variant("answered_twice", twice=twice)

    return tuple(stated())
